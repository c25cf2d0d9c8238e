/* SPDX-License-Identifier: MIT */
/*
 * json - strings and numbers of JSON.
 */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static const unsigned char *bytes_of(const char *text)
{
    return (const unsigned char *)text;
}

/* How long is the character that begins here? 0 if it is none: cut off, longer
 * than it has to be, half of a pair, or beyond the last one. */
static size_t character(const unsigned char *at)
{
    const unsigned char lead = at[0];
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;

    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ||
        (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

/* Of what stands in a page, "</script>" and "<!--" end or change the script;
 * to JavaScript, U+2028 and U+2029 end a line. */
static void put_character(FILE *out, const unsigned char *at, size_t length)
{
    if (length == 0)
        fputs("\\ufffd", out);
    else if (*at == '"' || *at == '\\')
        fprintf(out, "\\%c", *at);
    else if (*at < ' ' || *at == 127 || *at == '<' || *at == '>' || *at == '&')
        fprintf(out, "\\u%04x", *at);
    else if (length == 3 && at[0] == 0xe2 && at[1] == 0x80 &&
             (at[2] == 0xa8 || at[2] == 0xa9))
        fprintf(out, "\\u20%02x", at[2] - 0xa8 + 0x28);
    else
        fwrite(at, 1, length, out);
}

void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = bytes_of(text); *at;) {
        const size_t length = character(at);

        put_character(out, at, length);
        at += length ? length : 1;
    }
    fputc('"', out);
}

int64_t nanoseconds(double seconds)
{
    return isfinite(seconds) ? (int64_t)llround(seconds * 1e9) : 0;
}

void json_microseconds(FILE *out, int64_t ns)
{
    const int64_t size = ns < 0 ? -ns : ns;

    fprintf(out, "%s%" PRId64 ".%03d", ns < 0 ? "-" : "", size / 1000,
            (int)(size % 1000));
}
