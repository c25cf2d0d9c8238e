/* SPDX-License-Identifier: MIT */
/*
 * recorder_calls - the calls that the recorder replaces. Each lets the C
 * library do the work, and records the result.
 */
#define _GNU_SOURCE
#include "recorder.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses. */

/* List all replaced functions: the linker collects them in a section of their
 * own. */
#define LISTED(NAME)                                                           \
    static struct stand_in listed_##NAME                                       \
        __attribute__((used, section("stand_ins"))) = {(void **)&real_##NAME,  \
                                                       #NAME}

/* A replacement has a name of its own in C, and the name of the call for the
 * linker. So its declaration may differ from that of the C library, which may
 * use unions, attributes or an ellipsis. */
#define STAND_IN(TYPE, NAME, PARAMETERS)                                       \
    TYPE our_##NAME PARAMETERS __asm__(#NAME)                                  \
        __attribute__((visibility("default")));                                \
    static TYPE(*real_##NAME) PARAMETERS;                                      \
    LISTED(NAME);                                                              \
    TYPE our_##NAME PARAMETERS

/* ISO C has no conversion from an object pointer to a function pointer; POSIX
 * dlsym() needs this detour. */
#define FIND(NAME)                                                             \
    do {                                                                       \
        if (!real_##NAME)                                                      \
            *(void **)&real_##NAME = find_real(#NAME);                         \
    } while (0)

/* A call on a descriptor. BEFORE may change the flags and set `ahead`, the part
 * of MORE that is known before the call; AFTER may use the result; both may use
 * d. PLACE is the place of its runs. LAST runs after the call is recorded. */
#define ON_DESCRIPTOR_AT(TYPE, NAME, CALL, PARAMETERS, ARGUMENTS, BEFORE,      \
                         AFTER, ASKED, MORE, PLACE, LAST)                      \
    STAND_IN(TYPE, NAME, PARAMETERS)                                           \
    {                                                                          \
        FIND(NAME);                                                            \
                                                                               \
        struct descriptor *const d = watching(fd);                             \
        struct stay stay;                                                      \
                                                                               \
        if (!d)                                                                \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        unsigned how = d->flags;                                               \
        int error = EFAULT, ahead = 0;                                         \
                                                                               \
        BEFORE;                                                                \
        enter(&stay, CALL, fd, how, ASKED, ahead);                             \
                                                                               \
        const TYPE result = real_##NAME ARGUMENTS;                             \
                                                                               \
        error = result == -1 ? errno : 0;                                      \
        AFTER;                                                                 \
        leave(&stay, CALL, fd, PLACE, how, error, result, ASKED, MORE);        \
        LAST;                                                                  \
        return result;                                                         \
    }
#define ON_DESCRIPTOR(TYPE, NAME, CALL, PARAMETERS, ARGUMENTS, BEFORE, AFTER,  \
                      ASKED, MORE)                                             \
    ON_DESCRIPTOR_AT(TYPE, NAME, CALL, PARAMETERS, ARGUMENTS, BEFORE, AFTER,   \
                     ASKED, MORE, place_of(CALL, fd), NOTHING)
#define NOTHING (void)0

static unsigned flags_of_call(int flags)
{
    return ((flags & MSG_DONTWAIT) ? FLAG_NONBLOCKING : 0U) |
           ((flags & MSG_PEEK) ? FLAG_PEEK : 0U);
}

/* At the first transfer, both ends have their addresses for certain. */
#define NAME_ONCE                                                              \
    if (result >= 0 && !d->named)                                              \
    name_ends(fd)

/* May we read what the program's pointers point to? Not if the kernel could
 * not, or failed before it tried. */
static bool was_read(int error)
{
    return error != EFAULT && error != EBADF && error != ENOTSOCK &&
           error != EINVAL && error != ENOPROTOOPT && error != EOPNOTSUPP;
}

/* The port of an address: IPv4 and IPv6 have it in the same place. */
static int port_of(int error, const void *address, size_t length)
{
    const unsigned char *byte = address;
    const struct sockaddr *a = address;

    if (!address || length < 4 || !was_read(error) ||
        (a->sa_family != AF_INET && a->sa_family != AF_INET6))
        return 0;
    return byte[2] << 8 | byte[3];
}

static int port_from(int error, const void *address, const socklen_t *length)
{
    return error || !length ? 0 : port_of(0, address, *length);
}

static int64_t sum_of(int error, const struct iovec *list, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; list && was_read(error) && i < count; i++)
        sum += list[i].iov_len;
    return sum > INT32_MAX ? INT32_MAX : (int64_t)sum;
}

