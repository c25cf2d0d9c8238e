/* SPDX-License-Identifier: MIT */
#include "buffer.h"
#include "error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where buffer_back() of an empty buffer points. buffer_added() gives this
 * block to that buffer. */
static char *spare;

size_t buffer_used(const struct buffer *b)
{
    return b->end - b->start;
}

size_t buffer_room(const struct buffer *b)
{
    return BUFFER_SIZE - buffer_used(b);
}

const char *buffer_front(const struct buffer *b)
{
    return b->data ? b->data + b->start : "";
}

char *buffer_back(struct buffer *b)
{
    if (!b->data) {
        if (!spare)
            spare = enlarged(NULL, BUFFER_SIZE, 1);
        return spare;
    }
    if (b->start > 0) {
        memmove(b->data, buffer_front(b), buffer_used(b));
        b->end -= b->start;
        b->start = 0;
    }
    return b->data + b->end;
}

size_t buffer_line(const struct buffer *b)
{
    const char *front = buffer_front(b);
    const char *newline = memchr(front, '\n', buffer_used(b));

    return newline ? (size_t)(newline - front) + 1 : 0;
}

void buffer_added(struct buffer *b, size_t n)
{
    assert(n <= BUFFER_SIZE - b->end);
    if (n > 0 && !b->data) {
        assert(spare);
        b->data = spare;
        spare = NULL;
    }
    b->end += n;
}

void buffer_taken(struct buffer *b, size_t n)
{
    assert(n <= buffer_used(b));
    b->start += n;
    if (b->start == b->end)
        buffer_free(b);
}

void buffer_cut(struct buffer *b, size_t n)
{
    assert(n <= buffer_used(b));
    b->end = b->start + n;
    if (n == 0)
        buffer_free(b);
}

void buffer_free(struct buffer *b)
{
    if (spare)
        free(b->data);
    else
        spare = b->data;
    *b = (struct buffer){0};
}
