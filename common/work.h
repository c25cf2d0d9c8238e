/* SPDX-License-Identifier: MIT */
/*
 * work.h - something else to do. A program that need not wait can use its
 * time; here it looks for prime numbers, because anybody can check how far it
 * got.
 */
#ifndef WOULDBLOCK_WORK_H
#define WOULDBLOCK_WORK_H

/* Do one short piece of work, about a microsecond: test the next number. */
void work_step(void);

/* How many primes work_step has found, and the largest of them (0: none). */
unsigned long long work_found(void);
unsigned long long work_largest(void);

#endif
