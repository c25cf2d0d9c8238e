/* SPDX-License-Identifier: MIT */
/*
 * echo_select - an echo server that sleeps in select until a socket is ready.
 *
 * Shows    select takes sets of descriptors and waits for any of them. All
 *          clients are served, and no CPU is used while nothing happens. select
 *          overwrites the sets with its answer, so they are filled before each
 *          call; and a set has room only for descriptors below FD_SETSIZE.
 * Run      echo_select 8080
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_busypoll: the same service, asking each socket
 *          echo_poll: the same service, with poll
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {0},
};
static const struct program program = {
    "An echo server that waits for all clients with select.",
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
        if (came.kind == DONE && came.fd >= FD_SETSIZE) {
            warn_because(0, "client %llu dropped: select cannot hold fd %d",
                         counters.accepted, came.fd);
            close(came.fd);
        } else if (came.kind == DONE) {
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
    bool full = false; /* out of descriptors: pause accept, 100 ms at most */

    if (listener >= FD_SETSIZE)
        die_because(0, "descriptor %d is too high for select", listener);
    make_nonblocking(listener);
    while (!stopping()) {
        struct timeval tenth = {.tv_usec = 100000};
        fd_set readable, writable;
        int highest = listener;

        FD_ZERO(&readable);
        FD_ZERO(&writable);
        if (!full)
            FD_SET(listener, &readable);
        for (size_t i = 0; i < clients.count; i++) {
            struct client *c = clients.at[i];

            FD_SET(c->fd, buffer_used(&c->buffer) ? &writable : &readable);
            highest = c->fd > highest ? c->fd : highest;
        }
        if (select(highest + 1, &readable, &writable, NULL,
                   full ? &tenth : NULL) < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* a signal came, and the sets mean nothing */
        }

        for (size_t i = clients.count; i-- > 0;)
            if ((FD_ISSET(clients.at[i]->fd, &readable) ||
                 FD_ISSET(clients.at[i]->fd, &writable)) &&
                !serve(clients.at[i]))
                clients_remove(&clients, i);
        full = FD_ISSET(listener, &readable) &&
               !accept_clients(listener, &clients);
    }
    clients_free(&clients);
    close(listener);
    return 0;
}
