/* SPDX-License-Identifier: MIT */
/*
 * model - completes the model from its spans: joins the two ends of each
 * connection, finds the arrows between them, and classifies the results of
 * calls.
 */
#define _GNU_SOURCE
#include "model.h"

#include "program.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Lists ---------------------------------------------------------------- */

void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = count ? 2 * count : 64;
    return enlarged(list, *room, size);
}

void sort(void *list, size_t count, size_t size,
          int by(const void *, const void *))
{
    if (count > 0)
        qsort(list, count, size, by);
}

/* --- Connections ---------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct endpoint *x = *(struct endpoint *const *)a;
    const struct endpoint *y = *(struct endpoint *const *)b;
    const int local = strcmp(x->local, y->local);
    const int peer = local ? local : strcmp(x->peer, y->peer);

    return peer ? peer : ORDER(x->opened, y->opened);
}

static bool at_the_same_time(const struct endpoint *a, const struct endpoint *b)
{
    return a->opened <= b->closed && b->opened <= a->closed;
}

/* The matching end that was open at the same time and moved the most bytes:
 * after a fork both processes have the descriptor, but usually only one uses
 * it. */
static struct endpoint *other_end(const struct endpoint *e,
                                  struct endpoint **sorted, size_t count)
{
    struct endpoint *best = NULL;
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int local = strcmp(sorted[middle]->local, e->peer);

        if (local < 0 ||
            (local == 0 && strcmp(sorted[middle]->peer, e->local) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && strcmp(sorted[low]->local, e->peer) == 0 &&
           strcmp(sorted[low]->peer, e->local) == 0;
         low++)
        if (sorted[low] != e && !sorted[low]->other &&
            at_the_same_time(e, sorted[low]) &&
            (!best || sorted[low]->moved > best->moved))
            best = sorted[low];
    return best;
}

/* Join the two ends of each connection. The list is sorted by local and peer
 * address; the other end has the two swapped. Ports are used again, so the
 * times have to fit, too. Ends that moved bytes choose first. */
static void join_connections(struct model *model)
{
    const size_t count = model->endpoint_count;
    struct endpoint **sorted = enlarged(NULL, count + 1, sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = model->endpoints[i];
    sort(sorted, count, sizeof *sorted, by_address);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < count; i++) {
            struct endpoint *e = model->endpoints[i];

            if (e->other || !e->local[0] || !e->peer[0] || e->listening ||
                (round == 0 && e->moved == 0))
                continue;
            e->other = other_end(e, sorted, count);
            if (e->other)
                e->other->other = e;
        }
    free(sorted);
}

/* --- Arrows --------------------------------------------------------------- */

/* A call that moved bytes, and the flow it belongs to. */
struct move {
    const struct span *span;
    size_t lane;
    uint64_t flow; /* a stream: the sender; datagrams: the two ports */
    uint32_t left; /* calls of a run without an arrow so far */
    bool sent;
};

static struct move *moves;
static size_t move_count, move_room;

static void add_move(const struct span *span, size_t lane, uint64_t flow,
                     bool sent)
{
    moves = grown(moves, move_count, &move_room, sizeof *moves);
    moves[move_count++] = (struct move){span, lane, flow, span->times, sent};
}

/* Datagrams go from port to port. The call names the port, or connect did
 * earlier. 0: one of the ports is unknown. */
static uint64_t flow_of(const struct span *s, bool sent)
{
    const struct endpoint *e = s->about;
    const uint64_t here = (uint64_t)e->local_port;
    const uint64_t there = (uint64_t)(s->more ? s->more : e->peer_port);

    if (e->other)
        return 1 + (uint64_t)(sent ? e->number : e->other->number);
    if (!e->datagram || here == 0 || there == 0)
        return 0;
    return (uint64_t)1 << 40 | (sent ? here << 16 | there : there << 16 | here);
}

static int by_flow(const void *a, const void *b)
{
    const struct move *x = a, *y = b;

    const int flow = ORDER(x->flow, y->flow), sent = ORDER(y->sent, x->sent);

    return flow ? flow : sent ? sent : ORDER(x->span->began, y->span->began);
}

static void add_arrow(struct model *model, const struct move *from,
                      const struct move *to, uint64_t bytes)
{
    static size_t room;

    model->arrows =
        grown(model->arrows, model->arrow_count, &room, sizeof *model->arrows);
    model->arrows[model->arrow_count++] = (struct arrow){
        .from = from->lane,
        .to = to->lane,
        .sent = from->span->ended,
        .received = to->span->ended,
        .departed = fmin(from->span->ended, to->span->ended),
        .bytes = bytes,
        .source = from->span->about,
        .sink = to->span->about,
    };
}

/* A stream: the calls on both sides share its bytes in order. Each pair of
 * calls that shares bytes makes an arrow. */
static void join_stream(struct model *model, size_t first, size_t middle,
                        size_t end)
{
    uint64_t left = 0, wanted = 0;

    for (size_t s = first, r = middle; s < middle && r < end;) {
        left = left ? left : span_bytes(moves[s].span);
        wanted = wanted ? wanted : span_bytes(moves[r].span);

        const uint64_t bytes = left < wanted ? left : wanted;

        add_arrow(model, &moves[s], &moves[r], bytes);
        left -= bytes;
        wanted -= bytes;
        s += left == 0;
        r += wanted == 0;
    }
}

/* Datagrams may be lost or cut off: take the next one that fits and is not too
 * far away. A run of them may fit several calls on the other side. */
static void join_datagrams(struct model *model, size_t first, size_t middle,
                           size_t end)
{
    enum { FAR = 256 };
    size_t next = first;

    for (size_t r = middle; r < end; r++)
        for (size_t s = next; s < middle && s < next + FAR && moves[r].left > 0;
             s++) {
            const uint32_t count =
                moves[s].left < moves[r].left ? moves[s].left : moves[r].left;

            if (moves[s].span->result != moves[r].span->result ||
                moves[s].span->began > moves[r].span->ended || count == 0)
                continue;
            add_arrow(model, &moves[s], &moves[r],
                      (uint64_t)moves[r].span->result * count);
            moves[s].left -= count;
            moves[r].left -= count;
            if (moves[next].left == 0)
                next++;
        }
}

static int by_sent(const void *a, const void *b)
{
    const struct arrow *x = a, *y = b;

    return ORDER(x->sent, y->sent);
}

void join_ends(struct model *model)
{
    for (size_t l = 0; l < model->lane_count; l++)
        for (size_t i = 0; i < model->lanes[l].span_count; i++) {
            const struct span *s = &model->lanes[l].spans[i];

            if (s->about)
                s->about->moved += span_bytes(s);
        }
    join_connections(model);
    move_count = 0;
    for (size_t l = 0; l < model->lane_count; l++)
        for (size_t i = 0; i < model->lanes[l].span_count; i++) {
            const struct span *s = &model->lanes[l].spans[i];
            const bool sent = call_kind(s->call) == SENDS;
            const uint64_t flow =
                span_bytes(s) && s->about ? flow_of(s, sent) : 0;

            if (flow)
                add_move(s, l, flow, sent);
        }
    sort(moves, move_count, sizeof *moves, by_flow);
    for (size_t first = 0, middle, end; first < move_count; first = end) {
        middle = first;
        while (middle < move_count && moves[middle].sent &&
               moves[middle].flow == moves[first].flow)
            middle++;
        end = middle;
        while (end < move_count && moves[end].flow == moves[first].flow)
            end++;
        if (moves[first].span->about->datagram)
            join_datagrams(model, first, middle, end);
        else
            join_stream(model, first, middle, end);
    }
    sort(model->arrows, model->arrow_count, sizeof *model->arrows, by_sent);
    free(moves);
}

/* --- Choosing lanes ------------------------------------------------------- */

/* The endpoints already have the new numbers of their lanes; SIZE_MAX means
 * that the lane is not kept. */
static void leave_out_arrows(struct model *model, const size_t *place)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->arrow_count; i++) {
        struct arrow a = model->arrows[i];

        a.from = place[a.from];
        a.to = place[a.to];
        if (a.from != SIZE_MAX && a.to != SIZE_MAX &&
            a.source->lane != SIZE_MAX && a.sink->lane != SIZE_MAX)
            model->arrows[kept++] = a;
    }
    model->arrow_count = kept;
}

