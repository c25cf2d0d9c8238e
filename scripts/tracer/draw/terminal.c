/* SPDX-License-Identifier: MIT */
/*
 * terminal - lanes of characters, and the counts below them:
 *
 *                    0         0.5          1         1.5 s
 *     echo_blocking  =---------- recv ----------------- recv ---
 *                    <6 >6                  <15 >15
 *
 * One column is one slice of time, drawn in the state that it was mostly in.
 * What moved in it stands in the row below.
 */
#define _GNU_SOURCE

#include "error.h"
#include "plan.h"
#include "program.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_LANES = 40,
    LEAST_COLUMNS = 20, /* at least, without the names */
    TEXT = 160,
};

/* The look of each state: a sign of its own, so that it needs no colour. */
static const struct {
    const char *sign, *ascii, *colour, *words;
} looks[] = {
    [RUNNING] = {"█", "#", "\033[32m", "running"},
    [BLOCKED] = {"━", "-", "\033[94m", "blocked in a call"},
    [WOULD_BLOCK] = {"░", ":", "\033[33m", "asks, and is told \"not yet\""},
    [SLEEPING] = {"·", ".", "\033[37m", "sleeping"},
    [ABSENT] = {" ", " ", "", ""},
};

/* The stream to draw on. */
static FILE *out;
static bool colour, ascii, connections;
static size_t label, width; /* columns for the names, and for the picture */
static struct plan plan;    /* measured in columns */

/* A connection does not run: there the state is called open. */
static const char *sign(enum state state)
{
    if (connections && state == RUNNING)
        return ascii ? "_" : "┄";
    return ascii ? looks[state].ascii : looks[state].sign;
}

static void paint(const char *escape)
{
    if (colour)
        fputs(escape, out);
}

static void put_label(const char *name)
{
    size_t used = 0;

    paint("\033[1m");
    for (; *name && (used < label - 1 || ((unsigned char)*name & 0xc0) == 0x80);
         name++) {
        used += ((unsigned char)*name & 0xc0) != 0x80;
        fputc(*name, out);
    }
    paint("\033[0m");
    fprintf(out, "%*s", (int)(label - used), "");
}

/* --- The axis ------------------------------------------------------------- */

/* Labels at round times; their unit is at the left. */
static void draw_axis(void)
{
    const struct axis axis = axis_of(&plan, 12);
    char *labels = enlarged(NULL, width + 1, 1);
    char *marks = enlarged(NULL, width + 1, 1);
    size_t used = 0, last = 0;

    memset(labels, ' ', width);
    memset(marks, ' ', width);
    for (long n = axis.first; n <= axis.last; n++) {
        const double time = (double)n * axis.step;
        const double place = place_of(&plan, time * axis.seconds);
        const size_t at = (size_t)(place + 1e-6);
        char text[32];
        const size_t size =
            (size_t)snprintf(text, sizeof text, "%.10g", n > 0 ? time : 0);

        if (at < used || at + size > width)
            continue;
        memcpy(labels + at, text, size);
        marks[at] = '|';
        used = at + size + 1;
        last = at + 1;
    }
    labels[used ? used - 1 : 0] = '\0';
    marks[last] = '\0';
    paint("\033[2m");
    fprintf(out, "%*s  %s\n%*s  %s\n", (int)label - 2, axis.unit, labels,
            (int)label - 2, "", marks);
    paint("\033[0m");
    free(labels);
    free(marks);
}

/* --- The contents of a lane ----------------------------------------------- */

/* Write the longest of these texts that fits: the calls of a stretch with the
 * number of those that would block; the calls; or only the first one. */
static void name_stretch(const struct stretch *s, size_t room, char *text,
                         size_t size)
{
    char calls[TEXT - 40];

    text[0] = '\0';
    if (s->state == RUNNING || room < 6)
        return;
    name_calls(s, calls, sizeof calls);
    if (s->state == WOULD_BLOCK)
        snprintf(text, size, " %s: %s times ", calls, count_agains(s, ""));
    else
        snprintf(text, size, " %s ", calls);
    if (strlen(text) + 2 > room)
        snprintf(text, size, " %.*s ", (int)strcspn(calls, ","), calls);
    if (!calls[0] || strlen(text) + 2 > room)
        text[0] = '\0';
}

