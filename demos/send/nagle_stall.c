/* SPDX-License-Identifier: MIT */
/*
 * nagle_stall - shows where 40 milliseconds are lost.
 *
 * Shows    a client sends a request in two parts; the server answers when it
 *          has both. Nagle's algorithm (RFC 896) keeps the second part back
 *          until the first is acknowledged. The server delays that
 *          acknowledgement, to send it together with data (RFC 1122). Each
 *          waits for the other until a timer expires. With one send, or
 *          TCP_NODELAY, nobody waits.
 * Run      nagle_stall
 * See      set_nodelay in common/net.h: why the servers here do not stall
 */
#include "wouldblock.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t exchanges = 51;

static const struct setting settings[] = {
    {"exchanges", "N", "measure N exchanges, and take the median",
     .size = &exchanges},
    {0},
};
static const struct program program = {
    "Shows how Nagle's algorithm and delayed acknowledgements stall.",
    "",
    settings,
};

/* A client and a server in one program: these are the two ends. */
static int client, server;

static void put(int fd, const char *bytes, size_t size)
{
    while (send(fd, bytes, size, 0) != (ssize_t)size)
        if (errno != EINTR)
            die("cannot send");
}

static void get(int fd, size_t size)
{
    char bytes[64];

    while (size > 0 && !stopping()) {
        struct answer got = recv_answer(recv(fd, bytes, size, 0), size);

        if (got.kind == CLOSED || got.kind == FAILED)
            die_because(got.error, "cannot receive");
        size -= got.count;
    }
}

/* Send a request (header and body) and get the answer. Returns the time. */
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

/* The median of many: at the beginning of a connection Linux acknowledges at
 * once, so the first exchanges do not stall. */
static double measure(const char *how, bool in_two, bool nodelay)
{
    double middle;
    duration *took = enlarged(NULL, exchanges, sizeof *took);

    connected_pair(&client, &server);
    if (nodelay)
        set_nodelay(client);
    for (size_t i = 0; i < exchanges && !stopping(); i++)
        took[i] = exchange(in_two);
    if (stopping())
        die_because(0, "stopped by %s", stop_reason());
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
        usage_error("--exchanges takes a number from 1");
    report("two_sends_seconds", "%.6f", measure("two sends", true, false));
    report("nodelay_seconds", "%.6f",
           measure("two sends, TCP_NODELAY", true, true));
    report("one_send_seconds", "%.6f", measure("one send", false, false));
    return 0;
}
