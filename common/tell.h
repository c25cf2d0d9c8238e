/* SPDX-License-Identifier: MIT */
/*
 * tell.h - sentences for the user on stdout, and a status line on a terminal.
 */
#ifndef WOULDBLOCK_TELL_H
#define WOULDBLOCK_TELL_H

#include <stddef.h>

#define LIKE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define NO_RETURN                __attribute__((noreturn))

/* Set the name that messages begin with: the last part of this path, argv[0].
 * The path must stay valid. */
void name_program(const char *path);
const char *program_name(void);

/* Print one sentence and a newline on stdout, at once. */
void say(const char *format, ...) LIKE_PRINTF(1, 2);

/* A number as people read it: 136,314,880. The text stays valid during the next
 * seven calls. */
const char *grouped(unsigned long long number);

/*
 * The status line: one line on stderr, redrawn in place about ten times a
 * second, and only if stderr is a terminal. It shows how far a transfer has
 * come (status_progress) and how many primes were found meanwhile (status_work,
 * called by work_step). status_clear erases the line; every message does that
 * first.
 */
void status_progress(size_t moved, size_t total);
void status_work(unsigned long long found);
void status_clear(void);

#endif
