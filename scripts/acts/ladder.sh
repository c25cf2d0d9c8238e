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
    idle_share=$(awk -v share="$(value load server_idle)" 'BEGIN { printf "%.1f %%", 100 * share }')
    number "$1: CPU while nobody talks" "$idle_share"
    number "$1: CPU for one round trip" "$(value load server_us) us"
}

play() {
    many=${quick:+50}
    many=${many:-900}
    idle=${quick:+200ms}
    idle=${idle:-1s}
    busy=${quick:+100ms}
    busy=${busy:-500ms}

    question 'Asking every socket burns a core. Who else could be asked, and what' \
        "does an answer cost with $many connections, of which one talks?"
    beat 3 || return

    scene 'Asking each socket, round after round.'
    one_of_many echo_busypoll
    beat 2 || return

    show_pair echo_busypoll echo_select
    beat 5 || return
    scene 'Handing the kernel a set, each time anew, and sleeping: select.'
    one_of_many echo_select
    beat 2 || return

    show_pair echo_select echo_poll
    beat 5 || return
    scene 'The same with a list, of any length: poll.'
    one_of_many echo_poll
    beat 2 || return

    show_pair echo_poll echo_epoll
    beat 5 || return
    scene 'Leaving the list in the kernel, and asking what has changed: epoll.'
    one_of_many echo_epoll
    beat 2 || return

    answer 'Whoever sleeps in the kernel uses no CPU while nothing happens. But' \
        'select and poll look at everybody for the sake of one; epoll looks at' \
        'that one alone. (scripts/scale measures up to 10,000 connections.)'
    beat 3
}
