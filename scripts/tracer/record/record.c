/* SPDX-License-Identifier: MIT */
/*
 * record - runs a command with the recorder preloaded, into a trace.
 *
 *     record RECORDER FILE LIMIT NAME ADD AFTER COMMAND [ARGUMENT]...
 *
 * scripts/trace ends in an exec of record; its help explains the arguments.
 * AFTER is "quiet", "tell", or the script that draws the trace at the end. To
 * the outside, record behaves as COMMAND would: the same output, the same
 * reaction to signals, the same exit status. It refuses to run a command that
 * the recorder could not record, and says why.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "../trace_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 4096, SCRIPTS = 5 /* nested scripts, execve(2) */ };

__attribute__((noreturn, format(printf, 1, 2))) static void
refuse(const char *format, ...)
{
    va_list arguments;

    fputs("trace: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* --- Can the command be recorded? ----------------------------------------- */

static bool can_run(const char *file)
{
    struct stat is;

    if (stat(file, &is) == -1)
        return false;
    if (S_ISREG(is.st_mode))
        return access(file, X_OK) == 0;
    errno = S_ISDIR(is.st_mode) ? EISDIR : EACCES;
    return false;
}

/* Find a command as execvp(3) would. */
static void find(const char *command, char *found)
{
    const char *folder = getenv("PATH");

    if (strchr(command, '/')) {
        snprintf(found, PATH, "%s", command);
        if (can_run(found))
            return;
        refuse("cannot run %s: %s", command, strerror(errno));
    }
    for (const char *end; folder && *folder; folder = *end ? end + 1 : end) {
        end = strchrnul(folder, ':');
        snprintf(found, PATH, "%.*s%s%s", (int)(end - folder), folder,
                 end == folder ? "./" : "/", command);
        if (can_run(found))
            return;
    }
    refuse("cannot run %s: there is no such command in PATH", command);
}

/* Read the first bytes of a file. Returns how many there are. */
static size_t head_of(const char *file, char *head, size_t size)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;

    if (fd != -1) {
        got = read(fd, head, size);
        close(fd);
    }
    return got > 0 ? (size_t)got : 0;
}

#if __SIZEOF_POINTER__ == 8
enum { CLASS = ELFCLASS64 };
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr program_header;
#else
enum { CLASS = ELFCLASS32 };
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr program_header;
#endif

static bool is_elf(const char *head, size_t size)
{
    return size >= sizeof(elf_header) && memcmp(head, ELFMAG, SELFMAG) == 0;
}

/* The loader of a program and its libraries (elf(5), PT_INTERP), which
 * identifies the C library; "" if the program is static. The result points into
 * head. */
static const char *loader_in(const char *head, size_t size)
{
    elf_header header;

    memcpy(&header, head, sizeof header);
    for (size_t i = 0; i < header.e_phnum; i++) {
        const size_t at = header.e_phoff + i * sizeof(program_header);
        program_header part;

        if (at >= size || size - at < sizeof part)
            break;
        memcpy(&part, head + at, sizeof part);
        if (part.p_type == PT_INTERP && part.p_offset < size &&
            memchr(head + part.p_offset, '\0', size - part.p_offset))
            return head + part.p_offset;
    }
    return "";
}

/* Is it built for the same kind of machine as this program? */
static bool is_of_our_kind(const char *head, const char *ours)
{
    elf_header header, our_header;

    memcpy(&header, head, sizeof header);
    memcpy(&our_header, ours, sizeof our_header);
    return head[EI_CLASS] == CLASS && head[EI_DATA] == ours[EI_DATA] &&
           header.e_machine == our_header.e_machine;
}

/* Does the program get rights that we do not have? */
static bool gains_rights(const char *file)
{
    struct stat is;
    struct statvfs where;

    if (stat(file, &is) == -1 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
        (statvfs(file, &where) == 0 && (where.f_flag & ST_NOSUID)))
        return false;
    return ((is.st_mode & S_ISUID) && is.st_uid != getuid()) ||
           ((is.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
            is.st_gid != getgid()) ||
           (getxattr(file, "security.capability", NULL, 0) > 0 &&
            getuid() != 0);
}

static const char *last_part(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash ? slash + 1 : file;
}

/* The interpreter of a script, in head; NULL if it is no script. */
static const char *interpreter_in(char *head, size_t size)
{
    char *name = head + 2 + strspn(head + 2, " \t");

    if (memcmp(head, "#!", 2) != 0 || size < 3)
        return NULL;
    name[strcspn(name, " \t\n")] = '\0';
    return *name ? name : NULL;
}

/* Preloading works only for programs that are loaded dynamically, with the same
 * C library, and that gain no rights when they run (ld.so(8)). */
static void check(const char *command)
{
    char head[PATH], ours[PATH], file[PATH];
    size_t size = 0, our_size = head_of("/proc/self/exe", ours, sizeof ours);
    const char *loader, *our_loader, *next = command;

    for (int i = 0; i <= SCRIPTS && next; i++) {
        snprintf(file, sizeof file, "%s", next);
        memset(head, 0, sizeof head);
        size = head_of(file, head, sizeof head - 1);
        next = interpreter_in(head, size);
    }
    if (gains_rights(file))
        refuse("cannot record %s: it runs with the rights of somebody else "
               "(set-uid, set-gid or capabilities), and the loader preloads "
               "nothing into such a program. Run it as that user, or look at "
               "it with strace as root",
               file);
    if (!is_elf(head, size) || !is_elf(ours, our_size))
        return; /* unreadable, or no program: let the kernel report it */
    if (!is_of_our_kind(head, ours))
        refuse("cannot record %s: it is a program for another machine, such as "
               "one of 32 bits, and the recorder is not",
               file);
    loader = loader_in(head, size);
    if (!*loader)
        refuse("cannot record %s: it is linked statically, so there is nothing "
               "to preload into. Link it dynamically (without -static), or use "
               "strace",
               file);
    our_loader = loader_in(ours, our_size);
    if (*our_loader && strcmp(last_part(loader), last_part(our_loader)) != 0)
        refuse("cannot record %s: it is loaded by %s, and the recorder was "
               "built for %s. Build the recorder with the compiler of that C "
               "library: CC=... scripts/trace",
               file, loader, our_loader);
}

/* --- The file ------------------------------------------------------------- */

/* Use the counter if the kernel uses it as a clock. */
static enum trace_clock choose_clock(void)
{
    static const struct {
        const char *source;
        enum trace_clock clock;
    } known[] = {
        {"tsc\n", TICKS_EXIST ? CLOCK_OF_TICKS : CLOCK_WITHOUT_CALLS},
        {"arch_sys_counter\n",
         TICKS_EXIST ? CLOCK_OF_TICKS : CLOCK_WITHOUT_CALLS},
        {"kvm-clock\n", CLOCK_WITHOUT_CALLS},
        {"hyperv_clocksource_tsc_page\n", CLOCK_WITHOUT_CALLS},
    };
    char source[64] = "";

    head_of("/sys/devices/system/clocksource/clocksource0/current_clocksource",
            source, sizeof source - 1);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(source, known[i].source) == 0)
            return known[i].clock;
    return CLOCK_OF_NANOSECONDS;
}

/* Estimate the length of a tick from two moments that lie a little apart. */
static void guess_rate(struct trace_header *header)
{
    const struct timespec a_little = {.tv_nsec = 2000000};
    struct trace_moment later;

    nanosleep(&a_little, NULL);
    later = moment_now((enum trace_clock)header->clock);
    header->ns_of_tick = (double)(later.ns - header->first.ns) /
                         (double)(later.tick - header->first.tick);
}

/* Locks on the trace file. The first byte is locked while somebody creates or
 * replaces the trace, the second by everybody who records into it. The kernel
 * drops the locks when we end. */
enum { MAKING, RECORDING };

static bool lock_byte(int fd, int byte, short type, int how)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, how, &lock) == 0 &&
           (how != F_OFD_GETLK || lock.l_type == F_UNLCK);
}

