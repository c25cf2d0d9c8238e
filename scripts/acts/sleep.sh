# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Asking again, or sleeping until it is worth it

play() {
    pace=${quick:+400M}
    pace=${pace:-60M}
    deadline=${quick:+300ms}
    deadline=${deadline:-1s}

    question 'A non-blocking program asks again and again. If it has nothing' \
        'else to do, how does it wait without burning a core?'
    beat 3 || return

    show_pair send_all send_poll
    beat 5 || return
    for way in send_all send_poll; do
        scene "The huge send with $way."
        serve receiver sink --pace "$pace"
        launch sender '' "$way" 127.0.0.1 "$port"
        succeed sender
        succeed receiver
        number "$way: times told 'would block'" "$(with_commas "$(value sender again)")"
        number "$way: CPU of the sender" "$(cpu_share sender)"
        beat 2 || return
    done

    show_pair connect_nonblocking connect_poll
    beat 5 || return
    serve server tarpit
    for way in connect_nonblocking connect_poll; do
        scene "No answer to $way, until its deadline."
        launch client '' "$way" --deadline "$deadline" 127.0.0.1 "$port"
        finish client
        number "$way: CPU until it gave up" "$(cpu_share client)"
    done
    dismiss server
    scene 'Nobody listens: the socket is writable all the same.'
    launch client '' connect_poll 127.0.0.1 "$port"
    finish client
    number 'connect_poll: refused after' "$(in_unit "$(value client waited_seconds)")"
    beat 2 || return

    answer 'poll sleeps until the socket is ready: the same bytes, the same' \
        'deadline, next to no CPU. Writable means that the connect has ended;' \
        'SO_ERROR tells how.'
    beat 3
}
