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
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
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

static int must_be_accepted(int peer, const char *who)
{
    if (!accepted(peer))
        diagnosed(peer, LISTENER_UNWATCHED, "%s was not accepted", who);
    return peer;
}

static bool was_closed(void *peer)
{
    return closed_on(*(int *)peer);
}

/* --- What lies where ------------------------------------------------------ */

/* The client has sent so much to an echo server, and received nothing. How much
 * of it does the program hold, or has still to receive? */
static size_t held_for(int peer, size_t sent)
{
    int arrived = 0;

    if (ioctl(peer, FIONREAD, &arrived) == 0)
        sent -= (size_t)arrived;
    if (sent > 0) /* the table may be long */
        sent -= unsent_to(peer);
    return sent;
}

/* Send more, from byte `sent` on, and receive nothing, until the kernel takes
 * no more from the program: it holds a part of what it has received last, and
 * has nothing else to receive. Returns how much was sent in all. */
static size_t send_until_held(int peer, const char *bytes, size_t sent,
                              size_t most)
{
    enum { PIECE = 12 * 1024 }; /* less than the program's buffer */
    const instant deadline = deadline_in(4 * SECOND);

    while (sent + PIECE <= most && !passed(deadline) && !has_ended()) {
        duration run = used_cpu();
        size_t held, before = 0;
        int asleep = 0;

        tell(peer, bytes + sent, PIECE);
        sent += PIECE;
        while ((held = held_for(peer, sent)) > 0 && !passed(deadline)) {
            /* As long as something moves, it is not stuck; and it may still
             * wait for a processor. */
            asleep = held == before && is_asleep() ? asleep + 1 : 0;
            if (held != before)
                run = used_cpu();
            before = held;
            if (asleep == 20 || used_cpu() - run > 3 * MILLISECOND)
                return sent;
            nap(MILLISECOND / 5);
        }
    }
    return sent;
}

/* --- Who is served -------------------------------------------------------- */

static bool is_accepted(void *peer)
{
    return its_fd(*(int *)peer) >= 0 || closed_on(*(int *)peer);
}

