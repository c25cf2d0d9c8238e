source demos/udp/udp_echo_nonblocking.c
cut	^    make_nonblocking\(fd\);	^            unanswered\+\+;

=== stub
    announce_listening(fd);
    while (!stopping()) {
        /* TODO: receive what is there and send it back to whom it came from.
         * While nothing is there, do a work_step(). */
        (void)make_nonblocking;
        if (recv(fd, datagram, room, 0) >= 0)
            datagrams++;

=== right sleeps in poll, and has the kernel tell the length with MSG_TRUNC
-#include <fcntl.h>
-#include <sys/socket.h>
+#include <fcntl.h>
+#include <poll.h>
+#include <sys/socket.h>
@@
-        struct sockaddr_storage from;
-        struct iovec part = {.iov_base = datagram, .iov_len = room};
-        struct msghdr message = {
-            .msg_name = &from,
-            .msg_namelen = sizeof from,
-            .msg_iov = &part,
-            .msg_iovlen = 1,
-        };
-        struct answer got = datagram_answer(recvmsg(fd, &message, 0), true);
-
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: none in the queue */
-            work_step();
-        if (got.kind == FAILED) {
-            receive_failed(got.error);
-            continue;
-        }
-        if (got.kind != DONE)
-            continue;
-
-        datagrams++;
-        if (message.msg_flags & MSG_TRUNC) {
-            truncated++;
-            log_info(
-                "a datagram from %s is longer than %zu bytes: the rest is lost",
-                address_text((struct sockaddr *)&from, message.msg_namelen),
-                room);
-        }
-
-        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
-                                                   (struct sockaddr *)&from,
-                                                   message.msg_namelen),
-                                            false);
-
-        if (put.kind != DONE)
-            unanswered++; /* not sent: the client has to try again */
+        struct pollfd p = {.fd = fd, .events = POLLIN};
+
+        if (poll(&p, 1, -1) < 0 && errno != EINTR)
+            die("cannot wait for datagrams");
+        for (int i = 0; i < 32; i++) {
+            struct sockaddr_storage from;
+            socklen_t length = sizeof from;
+            ssize_t n = recvfrom(fd, datagram, room, MSG_TRUNC,
+                                 (struct sockaddr *)&from, &length);
+
+            if (n < 0 && errno == EAGAIN)
+                break;
+            if (n < 0)
+                continue;
+            datagrams++;
+            if ((size_t)n > room) {
+                truncated++;
+                n = (ssize_t)room;
+            }
+            if (sendto(fd, datagram, (size_t)n, 0, (struct sockaddr *)&from,
+                       length) < 0)
+                unanswered++;
+        }

=== right receives what is there into a list, then answers it
    struct item {
        struct sockaddr_storage from;
        socklen_t length;
        size_t size;
        char *bytes;
    } list[16];

    for (size_t i = 0; i < 16; i++)
        list[i].bytes = enlarged(NULL, room > 0 ? room : 1, 1);
    make_nonblocking(fd);
    announce_listening(fd);
    while (!stopping()) {
        size_t count = 0;

        while (count < 16) {
            struct item *item = &list[count];
            struct iovec part = {item->bytes, room};
            struct msghdr message = {0};
            ssize_t n;

            message.msg_name = &item->from;
            message.msg_namelen = sizeof item->from;
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            n = recvmsg(fd, &message, 0);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0 && errno != EAGAIN)
                receive_failed(errno);
            if (n < 0)
                break;
            item->size = (size_t)n;
            item->length = message.msg_namelen;
            truncated += (message.msg_flags & MSG_TRUNC) != 0;
            count++;
        }
        if (count == 0)
            work_step();
        datagrams += count;
        for (size_t i = 0; i < count; i++)
            if (sendto(fd, list[i].bytes, list[i].size, 0,
                       (struct sockaddr *)&list[i].from, list[i].length) < 0)
                unanswered++;

=== wrong RECEIVE_BLOCKS the flag is forgotten
-    make_nonblocking(fd);
+    (void)make_nonblocking;

=== wrong EAGAIN_FATAL an empty queue is the end
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: none in the queue */
-            work_step();
+        if (got.kind == AGAIN)
+            break;

=== wrong ZERO_IS_END an empty datagram ends the server
-        datagrams++;
+        if (got.count == 0)
+            break;
+        datagrams++;

=== wrong ZERO_IS_END an empty datagram is nothing
-        if (got.kind != DONE)
+        if (got.kind != DONE || got.count == 0)

=== wrong ZERO_IS_END takes recv's answers for those of a stream
-        struct answer got = datagram_answer(recvmsg(fd, &message, 0), true);
+        struct answer got = recv_answer(recvmsg(fd, &message, 0), room);

=== wrong WRONG_PEER the first one who asks gets all the answers
-        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
-                                                   (struct sockaddr *)&from,
-                                                   message.msg_namelen),
+        static struct sockaddr_storage to;
+
+        if (datagrams == 1)
+            to = from;
+
+        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
+                                                   (struct sockaddr *)&to,
+                                                   message.msg_namelen),

