/* SPDX-License-Identifier: MIT */
/*
 * calls - makes known socket calls on sockets of its own, and prints each of
 * them in the format of 'scripts/timeline --list', in the order of their start:
 * trace.bats compares this with what the recorder finds. If a successful call
 * changes errno, calls prints that too.
 */
#define _GNU_SOURCE
#include "error.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The name of the calling lane, which begins each line. */
static const char *who = "calls";
static char bytes[64];

LIKE_PRINTF(2, 0)
static void tell(long result, const char *format, va_list arguments)
{
    const int error = errno;

    printf("%s ", who);
    vprintf(format, arguments);
    printf(" = %ld", result);
    if (result == -1)
        printf(" %s", error_entry(error)->symbol);
    else if (error)
        printf(" errno %d", error);
}

/* Print a call and its result; errno is still that of the call. */
LIKE_PRINTF(2, 3)
static void said(long result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(result, format, arguments);
    va_end(arguments);
    putchar('\n');
    errno = 0;
}

/* Print a wait, its result, and the events that it reported. */
LIKE_PRINTF(3, 4)
static void woke(int result, const char *reported, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(result, format, arguments);
    va_end(arguments);
    printf(result > 0 ? " (%s)\n" : "\n", reported);
    errno = 0;
}

/* Print a call that never returned. */
LIKE_PRINTF(1, 2)
static void never(const char *format, ...)
{
    va_list arguments;

    printf("%s ", who);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    puts(" = ...");
    errno = 0;
}

/* --- Making calls --------------------------------------------------------- */

static void make_pair(int fds[2])
{
    const int result = socketpair(AF_UNIX, SOCK_STREAM, 0, fds);

    said(result, "socketpair([%d, %d])", fds[0], fds[1]);
}

static void closes(int fd)
{
    said(close(fd), "close(%d)", fd);
}

/* Move size bytes from one socket to the other. */
static void moves(int from, int to, int size)
{
    said(send(from, bytes, (size_t)size, 0), "send(%d, %d)", from, size);
    said(recv(to, bytes, sizeof bytes, 0), "recv(%d, 64)", to);
}

/* Get EAGAIN, this many times. */
static void asks(int fd, int size, int times)
{
    for (int i = 0; i < times; i++)
        said(recv(fd, bytes, (size_t)size, MSG_DONTWAIT), "recv(%d, %d)", fd,
             size);
}

/* Neither of these makes a recorded call. */
static void computes(int ms)
{
    struct timespec from, now;

    clock_gettime(CLOCK_MONOTONIC, &from);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000 +
               (now.tv_nsec - from.tv_nsec) / 1000000 <
           ms);
}

static void waits_unseen(int ms)
{
    const struct timespec length = {.tv_nsec = ms * 1000000L};

    syscall(SYS_nanosleep, &length, NULL);
}

