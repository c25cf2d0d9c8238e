/* SPDX-License-Identifier: MIT */
/*
 * classify_driver - calls a solution's classification for the cases that it is
 * given, or for some well-known ones. stderr goes to /dev/full, where every
 * write fails: a solution that prints before it reads errno finds ENOSPC there.
 */
#include "classify_cases.h"

static void classify(const struct classify_case *c)
{
    char left[64], right[64];

    classify_text(c, left, right, sizeof left);
    printf("%s: %s\n", left, right);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct classify_case c = {0};

    if (!freopen("/dev/full", "w", stderr))
        return 1;
    setvbuf(stderr, NULL, _IONBF, 0);
    for (const char *p = argc > 1 ? argv[1] : ""; *p; classify(&c)) {
        p = classify_read(p, &c);
        if (!p)
            return 2;
    }
    for (size_t i = 0; argc == 1 && i < CLASSIFY_CASES; i++)
        classify(&classify_cases[i]);
    printf("counters: calls=%llu again=%llu partial=%llu\n", counters.calls,
           counters.again, counters.partial);
    return 0;
}
