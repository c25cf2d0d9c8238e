/* SPDX-License-Identifier: MIT */
/*
 * input.h - the lines that a client sends.
 */
#ifndef WOULDBLOCK_INPUT_H
#define WOULDBLOCK_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* All zeros before the first line. */
struct line {
    const char *bytes; /* the line, or a piece of it; may contain zero bytes */
    size_t length;     /* of the piece: 1 to BUFFER_SIZE */

    char *whole; /* what the pieces are cut from; owned */
    size_t left; /* bytes of it after this piece */
    size_t room;
    size_t operands_used;
};

/*
 * The next line, with its newline: the next operand. If there are no operands,
 * the next line of standard input; the last one may lack its newline. A line
 * longer than BUFFER_SIZE comes in pieces. After the last one, or when the
 * program is asked to stop, it frees the memory and returns false. It blocks
 * until standard input has a line.
 */
bool next_line(struct line *line, char **operands);

#endif
