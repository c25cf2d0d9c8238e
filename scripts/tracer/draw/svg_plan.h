/* SPDX-License-Identifier: MIT */
/*
 * svg_plan.h - what there is room for in a picture: the time of each lane
 * in stretches of one state, the moments that would get lost in them, and the
 * arrows, bundled where they would lie on each other.
 *
 * Across, a picture is measured in pixels from the left of the plot.
 */
#ifndef WOULDBLOCK_SVG_PLAN_H
#define WOULDBLOCK_SVG_PLAN_H

#include "draw.h"

/* Neighbouring slices of the same state. */
struct stretch {
    enum state state;
    double left, right; /* pixels */
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
    double left, right; /* pixels */
    const struct span *span;
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
    size_t from, to;       /* lanes */
    double sent, received; /* pixels */
    double bytes;
    size_t count;
};

struct plan {
    double from, to, width; /* seconds; pixels */
    struct strip *strips;
    size_t strip_count; /* the first lanes of the model, maybe not all */
    struct line *lines;
    size_t line_count;
};

/* The plan is the caller's, and given back to free_plan. */
struct plan make_plan(const struct model *model, const struct view *view,
                      double width);
void free_plan(struct plan *plan);

/* A time in pixels, and pixels in time. */
double place_of(const struct plan *plan, double time);
double time_at(const struct plan *plan, double place);

/* The calls that a stretch is made of, "accept, recv"; at most size bytes. */
void name_calls(const struct stretch *stretch, char *text, size_t size);

#endif
