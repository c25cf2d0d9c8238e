/* SPDX-License-Identifier: MIT */
/*
 * checks_datagram - the checks of servers that answer datagrams.
 */
#include "judge.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- Clients, and their datagrams ----------------------------------------- */

enum { CLIENTS = 4, LARGEST = 2400, ALL = 64 };

static int port;
static unsigned room; /* how much the program receives of a datagram */

static int clients[CLIENTS];
static const char names[CLIENTS][9] = {"client A", "client B", "client C",
                                       "client D"};

struct datagram {
    int client; /* who sent it, or who got it */
    size_t size;
    char bytes[LARGEST];
};

static struct datagram sent[ALL];
static size_t sent_count;

/* Start it, and make clients. Each is connected, so the kernel gives it only
 * what comes from the program's port. */
static void serve_datagrams(void)
{
    struct datagram_socket found;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[16];

    room = 600 + draw(1400);
    snprintf(text, sizeof text, "%u", room);
    start("--report", "--stop-after", "19s", "--room", text, "0");
    port = told_port();
    /* An injected error may have ended it already: the check will tell. */
    if (!find_datagram_socket(port, &found) && !ends_within(SECOND / 2))
        diagnosed(-1, WRONG_PORT,
                  "it named port %d, and no UDP socket of it is there", port);
    step("the program waits for datagrams on port %d, of up to %u bytes", port,
         room);
    to.sin_port = htons((uint16_t)port);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (clients[i] < 0 ||
            connect(clients[i], (struct sockaddr *)&to, sizeof to) < 0)
            die("cannot make a client");
    }
}

/* Send a datagram whose bytes are drawn; some of them are zero. */
static struct datagram *post(int client, size_t size)
{
    struct datagram *d = &sent[sent_count++];

    d->client = client;
    d->size = size;
    for (size_t i = 0; i < size; i++)
        d->bytes[i] = (char)(draw(8) == 0 ? 0 : draw(256));
    send(clients[client], d->bytes, size, MSG_NOSIGNAL);
    return d;
}

static struct datagram got;

static bool something_came(void *client)
{
    const int i = *(int *)client;
    const ssize_t n = recv(clients[i], got.bytes, sizeof got.bytes, 0);

    if (n < 0)
        return false;
    got.client = i;
    got.size = (size_t)n;
    return true;
}

static bool gets_an_answer(int client)
{
    return wait_until(something_came, &client, 5 * SECOND);
}

/* An answer is the datagram, cut off at the room that the program has. */
static size_t answer_size(const struct datagram *d)
{
    return d->size < room ? d->size : room;
}

static bool is_answer(const struct datagram *it, const struct datagram *d)
{
    return it->size == answer_size(d) &&
           memcmp(it->bytes, d->bytes, it->size) == 0;
}

static void must_be_answer(const struct datagram *d)
{
    if (!is_answer(&got, d))
        mistake(NOT_AN_ECHO,
                "To a datagram of %zu bytes %s got an answer of %zu bytes, "
                "which is not the same.",
                d->size, names[d->client], got.size);
}

static void exchange(int client, size_t size)
{
    const struct datagram *d = post(client, size);

    if (!gets_an_answer(client))
        diagnosed(-1, NOTHING_SENT,
                  "%s got no answer to a datagram of %zu bytes", names[client],
                  size);
    must_be_answer(d);
    step("%s got its answer of %zu bytes", names[client], got.size);
}

/* The number after KEY= in its closing report; -1 if there is none. */
static long counted(const char *key)
{
    char text[32];
    const char *closing = strstr(its_words(), "report: "), *at;

    snprintf(text, sizeof text, " %s=", key);
    at = closing ? strstr(closing, text) : NULL;
    return at ? strtol(at + strlen(text), NULL, 10) : -1;
}

static void must_stop(void)
{
    send_signal(SIGTERM);
    if (!ends_within(3 * SECOND))
        mistake(STOP_IGNORED, "SIGTERM did not end it: it %s.", doing());
    if (!ended_well())
        diagnosed(-1, ENDS_EARLY, "it was asked to stop");
    step("SIGTERM ended it; it counted %ld datagrams, %ld truncated, %ld "
         "unanswered",
         counted("datagrams"), counted("truncated"), counted("unanswered"));
}

static void must_have_counted(const char *key, size_t expected,
                              enum mistake otherwise)
{
    if (counted(key) != (long)expected)
        mistake(otherwise, "Its report says %s=%ld, and there were %zu.", key,
                counted(key), expected);
}

/* --- The checks ----------------------------------------------------------- */

static void one_client(void)
{
    serve_datagrams();
    for (size_t count = 3 + draw(5); count-- > 0;)
        exchange(0, 1 + draw(500));
    must_stop();
    must_have_counted("datagrams", sent_count, WORD_NOT_KEPT);
    must_have_counted("unanswered", 0, WORD_NOT_KEPT);
}

static bool is_held(void *unused)
{
    (void)unused;
    return is_blocked();
}