static void on_a_pair(void)
{
    int fds[2];
    struct iovec parts[2] = {{bytes, 1}, {bytes, 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    int off = 0;

    make_pair(fds);
    said(fcntl(fds[0], F_SETFL, O_NONBLOCK), "fcntl(%d, F_SETFL, O_NONBLOCK)",
         fds[0]);
    said(recv(fds[0], bytes, 16, 0), "recv(%d, 16)", fds[0]);
    moves(fds[1], fds[0], 5);
    said(write(fds[1], bytes, 3), "write(%d, 3)", fds[1]);
    said(recv(fds[0], bytes, 2, MSG_PEEK), "recv(%d, 2)", fds[0]);
    said(read(fds[0], bytes, 16), "read(%d, 16)", fds[0]);
    said(writev(fds[1], parts, 2), "writev(%d)", fds[1]);
    said(readv(fds[0], parts, 2), "readv(%d)", fds[0]);
    said(sendmsg(fds[1], &message, 0), "sendmsg(%d)", fds[1]);
    said(recvmsg(fds[0], &message, 0), "recvmsg(%d)", fds[0]);
    said(ioctl(fds[0], FIONBIO, &off), "ioctl(%d, FIONBIO, 0)", fds[0]);
    said(recv(fds[0], bytes, 16, MSG_DONTWAIT), "recv(%d, 16)", fds[0]);
    said(shutdown(fds[1], SHUT_WR), "shutdown(%d, SHUT_WR)", fds[1]);
    said(recv(fds[0], bytes, 16, 0), "recv(%d, 16)", fds[0]);
    said(send(fds[1], bytes, 1, MSG_NOSIGNAL), "send(%d, 1)", fds[1]);
    closes(fds[0]);
    closes(fds[1]);
}

/* The loopback address of either family; port 0 means any port. */
static socklen_t loopback(int family, int port, struct sockaddr_storage *a)
{
    struct sockaddr_in *in = (void *)a;
    struct sockaddr_in6 *in6 = (void *)a;

    memset(a, 0, sizeof *a);
    a->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons((uint16_t)port);
        return sizeof *in6;
    }
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons((uint16_t)port);
    return sizeof *in;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = {.in6 = {0}};
    socklen_t length = sizeof a;

    if (getsockname(fd, &a.any, &length) == -1)
        die("cannot find my address");
    return ntohs(a.any.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
}

static const char *family_name(int family)
{
    return family == AF_INET6 ? "AF_INET6" : "AF_INET";
}

static int makes(int family, int type, const char *type_name)
{
    const int fd = socket(family, type, 0);

    said(fd, "socket(%s, %s)", family_name(family), type_name);
    return fd;
}

static void binds(int fd, int family, int port)
{
    struct sockaddr_storage a;
    const socklen_t length = loopback(family, port, &a);

    said(bind(fd, (struct sockaddr *)&a, length), "bind(%d, port %d)", fd,
         port);
}

static void connects(int fd, int family, int port)
{
    struct sockaddr_storage a;
    const socklen_t length = loopback(family, port, &a);

    said(connect(fd, (struct sockaddr *)&a, length), "connect(%d, port %d)", fd,
         port);
}

static int accepts(int fd)
{
    const int accepted = accept(fd, NULL, NULL);

    said(accepted, "accept(%d)", fd);
    return accepted;
}

static int listens(int family)
{
    const int fd = makes(family, SOCK_STREAM, "SOCK_STREAM"), on = 1;

    said(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on),
         "setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, 1)", fd);
    binds(fd, family, 0);
    said(listen(fd, 5), "listen(%d, 5)", fd);
    return fd;
}

/* All the ways to wait until fd is readable. */
static void waits(int fd, int writer)
{
    struct pollfd list = {.fd = fd, .events = POLLIN};
    const struct timespec at_once = {0}, long_time = {.tv_sec = 5};
    struct timeval a_while = {.tv_sec = 5};
    fd_set set;

    FD_ZERO(&set);
    FD_SET((unsigned)fd, &set); /* the cast is for musl */
    woke(poll(&list, 1, 0), "", "poll([%d], 0)", fd);
    said(send(writer, bytes, 1, 0), "send(%d, 1)", writer);
    woke(poll(&list, 1, -1), "POLLIN", "poll([%d], for ever)", fd);
    woke(ppoll(&list, 1, &long_time, NULL), "POLLIN", "ppoll([%d], 5.00 s)",
         fd);
    woke(select(fd + 1, &set, NULL, NULL, &a_while), "POLLIN",
         "select(%d, 5.00 s)", fd + 1);
    woke(pselect(fd + 1, &set, NULL, NULL, &at_once, NULL), "POLLIN",
         "pselect(%d, 0)", fd + 1);
    said(recv(fd, bytes, 16, 0), "recv(%d, 16)", fd);
}

static void waits_with_epoll(int fd, int writer)
{
    const int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN}, ready[4];

    said(set, "epoll_create1()");
    said(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event),
         "epoll_ctl(%d, EPOLL_CTL_ADD, %d, EPOLLIN)", set, fd);
    said(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event),
         "epoll_ctl(%d, EPOLL_CTL_ADD, %d, EPOLLIN)", set, fd);
    woke(epoll_wait(set, ready, 4, 0), "", "epoll_wait(%d, 0)", set);
    said(send(writer, bytes, 1, 0), "send(%d, 1)", writer);
    woke(epoll_wait(set, ready, 4, -1), "POLLIN", "epoll_wait(%d, for ever)",
         set);
    event.events = EPOLLOUT | EPOLLET;
    said(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event),
         "epoll_ctl(%d, EPOLL_CTL_MOD, %d, EPOLLOUT|EPOLLET)", set, fd);
    woke(epoll_pwait(set, ready, 4, 5000, NULL), "POLLOUT",
         "epoll_pwait(%d, 5.00 s)", set);
    said(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL),
         "epoll_ctl(%d, EPOLL_CTL_DEL, %d, 0)", set, fd);
    close(set); /* no socket, so not recorded */
    said(recv(fd, bytes, 16, 0), "recv(%d, 16)", fd);
}

