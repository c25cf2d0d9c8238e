/* SPDX-License-Identifier: MIT */
/*
 * trace_file.h - the file format of a trace.
 *
 * One file holds the calls of any number of processes: a header, then blocks
 * of TRACE_BLOCK bytes each. Each thread owns one block, its window. The window
 * is mapped: its contents are in the file, even if the process is killed the
 * next moment. A full window is copied to a new block and used again, with the
 * next serial number. So no block belongs to two threads, no block ever moves,
 * and a reader may look at any time: if it finds a serial number twice, the
 * window was just being copied. An unfinished block has no magic number, and
 * readers skip it.
 *
 * Numbers have the byte order and sizes of the machine: read a trace where it
 * was recorded.
 */
#ifndef WOULDBLOCK_TRACE_FILE_H
#define WOULDBLOCK_TRACE_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The calls, and the group of each. */
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
    /* Not a recorded call, but time between two calls in which the thread used
     * less than a quarter of a processor. It was in another call, such as the
     * read of fgets(3), or waited for a processor. */
    CALL_elsewhere,
    CALLS,
    /* Notes: records that are no calls. */
    NOTE_NAME = 128, /* text: the name of the process */
    NOTE_LOCAL,      /* address of fd on this side */
    NOTE_PEER,       /* address of fd on the other side */
    NOTE_EXIT,   /* the process ended by itself; inside: processor time in us,
                    UINT64_MAX if unknown */
    NOTE_REAPED, /* fd: pid of a child that has ended; result: how it ended */
    NOTE_SAME,   /* fd now means the same as the descriptor in result */
    NOTE_THREAD, /* the thread ended */
    NOTE_FILTER, /* it set a seccomp filter, see recorder.h; result: recording
                    ends here */
};

/* The mode of the descriptor, and how the call was made. */
enum {
    /* O_NONBLOCK, MSG_DONTWAIT, or a wait with a timeout of 0. */
    FLAG_NONBLOCKING = 1,
    FLAG_PEEK = 2,       /* MSG_PEEK: the bytes stay in the socket's buffer */
    FLAG_DATAGRAM = 4,   /* a datagram socket */
    FLAG_UNFINISHED = 8, /* the thread left it without a result: cancelled, or
                            by longjmp(3) from a signal handler */
    FLAG_FILE = 16,      /* read, write: the descriptor is no socket */
};

/*
 * One call, or a run: the same call on the same descriptor by the same thread,
 * with the same arguments and the same result. Within a run the thread got no
 * new result, moved no bytes and did not wait, but it may have made other runs
 * of this sort. Calls that moved bytes, or found something ready, make a run
 * only if they followed each other within 50 us, whatever was in between.
 *
 * The meaning of asked and more:
 *
 *     sends, receives   bytes asked for; the port named in the call, or 0
 *     select, poll      timeout in us (-1: none); descriptors << 16 | what any
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
    uint64_t began, ended; /* ticks: start of the first call, end of the last */
    union {
        struct {
            uint64_t inside; /* ticks in all calls together */
            int32_t result;  /* return value of each call */
            int32_t asked, more;
            uint32_t times;
        };
        struct { /* NOTE_LOCAL, NOTE_PEER */
            uint16_t family, port;
            uint32_t scope;
            /* A long path is cut off at the front; an abstract one begins
             * with @. */
            unsigned char address[16];
        };
        char text[24]; /* with a final 0 only if it is shorter */
    };
    int32_t fd; /* -1: the call has no descriptor */
    uint8_t call;
    uint8_t flags;
    int16_t error; /* errno if result is -1, otherwise 0; of clock_nanosleep the
                      return value */
};

enum {
    TRACE_BLOCK = 16384,
    TRACE_BEGIN = 4096, /* offset of the first block */
    TRACE_VERSION = 2,
    TRACE_MAGIC = 0x6b4c4277, /* magic number of a block: wBLk */
    BLOCK_RECORDS = (TRACE_BLOCK - 72) / (int)sizeof(struct trace_record),
};

struct trace_block {
    uint32_t magic;
    int32_t pid, tid, parent;
    uint64_t image; /* tick of the exec or fork, since pids are used again */
    atomic_uint_fast64_t count; /* complete records */
    uint64_t lost;              /* calls so far that could not be recorded */
    /* The call that the thread is in and that may wait; 0: none. */
    atomic_uint_fast64_t inside; /* tick at which it began */
    int32_t inside_fd, inside_call, inside_asked, inside_more;
    uint32_t serial; /* within this image; the window gets a new number each
                        time it is used again */
    uint32_t moved;  /* a copy, not a window */
    struct trace_record records[BLOCK_RECORDS];
    unsigned char rest[TRACE_BLOCK - 72 - BLOCK_RECORDS * 48];
};

/* One moment on two clocks: in ticks, and in ns of CLOCK_MONOTONIC. */
struct trace_moment {
    uint64_t tick;
    int64_t ns;
};

/* What a tick is: a nanosecond of clock_gettime(), which may or may not need a
 * system call (vdso(7)), or one of the processor's own counter. */
enum trace_clock {
    CLOCK_OF_NANOSECONDS,
    CLOCK_OF_TICKS,
    CLOCK_WITHOUT_CALLS,
};

struct trace_header {
    char magic[8]; /* "wbtrace" */
    uint32_t version, block;
    uint32_t clock;                   /* enum trace_clock */
    atomic_int running;               /* commands that still run */
    double ns_of_tick;                /* a first guess */
    struct trace_moment first;        /* when recording began */
    atomic_uint_fast64_t latest_tick; /* later: gives the rate */
    atomic_int_fast64_t latest_ns;
    atomic_uint_fast64_t size;  /* of the part of the file that is taken */
    uint64_t limit;             /* the file must not grow beyond this */
    atomic_uint_fast64_t ended; /* tick at which the latest command ended */
    atomic_uint_fast64_t lost;  /* calls of threads that got no window */
    char command[256];          /* the commands; a long list is cut off */
};

_Static_assert(sizeof(struct trace_record) == 48, "a record is 48 bytes");
_Static_assert(sizeof(struct trace_block) == TRACE_BLOCK, "a block fits");
_Static_assert(offsetof(struct trace_block, records) == 72, "its head as well");
_Static_assert(sizeof(struct trace_header) <= TRACE_BEGIN, "a header fits");

/*
 * How many system call filters (seccomp(2)) a process is under, from its
 * /proc/self/status; before Linux 5.9, 1 stands for any number. The recorder is
 * told the number when recording begins (WB_TRACE_FILTERS): filters that
 * existed by then do no harm, such as the one that a container has for all its
 * processes.
 */
static inline long filters_in(const char *status)
{
    const char *line = strstr(status, "\nSeccomp_filters:");

    line = line ? line : strstr(status, "\nSeccomp:");
    return line ? strtol(strchr(line, ':') + 1, NULL, 10) : 0;
}
enum { STATUS_SIZE = 8192 }; /* enough for that file */

/*
 * The processor's own counter costs half as much as clock_gettime(), and
 * reading the clock twice is most of the cost of a recorded call. The counter
 * is used if it runs at the same speed on all processors (clock:
 * CLOCK_OF_TICKS).
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

/* Read both clocks. The thread may be interrupted between the two reads, so try
 * several times and keep the shortest try. */
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
