/* SPDX-License-Identifier: MIT */
/*
 * net.h - addresses, listening, and the flag that it is all about. IPv4 and
 * IPv6 alike. Whatever fails here before the lesson begins ends the program
 * with a message.
 */
#ifndef WOULDBLOCK_NET_H
#define WOULDBLOCK_NET_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * The addresses of a TCP server, best first. Host is a name or an address in
 * numbers, port a number from 1 to 65535 (otherwise bad usage, status 2). The
 * caller frees the list with freeaddrinfo. Looking up a name blocks, whatever
 * flags a socket has.
 */
struct addrinfo *resolve(const char *host, const char *port);

/*
 * A blocking socket bound to this address of this machine and not listening
 * yet; SO_REUSEADDR is set, so that a server can start again at once. Port 0
 * lets the kernel choose.
 */
int bound_socket(const char *address, const char *port);

/*
 * Print the line that scripts wait for, on which the address and the port are
 * those the socket really has:
 *
 *     listening on 127.0.0.1 port 40123
 */
void announce_listening(int listener);

/* All of that: bind, listen with the longest queue allowed, announce. */
int listen_on(const char *address, const char *port);

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

/* A blocking socket connected to the first address that answers; each one that
 * does not is named on stderr. */
int connect_to(const char *host, const char *port);

/* Switch O_NONBLOCK on or off and leave the other flags alone (fcntl(2)). */
void set_nonblocking(int fd);
void set_blocking(int fd);

/* "127.0.0.1 port 40123", in a buffer that the next call overwrites. The peer
 * of a socket that has lost it is "a peer that has left". errno stays as it
 * was. */
const char *address_text(const struct sockaddr *address, socklen_t length);
const char *peer_text(int fd);

#endif
