/* SPDX-License-Identifier: MIT */
/*
 * tarpit - a server that leaves connect unanswered for as long as you like.
 *
 * Shows    the accept queue of listen(fd, 0) holds one connection on Linux.
 *          This program fills it with its own connection and accepts nobody, so
 *          the kernel does not answer any other connect. When the queue has
 *          room again the client's next SYN succeeds: its kernel repeats the
 *          SYN after 1 s and again later (RFC 6298).
 * Run      tarpit 8080                   never accepts
 *          tarpit --release 3s 8080      accepts all after 3 s
 * See      connect_blocking, connect_nonblocking: clients for it
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static duration release_after;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"release", "TIME", "accept all connections after TIME; 0: never",
     .time = &release_after},
    {0},
};
static const struct program program = {
    "A server that does not answer connect.",
    "PORT",
    settings,
};

/* The connection that fills the queue. It stays open until the end. */
static int fill_queue(int listener)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;

    if (getsockname(listener, (struct sockaddr *)&own, &length) < 0)
        die("cannot ask the socket for its address");

    int filler = socket(own.ss_family, SOCK_STREAM, 0);

    if (filler < 0)
        die("cannot make a socket");

    struct answer made =
        connect_blocking(filler, (struct sockaddr *)&own, length);

    if (made.kind == FAILED)
        die_because(made.error, "cannot fill the accept queue");
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
        say("accepting all connections from now on");
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
