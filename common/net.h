/* SPDX-License-Identifier: MIT */
/*
 * net.h - addresses, listening, connecting, and O_NONBLOCK, with IPv4 and IPv6.
 * If setting up fails the program ends with a message.
 */
#ifndef WOULDBLOCK_NET_H
#define WOULDBLOCK_NET_H

#include "answer.h"
#include "clock.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* musl's FD_SET converts a descriptor to unsigned long without a cast. The
 * lessons keep to the call as its manual page has it. */
#if defined(__linux__) && !defined(__GLIBC__)
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

/*
 * The addresses of a server, best first, for sockets of this type. host is a
 * name or a numeric address, port a number from 1 to 65535 (otherwise the
 * program ends with status 2). The caller frees the list with freeaddrinfo.
 * Looking up a name blocks: O_NONBLOCK does not change that.
 */
struct addrinfo *resolve(const char *host, const char *port, int type);

/*
 * The same, but an unknown name does not end the program: the result is NULL,
 * and *why is the symbol of the error, such as "EAI_NONAME".
 */
struct addrinfo *resolve_or_tell(const char *host, const char *port,
                                 const char **why);

/*
 * A blocking socket of this type, SOCK_STREAM or SOCK_DGRAM, bound to this
 * address of this machine and not listening yet. Port 0 lets the kernel choose.
 * A stream socket gets SO_REUSEADDR, so that a server can restart at once. A
 * datagram socket does not: two servers could share a port without noticing.
 */
int bound_socket(const char *address, const char *port, int type);

/*
 * Print the line that scripts wait for, with the socket's own address and port:
 *
 *     listening on 127.0.0.1 port 40123
 */
void announce_listening(int listener);

/* Raise the limit of descriptors, bind, listen with a backlog of 4096 or what
 * the kernel allows, and print that line. The caller owns the socket. */
int listen_on(const char *address, const char *port);

/*
 * A blocking TCP socket bound to a free port of 127.0.0.1 and not listening
 * yet, the caller's; its address goes to *there. It has no SO_REUSEADDR: the
 * port is not free for others as long as the socket is open.
 */
int bound_to_loopback(struct sockaddr_in *there);

/* The two ends of a new TCP connection over the loopback interface, both of
 * them blocking and the caller's: one connected, the other was accepted. */
void connected_pair(int *client, int *server);

/* Raise the soft limit of descriptors to the hard one (getrlimit(2)). Returns
 * the limit that now holds. */
size_t raise_descriptor_limit(void);

/*
 * Report that accept FAILED. If the listener itself is broken the program ends.
 * If the program is out of something (descriptors, memory), this warns once,
 * and again only after another error or a successful accept.
 */
void accept_failed(int error);

/*
 * Report that receiving on a server's UDP socket FAILED. If the socket itself
 * is broken the program ends. Otherwise this warns once, and again only after
 * another error or a datagram. If the kernel is out of memory, it rests for
 * 100 ms.
 */
void receive_failed(int error);

/*
 * Report that connect to an address failed, and why. If it was the last address
 * of its list the program ends.
 */
void address_failed(const struct addrinfo *a, int error);

/*
 * Wait until an attempt to connect that is PENDING has ended: the socket is
 * writable then, and SO_ERROR tells how it ended. DONE; FAILED with its error
 * (ETIMEDOUT for the deadline); or still PENDING: the program is asked to stop.
 */
struct answer connect_wait(int fd, instant deadline);

/*
 * Connect a blocking socket. A signal does not end the attempt, which goes on
 * in the kernel (connect(2)). DONE; FAILED with its error; or PENDING: the
 * program is asked to stop. Not counted for the report, unless a signal came.
 */
struct answer connect_blocking(int fd, const struct sockaddr *to,
                               socklen_t length);

/*
 * Connect to one address, until the deadline at the latest, as connect_poll
 * does. DONE: fd is a new non-blocking socket, and the caller owns it. FAILED:
 * error, ETIMEDOUT for the deadline. PENDING: the program is asked to stop. A
 * socket whose connect has failed is closed, because it must not be used again
 * (POSIX connect(), "the state of the socket is unspecified").
 */
struct answer connect_until(const struct addrinfo *to, instant deadline);

/* A blocking socket, connected to the first address that accepts; each address
 * that failed before is reported on stderr. The caller owns the socket. */
int connect_to(const char *host, const char *port);

/* Send a text and a newline on a blocking socket; ends the program if that
 * fails. */
void send_line(int fd, const char *text);

/*
 * Switch Nagle's algorithm off (TCP_NODELAY, tcp(7)): the kernel then sends at
 * once. With Nagle's algorithm, the second part of an answer waits until the
 * peer has acknowledged the first, and the peer may delay that by 40 ms: see
 * nagle_stall.
 */
void set_nodelay(int fd);

/* Set or clear O_NONBLOCK, and keep the other flags (fcntl(2)). Most demos
 * write that out instead: make_nonblocking(). */
void set_nonblocking(int fd);
void set_blocking(int fd);

/* "127.0.0.1 port 40123", in a buffer that the next call overwrites. If the
 * connection is already gone, peer_text returns "a peer that is gone". errno is
 * kept. */
const char *address_text(const struct sockaddr *address, socklen_t length);
const char *peer_text(int fd);

#endif
