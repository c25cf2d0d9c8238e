/* SPDX-License-Identifier: MIT */
/*
 * Contract: echo-server
 * Verdict:  NOT_CLOSED
 *
 * The child closes the connection, the parent never does.
 */
#define PARENT_KEEPS_IT
#include "server.h"

int main(int argc, char **argv)
{
    (void)argc;
    serve_forked(argv[1], send_all_of);
}
