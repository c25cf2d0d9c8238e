/* SPDX-License-Identifier: MIT */
/*
 * list - prints all calls of all lanes, one per line, in the order of their
 * start.
 */
#include "draw.h"

#include "program.h"

#include <stdlib.h>

/* The lane whose next span began first; lane_count if no span is left. */
static size_t next_lane(const struct model *model, const size_t *next)
{
    size_t found = model->lane_count;

    for (size_t i = 0; i < model->lane_count; i++)
        if (next[i] < model->lanes[i].span_count &&
            (found == model->lane_count ||
             model->lanes[i].spans[next[i]].began <
                 model->lanes[found].spans[next[found]].began))
            found = i;
    return found;
}

static void list_span(const struct lane *lane, const struct span *s, FILE *out)
{
    char what[256], where[160] = "";

    describe(s, what, sizeof what);
    if (s->about)
        describe_endpoint(s->about, where, sizeof where);
    fprintf(out, "%12.6f %10.6f  %-18s %s", s->began, s->inside, lane->name,
            what);
    if (s->times > 1)
        fprintf(out, " x%s in %s", grouped(s->times),
                in_time(s->ended - s->began));
    fprintf(out, "%s%s\n", where[0] ? "  # " : "", where);
}

void draw_list(const struct model *model, const struct view *view, FILE *out)
{
    size_t *next = enlarged(NULL, model->lane_count + 1, sizeof *next);
    size_t l;

    for (size_t i = 0; i < model->lane_count; i++)
        next[i] = 0;
    fprintf(out, "%12s %10s  %-18s %s\n", "began", "inside", "who", "call");
    while ((l = next_lane(model, next)) < model->lane_count) {
        const struct span *s = &model->lanes[l].spans[next[l]++];

        if (s->call != CALL_elsewhere && s->ended >= view->from &&
            s->began <= view->to)
            list_span(&model->lanes[l], s, out);
    }
    free(next);
}
