/* SPDX-License-Identifier: MIT */
/*
 * modes - shows the result of each call in each mode: prints the tables of
 * docs/calls.md, every cell of them measured.
 *
 * Each situation is set up twice on the loopback interface, for a blocking and
 * for a non-blocking socket, each time in a process of its own. All of these
 * run at once. The cell is the result of the call in words. A timer interrupts
 * a call that waits, which then fails with EINTR. Whether a call slept is not
 * measured by the clock: the kernel counts how often a process gave up its
 * processor (getrusage).
 */
#define _GNU_SOURCE
#include "wouldblock.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* set_blocking or set_nonblocking. */
typedef void mode(int fd);

static struct sockaddr_in there; /* the address for the next connect */
static char bytes[1024 * 1024];  /* more than the buffers hold */

/* --- Making a call, and putting its result into words --------------------- */

struct outcome {
    ssize_t result;
    int error; /* errno, if result is -1 */
    bool slept;
};

/* How long a call may wait before it is interrupted: long enough for it to
 * start waiting. If it was not, the next signal comes after the same time. */
static duration patience = 100 * MILLISECOND;

static long times_slept(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return used.ru_nvcsw;
}

static long slept_before;

static void set_timer(duration length)
{
    const struct timeval t = {.tv_sec = (time_t)(length / SECOND),
                              .tv_usec =
                                  (suseconds_t)(length % SECOND / MICROSECOND)};
    const struct itimerval again = {.it_interval = t, .it_value = t};

    setitimer(ITIMER_REAL, &again, NULL);
}

static void before_call(void)
{
    set_timer(patience);
    slept_before = times_slept();
}

static struct outcome after_call(ssize_t result)
{
    int error = errno;
    struct outcome o = {result, result < 0 ? error : 0,
                        times_slept() > slept_before};

    set_timer(0);
    return o;
}

/* Make a call and return its outcome. A macro, so that the call is written
 * where it is made. */
#define OUTCOME(call) (before_call(), after_call(call))

/* The result in words; `done` if it was no error. */
static const char *words(struct outcome o, const char *done)
{
    static char text[120];
    const char *waited = o.slept ? "waits, then " : "";

    if (o.result < 0 && o.error == EINTR)
        return "waits";
    if (o.result < 0)
        snprintf(text, sizeof text, "%s-1 `%s`", waited,
                 error_entry(o.error)->symbol);
    else
        snprintf(text, sizeof text, "%s%s", waited, done);
    return text;
}

static const char *connect_words(struct outcome o)
{
    return words(o, "0, connected");
}

static const char *send_words(struct outcome o, size_t offered)
{
    return words(o, o.result == (ssize_t)offered ? "n, all of it"
                                                 : "n, fewer than offered");
}

static const char *recv_words(struct outcome o, size_t asked)
{
    if (o.result == 0)
        return words(o, asked > 0 ? "0, the end" : "0");
    return words(o, o.result == (ssize_t)asked ? "n, all that was asked for"
                                               : "n, fewer than asked for");
}

static const char *accept_words(struct outcome o)
{
    if (o.result < 0)
        return words(o, "");
    return words(o, fcntl((int)o.result, F_GETFL) & O_NONBLOCK
                        ? "a new socket, a non-blocking one"
                        : "a new socket, a blocking one");
}

/* --- Sockets and connections ---------------------------------------------- */

/* A socket with a small buffer, which is soon full. */
static int small(int fd)
{
    const int size = 16 * 1024;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0)
        die("cannot make a socket");
    return fd;
}

static int tcp_socket(void)
{
    return small(socket(AF_INET, SOCK_STREAM, 0));
}

/* Make a socket bound to a free port of 127.0.0.1, and store its address in
 * `there`. */
static int bound(void)
{
    return small(bound_to_loopback(&there));
}

static int listener(int queue)
{
    int fd = bound();

    if (listen(fd, queue) < 0)
        die("cannot listen");
    return fd;
}

static int connect_there(int fd)
{
    return connect(fd, (struct sockaddr *)&there, sizeof there);
}

/* Wait for one of these events, or an error. */
static void until(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    if (poll(&p, 1, 2000) != 1)
        die_because(0, "the situation does not come about");
}

