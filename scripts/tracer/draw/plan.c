/* SPDX-License-Identifier: MIT */
/*
 * plan - makes the plan of a drawing. A picture has a limited number of pixels,
 * however long the trace is: a lane is cut into slices of a pixel each, and
 * arrows that overlap are bundled. If the file would still be too large for a
 * browser, slices and bundles get wider.
 */
#include "plan.h"

#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_STRIPS = 60,
    MOST_STRETCHES = 1000, /* stretches and marks of all strips together */
    MOST_LINES = 240,
};

/* In pixels. Two arrows that are nearer than this look like one. */
static const double near_by = 10, apart = 6;

double place_of(const struct plan *plan, double time)
{
    return (time - plan->from) / (plan->to - plan->from) * plan->width;
}

double time_at(const struct plan *plan, double place)
{
    return plan->from + place / plan->width * (plan->to - plan->from);
}

/* --- Slices --------------------------------------------------------------- */

/* A slice of a lane's time. All slices have the same length. */
struct slice {
    double in[STATES]; /* seconds in each state */
    double agains;     /* calls that would block */
    enum state state;  /* the state it is drawn in */
    size_t owner;      /* the stretch it belongs to */
    enum event event;
    const struct span *failed; /* the call that failed */
};

/* A lane while it is being cut. */
struct cutting {
    const struct plan *plan;
    struct strip *strip;
    struct slice *slices;
    size_t count;  /* number of slices */
    double length; /* seconds per slice */
};

static size_t slice_at(const struct cutting *c, double time)
{
    const double place = (time - c->plan->from) / c->length;

    return place <= 0                  ? 0
           : place >= (double)c->count ? c->count - 1
                                       : (size_t)place;
}

static double pixels(const struct cutting *c, size_t slices)
{
    return (double)slices * c->plan->width / (double)c->count;
}

/* The part of the time from began to ended that lies in a slice, in seconds. */
static double part_in(const struct cutting *c, size_t slice, double began,
                      double ended)
{
    const double left = c->plan->from + (double)slice * c->length;
    const double part = fmin(ended, left + c->length) - fmax(began, left);

    return part > 0 ? part : 0;
}

/* Distribute a span over the slices that it covers. */
static void cut_span(struct cutting *c, const struct span *s)
{
    const enum state state = span_state(s);
    const double length = s->ended - s->began;
    const size_t last = slice_at(c, s->ended);

    for (size_t i = slice_at(c, s->began); i <= last; i++) {
        /* A call without duration belongs to the slice of its end. */
        const double share =
            length > 0 ? part_in(c, i, s->began, s->ended) / length : i == last;

        c->slices[i].in[state] += share * s->inside;
        if (state == WOULD_BLOCK)
            c->slices[i].agains += share * s->times;
    }
}

/*
 * The state a slice is drawn in. If the lane waited or slept for more than half
 * of the slice, that state. Otherwise WOULD_BLOCK if any call would block: the
 * time between two such results goes into calling again.
 */
static enum state state_of(const struct slice *slice, double length)
{
    if (slice->in[BLOCKED] + slice->in[SLEEPING] > length / 2)
        return slice->in[BLOCKED] >= slice->in[SLEEPING] ? BLOCKED : SLEEPING;
    return slice->agains > 0 ? WOULD_BLOCK : RUNNING;
}

static void cut(struct cutting *c)
{
    const struct lane *lane = c->strip->lane;

    for (size_t i = 0; i < c->count; i++)
        c->slices[i] = (struct slice){0};
    for (size_t k = 0; k < lane->span_count; k++)
        if (lane->spans[k].ended >= c->plan->from &&
            lane->spans[k].began < c->plan->to)
            cut_span(c, &lane->spans[k]);
    for (size_t i = 0; i < c->count; i++) {
        struct slice *slice = &c->slices[i];
        const double left = c->plan->from + (double)i * c->length;
        /* For the rest of its lifetime, it ran. */
        const double rest = part_in(c, i, lane->began, lane->ended) -
                            slice->in[BLOCKED] - slice->in[WOULD_BLOCK] -
                            slice->in[SLEEPING];

        slice->in[RUNNING] = rest > 0 ? rest : 0;
        slice->state = left < lane->ended && left + c->length > lane->began
                           ? state_of(slice, c->length)
                           : ABSENT;
    }
}

