# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Connecting to a host that does not answer

prepare() {
    patience=${quick:+300ms}
    patience=${patience:-3s}
    deadline=${quick:+200ms}
    deadline=${deadline:-2s}
    release=${quick:+200ms}
    release=${release:-1s}
}

blocking() {
    scene "Blocking: stuck inside connect, until somebody kills it after $patience."
    predict 'how long would it wait if nobody killed it?' || return
    serve server tarpit
    launch client '' connect_blocking --stop-after "$patience" 127.0.0.1 "$port"
    finish client
    dismiss server
    show_timeline
    blocking_waited=$(value client waited_seconds)
    number 'blocking: stuck until it was killed, after' "$(in_unit "$blocking_waited")"
    number 'blocking: CPU meanwhile' "$(cpu_share client)"
    claim "$blocking_waited > 0.5 * $(in_seconds "$patience")" \
        'a blocking connect waits until it is killed'
}

nonblocking() {
    scene "Non-blocking: the program has a deadline of its own, $deadline."
    predict 'when will it give up, and how often will it have asked?' || return
    serve server tarpit
    launch client '' connect_nonblocking --deadline "$deadline" 127.0.0.1 "$port"
    finish client
    dismiss server
    show_timeline
    gave_up=$(value client waited_seconds) asked=$(value client calls)
    work=$(with_commas "$(value client work)")
    number 'non-blocking: gave up by itself after' "$(in_unit "$gave_up")"
    number 'non-blocking: times asked' "$(with_commas "$asked")"
    number 'non-blocking: prime numbers found meanwhile' "$work"
    claim "$gave_up > 0.8 * $(in_seconds "$deadline") && $gave_up < 2 + 5 * $(in_seconds "$deadline")" \
        'a non-blocking connect gives up at the deadline'
    claim "$asked > 100" 'and asks very often until then'
}

play() {
    question 'The server machine swallows our connect without a word.' \
        'How long does the program wait, and who decides that?'
    beat 3 || return

    show_pair connect_blocking connect_nonblocking
    beat 5 || return

    blocking || return
    nonblocking || return
    beat 2 || return

    scene "The server comes to its senses after $release: the attempt succeeds."
    predict "when will it be connected: after $release, or later?" || return
    serve server tarpit --release "$release"
    launch client '' connect_nonblocking --deadline 10s 127.0.0.1 "$port"
    succeed client
    dismiss server
    show_timeline
    connected=$(value client waited_seconds)
    number 'non-blocking: connected after' "$(in_unit "$connected")"
    claim "$(value client 'done') == 1 && $(value client failed) == 0" \
        'an attempt that is under way may still succeed'
    beat 2 || return

    scene 'Nobody listens on that port any more: refused at once.'
    predict 'how long will it wait now?' || return
    launch client '' connect_nonblocking 127.0.0.1 "$port"
    finish client
    refused=$(value client waited_seconds)
    number 'non-blocking: refused after' "$(in_unit "$refused")"
    claim "$refused < $gave_up / 2" 'refused is an answer, and comes at once'
    beat 2 || return

    answer 'Blocking: as long as the kernel likes; we killed it after' \
        "$(in_unit "$blocking_waited"). Non-blocking: as long as the program likes, here" \
        "$(in_unit "$gave_up"), with time for $work prime numbers. And refused is an" \
        'answer: only silence makes one wait.'
    beat 3
}