static void with_tcp(int family)
{
    const int listener = listens(family), port = port_of(listener);
    const int client =
        makes(family, SOCK_STREAM | SOCK_NONBLOCK, "SOCK_STREAM|SOCK_NONBLOCK");
    struct pollfd list = {.fd = client, .events = POLLOUT};
    int error, served, other, second;
    socklen_t length = sizeof error;

    connects(client, family, port);
    woke(poll(&list, 1, 5000), "POLLOUT", "poll([%d], 5.00 s)", client);
    said(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length),
         "getsockopt(%d, SOL_SOCKET, SO_ERROR)", client);
    served = accepts(listener);
    second = makes(family, SOCK_STREAM, "SOCK_STREAM");
    connects(second, family, port);
    connects(second, family, port); /* a second time: EISCONN */
    other = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    said(other, "accept4(%d, SOCK_NONBLOCK)", listener);
    said(recv(other, bytes, 16, 0), "recv(%d, 16)", other);
    waits(served, client);
    waits_with_epoll(other, second);
    closes(second);
    closes(other);
    /* Reuse the same number at once for another socket. */
    second = makes(family, SOCK_STREAM, "SOCK_STREAM");
    connects(second, family, port);
    other = accepts(listener);
    closes(other);
    closes(second);
    closes(listener);
    second = makes(family, SOCK_STREAM, "SOCK_STREAM");
    connects(second, family, port);
    closes(second);
    closes(served);
    closes(client);
}

static void with_udp(int family)
{
    const int here = makes(family, SOCK_DGRAM, "SOCK_DGRAM");
    const int there = makes(family, SOCK_DGRAM, "SOCK_DGRAM");
    struct sockaddr_storage a;
    socklen_t length;
    int port;

    binds(here, family, 0);
    binds(there, family, 0);
    port = port_of(here);
    length = loopback(family, port, &a);
    said(sendto(there, bytes, 3, 0, (struct sockaddr *)&a, length),
         "sendto(%d, 3, port %d)", there, port);
    length = sizeof a;
    said(recvfrom(here, bytes, 16, 0, (struct sockaddr *)&a, &length),
         "recvfrom(%d, 16, port %d)", here, port_of(there));
    connects(there, family, port);
    said(sendto(there, bytes, 0, 0, NULL, 0), "sendto(%d, 0)", there);
    said(recvfrom(here, bytes, 16, 0, NULL, NULL), "recvfrom(%d, 16)", here);
    closes(there);
    closes(here);
}

/* Connect by a path, which the test gives. */
static void with_a_path(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int listener, client, served;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    said(listener, "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC)");
    said(bind(listener, (struct sockaddr *)&a, sizeof a), "bind(%d, port 0)",
         listener);
    said(listen(listener, 1), "listen(%d, 1)", listener);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    said(client, "socket(AF_UNIX, SOCK_STREAM)");
    said(connect(client, (struct sockaddr *)&a, sizeof a),
         "connect(%d, port 0)", client);
    served = accepts(listener);
    moves(client, served, 7);
    closes(served);
    closes(client);
    closes(listener);
}

/* Wrong arguments, which a program survives. */
static void in_wrong_ways(void)
{
    /* Memory that cannot be read. */
    void *const nowhere =
        mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct msghdr message = {.msg_iov = nowhere, .msg_iovlen = 1};
    const int fd = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    const int udp = makes(AF_INET, SOCK_DGRAM, "SOCK_DGRAM");

    said(recv(-1, bytes, 16, 0), "recv(-1, 16)");
    said(recv(1234567, bytes, 16, 0), "recv(1234567, 16)");
    said(send(fd, bytes, 1, MSG_NOSIGNAL), "send(%d, 1)", fd);
    said(connect(fd, nowhere, 16), "connect(%d, port 0)", fd);
    said(sendto(udp, bytes, 1, 0, nowhere, 16), "sendto(%d, 1)", udp);
    said(sendto(-1, bytes, 1, 0, nowhere, 16), "sendto(-1, 1)");
    said(sendmsg(udp, &message, 0), "sendmsg(%d)", udp);
    said(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, nowhere, 4),
         "setsockopt(%d, SOL_SOCKET, SO_RCVBUF, 0)", fd);
    said(ioctl(fd, FIONBIO, nowhere), "ioctl(%d, FIONBIO, 0)", fd);
    said(listen(udp, 1), "listen(%d, 1)", udp);
    said(accept(fd, NULL, NULL), "accept(%d)", fd);
    said(socket(AF_INET, SOCK_STREAM, 12345), "socket(AF_INET, SOCK_STREAM)");
    closes(fd);
    closes(udp);
    said(close(-1) == -1 && errno == EBADF ? recv(fd, bytes, 16, 0) : 0,
         "recv(%d, 16)", fd);
}

