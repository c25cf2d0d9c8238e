/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - the inside of the recorder: what every recorded call does. It
 * is here, and inline, for it must cost next to nothing.
 */
#ifndef WOULDBLOCK_RECORDER_H
#define WOULDBLOCK_RECORDER_H

#include "trace_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* What is known of a descriptor. */
struct descriptor {
    uint32_t window; /* which window its latest record is in... */
    uint16_t record; /* ...and where there */
    uint8_t kind;
    uint8_t flags; /* FLAG_NONBLOCKING, FLAG_DATAGRAM */
    bool named;    /* its addresses are written down */
};
enum { UNKNOWN, SOCKET, OTHER };

/* Waits and sleeps have no descriptor; their runs are kept behind the real
 * ones. Those beyond are recorded one by one. */
enum {
    DESCRIPTORS = 1 << 20,
    OF_WAITS = DESCRIPTORS,
    OF_SLEEPS,
    BEYOND,
    SLOTS,
};
extern struct descriptor *descriptors;

/* What a thread is up to. */
struct recording {
    struct trace_block *window; /* NULL: nothing is recorded, now or ever */
    uint32_t serial;            /* of the window, different after each flush */
    bool ready;                 /* window was made, or could not be */
    volatile bool busy;         /* a signal handler's calls must not enter */
};
extern __thread struct recording own __attribute__((tls_model("initial-exec")));
extern enum trace_clock trace_clock;

/* The slow paths. None of them changes errno. */
bool make_window(void);
struct trace_record *append(void);
void look_at(int fd);
void became(int fd, int kind, int type, bool nonblocking);
void name_local(int fd);
void name_ends(int fd);
void name_peer(int fd, const void *address, unsigned length);
void reaped(int pid, int status);
void forked(void);
void ends(void);

static inline uint64_t tick(void)
{
    struct timespec t;

    if (trace_clock == CLOCK_OF_TICKS)
        return counter();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Does this thread record? */
static inline bool recording(void)
{
    return (own.window || (!own.ready && make_window())) && !own.busy;
}

static inline struct descriptor *slot(int fd)
{
    return &descriptors[fd >= 0 && fd < DESCRIPTORS ? fd : BEYOND];
}

/* The same, of one whose kind is known, if it can be. */
static inline struct descriptor *known(int fd)
{
    struct descriptor *d = slot(fd);

    if (d->kind == UNKNOWN)
        look_at(fd);
    return d;
}

/* A call begins. One that may wait says so first, in case the program does not
 * live to see its end. */
static inline uint64_t enter(enum call call, int fd, unsigned flags)
{
    const uint64_t began = tick();

    if (!(flags & FLAG_NONBLOCKING)) {
        own.window->inside_fd = fd;
        own.window->inside_call = (int32_t)call;
        atomic_store_explicit(&own.window->inside, began, memory_order_release);
    }
    return began;
}

/* Runs of what brought nothing may take their time. What moved bytes is worth
 * a record of its own, unless it is one of a burst. */
#define LONG_PAUSE  ((uint64_t)1 << 28) /* ticks: about a tenth of a second */
#define SHORT_PAUSE ((uint64_t)1 << 17) /* about 50 us */

/* A call has ended: one more of a run, or a record of its own. */
static inline void leave(enum call call, int fd, struct descriptor *d,
                         unsigned flags, uint64_t began, int64_t result,
                         int64_t asked, int64_t more)
{
    const uint64_t ended = tick();
    const int16_t error = result == -1 ? (int16_t)errno : 0;
    const uint64_t most = result > 0 ? SHORT_PAUSE : LONG_PAUSE;
    struct trace_record *r;

    if (!(flags & FLAG_NONBLOCKING))
        atomic_store_explicit(&own.window->inside, 0, memory_order_relaxed);

    r = &own.window->records[d->record];
    if (d->window == own.serial && r->call == call && r->error == error &&
        r->result == (int32_t)result && r->asked == (int32_t)asked &&
        r->more == (int32_t)more && r->flags == flags && r->fd == fd &&
        began - r->ended < most && (result <= 0 || ended - began < most) &&
        r->times < UINT32_MAX) {
        r->ended = ended;
        r->inside += ended - began;
        r->times++;
        return;
    }

    own.busy = true;
    r = append();
    if (r) {
        r->began = began;
        r->ended = ended;
        r->inside = ended - began;
        r->result = (int32_t)result;
        r->asked = (int32_t)asked;
        r->more = (int32_t)more;
        r->times = 1;
        r->fd = fd;
        r->call = (uint8_t)call;
        r->flags = (uint8_t)flags;
        r->error = error;
        d->window = own.serial;
        d->record = (uint16_t)(r - own.window->records);
        atomic_fetch_add_explicit(&own.window->count, 1, memory_order_release);
    }
    own.busy = false;
}

/* The same of a call that is no part of a run. */
static inline void leave_alone(enum call call, int fd, unsigned flags,
                               uint64_t began, int64_t result, int64_t asked,
                               int64_t more)
{
    leave(call, fd, &descriptors[BEYOND], flags, began, result, asked, more);
    descriptors[BEYOND].window = 0;
}

#endif
