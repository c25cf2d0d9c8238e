#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # backquotes are text
# scripts/assess: any program, in any language, against a contract.

load helpers

programs=$BATS_TEST_DIRNAME/contracts

# interpreter FILE: sets command to what runs it; fails if that is not installed.
# Programs in C are compiled once.
interpreter() {
    case $1 in
    *.c)
        # shellcheck disable=SC2086 # words on purpose: 'ccache gcc'
        once "compiled-$(basename "$1")" ${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -Werror \
            -o "$shared/$(basename "$1" .c)" "$1"
        command=("$shared/$(basename "$1" .c)")
        ;;
    *.py) command=(python3 "$1") ;;
    *.pl) command=(perl "$1") ;;
    *.sh) command=(sh "$1") ;;
    esac
    [ "${command[0]}" != python3 ] || python3 -c 'import asyncio' 2>/dev/null || return 1
    command -v "${command[0]}" >/dev/null
    ! grep -q 'exec perl\|^perl' "$1" || command -v perl >/dev/null
}

# label FILE KEY: what its header says.
label() {
    sed -n "s/^\( \*\|#\) $2: *//p" "$1"
}

# assess FILE [OPTION]...: against the contract that it names. Sets status, output.
assess() {
    local contract options operands=('{port}')
    read -r contract options <<<"$(label "$1" Contract)"
    case $contract in
    *client | sender | connector) operands=('{host}' '{port}') ;;
    esac
    # The program sees the folder where this is called, and what is in it.
    cd "$root" || return
    # shellcheck disable=SC2086 # words on purpose
    run timeout 120 "$root/scripts/assess" "$contract" $options "${@:2}" -- "${command[@]}" "${operands[@]}"
}

# The programs here, right and wrong ones, in this language.
labelled() {
    local file
    for file in "$programs"/*."$1"; do
        interpreter "$file" || skip "what runs $file is not installed"
        assess "$file"
        verdict=$(sed -n 's/^  \([A-Z_]*\): .*/\1/p' <<<"$output")
        expected=$(label "$file" Verdict)
        [ -n "$expected" ] || flunk "$file has no line 'Verdict: NAME'"
        if [ "$expected" = none ]; then
            is "$(basename "$file") $status: $verdict" "$(basename "$file") 0: " || flunk "$output"
        else
            is "$(basename "$file") $status" "$(basename "$file") 1" || flunk "$output"
            [[ " $expected " == *" $verdict "* ]] ||
                flunk "$(basename "$file") was called '$verdict', expected one of '$expected': $output"
        fi
    done
}

@test "assess: is every program in C called by its name?" {
    labelled c
}

@test "assess: is every program in Python called by its name?" {
    labelled py
}

@test "assess: is every program in Perl called by its name?" {
    labelled pl
}

@test "assess: is every shell script called by its name?" {
    labelled sh
}

@test "assess: do our own demos keep their contracts?" {
    cd "$root"
    while read -r contract options command; do
        [ "$options" != - ] || options=''
        # shellcheck disable=SC2086 # words on purpose
        run timeout 60 scripts/assess "$contract" $options -- "$build/bin/"$command
        is "$command $status" "$command 0" || flunk "$output"
    done < <(sample demos 3 6 \
        'echo-server --one-at-a-time echo_blocking {port}' \
        'echo-server - echo_busypoll {port}' \
        'echo-server --strict echo_select {port}' \
        'echo-server --strict echo_poll {port}' \
        'echo-server --strict echo_epoll {port}' \
        'echo-server --strict echo_epoll_edge {port}' \
        'chat-server --strict chat_server {port}' \
        'datagram-echo --strict udp_echo_blocking {port}' \
        'datagram-echo --resets udp_echo_nonblocking {port}' \
        'line-client --strict echo_client {host} {port}' \
        'line-client - echo_client_busypoll {host} {port}' \
        'sender --resets send_blocking --size {size} {host} {port}' \
        'sender --resets send_all --size {size} {host} {port}' \
        'sender --resets send_poll --size {size} {host} {port}' \
        'connector - connect_blocking {host} {port}' \
        'connector - connect_nonblocking --deadline {deadline} {host} {port}' \
        'connector --idle connect_poll --deadline {deadline} {host} {port}')
}

@test "assess: does a server for ten thousand clients keep its contract?" {
    only_in long
    may_open 10100
    run timeout 120 "$root/scripts/assess" echo-server --clients 10000 --only crowd -- "$build/bin/echo_epoll" '{port}'
    is "$status: $output" '0: echo-server: passed, all 1 checks'
}

@test "assess: is a server with a port of its own judged at that port, and others refused?" {
    run timeout 60 "$root/scripts/assess" echo-server --port 40817 --only 'alone silent' -- "$build/bin/echo_poll" 40817
    is "$status: $output" '0: echo-server: passed, all 2 checks'
    run timeout 60 "$root/scripts/assess" echo-server --port 40817 --only alone -- "$build/bin/echo_poll" 40818
    is "$status" 1
    says 'WRONG_PORT: ' 'It listens on port 40818, and was told to listen on port 40817.'
}

@test "assess: do faults reach the program, and does one that heeds them pass?" {
    run timeout 60 "$root/scripts/assess" echo-server --only faults \
        --faults 'recv:EINTR:3+,send:short:2+,accept:EINTR:1' -- "$build/bin/echo_poll" '{port}'
    is "$status: $output" '0: echo-server: passed, all 1 checks'
    interpreter "$programs/echo_right.c"
    run timeout 60 "$root/scripts/assess" echo-server --only faults --faults recv:EINTR:2+ -- "${command[@]}" '{port}'
    is "$status" 1
    says 'EINTR_FATAL: ' 'calls fail: recv:EINTR:2+'
}

