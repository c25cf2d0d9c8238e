/* SPDX-License-Identifier: MIT */
/*
 * notify_filter - makes the kernel report some calls of this process: see
 * notify.h.
 */
#define _GNU_SOURCE
#include "kernel_abi.h"
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* A filter is made for one kind of processor: numbers of calls differ. All of
 * these store the lower half of a number first. */
#if defined(__x86_64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE

/* The system calls behind a name. Those of a few processors have fewer. */
static const struct {
    const char *name;
    long number;
    bool on_files; /* also used on files: 0, 1 and 2 are not reported */
} calls[] = {
#ifdef SYS_accept
    {"accept", SYS_accept, false},
#endif
#ifdef SYS_socket
    {"socket", SYS_socket, false},  {"connect", SYS_connect, false},
    {"accept", SYS_accept4, false}, {"recv", SYS_recvfrom, false},
    {"recv", SYS_recvmsg, false},   {"send", SYS_sendto, false},
    {"send", SYS_sendmsg, false},   {"getsockopt", SYS_getsockopt, false},
#endif
    {"recv", SYS_read, true},       {"recv", SYS_readv, true},
    {"send", SYS_write, true},      {"send", SYS_writev, true},
};

enum { CALLS = sizeof calls / sizeof calls[0], INSTRUCTIONS = 6 + 5 * CALLS };

static bool is_named(const char *names, const char *name)
{
    const size_t length = strlen(name);

    for (const char *p = names; (p = strstr(p, name)); p += length)
        if ((p == names || p[-1] == ',') &&
            (p[length] == ',' || p[length] == '\0'))
            return true;
    return false;
}

#define STATEMENT(code, k)     ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP(code, k, yes, no))
#define LOAD(what)                                                             \
    STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define ANSWER(what) STATEMENT(BPF_RET | BPF_K, what)

static int install(struct sock_filter *filter, size_t length, unsigned flags)
{
    const struct sock_fprog program = {(unsigned short)length, filter};

    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* Calls of another architecture would have other numbers: they kill. */
static size_t begin_filter(struct sock_filter *filter)
{
    size_t n = 0;

    filter[n++] = LOAD(arch);
    filter[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    filter[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
    filter[n++] = LOAD(nr);
    return n;
}

/* Install the filter. Returns the listener, or -1 and sets errno. */
static int listener_for(const char *names)
{
    struct sock_filter filter[INSTRUCTIONS];
    size_t n = begin_filter(filter);

    for (size_t i = 0; i < CALLS; i++) {
        if (!is_named(names, calls[i].name))
            continue;
        filter[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number,
                           0, calls[i].on_files ? 4 : 1);
        if (calls[i].on_files) {
            filter[n++] = LOAD(args[0]); /* its lower half */
            filter[n++] = JUMP(BPF_JMP | BPF_JGT | BPF_K, STDERR_FILENO, 1, 0);
            filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
        }
        filter[n++] = ANSWER(SECCOMP_RET_USER_NOTIF);
    }
    filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
    /* Without this, only root may install filters (seccomp(2)). */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return install(filter, n, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

/* sendmsg may be reported already, and nobody answers yet: so use sendmmsg. By
 * syscall: musl's function of that name calls sendmsg. */
static int send_descriptor(int fd, int to)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec bytes = {&byte, 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_iov = &bytes,
                    .msg_iovlen = 1,
                    .msg_control = control.space,
                    .msg_controllen = sizeof control.space}};

    control.head.cmsg_len = CMSG_LEN(sizeof fd);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    return syscall(SYS_sendmmsg, to, &message, 1, 0) == 1 ? 0 : -1;
}

/* A program must not use it to send what is not reported. */
static int forbid_sendmmsg(void)
{
    struct sock_filter filter[8];
    size_t n = begin_filter(filter);

    filter[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmmsg, 0, 1);
    filter[n++] = ANSWER(SECCOMP_RET_ERRNO | ENOSYS);
    filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
    return install(filter, n, 0);
}

int report_calls(const char *names, int to)
{
    const int listener = listener_for(names);
    int result = listener < 0 ? -1 : send_descriptor(listener, to);

    if (listener >= 0)
        close(listener);
    if (result == 0 && is_named(names, "send"))
        result = forbid_sendmmsg();
    return result;
}

/* Before Linux 5.5 nobody could let a reported call go on. */
static bool is_new_enough(void)
{
    struct utsname kernel;
    char *rest;
    long major;

    if (uname(&kernel) < 0)
        return false;
    major = strtol(kernel.release, &rest, 10);
    return major > 5 ||
           (major == 5 && *rest == '.' && strtol(rest + 1, NULL, 10) >= 5);
}

bool can_report_calls(void)
{
    int how = 1;
    const pid_t child = is_new_enough() ? fork() : -1;

    if (child == 0)
        _exit(listener_for("socket") < 0);
    return child > 0 && waitpid(child, &how, 0) == child && how == 0;
}

#else

int report_calls(const char *names, int to)
{
    (void)names;
    (void)to;
    errno = ENOSYS;
    return -1;
}

bool can_report_calls(void)
{
    return false;
}

#endif
