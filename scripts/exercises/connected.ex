source demos/connect/connect_poll.c
cut	^/\* How the attempt ended	^    }$

=== stub
/* Try one address. True when connected. */
static bool attempt(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    const char *where = address_text(to->ai_addr, to->ai_addrlen);
    instant began = now();

    if (fd < 0)
        die("cannot make a socket");
    make_nonblocking(fd); /* before connect, which would wait */
    say("connecting to %s", where);

    instant deadline = deadline_in(limit);
    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    while (made.kind == PENDING && !stop_due(deadline)) {
        struct pollfd wait[] = {{.fd = fd, .events = POLLOUT},
                                {.fd = stop_button(), .events = POLLIN}};

        poll(wait, 2, poll_time(deadline));
        /* TODO: it is writable. Does that mean that it is connected? */
        if (wait[0].revents)
            made.kind = DONE;
    }

=== right asks with the bare calls
static bool attempt(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    const char *where = address_text(to->ai_addr, to->ai_addrlen);
    instant began = now(), deadline = deadline_in(limit);
    struct answer made = {.kind = PENDING};
    int error = 0;

    if (fd < 0)
        die("cannot make a socket");
    make_nonblocking(fd);
    say("connecting to %s", where);
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) {
        made.kind = DONE;
    } else if (errno != EINPROGRESS && errno != EINTR) {
        made.kind = FAILED;
        made.error = errno;
    }
    while (made.kind == PENDING && !stop_due(deadline)) {
        struct pollfd wait[2] = {{.fd = stop_button(), .events = POLLIN},
                                 {.fd = fd, .events = POLLOUT}};
        socklen_t length = sizeof error;

        if (poll(wait, 2, poll_time(deadline)) < 1 || !wait[1].revents)
            continue;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        made.kind = error == 0 ? DONE : FAILED;
        made.error = error;
    }

=== right asks connect a second time instead of SO_ERROR
static bool attempt(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    const char *where = address_text(to->ai_addr, to->ai_addrlen);
    instant began = now();

    if (fd < 0)
        die("cannot make a socket");
    make_nonblocking(fd);
    say("connecting to %s", where);

    instant deadline = deadline_in(limit);
    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    while (made.kind == PENDING && !stop_due(deadline)) {
        struct pollfd wait[] = {{.fd = fd, .events = POLLOUT},
                                {.fd = stop_button(), .events = POLLIN}};

        poll(wait, 2, poll_time(deadline));
        if (wait[0].revents)
            made = connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));
    }

=== wrong WRITABLE_IS_CONNECTED writable is enough for it
-    int error = 0;
-    socklen_t length = sizeof error;
-
-    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
-        error = errno;
-    return connected_answer(error);
+    return connected_answer(fd < 0 ? EBADF : 0);

=== wrong SO_ERROR_EARLY asks before there is an answer
-        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
-            die("cannot wait for the connection");
-        if (wait[0].revents)
-            made = connect_result(fd);
+        made = connect_result(fd);
+        if (made.kind != DONE)
+            poll(wait, 2, poll_time(deadline));

=== wrong SO_ERROR_TWICE asks once for the log, and once more
-        if (wait[0].revents)
-            made = connect_result(fd);
+        if (wait[0].revents) {
+            if (connect_result(fd).kind == FAILED)
+                log_info("something is wrong");
+            made = connect_result(fd);
+        }

=== wrong EINPROGRESS_FATAL what is not done has failed
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    if (made.kind == PENDING)
+        made.kind = FAILED;
+    while (made.kind == PENDING && !stop_due(deadline)) {

=== wrong CONNECT_BLOCKS sets the flag after connect
-    make_nonblocking(fd); /* before connect, which would wait */
@@
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    make_nonblocking(fd);
+    while (made.kind == PENDING && !stop_due(deadline)) {

=== wrong BUSY_SPIN gives poll no time
-        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
+        if (poll(wait, 2, 0) < 0 && errno != EINTR)

=== wrong NO_DEADLINE waits for ever
-        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
+        if (poll(wait, 2, -1) < 0 && errno != EINTR)

=== wrong ERROR_NOT_NAMED reads errno, not SO_ERROR
-        error = errno;
-    return connected_answer(error);
+        error = errno;
+    return connected_answer(error ? EINPROGRESS : 0);

=== wrong GIVES_UP_EARLY an attempt has a tenth of a second
-    instant deadline = deadline_in(limit);
+    instant deadline = deadline_in(SECOND / 10);

=== wrong EINTR_FATAL an interrupted wait ends it
-        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
+        if (poll(wait, 2, poll_time(deadline)) < 0)

=== wrong PENDING_IS_CONNECTED what has not failed is connected
-    double took = seconds(now() - began);
+    if (made.kind == PENDING)
+        made.kind = DONE;
+    double took = seconds(now() - began);

=== wrong STOP_IGNORED waits for the socket alone, and never hears Enter
-        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
+        if (poll(wait, 1, poll_time(deadline)) < 0 && errno != EINTR)
