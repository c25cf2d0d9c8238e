/* SPDX-License-Identifier: MIT */
/*
 * judge - tries somebody's solution of an exercise, and names what is wrong.
 *
 *     judge EXERCISE PROGRAM
 *
 * The checks of an exercise run at the same time, each in a process of its own,
 * and their verdicts are told in order, up to the first mistake; with --all,
 * all of them. The program runs under build/tests/supervise, which stands
 * beside this file. Exit status 0 if nothing was found, otherwise 1.
 */
#define _GNU_SOURCE
#include "judge.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool all_checks, list_wanted, mistakes_wanted;
static const char *only, *record_name, *shown_as;
static size_t at_once = 4;

static const struct setting settings[] = {
    {"all", NULL, "go on after the first mistake", .flag = &all_checks},
    {"only", "CHECK", "make this check alone", .text = &only},
    {"jobs", "N", "make N checks at the same time", .size = &at_once},
    {"record", "FILE", "add a line for each check to FILE",
     .text = &record_name},
    {"as", "COMMAND", "call the program so in what can be typed",
     .text = &shown_as},
    {"list", NULL, "name the checks and end", .flag = &list_wanted},
    {"mistakes", NULL, "print all mistakes as a table and end",
     .flag = &mistakes_wanted},
    {0},
};
static const struct program program = {
    "Tries a solution of an exercise, and names what is wrong with it.",
    "[EXERCISE] [PROGRAM]",
    settings,
};

/* --- The verdict of one check, in memory shared with the main process ---- */

enum { STEPS = 48, WORDS = 4096 };

struct verdict {
    bool reached; /* false if the check itself broke down */
    enum mistake what;
    char symptom[640];
    double seconds;
    size_t steps;
    struct {
        double at;
        char text[200];
    } step[STEPS];
    char words[WORDS]; /* the last ones of the program */
};

static struct verdict *verdict; /* this check's */
static const struct exercise *exercise;
static instant began;

static void stop_program(void);

void step(const char *format, ...)
{
    va_list arguments;

    if (verdict->steps == STEPS)
        return;
    verdict->step[verdict->steps].at = seconds(now() - began);
    va_start(arguments, format);
    vsnprintf(verdict->step[verdict->steps].text, sizeof verdict->step[0].text,
              format, arguments);
    va_end(arguments);
    verdict->steps++;
}

NO_RETURN static void reach(enum mistake what)
{
    stop_program();
    verdict->what = what;
    verdict->seconds = seconds(now() - began);
    verdict->reached = true;
    _exit(0);
}

static void more_symptom(const char *format, ...) LIKE_PRINTF(1, 2);
static void more_symptom(const char *format, ...)
{
    size_t length = strlen(verdict->symptom);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict->symptom + length, sizeof verdict->symptom - length,
              format, arguments);
    va_end(arguments);
}

NO_RETURN static void broken(const char *what)
{
    snprintf(verdict->symptom, sizeof verdict->symptom, "%s: %s", what,
             error_entry(errno)->symbol);
    stop_program();
    _exit(1);
}

/* --- The program --------------------------------------------------------- */

static const char *binary; /* somebody's program */
static char supervisor[4096];

static pid_t supervisor_pid, pid;
static int words_fd = -1, status_pipe = -1;
static char words[128 * 1024];
static size_t words_length;
static bool ended;
static instant end_seen;
static struct {
    char how[16], limit[16];
    int code;
    double cpu;
} end;
static struct witness *seen;

static unsigned most_descriptors, occupied_descriptors;
static const char *faults;

void limit_descriptors(unsigned count)
{
    most_descriptors = count;
}

void occupy_descriptors(unsigned count)
{
    occupied_descriptors = count;
}

void inject(const char *which)
{
    faults = which;
}

const struct witness *witness(void)
{
    return seen;
}

/* A file that the program can write to as well, whoever it runs as. */
static int shared_witness(void)
{
    int fd = memfd_create("witness", 0);

    if (fd < 0 || ftruncate(fd, sizeof *seen) < 0)
        broken("cannot share memory");
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        broken("cannot map memory");
    return fd;
}

/* What stands behind "KEY=" in the supervisor's words: a number. */
static double number_of(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found ? strtod(found + strlen(key), NULL) : 0;
}

/* The same for a word. */
static void word_of(const char *text, const char *key, char *word, size_t size)
{
    const char *found = strstr(text, key);

    if (found)
        snprintf(word, size, "%.*s", (int)strcspn(found + strlen(key), " "),
                 found + strlen(key));
}

static void hear_words(void)
{
    while (words_fd >= 0 && words_length < sizeof words - 1) {
        ssize_t n = read(words_fd, words + words_length,
                         sizeof words - 1 - words_length);

        if (n <= 0)
            break;
        words_length += (size_t)n;
        words[words_length] = '\0';
    }
}

