/* SPDX-License-Identifier: MIT */
/*
 * checks_chat - the checks of the chat server.
 */
#include "judge.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Guests --------------------------------------------------------------- */

enum { HEARD_MOST = 64 * 1024 };

/* What a guest has heard; of a long text only the end is kept. */
static struct guest {
    int fd;
    char heard[HEARD_MOST + 1];
    size_t length;
    size_t received; /* bytes in all */
    const char *expected;
} guests[4];

static void take_in(struct guest *g)
{
    char piece[16 * 1024];
    ssize_t n;

    while ((n = recv(g->fd, piece, sizeof piece, 0)) > 0) {
        size_t more = (size_t)n;

        g->received += more;
        if (g->length + more > HEARD_MOST) {
            size_t drop = HEARD_MOST / 2;

            if (drop > g->length)
                drop = g->length;
            memmove(g->heard, g->heard + drop, g->length - drop);
            g->length -= drop;
        }
        memcpy(g->heard + g->length, piece, more);
        g->length += more;
        g->heard[g->length] = '\0';
    }
    if (n == 0)
        ending = ENDED;
    else if (errno != EAGAIN && errno != EINTR)
        ending = RESET;
}

static bool has_heard(void *guest)
{
    struct guest *g = guest;

    take_in(g);
    return strstr(g->heard, g->expected) != NULL || ending != STILL_THERE;
}

/* Wait until this guest has heard these words; drop everything up to them. */
static bool hears_words(struct guest *g, const char *what)
{
    const instant from = now();
    const size_t before = g->received;
    const char *at;

    g->expected = what;
    ending = STILL_THERE;
    wait_until(has_heard, g, 5 * SECOND);
    at = strstr(g->heard, what);
    note_peer(g->fd, "recv", from, at ? (long long)(g->received - before) : -1);
    if (!at)
        return false;
    at += strlen(what);
    g->length -= (size_t)(at - g->heard);
    memmove(g->heard, at, g->length + 1);
    return true;
}

static struct guest *enter(const char *who)
{
    static size_t count;
    struct guest *g = &guests[count++];

    g->fd = dial(who);
    if (!hears_words(g, "Welcome.") || !hears_words(g, "/quit.\n"))
        diagnosed(g->fd, NOTHING_SENT, "%s was not welcomed", who);
    return g;
}

static bool its_end_came(void *guest)
{
    struct guest *g = guest;

    take_in(g);
    return ending != STILL_THERE;
}

static bool hears_the_end(struct guest *g)
{
    ending = STILL_THERE;
    return wait_until(its_end_came, g, 3 * SECOND);
}

static void say_line(struct guest *g, const char *line)
{
    tell_text(g->fd, line);
}

static void must_hear(struct guest *g, const char *who, const char *what,
                      enum mistake otherwise)
{
    if (!hears_words(g, what))
        diagnosed(g->fd, otherwise, "%s did not hear '%.*s'", who,
                  (int)strcspn(what, "\n"), what);
    step("%s heard '%.*s'", who, (int)strcspn(what, "\n"), what);
}

/* --- Quitting ------------------------------------------------------------- */

static bool was_closed(void *peer)
{
    return closed_on(*(int *)peer);
}

static void must_be_closed(struct guest *g, const char *who)
{
    if (!wait_until(was_closed, &g->fd, 2 * SECOND))
        diagnosed(g->fd, NOT_CLOSED,
                  "%s is gone, and descriptor %d is still open", who,
                  its_fd(g->fd));
}

static void quits(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, "/quit\n");
    must_hear(a, "guest A", "Goodbye.\n", CLOSE_BEFORE_FLUSH);
    if (!hears_the_end(a))
        diagnosed(a->fd, FIN_NOT_SENT,
                  "guest A was told goodbye, and the end never came");
    if (ending == RESET)
        mistake(CLOSE_UNREAD_RST,
                "Guest A quit, and its connection was reset.");
    step("guest A heard the end");
    must_hear(b, "guest B", "has left", NOTHING_SENT);
    close(a->fd);
    must_be_closed(a, "guest A");
    say_line(b, "/who\n");
    must_hear(b, "guest B", "that is you", NOTHING_SENT);
}