@test "assess: is who is silent for too long to be sent away, and nobody before?" {
    run timeout 60 "$root/scripts/assess" echo-server --deadline 500ms --only deadline -- "$build/bin/echo_poll" '{port}'
    is "$status" 1
    says 'NO_DEADLINE: ' 'Client A has been silent for '
}

@test "assess: is a child of a script watched, and is nothing of it left?" {
    cd "$root"
    WB_MARK=$BATS_TEST_NAME-$$ run timeout 60 "$root/scripts/assess" echo-server --idle --only idle -- \
        sh -c '"$0" "$1" & wait' "$build/bin/echo_busypoll" '{port}'
    is "$status" 1
    says 'BUSY_SPIN: ' 'With one silent client it should sleep, but it used'
    none_marked "$BATS_TEST_NAME-$$"
}

@test "assess: does the command that a verdict shows say the same, typed as it stands?" {
    only_in long
    cd "$root" || return
    port=$("$build/bin/echo_blocking" --stop-after 1ms 0 | sed 's/.* //')
    run timeout 60 scripts/assess echo-server --only silent -- "$build/bin/echo_blocking" '{port}'
    is "$status" 1
    typed=$(sed -n '/^See it by hand/,$p' <<<"$output" | sed -n 's/^  //p' | sed "s/8080/$port/g")
    [[ $typed == "timeout 9 "*"/echo_blocking $port & "* ]] || flunk "$output"
    run timeout 30 sh -c "$typed" 3>&-
    # Client A is served, and client B gives up.
    says 'stopped by --stop-after'
    run timeout 30 sh -c "${typed//echo_blocking/echo_poll}" 3>&-
    [[ $output != *'stopped by --stop-after after'* && $output == *B* ]] || flunk "$output"
}

@test "assess: are the results the same in every format, and valid?" {
    interpreter "$programs/echo_leaves.sh"
    cd "$root"
    run --separate-stderr timeout 60 "$root/scripts/assess" echo-server --format records \
        --seed 7 --only 'alone bytes' -- "${command[@]}" '{port}'
    is "$status $(awk -F '\t' '{ print $1, $2, $4, $5, $6, $7, $10 }' <<<"$output")" \
        $'1 echo-server alone fail ENDS_EARLY 0 1 7\necho-server bytes fail ENDS_EARLY 0 2 7'
    run timeout 60 "$root/scripts/assess" echo-server --format junit --output "$T/it.xml" \
        --only alone -- "${command[@]}" '{port}'
    is "$status: $output" '1: '
    grep -q '<failure type="ENDS_EARLY" message="ENDS_EARLY: ' "$T/it.xml"
    run timeout 60 "$root/scripts/assess" echo-server --format gradescope --only alone -- "${command[@]}" '{port}'
    is "$status" 0
    says '"score": 0' '"status": "failed", "name": "echo-server: one client"'
    run timeout 60 "$root/scripts/assess" echo-server --format points -- "$build/bin/echo_epoll" '{port}'
    is "$status" 0
    says 'points: 16 of 16'
}

@test "assess: is bad usage told?" {
    while IFS='|' read -r arguments expected; do
        eval "run --separate-stderr timeout 20 '$root/scripts/assess' $arguments"
        is "$arguments: $status" "$arguments: 2" || flunk "$output$stderr"
        [[ $stderr == "assess: $expected"*"Try 'scripts/assess --help'." ]] || flunk "$arguments: $stderr"
    done <<'CASES'
|name a contract
no-such-contract -- cat {port}|there is no contract 'no-such-contract'
--list no-such-contract|there is no contract 'no-such-contract'
echo-server cat {port}|before the command comes '--'
echo-server|name a command
echo-server --|name a command
echo-server --clients 0 -- cat {port}|--clients needs a number above 0
echo-server --clients|--clients needs a value
echo-server --only nonsense -- cat {port}|'echo-server' has no check 'nonsense'
echo-server -- cat|the command has no {port}
echo-server --port 99 -- cat {port}|either {port} in the command or --port
echo-server --format nonsense -- cat {port}|there is no format 'nonsense'
CASES
    run --separate-stderr timeout 20 "$root/scripts/assess" echo-server -- /no/such/program '{port}'
    is "$status: $output" '1: '
    [[ $stderr == 'assess: cannot run /no/such/program'* ]] || flunk "$stderr"
}

@test "contracts: does the page name every contract and every check, with its option, and no other?" {
    cd "$root"
    page=docs/contracts.md
    agree "$page" "$(sed -n '/^## How strict/,/^## What it/s/^## \([a-z]*-\?[a-z]*\)$/\1/p' "$page")" \
        'scripts/assess --list' "$(scripts/assess --list | sed 's/ .*//')" 'a section for each contract'
    for contract in $(scripts/assess --list | sed 's/ .*//'); do
        agree "$page, $contract" \
            "$(sed -n "/^## $contract\$/,/^## /p" "$page" | sed -n 's/^| `\([a-z_]*\)` |.*/\1/p')" \
            "scripts/assess --list $contract" \
            "$({
                scripts/assess --list "$contract" --strict --deadline 1s --faults recv:EINTR:2
                scripts/assess --list "$contract" --one-at-a-time
            } | sed 's/ .*//' | sort -u)" 'a row for each check'
    done
    agree "$page" "$(sed -n '/^| option/,/^$/s/^| `\(--[a-z-]*\).*/\1/p' "$page")" \
        'scripts/assess --help' "$(scripts/assess --help | sed -n '/^Options/,/^  These say/s/^  \(--[a-z-]*\).*/\1/p' |
            grep -v -x -e --names -e --size -e --only -e --without)" 'a row for each option that makes it stricter'
}
