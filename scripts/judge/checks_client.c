/* SPDX-License-Identifier: MIT */
/*
 * checks_client - the checks of programs that connect, send, or classify
 * results of calls.
 */
#include "../exercises/classify_cases.h"
#include "judge.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char port_text[16];

static const char *as_text(int port)
{
    snprintf(port_text, sizeof port_text, "%d", port);
    return port_text;
}

/* --- Connecting ----------------------------------------------------------- */

static bool claims_success(void)
{
    return ended_well() || says("connected after");
}

static bool asked_so_error(const struct seen *s, void *context)
{
    struct {
        uint64_t times;
        int64_t first;
    } *asked = context;

    if (s->call == CALL_getsockopt && s->asked == SO_ERROR) {
        if (asked->times == 0)
            asked->first = s->result;
        asked->times += s->times;
    }
    return true;
}

/* How often SO_ERROR was read, and its first value. */
static uint64_t times_so_error(int64_t *first)
{
    struct {
        uint64_t times;
        int64_t first;
    } asked = {0};

    each_seen(0, asked_so_error, &asked);
    *first = asked.first;
    return asked.times;
}

/* The checks of connecting have its sockets reported. */
static void must_not_storm(void)
{
    const uint64_t sockets =
        has_reports() ? reported(CALL_socket) : calls_of(CALL_socket, -1);

    if (sockets > 4)
        mistake(RECONNECT_STORM, "For one attempt it made %s sockets.",
                grouped(sockets));
}

static void live_server(void)
{
    int listener;
    int port = listening_port(&listener), count = 0;

    step("a server listens on port %d", port);
    have_reported("socket");
    start("--deadline", "5s", "127.0.0.1", as_text(port));
    if (!ends_within(2 * SECOND)) {
        must_not_storm();
        diagnosed(-1, ENDLESS,
                  "the connection is there since long, and it still waits");
    }
    must_not_storm();
    if (!ended_well())
        diagnosed(-1, ENDS_EARLY, "the server was there, and it failed");
    step("it ended well");
    while (accept(listener, NULL, NULL) >= 0)
        count++;
    if (count != 1)
        mistake(RECONNECT_STORM, "It made %d connections instead of one.",
                count);
}

/* Why it cannot connect is drawn at random: it must ask, and tell. */
static void refusing_server(void)
{
    static const int errors[] = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH,
                                 ETIMEDOUT, ECONNRESET};
    const int error = errors[draw(sizeof errors / sizeof errors[0])];
    const char *symbol;
    int port = refusing_port();
    int64_t first;

    refuse_with(error);
    start("--deadline", "5s", "127.0.0.1", as_text(port));
    symbol = error_entry(has_reports() ? error : ECONNREFUSED)->symbol;
    step("port %d refuses, and the program is told %s", port, symbol);
    if (!ends_within(2 * SECOND))
        diagnosed(-1, ENDLESS, "it was refused, and still waits");
    must_not_storm();

    uint64_t times = times_so_error(&first);

    if (claims_success()) {
        if (times > 1 && first != 0)
            mistake(SO_ERROR_TWICE,
                    "The first SO_ERROR was %s, the second one 0: it claims "
                    "to be connected, and nobody listens there.",
                    error_entry((int)first)->symbol);
        if (times > 0 && first == 0)
            mistake(SO_ERROR_EARLY,
                    "SO_ERROR was 0, since the attempt had not ended: it "
                    "claims to be connected, and nobody listens there.");
        mistake(WRITABLE_IS_CONNECTED,
                "It claims to be connected, and nobody listens there; SO_ERROR "
                "was read %s times.",
                grouped(times));
    }
    step("it ended with status %d", exit_status());
    if (exit_status() != 1)
        diagnosed(-1, CRASH, "it was refused");
    if (!says(symbol))
        mistake(calls_that(is_wait) + times == 0 &&
                        calls_of(CALL_connect, -1) == 1
                    ? EINPROGRESS_FATAL
                    : ERROR_NOT_NAMED,
                "It was refused, for %s; its last words were: '%s'.", symbol,
                last_words());
}

static bool has_tried(void *port)
{
    return has_ended() || is_connecting(*(int *)port);
}

static instant started; /* not later than its first attempt */

static bool note_first_socket(const struct report *r, void *unused)
{
    (void)unused;
    started = r->at;
    return false;
}

/* Start it, and wait until its first attempt is under way. */
static void start_connecting(int port, const char *deadline)
{
    have_reported("socket");
    start("--deadline", deadline, "127.0.0.1", as_text(port));
    started = now();
    wait_until(has_tried, &port, 5 * SECOND);
    each_report(note_first_socket, NULL);
}

/* How long it tried, from its first socket to its end. */
static duration tried_for(void)
{
    return its_end() - started;
}

