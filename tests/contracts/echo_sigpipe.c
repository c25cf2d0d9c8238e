/* SPDX-License-Identifier: MIT */
/*
 * Contract: echo-server --resets
 * Verdict:  SIGPIPE_DEATH
 *
 * Sends to a client that is gone, without a word about SIGPIPE.
 */
#include "server.h"

#include <poll.h>

int main(int argc, char **argv)
{
    struct pollfd list[64] = {{.events = POLLIN}};
    nfds_t count = 1;

    (void)argc;
    list[0].fd = listening_on(argv[1]);
    for (;;) {
        poll(list, count, -1);
        if (list[0].revents && count < 64)
            list[count++] = (struct pollfd){
                .fd = accept(list[0].fd, NULL, NULL), .events = POLLIN};
        for (nfds_t i = 1; i < count; i++) {
            char bytes[65536];
            ssize_t n;

            if (!list[i].revents)
                continue;
            n = read(list[i].fd, bytes, sizeof bytes);
            if (n <= 0) {
                close(list[i].fd);
                list[i--] = list[--count];
                continue;
            }
            for (ssize_t sent = 0, more = 1; sent < n && more != 0;) {
                more = write(list[i].fd, bytes + sent, (size_t)(n - sent));
                sent += more > 0 ? more : 0;
            }
        }
    }
}
