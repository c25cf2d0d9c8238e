# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Datagrams: whole, or not at all

play() {
    flood=${quick:+5000}
    flood=${flood:-20000}

    question 'UDP is said to be TCP without the trouble. What becomes of what one' \
        'sends?'
    beat 3 || return

    show_pair udp_echo_blocking udp_echo_nonblocking
    beat 4 || return

    scene 'Boundaries are kept, and an empty datagram is no end.'
    serve server udp_echo_blocking --room 100
    launch client '' udp_client 127.0.0.1 "$port" 'one datagram' '' another
    succeed client
    number 'datagrams sent, and answered' "$(value client sent), $(value client answered)"
    beat 2 || return

    scene 'Too long for the room there is: cut off, and noticed.'
    launch client '' udp_client --tries 1 --each 200ms 127.0.0.1 "$port" \
        "$(awk 'BEGIN { for (i = 0; i < 50; i++) printf "long" }')"
    finish client
    beat 2 || return

    scene "$flood of them at once: full queues drop what does not fit."
    launch client '' udp_client --flood "$flood" 127.0.0.1 "$port"
    succeed client
    number 'flood: sent, and no error' "$(with_commas "$(value client sent)")"
    number 'flood: came back' "$(with_commas "$(value client answered)")"
    dismiss server
    number 'too long, and noticed by the server' "$(value server truncated)"
    beat 2 || return

    scene 'Nobody there: a connected socket hears of it, one call late.'
    launch client '' udp_client --tries 2 --each 200ms 127.0.0.1 "$port" hello
    finish client
    number 'refused: heard of it' "$(value client refused) times"
    beat 2 || return

    answer 'Sent means handed over. A datagram comes whole, cut off, or not at' \
        'all, and mostly nobody tells: number them, answer them, send again.'
    beat 3
}
