/* SPDX-License-Identifier: MIT */
#include "draw.h"

void draw_terminal(const struct model *model, const struct view *view,
                   FILE *out)
{
    (void)model;
    (void)view;
    (void)out;
}
