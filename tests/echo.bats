#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson echo: who is served, and what bad clients do.

load helpers

servers='echo_blocking echo_busypoll'
clients='echo_client echo_client_busypoll'

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
        serve rude peer hang-up 127.0.0.1
        client "$name" --log warn 127.0.0.1 "$port" hello
        is "$status: $output" '1: '
        [[ $stderr == "$name: the server left and owes us 6 bytes" ||
            $stderr == "$name: cannot receive from the server: ECONNRESET "* ]] || flunk "$stderr"
        finish rude
    done
}

@test "clients: do interrupted and partial calls lose nothing?" {
    serve server echo_busypoll
    seq 1000 >"$T/sent"
    for name in $clients; do
        LD_PRELOAD=$peers/faults.so WB_FAULTS='recv:EINTR:3+,send:EINTR:5+,send:short:2+,recv:short:7+' \
            "$bin/$name" --log warn --stop-after "$bound" 127.0.0.1 "$port" <"$T/sent" >"$T/received"
        cmp "$T/sent" "$T/received"
    done
}

# The second client's wait while the first one is silent for a second.
second_client_waits() {
    serve server "$@"
    start first echo_client --hold 1s 127.0.0.1 "$port" hello
    wait_for first.out '^hello$'
    start second echo_client 127.0.0.1 "$port" 'anybody there?'
    finish second
    is "$status: $(head -n 1 "$T/second.out")" '0: anybody there?'
    finish first
    is "$status" 0
    stop server
    waited=$(value second first_wait_seconds)
}

@test "who is served: does the second client wait with the blocking server only?" {
    second_client_waits echo_blocking
    blocking=$waited
    second_client_waits echo_busypoll
    polling=$waited
    second_client_waits echo_busypoll --nap 1ms
    holds "$blocking > 0.5 && $blocking > 5 * $polling && $blocking > 5 * $waited"
}

@test "blocking: do server and clients use no CPU while they wait?" {
    serve server echo_blocking
    start first echo_client --hold 5s 127.0.0.1 "$port" hello
    wait_for first.out '^hello$'
    start second echo_client 127.0.0.1 "$port" 'anybody there?'
    wait_for second.err 'connected to'
    uses_no_cpu server
    uses_no_cpu second
    is "$(cat "$T/second.out")" ''
}

@test "busy-poll: does asking burn CPU, and napping spare it?" {
    serve spinner echo_busypoll
    serve napper echo_busypoll --nap 5ms
    before_spinner=$(ticks spinner) before_napper=$(ticks napper)
    sleep 1
    used_spinner=$(($(ticks spinner) - before_spinner)) used_napper=$(($(ticks napper) - before_napper))
    holds "$used_spinner > 10 && $used_spinner > 4 * $used_napper"
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

@test "servers: is everything echoed to a client that half-closes?" {
    for name in $servers; do
        serve server "$name"
        client peer --count 100k half-close 127.0.0.1 "$port"
        is "$status: $output" '0: received 102400 of 102400 bytes, then the end'
        stop server
    done
}

@test "servers: is a client that sends byte by byte served?" {
    for name in $servers; do
        serve server "$name"
        client peer --count 200 drip 127.0.0.1 "$port"
        is "$status: $output" '0: dripped 200 bytes'
        stop server
    done
}

@test "servers: does a reset in mid-stream hurt nobody else?" {
    for name in $servers; do
        serve server "$name"
        for _ in 1 2 3; do
            client peer reset 127.0.0.1 "$port"
            is "$status" 0
        done
        still_serves
        stop server
        is "$status $(value server accepted)" '0 4'
    done
}

@test "servers: do hundreds that come and vanish leave no descriptor behind?" {
    for name in $servers; do
        serve server "$name"
        still_serves
        before=$(descriptors server)
        client peer --log warn --count 300 vanish 127.0.0.1 "$port"
        is "$status: $output" '0: vanished 300 times'
        still_serves
        wait_for server.err 'client 302 left'
        is "$(descriptors server)" "$before"
        stop server
        is "$(value server accepted)" 302
    done
}

@test "busy-poll: is a client that never reads bounded, and are the others served?" {
    serve server echo_busypoll
    before=$(resident server)
    start glutton peer --count 64M never-read 127.0.0.1 "$port"
    wait_for glutton.out 'the server took'
    took=$(sed -n 's/^the server took \([0-9]*\) of.*/\1/p' "$T/glutton.out")
    holds "$took > 0 && $took < 64 * 1024 * 1024" # back-pressure reached it
    holds "$(resident server) - $before < 1024"   # kB
    start bystander echo_client 127.0.0.1 "$port" hello
    finish bystander
    is "$status" 0
    holds "$(value bystander first_wait_seconds) < 1"
    stop glutton KILL
    still_serves
    wait_for server.err 'client 1 left'
}

resident() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${pid_of[$1]}/status"
}

@test "busy-poll: are more connections than FD_SETSIZE served at the same time?" {
    ulimit -S -n 4096 2>/dev/null || skip "this machine allows too few descriptors"
    serve server echo_busypoll --log warn
    start crowd peer --log warn --count 1100 crowd 127.0.0.1 "$port"
    wait_for crowd.out '^1100 connections served$'
    still_serves
    stop crowd
    stop server
    is "$status $(value server accepted)" '0 1101'
}

@test "busy-poll: out of descriptors, does it keep serving, and accept again afterwards?" {
    # 0, 1, 2, the listener, and four clients.
    launch server bash -c "ulimit -n 8 && exec '$bin/echo_busypoll' --stop-after $bound --report 0"
    listens server
    start crowd peer --count 4 crowd 127.0.0.1 "$port"
    wait_for crowd.out '^4 connections served$'
    start waiting echo_client 127.0.0.1 "$port" hello
    wait_for server.err 'echo_busypoll: cannot accept a client now: EMFILE Too many open files'
    is "$(value waiting bytes_received)" ''
    stop crowd
    finish waiting
    is "$status: $(head -n 1 "$T/waiting.out")" '0: hello'
    is "$(grep -c EMFILE "$T/server.err")" 1 # said once, not a million times
    stop server
    is "$(value server accepted)" 5
}

@test "blocking: out of descriptors, does it go on without spinning?" {
    shim=$peers/faults.so
    export WB_FAULTS='accept:EMFILE:1,accept:EMFILE:2,accept:ENOBUFS:3'
    serve server echo_blocking
    unset WB_FAULTS shim
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
            recv:EINTR:2+ recv:ECONNRESET:2 recv:ENOBUFS:2 \
            send:EINTR:2+ send:short:1+ send:EPIPE:2 send:ENOBUFS:2; do
            export WB_FAULTS=$fault shim=$peers/faults.so
            serve server "$name" --log warn
            unset WB_FAULTS shim
            client echo_client --log error 127.0.0.1 "$port" one two three
            # A fault that only delays must not be noticed at all.
            case $fault in
            *EINTR* | *short* | accept*) is "$name $fault $output" "$name $fault "$'one\ntwo\nthree' ;;
            *) is "$name $fault $status" "$name $fault 1" ;;
            esac
            still_serves
            stop server
            is "$name $fault $status" "$name $fault 0"
        done
    done
}

@test "servers: do they go on where nothing can be written to stderr?" {
    # There errno changes with every message: 11 becomes 28.
    for name in $servers; do
        launch server bash -c "exec '$bin/$name' --stop-after $bound --log debug 0 2>/dev/full"
        listens server
        client peer reset 127.0.0.1 "$port"
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
