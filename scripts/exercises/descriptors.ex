source demos/echo/echo_poll.c
cut	^        const size_t count = clients.count;	^            full = true;

=== stub
        const size_t count = clients.count;

        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = listener;
        list[count].events = POLLIN;
        for (size_t i = 0; i < clients.count; i++) {
            struct client *c = clients.at[i];

            list[i].fd = c->fd;
            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
        }
        if (poll(list, count + 1, -1) < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* there is no answer */
        }

        for (size_t i = clients.count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (!list[count].revents)
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            set_nonblocking(came.fd); /* Linux: a new socket starts blocking */
            clients_add(&clients, came.fd);
        } else if (came.kind == FAILED) {
            /* TODO: EMFILE, no descriptor is left. What does poll say next? */
            (void)full;
            accept_failed(came.error);

=== right watches the listener again as soon as somebody has left
        static size_t full_with;
        const size_t count = clients.count;

        if (count < full_with)
            full = false;
        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = full ? -1 : listener;
        list[count].events = POLLIN;
        for (size_t i = 0; i < count; i++) {
            struct client *c = clients.at[i];

            list[i].fd = c->fd;
            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
        }
        if (poll(list, count + 1, -1) < 0)
            continue;
        for (size_t i = count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (list[count].fd < 0 || !list[count].revents)
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            set_nonblocking(came.fd);
            clients_add(&clients, came.fd);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            full_with = clients.count;
            full = true;

=== right keeps a descriptor to turn newcomers away with
        static int spare = -1;
        const size_t count = clients.count;

        if (spare < 0)
            spare = dup(STDERR_FILENO);
        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = listener;
        list[count].events = POLLIN;
        for (size_t i = 0; i < count; i++) {
            list[i].fd = clients.at[i]->fd;
            list[i].events =
                buffer_used(&clients.at[i]->buffer) ? POLLOUT : POLLIN;
        }
        if (poll(list, count + 1, -1) < 0)
            continue;
        for (size_t i = count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (!list[count].revents)
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            set_nonblocking(came.fd);
            clients_add(&clients, came.fd);
        } else if (came.kind == FAILED && came.error == EMFILE) {
            close(spare);
            close(accept(listener, NULL, NULL));
            spare = -1;
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            full = !full;

=== wrong ACCEPT_EMFILE_SPIN says so, and tries again at once
-            full = true;
+            full = false;

=== wrong ACCEPT_EMFILE_SPIN rests without any time
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, full ? 0 : -1) < 0) {

=== wrong EMFILE_FATAL gives up
-            accept_failed(came.error);
+            die_because(came.error, "cannot accept");

=== wrong ASLEEP_IN_LOOP takes a rest, and everybody with it
-            full = true;
+            nap(10 * SECOND);

=== wrong LISTENER_UNWATCHED never looks at the listener again
-        list[count].fd = full ? -1 : listener; /* poll leaves out -1 */
+        static bool ever;
+
+        ever = ever || full;
+        list[count].fd = ever ? -1 : listener;

=== wrong LISTENER_UNWATCHED waits for ever with nobody at the door
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, -1) < 0) {
-        full = false;
+

=== wrong DROPS_A_CLIENT makes room by sending somebody away
-            accept_failed(came.error);
+            clients_remove(&clients, 0);

=== wrong WRONG_PORT closes the listener
-            accept_failed(came.error);
-            full = true;
+            accept_failed(came.error);
+            close(listener);
+            listener = -1;
+            full = true;
