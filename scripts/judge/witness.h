/* SPDX-License-Identifier: MIT */
/*
 * witness.h - what a program's socket calls were told, call by call, in memory
 * that it shares with whoever watches it.
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
 * One call, or a run of the same call with the same outcome, such as a
 * busy-poll's million refusals.
 */
struct seen {
    int64_t began, ended; /* CLOCK_MONOTONIC, ns: of the first, of the last */
    uint64_t times;
    int64_t asked;   /* bytes; of poll, epoll_wait, select: ms; SO_ERROR... */
    int64_t result;  /* what it returned; of getsockopt(SO_ERROR): the error */
    int64_t longest; /* ns inside one of them */
    int32_t call;    /* enum call */
    int32_t fd;      /* -1 for those that have none */
    int32_t error;   /* errno where the result is -1, otherwise 0 */
    uint32_t events; /* POLLIN, POLLOUT, ...: which a wait reported */
    bool blocking;   /* the descriptor lacked O_NONBLOCK */
    /* Of a wait, those up to 63: which it was to look at, and which stood in
     * the sets of select at or above the number it was given. */
    uint64_t watched, beyond;
};

enum { SEEN_MOST = 4096, NOWHERE = -1 };

struct witness {
    uint64_t count; /* of runs so far; the last SEEN_MOST of them are kept */
    uint64_t calls[CALLS];
    struct seen inside; /* the call it is in, its began and what it was asked */
    int32_t is_inside;
    struct seen seen[SEEN_MOST];
};

#endif