/* Open the file and lock it. If another command has replaced the file
 * meanwhile, open the new one. */
static int open_file(const char *file, struct stat *is)
{
    struct stat now;

    for (;;) {
        const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

        if (fd == -1 || fstat(fd, is) == -1)
            refuse("cannot write the trace %s: %s", file, strerror(errno));
        if (!S_ISREG(is->st_mode))
            refuse("cannot write the trace %s: it is no file", file);
        lock_byte(fd, MAKING, F_WRLCK, F_OFD_SETLKW);
        if (fstat(fd, is) == 0 && stat(file, &now) == 0 &&
            now.st_dev == is->st_dev && now.st_ino == is->st_ino)
            return fd;
        close(fd);
    }
}

static void make_header(struct trace_header *header)
{
    header->version = TRACE_VERSION;
    header->block = TRACE_BLOCK;
    header->clock = (uint32_t)choose_clock();
    header->first = moment_now((enum trace_clock)header->clock);
    header->limit = (uint64_t)1 << 30;
    atomic_store(&header->size, TRACE_BEGIN);
    guess_rate(header);
    memcpy(header->magic, "wbtrace", sizeof header->magic);
}

/* Check that one more command may record into it. Its clock must have run on
 * without a restart of the machine. */
static void check_header(const struct trace_header *header, const char *file,
                         uint64_t size)
{
    const struct trace_moment now = moment_now((enum trace_clock)header->clock);
    const uint64_t used = atomic_load(&header->size);
    const double ticked =
        (double)(int64_t)(now.tick - header->first.tick) * header->ns_of_tick;
    const double passed = (double)(now.ns - header->first.ns);

    if (header->version != TRACE_VERSION || header->block != TRACE_BLOCK)
        refuse("cannot add to %s: it was made by another version", file);
    if (used < TRACE_BEGIN || (used - TRACE_BEGIN) % TRACE_BLOCK != 0 ||
        used > size + ((uint64_t)1 << 40) || !isfinite(ticked))
        refuse("cannot add to %s: it is damaged", file);
    if (passed < 0 || ticked < 0 || fabs(ticked - passed) > 1e9 + passed / 100)
        refuse("cannot add to %s: it was made before this machine was started",
               file);
}

