/* SPDX-License-Identifier: MIT */
/*
 * attacker - a program that does what no submission may do. Each command is one
 * attack; it prints what it got. Whether it was stopped is found out from
 * outside, by tests/judge_attacks.bats.
 *
 *     attacker read FILE
 *     attacker without CALL[,CALL]... COMMAND [ARGUMENT]...
 *
 * The last one is no attack: it runs COMMAND as on a machine whose kernel
 * refuses these calls.
 */
#define _GNU_SOURCE
#include "wouldblock.h"

#include "../scripts/judge/kernel_abi.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct setting settings[] = {{0}};
static const struct program program = {
    "Does what no submission may do.",
    "ATTACK [ARGUMENT]...",
    settings,
};

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static void told(const char *what, bool good)
{
    printf("%s: %s\n", what, good ? "done" : strerror(errno));
    fflush(stdout);
}

/* --- Files ---------------------------------------------------------------- */

static bool print_file(const char *path)
{
    char text[4096];
    const int fd = open(path, O_RDONLY);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return false;
    for (ssize_t i = 0; i < n; i++)
        putchar(text[i] ? text[i] : ' ');
    putchar('\n');
    return true;
}

static void attack_read(char **with)
{
    told("read", print_file(with[0]));
}

static bool overwrite(const char *path)
{
    const int fd = open(path, O_WRONLY | O_TRUNC);
    const bool good = fd >= 0 && write(fd, "mine\n", 5) == 5;

    if (fd >= 0)
        close(fd);
    return good;
}

static void attack_write(char **with)
{
    told("write", overwrite(with[0]));
}

static void attack_spoil(char **with)
{
    told("chmod", chmod(with[0], 0) == 0);
    told("truncate", truncate(with[0], 0) == 0);
}

/* A file that is in use cannot be written, but another can take its place. */
static void attack_replace(char **with)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s.new", with[0]);
    fd = open(path, O_WRONLY | O_CREAT, 0755);
    told("create", fd >= 0);
    if (fd >= 0)
        close(fd);
    told("rename", rename(path, with[0]) == 0);
    told("unlink", unlink(with[0]) == 0);
}

static void attack_create(char **with)
{
    const int fd = open(with[0], O_WRONLY | O_CREAT, 0666);

    told("create", fd >= 0);
}

/* Files of a megabyte, as many as are possible. */
static void attack_fill(char **with)
{
    static char text[1 << 20];
    char name[32];
    int files = 0;

    told("chdir", chdir(with[0]) == 0);
    for (; files < 64; files++) {
        int fd;

        snprintf(name, sizeof name, "fill-%d", files);
        fd = open(name, O_WRONLY | O_CREAT, 0666);
        if (fd < 0 || write(fd, text, sizeof text) != (ssize_t)sizeof text)
            break;
        close(fd);
        nap(5 * MILLISECOND);
    }
    told("64 files", files == 64);
}

/* Folders that are deep, or closed to everybody. */
static void attack_tree(char **with)
{
    static char name[200];

    (void)with;
    memset(name, 'd', sizeof name - 1);
    /* Longer than any path may be. */
    for (int depth = 0; depth < 100; depth++)
        if (mkdir(name, 0700) < 0 || chdir(name) < 0)
            break;
    told("mkdir", mkdir("closed", 0700) == 0);
    told("chmod", fchmodat(AT_FDCWD, "closed", 0, 0) == 0);
    told("fchmod", fchmod(open(".", O_RDONLY), 0) == 0);
}

static void attack_segment(char **with)
{
    told("shmget", shmget(number(with[0]), 4096, IPC_CREAT | 0600) >= 0);
}

/* No attack: take it away again. */
static void remove_segment(char **with)
{
    told("shmctl", shmctl(shmget(number(with[0]), 0, 0), IPC_RMID, NULL) == 0);
}

/* --- Processes ------------------------------------------------------------ */

static void attack_kill(char **with)
{
    const pid_t victim = number(with[0]);

    told("kill", kill(victim, SIGKILL) == 0);
    told("tgkill", syscall(SYS_tgkill, victim, victim, SIGKILL) == 0);
}

static void attack_trace(char **with)
{
    char path[64];
    const pid_t victim = number(with[0]);

    snprintf(path, sizeof path, "/proc/%d/environ", (int)victim);
    told("environ", print_file(path));
    told("ptrace", ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0);
}

static void attack_spy(char **with)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%s/cmdline", with[0]);
    told("cmdline", print_file(path));
}

static void attack_daemon(char **with)
{
    (void)with;
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            if (fork() > 0)
                _exit(0);
            for (int signal_number = 1; signal_number < NSIG; signal_number++)
                signal(signal_number, SIG_IGN);
            for (int fd = 0; fd < 64; fd++)
                close(fd);
            sleep(30);
            _exit(0);
        }
}

static void attack_bomb(char **with)
{
    (void)with;
    for (;;)
        if (fork() == 0)
            setsid();
}

