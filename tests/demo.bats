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

# demo [ARGUMENT]...: sets status, output, stderr. stdin is the caller's. Plain
# characters: the timelines have others where the locale has them.
demo() {
    LC_ALL=C run --separate-stderr timeout 120 "$root/scripts/demo" "$@"
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
    only_in plain long
    setup_demo
    WB_CLAIMS=$T/claims demo --quick --strict --all </dev/null
    is "$status: $stderr" '0: '
    "$root/scripts/demo" --list >"$T/list"
    # Each of them has held its words against its numbers.
    is "$(cut -f 1 "$T/claims" | sort -u)" "$(awk '{ print $1 }' "$T/list" | sort)"
    is "$(grep -c '^Predict: ' <<<"$output")" 0 # which is for --pause
    while read -r _ title; do
        is "$title: $(times "$title")" "$title: 2" # its curtain, and in the table
    done <"$T/list"
    acts=$(wc -l <"$T/list")
    is "$(grep -c '^Question: ' <<<"$output")" "$acts"
    is "$(grep -c '^Answer: ' <<<"$output")" "$acts"
    is "$(awk 'length > 80' <<<"$output")" ''
    is "$(tr -d '\n\040-\176' <<<"$output")" '' # nothing but plain characters

    # Each act shows a timeline, where there is a tracer.
    [ "$(uname -s)" != Linux ] ||
        is "$(awk '/^Question: / { acts++; seen = 0 } /^ +(s|ms|us)  0/ && !seen { seen = 1; drawn++ }
            END { print drawn }' <<<"$output")" "$acts"

    # The table has every number that was shown, as it was shown, and no other.
    is "$(sed -n 's/^=> //p' <<<"$output")" "$(sed '1,/^All numbers measured/d' <<<"$output" | sed -n 's/^   //p')"

    # The README shows the begin of that table: the same lines, other numbers.
    is "$(sed -n '/^Who is/,/^```$/p' "$root/README.md" | labels)" \
        "$(sed '1,/^All numbers measured/d; /^From busy-polling to epoll/,$d' <<<"$output" | labels)"

    # And they are those of the programs of this run.
    left=$(sed -n 's/^=> .*left behind *//p' <<<"$output")
    grep -q "left behind: ${left% (*} bytes (${left##*(}" <<<"$output"
    waited=$(sed -n 's/^=> non-blocking: connected after *//p' <<<"$output" |
        awk '{ print $2 == "s" ? $1 : $2 == "ms" ? $1 / 1e3 : $1 / 1e6 }')
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

# A tree of one's own, to spoil its scripts.
copy_tree() {
    mkdir "$T/tree"
    cp -Rp "$root/scripts" "$T/tree" # with its times, or all is built anew
    ln -s "$root"/{Makefile,build,common,demos,tests} "$T/tree"
}

@test "demo: does it end with a message where a claim does not hold?" {
    only_in plain long
    setup_demo
    copy_tree
    sed -i "s/claim .*/claim '1 > 2' 'pigs fly'/; /'two small sends/d" "$T/tree/scripts/acts/nagle.sh"
    run --separate-stderr timeout 60 "$T/tree/scripts/demo" --quick --strict nagle </dev/null
    is "$status: $stderr" '1: demo: the numbers of this run contradict the act: pigs fly (1 > 2)'
    [[ $output == *'=> two sends'* && $output != *Answer:* ]] || flunk "$output"
    left_nothing

    # Not strict, it says so: at that number, and with the answer.
    run --separate-stderr timeout 60 "$T/tree/scripts/demo" --quick nagle </dev/null
    is "$status: $stderr" '0: '
    grep -q '^Not this time: pigs fly\. We expected 1 > 2\. ' <<<"$output"
    sed -n '/^Answer:/,/^$/p' <<<"$output" | grep -q '^          But not in this run: pigs fly\.$'
    left_nothing
    # The reason, if other programs use the machine.
    # shellcheck disable=SC2016 # text for sed
    sed -i 's|/proc/loadavg|"$root/busy"|' "$T/tree/scripts/parts/stage.sh"
    echo '999.50 0 0 1/1 1' >"$T/tree/busy"
    run --separate-stderr timeout 60 "$T/tree/scripts/demo" --quick nagle </dev/null
    is "$status: $stderr" '0: '
    [[ $(tr '\n' ' ' <<<"$output") == *'Not this time: pigs fly. We expected 1 > 2. The likely reason: this machine is busy (load 999.50, processors '* ]] || flunk "$output"
}

@test "demo: does the answer hold back nothing that the numbers contradict?" {
    only_in long
    setup_demo
    copy_tree
    # In every act, each claim fails.
    # shellcheck disable=SC2016 # text for sed
    sed -i 's/^    awk "BEGIN { exit !(\$1) }" 2>.*/    false/' "$T/tree/scripts/parts/stage.sh"
    LC_ALL=C run --separate-stderr timeout 100 "$T/tree/scripts/demo" --quick --all </dev/null
    is "$status: $stderr" '0: '
    is "$(grep -c '^          But not in this run: ' <<<"$output")" "$(grep -c '^Answer: ' <<<"$output")"
    is "$(awk 'length > 80' <<<"$output")" ''
    left_nothing
}

@test "demo --pause: is a prediction asked for before anything is run, in every act?" {
    setup_demo
    for act in $("$root/scripts/demo" --list | awk '{ print $1 }'); do
        # Enter until there, and then skip the act.
        sed -n '/^play/,$p' "$root/scripts/acts/$act.sh" |
            sed '/predict\|^    blocking/q' | sed -n 's/.* beat .*//p'
        echo s
    done >"$T/keys"
    demo --quick --pause --all <"$T/keys"
    is "$status: $stderr" '0: '
    is "$(grep -c '^Predict:  [a-z].*?$' <<<"$output")" "$("$root/scripts/demo" --list | wc -l)"
    is "$(grep -v '| \$ chat_' <<<"$output" | grep -c '| \$ ' || true)" 0 # the guests are there before
    is "$(awk 'length > 80' <<<"$output")" ''
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
    grep -q "^demo: 'sender' failed: exit status 1\$" "$T/demo.err"
    left_nothing
}

# --- Side by side ------------------------------------------------------------

# screen_demo SIZE [ARGUMENT]...: on a terminal of that size, 160x40, which is a
# tmux of the test's own: so that of the demonstration is inside another one.
screen_demo() {
    command -v tmux >/dev/null || skip "tmux is not installed"
    export TMUX_TMPDIR=$T/outer
    mkdir -p "$TMUX_TMPDIR"
    env -u WB_MARK -u TMPDIR LC_ALL=C.UTF-8 tmux -L outer -f /dev/null \
        new-session -d -x "${1%x*}" -y "$((${1#*x} + 1))" \
        "WB_MARK='$WB_MARK' TMPDIR='$TMPDIR' '$root/scripts/demo' ${*:2}; echo status \$?; sleep 60"
    pid_of[screen]=$(tmux -L outer display-message -p '#{pid}')
}

screen() {
    tmux -L outer capture-pane -p | sed 's/│/|/g; s/[─┬]/-/g'
}

# until_screen PATTERN: until a line of it matches.
until_screen() {
    local end=$((SECONDS + patience))
    until screen | grep -q -e "$1"; do
        [ "$SECONDS" -lt "$end" ] || flunk "waited in vain for '$1' on this screen: $(screen)" || return 1
        sleep 0.05
    done
}

close_screen() {
    tmux -L outer kill-server
    unset "pid_of[screen]"
}

@test "demo --split: are both sides there, with one clock, until a key is pressed?" {
    only_in plain long
    setup_demo
    screen_demo 160x40 --split echo
    until_screen 'Who is served?.*q quits  *[0-9]*\.[0-9] s *$'
    screen >"$T/screen.out"
    line=$(head -n 1 "$T/screen.out")
    [[ $line == *' blocking '*' non-blocking '* ]] || flunk "$line"
    # On either side each line has the time; and they run at the same time.
    cut -c 1-80 "$T/screen.out" | sed '1d;$d' >"$T/left.out"
    cut -c 82-160 "$T/screen.out" | sed '1d;$d' >"$T/right.out"
    for side in left right; do
        is "$(grep -v '^ [ 0-9][0-9]*\.[0-9][0-9] [*=a-z]' "$T/$side.out" | tr -d ' │|')" ''
        grep '[0-9]' "$T/$side.out" | sort -c -s -n -k 1,1
        holds "$(awk 'NR == 1 { print $1 }' "$T/$side.out") < 1"
    done
    waited=$(sed -n 's/.*=> blocking: client 2 waited *//p' "$T/left.out" | sed 's/ s.*//')
    holds "$waited > 1"
    grep -q 'echo_blocking' "$T/left.out"
    grep -q 'echo_busypoll' "$T/right.out"
    # A pane ends at the border: nothing is cut off, or wrapped by the terminal.
    is "$(sed '1d;$d' "$T/screen.out" | grep -v '^.\{80\}|' || true)" ''
    tmux -L outer send-keys Enter
    until_screen '^status '
    screen >"$T/screen.out"
    grep -q "^   blocking: client 2 waited *$waited s" "$T/screen.out"
    grep -q '^   busy-poll: CPU of the server ' "$T/screen.out"
    grep -q '^status 0$' "$T/screen.out"
    close_screen
    left_nothing
}

@test "demo --split: does it end by itself with --quick, on 80 columns too, with all the numbers?" {
    only_in plain long
    setup_demo
    screen_demo 80x24 --quick --split send connect
    until_screen '^status '
    screen | grep -q '^status 0$'
    for number in 'one call held' 'each one checked' 'gave up by itself after' 'stuck until it was stopped'; do
        screen | grep -q "^   .*$number.*  [0-9]" || flunk "$(screen)"
    done
    close_screen
    left_nothing
}

@test "demo --split: do Ctrl-C, a signal and a side that fails end it, with nothing left?" {
    only_in plain long
    setup_demo
    for way in key:130 signal:143 failure:1; do
        screen_demo 160x40 --split echo
        until_screen '^.\{9,20\}2 | connected'
        until_screen '^.\{90,\}2 | connected'
        case ${way%:*} in
        key) tmux -L outer send-keys C-c ;;
        *)
            for environment in $(marked "$WB_MARK"); do
                pid=${environment#/proc/}
                pid=${pid%/environ}
                case ${way%:*}:$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
                signal:*'demo --split echo ') kill "$pid" ;;
                failure:*/echo_blocking*) kill -KILL "$pid" ;;
                esac
            done
            ;;
        esac
        until_screen '^status '
        screen | grep -q "^status ${way#*:}$" || flunk "$way: $(screen)"
        [ "$way" != failure:1 ] || screen | grep -q "^demo: the blocking side failed: 'client 2' failed: exit status 1"
        close_screen
        left_nothing
    done
}

