/* SPDX-License-Identifier: MIT */
/*
 * read - reads traces and makes a model of them.
 *
 * This is C rather than awk because of speed: a trace of 100 MB has two million
 * records, which C maps, checks and turns into spans in about a second. awk
 * would need a minute, most of it for conversions between text and numbers.
 */
#define _GNU_SOURCE
#include "model.h"

#include "clock.h"
#include "error.h"
#include "program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- Files and blocks ----------------------------------------------------- */

/* One trace, and the conversion of its ticks to time. */
struct file {
    const char *name;
    const struct trace_header *header;
    size_t size;
    uint64_t first_tick, last_tick; /* last_tick 0: still being recorded */
    int64_t first_ns;
    double ns_of_tick;
};

/* The blocks of one thread, in the order in which they were written. */
struct block_of {
    const struct file *file;
    const struct trace_block *block;
    size_t place;
};

static struct model model = {.complete = true};

/* Warn only once for each file: a damaged file usually has many errors. */
static void damaged(const char *file, const char *what)
{
    static const char *told;

    if (file != told)
        fprintf(stderr, "%s: %s is damaged: %s; this is the rest of it\n",
                program_name(), file, what);
    told = file;
    model.complete = false;
}

/* Compute the rate from a later moment, unless that is too close to the first
 * one or makes no sense. */
static void learn_from(struct file *f, uint64_t tick, int64_t ns)
{
    const struct trace_header *h = f->header;
    const double apart = (double)ns - (double)h->first.ns;
    const double rate = apart / (double)(tick - h->first.tick);

    if (tick > h->first.tick && apart > 20e6 && rate > 0.5 * h->ns_of_tick &&
        rate < 2 * h->ns_of_tick)
        f->ns_of_tick = rate;
}

/* While a trace is being recorded, it has only a first guess of its rate. The
 * present moment is a later one, unless the machine was restarted since. */
static void learn_the_rate(struct file *f)
{
    const struct trace_header *h = f->header;

    f->first_tick = h->first.tick;
    f->first_ns = h->first.ns;
    f->ns_of_tick = h->ns_of_tick;
    learn_from(f, atomic_load(&h->latest_tick), atomic_load(&h->latest_ns));
    if (atomic_load(&h->running) <= 0) {
        f->last_tick = atomic_load(&h->ended);
    } else {
        const struct trace_moment later =
            moment_now((enum trace_clock)h->clock);
        const double guess = f->ns_of_tick;

        learn_from(f, later.tick, later.ns);
        if (fabs(f->ns_of_tick - guess) > guess / 100)
            f->ns_of_tick = guess;
    }
}

static void open_file(struct file *f, const char *name)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat is;
    void *map;

    if (fd == -1 || fstat(fd, &is) == -1)
        die_because(0, "cannot read the trace %s: %s", name, strerror(errno));
    if (!S_ISREG(is.st_mode) || is.st_size < (off_t)sizeof *f->header)
        die_because(0, "%s is no trace: it is %s", name,
                    !S_ISREG(is.st_mode) ? "no file"
                    : is.st_size == 0    ? "empty"
                                         : "too short");
    map = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die_because(0, "cannot map the trace %s: %s", name, strerror(errno));
    close(fd);
    f->name = name;
    f->header = map;
    f->size = (size_t)is.st_size;
    if (memcmp(f->header->magic, "wbtrace", sizeof f->header->magic) != 0)
        die_because(0, "%s is no trace: scripts/trace makes one", name);
    if (f->header->version != TRACE_VERSION ||
        f->header->block != TRACE_BLOCK ||
        !(f->header->ns_of_tick > 0 && f->header->ns_of_tick < 1e6))
        die_because(0, "%s was made by another version of scripts/trace", name);
    learn_the_rate(f);
    /* A block is reserved a moment before the file grows by it. */
    for (int look = 0; f->size < atomic_load(&f->header->size); look++) {
        if (look == 20) {
            damaged(name, "it is cut off");
            break;
        }
        nap(MILLISECOND);
        if (stat(name, &is) == 0 &&
            (uint64_t)is.st_size >= atomic_load(&f->header->size))
            break;
    }
}

/* Images in the order of their start; within an image thread by thread: first
 * the copied blocks, then the window, which has the highest serial number. */
