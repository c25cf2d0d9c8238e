/* SPDX-License-Identifier: MIT */
/*
 * checks_chat - the checks of the chat server.
 */
#define _GNU_SOURCE
#include "judge.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Guests --------------------------------------------------------------- */

enum { HEARD_MOST = 64 * 1024 };

/* How long the exercises let a guest take who is leaving: see half_close.ex. */
#define PATIENCE (2 * SECOND)

/* What a guest has heard; of a long text only the end is kept. */
static struct guest {
    int fd;
    char heard[HEARD_MOST + 1];
    size_t length;
    size_t received; /* bytes in all */
    const char *expected;
    char name[17]; /* which the others see */
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

static bool comes_to_hear(struct guest *g, const char *what)
{
    g->expected = what;
    ending = STILL_THERE;
    wait_until(has_heard, g, 5 * SECOND);
    return strstr(g->heard, what) != NULL;
}

static void forget(struct guest *g)
{
    g->length = 0;
    g->heard[0] = '\0';
}

/* Wait until this guest has heard these words; drop everything up to them. */
static bool hears_words(struct guest *g, const char *what)
{
    const instant from = now();
    const size_t before = g->received;
    const char *at;

    if (!comes_to_hear(g, what)) {
        note_peer(g->fd, "recv", from, -1);
        return false;
    }
    note_peer(g->fd, "recv", from, (long long)(g->received - before));
    at = strstr(g->heard, what);
    at += strlen(what);
    g->length -= (size_t)(at - g->heard);
    memmove(g->heard, at, g->length + 1);
    return true;
}

static struct guest *enter_on(int fd, const char *who)
{
    static size_t count;
    struct guest *g = &guests[count++];

