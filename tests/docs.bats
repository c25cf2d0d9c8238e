#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted, and backquotes are text
# What the pages say, held against what the programs do.

load helpers

@test "README: is every program in it, and no other?" {
    cd "$root"
    programs=$(basename -s .c demos/*/*.c | sort)
    # Programs are named in backquotes; so are options, files and calls.
    grep -o '`[a-z_]*`' README.md | tr -d '`' | sort -u >"$T/named"
    is "$(comm -12 "$T/named" <(echo "$programs"))" "$programs"
    while read -r name; do
        is "$name: $(compgen -G "demos/*/$name.c" || true)" "$name: $(ls demos/*/"$name".c)"
    done < <(grep _ "$T/named" | grep -v -e '^O_' -e '^SO_')
}

@test "pages: does every program they name exist, and every option of it?" {
    cd "$root"
    for page in docs/*.md; do
        for name in $(grep -oE '`[a-z]+(_[a-z]+)+( --[a-z-]+)?' "$page" | tr -d '`' | sed 's/ .*//' | sort -u); do
            case $name in
            *_seconds | bytes_* | trips_per_second | round_trips | too_slow | server_*) continue ;; # keys of reports
            esac
            [ -x "$bin/$name" ] || [ -f "docs/exercises/$name.md" ] || [ -f "scripts/graders/$name" ] ||
                flunk "$page: $name"
        done
        grep -oE '`[a-z]+(_[a-z]+)* --[a-z-]+' "$page" | tr -d '`' | while read -r name option; do
            [ ! -x "$bin/$name" ] || "$bin/$name" --help | grep -q -e "^  $option " || flunk "$page: $name $option"
        done
    done
}

@test "README: is every pair of demos/pairs in it, in its lesson, and no other?" {
    cd "$root"
    grep -v -e '^#' -e '^$' demos/pairs | while read -r first second _; do
        lesson=$(dirname demos/*/"$first.c")
        [ -f "$lesson/$second.c" ] || flunk "$second is not in $lesson"
        grep "^| \`${lesson#demos/}\` |" README.md | grep -qF "\`$first\` → \`$second\`" ||
            flunk "not in the README: $first → $second"
    done
    is "$(grep -o '→' README.md | wc -l)" "$(grep -vc -e '^#' -e '^$' demos/pairs)"
}

@test "pages: does every command of theirs exist?" {
    cd "$root"
    for page in README.md docs/*.md; do
        # Files under scripts/ and build/, and make's targets.
        for command in $(grep -oE '\b(scripts|build/bin)/[a-z_]+' "$page" | sort -u); do
            [ -x "$command" ] || [ -x "$bin/${command#build/bin/}" ] || flunk "$page: $command"
        done
        for target in $(sed -n 's/^\$ make \([a-z]*\).*/\1/p' "$page"); do
            grep -q "^$target:" Makefile || flunk "$page: make $target"
        done
    done
    # Whatever CI runs, the page tells.
    grep -v '^#' .ci/run | grep -o 'S*[A-Z=1]* *scripts/.*' | while read -r command; do
        grep -qF "\$ $command" README.md || flunk "not in the README: $command"
    done
}

@test "pages: does every link lead somewhere?" {
    cd "$root"
    for page in README.md docs/*.md; do
        for link in $(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//'); do
            case $link in
            http*) continue ;;
            esac
            [ -e "$(dirname "$page")/${link%%#*}" ] || flunk "$page: $link"
        done
    done
}

@test "calls: is every cell of the card what that call answers in that mode?" {
    run --separate-stderr timeout 20 "$build/tests/modes"
    is "$status: $stderr" '0: '
    is "$(sed -n '/^## /,$p' "$root/docs/calls.md")" "$output"
}

@test "errors: is the card the program's table, whole and by category, and no other page?" {
    is "$(sed -n '/^## /,$p' "$root/docs/errors.md")" "$("$build/tests/unit" --error-table)"
    is "$(grep -l '^| symbol' "$root"/README.md "$root"/docs/*.md)" "$root/docs/errors.md"
}

@test "reference: is every key of every report explained, and no other?" {
    cd "$root"
    sed -n '/^## The report/,/^## Environment/p' docs/reference.md | grep '^| `' |
        awk -F '|' '{ print $2 }' | grep -o '[a-z0-9_]*' | sort >"$T/page"
    {
        sed -n 's/.*report("\([a-z0-9_]*\)".*/\1/p' demos/*/*.c
        "$bin/echo_blocking" --report --stop-after 1ms 0 | sed -n 's/^report: //p' |
            tr ' ' '\n' | sed 's/=.*//'
    } | sort -u >"$T/programs"
    is "$(cat "$T/page")" "$(cat "$T/programs")"
}

@test "reference: is every option that all programs share in it, in the programs' words?" {
    "$bin/echo_blocking" --help | grep -oE '^  --[a-z-]+( [A-Z]+)?' | grep -v -- --bind | sed 's/^  //' |
        while read -r option; do
            grep -qF "| \`$option\` |" "$root/docs/reference.md" || flunk "$option"
        done
}

