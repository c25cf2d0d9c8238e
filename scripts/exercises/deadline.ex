source demos/connect/connect_nonblocking.c
cut	^    make_nonblocking\(fd\);	^    }$

=== stub
    say("connecting to %s", where);

    (void)make_nonblocking;
    /* TODO: this waits for as long as the kernel likes: about two minutes. */
    instant deadline = deadline_in(limit);
    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    if (passed(deadline))
        say("the deadline has passed, and nobody looked");

=== right a loop that asks, naps and looks at the clock
    make_nonblocking(fd);
    say("connecting to %s", where);

    const instant deadline = began + limit;
    struct answer made;

    for (;;) {
        made = connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));
        if (made.kind != PENDING || stop_due(deadline))
            break;
        nap(MILLISECOND);
    }

=== right waits with poll, and asks connect at the end
    make_nonblocking(fd);
    say("connecting to %s", where);

    instant deadline = deadline_in(limit);
    struct answer made;

    do {
        made = connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));
        work_step();
    } while (made.kind == PENDING && !stopping() && !stop_due(deadline));

=== wrong CONNECT_BLOCKS sets the flag after connect
-    make_nonblocking(fd); /* before connect, which would wait */
@@
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    make_nonblocking(fd);
+    while (made.kind == PENDING && !stop_due(deadline)) {

=== wrong NO_DEADLINE asks until it knows
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    while (made.kind == PENDING && deadline > 0 && !stopping()) {

=== wrong NO_DEADLINE a deadline that each turn puts off
-        work_step();
+        deadline = deadline_in(limit);
+        work_step();

=== wrong EALREADY_FATAL under way is taken for a failure when asked again
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    while (made.kind == PENDING && !stop_due(deadline)) {
+        if (made.error == EALREADY) {
+            made.kind = FAILED;
+            break;
+        }

=== wrong EINPROGRESS_FATAL begun is taken for a failure
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    if (made.error == EINPROGRESS)
+        address_failed(to, made.error);
+    while (made.kind == PENDING && !stop_due(deadline)) {

=== wrong RECONNECT_STORM a new socket for each question
-        work_step();
+        close(fd);
+        fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
+        make_nonblocking(fd);
+        nap(20 * MILLISECOND);

=== wrong GIVES_UP_EARLY asks ten times at most
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    for (int i = 0; i < 10 && made.kind == PENDING && !stop_due(deadline);
+         i++) {

=== wrong ASLEEP_IN_LOOP sleeps until the deadline, and then looks
-        work_step();
+        nap_until(deadline);

=== wrong PENDING_IS_CONNECTED what has not failed is connected
-    double took = seconds(now() - began);
+    if (made.kind != FAILED)
+        made.kind = DONE;
+    double took = seconds(now() - began);

=== wrong STOP_IGNORED looks at the clock, and at nobody else
-    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
+    while (made.kind == PENDING && !passed(deadline)) {
