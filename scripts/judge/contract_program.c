/* SPDX-License-Identifier: MIT */
/*
 * contract_program - a program of which nothing is known but its command: find
 * its port, its processes, and what they use, from outside.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"
#include "notify.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The processes of the program ----------------------------------------- */

/* The start of a small file; "" if it cannot be read. */
static const char *text_of(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "re");
    size_t length = 0;

    if (file) {
        length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return text;
}

/* Call visit for each numbered entry of a folder in /proc. */
static void each_number(const char *folder, void (*visit)(int, void *),
                        void *context)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;

    while (open_folder && (entry = readdir(open_folder)))
        if (isdigit((unsigned char)entry->d_name[0]))
            visit((int)strtol(entry->d_name, NULL, 10), context);
    if (open_folder)
        closedir(open_folder);
}

/* The processes, each parent before its children. */
enum { MOST_PROCESSES = 4096 };

struct processes {
    pid_t list[MOST_PROCESSES];
    size_t count;
    pid_t parent; /* whose children are being added */
};

/* Each thread has a list of those that it started (proc(5)). */
static void add_children(int thread, void *context)
{
    struct processes *all = context;
    char path[64];
    FILE *file;
    char number[32];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)all->parent,
             thread);
    file = fopen(path, "re");
    while (file && all->count < MOST_PROCESSES &&
           fscanf(file, "%31s", number) == 1)
        all->list[all->count++] = (pid_t)strtol(number, NULL, 10);
    if (file)
        fclose(file);
}

static const struct processes *descendants_of(pid_t ancestor)
{
    static struct processes all;

    all.count = 0;
    all.parent = ancestor;
    for (size_t next = 0;; next++) {
        char folder[64];

        snprintf(folder, sizeof folder, "/proc/%d/task", (int)all.parent);
        each_number(folder, add_children, &all);
        if (next == all.count)
            return &all;
        all.parent = all.list[next];
    }
}

struct adding {
    struct family family;
    pid_t process;
};

static void add_thread(int thread, void *context)
{
    struct adding *a = context;
    char path[80], *rest;
    const char *text, *at;
    unsigned long long wakeups;

    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)a->process,
             thread);
    text = text_of(path);
    a->family.ran += strtoll(text, &rest, 10);
    a->family.waited += strtoll(rest, NULL, 10);
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)a->process,
             thread);
    text = text_of(path);
    at = strstr(text, "\nState:\t");
    if (!at)
        return;
    a->family.threads++;
    a->family.runnable += at[8] == 'R' || at[8] == 'D';
    at = strstr(text, "\nvoluntary_ctxt_switches:");
    wakeups = at ? strtoull(at + 25, NULL, 10) : 0;
    if (wakeups > a->family.wakeups)
        a->family.wakeups = wakeups;
}

struct family family_of(pid_t ancestor)
{
    const struct processes *all = descendants_of(ancestor);
    struct adding a = {0};

    for (size_t i = 0; i < all->count; i++) {
        char path[64], *rest;

        a.process = all->list[i];
        snprintf(path, sizeof path, "/proc/%d/task", (int)a.process);
        each_number(path, add_thread, &a);
        snprintf(path, sizeof path, "/proc/%d/statm", (int)a.process);
        strtoul(text_of(path), &rest, 10); /* skips the total size */
        a.family.memory +=
            strtoul(rest, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
        a.family.processes++;
    }
    return a.family;
}

size_t its_memory(void)
{
    return the_family().memory;
}

/* --- Its sockets ---------------------------------------------------------- */

enum { LISTEN = 0x0A, CLOSE_WAIT = 0x08 }; /* Linux, net/tcp_states.h */

/* One line of /proc/net/tcp and its relatives (proc(5)). */
struct socket_line {
    unsigned port, to, state;
    unsigned long inode;
};

/* Visit all sockets of this kind, of IPv4 and IPv6, until visit says stop. */
static void each_socket(const char *kind,
                        bool (*visit)(const struct socket_line *, void *),
                        void *context)
{
    for (int version = 4; version <= 6; version += 2) {
        char path[32], line[512];
        struct socket_line s;
        bool go_on = true;
        FILE *table;

        snprintf(path, sizeof path, "/proc/net/%s%s", kind,
                 version == 6 ? "6" : "");
        table = fopen(path, "re");
        while (table && go_on && fgets(line, sizeof line, table))
            /* NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers */
            if (sscanf(line,
                       "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %*x:%*x %*x:%*x "
                       "%*x %*u %*u %lu",
                       &s.port, &s.to, &s.state, &s.inode) == 4)
                go_on = visit(&s, context);
        if (table)
            fclose(table);
        if (!go_on)
            return;
    }
}

struct holding {
    const struct processes *all;
    pid_t process; /* that holds the socket looked for; 0: none */
    unsigned port; /* where it listens; 0: looked for anywhere */
    unsigned wanted_state;
    unsigned found_port;
};

static bool holds(pid_t process, unsigned long inode)
{
    char folder[64], path[400], target[64], wanted[64];
    DIR *open_folder;
    const struct dirent *entry;
    bool found = false;

    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)process);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    open_folder = opendir(folder);
    while (open_folder && !found && (entry = readdir(open_folder))) {
        ssize_t n;

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    if (open_folder)
        closedir(open_folder);
    return found;
}

