/* SPDX-License-Identifier: MIT */
/*
 * contract_client - the contracts of programs that connect: a line client, a
 * sender and a connector.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Our side ------------------------------------------------------------- */

static int connection = -1; /* to the program */

/* What its standard input will be; after that, the end. */
static struct {
    const char *bytes;
    size_t size, fed;
} meal;

static void feed_more(void)
{
    size_t n;

    while (meal.fed < meal.size &&
           (n = feed(meal.bytes + meal.fed, meal.size - meal.fed)) > 0) {
        meal.fed += n;
        restart_stall_timer();
    }
    if (meal.size > 0 && meal.fed == meal.size)
        end_input();
}

static bool somebody_came(void *listener)
{
    feed_more();
    connection = accept(*(int *)listener, NULL, NULL);
    return connection >= 0;
}

/* Start the program as a client, and accept its connection. It may want to read
 * its input first. */
static void start_and_accept(bool with_input)
{
    int listener, port = listening_port(&listener);

    step("a server listens on port %d", port);
    start_client(port, with_input);
    if (!wait_until(somebody_came, &listener, 10 * SECOND)) {
        ends_within(SECOND / 2);
        explained(-1, has_ended() ? ENDS_EARLY : NOTHING_SENT,
                  "it did not connect");
    }
    set_nonblocking(connection);
    set_nodelay(connection);
    close(listener);
    step("it connected");
}

/* Close it so that the peer gets a reset. */
static void reset_connection(int fd)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void must_end_well(duration limit, const char *when)
{
    if (!ends_within(limit))
        explained(-1, ENDLESS, "%s, and it does not end", when);
    if (!ended_well())
        explained(-1, ENDS_EARLY, "%s, and it did not end well", when);
    step("it ended with status 0");
}

/* It may fail, but has to say so by its status. */
static void must_fail(duration limit, const char *when)
{
    if (!ends_within(limit))
        explained(-1, ENDLESS, "%s, and it does not end", when);
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS,
                "%c%s, and its exit status is 0, which says that all is well.",
                when[0] - 32, when + 1);
    if (exit_status() < 0)
        explained(-1, CRASH, "%s", when);
    step("it ended with status %d", exit_status());
}

static void refused(void)
{
    int port = refusing_port();

    step("port %d refuses", port);
    start_client(port, true);
    end_input();
    must_fail(10 * SECOND, "nobody listens there");
}

/* --- A line client -------------------------------------------------------- */

enum { LINE = 40, LINES = 3 };

struct line_from {
    char bytes[LINE + 1];
    size_t length;
};

static bool line_came(void *context)
{
    struct line_from *l = context;
    ssize_t n = recv(connection, l->bytes + l->length, LINE - l->length, 0);

    if (n > 0) {
        l->length += (size_t)n;
        restart_stall_timer();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        ending = n == 0 ? ENDED : RESET;
        return true;
    }
    return l->length > 0 && l->bytes[l->length - 1] == '\n';
}

static void must_send_line(const char *line)
{
    struct line_from got = {.length = 0};

    ending = STILL_THERE;
    wait_until(line_came, &got, 5 * SECOND);
    if (got.length == strlen(line) &&
        memcmp(got.bytes, line, got.length) == 0) {
        step("its line of %zu bytes arrived", got.length);
        return;
    }
    if (got.length == 0 || ending != STILL_THERE)
        explained(-1, NOTHING_SENT,
                  "it read a line, and the line did not arrive");
    mistake(WORD_NOT_KEPT,
            "It read the line '%.*s', and '%.*s' arrived at the server.",
            (int)strcspn(line, "\n"), line, (int)got.length, got.bytes);
}

static const char *awaited;

static bool has_printed(void *unused)
{
    (void)unused;
    return says(awaited) || has_ended();
}

static void must_print(const char *answer)
{
    awaited = answer;
    wait_until(has_printed, NULL, 5 * SECOND);
    if (!says(answer))
        explained(-1, NOTHING_SENT,
                  "the server answered '%.*s', and it did not print that",
                  (int)strcspn(answer, "\n"), answer);
    step("it printed the answer");
}

/* A line and its answer are of the same length and have nothing else in
 * common: who prints what it has read has printed no answer. */
static void draw_line(char *line)
{
    draw_word(line, 12);
    line[12] = '\n';
    line[13] = '\0';
}

