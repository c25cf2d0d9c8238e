/* SPDX-License-Identifier: MIT */
/*
 * chat_client - a chat client that waits for keyboard and socket together.
 *
 * Shows    poll waits for both, so neither blocks the other. The program does
 *          not set O_NONBLOCK on standard input, because the flag would be
 *          shared with the shell, and stay after the program has ended. At the
 *          end of the input it half-closes the connection (shutdown): the
 *          farewell of the server still arrives.
 * Run      chat_server 8080
 *          chat_client 127.0.0.1 8080
 * See      chat_server
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct setting settings[] = {
    {0},
};
static const struct program program = {
    "A chat client: sends lines, and prints those of others.",
    "HOST PORT",
    settings,
};

/* Typed and not sent yet. Until it is sent, the keyboard is not read. */
static struct buffer typed;

/* Read what was typed. False at the end of the input. */
static bool read_keyboard(void)
{
    ssize_t n = read(STDIN_FILENO, buffer_back(&typed), buffer_room(&typed));

    if (n < 0 && errno != EINTR && errno != EAGAIN)
        die("cannot read the keyboard");
    if (n > 0)
        buffer_added(&typed, (size_t)n);
    return n != 0;
}

static void send_typed(int fd)
{
    size_t size = buffer_used(&typed);
    struct answer put =
        send_answer(send(fd, buffer_front(&typed), size, 0), size);

    if (put.kind == FAILED)
        die_because(put.error, "cannot send to the server");
    buffer_taken(&typed, put.count);
}

/* Print messages. False when the server has ended. */
static bool print_messages(int fd)
{
    char messages[BUFFER_SIZE];
    struct answer got =
        recv_answer(recv(fd, messages, sizeof messages, 0), sizeof messages);

    if (got.kind == FAILED)
        die_because(got.error, "cannot receive from the server");
    print_bytes(messages, got.count);
    return got.kind != CLOSED;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int fd = connect_to(operands[0], operands[1]);
    bool typing = true, connected = true;

    set_nonblocking(fd);
    while (connected && !stopping()) {
        bool unsent = buffer_used(&typed) > 0;
        struct pollfd list[] = {
            {.fd = fd, .events = unsent ? POLLIN | POLLOUT : POLLIN},
            {.fd = typing && !unsent ? stop_button() : -1, .events = POLLIN},
        };

        if (poll(list, 2, -1) < 0) {
            if (errno != EINTR)
                die("cannot wait for keyboard and server");
            continue; /* a signal came: is it time to stop? */
        }
        if (list[1].revents) {
            typing = read_keyboard();
            if (!typing && shutdown(fd, SHUT_WR) < 0)
                die("cannot end the sending to the server");
        }
        if (buffer_used(&typed) > 0)
            send_typed(fd);
        if (list[0].revents & ~POLLOUT)
            connected = print_messages(fd);
    }
    close(fd);
    return 0;
}
