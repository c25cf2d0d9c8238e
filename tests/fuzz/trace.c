/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the traces that scripts/timeline reads. The input is a trace.
 * Whatever is in it, each way to draw it ends, with status 0 or 1. A process
 * reads only one set of traces: so each input has a process of its own.
 */
#define _GNU_SOURCE
#include "error.h"
#include "fuzz.h"

#include "../../scripts/tracer/draw/draw.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void draw_all(int fd)
{
    static char name[32];
    char *names[] = {name, NULL};
    FILE *nowhere = fopen("/dev/null", "w");
    struct view view = {.columns = 80, .title = ""};

    log_level = LEVEL_ERROR;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);

    struct model *model = read_traces(names);

    MUST(nowhere);
    view.to = model->length;
    if (model->lane_count == 0 || view.to <= 0)
        return;
    draw_list(model, &view, nowhere);
    draw_terminal(model, &view, nowhere);
    draw_svg(model, &view, nowhere);
    draw_perfetto(model, &view, nowhere);
    _exit(0);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most,
                               unsigned seed);

/* Most of a trace is empty: so change bytes that are not 0, or cut it. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most,
                               unsigned seed)
{
    (void)most;
    for (unsigned change = seed % 8 + 1; size > 0 && change-- > 0;) {
        size_t place;
        int tries = 0;

        do {
            seed = seed * 1664525 + 1013904223;
            place = (seed >> 8) % size;
        } while (bytes[place] == 0 && ++tries < 100);
        seed = seed * 1664525 + 1013904223;
        if (seed >> 26 == 0)
            size = place + 1;
        else if (seed >> 31 == 0)
            bytes[place] ^= (uint8_t)(1U << (seed >> 24) % 8);
        else
            bytes[place] = (uint8_t)(seed >> 16);
    }
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const int fd = memfd_create("trace", 0);
    int status = 0;

    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);

    const pid_t pid = fork();

    if (pid == 0) {
        /* Ended by the signal if it hangs, and with the fuzzer. */
        signal(SIGALRM, SIG_DFL);
        alarm(20);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ENDING(draw_all(fd));
        _exit(1);
    }
    MUST(pid > 0);
    while (waitpid(pid, &status, 0) < 0) /* libFuzzer has an alarm, too */
        MUST(errno == EINTR);
    /* A sanitizer ends it with another status (fuzz.bats). */
    MUST(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    close(fd);
    return 0;
}
