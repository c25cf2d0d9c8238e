/* SPDX-License-Identifier: MIT */
/*
 * contract_datagram - the contract of a datagram echo server: each datagram
 * goes back to the address that it came from, whole, also an empty one.
 */
#include "contract.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 65507 }; /* bytes that fit into a datagram of IPv4 */

/* A socket that sends to the server and hears nobody else. */
static int sender(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)contract_port()),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        cannot_check("no socket for datagrams can be made");
    set_nonblocking(fd);
    return fd;
}

struct answer_to {
    int fd;
    char bytes[MOST + 1];
    ssize_t size; /* -1: none yet */
};

static bool answered(void *context)
{
    struct answer_to *a = context;

    a->size = recv(a->fd, a->bytes, sizeof a->bytes, 0);
    return a->size >= 0 || errno == ECONNREFUSED;
}

static void must_come_back(int fd, const char *who, const char *bytes,
                           size_t size)
{
    static struct answer_to a;
    bool came;

    a.fd = fd;
    ending = STILL_THERE;
    came = wait_until(answered, &a, 5 * SECOND);
    if (!came || a.size < 0)
        explained(-1, has_ended() ? ENDS_EARLY : NOTHING_SENT,
                  "%s sent a datagram of %zu bytes, and it did not come back",
                  who, size);
    if ((size_t)a.size < size)
        mistake(SHORT_SEND,
                "%s sent a datagram of %zu bytes, and %zd of them came back: "
                "what does not fit into the buffer of recvfrom is lost.",
                who, size, a.size);
    if ((size_t)a.size != size || memcmp(a.bytes, bytes, size) != 0)
        mistake(WORD_NOT_KEPT,
                "%s sent a datagram of %zu bytes, and other bytes came back "
                "(%zd).",
                who, size, a.size);
    step("%s got its datagram of %zu bytes back", who, size);
}

static void exchange(int fd, const char *who, size_t size)
{
    static char bytes[MOST];
    bool sent = false;

    draw_bytes(bytes, size);
    /* The first call may report that an earlier datagram was refused. */
    for (int tries = 0; tries < 2 && !sent; tries++)
        sent = send(fd, bytes, size, 0) >= 0;
    if (!sent)
        explained(-1, has_ended() ? ENDS_EARLY : NOTHING_SENT,
                  "%s could not send a datagram", who);
    must_come_back(fd, who, bytes, size);
}

static void alone(void)
{
    serve_datagrams();

    int a = sender();

    exchange(a, "client A", 12 + draw(20));
    exchange(a, "client A", 12 + draw(20));
}

static void sizes(void)
{
    const size_t largest = strictness.size;

    serve_datagrams();

    int a = sender();

    exchange(a, "client A", 1);
    exchange(a, "client A", 100 + draw(100));
    exchange(a, "client A", largest < MOST ? largest : MOST);
}

static void empty(void)
{
    serve_datagrams();

    int a = sender();

    exchange(a, "client A", 5);
    exchange(a, "client A", 0);
    exchange(a, "client A", 5);
}

static void several(void)
{
    enum { MANY = 8 };
    char bytes[MANY][32], who[MANY][16];
    int fds[MANY];

    serve_datagrams();
    for (int i = 0; i < MANY; i++) {
        fds[i] = sender();
        draw_bytes(bytes[i], sizeof bytes[i]);
        snprintf(who[i], sizeof who[i], "client %d", i + 1);
        if (send(fds[i], bytes[i], sizeof bytes[i], 0) < 0)
            explained(-1, ENDS_EARLY, "%s could not send a datagram", who[i]);
    }
    step("%d clients sent a datagram each", MANY);
    for (int i = MANY; i-- > 0;)
        must_come_back(fds[i], who[i], bytes[i], sizeof bytes[i]);
}

/* Who asks and goes away: the answer is refused, which a later call of the
 * server may report (udp(7), ECONNREFUSED). */
static void vanish(void)
{
    serve_datagrams();

    int a = sender();

    exchange(a, "client A", 10);
    for (int i = 0; i < 5; i++) {
        int gone = sender();

        if (send(gone, "bye", 3, 0) < 0)
            break;
        close(gone);
    }
    step("5 clients sent a datagram, and were gone before the answer");
    exchange(a, "client A", 10);
    exchange(sender(), "client B", 10);
}

static void idle(void)
{
    serve_datagrams();
    must_rest("With no client");
    exchange(sender(), "client A", 10);
    must_rest("After a datagram");
}

#define SERVE "timeout 9 PROGRAM & sleep 2; "

static const struct demand demands[] = {
    {NULL,
     {"alone", "one client", 2, alone,
      SERVE "build/bin/udp_client 127.0.0.1 8080 one two; wait"}},
    {NULL,
     {"sizes", "small and large datagrams", 3, sizes,
      SERVE "build/bin/udp_client 127.0.0.1 8080 a \"$(printf '%01400d' 7)\"; "
            "wait"}},
    {NULL,
     {"empty", "an empty datagram", 1, empty,
      SERVE "build/bin/udp_client 127.0.0.1 8080 before '' after; wait"}},
    {NULL,
     {"several", "several clients", 3, several,
      SERVE "for i in 1 2 3; do build/bin/udp_client 127.0.0.1 8080 $i & "
            "done; wait"}},
    {resets_wanted,
     {"vanish", "clients are gone before the answer", 2, vanish,
      SERVE "build/bin/bad_peer --count 5 datagrams 127.0.0.1 8080; "
            "build/bin/udp_client 127.0.0.1 8080 'still there?'; wait"}},
    {idle_wanted,
     {"idle", "nothing happens", 3, idle,
      "(timeout 9 PROGRAM & sleep 2; build/bin/udp_client 127.0.0.1 8080 A; "
      "wait; times)"}},
    {0}};

const struct contract datagram_contracts[] = {
    {"datagram-echo", "sends each datagram back to where it came from", demands,
     .size = 1400},
    {0}};
