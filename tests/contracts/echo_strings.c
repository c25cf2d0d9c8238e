/* SPDX-License-Identifier: MIT */
/*
 * Contract: echo-server
 * Verdict:  WORD_NOT_KEPT
 *
 * Takes the bytes for a string: a zero byte ends what is sent back.
 */
#include "server.h"

static ssize_t echo(int fd, char *bytes, ssize_t n)
{
    bytes[n] = '\0';
    return *bytes ? send_all(fd, bytes, strlen(bytes)) : n;
}

int main(int argc, char **argv)
{
    (void)argc;
    serve_forked(argv[1], echo);
}
