# SPDX-License-Identifier: MIT
# wouldblock: 'make help' lists the targets.

CC       ?= cc
CFLAGS   ?= -O2 -g
BUILD    ?= build
standard  = -std=c11 -D_XOPEN_SOURCE=700
warnings  = -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wmissing-prototypes \
            -Wconversion

# SANITIZE=1 builds everything with the address and the undefined-behaviour
# sanitizer, into a separate folder.
ifdef SANITIZE
override BUILD := $(BUILD)/sanitize
sanitizers = -fsanitize=address,undefined -fno-sanitize-recover=all \
             -fno-omit-frame-pointer
endif

ifneq ($(words $(BUILD)),1)
$(error BUILD is '$(BUILD)': make cannot build into a folder with a space in its name)
endif

# The recorder and the witness are preloaded into other programs, so they are
# built without sanitizers: only the program itself may bring one.
compile   = $(CC) $(standard) $(warnings) $(CFLAGS) $(sanitizers) $(CPPFLAGS)
link      = $(CC) $(CFLAGS) $(sanitizers) $(LDFLAGS)
plainly   = $(CC) $(standard) $(warnings) -O2 -g $(filter -Werror -m32 -m64,$(CFLAGS))

objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
common   := $(wildcard common/*.c)
demos    := $(wildcard demos/*/*.c)
library  := $(BUILD)/libwouldblock.a
programs := $(addprefix $(BUILD)/bin/,$(notdir $(basename $(demos))))

.PHONY: all tracer test-programs checker sanitizer demo test lint benchmark \
        pictures format clean help always
.DELETE_ON_ERROR:
.SECONDARY:

all: $(programs) checker ## build all programs into build/bin

# The commands and flags of the last build: if they change, all is built again.
flags    := $(BUILD)/flags
used      = $(compile) | $(link) $(LDLIBS)
$(flags): always
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(used))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(used))' >$@

$(BUILD)/obj/%.o: %.c $(flags)
	@mkdir -p $(@D)
	$(compile) -Icommon -MMD -MP -c -o $@ $<

$(library): $(call objects,$(common))
	@rm -f $@
	$(AR) rcs $@ $^

# Every program is linked in the same way: its objects, and the library.
define link_program
@mkdir -p $(@D)
$(link) -o $@ $^ $(LDLIBS)
endef

# Each demo is one source file in its lesson's folder.
define demo_program
$(BUILD)/bin/$(notdir $(basename $(1))): $(call objects,$(1)) $(library)
	$$(link_program)
endef
$(foreach demo,$(demos),$(eval $(call demo_program,$(demo))))

# --- The exercises ------------------------------------------------------------

# The judge; the supervisor, which runs the untrusted program for the judge, in a
# room that both help to build; and the witness, which is linked into that program
# or preloaded.
judge     := $(BUILD)/judge/judge
supervise := $(BUILD)/judge/supervise
witness   := $(BUILD)/judge/witness.so

$(judge): $(call objects,$(filter-out %/supervise.c %/witness.c,\
          $(wildcard scripts/judge/*.c))) $(library)
	$(link_program)

$(supervise): $(call objects,$(addprefix scripts/judge/,supervise.c room.c \
              notify_filter.c)) $(library)
	$(link_program)

$(witness): scripts/judge/witness.c $(addprefix scripts/judge/,witness.h faults.h)
	@mkdir -p $(@D)
	$(plainly) -fPIC -shared -o $@ $< -ldl

# An exercise may be a part of the library: its solutions are linked with the
# rest of the library.
parted    := $(shell sed -n 's|^source common/\(.*\)\.c$$|\1|p' scripts/exercises/*.ex)
parted    := $(patsubst %,$(BUILD)/judge/without_%.a,$(parted))

$(parted): $(BUILD)/judge/without_%.a: $(library)
	@mkdir -p $(@D)
	@cp $< $@ && $(AR) d $@ $*.o

# All that scripts/exercise needs to compile and judge solutions.
checker: $(judge) $(supervise) $(witness) $(parted) sanitizer \
    $(call objects,scripts/judge/witness.c scripts/exercises/classify_driver.c)

# The sanitizer flags, and the flags that make the assembler list the files that
# it reads (as(1), --MD); empty if the compiler lacks them.
sanitizer: $(BUILD)/judge/sanitizer $(BUILD)/judge/assembler

$(BUILD)/judge/sanitizer: $(flags)
	@mkdir -p $(@D)
	@flags='-fsanitize=address,undefined -fno-sanitize-recover=all'; \
	printf 'int main(void) { return 0; }\n' | \
	    $(CC) $$flags -o $@.try -x c - 2>/dev/null && $@.try 2>/dev/null || flags=; \
	rm -f $@.try; printf '%s\n' "$$flags" >$@

$(BUILD)/judge/assembler: $(flags)
	@mkdir -p $(@D)
	@flags='-Wa,--MD,assembled'; \
	for more in '' -fno-integrated-as none; do \
	    printf 'int main(void) { return 0; }\n' | \
	        $(CC) $$more -Wa,--MD,$@.list -c -o $@.try -x c - 2>/dev/null && \
	        test -s $@.list && break; \
	done; test "$$more" != none || more= flags=; \
	rm -f $@.try $@.list; printf '%s\n' "$$more $$flags" >$@

# --- The tracer ---------------------------------------------------------------

# The recorder, the program that preloads it, and the program that draws traces.
recorder  := $(BUILD)/trace/recorder.so
record    := $(BUILD)/trace/record
timeline  := $(BUILD)/trace/timeline
trace_file := scripts/tracer/trace_file.h $(flags)

tracer: $(recorder) $(record) $(timeline)

$(recorder): $(addprefix scripts/tracer/record/,recorder.c recorder_calls.c \
             recorder.h) $(trace_file)
	@mkdir -p $(@D)
	$(plainly) -fPIC -fexceptions -fvisibility=hidden -shared \
	    -o $@ $(filter %.c,$^) -ldl

$(record): scripts/tracer/record/record.c $(trace_file)
	@mkdir -p $(@D)
	$(plainly) -o $@ $<

$(timeline): private LDLIBS += -lm
$(timeline): $(call objects,$(wildcard scripts/tracer/draw/*.c)) $(library)
	$(link_program)

# --- The tests ----------------------------------------------------------------

# Checks of the library, programs to compare with, and one that types.
tests    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*.c))

$(tests): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(library)
	$(link_program)

# The driver of the faults, and what it preloads.
faults    := $(BUILD)/tests/faults $(BUILD)/tests/injector.so

$(BUILD)/tests/faults: $(call objects,tests/faults/faults.c) $(library)
	$(link_program)

$(BUILD)/tests/injector.so: tests/faults/injector.c tests/faults/injector.h $(flags)
	@mkdir -p $(@D)
	$(plainly) -fPIC -shared -o $@ $< -ldl

test-programs: $(tests) $(faults) $(witness) tracer checker

# --- Targets for users --------------------------------------------------------

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

format: ## format the C sources
	find common demos scripts tests -name '*.[ch]' | xargs clang-format -i

clean: ## remove everything that was built
	@if [ -e $(BUILD) ] && [ $(BUILD) != build ] && [ ! -e $(flags) ]; then \
	    echo "'$(BUILD)' was not built by this Makefile: nothing is removed"; \
	    exit 1; \
	fi
	rm -rf $(BUILD)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
