/* SPDX-License-Identifier: MIT */
/*
 * udp_echo_nonblocking - an echo server for datagrams that works meanwhile.
 *
 * Shows    with O_NONBLOCK recvmsg fails with EAGAIN when the queue is empty,
 *          and the program can do other work. The queue is in the kernel, and
 *          it is bounded: if the program works for too long the kernel drops
 *          datagrams, and no call reports that.
 * Run      udp_echo_nonblocking 8080
 *          udp_client 127.0.0.1 8080 'one datagram' '' 'another'
 * Compare  udp_echo_blocking: sleeps until a datagram comes
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";
static size_t room = 2048;

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {"room", "BYTES", "receive at most BYTES of a datagram", .size = &room},
    {0},
};
static const struct program program = {
    "A UDP echo server that finds primes until a datagram comes.",
    "PORT",
    settings,
};

static char datagram[64 * 1024];

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int fd = bound_socket(address, operands[0], SOCK_DGRAM);
    size_t datagrams = 0, truncated = 0, unanswered = 0;

    if (room > sizeof datagram)
        usage_error("--room goes up to %zu", sizeof datagram);
    make_nonblocking(fd);
    announce_listening(fd);
    while (!stopping()) {
        struct sockaddr_storage from;
        struct iovec part = {.iov_base = datagram, .iov_len = room};
        struct msghdr message = {
            .msg_name = &from,
            .msg_namelen = sizeof from,
            .msg_iov = &part,
            .msg_iovlen = 1,
        };
        struct answer got = datagram_answer(recvmsg(fd, &message, 0), true);

        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: none in the queue */
            work_step();
        if (got.kind == FAILED) {
            receive_failed(got.error);
            continue;
        }
        if (got.kind != DONE)
            continue;

        datagrams++;
        if (message.msg_flags & MSG_TRUNC) {
            truncated++;
            log_info(
                "a datagram from %s is longer than %zu bytes: the rest is lost",
                address_text((struct sockaddr *)&from, message.msg_namelen),
                room);
        }

        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
                                                   (struct sockaddr *)&from,
                                                   message.msg_namelen),
                                            false);

        if (put.kind != DONE)
            unanswered++; /* not sent: the client has to try again */
    }
    say("prime numbers found meanwhile: %s", grouped(work_found()));
    report("datagrams", "%zu", datagrams);
    report("truncated", "%zu", truncated);
    report("unanswered", "%zu", unanswered);
    close(fd);
    return 0;
}
