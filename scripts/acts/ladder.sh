# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: From busy-polling to epoll: select, poll, epoll

# One server with many clients, only one of them active.
one_of_many() {
    serve server "$1"
    launch load '' echo_load --connections "$many" --active 1 --idle "$idle" \
        --time "$busy" --watch "$server_pid" 127.0.0.1 "$port"
    succeed load
    dismiss server
    show_timeline
    idle_cpu=$(value load server_idle) trip=$(value load server_us)
    [ -n "$(value load server_kib)" ] || fail "this machine does not report the CPU time of a process"
    [ -n "$trip" ] || fail "no round trip was made in $busy: this machine is too busy"
    idle_share=$(awk -v share="$idle_cpu" 'BEGIN { printf "%.1f %%", 100 * share }')
    number "$1: CPU while idle" "$idle_share"
    number "$1: CPU time per round trip" "$trip us"
}

# Every server that sleeps saves CPU compared with the one that spins.
claim_idle() {
    claim "$busy_idle > 5 * $idle_cpu" "$1 uses much less CPU while idle than busy-polling"
}

prepare() {
    many=${quick:+300}
    many=${many:-900}
    idle=${quick:+200ms}
    idle=${idle:-1s}
    busy=${quick:+100ms}
    busy=${busy:-500ms}
}

play() {
    question 'Asking every socket uses a whole core. What else can a server ask,' \
        "and what does an answer cost with $many connections, one of them active?"
    beat 3 || return

    scene 'Busy-polling: ask each socket in turn, again and again.'
    predict "what does one round trip cost if the server asks $many sockets?" || return
    one_of_many echo_busypoll
    busy_idle=$idle_cpu busy_trip=$trip
    beat 2 || return

    show_pair echo_busypoll echo_select
    beat 5 || return
    scene 'select: hand the kernel the whole set at each call, and sleep.'
    predict 'how much CPU while idle, and how much per round trip?' || return
    one_of_many echo_select
    claim_idle select
    select_trip=$trip
    beat 2 || return

    show_pair echo_select echo_poll
    beat 5 || return
    scene 'poll: the same with a list of any length.'
    predict 'cheaper than select, more expensive, or the same?' || return
    one_of_many echo_poll
    claim_idle poll
    poll_trip=$trip
    beat 2 || return

    show_pair echo_poll echo_epoll
    beat 5 || return
    scene 'epoll: the kernel keeps the interest list and returns the ready ones.'
    predict 'how much CPU while idle and per round trip this time?' || return
    one_of_many echo_epoll
    claim_idle epoll
    claim "$busy_trip > 1.5 * $trip && $select_trip > 1.5 * $trip && $poll_trip > 1.5 * $trip" \
        'looking only at the ready socket is cheaper than looking at every socket'
    beat 2 || return

    answer 'A server that sleeps in the kernel uses hardly any CPU while idle.' \
        'But select and poll look at every socket to find one; epoll looks only' \
        'at that one. (scripts/scale measures up to 10,000 connections.)'
    beat 3
}
