/* SPDX-License-Identifier: MIT */
/*
 * net.h - addresses, listening, and the flag that it is all about. IPv4 and
 * IPv6 alike. Whatever fails here before the lesson begins ends the program
 * with a message.
 */
#ifndef WOULDBLOCK_NET_H
#define WOULDBLOCK_NET_H

#include "answer.h"
#include "clock.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * The addresses of a server, best first, for sockets of this type. Host is a
 * name or an address in numbers, port a number from 1 to 65535 (otherwise bad
 * usage, status 2). The caller frees the list with freeaddrinfo. Looking up a
 * name blocks, whatever flags a socket has.
 */
struct addrinfo *resolve(const char *host, const char *port, int type);

/*
 * The same where an unknown name is no reason to give up: NULL then, and *why
 * tells in the resolver's words.
 */
struct addrinfo *resolve_or_tell(const char *host, const char *port,
                                 const char **why);

/*
 * A blocking socket of this type, SOCK_STREAM or SOCK_DGRAM, bound to this
 * address of this machine and not listening yet. Port 0 lets the kernel choose.
 * A stream socket has SO_REUSEADDR, so that a server can start again at once;
 * with datagrams that would let two servers share a port unawares.
 */
int bound_socket(const char *address, const char *port, int type);

/*
 * Print the line that scripts wait for, on which the address and the port are
 * those the socket really has:
 *
 *     listening on 127.0.0.1 port 40123
 */
void announce_listening(int listener);

/* All of that: bind, listen with the longest queue allowed, announce. With as
 * many descriptors as may be had. */
int listen_on(const char *address, const char *port);

/*
 * A blocking TCP socket bound to a free port of 127.0.0.1 and not listening
 * yet, the caller's; its address goes to *there. It has no SO_REUSEADDR: the
 * port is nobody else's as long as the socket is open.
 */
int bound_to_loopback(struct sockaddr_in *there);

/* The two ends of a new TCP connection over the loopback interface, both of
 * them blocking and the caller's: one connected, the other was accepted. */
void connected_pair(int *client, int *server);

/* Allow this program as many descriptors as the machine lets it have: the soft
 * limit goes up to the hard one (getrlimit(2)). Returns that. */
size_t raise_descriptor_limit(void);

/*
 * What to do with the error of an accept that FAILED: if the listener itself is
 * broken the program ends; if something has run short (descriptors, memory),
 * say so once, until there is another error or an accept that works.
 */
void accept_failed(int error);

/*
 * Name an address that cannot be connected to, and why. If it was the last of
 * its list the program ends.
 */
void address_failed(const struct addrinfo *a, int error);

/*
 * Wait until an attempt to connect that is PENDING has ended: the socket is
 * writable then, and SO_ERROR tells how it ended. DONE, FAILED with its error
 * (ETIMEDOUT for the deadline), or still PENDING: somebody asked for a stop.
 */
struct answer connect_wait(int fd, instant deadline);

/*
 * Connect to this one address until the deadline at the latest, as
 * connect_poll does it. DONE brings a new socket, non-blocking, the caller's;
 * FAILED the error, ETIMEDOUT for the deadline; PENDING says that somebody
 * asked for a stop. Whatever fails, its socket is closed: a failed one is not
 * to be used again (POSIX connect(), "the state of the socket is unspecified").
 */
struct answer connect_until(const struct addrinfo *to, instant deadline);

/* A blocking socket connected to the first address that answers; each one that
 * does not is named on stderr. */
int connect_to(const char *host, const char *port);

/* Send a text and a newline on a blocking socket; ends the program if that
 * fails. */
void send_line(int fd, const char *text);

/*
 * Have the kernel send at once what it is given (TCP_NODELAY, tcp(7)). Without
 * that, a part of an answer may lie there until the peer has confirmed the part
 * before it, which it puts off for 40 ms: see nagle_stall.
 */
void set_nodelay(int fd);

/* Switch O_NONBLOCK on or off and leave the other flags alone (fcntl(2)). */
void set_nonblocking(int fd);
void set_blocking(int fd);

/* "127.0.0.1 port 40123", in a buffer that the next call overwrites. The peer
 * of a socket that has lost it is "a peer that has left". errno stays as it
 * was. */
const char *address_text(const struct sockaddr *address, socklen_t length);
const char *peer_text(int fd);

#endif
