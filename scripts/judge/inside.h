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
    duration awake; /* it ran, or waited for a processor */
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

/* --- peers.c -------------------------------------------------------------- */

/* Read the witness's new records: which clients were accepted and closed. */
void read_witness(void);
/* The last successful call of this kind on fd; NULL if there is none. */
const struct seen *last_successful(enum call call, int fd);
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
