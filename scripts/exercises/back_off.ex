source demos/connect/connect_retry.c
cut	^    duration most = base;	^    return \(duration\)
cut	^        if \(made.kind == PENDING\)	^        nap_until

=== stub
    /* TODO: this is the same for everybody, and for ever. */
    (void)tried;
    return base;
---
        /* TODO: when is it time to give up? And is there a use in trying? */
        duration pause = pause_after(tried);

        if (worth_another(made.error) || tries > 0)
            nap(pause);

=== right equal jitter instead of full jitter
    double most = (double)base;

    for (size_t i = 1; i < tried && most < (double)cap; i++)
        most *= 2;
    if (most > (double)cap)
        most = (double)cap;
    return (duration)(most / 2 + most / 2 * drand48());
---
        if (made.kind == PENDING || stopping())
            die_because(0, "stopped by %s", stop_reason());
        if (!worth_another(made.error))
            die_because(made.error, "another try cannot succeed");
        if (tried >= tries)
            die_because(made.error, "gave up after %zu tries", tried);

        instant next = now() + pause_after(tried);

        if (next >= deadline)
            die_because(made.error, "there is no time for another try");
        nap_until(next);

=== right a shift with its bound, and the bits of mrand48()
    int shift = tried > 20 ? 20 : (int)tried - 1;
    duration most = base << shift;

    if (most > cap)
        most = cap;
    return most > 0 ? (duration)((uint64_t)mrand48() % (uint64_t)most) : 0;
---
        bool last = tried == tries || passed(deadline);

        if (made.kind == PENDING)
            die_because(0, "stopped by %s", stop_reason());
        if (last || !worth_another(made.error))
            die_because(made.error, "gave up after %zu tries", tried);
        nap_until(sooner(deadline, now() + pause_after(tried)));

=== wrong NO_CAP doubles without end
-    while (--tried > 0 && most < cap)
-        most *= 2;
-    if (most > cap)
-        most = cap;
+    while (--tried > 0 && most < 3600 * SECOND)
+        most *= 2;

=== wrong NO_JITTER waits as long as everybody else
-    return (duration)((double)most * drand48());
+    return most;

=== wrong NO_GROWTH the bound stays what it was
-    while (--tried > 0 && most < cap)
-        most *= 2;
+    (void)tried;

=== wrong RETRY_STORM does not pause
-        nap_until(sooner(deadline, now() + pause));
+        (void)pause;

=== wrong SLEEPS_AFTER_LAST pauses first, and asks then whether to go on
-        if (tried == tries || passed(deadline))
-            die_because(made.error, "gave up after %zu tries and %.3f s", tried,
-                        seconds(now() - began));
@@
-        nap_until(sooner(deadline, now() + pause));
+        nap_until(sooner(deadline, now() + pause));
+        if (tried == tries || passed(deadline))
+            die_because(made.error, "gave up after %zu tries", tried);

=== wrong FAILURE_IS_SUCCESS leaves the loop, and all is well
-        if (tried == tries || passed(deadline))
-            die_because(made.error, "gave up after %zu tries and %.3f s", tried,
-                        seconds(now() - began));
+        if (tried == tries || passed(deadline))
+            break;

=== wrong HOPELESS_RETRY hopes for the best
-        if (!worth_another(made.error))
-            die_because(made.error, "another try cannot succeed");
+        if (!worth_another(made.error))
+            warn_because(made.error, "that looks bad");

=== wrong NO_DEADLINE counts its tries alone
-        if (tried == tries || passed(deadline))
+        if (tried == tries)

=== wrong GIVES_UP_EARLY stops at the first error
-        if (!worth_another(made.error))
-            die_because(made.error, "another try cannot succeed");
+        if (made.kind == FAILED || !worth_another(made.error))
+            die_because(made.error, "another try cannot succeed");

=== wrong NO_JITTER draws the same numbers in each process
-    return (duration)((double)most * drand48());
+    return (duration)((double)most * (double)random() / 2147483648.0);

=== wrong NO_CAP the first pause has twice its bound
-    while (--tried > 0 && most < cap)
-        most *= 2;
+    while (tried-- > 0 && most < cap)
+        most *= 2;

=== wrong NO_DEADLINE sleeps past its deadline
-        nap_until(sooner(deadline, now() + pause));
+        nap_until(now() + pause);

=== wrong RETRY_STORM shifts the bound out of its type
-    while (--tried > 0 && most < cap)
-        most *= 2;
-    if (most > cap)
-        most = cap;
+    most = (duration)((uint64_t)base << (tried < 63 ? tried - 1 : 63));
+    if (most > cap)
+        most = cap;
+    if (most < 0)
+        most = 0;

=== wrong STOP_IGNORED goes on with its pause after a signal
-#include <stdlib.h>
+#include <poll.h>
+#include <stdlib.h>
@@
-        nap_until(sooner(deadline, now() + pause));
+        const instant until = sooner(deadline, now() + pause);
+
+        while (!passed(until))
+            poll(NULL, 0, 10);

=== wrong NO_GROWTH begins to double one try late
-    while (--tried > 0 && most < cap)
+    while (--tried > 1 && most < cap)

=== wrong NO_CAP doubles past a cap that is no doubled base
-    if (most > cap)
-        most = cap;
