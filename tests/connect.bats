#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson connect: who decides how long connecting takes.

load helpers

both='connect_blocking connect_nonblocking'

@test "connect: does a server that listens let both in?" {
    serve server echo_busypoll
    for name in $both; do
        client "$name" 127.0.0.1 "$port"
        is "$status" 0
        [[ $output == "connecting to 127.0.0.1 port $port"*'connected after '*' s' ]] || flunk "$output"
    done
}

@test "connect: is a refusal an error at once, with its name?" {
    serve refuser peer refuse 127.0.0.1
    for name in $both; do
        start client "$name" 127.0.0.1 "$port"
        finish client
        is "$status $(value client failed)" '1 1'
        grep -q "^$name: cannot connect to 127.0.0.1 port $port: ECONNREFUSED Connection refused\\." "$T/client.err"
        ! grep -q '^connected' "$T/client.out" || flunk 'it believes to be connected'
    done
}

@test "tarpit: does it leave a connect without an answer, for as long as it runs?" {
    serve server tarpit
    start client connect_blocking --stop-after 1s 127.0.0.1 "$port"
    finish client
    is "$status $(value client calls) $(value client pending)" '1 1 1'
    holds "$(value client waited_seconds) > 0.9"
    grep -q "^connect_blocking: cannot connect to 127.0.0.1 port $port: stopped by --stop-after after " "$T/client.err"
}

@test "blocking: is no CPU used while connect waits?" {
    serve server tarpit
    start client connect_blocking 127.0.0.1 "$port"
    wait_for client.out '^connecting to'
    uses_no_cpu client
}

@test "tarpit: is everybody let in after its release?" {
    for name in $both; do
        serve server tarpit --release 300ms
        start client "$name" 127.0.0.1 "$port"
        finish client
        is "$status" 0
        holds "$(value client waited_seconds) > 0.2"
        grep -q '^connected after ' "$T/client.out"
        wait_for server.out '^released'
        stop server
        is "$status" 0
    done
}

@test "non-blocking: does it end on its own deadline, and work until then?" {
    serve server tarpit
    start client connect_nonblocking --deadline 300ms 127.0.0.1 "$port"
    finish client
    is "$status" 1
    holds "$(value client waited_seconds) >= 0.3"
    # Every time it was asked it was still under way: nothing else happened.
    is "$(value client calls)" "$(value client pending)"
    holds "$(value client calls) > 100 && $(value client work) > 25"
    grep -q "^connect_nonblocking: cannot connect to 127.0.0.1 port $port: stopped by the deadline after 0\\.3" "$T/client.err"
    grep -q '^asked [0-9,]* times; prime numbers found meanwhile: [0-9,]*$' "$T/client.out"
}

@test "non-blocking: does Enter stop it?" {
    serve server tarpit
    mkfifo "$T/keys"
    input=$T/keys
    start client connect_nonblocking 127.0.0.1 "$port"
    exec 5>"$T/keys"
    wait_for client.out '^connecting to'
    printf 'no newline yet' >&5
    echo >&5
    finish client
    exec 5>&-
    is "$status" 1
    grep -q 'stopped by Enter after' "$T/client.err"
}

@test "non-blocking: does Ctrl-C stop it?" {
    needs_int
    serve server tarpit
    start client connect_nonblocking 127.0.0.1 "$port"
    wait_for client.out '^connecting to'
    stop client INT
    is "$status" 1
    grep -q 'stopped by SIGINT after' "$T/client.err"
    grep -q '^report: ' "$T/client.out"
}

@test "non-blocking: does the end of standard input stop nothing?" {
    serve server tarpit --release 300ms
    client connect_nonblocking 127.0.0.1 "$port" </dev/null
    is "$status" 0
}

@test "non-blocking: does standard input keep its flags?" {
    serve server tarpit
    mkfifo "$T/keys"
    exec 5<>"$T/keys"
    before=$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/5")
    client connect_nonblocking --deadline 200ms 127.0.0.1 "$port" <&5
    is "$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/5")" "$before"
    exec 5>&-
}

@test "non-blocking: is the flag set before connect is asked?" {
    have_strace || skip "strace is not installed, or may not trace"
    serve refuser peer refuse 127.0.0.1
    run strace -f -e trace=fcntl,connect -o "$T/trace" "$bin/connect_nonblocking" 127.0.0.1 "$port"
    grep -E 'F_SETFL.*O_NONBLOCK|connect\(.*AF_INET' "$T/trace" >"$T/order"
    [[ $(head -n 1 "$T/order") == *O_NONBLOCK* ]] || flunk "$(cat "$T/order")"
    [[ $(sed -n 2p "$T/order") == *EINPROGRESS* ]] || flunk "$(cat "$T/order")"
}

have_strace() {
    [ -z "${SANITIZE:-}" ] && strace -o /dev/null true 2>/dev/null
}

@test "tarpit: does it come down at once, with clients still waiting?" {
    serve server tarpit
    start client connect_blocking 127.0.0.1 "$port"
    wait_for client.out '^connecting to'
    stop server
    is "$status" 0
    stop client
    is "$status" 1
}

@test "IPv6: can ::1 be refused, be let in, and be stuck?" {
    grep -q "^0*1 .* lo$" /proc/net/if_inet6 || skip "this machine has no IPv6"
    serve refuser peer refuse ::1
    client connect_nonblocking ::1 "$port"
    is "$status" 1
    serve server echo_busypoll --bind ::1
    client connect_nonblocking ::1 "$port"
    is "$status" 0
    serve stuck tarpit --bind ::1
    client connect_nonblocking --deadline 200ms ::1 "$port"
    is "$status" 1
    [[ $stderr == *'stopped by the deadline'* ]] || flunk "$stderr"
}
