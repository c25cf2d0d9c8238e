/* SPDX-License-Identifier: MIT */
/*
 * echo_busypoll - an echo server that busy-polls: it tries all sockets in turn.
 *
 * Shows    with O_NONBLOCK accept, recv and send never wait: if there is
 *          nothing to do they fail with EAGAIN, "would block". The program
 *          serves all clients, and uses one core all the time.
 * Run      echo_busypoll 8080              --nap 1ms uses less CPU
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_blocking: the same service, with blocking sockets
 *          echo_select: the same service, asleep until a socket is ready
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static duration round_nap;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"nap", "TIME", "sleep for TIME after each round", .time = &round_nap},
    {0},
};
static const struct program program = {
    "An echo server that busy-polls: it tries all sockets in turn.",
    "PORT",
    settings,
};

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

/* One turn: receive, send back. False when the client ended or failed. */
static bool serve(struct client *c)
{
    struct buffer *b = &c->buffer;

    if (buffer_used(b) == 0) {
        struct answer got = recv_answer(
            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: nothing yet */
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

/* Accept all clients that are waiting, but at most 64 before the others have
 * their turn. False when the program is out of descriptors or memory. */
static bool accept_clients(int listener, struct clients *clients)
{
    for (int i = 0; i < 64; i++) {
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.error == EAGAIN || came.error == EWOULDBLOCK)
            break; /* nobody else is waiting */
        if (came.kind == FAILED) {
            accept_failed(came.error);
            return false;
        }
        if (came.kind == DONE) {
            make_nonblocking(came.fd); /* Linux: not inherited */
            clients_add(clients, came.fd);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    instant resume = 0; /* out of descriptors: no accept before this time */

    make_nonblocking(listener);
    while (!stopping()) {
        for (size_t i = clients.count; i-- > 0;)
            if (!serve(clients.at[i]))
                clients_remove(&clients, i);
        if (passed(resume) && !accept_clients(listener, &clients))
            resume = deadline_in(SECOND / 10);
        nap(round_nap);
    }
    clients_free(&clients);
    close(listener);
    return 0;
}
