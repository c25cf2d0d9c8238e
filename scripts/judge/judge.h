/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what checks of the exercises use: a program under supervision,
 * peers that treat it as badly as real ones do, and a verdict that names the
 * mistake and shows how it was seen.
 *
 * A check is a function that runs in a process of its own. It returns if it
 * found no mistake; otherwise it ends in mistake() or diagnosed(). It stops
 * waiting for an event as soon as the event cannot come any more: the program
 * has ended, sleeps in a call that nothing can wake, or has used enough CPU
 * time. A limit of wall time is the last resort.
 */
#ifndef WOULDBLOCK_JUDGE_H
#define WOULDBLOCK_JUDGE_H

#include "mistakes.h"
#include "witness.h"
#include "wouldblock.h"

#include <sys/types.h>

struct check {
    const char *name;  /* "silent_client" */
    const char *title; /* "one client is silent, another one is not" */
    int points;
    void (*run)(void);
    const char *by_hand; /* the same as a shell command with PROGRAM in it */
};

struct exercise {
    const char *name;
    const struct check *checks; /* the last entry has no name */
    bool may_spin;              /* the exercise is about busy-polling */
};

/* In checks_server.c, checks_client.c, checks_chat.c, checks_datagram.c,
 * checks_first.c. The last entry of each has no name. */
extern const struct exercise server_exercises[];
extern const struct exercise client_exercises[];
extern const struct exercise chat_exercises[];
extern const struct exercise datagram_exercises[];
extern const struct exercise first_exercises[];

/* --- The program ---------------------------------------------------------- */

/* Options of the supervisor, and faults. Set them before the start. */
void limit_descriptors(unsigned count);
void occupy_descriptors(unsigned count);
/* Let it read what we write to the descriptor that this returns. Without it,
 * its standard input is empty. */
int give_keyboard(void);
/* Make calls fail: see faults.h, with the names accept, recv, send, connect. */
void inject(const char *faults);
/* Have the kernel report these calls: "socket,connect"; see notify.h. */
void have_reported(const char *calls);
/* Whoever is refused gets this error instead of ECONNREFUSED. */
void refuse_with(int error);

/* Start the program with these arguments; if there was one before, end that. */
#define start(...) start_with((const char *const[]){__VA_ARGS__, NULL})
void start_with(const char *const *arguments);
/* Start it as a server on a port that the kernel chooses, and wait until it
 * listens. Returns the port. */
int serve(void);
/* Wait until it has said where it listens. Returns that port. */
int told_port(void);
/* The same, with these arguments before the port. */
#define serve_with(...) serve_as((const char *const[]){__VA_ARGS__, NULL})
int serve_as(const char *const *options);

void send_signal(int signal_number);
/* Stop it, so that it meets all that we do meanwhile at once; let it go on. */
void freeze(void), thaw(void);

/* Wait for its end. False if it does not end in time: see is_stalled(). */
bool ends_within(duration limit);
bool has_ended(void);
bool ended_well(void); /* with exit status 0 */
int exit_status(void); /* -1 if it did not exit by itself */
/* When we learned of its end: on a busy machine, that is late. */
instant its_end(void);
/* How long we, it, and both have waited for a processor so far. On a busy
 * machine, what seems too long may be late by that. */
duration our_delay(void), its_delay(void), delayed(void);
/* Is it asleep now? */
bool is_asleep(void);
const char *its_words(void); /* all output so far */
bool says(const char *words);

/* A number from 0 to below - 1, drawn at random: the same one in each run with
 * this seed. What the program has to answer must be drawn, or it could be known
 * before. */
unsigned draw(unsigned below);

/*
 * The words that this cohort uses instead of these: see --cohort. Without a
 * cohort, the same words.
 */
const char *varied(const char *text);
/* Words of another cohort, instead of those, in what was heard; or NULL. */
const char *words_of_others(const char *heard, const char *text);

/* --- What the kernel says ------------------------------------------------- */

/* How long it has run; a busy machine does not make this longer. */
duration used_cpu(void);
/* How often it has been given a processor: the same number later means that it
 * has not run since. */
long long times_run(void);
/* How many descriptors with lower numbers than this it has open now. With a
 * limit of that many, none is left when all are (getrlimit(2), RLIMIT_NOFILE).
 */
size_t descriptors_below(int limit);
/* Does it wait in epoll_wait for changes of this client's socket (EPOLLET)? */
bool waits_for_changes(int peer);
/* Is it asleep in a call that connects, receives or sends? Only a blocking
 * socket makes it sleep there. */
bool is_blocked(void);
/* Nap for a moment. Has it slept since the first call with this rest, and for
 * so long that nothing there is to do can have woken it? Begin with {0}. */
struct rest {
    instant since;
    long long run;
};
bool sleeps_on(struct rest *rest);
/* Does it try to connect to this port now? */
bool is_connecting(int port);
/* Its UDP socket on this port. False if it has none there. */
struct datagram_socket {
    int fd;
    unsigned peer_port; /* not 0: connect() has been called */
    unsigned unread;    /* memory of what is in its queue */
    bool by_edges;      /* it waits for changes (EPOLLET) */
};
bool find_datagram_socket(int port, struct datagram_socket *found);
/* Its descriptor for the connection to this port; -1 if it has none. */
int connected_as(int port);
/* The flags of its descriptor, as F_GETFL gives them (proc(5), fdinfo); -1 if
 * the kernel does not tell. */
