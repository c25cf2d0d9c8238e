#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson timeout: four ways to bound a wait, which all have to come to the
# same.

load helpers

ways='timeout_option timeout_busypoll timeout_select timeout_poll'

@test "timeout: is a line that comes in time received?" {
    serve server echo_busypoll
    for name in $ways; do
        client "$name" 127.0.0.1 "$port" hello
        is "$name $status" "$name 0"
        [[ $output == 'a line after 0.'*' s: hello' ]] || flunk "$output"
    done
}

@test "timeout: does each give up at its limit, not before, and say that the time was up?" {
    serve server echo_busypoll
    for name in $ways; do
        start client "$name" --limit 300ms 127.0.0.1 "$port"
        finish client
        is "$name $status" "$name 1"
        waited=$(value client waited_seconds)
        holds "$waited >= 0.3 && $waited < 10"
        grep -q "^$name: timed out after $(printf '%.3f' "$waited") s without a line\$" "$T/client.err"
    done
}

@test "timeout: do signals make the wait neither shorter nor longer?" {
    only_in plain long
    serve server echo_busypoll
    for name in $ways; do
        start client "$name" --limit 600ms 127.0.0.1 "$port"
        wait_for client.err 'connected to'
        # All over its time and, if each one began the wait anew, far beyond.
        for _ in $(seq 200); do
            kill -USR1 "${pid_of[client]}" 2>/dev/null || break
            sleep 0.05
        done
        finish client
        is "$name $status" "$name 1"
        holds "$(value client waited_seconds) >= 0.6 && $(value client waited_seconds) < 8"
        grep -q 'timed out' "$T/client.err"
    done
}

@test "timeout: does a byte now and then not renew it?" {
    only_in plain long
    for name in $ways; do
        serve dripper bad_peer --count 1000 drip-to 127.0.0.1
        start client "$name" --limit 800ms 127.0.0.1 "$port"
        finish client
        is "$name $status" "$name 1"
        holds "$(value client bytes_received) >= 2"
        # It drips for 50 s.
        holds "$(value client waited_seconds) >= 0.8 && $(value client waited_seconds) < 20"
        grep -q 'timed out' "$T/client.err"
        finish dripper # nobody takes its bytes any more
    done
}

@test "timeout: are closed and failed told apart from timed out?" {
    for name in $ways; do
        serve rude bad_peer hang-up 127.0.0.1
        client "$name" 127.0.0.1 "$port" x
        is "$name $status" "$name 1"
        # What was not read makes it a reset; the one byte was all.
        [[ $stderr == *"$name: cannot receive a line after 0."*': ECONNRESET '* ||
            $stderr == *"$name: the server closed the connection after 0."* ]] || flunk "$stderr"
        finish rude

        serve rude bad_peer --count 0 hang-up 127.0.0.1
        client "$name" 127.0.0.1 "$port"
        is "$name $status" "$name 1"
        [[ $stderr == *"$name: the server closed the connection after 0."*' s without a line' ]] || flunk "$stderr"
        finish rude
    done
}

@test "timeout: does only the one that asks again and again use CPU?" {
    only_in plain long
    serve server echo_blocking
    for name in timeout_option timeout_select timeout_poll; do
        start client "$name" --limit 500ms 127.0.0.1 "$port"
        finish client
        holds "$(value client cpu_seconds) < 0.2 && $(value client calls) < 10"
    done
    start client timeout_busypoll --limit 500ms 127.0.0.1 "$port"
    finish client
    holds "$(value client calls) > 1000"
}

@test "timeout: is a limit of 0 no limit?" {
    only_in plain long
    serve server echo_busypoll
    for name in $ways; do
        client "$name" --limit 0 --stop-after 300ms --report 127.0.0.1 "$port"
        is "$name $status" "$name 1"
        cpu=${output##*cpu_seconds=}
        [ "$name" = timeout_busypoll ] || holds "${cpu%% *} < 0.15" # it sleeps
        [[ $stderr == *"$name: --stop-after after "*' s without a line' ]] || flunk "$stderr"
    done
}

@test "select: is a descriptor that does not fit into an fd_set an error?" {
    serve server echo_poll
    # shellcheck disable=SC2016 # for that shell
    run --separate-stderr timeout -s KILL 20 bash -c '
        ulimit -n 2000 || exit 77
        for ((i = 3; i < 1100; i++)); do eval "exec $i</dev/null"; done
        exec "$0" 127.0.0.1 "$1" hello' "$bin/timeout_select" "$port"
    [ "$status" -ne 77 ] || skip "no more than 1,024 descriptors are allowed here"
    is "$status" 1
    [[ $stderr == *'timeout_select: descriptor '*' does not fit into an fd_set' ]] || flunk "$stderr"
}

@test "timeout: is a line that is too long an error, not a wait without end?" {
    serve server echo_poll
    line=$(head -c 30000 /dev/zero | tr '\0' x)
    for name in $ways; do
        client "$name" 127.0.0.1 "$port" "$line"
        is "$name $status" "$name 1"
        [[ $stderr == *"$name: the line is longer than 16384 bytes" ]] || flunk "$stderr"
    done
}
