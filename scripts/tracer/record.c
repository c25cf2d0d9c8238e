/* SPDX-License-Identifier: MIT */
/*
 * record - runs a command with the recorder preloaded, into a trace.
 *
 *     record RECORDER FILE LIMIT NAME ADD COMMAND [ARGUMENT]...
 *
 * scripts/trace calls it and tells what all that means. It goes on in the place
 * of COMMAND: the same output, the same end. What the recorder could not record
 * it refuses to run, and says why.
 */
#define _GNU_SOURCE
#include "trace_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 4096 };

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

/* --- Can it be recorded? ---------------------------------------------------
 */

/* Where a command is, as execvp(3) would find it. */
static void find(const char *command, char *found)
{
    const char *folder = getenv("PATH");

    if (strchr(command, '/')) {
        snprintf(found, PATH, "%s", command);
        if (access(found, X_OK) == 0)
            return;
        refuse("cannot run %s: %s", command, strerror(errno));
    }
    for (const char *end; folder && *folder; folder = *end ? end + 1 : end) {
        end = strchrnul(folder, ':');
        snprintf(found, PATH, "%.*s%s%s", (int)(end - folder), folder,
                 end == folder ? "./" : "/", command);
        if (access(found, X_OK) == 0)
            return;
    }
    refuse("cannot run %s: there is no such command in PATH", command);
}

/* The first bytes of a file; how many there are. */
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

/* What loads a program and its libraries (elf(5), PT_INTERP), by which a C
 * library is known: "" if it is static, NULL if it is no program of this
 * machine. It points into head. */
static const char *loader_in(const char *head, size_t size)
{
#if __SIZEOF_POINTER__ == 8
    enum { CLASS = ELFCLASS64 };
    typedef Elf64_Ehdr elf_header;
    typedef Elf64_Phdr program_header;
#else
    enum { CLASS = ELFCLASS32 };
    typedef Elf32_Ehdr elf_header;
    typedef Elf32_Phdr program_header;
#endif
    elf_header header;

    if (size < sizeof header || memcmp(head, ELFMAG, SELFMAG) != 0 ||
        head[EI_CLASS] != CLASS)
        return NULL;
    memcpy(&header, head, sizeof header);
    for (size_t i = 0; i < header.e_phnum; i++) {
        const size_t at = header.e_phoff + i * sizeof(program_header);
        program_header part;

        if (at + sizeof part > size)
            break;
        memcpy(&part, head + at, sizeof part);
        if (part.p_type == PT_INTERP && part.p_offset < size &&
            memchr(head + part.p_offset, '\0', size - part.p_offset))
            return head + part.p_offset;
    }
    return "";
}

static bool has_capabilities(const char *file)
{
    return getxattr(file, "security.capability", NULL, 0) > 0;
}

/* Preloading is for programs that are loaded dynamically, by the same C
 * library, and that gain no rights by being run (ld.so(8)). */
static void check(const char *file)
{
    char head[PATH], own[PATH];
    struct stat is;
    size_t size = head_of(file, head, sizeof head);
    const char *loader, *our_loader;

    if (stat(file, &is) == 0 &&
        (((is.st_mode & S_ISUID) && is.st_uid != geteuid()) ||
         ((is.st_mode & S_ISGID) && is.st_gid != getegid()) ||
         (has_capabilities(file) && geteuid() != 0)))
        refuse("cannot record %s: it runs with the rights of somebody else "
               "(set-uid, set-gid or capabilities), and the loader preloads "
               "nothing into such a program. Run it as that user, or look at "
               "it with strace as root",
               file);
    if (size > 2 && memcmp(head, "#!", 2) == 0) {
        char *interpreter = head + 2 + strspn(head + 2, " \t");

        head[size < sizeof head ? size : sizeof head - 1] = '\0';
        interpreter[strcspn(interpreter, " \t\n")] = '\0';
        check(interpreter); /* a script's is no script, execve(2) */
        return;
    }
    loader = loader_in(head, size);
    if (!loader)
        return; /* unreadable, or the kernel will say that it is no program */
    if (!*loader)
        refuse("cannot record %s: it is linked statically, so there is nothing "
               "to preload into. Link it dynamically (without -static), or use "
               "strace",
               file);
    size = head_of("/proc/self/exe", own, sizeof own);
    our_loader = loader_in(own, size);
    if (our_loader && strcmp(loader, our_loader) != 0)
        refuse("cannot record %s: it is loaded by %s, and the recorder was "
               "built for %s. Build the recorder with the compiler of that C "
               "library: CC=... scripts/trace",
               file, loader, our_loader);
}