static void half_closes(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, "last words\n");
    shutdown(a->fd, SHUT_WR);
    step("guest A ended its sending, and still listens");
    must_hear(b, "guest B", "last words\n", MESSAGE_LOST);
    must_hear(a, "guest A", "Goodbye.\n", HALF_CLOSE);
    if (!hears_the_end(a))
        diagnosed(a->fd, FIN_NOT_SENT,
                  "guest A was told goodbye, and the end never came");
    if (ending == RESET)
        mistake(CLOSE_UNREAD_RST,
                "Guest A ended its sending, and its connection was reset.");
    must_be_closed(a, "guest A");
}

/* A guest quits and goes on sending for a while. */
static void talks_on(void)
{
    static char talk[200 * 1024];

    memset(talk, 'x', sizeof talk);
    for (size_t i = 79; i < sizeof talk; i += 80)
        talk[i] = '\n';
    serve();

    struct guest *a = enter("guest A");

    say_line(a, "/quit\n");
    tell(a->fd, talk, sizeof talk);
    step("guest A sent %zu more bytes without reading any", sizeof talk);
    must_hear(a, "guest A", "Goodbye.\n", CLOSE_UNREAD_RST);
    if (!hears_the_end(a))
        diagnosed(a->fd, FIN_NOT_SENT, "guest A never heard the end");
    nap(50 * MILLISECOND); /* a reset may be on its way */
    if (ending == RESET || send(a->fd, "x", 1, MSG_NOSIGNAL) < 0)
        mistake(CLOSE_UNREAD_RST,
                "Guest A was still sending when its connection was closed: "
                "%s instead of an orderly end.",
                ending == RESET ? "ECONNRESET" : "EPIPE");
    shutdown(a->fd, SHUT_WR);
    must_be_closed(a, "guest A");
}

/* Has the kernel taken all that the program last wanted to send here? */
static bool all_was_taken(int fd)
{
    const struct seen *put = fd >= 0 ? last_send(fd) : NULL;

    return put && put->result == put->asked;
}

/* The goodbye is queued behind much data that the guest has not read yet. */
static void leaves_with_much_to_hear(void)
{
    char line[512];
    const instant deadline = deadline_in(14 * SECOND);

    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    memset(line, 'y', sizeof line - 1);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    accepted(a->fd);
    /* Full once is not enough: the kernel may still move data. */
    for (int refused = 0; refused < 4 && !passed(deadline);) {
        /* Few enough at a time that the program's queue cannot overflow. */
        for (int i = 0; i < 6; i++)
            tell(b->fd, line, sizeof line - 1);
        tell(b->fd, "/who\n", 5);
        if (!hears_words(b, "that is you"))
            diagnosed(b->fd, NOTHING_SENT, "guest B was not answered");
        refused = is_full(a->fd) ? refused + 1 : 0;
        if (refused == 2) /* TCP's timers may move a little more */
            nap(300 * MILLISECOND);
    }
    step("guest B said much, and guest A has not read it");
    say_line(a, "/quit\n");
    hears_words(b, "has left"); /* so the program has read the /quit */
    if (!hears_words(a, "Goodbye.\n")) {
        if (closed_on(a->fd) && !has_ended() && all_was_taken(its_fd(a->fd)))
            mistake(CLOSE_UNREAD_RST,
                    "The kernel had taken all of it, and lost it when the "
                    "connection was closed: guest A did not get its farewell.");
        if (closed_on(a->fd) && !has_ended())
            mistake(CLOSE_BEFORE_FLUSH,
                    "Guest A was closed while it had much to hear: it got "
                    "what the kernel held, and not its farewell.");
        diagnosed(a->fd, CLOSE_BEFORE_FLUSH, "guest A heard no goodbye");
    }
    step("guest A read all of it, and its farewell");
    if (!hears_the_end(a))
        diagnosed(a->fd, FIN_NOT_SENT, "guest A never heard the end");
}

