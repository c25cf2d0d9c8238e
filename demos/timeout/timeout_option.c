/* SPDX-License-Identifier: MIT */
/*
 * timeout_option - waits for a line with the receive time-out of the socket.
 *
 * Shows    with SO_RCVTIMEO a blocking recv gives up and fails with EAGAIN. The
 *          limit is for one call, and each call may bring only a byte. So
 *          before each call, set it to the time that is left. Zero means no
 *          limit.
 * Run      echo_blocking 8080
 *          timeout_option 127.0.0.1 8080          times out
 *          timeout_option 127.0.0.1 8080 hello    gets its line
 * Compare  timeout_busypoll, timeout_select, timeout_poll: other ways
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static duration limit = 2 * SECOND;

static const struct setting settings[] = {
    {"limit", "TIME", "wait for at most TIME; 0: for ever", .time = &limit},
    {0},
};
static const struct program program = {
    "Waits for a line with a receive time-out.",
    "HOST PORT [LINE]",
    settings,
};

/* Receive what comes next, until the deadline at the latest. */
static struct answer receive(int fd, struct buffer *b, instant deadline)
{
    size_t room = buffer_room(b);
    duration left = deadline == NEVER ? 0 : deadline - now();
    struct timeval time = {
        .tv_sec = (time_t)(left / SECOND),
        .tv_usec = (suseconds_t)(left % SECOND / MICROSECOND),
    };

    if (left < MICROSECOND && deadline != NEVER)
        time = (struct timeval){.tv_usec = 1}; /* {0} would mean no limit */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) < 0)
        die("cannot set SO_RCVTIMEO");
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
