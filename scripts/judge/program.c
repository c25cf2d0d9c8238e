/* SPDX-License-Identifier: MIT */
/*
 * program - the program under supervision: starts it, reads its output, watches
 * its state, and waits for it no longer than makes sense.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"
#include "notify.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The program ---------------------------------------------------------- */

static pid_t supervisor_pid, notifier_pid, pid;
static int words_fd = -1, status_pipe = -1;
static char words[128 * 1024];
static size_t words_length;
static bool ended;
static bool gone; /* the supervisor has ended without a word */
static instant end_seen;
struct program_end end;
static struct witness *seen;
int its_input = -1;

static unsigned most_descriptors, occupied_descriptors;

int give_keyboard(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        check_failed("cannot make a pipe");
    its_input = ends[0];
    return ends[1];
}

void limit_descriptors(unsigned count)
{
    most_descriptors = count;
}

void occupy_descriptors(unsigned count)
{
    occupied_descriptors = count;
}

const struct witness *witness(void)
{
    return seen;
}

/* A memory file that the program can write to, whichever user it runs as. It
 * cannot make it shorter: we would die of SIGBUS. */
static int shared_witness(void)
{
    int fd = memfd_create("witness", MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, sizeof *seen) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
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
    /* Any program may say as much as it likes: keep the end of it. */
    if (any_program && words_length > sizeof words / 2) {
        const size_t keep = sizeof words / 4;

        memmove(words, words + words_length - keep, keep + 1);
        words_length = keep;
    }
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
    gone = gone || (n == 0 && !ended);
    if (n <= 0)
        return;
    text[n] = '\0';
    if (strstr(text, "started ")) {
        pid = (pid_t)number_of(text, "started pid=");
        look_at(pid);
        word_of(text, " level=", verdict->level, sizeof verdict->level);
    }
    if (!strstr(text, "ended "))
        return;
    word_of(text, " how=", end.how, sizeof end.how);
    word_of(text, " limit=", end.limit, sizeof end.limit);
    end.code = (int)number_of(text, " code=");
    end.delay = (duration)(number_of(text, " delay=") * 1e9);
    ended = true;
    end_seen = now();
    read_words(); /* what it wrote just before its end */
}

static bool started(void *unused)
{
    (void)unused;
    return pid > 0 || ended || gone;
}

/* Forget the program, so that it can be started once more. */
static void forget_program(void)
{
    stop_program();
    if (words_fd >= 0) {
        close(words_fd);
        close(status_pipe);
    }
    look_at(0);
    pid = 0;
    ended = gone = false;
    end = (struct program_end){0};
    words_length = 0;
    words[0] = '\0';
    if (seen)
        munmap(seen, sizeof *seen);
}

void start_with(const char *const *arguments)
{
    const char *command[MOST_WORDS + 40] = {
        supervisor, "--status", "3",        "--wall", "20s",
        "--cpu",    "10s",      "--memory", "192M",
    };
    size_t count = 9;
    char most[16], occupied[16];

    forget_program();

    int out[2], status[2], shared = shared_witness();
    const bool reports = reported_calls() && can_report_calls();
    const int to_notifier = reports ? start_notifier(&notifier_pid) : -1;

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
    if (reports) {
        command[count++] = "--notifier";
        command[count++] = "5";
        command[count++] = "--reported";
        command[count++] = reported_calls();
    }
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
        int hold_notifier = fcntl(to_notifier, F_DUPFD, 10);

        dup2(nothing, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        dup2(hold_status, 3);
        dup2(hold_shared, 4);
        if (reports)
            dup2(hold_notifier, 5);
        for (int fd = reports ? 6 : 5; fd < 1024; fd++)
            close(fd);
        setenv("WB_WITNESS", "4", 1);
        if (!reports && injected_faults())
            setenv("WB_FAULTS", injected_faults(), 1);
        setenv("ASAN_OPTIONS",
               "detect_leaks=0:quarantine_size_mb=1:color=never", 1);
        setenv("UBSAN_OPTIONS", "print_stacktrace=0:color=never", 1);
        execv(supervisor, (char *const *)command);
        _exit(127);
    }
    close(out[1]);
    close(status[1]);
    close(shared);
    if (reports)
        close(to_notifier);
    words_fd = out[0];
    status_pipe = status[0];
    set_nonblocking(words_fd);
    set_nonblocking(status_pipe);
    if (verdict->steps == 0)
        began = now();
    if (!wait_until(started, NULL, 15 * SECOND) || (pid <= 0 && !ended)) {
        errno = EAGAIN;
        check_failed("the supervisor did not start the program");
    }
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
    if (notifier_pid > 0) {
        kill(notifier_pid, SIGKILL);
        waitpid(notifier_pid, NULL, 0);
        notifier_pid = 0;
    }
}

pid_t the_process(void)
{
    return pid;
}

void the_program_is(pid_t process)
{
    pid = process;
    look_at(process);
}

pid_t supervisor_of_program(void)
{
    return supervisor_pid;
}

/* Looking costs some time: not more often than every few milliseconds. */
struct family the_family(void)
{
    static struct family last;
    static instant seen_at;

