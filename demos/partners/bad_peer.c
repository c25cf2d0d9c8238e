/* SPDX-License-Identifier: MIT */
/*
 * bad_peer - behaves as badly as real clients and servers sometimes do.
 *
 * Shows    resets, half-closes, bytes that come one at a time, clients that
 *          never read or that vanish: programs meet all of these, and must
 *          survive them. A bad client says what it did. Most behaviours then
 *          end, or end after ten seconds without the other side; never-read,
 *          crowd and refuse stay until they are asked to stop.
 * Run      echo_poll 8080
 *          bad_peer --count 200000 half-close 127.0.0.1 8080
 * See      docs/tutorial: lessons 5 to 12 and 14 use it
 */
#include "wouldblock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t count = 1;

static const struct setting settings[] = {
    {"count", "N", "how many bytes, connections or datagrams", .size = &count},
    {0},
};
static const struct program program = {
    "Is a bad client: reset, half-close, burst, drip, never-read, sleepy, "
    "vanish,\n"
    "crowd, nonsense or datagrams; or a bad server: refuse, drip-to, hang-up "
    "or\n"
    "reset-sender.",
    "BEHAVIOUR HOST PORT",
    settings,
};

static const duration patience = 10 * SECOND;

static const char *host, *port;

/* Wait until the socket is ready, but for at most ten seconds. */
static void wait_for(int fd, short events)
{
    const instant deadline = deadline_in(patience);
    struct pollfd p = {.fd = fd, .events = events};

    for (int ready = 0; ready <= 0;) {
        ready = poll(&p, 1, poll_time(deadline));
        if (ready < 0 && errno != EINTR)
            die("cannot wait for the other side");
        if (stopping())
            die_because(0, "stopped by %s", stop_reason());
        if (passed(deadline))
            die_because(0, "the other side did nothing for ten seconds");
    }
}

static void send_exactly(int fd, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        wait_for(fd, POLLOUT);

        ssize_t n = send(fd, bytes + sent, size - sent, 0);

        if (n < 0 && errno != EINTR)
            die("cannot send");
        sent += n > 0 ? (size_t)n : 0;
    }
}

/* Up to size bytes; fewer if the peer closes. */
static size_t receive_up_to(int fd, char *bytes, size_t size)
{
    size_t received = 0;

    while (received < size) {
        wait_for(fd, POLLIN);

        ssize_t n = recv(fd, bytes + received, size - received, 0);

        if (n < 0 && errno != EINTR)
            die("cannot receive");
        if (n == 0)
            break;
        received += n > 0 ? (size_t)n : 0;
    }
    return received;
}

/* Closing with a linger time of 0 resets the connection (socket(7)). */
static void close_with_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void expect_ping(int fd)
{
    char echo[4];

    if (receive_up_to(fd, echo, 4) != 4)
        die_because(0, "the server closed the connection before the echo");
    if (memcmp(echo, "ping", 4) != 0)
        die_because(0, "the echo is not what was sent");
}

static void ping(int fd)
{
    send_exactly(fd, "ping", 4);
    expect_ping(fd);
}

/* Reset in mid-stream, with bytes still on their way. */
static void reset(void)
{
    int fd = connect_to(host, port);

    ping(fd);
    send_exactly(fd, "half a mess", 11);
    close_with_reset(fd);
    say("reset");
}

/* Send, shut down the sending side, and only then read. */
static void half_close(void)
{
    int fd = connect_to(host, port);
    char *bytes = payload_new(count);
    char *echo = payload_new(count + 1);
    size_t received;

    send_exactly(fd, bytes, count);
    if (shutdown(fd, SHUT_WR) < 0)
        die("cannot end the sending");
    received = receive_up_to(fd, echo, count + 1);
    if (payload_matching(echo, received, 0) != received)
        die_because(0, "the echo is not what was sent");
    say("received %zu of %zu bytes, then the end", received, count);
    free(bytes);
    free(echo);
}

/* Send everything at once, then count what comes back until nothing has come
 * for a second. */
static void burst(void)
{
    int fd = connect_to(host, port);
    char *bytes = payload_new(count);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t received = 0;

    send_exactly(fd, bytes, count);
    say("sent");
    while (received < count &&
           poll(&p, 1, received > 0 ? 1000 : (int)(patience / MILLISECOND)) >
               0) {
        ssize_t n = recv(fd, bytes, count, 0);

        if (n <= 0)
            break;
        received += (size_t)n;
    }
    say("received %zu of %zu bytes", received, count);
    free(bytes);
}

/* Send one byte at a time, each in its own packet. */
static void drip(void)
{
    int fd = connect_to(host, port);
    const int on = 1;
    char *bytes = payload_new(count), echo = 0;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (size_t i = 0; i < count; i++) {
        send_exactly(fd, bytes + i, 1);
        if (receive_up_to(fd, &echo, 1) != 1 || echo != bytes[i])
            die_because(0, "byte %zu came back wrong", i);
    }
    say("dripped %zu bytes", count);
    free(bytes);
}

