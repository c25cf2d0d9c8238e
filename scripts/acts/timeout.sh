# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: How long do I wait?

play() {
    limit=${quick:+200ms}
    limit=${limit:-1s}

    question "A server says nothing. Four programs want to wait for $limit: which of" \
        'them waits how long, and at what price?'
    beat 3 || return

    show_pair timeout_busypoll timeout_poll
    beat 4 || return
    show_pair timeout_poll timeout_option
    beat 4 || return

    serve server echo_poll
    for way in timeout_busypoll timeout_select timeout_poll timeout_option; do
        launch client '' "$way" --limit "$limit" 127.0.0.1 "$port"
        finish client
        number "$way: waited" "$(value client waited_seconds) s"
        number "$way: CPU meanwhile" "$(cpu_share client)"
    done
    dismiss server
    beat 2 || return

    answer 'All of them give up, and say so. Asking is exact and burns a core; the' \
        "kernel's timers are a little late, SO_RCVTIMEO the most. None of them" \
        'is a limit for each byte: the deadline is one for the whole line.'
    beat 3
}
