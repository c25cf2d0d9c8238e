/* SPDX-License-Identifier: MIT */
/*
 * kernel - what the kernel says of the program under test: whether it runs or
 * sleeps, in which call, which sockets it holds and what lies in their queues.
 * All of it is read from /proc (proc(5)), so the program itself has no part in
 * it, and it works for programs in any language.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"
#include "kernel_abi.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t process; /* the program */

void look_at(pid_t which)
{
    process = which;
}

/* --- Reading /proc -------------------------------------------------------- */

/* The contents of a file in /proc/PID; "" if it cannot be read. Valid until the
 * next call. */
static const char *text_of(pid_t which, const char *name)
{
    static char text[4096];
    char path[300];
    ssize_t length = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)which, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, text, sizeof text - 1);
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* The number in this field of such a text; fields count from 0. */
static long long field(const char *text, int place)
{
    while (place-- > 0) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return strtoll(text, NULL, 10);
}

/* --- Running or asleep ---------------------------------------------------- */

/* The part of stat after the name; it begins with the state. */
static const char *stat_of(pid_t which)
{
    const char *close_bracket = strrchr(text_of(which, "stat"), ')');

    return close_bracket ? close_bracket + 2 : "";
}

char state_of(pid_t which)
{
    return *stat_of(which);
}

char state(void)
{
    if (any_program && !has_ended())
        return the_family().runnable > 0 ? 'R' : 'S';
    return state_of(process);
}

bool is_asleep(void)
{
    char s = state();

    return s == 'S' || s == 'D';
}

/* How long it has run or was ready to run: schedstat has both (Linux,
 * Documentation/scheduler/sched-stats). Without schedstat, use the ticks. */
duration wanted_cpu(void)
{
    const char *text = text_of(process, "schedstat");

    if (any_program) {
        const struct family family = the_family();

        return family.ran + family.waited;
    }
    if (*text)
        return field(text, 0) + field(text, 1);
    text = stat_of(process);
    return (field(text, 11) + field(text, 12)) *
           (SECOND / sysconf(_SC_CLK_TCK));
}

duration used_cpu(void)
{
    const char *text = text_of(process, "schedstat");

    if (any_program)
        return the_family().ran;
    return *text ? field(text, 0) : wanted_cpu();
}

duration waited_for_cpu(pid_t which)
{
    return field(text_of(which, "schedstat"), 1);
}

/* How often it has been given a processor: the same number later means that it
 * has not run since. */
long long times_run(void)
{
    const char *text = text_of(process, "schedstat");
    const char *waits;

    if (*text)
        return field(text, 2);
    waits = strstr(text_of(process, "status"), "\nvoluntary_ctxt_switches:");
    return waits ? strtoll(strchr(waits, ':') + 1, NULL, 10) : 0;
}

bool sleeps_on(struct rest *rest)
{
    const long long run = times_run();

    if (rest->since == 0 || run != rest->run || !is_asleep())
        *rest = (struct rest){.since = now(), .run = run};
    nap(2 * MILLISECOND);
    return now() - rest->since > 50 * MILLISECOND && times_run() == run;
}

size_t resident_memory(void)
{
    return (size_t)field(text_of(process, "statm"), 1) *
           (size_t)sysconf(_SC_PAGESIZE);
}

/* The part of this time that it ran or waited for a processor. */
static double share_wanted(duration length)
{
    enum { SAMPLES = 10 };
    duration before = wanted_cpu();
    instant from = now();
    int runnable = 0;
    double share;

    /* The kernel counts a wait for a processor only when it is over, so sample
     * the state too. */
    for (int i = 0; i < SAMPLES; i++) {
        nap(length / SAMPLES);
        runnable += state() == 'R';
    }
    share = (double)(wanted_cpu() - before) / (double)(now() - from);
    if (share < (double)runnable / SAMPLES)
        share = (double)runnable / SAMPLES;
    return share > 1 ? 1 : share;
}

/* On a busy machine, even a short piece of work may wait long for a processor.
 * A program spins only if it keeps running whenever it gets one. */
double cpu_demand(duration length)
{
    const duration before = used_cpu();
    double share = share_wanted(length);

    for (int i = 0; i < 10 && share > 0.3 && used_cpu() - before < length / 8;
         i++)
        share = share_wanted(length);
    return share;
}

/* --- The call that it is in ----------------------------------------------- */

/* The C library's functions and the system calls they make; some of these are
 * missing on some processors (syscall(2)). */
