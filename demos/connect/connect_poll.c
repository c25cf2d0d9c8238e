/* SPDX-License-Identifier: MIT */
/*
 * connect_poll - connects, sleeps until the attempt has ended, and asks how.
 *
 * Shows    a socket with a pending connect becomes writable when the attempt
 *          has ended, also when it was refused. SO_ERROR tells how it ended,
 *          once. Enter and the deadline end the sleep as well.
 * Run      tarpit 8080
 *          connect_poll 127.0.0.1 8080
 * Compare  connect_nonblocking: asks connect itself, again and again
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static duration limit = 5 * SECOND;

static const struct setting settings[] = {
    {"deadline", "TIME", "give up after TIME", .time = &limit},
    {0},
};
static const struct program program = {
    "Connects until a deadline, and sleeps meanwhile.",
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

/* How the attempt ended: writable says only that it has ended. */
static struct answer connect_result(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    return connected_answer(error);
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
        struct pollfd wait[] = {{.fd = fd, .events = POLLOUT},
                                {.fd = stop_button(), .events = POLLIN}};

        if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
            die("cannot wait for the connection");
        if (wait[0].revents)
            made = connect_result(fd);
    }

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
