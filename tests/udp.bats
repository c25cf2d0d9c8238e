#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson udp: boundaries, loss, and errors that come one call late.

load helpers

servers=$(every_program | grep '^udp_echo_')

@test "udp: do datagrams keep their boundaries, and is an empty one no end?" {
    for name in $servers; do
        serve server "$name"
        client udp_client 127.0.0.1 "$port" one '' 'two words' ''
        is "$name $status: $output" "$name 0: "$'one\n\ntwo words'
        stop server
        is "$status $(value server datagrams) $(value server bytes_received)" '0 4 12'
    done
}

@test "udp: is one that is too long noticed, by the server and by the client?" {
    for name in $servers; do
        serve server "$name" --room 100
        client udp_client --tries 1 --each 300ms 127.0.0.1 "$port" "$(printf '%0200d' 0)"
        is "$name $status" "$name 1"
        [[ $stderr == *'an answer of 100 bytes that is no echo of this'* ]] || flunk "$stderr"
        # Exactly as long as the room is not too long.
        client udp_client 127.0.0.1 "$port" "$(printf '%0100d' 0)"
        is "$name $status" "$name 0"
        stop server
        is "$(value server truncated)" 1
        grep -q 'is longer than 100 bytes: the rest is lost' "$T/server.err"
    done
}

@test "udp: does a server that sleeps use no CPU, and one that does not work meanwhile?" {
    serve server udp_echo_blocking
    until_asleep server
    serve other udp_echo_nonblocking --stop-after 500ms
    finish other
    holds "$(value other again) > 1000 && $(value other work) > 25"
}

@test "udp: is a full queue counted as what it is, loss without any error?" {
    serve server udp_echo_blocking
    start client udp_client --flood 20000 127.0.0.1 "$port"
    finish client
    is "$status $(value client failed) $(value client sent)" '0 0 20000'
    answered=$(value client answered)
    holds "$answered > 0 && $answered < 20000"
    grep -q "^sent 20,000 of 20,000 datagrams; .* came back, .* are lost\$" "$T/client.out"
}

@test "udp: does a connected socket hear that nobody is there, one call late?" {
    have_strace || skip "strace is not installed, or may not trace"
    # A TCP port: with UDP nobody is there.
    serve server echo_poll
    run --separate-stderr strace -e trace=sendto,recvfrom,poll -o "$T/trace" \
        "$bin/udp_client" --tries 2 --each 100ms 127.0.0.1 "$port" hello
    is "$status" 1
    # The send succeeds; the next call, whatever it is, brings the error.
    sed -n '/^sendto/,$p' "$T/trace" | grep -e '^sendto' -e '^recvfrom' | head -n 2 >"$T/calls"
    [[ $(sed -n 1p "$T/calls") == sendto*' = 5' ]] || flunk "$(cat "$T/trace")"
    [[ $(sed -n 2p "$T/calls") == *ECONNREFUSED* ]] || flunk "$(cat "$T/trace")"
}

have_strace() {
    [ -z "${SANITIZE:-}" ] && strace -o /dev/null true 2>/dev/null
}

@test "udp: is the client answered when the server comes back between two tries?" {
    serve server udp_echo_blocking
    stop server
    start client udp_client --tries 100 --each 50ms 127.0.0.1 "$port" hello
    wait_for client.err 'no answer to try 2'
    start server udp_echo_blocking "$port"
    finish client
    is "$status: $(head -n 1 "$T/client.out")" '0: hello'
    holds "$(value client refused) >= 1"
}

@test "udp: does the client give up after its tries, and say so?" {
    serve server echo_poll
    start client udp_client --tries 3 --each 50ms 127.0.0.1 "$port" hello
    finish client
    is "$status $(value client sent) $(value client answered)" '1 3 0'
    is "$(tail -n 1 "$T/client.err")" "udp_client: no answer from 127.0.0.1 port $port after 3 tries"
}

@test "udp: are interrupted calls no loss?" {
    for name in $servers; do
        with_faults sendto:EINTR:2,recvmsg:EINTR:2+ serve server "$name"
        client udp_client --each 300ms 127.0.0.1 "$port" one two three
        is "$name $status: $output" "$name 0: "$'one\ntwo\nthree'
        stop server
    done
}

@test "IPv6: do datagrams travel over ::1 as well?" {
    grep -q "^0*1 .* lo$" /proc/net/if_inet6 || skip "this machine has no IPv6"
    for name in $servers; do
        serve server "$name" --bind ::1
        client udp_client ::1 "$port" hello
        is "$name $status: $output" "$name 0: hello"
        stop server
    done
}
