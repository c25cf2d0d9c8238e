/* SPDX-License-Identifier: MIT */
/*
 * supervise - runs an untrusted program within limits, and leaves no process
 * of it behind.
 *
 *     supervise --wall 5s --memory 256M --status 3 PROGRAM ARGUMENT... 3>status
 *
 * The program gets a session of its own and, if we are root, a user of its own
 * that owns nothing. Every process that it starts is a descendant of this one,
 * even after its parent has ended (PR_SET_CHILD_SUBREAPER, prctl(2)). When the
 * program ends or breaks a limit, or when we are asked to stop, we first stop
 * all of these processes and then kill them, so that none can start another
 * one in between. We pass on the output of the program up to a limit. It gets
 * only those of our environment variables that the checks need. With --room it
 * starts in a folder of its own.
 *
 * The status descriptor gets two lines:
 *
 *     started pid=123
 *     ended how=exit code=0 limit=- cpu=0.010 delay=0.002 wall=0.300 peak=1800
 * left=0
 *
 * how is exit or signal; code is the exit status or the signal's number; limit
 * names the limit that was broken; cpu, delay (the wait for a processor) and
 * wall are seconds; peak is KiB of memory; left counts the processes that the
 * program left running. Exit status: the program's own, 128 plus the number of
 * the signal, or 124 for a broken limit.
 */
#define _GNU_SOURCE
#include "notify.h"
#include "wouldblock.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static duration wall = 30 * SECOND, cpu = 20 * SECOND;
static size_t memory = (size_t)512 << 20, output = (size_t)64 << 10;
static size_t processes = 32, descriptors, occupied, status_fd;
static size_t notifier;
static bool keep_user;
static const char *room, *reported;

static const struct setting settings[] = {
    {"wall", "TIME", "end it after TIME", .time = &wall},
    {"cpu", "TIME", "end it when it has used TIME of a processor",
     .time = &cpu},
    {"memory", "BYTES", "end it when it holds more than BYTES",
     .size = &memory},
    {"output", "BYTES", "end it when it writes more than BYTES",
     .size = &output},
    {"processes", "N", "end it when it has N processes", .size = &processes},
    {"descriptors", "N", "let it have N descriptors at most; 0: many",
     .size = &descriptors},
    {"occupy", "N", "open N descriptors for it before", .size = &occupied},
    {"keep-user", NULL, "let root's program be root's", .flag = &keep_user},
    {"room", "FOLDER", "run it in FOLDER, and let it own that", .text = &room},
    {"reported", "CALLS", "have the kernel report these calls of it",
     .text = &reported},
    {"notifier", "FD", "send the listener of these reports to socket FD",
     .size = &notifier},
    {"status", "FD", "tell descriptor FD how it goes", .size = &status_fd},
    {0},
};
static const struct program program = {
    "Runs a program within limits, and leaves nothing of it behind.",
    "COMMAND [ARGUMENT]...",
    settings,
};

/* --- The program's descendants -------------------------------------------- */

/* The start of a small file as text; "" if it cannot be read. */
static const char *text_of(const char *path, char *content, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t length = 0;

    if (file) {
        length = fread(content, 1, size - 1, file);
        fclose(file);
    }
    content[length] = '\0';
    return content;
}

/*
 * Call visit for every descendant of a process, children first. Returns how
 * many there are. /proc lists the children of each process (proc(5),
 * task/TID/children). The recursion is no deeper than the number of processes
 * allowed.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t descend(pid_t parent, void (*visit)(pid_t))
{
    char path[64], children[4096], *rest;
    size_t found = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent,
             (int)parent);
    text_of(path, children, sizeof children);
    for (char *p = children;; p = rest) {
        pid_t child = (pid_t)strtol(p, &rest, 10);

        if (rest == p)
            return found;
        found += 1 + descend(child, visit);
        visit(child);
    }
}

static size_t held; /* bytes of memory of all processes */