/* Descriptors that change their meaning without a recorded call. */
static void under_other_numbers(void)
{
    const int listener = listens(AF_INET), port = port_of(listener);
    const int client = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    int served, copy, fds[2];
    FILE *file;

    connects(client, AF_INET, port);
    served = accepts(listener);
    copy = dup(served);
    closes(served);
    moves(client, copy, 4);
    make_pair(fds);
    dup2(copy, fds[0]); /* closes the old fds[0] */
    moves(client, fds[0], 6);
    closes(copy);
    copy = fcntl(fds[0], F_DUPFD, 40);
    closes(fds[0]);
    moves(client, copy, 8);
    /* The C library closes it; then a file gets the same number and is no
     * socket. */
    file = fdopen(copy, "r+");
    said(file ? fclose(file) : -1, "close(%d)", copy);
    file = fopen("/dev/null", "w");
    if (!file || dup2(fileno(file), copy) != copy || write(copy, "x", 1) != 1)
        die("cannot write to /dev/null");
    fclose(file);
    close(copy);
    closes(fds[1]);
    closes(client);
    closes(listener);
    errno = 0;
}

static void sleeps(void)
{
    const struct timespec a_little = {.tv_nsec = 2000000}, past = {0};
    int error;

    said(usleep(1000), "usleep(1.0 ms)");
    said(nanosleep(&a_little, NULL), "nanosleep(2.0 ms)");
    said(clock_nanosleep(CLOCK_MONOTONIC, 0, &a_little, NULL),
         "clock_nanosleep(2.0 ms)");
    said(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL),
         "clock_nanosleep(until)");
    error = clock_nanosleep(12345, 0, &a_little, NULL);
    printf("%s clock_nanosleep(2.0 ms) = %d %s\n", who, error,
           error_entry(error)->symbol);
    errno = 0;
}

static bool has_ipv6(void)
{
    struct sockaddr_storage a;
    const socklen_t length = loopback(AF_INET6, 0, &a);
    const int fd = makes(AF_INET6, SOCK_STREAM, "SOCK_STREAM");
    const int result = bind(fd, (struct sockaddr *)&a, length);

    said(result, "bind(%d, port 0)", fd);
    closes(fd);
    return result == 0;
}

static void all(const char *path)
{
    on_a_pair();
    with_tcp(AF_INET);
    with_udp(AF_INET);
    with_a_path(path);
    in_wrong_ways();
    under_other_numbers();
    sleeps();
}

static void ipv6(const char *unused)
{
    (void)unused;
    if (!has_ipv6())
        exit(3);
    with_tcp(AF_INET6);
    with_udp(AF_INET6);
}

/* --- Signals -------------------------------------------------------------- */

/* A child that sends us this signal as soon as we are asleep. */
static pid_t wakes_us(int signal_number)
{
    const pid_t us = getpid(), child = fork();
    char name[64], line[512];
    const char *state = NULL;

    if (child != 0)
        return child;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)us);
    while (!state || strncmp(state, ") S", 3) != 0) {
        FILE *file = fopen(name, "r");

        state =
            file && fgets(line, sizeof line, file) ? strrchr(line, ')') : ") S";
        if (file)
            fclose(file);
    }
    kill(us, signal_number);
    _exit(0);
}

static int in_handler = -1;
static sigjmp_buf out;

static void on_signal(int signal_number)
{
    const int error = errno;

    if (in_handler != -1)
        (void)!send(in_handler, "x", 1, 0);
    if (signal_number == SIGUSR2)
        siglongjmp(out, 1);
    errno = error;
}

/* A signal interrupts a call: its handler does nothing, makes calls, or does
 * not return. */
static void interrupted(const char *unused)
{
    struct sigaction action = {.sa_handler = on_signal};
    int fds[2], others[2];
    pid_t child;

    (void)unused;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    make_pair(fds);
    make_pair(others);
    child = wakes_us(SIGUSR1);
    said(recv(fds[0], bytes, 17, 0), "recv(%d, 17)", fds[0]);
    waitpid(child, NULL, 0);

    in_handler = others[0];
    errno = 0;
    child = wakes_us(SIGUSR1);
    said(recv(fds[0], bytes, 16, 0), "recv(%d, 16)", fds[0]);
    said(1, "send(%d, 1)", others[0]);
    waitpid(child, NULL, 0);

    child = wakes_us(SIGUSR2);
    if (sigsetjmp(out, 1) == 0)
        recv(fds[0], bytes, 16, 0);
    never("recv(%d, 16)", fds[0]);
    said(1, "send(%d, 1)", others[0]);
    waitpid(child, NULL, 0);
    errno = 0;
    moves(fds[1], fds[0], 3);
}

/* A signal handler that makes calls interrupts a loop of calls again and again,
 * at any point. Prints how many calls were made. */