static int64_t asked_of(int error, const struct msghdr *message)
{
    return message && was_read(error)
               ? sum_of(0, message->msg_iov, (size_t)message->msg_iovlen)
               : 0;
}

static int port_in(int error, const struct msghdr *message)
{
    return message && was_read(error)
               ? port_of(error, message->msg_name, message->msg_namelen)
               : 0;
}

/* --- Sending and receiving ------------------------------------------------ */

ON_DESCRIPTOR(ssize_t, recv, CALL_recv,
              (int fd, void *bytes, size_t size, int flags),
              (fd, bytes, size, flags), how |= flags_of_call(flags), NAME_ONCE,
              (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, recvfrom, CALL_recvfrom,
              (int fd, void *bytes, size_t size, int flags, void *from,
               socklen_t *length),
              (fd, bytes, size, flags, from, length),
              how |= flags_of_call(flags), NAME_ONCE, (int64_t)size,
              port_from(error, from, length))
ON_DESCRIPTOR(ssize_t, recvmsg, CALL_recvmsg,
              (int fd, struct msghdr *message, int flags), (fd, message, flags),
              how |= flags_of_call(flags), NAME_ONCE, asked_of(error, message),
              error ? 0 : port_in(error, message))
ON_DESCRIPTOR(ssize_t, send, CALL_send,
              (int fd, const void *bytes, size_t size, int flags),
              (fd, bytes, size, flags), how |= flags_of_call(flags), NAME_ONCE,
              (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, sendto, CALL_sendto,
              (int fd, const void *bytes, size_t size, int flags,
               const void *to, socklen_t length),
              (fd, bytes, size, flags, to, length), how |= flags_of_call(flags),
              NAME_ONCE, (int64_t)size, port_of(error, to, length))
ON_DESCRIPTOR(ssize_t, sendmsg, CALL_sendmsg,
              (int fd, const struct msghdr *message, int flags),
              (fd, message, flags), how |= flags_of_call(flags), NAME_ONCE,
              asked_of(error, message), port_in(error, message))

/* The names that _FORTIFY_SOURCE gives to these calls when it knows the size of
 * the memory; the C library ends the program if the memory is too small. */
#ifdef __GLIBC__
ON_DESCRIPTOR(ssize_t, __recv_chk, CALL_recv,
              (int fd, void *bytes, size_t size, size_t room, int flags),
              (fd, bytes, size, room, flags), how |= flags_of_call(flags),
              NAME_ONCE, (int64_t)size, 0)
ON_DESCRIPTOR(ssize_t, __recvfrom_chk, CALL_recvfrom,
              (int fd, void *bytes, size_t size, size_t room, int flags,
               void *from, socklen_t *length),
              (fd, bytes, size, room, flags, from, length),
              how |= flags_of_call(flags), NAME_ONCE, (int64_t)size,
              port_from(error, from, length))
#endif

/* On files, pipes and terminals, only long waits are recorded. */
#define ON_ANY_FILE(NAME, CALL, PARAMETERS, ARGUMENTS, ASKED)                  \
    STAND_IN(ssize_t, NAME, PARAMETERS)                                        \
    {                                                                          \
        FIND(NAME);                                                            \
                                                                               \
        struct descriptor *const d =                                           \
            own.window ? watching(fd) : learn_kind(fd);                        \
        struct stay stay;                                                      \
                                                                               \
        if (!d || (d->kind == SOCKET && !watching(fd)))                        \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const unsigned how = d->flags | (d->kind == SOCKET ? 0U : FLAG_FILE);  \
                                                                               \
        int error = EFAULT;                                                    \
                                                                               \
        enter(&stay, CALL, fd, how, ASKED, 0);                                 \
                                                                               \
        const ssize_t result = real_##NAME ARGUMENTS;                          \
                                                                               \
        error = result == -1 ? errno : 0;                                      \
        if (d->kind == SOCKET) {                                               \
            NAME_ONCE;                                                         \
        } else if (tick() - stay.began < lengths.file_wait) {                  \
            if (own.window && !(how & FLAG_NONBLOCKING))                       \
                come_back(&stay);                                              \
            return result;                                                     \
        } else if (!watching(fd)) {                                            \
            return result;                                                     \
        }                                                                      \
        leave(&stay, CALL, fd, place_of(CALL, fd), how, error, result, ASKED,  \
              0);                                                              \
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
            (fd, list, count), sum_of(error, list, (size_t)count))
ON_ANY_FILE(writev, CALL_writev, (int fd, const struct iovec *list, int count),
            (fd, list, count), sum_of(error, list, (size_t)count))

/* --- Making and ending connections ---------------------------------------- */

/* A new socket: store its kind, and record its addresses. */
static void opened(int fd, int type)
{
    set_descriptor(fd, SOCKET, type, type & SOCK_NONBLOCK);
    name_ends(fd);
}

/* Each accepted socket gets a record of its own, even if it has the same number
 * as the one before. */
#define ACCEPTS(NAME, PARAMETERS, ARGUMENTS, FLAGS)                            \
    ON_DESCRIPTOR_AT(int, NAME, CALL_##NAME, PARAMETERS, ARGUMENTS,            \
                     ahead = FLAGS, NOTHING, 0, FLAGS,                         \
                     error ? place_of(CALL_##NAME, fd) : NO_PLACE,             \
                     if (result >= 0) opened(result, SOCK_STREAM | (FLAGS)))

ACCEPTS(accept, (int fd, void *address, socklen_t *length),
        (fd, address, length), 0)
ACCEPTS(accept4, (int fd, void *address, socklen_t *length, int flags),
        (fd, address, length, flags), flags)

/* The port in the argument of a call that may never return. The program's
 * pointer may be invalid: let the kernel read it, which then fails without a
 * signal. */
static int port_before_call(unsigned how, const void *address, socklen_t length)
{
    struct sockaddr_in a = {0};
    const struct iovec here = {&a, sizeof a};
    const struct iovec there = {(void *)address, sizeof a};
    const int error = errno;
    long got = 0;

    if (!(how & FLAG_NONBLOCKING) && length >= sizeof a && !is_filtered())
        got = syscall(SYS_process_vm_readv, (long)getpid(), &here, 1L, &there,
                      1L, 0L);
    errno = error;
    return got == (long)sizeof a ? port_of(0, &a, sizeof a) : 0;
}

/* A connection attempt has a local address as soon as it begins. EALREADY adds
 * nothing new. */
static void name_attempt(int fd, int error, const void *address,
                         socklen_t length)
{
    if (address && was_read(error) && error != EALREADY) {
        name_local(fd);
        name_peer(fd, address, length);
    }
}

ON_DESCRIPTOR(int, connect, CALL_connect,
              (int fd, const void *address, socklen_t length),
              (fd, address, length),
              ahead = port_before_call(how, address, length),
              name_attempt(fd, error, address, length), 0,
              port_of(error, address, length))
ON_DESCRIPTOR(int, bind, CALL_bind,
              (int fd, const void *address, socklen_t length),
              (fd, address, length), how |= FLAG_NONBLOCKING,
              if (result == 0) name_local(fd), 0,
              port_of(error, address, length))
ON_DESCRIPTOR(int, listen, CALL_listen, (int fd, int queue), (fd, queue),
              how |= FLAG_NONBLOCKING, if (result == 0) name_local(fd), queue,
              0)
ON_DESCRIPTOR(int, shutdown, CALL_shutdown, (int fd, int which), (fd, which),
              how |= FLAG_NONBLOCKING, NOTHING, which, 0)

/* Calls that have no descriptor, or only sometimes one. They are recorded if IF
 * holds. ASKED and AHEAD, the part of MORE that is known before the call, are
 * evaluated before it; the others after it. */
#define ON_CONDITION(TYPE, NAME, PARAMETERS, ARGUMENTS, IF, CALL, FD, HOW,     \
                     PLACE, ASKED, AHEAD, ERROR, MORE, AFTER)                  \
    STAND_IN(TYPE, NAME, PARAMETERS)                                           \
    {                                                                          \
        struct stay stay;                                                      \
                                                                               \
        FIND(NAME);                                                            \
        if (!(IF))                                                             \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const int64_t asked = ASKED;                                           \
        const int about = FD;                                                  \
        const unsigned how = HOW;                                              \
                                                                               \
        enter(&stay, CALL, about, how, asked, AHEAD);                          \
                                                                               \
        const TYPE result = real_##NAME ARGUMENTS;                             \
        const int error = ERROR;                                               \
                                                                               \
        leave(&stay, CALL, about, PLACE, how, error, (int64_t)result, asked,   \
              MORE);                                                           \
        AFTER;                                                                 \
        return result;                                                         \
    }
#define ERRNO_IF_FAILED (result == -1 ? errno : 0)

/* A call that makes a new descriptor of this kind. */
#define MAKES(NAME, PARAMETERS, ARGUMENTS, ASKED, MORE, KIND, TYPE, MODE)      \
    ON_CONDITION(int, NAME, PARAMETERS, ARGUMENTS, is_recordable(),            \
                 CALL_##NAME, -1, FLAG_NONBLOCKING, NO_PLACE, ASKED, 0,        \
                 ERRNO_IF_FAILED, MORE,                                        \
                 if (result >= 0) set_descriptor(result, KIND, TYPE, MODE))

MAKES(socket, (int family, int type, int protocol), (family, type, protocol),
      type, family, SOCKET, type, type &SOCK_NONBLOCK)
MAKES(epoll_create, (int size), (size), size, 0, OTHER, 0, false)
MAKES(epoll_create1, (int flags), (flags), flags, 0, OTHER, 0, false)

/* It makes two descriptors: the second one is in `more`. */
STAND_IN(int, socketpair, (int family, int type, int protocol, int fds[2]))
{
    struct stay stay;

    FIND(socketpair);
    if (!is_recordable())
        return real_socketpair(family, type, protocol, fds);
    enter(&stay, CALL_socketpair, -1, FLAG_NONBLOCKING, 0, 0);

    const int result = real_socketpair(family, type, protocol, fds);

    leave(&stay, CALL_socketpair, -1, NO_PLACE, FLAG_NONBLOCKING,
          result == -1 ? errno : 0, result, result == 0 ? fds[0] : type,
          result == 0 ? fds[1] : family);
    for (int i = 0; result == 0 && i < 2; i++)
        opened(fds[i], type);
    return result;
}

/* A descriptor is about to be closed, by whatever function. Forget it before
 * the call: once it is free, another thread may get the same number. */
static bool closes(int fd, struct stay *stay)
{
    struct descriptor *const d = learn_kind(fd);
    const bool is_socket = d && d->kind == SOCKET && watching(fd);

    forget(fd);
    if (is_socket)
        enter(stay, CALL_close, fd, FLAG_NONBLOCKING, 0, 0);
    return is_socket;
}

#define CLOSES(NAME, PARAMETERS, ARGUMENTS, FD)                                \
    STAND_IN(int, NAME, PARAMETERS)                                            \
    {                                                                          \
        const int before = errno, about = FD;                                  \
        struct stay stay;                                                      \
                                                                               \
        FIND(NAME);                                                            \
        errno = before;                                                        \
        if (about < 0 || !closes(about, &stay))                                \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const int result = real_##NAME ARGUMENTS;                              \
                                                                               \
        leave(&stay, CALL_close, about, NO_PLACE, FLAG_NONBLOCKING,            \
              ERRNO_IF_FAILED, result, 0, 0);                                  \
        return result;                                                         \
    }

CLOSES(close, (int fd), (fd), fd)
/* fclose() does not call our close(). */
CLOSES(fclose, (FILE * file), (file), file ? fileno_unlocked(file) : -1)

/* It closes sockets too, without a record for each. */
STAND_IN(int, close_range, (unsigned first, unsigned last, int flags))
{
    FIND(close_range);

    const int result = real_close_range ? real_close_range(first, last, flags)
                                        : (int)syscall(436, first, last, flags);

    if (result == 0 && !(flags & 4 /* CLOSE_RANGE_CLOEXEC */))
        forget_range(first, last);
    return result;
}

#ifdef __GLIBC__
STAND_IN(void, closefrom, (int first))
{
    FIND(closefrom);
    if (real_closefrom)
        real_closefrom(first);
    else
        syscall(436, first, ~0U, 0);
    forget_range(first < 0 ? 0 : (unsigned)first, ~0U);
}
#endif

/* These give a descriptor a new meaning. The call itself is not recorded. */
#define COPIES(NAME, PARAMETERS, ARGUMENTS)                                    \
    STAND_IN(int, NAME, PARAMETERS)                                            \
    {                                                                          \
        FIND(NAME);                                                            \
                                                                               \
        const int result = real_##NAME ARGUMENTS;                              \
                                                                               \
        copied(fd, result);                                                    \
        return result;                                                         \
    }

COPIES(dup, (int fd), (fd))
COPIES(dup2, (int fd, int to), (fd, to))
COPIES(dup3, (int fd, int to, int flags), (fd, to, flags))

/* --- Blocking or not, and other options ----------------------------------- */

static void blocks(int fd, bool blocking)
{
    struct descriptor *const d = slot(fd);

    if (d != BEYOND)
        d->flags = (uint8_t)((d->flags & ~FLAG_NONBLOCKING) |
                             (blocking ? 0 : FLAG_NONBLOCKING));
}

/* A call may have changed the mode of a descriptor. Remember the mode; record
 * the call only for sockets. */
static void changed_mode(const struct stay *stay, enum call call, int fd,
                         int request, int result, int value, bool nonblocking)
{
    if (slot(fd)->kind == SOCKET)
        leave(stay, call, fd, place_of(call, fd), FLAG_NONBLOCKING,
              result == -1 ? errno : 0, result, request, value);
    if (result == 0)
        blocks(fd, !nonblocking);
}

/* The third argument is an int, a pointer or missing: pass it on as it came. */
#define ASKS_A_FILE(NAME)                                                      \
    STAND_IN(int, NAME, (int fd, int request, void *argument))                 \
    {                                                                          \
        const int value = (int)(intptr_t)argument;                             \
        struct stay stay = {0};                                                \
                                                                               \
        FIND(NAME);                                                            \
        if (request == F_DUPFD || request == F_DUPFD_CLOEXEC) {                \
            const int copy = real_##NAME(fd, request, argument);               \
                                                                               \
            copied(fd, copy);                                                  \
            return copy;                                                       \
        }                                                                      \
        if (request != F_SETFL || !knows_mode(fd))                             \
            return real_##NAME(fd, request, argument);                         \
        enter(&stay, CALL_fcntl, fd, FLAG_NONBLOCKING, 0, 0);                  \
                                                                               \
        const int result = real_##NAME(fd, request, argument);                 \
                                                                               \
        changed_mode(&stay, CALL_fcntl, fd, request, result, value,            \
                     (value & O_NONBLOCK) != 0);                               \
        return result;                                                         \
    }

/* Only a socket needs a window. */
static bool knows_mode(int fd)
{
    struct descriptor *const d = learn_kind(fd);

    return d && (d->kind != SOCKET || watching(fd));
}

ASKS_A_FILE(fcntl)
#ifdef __GLIBC__
ASKS_A_FILE(fcntl64)
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

STAND_IN(int, ioctl, (int fd, ioctl_request request, void *argument))
{
    struct stay stay = {0};

    FIND(ioctl);
    if (request != (ioctl_request)FIONBIO || !knows_mode(fd))
        return real_ioctl(fd, request, argument);
    enter(&stay, CALL_ioctl, fd, FLAG_NONBLOCKING, 0, 0);

    const int result = real_ioctl(fd, request, argument);
    const int value = result == 0 ? *(const int *)argument : 0;

    changed_mode(&stay, CALL_ioctl, fd, (int)FIONBIO, result, value,
                 value != 0);
    return result;
}

static int as_int(int error, const void *value, size_t length)
{
    return value && length >= sizeof(int) && was_read(error)
               ? *(const int *)value
               : 0;
}

ON_DESCRIPTOR(int, setsockopt, CALL_setsockopt,
              (int fd, int level, int name, const void *value,
               socklen_t length),
              (fd, level, name, value, length), how |= FLAG_NONBLOCKING,
              NOTHING, (int64_t)level * 65536 + (name & 0xffff),
              as_int(error, value, length))

ON_CONDITION(int, getsockopt,
             (int fd, int level, int name, void *value, socklen_t *length),
             (fd, level, name, value, length),
             level == SOL_SOCKET && name == SO_ERROR && watching(fd),
             CALL_getsockopt, fd, FLAG_NONBLOCKING,
             place_of(CALL_getsockopt, fd), SO_ERROR, 0, ERRNO_IF_FAILED,
             error ? 0 : as_int(0, value, *length), NOTHING)

/* --- Waiting -------------------------------------------------------------- */

/* Timeouts in microseconds; -1: for ever. */
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
    return (count > INT16_MAX ? INT16_MAX
            : count < 0       ? 0
                              : count)
               << 16 |
           (reported & 0xffff);
}

static int64_t polled(const struct pollfd *list, nfds_t count, int result)
{
    unsigned events = 0;

    for (nfds_t i = 0; result > 0 && i < count; i++)
        events |= (unsigned)list[i].revents;
    return watched((int64_t)count, events);
}

/* Is any bit set? Look only at the words that are in use. */
static bool any(const fd_set *set, int count)
{
    const int bits = 8 * (int)sizeof(long);

    for (int i = 0; set && i < (count + bits - 1) / bits; i++)
        if (((const long *)(const void *)set)[i])
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

/* The descriptor of a wait that has only one; otherwise -1. */
static int only(const struct pollfd *list, nfds_t count)
{
    return count == 1 && list ? list[0].fd : -1;
}

/* HIGH is the number of descriptors, or the most events, given to the call. */
#define WAITS(NAME, CALL, PARAMETERS, ARGUMENTS, FD, HIGH, LIMIT, MORE)        \
    ON_CONDITION(int, NAME, PARAMETERS, ARGUMENTS, is_recordable(), CALL, FD,  \
                 asked == 0 ? FLAG_NONBLOCKING : 0U, place_of(CALL, about),    \
                 LIMIT, HIGH, ERRNO_IF_FAILED, MORE, NOTHING)

WAITS(poll, CALL_poll, (struct pollfd * list, nfds_t count, int limit),
      (list, count, limit), only(list, count), watched((int64_t)count, 0),
      us_of_ms(limit), polled(list, count, result))
WAITS(ppoll, CALL_ppoll,
      (struct pollfd * list, nfds_t count, const struct timespec *limit,
       const sigset_t *mask),
      (list, count, limit, mask), only(list, count), watched((int64_t)count, 0),
      us_of(limit), polled(list, count, result))
#ifdef __GLIBC__
WAITS(__poll_chk, CALL_poll,
      (struct pollfd * list, nfds_t count, int limit, size_t room),
      (list, count, limit, room), only(list, count), watched((int64_t)count, 0),
      us_of_ms(limit), polled(list, count, result))
WAITS(__ppoll_chk, CALL_ppoll,
      (struct pollfd * list, nfds_t count, const struct timespec *limit,
       const sigset_t *mask, size_t room),
      (list, count, limit, mask, room), only(list, count),
      watched((int64_t)count, 0), us_of(limit), polled(list, count, result))
#endif
WAITS(select, CALL_select,
      (int count, fd_set *readable, fd_set *writable, fd_set *except,
       struct timeval *limit),
      (count, readable, writable, except, limit), -1, watched(count, 0),
      us_of_timeval(limit), selected(count, readable, writable, except, result))
WAITS(pselect, CALL_pselect,
      (int count, fd_set *readable, fd_set *writable, fd_set *except,
       const struct timespec *limit, const sigset_t *mask),
      (count, readable, writable, except, limit, mask), -1, watched(count, 0),
      us_of(limit), selected(count, readable, writable, except, result))
WAITS(epoll_wait, CALL_epoll_wait,
      (int fd, struct epoll_event *ready, int most, int limit),
      (fd, ready, most, limit), fd, watched(most, 0), us_of_ms(limit),
      happened(ready, most, result))
WAITS(epoll_pwait, CALL_epoll_pwait,
      (int fd, struct epoll_event *ready, int most, int limit,
       const sigset_t *mask),
      (fd, ready, most, limit, mask), fd, watched(most, 0), us_of_ms(limit),
      happened(ready, most, result))

static int64_t epoll_ctl_more(int op, const struct epoll_event *event,
                              int error)
{
    const uint32_t events =
        event && op != EPOLL_CTL_DEL && was_read(error) ? event->events : 0;

    return op << 16 | (int)(events & 0xffff) |
           ((events & EPOLLET) ? 1 << 20 : 0);
}

ON_CONDITION(int, epoll_ctl,
             (int fd, int op, int target, struct epoll_event *event),
             (fd, op, target, event), is_recordable(), CALL_epoll_ctl, fd,
             FLAG_NONBLOCKING, place_of(CALL_epoll_ctl, fd), target, 0,
             ERRNO_IF_FAILED, epoll_ctl_more(op, event, error), NOTHING)

/* --- Sleeping ------------------------------------------------------------- */

#define SLEEPS(TYPE, NAME, PARAMETERS, ARGUMENTS, LENGTH, ERROR)               \
    ON_CONDITION(TYPE, NAME, PARAMETERS, ARGUMENTS, is_recordable(),           \
                 CALL_##NAME, -1, 0, place_of(CALL_##NAME, -1), LENGTH, 0,     \
                 ERROR, 0, NOTHING)

SLEEPS(unsigned, sleep, (unsigned length), (length),
       length > INT32_MAX / 1000000 ? INT32_MAX : (int64_t)length * 1000000, 0)
SLEEPS(int, usleep, (useconds_t length), (length), (int64_t)length,
       ERRNO_IF_FAILED)
SLEEPS(int, nanosleep, (const struct timespec *length, struct timespec *left),
       (length, left), us_of(length), ERRNO_IF_FAILED)
/* With an absolute time, the length is recorded as 0. The function returns its
 * error. */
SLEEPS(int, clock_nanosleep,
       (clockid_t id, int flags, const struct timespec *length,
        struct timespec *left),
       (id, flags, length, left), (flags & TIMER_ABSTIME) ? 0 : us_of(length),
       result)

/* --- Filters of system calls ---------------------------------------------- */

#define SETS_FILTER(TYPE, NAME, PARAMETERS, ARGUMENTS, IF)                     \
    STAND_IN(TYPE, NAME, PARAMETERS)                                           \
    {                                                                          \
        FIND(NAME);                                                            \
        if (!(IF))                                                             \
            return real_##NAME ARGUMENTS;                                      \
                                                                               \
        const bool ahead = before_filter();                                    \
        const TYPE result = real_##NAME ARGUMENTS;                             \
                                                                               \
        if (ahead)                                                             \
            after_filter(result != -1);                                        \
        return result;                                                         \
    }

SETS_FILTER(int, prctl,
            (int option, unsigned long a, unsigned long b, unsigned long c,
             unsigned long d),
            (option, a, b, c, d), option == PR_SET_SECCOMP)

/* The kernel's values; some C libraries come without its headers. */
enum { SET_MODE_STRICT, SET_MODE_FILTER };

/* Most libraries set a filter through syscall(). Our own system calls pass
 * through here, too. */
SETS_FILTER(long, syscall,
            (long number, long a, long b, long c, long d, long e, long f),
            (number, a, b, c, d, e, f),
            number == SYS_seccomp &&
                (a == SET_MODE_STRICT || a == SET_MODE_FILTER))

/* --- Processes and jumps -------------------------------------------------- */

STAND_IN(pid_t, fork, (void))
{
    FIND(fork);

    const pid_t result = real_fork();

    if (result == 0)
        forked();
    return result;
}

/*
 * vfork(2) returns twice. At its second return, the stack has been used by the
 * child. So the return address is kept elsewhere, and nothing is recorded until
 * the parent has its memory for itself again.
 */
#ifdef __x86_64__
static __thread struct trace_block *lent_window;
static __thread void *return_to;

struct two { /* returned in two registers */
    void *first;
    uintptr_t second;
};

struct two vfork_begins(void *from) __attribute__((used, visibility("hidden")));
struct two vfork_begins(void *from)
{
    static pid_t (*real_vfork)(void);
    const bool within = own.away; /* vfork in such a child: change nothing */

    FIND(vfork);
    if (!within) {
        return_to = from;
        lent_window = own.window;
        own.window = NULL;
        own.away = true;
    }
    return (struct two){*(void **)&real_vfork, within};
}

struct two vfork_returns(pid_t result)
    __attribute__((used, visibility("hidden")));
struct two vfork_returns(pid_t result)
{
    if (result != 0) {
        own.window = lent_window;
        own.away = false;
    }
    return (struct two){return_to, (uintptr_t)result};
}

__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "    mov (%rsp), %rdi\n"
        "    sub $8, %rsp\n"
        "    call vfork_begins\n"
        "    add $8, %rsp\n"
        "    test %edx, %edx\n"
        "    jz 1f\n"
        "    jmp *%rax\n"
        "1:  add $8, %rsp\n" /* drop the return address from the stack */
        "    call *%rax\n"
        "    sub $16, %rsp\n"
        "    mov %eax, %edi\n"
        "    call vfork_returns\n"
        "    add $8, %rsp\n"
        "    mov %rax, (%rsp)\n"
        "    mov %edx, %eax\n"
        "    ret\n"
        ".size vfork, . - vfork\n");
#else
/* POSIX allowed vfork() to be the same as fork(). */
pid_t our_vfork(void) __asm__("vfork") __attribute__((visibility("default")));
pid_t our_vfork(void)
{
    return our_fork();
}
#endif

/* A function that does not return. BEFORE is called first. */
#define LEAVES_FOR_GOOD(NAME, PARAMETERS, ARGUMENTS, BEFORE)                   \
    void our_##NAME PARAMETERS __asm__(#NAME)                                  \
        __attribute__((noreturn, visibility("default")));                      \
    static void(*real_##NAME) PARAMETERS;                                      \
    LISTED(NAME);                                                              \
    void our_##NAME PARAMETERS                                                 \
    {                                                                          \
        FIND(NAME);                                                            \
        BEFORE();                                                              \
        real_##NAME ARGUMENTS;                                                 \
        __builtin_unreachable();                                               \
    }
LEAVES_FOR_GOOD(_exit, (int status), (status), process_ends)
LEAVES_FOR_GOOD(_Exit, (int status), (status), process_ends)
/* These may leave a signal handler. */
LEAVES_FOR_GOOD(longjmp, (void *to, int value), (to, value), before_jump)
LEAVES_FOR_GOOD(_longjmp, (void *to, int value), (to, value), before_jump)
LEAVES_FOR_GOOD(siglongjmp, (void *to, int value), (to, value), before_jump)
#ifdef __GLIBC__
LEAVES_FOR_GOOD(__longjmp_chk, (void *to, int value), (to, value), before_jump)
#endif

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

STAND_IN(int, waitid, (idtype_t type, id_t id, siginfo_t *told, int options))
{
    FIND(waitid);

    const int result = real_waitid(type, id, told, options);

    if (result == 0 && told && told->si_pid > 0 &&
        (told->si_code == CLD_KILLED || told->si_code == CLD_DUMPED))
        reaped(told->si_pid, told->si_status);
    return result;
}
/* NOLINTEND(bugprone-macro-parentheses) */
