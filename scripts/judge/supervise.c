/* SPDX-License-Identifier: MIT */
/*
 * supervise - runs an untrusted program within limits, in a room of its own,
 * and leaves nothing of it behind.
 *
 *     supervise --wall 5s --memory 256M --status 3 PROGRAM ARGUMENT... 3>status
 *
 * The room is the best that the kernel allows; room.h lists the levels. --level
 * or WB_LEVEL demands one. The program gets a session, a temporary folder and,
 * if we are root, a user of its own. Every process that it starts is a
 * descendant of this one, even after its parent has ended
 * (PR_SET_CHILD_SUBREAPER, prctl(2)). When the program ends or breaks a limit,
 * or when we are asked to stop, we first stop all of these processes and then
 * kill them, so that none can start another one in between. We pass on the
 * output of the program up to a limit. It gets only those of our environment
 * variables that the checks need. With --room it starts in that folder and may
 * write there.
 *
 * The status descriptor gets two lines:
 *
 *     started pid=123 level=namespaces
 *     ended how=exit code=0 limit=- cpu=0.010 delay=0.002 wall=0.300 peak=1800
 * left=0
 *
 * It gets none if the program could not be started at all: that is our fault.
 * how is exit or signal; code is the exit status or the signal's number; limit
 * names the limit that was broken; cpu, delay (the wait for a processor) and
 * wall are seconds; peak is KiB of memory; left counts the processes that the
 * program left running. Exit status: the program's own, 128 plus the number of
 * the signal, 124 for a broken limit, or 127 if the file cannot be run.
 *
 * The level is 'namespaces' only if the network is the program's own too: with
 * --offline, or if the caller has entered a network of its own (room.h).
 */
#define _GNU_SOURCE
#include "notify.h"
#include "room.h"
#include "wouldblock.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
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
static size_t disk = (size_t)64 << 20, notifier;
static bool keep_user, offline;
static const char *folder, *shown, *wished_level, *reported;

static const struct setting settings[] = {
    {"wall", "TIME", "end it after TIME", .time = &wall},
    {"cpu", "TIME", "end it when it has used TIME of a processor",
     .time = &cpu},
    {"memory", "BYTES", "end it when it holds more than BYTES",
     .size = &memory},
    {"output", "BYTES", "end it when it writes more than BYTES",
     .size = &output},
    {"processes", "N", "end it when it has N processes", .size = &processes},
    {"disk", "BYTES", "end it when its files hold more than BYTES",
     .size = &disk},
    {"descriptors", "N", "let it have N descriptors at most; 0: many",
     .size = &descriptors},
    {"occupy", "N", "take the descriptors below N but two", .size = &occupied},
    {"keep-user", NULL, "let root's program be root's", .flag = &keep_user},
    {"room", "FOLDER", "run it in FOLDER, and let it own that",
     .text = &folder},
    {"show", "FOLDER", "run it in FOLDER, and let it read that",
     .text = &shown},
    {"offline", NULL, "give it no network at all", .flag = &offline},
    {"level", "NAME", "namespaces, landlock, user or none; default: the best",
     .text = &wished_level},
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

/* The first process of the room, which is ours; 0: there is none. */
static pid_t first_process;

static size_t descend(pid_t parent, void (*visit)(pid_t));

/* The same for one list of children, which may have any length. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t descend_list(FILE *list, void (*visit)(pid_t))
{
    char *number = NULL;
    size_t size = 0, found = 0;

    while (getdelim(&number, &size, ' ', list) > 0) {
        const pid_t child = (pid_t)strtol(number, NULL, 10);

        found += descend(child, visit);
        if (child == first_process)
            continue;
        found++;
        visit(child);
    }
    free(number);
    return found;
}

/*
 * Call visit for every descendant of a process, children first. Returns how
 * many there are. /proc lists the children of each thread (proc(5),
 * task/TID/children). The recursion is no deeper than the number of processes
 * allowed.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t descend(pid_t parent, void (*visit)(pid_t))
{
    char path[300];
    size_t found = 0;
    DIR *threads;
    const struct dirent *thread;

    snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    threads = opendir(path);
    while (threads && (thread = readdir(threads))) {
        FILE *list;

        if (!isdigit((unsigned char)thread->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)parent,
                 thread->d_name);
        list = fopen(path, "r");
        if (!list)
            continue;
        found += descend_list(list, visit);
        fclose(list);
    }
    if (threads)
        closedir(threads);
    return found;
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

static size_t shared; /* bytes of memory that they share with each other */

/* What a program has written to shared memory stays there, although it counts
 * as resident no more after madvise(2): so the size of the mapping counts. */
static void add_shared(pid_t pid)
{
    char path[64], line[512];
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps)) {
        char *rest;
        const unsigned long from = strtoul(line, &rest, 16);
        const unsigned long to = *rest ? strtoul(rest + 1, &rest, 16) : from;

        if (strlen(rest) > 5 && rest[4] == 's' &&
            (strstr(rest, "/dev/zero (deleted)") || strstr(rest, "/memfd:") ||
             strstr(rest, "/SYSV")))
            shared += to - from;
    }
    if (maps)
        fclose(maps);
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

