/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - bytes on their way: received and not yet sent on.
 *
 * The size is fixed. A full buffer is the signal to stop receiving; then the
 * kernel's buffers fill, and TCP slows the sender down: back-pressure. An empty
 * buffer owns no memory, so that thousands of silent connections cost little.
 */
#ifndef WOULDBLOCK_BUFFER_H
#define WOULDBLOCK_BUFFER_H

#include <stddef.h>

enum { BUFFER_SIZE = 16 * 1024 };

/* All zeros is an empty buffer. */
struct buffer {
    char *data;   /* BUFFER_SIZE bytes; NULL while it is empty */
    size_t start; /* the oldest byte */
    size_t end;   /* one past the newest byte */
};

/* Bytes held, and bytes that still fit. */
size_t buffer_used(const struct buffer *b);
size_t buffer_room(const struct buffer *b);

/*
 * Where the held bytes begin, and where the next ones go: buffer_used() bytes
 * may be read from the first, buffer_room() written to the second. The latter
 * may move the held bytes, and ends the program if there is no memory. Both
 * stay valid until this buffer changes or another one is asked for its back:
 * what is written there belongs to nobody before buffer_added().
 */
const char *buffer_front(const struct buffer *b);
char *buffer_back(struct buffer *b);

/* The length of the first line held, with its newline; 0 if none is whole. */
size_t buffer_line(const struct buffer *b);

/* Say that n bytes were written at the back, or used up at the front. More
 * than there was room for, or were held, is a bug in the caller: it aborts. */
void buffer_added(struct buffer *b, size_t n);
void buffer_taken(struct buffer *b, size_t n);

/* Forget all but the first n bytes held. */
void buffer_cut(struct buffer *b, size_t n);

/* Forget everything, and give the memory back. */
void buffer_free(struct buffer *b);

#endif
