# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: The server is not there: again, elsewhere, or kept

prepare() {
    each=${quick:+200ms}
    each=${each:-1s}
    repeat=${quick:+200}
    repeat=${repeat:-2000}
}

play() {
    question 'A server does not answer. When is it worth another try, whom else' \
        'could one ask, and what does a connection cost anyway?'
    beat 3 || return

    scene 'Again: pauses that grow up to a cap, and are drawn at random.'
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
    claim "$(value client tries) > 2" 'a server that comes back is found again'
    number 'retry: that took' "$(in_unit "$(value client waited_seconds)")"
    beat 2 || return

    scene "Elsewhere: the first is dead, the second mute, the third lives."
    predict "how long until somebody answers, with $each for each?" || return
    serve server tarpit
    mute=$port
    serve 'server 2' echo_poll --log warn
    launch client '' connect_failover --each "$each" 127.0.0.1 1 127.0.0.1 "$mute" 127.0.0.1 "$port"
    succeed client
    in_turn=$(value client waited_seconds)
    number "failover: served after, with $each for each" "$(in_unit "$in_turn")"
    launch client '' connect_failover --race 50ms 127.0.0.1 1 127.0.0.1 "$mute" 127.0.0.1 "$port"
    succeed client
    race=$(value client waited_seconds)
    number 'failover: the same as a race' "$(in_unit "$race")"
    show_timeline
    claim "$in_turn > 0.8 * $(in_seconds "$each")" 'a mute server costs its whole deadline'
    claim "$race < $in_turn" 'a race is faster than one after the other'
    dismiss server
    beat 2 || return

    scene "Kept: $repeat requests over new connections, and over four kept ones."
    predict 'how many connections does either make?' || return
    for keep in 0 4; do
        launch client '' connect_pool --keep "$keep" --repeat "$repeat" 127.0.0.1 "$port" hello
        succeed client
        connects=$(value client connects)
        [ "$keep" != 0 ] || without_pool=$connects
        number "pool of $keep: connections made" "$(with_commas "$connects")"
        number "pool of $keep: time spent connecting" "$(in_unit "$(value client connecting_seconds)")"
    done
    dismiss 'server 2'
    claim "$without_pool == $repeat && $connects <= 4" 'kept connections are used again'
    beat 2 || return

    answer 'Only what can get better is tried again, later and later, and out of' \
        'step with others. Each server has a deadline of its own. And what is' \
        'kept need not be made, but has to be looked at: it may be dead.'
    beat 3
}
