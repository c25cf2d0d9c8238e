# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Datagrams: whole, truncated, or lost

prepare() {
    flood=${quick:+5000}
    flood=${flood:-20000}
}

play() {
    question 'People say that UDP is a simpler TCP. What happens to the' \
        'datagrams that we send?'
    beat 3 || return

    show_pair udp_echo_blocking udp_echo_nonblocking
    beat 4 || return

    scene 'UDP keeps message boundaries, and an empty datagram does not mean the end.'
    predict 'how many answers will three datagrams get, one of them empty?' || return
    serve server udp_echo_blocking --room 100
    launch client '' udp_client 127.0.0.1 "$port" 'one datagram' '' another
    succeed client
    show_timeline --during client
    number 'datagrams sent, datagrams answered' "$(value client sent), $(value client answered)"
    claim "$(value client sent) == 3 && $(value client answered) == 3" \
        'each datagram gets its own answer, the empty one too'
    beat 2 || return

    goes_on 'A datagram longer than the buffer is truncated, and the server notices.'
    predict 'what happens to a datagram of 200 bytes in a buffer of 100?' || return
    launch client '' udp_client --tries 1 --each 200ms 127.0.0.1 "$port" \
        "$(awk 'BEGIN { for (i = 0; i < 50; i++) printf "long" }')"
    finish client
    beat 2 || return

    goes_on "$flood datagrams at once: full queues drop what does not fit."
    predict 'how many will come back, and how many errors will there be?' || return
    launch client '' udp_client --flood "$flood" 127.0.0.1 "$port"
    succeed client
    show_timeline --during 'client 3'
    number 'flood: sent without an error' "$(with_commas "$(value client sent)")"
    number 'flood: answers received' "$(with_commas "$(value client answered)")"
    claim "$(value client sent) == $flood && $(value client answered) < $flood" \
        'full queues drop datagrams without any error'
    dismiss server
    number 'truncated datagrams noticed by the server' "$(value server truncated)"
    claim "$(value server truncated) > 0" 'the server notices that a datagram was truncated'
    beat 2 || return

    scene 'No server there: a connected socket gets the error, but one call late.'
    predict 'which call will return the error?' || return
    launch client '' udp_client --tries 2 --each 200ms 127.0.0.1 "$port" hello
    finish client
    number 'no server: calls that returned an error' "$(value client refused)"
    claim "$(value client refused) > 0" 'a connected socket gets the error of a lost datagram'
    beat 2 || return

    answer 'Sent only means handed to the kernel. A datagram arrives whole,' \
        'truncated, or not at all, usually without an error. So number your' \
        'datagrams, acknowledge them, and send the lost ones again.'
    beat 3
}
