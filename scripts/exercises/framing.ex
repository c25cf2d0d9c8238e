source demos/chat/chat_server.c
cut	^    struct buffer \*b = &g->input;	^        buffer_taken\(b, buffer_used\(b\)\);
vary	* A line has	* In room # a line has	* Rule #: each line has	* House # says: a line has

=== stub
    struct buffer *b = &g->input;
    char line[LINE_MOST + 1];
    size_t length = buffer_used(b);

    /* TODO: is this one line, whole? Or a part, or several? */
    if (length > LINE_MOST)
        length = LINE_MOST;
    memcpy(line, buffer_front(b), length);
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (!g->skipping)
        handle_line(g, line);
    buffer_taken(b, buffer_used(b));
    if (g->leaving) {

=== right looks for the ends itself
    struct buffer *b = &g->input;
    char line[LINE_MOST + 1];

    while (!g->leaving) {
        const char *bytes = buffer_front(b);
        size_t used = buffer_used(b), end = 0, length;

        while (end < used && bytes[end] != '\n')
            end++;
        if (end == used)
            break;
        length = end;
        if (length > 0 && bytes[length - 1] == '\r')
            length--;
        if (g->skipping || length > LINE_MOST) {
            tell(g, "* A line has %d bytes at most: yours was dropped.",
                 LINE_MOST);
            g->skipping = false;
        } else {
            for (size_t i = 0; i < length;) {
                size_t shown = showable(bytes + i, length - i);

                if (shown == 0)
                    line[i++] = '?';
                for (; shown > 0; shown--, i++)
                    line[i] = bytes[i];
            }
            line[length] = '\0';
            handle_line(g, line);
        }
        buffer_taken(b, end + 1);
    }
    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
        g->skipping = true;
        buffer_taken(b, buffer_used(b));

=== right a function for one line, called until there is none
    struct buffer *b = &g->input;
    size_t size = buffer_line(b);

    if (size > 0 && !g->leaving) {
        char line[LINE_MOST + 2] = "";
        bool too_long = g->skipping || size > LINE_MOST + 1;

        if (!too_long)
            memcpy(line, buffer_front(b), size - 1);
        if (!too_long && size > 1 && line[size - 2] == '\r')
            line[size - 2] = '\0';
        for (char *p = line; !too_long && p < line + size - 1;) {
            size_t shown = showable(p, (size_t)(line + size - 1 - p));

            if (shown == 0 && (*p || p + 2 < line + size))
                *p = '?';
            p += shown > 0 ? shown : 1;
        }
        buffer_taken(b, size);
        g->skipping = false;
        if (too_long)
            tell(g, "* A line has %d bytes at most.", LINE_MOST);
        else
            handle_line(g, line);
        handle_lines(g);
        return;
    }
    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
        g->skipping = true;
        buffer_taken(b, buffer_used(b));

=== right says at once that a line is too long, and drops what comes of it
    struct buffer *b = &g->input;

    while (buffer_used(b) > 0 && !g->leaving) {
        const char *from = buffer_front(b);
        const size_t used = buffer_used(b);
        const char *end = memchr(from, '\n', used);
        size_t length = end ? (size_t)(end - from) : used, keep = length;

        if (end && length > 0 && from[length - 1] == '\r')
            keep--;
        if (!g->skipping && (end ? keep : length) > LINE_MOST + (size_t)!end) {
            tell(g, "* A line has at most %d bytes.", LINE_MOST);
            g->skipping = true;
        }
        if (!end && !g->skipping)
            break;
        if (end && !g->skipping) {
            char line[LINE_MOST + 1] = {0};

            for (size_t i = 0; i < keep;) {
                size_t shown = showable(from + i, keep - i);

                memcpy(line + i, shown ? from + i : "?", shown ? shown : 1);
                i += shown ? shown : 1;
            }
            handle_line(g, line);
        }
        if (end)
            g->skipping = false;
        buffer_taken(b, length + (end != NULL));
    }
    if (g->leaving) {
        buffer_taken(b, buffer_used(b));

=== wrong FRAMING_ONE_RECV what a recv brings is a line
-    while ((size = buffer_line(b)) > 0 && !g->leaving) {
+    while ((size = buffer_used(b)) > 0 && !g->leaving) {

=== wrong LINES_LEFT_OVER the first line of what a recv brings, and no more
-    while ((size = buffer_line(b)) > 0 && !g->leaving) {
+    if ((size = buffer_line(b)) > 0 && !g->leaving) {

=== wrong LINES_LEFT_OVER forgets what stands behind the first line
-        buffer_taken(b, size);
-    }
+        buffer_taken(b, buffer_used(b));
+    }

=== wrong LINE_TOO_LONG waits for an end that never comes
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
+    if (g->leaving) {

=== wrong FRAMING_ONE_RECV what has no end yet is forgotten
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
-        g->skipping = true;
+    if (g->leaving || buffer_used(b) > 0) {
+        g->skipping = buffer_used(b) > LINE_MOST + 1;

=== wrong LINE_TOO_LONG passes a long line on in pieces
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
+    while (buffer_used(b) > LINE_MOST + 1 && !g->leaving) {
+        memcpy(line, buffer_front(b), LINE_MOST);
+        line[LINE_MOST] = '\0';
+        handle_line(g, line);
+        buffer_taken(b, LINE_MOST);
+    }
+    if (g->leaving) {

=== wrong MESSAGE_LOST a zero byte ends the line
-                if ((shown = showable(line + i, length - i)) == 0)
+                if ((shown = showable(line + i, length - i)) == 0 && line[i])

=== wrong MESSAGE_LOST a line that is too long is dropped without a word
-            tell(g, "* A line has %d bytes at most: yours was dropped.",
-                 LINE_MOST);
+            log_info("%s said too much", g->name);

=== wrong CRASH a line fits, whatever its length
-        if (g->skipping || length > LINE_MOST) {
+        if (g->skipping) {
@@
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
+    if (g->leaving || buffer_used(b) == BUFFER_SIZE) {

=== wrong LINE_TORN keeps the carriage return
-        if (length > 0 && bytes[length - 1] == '\r')
-            length--;
-        if (g->skipping || length > LINE_MOST) {
+        if (g->skipping || length > LINE_MOST) {
-                if ((shown = showable(line + i, length - i)) == 0)
+                if ((shown = showable(line + i, length - i)) == 0 &&
+                    line[i] != '\r')

=== wrong MESSAGE_LOST a line of exactly the bound is too long
-        if (g->skipping || length > LINE_MOST) {
+        if (g->skipping || length >= LINE_MOST) {

=== wrong MESSAGE_LOST the newline counts for the bound while it is not there
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
+    if (g->leaving || buffer_used(b) >= LINE_MOST) {

=== wrong UNSAFE_BYTES everything above 127 is a letter
-                if ((shown = showable(line + i, length - i)) == 0)
+                if ((shown = (unsigned char)line[i] >= ' ' && line[i] != 127) == 0)

=== wrong UNSAFE_BYTES passes on what comes
-                if ((shown = showable(line + i, length - i)) == 0)
+                if ((shown = line[i] != '\0') == 0)

=== wrong WORD_NOT_KEPT only ASCII is text
-                if ((shown = showable(line + i, length - i)) == 0)
+                if ((shown = line[i] >= ' ' && line[i] < 127) == 0)

=== wrong LINE_TOO_LONG the tail of a long line is a line
-        g->skipping = true;
-        buffer_taken(b, buffer_used(b));
+        if (!g->leaving)
+            tell(g, "* A line has %d bytes at most.", LINE_MOST);
+        buffer_taken(b, buffer_used(b));

=== wrong WORD_NOT_KEPT goes on to hear who is leaving
-    while ((size = buffer_line(b)) > 0 && !g->leaving) {
+    while ((size = buffer_line(b)) > 0) {
-    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
+    if (buffer_used(b) > LINE_MOST + 1) {
