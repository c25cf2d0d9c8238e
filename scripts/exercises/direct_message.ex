source demos/chat/chat_server.c
cut	^static void message\(	^    tell\(g, "\* %s was told\."

=== base
-static void handle_line(struct guest *g, const char *line)
-{
+/* "NAME TEXT": TEXT is for one guest alone. */
+static void message(struct guest *g, const char *line)
+{
+    const char *text = strchr(line, ' ');
+    size_t length = text ? (size_t)(text - line) : 0;
+    char name[NAME_MOST + 1] = "";
+    struct guest *to;
+
+    if (length == 0 || text[1] == '\0') {
+        tell(g, "* Use /msg NAME TEXT.");
+        return;
+    }
+    if (length <= NAME_MOST)
+        memcpy(name, line, length);
+    to = guest_called(name);
+    if (!to || to->leaving) {
+        tell(g, "* There is no guest %.*s.", (int)length, line);
+        return;
+    }
+    tell(to, "%s (to you): %s", g->name, text + 1);
+    tell(g, "* %s was told.", to->name);
+}
+
+static void handle_line(struct guest *g, const char *line)
+{
@@
-        rename_guest(g, line + 6);
+        rename_guest(g, line + 6);
+    } else if (strncmp(line, "/msg ", 5) == 0) {
+        message(g, line + 5);
@@
-        tell(g, "* There are /name NAME, /who and /quit.");
+        tell(g, "* There are /name NAME, /msg NAME TEXT, /who and /quit.");

=== stub
static void message(struct guest *g, const char *line)
{
    /* TODO: only the guest of this name may hear the text. */
    tell(g, "* Nobody was told '%s'.", line);

=== right compares with the name of each guest
static void message(struct guest *g, const char *line)
{
    const size_t length = strcspn(line, " ");
    const char *text = line + length;

    if (length == 0 || strlen(text) < 2) {
        tell(g, "* Use /msg NAME TEXT.");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct guest *to = guests[i];

        if (to->leaving || strlen(to->name) != length ||
            memcmp(to->name, line, length) != 0)
            continue;
        tell(to, "%s (to you):%s", g->name, text);
        tell(g, "* %s was told.", to->name);
        return;
    }
    tell(g, "* There is no guest %.*s.", (int)length, line);

=== right cuts a copy of the line in two
static void message(struct guest *g, const char *line)
{
    char copy[LINE_MOST + 1];
    char *text;
    struct guest *to;

    snprintf(copy, sizeof copy, "%s", line);
    text = strchr(copy, ' ');
    if (!text || text == copy || !text[1]) {
        tell(g, "* Use /msg NAME TEXT.");
        return;
    }
    *text++ = '\0';
    to = guest_called(copy);
    if (to && to->leaving == NULL) {
        tell(to, "%s (to you): %s", g->name, text);
        tell(g, "* %s was told.", copy);
    } else {
        tell(g, "* There is no guest %s.", copy);
    }

=== right tells the sender first, and what has become of it
static void message(struct guest *g, const char *line)
{
    char name[LINE_MOST + 1];
    int after = 0;
    struct guest *to;

    if (sscanf(line, "%1000[^ ] %n", name, &after) < 1 || after == 0 ||
        line[strlen(name)] != ' ' || line[strlen(name) + 1] == '\0') {
        tell(g, "* Use /msg NAME TEXT.");
        return;
    }
    to = guest_called(name);
    if (to == NULL || to->leaving)
        tell(g, "* There is no guest %s.", name);
    else
        tell(g, "* %s was told.", name);
    if (to != NULL)
        tell(to, "%s (to you): %s", g->name, line + strlen(name) + 1);

=== wrong EVERYBODY_HEARS says it to all of them
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    for (size_t i = 0; i < count; i++)
+        tell(guests[i], "%s (to you): %s", g->name, text + 1);

=== wrong EVERYBODY_HEARS what is for nobody is for everybody
-        tell(g, "* There is no guest %.*s.", (int)length, line);
-        return;
+        tell(g, "* There is no guest %.*s.", (int)length, line);
+        for (size_t i = 0; i < count; i++)
+            if (guests[i] != g)
+                tell(guests[i], "%s: %s", g->name, text + 1);
+        return;

=== wrong NOBODY_TOLD an unknown name is passed over in silence
-        tell(g, "* There is no guest %.*s.", (int)length, line);
-        return;
+        return;

=== wrong NOBODY_TOLD the sender does not learn that it was told
-    tell(g, "* %s was told.", to->name);

=== wrong NOBODY_TOLD says 'was told' of a guest who is leaving
-    if (!to || to->leaving) {
+    if (!to) {

=== wrong NOBODY_TOLD without a text nothing is said
-        tell(g, "* Use /msg NAME TEXT.");
-        return;
+        return;

=== wrong WRONG_GUEST compares as far as the guest's name goes
-    to = guest_called(name);
+    to = NULL;
+    for (size_t i = 0; i < count && !to; i++)
+        if (strncmp(line, guests[i]->name, strlen(guests[i]->name)) == 0)
+            to = guests[i];

=== wrong WRONG_GUEST compares as far as the typed name goes
-    to = guest_called(name);
+    to = NULL;
+    for (size_t i = 0; i < count && !to; i++)
+        if (strncmp(line, guests[i]->name, length) == 0)
+            to = guests[i];

=== wrong WRONG_GUEST cuts off what is too long for a name
-    if (length <= NAME_MOST)
-        memcpy(name, line, length);
+    memcpy(name, line, length < NAME_MOST ? length : NAME_MOST);

=== wrong CRASH copies a name of any length
-    if (length <= NAME_MOST)
-        memcpy(name, line, length);
+    memcpy(name, line, length);

=== wrong CRASH does not ask whether there is a text
-    const char *text = strchr(line, ' ');
-    size_t length = text ? (size_t)(text - line) : 0;
+    const char *text = strchr(line, ' ');
+    size_t length = (size_t)(text - line);

=== wrong TEXT_CUT takes the first word
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    tell(to, "%s (to you): %.*s", g->name, (int)strcspn(text + 1, " "),
+         text + 1);

=== wrong TEXT_CUT takes the last word
-    const char *text = strchr(line, ' ');
+    const char *text = strrchr(line, ' ');
@@
-    size_t length = text ? (size_t)(text - line) : 0;
+    size_t length = text ? strcspn(line, " ") : 0;

=== wrong TEXT_CUT has room for 256 bytes
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    tell(to, "%s (to you): %.256s", g->name, text + 1);

=== wrong SENDER_UNKNOWN does not say who wrote it
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    tell(to, "* (to you): %s", text + 1);

=== wrong SENDER_UNKNOWN names the one who hears it
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    tell(to, "%s (to you): %s", to->name, text + 1);

=== wrong MESSAGE_LOST not to oneself
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    if (to != g)
+        tell(to, "%s (to you): %s", g->name, text + 1);

=== wrong NO_BACKPRESSURE keeps what the guest has no room for
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    if (buffer_room(&to->output) < 2 * LINE_MOST) {
+        static char *kept;
+        static size_t size;
+        size_t more = strlen(text) + 1;
+
+        kept = enlarged(kept, size + more, 1);
+        memcpy(kept + size, text, more);
+        size += more;
+    } else {
+        tell(to, "%s (to you): %s", g->name, text + 1);
+    }

=== wrong MESSAGE_LOST tells only those who have room
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    if (buffer_room(&to->output) > 2 * LINE_MOST)
+        tell(to, "%s (to you): %s", g->name, text + 1);

=== wrong ACCEPTED_BLOCKING sends it at once, and waits until it is sent
-    tell(to, "%s (to you): %s", g->name, text + 1);
+    char all[NAME_MOST + LINE_MOST + 64];
+    int size = snprintf(all, sizeof all, "%s (to you): %s\n", g->name, text + 1);
+
+    fcntl(to->fd, F_SETFL, 0);
+    for (ssize_t n = 0, sent = 0; sent < size; sent += n)
+        if ((n = send(to->fd, all + sent, (size_t)(size - sent), 0)) < 0)
+            break;
+    fcntl(to->fd, F_SETFL, O_NONBLOCK);

=== wrong PEER_KILLS_SERVER a name that nobody has ends the server
-        tell(g, "* There is no guest %.*s.", (int)length, line);
-        return;
+        tell(g, "* There is no guest %.*s.", (int)length, line);
+        die_because(0, "no guest %.*s", (int)length, line);