static bool look_for_holder(const struct socket_line *s, void *context)
{
    struct holding *h = context;

    if (s->state != h->wanted_state || (h->port != 0 && s->port != h->port))
        return true;
    for (size_t i = 0; i < h->all->count && h->process == 0; i++)
        if (holds(h->all->list[i], s->inode)) {
            h->process = h->all->list[i];
            h->found_port = s->port;
        }
    return h->process == 0;
}

/* The process that holds the socket at this port; at any port if it is 0. */
static struct holding holder(const char *kind, int port)
{
    struct holding h = {
        .all = descendants_of(supervisor_of_program()),
        .port = (unsigned)port,
        .wanted_state = strcmp(kind, "tcp") == 0 ? LISTEN : 7,
    };

    each_socket(kind, look_for_holder, &h);
    return h;
}

struct counting {
    unsigned port;
    size_t count;
};

static bool count_open(const struct socket_line *s, void *context)
{
    struct counting *c = context;

    c->count += s->port == c->port && s->state == CLOSE_WAIT;
    return true;
}

static int the_port;

size_t left_open(void)
{
    struct counting c = {.port = (unsigned)the_port};

    each_socket("tcp", count_open, &c);
    return c.count;
}

/* --- Its start ------------------------------------------------------------ */

/* Java, Go and node need more than a small C program. */
size_t more_room(const char **options)
{
    static const char *const more[] = {
        "--wall", "120s",        "--cpu", "40s",      "--memory",
        "1500M",  "--processes", "1024",  "--output", "256M"};
    enum { MORE = sizeof more / sizeof more[0] };
    static char here[4096];
    size_t count = MORE;

    memcpy(options, more, sizeof more);
    if (getcwd(here, sizeof here)) { /* it may be there, and read it */
        options[count++] = "--show";
        options[count++] = here;
    }
    if (strictness.keep_user)
        options[count++] = "--keep-user";
    return count;
}

static bool preload;

void start_command(int port, int standard_input)
{
    const char *command[MOST_WORDS + 4];
    static char with[4200];
    size_t count = 0;
    char *const *words = command_for(port);

    if (preload) {
        snprintf(with, sizeof with, "LD_PRELOAD=%.*s/witness.so",
                 (int)(strrchr(supervisor, '/') - supervisor), supervisor);
        if (with[strcspn(with, " :$")])
            check_failed("the path of this repository has a space, a colon or "
                         "a dollar sign, so that nothing can be preloaded");
        command[count++] = with;
        command[count++] = binary;
        binary = "/usr/bin/env";
    }
    for (size_t i = 1; words[i]; i++)
        command[count++] = words[i];
    command[count] = NULL;
    its_input = standard_input;
    start_with(command);
}

void inject_anywhere(const char *which)
{
    preload = !can_report_calls();
    inject(which);
}

/* --- Its port ------------------------------------------------------------- */

int contract_port(void)
{
    return the_port;
}

/*
 * A free port below those that the kernel gives to clients: otherwise one that
 * connects to its own port again and again meets itself one day (RFC 9293,
 * simultaneous open).
 */
