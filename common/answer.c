/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>

struct counters counters;

static struct answer made(enum answer_kind kind, int error)
{
    counters.calls++;
    switch (kind) {
    case DONE:
        counters.done++;
        break;
    case AGAIN:
        if (error == EINTR)
            counters.interrupted++;
        else
            counters.again++;
        break;
    case PENDING:
        counters.pending++;
        break;
    case CLOSED:
        counters.closed++;
        break;
    case FAILED:
        counters.failed++;
        break;
    }
    return (struct answer){.kind = kind, .fd = -1, .error = error};
}

/* EAGAIN and EWOULDBLOCK are one number on Linux; POSIX lets them differ. */
static int not_now(int error)
{
    if (error == EAGAIN || error == EINTR)
        return 1;
#if EWOULDBLOCK != EAGAIN
    if (error == EWOULDBLOCK)
        return 1;
#endif
    return 0;
}

struct answer recv_answer(ssize_t result, size_t asked)
{
    int error = errno;

    if (result < 0)
        return made(not_now(error) ? AGAIN : FAILED, error);
    if (result == 0 && asked > 0)
        return made(CLOSED, 0);

    struct answer done = made(DONE, 0);

    done.count = (size_t)result;
    counters.bytes_received += done.count;
    return done;
}

struct answer send_answer(ssize_t result, size_t asked)
{
    int error = errno;

    if (result < 0)
        return made(not_now(error) ? AGAIN : FAILED, error);

    struct answer done = made(DONE, 0);

    done.count = (size_t)result;
    counters.bytes_sent += done.count;
    if (done.count < asked)
        counters.partial++;
    return done;
}

struct answer datagram_answer(ssize_t result, bool received)
{
    return received ? recv_answer(result, 0)
                    : send_answer(result, result > 0 ? (size_t)result : 0);
}

struct answer connect_answer(int result)
{
    int error = errno;

    if (result == 0 || error == EISCONN)
        return made(DONE, 0);
    if (error == EINPROGRESS || error == EALREADY || error == EINTR)
        return made(PENDING, error);
    return made(not_now(error) ? AGAIN : FAILED, error);
}

struct answer connected_answer(int so_error)
{
    return made(so_error == 0 ? DONE : FAILED, so_error);
}

struct answer accept_answer(int result)
{
    int error = errno;

    if (result >= 0) {
        struct answer done = made(DONE, 0);

        done.fd = result;
        counters.accepted++;
        return done;
    }
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
#ifdef EHOSTDOWN
    case EHOSTDOWN:
#endif
#ifdef ENONET
    case ENONET:
#endif
        return made(AGAIN, error);
    default:
        return made(not_now(error) ? AGAIN : FAILED, error);
    }
}

const char *answer_word(enum answer_kind kind)
{
    static const char *const words[] = {
        [DONE] = "done",     [AGAIN] = "again",   [PENDING] = "pending",
        [CLOSED] = "closed", [FAILED] = "failed",
    };

    return words[kind];
}
