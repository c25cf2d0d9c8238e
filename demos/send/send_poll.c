/* SPDX-License-Identifier: MIT */
/*
 * send_poll - send_all, but it sleeps until there is room again.
 *
 * Shows    poll with POLLOUT waits until the kernel has room. It takes as long
 *          as send_all, with a small part of the CPU time. Ask for POLLOUT only
 *          after a "would block", because a socket with room is always
 *          writable. Writable does not mean that the buffer is empty: it has
 *          some room.
 * Run      sink --pace 60M 8080
 *          send_poll 127.0.0.1 8080
 * Compare  send_all: asks again and again
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t size = PAYLOAD_SIZE;
static duration limit = 60 * SECOND;

static const struct setting settings[] = {
    {"size", "BYTES", "send BYTES of the payload", .size = &size},
    {"deadline", "TIME", "give up after TIME", .time = &limit},
    {0},
};
static const struct program program = {
    "Sends the payload piece by piece and sleeps in between.",
    "HOST PORT",
    settings,
};

/* Sleep until there is room, Enter is pressed, or the deadline passes. */
static void wait_until_writable(int fd, instant deadline)
{
    struct pollfd wait[] = {{.fd = fd, .events = POLLOUT},
                            {.fd = stop_button(), .events = POLLIN}};

    if (poll(wait, 2, poll_time(deadline)) < 0 && errno != EINTR)
        die("cannot wait until there is room");
}

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    char *payload = payload_new(size);
    int fd = connect_to(operands[0], operands[1]);

    make_nonblocking(fd);
    instant deadline = deadline_in(limit);
    duration held = 0;
    size_t taken = 0;

    while (taken < size && !stop_due(deadline)) {
        instant began = now();
        struct answer put = send_answer(
            send(fd, payload + taken, size - taken, 0), size - taken);

        if (now() - began > held)
            held = now() - began;
        if (put.kind == FAILED)
            die_because(put.error, "cannot send the payload");
        if (put.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: no room */
            wait_until_writable(fd, deadline);
        taken += put.count;
        status_progress(taken, size);
    }

    say("taken by the kernel: %s of %s bytes", grouped(taken), grouped(size));
    say("left behind: %s bytes (%.1f %%)", grouped(size - taken),
        size > 0 ? 100.0 * (double)(size - taken) / (double)size : 0.0);
    say("longest time held inside send: %.6f s", seconds(held));
    report("held_seconds", "%.6f", seconds(held));
    report("left", "%zu", size - taken);
    if (taken < size)
        die_because(0, "stopped by %s before all was sent", stop_reason());
    free(payload);
    close(fd);
    return 0;
}
