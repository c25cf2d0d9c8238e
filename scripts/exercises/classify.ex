source common/answer.c
with scripts/exercises/classify_driver.c
cut	^struct answer recv_answer	^const char \*answer_word

=== stub
/* TODO: all that is not a success is a failure here. Is it? */
static struct answer named(ssize_t result)
{
    if (result < 0)
        return made(not_now(0) ? AGAIN : FAILED, errno);
    return made(DONE, 0);
}

struct answer recv_answer(ssize_t result, size_t asked)
{
    struct answer done = named(result);

    (void)asked;
    if (done.kind == DONE)
        counters.bytes_received += done.count = (size_t)result;
    return done;
}

struct answer send_answer(ssize_t result, size_t asked)
{
    struct answer done = named(result);

    (void)asked;
    if (done.kind == DONE)
        counters.bytes_sent += done.count = (size_t)result;
    return done;
}

struct answer datagram_answer(ssize_t result, bool received)
{
    return received ? recv_answer(result, 0)
                    : send_answer(result, result > 0 ? (size_t)result : 0);
}

struct answer connect_answer(int result)
{
    return named(result);
}

struct answer connected_answer(int so_error)
{
    return made(so_error == 0 ? DONE : FAILED, so_error);
}

struct answer accept_answer(int result)
{
    struct answer done = named(result);

    if (done.kind == DONE) {
        done.fd = result;
        counters.accepted++;
    }
    return done;
}

const char *answer_word(enum answer_kind kind)

=== right if after if
struct answer recv_answer(ssize_t result, size_t asked)
{
    int e = errno;

    if (result > 0 || (result == 0 && asked == 0)) {
        struct answer a = made(DONE, 0);

        a.count = (size_t)result;
        counters.bytes_received += a.count;
        return a;
    }
    if (result == 0)
        return made(CLOSED, 0);
    if (e == EAGAIN || e == EWOULDBLOCK || e == EINTR)
        return made(AGAIN, e);
    return made(FAILED, e);
}

struct answer send_answer(ssize_t result, size_t asked)
{
    int e = errno;

    if (result == -1)
        return made(not_now(e) ? AGAIN : FAILED, e);

    struct answer a = made(DONE, 0);

    a.count = (size_t)result;
    counters.bytes_sent += a.count;
    counters.partial += a.count != asked;
    return a;
}

struct answer datagram_answer(ssize_t result, bool received)
{
    return received ? recv_answer(result, 0)
                    : send_answer(result, result > 0 ? (size_t)result : 0);
}

struct answer connect_answer(int result)
{
    int e = result == 0 ? 0 : errno;

    switch (e) {
    case 0:
    case EISCONN:
        return made(DONE, 0);
    case EINPROGRESS:
    case EALREADY:
    case EINTR:
        return made(PENDING, e);
    case EAGAIN:
        return made(AGAIN, e);
    default:
        return made(FAILED, e);
    }
}

struct answer connected_answer(int so_error)
{
    return made(so_error == 0 ? DONE : FAILED, so_error);
}

struct answer accept_answer(int result)
{
    static const int of_the_client[] = {ECONNABORTED, EPROTO,      ENOPROTOOPT,
                                        ENETDOWN,     ENETUNREACH, EHOSTUNREACH};
    int e = errno;

    if (result >= 0) {
        struct answer a = made(DONE, 0);

        a.fd = result;
        counters.accepted++;
        return a;
    }
    for (size_t i = 0; i < sizeof of_the_client / sizeof *of_the_client; i++)
        if (e == of_the_client[i])
            return made(AGAIN, e);
    return made(not_now(e) ? AGAIN : FAILED, e);
}

const char *answer_word(enum answer_kind kind)

=== right one function for all of them
static struct answer of_error(int e, int extra_again, int pending)
{
    if (pending && (e == EINPROGRESS || e == EALREADY || e == EINTR))
        return made(PENDING, e);
    if (not_now(e) || (extra_again && (e == ECONNABORTED || e == EPROTO)))
        return made(AGAIN, e);
    return made(FAILED, e);
}

static struct answer moved(ssize_t n, unsigned long long *sum)
{
    struct answer a = made(DONE, 0);

    a.count = (size_t)n;
    *sum += a.count;
    return a;
}

