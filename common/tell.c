/* SPDX-License-Identifier: MIT */
#include "tell.h"
#include "clock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
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

/* Not stdio: after a signal, no standard says how much of its buffer was
 * written. Returns 0, or why not all of it is written. */
static int write_all(int fd, const char *bytes, size_t size)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    instant until = NEVER; /* since the program is to stop */

    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        /* Another program may have made our terminal or pipe non-blocking. */
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            n = poll(&room, 1, -1) < 0 ? -1 : 0;
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
            until = NEVER;
        } else if (stopping() && passed(until)) {
            return EINTR;
        } else if (stopping() && until == NEVER) {
            /* A request to stop comes again after a second (stop.c). */
            until = deadline_in(9 * SECOND / 10);
        }
    }
    return 0;
}

static int failure; /* of the output */

int output_error(void)
{
    if (failure == 0 && fflush(stdout) != 0)
        failure = errno;
    if (failure == 0 && ferror(stdout))
        failure = EIO; /* an earlier one, whose errno is not kept */
    return failure;
}

void print_bytes(const void *bytes, size_t size)
{
    if (size == 0)
        return;
    status_clear();
    if (output_error() == 0)
        failure = write_all(STDOUT_FILENO, bytes, size);
}

void complain(const char *bytes, size_t size)
{
    static int lost;

    status_clear();
    if (lost != EINTR) /* nobody reads: do not wait for that once more */
        lost = write_all(STDERR_FILENO, bytes, size);
}

void say(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof line)
        length = sizeof line - 1;
    line[length] = '\n';
    print_bytes(line, (size_t)length + 1);
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

size_t showable(const char *bytes, size_t size)
{
    /* What a shorter sequence can encode; and up to 0x9f, C1. */
    static const unsigned least[] = {0, 0, 0xa0, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)bytes;

    if (size == 0)
        return 0;
    if (b[0] < 0x80)
        return b[0] == '\t' || (b[0] >= ' ' && b[0] != 0x7f);

    const size_t length = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    unsigned code = b[0] & (0x7fU >> length);

    if (b[0] < 0xc0 || b[0] > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (b[i] & 0x3fU);
    }
    if (code < least[length] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) /* halves of UTF-16 pairs */
        return 0;
    return length;
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
