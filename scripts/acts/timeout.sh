# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: How long do I wait?

prepare() {
    limit=${quick:+200ms}
    limit=${limit:-1s}
}

play() {
    question "A server says nothing. Four programs want to wait for $limit: which of" \
        'them waits how long, and at what price?'
    beat 3 || return

    show_pair timeout_busypoll timeout_poll
    beat 4 || return
    show_pair timeout_poll timeout_option
    beat 4 || return

    scene "All four of them, one after the other, with a limit of $limit."
    predict 'who is late, by how much, and who burns a core?' || return
    serve server echo_poll
    for way in timeout_busypoll timeout_select timeout_poll timeout_option; do
        launch client '' "$way" --limit "$limit" 127.0.0.1 "$port"
        finish client
        waited=$(value client waited_seconds) percent=$(cpu_percent client)
        [ "$way" != timeout_busypoll ] || burnt=$percent
        number "$way: waited" "$waited s"
        number "$way: CPU meanwhile" "$(cpu_share client)"
        claim "$waited > 0.8 * $(in_seconds "$limit") && $waited < 2 + 5 * $(in_seconds "$limit")" \
            "$way gives up at the limit"
        [ "$way" = timeout_busypoll ] ||
            claim "$burnt > 3 * $percent" "$way waits with much less CPU than asking does"
    done
    dismiss server
    show_timeline
    beat 2 || return

    answer 'All of them give up, and say so. Asking is exact and burns a core; the' \
        "kernel's timers are a little late, SO_RCVTIMEO the most. None of them" \
        'is a limit for each byte: the deadline is one for the whole line.'
    beat 3
}
