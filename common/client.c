/* SPDX-License-Identifier: MIT */
#include "client.h"
#include "answer.h"
#include "error.h"
#include "net.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void client_open(struct client *c, int fd)
{
    set_nodelay(fd);
    c->fd = fd;
    c->number = counters.accepted;
    c->interest = 0;
    c->buffer = (struct buffer){0};
    log_info("client %llu connected from %s", c->number, peer_text(fd));
}

void client_close(struct client *c)
{
    close(c->fd);
    buffer_free(&c->buffer);
    log_info("client %llu: connection closed", c->number);
}

bool client_failed(const struct client *c, const char *trying, int error)
{
    warn_because(error, "cannot %s client %llu", trying, c->number);
    return false;
}

struct client *clients_add(struct clients *set, int fd)
{
    struct client *c = malloc(sizeof *c);

    if (c && set->count == set->room) {
        size_t room = set->room > 0 ? 2 * set->room : 16;
        struct client **at = realloc(set->at, room * sizeof *set->at);

        if (at) {
            set->at = at;
            set->room = room;
        }
    }
    if (!c || set->count == set->room) {
        warn("cannot add another client");
        close(fd);
        free(c);
        return NULL;
    }
    client_open(c, fd);
    c->index = set->count++;
    set->at[c->index] = c;
    return c;
}

void clients_remove(struct clients *set, size_t index)
{
    struct client *c = set->at[index];

    set->at[index] = set->at[--set->count];
    set->at[index]->index = index;
    client_close(c);
    free(c);
}

void clients_free(struct clients *set)
{
    while (set->count > 0)
        clients_remove(set, set->count - 1);
    free(set->at);
    *set = (struct clients){0};
}