/* --- The file --------------------------------------------------------------
 */

static struct trace_moment moment(enum trace_clock clock)
{
    struct timespec t;
    struct trace_moment m;

    clock_gettime(CLOCK_MONOTONIC, &t);
    m.ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    m.tick = clock == CLOCK_OF_TICKS ? counter() : (uint64_t)m.ns;
    return m;
}

/* The counter serves as a clock where the kernel takes it for one itself. */
static enum trace_clock choose_clock(void)
{
    char source[32] = "";
    const size_t size = head_of("/sys/devices/system/clocksource/clocksource0/"
                                "current_clocksource",
                                source, sizeof source - 1);

    return TICKS_EXIST && size > 0 &&
                   (strcmp(source, "tsc\n") == 0 ||
                    strcmp(source, "arch_sys_counter\n") == 0)
               ? CLOCK_OF_TICKS
               : CLOCK_OF_NANOSECONDS;
}

/* How long a tick is, from two moments that lie a little apart. */
static void guess_rate(struct trace_header *header)
{
    const struct timespec a_little = {.tv_nsec = 2000000};
    struct trace_moment later;

    nanosleep(&a_little, NULL);
    later = moment((enum trace_clock)header->clock);
    header->ns_of_tick = (double)(later.ns - header->first.ns) /
                         (double)(later.tick - header->first.tick);
}

/* A new trace in the place of an older one, but of nothing else; or an older
 * one, to be added to. */