static void silent_server(void)
{
    int listener;
    int port = silent_port(&listener);
    const duration limit = 800 * MILLISECOND;

    step("port %d does not answer, and the deadline is 0.8 s", port);
    start_connecting(port, "800ms");

    const double share = cpu_demand(150 * MILLISECOND);

    if (!ends_within(limit + SECOND)) {
        must_not_storm();
        diagnosed(-1, NO_DEADLINE, "1 s after its deadline it is still there");
    }

    const duration took = tried_for();
    int64_t first;
    uint64_t times = times_so_error(&first);

    step("it ended with status %d", exit_status());
    must_not_storm();
    if (claims_success())
        mistake(times > 0 ? SO_ERROR_EARLY : PENDING_IS_CONNECTED,
                "After %.3f s it claims to be connected, and nobody has "
                "answered.",
                seconds(took));
    if (exit_status() != 1)
        diagnosed(-1, CRASH, "nobody answered");
    if (took < limit - 100 * MILLISECOND) {
        const struct seen *last = last_of(CALL_connect, -1);

        mistake(last && last->error == EALREADY && last->times == 1
                    ? EALREADY_FATAL
                : calls_of(CALL_connect, -1) == 1 && calls_that(is_wait) == 0
                    ? EINPROGRESS_FATAL
                    : GIVES_UP_EARLY,
                "It gave up after %.3f s, before its deadline. connect had "
                "last answered %s.",
                seconds(took), last ? error_entry(last->error)->symbol : "?");
    }
    if (!may_spin() && share > 0.5)
        mistake(BUSY_SPIN, "While it waited it used %.0f %% of a core.",
                100 * share);
}

static void late_server(void)
{
    int listener;
    int port = silent_port(&listener);

    step("port %d does not answer at first", port);
    start_connecting(port, "18s");
    close(accept(listener, NULL, NULL));
    step("there is room in its queue now");
    if (!ends_within(5 * SECOND))
        diagnosed(-1, ENDLESS, "the server answered, and it still waits");
    step("it ended with status %d", exit_status());
    if (!ended_well())
        mistake(GIVES_UP_EARLY,
                "Its deadline was 18 s and the server answered after about "
                "1 s; it had given up. Its last words: '%s'.",
                last_words());
}

static void asked_to_stop(void)
{
    int listener;
    int port = silent_port(&listener);

    step("port %d does not answer, and the deadline is far away", port);
    start_connecting(port, "15s");
    if (!is_connecting(port))
        diagnosed(-1, ENDS_EARLY, "it did not try to connect");
    nap(50 * MILLISECOND);
    send_signal(SIGTERM);
    step("SIGTERM asks it to stop");
    if (!ends_within(1500 * MILLISECOND))
        diagnosed(-1, STOP_IGNORED, "1.5 s later it is still there");
    if (claims_success())
        mistake(PENDING_IS_CONNECTED,
                "It was stopped while it tried, and claims to be connected.");
}

static void told_by_enter(void)
{
    int listener;
    int port = silent_port(&listener), keyboard = give_keyboard();

    step("port %d does not answer, and the deadline is far away", port);
    start_connecting(port, "15s");
    if (!is_connecting(port))
        diagnosed(-1, ENDS_EARLY, "it did not try to connect");
    nap(50 * MILLISECOND);
    if (has_ended() || write(keyboard, "\n", 1) != 1)
        diagnosed(-1, ENDS_EARLY, "nobody had asked it to stop");
    step("Enter asks it to stop");
    if (!ends_within(1500 * MILLISECOND))
        diagnosed(-1, STOP_IGNORED, "1.5 s after Enter it is still there");
    if (claims_success())
        mistake(PENDING_IS_CONNECTED,
                "It was stopped while it tried, and claims to be connected.");
}

static void signals_while_connecting(void)
{
    int listener;
    int port = silent_port(&listener);

    step("port %d does not answer, and the deadline is 1.5 s", port);
    start_connecting(port, "1500ms");
    for (int i = 0; i < 5; i++) {
        nap(20 * MILLISECOND);
        send_signal(SIGUSR1);
    }
    step("5 signals came");
    if (!ends_within(3500 * MILLISECOND))
        diagnosed(-1, NO_DEADLINE, "it is still there after its deadline");
    if (tried_for() < 1200 * MILLISECOND)
        mistake(EINTR_FATAL,
                "Signals came, and it ended after %.3f s, before its deadline. "
                "Its last words: '%s'.",
                seconds(tried_for()), last_words());
}

/* --- Sending -------------------------------------------------------------- */

/* More than the buffers between its send and our recv hold (tcp(7)). */
#define SIZE      ((size_t)32 << 20)
#define SIZE_TEXT "32M"

static int receiver;

static bool somebody_came(void *listener)
{
    receiver = accept(*(int *)listener, NULL, NULL);
    return receiver >= 0;
}

static void start_sender(const char *deadline)
{
    int listener;
    int port = listening_port(&listener);

    step("a receiver listens on port %d", port);
    start("--size", SIZE_TEXT, "--deadline", deadline, "127.0.0.1",
          as_text(port));
    if (!wait_until(somebody_came, &listener, 5 * SECOND))
        diagnosed(-1, ENDS_EARLY, "it did not connect");
    set_nonblocking(receiver);
    step("it connected");
}

struct sends {
    int64_t asked, result; /* of the last one */
    bool any, again_counted, resent;
    uint64_t refused;
};

static bool look_at_send(const struct seen *s, void *context)
{
    struct sends *sends = context;

    if (!is_send(s->call))
        return true;
    if (sends->any && sends->result > 0 && s->asked >= sends->asked)
        sends->resent = true;
    if (sends->any && sends->result == -1 && s->asked > sends->asked)
        sends->again_counted = true;
    if (s->error == EAGAIN)
        sends->refused += s->times;
    sends->any = true;
    sends->asked = s->asked;
    sends->result = s->result;
    return true;
}

