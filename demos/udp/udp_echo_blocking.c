/* SPDX-License-Identifier: MIT */
/*
 * udp_echo_blocking - an echo server for datagrams.
 *
 * Shows    one recvmsg returns one datagram: whole, or cut to the size of the
 *          buffer, and then MSG_TRUNC says so. A count of 0 is an empty
 *          datagram and not the end: UDP has no connections that could end. So
 *          no client waits until another one has finished.
 * Run      udp_echo_blocking 8080
 *          udp_client 127.0.0.1 8080 'one datagram' '' 'another'
 * Compare  udp_echo_nonblocking: works until a datagram comes
 */
#include "wouldblock.h"

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
    "A UDP echo server that sleeps until a datagram comes.",
    "PORT",
    settings,
};

static char datagram[64 * 1024];

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int fd = bound_socket(address, operands[0], SOCK_DGRAM);
    size_t datagrams = 0, truncated = 0, unanswered = 0;

    if (room > sizeof datagram)
        usage_error("--room goes up to %zu", sizeof datagram);
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
    report("datagrams", "%zu", datagrams);
    report("truncated", "%zu", truncated);
    report("unanswered", "%zu", unanswered);
    close(fd);
    return 0;
}