/* --- Stretches ------------------------------------------------------------ */

static void find_stretches(struct cutting *c)
{
    struct strip *strip = c->strip;

    for (size_t i = 0; i < c->count; i++) {
        struct slice *slice = &c->slices[i];
        struct stretch *last =
            &strip->stretches[i == 0 ? 0 : strip->stretch_count - 1];

        if (i == 0 || last->state != slice->state) {
            last = &strip->stretches[strip->stretch_count++];
            *last =
                (struct stretch){.state = slice->state, .left = pixels(c, i)};
        }
        last->right = pixels(c, i + 1);
        last->agains += slice->agains;
        slice->owner = strip->stretch_count - 1;
        for (int k = 0; k < STATES; k++)
            strip->in[k] += slice->in[k];
        strip->agains += slice->agains;
    }
}

/* Find the calls of each stretch. A span may cover several stretches. */
static void share_out(struct cutting *c, const struct span *s)
{
    const enum state state = span_state(s);
    const double length = s->ended - s->began;
    const size_t last = c->slices[slice_at(c, s->ended)].owner;

    for (size_t k = c->slices[slice_at(c, s->began)].owner; k <= last; k++) {
        struct stretch *stretch = &c->strip->stretches[k];
        const double left = time_at(c->plan, stretch->left);
        const double right = time_at(c->plan, stretch->right);
        const double share = fmin(s->ended, right) - fmax(s->began, left);
        const double part = length > 0 && share > 0 ? share / length : 1;

        if (stretch->state != state)
            continue;
        stretch->divided = stretch->divided || part < 1 - 1e-9;
        stretch->weight[s->call] +=
            part * (state == BLOCKED || state == SLEEPING ? s->inside
                                                          : (double)s->times);
        if (!stretch->longest || share > stretch->share) {
            stretch->longest = s;
            stretch->share = share;
        }
    }
}

/* --- Marks ---------------------------------------------------------------- */

static enum event event_of(const struct span *s)
{
    if (span_answer(s) == FAILED)
        return FAILURE;
    if (span_bytes(s) || (call_kind(s->call) == OPENS && !s->error))
        return MOVED;
    return NOTHING;
}

/* A call longer than a slice or two is visible without a mark. */
static void note_event(struct cutting *c, const struct span *s)
{
    const enum event event = event_of(s);
    const size_t i = slice_at(c, s->ended);

    if (s->unfinished || event <= c->slices[i].event ||
        (event != FAILURE && s->ended - s->began > 2 * c->length))
        return;
    c->slices[i].event = event;
    if (event == FAILURE)
        c->slices[i].failed = s;
}

/* Mark a call that would block in a slice that shows another state. The calls
 * of a run are spread over its slices: it gets one mark for each whole call. */
static void note_agains(struct cutting *c)
{
    double sum = 0;

    for (size_t i = 0; i < c->count; i++) {
        const double before = floor(sum + 1e-6);

        sum += c->slices[i].agains;
        if (floor(sum + 1e-6) > before && c->slices[i].event == NOTHING)
            c->slices[i].event = ASKED;
    }
}

/* Does the stretch itself already show the event? */
static bool is_shown(const struct cutting *c, size_t i)
{
    const enum state state = c->slices[i].state;

    switch (c->slices[i].event) {
    case NOTHING:
        return true;
    case ASKED:
        return state == WOULD_BLOCK;
    case MOVED:
        return state == RUNNING;
    default:
        return false;
    }
}

/* Marks of calls that would block are merged if they are close together. Marks
 * of transfers keep a distance: a thread that receives for a microsecond in
 * each millisecond is mostly asleep, and must not look busy. */
