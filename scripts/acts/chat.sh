# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: A chat, and one who does not listen

prepare() {
    lines=${quick:+12000}
    lines=${lines:-30000}
}

play() {
    question 'One thread serves a whole chat. What do the others notice if one of' \
        'them stops reading?'
    beat 3 || return

    scene 'Three guests. They keep their lines to themselves; we shall ask.'
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

    goes_on "Eve falls asleep (SIGSTOP), and Ann has $(with_commas "$lines") lines to tell."
    predict 'how many of them will Bob hear, and what becomes of Eve?' || return
    read -r eve_pid <"$(role_file eve pids)"
    kill -STOP "$eve_pid"
    # She draws breath now and then, lest Bob be too slow on a busy machine.
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
    number 'lines that bob heard, of all that ann said' "$(with_commas "$heard") of $(with_commas "$lines")"
    number 'that took ann' "$(in_unit "$(value ann wall_seconds)")"
    number 'lines that eve heard before she was sent away' \
        "$(with_commas "$heard_by_eve")"
    number 'the last line she heard' "$(grep '^\*' "$(role_file eve text)" | tail -n 1 | cut -c 3-26)..."
    number 'guests sent away for reading too slowly' "$(value server too_slow)"
    claim "$heard == $lines" 'the others hear everything'
    claim "$heard_by_eve < $lines && $(value server too_slow) == 1" \
        'who does not read is sent away, and nobody else'
    number 'CPU of the server meanwhile' "$(in_unit "$(value server cpu_seconds)")"
    beat 2 || return

    answer 'Nothing. What a guest has yet to hear waits in a queue of 16 KiB, and' \
        'no call ever waits for a guest. Whose queue is full is sent away, and' \
        'told so.'
    beat 3
}
