/* SPDX-License-Identifier: MIT */
/*
 * echo_epoll - an echo server that leaves the list of its sockets with the
 * kernel and asks which of them have become ready.
 *
 * Shows    epoll_ctl tells the kernel once what a socket waits for; epoll_wait
 *          sleeps and then hands over the ready ones alone. What that costs
 *          depends on how many are active, not on how many there are.
 *          Level-triggered: a socket is reported as long as it is ready.
 * Run      echo_epoll 8080                 Linux only
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_poll: the same service, the rung below
 *          echo_epoll_edge: the same service, told of changes only
 */
#include "wouldblock.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {0},
};
static const struct program program = {
    "An echo server that waits for all clients with epoll.",
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

static int set; /* in the kernel: who is waited for, and what for */

static bool watch(int change, int fd, uint32_t events, struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(set, change, fd, &event) == 0;
}

/* Tell the kernel what this client waits for, if that has changed. */
static bool watch_client(struct client *c)
{
    uint32_t events = buffer_used(&c->buffer) ? EPOLLOUT : EPOLLIN;
    int change = c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (events == c->watched)
        return true;
    c->watched = events;
    if (!watch(change, c->fd, events, c))
        return client_failed(c, "watch", errno);
    return true;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    bool full = false; /* out of descriptors: let the listener rest a while */

    set_nonblocking(listener);
    set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0 || !watch(EPOLL_CTL_ADD, listener, EPOLLIN, NULL))
        die("cannot watch the listener");
    while (!stopping()) {
        struct epoll_event ready[64];
        int count = epoll_wait(set, ready, 64, full ? 100 : -1);
        bool knock = false;

        if (count < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* there is no answer */
        }
        if (full)
            watch(EPOLL_CTL_MOD, listener, EPOLLIN, NULL);
        full = false;

        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;

            if (c == NULL)
                knock = true;
            else if (!serve(c) || !watch_client(c))
                clients_remove(&clients, c->index); /* close unwatches it */
        }
        if (!knock)
            continue;

        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.kind == DONE) {
            set_nonblocking(came.fd); /* Linux: a new socket starts blocking */
            struct client *c = clients_add(&clients, came.fd);

            if (c && !watch_client(c))
                clients_remove(&clients, c->index);
        } else if (came.kind == FAILED) {
            accept_failed(came.error);
            watch(EPOLL_CTL_MOD, listener, 0, NULL);
            full = true;
        }
    }
    clients_free(&clients);
    close(set);
    close(listener);
    return 0;
}
