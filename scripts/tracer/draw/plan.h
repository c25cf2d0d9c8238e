/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what there is room for in a drawing: the time of each lane in
 * stretches of one state, the moments that would get lost in them, the arrows,
 * bundled where they would lie on each other, and the axis.
 *
 * Across, a drawing is measured from the left of the plot: a picture in pixels,
 * one in the terminal in columns.
 */
#ifndef WOULDBLOCK_PLAN_H
#define WOULDBLOCK_PLAN_H

#include "draw.h"

/* Neighbouring slices of the same state. */
struct stretch {
    enum state state;
    double left, right; /* pixels or columns, as all that is across */
    double agains;      /* how often it was told "not yet" */
    /* What each call has to do with it being in this state: seconds spent
     * waiting in it, or how often it was made. */
    double weight[CALLS];
    const struct span *longest; /* of those calls; NULL if there is none */
    double share;               /* seconds of the longest that lie in here */
};

/* What is too short to have a stretch, and is to be seen all the same. */
enum event { NOTHING, ASKED, MOVED, FAILURE };

struct mark {
    enum event event;
    double left, right;
    const struct span *span; /* the one that failed */
};

/* One lane, made ready. */
struct strip {
    const struct lane *lane;
    struct stretch *stretches; /* with those where the lane is absent */
    size_t stretch_count;
    struct mark *marks;
    size_t mark_count;
    double in[STATES], agains; /* in all stretches together */
};

/* An arrow, or several that lie on each other. */
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

/* The plan is the caller's, and given back to free_plan. */
struct plan make_plan(const struct model *model, const struct view *view,
                      double width);
void free_plan(struct plan *plan);

/* One lane alone, cut into so many slices over the time of a plan; given back
 * to free_strip. */
struct strip make_strip(const struct plan *plan, const struct lane *lane,
                        size_t slices);
void free_strip(struct strip *strip);

/* A time in the plan, and a place in time. */
double place_of(const struct plan *plan, double time);
double time_at(const struct plan *plan, double place);

/* The calls that a stretch is made of, "accept, recv": those with a tenth of it
 * and more. At most size bytes. */
void name_calls(const struct stretch *stretch, char *text, size_t size);

/* Round times for the labels of an axis, from the first to the last: label
 * number n is for n * step of these units. */
struct axis {
    const char *unit; /* "s", "ms", "us" */
    double seconds;   /* of a unit */
    double step;      /* 1, 2, 5, 10, 20... units */
    long first, last;
};

/* With no more labels than there is room for, each as wide as this. */
struct axis axis_of(const struct plan *plan, double width_of_label);

#endif
