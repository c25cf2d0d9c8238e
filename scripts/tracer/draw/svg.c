/* SPDX-License-Identifier: MIT */
/*
 * svg - draws a picture for documents: a lane for each thread or connection,
 * with a bar over time; arrows for what was sent and received; an axis, a
 * legend, and the table of counts. plan.c decides what fits.
 *
 * States differ in shape as well as in colour, and the colours follow the
 * reader's choice of light or dark. The reader's fonts are not known, nor how
 * wide their letters are: texts that have to fit are set in a monospaced font,
 * since all of these have letters of nearly the same width.
 */
#include "draw.h"

#include "error.h"
#include "plan.h"
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 880,
    MARGIN = 20,
    TITLE_Y = 38,
    LEGEND_Y = 66,
    PLOT_Y = 96,
    AXIS = 40, /* height of the axis below the plot */
    ROW = 20,  /* height of a row of the table */
    MOST_ROWS = 40,
    NARROW = 5,  /* narrower bars get no pattern */
    TELLING = 6, /* narrower bars have no tooltip */
    FEW_LINES = 48,
};

/* The largest width of a letter, in pixels: sizes 12 and 13 of a monospaced
 * font; 12 and bold 18 of any other. */
static const double mono_12 = 7.3, mono_13 = 7.9, sans_12 = 7.4,
                    title_18 = 12.3;

struct picture {
    const struct model *model;
    const struct view *view;
    struct plan plan;
    FILE *out;
    double left;        /* left edge of the plot */
    double pitch, bar;  /* height of a lane; height of its bar */
    double bottom;      /* bottom of the drawing so far */
    struct box *labels; /* labels of arrows, kept to avoid overlaps */
    size_t label_count;
};

struct box {
    double left, top, right, bottom;
};

/* --- Text and numbers ----------------------------------------------------- */

/* A number with at most one decimal. Valid as long as next_text. */
static const char *num(double value)
{
    char *text = next_text();
    const double tenths = round(value * 10);

    snprintf(text, 32, fmod(tenths, 10) == 0 ? "%.0f" : "%.1f",
             tenths == 0 ? 0 : tenths / 10);
    return text;
}

/* Write at most `most` characters of a text, escaped for XML. The last one is
 * an ellipsis if the text is longer. */
static void put_some(FILE *out, const char *text, size_t most)
{
    const size_t length = characters(text);

    for (size_t i = 0; *text && i < most; i++) {
        const size_t bytes = character(text);

        if (length > most && i + 1 == most) {
            fputs("\u2026", out);
            return;
        }
        if (bytes == 0 || (unsigned char)*text < ' ' || *text == 0x7f)
            fputs("\uFFFD", out); /* XML does not allow this character */
        else if (strchr("<>&\"'", *text))
            fprintf(out, "&#%d;", *text);
        else
            fwrite(text, 1, bytes, out);
        text += bytes ? bytes : 1;
    }
}

static void put(FILE *out, const char *text)
{
    put_some(out, text, 1000);
}

/* The width of a text; wide characters count as two. */
static double width_of(const char *text, double letter)
{
    double width = 0;

    while (*text) {
        const size_t bytes = character(text);

        width += bytes > 1 ? 2 * letter : letter;
        text += bytes ? bytes : 1;
    }
    return width;
}

static void some_text_at(const struct picture *p, const char *class, double x,
                         double y, const char *text, double most)
{
    fprintf(p->out, "<text%s%s%s x='%s' y='%s'>", class[0] ? " class='" : "",
            class, class[0] ? "'" : "", num(x), num(y));
    put_some(p->out, text, (size_t)most);
    fputs("</text>\n", p->out);
}

static void text_at(const struct picture *p, const char *class, double x,
                    double y, const char *text)
{
    some_text_at(p, class, x, y, text, 1000);
}

static void rect(const struct picture *p, const char *class, struct box b)
{
    fprintf(p->out, "<rect class='%s' x='%s' y='%s' width='%s' height='%s'",
            class, num(b.left), num(b.top), num(b.right - b.left),
            num(b.bottom - b.top));
}

/* --- Colours -------------------------------------------------------------- */

/*
 * States that use the processor are dark or dense, states that wait are light:
 * running is solid, "would block" has ticks, blocked is hatched, sleeping is a
 * thin line. So the states can be told apart without colours.
 */
