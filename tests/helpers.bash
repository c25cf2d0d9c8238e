# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# helpers - start programs, wait for their output, and leave nothing behind. Every
# program runs with --stop-after, so that it ends even if a test is killed.

bats_require_minimum_version 1.5.0

root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
build=${WB_BUILD:-$root/build}
bin=$build/bin

# scripts/test runs one of three tiers: quick, plain or long. Plain is also what
# bats alone runs.
tier=${WB_TIER:-plain}

# How long a program may run, and how many seconds a test waits for something.
bound=30s
patience=20

setup() {
    T=$BATS_TEST_TMPDIR
    cd "$T" || return 1
    declare -gA pid_of=() keyboard=()
    links=''
    unset WB_FAULTS CLICOLOR_FORCE NO_COLOR
    # witness.so is loaded before the sanitizer; that is fine.
    export ASAN_OPTIONS=verify_asan_link_order=0
}

teardown() {
    local role
    for role in "${!pid_of[@]}"; do
        kill -KILL "${pid_of[$role]}" 2>/dev/null
        wait "${pid_of[$role]}" 2>/dev/null
    done
    [ -z "$links" ] || rm -r "$links"
}

# flunk MESSAGE: print it and the last output of all programs, and fail.
flunk() {
    local file
    echo "$*"
    for file in "$T"/*.out "$T"/*.err; do
        [ ! -s "$file" ] || tail -n 20 "$file" | cut -c 1-240 | sed "s|^|${file##*/}: |"
    done
    return 1
}

# is FOUND EXPECTED: fail, and show the difference, unless both are the same.
is() {
    if [ "$1" = "$2" ]; then
        return 0
    elif [[ $1$2 = *$'\n'* ]]; then
        diff -U 0 --label found --label expected <(printf '%s\n' "$1") <(printf '%s\n' "$2")
        flunk "found lines begin with -, expected ones with +"
    else
        flunk "found '$1', expected '$2'"
    fi
}

# agree PLACE ENTRIES OTHER-PLACE ENTRIES WHAT-TO-DO: do both places have the same
# entries, one a line, in any order? Says which one is missing where if not.
agree() {
    local missing surplus
    missing=$(comm -13 <(sort <<<"$2") <(sort <<<"$4"))
    surplus=$(comm -23 <(sort <<<"$2") <(sort <<<"$4"))
    [ -n "$missing$surplus" ] || return 0
    [ -z "$missing" ] || echo "not in $1, but in $3: ${missing//$'\n'/, }"
    [ -z "$surplus" ] || echo "in $1, but not in $3: ${surplus//$'\n'/, }"
    flunk "What to do: $5"
}