/* The buffers are full: its send queue has not grown for a while. */
static bool has_stopped_sending(void *unused)
{
    static size_t unsent;
    static instant since;
    const size_t found = unsent_to(receiver);

    (void)unused;
    if (found != unsent || found == 0) {
        unsent = found;
        since = now();
    }
    return has_ended() || now() - since > 100 * MILLISECOND;
}

/* The receiver reads nothing: whoever sleeps in send now is held by it. */
static void must_not_block(void)
{
    for (int i = 0; i < 5; i++, nap(20 * MILLISECOND))
        if (has_ended() || !is_blocked())
            return;
    mistake(SEND_BLOCKS,
            "While the receiver read nothing, the program was held in one "
            "call: it %s.",
            doing());
}

struct receiving {
    size_t received;
    size_t right; /* up to this one, all bytes were right */
    bool ended;
};

static bool received_all(void *context)
{
    struct receiving *r = context;
    static char piece[256 * 1024];
    ssize_t n;
    const instant until = deadline_in(50 * MILLISECOND);

    while ((n = recv(receiver, piece, sizeof piece, 0)) > 0) {
        if (r->right == r->received)
            r->right += payload_matching(piece, (size_t)n, r->received);
        r->received += (size_t)n;
        if (passed(until))
            return false;
    }
    r->ended = n == 0 || errno != EAGAIN;
    return r->ended;
}

static void must_have_sent_all(void)
{
    struct receiving r = {0};
    struct sends sends = {0};

    while (!wait_until(received_all, &r, 10 * SECOND)) {
        size_t before = r.received;

        received_all(&r);
        if (r.received == before)
            break;
    }
    ends_within(2 * SECOND);
    each_seen(0, look_at_send, &sends);
    step("%s of %s bytes arrived", grouped(r.received), grouped(SIZE));
    if (r.received == SIZE && r.right == SIZE && ended_well())
        return;
    if (has_ended() && !ended_well() && r.received < SIZE)
        diagnosed(-1, GIVES_UP_EARLY, "%s of %s bytes arrived",
                  grouped(r.received), grouped(SIZE));
    if (sends.again_counted)
        mistake(COUNTS_EAGAIN,
                "%s bytes arrived of %s: send was refused, said -1, and after "
                "that was asked to send more than before.",
                grouped(r.received), grouped(SIZE));
    if (r.received > SIZE && r.right >= SIZE)
        mistake(SHORT_SEND,
                "All %s bytes arrived, and then %s more: a count was added to "
                "the start, but the length stayed as it was.",
                grouped(SIZE), grouped(r.received - SIZE));
    /* Whoever sends again sends too many; too few came of those who skip. */
    if (r.right < r.received && r.received < SIZE && ended_well())
        mistake(SHORT_SEND,
                "After byte %s some bytes are missing: send took fewer than it "
                "was given, and the program went on behind all of them.",
                grouped(r.right));
    if (r.right < r.received || sends.resent)
        mistake(
            RESENT_FROM_START,
            "%s bytes arrived of %s: after a part was taken, send was given "
            "the same bytes again.",
            grouped(r.received), grouped(SIZE));
    if (!has_ended())
        diagnosed(-1, ENDLESS, "%s of %s bytes arrived", grouped(r.received),
                  grouped(SIZE));
    mistake(sends.result == -1
                ? (sends.refused > 1 ? GIVES_UP_EARLY : EAGAIN_FATAL)
                : SHORT_SEND,
            "%s of %s bytes arrived. The last send was asked to take %s and "
            "said %s%s; then it ended.",
            grouped(r.received), grouped(SIZE),
            grouped((unsigned long long)sends.asked),
            sends.result == -1 ? "-1 EAGAIN"
                               : grouped((unsigned long long)sends.result),
            sends.refused > 1 ? ", after many refusals" : "");
}

static void slow_receiver(void)
{
    start_sender("15s");
    wait_until(has_stopped_sending, NULL, 2 * SECOND);
    must_not_block();
    step("the receiver has read nothing so far, and begins");
    must_have_sent_all();
}

static void deaf_receiver(void)
{
    start_sender("400ms");
    step("the receiver reads nothing, and the deadline is 0.4 s");
    if (!ends_within(1900 * MILLISECOND))
        diagnosed(-1, NO_DEADLINE,
                  "1.5 s after its deadline it is still there");
    step("it ended with status %d", exit_status());
    if (ended_well())
        mistake(SHORT_SEND,
                "The receiver has read nothing, most of the bytes are still "
                "there, and it says that all is well.");
}

static void interrupted_send(void)
{
    inject("send:EINTR:2+,send:short:3+");
    start_sender("15s");
    must_have_sent_all();
}

static void leaving_receiver(void)
{
    const struct linger at_once = {.l_onoff = 1};

    start_sender("15s");
    wait_until(has_stopped_sending, NULL, 2 * SECOND);
    setsockopt(receiver, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(receiver);
    step("the receiver resets the connection");
    if (!ends_within(2 * SECOND))
        diagnosed(-1, ENDLESS, "nobody is there any more, and it goes on");
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS,
                "The receiver reset the connection, and it says that all is "
                "well.");
    if (exit_status() != 1)
        diagnosed(-1, CRASH, "the receiver reset the connection");
}

