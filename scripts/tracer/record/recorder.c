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
 * Here is how a thread gets its window into the file, how a record gets in
 * there, and what is noted beside the calls; recorder.h has what each call
 * does, recorder_calls.c the calls.
 */
#define _GNU_SOURCE
#include "recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define HIDDEN __attribute__((visibility("hidden")))

enum {
    MANY_DESCRIPTORS = 1 << 20,
    SOME_DESCRIPTORS = 1 << 12, /* where memory is scarce */
    SOME_PLACES = 2048,         /* a page of them */
    LATER = 32,
    RESERVE = 64,
};

HIDDEN struct descriptor *descriptors;
HIDDEN unsigned descriptor_count;
HIDDEN enum trace_clock trace_clock;
HIDDEN struct lengths lengths;
HIDDEN __thread struct recording own;

static __thread struct trace_record later[LATER];

static const char *path;
static struct stat trace_is;         /* the file that path has to lead to */
static struct trace_header *header;  /* NULL: nothing is recorded */
static const char *name;             /* of this process, in the trace */
static atomic_bool nameless = true;  /* it is not yet written down */
static pid_t process;                /* the one that all this is about */
static uint64_t image;               /* tick at which it began */
static uint64_t cpu_before;          /* what it had used by then, ns */
static atomic_uint last_serial;      /* of all windows of this process */
static pthread_key_t ends_of_thread; /* its destructor is told of them */
static bool key_is_there;

/* From here on no system call is to be made (recorder.h). */
static atomic_bool filtered;
/* What there is then for windows to be copied to, and for threads that have
 * none. */
static struct trace_block *reserve;
static unsigned reserve_size;
static atomic_uint reserve_used;

static void note_name(void);

bool is_filtered(void)
{
    return atomic_load_explicit(&filtered, memory_order_relaxed);
}

/* --- The file --------------------------------------------------------------
 */

/* What must not be interrupted: by a signal's handler, which might come back
 * here or never return, or by a cancellation of the thread. */
struct quiet {
    unsigned long signals[1024 / (8 * sizeof(long))];
    int error, cancel;
};

static void be_quiet(struct quiet *before)
{
    static const unsigned long all[1024 / (8 * sizeof(long))] = {~0UL, ~0UL};

    before->error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before->cancel);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before->signals,
            (size_t)(_NSIG / 8));
}

static void end_quiet(const struct quiet *before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, before->signals, NULL,
            (size_t)(_NSIG / 8));
    pthread_setcancelstate(before->cancel, NULL);
    errno = before->error;
}

static void close_trace(int fd)
{
    syscall(SYS_close, fd); /* close() is ours, and would be recorded */
}

/* The trace, if it can still be reached and is still the same: a program may
 * change its root or its user, and somebody may have put another trace in this
 * one's place. */
static int open_trace(struct stat *is)
{
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path,
                                O_RDWR | O_CLOEXEC | O_LARGEFILE);

    if (fd != -1 && fstat(fd, is) == 0 &&
        (!header ||
         (is->st_dev == trace_is.st_dev && is->st_ino == trace_is.st_ino)))
        return fd;
    if (fd != -1)
        close_trace(fd);
    return -1;
}

/* May this program make a file as large as that? Trying it would send a
 * SIGXFSZ, which ends programs. */
static bool may_reach(uint64_t size)
{
    struct rlimit most;

    return getrlimit(RLIMIT_FSIZE, &most) == 0 &&
           (most.rlim_cur == RLIM_INFINITY || size <= most.rlim_cur);
}

/* A place in the file for so many more bytes; 0: it is as large as it may
 * be. */
static uint64_t new_place(uint64_t length)
{
    uint64_t place = atomic_load(&header->size);

    do
        if (place + length > header->limit || !may_reach(place + length))
            return 0;
    while (
        !atomic_compare_exchange_weak(&header->size, &place, place + length));
    return place;
}