static int by_image(const void *a, const void *b)
{
    const struct block_of *x = a, *y = b;

    const int file = ORDER(x->file, y->file);
    const int image = ORDER(x->block->image, y->block->image);
    const int pid = ORDER(x->block->pid, y->block->pid);
    const int tid = ORDER(x->block->tid, y->block->tid);
    const int serial = ORDER(x->block->serial, y->block->serial);

    return file     ? file
           : image  ? image
           : pid    ? pid
           : tid    ? tid
           : serial ? serial
                    : ORDER(x->place, y->place);
}

static bool same_image(const struct block_of *a, const struct block_of *b)
{
    return a->file == b->file && a->block->image == b->block->image &&
           a->block->pid == b->block->pid;
}

static bool same_thread(const struct block_of *a, const struct block_of *b)
{
    return same_image(a, b) && a->block->tid == b->block->tid;
}

static struct block_of *blocks;
static size_t block_count, block_room;

/* Copies of windows up to their last complete record: their threads may still
 * write to them. */
static struct trace_block **window_copies;
static size_t window_copy_count, window_copy_room;

static const struct trace_block *
copy_of_window(const struct trace_block *window)
{
    const size_t head = offsetof(struct trace_block, records);
    struct trace_block *copy = enlarged(NULL, 1, TRACE_BLOCK);
    uint64_t count;

    do {
        count = atomic_load(&window->count);
        memcpy(copy, window, head);
        memcpy(copy->records, window->records,
               (count > BLOCK_RECORDS ? 0 : count) * sizeof *copy->records);
        atomic_thread_fence(memory_order_acquire);
    } while (copy->serial != *(const volatile uint32_t *)&window->serial ||
             atomic_load(&window->count) < count);
    atomic_store(&copy->count, count);
    copy = enlarged(copy, 1,
                    head + (count > BLOCK_RECORDS ? 0 : count) *
                               sizeof *copy->records);
    window_copies =
        grown(window_copies, window_copy_count, &window_copy_room, sizeof copy);
    return window_copies[window_copy_count++] = copy;
}

/* A tick of ten years or more is an error. */
static bool is_time(const struct file *f, uint64_t tick)
{
    const double s = (double)(int64_t)(tick - f->first_tick) * f->ns_of_tick;

    return s > -1e9 && s < 3e17;
}

static void find_blocks(const struct file *f)
{
    for (size_t at = TRACE_BEGIN; at + TRACE_BLOCK <= f->size;
         at += TRACE_BLOCK) {
        const struct trace_block *b =
            (const void *)((const char *)f->header + at);

        if (b->magic != TRACE_MAGIC)
            continue;
        if (!b->moved)
            b = copy_of_window(b);
        if (atomic_load(&b->count) > BLOCK_RECORDS || !is_time(f, b->image)) {
            damaged(f->name, "a block makes no sense");
            continue;
        }
        blocks = grown(blocks, block_count, &block_room, sizeof *blocks);
        blocks[block_count++] = (struct block_of){f, b, at};
    }
}

/* A block that is there twice was being copied when the thread was stopped, or
 * when we read it. */
static void drop_copies(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < block_count; i++) {
        struct block_of *last = kept > 0 ? &blocks[kept - 1] : NULL;

        if (last && same_thread(last, &blocks[i]) &&
            last->block->serial == blocks[i].block->serial) {
            if (atomic_load(&blocks[i].block->count) >
                atomic_load(&last->block->count))
                *last = blocks[i];
        } else {
            blocks[kept++] = blocks[i];
        }
    }
    block_count = kept;
}

/* --- The records of one image, in the order of time ----------------------- */

struct record_of {
    const struct trace_record *record;
    size_t lane, order;
};

static struct record_of *records;
static size_t record_count, record_room;

static int by_time(const void *a, const void *b)
{
    const struct record_of *x = a, *y = b;

    const int began = ORDER(x->record->began, y->record->began);

    return began ? began : ORDER(x->order, y->order);
}

static bool makes_sense(const struct file *f, const struct trace_record *r)
{
    if (r->ended < r->began || !is_time(f, r->began) || !is_time(f, r->ended))
        return false;
    if (r->call >= NOTE_NAME)
        return r->call <= NOTE_FILTER;
    return r->call < CALLS && r->times > 0 && r->inside <= r->ended - r->began;
}

