/* SPDX-License-Identifier: MIT */
/*
 * checks_first - the checks of a client that works instead of waiting, and of a
 * server that waits for each line only so long.
 */
#define _GNU_SOURCE
#include "judge.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- A client that works instead of waiting ------------------------------- */

static int its_port, our_end;
static char port_text[16];

static bool somebody_came(void *listener)
{
    our_end = accept(*(int *)listener, NULL, NULL);
    return our_end >= 0;
}

/* Start the client with this line to send; wait for its connection, and for the
 * line. */
static void start_asking(const char *line)
{
    char got[64];
    size_t length = 0;
    int listener;
    const instant deadline = deadline_in(5 * SECOND);

    its_port = listening_port(&listener);
    snprintf(port_text, sizeof port_text, "%d", its_port);
    step("a server listens on port %d", its_port);
    start("127.0.0.1", port_text, line);
    if (!wait_until(somebody_came, &listener, 5 * SECOND))
        diagnosed(-1, ENDS_EARLY, "it did not connect");
    set_nonblocking(our_end);
    while (length < strlen(line) + 1 && !passed(deadline) && !has_ended()) {
        ssize_t n = recv(our_end, got, sizeof got, 0);

        length += n > 0 ? (size_t)n : 0;
        nap(MILLISECOND / 2);
    }
    if (length < strlen(line) + 1)
        diagnosed(-1, NOTHING_SENT, "it did not send its line");
    step("it connected and sent its line; the server is silent");
}

/* A line of as many letters as the program sent, drawn. */
static const char *drawn_answer(size_t length)
{
    static char text[64];

    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + draw(26));
    text[length] = '\0';
    return text;
}