/* Take in what the program and its supervisor have to say. */
static void listen_to_it(void)
{
    char text[512];
    ssize_t n;

    hear_words();
    n = ended ? 0 : read(status_pipe, text, sizeof text - 1);
    if (n <= 0)
        return;
    text[n] = '\0';
    if (strstr(text, "started "))
        pid = (pid_t)number_of(text, "started pid=");
    if (!strstr(text, "ended "))
        return;
    word_of(text, " how=", end.how, sizeof end.how);
    word_of(text, " limit=", end.limit, sizeof end.limit);
    end.code = (int)number_of(text, " code=");
    end.cpu = number_of(text, " cpu=");
    ended = true;
    end_seen = now();
    hear_words(); /* its last ones */
}

static bool started(void *unused)
{
    (void)unused;
    return pid > 0 || ended;
}

void start_with(const char *const *arguments)
{
    const char *command[40] = {
        supervisor, "--status", "3",        "--wall", "20s",
        "--cpu",    "10s",      "--memory", "192M",
    };
    size_t count = 9;
    char most[16], occupied[16];
    int out[2], status[2], shared = shared_witness();

    if (most_descriptors > 0) {
        snprintf(most, sizeof most, "%u", most_descriptors);
        command[count++] = "--descriptors";
        command[count++] = most;
    }
    if (occupied_descriptors > 0) {
        snprintf(occupied, sizeof occupied, "%u", occupied_descriptors);
        command[count++] = "--occupy";
        command[count++] = occupied;
    }
    command[count++] = binary;
    for (const char *const *a = arguments; *a; a++)
        command[count++] = *a;
    command[count] = NULL;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0)
        broken("cannot make a pipe");
    supervisor_pid = fork();
    if (supervisor_pid < 0)
        broken("cannot start a process");
    if (supervisor_pid == 0) {
        int nothing = open("/dev/null", O_RDONLY);

        /* First out of the way, then to their places. */
        int hold_status = fcntl(status[1], F_DUPFD, 10);
        int hold_shared = fcntl(shared, F_DUPFD, 10);

        dup2(nothing, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        dup2(hold_status, 3);
        dup2(hold_shared, 4);
        for (int fd = 5; fd < 64; fd++)
            close(fd);
        setenv("WB_WITNESS", "4", 1);
        if (faults)
            setenv("WB_FAULTS", faults, 1);
        setenv("ASAN_OPTIONS",
               "detect_leaks=0:quarantine_size_mb=1:color=never", 1);
        setenv("UBSAN_OPTIONS", "print_stacktrace=0:color=never", 1);
        execv(supervisor, (char *const *)command);
        _exit(127);
    }
    close(out[1]);
    close(status[1]);
    close(shared);
    words_fd = out[0];
    status_pipe = status[0];
    set_nonblocking(words_fd);
    set_nonblocking(status_pipe);
    began = now();
    if (!wait_until(started, NULL, 5 * SECOND))
        broken("the supervisor did not start");
}

/* Its supervisor ends all of it, and is gone itself then. */
static void stop_program(void)
{
    instant deadline = deadline_in(3 * SECOND);

    if (supervisor_pid <= 0)
        return;
    listen_to_it();
    if (words_length > 0) {
        size_t from = words_length > WORDS - 1 ? words_length - WORDS + 1 : 0;

        memcpy(verdict->words, words + from, words_length - from);
    }
    kill(supervisor_pid, SIGTERM);
    while (waitpid(supervisor_pid, NULL, WNOHANG) == 0) {
        if (passed(deadline))
            kill(supervisor_pid, SIGKILL);
        nap(MILLISECOND);
    }
    supervisor_pid = 0;
}

void signal_it(int signal_number)
{
    if (pid > 0 && !has_ended())
        kill(pid, signal_number);
}

bool has_ended(void)
{
    listen_to_it();
    return ended;
}

bool ended_well(void)
{
    return exit_status() == 0;
}

int exit_status(void)
{
    return ended && strcmp(end.how, "exit") == 0 && strcmp(end.limit, "-") == 0
               ? end.code
               : -1;
}

instant ended_at(void)
{
    return end_seen;
}

double cpu_used(void)
{
    return end.cpu;
}

const char *its_words(void)
{
    listen_to_it();
    return words;
}

bool says(const char *what)
{
    return strstr(its_words(), what) != NULL;
}

/* --- What it does now, from /proc ---------------------------------------- */

