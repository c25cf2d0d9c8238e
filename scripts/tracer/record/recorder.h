/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - what every recorded call does. The functions are inline here,
 * since they must cost almost nothing.
 */
#ifndef WOULDBLOCK_RECORDER_H
#define WOULDBLOCK_RECORDER_H

#include "../trace_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* What we know about a descriptor. */
struct descriptor {
    uint8_t kind;
    uint8_t flags; /* FLAG_NONBLOCKING, FLAG_DATAGRAM */
    bool named;    /* both its addresses are recorded */
    char spare;
};
enum { UNKNOWN, SOCKET, OTHER };

/* All descriptors by number, and two more entries: one that is known as long as
 * the recorder knows its own process, and one for all higher numbers. The
 * kernel clears the table in every kind of child (MADV_WIPEONFORK, madvise(2)).
 * NULL: nothing is recorded. */
extern struct descriptor *descriptors;
extern unsigned descriptor_count;
#define SELF   (descriptors + descriptor_count)
#define BEYOND (descriptors + descriptor_count + 1)

/* There is one run at a time for each descriptor and group of calls, and for
 * each call without a descriptor. The number of places for them: */
enum { GROUP_SETUP, GROUP_OPENS, GROUP_SENDS, GROUP_RECEIVES, GROUP_WAITS };
#define GROUP_SLEEPS GROUP_WAITS
#define PLACES       8  /* for each descriptor */
#define FIRST_PLACES 64 /* for calls without a descriptor */
#define NO_PLACE     UINT32_MAX

static const uint8_t group_of[] = {
#define CALL(name, kind) [CALL_##name] = GROUP_##kind,
    EACH_CALL(CALL)
#undef CALL
};

/* The state of a thread. A signal handler may interrupt the recorder at any
 * point, make calls of its own, and even leave by longjmp(3). */
struct recording {
    struct trace_block *window; /* NULL: not recording now */
    uint16_t *latest;           /* by place: the record of its latest run */
    uint32_t places;            /* length of latest */
    uint32_t since;             /* runs with an earlier record have ended */
    volatile bool busy;         /* a record is being written */
    bool away;   /* a vfork(2) child, or the very end: nothing is recorded */
    bool failed; /* it could not get a window */
    bool filter_ends_it;     /* the clock may need a system call */
    uint8_t pause;           /* calls to skip before it tries again */
    atomic_uint later;       /* records that a signal handler made meanwhile */
    volatile unsigned taken; /* how many of these are being written */
    uint64_t left;           /* tick at which its latest call returned */
    uint64_t cpu; /* processor time used up to the latest long gap, ns */
};
extern __thread struct recording own __attribute__((tls_model("initial-exec")));
extern enum trace_clock trace_clock;

/*
 * A system call filter (seccomp(2)) of the program may kill it for a call that
 * the program itself never makes. So before a filter is set, the recorder
 * prepares what it will need; afterwards it makes no system call at all. It
 * goes on recording calls, into blocks that are mapped already; but addresses
 * of new sockets and time between calls stay unknown, and children are not
 * recorded.
 */
bool is_filtered(void);
bool before_filter(void); /* false: do not call after_filter */
void after_filter(bool is_set);

/* A function of the C library that the recorder replaces. */
struct stand_in {
    void **real;
    const char *name;
};

/* The slow paths. None of them changes errno. */
struct descriptor *learn_descriptor(int fd);
struct descriptor *learn_kind(int fd);
bool make_recordable(void);
void check_gap(uint64_t until);
void record(const struct trace_record *r, uint32_t place);
void write_postponed(void);
void set_descriptor(int fd, int kind, int type, bool nonblocking);
void copied(int from, int to);
void forget(int fd);
void forget_range(unsigned first, unsigned last);
void name_local(int fd);
void name_ends(int fd);
void name_peer(int fd, const void *address, unsigned length);
void reaped(int pid, int status);
void before_jump(void);
void forked(void);
void process_ends(void);
void *find_real(const char *name);

