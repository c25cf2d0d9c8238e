/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRY(symbol, category, text, calls, advice)                           \
    {                                                                          \
        symbol, #symbol, text, category, calls, advice                         \
    }

/* The errors of socket calls, from the manual pages of POSIX and Linux for
 * socket, bind, listen, accept, connect, send, recv, fcntl, select and poll.
 * The texts are POSIX's, so that they are the same with every C library. */
static const struct error_entry table[] = {
    ENTRY(EAGAIN, TRANSMISSION, "Resource temporarily unavailable",
          "accept, recv, send; connect of a Unix socket",
          "Nothing is wrong: the call would block; ask again later"),
#if EWOULDBLOCK != EAGAIN
    ENTRY(EWOULDBLOCK, TRANSMISSION, "Operation would block",
          "accept, recv, send", "Nothing is wrong: ask again later"),
#endif
    ENTRY(EINTR, TRANSMISSION, "Interrupted function call",
          "accept, connect, recv, send, select, poll, epoll_wait",
          "A signal came first: call again at once. But connect goes on by "
          "itself: do not call it again, wait until the socket is writable"),
    ENTRY(EINPROGRESS, CONNECTION, "Operation in progress", "connect",
          "Nothing is wrong: the connection is being made; ask later how it "
          "ended"),
    ENTRY(EALREADY, CONNECTION, "Connection already in progress", "connect",
          "Nothing is wrong: an earlier connect is still under way; go on "
          "waiting"),
    ENTRY(EISCONN, CONNECTION, "Socket is connected", "connect",
          "Nothing is wrong: the connection is made; use it"),
    ENTRY(ENOTCONN, CONNECTION, "The socket is not connected",
          "recv, send, shutdown, getpeername",
          "Connect first, and wait until the connection is made"),
    ENTRY(ECONNREFUSED, CONNECTION, "Connection refused",
          "connect; recv and send of UDP, at the next call",
          "The machine answers, but no server listens there: start it, or "
          "check the port"),
    ENTRY(ECONNRESET, CONNECTION, "Connection reset by peer", "recv, send",
          "The peer has reset the connection: close it; make a new one if "
          "needed"),
    ENTRY(ECONNABORTED, CONNECTION, "Connection aborted",
          "accept; connect once more after a failure",
          "The peer closed before accept: go on with the next client"),
    ENTRY(EPIPE, CONNECTION, "Broken pipe", "send",
          "This socket can send no more (peer gone, or shutdown): close it"),
    ENTRY(ETIMEDOUT, CONNECTION, "Connection timed out", "connect, recv, send",
          "The peer does not answer: check the address, or try later"),
    ENTRY(EHOSTUNREACH, CONNECTION, "Host is unreachable",
          "connect, send, accept",
          "There is no way to that machine: check the address and the network"),
    ENTRY(ENETUNREACH, CONNECTION, "Network unreachable",
          "connect, send, accept",
          "There is no route to that network: check the address and this "
          "machine's network"),
    ENTRY(ENETDOWN, CONNECTION, "Network is down", "connect, send, accept",
          "This machine's network is switched off: bring it up"),
    ENTRY(ENETRESET, CONNECTION, "Connection aborted by network", "recv, send",
          "The network dropped the connection: close it and make a new one"),
    ENTRY(EPROTO, CONNECTION, "Protocol error", "accept",
          "The peer breaks the protocol: close this connection"),
    ENTRY(EMSGSIZE, TRANSMISSION, "Message too large", "send of UDP",
          "The datagram is too large for the protocol: send a smaller one"),
    ENTRY(ENOBUFS, TRANSMISSION, "No buffer space available", "any call",
          "The kernel is out of buffers: wait a little and ask again"),
    ENTRY(ENOMEM, CONFIGURATION, "Not enough space", "any call",
          "The machine is out of memory: end some programs, or use less"),
    ENTRY(EMFILE, CONFIGURATION, "Too many open files",
          "socket, accept, epoll_create1",
          "This program has as many descriptors as it may have: close some, or "
          "raise 'ulimit -n'"),
    ENTRY(
        ENFILE, CONFIGURATION, "Too many files open in system",
        "socket, accept, epoll_create1",
        "The machine has as many open files as it may have: end some programs"),
    ENTRY(EADDRINUSE, CONFIGURATION, "Address already in use",
          "bind, listen, connect",
          "Another socket has that port: choose another, or 0 for any free "
          "one"),
    ENTRY(EADDRNOTAVAIL, CONFIGURATION, "Address not available",
          "bind, connect",
          "This machine does not have that address, or no port is left: "
          "choose another"),
    ENTRY(EAFNOSUPPORT, CONFIGURATION, "Address family not supported",
          "socket, connect",
          "This machine has no addresses of that kind: try IPv4, or IPv6"),
    ENTRY(EACCES, CONFIGURATION, "Permission denied", "bind, connect, socket",
          "Ports below 1024 and some addresses need privilege: choose another "
          "port"),
    ENTRY(EPERM, CONFIGURATION, "Operation not permitted",
          "connect, send, accept",
          "A firewall rule or a missing privilege forbids it: ask the "
          "administrator"),
    ENTRY(EBADF, CONFIGURATION, "Bad file descriptor", "any call",
          "The descriptor is closed: fix the program"),
    ENTRY(ENOTSOCK, CONFIGURATION, "Not a socket", "any call",
          "The descriptor is not a socket: fix the program"),
    ENTRY(EINVAL, CONFIGURATION, "Invalid argument", "any call",
          "The call was given an argument that it cannot use: fix the program"),
    ENTRY(EFAULT, CONFIGURATION, "Bad address", "any call",
          "The call was given a bad pointer: fix the program"),
    ENTRY(EIO, CONFIGURATION, "Input/output error", "read, write",
          "A device or a terminal fails or is gone: check it"),
    ENTRY(EISDIR, CONFIGURATION, "Is a directory", "read",
          "The input is a folder: give a file"),
    ENTRY(EOVERFLOW, CONFIGURATION, "Value too large", "getline",
          "The line is too long for this machine: make it shorter"),
    ENTRY(ENOSPC, CONFIGURATION, "No space left on device", "write, epoll_ctl",
          "The disk is full, or a limit of the kernel is reached: make room"),
    ENTRY(EDESTADDRREQ, CONFIGURATION, "Destination address required",
          "send of UDP",
          "Connect the socket, or name the receiver with sendto"),
    ENTRY(EOPNOTSUPP, CONFIGURATION, "Operation not supported on socket",
          "listen, accept, send, recv",
          "This kind of socket cannot do that: fix the program"),
    ENTRY(EPROTONOSUPPORT, CONFIGURATION, "Protocol not supported", "socket",
          "This machine does not have the protocol: choose another"),
    ENTRY(EPROTOTYPE, CONFIGURATION, "Protocol wrong type for socket",
          "socket, connect",
          "The protocol does not fit this kind of socket: fix the program"),
    ENTRY(ENOPROTOOPT, CONFIGURATION, "Protocol not available",
          "setsockopt, getsockopt",
          "This kind of socket has no such option: fix the program"),
};

