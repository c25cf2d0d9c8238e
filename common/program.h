/* SPDX-License-Identifier: MIT */
/*
 * program.h - how every program begins and ends.
 */
#ifndef WOULDBLOCK_PROGRAM_H
#define WOULDBLOCK_PROGRAM_H

#include "error.h"
#include "options.h"
#include "report.h"
#include "stop.h"

/*
 * Begin: see that descriptors 0, 1 and 2 are taken, so that no socket gets one
 * of these numbers; read options and operands; ignore SIGPIPE (a send to a peer
 * that is gone then fails with EPIPE instead of ending the program); let
 * SIGINT, SIGTERM and --stop-after ask for a stop; SIGUSR1 interrupts a call,
 * and that is all, to see what a program makes of EINTR. --help ends the
 * program with status 0, bad usage with 2. Returns the operands, ended by NULL;
 * they belong to argv.
 *
 * Every program has these options besides its own: --report, --stop-after,
 * --log, --help.
 */
char **begin(const struct program *program, int argc, char **argv);

#endif