static struct trace_header *open_trace(const char *file, uint64_t limit,
                                       bool add)
{
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct trace_header *header;
    char magic[8] = "";
    struct stat is;
    bool old;

    if (fd == -1 || fstat(fd, &is) == -1)
        refuse("cannot write the trace %s: %s", file, strerror(errno));
    old = pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
          memcmp(magic, "wbtrace", sizeof magic) == 0;
    if (!old && is.st_size > 0)
        refuse("%s exists and is no trace; it stays as it is", file);
    /* Somebody may have the old one mapped: it is replaced, not shortened. */
    if (old && !add) {
        close(fd);
        if (unlink(file) == -1)
            refuse("cannot replace the trace %s: %s", file, strerror(errno));
        return open_trace(file, limit, true);
    }
    if (!old &&
        (ftruncate(fd, 0) == -1 || posix_fallocate(fd, 0, TRACE_BEGIN) != 0))
        refuse("cannot write the trace %s: is the disk full?", file);
    header = mmap(NULL, TRACE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (header == MAP_FAILED)
        refuse("cannot map the trace %s: %s", file, strerror(errno));
    if (old) {
        const struct trace_moment now = moment((enum trace_clock)header->clock);

        if (header->version != TRACE_VERSION || now.ns < header->first.ns)
            refuse("cannot add to %s: it was made by another version, or "
                   "before this machine was started",
                   file);
        return header;
    }
    header->version = TRACE_VERSION;
    header->block = TRACE_BLOCK;
    header->clock = (uint32_t)choose_clock();
    header->first = moment((enum trace_clock)header->clock);
    header->limit = limit;
    atomic_store(&header->size, TRACE_BEGIN);
    guess_rate(header);
    memcpy(header->magic, "wbtrace", sizeof header->magic);
    return header;
}

static void note_command(struct trace_header *header, char **command)
{
    size_t used = strlen(header->command);

    for (; *command && used + 2 < sizeof header->command; command++) {
        snprintf(header->command + used, sizeof header->command - used, "%s%s",
                 used ? " " : "", *command);
        used = strlen(header->command);
    }
}

/* A command that was killed has not written down its own end. */
static void note_killed(struct trace_header *header, const char *file,
                        pid_t pid, int status)
{
    static struct trace_block block = {.magic = TRACE_MAGIC};
    const uint64_t place = atomic_fetch_add(&header->size, TRACE_BLOCK);
    const int fd = open(file, O_WRONLY | O_CLOEXEC);
    struct trace_record *r = &block.records[0];

    block.pid = block.tid = (int32_t)getpid();
    block.image = r->began = r->ended =
        moment((enum trace_clock)header->clock).tick;
    r->call = NOTE_REAPED;
    r->fd = (int32_t)pid;
    r->result = status;
    r->times = 1;
    atomic_store(&block.count, 1);
    if (fd != -1) {
        if (pwrite(fd, &block, sizeof block, (off_t)place) == -1)
            refuse("cannot write the trace %s: %s", file, strerror(errno));
        close(fd);
    }
}

/* --- The command -----------------------------------------------------------
 */

static volatile sig_atomic_t child;

static void pass_on(int signal_number)
{
    if (child > 0)
        kill((pid_t)child, signal_number);
}

static void set_variable(const char *name, const char *value)
{
    if (setenv(name, value, 1) == -1)
        refuse("cannot set %s: %s", name, strerror(errno));
}

/* Other libraries that are to be preloaded stay, and come after ours. The
 * address sanitizer wants to be first, and need not be. */
static void prepare_environment(const char *recorder, const char *file,
                                const char *name)
{
    char list[2 * PATH];
    const char *others = getenv("LD_PRELOAD");
    const char *options = getenv("ASAN_OPTIONS");

    snprintf(list, sizeof list, "%s%s%s", recorder, others ? ":" : "",
             others ? others : "");
    set_variable("LD_PRELOAD", list);
    set_variable("WB_TRACE", file);
    if (*name)
        set_variable("WB_TRACE_NAME", name);
    snprintf(list, sizeof list, "%s%sverify_asan_link_order=0",
             options ? options : "", options ? ":" : "");
    set_variable("ASAN_OPTIONS", list);
}

int main(int argc, char **argv)
{
    char found[PATH], file[PATH + 1];
    struct trace_header *header;
    struct trace_moment now;
    pid_t pid;
    int status = 0;

    if (argc < 7) {
        fputs("usage: record RECORDER FILE LIMIT NAME ADD COMMAND...\n",
              stderr);
        return 2;
    }
    find(argv[6], found);
    check(found);
    header = open_trace(argv[2], strtoull(argv[3], NULL, 10),
                        strcmp(argv[5], "add") == 0);
    note_command(header, argv + 6);
    if (!realpath(argv[2], file))
        refuse("cannot find the trace %s again: %s", argv[2], strerror(errno));
    atomic_fetch_add(&header->running, 1);

    /* What is sent to us is meant for the command; a terminal sends its
     * signals to both. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        prepare_environment(argv[1], file, argv[4]);
        execv(found, argv + 6);
        refuse("cannot run %s: %s", found, strerror(errno));
    }
    if (pid == -1)
        refuse("cannot start %s: %s", found, strerror(errno));
    child = pid;
    signal(SIGTERM, pass_on);
    signal(SIGHUP, pass_on);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        continue;

    if (WIFSIGNALED(status))
        note_killed(header, file, pid, status);
    now = moment((enum trace_clock)header->clock);
    atomic_store(&header->latest_ns, now.ns);
    atomic_store(&header->latest_tick, now.tick);
    atomic_store(&header->ended, now.tick);
    atomic_fetch_sub(&header->running, 1);

    /* End as the command did, but for its core. */
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        kill(getpid(),
             WTERMSIG(status) == SIGSTOP ? SIGKILL : WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}
