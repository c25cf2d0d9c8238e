/* SPDX-License-Identifier: MIT */
/*
 * words - turns spans, descriptors and quantities into text.
 */
#define _GNU_SOURCE
#include "model.h"

#include "error.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const struct {
    const char *name;
    enum kind kind;
} calls[] = {
    {"", SETUP},
#define CALL(name, kind) {#name, kind},
    EACH_CALL(CALL)
#undef CALL
        {"elsewhere", WAITS},
};

const char *call_name(int call)
{
    return call > CALL_none && call < CALLS ? calls[call].name : "?";
}

enum kind call_kind(int call)
{
    return call > CALL_none && call < CALLS ? calls[call].kind : SETUP;
}

const char *span_error(const struct span *span)
{
    return span->error ? error_entry(span->error)->symbol : "";
}

/* --- Constants by their names --------------------------------------------- */

struct constant {
    int value;
    const char *name;
};

static const struct constant families[] = {
    {AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"}, {AF_UNIX, "AF_UNIX"}, {0}};
static const struct constant types[] = {
    {SOCK_STREAM, "SOCK_STREAM"}, {SOCK_DGRAM, "SOCK_DGRAM"}, {0}};
static const struct constant hows[] = {
    {SHUT_RD, "SHUT_RD"}, {SHUT_WR, "SHUT_WR"}, {SHUT_RDWR, "SHUT_RDWR"}, {0}};
static const struct constant operations[] = {{EPOLL_CTL_ADD, "EPOLL_CTL_ADD"},
                                             {EPOLL_CTL_DEL, "EPOLL_CTL_DEL"},
                                             {EPOLL_CTL_MOD, "EPOLL_CTL_MOD"},
                                             {0}};
static const struct constant poll_bits[] = {
    {POLLIN, "POLLIN"},    {POLLPRI, "POLLPRI"},
    {POLLOUT, "POLLOUT"},  {POLLERR, "POLLERR"},
    {POLLHUP, "POLLHUP"},  {POLLNVAL, "POLLNVAL"},
    {0x2000, "POLLRDHUP"}, {0}};
static const struct constant epoll_bits[] = {
    {EPOLLIN, "EPOLLIN"},
    {EPOLLPRI, "EPOLLPRI"},
    {EPOLLOUT, "EPOLLOUT"},
    {EPOLLERR, "EPOLLERR"},
    {EPOLLHUP, "EPOLLHUP"},
    {EPOLLRDHUP, "EPOLLRDHUP"},
    {1 << 20, "EPOLLET"}, /* the bit in a trace */
    {0}};
static const struct constant levels[] = {{SOL_SOCKET, "SOL_SOCKET"},
                                         {IPPROTO_TCP, "IPPROTO_TCP"},
                                         {IPPROTO_IPV6, "IPPROTO_IPV6"},
                                         {0}};
static const struct constant socket_options[] = {
    {SO_REUSEADDR, "SO_REUSEADDR"}, {SO_ERROR, "SO_ERROR"},
    {SO_BROADCAST, "SO_BROADCAST"}, {SO_SNDBUF, "SO_SNDBUF"},
    {SO_RCVBUF, "SO_RCVBUF"},       {SO_KEEPALIVE, "SO_KEEPALIVE"},
    {SO_LINGER, "SO_LINGER"},       {SO_REUSEPORT, "SO_REUSEPORT"},
    {SO_RCVTIMEO, "SO_RCVTIMEO"},   {SO_SNDTIMEO, "SO_SNDTIMEO"},
    {SO_OOBINLINE, "SO_OOBINLINE"}, {0}};
static const struct constant tcp_options[] = {
    {TCP_NODELAY, "TCP_NODELAY"},
    {TCP_MAXSEG, "TCP_MAXSEG"},
    {TCP_CORK, "TCP_CORK"},
    {TCP_KEEPIDLE, "TCP_KEEPIDLE"},
    {TCP_KEEPINTVL, "TCP_KEEPINTVL"},
    {TCP_KEEPCNT, "TCP_KEEPCNT"},
    {TCP_QUICKACK, "TCP_QUICKACK"},
    {TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"},
    {0}};
static const struct constant ipv6_options[] = {{IPV6_V6ONLY, "IPV6_V6ONLY"},
                                               {0}};

char *next_text(void)
{
    /* cppcheck-suppress constVariable ; it is written to by others */
    static char texts[16][32];
    static unsigned turn;

    return texts[turn++ % 16];
}

/* The constant's name, or the number. Valid as long as next_text. */
static const char *constant_name(const struct constant *list, int value)
{
    char *text = next_text();

    for (; list->name; list++)
        if (list->value == value)
            return list->name;
    snprintf(text, 32, "%d", value);
    return text;
}

/* The names of all set bits, with | between them. */
static const char *bits(const struct constant *list, int value)
{
    static char text[128];
    size_t used = 0;

    text[0] = '\0';
    for (; list->name && used < sizeof text; list++)
        if (value & list->value)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                     used ? "|" : "", list->name);
    return text[0] ? text : "0";
}

/* --- Quantities ----------------------------------------------------------- */

const char *in_time(double seconds)
{
    char *text = next_text();

    if (seconds >= 1)
        snprintf(text, 32, "%.2f s", seconds);
    else if (seconds >= 0.001)
        snprintf(text, 32, "%.1f ms", seconds * 1e3);
    else
        snprintf(text, 32, "%.0f us", seconds * 1e6);
    return text;
}

const char *in_bytes(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char *text = next_text();
    int unit = 0;

    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, 32, unit && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes,
             units[unit]);
    return text;
}

/* --- Characters ----------------------------------------------------------- */

size_t character(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    const size_t length = c[0] < 0x80                   ? 1
                          : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
                          : c[0] >= 0xe0 && c[0] < 0xf0 ? 3
                          : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
                                                        : 0;

    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f) ||
        (c[0] == 0xef && c[1] == 0xbf && c[2] > 0xbd))
        return 0;
    return length;
}

