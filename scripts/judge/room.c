/* SPDX-License-Identifier: MIT */
/*
 * room - builds the room of a program that nobody trusts. room.h says what the
 * levels are.
 */
#define _GNU_SOURCE
#include "room.h"
#include "kernel_abi.h"
#include "wouldblock.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *room_problem = "make a room";

static bool fails_to(const char *what)
{
    room_problem = what;
    return false;
}

static const char *const names[] = {"namespaces", "landlock", "user", "none"};

const char *level_name(enum level level)
{
    return names[level];
}

enum level level_called(const char *name)
{
    enum level level = NAMESPACES;

    while (level < LEVELS && strcmp(names[level], name) != 0)
        level++;
    return level;
}

/* --- Name spaces ---------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const size_t length = strlen(text);
    bool written;

    if (fd < 0)
        return false;
    written = write(fd, text, length) == (ssize_t)length;
    close(fd);
    return written;
}

/* Enter new name spaces. An ordinary user may do so only in a user name space
 * of its own, in which it keeps its number (user_namespaces(7)). */
static bool enter(int flags)
{
    const unsigned user = geteuid(), group = getegid();
    char map[64];

    if (user == 0)
        return unshare(flags) == 0 || fails_to("enter new name spaces");
    if (unshare(flags | CLONE_NEWUSER) < 0)
        return fails_to("enter new name spaces");
    snprintf(map, sizeof map, "%u %u 1\n", user, user);
    if (!write_file("/proc/self/uid_map", map))
        return fails_to("keep the user's number in a user name space");
    snprintf(map, sizeof map, "%u %u 1\n", group, group);
    if (!write_file("/proc/self/setgroups", "deny\n") ||
        !write_file("/proc/self/gid_map", map))
        return fails_to("keep the group's number in a user name space");
    return true;
}

static bool bring_up_loopback(void)
{
    struct ifreq lo = {.ifr_name = "lo"};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up;

    if (fd < 0)
        return false;
    up = ioctl(fd, SIOCGIFFLAGS, &lo) == 0;
    lo.ifr_flags |= IFF_UP;
    up = up && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return up;
}

static bool join(pid_t process, const char *space, int kind)
{
    char path[64];
    int fd;
    bool joined;

    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)process, space);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    joined = fd >= 0 && setns(fd, kind) == 0;
    if (fd >= 0)
        close(fd);
    return joined;
}

/* How this process tells the supervisor about its network. */
static const char own_network[] = "WB_OWN_NETWORK";

bool in_own_network(void)
{
    const char *value = getenv(own_network);

    return value && strcmp(value, "yes") == 0;
}

/* A child tries first: an ordinary user could not leave a network again whose
 * loopback does not come up, as some distributions have it. */
bool enter_own_network(void)
{
    const char *wish = getenv("WB_LEVEL");
    int ready[2], hold[2];
    bool entered = false;
    pid_t child;
    char byte = 0;

    unsetenv(own_network);
    if (wish && *wish && level_called(wish) != NAMESPACES)
        return false;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return false;
    if (pipe2(hold, O_CLOEXEC) < 0) {
        close(ready[0]);
        close(ready[1]);
        return false;
    }
    child = fork();
    if (child == 0) {
        close(hold[1]);
        if (enter(CLONE_NEWNET) && bring_up_loopback() &&
            write(ready[1], "", 1) == 1)
            while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
                ; /* until the parent has joined, or ended */
        _exit(0);
    }
    close(ready[1]);
    close(hold[0]);
    if (child > 0 && read(ready[0], &byte, 1) == 1)
        entered = (geteuid() == 0 || join(child, "user", CLONE_NEWUSER)) &&
                  join(child, "net", CLONE_NEWNET);
    close(ready[0]);
    close(hold[1]);
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    if (entered)
        setenv(own_network, "yes", 1);
    return entered;
}

bool enter_namespaces(const struct room *room)
{
    return enter(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
                 (room->offline ? CLONE_NEWNET : 0));
}

pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

/* The end of process 1 ends all others (pid_namespaces(7)); and the kernel
 * reaps what they leave to it, since it ignores SIGCHLD. */
_Noreturn void be_first_process(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGCHLD, SIG_IGN);
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    for (;;)
        pause();
}