/* Nothing came to stand there. If somebody has the next one already, it stays
 * empty. */
static void give_back(uint64_t place, uint64_t length)
{
    uint64_t size = place + length;

    atomic_compare_exchange_strong(&header->size, &size, place);
}

static void tell_the_time(void)
{
    const struct trace_moment now = moment_now(trace_clock);

    atomic_store(&header->latest_ns, now.ns);
    atomic_store(&header->latest_tick, now.tick);
}

/* Map so many new blocks. They are filled with zeros on the disk first: a full
 * disk must be found out here, not by a SIGBUS. */
static struct trace_block *map_blocks(unsigned count)
{
    const size_t length = (size_t)count * TRACE_BLOCK;
    struct stat is;
    const int fd = open_trace(&is);
    const uint64_t place = fd == -1 ? 0 : new_place(length);
    void *blocks = MAP_FAILED;

    if (place > 0) {
        if (fallocate(fd, 0, (off_t)place, (off_t)length) == 0 ||
            (errno == EOPNOTSUPP &&
             posix_fallocate(fd, (off_t)place, (off_t)length) == 0))
            blocks = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                          (off_t)place);
        if (blocks == MAP_FAILED)
            give_back(place, length);
    }
    if (fd != -1)
        close_trace(fd);
    return blocks == MAP_FAILED ? NULL : blocks;
}

/* So many blocks out of the reserve; NULL if there are no more. */
static struct trace_block *take_reserve(unsigned count)
{
    unsigned used = atomic_load(&reserve_used);

    do
        if (reserve_size - used < count)
            return NULL;
    while (!atomic_compare_exchange_weak(&reserve_used, &used, used + count));
    return reserve + used;
}

