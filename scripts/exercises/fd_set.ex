source demos/echo/echo_select.c
cut	^/\* Accept all clients	^}
cut	^    if \(listener >= FD_SETSIZE\)	^               !accept_clients

=== stub
/* Accept a client: its descriptor, or -1. *full: none is left. */
static int accept_client(int listener, struct clients *clients, bool *full)
{
    struct answer came = accept_answer(accept(listener, NULL, NULL));

    /* TODO: and which descriptors fit into a set? */
    if (came.kind == DONE) {
        make_nonblocking(came.fd);
        clients_add(clients, came.fd);
    } else if (came.kind == FAILED) {
        accept_failed(came.error);
        *full = true;
    }
    return came.fd;
}
---
    make_nonblocking(listener);

    struct timeval tenth = {.tv_usec = 100000};
    fd_set readable, writable;
    int highest = listener;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(listener, &readable);
    while (!stopping()) {
        /* TODO: what is in the sets after select has returned? */
        if (select(highest + 1, &readable, &writable, NULL,
                   full ? &tenth : NULL) < 0)
            continue;
        full = false;

        for (size_t i = clients.count; i-- > 0;)
            if ((FD_ISSET(clients.at[i]->fd, &readable) ||
                 FD_ISSET(clients.at[i]->fd, &writable)) &&
                !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (!FD_ISSET(listener, &readable))
            continue;

        int fd = accept_client(listener, &clients, &full);

        if (fd >= 0) {
            FD_SET(fd, &readable);
            highest = fd;
        }

=== right keeps a master copy of the set
static bool accept_one(int listener, struct clients *clients)
{
    struct answer came = accept_answer(accept(listener, NULL, NULL));

    if (came.kind == DONE && came.fd >= FD_SETSIZE)
        close(came.fd);
    else if (came.kind == DONE) {
        make_nonblocking(came.fd);
        clients_add(clients, came.fd);
    } else if (came.kind == FAILED) {
        accept_failed(came.error);
        return false;
    }
    return true;
}
---
    if (listener >= FD_SETSIZE)
        die_because(EMFILE, "cannot select descriptor %d", listener);
    make_nonblocking(listener);

    fd_set all;

    while (!stopping()) {
        fd_set readable, writable;

        FD_ZERO(&all);
        FD_SET(listener, &all);
        for (size_t i = 0; i < clients.count; i++)
            FD_SET(clients.at[i]->fd, &all);
        FD_ZERO(&writable);
        readable = all;
        for (size_t i = 0; i < clients.count; i++)
            if (buffer_used(&clients.at[i]->buffer) > 0) {
                FD_CLR(clients.at[i]->fd, &readable);
                FD_SET(clients.at[i]->fd, &writable);
            }
        if (full)
            FD_CLR(listener, &readable);
        struct timeval rest = {.tv_sec = 0, .tv_usec = 50000};
        int ready = select(FD_SETSIZE, &readable, &writable, NULL,
                           full ? &rest : NULL);
        if (ready < 0)
            continue;
        full = false;
        for (size_t i = clients.count; i-- > 0;) {
            int fd = clients.at[i]->fd;

            if (FD_ISSET(fd, &readable) || FD_ISSET(fd, &writable))
                if (!serve(clients.at[i]))
                    clients_remove(&clients, i);
        }
        if (FD_ISSET(listener, &readable))
            full = !accept_one(listener, &clients);

=== right copies the time-out as well
static bool accept_clients(int listener, struct clients *clients)
{
    for (;;) {
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE && came.fd < FD_SETSIZE) {
            make_nonblocking(came.fd);
            clients_add(clients, came.fd);
        } else if (came.kind == DONE) {
            warn_because(0, "descriptor %d is too high", came.fd);
            close(came.fd);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            return false;
        } else if (came.error == EAGAIN) {
            return true;
        }
    }
}
---
    const struct timeval a_while = {.tv_usec = 100000};
    fd_set readable, writable;

    make_nonblocking(listener);
    if (listener >= FD_SETSIZE)
        die_because(EMFILE, "cannot select descriptor %d", listener);
    for (int highest; !stopping();) {
        struct timeval rest = a_while;

        FD_ZERO(&readable);
        FD_ZERO(&writable);
        highest = full ? -1 : listener;
        if (!full)
            FD_SET(listener, &readable);
        for (size_t i = 0; i < clients.count; i++) {
            int fd = clients.at[i]->fd;

            if (buffer_used(&clients.at[i]->buffer) == 0)
                FD_SET(fd, &readable);
            else
                FD_SET(fd, &writable);
            if (fd > highest)
                highest = fd;
        }
        if (select(highest + 1, &readable, &writable, NULL,
                   full ? &rest : NULL) == -1) {
            if (errno == EINTR)
                continue;
            die("cannot wait");
        }
        full = false;
        for (size_t i = clients.count; i-- > 0;)
            if (FD_ISSET(clients.at[i]->fd, &readable) ||
                FD_ISSET(clients.at[i]->fd, &writable))
                if (!serve(clients.at[i]))
                    clients_remove(&clients, i);
        if (FD_ISSET(listener, &readable) &&
            !accept_clients(listener, &clients))
            full = true;

=== right pselect, and the clients' sets apart from the listener
static bool accept_some(int listener, struct clients *clients)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        int error = errno;

        if (fd >= FD_SETSIZE) {
            close(fd);
        } else if (fd >= 0) {
            counters.accepted++;
            make_nonblocking(fd);
            clients_add(clients, fd);
        } else if (error != EINTR && error != ECONNABORTED) {
            return error == EAGAIN;
        }
    }
}
---
    if (listener >= FD_SETSIZE)
        die_because(0, "descriptor %d is too high", listener);
    make_nonblocking(listener);
    while (!stopping()) {
        const struct timespec rest = {.tv_nsec = 30000000};
        fd_set in, out;
        int top = -1;

        FD_ZERO(&in);
        FD_ZERO(&out);
        for (size_t i = 0; i < clients.count; i++) {
            const int fd = clients.at[i]->fd;

            if (buffer_used(&clients.at[i]->buffer) > 0)
                FD_SET(fd, &out);
            else
                FD_SET(fd, &in);
            top = fd > top ? fd : top;
        }
        if (!full) {
            FD_SET(listener, &in);
            top = listener > top ? listener : top;
        }
        if (pselect(top + 1, &in, &out, NULL, full ? &rest : NULL, NULL) < 0)
            continue;
        if (!full && FD_ISSET(listener, &in))
            FD_CLR(listener, &in), full = true;
        else
            full = false;
        for (size_t i = clients.count; i-- > 0;) {
            const int fd = clients.at[i]->fd;

            if ((FD_ISSET(fd, &in) || FD_ISSET(fd, &out)) &&
                !serve(clients.at[i]))
                clients_remove(&clients, i);
        }
        if (full)
            full = !accept_some(listener, &clients);

=== wrong FDSET_STALE the sets are filled once, and for newcomers
-    while (!stopping()) {
-        struct timeval tenth = {.tv_usec = 100000};
-        fd_set readable, writable;
-        int highest = listener;
-
-        FD_ZERO(&readable);
-        FD_ZERO(&writable);
+    fd_set readable, writable;
+    int highest = listener;
+
+    FD_ZERO(&readable);
+    FD_ZERO(&writable);
+    FD_SET(listener, &readable);
+    while (!stopping()) {
+        struct timeval tenth = {.tv_usec = 100000};
+        const size_t before = clients.count;
+
-        if (!full)
-            FD_SET(listener, &readable);
-        for (size_t i = 0; i < clients.count; i++) {
-            struct client *c = clients.at[i];
-
-            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
-            highest = c->fd > highest ? c->fd : highest;
-        }
@@
-               !accept_clients(listener, &clients);
+               !accept_clients(listener, &clients);
+        for (size_t i = before; i < clients.count; i++) {
+            FD_SET(clients.at[i]->fd, &readable);
+            if (clients.at[i]->fd > highest)
+                highest = clients.at[i]->fd;
+        }

=== wrong FDSET_STALE the listener is put in once
-    while (!stopping()) {
+    bool put_in = false;
+
+    while (!stopping()) {
-        if (!full)
-            FD_SET(listener, &readable);
+        if (!put_in)
+            FD_SET(listener, &readable);
+        put_in = true;

=== wrong NFDS_TOO_LOW the highest, not the highest plus one
-        if (select(highest + 1, &readable, &writable, NULL,
+        if (select(highest, &readable, &writable, NULL,

=== wrong NFDS_TOO_LOW newcomers are not counted in
-            highest = c->fd > highest ? c->fd : highest;
+            (void)highest;

=== wrong FD_SETSIZE_OVERRUN puts in every descriptor
-        if (came.kind == DONE && came.fd >= FD_SETSIZE) {
-            warn_because(0, "client %llu dropped: select cannot hold fd %d",
-                         counters.accepted, came.fd);
-            close(came.fd);
-        } else if (came.kind == DONE) {
+        if (came.kind == DONE) {

=== wrong TIMEVAL_CONSUMED the time-out is filled in once
-    while (!stopping()) {
-        struct timeval tenth = {.tv_usec = 100000};
+    struct timeval tenth = {.tv_usec = 100000};
+
+    while (!stopping()) {

=== wrong POLLOUT_ALWAYS everybody is in both sets
-            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
+            FD_SET(c->fd, &readable);
+            FD_SET(c->fd, &writable);

=== wrong POLLOUT_NEVER nobody is in the set of those with something to send
-            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
+            FD_SET(c->fd, &readable);

=== wrong BUSY_SPIN a time-out of zero
-        struct timeval tenth = {.tv_usec = 100000};
+        struct timeval tenth = {0};
-                   full ? &tenth : NULL) < 0) {
+                   &tenth) < 0) {

=== wrong EINTR_FATAL an interrupted wait ends it
-            if (errno != EINTR)
-                die("cannot wait for clients");
-            continue; /* a signal came, and the sets mean nothing */
+            die("cannot wait for clients");

=== wrong ACCEPT_EMFILE_SPIN the listener is never left out
-        if (!full)
-            FD_SET(listener, &readable);
+        FD_SET(listener, &readable);

=== wrong FD_SETSIZE_OVERRUN one descriptor too many fits
-        if (came.kind == DONE && came.fd >= FD_SETSIZE) {
+        if (came.kind == DONE && came.fd > FD_SETSIZE) {

=== wrong FD_SETSIZE_OVERRUN who does not fit is forgotten
-            close(came.fd);

=== wrong FD_SETSIZE_OVERRUN who does not fit stays, but is in no set
-        if (came.kind == DONE && came.fd >= FD_SETSIZE) {
-            warn_because(0, "client %llu dropped: select cannot hold fd %d",
-                         counters.accepted, came.fd);
-            close(came.fd);
-        } else if (came.kind == DONE) {
+        if (came.kind == DONE) {
@@
-            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
-            highest = c->fd > highest ? c->fd : highest;
+            if (c->fd >= FD_SETSIZE)
+                continue;
+            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
+            highest = c->fd > highest ? c->fd : highest;
-            if ((FD_ISSET(clients.at[i]->fd, &readable) ||
+            if (clients.at[i]->fd < FD_SETSIZE &&
+                (FD_ISSET(clients.at[i]->fd, &readable) ||

=== wrong POLLIN_ALWAYS waits for room, and for more to receive as well
-            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
+            FD_SET(c->fd, &readable);
+            if (buffer_used(&c->buffer))
+                FD_SET(c->fd, &writable);

=== wrong IDLE_WAKEUPS looks around every tenth of a second
-                   full ? &tenth : NULL) < 0) {
+                   &tenth) < 0) {
