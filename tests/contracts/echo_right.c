/* SPDX-License-Identifier: MIT */
/*
 * Contract: echo-server --resets --slow-readers --idle --descriptors 8
 * Verdict:  none
 *
 * A process for each client.
 */
#include "server.h"

int main(int argc, char **argv)
{
    (void)argc;
    serve_forked(argv[1], send_all_of);
}
