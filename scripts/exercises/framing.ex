source demos/chat/chat_server.c
cut	^    struct buffer \*b = &g->input;	^        buffer_taken\(b, buffer_used\(b\)\);

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
            for (size_t i = 0; i < length; i++)
                line[i] = (unsigned char)bytes[i] < ' ' || bytes[i] == 127
                              ? '?'
                              : bytes[i];
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
        for (size_t i = 0; !too_long && i + 1 < size; i++)
            if ((unsigned char)line[i] < ' ')
                line[i] = line[i] == '\r' && i + 2 == size ? '\0' : '?';
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
