/* SPDX-License-Identifier: MIT */
/*
 * typist - runs a command in a terminal of its own and types into it what comes
 * on standard input. What the terminal shows goes to standard output.
 *
 *     typist bash --norc -i
 *
 * A pty (pty(7)) makes a shell interactive: it has job control, it prints a
 * prompt, and the programs in it see a terminal. When the command ends, when
 * standard input ends, or when typist is asked to stop, everything that was
 * started in the terminal is ended as well. Exit status: 0.
 */
#define _GNU_SOURCE
#include "wouldblock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct setting settings[] = {
    {0},
};
static const struct program program = {
    "Types its standard input into a terminal in which COMMAND runs.",
    "COMMAND [ARGUMENT]...",
    settings,
};

static NO_RETURN void become_command(char **command, const char *terminal)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    sigset_t none;

    setsid();

    /* The first terminal that a session leader opens becomes its controlling
     * terminal. */
    int fd = open(terminal, O_RDWR);

    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
        die("cannot open %s", terminal);
    ioctl(fd, TIOCSWINSZ, &size);
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
        dup2(fd, standard);
    if (fd > STDERR_FILENO)
        close(fd);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command[0], command);
    die("cannot run %s", command[0]);
}

/* Pass on what can be read. False at the end: a terminal that no process uses
 * any more fails with EIO. */
static bool hand_on(int from, int to)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    for (ssize_t written = 0; written < n;) {
        ssize_t w = write(to, bytes + written, (size_t)(n - written));

        if (w < 0 && errno != EINTR)
            return false;
        written += w > 0 ? w : 0;
    }
    return n > 0;
}

/* End all descendants. A process that loses its parent becomes our child
 * (PR_SET_CHILD_SUBREAPER, prctl(2)), so none is left when we have no children
 * any more. */
static void end_all_children(void)
{
    char path[64], *list = NULL, *rest;
    size_t room = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    do {
        FILE *children = fopen(path, "r");

        /* The file is one line without a newline. */
        if (children && getline(&list, &room, children) > 0)
            for (char *p = list;; p = rest) {
                pid_t child = (pid_t)strtol(p, &rest, 10);

                if (rest == p)
                    break;
                kill(child, SIGKILL);
            }
        if (children)
            fclose(children);
    } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
    free(list);
}

int main(int argc, char **argv)
{
    char **command = begin(&program, argc, argv);
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
        die("cannot make a terminal");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);

    pid_t child = fork();

    if (child < 0)
        die("cannot start a process");
    if (child == 0)
        become_command(command, ptsname(terminal));
    while (!stopping()) {
        struct pollfd list[] = {{.fd = terminal, .events = POLLIN},
                                {.fd = STDIN_FILENO, .events = POLLIN}};

        if (poll(list, 2, -1) < 0)
            continue; /* a signal: check whether to stop */
        if (list[0].revents && !hand_on(terminal, STDOUT_FILENO))
            break;
        if (list[1].revents && !hand_on(STDIN_FILENO, terminal))
            break;
    }
    close(terminal);
    end_all_children();
    return 0;
}
