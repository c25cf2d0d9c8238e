/* SPDX-License-Identifier: MIT */
/*
 * connect_blocking - connects, and waits for as long as the kernel tries.
 *
 * Shows    connect returns when the connection is made or refused, or when the
 *          kernel gives up, after minutes. The program cannot do anything else
 *          meanwhile, and the kernel decides how long to wait.
 * Run      tarpit 8080
 *          connect_blocking 127.0.0.1 8080
 * Compare  connect_nonblocking: the same attempt, with a deadline, and
 *          Enter stops it
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct setting settings[] = {
    {0},
};
static const struct program program = {
    "Connects, and waits for as long as the kernel tries.",
    "HOST PORT",
    settings,
};

/* Try one address. True when connected. */
static bool attempt(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    const char *where = address_text(to->ai_addr, to->ai_addrlen);
    instant began = now();

    if (fd < 0)
        die("cannot make a socket");
    say("connecting to %s", where);

    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    if (made.kind == PENDING) /* EINTR: the kernel goes on connecting */
        made = connect_wait(fd, NEVER);

    double took = seconds(now() - began);

    report("waited_seconds", "%.6f", took);
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