/* What stands in one of its files there; "" if it cannot be read. */
static const char *proc_text(const char *name)
{
    static char text[1024];
    char path[64];
    FILE *file;
    size_t length = 0;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    file = fopen(path, "r");
    if (file) {
        length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return text;
}

/* The number at this place of such a text, counted from 0. */
static long long field(const char *text, int place)
{
    while (place-- > 0) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return strtoll(text, NULL, 10);
}

/* What stands in stat after the name: the state comes first (proc(5)). */
static const char *stat_text(void)
{
    const char *close_bracket = strrchr(proc_text("stat"), ')');

    return close_bracket ? close_bracket + 2 : "";
}

static char state(void)
{
    return *stat_text();
}

/* How long it has run, and has wanted to: schedstat has both (Linux,
 * Documentation/scheduler/sched-stats); without it the ticks have to do. */
static duration wanted_cpu(void)
{
    const char *text = proc_text("schedstat");

    if (*text)
        return field(text, 0) + field(text, 1);
    text = stat_text();
    return (field(text, 11) + field(text, 12)) *
           (SECOND / sysconf(_SC_CLK_TCK));
}

size_t resident_memory(void)
{
    return (size_t)field(proc_text("statm"), 1) * (size_t)sysconf(_SC_PAGESIZE);
}

double eagerness(duration length)
{
    enum { SAMPLES = 10 };
    duration before = wanted_cpu();
    instant from = now();
    int runnable = 0;
    double share;

    /* What it waited for a processor is counted only once it has got one, so
     * the state is looked at as well. */
    for (int i = 0; i < SAMPLES; i++) {
        nap(length / SAMPLES);
        runnable += state() == 'R';
    }
    share = (double)(wanted_cpu() - before) / (double)(now() - from);
    if (share < (double)runnable / SAMPLES)
        share = (double)runnable / SAMPLES;
    return share > 1 ? 1 : share;
}

static bool asleep(void)
{
    char s = state();

    return s == 'S' || s == 'D';
}

bool may_spin(void)
{
    return exercise->may_spin;
}

enum { MOST_PEERS = 64 };

static struct {
    const char *name;
    int fd;      /* ours */
    int its_fd;  /* -1: not accepted yet */
    bool closed; /* on its side */
} peers[MOST_PEERS];
static size_t peer_count;

static const char *const call_names[] = {
#define CALL(name) #name,
    EACH_CALL(CALL)
#undef CALL
};

static bool is_wait(int call)
{
    return call == CALL_poll || call == CALL_ppoll || call == CALL_select ||
           call == CALL_pselect || call == CALL_epoll_wait;
}

static bool is_nap(int call)
{
    return call >= CALL_sleep && call <= CALL_clock_nanosleep;
}

static bool is_receive(int call)
{
    return call >= CALL_recv && call <= CALL_read;
}

static bool is_send(int call)
{
    return call >= CALL_send && call <= CALL_write;
}

static bool is_accept(int call)
{
    return call == CALL_accept || call == CALL_accept4;
}

const char *doing(void)
{
    static char text[160];
    const struct seen *in = &seen->inside;

    if (has_ended()) {
        if (strcmp(end.limit, "-") != 0)
            snprintf(text, sizeof text, "was ended: its limit of %s is reached",
                     end.limit);
        else if (strcmp(end.how, "signal") == 0)
            snprintf(text, sizeof text, "was killed by SIG%s",
                     sigabbrev_np(end.code) ? sigabbrev_np(end.code) : "?");
        else
            snprintf(text, sizeof text, "has ended with status %d", end.code);
        return text;
    }

    double share = eagerness(100 * MILLISECOND);

    if (share > 0.5) {
        snprintf(text, sizeof text, "is spinning: %.0f %% of a core",
                 100 * share);
    } else if (!seen->is_inside) {
        snprintf(text, sizeof text, asleep() ? "is asleep" : "is running");
    } else if (is_nap(in->call)) {
        snprintf(text, sizeof text, "is asleep in %s, by its own wish",
                 call_names[in->call]);
    } else if (is_wait(in->call)) {
        snprintf(text, sizeof text, "is asleep in %s", call_names[in->call]);
    } else {
        const char *whose = "";

        for (size_t i = 0; i < peer_count; i++)
            if (peers[i].its_fd == in->fd)
                whose = peers[i].name;
        snprintf(text, sizeof text, "is blocked in %s%s%s (descriptor %d)",
                 call_names[in->call], *whose ? " on " : "", whose, in->fd);
    }
    return text;
}

/* --- Waiting, no longer than it makes sense ------------------------------ */

static void follow(void);

/* What was last seen of it, to tell whether anything still changes. */
static struct {
    instant since;
    int64_t inside_since;
    duration cpu;
} stuck;

static void begin_to_hope(void)
{
    stuck.since = now();
    stuck.inside_since = -1;
    stuck.cpu = pid > 0 ? wanted_cpu() : 0;
}

/* It has ended; or sleeps since long in one and the same call, though a packet
 * on the loopback wakes at once; or has used time enough. */
static bool hopeless(void)
{
    if (pid <= 0)
        return false;
    if (ended || wanted_cpu() - stuck.cpu > 400 * MILLISECOND)
        return true;

    int64_t inside = seen->is_inside ? seen->inside.began : 0;

    if (!asleep() || inside != stuck.inside_since) {
        stuck.since = now();
        stuck.inside_since = inside;
    }
    return now() - stuck.since > 300 * MILLISECOND;
}

bool wait_until(bool (*come_true)(void *), void *context, duration limit)
{
    instant deadline = deadline_in(limit);

    begin_to_hope();
    for (int looks = 0;; looks++) {
        listen_to_it();
        follow();
        if (come_true(context))
            return true;
        if (passed(deadline) || hopeless())
            return come_true(context);
        /* Most of it comes at once, and the rest does not hurry. */
        nap(looks < 20 ? MILLISECOND / 20 : 2 * MILLISECOND);
    }
}

/* Blocked in a call that will never return by itself. */
static bool blocked_for_good(void)
{
    return seen->is_inside && seen->inside.blocking && asleep() &&
           now() - seen->inside.began > 300 * MILLISECOND;
}

bool ends_within(duration limit)
{
    instant deadline = deadline_in(limit);

    while (!has_ended() && !passed(deadline) &&
           !(limit > SECOND && blocked_for_good()))
        nap(2 * MILLISECOND);
    return has_ended();
}

/* --- What it was told ---------------------------------------------------- */

uint64_t each_seen(uint64_t from, bool (*visit)(const struct seen *, void *),
                   void *context)
{
    uint64_t count = seen->count;

    if (count > SEEN_MOST && from < count - SEEN_MOST)
        from = count - SEEN_MOST;
    for (; from < count; from++)
        if (!visit(&seen->seen[from % SEEN_MOST], context))
            break;
    return from;
}

struct search {
    bool (*is)(int call);
    int call, fd;
    uint64_t times;
    const struct seen *last;
};

static bool is_found(const struct seen *s, void *context)
{
    struct search *search = context;

    if ((search->is ? search->is(s->call) : s->call == search->call) &&
        (search->fd < 0 || s->fd == search->fd)) {
        search->times += s->times;
        if (!search->last || s->ended >= search->last->ended)
            search->last = s;
    }
    return true;
}

static bool found_well(const struct seen *s, void *context)
{
    return s->result == -1 || is_found(s, context);
}

uint64_t calls_of(enum call call, int fd)
{
    struct search search = {.call = (int)call, .fd = fd};

    if (fd < 0)
        return seen->calls[call];
    each_seen(0, is_found, &search);
    return search.times;
}

const struct seen *last_of(enum call call, int fd)
{
    struct search search = {.call = (int)call, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

const struct seen *last_receive(int fd)
{
    struct search search = {.is = is_receive, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

const struct seen *last_send(int fd)
{
    struct search search = {.is = is_send, .fd = fd};

    each_seen(0, is_found, &search);
    return search.last;
}

/* Which descriptor is whose: clients are accepted in the order in which they
 * connected. */
static bool note(const struct seen *s, void *unused)
{
    (void)unused;
    if (is_accept(s->call) && s->result >= 0) {
        for (size_t i = 0; i < peer_count; i++)
            if (peers[i].its_fd < 0 && !peers[i].closed) {
                peers[i].its_fd = (int)s->result;
                break;
            }
    } else if (s->call == CALL_close) {
        for (size_t i = 0; i < peer_count; i++)
            if (peers[i].its_fd == s->fd)
                peers[i].closed = true;
    }
    return true;
}

static uint64_t followed;

static void follow(void)
{
    if (seen)
        followed = each_seen(followed, note, NULL);
}

static size_t index_of(int peer)
{
    for (size_t i = 0; i < peer_count; i++)
        if (peers[i].fd == peer)
            return i;
    return 0;
}

int its_fd(int peer)
{
    follow();
    return peer_count > 0 ? peers[index_of(peer)].its_fd : -1;
}

bool closed_on(int peer)
{
    follow();
    return peers[index_of(peer)].closed;
}

/* --- Peers --------------------------------------------------------------- */

static int port;

static bool listens(void *unused)
{
    (void)unused;
    return strstr(words, "listening on ") &&
           strchr(strstr(words, "listening on "), '\n');
}

int serve(void)
{
    start("--stop-after", "19s", "0");
    if (!wait_until(listens, NULL, 10 * SECOND)) {
        ends_within(3 * SECOND); /* it may be on its way to a limit */
        diagnosed(-1, NOT_LISTENING, "no client could be sent in");
    }

    const char *line = strstr(words, "listening on ");
    const char *number = strstr(line, " port ");

    port = number ? (int)strtol(number + 6, NULL, 10) : 0;
    if (port == 0)
        mistake(NOT_LISTENING, "It printed '%.60s', without a port.", line);
    step("the program listens on port %d", port);
    return port;
}

int dial(const char *who)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        broken("cannot make a socket");
    set_nonblocking(fd);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int error = errno;
        socklen_t length = sizeof error;

        if (error == EINPROGRESS && poll(&p, 1, 5000) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == ECONNREFUSED || error == ECONNRESET) {
            ends_within(SECOND / 2);
            diagnosed(-1, WRONG_PORT,
                      "nobody listens on port %d, the one it named", port);
        }
        if (error != 0)
            mistake(NOT_LISTENING, "Connecting to port %d: %s.", port,
                    error_entry(error)->symbol);
    }
    send_at_once(fd);
    if (peer_count == MOST_PEERS)
        broken("too many peers");
    peers[peer_count].name = who;
    peers[peer_count].fd = fd;
    peers[peer_count].its_fd = -1;
    peer_count++;
    step("%s connected", who);
    return fd;
}

static bool is_accepted(void *peer)
{
    follow();
    return peers[*(size_t *)peer].its_fd >= 0;
}

bool accepted(int peer)
{
    size_t index = index_of(peer);

    return wait_until(is_accepted, &index, 5 * SECOND);
}

void tell(int peer, const char *bytes, size_t size)
{
    instant deadline = deadline_in(5 * SECOND);

    for (size_t sent = 0; sent < size && !passed(deadline);) {
        struct pollfd p = {.fd = peer, .events = POLLOUT};
        ssize_t n = send(peer, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (n > 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            poll(&p, 1, 100);
        else
            break; /* whoever listens will find that it is closed */
    }
}

void tell_text(int peer, const char *text)
{
    tell(peer, text, strlen(text));
    step("%s sent %zu bytes", peers[index_of(peer)].name, strlen(text));
}

enum ending ending;

struct hearing {
    int peer;
    const char *bytes;
    size_t size, heard;
    bool wrong;
};

static bool heard(void *context)
{
    struct hearing *h = context;
    char piece[16384];

    while (h->heard < h->size && ending == STILL_THERE) {
        size_t room = h->size - h->heard;
        ssize_t n =
            recv(h->peer, piece, room < sizeof piece ? room : sizeof piece, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0) {
            ending = n == 0 ? ENDED : RESET;
        } else {
            h->wrong =
                h->wrong || memcmp(piece, h->bytes + h->heard, (size_t)n) != 0;
            h->heard += (size_t)n;
            begin_to_hope(); /* it moves */
        }
    }
    return true;
}

bool hears(int peer, const char *bytes, size_t size)
{
    struct hearing h = {.peer = peer, .bytes = bytes, .size = size};

    ending = STILL_THERE;
    return wait_until(heard, &h, 10 * SECOND) && h.heard == size && !h.wrong;
}

bool hears_text(int peer, const char *text)
{
    bool well = hears(peer, text, strlen(text));

    if (well)
        step("%s received its echo", peers[index_of(peer)].name);
    return well;
}

static bool heard_end(void *context)
{
    char nothing[4096];
    ssize_t n;

    while ((n = recv(*(int *)context, nothing, sizeof nothing, 0)) > 0)
        begin_to_hope();
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    ending = n == 0 ? ENDED : RESET;
    return true;
}

bool hears_end(int peer)
{
    ending = STILL_THERE;
    return wait_until(heard_end, &peer, 5 * SECOND) && ending == ENDED;
}

void reset_peer(int peer)
{
    const struct linger at_once_please = {.l_onoff = 1, .l_linger = 0};

    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once_please,
               sizeof at_once_please);
    step("%s reset its connection", peers[index_of(peer)].name);
    close(peer);
    peers[index_of(peer)].fd = -1;
}

static int bound_port(int *fd)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&own, length) < 0 ||
        getsockname(*fd, (struct sockaddr *)&own, &length) < 0)
        broken("cannot get a port");
    set_nonblocking(*fd);
    return ntohs(own.sin_port);
}

int refusing_port(void)
{
    int fd; /* kept: nobody else is to get the port */

    return bound_port(&fd);
}

int listening_port(int *listener)
{
    int number = bound_port(listener);

    if (listen(*listener, 16) < 0)
        broken("cannot listen");
    return number;
}

/* A queue of 0 completes one connect on Linux, and leaves the next without an
 * answer. */
int silent_port(int *listener)
{
    int number = bound_port(listener);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)number),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listen(*listener, 0) < 0 || fd < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        broken("cannot fill a queue");
    return number;
}

