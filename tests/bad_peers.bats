#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what another shell is to expand
# What bad peers get: correct service or a clear end, and nothing is lost. Every
# server outlives any client. One table, for every server.

load helpers

# Who meets whom. What a bad peer does, and what it must get, stands in the function
# of its name. The servers are called by their kind:
#
#   blocking   one client at a time: who does not read holds it, as its lesson shows
#   polling    the other echo servers
#   chat       each guest's lines go to all others
#   datagrams  the UDP servers
table='
resets              blocking polling chat
half_closes         blocking polling chat
drips               blocking polling chat
vanishes            blocking polling chat
never_reads         polling chat
comes_in_thousands  polling
takes_descriptors   polling chat
says_nonsense       blocking polling chat
floods_and_is_gone  datagrams
'

servers_of() {
    case $1 in
    blocking) echo echo_blocking ;;
    polling) basename -s .c "$root"/demos/echo/*.c | grep -v -e client -e blocking ;;
    chat) echo chat_server ;;
    datagrams) basename -s .c "$root"/demos/udp/*.c | grep -v client ;;
    esac
}

# A good client comes, is served, and goes.
good_client() {
    case $kind in
    chat)
        run --separate-stderr timeout 20 "$bin/chat_client" --log error 127.0.0.1 "$port" <<<'/quit'
        is "$name $status" "$name 0"
        says '* Goodbye.'
        ;;
    datagrams)
        client udp_client --tries 20 --each 200ms 127.0.0.1 "$port" 'still there?'
        is "$name $status: $output" "$name 0: still there?"
        ;;
    *) still_serves ;;
    esac
}

# With nobody there, the server is as it was: descriptors, memory, and at rest.
begins() {
    local seen='' same=0
    good_client
    comes_to_rest
    # Those that never rest may not have closed yet: until it is so for a while.
    until [ "$same" -eq 10 ]; do
        at_rest=$(descriptors server)
        [ "$at_rest" = "$seen" ] && same=$((same + 1)) || same=0
        seen=$at_rest
        sleep 0.02
    done
    memory=$(resident server)
}
ends_well() {
    local end=$((SECONDS + patience))
    good_client
    until [ "$(descriptors server)" -le "$at_rest" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "$name: $(descriptors server) descriptors are open, not $at_rest"
        sleep 0.02
    done
    comes_to_rest
    bounded
    stop server
    is "$name $status" "$name 0"
}
# Its memory has hardly grown. (The sanitizer keeps what was freed.)
bounded() {
    [ -n "${SANITIZE:-}" ] || holds "$(resident server) - $memory < 1024" # kB
}
# Only those whose lesson it is use the processor while nothing happens.
comes_to_rest() {
    case $name in
    echo_busypoll | udp_echo_nonblocking) ;;
    *) until_asleep server ;;
    esac
}

# meets PEER: that row of the table.
meets() {
    local kinds kind name
    kinds=$(sed -n "s/^$1 //p" <<<"$table")
    [ -n "$kinds" ] || flunk "the table has no row $1"
    for kind in $kinds; do
        [ -n "$(servers_of "$kind")" ] || flunk "there is no server of the kind $kind"
        for name in $(servers_of "$kind"); do
            serve server "$name"
            begins
            "$1"
            ends_well
        done
    done
}

# A guest who listens, for the chat.
ann_comes() {
    mkfifo "$T/ann.keys"
    input=$T/ann.keys launch ann "$bin/chat_client" --log error --stop-after "$bound" 127.0.0.1 "$port"
    input=''
    exec {keys}>"$T/ann.keys"
    keyboard[ann]=$keys
    wait_for ann.out '^\* Welcome'
}
ann_goes() {
    keys=${keyboard[ann]}
    exec {keys}>&-
    finish ann
    is "$status" 0
    rm "$T/ann.keys"
}

@test "table: is every server in it, and does each row have its test?" {
    local all='' kind
    for kind in blocking polling chat datagrams; do
        all+=" $(servers_of "$kind")"
    done
    # shellcheck disable=SC2086 # words are wanted
    is "$(printf '%s\n' $all | sort)" "$(grep -lE 'listen_on\(|announce_listening\(' "$root"/demos/{echo,chat,udp}/*.c | xargs basename -s .c | sort)"
    is "$(sed -n 's/^\([a-z_]*\)  *[bpcd].*/\1/p' <<<"$table")" \
        "$(sed -n 's/^    meets //p' "$BATS_TEST_FILENAME")"
}

