# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Asking again and again, or sleeping until the socket is ready

prepare() {
    pace=${quick:+400M}
    pace=${pace:-60M}
    deadline=${quick:+300ms}
    deadline=${deadline:-1s}
}

play() {
    question 'A non-blocking program asks again and again. If it has nothing' \
        'else to do, how does it wait without using a whole core?'
    beat 3 || return

    show_pair send_all send_poll
    beat 5 || return
    for way in send_all send_poll; do
        scene "The huge send with $way."
        predict 'how often will it hear "would block"?' || return
        serve receiver sink --pace "$pace"
        launch sender '' "$way" 127.0.0.1 "$port"
        succeed sender
        succeed receiver
        show_timeline
        told=$(value sender again) received=$(value receiver bytes_received)
        [ "$way" = send_poll ] || spinning_told=$told spinning_received=$received
        number "$way: times told 'would block'" "$(with_commas "$told")"
        number "$way: CPU of the sender" "$(cpu_share sender)"
        beat 2 || return
    done

    claim "$spinning_told > 5 * $told" "a program that sleeps hears 'would block' far less often"
    claim "$spinning_received == $received" 'both ways send the same bytes'

    show_pair connect_nonblocking connect_poll
    beat 5 || return
    predict 'how much CPU will waiting take, without poll and with it?' || return
    serve server tarpit
    for way in connect_nonblocking connect_poll; do
        scene "$way gets no answer until its deadline."
        launch client '' "$way" --deadline "$deadline" 127.0.0.1 "$port"
        finish client
        show_timeline
        number "$way: CPU until it gave up" "$(cpu_share client)"
        waiting=$(cpu_percent client)
        [ "$way" = connect_poll ] || spinning=$waiting
    done
    dismiss server
    claim "$spinning > 3 * $waiting" 'poll waits for the same deadline with much less CPU'
    scene 'No server listens: the socket becomes writable all the same.'
    predict 'connected, or not?' || return
    launch client '' connect_poll 127.0.0.1 "$port"
    finish client
    claim "$(value client failed) > 0" 'writable does not mean connected'
    number 'connect_poll: refused after' "$(in_unit "$(value client waited_seconds)")"
    beat 2 || return

    answer 'poll sleeps until the socket is ready. The bytes and the deadline are' \
        "the same, but the program hears 'would block' far less often, and" \
        'waiting costs much less CPU. Writable means only that the connect has' \
        'ended; SO_ERROR says whether it succeeded.'
    beat 3
}