static void empty_queue(void)
{
    serve_datagrams();
    for (int i = 0; i < 2; i++) {
        if (wait_until(is_held, NULL, SECOND / 5))
            mistake(RECEIVE_BLOCKS,
                    "While nobody sends anything, it %s: no other work gets "
                    "done.",
                    doing());
        if (has_ended())
            diagnosed(-1, EAGAIN_FATAL, "nobody has sent anything for a while");
        step("nobody sends anything for a while");
        exchange(0, 1 + draw(500));
    }
}

static void empty_datagrams(void)
{
    serve_datagrams();
    exchange(0, 1 + draw(100));
    for (int i = 0; i < 3; i++) {
        post(i, 0);
        step("%s sent a datagram of no bytes", names[i]);
        if (!gets_an_answer(i)) {
            ends_within(SECOND / 2);
            mistake(ZERO_IS_END,
                    "%s sent a datagram of no bytes and got none back: the "
                    "program %s.",
                    names[i], doing());
        }
        must_be_answer(&sent[sent_count - 1]);
        exchange(i, 1 + draw(100));
    }
    must_stop();
    must_have_counted("datagrams", sent_count, ZERO_IS_END);
}

/* All that has come back, to any client. */
static size_t came_back;

/* Whose datagram is this? */
static const struct datagram *original(const struct datagram *it)
{
    for (size_t i = 0; i < sent_count; i++)
        if (is_answer(it, &sent[i]))
            return &sent[i];
    return NULL;
}

static bool all_came_back(void *unused)
{
    (void)unused;
    for (int i = 0; i < CLIENTS; i++)
        while (something_came(&i)) {
            const struct datagram *d = original(&got);

            came_back++;
            if (!d)
                mistake(NOT_AN_ECHO,
                        "%s got a datagram of %zu bytes that nobody has sent.",
                        names[i], got.size);
            if (d->client != i)
                mistake(WRONG_PEER,
                        "The answer to %s's datagram of %zu bytes came to %s.",
                        names[d->client], d->size, names[i]);
        }
    return came_back >= sent_count;
}

/* All that is in the queue has to be answered, with nothing new to wake the
 * program. */
static void must_all_come_back(void)
{
    struct datagram_socket found;

    if (wait_until(all_came_back, NULL, 5 * SECOND))
        return;
    if (!has_ended() && find_datagram_socket(port, &found)) {
        if (found.peer_port != 0)
            mistake(ONE_AT_A_TIME,
                    "It has connected its socket to port %u, and hears nobody "
                    "else: %zu of %zu answers came.",
                    found.peer_port, came_back, sent_count);
        if (found.by_edges && found.unread > 0)
            mistake(ET_NOT_DRAINED,
                    "%zu of %zu datagrams were answered; the others are still "
                    "in the queue, and the program %s.",
                    came_back, sent_count, doing());
    }
    diagnosed(-1, NOTHING_SENT, "%zu of %zu answers came", came_back,
              sent_count);
}

static void several_clients(void)
{
    serve_datagrams();
    freeze();
    for (int i = 0; i < 12; i++)
        post(i < CLIENTS ? i : (int)draw(CLIENTS), 20 + draw(200));
    thaw();
    step("four clients sent 12 datagrams at the same moment");
    must_all_come_back();
    step("each of them got its own answers");
}

static void full_queue(void)
{
    serve_datagrams();
    freeze();
    for (int i = 0; i < ALL; i++)
        post(0, 20 + draw(100));
    thaw();
    step("client A sent %zu datagrams at the same moment, and then none",
         sent_count);
    must_all_come_back();
    step("client A got all its answers");
}

static void too_long(void)
{
    size_t longer = 0;

    serve_datagrams();
    exchange(0, room); /* just fits */
    for (size_t count = 4 + draw(6); count-- > 0;) {
        const size_t size = draw(2) ? room + 1 + draw(300) : 1 + draw(room);

        longer += size > room;
        exchange((int)draw(CLIENTS), size);
    }
    longer++;
    exchange(1, room + 1);
    must_stop();
    must_have_counted("datagrams", sent_count, WORD_NOT_KEPT);
    must_have_counted("truncated", longer, TRUNCATED_SILENTLY);
}

static void interrupted(void)
{
    inject("recv:EINTR:3+,recvmsg:EINTR:3+,recvfrom:EINTR:3+");
    serve_datagrams();
    for (int i = 0; i < 3; i++) {
        send_signal(SIGUSR1);
        post(0, 1 + draw(100));
        if (!gets_an_answer(0))
            diagnosed(-1, EINTR_FATAL,
                      "client A got no answer when calls were interrupted");
        must_be_answer(&sent[sent_count - 1]);
    }
    step("calls were interrupted, and client A got its answers");
}

/* What udp(7) calls a pending error: about a datagram sent earlier, maybe to
 * another client. */
static void pending_errors(void)
{
    inject("recv:ECONNREFUSED:3+,recvmsg:ECONNREFUSED:3+,"
           "recvfrom:ECONNREFUSED:3+");
    serve_datagrams();
    for (int i = 0; i < 4; i++) {
        post(i, 1 + draw(100));
        if (!gets_an_answer(i))
            diagnosed(-1, PEER_KILLS_SERVER,
                      "recv told that somebody is gone (ECONNREFUSED); %s got "
                      "no answer",
                      names[i]);
        must_be_answer(&sent[sent_count - 1]);
    }
    step("recv told that somebody is gone (ECONNREFUSED), and the others got "
         "their answers");
}