/* A listener in this mode with a connection in its accept queue, and the
 * client's socket. */
static int visited(mode *set, int *visitor)
{
    int door = listener(1);

    *visitor = tcp_socket();
    if (connect_there(*visitor) < 0)
        die("cannot connect");
    until(door, POLLIN);
    set(door);
    return door;
}

/* A connected pair, the first end in this mode. */
static void connection(mode *set, int ends[2])
{
    int door = visited(set_blocking, &ends[0]);

    ends[1] = accept(door, NULL, NULL);
    if (ends[1] < 0)
        die("cannot make a connection");
    close(door);
    set(ends[0]);
}

/* With a linger time of 0, close resets the connection (socket(7)). */
static void set_linger(int fd, int time)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = time};

    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0)
        die("cannot set SO_LINGER");
}

static void reset(int fd)
{
    set_linger(fd, 0);
    close(fd);
}

static void set_limit(int fd, int option)
{
    const struct timeval limit = {.tv_usec = 50000};

    if (setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) < 0)
        die("cannot set a time limit");
    patience = 2 * SECOND; /* our timer must not interrupt this one */
}

/* Has the peer's kernel acknowledged all data? It may delay this for 40 ms,
 * longer on a busy machine; afterwards there is room again. */
static bool all_confirmed(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           info.tcpi_unacked == 0;
}

/* Send until the buffers are full and stay full. */
static size_t fill(int fd)
{
    size_t sent = 0;
    int refusals = 0;

    while (refusals < 4) {
        const bool still = all_confirmed(fd);
        ssize_t n = send(fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n > 0)
            sent += (size_t)n;
        else
            nap(50 * MILLISECOND);
        refusals = n < 0 && still ? refusals + 1 : 0;
    }
    return sent;
}

/* Another process reads everything from the second end, but not before the
 * first end has had the time to fill the buffers. */
static void read_later(const int ends[2])
{
    int ready[2];

    patience = 2 * SECOND; /* our timer must not interrupt this one */
    if (pipe(ready) < 0)
        die("cannot make a pipe");
    if (fork() == 0) {
        close(ends[0]);
        close(ready[0]);
        close(ready[1]);
        until(ends[1], POLLIN);
        nap(50 * MILLISECOND);
        for (ssize_t n = 1; n > 0;)
            n = recv(ends[1], bytes, sizeof bytes, 0);
        _exit(0);
    }
    close(ends[1]);
    /* Wait until the child has closed its copy of the first end: only the last
     * close counts. */
    close(ready[1]);
    if (read(ready[0], bytes, 1) != 0)
        die("cannot wait for the reader");
}

/* --- accept --------------------------------------------------------------- */

static const char *accept_outcome(int door)
{
    return accept_words(OUTCOME(accept(door, NULL, NULL)));
}

static const char *accept_nobody(mode *set)
{
    int door = listener(1);

    set(door);
    return accept_outcome(door);
}

static const char *accept_nobody_in_time(mode *set)
{
    int door = listener(1);

    set(door);
    set_limit(door, SO_RCVTIMEO);
    return accept_outcome(door);
}

static const char *accept_somebody(mode *set)
{
    int visitor;

    return accept_outcome(visited(set, &visitor));
}

static const char *accept_closed(mode *set)
{
    int visitor, door = visited(set, &visitor);

    close(visitor);
    return accept_outcome(door);
}

static const char *accept_reset(mode *set)
{
    int visitor, door = visited(set, &visitor);

    reset(visitor);
    return accept_outcome(door);
}

static const char *accept_no_descriptor(mode *set)
{
    int visitor, door = visited(set, &visitor);
    struct rlimit limit;

    /* The next descriptor gets the lowest free number: set the limit just below
     * it. */
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)visitor + 1;
    setrlimit(RLIMIT_NOFILE, &limit);
    return accept_outcome(door);
}

static const char *accept_unprepared(mode *set)
{
    int door = bound();

    set(door);
    return accept_outcome(door);
}

/* --- connect ---------------------------------------------------------------
 * A connect that is under way was begun on a non-blocking socket; the mode
 * under test is set after that.
 */