static void add_memory(pid_t pid)
{
    char path[64], sizes[128], *resident;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    text_of(path, sizes, sizeof sizes);
    strtoul(sizes, &resident, 10); /* skips the total size */
    held += strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void stop_one(pid_t pid)
{
    kill(pid, SIGSTOP);
}

static void kill_one(pid_t pid)
{
    kill(pid, SIGKILL);
}

/* A user ID that nothing else uses: its processes can signal only each other,
 * and one call kills them all. */
static uid_t own_user;

static bool change_user(uid_t user)
{
    return setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
           setresuid(user, user, user) == 0;
}

/* Can we change to another user at all? An ordinary user cannot, and in some
 * containers root cannot either. */
static uid_t choose_user(void)
{
    uid_t user = (uid_t)(0x40000000 + getpid());
    int how = 1;
    pid_t child;

    if (keep_user || geteuid() != 0)
        return 0;
    child = fork();
    if (child == 0)
        _exit(change_user(user) ? 0 : 1);
    if (child < 0 || waitpid(child, &how, 0) < 0 || how != 0)
        return 0;
    return user;
}

static void kill_own_user(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (change_user(own_user))
            kill(-1, SIGKILL);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

/* Kill and reap all. Returns how many had to be killed. */
static size_t kill_all(void)
{
    size_t killed = 0, before = (size_t)-1, found;

    /* Stop them until no new ones appear: a running one can start others. */
    while ((found = descend(getpid(), stop_one)) != before)
        before = found;
    for (int round = 0; round < 1000; round++) {
        if (own_user != 0)
            kill_own_user();
        descend(getpid(), kill_one);

        pid_t gone = waitpid(-1, NULL, WNOHANG);

        if (gone < 0)
            break; /* ECHILD: no process is left */
        if (gone > 0)
            killed++;
        else
            nap(MILLISECOND);
    }
    return killed;
}

/* --- The program ---------------------------------------------------------- */

/* Enter the room while we still are our own user: the program's user may not be
 * able to reach it by this path. */
static void enter_room(void)
{
    if (room && chdir(room) < 0)
        die("cannot go to %s", room);
    if (room && own_user != 0 && chown(".", own_user, own_user) < 0)
        die("cannot give away %s", room);
}

/* A later program may get the same user ID: it must not own this room. */
static void leave_room(void)
{
    if (room && own_user != 0 && chown(".", 0, 0) < 0)
        warn("cannot take back %s", room);
}

/* The environment of the program: nothing of the grader's own. */
static char **environment(void)
{
    static const char *const handed_on[] = {
        "WB_WITNESS", "WB_FAULTS", "WB_MARK", "ASAN_OPTIONS", "UBSAN_OPTIONS",
    };
    enum { HANDED_ON = sizeof handed_on / sizeof handed_on[0] };
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin",
                language[] = "LC_ALL=C", home[] = "HOME=/tmp",
                temporary[] = "TMPDIR=/tmp", here[] = "HOME=.",
                here_too[] = "TMPDIR=.";
    static char *list[HANDED_ON + 5];
    size_t count = 0;

    list[count++] = path;
    list[count++] = language;
    list[count++] = room ? here : home;
    list[count++] = room ? here_too : temporary;
    for (size_t i = 0; i < HANDED_ON; i++) {
        const char *value = getenv(handed_on[i]);
        size_t size;

        if (!value)
            continue;
        size = strlen(handed_on[i]) + strlen(value) + 2;
        list[count] = enlarged(NULL, size, 1);
        snprintf(list[count++], size, "%s=%s", handed_on[i], value);
    }
    return list;
}

/* Set the soft and the hard limit, but never above the present hard limit. A
 * macro, since the type of the resource depends on the C library. */
#define LIMIT(what, most)                                                      \
    do {                                                                       \
        struct rlimit allowed = {0, 0};                                        \
        rlim_t value = (most);                                                 \
                                                                               \
        if (getrlimit(what, &allowed) == 0 && value > allowed.rlim_max)        \
            value = allowed.rlim_max;                                          \
        setrlimit(what, &(struct rlimit){value, value});                       \
    } while (0)

/* The soft limit sends SIGXCPU; if the program ignores it, the hard limit
 * kills. */
static void limit_cpu(void)
{
    const rlim_t most = (rlim_t)((cpu + SECOND - 1) / SECOND);

    setrlimit(RLIMIT_CPU, &(struct rlimit){most, most + 1});
}

/* The kernel counts processes and threads per user: if the user has others, add
 * those to the limit. A task folder has two links more than it has threads. */
static rlim_t processes_allowed(void)
{
    rlim_t others = 0;
    DIR *proc = own_user == 0 ? opendir("/proc") : NULL;
    const struct dirent *entry;

    while (proc && (entry = readdir(proc))) {
        char path[300];
        struct stat tasks;

        snprintf(path, sizeof path, "/proc/%s/task", entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) &&
            stat(path, &tasks) == 0 && tasks.st_uid == getuid())
            others += (rlim_t)tasks.st_nlink - 2;
    }
    if (proc)
        closedir(proc);
    return processes + others;
}

NO_RETURN static void become_program(char **command, int binary, int out,
                                     rlim_t most)
{
    sigset_t none;
    char **with = environment();

    setsid();
    umask(022);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    LIMIT(RLIMIT_CORE, 0);
    limit_cpu();
    LIMIT(RLIMIT_FSIZE, (rlim_t)16 << 20);
    if (occupied > 0)
        LIMIT(RLIMIT_NOFILE, occupied + 1024);
    for (size_t i = 0; i < occupied; i++)
        if (dup(STDIN_FILENO) < 0)
            die("cannot occupy %zu descriptors", occupied);
    if (descriptors > 0)
        LIMIT(RLIMIT_NOFILE, descriptors);
    if (own_user != 0 && !change_user(own_user))
        die("cannot change the user");
    LIMIT(RLIMIT_NPROC, most);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (reported && report_calls(reported, (int)notifier) < 0)
        die("cannot have its calls reported");
    if (notifier > 0)
        close((int)notifier);
    /* By its descriptor: the new user may have no access to our folder. */
    fexecve(binary, command, with);
    /* The interpreter of a script needs its name: some compilers are
     * scripts. */
    execve(command[0], command, with);
    die("cannot run %s", command[0]);
}

/* The program's output, up to the limit, and how much of it was passed on. */
static char *text;
static size_t text_length, text_sent;

/* Read output. False if it exceeds the limit. */
static bool take_output(int from)
{
    char more[4096];
    ssize_t n = read(from, more, sizeof more);

    if (n <= 0)
        return true;

    size_t most = output - text_length, add = (size_t)n;

    if (add > most)
        add = most;
    memcpy(text + text_length, more, add);
    text_length += add;
    return add == (size_t)n;
}

static void pass_on_output(void)
{
    ssize_t n = write(STDOUT_FILENO, text + text_sent, text_length - text_sent);

    if (n > 0)
        text_sent += (size_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        text_sent = text_length; /* the reader is gone */
}

static void child_ended(int signal_number)
{
    (void)signal_number; /* it only has to interrupt ppoll */
}

static struct rusage used;
static int status = -1;
static double delay; /* seconds it waited for a processor */

/* Has the child ended? Read its times before reaping it: then the kernel
 * forgets them (Linux, Documentation/scheduler/sched-stats). */
static bool has_ended(pid_t child)
{
    siginfo_t info = {0};
    char path[64], times[128], *waited;

    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
        info.si_pid != child)
        return false;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)child);
    text_of(path, times, sizeof times);
    strtod(times, &waited); /* run time, then wait time: both in nanoseconds */
    delay = strtod(waited, NULL) / 1e9;
    return wait4(child, &status, WNOHANG, &used) == child;
}

