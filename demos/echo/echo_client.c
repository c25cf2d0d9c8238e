/* SPDX-License-Identifier: MIT */
/*
 * echo_client - sends lines to an echo server and prints what comes back.
 *
 * Shows    recv waits until the server answers; meanwhile the program sleeps
 *          and can do nothing else. The log says how long each line took.
 * Run      echo_client 127.0.0.1 8080 'first line' 'second line'
 *          echo_client 127.0.0.1 8080      type lines; Ctrl-D ends
 * Compare  echo_client_busypoll: the same client, which works while it waits
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static duration hold;

static const struct setting settings[] = {
    {"hold", "TIME", "stay connected for TIME after the last line",
     .time = &hold},
    {0},
};
static const struct program program = {
    "Sends lines to an echo server and prints what comes back.",
    "HOST PORT [LINE]...",
    settings,
};

static duration first_wait, longest_wait;

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

    while (next_line(&line, operands + 2))
        exchange(fd, line.bytes, line.length);
    nap(hold);
    report("first_wait_seconds", "%.6f", seconds(first_wait));
    report("longest_wait_seconds", "%.6f", seconds(longest_wait));
    close(fd);
    return 0;
}
