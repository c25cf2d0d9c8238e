/* SPDX-License-Identifier: MIT */
#include "payload.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

static const char line[] = "Hello Python\n";

enum { LINE_LENGTH = sizeof line - 1 };

char *payload_new(size_t size)
{
    char *bytes = malloc(size > 0 ? size : 1);
    size_t filled = size < LINE_LENGTH ? size : LINE_LENGTH;

    if (!bytes)
        die("cannot make a payload of %zu bytes", size);
    memcpy(bytes, line, filled);
    /* Each copy doubles what is there: whole lines, until the end. */
    while (filled < size) {
        size_t more = filled < size - filled ? filled : size - filled;

        memcpy(bytes + filled, bytes, more);
        filled += more;
    }
    return bytes;
}

size_t payload_matching(const char *bytes, size_t count, size_t offset)
{
    for (size_t checked = 0; checked < count;) {
        size_t phase = (offset + checked) % LINE_LENGTH;
        size_t length = LINE_LENGTH - phase;

        if (length > count - checked)
            length = count - checked;
        if (memcmp(bytes + checked, line + phase, length) != 0) {
            while (bytes[checked] == line[phase++])
                checked++;
            return checked;
        }
        checked += length;
    }
    return count;
}
