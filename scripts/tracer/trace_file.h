/* SPDX-License-Identifier: MIT */
/*
 * trace_file.h - how a trace lies in its file.
 *
 * One file holds what any number of processes did. It is a header and then
 * blocks, all of TRACE_BLOCK bytes. Each thread owns one block, its window: it
 * is mapped, so what stands there is in the file, even if the process is killed
 * the next moment. A full window is copied to a new block and used again, with
 * the next number. So no block belongs to two threads, none is ever moved, and
 * a reader may look at any time: what it finds twice, with one number, is a
 * window that was being copied. A block that nobody finished has no magic
 * number: it is passed by.
 *
 * Numbers lie as the machine has them in memory: a trace is read where it was
 * made.
 */
#ifndef WOULDBLOCK_TRACE_FILE_H
#define WOULDBLOCK_TRACE_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The calls, and what kind of a call each is. */
#define EACH_CALL(CALL)                                                        \
    CALL(socket, SETUP)                                                        \
    CALL(socketpair, SETUP)                                                    \
    CALL(bind, SETUP)                                                          \
    CALL(listen, SETUP)                                                        \
    CALL(accept, OPENS)                                                        \
    CALL(accept4, OPENS)                                                       \
    CALL(connect, OPENS)                                                       \
    CALL(send, SENDS)                                                          \
    CALL(sendto, SENDS)                                                        \
    CALL(sendmsg, SENDS)                                                       \
    CALL(write, SENDS)                                                         \
    CALL(writev, SENDS)                                                        \
    CALL(recv, RECEIVES)                                                       \
    CALL(recvfrom, RECEIVES)                                                   \
    CALL(recvmsg, RECEIVES)                                                    \
    CALL(read, RECEIVES)                                                       \
    CALL(readv, RECEIVES)                                                      \
    CALL(select, WAITS)                                                        \
    CALL(pselect, WAITS)                                                       \
    CALL(poll, WAITS)                                                          \
    CALL(ppoll, WAITS)                                                         \
    CALL(epoll_wait, WAITS)                                                    \
    CALL(epoll_pwait, WAITS)                                                   \
    CALL(epoll_create, SETUP)                                                  \
    CALL(epoll_create1, SETUP)                                                 \
    CALL(epoll_ctl, SETUP)                                                     \
    CALL(fcntl, SETUP)                                                         \
    CALL(ioctl, SETUP)                                                         \
    CALL(getsockopt, SETUP)                                                    \
    CALL(setsockopt, SETUP)                                                    \
    CALL(shutdown, SETUP)                                                      \
    CALL(close, SETUP)                                                         \
    CALL(sleep, SLEEPS)                                                        \
    CALL(usleep, SLEEPS)                                                       \
    CALL(nanosleep, SLEEPS)                                                    \
    CALL(clock_nanosleep, SLEEPS)

enum call {
    CALL_none,
#define CALL(name, kind) CALL_##name,
    EACH_CALL(CALL)
#undef CALL
    /* No call that is recorded, but seen to take time: in between two calls
     * the thread used less than a quarter of a processor. It was in another
     * call, such as the read of fgets(3), or waited for a processor. */
    CALL_elsewhere,
    CALLS,
    /* What is no call, but has to be known. */
    NOTE_NAME = 128, /* text: what to call the process */
    NOTE_LOCAL,      /* the address of fd on this side */
    NOTE_PEER,       /* and of the other side */
    NOTE_EXIT,       /* the process ended by itself; inside: processor, us,
                        UINT64_MAX if it is not known */
    NOTE_REAPED,     /* fd: the pid of a child that has ended; result: how */
    NOTE_SAME,       /* fd is the same as the descriptor result from now on */
    NOTE_THREAD,     /* the thread ended */
    NOTE_FILTER,     /* it set a filter of system calls: see recorder.h;
                      * result: does recording end with that? */
};

/* How the descriptor was, or how the call was made. */
enum {
    FLAG_NONBLOCKING = 1, /* it may not wait: O_NONBLOCK, or MSG_DONTWAIT, or a
                             wait with a limit of 0 */
    FLAG_PEEK = 2,        /* MSG_PEEK: the bytes stay */
    FLAG_DATAGRAM = 4,    /* the socket is one of datagrams */
    FLAG_UNFINISHED = 8,  /* the thread left it without an answer: cancelled, or
                             by longjmp(3) out of a signal's handler */
    FLAG_FILE = 16,       /* read, write: it is no socket */
};

/*
 * One call; or a run of them: the same call on the same descriptor by the same
 * thread, asked the same and told the same. In between the thread was told
 * nothing new, moved nothing and did not wait; it may have made other runs that
 * are of the same sort. Only calls that moved bytes, or found something ready,
 * and followed each other within 50 us, make a run whatever was in between.
 *
 * asked and more are
 *
 *     sends, receives   bytes asked for; the port named in the call, or 0
 *     select, poll      limit in us (-1: none); descriptors << 16 | what any
 *                       of them reported (POLLIN...)
 *     epoll_wait        the same, of the most events to return
 *     sleeps            length in us; 0
 *     socket            type with its flags; family
 *     listen            length of the queue; 0
 *     shutdown          how; 0
 *     fcntl             F_SETFL; the flags
 *     ioctl             FIONBIO; its argument
 *     setsockopt        level << 16 | name; the value as an int
 *     getsockopt        SO_ERROR; the error
 *     epoll_ctl         the descriptor told about; operation << 16 | events,
 *                       and EPOLLET as bit 20
 */
