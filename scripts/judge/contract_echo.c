/* SPDX-License-Identifier: MIT */
/*
 * contract_echo - the contract of an echo server: what a client sends comes
 * back to it, byte by byte, as soon as it can; after the client has ended its
 * sending, the rest comes back, and then the end.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Asking --------------------------------------------------------------- */

/* What came back, and what should. */
struct reply {
    int peer;
    const char *expected;
    char bytes[64];
    size_t length;
};

static bool is_complete(void *context)
{
    struct reply *r = context;
    const size_t size = strlen(r->expected);
    ssize_t n = recv(r->peer, r->bytes + r->length, size - r->length, 0);

    if (n > 0)
        r->length += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        ending = n == 0 ? ENDED : RESET;
    return ending != STILL_THERE || r->length == size ||
           memcmp(r->bytes, r->expected, r->length) != 0;
}

/* Wait for the echo of these words, of 60 bytes at most. Other words are a
 * verdict. */
static bool comes_back(int peer, const char *who, const char *words)
{
    struct reply r = {.peer = peer, .expected = words};

    ending = STILL_THERE;
    wait_until(is_complete, &r, 10 * SECOND);
    if (memcmp(r.bytes, words, r.length) != 0)
        mistake(WORD_NOT_KEPT, "%s sent '%.*s', and got '%.*s' back.", who,
                (int)strcspn(words, "\n"), words, (int)r.length, r.bytes);
    if (r.length < strlen(words))
        return false;
    step("%s received its echo", who);
    return true;
}

/* Send a line that nobody knows before, and wait for it. */
static bool is_echoed(int peer, const char *who)
{
    char word[24];

    draw_word(word, 12);
    word[12] = '\n';
    word[13] = '\0';
    tell_text(peer, word);
    return comes_back(peer, who, word);
}

static void must_echo(int peer, const char *who, enum mistake otherwise)
{
    if (!is_echoed(peer, who))
        explained(peer, otherwise, "%s did not get its echo", who);
}

/* Send and receive at the same time, as a client with threads would. Returns
 * how much came back; what came is compared with what was sent. */
struct talk {
    int peer;
    const char *who, *bytes;
    char *echo;
    size_t size, sent, most_at_once, received;
    bool over;
};

static bool talked(void *context)
{
    struct talk *t = context;

    for (bool moved = true; moved && !t->over && t->received < t->size;) {
        size_t more = t->size - t->sent;
        ssize_t n = 0;

        moved = false;
        if (more > t->most_at_once)
            more = t->most_at_once;
        if (more > 0)
            n = send(t->peer, t->bytes + t->sent, more, MSG_NOSIGNAL);
        if (n > 0) {
            t->sent += (size_t)n;
            moved = true;
        }
        n = recv(t->peer, t->echo + t->received, t->size + 1 - t->received, 0);
        if (n > 0) {
            const size_t before = t->received;

            t->received += (size_t)n;
            must_be_same(t->who, t->echo, t->received, t->bytes, t->sent,
                         before > 16 ? before - 16 : 0);
            restart_stall_timer();
            moved = true;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ending = n == 0 ? ENDED : RESET;
            t->over = true;
        }
    }
    return t->over || t->received >= t->size;
}