/* Fill the stretch with its sign, and put a name in the middle. */
static void draw_stretch(const struct stretch *s)
{
    const size_t room = (size_t)(s->right - s->left);
    char name[TEXT];
    size_t rest;

    name_stretch(s, room, name, sizeof name);
    rest = room - strlen(name);
    paint(looks[s->state].colour);
    for (size_t i = 0; i < rest; i++) {
        if (name[0] && i == rest / 2) {
            paint("\033[1m");
            fputs(name, out);
            paint("\033[0m");
            paint(looks[s->state].colour);
        }
        fputs(sign(s->state), out);
    }
    if (colour && looks[s->state].colour[0])
        paint("\033[0m");
}

static void draw_states(const struct lane *lane)
{
    struct strip strip = make_strip(&plan, lane, width);

    if (strip.stretches[strip.stretch_count - 1].state == ABSENT)
        strip.stretch_count--;
    put_label(lane->name);
    for (size_t i = 0; i < strip.stretch_count; i++)
        draw_stretch(&strip.stretches[i]);
    fputc('\n', out);
    free_strip(&strip);
}

/* The first and last column of a span; false if it is outside of the
 * picture. */
static bool columns_of(const struct span *s, size_t *first, size_t *last)
{
    const double left = place_of(&plan, s->began);
    const double right = place_of(&plan, s->ended);

    if (right < 0 || left >= plan.width)
        return false;
    *first = left < 0 ? 0 : (size_t)left;
    *last = right >= plan.width ? width - 1 : (size_t)right;
    return true;
}

/* The row below a lane: > where bytes were sent, < where they were received,
 * and how many, if that fits before the next sign. */
static void draw_moves(const struct lane *lane)
{
    double *sent = enlarged(NULL, width, sizeof *sent);
    double *received = enlarged(NULL, width, sizeof *received);
    bool *sent_first = enlarged(NULL, width, sizeof *sent_first);
    size_t moved = 0; /* number of columns up to the last sign */

    for (size_t i = 0; i < width; i++)
        sent[i] = received[i] = 0;
    for (size_t i = 0; i < lane->span_count; i++) {
        const struct span *s = &lane->spans[i];
        const double bytes = (double)span_bytes(s);
        size_t first, last;

        if (bytes <= 0 || !columns_of(s, &first, &last))
            continue;
        moved = last >= moved ? last + 1 : moved;
        /* A run covers all of its columns; a single call only that of its
         * end. */
        first = s->times > 1 ? first : last;
        for (size_t c = first; c <= last; c++) {
            if (sent[c] + received[c] <= 0)
                sent_first[c] = call_kind(s->call) == SENDS;
            *(call_kind(s->call) == SENDS ? &sent[c] : &received[c]) +=
                bytes / (double)(last - first + 1);
        }
    }
    if (moved)
        fprintf(out, "%*s", (int)label, "");
    for (size_t c = 0, used; c < moved; c += used) {
        char text[TEXT];
        size_t next = c + 1;

        used = 1;
        if (sent[c] + received[c] <= 0) {
            fputc(' ', out);
            continue;
        }
        while (next < width && sent[next] + received[next] <= 0)
            next++;
        if (sent[c] > 0 && received[c] > 0)
            snprintf(text, sizeof text, "%c%s %c%s", sent_first[c] ? '>' : '<',
                     in_bytes(sent_first[c] ? sent[c] : received[c]),
                     sent_first[c] ? '<' : '>',
                     in_bytes(sent_first[c] ? received[c] : sent[c]));
        else
            snprintf(text, sizeof text, "%s%s", sent[c] > 0 ? ">" : "<",
                     in_bytes(sent[c] + received[c]));
        if (strlen(text) < next - c ||
            (next == width && strlen(text) <= next - c))
            used = strlen(text);
        else
            snprintf(text, sizeof text, "%s",
                     sent[c] <= 0       ? "<"
                     : received[c] <= 0 ? ">"
                     : ascii            ? "x"
                                        : "×");
        paint("\033[36m");
        fputs(text, out);
        paint("\033[0m");
    }
    if (moved)
        fputc('\n', out);
    free(sent);
    free(received);
    free(sent_first);
}