size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text += character(text) ? character(text) : 1)
        count++;
    return count;
}

/* --- Calls ---------------------------------------------------------------- */

/* A timeout of a wait as text, since these calls have it in four different
 * forms. */
static const char *limit(int us)
{
    return us < 0 ? "for ever" : us == 0 ? "0" : in_time(us / 1e6);
}

static void arguments(const struct span *s, char *text, size_t size)
{
    const int fd = s->fd, asked = s->asked, more = s->more;
    const int high = more >> 16;

    switch (s->call) {
    case CALL_socket:
        snprintf(text, size, "%s, %s%s%s", constant_name(families, more),
                 constant_name(types, asked & 0xf),
                 asked & SOCK_NONBLOCK ? "|SOCK_NONBLOCK" : "",
                 asked & SOCK_CLOEXEC ? "|SOCK_CLOEXEC" : "");
        break;
    case CALL_socketpair:
        if (s->result == 0)
            snprintf(text, size, "[%d, %d]", asked, more);
        break;
    case CALL_accept4:
        snprintf(text, size, "%d, %s", fd,
                 more & SOCK_NONBLOCK ? "SOCK_NONBLOCK" : "0");
        break;
    case CALL_bind:
    case CALL_connect:
        snprintf(text, size, "%d, port %d", fd, more);
        break;
    case CALL_listen:
    case CALL_send:
    case CALL_recv:
    case CALL_read:
    case CALL_write:
    case CALL_sendto:
    case CALL_recvfrom:
        if (more)
            snprintf(text, size, "%d, %d, port %d", fd, asked, more);
        else
            snprintf(text, size, "%d, %d", fd, asked);
        break;
    case CALL_poll:
    case CALL_ppoll:
        if (fd >= 0)
            snprintf(text, size, "[%d], %s", fd, limit(asked));
        else
            snprintf(text, size, "%d descriptors, %s", high, limit(asked));
        break;
    case CALL_select:
    case CALL_pselect:
    case CALL_epoll_wait:
    case CALL_epoll_pwait:
        snprintf(text, size, "%d, %s", fd >= 0 ? fd : high, limit(asked));
        break;
    case CALL_epoll_ctl:
        snprintf(text, size, "%d, %s, %d, %s", fd,
                 constant_name(operations, high & 3), asked,
                 bits(epoll_bits, more & ~(3 << 16)));
        break;
    case CALL_fcntl:
        snprintf(text, size, "%d, F_SETFL, %s", fd,
                 more & O_NONBLOCK ? "O_NONBLOCK" : "0");
        break;
    case CALL_ioctl:
        snprintf(text, size, "%d, FIONBIO, %d", fd, more);
        break;
    case CALL_shutdown:
        snprintf(text, size, "%d, %s", fd, constant_name(hows, asked));
        break;
    case CALL_getsockopt:
        snprintf(text, size, "%d, SOL_SOCKET, SO_ERROR", fd);
        break;
    case CALL_setsockopt: {
        const int level = asked >> 16, name = asked & 0xffff;
        const struct constant *options = level == SOL_SOCKET    ? socket_options
                                         : level == IPPROTO_TCP ? tcp_options
                                         : level == IPPROTO_IPV6
                                             ? ipv6_options
                                             : ipv6_options + 1;

        snprintf(text, size, "%d, %s, %s, %d", fd, constant_name(levels, level),
                 constant_name(options, name), more);
        break;
    }
    case CALL_sleep:
    case CALL_usleep:
    case CALL_nanosleep:
    case CALL_clock_nanosleep:
        snprintf(text, size, "%s", asked ? in_time(asked / 1e6) : "until");
        break;
    default:
        if (fd >= 0)
            snprintf(text, size, "%d", fd);
        break;
    }
}

void describe(const struct span *span, char *text, size_t size)
{
    if (span->call == CALL_elsewhere) {
        snprintf(text, size, "in another call, or waiting for a processor");
        return;
    }

    char asked[128] = "", told[160] = "";
    const enum kind kind = call_kind(span->call);

    arguments(span, asked, sizeof asked);
    if (span->unfinished)
        snprintf(told, sizeof told, "...");
    else if (span->error)
        snprintf(told, sizeof told, "%d %s", span->result, span_error(span));
    else if (span->call == CALL_getsockopt && span->more)
        snprintf(told, sizeof told, "%s", error_entry(span->more)->symbol);
    else if (kind == WAITS && span->result > 0)
        snprintf(told, sizeof told, "%d (%s)", span->result,
                 bits(poll_bits, span->more & 0xffff));
    else
        snprintf(told, sizeof told, "%d", span->result);
    snprintf(text, size, "%s(%s) = %s", call_name(span->call), asked, told);
}

void describe_endpoint(const struct endpoint *endpoint, char *text, size_t size)
{
    if (endpoint->listening)
        snprintf(text, size, "listening on %s", endpoint->local);
    else if (endpoint->local[0] && endpoint->peer[0])
        snprintf(text, size, "%s to %s", endpoint->local, endpoint->peer);
    else if (endpoint->peer[0])
        snprintf(text, size, "to %s", endpoint->peer);
    else
        snprintf(text, size, "%s", endpoint->local);
}

const char *signal_name(int number)
{
    static const struct constant signals[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
        {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
        {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"},
        {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},
        {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {0}};

    return constant_name(signals, number);
}