static void ask(bool in_pieces)
{
    char line[LINE], answer[LINE];

    draw_line(line);
    draw_line(answer);
    fed_all(line, strlen(line));
    must_send_line(line);
    if (in_pieces) {
        tell(connection, answer, 5);
        nap(150 * MILLISECOND);
        tell(connection, answer + 5, strlen(answer) - 5);
        step("the answer came in two pieces");
    } else {
        tell(connection, answer, strlen(answer));
    }
    must_print(answer);
}

static void leave_in_order(void)
{
    end_input();
    step("its input ended");
    shutdown(connection, SHUT_WR);
    must_end_well(3 * SECOND, "its input has ended");
}

static void lines(void)
{
    start_and_accept(true);
    for (int i = 0; i < LINES; i++)
        ask(false);
    leave_in_order();
}

static void pieces(void)
{
    start_and_accept(true);
    ask(true);
    ask(true);
    leave_in_order();
}

static bool nothing_more(void *unused)
{
    char byte[64];
    ssize_t n;

    (void)unused;
    while ((n = recv(connection, byte, sizeof byte, 0)) > 0)
        ;
    return n == 0 || (errno != EAGAIN && errno != EINTR) || has_ended();
}

/* Its input ends: so does its sending, or the connection. */
static void input_ends(void)
{
    start_and_accept(true);
    ask(false);
    end_input();
    step("its input ended");
    if (!wait_until(nothing_more, NULL, 5 * SECOND))
        explained(-1, FIN_NOT_SENT,
                  "its input has ended, and the server waits for the end of "
                  "the lines");
    step("the server received the end");
    shutdown(connection, SHUT_WR);
    close(connection);
    must_end_well(3 * SECOND, "its input and the connection have ended");
}

static void server_leaves(void)
{
    char line[LINE];

    start_and_accept(true);
    ask(false);
    reset_connection(connection);
    step("the server reset the connection");
    draw_line(line);
    for (int i = 0; i < 2 && !has_ended(); i++) {
        fed_all(line, strlen(line));
        nap(100 * MILLISECOND);
    }
    end_input();
    if (!ends_within(3 * SECOND))
        explained(-1, ENDLESS, "the server is gone, and it does not end");
    if (exit_status() < 0)
        explained(-1, CRASH, "the server reset the connection");
    step("it ended with status %d", exit_status());
}

static void idle(void)
{
    start_and_accept(true);
    ask(false);
    must_rest("While nobody types");
}

/* --- A sender ------------------------------------------------------------- */

struct receiving {
    char *bytes, *expected;
    size_t size, most;
    size_t pace; /* bytes in each look; 0: all that is there */
    bool over;
};

static bool received_all(void *context)
{
    struct receiving *r = context;
    size_t now_most = r->pace > 0 ? r->pace : r->most;

    while (now_most > 0 && !r->over) {
        size_t room = r->most - r->size;
        const size_t before = r->size;
        ssize_t n = recv(connection, r->bytes + r->size,
                         room < now_most ? room : now_most, 0);

        if (n > 0) {
            r->size += (size_t)n;
            now_most -= (size_t)n;
            must_be_same("the receiver", r->bytes, r->size, r->expected,
                         r->most - 1, before > 16 ? before - 16 : 0);
            restart_stall_timer();
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ending = n == 0 ? ENDED : RESET;
            r->over = true;
        } else {
            break;
        }
    }
    return r->over;
}

/* With {size} in the command, the program makes the bytes itself, from our
 * payload's line; otherwise it reads them from its standard input. */
static char *bytes_to_send(size_t size)
{
    char *bytes;

    if (command_has("{size}"))
        return payload_new(size);
    bytes = enlarged(NULL, size, 1);
    draw_bytes(bytes, size);
    return bytes;
}

static bool fed_and_received(void *receiving)
{
    feed_more();
    return received_all(receiving);
}

static void prepare_meal(const char *bytes, size_t size)
{
    if (command_has("{size}"))
        return;
    meal.bytes = bytes;
    meal.size = size;
}

