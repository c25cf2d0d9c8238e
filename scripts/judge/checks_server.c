/* SPDX-License-Identifier: MIT */
/*
 * checks_server - the checks of servers that echo.
 */
#define _GNU_SOURCE
#include "judge.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

/* Bytes without repetition, so that lost and repeated parts can be seen. */
static char *numbered_bytes(size_t size)
{
    char *bytes = enlarged(NULL, size, 1);
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17; /* Marsaglia's xorshift */
        bytes[i] = (char)(x >> 24);
    }
    return bytes;
}

static void ping(int peer, const char *who)
{
    tell_text(peer, "ping\n");
    if (!hears_text(peer, "ping\n"))
        diagnosed(peer, NOTHING_SENT, "%s did not get its echo", who);
}

/* --- Who is served -------------------------------------------------------- */

static void served_alone(void)
{
    serve();

    int a = dial("client A");

    if (!accepted(a))
        diagnosed(a, LISTENER_UNWATCHED, "client A was not accepted");
    ping(a, "client A");
    ping(a, "client A");
}

static void silent_client(void)
{
    serve();

    int a = dial("client A");

    step("client A stays silent");
    accepted(a);

    int b = dial("client B");

    if (!accepted(b))
        diagnosed(b, ONE_AT_A_TIME,
                  "client B was not accepted while client A is silent");
    tell_text(b, "ping\n");
    if (!hears_text(b, "ping\n"))
        diagnosed(b, ONE_AT_A_TIME, "client B did not get its echo");

    int c = dial("client C");

    if (!accepted(c))
        diagnosed(c, ONE_AT_A_TIME,
                  "client C was not accepted while client A is silent");
    tell_text(b, "ping\n");
    tell_text(c, "ping\n");
    if (!hears_text(c, "ping\n"))
        diagnosed(c, ONE_AT_A_TIME, "client C did not get its echo");
    if (!hears_text(b, "ping\n"))
        diagnosed(b, ONE_AT_A_TIME, "client B did not get its echo");
    ping(a, "client A");
}

/* --- Results of recv ------------------------------------------------------ */

/* Has it had the time to ask again, and to be told that nothing is there? It
 * sleeps, or it has run for some hundred calls. */
static bool has_asked_again(void *cpu_before)
{
    return is_asleep() || used_cpu() - *(duration *)cpu_before > MILLISECOND;
}

static void pause_in_between(void)
{
    serve();

    int a = dial("client A");

    accepted(a);
    tell_text(a, "half a ");
    if (!hears_text(a, "half a "))
        diagnosed(a, NOTHING_SENT, "client A did not get its echo");

    duration before = used_cpu();

    step("client A pauses");
    wait_until(has_asked_again, &before, SECOND);
    tell_text(a, "message\n");
    if (!hears_text(a, "message\n"))
        diagnosed(a, EXISTING_CONNECTION_LOST,
                  "client A was %s after its pause",
                  ending == STILL_THERE ? "not answered" : "closed");
}

static bool closed_by_it(void *peer)
{
    return closed_on(*(int *)peer);
}

static void client_leaves(void)
{
    serve();

    int a = dial("client A");

    accepted(a);
    ping(a, "client A");
    shutdown(a, SHUT_WR);
    step("client A ended its sending, and waits for the end");

    int fd = its_fd(a);

    if (!wait_until(closed_by_it, &a, 5 * SECOND)) {
        const struct seen *got = last_receive(fd);

        if (got && got->result == 0 && got->asked > 0)
            mistake(EOF_IGNORED,
                    "Client A has ended, recv said 0 %s times, and descriptor "
                    "%d is still open.",
                    grouped(got->times), fd);
        diagnosed(a, EOF_IGNORED, "client A's connection was never closed");
    }
    if (!hears_end(a))
        diagnosed(a, NOT_CLOSED, "client A never heard the end");
    step("the program closed it");
    ping(dial("client B"), "client B");
}

