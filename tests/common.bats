#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted; another shell expands
# The library, checked from inside by tests/unit.c, and the conventions that
# every program keeps.

load helpers

unit() {
    run --separate-stderr timeout -s KILL 60 "$build/tests/unit" "$1"
    is "$status: $output" '0: '
}

@test "library: is every result of a call told apart into one of five answers?" {
    unit answers
}

@test "library: are calls, answers and bytes counted?" {
    unit counting
}

@test "library: has every errno a symbol, a text, a category and advice?" {
    unit errors
}

@test "library: does errno survive messages?" {
    unit errno-survives
    # Where stderr cannot be written, printing changes errno by itself.
    "$build/tests/unit" errno-survives 2>/dev/full
}

@test "library: does set_nonblocking keep the other flags, and can it be undone?" {
    unit flags
}

@test "library: does the buffer keep its bytes, and its bounds?" {
    unit buffers
}

@test "library: do deadlines pass, and naps last?" {
    unit clocks
}

@test "library: is every byte of the payload known?" {
    unit payloads
}

@test "library: are numbers grouped, and primes found?" {
    unit numbers
}

@test "library: do lines come whole, and long ones in pieces?" {
    unit lines
}

@test "library: does the set of clients close what it drops?" {
    unit clients
}

@test "library: does a signal just before a blocking call end that call?" {
    unit late-signals
}

@test "library: is each message one write, so that no other can come between?" {
    unit messages
}

@test "library: is output that somebody has made non-blocking written all the same?" {
    unit nonblocking-output
}

@test "library: is what controls a terminal told from what is shown?" {
    unit texts
}

@test "library: is every group of checks in unit.c run by a test?" {
    for group in $("$build/tests/unit"); do
        grep -q "^    unit $group\$" "$BATS_TEST_FILENAME" || flunk "$group is not run"
    done
}

@test "every program: does --help go to stdout, and name usage and options?" {
    for name in $(every_program); do
        client "$name" --help
        is "$status: $stderr" '0: '
        is "${lines[0]%% *}" 'Usage:'
        for option in --report --stop-after --log --help; do
            [[ $output == *"  $option"* ]] || flunk "$name --help lacks $option"
        done
        # 80 columns are enough for it.
        [ "$(printf '%s\n' "$output" | awk 'length > 80' | wc -l)" -eq 0 ]
    done
}

@test "every program: is bad usage told on stderr, with status 2?" {
    only_in plain long
    # shellcheck disable=SC2046 # words are wanted
    for name in $(sample 'programs that are called in a wrong way' 3 15 $(every_program)); do
        case $(operands_of "$name") in
        PORT) good='0' bad=('70000' '-1' '80x' 'http' '' '0 0') ;;
        'HOST PORT'*) good='127.0.0.1 1' bad=('127.0.0.1' '127.0.0.1 70000' '127.0.0.1 0' '127.0.0.1 8o') ;;
        'BEHAVIOUR HOST PORT') good='reset 127.0.0.1 1' bad=('reset' 'reset 127.0.0.1' 'reset 127.0.0.1 70000' 'shout 127.0.0.1 1') ;;
        '[ERRNO]'*) good='EAGAIN' bad=() ;;
        'Usage: '*) good='' bad=('extra') ;; # no operands at all
        *) flunk "Which operands of $name are bad? Add a case here for '$(operands_of "$name")'" ;;
        esac
        for arguments in "${bad[@]}" "--nonsense $good" "--log loud $good" \
            "--stop-after soon $good" '--stop-after'; do
            # shellcheck disable=SC2086 # words on purpose
            run --separate-stderr "$bin/$name" $arguments
            is "$name $arguments: $status $output" "$name $arguments: 2 "
            [[ $stderr == "$name: "*"Usage: $name"* ]] || flunk "$stderr"
        done
    done
}

@test "options: is the one that there is not the one that is named?" {
    for option in -x -xy -é --nonsense --nonsense=5; do
        run --separate-stderr "$bin/echo_blocking" "$option" 0
        [[ $stderr == "echo_blocking: there is no option '$option'"* ]] || flunk "$stderr"
    done
}

