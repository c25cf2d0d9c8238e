/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the lines of the chat. A guest says the input, in pieces whose
 * lengths are also in it; what another guest hears is whole lines of at most so
 * many bytes, and nothing in them controls a terminal.
 */
#include "fuzz.h"

#define main chat_main
#include "../../demos/chat/chat_server.c" /* NOLINT: with its main renamed */
#undef main

static struct guest *new_guest(const char *name)
{
    struct guest *g = calloc(1, sizeof *g);

    MUST(g);
    snprintf(g->name, sizeof g->name, "%s", name);
    g->fd = -1;
    return g;
}

/* What no terminal may get, by a rule of its own: C0 but the tab, DEL, and C1
 * as one byte or as UTF-8. Otherwise a byte above 127 belongs to a sequence. */
static int is_harmless(const char *line, size_t length)
{
    size_t rest = 0; /* of a sequence */

    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)line[i];
        const unsigned char before = i > 0 ? (unsigned char)line[i - 1] : 0;

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return 0;
        if (c >= 0x80 && c < 0xc0 && rest-- == 0)
            return 0;
        if (c < 0xa0 && before == 0xc2)
            return 0;
        if (c >= 0xc0)
            rest = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        else if (c < 0x80 && rest > 0)
            return 0;
    }
    return rest == 0;
}

static void look_at_output(struct guest *g)
{
    struct buffer *b = &g->output;
    size_t length;

    while ((length = buffer_line(b)) > 0) {
        const char *line = buffer_front(b);

        MUST(length <= NAME_MOST + LINE_MOST + 64);
        MUST(is_harmless(line, length - 1));
        buffer_taken(b, length);
    }
    MUST(buffer_used(b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct guest *two[2] = {new_guest("guest1"), new_guest("guest2")};

    log_level = LEVEL_ERROR;
    guests = two;
    count = 2;
    while (size > 1) {
        struct buffer *b = &two[0]->input;
        size_t piece = 1 + bytes[0] * (size_t)8;

        bytes++;
        size--;
        if (piece > size)
            piece = size;
        if (piece > buffer_room(b))
            piece = buffer_room(b);
        MUST(piece > 0); /* there is always room to receive into */
        memcpy(buffer_back(b), bytes, piece);
        buffer_added(b, piece);
        handle_lines(two[0]);
        bytes += piece;
        size -= piece;
        look_at_output(two[1]);
        if (!two[0]->leaving)
            look_at_output(two[0]);
    }
    for (int i = 0; i < 2; i++) {
        buffer_free(&two[i]->input);
        buffer_free(&two[i]->output);
        free(two[i]);
    }
    return 0;
}
