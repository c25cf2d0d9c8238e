/* SPDX-License-Identifier: MIT */
/*
 * html - writes page.html with the trace in it as JSON.
 *
 * A browser loads the whole page at once, so the data are compact: a time is
 * the number of nanoseconds since the entry before; the properties that calls
 * have in common are written once, as a shape, and the words of shapes once
 * too. In a very large trace, short calls that are neighbours are folded into
 * one. The page says if that happened; page.html explains each array.
 */
#define _GNU_SOURCE
#include "draw.h"

#include "error.h"
#include "json.h"
#include "program.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SPANS = 500000,
    MOST_ARROWS = 200000,
    TEXT = 256,
};

static const char marker[] = "@TRACE@\n";

static FILE *out;
static const struct model *model;

/* --- Pools ---------------------------------------------------------------- */

/* All different values in the order of their first use, and a hash table to
 * find each by its bytes. */
struct pool {
    char *bytes;
    size_t used, room;
    size_t *begins; /* of each value; one more entry: the end of the last */
    size_t count, begin_room;
    size_t *places; /* hash table: number + 1, or 0 */
    size_t place_count;
};

static uint64_t hash_of(const char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

static size_t *place_in(const struct pool *p, const char *bytes, size_t size)
{
    for (size_t at = hash_of(bytes, size);; at++) {
        size_t *place = &p->places[at & (p->place_count - 1)];
        const size_t *text = &p->begins[*place ? *place - 1 : 0];

        if (*place == 0 || (text[1] - text[0] == size &&
                            memcmp(p->bytes + text[0], bytes, size) == 0))
            return place;
    }
}

static void enlarge(struct pool *p, size_t size)
{
    if (p->used + size > p->room) {
        p->room = 2 * (p->used + size);
        p->bytes = enlarged(p->bytes, p->room, 1);
    }
    if (p->count + 2 > p->begin_room) {
        p->begin_room = 2 * (p->count + 2);
        p->begins = enlarged(p->begins, p->begin_room, sizeof *p->begins);
        p->begins[0] = 0;
    }
    if (2 * p->count >= p->place_count) {
        p->place_count = p->place_count ? 4 * p->place_count : 256;
        p->places = enlarged(p->places, p->place_count, sizeof *p->places);
        memset(p->places, 0, p->place_count * sizeof *p->places);
        for (size_t i = 0; i < p->count; i++)
            *place_in(p, p->bytes + p->begins[i],
                      p->begins[i + 1] - p->begins[i]) = i + 1;
    }
}

/* The number of these bytes in the pool, which adds them if they are new. */
static size_t number_of(struct pool *p, const void *bytes, size_t size)
{
    size_t *place;

    enlarge(p, size);
    place = place_in(p, bytes, size);
    if (*place == 0) {
        memcpy(p->bytes + p->used, bytes, size);
        p->used += size;
        p->begins[++p->count] = p->used;
        *place = p->count;
    }
    return *place - 1;
}

/* Empty the pool, but keep its memory. */
static void clear(struct pool *p)
{
    if (p->count > 0)
        memset(p->places, 0, p->place_count * sizeof *p->places);
    p->used = p->count = 0;
}

/* --- Shapes --------------------------------------------------------------- */

/* The properties that calls have in common: the same words, on the same socket.
 * The struct must have no padding, since its bytes are compared. */
struct shape {
    uint64_t bytes; /* moved by each call */
    int32_t call, fd, connection, state, answer, error, waits, words;
};

static struct pool shapes, words;

/* The shape of a span, without its words and bytes. */
static struct shape shape_of(const struct span *s)
{
    return (struct shape){
        .call = s->call,
        .fd = s->fd,
        .connection = s->about ? (int32_t)s->about->number : -1,
        .state = (int32_t)span_state(s),
        .answer = (int32_t)span_answer(s),
        .error = s->error,
        .waits = may_wait(s),
    };
}

/* Folded calls differ in their arguments and results, which the words leave
 * out. */
static size_t shape_number(const struct span *s, bool folded)
{
    struct shape shape = shape_of(s);
    char text[TEXT];

    if (folded && s->fd >= 0)
        snprintf(text, sizeof text, "%s(%d, ...) = ...%s%s", call_name(s->call),
                 s->fd, s->error ? " " : "", span_error(s));
    else if (folded)
        snprintf(text, sizeof text, "%s(...) = ...%s%s", call_name(s->call),
                 s->error ? " " : "", span_error(s));
    else
        describe(s, text, sizeof text);
    shape.bytes = folded ? 0 : span_bytes(s) / s->times;
    shape.words = (int32_t)number_of(&words, text, strlen(text) + 1);
    return number_of(&shapes, &shape, sizeof shape);
}

static const struct shape *shape_at(size_t number)
{
    return (const struct shape *)(const void *)shapes.bytes + number;
}

static void put_shapes(void)
{
    fputs(",\n\"shapes\":[", out);
    for (size_t i = 0; i < shapes.count; i++) {
        const struct shape *s = shape_at(i);

        fprintf(out,
                "%s[%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32
                ",%" PRId32 ",%" PRId32 ",%" PRIu64 ",%" PRId32 "]",
                i ? ",\n" : "\n", s->call, s->fd, s->connection, s->state,
                s->answer, s->error, s->waits, s->bytes, s->words);
    }
    fputs("],\n\"words\":[", out);
    for (size_t i = 0; i < words.count; i++) {
        fputs(i ? ",\n" : "\n", out);
        json_string(out, "", words.bytes + words.begins[i]);
    }
    fputc(']', out);
}

/* --- Spans ---------------------------------------------------------------- */

/* A span as the page has it: one of the model, or several that were folded. */
struct entry {
    struct span span;
    uint64_t bytes, times;
    bool folded;
};

static void add_to(struct entry *e, const struct span *s)
{
    e->folded = true;
    e->span.ended = s->ended > e->span.ended ? s->ended : e->span.ended;
    e->span.inside += s->inside;
    e->bytes += span_bytes(s);
    e->times += s->times;
}

/* The shapes in the present slice of time, and the entry of each. */
static struct pool met;
static size_t *entry_of, entry_room;

/* The entry that this is folded into; or number, if it makes a new one. */
static size_t entry_for(const void *key, size_t size, size_t number)
{
    const size_t before = met.count, found = number_of(&met, key, size);

    if (met.count == before)
        return entry_of[found];
    entry_of = grown(entry_of, found, &entry_room, sizeof *entry_of);
    entry_of[found] = number;
    return number;
}

/* Fold the spans that are shorter than a slice of so many seconds and have the
 * same shape, slice by slice. With 0 seconds, fold none. If entries is NULL,
 * only count them. */
static size_t fold_lane(const struct lane *lane, double seconds,
                        struct entry *entries)
{
    size_t count = 0;
    double slice = -1;

    for (size_t i = 0; i < lane->span_count; i++) {
        const struct span *s = &lane->spans[i];
        size_t at = count;

        if (s->ended - s->began < seconds && !s->unfinished) {
            const double here = floor(s->began / seconds);
            const struct shape key = shape_of(s);

            if (here > slice)
                clear(&met);
            slice = here;
            at = entry_for(&key, sizeof key, count);
        }
        if (at < count && entries)
            add_to(&entries[at], s);
        else if (entries)
            entries[at] = (struct entry){
                .span = *s, .bytes = span_bytes(s), .times = s->times};
        count += at == count;
    }
    clear(&met);
    return count;
}

/* The same for arrows between the same two ends. */
static size_t fold_arrows(double seconds, struct arrow *arrows)
{
    size_t count = 0;
    double slice = -1;

    for (size_t i = 0; i < model->arrow_count; i++) {
        const struct arrow *a = &model->arrows[i];
        const size_t ends[2] = {a->source->number, a->sink->number};
        size_t at = count;

        if (seconds > 0) {
            const double here = floor(a->sent / seconds);

            if (here > slice)
                clear(&met);
            slice = here;
            at = entry_for(ends, sizeof ends, count);
        }
        if (at < count && arrows)
            arrows[at].bytes += a->bytes;
        else if (arrows)
            arrows[at] = *a;
        count += at == count;
    }
    clear(&met);
    return count;
}

static size_t count_entries(double seconds)
{
    size_t count = 0;

    for (size_t i = 0; i < model->lane_count; i++)
        count += fold_lane(&model->lanes[i], seconds, NULL);
    return count;
}

static size_t count_arrows(double seconds)
{
    return fold_arrows(seconds, NULL);
}

/* The length of a slice that leaves no more entries than `most`. */
static double slice_length_for(size_t most, size_t count(double))
{
    double slice = 0;

    while (count(slice) > most && slice < model->length)
        slice = slice > 0 ? 2 * slice : model->length / 131072;
    return slice;
}

/* An entry holds: one number for its shape and form; the time since the start
 * of the entry before; its length; for a run also the time inside and the
 * number of calls; for folded calls also the bytes. */
enum form { SINGLE, RUN, FOLDED };

static void put_entry(const struct entry *e, int64_t *before, bool first)
{
    const int64_t began = nanoseconds(e->span.began);
    const int64_t length = nanoseconds(e->span.ended) - began;
    const int64_t inside = nanoseconds(e->span.inside);
    const int64_t rest = inside > length ? inside - length : length - inside;
    const enum form form = e->folded                     ? FOLDED
                           : e->times > 1 || rest > 1000 ? RUN
                                                         : SINGLE;

    fprintf(out, "%s%zu,%" PRId64 ",%" PRId64, first ? "" : ",",
            4 * shape_number(&e->span, e->folded) + form, began - *before,
            length);
    if (form != SINGLE)
        fprintf(out, ",%" PRId64 ",%" PRIu64, inside, e->times);
    if (form == FOLDED)
        fprintf(out, ",%" PRIu64, e->bytes);
    *before = began;
}

static void put_spans(const struct lane *lane, double seconds)
{
    const size_t count = fold_lane(lane, seconds, NULL);
    struct entry *entries = enlarged(NULL, count + 1, sizeof *entries);
    int64_t before = 0;

    fold_lane(lane, seconds, entries);
    fputs(",\n\"spans\":[", out);
    for (size_t i = 0; i < count; i++)
        put_entry(&entries[i], &before, i == 0);
    fputc(']', out);
    free(entries);
}

/* --- Lanes ---------------------------------------------------------------- */

static void put_tally(const struct lane *lane)
{
    bool any = false;

    fputs(",\"tally\":[", out);
    for (int c = 1; c < CALLS; c++) {
        const struct tally *t = &lane->tally[c];

        if (t->called == 0)
            continue;
        fprintf(out,
                "%s[%d,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRId64
                ",%" PRId64 ",%" PRIu64 "]",
                any ? "," : "", c, t->called, t->done, t->again, t->failed,
                nanoseconds(t->inside), nanoseconds(t->blocked), t->bytes);
        any = true;
    }
    fputc(']', out);
}

static void put_life(const struct lane *lane)
{
    json_string(out, "{\"name\":", lane->name);
    fprintf(out,
            ",\"pid\":%" PRId32 ",\"tid\":%" PRId32 ",\"began\":%" PRId64
            ",\"ended\":%" PRId64 ",\"cpu\":%" PRId64 ",\"lost\":%" PRIu64
            ",\"killed\":",
            lane->pid, lane->tid, nanoseconds(lane->began),
            nanoseconds(lane->ended),
            lane->cpu < 0 ? -1 : nanoseconds(lane->cpu), lane->lost);
    json_string(out, "", lane->killed_by ? signal_name(lane->killed_by) : "");
    put_tally(lane);
}

static void put_lanes(double seconds)
{
    fputs(",\n\"lanes\":[", out);
    for (size_t i = 0; i < model->lane_count; i++) {
        fputs(i ? ",\n" : "\n", out);
        put_life(&model->lanes[i]);
        put_spans(&model->lanes[i], seconds);
        fputc('}', out);
    }
    fputc(']', out);
}

/* Their spans are those of the lanes: the shape names the connection. */
static void put_connections(const struct model *connections)
{
    char text[TEXT];

    fputs(",\n\"connections\":[", out);
    for (size_t i = 0; i < connections->lane_count; i++) {
        const struct lane *lane = &connections->lanes[i];
        const struct endpoint *e = lane->endpoint;

        fputs(i ? ",\n" : "\n", out);
        put_life(lane);
        describe_endpoint(e, text, sizeof text);
        json_string(out, ",\"what\":", text);
        fprintf(out, ",\"fd\":%" PRId32 ",\"lane\":%zu,\"other\":%" PRId64 "}",
                e->fd, e->lane, e->other ? (int64_t)e->other->number : -1);
    }
    fputc(']', out);
}

/* The lanes, the connections, the time of sending since the arrow before, the
 * time from there to the receiving, and the bytes. */
static void put_arrows(double seconds)
{
    const size_t count = fold_arrows(seconds, NULL);
    struct arrow *arrows = enlarged(NULL, count + 1, sizeof *arrows);
    int64_t before = 0;

    fold_arrows(seconds, arrows);
    fputs(",\n\"arrows\":[", out);
    for (size_t i = 0; i < count; i++) {
        const struct arrow *a = &arrows[i];
        const int64_t sent = nanoseconds(a->sent);

        fprintf(out, "%s%zu,%zu,%zu,%zu,%" PRId64 ",%" PRId64 ",%" PRIu64,
                i ? "," : "", a->from, a->to, a->source->number,
                a->sink->number, sent - before, nanoseconds(a->received) - sent,
                a->bytes);
        before = sent;
    }
    fputc(']', out);
    free(arrows);
}

/* --- The whole drawing ---------------------------------------------------- */

static void put_calls(void)
{
    static const char *const kinds[] = {"setup",    "opens", "sends",
                                        "receives", "waits", "sleeps"};

    fputs(",\n\"calls\":[", out);
    for (int c = CALL_none; c < CALLS; c++)
        fprintf(out, "%s[\"%s\",\"%s\"]", c ? "," : "", call_name(c),
                kinds[call_kind(c)]);
    fputc(']', out);
}

/* The errors that occur in the trace: what they mean, and what to do. */
static void put_errors(void)
{
    static bool seen[INT16_MAX];
    bool any = false;

    fputs(",\n\"errors\":{", out);
    for (size_t i = 0; i < shapes.count; i++) {
        const int32_t error = shape_at(i)->error;

        if (error <= 0 || seen[error - 1])
            continue;
        fprintf(out, "%s\"%" PRId32 "\":", any ? "," : "", error);
        json_string(out, "[", error_entry(error)->symbol);
        json_string(out, ",", error_entry(error)->text);
        json_string(out, ",",
                    error_entry(error)->advice ? error_entry(error)->advice
                                               : "");
        fputc(']', out);
        seen[error - 1] = any = true;
    }
    fputc('}', out);
}

static void put_trace(const struct view *view)
{
    const bool by_socket = model->lanes[0].endpoint != NULL;
    const double slice = slice_length_for(MOST_SPANS, count_entries);

    json_string(out, "{\"title\":", view->title);
    json_string(out, ",\"command\":", model->command);
    fprintf(out,
            ",\"length\":%" PRId64 ",\"from\":%" PRId64 ",\"to\":%" PRId64
            ",\"table\":%s,\"complete\":%s,\"only_connections\":%s"
            ",\"stretch\":%" PRId64,
            nanoseconds(model->length), nanoseconds(view->from),
            nanoseconds(view->to), view->no_table ? "false" : "true",
            model->complete ? "true" : "false", by_socket ? "true" : "false",
            nanoseconds(slice));
    put_calls();
    put_lanes(slice);
    put_connections(by_socket ? model : by_connection(model));
    put_arrows(slice_length_for(MOST_ARROWS, count_arrows));
    put_shapes();
    put_errors();
    fputs("}\n", out);
}

void draw_html(const struct model *shown, const struct view *view, FILE *stream)
{
    FILE *page = view->page ? fopen(view->page, "r") : NULL;
    char *line = NULL;
    size_t room = 0;
    bool put = false;

    if (!view->page)
        die_because(0, "--html needs --page: what the page is made of");
    if (!page)
        die("cannot read %s", view->page);
    model = shown;
    out = stream;
    while (getline(&line, &room, page) != -1)
        if (!put && strcmp(line, marker) == 0) {
            put_trace(view);
            put = true;
        } else {
            fputs(line, out);
        }
    if (ferror(page))
        die("cannot read %s", view->page);
    if (!put)
        die_because(0, "%s has no line for the trace", view->page);
    fclose(page);
    free(line);
}
