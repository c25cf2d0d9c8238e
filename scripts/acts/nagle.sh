# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: 40 milliseconds, out of nothing

prepare() {
    exchanges=${quick:+11}
    exchanges=${exchanges:-51}
}

play() {
    question 'Header and body of a request go out in two sends. On the loopback an' \
        'answer comes in microseconds. Does it?'
    beat 3 || return

    scene "The middle one of $exchanges exchanges, three ways."
    predict 'how long does an exchange take, in two sends and in one?' || return
    launch program '' nagle_stall --exchanges "$exchanges"
    succeed program
    show_timeline
    two_sends=$(value program two_sends_seconds)
    no_delay=$(value program nodelay_seconds)
    one_send=$(value program one_send_seconds)
    number 'two sends' "$(in_unit "$two_sends")"
    number 'two sends, TCP_NODELAY' "$(in_unit "$no_delay")"
    number 'one send' "$(in_unit "$one_send")"
    claim "$two_sends > 5 * $no_delay && $two_sends > 5 * $one_send" \
        'two small sends wait for each other, unless told not to'
    beat 2 || return

    answer "Nagle's algorithm holds the second part back until the first one is" \
        'confirmed, and the peer puts confirming off. Hand the kernel whole' \
        'messages; and where that cannot be, switch the waiting off.'
    beat 3
}