static const char *connect_outcome(mode *set, int fd)
{
    set(fd);
    return connect_words(OUTCOME(connect_there(fd)));
}

/* A listener with a full accept queue: it answers no more connections. */
static void full_queue(void)
{
    listener(0);
    if (connect_there(tcp_socket()) < 0)
        die("cannot fill the queue");
}

/* A socket that is connecting, is connected, or was refused. */
static int begun(void)
{
    int fd = tcp_socket();

    set_nonblocking(fd);
    if (connect_there(fd) == 0 || errno != EINPROGRESS)
        die("the connect is not under way");
    return fd;
}

static int under_way(void)
{
    full_queue();
    return begun();
}

static int made(void)
{
    listener(1);

    int fd = begun();

    until(fd, POLLOUT);
    return fd;
}

static int refused(void)
{
    bound(); /* keeps the port from others */

    int fd = begun();

    until(fd, POLLOUT);
    return fd;
}

static const char *connect_somebody(mode *set)
{
    listener(1);
    return connect_outcome(set, tcp_socket());
}

static const char *connect_nobody(mode *set)
{
    bound();
    return connect_outcome(set, tcp_socket());
}

static const char *connect_no_answer(mode *set)
{
    full_queue();
    return connect_outcome(set, tcp_socket());
}

static const char *connect_no_answer_in_time(mode *set)
{
    int fd = tcp_socket();

    full_queue();
    set_limit(fd, SO_SNDTIMEO);
    return connect_outcome(set, fd);
}

static const char *connect_under_way(mode *set)
{
    return connect_outcome(set, under_way());
}

static const char *connect_made(mode *set)
{
    return connect_outcome(set, made());
}

static const char *connect_refused(mode *set)
{
    return connect_outcome(set, refused());
}

/* Each mode learns of it in its own way: from connect, or from SO_ERROR. */
static const char *connect_after_failure(mode *set)
{
    int fd, error;
    socklen_t length = sizeof error;

    if (set == set_nonblocking) {
        fd = refused();
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    } else {
        bound();
        fd = tcp_socket();
        error = connect_there(fd) < 0 ? errno : 0;
    }
    if (error != ECONNREFUSED)
        die_because(error, "the first try is not refused");
    return connect_outcome(set, fd);
}

static const char *connect_connected(mode *set)
{
    int ends[2];

    connection(set, ends);
    return connect_outcome(set, ends[0]);
}

/* --- send ----------------------------------------------------------------- */

static const char *send_outcome(int fd, size_t size)
{
    return send_words(OUTCOME(send(fd, bytes, size, 0)), size);
}

static const char *send_room(mode *set)
{
    int ends[2];

    connection(set, ends);
    return send_outcome(ends[0], 1);
}

static const char *send_while_read(mode *set)
{
    int ends[2];

    connection(set, ends);
    read_later(ends);
    return send_outcome(ends[0], sizeof bytes);
}

static const char *send_interrupted(mode *set)
{
    int ends[2];

    connection(set, ends);
    return send_outcome(ends[0], sizeof bytes);
}

/* Send one byte to a full buffer. If the buffer takes it, it was not full: the
 * peer's kernel had taken data meanwhile. Then try again. */
static const char *send_to_full(int fd)
{
    struct outcome o;
    int tries = 0;

    do {
        fill(fd);
        o = OUTCOME(send(fd, bytes, 1, 0));
    } while (o.result == 1 && ++tries < 10);
    return send_words(o, 1);
}

static const char *send_full(mode *set)
{
    int ends[2];

    connection(set, ends);
    return send_to_full(ends[0]);
}

static const char *send_full_in_time(mode *set)
{
    int ends[2];

    connection(set, ends);
    set_limit(ends[0], SO_SNDTIMEO);
    return send_to_full(ends[0]);
}

static int peer_closed(mode *set)
{
    int ends[2];

    connection(set, ends);
    close(ends[1]);
    until(ends[0], POLLIN);
    return ends[0];
}

static int peer_reset(mode *set)
{
    int ends[2];

    connection(set, ends);
    reset(ends[1]);
    until(ends[0], POLLIN);
    return ends[0];
}

