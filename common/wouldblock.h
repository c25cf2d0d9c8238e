/* SPDX-License-Identifier: MIT */
/*
 * wouldblock.h - everything that the demos share, under one name.
 *
 *   answer.h   what a socket call answered: one of five things
 *   error.h    every errno with its symbol and advice; die, warn, the log
 *   program.h  start, options, stop, sentences, the closing report
 *   clock.h    the monotonic clock, deadlines, naps
 *   net.h      addresses, listening, the non-blocking flag
 *   client.h   one connection of a server with its bounded buffer; sets of them
 *   buffer.h   that buffer
 *   input.h    the lines that a client sends
 *   payload.h  the bytes that the send lesson moves, known to both ends
 *   work.h     other work, to be done instead of waiting; the status line
 *
 * The names carry no prefix: this library serves the demos of this repository
 * and nobody else, and a demo should read like a page.
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
#include "payload.h"
#include "program.h"
#include "work.h"

#endif
