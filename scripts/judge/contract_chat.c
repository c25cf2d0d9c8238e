/* SPDX-License-Identifier: MIT */
/*
 * contract_chat - the contract of a chat server: a line that a guest says comes
 * to all the others, whole, with nothing behind it and anything before it, such
 * as a name. Other lines may come at any time.
 */
#include "contract.h"
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Guests --------------------------------------------------------------- */

enum { HEARD_MOST = 64 * 1024, GUESTS_MOST = 24, WORD = 12 };

/* What a guest has heard; of a long text only the end is kept. */
static struct guest {
    int fd;
    const char *who;
    char heard[HEARD_MOST + 1];
    size_t length;
    const char *expected;
} guests[GUESTS_MOST];

static size_t guest_count;

static void take_in(struct guest *g)
{
    char piece[16 * 1024];
    ssize_t n;

    while ((n = recv(g->fd, piece, sizeof piece, 0)) > 0) {
        const size_t more = (size_t)n;

        if (g->length + more > HEARD_MOST) {
            const size_t keep =
                g->length < HEARD_MOST / 2 ? g->length : HEARD_MOST / 2;

            memmove(g->heard, g->heard + g->length - keep, keep);
            g->length = keep;
        }
        for (size_t i = 0; i < more; i++) /* a zero byte would hide the rest */
            g->heard[g->length + i] = piece[i] ? piece[i] : '?';
        g->length += more;
        g->heard[g->length] = '\0';
        restart_stall_timer();
    }
    if (n == 0)
        ending = ENDED;
    else if (errno != EAGAIN && errno != EINTR)
        ending = RESET;
}

/* Behind these words the line has ended. */
static const char *end_of_line_with(const char *text, const char *what)
{
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what)) {
        const char *rest = at + strlen(what);

        if (rest[0] == '\n' || (rest[0] == '\r' && rest[1] == '\n'))
            return strchr(rest, '\n') + 1;
    }
    return NULL;
}

static bool has_heard(void *guest)
{
    struct guest *g = guest;

    take_in(g);
    return end_of_line_with(g->heard, g->expected) || ending != STILL_THERE;
}

/* Wait until this guest has heard a line that ends with these words; forget
 * everything up to its end. */
static bool hears_line(struct guest *g, const char *what, duration limit)
{
    const char *rest;

    g->expected = what;
    ending = STILL_THERE;
    wait_until(has_heard, g, limit);
    rest = end_of_line_with(g->heard, what);
    if (!rest)
        return false;
    g->length -= (size_t)(rest - g->heard);
    memmove(g->heard, rest, g->length + 1);
    return true;
}

static void say_line(const struct guest *g, const char *words)
{
    char line[1100];

    snprintf(line, sizeof line, "%s\n", words);
    tell(g->fd, line, strlen(line));
}

static void must_hear(struct guest *g, const char *what, enum mistake otherwise)
{
    if (hears_line(g, what, 5 * SECOND)) {
        step("%s heard '%s'", g->who, what);
        return;
    }
    if (strstr(g->heard, what) && !has_ended())
        mistake(LINE_TORN,
                "%s heard '%s', but not as the end of a line: something "
                "follows it, or the line's end is missing.",
                g->who, what);
    explained(g->fd, otherwise, "%s did not hear '%s'", g->who, what);
}

static const char *new_words(void)
{
    static char words[8][WORD + 1];
    static size_t next;
    char *word = words[next++ % 8];

    draw_word(word, WORD);
    return word;
}

/* When a new guest is connected, the server may not know it yet: another one
 * talks until the new one hears it. */
static struct guest *enter(const char *who)
{
    struct guest *g = &guests[guest_count], *other = &guests[0];

    g->who = who;
    g->length = 0;
    g->heard[0] = '\0';
    g->fd = guest_count == 0 ? first_client(who) : dial(who);
    if (strictness.names) {
        char name[32];

        snprintf(name, sizeof name, "guest%zu", guest_count + 1);
        say_line(g, name);
    }
    if (guest_count++ == 0)
        return g;
    for (int tries = 0; tries < 12; tries++) {
        const char *hello = new_words();

        say_line(other, hello);
        if (hears_line(g, hello, tries < 10 ? 150 * MILLISECOND : 2 * SECOND))
            return g;
        if (has_ended() || ending != STILL_THERE)
            break;
    }
    if (strchr(g->heard, '\n') || g->length == 0)
        explained(g->fd, g->length == 0 ? NOTHING_SENT : WORD_NOT_KEPT,
                  "%s does not hear what %s says", who, other->who);
    explained(g->fd, LINE_TORN,
              "%s does not hear what %s says: it heard '%.40s', without the "
              "end of a line",
              who, other->who, g->heard);
}

/* --- The demands ---------------------------------------------------------- */

