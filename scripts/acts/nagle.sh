# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: 40 milliseconds, out of nothing

play() {
    exchanges=${quick:+11}
    exchanges=${exchanges:-51}

    question 'Header and body of a request go out in two sends. On the loopback an' \
        'answer comes in microseconds. Does it?'
    beat 3 || return

    scene "The middle one of $exchanges exchanges, three ways."
    launch program '' nagle_stall --exchanges "$exchanges"
    succeed program
    number 'two sends' "$(in_unit "$(value program two_sends_seconds)")"
    number 'two sends, TCP_NODELAY' "$(in_unit "$(value program nodelay_seconds)")"
    number 'one send' "$(in_unit "$(value program one_send_seconds)")"
    beat 2 || return

    answer "Nagle's algorithm holds the second part back until the first one is" \
        'confirmed, and the peer puts confirming off. Hand the kernel whole' \
        'messages; and where that cannot be, switch the waiting off.'
    beat 3
}
