/* SPDX-License-Identifier: MIT */
/*
 * echo_load - puts an echo server under load and measures what that costs.
 *
 * Shows    thousands of connections in one thread, most of them silent, as in
 *          practice. The active ones send a message, wait for the echo and send
 *          the next message; only they are in poll's list. The time of each
 *          round trip goes into a histogram. With --watch the program reads
 *          from /proc how much CPU time and memory the server used (Linux).
 * Run      echo_epoll 8080
 *          echo_load --connections 1000 --active 10 127.0.0.1 8080
 * See      scripts/scale: all servers, from 10 to 10,000 connections
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t connections = 100, active = 10, size = 64;
static duration length = 2 * SECOND, idle = 500 * MILLISECOND;
static const char *watched = "";

static const struct setting settings[] = {
    {"connections", "N", "open N connections", .size = &connections},
    {"active", "N", "N of them send all the time", .size = &active},
    {"size", "BYTES", "send messages of BYTES", .size = &size},
    {"time", "TIME", "send for TIME", .time = &length},
    {"idle", "TIME", "before that, send nothing for TIME", .time = &idle},
    {"watch", "PID", "measure the server, the process PID", .text = &watched},
    {0},
};
static const struct program program = {
    "Puts an echo server under load and measures it.",
    "HOST PORT",
    settings,
};

static const duration patience = 20 * SECOND;

static int *fds;
static char message[64 * 1024], echo[64 * 1024];

/* --- The server, seen from outside ---------------------------------------- */

/* The first number after this text in a file of /proc/PID; -1 if there is
 * none. */
static double number_in(const char *file, const char *text)
{
    char path[64], line[256];
    double number = -1;

    snprintf(path, sizeof path, "/proc/%s/%s", watched, file);

    FILE *from = *watched ? fopen(path, "r") : NULL;

    while (from && number < 0 && fgets(line, sizeof line, from))
        if (strncmp(line, text, strlen(text)) == 0)
            number = strtod(line + strlen(text), NULL);
    if (from)
        fclose(from);
    return number;
}

/* CPU time used so far, in seconds (proc(5), schedstat). */
static double cpu_time(void)
{
    return number_in("schedstat", "") / 1e9;
}

/* --- The load ------------------------------------------------------------- */

/* How many round trips took so many microseconds; the last entry counts all
 * that took longer. */
enum { MOST_MICROSECONDS = 1000000 };
static unsigned histogram[MOST_MICROSECONDS + 1];
static unsigned long long round_trips;

static void count_round_trip(duration took)
{
    duration us = took / MICROSECOND;

    histogram[us < MOST_MICROSECONDS ? us : MOST_MICROSECONDS]++;
    round_trips++;
}

/* The microseconds that this share of the round trips did not exceed. */
static unsigned percentile(double share)
{
    unsigned long long rank = (unsigned long long)((double)round_trips * share);
    unsigned us = 0;

    for (unsigned long long passed_by = histogram[0];
         passed_by <= rank && us < MOST_MICROSECONDS;)
        passed_by += histogram[++us];
    return us;
}

/* A message fits into empty buffers, but for a large one they have to grow. */
static void send_message(int fd)
{
    const instant deadline = deadline_in(patience);

    for (size_t sent = 0; sent < size && !stopping();) {
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        struct answer put =
            send_answer(send(fd, message + sent, size - sent, 0), size - sent);

        if (put.kind == FAILED)
            die_because(put.error, "cannot send to the server");
        sent += put.count;
        if (put.kind == AGAIN && poll(&room, 1, poll_time(deadline)) < 0 &&
            errno != EINTR)
            die("cannot wait for the server");
        if (put.kind == AGAIN && passed(deadline))
            die_because(0, "the server does not take a whole message");
    }
}

/* Receive a part of a message; *got counts its bytes. True when it is whole. */
static bool received_message(int fd, size_t *got)
{
    struct answer came =
        recv_answer(recv(fd, echo, size - *got, 0), size - *got);

    if (came.kind == FAILED || came.kind == CLOSED)
        die_because(came.error, "the server has closed a connection");
    if (memcmp(echo, message + *got, came.count) != 0)
        die_because(0, "the echo is not what was sent: is it an echo server?");
    *got += came.count;
    return *got == size;
}

static NO_RETURN void stopped_early(void)
{
    die_because(0, "stopped by %s before all connections were served",
                stop_reason());
}