static uint16_t *map_places(size_t count)
{
    void *places = mmap(NULL, count * sizeof(uint16_t), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return places == MAP_FAILED ? NULL : places;
}

static uint64_t cpu_used(clockid_t whose)
{
    struct timespec t;

    return clock_gettime(whose, &t) == 0
               ? (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec
               : 0;
}

/* A window and its places, where no system call may be made: of the reserve.
 * The second of the two blocks stays without a magic number. */
static struct trace_block *window_of_reserve(void)
{
    struct trace_block *const blocks = take_reserve(2);

    if (blocks) {
        own.latest = (void *)(blocks + 1);
        own.places = TRACE_BLOCK / sizeof *own.latest;
        /* Which thread it is cannot be asked, only that it is another one. */
        blocks->tid = -(int32_t)(blocks - reserve) - 1;
    }
    return blocks;
}

static struct trace_block *window_of_its_own(void)
{
    struct trace_block *const window = map_blocks(1);

    if (window) {
        own.latest = map_places(SOME_PLACES);
        own.places = own.latest ? SOME_PLACES : 0;
        window->tid = (int32_t)syscall(SYS_gettid);
        window->parent = getppid();
        if (key_is_there)
            pthread_setspecific(ends_of_thread, window);
    }
    return window;
}

static bool make_window(void)
{
    struct trace_block *const window =
        is_filtered() ? window_of_reserve() : window_of_its_own();

    /* It may come into existence later: not now, and not each time. */
    own.failed = !window;
    own.pause = 255;
    if (!window)
        return false;
    window->pid = process;
    window->image = image;
    window->serial = atomic_fetch_add(&last_serial, 1) + 1;
    window->magic = TRACE_MAGIC;
    own.window = window;
    own.left = window->tid == process ? image : tick();
    SELF->kind = OTHER;
    if (atomic_exchange(&nameless, false))
        note_name();
    return true;
}

/* Copy what stands in the window to a block of its own. */
static bool copy_window(void)
{
    struct stat is;
    const int fd = open_trace(&is);
    const uint64_t place = fd == -1 ? 0 : new_place(TRACE_BLOCK);
    const uint64_t inside = atomic_load(&own.window->inside);
    ssize_t written = 0;

    if (place > 0) {
        /* It is the window's thread that waits, if this is in a handler. */
        atomic_store(&own.window->inside, 0);
        own.window->moved = 1;
        written = pwrite(fd, own.window, TRACE_BLOCK, (off_t)place);
        own.window->moved = 0;
        atomic_store(&own.window->inside, inside);
        if (written != TRACE_BLOCK)
            give_back(place, TRACE_BLOCK);
    }
    if (fd != -1)
        close_trace(fd);
    return written == TRACE_BLOCK;
}

/* The same without a system call. A signal's handler may come in between, and
 * never return: then the copy has no magic number. */
static bool copy_to_reserve(void)
{
    const size_t head = sizeof own.window->magic;
    struct trace_block *const copy = take_reserve(1);

    if (!copy)
        return false;
    memcpy((char *)copy + head, (const char *)own.window + head,
           TRACE_BLOCK - head);
    atomic_store(&copy->inside, 0);
    copy->moved = 1;
    atomic_signal_fence(memory_order_seq_cst);
    copy->magic = TRACE_MAGIC;
    return true;
}

/* Make room in the window. */
static bool flush(void)
{
    const bool quietly = !is_filtered();
    struct quiet before;
    bool done;

    if (quietly)
        be_quiet(&before);
    done = quietly ? copy_window() : copy_to_reserve();
    if (done) {
        own.window->lost = 0;
        atomic_store(&own.window->count, 0);
        own.since = 0;
        own.window->serial = atomic_fetch_add(&last_serial, 1) + 1;
        /* So that none of them is taken for the latest of a run. */
        for (size_t i = 0; i < BLOCK_RECORDS; i++)
            own.window->records[i].call = CALL_none;
        if (quietly)
            tell_the_time();
    }
    if (quietly)
        end_quiet(&before);
    return done;
}

/* --- Records ---------------------------------------------------------------
 */

/* "Not yet", from a call that may not wait: the one answer that ends no run of
 * another call. */
static bool is_not_yet(const struct trace_record *r)
{
    return (r->flags & FLAG_NONBLOCKING) &&
           (r->error == EAGAIN || r->error == EWOULDBLOCK ||
            r->error == EINPROGRESS || r->error == EALREADY ||
            (r->result == 0 && group_of[r->call] == GROUP_WAITS));
}

/* The number of the new record; -1 if there is no room for it. It counts as
 * soon as the window's count says so. */
static int append(const struct trace_record *r)
{
    uint64_t count =
        atomic_load_explicit(&own.window->count, memory_order_relaxed);

    if (count == BLOCK_RECORDS) {
        if (!flush()) {
            own.window->lost += r->call < CALL_elsewhere;
            return -1;
        }
        count = 0;
    }
    if (r->call < NOTE_NAME && (r->call == CALL_elsewhere || !is_not_yet(r)))
        own.since = (uint32_t)count + has_waited(r);
    own.window->records[count] = *r;
    atomic_store_explicit(&own.window->count, count + 1, memory_order_release);
    return (int)count;
}

/* On a busy processor a handler may come again and again before the program
 * gets any further: its answers "not yet" are a run. Those that are being
 * written down already are left alone. */
static bool waits_already(const struct trace_record *r, unsigned waiting)
{
    struct trace_record *const last = &later[waiting - 1];

    if (waiting <= own.taken || waiting > LATER || r->call >= NOTE_NAME ||
        !is_not_yet(r) || !same_answer(last, r))
        return false;
    last->ended = r->ended;
    last->inside += r->inside;
    last->times += r->times;
    return true;
}

/* A handler's record waits until the one is written that it came into. */
static void wait_with(const struct trace_record *r)
{
    struct trace_record unfinished = *r;
    unsigned place = atomic_load(&own.later);

    if (place > 0 && waits_already(r, place))
        return;
    place = atomic_fetch_add(&own.later, 1);
    unfinished.call = CALL_none; /* it may be left by a jump as well */
    if (place < LATER) {
        later[place] = unfinished;
        atomic_signal_fence(memory_order_seq_cst);
        later[place].call = r->call;
    }
}

/* Write down what has waited; those that found no room are lost. What comes
 * just behind the last look waits for the next call. */
void catch_up(void)
{
    const int error = errno;
    unsigned written = 0, waiting;

    own.busy = true;
    atomic_signal_fence(memory_order_seq_cst);
    do {
        waiting = atomic_load(&own.later);
        for (; written < waiting; written++) {
            own.taken = written + 1;
            atomic_signal_fence(memory_order_seq_cst);
            if (written >= LATER || later[written].call == CALL_none) {
                own.window->lost++;
            } else {
                append(&later[written]);
                later[written].call = CALL_none;
            }
        }
    } while (!atomic_compare_exchange_strong(&own.later, &waiting, 0));
    own.taken = 0;
    atomic_signal_fence(memory_order_seq_cst);
    own.busy = false;
    errno = error;
}

/* There are more descriptors than ever: places for their runs. */
static void make_places(uint32_t place)
{
    struct quiet before;
    size_t count = own.places;
    uint16_t *places;

    be_quiet(&before);
    while (count <= place)
        count = count ? 2 * count : SOME_PLACES;
    places = map_places(count);
    if (places) {
        if (own.latest) {
            memcpy(places, own.latest, own.places * sizeof *places);
            munmap(own.latest, own.places * sizeof *places);
        }
        own.latest = places;
        own.places = (uint32_t)count;
    }
    end_quiet(&before);
}

/* A call that may wait is not told to come again, unless it has waited. So
 * somebody else, who has the same socket, may have changed its mode. */
static bool is_in_doubt(const struct trace_record *r)
{
    return (r->error == EAGAIN || r->error == EWOULDBLOCK) &&
           !(r->flags & FLAG_NONBLOCKING) && r->fd >= 0 &&
           (unsigned)r->fd < descriptor_count && r->call < CALLS &&
           group_of[r->call] != GROUP_SETUP;
}

/* Under a filter it cannot be asked: what came back at once did not wait. */
static bool may_not_wait(const struct trace_record *r)
{
    if (is_filtered())
        return r->ended - r->began < lengths.worth_a_word;
    return (syscall(SYS_fcntl, r->fd, F_GETFL) & O_NONBLOCK) != 0;
}

void record(const struct trace_record *r, uint32_t place)
{
    const int error = errno;
    struct trace_record corrected = *r;
    int number;

    if (!own.window)
        return;
    if (is_in_doubt(r) && may_not_wait(r)) {
        slot(r->fd)->flags |= FLAG_NONBLOCKING;
        corrected.flags |= FLAG_NONBLOCKING;
    }
    if (own.busy) {
        wait_with(&corrected);
        errno = error;
        return;
    }
    if (place >= own.places && r->fd >= 0 &&
        (unsigned)r->fd < descriptor_count && place != NO_PLACE &&
        !is_filtered())
        make_places(place);
    own.busy = true;
    atomic_signal_fence(memory_order_seq_cst);
    number = append(&corrected);
    if (number >= 0 && place < own.places)
        own.latest[place] = (uint16_t)number;
    atomic_signal_fence(memory_order_seq_cst);
    own.busy = false;
    if (atomic_load_explicit(&own.later, memory_order_relaxed))
        catch_up();
    errno = error;
}

/* --- Notes -----------------------------------------------------------------
 */

/* A record that is no call, cleared but for what all of them have. */
static struct trace_record note(int kind, int fd)
{
    const uint64_t now = tick();
    struct trace_record r;

    memset(&r, 0, sizeof r);
    r.call = (uint8_t)kind;
    r.fd = fd;
    r.began = r.ended = now;
    return r;
}

static void note_name(void)
{
    struct trace_record r = note(NOTE_NAME, -1);
    const size_t length = strlen(name);

    memcpy(r.text, name, length < sizeof r.text ? length : sizeof r.text);
    record(&r, NO_PLACE);
}

static void note_number(int kind, int fd, int32_t number, uint64_t inside)
{
    struct trace_record r = note(kind, fd);

    r.result = number;
    r.inside = inside;
    r.times = 1;
    record(&r, NO_PLACE);
}

static void write_path(struct trace_record *r, const struct sockaddr_un *un,
                       socklen_t length)
{
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    const bool is_abstract = length > head && un->sun_path[0] == '\0';
    size_t size = length > head ? length - head : 0;
    const char *file = un->sun_path;

    if (!is_abstract)
        size = strnlen(file, size);
    if (size > sizeof r->address) {
        file += size - sizeof r->address;
        size = sizeof r->address;
    }
    memcpy(r->address, file, size);
    if (is_abstract && file == un->sun_path)
        r->address[0] = '@';
}

static void note_address(int kind, int fd, const void *address,
                         socklen_t length)
{
    struct trace_record r = note(kind, fd);

    r.family = ((const struct sockaddr *)address)->sa_family;
    if (r.family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = address;

        r.port = ntohs(in->sin_port);
        memcpy(r.address, &in->sin_addr, sizeof in->sin_addr);
    } else if (r.family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = address;

        r.port = ntohs(in6->sin6_port);
        r.scope = in6->sin6_scope_id;
        memcpy(r.address, &in6->sin6_addr, sizeof in6->sin6_addr);
    } else if (r.family == AF_UNIX && length > sizeof(sa_family_t)) {
        write_path(&r, address, length);
    } else {
        return; /* an unnamed one, such as those of socketpair(2) */
    }
    record(&r, NO_PLACE);
}

/* One of the two ends of a socket, as far as it has an address by now. */
static bool name_end(int fd, int kind,
                     int find(int, struct sockaddr *, socklen_t *))
{
    const int error = errno;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    const bool found =
        !is_filtered() && find(fd, (struct sockaddr *)&address, &length) == 0;

    if (found && own.window)
        note_address(kind, fd, &address,
                     length < sizeof address ? length : sizeof address);
    errno = error;
    return found;
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
    if (length >= sizeof(sa_family_t))
        note_address(NOTE_PEER, fd, address, length);
}

/* --- Descriptors -----------------------------------------------------------
 */

/* The highest number that is known: of a million, most never are. */
static atomic_uint highest;

void became(int fd, int kind, int type, bool nonblocking)
{
    unsigned top = atomic_load(&highest);

    if (slot(fd) == BEYOND)
        return;
    *slot(fd) = (struct descriptor){
        .kind = (uint8_t)kind,
        .flags = (uint8_t)((nonblocking ? FLAG_NONBLOCKING : 0) |
                           ((type & 0xf) == SOCK_DGRAM ? FLAG_DATAGRAM : 0)),
        .named = kind != SOCKET,
    };
    while ((unsigned)fd > top &&
           !atomic_compare_exchange_weak(&highest, &top, (unsigned)fd))
        ;
}

/* The program's memory is its own from now on: of no thread there is anything
 * to be known, and of no descriptor either. A function that a handler came
 * into may still have the window of the parent, and must not write there. */
void forked(void)
{
    if (!header)
        return;
    if (is_filtered()) { /* and it cannot be asked who it is */
        own = (struct recording){0};
        memset(descriptors, 0,
               ((size_t)atomic_load(&highest) + 1) * sizeof *descriptors);
        *SELF = *BEYOND = (struct descriptor){0};
        return;
    }
    if (own.window)
        (void)mmap(own.window, TRACE_BLOCK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (own.latest)
        munmap(own.latest, own.places * sizeof *own.latest);
    own = (struct recording){0};
    madvise(descriptors, ((size_t)descriptor_count + 2) * sizeof *descriptors,
            MADV_DONTNEED);
    process = getpid();
    image = tick();
    cpu_before = cpu_used(CLOCK_PROCESS_CPUTIME_ID);
    atomic_store(&nameless, true);
}

static void begins(void);

/* Is there a window to write to? One is made if it can be. */
bool wake(void)
{
    struct quiet before;

    if (own.away)
        return false;
    begins();
    if (!header)
        return false;
    if (own.window && SELF->kind != UNKNOWN)
        return true;
    if (is_filtered()) {
        /* A new thread; or a child, of which nothing is known. */
        own.window = NULL;
        if (SELF->kind == UNKNOWN || !make_window())
            atomic_fetch_add(&header->lost, 1);
        return own.window != NULL;
    }
    if (own.failed && own.pause > 0) {
        own.pause--;
        atomic_fetch_add(&header->lost, 1);
        return false;
    }
    be_quiet(&before);
    if (process != getpid())
        forked();
    if (!own.window && !make_window())
        atomic_fetch_add(&header->lost, 1);
    end_quiet(&before);
    return own.window != NULL;
}

/* Just what kind of a descriptor it is, which needs no window yet. NULL: none
 * ever will. */
struct descriptor *know(int fd)
{
    const int error = errno;
    struct descriptor *d;
    int flags, type = 0;
    socklen_t length = sizeof type;

    if (own.away)
        return NULL;
    begins();
    if (!header)
        return NULL;
    if (!is_filtered() && process != getpid())
        forked();
    d = slot(fd);
    if (d->kind != UNKNOWN)
        return d;
    if (is_filtered()) {
        became(fd, OTHER, 0, false);
        return d;
    }
    flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    if (flags != -1) {
        const bool is_socket = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE,
                                       &type, &length) == 0;

        became(fd, is_socket ? SOCKET : OTHER, type, flags & O_NONBLOCK);
    }
    errno = error;
    return d;
}

/* The same of one that is to be recorded; of a socket that was there before we
 * looked, also where its ends are. */
struct descriptor *look(int fd)
{
    struct descriptor *d;
    bool is_new;

    if (!wake())
        return NULL;
    is_new = slot(fd)->kind == UNKNOWN;
    d = know(fd);
    if (is_new && d && d->kind == SOCKET) {
        name_end(fd, NOTE_LOCAL, getsockname);
        d->named = name_end(fd, NOTE_PEER, getpeername);
    }
    return d;
}

/* A number means the same as another one from now on. */
void copied(int from, int to)
{
    struct descriptor *source, *copy;

    if (to < 0 || from == to || !descriptors || own.away)
        return;
    source = slot(from);
    copy = slot(to);
    if (source->kind == SOCKET || copy->kind == SOCKET)
        if (watching(from))
            note_number(NOTE_SAME, to, from, 0);
    if (copy != BEYOND) {
        became(to, OTHER, 0, false); /* there is such a number */
        *copy = *source;
    }
}

void forget(int fd)
{
    if (descriptors && !own.away)
        slot(fd)->kind = UNKNOWN;
}

void forget_range(unsigned first, unsigned last)
{
    const unsigned top = atomic_load(&highest);

    if (descriptors && !own.away)
        for (unsigned fd = first; fd <= last && fd <= top; fd++)
            descriptors[fd].kind = UNKNOWN;
}

/* --- The life of a process -------------------------------------------------
 */

/* A child that was killed has written no end of its own. */
void reaped(int pid, int status)
{
    if (pid > 0 && WIFSIGNALED(status) && awake())
        note_number(NOTE_REAPED, pid, status, 0);
}

/* The call that the thread is in will never come back. */
static void given_up(void)
{
    struct trace_block *const window = own.window;
    const uint64_t began = atomic_exchange(&window->inside, 0);
    struct trace_record r;

    if (began == 0)
        return;
    r = note(window->inside_call, window->inside_fd);
    r.began = began;
    r.inside = r.ended - began;
    r.asked = window->inside_asked;
    r.more = window->inside_more;
    r.times = 1;
    r.flags = FLAG_UNFINISHED;
    record(&r, NO_PLACE);
}

/* What was begun here is over: it was left by a jump, or its thread has been
 * cancelled. */
static void clear_up(void)
{
    if (own.busy) {
        own.busy = false;
        own.window->lost++;
    }
    if (atomic_load(&own.later))
        catch_up();
    given_up();
}

/* longjmp(3), perhaps out of a signal's handler. */
void jumps(void)
{
    const int error = errno;

    if (own.window && (own.busy || atomic_load(&own.window->inside)))
        clear_up();
    errno = error;
}

/* A long while between two calls. What the thread has used of a processor since
 * the last such while is the most that it can have used in this one: if that
 * is little, it did not run. */
void look_back(uint64_t until)
{
    const int error = errno;
    const double length = (double)(until - own.left) * header->ns_of_tick;
    uint64_t cpu;

    if (is_filtered())
        return;
    cpu = cpu_used(CLOCK_THREAD_CPUTIME_ID);
    if ((double)(cpu - own.cpu) < length / 4)
        record(&(struct trace_record){.began = own.left,
                                      .ended = until,
                                      .inside = until - own.left,
                                      .result = 1,
                                      .times = 1,
                                      .fd = -1,
                                      .call = CALL_elsewhere},
               NO_PLACE);
    own.cpu = cpu;
    errno = error;
}

/* The process ends: by itself, in whatever way. */
__attribute__((destructor)) void ends(void)
{
    const int error = errno;

    if (header && !own.away && is_filtered()) {
        if (SELF->kind != UNKNOWN && awake()) {
            clear_up();
            note_number(NOTE_EXIT, -1, 0, UINT64_MAX);
        }
    } else if (header && !own.away && process == getpid() &&
               !atomic_load(&nameless) && awake()) {
        clear_up();
        if ((int64_t)(tick() - own.left) > lengths.while_away)
            look_back(tick());
        note_number(NOTE_EXIT, -1, 0,
                    (cpu_used(CLOCK_PROCESS_CPUTIME_ID) - cpu_before) / 1000);
        tell_the_time();
    }
    own.away = true;
    own.window = NULL;
    errno = error;
}

/* A thread ends: by itself, or cancelled. What it does yet in destructors of
 * its own gets a new window. */
static void thread_ends(void *unused)
{
    struct quiet before;

    (void)unused;
    if (!own.window || own.away || (!is_filtered() && process != getpid()))
        return;
    clear_up();
    note_number(NOTE_THREAD, -1, 0, 0);
    if (is_filtered()) {
        own = (struct recording){0};
        return;
    }
    be_quiet(&before);
    munmap(own.window, TRACE_BLOCK);
    if (own.latest)
        munmap(own.latest, own.places * sizeof *own.latest);
    own = (struct recording){0};
    end_quiet(&before);
}

/* --- Under a filter --------------------------------------------------------
 */

/* Each descriptor that is open, and each function that will be called. */
static void know_everything(void)
{
    extern struct stand_in HIDDEN __start_stand_ins[], __stop_stand_ins[];

    for (int fd = 0; fd < SOME_DESCRIPTORS; fd++) {
        struct descriptor *d = look(fd);

        if (d && d->kind == SOCKET && !d->named) {
            name_end(fd, NOTE_LOCAL, getsockname);
            d->named = name_end(fd, NOTE_PEER, getpeername);
        }
    }
    /* cppcheck-suppress comparePointers */
    for (struct stand_in *s = __start_stand_ins; s < __stop_stand_ins; s++)
        if (!*s->real)
            *s->real = find_real(s->name);
}

static void make_reserve(void)
{
    struct quiet before;

    be_quiet(&before);
    for (unsigned count = RESERVE; !reserve && count > 0; count /= 4) {
        reserve = map_blocks(count);
        reserve_size = reserve ? count : 0;
    }
    end_quiet(&before);
}

bool filter_ahead(void)
{
    const int error = errno;

    begins();
    if (!header || own.away || is_filtered())
        return false;
    if (wake()) {
        know_everything();
        make_reserve();
    }
    own.filter_ends_it = trace_clock == CLOCK_OF_NANOSECONDS;
    atomic_store(&filtered, true);
    errno = error;
    return true;
}

void filter_behind(bool is_set)
{
    const int error = errno;

    if (!is_set)
        atomic_store(&filtered, false);
    else if (awake())
        note_number(NOTE_FILTER, -1, own.filter_ends_it, 0);
    if (is_set && own.filter_ends_it) {
        own.window = NULL;
        own.away = true;
    }
    errno = error;
}

/* Has somebody set a filter since recording began, and then exec(3)? It is
 * asked by what the loader of programs does as well. */
static bool begins_under_filter(void)
{
    const char *before = getenv("WB_TRACE_FILTERS");
    char status[STATUS_SIZE] = "";
    const int fd = before
                       ? (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/status",
                                      O_RDONLY | O_CLOEXEC)
                       : -1;

    if (fd == -1)
        return false;
    (void)!syscall(SYS_read, fd, status, sizeof status - 1);
    close_trace(fd);
    return filters_in(status) > strtol(before, NULL, 10);
}

/* --- How it begins ---------------------------------------------------------
 */

/* "PID:NAME": for this process, and not for its children. */
static const char *given_name(void)
{
    const char *given = getenv("WB_TRACE_NAME");
    char *end;

    if (given && strtol(given, &end, 10) == getpid() && *end == ':')
        return end + 1;
    return program_invocation_short_name;
}

static bool map_descriptors(unsigned count)
{
    const size_t size = ((size_t)count + 2) * sizeof *descriptors;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        return false;
    madvise(map, size, MADV_WIPEONFORK);
    descriptors = map;
    descriptor_count = count;
    return true;
}

static void measure_lengths(double ns_of_tick)
{
    const double ms = 1e6 / ns_of_tick;

    lengths = (struct lengths){
        .pause = (uint64_t)(10 * ms),
        .burst = (uint64_t)(ms / 20),
        .while_away = (int64_t)(6 * ms),
        .worth_a_word = (uint64_t)ms,
    };
}

static void begin_with(struct trace_header *found)
{
    if (memcmp(found->magic, "wbtrace", 8) != 0 ||
        found->version != TRACE_VERSION)
        return;
    trace_clock = (enum trace_clock)found->clock;
    measure_lengths(found->ns_of_tick);
    name = strdup(given_name());
    if (!name || (!map_descriptors(MANY_DESCRIPTORS) &&
                  !map_descriptors(SOME_DESCRIPTORS)))
        return;
    process = getpid();
    image = tick();
    cpu_before = cpu_used(CLOCK_PROCESS_CPUTIME_ID);
    key_is_there = pthread_key_create(&ends_of_thread, thread_ends) == 0;
    (void)at_quick_exit(ends);
    header = found;
}

/* The program begins; or a library does that was loaded before this one, and
 * makes calls already. */
__attribute__((constructor)) static void begins(void)
{
    static atomic_int begun;
    const char *given;
    struct quiet before;
    int fd;

    if (atomic_load(&begun) || atomic_exchange(&begun, 1))
        return;
    given = getenv("WB_TRACE");
    if (given && begins_under_filter())
        return;
    be_quiet(&before);
    path = given ? strdup(given) : NULL; /* it may change its environment */
    fd = path ? open_trace(&trace_is) : -1;
    if (fd != -1) {
        void *map =
            mmap(NULL, TRACE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        close_trace(fd);
        if (map != MAP_FAILED)
            begin_with(map);
    }
    end_quiet(&before);
}

void *find_real(const char *called)
{
    const int error = errno;
    void *real = dlsym(RTLD_NEXT, called);

    errno = error;
    return real;
}
