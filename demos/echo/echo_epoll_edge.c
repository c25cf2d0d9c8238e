/* SPDX-License-Identifier: MIT */
/*
 * echo_epoll_edge - the same, edge-triggered: the kernel reports changes only.
 *
 * Shows    with EPOLLET a socket is reported when something new has come, or
 *          room has, and not again while it lasts. So each report is used up:
 *          call until the answer is "would block". With --one-turn it is not,
 *          the classic mistake: what is left lies there until more comes.
 * Run      echo_epoll_edge 8080            Linux only
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_epoll: the same service, level-triggered
 */
#include "wouldblock.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static bool one_turn;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"one-turn", NULL, "serve one turn a report: a mistake", .flag = &one_turn},
    {0},
};
static const struct program program = {
    "An echo server that waits for changes with edge-triggered epoll.",
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

/* Tell the kernel, once, to tell us of every change of this client. Told
 * again, it reports at once what is ready now (epoll(7)). */
static bool watch_client(struct client *c)
{
    const uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    int change = c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->watched = events;
    if (!watch(change, c->fd, events, c))
        return client_failed(c, "watch", errno);
    return true;
}

/* A change is reported once: go on until the kernel says "would block". But
 * one client must not starve the others: after some turns, queue up again. */
static bool serve_all(struct client *c)
{
    const unsigned long long before = counters.again;

    for (int turns = 0; turns < 16; turns++)
        if (!serve(c))
            return false;
        else if (counters.again > before || one_turn)
            return true;
    return watch_client(c);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct clients clients = {0};
    bool full = false;  /* out of descriptors: let the listener rest a while */
    bool knock = false; /* and has not yet been asked until "would block" */

    set_nonblocking(listener);
    set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0 || !watch(EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLET, NULL))
        die("cannot watch the listener");
    while (!stopping()) {
        struct epoll_event ready[64];
        int limit = full ? 100 : knock ? 0 : -1;
        int count = epoll_wait(set, ready, 64, limit);

        if (count < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* there is no answer */
        }
        full = false;

        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;

            if (c == NULL)
                knock = true;
            else if (!serve_all(c))
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
            full = true;
        } else {
            knock = came.error != EAGAIN;
        }
    }
    clients_free(&clients);
    close(set);
    close(listener);
    return 0;
}
