/* SPDX-License-Identifier: MIT */
/*
 * trace_writer.h - writes a trace, as scripts/timeline reads it. It is apart
 * from the judge because the witness and a trace number the same calls
 * differently, under the same names.
 */
#ifndef WOULDBLOCK_TRACE_WRITER_H
#define WOULDBLOCK_TRACE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

/* Times are ns of CLOCK_MONOTONIC. */
struct traced_call {
    const char *name;     /* "recv" */
    int64_t began, ended; /* ended 0: it never returned */
    int64_t inside;       /* in all calls together */
    uint64_t times;
    int64_t asked, more, result; /* see trace_file.h */
    int fd, error;
    bool never_waits;
};

/* Begin a file. False, with errno set, if that fails. */
bool begin_trace(const char *path, const char *command, int64_t began);
/* What follows belongs to a new process of this name. */
void begin_traced(const char *name, int64_t began);
/* Calls must come in the order of their beginnings. */
void trace_call(const struct traced_call *call);
/* From then on, fd has this port on its own side or on the side of its peer. */
void trace_port(int fd, bool of_peer, unsigned port, int64_t when);
/* So many calls are not known. */
void trace_lost(uint64_t calls);
/* It exited by itself, or a signal killed it. */
void trace_exit(int64_t when);
void trace_killed(int64_t when, int signal_number);
/* Write what is left and close the file. */
bool end_trace(int64_t ended);

#endif
