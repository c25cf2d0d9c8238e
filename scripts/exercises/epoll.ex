source demos/echo/echo_epoll.c
cut	^static int epoll_fd;	^            set_interest\(EPOLL_CTL_MOD, listener, 0, NULL\);

=== stub
int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (epoll_fd < 0)
        die("cannot make an interest list");
    while (!stopping()) {
        /* TODO: tell epoll_ctl about the listener and each client, wait with
         * epoll_wait, serve() who is ready, accept() who is new. */
        struct epoll_event ready[64];

        (void)make_nonblocking;
        if (epoll_wait(epoll_fd, ready, 64, -1) < 0)
            serve(clients.at[0]);

=== right keeps the number of the descriptor, and the clients in a table
static struct client *by_fd[4096];

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    int epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    bool full = false;

    make_nonblocking(listener);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        die("cannot watch the listener");
    while (!stopping()) {
        struct epoll_event ready[16];
        int count = epoll_wait(epoll_fd, ready, 16, full ? 50 : -1);

        if (full) {
            event = (struct epoll_event){.events = EPOLLIN,
                                         .data.fd = listener};
            epoll_ctl(epoll_fd, EPOLL_CTL_MOD, listener, &event);
            full = false;
        }
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            struct answer came;

            if (fd != listener) {
                struct client *c = by_fd[fd];

                if (!serve(c)) {
                    clients_remove(&clients, c->index);
                    continue;
                }
                event.events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
                event.data.fd = fd;
                epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
                continue;
            }
            came = accept_answer(accept(listener, NULL, NULL));
            if (came.kind == FAILED) {
                accept_failed(came.error);
                event = (struct epoll_event){.events = 0, .data.fd = listener};
                epoll_ctl(epoll_fd, EPOLL_CTL_MOD, listener, &event);
                full = true;
            }
            if (came.kind != DONE)
                continue;
            make_nonblocking(came.fd);
            by_fd[came.fd] = clients_add(&clients, came.fd);
            event = (struct epoll_event){.events = EPOLLIN,
                                         .data.fd = came.fd};
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, came.fd, &event);
        }

=== right edge-triggered, and used up
static int epoll_fd;

static bool use_up(struct client *c)
{
    unsigned long long before = counters.again;

    while (counters.again == before)
        if (!serve(c))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    struct epoll_event event = {.events = EPOLLIN};
    bool full = false;

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    make_nonblocking(listener);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    while (!stopping()) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
        bool listener_ready = false;

        if (full) {
            event = (struct epoll_event){.events = EPOLLIN};
            epoll_ctl(epoll_fd, EPOLL_CTL_MOD, listener, &event);
        }
        full = false;
        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;

            if (c == NULL)
                listener_ready = true;
            else if (!use_up(c))
                clients_remove(&clients, c->index);
        }
        while (listener_ready) {
            struct answer came = accept_answer(accept(listener, NULL, NULL));

            listener_ready = came.kind == DONE;
            if (came.kind == DONE) {
                make_nonblocking(came.fd);
                event.events = EPOLLIN | EPOLLOUT | EPOLLET;
                event.data.ptr = clients_add(&clients, came.fd);
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, came.fd, &event);
            }
            if (came.kind != FAILED)
                continue;
            accept_failed(came.error);
            event = (struct epoll_event){.events = 0};
            epoll_ctl(epoll_fd, EPOLL_CTL_MOD, listener, &event);
            full = true;
        }

=== right one shot for each client, armed again after each turn
static int epoll_fd;

static bool arm(int operation, int fd, struct client *c, bool for_room)
{
    struct epoll_event event = {.data.ptr = c};

    event.events = (for_room ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    bool resting = false;

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    make_nonblocking(listener);
    if (epoll_fd < 0 || !arm(EPOLL_CTL_ADD, listener, NULL, false))
        die("cannot watch the listener");
    while (!stopping()) {
        struct epoll_event ready[8];
        int n = epoll_wait(epoll_fd, ready, 8, resting ? 40 : -1);
        bool someone = resting && n == 0;

        for (int i = 0; i < n; i++) {
            struct client *c = ready[i].data.ptr;

            if (!c)
                someone = true;
            else if (!serve(c) || !arm(EPOLL_CTL_MOD, c->fd, c,
                                       buffer_used(&c->buffer) > 0))
                clients_remove(&clients, c->index);
        }
        if (!someone)
            continue;
        resting = false;
        for (int fd; (fd = accept(listener, NULL, NULL)) >= 0 ||
                     errno != EAGAIN;) {
            struct client *c = NULL;

            if (fd < 0 && (errno == EMFILE || errno == ENFILE))
                resting = true;
            if (resting)
                break;
            if (fd < 0)
                continue;
            make_nonblocking(fd);
            counters.accepted++;
            c = clients_add(&clients, fd);
            if (c && !arm(EPOLL_CTL_ADD, fd, c, false))
                clients_remove(&clients, c->index);
        }
        if (!resting)
            arm(EPOLL_CTL_MOD, listener, NULL, false);

=== wrong ET_NOT_DRAINED edge-triggered, one turn for each report
-    struct epoll_event event = {.events = events, .data.ptr = c};
+    struct epoll_event event = {.events = events | (c ? EPOLLET : 0),
+                                .data.ptr = c};
-    if (events == c->interest)
-        return true;
+    events = EPOLLIN | EPOLLOUT;
+    if (events == c->interest)
+        return true;

=== wrong POLLOUT_ALWAYS asks for both, to be on the safe side
-    uint32_t events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
+    uint32_t events = EPOLLIN | EPOLLOUT;

=== wrong POLLOUT_NEVER asks for what to receive, and leaves it at that
-    uint32_t events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
+    uint32_t events = EPOLLIN;

=== wrong CLIENT_UNWATCHED changes what was never added
-    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
+    int operation = EPOLL_CTL_MOD;
-    if (!set_interest(operation, c->fd, events, c))
-        return client_failed(c, "wait for", errno);
+    set_interest(operation, c->fd, events, c);

=== wrong POLLOUT_NEVER adds again what is there, and does not look
-    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
+    int operation = EPOLL_CTL_ADD;
-    if (!set_interest(operation, c->fd, events, c))
-        return client_failed(c, "wait for", errno);
+    set_interest(operation, c->fd, events, c);

=== wrong BUSY_SPIN gives epoll_wait no time
-        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
+        int count = epoll_wait(epoll_fd, ready, 64, 0);

=== wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag
-            make_nonblocking(came.fd); /* Linux: not inherited */

=== wrong EINTR_FATAL an interrupted wait ends it
-            if (errno != EINTR)
-                die("cannot wait for clients");
-            continue; /* a signal came, and nothing is known to be ready */
+            die("cannot wait for clients");

=== wrong ACCEPT_EMFILE_SPIN keeps watching a listener it cannot accept from
-        if (full)
-            set_interest(EPOLL_CTL_MOD, listener, 0, NULL);

=== wrong LISTENER_UNWATCHED one shot, and never again
-    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN, NULL))
+    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLONESHOT, NULL))

=== wrong POLLIN_ALWAYS waits for room, and for more to receive as well
-    uint32_t events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
+    uint32_t events =
+        buffer_used(&c->buffer) ? EPOLLIN | EPOLLOUT : EPOLLIN;

=== wrong IDLE_WAKEUPS looks around every tenth of a second
-        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
+        int count = epoll_wait(epoll_fd, ready, 64, 100);
