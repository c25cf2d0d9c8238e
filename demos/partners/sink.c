/* SPDX-License-Identifier: MIT */
/*
 * sink - receives the payload at a chosen pace and checks every byte.
 *
 * Shows    how the receiver slows the sender down: what it does not read fills
 *          the kernel's buffers, first the receiver's, then the sender's.
 * Run      sink 8080                 as fast as it can
 *          sink --pace 60M 8080      60 MiB a second
 *          sink --pause 3s 8080      reads nothing at all for three seconds
 * See      send_blocking, send_once, send_all: the senders
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static size_t size = PAYLOAD_SIZE;
static size_t pace;
static duration pause_first;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"size", "BYTES", "expect BYTES of the payload", .size = &size},
    {"pace", "BYTES", "read at most BYTES a second; 0: no limit",
     .size = &pace},
    {"pause", "TIME", "read nothing for TIME after the sender has connected",
     .time = &pause_first},
    {0},
};
static const struct program program = {
    "Receives the payload from one sender and checks every byte.",
    "PORT",
    settings,
};

static char chunk[64 * 1024];

/* Receive until the sender ends. Returns the number of bytes. */
static size_t receive_all(int fd)
{
    instant began = now();
    size_t want = sizeof chunk, received = 0;

    if (pace > 0 && pace / 50 < want) /* small steps make an even pace */
        want = pace / 50 + 1;
    while (!stopping()) {
        struct answer got = recv_answer(recv(fd, chunk, want, 0), want);

        if (got.kind == CLOSED)
            break;
        if (got.kind == FAILED)
            die_because(got.error, "cannot receive after %s bytes",
                        grouped(received));

        if (received == 0)
            began = now(); /* the clock runs from the first byte on */

        size_t right = payload_matching(chunk, got.count, received);

        if (right < got.count)
            die_because(0, "byte %s is wrong: it is not that of the payload",
                        grouped(received + right));
        received += got.count;
        status_progress(received, size);
        if (pace > 0)
            nap_until(began + (duration)((double)received / (double)pace *
                                         (double)SECOND));
    }
    report("receiving_seconds", "%.6f", seconds(now() - began));
    return received;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct answer came;

    do {
        came = accept_answer(accept(listener, NULL, NULL));
        if (came.kind == FAILED) {
            accept_failed(came.error);
            nap(SECOND / 10);
        }
    } while (came.kind != DONE && !stopping());
    if (came.kind != DONE)
        die_because(0, "stopped by %s before a sender connected",
                    stop_reason());
    log_info("a sender connected from %s", peer_text(came.fd));
    nap(pause_first);

    size_t received = receive_all(came.fd);

    close(came.fd);
    close(listener);
    if (stopping())
        die_because(0, "stopped by %s after %s bytes", stop_reason(),
                    grouped(received));
    if (received != size)
        die_because(
            0, "received %s of %s bytes: %s are %s", grouped(received),
            grouped(size),
            grouped(received < size ? size - received : received - size),
            received < size ? "missing" : "too many");
    say("All data received: %s bytes, all of them right", grouped(received));
    return 0;
}