static void must_echo_bytes(int peer, const char *who, const char *bytes,
                            size_t size, size_t most_at_once)
{
    struct talk t = {
        .peer = peer,
        .who = who,
        .bytes = bytes,
        .echo = enlarged(NULL, size + 1, 1),
        .size = size,
        .most_at_once = most_at_once,
    };

    ending = STILL_THERE;
    /* One who takes byte by byte is slow, but not wrong. */
    for (size_t before = SIZE_MAX; t.received < size && before != t.received;) {
        before = t.received;
        if (wait_until(talked, &t, 15 * SECOND))
            break;
    }
    if (t.received == size && memcmp(t.echo, bytes, size) != 0)
        mistake(WORD_NOT_KEPT, "%s got back other bytes than it sent.", who);
    if (t.received < size && ending != STILL_THERE)
        explained(peer, EXISTING_CONNECTION_LOST,
                  "%s got %s of %s bytes, and the connection was %s", who,
                  grouped(t.received), grouped(size),
                  ending == ENDED ? "closed" : "reset");
    const bool is_short = size < 8192 && t.received > 0 && t.received < size;

    if (is_short && bytes[t.received] == '\0')
        explained(peer, WORD_NOT_KEPT,
                  "%s got its echo back up to a zero byte: these bytes are no "
                  "string",
                  who);
    if (is_short && bytes[t.received - 1] == '\n')
        explained(peer, NOTHING_SENT,
                  "%s got its echo back up to the end of a line, and no more: "
                  "a stream has no lines",
                  who);
    if (t.received < size)
        explained(peer, t.received > 0 ? SHORT_SEND : NOTHING_SENT,
                  "%s sent %s bytes, and got %s of them back", who,
                  grouped(t.sent), grouped(t.received));
    free(t.echo);
    step("%s got all of its %s bytes back", who, grouped(size));
}

/* --- One client ----------------------------------------------------------- */

static void alone(void)
{
    serve_contract();

    int a = first_client("client A");
    char words[] = "is anybody there?\n";

    words[0] = (char)('a' + (int)draw(26));
    tell_text(a, words);
    if (!comes_back(a, "client A", words) && ending == STILL_THERE &&
        !has_ended()) {
        shutdown(a, SHUT_WR);
        step("client A got no echo, and ended its sending");
        if (comes_back(a, "client A", words))
            mistake(NOTHING_SENT,
                    "Client A got its echo only after it had ended its "
                    "sending: the contract asks for it as soon as it can.");
    }
    must_echo(a, "client A", NOTHING_SENT);
}

/* All values of a byte, without a line's end: a stream has no lines, and no
 * texts. */
static void all_bytes(void)
{
    char bytes[4096];

    serve_contract();

    int a = first_client("client A");

    draw_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (char)(i + 1); /* the last one is 0 */
    bytes[sizeof bytes - 1] = '.';
    step("client A sends %zu bytes of all values", sizeof bytes);
    must_echo_bytes(a, "client A", bytes, 300, 300);
    must_echo_bytes(a, "client A", bytes + 300, sizeof bytes - 300, 700);
}

static void large(void)
{
    const size_t size = ((size_t)2 << 20) + draw(4096);
    char *bytes = enlarged(NULL, size, 1);

    draw_bytes(bytes, size);
    serve_contract();

    int a = first_client("client A");

    step("client A sends %s bytes, and reads meanwhile", grouped(size));
    must_echo_bytes(a, "client A", bytes, size, (size_t)256 << 10);
    free(bytes);
}

static void pauses(void)
{
    serve_contract();

    int a = first_client("client A");

    tell_text(a, "half a ");
    if (!comes_back(a, "client A", "half a "))
        explained(
            a, NOTHING_SENT,
            "client A did not get back 'half a ', which is no whole line");
    nap((300 + (int)draw(200)) * MILLISECOND);
    step("client A paused");
    tell_text(a, "message\n");
    if (!comes_back(a, "client A", "message\n"))
        explained(a, EXISTING_CONNECTION_LOST,
                  "client A was %s after its pause",
                  ending == STILL_THERE ? "not answered" : "closed");
}

/* --- The end -------------------------------------------------------------- */

/* The end of the connection has to come: closed, and not reset. */
static void must_end(int peer, const char *who)
{
    if (hears_end(peer)) {
        step("%s received the end", who);
        return;
    }
    if (ending == RESET)
        mistake(CLOSE_UNREAD_RST,
                "%s ended its sending, and its connection "
                "was reset.",
                who);
    never_closed("%s has ended its sending, and never heard the end", who);
}