static void waits_for_the_end(void)
{
    serve();

    struct guest *a = enter("guest A");

    say_line(a, "/quit\n");
    must_hear(a, "guest A", "Goodbye.\n", CLOSE_BEFORE_FLUSH);
    must_be_idle("While guest A, told goodbye, has not ended yet,");
}

/* --- A guest who does not read -------------------------------------------- */

static void chats(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, "hello\n");
    must_hear(b, "guest B", "guest1: hello\n", MESSAGE_LOST);
    say_line(b, "hello yourself\n");
    must_hear(a, "guest A", "guest2: hello yourself\n", MESSAGE_LOST);
}

/* Guest A reads nothing, B says numbered lines, and C hears all of them. */
static void deaf_guest(void)
{
    enum { ROUNDS = 4000, AFTERWARDS = 700, LINES = 12 };
    char line[600], expected[64];
    size_t number = 0, before, afterwards = 0;

    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B"),
                 *c = enter("guest C");

    memset(line, 'z', sizeof line - 1);
    before = resident_memory();
    step("guest A reads nothing from now on");
    for (int round = 0;
         round < ROUNDS && afterwards < AFTERWARDS && !has_ended(); round++) {
        for (int i = 0; i < LINES; i++) {
            int length = snprintf(line, sizeof line, "line %zu ", number++);

            line[length] = 'z';
            line[sizeof line - 2] = '\n';
            tell(b->fd, line, sizeof line - 1);
        }
        snprintf(expected, sizeof expected, "guest2: line %zu z", number - 1);
        if (!hears_words(c, expected))
            diagnosed(c->fd, MESSAGE_LOST,
                      "after %s lines guest C did not hear the last one",
                      grouped(number));
        afterwards += is_full(a->fd) || closed_on(a->fd);
        if (afterwards > 100 && closed_on(a->fd))
            break;
        if (resident_memory() > before + ((size_t)6 << 20))
            mistake(NO_BACKPRESSURE,
                    "Guest A reads nothing, guest B said %s lines, and the "
                    "program's memory has grown by %s KiB.",
                    grouped(number),
                    grouped((resident_memory() - before) / 1024));
    }
    step("guest B said %s lines, and guest C heard them", grouped(number));
    if (has_ended())
        diagnosed(-1, PEER_KILLS_SERVER, "guest A reads nothing");

    /* Now A reads: it must get whole lines in order, then the reason why it had
     * to leave. */
    size_t next = 0;
    char *text = enlarged(NULL, (size_t)64 << 20, 1);
    size_t length = 0;

    memcpy(text, a->heard, a->length);
    length = a->length;
    for (int quiet = 0; quiet < 100;) {
        ssize_t n = recv(a->fd, text + length, 65536, 0);

        if (n > 0) {
            length += (size_t)n;
            quiet = 0;
        } else if (n == 0 || errno != EAGAIN) {
            ending = n == 0 ? ENDED : RESET;
            break;
        } else {
            nap(5 * MILLISECOND);
            quiet++;
        }
        if (length > ((size_t)63 << 20))
            break;
    }
    text[length] = '\0';
    step("guest A reads, and gets %s bytes", grouped(length));

    bool told = false;

    for (char *p = text; *p && !told;) {
        size_t size = strcspn(p, "\n");

        if (p[size] == '\0')
            mistake(LINE_TORN,
                    "The last that guest A heard is '%.40s', which "
                    "is not a whole line.",
                    p);
        if (strstr(p, "guest2: line ") == p) {
            size_t said = strtoul(p + strlen("guest2: line "), NULL, 10);
            const char *reason = strstr(p, "* You read too slowly");

            if (reason && reason < p + size)
                mistake(LINE_TORN,
                        "In the middle of line %zu guest A was told why it had "
                        "to leave.",
                        said);

            if (said != next)
                mistake(MESSAGE_LOST,
                        "Guest A heard line %zu, and then line %zu: those in "
                        "between are lost, and it was not told.",
                        next - 1, said);
            if (size < sizeof line - 10)
                mistake(LINE_TORN, "Of line %zu guest A heard %zu bytes only.",
                        said, size);
            next = said + 1;
        } else if (strncmp(p, "* You read too slowly", 21) == 0) {
            told = true;
        } else if (p[0] != '*') {
            mistake(LINE_TORN,
                    "Guest A heard '%.40s', which is not a whole "
                    "line.",
                    p);
        }
        p += size + 1;
    }
    if (!told && next < number)
        mistake(ending == STILL_THERE ? MESSAGE_LOST : CLOSE_BEFORE_FLUSH,
                "Guest A heard %s of %s lines and was not told why there are "
                "no more.",
                grouped(next), grouped(number));
    free(text);
}