struct answer recv_answer(ssize_t result, size_t asked)
{
    if (result < 0)
        return of_error(errno, 0, 0);
    if (result == 0 && asked != 0)
        return made(CLOSED, 0);
    return moved(result, &counters.bytes_received);
}

struct answer send_answer(ssize_t result, size_t asked)
{
    if (result < 0)
        return of_error(errno, 0, 0);
    if ((size_t)result < asked)
        counters.partial++;
    return moved(result, &counters.bytes_sent);
}

struct answer datagram_answer(ssize_t result, bool received)
{
    return received ? recv_answer(result, 0)
                    : send_answer(result, result > 0 ? (size_t)result : 0);
}

struct answer connect_answer(int result)
{
    if (result == 0 || errno == EISCONN)
        return made(DONE, 0);
    return of_error(errno, 0, 1);
}

struct answer connected_answer(int so_error)
{
    return made(so_error == 0 ? DONE : FAILED, so_error);
}

struct answer accept_answer(int result)
{
    struct answer a;

    if (result < 0)
        return of_error(errno, 1, 0);
    a = made(DONE, 0);
    a.fd = result;
    counters.accepted++;
    return a;
}

const char *answer_word(enum answer_kind kind)

=== wrong EAGAIN_FATAL would block is a failure
-    if (error == EAGAIN || error == EINTR)
+    if (error == EINTR)
@@
-#if EWOULDBLOCK != EAGAIN
-    if (error == EWOULDBLOCK)
-        return 1;
-#endif

=== wrong EINTR_FATAL interrupted is a failure
-    if (error == EAGAIN || error == EINTR)
+    if (error == EAGAIN)

=== wrong EOF_IGNORED nothing received is a success
-    if (result == 0 && asked > 0)
-        return made(CLOSED, 0);
+    (void)asked;

=== wrong ZERO_MISREAD nothing asked for is the end
-    if (result == 0 && asked > 0)
+    (void)asked;
+    if (result == 0)

=== wrong RESET_IS_END a reset is an end like any other
-    if (result < 0)
-        return made(not_now(error) ? AGAIN : FAILED, error);
-    if (result == 0 && asked > 0)
+    if (result < 0 && error == ECONNRESET)
+        return made(CLOSED, error);
+    if (result < 0)
+        return made(not_now(error) ? AGAIN : FAILED, error);
+    if (result == 0 && asked > 0)

=== wrong EINPROGRESS_FATAL begun is a failure
-    if (error == EINPROGRESS || error == EALREADY || error == EINTR)
+    if (error == EALREADY || error == EINTR)

=== wrong EALREADY_FATAL under way is a failure
-    if (error == EINPROGRESS || error == EALREADY || error == EINTR)
+    if (error == EINPROGRESS || error == EINTR)

=== wrong PENDING_IS_CONNECTED begun is done
-    if (result == 0 || error == EISCONN)
+    if (result == 0 || error == EISCONN || error == EINPROGRESS)

=== wrong PEER_KILLS_SERVER a client who is gone is a failure of the listener
-    case ECONNABORTED:

=== wrong ACCEPT_EMFILE_SPIN out of descriptors is worth asking again at once
-    case ECONNABORTED:
+    case EMFILE:
+    case ECONNABORTED:

=== wrong ERRNO_CLOBBERED says what happened, and then reads errno
-#include <errno.h>
+#include <errno.h>
+#include <stdio.h>
@@
-    int error = errno;
-
-    if (result < 0)
-        return made(not_now(error) ? AGAIN : FAILED, error);
-    if (result == 0 && asked > 0)
+    fprintf(stderr, "recv returned %zd\n", result);
+
+    int error = errno;
+
+    if (result < 0)
+        return made(not_now(error) ? AGAIN : FAILED, error);
+    if (result == 0 && asked > 0)

=== wrong MISCLASSIFIED connected already is a failure
-    if (result == 0 || error == EISCONN)
+    if (result == 0)

=== wrong ERRNO_STALE asks errno, whatever the call returned
-    if (result < 0)
-        return made(not_now(error) ? AGAIN : FAILED, error);
-    if (result == 0 && asked > 0)
-        return made(CLOSED, 0);
+    if (not_now(error))
+        return made(AGAIN, error);
+    if (result < 0)
+        return made(FAILED, error);
+    if (result == 0 && asked > 0)
+        return made(CLOSED, 0);