static const char shapes[] =
    "text { font-size: 12px }\n"
    ".mono, .name, .label { font-family: monospace }\n"
    ".name { font-size: 13px; font-weight: bold }\n"
    ".title { font-size: 18px; font-weight: bold }\n"
    ".head { font-weight: bold }\n"
    ".middle { text-anchor: middle }\n"
    ".end { text-anchor: end }\n"
    ".grid, .rule { fill: none; stroke-width: 1 }\n"
    ".idle { fill: none; stroke-width: 1; stroke-dasharray: 1 4 }\n"
    ".blocked { fill: url(#hatch); stroke-width: 1 }\n"
    ".would { fill: url(#ticks) }\n"
    ".arrow { fill: none; stroke-width: 1.3; marker-end: url(#head) }\n"
    ".bytes { stroke-width: 3; paint-order: stroke; stroke-linejoin: round }\n";

/* The colours on a light and on a dark background. */
static const struct {
    const char *rule, *light, *dark;
} colours[] = {
    {".paper { fill: %s }", "#fff", "#16181d"},
    {".bytes { stroke: %s }", "#fff", "#16181d"},
    {"text { fill: %s }", "#1f2328", "#e6e6e6"},
    {".soft { fill: %s }", "#57606a", "#a4aeb9"},
    {".grid { stroke: %s }", "#e3e7ec", "#2a2f38"},
    {".rule { stroke: %s }", "#c9d1d9", "#444c56"},
    {".idle { stroke: %s }", "#9aa4af", "#5d6773"},
    {".running, .moved { fill: %s }", "#1a7f4b", "#4cc38a"},
    {".on-running { fill: %s }", "#fff", "#04190e"},
    {".blocked { stroke: %s }", "#4f81b0", "#5f92c4"},
    {".calm { fill: %s }", "#e1ecf7", "#1d3044"},
    {".line { fill: %s }", "#a9c7e4", "#3d648b"},
    {".blocked.narrow { fill: %s; stroke: none }", "#6b9bc8", "#5f92c4"},
    {".on-blocked { fill: %s }", "#12365a", "#d6e8fa"},
    {".pale { fill: %s }", "#ffe2b8", "#4a2e08"},
    {".tick, .would.narrow, .asked { fill: %s }", "#c75b00", "#f2a33a"},
    {".on-would { fill: %s }", "#5c2a00", "#ffe3b3"},
    {".sleeping { fill: %s }", "#7b8794", "#8b97a5"},
    {".on-sleeping { fill: %s }", "#3d4650", "#c3ccd6"},
    {".failed { fill: %s }", "#b3123c", "#ff6b8b"},
    {".arrow { stroke: %s }", "#6639ba", "#c3a6ff"},
    {".tip, .bytes { fill: %s }", "#6639ba", "#c3a6ff"},
};

static void put_colours(FILE *out, bool dark)
{
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        const char *rule = colours[i].rule, *place = strstr(rule, "%s");

        fprintf(out, "%.*s%s%s\n", (int)(place - rule), rule,
                dark ? colours[i].dark : colours[i].light, place + 2);
    }
}

static void draw_style(const struct picture *p)
{
    fprintf(p->out, "<style>\n%s", shapes);
    put_colours(p->out, false);
    fputs("@media (prefers-color-scheme: dark) {\n", p->out);
    put_colours(p->out, true);
    fputs("}\n</style>\n", p->out);
    fputs("<defs>\n"
          "<pattern id='hatch' width='7' height='7' "
          "patternUnits='userSpaceOnUse' patternTransform='rotate(45)'>"
          "<rect class='calm' width='7' height='7'/>"
          "<rect class='line' width='1.6' height='7'/></pattern>\n"
          "<pattern id='ticks' width='4' height='8' "
          "patternUnits='userSpaceOnUse'>"
          "<rect class='pale' width='4' height='8'/>"
          "<rect class='tick' width='2.2' height='8'/></pattern>\n"
          "<marker id='head' viewBox='0 0 8 8' refX='7.5' refY='4' "
          "markerWidth='8' markerHeight='8' orient='auto' "
          "markerUnits='userSpaceOnUse'>"
          "<path class='tip' d='M0 0.5L8 4L0 7.5z'/></marker>\n",
          p->out);
    fprintf(p->out,
            "<clipPath id='plot'><rect x='%s' y='0' width='%s' "
            "height='9999'/></clipPath>\n</defs>\n",
            num(p->left - 4), num(p->plan.width + 8));
}