/* --- Why it does not do what it should ----------------------------------- */

/* What the program says last, on one line. */
const char *last_words(void)
{
    static char line[160];
    const char *text = its_words(), *from;
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    from = text + length;
    while (from > text && from[-1] != '\n')
        from--;
    snprintf(line, sizeof line, "%.*s", (int)(text + length - from), from);
    return line;
}

/* The sanitizers' reports, in one line. */
static bool sanitizer_spoke(char *line, size_t size)
{
    const char *found_at = strstr(its_words(), "ERROR: AddressSanitizer: ");
    const char *in;

    if (!found_at)
        found_at = strstr(its_words(), "runtime error: ");
    if (!found_at)
        return false;
    snprintf(line, size, "%.*s", (int)strcspn(found_at, "\n"), found_at);

    char *address = strstr(line, " on ");

    if (address)
        *address = '\0'; /* which address it was helps nobody */
    in = strstr(found_at, " in ");
    while (in && strncmp(in, " in __", 6) != 0 &&
           strcspn(in, "\n") > strcspn(in, ":"))
        break;
    return true;
}

static enum mistake cause_of_error(int call, int error)
{
    switch (error) {
    case EAGAIN:
        return EAGAIN_FATAL;
    case EINTR:
        return EINTR_FATAL;
    case EINPROGRESS:
        return EINPROGRESS_FATAL;
    case EALREADY:
        return EALREADY_FATAL;
    case EMFILE:
    case ENFILE:
        return EMFILE_FATAL;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
        return is_receive(call) || is_send(call) || is_accept(call)
                   ? PEER_KILLS_SERVER
                   : NO_MISTAKE;
    default:
        return NO_MISTAKE;
    }
}

