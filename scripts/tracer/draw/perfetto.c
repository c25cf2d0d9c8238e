/* SPDX-License-Identifier: MIT */
/*
 * perfetto - writes the Trace Event Format of Chrome, for
 * https://ui.perfetto.dev and chrome://tracing.
 *
 * There, the spans of one track have to nest. The calls of a thread do, so each
 * thread has a track. Runs of calls overlap, but not those on one descriptor,
 * so each descriptor of a thread that has runs gets a track too. A span that
 * does not fit on its track for any reason goes to an additional one of the
 * same kind.
 *
 * Spans are written as they are read. Only a few bytes are kept for each that
 * moved bytes, since arrows begin and end there.
 */
#include "draw.h"

#include "json.h"
#include "program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIDS = 1 << 22, /* Linux has no pid this large: those above are made up */
    DEPTH = 8,      /* calls within calls, as in a signal handler */
    TEXT = 256,
};

/* The colours of chrome://tracing; Perfetto chooses its own. */
static const struct {
    const char *words, *colour;
} looks[] = {
    [RUNNING] = {"running", "thread_state_running"},
    [BLOCKED] = {"blocked", "terrible"},
    [WOULD_BLOCK] = {"would block", "bad"},
    [SLEEPING] = {"sleeping", "thread_state_sleeping"},
};

static FILE *out;
static const struct model *model;
static bool any; /* an event has been written */

/* Begin an event; the caller writes its other fields. */
static void begin_event(char phase, const char *name, int pid, int tid)
{
    fprintf(out, "%s\n{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d,\"name\":",
            any ? "," : "", phase, pid, tid);
    json_string(out, "", name);
    any = true;
}

/* Name a process or a thread, and set its position among the others. */
static void put_name(const char *whose, int pid, int tid, const char *name,
                     int place)
{
    char what[32];

    snprintf(what, sizeof what, "%s_name", whose);
    begin_event('M', what, pid, tid);
    json_string(out, ",\"args\":{\"name\":", name);
    snprintf(what, sizeof what, "%s_sort_index", whose);
    fputs("}}", out);
    begin_event('M', what, pid, tid);
    fprintf(out, ",\"args\":{\"sort_index\":%d}}", place);
}

/* --- Processes ------------------------------------------------------------ */

/* For each lane, the first lane of its process. */
static size_t *owner;

static void find_processes(void)
{
    owner = enlarged(NULL, model->lane_count + 1, sizeof *owner);
    for (size_t i = 0; i < model->lane_count; i++) {
        size_t k = model->lanes[i].endpoint ? i : 0;

        while (model->lanes[k].image != model->lanes[i].image)
            k++;
        owner[i] = k;
    }
}

/* The real pid is part of the name; this one is unique. */
static int pid_of(size_t lane)
{
    const struct lane *first = &model->lanes[owner[lane]];

    if (first->endpoint)
        return PIDS + (int)owner[lane];
    for (size_t i = 0; i < owner[lane]; i++)
        if (model->lanes[i].pid == first->pid)
            return PIDS + (int)owner[lane];
    return first->pid;
}

/* --- Tracks --------------------------------------------------------------- */

/* One line of the drawing, and the calls on it that have not ended yet. */
struct track {
    int tid;
    int64_t ends[DEPTH];
    size_t depth;
    size_t next; /* next track of the same kind; 0: none */
};

/* The tracks of one lane. The first one is the thread's own. */
static struct track *tracks;
static size_t track_count, track_room;

/* The first track of each descriptor, at its number + 1. Entry 0 is for all
 * other calls. */
static size_t of_fd[MOST_DESCRIPTORS + 1], fd_used;

static size_t new_track(int tid)
{
    tracks = grown(tracks, track_count, &track_room, sizeof *tracks);
    tracks[track_count] = (struct track){.tid = tid};
    return track_count++;
}

static size_t *first_of_fd(int fd)
{
    const size_t at = fd < 0 || fd >= MOST_DESCRIPTORS ? 0 : (size_t)fd + 1;

    if (at >= fd_used)
        fd_used = at + 1;
    return &of_fd[at];
}

/* Is the span after, or within, all spans of this track? */
static bool fits(struct track *track, int64_t began, int64_t ended)
{
    while (track->depth > 0 && track->ends[track->depth - 1] <= began)
        track->depth--;
    return track->depth == 0 ||
           (track->depth < DEPTH && ended <= track->ends[track->depth - 1]);
}

