#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted, and backquotes are text
# The tutorial: does each page show what really happens?

load helpers

# A fresh clone, in which nothing was done but what the first page says. Its name
# is one that folders have.
clone=$BATS_FILE_TMPDIR/"Jane Doe's clone"
setup_file() {
    mkdir -p "$clone"
    cd "$root" && cp -R common demos docs scripts tests Makefile README.md "$clone"
    if [ -n "${SANITIZE:-}" ]; then
        # What the pages call stands in build/bin.
        mkdir "$clone/build"
        ln -s . "$clone/build/sanitize"
    fi
    unset WB_BUILD
    timeout 300 "$clone/tests/tutorial/page" "$clone/docs/tutorial/README.md" \
        >"$BATS_FILE_TMPDIR/first_page" 2>&1 3>&- 4>&- || echo "status $?" >>"$BATS_FILE_TMPDIR/first_page"
}

# plays [OPTION]... PAGE: everything in it comes as it stands there.
plays() {
    run timeout 200 "$clone/tests/tutorial/page" "${@:1:$#-1}" "$clone/docs/tutorial/${!#}"
    is "$status: $output" '0: '
}

@test "tutorial: 1, blocks" { plays 01-blocks.md; }
@test "tutorial: 2, answers" { plays 02-answers.md; }
@test "tutorial: 3, who is served" { plays 03-who-is-served.md; }
@test "tutorial: 4, bytes" { plays 04-bytes.md; }
@test "tutorial: 5, framing" { plays 05-framing.md; }
@test "tutorial: 6, connect" { plays 06-connect.md; }
@test "tutorial: 7, a slow client" { plays 07-slow-client.md; }
@test "tutorial: 8, select, poll, epoll" { plays 08-select-poll-epoll.md; }
@test "tutorial: 9, level or edge" { plays 09-edge.md; }
@test "tutorial: 10, the end" { plays 10-end.md; }
@test "tutorial: 11, how long" { plays 11-how-long.md; }
@test "tutorial: 12, failure" { plays 12-failure.md; }
@test "tutorial: 13, UDP" { plays 13-udp.md; }
@test "tutorial: 14, everything" { plays 14-everything.md; }

@test "tutorial: the first page, in a fresh clone" {
    is "$(cat "$BATS_FILE_TMPDIR/first_page")" ''
    is "$(grep -c '@test "tutorial: [0-9]' "$BATS_TEST_FILENAME")" "$(find "$root/docs/tutorial" -name '[0-9]*.md' | wc -l)"
}

@test "tutorial: do the pages hold at the pace of fingers, where programs overlap?" {
    for page in 01-blocks 05-framing 11-how-long 12-failure 14-everything; do
        launch "$page" "$clone/tests/tutorial/page" --pause 1 "$clone/docs/tutorial/$page.md"
    done
    for page in 01-blocks 05-framing 11-how-long 12-failure 14-everything; do
        finish "$page"
        is "$page $status: $(cat "$T/$page.out" "$T/$page.err")" "$page 0: "
    done
}

@test "tutorial: does no page count on numbers of jobs, which bash uses again?" {
    run grep -rnE '(kill|wait|jobs)[^|;]*%[0-9]' "$root/docs" --include '*.md'
    is "$output" ''
}

# spoiled SED-SCRIPT PAGE PATTERN: the page, changed so, is found to be wrong.
spoiled() {
    sed "$1" "$root/docs/tutorial/$2" >"$T/page.md"
    cmp -s "$T/page.md" "$root/docs/tutorial/$2" && flunk "nothing was changed: $1"
    run timeout 100 "$clone/tests/tutorial/page" "$T/page.md"
    is "$status" 1
    [[ $output == *$3* ]] || flunk "$output"
}

@test "tutorial: is a page found out that shows something else?" {
    spoiled 's/^received 50000 of 50000 bytes$/received 49999 of 50000 bytes/' 09-edge.md expected
    spoiled '/^received 50000 of/d' 09-edge.md expected
    spoiled 's/for (int turns = 0; turns < 16/for (int turns = 0; turns < 17/' 09-edge.md 'not in the file any more'
    spoiled 's/^<!-- from demos/<!-- from nowhere/' 09-edge.md 'nothing to quote'
    spoiled 's/<!-- check: .*/<!-- check: first_wait_seconds.1 < 0 -->/' 01-blocks.md 'does not hold'
    spoiled 's/<!-- check: .*/<!-- check: nothing.1 < 1 -->/' 01-blocks.md 'there is no nothing.1'
    spoiled '$s/.*/```console/' 09-edge.md 'a block without an end'
    spoiled '/^\$ kill/d' 10-end.md 'still running at its end: build/bin/echo_poll'
}

@test "tutorial: is every process of a page ended with it?" {
    needs_int
    export WB_MARK=$BATS_TEST_NUMBER.page
    printf '```console\n$ build/bin/echo_poll 8080 &\nlistening on 127.0.0.1 port 8080\n$ sleep 20\n```\n' >"$T/page.md"
    launch page "$clone/tests/tutorial/page" "$T/page.md"
    local end=$((SECONDS + patience))
    until [ "$(marked "$WB_MARK" | wc -l)" -ge 4 ]; do
        [ "$SECONDS" -lt "$end" ] || flunk 'the page does not begin'
        sleep 0.02
    done
    stop page
    none_marked "$WB_MARK"
}

@test "tutorial: has every lesson its parts, in order?" {
    for page in "$root"/docs/tutorial/[0-9]*.md; do
        is "$(grep '^## ' "$page")" '## The question
## Predict
## Try it
## The lines that matter
## What would go wrong otherwise
## Exercise
## Further reading'
        grep -q '^\*\*Your number:\*\*' "$page" || flunk "$page has no number"
        is "$(basename "$page"): $(grep -c "($(basename "$page"))" "$root/docs/tutorial/README.md")" "$(basename "$page"): 1"
    done
}

@test "tutorial: does the lesson of every exercise send one there, and to none that is not?" {
    cd "$root/docs"
    for card in exercises/[a-z]*.md; do
        name=$(basename "$card" .md)
        lesson=$(sed -n 's/^Lesson \([0-9]*\).*/\1/p' "$card")
        [ -n "$lesson" ] || continue
        sed -n '/^## Exercise/,/^## Further/p' tutorial/"$(printf %02d "$lesson")"-*.md | grep -q "\b$name\b" ||
            flunk "lesson $lesson does not name $name"
    done
    for name in $(grep -ho 'exercise start [a-z_]*' tutorial/*.md | sed 's/.* //'); do
        [ -f "exercises/$name.md" ] || flunk "there is no exercise $name"
    done
}

@test "tutorial: is every program of the demos seen in it?" {
    cd "$root"
    for program in demos/*/*.c; do
        name=$(basename "$program" .c)
        case $name in
        # Taught by its pair, or a tool of measurements.
        echo_client_busypoll | timeout_busypoll | timeout_select | connect_pool | nagle_stall) continue ;;
        esac
        grep -qE "\b$name\b" docs/tutorial/*.md || flunk "nobody is shown $name"
    done
}

@test "tutorial and exercises: does every link lead somewhere?" {
    cd "$root"
    for page in docs/tutorial/*.md docs/exercises/*.md; do
        for link in $(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//'); do
            case $link in
            http*) continue ;;
            esac
            [ -e "$(dirname "$page")/${link%%#*}" ] || flunk "$page: $link"
        done
    done
}
