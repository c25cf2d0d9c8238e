# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: The huge send

play() {
    pace=${quick:+400M}
    pace=${pace:-60M}

    question 'A program has 136 MB to send, far more than the kernel buffers.' \
        'The receiver is slow. What does one call of send do?'
    beat 3 || return

    scene 'Blocking: the call returns when the kernel has taken everything.'
    serve receiver sink --pace "$pace"
    launch sender '' send_blocking 127.0.0.1 "$port"
    succeed sender
    succeed receiver
    blocking_held=$(value sender held_seconds)
    number 'blocking: one call held the program for' "$(in_unit "$blocking_held")"
    beat 2 || return

    show_pair send_blocking send_once
    beat 3 || return

    scene 'Non-blocking, one call, its count not heeded: the classic mistake.'
    serve receiver sink --pace "$pace"
    launch sender '' send_once 127.0.0.1 "$port"
    succeed sender
    finish receiver && fail "the receiver should have missed something"
    left=$(value sender left)
    sent=$(value sender bytes_sent)
    share_left=$(awk -v l="$left" -v s="$sent" 'BEGIN { printf "%.1f %%", 100 * l / (l + s) }')
    number 'one non-blocking call: held the program for' "$(in_unit "$(value sender held_seconds)")"
    number 'one non-blocking call: bytes left behind' "$(with_commas "$left") ($share_left)"
    beat 2 || return

    show_pair send_once send_all
    beat 5 || return

    scene 'The correction: remember how far it came, ask again, work meanwhile.'
    serve receiver sink --pace "$pace"
    launch sender '' send_all 127.0.0.1 "$port"
    succeed sender
    succeed receiver
    all_received=$(value receiver bytes_received)
    work=$(value sender work)
    number 'resumed: bytes received, each one checked' "$(with_commas "$all_received")"
    number 'resumed: longest time held in one call' "$(in_unit "$(value sender held_seconds)")"
    number 'resumed: times asked' "$(with_commas "$(value sender calls)")"
    number 'resumed: prime numbers found meanwhile' "$(with_commas "$work")"
    beat 2 || return

    answer "A blocking send holds the program, here for $(in_unit "$blocking_held"). A" \
        "non-blocking one takes what fits, and $share_left was left behind." \
        'Who remembers the offset and asks again loses nothing: all' \
        "$(with_commas "$all_received") bytes came, and the time was free for other work."
    beat 3
}