/* The CSS class of each state, and of text on it. */
static const struct {
    const char *bar, *text, *plate;
} looks[STATES] = {
    [RUNNING] = {"running", "label middle on-running", "running"},
    [BLOCKED] = {"blocked", "label middle on-blocked", "calm"},
    [WOULD_BLOCK] = {"would", "label middle on-would", "pale"},
    [SLEEPING] = {"sleeping", "label middle on-sleeping", "paper"},
};

/* --- Texts ---------------------------------------------------------------- */

static const char *title_of(const struct picture *p)
{
    return p->view->title[0]      ? p->view->title
           : p->model->command[0] ? p->model->command
                                  : "Timeline";
}

static bool is_part(const struct picture *p)
{
    return p->view->from > 0 || p->view->to < p->model->length;
}

static void describe_strip(const struct picture *p, const struct strip *strip)
{
    double all = 0;

    for (int k = 0; k < STATES; k++)
        all += strip->in[k];
    put(p->out, strip->lane->name);
    if (all <= 0) {
        fputs(" is not there", p->out);
        return;
    }
    fprintf(p->out, " is blocked for %.0f %% of its time",
            100 * strip->in[BLOCKED] / all);
    if (strip->in[SLEEPING] > all / 100)
        fprintf(p->out, ", sleeps for %.0f %%",
                100 * strip->in[SLEEPING] / all);
    if (strip->agains >= 0.5)
        fprintf(p->out, ", is told &#8220;not yet&#8221; %s times",
                grouped((unsigned long long)(strip->agains + 0.5)));
}

/* A description for readers who do not see the picture. */
static void draw_description(const struct picture *p)
{
    const size_t lanes = p->model->lane_count;
    const size_t told = lanes < 4 ? lanes : 3;

    fputs("<title id='title'>", p->out);
    put(p->out, title_of(p));
    fprintf(p->out, "</title>\n<desc id='desc'>A timeline of %zu %s%s, %s ",
            lanes, p->model->lanes[0].endpoint ? "connection" : "program",
            lanes == 1 ? "" : "s", in_time(p->view->to - p->view->from));
    fputs("long: ", p->out);
    for (size_t i = 0; i < told; i++) {
        if (i > 0)
            fputs("; ", p->out);
        describe_strip(p, &p->plan.strips[i]);
    }
    if (lanes > told)
        fprintf(p->out, "; and %zu more", lanes - told);
    fprintf(p->out, ".</desc>\n");
}

/* The small text below a name. */
static void detail_of(const struct lane *lane, char *text, size_t size)
{
    const struct endpoint *e = lane->endpoint;
    const double life = lane->ended - lane->began;

    text[0] = '\0';
    if (e && e->listening)
        snprintf(text, size, "listens, port %d", e->local_port);
    else if (e && e->peer_port)
        snprintf(text, size, "port %d to %d", e->local_port, e->peer_port);
    else if (e)
        describe_endpoint(e, text, size);
    else if (lane->lost)
        snprintf(text, size, "%s calls are missing", grouped(lane->lost));
    else if (lane->killed_by)
        snprintf(text, size, "killed by %s", signal_name(lane->killed_by));
    else if (lane->cpu >= 0 && life > 0)
        snprintf(text, size, "CPU %.1f %%", 100 * lane->cpu / life);
}

/* --- Lanes ---------------------------------------------------------------- */

static double top_of(const struct picture *p, size_t lane)
{
    return PLOT_Y + (double)lane * p->pitch + (p->pitch - p->bar) / 2;
}

