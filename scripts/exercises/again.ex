source demos/echo/echo_busypoll.c
cut	^    if \(buffer_used\(b\) == 0\) \{	^    return true;

=== stub
    struct answer got = recv_answer(
        recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

    /* TODO: which of the five answers is the end of this client? */
    if (got.kind != DONE)
        return false;
    buffer_added(b, got.count);
    /* TODO: what if send takes fewer bytes, or none at all? */
    send(c->fd, buffer_front(b), buffer_used(b), 0);
    buffer_taken(b, buffer_used(b));
    return true;

=== right a switch over the five answers
    if (buffer_used(b) == 0) {
        struct answer got = recv_answer(
            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

        switch (got.kind) {
        case DONE:
            buffer_added(b, got.count);
            break;
        case AGAIN:
        case PENDING:
            return true;
        case CLOSED:
            return false;
        case FAILED:
            return client_failed(c, "receive from", got.error);
        }
    }

    struct answer put = send_answer(
        send(c->fd, buffer_front(b), buffer_used(b), 0), buffer_used(b));

    switch (put.kind) {
    case DONE:
        buffer_taken(b, put.count);
        return true;
    case AGAIN:
        return true;
    default:
        return client_failed(c, "send to", put.error);
    }

=== right with the bare calls and errno
    ssize_t n;

    if (buffer_used(b) == 0) {
        n = recv(c->fd, buffer_back(b), BUFFER_SIZE, 0);
        if (n == 0)
            return false;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        buffer_added(b, (size_t)n);
    }
    n = send(c->fd, buffer_front(b), buffer_used(b), 0);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    buffer_taken(b, (size_t)n);
    return true;

=== right reads ahead as long as there is room, and forgets nothing
    const size_t room = buffer_room(b);

    if (room > 0) {
        struct answer got =
            recv_answer(recv(c->fd, buffer_back(b), room, 0), room);

        if (got.kind == FAILED)
            return client_failed(c, "receive from", got.error);
        if (got.kind == CLOSED && buffer_used(b) == 0)
            return false;
        if (got.kind == DONE)
            buffer_added(b, got.count);
    }
    if (buffer_used(b) > 0) {
        ssize_t n = send(c->fd, buffer_front(b), buffer_used(b), MSG_NOSIGNAL);

        if (n > 0)
            buffer_taken(b, (size_t)n);
        else if (errno != EAGAIN && errno != EINTR)
            return client_failed(c, "send to", errno);
    }
    return true;

=== right a few bytes at a time
    char *to = buffer_back(b);
    ssize_t n = 1;

    if (buffer_used(b) == 0) {
        n = recv(c->fd, to, 700, MSG_DONTWAIT);
        if (n > 0)
            buffer_added(b, (size_t)n);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    while (buffer_used(b) > 0) {
        n = send(c->fd, buffer_front(b),
                 buffer_used(b) > 300 ? 300 : buffer_used(b), MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        buffer_taken(b, (size_t)n);
    }
    return true;

=== wrong EAGAIN_FATAL nothing yet from recv is the end
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            return true;
+        if (got.kind == AGAIN)
+            return false;

=== wrong EAGAIN_FATAL no room from send is the end
-    if (put.kind == FAILED)
-        return client_failed(c, "send to", put.error);
+    if (put.kind != DONE && put.error != EINTR)
+        return client_failed(c, "send to", put.error);

=== wrong EOF_IGNORED the end is taken for nothing yet
-        if (got.kind == CLOSED) /* recv returned 0: the client has ended */
-            return false;
+        if (got.kind == CLOSED)
+            return true;

=== wrong SHORT_SEND what send was given is taken for what it took
-    buffer_taken(b, put.count); /* the rest, if any, in the next turn */
+    if (put.kind == DONE)
+        buffer_taken(b, buffer_used(b));

=== wrong RESENT_FROM_START a part taken counts for nothing
-    buffer_taken(b, put.count); /* the rest, if any, in the next turn */
+    if (put.count == buffer_used(b))
+        buffer_taken(b, put.count);

=== wrong EINTR_FATAL an interrupted recv is the end
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            return true;
+        if (got.kind == AGAIN)
+            return got.error == EAGAIN;

=== wrong PEER_KILLS_SERVER what fails for one client ends the program
-            return client_failed(c, "receive from", got.error);
+            die_because(got.error, "cannot receive");

=== wrong CRASH receives on although the buffer may be full
-    if (buffer_used(b) == 0) {
+    {
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            return true;
@@
-    }
+        if (buffer_used(b) == 0)
+            return true;
+    }

=== wrong CLOSE_BEFORE_FLUSH reads ahead, and at the end forgets the rest
-    if (buffer_used(b) == 0) {
-        struct answer got = recv_answer(
-            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);
+    if (buffer_room(b) > 0) {
+        const size_t room = buffer_room(b);
+        struct answer got =
+            recv_answer(recv(c->fd, buffer_back(b), room, 0), room);
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            return true;
@@
-    }
+    }
+    if (buffer_used(b) == 0)
+        return true;
-    struct answer put = send_answer(
-        send(c->fd, buffer_front(b), buffer_used(b), 0), buffer_used(b));
+    /* A little at a time, to be fair to the others. */
+    const size_t piece = buffer_used(b) < 512 ? buffer_used(b) : 512;
+    struct answer put =
+        send_answer(send(c->fd, buffer_front(b), piece, 0), piece);

=== wrong CLOSE_BEFORE_FLUSH receives while it has bytes to send, and the end is the end
-    if (buffer_used(b) == 0) {
-        struct answer got = recv_answer(
-            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);
+    if (buffer_room(b) > 0) {
+        const size_t room = buffer_room(b);
+        struct answer got =
+            recv_answer(recv(c->fd, buffer_back(b), room, 0), room);
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            return true;
@@
-    }
+    }
+    if (buffer_used(b) == 0)
+        return true;

=== wrong NOT_CLOSED what fails for send is tried again and again
-    if (put.kind == FAILED)
-        return client_failed(c, "send to", put.error);
-    buffer_taken(b, put.count); /* the rest, if any, in the next turn */
+    buffer_taken(b, put.count);
