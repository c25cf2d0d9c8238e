#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Compilers, C libraries, word sizes and optimizations. Each row builds the programs
# without a warning, checks the library from inside, and plays the scenes of
# tests/faults with each program, without a fault and with some.

load helpers

# Every two of: gcc or clang; -O0, -O2, -Os, -O3 or -flto; 64 or 32 bits; the GNU C
# library or musl, which has one compiler here, musl-gcc for 64 bits. The tracer is for
# 64 bits, and tests/trace.bats tries it with musl.
table='
musl-gcc -O0
musl-gcc -O2
musl-gcc -Os
musl-gcc -O3
musl-gcc -O2 -flto=auto
clang -O0 -m32
clang -O2 -m32
clang -Os -m32
clang -O3 -m32
clang -O2 -flto
gcc -O3 -m32
gcc -O0
gcc -O2 -flto=auto -m32
gcc -Os
clang -O3
'

# can COMPILER FLAG...: is this row possible on this machine?
can() {
    command -v "$1" >/dev/null || return 1
    printf '#include <stdio.h>\nint main(void) { return puts("yes") < 0; }\n' >"$T/can.c"
    "$@" -o "$T/can" "$T/can.c" 2>/dev/null && [ "$("$T/can" 2>/dev/null)" = yes ]
}

# row COMPILER FLAG...
row() {
    local folder="$T/build" group
    rm -rf "$folder"
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -j 2 -C "$root" CC="$1" CFLAGS="${*:2} -g -Werror" BUILD="$folder" \
        all "$folder/tests/unit" "$folder/tests/faults" "$folder/tests/injector.so" \
        >"$T/make.out" 2>&1 3>&- 4>&- || flunk "$*: $(cat "$T/make.out")"
    # (Whether a program of the other library starts is said by the other loader.)
    is "$*: $(grep -v -e '^Error \(loading\|relocating\)' -e 'error while loading' "$T/make.out")" "$*: "
    for group in $("$folder/tests/unit"); do
        run --separate-stderr timeout 60 "$folder/tests/unit" "$group"
        is "$*: $group: $status $output" "$*: $group: 0 "
    done
    run timeout 300 "$folder/tests/faults" --sample 150 --seed "${WB_SEED:-1}" \
        "$folder/bin" "$folder/tests/injector.so"
    [[ $status = 0 && $output =~ ([0-9]+)' tried, '([0-9]+)' reached, 0 wrong'$ ]] || flunk "$*: $output"
    is "$*: ${BASH_REMATCH[1]}" "$*: ${BASH_REMATCH[2]}"
}

# rows PART PARTS: every PARTS-th row, from PART on.
rows() {
    [ -z "${SANITIZE:-}" ] || skip 'the rows have their own flags'
    local number=0 line done=0 all=0
    while read -r line; do
        [ -n "$line" ] || continue
        number=$((number + 1))
        [ $((number % $2)) -eq $(($1 % $2)) ] || continue
        all=$((all + 1))
        # shellcheck disable=SC2086 # words are wanted
        if can $line; then
            row $line
            done=$((done + 1))
        fi
    done <<<"$table"
    tell_sampled "$done of $all rows of part $1 can be built here"
    [ "$done" -gt 0 ] || skip 'none of these compilers is installed'
}

@test "matrix: does it build without a warning, and work? Part 1 of 4" { only_in long; rows 1 4; }
@test "matrix: does it build without a warning, and work? Part 2 of 4" { only_in long; rows 2 4; }
@test "matrix: does it build without a warning, and work? Part 3 of 4" { only_in long; rows 3 4; }
@test "matrix: does it build without a warning, and work? Part 4 of 4" { only_in long; rows 4 4; }

@test "matrix: do the lessons' tests pass with musl?" {
    only_in long
    [ -z "${SANITIZE:-}" ] || skip 'a sanitizer needs its own C library'
    can musl-gcc || skip 'musl-gcc is not installed'
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -j 2 -C "$root" CC=musl-gcc BUILD="$T/build" all "$T/build/judge/witness.so" \
        "$T/build/tests/unit" >"$T/make.out" 2>&1 3>&- 4>&- || flunk "$(cat "$T/make.out")"
    for lesson in errors echo send connect timeout udp chat bad_peers; do
        run timeout 300 env -i PATH="$(outer_path)" WB_BUILD="$T/build" WB_TIER=quick WB_SEED="${WB_SEED:-1}" \
            bats --tap "$root/tests/$lesson.bats"
        is "$lesson $status: $(grep -v '^ok' <<<"$output")" "$lesson 0: $(grep '^1\.\.' <<<"$output")"
    done
}
