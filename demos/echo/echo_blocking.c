/* SPDX-License-Identifier: MIT */
/*
 * echo_blocking - an echo server that serves one client to the end, and then
 * the next one.
 *
 * Shows    accept, recv and send all block. While the first client is silent
 *          the program sleeps in recv, and serves nobody else.
 * Run      echo_blocking 8080
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_busypoll: the same service, with non-blocking sockets
 */
#include "wouldblock.h"

#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {0},
};
static const struct program program = {
    "An echo server that serves one client after another.",
    "PORT",
    settings,
};

/* One turn: receive, send back. False when the client ended or failed. */
static bool serve(struct client *c)
{
    struct buffer *b = &c->buffer;

    if (buffer_used(b) == 0) {
        struct answer got = recv_answer(
            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

        if (got.kind == AGAIN) /* EINTR: a signal came first */
            return true;
        if (got.kind == CLOSED) /* recv returned 0: the client has ended */
            return false;
        if (got.kind == FAILED)
            return client_failed(c, "receive from", got.error);
        buffer_added(b, got.count);
    }

    struct answer put = send_answer(
        send(c->fd, buffer_front(b), buffer_used(b), 0), buffer_used(b));

    if (put.kind == FAILED)
        return client_failed(c, "send to", put.error);
    buffer_taken(b, put.count); /* the rest, if any, in the next turn */
    return true;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct client client;

    while (!stopping()) {
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            client_open(&client, came.fd);
            while (!stopping() && serve(&client))
                ;
            client_close(&client);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            nap(SECOND / 10);
        }
    }
    close(listener);
    return 0;
}
