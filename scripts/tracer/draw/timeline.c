/* SPDX-License-Identifier: MIT */
/*
 * timeline - draws traces; see scripts/timeline for its usage.
 */
#include "draw.h"

#include "error.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct view view = {.columns = 80, .title = ""};
static const char *svg, *perfetto, *html, *hide, *during, *latest;
static bool list, connections, length;
static duration from = -1, to = -1; /* -1: not given */

static const struct setting settings[] = {
    {"list", NULL, "a line for each call", .flag = &list},
    {"connections", NULL, "a lane for each connection", .flag = &connections},
    {"from", "TIME", "begin here", .time = &from},
    {"to", "TIME", "end here", .time = &to},
    {"during", "NAME", "while that lane lives", .text = &during},
    {"hide", "NAME", "without the lanes called NAME...", .text = &hide},
    {"no-table", NULL, "without the counts", .flag = &view.no_table},
    {"no-legend", NULL, "without the legend", .flag = &view.no_legend},
    {"length", NULL, "only how long it is, in seconds", .flag = &length},
    {"title", "TEXT", "what it shows", .text = &view.title},
    {"width", "N", "as wide as this", .size = &view.columns},
    {"colour", NULL, "with colours", .flag = &view.colour},
    {"svg", "FILE", "a picture", .text = &svg},
    {"perfetto", "FILE", "for the Perfetto UI", .text = &perfetto},
    {"html", "FILE", "a page", .text = &html},
    {"page", "FILE", "what the page is made of", .text = &view.page},
    {"latest", "FILE", "the trace to draw if none is named", .text = &latest},
    {0},
};
static const struct program program = {
    "Draws traces.",
    "[TRACE]...",
    settings,
};

/* The named traces, or the latest one if none is named. */
static char **traces(char **named)
{
    static char *only[2];

    if (named[0])
        return named;
    if (!latest || access(latest, F_OK) == -1)
        die_because(0,
                    "there is no trace yet: scripts/trace COMMAND makes one");
    only[0] = (char *)latest;
    return only;
}

/* Show the time of one lane, and a little before and after it. */
static void look_at_lane(struct model *model)
{
    for (size_t i = 0; i < model->lane_count; i++) {
        const struct lane *lane = &model->lanes[i];
        const double margin = (lane->ended - lane->began) / 20;

        if (strcmp(lane->name, during) != 0)
            continue;
        view.from = lane->began > margin ? lane->began - margin : 0;
        view.to = lane->ended + margin;
        if (!html) { /* an HTML page keeps the start of the model */
            view.to -= view.from;
            begin_later(model, view.from);
            view.from = 0;
        }
        return;
    }
    die_because(0, "there is no lane called %s", during);
}

/* Is any part of the lane in view? An HTML page shows all lanes: the reader can
 * scroll it. */
static bool is_in_view(const struct lane *lane)
{
    return (html || (lane->ended > view.from && lane->began < view.to)) &&
           !(hide && strncmp(lane->name, hide, strlen(hide)) == 0);
}

/* Leave out the lanes that are not in view. */
static void hide_lanes(struct model *model)
{
    size_t *chosen = enlarged(NULL, model->lane_count + 1, sizeof *chosen);
    size_t count = 0;

    for (size_t i = 0; i < model->lane_count; i++)
        if (is_in_view(&model->lanes[i]))
            chosen[count++] = i;
    choose_lanes(model, chosen, count);
    free(chosen);
}

/* Draw to a file: complete, or an error message. Without a name, do nothing. */
static void draw_file(const char *name,
                      void draw(const struct model *, const struct view *,
                                FILE *),
                      const struct model *model)
{
    FILE *out = name ? fopen(name, "w") : NULL;

    if (out)
        draw(model, &view, out);
    if (name && (!out || ferror(out) || fclose(out) != 0))
        die_because(0, "cannot write %s: %s", name, strerror(errno));
}

int main(int argc, char **argv)
{
    char **names = traces(begin(&program, argc, argv));
    struct model *model = read_traces(names);

    if (model->lane_count == 0)
        die_because(0, "there is not a single call in %s", names[0]);
    if (length) {
        printf("%.9f\n", model->length);
        return model->complete ? 0 : 1;
    }
    view.to = model->length;
    if (during)
        look_at_lane(model);
    if (from >= 0)
        view.from = seconds(from);
    if (to >= 0)
        view.to = seconds(to);
    if (view.to <= view.from)
        die_because(0, "there is nothing to draw from %.6f to %.6f s",
                    view.from, view.to);
    hide_lanes(model);
    if (connections)
        model = by_connection(model);
    if (model->lane_count == 0)
        die_because(0, "nobody is there from %.6f to %.6f s", view.from,
                    view.to);
    draw_file(svg, draw_svg, model);
    draw_file(perfetto, draw_perfetto, model);
    draw_file(html, draw_html, model);
    if (list)
        draw_list(model, &view, stdout);
    else if (!svg && !perfetto && !html)
        draw_terminal(model, &view, stdout);
    return model->complete ? 0 : 1;
}