/* Records are almost always in order already; only the calls of signal
 * handlers, and several threads, change that. */
static void collect(const struct block_of *b, size_t lane)
{
    const size_t count = (size_t)atomic_load(&b->block->count);

    for (size_t i = 0; i < count; i++) {
        const struct trace_record *r = &b->block->records[i];

        if (r->call == CALL_none)
            continue; /* the copy was never finished */
        if (!makes_sense(b->file, r)) {
            damaged(b->file->name, "a record makes no sense");
            return;
        }
        records = grown(records, record_count, &record_room, sizeof *records);
        records[record_count] = (struct record_of){r, lane, record_count};
        record_count++;
    }
}

static void put_in_order(void)
{
    for (size_t i = 1; i < record_count; i++)
        if (by_time(&records[i - 1], &records[i]) > 0) {
            qsort(records, record_count, sizeof *records, by_time);
            return;
        }
}

/* --- Endpoints ------------------------------------------------------------ */

/* The present endpoint of each descriptor in this image; one more entry for
 * descriptors that are not followed. */
static struct endpoint *open_ends[MOST_DESCRIPTORS + 1];
static size_t open_used;

/* The number of descriptors of each endpoint, by the endpoint's number. */
static size_t *uses;

static struct endpoint **open_end(int fd)
{
    const size_t at =
        fd < 0 || fd >= MOST_DESCRIPTORS ? MOST_DESCRIPTORS : (size_t)fd;

    if (at == MOST_DESCRIPTORS)
        open_ends[at] = NULL;
    else if (at >= open_used)
        open_used = at + 1;
    return &open_ends[at];
}

/* The next image starts without known endpoints. */
static void forget_open_ends(void)
{
    memset(open_ends, 0, open_used * sizeof(struct endpoint *));
    open_used = 0;
}

static void closes(int fd, double when)
{
    struct endpoint **e = open_end(fd);

    if (*e && --uses[(*e)->number] == 0)
        (*e)->closed = when;
    *e = NULL;
}

/* From now on, descriptor `to` means the same as `from`. */
static void copy_descriptor(int from, int to, double when)
{
    struct endpoint *e = *open_end(from);

    closes(to, when);
    *open_end(to) = e;
    if (e)
        uses[e->number]++;
}

static struct endpoint *opens(int fd, size_t lane, double when)
{
    static size_t room, uses_room;
    struct endpoint *e = enlarged(NULL, 1, sizeof *e);

    closes(fd, when);
    *e = (struct endpoint){
        .number = model.endpoint_count,
        .lane = lane,
        .pid = model.lanes[lane].pid,
        .fd = fd,
        .opened = when,
        .closed = -1,
    };
    uses = grown(uses, e->number, &uses_room, sizeof *uses);
    uses[e->number] = 1;
    model.endpoints = grown(model.endpoints, e->number, &room, sizeof e);
    model.endpoints[model.endpoint_count++] = e;
    *open_end(fd) = e;
    return e;
}

/* The endpoint of a call; a descriptor may have come from the parent without a
 * record. NULL if fd is no descriptor. */
static struct endpoint *endpoint_of(int fd, size_t lane, double when)
{
    struct endpoint *e = *open_end(fd);

    return e || fd < 0 || fd >= MOST_DESCRIPTORS ? e : opens(fd, lane, when);
}

/* A program's text may hold control characters, which a terminal would act
 * on. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

static void write_address(const struct trace_record *r, char *text, size_t size,
                          int *port)
{
    char host[INET6_ADDRSTRLEN];

    *port = r->port;
    text[0] = '\0';
    if (r->family == AF_INET &&
        inet_ntop(AF_INET, r->address, host, sizeof host))
        snprintf(text, size, "%s:%d", host, r->port);
    else if (r->family == AF_INET6 &&
             inet_ntop(AF_INET6, r->address, host, sizeof host))
        snprintf(text, size, "[%s]:%d", host, r->port);
    else if (r->family == AF_UNIX)
        snprintf(text, size, "%.*s", (int)sizeof r->address,
                 (const char *)r->address);
    make_printable(text);
}

/* --- Spans ---------------------------------------------------------------- */

static double time_of(const struct file *f, uint64_t tick)
{
    return ((double)f->first_ns +
            (double)(int64_t)(tick - f->first_tick) * f->ns_of_tick) /
           1e9;
}

