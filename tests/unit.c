/* SPDX-License-Identifier: MIT */
/*
 * unit - checks the library from inside: unit GROUP, or no argument to list
 * the groups. Every check that fails is named; status 1 if any did.
 *
 * unit --error-table prints the table of errors, by category, as docs/errors.md
 * has it.
 */
#include "wouldblock.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define CHECK(condition) check(condition, #condition, __LINE__)

static void check(bool holds, const char *what, int line)
{
    if (!holds) {
        printf("unit.c:%d: does not hold: %s\n", line, what);
        failures++;
    }
}

static bool is(struct answer a, enum answer_kind kind, int error)
{
    return a.kind == kind && a.error == error;
}

/* The classification of a recv that failed with this errno. */
static struct answer recv_error(int error)
{
    errno = error;
    return recv_answer(-1, 10);
}

static struct answer send_error(int error)
{
    errno = error;
    return send_answer(-1, 10);
}

static struct answer connect_error(int error)
{
    errno = error;
    return connect_answer(-1);
}

static struct answer accept_error(int error)
{
    errno = error;
    return accept_answer(-1);
}

static void answers(void)
{
    errno = ECONNRESET; /* an old value, which must not matter */
    CHECK(is(recv_answer(7, 10), DONE, 0));
    CHECK(recv_answer(7, 10).count == 7);
    CHECK(is(recv_answer(0, 10), CLOSED, 0));
    CHECK(is(recv_answer(0, 0), DONE, 0)); /* 0 bytes asked for: 0 is no end */
    CHECK(is(recv_error(EAGAIN), AGAIN, EAGAIN));
    CHECK(is(recv_error(EWOULDBLOCK), AGAIN, EWOULDBLOCK));
    CHECK(is(recv_error(EINTR), AGAIN, EINTR));
    CHECK(is(recv_error(ECONNRESET), FAILED, ECONNRESET));
    CHECK(is(recv_error(ENOTCONN), FAILED, ENOTCONN));
    CHECK(recv_error(EAGAIN).count == 0 && recv_error(EIO).count == 0);

    CHECK(is(send_answer(10, 10), DONE, 0));
    CHECK(is(send_answer(0, 0), DONE, 0));
    CHECK(send_answer(3, 10).count == 3);
    CHECK(is(send_error(EAGAIN), AGAIN, EAGAIN));
    CHECK(is(send_error(EINTR), AGAIN, EINTR));
    CHECK(is(send_error(EPIPE), FAILED, EPIPE));
    CHECK(is(send_error(ENOBUFS), FAILED, ENOBUFS));

    CHECK(is(connect_answer(0), DONE, 0));
    CHECK(is(connect_error(EISCONN), DONE, 0));
    CHECK(is(connect_error(EINPROGRESS), PENDING, EINPROGRESS));
    CHECK(is(connect_error(EALREADY), PENDING, EALREADY));
    CHECK(is(connect_error(EINTR), PENDING, EINTR));
    CHECK(is(connect_error(EAGAIN), AGAIN, EAGAIN));
    CHECK(is(connect_error(ECONNREFUSED), FAILED, ECONNREFUSED));
    CHECK(is(connect_error(ETIMEDOUT), FAILED, ETIMEDOUT));

    CHECK(is(connected_answer(0), DONE, 0));
    CHECK(is(connected_answer(ECONNREFUSED), FAILED, ECONNREFUSED));
    CHECK(is(datagram_answer(0, true), DONE, 0)); /* empty, no end */
    CHECK(datagram_answer(7, true).count == 7);
    CHECK(is(datagram_answer(0, false), DONE, 0));

    CHECK(is(accept_answer(5), DONE, 0));
    CHECK(accept_answer(0).fd == 0);
    CHECK(accept_error(EAGAIN).fd == -1);
    CHECK(is(accept_error(EAGAIN), AGAIN, EAGAIN));
    CHECK(is(accept_error(EINTR), AGAIN, EINTR));
    CHECK(is(accept_error(ECONNABORTED), AGAIN, ECONNABORTED));
    CHECK(is(accept_error(EPROTO), AGAIN, EPROTO));
    CHECK(is(accept_error(ENETDOWN), AGAIN, ENETDOWN));
    CHECK(is(accept_error(EHOSTUNREACH), AGAIN, EHOSTUNREACH));
    CHECK(is(accept_error(EMFILE), FAILED, EMFILE));
    CHECK(is(accept_error(EBADF), FAILED, EBADF));

    CHECK(strcmp(answer_word(DONE), "done") == 0);
    CHECK(strcmp(answer_word(FAILED), "failed") == 0);
}