/* So many children, all asleep. */
static void attack_children(char **with)
{
    int children = 0;

    for (; children < number(with[0]); children++) {
        const pid_t child = fork();

        if (child < 0)
            break;
        if (child == 0) {
            sleep(30);
            _exit(0);
        }
    }
    printf("%d children\n", children);
}

/* --- What is bounded ------------------------------------------------------ */

static void attack_flood(char **with)
{
    (void)with;
    for (;;)
        puts("and another line");
}

static void attack_hoard(char **with)
{
    const size_t size = (size_t)8 << 20;

    (void)with;
    for (int i = 0; i < 100; i++) {
        void *more = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (more == MAP_FAILED)
            break;
        memset(more, 1, size);
        madvise(more, size, MADV_DONTNEED); /* resident no more, and yet kept */
    }
    sleep(5);
}

/* --- Kernel, network, environment ----------------------------------------- */

/* Nothing here can do harm: on a machine that does not contain it, root runs
 * this as well. A mount to nowhere fails in any case, but not with EPERM. */
static void attack_kernel(char **with)
{
    (void)with;
    told("unshare", unshare(CLONE_NEWUSER) == 0);
    told("mount", mount("none", "/no such place", "tmpfs", 0, NULL) == 0);
    told("vsock", socket(AF_VSOCK, SOCK_STREAM, 0) >= 0);
    told("io_uring", syscall(425, 8, (char[512]){0}) >= 0);
}

static void attack_connect(char **with)
{
    const struct sockaddr_in there = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)number(with[0])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    told("connect",
         connect(fd, (const struct sockaddr *)&there, sizeof there) == 0);
}

static struct sockaddr_un place_of(const char *path)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};

    snprintf(place.sun_path, sizeof place.sun_path, "%s", path);
    return place;
}

static void attack_service(char **with)
{
    const struct sockaddr_un there = place_of(with[0]);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    told("service",
         connect(fd, (const struct sockaddr *)&there, sizeof there) == 0);
}

/* No attack: be that service, and print a line for each client. */
static void host_service(char **with)
{
    const struct sockaddr_un here = place_of(with[0]);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (bind(fd, (const struct sockaddr *)&here, sizeof here) < 0 ||
        chmod(with[0], 0777) < 0 || listen(fd, 5) < 0)
        die("cannot listen at %s", with[0]);
    told("listening", true);
    while (!stopping() && accept(fd, NULL, NULL) >= 0)
        told("client", true);
}

static void attack_environment(char **with)
{
    (void)with;
    told("environ", print_file("/proc/self/environ"));
}

/* --- A kernel that refuses ------------------------------------------------ */

static const struct {
    const char *name;
    long call;
    int error;
} refusals[] = {
    {"unshare", SYS_unshare, EPERM},
    {"mount", SYS_mount, EPERM},
    {"landlock", 444, ENOSYS},
    {"setresuid", SYS_setresuid, EPERM},
};

static struct sock_filter filter[32];
static unsigned short filter_length;

static void emit(unsigned code, uint32_t value, unsigned if_false)
{
    filter[filter_length++] =
        (struct sock_filter){(uint16_t)code, 0, (uint8_t)if_false, value};
}

static void run_without(char **with)
{
    struct sock_fprog all = {.filter = filter};

    emit(BPF_LD + BPF_W + BPF_ABS, offsetof(struct seccomp_data, nr), 0);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (!strstr(with[0], refusals[i].name))
            continue;
        emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)refusals[i].call, 1);
        emit(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)refusals[i].error,
             0);
    }
    emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0);
    all.len = filter_length;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all, 0, 0) < 0)
        die("cannot filter system calls");
    execvp(with[1], with + 1);
    die("cannot run %s", with[1]);
}

static const struct {
    const char *name;
    size_t arguments;
    void (*run)(char **with);
} attacks[] = {
    {"read", 1, attack_read},
    {"write", 1, attack_write},
    {"spoil", 1, attack_spoil},
    {"replace", 1, attack_replace},
    {"create", 1, attack_create},
    {"fill", 1, attack_fill},
    {"tree", 0, attack_tree},
    {"segment", 1, attack_segment},
    {"remove-segment", 1, remove_segment},
    {"kill", 1, attack_kill},
    {"trace", 1, attack_trace},
    {"spy", 1, attack_spy},
    {"daemon", 0, attack_daemon},
    {"bomb", 0, attack_bomb},
    {"children", 1, attack_children},
    {"flood", 0, attack_flood},
    {"hoard", 0, attack_hoard},
    {"kernel", 0, attack_kernel},
    {"connect", 1, attack_connect},
    {"service", 1, attack_service},
    {"host-service", 1, host_service},
    {"environment", 0, attack_environment},
    {"without", 2, run_without},
};

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    size_t count = 0;

    while (operands[count])
        count++;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (count > 0 && strcmp(operands[0], attacks[i].name) == 0) {
            if (count <= attacks[i].arguments)
                usage_error("%s needs more", operands[0]);
            attacks[i].run(operands + 1);
            return 0;
        }
    usage_error("there is no attack '%s'", operands[0]);
}