const struct error_entry *error_entry(int number)
{
    static struct error_entry unknown;
    static char symbol[24];

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == number)
            return &table[i];

    snprintf(symbol, sizeof symbol, "errno %d", number);
    unknown = (struct error_entry){
        .number = number,
        .symbol = symbol,
        .text = strerror(number),
        .category = CONFIGURATION,
        .calls = "none of those for sockets",
        .advice = "Socket calls are not known to give this error: see errno(3)",
    };
    return &unknown;
}

const struct error_entry *error_called(const char *symbol)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].symbol, symbol) == 0)
            return &table[i];
    return NULL;
}

const struct error_entry *error_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

const char *category_word(enum error_category category)
{
    static const char *const words[] = {
        [CONNECTION] = "connection",
        [TRANSMISSION] = "transmission",
        [CONFIGURATION] = "configuration",
    };

    return words[category];
}

/* A longer message is cut. */
enum { MESSAGE_SIZE = 1024 };

LIKE_PRINTF(2, 0)
static void put_message(const char *head, const char *format, va_list arguments,
                        int error)
{
    char line[MESSAGE_SIZE];
    size_t length = 0;
    int wrote = snprintf(line, sizeof line, "%s", head);

    if (wrote > 0)
        length = (size_t)wrote;
    wrote = vsnprintf(line + length, sizeof line - length, format, arguments);
    if (wrote > 0)
        length += (size_t)wrote;
    if (error != 0 && length < sizeof line) {
        const struct error_entry *e = error_entry(error);

        snprintf(line + length, sizeof line - length, ": %s %s. %s.", e->symbol,
                 e->text, e->advice);
    }
    length = strlen(line);
    line[length++] = '\n';
    complain(line, length);
}

LIKE_PRINTF(1, 0)
static void put_error(const char *format, va_list arguments, int error)
{
    char head[128];

    snprintf(head, sizeof head, "%s: ", program_name());
    put_message(head, format, arguments, error);
}

void die_because(int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_error(format, arguments, error);
    va_end(arguments);
    exit(1);
}

void warn_because(int error, const char *format, ...)
{
    int before = errno;
    va_list arguments;

    if (log_level < LEVEL_WARN)
        return;
    va_start(arguments, format);
    put_error(format, arguments, error);
    va_end(arguments);
    errno = before;
}

enum log_level log_level = LEVEL_INFO;

LIKE_PRINTF(2, 0)
static void put_log(const char *level, const char *format, va_list arguments)
{
    int error = errno;
    struct timespec t;
    struct tm local;
    char clock[16];
    char head[48];

    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    snprintf(head, sizeof head, "%s.%03ld %-6s ", clock, t.tv_nsec / 1000000,
             level);
    put_message(head, format, arguments, 0);
    errno = error;
}

void log_info(const char *format, ...)
{
    va_list arguments;

    if (log_level < LEVEL_INFO)
        return;
    va_start(arguments, format);
    put_log("info", format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    if (log_level < LEVEL_DEBUG)
        return;
    va_start(arguments, format);
    put_log("debug", format, arguments);
    va_end(arguments);
}

void *enlarged(void *block, size_t count, size_t size)
{
    void *larger =
        count <= SIZE_MAX / size ? realloc(block, count * size) : NULL;

    if (!larger)
        die("cannot get memory for %zu times %zu bytes", count, size);
    return larger;
}