static void half_close(void)
{
    const size_t size = 150000 + draw(50000);
    char *bytes = enlarged(NULL, size, 1);

    draw_bytes(bytes, size);
    serve_contract();

    int a = first_client("client A");

    /* No more than the kernel buffers: all of it can be sent at once. */
    tell(a, bytes, size);
    shutdown(a, SHUT_WR);
    step("client A sent %s bytes and ended its sending", grouped(size));
    if (!hears(a, bytes, size)) {
        if (ending == RESET)
            mistake(CLOSE_UNREAD_RST,
                    "Client A ended its sending and listened on, and its "
                    "connection was reset.");
        explained(a, ending == ENDED ? HALF_CLOSE : CLOSE_BEFORE_FLUSH,
                  "client A ended its sending and listened on, but did not get "
                  "all of its echo");
    }
    step("client A received its %s bytes", grouped(size));
    must_end(a, "client A");
    free(bytes);
}

static bool few_left_open(void *unused)
{
    (void)unused;
    return left_open() < 10;
}

/* Clients come and go: their descriptors have to be closed. */
static void leave(void)
{
    enum { MANY = 20 };

    serve_contract();
    close(first_client("client A"));
    for (int i = 0; i < MANY; i++) {
        int fd = dial("a client");

        if (i % 2 == 0)
            must_echo(fd, "a client", NOTHING_SENT);
        close(fd);
    }
    step("%d clients came and left", MANY + 1);
    if (!wait_until(few_left_open, NULL, 5 * SECOND))
        never_closed("of %d clients that have left, %zu connections are still "
                     "open",
                     MANY + 1, left_open());
    must_echo(dial("the next client"), "the next client", LISTENER_UNWATCHED);
}

/* --- Several clients ------------------------------------------------------ */

static void in_turn(void)
{
    serve_contract();

    int a = first_client("client A");

    must_echo(a, "client A", NOTHING_SENT);

    int b = dial("client B");

    must_echo(a, "client A", NOTHING_SENT);
    close(a);
    step("client A left");
    must_echo(b, "client B", LISTENER_UNWATCHED);
    close(b);
    step("client B left");
    must_echo(dial("client C"), "client C", LISTENER_UNWATCHED);
}

static void silent(void)
{
    serve_contract();

    int a = first_client("client A");

    step("client A stays silent");

    int b = dial("client B");

    if (!is_echoed(b, "client B"))
        not_beside(b, "client B did not get its echo");

    int c = dial("client C");

    if (!is_echoed(c, "client C"))
        not_beside(c, "client C did not get its echo");
    must_echo(b, "client B", CLIENT_UNWATCHED);
    must_echo(a, "client A", CLIENT_UNWATCHED);
}

/* Not peers: there may be ten thousand. */
static int one_of_crowd(size_t number, size_t many)
{
    const instant deadline = deadline_in(5 * SECOND);

    while (!passed(deadline)) {
        int fd = dial_quietly();

        if (fd >= 0)
            return fd;
        if (has_ended())
            break;
        nap(MILLISECOND);
    }
    not_beside(-1, "client %zu of %zu could not connect", number + 1, many);
}

struct hall {
    int *fds;
    size_t many, answered;
    char (*words)[8];
    size_t *heard;
};

static bool hall_answered(void *context)
{
    struct hall *h = context;

    for (size_t i = 0; i < h->many; i++) {
        char piece[8];
        ssize_t n;

        if (h->heard[i] == 8)
            continue;
        n = recv(h->fds[i], piece, 8 - h->heard[i], 0);
        if (n <= 0) {
            if (n == 0 || errno != EAGAIN)
                explained(-1, EXISTING_CONNECTION_LOST,
                          "the connection of client %zu of %zu was %s", i + 1,
                          h->many, n == 0 ? "closed" : "reset");
            continue;
        }
        if (memcmp(piece, h->words[i] + h->heard[i], (size_t)n) != 0)
            mistake(WORD_NOT_KEPT,
                    "Client %zu of %zu got back something else than it sent.",
                    i + 1, h->many);
        h->heard[i] += (size_t)n;
        h->answered += h->heard[i] == 8;
        restart_stall_timer();
    }
    return h->answered == h->many;
}