static const struct {
    long number;
    int call; /* enum call */
} system_calls[] = {
#ifdef SYS_accept
    {SYS_accept, CALL_accept},
#endif
#ifdef SYS_poll
    {SYS_poll, CALL_poll},
#endif
#ifdef SYS_select
    {SYS_select, CALL_select},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, CALL_epoll_wait},
#endif
#ifdef SYS_recv
    {SYS_recv, CALL_recv},
#endif
#ifdef SYS_send
    {SYS_send, CALL_send},
#endif
    {SYS_accept4, CALL_accept},
    {SYS_connect, CALL_connect},
    {SYS_recvfrom, CALL_recv},
    {SYS_recvmsg, CALL_recvmsg},
    {SYS_read, CALL_read},
    {SYS_readv, CALL_read},
    {SYS_sendto, CALL_send},
    {SYS_sendmsg, CALL_sendmsg},
    {SYS_write, CALL_write},
    {SYS_writev, CALL_write},
    {SYS_close, CALL_close},
    {SYS_ppoll, CALL_poll},
    {SYS_pselect6, CALL_select},
    {SYS_epoll_pwait, CALL_epoll_wait},
    {SYS_nanosleep, CALL_nanosleep},
    {SYS_clock_nanosleep, CALL_nanosleep},
};

static bool has_descriptor(int call)
{
    return is_accept(call) || is_receive(call) || is_send(call) ||
           call == CALL_connect || call == CALL_close;
}

struct standing standing(void)
{
    struct standing found = {.call = CALLS, .fd = NOWHERE};
    const char *text = text_of(process, "syscall");
    char *rest;
    long number;

    if (!*text)
        return found;
    found.known = true;
    if (!isdigit((unsigned char)*text))
        return found; /* "running", or asleep outside a call: a page fault */
    found.inside = true;
    number = strtol(text, &rest, 10);
    for (size_t i = 0; i < 6; i++)
        found.arguments[i] = strtoull(rest, &rest, 16);
    for (size_t i = 0; i < sizeof system_calls / sizeof system_calls[0]; i++)
        if (system_calls[i].number == number)
            found.call = system_calls[i].call;
    if (has_descriptor(found.call))
        found.fd = (int)found.arguments[0];
    return found;
}

/* Copy from the program's memory. False if that is not allowed, or the address
 * is bad. */
static bool copy_from(unsigned long long address, void *to, size_t size)
{
    const struct iovec here = {to, size};
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): an address over there */
    const struct iovec there = {(void *)(uintptr_t)address, size};

    return process_vm_readv(process, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* Is fd registered with this epoll instance? Its list is in fdinfo, a line
 * "tfd: FD events: BITS" each. */
static bool epoll_has(int epoll_fd, int fd, struct interest *found)
{
    char name[64], *p;

    snprintf(name, sizeof name, "fdinfo/%d", epoll_fd);
    p = strstr(text_of(process, name), "tfd:");
    for (; p; p = strstr(p + 1, "tfd:"))
        if ((int)strtol(p + 4, NULL, 10) == fd) {
            const char *events = strstr(p, "events:");

            found->events =
                events ? (unsigned)strtoul(events + 7, NULL, 16) : 0;
            return true;
        }
    return false;
}

/* The cast is for musl, whose FD_ISSET counts bits in unsigned long. */
static bool is_in(const fd_set *set, int fd)
{
    return FD_ISSET((unsigned)fd, set);
}

struct interest interest_in(int fd)
{
    const struct standing at = standing();
    struct interest found = {0};

    found.known = at.inside && is_wait(at.call);
    if (at.call == CALL_epoll_wait) {
        found.watched = epoll_has((int)at.arguments[0], fd, &found);
    } else if (at.call == CALL_poll) {
        struct pollfd list[128];
        size_t count = (size_t)at.arguments[1];

        if (count > sizeof list / sizeof list[0])
            count = sizeof list / sizeof list[0];
        found.known = copy_from(at.arguments[0], list, count * sizeof *list);
        for (size_t i = 0; found.known && i < count; i++)
            if (list[i].fd == fd) {
                found.watched = list[i].events != 0;
                found.events = (unsigned short)list[i].events;
            }
    } else if (at.call == CALL_select && fd >= 0 && fd < FD_SETSIZE) {
        const unsigned bits[] = {POLLIN, POLLOUT};

        for (size_t i = 0; i < 2; i++) {
            fd_set set;

            if (at.arguments[i + 1] == 0)
                continue;
            /* The kernel leaves the sets as they were until select returns. */
            found.known = copy_from(at.arguments[i + 1], &set, sizeof set);
            if (found.known && is_in(&set, fd))
                found.events |= bits[i];
        }
        found.beyond = found.events != 0 && fd >= (int)at.arguments[0];
        found.watched = found.events != 0 && !found.beyond;
    }
    return found;
}

/* --- Its descriptors ------------------------------------------------------ */

/* Call visit for each descriptor of a process, with what /proc says it is:
 * "socket:[INODE]", a path, ... Ends when visit returns true. */
static bool each_descriptor(pid_t which,
                            bool (*visit)(int fd, const char *what, void *),
                            void *context)
{
    char path[64];
    const struct dirent *entry;
    bool found = false;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)which);
    folder = opendir(path);
    while (folder && !found && (entry = readdir(folder))) {
        char what[128];
        ssize_t n;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        n = readlinkat(dirfd(folder), entry->d_name, what, sizeof what - 1);
        what[n > 0 ? n : 0] = '\0';
        found = visit((int)strtol(entry->d_name, NULL, 10), what, context);
    }
    if (folder)
        closedir(folder);
    return found;
}

