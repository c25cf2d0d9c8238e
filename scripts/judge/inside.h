/* SPDX-License-Identifier: MIT */
/*
 * inside.h - what the parts of the judge share, and no check needs.
 */
#ifndef WOULDBLOCK_INSIDE_H
#define WOULDBLOCK_INSIDE_H

#include "judge.h"

/* --- judge.c -------------------------------------------------------------- */

/* What became of one check, in memory shared with the main process. */
enum { STEPS = 48, WORDS = 4096 };

struct verdict {
    bool reached; /* false if the check itself broke down */
    enum mistake what;
    char symptom[640];
    double seconds;
    size_t steps;
    struct {
        double at;
        char text[200];
    } step[STEPS];
    char words[WORDS]; /* the last ones of the program */
};

extern struct verdict *verdict; /* this check's */
extern const struct exercise *exercise;
extern instant began;         /* this check */
extern const char *binary;    /* somebody's program */
extern char supervisor[4096]; /* the path of ours */

/* --- program.c -------------------------------------------------------
 */

/* How the program ended, once it has. */
extern struct program_end {
    char how[16], limit[16]; /* "exit" or "signal"; "-" or a limit's name */
    int code;
    duration awake; /* it ran, or waited for a processor */
} end;

/* End it and all that it has started. */
void stop_program(void);
/* Is it asleep now? */
bool asleep(void);
/* Something moves: hope begins anew. */
void begin_to_hope(void);
const char *call_name(int call);
bool is_wait(int call), is_nap(int call), is_receive(int call),
    is_send(int call), is_accept(int call);

/* --- peers.c ---------------------------------------------------------
 */

/* Take in what the witness has seen of clients that came and went. */
void follow(void);
/* The last call of this kind on fd that did not fail; NULL if none. */
const struct seen *last_well(enum call call, int fd);
/* How many peers there are, and whose the program's descriptor is; "" if
 * nobody's. */
size_t peers_met(void);
const char *peer_behind(int its_fd);

/* --- cause.c ---------------------------------------------------------
 */

/* The verdict of this check: ends its process. */
NO_RETURN void reach(enum mistake what);
/* The check itself has broken down. */
NO_RETURN void broken(const char *what);

#endif