/* --- Retries -------------------------------------------------------------- */

enum { TRIES = 14, BASE_MS = 5, CAP_MS = 150, MOST_TRIES = 256 };

static const duration cap = CAP_MS * MILLISECOND;

struct tries {
    unsigned port;
    size_t total; /* of which some are kept */
    size_t count;
    instant at[MOST_TRIES];
    duration late[MOST_TRIES]; /* see struct report */
};

static void add_try(struct tries *tries, instant at, duration late)
{
    if (tries->count < MOST_TRIES) {
        tries->late[tries->count] = late;
        tries->at[tries->count++] = at;
    }
}

static bool note_report(const struct report *r, void *context)
{
    struct tries *tries = context;

    if (r->call == CALL_connect && r->port == tries->port)
        add_try(tries, r->at, r->late);
    return true;
}

static bool note_seen(const struct seen *s, void *context)
{
    for (uint64_t i = 0; s->call == CALL_connect && i < s->times; i++)
        add_try(context, s->began, 0);
    return true;
}

/* Its attempts to connect to this port so far. */
static struct tries tries_at(int port)
{
    struct tries tries = {.port = (unsigned)port};

    if (has_reports())
        each_report(note_report, &tries);
    else
        each_seen(0, note_seen, &tries);
    tries.total =
        has_reports() ? reported(CALL_connect) : calls_of(CALL_connect, -1);
    return tries;
}

/* The time between two tries, less what a busy machine has added to it. */
static duration gap(const struct tries *tries, size_t i)
{
    return tries->at[i + 1] - tries->at[i] -
           (tries->late[i + 1] - tries->late[i]);
}

static void must_keep_cap(const struct tries *tries)
{
    for (size_t i = 0; i + 1 < tries->count; i++)
        if (gap(tries, i) > 6 * cap + delayed())
            mistake(NO_CAP,
                    "The pause after try %zu took %.0f ms, and the cap is %d "
                    "ms.",
                    i + 1, seconds(gap(tries, i)) * 1e3, CAP_MS);
}

/* A pause that is too long shows before it ends. */
static bool ended_or_pausing_long(int port)
{
    const struct tries tries = tries_at(port);

    if (has_ended())
        return true;
    return tries.count > 0 && is_asleep() &&
           now() - tries.at[tries.count - 1] > SECOND + 2 * delayed();
}

static void dead_server(void)
{
    struct tries tries;
    int port = refusing_port();
    instant deadline = deadline_in(8 * SECOND);

    have_reported("connect");

    step("port %d refuses; %d tries, pauses from %d ms to %d ms", port, TRIES,
         BASE_MS, CAP_MS);
    start("--tries", "14", "--base", "5ms", "--cap", "150ms", "--deadline",
          "15s", "127.0.0.1", as_text(port));
    while (!ended_or_pausing_long(port) && !passed(deadline))
        nap(5 * MILLISECOND);
    tries = tries_at(port);
    step("it tried %zu times", tries.total);
    must_keep_cap(&tries);
    if (!has_ended() && tries.count < TRIES)
        mistake(NO_CAP,
                "After try %zu it has been pausing for more than a second, and "
                "the cap is %d ms.",
                tries.count, CAP_MS);
    if (tries.count > TRIES ||
        (!has_ended() && tries.count == TRIES && !ends_within(SECOND))) {
        if (tries.count > TRIES)
            mistake(ENDLESS, "It tried %zu times, and %d were allowed.",
                    tries.total, TRIES);
        mistake(SLEEPS_AFTER_LAST,
                "It has made its last try, and pauses for whom?");
    }
    if (tries.count < TRIES)
        diagnosed(-1, GIVES_UP_EARLY, "it gave up after %zu tries of %d",
                  tries.count, TRIES);
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS,
                "All %d tries failed, and its exit status is 0.", TRIES);

    duration longest = 0;
    size_t fixed = 0, none = 0;

    for (size_t i = 0; i + 1 < TRIES; i++) {
        longest = gap(&tries, i) > longest ? gap(&tries, i) : longest;
        none += gap(&tries, i) < 600 * MICROSECOND;
    }
    if (none >= TRIES / 2)
        mistake(RETRY_STORM,
                "Between its %d tries there was %zu times no pause.", TRIES,
                none);
    if (longest < cap / 3)
        mistake(NO_GROWTH,
                "Its longest pause was %.1f ms; the bound is %d ms at first, "
                "and %d ms in the end.",
                1e3 * seconds(longest), BASE_MS, CAP_MS);
    for (size_t i = 5; i + 1 < TRIES; i++)
        fixed += (double)gap(&tries, i) > 0.97 * (double)cap &&
                 gap(&tries, i) < 2 * cap;
    if (fixed >= TRIES - 6)
        mistake(NO_JITTER,
                "Its last %zu pauses were all of about %d ms: ten thousand "
                "clients would come back together.",
                fixed, CAP_MS);
    if (its_end() - tries.at[TRIES - 1] > 10 * cap + 2 * delayed())
        mistake(SLEEPS_AFTER_LAST, "It ended %.0f ms after its last try.",
                1e3 * seconds(its_end() - tries.at[TRIES - 1]));
}

static int by_length(const void *a, const void *b)
{
    const duration x = *(const duration *)a, y = *(const duration *)b;

    return (x > y) - (x < y);
}

