/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share (https://llvm.org/docs/LibFuzzer.html).
 * Each target is a C file of this folder; tests/fuzz.bats builds and runs it.
 */
#ifndef WOULDBLOCK_FUZZ_H
#define WOULDBLOCK_FUZZ_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Many functions end the program with a message: that is a good end as well.
 * The linker replaces exit by __wrap_exit (ld(1), --wrap). */
static jmp_buf ended;
static int may_end;

void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status)
{
    if (may_end)
        longjmp(ended, 1);
    __real_exit(status);
}

/* ENDING(call): make a call that may end the program. */
#define ENDING(call)                                                           \
    do {                                                                       \
        may_end = 1;                                                           \
        if (setjmp(ended) == 0) {                                              \
            call;                                                              \
        }                                                                      \
        may_end = 0;                                                           \
    } while (0)

/* A property that must hold. */
#define MUST(condition)                                                        \
    do {                                                                       \
        if (!(condition))                                                      \
            abort();                                                           \
    } while (0)

#endif
