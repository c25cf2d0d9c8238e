/* SPDX-License-Identifier: MIT */
/*
 * witness - wraps a program's socket calls. It is preloaded (witness.so) or
 * linked in; either way, its functions replace those of the C library.
 *
 * It injects faults (see faults.h):
 *
 *     LD_PRELOAD=witness.so WB_FAULTS='accept:ECONNABORTED:1,recv:EINTR:3+'
 *
 * And it records the results of the calls, if WB_WITNESS is a descriptor of a
 * file as large as a struct witness.
 */
#define _GNU_SOURCE
#include "witness.h"
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Not from <sys/socket.h>: the GNU C library declares accept with a union of
 * all kinds of addresses, which no definition in ISO C matches. */
struct sockaddr;
struct msghdr;
int socket(int family, int type, int protocol);
int listen(int fd, int queue);
int accept(int fd, struct sockaddr *restrict address,
           unsigned *restrict length);
int accept4(int fd, struct sockaddr *restrict address,
            unsigned *restrict length, int flags);
int connect(int fd, const struct sockaddr *address, unsigned length);
int shutdown(int fd, int how);
int getsockopt(int fd, int level, int name, void *restrict value,
               unsigned *restrict length);
ssize_t recv(int fd, void *bytes, size_t size, int flags);
ssize_t recvfrom(int fd, void *restrict bytes, size_t size, int flags,
                 struct sockaddr *restrict from, unsigned *restrict length);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
ssize_t send(int fd, const void *bytes, size_t size, int flags);
ssize_t sendto(int fd, const void *bytes, size_t size, int flags,
               const struct sockaddr *to, unsigned length);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
enum { LEVEL_SOCKET = 1, NAME_ERROR = 4, DONT_WAIT = 0x40 }; /* on Linux */

static struct witness *witness;
static const char *faults;

__attribute__((constructor)) static void begin_to_watch(void)
{
    const char *name = getenv("WB_WITNESS");
    const int fd = name ? (int)strtol(name, NULL, 10) : NOWHERE;
    void *shared = MAP_FAILED;

    faults = getenv("WB_FAULTS");
    if (fd != NOWHERE)
        shared = mmap(NULL, sizeof *witness, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fd, 0);
    if (shared != MAP_FAILED) {
        close(fd);
        witness = shared;
    }
}

/* --- Recording ------------------------------------------------------------ */

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A call begins: record it, in case the program never returns from it. */
static void enter(enum call call, int fd, int64_t asked, bool never_waits)
{
    struct seen *s;

    if (!witness)
        return;
    s = &witness->inside;
    s->call = (int32_t)call;
    s->fd = fd;
    s->asked = asked;
    s->events = 0;
    s->watched = s->beyond = 0;
    s->blocking = fd >= 0 && !never_waits && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
    s->began = now();
    witness->is_inside = 1;
}

/* Calls without a result are often repeated, with others in between: find the
 * run that this call belongs to. */
static struct seen *run_of(const struct seen *s)
{
    const uint64_t back = s->error == EINPROGRESS             ? 0
                          : s->result > 0 && s->fd != NOWHERE ? 1
                                                              : 16;

    for (uint64_t i = 1; i <= back && i <= witness->count; i++) {
        struct seen *run = &witness->seen[(witness->count - i) % SEEN_MOST];

        if (run->call == s->call && run->fd == s->fd &&
            run->error == s->error && run->result == s->result &&
            run->asked == s->asked && run->events == s->events &&
            run->watched == s->watched && run->beyond == s->beyond &&
            run->blocking == s->blocking)
            return run;
    }
    return NULL;
}

static void leave(int64_t result, int error)
{
    struct seen *s, *run;

    if (!witness)
        return;
    s = &witness->inside;
    s->ended = now();
    s->longest = s->ended - s->began;
    s->result = result;
    s->error = result == -1 ? error : 0;
    s->times = 1;
    witness->calls[s->call]++;
    run = run_of(s);
    if (run) {
        run->ended = s->ended;
        run->times++;
        if (s->longest > run->longest)
            run->longest = s->longest;
    } else {
        witness->seen[witness->count % SEEN_MOST] = *s;
        witness->count++;
    }
    witness->is_inside = 0;
}

/* ISO C has no conversion from an object pointer to a function pointer; POSIX
 * dlsym() asks for this detour. */
#define REAL(pointer, name)                                                    \
    do {                                                                       \
        if (!(pointer))                                                        \
            *(void **)&(pointer) = dlsym(RTLD_NEXT, name);                     \
    } while (0)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses. */

/* Define a call that injects faults and records the call: its descriptor, what
 * it was asked, and whether it was asked not to wait. BEFORE and AFTER hold
 * what differs between calls. */
