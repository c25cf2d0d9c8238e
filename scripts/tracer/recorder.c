/* SPDX-License-Identifier: MIT */
/*
 * recorder - writes down the socket calls of the program that it is preloaded
 * into. scripts/trace does that:
 *
 *     LD_PRELOAD=recorder.so WB_TRACE=/tmp/it.trace PROGRAM
 *
 * The program must not notice. Results, errno, signals and cancellation are
 * those of the call; no descriptor is kept open, for that would shift all the
 * others; and whatever goes wrong in here, only the trace has to suffer for it.
 *
 * Here is how a thread gets its window into the file, and what is noted beside
 * the calls; recorder.h has what each call does, recorder_calls.c the calls.
 */
#define _GNU_SOURCE
#include "recorder.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN struct descriptor *descriptors;
HIDDEN enum trace_clock trace_clock;
HIDDEN __thread struct recording own;

static const char *path;
static struct trace_header *header;
static const char *name;            /* of this process, in the trace */
static atomic_bool nameless = true; /* it is not yet written down */
static uint64_t image;              /* tick at which this image began */
static atomic_uint last_serial;     /* of all windows of this process */

static void note_name(void);

/* --- The file --------------------------------------------------------------
 */

/* Calls in here go past those that are recorded, and past cancellation. */
static int open_trace(void)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
}

static void close_trace(int fd)
{
    syscall(SYS_close, fd);
}

/* A place in the file for one more block; 0: it is as large as it may be. */
static uint64_t new_place(void)
{
    const uint64_t place = atomic_fetch_add(&header->size, TRACE_BLOCK);

    if (place + TRACE_BLOCK <= header->limit)
        return place;
    atomic_fetch_sub(&header->size, TRACE_BLOCK);
    return 0;
}

