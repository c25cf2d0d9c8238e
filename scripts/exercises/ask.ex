source demos/echo/echo_client_busypoll.c
cut	^/\* Set O_NONBLOCK	^}$
cut	^    while \(echoed < size && !stopping\(\)\)	^    }$
vary	prime numbers meanwhile	prime numbers in line #	primes of class #	primes for room #

=== base
- * echo_client_busypoll - sends lines to an echo server and prints what comes
- * back; while it waits it looks for prime numbers.
- *
- * Shows    a non-blocking recv fails with EAGAIN instead of waiting, and the
- *          program can use the time. At the end it says how much work it did.
- * Run      echo_client_busypoll 127.0.0.1 8080 'first line' 'second line'
- *          echo_client_busypoll 127.0.0.1 8080      type lines
- * Compare  echo_client: the same client, which sleeps while it waits
+ * ask - sends lines to a server and prints what comes back; while it waits it
+ * looks for prime numbers.
+ *
+ * Run      ask 127.0.0.1 8080 'first line' 'second line'
@@
-#include <fcntl.h>
+#include <fcntl.h>
+#include <signal.h>
+#include <sys/ioctl.h>
@@
-static duration first_wait, longest_wait;
+static duration first_wait, longest_wait;
+static volatile sig_atomic_t announced;
+
+static void count_up(int signal_number)
+{
+    (void)signal_number;
+    announced++;
+}
+
+/* Have the kernel send the signal SIGIO each time when bytes come. That is one
+ * more flag of the descriptor: O_ASYNC. */
+static void announce(int fd)
+{
+    struct sigaction action = {.sa_handler = count_up, .sa_flags = SA_RESTART};
+    int on = 1;
+
+    if (sigaction(SIGIO, &action, NULL) < 0 ||
+        fcntl(fd, F_SETOWN, getpid()) < 0 || ioctl(fd, FIOASYNC, &on) < 0)
+        die("cannot have descriptor %d announced", fd);
+}
@@
-    make_nonblocking(fd);
+    announce(fd);
+    make_nonblocking(fd);
@@
-    log_info("prime numbers found meanwhile: %s", grouped(work_found()));
+    say("%llu prime numbers meanwhile, the largest is %llu", work_found(),
+        work_largest());

=== stub
/* TODO: set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    (void)fd;
}
---
    while (echoed < size && !stopping()) {
        ssize_t got = recv(fd, echo, size - echoed, 0);

        /* TODO: without O_NONBLOCK, recv waits for as long as the server is
         * silent. With it, recv returns -1 instead, and errno is EAGAIN: then
         * do a little work, and ask again. */
        if (got < 0)
            die("cannot receive from the server");
        if (got == 0)
            die_because(0, "the server closed the connection too early");
        print_bytes(echo, (size_t)got);
        echoed += (size_t)got;
    }

=== right with the bare calls and errno
static void make_nonblocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL, 0);

    if (flags == -1)
        die("cannot read the flags");
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
        die("cannot set the flags");
}
---
    while (echoed < size && !stopping()) {
        ssize_t got = recv(fd, echo, size - echoed, 0);

        if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
            errno != EINTR)
            die("cannot receive from the server");
        if (got < 0) {
            work_step();
            continue;
        }
        if (got == 0)
            die_because(0, "the server closed the connection too early");
        print_bytes(echo, (size_t)got);
        echoed += (size_t)got;
    }

=== right a switch over the answers, and a hundred steps in each turn
static void make_nonblocking(int fd)
{
    int on = 1;

    if (ioctl(fd, FIONBIO, &on) < 0)
        die("cannot set O_NONBLOCK");
}
---
    for (bool complete = echoed >= size; !complete && !stopping();) {
        struct answer got =
            recv_answer(read(fd, echo, size - echoed), size - echoed);

        switch (got.kind) {
        case DONE:
            print_bytes(echo, got.count);
            echoed += got.count;
            complete = echoed == size;
            break;
        case AGAIN:
            for (int i = 0; i < 100; i++)
                work_step();
            break;
        default:
            die_because(got.error, "no more from the server");
        }
    }

