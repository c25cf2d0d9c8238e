#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2034 # code for other shells; variables of helpers
# The recorder: what scripts/trace writes down about any program, and that the
# program does not notice. How that is drawn, timeline.bats asks.

load helpers

bats_require_minimum_version 1.5.0

setup_file() {
    [ "$(uname -s)" = Linux ] || skip "the recorder needs Linux"
}

# record COMMAND...: as scripts/trace does it, into t.trace, without its make.
# $how: new or add; $limit: bytes; $trace: another file; $tools: other tools.
record() {
    bare "${tools:-$build/trace}/record" "${tools:-$build/trace}/recorder.so" \
        "${trace:-$T/t.trace}" "${limit:-}" "${name:-}" "${how:-new}" quiet "$@"
}

# The same command without. Both find the same descriptors: none of bats' own.
bare() (
    for fd in {3..99}; do
        exec {fd}>&-
    done
    exec timeout 30 "$@"
)

# The same in the background, with a role. (A process of its own is told to
# stop, not one that waits for it.)
launch_recorded() {
    launch "$1" "$build/trace/record" "$build/trace/recorder.so" "${trace:-$T/t.trace}" \
        "${limit:-}" "${name:-}" "${how:-new}" quiet "${@:2}"
}

timeline() {
    run --separate-stderr timeout 30 "$build/trace/timeline" "$@"
}

# The list of a trace, without times and places: 'calls recv(3, 16) = 1'; a run
# of the same has its number behind it.
listed() {
    timeline --list "${1:-$T/t.trace}"
    is "$status: $stderr" '0: ' >&2 || return 1
    without_times <<<"$output"
}

without_times() {
    sed '1d; s/^ *[0-9.-]* *[0-9.]*  //; s/  # .*//; s/ in [0-9.]* [mu]*s$//; s/  */ /g'
}

# play NAME ARGUMENT: tests/calls, recorded; what it says in said.
play() {
    record "${calls:-$build/tests/calls}" "$@" >"$T/said" 2>"$T/err" || flunk "status $?: $(cat "$T/err")"
}

# The recorded calls are those that the program says it made, in their order.
as_said() {
    diff "$T/said" <(listed) || flunk "recorded is not what was done"
}

# sum CALL [ANSWER]: how often it was made, from a list, where CALL is its name
# or begins with it, such as 'recv(3,'; with that answer.
sum() {
    awk -v call=" ${1%%(*}(" -v all=" $1" -v answer="${2:-}" '
        index($0, call) && index($0, all) && index($0, answer) {
            n = $0 ~ / x[0-9,]*$/ ? $NF : 1
            gsub(/[x,]/, "", n)
            sum += n
        }
        END { printf "%d\n", sum }'
}

# The same for each call that the program told the number of.
as_counted() {
    listed >"$T/list"
    while IFS=')' read -r call many; do
        is "$call)$many" "$call) $(sum "$call)" <"$T/list")"
    done <"$T/said"
}

# bytes CALL: what it moved, from a list.
bytes() {
    awk -v call=" $1(" '
        index($0, call) && !/= -1/ {
            n = $0 ~ / x[0-9,]*$/ ? $NF : 1
            gsub(/[x,]/, "", n)
            sub(/.* = /, "")
            all += $1 * n
        }
        END { printf "%d\n", all }'
}

# --- What is recorded --------------------------------------------------------

@test "trace: is every call recorded, once, in its order, with what it was asked and told?" {
    play all "$T/socket"
    [ "$(wc -l <"$T/said")" -gt 120 ]
    as_said
}

@test "trace: the same with IPv6?" {
    record "$build/tests/calls" ipv6 x >"$T/said" || [ $? -eq 3 ]
    grep -q AF_INET6 "$T/said"
    as_said
}

@test "trace: does each descriptor have its addresses, under whatever number?" {
    play all "$T/socket"
    timeline --list "$T/t.trace"
    # Both ends of a connection, from both sides.
    grep -q 'recv(40, 64) = 8  # 127.0.0.1:[0-9]* to 127.0.0.1:[0-9]*$' <<<"$output" || flunk "$output"
    grep -q 'accept(3) = 5  # listening on 127.0.0.1:[0-9]*$' <<<"$output"
    grep -q "accept(3) = 5  # listening on .*${T: -8}/socket$" <<<"$output" ||
        grep -q 'accept(3) = 5  # listening on [^1]*socket$' <<<"$output" || flunk "$output"
}