static inline uint64_t tick(void)
{
    struct timespec t;

    if (trace_clock == CLOCK_OF_TICKS)
        return counter();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline struct descriptor *slot(int fd)
{
    return (unsigned)fd < descriptor_count ? &descriptors[fd] : BEYOND;
}

/* The entry of this descriptor; NULL if its calls are not recorded. */
static inline struct descriptor *watching(int fd)
{
    if (own.window && slot(fd)->kind != UNKNOWN)
        return slot(fd);
    return learn_descriptor(fd);
}

/* Are calls without a descriptor recorded? */
static inline bool is_recordable(void)
{
    return (own.window && SELF->kind != UNKNOWN) || make_recordable();
}

/* Limit a number to what a record can hold. */
static inline int32_t limited(int64_t number)
{
    return number > INT32_MAX   ? INT32_MAX
           : number < INT32_MIN ? INT32_MIN
                                : (int32_t)number;
}

/* A call that has begun; and the call that a signal handler interrupted to make
 * it. */
struct stay {
    uint64_t began, outer;
    int32_t outer_fd, outer_call, outer_asked, outer_more;
};

/* A call begins. If it may wait, announce it in the window first: the program
 * may be killed in it. */
static inline void enter(struct stay *stay, enum call call, int fd,
                         unsigned flags, int64_t asked, int64_t more)
{
    struct trace_block *const window = own.window;

    *stay = (struct stay){.began = tick()};
    if (!(flags & FLAG_NONBLOCKING) && window) {
        stay->outer =
            atomic_load_explicit(&window->inside, memory_order_relaxed);
        stay->outer_fd = window->inside_fd;
        stay->outer_call = window->inside_call;
        stay->outer_asked = window->inside_asked;
        stay->outer_more = window->inside_more;
        window->inside_fd = fd;
        window->inside_call = (int32_t)call;
        window->inside_asked = limited(asked);
        window->inside_more = (int32_t)more;
        atomic_store_explicit(&window->inside, stay->began,
                              memory_order_release);
    }
}

/* The call has returned. */
static inline void come_back(const struct stay *stay)
{
    struct trace_block *const window = own.window;

    window->inside_fd = stay->outer_fd;
    window->inside_call = stay->outer_call;
    window->inside_asked = stay->outer_asked;
    window->inside_more = stay->outer_more;
    atomic_store_explicit(&window->inside, stay->outer, memory_order_release);
}

/* Limits of time, in ticks. */
struct lengths {
    /* A longer pause ends a run of calls without a result. A longer gap ends a
     * run of calls that moved bytes. A call that may wait, but returns sooner
     * than `burst`, did not wait. */
    uint64_t pause, burst;
    /* After a longer gap between two calls, check whether the thread was
     * running. */
    int64_t gap;
    /* On files, pipes and terminals, only longer calls are recorded. */
    uint64_t file_wait;
};
extern struct lengths lengths;

/* How many records are in the window. */
static inline uint32_t records_written(void)
{
    return (uint32_t)atomic_load_explicit(&own.window->count,
                                          memory_order_relaxed);
}

/* The same call with the same arguments and the same result? */
static inline bool same_answer(const struct trace_record *a,
                               const struct trace_record *b)
{
    return a->fd == b->fd && a->call == b->call && a->flags == b->flags &&
           a->error == b->error && a->result == b->result &&
           a->asked == b->asked && a->more == b->more;
}

/* Did the call wait? */
static inline bool has_waited(const struct trace_record *r)
{
    return !(r->flags & FLAG_NONBLOCKING) &&
           r->ended - r->began >= lengths.burst;
}

/*
 * Try to merge a call into the latest record of its place. Records beyond the
 * last one have no call.
 *
 * A run is drawn as if its calls were spread evenly over its time. So a run of
 * calls without a result goes on only while the thread does nothing else than
 * repeat calls and get the same results. It may make other such calls in
 * between, but any new result, transfer or wait ends the run. A run of waits
 * goes on only if the next wait is the very next call.
 */
static inline bool merge_into_run(const struct trace_record *next,
                                  uint32_t place)
{
    const uint32_t number = own.latest[place];
    struct trace_record *const r = &own.window->records[number];

    if (!same_answer(r, next) || r->times == UINT32_MAX)
        return false;
    if (next->result > 0) {
        if (next->began - r->ended >= lengths.burst ||
            next->inside >= lengths.burst)
            return false;
        if (group_of[next->call] != GROUP_WAITS)
            own.since = records_written();
    } else {
        const bool waited = has_waited(next);
        const uint32_t first = waited ? records_written() - 1 : own.since;

        if (next->began - r->ended >= lengths.pause || number < first)
            return false;
        if (waited)
            own.since = number + 1;
    }
    /* In this order: a reader that looks in between must not find more time
     * inside of the run than the run is long. */
    r->ended = next->ended;
    atomic_signal_fence(memory_order_seq_cst);
    r->inside += next->inside;
    r->times++;
    return true;
}

/* A call has ended: merge it into a run, or make a new record. Always inline:
 * one more function call would add a tenth to the cost. */
__attribute__((always_inline)) static inline void
leave(const struct stay *stay, enum call call, int fd, uint32_t place,
      unsigned flags, int error, int64_t result, int64_t asked, int64_t more)
{
    const uint64_t ended = tick();
    const struct trace_record r = {
        .began = stay->began,
        .ended = ended,
        .inside = ended - stay->began,
        .result = limited(result),
        .asked = limited(asked),
        .more = (int32_t)more,
        .times = 1,
        .fd = fd,
        .call = (uint8_t)call,
        .flags = (uint8_t)flags,
        .error = (int16_t)error,
    };
    bool merged = false;

    /* A signal handler may have forked, and this may be the child. */
    if (!own.window)
        return;
    if (!(flags & FLAG_NONBLOCKING))
        come_back(stay);
    if ((int64_t)(stay->began - own.left) > lengths.gap)
        check_gap(stay->began);
    own.left = ended;
    if (place < own.places && !own.busy) {
        own.busy = true;
        atomic_signal_fence(memory_order_seq_cst);
        merged = merge_into_run(&r, place);
        atomic_signal_fence(memory_order_seq_cst);
        own.busy = false;
        if (atomic_load_explicit(&own.later, memory_order_relaxed))
            write_postponed();
    }
    if (!merged)
        record(&r, place);
}

/* The place of the runs of a call on a descriptor. */
static inline uint32_t place_of(enum call call, int fd)
{
    return fd < 0 ? (uint32_t)call
                  : FIRST_PLACES + (uint32_t)fd * PLACES + group_of[call];
}

#endif