static void crowd(void)
{
    const size_t many = strictness.clients;
    struct hall h = {
        .fds = enlarged(NULL, many, sizeof *h.fds),
        .words = enlarged(NULL, many, sizeof *h.words),
        .heard = enlarged(NULL, many, sizeof *h.heard),
        .many = many,
    };

    if (raise_descriptor_limit() < many + 64)
        cannot_check("this machine does not allow so many descriptors");
    serve_contract();
    close(first_client("the first client"));
    for (size_t i = 0; i < many; i++) {
        h.fds[i] = one_of_crowd(i, many);
        draw_bytes(h.words[i], 8);
        h.heard[i] = 0;
    }
    step("%s clients connected", grouped(many));
    for (size_t i = many; i-- > 0;)
        tell(h.fds[i], h.words[i], 8);
    step("each of them sent 8 bytes");
    if (!wait_until(hall_answered, &h, 30 * SECOND))
        not_beside(-1, "%s of %s clients got their echo", grouped(h.answered),
                   grouped(many));
    step("each of them received its echo");
    for (size_t i = 0; i < many; i += 2)
        close(h.fds[i]);
    step("every second client left");
    h.answered = 0;
    for (size_t i = 0; i < many; i++) {
        h.heard[i] = i % 2 == 0 ? 8 : 0;
        h.answered += i % 2 == 0;
        if (i % 2 == 1)
            tell(h.fds[i], h.words[i], 8);
    }
    if (!wait_until(hall_answered, &h, 30 * SECOND))
        explained(-1, CLIENT_UNWATCHED, "of those who stayed, %s got no echo",
                  grouped(many - h.answered));
    step("each of those who stayed received its echo");
}

/* --- Demands that options make -------------------------------------------- */

/* More than all buffers between a client's send and its recv (tcp(7)). */
#define MORE_THAN_FITS ((size_t)48 << 20)

/* Send until the server takes no more: it has come to rest, or is busy and gets
 * no further for long. Returns how much it took. */
static size_t send_until_full(int peer, const char *bytes, size_t most)
{
    size_t sent = 0;

    for (int quiet = 0; sent < most && quiet < 100;) {
        ssize_t n = send(peer, bytes + sent, most - sent, MSG_NOSIGNAL);

        if (n > 0) {
            sent += (size_t)n;
            quiet = 0;
        } else {
            nap(20 * MILLISECOND);
            quiet += is_asleep() ? 7 : 1; /* 0.3 s, or 2 s */
        }
    }
    return sent;
}

static void resets(void)
{
    enum { SIZE = 3 << 20, MOST = 48 << 20 };
    char *bytes = enlarged(NULL, SIZE, 1);
    size_t sent = 0;

    draw_bytes(bytes, SIZE);
    serve_contract();

    int a = first_client("client A");

    must_echo(a, "client A", NOTHING_SENT);
    if (many_clients()) {
        int b = dial("client B");

        must_echo(b, "client B", ONE_AT_A_TIME);
        reset_peer(a);
        must_echo(b, "client B", PEER_KILLS_SERVER);
        close(b);
    } else {
        reset_peer(a);
    }

    int c = dial("client C");

    must_echo(c, "client C", PEER_KILLS_SERVER);
    /* It has much to send when the reset comes: it is inside send. */
    while (send_until_full(c, bytes, SIZE) == SIZE && (sent += SIZE) < MOST)
        ;
    step("client C sent much, and read none of its echo");
    reset_peer(c);
    must_echo(dial("client D"), "client D", PEER_KILLS_SERVER);
    free(bytes);
}

static char *much;

static int deaf_client(size_t *sent)
{
    int a = first_client("client A");

    must_echo(a, "client A", NOTHING_SENT);
    much = enlarged(NULL, MORE_THAN_FITS, 1);
    draw_bytes(much, MORE_THAN_FITS);
    *sent = send_until_full(a, much, MORE_THAN_FITS);
    step("client A sent %s bytes and reads none of its echo", grouped(*sent));
    if (has_ended())
        explained(a, ENDS_EARLY, "client A does not read");
    return a;
}