# --- A reset in mid-stream ----------------------------------------------------------

resets() {
    for _ in 1 2 3; do
        client bad_peer reset 127.0.0.1 "$port"
        # The chat is no echo: there the peer closes with unread bytes, which resets.
        [ "$kind" = chat ] || is "$name $status: $output" "$name 0: reset"
    done
}
@test "a peer that resets in mid-stream: does it hurt nobody else?" {
    meets resets
}

# --- A half-close -------------------------------------------------------------------

half_closes() {
    if [ "$kind" = chat ]; then
        ann_comes
        # The end of its input is the end of its sending; it still gets its farewell.
        run --separate-stderr timeout 20 "$bin/chat_client" --log error 127.0.0.1 "$port" <<<'one more word'
        is "$status" 0
        says '* Goodbye.'
        wait_for ann.out '^guest3: one more word$'
        ann_goes
        return
    fi
    client bad_peer --count 100k half-close 127.0.0.1 "$port"
    is "$name $status: $output" "$name 0: received 102400 of 102400 bytes, then the end"
}
@test "a peer that half-closes: does it get everything, and then the end?" {
    meets half_closes
}

# --- One byte at a time -------------------------------------------------------------

drips() {
    if [ "$kind" = chat ]; then
        ann_comes
        exec {drip}<>"/dev/tcp/127.0.0.1/$port"
        for byte in d r o p s '\n'; do
            # shellcheck disable=SC2059 # the byte is a format on purpose
            printf "$byte" >&"$drip"
        done
        wait_for ann.out '^guest3: drops$'
        exec {drip}>&-
        ann_goes
        return
    fi
    client bad_peer --count 200 drip 127.0.0.1 "$port"
    is "$name $status: $output" "$name 0: dripped 200 bytes"
}
@test "a peer that sends byte by byte: is it served?" {
    meets drips
}

# --- Hundreds that come and vanish --------------------------------------------------

vanishes() {
    client bad_peer --log warn --count 300 vanish 127.0.0.1 "$port"
    is "$name $status: $output" "$name 0: vanished 300 times"
}
@test "peers that come and vanish by hundreds: do they leave a descriptor behind?" {
    only_in plain long
    meets vanishes
}

# --- A client that never reads ------------------------------------------------------

never_reads() {
    if [ "$kind" = chat ]; then
        # It asks for more than the kernel's buffers hold, and has to go.
        exec {glutton}<>"/dev/tcp/127.0.0.1/$port"
        yes /help | head -c 2000000 >&"$glutton" 3>&- 4>&- || :
        wait_for server.err 'reads too slowly and was sent away'
        bounded
        good_client
        exec {glutton}>&-
        return
    fi
    start glutton bad_peer --count 64M never-read 127.0.0.1 "$port"
    wait_for glutton.out 'reading nothing'
    took=$(sed -n 's/^sent \([0-9]*\) of.*/\1/p' "$T/glutton.out")
    holds "$took > 0 && $took < 64 * 1024 * 1024" # back-pressure has reached it
    bounded
    start bystander echo_client 127.0.0.1 "$port" hello
    finish bystander
    is "$name $status" "$name 0"
    holds "$(value bystander first_wait_seconds) < 5"
    stop glutton
}
@test "a peer that never reads: is its memory bounded, and are the others served?" {
    only_in plain long
    meets never_reads
}

# --- More connections than an fd_set has room for -----------------------------------

