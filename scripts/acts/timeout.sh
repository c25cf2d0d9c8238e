# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: How long do I wait?

prepare() {
    limit=${quick:+200ms}
    limit=${limit:-1s}
}

play() {
    question "A server sends nothing. Four programs want to wait for $limit. How long" \
        'does each of them really wait, and how much CPU does it use?'
    beat 3 || return

    show_pair timeout_busypoll timeout_poll
    beat 4 || return
    show_pair timeout_poll timeout_option
    beat 4 || return

    scene "All four, one after the other, with a limit of $limit."
    predict 'which of them are late, by how much, and which use a whole core?' || return
    serve server echo_poll
    for way in timeout_busypoll timeout_select timeout_poll timeout_option; do
        launch client '' "$way" --limit "$limit" 127.0.0.1 "$port"
        finish client
        waited=$(value client waited_seconds) percent=$(cpu_percent client)
        [ "$way" != timeout_busypoll ] || burnt=$percent latest=0 last=$way
        late=$(awk "BEGIN { print $waited - $(in_seconds "$limit") }")
        awk "BEGIN { exit !($late > $latest) }" && latest=$late last=$way
        number "$way: waited" "$waited s"
        number "$way: CPU meanwhile" "$(cpu_share client)"
        claim "$waited > 0.8 * $(in_seconds "$limit") && $waited < 2 + 5 * $(in_seconds "$limit")" \
            "$way gives up at the limit"
        [ "$way" = timeout_busypoll ] ||
            claim "$burnt > 3 * $percent" "$way waits with much less CPU than busy-polling"
    done
    dismiss server
    show_timeline
    beat 2 || return

    answer 'All four give up and say so, a little late. The latest in this run was' \
        "$last: $(in_unit "$latest") after the limit. Busy-polling uses a" \
        'whole core meanwhile; the others sleep. In all four the deadline is' \
        'for the whole line, not for each byte.'
    beat 3
}
