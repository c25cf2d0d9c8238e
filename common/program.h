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
 * Begin: make sure that descriptors 0, 1 and 2 are in use, so that no socket
 * gets one of these numbers; read options and operands; install the signal
 * handlers (stop.h). --help ends the program with status 0, wrong usage with 2.
 * Returns the operands, ended by NULL; they belong to argv.
 *
 * Every program has these options besides its own: --report, --stop-after,
 * --log, --help.
 */
char **begin(const struct program *program, int argc, char **argv);

#endif