@test "every server: is a port that is in use named, with what to do?" {
    serve tcp echo_blocking
    in_use=$port
    serve udp udp_echo_blocking
    for name in $(programs_with PORT); do
        [[ $name == udp_* ]] || port=$in_use
        client "$name" "$port"
        is "$name $status: $output" "$name 1: "
        is "$stderr" "$name: cannot listen on 127.0.0.1 port $port: EADDRINUSE Address already in use. Another socket has that port: choose another, or 0 for any free one."
        port=$(sed -n '1s/.* //p' "$T/udp.out")
    done
}

@test "every server: does it start again at once on the port it had?" {
    for name in echo_blocking echo_busypoll; do
        serve server "$name"
        # The side that closes first keeps the port for a while (TIME_WAIT).
        start client echo_client --hold 20s 127.0.0.1 "$port" hello
        wait_for client.out '^hello$'
        stop server
        start again "$name" "$port"
        wait_for again.out "^listening on 127.0.0.1 port $port\$"
        stop again
        stop client
    done
}

@test "server: is a privileged port refused with the reason?" {
    start=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
    [ "$start" -gt 80 ] || skip "this machine lets everybody use port 80"
    if [ "$(id -u)" -eq 0 ]; then
        drop=(setpriv --bounding-set=-net_bind_service)
        "${drop[@]}" true || skip "setpriv cannot drop the privilege"
    fi
    run --separate-stderr "${drop[@]}" "$bin/echo_blocking" --stop-after 5s 80
    is "$status: $output" '1: '
    [[ $stderr == 'echo_blocking: cannot listen on 127.0.0.1 port 80: EACCES Permission denied. '* ]]
}

@test "every server: is SIGPIPE no death?" {
    for name in $(programs_with PORT); do
        serve server "$name"
        kill -PIPE "${pid_of[server]}"
        kill -PIPE "${pid_of[server]}"
        stop server
        [ "$status" -lt 128 ] || flunk "$name died: $status"
    done
}

@test "every server: does it end at once on SIGTERM and SIGINT, with its report?" {
    only_in plain long
    needs_int
    for name in $(programs_with PORT); do
        for signal in TERM INT; do
            serve server "$name"
            stop server "$signal"
            good=0
            [ "$name" != sink ] || good=1 # it has not got what it is for
            is "$name $signal $status" "$name $signal $good"
            is "$(grep -c '^report: program=' "$T/server.out")" 1
            holds "$(value server wall_seconds) < 10"
        done
    done
}

@test "every client: is a refused connection named, with what to do?" {
    only_in plain long
    serve refuser bad_peer refuse 127.0.0.1
    for name in $(programs_with 'HOST PORT'); do
        line=hello
        [[ $(operands_of "$name") == *LINE* ]] || line=''
        case $name in
        connect_retry | connect_failover | udp_client) continue ;; # have tests of their own
        esac
        client "$name" 127.0.0.1 "$port" ${line:+"$line"} </dev/null
        is "$name $status" "$name 1"
        is "$stderr" "$name: cannot connect to 127.0.0.1 port $port: ECONNREFUSED Connection refused. The machine answers, but no server listens there: start it, or check the port."
    done
}

@test "every client: is an unknown host told by the resolver's words, not errno's?" {
    only_in plain long
    for name in $(programs_with 'HOST PORT'); do
        [ "$name" != connect_failover ] || continue # which goes on to the next
        client "$name" no..such..host 80
        is "$status: $output" '1: '
        [[ $stderr == "$name: cannot find the address of no..such..host: EAI_"* ]] || flunk "$stderr"
    done
}

# sockets_at_0_1_2 ROLE: which of 0, 1 and 2 are sockets in this program.
sockets_at_0_1_2() {
    for fd in 0 1 2; do
        [[ $(readlink "/proc/${pid_of[$1]}/fd/$fd") != socket:* ]] || echo "$fd"
    done
}

