/* SPDX-License-Identifier: MIT */
/*
 * connect_failover - connects to the first of several servers that answers.
 *
 * Shows    each address gets a deadline, so one that does not answer costs no
 *          more than that, instead of the minutes for which the kernel tries.
 *          With --race the next attempt starts before the last one has ended,
 *          as in browsers ("happy eyeballs", RFC 8305), and the first to
 *          connect wins. close cancels the others.
 * Run      echo_blocking 8080
 *          connect_failover 127.0.0.1 8079 127.0.0.1 8080
 * Compare  connect_retry: the same server, again and again
 */
#include "wouldblock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static duration each = 2 * SECOND, race;

static const struct setting settings[] = {
    {"each", "TIME", "try each address for at most TIME", .time = &each},
    {"race", "TIME", "start the next attempt after TIME; 0: no race",
     .time = &race},
    {0},
};
static const struct program program = {
    "Connects to the first of several servers that answers.",
    "HOST PORT [HOST PORT]...",
    settings,
};

enum { MOST = 32 };

/* One address of one server. */
struct attempt {
    const char *host, *port; /* the server as it was named */
    const char *role;        /* "primary" or "backup" */
    struct addrinfo *to;
    struct addrinfo *list; /* to be freed; only in a server's first entry */
    int fd;                /* -1 if the attempt is not pending */
    instant began, deadline;
};

static size_t under_way;
static int last_error;

static void failed(struct attempt *a, int error)
{
    last_error = error;
    say("%s %s port %s failed: %s after %.3f s", a->role, a->host, a->port,
        error_entry(error)->symbol, seconds(now() - a->began));
    if (a->fd >= 0) {
        close(a->fd);
        under_way--;
    }
    a->fd = -1;
}

/* Begin to connect. */
static void start(struct attempt *a)
{
    a->began = now();
    a->deadline = deadline_in(each);
    a->fd = socket(a->to->ai_family, a->to->ai_socktype, a->to->ai_protocol);
    if (a->fd < 0) {
        failed(a, errno);
        return;
    }
    under_way++;
    set_nonblocking(a->fd);

    struct answer made =
        connect_answer(connect(a->fd, a->to->ai_addr, a->to->ai_addrlen));

    if (made.kind == FAILED ||
        made.kind == AGAIN) /* AGAIN: nothing to wait for */
        failed(a, made.error);
}

/* Has this attempt succeeded? If it has failed, say why. */
static bool succeeded(struct attempt *a, short events)
{
    int error = ETIMEDOUT;
    socklen_t length = sizeof error;

    if (events == 0 && !passed(a->deadline))
        return false;
    if (events != 0 &&
        getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;

    struct answer ended = connected_answer(error);

    if (ended.kind == FAILED)
        failed(a, ended.error);
    return ended.kind == DONE;
}

/* Wait until an attempt has ended or it is time to start the next one. Returns
 * the attempt that has succeeded, or NULL. */
static struct attempt *wait_for_one(struct attempt *all, size_t count,
                                    instant next_start)
{
    struct pollfd list[MOST];
    instant until = next_start;

    for (size_t i = 0; i < count; i++) {
        list[i] = (struct pollfd){.fd = all[i].fd, .events = POLLOUT};
        if (all[i].fd >= 0)
            until = sooner(until, all[i].deadline);
    }
    if (poll(list, count, poll_time(until)) < 0) {
        if (errno != EINTR)
            die("cannot wait for the connections");
        return NULL; /* a signal came: is it time to stop? */
    }
    for (size_t i = 0; i < count; i++)
        if (all[i].fd >= 0 && succeeded(&all[i], list[i].revents))
            return &all[i];
    return NULL;
}

/* Find the addresses of all servers, the primary first. Returns how many. */
static size_t find_all(struct attempt *all, char **operands)
{
    size_t count = 0;

    for (char **o = operands; *o; o += 2) {
        const char *why;
        const char *role = o == operands ? "primary" : "backup";

        if (!o[1])
            usage_error("there is no port after '%s'", o[0]);

        struct addrinfo *list = resolve_or_tell(o[0], o[1], &why);

        if (!list) {
            say("%s %s port %s failed: %s", role, o[0], o[1], why);
            warn_because(0, "cannot find the address of %s: %s", o[0], why);
        }
        for (struct addrinfo *to = list; to; to = to->ai_next) {
            if (count == MOST)
                die_because(0, "more than %d addresses: name fewer servers",
                            MOST);
            all[count++] = (struct attempt){
                .host = o[0],
                .port = o[1],
                .role = role,
                .to = to,
                .list = to == list ? list : NULL,
                .fd = -1,
            };
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct attempt all[MOST], *winner = NULL;
    size_t count = find_all(all, operands), begun = 0;
    instant began = now(), next_start = NEVER;

    while (!winner && !stopping()) {
        if (begun < count && (under_way == 0 || passed(next_start))) {
            start(&all[begun++]);
            next_start = begun < count ? deadline_in(race) : NEVER;
        } else if (under_way == 0) {
            die_because(last_error, "could not connect to any server");
        } else {
            winner = wait_for_one(all, begun, next_start);
        }
    }
    report("tried", "%zu", begun);
    report("waited_seconds", "%.6f", seconds(now() - began));
    if (!winner)
        die_because(0, "stopped by %s", stop_reason());
    say("connected to %s %s port %s after %.3f s", winner->role, winner->host,
        winner->port, seconds(now() - began));
    for (size_t i = 0; i < count; i++) {
        if (all[i].fd >= 0 && &all[i] != winner)
            say("%s %s port %s: cancelled", all[i].role, all[i].host,
                all[i].port);
        if (all[i].fd >= 0)
            close(all[i].fd); /* cancels an attempt that is still pending */
        if (all[i].list)
            freeaddrinfo(all[i].list);
    }
    return 0;
}