/* Is it a trace? An empty file counts as one. */
static bool is_trace(const char *file, int fd, off_t size)
{
    char magic[8] = "";

    if (size == 0)
        return false;
    if (size < TRACE_BEGIN ||
        pread(fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
        memcmp(magic, "wbtrace", sizeof magic) != 0)
        refuse("%s exists and is no trace; it stays as it is", file);
    return true;
}

/* Make a new trace, which may replace an older trace but no other file; or open
 * an older one to add to it. The file stays open, and locked. */
static struct trace_header *open_trace(const char *file, bool add, int *fd)
{
    struct trace_header *header;
    struct stat is;
    bool old;

    *fd = open_file(file, &is);
    old = is_trace(file, *fd, is.st_size);
    /* A reader may have the old trace mapped: replace it, do not truncate
     * it. */
    if (old && !add) {
        if (!lock_byte(*fd, RECORDING, F_WRLCK, F_OFD_GETLK))
            refuse("%s is being recorded just now: --add adds to it, --output "
                   "records into another file",
                   file);
        if (unlink(file) == -1)
            refuse("cannot replace the trace %s: %s", file, strerror(errno));
        close(*fd);
        *fd = open_file(file, &is);
        old = is_trace(file, *fd, is.st_size);
    }
    if (!old && posix_fallocate(*fd, 0, TRACE_BEGIN) != 0)
        refuse("cannot write the trace %s: is the disk full?", file);
    header =
        mmap(NULL, TRACE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (header == MAP_FAILED)
        refuse("cannot map the trace %s: %s", file, strerror(errno));
    if (old)
        check_header(header, file, (uint64_t)is.st_size);
    else
        make_header(header);
    lock_byte(*fd, RECORDING, F_RDLCK, F_OFD_SETLK);
    return header;
}

/* "server 8080 + client 8080": add the command; a long list is cut off. */
static void note_command(struct trace_header *header, char **command)
{
    size_t used = strnlen(header->command, sizeof header->command - 1);

    for (int i = 0; command[i] && used + 4 < sizeof header->command; i++) {
        snprintf(header->command + used, sizeof header->command - used, "%s%s",
                 used == 0 ? ""
                 : i == 0  ? " + "
                           : " ",
                 command[i]);
        used = strlen(header->command);
    }
}

/* A command that was killed could not record its own end. */
static void note_killed(struct trace_header *header, int fd, pid_t pid,
                        int status)
{
    static struct trace_block block = {.magic = TRACE_MAGIC};
    const uint64_t place = atomic_fetch_add(&header->size, TRACE_BLOCK);
    struct trace_record *r = &block.records[0];

    block.pid = block.tid = (int32_t)getpid();
    block.image = r->began = r->ended =
        moment_now((enum trace_clock)header->clock).tick;
    r->call = NOTE_REAPED;
    r->fd = (int32_t)pid;
    r->result = status;
    r->times = 1;
    atomic_store(&block.count, 1);
    if (pwrite(fd, &block, TRACE_BLOCK, (off_t)place) == -1)
        fprintf(stderr, "trace: who killed it is not in the trace: %s\n",
                strerror(errno));
}

/* --- The command ---------------------------------------------------------- */

/* Signals that are sent to us are meant for the command. */
static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM,
                                SIGHUP, SIGUSR1, SIGUSR2};
enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };
static struct sigaction before[PASSED_ON];
static volatile sig_atomic_t child;

