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

# lane NAME: how it is drawn (the first such lane), with its end.
lane() {
    sed -n "s/^$1  *//p" <<<"$output" | sed -n 1p
}

# signs NAME SIGN: how many of this sign are in that lane.
signs() {
    lane "$1" | tr -dc "$2" | wc -c
}

# columns NAME SIGN: how many columns are drawn so, with the names of calls, which
# stand within the longer stretches: a name belongs to the sign before it.
columns() {
    lane "$1" | awk -v sign="$2" '
        {
            sub(/ *$/, "")
            for (i = 1; i <= length($0); i++) {
                c = substr($0, i, 1)
                if (index("#:.-", c))
                    now = c
                count += now == sign
            }
        }
        END { print count + 0 }'
}

# seconds '1.5 ms': that time as a number.
seconds() {
    awk '{ print $1 * ($2 == "us" ? 1e-6 : $2 == "ms" ? 1e-3 : 1) }' <<<"$1"
}

# told NAME CALL...: the share of its life that a lane was blocked in these calls,
# or in any if none is named, as the table below the picture has it.
told() {
    awk -v lane="$1: CPU " -v calls=" ${*:2} " '
        function seconds(number, unit) {
            return number * (unit == "us" ? 1e-6 : unit == "ms" ? 1e-3 : 1)
        }
        index($0, lane) == 1 {
            on = 1
            match($0, / of [0-9.]+ [mu]*s/)
            split(substr($0, RSTART + 4), life)
            next
        }
        /^$/ { on = 0 }
        on && (calls == "  " || index(calls, " " $1 " ")) && match($0, /[0-9.]+ [mu]*s/) {
            split(substr($0, RSTART), blocked)
            all += seconds(blocked[1], blocked[2])
        }
        END { print all / seconds(life[1], life[2]) }' <<<"$output"
}

# as_told NAME SIGN CALL...: what is drawn so is what the table tells. It is all
# of one run, so it does not matter who else used the processor.
as_told() {
    local drawn all share
    drawn=$(columns "$1" "$2")
    all=$(lane "$1" | sed 's/ *$//' | tr -d '\n' | wc -c)
    share=$(told "$1" "${@:3}")
    holds "$drawn - $share * $all < 5 && $share * $all - $drawn < 5" ||
        flunk "$1: $drawn of $all columns, $share of the time: $output"
}

# ends_at NAME SIGN: the last column with one of these signs in that lane.
ends_at() {
    sed -n "/^$1  */{p;q}" <<<"$output" | sed "s/[^$2]*$//" | tr -d '\n' | wc -c
}

# begins_at NAME SIGN: the first.
begins_at() {
    sed -n "/^$1  */{p;q}" <<<"$output" | sed "s/^$1/$(printf %s "$1" | tr '[:print:]' ' ')/; s/[$2].*//" | tr -d '\n' | wc -c
}

# when NAME CALL TRACE: the longest such call of a lane, from the list of a trace: its
# begin and its end.
when() {
    "$build/trace/timeline" --list "$3" | awk -v lane="$1" -v call="$2(" '
        { name = substr($0, 26, 18); sub(/ *$/, "", name) }
        name == lane && index(substr($0, 45), call) == 1 && $2 > longest {
            longest = $2
            began = $1
        }
        END { printf "%.6f %.6f\n", began, began + longest }'
}

@test "timeline: is who waits seen to wait, and in which call?" {
    record_two_clients echo_blocking
    timeline "$T/echo_blocking.trace"
    is "$status: $stderr" '0: '
    as_told echo_blocking -
    as_told 'echo_client 2' -
    as_told echo_client . nanosleep
    is "$(signs echo_blocking :)" 0
    # While the first one sleeps, both others wait in recv: for it, and behind it.
    read -r from to < <(when echo_client nanosleep "$T/echo_blocking.trace")
    timeline --no-table --from "$from" --to "$to" "$T/echo_blocking.trace"
    is "$(lane echo_client | tr -d .)" ' nanosleep '
    [[ $(lane echo_blocking) == *' recv '* ]] || flunk "$output"
    [[ $(lane 'echo_client 2') == *' recv '* ]] || flunk "$output"
    # Bytes, where they moved; the second one's only at the end.
    says '>15 B '
    read -r _ answered < <(when 'echo_client 2' recv "$T/echo_blocking.trace")
    holds "$answered > $to"
}

