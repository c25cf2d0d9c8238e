source demos/chat/chat_server.c
line	^static const duration patience	static const duration patience = 2 * SECOND; /* for a guest who is leaving */
cut	^    if \(buffer_room\(b\) < \(size_t\)length \+ FAREWELL\)	^    buffer_added\(b, \(size_t\)length\);
vary	* You read too slowly	* Room #: you read too slowly	* House # has slow readers: you	* You are slow reader #: sorry

=== stub
    /* TODO: what if there is no room, because this guest does not read? */
    if (buffer_room(b) < (size_t)length + FAREWELL)
        return;
    memcpy(buffer_back(b), line, (size_t)length);
    buffer_added(b, (size_t)length);

=== right decides first whether there is room
    const bool fits = buffer_room(b) >= (size_t)length + FAREWELL;

    if (fits) {
        memcpy(buffer_back(b), line, (size_t)length);
        buffer_added(b, (size_t)length);
        return;
    }

    static const char farewell[] =
        "* You read too slowly and missed some: goodbye.\n";

    buffer_cut(b, buffer_line(b));
    memcpy(buffer_back(b), farewell, sizeof farewell - 1);
    buffer_added(b, sizeof farewell - 1);
    g->leaving = "reads too slowly and was sent away";
    g->close_by = deadline_in(patience);
    too_slow++;

=== right keeps all that was queued, since there is room for a farewell
    if (buffer_room(b) < (size_t)length + FAREWELL) {
        length = snprintf(line, sizeof line,
                          "* You read too slowly: goodbye.\n");
        g->leaving = "reads too slowly and was sent away";
        g->close_by = deadline_in(patience);
        too_slow += 1;
    }
    memcpy(buffer_back(b), line, (size_t)length);
    buffer_added(b, (size_t)length);

=== right keeps whole lines while they fit, then one of its own words
    if (BUFFER_SIZE - FAREWELL >= buffer_used(b) + (size_t)length) {
        memcpy(buffer_back(b), line, (size_t)length);
        buffer_added(b, (size_t)length);
    } else {
        const int n =
            snprintf(line, sizeof line, "* You read too slowly, %s.\n", g->name);

        memcpy(buffer_back(b), line, (size_t)n);
        buffer_added(b, (size_t)n);
        g->leaving = "was too slow";
        g->close_by = deadline_in(patience);
    }

=== wrong MESSAGE_LOST what does not fit is dropped
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        too_slow++;
+        return;

=== wrong LINE_TORN keeps a little of the queue, wherever that ends
-        buffer_cut(b, buffer_line(b));
+        buffer_cut(b, FAREWELL);

=== wrong MESSAGE_LOST makes room by forgetting the oldest
-    if (buffer_room(b) < (size_t)length + FAREWELL) {
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
-    }
+    bool first = true;
+
+    while (buffer_room(b) < (size_t)length + FAREWELL) {
+        char rest[2048];
+        size_t begun = buffer_line(b);
+
+        if (first) {
+            memcpy(rest, buffer_front(b), begun);
+            buffer_taken(b, begun);
+            buffer_taken(b, buffer_line(b));
+            size_t kept = buffer_used(b);
+            char *all = enlarged(NULL, kept + begun + 1, 1);
+
+            memcpy(all, rest, begun);
+            memcpy(all + begun, buffer_front(b), kept);
+            buffer_taken(b, kept);
+            memcpy(buffer_back(b), all, kept + begun);
+            buffer_added(b, kept + begun);
+            free(all);
+        }
+    }

=== wrong CRASH does not ask whether there is room
-    if (buffer_room(b) < (size_t)length + FAREWELL) {
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
-    }

=== wrong NO_BACKPRESSURE lets the queue grow
-    if (buffer_room(b) < (size_t)length + FAREWELL) {
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
-    }
-    memcpy(buffer_back(b), line, (size_t)length);
-    buffer_added(b, (size_t)length);
+    if (!b->data) {
+        memcpy(buffer_back(b), line, (size_t)length);
+        buffer_added(b, (size_t)length);
+        return;
+    }
+    size_t room = b->end + (size_t)length;
+
+    b->data = enlarged(b->data, room < BUFFER_SIZE ? BUFFER_SIZE : room, 1);
+    memcpy(b->data + b->end, line, (size_t)length);
+    b->end += (size_t)length;

=== wrong ACCEPTED_BLOCKING waits until the guest has read
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        set_blocking(g->fd);
+        while (buffer_used(b) > 0) {
+            ssize_t n = send(g->fd, buffer_front(b), buffer_used(b), 0);
+
+            if (n <= 0)
+                break;
+            buffer_taken(b, (size_t)n);
+        }
+        set_nonblocking(g->fd);

=== wrong BUSY_SPIN tries until there is room
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        while (buffer_room(b) < (size_t)length + FAREWELL && !stopping()) {
+            ssize_t n = send(g->fd, buffer_front(b), buffer_used(b), 0);
+
+            if (n > 0)
+                buffer_taken(b, (size_t)n);
+        }
+        if (stopping())
+            return;

=== wrong PEER_KILLS_SERVER one slow guest ends the evening
-        buffer_cut(b, buffer_line(b));
+        die_because(0, "%s reads too slowly", g->name);
+        buffer_cut(b, buffer_line(b));

=== wrong NOT_CLOSED tells it to go, and keeps it
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        too_slow++;

=== wrong NOT_CLOSED sets no time by which it must have gone
-        g->close_by = deadline_in(patience);

=== wrong LINE_TORN the farewell has a few bytes too many
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
+        length = snprintf(line, sizeof line,
+                          "* You read too slowly and missed some: goodbye.\n");
+        length += 8;

=== wrong MESSAGE_LOST sent away without a word
-        buffer_cut(b, buffer_line(b));
-        length = snprintf(line, sizeof line,
-                          "* You read too slowly and missed some: goodbye.\n");
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        g->leaving = "reads too slowly and was sent away";
+        g->close_by = deadline_in(patience);
+        return;

=== wrong CLOSE_BEFORE_FLUSH closes at once
-        g->leaving = "reads too slowly and was sent away";
-        g->close_by = deadline_in(patience);
-        too_slow++;
+        g->leaving = "reads too slowly and was sent away";
+        g->close_by = now();

=== wrong LINE_TORN forgets everything, and with it the rest of the first line
-        buffer_cut(b, buffer_line(b));
+        buffer_cut(b, 0);
