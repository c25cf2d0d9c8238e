source demos/echo/echo_epoll_edge.c
cut	^/\* One turn: receive, send back.	^    return would_block \|\| update_interest\(c\);

=== stub
static int epoll_fd;

/* Add a descriptor to the kernel's interest list, or change its entry. */
static bool set_interest(int operation, int fd, uint32_t events,
                         struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

/* Ask the kernel to report every change of this client. Asking again
 * (EPOLL_CTL_MOD) makes it report at once what is ready now. */
static bool update_interest(struct client *c)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->interest = events;
    if (!set_interest(operation, c->fd, events, c))
        return client_failed(c, "wait for", errno);
    return true;
}

/* The kernel has reported a change of this client: bytes or its end have come,
 * or there is room for more. False when the client ended or failed. */
static bool serve_all(struct client *c)
{
    struct buffer *b = &c->buffer;
    struct answer got =
        recv_answer(recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

    /* TODO: send it back; and what else is there? There will be no second
     * report for it. But the others want to be served too. */
    (void)one_turn;
    return got.kind != CLOSED && got.kind != FAILED;

=== right one loop with a budget of bytes
static int epoll_fd;

static bool set_interest(int operation, int fd, uint32_t events,
                         struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

static bool update_interest(struct client *c)
{
    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    return set_interest(operation, c->fd, c->interest, c) ||
           client_failed(c, "wait for", errno);
}

static bool serve_all(struct client *c)
{
    size_t budget = 256 * 1024;

    (void)one_turn;
    for (;;) {
        ssize_t n;

        while (buffer_used(&c->buffer) > 0) {
            n = send(c->fd, buffer_front(&c->buffer), buffer_used(&c->buffer),
                     MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN)
                return true; /* room will be a change */
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return client_failed(c, "send to", errno);
            buffer_taken(&c->buffer, (size_t)n);
        }
        if (budget < BUFFER_SIZE)
            return update_interest(c);
        n = recv(c->fd, buffer_back(&c->buffer), BUFFER_SIZE, 0);
        if (n == 0)
            return false;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return client_failed(c, "receive from", errno);
        buffer_added(&c->buffer, (size_t)n);
        budget -= (size_t)n;
    }

=== right a list of those who are not done, and one turn for each of them in every round
-static bool serve_all(struct client *c)
-{
-    bool would_block = false;
-
-    for (int turn = 0; turn < 16 && !would_block; turn++) {
-        if (!serve(c, &would_block))
-            return false;
-        if (one_turn)
-            return true;
-    }
-    return would_block || update_interest(c);
-}
+static struct client *unfinished[4096];
+static size_t unfinished_count;
+
+static void remember(struct client *c)
+{
+    for (size_t i = 0; i < unfinished_count; i++)
+        if (unfinished[i] == c)
+            return;
+    if (unfinished_count < 4096)
+        unfinished[unfinished_count++] = c;
+}
@@
-    while (!stopping()) {
+    (void)one_turn;
+    while (!stopping()) {
@@
-        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
+        int count = epoll_wait(epoll_fd, ready, 64,
+                               unfinished_count > 0 ? 0 : full ? 100 : -1);
@@
-            else if (!serve_all(c))
-                clients_remove(&clients, c->index); /* close removes it */
-        }
+            else
+                remember(c);
+        }
+        for (size_t i = unfinished_count; i-- > 0;) {
+            struct client *c = unfinished[i];
+            bool would_block = false;
+            bool stays = serve(c, &would_block);
+
+            if (!stays || would_block)
+                unfinished[i] = unfinished[--unfinished_count];
+            if (!stays)
+                clients_remove(&clients, c->index);
+        }

=== right one shot, armed again after each report
-    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
+    uint32_t events = buffer_used(&c->buffer) > 0 ? EPOLLOUT : EPOLLIN;
@@
-    c->interest = events;
+    events |= EPOLLET | EPOLLONESHOT;
+    c->interest = events;
@@
-    return would_block || update_interest(c);
+    return update_interest(c);

=== right an edge-triggered listener, used up
-    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN, NULL))
+    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLET, NULL))
@@
-            set_interest(EPOLL_CTL_MOD, listener, EPOLLIN, NULL);
+            set_interest(EPOLL_CTL_MOD, listener, EPOLLIN | EPOLLET, NULL);

=== wrong ET_NOT_DRAINED one turn for each report
-        if (one_turn)
-            return true;
+        if (!one_turn)
+            return true;

=== wrong ET_NOT_DRAINED gives up after sixteen turns
-    return would_block || update_interest(c);
+    return true;

=== wrong ET_NOT_DRAINED a short read is the last one, and the end is not read
static int epoll_fd;

