/* SPDX-License-Identifier: MIT */
/*
 * connect_retry - connects; if that fails it waits a little and tries again.
 *
 * Shows    exponential back-off: after each try the longest possible pause
 *          doubles, up to a cap. The real pause is random, from 0 to that
 *          ("full jitter"), so clients that failed together do not come back
 *          together. Each attempt on an address has a new socket and a time
 *          limit. The number of tries and the whole time are limited, and
 *          permanent errors are not retried.
 * Run      connect_retry 127.0.0.1 8080
 *          echo_blocking 8080              a few seconds later
 * Compare  connect_poll: a single attempt
 *          connect_failover: other servers instead of a later time
 */
#include "wouldblock.h"

#include <stdlib.h>
#include <unistd.h>

static size_t tries = 8;
static duration each = 1 * SECOND, limit = 30 * SECOND;
static duration base = 100 * MILLISECOND, cap = 3 * SECOND;

static const struct setting settings[] = {
    {"tries", "N", "try N times at most", .size = &tries},
    {"each", "TIME", "try each address for at most TIME", .time = &each},
    {"deadline", "TIME", "give up after TIME", .time = &limit},
    {"base", "TIME", "pause for at most TIME after the first try",
     .time = &base},
    {"cap", "TIME", "pause for at most TIME after any try", .time = &cap},
    {0},
};
static const struct program program = {
    "Connects, with several tries and growing pauses.",
    "HOST PORT",
    settings,
};

/* Can another try succeed? A server may start, a network may come back. But a
 * wrong argument stays wrong. */
static bool worth_another(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case EADDRNOTAVAIL: /* no local port is free: one will be */
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return true;
    default:
        return false;
    }
}

/* The pause after this many tries. */
static duration pause_after(size_t tried)
{
    duration most = base;

    while (--tried > 0 && most < cap)
        most *= 2;
    if (most > cap)
        most = cap;
    return (duration)((double)most * drand48());
}

/* One try: each address of the server, with a new socket. */
static struct answer attempt(const struct addrinfo *list, instant deadline)
{
    struct answer made = {.kind = FAILED};

    for (const struct addrinfo *to = list; to; to = to->ai_next) {
        made = connect_until(to, sooner(deadline, deadline_in(each)));
        if (made.kind != FAILED)
            break;
        log_info("%s: %s", address_text(to->ai_addr, to->ai_addrlen),
                 error_entry(made.error)->symbol);
    }
    return made;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct addrinfo *list = resolve(operands[0], operands[1], SOCK_STREAM);
    instant began = now(), deadline = deadline_in(limit);
    struct answer made;

    srand48((long)began ^ getpid()); /* each client has other pauses */
    for (size_t tried = 1;; tried++) {
        made = attempt(list, deadline);
        report("tries", "%zu", tried);
        report("waited_seconds", "%.6f", seconds(now() - began));
        if (made.kind == DONE) {
            say("connected at try %zu after %.3f s", tried,
                seconds(now() - began));
            break;
        }
        if (made.kind == PENDING)
            die_because(0, "stopped by %s at try %zu", stop_reason(), tried);
        if (!worth_another(made.error))
            die_because(made.error, "another try cannot succeed");
        if (tried == tries || passed(deadline))
            die_because(made.error, "gave up after %zu tries and %.3f s", tried,
                        seconds(now() - began));

        duration pause = pause_after(tried);

        say("try %zu: %s; the next one in %.3f s", tried,
            error_entry(made.error)->symbol, seconds(pause));
        nap_until(sooner(deadline, now() + pause));
    }
    freeaddrinfo(list);
    close(made.fd);
    return 0;
}