/* Send until the server takes no more, or count bytes. Never read; stay. */
static void never_read(void)
{
    int fd = connect_to(host, port);
    char *bytes = payload_new(count);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    size_t sent = 0;

    set_nonblocking(fd);
    /* No room for 300 ms: the server takes no more. */
    while (sent < count && poll(&p, 1, 300) > 0) {
        ssize_t n = send(fd, bytes + sent, count - sent, 0);

        if (n < 0)
            die("cannot send");
        sent += (size_t)n;
    }
    say("sent %zu of %zu bytes; reading nothing", sent, count);
    while (!stopping())
        nap(SECOND);
    free(bytes);
}

/* Read nothing until a line comes on standard input; then read everything, and
 * print the last line. */
static void sleepy(void)
{
    int fd = connect_to(host, port);
    static char heard[2 * (size_t)BUFFER_SIZE + 1];
    const size_t most = 2 * (size_t)BUFFER_SIZE;
    char line[16], *last;
    size_t length = 0, more;

    if (!fgets(line, sizeof line, stdin))
        die_because(0, "standard input ended before a line came");
    while ((more = receive_up_to(fd, heard + length, most - length)) > 0) {
        length += more;
        if (length == most) { /* keep the second half */
            memmove(heard, heard + length / 2, length / 2);
            length /= 2;
        }
    }
    heard[length > 0 ? length - 1 : 0] = '\0';
    last = strrchr(heard, '\n');
    say("last line: %s", last ? last + 1 : heard);
    close(fd);
}

/* Connect and close at once, every second time with a reset. */
static void vanish(void)
{
    for (size_t i = 0; i < count; i++) {
        int fd = connect_to(host, port);

        if (i % 2 == 0)
            close(fd);
        else
            close_with_reset(fd);
    }
    say("vanished %zu times", count);
}

/* Open many connections, check that all are served; stay. */
static void crowd(void)
{
    int *fds = calloc(count, sizeof *fds);

    if (!fds)
        die("cannot keep %zu sockets", count);
    raise_descriptor_limit();
    for (size_t i = 0; i < count; i++)
        fds[i] = connect_to(host, port);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++)
            send_exactly(fds[i], "ping", 4);
        for (size_t i = count; i-- > 0;)
            expect_ping(fds[i]);
    }
    say("%zu connections served", count);
    while (!stopping())
        nap(SECOND);
    free(fds);
}

/* Send the payload with a wrong last byte. */
static void nonsense(void)
{
    int fd = connect_to(host, port);
    char *bytes = payload_new(count);

    bytes[count - 1] ^= 1;
    send_exactly(fd, bytes, count);
    close(fd);
    say("sent nonsense");
    free(bytes);
}

/* Send datagrams of very different sizes, and be gone before the answers. */
static void datagrams(void)
{
    static const size_t sizes[] = {0, 1, 100, 1472, 1473, 9000, 65507};
    struct addrinfo *to = resolve(host, port, SOCK_DGRAM);
    int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    char *bytes = payload_new(65507);
    size_t sent = 0;

    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        die("cannot set the peer");
    for (size_t i = 0; i < count && !stopping(); i++)
        sent +=
            send(fd, bytes, sizes[i % (sizeof sizes / sizeof *sizes)], 0) >= 0;
    close(fd);
    say("sent %zu of %zu datagrams", sent, count);
    freeaddrinfo(to);
    free(bytes);
}

/* A port that refuses: it is bound, but nobody listens on it. */
static void refuse(void)
{
    int fd = bound_socket(host, port, SOCK_STREAM);

    /* It does not listen: this is only the line that scripts wait for. */
    announce_listening(fd);
    while (!stopping())
        nap(SECOND);
    close(fd);
}

static int accept_one(void)
{
    int listener = listen_on(host, port);

    wait_for(listener, POLLIN);
    return accept(listener, NULL, NULL);
}

/* Accept, receive a byte (none with --count 0), and close without an answer. */
static void hang_up(void)
{
    int fd = accept_one();
    char byte;

    if (count > 0)
        receive_up_to(fd, &byte, 1);
    close(fd);
}

/* Accept, send count bytes, one every 50 ms and no newline, and close. */
static void drip_to(void)
{
    int fd = accept_one();

    for (size_t i = 0; i < count && !stopping(); i++) {
        if (send(fd, "x", 1, 0) < 0)
            break;
        nap(50 * MILLISECOND);
    }
    close(fd);
}

/* Accept, read count bytes and reset the connection. */
static void reset_sender(void)
{
    int fd = accept_one();
    char *bytes = payload_new(count);

    receive_up_to(fd, bytes, count);
    close_with_reset(fd);
    free(bytes);
}

static const struct {
    const char *name;
    void (*play)(void);
} behaviours[] = {
    {"reset", reset},           {"half-close", half_close},
    {"burst", burst},           {"drip", drip},
    {"never-read", never_read}, {"vanish", vanish},
    {"sleepy", sleepy},         {"crowd", crowd},
    {"nonsense", nonsense},     {"datagrams", datagrams},
    {"refuse", refuse},         {"drip-to", drip_to},
    {"hang-up", hang_up},       {"reset-sender", reset_sender},
};

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);

    host = operands[1];
    port = operands[2];
    for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++)
        if (strcmp(operands[0], behaviours[i].name) == 0) {
            behaviours[i].play();
            return 0;
        }
    usage_error("there is no behaviour '%s'", operands[0]);
}
