/* SPDX-License-Identifier: MIT */
#include "work.h"
#include "tell.h"

static unsigned long long next = 2, found, largest;

void work_step(void)
{
    unsigned long long number = next++;

    for (unsigned long long divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return;
    found++;
    largest = number;
    status_work(found);
}

unsigned long long work_found(void)
{
    return found;
}

unsigned long long work_largest(void)
{
    return largest;
}