int flags_of(int fd);
/* How many bytes lie in its send queue for our end of a connection; 0 if that
 * is closed. */
size_t unsent_to(int our_fd);

/* Calls that the kernel has reported. */
struct report {
    instant at;
    duration late; /* how long it and we have waited for a processor by then */
    int call, fd;  /* enum call */
    unsigned port; /* of connect: the port it asked for */
    int fault;     /* the injected errno; 0: none; -1: cut short */
};
enum { REPORTS_KEPT = 4096 };

/* How many of this kind; and each of the last ones, until visit returns false.
 * Returns how many there were. */
uint64_t reported(enum call call);
uint64_t each_report(bool (*visit)(const struct report *, void *),
                     void *context);
/* False if this kernel cannot report calls: then the witness must do. */
bool has_reports(void);

/* --- The results of its calls --------------------------------------------- */

/* The witness records them inside the program, so the program could forge them:
 * they may explain a failure, but they never make a pass. */

const struct witness *witness(void);
/* Visit the records from number `from` on, oldest first, until visit returns
 * false. Returns the number of the next record to come. */
uint64_t each_seen(uint64_t from, bool (*visit)(const struct seen *, void *),
                   void *context);
/* Kinds of calls: poll and its relatives, sleep, recv, send, accept. */
bool is_wait(int call), is_nap(int call), is_receive(int call),
    is_send(int call), is_accept(int call);
/* How many calls there were for which is() is true. */
uint64_t calls_that(bool (*is)(int call));
/* How many calls of this kind there were, and the last one, or NULL. An fd of
 * -1 means any descriptor. */
uint64_t calls_of(enum call call, int fd);
const struct seen *last_of(enum call call, int fd);
/* The last call on fd that receives, or sends, whichever function it was. */
const struct seen *last_receive(int fd);
const struct seen *last_send(int fd);

/* --- Peers ---------------------------------------------------------------- */

/* Connect as a client with this name, which must be a string literal. */
int dial(const char *who);
/* The same, with little room on the way: while this client does not read, the
 * kernel takes some 100 kB from the program, instead of some MB. */
int dial_narrowly(const char *who);
/* The same as dial, but a failure is no verdict yet: the program may have
 * ended. */
bool could_dial(const char *who, int *peer);
/* The program's descriptor for that client; -1 if it is not accepted yet. */
int its_fd(int peer);
/* Wait until the program has accepted this client. */
bool accepted(int peer);
/* Has the program closed its side? */
bool closed_on(int peer);
/* How many bytes of this client lie in the kernel, not yet received by the
 * program. */
size_t unread_by_it(int peer);
/* Has the kernel taken no more bytes for this client since the last call, and
 * holds some? Call it after the program has had more to send. */
bool is_full(int peer);
void tell(int peer, const char *bytes, size_t size);
void tell_text(int peer, const char *text);
/* Receive exactly these bytes. False if they do not come; `ending` then tells
 * whether the connection was closed or reset. */
enum ending { STILL_THERE, ENDED, RESET };
bool hears(int peer, const char *bytes, size_t size);
bool hears_text(int peer, const char *text);
/* It must get an echo. */
void ping(int peer, const char *who);
extern enum ending ending;
/* Wait for the end of the connection. False if it does not come. */
bool hears_end(int peer);
void reset_peer(int peer);
/* For the timeline: a check made this call for the peer, from then until now. A
 * result of -1: it waited in vain. */
void note_peer(int peer, const char *call, instant from, long long result);

/* A port that refuses, one that listens, and one with a full accept queue. */
int refusing_port(void);
int listening_port(int *listener);
int silent_port(int *listener);

/* Wait until the condition holds, or the program is stalled. */
bool wait_until(bool (*come_true)(void *), void *context, duration limit);

/* --- The verdict ---------------------------------------------------------- */

/* Add a step to the report, with the time since the program's start. */
void step(const char *format, ...) LIKE_PRINTF(1, 2);
/* The verdict is this mistake; the text says how it was seen. */
NO_RETURN void mistake(enum mistake what, const char *format, ...)
    LIKE_PRINTF(2, 3);
/*
 * Something did not happen. Find the cause in the state of the program and in
 * the results of its calls: it has ended, is blocked, spins, ... If no cause is
 * found, the verdict is `otherwise`.
 */
NO_RETURN void diagnosed(int peer, enum mistake otherwise, const char *format,
                         ...) LIKE_PRINTF(3, 4);
/* Why it spins: found from the results that its calls keep getting. */
enum mistake cause_of_spin(enum mistake otherwise);
/* The last line of its output. */
const char *last_words(void);
/* In words: "blocked in recv on client A (descriptor 5)". */
const char *doing(void);
/* The part of this time that it ran, or was ready to run but had no processor:
 * 0 to 1. */
double cpu_demand(duration length);
/* Bytes of memory that it uses now. */
size_t resident_memory(void);
/* The exercise is about busy-polling, so spinning is no mistake. */
bool may_spin(void);
/* Check that it sleeps. Ends in a verdict if not: `with_room` is the mistake of
 * one that waits for room, as was seen, and spins with bytes to send. */
void must_be_idle(const char *while_what);
void must_be_idle_or(const char *while_what, enum mistake with_room);

#endif