static void receive_all(duration pause, size_t pace)
{
    const size_t size = strictness.size;
    struct receiving receiving = {
        .bytes = enlarged(NULL, size + 1, 1),
        .expected = bytes_to_send(size),
        .most = size + 1,
        .pace = pace,
    };
    struct receiving *r = &receiving;

    prepare_meal(r->expected, size);
    start_and_accept(!command_has("{size}"));
    if (pause > 0) {
        nap(pause);
        step("the receiver has read nothing for %.1f s, and begins",
             seconds(pause));
    }
    ending = STILL_THERE;
    /* After its end there may be much to receive: the kernel still has it. */
    for (int quiet = 0; !r->over && quiet < 25;) {
        const size_t before = r->size;

        wait_until(fed_and_received, r, 20 * SECOND);
        quiet = r->size > before ? 0 : quiet + 1;
        if (quiet > 0)
            nap(20 * MILLISECOND);
        if (quiet > 0 && !has_ended())
            break; /* it is stalled */
    }
    step("%s of %s bytes arrived", grouped(r->size), grouped(size));
    if (r->size == size && memcmp(r->bytes, r->expected, size) != 0)
        mistake(WORD_NOT_KEPT, "Other bytes arrived than it had to send.");
    if (r->size > size)
        mistake(RESENT_FROM_START, "More arrived than it had to send.");
    if (r->size < size && r->over)
        explained(-1, SHORT_SEND,
                  "%s of %s bytes arrived, and it closed the "
                  "connection",
                  grouped(r->size), grouped(size));
    if (r->size < size)
        explained(-1, SHORT_SEND, "%s of %s bytes arrived", grouped(r->size),
                  grouped(size));
    if (!r->over)
        explained(-1, FIN_NOT_SENT,
                  "all bytes arrived, and it does not close the connection");
    close(connection);
    must_end_well(3 * SECOND, "all bytes have arrived");
    free(r->bytes);
    free(r->expected);
}

static void sends_all(void)
{
    receive_all(0, 0);
}

static void slow_receiver(void)
{
    receive_all(700 * MILLISECOND, (size_t)64 << 10);
}

/* After the reset there is more to send: without that, a program could not know
 * that what the kernel had taken never arrived. */
static bool fed_or_ended(void *unused)
{
    (void)unused;
    feed_more();
    return meal.fed == meal.size || has_ended();
}

static void leaving_receiver(void)
{
    const size_t size = strictness.size;
    char *bytes = bytes_to_send(size);
    const instant until = deadline_in(300 * MILLISECOND);

    prepare_meal(bytes, size);
    start_and_accept(!command_has("{size}"));
    while (!passed(until)) {
        if (meal.fed < meal.size / 2)
            feed_more();
        nap(10 * MILLISECOND);
    }
    reset_connection(connection);
    step("the receiver resets the connection");
    wait_until(fed_or_ended, NULL, 10 * SECOND);
    must_fail(5 * SECOND, "the receiver reset the connection");
    free(bytes);
}

/* --- A connector ---------------------------------------------------------- */

static bool deadline_known(void)
{
    return command_has("{deadline}");
}

static duration its_deadline(void)
{
    return strictness.deadline > 0 ? strictness.deadline : SECOND;
}

static void live(void)
{
    int listener, port = listening_port(&listener);
    size_t count = 1;

    step("a server listens on port %d", port);
    start_client(port, true);
    end_input();
    if (!wait_until(somebody_came, &listener, 10 * SECOND)) {
        ends_within(SECOND / 2);
        explained(-1, has_ended() ? ENDS_EARLY : NOTHING_SENT,
                  "it did not connect");
    }
    step("it connected");
    must_end_well(5 * SECOND, "the connection is there");
    while (accept(listener, NULL, NULL) >= 0)
        count++;
    if (count > 1)
        mistake(RECONNECT_STORM, "It made %zu connections instead of one.",
                count);
}

static void silent_server(void)
{
    int listener, port = silent_port(&listener);
    const duration limit = its_deadline();
    instant from;
    duration took;

    step("port %d does not answer, and the deadline is %g s", port,
         seconds(limit));
    start_client(port, true);
    end_input();
    from = now();
    if (!ends_within(limit + 2 * SECOND))
        explained(-1, NO_DEADLINE, "2 s after its deadline it is still there");
    took = now() - from;
    if (took < limit / 2)
        mistake(GIVES_UP_EARLY,
                "It ended after %.3f s, before its deadline of %g s.",
                seconds(took), seconds(limit));
    must_fail(SECOND, "nobody answered");
}

static void late_server(void)
{
    int listener, port;

    strictness.deadline = 6 * SECOND;
    port = silent_port(&listener);
    step("port %d does not answer at first; the deadline is %g s", port,
         seconds(its_deadline()));
    start_client(port, true);
    end_input();
    nap(400 * MILLISECOND);
    while (accept(listener, NULL, NULL) >= 0)
        ;
    step("there is room in its queue now");
    /* The kernel repeats its attempt after one second, then after two more. */
    if (!ends_within(5 * SECOND))
        explained(-1, ENDLESS, "the server answered, and it still waits");
    if (!ended_well())
        mistake(GIVES_UP_EARLY,
                "Its deadline was 6 s, and the server answered after about a "
                "second; it had given up. Its last words: '%s'.",
                last_words());
    step("it ended with status 0");
}

