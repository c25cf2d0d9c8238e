/* SPDX-License-Identifier: MIT */
/*
 * stop.h - has somebody asked this program to stop: with a signal,
 * --stop-after, a deadline, or Enter?
 */
#ifndef WOULDBLOCK_STOP_H
#define WOULDBLOCK_STOP_H

#include "clock.h"

#include <stdbool.h>

/*
 * From now on SIGINT and SIGTERM ask the program to stop, and so does SIGALRM
 * after stop_after (0: never). SIGPIPE is ignored, so that send fails with
 * EPIPE if the peer receives no more, instead of ending the program. SIGUSR1
 * only interrupts a call: use it to see EINTR.
 */
void listen_for_signals(duration stop_after);

/*
 * Has somebody asked for a stop? A blocking call returns with EINTR when that
 * happens, so a loop that asks here after every call ends within a second.
 */
bool stopping(void);

/*
 * The same, and also true when the deadline has passed or somebody has pressed
 * Enter. It looks at standard input a hundred times a second, and never blocks.
 */
bool stop_due(instant deadline);

/* The descriptor to poll for Enter, together with sockets: standard input. In a
 * background job, and after the end of the input, it is -1: poll skips it. */
int stop_button(void);

/* What stopped the program: "SIGINT", "SIGTERM", "--stop-after", "the deadline"
 * or "Enter"; "" if nothing has. */
const char *stop_reason(void);

/*
 * Sleep for a duration, or until an instant. A request to stop ends both early;
 * other signals do not.
 */
void nap(duration length);
void nap_until(instant when);

#endif
