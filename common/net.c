/* SPDX-License-Identifier: MIT */
#include "net.h"
#include "answer.h"
#include "error.h"
#include "input.h"
#include "options.h"
#include "stop.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void check_port(const char *port, long least)
{
    char *rest = NULL;
    long number = strtol(port, &rest, 10);

    if (!isdigit((unsigned char)*port) || *rest != '\0' || number < least ||
        number > 65535)
        usage_error("a port is a number from %ld to 65535, not '%s'", least,
                    port);
}

/* The resolver has its own error codes (getaddrinfo(3)). */
static const char *resolver_symbol(int code)
{
    static const struct {
        int code;
        const char *symbol;
    } table[] = {
        {EAI_AGAIN, "EAI_AGAIN"},       {EAI_BADFLAGS, "EAI_BADFLAGS"},
        {EAI_FAIL, "EAI_FAIL"},         {EAI_FAMILY, "EAI_FAMILY"},
        {EAI_MEMORY, "EAI_MEMORY"},     {EAI_NONAME, "EAI_NONAME"},
        {EAI_OVERFLOW, "EAI_OVERFLOW"}, {EAI_SERVICE, "EAI_SERVICE"},
        {EAI_SOCKTYPE, "EAI_SOCKTYPE"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code)
            return table[i].symbol;
    return "EAI_?";
}

/* Only EAI_SYSTEM means errno. */
static NO_RETURN void die_resolving(const char *host, int code)
{
    if (code == EAI_SYSTEM)
        die("cannot find the address of %.255s", host);
    die_because(0, "cannot find the address of %.255s: %s %s. %s.", host,
                resolver_symbol(code), gai_strerror(code),
                code == EAI_AGAIN
                    ? "The name server did not answer: try again later"
                : code == EAI_MEMORY
                    ? "The machine is out of memory: end other programs"
                    : "Check the name, or give the address in numbers");
}

static struct addrinfo *look_up(const char *host, const char *port, int type,
                                int flags, int *code)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = type,
        .ai_flags = flags | AI_NUMERICSERV,
    };
    struct addrinfo *list = NULL;

    *code = getaddrinfo(host, port, &hints, &list);
    if (*code != 0)
        return NULL;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        log_debug("%s is %s", host, address_text(a->ai_addr, a->ai_addrlen));
    return list;
}

struct addrinfo *resolve(const char *host, const char *port, int type)
{
    int code;

    check_port(port, 1);

    struct addrinfo *list = look_up(host, port, type, 0, &code);

    if (!list)
        die_resolving(host, code);
    return list;
}

struct addrinfo *resolve_or_tell(const char *host, const char *port,
                                 const char **why)
{
    int code;

    check_port(port, 1);

    struct addrinfo *list = look_up(host, port, SOCK_STREAM, 0, &code);

    if (!list)
        *why = code == EAI_SYSTEM ? error_entry(errno)->symbol
                                  : resolver_symbol(code);
    return list;
}

int bound_socket(const char *address, const char *port, int type)
{
    const int on = 1;
    int code;

    check_port(port, 0);

    struct addrinfo *list = look_up(address, port, type, AI_PASSIVE, &code);

    if (!list)
        die_resolving(address, code);

    int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);

    if (fd < 0)
        die("cannot make a socket for %s", address);
    if (type == SOCK_STREAM &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("cannot set SO_REUSEADDR");
    if (bind(fd, list->ai_addr, list->ai_addrlen) < 0)
        die("cannot listen on %s",
            address_text(list->ai_addr, list->ai_addrlen));
    freeaddrinfo(list);
    return fd;
}

int bound_to_loopback(struct sockaddr_in *there)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *there;

    *there = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)there, length) < 0 ||
        getsockname(fd, (struct sockaddr *)there, &length) < 0)
        die("cannot bind a socket to 127.0.0.1");
    return fd;
}

void connected_pair(int *client, int *server)
{
    struct sockaddr_in there;
    const int listener = bound_to_loopback(&there);

    *client = socket(AF_INET, SOCK_STREAM, 0);
    if (*client < 0 || listen(listener, 1) < 0)
        die("cannot make a connection over the loopback interface");

    struct answer made =
        connect_blocking(*client, (struct sockaddr *)&there, sizeof there);

    if (made.kind != DONE)
        die_because(made.error,
                    "cannot make a connection over the loopback interface");
    do
        made = accept_answer(accept(listener, NULL, NULL));
    while (made.kind == AGAIN && !stopping());
    if (made.kind != DONE)
        die_because(made.error,
                    "cannot accept a connection over the loopback interface");
    *server = made.fd;
    close(listener);
}

void announce_listening(int listener)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;

    if (getsockname(listener, (struct sockaddr *)&own, &length) < 0)
        die("cannot ask the socket for its address");
    say("listening on %s", address_text((struct sockaddr *)&own, length));
}

size_t raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("cannot ask for the limit of descriptors");
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur < SIZE_MAX ? (size_t)limit.rlim_cur : SIZE_MAX;
}

int listen_on(const char *address, const char *port)
{
    raise_descriptor_limit();

    int fd = bound_socket(address, port, SOCK_STREAM);

    /* The kernel reduces this to what it allows (listen(2)). SOMAXCONN would be
     * only 128 with some C libraries. */
    if (listen(fd, 4096) < 0)
        die("cannot listen on %s port %s", address, port);
    announce_listening(fd);
    return fd;
}