/* A terminal's signals come from the kernel and reach the command directly. */
static void pass_on(int signal_number, siginfo_t *from, void *unused)
{
    const int error = errno;

    (void)unused;
    if (from->si_code != SI_KERNEL)
        kill((pid_t)child, signal_number);
    errno = error;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};

    action.sa_sigaction = pass_on;
    sigfillset(&action.sa_mask);
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &action, &before[i]);
}

static void as_before(void)
{
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before[i], NULL);
}

__attribute__((format(printf, 2, 3))) static void
set_variable(const char *name, const char *format, ...)
{
    va_list arguments;
    char *value;

    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) == -1 ||
        setenv(name, value, 1) == -1)
        refuse("cannot set %s: %s", name, strerror(errno));
    va_end(arguments);
    free(value);
}

static long filters(void)
{
    char status[STATUS_SIZE] = "";

    head_of("/proc/self/status", status, sizeof status - 1);
    return filters_in(status);
}

/* Other preloaded libraries stay, after ours. The address sanitizer wants to be
 * first, but need not be. */
static void prepare_environment(const char *recorder, const char *file,
                                const char *name)
{
    const char *others = getenv("LD_PRELOAD");
    const char *options = getenv("ASAN_OPTIONS");

    set_variable("LD_PRELOAD", "%s%s%s", recorder, others ? ":" : "",
                 others ? others : "");
    set_variable("ASAN_OPTIONS", "%s%sverify_asan_link_order=0",
                 options ? options : "", options ? ":" : "");
    set_variable("WB_TRACE", "%s", file);
    set_variable("WB_TRACE_FILTERS", "%ld", filters());
    /* The name is for this process, not for its children. */
    if (*name)
        set_variable("WB_TRACE_NAME", "%d:%s", (int)getpid(), name);
    else
        unsetenv("WB_TRACE_NAME");
}

/* LD_PRELOAD cannot hold a space, a colon or a dollar sign in a file name: then
 * make a copy of the recorder and remove it at the end. A program that changes
 * its user must be able to read the copy. */
static char copy_folder[32], copy_name[64];

static bool copy_file(const char *from, const char *to)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t copied = in == -1 || out == -1 ? -1 : 1;

    while (copied > 0)
        copied = sendfile(out, in, NULL, 1 << 20);
    if (in != -1)
        close(in);
    return copied == 0 && fchmod(out, 0755) == 0 && close(out) == 0;
}

static void remove_copy(void)
{
    if (copy_name[0]) {
        unlink(copy_name);
        rmdir(copy_folder);
        copy_name[0] = '\0';
    }
}

/* Nothing can be preloaded from a file system that forbids execution. */
static bool may_execute(const char *folder)
{
    struct statvfs where;

    return statvfs(folder, &where) == 0 && !(where.f_flag & ST_NOEXEC);
}

static const char *preloadable(const char *recorder)
{
    static const char *const folders[] = {"/tmp", "/var/tmp", "/dev/shm"};

    if (!strpbrk(recorder, " :$\t\n\v\f\r"))
        return recorder;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(copy_folder, sizeof copy_folder, "%s/wouldblock-XXXXXX",
                 folders[i]);
        if (!may_execute(folders[i]) || !mkdtemp(copy_folder))
            continue;
        snprintf(copy_name, sizeof copy_name, "%s/recorder.so", copy_folder);
        if (chmod(copy_folder, 0755) == 0 && copy_file(recorder, copy_name))
            return copy_name;
        remove_copy();
    }
    refuse("cannot preload %s: there is a space, a colon or a dollar sign in "
           "its name, and no copy can be put into /tmp",
           recorder);
}

