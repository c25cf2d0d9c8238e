/* SPDX-License-Identifier: MIT */
/*
 * work.h - other work to do instead of waiting: finding prime numbers. How many
 * were found tells how much time there was.
 */
#ifndef WOULDBLOCK_WORK_H
#define WOULDBLOCK_WORK_H

/* Do a small piece of work, about a microsecond: test the next number. */
void work_step(void);

/* How many primes work_step has found, and the largest of them (0: none). */
unsigned long long work_found(void);
unsigned long long work_largest(void);

#endif
