# shellcheck shell=sh disable=SC2034,SC2154 # shared with lib.sh and demo
# SPDX-License-Identifier: MIT
#
# stage.sh - functions for the acts of the demonstration. They start programs in
# roles and print each line with the name and colour of its role; they pause at
# beats, where an instructor can talk; they show the numbers just measured; and
# they record each scene and draw its timeline.
#
# An act is a file in scripts/acts: its title in a comment; a function prepare,
# which sets how long things take; and a function play, which calls 'beat ||
# return' wherever an instructor may want to talk. No program runs during a beat,
# so the talk can be as long as you like. An act with two sides has functions
# blocking and nonblocking, for --split.

# The width of the output, and of the role's name in it; a pane has less.
columns=80 label=9

# --- The stage ---------------------------------------------------------------

open_stage() {
    stage=$(mktemp -d ${1:+"$1/XXXXXX"}) || fail "cannot make a temporary folder"
    pids='' key='' trace='' no_trace='' side=${side:-}
    trap close_stage EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

close_stage() {
    # If a program failed, show output that was hidden until now.
    [ $? -ne 1 ] || [ ! -s "$stage/said" ] || cat "$stage/said" >&2
    stop_everything
    [ -z "${terminal_was:-}" ] || stty "$terminal_was" 2>/dev/null
    drop_recorder
    rm -rf "$stage"
}

# pids holds the processes that were started and not yet waited for.
stop_everything() {
    # One kill per process: a single kill could fail because one of them has
    # already ended. SIGCONT, since a stopped process handles SIGTERM only after
    # it continues. SIGCONT comes first: later it could disturb a leak checker
    # that has stopped the process while it exits.
    for pid in $pids; do
        kill -CONT "$pid" 2>/dev/null
        kill "$pid" 2>/dev/null
    done
    for pid in $pids; do
        wait_for "$pid" 2>/dev/null
    done
}

wait_for() {
    wait "$1"
    status=$?
    still=''
    for other in $pids; do
        [ "$other" = "$1" ] || still="$still $other"
    done
    pids=$still
    return $status
}

# --- Text --------------------------------------------------------------------

title_of() {
    sed -n 's/^# Title: //p' "$root/scripts/acts/$1.sh"
}

curtain() {
    explained=''
    line='------------------------------------------------------------------------'
    printf '\n%s%s%s\n%s%s%s\n%s%s%s\n\n' "$dim" "$line" "$plain" \
        "$bold" "$1" "$plain" "$dim" "$line" "$plain"
}

question() {
    printf '%sQuestion:%s %s\n' "$bold$yellow" "$plain" "$1"
    shift
    [ $# -eq 0 ] || printf '          %s\n' "$@"
}

answer() {
    printf '\n%sAnswer:%s   %s\n' "$bold$yellow" "$plain" "$1"
    shift
    [ $# -eq 0 ] || printf '          %s\n' "$@"
    [ -z "$refuted" ] || printf '%s\n' "But not in this run: $refuted." |
        fold -s -w $((columns - 10)) | sed "s/ *$//; s/.*/          $bold&$plain/"
}

scene() {
    record_anew
    goes_on "$1"
}

# A heading within the same scene: the recording continues.
goes_on() {
    printf '\n'
    printf '* %s\n' "$1" | fold -s -w "$columns" | sed "s/.*/$bold&$plain/"
}

# With --pause: ask the class for a prediction before the run, and give them a
# moment. Status 1 as for beat.
predict() {
    [ -n "$pause" ] || return 0
    printf '%sPredict:%s  %s\n' "$bold$yellow" "$plain" "$1"
    beat 2
}

# claim 'EXPRESSION' WORDS: check what the act says against the numbers of this
# run. EXPRESSION is arithmetic for awk. If it is false, the act says so, here and
# with its answer; with --strict, the demonstration fails. Compare counts, order and
# wide ratios: the machine may be busy.
claim() {
    [ -z "${WB_CLAIMS:-}" ] || printf '%s\t%s\t%s\n' "$act" "$2" "$1" >>"$WB_CLAIMS"
    awk "BEGIN { exit !($1) }" 2>/dev/null
    case $? in
    0) return 0 ;;
    1) ;;
    *) fail "a number is missing to check this: $2 ($1)" ;;
    esac
    [ -z "$strict" ] || fail "the numbers of this run contradict the act: $2 ($1)"
    refuted="${refuted:+$refuted; }$2"
    printf '%s\n' "Not this time: $2. We expected $1. $(reason_to_doubt)" |
        fold -s -w "$columns" | sed "s/ *$//; s/.*/$bold$yellow&$plain/"
}