/* Some answers cannot be sent. Whether the program tries again or not, it has
 * to know how many were not. */
static void unsent_answers(void)
{
    static const char *const errors[] = {"EMSGSIZE", "ENOBUFS", "EAGAIN"};
    static const char *const calls[] = {"send", "sendto", "sendmsg"};
    static char faults[400];
    size_t answers = 0, count = 7 + draw(4), failing = 2;

    for (size_t e = 0; e < 3; e++, failing += 1 + draw(2))
        for (size_t c = 0; c < 3; c++)
            snprintf(faults + strlen(faults), sizeof faults - strlen(faults),
                     "%s%s:%s:%zu", *faults ? "," : "", calls[c], errors[e],
                     failing);
    inject(faults);
    serve_datagrams();
    for (size_t i = 0; i < count; i++) {
        post((int)(i % CLIENTS), 1 + draw(100));
        if (gets_an_answer((int)(i % CLIENTS))) {
            must_be_answer(&sent[sent_count - 1]);
            answers++;
        }
        if (has_ended())
            diagnosed(-1, PEER_KILLS_SERVER, "an answer could not be sent");
    }
    step("%zu of %zu answers came; the sending of three failed (EMSGSIZE, "
         "ENOBUFS, EAGAIN)",
         answers, count);
    if (answers + 3 < count)
        diagnosed(-1, NOTHING_SENT, "%zu of %zu answers came", answers, count);
    must_stop();
    must_have_counted("unanswered", count - answers, SEND_UNCHECKED);
}

static void no_room_to_send(void)
{
    const size_t count = 2 + draw(5);

    inject("send:EAGAIN:1+,sendto:EAGAIN:1+,sendmsg:EAGAIN:1+");
    serve_datagrams();
    for (size_t i = 0; i < count; i++)
        post(0, 1 + draw(100));
    step("client A sent %zu datagrams, and there is no room to send", count);
    if (ends_within(SECOND / 4))
        diagnosed(-1, EAGAIN_FATAL, "there was no room to send");
    must_stop();
}

/* --- The checks of the exercise ------------------------------------------- */

#define SERVE                                                                  \
    "PROGRAM --report --room 1000 --stop-after 9s 8080 & server=$!; "          \
    "sleep 0.5; "
#define STOP "; kill $server; wait $server"

static const struct check datagrams_checks[] = {
    {"alone", "one client", 1, one_client,
     SERVE "build/bin/udp_client 127.0.0.1 8080 one two three" STOP},
    {"empty_queue", "nobody sends anything for a while", 2, empty_queue,
     SERVE "sleep 1; ps -o stat,wchan:20,pcpu,args -p $server" STOP},
    {"several", "several clients at the same moment", 2, several_clients,
     SERVE "kill -STOP $server; for i in 1 2 3 4; do build/bin/udp_client "
           "--tries 1 127.0.0.1 8080 $i & done; sleep 0.3; kill -CONT $server; "
           "sleep 1" STOP},
    {"empty", "a datagram of no bytes", 2, empty_datagrams,
     SERVE "build/bin/udp_client --tries 1 127.0.0.1 8080 one '' two" STOP},
    {"full_queue", "many datagrams at the same moment", 1, full_queue,
     SERVE "kill -STOP $server; (sleep 0.4; kill -CONT $server) & "
           "build/bin/udp_client --flood 60 127.0.0.1 8080" STOP},
    {"too_long", "datagrams longer than the room", 2, too_long,
     SERVE "for n in 999 1000 1001; do build/bin/udp_client --tries 1 "
           "127.0.0.1 8080 $(head -c $n /dev/zero | tr '\\0' x) | wc -c; "
           "done" STOP},
    {"interrupted", "recv is interrupted", 1, interrupted,
     "WB_FAULTS=recvmsg:EINTR:3+,recvfrom:EINTR:3+ " SERVE
     "build/bin/udp_client 127.0.0.1 8080 one two three" STOP},
    {"pending_errors", "recv fails because somebody is gone", 2, pending_errors,
     "WB_FAULTS=recvmsg:ECONNREFUSED:3+,recvfrom:ECONNREFUSED:3+ " SERVE
     "build/bin/udp_client 127.0.0.1 8080 one two three" STOP},
    {"unsent", "answers cannot be sent", 2, unsent_answers,
     "WB_FAULTS=sendto:ENOBUFS:2,sendmsg:ENOBUFS:2 " SERVE
     "build/bin/udp_client 127.0.0.1 8080 one two three" STOP},
    {"no_room", "there is never room to send", 1, no_room_to_send,
     "WB_FAULTS=sendto:EAGAIN:1+,sendmsg:EAGAIN:1+ " SERVE
     "build/bin/udp_client --tries 1 127.0.0.1 8080 one" STOP},
    {0}};

const struct exercise datagram_exercises[] = {
    {"datagrams", datagrams_checks, .may_spin = true},
    {0},
};
