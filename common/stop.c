/* SPDX-License-Identifier: MIT */
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

static void ask_to_stop(int signal)
{
    if (stop_signal == 0)
        stop_signal = signal;
    /* If the signal arrives just before a blocking call or a nap begins, it
     * does not interrupt it. So SIGALRM repeats it every second until the loop
     * has noticed. alarm is safe in a handler (signal-safety(7)). */
    alarm(1);
}

static void interrupt(int signal)
{
    (void)signal; /* it has interrupted the call: nothing else to do */
}

void listen_for_signals(duration stop_after)
{
    struct sigaction act = {.sa_handler = ask_to_stop};
    struct sigaction was;

    /* No SA_RESTART: a blocking call is to return with EINTR. */
    sigemptyset(&act.sa_mask);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGALRM, &act, NULL);
    /* A shell starts background programs with SIGINT ignored: keep that. */
    if (sigaction(SIGINT, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
        sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);

    act.sa_handler = interrupt;
    sigaction(SIGUSR1, &act, NULL);

    /* A program inherits which signals are blocked (sigprocmask(2)). Now that
     * there are handlers, they may come. */
    sigprocmask(SIG_SETMASK, &act.sa_mask, NULL);

    if (stop_after > 0) {
        /* Rounded up: a timer of 0 would never come. */
        duration us = (stop_after + MICROSECOND - 1) / MICROSECOND;
        struct itimerval timer = {
            .it_value = {.tv_sec = (time_t)(us / 1000000),
                         .tv_usec = (suseconds_t)(us % 1000000)}};

        setitimer(ITIMER_REAL, &timer, NULL);
    }
}

static bool button_gone;

/* The kernel stops a background job that reads from its terminal (SIGTTIN), so
 * such a job has no stop button. */
int stop_button(void)
{
    if (button_gone ||
        (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp()))
        return -1;
    return STDIN_FILENO;
}

/* Standard input is shared with the shell, so O_NONBLOCK must not be set there.
 * Instead, poll with a time-out of 0 tells whether read would block. */
static bool enter_pressed(void)
{
    struct pollfd in = {.fd = stop_button(), .events = POLLIN};
    char line[256];

    if (poll(&in, 1, 0) <= 0)
        return false;

    ssize_t n = read(STDIN_FILENO, line, sizeof line);

    button_gone = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    return n > 0 && memchr(line, '\n', (size_t)n);
}

static const char *own_reason;

bool stop_due(instant deadline)
{
    static instant next_look;

    if (stopping())
        return true;
    if (passed(deadline)) {
        own_reason = "the deadline";
    } else if (passed(next_look)) {
        next_look = deadline_in(SECOND / 100);
        if (enter_pressed())
            own_reason = "Enter";
    }
    return stopping();
}

bool stopping(void)
{
    return stop_signal != 0 || own_reason != NULL;
}

const char *stop_reason(void)
{
    if (own_reason)
        return own_reason;
    switch (stop_signal) {
    case 0:
        return "";
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    default:
        return "--stop-after";
    }
}

void nap(duration length)
{
    if (length > 0)
        nap_until(now() + length);
}

void nap_until(instant when)
{
    duration left;

    while (!stopping() && (left = when - now()) > 0) {
        if (left > 3600 * SECOND) /* NEVER does not fit into every time_t */
            left = 3600 * SECOND;

        struct timespec t = {.tv_sec = (time_t)(left / SECOND),
                             .tv_nsec = (long)(left % SECOND)};

        nanosleep(&t, NULL);
    }
}