static void draw_key(const char *colour_of, const char *key, const char *words)
{
    paint(colour_of);
    fputs(key, out);
    paint("\033[0m");
    fprintf(out, " %s", words);
}

/* The legend takes two rows, for narrow terminals. */
static void draw_legend(void)
{
    char key[TEXT];

    for (int state = RUNNING; state < STATES; state++) {
        if (state % 2)
            fputs("   ", out);
        else
            fprintf(out, "\n%*s", (int)label, "");
        snprintf(key, sizeof key, "%s%s", sign((enum state)state),
                 sign((enum state)state));
        draw_key(looks[state].colour, key,
                 connections && state == RUNNING ? "open" : looks[state].words);
    }
    fprintf(out, "\n%*s", (int)label, "");
    draw_key("\033[36m", ">", "sent   ");
    draw_key("\033[36m", "<", "received\n");
}

/* --- The counts ----------------------------------------------------------- */

static const char *or_dash(double value, const char *text)
{
    return value > 0 ? text : "-";
}

static void draw_lane_counts(const struct lane *lane)
{
    fputc('\n', out);
    paint("\033[1m");
    fputs(lane->name, out);
    paint("\033[0m");
    if (lane->endpoint) {
        char what[TEXT];

        describe_endpoint(lane->endpoint, what, sizeof what);
        fprintf(out, ": %s", what);
    }
    if (lane->cpu >= 0 && lane->ended > lane->began)
        fprintf(out, ": CPU %s of %s (%.1f %%)", in_time(lane->cpu),
                in_time(lane->ended - lane->began),
                100 * lane->cpu / (lane->ended - lane->began));
    if (lane->killed_by)
        fprintf(out, ", killed by %s after %s", signal_name(lane->killed_by),
                in_time(lane->ended - lane->began));
    if (lane->lost)
        fprintf(out, ", %s calls could not be recorded", grouped(lane->lost));
    fputc('\n', out);
    for (int c = 1; c < CALLS; c++) {
        const struct tally *t = &lane->tally[c];

        if (is_worth_a_row(t, c))
            fprintf(out, "  %-16s %11s %11s %11s %9s %10s\n", call_name(c),
                    or_dash((double)t->called, grouped(t->called)),
                    or_dash((double)t->done, grouped(t->done)),
                    or_dash((double)t->again, grouped(t->again)),
                    or_dash(t->blocked, in_time(t->blocked)),
                    or_dash((double)t->bytes, in_bytes((double)t->bytes)));
    }
}

static void draw_counts(const struct model *model, size_t lanes)
{
    paint("\033[2m");
    fprintf(out, "\n%-18s %11s %11s %11s %9s %10s\n", "", "called", "done",
            "again", "blocked", "bytes");
    paint("\033[0m");
    for (size_t i = 0; i < lanes; i++)
        draw_lane_counts(&model->lanes[i]);
}

/* --- The whole drawing ---------------------------------------------------- */

/* The names get as much room as they need, up to a third. */
static void share_columns(const struct model *model, size_t lanes,
                          size_t columns)
{
    label = 0;
    for (size_t i = 0; i < lanes; i++)
        if (characters(model->lanes[i].name) > label)
            label = characters(model->lanes[i].name);
    label += 2;
    if (label > columns / 3)
        label = columns / 3;
    width = columns > label + LEAST_COLUMNS ? columns - label : LEAST_COLUMNS;
}

void draw_terminal(const struct model *model, const struct view *view,
                   FILE *stream)
{
    size_t lanes = model->lane_count;

    if (lanes > MOST_LANES)
        lanes = MOST_LANES;
    setlocale(LC_CTYPE, "");
    ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    out = stream;
    colour = view->colour;
    connections = model->lanes[0].endpoint != NULL;
    share_columns(model, lanes, view->columns);
    plan = (struct plan){view->from, view->to, .width = (double)width};

    if (view->title[0])
        fprintf(out, "%s\n\n", view->title);
    draw_axis();
    for (size_t i = 0; i < lanes; i++) {
        draw_states(&model->lanes[i]);
        draw_moves(&model->lanes[i]);
    }
    if (lanes < model->lane_count)
        fprintf(out, "... and %zu more lanes; --html shows all\n",
                model->lane_count - lanes);
    if (!view->no_legend)
        draw_legend();
    if (!view->no_table)
        draw_counts(model, lanes);
}