/* --- Files ---------------------------------------------------------------- */

/* Where the machine's root is while the room is furnished. Nobody has a folder
 * of that name. */
#define OLD_ROOT "/.root-of-the-machine"

/* What programs need to run, on any distribution. The rest of the machine is
 * not there. */
static const char *const shown_always[] = {
    "/usr",   "/bin",    "/sbin",      "/lib",       "/lib32",
    "/lib64", "/libx32", "/nix/store", "/gnu/store",
};
/* Of /etc, what the dynamic linker, resolvers and interpreters read. */
static const char *const shown_of_etc[] = {
    "/etc/ld.so.cache",  "/etc/ld.so.conf",      "/etc/ld.so.conf.d",
    "/etc/alternatives", "/etc/localtime",       "/etc/services",
    "/etc/protocols",    "/etc/nsswitch.conf",   "/etc/ssl/openssl.cnf",
    "/etc/gai.conf",     "/etc/crypto-policies",
};
static const char *const shown_by_prefix[] = {"java", "ld-musl", "python"};
static const char *const devices[] = {
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Call visit for each of these paths, until it returns false. The machine's
 * files are below root. */
static bool each_shown(const char *root, bool (*visit)(const char *))
{
    char path[300];
    const struct dirent *entry;
    DIR *etc;
    bool good = true;

    for (size_t i = 0; good && i < COUNT(shown_always); i++)
        good = visit(shown_always[i]);
    for (size_t i = 0; good && i < COUNT(shown_of_etc); i++)
        good = visit(shown_of_etc[i]);
    snprintf(path, sizeof path, "%s/etc", root);
    etc = opendir(path);
    while (good && etc && (entry = readdir(etc)))
        for (size_t i = 0; good && i < COUNT(shown_by_prefix); i++)
            if (strncmp(entry->d_name, shown_by_prefix[i],
                        strlen(shown_by_prefix[i])) == 0) {
                snprintf(path, sizeof path, "/etc/%s", entry->d_name);
                good = visit(path);
            }
    if (etc)
        closedir(etc);
    return good;
}

/* Make the folders on the way to path. */
static bool make_way(const char *path)
{
    char part[PATH_MAX];

    for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* In a user name space, a remount must keep the flags of the original. */
static unsigned long flags_of(const char *path)
{
    struct statvfs about;
    unsigned long flags = 0;

    if (statvfs(path, &about) < 0)
        return 0;
    flags |= (about.f_flag & ST_NOSUID) ? MS_NOSUID : 0;
    flags |= (about.f_flag & ST_NODEV) ? MS_NODEV : 0;
    flags |= (about.f_flag & ST_NOEXEC) ? MS_NOEXEC : 0;
    flags |= (about.f_flag & ST_NOATIME) ? MS_NOATIME : 0;
    flags |= (about.f_flag & ST_NODIRATIME) ? MS_NODIRATIME : 0;
    flags |= (about.f_flag & ST_RELATIME) ? MS_RELATIME : 0;
    return flags;
}

enum use { TO_READ, TO_USE };

/* Put a file or a folder of the machine at the same place in the room. What
 * does not exist is left out. */
static bool put(const char *path, enum use use)
{
    char from[PATH_MAX + sizeof OLD_ROOT];
    struct stat about;

    snprintf(from, sizeof from, OLD_ROOT "%s", path);
    if (lstat(from, &about) < 0)
        return true;
    if (!make_way(path))
        return false;
    if (S_ISLNK(about.st_mode)) {
        char target[PATH_MAX];
        const ssize_t length = readlink(from, target, sizeof target - 1);

        if (length < 0)
            return false;
        target[length] = '\0';
        return symlink(target, path) == 0 || errno == EEXIST;
    }
    if (S_ISDIR(about.st_mode)) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return false;
    } else if (access(path, F_OK) < 0 && !write_file(path, "")) {
        return false;
    }
    if (mount(from, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        return false;
    return use == TO_USE || mount(NULL, path, NULL,
                                  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
                                      MS_NODEV | flags_of(path),
                                  NULL) == 0;
}

static bool put_to_read(const char *path)
{
    return put(path, TO_READ);
}

static bool put_devices(void)
{
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"},
        {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"},
        {"/proc/self/fd/2", "/dev/stderr"},
    };

    for (size_t i = 0; i < COUNT(devices); i++)
        if (!put(devices[i], TO_USE))
            return false;
    for (size_t i = 0; i < COUNT(links); i++)
        if (symlink(links[i][0], links[i][1]) < 0)
            return false;
    return mkdir("/dev/shm", 0777) == 0 && chmod("/dev/shm", 01777) == 0;
}

static bool write_accounts(unsigned user)
{
    char text[256];

    snprintf(text, sizeof text,
             "root:x:0:0:root:/:/bin/sh\nstudent:x:%u:%u::/tmp:/bin/sh\n", user,
             user);
    return write_file("/etc/passwd", text) &&
           write_file("/etc/group", "root:x:0:\n") &&
           write_file("/etc/hosts",
                      "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
}

/* It is in the room already, as a part of something larger. */
static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

bool furnish(const struct room *room)
{
    char options[80];

    snprintf(options, sizeof options, "mode=755,nr_inodes=4096,size=%zu",
             room->disk);
    umask(022);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fails_to("keep mounts to itself");
    if (mount("room", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return fails_to("mount a folder in memory");
    if (mkdir("/tmp" OLD_ROOT, 0700) < 0 ||
        syscall(SYS_pivot_root, "/tmp", "/tmp" OLD_ROOT) < 0 || chdir("/") < 0)
        return fails_to("change the root");
    if (mkdir("/tmp", 0777) < 0 || chmod("/tmp", 01777) < 0 ||
        mkdir("/proc", 0755) < 0 || mkdir("/etc", 0755) < 0)
        return fails_to("make folders in the room");
    if (!each_shown(OLD_ROOT, put_to_read))
        return fails_to("show the system's folders in the room");
    if (mkdir("/dev", 0755) < 0 || !put_devices())
        return fails_to("show devices in the room");
    if (!write_accounts(room->user ? room->user : geteuid()))
        return fails_to("write files into the room");
    if (room->shown && !is_there(room->shown) && !put(room->shown, TO_READ))
        return fails_to("show a folder in the room");
    if (room->folder && !put(room->folder, TO_USE))
        return fails_to("show the program's folder in the room");
    if (!is_there(room->program) && !put(room->program, TO_READ))
        return fails_to("show the program in the room");
    /* Processes of others, such as the first one, are hidden. */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "hidepid=2") < 0)
        return fails_to("mount /proc in the room");
    if (umount2(OLD_ROOT, MNT_DETACH) < 0 || rmdir(OLD_ROOT) < 0)
        return fails_to("leave the old root");
    if (sethostname("room", 4) < 0)
        return fails_to("name the room");
    return true;
}

/* --- Rights and Landlock -------------------------------------------------- */

bool give_up_rights(void)
{
    for (unsigned long right = 0; prctl(PR_CAPBSET_READ, right, 0, 0, 0) >= 0;
         right++)
        if (prctl(PR_CAPBSET_DROP, right, 0, 0, 0) < 0)
            break; /* an ordinary user has none to lose */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
           fails_to("give up further rights");
}

/* From linux/landlock.h, which older systems lack. The numbers are the same on
 * every processor. */
enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    WANT_VERSION = 1,
    PATH_BENEATH = 1,
    MAY_EXECUTE = 1 << 0,
    MAY_WRITE = 1 << 1,
    MAY_READ = 1 << 2,
    MAY_LIST = 1 << 3,
    MAY_TRUNCATE = 1 << 14,
    MAY_CONTROL = 1 << 15,
    TO_SEE = MAY_EXECUTE | MAY_READ | MAY_LIST,
    OF_FILES = MAY_EXECUTE | MAY_WRITE | MAY_READ | MAY_TRUNCATE | MAY_CONTROL,
    SOCKETS_AND_SIGNALS = 3
};
enum { OF_FILE_SYSTEM, OF_NETWORK, OF_SCOPE, KINDS };
struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int landlock_version(void)
{
    const long version = syscall(CREATE_RULESET, NULL, 0, WANT_VERSION);

    return version > 0 ? (int)version : 0;
}

/* The first version knows 13 kinds of access, later ones know more. */
static uint64_t all_access(int version)
{
    const int kinds = version >= 5   ? 16
                      : version >= 3 ? 15
                      : version >= 2 ? 14
                                     : 13;

    return ((uint64_t)1 << kinds) - 1;
}

static int rules = -1;

static bool allow(const char *path, uint64_t access)
{
    struct path_beneath rule = {.allowed = access};
    struct stat about;
    bool added;

    rule.parent = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0)
        return true; /* it does not exist */
    if (fstat(rule.parent, &about) == 0 && !S_ISDIR(about.st_mode))
        rule.allowed &= OF_FILES;
    added = syscall(ADD_RULE, rules, PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent);
    return added;
}

static bool allow_to_see(const char *path)
{
    return allow(path, TO_SEE);
}

static bool allow_of_machine(const struct room *room, uint64_t all)
{
    static const char *const facts[] = {
        "/proc/self",    "/proc/meminfo",     "/proc/cpuinfo", "/proc/stat",
        "/proc/loadavg", "/proc/filesystems", "/proc/version", "/proc/uptime",
        "/proc/sys",     "/etc/passwd",       "/etc/group",    "/etc/hosts",
    };
    bool good = each_shown("", allow_to_see) && allow_to_see(room->program);

    for (size_t i = 0; good && i < COUNT(facts); i++)
        good = allow(facts[i], MAY_READ | MAY_LIST);
    for (size_t i = 0; good && i < COUNT(devices); i++)
        good = allow(devices[i], all & ~(uint64_t)MAY_EXECUTE);
    return good;
}

bool restrict_files(const struct room *room, bool namespaces)
{
    const int version = landlock_version();
    const uint64_t all = all_access(version);
    const uint64_t handled[KINDS] = {
        [OF_FILE_SYSTEM] = all,
        [OF_SCOPE] = SOCKETS_AND_SIGNALS,
    };
    const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    bool good;

    rules = (int)syscall(CREATE_RULESET, handled, size, 0);
    if (rules < 0)
        return fails_to("use Landlock");
    if (namespaces)
        good = allow("/", TO_SEE) && allow("/tmp", all) && allow("/dev", all) &&
               allow("/proc", all);
    else
        good = allow_of_machine(room, all);
    good = good && (!room->shown || allow(room->shown, TO_SEE)) &&
           (!room->folder || allow(room->folder, all)) &&
           syscall(RESTRICT_SELF, rules, 0) == 0;
    close(rules);
    return good || fails_to("use Landlock");
}

/* --- System calls --------------------------------------------------------- */

/* The filter, in the kernel's own language (seccomp(2)). */
static struct sock_filter filter[400];
static unsigned short filter_length;

static void emit(unsigned code, uint32_t value, size_t if_true, size_t if_false)
{
    filter[filter_length++] = (struct sock_filter){
        (uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, value};
}

static void load(size_t offset)
{
    emit(BPF_LD + BPF_W + BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The lower half of an argument. */
static void load_argument(size_t which)
{
    const size_t half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

    load(offsetof(struct seccomp_data, args) + 8 * which + half);
}

static void end_with(int error)
{
    emit(BPF_RET | BPF_K,
         error ? SECCOMP_RET_ERRNO | (uint32_t)error : SECCOMP_RET_ALLOW, 0, 0);
}

static void refuse(long call, int error)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
    end_with(error);
}

/* Refuse this call if some of these bits are set in its argument. */
static void refuse_bits(long call, size_t argument, uint32_t bits)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
    load_argument(argument);
    emit(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    end_with(EPERM);
    end_with(0);
}

static void refuse_value(long call, size_t argument, uint32_t value)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
    load_argument(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    end_with(EPERM);
    end_with(0);
}

/* Refuse this call unless its argument is one of these values. */
static void refuse_others(long call, size_t argument, const uint32_t *values,
                          size_t count)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, count + 3);
    load_argument(argument);
    for (size_t i = 0; i < count; i++)
        emit(BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
    end_with(EPERM);
    end_with(0);
}

/* These are for other processes, for rights in a name space of its own, or for
 * parts of the kernel that were often not safe. */
static const long unused_calls[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_seccomp,
    SYS_fanotify_init,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_syslog,
    SYS_mq_open,
    SYS_mq_unlink,
/* System V IPC: on some processors, one call for all. */
#ifdef SYS_ipc
    SYS_ipc,
#endif
#ifdef SYS_shmget
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semctl,
    SYS_msgget,
    SYS_msgctl,
#endif
    /* Newer than some headers, but the same on every processor: io_uring_setup,
     * ..._enter, ..._register, open_tree, move_mount, fsopen, fsconfig,
     * fsmount, fspick, pidfd_getfd, process_madvise, mount_setattr,
     * memfd_secret. */
    425,
    426,
    427,
    428,
    429,
    430,
    431,
    432,
    433,
    438,
    440,
    442,
    447,
};

/* With these, a program changes files of its user that it cannot open, or slows
 * down processes of its user that it cannot signal. */
static const long calls_on_others[] = {
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_sched_setattr,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
#endif
#ifdef SYS_utime
    SYS_utime,
#endif
#ifdef SYS_utimes
    SYS_utimes,
    SYS_futimesat,
#endif
    452, /* fchmodat2 */
    463, /* setxattrat */
    466, /* removexattrat */
};

/* Without Landlock's help, which came late, a program could signal all other
 * processes of its user. */
static void refuse_signals(void)
{
    const uint32_t self = (uint32_t)getpid(), own[] = {self, 0};

    refuse_others(SYS_kill, 0, own, 2);
    refuse_others(SYS_tgkill, 0, own, 1);
    refuse(SYS_tkill, EPERM);
    refuse(SYS_rt_sigqueueinfo, EPERM);
    refuse(SYS_rt_tgsigqueueinfo, EPERM);
    refuse(424, EPERM); /* pidfd_send_signal */
}

/* Calls have other numbers on other kinds of processors. */
#if defined __x86_64__
static const uint32_t processor = AUDIT_ARCH_X86_64;
#elif defined __i386__
static const uint32_t processor = AUDIT_ARCH_I386;
#elif defined __aarch64__
static const uint32_t processor = AUDIT_ARCH_AARCH64;
#elif defined __arm__
static const uint32_t processor = AUDIT_ARCH_ARM;
#else
static const uint32_t processor = 0; /* unknown: no filter */
#endif

bool can_refuse_calls(void)
{
    /* cppcheck-suppress knownConditionTrueFalse */
    return processor != 0;
}

bool refuse_calls(const struct room *room, bool namespaces)
{
    static const uint32_t families[] = {AF_INET, AF_INET6, AF_NETLINK, AF_UNIX};
    const bool shares_user = room->user == 0 && !namespaces;
    const int version = landlock_version();
    const uint32_t self[] = {0, (uint32_t)getpid()};
    struct sock_fprog whole = {.filter = filter};

    /* cppcheck-suppress knownConditionTrueFalse */
    if (!can_refuse_calls())
        return fails_to("filter the calls of this kind of processor");
    filter_length = 0;
    load(offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, processor, 1, 0);
    end_with(ENOSYS); /* a call in the way of another processor */
    load(offsetof(struct seccomp_data, nr));
#if defined __x86_64__
    /* The same for x32. */
    emit(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    end_with(ENOSYS);
#endif
    for (size_t i = 0; i < COUNT(unused_calls); i++)
        refuse(unused_calls[i], EPERM);
    /* Memory that no process needs to hold. Everybody can do without. */
    refuse(SYS_memfd_create, ENOSYS);
    /* clone3 hides its flags; the C library then uses clone. */
    refuse(435, ENOSYS);
    refuse_bits(SYS_clone, 0,
                CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
    refuse_value(SYS_prctl, 0, PR_SET_SECCOMP);
    refuse_value(SYS_ioctl, 1, TIOCSTI);
    refuse_others(SYS_prlimit64, 0, self, 2);
#ifdef SYS_socket
    /* Where the machine's UNIX sockets can be seen, a service may start a
     * program for it; Landlock does not hinder that. */
    refuse_others(SYS_socket, 0, families, namespaces ? 4 : 3);
#endif
    /* A compiler has to make its output executable. */
    if (shares_user && !room->compiler)
        for (size_t i = 0; i < COUNT(calls_on_others); i++)
            refuse(calls_on_others[i], EPERM);
    if (shares_user && version < 3) {
        refuse(SYS_truncate, EPERM);
#ifdef SYS_truncate64
        refuse(SYS_truncate64, EPERM);
#endif
    }
    if (shares_user && version < 6)
        refuse_signals();
    end_with(0);
    whole.len = filter_length;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0) == 0 ||
           fails_to("filter system calls");
}

/* --- What it leaves behind ------------------------------------------------ */

/* Open a folder of the program's, whatever it has done to its mode. A link in
 * its place is not followed. */
static int open_folder(int at, const char *name)
{
    const int place = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    char path[64];
    int folder;

    if (place < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", place);
    chmod(path, 0700);
    folder = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(place);
    return folder;
}

/* Move all that is in a folder up into another one, so that the program can
 * make no tree too deep to be walked. */
static void move_up(int from, int to)
{
    static unsigned long number;
    const int copy = dup(from);
    DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    char name[40];

    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(from, entry->d_name, 0) == 0)
            continue;

        const int moved = open_folder(from, entry->d_name);

        if (moved >= 0)
            close(moved);
        snprintf(name, sizeof name, ".moved-%lu", ++number);
        renameat(from, entry->d_name, to, name);
    }
    if (folder)
        closedir(folder);
}

/* Remove one entry of a folder. */
static void remove_entry(int at, const char *name)
{
    int inner;

    if (unlinkat(at, name, 0) == 0 || unlinkat(at, name, AT_REMOVEDIR) == 0)
        return;
    inner = open_folder(at, name);
    if (inner >= 0) {
        move_up(inner, at);
        close(inner);
    }
    unlinkat(at, name, AT_REMOVEDIR);
}

/* Remove the entries that this user owns, or all if it is 0. Folders are
 * flattened, so look again until nothing is left to do. */
static void empty_folder(int at, uid_t user)
{
    for (bool again = true; again;) {
        const int copy = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = copy < 0 ? NULL : fdopendir(copy);
        const struct dirent *entry;
        struct stat about;

        again = false;
        while (folder && (entry = readdir(folder))) {
            if (strcmp(entry->d_name, ".") == 0 ||
                strcmp(entry->d_name, "..") == 0 ||
                fstatat(at, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0 ||
                (user != 0 && about.st_uid != user))
                continue;
            remove_entry(at, entry->d_name);
            again = again ||
                    fstatat(at, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0;
        }
        if (folder)
            closedir(folder);
    }
}

void remove_folder(const char *path)
{
    const int folder = open_folder(AT_FDCWD, path);

    if (folder >= 0) {
        empty_folder(folder, 0);
        close(folder);
    }
    if (rmdir(path) < 0 && errno != ENOENT)
        warn("cannot remove %s", path);
}

/* Call remove for each object of this kind that the user has created; its
 * number is in the second column of the table, the creator in this one. */
static void remove_objects(const char *table, int column, uid_t user,
                           void (*remove_object)(int))
{
    FILE *file = fopen(table, "r");
    char line[512];

    while (file && fgets(line, sizeof line, file)) {
        char *rest = line;
        long id = 0, value = 0;

        for (int i = 0; i <= column; i++) {
            value = strtol(rest, &rest, 10);
            if (i == 1)
                id = value;
        }
        if ((uid_t)value == user)
            remove_object((int)id);
    }
    if (file)
        fclose(file);
}

static void remove_memory(int id)
{
    shmctl(id, IPC_RMID, NULL);
}

static void remove_messages(int id)
{
    msgctl(id, IPC_RMID, NULL);
}

static void remove_semaphores(int id)
{
    semctl(id, 0, IPC_RMID);
}

void remove_leavings(uid_t user)
{
    static const char *const folders[] = {"/tmp", "/var/tmp", "/dev/shm",
                                          "/dev/mqueue", "/run/lock"};

    for (size_t i = 0; i < COUNT(folders); i++) {
        const int at = open(folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (at < 0)
            continue;
        empty_folder(at, user);
        close(at);
    }
    remove_objects("/proc/sysvipc/shm", 9, user, remove_memory);
    remove_objects("/proc/sysvipc/msg", 9, user, remove_messages);
    remove_objects("/proc/sysvipc/sem", 6, user, remove_semaphores);
}
