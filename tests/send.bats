#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson send: how much one call takes, and what becomes of the rest.

load helpers

whole=136314880

@test "sink: is every byte of the payload checked, and the count told?" {
    serve sink sink --size 1M
    client send_blocking --size 1M 127.0.0.1 "$port"
    is "$status" 0
    finish sink
    is "$status" 0
    grep -q '^All data received: 1,048,576 bytes' "$T/sink.out"

    serve sink sink --size 1M
    client bad_peer --count 1M nonsense 127.0.0.1 "$port"
    finish sink
    is "$status" 1
    is "$(tail -n 1 "$T/sink.err")" 'sink: byte 1,048,575 is wrong: it is not that of the payload'
}

@test "sink: are too few and too many bytes told apart from all of them?" {
    serve sink sink --size 1000
    client send_all --size 900 127.0.0.1 "$port"
    finish sink
    is "$status: $(tail -n 1 "$T/sink.err")" '1: sink: received 900 of 1,000 bytes: 100 are missing'

    serve sink sink --size 1000
    client send_all --size 1300 127.0.0.1 "$port"
    finish sink
    is "$status: $(tail -n 1 "$T/sink.err")" '1: sink: received 1,300 of 1,000 bytes: 300 are too many'

    serve sink sink --size 0
    client send_all --size 0 127.0.0.1 "$port"
    is "$status" 0
    finish sink
    is "$status" 0
}

@test "sink: does it read no faster than its pace, and nothing during its pause?" {
    serve sink sink --size 300k --pace 1M
    client send_all --size 300k 127.0.0.1 "$port"
    finish sink
    is "$status" 0
    holds "$(value sink receiving_seconds) > 0.25"

    serve sink sink --size 1000 --pause 400ms
    client send_all --size 1000 127.0.0.1 "$port"
    finish sink
    holds "$(value sink wall_seconds) > 0.4"
}

@test "sink: is a reset of its sender told?" {
    serve sink sink
    client bad_peer reset 127.0.0.1 "$port"
    finish sink
    is "$status" 1
    grep -q -e 'sink: byte 0 is wrong' -e 'ECONNRESET' "$T/sink.err"
}

@test "blocking: does one call take the whole payload, and hold the program until then?" {
    serve sink sink --pause 1s
    start sender send_blocking 127.0.0.1 "$port"
    wait_for sender.err 'connected to'
    finish sender
    is "$status" 0
    is "$(value sender calls) $(value sender bytes_sent) $(value sender left)" "1 $whole 0"
    holds "$(value sender held_seconds) > 0.3"
    finish sink
    is "$status" 0
    grep -q '^All data received: 136,314,880 bytes' "$T/sink.out"
}

@test "blocking: is no CPU used while the call holds the program?" {
    serve sink sink --pause 10s
    start sender send_blocking --size 64M 127.0.0.1 "$port"
    # Asleep in the call: the state of the process tells (proc(5)).
    wait_for sender.err 'connected to'
    until_asleep sender
}

@test "once: does one non-blocking call leave most of the payload behind?" {
    serve sink sink --pause 1s
    start sender send_once 127.0.0.1 "$port"
    finish sender
    is "$status" 0
    is "$(value sender calls) $(value sender partial)" '1 1'
    took=$(value sender bytes_sent) left=$(value sender left)
    holds "$took > 0 && $left > $whole / 2 && $took + $left == $whole"
    holds "$(value sender held_seconds) < 0.5" # it did not wait for the sink
    # What the kernel took is delivered, although the program has ended.
    finish sink
    is "$status" 1
    is "$(value sink bytes_received)" "$took"
    grep -q "are missing$" "$T/sink.err"
    # And the sentences say what the report says.
    grep -q "^taken by the kernel: $(with_commas "$took") of 136,314,880 bytes\$" "$T/sender.out"
    grep -q "^left behind: $(with_commas "$left") bytes" "$T/sender.out"
}

with_commas() {
    sed -e :a -e 's/\(.*[0-9]\)\([0-9]\{3\}\)/\1,\2/;ta' <<<"$1"
}

@test "all: is every byte delivered, although the kernel says again and again no?" {
    beyond_the_task
    serve sink sink --pause 300ms
    start sender send_all 127.0.0.1 "$port"
    finish sender
    is "$status" 0
    holds "$(value sender partial) >= 1 && $(value sender again) > 100 && $(value sender work) > 25"
    is "$(value sender left)" 0
    finish sink
    is "$status $(value sink bytes_received)" "0 $whole"
}