@test "timeline: is who asks seen to ask, and how often, as it says itself?" {
    record_two_clients echo_busypoll
    timeline "$T/echo_busypoll.trace"
    is "$status: $stderr" '0: '
    drawn=$(columns echo_busypoll :)
    all=$(lane echo_busypoll | tr -d '\n' | wc -c)
    [[ $(lane echo_busypoll) =~ accept|recv ]] || flunk "$output"
    # The table below the picture, without the commas.
    awk '/^echo_busypoll:/ { on = 1; next } /^$/ { on = 0 }
        on { gsub(",", ""); called += ($2 == "-" ? 0 : $2); again += ($4 == "-" ? 0 : $4) }
        END { printf "calls=%d again=%d", called, again }' <<<"$output" >"$T/table"
    is "$(cat "$T/table")" "$(tr ' ' '\n' <"$T/server" | grep -E '^(calls|again)=' | paste -sd ' ')"
    # As long as its runs are, of accept or of recv, so long it asks. Where it was
    # kept from the processor, a run ends, and a column more shows its end.
    timeline --length "$T/echo_busypoll.trace"
    length=$output
    timeline --list "$T/echo_busypoll.trace"
    read -r asked runs < <(awk '/ echo_busypoll .* EAGAIN/ {
            runs++
            end = $1 + $2
            if (match($0, / in [0-9.]+ [mu]*s/)) {
                split(substr($0, RSTART + 4), run)
                end = $1 + run[1] * (run[2] == "us" ? 1e-6 : run[2] == "ms" ? 1e-3 : 1)
            }
            if (end > until) {
                asked += end - ($1 > until ? $1 : until)
                until = end
            }
        }
        END { print asked, runs }' <<<"$output")
    holds "$drawn > $asked / $length * $all - 5 && $drawn < $asked / $length * $all + 5 + $runs"
    # Never in a call that waits.
    is "$(grep -c ' echo_busypoll .*\(poll\|sleep\)(' <<<"$output" || :)" 0
}

@test "timeline: does a lane's label count the calls that it names, and no others?" {
    serve server tarpit
    # It also asks for Enter, with poll: that is not in the label. Not if it was kept
    # from the processor for long, which divides the lane.
    for try in {1..20}; do
        record connect "$bin/connect_nonblocking" --report --deadline 200ms 127.0.0.1 "$port" >"$T/connect.out" || :
        asked=$(value connect calls)
        timeline --width 60 "$T/connect.trace"
        [[ ! $(lane connect_nonblocking) =~ ^:+' connect: '[0-9,]+' times ':+$ ]] || break
    done
    is "$(lane connect_nonblocking | grep -oE 'connect: [0-9,]+ times' | tr -dc '0-9')" "$asked"
    timeline --svg "$T/it.svg" "$T/connect.trace"
    grep -oE '>connect ×[0-9,]+<' "$T/it.svg" | tr -dc '0-9\n' | grep -qx "$asked"
    # Of a part of that run, the number is an estimate.
    timeline --from 0.05 --to 0.15 "$T/connect.trace"
    told=$(lane connect_nonblocking | grep -oE 'connect: about [0-9,]+ times' | tr -dc '0-9')
    holds "0 < $told && $told < $asked"
}