static void chats(void)
{
    const char *words;

    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    say_line(a, words = new_words());
    must_hear(b, words, MESSAGE_LOST);
    say_line(b, words = new_words());
    must_hear(a, words, MESSAGE_LOST);
}

static void everyone(void)
{
    static char names[GUESTS_MOST][16];
    size_t many = strictness.clients;
    const char *words;

    if (many > GUESTS_MOST)
        many = GUESTS_MOST;
    serve_contract();
    for (size_t i = 0; i < many; i++) {
        snprintf(names[i], sizeof names[i], "guest %zu", i + 1);
        enter(names[i]);
    }
    words = new_words();
    say_line(&guests[many - 1], words);
    step("guest %zu said '%s'", many, words);
    for (size_t i = 0; i < many - 1; i++)
        must_hear(&guests[i], words, MESSAGE_LOST);
}

static void at_once(void)
{
    char lines[3][WORD + 1], all[3 * (WORD + 1) + 1];

    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    for (int i = 0; i < 3; i++)
        draw_word(lines[i], WORD);
    snprintf(all, sizeof all, "%s\n%s\n%s\n", lines[0], lines[1], lines[2]);
    tell(a->fd, all, strlen(all));
    step("guest A said three lines at once");
    /* Each of them is a line of its own: with what stands before a line. */
    must_hear(b, lines[0], FRAMING_ONE_RECV);
    must_hear(b, lines[1], LINES_LEFT_OVER);
    must_hear(b, lines[2], LINES_LEFT_OVER);
}

/* While one guest's line is not complete, another one speaks. */
static void in_pieces(void)
{
    const char *words = new_words(), *others = new_words();
    char whole[WORD + 1];

    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B"),
                 *c = enter("guest C");

    snprintf(whole, sizeof whole, "%s", words);
    tell(a->fd, whole, 5);
    step("guest A sent the first 5 bytes of a line");
    nap(150 * MILLISECOND);
    say_line(c, others);
    step("guest C said a whole line");
    if (!hears_line(b, others, 5 * SECOND))
        explained(b->fd, LINE_TORN, "guest B did not hear it as a line");
    tell(a->fd, whole + 5, 4);
    nap(150 * MILLISECOND);
    tell(a->fd, whole + 9, WORD - 9);
    tell(a->fd, "\n", 1);
    step("guest A sent the rest of its line, in pieces");
    if (!hears_line(b, whole, 3 * SECOND)) {
        if (has_ended() || ending != STILL_THERE)
            explained(b->fd, MESSAGE_LOST, "guest B did not hear guest A");
        mistake(FRAMING_ONE_RECV,
                "Guest A sent the line '%s' in pieces while guest C spoke, and "
                "guest B did not hear that line, but '%.60s'.",
                whole, b->heard);
    }
    step("guest B heard the line whole");
}

static bool its_end_came(void *guest)
{
    take_in(guest);
    return ending != STILL_THERE;
}

/* With nothing unread, or closing were a reset. */
static void leave_in_order(struct guest *g)
{
    ending = STILL_THERE;
    shutdown(g->fd, SHUT_WR);
    wait_until(its_end_came, g, 200 * MILLISECOND);
    close(g->fd);
}

static bool none_left_open(void *unused)
{
    (void)unused;
    return left_open() == 0;
}

static void leaves(void)
{
    const char *words = new_words();

    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B"),
                 *c = enter("guest C");

    say_line(b, words);
    leave_in_order(b);
    step("guest B said '%s' and left", words);
    must_hear(a, words, MESSAGE_LOST);
    must_hear(c, words, MESSAGE_LOST);
    if (!wait_until(none_left_open, NULL, 3 * SECOND))
        never_closed("guest B has left, and its connection is still open");
    words = new_words();
    say_line(c, words);
    must_hear(a, words, PEER_KILLS_SERVER);
}

static void resets(void)
{
    const char *words;

    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B"),
                 *c = enter("guest C");

    reset_peer(b->fd);
    say_line(a, words = new_words());
    must_hear(c, words, PEER_KILLS_SERVER);
    say_line(c, words = new_words());
    must_hear(a, words, PEER_KILLS_SERVER);
}

/* Guest B says so much that the buffers of a guest who does not read are full
 * (tcp(7)), and guest C hears all of it. */
static void say_much(struct guest *b, struct guest *c, size_t most)
{
    enum { LENGTH = 500, LINES = 8 };
    char line[LENGTH + 1];
    size_t said = 0, number = 0;

    memset(line, 'z', LENGTH);
    line[LENGTH] = '\0';
    while (said < most && !has_ended()) {
        const char *words = new_words();

        for (int i = 0; i < LINES; i++) {
            snprintf(line, sizeof line, "%zu ", number++);
            line[strlen(line)] = 'z';
            memcpy(line + LENGTH - WORD, words, WORD);
            say_line(b, line);
            said += LENGTH;
        }
        for (int i = 0; i < LINES; i++)
            if (!hears_line(c, words, 5 * SECOND))
                explained(c->fd,
                          ending == STILL_THERE ? SEND_BLOCKS : DROPS_A_CLIENT,
                          "guest A reads nothing; after %s bytes guest C did "
                          "not hear the next line of guest B",
                          grouped(said));
    }
    step("guest A read nothing, guest B said %s bytes, guest C heard them",
         grouped(said));
}

