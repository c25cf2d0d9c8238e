# shellcheck shell=sh disable=SC2034,SC2154 # shared with lib.sh, stage.sh and demo
# SPDX-License-Identifier: MIT
#
# split.sh - play both sides of an act at the same time in tmux: blocking on the
# left, non-blocking on the right, one clock for both. Without tmux, play one
# side after the other.
#
# Each side is a process of its own, 'demo --side SIDE FOLDER ACT'. The processes
# talk to each other through files in FOLDER:
#
#   SIDE.go        a FIFO with the start time; the side waits for it
#   SIDE.numbers   the numbers that the side has measured
#   SIDE.err       its stderr
#   SIDE.ended     its exit status, if it ended by itself
#   SIDE.gone      the side has cleaned up and leaves nothing behind
#   panes          the sides run in panes, and stay there after they have ended
#   attached       a terminal shows the panes
#   both           both sides have ended: from now on a key counts
#   SIDE.listens   the side is waiting for that key
#   key            the key that was pressed
#   over           the sides must exit now

sides='blocking nonblocking'

# Does the act have two sides?
has_sides() {
    grep -q '^nonblocking()' "$root/scripts/acts/$1.sh"
}

side_title() {
    printf '%s' "$1" | sed 's/^non/&-/'
}

# Sets time, in hundredths of a second. All processes share this clock, and
# reading it starts no process (proc(5), uptime).
look_at_clock() {
    read -r time _ </proc/uptime
    time=$((${time%.*} * 100 + 1${time#*.} - 100))
}

# --- One side ----------------------------------------------------------------

# Shorten a line: a pane is narrow, and stamp adds its own time.
shorten() {
    text=${text#[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9] info   }
    case $columns:$text in
    [1-5][0-9]:*'127.0.0.1 port '*)
        text="${text%%127.0.0.1 port *}port ${text#*127.0.0.1 port }"
        ;;
    esac
}

# Put the time since the start in front of each line.
stamp() {
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        look_at_clock
        time=$((time - start))
        printf '%s%2d.%02d%s %s\n' "$dim" $((time / 100)) $((time % 100)) "$plain" "$line"
    done
}

leave_side() {
    left_with=$?
    trap '' HUP TERM INT
    close_stage
    # Unless the act was over already, or the other side ended it.
    [ -e "$folder/$side.ended" ] || [ -e "$folder/over" ] ||
        echo "$left_with" >"$folder/$side.ended"
    : >"$folder/$side.gone"
}

# play_side SIDE FOLDER ACT
play_side() {
    side=$1 folder=$2
    exec 2>"$folder/$side.err"
    size=$(stty size 2>/dev/null) || size='24 80'
    columns=$((${size#* } - 6)) # the stamp needs 6
    [ "$columns" -ge 60 ] || label=8
    open_stage "$folder"
    trap leave_side EXIT
    numbers=$folder/$side.numbers
    # shellcheck source=scripts/acts/echo.sh
    . "$root/scripts/acts/$3.sh"
    prepare
    mkfifo "$stage/lines"
    read -r start <"$folder/$side.go"
    stamp <"$stage/lines" &
    stamper=$!
    exec 9>&1 >"$stage/lines"
    "$side"
    exec >&9 9>&-
    wait $stamper
    echo 0 >"$folder/$side.ended"
    [ -e "$folder/panes" ] || return 0
    until_there both
    [ ! -e "$folder/over" ] || return 0
    # Discard keys that were pressed too early.
    stty -icanon -echo min 0 time 0
    dd bs=1000 count=1 >"$stage/typed" 2>&1
    : >"$folder/$side.listens"
    read_key
    printf '%s\n' "$key" >"$folder/key"
    until_there over
}

# until_there FILE: wait until that file exists, or the act is over.
until_there() {
    until [ -e "$folder/$1" ] || [ -e "$folder/over" ] || [ ! -d "$folder" ]; do
        sleep 0.1
    done
}

# --- Both of them ------------------------------------------------------------

# The panes run in a tmux server of our own, apart from any other and without
# the user's configuration.
tm() {
    TMUX='' TMUX_TMPDIR=$stage tmux -L "wouldblock-$$" -f /dev/null "$@"
}

# pane SIDE TMUX-COMMAND...: open a pane and play that side in it.
pane() {
    pane_side=$1
    shift
    tm "$@" sh "$root/scripts/demo" ${quick:+--quick} ${strict:+--strict} --side "$pane_side" "$folder" "$act"
}

dress_panes() {
    tm set -g prefix None
    tm set -g status-style "default${bold:+,reverse}"
    tm set -g status-left-length 60
    tm set -g status-left " $(title_of "$act")"
    tm set -g status-right-length 60
    tm set -g window-status-format ''
    tm set -g window-status-current-format ''
    tm set -g pane-border-status top
    tm set -g pane-border-style default
    tm set -g pane-active-border-style default
    tm set -g pane-border-format " #{pane_title} "
    tm select-pane -t :.1 -T "$(side_title nonblocking)"
    tm select-pane -t :.0 -T "$(side_title blocking)"
    tm select-pane -t :.0 # it gets the keys
}

# show_clock TEXT: show TEXT and the time since the start in the status line.
show_clock() {
    passed=$((time - start))
    tm set -g status-right "$1$((passed / 100)).$((passed % 100 / 10)) s "
}

# Runs in the background while tmux is attached: start both sides, show the
# clock, and detach at the end.
conduct() {
    tries=100
    until [ -n "$(tm list-clients 2>/dev/null)" ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return
        sleep 0.05
    done
    : >"$folder/attached"
    # If the terminal goes away, the panes must go too.
    tm set -g destroy-unattached on
    look_at_clock
    start=$time
    for side in $sides; do
        echo "$start" >"$folder/$side.go"
    done
    until [ -s "$folder/blocking.ended" ] && [ -s "$folder/nonblocking.ended" ]; do
        ! grep -qv '^0$' "$folder"/*.ended 2>/dev/null || break
        look_at_clock
        show_clock ''
        sleep 0.1
    done
    if [ -z "$quick" ] && ! grep -qv '^0$' "$folder"/*.ended; then
        : >"$folder/both"
        until_there blocking.listens
        show_clock 'any key: continue, q quits  '
        until_there key
    fi
    # A side that is stopped from now on has not failed.
    : >"$folder/over"
    tm detach-client -s wouldblock -E true
}

stop_panes() {
    [ -e "$folder/panes" ] || return 0
    : >"$folder/over"
    tm kill-server 2>/dev/null
    # The sides are children of tmux: we cannot wait for them.
    for side in $sides; do
        tries=100
        until [ -e "$folder/$side.gone" ] || [ ! -e "$folder/$side.err" ] || [ $tries -eq 0 ]; do
            tries=$((tries - 1))
            sleep 0.05
        done
    done
}

leave_split() {
    stop_panes
    close_stage
}

side_by_side() {
    size=$(stty size)
    : >"$folder/panes"
    pane blocking new-session -d -s wouldblock -x "${size#* }" -y "${size% *}" &&
        pane nonblocking split-window -h || return
    dress_panes 2>/dev/null # an old tmux may not know all of it
    conduct &
    conductor=$!
    pids="$conductor $pids"
    exec 8<&0 # the shell gives background processes another stdin
    tm attach <&8 2>"$folder/attach.err" &
    pids="$! $pids"
    wait_for $!
    exec 8<&-
    kill "$conductor" 2>/dev/null
    wait_for "$conductor" 2>/dev/null
    stop_panes
    [ -e "$folder/attached" ]
}

one_after_the_other() {
    for side in $sides; do
        curtain "$(title_of "$act") ($(side_title "$side"))"
        sh "$root/scripts/demo" ${quick:+--quick} ${strict:+--strict} --side "$side" "$folder" "$act" &
        pids="$! $pids"
        side_pid=$!
        look_at_clock
        echo "$time" >"$folder/$side.go"
        wait_for "$side_pid" || break
    done
}

new_folder() {
    folder=$(mktemp -d "$stage/split.XXXXXX") || fail "cannot make a temporary folder"
    mkfifo "$folder/blocking.go" "$folder/nonblocking.go"
    # Hold both ends open: otherwise a write blocks if a side does not start.
    exec 6<>"$folder/blocking.go" 7<>"$folder/nonblocking.go"
}

# Play both sides of $act. Status 1: the user wants to quit.
split_act() {
    new_folder
    if [ -z "$why_not" ] && ! side_by_side; then
        why_not='tmux cannot use this terminal'
        new_folder
    fi
    if [ -n "$why_not" ]; then
        printf '%s: %s; playing one side after the other\n' "$me" "$why_not" >&2
        one_after_the_other
    fi
    for side in $sides; do
        [ -s "$folder/$side.ended" ] || continue
        read -r ended <"$folder/$side.ended"
        [ "$ended" -lt 128 ] || exit "$ended"
        [ "$ended" -eq 0 ] ||
            fail "the $(side_title "$side") side failed: $(tail -n 1 "$folder/$side.err" | sed "s/^$me: //")"
    done
    # A side has not ended: the terminal was closed.
    [ -s "$folder/blocking.ended" ] && [ -s "$folder/nonblocking.ended" ] || exit 129
    cat "$folder/blocking.numbers" "$folder/nonblocking.numbers" >"$stage/numbers.$act"
    [ "$(cat "$folder/key" 2>/dev/null)" != q ]
}

# Sets why_not: why the sides cannot be shown side by side; empty if they can.
begin_split() {
    trap leave_split EXIT
    folder=$stage
    why_not=''
    if ! have tmux; then
        why_not='tmux is not installed'
    elif [ ! -t 0 ] || [ ! -t 1 ]; then
        why_not='stdin or stdout is not a terminal'
    elif size=$(stty size) && [ "${size#* }" -lt 76 ]; then
        why_not='the terminal is narrower than 76 columns'
    fi
}