# Why may the numbers of this run be unusual? The load is the average number of
# threads that ran, or waited for a processor or a disk, in the last minute (proc(5)).
# Our own programs count as well.
reason_to_doubt() {
    processors=$(getconf _NPROCESSORS_ONLN)
    { read -r load _ </proc/loadavg; } 2>/dev/null || load=0
    if awk "BEGIN { exit !($load > $processors) }"; then
        echo "The likely reason: this machine is busy (load $load, processors $processors)."
    else
        echo 'We do not know the reason: play this act again.'
    fi
}

# --- Recording -----------------------------------------------------------------

# Start a new trace. Without a tracer everything else works as usual; no_trace
# says why there is no trace.
record_anew() {
    trace='' no_trace='the tracer needs Linux'
    rm -f "$stage/trace"
    [ "$(uname -s)" = Linux ] || return 0
    find_recorder
    if no_trace=$("$build/trace/record" "$recorder" "$stage/trace" 268435456 '' new quiet true 2>&1); then
        trace=$stage/trace
    fi
}

# recorded ROLE COMMAND...: run COMMAND in place of this process, so that its pid
# is the one the caller knows.
recorded() {
    if [ -n "$trace" ]; then
        read -r own_pid _ </proc/self/stat # $$ is wrong in a background process
        export WB_TRACE="$trace" WB_TRACE_NAME="$own_pid:$1"
        export LD_PRELOAD="$recorder${LD_PRELOAD:+:$LD_PRELOAD}"
        export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
    fi
    shift
    exec "$@"
}

# Draw the timeline of this scene so far. A pane of --split has no room for it.
show_timeline() {
    [ -n "$trace" ] && [ -z "$side" ] || return 0
    printf '\n'
    "$build/trace/timeline" --no-table --width "$columns" ${bold:+--colour} \
        ${explained:+--no-legend} "$@" "$trace"
    explained=yes # the legend: once per act
    printf '\n'
}

# Show the lines in which two programs differ.
show_pair() {
    printf '\n%s\n' "What differs ($dim""scripts/pair $1 $2$plain):"
    CLICOLOR_FORCE=${bold:+1} sh "$root/scripts/pair" "$1" "$2" | sed 's/^/  /'
}

# Show a measured number now, and keep it for the table at the end.
number() {
    printf '%s\t%s\n' "$1" "$2" >>"$numbers"
    if [ "$columns" -ge 72 ]; then
        printf "%s=> %-$((columns < 76 ? 46 : 48))s %s%s\n" "$bold$cyan" "$1" "$2" "$plain"
    else
        { printf '%s\n' "$1" | fold -s -w $((columns - 3)) && printf '%s\n' "$2"; } |
            sed -e '1s/^/=> /' -e '1!s/^/   /' -e "s/.*/$bold$cyan&$plain/"
    fi
}

# The table of the acts that were played.
show_numbers() {
    ls "$stage"/numbers.* >/dev/null 2>&1 || return 0
    curtain 'All numbers measured in this run, on this machine'
    for act in "$@"; do
        [ -f "$stage/numbers.$act" ] || continue
        printf '%s%s%s\n' "$bold" "$(title_of "$act")" "$plain"
        while IFS=$(printf '\t') read -r label value; do
            printf '   %-48s %s%s%s\n' "$label" "$cyan" "$value" "$plain"
        done <"$stage/numbers.$act"
    done
}

