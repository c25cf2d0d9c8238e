/* SPDX-License-Identifier: MIT */
/*
 * connect_nonblocking - connects, works meanwhile, and can be stopped.
 *
 * Shows    connect on a non-blocking socket starts the attempt and fails with
 *          EINPROGRESS. A second call fails with EALREADY until the attempt has
 *          ended. Then connect returns 0, or fails with the error, but only
 *          once. The program chooses the deadline and may give up (Enter or
 *          Ctrl-C): close cancels the attempt.
 * Run      tarpit 8080
 *          connect_nonblocking 127.0.0.1 8080
 * Compare  connect_blocking: the same attempt, but the kernel decides
 *          connect_poll: the same, asleep until it has ended
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static duration limit = 5 * SECOND;

static const struct setting settings[] = {
    {"deadline", "TIME", "give up after TIME", .time = &limit},
    {0},
};
static const struct program program = {
    "Connects until a deadline, and works meanwhile.",
    "HOST PORT",
    settings,
};

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

/* Try one address. True when connected. */
static bool attempt(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    const char *where = address_text(to->ai_addr, to->ai_addrlen);
    instant began = now();

    if (fd < 0)
        die("cannot make a socket");
    make_nonblocking(fd); /* before connect, which would wait */
    say("connecting to %s", where);

    instant deadline = deadline_in(limit);
    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    while (made.kind == PENDING && !stop_due(deadline)) { /* EINPROGRESS */
        work_step();
        /* EALREADY: not yet; 0 or EISCONN: connected. If the attempt has
         * failed, Linux gives its error here; POSIX does not say. */
        made = connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));
    }

    double took = seconds(now() - began);

    report("waited_seconds", "%.6f", took);
    say("asked %s times; prime numbers found meanwhile: %s",
        grouped(counters.calls), grouped(work_found()));
    if (made.kind == DONE)
        say("connected after %.3f s", took);
    else if (made.kind == PENDING)
        die_because(0, "cannot connect to %s: stopped by %s after %.3f s",
                    where, stop_reason(), took);
    else
        address_failed(to, made.error);
    close(fd);
    return made.kind == DONE;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct addrinfo *list = resolve(operands[0], operands[1], SOCK_STREAM);
    bool connected = false;

    for (struct addrinfo *to = list; to && !connected; to = to->ai_next)
        connected = attempt(to);
    freeaddrinfo(list);
    return connected ? 0 : 1;
}
