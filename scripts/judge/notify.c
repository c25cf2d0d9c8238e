/* SPDX-License-Identifier: MIT */
/*
 * notify - the notifier: a process that records the calls which the kernel
 * reports, and makes some of them fail. See notify.h.
 */
#define _GNU_SOURCE
#include "notify.h"
#include "faults.h"
#include "inside.h"
#include "kernel_abi.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct reports *reports; /* shared between the notifier and the check */
static const char *names, *faults;
static int error_instead; /* of ECONNREFUSED */

void have_reported(const char *calls)
{
    names = calls;
}

void inject(const char *which)
{
    static const char *const all[] = {"accept", "connect", "recv", "send"};
    static char text[64];

    faults = which;
    *text = '\0';
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strstr(which, all[i]))
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                     *text ? "," : "", all[i]);
    names = text;
}

void refuse_with(int error)
{
    error_instead = error;
    names = "socket,connect,getsockopt";
}

const char *reported_calls(void)
{
    return names;
}

const char *injected_faults(void)
{
    return faults;
}

/* --- Access to the program ------------------------------------------------ */

static bool copy(pid_t from, uint64_t address, void *to, size_t size,
                 bool into_it)
{
    const struct iovec here = {to, size};
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): an address over there */
    const struct iovec there = {(void *)(uintptr_t)address, size};
    const ssize_t n = into_it ? process_vm_writev(from, &here, 1, &there, 1, 0)
                              : process_vm_readv(from, &here, 1, &there, 1, 0);

    return n == (ssize_t)size;
}

/* The same open socket as the program's descriptor (pidfd_getfd(2), Linux 5.6);
 * -1 if we cannot have it. */
static int borrowed(pid_t from, int its_fd)
{
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd)
    const int process = (int)syscall(SYS_pidfd_open, from, 0);
    const int fd =
        process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, its_fd, 0);

    if (process >= 0)
        close(process);
    return fd;
#else
    (void)from;
    (void)its_fd;
    return -1;
#endif
}

static bool is_socket(pid_t whose, int its_fd)
{
    char path[64];
    struct stat file;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)whose, its_fd);
    return stat(path, &file) == 0 && S_ISSOCK(file.st_mode);
}

/* --- One call ------------------------------------------------------------- */

static const struct {
    const char *name; /* in names and faults */
    long number;
    int call; /* enum call */
} kinds[] = {
#ifdef SYS_accept
    {"accept", SYS_accept, CALL_accept},
#endif
    {"socket", SYS_socket, CALL_socket},
    {"connect", SYS_connect, CALL_connect},
    {"accept", SYS_accept4, CALL_accept},
    {"recv", SYS_recvfrom, CALL_recv},
    {"recv", SYS_recvmsg, CALL_recvmsg},
    {"recv", SYS_read, CALL_read},
    {"recv", SYS_readv, CALL_read},
    {"send", SYS_sendto, CALL_send},
    {"send", SYS_sendmsg, CALL_sendmsg},
    {"send", SYS_write, CALL_write},
    {"send", SYS_writev, CALL_write},
    {"getsockopt", SYS_getsockopt, CALL_getsockopt},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* What the program gets: its own call goes on, or we answer for the kernel. */
struct reply {
    bool goes_on;
    int error;
    int64_t value;
};

static const struct reply go_on = {.goes_on = true};

static struct reply failing(int error)
{
    return (struct reply){.error = error};
}

static struct reply returning(int64_t value)
{
    return (struct reply){.value = value};
}

/* Move one byte for the program, so that its call is cut short. */
static struct reply one_byte(const struct seccomp_notif *n, bool sends)
{
    const pid_t its = (pid_t)n->pid;
    const int fd = borrowed(its, (int)n->data.args[0]);
    struct reply reply = go_on;
    char byte = 0;

    if (fd < 0)
        return reply;
    if (sends) {
        if (copy(its, n->data.args[1], &byte, 1, false))
            reply = send(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1
                        ? returning(1)
                        : failing(errno);
    } else if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1 &&
               copy(its, n->data.args[1], &byte, 1, true)) {
        reply = returning(recv(fd, &byte, 1, MSG_DONTWAIT));
    }
    close(fd);
    return reply;
}

/* Try to connect for the program, and change how it fails. */
static struct reply connect_otherwise(const struct seccomp_notif *n)
{
    const pid_t its = (pid_t)n->pid;
    struct sockaddr_storage to = {0};
    const socklen_t length = (socklen_t)n->data.args[2];
    const int fd = borrowed(its, (int)n->data.args[0]);
    struct reply reply = go_on;

    /* A blocking connect blocks us, but not for long: the port refuses. */
    if (fd >= 0 && length <= sizeof to &&
        copy(its, n->data.args[1], &to, length, false)) {
        if (connect(fd, (struct sockaddr *)&to, length) == 0)
            reply = returning(0);
        else
            reply = failing(errno == ECONNREFUSED ? error_instead : errno);
    }
    if (fd >= 0)
        close(fd);
    return reply;
}

/* SO_ERROR of a refused connection is another error than the kernel's. */
static struct reply so_error_otherwise(const struct seccomp_notif *n)
{
    const pid_t its = (pid_t)n->pid;
    struct reply reply = go_on;
    int fd, error = 0;
    socklen_t length = sizeof error;

    if (n->data.args[1] != SOL_SOCKET || n->data.args[2] != SO_ERROR)
        return reply;
    fd = borrowed(its, (int)n->data.args[0]);
    if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0) {
        if (error == ECONNREFUSED)
            error = error_instead;
        if (copy(its, n->data.args[3], &error, sizeof error, true) &&
            copy(its, n->data.args[4], &length, sizeof length, true))
            reply = returning(0);
    }
    if (fd >= 0)
        close(fd);
    return reply;
}