static void half_closed(void)
{
    const size_t size = 200000;
    char *bytes = numbered_bytes(size);

    serve();

    int a = dial("client A");

    accepted(a);
    set_blocking(a);
    set_nonblocking(a);

    /* No more than the kernel buffers, so that all of it can be sent at
     * once. */
    tell(a, bytes, size);
    shutdown(a, SHUT_WR);
    step("client A sent %zu bytes and ended its sending", size);
    if (!hears(a, bytes, size))
        diagnosed(a, CLOSE_BEFORE_FLUSH,
                  "client A did not get all of its echo before the end");
    step("client A received %zu bytes", size);
    if (!hears_end(a))
        diagnosed(a, NOT_CLOSED, "client A never heard the end");
}

/* --- Results of send ------------------------------------------------------ */

/* More than all buffers between a client's send and its recv: two of the client
 * and two of the server, of up to 4 and 6 MiB each (tcp(7), tcp_wmem and
 * tcp_rmem). */
#define MORE_THAN_FITS ((size_t)48 << 20)

static int slow_client(void)
{
    int a = dial("client A");

    if (!accepted(a))
        diagnosed(a, LISTENER_UNWATCHED, "client A was not accepted");
    return a;
}

/* Send until the server takes no more. Returns how much it took. */
static size_t send_until_full(int peer, const char *bytes, size_t most)
{
    size_t sent = 0;

    for (int quiet = 0; sent < most && quiet < 10;) {
        ssize_t n = send(peer, bytes + sent, most - sent, MSG_NOSIGNAL);

        if (n > 0) {
            sent += (size_t)n;
            quiet = 0;
        } else {
            nap(20 * MILLISECOND);
            quiet++;
        }
    }
    return sent;
}

/* Compare the echo with what was sent. A difference ends in a verdict that
 * tells where it begins and what came instead. */
static void compare(const char *echo, size_t length, const char *bytes,
                    size_t size, int fd)
{
    size_t same = 0;
    const char *found;

    while (same < length && same < size && echo[same] == bytes[same])
        same++;
    if (same == length)
        return;
    if (length - same < 16)
        mistake(RESENT_FROM_START,
                "The echo goes on after its end: %zu bytes more than sent.",
                length - same);
    found = memmem(bytes, size, echo + same, 16);
    if (!found)
        mistake(NOTHING_SENT, "From byte %zu on the echo is something else.",
                same);

    const struct seen *put = last_send(fd);

    (void)put;
    if (found < bytes + same)
        mistake(RESENT_FROM_START,
                "After byte %zu of the echo, byte %zu came again: the kernel "
                "had taken %zu of them already.",
                same, (size_t)(found - bytes), same - (size_t)(found - bytes));
    mistake(SHORT_SEND,
            "After byte %zu of the echo came byte %zu: the %zu between them "
            "are lost, since send took less than it was given.",
            same, (size_t)(found - bytes), (size_t)(found - bytes) - same);
}

