source demos/echo/echo_poll.c
cut	^static instant due	^/\* One turn: receive
vary	Too late.	Your time is over: #.	Nobody waits for # seconds.	That took too long: #.

=== base
- * echo_poll - an echo server that sleeps in poll until a socket is ready.
- *
- * Shows    poll takes a list of descriptors. What is waited for (events) and
- *          what has happened (revents) are different fields, and no descriptor
- *          is too high. But the whole list goes to the kernel at each call, and
- *          kernel and program go through all of it, even if only one socket is
- *          ready.
- * Run      echo_poll 8080
- *          echo_client 127.0.0.1 8080      in two other terminals
- * Compare  echo_select: the same service, with select
- *          echo_epoll: the same service, with epoll (Linux)
+ * in_time - an echo server that waits for each line only so long.
+ *
+ * Run      in_time --limit 2s 8080
+ *          echo_client 127.0.0.1 8080      in two other terminals
@@
-#include <stdlib.h>
+#include <stdlib.h>
+#include <string.h>
@@
-#include <unistd.h>
+#include <time.h>
+#include <unistd.h>
@@
-static const char *address = "127.0.0.1";
+static const char *address = "127.0.0.1";
+static duration limit = 30 * SECOND;
+static const char farewell[] = "Too late.\n";
@@
-    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
+    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
+    {"limit", "TIME", "a line has to be complete within TIME", .time = &limit},
@@
-    "An echo server that waits for all clients with poll.",
+    "An echo server that waits for each line only so long.",
@@
-/* One turn: receive, send back. False when the client ended or failed. */
+enum { MOST = 4096 }; /* all descriptors are lower than this */
+
+static instant due[MOST]; /* by descriptor: when a line has to be complete */
+
+/* This client has just been accepted: its time for a line begins. */
+static void has_come(const struct client *c)
+{
+    due[c->fd] = deadline_in(limit);
+}
+
+/* Bytes have come from this client, and are in its buffer. */
+static void has_sent(const struct client *c)
+{
+    if (buffer_line(&c->buffer) > 0) /* a line ends: the next one begins */
+        due[c->fd] = deadline_in(limit);
+}
+
+/* How long may poll sleep? Until the earliest of all deadlines. */
+static int time_for_poll(const struct clients *clients)
+{
+    instant first = NEVER;
+
+    for (size_t i = 0; i < clients->count; i++)
+        first = sooner(first, due[clients->at[i]->fd]);
+    return poll_time(first); /* rounded up; -1 if there is no client */
+}
+
+/* Close each client whose deadline has passed, with a farewell. */
+static void close_late(struct clients *clients)
+{
+    for (size_t i = clients->count; i-- > 0;) {
+        if (!passed(due[clients->at[i]->fd]))
+            continue;
+        send(clients->at[i]->fd, farewell, sizeof farewell - 1, 0);
+        clients_remove(clients, i);
+    }
+}
+
+/* One turn: receive, send back. False when the client ended or failed. */
@@
-        buffer_added(b, got.count);
+        buffer_added(b, got.count);
+        has_sent(c);
@@
-            make_nonblocking(came.fd); /* Linux: not inherited */
-            clients_add(clients, came.fd);
+            struct client *c;
+
+            make_nonblocking(came.fd); /* Linux: not inherited */
+            c = clients_add(clients, came.fd);
+            if (c && c->fd >= MOST)
+                clients_remove(clients, c->index);
+            else if (c)
+                has_come(c);
@@
-        if (poll(list, count + 1, full ? 100 : -1) < 0) {
+
+        int wait = time_for_poll(&clients);
+
+        if (full && (wait < 0 || wait > 100))
+            wait = 100;
+        if (poll(list, count + 1, wait) < 0) {
@@
-        full = list[count].revents && !accept_clients(listener, &clients);
+        full = list[count].revents && !accept_clients(listener, &clients);
+        close_late(&clients);

=== stub
/* This client has just been accepted: its time for a line begins. */
static void has_come(const struct client *c)
{
    (void)c; /* TODO: until when? Where will you find that again? */
}

/* Bytes have come from this client, and are in its buffer. */
static void has_sent(const struct client *c)
{
    (void)c; /* TODO: when does this begin a new time for this client? */
}

/* How long may poll sleep, in milliseconds? -1: without a limit. */
static int time_for_poll(const struct clients *clients)
{
    (void)clients; /* TODO: until the earliest of all deadlines */
    return -1;
}

/* Close each client whose deadline has passed, with a farewell. */
static void close_late(struct clients *clients)
{
    (void)clients; /* TODO: send the farewell, then clients_remove() */
    (void)farewell;
}

/* One turn: receive, send back. False when the client ended or failed. */

=== right looks for the newline, and calculates the milliseconds
static struct {
    struct timespec since;
} began[MOST];

static void has_come(const struct client *c)
{
    clock_gettime(CLOCK_MONOTONIC, &began[c->fd].since);
}

static void has_sent(const struct client *c)
{
    const char *bytes = buffer_front(&c->buffer);

    for (size_t i = 0; i < buffer_used(&c->buffer); i++)
        if (bytes[i] == '\n')
            has_come(c);
}

/* In nanoseconds; 0 or less: it is over. */
static long long left(const struct client *c)
{
    struct timespec t;
    const struct timespec *from = &began[c->fd].since;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return limit - ((t.tv_sec - from->tv_sec) * 1000000000LL + t.tv_nsec -
                    from->tv_nsec);
}

static int time_for_poll(const struct clients *clients)
{
    long long least = -1;

    for (size_t i = 0; i < clients->count; i++) {
        long long its = left(clients->at[i]);

        if (its < 0)
            its = 0;
        if (least < 0 || its < least)
            least = its;
    }
    return least < 0 ? -1 : (int)((least + 999999) / 1000000);
}

static void close_late(struct clients *clients)
{
    size_t i = 0;

    while (i < clients->count) {
        struct client *c = clients->at[i];

        if (left(c) > 0) {
            i++;
            continue;
        }
        if (write(c->fd, farewell, sizeof farewell - 1) < 0)
            log_info("no farewell");
        clients_remove(clients, i); /* the last one is at i now */
    }
}

/* One turn: receive, send back. False when the client ended or failed. */

=== right a list in the order of the deadlines: the first one is the earliest
static struct entry {
    unsigned long long number; /* of the client */
    instant due;
} queue[MOST];
static size_t waiting;

static void forget(size_t at)
{
    memmove(queue + at, queue + at + 1, (waiting - at - 1) * sizeof *queue);
    waiting--;
}

static void has_come(const struct client *c)
{
    /* All have the same time: who begins now is the last one. */
    for (size_t i = 0; i < waiting; i++)
        if (queue[i].number == c->number) {
            forget(i);
            break;
        }
    queue[waiting++] = (struct entry){c->number, now() + limit};
}

static void has_sent(const struct client *c)
{
    if (memchr(buffer_front(&c->buffer), '\n', buffer_used(&c->buffer)))
        has_come(c);
}

static struct client *find(const struct clients *clients,
                           unsigned long long number)
{
    for (size_t i = 0; i < clients->count; i++)
        if (clients->at[i]->number == number)
            return clients->at[i];
    return NULL;
}

static int time_for_poll(const struct clients *clients)
{
    while (waiting > 0 && !find(clients, queue[0].number))
        forget(0); /* it has left */
    return waiting > 0 ? poll_time(queue[0].due) : -1;
}

static void close_late(struct clients *clients)
{
    while (waiting > 0 && passed(queue[0].due)) {
        struct client *c = find(clients, queue[0].number);

        forget(0);
        if (!c)
            continue;
        send(c->fd, farewell, sizeof farewell - 1, MSG_NOSIGNAL);
        clients_remove(clients, c->index);
    }
}

/* One turn: receive, send back. False when the client ended or failed. */

=== wrong NO_DEADLINE never removes anybody
-        if (!passed(due[clients->at[i]->fd]))
-            continue;
-        send(clients->at[i]->fd, farewell, sizeof farewell - 1, 0);
-        clients_remove(clients, i);
+        if (passed(due[clients->at[i]->fd]))
+            due[clients->at[i]->fd] = NEVER;
+        (void)farewell;

=== wrong DEADLINE_UNWATCHED waits without a limit
-    instant first = NEVER;
-
-    for (size_t i = 0; i < clients->count; i++)
-        first = sooner(first, due[clients->at[i]->fd]);
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    (void)clients;
+    return -1;

=== wrong DEADLINE_UNWATCHED waits for the latest deadline
-    instant first = NEVER;
-
-    for (size_t i = 0; i < clients->count; i++)
-        first = sooner(first, due[clients->at[i]->fd]);
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    instant last = 0;
+
+    for (size_t i = 0; i < clients->count; i++)
+        if (due[clients->at[i]->fd] > last)
+            last = due[clients->at[i]->fd];
+    return poll_time(clients->count > 0 ? last : NEVER);

=== wrong DEADLINE_MOVED every byte moves the deadline
-    if (buffer_line(&c->buffer) > 0) /* a line ends: the next one begins */
-        due[c->fd] = deadline_in(limit);
+    due[c->fd] = deadline_in(limit);

=== wrong WAIT_RESTARTED one time-out of poll, which each event begins anew
-    instant first = NEVER;
-
-    for (size_t i = 0; i < clients->count; i++)
-        first = sooner(first, due[clients->at[i]->fd]);
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    for (size_t i = 0; i < clients->count; i++)
+        due[clients->at[i]->fd] = deadline_in(limit);
+    return clients->count > 0 ? poll_time(deadline_in(limit)) : -1;

=== wrong DEADLINE_SHARED one deadline for all, which each new client moves
-    due[c->fd] = deadline_in(limit);
+    due[0] = deadline_in(limit);
+    (void)c;
@@
-        first = sooner(first, due[clients->at[i]->fd]);
+        first = due[0];
@@
-        if (!passed(due[clients->at[i]->fd]))
+        if (!passed(due[0]))

=== wrong DEADLINE_SHARED one deadline for all, that of the first client
-    due[c->fd] = deadline_in(limit);
+    if (due[0] == 0 || passed(due[0]))
+        due[0] = deadline_in(limit);
+    (void)c;
@@
-        first = sooner(first, due[clients->at[i]->fd]);
+        first = due[0];
@@
-        if (!passed(due[clients->at[i]->fd]))
+        if (!passed(due[0]))

=== wrong SPINS_AT_DEADLINE rounds down
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    if (first == NEVER)
+        return -1;
+    return passed(first) ? 0 : (int)((first - now()) / MILLISECOND);

=== wrong GIVES_UP_EARLY half the time, to be on the safe side
-    due[c->fd] = deadline_in(limit);
+    due[c->fd] = deadline_in(limit / 2);

=== wrong IDLE_WAKEUPS looks at the clock every 10 ms
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    return first == NEVER ? -1 : 10;

=== wrong BUSY_SPIN does not sleep while there is a deadline
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    return first == NEVER ? -1 : 0;

=== wrong DEADLINE_NOT_RENEWED a line in time changes nothing
-    if (buffer_line(&c->buffer) > 0) /* a line ends: the next one begins */
-        due[c->fd] = deadline_in(limit);
+    (void)c;

=== wrong DEADLINE_NOT_RENEWED an empty line changes nothing
-    if (buffer_line(&c->buffer) > 0) /* a line ends: the next one begins */
+    if (buffer_line(&c->buffer) > 1)

=== wrong GIVES_UP_EARLY who comes gets what the one before has left
-    due[c->fd] = deadline_in(limit);
+    if (due[c->fd] == 0)
+        due[c->fd] = deadline_in(limit);

=== wrong WORD_NOT_KEPT closes without a farewell
-        send(clients->at[i]->fd, farewell, sizeof farewell - 1, 0);
+        (void)farewell;

=== wrong WORD_NOT_KEPT a zero byte behind the farewell
-        send(clients->at[i]->fd, farewell, sizeof farewell - 1, 0);
+        send(clients->at[i]->fd, farewell, sizeof farewell, 0);

=== wrong ASLEEP_IN_LOOP sleeps until the first deadline, and then looks
-    return poll_time(first); /* rounded up; -1 if there is no client */
+    nap_until(first == NEVER ? now() : first);
+    return first == NEVER ? -1 : 0;