@test "demo --split: is it one side after the other, and is that said, where there is no tmux?" {
    only_in plain long
    setup_demo
    mkdir "$T/path"
    tr : '\n' <<<"$PATH" | while read -r folder; do
        ln -s "$folder"/* "$T/path" 2>/dev/null || true
    done
    rm -f "$T/path/tmux"
    PATH=$T/path demo --quick --split connect </dev/null
    is "$status: $stderr" '0: demo: tmux is not installed; playing one side after the other'
    for side in blocking non-blocking; do
        is "$(times "Connecting to a host that does not answer ($side)")" 1
    done
    is "$(sed -n 's/^ *[0-9]*\.[0-9][0-9] => //p' <<<"$output" | sed 's/   */ /')" \
        "$(sed '1,/^All numbers measured/d' <<<"$output" | sed -n 's/^   //p' | sed 's/   */ /')"
    is "$(awk 'length > 80' <<<"$output")" ''
    left_nothing
}

@test "demo: is bad usage told?" {
    for arguments in --loud 'no-such-act' '--quick echo tragedy'; do
        # shellcheck disable=SC2086 # words on purpose
        demo $arguments
        is "$status: $output" '2: '
        [[ $stderr == 'demo: there is no '*"Try 'scripts/demo --help'." ]] || flunk "$stderr"
    done
    for arguments in '--split --pause' '--split udp'; do
        # shellcheck disable=SC2086 # words on purpose
        demo $arguments
        is "$status: $output" '2: '
        [[ $stderr == *"Try 'scripts/demo --help'." ]] || flunk "$stderr"
    done
    demo --help
    is "$status: $stderr" '0: '
    [[ $output == 'demo - '*'Usage: scripts/demo'* ]]
}