static size_t further_track(int pid, const struct span *s, const char *name)
{
    static int tid = 2 * PIDS;
    char text[TEXT];

    if (s->times == 1)
        snprintf(text, sizeof text, "%s, at the same time", name);
    else if (s->fd >= 0)
        snprintf(text, sizeof text, "fd %d: asked again and again", s->fd);
    else
        snprintf(text, sizeof text, "no descriptor: again and again");
    put_name("thread", pid, tid, text, s->times == 1 ? 1 : s->fd + 3);
    return new_track(tid++);
}

/* The track for this span. */
static int place(int pid, const struct span *s, const char *name)
{
    const int64_t began = nanoseconds(s->began), ended = nanoseconds(s->ended);
    size_t t = s->times == 1 ? 0 : *first_of_fd(s->fd);

    if (s->times > 1 && t == 0)
        t = *first_of_fd(s->fd) = further_track(pid, s, name);
    while (!fits(&tracks[t], began, ended)) {
        if (tracks[t].next == 0) {
            const size_t next = further_track(pid, s, name);

            tracks[t].next = next; /* tracks may have moved in memory */
        }
        t = tracks[t].next;
    }
    tracks[t].ends[tracks[t].depth++] = ended;
    return tracks[t].tid;
}

/* --- Spans ---------------------------------------------------------------- */

/* A span in which an arrow may begin or end. */
struct move {
    const struct span *span;
    size_t lane;
    int pid, tid;
};

static struct move *moves;
static size_t move_count, move_room;

static void remember(const struct span *s, size_t lane, int pid, int tid)
{
    moves = grown(moves, move_count, &move_room, sizeof *moves);
    moves[move_count++] = (struct move){s, lane, pid, tid};
}

static void put_arguments(const struct span *s)
{
    char text[TEXT];

    describe(s, text, sizeof text);
    json_string(out, ",\"args\":{\"call\":", text);
    fprintf(out, ",\"times\":%" PRIu32 ",\"state\":\"%s\"", s->times,
            looks[span_state(s)].words);
    if (s->times > 1)
        json_microseconds(out, ",\"inside_us\":", nanoseconds(s->inside));
    if (s->unfinished)
        fputs(",\"unfinished\":true", out);
    else
        fprintf(out, ",\"result\":%" PRId32, s->result);
    if (s->error) {
        json_string(out, ",\"error\":", span_error(s));
    }
    if (span_bytes(s))
        fprintf(out, ",\"bytes\":%" PRIu64, span_bytes(s));
    if (s->fd >= 0)
        fprintf(out, ",\"fd\":%d", s->fd);
    if (s->about) {
        describe_endpoint(s->about, text, sizeof text);
        json_string(out, ",\"socket\":", text);
    }
    if (s->about && s->about->other)
        fprintf(out, ",\"other side\":\"pid %d, fd %d\"", s->about->other->pid,
                s->about->other->fd);
    fputc('}', out);
}

static void put_span(const struct span *s, int pid, int tid)
{
    const int64_t began = nanoseconds(s->began);
    const enum state state = span_state(s);

    begin_event('X', call_name(s->call), pid, tid);
    fprintf(out, ",\"cat\":\"%s\",\"cname\":\"%s\"", looks[state].words,
            looks[state].colour);
    json_microseconds(out, ",\"ts\":", began);
    json_microseconds(out, ",\"dur\":", nanoseconds(s->ended) - began);
    put_arguments(s);
    fputc('}', out);
}

static void put_end(const struct lane *lane, int pid, int tid)
{
    char text[TEXT];

    if (!lane->killed_by)
        return;
    snprintf(text, sizeof text, "killed by %s", signal_name(lane->killed_by));
    begin_event('i', text, pid, tid);
    fputs(",\"s\":\"p\"", out);
    json_microseconds(out, ",\"ts\":", nanoseconds(lane->ended));
    fputc('}', out);
}

static void put_lane(size_t l, const struct view *view)
{
    const struct lane *lane = &model->lanes[l];
    const int pid = pid_of(l);
    const int tid = lane->endpoint || lane->tid == lane->pid ? pid : lane->tid;

    if (owner[l] == l)
        put_name("process", pid, tid, lane->name, (int)l);
    put_name("thread", pid, tid, lane->name, 0);
    memset(of_fd, 0, fd_used * sizeof *of_fd);
    fd_used = 0;
    track_count = 0;
    new_track(tid);
    for (size_t i = 0; i < lane->span_count; i++) {
        const struct span *s = &lane->spans[i];
        int track;

        if (s->ended < view->from || s->began > view->to)
            continue;
        track = place(pid, s, lane->name);
        put_span(s, pid, track);
        if (span_bytes(s) && s->about)
            remember(s, l, pid, track);
    }
    put_end(lane, pid, tid);
}

