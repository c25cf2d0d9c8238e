/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the command line. The input is the arguments, each ended by a
 * newline. Whatever they are, options are read or refused.
 */
#include "fuzz.h"
#include "wouldblock.h"

#include <getopt.h>
#include <string.h>

static bool flag;
static size_t number;
static duration time_limit;
static const char *text;

static const struct setting own[] = {
    {"flag", NULL, "a flag", .flag = &flag},
    {"number", "N", "a number", .size = &number},
    {"time", "TIME", "a time", .time = &time_limit},
    {"text", "TEXT", "a text", .text = &text},
    {0},
};
static const struct setting none[] = {{0}};
static const struct program program = {"Fuzzed.", "ONE [MORE]...", own};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size + 1);
    char name[] = "fuzz", *argv[64] = {name};
    int argc = 1;

    MUST(copy);
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    for (char *word = strtok(copy, "\n"); word && argc < 63;
         word = strtok(NULL, "\n"))
        argv[argc++] = word;
    time_limit = 0;
    number = 0;
    text = NULL;
    optind = 0; /* getopt begins anew */
    ENDING(read_command_line(&program, none, argc, argv));
    MUST(time_limit >= 0 && time_limit <= 1000000000 * SECOND);
    MUST(number <= SIZE_MAX >> 1);
    free(copy);
    return 0;
}