struct trace_record {
    uint64_t began, ended; /* ticks: of the first, of the last */
    union {
        struct {
            uint64_t inside; /* ticks inside all of them together */
            int32_t result;  /* what each returned */
            int32_t asked, more;
            uint32_t times;
        };
        struct { /* NOTE_LOCAL, NOTE_PEER */
            uint16_t family, port;
            uint32_t scope;
            unsigned char address[16]; /* a path: its end, if it is longer; an
                                          abstract one begins with @ */
        };
        char text[24]; /* ended by a 0 only if it is shorter */
    };
    int32_t fd; /* -1 for those that have none */
    uint8_t call;
    uint8_t flags;
    int16_t error; /* errno where the result is -1, otherwise 0; what
                      clock_nanosleep returned */
};

enum {
    TRACE_BLOCK = 16384,
    TRACE_BEGIN = 4096, /* of the first block */
    TRACE_VERSION = 2,
    TRACE_MAGIC = 0x6b4c4277, /* of a block: wBLk */
    BLOCK_RECORDS = (TRACE_BLOCK - 72) / (int)sizeof(struct trace_record),
};

struct trace_block {
    uint32_t magic;
    int32_t pid, tid, parent;
    uint64_t image;             /* tick of the exec or fork: pids come again */
    atomic_uint_fast64_t count; /* of records that are whole */
    uint64_t lost;              /* calls that went unrecorded up to here */
    /* The call that the thread is in and may wait in; none: 0. */
    atomic_uint_fast64_t inside; /* tick of its begin */
    int32_t inside_fd, inside_call, inside_asked, inside_more;
    uint32_t serial; /* of this image: a window gets the next one when it is
                        used again */
    uint32_t moved;  /* a copy, not a window */
    struct trace_record records[BLOCK_RECORDS];
    unsigned char rest[TRACE_BLOCK - 72 - BLOCK_RECORDS * 48];
};

/* A tick and the same moment on CLOCK_MONOTONIC, in ns. */
struct trace_moment {
    uint64_t tick;
    int64_t ns;
};

/* What ticks are: nanoseconds, which may cost a system call or never do
 * (vdso(7)); or those of the processor's own counter. */
enum trace_clock {
    CLOCK_OF_NANOSECONDS,
    CLOCK_OF_TICKS,
    CLOCK_WITHOUT_CALLS,
};

struct trace_header {
    char magic[8]; /* "wbtrace" */
    uint32_t version, block;
    uint32_t clock;                   /* enum trace_clock */
    atomic_int running;               /* commands that have not ended yet */
    double ns_of_tick;                /* a first guess */
    struct trace_moment first;        /* when recording began */
    atomic_uint_fast64_t latest_tick; /* a late moment: the two give the rate */
    atomic_int_fast64_t latest_ns;
    atomic_uint_fast64_t size;  /* of the file as far as it is given away */
    uint64_t limit;             /* it must not grow beyond this */
    atomic_uint_fast64_t ended; /* tick at which the latest command ended */
    atomic_uint_fast64_t lost;  /* calls of threads that got no window */
    char command[256];          /* what was run, as far as it fits */
};

_Static_assert(sizeof(struct trace_record) == 48, "a record is 48 bytes");
_Static_assert(sizeof(struct trace_block) == TRACE_BLOCK, "a block fits");
_Static_assert(offsetof(struct trace_block, records) == 72, "its head as well");
_Static_assert(sizeof(struct trace_header) <= TRACE_BEGIN, "a header fits");

/*
 * How many filters of system calls (seccomp(2)) a process is under, from its
 * /proc/self/status; before Linux 5.9, 1 or more for any. The recorder is told
 * how many there were when recording began (WB_TRACE_FILTERS): with those it
 * can live, as a container has one for all.
 */
static inline long filters_in(const char *status)
{
    const char *line = strstr(status, "\nSeccomp_filters:");

    line = line ? line : strstr(status, "\nSeccomp:");
    return line ? strtol(strchr(line, ':') + 1, NULL, 10) : 0;
}
enum { STATUS_SIZE = 8192 }; /* of that file */

/*
 * The processor's own counter costs half of what clock_gettime() does, and two
 * looks at the clock are most of what a recorded call costs. It is used where
 * it runs at one speed on all processors (clock: CLOCK_OF_TICKS).
 */
#if defined __x86_64__ || defined __i386__
#define TICKS_EXIST 1
static inline uint64_t counter(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined __aarch64__
#define TICKS_EXIST 1
static inline uint64_t counter(void)
{
    uint64_t value;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
}
#else
#define TICKS_EXIST 0
static inline uint64_t counter(void)
{
    return 0;
}
#endif

/* Now, on both clocks. Whoever looks may be interrupted between the two: of
 * some looks the shortest counts. */
static inline struct trace_moment moment_now(enum trace_clock clock)
{
    struct trace_moment best = {0};
    uint64_t shortest = UINT64_MAX;

    for (int i = 0; i < 5; i++) {
        const uint64_t looked = counter();
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);

        const uint64_t took = counter() - looked;

        if (took < shortest) {
            shortest = took;
            best.tick = looked + took / 2;
            best.ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
        }
    }
    if (clock != CLOCK_OF_TICKS)
        best.tick = (uint64_t)best.ns;
    return best;
}

#endif
