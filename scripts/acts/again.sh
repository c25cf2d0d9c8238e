# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: A server does not answer: retry, failover, connection pool

prepare() {
    each=${quick:+200ms}
    each=${each:-1s}
    repeat=${quick:+200}
    repeat=${repeat:-2000}
}

play() {
    question 'A server does not answer. When is it worth another try, which other' \
        'server could we ask, and what does a connection cost?'
    beat 3 || return

    scene 'Retry: the pauses are random, and grow longer up to a cap.'
    predict 'how many tries until the server is back?' || return
    serve server echo_poll
    dismiss server
    launch client 'try 3:*' connect_retry --tries 50 --base 100ms --cap 1s 127.0.0.1 "$port"
    goes_on 'Now the server comes back.'
    launch server 'listening on *' echo_poll "$port"
    succeed client
    dismiss server
    show_timeline
    number 'retry: tries until it was connected' "$(value client tries)"
    claim "$(value client tries) > 2" 'the client finds a server that comes back'
    number 'retry: time until it was connected' "$(in_unit "$(value client waited_seconds)")"
    beat 2 || return

    scene 'Failover: the first server refuses, the second is silent, the third answers.'
    predict "how long until one of them answers, with $each for each server?" || return
    serve server tarpit
    mute=$port
    serve 'server 2' echo_poll --log warn
    launch client '' connect_failover --each "$each" 127.0.0.1 1 127.0.0.1 "$mute" 127.0.0.1 "$port"
    succeed client
    in_turn=$(value client waited_seconds)
    number "failover: served after, $each for each server" "$(in_unit "$in_turn")"
    launch client '' connect_failover --race 50ms 127.0.0.1 1 127.0.0.1 "$mute" 127.0.0.1 "$port"
    succeed client
    race=$(value client waited_seconds)
    number 'failover: served after, as a race' "$(in_unit "$race")"
    show_timeline
    claim "$in_turn > 0.8 * $(in_seconds "$each")" 'a silent server costs its whole deadline'
    claim "$race < $in_turn" 'a race is faster than trying one after the other'
    dismiss server
    beat 2 || return

    scene "Pool: $repeat requests over new connections, then over four kept open."
    predict 'how many connections will each of the two runs make?' || return
    for keep in 0 4; do
        launch client '' connect_pool --keep "$keep" --repeat "$repeat" 127.0.0.1 "$port" hello
        succeed client
        connects=$(value client connects)
        [ "$keep" != 0 ] || without_pool=$connects
        number "pool of $keep: connections made" "$(with_commas "$connects")"
        number "pool of $keep: time spent connecting" "$(in_unit "$(value client connecting_seconds)")"
    done
    dismiss 'server 2'
    claim "$without_pool == $repeat && $connects <= 4" 'kept connections are reused'
    beat 2 || return

    answer 'Retry only what can recover, and wait longer each time, at random, so' \
        'that clients do not all return together. Give each server its own' \
        'deadline. A kept connection saves a connect, but check it before you' \
        'use it: it may be dead.'
    beat 3
}
