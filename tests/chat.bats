#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson chat: everything together, in a hostile room.

load helpers

# join ROLE [PROGRAM ARGUMENT...]: a guest whose keyboard is descriptor ROLE.
# Waits until the server has welcomed it.
join() {
    mkfifo "$T/$1.keys"
    input=$T/$1.keys
    start "$1" chat_client --log error 127.0.0.1 "$port"
    input=''
    exec {keys}>"$T/$1.keys"
    keyboard[$1]=$keys
    wait_for "$1.out" '^\* Welcome'
}

# type ROLE TEXT: what printf makes of it.
types() {
    # shellcheck disable=SC2059 # the text is a format on purpose
    printf "$2" >&"${keyboard[$1]}"
}

hangs_up() {
    local keys=${keyboard[$1]}
    exec {keys}>&-
}

setup_chat() {
    serve server chat_server
}

@test "chat: do the others hear what one says, and oneself not?" {
    setup_chat
    join ann
    join bob
    join eve
    types ann 'hello all\n'
    wait_for bob.out '^guest1: hello all$'
    wait_for eve.out '^guest1: hello all$'
    types bob 'me too\n'
    wait_for ann.out '^guest2: me too$'
    is "$(grep -c 'hello all' "$T/ann.out")" 0
}

@test "chat: do names work, and not twice?" {
    setup_chat
    join ann
    join bob
    types ann '/name ann\n'
    wait_for bob.out '^\* guest1 is now called ann\.$'
    types bob '/name ann\n/name guest1\n/name so long a name for one\n/name a b\n/name\n/who\n/nonsense\n'
    wait_for bob.out '^\* The name ann is taken or reserved\.$'
    wait_for bob.out '^\* The name guest1 is taken or reserved\.$'
    wait_for bob.out '^\* A name has 1 to 16 letters'
    wait_for bob.out '^\* ann$'
    wait_for bob.out '^\* guest2 (that is you)$'
    wait_for bob.out '^\* There are /name NAME, /who and /quit\.$'
    is "$(grep -c 'A name has' "$T/bob.out")" 2
}

@test "chat: does a line come whole that was split, and many that came at once?" {
    setup_chat
    join ann
    join bob
    types ann 'one '
    types ann 'li'
    types ann 'ne\nand\nthree\nmo'
    wait_for bob.out '^guest1: three$'
    types ann 're\n'
    wait_for bob.out '^guest1: more$'
    is "$(grep '^guest1: ' "$T/bob.out")" $'guest1: one line\nguest1: and\nguest1: three\nguest1: more'
}

@test "chat: is a line that is too long dropped with a word, and nothing after it?" {
    setup_chat
    join ann
    join bob
    types ann "$(printf '%01000d' 0)\\n"
    types ann "$(printf '%01001d' 0)\\n"
    types ann "$(printf '%090000d' 0)\\nafter\\n"
    wait_for bob.out '^guest1: after$'
    is "$(grep -c '^guest1: 0*$' "$T/bob.out")" 1
    is "$(grep -c '^\* A line has 1000 bytes at most: yours was dropped\.$' "$T/ann.out")" 2
}

@test "chat: are bytes that could play tricks on a terminal defused?" {
    setup_chat
    join ann
    join bob
    # Of C1, as one byte and as UTF-8, 233 begins a sequence as ESC [ does.
    types ann 'a\033[2Jb\000c\177d\te caf\303\251\r\n\2332J \302\2332J \342\202\nnext\n'
    wait_for bob.out '^guest1: next$'
    LC_ALL=C grep -q $'^guest1: a?\\[2Jb?c?d\te caf\303\251$' "$T/bob.out"
    LC_ALL=C grep -qF 'guest1: ?2J ??2J ??' "$T/bob.out"
}

@test "chat: is the reason told why a guest was lost?" {
    beyond_the_task
    setup_chat
    join ann
    start eve bad_peer --log error reset 127.0.0.1 "$port"
    wait_for ann.out '^\* guest2 has lost the connection\.$'
    grep -q '^chat_server: cannot receive from guest2: ECONNRESET ' "$T/server.err"
}