@test "every server: does no socket become standard input, output or error?" {
    only_in plain long
    for name in $(programs_with PORT); do
        launch server sh -c 'exec "$@" <&- >&- 2>&-' sh "$bin/$name" --stop-after "$bound" 0
        local end=$((SECONDS + patience))
        until [ -n "$(find "/proc/${pid_of[server]}/fd" -lname 'socket:*' 2>/dev/null)" ]; do
            [ "$SECONDS" -lt "$end" ] || flunk "$name opens no socket"
            sleep 0.02
        done
        is "$name: $(sockets_at_0_1_2 server)" "$name: "
        stop server
        is "$name $status" "$name 1" # what it had to say was lost
    done
}

@test "every server: does the log stay out of the connection, with standard error closed?" {
    for name in $(programs_with PORT | grep '^echo_'); do
        # The listener would be 0, and the first client 2.
        launch server sh -c 'exec "$@" <&- 2>&-' sh "$bin/$name" --log debug --stop-after "$bound" 0
        listens server
        client echo_client --log error 127.0.0.1 "$port" hello
        is "$name $status: $output$stderr" "$name 0: hello"
        stop server
    done
}

@test "every sender: does the report stay out of the connection, with standard output closed?" {
    for name in send_blocking send_all send_poll; do
        serve server sink --size 100k
        run sh -c 'exec "$@" <&- >&-' sh "$bin/$name" --stop-after "$bound" --report --size 100k 127.0.0.1 "$port"
        is "$name $status" "$name 1"
        [[ $output == *"$name: standard output is closed: the output of this program is lost" ]] || flunk "$output"
        finish server
        grep -q '^All data received: 102,400 bytes' "$T/server.out" || flunk "$name sent something else"
    done
}

# The clients that wait for their server for long enough.
waiting_clients() {
    programs_with 'HOST PORT' | grep -v -x -e udp_client -e connect_retry -e connect_failover -e connect_pool
}

# start_clients PORT: those of $clients, each in a role of its own name.
start_clients() {
    local name options line
    for name in $clients; do
        options=() line=()
        [[ $name != connect_nonblocking && $name != connect_poll ]] || options=(--deadline "$bound")
        [[ $(operands_of "$name") != *LINE* ]] || line=(hello)
        start "$name" "$name" "${options[@]}" 127.0.0.1 "$1" "${line[@]}"
    done
}

# Wait until it sleeps, works all the time, or has ended.
until_settled() {
    local end=$((SECONDS + patience)) seen='' used state
    while kill -0 "${pid_of[$1]}" 2>/dev/null; do
        state=$(sed 's/.*) \(.\).*/\1/' "/proc/${pid_of[$1]}/stat" 2>/dev/null) || return 0
        used=$(ticks "$1" 2>/dev/null)
        [[ $state != S || -z $seen || $used != "$seen" ]] || return 0
        [[ $state != Z && ${used:-99} -lt 10 ]] || return 0
        [ "$SECONDS" -lt "$end" ] || flunk "$1 does neither sleep nor work" || return 1
        seen=$used
        sleep 0.1
    done
}

@test "every client: does it end when asked to, with a server that says nothing?" {
    only_in plain long
    serve server echo_poll
    clients=$(waiting_clients)
    kill -STOP "${pid_of[server]}"
    start_clients "$port"
    for name in $clients; do
        until_settled "$name"
        kill "${pid_of[$name]}" 2>/dev/null || :
        ends "$name"
        [ "$status" -lt 128 ] || flunk "$name died: $status"
        # Otherwise it was ended by --stop-after, or has lost its patience.
        ! grep -e '--stop-after' -e 'is not served' "$T/$name.err" || flunk "$name did not listen"
    done
    kill -CONT "${pid_of[server]}"
}