static volatile sig_atomic_t handled;
static int handlers_own;

static void on_alarm(int unused)
{
    const int error = errno;

    (void)unused;
    handled++;
    if (recv(handlers_own, bytes, 8, MSG_DONTWAIT) != -1 || errno != EAGAIN)
        _exit(1);
    errno = error;
}

static void alarmed(const char *number)
{
    const struct itimerval often = {.it_interval.tv_usec = 50,
                                    .it_value.tv_usec = 50};
    const struct itimerval never_again = {0};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    const long many = strtol(number, NULL, 10);
    int fds[2], others[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, others) == -1)
        die("cannot make pairs");
    handlers_own = others[0];
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (long i = 0; i < many; i++)
        if (send(fds[0], bytes, 1, 0) != 1 || recv(fds[1], bytes, 2, 0) != 1)
            die("cannot move a byte");
    setitimer(ITIMER_REAL, &never_again, NULL);
    printf("send(%d, 1) %ld\nrecv(%d, 2) %ld\nrecv(%d, 8) %d\n", fds[0], many,
           fds[1], many, others[0], (int)handled);
}

/* --- Threads -------------------------------------------------------------- */

static int waited_on;

static void clean(void *unused)
{
    (void)unused;
    puts("cleaned");
}

static void *blocks(void *unused)
{
    pthread_cleanup_push(clean, NULL);
    recv(waited_on, bytes, 16, 0);
    pthread_cleanup_pop(0);
    return unused;
}

/* A thread is cancelled within a call. */
static void cancelled(const char *unused)
{
    pthread_t thread;
    void *result = NULL;
    int fds[2];

    (void)unused;
    make_pair(fds);
    waited_on = fds[0];
    if (pthread_create(&thread, NULL, blocks, NULL) != 0)
        die_because(0, "cannot make a thread");
    pthread_cancel(thread);
    pthread_join(thread, &result);
    puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    who = "calls 2";
    never("recv(%d, 16)", fds[0]);
    who = "calls";
    moves(fds[1], fds[0], 3);
}

static void *spins(void *number)
{
    for (long i = strtol(number, NULL, 10); i > 0; i--)
        if (recv(waited_on, bytes, 16, MSG_DONTWAIT) != -1)
            die("nobody should have sent anything");
    return NULL;
}

/* Several threads call recv on the same socket. */
static void threads(const char *number)
{
    pthread_t all_of_them[4];
    char *copy = strdup(number);
    int fds[2];

    make_pair(fds);
    waited_on = fds[0];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&all_of_them[i], NULL, spins, copy) != 0)
            die_because(0, "cannot make a thread");
    for (int i = 0; i < 4; i++)
        pthread_join(all_of_them[i], NULL);
    free(copy);
}

/* --- Processes ------------------------------------------------------------ */

static void ended(pid_t child)
{
    int how = 0;

    if (waitpid(child, &how, 0) != child)
        die("cannot wait for a child");
    printf("a child ended: %d\n", how);
    fflush(stdout);
    errno = 0;
}

/* The child of a fork takes over a connection and a listener. */
static void forks(const char *how)
{
    const int listener = listens(AF_INET), port = port_of(listener);
    const int client = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    pid_t child;
    int served;

    connects(client, AF_INET, port);
    served = accepts(listener);
    moves(client, served, 2);
    fflush(stdout);
    /* Also without the C library. */
    child = strcmp(how, "fork") == 0
                ? fork()
                : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        who = "calls 2";
        moves(served, client, 3);
        fflush(stdout);
        _exit(4);
    }
    ended(child);
    moves(client, served, 4);
}

/* exec from a child of vfork and of posix_spawn, and by a shell. */
static void execs(const char *unused)
{
    const int listener = listens(AF_INET);
    char number[16];
    char *const again[] = {"calls", "inherited", number, NULL};
    volatile int seen = 0;
    char line[PATH_MAX];
    pid_t child;

    (void)unused;
    snprintf(number, sizeof number, "%d", listener);
    fflush(stdout);
    /* NOLINTBEGIN(*vfork,*Vfork): the test needs a real vfork */
    child = vfork();
    if (child == 0) {
        seen = 1; /* the parent sees this */
        dup2(listener, 60);
        close(60);
        execv("/proc/self/exe", again);
        _exit(9);
    }
    /* NOLINTEND(*vfork,*Vfork) */
    printf("vfork shares memory: %d\n", seen);
    ended(child);
    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, again, environ) != 0)
        die("cannot spawn");
    ended(child);
    snprintf(line, sizeof line, "exec /proc/%d/exe inherited %d", (int)getpid(),
             listener);
    printf("a shell ended: %d\n", system(line)); /* NOLINT: a shell */
    errno = 0;
    said(recv(listener, bytes, 16, MSG_DONTWAIT), "recv(%d, 16)", listener);
}