/* Kill and reap all. Returns how many there were. */
static size_t kill_all(void)
{
    size_t before = (size_t)-1, found;

    /* Stop them until no new ones appear: a running one can start others. */
    while ((found = descend(getpid(), stop_one)) != before)
        before = found;
    for (int round = 0; round < 1000; round++) {
        if (first_process > 0)
            kill(first_process, SIGKILL);
        else if (own_user != 0)
            kill_own_user();
        descend(getpid(), kill_one);

        pid_t gone = waitpid(-1, NULL, WNOHANG);

        if (gone < 0)
            break; /* ECHILD: no process is left */
        if (gone == 0)
            nap(MILLISECOND);
    }
    first_process = 0;
    return found;
}

/* --- Its folders ---------------------------------------------------------- */

static char program_path[PATH_MAX], folder_path[PATH_MAX], shown_path[PATH_MAX];
static char own_folder[PATH_MAX]; /* a temporary one; "": there is none */

/* The real path, since a room may lack the links on the way. */
static const char *real_path(const char *path, char *result)
{
    if (!realpath(path, result))
        die("cannot go to %s", path);
    return result;
}

/* Without a room in memory, the program gets a temporary folder. */
static void make_own_folder(void)
{
    const char *temporary = getenv("TMPDIR");

    snprintf(own_folder, sizeof own_folder, "%s/room-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(own_folder))
        die("cannot make a temporary folder %s", own_folder);
    if (own_user != 0 && chown(own_folder, own_user, own_user) < 0)
        die("cannot give away %s", own_folder);
}

/* A later program may get the same user ID: nothing may be left for it. */
static void tidy_up(void)
{
    if (*own_folder)
        remove_folder(own_folder);
    *own_folder = '\0';
    if (folder && own_user != 0 && chown(folder_path, 0, 0) < 0)
        warn("cannot take back %s", folder);
}

static size_t found_bytes, found_files;

static int add_file(const char *path, const struct stat *about, int type,
                    struct FTW *place)
{
    (void)path, (void)type, (void)place;
    found_bytes += (size_t)about->st_blocks * 512;
    return ++found_files > 4096 || found_bytes > disk;
}

/* Do its files hold too much? In a room in memory they cannot. */
static bool fills_disk(void)
{
    found_bytes = found_files = 0;
    return *own_folder && nftw(own_folder, add_file, 16, FTW_PHYS) > 0;
}

/* --- The program ---------------------------------------------------------- */

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
    const bool is_here = folder || *own_folder;
    static char *list[HANDED_ON + 5];
    size_t count = 0;

    list[count++] = path;
    list[count++] = language;
    list[count++] = is_here ? here : home;
    list[count++] = is_here ? here_too : temporary;
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

/* Take all descriptors below `occupied`, but leave two free. */
static void occupy_descriptors(void)
{
    int fd = STDIN_FILENO;

    while (occupied > 2 && (size_t)fd < occupied)
        if ((fd = dup(STDIN_FILENO)) < 0)
            die("cannot occupy %zu descriptors", occupied);
    for (int i = 0; i < 3 && occupied > 2; i++)
        close(fd - i);
}

/* Close all descriptors but the first three, the witness's, the notifier's, and
 * these two. */
static void close_others(int one, int other)
{
    const char *value = getenv("WB_WITNESS");
    const int witness = value ? (int)strtol(value, NULL, 10) : -1;
    struct rlimit most = {0};

    getrlimit(RLIMIT_NOFILE, &most);
    for (int fd = 3; fd < 1024 && (rlim_t)fd < most.rlim_cur; fd++)
        if (fd != witness && fd != (int)notifier && fd != one && fd != other)
            close(fd);
}

/* The room could not be made: tell why, as "cannot ... errno". */
NO_RETURN static void give_up(int ready)
{
    dprintf(ready, "%d cannot %s", errno, room_problem);
    _exit(1);
}

/* What the program will find, and how to get there. */
struct plan {
    enum level level;
    struct room room;
    int binary, out, ready;
    rlim_t processes;
    char **command, **environment;
};

NO_RETURN static void become_program(const struct plan *plan)
{
    const bool namespaces = plan->level == NAMESPACES;
    const char *place = folder       ? folder_path
                        : shown      ? shown_path
                        : namespaces ? "/tmp"
                                     : own_folder;
    int binary = plan->binary;
    sigset_t none;

    setsid();
    umask(022);
    dup2(plan->out, STDOUT_FILENO);
    dup2(plan->out, STDERR_FILENO);
    close_others(plan->ready, binary);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (namespaces) {
        if (!furnish(&plan->room))
            give_up(plan->ready);
        binary = open(program_path, O_RDONLY | O_CLOEXEC);
    }
    /* As long as we are our own user: the program's user may not be able to
     * reach it by this path. */
    room_problem = "enter the program's folder";
    if (*place && chdir(place) < 0)
        give_up(plan->ready);

    LIMIT(RLIMIT_CORE, 0);
    LIMIT(RLIMIT_MSGQUEUE, 0);
    limit_cpu();
    LIMIT(RLIMIT_FSIZE, (rlim_t)16 << 20);
    if (occupied > 0)
        LIMIT(RLIMIT_NOFILE, occupied + 1024);
    if (plan->level != UNCONTAINED && !give_up_rights())
        give_up(plan->ready);
    room_problem = "change the user";
    if (own_user != 0 && !change_user(own_user))
        give_up(plan->ready);
    LIMIT(RLIMIT_NPROC, plan->processes);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (plan->level <= LANDLOCK && landlock_version() > 0 &&
        !restrict_files(&plan->room, namespaces))
        give_up(plan->ready);
    room_problem = "have its calls reported";
    if (reported && report_calls(reported, (int)notifier) < 0)
        give_up(plan->ready);
    if (notifier > 0)
        close((int)notifier);
    /* After that: no filter can be added to this one. */
    if (plan->level <= LANDLOCK && !refuse_calls(&plan->room, namespaces) &&
        plan->level == LANDLOCK)
        give_up(plan->ready);
    if (write(plan->ready, "!", 1) != 1)
        _exit(1);
    close(plan->ready);
    occupy_descriptors();
    if (descriptors > 0)
        LIMIT(RLIMIT_NOFILE, descriptors);
    /* By its descriptor: the new user may have no access to its folder. */
    fexecve(binary, plan->command, plan->environment);
    /* The interpreter of a script needs its name: some compilers are
     * scripts. */
    execve(program_path, plan->command, plan->environment);
    warn("cannot run %s", plan->command[0]);
    _exit(127);
}

/* Start the program in name spaces: it and their first process become our
 * children, as if we had forked them. */
NO_RETURN static void build(const struct plan *plan, int pids)
{
    pid_t both[2];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!enter_namespaces(&plan->room))
        give_up(plan->ready);
    room_problem = "start a process in new name spaces";
    both[0] = fork_sibling();
    if (both[0] == 0)
        be_first_process();
    if (both[0] < 0)
        give_up(plan->ready);
    both[1] = fork_sibling();
    if (both[1] == 0)
        become_program(plan);
    if (both[1] < 0)
        kill(both[0], SIGKILL);
    if (both[1] < 0 || write(pids, both, sizeof both) != (ssize_t)sizeof both)
        give_up(plan->ready);
    _exit(0);
}