/* The tooltip of a stretch. */
static void put_details(const struct picture *p, const struct stretch *s)
{
    const double from = time_at(&p->plan, s->left);
    const double length = time_at(&p->plan, s->right) - from;
    char calls[160];

    fputs("<title>", p->out);
    name_calls(s, calls, sizeof calls);
    if (s->longest && s->longest->times == 1 && s->share > length / 2) {
        char text[256];

        describe(s->longest, text, sizeof text);
        put(p->out, text);
        fprintf(p->out, ", %s", in_time(s->longest->inside));
    } else {
        fprintf(p->out, "%s%s%s", s->state == RUNNING ? "running" : calls,
                s->state == RUNNING && calls[0] ? ": " : "",
                s->state == RUNNING ? calls : "");
        fprintf(p->out, ", %s", in_time(length));
    }
    if (s->agains >= 0.5)
        fprintf(p->out, ", told &#8220;not yet&#8221; \u00d7%s",
                grouped((unsigned long long)(s->agains + 0.5)));
    fprintf(p->out, "; at %s</title>", in_time(from));
}

static void draw_stretch(const struct picture *p, const struct stretch *s,
                         double top)
{
    const bool narrow = s->right - s->left < NARROW;
    struct box b = {p->left + s->left, top, p->left + s->right, top + p->bar};
    char class[32];

    if (b.right - b.left < 1.5)
        b.right = b.left + 1.5;
    if (s->state == SLEEPING) {
        b.top += p->bar / 2 - 2;
        b.bottom = b.top + 4;
    }
    snprintf(class, sizeof class, "%s%s", looks[s->state].bar,
             narrow ? " narrow" : "");
    rect(p, class, b);
    if (s->right - s->left < TELLING) {
        fputs("/>\n", p->out);
        return;
    }
    fputc('>', p->out);
    put_details(p, s);
    fputs("</rect>\n", p->out);
}

static void draw_mark(const struct picture *p, const struct mark *m, double top)
{
    static const char *const classes[] = {[NOTHING] = "",
                                          [ASKED] = "asked",
                                          [MOVED] = "moved",
                                          [FAILURE] = "failed"};
    struct box b = {p->left + m->left, top, p->left + m->right, top + p->bar};
    const bool wide = b.right - b.left >= NARROW;

    if (b.right - b.left < 2)
        b.right = b.left + 2;
    if (m->event == ASKED) {
        b.top += p->bar / 5;
        b.bottom -= p->bar / 5;
    } else if (m->event == FAILURE) {
        b.top -= 4;
        b.bottom += 4;
        b.right = b.left + 3;
    }
    rect(p, m->event == ASKED && wide ? "would" : classes[m->event], b);
    if (m->span) {
        char text[256];

        describe(m->span, text, sizeof text);
        fputs("><title>", p->out);
        put(p->out, text);
        fprintf(p->out, "; at %s</title></rect>\n", in_time(m->span->ended));
    } else {
        fputs("/>\n", p->out);
    }
}

/* Find the place in a stretch where a text hides no mark: the widest gap
 * between marks. It may hide parts of a texture of many would-block ticks. */
static void find_gap(const struct strip *strip, const struct stretch *s,
                     double *left, double *right)
{
    double from = s->left;

    *left = *right = s->left;
    for (size_t i = 0; i <= strip->mark_count; i++) {
        const struct mark *m = &strip->marks[i];
        const bool end = i == strip->mark_count || m->left >= s->right;
        const double to = end ? s->right : m->left;

        if (!end && (m->right <= s->left ||
                     (m->event == ASKED && m->right - m->left > NARROW)))
            continue;
        if (to - from > *right - *left) {
            *left = from;
            *right = to;
        }
        if (end)
            return;
        from = m->right;
    }
}

/* Draw the longest of these texts that fits, in the middle of the gap. */
static void draw_label(const struct picture *p, const struct strip *strip,
                       const struct stretch *s, double top)
{
    const double length =
        time_at(&p->plan, s->right) - time_at(&p->plan, s->left);
    const bool one = s->longest && s->share > 0.9 * length;
    char calls[160], texts[3][224] = {"", "", ""};
    double left, right;

    name_calls(s, calls, sizeof calls);
    if (!calls[0])
        return;
    snprintf(texts[1], sizeof texts[1], "%s", calls);
    if (s->state == WOULD_BLOCK) {
        const char *count = count_agains(s, "\u00d7");

        snprintf(texts[0], sizeof texts[0], "%s %s", calls, count);
        snprintf(texts[1], sizeof texts[1], "%s", count);
        snprintf(texts[2], sizeof texts[2], "%s", calls);
    } else if (s->state != RUNNING) {
        snprintf(texts[0], sizeof texts[0], "%s, %s", calls,
                 in_time(one ? s->share : length));
    }
    find_gap(strip, s, &left, &right);
    for (int i = 0; i < 3; i++) {
        /* The times sign is one letter wide, but width_of counts it as two. */
        const double width = width_of(texts[i], mono_12) + 10;
        const double middle = p->left + (left + right) / 2;

        if (!texts[i][0] || width + 4 > right - left)
            continue;
        if (s->state != RUNNING) {
            rect(p, looks[s->state].plate,
                 (struct box){middle - width / 2, top + p->bar / 2 - 9,
                              middle + width / 2, top + p->bar / 2 + 9});
            fputs(" rx='3'/>\n", p->out);
        }
        text_at(p, looks[s->state].text, middle, top + p->bar / 2 + 4,
                texts[i]);
        return;
    }
}