/* The last call of sockets before its end. */
static bool last_one(const struct seen *s, void *context)
{
    const struct seen **last = context;

    if (s->call != CALL_close && (!*last || s->ended >= (*last)->ended))
        *last = s;
    return true;
}

static enum mistake cause_of_end(void)
{
    char line[200];
    const struct seen *last = NULL;

    if (sanitizer_spoke(line, sizeof line)) {
        more_symptom(" %s.", line);
        return CRASH;
    }
    if (strcmp(end.limit, "memory") == 0)
        return TOO_MUCH_MEMORY;
    if (strcmp(end.limit, "output") == 0)
        return TOO_MUCH_OUTPUT;
    if (strcmp(end.limit, "processes") == 0)
        return TOO_MANY_PROCESSES;
    if (strcmp(end.limit, "cpu") == 0)
        return TOO_MUCH_CPU;
    if (strcmp(end.limit, "wall") == 0)
        return ENDLESS;
    if (strcmp(end.how, "signal") == 0) {
        if (end.code == SIGPIPE)
            return SIGPIPE_DEATH;
        more_symptom(" Its last words: '%s'.", last_words());
        return CRASH;
    }
    each_seen(0, last_one, &last);
    /* Who has asked many times did not take the answer for the end. */
    if (last && last->result == -1 && last->times < 10) {
        enum mistake what = cause_of_error(last->call, last->error);

        if (what != NO_MISTAKE) {
            more_symptom(" Its last call: %s, -1 %s.", call_names[last->call],
                         error_entry(last->error)->symbol);
            return what;
        }
    }
    if (last && is_receive(last->call) && last->result == 0)
        return PEER_KILLS_SERVER;
    return NO_MISTAKE;
}

