/* SPDX-License-Identifier: MIT */
/*
 * json - writes strings and numbers of JSON.
 */
#include "json.h"

#include "model.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Escape what would end or change the script in a page, "</script>" and "<!--",
 * and what JavaScript takes for the end of a line, U+2028 and U+2029. */
static void put_character(FILE *out, const char *text, size_t length)
{
    const unsigned char c = (unsigned char)*text;

    if (length == 0)
        fputs("\\ufffd", out);
    else if (c == '"' || c == '\\')
        fprintf(out, "\\%c", c);
    else if (c < ' ' || c == 127 || c == '<' || c == '>' || c == '&')
        fprintf(out, "\\u%04x", c);
    else if (strncmp(text, "\u2028", 3) == 0)
        fputs("\\u2028", out);
    else if (strncmp(text, "\u2029", 3) == 0)
        fputs("\\u2029", out);
    else
        fwrite(text, 1, length, out);
}

void json_string(FILE *out, const char *before, const char *text)
{
    fprintf(out, "%s\"", before);
    while (*text) {
        const size_t length = character(text);

        put_character(out, text, length);
        text += length ? length : 1;
    }
    fputc('"', out);
}

int64_t nanoseconds(double seconds)
{
    return isfinite(seconds) ? (int64_t)llround(seconds * 1e9) : 0;
}

void json_microseconds(FILE *out, const char *before, int64_t ns)
{
    const int64_t size = ns < 0 ? -ns : ns;

    fprintf(out, "%s%s%" PRId64 ".%03d", before, ns < 0 ? "-" : "", size / 1000,
            (int)(size % 1000));
}
