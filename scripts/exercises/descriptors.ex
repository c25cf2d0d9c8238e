source demos/echo/echo_poll.c
cut	^        const size_t count = clients.count;	^        full = list

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
        /* TODO: false means EMFILE, no descriptor is left. What does poll say
         * next? */
        if (list[count].revents && !accept_clients(listener, &clients))
            (void)full;

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
        if (list[count].fd >= 0 && list[count].revents &&
            !accept_clients(listener, &clients)) {
            full_with = clients.count;
            full = true;
        }

=== right asks for nothing at the door, and looks at it now and then
        const size_t count = clients.count;

        list = enlarged(list, count + 1, sizeof *list);
        list[0].fd = listener;
        list[0].events = full ? 0 : POLLIN;
        for (size_t i = 0; i < count; i++) {
            struct client *c = clients.at[i];

            list[i + 1].fd = c->fd;
            list[i + 1].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
        }
        int ready = poll(list, count + 1, full ? 50 : -1);

        if (ready < 0 && errno != EINTR)
            die("cannot wait for clients");
        if (ready < 0)
            continue;
        const bool knocks = full || list[0].revents != 0;

        for (size_t i = count; i-- > 0;)
            if (list[i + 1].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (knocks)
            full = !accept_clients(listener, &clients);

=== wrong DROPS_A_CLIENT keeps a descriptor to turn newcomers away with
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
        if (list[count].revents && !accept_clients(listener, &clients)) {
            close(spare);
            close(accept(listener, NULL, NULL));
            spare = -1;
            full = !full;
        }

=== wrong ACCEPT_EMFILE_SPIN says so, and tries again at once
-        full = list[count].revents && !accept_clients(listener, &clients);
+        if (list[count].revents)
+            accept_clients(listener, &clients);

=== wrong ACCEPT_EMFILE_SPIN rests without any time
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, full ? 0 : -1) < 0) {

=== wrong EMFILE_FATAL gives up
-            accept_failed(came.error);
+            die_because(came.error, "cannot accept");

=== wrong ASLEEP_IN_LOOP takes a rest, and everybody with it
-        full = list[count].revents && !accept_clients(listener, &clients);
+        if (list[count].revents && !accept_clients(listener, &clients))
+            nap(10 * SECOND);

=== wrong LISTENER_UNWATCHED never looks at the listener again
-        list[count].fd = full ? -1 : listener; /* poll skips -1 */
+        static bool ever;
+
+        ever = ever || full;
+        list[count].fd = ever ? -1 : listener;

=== wrong LISTENER_UNWATCHED waits for ever with nobody at the door
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, -1) < 0) {
-        full = list[count].revents && !accept_clients(listener, &clients);
+        full = full ||
+               (list[count].revents && !accept_clients(listener, &clients));

=== wrong DROPS_A_CLIENT makes room by sending somebody away
-            accept_failed(came.error);
+            clients_remove(clients, 0);

=== wrong WRONG_PORT closes the listener
-        full = list[count].revents && !accept_clients(listener, &clients);
+        full = list[count].revents && !accept_clients(listener, &clients);
+        if (full) {
+            close(listener);
+            listener = -1;
+        }

=== wrong DROPS_A_CLIENT who is served stays, and who waits is thrown away
-        full = list[count].revents && !accept_clients(listener, &clients);
+        full = list[count].revents && !accept_clients(listener, &clients);
+        if (full) {
+            int spare = clients.count > 0 ? clients.at[0]->fd : -1, kept;
+
+            /* Make room for a moment: the copy goes to another process. */
+            kept = dup(spare);
+            (void)kept;
+            close(STDIN_FILENO);
+            close(accept(listener, NULL, NULL));
+        }