/* What kept happening in the last tenth of a second. */
struct recent {
    instant since;
    bool emfile, end_of_file, send_refused, sent, received, waits, no_time;
    bool select_used;
    unsigned events;
};

static bool look(const struct seen *s, void *context)
{
    struct recent *r = context;

    if (s->ended < r->since || s->times < 3)
        return true;
    if (is_accept(s->call) && (s->error == EMFILE || s->error == ENFILE))
        r->emfile = true;
    if (is_receive(s->call)) {
        r->received = true;
        r->end_of_file = r->end_of_file || (s->result == 0 && s->asked > 0);
    }
    if (is_send(s->call)) {
        r->sent = true;
        r->send_refused = r->send_refused || s->error == EAGAIN;
    }
    if (is_wait(s->call)) {
        r->waits = true;
        r->events |= s->events;
        r->no_time = r->no_time || (s->asked == 0 && s->result == 0);
        r->select_used = r->select_used || s->call == CALL_select;
    }
    return true;
}

static bool had_time(const struct seen *s, void *context)
{
    if (s->call == CALL_select && s->asked > 0)
        *(bool *)context = true;
    return true;
}

enum mistake cause_of_spin(enum mistake otherwise)
{
    struct recent r = {.since = now()};
    bool once_had_time = false;

    nap(100 * MILLISECOND);
    each_seen(0, look, &r);
    each_seen(0, had_time, &once_had_time);
    if (r.waits && r.no_time && r.select_used && once_had_time)
        return TIMEVAL_CONSUMED;
    if (r.emfile)
        return ACCEPT_EMFILE_SPIN;
    if (r.end_of_file)
        return EOF_IGNORED;
    if (r.waits && r.no_time)
        return BUSY_SPIN;
    if (r.waits && r.send_refused)
        return POLLOUT_NEVER;
    if (r.waits && (r.events & POLLOUT) && !r.sent)
        return POLLOUT_ALWAYS;
    if (r.waits && (r.events & (POLLHUP | POLLERR)) && !r.received)
        return NOT_CLOSED;
    return r.waits ? otherwise : BUSY_SPIN;
}

static enum mistake cause_of_sleep(int peer)
{
    const struct seen *in = &seen->inside;
    int fd = peer >= 0 ? its_fd(peer) : -1;

    if (in->blocking && is_accept(in->call))
        return ACCEPT_BLOCKS;
    if (in->blocking && in->call == CALL_connect)
        return CONNECT_BLOCKS;
    if (in->blocking && peer_count > 0 &&
        (is_receive(in->call) || is_send(in->call)))
        return ACCEPTED_BLOCKING;
    if (in->blocking && is_send(in->call))
        return SEND_BLOCKS;
    if (is_nap(in->call))
        return ASLEEP_IN_LOOP;
    if (!is_wait(in->call) || peer < 0)
        return NO_MISTAKE;
    if (in->call == CALL_epoll_wait) {
        struct search added = {.call = CALL_epoll_ctl, .fd = fd};

        if (fd < 0)
            return LISTENER_UNWATCHED;
        each_seen(0, found_well, &added);
        if (!added.last)
            return CLIENT_UNWATCHED;
        if ((uint32_t)added.last->asked & EPOLLET)
            return ET_NOT_DRAINED;
    } else if (fd < 0) {
        return in->call != CALL_select ? LISTENER_UNWATCHED
               : in->beyond            ? NFDS_TOO_LOW
                                       : FDSET_STALE;
    } else if (fd < 64 && (in->beyond >> fd & 1)) {
        return NFDS_TOO_LOW;
    } else if (fd < 64 && !(in->watched >> fd & 1)) {
        return in->call == CALL_select ? FDSET_STALE : CLIENT_UNWATCHED;
    }

