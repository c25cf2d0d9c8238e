/* SPDX-License-Identifier: MIT */
#include "tell.h"
#include "clock.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *name = "wouldblock";

void name_program(const char *path)
{
    const char *slash = strrchr(path, '/');

    name = slash ? slash + 1 : path;
}

const char *program_name(void)
{
    return name;
}

void say(const char *format, ...)
{
    va_list arguments;

    status_clear();
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

const char *grouped(unsigned long long number)
{
    static char texts[8][32];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    char *p = text + sizeof texts[0];
    int digits = 0;

    *--p = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--p = ',';
        *--p = (char)('0' + number % 10);
        number /= 10;
        digits++;
    } while (number > 0);
    return p;
}

/* --- The status line ------------------------------------------------------ */

static double share = -1; /* of the transfer; below 0: there is none */
static unsigned long long primes;
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
    return true;
}

/* "\r" goes back to the beginning of the line, "\033[K" erases the rest. */
static void draw(void)
{
    static const char full[] = "##############################";
    static const char none[] = "------------------------------";
    const int width = (int)strlen(full);
    const int bar = (int)(share * width);

    if (!time_to_draw())
        return;
    fprintf(stderr, "\r");
    if (share >= 0)
        fprintf(stderr, "[%.*s%.*s] %3.0f %%  ", bar, full, width - bar, none,
                100 * share);
    if (primes > 0)
        fprintf(stderr, "%s primes found meanwhile", grouped(primes));
    fprintf(stderr, "\033[K");
    drawn = true;
}

void status_progress(size_t moved, size_t total)
{
    share = total > 0 ? (double)moved / (double)total : -1;
    draw();
}

void status_work(unsigned long long found)
{
    primes = found;
    draw();
}

void status_clear(void)
{
    if (drawn)
        fprintf(stderr, "\r\033[K");
    drawn = false;
}
