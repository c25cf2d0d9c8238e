#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson connect: who decides how long connecting takes.

load helpers

all='connect_blocking connect_nonblocking connect_poll'
stoppable='connect_nonblocking connect_poll'

@test "connect: does a server that listens let them in?" {
    serve server echo_busypoll
    for name in $all; do
        client "$name" 127.0.0.1 "$port"
        is "$name $status: $stderr" "$name 0: "
        [[ $output == "connecting to 127.0.0.1 port $port"*'connected after '*' s' ]] || flunk "$output"
    done
}

@test "connect: is a refusal an error at once, with its name?" {
    beyond_the_task
    serve refuser bad_peer refuse 127.0.0.1
    for name in $all; do
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
    until_asleep client
}

@test "tarpit: is everybody let in after its release?" {
    serve server tarpit --release 1s
    for name in $all; do
        start "$name" "$name" 127.0.0.1 "$port"
    done
    for name in $all; do
        finish "$name"
        is "$name $status" "$name 0"
        holds "$(value "$name" waited_seconds) > 0.2"
        grep -q '^connected after ' "$T/$name.out"
    done
    grep -q '^accepting all connections' "$T/server.out"
    stop server
    is "$status" 0
}

@test "non-blocking: does it end on its own deadline, and work until then?" {
    beyond_the_task
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

@test "poll: does it end on its own deadline, having asked once and slept?" {
    beyond_the_task
    serve server tarpit
    start client connect_poll --deadline 1s 127.0.0.1 "$port"
    wait_for client.out '^connecting to'
    until_asleep client
    finish client
    is "$status $(value client calls) $(value client pending)" '1 1 1'
    holds "$(value client waited_seconds) >= 1"
    grep -q 'connect_poll: .*: stopped by the deadline after 1\.' "$T/client.err"
}

@test "poll: is writable not taken for connected?" {
    beyond_the_task
    # Refused: poll says writable, and SO_ERROR why. Nothing may be sent.
    serve refuser bad_peer refuse 127.0.0.1
    start client connect_poll 127.0.0.1 "$port"
    finish client
    is "$status $(value client 'done') $(value client failed)" '1 0 1'
    grep -q ECONNREFUSED "$T/client.err"
}

@test "stoppable: does Enter stop it?" {
    beyond_the_task
    for name in $stoppable; do
        serve server tarpit
        mkfifo "$T/keys"
        input=$T/keys
        start client "$name" --deadline 20s 127.0.0.1 "$port"
        exec 5>"$T/keys"
        wait_for client.out '^connecting to'
        printf 'no newline yet' >&5
        echo >&5
        finish client
        exec 5>&-
        rm "$T/keys"
        is "$name $status" "$name 1"
        grep -q 'stopped by Enter after' "$T/client.err"
        holds "$(value client waited_seconds) < 15"
        input=''
        stop server
    done
}

@test "stoppable: does Ctrl-C stop it?" {
    beyond_the_task
    needs_int
    for name in $stoppable; do
        serve server tarpit
        start client "$name" --deadline 20s 127.0.0.1 "$port"
        wait_for client.out '^connecting to'
        stop client INT
        is "$name $status" "$name 1"
        grep -q 'stopped by SIGINT after' "$T/client.err"
        grep -q '^report: ' "$T/client.out"
        stop server
    done
}

@test "stoppable: does the end of standard input stop nothing, and cost nothing?" {
    serve server tarpit --release 1s
    for name in $stoppable; do
        start "$name" "$name" 127.0.0.1 "$port"
    done
    for name in $stoppable; do
        finish "$name"
        is "$name $status" "$name 0"
    done
    holds "$(value connect_poll cpu_seconds) < 0.1"
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
    serve refuser bad_peer refuse 127.0.0.1
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
    beyond_the_task
    grep -q "^0*1 .* lo$" /proc/net/if_inet6 || skip "this machine has no IPv6"
    serve refuser bad_peer refuse ::1
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

# --- Again, elsewhere, or kept -------------------------------------------------

@test "retry: does it succeed when the server appears between two tries?" {
    beyond_the_task
    serve refuser bad_peer refuse 127.0.0.1
    start client connect_retry --tries 100 --cap 50ms 127.0.0.1 "$port"
    wait_for client.out '^try 3: ECONNREFUSED'
    stop refuser
    start server echo_poll "$port"
    finish client
    is "$status" 0
    tries=$(value client tries)
    grep -q "^connected at try $tries after" "$T/client.out"
    # A new socket for every try: each began with a connect that was pending.
    is "$(value client pending) $(value client failed)" "$tries $((tries - 1))"
    is "$(grep -c '^try ' "$T/client.out")" $((tries - 1))
}

@test "retry: is every try made on a socket of its own, and none left open?" {
    have_strace || skip "strace is not installed, or may not trace"
    serve refuser bad_peer refuse 127.0.0.1
    run strace -e trace=socket,connect,close -o "$T/trace" "$bin/connect_retry" --tries 4 --cap 1ms 127.0.0.1 "$port"
    is "$(grep -c '^socket(AF_INET, SOCK_STREAM' "$T/trace")" 4
    is "$(grep -c '^connect(.*EINPROGRESS' "$T/trace")" 4
    # The number is used again: each was closed before the next one was made.
    is "$(grep '^connect(' "$T/trace" | sed 's/,.*//' | sort -u | wc -l)" 1
}

@test "retry: do the pauses grow, keep below the cap, and differ from client to client?" {
    serve refuser bad_peer refuse 127.0.0.1
    for i in 1 2 3 4 5 6; do
        start "client$i" connect_retry --tries 7 --base 20ms --cap 100ms 127.0.0.1 "$port"
    done
    for i in 1 2 3 4 5 6; do
        finish "client$i"
        is "$status $(value "client$i" tries)" '1 7'
        # No pause after the last one.
        sed -n 's/.*the next one in \(.*\) s$/\1/p' "$T/client$i.out" >"$T/pauses$i"
        is "$(wc -l <"$T/pauses$i")" 6
        awk -v base=0.02 -v cap=0.1 '{
            most = base * 2 ^ (NR - 1)
            if (most > cap) most = cap
            if ($1 > most + 0.0005) exit 1
        }' "$T/pauses$i" || flunk "a pause is too long: $(cat "$T/pauses$i")"
    done
    is "$(sort -u "$T"/pauses? | wc -l | awk '{ print ($1 > 18) }')" 1
    # Some go beyond what the first may be: they do grow.
    holds "$(cat "$T"/pauses? | sort -n | tail -n 1) > 0.02"
}

@test "retry: does it give up on its number of tries, its deadline, and where no try helps?" {
    beyond_the_task
    serve refuser bad_peer refuse 127.0.0.1
    client connect_retry --tries 2 --cap 1ms 127.0.0.1 "$port"
    is "$status" 1
    [[ $stderr == *'connect_retry: gave up after 2 tries and '*'ECONNREFUSED '* ]] || flunk "$stderr"

    client connect_retry --report --tries 1000 --base 1s --cap 1s --deadline 300ms 127.0.0.1 "$port"
    is "$status" 1
    wall=${output##*wall_seconds=}
    holds "$wall < 20" # a thousand tries would take minutes
    [[ $stderr == *'gave up after '*' tries and '[0-9]* ]] || flunk "$stderr"

    serve server tarpit
    client connect_retry --tries 2 --each 100ms --cap 1ms 127.0.0.1 "$port"
    [[ $stderr == *'gave up after 2 tries and '*'ETIMEDOUT '* ]] || flunk "$stderr"

    # Not permitted: nothing will change.
    with_faults connect:EACCES:1 start client connect_retry 127.0.0.1 "$port"
    finish client
    is "$status $(value client tries)" '1 1'
    grep -q '^connect_retry: another try cannot succeed: EACCES ' "$T/client.err"
}

@test "failover: does the first that lives serve, within the limit of each that does not?" {
    serve refuser bad_peer refuse 127.0.0.1
    dead=$port
    serve stuck tarpit
    stuck=$port
    serve server echo_poll
    start client connect_failover --each 300ms 127.0.0.1 "$dead" no..such..host 80 127.0.0.1 "$stuck" 127.0.0.1 "$port"
    finish client
    is "$status" 0
    grep -q "^primary 127.0.0.1 port $dead failed: ECONNREFUSED after" "$T/client.out"
    grep -q "^backup no..such..host port 80 failed: " "$T/client.out"
    grep -q "^backup 127.0.0.1 port $stuck failed: ETIMEDOUT after 0\.3" "$T/client.out"
    grep -q "^connected to backup 127.0.0.1 port $port after 0\." "$T/client.out"
    holds "$(value client waited_seconds) >= 0.3 && $(value client waited_seconds) < 5"
    stop server
    is "$(value server accepted)" 1
}

@test "failover: if the primary serves, is nobody else asked?" {
    serve backup echo_poll
    backup=$port
    serve primary echo_poll
    client connect_failover 127.0.0.1 "$port" 127.0.0.1 "$backup"
    is "$status: $(grep -c . <<<"$output")" '0: 1'
    [[ $output == "connected to primary 127.0.0.1 port $port after "* ]]
    stop backup
    is "$(value backup accepted)" 0
}

@test "failover: does a race not wait for the one that hangs, and cancel it?" {
    serve stuck tarpit
    stuck=$port
    serve server echo_poll
    start client connect_failover --race 50ms --each 20s 127.0.0.1 "$stuck" 127.0.0.1 "$port"
    finish client
    is "$status $(value client tried)" '0 2'
    holds "$(value client waited_seconds) < 10"
    grep -q "^connected to backup 127.0.0.1 port $port after" "$T/client.out"
    grep -q "^primary 127.0.0.1 port $stuck: cancelled\$" "$T/client.out"
}

@test "failover: is it an error, and a clear one, if none serves?" {
    serve refuser bad_peer refuse 127.0.0.1
    client connect_failover 127.0.0.1 "$port" no..such..host 80
    is "$status" 1
    # The reason is on stderr as well.
    is "$stderr" "connect_failover: cannot find the address of no..such..host: EAI_NONAME
connect_failover: could not connect to any server: ECONNREFUSED Connection refused. The machine answers, but no server listens there: start it, or check the port."
    is "$(grep -c ' failed: ' <<<"$output")" 2
    client connect_failover 127.0.0.1 "$port" 127.0.0.1
    is "$status" 2
}

@test "pool: are connections kept, and one for each request made without?" {
    serve server echo_poll
    for keep in 0 1 4; do
        start client connect_pool --keep "$keep" --repeat 20 127.0.0.1 "$port" hello
        finish client
        is "$keep: $status $(grep -c '^hello$' "$T/client.out") $(value client requests)" "$keep: 0 20 20"
        is "$keep: $(value client connects)" "$keep: $((keep > 0 ? keep : 20))"
    done
    stop server
    is "$(value server accepted)" 25
}

@test "pool: is a connection that the server has closed replaced, and no request lost?" {
    serve server echo_poll
    mkfifo "$T/lines"
    input=$T/lines
    start client connect_pool --keep 2 127.0.0.1 "$port"
    input=''
    exec 5>"$T/lines"
    printf 'one\ntwo\n' >&5
    wait_for client.out '^two$'
    stop server
    start server echo_poll "$port"
    wait_for server.out '^listening on'
    printf 'three\nfour\nfive\n' >&5
    exec 5>&-
    finish client
    is "$status" 0
    is "$(head -n 5 "$T/client.out")" $'one\ntwo\nthree\nfour\nfive'
    is "$(value client connects) $(value client replaced)" '4 2'
    is "$(grep -c 'is no longer usable: replaced' "$T/client.err")" 2
}

@test "pool: does a request that breaks on its way go out again, once?" {
    serve server echo_poll
    with_faults send:EPIPE:3 start client connect_pool --keep 1 127.0.0.1 "$port" one two three four
    finish client
    is "$status: $(head -n 4 "$T/client.out")" $'0: one\ntwo\nthree\nfour'
    is "$(value client connects) $(value client replaced)" '2 1'

    serve rude bad_peer hang-up 127.0.0.1
    client connect_pool --each 2s 127.0.0.1 "$port" hello
    is "$status" 1 # the second server is not there at all
}