static void tell_the_time(void)
{
    struct timespec t;
    const uint64_t tick_now = tick();

    clock_gettime(CLOCK_MONOTONIC, &t);
    atomic_store(&header->latest_ns,
                 (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
    atomic_store(&header->latest_tick, tick_now);
}

/* Map a block of its own for this thread. It is filled with zeros on the disk
 * first: a full disk must be found out here, not by a SIGBUS. */
static struct trace_block *map_window(void)
{
    const uint64_t place = new_place();
    void *window = MAP_FAILED;
    int fd;

    if (place == 0)
        return NULL;
    fd = open_trace();
    if (fd == -1)
        return NULL;
    if (syscall(SYS_fallocate, fd, 0, (off_t)place, (off_t)TRACE_BLOCK) == 0)
        window = mmap(NULL, TRACE_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                      (off_t)place);
    close_trace(fd);
    return window == MAP_FAILED ? NULL : window;
}

bool make_window(void)
{
    const int error = errno;
    struct trace_block *window;

    own.ready = true;
    if (!header)
        return false;
    window = map_window();
    if (window) {
        window->pid = getpid();
        window->parent = getppid();
        window->tid = (int32_t)syscall(SYS_gettid);
        window->image = image;
        window->magic = TRACE_MAGIC;
        own.serial = atomic_fetch_add(&last_serial, 1) + 1;
        own.window = window;
        if (atomic_exchange(&nameless, false))
            note_name();
    }
    errno = error;
    return window != NULL;
}

/* Move what stands in the window to a block of its own. */
static bool flush(void)
{
    const uint64_t place = new_place();
    const int fd = place ? open_trace() : -1;
    long written = 0;

    if (fd != -1) {
        written =
            syscall(SYS_pwrite64, fd, own.window, TRACE_BLOCK, (off_t)place);
        close_trace(fd);
    }
    if (written != TRACE_BLOCK)
        return false;
    atomic_store(&own.window->count, 0);
    own.window->lost = 0;
    own.serial = atomic_fetch_add(&last_serial, 1) + 1;
    tell_the_time();
    return true;
}

/* The next free record. It counts as soon as the window's count says so. */
struct trace_record *append(void)
{
    const int error = errno;
    const uint64_t count =
        atomic_load_explicit(&own.window->count, memory_order_relaxed);

    if (count < BLOCK_RECORDS)
        return &own.window->records[count];
    if (!flush()) {
        own.window->lost++;
        errno = error;
        return NULL;
    }
    errno = error;
    return &own.window->records[0];
}

/* --- Notes -----------------------------------------------------------------
 */

/* A record that is no call, cleared but for what all of them have. */
static struct trace_record *note(int kind, int fd)
{
    struct trace_record *r = append();

    if (r) {
        memset(r, 0, sizeof *r);
        r->call = (uint8_t)kind;
        r->fd = fd;
        r->began = r->ended = tick();
    }
    return r;
}

static void noted(void)
{
    atomic_fetch_add_explicit(&own.window->count, 1, memory_order_release);
}

static void note_name(void)
{
    struct trace_record *r = note(NOTE_NAME, -1);
    const size_t length = strlen(name);

    if (r) {
        memcpy(r->text, name,
               length < sizeof r->text ? length : sizeof r->text);
        noted();
    }
}

static void note_number(int kind, int fd, int64_t number)
{
    struct trace_record *r = note(kind, fd);

    if (r) {
        r->result = (int32_t)number;
        r->times = 1;
        noted();
    }
}

static void note_address(int kind, int fd, const void *address,
                         socklen_t length)
{
    struct trace_record *r = note(kind, fd);

    if (!r)
        return;
    r->family = ((const struct sockaddr *)address)->sa_family;
    if (r->family == AF_INET) {
        const struct sockaddr_in *in = address;

        r->port = ntohs(in->sin_port);
        memcpy(r->address, &in->sin_addr, sizeof in->sin_addr);
    } else if (r->family == AF_INET6) {
        const struct sockaddr_in6 *in6 = address;

        r->port = ntohs(in6->sin6_port);
        r->scope = in6->sin6_scope_id;
        memcpy(r->address, &in6->sin6_addr, sizeof in6->sin6_addr);
    } else if (r->family == AF_UNIX) {
        const char *file = ((const struct sockaddr_un *)address)->sun_path;
        size_t size = length > offsetof(struct sockaddr_un, sun_path)
                          ? length - offsetof(struct sockaddr_un, sun_path)
                          : 0;

        while (size > 0 && file[size - 1] == '\0')
            size--;
        if (size > sizeof r->address) {
            file += size - sizeof r->address;
            size = sizeof r->address;
        }
        memcpy(r->address, file, size);
    }
    noted();
}

/* The two ends of a socket, as far as they have addresses by now. */
static void name_end(int fd, int kind,
                     int find(int, struct sockaddr *, socklen_t *))
{
    const int error = errno;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    own.busy = true;
    if (find(fd, (struct sockaddr *)&address, &length) == 0)
        note_address(kind, fd, &address, length);
    own.busy = false;
    errno = error;
}

void name_local(int fd)
{
    name_end(fd, NOTE_LOCAL, getsockname);
}

void name_ends(int fd)
{
    slot(fd)->named = true;
    name_end(fd, NOTE_LOCAL, getsockname);
    name_end(fd, NOTE_PEER, getpeername);
}

void name_peer(int fd, const void *address, unsigned length)
{
    own.busy = true;
    if (length >= sizeof(sa_family_t))
        note_address(NOTE_PEER, fd, address, length);
    own.busy = false;
}

/* What a descriptor is that was there before we looked. */
void look_at(int fd)
{
    const int error = errno;
    const int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    int type = 0;
    socklen_t length = sizeof type;

    if (flags != -1) {
        const bool is_socket = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE,
                                       &type, &length) == 0;

        became(fd, is_socket ? SOCKET : OTHER, type, flags & O_NONBLOCK);
    }
    errno = error;
}

void became(int fd, int kind, int type, bool nonblocking)
{
    struct descriptor *d = slot(fd);

    if (d == &descriptors[BEYOND])
        return;
    d->kind = (uint8_t)kind;
    d->flags = (uint8_t)((nonblocking ? FLAG_NONBLOCKING : 0) |
                         ((type & 0xf) == SOCK_DGRAM ? FLAG_DATAGRAM : 0));
    d->named = kind != SOCKET;
    d->window = 0;
}

/* --- The life of a process -------------------------------------------------
 */

/* A child that was killed has written no end of its own. */
void reaped(int pid, int status)
{
    const int error = errno;

    if (pid > 0 && WIFSIGNALED(status) && recording()) {
        own.busy = true;
        note_number(NOTE_REAPED, pid, status);
        own.busy = false;
    }
    errno = error;
}

/* The process ends: by itself, in whatever way. */
__attribute__((destructor)) void ends(void)
{
    const int error = errno;
    struct timespec cpu;

    if (atomic_load(&nameless) || !recording())
        return;
    own.busy = true;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    note_number(NOTE_EXIT, -1,
                (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000);
    tell_the_time();
    own.window = NULL;
    errno = error;
}

/* The child of a fork has what its parent had, but for a window of its own. */
void forked(void)
{
    if (own.window)
        munmap(own.window, TRACE_BLOCK);
    own = (struct recording){0};
    image = tick();
    atomic_store(&nameless, true);
}

__attribute__((constructor)) static void begins(void)
{
    void *map = MAP_FAILED;
    int fd;

    path = getenv("WB_TRACE");
    name = getenv("WB_TRACE_NAME");
    if (!path)
        return;
    path = strdup(path); /* the program may change its environment */
    name = strdup(name ? name : program_invocation_short_name);
    unsetenv("WB_TRACE_NAME"); /* it is not for the children */
    fd = path ? open_trace() : -1;
    if (fd == -1)
        return;
    map = mmap(NULL, TRACE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close_trace(fd);
    if (map == MAP_FAILED)
        return;
    descriptors =
        mmap(NULL, SLOTS * sizeof *descriptors, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (descriptors == MAP_FAILED ||
        memcmp(((struct trace_header *)map)->magic, "wbtrace", 8) != 0)
        return;
    header = map;
    trace_clock = (enum trace_clock)header->clock;
    image = tick();
}
