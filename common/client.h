/* SPDX-License-Identifier: MIT */
/*
 * client.h - one connection of a server, and the set of all of them.
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

/* Set up a client around a socket that accept gave, and log its arrival. */
void client_open(struct client *c, int fd);

/* Close the client's socket and log that it left. */
void client_close(struct client *c);

/* Log why a call on the client's socket failed, in words such as "receive
 * from". Always false, the answer of a serve function that gives up. */
bool client_failed(const struct client *c, const char *trying, int error);

/* All zeros is the empty set. */
struct clients {
    size_t count;
    size_t room;
    struct client **at; /* at[0] to at[count - 1], in no special order */
};

/*
 * Add a client around a socket; the set owns both. Without memory for it the
 * socket is closed with a warning, the set stays as it is, and the answer is
 * NULL.
 */
struct client *clients_add(struct clients *set, int fd);

/* Close at[index] and move the last client into its place. */
void clients_remove(struct clients *set, size_t index);

/* Close them all and free the set. */
void clients_free(struct clients *set);

#endif