static int free_port(int type)
{
    for (int tries = 0; tries < 1000; tries++) {
        struct sockaddr_in own = {.sin_family = AF_INET};
        int number = 10240 + (int)draw(22000);
        int fd = socket(AF_INET, type, 0);
        bool is_free;

        own.sin_port = htons((uint16_t)number);
        is_free = fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) == 0;
        if (fd >= 0)
            close(fd);
        if (is_free)
            return number;
    }
    check_failed("cannot find a free port");
}

static void choose_port(int type)
{
    the_port = strictness.port > 0 ? (int)strictness.port : free_port(type);
    use_port(the_port);
}

static struct sockaddr_in its_address(void)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)the_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int first_found = -1; /* the connection that found the port open */

void cannot_check(const char *why)
{
    errno = EOPNOTSUPP;
    check_failed(why);
}

int dial_quietly(void)
{
    struct sockaddr_in to = its_address();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0)
        check_failed("cannot make a socket");
    set_nonblocking(fd);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t length = sizeof error;

        error = errno;
        if (error == EINPROGRESS && poll(&p, 1, 1000) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (error != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool port_is_open(void)
{
    first_found = dial_quietly();
    return first_found >= 0;
}

/* Whoever has the port has bound a socket to it: no datagram is needed. */
static bool datagram_port_is_open(void)
{
    return holder("udp", the_port).process != 0;
}

NO_RETURN static void not_listening(const char *kind)
{
    struct holding h = {0};

    if (!has_ended())
        h = holder(kind, 0);
    if (h.process != 0)
        mistake(WRONG_PORT,
                "It listens on port %u, and was told to listen on port %d.",
                h.found_port, the_port);
    if (!has_ended() && holder(kind, the_port).process != 0)
        mistake(WRONG_PORT, "It listens on port %d, but not on 127.0.0.1.",
                the_port);
    if (has_ended() && *its_words())
        diagnosed(-1, ENDS_EARLY,
                  "nobody listens on port %d (its last words: '%s')", the_port,
                  last_words());
    diagnosed(-1, NOT_LISTENING, "nobody listens on port %d", the_port);
}

static void serve_on(const char *kind, bool (*is_open)(void))
{
    const instant deadline = deadline_in(15 * SECOND);
    instant awake = now();

    choose_port(strcmp(kind, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM);
    start_command(the_port, -1);
    for (int looks = 0; !is_open(); looks++) {
        if (!is_asleep())
            awake = now();
        if (has_ended() || passed(deadline) || now() - awake > 5 * SECOND)
            not_listening(kind);
        nap(looks < 50 ? 2 * MILLISECOND : 10 * MILLISECOND);
    }
    step("the program listens on port %d", the_port);

    struct holding h = holder(kind, the_port);

    if (h.process != 0)
        the_program_is(h.process);
}

void serve_contract(void)
{
    serve_on("tcp", port_is_open);
}

void serve_datagrams(void)
{
    serve_on("udp", datagram_port_is_open);
}

int first_client(const char *who)
{
    int fd = first_found;

    if (fd < 0)
        return dial(who);
    first_found = -1;
    adopt_peer(who, fd);
    return fd;
}

/* --- Its input ------------------------------------------------------------ */

static int input = -1; /* we write there */

void start_client(int port, bool with_input)
{
    int ends[2] = {-1, -1};

    if (with_input) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            check_failed("cannot make a pipe");
        input = ends[1];
        set_nonblocking(input);
    }
    the_port = port;
    use_port(port);
    start_command(port, ends[0]);
    if (ends[0] >= 0)
        close(ends[0]);
}

size_t feed(const char *bytes, size_t size)
{
    ssize_t n = input < 0 ? -1 : write(input, bytes, size);

    return n > 0 ? (size_t)n : 0;
}

bool fed_all(const char *bytes, size_t size)
{
    const instant deadline = deadline_in(5 * SECOND);
    size_t fed = 0;

    while (fed < size && !passed(deadline) && !has_ended()) {
        struct pollfd p = {.fd = input, .events = POLLOUT};

        fed += feed(bytes + fed, size - fed);
        if (fed < size)
            poll(&p, 1, 10);
    }
    return fed == size;
}

void end_input(void)
{
    if (input >= 0)
        close(input);
    input = -1;
}

/* --- Bytes ---------------------------------------------------------------- */

void draw_bytes(char *bytes, size_t size)
{
    uint64_t x = ((uint64_t)draw(UINT32_MAX) << 32 | draw(UINT32_MAX)) | 1;

    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17; /* Marsaglia's xorshift */
        bytes[i] = (char)(x >> 24);
    }
}

void draw_word(char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        word[i] = (char)('a' + (int)draw(26));
    word[length] = '\0';
}

void must_be_same(const char *who, const char *echo, size_t length,
                  const char *bytes, size_t size, size_t before)
{
    size_t same = before;
    const char *found;

    while (same < length && same < size && echo[same] == bytes[same])
        same++;
    if (same == length)
        return;
    if (same == size)
        mistake(RESENT_FROM_START,
                "%s got back more than it sent: %zu bytes instead of %zu.", who,
                length, size);
    if (length - same < 16)
        return; /* too little to tell what it is: look again with more */
    found = memmem(bytes, size, echo + same, 16);
    if (size < 8192 && bytes[same] == '\0')
        mistake(WORD_NOT_KEPT,
                "From a zero byte on, %s got back something else: these bytes "
                "are no string.",
                who);
    if (!found)
        mistake(WORD_NOT_KEPT,
                "%s got back other bytes than it sent, from byte %zu on.", who,
                same);
    if (found < bytes + same)
        mistake(RESENT_FROM_START,
                "After byte %zu of its echo, %s got byte %zu again: these "
                "bytes were sent twice.",
                same, who, (size_t)(found - bytes));
    mistake(SHORT_SEND,
            "After byte %zu of its echo, %s got byte %zu: the %zu bytes in "
            "between are lost.",
            same, who, (size_t)(found - bytes), (size_t)(found - bytes) - same);
}

/* --- The cause ------------------------------------------------------------ */

/* How programs in any language name an error on their last lines. */
static enum mistake cause_in_words(void)
{
    static const struct {
        const char *words;
        enum mistake what;
    } all[] = {
        {"Resource temporarily unavailable", EAGAIN_FATAL},
        {"BlockingIOError", EAGAIN_FATAL},
        {"EAGAIN", EAGAIN_FATAL},
        {"EWOULDBLOCK", EAGAIN_FATAL},
        {"WouldBlock", EAGAIN_FATAL},
        {"Interrupted system call", EINTR_FATAL},
        {"EINTR", EINTR_FATAL},
        {"Too many open files", EMFILE_FATAL},
        {"too many open files", EMFILE_FATAL},
        {"EMFILE", EMFILE_FATAL},
        {"filedescriptor out of range in select", FD_SETSIZE_OVERRUN},
        {"bit out of range", FD_SETSIZE_OVERRUN},
    };
    const char *words = its_words();
    const size_t length = strlen(words);

    words += length > 2000 ? length - 2000 : 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strstr(words, all[i].words))
            return all[i].what;
    return NO_MISTAKE;
}

