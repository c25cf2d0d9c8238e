/* SPDX-License-Identifier: MIT */
/*
 * error.h - error messages for people: one table of the errors that socket
 * calls give, the messages made from it, and the log.
 */
#ifndef WOULDBLOCK_ERROR_H
#define WOULDBLOCK_ERROR_H

#include "tell.h"

#include <errno.h>
#include <stddef.h>

enum error_category {
    CONNECTION,    /* of the connection: making it or losing it */
    TRANSMISSION,  /* of one call; the connection may be fine */
    CONFIGURATION, /* program, machine or account: change something */
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
 * The entry of an errno, never NULL. A number that is not in the table gets an
 * entry with "errno NUMBER" as its symbol and strerror's text; the next such
 * call overwrites it.
 */
const struct error_entry *error_entry(int number);

/* The entry of a symbol such as "EAGAIN"; NULL if the table lacks it. */
const struct error_entry *error_called(const char *symbol);

/* The whole table, and the number of its entries. */
const struct error_entry *error_table(size_t *count);

/* "connection", "transmission" or "configuration". A literal. */
const char *category_word(enum error_category category);

/*
 * Print on stderr what the program could not do, and on what:
 *
 *     NAME: cannot listen on 127.0.0.1 port 80: EACCES Permission denied. ...
 *
 * The reason and the advice come from the table: die and warn use errno, the
 * _because forms the error they are given; 0 adds no reason. die ends the
 * program with status 1. warn returns and keeps errno; at the log level "error"
 * it prints nothing.
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
 * A line is printed if its level is not above log_level. errno is kept.
 */
enum log_level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

extern enum log_level log_level; /* LEVEL_INFO unless --log says otherwise */

void log_info(const char *format, ...) LIKE_PRINTF(1, 2);
void log_debug(const char *format, ...) LIKE_PRINTF(1, 2);

/* realloc for count elements of size bytes; ends the program if there is no
 * memory. The caller owns the block. */
void *enlarged(void *block, size_t count, size_t size);

#endif