static void put_name(const struct picture *p, const struct lane *lane, double y)
{
    some_text_at(p, "name", MARGIN, y, lane->name,
                 (p->left - MARGIN - 10) / mono_13);
}

static void draw_name(const struct picture *p, const struct lane *lane,
                      double top)
{
    const double middle = top + p->bar / 2;
    char detail[160];

    detail_of(lane, detail, sizeof detail);
    if (p->pitch < 30)
        detail[0] = '\0';
    put_name(p, lane, middle + (detail[0] ? -2 : 4));
    if (detail[0])
        some_text_at(p, "soft", MARGIN, middle + 13, detail,
                     (p->left - MARGIN - 10) / sans_12);
}

/* Where a thread is absent, a dotted line connects its bar to its name. */
static void draw_idle_lines(const struct picture *p)
{
    fputs("<path class='idle' d='", p->out);
    for (size_t i = 0; i < p->plan.strip_count; i++)
        fprintf(p->out, "M%s %sh%s", num(p->left),
                num(top_of(p, i) + p->bar / 2), num(p->plan.width));
    fputs("'/>\n", p->out);
}

static void draw_lane(const struct picture *p, size_t i)
{
    const struct strip *strip = &p->plan.strips[i];
    const double top = top_of(p, i);

    fputs("<g class='lane'>\n", p->out);
    draw_name(p, strip->lane, top);
    for (size_t k = 0; k < strip->stretch_count; k++)
        if (strip->stretches[k].state != ABSENT)
            draw_stretch(p, &strip->stretches[k], top);
    for (size_t k = 0; k < strip->mark_count; k++)
        draw_mark(p, &strip->marks[k], top);
    for (size_t k = 0; k < strip->stretch_count; k++)
        if (strip->stretches[k].state != ABSENT)
            draw_label(p, strip, &strip->stretches[k], top);
    fputs("</g>\n", p->out);
}

/* --- Arrows --------------------------------------------------------------- */

/* The end points of an arrow, on the edges of two bars. */
struct points {
    double x0, y0, x1, y1;
};

static struct points points_of(const struct picture *p, const struct line *line)
{
    const bool down = line->from < line->to;

    return (struct points){
        .x0 = p->left + line->sent,
        .y0 = top_of(p, line->from) + (down ? p->bar : 0),
        .x1 = p->left + line->received,
        .y1 = top_of(p, line->to) + (down ? 0 : p->bar),
    };
}

static void draw_arrow(const struct picture *p, const struct line *line)
{
    struct points at = points_of(p, line);

    if (line->from == line->to) {
        /* To the same lane: a curve below the bar. */
        const double depth = (p->pitch - p->bar) * 0.7;

        at.y0 = top_of(p, line->from) + p->bar;
        if (at.x1 - at.x0 < 8)
            at.x1 = at.x0 + 8;
        fprintf(p->out, "<path d='M%s %sc0 %s %s %s %s 0'/>\n", num(at.x0),
                num(at.y0), num(depth), num(at.x1 - at.x0), num(depth),
                num(at.x1 - at.x0));
        return;
    }
    fprintf(p->out, "<path d='M%s %sL%s %s'/>\n", num(at.x0), num(at.y0),
            num(at.x1), num(at.y1));
}

/* Does a line touch a box? Clip the line at one side of the box after the other
 * (Liang and Barsky). */
