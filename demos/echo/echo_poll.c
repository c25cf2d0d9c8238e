/* SPDX-License-Identifier: MIT */
/*
 * echo_poll - an echo server that sleeps in poll until a socket is ready.
 *
 * Shows    poll takes a list of descriptors. What is waited for (events) and
 *          what has happened (revents) are different fields, and no descriptor
 *          is too high. But the whole list goes to the kernel at each call, and
 *          kernel and program go through all of it, even if only one socket is
 *          ready.
 * Run      echo_poll 8080
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_select: the same service, with select
 *          echo_epoll: the same service, with epoll (Linux)
 */
#include "wouldblock.h"

#include <fcntl.h>
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
    bool full = false; /* out of descriptors: pause accept, 100 ms at most */
    struct pollfd *list = NULL;

    make_nonblocking(listener);
    while (!stopping()) {
        const size_t count = clients.count;

        list = enlarged(list, count + 1, sizeof *list);
        list[count].fd = full ? -1 : listener; /* poll skips -1 */
        list[count].events = POLLIN;
        for (size_t i = 0; i < clients.count; i++) {
            struct client *c = clients.at[i];

            list[i].fd = c->fd;
            list[i].events = buffer_used(&c->buffer) ? POLLOUT : POLLIN;
        }
        if (poll(list, count + 1, full ? 100 : -1) < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* a signal came, and the list means nothing */
        }

        for (size_t i = clients.count; i-- > 0;)
            if (list[i].revents && !serve(clients.at[i]))
                clients_remove(&clients, i);
        full = list[count].revents && !accept_clients(listener, &clients);
    }
    free(list);
    clients_free(&clients);
    close(listener);
    return 0;
}