@test "trace: does tracing change neither output nor errno nor results?" {
    for arguments in "all $T/socket" 'ipv6 x' 'interrupted x' 'cancelled x' 'forks fork' 'again 1000'; do
        rm -f "$T/socket"
        # shellcheck disable=SC2086 # words on purpose
        bare "$build/tests/calls" $arguments >"$T/bare" || [ $? -eq 3 ]
        rm -f "$T/socket"
        # shellcheck disable=SC2086
        record "$build/tests/calls" $arguments >"$T/said" || [ $? -eq 3 ]
        # Ports are the kernel's choice.
        diff <(sed 's/port [1-9][0-9]*/port/' "$T/bare") <(sed 's/port [1-9][0-9]*/port/' "$T/said") || flunk "$arguments"
    done
}

@test "signals: are EINTR, calls of a handler, and a handler that jumps away recorded?" {
    play interrupted x
    as_said
}

@test "signals: is no call lost or counted twice, wherever a handler comes in between?" {
    only_in plain long
    play alarmed 100000
    as_counted
}

@test "threads: is one still cancelled in its call, and that call seen to have no end?" {
    play cancelled x
    grep -qx cleaned "$T/said"
    grep -qx cancelled "$T/said"
    sed -i '/^c[a-z]*$/d' "$T/said"
    as_said
}

@test "threads: has each a lane, and runs of its own, though they share a socket?" {
    play threads 1000
    listed >"$T/list"
    for lane in 2 3 4 5; do
        is "$lane: $(grep "^calls $lane " "$T/list" | sum 'recv(3, 16)' EAGAIN)" "$lane: 1000"
    done
    is "$(sum recv <"$T/list")" 4000
}

@test "processes: is the child of a fork recorded, with what it took over?" {
    for how in fork clone; do
        play forks "$how"
        sed -i '/a child ended/d' "$T/said"
        as_said
        timeline --list "$T/t.trace"
        is "$how $(grep -c 'calls 2 .*  # 127.0.0.1:[0-9]* to 127.0.0.1:[0-9]*$' <<<"$output")" "$how 2"
    done
}

@test "processes: are those of vfork, posix_spawn and system recorded, and their listener named?" {
    play execs x
    grep -qx 'vfork shares memory: 1' "$T/said"
    is "$(grep -c 'ended: 0$' "$T/said")" 3
    is "$(listed | sed 's/^calls [23] /calls /; s/^exe /calls /')" "$(grep '^calls ' "$T/said")"
    timeline --list "$T/t.trace"
    is "$(grep -c 'accept(3) = 5  # listening on 127.0.0.1:[0-9]*$' <<<"$output")" 3
}

@test "processes: are those of shells recorded, in the background too?" {
    record sh -c '"$0" ends exit & "$0" ends _exit; wait $!; ("$0" ends exit); exec "$0" ends exit' \
        "$build/tests/calls" >"$T/out" || is $? 5
    is "$(listed | grep -c socketpair)" 4
    # env -i forgets the recorder: that is not recorded, and does no harm.
    record env -i "$build/tests/calls" ends exit >"$T/out" || is $? 5
    timeline --list "$T/t.trace"
    is "$status: $stderr" "1: timeline: there is not a single call in $T/t.trace"
}

@test "ends: is each told from the others, and the program's own?" {
    for end in 'exit 5' '_exit 6' 'quick_exit 7' 'pthread_exit 0' 'abort 134' 'crash 139'; do
        run --separate-stderr record "$build/tests/calls" ends "${end% *}"
        is "$end: $status" "$end: ${end#* }"
        run bare "$build/tests/calls" ends "${end% *}"
        is "$end: $status" "$end: ${end#* }"
        listed | grep -q '^calls socketpair(\[3, 4\]) = 0$' || flunk "$end"
    done
}

# --- Runs and size -----------------------------------------------------------

# A run is cut where the thread was kept from running for long: how many records
# it makes depends on who else uses the processor, what it tells does not.
@test "runs: do a thousand and a hundred thousand EAGAINs take the same room?" {
    for many in 1000 100000; do
        play again "$many"
        listed >"$T/list"
        is "$many $(sum 'recv(3, 16)' EAGAIN <"$T/list")" "$many $many"
        holds "$(wc -l <"$T/list") < 100"
        stat -c %s "$T/t.trace"
    done >"$T/sizes"
    is "$(sed -n 1p "$T/sizes")" "$(sed -n 2p "$T/sizes")"
}

