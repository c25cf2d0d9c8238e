/* SPDX-License-Identifier: MIT */
/*
 * select_except - what select's third set is for.
 *
 * Shows    an error makes a socket readable and writable, and the next call
 *          returns that error. The third set, "exceptional conditions", is
 *          for TCP's urgent data; it stays empty when a connection breaks.
 * Run      select_except
 * Compare  connect_poll: where an error shows up as writable
 */
#include "wouldblock.h"

#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct setting settings[] = {
    {0},
};
static const struct program program = {
    "Shows which of select's sets report what.",
    "",
    settings,
};

static void send_byte(int fd, int flags)
{
    while (send(fd, "x", 1, flags) != 1)
        if (errno != EINTR)
            die("cannot send a byte");
}

static void print_sets(const char *when, int fd)
{
    struct timeval limit = {.tv_sec = 1};
    fd_set readable, writable, exceptional;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&exceptional);
    FD_SET(fd, &readable);
    FD_SET(fd, &exceptional);
    /* No writable set at first: a socket is nearly always writable. */
    while (select(fd + 1, &readable, NULL, &exceptional, &limit) < 0)
        if (errno != EINTR) /* the sets are as they were (select(2)) */
            die("cannot select");
    FD_SET(fd, &readable);
    FD_SET(fd, &writable);
    FD_SET(fd, &exceptional);
    while (select(fd + 1, &readable, &writable, &exceptional, &limit) < 0)
        if (errno != EINTR)
            die("cannot select");
    say("%-26s %-10s %-10s %s", when,
        FD_ISSET(fd, &readable) ? "readable" : "-",
        FD_ISSET(fd, &writable) ? "writable" : "-",
        FD_ISSET(fd, &exceptional) ? "exceptional" : "-");
}

int main(int argc, char **argv)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int near, far;
    char byte;

    begin(&program, argc, argv);

    connected_pair(&near, &far);
    send_byte(far, 0);
    print_sets("a byte has come", near);
    recv(near, &byte, 1, 0);
    send_byte(far, MSG_OOB);
    print_sets("an urgent byte has come", near);
    close(far);
    close(near);

    connected_pair(&near, &far);
    close(far);
    print_sets("the peer has closed", near);
    close(near);

    connected_pair(&near, &far);
    setsockopt(far, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(far);
    print_sets("the peer has reset", near);

    struct answer got = recv_answer(recv(near, &byte, 1, 0), 1);

    say("... and recv tells why: %s", error_entry(got.error)->symbol);
    close(near);
    return 0;
}