static bool touches(struct points at, struct box b)
{
    const double dx = at.x1 - at.x0, dy = at.y1 - at.y0;
    const double p[] = {-dx, dx, -dy, dy};
    const double q[] = {at.x0 - b.left, b.right - at.x0, at.y0 - b.top,
                        b.bottom - at.y0};
    double first = 0, last = 1;

    for (int i = 0; i < 4; i++) {
        if (p[i] == 0) {
            if (q[i] < 0)
                return false;
        } else if (p[i] < 0) {
            first = fmax(first, q[i] / p[i]);
        } else {
            last = fmin(last, q[i] / p[i]);
        }
    }
    return first <= last;
}

/* Is the box free? It lies in a gap between bars, so only arrows and labels can
 * overlap it. */
static bool is_free(const struct picture *p, struct box b)
{
    if (b.left < p->left || b.right > p->left + p->plan.width)
        return false;
    for (size_t i = 0; i < p->label_count; i++) {
        const struct box *l = &p->labels[i];

        if (b.left < l->right && l->left < b.right && b.top < l->bottom &&
            l->top < b.bottom)
            return false;
    }
    for (size_t i = 0; i < p->plan.line_count; i++)
        if (touches(points_of(p, &p->plan.lines[i]), b))
            return false;
    return true;
}

/* Place a label beside a line in the gap below a lane, as close as possible:
 * right or left of it, and for a slanted line above and below as well. */
static bool place_label(struct picture *p, const struct line *line,
                        size_t above, double width, struct box *found)
{
    const struct points at = points_of(p, line);
    const double gap = p->pitch - p->bar;
    const double top = top_of(p, above) + p->bar;
    const double height = 14;
    const double slope = (at.x1 - at.x0) / (at.y1 - at.y0);

    for (int part = 0; part < 3; part++) {
        static const double parts[] = {0.5, 0.3, 0.7};
        const double y =
            top + 1 + height / 2 + parts[part] * (gap - height - 2);
        const double x = at.x0 + slope * (y - at.y0);
        const double off = 4 + fabs(slope) * height / 2;

        for (int side = 1; side >= -1; side -= 2) {
            const double left = side > 0 ? x + off : x - off - width;
            const struct box b = {left, y - height / 2, left + width,
                                  y + height / 2};

            if (is_free(p, b)) {
                *found = b;
                return true;
            }
        }
    }
    return false;
}

static void label_arrow(struct picture *p, const struct line *line)
{
    const size_t low = line->from < line->to ? line->from : line->to;
    const size_t high = line->from < line->to ? line->to : line->from;
    char text[64];
    double width;

    if (line->count > 1)
        snprintf(text, sizeof text, "\u00d7%s, %s", grouped(line->count),
                 in_bytes(line->bytes));
    else
        snprintf(text, sizeof text, "%s", in_bytes(line->bytes));
    width = width_of(text, sans_12 - 0.5);
    for (size_t i = 0; i < high - low; i++) {
        /* Try the gap next to the sender first. */
        const size_t above = line->from < line->to ? low + i : high - 1 - i;
        struct box b;

        if (!place_label(p, line, above, width, &b))
            continue;
        text_at(p, "bytes", b.left, b.bottom - 3, text);
        p->labels[p->label_count++] = b;
        return;
    }
}

/* Arrows go from edge to edge; where they cross other lanes, they are drawn
 * behind the bars. */
static void draw_arrows(struct picture *p)
{
    const size_t count = p->plan.line_count;

    if (count == 0)
        return;
    fputs("<g class='arrow' clip-path='url(#plot)'>\n", p->out);
    for (size_t i = 0; i < count; i++)
        draw_arrow(p, &p->plan.lines[i]);
    fputs("</g>\n", p->out);
}

static void label_arrows(struct picture *p)
{
    const size_t count = p->plan.line_count;

    if (count == 0 || count > FEW_LINES || p->pitch - p->bar < 18)
        return;
    p->labels = enlarged(NULL, count, sizeof *p->labels);
    for (size_t i = 0; i < count; i++)
        label_arrow(p, &p->plan.lines[i]);
    free(p->labels);
}

/* --- Axis ----------------------------------------------------------------- */

/* A number on the axis, with as many decimals as the step needs, and with
 * commas if it needs none. */
