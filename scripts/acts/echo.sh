# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: Who is served?

# One server, two clients. The first gets its answer. Then it stays silent for a
# while after the second one has connected.
two_clients() {
    serve server "$@"
    launch 'client 1' 'hello' echo_client --hold 60s 127.0.0.1 "$port" hello
    launch 'client 2' '*connected to*' echo_client 127.0.0.1 "$port" 'anybody there?'
    sleep "$silence"
    dismiss 'client 1'
    succeed 'client 2'
    dismiss server
    show_timeline
    waited=$(value 'client 2' first_wait_seconds)
    share=$(cpu_share server) percent=$(cpu_percent server)
}

prepare() {
    silence=${quick:+0.3}
    silence=${silence:-2}
}

blocking() {
    scene 'Blocking: the server waits in recv for client 1; client 2 must wait.'
    predict 'how long will the second client wait?' || return
    two_clients echo_blocking
    blocking_wait=$waited blocking_share=$share blocking_percent=$percent
    number 'blocking: client 2 waited' "$(in_unit "$waited")"
    number 'blocking: CPU of the server' "$share"
}

nonblocking() {
    scene 'Non-blocking: the server asks each client in turn, again and again.'
    predict 'how long will client 2 wait now, and how much CPU will that take?' || return
    two_clients echo_busypoll
    polling_wait=$waited polling_share=$share polling_percent=$percent
    number 'busy-poll: client 2 waited' "$(in_unit "$waited")"
    number 'busy-poll: CPU of the server' "$share"
}

play() {
    question 'A server talks to one client, which falls silent but stays connected.' \
        'A second client connects. How long does it wait for an answer?'
    beat 3 || return

    show_pair echo_blocking echo_busypoll
    beat 5 || return

    blocking || return
    beat 2 || return

    nonblocking || return
    claim "$blocking_wait > 3 * $polling_wait" \
        'client 2 waits much longer for the blocking server'
    claim "$blocking_wait > 0.8 * $silence" 'client 2 waits for as long as client 1 is silent'
    claim "$polling_percent > 3 * $blocking_percent" \
        'busy-polling uses much more CPU than blocking'
    beat 2 || return

    scene 'The same server, with a nap of 1 ms after each round.'
    predict 'how will a thousand naps a second change the wait and the CPU?' || return
    two_clients echo_busypoll --nap 1ms
    number 'busy-poll with naps: client 2 waited' "$(in_unit "$waited")"
    number 'busy-poll with naps: CPU of the server' "$share"
    claim "$polling_percent > 2 * $percent" 'naps save CPU'
    claim "$blocking_wait > 2 * $waited" 'with naps client 2 is served as well'
    beat 2 || return

    answer "Blocking: as long as client 1 is silent, here $(in_unit "$blocking_wait")," \
        "with little CPU ($blocking_share). Busy-polling: $(in_unit "$polling_wait"), but with all the" \
        "CPU it can get ($polling_share). Naps save CPU ($share); an answer may then" \
        "be late by a nap. Here client 2 waited $(in_unit "$waited")."
    beat 3
}
