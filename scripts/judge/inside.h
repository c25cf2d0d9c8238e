/* SPDX-License-Identifier: MIT */
/*
 * inside.h - what the parts of the judge share with each other, but not with
 * the checks.
 */
#ifndef WOULDBLOCK_INSIDE_H
#define WOULDBLOCK_INSIDE_H

#include "judge.h"

/* It changes with every change of a check: a grade names it. */
#define JUDGE_VERSION "1.1"

/* --- judge.c -------------------------------------------------------------- */

/* The verdict of one check, in memory shared with the main process. */
enum { STEPS = 48, WORDS = 4096 };

struct verdict {
    bool reached; /* false: the check itself failed */
    enum mistake what;
    char symptom[640];
    char level[16]; /* of containment: see the supervisor's 'started' line */
    double seconds;
    size_t steps;
    struct {
        double at;
        char text[200];
    } step[STEPS];
    char words[WORDS]; /* the end of the program's output */
};

extern struct verdict *verdict; /* of this check */
extern const struct exercise *exercise;
extern instant began;         /* when this check began */
extern const char *binary;    /* the program under test */
extern char supervisor[4096]; /* the path of our supervisor */
/* Write the timeline of this run, if it is wanted. */
void tell_timeline(enum mistake what);

/* A contract is checked, not an exercise: the program may be in any language,
 * and it may have several processes. See contract.h. */
extern bool any_program;
enum { MOST_WORDS = 100 }; /* of its command */

/* Quote a word for a shell, if it needs that. The caller frees the result. */
char *quoted_for_shell(const char *word);

/* --- program.c ------------------------------------------------------------ */

/* How the program ended; valid after its end. */
extern struct program_end {
    char how[16], limit[16]; /* "exit" or "signal"; "-" or a limit's name */
    int code;
    duration delay; /* it waited for a processor */
} end;

/* End the program and every process that it started. */
void stop_program(void);
/* Progress was seen: restart the stall timer. */
void restart_stall_timer(void);
const char *call_name(int call);
/* Its standard input; -1: nothing. Set it before the start. */
extern int its_input;
/* The process that does the work: the supervisor's child, or another process
 * that we are told of. And the supervisor. */
pid_t the_process(void);
void the_program_is(pid_t process);
pid_t supervisor_of_program(void);
struct standing; /* see kernel.c below */
struct standing its_call(void);

/* --- kernel.c ------------------------------------------------------------- */

/* All functions below tell about this process. */
void look_at(pid_t which);

/* Its state, as in ps: R, S, D, Z, ... or \0 if it is gone. */
char state(void), state_of(pid_t which);
/* How long it has run or was ready to run; how long a process has waited for a
 * processor. */
duration wanted_cpu(void), waited_for_cpu(pid_t which);

/* The system call in which it sleeps. */
struct standing {
    bool known;  /* the kernel tells us */
    bool inside; /* it is in a call; otherwise it runs */
    int call;    /* enum call; CALLS if it is none of them */
    int fd;      /* NOWHERE: the call has no descriptor */
    unsigned long long arguments[6];
};
struct standing standing(void);

/* If it sleeps in select, poll or epoll_wait: does it wait for this descriptor,
 * and for what? */
struct interest {
    bool known;
    bool watched;
    bool beyond;     /* in one of select's sets, but select was told less */
    unsigned events; /* POLLIN, POLLOUT, EPOLLET, ... */
};
struct interest interest_in(int fd);

/* The TCP sockets of its network name space. */
struct tcp_socket {
    unsigned port, peer_port;
    unsigned state;          /* TCP_ESTABLISHED, ...: <netinet/tcp.h> */
    unsigned unsent, unread; /* bytes in its queues */
    unsigned long inode;     /* 0: no process has it, or not any more */
};
/* The one with these ports; ANY_PORT finds only sockets of the program. */
enum { ANY_PORT = 0 };
bool find_tcp_socket(unsigned port, unsigned peer_port,
                     struct tcp_socket *found);
/* Do bytes wait in the queue of the socket with these ports, although its peer
 * has received all that came? */
bool is_on_its_way(unsigned port, unsigned peer_port);
/* The program's descriptor that listens on this port; -1 if it has none. */
int listener_on(unsigned port);
/* The program's descriptor for the socket with this inode; -1 if it has none.
 * A child's will do. */
int held_as(unsigned long inode);

/* --- notify.c ------------------------------------------------------------- */

struct reports {
    uint64_t count; /* the last REPORTS_KEPT are kept */
    uint64_t calls[CALLS];
    struct report list[REPORTS_KEPT];
};

/* What the checks asked for before the start; NULL if nothing. */
const char *reported_calls(void), *injected_faults(void);
/* Start the notifier. Returns the socket to which the listener must be sent. */
int start_notifier(pid_t *notifier);

/* --- peers.c -------------------------------------------------------------- */

/* Ask the kernel which clients are accepted by now, and which are closed. */
void look_at_peers(void);
/* Do bytes wait in the kernel, although their receiver has read all that came?
 * TCP's timers hold them back: for up to a second or two after the receiver
 * read nothing for long. */
bool on_its_way(void);
/* How many peers have connected, and the name of the peer at the program's
 * descriptor; "" if it belongs to no peer. */
size_t peers_connected(void);
/* Dial this port. */
void use_port(int number);
/* This connection to it is a client from now on. */
void adopt_peer(const char *who, int fd);
const char *peer_behind(int its_fd);
/* How it waits for new clients: see interest_in(). */
struct interest listener_interest(void);

/* For the timeline: the port on which the program listens, the port of a peer,
 * and the descriptor that the program had for it. */
unsigned port_of_program(void), port_of_peer(size_t peer);
int its_fd_of(size_t peer);

/* --- timeline.c ----------------------------------------------------------- */

/* A peer did this, from then until now. A result of -1: it still waits. */
void note_deed(const char *who, int fd, unsigned port, const char *call,
               instant from, long long result);
/* Write FOLDER/CHECK.trace. */
void write_timeline(const char *folder, const char *check);

/* --- contract.c, contract_program.c --------------------------------------- */

/* The command as words, for a program that is to use this port. */
char *const *command_for(int port);
/* Start it, with this standard input. */
void start_command(int port, int input);
/* Options of the supervisor for any program. Returns how many words. */
size_t more_room(const char **options);

/* --- cause.c -------------------------------------------------------------- */

/* Store the verdict of this check and end its process. */
NO_RETURN void give_verdict(enum mistake what);
/* The check itself failed, not the program. */
NO_RETURN void check_failed(const char *what);

#endif