static void inherited(const char *number)
{
    const int listener = (int)strtol(number, NULL, 10);
    const int client = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    int served;

    connects(client, AF_INET, port_of(listener));
    served = accepts(listener);
    moves(client, served, 1);
}

static void says_goodbye(void)
{
    puts("goodbye");
    fflush(stdout);
}

/* The ways to end: by exit(3), and without its cleanup. */
static void ends(const char *how)
{
    int fds[2];

    (void)at_quick_exit(says_goodbye);
    make_pair(fds);
    fflush(stdout);
    if (strcmp(how, "exit") == 0)
        exit(5);
    if (strcmp(how, "_exit") == 0)
        _exit(6);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(7);
    if (strcmp(how, "pthread_exit") == 0)
        pthread_exit(NULL);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "crash") == 0) {
        signal(SIGSEGV, SIG_DFL); /* otherwise a sanitizer catches it */
        raise(SIGSEGV);
    }
    recv(fds[0], bytes, 16, 0);
}

/* --- Filters of system calls ---------------------------------------------- */

/* The kernel's structs; some C libraries come without its headers. */
struct bpf_step {
    uint16_t code;
    uint8_t yes, no;
    uint32_t value;
};
struct bpf_program { /* read by the kernel */
    /* cppcheck-suppress unusedStructMember */
    uint16_t length;
    /* cppcheck-suppress unusedStructMember */
    struct bpf_step *steps;
};
enum {
    BPF_LOAD_WORD = 0x20,
    BPF_IF_EQUAL = 0x15,
    BPF_ANSWER = 0x06,
    SET_FILTER = 1,
    FOR_ALL_THREADS = 1,
    MODE_FILTER = 2,
};
static const uint32_t lets = 0x7fff0000, kills = 0x80000000;

/* Set a filter with one answer for these calls, and another one for all others.
 * The number of the call is the first field of the filter's input. */
static void set_filter(const char *how, const long *calls, size_t count,
                       uint32_t answer, uint32_t other)
{
    struct bpf_step steps[64] = {{BPF_LOAD_WORD, 0, 0, 0}};
    struct bpf_program program = {(uint16_t)(count + 3), steps};
    int result;

    for (size_t i = 0; i < count; i++)
        steps[i + 1] = (struct bpf_step){BPF_IF_EQUAL, (uint8_t)(count - i), 0,
                                         (uint32_t)calls[i]};
    steps[count + 1] = (struct bpf_step){BPF_ANSWER, 0, 0, other};
    /* cppcheck-suppress unreadVariable */
    steps[count + 2] = (struct bpf_step){BPF_ANSWER, 0, 0, answer};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        exit(3);
    if (strcmp(how, "prctl") == 0)
        result = prctl(PR_SET_SECCOMP, MODE_FILTER, &program);
    else
        result =
            (int)syscall(SYS_seccomp, SET_FILTER, FOR_ALL_THREADS, &program);
    if (result != 0)
        exit(3);
}

/* A thread that made no socket call before the filter, and afterwards may not
 * ask for its own id. */
static int to_thread[2], from_thread[2], of_thread[2];

static void *asks_under_filter(void *unused)
{
    char byte;

    if (write(from_thread[1], "x", 1) == 1 && /* tells that it has begun */
        read(to_thread[0], &byte, 1) == 1 &&
        recv(of_thread[0], bytes, 20, MSG_DONTWAIT) == -1)
        (void)!write(from_thread[1], "x", 1);
    (void)!read(to_thread[0], &byte, 1); /* blocks until the process ends */
    return unused;
}

/* Make calls under a filter that kills at every call except these, which the
 * program itself makes. */