static void leave_out_endpoints(struct model *model)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->endpoint_count; i++) {
        struct endpoint *e = model->endpoints[i];

        if (e->other && e->other->lane == SIZE_MAX)
            e->other = NULL;
    }
    for (size_t i = 0; i < model->endpoint_count; i++) {
        struct endpoint *e = model->endpoints[i];

        if (e->lane == SIZE_MAX) {
            free(e);
            continue;
        }
        e->number = kept;
        model->endpoints[kept++] = e;
    }
    model->endpoint_count = kept;
}

void choose_lanes(struct model *model, const size_t *chosen, size_t count)
{
    size_t *place = enlarged(NULL, model->lane_count + 1, sizeof *place);
    struct lane *lanes = enlarged(NULL, count + 1, sizeof *lanes);

    for (size_t i = 0; i < model->lane_count; i++)
        place[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        place[chosen[i]] = i;
    for (size_t i = 0; i < model->endpoint_count; i++)
        model->endpoints[i]->lane = place[model->endpoints[i]->lane];
    for (size_t i = 0; i < model->lane_count; i++) {
        struct lane *lane = &model->lanes[i];

        if (place[i] == SIZE_MAX) {
            free(lane->spans);
            continue;
        }
        for (size_t k = 0; k < lane->span_count; k++)
            if (lane->spans[k].about && lane->spans[k].about->lane == SIZE_MAX)
                lane->spans[k].about = NULL; /* only another thread used it */
        lanes[place[i]] = *lane;
    }
    leave_out_arrows(model, place);
    leave_out_endpoints(model);
    free(model->lanes);
    free(place);
    model->lanes = lanes;
    model->lane_count = count;
}

void begin_later(struct model *model, double by)
{
    for (size_t i = 0; i < model->lane_count; i++) {
        struct lane *lane = &model->lanes[i];

        lane->began -= by;
        lane->ended -= by;
        for (size_t k = 0; k < lane->span_count; k++) {
            lane->spans[k].began -= by;
            lane->spans[k].ended -= by;
        }
    }
    for (size_t i = 0; i < model->endpoint_count; i++) {
        model->endpoints[i]->opened -= by;
        model->endpoints[i]->closed -= by;
    }
    for (size_t i = 0; i < model->arrow_count; i++) {
        model->arrows[i].sent -= by;
        model->arrows[i].received -= by;
        model->arrows[i].departed -= by;
    }
    model->length -= by;
}

/* --- Lanes by connection -------------------------------------------------- */

void add_span(struct lane *lane, const struct span *s)
{
    struct tally *t = &lane->tally[s->call];

    lane->spans =
        grown(lane->spans, lane->span_count, &lane->room, sizeof *lane->spans);
    lane->spans[lane->span_count++] = *s;
    t->inside += s->inside;
    if (may_wait(s))
        t->blocked += s->inside;
    t->bytes += span_bytes(s);
    if (s->call == CALL_elsewhere) /* not a call */
        return;
    t->called += s->times;
    switch (span_answer(s)) {
    case DONE:
        t->done += s->times;
        break;
    case AGAIN:
        t->again += s->times;
        break;
    case FAILED:
        t->failed += s->times;
        break;
    case UNFINISHED:
        break;
    }
}

static int by_began(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return ORDER(x->began, y->began);
}

struct model *by_connection(const struct model *model)
{
    static struct model connections;
    struct model *other = &connections;

    *other = *model;
    other->lanes =
        enlarged(NULL, model->endpoint_count + 1, sizeof *other->lanes);
    other->lane_count = model->endpoint_count;
    for (size_t i = 0; i < model->endpoint_count; i++) {
        const struct endpoint *e = model->endpoints[i];
        const struct lane *owner = &model->lanes[e->lane];

        other->lanes[i] = (struct lane){
            .pid = owner->pid,
            .tid = owner->tid,
            .began = e->opened,
            .ended = e->closed,
            .cpu = -1,
            .endpoint = e,
        };
        snprintf(other->lanes[i].name, sizeof other->lanes[i].name,
                 "%.40s [%d]", owner->name, e->fd);
    }
    for (size_t l = 0; l < model->lane_count; l++)
        for (size_t i = 0; i < model->lanes[l].span_count; i++) {
            const struct span *s = &model->lanes[l].spans[i];

            if (s->about)
                add_span(&other->lanes[s->about->number], s);
        }
    /* Several threads may have used it. */
    for (size_t i = 0; i < model->endpoint_count; i++)
        sort(other->lanes[i].spans, other->lanes[i].span_count,
             sizeof(struct span), by_began);
    other->arrows =
        enlarged(NULL, model->arrow_count + 1, sizeof *other->arrows);
    for (size_t i = 0; i < model->arrow_count; i++) {
        const struct arrow *a = &model->arrows[i];

        other->arrows[i] = *a;
        other->arrows[i].from = a->source->number;
        other->arrows[i].to = a->sink->number;
    }
    return other;
}

/* --- The results of calls ------------------------------------------------- */

/* Would the call have blocked? EAGAIN and similar errors, or a wait that
 * reported nothing. */
static bool is_again(const struct span *s)
{
    return s->error == EAGAIN || s->error == EWOULDBLOCK ||
           s->error == EINPROGRESS || s->error == EALREADY ||
           (call_kind(s->call) == WAITS && s->result == 0 && !s->unfinished);
}

enum answer_kind span_answer(const struct span *span)
{
    if (span->unfinished)
        return UNFINISHED;
    if (is_again(span) || span->error == EINTR)
        return AGAIN;
    return span->error ? FAILED : DONE;
}

bool may_wait(const struct span *span)
{
    return !(span->flags & FLAG_NONBLOCKING) && call_kind(span->call) != SETUP;
}

enum state span_state(const struct span *span)
{
    const enum kind kind = call_kind(span->call);

    if (kind == SLEEPS)
        return SLEEPING;
    if (may_wait(span))
        return BLOCKED;
    return kind != SETUP && is_again(span) ? WOULD_BLOCK : RUNNING;
}

bool is_worth_a_row(const struct tally *tally, int call)
{
    return tally->blocked > 0 || tally->failed > 0 ||
           (tally->called > 0 &&
            (call_kind(call) != SETUP || call == CALL_epoll_ctl));
}

uint64_t span_bytes(const struct span *span)
{
    const enum kind kind = call_kind(span->call);

    return (kind == SENDS || kind == RECEIVES) && span->result > 0 &&
                   !(span->flags & (FLAG_PEEK | FLAG_FILE))
               ? (uint64_t)span->result * span->times
               : 0;
}