static void counting(void)
{
    const struct counters *c = &counters;

    recv_answer(7, 10);
    recv_answer(0, 10);
    send_answer(10, 10);
    send_answer(3, 10);
    recv_error(EAGAIN);
    recv_error(EINTR);
    connect_error(EINPROGRESS);
    send_error(EPIPE);
    accept_answer(9);

    CHECK(c->calls == 9);
    CHECK(c->done == 4 && c->closed == 1 && c->again == 1);
    CHECK(c->interrupted == 1 && c->pending == 1 && c->failed == 1);
    CHECK(c->calls == c->done + c->closed + c->again + c->interrupted +
                          c->pending + c->failed);
    CHECK(c->partial == 1 && c->accepted == 1);
    CHECK(c->bytes_received == 7 && c->bytes_sent == 13);
}

static void errors(void)
{
    size_t count;
    const struct error_entry *table = error_table(&count);
    static const int known[] = {
        EAGAIN,       EWOULDBLOCK, EINTR,    EINPROGRESS, EALREADY,
        EISCONN,      ENOTCONN,    EPIPE,    ETIMEDOUT,   ECONNREFUSED,
        ECONNRESET,   EMSGSIZE,    ENOBUFS,  ENOMEM,      ECONNABORTED,
        EHOSTUNREACH, ENETUNREACH, EMFILE,   ENFILE,      EADDRNOTAVAIL,
        EADDRINUSE,   EBADF,       ENOTSOCK, EINVAL,      EAFNOSUPPORT,
        EACCES,       EPERM,       EFAULT,   EOPNOTSUPP,  EPROTONOSUPPORT,
        EPROTOTYPE,   EPROTO,      ENETDOWN, ENOPROTOOPT, EDESTADDRREQ,
    };

    for (size_t i = 0; i < count; i++) {
        const struct error_entry *e = &table[i];

        CHECK(e->number > 0 && e->symbol[0] == 'E');
        CHECK(strlen(e->text) > 0 && strlen(e->advice) > 0);
        CHECK(e->advice[strlen(e->advice) - 1] != '.');
        CHECK(strlen(category_word(e->category)) > 0);
        CHECK(error_entry(e->number) == e); /* no number twice */
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        CHECK(error_entry(known[i])->symbol[0] == 'E');

    CHECK(strcmp(error_entry(ECONNREFUSED)->symbol, "ECONNREFUSED") == 0);
    CHECK(error_entry(ECONNREFUSED)->category == CONNECTION);
    CHECK(error_entry(EAGAIN)->category == TRANSMISSION);
    CHECK(error_entry(EADDRINUSE)->category == CONFIGURATION);
    CHECK(error_called("EPIPE") == error_entry(EPIPE));
    CHECK(error_called("ENONSENSE") == NULL && error_called("") == NULL);
    CHECK(strcmp(category_word(CONNECTION), "connection") == 0);
    CHECK(strcmp(error_entry(12345)->symbol, "errno 12345") == 0);
    CHECK(strlen(error_entry(12345)->text) > 0);
}

/* A message must not change errno for code that reads it afterwards. */
static void errno_survives(void)
{
    errno = EAGAIN;
    warn("a warning");
    CHECK(errno == EAGAIN);
    warn_because(EPIPE, "another warning");
    CHECK(errno == EAGAIN);
    log_info("a line of the log");
    CHECK(errno == EAGAIN);
    CHECK(strcmp(peer_text(-1), "a peer that is gone") == 0);
    CHECK(errno == EAGAIN);
}

static void flags(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int before = fcntl(fd, F_GETFL);

    CHECK(fd >= 0);
    set_nonblocking(fd);
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    set_nonblocking(fd);
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    set_blocking(fd);
    CHECK(fcntl(fd, F_GETFL) == before);
    close(fd);

    char name[] = "/tmp/wouldblock.XXXXXX";

    fd = mkstemp(name);
    CHECK(fd >= 0);
    unlink(name);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_APPEND);
    set_nonblocking(fd);
    CHECK(fcntl(fd, F_GETFL) & O_APPEND);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    set_blocking(fd);
    CHECK(fcntl(fd, F_GETFL) & O_APPEND);
    CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    close(fd);
}

