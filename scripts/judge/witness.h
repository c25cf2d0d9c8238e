/* SPDX-License-Identifier: MIT */
/*
 * witness.h - the results of a program's socket calls, call by call, in memory
 * that the program shares with its observer.
 */
#ifndef WOULDBLOCK_WITNESS_H
#define WOULDBLOCK_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#define EACH_CALL(CALL)                                                        \
    CALL(socket)                                                               \
    CALL(listen)                                                               \
    CALL(accept)                                                               \
    CALL(accept4)                                                              \
    CALL(connect)                                                              \
    CALL(recv)                                                                 \
    CALL(recvfrom)                                                             \
    CALL(recvmsg)                                                              \
    CALL(read)                                                                 \
    CALL(send)                                                                 \
    CALL(sendto)                                                               \
    CALL(sendmsg)                                                              \
    CALL(write)                                                                \
    CALL(shutdown)                                                             \
    CALL(close)                                                                \
    CALL(getsockopt)                                                           \
    CALL(poll)                                                                 \
    CALL(ppoll)                                                                \
    CALL(select)                                                               \
    CALL(pselect)                                                              \
    CALL(epoll_ctl)                                                            \
    CALL(epoll_wait)                                                           \
    CALL(sleep)                                                                \
    CALL(usleep)                                                               \
    CALL(nanosleep)                                                            \
    CALL(clock_nanosleep)

enum call {
#define CALL(name) CALL_##name,
    EACH_CALL(CALL)
#undef CALL
        CALLS
};

/*
 * One call, or a run of the same call with the same outcome, such as a million
 * EAGAINs of a busy-poll.
 */
struct seen {
    int64_t began, ended; /* CLOCK_MONOTONIC, ns: first start, last end */
    uint64_t times;
    int64_t asked;   /* bytes; of poll, epoll_wait, select: ms; SO_ERROR... */
    int64_t result;  /* what it returned; of getsockopt(SO_ERROR): the error */
    int64_t longest; /* ns in the longest of these calls */
    int32_t call;    /* enum call */
    int32_t fd;      /* -1: the call has no descriptor */
    int32_t error;   /* errno if result is -1, otherwise 0 */
    uint32_t events; /* POLLIN, POLLOUT, ...: what a wait reported */
    bool blocking;   /* the descriptor lacked O_NONBLOCK */
    /* Of a wait, descriptors up to 63: those it watched, and those in select's
     * sets at or above select's first argument. */
    uint64_t watched, beyond;
};

enum { SEEN_MOST = 4096, NOWHERE = -1 };

struct witness {
    uint64_t count; /* runs so far; the last SEEN_MOST are kept */
    uint64_t calls[CALLS];
    struct seen inside; /* the call it is in: began and asked */
    int32_t is_inside;
    struct seen seen[SEEN_MOST];
};

#endif