@test "runs: does a server that spins with two clients stay below 100 KB, however long?" {
    for time in 30ms 300ms; do
        rm -f "$T/t.trace"
        launch_recorded server "$bin/echo_busypoll" --log error --stop-after "$bound" 0
        listens server
        how=add launch_recorded one "$bin/echo_client" --log error --hold "$time" 127.0.0.1 "$port" hello
        how=add launch_recorded two "$bin/echo_client" --log error --hold "$time" 127.0.0.1 "$port" hello
        finish one
        finish two
        stop server
        holds "$(stat -c %s "$T/t.trace") < 100000"
    done
    # Runs of accept and of recv, side by side.
    listed | grep '^echo_busypoll ' >"$T/list"
    holds "$(sum recv EAGAIN <"$T/list") > 1000"
    holds "$(grep -c EAGAIN "$T/list") < $(sum recv EAGAIN <"$T/list") / 10"
}

# What was told between two lines that are no EAGAIN, sorted and with its number;
# so it does not matter into how many runs it was cut there.
in_turns() {
    awk '/ = -1 EAGAIN/ && !/ 17\)/ {
            many = $NF ~ /^x/ ? $NF : 1
            gsub(/[x,]/, "", many)
            sub(/ x[0-9,]*$/, "")
            asked[$0] += many
            next
        }
        { tell(); print }
        END { tell() }
        function tell(  line) {
            for (line in asked)
                print line " x" asked[line] | "sort"
            close("sort")
            delete asked
        }' "$@"
}

@test "runs: do they end at any other answer, success or wait of their thread?" {
    play turns x
    listed >"$T/list"
    diff <(in_turns "$T/said") <(in_turns "$T/list") || flunk "$(cat "$T/list")"
    # And at a long while without a call: computing, or waiting unseen.
    is "$(grep -c ' 18)' "$T/list") $(grep -c ' 19)' "$T/list")" '2 2'
}

@test "runs: does each nap of a server that asks end them?" {
    launch_recorded server "$bin/echo_busypoll" --nap 1ms --log error --stop-after "$bound" 0
    listens server
    client echo_client --hold 50ms 127.0.0.1 "$port" hello
    stop server
    listed >"$T/list"
    holds "$(grep -c nanosleep "$T/list") > 1"
    is "$(grep -c 'nanosleep.* x' "$T/list" || :)" 0
    is "$(grep -c 'EAGAIN x' "$T/list" || :)" 0
}

@test "runs: are all of many calls there, over many windows, and in their order?" {
    play many 3000
    [ "$(stat -c %s "$T/t.trace")" -gt 200000 ]
    as_said
}

@test "runs: is nothing lost over many windows where each is ended by a transfer?" {
    play mixed 3000
    as_counted
    is "$(grep -c 'EAGAIN$' "$T/list") $(grep -c 'EAGAIN x' "$T/list" || :)" '6000 0'
}

@test "counts: are they those of the program's own report?" {
    for name in echo_busypoll echo_poll; do
        launch_recorded server "$bin/$name" --report --log error --stop-after "$bound" 0
        listens server
        client echo_client 127.0.0.1 "$port" one two three
        stop server
        listed >"$T/list"
        is "$name $(value server calls)" "$name $(($(sum accept <"$T/list") + $(sum recv <"$T/list") + $(sum send <"$T/list")))"
        is "$name $(value server again)" "$name $(($(sum accept EAGAIN <"$T/list") + $(sum recv EAGAIN <"$T/list") + $(sum send EAGAIN <"$T/list")))"
        is "$name $(value server bytes_received)" "$name $(bytes recv <"$T/list")"
        is "$name $(value server bytes_sent)" "$name $(bytes send <"$T/list")"
    done
}

@test "counts: the same of a sender that is told to come again?" {
    serve sink sink --log error
    launch_recorded sender "$bin/send_all" --report --log error --stop-after "$bound" 127.0.0.1 "$port"
    finish sender
    is "$status" 0
    listed >"$T/list"
    is "$(value sender calls)" "$(sum send <"$T/list")"
    is "$(value sender again)" "$(sum send EAGAIN <"$T/list")"
    is "$(value sender bytes_sent)" "$(bytes send <"$T/list")"
}

# --- Ends that nobody wished for ---------------------------------------------

@test "killed: does a trace tell of the call that was never finished, and who did it?" {
    for signal in KILL TERM; do
        launch_recorded victim "$build/tests/calls" ends waits
        until_asleep victim
        child=$(children_of victim)
        kill "-$signal" "$child"
        finish victim
        is "$signal $status" "$signal $((128 + $(kill -l "$signal")))"
        is "$(listed | tail -n 1)" 'calls recv(3, 16) = ...'
        timeline "$T/t.trace"
        says "SIG$signal"
    done
}

@test "killed: is a trace readable that nobody has finished?" {
    launch_recorded victim "$build/tests/calls" ends waits
    until_asleep victim
    is "$(listed | tail -n 1)" 'calls recv(3, 16) = ...'
    child=$(children_of victim)
    kill -KILL "${pid_of[victim]}"
    finish victim
    # What was run goes with the one that people know.
    gone "$child"
    is "$(listed | tail -n 1)" 'calls recv(3, 16) = ...'
}

