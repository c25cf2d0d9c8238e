/* SPDX-License-Identifier: MIT */
/*
 * recorder_calls - the calls that the recorder stands in for. Each asks the C
 * library to do the work, and has what it was told written down.
 */
#define _GNU_SOURCE
#include "recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each stand-in has a name of its own in C, and the name of the call for the
 * linker: so it may differ from its declaration in the C library, where that
 * has unions, attributes or an ellipsis in its place. */
#define STAND_IN(TYPE, NAME, PARAMETERS)                                       \
    TYPE our_##NAME PARAMETERS __asm__(#NAME)                                  \
        __attribute__((visibility("default")));                                \
    static TYPE(*real_##NAME) PARAMETERS;                                      \
    TYPE our_##NAME PARAMETERS

/* ISO C has no conversion from an object pointer to a function pointer; POSIX
 * dlsym() asks for this detour. */
#define FIND(NAME)                                                             \
    do {                                                                       \
        if (!real_##NAME)                                                      \
            *(void **)&real_##NAME = dlsym(RTLD_NEXT, #NAME);                  \
    } while (0)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in parentheses is none. */

/* A call on a descriptor. BEFORE may change the flags; AFTER may look at the
 * result, and both at the slot d. */
#define ON_DESCRIPTOR(TYPE, NAME, CALL, PARAMETERS, ARGUMENTS, BEFORE, AFTER,  \
                      ASKED, MORE)                                             \
    STAND_IN(TYPE, NAME, PARAMETERS)                                           \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        struct descriptor *const d = known(fd);                                \
        unsigned how = d->flags;                                               \
                                                                               \
        BEFORE;                                                                \
                                                                               \
        const uint64_t began = enter(CALL, fd, how);                           \
        const TYPE result = real_##NAME ARGUMENTS;                             \
                                                                               \
        AFTER;                                                                 \
        leave(CALL, fd, d, how, began, result, ASKED, MORE);                   \
        return result;                                                         \
    }
#define NOTHING (void)0

static unsigned told_how(int flags)
{
    return (flags & MSG_DONTWAIT ? FLAG_NONBLOCKING : 0U) |
           (flags & MSG_PEEK ? FLAG_PEEK : 0U);
}

/* The first transfer is when both ends have their addresses at last. */
#define NAME_ONCE                                                              \
    if (result >= 0 && !d->named)                                              \
    name_ends(fd)

/* The port of an address, in the place where both kinds have it. */
static int port_of(const void *address, size_t length)
{
    const unsigned char *byte = address;
    const struct sockaddr *a = address;

    if (!address || length < 4 ||
        (a->sa_family != AF_INET && a->sa_family != AF_INET6))
        return 0;
    return byte[2] << 8 | byte[3];
}

/* --- Sending and receiving -------------------------------------------------
 */

