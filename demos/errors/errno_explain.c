/* SPDX-License-Identifier: MIT */
/*
 * errno_explain - explains the errors of socket calls.
 *
 * Shows    the table from which these programs make their messages: the kind of
 *          each error, which calls give it, and what a program should do.
 * Run      errno_explain EAGAIN
 *          errno_explain 111
 *          errno_explain --all
 * See      errno_provoke: causes them
 */
#include "wouldblock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool all;

static const struct setting settings[] = {
    {"all", NULL, "explain all of them", .flag = &all},
    {0},
};
static const struct program program = {
    "Explains the errors of socket calls.",
    "[ERRNO]...",
    settings,
};

enum { WIDTH = 58 };

/* Print a label and a text; the text wraps within its own column. */
static void tell(const char *label, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = left;

        if (left > WIDTH)
            for (length = WIDTH; text[length] != ' ';)
                length--;
        say("    %-11s %.*s", label, (int)length, text);
        label = "";
        text += length + (length < left);
        left -= length + (length < left);
    }
}

static void explain(const struct error_entry *e)
{
    say("%s (%d): %s", e->symbol, e->number, e->text);
    tell("kind", category_word(e->category));
    tell("given by", e->calls);
    tell("what to do", e->advice);
}

/* A symbol or a number. */
static const struct error_entry *find(const char *word)
{
    char *rest = NULL;
    long number = strtol(word, &rest, 10);

    if (isdigit((unsigned char)*word) && *rest == '\0' && number > 0 &&
        number < 4096)
        return error_entry((int)number);
    /* On Linux this number has two names; EAGAIN is the one in the table. */
    return error_called(
        strcmp(word, "EWOULDBLOCK") == 0 && EWOULDBLOCK == EAGAIN ? "EAGAIN"
                                                                  : word);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    size_t count;
    const struct error_entry *table = error_table(&count);

    if (!all && !operands[0])
        usage_error("name an error, or use --all");
    for (size_t i = 0; all && i < count; i++)
        explain(&table[i]);
    for (; *operands; operands++) {
        const struct error_entry *e = find(*operands);

        if (!e)
            die_because(0,
                        "'%s' is not in the table of socket errors: see --all",
                        *operands);
        explain(e);
    }
    return 0;
}