static void tick_text(double value, double step, char *text, size_t size)
{
    const int decimals = step >= 0.999 ? 0 : (int)ceil(-log10(step) - 1e-6);

    if (decimals == 0)
        snprintf(text, size, "%s", grouped((unsigned long long)(value + 0.5)));
    else
        snprintf(text, size, "%.*f", value > 0 ? decimals : 0,
                 value > 0 ? value : 0);
}

static double tick_x(const struct picture *p, const struct axis *a, long n)
{
    return p->left + place_of(&p->plan, (double)n * a->step * a->seconds);
}

static void draw_axis(struct picture *p)
{
    const struct axis a = axis_of(&p->plan, 75);
    const double bottom = PLOT_Y + (double)p->plan.strip_count * p->pitch;
    char text[48];

    fputs("<path class='grid' d='", p->out);
    for (long n = a.first; n <= a.last; n++)
        fprintf(p->out, "M%s %sV%s", num(tick_x(p, &a, n)), num(PLOT_Y - 4),
                num(bottom + 4));
    fputs("'/>\n", p->out);
    fprintf(p->out, "<path class='rule' d='M%s %sh%s'/>\n", num(p->left),
            num(bottom + 4), num(p->plan.width));
    for (long n = a.first; n <= a.last; n++) {
        tick_text((double)n * a.step, a.step, text, sizeof text);
        text_at(p, "soft middle", tick_x(p, &a, n), bottom + 20, text);
    }
    snprintf(text, sizeof text, "time in %s", a.unit);
    text_at(p, "soft", MARGIN, bottom + 20, text);
    p->bottom = bottom + AXIS;
}

/* --- Legend --------------------------------------------------------------- */

static bool has_failures(const struct plan *plan)
{
    for (size_t i = 0; i < plan->strip_count; i++)
        for (size_t k = 0; k < plan->strips[i].mark_count; k++)
            if (plan->strips[i].marks[k].event == FAILURE)
                return true;
    return false;
}

static void draw_legend(const struct picture *p)
{
    static const char *const words[STATES] = {
        [RUNNING] = "running",
        [BLOCKED] = "blocked",
        [WOULD_BLOCK] = "told \u201cnot yet\u201d, asks again",
        [SLEEPING] = "sleeping",
    };
    /* Positions of the entries, with room for wide letters. */
    static const double places[] = {0, 106, 212, 422, 530, 680};
    const double y = LEGEND_Y, x = MARGIN;

    for (int k = 0; k < STATES; k++) {
        const double high = k == SLEEPING ? 2 : 7;

        rect(p, looks[k].bar,
             (struct box){x + places[k], y - 4 - high, x + places[k] + 28,
                          y - 4 + high});
        fputs("/>\n", p->out);
        text_at(p, "", x + places[k] + 35, y, words[k]);
    }
    fprintf(p->out, "<path class='arrow' d='M%s %sh28'/>\n", num(x + places[4]),
            num(y - 4));
    text_at(p, "", x + places[4] + 35, y, "bytes on the way");
    if (!has_failures(&p->plan))
        return;
    rect(p, "failed",
         (struct box){x + places[5] + 20, y - 13, x + places[5] + 23, y + 5});
    fputs("/>\n", p->out);
    text_at(p, "", x + places[5] + 35, y, "a call that failed");
}

/* --- Table ---------------------------------------------------------------- */

enum { COLUMNS = 6 };

/* The position of a column. The last one is at the right margin. */
static double column_x(int column)
{
    return WIDTH - MARGIN - (double)(COLUMNS - 1 - column) * 86;
}

static void draw_row(const struct picture *p, const struct lane *lane, int call,
                     double y)
{
    const struct tally *t = &lane->tally[call];
    const char *const cells[COLUMNS] = {
        grouped(t->called),
        grouped(t->done),
        grouped(t->again),
        grouped(t->failed),
        t->blocked > 0 ? in_time(t->blocked) : "0",
        t->bytes ? in_bytes((double)t->bytes) : "0",
    };

    text_at(p, "mono", p->left, y, call_name(call));
    for (int k = 0; k < COLUMNS; k++) {
        const bool none = strcmp(cells[k], "0") == 0;

        text_at(p, none ? "end soft" : "end", column_x(k), y,
                none ? "\u2013" : cells[k]);
    }
}

static void draw_rule(const struct picture *p, double y)
{
    fprintf(p->out, "<path class='rule' d='M%d %sH%d'/>\n", MARGIN, num(y),
            WIDTH - MARGIN);
}