static void buffers(void)
{
    static struct buffer b;

    CHECK(buffer_used(&b) == 0 && buffer_room(&b) == BUFFER_SIZE);
    memcpy(buffer_back(&b), "one two", 7);
    buffer_added(&b, 7);
    CHECK(buffer_used(&b) == 7 && buffer_room(&b) == BUFFER_SIZE - 7);
    buffer_taken(&b, 4);
    CHECK(buffer_used(&b) == 3);
    CHECK(memcmp(buffer_front(&b), "two", 3) == 0);
    memcpy(buffer_back(&b), " three", 6);
    buffer_added(&b, 6);
    CHECK(memcmp(buffer_front(&b), "two three", 9) == 0);

    /* All room can be used, wherever the content is in the buffer. */
    memset(buffer_back(&b), 'x', buffer_room(&b));
    buffer_added(&b, buffer_room(&b));
    CHECK(buffer_used(&b) == BUFFER_SIZE && buffer_room(&b) == 0);
    buffer_taken(&b, 9);
    CHECK(buffer_room(&b) == 9);
    CHECK(*buffer_front(&b) == 'x');
    memset(buffer_back(&b), 'y', 9);
    buffer_added(&b, 9);
    CHECK(buffer_front(&b)[BUFFER_SIZE - 1] == 'y');
    CHECK(buffer_front(&b)[BUFFER_SIZE - 10] == 'x');
    buffer_taken(&b, BUFFER_SIZE);
    CHECK(buffer_used(&b) == 0 && buffer_room(&b) == BUFFER_SIZE);

    /* An empty buffer holds no memory; bytes that were written but not added
     * are lost. */
    CHECK(b.data == NULL);
    memcpy(buffer_back(&b), "tried", 5);
    CHECK(b.data == NULL && buffer_used(&b) == 0);
    struct buffer other = {0};
    memcpy(buffer_back(&other), "line\nand more", 13);
    buffer_added(&other, 13);
    memcpy(buffer_back(&b), "mine", 4);
    buffer_added(&b, 4);
    CHECK(memcmp(buffer_front(&other), "line\nand more", 13) == 0);
    CHECK(memcmp(buffer_front(&b), "mine", 4) == 0);
    CHECK(buffer_line(&other) == 5 && buffer_line(&b) == 0);
    buffer_cut(&other, 5);
    CHECK(buffer_used(&other) == 5 && buffer_line(&other) == 5);
    buffer_cut(&other, 0);
    CHECK(buffer_used(&other) == 0 && other.data == NULL);
    buffer_free(&b);
    CHECK(buffer_used(&b) == 0 && buffer_line(&b) == 0);
}

static void clocks(void)
{
    instant start = now();
    instant soon = deadline_in(20 * MILLISECOND);

    CHECK(!passed(soon));
    CHECK(deadline_in(0) == NEVER && !passed(NEVER));
    nap(30 * MILLISECOND);
    CHECK(passed(soon));
    CHECK(now() - start >= 30 * MILLISECOND);
    nap(-SECOND); /* returns at once */
    nap_until(start);
    CHECK(poll_time(NEVER) == -1);
    CHECK(poll_time(start) == 0);
    CHECK(poll_time(now() + 5 * MILLISECOND / 2) == 3); /* rounded up */
    CHECK(poll_time(now() + (duration)1e18) > 0);
    CHECK(sooner(1, NEVER) == 1 && sooner(3, 2) == 2);
    CHECK(seconds(1500 * MILLISECOND) > 1.499);
    CHECK(seconds(1500 * MILLISECOND) < 1.501);
}

