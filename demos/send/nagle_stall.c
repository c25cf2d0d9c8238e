/* SPDX-License-Identifier: MIT */
/*
 * nagle_stall - 40 milliseconds, out of nothing.
 *
 * Shows    a request in two sends, answered when it is whole. Nagle's algorithm
 *          (RFC 896) keeps the second part back until the first one has been
 *          confirmed; the peer puts that off, hoping for data to go with it
 *          (delayed acknowledgement, RFC 1122). Both wait, until a timer ends
 *          it. One send instead of two, or TCP_NODELAY, and nobody waits.
 * Run      nagle_stall
 * See      set_nodelay in common/net.h: why the servers here do not stall
 */
#include "wouldblock.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t exchanges = 51;

static const struct setting settings[] = {
    {"exchanges", "N", "take the middle one of N exchanges",
     .size = &exchanges},
    {0},
};
static const struct program program = {
    "Shows Nagle's algorithm and delayed acknowledgements at odds.",
    "",
    settings,
};

/* A client and a server in one program: these are the two ends. */
static int client, server;

static void put(int fd, const char *bytes, size_t size)
{
    if (send(fd, bytes, size, 0) != (ssize_t)size)
        die("cannot send");
}

static void get(int fd, size_t size)
{
    char bytes[64];

    if (recv(fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
        die("cannot receive");
}

/* A request of a header and a body, and its answer: how long it took. */
static duration exchange(bool in_two)
{
    const char request[] = "head"
                           "and the body";
    instant began = now();

    if (in_two) {
        put(client, request, 4);
        put(client, request + 4, sizeof request - 5);
    } else {
        put(client, request, sizeof request - 1);
    }
    get(server, sizeof request - 1);
    put(server, "answer", 6);
    get(client, 6);
    return now() - began;
}

static int shorter(const void *a, const void *b)
{
    duration first = *(const duration *)a, second = *(const duration *)b;

    return (first > second) - (first < second);
}

/* The middle one of many: right after the start a connection is confirmed more
 * eagerly, so the first few would not show it. */
static double measure(const char *how, bool in_two, bool nodelay)
{
    double middle;
    duration *took = enlarged(NULL, exchanges, sizeof *took);

    connected_pair(&client, &server);
    if (nodelay)
        set_nodelay(client);
    for (size_t i = 0; i < exchanges && !stopping(); i++)
        took[i] = exchange(in_two);
    qsort(took, exchanges, sizeof *took, shorter);
    middle = seconds(took[exchanges / 2]);
    say("%-30s %9.3f ms", how, 1e3 * middle);
    free(took);
    close(client);
    close(server);
    return middle;
}

int main(int argc, char **argv)
{
    begin(&program, argc, argv);
    if (exchanges == 0)
        usage_error("--exchanges starts at 1");
    report("two_sends_seconds", "%.6f", measure("two sends", true, false));
    report("nodelay_seconds", "%.6f",
           measure("two sends, TCP_NODELAY", true, true));
    report("one_send_seconds", "%.6f", measure("one send", false, false));
    return stopping() ? 1 : 0;
}
