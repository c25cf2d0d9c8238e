# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Datagrams: whole, or not at all

prepare() {
    flood=${quick:+5000}
    flood=${flood:-20000}
}

play() {
    question 'UDP is said to be TCP without the trouble. What becomes of what one' \
        'sends?'
    beat 3 || return

    show_pair udp_echo_blocking udp_echo_nonblocking
    beat 4 || return

    scene 'Boundaries are kept, and an empty datagram is no end.'
    predict 'how many answers to three datagrams, one of them empty?' || return
    serve server udp_echo_blocking --room 100
    launch client '' udp_client 127.0.0.1 "$port" 'one datagram' '' another
    succeed client
    show_timeline --during client
    number 'datagrams sent, and answered' "$(value client sent), $(value client answered)"
    claim "$(value client sent) == 3 && $(value client answered) == 3" \
        'each datagram has an answer of its own, the empty one too'
    beat 2 || return

    goes_on 'Too long for the room there is: cut off, and noticed.'
    predict 'what becomes of 200 bytes where there is room for 100?' || return
    launch client '' udp_client --tries 1 --each 200ms 127.0.0.1 "$port" \
        "$(awk 'BEGIN { for (i = 0; i < 50; i++) printf "long" }')"
    finish client
    beat 2 || return

    goes_on "$flood of them at once: full queues drop what does not fit."
    predict 'how many come back, and how many errors will there be?' || return
    launch client '' udp_client --flood "$flood" 127.0.0.1 "$port"
    succeed client
    show_timeline --during 'client 3'
    number 'flood: sent, and no error' "$(with_commas "$(value client sent)")"
    number 'flood: came back' "$(with_commas "$(value client answered)")"
    claim "$(value client sent) == $flood && $(value client answered) < $flood" \
        'full queues drop datagrams, and no error tells'
    dismiss server
    number 'too long, and noticed by the server' "$(value server truncated)"
    claim "$(value server truncated) > 0" 'what is cut off is noticed'
    beat 2 || return

    scene 'Nobody there: a connected socket hears of it, one call late.'
    predict 'which call will hear of it?' || return
    launch client '' udp_client --tries 2 --each 200ms 127.0.0.1 "$port" hello
    finish client
    number 'refused: heard of it' "$(value client refused) times"
    claim "$(value client refused) > 0" 'a connected socket hears that nobody is there'
    beat 2 || return

    answer 'Sent means handed over. A datagram comes whole, cut off, or not at' \
        'all, and mostly nobody tells: number them, answer them, send again.'
    beat 3
}
