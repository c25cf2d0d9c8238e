/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool report_wanted;
static duration stop_after;
static const char *log_name = "info";

static const struct setting common_settings[] = {
    {"report", NULL, "end with one line of key=value counters",
     .flag = &report_wanted},
    {"stop-after", "TIME", "stop after TIME, as if by SIGTERM",
     .time = &stop_after},
    {"log", "LEVEL", "log on stderr: error, warn, info or debug",
     .text = &log_name},
    {0},
};

static void set_log_level(void)
{
    static const char *const levels[] = {
        [LEVEL_ERROR] = "error",
        [LEVEL_WARN] = "warn",
        [LEVEL_INFO] = "info",
        [LEVEL_DEBUG] = "debug",
    };

    for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++)
        if (strcmp(log_name, levels[level]) == 0) {
            log_level = (enum log_level)level;
            return;
        }
    usage_error("--log takes error, warn, info or debug, not '%s'", log_name);
}

static instant began;
static bool ready;         /* the command line is read */
static bool output_closed; /* when the program began */

/* Runs at every exit, so that a program that dies reports as well. */
static void close_program(void)
{
    if (ready && report_wanted)
        print_report(began);
    if (output_error() == 0)
        return;
    log_level = LEVEL_WARN; /* status 1 is never without a word */
    if (output_closed)
        warn_because(0, "standard output is closed: the output of this program "
                        "is lost");
    else if (output_error() == EINTR)
        warn_because(0,
                     "stopped by %s, and nobody reads the output: the rest of "
                     "it is lost",
                     stop_reason());
    else
        warn_because(output_error(), "cannot write to standard output");
    _exit(1);
}

/*
 * A program may be started with standard input, output or error closed. Its
 * first socket would then be descriptor 0, 1 or 2, and messages for the user
 * would go into a connection. So open /dev/null on these numbers, in the wrong
 * direction: read and write then fail, as on a closed descriptor.
 */
static void take_standard_descriptors(void)
{
    output_closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            die("cannot open /dev/null in place of descriptor %d", fd);
}

char **begin(const struct program *program, int argc, char **argv)
{
    char **operands;

    if (argc > 0)
        name_program(argv[0]);
    take_standard_descriptors();
    began = now();
    atexit(close_program);
    operands = read_command_line(program, common_settings, argc, argv);
    set_log_level();
    ready = true;
    listen_for_signals(stop_after);
    return operands;
}