static const char *send_peer_closed(mode *set)
{
    return send_outcome(peer_closed(set), 1);
}

static int peer_closed_and_told(mode *set)
{
    int fd = peer_closed(set);

    /* The peer answers this with a reset. */
    if (send(fd, bytes, 1, 0) != 1)
        die("cannot send to a peer that has closed");
    until(fd, 0);
    return fd;
}

static const char *send_peer_closed_again(mode *set)
{
    return send_outcome(peer_closed_and_told(set), 1);
}

static const char *send_deadly(mode *set)
{
    signal(SIGPIPE, SIG_DFL);
    return send_outcome(peer_closed_and_told(set), 1);
}

static const char *send_peer_reset(mode *set)
{
    return send_outcome(peer_reset(set), 1);
}

static const char *send_peer_reset_again(mode *set)
{
    int fd = peer_reset(set);

    send(fd, bytes, 1, 0);
    return send_outcome(fd, 1);
}

static const char *send_shut(mode *set)
{
    int ends[2];

    connection(set, ends);
    shutdown(ends[0], SHUT_WR);
    return send_outcome(ends[0], 1);
}

static const char *send_never_connected(mode *set)
{
    int fd = tcp_socket();

    set(fd);
    return send_outcome(fd, 1);
}

static const char *send_under_way(mode *set)
{
    int fd = under_way();

    set(fd);
    return send_outcome(fd, 1);
}

static const char *send_refused(mode *set)
{
    int fd = refused();

    set(fd);
    return send_outcome(fd, 1);
}

/* --- recv ----------------------------------------------------------------- */

static const char *recv_outcome(int fd, size_t asked, int flags)
{
    return recv_words(OUTCOME(recv(fd, bytes, asked, flags)), asked);
}

/* A connection on which so many bytes have arrived. */
static int received(mode *set, size_t count, int *peer)
{
    int ends[2];

    connection(set, ends);
    if (count > 0) {
        if (send(ends[1], bytes, count, 0) != (ssize_t)count)
            die("cannot send");
        until(ends[0], POLLIN);
    }
    *peer = ends[1];
    return ends[0];
}

static const char *recv_nothing(mode *set)
{
    int peer;

    return recv_outcome(received(set, 0, &peer), 2, 0);
}