ON_DESCRIPTOR(ssize_t, recv, CALL_recv,
              (int fd, void *bytes, size_t size, int flags),
              (fd, bytes, size, flags), how |= told_how(flags), NAME_ONCE,
              (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, recvfrom, CALL_recvfrom,
              (int fd, void *bytes, size_t size, int flags, void *from,
               socklen_t *length),
              (fd, bytes, size, flags, from, length), how |= told_how(flags),
              NAME_ONCE, (int64_t)size,
              result >= 0 && length ? port_of(from, *length) : 0)
ON_DESCRIPTOR(ssize_t, recvmsg, CALL_recvmsg,
              (int fd, struct msghdr *message, int flags), (fd, message, flags),
              how |= told_how(flags), NAME_ONCE, 0,
              result >= 0 ? port_of(message->msg_name, message->msg_namelen)
                          : 0)
ON_DESCRIPTOR(ssize_t, send, CALL_send,
              (int fd, const void *bytes, size_t size, int flags),
              (fd, bytes, size, flags), how |= told_how(flags), NAME_ONCE,
              (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, sendto, CALL_sendto,
              (int fd, const void *bytes, size_t size, int flags,
               const void *to, socklen_t length),
              (fd, bytes, size, flags, to, length), how |= told_how(flags),
              NAME_ONCE, (int64_t)size, port_of(to, length))
ON_DESCRIPTOR(ssize_t, sendmsg, CALL_sendmsg,
              (int fd, const struct msghdr *message, int flags),
              (fd, message, flags), how |= told_how(flags), NAME_ONCE, 0,
              port_of(message->msg_name, message->msg_namelen))

/* What _FORTIFY_SOURCE makes of these calls, where the size of the memory is
 * known; the C library ends the program if it is too small. */
#ifdef __GLIBC__
ON_DESCRIPTOR(ssize_t, __recv_chk, CALL_recv,
              (int fd, void *bytes, size_t size, size_t room, int flags),
              (fd, bytes, size, room, flags), how |= told_how(flags), NAME_ONCE,
              (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, __recvfrom_chk, CALL_recvfrom,
              (int fd, void *bytes, size_t size, size_t room, int flags,
               void *from, socklen_t *length),
              (fd, bytes, size, room, flags, from, length),
              how |= told_how(flags), NAME_ONCE, (int64_t)size,
              result >= 0 && length ? port_of(from, *length) : 0)
#endif

/* Of files, pipes and terminals only a wait is of interest. */
#define WORTH_A_WORD ((uint64_t)1 << 21) /* ticks: about a millisecond */
#define ON_ANY_FILE(NAME, CALL, PARAMETERS, ARGUMENTS, ASKED)                  \
    STAND_IN(ssize_t, NAME, PARAMETERS)                                        \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        struct descriptor *const d = known(fd);                                \
        const unsigned how = d->flags;                                         \
        const uint64_t began = enter(CALL, fd, how);                           \
        const ssize_t result = real_##NAME ARGUMENTS;                          \
                                                                               \
        if (d->kind == SOCKET) {                                               \
            NAME_ONCE;                                                         \
        } else if (tick() - began < WORTH_A_WORD) {                            \
            own.window->inside = 0;                                            \
            return result;                                                     \
        }                                                                      \
        leave(CALL, fd, d, how, began, result, ASKED, 0);                      \
        return result;                                                         \
    }

ON_ANY_FILE(read, CALL_read, (int fd, void *bytes, size_t size),
            (fd, bytes, size), (int64_t)size)
#ifdef __GLIBC__
ON_ANY_FILE(__read_chk, CALL_read,
            (int fd, void *bytes, size_t size, size_t room),
            (fd, bytes, size, room), (int64_t)size)
#endif
ON_ANY_FILE(write, CALL_write, (int fd, const void *bytes, size_t size),
            (fd, bytes, size), (int64_t)size)
ON_ANY_FILE(readv, CALL_readv, (int fd, const struct iovec *list, int count),
            (fd, list, count), 0)
ON_ANY_FILE(writev, CALL_writev, (int fd, const struct iovec *list, int count),
            (fd, list, count), 0)

/* --- Making and ending connections -----------------------------------------
 */

/* What a new descriptor is, and where its ends are. */
static void opened(int fd, int type)
{
    if (fd >= 0 && recording()) {
        became(fd, SOCKET, type, type & SOCK_NONBLOCK);
        name_ends(fd);
    }
}

#define ACCEPTS(NAME, PARAMETERS, ARGUMENTS, FLAGS)                            \
    STAND_IN(int, NAME, PARAMETERS)                                            \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        struct descriptor *const d = known(fd);                                \
        const unsigned how = d->flags;                                         \
        const uint64_t began = enter(CALL_##NAME, fd, how);                    \
        const int result = real_##NAME ARGUMENTS;                              \
                                                                               \
        leave(CALL_##NAME, fd, d, how, began, result, 0, FLAGS);               \
        opened(result, SOCK_STREAM | (FLAGS));                                 \
        return result;                                                         \
    }

ACCEPTS(accept, (int fd, void *address, socklen_t *length),
        (fd, address, length), 0)
ACCEPTS(accept4, (int fd, void *address, socklen_t *length, int flags),
        (fd, address, length, flags), flags)

/* An attempt has a local address as soon as it is under way. */
static void attempted(int fd, const void *address, socklen_t length)
{
    name_local(fd);
    name_peer(fd, address, length);
}

ON_DESCRIPTOR(int, connect, CALL_connect,
              (int fd, const void *address, socklen_t length),
              (fd, address, length), NOTHING, attempted(fd, address, length), 0,
              port_of(address, length))
ON_DESCRIPTOR(int, bind, CALL_bind,
              (int fd, const void *address, socklen_t length),
              (fd, address, length), how |= FLAG_NONBLOCKING,
              if (result == 0) name_local(fd), 0, port_of(address, length))
ON_DESCRIPTOR(int, listen, CALL_listen, (int fd, int queue), (fd, queue),
              how |= FLAG_NONBLOCKING, if (result == 0) name_local(fd), queue,
              0)
ON_DESCRIPTOR(int, shutdown, CALL_shutdown, (int fd, int which), (fd, which),
              how |= FLAG_NONBLOCKING, NOTHING, which, 0)

STAND_IN(int, socket, (int family, int type, int protocol))
{
    FIND(socket);
    if (!recording())
        return real_socket(family, type, protocol);

    const uint64_t began = enter(CALL_socket, -1, FLAG_NONBLOCKING);
    const int result = real_socket(family, type, protocol);

    leave_alone(CALL_socket, -1, FLAG_NONBLOCKING, began, result, type, family);
    if (result >= 0)
        became(result, SOCKET, type, type & SOCK_NONBLOCK);
    return result;
}

/* Two at a time: the second descriptor is in more. */
STAND_IN(int, socketpair, (int family, int type, int protocol, int fds[2]))
{
    FIND(socketpair);
    if (!recording())
        return real_socketpair(family, type, protocol, fds);

    const uint64_t began = enter(CALL_socketpair, -1, FLAG_NONBLOCKING);
    const int result = real_socketpair(family, type, protocol, fds);

    leave_alone(CALL_socketpair, -1, FLAG_NONBLOCKING, began, result,
                result == 0 ? fds[0] : type, result == 0 ? fds[1] : family);
    for (int i = 0; result == 0 && i < 2; i++)
        opened(fds[i], type);
    return result;
}

/* The number may be another thread's the moment it is free: what was known of
 * it is forgotten before. */
STAND_IN(int, close, (int fd))
{
    FIND(close);
    if (!recording() || known(fd)->kind != SOCKET) {
        if (descriptors)
            slot(fd)->kind = UNKNOWN;
        return real_close(fd);
    }

    slot(fd)->kind = UNKNOWN;

    const uint64_t began = enter(CALL_close, fd, FLAG_NONBLOCKING);
    const int result = real_close(fd);

    leave_alone(CALL_close, fd, FLAG_NONBLOCKING, began, result, 0, 0);
    return result;
}

/* Numbers that come to mean something else without a call that is recorded. */
static int copied(int from, int to)
{
    if (to >= 0 && from != to && descriptors) {
        *slot(to) = *slot(from);
        slot(to)->window = 0;
    }
    return to;
}

STAND_IN(int, dup, (int fd))
{
    FIND(dup);
    return copied(fd, real_dup(fd));
}

STAND_IN(int, dup2, (int fd, int to))
{
    FIND(dup2);
    return copied(fd, real_dup2(fd, to));
}

STAND_IN(int, dup3, (int fd, int to, int flags))
{
    FIND(dup3);
    return copied(fd, real_dup3(fd, to, flags));
}

/* --- Blocking or not, and other options ------------------------------------
 */

/* The third argument is an int or a pointer, or there is none: handed on as it
 * came. */
#define CHANGES_MODE(NAME, CALL, TYPE, REQUEST, NONBLOCKING)                   \
    STAND_IN(int, NAME, (int fd, TYPE request, void *argument))                \
    {                                                                          \
        FIND(NAME);                                                            \
        if (request != (REQUEST) || !recording())                              \
            return real_##NAME(fd, request, argument);                         \
                                                                               \
        const bool is_socket = known(fd)->kind == SOCKET;                      \
        const bool nonblocking = NONBLOCKING;                                  \
        const int value = VALUE;                                               \
        const uint64_t began = enter(CALL, fd, FLAG_NONBLOCKING);              \
        const int result = real_##NAME(fd, request, argument);                 \
                                                                               \
        if (is_socket)                                                         \
            leave(CALL, fd, slot(fd), FLAG_NONBLOCKING, began, result,         \
                  (int64_t)(REQUEST), value);                                  \
        if (result == 0)                                                       \
            blocks(fd, !nonblocking);                                          \
        return result;                                                         \
    }

static void blocks(int fd, bool blocking)
{
    struct descriptor *d = slot(fd);

    d->flags = (uint8_t)((d->flags & ~FLAG_NONBLOCKING) |
                         (blocking ? 0 : FLAG_NONBLOCKING));
}

#define VALUE (int)(intptr_t)argument
CHANGES_MODE(fcntl, CALL_fcntl, int, F_SETFL, (VALUE & O_NONBLOCK) != 0)
#ifdef __GLIBC__
CHANGES_MODE(fcntl64, CALL_fcntl, int, F_SETFL, (VALUE & O_NONBLOCK) != 0)
#endif
#undef VALUE
#define VALUE *(const int *)argument
#ifdef __GLIBC__
CHANGES_MODE(ioctl, CALL_ioctl, unsigned long, FIONBIO, VALUE != 0)
#else
CHANGES_MODE(ioctl, CALL_ioctl, int, FIONBIO, VALUE != 0)
#endif

static int as_int(const void *value, size_t length)
{
    return value && length >= sizeof(int) ? *(const int *)value : 0;
}

ON_DESCRIPTOR(int, setsockopt, CALL_setsockopt,
              (int fd, int level, int name, const void *value,
               socklen_t length),
              (fd, level, name, value, length), how |= FLAG_NONBLOCKING,
              NOTHING, level << 16 | (name & 0xffff), as_int(value, length))

STAND_IN(int, getsockopt,
         (int fd, int level, int name, void *value, socklen_t *length))
{
    FIND(getsockopt);
    if (level != SOL_SOCKET || name != SO_ERROR || !recording())
        return real_getsockopt(fd, level, name, value, length);

    const uint64_t began = enter(CALL_getsockopt, fd, FLAG_NONBLOCKING);
    const int result = real_getsockopt(fd, level, name, value, length);

    leave(CALL_getsockopt, fd, known(fd), FLAG_NONBLOCKING, began, result,
          SO_ERROR, result == 0 ? as_int(value, *length) : 0);
    return result;
}

/* --- Waiting ---------------------------------------------------------------
 */

/* Limits as microseconds: -1 is for ever. */
static int64_t us_of_ms(int limit)
{
    return limit < 0                  ? -1
           : limit > INT32_MAX / 1000 ? INT32_MAX
                                      : (int64_t)limit * 1000;
}

static int64_t us_of(const struct timespec *t)
{
    return !t ? -1
           : t->tv_sec > INT32_MAX / 1000000
               ? INT32_MAX
               : (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;
}

static int64_t us_of_timeval(const struct timeval *t)
{
    return !t ? -1
           : t->tv_sec > INT32_MAX / 1000000
               ? INT32_MAX
               : (int64_t)t->tv_sec * 1000000 + t->tv_usec;
}

static int64_t watched(int64_t count, unsigned reported)
{
    return (count > INT16_MAX ? INT16_MAX : count) << 16 | (reported & 0xffff);
}

static int64_t polled(const struct pollfd *list, nfds_t count, int result)
{
    unsigned events = 0;

    for (nfds_t i = 0; result > 0 && i < count; i++)
        events |= (unsigned)list[i].revents;
    return watched((int64_t)count, events);
}

/* Only the words that are in use, and only their bits. */
static bool any(const fd_set *set, int count)
{
    const int words = (count + 63) / 64;

    for (int i = 0; set && i < words; i++)
        if (((const uint64_t *)(const void *)set)[i])
            return true;
    return false;
}

static int64_t selected(int count, const fd_set *readable,
                        const fd_set *writable, const fd_set *except,
                        int result)
{
    return watched(count, result <= 0
                              ? 0U
                              : (any(readable, count) ? POLLIN : 0U) |
                                    (any(writable, count) ? POLLOUT : 0U) |
                                    (any(except, count) ? POLLPRI : 0U));
}

static int64_t happened(const struct epoll_event *ready, int most, int result)
{
    unsigned events = 0;

    for (int i = 0; i < result; i++)
        events |= ready[i].events;
    return watched(most, events);
}

/* A wait on one descriptor alone is about that one. */
static int only(const struct pollfd *list, nfds_t count)
{
    return count == 1 ? list[0].fd : -1;
}

/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define WAITS(NAME, CALL, PARAMETERS, ARGUMENTS, FD, SLOT, LIMIT, MORE)        \
    STAND_IN(int, NAME, PARAMETERS)                                            \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const int64_t us = LIMIT;                                              \
        const unsigned how = us == 0 ? FLAG_NONBLOCKING : 0U;                  \
        const uint64_t began = enter(CALL, FD, how);                           \
        const int result = real_##NAME ARGUMENTS;                              \
                                                                               \
        leave(CALL, FD, &descriptors[SLOT], how, began, result, us, MORE);     \
        return result;                                                         \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

WAITS(poll, CALL_poll, (struct pollfd * list, nfds_t count, int limit),
      (list, count, limit), only(list, count), OF_WAITS, us_of_ms(limit),
      polled(list, count, result))
WAITS(ppoll, CALL_ppoll,
      (struct pollfd * list, nfds_t count, const struct timespec *limit,
       const sigset_t *mask),
      (list, count, limit, mask), only(list, count), OF_WAITS, us_of(limit),
      polled(list, count, result))
#ifdef __GLIBC__
WAITS(__poll_chk, CALL_poll,
      (struct pollfd * list, nfds_t count, int limit, size_t room),
      (list, count, limit, room), only(list, count), OF_WAITS, us_of_ms(limit),
      polled(list, count, result))
WAITS(__ppoll_chk, CALL_ppoll,
      (struct pollfd * list, nfds_t count, const struct timespec *limit,
       const sigset_t *mask, size_t room),
      (list, count, limit, mask, room), only(list, count), OF_WAITS,
      us_of(limit), polled(list, count, result))
#endif
WAITS(select, CALL_select,
      (int count, fd_set *readable, fd_set *writable, fd_set *except,
       struct timeval *limit),
      (count, readable, writable, except, limit), -1, OF_WAITS,
      us_of_timeval(limit), selected(count, readable, writable, except, result))
WAITS(pselect, CALL_pselect,
      (int count, fd_set *readable, fd_set *writable, fd_set *except,
       const struct timespec *limit, const sigset_t *mask),
      (count, readable, writable, except, limit, mask), -1, OF_WAITS,
      us_of(limit), selected(count, readable, writable, except, result))
WAITS(epoll_wait, CALL_epoll_wait,
      (int fd, struct epoll_event *ready, int most, int limit),
      (fd, ready, most, limit), fd, slot(fd) - descriptors, us_of_ms(limit),
      happened(ready, most, result))
WAITS(epoll_pwait, CALL_epoll_pwait,
      (int fd, struct epoll_event *ready, int most, int limit,
       const sigset_t *mask),
      (fd, ready, most, limit, mask), fd, slot(fd) - descriptors,
      us_of_ms(limit), happened(ready, most, result))

#define MAKES_SET(NAME, ARGUMENT)                                              \
    STAND_IN(int, NAME, (int ARGUMENT))                                        \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME(ARGUMENT);                                      \
                                                                               \
        const uint64_t began = enter(CALL_##NAME, -1, FLAG_NONBLOCKING);       \
        const int result = real_##NAME(ARGUMENT);                              \
                                                                               \
        leave_alone(CALL_##NAME, -1, FLAG_NONBLOCKING, began, result,          \
                    ARGUMENT, 0);                                              \
        if (result >= 0)                                                       \
            became(result, OTHER, 0, false);                                   \
        return result;                                                         \
    }
MAKES_SET(epoll_create, size)
MAKES_SET(epoll_create1, flags)

STAND_IN(int, epoll_ctl, (int fd, int op, int about, struct epoll_event *event))
{
    FIND(epoll_ctl);
    if (!recording())
        return real_epoll_ctl(fd, op, about, event);

    const uint32_t events = event ? event->events : 0;
    const int more =
        op << 16 | (int)(events & 0xffff) | (events & EPOLLET ? 1 << 20 : 0);
    const uint64_t began = enter(CALL_epoll_ctl, fd, FLAG_NONBLOCKING);
    const int result = real_epoll_ctl(fd, op, about, event);

    leave(CALL_epoll_ctl, fd, slot(fd), FLAG_NONBLOCKING, began, result, about,
          more);
    return result;
}

/* --- Sleeping --------------------------------------------------------------
 */

/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define SLEEPS(TYPE, NAME, PARAMETERS, ARGUMENTS, LENGTH)                      \
    STAND_IN(TYPE, NAME, PARAMETERS)                                           \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!recording())                                                      \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const uint64_t began = enter(CALL_##NAME, -1, 0);                      \
        const TYPE result = real_##NAME ARGUMENTS;                             \
                                                                               \
        leave(CALL_##NAME, -1, &descriptors[OF_SLEEPS], 0, began,              \
              (int64_t)result, LENGTH, 0);                                     \
        return result;                                                         \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

SLEEPS(unsigned, sleep, (unsigned length), (length),
       length > INT32_MAX / 1000000 ? INT32_MAX : (int64_t)length * 1000000)
SLEEPS(int, usleep, (useconds_t length), (length), (int64_t)length)
SLEEPS(int, nanosleep, (const struct timespec *length, struct timespec *left),
       (length, left), us_of(length))
/* Asked for an instant, it is recorded as asked for 0. */
SLEEPS(int, clock_nanosleep,
       (clockid_t id, int flags, const struct timespec *length,
        struct timespec *left),
       (id, flags, length, left), flags &TIMER_ABSTIME ? 0 : us_of(length))

/* --- Processes -------------------------------------------------------------
 */

STAND_IN(pid_t, fork, (void))
{
    FIND(fork);

    const pid_t result = real_fork();

    if (result == 0)
        forked();
    return result;
}

/* A child that has its parent's memory would write as its parent. POSIX let
 * vfork() be nothing but fork(). */
pid_t our_vfork(void) __asm__("vfork") __attribute__((visibility("default")));
pid_t our_vfork(void)
{
    return our_fork();
}

#define ENDS(NAME)                                                             \
    void our_##NAME(int status) __asm__(#NAME)                                 \
        __attribute__((noreturn, visibility("default")));                      \
    void our_##NAME(int status)                                                \
    {                                                                          \
        static void (*real_##NAME)(int) __attribute__((noreturn));             \
                                                                               \
        FIND(NAME);                                                            \
        ends();                                                                \
        real_##NAME(status);                                                   \
    }
ENDS(_exit)
ENDS(_Exit)

#define REAPS(NAME, PARAMETERS, ARGUMENTS)                                     \
    STAND_IN(pid_t, NAME, PARAMETERS)                                          \
    {                                                                          \
        int how = 0, *const wanted = status;                                   \
                                                                               \
        FIND(NAME);                                                            \
        status = &how;                                                         \
                                                                               \
        const pid_t result = real_##NAME ARGUMENTS;                            \
                                                                               \
        if (wanted && result > 0)                                              \
            *wanted = how;                                                     \
        reaped(result, how);                                                   \
        return result;                                                         \
    }
REAPS(wait, (int *status), (status))
REAPS(waitpid, (pid_t pid, int *status, int options), (pid, status, options))
REAPS(wait3, (int *status, int options, struct rusage *usage),
      (status, options, usage))
REAPS(wait4, (pid_t pid, int *status, int options, struct rusage *usage),
      (pid, status, options, usage))