static bool set_interest(int operation, int fd, uint32_t events,
                         struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

static bool update_interest(struct client *c)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->interest = events;
    return set_interest(operation, c->fd, events, c);
}

static bool serve_all(struct client *c)
{
    struct buffer *b = &c->buffer;

    (void)one_turn;
    for (int turn = 0; turn < 16; turn++) {
        ssize_t n = 0, put;

        if (buffer_used(b) == 0) {
            n = recv(c->fd, buffer_back(b), BUFFER_SIZE, 0);
            if (n < 0)
                return errno == EAGAIN || errno == EINTR;
            if (n == 0)
                return false;
            buffer_added(b, (size_t)n);
        }
        put = send(c->fd, buffer_front(b), buffer_used(b), 0);
        if (put < 0)
            return errno == EAGAIN || errno == EINTR;
        buffer_taken(b, (size_t)put);
        if (n > 0 && n < BUFFER_SIZE && buffer_used(b) == 0)
            return true; /* that was all */
    }
    return update_interest(c);

=== wrong SHORT_SEND reads until would block, and sends once for each read
static int epoll_fd;

static bool set_interest(int operation, int fd, uint32_t events,
                         struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

static bool update_interest(struct client *c)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->interest = events;
    return set_interest(operation, c->fd, events, c);
}

static bool serve_all(struct client *c)
{
    static char piece[BUFFER_SIZE];

    (void)one_turn;
    for (int turn = 0; turn < 16; turn++) {
        ssize_t n = recv(c->fd, piece, sizeof piece, 0);

        if (n == 0)
            return false;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0 && errno != EINTR)
            return client_failed(c, "receive from", errno);
        if (n > 0)
            send(c->fd, piece, (size_t)n, 0);
    }
    return update_interest(c);

=== wrong ET_NOT_DRAINED an interrupted recv is taken for would block
-        *would_block = got.error == EAGAIN || got.error == EWOULDBLOCK;
-        if (got.kind == AGAIN)
+        *would_block = got.kind == AGAIN;
+        if (got.kind == AGAIN)

=== wrong ET_NOT_DRAINED an edge-triggered listener, and one accept for each report
-    for (int i = 0; i < 64; i++) {
+    for (int i = 0; i < 1; i++) {
@@
-    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN, NULL))
+    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLET, NULL))

=== wrong GREEDY_CLIENT goes on with one client without a bound
-    for (int turn = 0; turn < 16 && !would_block; turn++) {
+    for (int turn = 0; !would_block; turn++) {

=== wrong GREEDY_CLIENT sixteen turns, and then sixteen more for the same client
-    return would_block || update_interest(c);
+    return would_block || serve_all(c);

=== wrong EAGAIN_FATAL the end, when send would block
-    *would_block = put.error == EAGAIN || put.error == EWOULDBLOCK;
-    if (put.kind == FAILED)
+    *would_block = false;
+    if (put.error == EAGAIN)
+        return false;
+    if (put.kind == FAILED)

=== wrong SHORT_SEND drops its buffer when send would block
-    *would_block = put.error == EAGAIN || put.error == EWOULDBLOCK;
-    if (put.kind == FAILED)
+    *would_block = put.error == EAGAIN || put.error == EWOULDBLOCK;
+    if (*would_block)
+        buffer_taken(b, buffer_used(b));
+    if (put.kind == FAILED)

=== wrong POLLOUT_NEVER asks for changes of what has come, not of room
-    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
+    uint32_t events = EPOLLIN | EPOLLET;

=== wrong EOF_IGNORED drains, and takes the end for 'nothing more'
-        if (got.kind == CLOSED) /* recv returned 0: the client has ended */
-            return false;
+        if (got.kind == CLOSED) {
+            *would_block = true;
+            return true;
+        }

=== wrong LEVEL_TRIGGERED drains, but is told of states
-    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
+    uint32_t events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
@@
-    return would_block || update_interest(c);
+    return update_interest(c);

=== wrong LEVEL_TRIGGERED asks for changes once, and later for states
-    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
+    uint32_t events = c->interest ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLET;

=== wrong POLLOUT_ALWAYS asks for a new report after every report
-    return would_block || update_interest(c);
+    return update_interest(c);

=== wrong BUSY_SPIN does not sleep, so as to miss no change
-        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
+        int count = epoll_wait(epoll_fd, ready, 64, 0);

=== wrong ACCEPTED_BLOCKING the new socket is left blocking
-            make_nonblocking(came.fd); /* Linux: not inherited */

=== wrong PEER_KILLS_SERVER a client that fails ends the server
-            return client_failed(c, "receive from", got.error);
+            die_because(got.error, "cannot receive");
