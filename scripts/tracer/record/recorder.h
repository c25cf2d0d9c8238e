/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - the inside of the recorder: what every recorded call does. It
 * is here, and inline, for it must cost next to nothing.
 */
#ifndef WOULDBLOCK_RECORDER_H
#define WOULDBLOCK_RECORDER_H

#include "../trace_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* What is known of a descriptor. */
struct descriptor {
    uint8_t kind;
    uint8_t flags; /* FLAG_NONBLOCKING, FLAG_DATAGRAM */
    bool named;    /* both its addresses are written down */
    char spare;
};
enum { UNKNOWN, SOCKET, OTHER };

/* All of them, by number, and two more behind: one that is known as long as
 * this process knows itself, and one for all numbers beyond. A child finds the
 * table empty, however it came about (MADV_WIPEONFORK, madvise(2)). NULL:
 * nothing is recorded. */
extern struct descriptor *descriptors;
extern unsigned descriptor_count;
#define SELF   (descriptors + descriptor_count)
#define BEYOND (descriptors + descriptor_count + 1)

/* Runs are kept apart by descriptor and kind of call; those of calls that have
 * no descriptor by call. A place for each: */
enum { GROUP_SETUP, GROUP_OPENS, GROUP_SENDS, GROUP_RECEIVES, GROUP_WAITS };
#define GROUP_SLEEPS GROUP_WAITS
#define PLACES       8  /* of a descriptor */
#define FIRST_PLACES 64 /* of calls without one */
#define NO_PLACE     UINT32_MAX

static const uint8_t group_of[] = {
#define CALL(name, kind) [CALL_##name] = GROUP_##kind,
    EACH_CALL(CALL)
#undef CALL
};

/* What a thread is up to. A signal's handler may come in between at any point,
 * make calls of its own, and even leave by longjmp(3). */
struct recording {
    struct trace_block *window; /* NULL: nothing is recorded now */
    uint16_t *latest;           /* by place: the record of its latest run */
    uint32_t places;            /* as many of them are there */
    uint32_t since;             /* runs that began with an earlier record of the
                                   window have ended */
    volatile bool busy;         /* a record is being written */
    bool away;                  /* in a child that borrows the memory, vfork(2),
                                   or at the very end: nothing is recorded */
    bool failed;                /* there is no window to be had */
    bool filter_ends_it;        /* under a filter there is no clock */
    uint8_t pause;              /* so many calls until that is tried again */
    atomic_uint later;          /* records that came while it was busy */
    volatile unsigned taken;    /* of them are written, or just being so */
    uint64_t left;              /* tick at which its latest call came back */
    uint64_t cpu;               /* it had used by the latest long pause, ns */
};
extern __thread struct recording own __attribute__((tls_model("initial-exec")));
extern enum trace_clock trace_clock;

/*
 * Under a filter of system calls (seccomp(2)) that the program has set, a call
 * that it never makes itself may be its death. So before a filter is set, what
 * will be needed is prepared, and from then on the recorder makes no system
 * call at all: calls go on to be recorded, into blocks that are mapped already;
 * but addresses of new sockets and waits elsewhere stay unknown, and children
 * are not recorded.
 */
bool is_filtered(void);
bool filter_ahead(void); /* false: there is nothing to do behind it */
void filter_behind(bool is_set);

/* A function that the recorder stands in for. */
struct stand_in {
    void **real;
    const char *name;
};

/* The slow paths. None of them changes errno. */
struct descriptor *look(int fd);
struct descriptor *know(int fd);
bool wake(void);
void look_back(uint64_t until);
void record(const struct trace_record *r, uint32_t place);
void catch_up(void);
void became(int fd, int kind, int type, bool nonblocking);
void copied(int from, int to);
void forget(int fd);
void forget_range(unsigned first, unsigned last);
void name_local(int fd);
void name_ends(int fd);
void name_peer(int fd, const void *address, unsigned length);
void reaped(int pid, int status);
void jumps(void);
void forked(void);
void ends(void);
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

/* What a call on this descriptor has to know about it; NULL if the call is not
 * to be recorded. */
