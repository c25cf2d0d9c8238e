/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the monotonic clock, which does not jump when somebody sets the
 * time of day (POSIX clock_gettime()), and deadlines.
 */
#ifndef WOULDBLOCK_CLOCK_H
#define WOULDBLOCK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t duration; /* a length of time, in nanoseconds */
typedef int64_t instant;  /* a point on the monotonic clock, in nanoseconds */

#define MICROSECOND ((duration)1000)
#define MILLISECOND ((duration)1000 * MICROSECOND)
#define SECOND      ((duration)1000 * MILLISECOND)

/* The deadline that never passes. */
#define NEVER INT64_MAX

instant now(void);

/* The instant that is limit from now; NEVER if limit is 0. */
instant deadline_in(duration limit);

/* The earlier of two deadlines. */
instant sooner(instant a, instant b);

/* Has the deadline passed? */
bool passed(instant deadline);

/*
 * The time left until a deadline, as poll and epoll_wait take it: milliseconds,
 * rounded up, because otherwise they would return a little too early and be
 * called again and again; -1 (no limit) for NEVER.
 */
int poll_time(instant deadline);

/* A duration in seconds, for printing. */
double seconds(duration length);

#endif
