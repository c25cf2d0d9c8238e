/* SPDX-License-Identifier: MIT */
/*
 * peers - the clients and servers that the judge plays, and what the witness
 * recorded about them.
 */
#define _GNU_SOURCE
#include "inside.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST_PEERS = 64 };

static struct peer {
    const char *name;
    int fd;              /* our descriptor; -1: closed */
    unsigned port;       /* ours */
    int its_fd;          /* -1: not accepted yet */
    unsigned long inode; /* of its socket; 0: not accepted yet */
    bool closed;         /* by the program */
    size_t unsent;       /* when is_full() last looked */
} peers[MOST_PEERS];
static size_t peer_count;

/* --- Reading the witness's records ---------------------------------------- */

uint64_t each_seen(uint64_t from, bool (*visit)(const struct seen *, void *),
                   void *context)
{
    uint64_t count = witness()->count;

    if (count > SEEN_MOST && from < count - SEEN_MOST)
        from = count - SEEN_MOST;
    for (; from < count; from++)
        if (!visit(&witness()->seen[from % SEEN_MOST], context))
            break;
    return from;
}

struct search {
    bool (*is)(int call);
    int call, fd;
    uint64_t times;
    const struct seen *last;
};

static bool is_found(const struct seen *s, void *context)
{
    struct search *search = context;

    if ((search->is ? search->is(s->call) : s->call == search->call) &&
        (search->fd < 0 || s->fd == search->fd)) {
        search->times += s->times;
        if (!search->last || s->ended >= search->last->ended)
            search->last = s;
    }
    return true;
}

uint64_t calls_that(bool (*is)(int call))
{
    uint64_t sum = 0;

    for (int call = 0; call < CALLS; call++)
        sum += is(call) ? witness()->calls[call] : 0;
    return sum;
}

uint64_t calls_of(enum call call, int fd)
{
    struct search search = {.call = (int)call, .fd = fd};

    if (fd < 0)
        return witness()->calls[call];
    each_seen(0, is_found, &search);
    return search.times;
}