/* --- Framing -------------------------------------------------------------- */

static void two_at_once(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, "one\ntwo\nthree\n");
    must_hear(b, "guest B", "guest1: one\n", FRAMING_ONE_RECV);
    must_hear(b, "guest B", "guest1: two\n", LINES_LEFT_OVER);
    must_hear(b, "guest B", "guest1: three\n", LINES_LEFT_OVER);
}

static bool has_received(void *guest)
{
    return unread_by_it(((struct guest *)guest)->fd) == 0;
}

static void in_pieces(void)
{
    const char *pieces[] = {"in ", "three ", "pieces\n"};

    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    for (int i = 0; i < 3; i++) {
        say_line(a, pieces[i]);
        wait_until(has_received, a, SECOND);
        nap(20 * MILLISECOND);
    }
    must_hear(b, "guest B", "guest1: ", NOTHING_SENT);
    if (!hears_words(b, "in three pieces\n"))
        mistake(FRAMING_ONE_RECV,
                "Guest A sent one line in three pieces, and guest B heard "
                "'guest1: %.*s'.",
                (int)strcspn(b->heard, "\n"), b->heard);
    say_line(a, "whole\nand ");
    must_hear(b, "guest B", "guest1: whole\n", FRAMING_ONE_RECV);
    say_line(a, "a half\n");
    must_hear(b, "guest B", "guest1: ", NOTHING_SENT);
    if (!hears_words(b, "and a half\n"))
        mistake(FRAMING_ONE_RECV,
                "A line and a half came at once, then the other half; guest B "
                "heard 'guest1: %.*s'.",
                (int)strcspn(b->heard, "\n"), b->heard);
}

static void without_end(void)
{
    static char endless[100 * 1024];

    memset(endless, 'e', sizeof endless);
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");
    size_t before = resident_memory();

    tell(a->fd, endless, 5000);
    say_line(a, "\n");
    if (!hears_words(a, "* A line has")) {
        take_in(b);
        diagnosed(a->fd, strstr(b->heard, "eee") ? LINE_TOO_LONG : MESSAGE_LOST,
                  "guest A was not told that its line of 5,000 bytes is too "
                  "long");
    }
    step("guest A was told that its line of 5,000 bytes is too long");
    tell(a->fd, endless, sizeof endless);
    step("guest A sent %zu bytes without an end of line", sizeof endless);
    say_line(a, "\nshort again\n");
    b->expected = "short again\n";
    ending = STILL_THERE;
    wait_until(has_heard, b, 5 * SECOND);
    if (!strstr(b->heard, b->expected))
        diagnosed(a->fd, LINE_TOO_LONG,
                  "after a line that is too long guest A is not heard");
    if (strstr(b->heard, "eee"))
        mistake(LINE_TOO_LONG,
                "Of the line that is too long guest B heard pieces: '%.30s'.",
                strstr(b->heard, "eee"));
    must_hear(a, "guest A", "* A line has", MESSAGE_LOST);
    if (resident_memory() > before + ((size_t)4 << 20))
        mistake(NO_BACKPRESSURE,
                "One line without an end made memory grow by "
                "%s KiB.",
                grouped((resident_memory() - before) / 1024));
    step("guest A was told, and is heard again");
}

