/* SPDX-License-Identifier: MIT */
/*
 * faults - plays a short scene with a program, again and again, and each time
 * another call of the program fails. The program must go on, and lose no byte;
 * or end with status 1 and say what it tried and which error there was.
 *
 * Usage: faults [OPTION]... FOLDER INJECTOR
 *
 * What is wrong comes from outside the program: the bytes that its peers got,
 * its descriptors (/proc), its processor time and its end (wait4(2)).
 */
#define _GNU_SOURCE
#include "injector.h"
#include "wouldblock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const call_names[] = {
#define CALL(name) #name,
    EACH_CALL(CALL)
#undef CALL
};

/* --- A run ---------------------------------------------------------------- */

enum { TEXT = 64 * 1024, DATA = 256 * 1024, PEERS = 16 };
enum { OUT, ERR };

struct peer {
    int fd; /* -1: closed */
    size_t sent, got;
    bool ended, echoes;
    bool lost;   /* the program gave it up */
    char *bytes; /* what it got */
};

struct subject;

/* What is counted at the end of a scene. */
struct rest {
    int descriptors; /* of the program, while it has nothing to do */
    size_t lines;    /* of its output */
};

struct run {
    const struct subject *subject;
    struct fault fault;
    pid_t pid;
    int from[2], to; /* its stdout and stderr; its stdin, or -1 */
    char said[2][TEXT];
    size_t length[2];
    int listener, port; /* our listening socket, or -1; the port of either */
    struct peer peers[PEERS];
    size_t count;
    instant deadline;
    bool ended;
    int status;
    struct rest rest,
        usual;    /* what it left, and what it leaves without fault */
    bool stopped; /* by us */
    bool reached; /* the fault that stays */
    double cpu;
    bool complete;   /* all that was to come has come */
    char wrong[400]; /* the first thing that was wrong; "": nothing */
};

/* What a program is, besides a program with a scene. */
enum trait {
    SPINS = 1,         /* it asks all the time: that is its lesson */
    ONE_AT_A_TIME = 2, /* it serves one client at a time */
    BLOCKS = 4,        /* EAGAIN means that a time limit has passed */
    SERVES = 8,        /* it outlives what happens to one client */
    LOSES = 16,        /* it leaves bytes behind: that is its lesson */
    DATAGRAMS = 32,
    EDGES = 64, /* it waits for changes only */
};

struct subject {
    const char *name;
    void (*play)(struct run *);
    unsigned traits;
    const char *arguments; /* words; @ is the port, ! a port that refuses */
    const char *prints;    /* what a client or receiver prints at its end */
};

static const char *injector, *folder;
static struct injection *shared;
static int shared_fd, refusing_port;

static void wrong(struct run *r, const char *format, ...) LIKE_PRINTF(2, 3);
static void wrong(struct run *r, const char *format, ...)
{
    va_list list;

    if (r->wrong[0])
        return;
    va_start(list, format);
    vsnprintf(r->wrong, sizeof r->wrong, format, list);
    va_end(list);
}

static bool says(const struct run *r, int which, const char *text)
{
    return strstr(r->said[which], text) != NULL;
}

static void start(struct run *r)
{
    static char words[512], numbers[2][8], path[4096], variables[3][4200];
    char *argv[24] = {path};
    int out[2], err[2], in[2] = {-1, -1};
    size_t count = 1;

    snprintf(numbers[0], sizeof numbers[0], "%d", r->port);
    snprintf(numbers[1], sizeof numbers[1], "%d", refusing_port);
    snprintf(path, sizeof path, "%s/%s", folder, r->subject->name);
    snprintf(words, sizeof words, "--stop-after 20s --log warn --report %s",
             r->subject->arguments);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[count++] = *word == '@'   ? numbers[0]
                        : *word == '!' ? numbers[1]
                                       : word;
    snprintf(variables[0], sizeof variables[0], "LD_PRELOAD=%s", injector);
    snprintf(variables[1], sizeof variables[1], INJECTION "=%d", shared_fd);
    snprintf(variables[2], sizeof variables[2],
             "ASAN_OPTIONS=verify_asan_link_order=0");

    *shared = (struct injection){.fault = r->fault};
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
        pipe2(in, O_CLOEXEC) < 0)
        die("cannot make a pipe");
    r->pid = fork();
    if (r->pid < 0)
        die("cannot fork");
    if (r->pid == 0) {
        char *environment[] = {variables[0], variables[1], variables[2], NULL};

        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        fcntl(shared_fd, F_SETFD, 0);
        execve(path, argv, environment);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    close(in[0]);
    r->from[OUT] = out[0];
    r->from[ERR] = err[0];
    r->to = in[1];
    set_nonblocking(out[0]);
    set_nonblocking(err[0]);
    r->deadline = deadline_in(8 * SECOND);
}