=== wrong RECV_BLOCKS does not set the flag
-    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
+    if (flags < 0 || fcntl(fd, F_SETFL, flags) < 0)

=== wrong RECV_BLOCKS mixes up the flags of the file with those of the descriptor
-    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
+    if (flags < 0 || fcntl(fd, F_SETFD, flags | O_NONBLOCK) < 0)

=== wrong FLAG_ELSEWHERE sets the flag on standard input
-    int flags = fcntl(fd, F_GETFL);
+    int flags = fcntl(STDIN_FILENO, F_GETFL);
-    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
+    if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)

=== wrong FLAGS_LOST gives F_SETFL the new flag, and no other
-    int flags = fcntl(fd, F_GETFL);
-
-    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
+    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)

=== wrong FLAGS_LOST asks for the wrong flags, and overwrites the others with them
-    int flags = fcntl(fd, F_GETFL);
+    int flags = fcntl(fd, F_GETFD);

=== wrong FLAGS_LOST an 'and' in the place of an 'or'
-    int flags = fcntl(fd, F_GETFL);
+    int flags = (fcntl(fd, F_GETFL) & O_NONBLOCK) | O_NONBLOCK;

=== wrong FLAG_NOT_SET a flag of this one call, and none of the descriptor
-    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
+    if (flags < 0)
@@
-            recv_answer(recv(fd, echo, size - echoed, 0), size - echoed);
+            recv_answer(recv(fd, echo, size - echoed, MSG_DONTWAIT),
+                        size - echoed);

=== wrong EAGAIN_FATAL nothing yet is taken for a failure
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            work_step();
-        print_bytes(echo, got.count);
+        if (got.kind == AGAIN && got.error != EINTR)
+            die_because(got.error, "the server does not answer");
+        print_bytes(echo, got.count);

=== wrong EAGAIN_FATAL nothing yet is taken for the end
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            work_step();
-        print_bytes(echo, got.count);
+        if (got.kind == AGAIN)
+            break;
+        print_bytes(echo, got.count);

=== wrong ASLEEP_IN_LOOP sleeps instead of working
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            work_step();
-        print_bytes(echo, got.count);
+        if (got.kind == AGAIN)
+            nap(100 * MILLISECOND);
+        print_bytes(echo, got.count);

=== wrong NO_WORK_DONE asks again and again, and does nothing else
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            work_step();
-        print_bytes(echo, got.count);
+        print_bytes(echo, got.count);

=== wrong NO_WORK_DONE works only when something has come
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
+        if (got.kind != AGAIN)

=== wrong EOF_IGNORED the end is taken for nothing yet
-        if (got.kind == CLOSED)
-            die_because(0,
-                        "the server closed the connection: %zu bytes of the "
-                        "echo are missing",
-                        size - echoed);
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
+        if (got.kind == AGAIN || got.kind == CLOSED)

=== wrong EAGAIN_FATAL adds -1 to what has come
-        struct answer got =
-            recv_answer(recv(fd, echo, size - echoed, 0), size - echoed);
-
-        if (got.kind == FAILED)
-            die_because(got.error, "cannot receive from the server");
-        if (got.kind == CLOSED)
-            die_because(0,
-                        "the server closed the connection: %zu bytes of the "
-                        "echo are missing",
-                        size - echoed);
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
-            work_step();
-        print_bytes(echo, got.count);
-        echoed += got.count;
+        ssize_t got = recv(fd, echo, size - echoed, 0);
+
+        if (got == 0)
+            die_because(0, "the server closed the connection");
+        work_step();
+        if (got > 0)
+            print_bytes(echo, (size_t)got);
+        echoed += (size_t)got;