/* The port that it connects to; 0 if that is no internet address. */
static unsigned port_of(const struct seccomp_notif *n)
{
    struct sockaddr_in to = {0}; /* an IPv6 address has its port there too */

    if (n->data.args[2] < sizeof to ||
        !copy((pid_t)n->pid, n->data.args[1], &to, sizeof to, false) ||
        (to.sin_family != AF_INET && to.sin_family != AF_INET6))
        return 0;
    return ntohs(to.sin_port);
}

/* Is it the socket of a TCP connection? Look-ups of names need others. */
static bool makes_stream(const struct seccomp_notif *n)
{
    const uint64_t type = n->data.args[1] & 0xf; /* without SOCK_NONBLOCK */

    return (n->data.args[0] == AF_INET || n->data.args[0] == AF_INET6) &&
           type == SOCK_STREAM;
}

static struct reply handle(const struct seccomp_notif *n)
{
    size_t k = 0;
    struct report r = {.at = now(), .fd = (int)n->data.args[0]};

    while (k < KINDS && kinds[k].number != n->data.nr)
        k++;
    if (k == KINDS)
        return go_on;
    r.call = kinds[k].call;
    if (r.call == CALL_socket && !makes_stream(n))
        return go_on;
    if ((r.call == CALL_read || r.call == CALL_write) &&
        !is_socket((pid_t)n->pid, r.fd))
        return go_on;
    if (r.call == CALL_connect) {
        r.port = port_of(n);
        r.late = waited_for_cpu((pid_t)n->pid) + our_delay();
    }

    /* Faults count all calls of one name. */
    static unsigned long calls[KINDS] = {0};
    size_t first = 0;

    while (strcmp(kinds[first].name, kinds[k].name) != 0)
        first++;
    r.fault = fault_for(faults, kinds[k].name, ++calls[first]);
    reports->calls[r.call]++;
    reports->list[reports->count % REPORTS_KEPT] = r;
    reports->count++;
    if (r.fault == SHORT)
        return one_byte(n, is_send(r.call));
    if (r.fault != NO_FAULT)
        return failing(r.fault);
    if (error_instead != 0 && r.call == CALL_connect)
        return connect_otherwise(n);
    if (error_instead != 0 && r.call == CALL_getsockopt)
        return so_error_otherwise(n);
    return go_on;
}

/* --- The notifier --------------------------------------------------------- */

static int received_listener(int from)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte;
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1 &&
        message.msg_controllen > 0)
        memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
    return fd;
}

NO_RETURN static void notify(int from)
{
    /* Our copies of the check's sockets would keep its connections open. */
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        if (fd != from)
            close(fd);

    const int listener = received_listener(from);
    /* By syscall: the type of a request differs between C libraries. */
    struct seccomp_notif_sizes sizes;
    struct seccomp_notif *n;
    struct seccomp_notif_resp *answer;

    close(from);
    if (listener < 0 ||
        syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        _exit(1);
    /* A newer kernel may have larger structures (seccomp_unotify(2)). */
    n = enlarged(NULL, 1, sizes.seccomp_notif + sizeof *n);
    answer = enlarged(NULL, 1, sizes.seccomp_notif_resp + sizeof *answer);
    for (;;) {
        struct pollfd call = {.fd = listener, .events = POLLIN};
        struct reply reply;

        /* POLLHUP: no process has this filter any more. */
        if ((poll(&call, 1, -1) < 0 && errno != EINTR) ||
            call.revents & (POLLHUP | POLLERR))
            _exit(0);
        memset(n, 0, sizes.seccomp_notif);
        if (syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, n) < 0) {
            if (errno == EINTR || errno == ENOENT)
                continue; /* ENOENT: a signal has ended the call */
            _exit(0);
        }
        reply = handle(n);
        memset(answer, 0, sizes.seccomp_notif_resp);
        answer->id = n->id;
        answer->error = -reply.error;
        answer->val = reply.value;
        answer->flags = reply.goes_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
        syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
    }
}

int start_notifier(pid_t *notifier)
{
    const pid_t check = getpid();
    int ends[2];

    if (reports)
        munmap(reports, sizeof *reports);
    reports = mmap(NULL, sizeof *reports, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        check_failed("cannot prepare the notifier");
    *notifier = fork();
    if (*notifier < 0)
        check_failed("cannot start the notifier");
    if (*notifier == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != check)
            _exit(0); /* it had ended before that */
        close(ends[1]);
        notify(ends[0]);
    }
    close(ends[0]);
    return ends[1];
}

/* --- For the checks ------------------------------------------------------- */

uint64_t reported(enum call call)
{
    return reports ? reports->calls[call] : 0;
}

uint64_t each_report(bool (*visit)(const struct report *, void *),
                     void *context)
{
    const uint64_t count = reports ? reports->count : 0;

    for (uint64_t i = count > REPORTS_KEPT ? count - REPORTS_KEPT : 0;
         i < count; i++)
        if (!visit(&reports->list[i % REPORTS_KEPT], context))
            break;
    return count;
}

bool has_reports(void)
{
    return reports != NULL;
}