static inline struct descriptor *watching(int fd)
{
    if (own.window && slot(fd)->kind != UNKNOWN)
        return slot(fd);
    return look(fd);
}

/* Is a call without a descriptor to be recorded? */
static inline bool awake(void)
{
    return (own.window && SELF->kind != UNKNOWN) || wake();
}

/* Numbers as a record has them. */
static inline int32_t limited(int64_t number)
{
    return number > INT32_MAX   ? INT32_MAX
           : number < INT32_MIN ? INT32_MIN
                                : (int32_t)number;
}

/* A call that is under way; and the one that it came into, if a signal's
 * handler made it. */
struct stay {
    uint64_t began, outer;
    int32_t outer_fd, outer_call, outer_asked, outer_more;
};

/* A call begins. One that may wait says so first, in case the program does not
 * live to see its end. */
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

/* It has come back. */
static inline void come_back(const struct stay *stay)
{
    struct trace_block *const window = own.window;

    window->inside_fd = stay->outer_fd;
    window->inside_call = stay->outer_call;
    window->inside_asked = stay->outer_asked;
    window->inside_more = stay->outer_more;
    atomic_store_explicit(&window->inside, stay->outer, memory_order_release);
}

/* Lengths of time, in ticks. */
struct lengths {
    /* Runs of what brought nothing may pause for so long; what moved bytes is
     * worth a record of its own, unless it is one of a burst. What may wait and
     * comes back sooner than that has not waited. */
    uint64_t pause, burst;
    /* Between two calls: worth a look at whether the thread was running. */
    int64_t while_away;
    /* Of files, pipes and terminals a wait as long as this is of interest. */
    uint64_t worth_a_word;
};
extern struct lengths lengths;

/* How many records stand in the window. */
static inline uint32_t records_written(void)
{
    return (uint32_t)atomic_load_explicit(&own.window->count,
                                          memory_order_relaxed);
}

/* Was it the same call, and was it asked and told the same? */
static inline bool same_answer(const struct trace_record *a,
                               const struct trace_record *b)
{
    return a->fd == b->fd && a->call == b->call && a->flags == b->flags &&
           a->error == b->error && a->result == b->result &&
           a->asked == b->asked && a->more == b->more;
}

/* Has the call waited? */
static inline bool has_waited(const struct trace_record *r)
{
    return !(r->flags & FLAG_NONBLOCKING) &&
           r->ended - r->began >= lengths.burst;
}

/*
 * One more of the latest run here? What stands beyond the last record has no
 * call.
 *
 * A run is drawn as if its calls were spread evenly over its time. So a run of
 * what brought nothing goes on only while its thread does nothing else but ask
 * and be told the same as before: it may ask elsewhere in between, but any new
 * answer, transfer or wait ends the run. A wait goes on only if it is the very
 * next call.
 */
static inline bool fold(const struct trace_record *next, uint32_t place)
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
    /* In this order: who looks in between must not see more inside of the
     * run than it is long. */
    r->ended = next->ended;
    atomic_signal_fence(memory_order_seq_cst);
    r->inside += next->inside;
    r->times++;
    return true;
}

/* A call has ended: one more of a run, or a record of its own. Inlined at any
 * cost, for a call more is a tenth of all that it takes. */
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
    bool folded = false;

    /* A signal's handler may have forked, and this be the child. */
    if (!own.window)
        return;
    if (!(flags & FLAG_NONBLOCKING))
        come_back(stay);
    if ((int64_t)(stay->began - own.left) > lengths.while_away)
        look_back(stay->began);
    own.left = ended;
    if (place < own.places && !own.busy) {
        own.busy = true;
        atomic_signal_fence(memory_order_seq_cst);
        folded = fold(&r, place);
        atomic_signal_fence(memory_order_seq_cst);
        own.busy = false;
        if (atomic_load_explicit(&own.later, memory_order_relaxed))
            catch_up();
    }
    if (!folded)
        record(&r, place);
}

/* Where the runs of a call on a descriptor are kept. */
static inline uint32_t place_of(enum call call, int fd)
{
    return fd < 0 ? (uint32_t)call
                  : FIRST_PLACES + (uint32_t)fd * PLACES + group_of[call];
}

#endif
