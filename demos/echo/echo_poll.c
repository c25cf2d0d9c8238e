/* SPDX-License-Identifier: MIT */
/*
 * echo_poll - an echo server that hands the kernel a list of its sockets and
 * sleeps until one of them is ready.
 *
 * Shows    poll is asked about a list of descriptors; question (events) and
 *          answer (revents) stand side by side, and no descriptor is too high.
 *          But the whole list goes to the kernel each time, and is searched
 *          there and here, however few of the sockets are ready.
 * Run      echo_poll 8080
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_select: the same service, the rung below
 *          echo_epoll: the same service, the next rung (Linux)
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {0},
};
static const struct program program = {
    "An echo server that waits for all clients with poll.",
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
    struct pollfd *list = NULL;

    set_nonblocking(listener);
    while (!stopping()) {
        const size_t count = clients.count;

        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = full ? -1 : listener; /* poll leaves out -1 */
        list[count].events = POLLIN;
        for (size_t i = 0; i < clients.count; i++) {
            struct client *c = clients.at[i];

            list[i].fd = c->fd;
            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
        }
        if (poll(list, count + 1, full ? 100 : -1) < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* there is no answer */
        }
        full = false;

        for (size_t i = clients.count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        if (!list[count].revents)
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            set_nonblocking(came.fd); /* Linux: a new socket starts blocking */
            clients_add(&clients, came.fd);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            full = true;
        }
    }
    free(list);
    clients_free(&clients);
    close(listener);
    return 0;
}