static void find_marks(struct cutting *c)
{
    struct strip *strip = c->strip;
    struct mark *last = NULL;

    for (size_t i = 0; i < c->count; i++) {
        if (is_shown(c, i) ||
            (last && last->event == MOVED && c->slices[i].event == MOVED &&
             pixels(c, i) - last->right < 6))
            continue;
        if (last && last->event == c->slices[i].event &&
            last->event != FAILURE &&
            pixels(c, i) - last->right < (last->event == ASKED ? 4 : 0.1)) {
            last->right = pixels(c, i + 1);
            continue;
        }
        last = &strip->marks[strip->mark_count++];
        *last = (struct mark){
            .event = c->slices[i].event,
            .left = pixels(c, i),
            .right = pixels(c, i + 1),
            .span = c->slices[i].failed,
        };
    }
}

struct strip make_strip(const struct plan *plan, const struct lane *lane,
                        size_t slices)
{
    struct strip strip = {
        .lane = lane,
        .stretches = enlarged(NULL, slices, sizeof *strip.stretches),
        .marks = enlarged(NULL, slices, sizeof *strip.marks),
    };
    struct cutting c = {
        .plan = plan,
        .strip = &strip,
        .count = slices,
        .length = (plan->to - plan->from) / (double)slices,
        .slices = enlarged(NULL, slices, sizeof *c.slices),
    };

    cut(&c);
    find_stretches(&c);
    for (size_t i = 0; i < lane->span_count; i++) {
        const struct span *s = &lane->spans[i];

        if (s->ended < plan->from || s->began > plan->to)
            continue;
        if (call_kind(s->call) != SETUP)
            share_out(&c, s);
        if (s->ended <= plan->to)
            note_event(&c, s);
    }
    note_agains(&c);
    find_marks(&c);
    free(c.slices);
    return strip;
}

void free_strip(struct strip *strip)
{
    free(strip->stretches);
    free(strip->marks);
    *strip = (struct strip){0};
}

/* Make all strips, with slices of a pixel, or wider if there would be too many
 * stretches. */
static void make_strips(struct plan *plan, const struct model *model)
{
    plan->strip_count =
        model->lane_count < MOST_STRIPS ? model->lane_count : MOST_STRIPS;
    plan->strips = enlarged(NULL, plan->strip_count, sizeof *plan->strips);
    for (int times = 0;; times++) {
        const double grain = ldexp(1, times);
        size_t parts = 0;

        for (size_t i = 0; i < plan->strip_count; i++) {
            plan->strips[i] = make_strip(plan, &model->lanes[i],
                                         (size_t)(plan->width / grain));
            parts += plan->strips[i].stretch_count + plan->strips[i].mark_count;
        }
        if (parts <= MOST_STRETCHES || plan->width / grain < 16)
            return;
        for (size_t i = 0; i < plan->strip_count; i++)
            free_strip(&plan->strips[i]);
    }
}

/* Has it a tenth of the stretch's calls, or of their time? */
static bool is_named(const struct stretch *stretch, int call)
{
    double all = 0;

    for (int each = 0; each < CALLS; each++)
        all += stretch->weight[each];
    return stretch->weight[call] > all / 10;
}

void name_calls(const struct stretch *stretch, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (int call = 0; call < CALLS && used < size; call++)
        if (is_named(stretch, call))
            used += (size_t)snprintf(text + used, size - used, "%s%s",
                                     used ? ", " : "", call_name(call));
}

const char *count_agains(const struct stretch *stretch, const char *times)
{
    static char text[48];
    double sum = 0;

    for (int call = 0; call < CALLS; call++)
        if (is_named(stretch, call))
            sum += stretch->weight[call];
    snprintf(text, sizeof text, "%s%s%s", stretch->divided ? "about " : "",
             times, grouped((unsigned long long)(sum + 0.5)));
    return text;
}

/* --- Arrows --------------------------------------------------------------- */

static int by_lanes(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    const int from = ORDER(x->from, y->from), to = ORDER(x->to, y->to);
    const int sent = ORDER(x->sent, y->sent);

    return from   ? from
           : to   ? to
           : sent ? sent
                  : ORDER(x->received, y->received);
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    const int sent = ORDER(x->sent, y->sent);

    return sent ? sent : by_lanes(a, b);
}

/* The existing bundle that a line falls on; NULL if none. Bundles are sorted by
 * sending time, so the search ends at the first one that is too far away. */