static void take_output(struct run *r, int which)
{
    size_t room = TEXT - 1 - r->length[which];
    ssize_t n = read(r->from[which], r->said[which] + r->length[which], room);

    if (n > 0)
        r->length[which] += (size_t)n;
    else if (n == 0 || errno != EAGAIN) {
        close(r->from[which]);
        r->from[which] = -1;
    }
    if (room == 0)
        wrong(r, "a flood of output");
}

/* It has closed its output; all that it wrote was read. */
static bool has_ended(const struct run *r)
{
    return r->from[OUT] < 0 && r->from[ERR] < 0;
}

static void close_peer(struct peer *p)
{
    close(p->fd);
    p->fd = -1;
    p->ended = true;
}

static void take_bytes(struct run *r, struct peer *p)
{
    ssize_t n = recv(p->fd, p->bytes + p->got, DATA - p->got, 0);

    if (n > 0) {
        if (p->echoes &&
            send(p->fd, p->bytes + p->got, (size_t)n, MSG_NOSIGNAL) == n)
            p->sent += (size_t)n;
        p->got += (size_t)n;
    } else if (n == 0) {
        if (p->echoes)
            close_peer(p);
        p->ended = true;
    } else if (errno != EAGAIN && errno != EINTR)
        close_peer(p);
    if (p->got == DATA)
        wrong(r, "more bytes than there can be");
}

static struct peer *add_peer(struct run *r, int fd, bool echoes)
{
    struct peer *p = &r->peers[r->count];

    if (r->count == PEERS) {
        wrong(r, "more connections than there can be");
        close(fd);
        return NULL;
    }
    r->count++;
    *p = (struct peer){.fd = fd, .echoes = echoes, .bytes = p->bytes};
    if (!p->bytes && !(p->bytes = malloc(DATA)))
        die("cannot keep what a peer gets");
    set_nonblocking(fd);
    return p;
}

/* Wait a little, and take in what comes. False when there is no use in waiting:
 * the program has ended, or the deadline has passed. */
static bool look(struct run *r)
{
    struct pollfd list[3 + PEERS];
    struct peer *of[3 + PEERS] = {0};
    nfds_t count = 0;

    for (int which = OUT; which <= ERR; which++)
        list[count++] = (struct pollfd){.fd = r->from[which], .events = POLLIN};
    list[count++] = (struct pollfd){.fd = r->listener, .events = POLLIN};
    for (size_t i = 0; i < r->count; i++)
        if (r->peers[i].fd >= 0 && !r->peers[i].ended) {
            of[count] = &r->peers[i];
            list[count++] =
                (struct pollfd){.fd = r->peers[i].fd, .events = POLLIN};
        }
    if (has_ended(r) && count == 3) {
        struct rusage used;

        if (!r->ended && wait4(r->pid, &r->status, 0, &used) == r->pid) {
            r->ended = true;
            r->cpu =
                (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
        }
        return false;
    }
    if (r->fault.on && !r->reached && shared->reached > 0) {
        r->reached = true; /* from now on, look for half a second */
        r->deadline = sooner(r->deadline, deadline_in(SECOND / 2));
    }
    if (passed(r->deadline))
        return false;
    const bool had_ended = has_ended(r);

    poll(list, count, had_ended ? 0 : 20);
    for (int which = OUT; which <= ERR; which++)
        if (list[which].revents)
            take_output(r, which);
    if (list[2].revents & POLLIN) {
        int fd = accept(r->listener, NULL, NULL);

        if (fd >= 0)
            add_peer(r, fd, true);
    }
    for (nfds_t i = 3; i < count; i++)
        if (list[i].revents)
            take_bytes(r, of[i]);
    for (size_t i = 0; had_ended && i < r->count; i++)
        r->peers[i].ended = true; /* the last bytes have come */
    return true;
}

/* Wait for the program's end, in any case. */
static void await_end(struct run *r)
{
    if (r->to >= 0)
        close(r->to);
    r->to = -1;
    if (r->fault.on) {
        while (!r->ended && look(r)) /* until the deadline of its scene */
            ;
        r->stopped = r->stopped || !r->ended;
        if (r->stopped)
            kill(r->pid, SIGTERM);
    }
    r->deadline = deadline_in(5 * SECOND);
    while (!r->ended && look(r))
        ;
    if (r->ended)
        return;
    wrong(r, "it does not end");
    kill(r->pid, SIGKILL);
    r->deadline = deadline_in(5 * SECOND);
    while (!r->ended && look(r))
        ;
}

static void stop(struct run *r)
{
    r->stopped = r->stopped || !has_ended(r);
    if (!r->ended)
        kill(r->pid, SIGTERM);
    r->deadline = 0;
    await_end(r);
}

static int descriptors_of(pid_t pid)
{
    char path[64];
    int count = 0;
    DIR *list;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    list = opendir(path);
    while (list && readdir(list))
        count++;
    if (list)
        closedir(list);
    return count;
}

static size_t lost(const struct run *r)
{
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        count += r->peers[i].lost;
    return count;
}

/* It may still be closing some. */
static void count_descriptors(struct run *r)
{
    const bool plain = r->fault.call == NO_CALL;
    const instant enough = deadline_in(plain ? SECOND / 5 : 2 * SECOND);

    do
        r->rest.descriptors = has_ended(r) ? 0 : descriptors_of(r->pid);
    while ((plain || r->rest.descriptors > r->usual.descriptors) &&
           !passed(enough) && look(r));
}

/* --- Scenes with a server ------------------------------------------------- */

/* Its output is lost: it cannot tell what it knows. */
static bool is_mute(const struct run *r)
{
    return r->fault.call == CALL_write && r->fault.error > 0 &&
           r->fault.error != EINTR && shared->reached > 0;
}

/* Start it, and wait until it listens. False if it has ended, or if it cannot
 * say where it listens. */
static bool serve(struct run *r)
{
    const char *line;

    start(r);
    while (!(line = strstr(r->said[OUT], "listening on ")) && !is_mute(r) &&
           look(r))
        ;
    while (line && !strchr(line, '\n') && look(r))
        ;
    line = line ? strstr(line, " port ") : NULL;
    r->port = line ? (int)strtol(line + 6, NULL, 10) : 0;
    if (r->port == 0 && !has_ended(r) && !is_mute(r))
        wrong(r, "it does not say where it listens");
    return r->port != 0;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct peer *dial(struct run *r, int type)
{
    struct sockaddr_in there = loopback(r->port);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&there, sizeof there) < 0) {
        const char *why = error_entry(errno)->symbol;
        instant soon = deadline_in(SECOND / 2);

        while (!passed(soon) && look(r)) /* it may just be ending */
            ;
        if (!has_ended(r))
            wrong(r, "connecting to it: %s", why);
    }
    return add_peer(r, fd, false);
}