# The terms of the glossary, without backquotes.
terms() {
    sed -n 's/^| \([^|]*\) |.*/\1/p' "$root/docs/glossary.md" | sed 1d | tr -d '`'
}

@test "glossary: is it alphabetical, and does every term have one entry?" {
    [ "$(terms | wc -l)" -gt 40 ]
    is "$(terms)" "$(terms | LC_ALL=C sort -f)"
    is "$(terms | uniq -di)" ''
    # The words that one looks up first.
    for term in blocking non-blocking 'would block' readiness EAGAIN 'half-close' SIGPIPE; do
        is "$term: $(terms | grep -cx "$term")" "$term: 1"
    done
}

@test "glossary: does every entry say what it means in two sentences, and where to see it?" {
    cd "$root"
    sed '1,/^|---/d' docs/glossary.md | while IFS='|' read -r _ term text places _; do
        [ -n "${text// /}" ] || flunk "$term means nothing"
        [ "$(grep -o '[.:?] [A-Z]' <<<"$text" | wc -l)" -le 1 ] || flunk "more than two sentences: $term"
        [[ $places == *['`(']* ]] || flunk "nowhere to see: $term"
        while read -r name argument; do
            case $name:$argument in
            scripts/*) [ -x "$name" ] || flunk "$term: $name" ;;
            */*) [ -f "$name" ] || flunk "$term: $name" ;;
            *:--*) "$bin/$name" --help | grep -q -e "^  $argument " || flunk "$term: $name $argument" ;;
            *) [ -x "$bin/$name" ] || [ -d "demos/$name" ] || flunk "$term: $name" ;;
            esac
        done < <(grep -o '`[^`]*`' <<<"$places" | tr -d '`')
    done
}

@test "scale: do picture, sentences and numbers of the page belong together?" {
    run --separate-stderr "$root/scripts/scale" --from "$root/docs/scale.tsv" --svg "$T/scale.svg"
    is "$status: $stderr" '0: '
    cmp "$T/scale.svg" "$root/docs/scale.svg"
    is "$(sed -n '/^```text/,/^```$/p' "$root/docs/scale.md" | sed '1d;$d')" \
        "$(grep -e '^CPU for a' -e '^[0-9]* connections: ' -e '^With' <<<"$output")"
    # What the page says in words.
    awk -F '\t' '
        /^#/ || $1 == "server" { next }
        { cpu[$1, $2, $3] = $7; p50[$1, $2, $3] = $5; idle[$1, $2, $3] = $8 }
        END {
            grown = cpu["poll", 1000, 1] / cpu["poll", 10, 1]
            if (grown < 4) exit 1
            if (cpu["select", 1000, 1] / cpu["poll", 1000, 1] > 1.5) exit 2
            if (cpu["epoll", 10000, 1] / cpu["epoll", 10, 1] > 1.25) exit 3
            if (cpu["epoll", 1000, 1000] < 0.8 * cpu["poll", 1000, 1000]) exit 4
            if (p50["busypoll", 10, 1] > p50["epoll", 10, 1]) exit 5
            if (p50["busypoll", 1000, 1] < p50["epoll", 1000, 1]) exit 6
            if (idle["busypoll", 10, 1] < 0.9 || idle["epoll", 10000, 1] > 0.01) exit 7
        }' "$root/docs/scale.tsv" || flunk "the page is wrong about its numbers: $?"
}

@test "without the library: is the plain program whole, without warnings, and does it serve?" {
    page=$root/docs/without-the-library.md
    (cd "$root" && tests/tutorial/page docs/without-the-library.md 3>&-) >"$T/page.out" 2>&1 || flunk "the quotations: run tests/tutorial/page --update docs/without-the-library.md"
    awk '/^<!-- plain -->/ { plain = 1; next }
        /^```/ { inside = plain && !inside; plain = 0; next }
        inside' "$page" >"$T/echo.c"
    # shellcheck disable=SC2086 # flags are words
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wconversion -Werror -o "$T/echo" "$T/echo.c"
    launch server env LD_PRELOAD="$build/judge/witness.so" \
        WB_FAULTS='send:short:3+,send:EAGAIN:4+,recv:EINTR:5+,accept:ECONNABORTED:3+' timeout "$bound" "$T/echo" 0
    listens server

    start silent echo_client --hold "$bound" 127.0.0.1 "$port" 'first of all'
    wait_for silent.out '^first of all'
    start never_reads bad_peer --count 4M never-read 127.0.0.1 "$port"
    client echo_client 127.0.0.1 "$port" "$(head -c 100000 /dev/zero | tr '\0' x)"
    is "$status ${#output}" '0 100000'
    client echo_load --connections 200 --active 20 --time 100ms --idle 1ms 127.0.0.1 "$port"
    is "$status" 0
    for behaviour in reset half-close vanish; do
        client bad_peer "$behaviour" 127.0.0.1 "$port"
        is "$behaviour $status" "$behaviour 0"
    done
    client echo_client 127.0.0.1 "$port" 'and still'
    is "$output" 'and still'
    stop silent
}