    const struct seen *put = fd >= 0 ? last_send(fd) : NULL;

    if (put && (put->result < put->asked))
        return POLLOUT_NEVER;
    return NO_MISTAKE;
}

/* Its side of the connection was closed: after which answer? */
static enum mistake cause_of_close(int peer)
{
    int fd = its_fd(peer);
    const struct seen *got = last_receive(fd), *put = last_send(fd);
    const struct seen *last = got;

    if (!got || (put && put->ended > got->ended))
        last = put;
    if (!last)
        return NO_MISTAKE;
    if (last->result == -1)
        return cause_of_error(last->call, last->error);
    return NO_MISTAKE;
}

void diagnosed(int peer, enum mistake otherwise, const char *format, ...)
{
    const char *now_doing = doing();
    enum mistake what = NO_MISTAKE;
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    step("%s; the program %s", text, now_doing);
    snprintf(verdict->symptom, sizeof verdict->symptom, "%c%s: the program %s.",
             text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0],
             text + 1, now_doing);
    follow();
    /* Closed, but not by a call of its own: it is about to end. */
    if (ending != STILL_THERE && peer >= 0 && !closed_on(peer))
        ends_within(3 * SECOND);
    if (ended)
        what = cause_of_end();
    else if (ending != STILL_THERE && peer >= 0)
        what = cause_of_close(peer);
    else if (strstr(now_doing, "spinning"))
        what = may_spin() ? NO_MISTAKE : cause_of_spin(NO_MISTAKE);
    else if (seen->is_inside)
        what = cause_of_sleep(peer);
    if (what == NO_MISTAKE && ended && peer_count > 0 && exit_status() > 0)
        what = PEER_KILLS_SERVER;
    if (what == NO_MISTAKE && ended && otherwise == NOT_LISTENING)
        what = ENDS_EARLY;
    if (what == NO_MISTAKE)
        what = otherwise;
    reach(what);
}

void mistake(enum mistake what, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict->symptom, sizeof verdict->symptom, format, arguments);
    va_end(arguments);
    reach(what);
}

void must_be_idle(const char *while_what)
{
    const duration length = 250 * MILLISECOND;
    uint64_t before = 0, wakeups = 0;

    /* Let it finish what it was doing, which may take its time here. */
    for (int i = 0; i < 6 && eagerness(50 * MILLISECOND) > 0.2; i++)
        ;
    for (int call = CALL_poll; call <= CALL_epoll_wait; call++)
        before += call == CALL_epoll_ctl ? 0 : seen->calls[call];

    double share = eagerness(length);

    for (int call = CALL_poll; call <= CALL_epoll_wait; call++)
        wakeups += call == CALL_epoll_ctl ? 0 : seen->calls[call];
    wakeups -= before;
    if (has_ended())
        diagnosed(-1, ENDS_EARLY, "%s", while_what);
    if (share > 0.4) {
        enum mistake what = cause_of_spin(BUSY_SPIN);

        step("%s the program is spinning", while_what);
        mistake(what,
                "%s it should sleep, but it used %.0f %% of a core and came "
                "back from its wait %s times in %.2f s.",
                while_what, 100 * share, grouped(wakeups), seconds(length));
    }
    if (wakeups > 15)
        mistake(IDLE_WAKEUPS,
                "%s it should sleep, but it woke up %s times in %.2f s, for "
                "nothing.",
                while_what, grouped(wakeups), seconds(length));
    step("%s it sleeps", while_what);
}

/* --- All checks of an exercise ------------------------------------------- */

static const struct exercise *const tables[] = {
    server_exercises,
    client_exercises,
    chat_exercises,
};

static const struct exercise *exercise_called(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct exercise *e = tables[t]; e->name; e++)
            if (strcmp(e->name, name) == 0)
                return e;
    return NULL;
}

static size_t check_count(const struct exercise *e)
{
    size_t count = 0;

    while (e->checks[count].name)
        count++;
    return count;
}

static bool is_wanted(const struct check *c)
{
    return !only || strcmp(only, c->name) == 0;
}

/* A shell can run this. */
static void print_command(const char *by_hand)
{
    const char *at;

    while ((at = strstr(by_hand, "PROGRAM"))) {
        printf("%.*s%s", (int)(at - by_hand), by_hand,
               shown_as ? shown_as : binary);
        by_hand = at + strlen("PROGRAM");
    }
    printf("%s\n", by_hand);
}

/* A long sentence, in lines that fit; those after the first begin in the
 * column of its text. */
