/* SPDX-License-Identifier: MIT */
/*
 * echo_epoll_edge - the same, edge-triggered: the kernel reports only changes.
 *
 * Shows    with EPOLLET a socket is reported when new bytes arrive or room
 *          becomes free, and not again for what is already there. So the
 *          program calls recv and send until they would block. With --one-turn
 *          it does not, a classic mistake: the rest waits for more bytes.
 *          The listener stays level-triggered, which is simpler and safe.
 * Run      echo_epoll_edge 8080            Linux only
 *          echo_client 127.0.0.1 8080      in two other terminals
 * Compare  echo_epoll: the same service, level-triggered
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static bool one_turn;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"one-turn", NULL, "serve one turn for each report: a mistake",
     .flag = &one_turn},
    {0},
};
static const struct program program = {
    "An echo server that waits for changes with edge-triggered epoll.",
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
static bool serve(struct client *c, bool *would_block)
{
    struct buffer *b = &c->buffer;

    if (buffer_used(b) == 0) {
        struct answer got = recv_answer(
            recv(c->fd, buffer_back(b), BUFFER_SIZE, 0), BUFFER_SIZE);

        /* After EINTR more may be there: recv is called again. */
        *would_block = got.error == EAGAIN || got.error == EWOULDBLOCK;
        if (got.kind == AGAIN)
            return true;
        if (got.kind == CLOSED) /* recv returned 0: the client has ended */
            return false;
        if (got.kind == FAILED)
            return client_failed(c, "receive from", got.error);
        buffer_added(b, got.count);
    }

    struct answer put = send_answer(
        send(c->fd, buffer_front(b), buffer_used(b), 0), buffer_used(b));

    *would_block = put.error == EAGAIN || put.error == EWOULDBLOCK;
    if (put.kind == FAILED)
        return client_failed(c, "send to", put.error);
    buffer_taken(b, put.count); /* the rest, if any, in the next turn */
    return true;
}

static int epoll_fd;

/* Add a descriptor to the kernel's interest list, or change its entry. */
static bool set_interest(int operation, int fd, uint32_t events,
                         struct client *c)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

/* Ask the kernel to report every change of this client. Asking again
 * (EPOLL_CTL_MOD) makes it report at once what is ready now. */
static bool update_interest(struct client *c)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    int operation = c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    c->interest = events;
    if (!set_interest(operation, c->fd, events, c))
        return client_failed(c, "wait for", errno);
    return true;
}

/* A change is reported once: go on until a call would block. But one client
 * must not starve the others: after 16 turns, ask for a new report. */
static bool serve_all(struct client *c)
{
    bool would_block = false;

    for (int turn = 0; turn < 16 && !would_block; turn++) {
        if (!serve(c, &would_block))
            return false;
        if (one_turn)
            return true;
    }
    return would_block || update_interest(c);
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
            struct client *c = clients_add(clients, came.fd);

            if (c && !update_interest(c))
                clients_remove(clients, c->index);
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

    make_nonblocking(listener);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("cannot make an epoll instance");
    if (!set_interest(EPOLL_CTL_ADD, listener, EPOLLIN, NULL))
        die("cannot add the listening socket to the interest list");
    while (!stopping()) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll_fd, ready, 64, full ? 100 : -1);
        bool listener_ready = false;

        if (count < 0) {
            if (errno != EINTR)
                die("cannot wait for clients");
            continue; /* a signal came, and nothing is known to be ready */
        }
        if (full)
            set_interest(EPOLL_CTL_MOD, listener, EPOLLIN, NULL);

        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;

            if (c == NULL)
                listener_ready = true;
            else if (!serve_all(c))
                clients_remove(&clients, c->index); /* close removes it */
        }
        full = listener_ready && !accept_clients(listener, &clients);
        if (full)
            set_interest(EPOLL_CTL_MOD, listener, 0, NULL);
    }
    clients_free(&clients);
    close(epoll_fd);
    close(listener);
    return 0;
}
