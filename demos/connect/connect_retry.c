/* SPDX-License-Identifier: MIT */
/*
 * connect_retry - connects, and if that fails tries again a little later.
 *
 * Shows    exponential back-off: the pause before another try doubles up to a
 *          cap, and is drawn at random from nothing to that ("full jitter"), so
 *          that clients which failed together do not come back together. A new
 *          socket for each try; a limit for each try, for their number and for
 *          all of them; and no second try where it cannot help.
 * Run      connect_retry 127.0.0.1 8080
 *          echo_blocking 8080              a few seconds later
 * Compare  connect_poll: a single attempt
 *          connect_failover: other servers instead of another time
 */
#include "wouldblock.h"

#include <stdlib.h>
#include <unistd.h>

static size_t tries = 8;
static duration each = 1 * SECOND, limit = 30 * SECOND;
static duration base = 100 * MILLISECOND, cap = 3 * SECOND;

static const struct setting settings[] = {
    {"tries", "N", "try N times at most", .size = &tries},
    {"each", "TIME", "give one try TIME", .time = &each},
    {"deadline", "TIME", "give up after TIME", .time = &limit},
    {"base", "TIME", "pause for TIME at most after the first try",
     .time = &base},
    {"cap", "TIME", "pause for TIME at most after any", .time = &cap},
    {0},
};
static const struct program program = {
    "Connects, with several tries and growing pauses.",
    "HOST PORT",
    settings,
};

/* May the next try have better luck? A server starts, a network comes back;
 * what is wrong with the call itself stays wrong. */
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
    case EADDRNOTAVAIL: /* no port left on this side: one will come free */
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

/* One try: every address, each on a socket of its own. */
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

    srand48((long)began ^ getpid()); /* no two clients alike */
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
            die_because(made.error, "another try would not help");
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