static void deaf_guest(void)
{
    serve_contract();
    enter("guest A");

    struct guest *b = enter("guest B"), *c = enter("guest C");

    say_much(b, c, (size_t)10 << 20);
    if (has_ended())
        explained(-1, PEER_KILLS_SERVER, "guest A reads nothing");
}

static void must_be_bounded(size_t before, const char *when)
{
    const size_t grown = its_memory() > before ? its_memory() - before : 0;

    if (grown > strictness.memory)
        mistake(NO_BACKPRESSURE, "%s, and its memory has grown by %s KiB.",
                when, grouped(grown / 1024));
    step("its memory has grown by %s KiB", grouped(grown / 1024));
}

static void bounded_memory(void)
{
    const size_t much = 2 * strictness.memory;
    char *endless = enlarged(NULL, much, 1);
    size_t before;

    memset(endless, 'e', much);
    serve_contract();
    enter("guest A");

    struct guest *b = enter("guest B"), *c = enter("guest C"),
                 *d = enter("guest D");

    before = its_memory();
    tell(d->fd, endless, much);
    step("guest D sent up to %s bytes without the end of a line",
         grouped(much));
    nap(100 * MILLISECOND);
    must_be_bounded(before, "One line had no end");
    close(d->fd);
    say_much(b, c, much + ((size_t)6 << 20));
    must_be_bounded(before, "Guest A reads nothing");
    free(endless);
}

static void idle(void)
{
    serve_contract();

    struct guest *a = enter("guest A"), *b = enter("guest B");

    must_rest("While nobody speaks");
    leave_in_order(b);
    must_rest("After a guest has left,");
    close(a->fd);
}

/* --- The contract --------------------------------------------------------- */

#define SERVE  "timeout 9 PROGRAM & sleep 2; "
#define LISTEN "(sleep 5) | build/bin/chat_client 127.0.0.1 8080 & sleep 1; "
#define TALK   "build/bin/chat_client 127.0.0.1 8080; wait"

static const struct demand demands[] = {
    {NULL,
     {"chat", "two guests talk", 3, chats,
      SERVE LISTEN "(echo hello; sleep 1) | " TALK}},
    {many_clients,
     {"everyone", "many guests hear one", 2, everyone,
      SERVE LISTEN LISTEN "(echo hello; sleep 1) | " TALK}},
    {NULL,
     {"at_once", "several lines at once", 3, at_once,
      SERVE LISTEN "(printf 'one\\ntwo\\nthree\\n'; sleep 1) | " TALK}},
    {NULL,
     {"pieces", "a line in pieces, while another guest speaks", 3, in_pieces,
      SERVE LISTEN
      "(sleep 1; echo other; sleep 1) | build/bin/chat_client 127.0.0.1 8080 & "
      "(printf 'in '; sleep 2; echo pieces; sleep 1) | " TALK}},
    {NULL,
     {"leaves", "a guest says something and leaves", 2, leaves,
      SERVE LISTEN "echo 'last words' | " TALK}},
    {resets_wanted,
     {"resets", "a guest resets its connection", 3, resets,
      SERVE LISTEN "build/bin/bad_peer reset 127.0.0.1 8080; (echo hello; "
                   "sleep 1) | " TALK}},
    {slow_readers_wanted,
     {"deaf", "a guest does not read", 3, deaf_guest,
      SERVE "sleep 6 | build/bin/bad_peer sleepy 127.0.0.1 8080 & sleep 1; "
            "yes 'a long line' | head -c 10M | " TALK}},
    {memory_wanted,
     {"memory", "a line without an end, and a guest who does not read", 3,
      bounded_memory,
      SERVE "head -c 20M /dev/zero | tr '\\0' e | build/bin/chat_client "
            "127.0.0.1 8080 >/dev/null & sleep 3; ps -e -o rss,args | grep "
            "8080; wait"}},
    {idle_wanted,
     {"idle", "nobody speaks", 3, idle,
      "(timeout 9 PROGRAM & sleep 2; sleep 4 | build/bin/chat_client "
      "127.0.0.1 8080; wait; times)"}},
    {0}};

const struct contract chat_contracts[] = {
    {"chat-server", "tells each line of a guest to all the others", demands,
     .memory = (size_t)8 << 20},
    {0}};