/* As execvp(3) does: if the kernel refuses it as no program, let the shell
 * try. */
__attribute__((noreturn)) static void run(const char *found, char **command)
{
    execv(found, command);
    if (errno == ENOEXEC) {
        command[-1] = (char *)"sh"; /* overwrites AFTER */
        command[0] = (char *)found;
        execv("/bin/sh", command - 1);
    }
    refuse("cannot run %s: %s", found, strerror(errno));
}

/* Wait for the command to end. Returns its status. */
static int end_of(pid_t pid)
{
    int status = 0;
    pid_t ended;

    do
        ended = waitpid(pid, &status, 0);
    while (ended == -1 && errno == EINTR);
    return status;
}

/* Start the command. Signals that we get meanwhile are passed on as soon as it
 * exists. If we are killed, the command is killed too: users know our pid, not
 * its. */
static pid_t start(const char *recorder, const char *file, const char *name,
                   const char *found, char **command)
{
    const pid_t us = getpid();
    sigset_t all, mask;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    catch_signals();
    pid = fork();
    if (pid == 0) {
        prepare_environment(recorder, file, name);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != us)
            _exit(1);
        as_before();
        sigprocmask(SIG_SETMASK, &mask, NULL);
        run(found, command);
    }
    if (pid == -1)
        refuse("cannot start %s: %s", found, strerror(errno));
    child = pid;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return pid;
}

static void note_end(struct trace_header *header)
{
    const struct trace_moment now = moment_now((enum trace_clock)header->clock);

    atomic_store(&header->latest_ns, now.ns);
    atomic_store(&header->latest_tick, now.tick);
    atomic_store(&header->ended, now.tick);
    atomic_fetch_sub(&header->running, 1);
}

/* Say that it was recorded, or draw it; on stderr, since stdout belongs to the
 * command. */
static void tell(const char *after, const char *file)
{
    pid_t pid;

    if (strcmp(after, "tell") == 0)
        fputs("trace: recorded; scripts/timeline draws it\n", stderr);
    if (strchr(after, '/')) {
        pid = fork();
        if (pid == 0) {
            dup2(STDERR_FILENO, STDOUT_FILENO);
            execl("/bin/sh", "sh", after, "--", file, (char *)NULL);
            refuse("cannot run %s: %s", after, strerror(errno));
        }
        if (pid > 0)
            end_of(pid);
    }
}

/* End as the command did, but without a core dump. */
static int end_like_it(int status)
{
    sigset_t this_one;

    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    prctl(PR_SET_DUMPABLE, 0);
    signal(WTERMSIG(status), SIG_DFL);
    sigemptyset(&this_one);
    sigaddset(&this_one, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &this_one, NULL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    char found[PATH], file[PATH + 1];
    struct trace_header *header;
    int status, fd;
    pid_t pid;

    if (argc < 8) {
        fputs("usage: record RECORDER FILE LIMIT NAME ADD AFTER COMMAND...\n",
              stderr);
        return 2;
    }
    find(argv[7], found);
    check(found);
    header = open_trace(argv[2], strcmp(argv[5], "add") == 0, &fd);
    if (*argv[3])
        header->limit = strtoull(argv[3], NULL, 10);
    note_command(header, argv + 7);
    if (!realpath(argv[2], file))
        refuse("cannot find the trace %s again: %s", argv[2], strerror(errno));
    atomic_fetch_add(&header->running, 1);
    lock_byte(fd, MAKING, F_UNLCK, F_OFD_SETLK);

    pid = start(preloadable(argv[1]), file, argv[4], found, argv + 7);
    status = end_of(pid);
    if (WIFSIGNALED(status))
        note_killed(header, fd, pid, status);
    note_end(header);
    lock_byte(fd, RECORDING, F_UNLCK, F_OFD_SETLK);
    remove_copy();
    as_before();
    tell(argv[6], argv[2]);
    return end_like_it(status);
}