static bool more_comes(void *peer)
{
    struct pollfd p = {.fd = *(int *)peer, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

static void slow_reader(void)
{
    const size_t size = MORE_THAN_FITS;
    char *bytes = numbered_bytes(size), *echo = enlarged(NULL, size, 1);
    size_t length = 0;

    serve();

    int a = slow_client();
    size_t sent = send_until_full(a, bytes, size);
    int fd = its_fd(a);
    const struct seen *put = last_send(fd);

    step("client A sent %s bytes and reads none; then the program took no more",
         grouped(sent));
    if (has_ended())
        diagnosed(a, ENDS_EARLY, "client A does not read");

    int b = dial("client B");

    if (!accepted(b))
        diagnosed(b, ONE_AT_A_TIME,
                  "client B was not accepted while client A reads nothing");
    ping(b, "client B");
    if (closed_on(a) && put && put->result == -1 && put->error == EAGAIN)
        mistake(EAGAIN_FATAL,
                "Client A reads slowly: send said EAGAIN, and the program "
                "closed the connection.");

    step("client A reads");
    while (length < sent) {
        if (!wait_until(more_comes, &a, 5 * SECOND))
            break;

        ssize_t n = recv(a, echo + length, size - length, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            ending = n == 0 ? ENDED : RESET;
            break;
        }
        length += n > 0 ? (size_t)n : 0;
        compare(echo, length, bytes, sent, fd);
    }
    if (length < sent) {
        if (ending != STILL_THERE)
            diagnosed(a, EXISTING_CONNECTION_LOST,
                      "client A got %s of %s bytes, and the connection was "
                      "closed",
                      grouped(length), grouped(sent));
        diagnosed(a, SHORT_SEND, "client A got %s of %s bytes", grouped(length),
                  grouped(sent));
    }
    step("client A received all of its %s bytes", grouped(length));
}

/* While the client does not read, the server has nothing to do. */
static void stuck_reader(void)
{
    const size_t size = MORE_THAN_FITS;
    char *bytes = numbered_bytes(size);

    serve();

    int a = slow_client();
    size_t sent = send_until_full(a, bytes, size);

    step("client A sent %s bytes and reads none; then the program took no more",
         grouped(sent));
    if (has_ended())
        diagnosed(a, ENDS_EARLY, "client A does not read");
    must_be_idle("While client A reads nothing,");
}

/* --- Resets, signals, interruptions --------------------------------------- */

static void reset_client(void)
{
    serve();

    int a = dial("client A");
    int b = dial("client B");

    accepted(b);
    ping(a, "client A");
    reset_peer(a);
    tell_text(b, "ping\n");
    if (!hears_text(b, "ping\n"))
        diagnosed(b, PEER_KILLS_SERVER, "client B did not get its echo");
    ping(dial("client C"), "client C");
}

static void signals(void)
{
    serve();

    int a = dial("client A");

    accepted(a);
    ping(a, "client A");
    for (int i = 0; i < 20; i++) {
        send_signal(SIGUSR1);
        nap(2 * MILLISECOND);
        if (has_ended())
            diagnosed(-1, EINTR_FATAL, "after %d signals", i + 1);
    }
    step("20 signals came");
    ping(a, "client A");
    send_signal(SIGTERM);
    if (!ends_within(3 * SECOND))
        diagnosed(-1, STOP_IGNORED, "SIGTERM did not end it");
    step("SIGTERM ended it");
}

static void interrupted_calls(void)
{
    inject("recv:EINTR:3+,send:EINTR:2+,accept:EINTR:2+");
    serve();

    int a = dial("client A");

    accepted(a);
    for (int i = 0; i < 8; i++) {
        tell_text(a, "ping\n");
        if (!hears_text(a, "ping\n"))
            diagnosed(a, EINTR_FATAL,
                      "client A did not get its echo when calls were "
                      "interrupted");
    }
}

static void idle(void)
{
    serve();
    must_be_idle("With no client");

    int a = dial("client A");

    accepted(a);
    ping(a, "client A");
    must_be_idle("With one silent client");
}

/* --- Out of descriptors --------------------------------------------------- */

enum { DESCRIPTORS_ALLOWED = 9 };

/* Either it has been accepted, or no descriptor is left for it. */
static bool accepted_or_not(void *peer)
{
    return its_fd(*(int *)peer) >= 0 || closed_on(*(int *)peer) ||
           descriptors_below(DESCRIPTORS_ALLOWED) >= DESCRIPTORS_ALLOWED;
}

static void must_still_be_served(int peer, const char *who)
{
    tell_text(peer, "ping\n");
    if (hears_text(peer, "ping\n"))
        return;
    if (ending != STILL_THERE)
        ends_within(SECOND / 2); /* the whole program may just be ending */
    if (closed_on(peer) && !has_ended())
        mistake(DROPS_A_CLIENT,
                "When there was no descriptor left for a new client, %s was "
                "sent away.",
                who);
    diagnosed(peer, DROPS_A_CLIENT, "%s did not get its echo", who);
}

static void out_of_descriptors(void)
{
    enum { MOST = 12 };
    int peers[MOST], last;
    size_t count = 0;

    limit_descriptors(DESCRIPTORS_ALLOWED);
    serve();
    for (;; count++) {
        for (size_t i = 0; i < count; i++)
            if (closed_on(peers[i]))
                mistake(DROPS_A_CLIENT,
                        "Client %zu was being served, and when client %zu came "
                        "it was sent away.",
                        i + 1, count);
        if (count == MOST)
            mistake(WORD_NOT_KEPT, "It has more descriptors than allowed.");
        peers[count] = dial("a client");
        wait_until(accepted_or_not, &peers[count], 5 * SECOND);
        if (has_ended())
            diagnosed(-1, EMFILE_FATAL, "client %zu could not be accepted",
                      count + 1);
        if (its_fd(peers[count]) < 0 || closed_on(peers[count]))
            break;
    }
    if (count < 2)
        diagnosed(peers[count], ONE_AT_A_TIME, "client %zu was not accepted",
                  count + 1);
    last = peers[count];
    step("%zu clients are served, and for the next one there is no descriptor",
         count);
    /* The second echo shows that a whole round has ended since the new client
     * came: so the program has tried to accept it. */
    for (int i = 0; i < 2; i++) {
        must_still_be_served(peers[0], "the first client");
        must_still_be_served(peers[count - 1], "the last client");
    }

    uint64_t before = calls_that(is_accept);
    long long run = times_run();
    double share = cpu_demand(400 * MILLISECOND);
    uint64_t tried = calls_that(is_accept) - before;

    run = times_run() - run;
    if (!may_spin() && (run > 100 || share > 0.4))
        mistake(cause_of_spin(ACCEPT_EMFILE_SPIN),
                "While it had no descriptor left it woke up %s times in 0.4 s, "
                "called accept %s times and used %.0f %% of a core.",
                grouped((unsigned long long)run), grouped(tried), 100 * share);
    must_still_be_served(peers[0], "the first client");
    close(peers[1]);
    step("client 2 left");
    wait_until(closed_by_it, &peers[1], 2 * SECOND);
    tell_text(last, "ping\n");
    if (hears_text(last, "ping\n"))
        return;
    if (ending == STILL_THERE)
        diagnosed(last, LISTENER_UNWATCHED,
                  "there is a descriptor again, but who waited is not served");
    /* The waiting client was closed; then a new one must be served. */
    ping(dial("another client"), "another client");
}

/* --- Descriptors too high for select -------------------------------------- */

enum { HIGH = 8 };

struct high_ones {
    int peers[HIGH];
    int count;
};

/* Those with high descriptors may be served, refused or left waiting. */
static bool all_accepted(void *context)
{
    const struct high_ones *high = context;

    for (int i = 0; i < high->count; i++)
        if (its_fd(high->peers[i]) < 0 && !closed_on(high->peers[i]))
            return false;
    return true;
}

static void high_descriptors(void)
{
    struct high_ones high = {0};
    int low;

    occupy_descriptors(1021);
    serve();
    low = dial("client A");
    /* The first high descriptor may end the program before the last client
     * comes. */
    for (int i = 0; i < HIGH; i++)
        if (!could_dial("a client with a high descriptor",
                        &high.peers[high.count++]))
            break;
    wait_until(all_accepted, &high, 5 * SECOND);
    tell_text(low, "ping\n");
    if (hears_text(low, "ping\n"))
        return;
    if (!ends_within(SECOND / 2) && descriptors_below(FD_SETSIZE) < FD_SETSIZE)
        diagnosed(low, NOTHING_SENT, "client A did not get its echo");
    /* Whether and however it ended, this is the cause. */
    mistake(FD_SETSIZE_OVERRUN,
            "A client got a descriptor of 1,024 or more, and client A got no "
            "echo after that: the program %s. Its last words: '%s'.",
            doing(), last_words());
}

/* --- Edge-triggered or not ------------------------------------------------ */

static void burst(void)
{
    const size_t size = 100000;
    char *bytes = numbered_bytes(size);

    serve();

    int a = dial("client A");

    accepted(a);
    tell(a, bytes, size);
    step("client A sent %zu bytes at once", size);
    if (!hears(a, bytes, size))
        diagnosed(a, LINES_LEFT_OVER, "client A did not get all of its echo");
    step("client A received all of them");
}

/* Several clients connect at the same time. */
static void crowd(void)
{
    enum { MANY = 12 };
    int peers[MANY];

    serve();
    for (int i = 0; i < MANY; i++)
        peers[i] = dial("a client");
    for (int i = 0; i < MANY; i++) {
        if (!accepted(peers[i]))
            diagnosed(peers[i], LISTENER_UNWATCHED,
                      "client %d of %d was not accepted", i + 1, MANY);
    }
    for (int i = 0; i < MANY; i++)
        tell_text(peers[i], "ping\n");
    for (int i = MANY; i-- > 0;)
        if (!hears_text(peers[i], "ping\n"))
            diagnosed(peers[i], CLIENT_UNWATCHED,
                      "client %d of %d did not get its echo", i + 1, MANY);
    for (int i = 0; i < MANY; i += 2)
        close(peers[i]);
    step("every second client left");
    for (int i = 1; i < MANY; i += 2)
        ping(peers[i], "a client who stayed");
}

/* --- The checks of each exercise ------------------------------------------ */

#define SERVE_8080 "PROGRAM --stop-after 20s 8080 & sleep 0.5; "

#define ALONE                                                                  \
    {                                                                          \
        "alone", "one client", 1, served_alone,                                \
            SERVE_8080 "build/bin/echo_client 127.0.0.1 8080 one two"          \
    }
#define SILENT                                                                 \
    {                                                                          \
        "silent", "one client is silent, others are not", 3, silent_client,    \
            SERVE_8080                                                         \
            "build/bin/echo_client --hold 9s 127.0.0.1 8080 A & "              \
            "sleep 0.5; build/bin/echo_client --stop-after 3s 127.0.0.1 "      \
            "8080 B"                                                           \
    }
#define PAUSE                                                                  \
    {                                                                          \
        "pause", "a client pauses in its message", 2, pause_in_between,        \
            SERVE_8080                                                         \
            "(echo half; sleep 2; echo message) | build/bin/echo_client "      \
            "127.0.0.1 8080"                                                   \
    }
#define LEAVES                                                                 \
    {                                                                          \
        "leaves", "a client leaves", 2, client_leaves,                         \
            SERVE_8080 "build/bin/echo_client 127.0.0.1 8080 bye; sleep 1; "   \
                       "ls -l /proc/$!/fd"                                     \
    }
#define HALF_CLOSED                                                            \
    {                                                                          \
        "half_closed", "a client ends its sending first, then reads", 2,       \
            half_closed,                                                       \
            SERVE_8080                                                         \
            "build/bin/bad_peer --count 200000 half-close 127.0.0.1 8080"      \
    }
#define SLOW_READER                                                            \
    {                                                                          \
        "slow_reader", "a client reads slowly", 3, slow_reader,                \
            SERVE_8080                                                         \
            "build/bin/bad_peer --count 200000 burst 127.0.0.1 8080"           \
    }
#define STUCK_READER                                                           \
    {                                                                          \
        "stuck_reader", "a client reads nothing at all", 2, stuck_reader,      \
            SERVE_8080                                                         \
            "build/bin/bad_peer --count 16M --stop-after 3s never-read "       \
            "127.0.0.1 8080; ps -o stat,pcpu,args -p $!"                       \
    }
#define RESET_CLIENT                                                           \
    {                                                                          \
        "reset", "a client resets its connection", 2, reset_client,            \
            SERVE_8080                                                         \
            "build/bin/bad_peer reset 127.0.0.1 8080; build/bin/echo_client "  \
            "127.0.0.1 8080 'still there?'"                                    \
    }
#define SIGNALS                                                                \
    {                                                                          \
        "signals", "signals come", 1, signals,                                 \
            SERVE_8080                                                         \
            "kill -USR1 $!; sleep 0.2; build/bin/echo_client 127.0.0.1 "       \
            "8080 'still there?'"                                              \
    }
#define INTERRUPTED                                                            \
    {                                                                          \
        "interrupted", "recv and send are interrupted", 1, interrupted_calls,  \
            "WB_FAULTS=recv:EINTR:3+,send:EINTR:2+ PROGRAM --stop-after 20s "  \
            "8080 & "                                                          \
            "sleep 0.5; build/bin/echo_client 127.0.0.1 8080 1 2 3 4 5 6"      \
    }
#define IDLE                                                                   \
    {                                                                          \
        "idle", "nothing happens", 3, idle,                                    \
            SERVE_8080 "sleep 2; ps -o stat,pcpu,args -p $!"                   \
    }
#define DESCRIPTORS                                                            \
    {                                                                          \
        "descriptors", "no descriptor is left", 3, out_of_descriptors,         \
            "(ulimit -n 9; exec PROGRAM --stop-after 20s 8080) & sleep 0.5; "  \
            "build/bin/bad_peer --count 8 --stop-after 3s crowd 127.0.0.1 "    \
            "8080; "                                                           \
            "ps -o stat,pcpu,args -p $!"                                       \
    }
#define HIGH_DESCRIPTORS                                                       \
    {                                                                          \
        "high_descriptors", "descriptors of 1,024 and more", 2,                \
            high_descriptors,                                                  \
            "build/judge/supervise --wall 20s --occupy 1021 PROGRAM 8080 & "   \
            "sleep "                                                           \
            "0.5; build/bin/bad_peer --count 8 --stop-after 3s crowd "         \
            "127.0.0.1 "                                                       \
            "8080"                                                             \
    }
#define BURST                                                                  \
    {                                                                          \
        "burst", "much comes at once, then nothing", 2, burst,                 \
            SERVE_8080                                                         \
            "build/bin/bad_peer --count 100000 burst 127.0.0.1 8080"           \
    }
#define CROWD                                                                  \
    {                                                                          \
        "crowd", "a dozen clients at once", 2, crowd,                          \
            SERVE_8080                                                         \
            "build/bin/bad_peer --count 12 --stop-after 3s crowd 127.0.0.1 "   \
            "8080"                                                             \
    }

static const struct check accept_checks[] = {
    ALONE, SILENT, LEAVES, RESET_CLIENT, DESCRIPTORS, CROWD, {0}};
static const struct check again_checks[] = {
    PAUSE, LEAVES, INTERRUPTED, SLOW_READER, HALF_CLOSED, RESET_CLIENT, {0}};
static const struct check writable_checks[] = {
    ALONE,       SILENT,  IDLE,         LEAVES, STUCK_READER,
    SLOW_READER, SIGNALS, RESET_CLIENT, {0}};
static const struct check fd_set_checks[] = {
    ALONE,   SILENT,      IDLE, CROWD, STUCK_READER, HIGH_DESCRIPTORS,
    SIGNALS, DESCRIPTORS, {0}};
static const struct check descriptors_checks[] = {ALONE,       SILENT,  IDLE,
                                                  DESCRIPTORS, SIGNALS, {0}};
static const struct check epoll_checks[] = {
    ALONE,       SILENT,       IDLE,    BURST,       CROWD, STUCK_READER,
    SLOW_READER, RESET_CLIENT, SIGNALS, DESCRIPTORS, {0}};

const struct exercise server_exercises[] = {
    {"accept", accept_checks, .may_spin = true},
    {"again", again_checks, .may_spin = true},
    {"writable", writable_checks, .may_spin = false},
    {"fd_set", fd_set_checks, .may_spin = false},
    {"descriptors", descriptors_checks, .may_spin = false},
    {"epoll", epoll_checks, .may_spin = false},
    {0}};