# Until this process is no more.
gone() {
    local end=$((SECONDS + patience))
    while kill -0 "$1" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || flunk "process $1 is still there" || return 1
        sleep 0.02
    done
}

@test "signals: does what is sent to scripts/trace reach the command, and does nothing remain?" {
    needs_int
    for signal in INT TERM; do
        WB_MARK=$BATS_TEST_NUMBER-$$ launch server "$root/scripts/trace" --output "$T/t.trace" \
            "$bin/echo_poll" --report --log error --stop-after "$bound" 0
        listens server
        stop server "$signal"
        # It ended by itself, as it does when asked to.
        is "$signal $status $(value server program)" "$signal 0 echo_poll"
        none_marked "$BATS_TEST_NUMBER-$$"
    done
    launch sleeper "$root/scripts/trace" --output "$T/t.trace" sleep 30
    wait_for_child sleeper
    stop sleeper TERM
    is "$status" 143
    is "$(cat "$T/sleeper.out" "$T/sleeper.err")" ''
}

# Until it has become the one that runs the command, and the command is there.
wait_for_child() {
    local end=$((SECONDS + patience))
    until child=$(children_of "$1") && [ -n "$child" ] &&
        [ "$(cat "/proc/${child%% *}/comm" 2>/dev/null)" = sleep ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "there is no child of $1" || return 1
        sleep 0.02
    done
}

@test "signals: does a command that ignores one inherit that?" {
    run record sh -c 'trap "" INT; exec "$@"' x grep SigIgn /proc/self/status
    [[ $output == *[2367abef] ]] || flunk "$output"
    run bash -c "trap '' INT; exec \"\$@\"" x "$build/trace/record" "$build/trace/recorder.so" "$T/t.trace" \
        '' '' new quiet grep SigIgn /proc/self/status
    [[ $output == *[2367abef] ]] || flunk "$output"
    run record grep -e SigIgn -e SigBlk -e SigCgt /proc/self/status
    traced=$output
    run bare grep -e SigIgn -e SigBlk -e SigCgt /proc/self/status
    is "$traced" "$output"
}

@test "descriptors: has a recorded program none more than before, and none open to its children?" {
    seen=$(bare ls /proc/self/fd)
    is "$(record ls /proc/self/fd)" "$seen"
    is "$(record sh -c 'exec ls /proc/self/fd')" "$seen"
}

# --- Under a filter of system calls --------------------------------------------

# filtered PLAY HOW: with the recorder as without, to the status of the play.
filtered() {
    [ -z "${SANITIZE:-}" ] || skip "a sanitizer makes calls of its own"
    run --separate-stderr bare "${calls:-$build/tests/calls}" "$@"
    [ "$status" -ne 3 ] || skip "no filter can be set here"
    is "$1 $2: $status" "$1 $2: ${how_it_ends:-7}"
    run --separate-stderr record "${calls:-$build/tests/calls}" "$@"
    is "$1 $2: $status: $stderr" "$1 $2: ${how_it_ends:-7}: "
    timeline --list "$T/t.trace"
    [[ $stderr == 'timeline: calls set a filter of system calls (seccomp): '* ]] || flunk "$stderr"
    is "$status" 0
    without_times <<<"$output" >"$T/list"
}

@test "filter: does a program live that is killed at any call but its own, and is it recorded?" {
    for how_set in prctl seccomp; do
        filtered filtered "$how_set"
        bare "${calls:-$build/tests/calls}" filtered "$how_set" >"$T/said" || is $? 7
        sed -i 's/port [1-9][0-9]*/port/' "$T/said" "$T/list"
        sed -i '/ read(/d; / write(/d' "$T/list" # on pipes, if they waited for long
        # Where nothing can be said of the clock, it is said that all is missing.
        [[ $stderr != *'nothing of it is recorded since then'* ]] || {
            is "$(grep -v '^calls 2 ' "$T/list" | diff "$T/said" - | grep '^>')" ''
            [ "$(wc -l <"$T/list")" -gt 5 ]
            continue
        }
        if [ "$how_set" = seccomp ]; then        # for all threads
            is "$(grep '^calls 2 ' "$T/list")" 'calls 2 recv(7, 20) = -1 EAGAIN'
            sed -i '/^calls 2 /d' "$T/list"
        fi
        diff <(in_turns "$T/said") <(in_turns "$T/list") || flunk "$how_set"
    done
    # It is the filter that the play is about.
    run bare env WB_GOES_TOO_FAR=1 "${calls:-$build/tests/calls}" filtered prctl
    is "$status" 159
}

@test "filter: does a program live that began under one, and is it said that it is not recorded?" {
    how_it_ends=0 filtered filters_and_runs x
    is "$(cat "$T/list")" 'calls socketpair([3, 4]) = 0'
}

# --- When recording is not possible --------------------------------------------

@test "limit: are calls counted that did not fit, and the rest told?" {
    limit=60000 play many 3000
    [ "$(stat -c %s "$T/t.trace")" -le 60000 ]
    timeline --list "$T/t.trace"
    is "$status" 0
    [[ $stderr =~ ^timeline:\ ([0-9,]+)\ calls\ are\ not\ in\ $T/t.trace:\ .*--limit ]] || flunk "$stderr"
    lost=${BASH_REMATCH[1]//,/}
    is "$((lost + $(tail -n +2 <<<"$output" | wc -l)))" 6001
}

@test "limit: does a program go on that has no descriptor left, no memory, or no right to a file?" {
    play many 3000
    cp "$T/said" "$T/expected"
    # At its end the leak detector needs descriptors of its own.
    export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
    for trouble in 'ulimit -S -n 5' 'ulimit -f 36' 'ulimit -v 30000'; do
        [ -z "${SANITIZE:-}" ] || [[ $trouble != *-v* ]] || continue
        run --separate-stderr timeout 30 bash -c "exec 3>&- 4>&-; exec \"\$0\" \"\$1\" '$T/t.trace' '' '' new quiet bash -c '$trouble; exec \"\$@\"' x \"\$2\" many 3000" \
            "$build/trace/record" "$build/trace/recorder.so" "$build/tests/calls"
        is "$trouble: $status: $stderr" "$trouble: 0: "
        is "$output" "$(cat "$T/expected")"
        timeline --list "$T/t.trace"
        case $trouble in
        *-v*) is "$status: $stderr" '0: ' ;;
        *) [[ $stderr == *' calls are not in '* ]] || flunk "$trouble: $stderr" ;;
        esac
    done
}

