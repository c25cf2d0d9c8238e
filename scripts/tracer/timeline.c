/* SPDX-License-Identifier: MIT */
/*
 * timeline - draws traces; scripts/timeline tells how it is called.
 */
#include "draw.h"

#include "error.h"
#include "program.h"

#include <stdlib.h>

static const char *from_text, *to_text, *svg, *perfetto, *html, *page,
    *title = "";
static bool list, connections, colour, no_table;
static size_t columns = 80;

static const struct setting settings[] = {
    {"list", NULL, "a line for each call", .flag = &list},
    {"svg", "FILE", "a picture", .text = &svg},
    {"perfetto", "FILE", "for the Perfetto UI", .text = &perfetto},
    {"html", "FILE", "a page", .text = &html},
    {"page", "FILE", "what the page is made of", .text = &page},
    {"title", "TEXT", "what it shows", .text = &title},
    {"connections", NULL, "a lane for each connection", .flag = &connections},
    {"columns", "N", "as wide as this", .size = &columns},
    {"colour", NULL, "with colours", .flag = &colour},
    {"no-table", NULL, "without the counts", .flag = &no_table},
    {"from", "SECONDS", "begin here", .text = &from_text},
    {"to", "SECONDS", "end here", .text = &to_text},
    {0},
};
static const struct program program = {
    "Draws traces.",
    "TRACE [TRACE]...",
    settings,
};

/* Into a file, all of it or a message. */
static FILE *open_output(const char *name)
{
    FILE *out = fopen(name, "w");

    if (!out)
        die("cannot write %s", name);
    return out;
}

static void close_output(FILE *out, const char *name)
{
    if (ferror(out) || fclose(out) != 0)
        die("cannot write %s", name);
}

int main(int argc, char **argv)
{
    char **names = begin(&program, argc, argv);
    struct model *model = read_traces(names);
    struct view view = {.from = 0, .to = model->length, .columns = columns};
    FILE *out;

    if (model->lane_count == 0)
        die_because(0, "there is not a single call in %s", names[0]);
    if (connections)
        model = by_connection(model);
    if (from_text)
        view.from = strtod(from_text, NULL);
    if (to_text)
        view.to = strtod(to_text, NULL);
    if (view.to <= view.from)
        die_because(0, "there is nothing to draw from %.6f to %.6f s",
                    view.from, view.to);
    view.colour = colour;
    view.table = !no_table;
    view.title = title;
    if (svg) {
        draw_svg(model, &view, out = open_output(svg));
        close_output(out, svg);
    }
    if (perfetto) {
        draw_perfetto(model, &view, out = open_output(perfetto));
        close_output(out, perfetto);
    }
    if (html) {
        draw_html(model, &view, page, out = open_output(html));
        close_output(out, html);
    }
    if (list)
        draw_list(model, &view, stdout);
    else if (!svg && !perfetto && !html)
        draw_terminal(model, &view, stdout);
    return model->complete ? 0 : 1;
}
