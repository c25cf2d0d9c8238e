/* SPDX-License-Identifier: MIT */
/*
 * timeline - the run of a check as a trace, which scripts/timeline draws: a
 * lane for the program, from the records of the witness, and a lane for each
 * peer.
 *
 * It explains a verdict, but never makes one: the program could have written
 * the witness's records itself.
 */
#define _GNU_SOURCE
#include "inside.h"
#include "trace_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The peers ------------------------------------------------------------ */

enum { MOST_DEEDS = 4096 };

/* What the peers did, in the order in which it ended. */
static struct deed {
    const char *who, *call;
    int fd;
    unsigned port;
    instant from, to; /* to 0: it waits in vain */
    long long result;
} deeds[MOST_DEEDS];
static size_t deed_count;

void note_deed(const char *who, int fd, unsigned port, const char *call,
               instant from, long long result)
{
    if (deed_count < MOST_DEEDS)
        deeds[deed_count++] = (struct deed){who,
                                            call,
                                            fd,
                                            port,
                                            from,
                                            result < 0 ? 0 : now(),
                                            result < 0 ? 0 : result};
}

static bool is_first_of(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (deeds[k].who == deeds[i].who)
            return false;
    return true;
}

/* A peer does nothing between two of its deeds. */
static void trace_pause(instant from, instant to)
{
    if (to > from)
        trace_call(&(struct traced_call){.name = "sleep",
                                         .began = from,
                                         .ended = to,
                                         .inside = to - from,
                                         .times = 1,
                                         .asked = (to - from) / 1000,
                                         .fd = NOWHERE});
}

static void trace_peer(size_t first, unsigned program_port, instant judged)
{
    const char *who = deeds[first].who;
    instant until = deeds[first].from;

    begin_traced(who, until);
    for (size_t i = first; i < deed_count; i++) {
        const struct deed *d = &deeds[i];

        if (d->who != who)
            continue;
        trace_pause(until, d->from);
        trace_call(&(struct traced_call){
            .name = d->call,
            .began = d->from,
            .ended = d->to,
            .inside = d->to - d->from,
            .times = 1,
            .asked = d->result,
            .result = strcmp(d->call, "close") == 0 ? 0 : d->result,
            .fd = d->fd});
        if (strcmp(d->call, "connect") == 0) {
            trace_port(d->fd, false, d->port, d->to);
            trace_port(d->fd, true, program_port, d->to);
        }
        until = d->to;
        if (until == 0 || strcmp(d->call, "close") == 0)
            break;
    }
    if (until == 0)
        return;
    if (strcmp(deeds[deed_count - 1].call, "close") == 0 &&
        deeds[deed_count - 1].who == who)
        trace_exit(until);
    else
        trace_pause(until, judged);
}

/* --- The program ---------------------------------------------------------- */

static const char *const call_names_here[] = {
#define CALL(name) #name,
    EACH_CALL(CALL)
#undef CALL
};

/* Can it be true? The program can write to these records. */
static bool is_sound(const struct seen *s, instant until)
{
    return s->call >= 0 && s->call < CALLS && s->began >= began &&
           s->ended >= s->began && s->ended <= until && s->times > 0;
}

static int by_beginning(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    return (x->began > y->began) - (x->began < y->began);
}

static struct traced_call traced(const struct seen *s)
{
    const bool waits = is_wait(s->call);
    struct traced_call c = {
        .name = call_names_here[s->call],
        .began = s->began,
        .ended = s->ended,
        .times = s->times,
        .asked = s->asked,
        .result = s->result,
        .fd = s->fd,
        .error = s->error,
        .never_waits = waits ? s->asked == 0 : !s->blocking,
    };

    /* Of a run, only the longest call was measured. */
    c.inside = s->times == 1 ? s->ended - s->began
               : s->longest < (s->ended - s->began) / (int64_t)s->times
                   ? s->longest * (int64_t)s->times
                   : s->ended - s->began;
    if (c.inside < 0)
        c.inside = 0;
    if (waits || is_nap(s->call))
        c.asked = s->asked < 0 ? -1 : s->asked * 1000; /* ms to us */
    if (waits)
        c.more = (int64_t)__builtin_popcountll(s->watched) << 16 |
                 (s->events & 0xffff);
    if (is_nap(s->call))
        c.never_waits = false;
    return c;
}

/* The port of the peer that was accepted as this descriptor, the n-th time. */
static unsigned port_behind(int fd, size_t n)
{
    for (size_t i = 0; i < peers_connected(); i++)
        if (its_fd_of(i) == fd && n-- == 0)
            return port_of_peer(i);
    return 0;
}

static void trace_program(unsigned own_port, instant judged)
{
    struct seen *all = calloc(SEEN_MOST, sizeof *all);
    const struct witness *w = witness();
    const struct seen inside = w->inside;
    const uint64_t total = w->count;
    const uint64_t first = total > SEEN_MOST ? total - SEEN_MOST : 0;
    size_t count = 0;
    size_t *times_accepted = calloc(65536, sizeof *times_accepted);

    for (uint64_t i = first; all && i < total && count < SEEN_MOST; i++) {
        all[count] = w->seen[i % SEEN_MOST];
        count += is_sound(&all[count], judged);
    }
    if (all)
        qsort(all, count, sizeof *all, by_beginning);
    begin_traced(exercise->name, began);
    trace_lost(first);
    for (size_t i = 0; i < count; i++) {
        const struct seen *s = &all[i];
        const struct traced_call c = traced(s);

        trace_call(&c);
        if (s->call == CALL_listen && s->result == 0)
            trace_port(s->fd, false, own_port, s->ended);
        if (is_accept(s->call) && s->result >= 0 && s->result < 65536 &&
            times_accepted) {
            const int fd = (int)s->result;
            unsigned port = port_behind(fd, times_accepted[fd]++);

            if (port == 0)
                continue;
            trace_port(fd, false, own_port, s->ended);
            trace_port(fd, true, port, s->ended);
        }
    }
    if (has_ended() && strcmp(end.limit, "-") == 0) {
        const instant ended = its_end() > began ? its_end() : judged;

        if (strcmp(end.how, "signal") == 0)
            trace_killed(ended, end.code);
        else
            trace_exit(ended);
    } else if (w->is_inside && inside.call >= 0 && inside.call < CALLS &&
               inside.began >= began && inside.began <= judged) {
        struct traced_call c = traced(&inside);

        c.ended = 0;
        trace_call(&c);
    }
    free(all);
    free(times_accepted);
}

void write_timeline(const char *folder, const char *check)
{
    const instant judged = now();
    char path[4096];

    snprintf(path, sizeof path, "%s/%s.trace", folder, check);
    if (!witness() || !begin_trace(path, exercise->name, began))
        return;
    trace_program(port_of_program(), judged);
    for (size_t i = 0; i < deed_count; i++)
        if (is_first_of(i))
            trace_peer(i, port_of_program(), judged);
    if (!end_trace(judged))
        remove(path);
}