int flags_of(int fd)
{
    char name[64];
    const char *flags;

    snprintf(name, sizeof name, "fdinfo/%d", fd);
    flags = strstr(text_of(process, name), "flags:");
    return flags ? (int)strtol(flags + strlen("flags:"), NULL, 8) : -1;
}

struct counting {
    int below;
    size_t count;
};

static bool is_counted(int fd, const char *what, void *context)
{
    struct counting *counting = context;

    (void)what;
    counting->count += fd < counting->below;
    return false;
}

size_t descriptors_below(int limit)
{
    struct counting counting = {.below = limit};

    each_descriptor(process, is_counted, &counting);
    return counting.count;
}

struct wanted_socket {
    char what[40];
    int fd;
};

static bool is_wanted(int fd, const char *what, void *context)
{
    struct wanted_socket *wanted = context;

    if (strcmp(what, wanted->what) == 0)
        wanted->fd = fd;
    return wanted->fd >= 0;
}

/* A server may hand a connection to a child. The recursion is no deeper than
 * the number of processes that the supervisor allows. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool is_held_by(pid_t which, struct wanted_socket *wanted)
{
    char name[64], *children, *p;
    bool found = each_descriptor(which, is_wanted, wanted);

    if (found)
        return true;
    snprintf(name, sizeof name, "task/%d/children", (int)which);
    p = children = strdup(text_of(which, name));
    while (p && !found) {
        char *rest;
        pid_t child = (pid_t)strtol(p, &rest, 10);

        if (rest == p)
            break;
        found = is_held_by(child, wanted);
        p = rest;
    }
    free(children);
    return found;
}

int held_as(unsigned long inode)
{
    struct wanted_socket wanted = {.fd = -1};

    snprintf(wanted.what, sizeof wanted.what, "socket:[%lu]", inode);
    is_held_by(process, &wanted);
    return wanted.fd;
}

/* --- The tables of sockets ------------------------------------------------ */

/* Call visit for each socket in two tables of the program's network name space,
 * until it returns true. */
static bool each_socket(const char *const names[2],
                        bool (*visit)(const struct tcp_socket *, void *),
                        void *context)
{
    bool found = false;

    for (size_t i = 0; i < 2 && !found; i++) {
        char path[64], line[512];
        struct tcp_socket s;
        FILE *table;

        snprintf(path, sizeof path, "/proc/%d/%s",
                 (int)(process > 0 ? process : getpid()), names[i]);
        table = fopen(path, "re");
        while (table && !found && fgets(line, sizeof line, table))
            /* NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers */
            found = sscanf(line,
                           "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %x:%x %*x:%*x "
                           "%*x %*u %*u %lu",
                           &s.port, &s.peer_port, &s.state, &s.unsent,
                           &s.unread, &s.inode) == 6 &&
                    visit(&s, context);
        if (table)
            fclose(table);
    }
    return found;
}

static bool each_tcp_socket(bool (*visit)(const struct tcp_socket *, void *),
                            void *context)
{
    static const char *const names[] = {"net/tcp", "net/tcp6"};

    return each_socket(names, visit, context);
}

static bool is_right_socket(const struct tcp_socket *s, void *context)
{
    struct tcp_socket *wanted = context;

    if (s->state == TCP_LISTEN || s->peer_port != wanted->peer_port ||
        (wanted->port == ANY_PORT ? held_as(s->inode) < 0
                                  : s->port != wanted->port))
        return false;
    *wanted = *s;
    return true;
}

/* Ask for one connection on 127.0.0.1 (sock_diag(7)): that is fast, however
 * many sockets there are. Returns 0, or an errno: ENOENT if there is none. */