static pid_t start_in_namespaces(const struct plan *plan)
{
    pid_t both[2] = {0, -1}, builder;
    int pids[2];

    if (pipe2(pids, O_CLOEXEC) < 0)
        return -1;
    builder = fork();
    if (builder == 0)
        build(plan, pids[1]);
    close(pids[1]);
    if (builder > 0) {
        while (waitpid(builder, NULL, 0) < 0 && errno == EINTR)
            ;
        if (read(pids[0], both, sizeof both) != (ssize_t)sizeof both)
            both[1] = 0; /* it has told why */
        first_process = both[0];
    }
    close(pids[0]);
    return both[1];
}

static const char *refusal = "";
static int refusal_error;

/* Start the program at this level. Returns 0, and sets refusal, if the kernel
 * does not allow it. */
static pid_t start_at(struct plan *plan)
{
    static char answer[200];
    char *rest;
    int ready[2];
    pid_t child;
    ssize_t n;

    if (pipe2(ready, O_CLOEXEC) < 0)
        die("cannot make a pipe");
    plan->ready = ready[1];
    child = plan->level == NAMESPACES ? start_in_namespaces(plan) : fork();
    if (child == 0 && plan->level != NAMESPACES)
        become_program(plan);
    refusal = "cannot start a process";
    refusal_error = errno;
    close(ready[1]);
    n = child < 0 ? 0 : read(ready[0], answer, sizeof answer - 1);
    close(ready[0]);
    if (n > 0 && answer[0] == '!')
        return child;
    if (n > 0) {
        answer[n] = '\0';
        refusal_error = (int)strtol(answer, &rest, 10);
        refusal = rest + 1;
    }
    kill_all();
    return 0;
}

