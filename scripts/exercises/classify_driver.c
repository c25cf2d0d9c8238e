/* SPDX-License-Identifier: MIT */
/*
 * classify_driver - calls a solution's classification for every case. stderr
 * goes to /dev/full, where every write fails: a solution that prints before it
 * reads errno finds ENOSPC there.
 */
#include "classify_cases.h"

int main(void)
{
    if (!freopen("/dev/full", "w", stderr))
        return 1;
    setvbuf(stderr, NULL, _IONBF, 0);
    for (size_t i = 0; i < CLASSIFY_CASES; i++) {
        char left[64], right[64];

        classify_text(&classify_cases[i], left, right, sizeof left);
        printf("%s: %s\n", left, right);
        fflush(stdout);
    }
    printf("counters: calls=%llu again=%llu partial=%llu\n", counters.calls,
           counters.again, counters.partial);
    return 0;
}
