/* SPDX-License-Identifier: MIT */
/*
 * bare - the smallest possible echo server with epoll, to measure what
 * echo_epoll costs beyond that (scripts/benchmark epoll). It has no options, no
 * counters, and no protection from bad peers.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int listener = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event ready[64];
    const int on = 1;
    static char bytes[16384];

    if (listener < 0 || set < 0 ||
        bind(listener, (struct sockaddr *)&own, sizeof own) < 0 ||
        getsockname(listener, (struct sockaddr *)&own, &length) < 0 ||
        listen(listener, 128) < 0 ||
        epoll_ctl(set, EPOLL_CTL_ADD, listener, &event) < 0)
        return 1;
    printf("listening on 127.0.0.1 port %d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(set, ready, 64, -1);

        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;

            if (fd == listener) {
                event.data.fd = accept(listener, NULL, NULL);
                setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on,
                           sizeof on);
                epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }

            ssize_t n = recv(fd, bytes, sizeof bytes, 0);

            if (n <= 0 || send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
                close(fd);
        }
    }
}