    if (now() - seen_at > 4 * MILLISECOND) {
        last = family_of(supervisor_pid);
        seen_at = now();
    }
    return last;
}

void send_signal(int signal_number)
{
    if (pid > 0 && !has_ended())
        kill(pid, signal_number);
}

void freeze(void)
{
    const instant deadline = deadline_in(2 * SECOND);

    send_signal(SIGSTOP);
    while (!has_ended() && state() != 'T' && !passed(deadline))
        nap(MILLISECOND / 2);
}

void thaw(void)
{
    send_signal(SIGCONT);
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
    return end_seen;
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

/* --- What it does now ----------------------------------------------------- */

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

/* The call in which it sleeps, as the kernel tells it; where the kernel does
 * not, as the witness does. The witness knows the C library's names of naps. */
struct standing its_call(void)
{
    struct standing at = standing();
    const struct seen *in = &seen->inside;

    if (!at.known && seen->is_inside)
        at = (struct standing){.inside = true, .call = in->call, .fd = in->fd};
    else if (is_nap(at.call) && seen->is_inside && is_nap(in->call))
        at.call = in->call;
    return at;
}

const char *doing(void)
{
    static char text[160];

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

    const double share = cpu_demand(100 * MILLISECOND);
    const struct standing at = its_call();

    if (share > 0.5) {
        snprintf(text, sizeof text, "is spinning: %.0f %% of a core",
                 100 * share);
    } else if (!at.inside || at.call == CALLS) {
        snprintf(text, sizeof text, is_asleep() ? "is asleep" : "is running");
    } else if (is_nap(at.call)) {
        snprintf(text, sizeof text, "has put itself to sleep with %s",
                 call_names[at.call]);
    } else if (is_wait(at.call)) {
        snprintf(text, sizeof text, "is asleep in %s", call_names[at.call]);
    } else {
        const char *whose = peer_behind(at.fd);

        snprintf(text, sizeof text, "is blocked in %s%s%s (descriptor %d)",
                 call_names[at.call], *whose ? " on " : "", whose, at.fd);
    }
    return text;
}

/* --- Waiting, but no longer than makes sense ------------------------------ */

/* The state at the last change, to tell whether anything still changes. */
static struct {
    instant since;
    long long times_run;
    duration cpu;
    duration delay; /* our_delay() at that time */
    bool heard;     /* its supervisor has passed on all earlier output */
} stuck;

/* If we wait for a processor, the kernel's network work waits too, and a packet
 * may be late. */
duration our_delay(void)
{
    return waited_for_cpu(getpid());
}

duration its_delay(void)
{
    return ended ? end.delay : pid > 0 ? wanted_cpu() - used_cpu() : 0;
}

duration delayed(void)
{
    return our_delay() + its_delay();
}

void restart_stall_timer(void)
{
    stuck.since = now();
    stuck.delay = our_delay();
    stuck.times_run = -1;
    stuck.heard = false;
    stuck.cpu = pid > 0 ? used_cpu() : 0;
}

/* As long as our own processes are not asleep, output, or the answer to a
 * reported call, may be on its way: they may be waiting for a processor. */
static bool helpers_are_asleep(void)
{
    return state_of(supervisor_pid) == 'S' &&
           (notifier_pid <= 0 || state_of(notifier_pid) == 'S');
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

    const bool heard = helpers_are_asleep();

    if (used_cpu() - stuck.cpu > (any_program ? 2 * SECOND : 400 * MILLISECOND))
        return heard;

    /* Of any program, one thread or another runs now and then. */
    const long long run = any_program ? 0 : times_run();

    if (!is_asleep() || run != stuck.times_run) {
        stuck.since = now();
        stuck.delay = our_delay();
        stuck.times_run = run;
        stuck.heard = false;
    }
    /* Check this after the program fell asleep: only then has the supervisor
     * passed on all of its output. */
    stuck.heard = stuck.heard || helpers_are_asleep();
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
        if (!any_program) /* their checks do not ask for descriptors */
            look_at_peers();
        if (come_true(context))
            return true;
        if (passed(deadline) || is_stalled())
            return come_true(context);
        /* Most events come at once: look often at first, then less often. */
        nap(looks < 20                  ? MILLISECOND / 20
            : any_program && looks > 80 ? 10 * MILLISECOND
                                        : 2 * MILLISECOND);
    }
}

bool is_blocked(void)
{
    const int call = its_call().call;

    return is_asleep() && (is_accept(call) || is_receive(call) ||
                           is_send(call) || call == CALL_connect);
}

/* Blocked in a call that will not return by itself, since it last ran. */
static bool blocked_for_good(instant last_run)
{
    return is_blocked() && now() - last_run > 300 * MILLISECOND;
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
    instant last_run = now();
    long long run = -1;

    while (!has_ended() && !passed(at_last) &&
           (!passed(deadline) || may_still_end(before, limit)) &&
           !(limit > SECOND && blocked_for_good(last_run))) {
        nap(2 * MILLISECOND);
        if (run != times_run() || !helpers_are_asleep()) {
            run = times_run();
            last_run = now();
        }
    }
    return has_ended();
}