/* Learn from a call about its descriptor, and about a new one. */
static struct endpoint *learn(const struct trace_record *r, size_t lane,
                              double began, double ended)
{
    struct endpoint *e = *open_end(r->fd);

    switch (r->call) {
    case CALL_socket:
        if (r->result >= 0) {
            e = opens(r->result, lane, ended);
            e->datagram = (r->asked & 0xf) == SOCK_DGRAM;
        }
        break;
    case CALL_socketpair:
        if (r->result == 0) {
            struct endpoint *one = opens(r->asked, lane, ended);

            e = opens(r->more, lane, ended);
            e->other = one;
            one->other = e;
        }
        break;
    case CALL_accept:
    case CALL_accept4:
        e = endpoint_of(r->fd, lane, began);
        if (e && (r->result >= 0 || r->error == EAGAIN))
            e->listening = true;
        if (r->result >= 0)
            opens(r->result, lane, ended);
        break;
    case CALL_listen:
        e = endpoint_of(r->fd, lane, began);
        if (e && r->result == 0)
            e->listening = true;
        break;
    case CALL_close:
        closes(r->fd, ended);
        break;
    case CALL_epoll_ctl:
        break;
    default:
        if (r->flags & FLAG_FILE)
            e = NULL;
        else if (call_kind(r->call) != WAITS)
            e = endpoint_of(r->fd, lane, began);
    }
    if (e && (r->flags & FLAG_DATAGRAM))
        e->datagram = true;
    return e;
}

/* A process that was killed, and when. These are handled when all lanes are
 * there. */
struct end {
    int pid, status;
    double when;
};
static struct end *reaped;
static size_t reaped_count, reaped_room;

static void note_reaped(int pid, int status, double when)
{
    reaped = grown(reaped, reaped_count, &reaped_room, sizeof *reaped);
    reaped[reaped_count++] = (struct end){pid, status, when};
}

/* Say that calls after the filter are missing: a picture does not show it. */
static void tell_filter(const struct lane *lane, bool ends_it)
{
    fprintf(stderr, "%s: %s set a filter of system calls (seccomp): %s\n",
            program_name(), lane->name[0] ? lane->name : "a thread",
            ends_it ? "nothing of it is recorded since then, for it is not "
                      "known whether this machine's clock needs a system call"
                    : "since then neither addresses of new sockets nor waits "
                      "in other calls of it are known, and what it started is "
                      "not recorded");
}

static void take_record(const struct file *f, const struct record_of *one)
{
    const struct trace_record *r = one->record;
    struct lane *lane = &model.lanes[one->lane];
    const double began = time_of(f, r->began), ended = time_of(f, r->ended);
    struct endpoint *e;

    switch (r->call) {
    case NOTE_NAME:
        snprintf(lane->name, sizeof lane->name, "%.*s", (int)sizeof r->text,
                 r->text);
        make_printable(lane->name);
        break;
    case NOTE_LOCAL:
        e = endpoint_of(r->fd, one->lane, began);
        if (e)
            write_address(r, e->local, sizeof e->local, &e->local_port);
        break;
    case NOTE_PEER:
        e = endpoint_of(r->fd, one->lane, began);
        if (e)
            write_address(r, e->peer, sizeof e->peer, &e->peer_port);
        break;
    case NOTE_EXIT:
        lane->exited = true;
        lane->ended = ended;
        lane->cpu = r->inside == UINT64_MAX ? -1 : (double)r->inside / 1e6;
        break;
    case NOTE_THREAD:
        lane->ended = ended;
        break;
    case NOTE_FILTER:
        tell_filter(lane, r->result != 0);
        break;
    case NOTE_REAPED:
        note_reaped(r->fd, r->result, ended);
        break;
    case NOTE_SAME:
        copy_descriptor(r->result, r->fd, ended);
        break;
    default:
        e = learn(r, one->lane, began, ended);
        add_span(lane, &(struct span){
                           .began = began,
                           .ended = ended,
                           .inside = (double)r->inside * f->ns_of_tick / 1e9,
                           .about = e,
                           .result = r->result,
                           .asked = r->asked,
                           .more = r->more,
                           .times = r->times,
                           .fd = r->fd,
                           .error = r->error,
                           .call = r->call,
                           .flags = r->flags,
                           .unfinished = r->flags & FLAG_UNFINISHED,
                       });
    }
}

