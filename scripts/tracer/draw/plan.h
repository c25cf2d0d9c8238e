/* SPDX-License-Identifier: MIT */
/*
 * plan.h - the plan of a drawing: the time of each lane in stretches of one
 * state, marks for events too short to be seen in them, the arrows, bundled
 * where they overlap, and the axis.
 *
 * Horizontal positions are measured from the left of the plot: in pixels for a
 * picture, in columns for the terminal.
 */
#ifndef WOULDBLOCK_PLAN_H
#define WOULDBLOCK_PLAN_H

#include "draw.h"

/* Neighbouring slices of the same state. */
struct stretch {
    enum state state;
    double left, right; /* pixels or columns */
    double agains;      /* calls that would block */
    /* The share of each call in the state: seconds spent waiting in it, or the
     * number of calls. */
    double weight[CALLS];
    bool divided; /* its runs go on in another stretch: the count is a guess */
    const struct span *longest; /* of those calls; NULL: none */
    double share;               /* seconds of `longest` within this stretch */
};

/* Events that are too short for a stretch, but must be visible. */
enum event { NOTHING, ASKED, MOVED, FAILURE };

struct mark {
    enum event event;
    double left, right;
    const struct span *span; /* the call that failed */
};

/* One lane, ready to be drawn. */
struct strip {
    const struct lane *lane;
    struct stretch *stretches; /* including those where the lane is absent */
    size_t stretch_count;
    struct mark *marks;
    size_t mark_count;
    double in[STATES], agains; /* sums over all stretches */
};

/* An arrow, or a bundle of several that overlap. */
struct line {
    size_t from, to; /* lanes */
    double sent, received;
    double bytes;
    size_t count;
};

struct plan {
    double from, to; /* seconds */
    double width;
    struct strip *strips;
    size_t strip_count; /* the first lanes of the model, maybe not all */
    struct line *lines;
    size_t line_count;
};

/* Make a plan. The caller releases it with free_plan. */
struct plan make_plan(const struct model *model, const struct view *view,
                      double width);
void free_plan(struct plan *plan);

/* Cut one lane into slices over the time of the plan. The caller releases the
 * strip with free_strip. */
struct strip make_strip(const struct plan *plan, const struct lane *lane,
                        size_t slices);
void free_strip(struct strip *strip);

/* Convert a time to a position, and a position to a time. */
double place_of(const struct plan *plan, double time);
double time_at(const struct plan *plan, double place);

/* Write the names of the calls in a stretch, "accept, recv": those with a share
 * of a tenth or more. Writes at most size bytes. */
void name_calls(const struct stretch *stretch, char *text, size_t size);

/* How often those calls would block: "1,234", or "about 1,234" where a run of
 * them lies in several stretches. The text `times`, "" or a sign, is put before
 * the number. Returns a text that stays valid until the next call. */
const char *count_agains(const struct stretch *stretch, const char *times);

/* Round times for the labels of an axis. Label number n, from first to last, is
 * for n * step of these units. */
struct axis {
    const char *unit; /* "s", "ms", "us" */
    double seconds;   /* seconds per unit */
    double step;      /* 1, 2, 5, 10, 20... units */
    long first, last;
};

/* Make an axis with no more labels of this width than fit. */
struct axis axis_of(const struct plan *plan, double width_of_label);

#endif
