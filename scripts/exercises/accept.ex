source demos/echo/echo_busypoll.c
cut	^/\* Accept all clients	^}
cut	^    make_nonblocking\(listener\);	^    }$

=== stub
/* Accept a client. False when the program is out of descriptors or memory. */
static bool accept_clients(int listener, struct clients *clients)
{
    struct answer came = accept_answer(accept(listener, NULL, NULL));

    if (came.kind == DONE)
        clients_add(clients, came.fd);
    return came.kind != FAILED;
}
---
    (void)make_nonblocking; /* TODO: for which sockets, and when? */
    while (!stopping()) {
        /* TODO: this serves one client to its end, and accept waits for it. */
        if (passed(resume))
            accept_clients(listener, &clients);
        while (clients.count > 0 && !stopping())
            if (!serve(clients.at[0]))
                clients_remove(&clients, 0);
        nap(round_nap);
    }

=== right accepts all who wait before it serves
static bool accept_clients(int listener, struct clients *clients)
{
    struct answer came;

    while ((came = accept_answer(accept(listener, NULL, NULL))).kind == DONE) {
        make_nonblocking(came.fd);
        clients_add(clients, came.fd);
    }
    if (came.kind == FAILED)
        accept_failed(came.error);
    return came.kind != FAILED;
}
---
    make_nonblocking(listener);
    while (!stopping()) {
        if (passed(resume) && !accept_clients(listener, &clients))
            resume = deadline_in(SECOND / 20);
        for (size_t i = clients.count; i > 0; i--)
            if (!serve(clients.at[i - 1]))
                clients_remove(&clients, i - 1);
        nap(round_nap);
    }

=== right asks the calls themselves, without the five answers
static void accept_one(int listener, struct clients *clients)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return;
    counters.accepted++;
    make_nonblocking(fd);
    clients_add(clients, fd);
}
---
    make_nonblocking(listener);
    for (; !stopping(); nap(round_nap)) {
        if (passed(resume))
            accept_one(listener, &clients);
        size_t i = 0;
        while (i < clients.count) {
            if (serve(clients.at[i]))
                i++;
            else
                clients_remove(&clients, i);
        }
    }

=== right takes one in each round, and rests for a millisecond
static bool accept_clients(int listener, struct clients *clients)
{
    int fd = accept(listener, NULL, NULL);
    int error = errno;

    if (fd < 0 && (error == EMFILE || error == ENFILE || error == ENOMEM))
        return false;
    if (fd < 0)
        return true;
    counters.accepted++;
    make_nonblocking(fd);
    return clients_add(clients, fd) != NULL;
}
---
    make_nonblocking(listener);
    do {
        for (size_t i = 0; i < clients.count;)
            if (serve(clients.at[i]))
                i++;
            else
                clients_remove(&clients, i);
        if (passed(resume) && !accept_clients(listener, &clients))
            resume = deadline_in(SECOND / 50);
        nap(MILLISECOND);
    } while (!stopping());

=== wrong ACCEPT_BLOCKS the listener is left as it was
-    make_nonblocking(listener);
-    while (!stopping()) {
+    while (!stopping()) {

=== wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag
-            make_nonblocking(came.fd); /* Linux: not inherited */

=== wrong EAGAIN_FATAL nobody there is taken for a failure
-        if (came.error == EAGAIN || came.error == EWOULDBLOCK)
-            break; /* nobody else is waiting */
-        if (came.kind == FAILED) {
-            accept_failed(came.error);
-            return false;
-        }
+        if (came.kind != DONE)
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
-        if (passed(resume) && !accept_clients(listener, &clients))
+        if (passed(resume) && clients.count == 0 &&
+            !accept_clients(listener, &clients))

=== wrong EMFILE_FATAL one client too many ends it
-            accept_failed(came.error);
+            die_because(came.error, "cannot accept");

=== wrong DROPS_A_CLIENT makes room by sending somebody away
-            accept_failed(came.error);
+            clients_remove(clients, 0);

=== wrong ASLEEP_IN_LOOP sleeps between its rounds to save the processor
-        nap(round_nap);
+        if (counters.again > 0)
+            nap(5 * SECOND);

=== wrong CLOSED_KEPT closes who has left, and asks it again and again
-            if (!serve(clients.at[i]))
-                clients_remove(&clients, i);
+            if (!serve(clients.at[i]))
+                close(clients.at[i]->fd);

=== wrong NOT_CLOSED takes who has left out of the list, and leaves it open
-            if (!serve(clients.at[i]))
-                clients_remove(&clients, i);
+            if (!serve(clients.at[i]))
+                clients.at[i] = clients.at[--clients.count];
