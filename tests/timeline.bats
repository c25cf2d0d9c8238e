#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The timeline in the terminal, what compares a pair, and the pictures: what one
# sees there is what happened.

load helpers

setup_file() {
    [ "$(uname -s)" = Linux ] || skip "the tracer needs Linux"
}

# timeline [ARGUMENT]...: sets status, output, stderr. Plain characters.
timeline() {
    LC_ALL=C run --separate-stderr timeout 30 "$root/scripts/timeline" "$@"
}

compare() {
    LC_ALL=C run --separate-stderr timeout 60 "$root/scripts/compare" --width 80 "$@"
}

# lane NAME SIGN: how many of this sign are in that lane (the first such lane).
lane() {
    sed -n "s/^$1  *//p" <<<"$output" | sed -n 1p | tr -dc "$2" | wc -c
}

@test "timeline: is who waits seen to wait, and in which call?" {
    record_two_clients echo_blocking
    timeline --no-table "$T/echo_blocking.trace"
    is "$status: $stderr" '0: '
    # Both wait for most of the time: one in recv, for the first client.
    holds "$(lane echo_blocking -) > 40"
    [[ $output == *$'\necho_blocking '*' recv '* ]] || flunk "$output"
    [[ $output == *$'\necho_client 2 '*' recv '* ]] || flunk "$output"
    holds "$(lane 'echo_client' .) > 40" # which sleeps
    [[ $output == *$'\necho_client '*' nanosleep '* ]] || flunk "$output"
    is "$(lane echo_blocking :)" 0
    # Bytes, where they moved; the second one's only at the end.
    [[ $output == *'>15 B '* ]] || flunk "$output"
}

@test "timeline: is who asks seen to ask, and how often, as it says itself?" {
    record_two_clients echo_busypoll
    timeline "$T/echo_busypoll.trace"
    is "$status: $stderr" '0: '
    holds "$(lane echo_busypoll :) > 25" # the rest is the name of the call
    is "$(lane echo_busypoll -)" 0
    # The table below the picture, without the commas.
    awk '/^echo_busypoll:/ { on = 1; next } /^$/ { on = 0 }
        on { gsub(",", ""); called += ($2 == "-" ? 0 : $2); again += ($4 == "-" ? 0 : $4) }
        END { printf "calls=%d again=%d", called, again }' <<<"$output" >"$T/table"
    is "$(cat "$T/table")" "$(tr ' ' '\n' <"$T/server" | grep -E '^(calls|again)=' | paste -sd ' ')"
}

