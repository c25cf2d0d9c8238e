/* SPDX-License-Identifier: MIT */
/*
 * Contract: echo-server --idle
 * Verdict:  BUSY_SPIN
 *
 * Asks every client again and again.
 */
#include "server.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
    int fds[64], count = 0, listener = listening_on(argv[1]);

    (void)argc;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    for (;;) {
        int fd = count < 64 ? accept(listener, NULL, NULL) : -1;

        if (fd >= 0)
            fds[count++] = fd;
        for (int i = 0; i < count; i++) {
            char bytes[16384];
            ssize_t n = recv(fds[i], bytes, sizeof bytes, MSG_DONTWAIT);

            if (n > 0) {
                send_all(fds[i], bytes, (size_t)n);
            } else if (n == 0) {
                close(fds[i]);
                fds[i--] = fds[--count];
            }
        }
    }
}
