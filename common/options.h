/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line: options, operands, --help and bad usage.
 */
#ifndef WOULDBLOCK_OPTIONS_H
#define WOULDBLOCK_OPTIONS_H

#include "clock.h"
#include "tell.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A program's own options, ended by an entry of zeros. One of the four pointers
 * is set: it says what kind of value the option takes, and where the value
 * goes. The variable's initial value is the default, and --help shows it.
 */
struct setting {
    const char *name;     /* "bind": written --bind on the command line */
    const char *argument; /* "ADDRESS"; NULL for a flag */
    const char *help;     /* what it does, in a few words */
    bool *flag;
    const char **text;
    size_t *size;   /* a whole number; k, M, G: times 1024, 1024^2, 1024^3 */
    duration *time; /* a number and us, ms or s; no unit: seconds */
};

struct program {
    const char *summary;  /* one sentence for --help */
    const char *operands; /* "HOST PORT [LINE]...": brackets mark optional */
    const struct setting *settings;
};

/*
 * Read the options: the program's own, and those of all programs (the second
 * table). Check the number of operands. --help ends the program with status 0,
 * wrong usage with 2. Returns the operands, ended by NULL; they belong to argv.
 */
char **read_command_line(const struct program *program,
                         const struct setting *of_all, int argc, char **argv);

/* Print what is wrong with the command line, and the usage. Exit status 2. */
NO_RETURN void usage_error(const char *format, ...) LIKE_PRINTF(1, 2);

#endif