# A moment to talk (--pause), or to read what is on the screen. Status 1 ends the
# act; key says what to do next.
beat() {
    key=''
    [ -z "$quick" ] || [ -n "$pause" ] || return 0
    if [ -z "$pause" ]; then
        # In the background, so that a signal is handled at once.
        sleep "${1:-2}" &
        pids="$! $pids"
        wait_for $!
        return 0
    fi
    printf '%s[Enter: continue   r: repeat act   s: next act   q: quit]%s ' "$dim" "$plain"
    read_key
    printf '\n'
    case $key in
    r | s | q) return 1 ;;
    *) return 0 ;;
    esac
}

# Read one key from a terminal, or the first character of a line otherwise. End
# of input counts as Enter.
read_key() {
    if [ -t 0 ]; then
        terminal_was=$(stty -g)
        stty -icanon -echo min 1 time 0
        key=$(dd bs=1 count=1 2>/dev/null)
        stty "$terminal_was"
        terminal_was=''
    else
        key=''
        IFS= read -r key || :
        key=$(printf '%.1s' "$key")
    fi
}

# --- Roles -------------------------------------------------------------------

role_colour() {
    case $1 in
    server) printf '%s' "$blue" ;;
    'client 2' | receiver) printf '%s' "$magenta" ;;
    *) printf '%s' "$green" ;;
    esac
}

# role_file 'client 1' report: the name of a file of that role.
role_file() {
    printf '%s/%s.%s' "$stage" "$(printf '%s' "$1" | tr ' ' '_')" "$2"
}

# Read what a program prints; show its first lines under the role's name; keep
# the report for later; tell the main script when the cue appears.
relay() {
    waiting=$2 shown=0
    while IFS= read -r text; do
        [ -z "$side" ] || shorten
        case $text in
        'report: '*)
            printf '%s\n' "$text" >"$(role_file "$1" report)"
            continue
            ;;
        esac
        shown=$((shown + 1))
        if [ $shown -gt 14 ]; then
            [ $shown -gt 15 ] || printf "%s%-${label}s|%s ...\n" "$3" "$1" "$plain"
        elif [ ${#text} -le $((columns - label - 2)) ]; then
            printf "%s%-${label}s|%s %s\n" "$3" "$1" "$plain" "$text"
        else
            printf '%s\n' "$text" | fold -s -w $((columns - label - 2)) |
                sed "s/^/$3$(printf "%-${label}s" "$1")|$plain /"
        fi
        [ -n "$waiting" ] || continue
        # shellcheck disable=SC2254 # the cue is a pattern
        case $text in
        $waiting)
            printf '%s\n' "$text" >"$(role_file "$1" cue)"
            waiting=''
            ;;
        esac
    done
    # The program ended without its cue: do not leave the main script waiting.
    [ -z "$waiting" ] || : >"$(role_file "$1" cue)"
}