static void filtered(const char *how)
{
    static const long allowed[] = {
        SYS_read,       SYS_write, SYS_writev,       SYS_sendto,
        SYS_recvfrom,   SYS_ppoll, SYS_accept,       SYS_close,
        SYS_exit_group, SYS_exit,  SYS_rt_sigreturn,
#ifdef SYS_poll
        SYS_poll,
#endif
    };
    int fds[2], unseen[2], listener, client, served;
    struct pollfd list = {.events = POLLIN};
    pthread_t thread;
    char byte;

    if (pipe(to_thread) == -1 || pipe(from_thread) == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, of_thread) == -1 ||
        syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
                unseen) == -1 ||
        pthread_create(&thread, NULL, asks_under_filter, NULL) != 0 ||
        read(from_thread[0], &byte, 1) != 1)
        die("cannot begin");
    printf("%s socketpair([%d, %d]) = 0\n", who, of_thread[0], of_thread[1]);
    errno = 0;
    make_pair(fds);
    list.fd = fds[0];
    listener = listens(AF_INET);
    client = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    connects(client, AF_INET, port_of(listener));
    moves(fds[0], fds[1], 5);
    fflush(stdout);
    set_filter(how, allowed, sizeof allowed / sizeof allowed[0], lets, kills);

    asks(fds[0], 16, 2);
    woke(poll(&list, 1, 10), "", "poll([%d], 10.0 ms)", fds[0]);
    moves(fds[1], fds[0], 6);
    computes(20); /* the recorder would ask whether this slept */
    said(recv(unseen[0], bytes, 16, 0), "recv(%d, 16)", unseen[0]);
    moves(unseen[1], unseen[0], 7);
    served = accepts(listener);
    said(recv(served, bytes, 16, MSG_DONTWAIT), "recv(%d, 16)", served);
    moves(client, served, 8);
    closes(served);
    for (int i = 0; i < 400; i++) /* more than one window holds */
        moves(fds[0], fds[1], 1 + i % 50);
    if (strcmp(how, "prctl") != 0 && (write(to_thread[1], "x", 1) != 1 ||
                                      read(from_thread[0], &byte, 1) != 1))
        die("the thread is gone");
    /* A forbidden call proves that the filter was there all the time. */
    fflush(stdout);
    if (getenv("WB_GOES_TOO_FAR"))
        getppid();
    exit(7);
}

/* Run another program under a filter that kills at calls which neither the
 * loader nor the program makes. */
static void filters_and_runs(const char *unused)
{
    static const long forbidden[] = {
        SYS_fcntl,    SYS_getsockname,      SYS_getpeername,
        SYS_getppid,  SYS_gettid,           SYS_fallocate,
        SYS_pwrite64, SYS_process_vm_readv, SYS_rt_sigprocmask,
        SYS_madvise,
    };
    char *const again[] = {(char *)"calls", (char *)"many", (char *)"400",
                           NULL};
    int fds[2];

    (void)unused;
    make_pair(fds);
    fflush(stdout);
    set_filter("prctl", forbidden, sizeof forbidden / sizeof forbidden[0],
               kills, lets);
    execv("/proc/self/exe", again);
}

/* --- Runs ----------------------------------------------------------------- */

static void asks_again(const char *number)
{
    const long many = strtol(number, NULL, 10);
    int fds[2];

    make_pair(fds);
    for (long i = 0; i < many; i++)
        if (recv(fds[0], bytes, 16, MSG_DONTWAIT) != -1 || errno != EAGAIN)
            die("this is no EAGAIN");
    errno = EAGAIN;
    said(-1, "recv(%d, 16)", fds[0]);
    moves(fds[1], fds[0], 2);
}

/* Everything that ends a run of EAGAIN: a wait, a success, another result, and
 * a long time without a call. Where the run must end, the next call has another
 * size. */
static void turns(const char *unused)
{
    const struct timeval limit = {.tv_usec = 20000};
    struct timeval a_little = {.tv_usec = 5000};
    const int listener = listens(AF_INET), port = port_of(listener);
    struct epoll_event event = {.events = EPOLLIN}, ready[4];
    const int set = epoll_create1(0);
    struct pollfd list = {.events = POLLIN};
    int fds[2], others[2], client, served;

    (void)unused;
    said(set, "epoll_create1()");
    make_pair(fds);
    make_pair(others);
    list.fd = fds[0];
    asks(fds[0], 16, 3);
    woke(poll(&list, 1, 80), "", "poll([%d], 80.0 ms)", fds[0]);
    asks(fds[0], 16, 3);
    woke(select(0, NULL, NULL, NULL, &a_little), "", "select(0, 5.0 ms)");
    asks(fds[0], 16, 3);
    said(epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event),
         "epoll_ctl(%d, EPOLL_CTL_ADD, %d, EPOLLIN)", set, fds[0]);
    asks(fds[0], 16, 3);
    woke(epoll_wait(set, ready, 4, 5), "", "epoll_wait(%d, 5.0 ms)", set);
    asks(fds[0], 16, 3);
    said(usleep(2000), "usleep(2.0 ms)");
    asks(fds[0], 16, 3);
    said(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit),
         "setsockopt(%d, SOL_SOCKET, SO_RCVTIMEO, 0)", fds[1]);
    asks(fds[0], 16, 3);
    said(recv(fds[1], bytes, 17, 0), "recv(%d, 17)", fds[1]); /* waits */
    asks(fds[0], 16, 3);
    said(recv(-1, bytes, 16, 0), "recv(-1, 16)");
    asks(fds[0], 16, 3);

    said(fcntl(listener, F_SETFL, O_NONBLOCK), "fcntl(%d, F_SETFL, O_NONBLOCK)",
         listener);
    accepts(listener);
    asks(fds[0], 16, 1);
    accepts(listener);
    client = makes(AF_INET, SOCK_STREAM, "SOCK_STREAM");
    connects(client, AF_INET, port);
    served = accepts(listener);
    accepts(listener);
    asks(fds[0], 16, 1);
    asks(others[0], 16, 2);
    accepts(listener);
    moves(others[1], others[0], 3);
    asks(others[0], 16, 2);
    asks(fds[0], 16, 2);
    moves(client, served, 4);
    asks(fds[0], 16, 1);

    said(usleep(2000), "usleep(2.0 ms)");
    asks(fds[0], 18, 1);
    computes(50);
    asks(fds[0], 18, 1);
    said(usleep(2000), "usleep(2.0 ms)");
    asks(fds[0], 19, 1);
    waits_unseen(50);
    asks(fds[0], 19, 1);
    closes(listener);
}

