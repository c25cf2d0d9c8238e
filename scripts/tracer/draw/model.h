/* SPDX-License-Identifier: MIT */
/*
 * model.h - what one or several traces tell, ready to be drawn: lanes with
 * spans of time on them, sockets with their two ends, and what went from one
 * to the other.
 *
 * Times are seconds; 0 is when the first of all that is shown began. All of it
 * belongs to the model and lives until the program ends.
 */
#ifndef WOULDBLOCK_MODEL_H
#define WOULDBLOCK_MODEL_H

#include "../trace_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a lane is doing, as far as its calls tell. */
enum state {
    RUNNING,     /* in no recorded call, or in one that does not wait */
    BLOCKED,     /* in a call that may wait: recv, accept, poll... */
    WOULD_BLOCK, /* asks, is told "not yet", and asks again */
    SLEEPING,    /* in nanosleep and its like */
    STATES,
    ABSENT = STATES, /* not begun, or ended */
};

enum kind { SETUP, OPENS, SENDS, RECEIVES, WAITS, SLEEPS };

/* Descriptors from this number on stay unknown. */
enum { MOST_DESCRIPTORS = 1 << 20 };

/* The two ends of a connection, as one process saw them: the life of one
 * descriptor. */
struct endpoint {
    size_t number; /* in model.endpoints */
    size_t lane;   /* the first that used it */
    int32_t pid, fd;
    bool datagram, listening;
    double opened, closed; /* closed: as late as its process, if it never was */
    char local[64], peer[64]; /* "127.0.0.1:8080", "[::1]:8080", a path; "" */
    int local_port, peer_port;
    uint64_t moved;         /* bytes, to and fro */
    struct endpoint *other; /* the other side, if it was recorded as well */
};

/* One call, or a run of the same with the same answer (trace_file.h). */
struct span {
    double began, ended;    /* of the first, of the last */
    double inside;          /* in all of them together */
    struct endpoint *about; /* NULL: no socket, or an unknown one */
    int32_t result, asked, more;
    uint32_t times;
    int32_t fd;
    int16_t error;   /* errno, 0 if it did not fail */
    uint8_t call;    /* enum call */
    uint8_t flags;   /* FLAG_... */
    bool unfinished; /* it was never seen to end */
};

/* All calls of one name, on one lane. */
struct tally {
    uint64_t called, done, again, failed; /* done: with any other success */
    double inside;                        /* in all of them */
    double blocked;                       /* in those that may wait */
    uint64_t bytes;
};

/* A thread; or, with lanes by connection, what went on on one socket. */
struct lane {
    char name[48]; /* "echo_poll", "client 1"; unique: "sh 2" is another sh */
    int32_t pid, tid;
    size_t image; /* the same for all threads of one program: an exec or a later
                     process may have the same pid */
    double began, ended;
    bool exited;   /* by itself */
    int killed_by; /* a signal, 0 if none is known */
    double cpu;    /* of the process, in seconds; -1 if unknown */
    uint64_t lost; /* calls that could not be recorded */
    const struct endpoint *endpoint; /* of a connection's lane; else NULL */
    struct span *spans;              /* by began */
    size_t span_count, room;
    struct tally tally[CALLS];
};

/* Bytes that went from one lane to another. */
struct arrow {
    size_t from, to;       /* lanes */
    double sent, received; /* when the call that sent them ended, and the one
                              that received them */
    double departed;       /* sent, unless they were received earlier: a call
                              that sends for long returns later than that */
    uint64_t bytes;
    const struct endpoint *source, *sink; /* the end they left, and reached */
};

struct model {
    const char *command; /* the first trace's */
    double length;       /* when the last of all ended */
    struct lane *lanes;
    size_t lane_count;
    struct endpoint **endpoints; /* by number */
    size_t endpoint_count;
    struct arrow *arrows; /* by sent */
    size_t arrow_count;
    bool complete; /* false: something was damaged, and has been told */
};

/*
 * Read these traces. What cannot be read at all ends the program with a message
 * and status 1; what is cut off is told on stderr, and the rest is read.
 * Lanes that never touch a socket are left out, unless all are like that.
 */
struct model *read_traces(char **files);

/* The same with a lane for each connection in place of each thread; a
 * listening socket has one as well. */
struct model *by_connection(const struct model *model);

/* One more span on a lane, which grows if it has to; its tally counts it. */
void add_span(struct lane *lane, const struct span *span);

/* Only these lanes, by their numbers, and in this order. What else there is of
 * the others goes with them: endpoints, arrows. */
void choose_lanes(struct model *model, const size_t *chosen, size_t count);

/* Let time begin that much later. */
void begin_later(struct model *model, double by);

/* Find out which endpoints belong together, and what went from one to the
 * other: for read_traces. */
void join_ends(struct model *model);

/* --- Lists -----------------------------------------------------------------
 */

/* A list of count things of size bytes, with room for one more: twice as much
 * as before, if there was none left. */
void *grown(void *list, size_t count, size_t *room, size_t size);

/* qsort(3), also for an empty list, which may be NULL. */
void sort(void *list, size_t count, size_t size,
          int by(const void *, const void *));

/* -1, 0 or 1, as qsort(3) wants to be told. */
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* --- What to tell of it ----------------------------------------------------
 */

const char *call_name(int call); /* "recv"; a literal */
enum kind call_kind(int call);
enum state span_state(const struct span *span);

/* How it was answered, as a tally counts it. Interrupted is told to come
 * again. */
enum answer_kind { DONE, AGAIN, FAILED, UNFINISHED };
enum answer_kind span_answer(const struct span *span);

/* May it wait, as far as its descriptor and its flags tell? */
bool may_wait(const struct span *span);

/* Is this worth a row of a table? What moves, waits or watches is, and what
 * failed: setting up a socket is no news. */
bool is_worth_a_row(const struct tally *tally, int call);

/* The bytes that a span moved: 0 unless it sent or received on a socket. */
uint64_t span_bytes(const struct span *span);

/* "EAGAIN"; "" if the span did not fail. Good until the next call. */
const char *span_error(const struct span *span);

/*
 * A span in the words of C and of strace, such as
 *
 *     recv(4, 16384) = -1 EAGAIN
 *     setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1) = 0
 *
 * without how often it was called. Writes at most size bytes, and a 0.
 */
void describe(const struct span *span, char *text, size_t size);

/* The length of the character of UTF-8 that a text begins with. 0 if it is
 * none: cut off, longer than it has to be, half of a pair, beyond the last one,
 * or one of the two that never will be one. */
size_t character(const char *text);

/* How many there are; each byte that belongs to none counts as one. */
size_t characters(const char *text);

/* What a descriptor is: "127.0.0.1:8080 to 127.0.0.1:40312", "listening on
 * 127.0.0.1:8080", "" if it is not known. */
void describe_endpoint(const struct endpoint *endpoint, char *text,
                       size_t size);

/* "SIGTERM", or the number; as next_text. */
const char *signal_name(int number);

/* Room for a text of up to 31 bytes, good for fifteen more calls of all that
 * make their texts there. */
char *next_text(void);

/* "2.01 s", "3.4 ms", "120 us"; "1.2 MiB", "512 B"; as next_text. */
const char *in_time(double seconds);
const char *in_bytes(double bytes);

#endif