static bool idle_with_deadline(void)
{
    return idle_wanted() && deadline_known();
}

static void waits_idle(void)
{
    int listener, port;

    strictness.deadline = 5 * SECOND;
    port = silent_port(&listener);
    step("port %d does not answer, and the deadline is %g s", port,
         seconds(its_deadline()));
    start_client(port, true);
    end_input();
    nap(300 * MILLISECOND);
    must_rest("While nobody answers");
}

/* --- The contracts -------------------------------------------------------- */

#define ECHO "build/bin/echo_poll --stop-after 9s 8080 & sleep 1; "
#define REFUSE                                                                 \
    "build/bin/bad_peer --stop-after 9s refuse 127.0.0.1 8080 & sleep 1; "
#define SINK   "build/bin/sink --size SIZE --stop-after 9s 8080 & sleep 1; "
#define TARPIT "build/bin/tarpit --stop-after 9s 8080 & sleep 1; "
#define STATUS "; echo status $?"

static const struct demand line_demands[] = {
    {NULL,
     {"lines", "lines and their answers", 3, lines,
      ECHO "(echo one; sleep 1; echo two; sleep 1) | PROGRAM" STATUS}},
    {NULL,
     {"pieces", "an answer comes in pieces", 2, pieces,
      ECHO "(echo one; sleep 1; echo two; sleep 1) | PROGRAM" STATUS}},
    {NULL,
     {"input_ends", "its input ends", 2, input_ends,
      ECHO "(echo one; sleep 1) | timeout 5 PROGRAM" STATUS}},
    {NULL,
     {"refused", "nobody listens", 1, refused, REFUSE "echo | PROGRAM" STATUS}},
    {resets_wanted,
     {"server_leaves", "the server resets the connection", 2, server_leaves,
      "build/bin/bad_peer --stop-after 9s reset-sender 127.0.0.1 8080 & sleep "
      "1; (echo one; sleep 1; echo two; sleep 1; echo three) | "
      "PROGRAM" STATUS}},
    {idle_wanted,
     {"idle", "nobody types", 2, idle, "(" ECHO "sleep 5 | PROGRAM; times)"}},
    {0}};

static const struct demand sender_demands[] = {
    {NULL,
     {"all", "a receiver that reads", 3, sends_all,
      SINK "INPUT PROGRAM" STATUS}},
    {NULL,
     {"slow", "a receiver that takes its time", 4, slow_receiver,
      "build/bin/sink --size SIZE --pause 2s --stop-after 20s 8080 & sleep 1; "
      "INPUT PROGRAM" STATUS}},
    {NULL,
     {"refused", "nobody listens", 1, refused, REFUSE "INPUT PROGRAM" STATUS}},
    {resets_wanted,
     {"leaves", "a receiver that leaves", 2, leaving_receiver,
      "build/bin/bad_peer --count 1M --stop-after 9s reset-sender 127.0.0.1 "
      "8080 & sleep 1; INPUT PROGRAM" STATUS}},
    {0}};

static const struct demand connector_demands[] = {
    {NULL, {"live", "a server that listens", 2, live, ECHO "PROGRAM" STATUS}},
    {NULL,
     {"refused", "a port that refuses", 3, refused, REFUSE "PROGRAM" STATUS}},
    {deadline_known,
     {"silent", "a server that does not answer", 3, silent_server,
      TARPIT "PROGRAM" STATUS}},
    {deadline_known,
     {"late", "a server that answers late", 2, late_server,
      "build/bin/tarpit --release 1s --stop-after 9s 8080 & sleep 0.5; "
      "PATIENT" STATUS}},
    {idle_with_deadline,
     {"idle", "it waits for an answer", 2, waits_idle,
      "(" TARPIT "PATIENT; times)"}},
    {0}};

const struct contract client_contracts[] = {
    {"line-client", "sends the lines of its input, and prints the answers",
     line_demands, .size = 0},
    {"sender", "sends all bytes, however slow the receiver is", sender_demands,
     .size = (size_t)16 << 20}, /* more than all buffers hold (tcp(7)) */
    {"connector", "connects, or says that it could not", connector_demands,
     .size = 0},
    {0}};