/* The bytes that a client sends: other ones for each client. */
static char byte_at(const struct run *r, const struct peer *p, size_t offset)
{
    return (char)('a' + (offset * 7 + (size_t)(p - r->peers) * 5) % 26);
}

static void must_be_its_own(struct run *r, const struct peer *p)
{
    if (p->got > p->sent)
        wrong(r, "a client got %zu bytes for %zu", p->got, p->sent);
    for (size_t i = 0; i < p->got && i < p->sent; i++)
        if (p->bytes[i] != byte_at(r, p, i)) {
            wrong(r, "a client got a wrong byte at %zu", i);
            return;
        }
}

/* Send so many bytes, and wait until all of them have come back. */
static void exchange(struct run *r, struct peer *p, size_t count)
{
    const size_t all = p->sent + count;

    while (!p->ended && p->got < all) {
        char bytes[4096];
        size_t n = 0;

        for (; n < sizeof bytes && p->sent + n < all; n++)
            bytes[n] = byte_at(r, p, p->sent + n);
        if (n > 0) {
            ssize_t sent = send(p->fd, bytes, n, MSG_NOSIGNAL);

            if (sent > 0)
                p->sent += (size_t)sent;
        }
        if (!look(r))
            break;
    }
    must_be_its_own(r, p);
    if (p->ended || has_ended(r))
        p->lost = true;
    else if (p->got < all && !r->fault.on)
        wrong(r, "a client waits in vain: %zu of %zu bytes", p->got, all);
}

static void leave(struct run *r, struct peer *p)
{
    if (p->fd >= 0 && !p->ended)
        shutdown(p->fd, SHUT_WR);
    while (!p->ended && look(r))
        ;
    if (!p->ended && !r->fault.on)
        wrong(r, "it does not close a connection that the client has ended");
    if (p->fd >= 0)
        close_peer(p);
}

/* One client, who has all its bytes echoed. */
static void visit(struct run *r, size_t count)
{
    struct peer *p = dial(r, SOCK_STREAM);

    exchange(r, p, count);
    leave(r, p);
}

/* Two clients: at the same time if the server can do that. Then a third one:
 * who comes after the fault is served. */
static void echo_server(struct run *r)
{
    if (serve(r)) {
        if (r->subject->traits & ONE_AT_A_TIME) {
            visit(r, 20000);
            visit(r, 7);
        } else {
            struct peer *a = dial(r, SOCK_STREAM);

            exchange(r, a, 6);

            struct peer *b = dial(r, SOCK_STREAM);

            exchange(r, b, 9);
            exchange(r, a, 20000);
            leave(r, a);
            exchange(r, b, 7);
            leave(r, b);
        }
        visit(r, 5);
        count_descriptors(r);
        r->complete = lost(r) == 0;
    }
    stop(r);
}

