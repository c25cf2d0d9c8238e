/* SPDX-License-Identifier: MIT */
/*
 * read - reads traces and makes a model of them.
 *
 * This is C and no awk for its size: a trace of 100 MB has two million records,
 * which are mapped, checked, and turned into spans in about a second. awk would
 * take a minute for that, and most of it to make text of numbers and numbers of
 * text.
 */
#define _GNU_SOURCE
#include "model.h"

#include "error.h"
#include "program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Files and blocks ------------------------------------------------------
 */

/* One trace, and how its ticks become time. */
struct file {
    const char *name;
    const struct trace_header *header;
    size_t size;
    uint64_t first_tick, last_tick; /* last: 0 as long as it is recorded */
    int64_t first_ns;
    double ns_of_tick;
};

/* All blocks of one thread, in the order in which they were written. */
struct block_of {
    const struct file *file;
    const struct trace_block *block;
    size_t place;
};

static struct model model = {.complete = true};

static void damaged(const char *file, const char *what)
{
    fprintf(stderr, "%s: %s is damaged: %s; this is the rest of it\n",
            program_name(), file, what);
    model.complete = false;
}

/* The later of the two moments gives the rate, unless it is too near to the
 * first for that. */
static void learn_the_rate(struct file *f)
{
    const struct trace_header *h = f->header;
    const uint64_t latest = atomic_load(&h->latest_tick);
    const double apart = (double)(atomic_load(&h->latest_ns) - h->first.ns);

    f->first_tick = h->first.tick;
    f->first_ns = h->first.ns;
    f->ns_of_tick = h->ns_of_tick;
    if (latest > h->first.tick && apart > 20e6)
        f->ns_of_tick = apart / (double)(latest - h->first.tick);
    if (atomic_load(&h->running) <= 0)
        f->last_tick = atomic_load(&h->ended);
}

static void open_file(struct file *f, const char *name)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat is;
    void *map;

    if (fd == -1 || fstat(fd, &is) == -1)
        die("cannot read the trace %s", name);
    if (!S_ISREG(is.st_mode) || is.st_size < (off_t)sizeof *f->header)
        die_because(0, "%s is no trace: it is %s", name,
                    S_ISREG(is.st_mode) ? "too short" : "no file");
    map = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die("cannot map the trace %s", name);
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
    if (f->size < atomic_load(&f->header->size))
        damaged(name, "it is cut off");
}

/* Images in the order in which they began; of one, thread by thread: what was
 * moved away first, and then the window, which is the lowest. */
static int by_image(const void *a, const void *b)
{
    const struct block_of *x = a, *y = b;

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->block->image != y->block->image)
        return x->block->image < y->block->image ? -1 : 1;
    if (x->block->pid != y->block->pid)
        return x->block->pid < y->block->pid ? -1 : 1;
    if (x->block->tid != y->block->tid)
        return x->block->tid < y->block->tid ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static bool same_image(const struct block_of *a, const struct block_of *b)
{
    return a->file == b->file && a->block->image == b->block->image &&
           a->block->pid == b->block->pid;
}

static struct block_of *blocks;
static size_t block_count, block_room;

static void find_blocks(const struct file *f)
{
    for (size_t at = TRACE_BEGIN; at + TRACE_BLOCK <= f->size;
         at += TRACE_BLOCK) {
        const struct trace_block *b =
            (const void *)((const char *)f->header + at);

        if (b->magic != TRACE_MAGIC)
            continue;
        if (atomic_load(&b->count) > BLOCK_RECORDS) {
            damaged(f->name, "a block holds more than it can");
            continue;
        }
        if (block_count == block_room) {
            block_room = block_room ? 2 * block_room : 64;
            blocks = enlarged(blocks, block_room, sizeof *blocks);
        }
        blocks[block_count++] = (struct block_of){f, b, at};
    }
}

/* --- The records of one image, in the order of time ------------------------
 */

struct record_of {
    const struct trace_record *record;
    size_t lane, order;
};

static struct record_of *records;
static size_t record_count, record_room;

