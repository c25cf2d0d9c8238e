/* SPDX-License-Identifier: MIT */
/*
 * error.h - errors for people: one table of what can go wrong with a socket,
 * the messages made from it, and the log.
 */
#ifndef WOULDBLOCK_ERROR_H
#define WOULDBLOCK_ERROR_H

#include "tell.h"

#include <errno.h>
#include <stddef.h>

enum error_category {
    CONNECTION,    /* between this socket and its peer: making it, losing it */
    TRANSMISSION,  /* about this one call: ask again, later, or with less */
    CONFIGURATION, /* program, machine or account: waiting will not mend it */
};

struct error_entry {
    int number;
    const char *symbol; /* "ECONNREFUSED" */
    const char *text;   /* "Connection refused" */
    enum error_category category;
    const char *calls;  /* which give it: "connect, send" */
    const char *advice; /* what to do: one sentence without its full stop */
};

/*
 * The entry of an errno. Never NULL: a number that is not in the table gets an
 * entry with "errno NUMBER" for its symbol and strerror's text, overwritten by
 * the next such call.
 */
const struct error_entry *error_entry(int number);

/* The entry of a symbol such as "EAGAIN"; NULL if the table lacks it. */
const struct error_entry *error_called(const char *symbol);

/* The whole table, for those who print it. */
const struct error_entry *error_table(size_t *count);

/* "connection", "transmission" or "configuration". A literal. */
const char *category_word(enum error_category category);

/*
 * Say on stderr what could not be done, and on what:
 *
 *     NAME: cannot listen on 127.0.0.1 port 80: EACCES Permission denied. ...
 *
 * The reason, and the advice after it, are those of an errno: the present one,
 * or for the _because forms the one given, such as the error of an answer; 0
 * adds none. die ends the program with status 1. warn goes on and leaves errno
 * as it was; the log level "error" silences it.
 */
#define die(...)  die_because(errno, __VA_ARGS__)
#define warn(...) warn_because(errno, __VA_ARGS__)

NO_RETURN void die_because(int error, const char *format, ...)
    LIKE_PRINTF(2, 3);
void warn_because(int error, const char *format, ...) LIKE_PRINTF(2, 3);

/*
 * The log, on stderr, each line with the time of day and its level:
 *
 *     14:03:07.123 info   client 1 connected from 127.0.0.1 port 40312
 *
 * A line is printed if its level is no higher than log_level. errno stays as
 * it was.
 */
enum log_level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

extern enum log_level log_level; /* LEVEL_INFO unless --log says otherwise */

void log_info(const char *format, ...) LIKE_PRINTF(1, 2);
void log_debug(const char *format, ...) LIKE_PRINTF(1, 2);

/* realloc for count things of size bytes, which ends the program if there is no
 * memory. The block is the caller's. */
void *enlarged(void *block, size_t count, size_t size);

#endif