/* A client that sends its datagram again if there is no answer. */
static void udp_server(struct run *r)
{
    if (serve(r)) {
        for (int i = 0; i < 3; i++) {
            struct peer *p = dial(r, SOCK_DGRAM);

            for (int tries = 0; tries < 3 && p->got == 0 && !has_ended(r);
                 tries++) {
                instant again = deadline_in(SECOND / 5);

                p->sent = 0;
                for (size_t n = 0; n < 5; n++)
                    p->bytes[n] = byte_at(r, p, n);
                if (send(p->fd, p->bytes, 5, 0) == 5)
                    p->sent = 5;
                p->ended = false;
                while (p->got == 0 && !passed(again) && look(r))
                    ;
            }
            must_be_its_own(r, p);
            p->lost = p->got != 5;
            close_peer(p);
        }
        count_descriptors(r);
        r->complete = lost(r) == 0;
    }
    stop(r);
}

static bool has(const struct peer *p, const char *text)
{
    return memmem(p->bytes, p->got, text, strlen(text)) != NULL;
}

static void hears(struct run *r, struct peer *p, const char *text)
{
    while (!has(p, text) && !p->ended && look(r))
        ;
    if (p->ended || has_ended(r))
        p->lost = true;
    else if (!has(p, text) && !r->fault.on)
        wrong(r, "a guest does not hear '%s'", text);
}

static void chat(struct run *r)
{
    if (serve(r)) {
        struct peer *a = dial(r, SOCK_STREAM);

        hears(r, a, "Welcome");

        struct peer *b = dial(r, SOCK_STREAM);

        hears(r, b, "Welcome");
        send(a->fd, "/name ann\n", 10, MSG_NOSIGNAL);
        if (!a->ended)
            hears(r, b, "ann");
        send(a->fd, "hello bob\n", 10, MSG_NOSIGNAL);
        if (!a->ended)
            hears(r, b, "ann: hello bob\n");
        leave(r, a);
        leave(r, b);
        b = dial(r, SOCK_STREAM);
        hears(r, b, "Welcome");
        leave(r, b);
        count_descriptors(r);
        r->complete = lost(r) == 0;
    }
    stop(r);
}

enum { PAYLOAD = 100 * 1024 };

static void receiver(struct run *r)
{
    if (serve(r)) {
        struct peer *p = dial(r, SOCK_STREAM);
        char *bytes = payload_new(PAYLOAD);

        while (p->sent < PAYLOAD && !p->ended) {
            ssize_t n =
                send(p->fd, bytes + p->sent, PAYLOAD - p->sent, MSG_NOSIGNAL);

            if (n > 0)
                p->sent += (size_t)n;
            if (!look(r))
                break;
        }
        free(bytes);
        leave(r, p);
        await_end(r);
    }
    stop(r);
    r->complete = says(r, OUT, r->subject->prints);
}

/* It answers nobody. */
static void silent_server(struct run *r)
{
    r->complete = serve(r);
    stop(r);
}

/* --- Scenes with a client ------------------------------------------------- */

static void open_server(struct run *r)
{
    struct sockaddr_in own = loopback(0);
    socklen_t length = sizeof own;
    const bool datagrams = r->subject->traits & DATAGRAMS;
    int fd = socket(AF_INET,
                    (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &length) < 0 ||
        (!datagrams && listen(fd, 16) < 0))
        die("cannot make a server");
    r->port = ntohs(own.sin_port);
    if (datagrams)
        r->peers[r->count++] = (struct peer){.fd = fd, .bytes = NULL};
    else
        r->listener = fd;
    set_nonblocking(fd);
}

static const char lines[] = "one\ntwo words\n\na line that is longer\n";

/* An echo server for it; it sends its lines, and prints what comes back. */
static void echo_client(struct run *r)
{
    open_server(r);
    start(r);
    /* If this fails the program has ended: that is judged below. */
    (void)!write(r->to, lines, sizeof lines - 1);
    close(r->to);
    r->to = -1;
    while (look(r))
        ;
    await_end(r);
    r->complete = strncmp(r->said[OUT], lines, sizeof lines - 1) == 0;
}

/* A client with an echo server; its lines are in its arguments. */
static void asking_client(struct run *r)
{
    open_server(r);
    start(r);
    while (look(r))
        ;
    await_end(r);
    r->complete = says(r, OUT, r->subject->prints);
}

static void udp_asker(struct run *r)
{
    struct pollfd p;
    char bytes[2000];

    open_server(r);
    p = (struct pollfd){.fd = r->peers[0].fd, .events = POLLIN};
    r->count = 0;
    start(r);
    while (look(r) && !has_ended(r)) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t n;

        while ((n = recvfrom(p.fd, bytes, sizeof bytes, MSG_DONTWAIT,
                             (struct sockaddr *)&from, &length)) >= 0)
            sendto(p.fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, length);
    }
    await_end(r);
    close(p.fd);
    r->complete = says(r, OUT, r->subject->prints);
}

static void sender(struct run *r)
{
    open_server(r);
    start(r);
    while (look(r)) {
        if (r->count > 0)
            r->peers[0].echoes = false;
    }
    await_end(r);
    if (r->count == 0)
        return;
    if (payload_matching(r->peers[0].bytes, r->peers[0].got, 0) !=
        r->peers[0].got)
        wrong(r, "the receiver got wrong bytes");
    r->complete =
        r->peers[0].got == PAYLOAD || (r->subject->traits & LOSES) != 0;
}