static void answer_it(const char *bytes, size_t size)
{
    if (send(our_end, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        diagnosed(-1, ENDS_EARLY, "its connection was closed");
}

/* While the server is silent, it must run, and not wait. */
static void must_work(void)
{
    const duration before = used_cpu();
    int fd, flags;

    /* Let it get into its loop, and run there, also on a busy machine. */
    for (int i = 0; i < 500 && used_cpu() - before < 100 * MILLISECOND &&
                    !is_blocked() && !has_ended();
         i++) {
        nap(4 * MILLISECOND);
        if (i > 100 && is_asleep())
            break;
    }
    if (has_ended())
        diagnosed(-1, EAGAIN_FATAL, "the server is silent for a moment");
    fd = connected_as(its_port);
    flags = flags_of(fd);
    if (is_blocked()) {
        for (int other = 0; other < 3; other++)
            if (flags_of(other) > 0 && (flags_of(other) & O_NONBLOCK) &&
                !(flags & O_NONBLOCK))
                mistake(FLAG_ELSEWHERE,
                        "The server is silent, and the program %s; O_NONBLOCK "
                        "is set on descriptor %d.",
                        doing(), other);
        diagnosed(-1, RECV_BLOCKS, "the server is silent");
    }
    if (is_asleep())
        diagnosed(-1, ASLEEP_IN_LOOP, "the server is silent");
    step("it goes on, and has used %.0f ms of CPU time",
         1e3 * seconds(used_cpu() - before));
    if (flags >= 0 && !(flags & O_NONBLOCK))
        mistake(FLAG_NOT_SET,
                "recv does not wait, but the kernel says that O_NONBLOCK is "
                "not set on descriptor %d: its flags are 0%o.",
                fd, (unsigned)flags);
    if (flags >= 0 && !(flags & O_ASYNC))
        mistake(FLAGS_LOST,
                "O_NONBLOCK is set on descriptor %d, and O_ASYNC, which was "
                "set before, is lost: its flags are 0%o.",
                fd, (unsigned)flags);
    if (flags >= 0)
        step("descriptor %d has O_NONBLOCK, and still O_ASYNC", fd);
}

static bool is_prime(unsigned long long n)
{
    for (unsigned long long d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n > 1;
}

/* It says how many primes it has found, and the largest: that must be so. */
static void must_have_worked(void)
{
    const char *words = varied("prime numbers meanwhile");
    const char *at = strstr(its_words(), words), *line = at;
    unsigned long long found, largest = 0, count = 0;

    if (!at) {
        const char *others =
            words_of_others(its_words(), "prime numbers meanwhile");

        mistake(WORD_NOT_KEPT,
                "At the end it should have said how many '%s', and said '%s'.",
                words, others ? others : last_words());
    }
    while (line > its_words() && line[-1] != '\n')
        line--;
    found = strtoull(line, NULL, 10);
    at = strstr(at, "the largest is ");
    if (at)
        largest = strtoull(at + strlen("the largest is "), NULL, 10);
    if (found < 5) /* a few steps are enough for these */
        mistake(NO_WORK_DONE,
                "It ran all the time, and has found %llu prime numbers.",
                found);
    if (largest > 50000000)
        return; /* to count these takes too long */
    for (unsigned long long n = 2; n <= largest && n < 300000; n++)
        count += is_prime(n);
    if (!is_prime(largest) || (largest < 300000 && count != found) ||
        (largest >= 300000 && found < count))
        mistake(WORD_NOT_KEPT,
                "It says that it has found %llu primes, the largest %llu: that "
                "is not so.",
                found, largest);
    step("it has found %llu primes", found);
}

static void must_end_well(const char *answer)
{
    if (!ends_within(3 * SECOND))
        diagnosed(-1, ENDLESS, "it has the whole answer");
    if (!says(answer))
        diagnosed(-1, ENDS_EARLY, "the answer '%.*s' came, and was not printed",
                  (int)strcspn(answer, "\n"), answer);
    if (!ended_well())
        diagnosed(-1, ENDS_EARLY, "the answer came");
    step("it printed the answer and ended well");
}

static void silent_server(void)
{
    char answer[80];

    start_asking("what is it?");
    must_work();
    snprintf(answer, sizeof answer, "%s\n",
             drawn_answer(strlen("what is it?")));
    answer_it(answer, strlen(answer));
    step("the server answers");
    must_end_well(answer);
    must_have_worked();
}

static void answer_in_pieces(void)
{
    char answer[80];

    start_asking("in three pieces, please");
    snprintf(answer, sizeof answer, "%s\n",
             drawn_answer(strlen("in three pieces, please")));
    for (size_t i = 0; i < 3; i++) {
        must_work();
        answer_it(answer + 8 * i, 8);
        step("8 bytes of 24 come");
    }
    must_end_well(answer);
}

static void server_leaves(void)
{
    start_asking("will you stay?");
    must_work();
    answer_it("no", 2);
    shutdown(our_end, SHUT_WR);
    step("the server sends 2 bytes of 15, and its end");
    if (!ends_within(2 * SECOND))
        diagnosed(-1, EOF_IGNORED, "the server has ended");
    if (exit_status() != 1)
        diagnosed(-1, FAILURE_IS_SUCCESS,
                  "13 bytes are missing, and it says that all is well");
}

static void asked_to_stop(void)
{
    start_asking("may I go?");
    must_work();
    send_signal(SIGTERM);
    step("SIGTERM asks it to stop");
    if (!ends_within(2 * SECOND))
        diagnosed(-1, STOP_IGNORED, "2 s later it is still there");
}

/* --- A server with a deadline for each client ----------------------------- */

/* A busy machine makes everybody late, but by no more than this. */
static const duration slack = 400 * MILLISECOND;

static duration limit;
static char limit_text[32];

/* The time for a line is drawn: nobody can know it before. */
static void serve_for_a_time(unsigned least)
{
    limit = (least + draw(100)) * MILLISECOND;
    snprintf(limit_text, sizeof limit_text, "%lldms",
             (long long)(limit / MILLISECOND));
    serve_with("--limit", limit_text);
    step("each line has to be complete within %s", limit_text);
}

/* A client whose time is running. */
struct timed {
    const char *name;
    int fd;
    instant begins; /* its time begins then, or later */
    char heard[4096];
    size_t length;
    bool over; /* the end came, or a reset */
    instant at;
};

static struct timed *enter(struct timed *t, const char *name)
{
    t->name = name;
    t->begins = now();
    t->fd = strcmp(name, "client A") == 0   ? dial("client A")
            : strcmp(name, "client B") == 0 ? dial("client B")
                                            : dial("a client");
    if (!accepted(t->fd))
        diagnosed(t->fd, LISTENER_UNWATCHED, "%s was not accepted", name);
    return t;
}

static void look(struct timed *t)
{
    while (!t->over) {
        ssize_t n = recv(t->fd, t->heard + t->length,
                         sizeof t->heard - 1 - t->length, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            t->over = true;
            t->at = now();
            return;
        }
        t->length += (size_t)n;
        t->heard[t->length] = '\0';
    }
}

static void must_live(void)
{
    if (has_ended())
        diagnosed(-1, ENDS_EARLY, "a client had a deadline");
}

/* Wait until its end has come; but until this instant at the latest, or longer
 * if processors are scarce. Meanwhile, something is done every 50 ms. */
static bool ends_by(struct timed *t, instant latest,
                    void (*meanwhile)(struct timed *), struct timed *whom)
{
    const duration before = its_delay();
    instant next = now();

    for (;;) {
        /* Look after the time was read: we may lose our processor between. */
        const bool late = now() > latest + 3 * (its_delay() - before);

        look(t);
        if (t->over)
            return true;
        must_live();
        if (late)
            return false;
        if (meanwhile && now() >= next) {
            meanwhile(whom);
            next = now() + 50 * MILLISECOND;
        }
        nap(2 * MILLISECOND);
    }
}

static void must_not_be_early(const struct timed *t, enum mistake early)
{
    if (t->at < t->begins + limit)
        mistake(early,
                "%s had %.3f s for its line, and was sent away after %.3f s.",
                t->name, seconds(limit), seconds(t->at - t->begins));
}

/* Its last line has to be the farewell. */
static void must_be_told(const struct timed *t)
{
    const char *words = varied("Too late.");
    const char *others = words_of_others(t->heard, "Too late.");
    const char *at = strstr(t->heard, words);

    if (at && strcmp(at + strlen(words), "\n") == 0) {
        if (strlen(t->heard) < t->length)
            mistake(WORD_NOT_KEPT, "There is a zero byte behind the farewell.");
        return;
    }
    mistake(WORD_NOT_KEPT,
            "%s was sent away and should have been told '%s' first. It heard "
            "'%.60s'.",
            t->name, words, others ? others : t->heard);
}

/* After its deadline it is still there. Does it leave when something else wakes
 * the program? */
static void is_late(struct timed *t, enum mistake otherwise)
{
    const double had = seconds(limit), after = seconds(now() - t->begins);

    step("%s, who had %.3f s, is still there after %.3f s", t->name, had,
         after);
    if (!has_ended() && is_asleep()) {
        struct timed c = {0};

        enter(&c, "a client");
        tell_text(c.fd, "ping\n");
        if (ends_by(t, now() + 200 * MILLISECOND, NULL, NULL))
            mistake(DEADLINE_UNWATCHED,
                    "%s, who had %.3f s, was still there after %.3f s; it was "
                    "sent away as soon as another client came.",
                    t->name, had, after);
    }
    diagnosed(t->fd, otherwise,
              "%s, who had %.3f s, is still there after %.3f s", t->name, had,
              after);
}

static void two_lines(void)
{
    serve();

    int a = dial("client A");

    ping(a, "client A");
    ping(a, "client A");
    ping(dial("client B"), "client B");
}

static void silent_one(void)
{
    struct timed a = {0};

    serve_for_a_time(450);
    enter(&a, "client A");
    tell_text(a.fd, "half a line");
    step("client A is silent from now on");
    if (!ends_by(&a, a.begins + limit + slack, NULL, NULL))
        is_late(&a, NO_DEADLINE);
    step("client A was sent away after %.3f s", seconds(a.at - a.begins));
    must_not_be_early(&a, GIVES_UP_EARLY);
    must_be_told(&a);
}

static void say_a_line(struct timed *t)
{
    send(t->fd, "line\n", 5, MSG_NOSIGNAL);
    look(t);
}

static void noisy_neighbour(void)
{
    struct timed a = {0}, b = {0};

    serve_for_a_time(450);
    enter(&a, "client A");
    enter(&b, "client B");
    step("client A is silent, and client B sends a line every 50 ms");
    if (!ends_by(&a, a.begins + limit + slack, say_a_line, &b))
        diagnosed(a.fd, WAIT_RESTARTED,
                  "client A had %.3f s, client B sent line after line, and "
                  "client A is still there after %.3f s",
                  seconds(limit), seconds(now() - a.begins));
    step("client A was sent away after %.3f s", seconds(a.at - a.begins));
    must_not_be_early(&a, GIVES_UP_EARLY);
    must_be_told(&a);
}

static void drip(struct timed *t)
{
    send(t->fd, "x", 1, MSG_NOSIGNAL);
}

static void dripping(void)
{
    struct timed a = {0};

    serve_for_a_time(450);
    enter(&a, "client A");
    step("client A sends a byte every 50 ms, and never the end of a line");
    if (!ends_by(&a, a.begins + limit + slack, drip, &a))
        diagnosed(a.fd, DEADLINE_MOVED,
                  "client A had %.3f s for its line, sends a byte now and "
                  "then, and is still there after %.3f s",
                  seconds(limit), seconds(now() - a.begins));
    step("client A was sent away after %.3f s", seconds(a.at - a.begins));
    must_not_be_early(&a, GIVES_UP_EARLY);
    must_be_told(&a);
}

/* The second one comes when half of the first one's time is over. */
static void one_after_the_other(void)
{
    struct timed a = {0}, b = {0};

    serve_for_a_time(1000);
    enter(&a, "client A");
    nap(limit / 2);
    enter(&b, "client B");
    if (!ends_by(&a, a.begins + limit + limit * 3 / 8, NULL, NULL))
        is_late(&a, DEADLINE_SHARED);
    step("client A was sent away after %.3f s", seconds(a.at - a.begins));
    must_not_be_early(&a, GIVES_UP_EARLY);
    if (!ends_by(&b, b.begins + limit + slack, NULL, NULL))
        is_late(&b, DEADLINE_UNWATCHED);
    step("client B was sent away after %.3f s", seconds(b.at - b.begins));
    must_not_be_early(&b, DEADLINE_SHARED);
    must_be_told(&b);
}

static bool got_ping(void *context)
{
    struct timed *t = context;
    const char *end = "ping\n";

    look(t);
    return t->over || (t->length >= strlen(end) &&
                       strcmp(t->heard + t->length - strlen(end), end) == 0);
}

/* Send lines, each in time, although each comes in two pieces; then empty ones.
 * False if we ourselves were late with one, so that nothing is known. */
static bool sends_in_time(struct timed *a)
{
    instant last = now();

    for (int i = 0; i < 12; i++) {
        const bool empty = i >= 6;

        nap(limit / 8);
        if (!empty)
            tell(a->fd, "in ", 3);
        nap(limit / 8);

        const instant from = now();

        tell(a->fd, empty ? "\n" : "time\n", empty ? 1 : 5);
        if (now() - last > limit * 3 / 4)
            return false;
        look(a);
        if (a->over) {
            must_live();
            mistake(DEADLINE_NOT_RENEWED,
                    "Client A had %.3f s for each line and sent one every "
                    "%.3f s%s; it was sent away after %.3f s.",
                    seconds(limit), seconds(limit / 4),
                    empty ? ", in the end empty ones" : "",
                    seconds(a->at - a->begins));
        }
        last = from;
    }
    return true;
}

static void always_in_time(void)
{
    static struct timed a[4];

    serve_for_a_time(900);
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++) {
        enter(&a[i], "client A");
        if (!sends_in_time(&a[i]))
            continue;
        step("client A sent 12 lines, half of them empty, each in time");
        tell_text(a[i].fd, "ping\n");
        if (!wait_until(got_ping, &a[i], SECOND) || a[i].over)
            diagnosed(a[i].fd, NOTHING_SENT,
                      "client A did not get its last echo");
        return;
    }
    step("this machine is too busy to send lines in time");
}

static bool was_closed(void *peer)
{
    return closed_on(*(int *)peer);
}

/* Who comes next gets the descriptor of who has left, but not its deadline. */
static void comes_after(void)
{
    struct timed a = {0}, b = {0};

    serve_for_a_time(600);
    enter(&a, "client A");
    nap(limit / 2);
    shutdown(a.fd, SHUT_WR);
    if (!wait_until(was_closed, &a.fd, 5 * SECOND))
        diagnosed(a.fd, EOF_IGNORED, "client A has left and is not closed");
    step("client A has left");
    enter(&b, "client B");
    if (!ends_by(&b, b.begins + limit + slack, NULL, NULL))
        is_late(&b, NO_DEADLINE);
    step("client B was sent away after %.3f s", seconds(b.at - b.begins));
    must_not_be_early(&b, GIVES_UP_EARLY);
}

/* Poll counts milliseconds: rounded down, the last one of each deadline is a
 * spin, which takes CPU time. */
static void last_millisecond(void)
{
    enum { MANY = 30, MOST_WAITS = 10 * MANY };
    static struct timed t[MANY];

    serve_for_a_time(450);
    for (int i = 0; i < MANY; i++) {
        enter(&t[i], "a client");
        nap(4 * MILLISECOND);
    }

    const duration before = used_cpu();

    for (int i = 0; i < MANY; i++)
        if (!ends_by(&t[i], t[i].begins + limit + slack, NULL, NULL))
            is_late(&t[i], NO_DEADLINE);

    const duration used = used_cpu() - before;

    step("%d clients were sent away one after the other, which took %.3f ms of "
         "CPU time",
         MANY, 1e3 * seconds(used));
    /* Its waits as the witness has seen them make a failure certain; without
     * them it still takes CPU time. */
    if (used > 12 * MILLISECOND || calls_that(is_wait) > MOST_WAITS)
        mistake(SPINS_AT_DEADLINE,
                "To send away %d clients, each at its own deadline, took "
                "%.3f ms of CPU time, and %s waits.",
                MANY, 1e3 * seconds(used), grouped(calls_that(is_wait)));
}

static void sleeps_until_then(void)
{
    serve_with("--limit", "15s");
    must_be_idle("With no client");

    int a = dial("client A"), b = dial("client B");

    accepted(a);
    accepted(b);
    ping(a, "client A");
    must_be_idle("With two silent clients whose time is not over");
}

/* --- The checks of each exercise ------------------------------------------ */

/* The server is silent to this client as long as another one holds it. */
#define SILENT_SERVER                                                          \
    "build/bin/echo_blocking --stop-after 9s 8080 & sleep 0.5; "               \
    "build/bin/echo_client --hold 4s 127.0.0.1 8080 first & sleep 0.5; "       \
    "PROGRAM 127.0.0.1 8080 hello & sleep 1; "

static const struct check ask_checks[] = {
    {"silent", "the server is silent for a while", 4, silent_server,
     SILENT_SERVER "ps -o stat,pcpu,args -p $!; grep flags /proc/$!/fdinfo/3; "
                   "wait $!"},
    {"pieces", "the answer comes in pieces", 2, answer_in_pieces,
     "build/bin/echo_blocking --stop-after 3s 8080 & sleep 0.5; PROGRAM "
     "127.0.0.1 8080 one two"},
    {"ends", "the server ends before it has answered", 2, server_leaves,
     "build/bin/bad_peer hang-up 127.0.0.1 8080 & sleep 0.5; PROGRAM "
     "--stop-after 5s 127.0.0.1 8080 hello; echo status $?"},
    {"stop", "it is asked to stop", 2, asked_to_stop,
     SILENT_SERVER "kill $!; wait $!; echo status $?"},
    {0}};

#define SERVE_2S "PROGRAM --limit 2s --stop-after 20s 8080 & sleep 0.5; "

static const struct check in_time_checks[] = {
    {"lines", "clients send lines", 1, two_lines,
     "PROGRAM --stop-after 20s 8080 & sleep 0.5; build/bin/echo_client "
     "127.0.0.1 8080 one two"},
    {"sleeps", "no client is late yet", 2, sleeps_until_then,
     "PROGRAM --limit 15s --stop-after 20s 8080 & server=$!; sleep 0.5; "
     "build/bin/echo_client --hold 3s 127.0.0.1 8080 A & sleep 2; "
     "ps -o stat,pcpu,args -p $server"},
    {"silent", "a client is silent", 2, silent_one,
     SERVE_2S "sleep 6 | build/bin/chat_client 127.0.0.1 8080"},
    {"neighbour", "a client is silent, and another one is not", 2,
     noisy_neighbour,
     SERVE_2S "(for i in 1 2 3 4 5 6 7 8; do sleep 0.5; echo line; done) | "
              "build/bin/echo_client 127.0.0.1 8080 & "
              "sleep 6 | build/bin/chat_client 127.0.0.1 8080"},
    {"drip", "a client sends byte after byte, and no end of a line", 3,
     dripping,
     SERVE_2S "(for i in 1 2 3 4 5 6 7 8 9; do printf x; sleep 0.5; done) | "
              "build/bin/chat_client 127.0.0.1 8080"},
    {"each", "two clients, one after the other", 2, one_after_the_other,
     SERVE_2S "sleep 6 | build/bin/chat_client 127.0.0.1 8080 & sleep 1; "
              "sleep 6 | build/bin/chat_client 127.0.0.1 8080"},
    {"in_time", "a client ends each line in time", 2, always_in_time,
     SERVE_2S "(for i in 1 2 3 4 5 6; do sleep 1; echo line; done) | "
              "build/bin/chat_client 127.0.0.1 8080"},
    {"next", "a client comes after another one has left", 1, comes_after,
     SERVE_2S "build/bin/echo_client --hold 1s 127.0.0.1 8080 A; "
              "sleep 6 | build/bin/chat_client 127.0.0.1 8080"},
    {"last_ms", "many deadlines, shortly after each other", 2, last_millisecond,
     "PROGRAM --report --limit 500ms --stop-after 3s 8080 & sleep 0.5; "
     "build/bin/bad_peer --count 20 --stop-after 1s crowd 127.0.0.1 8080; "
     "wait $!"},
    {0}};

const struct exercise first_exercises[] = {
    {"ask", ask_checks, .may_spin = true},
    {"in_time", in_time_checks, .may_spin = false},
    {0}};
