# shellcheck shell=sh disable=SC2034,SC2154 # shared with lib.sh and demo
# SPDX-License-Identifier: MIT
#
# stage.sh - what the acts of the demonstration are played on: programs in
# their roles, each line they print with the role's name and colour in front;
# beats at which an instructor can talk; the numbers just measured; and a
# timeline of each scene, for whatever is on the stage is recorded.
#
# An act is a file in scripts/acts: its title in a comment, a function prepare,
# which sets how long things take, and a function play, which calls 'beat ||
# return' wherever one may stop to talk. No program runs during a beat, so one
# may talk as long as one likes. An act with two sides has them in functions
# blocking and nonblocking, for --split.

# The room for what is printed, and in it for the name of a role; a pane has less.
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
    # What the programs said, if that was kept from view, and one failed.
    [ $? -ne 1 ] || [ ! -s "$stage/said" ] || cat "$stage/said" >&2
    stop_everything
    [ -z "${terminal_was:-}" ] || stty "$terminal_was" 2>/dev/null
    drop_recorder
    rm -rf "$stage"
}

# pids holds the processes that were started and not yet waited for.
stop_everything() {
    # One by one: one that has ended already must not spare the others; and one
    # that is stopped hears of it only when it goes on. It goes on first: while it
    # ends, a tool such as a leak checker may hold it, and must not be let down.
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

# --- Telling -----------------------------------------------------------------

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
}

scene() {
    record_anew
    goes_on "$1"
}

# The same of one that is the same scene still, with the same record.
goes_on() {
    printf '\n'
    printf '* %s\n' "$1" | fold -s -w "$columns" | sed "s/.*/$bold&$plain/"
}

# With --pause: what everybody may commit to before the run shows it, and a
# moment to do so. Status 1 as for beat.
predict() {
    [ -n "$pause" ] || return 0
    printf '%sPredict:%s  %s\n' "$bold$yellow" "$plain" "$1"
    beat 2
}

# claim 'EXPRESSION' WORDS: what the act tells has to hold for the numbers of
# this very run, as arithmetic of awk; otherwise the demonstration ends. Ratios,
# and wide ones: the machine may be busy with other things.
claim() {
    [ -z "${WB_CLAIMS:-}" ] || printf '%s\t%s\t%s\n' "$act" "$2" "$1" >>"$WB_CLAIMS"
    awk "BEGIN { exit !($1) }" ||
        fail "this run does not show what the act tells: $2 ($1)"
}

# --- The record ---------------------------------------------------------------

# A new trace for what comes now. Without a tracer everything else is the same;
# no_trace says why there is none.
record_anew() {
    trace='' no_trace='the tracer needs Linux'
    rm -f "$stage/trace"
    [ "$(uname -s)" = Linux ] || return 0
    find_recorder
    if no_trace=$("$build/trace/record" "$recorder" "$stage/trace" 268435456 '' new quiet true 2>&1); then
        trace=$stage/trace
    fi
}

# recorded ROLE COMMAND...: in place of this process, for the pid counts.
recorded() {
    if [ -n "$trace" ]; then
        read -r own_pid _ </proc/self/stat # which $$ is not, in the background
        export WB_TRACE="$trace" WB_TRACE_NAME="$own_pid:$1"
        export LD_PRELOAD="$recorder${LD_PRELOAD:+:$LD_PRELOAD}"
        export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
    fi
    shift
    exec "$@"
}

# The timeline of this scene, so far. A side of --split has no room for it.
show_timeline() {
    [ -n "$trace" ] && [ -z "$side" ] || return 0
    printf '\n'
    "$build/trace/timeline" --no-table --width "$columns" ${bold:+--colour} \
        ${explained:+--no-legend} "$@" "$trace"
    explained=yes # once an act
    printf '\n'
}

# The lines in which two programs differ.
show_pair() {
    printf '\n%s\n' "What differs ($dim""scripts/pair $1 $2$plain):"
    CLICOLOR_FORCE=${bold:+1} sh "$root/scripts/pair" "$1" "$2" | sed 's/^/  /'
}

# Remember a measured number for the table at the end, and show it now.
number() {
    printf '%s\t%s\n' "$1" "$2" >>"$numbers"
    if [ "$columns" -ge 72 ]; then
        printf "%s=> %-$((columns < 76 ? 46 : 48))s %s%s\n" "$bold$cyan" "$1" "$2" "$plain"
    else
        { printf '%s\n' "$1" | fold -s -w $((columns - 3)) && printf '%s\n' "$2"; } |
            sed -e '1s/^/=> /' -e '1!s/^/   /' -e "s/.*/$bold$cyan&$plain/"
    fi
}

# The table of these acts, as far as they were played.
show_numbers() {
    ls "$stage"/numbers.* >/dev/null 2>&1 || return 0
    curtain 'All that was measured just now, on this machine'
    for act in "$@"; do
        [ -f "$stage/numbers.$act" ] || continue
        printf '%s%s%s\n' "$bold" "$(title_of "$act")" "$plain"
        while IFS=$(printf '\t') read -r label value; do
            printf '   %-48s %s%s%s\n' "$label" "$cyan" "$value" "$plain"
        done <"$stage/numbers.$act"
    done
}

# A moment to talk (--pause), or to read what stands there. Status 1 ends the
# act; the key pressed tells how to go on.
beat() {
    key=''
    [ -z "$quick" ] || [ -n "$pause" ] || return 0
    if [ -z "$pause" ]; then
        # In the background, so that a signal need not wait for its end.
        sleep "${1:-2}" &
        pids="$! $pids"
        wait_for $!
        return 0
    fi
    printf '%s[Enter: on   r: again   s: next act   q: quit]%s ' "$dim" "$plain"
    read_key
    printf '\n'
    case $key in
    r | s | q) return 1 ;;
    *) return 0 ;;
    esac
}

# One key of a terminal; else the first character of a line. No more input is
# the same as Enter.
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

# role_file 'client 1' report: a file of that role.
role_file() {
    printf '%s/%s.%s' "$stage" "$(printf '%s' "$1" | tr ' ' '_')" "$2"
}

# Reads what a program prints; shows its first lines under the role's name;
# keeps the report for later; tells the main script when the cue has come.
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
    # The program ended without it: do not leave the main script waiting.
    [ -z "$waiting" ] || : >"$(role_file "$1" cue)"
}

# The command line of a role, as one would type it.
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
# until it prints a line that matches the pattern CUE ('' waits for nothing).
# Sets cue_line. However things go, the program ends within a minute.
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
        # A signal would be a complaint of the shell's, too.
        { read -r cue_line <"$(role_file "$role" cue)"; } 2>/dev/null
        [ -n "$cue_line" ] || fail "$program ended before its cue"
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
# FIFO and says more than anybody wants to see: into the role's text.
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

# until_said ROLE PATTERN: wait until a line of the role's text matches.
until_said() {
    patience=400
    until grep -q -e "$2" "$(role_file "$1" text)" 2>/dev/null; do
        patience=$((patience - 1))
        [ $patience -gt 0 ] || fail "$1 does not say what was to be heard: $2"
        sleep 0.05
    done
}

# Wait until the program in this role has ended and all its lines are shown.
# The status is the program's.
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

# The same where the act makes no sense unless the program succeeds.
succeed() {
    finish "$1" || fail "the $1 did not end as it should"
}

# Ask the program in this role to end, and wait for that.
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

# in_unit SECONDS: as a person would say it: 2.01 s, 3.4 ms or 120 us.
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
