# SPDX-License-Identifier: MIT
# wouldblock: 'make help' lists what can be made.

CC       ?= cc
CSTD      = -std=c11 -D_XOPEN_SOURCE=700
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wmissing-prototypes \
            -Wconversion
CFLAGS   ?= -O2 -g
BUILD    ?= build

# SANITIZE=1 builds everything with the address and the undefined-behaviour
# sanitizer, beside the ordinary build.
ifdef SANITIZE
BUILD    := $(BUILD)/sanitize
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=address,undefined
endif

common   := $(wildcard common/*.c)
demos    := $(wildcard demos/*/*.c)
library  := $(BUILD)/libwouldblock.a
programs := $(addprefix $(BUILD)/bin/,$(notdir $(basename $(demos))))
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all tracer test-programs checker sanitizer demo test lint benchmark pictures format clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(programs) checker ## build all programs into build/bin

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARNINGS) $(CFLAGS) $(CPPFLAGS) -Icommon -MMD -MP -c -o $@ $<

$(library): $(call objects,$(common))
	@rm -f $@
	$(AR) rcs $@ $^

# One program is one file of a lesson's folder and the library.
define program
$(BUILD)/bin/$(notdir $(basename $(1))): $(call objects,$(1)) $(library)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^
endef
$(foreach demo,$(demos),$(eval $(call program,$(demo))))

# What the tests need besides the programs: checks of the library, something to
# compare with, a witness that also injects faults, and fingers that type.
tests    := $(addprefix $(BUILD)/tests/,bare calls modes unit)
typist   := $(BUILD)/tests/typist
witness  := $(BUILD)/tests/witness.so

$(tests): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(witness): tests/exercises/witness.c tests/exercises/witness.h
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARNINGS) -O2 -g -fPIC -shared -o $@ $< -ldl

test-programs: $(tests) $(witness) $(typist) tracer checker

# The tracer: what is preloaded into a program, what does that, and what draws
# it. The first two are built plainly even for the sanitizers, which belong to
# the program that is recorded.
tracer    := $(BUILD)/trace/recorder.so $(BUILD)/trace/record \
             $(BUILD)/trace/timeline
timeline  := $(call objects,$(filter-out scripts/tracer/record%,\
             $(wildcard scripts/tracer/*.c)))

plainly   := -O2 -g $(filter -Werror,$(CFLAGS))

tracer: $(tracer)

$(BUILD)/trace/recorder.so: scripts/tracer/recorder.c \
    scripts/tracer/recorder_calls.c scripts/tracer/recorder.h \
    scripts/tracer/trace_file.h
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARNINGS) $(plainly) -fPIC -fexceptions -fvisibility=hidden \
	    -shared -o $@ $(filter %.c,$^) -ldl

$(BUILD)/trace/record: scripts/tracer/record.c scripts/tracer/trace_file.h
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARNINGS) $(plainly) -o $@ $<

$(BUILD)/trace/timeline: $(timeline) $(library)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

# What checks an exercise: the judge, and the supervisor between it and a
# program that nobody trusts.
judge     := $(call objects,$(wildcard tests/exercises/judge*.c)) \
             $(call objects,tests/exercises/mistakes.c)
checker   := $(BUILD)/tests/judge $(BUILD)/tests/supervise

$(BUILD)/tests/judge: $(judge) $(library)
$(BUILD)/tests/supervise: $(call objects,tests/exercises/supervise.c) $(library)
$(typist): $(call objects,tests/tutorial/typist.c) $(library)
$(checker) $(typist):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Where an exercise is cut from the library, its solutions are linked with what
# is left of that.
parted    := $(shell sed -n 's|^source common/\(.*\)\.c$$|\1|p' tests/exercises/*.ex)
parted    := $(patsubst %,$(BUILD)/tests/without_%.a,$(parted))

$(parted): $(BUILD)/tests/without_%.a: $(library)
	@mkdir -p $(@D)
	@cp $< $@ && $(AR) d $@ $*.o

# What solutions are compiled with: scripts/exercise does that.
checker: $(checker) $(parted) sanitizer \
    $(call objects,tests/exercises/witness.c tests/exercises/classify_driver.c)

# The flags of the sanitizers, and those that have the assembler list what it
# reads (as(1), --MD); nothing where the compiler has none.
sanitizer: $(BUILD)/tests/sanitizer $(BUILD)/tests/assembler

$(BUILD)/tests/sanitizer:
	@mkdir -p $(@D)
	@flags='-fsanitize=address,undefined -fno-sanitize-recover=all'; \
	printf 'int main(void) { return 0; }\n' | \
	    $(CC) $$flags -o $@.try -x c - 2>/dev/null && $@.try || flags=; \
	rm -f $@.try; printf '%s\n' "$$flags" >$@

$(BUILD)/tests/assembler:
	@mkdir -p $(@D)
	@flags='-Wa,--MD,assembled'; \
	for more in '' -fno-integrated-as none; do \
	    printf 'int main(void) { return 0; }\n' | \
	        $(CC) $$more -Wa,--MD,$@.list -c -o $@.try -x c - 2>/dev/null && \
	        test -s $@.list && break; \
	done; test "$$more" != none || more= flags=; \
	rm -f $@.try $@.list; printf '%s\n' "$$more $$flags" >$@

demo: ## play the demonstration
	@scripts/demo

test: ## run the tests
	@scripts/test

lint: ## check all sources with every checker that is installed
	@scripts/lint

benchmark: ## compare speeds: send_all, echo_epoll, scripts/trace
	@scripts/benchmark

pictures: ## make the pictures of the documentation, from real runs
	@scripts/pictures

format: ## lay out the C sources
	clang-format -i common/*.[ch] demos/*/*.c tests/*.c tests/*/*.[ch] \
	    scripts/*/*.[ch]

clean: ## remove everything that was built
	rm -rf build

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))

-include $(patsubst %.o,%.d,$(call objects,$(common) $(demos) $(wildcard tests/*.c tests/*/*.c scripts/*/*.c)))
