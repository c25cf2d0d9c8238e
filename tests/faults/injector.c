/* SPDX-License-Identifier: MIT */
/*
 * injector - counts a program's calls and makes one of them fail. It is
 * preloaded; its functions replace those of the C library. See injector.h.
 *
 * A call that fails this way does nothing else, but for connect with EINTR: the
 * attempt goes on in the kernel (connect(2)).
 */
#define _GNU_SOURCE
#include "injector.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/types.h>
#include <unistd.h>

/* Not from the headers: the GNU C library declares some of these functions with
 * attributes or types that no definition in ISO C matches. */
struct sockaddr;
struct msghdr;
struct pollfd;
struct epoll_event;
struct addrinfo;
struct rlimit;
typedef unsigned length;

static struct injection nothing = {.fault = {.call = NO_CALL}};
static struct injection *injection = &nothing;

__attribute__((constructor)) static void begin_to_inject(void)
{
    const char *name = getenv(INJECTION);
    const int fd = name ? (int)strtol(name, NULL, 10) : -1;
    void *shared = MAP_FAILED;

    if (fd >= 0) {
        shared = mmap(NULL, sizeof *injection, PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
        close(fd);
    }
    unsetenv(INJECTION);
    if (shared != MAP_FAILED)
        injection = shared;
}

/* The fault for this call: an error, CUT_SHORT, or 0 for none. */
static int due(enum call call)
{
    const struct fault *f = &injection->fault;
    const unsigned number = ++injection->made[call];

    if (f->call != (int)call || number < (unsigned)f->first ||
        (number > (unsigned)f->first && !f->on))
        return 0;
    injection->reached++;
    return f->error;
}

/* ISO C has no conversion from an object pointer to a function pointer; POSIX
 * dlsym() asks for this detour. */
#define REAL(pointer, name)                                                    \
    do {                                                                       \
        if (!(pointer))                                                        \
            *(void **)&(pointer) = dlsym(RTLD_NEXT, name);                     \
    } while (0)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses. */

/* Define a call that returns WRONG and sets errno if it fails. SHORTEN is what
 * CUT_SHORT does to the arguments. */
#define FAILS(TYPE, NAME, PARAMETERS, ARGUMENTS, WRONG, SHORTEN)               \
    TYPE NAME PARAMETERS;                                                      \
    TYPE NAME PARAMETERS                                                       \
    {                                                                          \
        static TYPE(*real) PARAMETERS;                                         \
        const int error = due(CALL_##NAME);                                    \
                                                                               \
        REAL(real, #NAME);                                                     \
        if (error > 0) {                                                       \
            errno = error;                                                     \
            return WRONG;                                                      \
        }                                                                      \
        if (error == CUT_SHORT)                                                \
            SHORTEN;                                                           \
        return real ARGUMENTS;                                                 \
    }

#define NOTHING  (void)0
#define ONE_BYTE size = size > 0

FAILS(int, socket, (int family, int type, int protocol),
      (family, type, protocol), -1, NOTHING)
FAILS(int, bind, (int fd, const struct sockaddr *address, length size),
      (fd, address, size), -1, NOTHING)
FAILS(int, listen, (int fd, int queue), (fd, queue), -1, NOTHING)
FAILS(int, accept, (int fd, struct sockaddr *address, length *size),
      (fd, address, size), -1, NOTHING)
FAILS(int, getsockname, (int fd, struct sockaddr *address, length *size),
      (fd, address, size), -1, NOTHING)
FAILS(int, getpeername, (int fd, struct sockaddr *address, length *size),
      (fd, address, size), -1, NOTHING)
FAILS(int, getsockopt, (int fd, int level, int name, void *value, length *size),
      (fd, level, name, value, size), -1, NOTHING)
FAILS(int, setsockopt,
      (int fd, int level, int name, const void *value, length size),
      (fd, level, name, value, size), -1, NOTHING)
FAILS(int, shutdown, (int fd, int how), (fd, how), -1, NOTHING)
FAILS(ssize_t, send, (int fd, const void *bytes, size_t size, int flags),
      (fd, bytes, size, flags), -1, ONE_BYTE)
FAILS(ssize_t, sendto,
      (int fd, const void *bytes, size_t size, int flags,
       const struct sockaddr *to, length its_size),
      (fd, bytes, size, flags, to, its_size), -1, ONE_BYTE)
FAILS(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
      (fd, message, flags), -1, NOTHING)
FAILS(ssize_t, recv, (int fd, void *bytes, size_t size, int flags),
      (fd, bytes, size, flags), -1, ONE_BYTE)
FAILS(ssize_t, recvfrom,
      (int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
       length *its_size),
      (fd, bytes, size, flags, from, its_size), -1, ONE_BYTE)
FAILS(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
      (fd, message, flags), -1, NOTHING)
FAILS(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), -1,
      ONE_BYTE)
FAILS(ssize_t, write, (int fd, const void *bytes, size_t size),
      (fd, bytes, size), -1, ONE_BYTE)
FAILS(int, poll, (struct pollfd * list, unsigned long count, int limit),
      (list, count, limit), -1, NOTHING)
FAILS(int, select,
      (int count, fd_set *restrict readable, fd_set *restrict writable,
       fd_set *restrict except, struct timeval *restrict limit),
      (count, readable, writable, except, limit), -1, NOTHING)
FAILS(int, epoll_create1, (int flags), (flags), -1, NOTHING)
FAILS(int, epoll_ctl, (int epoll_fd, int op, int fd, struct epoll_event *event),
      (epoll_fd, op, fd, event), -1, NOTHING)
FAILS(int, epoll_wait,
      (int epoll_fd, struct epoll_event *ready, int most, int limit),
      (epoll_fd, ready, most, limit), -1, NOTHING)
FAILS(int, getrlimit, (int resource, struct rlimit *limit), (resource, limit),
      -1, NOTHING)
FAILS(int, setrlimit, (int resource, const struct rlimit *limit),
      (resource, limit), -1, NOTHING)
FAILS(ssize_t, getline, (char **line, size_t *room, void *file),
      (line, room, file), -1, NOTHING)

/* Variadic calls: the third argument, if there is one, is an int or a pointer;
 * on all machines with Linux both fit in a long and come the same way. */
#define FAILS_VARIADIC(NAME, FIRST, SECOND)                                    \
    int NAME(FIRST first, SECOND second, ...);                                 \
    int NAME(FIRST first, SECOND second, ...)                                  \
    {                                                                          \
        static int (*real)(FIRST, SECOND, ...);                                \
        const int error = due(CALL_##NAME);                                    \
        va_list list;                                                          \
        long third;                                                            \
                                                                               \
        REAL(real, #NAME);                                                     \
        va_start(list, second);                                                \
        third = va_arg(list, long);                                            \
        va_end(list);                                                          \
        if (error > 0) {                                                       \
            errno = error;                                                     \
            return -1;                                                         \
        }                                                                      \
        return real(first, second, third);                                     \
    }

FAILS_VARIADIC(fcntl, int, int)
FAILS_VARIADIC(ioctl, int, unsigned long)
FAILS_VARIADIC(open, const char *, int)

int connect(int fd, const struct sockaddr *address, length size);
int connect(int fd, const struct sockaddr *address, length size)
{
    static int (*real)(int, const struct sockaddr *, length);
    const int error = due(CALL_connect);

    REAL(real, "connect");
    if (error <= 0)
        return real(fd, address, size);
    if (error == EINTR)
        real(fd, address, size);
    errno = error;
    return -1;
}

/* It returns its error. */
int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **list);
int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    static int (*real)(const char *, const char *, const struct addrinfo *,
                       struct addrinfo **);
    const int error = due(CALL_getaddrinfo);

    REAL(real, "getaddrinfo");
    return error ? error : real(host, service, hints, list);
}

/* While dlsym looks for an allocator, it may itself ask for memory. */
static void *early(size_t size)
{
    static _Alignas(16) char room[4096];
    static size_t used;
    char *block = room + used;

    used += (size + 15) / 16 * 16;
    return used <= sizeof room ? block : NULL;
}

#define ALLOCATES(NAME, PARAMETERS, ARGUMENTS, SIZE)                           \
    void *NAME PARAMETERS;                                                     \
    void *NAME PARAMETERS                                                      \
    {                                                                          \
        static void *(*real)PARAMETERS;                                        \
        static bool looking;                                                   \
                                                                               \
        if (looking)                                                           \
            return early(SIZE);                                                \
        looking = true;                                                        \
        REAL(real, #NAME);                                                     \
        looking = false;                                                       \
        if (due(CALL_##NAME)) {                                                \
            errno = ENOMEM;                                                    \
            return NULL;                                                       \
        }                                                                      \
        return real ARGUMENTS;                                                 \
    }

ALLOCATES(malloc, (size_t size), (size), size)
ALLOCATES(calloc, (size_t count, size_t size), (count, size), count *size)
ALLOCATES(realloc, (void *block, size_t size), (block, size), size)

/* NOLINTEND(bugprone-macro-parentheses) */