static int ask_for_socket(unsigned port, unsigned peer_port,
                          struct tcp_socket *found)
{
    static int diag = -1;
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request;
    struct nlmsghdr answer[64] = {0}; /* the first one, and its attributes */
    const struct inet_diag_msg *told = NLMSG_DATA(answer);
    ssize_t n;

    request.head = (struct nlmsghdr){.nlmsg_len = sizeof request,
                                     .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                     .nlmsg_flags = NLM_F_REQUEST};
    request.body = (struct inet_diag_req_v2){
        .sdiag_family = AF_INET,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = ~0U,
        .id = {.idiag_sport = htons((uint16_t)port),
               .idiag_dport = htons((uint16_t)peer_port),
               .idiag_src = {htonl(INADDR_LOOPBACK)},
               .idiag_dst = {htonl(INADDR_LOOPBACK)},
               .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}};
    if (diag < 0)
        diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0 || send(diag, &request, sizeof request, 0) < 0)
        return errno;
    n = recv(diag, answer, sizeof answer, 0);
    if (n < (ssize_t)sizeof answer[0])
        return EIO;
    if (answer[0].nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return -((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
    *found = (struct tcp_socket){
        .port = port,
        .peer_port = peer_port,
        .state = told->idiag_state,
        .unread = told->idiag_rqueue,
        .unsent = told->idiag_wqueue,
        .inode = told->idiag_inode,
    };
    return 0;
}

bool find_tcp_socket(unsigned port, unsigned peer_port,
                     struct tcp_socket *found)
{
    /* Some kernels are built without sock_diag: the table has it too. */
    const int error =
        port == ANY_PORT ? EINVAL : ask_for_socket(port, peer_port, found);

    if (error == 0)
        return true;
    if (error == ENOENT)
        return false;
    *found = (struct tcp_socket){.port = port, .peer_port = peer_port};
    return each_tcp_socket(is_right_socket, found);
}

bool is_connecting(int port)
{
    struct tcp_socket found;

    return find_tcp_socket(ANY_PORT, (unsigned)port, &found) &&
           found.state == TCP_SYN_SENT;
}

int connected_as(int port)
{
    struct tcp_socket found;

    return find_tcp_socket(ANY_PORT, (unsigned)port, &found)
               ? held_as(found.inode)
               : -1;
}

size_t unsent_to(int our_fd)
{
    struct sockaddr_in ours = {0}, its = {0};
    socklen_t length = sizeof ours, its_length = sizeof its;
    struct tcp_socket found = {0};

    if (getsockname(our_fd, (struct sockaddr *)&ours, &length) < 0 ||
        getpeername(our_fd, (struct sockaddr *)&its, &its_length) < 0 ||
        !find_tcp_socket(ntohs(its.sin_port), ntohs(ours.sin_port), &found))
        return 0;
    return found.unsent;
}

struct listening {
    unsigned port;
    int fd;
};

static bool is_listener(const struct tcp_socket *s, void *context)
{
    struct listening *wanted = context;

    if (s->state == TCP_LISTEN && s->port == wanted->port)
        wanted->fd = held_as(s->inode);
    return wanted->fd >= 0;
}

int listener_on(unsigned port)
{
    struct listening wanted = {port, -1};

    each_tcp_socket(is_listener, &wanted);
    return wanted.fd;
}

bool is_on_its_way(unsigned port, unsigned peer_port)
{
    struct tcp_socket sender = {0}, receiver = {0};

    return find_tcp_socket(port, peer_port, &sender) && sender.unsent > 0 &&
           find_tcp_socket(peer_port, port, &receiver) && receiver.unread == 0;
}

static bool is_datagram_socket(const struct tcp_socket *s, void *context)
{
    struct tcp_socket *wanted = context;

    if (s->port != wanted->port || held_as(s->inode) < 0)
        return false;
    *wanted = *s;
    return true;
}

bool find_datagram_socket(int port, struct datagram_socket *found)
{
    static const char *const names[] = {"net/udp", "net/udp6"};
    struct tcp_socket wanted = {.port = (unsigned)port};

    /* The kernel hands the table out in parts. Sockets may move between two of
     * them when others come and go, so look again before you believe it. */
    for (int looks = 0; !each_socket(names, is_datagram_socket, &wanted);
         looks++) {
        if (looks == 10)
            return false;
        nap(5 * MILLISECOND);
    }
    found->fd = held_as(wanted.inode);
    found->peer_port = wanted.peer_port;
    found->unread = wanted.unread;
    found->by_edges = interest_in(found->fd).events & EPOLLET;
    return true;
}
