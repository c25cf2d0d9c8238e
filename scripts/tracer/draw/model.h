/* SPDX-License-Identifier: MIT */
/*
 * model.h - the contents of one or several traces, ready to be drawn: lanes
 * with spans of time, sockets with their two ends, and the arrows between them.
 *
 * Times are seconds; 0 is the start of the first span that is drawn. The model
 * owns all of it, and lives until the program ends.
 */
#ifndef WOULDBLOCK_MODEL_H
#define WOULDBLOCK_MODEL_H

#include "../trace_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of a lane, as far as its calls show it. */
enum state {
    RUNNING,     /* in no recorded call, or in one that does not wait */
    BLOCKED,     /* in a call that may wait: recv, accept, poll... */
    WOULD_BLOCK, /* calls again and again, and would block */
    SLEEPING,    /* in nanosleep and similar calls */
    STATES,
    ABSENT = STATES, /* not begun, or ended */
};

enum kind { SETUP, OPENS, SENDS, RECEIVES, WAITS, SLEEPS };

/* Descriptors from this number on are not followed. */
enum { MOST_DESCRIPTORS = 1 << 20 };

/* One end of a connection: the life of one descriptor in one process. */
struct endpoint {
    size_t number; /* in model.endpoints */
    size_t lane;   /* the first lane that used it */
    int32_t pid, fd;
    bool datagram, listening;
    double opened, closed;    /* at the latest at the end of its process */
    char local[64], peer[64]; /* "127.0.0.1:8080", "[::1]:8080", a path; "" */
    int local_port, peer_port;
    uint64_t moved;         /* bytes sent and received */
    struct endpoint *other; /* the other end, if it was recorded too */
};

/* One call, or a run of calls with the same result (trace_file.h). */
struct span {
    double began, ended;    /* start of the first call, end of the last */
    double inside;          /* time in all calls together */
    struct endpoint *about; /* NULL: no socket, or an unknown one */
    int32_t result, asked, more;
    uint32_t times;
    int32_t fd;
    int16_t error;   /* errno, 0 if it did not fail */
    uint8_t call;    /* enum call */
    uint8_t flags;   /* FLAG_... */
    bool unfinished; /* its end was never recorded */
};

/* All calls of one name on one lane. */
struct tally {
    uint64_t called, done, again, failed; /* done: with any other success */
    double inside;                        /* in all of them */
    double blocked;                       /* in calls that may wait */
    uint64_t bytes;
};

/* A thread; or, with lanes by connection, one socket. */
struct lane {
    char name[48]; /* unique: "echo_poll", "client 1", "sh", "sh 2" */
    int32_t pid, tid;
    /* The same for all threads of one program; an exec, or a later process
     * with the same pid, has a different one. */
    size_t image;
    double began, ended;
    bool exited;   /* the process ended by itself */
    int killed_by; /* signal that killed it, 0 if none is known */
    double cpu;    /* processor time of the process, in seconds; -1: unknown */
    uint64_t lost; /* calls that could not be recorded */
    const struct endpoint *endpoint; /* of a connection's lane, or NULL */
    struct span *spans;              /* sorted by began */
    size_t span_count, room;
    struct tally tally[CALLS];
};

/* Bytes that went from one lane to another. */
struct arrow {
    size_t from, to;       /* lanes */
    double sent, received; /* the ends of the two calls */
    double departed; /* like sent, but never later than received: a long send
                        returns after its first bytes have arrived */
    uint64_t bytes;
    const struct endpoint *source, *sink; /* ends it left and reached */
};

struct model {
    const char *command; /* of the first trace */
    double length;       /* when the last span ended */
    struct lane *lanes;
    size_t lane_count;
    struct endpoint **endpoints; /* indexed by number */
    size_t endpoint_count;
    struct arrow *arrows; /* sorted by sent */
    size_t arrow_count;
    bool complete; /* false: a trace was damaged, as a message has said */
};

/*
 * Read these traces. If one cannot be read at all, the program ends with a
 * message and status 1. If one is cut off, a message on stderr says so, and the
 * rest is used. Lanes that never use a socket are left out, unless no lane
 * does.
 */
struct model *read_traces(char **files);

/* The same model with a lane for each connection and each listener instead of
 * each thread. */
struct model *by_connection(const struct model *model);

/* Add a span to a lane, and count it in the lane's tally. */
void add_span(struct lane *lane, const struct span *span);

/* Keep only these lanes, by their numbers and in this order. The endpoints and
 * arrows of the other lanes are removed too. */
void choose_lanes(struct model *model, const size_t *chosen, size_t count);

/* Move time 0 this much later. */
void begin_later(struct model *model, double by);

/* Join the ends of connections, and make the arrows: for read_traces. */
void join_ends(struct model *model);

/* --- Lists ---------------------------------------------------------------- */

/* Make room for one more element in a list of count elements of size bytes;
 * double the list if it is full. */
void *grown(void *list, size_t count, size_t *room, size_t size);

/* qsort(3), but the list may be empty, and then NULL. */
void sort(void *list, size_t count, size_t size,
          int by(const void *, const void *));

/* -1, 0 or 1, for qsort(3). */
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* --- Words ---------------------------------------------------------------- */

const char *call_name(int call); /* "recv"; a literal */
enum kind call_kind(int call);
enum state span_state(const struct span *span);

/* The result of a call, as a tally counts it. EINTR counts as AGAIN. */
enum answer_kind { DONE, AGAIN, FAILED, UNFINISHED };
enum answer_kind span_answer(const struct span *span);

/* May the call wait, according to its descriptor and flags? */
bool may_wait(const struct span *span);

/* Does this get a row in the table? Calls that transfer, wait, or watch do, and
 * calls that failed; setting up a socket does not. */
bool is_worth_a_row(const struct tally *tally, int call);

/* The bytes that a span moved; 0 unless it sent or received on a socket. */
uint64_t span_bytes(const struct span *span);

/* "EAGAIN"; "" if the span did not fail. Valid until the next call. */
const char *span_error(const struct span *span);

/*
 * Describe a span in the words of C and of strace, such as
 */
void describe(const struct span *span, char *text, size_t size);

/* The length of the UTF-8 character at the start of a text. 0 if it is invalid:
 * cut off, too long an encoding, a surrogate, beyond U+10FFFF, U+FFFE or
 * U+FFFF. */
size_t character(const char *text);

/* The number of characters; an invalid byte counts as one. */
size_t characters(const char *text);

/* Describe a descriptor: "127.0.0.1:8080 to 127.0.0.1:40312", "listening on
 * 127.0.0.1:8080", or "" if it is not known. */
void describe_endpoint(const struct endpoint *endpoint, char *text,
                       size_t size);

/* "SIGTERM", or the number. Valid as long as next_text. */
const char *signal_name(int number);

/* A buffer for a text of up to 31 bytes. It stays valid for fifteen more calls
 * of all functions that use it. */
char *next_text(void);

/* "2.01 s", "3.4 ms", "120 us"; "1.2 MiB", "512 B". Valid as long as
 * next_text. */
const char *in_time(double seconds);
const char *in_bytes(double bytes);

#endif
