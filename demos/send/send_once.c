/* SPDX-License-Identifier: MIT */
/*
 * send_once - the mistake: one non-blocking send, and the rest is never sent.
 *
 * Shows    the kernel takes what fits into its buffers and returns how much
 *          that was, at once. This is a partial write: the program still has
 *          the rest, and has to send it later. This one does not, so it is
 *          lost.
 * Run      sink 8080
 *          send_once 127.0.0.1 8080
 * Compare  send_blocking: the call that waits until the kernel has taken all
 *          send_all: the correction
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t size = PAYLOAD_SIZE;

static const struct setting settings[] = {
    {"size", "BYTES", "send BYTES of the payload", .size = &size},
    {0},
};
static const struct program program = {
    "Sends the payload with one non-blocking call.",
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

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    char *payload = payload_new(size);
    int fd = connect_to(operands[0], operands[1]);

    make_nonblocking(fd);
    instant began = now();
    struct answer put = send_answer(send(fd, payload, size, 0), size);
    duration held = now() - began;

    if (put.kind == FAILED)
        die_because(put.error, "cannot send the payload");

    size_t taken = put.count;

    say("taken by the kernel: %s of %s bytes", grouped(taken), grouped(size));
    say("left behind: %s bytes (%.1f %%)", grouped(size - taken),
        size > 0 ? 100.0 * (double)(size - taken) / (double)size : 0.0);
    say("longest time held inside send: %.6f s", seconds(held));
    report("held_seconds", "%.6f", seconds(held));
    report("left", "%zu", size - taken);
    free(payload);
    close(fd);
    return 0;
}