/* The time of a non-blocking recv without data, in nanoseconds: the median of
 * several rounds (scripts/benchmark trace). */
static int by_length(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void timed(const char *number)
{
    enum { GOES = 9 };
    const long many = strtol(number, NULL, 10);
    double lengths[GOES];
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
        die("cannot make a pair");
    for (int go = 0; go < GOES; go++) {
        struct timespec from, to;

        clock_gettime(CLOCK_MONOTONIC, &from);
        for (long i = 0; i < many; i++)
            if (recv(fds[0], bytes, 16, MSG_DONTWAIT) != -1)
                die("nobody should have sent anything");
        clock_gettime(CLOCK_MONOTONIC, &to);
        lengths[go] = ((double)(to.tv_sec - from.tv_sec) * 1e9 +
                       (double)(to.tv_nsec - from.tv_nsec)) /
                      (double)many;
    }
    qsort(lengths, GOES, sizeof lengths[0], by_length);
    printf("%.1f\n", lengths[GOES / 2]);
}

/* More records than a window holds, each different from the one before. */
static void many_moves(const char *number)
{
    const long count = strtol(number, NULL, 10);
    int fds[2];

    make_pair(fds);
    for (long i = 0; i < count; i++)
        moves(fds[0], fds[1], 1 + (int)(i % 50));
}

/* The same, as soon as a line comes. */
static void later(const char *number)
{
    puts("ready");
    fflush(stdout);
    if (getchar() != EOF)
        many_moves(number);
}

/* The same with would-block calls in between, which make no runs then. Prints
 * how often each call was made. */
static void mixed(const char *number)
{
    const long count = strtol(number, NULL, 10);
    int fds[2], others[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, others) == -1)
        die("cannot make pairs");
    for (long i = 0; i < count; i++)
        if (send(fds[0], bytes, (size_t)(1 + i % 50), 0) != 1 + i % 50 ||
            recv(fds[1], bytes, sizeof bytes, 0) != 1 + i % 50 ||
            recv(others[0], bytes, 8, MSG_DONTWAIT) != -1 ||
            recv(others[1], bytes, 9, MSG_DONTWAIT) != -1)
            die("cannot move bytes");
    printf("recv(%d, 64) %ld\nrecv(%d, 8) %ld\nrecv(%d, 9) %ld\n", fds[1],
           count, others[0], count, others[1], count);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *);
    } plays[] = {{"all", all},
                 {"ipv6", ipv6},
                 {"interrupted", interrupted},
                 {"alarmed", alarmed},
                 {"cancelled", cancelled},
                 {"threads", threads},
                 {"forks", forks},
                 {"execs", execs},
                 {"inherited", inherited},
                 {"ends", ends},
                 {"filtered", filtered},
                 {"filters_and_runs", filters_and_runs},
                 {"again", asks_again},
                 {"turns", turns},
                 {"timed", timed},
                 {"many", many_moves},
                 {"later", later},
                 {"mixed", mixed}};

    signal(SIGPIPE, SIG_IGN);
    errno = 0;
    for (size_t i = 0; argc == 3 && i < sizeof plays / sizeof plays[0]; i++)
        if (strcmp(argv[1], plays[i].name) == 0) {
            plays[i].run(argv[2]);
            return 0;
        }
    fputs("usage: calls PLAY ARGUMENT\n", stderr);
    return 2;
}
