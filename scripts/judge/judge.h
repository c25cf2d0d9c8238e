/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what the checks of the exercises are written with: somebody's
 * program under supervision, peers that treat it as badly as the world would,
 * and a verdict that names the mistake and shows how it was seen.
 *
 * A check is a function that runs in a process of its own. It returns if all
 * went well, and otherwise ends in mistake() or diagnosed(). Whatever it waits
 * for, it waits no longer than it takes to see that it will not come: because
 * the program has ended, sleeps in a call that nothing can wake, or has spent
 * CPU time enough. Wall time is only the last resort.
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
    const char *by_hand; /* the same with PROGRAM, in a shell */
};

struct exercise {
    const char *name;
    const struct check *checks; /* ended by one without a name */
    bool may_spin;              /* busy-polling is what it is about */
};

/* In checks_server.c, checks_client.c, ...; each ended by one without a name.
 */
extern const struct exercise server_exercises[];
extern const struct exercise client_exercises[];
extern const struct exercise chat_exercises[];

/* --- The program --------------------------------------------------------- */

/* Options of the supervisor and faults, to be chosen before the start. */
void limit_descriptors(unsigned count);
void occupy_descriptors(unsigned count);
void inject(const char *faults);

/* Start it with these arguments. */
#define start(...) start_with((const char *const[]){__VA_ARGS__, NULL})
void start_with(const char *const *arguments);
/* Start it as a server on a port of the kernel's choice, and wait until it
 * listens; returns the port. */
int serve(void);

void signal_it(int signal_number);

/* Its end: waits for that. False if it does not come (see hopeless()). */
bool ends_within(duration limit);
bool has_ended(void);
bool ended_well(void);       /* with exit status 0 */
int exit_status(void);       /* -1 if it did not exit by itself */
instant ended_at(void);      /* when that was noticed */
duration was_awake(void);    /* how long it ran or wanted to, in all */
const char *its_words(void); /* all it has written so far */
bool says(const char *words);

/* --- What it was told, call by call -------------------------------------- */

const struct witness *witness(void);
/* The records from number `from` on, oldest first, until visit returns false.
 * Returns the number of the next record to come. */
uint64_t each_seen(uint64_t from, bool (*visit)(const struct seen *, void *),
                   void *context);
/* How many calls of this kind there were, of which fd -1 is any; and the last
 * one, or NULL. */
uint64_t calls_of(enum call call, int fd);
const struct seen *last_of(enum call call, int fd);
/* The first one, or NULL. */
const struct seen *first_of(enum call call);
/* When its last call returned, whichever that was; 0: it made none. */
instant last_sign(void);
/* Anything that receives or sends; last call of that kind on fd. */
const struct seen *last_receive(int fd);
const struct seen *last_send(int fd);

/* --- Peers --------------------------------------------------------------- */

/* Connect as a client with this name, which must be a literal. */
int dial(const char *who);
/* The same where it may be over already, which is no verdict yet. */
bool could_dial(const char *who);
/* The program's own descriptor for that client; -1: not accepted yet. */
int its_fd(int peer);
/* Wait until the program has accepted this client. */
bool accepted(int peer);
/* Has the program closed its side? */
bool closed_on(int peer);
void tell(int peer, const char *bytes, size_t size);
void tell_text(int peer, const char *text);
/* Receive exactly these bytes. False if they do not come; end then tells
 * whether the connection was ended or reset instead. */
enum ending { STILL_THERE, ENDED, RESET };
bool hears(int peer, const char *bytes, size_t size);
bool hears_text(int peer, const char *text);
extern enum ending ending;
/* The end of the connection comes. */
bool hears_end(int peer);
void reset_peer(int peer);

/* A port that refuses, one that listens, and one whose queue is full. */
int refusing_port(void);
int listening_port(int *listener);
int silent_port(int *listener);

/* Wait until true or hopeless. */
bool wait_until(bool (*come_true)(void *), void *context, duration limit);

/* --- The verdict --------------------------------------------------------- */

/* A step of the story, with the time since the program's start. */
void step(const char *format, ...) LIKE_PRINTF(1, 2);
/* It is this mistake, seen in this way. */
NO_RETURN void mistake(enum mistake what, const char *format, ...)
    LIKE_PRINTF(2, 3);
/*
 * Something did not happen. Find out why from what the program does and was
 * told: it has ended, is blocked, spins, ...; if nothing else is found, it is
 * `otherwise`.
 */
NO_RETURN void diagnosed(int peer, enum mistake otherwise, const char *format,
                         ...) LIKE_PRINTF(3, 4);
/* Why it spins, from what it keeps being told. */
enum mistake cause_of_spin(enum mistake otherwise);
/* The last line that it wrote. */
const char *last_words(void);
/* In words: "blocked in recv on client A (descriptor 5)". */
const char *doing(void);
/* The part of the time that it ran, or would have if there had been a processor
 * for it: 0 to 1, over this time. */
double eagerness(duration length);
/* Bytes of memory that it holds now. */
size_t resident_memory(void);
/* The exercise is about busy-polling, so that its spinning says nothing. */
bool may_spin(void);
/* Does it sleep, as it should? Ends in a verdict if not. */
void must_be_idle(const char *while_what);

#endif