# Wait until so many attempts to connect to $port are under way (proc(5), net/tcp).
until_attempts() {
    local end=$((SECONDS + patience)) count
    until count=$(awk -v port="$(printf ':%04X' "$port")" '$3 ~ port "$" && $4 == "02"' /proc/net/tcp | wc -l) &&
        [ "$count" -eq "$1" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "$count attempts, and not $1"
        sleep 0.02
    done
}

@test "every client: does a signal leave an attempt to connect alone, which goes on in the kernel?" {
    only_in plain long
    serve server tarpit
    clients=$(waiting_clients)
    start_clients "$port"
    until_attempts "$(wc -w <<<"$clients")"
    for name in $clients; do
        kill -USR1 "${pid_of[$name]}"
    done
    # Each was still trying, and is refused once the server has gone.
    stop server
    for name in $clients; do
        ends "$name"
        is "$name $status" "$name 1"
        [[ $(cat "$T/$name.err") == *'cannot connect to 127.0.0.1 port '*': ECONNREFUSED Connection refused'* ]] ||
            flunk "$name did not go on"
    done
}

@test "connect: does an attempt that a signal has interrupted succeed?" {
    only_in plain long
    for name in connect_blocking echo_client; do
        serve server tarpit
        word=hello
        [ "$name" = echo_client ] || word=''
        start "$name" "$name" 127.0.0.1 "$port" ${word:+"$word"}
        until_attempts 1
        kill -USR1 "${pid_of[$name]}"
        until_asleep "$name"
        # A server on the same port: the kernel asks again, and is answered.
        stop server
        start server echo_poll "$port"
        ends "$name"
        is "$name $status: $(grep -v -e info -e refused "$T/$name.err")" "$name 0: "
        stop server
    done
}

@test "every program: do the counts of the report add up?" {
    serve server echo_busypoll
    still_serves
    stop server
    local sum=0
    for kind in 'done' again interrupted pending closed failed; do
        sum=$((sum + $(value server "$kind")))
    done
    is "$(value server calls)" "$sum"
    is "$(value server accepted)" 1
    is "$(value server bytes_received) $(value server bytes_sent)" '13 13'
}

@test "log: has every line the time and the level, and can it be silenced?" {
    serve server echo_blocking
    client echo_client 127.0.0.1 "$port" hello
    [[ $stderr =~ ^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\ info\ +connected\ to ]] || flunk "$stderr"
    client echo_client --log warn 127.0.0.1 "$port" hello
    is "$status: $output$stderr" '0: hello'
    client echo_client --log debug 127.0.0.1 "$port" hello
    [[ $stderr == *' debug '* ]] || flunk "$stderr"
}

@test "report: does a program that dies report as well?" {
    serve refuser bad_peer refuse 127.0.0.1
    client echo_client --report 127.0.0.1 "$port"
    is "$status" 1
    [[ ${lines[-1]} == 'report: program=echo_client '*' wall_seconds='* ]] || flunk "$output"
}

@test "stdout: is it noticed when nothing can be written there?" {
    serve server echo_blocking
    for quiet in warn error; do
        run --separate-stderr bash -c '"$0" --log "$2" --stop-after 10s 127.0.0.1 "$1" hello >/dev/full' "$bin/echo_client" "$port" $quiet
        is "$status" 1
        [[ $stderr == 'echo_client: cannot write to standard output: ENOSPC '* ]] || flunk "$stderr"
    done
    # The errno of a call that was interrupted later is not the reason.
    with_faults 'recv:EINTR:2+' launch client bash -c 'exec "$0" --stop-after 10s --log error 127.0.0.1 "$1" a b c d >/dev/full' "$bin/echo_client" "$port"
    ends client
    is "$status" 1
    grep -q '^echo_client: cannot write to standard output: ENOSPC ' "$T/client.err"
}

@test "stdout: is it noticed when the help cannot be written there?" {
    for name in $(every_program); do
        run --separate-stderr bash -c '"$0" --help >/dev/full' "$(program "$name")"
        is "$status" 1
        [[ $stderr == "$name: cannot write to standard output: ENOSPC "* ]] || flunk "$stderr"
    done
}

# The client's output goes into a pipe that nobody reads yet: a FIFO that the test
# holds open. Its echoes are more than fit.
client_with_full_output() {
    serve server echo_poll
    mkfifo "$T/pipe"
    exec {reading}<>"$T/pipe"
    seq -f '%0100.0f' 20000 >"$T/sent" # also more than a pipe of large pages holds
    input=$T/sent launch client bash -c 'exec "$0" --log error --stop-after 60s 127.0.0.1 "$1" >"$2"' \
        "$bin/echo_client" "$port" "$T/pipe"
    input=''
    wait_for_full_pipe
}

# It sleeps, and has written something, but not all.
wait_for_full_pipe() {
    local end=$((SECONDS + patience)) wrote=0
    until [ "$wrote" -ge 4096 ] && until_asleep client; do
        [ "$SECONDS" -lt "$end" ] || flunk "the pipe does not fill: $wrote bytes" || return 1
        wrote=$(sed -n 's/^wchar: //p' "/proc/${pid_of[client]}/io")
        sleep 0.02
    done
}

@test "stdout: if it is full for a while, do signals lose any of it?" {
    client_with_full_output
    for ((i = 0; i < 20; i++)); do
        kill -USR1 "${pid_of[client]}"
        sleep 0.01
    done
    launch reader timeout 60 head -c "$(wc -c <"$T/sent")" "$T/pipe"
    ends client
    is "$status" 0
    ends reader
    is "$status" 0
    cmp "$T/sent" "$T/reader.out"
}

@test "stdout: if nobody reads it, does a program end when asked to, and say that some is lost?" {
    client_with_full_output
    kill -TERM "${pid_of[client]}"
    ends client
    is "$status" 1
    grep -q '^echo_client: stopped by SIGTERM, and nobody reads the output: the rest of it is lost$' "$T/client.err"
}

@test "stop-after: does a blocked program end when its time is up?" {
    run --separate-stderr "$bin/echo_blocking" --stop-after 200ms --report 0
    is "$status" 0
    holds "${lines[-1]##*wall_seconds=} >= 0.2"
}

@test "stop-after: is no time too short, and no inherited mask in its way?" {
    for time in 0.5us 0.0001us; do
        run timeout -s KILL 20 "$bin/echo_blocking" --stop-after $time 0
        is "$status" 0
    done
    env --block-signal=ALRM true 2>/dev/null || skip "env has no --block-signal here"
    run timeout -s KILL 20 env --block-signal=ALRM --block-signal=TERM "$bin/echo_blocking" --stop-after 100ms 0
    is "$status" 0
}

@test "valgrind: does no program leak memory or descriptors, or read what it never wrote?" {
    only_in plain long
    [ -z "${SANITIZE:-}" ] || skip "not together with the sanitizers"
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    checked=(valgrind --quiet --leak-check=full --track-fds=yes --error-exitcode=99)
    # Not every C library goes together with every valgrind.
    "${checked[@]}" "$build/tests/unit" clients >"$T/try.out" 2>&1 || skip "valgrind cannot run these programs"

    watch() {
        launch "$1" "${checked[@]}" "$bin/$2" --stop-after "$bound" --log error "${@:3}"
    }
    clean() {
        is "$1 $status: $(grep 'AF_INET' "$T/$2.err")" "$1 0: "
    }
    for pair in $(sample 'echo pairs under valgrind' 1 1 echo_blocking:echo_client echo_busypoll:echo_client_busypoll); do
        watch server "${pair%:*}" 0
        listens server
        watch client "${pair#*:}" 127.0.0.1 "$port" one two
        finish client
        clean "${pair#*:}" client
        client bad_peer reset 127.0.0.1 "$port"
        stop server
        clean "${pair%:*}" server
    done
    for name in $(sample 'senders under valgrind' 1 1 send_blocking send_once send_all); do
        watch server sink --size 1k 0
        listens server
        watch client "$name" --size 1k 127.0.0.1 "$port"
        finish client
        clean "$name" client
        finish server
        clean sink server
    done
    watch server tarpit --release 100ms 0
    listens server
    for name in connect_blocking connect_nonblocking; do
        watch client "$name" 127.0.0.1 "$port"
        finish client
        clean "$name" client
    done
    stop server
    clean tarpit server
}

@test "common: do dependencies run one way, in the order of wouldblock.h?" {
    cd "$root/common"
    above=' '
    for part in $(sed -n 's/^ \*   \([a-z]*\)\.h .*/\1/p' wouldblock.h); do
        for used in $(sed -n 's/^#include "\([a-z]*\)\.h"$/\1/p' "$part.h" "$part.c"); do
            [[ $used = "$part" || $above == *" $used "* ]] || flunk "$part uses $used, which does not stand above it"
        done
        above+="$part "
    done
    is "$(tr -s ' ' '\n' <<<"${above# }" | grep . | sort)" "$(basename -s .c ./*.c | sort)"
}
