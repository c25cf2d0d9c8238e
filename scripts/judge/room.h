/* SPDX-License-Identifier: MIT */
/*
 * room.h - a room for a program that nobody trusts: what it can see, reach and
 * leave behind, in levels. The supervisor builds it.
 */
#ifndef WOULDBLOCK_ROOM_H
#define WOULDBLOCK_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The levels, best first:
 *   namespaces  processes, files, IPC and the network are its own
 *               (namespaces(7)); also the next two where the kernel has them
 *   landlock    it shares these, but Landlock (landlock(7)) and a filter of
 *               system calls (seccomp(2)) refuse what is not its business
 *   user        it runs as a user of its own, and finds what all users find
 *   none        it can do what we can do
 */
enum level { NAMESPACES, LANDLOCK, OWN_USER, UNCONTAINED, LEVELS };

/* "namespaces"; and the level of that name, or LEVELS. */
const char *level_name(enum level level);
enum level level_called(const char *name);

struct room {
    const char *program; /* the file to run */
    const char *folder;  /* it may write there, or NULL */
    const char *shown;   /* another folder that it may read, or NULL */
    bool compiler;       /* it compiles a submission, and is none */
    uid_t user;          /* it runs as this user; 0: as we do */
    size_t disk;         /* its files hold so many bytes at most */
    bool offline;        /* it gets no network at all */
};

/* The words of what failed last in one of the functions below; errno says why.
 * They fit after "cannot". */
extern const char *room_problem;

/*
 * Enter a network that has a loopback and nothing else, and hand that on to the
 * supervisor. Returns false, and changes nothing, if the kernel refuses.
 */
bool enter_own_network(void);
/* Has the process that started us entered one? */
bool in_own_network(void);

/*
 * The steps to a room, each in the process that enters it. First, name spaces:
 * the next child of the caller is process 1 there, and all later ones are in it
 * too. Then that process 1, which only waits. Then the file system.
 */
bool enter_namespaces(const struct room *room);
_Noreturn void be_first_process(void);
bool furnish(const struct room *room);
/* Start a process whose parent is the caller's parent. Like fork. */
pid_t fork_sibling(void);

/* Can never get more rights, and loses those that root has. */
bool give_up_rights(void);
/* The version of Landlock in this kernel; 0 if it has none. */
int landlock_version(void);
/* From now on, files, signals and abstract sockets are restricted. */
bool restrict_files(const struct room *room, bool namespaces);
/* Do we know the calls of this kind of processor? */
bool can_refuse_calls(void);
/* From now on, the calls that no submission needs fail. The last step before
 * execve: nothing can add a filter after it. */
bool refuse_calls(const struct room *room, bool namespaces);

/* Remove a folder and all that is in it, however deep. */
void remove_folder(const char *path);
/* Remove what a user has left in the folders that all users can write to, and
 * its System V shared memory, semaphores and messages. */
void remove_leavings(uid_t user);

#endif
