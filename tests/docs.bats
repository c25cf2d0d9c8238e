#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted, and backquotes are text
# What the pages say, held against what the programs do.

load helpers

@test "README: is every program in it, and no other?" {
    cd "$root"
    # Programs are named in backquotes; so are options, files and calls.
    grep -o '`[a-z_]*`' README.md | tr -d '`' | sort -u >"$T/named"
    grep -x -e '.*_.*' -e "$(every_program)" "$T/named" | grep -v -e '^O_' -e '^SO_' >"$T/shown"
    agree README.md "$(cat "$T/shown")" \
        'demos/' "$(every_program)" 'name it in the table "The programs", or among the partners below it'
}

# The checks of all contracts.
every_demand() {
    for contract in $("$build/judge/judge" --contracts | cut -f 1); do
        "$build/judge/judge" --list --contract "$contract" --strict | cut -f 1
    done
    "$build/judge/judge" --list --contract echo-server --one-at-a-time | cut -f 1
}

@test "pages: does every program they name exist, and every option of it?" {
    cd "$root"
    for page in docs/*.md; do
        for name in $(grep -oE '`[a-z]+(_[a-z]+)+( --[a-z-]+)?' "$page" | tr -d '`' | sed 's/ .*//' | sort -u); do
            case $name in
            *_seconds | bytes_* | trips_per_second | round_trips | too_slow | server_*) continue ;; # keys of reports
            esac
            if [ "$page" = docs/contracts.md ] && every_demand | grep -qx -e "$name"; then
                continue
            fi
            # These pages name functions, too.
            case $page in
            docs/CONTRIBUTING.md | docs/without-the-library.md)
                grep -rqw -e "$name" common scripts || flunk "$page names $name, which is in no source any more"
                continue
                ;;
            esac
            [ -x "$bin/$name" ] || [ -f "docs/exercises/$name.md" ] || [ -f "scripts/graders/$name" ] ||
                flunk "$page names $name, which is neither a program nor an exercise"
        done
        grep -oE '`[a-z]+(_[a-z]+)* --[a-z-]+' "$page" | tr -d '`' | while read -r name option; do
            [ ! -x "$bin/$name" ] || "$bin/$name" --help | grep -q -e "^  $option " ||
                flunk "$page names $name $option, and $name has no such option"
        done
    done
}

# The pairs as the README's table has them: the lesson, and two programs around
# each arrow of its row.
pairs_shown() {
    sed -n 's/^| `\([a-z]*\)` | \([^|]*→[^|]*\) |.*/\1 \2/p' "$root/README.md" | tr -d '`,' | awk '
        { for (i = 3; i < NF; i++) if ($i == "→") { gsub(/;/, ""); print $1, $(i - 1), $(i + 1) } }'
}