static void talker(struct run *r)
{
    bool greeted = false, written = false;

    open_server(r);
    start(r);
    while (look(r)) {
        if (r->count > 0 && !greeted) {
            r->peers[0].echoes = false;
            send(r->peers[0].fd, "ann: hi\n", 8, MSG_NOSIGNAL);
            greeted = true;
        }
        if ((says(r, OUT, "ann: hi\n") || is_mute(r)) && !written) {
            written = write(r->to, "hello ann\n", 10) == 10;
            close(r->to);
            r->to = -1;
        }
        if (r->count > 0 && r->peers[0].ended && r->peers[0].fd >= 0)
            close_peer(&r->peers[0]);
    }
    await_end(r);
    r->complete = r->count > 0 && r->peers[0].got == 10 &&
                  memcmp(r->peers[0].bytes, "hello ann\n", 10) == 0 &&
                  says(r, OUT, "ann: hi\n");
}

/* A program without peers: it prints as many lines as without the fault. */
static void alone(struct run *r)
{
    start(r);
    while (look(r))
        ;
    await_end(r);
    for (const char *c = r->said[OUT]; *c; c++)
        r->rest.lines += *c == '\n';
    r->complete = r->fault.call == NO_CALL || r->rest.lines == r->usual.lines;
}

static const struct subject subjects[] = {
    {"echo_blocking", echo_server, SERVES | BLOCKS | ONE_AT_A_TIME, "0", NULL},
    {"echo_busypoll", echo_server, SERVES | SPINS, "0", NULL},
    {"echo_select", echo_server, SERVES, "0", NULL},
    {"echo_poll", echo_server, SERVES, "0", NULL},
    {"echo_epoll", echo_server, SERVES, "0", NULL},
    {"echo_epoll_edge", echo_server, SERVES | EDGES, "0", NULL},
    {"echo_client", echo_client, BLOCKS, "127.0.0.1 @", NULL},
    {"echo_client_busypoll", echo_client, SPINS, "127.0.0.1 @", NULL},
    {"send_blocking", sender, BLOCKS, "--size 100k 127.0.0.1 @", NULL},
    {"send_once", sender, LOSES, "--size 100k 127.0.0.1 @", NULL},
    {"send_all", sender, SPINS, "--size 100k 127.0.0.1 @", NULL},
    {"send_poll", sender, 0, "--size 100k 127.0.0.1 @", NULL},
    {"sink", receiver, BLOCKS, "--size 100k 0", "All data received"},
    {"nagle_stall", alone, BLOCKS, "--exchanges 3", NULL},
    {"connect_blocking", asking_client, BLOCKS, "127.0.0.1 @", "connected "},
    {"connect_nonblocking", asking_client, SPINS, "127.0.0.1 @", "connected "},
    {"connect_poll", asking_client, 0, "127.0.0.1 @", "connected "},
    {"connect_retry", asking_client, 0, "--base 1ms 127.0.0.1 @", "connected "},
    {"connect_failover", asking_client, 0, "127.0.0.1 ! 127.0.0.1 @",
     "connected "},
    {"connect_pool", asking_client, BLOCKS, "--keep 1 127.0.0.1 @ one two",
     "one\ntwo\n"},
    {"tarpit", silent_server, 0, "0", NULL},
    {"timeout_option", asking_client, BLOCKS, "127.0.0.1 @ one", "one\n"},
    {"timeout_poll", asking_client, 0, "127.0.0.1 @ one", "one\n"},
    {"timeout_select", asking_client, 0, "127.0.0.1 @ one", "one\n"},
    {"timeout_busypoll", asking_client, SPINS, "127.0.0.1 @ one", "one\n"},
    {"udp_echo_blocking", udp_server, SERVES | BLOCKS | DATAGRAMS, "0", NULL},
    {"udp_echo_nonblocking", udp_server, SERVES | SPINS | DATAGRAMS, "0", NULL},
    {"udp_client", udp_asker, DATAGRAMS,
     "--each 100ms --tries 5 127.0.0.1 @ one two", "one\ntwo\n"},
    {"chat_server", chat, SERVES, "0", NULL},
    {"chat_client", talker, 0, "127.0.0.1 @", NULL},
    {"echo_load", asking_client, 0,
     "--connections 2 --active 1 --time 10ms --idle 1ms 127.0.0.1 @",
     "round trips"},
    {"bad_peer", asking_client, BLOCKS, "half-close 127.0.0.1 @",
     "received 1 of 1 bytes"},
    {"select_except", alone, BLOCKS, "", NULL},
    {"errno_explain", alone, 0, "EMFILE EPIPE", NULL},
    {"errno_provoke", alone, BLOCKS, "EAGAIN EPIPE", NULL},
};

enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

/* --- Faults --------------------------------------------------------------- */