static bool more_comes(void *peer)
{
    struct pollfd p = {.fd = *(int *)peer, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

static void slow_reader(void)
{
    size_t sent, length = 0;
    char *echo = enlarged(NULL, MORE_THAN_FITS, 1);

    serve_contract();

    int a = deaf_client(&sent);

    if (many_clients()) {
        int b = dial("client B");

        must_echo(b, "client B", SEND_BLOCKS);
    }
    step("client A reads");
    ending = STILL_THERE;
    while (length < sent && wait_until(more_comes, &a, 5 * SECOND)) {
        const size_t before = length;
        ssize_t n = recv(a, echo + length, MORE_THAN_FITS - length, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            ending = n == 0 ? ENDED : RESET;
            break;
        }
        length += n > 0 ? (size_t)n : 0;
        must_be_same("client A", echo, length, much, sent,
                     before > 16 ? before - 16 : 0);
    }
    if (length < sent && ending != STILL_THERE)
        explained(a, EXISTING_CONNECTION_LOST,
                  "client A got %s of %s bytes, and the connection was %s",
                  grouped(length), grouped(sent),
                  ending == ENDED ? "closed" : "reset");
    if (length < sent)
        explained(a, SHORT_SEND, "client A got %s of %s bytes", grouped(length),
                  grouped(sent));
    step("client A received all of its %s bytes", grouped(length));
    free(echo);
}

static void bounded_memory(void)
{
    size_t before, sent, grown;

    serve_contract();
    close(first_client("the first client"));
    nap(100 * MILLISECOND);
    before = its_memory();

    int a = dial("client A");

    much = enlarged(NULL, MORE_THAN_FITS, 1);
    draw_bytes(much, MORE_THAN_FITS);
    sent = send_until_full(a, much, MORE_THAN_FITS);
    grown = its_memory() > before ? its_memory() - before : 0;
    step("client A sent %s bytes and reads none of its echo", grouped(sent));
    if (has_ended())
        explained(a, ENDS_EARLY, "client A does not read");
    if (grown > strictness.memory)
        mistake(NO_BACKPRESSURE,
                "Client A reads nothing and sent %s bytes, and the program's "
                "memory has grown by %s KiB.",
                grouped(sent), grouped(grown / 1024));
    step("its memory has grown by %s KiB", grouped(grown / 1024));
}

/* It may still work on what has come, byte by byte. False if it does that for
 * long. */
static bool has_taken_all_it_can(int peer)
{
    const instant deadline = deadline_in(12 * SECOND);
    size_t before = SIZE_MAX;
    int same = 0;

    while (!passed(deadline)) {
        int unsent = 0;
        size_t left;

        if (cpu_demand(300 * MILLISECOND) < 0.2)
            return true;
        ioctl(peer, TIOCOUTQ, &unsent); /* on our side: SIOCOUTQ, tcp(7) */
        left = unread_by_it(peer) + (size_t)unsent;
        same = left == before ? same + 1 : 0;
        if (same == 5)
            return true;
        before = left;
    }
    return false;
}

static void idle(void)
{
    size_t sent;

    serve_contract();

    int a = first_client("client A");

    must_echo(a, "client A", NOTHING_SENT);
    must_rest("With one silent client");
    close(a);
    must_rest("After its only client has left,");
    if (!slow_readers_wanted())
        return;
    a = deaf_client(&sent);
    if (has_taken_all_it_can(a))
        must_rest("While client A reads nothing,");
}

static bool none_left_open(void *unused)
{
    (void)unused;
    return left_open() == 0;
}

static void descriptors(void)
{
    enum { MOST = 40 };
    const size_t more =
        strictness.descriptors < MOST / 2 ? strictness.descriptors : MOST / 2;
    int fds[MOST];
    char echo[64];
    size_t served = 0;

    serve_contract();
    fds[0] = first_client("client 1");
    must_echo(fds[0], "client 1", NOTHING_SENT);
    leave_descriptors(more);
    for (served = 1; served < more + 5; served++) {
        fds[served] = dial("a client");
        if (!is_echoed(fds[served], "a client"))
            break;
    }
    if (has_ended())
        explained(-1, EMFILE_FATAL, "client %zu could not be accepted",
                  served + 1);
    if (served == more + 5) {
        step("%zu clients are served", served);
        return; /* each in a process of its own */
    }
    step("%zu clients are served, and for the next one there is no descriptor",
         served);
    must_echo(fds[0], "client 1", DROPS_A_CLIENT);
    must_echo(fds[served - 1], "the last client", DROPS_A_CLIENT);
    if (idle_wanted() && cpu_demand(400 * MILLISECOND) > 0.4)
        mistake(ACCEPT_EMFILE_SPIN,
                "While it had no descriptor left it used %.0f %% of a core.",
                100 * cpu_demand(400 * MILLISECOND));
    if (served < 2)
        mistake(ONE_AT_A_TIME,
                "With %zu descriptors more than it had, it "
                "serves one client only.",
                more);
    close(fds[1]);
    step("client 2 left");
    /* Who waited is served now; or it was closed, and a new one is served, as
     * soon as the program has closed client 2. */
    ending = STILL_THERE;
    if (wait_until(more_comes, &fds[served], 3 * SECOND) &&
        recv(fds[served], echo, sizeof echo, 0) > 0) {
        step("who waited is served now");
        return;
    }
    close(fds[served]);
    wait_until(none_left_open, NULL, 2 * SECOND);
    for (int tries = 0; tries < 2 && !has_ended(); tries++) {
        int another = dial("another client");

        if (is_echoed(another, "another client"))
            return;
        close(another);
        nap(100 * MILLISECOND);
    }
    explained(-1, LISTENER_UNWATCHED,
              "there is a descriptor again, and no new client is served");
}

static void too_silent(void)
{
    const duration limit = strictness.deadline;

    serve_contract();

    int a = first_client("client A");
    const instant from = now();

    step("client A stays silent; it has to leave after %g s", seconds(limit));

    int b = dial("client B");

    while (now() - from < limit - limit / 4) {
        must_echo(b, "client B", NOTHING_SENT);
        if (more_comes(&a))
            mistake(GIVES_UP_EARLY,
                    "Client A was sent away after %.3f s, before its time.",
                    seconds(now() - from));
        nap(limit / 10);
    }
    while (now() - from < 2 * limit + SECOND && !more_comes(&a)) {
        must_echo(b, "client B", GIVES_UP_EARLY);
        nap(limit / 10);
    }
    if (!more_comes(&a))
        mistake(NO_DEADLINE,
                "Client A has been silent for %.3f s, and is still there.",
                seconds(now() - from));
    step("client A was sent away");
    must_echo(b, "client B", DROPS_A_CLIENT);
}

static void faults(void)
{
    inject_anywhere(strictness.faults);
    serve_contract();
    must_be_injectable();

    int a = first_client("client A");

    step("calls fail: %s", strictness.faults);
    for (int i = 0; i < 12; i++)
        must_echo(a, "client A", EINTR_FATAL);
    must_echo(dial("client B"), "client B", EINTR_FATAL);
}

/* --- The contract --------------------------------------------------------- */

/* timeout ends what the command has started, and bounds the time. */
#define SERVE "timeout 9 PROGRAM & sleep 2; "
#define ONE   SERVE "build/bin/echo_client 127.0.0.1 8080 one two; wait"

static const struct demand echo_demands[] = {
    {NULL, {"alone", "one client", 1, alone, ONE}},
    {NULL,
     {"bytes", "bytes of all values, without a line's end", 2, all_bytes,
      SERVE "build/bin/bad_peer --count 4096 burst 127.0.0.1 8080; wait"}},
    {NULL,
     {"pause", "a client pauses in its message", 1, pauses,
      SERVE "(printf 'half '; sleep 1; echo more) | build/bin/echo_client "
            "127.0.0.1 8080; wait"}},
    {NULL,
     {"large", "a client sends much and reads meanwhile", 2, large,
      SERVE "build/bin/bad_peer --count 2M burst 127.0.0.1 8080; wait"}},
    {NULL,
     {"half_close", "a client ends its sending first, then reads", 2,
      half_close,
      SERVE "build/bin/bad_peer --count 200000 half-close 127.0.0.1 8080; "
            "wait"}},
    {NULL,
     {"leave", "clients come and leave", 2, leave,
      SERVE "build/bin/bad_peer --count 20 vanish 127.0.0.1 8080; "
            "build/bin/echo_client 127.0.0.1 8080 'still there?'; "
            "grep -c ':1F90 .* 08 ' /proc/net/tcp; wait"}},
    {one_client,
     {"in_turn", "clients are served one after the other", 3, in_turn,
      SERVE "build/bin/echo_client 127.0.0.1 8080 A; build/bin/echo_client "
            "127.0.0.1 8080 B; wait"}},
    {many_clients,
     {"silent", "one client is silent, others are not", 3, silent,
      SERVE "build/bin/echo_client --hold 5s 127.0.0.1 8080 A & sleep 1; "
            "build/bin/echo_client --stop-after 3s 127.0.0.1 8080 B; wait"}},
    {many_clients,
     {"crowd", "many clients at once", 3, crowd,
      SERVE "build/bin/bad_peer --count 10 --stop-after 3s crowd 127.0.0.1 "
            "8080; wait"}},
    {resets_wanted,
     {"resets", "clients reset their connections", 3, resets,
      SERVE "build/bin/bad_peer reset 127.0.0.1 8080; build/bin/echo_client "
            "127.0.0.1 8080 'still there?'; wait"}},
    {slow_readers_wanted,
     {"slow_reader", "a client does not read at first", 3, slow_reader,
      SERVE "build/bin/bad_peer --count 16M --stop-after 5s never-read "
            "127.0.0.1 8080 & sleep 1; build/bin/echo_client --stop-after 3s "
            "127.0.0.1 8080 B; wait"}},
    {memory_wanted,
     {"memory", "a client sends much and reads nothing", 2, bounded_memory,
      SERVE "build/bin/bad_peer --count 48M --stop-after 4s never-read "
            "127.0.0.1 8080 & sleep 3; ps -e -o rss,args | grep 8080; wait"}},
    {idle_wanted,
     {"idle", "nothing happens", 3, idle,
      "(timeout 9 PROGRAM & sleep 2; build/bin/echo_client --hold 4s "
      "127.0.0.1 8080 A; wait; times)"}},
    {descriptors_wanted,
     {"descriptors", "no descriptor is left", 3, descriptors,
      "(ulimit -n 40; exec timeout 9 PROGRAM) & sleep 2; build/bin/bad_peer "
      "--count 60 --stop-after 3s crowd 127.0.0.1 8080; "
      "build/bin/echo_client 127.0.0.1 8080 'still there?'; wait"}},
    {deadline_wanted,
     {"deadline", "a client is silent for too long", 2, too_silent,
      SERVE "time build/bin/echo_client --hold 6s 127.0.0.1 8080 A; wait"}},
    {faults_wanted,
     {"faults", "calls fail", 2, faults,
      "LD_PRELOAD=build/bin/../judge/witness.so WB_FAULTS=INJECTED timeout 9 "
      "PROGRAM "
      "& "
      "sleep 2; build/bin/echo_client 127.0.0.1 8080 1 2 3 4 5 6; wait"}},
    {0}};

const struct contract echo_contracts[] = {
    {"echo-server", "sends back what each client sends", echo_demands,
     .memory = (size_t)24 << 20},
    {0}};