static void strange_bytes(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    tell(a->fd, "zero\0inside\r\n", 13);
    step("guest A sent a line with a zero byte in it");
    must_hear(b, "guest B", "guest1: ", NOTHING_SENT);
    if (!hears_words(b, "inside"))
        mistake(MESSAGE_LOST,
                "What stands after a zero byte is lost: guest B heard "
                "'guest1: %.*s'.",
                (int)strcspn(b->heard, "\n"), b->heard);
    if (b->heard[0] == '\r')
        mistake(LINE_TORN, "The carriage return is still there.");
    say_line(a, "\033[2J\n");
    must_hear(b, "guest B", "guest1: ", NOTHING_SENT);
    hears_words(b, "\n");
    say_line(a, "/who\n");
    must_hear(a, "guest A", "that is you", NOTHING_SENT);
}

/* --- The checks of each exercise ------------------------------------------ */

#define SERVE "PROGRAM --stop-after 20s 8080 & server=$!; sleep 0.5; "

static const struct check half_close_checks[] = {
    {"chat", "two guests talk", 1, chats,
     SERVE "(echo hello; sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"quit", "a guest says that it leaves", 2, quits,
     SERVE "(echo /quit; sleep 2) | build/bin/chat_client 127.0.0.1 8080; ls "
           "-l /proc/$!/fd"},
    {"half_close", "a guest ends its sending and listens", 3, half_closes,
     SERVE "echo last words | build/bin/chat_client 127.0.0.1 8080"},
    {"much", "a guest quits who has much to hear", 2, leaves_with_much_to_hear,
     SERVE "(sleep 3; echo) | build/bin/bad_peer sleepy 127.0.0.1 8080 & "
           "yes 'a long line' | head -c 8M | build/bin/chat_client 127.0.0.1 "
           "8080 >/dev/null; wait $!"},
    {"talks_on", "a guest quits and goes on sending", 2, talks_on,
     SERVE "(echo /quit; yes | head -c 200000) | build/bin/chat_client "
           "127.0.0.1 8080"},
    {"waits", "a guest quits and stays", 1, waits_for_the_end,
     SERVE "(echo /quit; sleep 3) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 1; ps -o stat,pcpu,args -p $server"},
    {0}};

static const struct check back_pressure_checks[] = {
    {"chat", "two guests talk", 1, chats,
     SERVE "(echo hello; sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"deaf", "a guest does not read", 6, deaf_guest,
     SERVE "(sleep 5; echo) | build/bin/bad_peer sleepy 127.0.0.1 8080 & sleep "
           "0.5; yes 'a long line' | head -c 20M | build/bin/chat_client "
           "127.0.0.1 8080 >/dev/null; wait $!"},
    {"half_close", "a guest ends its sending and listens", 1, half_closes,
     SERVE "echo last words | build/bin/chat_client 127.0.0.1 8080"},
    {0}};

static const struct check framing_checks[] = {
    {"chat", "one line at a time", 1, chats,
     SERVE "(echo hello; sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"at_once", "several lines at once", 3, two_at_once,
     SERVE "(sleep 3; echo /quit) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 0.5; printf 'one\\ntwo\\n' | build/bin/chat_client 127.0.0.1 "
           "8080"},
    {"pieces", "a line in pieces", 3, in_pieces,
     SERVE "(sleep 4; echo /quit) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 0.5; (printf in; sleep 1; echo ' pieces'; sleep 1) | "
           "build/bin/chat_client 127.0.0.1 8080"},
    {"endless", "a line without an end", 2, without_end,
     SERVE "(sleep 3; echo /quit) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 0.5; (head -c 100000 /dev/zero | tr '\\0' e; echo; echo "
           "short; sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"bytes", "strange bytes", 1, strange_bytes,
     SERVE "(sleep 3; echo /quit) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 0.5; (printf 'a\\0b\\n'; sleep 1) | build/bin/chat_client "
           "127.0.0.1 8080"},
    {0}};

const struct exercise chat_exercises[] = {
    {"half_close", half_close_checks, .may_spin = false},
    {"back_pressure", back_pressure_checks, .may_spin = false},
    {"framing", framing_checks, .may_spin = false},
    {0}};