/* Four tries each, in many processes. Of one pause nothing is known but its
 * bound, which doubles; of many we also know that they differ, that some are
 * near their bound, and that none is above it. */
static void first_pauses(void)
{
    enum { PROCESSES = 11, PAUSES = 3 };
    const duration base = 40 * MILLISECOND, near = 5 * MILLISECOND;
    duration last[PROCESSES], median;
    double most = 0; /* of all but the first ones, as a share of the bound */
    size_t too_long = 0, alike = 0;
    int port = refusing_port();

    have_reported("connect");
    step("port %d refuses; %d processes try four times, base 40 ms", port,
         PROCESSES);
    for (int i = 0; i < PROCESSES; i++) {
        struct tries tries;

        start("--tries", "4", "--base", "40ms", "--cap", "10s", "--deadline",
              "15s", "127.0.0.1", as_text(port));
        if (!ends_within(5 * SECOND))
            diagnosed(-1, ENDLESS, "all its tries are over, or should be");
        tries = tries_at(port);
        if (tries.count != PAUSES + 1)
            diagnosed(-1, tries.count <= PAUSES ? GIVES_UP_EARLY : ENDLESS,
                      "it tried %zu times instead of four times", tries.total);
        for (size_t j = 0; j < PAUSES; j++) {
            const double share = (double)gap(&tries, j) / (double)(base << j);

            most = j > 0 && share > most ? share : most;
            too_long += share > 1.25;
        }
        last[i] = gap(&tries, PAUSES - 1);
    }
    qsort(last, PROCESSES, sizeof *last, by_length);
    median = last[PROCESSES / 2];
    for (int i = 0; i < PROCESSES; i++)
        alike += last[i] > median - near && last[i] < median + near;
    step("the third pauses took from %.1f to %.1f ms", 1e3 * seconds(last[0]),
         1e3 * seconds(last[PROCESSES - 1]));
    if (too_long > 1)
        mistake(NO_CAP,
                "The first three pauses may take 40, 80 and 160 ms, and %zu of "
                "%d took longer.",
                too_long, PROCESSES * PAUSES);
    if (alike > 7)
        mistake(
            NO_JITTER,
            "In %zu of %d processes the third pause took %.0f ms: all these "
            "clients would come back together.",
            alike, PROCESSES, 1e3 * seconds(median));
    if (most < 0.55)
        mistake(NO_GROWTH,
                "The second and the third pause may take 80 and 160 ms; of %d, "
                "none took much more than half of that.",
                PROCESSES * (PAUSES - 1));
}

/* Doubling goes past a cap that is no doubled base. */
static void odd_cap(void)
{
    enum { MANY = 24 };
    const duration most = 41 * MILLISECOND;
    size_t too_long = 0;
    struct tries tries;
    int port = refusing_port();

    have_reported("connect");
    step("port %d refuses; %d tries, base 40 ms, cap 41 ms", port, MANY);
    start("--tries", "24", "--base", "40ms", "--cap", "41ms", "--deadline",
          "15s", "127.0.0.1", as_text(port));
    if (!ends_within(4 * SECOND))
        diagnosed(-1, NO_CAP, "its pauses take 1 s at most, all together");
    tries = tries_at(port);
    if (tries.count != MANY)
        diagnosed(-1, tries.count < MANY ? GIVES_UP_EARLY : ENDLESS,
                  "it tried %zu times, and %d were allowed", tries.total, MANY);
    for (size_t i = 0; i + 1 < MANY; i++)
        too_long += gap(&tries, i) > most + most / 4;
    if (too_long > 1)
        mistake(NO_CAP, "No pause may take more than 41 ms, and %zu of %d did.",
                too_long, MANY - 1);
}

/* More tries than an integer has bits. */
static void many_tries(void)
{
    enum { MANY = 120 };
    const duration most = 4 * MILLISECOND;
    size_t none = 0;
    struct tries tries;
    int port = refusing_port();

    have_reported("connect");
    step("port %d refuses; %d tries, pauses of at most 4 ms", port, MANY);
    start("--tries", "120", "--base", "1ms", "--cap", "4ms", "--deadline",
          "15s", "127.0.0.1", as_text(port));
    if (!ends_within(3 * SECOND))
        diagnosed(-1, NO_CAP, "its pauses take 0.48 s at most, all together");
    tries = tries_at(port);
    if (tries.count != MANY)
        diagnosed(-1, tries.count < MANY ? GIVES_UP_EARLY : ENDLESS,
                  "it tried %zu times, and %d were allowed", tries.total, MANY);
    for (size_t i = 2 * MANY / 3; i + 1 < MANY; i++)
        none += gap(&tries, i) < most / 5;
    if (none > MANY / 6)
        mistake(RETRY_STORM,
                "After %d tries it hardly paused any more: was a number "
                "shifted by more bits than its type has?",
                2 * MANY / 3);
}

static bool is_pausing(void *port)
{
    return has_ended() || (tries_at(*(int *)port).count > 0 && is_asleep());
}

