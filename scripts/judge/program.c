/* SPDX-License-Identifier: MIT */
/*
 * program - the program under supervision: starts it, reads its output, watches
 * its state, and waits for it no longer than makes sense.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The program ---------------------------------------------------------- */

static pid_t supervisor_pid, pid;
static int words_fd = -1, status_pipe = -1;
static char words[128 * 1024];
static size_t words_length;
static bool ended;
static instant end_seen;
struct program_end end;
static struct witness *seen;
int its_input = -1;

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

/* A memory file that the program can write to, whichever user it runs as. */
static int shared_witness(void)
{
    int fd = memfd_create("witness", 0);

    if (fd < 0 || ftruncate(fd, sizeof *seen) < 0)
        check_failed("cannot share memory");
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        check_failed("cannot map memory");
    return fd;
}

/* The number after "KEY=" in a status line of the supervisor. */
static double number_of(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found ? strtod(found + strlen(key), NULL) : 0;
}

/* The word after "KEY=". */
static void word_of(const char *text, const char *key, char *word, size_t size)
{
    const char *found = strstr(text, key);

    if (found)
        snprintf(word, size, "%.*s", (int)strcspn(found + strlen(key), " \n"),
                 found + strlen(key));
}

static void read_words(void)
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

/* Read the output of the program, and the status lines of its supervisor. */
static void take_in_output(void)
{
    char text[512];
    ssize_t n;

    read_words();
    n = ended ? 0 : read(status_pipe, text, sizeof text - 1);
    if (n <= 0)
        return;
    text[n] = '\0';
    if (strstr(text, "started ")) {
        pid = (pid_t)number_of(text, "started pid=");
        word_of(text, " level=", verdict->level, sizeof verdict->level);
    }
    if (!strstr(text, "ended "))
        return;
    word_of(text, " how=", end.how, sizeof end.how);
    word_of(text, " limit=", end.limit, sizeof end.limit);
    end.code = (int)number_of(text, " code=");
    end.awake =
        (duration)((number_of(text, " cpu=") + number_of(text, " delay=")) *
                   1e9);
    ended = true;
    end_seen = now();
    read_words(); /* what it wrote just before its end */
}

static bool started(void *unused)
{
    (void)unused;
    return pid > 0 || ended;
}

