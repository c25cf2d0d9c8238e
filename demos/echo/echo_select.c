/* SPDX-License-Identifier: MIT */
/*
 * echo_select - an echo server that hands the kernel its sockets and sleeps
 * until one of them is ready.
 *
 * Shows    select is asked about sets of descriptors and waits. All clients
 *          are served, and no CPU is used while nothing happens. It writes its
 *          answer over the sets, so they are filled anew for each call; and
 *          they hold only descriptors below FD_SETSIZE.
 * Run      echo_select 8080
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_busypoll: the same service, asking each socket
 *          echo_poll: the same service, the next rung
 */
#include "wouldblock.h"

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

/* One turn for one client: receive, send back. False when it is over. */
static bool serve(struct client *c)
{
    struct buffer *b = &c->buffer;

    if (buffer_used(b) == 0) {
        struct answer got = recv_answer(
            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

        if (got.kind == FAILED)
            return client_failed(c, "receive from", got.error);
        if (got.kind != DONE)
            return got.kind == AGAIN; /* nothing yet; or CLOSED, the end */
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
    struct clients clients = {0};
    bool full = false; /* out of descriptors: let the listener rest a while */

    if (listener >= FD_SETSIZE)
        die_because(EMFILE, "cannot select descriptor %d", listener);
    set_nonblocking(listener);
    while (!stopping()) {
        struct timeval rest = {.tv_usec = 100000};
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
                   full ? &rest : NULL) < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* there is no answer */
        }
        full = false;

        for (size_t i = clients.count; i-- > 0;)
            if ((FD_ISSET(clients.at[i]->fd, &readable) ||
                 FD_ISSET(clients.at[i]->fd, &writable)) &&
                !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (!FD_ISSET(listener, &readable))
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE && came.fd >= FD_SETSIZE) {
            warn_because(0, "client %llu refused: descriptor %d is too high",
                         counters.accepted, came.fd);
            close(came.fd);
        } else if (came.kind == DONE) {
            set_nonblocking(came.fd); /* Linux: a new socket starts blocking */
            clients_add(&clients, came.fd);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            full = true;
        }
    }
    clients_free(&clients);
    close(listener);
    return 0;
}
