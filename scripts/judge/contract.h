/* SPDX-License-Identifier: MIT */
/*
 * contract.h - programs that keep a contract, whatever language they are in.
 *
 * A contract is a list of demands. Some are always made; others are made if an
 * option asks for them, so the options decide how strict the contract is. Each
 * demand is a check as those of the exercises. Nothing is known of the program
 * but the command that starts it: it is judged by its bytes, its connections,
 * and by what /proc says about its processes.
 */
#ifndef WOULDBLOCK_CONTRACT_H
#define WOULDBLOCK_CONTRACT_H

#include "judge.h"

/* The options. */
extern struct strictness {
    size_t clients;      /* at the same time; 1: one after the other */
    bool one_at_a_time;  /* the same as clients = 1 */
    bool idle;           /* at rest it uses no CPU time */
    bool resets;         /* it survives connections that are reset */
    bool slow_readers;   /* one who does not read delays nobody */
    size_t memory;       /* by so much its memory may grow; 0: no limit */
    size_t descriptors;  /* so many more than at the start; 0: many */
    duration deadline;   /* a silent client is sent away; 0: never */
    const char *faults;  /* that the witness injects; NULL: none */
    size_t size;         /* sender: bytes; datagram-echo: the largest one */
    bool names;          /* chat-server: a guest's first line is its name */
    bool strict;         /* all of these but deadline, faults, names */
    bool keep_user;      /* root's program runs as root */
    size_t port;         /* it listens there; 0: at {port} */
    const char *only;    /* the names of the checks to make */
    const char *without; /* and of those to leave out */
    const char *tools;   /* the path of our programs, for what can be typed */
} strictness;

struct demand {
    bool (*is_made)(void); /* NULL: always */
    struct check check;
};

struct contract {
    const char *name, *title;
    const struct demand *demands; /* the last check has no name */
    /* What --size is without a value, and --memory if --strict asks for it. */
    size_t size, memory;
};

/* The last entry of each has no name. */
extern const struct contract echo_contracts[];
extern const struct contract chat_contracts[];
extern const struct contract client_contracts[];
extern const struct contract datagram_contracts[];

const struct contract *contract_called(const char *name);
void list_contracts(void);
/* Make an exercise of those demands that the options make. */
const struct exercise *exercise_of(const struct contract *contract);
/* What to do with the program: its command, which must outlive all checks. */
void take_command(char *const *command);
/* Does the command have this word, such as "{port}"? */
bool command_has(const char *word);
/* The command as a shell reads it, with what stands for {port} and so on. If it
 * is to be patient, its deadline is a longer one. */
const char *command_by_hand(bool patient);

/* The answers to is_made. */
bool many_clients(void), one_client(void), idle_wanted(void),
    resets_wanted(void), slow_readers_wanted(void), memory_wanted(void),
    descriptors_wanted(void), deadline_wanted(void), faults_wanted(void);

/* --- For the checks ------------------------------------------------------- */

/* Start the command as a server, and ask its port until it answers. */
void serve_contract(void);
/* The same for a datagram server, which may be asked with a datagram. */
void serve_datagrams(void);
/* Its port, and the address of the port. */
int contract_port(void);
/* The name of its first client. The connection that found the port open becomes
 * this client: a server for one client only may have no second one. */
int first_client(const char *who);
/* Connect, but not as one of the peers: there may be thousands. -1 if the port
 * refuses, or does not answer. */
int dial_quietly(void);
/* This check cannot be made here, which is not the program's fault. */
NO_RETURN void cannot_check(const char *why);
/* Start the command as a client of this port. Its standard input is a pipe if
 * with_input is set: write there with feed(), and end it with end_input(). */
void start_client(int port, bool with_input);
/* As much as fits. Returns how many bytes it took. */
size_t feed(const char *bytes, size_t size);
bool fed_all(const char *bytes, size_t size);
void end_input(void);

/* Fill with bytes drawn at random, or with letters. */
void draw_bytes(char *bytes, size_t size);
void draw_word(char *word, size_t length);
/* Something did not happen: the same as diagnosed(), but if the program has
 * ended and its last words name an error, that error is the cause. */
NO_RETURN void explained(int peer, enum mistake otherwise, const char *format,
                         ...) LIKE_PRINTF(3, 4);

/* A client is not served while another one is there. */
NO_RETURN void not_beside(int peer, const char *format, ...) LIKE_PRINTF(2, 3);
/* A connection that is over has not been closed. What the program does now,
 * such as waiting for new clients, is not the cause. */
NO_RETURN void never_closed(const char *format, ...) LIKE_PRINTF(1, 2);

/* Compare an echo with what was sent; a difference is a verdict. */
void must_be_same(const char *who, const char *echo, size_t length,
                  const char *bytes, size_t size, size_t before);

/* Check that it sleeps, by what the kernel says alone. */
void must_rest(const char *while_what);
/* How many of its connections are over for the peer, but not closed by it. */
size_t left_open(void);
/* Inject these faults: by the kernel's reports, or where it has none, by a
 * preloaded witness. Ask before the start; and after it, whether that works. */
void inject_anywhere(const char *which);
void must_be_injectable(void);
/* From now on the program may have so many descriptors more. */
void leave_descriptors(size_t more);
/* The memory of all of its processes. */
size_t its_memory(void);

/* --- For program.c -------------------------------------------------------- */

/* All processes of the program, and all of their threads. */
struct family {
    duration ran, waited; /* for a processor */
    size_t memory;
    size_t processes, threads;
    size_t runnable;            /* threads that run, or are ready to */
    unsigned long long wakeups; /* of the thread that woke up most often */
};

/* The supervisor's descendants, and those of ours. */
struct family family_of(pid_t ancestor);
struct family the_family(void);

#endif
