#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each call of each program fails once, or for ever (tests/faults/faults.c).

load helpers

# The injector replaces malloc, and so does a sanitizer.
needs_own_malloc() {
    [ -z "${SANITIZE:-}" ] || skip 'a sanitizer replaces malloc'
}

# faults FOLDER [OPTION]...: play the faults of the programs in FOLDER.
faults() {
    run --separate-stderr timeout 600 "$build/tests/faults" "${@:2}" "$1" "$build/tests/injector.so"
}

@test "faults: does every program go on and lose nothing, or end and say why?" {
    only_in plain long
    needs_own_malloc
    local sample=0 parts=8 tried=0 reached=0
    if [ "$tier" != long ]; then
        sample=1500
        tell_sampled "about $sample of all faults"
    fi
    # Much of it is waiting: several parts at the same time.
    for ((part = 0; part < parts; part++)); do
        launch "part$part" timeout 500 "$build/tests/faults" --parts $parts --part $part \
            --sample $sample --seed "${WB_SEED:-1}" "$bin" "$build/tests/injector.so"
    done
    for ((part = 0; part < parts; part++)); do
        finish "part$part"
        [[ $(tail -n 1 "$T/part$part.out") =~ ([0-9]+)' tried, '([0-9]+)' reached, 0 wrong'$ ]] ||
            flunk "$(cat "$T/part$part.out" "$T/part$part.err")"
        tried=$((tried + BASH_REMATCH[1])) reached=$((reached + BASH_REMATCH[2]))
    done
    is "$tried" "$reached"
    tell_sampled "$tried faults tried, $reached reached"
}

@test "faults: is every program of demos/ in it?" {
    needs_own_malloc
    for name in $(every_program); do
        faults "$bin" --only "$name:none"
        [[ $output == *'0 faults planned'* ]] || flunk "$name: $output$stderr: add it to the subjects of tests/faults/faults.c"
    done
}

# variant NAME SED-SCRIPT CALL EXPECTED: a program that is wrong in one place is
# found out.
variant() {
    local source
    source=$(echo "$root"/demos/*/"$1.c")
    mkdir -p "$T/bin"
    sed "$2" "$source" >"$T/$1.c"
    ! cmp -s "$source" "$T/$1.c" || flunk "nothing was changed in $1: $2"
    ${CC:-cc} -std=c11 -D_XOPEN_SOURCE=700 -w -I"$root/common" -o "$T/bin/$1" "$T/$1.c" "$build/libwouldblock.a"
    faults "$T/bin" --first --only "$1:$3"
    [[ $status:$output == 1:*"$4"* ]] || flunk "$1 with $2: '$4' was not found: $output$stderr"
}

@test "faults: are programs found out that are wrong in one place?" {
    only_in plain long
    needs_own_malloc
    variant echo_poll 's/errno != EINTR/true/' poll 'it ended, and should have gone on'
    variant echo_epoll 's/errno != EINTR/true/' epoll_wait 'it ended, and should have gone on'
    variant send_all 's/taken += put.count/taken += put.kind == DONE ? size - taken : 0/' send 'something was lost'
    variant chat_client 's/die("cannot read the keyboard")/return false/' read 'something was lost'
    variant connect_poll 's/ && errno != EINTR//' poll 'it ended, and should have gone on'
    variant sink 's/nap(SECOND \/ 10)/(void)0/' accept 'of a processor'
    variant connect_pool 's/put.kind == FAILED/false/' send 'of a processor'
    variant select_except 's/errno != EINTR/true/' select 'it ended, and should have gone on'
    variant nagle_stall 's/errno != EINTR/true/' send 'it ended, and should have gone on'
    variant connect_failover 's/die_because(last_error,/die_because(0,/' connect 'does not name the error'
}
