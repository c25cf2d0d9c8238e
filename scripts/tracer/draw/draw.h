/* SPDX-License-Identifier: MIT */
/*
 * draw.h - the ways to draw a model. Each writes to a stream; the caller checks
 * the stream for errors.
 */
#ifndef WOULDBLOCK_DRAW_H
#define WOULDBLOCK_DRAW_H

#include "model.h"

#include <stdio.h>

/* Which part of the model to draw, and how. */
struct view {
    double from, to; /* seconds; to: the model's length by default */
    size_t columns;  /* of the terminal */
    bool colour;
    bool no_table; /* leave out the table of counts */
    bool no_legend;
    const char *title; /* "" for none */
    const char *page;  /* the path of page.html */
};

void draw_list(const struct model *model, const struct view *view, FILE *out);
void draw_terminal(const struct model *model, const struct view *view,
                   FILE *out);
void draw_svg(const struct model *model, const struct view *view, FILE *out);
void draw_perfetto(const struct model *model, const struct view *view,
                   FILE *out);
void draw_html(const struct model *model, const struct view *view, FILE *out);

#endif
