/* SPDX-License-Identifier: MIT */
/*
 * server.h - what the servers in C here share. It is not part of our library:
 * these programs stand for programs that know nothing of it.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static inline int listening_on(const char *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    own.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0 || listen(fd, 64) < 0)
        exit(1);
    return fd;
}

static inline ssize_t send_all(int fd, const char *bytes, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (n < 0)
            return -1;
        sent += (size_t)n;
    }
    return (ssize_t)size;
}

static inline ssize_t send_all_of(int fd, char *bytes, ssize_t n)
{
    return send_all(fd, bytes, (size_t)n);
}

/* A process for each client, which echoes in this way. */
static inline void serve_forked(const char *port,
                                ssize_t (*echo)(int, char *, ssize_t))
{
    const struct timespec pause = {.tv_nsec = 50000000};
    int listener = listening_on(port);

    signal(SIGCHLD, SIG_IGN); /* no zombies */
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            nanosleep(&pause, NULL); /* perhaps no descriptor is left */
            continue;
        }
        if (fork() == 0) {
            char bytes[4097];
            ssize_t n;

            close(listener);
            while ((n = recv(fd, bytes, sizeof bytes - 1, 0)) > 0 &&
                   echo(fd, bytes, n) > 0)
                ;
            exit(0);
        }
#ifndef PARENT_KEEPS_IT
        close(fd);
#endif
    }
}