/* What each call may answer (its manual page), and, after SURVIVE, what a
 * program has to survive: the call may be repeated, or it concerns one peer. */
enum { SURVIVE = 1 << 16, SERVERS = 1 << 17 };

static const struct {
    enum call call;
    int errors[12]; /* ended by 0 */
} table[] = {
    {CALL_socket, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT}},
    {CALL_bind, {EADDRINUSE, EACCES, EADDRNOTAVAIL}},
    {CALL_listen, {EADDRINUSE, EOPNOTSUPP}},
    {CALL_accept,
     {EINTR | SURVIVE, EAGAIN | SURVIVE, ECONNABORTED | SURVIVE,
      EPROTO | SURVIVE, EMFILE | SURVIVE | SERVERS, ENFILE | SURVIVE | SERVERS,
      ENOBUFS | SURVIVE | SERVERS, ENOMEM | SURVIVE | SERVERS, EPERM, EINVAL}},
    {CALL_connect,
     {EINTR | SURVIVE, ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH,
      EADDRNOTAVAIL, EACCES}},
    {CALL_getsockname, {ENOBUFS}},
    {CALL_getpeername, {ENOTCONN, ENOBUFS}},
    {CALL_getsockopt, {ENOBUFS}},
    {CALL_setsockopt, {ENOMEM, ENOPROTOOPT}},
    {CALL_shutdown, {ENOTCONN}},
    {CALL_send,
     {EINTR | SURVIVE, EAGAIN | SURVIVE, ECONNRESET | SURVIVE | SERVERS,
      EPIPE | SURVIVE | SERVERS, ENOBUFS | SURVIVE | SERVERS,
      ENOMEM | SURVIVE | SERVERS, CUT_SHORT}},
    {CALL_sendto,
     {EINTR | SURVIVE, EAGAIN | SURVIVE, ENOBUFS | SURVIVE | SERVERS,
      ENOMEM | SURVIVE | SERVERS, ECONNREFUSED | SURVIVE | SERVERS,
      EPERM | SURVIVE | SERVERS}},
    {CALL_sendmsg, {EINTR | SURVIVE, EAGAIN | SURVIVE, ENOBUFS}},
    {CALL_recv,
     {EINTR | SURVIVE, EAGAIN | SURVIVE, ECONNRESET | SURVIVE | SERVERS,
      ETIMEDOUT | SURVIVE | SERVERS, ENOMEM | SURVIVE | SERVERS, CUT_SHORT}},
    {CALL_recvfrom, {EINTR | SURVIVE, EAGAIN | SURVIVE, ENOMEM}},
    {CALL_recvmsg,
     {EINTR | SURVIVE, EAGAIN | SURVIVE, ENOMEM | SURVIVE | SERVERS,
      ECONNREFUSED | SURVIVE | SERVERS}},
    {CALL_read, {EINTR | SURVIVE, EIO, CUT_SHORT}},
    {CALL_write, {EINTR | SURVIVE, EIO, ENOSPC, CUT_SHORT}},
    {CALL_poll, {EINTR | SURVIVE, ENOMEM, EINVAL}},
    {CALL_select, {EINTR | SURVIVE, ENOMEM, EINVAL, EBADF}},
    {CALL_epoll_create1, {EMFILE, ENFILE, ENOMEM}},
    {CALL_epoll_ctl, {ENOMEM, ENOSPC}},
    {CALL_epoll_wait, {EINTR | SURVIVE, EBADF, EINVAL}},
    {CALL_fcntl, {EBADF, EINVAL}},
    {CALL_ioctl, {ENOTTY}},
    {CALL_open, {EMFILE, ENOENT}},
    {CALL_getrlimit, {EINVAL}},
    {CALL_setrlimit, {EPERM, EINVAL}},
    {CALL_getaddrinfo, {EAI_AGAIN, EAI_NONAME, EAI_MEMORY, EAI_FAIL}},
    {CALL_getline, {EINTR | SURVIVE, EIO, ENOMEM, EOVERFLOW}},
    {CALL_malloc, {ENOMEM}},
    {CALL_calloc, {ENOMEM}},
    {CALL_realloc, {ENOMEM}},
};

enum { FLAGS = SURVIVE | SERVERS };

/* Where a program is right to do something else; NO_CALL and 0 mean any. */
static const struct {
    const char *name;
    int call, error;
} exceptions[] = {
    /* It shows what one call answers. */
    {"errno_provoke", NO_CALL, 0},
    /* One call is its lesson: it says that a signal has cut it short. */
    {"send_blocking", CALL_send, EINTR},
};

static bool is_exception(const struct subject *s, const struct fault *f)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].name, s->name) == 0 &&
            (exceptions[i].call == NO_CALL || exceptions[i].call == f->call) &&
            (exceptions[i].error == 0 || exceptions[i].error == f->error))
            return true;
    return false;
}

