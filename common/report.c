/* SPDX-License-Identifier: MIT */
#include "report.h"
#include "answer.h"
#include "tell.h"
#include "work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_KEYS = 16 };

static struct {
    const char *key;
    char value[32];
} values[MOST_KEYS];

void report(const char *key, const char *format, ...)
{
    va_list arguments;
    int i = 0;

    while (values[i].key && strcmp(values[i].key, key) != 0)
        if (++i == MOST_KEYS)
            return;
    values[i].key = key;
    va_start(arguments, format);
    vsnprintf(values[i].value, sizeof values[i].value, format, arguments);
    va_end(arguments);
}

void print_report(instant began)
{
    const struct counters *c = &counters;
    char own[MOST_KEYS * 64] = "";
    struct rusage used = {0};
    double cpu;

    getrusage(RUSAGE_SELF, &used);
    cpu = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
          (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    for (int i = 0; i < MOST_KEYS && values[i].key; i++) {
        size_t length = strlen(own);

        snprintf(own + length, sizeof own - length, " %s=%s", values[i].key,
                 values[i].value);
    }
    say("report: program=%s calls=%llu done=%llu again=%llu interrupted=%llu "
        "pending=%llu closed=%llu failed=%llu partial=%llu accepted=%llu "
        "bytes_received=%llu bytes_sent=%llu%s work=%llu cpu_seconds=%.6f "
        "wall_seconds=%.6f",
        program_name(), c->calls, c->done, c->again, c->interrupted, c->pending,
        c->closed, c->failed, c->partial, c->accepted, c->bytes_received,
        c->bytes_sent, own, work_found(), cpu, seconds(now() - began));
}
