/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <assert.h>
#include <string.h>

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
    return b->data + b->start;
}

char *buffer_back(struct buffer *b)
{
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
    b->end += n;
}

void buffer_taken(struct buffer *b, size_t n)
{
    assert(n <= buffer_used(b));
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buffer_cut(struct buffer *b, size_t n)
{
    assert(n <= buffer_used(b));
    b->end = b->start + n;
}
