/* SPDX-License-Identifier: MIT */
/*
 * injector.h - one fault, for one program. The driver writes it into memory
 * that it shares with the injector, which counts the program's calls and makes
 * one of them fail.
 */
#ifndef WOULDBLOCK_INJECTOR_H
#define WOULDBLOCK_INJECTOR_H

#include <stdbool.h>

#define EACH_CALL(CALL)                                                        \
    CALL(socket)                                                               \
    CALL(bind)                                                                 \
    CALL(listen)                                                               \
    CALL(accept)                                                               \
    CALL(connect)                                                              \
    CALL(getsockname)                                                          \
    CALL(getpeername)                                                          \
    CALL(getsockopt)                                                           \
    CALL(setsockopt)                                                           \
    CALL(shutdown)                                                             \
    CALL(send)                                                                 \
    CALL(sendto)                                                               \
    CALL(sendmsg)                                                              \
    CALL(recv)                                                                 \
    CALL(recvfrom)                                                             \
    CALL(recvmsg)                                                              \
    CALL(read)                                                                 \
    CALL(write)                                                                \
    CALL(poll)                                                                 \
    CALL(select)                                                               \
    CALL(epoll_create1)                                                        \
    CALL(epoll_ctl)                                                            \
    CALL(epoll_wait)                                                           \
    CALL(fcntl)                                                                \
    CALL(ioctl)                                                                \
    CALL(open)                                                                 \
    CALL(getrlimit)                                                            \
    CALL(setrlimit)                                                            \
    CALL(getaddrinfo)                                                          \
    CALL(getline)                                                              \
    CALL(malloc)                                                               \
    CALL(calloc)                                                               \
    CALL(realloc)

enum call {
#define CALL(name) CALL_##name,
    EACH_CALL(CALL)
#undef CALL
        CALLS,
    NO_CALL = -1
};

/* Not an error: the call moves one byte only. */
enum { CUT_SHORT = -1 };

struct fault {
    int call;  /* enum call; NO_CALL: no fault */
    int error; /* errno, CUT_SHORT, or an EAI_... of getaddrinfo */
    int first; /* the number of the call that fails; the first one is 1 */
    bool on;   /* all later ones fail as well */
};

struct injection {
    struct fault fault;   /* read by the injector */
    unsigned made[CALLS]; /* how many calls of each kind there were */
    unsigned reached;     /* how many of them failed by injection */
};

/* The name of the variable that names the descriptor of a struct injection. */
#define INJECTION "WB_INJECTION"

#endif