/* Wait for the first echo of a connection. */
static void see_it_served(size_t i)
{
    const instant deadline = deadline_in(patience);
    size_t got = 0;

    do {
        struct pollfd wait = {.fd = fds[i], .events = POLLIN};

        if (poll(&wait, 1, poll_time(deadline)) < 0 && errno != EINTR)
            die("cannot wait for the server");
        if (stopping())
            stopped_early();
        if (passed(deadline))
            die_because(0, "connection %zu is not served", i + 1);
    } while (!received_message(fds[i], &got));
}

/* Open all connections, and wait for an echo on each: then the server has
 * accepted it. */
static void connect_all(const struct addrinfo *to)
{
    for (size_t i = 0; i < connections; i++) {
        struct answer made = connect_until(to, deadline_in(patience));

        if (made.kind == PENDING)
            stopped_early();
        if (made.kind != DONE)
            die_because(made.error, "cannot connect to %s",
                        address_text(to->ai_addr, to->ai_addrlen));
        fds[i] = made.fd;
        send_message(fds[i]);
        status_progress(i, connections);
    }
    for (size_t i = 0; i < connections; i++)
        see_it_served(i);
}

/* On each active connection: send, wait for the echo, send again. */
static void run_load(void)
{
    struct pollfd *list = enlarged(NULL, active, sizeof *list);
    size_t *got = enlarged(NULL, active, sizeof *got);
    instant *began = enlarged(NULL, active, sizeof *began);
    instant end = deadline_in(length);

    for (size_t i = 0; i < active; i++) {
        /* Evenly spread over all connections. */
        list[i] = (struct pollfd){.fd = fds[i * connections / active],
                                  .events = POLLIN};
        got[i] = 0;
        began[i] = now();
        send_message(list[i].fd);
    }
    while (!passed(end) && !stopping()) {
        if (poll(list, active, poll_time(end)) < 0) {
            if (errno != EINTR)
                die("cannot wait for the server");
            continue;
        }
        for (size_t i = 0; i < active; i++)
            if (list[i].revents && received_message(list[i].fd, &got[i])) {
                count_round_trip(now() - began[i]);
                got[i] = 0;
                began[i] = now();
                send_message(list[i].fd);
            }
    }
    free(list);
    free(got);
    free(began);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    struct addrinfo *to = resolve(operands[0], operands[1], SOCK_STREAM);

    if (active == 0 || active > connections)
        usage_error("--active goes from 1 to the number of connections");
    if (size == 0 || size > sizeof message)
        usage_error("--size goes from 1 to %zu", sizeof message);
    if (raise_descriptor_limit() < connections + 10)
        die_because(EMFILE, "cannot open %zu connections", connections);
    fds = enlarged(NULL, connections, sizeof *fds);
    memset(message, 'x', sizeof message);

    double memory = number_in("status", "VmRSS:");

    connect_all(to);
    memory = number_in("status", "VmRSS:") - memory;

    double cpu = cpu_time();
    instant began = now();

    nap(idle);

    double idle_cpu = cpu_time() - cpu, rested = seconds(now() - began);

    began = now();

    cpu = cpu_time();
    run_load();

    double took = seconds(now() - began);

    cpu = cpu_time() - cpu;
    say("%zu connections, %zu active: %.0f round trips a second", connections,
        active, (double)round_trips / took);
    if (round_trips > 0) {
        say("half of them took at most %u us, 99 %% at most %u us",
            percentile(0.5), percentile(0.99));
        report("p50_us", "%u", percentile(0.5));
        report("p99_us", "%u", percentile(0.99));
    }
    report("round_trips", "%llu", round_trips);
    report("trips_per_second", "%.0f", (double)round_trips / took);
    if (number_in("schedstat", "") >= 0) {
        double kib = memory / (double)connections;

        say("the server used %.1f KiB for each connection", kib);
        report("server_kib", "%.2f", kib);
        if (idle > 0) {
            double share = idle_cpu / rested;

            say("the server used %.1f %% of a core while idle", 100 * share);
            report("server_idle", "%.4f", share);
        }
        if (round_trips > 0) {
            double each = 1e6 * cpu / (double)round_trips;

            say("the server used %.1f us of CPU time for each round trip",
                each);
            report("server_us", "%.2f", each);
        }
    }
    if (stopping())
        die_because(0,
                    "stopped by %s: the numbers cover only the time until then",
                    stop_reason());
    freeaddrinfo(to);
    for (size_t i = 0; i < connections; i++)
        close(fds[i]);
    free(fds);
    return 0;
}