static void stopped_in_pause(void)
{
    int port = refusing_port();

    have_reported("connect");
    step("port %d refuses, and a pause may take an hour", port);
    start("--tries", "9", "--base", "3600s", "--cap", "3600s", "--deadline",
          "7200s", "127.0.0.1", as_text(port));
    if (!wait_until(is_pausing, &port, 5 * SECOND) || has_ended())
        diagnosed(-1, ENDS_EARLY, "it was to try again later");
    send_signal(SIGTERM);
    step("SIGTERM asks it to stop");
    if (!ends_within(1500 * MILLISECOND))
        diagnosed(-1, STOP_IGNORED, "1.5 s later it is still there");
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS, "It was stopped before it had connected, "
                                    "and its exit status is 0.");
}

/* The pause after the last try would be random, up to an hour: almost never too
 * short to be noticed. */
static void last_try(void)
{
    int port = refusing_port();

    have_reported("connect");
    step("port %d refuses; one try, base one hour", port);
    start("--tries", "1", "--base", "3600s", "--cap", "3600s", "--deadline",
          "15s", "127.0.0.1", as_text(port));
    ends_within(400 * MILLISECOND);
    if (tries_at(port).count == 0)
        diagnosed(-1, ENDS_EARLY, "it did not try at all");
    if (!has_ended())
        mistake(SLEEPS_AFTER_LAST,
                "0.4 s after its only try it is still there: the program %s.",
                doing());
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS, "Its only try failed, and its exit status "
                                    "is 0.");
}

static void comes_later(void)
{
    int listener;
    int port = listening_port(&listener), refusing;

    have_reported("connect");
    close(listener);
    refusing = port; /* no other process gets it so soon */
    step("port %d refuses at first", refusing);
    start("--tries", "40", "--base", "20ms", "--cap", "60ms", "--deadline",
          "15s", "127.0.0.1", as_text(port));
    nap(150 * MILLISECOND);
    listener = bound_socket("127.0.0.1", as_text(port), SOCK_STREAM);
    if (listen(listener, 16) < 0)
        return;
    set_nonblocking(listener);
    step("now it listens");
    if (!ends_within(3 * SECOND))
        diagnosed(-1, ENDLESS, "the server is there, and it still waits");
    if (!ended_well())
        diagnosed(-1, GIVES_UP_EARLY, "the server came after %zu tries",
                  tries_at(port).count);
}

static void hopeless_server(void)
{
    int port = refusing_port();
    struct tries tries;

    inject("connect:EACCES:1+");
    step("connect is forbidden: EACCES, each time");
    start("--tries", "6", "--base", "5ms", "--cap", "5ms", "127.0.0.1",
          as_text(port));
    if (!ends_within(3 * SECOND))
        diagnosed(-1, ENDLESS, "it may not connect, and goes on");
    tries = tries_at(port);
    if (tries.count > 1)
        mistake(HOPELESS_RETRY,
                "connect said EACCES, which stays so, and it tried %zu times.",
                tries.total);
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS,
                "It was not allowed to connect, and its exit status is 0.");
}

static void out_of_time(void)
{
    int port = refusing_port();

    step("port %d refuses; a million tries, but 0.3 s for all of them", port);
    start("--tries", "1000000", "--base", "20ms", "--cap", "50ms", "--deadline",
          "300ms", "127.0.0.1", as_text(port));
    if (!ends_within(1300 * MILLISECOND))
        diagnosed(-1, NO_DEADLINE, "1 s after its deadline it is still there");
    if (exit_status() < 0)
        mistake(NO_DEADLINE,
                "When its time was over it tried on, without pauses, until it "
                "was stopped.");
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS, "All tries failed, and its exit status is "
                                    "0.");
}

/* A pause that is longer than all the time there is. */
static void pause_past_deadline(void)
{
    int port = refusing_port();

    step("port %d refuses; a pause may take an hour, but there is 0.3 s", port);
    start("--tries", "5", "--base", "3600s", "--cap", "3600s", "--deadline",
          "300ms", "127.0.0.1", as_text(port));
    if (!ends_within(1300 * MILLISECOND))
        diagnosed(-1, NO_DEADLINE, "1 s after its deadline it is still there");
    if (ended_well())
        mistake(FAILURE_IS_SUCCESS, "Its only try failed, and its exit status "
                                    "is 0.");
}

/* --- Classifying results -------------------------------------------------- */

/* The cases are drawn at random for each run: what a program prints is right
 * only if it has classified them. */
enum { MOST_CASES = 128 };

static struct classify_case cases[MOST_CASES];
static size_t case_count;

static void add_case(struct classify_case c)
{
    if (case_count < MOST_CASES)
        cases[case_count++] = c;
}

static void draw_cases(const char *call)
{
    static const int hard[] = {ENOTSOCK, EFAULT, EINVAL,
                               ENOTCONN, EACCES, EPERM},
                     left_over[] = {EAGAIN,     EINTR,        EINPROGRESS,
                                    ECONNRESET, ECONNABORTED, EMFILE};
    const size_t from = case_count;

    for (size_t i = 0; i < CLASSIFY_CASES; i++) {
        struct classify_case c = classify_cases[i];

        if (strcmp(c.call, call) != 0)
            continue;
        if (c.asked > 1)
            c.asked = 2 + draw(9000);
        if (strcmp(call, "send") == 0 && c.result == 10)
            c.result = (int)c.asked;
        else if (c.result > 0)
            c.result = 1 + (int)draw(c.asked > 0 ? (unsigned)c.asked - 1 : 900);
        add_case(c);
    }
    for (int i = 0; i < 3; i++) {
        struct classify_case c = {.result = -1};

        snprintf(c.call, sizeof c.call, "%s", call);
        c.asked = 1 + draw(9000);
        c.error = hard[draw(sizeof hard / sizeof hard[0])];
        add_case(c);
    }
    /* Again what succeeded, with what earlier calls may leave in errno. */
    for (size_t i = from, to = case_count; i < to; i++)
        for (size_t j = 0;
             cases[i].result >= 0 && j < sizeof left_over / sizeof left_over[0];
             j++) {
            struct classify_case c = cases[i];

            c.error = left_over[j];
            add_case(c);
        }
}

