/* SPDX-License-Identifier: MIT */
/*
 * program.h - what every demo does besides its lesson: read its options, tell
 * what happens, stop when asked to, and close with a report.
 */
#ifndef WOULDBLOCK_PROGRAM_H
#define WOULDBLOCK_PROGRAM_H

#include "clock.h"
#include "error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A program's own options, ended by an entry of zeros. The one pointer that is
 * set says what the option takes and where its value goes; what stands there
 * before is the default, and --help shows it.
 */
struct setting {
    const char *name;     /* "bind": written --bind on the command line */
    const char *argument; /* "ADDRESS"; NULL for a flag */
    const char *help;     /* what it does, in a few words */
    bool *flag;
    const char **text;
    size_t *size;   /* a whole number, k, M or G behind it: 1024s */
    duration *time; /* a number and us, ms or s; no unit: seconds */
};

struct program {
    const char *summary;  /* one sentence for --help */
    const char *operands; /* "HOST PORT [LINE]...": brackets mark optional */
    const struct setting *settings;
};

/*
 * Begin: see that descriptors 0, 1 and 2 are taken, so that no socket gets one
 * of these numbers; read options and operands; ignore SIGPIPE (a send to a peer
 * that is gone then fails with EPIPE instead of ending the program); let
 * SIGINT, SIGTERM and --stop-after ask for a stop; SIGUSR1 interrupts a call,
 * and that is all, to see what a program makes of EINTR. --help ends the
 * program with status 0, bad usage with 2. Returns the operands, ended by NULL;
 * they belong to argv.
 *
 * Every program has these options besides its own: --report, --stop-after,
 * --log, --help.
 */
char **begin(const struct program *program, int argc, char **argv);

/* The name under which the program was started, without its folder. */
const char *program_name(void);

/* Complain about how the program was called, with its usage; status 2. */
NO_RETURN void usage_error(const char *format, ...) LIKE_PRINTF(1, 2);

/*
 * Has somebody asked for a stop? A blocking call returns with EINTR when that
 * happens, so a loop that asks here after every call ends within a second.
 */
bool stopping(void);

/*
 * The same for a program with a deadline and a stop button: it asks for a stop
 * by itself when the deadline has passed or Enter was pressed. Looks at
 * standard input a hundred times a second, and never waits for it.
 */
bool stop_due(instant deadline);

/* The descriptor on which Enter comes, to be waited for together with sockets;
 * -1, which poll leaves out, if nobody can press it. */
int stop_button(void);

/* Who asked for it: "SIGINT", "SIGTERM", "--stop-after", "the deadline" or
 * "Enter"; "" if nobody. */
const char *stop_reason(void);

/* realloc for count things of size bytes, which ends the program if there is no
 * memory. The block is the caller's. */
void *enlarged(void *block, size_t count, size_t size);

/* Tell one sentence of what happens, on stdout, at once. */
void say(const char *format, ...) LIKE_PRINTF(1, 2);

/* A number as people read it: 136,314,880. The text stays good for seven more
 * calls. */
const char *grouped(unsigned long long number);

/*
 * Set key=value in the line that --report prints when the program ends,
 * however it ends; the key is a literal. The line holds the counters of
 * answer.h, work (the primes found), cpu_seconds (user and system) and
 * wall_seconds anyway.
 */
void report(const char *key, const char *format, ...) LIKE_PRINTF(2, 3);

#endif