static void print_folded(const char *text, const char *head, int indent)
{
    printf("%-*s", indent, head);
    for (;;) {
        size_t length = strlen(text), most = 78 - (size_t)indent;

        if (length > most) {
            length = most;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = strcspn(text, " ");
        }
        printf("%.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        printf("%*s", indent, "");
    }
}

static void print_verdict(const struct exercise *e, const struct check *c,
                          const struct verdict *v, size_t number, size_t count)
{
    const struct mistake_entry *m = mistake_entry(v->what);

    if (!v->reached) {
        printf("%s: check %zu of %zu could not be made (%s). That is not your "
               "fault: try again.\n",
               e->name, number, count,
               *v->symptom ? v->symptom : "it broke down");
        return;
    }
    printf("\n%s: not yet. Check %zu of %zu: %s.\n\n", e->name, number, count,
           c->title);
    printf("  %s: %s", m->name, m->title);
    if (m->lesson > 0)
        printf(" (lesson %d)", m->lesson);
    printf("\n");
    print_folded(v->symptom, "", 2);
    if (v->steps > 0)
        printf("\nWhat happened\n");
    for (size_t i = 0; i < v->steps; i++) {
        char at[32];

        snprintf(at, sizeof at, "%9.3f s", v->step[i].at);
        print_folded(v->step[i].text, at, 13);
    }
    printf("\nThink\n");
    print_folded(m->advice, "", 2);
    printf("\nSee it by hand\n  ");
    print_command(c->by_hand);
}

static void write_record(FILE *record, const struct exercise *e,
                         const struct check *c, const struct verdict *v)
{
    const char *result = !v->reached             ? "error"
                         : v->what == NO_MISTAKE ? "pass"
                                                 : "fail";
    char symptom[sizeof v->symptom];

    snprintf(symptom, sizeof symptom, "%s",
             v->what == NO_MISTAKE && v->reached ? "" : v->symptom);
    for (char *p = symptom; *p; p++)
        if (*p == '\t' || *p == '\n')
            *p = ' ';
    fprintf(record, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%.3f\t%s\n", e->name, c->name,
            c->title, result,
            v->reached && v->what != NO_MISTAKE ? mistake_entry(v->what)->name
                                                : "-",
            v->reached && v->what == NO_MISTAKE ? c->points : 0, c->points,
            v->seconds, symptom);
}

/* One check, in a process of its own. */
static pid_t begin_check(const struct check *c, struct verdict *v)
{
    pid_t child = fork();

    if (child < 0)
        die("cannot start a process");
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    verdict = v;
    began = now();
    c->run();
    if (has_ended() && exit_status() < 0 && strcmp(end.limit, "-") != 0)
        diagnosed(-1, ENDLESS, "all went well, but at the end");
    reach(NO_MISTAKE);
}

static int judge(const struct exercise *e, FILE *record)
{
    const size_t count = check_count(e);
    struct verdict *verdicts =
        mmap(NULL, count * sizeof *verdicts, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[32] = {0};
    size_t begun = 0, running = 0, made = 0, failures = 0;

    if (verdicts == MAP_FAILED)
        die("cannot share memory");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    exercise = e;
    for (size_t i = 0; i < count; i++) {
        for (; begun < count && running < at_once; begun++)
            if (is_wanted(&e->checks[begun])) {
                children[begun] =
                    begin_check(&e->checks[begun], &verdicts[begun]);
                running++;
            }
        if (children[i] == 0)
            continue;
        while (waitpid(children[i], NULL, 0) < 0 && !stopping())
            ;
        if (stopping())
            break;
        running--;
        made++;

        const struct verdict *v = &verdicts[i];

        if (record)
            write_record(record, e, &e->checks[i], v);
        if (v->reached && v->what == NO_MISTAKE)
            continue;
        failures++;
        print_verdict(e, &e->checks[i], v, i + 1, count);
        if (!all_checks)
            break;
    }
    for (size_t i = 0; i < begun; i++)
        if (children[i] > 0)
            kill(children[i], SIGKILL);
    /* Their supervisors hear of it, clean up, and are ours until then. */
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    if (stopping())
        die_because(0, "stopped by %s", stop_reason());
    if (made == 0)
        usage_error("'%s' has no check '%s'", e->name, only);
    if (failures == 0)
        printf("%s: passed, all %zu checks\n", e->name, made);
    munmap(verdicts, count * sizeof *verdicts);
    return failures > 0;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    const struct exercise *e;
    FILE *record = NULL;
    ssize_t n = readlink("/proc/self/exe", supervisor, sizeof supervisor - 16);

    if (mistakes_wanted) {
        print_mistakes();
        return 0;
    }
    if (!operands[0])
        usage_error("name an exercise");
    e = exercise_called(operands[0]);
    if (!e)
        usage_error("there is no exercise '%s'", operands[0]);
    if (list_wanted) {
        for (const struct check *c = e->checks; c->name; c++)
            printf("%s\t%d\t%s\t%s\n", c->name, c->points, c->title,
                   c->by_hand);
        return 0;
    }
    if (!operands[1])
        usage_error("name a program");
    binary = operands[1];
    if (access(binary, X_OK) < 0)
        die("cannot run %s", binary);
    if (n < 0)
        die("cannot find the supervisor");
    snprintf(strrchr(supervisor, '/'), sizeof "/supervise", "/supervise");
    if (record_name && !(record = fopen(record_name, "a")))
        die("cannot write to %s", record_name);

    int status = judge(e, record);

    if (record && fclose(record) != 0)
        die("cannot write to %s", record_name);
    return status;
}