const struct seen *last_of(enum call call, int fd)
{
    struct search search = {.call = (int)call, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

const struct seen *last_receive(int fd)
{
    struct search search = {.is = is_receive, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

const struct seen *last_send(int fd)
{
    struct search search = {.is = is_send, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

/* --- What the kernel says of our peers ------------------------------------ */

static int port; /* on which the program listens */

/* Has it sent its end, or a reset? */
static bool has_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* A connection has an inode once it was accepted. It is closed when no process
 * of the program holds that inode any more. */
static void look_at_peer(struct peer *p)
{
    struct tcp_socket found;

    if (p->closed)
        return;
    if (p->inode != 0) {
        p->closed = held_as(p->inode) < 0;
    } else if (find_tcp_socket((unsigned)port, p->port, &found) &&
               found.inode != 0) {
        /* accept() makes the inode first and the descriptor a moment later. */
        p->its_fd = held_as(found.inode);
        p->inode = p->its_fd >= 0 ? found.inode : 0;
    } else {
        p->closed = has_hung_up(p->fd); /* accepted since we looked last */
    }
}

void look_at_peers(void)
{
    for (size_t i = 0; i < peer_count; i++)
        look_at_peer(&peers[i]);
}

size_t peers_connected(void)
{
    return peer_count;
}

unsigned port_of_program(void)
{
    return (unsigned)port;
}

unsigned port_of_peer(size_t peer)
{
    return peers[peer].port;
}

int its_fd_of(size_t peer)
{
    return peers[peer].its_fd;
}

const char *peer_behind(int fd)
{
    for (size_t i = 0; i < peer_count; i++)
        if (peers[i].its_fd == fd)
            return peers[i].name;
    return "";
}

struct interest listener_interest(void)
{
    return interest_in(listener_on((unsigned)port));
}

/* The last one with this number: a number is used again after a close. */
static size_t index_of(int peer)
{
    for (size_t i = peer_count; i-- > 0;)
        if (peers[i].fd == peer)
            return i;
    return 0;
}

int its_fd(int peer)
{
    look_at_peers();
    return peer_count > 0 ? peers[index_of(peer)].its_fd : -1;
}

bool waits_for_changes(int peer)
{
    const int fd = its_fd(peer);

    return fd >= 0 && (interest_in(fd).events & EPOLLET);
}

bool closed_on(int peer)
{
    look_at_peers();
    return peers[index_of(peer)].closed;
}

size_t unread_by_it(int peer)
{
    const struct peer *p = &peers[index_of(peer)];
    struct tcp_socket found;

    return find_tcp_socket((unsigned)port, p->port, &found) ? found.unread : 0;
}

bool is_full(int peer)
{
    struct peer *p = &peers[index_of(peer)];
    const size_t before = p->unsent;

    p->unsent = unsent_to(peer);
    return before > 0 && p->unsent == before;
}

/* --- Peers ---------------------------------------------------------------- */

static bool listens(void *unused)
{
    (void)unused;
    return strstr(its_words(), "listening on ") &&
           strchr(strstr(its_words(), "listening on "), '\n');
}

int told_port(void)
{
    if (!wait_until(listens, NULL, 10 * SECOND)) {
        /* It may be about to break a limit. */
        ends_within(1500 * MILLISECOND);
        diagnosed(-1, NOT_LISTENING, "no client could be sent in");
    }

    const char *line = strstr(its_words(), "listening on ");
    const char *number = strstr(line, " port ");

    int told = number ? (int)strtol(number + 6, NULL, 10) : 0;

    if (told == 0)
        mistake(NOT_LISTENING, "It printed '%.60s', without a port.", line);
    return told;
}

int serve(void)
{
    return serve_as((const char *const[]){NULL});
}

int serve_as(const char *const *options)
{
    const char *arguments[16] = {"--stop-after", "19s"};
    size_t count = 2;

    while (*options && count < 14)
        arguments[count++] = *options++;
    arguments[count] = "0";
    start_with(arguments);
    port = told_port();
    if (listener_on((unsigned)port) < 0) {
        ends_within(SECOND / 2); /* it may just be ending */
        diagnosed(-1, WRONG_PORT,
                  "it named port %d, and no socket of it listens there", port);
    }
    step("the program listens on port %d", port);
    return port;
}

static bool narrow;

/* Small segments keep the program's send buffer small, and a small receive
 * buffer the window (tcp(7), TCP_MAXSEG and SO_RCVBUF). */
static void make_narrow(int fd)
{
    const int segment = 1400, room = 32 * 1024;

    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

int dial_narrowly(const char *who)
{
    int fd;

    narrow = true;
    fd = dial(who);
    narrow = false;
    return fd;
}

static unsigned own_port_of(int fd)
{
    struct sockaddr_in own = {0};
    socklen_t length = sizeof own;

    return getsockname(fd, (struct sockaddr *)&own, &length) < 0
               ? 0
               : ntohs(own.sin_port);
}

void note_peer(int peer, const char *call, instant from, long long result)
{
    const struct peer *p = &peers[index_of(peer)];

    note_deed(p->name, p->fd, p->port, call, from, result);
}

void use_port(int number)
{
    port = number;
}

void adopt_peer(const char *who, int fd)
{
    set_nodelay(fd);
    if (peer_count == MOST_PEERS)
        check_failed("too many peers");
    peers[peer_count].name = who;
    peers[peer_count].fd = fd;
    peers[peer_count].port = own_port_of(fd);
    peers[peer_count].its_fd = -1;
    peer_count++;
    step("%s connected", who);
}

/* Connect. Returns -1 and sets *error if that fails. */
static int connected_or_not(const char *who, int *error)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const instant from = now();

    if (fd < 0)
        check_failed("cannot make a socket");
    set_nonblocking(fd);
    if (narrow)
        make_narrow(fd);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t length = sizeof *error;

        *error = errno;
        if (*error == EINPROGRESS && poll(&p, 1, 5000) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &length);
        if (*error != 0) {
            close(fd);
            return -1;
        }
    }
    adopt_peer(who, fd);
    note_peer(fd, "connect", from, 0);
    return fd;
}

int dial(const char *who)
{
    int error = 0, fd = connected_or_not(who, &error);

    if (error == ECONNREFUSED || error == ECONNRESET) {
        ends_within(SECOND / 2);
        diagnosed(-1, WRONG_PORT, "nobody listens on port %d, the one it named",
                  port);
    }
    if (fd < 0)
        mistake(NOT_LISTENING, "Connecting to port %d: %s.", port,
                error_entry(error)->symbol);
    return fd;
}

bool could_dial(const char *who, int *peer)
{
    int error = 0;

    *peer = connected_or_not(who, &error);
    return *peer >= 0;
}

static bool is_accepted(void *peer)
{
    look_at_peers();
    return peers[*(size_t *)peer].its_fd >= 0 || peers[*(size_t *)peer].closed;
}

bool accepted(int peer)
{
    size_t index = index_of(peer);

    return wait_until(is_accepted, &index, 5 * SECOND);
}

void tell(int peer, const char *bytes, size_t size)
{
    const instant from = now();
    instant deadline = deadline_in(5 * SECOND);
    size_t sent = 0;

    while (sent < size && !passed(deadline)) {
        struct pollfd p = {.fd = peer, .events = POLLOUT};
        ssize_t n = send(peer, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (n > 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            poll(&p, 1, 100);
        else
            break; /* the next receive on this peer finds that it is closed */
    }
    note_peer(peer, "send", from, (long long)sent);
}

void tell_text(int peer, const char *text)
{
    tell(peer, text, strlen(text));
    step("%s sent %zu bytes", peers[index_of(peer)].name, strlen(text));
}

enum ending ending;

struct hearing {
    int peer;
    const char *bytes;
    size_t size, heard;
    bool wrong;
};

static bool heard(void *context)
{
    struct hearing *h = context;
    char piece[16384];

    while (h->heard < h->size && ending == STILL_THERE) {
        size_t room = h->size - h->heard;
        ssize_t n =
            recv(h->peer, piece, room < sizeof piece ? room : sizeof piece, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0) {
            ending = n == 0 ? ENDED : RESET;
        } else {
            h->wrong =
                h->wrong || memcmp(piece, h->bytes + h->heard, (size_t)n) != 0;
            h->heard += (size_t)n;
            restart_stall_timer();
        }
    }
    return true;
}

bool hears(int peer, const char *bytes, size_t size)
{
    struct hearing h = {.peer = peer, .bytes = bytes, .size = size};
    const instant from = now();
    bool came;

    ending = STILL_THERE;
    came = wait_until(heard, &h, 10 * SECOND);
    note_peer(peer, "recv", from,
              h.heard > 0 || ending != STILL_THERE ? (long long)h.heard : -1);
    return came && h.heard == size && !h.wrong;
}

bool hears_text(int peer, const char *text)
{
    bool well = hears(peer, text, strlen(text));

    if (well)
        step("%s received its echo", peers[index_of(peer)].name);
    return well;
}

void ping(int peer, const char *who)
{
    tell_text(peer, "ping\n");
    if (!hears_text(peer, "ping\n"))
        diagnosed(peer, NOTHING_SENT, "%s did not get its echo", who);
}

bool on_its_way(void)
{
    for (size_t i = 0; i < peer_count; i++)
        if (is_on_its_way((unsigned)port, peers[i].port) ||
            is_on_its_way(peers[i].port, (unsigned)port))
            return true;
    return false;
}

static bool heard_end(void *context)
{
    char nothing[4096];
    ssize_t n;

    while ((n = recv(*(int *)context, nothing, sizeof nothing, 0)) > 0)
        restart_stall_timer();
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    ending = n == 0 ? ENDED : RESET;
    return true;
}

bool hears_end(int peer)
{
    const instant from = now();
    bool came;

    ending = STILL_THERE;
    came = wait_until(heard_end, &peer, 5 * SECOND);
    note_peer(peer, "recv", from, came ? 0 : -1);
    return came && ending == ENDED;
}

void reset_peer(int peer)
{
    const struct linger reset_on_close = {.l_onoff = 1, .l_linger = 0};

    setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset_on_close,
               sizeof reset_on_close);
    step("%s reset its connection", peers[index_of(peer)].name);
    note_peer(peer, "close", now(), 0);
    close(peer);
    peers[index_of(peer)].fd = -1;
}

static int bound_port(int *fd)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&own, length) < 0 ||
        getsockname(*fd, (struct sockaddr *)&own, &length) < 0)
        check_failed("cannot get a port");
    set_nonblocking(*fd);
    return ntohs(own.sin_port);
}

int refusing_port(void)
{
    int fd; /* kept open, so that no other process gets the port */

    return bound_port(&fd);
}

int listening_port(int *listener)
{
    int number = bound_port(listener);

    if (listen(*listener, 16) < 0)
        check_failed("cannot listen");
    return number;
}

/* On Linux, a queue of length 0 completes one connect and does not answer the
 * next. */
int silent_port(int *listener)
{
    int number = bound_port(listener);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)number),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listen(*listener, 0) < 0 || fd < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        check_failed("cannot fill a queue");
    return number;
}
