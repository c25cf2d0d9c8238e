source demos/echo/echo_poll.c
cut	^        const size_t count = clients.count;	^                clients_remove\(&clients, i\);

=== stub
        const size_t count = clients.count;

        /* TODO: whom does poll wait for, and what for? And for how long? */
        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = full ? -1 : listener; /* poll skips -1 */
        list[count].events = POLLIN;
        for (size_t i = 0; i < clients.count; i++) {
            list[i].fd = clients.at[i]->fd;
            list[i].events = POLLIN | POLLOUT;
        }
        poll(list, count + 1, full ? 100 : -1);

        for (size_t i = clients.count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);

=== right the listener comes first in the list
        const size_t count = 0;

        list = enlarged(list, clients.count + 1, sizeof *list);
        list[0] = (struct pollfd){.fd = full ? -1 : listener, .events = POLLIN};
        for (size_t i = 0; i < clients.count; i++) {
            const bool sending = buffer_used(&clients.at[i]->buffer) > 0;

            list[i + 1].fd = clients.at[i]->fd;
            list[i + 1].events = sending ? POLLOUT : POLLIN;
        }
        if (poll(list, clients.count + 1, full ? 100 : -1) == -1)
            continue;
        for (size_t i = clients.count; i > 0; i--)
            if (list[i].revents != 0 && !serve(clients.at[i - 1]))
                clients_remove(&clients, i - 1);

=== right serves until nothing moves, then waits
        const size_t count = clients.count;

        list = enlarged(list, count + 1, sizeof *list);
        for (size_t i = 0; i < count; i++) {
            list[i].fd = clients.at[i]->fd;
            list[i].events = POLLIN;
            if (buffer_used(&clients.at[i]->buffer))
                list[i].events = POLLOUT;
        }
        list[count].fd = listener;
        list[count].events = full ? 0 : POLLIN;
        list[count].revents = 0;
        int ready = poll(list, count + 1, full ? 100 : -1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            die("cannot wait");
        for (size_t i = count; i-- > 0;) {
            unsigned long long before = counters.done;
            bool stays = true;

            if (list[i].revents == 0)
                continue;
            for (int turn = 0; turn < 8 && stays; turn++) {
                stays = serve(clients.at[i]);
                if (counters.done == before)
                    break;
                before = counters.done;
            }
            if (!stays)
                clients_remove(&clients, i);
        }

=== right gives poll a minute, and keeps its own flags
        const size_t count = clients.count;
        short *asked = enlarged(NULL, count + 1, sizeof *asked);

        for (size_t i = 0; i < count; i++) {
            asked[i] = POLLIN;
            if (buffer_used(&clients.at[i]->buffer) > 0)
                asked[i] = POLLOUT;
        }
        list = enlarged(list, count + 1, sizeof *list);
        for (size_t i = 0; i < count; i++)
            list[i] = (struct pollfd){.fd = clients.at[i]->fd, .events = asked[i]};
        free(asked);
        list[count] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (full)
            list[count].fd = -1;
        int ready = poll(list, count + 1, full ? 20 : 60000);
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            die("cannot wait");
        }
        for (size_t i = count; ready > 0 && i-- > 0;)
            if (list[i].revents & (POLLIN | POLLOUT | POLLERR | POLLHUP))
                if (!serve(clients.at[i]))
                    clients_remove(&clients, i);

=== wrong POLLOUT_ALWAYS asks for both, to be on the safe side
-            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
+            list[i].events = POLLIN | POLLOUT;

=== wrong POLLOUT_ALWAYS asks for both while there is nothing to send
-            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
+            list[i].events =
+                buffer_used(&c->buffer) ? POLLOUT : POLLIN | POLLOUT;

=== wrong POLLOUT_NEVER waits for what to receive alone
-            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
+            list[i].events = POLLIN;

=== wrong BUSY_SPIN gives poll no time
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, 0) < 0) {

=== wrong IDLE_WAKEUPS looks around every millisecond
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, 1) < 0) {

=== wrong EINTR_FATAL an interrupted wait ends it
-            if (errno != EINTR)
-                die("cannot wait for clients");
-            continue; /* a signal came, and the list means nothing */
+            die("cannot wait for clients");

=== wrong LISTENER_UNWATCHED the list is one short
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count, full ? 100 : -1) < 0) {

=== wrong CLIENT_UNWATCHED the first one is left out
-        for (size_t i = 0; i < clients.count; i++) {
+        if (count > 0)
+            list[0].fd = -1;
+        for (size_t i = 1; i < clients.count; i++) {

=== wrong PEER_KILLS_SERVER takes trouble with one for trouble with all
-        for (size_t i = clients.count; i-- > 0;)
+        for (size_t i = 0; i < clients.count; i++)
+            if (list[i].revents & (POLLERR | POLLHUP))
+                die_because(ECONNRESET, "a client has an error");
+        for (size_t i = clients.count; i-- > 0;)

=== wrong EOF_IGNORED who has left stays in the list
-            if (list[i].revents && !serve(clients.at[i]))
-                clients_remove(&clients, i);
+            if (list[i].revents)
+                serve(clients.at[i]);

=== wrong ASLEEP_IN_LOOP rests after each round
-        full = list[count].revents && !accept_clients(listener, &clients);
+        full = list[count].revents && !accept_clients(listener, &clients);
+        nap(2 * SECOND);

=== wrong POLLIN_ALWAYS waits for room, and for more to receive as well
-            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
+            list[i].events =
+                buffer_used(&c->buffer) ? POLLIN | POLLOUT : POLLIN;

=== wrong IDLE_WAKEUPS looks around every tenth of a second
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, 100) < 0) {

=== wrong IDLE_WAKEUPS tries to send every tenth of a second
-            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
+            list[i].events = POLLIN;
+            if (buffer_used(&c->buffer)) {
+                list[i].events = 0;
+                full = true;
+            }
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+        if (poll(list, count + 1, full ? 100 : -1) < 0) {
-            if (list[i].revents && !serve(clients.at[i]))
+            if ((list[i].revents || list[i].events == 0) &&
+                !serve(clients.at[i]))
