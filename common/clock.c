/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "program.h"

#include <limits.h>
#include <time.h>

instant now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (instant)t.tv_sec * SECOND + t.tv_nsec;
}

instant deadline_in(duration limit)
{
    return limit == 0 ? NEVER : now() + limit;
}

instant sooner(instant a, instant b)
{
    return a < b ? a : b;
}

bool passed(instant deadline)
{
    return deadline != NEVER && now() >= deadline;
}

int poll_time(instant deadline)
{
    duration left = deadline - now();

    if (deadline == NEVER)
        return -1;
    if (left <= 0)
        return 0;
    left = (left + MILLISECOND - 1) / MILLISECOND;
    return left < INT_MAX ? (int)left : INT_MAX;
}

double seconds(duration length)
{
    return (double)length / (double)SECOND;
}

void nap(duration length)
{
    if (length > 0)
        nap_until(now() + length);
}

void nap_until(instant when)
{
    duration left;

    while (!stopping() && (left = when - now()) > 0) {
        /* A signal between the question and the sleep would be noticed only
         * after it: long naps are slept in pieces. */
        if (left > SECOND / 2)
            left = SECOND / 2;

        struct timespec t = {.tv_sec = (time_t)(left / SECOND),
                             .tv_nsec = (long)(left % SECOND)};

        nanosleep(&t, NULL);
    }
}
