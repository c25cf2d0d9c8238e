/* SPDX-License-Identifier: MIT */
/*
 * answer.h - what a socket call answered: one of five things.
 *
 * A call on a non-blocking socket returns a number, and -1 can mean "not yet",
 * "under way" or "broken": errno tells which. The functions here take the
 * result of the call and give it one of five names:
 *
 *     struct answer got = recv_answer(recv(fd, p, room, 0), room);
 *
 *     switch (got.kind) ...
 *
 * They read errno before anything else can change it, keep it in the answer,
 * and count the call for the closing report (report.h).
 */
#ifndef WOULDBLOCK_ANSWER_H
#define WOULDBLOCK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum answer_kind {
    DONE,    /* it happened: count bytes moved, or fd is the new socket */
    AGAIN,   /* not now: ask later; if error is not EAGAIN, ask at once */
    PENDING, /* connect is under way in the kernel */
    CLOSED,  /* the peer has ended its side of the connection */
    FAILED,  /* the connection or the call has failed: see error */
};

struct answer {
    enum answer_kind kind;
    size_t count; /* DONE of recv and send: bytes moved; else 0 */
    int fd;       /* DONE of accept: the new socket, the caller's; else -1 */
    int error;    /* errno as the call left it; 0 for DONE and CLOSED */
};

/*
 * Call each of them directly after the call that it is named after, with the
 * result of that call; asked is the number of bytes that the call was given.
 *
 * recv: 0 is CLOSED only if at least one byte was asked for (recv(2)).
 * send: a count smaller than asked is DONE, and counted as partial.
 * connect: EINPROGRESS and EALREADY are PENDING, EISCONN is DONE. EINTR is
 *     PENDING too, because an interrupted connect goes on in the kernel (POSIX
 *     connect()).
 * datagram: a recv or send of UDP. A result of 0 is an empty datagram and not
 *     the end, so every result but -1 is DONE. received is true for a recv.
 * accept: ECONNABORTED, and the network errors that Linux passes on from the
 *     new connection, are AGAIN: that client is gone, but the listener still
 *     works (accept(2), "Error handling").
 */
struct answer recv_answer(ssize_t result, size_t asked);
struct answer send_answer(ssize_t result, size_t asked);
struct answer datagram_answer(ssize_t result, bool received);
struct answer connect_answer(int result);
struct answer accept_answer(int result);

/*
 * How a pending connect ended: DONE if the SO_ERROR of its socket is 0, else
 * FAILED. Read SO_ERROR once, and only when the socket is writable: before that
 * it is 0 as well, and reading it clears it (getsockopt(2), socket(7)).
 */
struct answer connected_answer(int so_error);

/* The lower-case word for a kind: "done", "again", ... A literal. */
const char *answer_word(enum answer_kind kind);

/*
 * How often this program's calls have given each answer. calls is the sum of
 * done, again, interrupted, pending, closed and failed; done includes partial.
 */
struct counters {
    unsigned long long calls, done, again, interrupted, pending, closed, failed;
    unsigned long long partial, accepted;
    unsigned long long bytes_received, bytes_sent;
};

extern struct counters counters;

#endif