    g->fd = fd;
    if (!hears_words(g, "Welcome.") || !hears_words(g, "/quit.\n"))
        diagnosed(g->fd, NOTHING_SENT, "%s was not welcomed", who);
    return g;
}

static struct guest *enter(const char *who)
{
    return enter_on(dial(who), who);
}

/* Have these words come by now? */
static bool hears_now(struct guest *g, const char *what)
{
    g->expected = what;
    ending = STILL_THERE;
    return wait_until(has_heard, g, SECOND / 2) && strstr(g->heard, what);
}

/* Without a step for each line. */
static void tell_quietly(int fd, const char *line)
{
    tell(fd, line, strlen(line));
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

/* The end comes at once: before the program goes to sleep, and long before its
 * clock. What is ready to run may be late. */
static void must_hear_the_end(struct guest *g, const char *who)
{
    const instant deadline = deadline_in(5 * SECOND);
    struct rest rest = {0};

    ending = STILL_THERE;
    while (!its_end_came(g))
        if (has_ended() || passed(deadline) ||
            (sleeps_on(&rest) && !its_end_came(g)))
            diagnosed(g->fd, FIN_NOT_SENT,
                      "%s was told goodbye, and the end never came", who);
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

/* Words that differ from cohort to cohort. */
static const char *const farewell = "Goodbye.",
                         *const reason = "* You read too slowly",
                         *const too_long = "* A line has";

/* It heard the words of another cohort instead of ours. */
static void must_not_hear_others(const char *who, const char *heard,
                                 const char *words)
{
    const char *others = words_of_others(heard, words);

    if (others)
        mistake(WORD_NOT_KEPT, "Instead of '%s', %s was told '%s'.",
                varied(words), who, others);
}

static bool hears_farewell(struct guest *g, const char *who)
{
    static char line[130];

    snprintf(line, sizeof line, "%s\n", varied(farewell));
    if (hears_words(g, line))
        return true;
    must_not_hear_others(who, g->heard, farewell);
    return false;
}

static void must_hear_farewell(struct guest *g, const char *who,
                               enum mistake otherwise)
{
    if (!hears_farewell(g, who))
        diagnosed(g->fd, otherwise, "%s did not hear '%s'", who,
                  varied(farewell));
    step("%s heard '%s'", who, varied(farewell));
}

/* --- Quitting ------------------------------------------------------------- */

/* A connection that is over on both sides is closed at once: before the program
 * goes to sleep. What is ready to run may be late. */
static void must_be_closed(struct guest *g, const char *who)
{
    const instant deadline = deadline_in(5 * SECOND);
    const duration before = used_cpu();
    struct rest rest = {0};

    while (!closed_on(g->fd))
        if (has_ended() || passed(deadline) ||
            used_cpu() - before > 150 * MILLISECOND ||
            (sleeps_on(&rest) && !closed_on(g->fd)))
            diagnosed(g->fd, NOT_CLOSED,
                      "%s is gone, and descriptor %d is still open", who,
                      its_fd(g->fd));
}

static void quits(void)
{
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, "/quit\n");
    must_hear_farewell(a, "guest A", CLOSE_BEFORE_FLUSH);
    must_hear_the_end(a, "guest A");
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
    must_hear_farewell(a, "guest A", HALF_CLOSE);
    must_hear_the_end(a, "guest A");
    if (ending == RESET)
        mistake(CLOSE_UNREAD_RST,
                "Guest A ended its sending, and its connection was reset.");
    must_be_closed(a, "guest A");
}

/* A guest who does not end its side either is closed by the clock. */
static void must_be_closed_in_time(struct guest *g, const char *who)
{
    instant deadline = deadline_in(PATIENCE + 5 * SECOND);

    while (!closed_on(g->fd) && !has_ended() && !passed(deadline))
        nap(10 * MILLISECOND);
    if (!closed_on(g->fd))
        diagnosed(g->fd, NOT_CLOSED,
                  "%s was to leave, and its connection is still open after "
                  "%.0f s",
                  who, seconds(PATIENCE + 5 * SECOND));
    step("the program closed the connection of %s", who);
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
    must_hear_farewell(a, "guest A", CLOSE_UNREAD_RST);
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

    struct guest *a = enter_on(dial_narrowly("guest A"), "guest A");
    struct guest *b = enter("guest B");

    memset(line, 'y', sizeof line - 1);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    accepted(a->fd);
    /* Full once is not enough: the kernel may still move data. */
    for (int refused = 0; refused < 4 && !passed(deadline);) {
        /* Few enough at a time that the program's queue cannot overflow. */
        for (int i = 0; i < 3; i++)
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
    if (!hears_farewell(a, "guest A")) {
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
    must_hear_farewell(a, "guest A", CLOSE_BEFORE_FLUSH);
    must_hear_the_end(a, "guest A");
    must_be_idle("While guest A, told goodbye, has not ended yet,");
    /* Who has not ended may say more, after a pause as well. */
    for (int i = 0; i < 3; i++) {
        say_line(a, "and another thing\n");
        nap(30 * MILLISECOND);
        if (send(a->fd, "", 0, MSG_NOSIGNAL) < 0 || closed_on(a->fd))
            mistake(CLOSE_UNREAD_RST,
                    "Guest A was told goodbye and has not ended its sending: "
                    "what it said after a pause met a closed connection.");
    }
    step("guest A said more");
    must_be_closed_in_time(a, "guest A");
}

static void resets(void)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    /* Disconnecting a connected socket resets its connection (tcp(7)). */
    if (connect(a->fd, &nobody, sizeof nobody) < 0)
        die("cannot reset a connection");
    step("guest A reset its connection");
    must_hear(b, "guest B", "* guest1 ", PEER_KILLS_SERVER);
    must_be_closed(a, "guest A");
    say_line(b, "/who\n");
    must_hear(b, "guest B", "that is you", NOTHING_SENT);
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

enum { LINE = 599 }; /* bytes of what guest B says, with the newline */

/* Line number n. Returns what the others hear of it. */
static const char *numbered_line(size_t n)
{
    static char line[LINE + 16];
    const int head = snprintf(line, sizeof line, "guest2: line %zu ", n);

    memset(line + head, 'z', LINE + 8 - (size_t)head);
    line[LINE + 7] = '\n';
    line[LINE + 8] = '\0';
    return line;
}

static const char *said_line(size_t n)
{
    return numbered_line(n) + strlen("guest2: ");
}

/* Receive until the end, or until nothing more comes. */
static size_t receive_all(int fd, char *text, size_t most)
{
    size_t length = 0;

    ending = STILL_THERE;
    for (int quiet = 0; quiet < 100 && length < most;) {
        ssize_t n = recv(fd, text + length, most - length, 0);

        if (n > 0) {
            length += (size_t)n;
            quiet = 0;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ending = n == 0 ? ENDED : RESET;
            break;
        } else {
            nap(5 * MILLISECOND);
            quiet++;
        }
    }
    return length;
}

/* What the deaf guest hears when it reads at last: whole lines, in order, then
 * the reason why it has to leave, and nothing after that. Returns the number of
 * lines; *told: it heard the reason. */
static size_t check_what_is_heard(const char *text, size_t length,
                                  bool sent_away, bool *told)
{
    const char *why = varied(reason);
    const size_t why_length = strlen(why);
    size_t next = 0;

    *told = false;
    for (size_t at = 0; at < length;) {
        const char *p = text + at, *line = numbered_line(next);
        const char *newline = memchr(p, '\n', length - at);
        size_t size = newline ? (size_t)(newline - p) + 1 : length - at;

        if (*told && !sent_away)
            mistake(NOT_CLOSED,
                    "Guest A was told that it read too slowly, and went on "
                    "hearing the others.");
        if (*told)
            mistake(LINE_TORN,
                    "After its farewell guest A got %zu bytes more: '%.30s'.",
                    length - at, p);
        if (!newline && ending != STILL_THERE)
            mistake(CLOSE_BEFORE_FLUSH,
                    "The last that guest A got is '%.30s', which is not a "
                    "whole line: it was closed with bytes still to be sent.",
                    p);
        if (size == strlen(line) && memcmp(p, line, size) == 0) {
            next++;
        } else if (size > why_length + 1 && memcmp(p, why, why_length) == 0) {
            if (strlen(p) < size)
                mistake(LINE_TORN, "There is a zero byte in the farewell.");
            *told = true;
        } else if (memmem(p, size, why, why_length)) {
            mistake(LINE_TORN,
                    "In the middle of line %zu guest A was told why it had to "
                    "leave.",
                    next);
        } else if (newline && strncmp(p, "guest2: line ", 13) == 0 &&
                   strtoul(p + 13, NULL, 10) > next && size > LINE) {
            mistake(MESSAGE_LOST,
                    "Before line %lu guest A heard %zu of %lu lines: the "
                    "others are lost, and it was not told.",
                    strtoul(p + 13, NULL, 10), next, strtoul(p + 13, NULL, 10));
        } else if (!newline || strncmp(p, "* guest", 7) != 0) {
            mistake(LINE_TORN,
                    "Guest A heard '%.40s', which is not a whole line.", p);
        }
        at += size;
    }
    return next;
}

/* Of so many bytes for a guest who reads nothing, how many has the program not
 * handed to the kernel? */
static size_t left_with_the_program(int fd, size_t bytes)
{
    int arrived = 0;
    size_t handed_over = unsent_to(fd);

    if (ioctl(fd, FIONREAD, &arrived) == 0)
        handed_over += (size_t)arrived;
    return bytes > handed_over ? bytes - handed_over : 0;
}

/* Guest A reads nothing, and B says lines until the others hear that A leaves,
 * or until they should have. Returns how many lines B said; *sent_away. */
static size_t talk_to_the_deaf(struct guest *a, struct guest *b,
                               struct guest *c, bool *sent_away)
{
    enum { LINES = 7, MOST = 40000, MORE_THAN_A_QUEUE = 48 * 1024 };
    size_t number = 0, kept = 0;
    char last[64];

    *sent_away = false;
    step("guest A reads nothing from now on");
    while (!*sent_away && number < MOST && kept < MORE_THAN_A_QUEUE) {
        char batch[LINES * LINE + 1];

        /* In one piece: then the kernel often takes a part of a line. */
        for (char *p = batch; p + LINE < batch + sizeof batch; p += LINE)
            memcpy(p, said_line(number++), LINE);
        tell(b->fd, batch, sizeof batch - 1);
        snprintf(last, sizeof last, "guest2: line %zu z", number - 1);
        c->expected = last;
        ending = STILL_THERE;
        wait_until(has_heard, c, 5 * SECOND);
        *sent_away = strstr(c->heard, "* guest1 ") != NULL;
        if (!hears_words(c, last))
            diagnosed(c->fd, MESSAGE_LOST,
                      "after %s lines guest C did not hear the last one",
                      grouped(number));
        kept = left_with_the_program(a->fd, number * (size_t)(LINE + 8));
    }
    if (!*sent_away) /* it may be told behind the last line */
        *sent_away = hears_now(c, "* guest1 ");
    return number;
}

static void deaf_guest(void)
{
    enum { MOST = 32 << 20 };
    bool sent_away = false, told = false;
    size_t number, length, heard_lines;

    serve();

    struct guest *a = enter_on(dial_narrowly("guest A"), "guest A");
    struct guest *b = enter("guest B"), *c = enter("guest C");
    char *text = enlarged(NULL, MOST + 1, 1);

    number = talk_to_the_deaf(a, b, c, &sent_away);
    if (has_ended())
        diagnosed(-1, PEER_KILLS_SERVER, "guest A reads nothing");
    step("guest B said %s lines, and guest C heard them%s", grouped(number),
         sent_away ? ", and that guest A leaves" : "");

    memcpy(text, a->heard, a->length);
    length = a->length;
    length += receive_all(a->fd, text + length, MOST - length);
    text[length] = '\0';
    step("guest A reads, and gets %s bytes", grouped(length));
    must_not_hear_others("guest A", text, reason);
    heard_lines = check_what_is_heard(text, length, sent_away, &told);
    free(text);
    if (!sent_away && !told && heard_lines == number)
        mistake(NO_BACKPRESSURE,
                "Guest A read nothing, and all of the %s lines were kept for "
                "it: more than its queue has room for.",
                grouped(number));
    if (!told)
        mistake(ending == STILL_THERE || heard_lines < number
                    ? MESSAGE_LOST
                    : CLOSE_BEFORE_FLUSH,
                "Guest A heard %s of %s lines and was not told why there are "
                "no more.",
                grouped(heard_lines), grouped(number));
    if (ending == RESET)
        mistake(CLOSE_UNREAD_RST,
                "Guest A got its farewell, and then a reset instead of the "
                "end.");
    if (ending != ENDED)
        mistake(NOT_CLOSED,
                "Guest A was told that it read too slowly, and the end never "
                "came.");
    if (!sent_away)
        mistake(WORD_NOT_KEPT,
                "Guest A was sent away, and the others did not hear of it.");
    close(a->fd);
    must_be_closed(a, "guest A");
    say_line(b, "and on\n");
    must_hear(c, "guest C", "guest2: and on\n", MESSAGE_LOST);
}

/* The same, but guest A never reads again. */
static void deaf_for_ever(void)
{
    bool sent_away = false;
    size_t number;

    serve();

    struct guest *a = enter_on(dial_narrowly("guest A"), "guest A");
    struct guest *b = enter("guest B"), *c = enter("guest C");

    number = talk_to_the_deaf(a, b, c, &sent_away);
    if (!sent_away)
        diagnosed(-1, NOT_CLOSED,
                  "guest B said %s lines, and guest A, who reads nothing, was "
                  "not sent away",
                  grouped(number));
    step("guest B said %s lines; guest A is to leave", grouped(number));
    must_be_closed_in_time(a, "guest A");
    say_line(b, "and on\n");
    must_hear(c, "guest C", "guest2: and on\n", MESSAGE_LOST);
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

/* Guest A says something, and guest B has to hear this line, whole. */
static void must_be_heard(struct guest *b, const char *line, const char *what,
                          enum mistake otherwise)
{
    size_t length;

    if (!hears_words(b, "guest1: "))
        diagnosed(b->fd, otherwise, "guest B did not hear %s", what);
    b->expected = "\n";
    ending = STILL_THERE;
    wait_until(has_heard, b, 5 * SECOND);
    length = strcspn(b->heard, "\n");
    if (length != strlen(line) || memcmp(b->heard, line, length) != 0) {
        if (length == strlen(line) + 1 && b->heard[length - 1] == '\r')
            mistake(LINE_TORN, "The carriage return is still there.");
        mistake(otherwise, "Of %s guest B heard '%.60s'.", what, b->heard);
    }
    step("guest B heard %s", what);
}

/* A line of so many bytes; with a pause before its end. */
static void long_line(struct guest *a, char byte, size_t size, const char *end)
{
    static char bytes[4096];

    memset(bytes, byte, size);
    tell(a->fd, bytes, size);
    nap(20 * MILLISECOND);
    tell_quietly(a->fd, end);
    step("guest A sent a line of %zu bytes", size);
}

static void without_end(void)
{
    enum { MOST = 1000 }; /* LINE_MOST */
    static char endless[100 * 1024], whole[MOST + 1];

    memset(endless, 'e', sizeof endless);
    serve();

    struct guest *a = enter("guest A"), *b = enter("guest B");
    size_t before = resident_memory();

    /* The longest line there is, at once and in two pieces. */
    memset(whole, 'm', MOST);
    tell(a->fd, whole, MOST);
    tell_quietly(a->fd, "\n");
    must_be_heard(b, whole, "a line of 1,000 bytes", MESSAGE_LOST);
    long_line(a, 'm', MOST, "\n");
    must_be_heard(b, whole, "a line of 1,000 bytes", MESSAGE_LOST);
    /* One byte more. */
    long_line(a, 'e', MOST + 1, "\n");
    if (!hears_words(a, varied(too_long))) {
        must_not_hear_others("guest A", a->heard, too_long);
        take_in(b);
        diagnosed(a->fd, strstr(b->heard, "eee") ? LINE_TOO_LONG : MESSAGE_LOST,
                  "guest A was not told that its line of 1,001 bytes is too "
                  "long");
    }
    tell(a->fd, endless, 5000);
    say_line(a, "\n");
    if (!hears_words(a, varied(too_long))) {
        must_not_hear_others("guest A", a->heard, too_long);
        take_in(b);
        diagnosed(a->fd, strstr(b->heard, "eee") ? LINE_TOO_LONG : MESSAGE_LOST,
                  "guest A was not told that its line of 5,000 bytes is too "
                  "long");
    }
    step("guest A was told that its line of 5,000 bytes is too long");
    tell(a->fd, endless, sizeof endless);
    step("guest A sent %zu bytes without an end of line", sizeof endless);
    nap(50 * MILLISECOND);
    say_line(a, "tail\nshort again\n");
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
    if (strstr(b->heard, "tail"))
        mistake(LINE_TOO_LONG,
                "The end of a line that is too long was taken for a line: "
                "guest B heard '%.60s'.",
                b->heard);
    must_hear(a, "guest A", varied(too_long), MESSAGE_LOST);
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
    must_be_heard(b, "zero?inside", "a line with a zero byte", MESSAGE_LOST);
    say_line(a, "\033[2J\177\n");
    must_be_heard(b, "?[2J?", "a line with control characters", UNSAFE_BYTES);
    say_line(a, "a\rb\r\r\n");
    must_be_heard(b, "a?b?", "a line with carriage returns", UNSAFE_BYTES);
    /* Letters of other languages, then what is no UTF-8, and CSI in one byte
     * and as a character (ECMA-48, 5.3). */
    say_line(a, "\303\251t\303\251 \342\202\254\n");
    must_be_heard(b, "\303\251t\303\251 \342\202\254",
                  "a line with letters above ASCII", WORD_NOT_KEPT);
    say_line(a, "\377\23331m\302\23331m\303\n");
    must_be_heard(b, "??31m??31m?", "a line with bytes above 127",
                  UNSAFE_BYTES);
    /* What stood there before does not complete a character. */
    say_line(a, "abc\303\251\nabc\303\n");
    must_be_heard(b, "abc\303\251", "a letter at the end of a line",
                  WORD_NOT_KEPT);
    must_be_heard(b, "abc?", "half a letter at the end of a line",
                  UNSAFE_BYTES);
    say_line(a, "\n\r\n/who\n");
    must_hear(a, "guest A", "that is you", NOTHING_SENT);
    take_in(b);
    if (strstr(b->heard, "guest1:"))
        mistake(LINE_TORN,
                "Guest A sent empty lines, and guest B heard '%.30s'.",
                strstr(b->heard, "guest1:"));
    /* Who is leaving is not heard any more. */
    say_line(a, "/quit\nstill here\n");
    must_hear_farewell(a, "guest A", CLOSE_BEFORE_FLUSH);
    say_line(a, "and here\n");
    must_hear(b, "guest B", "* guest1 ", MESSAGE_LOST);
    nap(30 * MILLISECOND);
    take_in(b);
    if (strstr(b->heard, "here"))
        mistake(WORD_NOT_KEPT,
                "Guest A is leaving, and guest B heard what it said after "
                "that.");
}

/* --- A line for one guest alone ------------------------------------------- */

enum { GUESTS = sizeof guests / sizeof guests[0] };

static struct guest *come_in(const char *who)
{
    struct guest *g = enter(who);

    snprintf(g->name, sizeof g->name, "guest%d", (int)(g - guests) + 1);
    return g;
}

static void take_name(struct guest *g, const char *name)
{
    char line[64];

    snprintf(line, sizeof line, "/name %s\n", name);
    say_line(g, line);
    snprintf(line, sizeof line, "is now called %s.\n", name);
    must_hear(g, g->name, line, NOTHING_SENT);
    snprintf(g->name, sizeof g->name, "%.16s", name);
}

/* A name of this length. */
static const char *drawn_name(char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        name[i] = (char)('A' + draw(26));
    name[length] = '\0';
    return name;
}

/* A text as people write it. It begins with a word that nobody else says. */
static char secret[16], drawn[1001];

static const char *drawn_text(void)
{
    snprintf(secret, sizeof secret, "q%07u", draw(10000000));
    snprintf(drawn, sizeof drawn, "%s: at %u,  100 %%s /who %u", secret,
             draw(100), draw(1000));
    return drawn;
}

static void write_to(struct guest *from, const char *name, const char *what)
{
    char line[1100];

    snprintf(line, sizeof line, "/msg %s %s\n", name, what);
    tell(from->fd, line, strlen(line));
    step("%s wrote: /msg %.20s %.40s%s", from->name, name, what,
         strlen(what) > 40 ? "..." : "");
}

/* Who of the others has heard the secret? */
static const struct guest *overheard_by(const struct guest *from,
                                        const struct guest *to)
{
    for (struct guest *g = guests; g < guests + GUESTS; g++) {
        if (g->fd == 0 || g == to || g == from)
            continue;
        take_in(g);
        if (strstr(g->heard, secret))
            return g;
    }
    return NULL;
}

/* A line that all hear comes after what they should not hear. */
static void nobody_else_hears(struct guest *from, const struct guest *to)
{
    char line[32], said[64];
    const struct guest *other;

    snprintf(line, sizeof line, "to all %u\n", draw(1000000));
    snprintf(said, sizeof said, "%s: %s", from->name, line);
    say_line(from, line);
    for (struct guest *g = guests; g < guests + GUESTS; g++) {
        if (g->fd == 0 || g == from)
            continue;
        if (!comes_to_hear(g, said))
            diagnosed(g->fd, NOTHING_SENT, "%s did not hear '%s: to all ...'",
                      g->name, from->name);
    }
    other = overheard_by(from, to);
    if (other)
        mistake(EVERYBODY_HEARS, "%s heard '%.*s'.", other->name,
                (int)strcspn(strstr(other->heard, secret), "\n"),
                strstr(other->heard, secret));
    for (struct guest *g = guests; g < guests + GUESTS; g++)
        if (g->fd != 0 && g != from)
            hears_words(g, said);
}

/* Why did this guest not hear its line? */
NO_RETURN static void not_heard(const struct guest *from, struct guest *to,
                                const char *what, const char *line)
{
    const struct guest *other = overheard_by(from, to);
    const char *found, *last;

    take_in(to);
    found = strstr(to->heard, secret);
    last = strrchr(what, ' ') ? strrchr(what, ' ') : what;
    if (found && strncmp(found, what, strlen(what)) == 0)
        mistake(SENDER_UNKNOWN,
                "%s should hear '%.40s...', and heard '%.60s': that does not "
                "say who wrote it.",
                to->name, line, to->heard);
    if (found || (strstr(to->heard, "(to you): ") && strstr(to->heard, last)))
        mistake(TEXT_CUT,
                "%s should hear all %zu bytes of a text, and heard '%.60s'.",
                to->name, strlen(what), to->heard);
    if (other)
        mistake(WRONG_GUEST, "A line for %s came to %s.", to->name,
                other->name);
    diagnosed(to->fd, MESSAGE_LOST, "%s did not hear '%.40s...'", to->name,
              line);
}

static void must_tell(struct guest *from, struct guest *to, const char *what)
{
    char line[1100];

    write_to(from, to->name, what);
    snprintf(line, sizeof line, "%s (to you): %s\n", from->name, what);
    if (!comes_to_hear(to, line))
        not_heard(from, to, what, line);
    step("%s heard it", to->name);
    snprintf(line, sizeof line, "* %s was told.\n", to->name);
    if (!comes_to_hear(from, line))
        diagnosed(from->fd, NOBODY_TOLD, "%s did not hear '* %s was told.'",
                  from->name, to->name);
    step("%s heard '* %s was told.'", from->name, to->name);
    forget(to);
    forget(from);
    nobody_else_hears(from, to);
}

/* Nobody has this name now. */
static void must_be_unknown(struct guest *from, const char *name)
{
    char line[1000];

    write_to(from, name, drawn_text());
    snprintf(line, sizeof line, "* There is no guest %s.\n", name);
    if (!hears_words(from, line)) {
        const struct guest *other = overheard_by(from, from);

        if (other && strstr(other->heard, "(to you)"))
            mistake(WRONG_GUEST, "A line for %s came to %s.", name,
                    other->name);
        diagnosed(from->fd, NOBODY_TOLD,
                  "%s was not told that there is no guest %.20s", from->name,
                  name);
    }
    step("%s heard that there is no guest %.20s", from->name, name);
    nobody_else_hears(from, from);
}

static void for_one_alone(void)
{
    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B");

    come_in("guest C");
    must_tell(a, b, drawn_text());
    must_tell(b, a, drawn_text());
}

static void alike_names(void)
{
    char name[17], longer[18], shorter[17], other[17];

    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B"),
                 *c = come_in("guest C"), *d = come_in("guest D");

    drawn_name(name, 6);
    snprintf(longer, sizeof longer, "%sx", name);
    snprintf(shorter, sizeof shorter, "%.4s", name);
    take_name(b, name);
    take_name(c, longer);
    take_name(d, shorter);
    must_tell(a, c, drawn_text());
    must_tell(a, d, drawn_text());
    must_tell(a, b, drawn_text());
    take_name(a, drawn_name(other, 16)); /* as long as a name may be */
    must_tell(a, b, drawn_text());
    must_tell(d, a, drawn_text());
}

static void unknown_names(void)
{
    char name[40];

    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B"),
                 *c = come_in("guest C");

    take_name(b, drawn_name(name, 16));
    must_be_unknown(a, "guest2"); /* its old name */
    must_be_unknown(a, "guest");
    snprintf(name, sizeof name, "%sx", b->name);
    must_be_unknown(a, name);
    say_line(c, "/quit\n");
    must_hear(a, "guest A", "guest3 has left.\n", NOTHING_SENT);
    c->fd = 0; /* it stays connected, but hears no more */
    must_be_unknown(a, "guest3");
}

static void without_text(void)
{
    static const char *const lines[] = {
        "/msg\n", "/msg guest2\n", "/msg guest2 \n", "/msg \n", "/msg  \n"};

    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B");

    drawn_text();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        say_line(a, lines[i]);
        if (!hears_words(a, "/msg NAME TEXT"))
            diagnosed(a->fd, NOBODY_TOLD,
                      "guest A wrote '%.*s', and was not told of "
                      "/msg NAME TEXT",
                      (int)strcspn(lines[i], "\n"), lines[i]);
    }
    step("guest A forgot the name or the text %zu times, and was told",
         sizeof lines / sizeof lines[0]);
    must_tell(a, b, drawn_text());
}

static void to_oneself(void)
{
    serve();

    struct guest *a = come_in("guest A");

    come_in("guest B");
    must_tell(a, a, drawn_text());
}

static void long_lines(void)
{
    enum { MUCH_TOO_LONG = 900 };
    char name[MUCH_TOO_LONG + 1];

    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B");

    /* The whole line may have 1,000 bytes. */
    drawn_text();
    for (size_t i = strlen(drawn), end = 1000 - strlen("/msg guest2 ");
         i <= end; i++)
        drawn[i] = i < end ? (char)('a' + draw(26)) : '\0';
    must_tell(a, b, drawn);
    must_be_unknown(a, drawn_name(name, MUCH_TOO_LONG));
    must_tell(b, a, drawn_text());
}

/* Guest A reads nothing, B writes to it, and C has nothing to do with that. */
static void deaf_to_one(void)
{
    enum { ROUNDS = 4000, AFTERWARDS = 100, LINES = 12 };
    char line[600];
    size_t before, number = 0, afterwards = 0;

    serve();

    struct guest *a = come_in("guest A"), *b = come_in("guest B"),
                 *c = come_in("guest C");

    snprintf(line, sizeof line, "/msg guest1 ");
    memset(line + strlen(line), 'z', sizeof line - 1 - strlen(line));
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    before = resident_memory();
    step("guest A reads nothing from now on");
    for (int round = 0; round < ROUNDS && afterwards < AFTERWARDS &&
                        !strstr(c->heard, "sent away");
         round++) {
        for (int i = 0; i < LINES; i++, number++)
            tell(b->fd, line, sizeof line - 1);
        tell(b->fd, "/who\n", 5);
        if (!hears_words(b, "(that is you)"))
            diagnosed(a->fd, NOTHING_SENT,
                      "guest B has written %s lines to guest A, which reads "
                      "nothing, and gets no answer any more",
                      grouped(number));
        take_in(c);
        afterwards += is_full(a->fd);
        if (resident_memory() > before + ((size_t)6 << 20))
            mistake(NO_BACKPRESSURE,
                    "Guest A reads nothing, guest B wrote it %s lines, and the "
                    "program's memory has grown by %s KiB.",
                    grouped(number),
                    grouped((resident_memory() - before) / 1024));
    }
    step("guest B wrote %s lines to guest A", grouped(number));
    if (!hears_words(c, "sent away"))
        diagnosed(-1, MESSAGE_LOST,
                  "guest A does not hear what guest B writes any more, and "
                  "nobody is told");
    step("guest C heard that guest A was sent away");
    a->fd = 0;
    must_be_unknown(b, "guest1");
    must_tell(b, c, drawn_text());
}

/* --- The checks of each exercise ------------------------------------------ */

#define SERVE "PROGRAM --stop-after 20s 8080 & server=$!; sleep 0.5; "
#define TWO_GUESTS                                                             \
    SERVE "(sleep 4; echo /quit) | build/bin/chat_client 127.0.0.1 8080 & "    \
          "sleep 0.5; "
#define TO_BE_HEARD "build/bin/chat_client 127.0.0.1 8080 >/dev/null; wait $!"
/* The sleepy one wakes up when the other one has said all. */
#define SLEEPY                                                                 \
    SERVE "(sleep 0.5; yes 'a long line' | head -c 12M | "                     \
          "build/bin/chat_client 127.0.0.1 8080 >/dev/null; echo) | "          \
          "build/bin/bad_peer sleepy 127.0.0.1 8080"

/* Two guests who listen. */
#define ALONE                                                                  \
    SERVE "for i in 1 2; do (sleep 2; echo /quit) | build/bin/chat_client "    \
          "127.0.0.1 8080 & done; "

static const struct check half_close_checks[] = {
    {"chat", "two guests talk", 1, chats,
     TWO_GUESTS "(echo hello; sleep 1) | " TO_BE_HEARD},
    {"quit", "a guest says that it leaves", 2, quits,
     SERVE "(echo /quit; sleep 2) | build/bin/chat_client 127.0.0.1 8080; ls "
           "-l /proc/$!/fd"},
    {"half_close", "a guest ends its sending and listens", 3, half_closes,
     SERVE "echo last words | build/bin/chat_client 127.0.0.1 8080"},
    {"much", "a guest quits who has much to hear", 2, leaves_with_much_to_hear,
     SLEEPY},
    {"talks_on", "a guest quits and goes on sending", 2, talks_on,
     SERVE "(echo /quit; yes | head -c 200000) | build/bin/chat_client "
           "127.0.0.1 8080"},
    {"reset", "a guest resets its connection", 1, resets,
     SERVE "build/bin/bad_peer reset 127.0.0.1 8080; ls -l /proc/$server/fd"},
    {"waits", "a guest quits and stays", 1, waits_for_the_end,
     SERVE "(echo /quit; sleep 3) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 1; ps -o stat,pcpu,args -p $server"},
    {0}};

static const struct check back_pressure_checks[] = {
    {"chat", "two guests talk", 1, chats,
     TWO_GUESTS "(echo hello; sleep 1) | " TO_BE_HEARD},
    {"deaf", "a guest does not read for a while", 5, deaf_guest, SLEEPY},
    {"never", "a guest never reads again", 2, deaf_for_ever,
     SERVE "build/bin/bad_peer --stop-after 9s never-read 127.0.0.1 8080 & "
           "sleep 0.5; yes 'a long line' | head -c 20M | build/bin/chat_client "
           "127.0.0.1 8080 >/dev/null; sleep 4; ls -l /proc/$server/fd"},
    {"half_close", "a guest ends its sending and listens", 1, half_closes,
     SERVE "echo last words | build/bin/chat_client 127.0.0.1 8080"},
    {0}};

static const struct check framing_checks[] = {
    {"chat", "one line at a time", 1, chats,
     TWO_GUESTS "(echo hello; sleep 1) | " TO_BE_HEARD},
    {"at_once", "several lines at once", 3, two_at_once,
     TWO_GUESTS "printf 'one\\ntwo\\n' | " TO_BE_HEARD},
    {"pieces", "a line in pieces", 3, in_pieces,
     TWO_GUESTS "(printf in; sleep 1; echo ' pieces'; sleep 1) | " TO_BE_HEARD},
    {"endless", "a line without an end", 2, without_end,
     TWO_GUESTS "(head -c 100000 /dev/zero | tr '\\0' e; echo; echo short; "
                "sleep 1) | " TO_BE_HEARD},
    {"bytes", "strange bytes", 1, strange_bytes,
     TWO_GUESTS "(printf 'a\\0b\\n'; sleep 1) | " TO_BE_HEARD},
    {0}};

static const struct check direct_message_checks[] = {
    {"chat", "two guests talk", 1, chats,
     SERVE "(echo hello; sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"alone", "a line for one guest alone", 3, for_one_alone,
     ALONE "(sleep 0.6; echo '/msg guest2 just  you, 100 %s'; sleep 1) | "
           "build/bin/chat_client 127.0.0.1 8080"},
    {"alike", "names that begin alike", 2, alike_names,
     SERVE "(echo /name Ada; sleep 2) | build/bin/chat_client 127.0.0.1 8080 & "
           "sleep 0.2; (echo /name Adam; sleep 2) | build/bin/chat_client "
           "127.0.0.1 8080 & sleep 0.3; (echo '/msg Adam hi'; sleep 1) | "
           "build/bin/chat_client 127.0.0.1 8080"},
    {"unknown", "nobody has this name", 2, unknown_names,
     ALONE "(sleep 0.6; echo '/msg guest hello'; sleep 1) | "
           "build/bin/chat_client 127.0.0.1 8080"},
    {"without", "the name or the text is missing", 1, without_text,
     ALONE "(sleep 0.6; echo /msg; echo /msg guest1; echo '/msg guest1 '; "
           "sleep 1) | build/bin/chat_client 127.0.0.1 8080"},
    {"oneself", "a line to oneself", 1, to_oneself,
     SERVE "(echo '/msg guest1 buy milk'; sleep 1) | build/bin/chat_client "
           "127.0.0.1 8080"},
    {"long", "a long line", 1, long_lines,
     SERVE "(echo \"/msg guest1 $(head -c 988 /dev/zero | tr '\\0' x)\"; "
           "sleep 1) | build/bin/chat_client 127.0.0.1 8080 | grep -o 'xx*' | "
           "wc -c"},
    {"deaf", "a line to a guest who does not read", 2, deaf_to_one,
     SERVE "build/bin/bad_peer never-read 127.0.0.1 8080 & sleep 0.5; "
           "(yes '/msg guest1 a long line' | head -c 20M; sleep 1) | "
           "build/bin/chat_client 127.0.0.1 8080 | sort | uniq -c; "
           "ps -o stat,rss,args -p $server; kill $!"},
    {0}};

const struct exercise chat_exercises[] = {
    {"half_close", half_close_checks, .may_spin = false},
    {"back_pressure", back_pressure_checks, .may_spin = false},
    {"framing", framing_checks, .may_spin = false},
    {"direct_message", direct_message_checks, .may_spin = false},
    {0}};