/* What no kernel answers is no fault. */
static bool is_possible(const struct subject *s, const struct fault *f)
{
    /* The part of a datagram that does not fit is lost. */
    if (f->error == CUT_SHORT)
        return !(s->traits & DATAGRAMS);
    /* A UDP connect only stores an address. */
    if (f->call == CALL_connect && (s->traits & DATAGRAMS))
        return f->error != EINTR;
    /* Only a non-blocking socket, or one with a time limit, would block; and
     * after EAGAIN there is a new edge. */
    if (f->error == EAGAIN)
        return !(s->traits & BLOCKS) && !(s->traits & EDGES);
    return true;
}

/* Not for ever: these are answers to one signal, or about one client. */
static bool may_persist(const struct fault *f)
{
    return f->error != CUT_SHORT && f->error != EINTR && f->error != EAGAIN &&
           f->error != ECONNABORTED && f->error != EPROTO &&
           (f->error != ECONNREFUSED || f->call == CALL_connect);
}

struct plan {
    const struct subject *subject;
    struct fault fault;
    bool survive;      /* the program must not end */
    struct rest usual; /* without a fault */
};

static bool must_survive(const struct subject *s, int error)
{
    return error != CUT_SHORT && (error & SURVIVE) != 0 &&
           (!(error & SERVERS) || (s->traits & SERVES));
}

/* A symbol for the list: EAI_... are below 0 in the GNU C library. */
static const char *symbol(const struct fault *f)
{
    if (f->call != CALL_getaddrinfo)
        return f->error == CUT_SHORT ? "cut short"
                                     : error_entry(f->error)->symbol;
    return f->error == EAI_AGAIN    ? "EAI_AGAIN"
           : f->error == EAI_NONAME ? "EAI_NONAME"
           : f->error == EAI_MEMORY ? "EAI_MEMORY"
                                    : "EAI_FAIL";
}

/* --- The verdict ---------------------------------------------------------- */

/* Exit status 1 needs one line "PROGRAM: ..." that names the error. */
static void judge_message(struct run *r)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "%s: ", r->subject->name);
    if (is_mute(r) && r->fault.on)
        return; /* its messages are lost as well */
    if (!says(r, ERR, prefix))
        wrong(r, "exit status 1, and no word why");
    else if (r->fault.error != CUT_SHORT && shared->reached > 0 &&
             !r->stopped && !says(r, ERR, symbol(&r->fault)) &&
             !(r->fault.error == ENOMEM && says(r, ERR, "EAI_MEMORY")))
        wrong(r, "exit status 1, and the message does not name the error");
}

static void judge(struct run *r, bool survive)
{
    const char *never[] = {"Nothing is wrong", "stopped by  ",    "-nan",
                           "ESUCCESS",         "unknown address", "(null)"};
    const bool ends_well = WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;

    if (r->fault.call != NO_CALL && shared->reached == 0)
        wrong(r, "the call was not made");
    if (WIFSIGNALED(r->status) && WTERMSIG(r->status) != SIGKILL)
        wrong(r, "killed by signal %d", WTERMSIG(r->status));
    if (WIFEXITED(r->status) && WEXITSTATUS(r->status) > 1)
        wrong(r, "exit status %d", WEXITSTATUS(r->status));
    if (!ends_well)
        judge_message(r);
    if (survive && !ends_well)
        wrong(r, "it ended, and should have gone on");
    if (ends_well && !(r->subject->traits & SERVES) && !r->complete)
        wrong(r, "exit status 0, and something was lost");
    if (lost(r) > (r->fault.call == NO_CALL ? 0 : 1) && ends_well &&
        !r->fault.on)
        wrong(r, "%zu clients were lost", lost(r));
    if (!(r->subject->traits & SPINS) && r->cpu > 0.08)
        wrong(r, "it used %.2f s of a processor", r->cpu);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (says(r, ERR, never[i]) || says(r, OUT, never[i]))
            wrong(r, "it says '%s'", never[i]);
}

/* --- All of it ------------------------------------------------------------ */

static struct run run;
static void play(const struct plan *plan)
{
    char *kept[PEERS];

    for (size_t i = 0; i < PEERS; i++)
        kept[i] = run.peers[i].bytes;
    run = (struct run){.subject = plan->subject,
                       .fault = plan->fault,
                       .usual = plan->usual,
                       .listener = -1,
                       .from = {-1, -1},
                       .to = -1};
    for (size_t i = 0; i < PEERS; i++) {
        run.peers[i].bytes = kept[i];
        run.peers[i].fd = -1;
    }
    plan->subject->play(&run);
    for (size_t i = 0; i < PEERS; i++)
        if (run.peers[i].fd >= 0)
            close(run.peers[i].fd);
    if (run.listener >= 0)
        close(run.listener);
    for (int which = OUT; which <= ERR; which++)
        if (run.from[which] >= 0)
            close(run.from[which]);
    judge(&run, plan->survive);
    if (plan->fault.call != NO_CALL && !plan->fault.on &&
        run.rest.descriptors > run.usual.descriptors)
        wrong(&run, "%d descriptors are left open",
              run.rest.descriptors - run.usual.descriptors);
}