static void payloads(void)
{
    char *p = payload_new(100);

    CHECK(memcmp(p, "Hello Python\nHello Python\n", 26) == 0);
    CHECK(p[99] == "Hello Python\n"[99 % 13]);
    CHECK(payload_matching(p, 100, 0) == 100);
    CHECK(payload_matching(p + 5, 95, 5) == 95);
    CHECK(payload_matching(p + 5, 95, 5 + 13 * 1000000) == 95);
    CHECK(payload_matching(p, 100, 1) == 0);
    p[42] ^= 1;
    CHECK(payload_matching(p, 100, 0) == 42);
    CHECK(payload_matching(p + 40, 60, 40) == 2);
    CHECK(payload_matching(p + 43, 57, 43) == 57);
    free(p);
    free(payload_new(0));
    CHECK(PAYLOAD_SIZE == 136314880);
}

static void numbers(void)
{
    CHECK(strcmp(grouped(0), "0") == 0);
    CHECK(strcmp(grouped(999), "999") == 0);
    CHECK(strcmp(grouped(1000), "1,000") == 0);
    CHECK(strcmp(grouped(136314880), "136,314,880") == 0);
    CHECK(strcmp(grouped(18446744073709551615ull),
                 "18,446,744,073,709,551,615") == 0);

    for (int i = 2; i <= 100; i++) /* there are 25 primes up to 100 */
        work_step();
    CHECK(work_found() == 25 && work_largest() == 97);
}

static void lines(void)
{
    static char longest[2 * BUFFER_SIZE + 1];
    char *operands[] = {"first", "", longest, NULL};
    struct line line = {0};

    memset(longest, 'x', sizeof longest - 1);
    CHECK(next_line(&line, operands));
    CHECK(line.length == 6 && memcmp(line.bytes, "first\n", 6) == 0);
    CHECK(next_line(&line, operands));
    CHECK(line.length == 1 && line.bytes[0] == '\n');
    CHECK(next_line(&line, operands) && line.length == BUFFER_SIZE);
    CHECK(next_line(&line, operands) && line.length == BUFFER_SIZE);
    CHECK(next_line(&line, operands));
    CHECK(line.length == 1 && line.bytes[0] == '\n');
    CHECK(!next_line(&line, operands));
}

/* The set must not use its sockets: unconnected ones do. */
static void client_sets(void)
{
    struct clients set = {0};
    int fds[40];

    log_level = LEVEL_ERROR;
    for (int i = 0; i < 40; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(clients_add(&set, fds[i]) != NULL);
    }
    CHECK(set.count == 40 && set.at[0]->fd == fds[0]);
    clients_remove(&set, 0);
    CHECK(set.count == 39 && set.at[0]->fd == fds[39]);
    CHECK(set.at[0]->index == 0); /* of the one that has moved */
    clients_remove(&set, 38);
    CHECK(set.count == 38);
    CHECK(fcntl(fds[0], F_GETFL) < 0 && fcntl(fds[1], F_GETFL) >= 0);
    clients_free(&set);
    CHECK(set.count == 0 && set.at == NULL);
    for (int i = 0; i < 40; i++)
        CHECK(fcntl(fds[i], F_GETFL) < 0);
}

/* A signal that comes just before a blocking call interrupts it all the same,
 * after a second at most. */
static void late_signals(void)
{
    int ends[2];
    char byte;

    CHECK(pipe(ends) == 0);
    listen_for_signals(0);
    kill(getpid(), SIGTERM);
    CHECK(stopping() && strcmp(stop_reason(), "SIGTERM") == 0);
    CHECK(read(ends[0], &byte, 1) < 0 && errno == EINTR);
    /* And again: the alarm goes on. */
    CHECK(read(ends[0], &byte, 1) < 0 && errno == EINTR);
}

/* Each message is one write, so that the lines of several programs do not mix:
 * a datagram holds it. */
static void messages(void)
{
    int ends[2], err = dup(STDERR_FILENO);
    char text[2000];
    ssize_t length;

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    dup2(ends[1], STDERR_FILENO);
    warn_because(EPIPE, "cannot %s", "do it");
    dup2(err, STDERR_FILENO);
    length = recv(ends[0], text, sizeof text, MSG_DONTWAIT);
    CHECK(length > 0 && text[length - 1] == '\n');
    CHECK(recv(ends[0], text, sizeof text, MSG_DONTWAIT) < 0);
}

