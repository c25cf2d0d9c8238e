/* SPDX-License-Identifier: MIT */
/*
 * connect_pool - sends requests over a few connections that stay open.
 *
 * Shows    a new connection costs a round trip and a socket before the first
 *          byte, so the program keeps some and uses them again. It finds out if
 *          the server has closed one meanwhile, and replaces it. If a
 *          connection breaks during a request, it repeats the request on a new
 *          one: that is safe only because an echo request is idempotent.
 * Run      echo_poll 8080
 *          connect_pool --repeat 1000 127.0.0.1 8080 hello
 *          connect_pool --keep 0 --repeat 1000 127.0.0.1 8080 hello
 * Compare  echo_client: one connection, and no second try
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 64 };

static size_t keep = 4, repeat = 1;
static duration each = 2 * SECOND;

static const struct setting settings[] = {
    {"keep", "N", "keep N connections; 0: a new one for each request",
     .size = &keep},
    {"repeat", "N", "send each line N times", .size = &repeat},
    {"each", "TIME", "give each connect and each try TIME", .time = &each},
    {0},
};
static const struct program program = {
    "Sends lines to an echo server over a pool of connections.",
    "HOST PORT [LINE]...",
    settings,
};

static int pool[MOST]; /* the kept connections; -1: an empty slot */
static size_t connects, replaced;
static duration connecting;

/* A new connection; if none can be made the program ends. */
static int new_connection(const struct addrinfo *list)
{
    struct answer made = {.kind = FAILED};
    instant began = now();

    for (const struct addrinfo *to = list; to && made.kind == FAILED;
         to = to->ai_next) {
        made = connect_until(to, deadline_in(each));
        if (made.kind == FAILED)
            address_failed(to, made.error);
    }
    if (made.kind != DONE)
        die_because(0, "stopped by %s", stop_reason());
    connecting += now() - began;
    connects++;
    return made.fd;
}

/* An unused connection should have nothing to receive. Any answer but "would
 * block" means that the server has closed it, or has sent something wrong. */
static bool still_good(int fd)
{
    char byte;

    return recv_answer(recv(fd, &byte, 1, MSG_PEEK), 1).kind == AGAIN;
}

static void drop(size_t slot)
{
    close(pool[slot]);
    pool[slot] = -1;
}

/* The connection of this slot: the old one if it is good, or a new one. */
static int connection(size_t slot, const struct addrinfo *list)
{
    if (pool[slot] >= 0 && !still_good(pool[slot])) {
        log_info("connection %zu is no longer usable: replaced", slot + 1);
        drop(slot);
        replaced++;
    }
    if (pool[slot] < 0)
        pool[slot] = new_connection(list);
    return pool[slot];
}

/* Send a line and receive its echo. CLOSED or FAILED if the connection breaks
 * or the server does not answer in time; PENDING if the program is to stop. */
static struct answer request(int fd, const struct line *line, char *echo)
{
    size_t sent = 0, echoed = 0;
    instant deadline = deadline_in(each);

    while (echoed < line->length && !stopping()) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};

        if (sent < line->length)
            wait.events |= POLLOUT;

        int ready = poll(&wait, 1, poll_time(deadline));

        if (ready == 0)
            return (struct answer){.kind = FAILED, .error = ETIMEDOUT};
        if (ready < 0 && errno != EINTR)
            die("cannot wait for the server");
        if (sent < line->length) {
            struct answer put = send_answer(
                send(fd, line->bytes + sent, line->length - sent, 0),
                line->length - sent);

            if (put.kind == FAILED)
                return put;
            sent += put.count;
        }

        struct answer got =
            recv_answer(recv(fd, echo + echoed, line->length - echoed, 0),
                        line->length - echoed);

        if (got.kind == FAILED || got.kind == CLOSED)
            return got;
        echoed += got.count;
    }
    if (memcmp(echo, line->bytes, echoed) != 0)
        die_because(0, "the echo is not what was sent: is it an echo server?");
    return (struct answer){.kind = echoed == line->length ? DONE : PENDING};
}

/* The same, with a second try on a new connection. */
static void exchange(size_t slot, const struct addrinfo *list,
                     const struct line *line)
{
    static char echo[BUFFER_SIZE];
    struct answer served = request(connection(slot, list), line, echo);

    if (served.kind != DONE && !stopping()) {
        log_info("connection %zu failed: sending the request again", slot + 1);
        drop(slot);
        replaced++;
        served = request(connection(slot, list), line, echo);
    }
    if (served.kind != DONE && stopping())
        die_because(0, "stopped by %s", stop_reason());
    if (served.kind != DONE)
        die_because(served.error, "no answer on two connections");
    print_bytes(echo, line->length);
    if (keep == 0)
        drop(slot);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct addrinfo *list = resolve(operands[0], operands[1], SOCK_STREAM);
    struct line line = {0};
    const size_t slots = keep > 0 ? keep : 1;
    size_t requests = 0;
    instant began = now();

    if (keep > MOST)
        usage_error("--keep goes up to %d", MOST);
    for (size_t i = 0; i < MOST; i++)
        pool[i] = -1;
    while (next_line(&line, operands + 2))
        for (size_t i = 0; i < repeat; i++)
            exchange(requests++ % slots, list, &line);

    report("requests", "%zu", requests);
    report("connects", "%zu", connects);
    report("replaced", "%zu", replaced);
    report("connecting_seconds", "%.6f", seconds(connecting));
    report("requests_seconds", "%.6f", seconds(now() - began));
    for (size_t i = 0; i < MOST; i++)
        if (pool[i] >= 0)
            close(pool[i]);
    freeaddrinfo(list);
    return 0;
}