/* --- Lanes ---------------------------------------------------------------- */

/* An image is identified by the number of its first lane. */
static void add_lane(const struct block_of *b, size_t image)
{
    static size_t room;
    const size_t number = model.lane_count++;

    model.lanes = grown(model.lanes, number, &room, sizeof *model.lanes);
    model.lanes[number] = (struct lane){
        .image = image,
        .pid = b->block->pid,
        .tid = b->block->tid,
        .began = time_of(b->file, b->block->image),
        .ended = -1,
        .cpu = -1,
    };
}

/* Add the call from which a thread never returned, if there is one. */
static void take_unfinished(const struct block_of *b, size_t at)
{
    const uint64_t began = atomic_load(&b->block->inside);
    struct lane *lane = &model.lanes[at];
    const int call = b->block->inside_call;

    if (b->block->moved || began == 0 || lane->exited || call <= CALL_none ||
        call >= CALLS || !is_time(b->file, began))
        return;
    add_span(lane, &(struct span){
                       .began = time_of(b->file, began),
                       .ended = -1,
                       .about = *open_end(b->block->inside_fd),
                       .asked = b->block->inside_asked,
                       .more = b->block->inside_more,
                       .times = 1,
                       .fd = b->block->inside_fd,
                       .call = (uint8_t)call,
                       .unfinished = true,
                   });
}

/* The threads of an image share its name, and end with it at the latest. */
static void share_among_threads(size_t first)
{
    const struct lane *named = NULL, *exited = NULL;

    for (size_t i = first; i < model.lane_count; i++) {
        const struct lane *lane = &model.lanes[i];

        if (lane->name[0] && !named)
            named = lane;
        if (lane->exited && !exited)
            exited = lane;
    }
    for (size_t i = first; i < model.lane_count; i++) {
        struct lane *lane = &model.lanes[i];

        if (named && !lane->name[0])
            memcpy(lane->name, named->name, sizeof lane->name);
        if (exited && !lane->exited && lane->ended < 0)
            lane->ended = exited->ended;
        if (lane->tid != lane->pid && lane->span_count)
            lane->began = lane->spans[0].began;
    }
}

/* Read all threads of one image: the blocks from first up to, but not
 * including, end. */
static void read_image(size_t first, size_t end)
{
    const size_t first_lane = model.lane_count;
    size_t lane;

    record_count = 0;
    forget_open_ends();
    for (size_t i = first; i < end; i++) {
        if (i == first || !same_thread(&blocks[i - 1], &blocks[i]))
            add_lane(&blocks[i], first_lane);
        collect(&blocks[i], model.lane_count - 1);
        model.lanes[model.lane_count - 1].lost += blocks[i].block->lost;
    }
    put_in_order();
    for (size_t i = 0; i < record_count; i++)
        take_record(blocks[first].file, &records[i]);
    lane = first_lane;
    for (size_t i = first; i < end; i++) {
        lane += i > first && !same_thread(&blocks[i - 1], &blocks[i]);
        take_unfinished(&blocks[i], lane);
    }
    share_among_threads(first_lane);
}

/* --- When lanes end ------------------------------------------------------- */

/* The numbers of all lanes, sorted by process and start. */
static size_t *by_process;

static const struct lane *image_of(size_t lane)
{
    return &model.lanes[model.lanes[lane].image];
}

static int in_process_order(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const struct lane *x = image_of(i);
    const struct lane *y = image_of(k);

    const int pid = ORDER(x->pid, y->pid), began = ORDER(x->began, y->began);

    return pid ? pid : began ? began : ORDER(i, k);
}

/* The first place in that order with a later image of this process, or with
 * another process. */