/* If somebody else has made our output non-blocking, it is written all the
 * same: what another process reads is all of it. */
static void nonblocking_output(void)
{
    enum { SIZE = 300000 };
    char *bytes = payload_new(SIZE), *came = calloc(1, SIZE);
    int ends[2], status = 1;
    size_t length = 0;
    pid_t writer;

    if (!came || pipe(ends) < 0)
        die("cannot prepare this check");
    set_nonblocking(ends[1]);
    writer = fork();
    if (writer == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        print_bytes(bytes, SIZE);
        _exit(output_error() != 0);
    }
    close(ends[1]);
    nap(SECOND / 10); /* until the pipe is full */
    for (ssize_t n = 1; n > 0; length += (size_t)n)
        n = read(ends[0], came + length, SIZE - length);
    CHECK(length == SIZE && memcmp(came, bytes, SIZE) == 0);
    CHECK(waitpid(writer, &status, 0) == writer && status == 0);
    free(bytes);
    free(came);
}

/* What may be shown to other guests (RFC 3629; C1 is U+0080 to U+009F). */
static void texts(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\t", 1},
        {" ", 1},
        {"~", 1},
        {"\n", 0},
        {"\033", 0},
        {"\177", 0},
        {"\233", 0},             /* C1 in Latin-1 */
        {"\302\233", 0},         /* C1 in UTF-8 */
        {"\302\240", 2},         /* a no-break space: the first after C1 */
        {"\303\251", 2},         /* e acute */
        {"\342\202\254", 3},     /* the euro */
        {"\360\237\230\200", 4}, /* a smiling face */
        {"\303", 0},             /* cut */
        {"\342\202", 0},
        {"\303a", 0},
        {"\300\233", 0},         /* ESC in too many bytes */
        {"\340\202\233", 0},     /* C1 in too many bytes */
        {"\340\240\200", 3},     /* the first of three bytes */
        {"\355\240\200", 0},     /* half of a pair of UTF-16 */
        {"\360\217\277\277", 0}, /* too many bytes */
        {"\364\217\277\277", 4}, /* the last one */
        {"\364\220\200\200", 0}, /* beyond the last one */
        {"\365\200\200\200", 0},
        {"\377", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t got = showable(cases[i].bytes, strlen(cases[i].bytes));

        if (got != cases[i].length) {
            printf("case %zu: %zu instead of %zu\n", i, got, cases[i].length);
            failures++;
        }
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"answers", answers},
    {"counting", counting},
    {"errors", errors},
    {"errno-survives", errno_survives},
    {"flags", flags},
    {"buffers", buffers},
    {"clocks", clocks},
    {"payloads", payloads},
    {"numbers", numbers},
    {"lines", lines},
    {"clients", client_sets},
    {"late-signals", late_signals},
    {"messages", messages},
    {"texts", texts},
    {"nonblocking-output", nonblocking_output},
};

static void print_error_table(void)
{
    static const char *const about[] = {
        [CONNECTION] = "between this socket and its peer",
        [TRANSMISSION] = "about this one call",
        [CONFIGURATION] = "program, machine or account; waiting does not help",
    };
    size_t count;
    const struct error_entry *table = error_table(&count);

    for (enum error_category c = CONNECTION; c <= CONFIGURATION; c++) {
        printf("%s## %s: %s\n\n| symbol | text | given by | what to do |\n"
               "|---|---|---|---|\n",
               c > CONNECTION ? "\n" : "", category_word(c), about[c]);
        for (size_t i = 0; i < count; i++)
            if (table[i].category == c)
                printf("| `%s` | %s | %s | %s |\n", table[i].symbol,
                       table[i].text, table[i].calls, table[i].advice);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--error-table") == 0) {
        print_error_table();
        return 0;
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (argc < 2) {
            printf("%s\n", groups[i].name);
        } else if (strcmp(argv[1], groups[i].name) == 0) {
            groups[i].run();
            return failures > 0;
        }
    if (argc < 2)
        return 0;
    printf("unit: there is no group '%s'\n", argv[1]);
    return 2;
}
