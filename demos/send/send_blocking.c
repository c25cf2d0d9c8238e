/* SPDX-License-Identifier: MIT */
/*
 * send_blocking - sends the whole payload with one blocking call.
 *
 * Shows    send returns when the kernel has taken every byte. Its buffers are
 *          too small for all of them, so the receiver has to read first: a slow
 *          receiver holds the sender. Taken does not mean received: the last
 *          megabytes are still in the buffers when the call returns.
 * Run      sink --pace 60M 8080
 *          send_blocking 127.0.0.1 8080
 * Compare  send_once: the same call on a non-blocking socket
 */
#include "wouldblock.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t size = PAYLOAD_SIZE;

static const struct setting settings[] = {
    {"size", "BYTES", "send BYTES of the payload", .size = &size},
    {0},
};
static const struct program program = {
    "Sends the payload with one blocking call.",
    "HOST PORT",
    settings,
};

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    char *payload = payload_new(size);
    int fd = connect_to(operands[0], operands[1]);

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
    if (taken < size) /* a signal or an error has cut it short (send(2)) */
        die_because(put.error, "stopped by %s before all was sent",
                    stopping() ? stop_reason() : "a signal or an error");
    free(payload);
    close(fd);
    return 0;
}