@test "timeline: do several traces share one clock?" {
    launch server "$root/scripts/trace" --output "$T/server.trace" \
        "$bin/echo_blocking" --log error --stop-after "$bound" 0
    listens server
    record client "$bin/echo_client" --log error 127.0.0.1 "$port" hello
    timeline --list "$T/client.trace" "$T/server.trace"
    is "$status: $stderr" '0: '
    # connect begins before accept has ended, and so on, and back again.
    awk '$3 == "echo_client" && /send\(/ { sent = $1 + $2 }
        $3 == "echo_blocking" && / recv\(.*= 6/ { received = $1 + $2 }
        $3 == "echo_blocking" && /send\(/ { back = $1 }
        $3 == "echo_client" && / recv\(/ { got = $1 + $2 }
        END { exit !(sent > 0 && received > 0 && back >= received - 1e-6 && got >= back && received - sent < 1) }' <<<"$output" ||
        flunk "$output"
    # And each knows who is on the other side.
    ends=$(sed -n 's/.* recv(.*# //p' <<<"$output" | sort -u)
    here=$(sed -n '1s/ to .*//p' <<<"$ends") there=$(sed -n '1s/.* to //p' <<<"$ends")
    grep -qxF "$there to $here" <<<"$ends" || flunk "$output"
    stop server # which passes it on
}

@test "timeline: is it as wide as it is told to be, and never wider?" {
    record_two_clients echo_busypoll
    for width in 40 80 132; do
        timeline --no-table --no-legend --width "$width" "$T/echo_busypoll.trace"
        is "$status: $stderr" '0: '
        longest=$(awk 'length > most { most = length } END { print most }' <<<"$output")
        holds "$longest <= $width && $longest > $width - 3" || return 1
        is "$(grep -c ' $' <<<"$output")" 0 # nothing invisible at the ends
    done
}

@test "timeline: is there colour where it is wished for, and are signs enough without?" {
    record_two_clients echo_blocking
    timeline "$T/echo_blocking.trace"
    [[ $output != *$'\033'* ]]
    is "$(tr -d '\n\040-\176' <<<"$output")" '' # nothing but plain characters
    CLICOLOR_FORCE=1 timeline "$T/echo_blocking.trace"
    [[ $output == *$'\033[94m'* ]]
    CLICOLOR_FORCE=1 NO_COLOR=1 timeline "$T/echo_blocking.trace"
    [[ $output != *$'\033'* ]]
    LC_ALL=C.UTF-8 run "$root/scripts/timeline" "$T/echo_blocking.trace"
    [[ $output == *'━━ recv ━━'* ]] || [[ $output != *'━'* ]] # if there is such a locale
}

@test "timeline: does it show a part, one lane's life, or leave lanes out?" {
    record_two_clients echo_blocking
    timeline --no-table --from 0.1 --to 0.2 "$T/echo_blocking.trace"
    is "$status: $stderr" '0: '
    is "$(sed -n 1p <<<"$output" | awk '{ print $1, $2, $NF }')" 'ms 100 180'
    timeline --length "$T/echo_blocking.trace"
    holds "$output > 0.4 && $output < 20"
    timeline --no-table --during 'echo_client 2' "$T/echo_blocking.trace"
    is "$(sed -n 1p <<<"$output" | awk '{ print $1, $2 }')" 'ms 0'
    holds "$(lane 'echo_client 2' -) > 40"
    timeline --no-table --during nobody "$T/echo_blocking.trace"
    is "$status: $stderr" '1: timeline: there is no lane called nobody'
    timeline --no-table --hide echo_client "$T/echo_blocking.trace"
    is "$(grep -c '^echo_' <<<"$output")" 1
    timeline --from 3 --to 2 "$T/echo_blocking.trace"
    is "$status" 1
    for wrong in '--from x' '--width ten' '--nonsense' '--to'; do
        # shellcheck disable=SC2086 # words
        timeline $wrong
        is "$wrong: $status" "$wrong: 2"
    done
}

@test "timeline --connections: has each connection a lane, with its two ends?" {
    record_two_clients echo_blocking
    timeline --connections "$T/echo_blocking.trace"
    is "$status: $stderr" '0: '
    is "$(grep -c '^echo_blocking \[4\].*127.0.0.1:.* to 127.0.0.1:' <<<"$output")" 2
    is "$(grep -c '^echo_blocking \[3\]: listening on 127.0.0.1:' <<<"$output")" 1
    is "$(grep -c '^echo_client.*\[3\]: 127.0.0.1' <<<"$output")" 2
}

@test "compare: do both have the same partners, one axis, and their own counts?" {
    compare --quick echo_blocking echo_busypoll
    is "$status: $stderr" '0: '
    # The two axes are the same lines.
    is "$(grep -c '^ *[mu]*s  0' <<<"$output")" 2
    is "$(grep '^ *[mu]*s  0' <<<"$output" | sort -u | wc -l)" 1
    is "$(grep -c '^client 2 ' <<<"$output")" 2
    # The first server waits for client 1, and client 2 for it.
    holds "$(lane server -) > 40"
    output_of_second=$(sed '1,/^echo_busypoll$/d' <<<"$output")
    holds "$(output=$output_of_second lane server :) > 40"
    again=$(awk '$1 == "again" { print $2, $3 }' <<<"$output" | tr -d ,)
    holds "${again% *} == 0 && ${again#* } > 100"
    waits=$(awk '$1 == "client_2_waited_seconds" { print $2, $3 }' <<<"$output")
    holds "${waits% *} > 3 * ${waits#* }"
    [[ $output == *'+set_nonblocking(listener);'* ]] || flunk "$output"
    is "$(awk 'length > 80' <<<"$output")" ''
}

@test "compare: is there a workload for every pair?" {
    while read -r first second _; do
        compare --quick --no-diff "$first" "$second"
        is "$first $second: $status: $stderr" "$first $second: 0: "
        is "$(grep -c "^$first\$\|^$second\$" <<<"$output")" 2
        is "$(grep -c '^ *[mu]*s  0' <<<"$output")" 2
    done < <(grep -v -e '^#' -e '^$' "$root/demos/pairs")
}

@test "compare: what it cannot compare it says" {
    compare echo_blocking sink
    is "$status: $stderr" "1: compare: echo_blocking and sink have no workload in common; 'scripts/compare' lists what has"
    compare echo_blocking nonsense
    is "$status: $stderr" "1: compare: there is no program 'nonsense' in demos/"
    compare echo_blocking
    is "$status" 2
    compare --svg
    is "$status" 2
}

@test "compare: is nothing left of it, even if it is ended in the middle?" {
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp WB_MARK=$BATS_TEST_TMPDIR
    launch compare "$root/scripts/compare" send_blocking send_all
    local end=$((SECONDS + patience))
    until [ -n "$(marked "$WB_MARK")" ] && ls "$T"/tmp/*/sender.out >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || flunk 'it does not begin'
        sleep 0.05
    done
    stop compare
    is "$status" 143
    none_marked "$WB_MARK"
    is "$(ls "$T/tmp")" ''
}

@test "pictures: is each lesson in one, and is each made by the script?" {
    cd "$root"
    scripts/pictures --list | awk '{ print $1 }' | sort >"$T/made"
    is "$(basename -s .svg docs/pictures/*.svg | sort)" "$(cat "$T/made")"
    while read -r name; do
        grep -q "pictures/$name.svg)" README.md docs/*.md docs/tutorial/*.md || flunk "no page shows $name"
    done <"$T/made"
    for lesson in docs/tutorial/[01]*.md; do
        grep -q "](../pictures/$(basename "$lesson" | cut -c 1-2)-" "$lesson" || flunk "no picture: $lesson"
    done
}

@test "pictures: do they come out of real runs, with the names of those who play?" {
    run --separate-stderr timeout 60 "$root/scripts/pictures" --into "$T/new" 09-edge 11-deadline
    is "$status: $stderr" '0: '
    is "$(ls "$T/new")" $'09-edge.svg\n11-deadline.svg'
    for name in 09-edge 11-deadline; do
        grep -q '>server</text>' "$T/new/$name.svg"
        grep -q '>client</text>' "$T/new/$name.svg"
        grep -q '>server</text>' "$root/docs/pictures/$name.svg"
    done
    run timeout 20 "$root/scripts/pictures" nonsense
    is "$status" 2
}
