/* SPDX-License-Identifier: MIT */
/*
 * tell.h - output on stdout, messages on stderr, and a status line on a
 * terminal.
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

/*
 * Write bytes on stdout, at once. A signal loses none of them, unless it asks
 * the program to stop and nobody reads its output any more. After the first
 * byte that could not be written, nothing more is written.
 */
void print_bytes(const void *bytes, size_t size);

/* Print one sentence and a newline; after 4,095 bytes it is cut. */
void say(const char *format, ...) LIKE_PRINTF(1, 2);

/* Write what other functions have left in stdio's buffer. Returns 0 if all
 * output so far was written, or why not: errno; EINTR if the program was asked
 * to stop while nobody read its output. */
int output_error(void);

/* Write a message on stderr, in one piece if the kernel takes all of it, so
 * that the lines of several programs do not mix. */
void complain(const char *bytes, size_t size);

/* A number as people read it: 136,314,880. The text stays valid during the next
 * seven calls. */
const char *grouped(unsigned long long number);

/* How many bytes the character at the beginning has, in UTF-8 (RFC 3629). 0 if
 * those bytes are not UTF-8, or if it controls the terminal: tabs do not, but
 * all other characters of C0 and C1 do (ECMA-48). */
size_t showable(const char *bytes, size_t size);

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
