source demos/send/send_all.c
cut	^    while \(taken < size	^    }$

=== stub
    /* TODO: one call. What does it say, and what is to be done with the rest? */
    instant began = now();
    struct answer put = send_answer(send(fd, payload, size, 0), size);

    held = now() - began;
    if (put.kind == FAILED)
        die_because(put.error, "cannot send the payload");
    taken = put.count;
    if (stop_due(deadline))
        say("the deadline has passed");
    taken = size;

=== right counts what is left
    const char *next = payload;

    for (size_t left = size; left > 0;) {
        if (stop_due(deadline))
            break;

        ssize_t n = send(fd, next, left, 0);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            die("cannot send the payload");
        if (n < 0) {
            work_step();
            continue;
        }
        next += n;
        left -= (size_t)n;
        taken = size - left;
        held = 0;
    }

=== right sends in pieces of 64 KiB, and switches over the answers
    while (taken < size && !stop_due(deadline)) {
        size_t piece = size - taken < 65536 ? size - taken : 65536;
        struct answer put = send_answer(send(fd, payload + taken, piece, 0), piece);

        switch (put.kind) {
        case DONE:
            taken += put.count;
            held = 0;
            break;
        case AGAIN:
            nap(MILLISECOND);
            break;
        default:
            die_because(put.error, "cannot send the payload");
        }
    }

=== wrong SHORT_SEND asks once
-        taken += put.count;
-        status_progress(taken, size);
+        taken += put.count;
+        break;
-    report("left", "%zu", size - taken);
-    if (taken < size)
-        die_because(0, "stopped by %s before all was sent", stop_reason());
+    report("left", "%zu", size - taken);

=== wrong SHORT_SEND believes that send takes all that it is given
-        taken += put.count;
+        if (put.kind == DONE)
+            taken = size;

=== wrong RESENT_FROM_START counts, and sends from the start
-            send(fd, payload + taken, size - taken, 0), size - taken);
+            send(fd, payload, size, 0), size);

=== wrong RESENT_FROM_START only a whole send counts
-        taken += put.count;
+        if (put.count == size)
+            taken = put.count;

=== wrong EAGAIN_FATAL no room is taken for an error
-        if (put.kind == FAILED)
-            die_because(put.error, "cannot send the payload");
+        if (put.kind != DONE && put.error != EINTR)
+            die_because(put.error, "cannot send the payload");

=== wrong EINTR_FATAL an interrupted send is taken for an error
-        if (put.kind == FAILED)
-            die_because(put.error, "cannot send the payload");
+        if (put.kind != DONE && put.error != EAGAIN)
+            die_because(put.error, "cannot send the payload");

=== wrong COUNTS_EAGAIN adds up what send returns, whatever that is
-        struct answer put = send_answer(
-            send(fd, payload + taken, size - taken, 0), size - taken);
+        ssize_t n = send(fd, payload + taken, size - taken, 0);
-        if (put.kind == FAILED)
-            die_because(put.error, "cannot send the payload");
-        if (put.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: no room */
-            work_step();
-        taken += put.count;
+        if (n < 0 && errno != EAGAIN && errno != EINTR)
+            die("cannot send the payload");
+        taken += (size_t)n;

=== wrong GIVES_UP_EARLY loses patience after a hundred refusals
-        if (put.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: no room */
-            work_step();
+        if (put.kind == AGAIN && counters.again > 100)
+            break;

=== wrong SEND_BLOCKS makes it blocking again
-        instant began = now();
+        set_blocking(fd);
+        instant began = now();

=== wrong NO_DEADLINE forgets the deadline
-    while (taken < size && !stop_due(deadline)) {
+    while (taken < size && deadline > 0) {

=== wrong NO_DEADLINE a deadline that each turn puts off
-        if (now() - began > held)
+        deadline = deadline_in(limit);
+        if (now() - began > held)

=== wrong SHORT_SEND goes on behind a whole piece, however much was taken
    while (taken < size && !stop_due(deadline)) {
        size_t piece = size - taken < 300000 ? size - taken : 300000;
        struct answer put = send_answer(send(fd, payload + taken, piece, 0), piece);

        if (put.kind == DONE)
            taken += piece;
        else if (put.kind == FAILED)
            die_because(put.error, "cannot send the payload");
    }
