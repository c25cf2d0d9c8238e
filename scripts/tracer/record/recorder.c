/* SPDX-License-Identifier: MIT */
/*
 * recorder - records the socket calls of the program that it is preloaded
 * into. scripts/trace does that:
 *
 *     LD_PRELOAD=recorder.so WB_TRACE=/tmp/it.trace PROGRAM
 *
 * The program must not notice. Results, errno, signals and cancellation are
 * those of the call. No descriptor is kept open, because that would change the
 * numbers of all others. An error in the recorder may spoil only the trace.
 *
 * This file makes the windows of threads, writes the records, and adds notes
 * about everything else; recorder.h has what each call does, recorder_calls.c
 * the calls.
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
    SOME_DESCRIPTORS = 1 << 12, /* if memory is scarce */
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
static struct stat trace_is;        /* the file that path must lead to */
static struct trace_header *header; /* NULL: nothing is recorded */
static const char *name;            /* the name of this process in the trace */
static atomic_bool nameless = true; /* the name is not yet recorded */
static pid_t process;               /* the process that this state belongs to */
static uint64_t image;              /* tick at which the process began */
static uint64_t cpu_before;         /* processor time it had used by then, ns */
static atomic_uint last_serial; /* the latest of all windows of this process */
static pthread_key_t ends_of_thread; /* its destructor: thread_ends */
static bool key_is_there;

/* True: the recorder makes no system call any more (recorder.h). */
static atomic_bool filtered;
/* Blocks to use under a filter: for copies of windows, and for threads that
 * have no window. */
static struct trace_block *reserve;
static unsigned reserve_size;
static atomic_uint reserve_used;

static void note_name(void);

bool is_filtered(void)
{
    return atomic_load_explicit(&filtered, memory_order_relaxed);
}

/* --- The file ------------------------------------------------------------- */

/* State to restore after a part that nothing may interrupt: neither a signal
 * handler, which might call us again or never return, nor a cancellation of the
 * thread. */
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
    syscall(SYS_close, fd); /* our own close() would be recorded */
}

/* Open the trace if we can still reach it and it is still the same file: a
 * program may change its root or its user, and somebody may have replaced the
 * trace. */
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

/* May this program make a file of this size? Just trying would raise SIGXFSZ,
 * which ends programs. */
static bool may_reach(uint64_t size)
{
    struct rlimit most;

    return getrlimit(RLIMIT_FSIZE, &most) == 0 &&
           (most.rlim_cur == RLIM_INFINITY || size <= most.rlim_cur);
}

/* Reserve a place for so many bytes in the file; 0: the file has reached its
 * limit. */
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

/* Give back a place that was not used. If somebody has already taken the next
 * place, this one stays empty. */
static void give_back(uint64_t place, uint64_t length)
{
    uint64_t size = place + length;

    atomic_compare_exchange_strong(&header->size, &size, place);
}

static void store_latest_moment(void)
{
    const struct trace_moment now = moment_now(trace_clock);

    atomic_store(&header->latest_ns, now.ns);
    atomic_store(&header->latest_tick, now.tick);
}

/* Map new blocks. They are written with zeros first: a full disk must show up
 * here as an error, not later as a SIGBUS. */
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

/* Take blocks from the reserve; NULL if there are not enough. */
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

/* Under a filter: take a window and its places from the reserve. The second of
 * the two blocks gets no magic number. */
static struct trace_block *window_of_reserve(void)
{
    struct trace_block *const blocks = take_reserve(2);

