/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - a buffer for bytes that are received and not yet sent on.
 *
 * Its size is fixed. A program receives only while there is room (the echo
 * servers: only while it is empty). Otherwise the kernel's buffers fill, and
 * TCP slows the sender down: back-pressure. An empty buffer owns no memory, so
 * thousands of silent connections cost little.
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
 * buffer_front: where the bytes begin; buffer_used() bytes may be read there.
 * buffer_back: where the next ones go; buffer_room() bytes may be written
 * there. It may move the bytes, and ends the program if there is no memory.
 * All empty buffers share one spare block, so call buffer_added() before the
 * next buffer_back() of any buffer: it may return the same block.
 */
const char *buffer_front(const struct buffer *b);
char *buffer_back(struct buffer *b);

/* The length of the first line held, with its newline; 0 if none is whole. */
size_t buffer_line(const struct buffer *b);

/* Count n bytes as written at the back, or remove n from the front. If there
 * was no room for n, or fewer than n were held, that is a bug: the program
 * aborts. */
void buffer_added(struct buffer *b, size_t n);
void buffer_taken(struct buffer *b, size_t n);

/* Keep the first n bytes, remove the rest. */
void buffer_cut(struct buffer *b, size_t n);

/* Remove all bytes and free the memory. */
void buffer_free(struct buffer *b);

#endif
