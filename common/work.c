/* SPDX-License-Identifier: MIT */
#include "work.h"
#include "clock.h"
#include "program.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned long long next = 2, found, largest;

void work_step(void)
{
    unsigned long long number = next++;

    for (unsigned long long divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return;
    found++;
    largest = number;
}

unsigned long long work_found(void)
{
    return found;
}

unsigned long long work_largest(void)
{
    return largest;
}

static bool drawn;

/* Is there somebody to see it, and is the last drawing old enough? */
static bool time_to_draw(void)
{
    static int terminal = -1;
    static instant next_drawing;

    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    if (!terminal || now() < next_drawing)
        return false;
    next_drawing = deadline_in(SECOND / 10);
    drawn = true;
    return true;
}

/* "\r" goes back to the line's begin, "\033[K" erases what is left of it. */
void status_waiting(const char *what)
{
    if (time_to_draw())
        fprintf(stderr, "\r%s ... %s primes found meanwhile\033[K", what,
                grouped(found));
}

void status_progress(size_t moved, size_t total)
{
    static const char full[] = "##############################";
    static const char none[] = "------------------------------";
    const int width = (int)strlen(full);

    if (total == 0 || !time_to_draw())
        return;

    double share = (double)moved / (double)total;
    int bar = (int)(share * width);

    fprintf(stderr, "\r[%.*s%.*s] %3.0f %%", bar, full, width - bar, none,
            100 * share);
    if (found > 0)
        fprintf(stderr, "  %s primes found meanwhile", grouped(found));
    fprintf(stderr, "\033[K");
}

void status_clear(void)
{
    if (drawn)
        fprintf(stderr, "\r\033[K");
    drawn = false;
}
