/* SPDX-License-Identifier: MIT */
#include "trace_writer.h"

#include "../tracer/trace_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

static FILE *file;
static struct trace_header header;
static struct trace_block block;
static uint64_t used;
static int processes;

static const char *const names[] = {"",
#define CALL(name, kind) #name,
                                    EACH_CALL(CALL)
#undef CALL
};

static int number_of(const char *name)
{
    for (int i = 1; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return CALL_none;
}

/* A full block, or the last one of a process. Only the last one has a call that
 * never returned. */
static void write_block(void)
{
    if (block.magic == 0)
        return;
    fwrite(&block, sizeof block, 1, file);
    used += TRACE_BLOCK;
    block.serial++;
    block.lost = 0;
    memset(block.records, 0, sizeof block.records);
    atomic_store(&block.count, 0);
}

static struct trace_record *next_record(int64_t began, int64_t ended)
{
    uint64_t count = atomic_load(&block.count);

    if (count == BLOCK_RECORDS) {
        write_block();
        count = 0;
    }
    atomic_store(&block.count, count + 1);
    block.records[count].began = (uint64_t)began;
    block.records[count].ended = (uint64_t)ended;
    return &block.records[count];
}

bool begin_trace(const char *path, const char *command, int64_t began)
{
    static const char nothing[TRACE_BEGIN - sizeof header];

    file = fopen(path, "w");
    if (!file)
        return false;
    header = (struct trace_header){
        .magic = "wbtrace",
        .version = TRACE_VERSION,
        .block = TRACE_BLOCK,
        .clock = CLOCK_OF_NANOSECONDS,
        .ns_of_tick = 1,
        .first = {.tick = (uint64_t)began, .ns = began},
    };
    snprintf(header.command, sizeof header.command, "%s", command);
    used = TRACE_BEGIN;
    return fwrite(&header, sizeof header, 1, file) == 1 &&
           fwrite(nothing, sizeof nothing, 1, file) == 1;
}

void begin_traced(const char *name, int64_t began)
{
    struct trace_record *r;

    write_block();
    /* No process has such a number, so none can be taken for it. */
    block = (struct trace_block){.magic = TRACE_MAGIC,
                                 .pid = 0x40000000 + processes,
                                 .tid = 0x40000000 + processes,
                                 .image = (uint64_t)began};
    processes++;
    r = next_record(began, began);
    r->call = NOTE_NAME;
    for (size_t i = 0; i < sizeof r->text && name[i]; i++)
        r->text[i] = name[i];
}

static int32_t within(int64_t value)
{
    return value > INT32_MAX   ? INT32_MAX
           : value < INT32_MIN ? INT32_MIN
                               : (int32_t)value;
}

void trace_call(const struct traced_call *c)
{
    const int call = number_of(c->name);
    struct trace_record *r;

    if (call == CALL_none)
        return;
    if (c->ended == 0) {
        atomic_store(&block.inside, (uint64_t)c->began);
        block.inside_fd = c->fd;
        block.inside_call = call;
        block.inside_asked = within(c->asked);
        block.inside_more = within(c->more);
        return;
    }
    r = next_record(c->began, c->ended);
    r->call = (uint8_t)call;
    r->inside = (uint64_t)c->inside;
    r->times = c->times > UINT32_MAX ? UINT32_MAX : (uint32_t)c->times;
    r->asked = within(c->asked);
    r->more = within(c->more);
    r->result = within(c->result);
    r->error = (int16_t)c->error;
    r->fd = c->fd;
    r->flags = c->never_waits ? FLAG_NONBLOCKING : 0;
}

void trace_port(int fd, bool of_peer, unsigned port, int64_t when)
{
    struct trace_record *r = next_record(when, when);

    r->call = of_peer ? NOTE_PEER : NOTE_LOCAL;
    r->fd = fd;
    r->family = AF_INET;
    r->port = (uint16_t)port;
    inet_pton(AF_INET, "127.0.0.1", r->address);
}

void trace_lost(uint64_t calls)
{
    block.lost = calls;
}

void trace_exit(int64_t when)
{
    struct trace_record *r = next_record(when, when);

    r->call = NOTE_EXIT;
    r->inside = UINT64_MAX; /* its processor time is not known here */
}

void trace_killed(int64_t when, int signal_number)
{
    struct trace_record *r = next_record(when, when);

    r->call = NOTE_REAPED;
    r->fd = block.pid;
    r->result = signal_number;
}

bool end_trace(int64_t ended)
{
    write_block();
    atomic_store(&header.size, used);
    atomic_store(&header.latest_tick, (uint64_t)ended);
    atomic_store(&header.latest_ns, ended);
    atomic_store(&header.ended, (uint64_t)ended);
    rewind(file);
    fwrite(&header, sizeof header, 1, file);
    return fclose(file) == 0;
}