# The command line of a role, as you would type it.
show_command() {
    typed="$ $1"
    shift
    for word in "$@"; do
        case $word in
        '' | *' '*) typed="$typed '$word'" ;;
        *) typed="$typed $word" ;;
        esac
    done
    [ ${#typed} -le 68 ] || typed=$(printf '%.65s...' "$typed")
    printf '%s\n' "$typed" | fold -s -w $((columns - label - 2)) |
        sed "s/.*/$colour$(printf "%-${label}s" "$role")|$plain $bold&$plain/"
}

# launch ROLE CUE PROGRAM [ARGUMENT]...: start a program in a role, and wait
# until it prints a line that matches the pattern CUE ('': do not wait). Sets
# cue_line. In any case the program ends within a minute.
launch() {
    role=$1 cue=$2 program=$3
    shift 3
    colour=$(role_colour "$role")
    rm -f "$(role_file "$role" report)" "$(role_file "$role" out)" "$(role_file "$role" cue)"
    mkfifo "$(role_file "$role" out)" "$(role_file "$role" cue)"

    show_command "$program" "$@"
    relay "$role" "$cue" "$colour" <"$(role_file "$role" out)" &
    relay_pid=$!
    recorded "$role" "$build/bin/$program" --report --stop-after 60s "$@" \
        >"$(role_file "$role" out)" 2>&1 </dev/null &
    program_pid=$!
    pids="$program_pid $relay_pid $pids"
    printf '%s %s\n' "$program_pid" "$relay_pid" >"$(role_file "$role" pids)"
    cue_line=''
    if [ -n "$cue" ]; then
        # Hide the shell's complaint if a signal interrupts the read.
        { read -r cue_line <"$(role_file "$role" cue)"; } 2>/dev/null
        [ -n "$cue_line" ] || fail "$program ended without printing '$cue'"
    fi
}

# serve ROLE PROGRAM [ARGUMENT]...: start a server; sets port, and server_pid.
serve() {
    role=$1
    shift
    launch "$role" 'listening on *' "$@" 0
    port=${cue_line##* }
    server_pid=$program_pid
}

# aside ROLE FILE PROGRAM [ARGUMENT]...: start a program that reads a file or
# FIFO and prints too much to show: its output goes to the role's text file.
aside() {
    role=$1 input=$2 program=$3
    shift 3
    colour=$(role_colour "$role")
    show_command "$program" "$@"
    recorded "$role" "$build/bin/$program" --report --log error --stop-after 60s "$@" \
        <"$input" >"$(role_file "$role" text)" 2>&1 &
    program_pid=$!
    pids="$program_pid $pids"
    printf '%s\n' "$program_pid" >"$(role_file "$role" pids)"
}

# until_said ROLE PATTERN: wait until a line in the role's text file matches.
until_said() {
    patience=400
    until grep -q -e "$2" "$(role_file "$1" text)" 2>/dev/null; do
        patience=$((patience - 1))
        [ $patience -gt 0 ] || fail "$1 did not print the expected line in time: $2"
        sleep 0.05
    done
}

# Wait until the program in this role has ended and all its lines are shown.
# Returns the exit status of the program.
finish() {
    read -r program_pid relay_pid <"$(role_file "$1" pids)"
    wait_for "$program_pid"
    ended=$?
    if [ -n "$relay_pid" ]; then
        wait_for "$relay_pid"
    else
        sed -n '/^report: /p' "$(role_file "$1" text)" >"$(role_file "$1" report)"
    fi
    return $ended
}

# The same, but fail if the program fails.
succeed() {
    finish "$1" || fail "'$1' failed: exit status $?"
}

# Stop the program in this role, and wait until it has ended.
dismiss() {
    read -r program_pid relay_pid <"$(role_file "$1" pids)"
    kill "$program_pid" 2>/dev/null
    succeed "$1"
}

# value ROLE KEY: a number from the closing report of the program in this role.
value() {
    tr ' ' '\n' <"$(role_file "$1" report)" | sed -n "s/^$2=//p"
}

# The share of one core that the program used while it ran, in percent.
cpu_share() {
    awk -v cpu="$(value "$1" cpu_seconds)" -v wall="$(value "$1" wall_seconds)" \
        'BEGIN { printf "%.1f %%", 100 * cpu / wall }'
}

# The same as a bare number.
cpu_percent() {
    percent=$(cpu_share "$1")
    printf '%s' "${percent% %}"
}

# in_seconds TIME: 300ms is 0.3.
in_seconds() {
    awk -v time="$1" 'BEGIN { print time / (time ~ /ms$/ ? 1000 : 1) }'
}

# in_unit SECONDS: with a suitable unit: 2.01 s, 3.4 ms or 120 us.
in_unit() {
    awk -v s="$1" 'BEGIN {
        if (s >= 1) printf "%.2f s", s
        else if (s >= 0.001) printf "%.1f ms", 1000 * s
        else printf "%.0f us", 1000000 * s
    }'
}

# 1234567 -> 1,234,567
with_commas() {
    printf '%s\n' "$1" | sed -e :a -e 's/\(.*[0-9]\)\([0-9]\{3\}\)/\1,\2/;ta'
}