/* Start the program with all cases, in random order: case order[i] is the one
 * of line i. */
static void ask_all(size_t *order)
{
    static char words[MOST_CASES * 32];
    size_t length = 0;

    for (size_t i = 0; i < case_count; i++) {
        const size_t j = draw((unsigned)i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < case_count; i++) {
        if (i > 0)
            words[length++] = ',';
        classify_write(&cases[order[i]], words + length, sizeof words - length);
        length += strlen(words + length);
    }
    start(words);
    if (!ends_within(5 * SECOND))
        diagnosed(-1, ENDLESS, "it does not come to an end");
    if (!ended_well())
        diagnosed(-1, CRASH, "it did not name all answers");
}

static enum mistake misnamed(const struct classify_case *c, const char *said)
{
    const bool failed = strstr(said, "kind=failed") != NULL;

    if (strstr(said, "error=28"))
        return ERRNO_CLOBBERED;
    if (c->result >= 0 && c->error != 0)
        return ERRNO_STALE;
    if (c->result == 0 && strcmp(c->call, "recv") == 0)
        return c->asked > 0 ? EOF_IGNORED : ZERO_MISREAD;
    switch (c->error) {
    case EAGAIN:
        return EAGAIN_FATAL;
    case EINTR:
        return EINTR_FATAL;
    case EINPROGRESS:
        return failed ? EINPROGRESS_FATAL : PENDING_IS_CONNECTED;
    case EALREADY:
        return failed ? EALREADY_FATAL : PENDING_IS_CONNECTED;
    case ECONNABORTED:
    case EPROTO:
        return PEER_KILLS_SERVER;
    case EMFILE:
    case ENOBUFS:
        return ACCEPT_EMFILE_SPIN;
    case ECONNRESET:
    case EPIPE:
        return RESET_IS_END;
    default:
        return MISCLASSIFIED;
    }
}

/* The line of the program's output with this number, from 0. */
static void line_of(size_t number, char *line, size_t size)
{
    const char *p = its_words();

    for (; number > 0 && *p; number--) {
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    snprintf(line, size, "%.*s", (int)strcspn(p, "\n"), p);
}

static void sorts_answers(const char *call)
{
    size_t order[MOST_CASES] = {0}, line_number[MOST_CASES] = {0};

    draw_cases(call);
    ask_all(order);
    for (size_t i = 0; i < case_count; i++)
        line_number[order[i]] = i;
    step("it classified %zu results of %s", case_count, call);
    for (size_t i = 0; i < case_count; i++) {
        const struct classify_case *c = &cases[i];
        char left[64], right[64], expected[140], line[140];
        const char *said;

        classify_text(c, left, right, sizeof left);
        snprintf(expected, sizeof expected, "%s: %s", left, right);
        line_of(line_number[i], line, sizeof line);
        if (strcmp(line, expected) == 0)
            continue;
        said = strstr(line, "kind=");
        if (!said)
            mistake(MISCLASSIFIED, "%s was given no name.", left);
        mistake(misnamed(c, said), "%s, asked for %zu: expected %s, got %s.",
                left, c->asked, right, said);
    }
}

static void sorts_recv(void)
{
    sorts_answers("recv");
}

static void sorts_send(void)
{
    sorts_answers("send");
}

static void sorts_connect(void)
{
    sorts_answers("connect");
}

static void sorts_accept(void)
{
    sorts_answers("accept");
}

static void keeps_count(void)
{
    size_t order[MOST_CASES] = {0};
    char line[100];

    draw_cases("recv");
    draw_cases("send");
    draw_cases("connect");
    draw_cases("accept");
    ask_all(order);
    for (size_t i = 0; i < case_count; i++)
        classified(&cases[i]);
    snprintf(line, sizeof line, "counters: calls=%llu again=%llu partial=%llu",
             counters.calls, counters.again, counters.partial);
    if (strcmp(last_words(), line) != 0)
        mistake(MISCLASSIFIED, "It counted '%s', and it should be '%s'.",
                last_words(), line);
}

/* --- The checks of each exercise ------------------------------------------ */

#define TARPIT "build/bin/tarpit --stop-after 15s 8080 & sleep 0.5; "
#define SINK   "build/bin/sink --stop-after 15s --pace 60M 8080 & sleep 0.5; "
#define REFUSE                                                                 \
    "build/bin/bad_peer --stop-after 9s refuse 127.0.0.1 8080 & sleep 0.5; "

#define CONNECT_CHECKS                                                         \
    {"live", "a server that listens", 1, live_server,                          \
     "build/bin/echo_blocking --stop-after 9s 8080 & sleep 0.5; PROGRAM "      \
     "127.0.0.1 8080"},                                                        \
        {"refused", "a port that refuses", 3, refusing_server,                 \
         REFUSE "PROGRAM 127.0.0.1 8080"},                                     \
        {"silent", "a server that does not answer", 3, silent_server,          \
         TARPIT "time PROGRAM --deadline 400ms 127.0.0.1 8080"},               \
        {"signals", "signals come meanwhile", 1, signals_while_connecting,     \
         TARPIT "PROGRAM 127.0.0.1 8080 & sleep 0.5; kill -USR1 $!; wait $!"}, \
        {"stop", "somebody wants it to end", 1, asked_to_stop,                 \
         TARPIT "PROGRAM --deadline 15s 127.0.0.1 8080 & sleep 0.5; kill $!; " \
                "wait $!"},                                                    \
    {                                                                          \
        "late", "a server that answers late", 1, late_server,                  \
            "build/bin/tarpit --release 1s --stop-after 15s 8080 & sleep "     \
            "0.5; "                                                            \
            "PROGRAM --deadline 10s 127.0.0.1 8080"                            \
    }

static const struct check connect_checks[] = {
    CONNECT_CHECKS,
    {"enter", "somebody presses Enter", 1, told_by_enter,
     TARPIT "PROGRAM --deadline 15s 127.0.0.1 8080"},
    {0}};
static const struct check deadline_checks[] = {CONNECT_CHECKS, {0}};

static const struct check send_checks[] = {
    {"slow", "a receiver that takes its time", 4, slow_receiver,
     SINK "PROGRAM --size 32M 127.0.0.1 8080"},
    {"interrupted", "calls are interrupted, or take little", 2,
     interrupted_send,
     SINK "WB_FAULTS=send:EINTR:2+,send:short:3+ PROGRAM --size 1M 127.0.0.1 "
          "8080"},
    {"deaf", "a receiver that reads nothing", 2, deaf_receiver,
     SINK "kill -STOP $!; PROGRAM --deadline 400ms --size 32M 127.0.0.1 8080; "
          "kill -CONT $!"},
    {"leaves", "a receiver that leaves", 2, leaving_receiver,
     "build/bin/bad_peer --count 1M --stop-after 9s reset-sender 127.0.0.1 "
     "8080 "
     "& sleep 0.5; PROGRAM --size 32M 127.0.0.1 8080"},
    {0}};

static const struct check back_off_checks[] = {
    {"dead", "a server that never comes", 4, dead_server,
     REFUSE "PROGRAM --tries 14 --base 5ms --cap 150ms 127.0.0.1 8080; echo "
            "status $?"},
    {"last", "only one try", 1, last_try,
     REFUSE "time PROGRAM --tries 1 --base 3600s --cap 3600s 127.0.0.1 8080"},
    {"first", "the first pauses, in many processes", 1, first_pauses,
     REFUSE "for i in 1 2 3 4; do PROGRAM --tries 4 --base 200ms 127.0.0.1 "
            "8080; done"},
    {"cap", "a cap that is no doubled base", 1, odd_cap,
     REFUSE "PROGRAM --tries 9 --base 400ms --cap 410ms 127.0.0.1 8080"},
    {"many", "more tries than an integer has bits", 1, many_tries,
     REFUSE "PROGRAM --tries 120 --base 1ms --cap 4ms 127.0.0.1 8080"},
    {"stop", "somebody wants it to end while it pauses", 1, stopped_in_pause,
     REFUSE "PROGRAM --base 3600s --cap 3600s --deadline 7200s 127.0.0.1 8080 "
            "& sleep 0.5; "
            "kill $!; wait $!"},
    {"later", "a server that comes later", 2, comes_later,
     "(sleep 2; exec build/bin/echo_blocking --stop-after 9s 8080) & PROGRAM "
     "--tries 40 127.0.0.1 8080"},
    {"hopeless", "a try that cannot succeed", 1, hopeless_server,
     "WB_FAULTS=connect:EACCES:1+ PROGRAM 127.0.0.1 8080"},
    {"deadline", "not enough time for all tries", 2, out_of_time,
     REFUSE "time PROGRAM --tries 1000000 --base 20ms --cap 50ms --deadline "
            "300ms 127.0.0.1 8080"},
    {"past", "a pause that ends after the deadline", 1, pause_past_deadline,
     REFUSE "time PROGRAM --base 3600s --cap 3600s --deadline 300ms 127.0.0.1 "
            "8080"},
    {0}};

static const struct check classify_checks[] = {
    {"recv", "what recv answers", 3, sorts_recv, "PROGRAM | grep ^recv"},
    {"send", "what send answers", 2, sorts_send, "PROGRAM | grep ^send"},
    {"connect", "what connect answers", 2, sorts_connect,
     "PROGRAM | grep ^connect"},
    {"accept", "what accept answers", 2, sorts_accept,
     "PROGRAM | grep ^accept"},
    {"counters", "the counters", 1, keeps_count, "PROGRAM | grep ^counters"},
    {0}};

const struct exercise client_exercises[] = {
    {"partial_send", send_checks, .may_spin = true},
    {"connected", connect_checks, .may_spin = false},
    {"deadline", deadline_checks, .may_spin = true},
    {"back_off", back_off_checks, .may_spin = false},
    {"classify", classify_checks, .may_spin = true},
    {0}};