@test "timeline: do several traces share one clock?" {
    launch server "$root/scripts/trace" --output "$T/server.trace" \
        "$bin/echo_blocking" --log error --stop-after "$bound" 0
    listens server
    record client "$bin/echo_client" --log error 127.0.0.1 "$port" hello
    timeline --list "$T/client.trace" "$T/server.trace"
    is "$status: $stderr" '0: '
    # Nothing is received before it is sent, there and back again: if one clock
    # were ahead of the other, one of the two would not hold.
    awk '$3 == "echo_client" && /send\(/ { sent = $1 }
        $3 == "echo_blocking" && / recv\(.*= 6/ { received = $1 + $2 }
        $3 == "echo_blocking" && /send\(/ { back = $1 }
        $3 == "echo_client" && / recv\(/ { got = $1 + $2 }
        END { exit !(sent > 0 && received >= sent && back >= received - 1e-6 && got >= back) }' <<<"$output" ||
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
    only_in plain long
    record_two_clients echo_blocking
    timeline "$T/echo_blocking.trace"
    [[ $output != *$'\033'* ]]
    is "$(tr -d '\n\040-\176' <<<"$output")" '' # nothing but plain characters
    CLICOLOR_FORCE=1 timeline "$T/echo_blocking.trace"
    [[ $output == *$'\033[94m'* ]]
    CLICOLOR_FORCE=1 NO_COLOR=1 timeline "$T/echo_blocking.trace"
    [[ $output != *$'\033'* ]]
    read -r from to < <(when echo_client nanosleep "$T/echo_blocking.trace")
    LC_ALL=C.UTF-8 run "$root/scripts/timeline" --from "$from" --to "$to" "$T/echo_blocking.trace"
    [[ $output == *'━━ recv ━━'* ]] || [[ $output != *'━'* ]] # if there is such a locale
}

@test "timeline: does it show a part, one lane's life, or leave lanes out?" {
    only_in plain long
    record_two_clients echo_blocking
    timeline --no-table --from 0.1 --to 0.2 "$T/echo_blocking.trace"
    is "$status: $stderr" '0: '
    is "$(sed -n 1p <<<"$output" | awk '{ print $1, $2, $NF }')" 'ms 100 180'
    timeline --length "$T/echo_blocking.trace"
    holds "$output > 0.4 && $output < 30" # after which it would have been ended
    timeline --during 'echo_client 2' "$T/echo_blocking.trace"
    is "$(sed -n 1p <<<"$output" | awk '{ print $1, $2 }')" 'ms 0'
    as_told 'echo_client 2' -
    # As long as it lived, and a little around it.
    record_two_clients echo_busypoll
    timeline --during 'echo_client 2' --svg "$T/it.svg" "$T/echo_busypoll.trace"
    timeline "$T/echo_busypoll.trace"
    shown=$(grep -oE 'programs, [0-9.]+ [mu]*s long' "$T/it.svg")
    lived=$(grep -oE '^echo_client 2: CPU .* of [0-9.]+ [mu]*s' <<<"$output")
    holds "$(seconds "${shown#programs, }") / $(seconds "${lived##* of }") < 1.5"
    holds "$(seconds "${shown#programs, }") / $(seconds "${lived##* of }") > 1"
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

# one_comparison: all that holds however late client 2 comes; status 2 if it was
# too late to be served while client 1 slept.
one_comparison() {
    compare echo_blocking echo_busypoll # not --quick: who comes late has a second
    is "$status: $stderr" '0: ' || return 1
    # The two axes are the same lines.
    is "$(grep -c '^ *[mu]*s  0' <<<"$output")" 2 || return 1
    is "$(grep '^ *[mu]*s  0' <<<"$output" | sort -u | wc -l)" 1 || return 1
    is "$(grep -c '^client 2 ' <<<"$output")" 2 || return 1
    # The first server waits, and client 2 for it, until client 1 has slept.
    is "$(signs server :)" 0 || return 1
    holds "$(columns server -) > $(signs server '#')" || return 1
    holds "$(ends_at 'client 2' '#-') >= $(ends_at 'client 1' .)" || return 1
    again=$(awk '$1 == "again" { print $2, $3 }' <<<"$output" | tr -d ,)
    holds "${again% *} == 0 && ${again#* } > 100" || return 1
    [[ $output == *'make_nonblocking(listener);'* ]] || flunk "$output" || return 1
    is "$(awk 'length > 80' <<<"$output")" '' || return 1
    # The second one asks, and client 2 is gone by then.
    output=$(sed '1,/^echo_busypoll$/d' <<<"$output")
    holds "$(signs server :) > 0" || return 1
    slept=$(ends_at 'client 1' .)
    holds "$(begins_at 'client 2' '#:-') < ($(begins_at 'client 1' .) + $slept) / 2" >"$T/late" || return 2
    holds "$(ends_at 'client 2' '#:-') < $slept"
}

@test "compare: do both have the same partners, one axis, and their own counts?" {
    only_in plain long
    for attempt in 1 2 3; do
        came=0
        one_comparison || came=$?
        [ "$came" -eq 2 ] || break
    done
    [ "$came" -ne 2 ] || skip "this machine is so busy that client 2 came too late, three times"
    is "$came" 0 || flunk "$output"
}

@test "compare: is there a workload for every pair?" {
    only_in plain long
    mapfile -t pairs < <(every_pair)
    while read -r first second _; do
        compare --quick --no-diff "$first" "$second"
        is "$first $second: $status: $stderr" "$first $second: 0: "
        is "$(grep -c "^$first\$\|^$second\$" <<<"$output")" 2
        is "$(grep -c '^ *[mu]*s  0' <<<"$output")" 2
    done < <(sample 'pairs that are compared' 1 5 "${pairs[@]}")
}

@test "compare: what it cannot compare it says" {
    compare echo_blocking sink
    is "$status: $stderr" "1: compare: echo_blocking and sink have no workload in common; 'scripts/compare' lists the pairs that have one"
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
    agree docs/pictures "$(basename -s .svg docs/pictures/*.svg)" 'scripts/pictures --list' "$(cat "$T/made")" \
        "draw the missing one with 'scripts/pictures NAME', and keep no other"
    while read -r name; do
        grep -q "pictures/$name.svg)" README.md docs/*.md docs/tutorial/*.md ||
            flunk "no page shows docs/pictures/$name.svg: put it into the page that it is about"
    done <"$T/made"
    for lesson in docs/tutorial/[01]*.md; do
        grep -q "](../pictures/$(basename "$lesson" | cut -c 1-2)-" "$lesson" ||
            flunk "$lesson shows no picture: add a scene to scripts/pictures, and show what it draws"
    done
}

@test "pictures: do they come out of real runs, with the names of those who play?" {
    only_in plain long
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