/* --- Arrows --------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct move *x = a, *y = b;

    const int lane = ORDER(x->lane, y->lane);
    const int end = ORDER(x->span->about->number, y->span->about->number);

    return lane ? lane : end ? end : ORDER(x->span->ended, y->span->ended);
}

/* The span on this endpoint that ended at this time; NULL if it is not
 * shown. */
static const struct move *move_at(size_t lane, const struct endpoint *end,
                                  double ended)
{
    struct endpoint about = {.number = end->number};
    struct span span = {.about = &about, .ended = ended};
    const struct move wanted = {.span = &span, .lane = lane};

    return move_count == 0
               ? NULL
               : bsearch(&wanted, moves, move_count, sizeof *moves, by_place);
}

/* The last moment of a span at which no other span begins. */
static int64_t last_moment(const struct span *s)
{
    const int64_t began = nanoseconds(s->began), ended = nanoseconds(s->ended);

    return ended > began ? ended - 1 : began;
}

static void put_flow(char phase, const struct move *move, size_t number,
                     int64_t at)
{
    begin_event(phase, "bytes", move->pid, move->tid);
    fprintf(out, ",\"cat\":\"bytes\",\"id\":%zu", number);
    if (phase == 'f')
        fputs(",\"bp\":\"e\"", out);
    json_microseconds(out, ",\"ts\":", at);
}

/* Viewers drop an arrow that ends before it begins. The bytes of a long send
 * may be received before the send ends: then the arrow begins when it
 * arrives. */
static void put_arrow(const struct arrow *a, size_t number)
{
    const struct move *from = move_at(a->from, a->source, a->sent);
    const struct move *to = move_at(a->to, a->sink, a->received);
    int64_t sent, received;

    if (!from || !to)
        return;
    received = last_moment(to->span);
    sent = last_moment(from->span);
    sent = sent < received ? sent : received;
    if (sent < nanoseconds(from->span->began))
        return;
    put_flow('s', from, number, sent);
    fprintf(out, ",\"args\":{\"bytes\":%" PRIu64 "}}", a->bytes);
    put_flow('f', to, number, received);
    fputc('}', out);
}

/* --- Bytes in transit ----------------------------------------------------- */

struct change {
    double when;
    int64_t bytes;
    size_t process;
};

static int by_moment(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    const int when = ORDER(x->when, y->when);

    return when ? when : ORDER(x->process, y->process);
}

/* A counter for each process that sent: the bytes that were sent and not
 * received yet. */
static void put_counters(const struct view *view)
{
    struct change *changes =
        enlarged(NULL, 2 * model->arrow_count + 1, sizeof *changes);
    int64_t *under_way =
        enlarged(NULL, model->lane_count + 1, sizeof *under_way);
    size_t count = 0;

    memset(under_way, 0, model->lane_count * sizeof *under_way);
    for (size_t i = 0; i < model->arrow_count; i++) {
        const struct arrow *a = &model->arrows[i];

        changes[count++] =
            (struct change){a->departed, (int64_t)a->bytes, owner[a->from]};
        changes[count++] =
            (struct change){a->received, -(int64_t)a->bytes, owner[a->from]};
    }
    sort(changes, count, sizeof *changes, by_moment);
    for (size_t i = 0; i < count; i++) {
        const struct change *c = &changes[i];
        const int pid = pid_of(c->process);

        under_way[c->process] += c->bytes;
        if (c->when < view->from || c->when > view->to ||
            (i + 1 < count && by_moment(c, c + 1) == 0))
            continue;
        begin_event('C', "bytes under way", pid, pid);
        json_microseconds(out, ",\"ts\":", nanoseconds(c->when));
        fprintf(out, ",\"args\":{\"bytes\":%" PRId64 "}}",
                under_way[c->process]);
    }
    free(changes);
    free(under_way);
}

/* --- The whole drawing ---------------------------------------------------- */

void draw_perfetto(const struct model *shown, const struct view *view,
                   FILE *stream)
{
    model = shown;
    out = stream;
    find_processes();
    json_string(out, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"title\":",
                view->title);
    json_string(out, ",\"command\":", model->command);
    fputs("},\n\"traceEvents\":[", out);
    for (size_t l = 0; l < model->lane_count; l++)
        put_lane(l, view);
    sort(moves, move_count, sizeof *moves, by_place);
    for (size_t i = 0; i < model->arrow_count; i++)
        put_arrow(&model->arrows[i], i + 1);
    put_counters(view);
    fputs("\n]}\n", out);
}
