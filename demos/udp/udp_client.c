/* SPDX-License-Identifier: MIT */
/*
 * udp_client - sends datagrams to an echo server and counts what comes back.
 *
 * Shows    send only hands a datagram to the kernel. The datagram or its answer
 *          may be lost without an error, so the program waits for a limited
 *          time and tries again. connect on a UDP socket sends nothing; it sets
 *          the peer, and lets the socket learn that no server is there: a later
 *          call fails with ECONNREFUSED. --flood numbers its datagrams and
 *          counts how many were lost in full queues.
 * Run      udp_echo_blocking 8080
 *          udp_client 127.0.0.1 8080 'one datagram' '' 'another'
 *          udp_client --flood 5000 127.0.0.1 8080
 * Compare  echo_client: the same with TCP, where nothing is lost
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t tries = 3, flood;
static duration each = 1 * SECOND;

static const struct setting settings[] = {
    {"tries", "N", "send a datagram at most N times", .size = &tries},
    {"each", "TIME", "wait TIME for each answer", .time = &each},
    {"flood", "N", "send N numbered datagrams, then count the answers",
     .size = &flood},
    {0},
};
static const struct program program = {
    "Sends lines as datagrams and prints the answers.",
    "HOST PORT [LINE]...",
    settings,
};

static char answer[64 * 1024 + 1]; /* larger than any datagram */
static size_t sent, answered, refused;

/* Send a datagram. ECONNREFUSED is about an earlier one, and means that this
 * one was not sent. */
static void send_datagram(int fd, const char *bytes, size_t size)
{
    struct answer put = datagram_answer(send(fd, bytes, size, 0), false);

    sent += put.kind == DONE;
    if (put.kind == FAILED && put.error == ECONNREFUSED) {
        refused++;
        log_info("ECONNREFUSED: the port of an earlier datagram is not open");
    } else if (put.kind == FAILED) {
        die_because(put.error, "cannot send a datagram of %zu bytes", size);
    }
}

/* Wait for the next answer until the deadline. Its size, or -1. */
static ssize_t receive_answer(int fd, instant deadline)
{
    while (!stopping()) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};

        if (poll(&wait, 1, poll_time(deadline)) < 0 && errno != EINTR)
            die("cannot wait for an answer");
        if (passed(deadline) && !wait.revents)
            break;

        struct answer got = datagram_answer(
            recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT), true);

        if (got.kind == DONE)
            return (ssize_t)got.count;
        if (got.kind == FAILED && got.error != ECONNREFUSED)
            die_because(got.error, "cannot receive");
        if (got.kind == FAILED) {
            refused++;
            log_info(
                "ECONNREFUSED: the port of an earlier datagram is not open");
            break;
        }
    }
    return -1;
}

/* Send a line until its answer comes. False if none came. */
static bool exchange(int fd, const char *line, size_t size)
{
    for (size_t tried = 1; tried <= tries && !stopping(); tried++) {
        instant deadline = deadline_in(each);
        ssize_t got;

        send_datagram(fd, line, size);
        while ((got = receive_answer(fd, deadline)) >= 0)
            if ((size_t)got == size && memcmp(answer, line, size) == 0)
                return true;
            else
                log_info("got an answer of %zd bytes that is no echo of this",
                         got);
        log_info("no answer to try %zu of %zu", tried, tries);
        nap_until(deadline); /* also if it was refused at once */
    }
    return false;
}

/* Send numbered datagrams, and count the answers afterwards. */
static void send_flood(int fd)
{
    bool *came = calloc(flood, 1);
    char number[32];
    ssize_t got;

    if (!came)
        die("cannot keep count of %zu datagrams", flood);
    for (size_t i = 0; i < flood && !stopping(); i++)
        send_datagram(fd, number,
                      (size_t)snprintf(number, sizeof number, "%zu", i));
    while ((got = receive_answer(fd, deadline_in(SECOND / 2))) >= 0) {
        answer[got] = '\0';

        size_t i = strtoul(answer, NULL, 10);

        if (i < flood && !came[i]) {
            came[i] = true;
            answered++;
        }
    }
    say("sent %s of %s datagrams; %s came back, %s (%.1f %%) are lost",
        grouped(sent), grouped(flood), grouped(answered),
        grouped(sent - answered),
        sent > 0 ? 100.0 * (double)(sent - answered) / (double)sent : 0);
    if (refused > 0)
        say("errors that the port of an earlier datagram is not open "
            "(ECONNREFUSED): %s",
            grouped(refused));
    free(came);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct addrinfo *to = resolve(operands[0], operands[1], SOCK_DGRAM);
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    struct line line = {0};
    bool all = true;

    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        die("cannot set %s as the peer",
            address_text(to->ai_addr, to->ai_addrlen));
    if (flood > 0)
        send_flood(fd);
    while (flood == 0 && all && next_line(&line, operands + 2)) {
        size_t size = line.length;

        if (line.bytes[size - 1] ==
            '\n') /* a datagram needs no mark at its end */
            size--;
        all = exchange(fd, line.bytes, size);
        if (all) {
            print_bytes(line.bytes, size);
            print_bytes("\n", 1);
        }
        answered += all;
    }
    report("sent", "%zu", sent);
    report("answered", "%zu", answered);
    report("refused", "%zu", refused);
    if (stopping() && (flood > 0 || !all))
        die_because(0, "stopped by %s before the end", stop_reason());
    if (flood > 0 && answered == 0)
        die_because(0, "no answer from %s",
                    address_text(to->ai_addr, to->ai_addrlen));
    if (!all)
        die_because(0, "no answer from %s after %zu tries",
                    address_text(to->ai_addr, to->ai_addrlen), tries);
    freeaddrinfo(to);
    close(fd);
    return 0;
}