static void draw_table_head(const struct picture *p, double y)
{
    static const char *const words[COLUMNS] = {"called", "done",   "not yet",
                                               "failed", "waited", "bytes"};

    if (is_part(p))
        text_at(p, "soft", MARGIN, y, "all in all:");
    text_at(p, "head", p->left, y, "call");
    for (int k = 0; k < COLUMNS; k++)
        text_at(p, "head end", column_x(k), y, words[k]);
}

static void draw_table(struct picture *p)
{
    size_t rows = 0, left_out = 0;
    double y = p->bottom + ROW;

    draw_table_head(p, y);
    for (size_t i = 0; i < p->model->lane_count; i++) {
        const struct lane *lane = &p->model->lanes[i];
        bool named = false;

        for (int call = 0; call < CALLS; call++) {
            if (!is_worth_a_row(&lane->tally[call], call))
                continue;
            if (rows >= MOST_ROWS) {
                left_out++;
                continue;
            }
            if (!named)
                draw_rule(p, y + 6);
            y += ROW;
            if (!named)
                put_name(p, lane, y);
            named = true;
            draw_row(p, lane, call, y);
            rows++;
        }
    }
    if (left_out) {
        char text[64];

        draw_rule(p, y + 6);
        snprintf(text, sizeof text, "and %s more rows", grouped(left_out));
        text_at(p, "soft", MARGIN, y += ROW, text);
    }
    p->bottom = y + MARGIN;
}

/* --- The whole picture ---------------------------------------------------- */

/* The fewer lanes there are, the more room the arrows get. */
static void arrange(struct picture *p)
{
    const size_t lanes = p->model->lane_count;
    double widest = 96;

    for (size_t i = 0; i < lanes; i++) {
        char detail[160];
        const double name = width_of(p->model->lanes[i].name, mono_13) + 12;

        detail_of(&p->model->lanes[i], detail, sizeof detail);
        widest = fmax(widest, fmax(name, width_of(detail, sans_12) + 12));
    }
    p->left = MARGIN + fmin(ceil(widest), 200);
    p->bar = lanes <= 8 ? 30 : lanes <= 30 ? 22 : 18;
    p->pitch = lanes <= 8 ? 68 : lanes <= 16 ? 44 : lanes <= 30 ? 34 : 24;
}

static void draw_lanes(struct picture *p)
{
    const size_t more = p->model->lane_count - p->plan.strip_count;

    draw_axis(p);
    draw_idle_lines(p);
    draw_arrows(p);
    for (size_t i = 0; i < p->plan.strip_count; i++)
        draw_lane(p, i);
    label_arrows(p);
    if (more > 0) {
        char text[64];

        snprintf(text, sizeof text, "and %s more lanes", grouped(more));
        text_at(p, "soft", MARGIN, p->bottom, text);
        p->bottom += ROW;
    }
}

void draw_svg(const struct model *model, const struct view *view, FILE *out)
{
    struct picture p = {.model = model, .view = view};
    char *drawn = NULL;
    size_t size = 0;

    arrange(&p);
    p.plan = make_plan(model, view, floor(WIDTH - MARGIN - p.left));
    /* The height comes first in the file, but is known only at the end. */
    p.out = open_memstream(&drawn, &size);
    if (!p.out)
        die("cannot draw a picture");
    some_text_at(&p, "title", MARGIN, TITLE_Y, title_of(&p),
                 (WIDTH - 2 * MARGIN) / title_18);
    if (!view->no_legend)
        draw_legend(&p);
    draw_lanes(&p);
    if (!view->no_table)
        draw_table(&p);
    if (fclose(p.out) != 0)
        die("cannot draw a picture");
    p.out = out;
    fprintf(out,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%s' "
            "viewBox='0 0 %d %s' role='img' aria-labelledby='title desc' "
            "font-family='sans-serif'>\n",
            WIDTH, num(p.bottom), WIDTH, num(p.bottom));
    draw_description(&p);
    draw_style(&p);
    fprintf(out, "<rect class='paper' width='%d' height='%s'/>\n", WIDTH,
            num(p.bottom));
    fwrite(drawn, 1, size, out);
    fputs("</svg>\n", out);
    free(drawn);
    free_plan(&p.plan);
}