# The programs of demos/, a name a line.
every_program() {
    basename -s .c "$root"/demos/*/*.c
}

# The exercises, a name a line.
every_exercise() {
    basename -s .ex "$root"/scripts/exercises/*.ex
}

# The pairs of demos/pairs: two names and their limits, a line each.
every_pair() {
    grep -v -e '^#' -e '^$' "$root/demos/pairs"
}

# What stands behind the options on a program's usage line.
operands_of() {
    "$(program "$1")" --help | sed -n '1s/.*\[OPTION\]... //p;1s/^\(Usage: .*\)\[OPTION\]\.\.\.$/\1/p'
}

# The programs whose operands begin like this.
programs_with() {
    local name
    for name in $(every_program); do
        [[ $(operands_of "$name")\  != "$1 "* ]] || echo "$name"
    done
}

# says TEXT...: are these in $output, in this order?
says() {
    local rest=$output text
    for text in "$@"; do
        [[ $rest == *"$text"* ]] || flunk "'$text' is missing in this output, or stands before what was asked for first: $output" || return 1
        rest=${rest#*"$text"}
    done
}

# holds 'EXPRESSION': arithmetic, with decimals.
holds() {
    awk "BEGIN { exit !($1) }" || flunk "does not hold: $1"
}

# --- Tiers ---------------------------------------------------------------------

# worth EXERCISE...: how many points its checks are worth, or theirs together.
worth() {
    local name
    for name in "$@"; do
        "$build/judge/judge" --list "$name"
    done | awk -F '\t' '{ sum += $2 } END { print sum }'
}

# only_in TIER...: the others leave this test out. scripts/test looks for this
# call, in the first line of a test, and does not even begin it.
only_in() {
    [[ " $* " == *" $tier "* ]] || leave_out "it is for $*"
}

# beyond_the_task: this test asks for words, counts or calls that no exercise asks
# for. 'scripts/exercise check --full' tries a student's program: not here.
beyond_the_task() {
    [ -z "${WB_FULL:-}" ] || leave_out 'no exercise asks for it'
}

# The words 'left out' tell scripts/test that nothing is missing here.
leave_out() {
    skip "left out: $*"
}

# how_many WHAT QUICK PLAIN LONG: prints that of the tier.
how_many() {
    local count=$4
    case $tier in
    quick) count=$2 ;;
    plain) count=$3 ;;
    esac
    [ "$count" -eq "$4" ] || tell_sampled "$count of $4 $1"
    echo "$count"
}

# sample WHAT QUICK PLAIN ITEM...: in their order, so many of them, one a line,
# and all in the tier long. The seed chooses which ones.
sample() {
    local count
    case $tier in
    quick) count=$2 ;;
    plain) count=$3 ;;
    *) count=$# ;;
    esac
    [ "$count" -ge $(($# - 3)) ] || tell_sampled "$count of $(($# - 3)) $1"
    printf '%s\n' "${@:4}" | awk -v seed="${WB_SEED:-1}" -v count="$count" '
        # A generator of our own: that of awk is another one in each awk.
        function random(below) {
            state = state * 16807 % 2147483647
            return state % below
        }
        { item[NR] = $0; place[NR] = NR }
        END {
            for (state = seed % 2147483646 + 1; warm < 10; warm++)
                random(1)
            for (i = 1; i <= NR && i <= count; i++) {
                other = i + random(NR - i + 1)
                chosen[place[other]] = 1
                place[other] = place[i]
            }
            for (i = 1; i <= NR; i++)
                if (i in chosen)
                    print item[i]
        }'
}

# What scripts/test shows at its end.
tell_sampled() {
    [ -z "${WB_SAMPLED:-}" ] || echo "$(basename "$BATS_TEST_FILENAME" .bats): $*" >>"$WB_SAMPLED"
}

# What several parts of a file need and make only once is in this folder.
shared=${WB_SHARED:-${BATS_FILE_TMPDIR:-}}

# once NAME COMMAND...: whoever comes first does it; the others wait until it is
# done, and fail if it has failed.
once() {
    local name=$1 end=$((SECONDS + 400)) result=0
    shift
    if mkdir "$shared/$name.begun" 2>/dev/null; then
        "$@" || result=$?
        echo "$result" >"$shared/$name.new"
        mv "$shared/$name.new" "$shared/$name.status"
    fi
    until [ -f "$shared/$name.status" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "another test does not get ready: $*" || return 1
        sleep 0.1
    done
    [ "$(cat "$shared/$name.status")" -eq 0 ] || flunk "this has failed, here or in another test: $*"
}

# --- Programs --------------------------------------------------------------------

program() {
    if [ -x "$bin/$1" ]; then
        echo "$bin/$1"
    else
        echo "$build/tests/$1"
    fi
}

# A shell starts background programs with SIGINT ignored; this undoes it.
default_int=--default-signal=INT
env "$default_int" true 2>/dev/null || default_int=''

needs_int() {
    [ -n "$default_int" ] || skip "env has no --default-signal here"
}

# launch ROLE [NAME=VALUE]... COMMAND [ARGUMENT]...: run COMMAND in the background,
# with its output in ROLE.out and ROLE.err, and the file or FIFO $input as stdin.
# It does not inherit descriptors 3 and 4, which bats uses, nor those with which
# the test writes to other programs.
launch() {
    local role=$1
    shift
    : >"$T/$role.out" # forget the output of an earlier program
    : >"$T/$role.err"
    (
        for fd in 5 "${keyboard[@]}"; do
            exec {fd}>&-
        done
        exec env ${default_int:+"$default_int"} ${shim:+"LD_PRELOAD=$shim"} "$@"
    ) <"${input:-/dev/null}" >>"$T/$role.out" 2>"$T/$role.err" 3>&- 4>&- &
    pid_of[$role]=$!
}

# start ROLE PROGRAM [ARGUMENT]...: launch one of our programs, with a report.
start() {
    launch "$1" "$(program "$2")" --stop-after "$bound" --report "${@:3}"
}

# with_faults FAULTS COMMAND...: what the command launches meets these faults.
with_faults() {
    local -x WB_FAULTS=$1
    local shim=$build/judge/witness.so
    [ -f "$shim" ] || flunk "there is no $shim, so no fault would come"
    # The loader splits LD_PRELOAD at spaces and colons, and expands '$' (ld.so(8)).
    if [[ $shim == *[[:space:]:\$]* ]]; then
        [ -n "$links" ] || links=$(mktemp -d /tmp/wouldblock-XXXXXX)
        ln -sf "$shim" "$links"
        shim=$links/witness.so
    fi
    "${@:2}"
}

# serve ROLE PROGRAM [ARGUMENT]...: start a server; sets port once it listens.
serve() {
    start "$@" 0
    listens "$1"
}

# Wait until the server in this role listens; sets port.
listens() {
    wait_for "$1.out" '^listening on '
    port=$(sed -n '1s/.* //p' "$T/$1.out")
}

# wait_for FILE PATTERN: wait until a line of the file matches.
wait_for() {
    local end=$((SECONDS + patience))
    until grep -q -e "$2" "$T/$1" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || flunk "waited in vain for '$2' in $1" || return 1
        sleep 0.02
    done
}

# finish ROLE: wait until the program has ended; sets status.
finish() {
    status=0
    wait "${pid_of[$1]}" || status=$?
    unset "pid_of[$1]"
}

# ends ROLE: like finish, but kill the program and fail if it takes too long.
ends() {
    local end=$((SECONDS + patience)) pid=${pid_of[$1]} state
    while read -r state 2>/dev/null <"/proc/$pid/stat" && [[ ${state##*) } != Z* ]]; do
        if [ "$SECONDS" -ge "$end" ]; then
            kill -KILL "$pid"
            flunk "$1 does not end" || return 1
        fi
        sleep 0.02
    done
    finish "$1"
}

# stop ROLE [SIGNAL]: signal the program and wait until it has ended; sets status.
stop() {
    kill "-${2:-TERM}" "${pid_of[$1]}"
    finish "$1"
}

# value ROLE KEY: a value from the report at the end.
value() {
    tr ' ' '\n' <"$T/$1.out" | sed -n "s/^$2=//p"
}

# client PROGRAM [ARGUMENT]...: run it until it ends; sets status, output, stderr.
client() {
    local name=$1
    shift
    run --separate-stderr "$(program "$name")" --stop-after "$bound" "$@"
}

# Check that the server still serves: a new client gets an echo.
still_serves() {
    client echo_client 127.0.0.1 "$port" 'still there?'
    is "$status: $output" '0: still there?'
}

# ticks ROLE: CPU time that a running program has used, in clock ticks (proc(5)).
ticks() {
    sed 's/.*) //' "/proc/${pid_of[$1]}/stat" | awk '{ print $12 + $13 }'
}

descriptors() {
    find "/proc/${pid_of[$1]}/fd" -type l | wc -l
}

# Run by itself: the bats that runs this test is none of its business.
outer_path() {
    tr : '\n' <<<"$PATH" | grep -v bats-core | paste -s -d :
}

# resident ROLE: its memory, in kB.
resident() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${pid_of[$1]}/status"
}

# may_open COUNT: skip the test where a process may not have so many descriptors.
may_open() {
    local most
    most=$(ulimit -H -n)
    [ "$most" = unlimited ] || [ "$most" -ge "$1" ] || skip "this machine allows $most descriptors only"
}

# Wait until the program in this role sleeps in one call and uses no CPU: twice, a
# moment apart, it sleeps, and has never come back to wait anew in between (proc(5)).
until_asleep() {
    local end=$((SECONDS + patience)) before='' now=''
    until now=$(sed -n 's/^State:\t\(.\).*/\1/p; s/^voluntary_ctxt_switches:\t//p' "/proc/${pid_of[$1]}/status" | paste -s) &&
        [[ $now == S* && $now == "$before" ]]; do
        [ "$SECONDS" -lt "$end" ] ||
            flunk "$1 does not come to rest: its state, and how often it has waited, were '$before' and are '$now'" || return 1
        before=$now
        sleep 0.1
    done
}

