# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Up the ladder: select, poll, epoll

# One server with many clients, of which one talks.
one_of_many() {
    serve server "$1"
    launch load '' echo_load --connections "$many" --active 1 --idle "$idle" \
        --time "$busy" --watch "$server_pid" 127.0.0.1 "$port"
    succeed load
    dismiss server
    show_timeline
    idle_cpu=$(value load server_idle) trip=$(value load server_us)
    [ -n "$trip" ] || fail "this machine does not tell how much processor time a program used"
    idle_share=$(awk -v share="$idle_cpu" 'BEGIN { printf "%.1f %%", 100 * share }')
    number "$1: CPU while nobody talks" "$idle_share"
    number "$1: CPU for one round trip" "$trip us"
}

# What every waiting server has over the one that asks all the time.
claim_idle() {
    claim "$busy_idle > 3 * $idle_cpu" "$1 uses next to no CPU while nobody talks"
}

prepare() {
    many=${quick:+50}
    many=${many:-900}
    idle=${quick:+200ms}
    idle=${idle:-1s}
    busy=${quick:+100ms}
    busy=${busy:-500ms}
}

play() {
    question 'Asking every socket burns a core. Who else could be asked, and what' \
        "does an answer cost with $many connections, of which one talks?"
    beat 3 || return

    scene 'Asking each socket, round after round.'
    predict "what does one round trip cost if $many sockets are asked?" || return
    one_of_many echo_busypoll
    busy_idle=$idle_cpu busy_trip=$trip
    beat 2 || return

    show_pair echo_busypoll echo_select
    beat 5 || return
    scene 'Handing the kernel a set, each time anew, and sleeping: select.'
    predict 'how much CPU while nobody talks, and for a round trip?' || return
    one_of_many echo_select
    claim_idle select
    beat 2 || return

    show_pair echo_select echo_poll
    beat 5 || return
    scene 'The same with a list, of any length: poll.'
    predict 'cheaper than select, dearer, or the same?' || return
    one_of_many echo_poll
    claim_idle poll
    beat 2 || return

    show_pair echo_poll echo_epoll
    beat 5 || return
    scene 'Leaving the list in the kernel, and asking what has changed: epoll.'
    predict 'and now?' || return
    one_of_many echo_epoll
    claim_idle epoll
    claim "$busy_trip > 1.5 * $trip" \
        'looking at the ready one alone is cheaper than asking everybody'
    beat 2 || return

    answer 'Whoever sleeps in the kernel uses no CPU while nothing happens. But' \
        'select and poll look at everybody for the sake of one; epoll looks at' \
        'that one alone. (scripts/scale measures up to 10,000 connections.)'
    beat 3
}