# crowd_of COUNT: so many at the same time, and each is served.
crowd_of() {
    start crowd bad_peer --log warn --count "$1" crowd 127.0.0.1 "$port"
    wait_for crowd.out "^$1 connections served\$"
}
comes_in_thousands() {
    case $name in
    echo_select)
        # 1,024 numbers, of which the server itself uses some.
        crowd_of 1000
        start more bad_peer --log warn --count 100 crowd 127.0.0.1 "$port"
        finish more
        is "$status" 1
        grep -q 'echo_select: client [0-9]* dropped: select cannot hold fd 10[0-9]*' "$T/server.err"
        ;;
    echo_busypoll) crowd_of 1100 ;;
    # With 10,000 it takes a quarter of a minute: scripts/scale does that.
    echo_poll) crowd_of 3000 ;;
    *) crowd_of 10000 ;;
    esac
    good_client
    stop crowd
    # What it keeps for the next ones is no leak: with them, it does not grow again.
    case $name in
    echo_select) ;;
    *)
        good_client
        memory=$(resident server)
        crowd_of "$(sed -n 's/ connections served$//p' "$T/crowd.out")"
        stop crowd
        ;;
    esac
}
@test "peers by thousands: are they served at the same time, or refused politely?" {
    only_in long
    may_open 11000
    meets comes_in_thousands
}

# --- Out of descriptors -------------------------------------------------------------

takes_descriptors() {
    # The numbers that it uses at rest, and four more.
    for ((most = 4; ; most++)); do
        [ -e "/proc/${pid_of[server]}/fd/$((most - 4))" ] || break
    done
    stop server
    launch server bash -c 'ulimit -n "$1" && exec "$0" --stop-after "$2" --report 0' \
        "$bin/$name" "$most" "$bound"
    listens server
    for i in 1 2 3 4; do
        exec {guest}<>"/dev/tcp/127.0.0.1/$port"
        keyboard[guest$i]=$guest # so that no other program inherits it
    done
    if [ "$kind" = chat ]; then
        start waiting chat_client 127.0.0.1 "$port"
    else
        start waiting echo_client 127.0.0.1 "$port" hello
    fi
    wait_for server.err "$name: cannot accept a client now: EMFILE Too many open files"
    is "$(value waiting bytes_received)" ''
    # A while, in which it asks again now and then.
    before=$(ticks server)
    sleep 0.3
    [ "$name" = echo_busypoll ] || holds "$(ticks server) - $before <= 1"
    for i in 1 2 3 4; do
        guest=${keyboard[guest$i]}
        exec {guest}>&-
        unset "keyboard[guest$i]"
    done
    finish waiting
    is "$name $status" "$name 0"
    grep -q -e '^hello$' -e '^\* Welcome' "$T/waiting.out"
    holds "$(grep -c EMFILE "$T/server.err") <= 2" # not a million times
}
@test "peers that take all descriptors: does it keep serving, and accept again afterwards?" {
    only_in plain long
    meets takes_descriptors
}

# --- Nonsense -----------------------------------------------------------------------

# The same random bytes for the same seed, from a generator of our own.
random_bytes() {
    printf '%b' "$(awk -v seed="${WB_SEED:-1}" -v count="$1" 'BEGIN {
        for (state = seed % 2147483646 + 1; count-- > 0;) {
            state = state * 16807 % 2147483647
            printf "\\0%03o", int(state / 8) % 256
        }
    }')"
}
says_nonsense() {
    # Not more than fits into ann's queue at once.
    [ -s "$T/nonsense" ] || random_bytes 8000 >"$T/nonsense"
    if [ "$kind" = chat ]; then
        ann_comes
        input=$T/nonsense launch mad "$bin/chat_client" --log error --stop-after "$bound" 127.0.0.1 "$port"
        input=''
        finish mad
        wait_for ann.out '^\* guest3 has left\.$'
        # Nothing of it can control ann's terminal: no C0, and no C1 in any form.
        grep -qa '^guest3: ' "$T/ann.out" # she has heard some
        is "$(LC_ALL=C tr -d '\n\t\040-\176\200-\377' <"$T/ann.out" | wc -c)" 0
        # In UTF-8, C1 is 302 and one of 200 to 237; alone, no byte above 177 is left.
        is "$(LC_ALL=C grep -ac $'\302[\200-\237]' "$T/ann.out")" 0
        is "$(LC_ALL=C grep -ac $'\\(^\\|[\001-\177]\\)[\200-\277]' "$T/ann.out")" 0
        ann_goes
        return
    fi
    input=$T/nonsense launch mad "$bin/echo_client" --log error --stop-after "$bound" 127.0.0.1 "$port"
    input=''
    finish mad
    cmp "$T/nonsense" "$T/mad.out"
}
@test "a peer that says nonsense: does it get its own bytes, and nobody else any harm?" {
    tell_sampled 'random bytes'
    meets says_nonsense
}

