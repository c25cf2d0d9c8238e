/* SPDX-License-Identifier: MIT */
/*
 * client.h - one client of a server, and the set of all its clients.
 */
#ifndef WOULDBLOCK_CLIENT_H
#define WOULDBLOCK_CLIENT_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct client {
    int fd;
    unsigned long long number; /* the first client is 1 */
    size_t index;              /* where it stands in its set */
    unsigned interest;    /* events in epoll's interest list; 0: not in it */
    struct buffer buffer; /* received and not yet sent back */
};

/* Set up a client for a socket from accept, and log it. The client owns it. */
void client_open(struct client *c, int fd);

/* Close the client's socket, free its buffer, and log that. */
void client_close(struct client *c);

/* Warn that a call on the client's socket failed; trying says which, for
 * example "receive from". Returns false, so that serve() can return it. */
bool client_failed(const struct client *c, const char *trying, int error);

/* All zeros is the empty set. */
struct clients {
    size_t count;
    size_t room;
    struct client **at; /* at[0] to at[count - 1], in no special order */
};

/*
 * Add a client for a socket; the set owns both. If there is no memory the
 * socket is closed with a warning, the set stays as it is, and the result is
 * NULL.
 */
struct client *clients_add(struct clients *set, int fd);

/* Close at[index] and move the last client into its place. */
void clients_remove(struct clients *set, size_t index);

/* Close them all and free the set. */
void clients_free(struct clients *set);

#endif