/* The last failure that was reported, and how much had succeeded by then. */
struct failure {
    int error;
    unsigned long long successes;
};

/* End the program if the socket itself is broken. Otherwise warn, but not again
 * for the same error without a success in between. */
static void call_failed(struct failure *last, int error,
                        unsigned long long successes, const char *what)
{
    if (error == EBADF || error == EINVAL || error == ENOTSOCK ||
        error == EOPNOTSUPP || error == EFAULT)
        die_because(error, "cannot %s any more", what);
    if (error != last->error || successes != last->successes)
        warn_because(error, "cannot %s now", what);
    *last = (struct failure){.error = error, .successes = successes};
}

void accept_failed(int error)
{
    static struct failure last;

    call_failed(&last, error, counters.accepted, "accept a client");
}

void receive_failed(int error)
{
    static struct failure last;

    call_failed(&last, error, counters.done, "receive a datagram");
    if (error == ENOMEM || error == ENOBUFS)
        nap(SECOND / 10);
}

void address_failed(const struct addrinfo *a, int error)
{
    const char *where = address_text(a->ai_addr, a->ai_addrlen);

    if (a->ai_next == NULL)
        die_because(error, "cannot connect to %s", where);
    warn_because(error, "cannot connect to %s", where);
}

/* How an attempt ended, once its socket is writable. */
static struct answer connect_result(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    return connected_answer(error);
}

struct answer connect_wait(int fd, instant deadline)
{
    struct answer made = {.kind = PENDING, .fd = -1, .error = EINPROGRESS};

    while (made.kind == PENDING && !stopping()) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};

        int ready = poll(&wait, 1, poll_time(deadline));

        if (ready < 0 && errno != EINTR)
            made = connected_answer(errno);
        else if (ready > 0)
            made = connect_result(fd);
        else if (passed(deadline))
            made = connected_answer(ETIMEDOUT);
    }
    return made;
}

struct answer connect_blocking(int fd, const struct sockaddr *to,
                               socklen_t length)
{
    int error = connect(fd, to, length) < 0 ? errno : 0;

    if (error == EINTR)
        return connect_wait(fd, NEVER);
    return (struct answer){
        .kind = error ? FAILED : DONE, .fd = -1, .error = error};
}

struct answer connect_until(const struct addrinfo *to, instant deadline)
{
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);

    if (fd < 0)
        return connected_answer(errno);
    set_nonblocking(fd);

    struct answer made =
        connect_answer(connect(fd, to->ai_addr, to->ai_addrlen));

    if (made.kind == AGAIN) /* nothing to wait for */
        made.kind = FAILED;
    if (made.kind == PENDING)
        made = connect_wait(fd, deadline);
    if (made.kind != DONE) {
        close(fd);
        return made;
    }
    set_nodelay(fd);
    made.fd = fd;
    return made;
}

int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = resolve(host, port, SOCK_STREAM);
    int fd = -1;

    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        int error;

        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd < 0) {
            error = errno;
        } else {
            struct answer made =
                connect_blocking(fd, a->ai_addr, a->ai_addrlen);

            if (made.kind == PENDING)
                die_because(0, "cannot connect to %s: stopped by %s",
                            address_text(a->ai_addr, a->ai_addrlen),
                            stop_reason());
            error = made.error;
        }
        if (error == 0)
            break;
        address_failed(a, error);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    set_nodelay(fd);
    log_info("connected to %s", peer_text(fd));
    freeaddrinfo(list);
    return fd;
}

void send_line(int fd, const char *text)
{
    char *operands[] = {(char *)text, NULL};
    struct line line = {0};

    while (next_line(&line, operands))
        for (size_t sent = 0; sent < line.length && !stopping();) {
            struct answer put =
                send_answer(send(fd, line.bytes + sent, line.length - sent, 0),
                            line.length - sent);

            if (put.kind == FAILED)
                die_because(put.error, "cannot send to %s", peer_text(fd));
            sent += put.count;
        }
}

void set_nodelay(int fd)
{
    const int on = 1;

    /* No complaint if this fails: the peer may be gone already. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void change_flag(int fd, bool nonblocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        die("cannot read the flags of descriptor %d", fd);
    flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) < 0)
        die("cannot set the flags of descriptor %d", fd);
}

void set_nonblocking(int fd)
{
    change_flag(fd, true);
}

void set_blocking(int fd)
{
    change_flag(fd, false);
}

const char *address_text(const struct sockaddr *address, socklen_t length)
{
    /* The longest: an IPv6 address, its zone, and five digits. */
    static char text[INET6_ADDRSTRLEN + 32 + sizeof " port 65535"];
    char host[INET6_ADDRSTRLEN + 32], port[sizeof "65535"];
    int before = errno;
    int code = getnameinfo(address, length, host, sizeof host, port,
                           sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);

    errno = before;
    if (code != 0)
        return "an unknown address";
    snprintf(text, sizeof text, "%s port %s", host, port);
    return text;
}

const char *peer_text(int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    int before = errno;
    int result = getpeername(fd, (struct sockaddr *)&peer, &length);

    errno = before;
    if (result < 0)
        return "a peer that is gone";
    return address_text((struct sockaddr *)&peer, length);
}