    if (blocks) {
        own.latest = (void *)(blocks + 1);
        own.places = TRACE_BLOCK / sizeof *own.latest;
        /* We cannot ask for the thread's id, only make it different from the
         * others. */
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

    /* If it failed, try again later, but not at every call. */
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

/* Copy the contents of the window to a new block of the file. */
static bool copy_window(void)
{
    struct stat is;
    const int fd = open_trace(&is);
    const uint64_t place = fd == -1 ? 0 : new_place(TRACE_BLOCK);
    const uint64_t inside = atomic_load(&own.window->inside);
    ssize_t written = 0;

    if (place > 0) {
        /* If we are in a signal handler, the call in `inside` is still waiting:
         * it stays with the window, not with the copy. */
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

/* The same without a system call. A signal handler may interrupt the copying
 * and never return: then the copy has no magic number. */
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
    const bool may_call_kernel = !is_filtered();
    struct quiet before;
    bool done;

    if (may_call_kernel)
        be_quiet(&before);
    done = may_call_kernel ? copy_window() : copy_to_reserve();
    if (done) {
        own.window->lost = 0;
        atomic_store(&own.window->count, 0);
        own.since = 0;
        own.window->serial = atomic_fetch_add(&last_serial, 1) + 1;
        /* So that no old record is taken for the latest of a run. */
        for (size_t i = 0; i < BLOCK_RECORDS; i++)
            own.window->records[i].call = CALL_none;
        if (may_call_kernel)
            store_latest_moment();
    }
    if (may_call_kernel)
        end_quiet(&before);
    return done;
}

/* --- Records -------------------------------------------------------------- */

/* A non-blocking call that would block: the only result that does not end the
 * runs of other calls. */
static bool is_not_yet(const struct trace_record *r)
{
    return (r->flags & FLAG_NONBLOCKING) &&
           (r->error == EAGAIN || r->error == EWOULDBLOCK ||
            r->error == EINPROGRESS || r->error == EALREADY ||
            (r->result == 0 && group_of[r->call] == GROUP_WAITS));
}

/* Append a record. Returns its number, or -1 if there is no room. Readers see
 * it only when the window's count includes it. */
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

/* On a busy processor, a handler may run again and again before the program
 * makes progress: merge its would-block results. Leave alone those that are
 * just being written. */
static bool merge_postponed(const struct trace_record *r, unsigned waiting)
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

/* A handler's record waits until the record that it interrupted is written. */
static void postpone(const struct trace_record *r)
{
    struct trace_record unfinished = *r;
    unsigned place = atomic_load(&own.later);

    if (place > 0 && merge_postponed(r, place))
        return;
    place = atomic_fetch_add(&own.later, 1);
    unfinished.call = CALL_none; /* a longjmp may leave this function too */
    if (place < LATER) {
        later[place] = unfinished;
        atomic_signal_fence(memory_order_seq_cst);
        later[place].call = r->call;
    }
}

/* Write the postponed records; those that found no room are lost. What a
 * handler adds after the last check waits for the next call. */
void write_postponed(void)
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

/* A higher descriptor than ever: make room for the places of its runs. */
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

/* A blocking call fails with EAGAIN only after it has waited for its timeout.
 * So another process that shares the socket may have changed its mode. */
static bool mode_may_have_changed(const struct trace_record *r)
{
    return (r->error == EAGAIN || r->error == EWOULDBLOCK) &&
           !(r->flags & FLAG_NONBLOCKING) && r->fd >= 0 &&
           (unsigned)r->fd < descriptor_count && r->call < CALLS &&
           group_of[r->call] != GROUP_SETUP;
}

/* Under a filter we cannot ask the kernel: a call that returned at once did not
 * wait. */
static bool is_nonblocking_now(const struct trace_record *r)
{
    if (is_filtered())
        return r->ended - r->began < lengths.file_wait;
    return (syscall(SYS_fcntl, r->fd, F_GETFL) & O_NONBLOCK) != 0;
}

void record(const struct trace_record *r, uint32_t place)
{
    const int error = errno;
    struct trace_record corrected = *r;
    int number;

    if (!own.window)
        return;
    if (mode_may_have_changed(r) && is_nonblocking_now(r)) {
        slot(r->fd)->flags |= FLAG_NONBLOCKING;
        corrected.flags |= FLAG_NONBLOCKING;
    }
    if (own.busy) {
        postpone(&corrected);
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
        write_postponed();
    errno = error;
}

/* --- Notes ---------------------------------------------------------------- */

/* A note: a record that is no call. All fields are zero except the common
 * ones. */
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
        return; /* an unnamed socket, such as those of socketpair(2) */
    }
    record(&r, NO_PLACE);
}

/* Record the address of one end of a socket, if it has one by now. */
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

/* --- Descriptors ---------------------------------------------------------- */

/* The highest descriptor in use so far: of a million entries, most stay
 * unused. */
static atomic_uint highest;

void set_descriptor(int fd, int kind, int type, bool nonblocking)
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

/* In a child, forget everything about threads and descriptors. A signal handler
 * may have forked within a function of the recorder, which still holds the
 * parent's window and must not write there. */
void forked(void)
{
    if (!header)
        return;
    if (is_filtered()) { /* we cannot ask for our pid */
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

static void start_recording(void);

/* Is there a window to write to? If not, try to make one. */
bool make_recordable(void)
{
    struct quiet before;

    if (own.away)
        return false;
    start_recording();
    if (!header)
        return false;
    if (own.window && SELF->kind != UNKNOWN)
        return true;
    if (is_filtered()) {
        /* A new thread; or a child, about which we know nothing. */
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

/* Find out the kind of a descriptor, which needs no window. NULL: no window
 * will ever exist. */
struct descriptor *learn_kind(int fd)
{
    const int error = errno;
    struct descriptor *d;
    int flags, type = 0;
    socklen_t length = sizeof type;

    if (own.away)
        return NULL;
    start_recording();
    if (!header)
        return NULL;
    if (!is_filtered() && process != getpid())
        forked();
    d = slot(fd);
    if (d->kind != UNKNOWN)
        return d;
    if (is_filtered()) {
        set_descriptor(fd, OTHER, 0, false);
        return d;
    }
    flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    if (flags != -1) {
        const bool is_socket = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE,
                                       &type, &length) == 0;

        set_descriptor(fd, is_socket ? SOCKET : OTHER, type,
                       flags & O_NONBLOCK);
    }
    errno = error;
    return d;
}

/* The same for a descriptor whose calls are recorded. If a socket existed
 * before we first saw it, record its addresses too. */
struct descriptor *learn_descriptor(int fd)
{
    struct descriptor *d;
    bool is_new;

    if (!make_recordable())
        return NULL;
    is_new = slot(fd)->kind == UNKNOWN;
    d = learn_kind(fd);
    if (is_new && d && d->kind == SOCKET) {
        name_end(fd, NOTE_LOCAL, getsockname);
        d->named = name_end(fd, NOTE_PEER, getpeername);
    }
    return d;
}

/* From now on, descriptor `to` means the same as `from`. */
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
        set_descriptor(to, OTHER, 0, false); /* it may be a new number */
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

/* --- The end of calls, threads and processes ------------------------------ */

/* A child that was killed could not record its own end. */
void reaped(int pid, int status)
{
    if (pid > 0 && WIFSIGNALED(status) && is_recordable())
        note_number(NOTE_REAPED, pid, status, 0);
}

/* Record the call that the thread is in: it will never return. */
static void record_unfinished(void)
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

/* A longjmp or a cancellation left the current call: finish its record. */
static void leave_current_call(void)
{
    if (own.busy) {
        own.busy = false;
        own.window->lost++;
    }
    if (atomic_load(&own.later))
        write_postponed();
    record_unfinished();
}

/* Before a longjmp(3), perhaps out of a signal handler. */
void before_jump(void)
{
    const int error = errno;

    if (own.window && (own.busy || atomic_load(&own.window->inside)))
        leave_current_call();
    errno = error;
}

/* Check a long gap between two calls. The processor time that the thread used
 * since the last such gap is the most that it can have used in this one: if
 * that is little, the thread did not run. */
void check_gap(uint64_t until)
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

/* The process ends by itself, in whatever way. */
__attribute__((destructor)) void process_ends(void)
{
    const int error = errno;

    if (header && !own.away && is_filtered()) {
        if (SELF->kind != UNKNOWN && is_recordable()) {
            leave_current_call();
            note_number(NOTE_EXIT, -1, 0, UINT64_MAX);
        }
    } else if (header && !own.away && process == getpid() &&
               !atomic_load(&nameless) && is_recordable()) {
        leave_current_call();
        if ((int64_t)(tick() - own.left) > lengths.gap)
            check_gap(tick());
        note_number(NOTE_EXIT, -1, 0,
                    (cpu_used(CLOCK_PROCESS_CPUTIME_ID) - cpu_before) / 1000);
        store_latest_moment();
    }
    own.away = true;
    own.window = NULL;
    errno = error;
}

/* A thread ends: by itself, or cancelled. If its later destructors make calls,
 * they get a new window. */
static void thread_ends(void *unused)
{
    struct quiet before;

    (void)unused;
    if (!own.window || own.away || (!is_filtered() && process != getpid()))
        return;
    leave_current_call();
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

/* --- Under a filter ------------------------------------------------------- */

/* Look up every open descriptor, and the address of every function that we will
 * call. */
static void learn_everything(void)
{
    extern struct stand_in HIDDEN __start_stand_ins[], __stop_stand_ins[];

    for (int fd = 0; fd < SOME_DESCRIPTORS; fd++) {
        struct descriptor *d = learn_descriptor(fd);

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

bool before_filter(void)
{
    const int error = errno;

    start_recording();
    if (!header || own.away || is_filtered())
        return false;
    if (make_recordable()) {
        learn_everything();
        make_reserve();
    }
    own.filter_ends_it = trace_clock == CLOCK_OF_NANOSECONDS;
    atomic_store(&filtered, true);
    errno = error;
    return true;
}

void after_filter(bool is_set)
{
    const int error = errno;

    if (!is_set)
        atomic_store(&filtered, false);
    else if (is_recordable())
        note_number(NOTE_FILTER, -1, own.filter_ends_it, 0);
    if (is_set && own.filter_ends_it) {
        own.window = NULL;
        own.away = true;
    }
    errno = error;
}

/* Has the program set a filter and then called exec(3)? This uses only system
 * calls that the program loader makes too. */
static bool starts_under_filter(void)
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

/* --- The start ------------------------------------------------------------ */

/* "PID:NAME": for this process, not for its children. */
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
        .gap = (int64_t)(6 * ms),
        .file_wait = (uint64_t)ms,
    };
}

static void use_trace(struct trace_header *found)
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
    (void)at_quick_exit(process_ends);
    header = found;
}

/* The program starts; or a library that was loaded before this one already
 * makes calls. */
__attribute__((constructor)) static void start_recording(void)
{
    static atomic_int begun;
    const char *given;
    struct quiet before;
    int fd;

    if (atomic_load(&begun) || atomic_exchange(&begun, 1))
        return;
    given = getenv("WB_TRACE");
    if (given && starts_under_filter())
        return;
    be_quiet(&before);
    path = given ? strdup(given) : NULL; /* the environment may change */
    fd = path ? open_trace(&trace_is) : -1;
    if (fd != -1) {
        void *map =
            mmap(NULL, TRACE_BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        close_trace(fd);
        if (map != MAP_FAILED)
            use_trace(map);
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
