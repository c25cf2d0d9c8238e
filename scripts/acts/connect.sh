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
    scene "Blocking: stuck inside connect until --stop-after ends it after $patience."
    predict 'how long would it wait if we did not kill it?' || return
    serve server tarpit
    launch client '' connect_blocking --stop-after "$patience" 127.0.0.1 "$port"
    finish client
    dismiss server
    show_timeline
    blocking_waited=$(value client waited_seconds)
    number 'blocking: stuck until it was stopped, after' "$(in_unit "$blocking_waited")"
    number 'blocking: CPU meanwhile' "$(cpu_share client)"
    claim "$blocking_waited > 0.5 * $(in_seconds "$patience")" \
        'a blocking connect waits until it is stopped'
}

nonblocking() {
    scene "Non-blocking: the program has its own deadline of $deadline."
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
    claim "$asked > 100 && $(value client work) > 0" \
        'a non-blocking connect asks very often until the deadline, and works in between'
}

play() {
    question 'A server does not answer our connect at all, not even to refuse it.' \
        'How long does the program wait, and who decides that?'
    beat 3 || return

    show_pair connect_blocking connect_nonblocking
    beat 5 || return

    blocking || return
    nonblocking || return
    beat 2 || return

    scene "The server starts to accept after $release: the pending connect succeeds."
    predict "when will it be connected: after $release, or later?" || return
    serve server tarpit --release "$release"
    launch client '' connect_nonblocking --deadline 10s 127.0.0.1 "$port"
    succeed client
    dismiss server
    show_timeline
    connected=$(value client waited_seconds)
    number 'non-blocking: connected after' "$(in_unit "$connected")"
    claim "$(value client 'done') == 1 && $(value client failed) == 0" \
        'a connect that is under way may still succeed'
    beat 2 || return

    scene 'No server listens on that port any more: refused at once.'
    predict 'how long will it wait now?' || return
    launch client '' connect_nonblocking 127.0.0.1 "$port"
    finish client
    refused=$(value client waited_seconds)
    number 'non-blocking: refused after' "$(in_unit "$refused")"
    claim "$refused < $gave_up / 2" 'a refusal is an answer and comes at once'
    beat 2 || return

    answer 'Blocking: the kernel decides how long; we stopped the program after' \
        "$(in_unit "$blocking_waited"). Non-blocking: the program decides, here $(in_unit "$gave_up")," \
        "with time for $work prime numbers. A refusal is an answer; only" \
        'silence makes a program wait.'
    beat 3
}