/* Did the machine lack something for the moment? That is no reason for a lesser
 * room: a program could bring that about for the next one. */
static bool ran_out(void)
{
    return refusal_error == EAGAIN || refusal_error == ENOMEM ||
           refusal_error == EMFILE || refusal_error == ENFILE;
}

/* Can this level be tried? */
static bool is_open(enum level level)
{
    if (level == LANDLOCK && (landlock_version() == 0 || !can_refuse_calls())) {
        refusal = "this kernel has no Landlock, or none that we know";
        return false;
    }
    if (level == OWN_USER && own_user == 0) {
        refusal = "cannot change to another user";
        return false;
    }
    if (level == NAMESPACES && wished_level && *wished_level && !offline &&
        !in_own_network()) {
        refusal = "the network is that of others too";
        return false;
    }
    return true;
}

/* The level that we may call it: without a network of its own, name spaces are
 * not complete. */
static enum level level_to_claim(enum level level)
{
    if (level != NAMESPACES || offline || in_own_network())
        return level;
    return landlock_version() > 0 ? LANDLOCK
           : own_user != 0        ? OWN_USER
                                  : UNCONTAINED;
}

/* Start the program at the best level. */
static pid_t start(struct plan *plan, enum level wished)
{
    for (enum level level = NAMESPACES; level < LEVELS; level++) {
        pid_t child;

        if ((wished != LEVELS && level != wished) || !is_open(level))
            continue;
        plan->level = level;
        if (level == UNCONTAINED)
            own_user = 0;
        if (level != NAMESPACES && !folder && !*own_folder)
            make_own_folder();
        plan->room.user = own_user;
        if (*own_folder)
            plan->room.folder = own_folder;
        plan->environment = environment();
        child = start_at(plan);
        if (child > 0)
            return child;
        if (ran_out())
            break;
    }
    tidy_up();
    if (wished != LEVELS)
        die_because(refusal_error, "no room of level %s: %s",
                    level_name(wished), refusal);
    die_because(refusal_error, "no room: %s", refusal);
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
    instant look = now();

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
        if (held + shared > memory)
            return "memory";
        if (passed(look)) {
            if (fills_disk())
                return "disk";
            shared = 0;
            descend(getpid(), add_shared);
            look = deadline_in(100 * MILLISECOND);
        }
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
    wished_level = getenv("WB_LEVEL");

    char **command = begin(&program, argc, argv);
    const instant began = now();
    struct sigaction on_child_end = {.sa_handler = child_ended};
    sigset_t ended;
    int out[2];

    const enum level wished =
        wished_level && *wished_level ? level_called(wished_level) : LEVELS;

    if (wished == LEVELS && wished_level && *wished_level)
        usage_error("there is no level '%s'", wished_level);
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

    struct plan plan = {
        .command = command,
        .binary = open(command[0], O_RDONLY | O_CLOEXEC),
        .processes = processes_allowed(),
        .room = {.disk = disk, .offline = offline, .compiler = folder != NULL},
    };

    if (plan.binary < 0)
        die("cannot open %s", command[0]);
    plan.room.program = real_path(command[0], program_path);
    if (folder)
        plan.room.folder = real_path(folder, folder_path);
    if (shown)
        plan.room.shown = real_path(shown, shown_path);
    if (folder && own_user != 0 && wished != UNCONTAINED &&
        chown(folder_path, own_user, own_user) < 0)
        die("cannot give away %s", folder);
    if (pipe2(out, O_CLOEXEC) < 0)
        die("cannot make a pipe");
    plan.out = out[1];

    const pid_t child = start(&plan, wished);

    close(plan.binary);
    close(out[1]);
    if (notifier > 0)
        close((int)notifier);
    set_nonblocking(out[0]);
    set_nonblocking(STDOUT_FILENO);
    if (status_fd > 0)
        dprintf((int)status_fd, "started pid=%d level=%s\n", (int)child,
                level_name(level_to_claim(plan.level)));

    const char *broken = watch(child, out[0]);
    size_t left = 0;

    if (status < 0) {
        descend(getpid(), stop_one);
        kill(child, SIGKILL);
        wait4(child, &status, 0, &used);
    }
    left = kill_all();
    if (own_user != 0 && plan.level == OWN_USER)
        remove_leavings(own_user);
    tidy_up();
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
