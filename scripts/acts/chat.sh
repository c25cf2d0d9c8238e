# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: A chat with one guest who stops reading

prepare() {
    lines=${quick:+12000}
    lines=${lines:-30000}
}

play() {
    question 'One thread serves a whole chat. What do the others notice if one' \
        'guest stops reading?'
    beat 3 || return

    scene 'Three guests. We do not show their output here; we count it at the end.'
    mkfifo "$stage/bob.keys" "$stage/eve.keys" "$stage/ann.keys" 2>/dev/null
    exec 4<>"$stage/bob.keys" 5<>"$stage/eve.keys"
    serve server chat_server
    aside bob "$stage/bob.keys" chat_client 127.0.0.1 "$port"
    echo '/name bob' >&4
    until_said bob 'is now called bob'
    aside eve "$stage/eve.keys" chat_client 127.0.0.1 "$port"
    echo '/name eve' >&5
    until_said bob 'is now called eve'
    beat 1 || return

    goes_on "Eve stops reading (SIGSTOP), and Ann sends $(with_commas "$lines") lines."
    predict 'how many of them will Bob receive, and what will happen to Eve?' || return
    read -r eve_pid <"$(role_file eve pids)"
    kill -STOP "$eve_pid"
    # Ann pauses now and then, so that Bob can keep up on a busy machine.
    awk -v n="$lines" 'BEGIN {
        print "/name ann"
        for (i = 1; i <= n; i++) {
            printf "%d %0980d\n", i, 0
            if (i % 1000 == 0) { fflush(); system("sleep 0.01") }
        }
    }' >"$stage/ann.keys" &
    pids="$! $pids"
    aside ann "$stage/ann.keys" chat_client 127.0.0.1 "$port"
    succeed ann
    until_said bob "^ann: $lines "
    until_said bob '^\* eve reads too slowly and was sent away\.$'
    kill -CONT "$eve_pid"
    succeed eve
    dismiss server
    succeed bob
    exec 4>&- 5>&-
    show_timeline

    heard=$(grep -c '^ann: ' "$(role_file bob text)")
    heard_by_eve=$(grep -c '^ann: ' "$(role_file eve text)")
    number 'lines that bob received, of those that ann sent' "$(with_commas "$heard") of $(with_commas "$lines")"
    number 'time that ann needed' "$(in_unit "$(value ann wall_seconds)")"
    number 'lines that eve received before she was sent away' \
        "$(with_commas "$heard_by_eve")"
    number 'the last line that eve received' "$(grep '^\*' "$(role_file eve text)" | tail -n 1 | cut -c 3-26)..."
    number 'guests sent away for reading too slowly' "$(value server too_slow)"
    claim "$heard == $lines" 'the others receive everything'
    claim "$heard_by_eve < $lines && $(value server too_slow) == 1" \
        'only the guest who does not read is sent away'
    number 'CPU time of the server' "$(in_unit "$(value server cpu_seconds)")"
    beat 2 || return

    answer 'Nothing. Each guest has a queue of 16 KiB for the lines not yet sent,' \
        'and no call ever waits for a guest. If a queue is full, the server' \
        'tells that guest so and closes the connection.'
    beat 3
}