static const char *recv_nothing_in_time(mode *set)
{
    int peer, fd = received(set, 0, &peer);

    set_limit(fd, SO_RCVTIMEO);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_less(mode *set)
{
    int peer;

    return recv_outcome(received(set, 1, &peer), 2, 0);
}

static const char *recv_less_than_all(mode *set)
{
    int peer;

    return recv_outcome(received(set, 1, &peer), 2, MSG_WAITALL);
}

static const char *recv_more(mode *set)
{
    int peer;

    return recv_outcome(received(set, 3, &peer), 2, 0);
}

static const char *recv_zero_of_nothing(mode *set)
{
    int peer;

    return recv_outcome(received(set, 0, &peer), 0, 0);
}

static const char *recv_zero(mode *set)
{
    int peer;

    return recv_outcome(received(set, 1, &peer), 0, 0);
}

static const char *recv_closed_bytes_left(mode *set)
{
    int peer, fd = received(set, 1, &peer);

    close(peer);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_closed(mode *set)
{
    return recv_outcome(peer_closed(set), 2, 0);
}

static const char *recv_closed_again(mode *set)
{
    int fd = peer_closed(set);

    recv(fd, bytes, 2, 0);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_reset_bytes_left(mode *set)
{
    int peer, fd = received(set, 1, &peer);

    reset(peer);
    until(fd, 0);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_reset(mode *set)
{
    return recv_outcome(peer_reset(set), 2, 0);
}

static const char *recv_reset_again(mode *set)
{
    int fd = peer_reset(set);

    recv(fd, bytes, 2, 0);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_never_connected(mode *set)
{
    int fd = tcp_socket();

    set(fd);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_under_way(mode *set)
{
    int fd = under_way();

    set(fd);
    return recv_outcome(fd, 2, 0);
}

static const char *recv_refused(mode *set)
{
    int fd = refused();

    set(fd);
    return recv_outcome(fd, 2, 0);
}

/* --- close ---------------------------------------------------------------- */

/* Close fd, and see how the connection ends for the peer, which should get so
 * many bytes. */
static const char *close_outcome(int fd, int peer, size_t sent)
{
    static char text[120];
    struct outcome o = OUTCOME(close(fd));
    size_t arrived = 0;
    struct pollfd p = {.fd = peer, .events = POLLIN};
    const char *end = "hears nothing";

    while (poll(&p, 1, 300) == 1) {
        ssize_t n = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n > 0) {
            arrived += (size_t)n;
            continue;
        }
        end = n == 0                ? "the end"
              : errno == ECONNRESET ? "a reset"
                                    : error_entry(errno)->symbol;
        break;
    }
    snprintf(text, sizeof text, "%s; the peer%s %s", words(o, "0"),
             sent == 0         ? ":"
             : arrived == sent ? ": everything, then"
                               : ": not everything, then",
             end);
    return text;
}

static const char *close_idle(mode *set)
{
    int ends[2];

    connection(set, ends);
    return close_outcome(ends[0], ends[1], 0);
}

static const char *close_unsent(mode *set)
{
    int ends[2];

    connection(set, ends);
    return close_outcome(ends[0], ends[1], fill(ends[0]));
}

static const char *close_unread(mode *set)
{
    int peer, fd = received(set, 1, &peer);

    return close_outcome(fd, peer, 0);
}

static const char *close_shared(mode *set)
{
    int ends[2];

    connection(set, ends);
    if (dup(ends[0]) < 0)
        die("cannot duplicate a descriptor");
    return close_outcome(ends[0], ends[1], 0);
}

static const char *close_linger_none(mode *set)
{
    int ends[2];
    size_t sent;

    connection(set, ends);
    sent = fill(ends[0]);
    set_linger(ends[0], 0);
    return close_outcome(ends[0], ends[1], sent);
}

static const char *close_linger(mode *set)
{
    int ends[2];
    size_t sent;

    connection(set, ends);
    sent = fill(ends[0]);
    set_linger(ends[0], 1);
    patience = 3 * SECOND;
    return close_outcome(ends[0], ends[1], sent);
}

static const char *close_linger_read(mode *set)
{
    int ends[2];

    connection(set, ends);
    fill(ends[0]);
    set_linger(ends[0], 2);
    read_later(ends);
    return words(OUTCOME(close(ends[0])), "0");
}

static const char *close_under_way(mode *set)
{
    int fd = under_way();

    set(fd);
    return words(OUTCOME(close(fd)), "0, cancelled");
}

/* --- The tables ----------------------------------------------------------- */

static const struct situation {
    const char *call; /* set in the first row of its table */
    const char *text;
    const char *(*answer)(mode *set);
} situations[] = {
    {"accept", "nobody in the queue", accept_nobody},
    {0, "nobody, and `SO_RCVTIMEO` passes", accept_nobody_in_time},
    {0, "somebody in the queue", accept_somebody},
    {0, "somebody who has closed since", accept_closed},
    {0, "somebody who has reset since", accept_reset},
    {0, "somebody, and no descriptor is left", accept_no_descriptor},
    {0, "`listen` was not called", accept_unprepared},

    {"connect", "somebody listens", connect_somebody},
    {0, "nobody listens: refused", connect_nobody},
    {0, "no answer: the queue is full", connect_no_answer},
    {0, "no answer, and `SO_SNDTIMEO` passes", connect_no_answer_in_time},
    {0, "again: still under way", connect_under_way},
    {0, "again: made meanwhile", connect_made},
    {0, "again: refused meanwhile", connect_refused},
    {0, "again, after the failure was told", connect_after_failure},
    {0, "again, on a connected socket", connect_connected},

    {"send", "room for all", send_room},
    {0, "room for a part, and the peer reads on", send_while_read},
    {0, "room for a part, and a signal comes", send_interrupted},
    {0, "buffer full", send_full},
    {0, "buffer full, and `SO_SNDTIMEO` passes", send_full_in_time},
    {0, "the peer has closed", send_peer_closed},
    {0, "the same, second `send`", send_peer_closed_again},
    {0, "the same, SIGPIPE not ignored", send_deadly},
    {0, "the peer has reset", send_peer_reset},
    {0, "the same, second `send`", send_peer_reset_again},
    {0, "after one's own `shutdown`", send_shut},
    {0, "never connected", send_never_connected},
    {0, "connect under way", send_under_way},
    {0, "connect was refused", send_refused},

    {"recv", "nothing there", recv_nothing},
    {0, "nothing, and `SO_RCVTIMEO` passes", recv_nothing_in_time},
    {0, "less there than asked for", recv_less},
    {0, "the same with `MSG_WAITALL`, and a signal comes", recv_less_than_all},
    {0, "more there than asked for", recv_more},
    {0, "nothing there, 0 bytes asked for", recv_zero_of_nothing},
    {0, "bytes there, 0 asked for", recv_zero},
    {0, "the peer has closed, bytes left", recv_closed_bytes_left},
    {0, "the peer has closed", recv_closed},
    {0, "the same, second `recv`", recv_closed_again},
    {0, "the peer has reset, bytes left", recv_reset_bytes_left},
    {0, "the peer has reset", recv_reset},
    {0, "the same, second `recv`", recv_reset_again},
    {0, "never connected", recv_never_connected},
    {0, "connect under way", recv_under_way},
    {0, "connect was refused", recv_refused},

    {"close", "all was sent, all was read", close_idle},
    {0, "bytes unsent: the peer does not read", close_unsent},
    {0, "bytes received and not read", close_unread},
    {0, "another descriptor for it is open", close_shared},
    {0, "`SO_LINGER` 0, bytes unsent", close_linger_none},
    {0, "`SO_LINGER` 1 s, and that passes", close_linger},
    {0, "`SO_LINGER` 2 s, and the peer reads on", close_linger_read},
    {0, "connect under way", close_under_way},
};

enum { SITUATIONS = sizeof situations / sizeof situations[0] };

static mode *const modes[] = {set_blocking, set_nonblocking};

enum { MODES = sizeof modes / sizeof modes[0] };

struct cell {
    pid_t process;
    int from; /* where to read its words from */
};

static void interrupt(int number)
{
    (void)number;
}

/* Measure one cell in another process. */
static struct cell ask(const struct situation *s, mode *set)
{
    int channel[2];
    struct cell cell;

    if (pipe(channel) < 0 || (cell.process = fork()) < 0)
        die("cannot make a process");
    if (cell.process == 0) {
        const char *answer = s->answer(set);

        if (write(channel[1], answer, strlen(answer)) < 0)
            _exit(1);
        _exit(0);
    }
    close(channel[1]);
    cell.from = channel[0];
    return cell;
}

/* Print a cell; false if it is empty. */
static bool print(struct cell cell)
{
    char answer[200];
    ssize_t length = read(cell.from, answer, sizeof answer - 1);
    int status;

    close(cell.from);
    if (waitpid(cell.process, &status, 0) < 0)
        die("cannot wait for a process");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) {
        printf(" SIGPIPE ends the program |");
        return true;
    }
    answer[length > 0 ? length : 0] = '\0';
    printf(" %s |", answer);
    return length > 0 && status == 0;
}

int main(void)
{
    static struct cell cells[SITUATIONS][MODES];
    /* No SA_RESTART: calls fail with EINTR. */
    const struct sigaction wake = {.sa_handler = interrupt};
    bool found = true;

    sigaction(SIGALRM, &wake, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SITUATIONS; i++)
        for (size_t m = 0; m < MODES; m++)
            cells[i][m] = ask(&situations[i], modes[m]);
    for (size_t i = 0; i < SITUATIONS; i++) {
        if (situations[i].call)
            printf("%s## `%s`\n\n| situation | blocking | non-blocking |\n"
                   "|---|---|---|\n",
                   i > 0 ? "\n" : "", situations[i].call);
        printf("| %s |", situations[i].text);
        for (size_t m = 0; m < MODES; m++)
            found = print(cells[i][m]) && found;
        printf("\n");
    }
    return found ? 0 : 1;
}
