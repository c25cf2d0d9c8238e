/* SPDX-License-Identifier: MIT */
/*
 * input.h - the lines that a client is to send.
 */
#ifndef WOULDBLOCK_INPUT_H
#define WOULDBLOCK_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* All zeros before the first line. */
struct line {
    const char *bytes; /* the line, or a piece of it; may hold zero bytes */
    size_t length;     /* of the piece: 1 to BUFFER_SIZE */

    char *whole; /* what the pieces are cut from; owned */
    size_t left; /* bytes of it that come after this piece */
    size_t room;
    size_t operands_used;
};

/*
 * The next line with its newline: the next of the operands, or if there are
 * none at all the next of standard input, which may lack its newline at the
 * end of the file. A line longer than BUFFER_SIZE comes in pieces. False, and
 * the memory freed, after the last one or when the program is asked to stop.
 * Waits for standard input as long as that takes.
 */
bool next_line(struct line *line, char **operands);

#endif
