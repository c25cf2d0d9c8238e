#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The demonstration: what an audience sees, and what is left when it is over.

load helpers

# A run keeps its files where the test can see whether they are gone, and marks
# its processes.
setup_demo() {
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp WB_MARK=$BATS_TEST_TMPDIR
}

left_nothing() {
    none_marked "$WB_MARK"
    is "$(ls "$T/tmp")" ''
}

# demo [ARGUMENT]...: sets status, output, stderr. stdin is the caller's.
demo() {
    run --separate-stderr timeout 120 "$root/scripts/demo" "$@"
}

# In the background, its output in demo.out and demo.err. The end of the input
# is an Enter at every beat: full length, but no time to read.
start_demo() {
    launch demo "$root/scripts/demo" --pause "$@"
}

# How often does a line that is exactly this one stand in the output?
times() {
    grep -cxF -e "$1" <<<"$output"
}

@test "demo: does --list name every act there is?" {
    demo --list
    is "$status: $stderr" '0: '
    is "$(awk '{ print $1 }' <<<"$output" | sort)" \
        "$(basename -s .sh "$root"/scripts/acts/*.sh | sort)"
}

@test "demo: are all acts played to the end, in 80 columns and without colour?" {
    setup_demo
    demo --quick --all </dev/null
    is "$status: $stderr" '0: '
    "$root/scripts/demo" --list >"$T/list"
    while read -r _ title; do
        is "$title: $(times "$title")" "$title: 2" # its curtain, and in the table
    done <"$T/list"
    acts=$(wc -l <"$T/list")
    is "$(grep -c '^Question: ' <<<"$output")" "$acts"
    is "$(grep -c '^Answer: ' <<<"$output")" "$acts"
    is "$(awk 'length > 80' <<<"$output")" ''
    is "$(tr -d '\n\040-\176' <<<"$output")" '' # nothing but plain characters

    # The table has every number that was shown, as it was shown, and no other.
    is "$(sed -n 's/^=> //p' <<<"$output")" "$(sed '1,/^All that was measured/d' <<<"$output" | sed -n 's/^   //p')"

    # The README shows the begin of that table: the same lines, other numbers.
    is "$(sed -n '/^Who is/,/^```$/p' "$root/README.md" | labels)" \
        "$(sed '1,/^All that was measured/d; /^Up the ladder/,$d' <<<"$output" | labels)"

    # And they are those of the programs of this run.
    left=$(sed -n 's/^=> .*left behind *//p' <<<"$output")
    grep -q "left behind: ${left% (*} bytes (${left##*(}" <<<"$output"
    waited=$(sed -n 's/^=> non-blocking: connected after *\(.*\) s$/\1/p' <<<"$output")
    said=$(sed -n 's/^client *| connected after \(.*\) s$/\1/p' <<<"$output")
    holds "$said - $waited < 0.006 && $waited - $said < 0.006"
    left_nothing
}

labels() {
    sed -n '/^   [a-z]/s/   *[0-9][0-9,.]*.*//p; /^[A-Z][A-Za-z ]*?*$/p'
}

@test "demo: does one act alone play alone?" {
    setup_demo
    demo --quick nagle </dev/null
    is "$status: $stderr" '0: '
    is "$(grep -c '^Question: ' <<<"$output")" 1
    [[ $output == *'40 milliseconds'* && $output != *'Who is served?'* ]]
    left_nothing
}

@test "demo: is there colour where it is wished for, and never against NO_COLOR?" {
    CLICOLOR_FORCE=1 demo --quick --pause connect <<<q
    [[ $output == *$'\033['* ]]
    CLICOLOR_FORCE=1 NO_COLOR=1 demo --quick --pause connect <<<q
    [[ $output != *$'\033'* ]]
}

@test "demo --pause: do the keys go on, play again, skip and quit?" {
    setup_demo
    demo --quick --pause echo send connect <<<$'\nr\n\ns\nq\n'
    is "$status: $stderr" '0: '
    is "$(times 'Who is served?')" 2
    is "$(times 'The huge send')" 1
    is "$(grep -c 'Connecting to a host' <<<"$output")" 0
    left_nothing
}

@test "demo --pause: is a single key enough on a terminal, which is then as before?" {
    command -v script >/dev/null || skip "the program 'script' is not installed"
    setup_demo
    mkfifo "$T/keys"
    input=$T/keys
    launch screen TERM=xterm timeout 60 \
        script -qec "$root/scripts/demo --pause --quick connect; stty -a" "$T/typescript"
    exec 5>"$T/keys"
    wait_for screen.out 'q: quit'
    printf q >&5
    finish screen
    exec 5>&-
    is "$status" 0
    grep -q $'\033\\[' "$T/screen.out" # a terminal gets colour
    grep -q '[^-]icanon' "$T/screen.out"
    grep -q '[^-]echo ' "$T/screen.out"
    left_nothing
}

@test "demo: does a signal end it at once, with all that it started?" {
    needs_int
    setup_demo
    for signal in INT:130 TERM:143; do
        start_demo echo
        wait_for demo.out '^client 1 | hello'
        stop demo "${signal%:*}"
        is "$signal $status" "$signal ${signal#*:}"
        left_nothing
    done
}

@test "demo: does a signal end it even where a program of its is stopped?" {
    needs_int
    setup_demo
    start_demo connect
    wait_for demo.out '^client .*connecting to'
    for environment in $(marked "$WB_MARK"); do
        pid=${environment#/proc/}
        pid=${pid%/environ}
        [[ $(cat "/proc/$pid/comm" 2>/dev/null) != connect_block* ]] || kill -STOP "$pid"
    done
    stop demo INT
    is "$status" 130
    left_nothing
}

@test "demo: does a program that dies in mid-run end it with a message and no rest?" {
    setup_demo
    start_demo send
    wait_for demo.out '^sender .*connected to'
    # The receiver dies while the sender is inside its call.
    for environment in $(marked "$WB_MARK"); do
        pid=${environment#/proc/}
        pid=${pid%/environ}
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sink ] || kill -KILL "$pid"
    done
    finish demo
    is "$status" 1
    grep -q '^demo: the sender did not end as it should' "$T/demo.err"
    left_nothing
}

@test "demo: is bad usage told?" {
    for arguments in --loud 'no-such-act' '--quick echo tragedy'; do
        # shellcheck disable=SC2086 # words on purpose
        demo $arguments
        is "$status: $output" '2: '
        [[ $stderr == 'demo: there is no '*"Try 'scripts/demo --help'." ]] || flunk "$stderr"
    done
    demo --help
    is "$status: $stderr" '0: '
    [[ $output == 'Usage: scripts/demo'* ]]
}
