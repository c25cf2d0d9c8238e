/* SPDX-License-Identifier: MIT */
/*
 * wouldblock.h - everything that the demos share, under one name.
 *
 *   clock.h    the monotonic clock, deadlines
 *   answer.h   what a socket call answered: one of five things
 *   stop.h     stopping a program; naps
 *   tell.h     output and messages for the user, and a status line
 *   work.h     other work, to be done instead of waiting
 *   error.h    the errors of socket calls, with advice; die, warn, the log
 *   report.h   the closing report
 *   options.h  the command line
 *   program.h  how every program begins and ends
 *   payload.h  the bytes that the send lesson sends
 *   buffer.h   a bounded buffer for bytes received and not yet sent
 *   input.h    the lines that a client sends
 *   net.h      addresses, listening, connecting, the non-blocking flag
 *   client.h   one client of a server with its buffer; the set of all clients
 *
 * Each part uses only parts above it; a test checks that.
 *
 * The names have no prefix: only the demos of this repository use this library,
 * and a demo should read like a page.
 */
#ifndef WOULDBLOCK_H
#define WOULDBLOCK_H

#include "answer.h"
#include "buffer.h"
#include "client.h"
#include "clock.h"
#include "error.h"
#include "input.h"
#include "net.h"
#include "options.h"
#include "payload.h"
#include "program.h"
#include "report.h"
#include "stop.h"
#include "tell.h"
#include "work.h"

#endif