@test "chat: is one that does not read bounded, sent away with a word, and nobody's burden?" {
    only_in plain long
    setup_chat
    join ann
    join bob
    before=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${pid_of[server]}/status")
    mkfifo "$T/eve.keys"
    input=$T/eve.keys
    start eve bad_peer --log error sleepy 127.0.0.1 "$port"
    input=''
    exec {wake}>"$T/eve.keys"
    wait_for ann.out '^\* guest3 has come\.$'
    # Until the kernel's buffers for eve are full, and then the server's.
    line=$(printf '%01000d' 0)
    end=$((SECONDS + patience))
    until grep -qE '^\* guest3 .*\.$' <(grep -v 'has come' "$T/bob.out"); do
        [ "$SECONDS" -lt "$end" ] || flunk 'nobody was sent away'
        for _ in $(seq 200); do echo "$line"; done >&"${keyboard[ann]}"
    done
    after=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${pid_of[server]}/status")
    # Who wakes up in time, within five seconds, still learns why.
    echo wake up >&"$wake"
    finish eve
    is "$status" 0
    grep -q '^last line: \* You read too slowly' "$T/eve.out"
    # (What the sanitizer keeps is its own affair.)
    [ -n "${SANITIZE:-}" ] || holds "$after - $before < 1024"
    types ann 'the end\n'
    wait_for bob.out '^guest1: the end$'
    # Nobody else has missed anything.
    is "$(grep -c 'missed' "$T/ann.out" "$T/bob.out" | sed 's/.*://' | tr '\n' ' ')" '0 0 '
    stop server
    [ -n "${WB_FULL:-}" ] || is "$(value server too_slow)" 1 # no exercise asks for it
}

@test "chat: is leaving announced, however it happens, and no descriptor left?" {
    setup_chat
    join ann
    before=$(descriptors server)
    join bob
    types bob '/quit\n'
    wait_for ann.out '^\* guest2 has left\.$'
    finish bob
    is "$status: $(tail -n 2 "$T/bob.out" | head -n 1)" '0: * Goodbye.'
    join carl
    hangs_up carl
    wait_for ann.out '^\* guest3 has left\.$'
    finish carl
    is "$status" 0
    join dora
    stop dora KILL
    wait_for ann.out '^\* guest4 has left\.$'
    client bad_peer reset 127.0.0.1 "$port"
    wait_for ann.out '^\* guest5 has '
    client bad_peer --count 50 vanish 127.0.0.1 "$port"
    end=$((SECONDS + patience))
    until [ "$(descriptors server)" -eq "$before" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk "$(descriptors server) descriptors, not $before"
        sleep 0.05
    done
    types ann '/who\n'
    wait_for ann.out '^\* guest1 (that is you)$'
}

@test "chat: is no CPU used while nobody says anything?" {
    setup_chat
    join ann
    join bob
    until_asleep server
    until_asleep ann
}

@test "chat: does it survive faults in every call?" {
    for fault in accept:ECONNABORTED:1 accept:EMFILE:1 poll:EINTR:2+ recv:EINTR:2+ send:EINTR:2+ send:short:1+; do
        keyboard=()
        with_faults "$fault" serve server chat_server
        join ann
        join bob
        types ann 'still there?\n'
        wait_for bob.out '^guest1: still there?$'
        stop ann
        stop bob
        stop server
        is "$fault $status" "$fault 0"
        rm "$T"/*.keys
    done
}

@test "chat: does plain nc do as a client?" {
    command -v nc >/dev/null || skip "nc is not installed"
    setup_chat
    join ann
    # Some kinds of nc leave when their input ends: keep it open.
    mkfifo "$T/nc.keys"
    exec 6<>"$T/nc.keys"
    input=$T/nc.keys
    launch nc nc 127.0.0.1 "$port"
    input=''
    wait_for nc.out '^\* Welcome\. You are guest2\. Others here: 1\.$'
    types ann 'hello nc\n'
    wait_for nc.out '^guest1: hello nc$'
    stop nc
    exec 6>&-
}

@test "chat client: does it leave the terminal and standard input as they were?" {
    setup_chat
    mkfifo "$T/keys"
    exec 5<>"$T/keys"
    before=$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/5")
    # Not with start: this needs the very same open file description.
    "$bin/chat_client" --stop-after 500ms --log error 127.0.0.1 "$port" \
        <&5 >"$T/ann.out" 2>"$T/ann.err" 3>&- 4>&- &
    pid_of[ann]=$!
    wait_for ann.out '^\* Welcome'
    is "$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/5")" "$before"
    finish ann
    is "$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/5")" "$before"
    exec 5>&-
}

@test "chat client: is a server that ends told, and what was typed sent first?" {
    setup_chat
    join ann
    join bob
    seq 500 >&"${keyboard[ann]}"
    hangs_up ann
    finish ann
    is "$status" 0
    wait_for bob.out '^guest1: 500$'
    is "$(grep -c '^guest1: ' "$T/bob.out")" 500
    stop server
    finish bob
    is "$status" 0
}

@test "chat client: does it wait, and not spin, for a server that takes no more?" {
    serve server sink --pause 20s
    head -c 64M /dev/zero >"$T/endless"
    input=$T/endless
    start ann chat_client 127.0.0.1 "$port"
    input=''
    until_asleep ann
    stop ann
    holds "$(value ann bytes_sent) > 100000 && $(value ann bytes_sent) < 64 * 1024 * 1024"
}