static struct plan *plans;
static size_t planned;

static void add_plan(const struct plan *plan)
{
    if ((planned & (planned - 1)) == 0)
        plans = enlarged(plans, planned ? 2 * planned : 1, sizeof *plans);
    plans[planned++] = *plan;
}

enum { OCCURRENCES = 3 };

/* Look how often the subject makes each call, and plan its faults. */
static void plan_for(const struct subject *s, const char *only_call)
{
    unsigned made[CALLS];

    play(&(struct plan){.subject = s, .fault = {.call = NO_CALL}});
    if (run.wrong[0] || !run.complete)
        die_because(0, "%s without a fault: %s\n%s%s", s->name,
                    run.wrong[0] ? run.wrong : "not complete", run.said[OUT],
                    run.said[ERR]);
    memcpy(made, shared->made, sizeof made);
    const struct rest usual = run.rest;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const enum call call = table[i].call;

        /* How often a client busy-polls before the answer is luck. */
        const bool lucky = (s->traits & SPINS) && !(s->traits & SERVES);
        const int most = lucky ? 1 : OCCURRENCES;

        if (only_call && strcmp(only_call, call_names[call]) != 0)
            continue;
        for (const int *e = table[i].errors; *e; e++)
            for (int k = 1; k <= most && k <= (int)made[call]; k++) {
                const bool flagged = call != CALL_getaddrinfo && *e > 0;
                struct plan plan = {
                    .subject = s,
                    .fault = {.call = (int)call,
                              .error = flagged ? *e & ~FLAGS : *e,
                              .first = k},
                    .survive = flagged && must_survive(s, *e),
                    .usual = usual};

                if (!is_possible(s, &plan.fault) ||
                    is_exception(s, &plan.fault))
                    continue;
                add_plan(&plan);
                if (k == 1 && may_persist(&plan.fault)) {
                    plan.fault.on = true;
                    plan.survive = false;
                    add_plan(&plan);
                }
            }
    }
}

static size_t sample, seed = 1, parts = 1, part;
static const char *only = "";
static bool first;

static const struct setting settings[] = {
    {"sample", "N", "play about N faults, chosen by the seed; 0: all",
     .size = &sample},
    {"seed", "N", "choose others", .size = &seed},
    {"parts", "N", "divide the faults into N parts", .size = &parts},
    {"part", "N", "and play this one, from 0", .size = &part},
    {"first", NULL, "stop at the first fault that ends wrong", .flag = &first},
    {"only", "NAME", "one program, or PROGRAM:CALL", .text = &only},
    {0},
};
static const struct program program = {
    "Makes each call of each program fail, and looks at what happens.",
    "FOLDER INJECTOR",
    settings,
};

/* Numbers that look random, the same ones for the same seed (splitmix64). */
static uint64_t mixed(uint64_t number)
{
    number += 0x9e3779b97f4a7c15U;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9U;
    number = (number ^ number >> 27) * 0x94d049bb133111ebU;
    return number ^ number >> 31;
}

static bool is_chosen(size_t index)
{
    return sample == 0 || mixed(seed * 1000003 + index) % planned < sample;
}

static void open_shared_memory(void)
{
    shared_fd = memfd_create("injection", MFD_CLOEXEC);
    if (shared_fd < 0 || ftruncate(shared_fd, sizeof *shared) < 0)
        die("cannot share memory");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED,
                  shared_fd, 0);
    if (shared == MAP_FAILED)
        die("cannot share memory");
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    const char *call = strchr(only, ':');
    const size_t length = call ? (size_t)(call - only) : strlen(only);
    size_t tried = 0, reached = 0, bad = 0;
    struct sockaddr_in there;

    folder = operands[0];
    injector = operands[1];
    open_shared_memory();
    bound_to_loopback(&there); /* and it does not listen: it refuses */
    refusing_port = ntohs(there.sin_port);
    for (size_t i = 0; i < SUBJECTS; i++)
        if (length == 0 || (strlen(subjects[i].name) == length &&
                            strncmp(only, subjects[i].name, length) == 0))
            plan_for(&subjects[i], call ? call + 1 : NULL);
    for (size_t i = 0; i < planned && !(first && bad) && !stopping(); i++) {
        const struct fault *f = &plans[i].fault;

        if (i % parts != part || !is_chosen(i))
            continue;
        play(&plans[i]);
        tried++;
        reached += shared->reached > 0;
        if (!run.wrong[0])
            continue;
        bad++;
        say("%s: %s %d%s, %s: %s", plans[i].subject->name, call_names[f->call],
            f->first, f->on ? " and later" : "", symbol(f), run.wrong);
        log_debug("%s%s", run.said[OUT], run.said[ERR]);
    }
    say("%zu faults planned, %zu tried, %zu reached, %zu wrong", planned, tried,
        reached, bad);
    return tried == 0 || bad > 0;
}
