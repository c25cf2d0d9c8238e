# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Two small sends, and a delay of 40 milliseconds

prepare() {
    exchanges=${quick:+11}
    exchanges=${exchanges:-51}
}

play() {
    question 'A request goes out in two sends: header, then body. On loopback the' \
        'answer should come within microseconds. Does it?'
    beat 3 || return

    scene "The median of $exchanges exchanges, in three ways."
    predict 'how long does an exchange take with two sends, and with one?' || return
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
        'two small sends take much longer than one, unless TCP_NODELAY is set'
    beat 2 || return

    answer "Nagle's algorithm holds the second part back until the first one is" \
        'acknowledged, and the peer delays its acknowledgement. So send whole' \
        'messages; where you cannot, set TCP_NODELAY.'
    beat 3
}
