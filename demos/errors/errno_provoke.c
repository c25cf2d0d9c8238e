/* SPDX-License-Identifier: MIT */
/*
 * errno_provoke - really causes the common errors of socket calls.
 *
 * Shows    how to get each of these errors in a few lines: all but ENETUNREACH
 *          on the loopback interface and without privilege.
 * Run      errno_provoke
 *          errno_provoke ECONNREFUSED EPIPE
 * See      errno_explain: what they mean
 *          scripts/gallery: both together
 */
#include "wouldblock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool deadly;

static const struct setting settings[] = {
    {"deadly-sigpipe", NULL, "let SIGPIPE end the program", .flag = &deadly},
    {0},
};
static const struct program program = {
    "Causes the errors of socket calls.",
    "[ERRNO]...",
    settings,
};

static struct sockaddr_in there; /* where the next connect goes to */

/* --- The pieces ---------------------------------------------------------- */

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        die("cannot make a socket");
    return fd;
}

/* A listening socket on a free port of 127.0.0.1; its address goes to there. */
static int listener(int queue)
{
    int fd = bound_to_loopback(&there);

    if (listen(fd, queue) < 0)
        die("cannot listen");
    return fd;
}

static int connect_there(int fd)
{
    return connect(fd, (struct sockaddr *)&there, sizeof there);
}

/* A listening socket whose accept queue is full: connects get no answer. */
static void full_queue(void)
{
    listener(0);
    if (connect_there(tcp_socket()) < 0)
        die("cannot fill the queue");
}

/* --- The errors ------------------------------------------------------------
 * The last socket call of each function has to fail. Most sockets stay open
 * until the program ends. */

static int nothing_there_yet(void)
{
    int client, server;
    char byte;

    connected_pair(&client, &server);
    set_nonblocking(client);
    return (int)recv(client, &byte, 1, 0);
}

static void do_nothing(int number)
{
    (void)number;
}

static int interrupted(void)
{
    int client, server;
    char byte;

    /* A signal every 50 ms, with a handler that does nothing and without
     * SA_RESTART. At the end, restore timer and handler. */
    const struct sigaction wake = {.sa_handler = do_nothing};
    const struct itimerval often = {.it_interval.tv_usec = 50000,
                                    .it_value.tv_usec = 50000};
    struct sigaction before;
    struct itimerval timer_before;

    connected_pair(&client, &server);
    sigaction(SIGALRM, &wake, &before);
    setitimer(ITIMER_REAL, &often, &timer_before);

    int result = (int)recv(client, &byte, 1, 0);
    int error = errno;

    setitimer(ITIMER_REAL, &timer_before, NULL);
    sigaction(SIGALRM, &before, NULL);
    errno = error;
    return result;
}

static int begun(void)
{
    int fd = tcp_socket();

    listener(1);
    set_nonblocking(fd);
    return connect_there(fd);
}

static int begun_before(void)
{
    int fd = tcp_socket();

    full_queue();
    set_nonblocking(fd);
    connect_there(fd);
    return connect_there(fd);
}

static int connected_before(void)
{
    int fd = tcp_socket();

    listener(1);
    connect_there(fd);
    return connect_there(fd);
}

static int not_connected(void)
{
    char byte;

    return (int)recv(tcp_socket(), &byte, 1, 0);
}

static int nobody_listens(void)
{
    bound_to_loopback(&there); /* so that nobody else listens on it */
    return connect_there(tcp_socket());
}

static int nobody_answers(void)
{
    int fd = tcp_socket();
    unsigned patience = 500; /* ms; without it Linux waits for 2 minutes */

    full_queue();
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    return connect_there(fd);
}

static int thrown_away(void)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int client, server;
    char byte;

    connected_pair(&client, &server);
    setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(server);
    return (int)recv(client, &byte, 1, 0);
}

static int sent_after_shutdown(void)
{
    int client, server;

    connected_pair(&client, &server);
    shutdown(client, SHUT_WR);
    if (deadly)
        signal(SIGPIPE, SIG_DFL);
    return (int)send(client, "x", 1, 0);
}

static int port_taken(void)
{
    listener(1);
    return bind(tcp_socket(), (struct sockaddr *)&there, sizeof there);
}

static int too_many(void)
{
    struct rlimit limit, less;
    int fd = tcp_socket();

    /* A new descriptor gets the lowest free number: allow none above fd. */
    getrlimit(RLIMIT_NOFILE, &limit);
    less = limit;
    less.rlim_cur = (rlim_t)fd + 1;
    setrlimit(RLIMIT_NOFILE, &less);

    int result = socket(AF_INET, SOCK_STREAM, 0);
    int error = errno;

    setrlimit(RLIMIT_NOFILE, &limit);
    errno = error;
    return result;
}

static int too_large(void)
{
    static char datagram[65536];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    bound_to_loopback(&there);
    return (int)sendto(fd, datagram, sizeof datagram, 0,
                       (struct sockaddr *)&there, sizeof there);
}

static int no_way_there(void)
{
    there = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons(9),
                                 .sin_addr.s_addr = htonl(0xC0000201)};
    return connect_there(tcp_socket());
}

static const struct {
    int error;
    const char *how;
    int (*provoke)(void);
} provocations[] = {
    {EAGAIN, "recv on a non-blocking socket, and nothing is there",
     nothing_there_yet},
    {EINTR, "recv waits, and a signal comes", interrupted},
    {EINPROGRESS, "connect on a non-blocking socket", begun},
    {EALREADY, "connect again while it is pending", begun_before},
    {EISCONN, "connect again when it has succeeded", connected_before},
    {ENOTCONN, "recv on a socket that was never connected", not_connected},
    {ECONNREFUSED, "connect to a port where nobody listens", nobody_listens},
    {ETIMEDOUT, "connect to a server whose queue is full", nobody_answers},
    {ECONNRESET, "recv after the peer has reset the connection", thrown_away},
    {EPIPE, "send after shutdown", sent_after_shutdown},
    {EADDRINUSE, "bind to a port on which somebody listens", port_taken},
    {EMSGSIZE, "send a datagram of 65,536 bytes", too_large},
    {EMFILE, "one more socket than allowed", too_many},
    /* Only if named. Use a network namespace, or packets go out. */
    {ENETUNREACH, "connect to 192.0.2.1 without a route", no_way_there},
};

enum { PROVOCATIONS = sizeof provocations / sizeof provocations[0] };

static size_t provoked;

/* Cause this error. False if another one came, or none. */
static bool provoke(size_t i)
{
    const struct error_entry *wanted = error_entry(provocations[i].error);
    int result;

    errno = 0;
    result = provocations[i].provoke();

    int error = errno;

    say("%-13s %s", wanted->symbol, provocations[i].how);
    if (result < 0 && error == wanted->number) {
        provoked++;
        return true;
    }
    warn_because(result < 0 ? error : 0,
                 "expected %s, but the call returned %d", wanted->symbol,
                 result);
    return false;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    bool all = true;

    for (size_t i = 0; !operands[0] && i < PROVOCATIONS; i++)
        if (provocations[i].error != ENETUNREACH)
            all = provoke(i) && all;
    for (; *operands; operands++) {
        size_t i = 0;

        while (i < PROVOCATIONS &&
               strcmp(error_entry(provocations[i].error)->symbol, *operands) !=
                   0)
            i++;
        if (i == PROVOCATIONS)
            die_because(0, "cannot provoke '%s'", *operands);
        all = provoke(i) && all;
    }
    report("provoked", "%zu", provoked);
    return all ? 0 : 1;
}
