/* SPDX-License-Identifier: MIT */
/*
 * echo_client_busypoll - sends lines to an echo server and prints what comes
 * back; while it waits it looks for prime numbers.
 *
 * Shows    a non-blocking recv fails with EAGAIN instead of waiting, and the
 *          program can use the time. At the end it says how much work it did.
 * Run      echo_client_busypoll 127.0.0.1 8080 'first line' 'second line'
 *          echo_client_busypoll 127.0.0.1 8080      type lines
 * Compare  echo_client: the same client, which sleeps while it waits
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static duration hold;

static const struct setting settings[] = {
    {"hold", "TIME", "stay connected for TIME after the last line",
     .time = &hold},
    {0},
};
static const struct program program = {
    "Sends lines to an echo server, and works while it waits for the echo.",
    "HOST PORT [LINE]...",
    settings,
};

static duration first_wait, longest_wait;

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

/* Send a line and wait for its echo. next_line gives at most 16 KiB at a time:
 * that fits into the kernel's buffers, so send all of it before receiving. */
static void exchange(int fd, const char *line, size_t size)
{
    char echo[BUFFER_SIZE];
    size_t sent = 0, echoed = 0;
    instant began = now();

    while (sent < size && !stopping()) {
        struct answer put =
            send_answer(send(fd, line + sent, size - sent, 0), size - sent);

        if (put.kind == FAILED)
            die_because(put.error, "cannot send to the server");
        if (put.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: no room */
            work_step();
        sent += put.count;
    }
    while (echoed < size && !stopping()) {
        struct answer got =
            recv_answer(recv(fd, echo, size - echoed, 0), size - echoed);

        if (got.kind == FAILED)
            die_because(got.error, "cannot receive from the server");
        if (got.kind == CLOSED)
            die_because(0,
                        "the server closed the connection: %zu bytes of the "
                        "echo are missing",
                        size - echoed);
        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
            work_step();
        print_bytes(echo, got.count);
        echoed += got.count;
    }

    duration waited = now() - began;

    if (stopping())
        die_because(0, "stopped by %s after waiting %.3f s for an echo",
                    stop_reason(), seconds(waited));
    log_info("echo of %zu bytes after %.3f ms", size, 1e3 * seconds(waited));
    if (first_wait == 0)
        first_wait = waited;
    if (waited > longest_wait)
        longest_wait = waited;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int fd = connect_to(operands[0], operands[1]);
    struct line line = {0};

    make_nonblocking(fd);
    while (next_line(&line, operands + 2))
        exchange(fd, line.bytes, line.length);
    nap(hold);
    report("first_wait_seconds", "%.6f", seconds(first_wait));
    report("longest_wait_seconds", "%.6f", seconds(longest_wait));
    log_info("prime numbers found meanwhile: %s", grouped(work_found()));
    close(fd);
    return 0;
}