=== wrong WRONG_PEER receives all that is there, and answers the last sender
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    static char bytes[64][4096];
    size_t sizes[64];

    make_nonblocking(fd);
    announce_listening(fd);
    while (!stopping()) {
        size_t count = 0;

        while (count < 64) {
            struct iovec part = {bytes[count], room};
            struct msghdr message = {.msg_name = &from,
                                     .msg_namelen = sizeof from,
                                     .msg_iov = &part,
                                     .msg_iovlen = 1};
            ssize_t n = recvmsg(fd, &message, 0);

            if (n < 0)
                break;
            length = message.msg_namelen;
            truncated += (message.msg_flags & MSG_TRUNC) != 0;
            sizes[count++] = (size_t)n;
        }
        if (count == 0)
            work_step();
        datagrams += count;
        for (size_t i = 0; i < count; i++)
            if (sendto(fd, bytes[i], sizes[i], 0, (struct sockaddr *)&from,
                       length) < 0)
                unanswered++;

=== wrong WRONG_PEER connects the socket to the first sender
-        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
-                                                   (struct sockaddr *)&from,
-                                                   message.msg_namelen),
-                                            false);
+        if (datagrams == 1)
+            connect(fd, (struct sockaddr *)&from, message.msg_namelen);
+
+        struct answer put =
+            datagram_answer(send(fd, datagram, got.count, 0), false);

=== wrong TRUNCATED_SILENTLY does not look at the flags
-        if (message.msg_flags & MSG_TRUNC) {
+        if (got.count > room) {

=== wrong TRUNCATED_SILENTLY takes a full buffer for a datagram that was cut
-        if (message.msg_flags & MSG_TRUNC) {
+        if (got.count == room) {

=== wrong NOT_AN_ECHO sends the whole buffer
-        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
+        struct answer put = datagram_answer(sendto(fd, datagram, room, 0,

=== wrong NOT_AN_ECHO takes the bytes for a string
-#include <sys/socket.h>
-#include <unistd.h>
+#include <string.h>
+#include <sys/socket.h>
+#include <unistd.h>
@@
-        datagrams++;
+        datagrams++;
+        datagram[got.count < sizeof datagram ? got.count : 0] = '\0';
+        got.count = strlen(datagram);

=== wrong PEER_KILLS_SERVER any error of recv is the end
-            receive_failed(got.error);
-            continue;
+            die_because(got.error, "cannot receive");

=== wrong PEER_KILLS_SERVER an answer that cannot be sent is the end
-        if (put.kind != DONE)
-            unanswered++; /* not sent: the client has to try again */
+        if (put.kind == FAILED)
+            die_because(put.error, "cannot send");
+        if (put.kind != DONE)
+            unanswered++;

=== wrong EAGAIN_FATAL no room to send is the end
-        if (put.kind != DONE)
-            unanswered++; /* not sent: the client has to try again */
+        if (put.kind == AGAIN)
+            die_because(put.error, "cannot send");
+        if (put.kind != DONE)
+            unanswered++;

=== wrong SEND_UNCHECKED does not look whether the answer was sent
-        if (put.kind != DONE)
-            unanswered++; /* not sent: the client has to try again */
+        (void)put;

=== wrong SEND_UNCHECKED looks for failures only, and no room is none
-        if (put.kind != DONE)
-            unanswered++; /* not sent: the client has to try again */
+        unanswered += put.kind == FAILED;

=== wrong STOP_IGNORED tries to send until it works
-        struct answer put = datagram_answer(sendto(fd, datagram, got.count, 0,
-                                                   (struct sockaddr *)&from,
-                                                   message.msg_namelen),
-                                            false);
+        struct answer put;
+
+        do
+            put = datagram_answer(sendto(fd, datagram, got.count, 0,
+                                         (struct sockaddr *)&from,
+                                         message.msg_namelen),
+                                  false);
+        while (put.kind == AGAIN);

=== wrong EINTR_FATAL a receive that was interrupted ends it
-        if (got.kind == AGAIN) /* EAGAIN, EWOULDBLOCK: none in the queue */
-            work_step();
+        if (got.error == EINTR)
+            break;
+        if (got.kind == AGAIN)
+            work_step();

=== wrong ET_NOT_DRAINED an edge-triggered wait, and one receive for each report
-#include <fcntl.h>
-#include <sys/socket.h>
+#include <fcntl.h>
+#include <sys/epoll.h>
+#include <sys/socket.h>
@@
-    announce_listening(fd);
+    int epoll_fd = epoll_create1(0);
+    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
+
+    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
+    announce_listening(fd);
@@
-        struct sockaddr_storage from;
+        if (epoll_wait(epoll_fd, &event, 1, -1) < 0)
+            continue;
+
+        struct sockaddr_storage from;
