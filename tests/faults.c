/* SPDX-License-Identifier: MIT */
/*
 * faults - makes socket calls fail on purpose, in any program:
 *
 *     LD_PRELOAD=faults.so WB_FAULTS='accept:ECONNABORTED:1,recv:EINTR:3+'
 *
 * The first accept fails with ECONNABORTED, and every third recv with EINTR;
 * a call that fails this way does nothing else. "send:short:2+" lets every
 * second send take one byte only.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/types.h>

/* Not from <sys/socket.h>: the GNU C library declares accept with a union of
 * all kinds of addresses, which no definition in ISO C matches. */
struct sockaddr;
int accept(int fd, struct sockaddr *restrict address,
           unsigned *restrict length);
int connect(int fd, const struct sockaddr *address, unsigned length);
ssize_t recv(int fd, void *bytes, size_t size, int flags);
ssize_t send(int fd, const void *bytes, size_t size, int flags);
struct msghdr;
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
ssize_t sendto(int fd, const void *bytes, size_t size, int flags,
               const struct sockaddr *to, unsigned length);

enum { SHORT = -1 };

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EACCES", EACCES},         {"ECONNABORTED", ECONNABORTED},
    {"ECONNRESET", ECONNRESET}, {"EINTR", EINTR},
    {"EMFILE", EMFILE},         {"ENOBUFS", ENOBUFS},
    {"EPIPE", EPIPE},           {"short", SHORT},
};

/* What is to go wrong with this call, the nth of its kind; 0: nothing. */
static int fault(const char *call, unsigned long n)
{
    const char *p = getenv("WB_FAULTS");
    size_t length = strlen(call);

    while (p && *p) {
        if (strncmp(p, call, length) == 0 && p[length] == ':') {
            const char *error = p + length + 1;
            const char *colon = strchr(error, ':');
            char *rest = NULL;
            unsigned long at = colon ? strtoul(colon + 1, &rest, 10) : 0;

            if (at > 0 && (*rest == '+' ? n % at == 0 : n == at))
                for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
                    if (strncmp(error, errors[i].name,
                                (size_t)(colon - error)) == 0)
                        return errors[i].number;
        }
        p = strchr(p, ',');
        if (p)
            p++;
    }
    return 0;
}

/* ISO C has no conversion from an object pointer to a function pointer; POSIX
 * dlsym() asks for this detour. */
#define REAL(pointer, name)                                                    \
    do {                                                                       \
        if (!(pointer))                                                        \
            *(void **)&(pointer) = dlsym(RTLD_NEXT, name);                     \
    } while (0)

int accept(int fd, struct sockaddr *restrict address, unsigned *restrict length)
{
    static int (*real)(int, struct sockaddr *restrict, unsigned *restrict);
    static unsigned long calls;
    int error = fault("accept", ++calls);

    REAL(real, "accept");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, address, length);
}

int connect(int fd, const struct sockaddr *address, unsigned length)
{
    static int (*real)(int, const struct sockaddr *, unsigned);
    static unsigned long calls;
    int error = fault("connect", ++calls);

    REAL(real, "connect");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, address, length);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    static unsigned long calls;
    int error = fault("recv", ++calls);

    REAL(real, "recv");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, bytes, error == SHORT && size > 0 ? 1 : size, flags);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);
    static unsigned long calls;
    int error = fault("send", ++calls);

    REAL(real, "send");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, bytes, error == SHORT && size > 0 ? 1 : size, flags);
}

int poll(struct pollfd *list, nfds_t count, int limit)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    static unsigned long calls;
    int error = fault("poll", ++calls);

    REAL(real, "poll");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(list, count, limit);
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable,
           fd_set *restrict except, struct timeval *restrict limit)
{
    static int (*real)(int, fd_set *restrict, fd_set *restrict,
                       fd_set *restrict, struct timeval *restrict);
    static unsigned long calls;
    int error = fault("select", ++calls);

    REAL(real, "select");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(count, readable, writable, except, limit);
}

int epoll_wait(int set, struct epoll_event *ready, int most, int limit)
{
    static int (*real)(int, struct epoll_event *, int, int);
    static unsigned long calls;
    int error = fault("epoll_wait", ++calls);

    REAL(real, "epoll_wait");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(set, ready, most, limit);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static ssize_t (*real)(int, struct msghdr *, int);
    static unsigned long calls;
    int error = fault("recvmsg", ++calls);

    REAL(real, "recvmsg");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, message, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags,
               const struct sockaddr *to, unsigned length)
{
    static ssize_t (*real)(int, const void *, size_t, int,
                           const struct sockaddr *, unsigned);
    static unsigned long calls;
    int error = fault("sendto", ++calls);

    REAL(real, "sendto");
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, bytes, size, flags, to, length);
}
