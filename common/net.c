/* SPDX-License-Identifier: MIT */
#include "net.h"
#include "answer.h"
#include "error.h"
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The resolver has error codes of its own; only EAI_SYSTEM means errno. */
static NO_RETURN void die_resolving(const char *host, int code)
{
    if (code == EAI_SYSTEM)
        die("cannot find the address of %s", host);
    die_because(0, "cannot find the address of %s: %s%s. %s.", host,
                code == EAI_NONAME  ? "EAI_NONAME "
                : code == EAI_AGAIN ? "EAI_AGAIN "
                                    : "",
                gai_strerror(code),
                code == EAI_AGAIN
                    ? "The name server did not answer: try again later"
                    : "Check the name, or give the address in numbers");
}

static struct addrinfo *look_up(const char *host, const char *port, int flags)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = flags | AI_NUMERICSERV,
    };
    struct addrinfo *list;
    int code = getaddrinfo(host, port, &hints, &list);

    if (code != 0)
        die_resolving(host, code);
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        log_debug("%s is %s", host, address_text(a->ai_addr, a->ai_addrlen));
    return list;
}

struct addrinfo *resolve(const char *host, const char *port)
{
    check_port(port, 1);
    return look_up(host, port, 0);
}

int bound_socket(const char *address, const char *port)
{
    check_port(port, 0);

    struct addrinfo *list = look_up(address, port, AI_PASSIVE);
    const int on = 1;
    int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);

    if (fd < 0)
        die("cannot make a socket for %s", address);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("cannot set SO_REUSEADDR");
    if (bind(fd, list->ai_addr, list->ai_addrlen) < 0)
        die("cannot listen on %s",
            address_text(list->ai_addr, list->ai_addrlen));
    freeaddrinfo(list);
    return fd;
}

void announce_listening(int listener)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;

    if (getsockname(listener, (struct sockaddr *)&own, &length) < 0)
        die("cannot ask the socket for its address");
    say("listening on %s", address_text((struct sockaddr *)&own, length));
}

int listen_on(const char *address, const char *port)
{
    int fd = bound_socket(address, port);

    if (listen(fd, SOMAXCONN) < 0)
        die("cannot listen on %s port %s", address, port);
    announce_listening(fd);
    return fd;
}

void accept_failed(int error)
{
    static int last_error;
    static unsigned long long last_accepted;

    if (error == EBADF || error == EINVAL || error == ENOTSOCK ||
        error == EOPNOTSUPP || error == EFAULT)
        die_because(error, "cannot accept any more clients");
    if (error != last_error || counters.accepted != last_accepted)
        warn_because(error, "cannot accept a client now");
    last_error = error;
    last_accepted = counters.accepted;
}

void address_failed(const struct addrinfo *a, int error)
{
    const char *where = address_text(a->ai_addr, a->ai_addrlen);

    if (a->ai_next == NULL)
        die_because(error, "cannot connect to %s", where);
    warn_because(error, "cannot connect to %s", where);
}

int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = resolve(host, port);
    int fd = -1;

    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        address_failed(a, errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    log_info("connected to %s", peer_text(fd));
    freeaddrinfo(list);
    return fd;
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
        return "a peer that has left";
    return address_text((struct sockaddr *)&peer, length);
}
