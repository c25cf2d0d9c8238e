/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: addresses and ports. The first line is a port, which is taken or
 * refused; the rest are the bytes of an address, which always has a text. No
 * name is looked up.
 */
#include "fuzz.h"
#include "wouldblock.h"

#include <string.h>

static const struct setting none[] = {{0}};
static const struct program program = {"Fuzzed.", "", none};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, '\n', size);
    const size_t length = end ? (size_t)(end - bytes) : size;
    char *port = calloc(1, length + 1);
    struct sockaddr_storage address = {0};
    size_t rest = end ? size - length - 1 : 0;
    struct addrinfo *list = NULL;

    MUST(port);
    /* A port that is refused is wrong usage of this program. */
    ENDING(read_command_line(&program, none, 1, (char *[]){"fuzz", NULL}));
    memcpy(port, bytes, length);
    ENDING(list = resolve("127.0.0.1", port, SOCK_STREAM));
    if (list) {
        const struct sockaddr_in *in = (struct sockaddr_in *)list->ai_addr;

        MUST(in->sin_port != 0);
        freeaddrinfo(list);
    }
    if (rest > sizeof address)
        rest = sizeof address;
    if (rest > 0)
        memcpy(&address, end + 1, rest);
    MUST(strlen(address_text((struct sockaddr *)&address, (socklen_t)rest)) >
         0);
    free(port);
    return 0;
}
