/* SPDX-License-Identifier: MIT */
/*
 * timeout_poll - waits for a line with the time-out of poll.
 *
 * Shows    poll returns when the socket is readable, or after a number of
 *          milliseconds. After a signal it is called with the time that is
 *          left until the deadline, and not with the whole time again.
 * Run      echo_blocking 8080
 *          timeout_poll 127.0.0.1 8080          times out
 *          timeout_poll 127.0.0.1 8080 hello    gets its line
 * Compare  timeout_option, timeout_busypoll, timeout_select: other ways
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static duration limit = 2 * SECOND;

static const struct setting settings[] = {
    {"limit", "TIME", "wait for at most TIME; 0: for ever", .time = &limit},
    {0},
};
static const struct program program = {
    "Waits for a line with the time-out of poll.",
    "HOST PORT [LINE]",
    settings,
};

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

/* Receive what comes next, until the deadline at the latest. */
static struct answer receive(int fd, struct buffer *b, instant deadline)
{
    size_t room = buffer_room(b);
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    int ready = poll(&wait, 1, poll_time(deadline));

    if (ready < 0 && errno != EINTR)
        die("cannot wait for the server");
    if (ready <= 0)
        return (struct answer){.kind = AGAIN}; /* timed out, or EINTR */
    return recv_answer(recv(fd, buffer_back(b), room, 0), room);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int fd = connect_to(operands[0], operands[1]);
    struct buffer b = {0};
    struct answer got = {.kind = AGAIN};

    if (operands[2])
        send_line(fd, operands[2]);
    make_nonblocking(fd);

    instant began = now(), deadline = deadline_in(limit);

    while ((got.kind == DONE || got.kind == AGAIN) && !buffer_line(&b) &&
           buffer_room(&b) > 0 && !passed(deadline) && !stopping()) {
        got = receive(fd, &b, deadline);
        buffer_added(&b, got.count);
    }

    double waited = seconds(now() - began);

    report("waited_seconds", "%.6f", waited);
    if (buffer_line(&b))
        say("a line after %.3f s: %.*s", waited, (int)buffer_line(&b) - 1,
            buffer_front(&b));
    else if (got.kind == CLOSED)
        die_because(
            0, "the server closed the connection after %.3f s without a line",
            waited);
    else if (got.kind == FAILED)
        die_because(got.error, "cannot receive a line after %.3f s", waited);
    else if (buffer_room(&b) == 0)
        die_because(0, "the line is longer than %d bytes", BUFFER_SIZE);
    else
        die_because(0, "%s after %.3f s without a line",
                    stopping() ? stop_reason() : "timed out", waited);
    buffer_free(&b);
    close(fd);
    return 0;
}