@test "README: is every pair of demos/pairs in it, in its lesson, and no other?" {
    cd "$root"
    pairs=''
    while read -r first second _; do
        lesson=$(dirname demos/*/"$first.c")
        [ -f "$lesson/$first.c" ] || flunk "demos/pairs names $first, which is not in demos/"
        [ -f "$lesson/$second.c" ] || flunk "demos/pairs names $second, which is not in $lesson, where $first is"
        pairs+="${lesson#demos/} $first $second"$'\n'
    done < <(every_pair)
    agree 'the table of README.md' "$(pairs_shown)" demos/pairs "${pairs%$'\n'}" \
        'an arrow in the row of the lesson for each line of demos/pairs: `FIRST` → `SECOND`'
}

@test "pages: does every command of theirs exist?" {
    cd "$root"
    for page in README.md docs/*.md; do
        # Files under scripts/ and build/, and make's targets.
        for command in $(grep -oE '\b(scripts|build/bin)/[a-z_]+' "$page" | sort -u); do
            [ -x "$command" ] || [ -x "$bin/${command#build/bin/}" ] ||
                flunk "$page names $command, which is not there"
        done
        for target in $(sed -n 's/^\$ make \([a-z]*\).*/\1/p' "$page"); do
            grep -q "^$target:" Makefile || flunk "$page names 'make $target', which the Makefile does not have"
        done
    done
    # Whatever CI runs, the page tells.
    grep -v '^#' .ci/run | grep -o 'S*[A-Z=1]* *scripts/.*' | while read -r command; do
        grep -qF "\$ $command" README.md || flunk "README.md does not name '$command', which .ci/run runs: add a line '\$ $command'"
    done
}

# The names that a page's headings have in links: as hosting sites make them.
anchors_of() {
    awk '/^```/ { code = !code } !code && sub(/^#+ +/, "")' "$1" | tr '[:upper:]' '[:lower:]' |
        sed -e 's/[^a-z0-9_ -]//g' -e 's/ /-/g'
}

@test "pages: does every link lead somewhere, to a heading that is there?" {
    cd "$root"
    for page in README.md docs/*.md docs/*/*.md; do
        for link in $(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//'); do
            case $link in
            http*) continue ;;
            '#'*) to=$page ;;
            *) to=$(dirname "$page")/${link%%#*} ;;
            esac
            [ -e "$to" ] || flunk "$page links to $link, which is not there: correct the link"
            [[ $link != *'#'* ]] || anchors_of "$to" | grep -qxF -e "${link#*#}" ||
                flunk "$page links to $link, and no heading there is called so; those that are: $(anchors_of "$to" | tr '\n' ' ')"
        done
    done
}

@test "lessons: is every one played by tests/tutorial.bats, and in the table of contents?" {
    cd "$root"
    lessons=$(basename -a docs/tutorial/[0-9]*.md)
    agree tests/tutorial.bats "$(sed -n 's/^@test .* plays \([0-9].*\); }$/\1/p' tests/tutorial.bats)" docs/tutorial "$lessons" \
        "tests/tutorial.bats has a line '@test \"tutorial: N, ...\" { plays NN-NAME.md; }' for each page"
    agree docs/tutorial/README.md "$(sed -n 's/^| \[[0-9]*\](\(.*\.md\)) |.*/\1/p' docs/tutorial/README.md)" docs/tutorial "$lessons" \
        "its table has a line '| [N](NN-NAME.md) | the question | your number |' for each page"
}

@test "lessons: has every one its parts, in order?" {
    for page in "$root"/docs/tutorial/[0-9]*.md; do
        is "$(grep '^## ' "$page")" '## The question
## Predict
## Try it
## The lines that matter
## What would go wrong otherwise
## Exercise
## Further reading' || flunk "What to do: give $page these headings, in this order"
        grep -q '^\*\*Your number:\*\*' "$page" || flunk "$page needs a paragraph that begins with '**Your number:**'"
    done
}

