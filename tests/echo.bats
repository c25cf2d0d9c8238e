#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what another shell is to expand
# The lesson echo: who is served, and what it costs. What bad clients get stands in
# bad_peers.bats.

load helpers

# By their names: a client is called so, and one that blocks is.
clients=$(every_program | grep '^echo_client')
servers=$(basename -s .c "$root"/demos/echo/*.c | grep -v client)
pollers=$(grep -v blocking <<<"$servers")
waiters=$(grep -v busypoll <<<"$pollers") # the pollers that sleep

@test "clients: do lines from arguments come back?" {
    serve server echo_busypoll
    for name in $clients; do
        client "$name" 127.0.0.1 "$port" 'first line' '' second
        is "$status" 0
        is "$output" $'first line\n\nsecond'
    done
}

@test "clients: does standard input come back byte by byte, binary and long lines too?" {
    serve server echo_busypoll
    { printf 'a\0b\n\n'; head -c 300000 /dev/zero | tr '\0' x; printf '\n\377no newline'; } >"$T/sent"
    for name in $clients; do
        "$bin/$name" --stop-after "$bound" 127.0.0.1 "$port" <"$T/sent" >"$T/received"
        cmp "$T/sent" "$T/received"
    done
}

@test "clients: is no input at all no mistake?" {
    serve server echo_busypoll
    for name in $clients; do
        client "$name" 127.0.0.1 "$port" </dev/null
        is "$status: $output" '0: '
    done
}

@test "clients: is a server that hangs up an error?" {
    for name in $clients; do
        serve rude bad_peer hang-up 127.0.0.1
        client "$name" --log warn 127.0.0.1 "$port" hello
        is "$status: $output" '1: '
        [[ $stderr == "$name: the server closed the connection: 6 bytes of the echo are missing" ||
            $stderr == "$name: cannot receive from the server: ECONNRESET "* ]] || flunk "$stderr"
        finish rude
    done
}

@test "clients: do interrupted and partial calls lose nothing?" {
    serve server echo_busypoll
    seq 1000 >"$T/sent"
    for name in $clients; do
        input=$T/sent with_faults 'recv:EINTR:3+,send:EINTR:5+,send:short:2+,recv:short:7+' \
            launch "$name" "$bin/$name" --log warn --stop-after "$bound" 127.0.0.1 "$port"
        finish "$name"
        cmp "$T/sent" "$T/$name.out"
    done
}

# A second client while the first one is there and silent.
two_clients() {
    serve server "$@"
    start first echo_client --hold 600s 127.0.0.1 "$port" hello
    wait_for first.out '^hello$'
    start second echo_client 127.0.0.1 "$port" 'anybody there?'
    wait_for second.err 'connected to'
}

@test "who is served: does the second client wait with the blocking server only?" {
    two_clients echo_blocking
    until_asleep second
    until_asleep server
    is "$(cat "$T/second.out")" ''
    stop first
    ends second
    is "$status: $(head -n 1 "$T/second.out")" '0: anybody there?'
    stop server
    for server in $pollers 'echo_busypoll --nap 1ms'; do
        # shellcheck disable=SC2086 # words on purpose
        two_clients $server
        ends second
        is "$server $status: $(head -n 1 "$T/second.out")" "$server 0: anybody there?"
        until_asleep first # which is silent still
        stop first
        stop server
    done
}

@test "waiting servers: is no CPU used while nobody says anything, or nobody reads?" {
    for name in $waiters; do
        serve server "$name"
        start silent echo_client --hold 20s 127.0.0.1 "$port" hello
        wait_for silent.out '^hello$'
        until_asleep server
        # Now there is something to write, and no room for it.
        start glutton bad_peer --count 64M never-read 127.0.0.1 "$port"
        wait_for glutton.out 'reading nothing'
        until_asleep server
        still_serves
        stop glutton KILL
        stop silent
        stop server
        is "$name $status" "$name 0"
    done
}

@test "blocking: do server and clients use no CPU while they wait?" {
    serve server echo_blocking
    start first echo_client --hold 5s 127.0.0.1 "$port" hello
    wait_for first.out '^hello$'
    start second echo_client 127.0.0.1 "$port" 'anybody there?'
    wait_for second.err 'connected to'
    until_asleep server
    until_asleep second
    is "$(cat "$T/second.out")" ''
}

@test "busy-poll: does asking burn CPU, and napping spare it?" {
    beyond_the_task
    serve spinner echo_busypoll
    serve napper echo_busypoll --nap 5ms
    before_spinner=$(ticks spinner) before_napper=$(ticks napper)
    end=$((SECONDS + patience))
    until used_spinner=$(($(ticks spinner) - before_spinner)) && [ "$used_spinner" -ge 30 ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "the one that asks all the time has used $used_spinner ticks only"
        sleep 0.05
    done
    used_napper=$(($(ticks napper) - before_napper))
    holds "$used_spinner > 4 * $used_napper"
    stop spinner
    holds "$(value spinner again) > 1000"
}

@test "busy-poll client: does it work while it waits?" {
    serve server echo_blocking
    start first echo_client --hold 300ms 127.0.0.1 "$port" hello
    wait_for first.out '^hello$'
    start second echo_client_busypoll 127.0.0.1 "$port" 'anybody there?'
    finish second
    is "$status: $(head -n 1 "$T/second.out")" '0: anybody there?'
    holds "$(value second again) > 100 && $(value second work) > 25"
    wait_for second.err 'prime numbers found meanwhile: [0-9]'
}

@test "edge-triggered: is everything echoed, unless reports are not used up?" {
    for option in '' --one-turn; do
        # Stopped meanwhile, the server finds everything there at once.
        # shellcheck disable=SC2086 # no word if it is empty
        serve server echo_epoll_edge $option
        kill -STOP "${pid_of[server]}"
        start burst bad_peer --count 40k burst 127.0.0.1 "$port"
        wait_for burst.out '^sent$'
        kill -CONT "${pid_of[server]}"
        finish burst
        case $option in
        '') is "$(sed -n 2p "$T/burst.out")" 'received 40960 of 40960 bytes' ;;
        *) is "$(sed -n 2p "$T/burst.out")" 'received 16384 of 40960 bytes' ;;
        esac
        stop server
    done
}

@test "edge-triggered: after its turns, does a client get another report?" {
    # A byte a turn: one message takes more turns than a client has at once.
    with_faults 'recv:short:1+' serve server echo_epoll_edge
    line=$(head -c 100 /dev/zero | tr '\0' x)
    client echo_client --stop-after 5s 127.0.0.1 "$port" "$line"
    is "$status: $output" "0: $line"
}

@test "epoll: if others leave, is a client's place in the set known?" {
    for name in echo_epoll echo_epoll_edge; do
        serve server "$name"
        for ((i = 1; i <= 3; i++)); do
            mkfifo "$T/$name$i"
            input=$T/$name$i start "client$i" echo_client 127.0.0.1 "$port"
            exec {keys}>"$T/$name$i"
            keyboard[client$i]=$keys
            echo hello >&"$keys"
            wait_for "client$i.out" '^hello$'
        done
        for i in 1 3; do
            keys=${keyboard[client$i]}
            exec {keys}>&-
            ends "client$i"
            wait_for server.err "client $i: connection closed"
        done
        echo again >&"${keyboard[client2]}"
        wait_for client2.out '^again$'
        still_serves
        keys=${keyboard[client2]}
        exec {keys}>&-
        ends client2
        stop server
        is "$name $status $(grep -c 'connection closed' "$T/server.err")" "$name 0 4"
    done
}

@test "edge-triggered: are clients that come at the same moment all let in?" {
    serve server echo_epoll_edge
    kill -STOP "${pid_of[server]}"
    for i in 1 2 3; do
        start "client$i" echo_client 127.0.0.1 "$port" hello
        wait_for "client$i.err" 'connected to'
    done
    kill -CONT "${pid_of[server]}"
    for i in 1 2 3; do
        finish "client$i"
        is "$status" 0
    done
}

@test "epoll: are three system calls a round trip all it takes?" {
    beyond_the_task
    [ -z "${SANITIZE:-}" ] && strace -o /dev/null true 2>/dev/null ||
        skip "strace is not installed, or may not trace"
    launch server strace -f -o "$T/trace" "$bin/echo_epoll" --stop-after 10s --report 0
    listens server
    start load echo_load --connections 1 --active 1 --idle 1ms --time 300ms 127.0.0.1 "$port"
    finish load
    # Its one connection was served once before the load began.
    trips=$(($(value load round_trips) + 1))
    start load echo_load --connections 100 --active 10 --idle 1ms --time 300ms 127.0.0.1 "$port"
    finish load
    many=$(value load round_trips)
    pkill -TERM -P "${pid_of[server]}"
    finish server
    # From the first accept to the second, and from the last one on.
    calls_between 1 2 >"$T/one"
    calls_between 101 102 >"$T/many"
    holds "$trips > 20 && $many > 20"
    holds "$(wc -l <"$T/one") / $trips <= 3.05 + 10 / $trips" # and its beginning and end
    holds "$(wc -l <"$T/many") / ($many + 100) <= 2.25"
}

# The calls that wait or move bytes, after the Nth accept and before the Mth.
calls_between() {
    awk -v from="$1" -v to="$2" '
        / accept\(/ && / = [0-9]/ { accepted++ }
        accepted >= from && accepted < to && / (epoll_wait|epoll_ctl|recvfrom|sendto)\(/' "$T/trace"
}

@test "polling servers: does an idle connection cost next to nothing?" {
    only_in plain long
    may_open 2100
    for name in echo_busypoll echo_poll echo_epoll echo_epoll_edge; do
        serve server "$name" --log warn
        [ -n "${SANITIZE:-}" ] || holds "$(resident server) <= 2048" # kB, the program itself
        start load echo_load --connections 2000 --active 1 --time 1ms --idle 1ms --watch "${pid_of[server]}" 127.0.0.1 "$port"
        finish load
        is "$name $status" "$name 0"
        most=2
        [ "$name" != echo_epoll ] || most=0.25
        [ -n "${SANITIZE:-}" ] || holds "$(value load server_kib) <= $most"
        stop server
    done
}

@test "servers: does no size of message stall, as with Nagle's algorithm?" {
    only_in plain long
    for name in $servers; do
        serve server "$name"
        for size in 1 1000 16384 16385 20000 65536; do
            # A stall lasts 40 ms, in each run; a busy machine delays some runs.
            for try in 1 2 3 4 5 6; do
                start load echo_load --connections 1 --active 1 --size "$size" --idle 1ms --time 60ms 127.0.0.1 "$port"
                finish load
                is "$name $size $status" "$name $size 0"
                [ "$(value load p50_us)" -ge 20000 ] || break
            done
            holds "$(value load p50_us) < 20000"
        done
        stop server
    done
}

@test "load: does it count what the server has echoed, and say what it measured?" {
    serve server echo_epoll
    start load echo_load --connections 20 --active 5 --size 100 --idle 1ms --time 100ms --watch "${pid_of[server]}" 127.0.0.1 "$port"
    finish load
    is "$status" 0
    trips=$(value load round_trips)
    # Each connection once, all round trips, and what was on its way at the end.
    received=$(value load bytes_received)
    holds "$received >= 100 * ($trips + 20) && $received < 100 * ($trips + 20 + 5)"
    holds "$(value load p50_us) <= $(value load p99_us)"
    grep -q '^20 connections, 5 active: [0-9]* round trips a second$' "$T/load.out"
    client echo_load --connections 5 --active 6 127.0.0.1 "$port"
    is "$status" 2
    stop server
    client echo_load --connections 1 --active 1 127.0.0.1 "$port"
    is "$status" 1
}

@test "blocking: out of descriptors, does it go on without spinning?" {
    with_faults 'accept:EMFILE:1,accept:EMFILE:2,accept:ENOBUFS:3' serve server echo_blocking
    still_serves
    is "$(grep -c 'cannot accept a client now' "$T/server.err")" 2
    stop server
    is "$(value server failed)" 3
    holds "$(value server wall_seconds) >= 0.3" # a pause after each
}

# Whatever a call answers, one client at most is lost.
@test "servers: do they outlive every error of every call?" {
    for name in $servers; do
        for fault in accept:ECONNABORTED:1 accept:EINTR:1 accept:ENOBUFS:1 \
            select:EINTR:2+ poll:EINTR:2+ epoll_wait:EINTR:2+ \
            recv:EINTR:2+ recv:ECONNRESET:2 recv:ENOBUFS:2 \
            send:EINTR:2+ send:short:1+ send:EPIPE:2 send:ENOBUFS:2; do
            echo "$name $fault"
        done
    done >"$T/faults"
    mapfile -t faults <"$T/faults"
    while read -r name fault; do
        with_faults "$fault" serve server "$name" --log warn
        client echo_client --log error 127.0.0.1 "$port" one two three
        # A fault that only delays must not be noticed at all.
        case $fault in
        *EINTR* | *short* | accept*) is "$name $fault $output" "$name $fault "$'one\ntwo\nthree' ;;
        *) is "$name $fault $status" "$name $fault 1" ;;
        esac
        still_serves
        stop server
        is "$name $fault $status" "$name $fault 0"
    done < <(sample 'errors of a call, of each server' 6 24 "${faults[@]}")
}

@test "servers: do they go on where nothing can be written to stderr?" {
    # There errno changes with every message: 11 becomes 28.
    for name in $servers; do
        launch server bash -c 'exec "$0" --stop-after "$1" --log debug 0 2>/dev/full' "$bin/$name" "$bound"
        listens server
        client bad_peer reset 127.0.0.1 "$port"
        still_serves
        stop server
        is "$status" 0
    done
}

@test "IPv6: are clients served on ::1 as well?" {
    grep -q "^0*1 .* lo$" /proc/net/if_inet6 || skip "this machine has no IPv6"
    for name in $servers; do
        serve server "$name" --bind ::1
        grep -q "^listening on ::1 port $port\$" "$T/server.out"
        client echo_client ::1 "$port" hello
        is "$status: $output" '0: hello'
        stop server
    done
}

@test "clients: is every address of a name tried?" {
    getent ahosts localhost | grep -q '^::1' || skip "here localhost has one address only"
    serve server echo_busypoll
    client echo_client localhost "$port" hello
    is "$status: $output" '0: hello'
}