static bool bytes_have_come(void *peer)
{
    struct pollfd p = {.fd = *(int *)peer, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* Wait for something that only the program can make happen. A program that
 * sleeps on meanwhile was not woken by what there is to do: it waits for
 * something else, or for some time to pass. A slow one is ready to run. */
static bool happens_at_once(bool (*come_true)(void *), int peer)
{
    const instant deadline = deadline_in(3 * SECOND);
    struct rest rest = {0};

    while (!come_true(&peer))
        if (has_ended() || passed(deadline) || sleeps_on(&rest))
            return come_true(&peer);
    return true;
}

static void served_alone(void)
{
    serve();

    int a = dial("client A");

    if (!happens_at_once(is_accepted, a) || !accepted(a))
        diagnosed(a, LISTENER_UNWATCHED, "client A was not accepted");
    for (int i = 0; i < 2; i++) {
        tell_text(a, "ping\n");
        if (!happens_at_once(bytes_have_come, a) || !hears_text(a, "ping\n"))
            diagnosed(a, NOTHING_SENT, "client A did not get its echo");
    }
}

static void silent_client(void)
{
    serve();

    int a = dial("client A");

    step("client A stays silent");
    accepted(a);

    int b = dial("client B");

    if (!happens_at_once(is_accepted, b) || !accepted(b))
        diagnosed(b, ONE_AT_A_TIME,
                  "client B was not accepted while client A is silent");
    tell_text(b, "ping\n");
    if (!hears_text(b, "ping\n"))
        diagnosed(b, ONE_AT_A_TIME, "client B did not get its echo");

    int c = dial("client C");

    if (!happens_at_once(is_accepted, c) || !accepted(c))
        diagnosed(c, ONE_AT_A_TIME,
                  "client C was not accepted while client A is silent");
    for (int i = 0; i < 3; i++) {
        int more = dial("one more");

        if (!happens_at_once(is_accepted, more) || !accepted(more))
            diagnosed(more, ONE_AT_A_TIME,
                      "one more client was not accepted while client A is "
                      "silent");
    }
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
        diagnosed(
            a, ending == STILL_THERE ? NOTHING_SENT : EXISTING_CONNECTION_LOST,
            "client A was %s after its pause",
            ending == STILL_THERE ? "not answered" : "closed");
}

static void client_leaves(void)
{
    serve();

    int a = dial("client A");

    accepted(a);
    ping(a, "client A");

    const size_t said = strlen(its_words());

    shutdown(a, SHUT_WR);
    step("client A ended its sending, and waits for the end");

    int fd = its_fd(a);

    if (!wait_until(was_closed, &a, 5 * SECOND)) {
        const struct seen *got = last_receive(fd);

        if (got && got->result == 0 && got->asked > 0 && got->times < 3)
            mistake(NOT_CLOSED,
                    "Client A has ended, recv said 0, and descriptor %d was "
                    "never closed.",
                    fd);
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

    nap(60 * MILLISECOND);
    if (strlen(its_words()) > said + 2000)
        mistake(CLOSED_KEPT,
                "Client A's connection is closed, and the program goes on and "
                "on about it. Its last words: '%s'.",
                last_words());
    ping(dial("client B"), "client B");
    if (says("EBADF"))
        mistake(CLOSED_KEPT,
                "It asked a descriptor that it had closed before. Its last "
                "words: '%s'.",
                last_words());
}

static void half_closed(void)
{
    const size_t size = 200000;
    char *bytes = numbered_bytes(size);

    serve();

    int a = dial("client A");

    accepted(a);
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

    /* The same, but the end comes while the program has bytes to send. */
    const size_t most = (size_t)8 << 20;
    int b = must_be_accepted(dial_narrowly("client B"), "client B");

    bytes = numbered_bytes(most);

    const size_t sent = send_until_held(b, bytes, 0, most);

    shutdown(b, SHUT_WR);
    step("client B reads nothing; it sent %s bytes and ended its sending",
         grouped(sent));
    nap(60 * MILLISECOND);
    step("client B reads");
    if (!hears(b, bytes, sent))
        diagnosed(b, CLOSE_BEFORE_FLUSH,
                  "client B did not get all of its echo before the end");
    step("client B received %s bytes", grouped(sent));
    if (!hears_end(b))
        diagnosed(b, NOT_CLOSED, "client B never heard the end");
}

/* --- Results of send ------------------------------------------------------ */

/* More than all buffers between a client's send and its recv: two of the client
 * and two of the server, of up to 4 and 6 MiB each (tcp(7), tcp_wmem and
 * tcp_rmem). */
#define MORE_THAN_FITS ((size_t)48 << 20)

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
                    size_t size)
{
    size_t same = 0;
    const char *found;

    while (same < length && same < size && echo[same] == bytes[same])
        same++;
    if (same == length)
        return;
    if (length > size)
        mistake(RESENT_FROM_START,
                "The echo goes on after its end: %zu bytes more than sent.",
                length - size);
    if (length - same < 16 && length < size)
        return; /* too little to tell where it comes from */
    found = memmem(bytes, size, echo + same,
                   length - same < 16 ? length - same : 16);
    if (!found)
        mistake(NOTHING_SENT, "From byte %zu on the echo is something else.",
                same);

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

static duration before_it_reads; /* besides the time to see that all is full */

static void slow_reader(void)
{
    const size_t size = MORE_THAN_FITS;
    char *bytes = numbered_bytes(size), *echo = enlarged(NULL, size, 1);
    size_t length = 0;

    serve();

    int a = must_be_accepted(dial("client A"), "client A");
    size_t sent = send_until_full(a, bytes, size);
    int fd = its_fd(a);
    const struct seen *put = last_send(fd);

    nap(before_it_reads);
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
        compare(echo, length, bytes, sent);
    }
    if (length < sent) {
        if (ending != STILL_THERE)
            diagnosed(a, EXISTING_CONNECTION_LOST,
                      "client A got %s of %s bytes, and the connection was "
                      "closed",
                      grouped(length), grouped(sent));
        /* More than a program holds that receives no more than it sends. */
        if (is_asleep() && unread_by_it(a) == 0 &&
            sent - length > (size_t)4 << 20)
            mistake(SHORT_SEND,
                    "Client A got %s of %s bytes. The program has received all "
                    "of them and %s: the rest is lost.",
                    grouped(length), grouped(sent), doing());
        diagnosed(a, SHORT_SEND, "client A got %s of %s bytes", grouped(length),
                  grouped(sent));
    }
    step("client A received all of its %s bytes", grouped(length));
}

/* After 0.2 s or more, TCP sends a last piece into a window that is smaller
 * than a whole segment (RFC 9293, 3.8.6.2.1): a change, which would tell a
 * program to go on that does not wait for room. Nothing is left that could tell
 * it later. */
static void slow_reader_later(void)
{
    before_it_reads = 700 * MILLISECOND;
    slow_reader();
}

/* While the client does not read, the server has nothing to do. */
static void stuck_reader(void)
{
    const size_t size = MORE_THAN_FITS;
    char *bytes = numbered_bytes(size);

    serve();

    /* First with nothing to receive: what is left to send has to be waited
     * for. */
    int a = must_be_accepted(dial_narrowly("client A"), "client A");
    size_t sent = 0;

    for (int tries = 0; tries < 3 && held_for(a, sent) == 0; tries++)
        sent = send_until_held(a, bytes, sent, size);

    step("client A sent %s bytes and reads none; then the program could send "
         "no more",
         grouped(sent));
    if (has_ended())
        diagnosed(a, ENDS_EARLY, "client A does not read");
    must_be_idle("While client A reads nothing,");
    ping(must_be_accepted(dial("client C"), "client C"), "client C");
    step("client A reads");
    if (!hears(a, bytes, sent))
        diagnosed(a, POLLOUT_NEVER, "client A did not get all of its echo");
    step("client A received %s bytes", grouped(sent));
    must_be_idle("Now that nobody waits for anything,");

    int b = must_be_accepted(dial("client B"), "client B");

    sent = send_until_full(b, bytes, size);
    step("client B sent %s bytes and reads none; then the program took no more",
         grouped(sent));
    if (has_ended())
        diagnosed(b, ENDS_EARLY, "client B does not read");
    /* It waits for room, as has been seen. */
    must_be_idle_or("While client B reads nothing and sends more,",
                    POLLIN_ALWAYS);
}

/* --- Resets, signals, interruptions --------------------------------------- */

/* Reset the connection, but keep the descriptor: it stands for the client.
 * Disconnecting a connected socket resets its connection (tcp(7)). */
static void reset_and_keep(int peer, const char *who)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (connect(peer, &nobody, sizeof nobody) < 0)
        die("cannot reset a connection");
    step("%s reset its connection", who);
}

static void must_be_closed(int peer, const char *who)
{
    if (!wait_until(was_closed, &peer, 3 * SECOND))
        diagnosed(-1, NOT_CLOSED,
                  "%s is gone, and its connection was never closed", who);
    step("the program closed it");
}

static void reset_client(void)
{
    serve();

    int a = dial("client A");
    int b = dial("client B");

    accepted(b);
    ping(a, "client A");
    reset_and_keep(a, "client A");
    tell_text(b, "ping\n");
    if (!hears_text(b, "ping\n"))
        diagnosed(b, has_ended() ? PEER_KILLS_SERVER : NOTHING_SENT,
                  "client B did not get its echo");
    must_be_closed(a, "client A");
    ping(dial("client C"), "client C");

    /* The same, with bytes left to send. */
    enum { SIZE = 8 << 20 };
    int d = must_be_accepted(dial_narrowly("client D"), "client D");

    send_until_held(d, numbered_bytes(SIZE), 0, SIZE);
    step("client D reads nothing");
    reset_and_keep(d, "client D");
    ping(b, "client B");
    must_be_closed(d, "client D");
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
            diagnosed(a, ending == STILL_THERE ? NOTHING_SENT : EINTR_FATAL,
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
    return is_accepted(peer) ||
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

static void out_of_descriptors_with(bool must_wait)
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
    wait_until(was_closed, &peers[1], 2 * SECOND);
    tell_text(last, "ping\n");
    if (hears_text(last, "ping\n"))
        return;
    if (ending == STILL_THERE)
        diagnosed(last, LISTENER_UNWATCHED,
                  "there is a descriptor again, but who waited is not served");
    if (must_wait)
        mistake(DROPS_A_CLIENT,
                "There is a descriptor again, but who waited for one has been "
                "sent away.");
    /* Not every task forbids that; then a new one must be served. */
    ping(dial("another client"), "another client");
}

static void out_of_descriptors(void)
{
    out_of_descriptors_with(false);
}

static void nobody_is_sent_away(void)
{
    out_of_descriptors_with(true);
}

/* --- Descriptors too high for select -------------------------------------- */

enum { HIGH = 8 };

static void low_is_served(int low)
{
    tell_text(low, "ping\n");
    if (hears_text(low, "ping\n"))
        return;
    ends_within(SECOND / 2);
    /* Whether and however it ended, this is the cause. */
    mistake(FD_SETSIZE_OVERRUN,
            "A client got a descriptor of 1,024 or more, and client A got no "
            "echo after that: the program %s. Its last words: '%s'.",
            doing(), last_words());
}

static void high_descriptors(void)
{
    int low, high[HIGH];
    size_t count = 0, served = 0;

    occupy_descriptors(FD_SETSIZE);
    serve();
    low = dial("client A");
    ping(low, "client A");
    /* The first high descriptor may end the program before the last client
     * comes. */
    for (; count < HIGH; count++) {
        if (!could_dial("a client with a high descriptor", &high[count]))
            break;
    }
    low_is_served(low);
    /* Each of them is served or closed, whatever its descriptor is. */
    for (size_t i = 0; i < count; i++) {
        tell(high[i], "ping\n", 5);
        if (!wait_until(bytes_have_come, &high[i], 3 * SECOND))
            mistake(FD_SETSIZE_OVERRUN,
                    "Descriptors of 1,024 and more do not fit into an fd_set: "
                    "client %zu of %d is neither served nor closed.",
                    i + 1, HIGH);
        served += hears(high[i], "ping\n", 5);
    }
    step("%zu of %d clients are served, and the others closed", served, HIGH);
    low_is_served(low);
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

static bool waits_by_edges(void *peer)
{
    return waits_for_changes(*(int *)peer);
}

static void by_edges(void)
{
    const size_t size = 500000;
    char *bytes = numbered_bytes(size);

    serve();

    int a = dial("client A");

    if (!accepted(a))
        diagnosed(a, LISTENER_UNWATCHED, "client A was not accepted");
    ping(a, "client A");
    if (!wait_until(waits_by_edges, &a, 2 * SECOND))
        diagnosed(a, LEVEL_TRIGGERED,
                  "descriptor %d of client A is not in the interest list with "
                  "EPOLLET",
                  its_fd(a));
    step("it waits for changes of descriptor %d: EPOLLET", its_fd(a));
    tell(a, bytes, size);
    step("client A sent %zu bytes", size);
    if (!hears(a, bytes, size))
        diagnosed(a, NOTHING_SENT, "client A did not get all of its echo");
    if (!wait_until(waits_by_edges, &a, 2 * SECOND))
        diagnosed(a, LEVEL_TRIGGERED,
                  "after a long echo EPOLLET is gone from descriptor %d of "
                  "client A",
                  its_fd(a));
}

static void must_hear_end(int peer, const char *who)
{
    const struct seen *got;

    if (hears_end(peer))
        return;
    got = last_receive(its_fd(peer));
    if (got && got->result == 0 && got->asked > 0 && ending == STILL_THERE)
        mistake(EOF_IGNORED,
                "%s has ended, recv said 0, and descriptor %d is still open.",
                who, its_fd(peer));
    diagnosed(peer, NOT_CLOSED, "%s never heard the end", who);
}

/* Bytes and the end come together: one change, so one report. */
static void bytes_and_end(void)
{
    const size_t size = 20000 + draw(20000);
    char *bytes = numbered_bytes(size);

    serve();

    int a = dial("client A"), b = dial("client B");

    if (!accepted(a) || !accepted(b))
        diagnosed(b, LISTENER_UNWATCHED, "client B was not accepted");
    ping(a, "client A");
    freeze();
    tell(a, bytes, size);
    shutdown(a, SHUT_WR);
    tell(b, bytes, 3);
    shutdown(b, SHUT_WR);
    thaw();
    step("client A sent %zu bytes and its end at the same moment, client B 3",
         size);
    if (!hears(a, bytes, size))
        diagnosed(a, CLOSE_BEFORE_FLUSH,
                  "client A did not get all of its echo");
    must_hear_end(a, "client A");
    if (!hears(b, bytes, 3))
        diagnosed(b, CLOSE_BEFORE_FLUSH, "client B did not get its echo");
    must_hear_end(b, "client B");
    step("both received their echo and the end");
}

/* A client who sends as much as it can, and reads its echo. */
struct busy {
    int peer;
    char *bytes;
    size_t sent, received;
};

enum { PORTION = 1 << 20 };

static ssize_t send_more(struct busy *a)
{
    const ssize_t n = send(a->peer, a->bytes, PORTION, MSG_NOSIGNAL);

    a->sent += n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t receive_some(struct busy *a)
{
    static char piece[256 * 1024];
    const ssize_t n = recv(a->peer, piece, sizeof piece, 0);

    a->received += n > 0 ? (size_t)n : 0;
    if (n == 0)
        ending = ENDED;
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        ending = RESET;
    return n;
}

static bool got_all(void *busy)
{
    struct busy *a = busy;

    while (receive_some(a) > 0)
        ;
    return a->received >= a->sent || ending != STILL_THERE;
}

static bool holds_bytes(void *peer)
{
    return unread_by_it(*(int *)peer) > 0;
}

/* The task allows this much for one client before the others are served. */
#define A_TURN ((size_t)512 << 10)

/*
 * Client A sends without end and reads its echo. Client B's few bytes come at
 * the same moment. What A has received before B's echo comes tells how long B
 * had to wait, whoever runs when on a busy machine.
 */
static void must_not_wait_for(struct busy *a, int b)
{
    /* It may be frozen in A's turn, and A's next turn may be the first one. */
    const size_t most = 2 * A_TURN + A_TURN / 2;
    const instant deadline = deadline_in(10 * SECOND);
    size_t before = a->received, heard = 0;
    char echo[5];

    while (heard < sizeof echo) {
        ssize_t n = recv(b, echo, sizeof echo - heard, 0);

        if (n > 0) {
            heard += (size_t)n;
            continue;
        }
        if (n == 0 || errno != EAGAIN || has_ended() || passed(deadline))
            diagnosed(b, NOTHING_SENT,
                      "client B did not get its echo while client A sends "
                      "without end");
        if (a->received - before > most)
            mistake(GREEDY_CLIENT,
                    "Client B has waited for its echo of 5 bytes while client "
                    "A got %s bytes.",
                    grouped(a->received - before));
        receive_some(a);
        send_more(a);
    }
}

static void greedy_client(void)
{
    enum { ROUNDS = 30 };

    serve();

    struct busy a = {.peer = dial("client A"),
                     .bytes = numbered_bytes(PORTION)};
    int b = dial("client B");

    if (!accepted(a.peer) || !accepted(b))
        diagnosed(b, LISTENER_UNWATCHED, "client B was not accepted");
    ping(b, "client B");
    for (int round = 0; round < ROUNDS; round++) {
        freeze();
        while (send_more(&a) > 0)
            ;
        tell(b, "ping\n", 5);
        wait_until(holds_bytes, &b, SECOND / 10);
        thaw();
        must_not_wait_for(&a, b);
        ending = STILL_THERE;
        if (!wait_until(got_all, &a, 10 * SECOND) || ending != STILL_THERE)
            diagnosed(a.peer, ET_NOT_DRAINED,
                      "client A sent %s bytes, and then none; %s came back",
                      grouped(a.sent), grouped(a.received));
    }
    step("client A sent %s bytes and got all of them; client B got its %d "
         "echoes meanwhile",
         grouped(a.sent), ROUNDS);
}

/* All of them come at once: one change of the listener, so one report. */
static void sudden_crowd(void)
{
    enum { MANY = 12 };
    int peers[MANY];

    serve();
    ping(dial("the first client"), "the first client");
    freeze();
    for (int i = 0; i < MANY; i++)
        peers[i] = dial("a client");
    thaw();
    for (int i = 0; i < MANY; i++)
        if (!accepted(peers[i]))
            diagnosed(peers[i], LISTENER_UNWATCHED,
                      "client %d of %d that came at the same moment was not "
                      "accepted",
                      i + 1, MANY);
    freeze();
    for (int i = 0; i < MANY; i++)
        tell_text(peers[i], "ping\n");
    thaw();
    for (int i = MANY; i-- > 0;)
        if (!hears_text(peers[i], "ping\n"))
            diagnosed(peers[i], CLIENT_UNWATCHED,
                      "client %d of %d did not get its echo", i + 1, MANY);
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
#define SLOW_READER_LATER                                                      \
    {                                                                          \
        "slow_reader", "a client reads slowly", 3, slow_reader_later,          \
            SERVE_8080 "build/bin/bad_peer --count 16M sleepy 127.0.0.1 8080"  \
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
#define PATIENT_DESCRIPTORS                                                    \
    {                                                                          \
        "descriptors", "no descriptor is left", 3, nobody_is_sent_away,        \
            "(ulimit -n 9; exec PROGRAM --stop-after 20s 8080) & sleep 0.5; "  \
            "build/bin/bad_peer --count 8 --stop-after 3s crowd 127.0.0.1 "    \
            "8080; "                                                           \
            "ps -o stat,pcpu,args -p $!"                                       \
    }
#define HIGH_DESCRIPTORS                                                       \
    {                                                                          \
        "high_descriptors", "descriptors of 1,024 and more", 2,                \
            high_descriptors,                                                  \
            "build/judge/supervise --wall 20s --occupy 1024 PROGRAM 8080 & "   \
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
#define STOP_8080 "PROGRAM --stop-after 20s 8080 & server=$!; sleep 0.5; "
#define BY_EDGES                                                               \
    {                                                                          \
        "by_edges", "the kernel reports changes", 1, by_edges,                 \
            STOP_8080                                                          \
            "build/bin/echo_client --hold 3s 127.0.0.1 8080 A & sleep 0.5; "   \
            "grep -h tfd: /proc/$server/fdinfo/*; : EPOLLET is 80000000"       \
    }
#define BYTES_AND_END                                                          \
    {                                                                          \
        "bytes_and_end", "bytes and the end come together", 2, bytes_and_end,  \
            STOP_8080                                                          \
            "kill -STOP $server; build/bin/bad_peer --count 30000 half-close " \
            "127.0.0.1 8080 & sleep 0.5; kill -CONT $server; wait $!"          \
    }
#define GREEDY                                                                 \
    {                                                                          \
        "greedy", "one client sends without end, another one waits", 2,        \
            greedy_client,                                                     \
            STOP_8080                                                          \
            "build/bin/bad_peer --count 1G burst 127.0.0.1 8080 & sleep 0.5; " \
            "build/bin/echo_client 127.0.0.1 8080 1 2 3 4 5 6"                 \
    }
#define SUDDEN_CROWD                                                           \
    {                                                                          \
        "sudden_crowd", "a dozen clients come at the same moment", 2,          \
            sudden_crowd,                                                      \
            STOP_8080                                                          \
            "kill -STOP $server; build/bin/bad_peer --count 12 --stop-after "  \
            "3s "                                                              \
            "crowd 127.0.0.1 8080 & sleep 0.5; kill -CONT $server; wait $!"    \
    }

static const struct check accept_checks[] = {
    ALONE,       SILENT, LEAVES,      RESET_CLIENT, INTERRUPTED,
    DESCRIPTORS, CROWD,  SLOW_READER, SIGNALS,      {0}};
static const struct check again_checks[] = {
    PAUSE, LEAVES, SLOW_READER, INTERRUPTED, HALF_CLOSED, RESET_CLIENT, {0}};
static const struct check writable_checks[] = {
    ALONE,       SILENT,  IDLE,         LEAVES,      STUCK_READER,
    SLOW_READER, SIGNALS, RESET_CLIENT, DESCRIPTORS, {0}};
static const struct check fd_set_checks[] = {ALONE,
                                             SILENT,
                                             IDLE,
                                             LEAVES,
                                             CROWD,
                                             STUCK_READER,
                                             HIGH_DESCRIPTORS,
                                             SIGNALS,
                                             DESCRIPTORS,
                                             INTERRUPTED,
                                             SLOW_READER,
                                             {0}};
static const struct check descriptors_checks[] = {
    ALONE,   SILENT,       IDLE, LEAVES, PATIENT_DESCRIPTORS,
    SIGNALS, STUCK_READER, {0}};
static const struct check epoll_checks[] = {
    ALONE,        SILENT,      IDLE,         BURST,   CROWD,
    STUCK_READER, SLOW_READER, RESET_CLIENT, SIGNALS, DESCRIPTORS,
    INTERRUPTED,  LEAVES,      {0}};
static const struct check edge_checks[] = {
    ALONE,        BY_EDGES,          IDLE,         BURST,  BYTES_AND_END,
    SUDDEN_CROWD, SLOW_READER_LATER, STUCK_READER, GREEDY, INTERRUPTED,
    RESET_CLIENT, SIGNALS,           DESCRIPTORS,  {0}};

const struct exercise server_exercises[] = {
    {"accept", accept_checks, .may_spin = true},
    {"again", again_checks, .may_spin = true},
    {"writable", writable_checks, .may_spin = false},
    {"fd_set", fd_set_checks, .may_spin = false},
    {"descriptors", descriptors_checks, .may_spin = false},
    {"epoll", epoll_checks, .may_spin = false},
    {"edge", edge_checks, .may_spin = false},
    {0}};
