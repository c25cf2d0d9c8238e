/* SPDX-License-Identifier: MIT */
/*
 * stop.h - asking a program to stop: by a signal, after a time, at a deadline,
 * or by Enter. A program asks here whether it should.
 */
#ifndef WOULDBLOCK_STOP_H
#define WOULDBLOCK_STOP_H

#include "clock.h"

#include <stdbool.h>

/*
 * Let SIGINT and SIGTERM ask for a stop, and SIGALRM after stop_after (0:
 * never). SIGPIPE is ignored: a send to a peer that is gone then fails with
 * EPIPE instead of ending the program. SIGUSR1 interrupts a call, and that is
 * all, to see what a program makes of EINTR.
 */
void listen_for_signals(duration stop_after);

/*
 * Has somebody asked for a stop? A blocking call returns with EINTR when that
 * happens, so a loop that asks here after every call ends within a second.
 */
bool stopping(void);

/*
 * The same for a program with a deadline and a stop button: it asks for a stop
 * by itself when the deadline has passed or Enter was pressed. Looks at
 * standard input a hundred times a second, and never waits for it.
 */
bool stop_due(instant deadline);

/* The descriptor on which Enter comes, to be waited for together with sockets;
 * -1, which poll leaves out, if nobody can press it. */
int stop_button(void);

/* Who asked for it: "SIGINT", "SIGTERM", "--stop-after", "the deadline" or
 * "Enter"; "" if nobody. */
const char *stop_reason(void);

/*
 * Give the processor away: for a length of time, or until an instant. A
 * request to stop ends both early; other signals do not.
 */
void nap(duration length);
void nap_until(instant when);

#endif
