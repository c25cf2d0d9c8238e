/* SPDX-License-Identifier: MIT */
/*
 * answer.h - what a socket call answered: one of five things.
 *
 * A call on a non-blocking socket returns one number and perhaps errno, and
 * -1 alone stands for "not yet", "under way" and "broken". The functions here
 * take the result where the call is written and name it:
 *
 *     struct answer got = recv_answer(recv(fd, p, room, 0), room);
 *
 *     switch (got.kind) ...
 *
 * They read errno before anything else can change it, keep it in the answer,
 * and count the call for the closing report (program.h).
 */
#ifndef WOULDBLOCK_ANSWER_H
#define WOULDBLOCK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum answer_kind {
    DONE,    /* it happened: count bytes moved, or fd is the new socket */
    AGAIN,   /* not now: ask later; with error EINTR: ask at once */
    PENDING, /* connect is under way in the kernel */
    CLOSED,  /* the peer has ended its sending in good order */
    FAILED,  /* this connection, or this call, is over: see error */
};

struct answer {
    enum answer_kind kind;
    size_t count; /* DONE of recv and send: bytes moved; else 0 */
    int fd;       /* DONE of accept: the new socket, the caller's; else -1 */
    int error;    /* errno as the call left it; 0 for DONE and CLOSED */
};

/*
 * Each takes the result of the call it is named after, directly after that
 * call; asked is the number of bytes that the call was given.
 *
 * recv: 0 is CLOSED only if at least one byte was asked for (recv(2)).
 * send: a count smaller than asked is DONE, and counted as partial.
 * connect: EINPROGRESS and EALREADY are PENDING, EISCONN is DONE; so is EINTR
 *     PENDING, because an interrupted connect goes on in the kernel (POSIX
 *     connect()).
 * datagram: a recv or send of UDP, where 0 is a datagram without content and
 *     no end; DONE in any case unless it is -1. received tells which it was.
 * accept: the network errors that Linux hands on from the new connection, and
 *     ECONNABORTED, are AGAIN: that one client is gone, the listener is well
 *     (accept(2), "Error handling").
 */
struct answer recv_answer(ssize_t result, size_t asked);
struct answer send_answer(ssize_t result, size_t asked);
struct answer datagram_answer(ssize_t result, bool received);
struct answer connect_answer(int result);
struct answer accept_answer(int result);

/*
 * How a connect ended that was PENDING, from the SO_ERROR of its socket: 0 is
 * DONE. To be asked once, and not before the socket is writable: until then it
 * is 0 as well, and reading it clears it (getsockopt(2), socket(7)).
 */
struct answer connected_answer(int so_error);

/* The lower-case word for a kind: "done", "again", ... A literal. */
const char *answer_word(enum answer_kind kind);

/*
 * What this program's calls have answered so far. calls is the sum of done,
 * again, interrupted, pending, closed and failed; partial ones are among done.
 */
struct counters {
    unsigned long long calls, done, again, interrupted, pending, closed, failed;
    unsigned long long partial, accepted;
    unsigned long long bytes_received, bytes_sent;
};

extern struct counters counters;

#endif