#define WATCH(TYPE, NAME, PARAMETERS, ARGUMENTS, FD, ASKED, NO_WAIT, BEFORE,   \
              AFTER)                                                           \
    TYPE NAME PARAMETERS                                                       \
    {                                                                          \
        static TYPE(*real) PARAMETERS;                                         \
        static unsigned long calls;                                            \
        const int error = fault_for(faults, #NAME, ++calls);                   \
        TYPE result = (TYPE)-1;                                                \
                                                                               \
        REAL(real, #NAME);                                                     \
        enter(CALL_##NAME, FD, (int64_t)(ASKED), NO_WAIT);                     \
        BEFORE;                                                                \
        if (error > 0)                                                         \
            errno = error;                                                     \
        else                                                                   \
            result = real ARGUMENTS;                                           \
                                                                               \
        const int after = errno;                                               \
                                                                               \
        AFTER;                                                                 \
        leave(recorded(result), after);                                        \
        errno = after;                                                         \
        return result;                                                         \
    }

/* The result to record, if it is not the return value. */
static int64_t so_error;
#define recorded(result) (result)
#define NOTHING          (void)0
#define SHORTEN          size = error == SHORT && size > 0 ? 1 : size
#define REPORTED(BITS)                                                         \
    if (witness)                                                               \
    witness->inside.events = (BITS)

WATCH(int, socket, (int family, int type, int protocol),
      (family, type, protocol), NOWHERE, 0, true, NOTHING, NOTHING)
WATCH(int, listen, (int fd, int queue), (fd, queue), fd, queue, false, NOTHING,
      NOTHING)
WATCH(int, accept,
      (int fd, struct sockaddr *restrict address, unsigned *restrict length),
      (fd, address, length), fd, 0, false, NOTHING, NOTHING)
WATCH(int, accept4,
      (int fd, struct sockaddr *restrict address, unsigned *restrict length,
       int flags),
      (fd, address, length, flags), fd, flags, false, NOTHING, NOTHING)
WATCH(int, connect, (int fd, const struct sockaddr *address, unsigned length),
      (fd, address, length), fd, 0, false, NOTHING, NOTHING)
WATCH(ssize_t, recv, (int fd, void *bytes, size_t size, int flags),
      (fd, bytes, size, flags), fd, size, flags &DONT_WAIT, SHORTEN, NOTHING)
WATCH(ssize_t, recvfrom,
      (int fd, void *restrict bytes, size_t size, int flags,
       struct sockaddr *restrict from, unsigned *restrict length),
      (fd, bytes, size, flags, from, length), fd, size, flags &DONT_WAIT,
      SHORTEN, NOTHING)
WATCH(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
      (fd, message, flags), fd, 0, flags &DONT_WAIT, NOTHING, NOTHING)
WATCH(ssize_t, send, (int fd, const void *bytes, size_t size, int flags),
      (fd, bytes, size, flags), fd, size, flags &DONT_WAIT, SHORTEN, NOTHING)
WATCH(ssize_t, sendto,
      (int fd, const void *bytes, size_t size, int flags,
       const struct sockaddr *to, unsigned length),
      (fd, bytes, size, flags, to, length), fd, size, flags &DONT_WAIT, SHORTEN,
      NOTHING)
WATCH(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
      (fd, message, flags), fd, 0, flags &DONT_WAIT, NOTHING, NOTHING)
WATCH(int, shutdown, (int fd, int how), (fd, how), fd, how, false, NOTHING,
      NOTHING)

/* Do not record standard input, output and error: they are not sockets. */
#define QUIET(fd) ((fd) <= STDERR_FILENO)
#define WATCH_FILE(TYPE, NAME, PARAMETERS, ARGUMENTS, ASKED)                   \
    TYPE NAME PARAMETERS                                                       \
    {                                                                          \
        static TYPE(*real) PARAMETERS;                                         \
        TYPE result;                                                           \
                                                                               \
        REAL(real, #NAME);                                                     \
        if (QUIET(fd))                                                         \
            return real ARGUMENTS;                                             \
        enter(CALL_##NAME, fd, (int64_t)(ASKED), false);                       \
        result = real ARGUMENTS;                                               \
                                                                               \
        const int after = errno;                                               \
                                                                               \
        leave(result, after);                                                  \
        errno = after;                                                         \
        return result;                                                         \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

WATCH_FILE(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size),
           size)
WATCH_FILE(ssize_t, write, (int fd, const void *bytes, size_t size),
           (fd, bytes, size), size)
WATCH_FILE(int, close, (int fd), (fd), 0)

/* Waits: record the timeout, and the events that the wait reported. */
static unsigned polled(const struct pollfd *list, nfds_t count, int result)
{
    unsigned events = 0;

    for (nfds_t i = 0; result > 0 && i < count; i++)
        events |= (unsigned)list[i].revents;
    return events;
}

/* The cast is for musl, whose FD_ISSET counts bits in unsigned long. */
static bool is_in(const fd_set *set, int fd)
{
    return set && FD_ISSET((unsigned)fd, set);
}

static unsigned selected(int count, const fd_set *readable,
                         const fd_set *writable, int result)
{
    unsigned events = 0;

    for (int fd = 0; result > 0 && fd < count && fd < FD_SETSIZE; fd++) {
        if (is_in(readable, fd))
            events |= POLLIN;
        if (is_in(writable, fd))
            events |= POLLOUT;
    }
    return events;
}

static unsigned happened(const struct epoll_event *ready, int result)
{
    unsigned events = 0;

    for (int i = 0; i < result; i++)
        events |= ready[i].events & 0xffff;
    return events;
}

/* Record the descriptors that a wait watches. */
static void asked_about(const struct pollfd *list, nfds_t count)
{
    for (nfds_t i = 0; witness && i < count; i++)
        if (list[i].fd >= 0 && list[i].fd < 64 && list[i].events)
            witness->inside.watched |= (uint64_t)1 << list[i].fd;
}

static void asked_in_sets(int count, const fd_set *readable,
                          const fd_set *writable)
{
    for (int fd = 0; witness && fd < 64; fd++)
        if (is_in(readable, fd) || is_in(writable, fd)) {
            if (fd < count)
                witness->inside.watched |= (uint64_t)1 << fd;
            else
                witness->inside.beyond |= (uint64_t)1 << fd;
        }
}

static int64_t ms_of_timeval(const struct timeval *t)
{
    return t ? (int64_t)t->tv_sec * 1000 + t->tv_usec / 1000 : -1;
}

static int64_t ms_of_timespec(const struct timespec *t)
{
    return t ? (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000 : -1;
}

WATCH(int, poll, (struct pollfd * list, nfds_t count, int limit),
      (list, count, limit), NOWHERE, limit, true, asked_about(list, count),
      REPORTED(polled(list, count, result)))
WATCH(int, ppoll,
      (struct pollfd * list, nfds_t count, const struct timespec *limit,
       const sigset_t *mask),
      (list, count, limit, mask), NOWHERE, ms_of_timespec(limit), true,
      asked_about(list, count), REPORTED(polled(list, count, result)))
WATCH(int, select,
      (int count, fd_set *restrict readable, fd_set *restrict writable,
       fd_set *restrict except, struct timeval *restrict limit),
      (count, readable, writable, except, limit), NOWHERE, ms_of_timeval(limit),
      true, asked_in_sets(count, readable, writable),
      REPORTED(selected(count, readable, writable, result)))
WATCH(int, pselect,
      (int count, fd_set *restrict readable, fd_set *restrict writable,
       fd_set *restrict except, const struct timespec *restrict limit,
       const sigset_t *restrict mask),
      (count, readable, writable, except, limit, mask), NOWHERE,
      ms_of_timespec(limit), true, asked_in_sets(count, readable, writable),
      REPORTED(selected(count, readable, writable, result)))
WATCH(int, epoll_wait,
      (int set, struct epoll_event *ready, int most, int limit),
      (set, ready, most, limit), NOWHERE, limit, true, NOTHING,
      REPORTED(happened(ready, result)))
WATCH(int, epoll_ctl, (int set, int op, int fd, struct epoll_event *event),
      (set, op, fd, event), fd, event ? event->events : 0, true, NOTHING,
      NOTHING)

/* A sleep records its length in milliseconds. */
WATCH(unsigned, sleep, (unsigned length), (length), NOWHERE,
      (int64_t)length * 1000, true, NOTHING, NOTHING)
WATCH(int, usleep, (useconds_t length), (length), NOWHERE, length / 1000, true,
      NOTHING, NOTHING)
WATCH(int, nanosleep, (const struct timespec *length, struct timespec *left),
      (length, left), NOWHERE, ms_of_timespec(length), true, NOTHING, NOTHING)
WATCH(int, clock_nanosleep,
      (clockid_t id, int flags, const struct timespec *length,
       struct timespec *left),
      (id, flags, length, left), NOWHERE, ms_of_timespec(length), true, NOTHING,
      NOTHING)

/* getsockopt(SO_ERROR) records the error as its result. */
#undef recorded
#define recorded(result) ((result) == 0 ? so_error : -1)
WATCH(int, getsockopt,
      (int fd, int level, int name, void *restrict value,
       unsigned *restrict length),
      (fd, level, name, value, length), fd, name, true, so_error = 0,
      if (result == 0 && level == LEVEL_SOCKET && name == NAME_ERROR)
          so_error = *(const int *)value)
