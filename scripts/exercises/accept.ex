source demos/echo/echo_busypoll.c
cut	^    set_nonblocking\(listener\);	^    }$

=== stub
    while (!stopping()) {
        /* TODO: this serves one client to its end, and accept waits for it. */
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE)
            clients_add(&clients, came.fd);
        while (clients.count > 0 && !stopping())
            if (!serve(clients.at[0]))
                clients_remove(&clients, 0);
        nap(round_nap);
    }

=== right accepts all who wait before it serves
    set_nonblocking(listener);
    while (!stopping()) {
        struct answer came;

        while ((came = accept_answer(accept(listener, NULL, NULL))).kind ==
               DONE) {
            set_nonblocking(came.fd);
            clients_add(&clients, came.fd);
        }
        if (came.kind == FAILED)
            accept_failed(came.error);
        for (size_t i = clients.count; i > 0; i--)
            if (!serve(clients.at[i - 1]))
                clients_remove(&clients, i - 1);
        nap(round_nap);
    }

=== right asks the calls themselves, without the five answers
    set_nonblocking(listener);
    for (; !stopping(); nap(round_nap)) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            counters.accepted++;
            set_nonblocking(fd);
            clients_add(&clients, fd);
        }
        size_t i = 0;
        while (i < clients.count) {
            if (serve(clients.at[i]))
                i++;
            else
                clients_remove(&clients, i);
        }
    }

=== wrong ACCEPT_BLOCKS the listener is left as it was
-    set_nonblocking(listener);

=== wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag
-            set_nonblocking(came.fd); /* Linux: a new socket starts blocking */

=== wrong EAGAIN_FATAL nobody there is taken for a failure
-        } else if (came.kind == FAILED) {
-            accept_failed(came.error);
+        } else {
+            die_because(came.error, "cannot accept");

=== wrong EOF_IGNORED who has left is kept
-            if (!serve(clients.at[i]))
-                clients_remove(&clients, i);
+            serve(clients.at[i]);

=== wrong ONE_AT_A_TIME only the first of all is asked
-        for (size_t i = clients.count; i-- > 0;)
-            if (!serve(clients.at[i]))
-                clients_remove(&clients, i);
+        if (clients.count > 0 && !serve(clients.at[0]))
+            clients_remove(&clients, 0);

=== wrong ONE_AT_A_TIME accepts only when nobody is there
-                clients_remove(&clients, i);
+                clients_remove(&clients, i);
+        if (clients.count > 0)
+            continue;

=== wrong EMFILE_FATAL one client too many ends it
-            accept_failed(came.error);
+            die_because(came.error, "cannot accept");

=== wrong DROPS_A_CLIENT makes room by sending somebody away
-            accept_failed(came.error);
+            clients_remove(&clients, 0);

=== wrong ASLEEP_IN_LOOP sleeps between its rounds to save the processor
-        nap(round_nap);
+        if (came.kind == AGAIN)
+            nap(5 * SECOND);