@test "exercises: does the lesson of every exercise send one there, and to none that is not?" {
    cd "$root/docs"
    for card in exercises/[a-z]*.md; do
        name=$(basename "$card" .md)
        lesson=$(sed -n 's/^Lesson \([0-9]*\).*/\1/p' "$card")
        [ -n "$lesson" ] || continue
        sed -n '/^## Exercise/,/^## Further/p' tutorial/"$(printf %02d "$lesson")"-*.md | grep -q "\b$name\b" ||
            flunk "the exercise $name is for lesson $lesson: name it in that page below '## Exercise'"
    done
    for name in $(grep -ho 'exercise start [a-z_]*' tutorial/*.md | sed 's/.* //'); do
        [ -f "exercises/$name.md" ] || flunk "a lesson sends one to the exercise $name, which is not there"
    done
}

@test "programs: is every one seen in a lesson, played in an act, or one of a pair?" {
    cd "$root"
    for name in $(every_program); do
        grep -qw -e "$name" docs/tutorial/*.md scripts/acts/*.sh <(every_pair) ||
            flunk "nobody is shown $name: show it in a lesson or an act, or put its pair into demos/pairs"
    done
}

@test "calls: is every cell of the card what that call answers in that mode?" {
    run --separate-stderr timeout 20 "$build/tests/modes"
    is "$status: $stderr" '0: '
    is "$(sed -n '/^## /,$p' "$root/docs/calls.md")" "$output" ||
        flunk "What to do: put what 'build/tests/modes' prints into docs/calls.md, from its first heading on"
}

@test "errors: is the card the program's table, whole and by category, and no other page?" {
    is "$(sed -n '/^## /,$p' "$root/docs/errors.md")" "$("$build/tests/unit" --error-table)" ||
        flunk "What to do: put what 'build/tests/unit --error-table' prints into docs/errors.md, from its first heading on"
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
    agree docs/reference.md "$(cat "$T/page")" 'the reports of the programs' "$(cat "$T/programs")" \
        'a line in the table "The report" for each key'
}

@test "reference: is every option that all programs share in it, in the programs' words?" {
    "$bin/echo_blocking" --help | grep -oE '^  --[a-z-]+( [A-Z]+)?' | grep -v -- --bind | sed 's/^  //' |
        while read -r option; do
            grep -qF "| \`$option\` |" "$root/docs/reference.md" ||
                flunk "docs/reference.md lacks $option, which every program has: add a line '| \`$option\` | ... |'"
        done
}

# The terms of the glossary, without backquotes.
terms() {
    sed -n 's/^| \([^|]*\) |.*/\1/p' "$root/docs/glossary.md" | sed 1d | tr -d '`'
}

@test "glossary: is it alphabetical, and does every term have one entry?" {
    [ "$(terms | wc -l)" -gt 40 ]
    is "$(terms)" "$(terms | LC_ALL=C sort -f)" ||
        flunk "What to do: move the terms of docs/glossary.md into this order"
    is "$(terms | uniq -di)" '' || flunk "What to do: keep one of these entries in docs/glossary.md"
    # The words that one looks up first.
    for term in blocking non-blocking 'would block' readiness EAGAIN 'half-close' SIGPIPE; do
        terms | grep -qx "$term" || flunk "docs/glossary.md lacks '$term'"
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
            scripts/*) [ -x "$name" ] || flunk "the entry $term names the script $name, which is not there" ;;
            */*) [ -f "$name" ] || flunk "the entry $term names the file $name, which is not there" ;;
            *:--*) "$bin/$name" --help | grep -q -e "^  $argument " || flunk "the entry $term names $argument, which $name --help does not know" ;;
            *) [ -x "$bin/$name" ] || [ -d "demos/$name" ] || flunk "the entry $term names $name, which is no program and no lesson" ;;
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
    # It asks for ever: so many seconds of a processor are enough for it.
    with_faults 'send:short:3+,send:EAGAIN:4+,recv:EINTR:5+,accept:ECONNABORTED:3+' \
        launch server bash -c 'ulimit -t 20; exec "$0" 0' "$T/echo"
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

# NAME - what it is; then its parts, whose lines begin in one column.
@test "demos: has the comment at the top of every program its parts, each in its place?" {
    cd "$root"
    for file in demos/*/*.c; do
        header=$(sed -n '2,/^ \*\//p' "$file")
        name=$(basename "$file" .c)
        [[ $header == $'/*\n * '"$name - "* ]] || flunk "$file does not begin with '$name - what it is'"
        for part in Shows Run 'Compare|See'; do
            grep -qE "^ \* ($part) +[^ ]" <<<"$header" || flunk "$file has no part '$part'"
        done
        astray=$(sed -n '/^ \* Shows/,$p' <<<"$header" | grep -vE '^ \* (Shows    |Run      |Compare  |See      |         )[^ ]|^ \*/$' || true)
        is "$name: $astray" "$name: "
    done
}
