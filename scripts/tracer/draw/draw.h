/* SPDX-License-Identifier: MIT */
/*
 * draw.h - the ways to show a model. Each writes to a stream; the caller finds
 * out whether that worked.
 */
#ifndef WOULDBLOCK_DRAW_H
#define WOULDBLOCK_DRAW_H

#include "model.h"

#include <stdio.h>

/* What the caller wants to see of it. */
struct view {
    double from, to; /* seconds; to: the model's length, if it was not given */
    size_t columns;  /* of the terminal */
    bool colour;
    bool no_table; /* without the counts */
    bool no_legend;
    const char *title; /* "" for none */
    const char *page;  /* the path of what a page is made of */
};

void draw_list(const struct model *model, const struct view *view, FILE *out);
void draw_terminal(const struct model *model, const struct view *view,
                   FILE *out);
void draw_svg(const struct model *model, const struct view *view, FILE *out);
void draw_perfetto(const struct model *model, const struct view *view,
                   FILE *out);
void draw_html(const struct model *model, const struct view *view, FILE *out);

#endif