void explained(int peer, enum mistake otherwise, const char *format, ...)
{
    char text[300];
    enum mistake what = NO_MISTAKE;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* A connection that has ended may be the first sign of the program's
     * end. */
    if (ending != STILL_THERE)
        ends_within(SECOND / 2);
    look_at_peers(); /* so that their names can be told */
    if (has_ended() && exit_status() > 0)
        what = cause_in_words();
    if (what == NO_MISTAKE)
        diagnosed(peer, otherwise, "%s", text);
    step("%s; the program %s", text, doing());
    mistake(what, "%c%s: the program %s. Its last words: '%s'.",
            text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0], text + 1,
            doing(), last_words());
}

/* A program that has made its listener non-blocking means to ask several. */
static bool listener_waits(void)
{
    char path[64];
    const char *flags;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)the_process(),
             listener_on((unsigned)the_port));
    flags = strstr(text_of(path), "flags:");
    return flags && !(strtoul(flags + 6, NULL, 8) & O_NONBLOCK);
}

void not_beside(int peer, const char *format, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    look_at_peers();
    if (has_ended() || ending != STILL_THERE || !listener_waits() ||
        cpu_demand(100 * MILLISECOND) > 0.5)
        explained(peer, ONE_AT_A_TIME, "%s", text);
    step("%s; the program %s", text, doing());
    mistake(ONE_AT_A_TIME, "%s: the program %s.", text, doing());
}