# --- Datagrams, and nobody to take the answers --------------------------------------

floods_and_is_gone() {
    for _ in 1 2 3; do
        client bad_peer --count 200 datagrams 127.0.0.1 "$port"
        is "$name $status: $output" "$name 0: sent 200 of 200 datagrams"
    done
    good_client
}
@test "a peer that floods with datagrams of all sizes, and is gone: are the others answered?" {
    meets floods_and_is_gone
}

# --- All of them at random ----------------------------------------------------------

# random BELOW: sets drawn. The same for the same seed, with every bash.
random() {
    state=$((state * 16807 % 2147483647))
    drawn=$((state / 8 % $1))
}

# One client more, in role $1; good[$1] is the line that it must print, as a
# regular expression, or '' if it is bad.
one_more() {
    local role=$1
    random 8
    case $kind:$drawn in
    datagrams:[0-4]) good[$role]="datagram $role" && launch "$role" "$bin/udp_client" --log error --tries 40 --each 200ms 127.0.0.1 "$port" "datagram $role" ;;
    datagrams:*) launch "$role" "$bin/bad_peer" --log error --count $((drawn * 10)) datagrams 127.0.0.1 "$port" ;;
    *:0) launch "$role" "$bin/bad_peer" --log error reset 127.0.0.1 "$port" ;;
    *:1) random 20 && launch "$role" "$bin/bad_peer" --log error --count $((drawn + 1)) vanish 127.0.0.1 "$port" ;;
    *:2) random 50000 && launch "$role" "$bin/bad_peer" --log error --count $((drawn + 1)) nonsense 127.0.0.1 "$port" ;;
    chat:3) launch "$role" "$bin/bad_peer" --log error --stop-after 300ms --count 1M never-read 127.0.0.1 "$port" ;;
    chat:*)
        # Goodbye; or goodbye, where a mad guest was too fast for it.
        good[$role]='\* (Goodbye|You read too slowly and missed some: goodbye)\.'
        input=$T/quit launch "$role" "$bin/chat_client" --log error --stop-after "$bound" 127.0.0.1 "$port"
        ;;
    polling:3) launch "$role" "$bin/bad_peer" --log error --stop-after 300ms --count 1M never-read 127.0.0.1 "$port" ;;
    *:4) random 60000 && good[$role]="received $drawn of $drawn bytes, then the end" &&
        launch "$role" "$bin/bad_peer" --log error --count "$drawn" half-close 127.0.0.1 "$port" ;;
    *:5) random 100 && good[$role]="dripped $drawn bytes" &&
        launch "$role" "$bin/bad_peer" --log error --count "$drawn" drip 127.0.0.1 "$port" ;;
    *) good[$role]="line $role" && launch "$role" "$bin/echo_client" --log error --stop-after "$bound" 127.0.0.1 "$port" "line $role" ;;
    esac
}

@test "soak: among random good and bad clients, does every good one get what is its own?" {
    only_in long
    local kind name role next clients
    state=$((${WB_SEED:-1} % 2147483646 + 1))
    clients=$(how_many 'random clients of each server' 12 12 400)
    echo /quit >"$T/quit"
    for kind in blocking polling chat datagrams; do
        for name in $(servers_of "$kind"); do
            serve server "$name" --log error
            begins
            declare -A good=()
            # Eight at the same time.
            for ((next = 0; next < clients + 8; next++)); do
                [ "$next" -ge "$clients" ] || one_more "client$next"
                role=client$((next - 8))
                [ "$next" -ge 8 ] || continue
                ends "$role"
                [ -z "${good[$role]:-}" ] || { [ "$status" -eq 0 ] && grep -qxE -e "${good[$role]}" "$T/$role.out"; } ||
                    flunk "$name: $role ended with $status, and did not print '${good[$role]}': $(cat "$T/$role.out" "$T/$role.err")"
            done
            ends_well
        done
    done
}
