/* SPDX-License-Identifier: MIT */
/*
 * report.h - the closing report: one line of key=value, for scripts and tests.
 */
#ifndef WOULDBLOCK_REPORT_H
#define WOULDBLOCK_REPORT_H

#include "clock.h"
#include "tell.h"

/*
 * Set key=value in the line that --report prints when the program exits, also
 * after an error. The key is a literal. The line always has the counters of
 * answer.h, work (the primes found), cpu_seconds (user and system) and
 * wall_seconds.
 */
void report(const char *key, const char *format, ...) LIKE_PRINTF(2, 3);

/* Print that line; wall_seconds is the time since the program began. */
void print_report(instant began);

#endif
