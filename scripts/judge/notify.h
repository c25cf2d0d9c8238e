/* SPDX-License-Identifier: MIT */
/*
 * notify.h - calls of the program that the kernel reports to us: the program
 * waits in each of them until we answer (seccomp_unotify(2), Linux 5.5 and
 * later). So it works for any program, in any language, and a program cannot
 * forge it. Report rare calls only: each costs some microseconds.
 *
 * The supervisor's child installs the filter just before it becomes the
 * program, and sends the listener, a descriptor, to the notifier: a process of
 * ours that records each call, and can make it fail.
 */
#ifndef WOULDBLOCK_NOTIFY_H
#define WOULDBLOCK_NOTIFY_H

#include <stdbool.h>

/* --- In the supervisor: notify_filter.c ----------------------------------- */

/* Report these calls from now on: "socket,connect", from the names socket,
 * connect, accept, recv, send, getsockopt. recv and send mean all calls that
 * receive and send, on any descriptor but 0, 1 and 2. Sends the listener
 * through the Unix socket `to`. Returns 0, or -1 and sets errno. */
int report_calls(const char *names, int to);

/* Can this kernel, here, report calls? */
bool can_report_calls(void);

#endif