static struct line *bundle_of(const struct plan *plan, size_t bundles,
                              const struct line *line, double near)
{
    for (size_t i = bundles; i-- > 0;) {
        struct line *b = &plan->lines[i];

        if (b->from != line->from || b->to != line->to ||
            line->sent - b->sent > near)
            return NULL;
        if (fabs(line->received - b->received) <= near)
            return b;
    }
    return NULL;
}

static void bundle(struct plan *plan, double near)
{
    size_t bundles = 0;

    sort(plan->lines, plan->line_count, sizeof *plan->lines, by_lanes);
    for (size_t i = 0; i < plan->line_count; i++) {
        const struct line line = plan->lines[i];
        struct line *b = bundle_of(plan, bundles, &line, near);

        if (b) {
            b->bytes += line.bytes;
            b->count += line.count;
        } else {
            plan->lines[bundles++] = line;
        }
    }
    plan->line_count = bundles;
}

/* A request and its reply are often only microseconds apart. Move the later
 * arrow a little; otherwise the two would look like one arrow with two
 * heads. */
static void move_apart(struct plan *plan)
{
    sort(plan->lines, plan->line_count, sizeof *plan->lines, by_place);
    for (size_t i = 0; i < plan->line_count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct line *before = &plan->lines[k];
            struct line *line = &plan->lines[i];

            if (before->from == line->to && before->to == line->from &&
                fabs(before->received - line->sent) < apart &&
                fabs(before->sent - line->received) < apart) {
                line->sent = before->received + apart;
                line->received = before->sent + apart;
            }
        }
}

static void make_lines(struct plan *plan, const struct model *model)
{
    plan->lines = enlarged(NULL, model->arrow_count + 1, sizeof *plan->lines);
    for (size_t i = 0; i < model->arrow_count; i++) {
        const struct arrow *a = &model->arrows[i];

        if (a->from >= plan->strip_count || a->to >= plan->strip_count ||
            a->received < plan->from || a->departed > plan->to)
            continue;
        plan->lines[plan->line_count++] = (struct line){
            .from = a->from,
            .to = a->to,
            .sent = place_of(plan, a->departed),
            .received = place_of(plan, a->received),
            .bytes = (double)a->bytes,
            .count = 1,
        };
    }
    for (int times = 0;; times++) {
        const double near = ldexp(near_by, times);

        bundle(plan, near);
        if (plan->line_count <= MOST_LINES || near > plan->width)
            break;
    }
    /* With many lanes there may still be too many: keep the first ones. */
    if (plan->line_count > MOST_LINES)
        plan->line_count = MOST_LINES;
    move_apart(plan);
}

struct plan make_plan(const struct model *model, const struct view *view,
                      double width)
{
    struct plan plan = {.from = view->from, .to = view->to, .width = width};

    make_strips(&plan, model);
    make_lines(&plan, model);
    return plan;
}

void free_plan(struct plan *plan)
{
    for (size_t i = 0; i < plan->strip_count; i++)
        free_strip(&plan->strips[i]);
    free(plan->strips);
    free(plan->lines);
}

/* --- The axis ------------------------------------------------------------- */

/* The smallest of 1, 2, 5, 10, 20... that is at least `wanted`. */
static double nice_step(double wanted)
{
    const double ten = pow(10, floor(log10(wanted)));

    return wanted <= ten       ? ten
           : wanted <= 2 * ten ? 2 * ten
           : wanted <= 5 * ten ? 5 * ten
                               : 10 * ten;
}

struct axis axis_of(const struct plan *plan, double width_of_label)
{
    const double range = plan->to - plan->from;
    struct axis axis = range >= 1      ? (struct axis){"s", 1, 0, 0, 0}
                       : range >= 1e-3 ? (struct axis){"ms", 1e-3, 0, 0, 0}
                                       : (struct axis){"us", 1e-6, 0, 0, 0};

    axis.step =
        nice_step(range / axis.seconds / (plan->width / width_of_label));
    axis.first = (long)ceil(plan->from / axis.seconds / axis.step - 1e-9);
    axis.last = (long)floor(plan->to / axis.seconds / axis.step + 1e-9);
    return axis;
}
