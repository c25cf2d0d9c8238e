/* SPDX-License-Identifier: MIT */
#include "input.h"
#include "buffer.h"
#include "error.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The length of the whole line, or 0 when there is none. */
static size_t line_from_operand(struct line *line, const char *operand)
{
    if (operand == NULL)
        return 0;

    size_t length = strlen(operand);
    char *whole = realloc(line->whole, length + 1);

    if (!whole)
        die("cannot keep a line of %zu bytes", length);
    *stpcpy(whole, operand) = '\n';
    line->whole = whole;
    line->operands_used++;
    return length + 1;
}

static size_t line_from_standard_input(struct line *line)
{
    ssize_t length;

    do {
        clearerr(stdin);
        length = getline(&line->whole, &line->room, stdin);
        /* Only the end of the file ends the input; a line that is too long for
         * memory is an error without a flag in stdin. */
        if (length < 0 && !feof(stdin) && errno != EINTR)
            die("cannot read standard input");
    } while (length < 0 && !feof(stdin) && !stopping());
    return length > 0 ? (size_t)length : 0;
}

bool next_line(struct line *line, char **operands)
{
    if (line->left > 0) {
        line->bytes += line->length;
    } else if (!stopping()) {
        line->left =
            operands[0] == NULL
                ? line_from_standard_input(line)
                : line_from_operand(line, operands[line->operands_used]);
        line->bytes = line->whole;
    }
    if (line->left == 0 || stopping()) {
        free(line->whole);
        *line = (struct line){0};
        return false;
    }
    line->length = line->left < BUFFER_SIZE ? line->left : BUFFER_SIZE;
    line->left -= line->length;
    return true;
}