# marked MARK: the processes with this mark in their environment.
marked() {
    grep -lz "^WB_MARK=$1\$" /proc/[0-9]*/environ 2>/dev/null
}
none_marked() {
    local end=$((SECONDS + 5))
    while [ -n "$(marked "$1")" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "still running: $(marked "$1")" || return 1
        sleep 0.05
    done
}

# children_of ROLE: the children of the program (proc(5)).
children_of() {
    local list=''
    read -r list <"/proc/${pid_of[$1]}/task/${pid_of[$1]}/children" || : # no newline
    echo "$list"
}

# record NAME COMMAND...: run COMMAND under the tracer, into NAME.trace.
record() {
    timeout 30 "$root/scripts/trace" --output "$T/$1.trace" "${@:2}" 3>&- 4>&-
}

# record_two_clients SERVER: record a server with two clients into SERVER.trace. The
# first says hello and stays for a while; the second connects meanwhile. The output
# of the server is in the file server.
record_two_clients() {
    cat >"$T/scene" <<SCENE
"$bin/$1" --log error --report --stop-after $bound 0 >"$T/server" &
server=\$!
until grep -qs '^listening' "$T/server"; do :; done
port=\$(sed -n '1s/.* //p' "$T/server")
"$bin/echo_client" --log error --hold 400ms 127.0.0.1 \$port hello >"$T/first" &
first=\$!
until grep -qs '^hello' "$T/first"; do :; done
"$bin/echo_client" --log error 127.0.0.1 \$port 'anybody there?'
wait \$first
kill \$server
wait
SCENE
    record "$1" bash "$T/scene"
}