@test "refused: is a command that cannot be recorded not run, with a clear reason?" {
    touch "$T/no.trace"
    trace=$T/no.trace
    refused() {
        run --separate-stderr record "${@:2}"
        is "$status: $output" '1: '
        [[ $stderr == "trace: "$1* && ${#stderr_lines[@]} -eq 1 ]] || flunk "$stderr"
    }
    refused "cannot run no_such_command: there is no such command in PATH" no_such_command
    refused "cannot run ./no/such: No such file" ./no/such
    refused "cannot run $T: Is a directory" "$T"
    # A program for another kind of machine, by its first bytes.
    cp "$(type -P true)" "$T/other"
    printf '\001' | dd of="$T/other" bs=1 seek=4 conv=notrunc status=none
    refused "cannot record $T/other: it is a program for another machine" "$T/other"
    # Nothing was left of the trace that was there before.
    is "$(stat -c %s "$T/no.trace")" 0
}

@test "refused: is a static program, and a script for one?" {
    printf 'int main(void) { return 0; }\n' >"$T/static.c"
    "${CC:-cc}" -static -o "$T/static" "$T/static.c" 2>/dev/null || skip "nothing can be linked statically here"
    printf '#! %s -x\n' "$T/static" >"$T/script"
    chmod +x "$T/script"
    for command in static script; do
        run --separate-stderr record "$T/$command"
        is "$status: $output" '1: '
        [[ $stderr == "trace: cannot record $T/static: it is linked statically"* ]] || flunk "$stderr"
    done
}

@test "refused: is one that runs with somebody else's rights?" {
    [ "$(id -u)" -eq 0 ] || skip "only root can give a program away"
    cp "$(type -P true)" "$T/gift"
    chown nobody "$T/gift"
    chmod 4755 "$T/gift"
    run --separate-stderr record "$T/gift"
    is "$status: $output" '1: '
    [[ $stderr == "trace: cannot record $T/gift: it runs with the rights of somebody else"* ]] || flunk "$stderr"
}

@test "scripts: are those with an interpreter run, and those without one as by a shell?" {
    printf '#!/bin/sh\necho "$0 $1"\n' >"$T/with"
    printf 'echo "$1 $2"\n' >"$T/without"
    chmod +x "$T/with" "$T/without"
    is "$(record "$T/with" one two)" "$T/with one"
    is "$(record "$T/without" one two)" 'one two'
}

# --- The file ----------------------------------------------------------------

@test "file: is none replaced that is no trace, nor one that is being recorded?" {
    echo 'my thesis' >"$T/thesis"
    mkdir "$T/folder"
    mkfifo "$T/fifo"
    for file in thesis folder /dev/null /no/such/folder/it; do
        [[ $file == /* ]] || file=$T/$file
        trace=$file
        run --separate-stderr record true
        is "$file $status: $output" "$file 1: "
        [[ $stderr == "trace: "*"$file"* && ${#stderr_lines[@]} -eq 1 ]] || flunk "$stderr"
    done
    is "$(cat "$T/thesis")" 'my thesis'
    unset trace
    launch_recorded first "$build/tests/calls" ends waits
    until_asleep first
    run --separate-stderr record true
    is "$status: $output" '1: '
    [[ $stderr == "trace: $T/t.trace is being recorded just now: --add adds"* ]] || flunk "$stderr"
    is "$(listed | tail -n 1)" 'calls recv(3, 16) = ...'
    how=add record "$build/tests/calls" again 5 >"$T/out"
    stop first KILL
    is "$(listed | grep -c socketpair)" 2
    # Nobody is at it any more.
    play again 5
    as_said_but_runs
}

as_said_but_runs() {
    diff "$T/said" <(listed | sed 's/ x[0-9,]*$//' | uniq)
}

@test "file: may many commands make and add to one at the same time?" {
    for i in 1 2 3 4 5 6 7 8; do
        how=add launch_recorded "c$i" "$build/tests/calls" many 400
    done
    for i in 1 2 3 4 5 6 7 8; do
        finish "c$i"
        is "$i $status" "$i 0"
    done
    listed >"$T/list"
    is "$(grep -c socketpair "$T/list")" 8
    is "$(wc -l <"$T/list")" $((8 * 801))
    for i in '' ' 2' ' 3' ' 4' ' 5' ' 6' ' 7' ' 8'; do
        diff <(sed 's/^calls //' "$T/c1.out") <(sed -n "s/^calls$i \([a-z]\)/\1/p" "$T/list")
    done
}

@test "file: is a trace that another one has replaced left alone by those who still record?" {
    mkfifo "$T/input"
    exec 5<>"$T/input"
    input=$T/input launch_recorded first "$build/tests/calls" later 3000
    wait_for first.out ready
    mv "$T/t.trace" "$T/moved"
    play again 5
    echo go >&5
    finish first
    exec 5>&-
    is "$status" 0
    as_said_but_runs
    # What found its way into neither is told.
    timeline --list "$T/moved"
    [[ $stderr =~ ^timeline:\ ([0-9,]+)\ calls\ are\ not\ in ]] || flunk "$stderr"
    is "$((${BASH_REMATCH[1]//,/} + $(tail -n +2 <<<"$output" | wc -l)))" 6001
}

@test "file: what is said of one that is cut off, empty, garbage, or something else?" {
    play many 600
    size=$(stat -c %s "$T/t.trace")
    for length in 0 1 7 100 300 4095 4096 4097 20000 "$((size - 1))"; do
        head -c "$length" "$T/t.trace" >"$T/cut"
        timeline --list "$T/cut"
        is "$length: $status" "$length: 1"
        [[ $stderr == "timeline: "*"$T/cut"* ]] || flunk "$length: $stderr"
    done
    # What is whole of it is shown.
    says 'socketpair([3, 4]) = 0'
    head -c 50000 /dev/zero | tr '\0' x >"$T/garbage"
    mkdir "$T/folder"
    for file in garbage folder no_such_file ../trace.bats; do
        timeline --list "$T/$file"
        is "$file $status: $output" "$file 1: "
        [[ $stderr == "timeline: "*"$T/$file"* && ${#stderr_lines[@]} -eq 1 ]] || flunk "$file: $stderr"
    done
}

@test "file: does no damage crash the reader, or keep it busy?" {
    only_in plain long
    play all "$T/socket"
    size=$(stat -c %s "$T/t.trace")
    # The same places each time: a series that awk makes of a known seed.
    awk -v size="$size" 'BEGIN {
        x = 12345
        for (i = 0; i < 120; i++) {
            line = ""
            for (k = 0; k < 4; k++) {
                x = (x * 16807) % 2147483647
                at = i % 3 == 0 ? x % 4096 % 400 : 4096 + x % (size - 4096) % 6400
                x = (x * 16807) % 2147483647
                line = line " " at " " x % 256
            }
            print line
        }
    }' | while read -r -a flips; do
        cp "$T/t.trace" "$T/spoilt"
        for ((i = 0; i < ${#flips[@]}; i += 2)); do
            # shellcheck disable=SC2059 # an octal number is meant
            printf "\\$(printf %o "${flips[i + 1]}")" |
                dd of="$T/spoilt" bs=1 seek="${flips[i]}" conv=notrunc status=none
        done
        timeout 5 "$build/trace/timeline" --list "$T/spoilt" >"$T/out" 2>"$T/err" || is "${flips[*]}: $?" "${flips[*]}: 1"
    done
}

# --- scripts/trace itself ------------------------------------------------------

@test "command: are its options, its status and its words what the help says?" {
    only_in plain long
    run --separate-stderr bare "$root/scripts/trace" --output "$T/own.trace" "$build/tests/calls" ends exit
    is "$status: $output$stderr" '5: calls socketpair([3, 4]) = 0'
    run --separate-stderr bare "$root/scripts/trace" --output "$T/own.trace" --name 'my server' -- env A=1 "$build/tests/calls" again 3
    is "$status" 0
    is "$(listed "$T/own.trace" | grep '^my server ' | sum 'recv(3, 16)' EAGAIN)" 3
    run --separate-stderr bare "$root/scripts/trace" --output "$T/own.trace" --draw "$build/tests/calls" again 3
    is "$status: ${lines[0]}" '0: calls socketpair([3, 4]) = 0'
    [[ $stderr == *calls*recv* ]] || flunk "$stderr"
    for wrong in '' '--nonsense true' --output '--limit 5x true' '--limit 0 true'; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr "$root/scripts/trace" $wrong
        is "$wrong: $status: $output" "$wrong: 2: "
        [[ $stderr == "trace: "*"Try 'scripts/trace --help'." ]] || flunk "$stderr"
    done
}

@test "command: does it work where the path has spaces and colons?" {
    mkdir "$T/a place: mine"
    cp "$build/trace/record" "$build/trace/recorder.so" "$T/a place: mine"
    tools="$T/a place: mine" trace="$T/a place: mine/it.trace" record "$build/tests/calls" again 3 >"$T/said"
    is "$(listed "$T/a place: mine/it.trace" | sum 'recv(3, 16)' EAGAIN)" 3
}

# --- Other programs ------------------------------------------------------------

@test "python: are the calls of socket, select and selectors recorded?" {
    only_in plain long
    python3 -c 'import socket, select, selectors, asyncio' 2>/dev/null || skip "python3 is not installed"
    cat >"$T/it.py" <<'END'
import asyncio, select, socket, subprocess, sys

async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello\n")
    print(await reader.readline())
    writer.close()
    server.close()

a, b = socket.socketpair()
a.setblocking(False)
try:
    a.recv(5)
except BlockingIOError:
    print("again")
b.sendall(b"12345")
print(select.select([a], [], [], 5)[0] == [a], a.recv(16))
asyncio.run(main())
print(subprocess.run([sys.executable, "-c", "import socket; a, b = socket.socketpair(); a.send(b'x')"]).returncode)
END
    export PYTHONDONTWRITEBYTECODE=1
    bare python3 "$T/it.py" >"$T/bare"
    record python3 "$T/it.py" >"$T/said"
    diff "$T/bare" "$T/said"
    listed >"$T/list"
    for call in 'recv([0-9]*, 5) = -1 EAGAIN' 'send[a-z]*([0-9]*, 5) = 5' 'recv([0-9]*, 16) = 5' \
        '[a-z]*(.*) = 1 (POLLIN)' 'epoll_wait(.*) = 1 (POLLIN' 'epoll_ctl(.*EPOLL_CTL_ADD, .*EPOLLIN) = 0' \
        'accept4*(.*) = [0-9]' 'connect(.*port [0-9]*) = -1 EINPROGRESS' 'send(.*, 6) = 6'; do
        grep -q "^python[^ ]* $call" "$T/list" || flunk "$call is not in $(cat "$T/list")"
    done
    # The child's, too.
    grep -q '^python[^ ]* 2 send([0-9]*, 1) = 1' "$T/list" || flunk "$(cat "$T/list")"
}

@test "nc: are the calls of a program recorded that nobody here has written?" {
    command -v nc >/dev/null || skip "nc is not installed"
    serve server echo_poll --log error
    echo 'hello' >"$T/line"
    run record timeout 10 nc -N 127.0.0.1 "$port" <"$T/line"
    [ "$status" -eq 0 ] || run record timeout 10 nc -q 1 127.0.0.1 "$port" <"$T/line"
    [ "$status" -eq 0 ] || skip "this nc ends neither with -N nor with -q"
    is "$output" hello
    listed >"$T/list"
    grep -q "^nc connect([0-9]*, port $port) = " "$T/list" || flunk "$(cat "$T/list")"
    grep -q '^nc write([0-9]*, 6) = 6' "$T/list" || grep -q '^nc send([0-9]*, 6) = 6' "$T/list"
    timeline --list "$T/t.trace"
    grep -q "6  # 127.0.0.1:[0-9]* to 127.0.0.1:$port" <<<"$output" || flunk "$output"
}

@test "failover: is the attempt that has lost closed, and not left to the end of the program?" {
    serve stuck tarpit
    stuck=$port
    serve server echo_poll
    record "$bin/connect_failover" --race 50ms --each 20s 127.0.0.1 "$stuck" 127.0.0.1 "$port" >"$T/failover.out"
    listed >"$T/list"
    is "$(grep -c ' connect(' "$T/list") $(grep -c ' close(' "$T/list")" '2 2'
}

@test "demos: does tracing change neither output nor exit status of any?" {
    only_in plain long
    declare -a with
    # alone PROGRAM ARGUMENT...
    alone() {
        echo "$1: $(timeout 20 "${with[@]}" "$bin/$1" "${@:2}" </dev/null 2>&1 3>&- 4>&-) $?"
    }
    # pair SERVER[ ARGUMENT]... CLIENT ARGUMENT... (HOST PORT is put in)
    pair() {
        local server client
        read -r -a server <<<"$1"
        read -r -a client <<<"$2"
        launch server "${with[@]}" "$bin/${server[0]}" "${server[@]:1}" --log error --stop-after "$bound" 0
        listens server
        echo "$2: $(timeout 20 "${with[@]/t.trace/c.trace}" "$bin/${client[0]}" --log error "${client[@]:1}" \
            127.0.0.1 "$port" ${3:+"$3"} <<<'a line' 2>&1 3>&- 4>&-) $?"
        # Those with one client end with it; the others when they are asked to.
        [[ $1 == sink* ]] || kill "${pid_of[server]}" 2>/dev/null || true
        finish server
        echo "$1: $(cat "$T/server.out" "$T/server.err") $status"
    }
    every() {
        for name in $(every_program); do
            case $name:$(operands_of "$name") in
            sink:* | chat_server:* | udp_client:*) ;; # with those who talk to it
            tarpit:*) pair tarpit 'connect_nonblocking --deadline 20ms' ;;
            chat_client:*) pair chat_server 'chat_client --stop-after 5s' ;; # which ends with its input
            echo_load:*) pair echo_poll 'echo_load --connections 3 --active 2 --time 200ms --idle 1ms' ;;
            send_*) pair 'sink --size 100000' "$name --size 100000" ;;
            udp_*) pair "$name" udp_client hello ;;
            *:PORT) pair "$name" echo_client hello ;;
            *:BEHAVIOUR*) pair echo_poll "$name --count 3 vanish" ;;
            *:*'[LINE]'*) pair echo_poll "$name" hello ;;
            *:'HOST PORT'*) pair echo_poll "$name" ;;
            *:'[ERRNO]'*) alone "$name" EAGAIN ;;
            *) alone "$name" --stop-after 20s ;;
            esac
        done
    }
    with=(env)
    every | sed 's/[0-9][0-9.,]*[a-z]*/N/g' >"$T/bare"
    with=("$build/trace/record" "$build/trace/recorder.so" "$T/t.trace" '' '' new quiet)
    every | sed 's/[0-9][0-9.,]*[a-z]*/N/g' >"$T/traced"
    for program in "$bin"/*; do
        grep -q "^${program##*/}" "$T/traced" ||
            flunk "${program##*/} was left out: add a case for it to 'every' above"
    done
    diff "$T/bare" "$T/traced" || flunk "tracing changes something"
}

@test "musl: does it all work with another C library?" {
    only_in plain long
    command -v musl-gcc >/dev/null || skip "musl-gcc is not installed"
    [ -z "${SANITIZE:-}" ] || skip "there are no sanitizers for it"
    make -s -C "$root" CC=musl-gcc BUILD="$root/build/musl-gcc" tracer "$root/build/musl-gcc/tests/calls" \
        >"$T/make.err" 2>&1 || flunk "make with musl-gcc has failed: $(tail -n 5 "$T/make.err")"
    is "$(grep recorder "$T/make.err")" ''
    tools=$root/build/musl-gcc/trace calls=$root/build/musl-gcc/tests/calls
    for arguments in "all $T/socket" 'interrupted x' 'cancelled x' 'forks fork' 'many 1000'; do
        # shellcheck disable=SC2086 # words on purpose
        play $arguments
        sed -i '/^c[a-z]*$/d; /a child ended/d' "$T/said"
        as_said
    done
    for how_set in prctl seccomp; do
        filtered filtered "$how_set"
    done
    # One is not preloaded into a program of the other.
    run --separate-stderr record "$(type -P true)"
    is "$status: $output" '1: '
    [[ $stderr == *'is loaded by '*', and the recorder was built for '* ]] || flunk "$stderr"
}