void start_with(const char *const *arguments)
{
    const char *command[MOST_WORDS + 40] = {
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
    if (any_program)
        count += more_room(command + count);
    command[count++] = binary;
    for (const char *const *a = arguments; *a; a++)
        command[count++] = *a;
    command[count] = NULL;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0)
        check_failed("cannot make a pipe");
    supervisor_pid = fork();
    if (supervisor_pid < 0)
        check_failed("cannot start a process");
    if (supervisor_pid == 0) {
        int nothing = its_input >= 0 ? its_input : open("/dev/null", O_RDONLY);

        /* Copy both to high numbers first, so that dup2 cannot overwrite
         * them. */
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
    if (!wait_until(started, NULL, 15 * SECOND))
        check_failed("the supervisor did not start");
}

/* The supervisor kills every process of the program, then ends itself. */
void stop_program(void)
{
    instant deadline = deadline_in(3 * SECOND);

    if (supervisor_pid <= 0)
        return;
    take_in_output();
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

pid_t the_process(void)
{
    return pid;
}

void the_program_is(pid_t process)
{
    pid = process;
}

pid_t supervisor_of_program(void)
{
    return supervisor_pid;
}

struct family the_family(void)
{
    return family_of(supervisor_pid);
}

void send_signal(int signal_number)
{
    if (pid > 0 && !has_ended())
        kill(pid, signal_number);
}

bool has_ended(void)
{
    take_in_output();
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

instant its_end(void)
{
    return sooner(last_return() + end.awake, end_seen);
}

const char *its_words(void)
{
    take_in_output();
    return words;
}

bool says(const char *what)
{
    return strstr(its_words(), what) != NULL;
}

/* --- What it does now, from /proc ----------------------------------------- */

/* The contents of a file in /proc/PID; "" if it cannot be read. */
static const char *text_of(pid_t process, const char *name)
{
    static char text[1024];
    char path[64];
    FILE *file;
    size_t length = 0;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    file = fopen(path, "r");
    if (file) {
        length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return text;
}

static const char *proc_text(const char *name)
{
    return text_of(pid, name);
}

/* The number in this field of such a text; fields count from 0. */
static long long field(const char *text, int place)
{
    while (place-- > 0) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return strtoll(text, NULL, 10);
}

/* The part of stat after the name; it begins with the state (proc(5)). */
static const char *stat_of(pid_t process)
{
    const char *close_bracket = strrchr(text_of(process, "stat"), ')');

    return close_bracket ? close_bracket + 2 : "";
}

static const char *stat_text(void)
{
    return stat_of(pid);
}

static char state(void)
{
    if (any_program && !ended)
        return the_family().runnable > 0 ? 'R' : 'S';
    return *stat_text();
}

/* How long it has run or was ready to run: schedstat has both (Linux,
 * Documentation/scheduler/sched-stats). Without schedstat, use the ticks. */
static duration wanted_cpu(void)
{
    const char *text = proc_text("schedstat");

    if (any_program) {
        const struct family family = the_family();

        return family.ran + family.waited;
    }

    if (*text)
        return field(text, 0) + field(text, 1);
    text = stat_text();
    return (field(text, 11) + field(text, 12)) *
           (SECOND / sysconf(_SC_CLK_TCK));
}

/* How long it has run. A busy machine does not make this longer. */
static duration used_cpu(void)
{
    const char *text = proc_text("schedstat");

    if (any_program)
        return the_family().ran;
    return *text ? field(text, 0) : wanted_cpu();
}

size_t resident_memory(void)
{
    return (size_t)field(proc_text("statm"), 1) * (size_t)sysconf(_SC_PAGESIZE);
}

/* The part of this time that it ran or waited for a processor. */
static double share_wanted(duration length)
{
    enum { SAMPLES = 10 };
    duration before = wanted_cpu();
    instant from = now();
    int runnable = 0;
    double share;

    /* The kernel counts a wait for a processor only when it is over, so sample
     * the state too. */
    for (int i = 0; i < SAMPLES; i++) {
        nap(length / SAMPLES);
        runnable += state() == 'R';
    }
    share = (double)(wanted_cpu() - before) / (double)(now() - from);
    if (share < (double)runnable / SAMPLES)
        share = (double)runnable / SAMPLES;
    return share > 1 ? 1 : share;
}

/* On a busy machine, even a short piece of work may wait long for a processor.
 * A program spins only if it keeps running whenever it gets one. */
double cpu_demand(duration length)
{
    const duration before = used_cpu();
    double share = share_wanted(length);

    for (int i = 0; i < 10 && share > 0.3 && used_cpu() - before < length / 8;
         i++)
        share = share_wanted(length);
    return share;
}

bool is_asleep(void)
{
    char s = state();

    return s == 'S' || s == 'D';
}

bool may_spin(void)
{
    return exercise->may_spin;
}

static const char *const call_names[] = {
#define CALL(name) #name,
    EACH_CALL(CALL)
#undef CALL
};

const char *call_name(int call)
{
    return call_names[call];
}

bool is_wait(int call)
{
    return call == CALL_poll || call == CALL_ppoll || call == CALL_select ||
           call == CALL_pselect || call == CALL_epoll_wait;
}

bool is_nap(int call)
{
    return call >= CALL_sleep && call <= CALL_clock_nanosleep;
}

bool is_receive(int call)
{
    return call >= CALL_recv && call <= CALL_read;
}

bool is_send(int call)
{
    return call >= CALL_send && call <= CALL_write;
}

bool is_accept(int call)
{
    return call == CALL_accept || call == CALL_accept4;
}

/* POSIX has names for signals, but no function for them before 2024. */
static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } table[] = {
        {SIGABRT, "ABRT"}, {SIGALRM, "ALRM"}, {SIGBUS, "BUS"},
        {SIGFPE, "FPE"},   {SIGHUP, "HUP"},   {SIGILL, "ILL"},
        {SIGINT, "INT"},   {SIGKILL, "KILL"}, {SIGPIPE, "PIPE"},
        {SIGQUIT, "QUIT"}, {SIGSEGV, "SEGV"}, {SIGSYS, "SYS"},
        {SIGTERM, "TERM"}, {SIGTRAP, "TRAP"}, {SIGUSR1, "USR1"},
        {SIGUSR2, "USR2"}, {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == number)
            return table[i].name;
    return "?";
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
                     signal_name(end.code));
        else
            snprintf(text, sizeof text, "has ended with status %d", end.code);
        return text;
    }

    double share = cpu_demand(100 * MILLISECOND);

    if (share > 0.5) {
        snprintf(text, sizeof text, "is spinning: %.0f %% of a core",
                 100 * share);
    } else if (!seen->is_inside) {
        snprintf(text, sizeof text, is_asleep() ? "is asleep" : "is running");
    } else if (is_nap(in->call)) {
        snprintf(text, sizeof text, "is asleep in %s, by its own wish",
                 call_names[in->call]);
    } else if (is_wait(in->call)) {
        snprintf(text, sizeof text, "is asleep in %s", call_names[in->call]);
    } else {
        const char *whose = peer_behind(in->fd);

        snprintf(text, sizeof text, "is blocked in %s%s%s (descriptor %d)",
                 call_names[in->call], *whose ? " on " : "", whose, in->fd);
    }
    return text;
}

/* --- Waiting, but no longer than makes sense ------------------------------ */

/* The state at the last change, to tell whether anything still changes. */
static struct {
    instant since;
    int64_t inside_since;
    duration cpu;
    duration delay; /* our_delay() at that time */
    bool heard;     /* its supervisor has passed on all earlier output */
} stuck;

/* How long we have waited for a processor so far. If we wait, the kernel's
 * network work waits too, and a packet may be late. */
static duration our_delay(void)
{
    return field(text_of(getpid(), "schedstat"), 1);
}

duration delayed(void)
{
    return our_delay() + (ended     ? end.delay
                          : pid > 0 ? wanted_cpu() - used_cpu()
                                    : 0);
}

void restart_stall_timer(void)
{
    stuck.since = now();
    stuck.delay = our_delay();
    stuck.inside_since = -1;
    stuck.heard = false;
    stuck.cpu = pid > 0 ? used_cpu() : 0;
}

/* Nothing more will come: the program has ended; or it has been asleep in one
 * call for long, and the kernel holds nothing back that would wake it; or it
 * has used enough CPU time. */
static bool is_stalled(void)
{
    /* Of any program we do not know in which call it is: it may nap. */
    const duration patience = any_program ? SECOND : 300 * MILLISECOND;

    if (pid <= 0)
        return false;
    if (ended)
        return true;

    /* As long as the supervisor is not asleep, output may be on its way: the
     * supervisor may itself be waiting for a processor. */
    const bool heard = *stat_of(supervisor_pid) == 'S';

    if (used_cpu() - stuck.cpu > (any_program ? 2 * SECOND : 400 * MILLISECOND))
        return heard;

    int64_t inside = seen->is_inside ? seen->inside.began : 0;

    if (!is_asleep() || inside != stuck.inside_since) {
        stuck.since = now();
        stuck.delay = our_delay();
        stuck.inside_since = inside;
        stuck.heard = false;
    }
    /* Check this after the program fell asleep: only then has the supervisor
     * passed on all of its output. */
    stuck.heard = stuck.heard || *stat_of(supervisor_pid) == 'S';
    if (!stuck.heard || now() - stuck.since <= patience)
        return false;

    duration more = 4 * (our_delay() - stuck.delay);

    if (more > 3 * SECOND)
        more = 3 * SECOND;
    return now() - stuck.since > patience + more && !on_its_way();
}

bool wait_until(bool (*come_true)(void *), void *context, duration limit)
{
    instant deadline = deadline_in(limit);

    restart_stall_timer();
    for (int looks = 0;; looks++) {
        take_in_output();
        read_witness();
        if (come_true(context))
            return true;
        if (passed(deadline) || is_stalled())
            return come_true(context);
        /* Most events come at once: look often at first, then less often. */
        nap(looks < 20 ? MILLISECOND / 20 : 2 * MILLISECOND);
    }
}

/* Blocked in a call that will not return by itself. */
static bool blocked_for_good(void)
{
    return seen->is_inside && seen->inside.blocking && is_asleep() &&
           now() - seen->inside.began > 300 * MILLISECOND;
}

/* It has ended and the supervisor has not reported it yet, or it has not yet
 * got as much processor time as it was given. */
static bool may_still_end(duration before, duration limit)
{
    char s = state();

    return s == 'Z' || s == 'X' || s == '\0' ||
           (s == 'R' && used_cpu() - before < limit);
}

bool ends_within(duration limit)
{
    const instant deadline = deadline_in(limit);
    const instant at_last = deadline_in(limit + 10 * SECOND);
    const duration before = pid > 0 ? used_cpu() : 0;

    while (!has_ended() && !passed(at_last) &&
           (!passed(deadline) || may_still_end(before, limit)) &&
           !(limit > SECOND && blocked_for_good()))
        nap(2 * MILLISECOND);
    return has_ended();
}
