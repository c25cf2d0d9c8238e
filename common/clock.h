/* SPDX-License-Identifier: MIT */
/*
 * clock.h - time as the demos need it: the monotonic clock, which no
 * adjustment of the wall clock can move (POSIX clock_gettime()).
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

/* The instant that lies limit after now; limit 0 means NEVER. */
instant deadline_in(duration limit);

/* The earlier of two deadlines. */
instant sooner(instant a, instant b);

/* Has the deadline passed? */
bool passed(instant deadline);

/*
 * The time left until a deadline as poll and epoll_wait take it: milliseconds,
 * rounded up so that they do not return a little too early, again and again;
 * -1, for ever, if it is NEVER.
 */
int poll_time(instant deadline);

/* A length of time as seconds, for printing. */
double seconds(duration length);

#endif