/* Watch the program until it ends or breaks a limit. Returns the limit's
 * name. */
static const char *watch(pid_t child, int from)
{
    const instant deadline = deadline_in(wall);
    const sigset_t *none = &(sigset_t){0};

    while (!stopping()) {
        struct pollfd list[] = {
            {.fd = from, .events = POLLIN},
            {.fd = text_sent < text_length ? STDOUT_FILENO : -1,
             .events = POLLOUT}};
        const struct timespec tick = {.tv_nsec = 20000000};

        if (has_ended(child))
            return "-";
        if (passed(deadline))
            return "wall";
        held = 0;
        if (descend(getpid(), add_memory) >= processes)
            return "processes";
        if (held > memory)
            return "memory";
        if (ppoll(list, 2, &tick, none) <= 0)
            continue;
        if (list[0].revents && !take_output(from))
            return "output";
        if (list[0].revents == POLLHUP) {
            close(from);
            from = -1;
        }
        if (list[1].revents)
            pass_on_output();
    }
    return "request";
}

/* Output from before its end is still in the pipe. */
static void take_the_rest(int from)
{
    const instant deadline = deadline_in(SECOND);
    struct pollfd list = {.fd = from, .events = POLLIN};

    while (poll(&list, 1, 0) > 0 && list.revents & POLLIN && take_output(from))
        ;
    list = (struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT};
    while (text_sent < text_length && !passed(deadline))
        if (poll(&list, 1, poll_time(deadline)) > 0)
            pass_on_output();
}

static double used_cpu(void)
{
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    char **command = begin(&program, argc, argv);
    const instant began = now();
    struct sigaction on_child_end = {.sa_handler = child_ended};
    sigset_t ended;
    int out[2];

    if (descriptors == 0)
        raise_descriptor_limit();
    own_user = choose_user();
    text = enlarged(NULL, output + 1, 1);
    sigaction(SIGCHLD, &on_child_end, NULL);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);

    const rlim_t most = processes_allowed();
    const int binary = open(command[0], O_RDONLY | O_CLOEXEC);

    if (binary < 0)
        die("cannot open %s", command[0]);
    enter_room();
    if (pipe(out) < 0)
        die("cannot make a pipe");
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    fcntl(out[1], F_SETFD, FD_CLOEXEC);

    pid_t child = fork();

    if (child < 0)
        die("cannot start a process");
    if (child == 0) {
        if (status_fd > 0)
            close((int)status_fd);
        become_program(command, binary, out[1], most);
    }
    close(binary);
    close(out[1]);
    if (notifier > 0)
        close((int)notifier);
    set_nonblocking(out[0]);
    set_nonblocking(STDOUT_FILENO);
    if (status_fd > 0)
        dprintf((int)status_fd, "started pid=%d\n", (int)child);

    const char *broken = watch(child, out[0]);
    size_t left = 0;

    if (status < 0) {
        descend(getpid(), stop_one);
        kill(child, SIGKILL);
        wait4(child, &status, 0, &used);
    }
    left = kill_all();
    leave_room();
    if (WIFSIGNALED(status) && used_cpu() >= seconds(cpu))
        broken = "cpu";
    take_the_rest(out[0]);
    set_blocking(STDOUT_FILENO);
    if (status_fd > 0)
        dprintf((int)status_fd,
                "ended how=%s code=%d limit=%s cpu=%.3f delay=%.3f wall=%.3f "
                "peak=%ld left=%zu\n",
                WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                broken, used_cpu(), delay, seconds(now() - began),
                used.ru_maxrss, left);
    free(text);
    if (strcmp(broken, "-") != 0)
        return 124;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
