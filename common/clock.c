/* SPDX-License-Identifier: MIT */
#include "clock.h"

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