static int by_time(const void *a, const void *b)
{
    const struct record_of *x = a, *y = b;

    if (x->record->began != y->record->began)
        return x->record->began < y->record->began ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool makes_sense(const struct trace_record *r)
{
    if (r->ended < r->began)
        return false;
    if (r->call >= NOTE_NAME)
        return r->call <= NOTE_REAPED;
    return r->call > CALL_none && r->call < CALLS && r->times > 0;
}

/* Most often they are in order already: only the calls of a signal's handler,
 * and several threads, make it otherwise. */
static void collect(const struct block_of *b, size_t lane)
{
    const size_t count = (size_t)atomic_load(&b->block->count);

    if (record_count + count > record_room) {
        record_room = 2 * (record_count + count);
        records = enlarged(records, record_room, sizeof *records);
    }
    for (size_t i = 0; i < count; i++) {
        const struct trace_record *r = &b->block->records[i];

        if (!makes_sense(r)) {
            damaged(b->file->name, "a record makes no sense");
            return;
        }
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

/* --- Endpoints -------------------------------------------------------------
 */

/* What each descriptor of this image is just now. */
static struct endpoint **open_ends;
static size_t open_room;

static struct endpoint **open_end(int fd)
{
    const size_t at = fd < 0 ? 0 : (size_t)fd + 1; /* place 0 stays empty */

    if (at >= open_room) {
        const size_t room = at + 64;

        open_ends = enlarged(open_ends, room, sizeof *open_ends);
        memset(open_ends + open_room, 0,
               (room - open_room) * sizeof *open_ends);
        open_room = room;
    }
    return &open_ends[at];
}

static void closes(int fd, double when)
{
    struct endpoint **e = open_end(fd);

    if (*e)
        (*e)->closed = when;
    *e = NULL;
}

static struct endpoint *opens(int fd, size_t lane, double when)
{
    static size_t room;
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
    if (model.endpoint_count == room) {
        room = room ? 2 * room : 64;
        model.endpoints =
            enlarged(model.endpoints, room, sizeof(struct endpoint *));
    }
    model.endpoints[model.endpoint_count++] = e;
    if (fd >= 0)
        *open_end(fd) = e;
    return e;
}

/* The one that a call is about; it may have come from the parent, unseen. */
static struct endpoint *known(int fd, size_t lane, double when)
{
    struct endpoint *e = *open_end(fd);

    return e || fd < 0 ? e : opens(fd, lane, when);
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
    for (char *c = text; *c; c++) /* a path may hold anything */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

/* --- Spans -----------------------------------------------------------------
 */

static double time_of(const struct file *f, uint64_t tick)
{
    return ((double)f->first_ns +
            (double)(int64_t)(tick - f->first_tick) * f->ns_of_tick) /
           1e9;
}

/* One more span on a lane, which grows by doubling. */
static void new_span(struct lane *lane, const struct span *s)
{
    if (lane->span_count == lane->room) {
        lane->room = lane->room ? 2 * lane->room : 16;
        lane->spans = enlarged(lane->spans, lane->room, sizeof *lane->spans);
    }
    add_span(lane, s);
}

/* What a call tells about its descriptor, and about a new one. */
static struct endpoint *learn(const struct trace_record *r, size_t lane,
                              double began, double ended)
{
    struct endpoint *e = *open_end(r->fd);

    switch (r->call) {
    case CALL_socket:
        if (r->result >= 0) {
            e = opens(r->result, lane, ended);
            e->datagram = (r->asked & 0xf) == 2; /* SOCK_DGRAM, on Linux */
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
        e = known(r->fd, lane, began);
        e->listening = true;
        if (r->result >= 0)
            opens(r->result, lane, ended);
        break;
    case CALL_listen:
        e = known(r->fd, lane, began);
        e->listening = true;
        break;
    case CALL_close:
        closes(r->fd, ended);
        break;
    case CALL_bind:
    case CALL_connect:
    case CALL_send:
    case CALL_sendto:
    case CALL_sendmsg:
    case CALL_recv:
    case CALL_recvfrom:
    case CALL_recvmsg:
    case CALL_shutdown:
    case CALL_setsockopt:
        e = known(r->fd, lane, began);
        break;
    default:
        break;
    }
    if (e && (r->flags & FLAG_DATAGRAM))
        e->datagram = true;
    return e;
}

/* Who was killed, and when: told when all lanes are there. */
struct end {
    int pid, status;
    double when;
};
static struct end *reaped;
static size_t reaped_count;

/* pid was killed: the latest of its images that had begun by then. */
static void killed(int pid, double when, int status)
{
    struct lane *latest = NULL;

    for (size_t i = 0; i < model.lane_count; i++)
        if (model.lanes[i].pid == pid && model.lanes[i].began <= when)
            latest = &model.lanes[i];
    if (latest && !latest->exited) {
        latest->ended = when;
        latest->killed_by = WTERMSIG(status);
    }
}

static void take(const struct file *f, const struct record_of *one)
{
    const struct trace_record *r = one->record;
    struct lane *lane = &model.lanes[one->lane];
    const double began = time_of(f, r->began), ended = time_of(f, r->ended);
    struct endpoint *e;

    switch (r->call) {
    case NOTE_NAME:
        snprintf(lane->name, sizeof lane->name, "%.*s", (int)sizeof r->text,
                 r->text);
        break;
    case NOTE_LOCAL:
        e = known(r->fd, one->lane, began);
        write_address(r, e->local, sizeof e->local, &e->local_port);
        break;
    case NOTE_PEER:
        e = known(r->fd, one->lane, began);
        write_address(r, e->peer, sizeof e->peer, &e->peer_port);
        break;
    case NOTE_EXIT:
        lane->exited = true;
        lane->ended = ended;
        lane->cpu = r->result / 1e6;
        break;
    case NOTE_REAPED:
        reaped = enlarged(reaped, reaped_count + 1, sizeof *reaped);
        reaped[reaped_count++] = (struct end){r->fd, r->result, ended};
        break;
    default:
        e = learn(r, one->lane, began, ended);
        new_span(lane, &(struct span){
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
                       });
    }
}

/* --- Lanes -----------------------------------------------------------------
 */

static size_t add_lane(const struct block_of *b)
{
    static size_t room;
    struct lane *lane;

    if (model.lane_count == room) {
        room = room ? 2 * room : 16;
        model.lanes = enlarged(model.lanes, room, sizeof *model.lanes);
    }
    lane = &model.lanes[model.lane_count];
    *lane = (struct lane){
        .pid = b->block->pid,
        .tid = b->block->tid,
        .parent = b->block->parent,
        .began = time_of(b->file, b->block->image),
        .ended = -1,
        .cpu = -1,
    };
    return model.lane_count++;
}

/* The call that a thread never came back from, if there was one. */
static void take_unfinished(const struct block_of *b, size_t at)
{
    const uint64_t began = atomic_load(&b->block->inside);
    struct lane *lane = &model.lanes[at];
    const int call = b->block->inside_call;

    if (began == 0 || lane->exited || call <= CALL_none || call >= CALLS)
        return;
    new_span(lane, &(struct span){
                       .began = time_of(b->file, began),
                       .ended = -1,
                       .about = *open_end(b->block->inside_fd),
                       .times = 1,
                       .fd = b->block->inside_fd,
                       .call = (uint8_t)call,
                       .unfinished = true,
                   });
}

/* The threads of an image have one name, and end with it. */
static void share_among_threads(size_t first)
{
    for (size_t i = first; i < model.lane_count; i++)
        for (size_t k = first; k < model.lane_count; k++) {
            struct lane *from = &model.lanes[i], *to = &model.lanes[k];

            if (from->name[0] && !to->name[0])
                memcpy(to->name, from->name, sizeof to->name);
            if (from->exited && !to->exited)
                to->ended = from->ended;
            if (to->tid != to->pid && to->span_count)
                to->began = to->spans[0].began;
        }
}

/* All threads of one image: blocks from first up to, not including, end. */
static void read_image(size_t first, size_t end)
{
    const size_t first_lane = model.lane_count;
    size_t *windows = enlarged(NULL, end - first, sizeof *windows);

    record_count = 0;
    if (open_ends)
        memset(open_ends, 0, open_room * sizeof *open_ends);
    /* The window of a thread is the first of its blocks, and its latest. */
    for (size_t i = first; i < end;) {
        const size_t lane = add_lane(&blocks[i]), window = i;

        windows[lane - first_lane] = window;
        for (i++; i < end && blocks[i].block->tid == blocks[window].block->tid;
             i++) {
            collect(&blocks[i], lane);
            model.lanes[lane].lost += blocks[i].block->lost;
        }
        collect(&blocks[window], lane);
        model.lanes[lane].lost += blocks[window].block->lost;
    }
    put_in_order();
    for (size_t i = 0; i < record_count; i++)
        take(blocks[first].file, &records[i]);
    for (size_t lane = first_lane; lane < model.lane_count; lane++)
        take_unfinished(&blocks[windows[lane - first_lane]], lane);
    free(windows);
    share_among_threads(first_lane);
}

/* Those that are not known to have ended: at the next exec of the same
 * process, or when the recording did. */
static void end_lanes(const struct file *files, size_t count_of_files)
{
    double latest = 0;

    for (size_t i = 0; i < model.lane_count; i++) {
        const struct lane *lane = &model.lanes[i];

        if (lane->ended > latest)
            latest = lane->ended;
        for (size_t s = 0; s < lane->span_count; s++)
            if (lane->spans[s].ended > latest)
                latest = lane->spans[s].ended;
    }
    for (size_t i = 0; i < count_of_files; i++)
        if (files[i].last_tick &&
            time_of(&files[i], files[i].last_tick) > latest)
            latest = time_of(&files[i], files[i].last_tick);
    for (size_t i = 0; i < model.lane_count; i++) {
        struct lane *lane = &model.lanes[i];

        if (lane->ended < 0) {
            lane->ended = latest;
            for (size_t k = i + 1; k < model.lane_count; k++)
                if (model.lanes[k].pid == lane->pid &&
                    model.lanes[k].began > lane->began) {
                    lane->ended = model.lanes[k].began;
                    break;
                }
        }
        for (size_t s = 0; s < lane->span_count; s++) {
            struct span *span = &lane->spans[s];

            if (span->unfinished) {
                span->ended =
                    lane->ended > span->began ? lane->ended : span->began;
                span->inside = span->ended - span->began;
                lane->tally[span->call].inside += span->inside;
                lane->tally[span->call].blocked += span->inside;
            }
            if (span->ended > lane->ended)
                lane->ended = span->ended;
        }
    }
}

/* Those with something to show, in the order in which they began, with names
 * that are different, and the first of them at 0. */
static int by_begin(const void *a, const void *b)
{
    const struct lane *x = a, *y = b;

    if (x->began != y->began)
        return x->began < y->began ? -1 : 1;
    return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void name_lanes(void)
{
    for (size_t i = 0; i < model.lane_count; i++) {
        struct lane *lane = &model.lanes[i];
        char plain[sizeof lane->name];
        int same = 1;

        if (!lane->name[0])
            snprintf(lane->name, sizeof lane->name, "%d", lane->pid);
        memcpy(plain, lane->name, sizeof plain);
        for (size_t k = 0; k < i; k++)
            if (strcmp(model.lanes[k].name, lane->name) == 0) {
                snprintf(lane->name, sizeof lane->name, "%.36s %d", plain,
                         ++same);
                k = (size_t)-1; /* look again from the first */
            }
    }
}

/* A shell waits for its programs, and sleep(1) sleeps: nothing to look at,
 * unless there is nothing else. */
static bool touches_sockets(const struct lane *lane)
{
    for (size_t i = 0; i < lane->span_count; i++)
        if (lane->spans[i].about)
            return true;
    return false;
}

static void settle_lanes(void)
{
    struct lane *lanes = enlarged(NULL, model.lane_count, sizeof *lanes);
    double began = 0;
    size_t kept = 0;

    bool any = false;

    for (size_t i = 0; i < model.lane_count; i++)
        any = any || touches_sockets(&model.lanes[i]);
    for (size_t i = 0; i < model.lane_count; i++)
        if (any ? touches_sockets(&model.lanes[i])
                : model.lanes[i].span_count > 0) {
            /* Its endpoints remember it by its number. */
            model.lanes[i].number = i;
            lanes[kept++] = model.lanes[i];
        }
    qsort(lanes, kept, sizeof *lanes, by_begin);
    began = kept ? lanes[0].began : 0;
    for (size_t i = 0; i < model.endpoint_count; i++) {
        struct endpoint *e = model.endpoints[i];

        for (size_t k = 0; k < kept; k++)
            if (lanes[k].number == e->lane) {
                if (e->closed < 0)
                    e->closed = lanes[k].ended;
                e->lane = k;
                break;
            }
        e->opened -= began;
        e->closed -= began;
    }
    free(model.lanes);
    model.lanes = lanes;
    model.lane_count = kept;
    for (size_t i = 0; i < kept; i++) {
        struct lane *lane = &lanes[i];

        lane->number = i;
        lane->began -= began;
        lane->ended -= began;
        if (lane->ended > model.length)
            model.length = lane->ended;
        for (size_t k = 0; k < lane->span_count; k++) {
            lane->spans[k].began -= began;
            lane->spans[k].ended -= began;
        }
    }
    name_lanes();
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
    qsort(blocks, block_count, sizeof *blocks, by_image);
    for (size_t first = 0, end; first < block_count; first = end) {
        for (end = first + 1;
             end < block_count && same_image(&blocks[first], &blocks[end]);
             end++)
            continue;
        read_image(first, end);
    }
    for (size_t i = 0; i < reaped_count; i++)
        killed(reaped[i].pid, reaped[i].when, reaped[i].status);
    end_lanes(files, file_count);
    settle_lanes();
    if (file_count > 0)
        model.command = files[0].header->command;
    join_ends(&model);
    free(blocks);
    free(records);
    free(files);
    return &model;
}
