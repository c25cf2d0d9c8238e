/* SPDX-License-Identifier: MIT */
/*
 * tarpit - a server to which connecting takes as long as one wants.
 *
 * Shows    the accept queue of listen(fd, 0) holds one connection on Linux.
 *          This program fills it with one of its own and accepts nobody; the
 *          kernel then leaves every further connect without an answer. Once
 *          the queue has room, the client's next try succeeds: the kernel
 *          repeats its SYN after 1 s, then 2 s, 4 s, ... (RFC 6298).
 * Run      tarpit 8080                   stuck for as long as it runs
 *          tarpit --release 3s 8080      accepts everybody after 3 s
 * See      connect_blocking, connect_nonblocking: its victims
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static duration release_after;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"release", "TIME", "accept everybody after TIME; 0: never",
     .time = &release_after},
    {0},
};
static const struct program program = {
    "A server that leaves connects without an answer.",
    "PORT",
    settings,
};

/* The connection that takes up the queue; it stays open to the end. */
static int fill_queue(int listener)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;

    if (getsockname(listener, (struct sockaddr *)&own, &length) < 0)
        die("cannot ask the socket for its address");

    int filler = socket(own.ss_family, SOCK_STREAM, 0);

    if (filler < 0 || connect(filler, (struct sockaddr *)&own, length) < 0)
        die("cannot fill the accept queue");
    return filler;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = bound_socket(address, operands[0], SOCK_STREAM);

    if (listen(listener, 0) < 0)
        die("cannot listen");

    int filler = fill_queue(listener);

    announce_listening(listener);
    nap_until(deadline_in(release_after));
    if (!stopping())
        say("released: accepting everybody");
    while (!stopping()) {
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            log_info("accepted %s", peer_text(came.fd));
            close(came.fd);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            nap(SECOND / 10);
        }
    }
    close(filler);
    close(listener);
    return 0;
}