static size_t place_behind(int pid, double when)
{
    size_t low = 0, high = model.lane_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const struct lane *image = image_of(by_process[middle]);

        if (image->pid < pid || (image->pid == pid && image->began <= when))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Mark a process as killed: all threads of its latest image that had begun by
 * then. */
static void mark_killed(const struct end *end)
{
    const size_t behind = place_behind(end->pid, end->when);

    for (size_t i = behind; i-- > 0;) {
        struct lane *lane = &model.lanes[by_process[i]];

        if (lane->pid != end->pid ||
            lane->image != model.lanes[by_process[behind - 1]].image)
            return;
        if (lane->exited)
            return;
        if (lane->ended < 0) {
            lane->ended = end->when;
            lane->killed_by = WTERMSIG(end->status);
        }
    }
}

/* The latest end that is known. */
static double latest_end(const struct file *files, size_t count_of_files)
{
    double latest = 0;

    for (size_t i = 0; i < model.lane_count; i++) {
        const struct lane *lane = &model.lanes[i];

        latest = fmax(latest, lane->ended);
        for (size_t s = 0; s < lane->span_count; s++)
            latest = fmax(latest, lane->spans[s].ended);
    }
    for (size_t i = 0; i < count_of_files; i++)
        if (files[i].last_tick && is_time(&files[i], files[i].last_tick))
            latest = fmax(latest, time_of(&files[i], files[i].last_tick));
    return latest;
}

/* A call that never returned lasts until its thread ends; and no thread ends
 * before its last call. */
static void end_spans(struct lane *lane)
{
    for (size_t s = 0; s < lane->span_count; s++) {
        struct span *span = &lane->spans[s];

        if (span->ended < 0) {
            span->ended = fmax(lane->ended, span->began);
            span->inside = span->ended - span->began;
            lane->tally[span->call].inside += span->inside;
            lane->tally[span->call].blocked += span->inside;
        }
        lane->ended = fmax(lane->ended, span->ended);
    }
}

static double clock_now(clockid_t clock)
{
    struct timespec t;

    return clock_gettime(clock, &t) == 0
               ? (double)t.tv_sec + (double)t.tv_nsec / 1e9
               : 0;
}

/* Is the process still running, and is it not a later one with the same pid?
 * proc(5) has the start of a process, in ticks since boot. */
static bool still_runs(int pid, double began)
{
    const double asleep =
        clock_now(CLOCK_BOOTTIME) - clock_now(CLOCK_MONOTONIC);
    char path[64], text[1024], *rest, state;
    unsigned long long start = 0;
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return false;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    rest = strrchr(text, ')'); /* after the name, which may hold any bytes */
    if (!rest || !rest[1])
        return false;
    state = rest[2];
    for (int field = 3; rest && field <= 22; field++)
        rest = strchr(rest + 1, ' ');
    if (rest)
        start = strtoull(rest, NULL, 10);
    return state != 'Z' &&
           (double)start / (double)sysconf(_SC_CLK_TCK) - asleep <= began;
}

/* End the lanes whose end was not recorded: at the next exec of the same
 * process; or now, if it still runs; or when the recording ended. */
static void end_lanes(const struct file *files, size_t count_of_files)
{
    const double latest = latest_end(files, count_of_files);

    by_process = enlarged(NULL, model.lane_count + 1, sizeof *by_process);
    for (size_t i = 0; i < model.lane_count; i++)
        by_process[i] = i;
    sort(by_process, model.lane_count, sizeof *by_process, in_process_order);
    for (size_t i = 0; i < reaped_count; i++)
        mark_killed(&reaped[i]);
    for (size_t i = 0; i < model.lane_count; i++) {
        struct lane *lane = &model.lanes[i];
        const struct lane *image = image_of(i);

        if (lane->ended < 0) {
            const size_t next = place_behind(lane->pid, image->began);

            lane->ended = still_runs(lane->pid, image->began)
                              ? clock_now(CLOCK_MONOTONIC)
                              : latest;
            if (next < model.lane_count &&
                model.lanes[by_process[next]].pid == lane->pid)
                lane->ended = image_of(by_process[next])->began;
        }
        end_spans(lane);
    }
    free(by_process);
}

/* --- The model ------------------------------------------------------------ */

/* Compare two lanes by their start. */
static int by_begin(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const struct lane *x = &model.lanes[i], *y = &model.lanes[k];
    const int began = ORDER(x->began, y->began), tid = ORDER(x->tid, y->tid);

    return began ? began : tid ? tid : ORDER(i, k);
}

/* Compare two lanes by name, then by their order. */
static int by_name(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const int order = strcmp(model.lanes[i].name, model.lanes[k].name);

    return order ? order : ORDER(i, k);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* "sh", "sh 2", "sh 3", unless a program already has that name. */
static void name_lanes(void)
{
    const size_t count = model.lane_count;
    size_t *order = enlarged(NULL, count + 1, sizeof *order);
    char(*names)[sizeof model.lanes->name] =
        enlarged(NULL, count + 1, sizeof *names);
    int same = 1;

    for (size_t i = 0; i < count; i++) {
        struct lane *lane = &model.lanes[i];

        if (!lane->name[0])
            snprintf(lane->name, sizeof lane->name, "%d", lane->pid);
        order[i] = i;
    }
    sort(order, count, sizeof *order, by_name);
    for (size_t i = 0; i < count; i++)
        memcpy(names[i], model.lanes[order[i]].name, sizeof *names);
    for (size_t i = 1; i < count; i++) {
        char *name = model.lanes[order[i]].name;

        if (strcmp(names[i - 1], names[i]) != 0) {
            same = 1;
            continue;
        }
        do
            snprintf(name, sizeof *names, "%.36s %d", names[i], ++same);
        while (bsearch(name, names, count, sizeof *names, by_text));
    }
    free(names);
    free(order);
}

/* Lanes without sockets, such as those of a shell or of sleep(1), are of no
 * interest unless there are no others. */
static bool touches_sockets(const struct lane *lane)
{
    for (size_t i = 0; i < lane->span_count; i++)
        if (lane->spans[i].about)
            return true;
    return false;
}

/* Choose the lanes to show, sort them by their start, give them unique names,
 * and let time 0 be the start of the first. */
static void settle_lanes(void)
{
    size_t *chosen = enlarged(NULL, model.lane_count + 1, sizeof *chosen);
    bool *owns = enlarged(NULL, model.lane_count + 1, sizeof *owns);
    size_t count = 0;

    memset(owns, 0, model.lane_count * sizeof *owns);
    for (size_t i = 0; i < model.endpoint_count; i++)
        owns[model.endpoints[i]->lane] = true;
    for (size_t i = 0; i < model.lane_count; i++)
        if (model.endpoint_count ? owns[i] || touches_sockets(&model.lanes[i])
                                 : model.lanes[i].span_count > 0)
            chosen[count++] = i;
    sort(chosen, count, sizeof *chosen, by_begin);
    choose_lanes(&model, chosen, count);
    free(chosen);
    free(owns);
    for (size_t i = 0; i < model.endpoint_count; i++) {
        struct endpoint *e = model.endpoints[i];

        if (e->closed < 0)
            e->closed = model.lanes[e->lane].ended;
    }
    for (size_t i = 0; i < count; i++)
        model.length = fmax(model.length, model.lanes[i].ended);
    begin_later(&model, count ? model.lanes[0].began : 0);
    name_lanes();
}

/* Say how many calls are missing: a picture does not show it. */
static void tell_lost(const struct file *f)
{
    unsigned long long lost = atomic_load(&f->header->lost);

    for (size_t i = 0; i < block_count; i++)
        if (blocks[i].file == f)
            lost += blocks[i].block->lost;
    if (lost > 0)
        fprintf(stderr,
                "%s: %s calls are not in %s: it was as large as it may be "
                "(scripts/trace --limit), or could not be written to\n",
                program_name(), grouped(lost), f->name);
}

static const char *command_of(const struct trace_header *header)
{
    static char command[sizeof header->command + 1];

    memcpy(command, header->command, sizeof header->command);
    make_printable(command);
    return command;
}

struct model *read_traces(char **names)
{
    size_t file_count = 0;
    struct file *files;

    while (names[file_count])
        file_count++;
    files = enlarged(NULL, file_count + 1, sizeof *files);
    memset(files, 0, (file_count + 1) * sizeof *files);
    for (size_t i = 0; i < file_count; i++) {
        open_file(&files[i], names[i]);
        find_blocks(&files[i]);
    }
    sort(blocks, block_count, sizeof *blocks, by_image);
    drop_copies();
    for (size_t i = 0; i < file_count; i++)
        tell_lost(&files[i]);
    for (size_t first = 0, end; first < block_count; first = end) {
        end = first + 1;
        while (end < block_count && same_image(&blocks[first], &blocks[end]))
            end++;
        read_image(first, end);
    }
    end_lanes(files, file_count);
    settle_lanes();
    model.command = command_of(files[0].header);
    join_ends(&model);
    for (size_t i = 0; i < window_copy_count; i++)
        free(window_copies[i]);
    free(window_copies);
    free(blocks);
    free(records);
    free(files);
    return &model;
}