void never_closed(const char *format, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (has_ended())
        explained(-1, ENDS_EARLY, "%s", text);
    step("%s; the program %s", text, doing());
    mistake(cpu_demand(200 * MILLISECOND) > 0.5 ? EOF_IGNORED : NOT_CLOSED,
            "%c%s: the program %s.",
            text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0], text + 1,
            doing());
}

/* --- At rest -------------------------------------------------------------- */

void must_rest(const char *while_what)
{
    const duration length = 500 * MILLISECOND;
    const double most_wakeups = 60; /* a second: a nap of 16 ms */
    unsigned long long before;
    instant from;
    double share, wakeups;

    /* Let it finish what it was doing, such as compiling itself. */
    for (int i = 0; i < 40 && cpu_demand(50 * MILLISECOND) > 0.05; i++)
        ;
    before = the_family().wakeups;
    from = now();
    share = cpu_demand(length);
    wakeups = (double)(the_family().wakeups - before) / seconds(now() - from);
    if (has_ended())
        explained(-1, ENDS_EARLY, "%s", while_what);
    if (share > 0.4) {
        step("%s the program spins", while_what);
        mistake(BUSY_SPIN, "%s it should sleep, but it used %.0f %% of a core.",
                while_what, 100 * share);
    }
    if (wakeups > most_wakeups)
        mistake(IDLE_WAKEUPS,
                "%s it should sleep, but it woke up %.0f times a second, for "
                "nothing.",
                while_what, wakeups);
    step("%s it sleeps", while_what);
}

/* --- Faults and limits ---------------------------------------------------- */

void must_be_injectable(void)
{
    char path[64], line[512];
    FILE *maps;
    bool loaded = has_reports();

    snprintf(path, sizeof path, "/proc/%d/maps", (int)the_process());
    maps = fopen(path, "re");
    while (maps && !loaded && fgets(line, sizeof line, maps))
        loaded = strstr(line, "/witness.so") != NULL;
    if (maps)
        fclose(maps);
    if (!loaded)
        cannot_check("this program does without the C library's calls, so no "
                     "fault can be injected");
}

enum { MOST_LOOKED_AT = 4096 };

static void note_used(int fd, void *used)
{
    if (fd < MOST_LOOKED_AT)
        ((bool *)used)[fd] = true;
}

/* Only its own user may always do that (prlimit(2)). */
static bool limit_as_its_user(const char *folder, const struct rlimit *limit)
{
    struct stat owner;

    if (stat(folder, &owner) < 0)
        return false;
    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 ||
         setresgid(owner.st_gid, owner.st_gid, owner.st_gid) < 0 ||
         setresuid(owner.st_uid, owner.st_uid, owner.st_uid) < 0))
        return false;
    return prlimit(the_process(), RLIMIT_NOFILE, limit, NULL) == 0;
}

void leave_descriptors(size_t more)
{
    char folder[64];
    bool used[MOST_LOOKED_AT] = {false};
    size_t limit_at = 0;
    int how = 1;
    struct rlimit limit;
    pid_t child;

    /* One that has just started may still close some. */
    for (int i = 0; i < 20 && cpu_demand(50 * MILLISECOND) > 0.05; i++)
        ;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)the_process());
    each_number(folder, note_used, used);
    /* New descriptors take the lowest free numbers. */
    for (size_t left = more; left > 0 && limit_at < MOST_LOOKED_AT; limit_at++)
        left -= !used[limit_at];
    limit.rlim_cur = limit.rlim_max = (rlim_t)limit_at;
    child = fork();
    if (child == 0)
        _exit(limit_as_its_user(folder, &limit) ? 0 : 1);
    if (child < 0 || waitpid(child, &how, 0) < 0 || how != 0)
        cannot_check("its descriptors cannot be limited");
    step("from now on it may have %zu descriptors more", more);
}
