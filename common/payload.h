/* SPDX-License-Identifier: MIT */
/*
 * payload.h - the bytes that the send lesson sends: "Hello Python\n", again and
 * again. The receiver knows them too, so it can check every byte.
 */
#ifndef WOULDBLOCK_PAYLOAD_H
#define WOULDBLOCK_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

/* "Hello Python\n" 10 * 1024 * 1024 times: far more than the kernel buffers. */
#define PAYLOAD_SIZE ((size_t)13 * 10 * 1024 * 1024)

/* The first size bytes of the payload. The caller frees them; ends the program
 * if there is no memory. */
char *payload_new(size_t size);

/*
 * Compare count bytes with the payload at this offset. Returns how many are
 * right before the first wrong one: count if all are.
 */
size_t payload_matching(const char *bytes, size_t count, size_t offset);

#endif
