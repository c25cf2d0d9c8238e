# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: The huge send

prepare() {
    pace=${quick:+400M}
    pace=${pace:-60M}
}

blocking() {
    scene 'Blocking: the call returns when the kernel has taken everything.'
    predict 'how long will that one call take?' || return
    serve receiver sink --pace "$pace"
    launch sender '' send_blocking 127.0.0.1 "$port"
    succeed sender
    succeed receiver
    show_timeline
    blocking_held=$(value sender held_seconds)
    number 'blocking: one call held the program for' "$(in_unit "$blocking_held")"
}

nonblocking() {
    scene 'Corrected: remember the offset, try again, and work in between.'
    predict 'how often will it call send, and will it take longer than blocking?' || return
    serve receiver sink --pace "$pace"
    launch sender '' send_all 127.0.0.1 "$port"
    succeed sender
    succeed receiver
    show_timeline
    all_received=$(value receiver bytes_received)
    work=$(value sender work)
    number 'resumed: bytes received, each one checked' "$(with_commas "$all_received")"
    number 'resumed: longest time held in one call' "$(in_unit "$(value sender held_seconds)")"
    number 'resumed: times asked' "$(with_commas "$(value sender calls)")"
    number 'resumed: prime numbers found meanwhile' "$(with_commas "$work")"
    claim "$work > 0" 'a program that does not wait has time for other work'
}

play() {
    question 'A program has 136 MB to send, far more than the kernel buffers.' \
        'The receiver is slow. What does one call of send do?'
    beat 3 || return

    blocking || return
    beat 2 || return

    show_pair send_blocking send_once
    beat 3 || return

    scene 'Non-blocking, one call, its return value ignored: the classic mistake.'
    predict 'how many of the 136,314,880 bytes will that call take?' || return
    serve receiver sink --pace "$pace"
    launch sender '' send_once 127.0.0.1 "$port"
    succeed sender
    finish receiver && fail "the receiver got every byte, but send_once should leave some"
    show_timeline
    left=$(value sender left)
    sent=$(value sender bytes_sent)
    once_held=$(value sender held_seconds)
    share_left=$(awk -v l="$left" -v s="$sent" 'BEGIN { printf "%.1f %%", 100 * l / (l + s) }')
    number 'one non-blocking call: held the program for' "$(in_unit "$once_held")"
    number 'one non-blocking call: bytes left behind' "$(with_commas "$left") ($share_left)"
    claim "$left > 0" 'one non-blocking call does not take everything'
    claim "$blocking_held > 3 * $once_held" \
        'a blocking call holds the program much longer than a non-blocking one'
    beat 2 || return

    show_pair send_once send_all
    beat 5 || return

    nonblocking || return
    claim "$all_received == $left + $sent" 'a program that sends the rest later loses nothing'
    beat 2 || return

    answer "A blocking send holds the program, here for $(in_unit "$blocking_held"). A" \
        "non-blocking send takes what fits; here $share_left was left behind." \
        'Remember the offset and try again, and nothing is lost: all' \
        "$(with_commas "$all_received") bytes arrived, with time left for other work."
    beat 3
}
