/* SPDX-License-Identifier: MIT */
/*
 * work.h - something else to do. A program that need not wait can use its
 * time; here it looks for prime numbers, because anybody can check how far it
 * got. And the status line, which shows that on a terminal while it happens.
 */
#ifndef WOULDBLOCK_WORK_H
#define WOULDBLOCK_WORK_H

#include <stddef.h>

/* Do one short piece of work, about a microsecond: test the next number. */
void work_step(void);

/* How many primes work_step has found, and the largest of them (0: none). */
unsigned long long work_found(void);
unsigned long long work_largest(void);

/*
 * The status line: one line on stderr, redrawn in place about ten times a
 * second, and only if stderr is a terminal. status_waiting tells what the
 * program waits for and what it found meanwhile; status_progress draws how far
 * a transfer has come. status_clear takes the line away; every message does so
 * by itself.
 */
void status_waiting(const char *what);
void status_progress(size_t moved, size_t total);
void status_clear(void);

#endif
