source demos/chat/chat_server.c
line	^static const duration patience	static const duration patience = 2 * SECOND; /* for a guest who is leaving */
cut	^static void receive\(struct guest \*g\)	^static void serve\(struct guest
vary	Goodbye.	Room # says goodbye.	Farewell from house #.	So long, number #.

=== stub
static void receive(struct guest *g)
{
    struct buffer *b = &g->input;
    size_t room = buffer_room(b);
    struct answer got = recv_answer(recv(g->fd, buffer_back(b), room, 0), room);

    if (got.kind == FAILED)
        drop(g, "has lost the connection");
    /* TODO: who sends no more may still be listening. */
    if (got.kind == CLOSED)
        drop(g, "has left");
    if (got.kind == DONE) {
        buffer_added(b, got.count);
        handle_lines(g);
    }
}

static void send_on(struct guest *g)
{
    struct buffer *b = &g->output;
    size_t size = buffer_used(b);
    struct answer put =
        send_answer(send(g->fd, buffer_front(b), size, 0), size);

    if (put.kind == FAILED)
        drop(g, "has lost the connection");
    else
        buffer_taken(b, put.count);
}

static void finish_leaving(struct guest *g)
{
    if (!g->leaving || g->fd < 0)
        return;
    /* TODO: has it heard everything? And has it sent everything? */
    drop(g, "");
}

static void serve(struct guest *g, short events)

=== right keeps account of what has been done
static void receive(struct guest *g)
{
    struct buffer *b = &g->input;
    size_t room = buffer_room(b);
    ssize_t n = recv(g->fd, buffer_back(b), room, 0);

    if (n > 0) {
        buffer_added(b, (size_t)n);
        handle_lines(g);
    } else if (n == 0) {
        g->ended = true;
        leave(g, "has left");
    } else if (errno != EAGAIN && errno != EINTR) {
        drop(g, "has lost the connection");
    }
}

static void send_on(struct guest *g)
{
    struct buffer *b = &g->output;
    ssize_t n = send(g->fd, buffer_front(b), buffer_used(b), 0);

    if (n >= 0)
        buffer_taken(b, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        drop(g, "has lost the connection");
}

static void finish_leaving(struct guest *g)
{
    bool all_heard = buffer_used(&g->output) == 0;

    if (!g->leaving || g->fd < 0)
        return;
    if (all_heard && !g->ended)
        shutdown(g->fd, SHUT_WR);
    if ((all_heard && g->ended) || passed(g->close_by))
        drop(g, "");
}

static void serve(struct guest *g, short events)

=== right sends what it can before it looks
static void send_on(struct guest *g)
{
    struct buffer *b = &g->output;
    size_t size = buffer_used(b);

    while (size > 0 && g->fd >= 0) {
        struct answer put =
            send_answer(send(g->fd, buffer_front(b), size, 0), size);

        if (put.kind == FAILED)
            drop(g, "has lost the connection");
        if (put.kind != DONE)
            return;
        buffer_taken(b, put.count);
        size = buffer_used(b);
    }
}

static void receive(struct guest *g)
{
    struct buffer *b = &g->input;
    size_t room = buffer_room(b);
    struct answer got = recv_answer(recv(g->fd, buffer_back(b), room, 0), room);

    switch (got.kind) {
    case DONE:
        buffer_added(b, got.count);
        handle_lines(g);
        break;
    case CLOSED:
        g->ended = true;
        leave(g, "has left");
        break;
    case FAILED:
        drop(g, "has lost the connection");
        break;
    default:
        break;
    }
}

static void finish_leaving(struct guest *g)
{
    if (g->fd < 0 || !g->leaving)
        return;
    send_on(g);
    if (g->fd < 0)
        return;
    if (buffer_used(&g->output) == 0)
        shutdown(g->fd, SHUT_WR);
    if (passed(g->close_by) || (g->ended && buffer_used(&g->output) == 0))
        drop(g, "");
}

static void serve(struct guest *g, short events)

=== right ends its own sending once, and counts on nothing else
static void receive(struct guest *g)
{
    struct buffer *b = &g->input;
    ssize_t n;

    do
        n = recv(g->fd, buffer_back(b), buffer_room(b), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0) {
        drop(g, "is gone");
        return;
    }
    if (n == 0) {
        leave(g, "has left");
        g->ended = true;
        return;
    }
    buffer_added(b, (size_t)n);
    handle_lines(g);
}

static void send_on(struct guest *g)
{
    struct buffer *b = &g->output;
    ssize_t n = send(g->fd, buffer_front(b), buffer_used(b), MSG_NOSIGNAL);

    if (n >= 0)
        buffer_taken(b, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        drop(g, "is gone");
}

static void finish_leaving(struct guest *g)
{
    const bool told = g->fd >= 0 && buffer_used(&g->output) == 0;

    if (g->fd < 0 || !g->leaving)
        return;
    if (told)
        shutdown(g->fd, SHUT_WR);
    if ((told && g->ended) || passed(g->close_by))
        drop(g, "is gone");
}

static void serve(struct guest *g, short events)

=== wrong HALF_CLOSE who sends no more is gone
-        g->ended = true;
-        leave(g, "has left");
+        drop(g, "has left");

=== wrong CLOSE_BEFORE_FLUSH closes without a look at the queue
-    if (buffer_used(&g->output) == 0) {
-        shutdown(g->fd, SHUT_WR);
-        if (g->ended)
-            drop(g, "");
-    }
-    if (g->fd >= 0 && passed(g->close_by))
-        drop(g, "");
+    drop(g, "");

=== wrong CLOSE_UNREAD_RST closes as soon as the queue is empty
-        if (g->ended)
-            drop(g, "");
+        drop(g, "");

=== wrong FIN_NOT_SENT waits for the other side to end first
-        shutdown(g->fd, SHUT_WR);

=== wrong NOT_CLOSED leaves the closing to the clock
-        if (g->ended)
-            drop(g, "");

=== wrong EOF_IGNORED goes on receiving where nothing more comes
-        g->ended = true;
-        leave(g, "has left");
+        leave(g, "has left");

=== wrong CLOSE_UNREAD_RST ends both directions
-        shutdown(g->fd, SHUT_WR);
+        shutdown(g->fd, SHUT_RDWR);

=== wrong PEER_KILLS_SERVER a guest who leaves ends the evening
-        g->ended = true;
-        leave(g, "has left");
+        die_because(0, "a guest has left");

=== wrong CLOSE_UNREAD_RST takes a silence for the end
-        if (g->ended)
-            drop(g, "");
+        char byte;
+
+        if (g->ended || recv(g->fd, &byte, 1, MSG_PEEK) <= 0)
+            drop(g, "");

=== wrong NOT_CLOSED has no clock
-    if (g->fd >= 0 && passed(g->close_by))
-        drop(g, "");

=== wrong CLOSE_UNREAD_RST closes with a reset, to be quick
-        shutdown(g->fd, SHUT_WR);
-        if (g->ended)
-            drop(g, "");
+        struct linger at_once = {.l_onoff = 1};
+
+        setsockopt(g->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
+        drop(g, "");

=== wrong PEER_KILLS_SERVER a connection that is lost ends the evening
-        warn_because(got.error, "cannot receive from %s", g->name);
+        die_because(got.error, "cannot receive from %s", g->name);

=== wrong NOT_CLOSED waits for the end of who has ended
-        if (g->ended)
-            drop(g, "");
+        if (g->ended && buffer_used(&g->input) > 0)
+            drop(g, "");
