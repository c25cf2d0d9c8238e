# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Connecting to a host that does not answer

play() {
    patience=${quick:+300ms}
    patience=${patience:-3s}
    deadline=${quick:+200ms}
    deadline=${deadline:-2s}
    release=${quick:+200ms}
    release=${release:-1s}

    question 'The server machine swallows our connect without a word.' \
        'How long does the program wait, and who decides that?'
    beat 3 || return

    show_pair connect_blocking connect_nonblocking
    beat 5 || return

    scene "Blocking: stuck inside connect, until somebody kills it after $patience."
    serve server tarpit
    launch client '' connect_blocking --stop-after "$patience" 127.0.0.1 "$port"
    finish client
    blocking_waited=$(value client waited_seconds)
    number 'blocking: stuck until it was killed, after' "$(in_unit "$blocking_waited")"
    number 'blocking: CPU meanwhile' "$(cpu_share client)"

    scene "Non-blocking: the program has a deadline of its own, $deadline."
    launch client '' connect_nonblocking --deadline "$deadline" 127.0.0.1 "$port"
    finish client
    dismiss server
    gave_up=$(value client waited_seconds)
    work=$(with_commas "$(value client work)")
    number 'non-blocking: gave up by itself after' "$(in_unit "$gave_up")"
    number 'non-blocking: times asked' "$(with_commas "$(value client calls)")"
    number 'non-blocking: prime numbers found meanwhile' "$work"
    beat 2 || return

    scene "The server comes to its senses after $release: the attempt succeeds."
    serve server tarpit --release "$release"
    launch client '' connect_nonblocking --deadline 10s 127.0.0.1 "$port"
    succeed client
    dismiss server
    connected=$(value client waited_seconds)
    number 'non-blocking: connected after' "$(in_unit "$connected")"
    beat 2 || return

    scene 'Nobody listens on that port any more: refused at once.'
    launch client '' connect_nonblocking 127.0.0.1 "$port"
    finish client
    number 'non-blocking: refused after' "$(in_unit "$(value client waited_seconds)")"
    beat 2 || return

    answer 'Blocking: as long as the kernel likes; we killed it after' \
        "$(in_unit "$blocking_waited"). Non-blocking: as long as the program likes, here" \
        "$(in_unit "$gave_up"), with time for $work prime numbers. And refused is an" \
        'answer: only silence makes one wait.'
    beat 3
}