@test "all: do interruptions and one-byte sends lose nothing?" {
    beyond_the_task
    serve sink sink --size 200k
    with_faults 'send:EINTR:1,send:short:2' start sender send_all --size 200k 127.0.0.1 "$port"
    finish sender
    is "$status" 0
    is "$(value sender interrupted) $(value sender partial)" '1 1'
    finish sink
    is "$status" 0
}

@test "poll: are the same bytes delivered, while it sleeps instead of asking?" {
    only_in plain long
    beyond_the_task
    serve sink sink --pace 150M
    start asking send_all 127.0.0.1 "$port"
    finish asking
    finish sink
    is "$status $(value sink bytes_received)" "0 $whole"
    serve sink sink --pace 150M
    start sleeping send_poll 127.0.0.1 "$port"
    finish sleeping
    is "$status $(value sleeping left)" '0 0'
    finish sink
    is "$status $(value sink bytes_received)" "0 $whole"
    # A fraction of the questions: those after which it slept.
    holds "$(value sleeping again) > 0 && $(value sleeping again) <= 200"
    holds "$(value asking again) > 100 * $(value sleeping again)"
}

@test "nagle: do two sends stall where one does not, nor TCP_NODELAY?" {
    start program nagle_stall --exchanges 11
    finish program
    is "$status" 0
    two=$(value program two_sends_seconds)
    holds "$two > 0.02 && $two > 5 * $(value program nodelay_seconds) && $two > 5 * $(value program one_send_seconds)"
    is "$(grep -c ' ms$' "$T/program.out")" 3
}

@test "poll: is no CPU used while nobody reads?" {
    serve sink sink --pause 20s
    start sender send_poll 127.0.0.1 "$port"
    wait_for sender.err 'connected to'
    until_asleep sender
}

@test "poll: is what the receiver says no reason to wake up?" {
    # An echo server: it stops receiving when nobody takes the echo.
    serve server echo_poll
    start sender send_poll 127.0.0.1 "$port"
    until_asleep sender
    before=$(ticks sender)
    sleep 0.5
    holds "$(ticks sender) - $before <= 2"
}

@test "all and poll: do they end on their deadline when nobody reads, and say what is left?" {
    beyond_the_task
    for name in send_all send_poll; do
        serve sink sink --pause 20s
        client "$name" --deadline 300ms 127.0.0.1 "$port"
        is "$name $status" "$name 1"
        [[ $stderr == *"$name: stopped by the deadline before all was sent" ]] || flunk "$stderr"
        says 'left behind: 1' ' bytes'
        stop sink
    done
}

@test "all and poll: does Enter stop them?" {
    beyond_the_task
    mkfifo "$T/keys"
    for name in send_all send_poll; do
        serve sink sink --pause 20s
        input=$T/keys
        start sender "$name" 127.0.0.1 "$port"
        input=''
        exec 5>"$T/keys"
        wait_for sender.err 'connected to'
        echo >&5
        finish sender
        exec 5>&-
        is "$name $status" "$name 1"
        grep -q "$name: stopped by Enter before all was sent" "$T/sender.err"
        stop sink
    done
}

@test "blocking: does SIGTERM free it from the call, with an honest count?" {
    serve sink sink --pause 20s
    start sender send_blocking 127.0.0.1 "$port"
    wait_for sender.err 'connected to'
    until_asleep sender # inside the call
    stop sender
    is "$status" 1
    holds "$(value sender bytes_sent) + $(value sender left) == $whole"
    grep -q 'send_blocking: stopped by SIGTERM before all was sent' "$T/sender.err"
}

@test "senders: is a peer that resets an error with a name, and no death by SIGPIPE?" {
    beyond_the_task
    for name in send_blocking send_all send_poll; do
        serve rude bad_peer --count 100k reset-sender 127.0.0.1
        client "$name" --log warn 127.0.0.1 "$port"
        is "$status" 1
        # A blocking call that had begun tells the count it reached.
        [[ $stderr == "$name: cannot send the payload: ECONNRESET "* ||
            $stderr == "$name: cannot send the payload: EPIPE "* ||
            $stderr == 'send_blocking: stopped by a signal or an error before all was sent' ]] || flunk "$stderr"
        finish rude
    done
}

@test "IPv6: does the payload travel over ::1 as well?" {
    grep -q "^0*1 .* lo$" /proc/net/if_inet6 || skip "this machine has no IPv6"
    for name in send_blocking send_all send_poll; do
        serve sink sink --bind ::1 --size 1M
        client "$name" --size 1M ::1 "$port"
        is "$status" 0
        finish sink
        is "$status" 0
    done
}
