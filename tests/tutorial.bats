#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted, and backquotes are text
# The tutorial: does each page show what really happens?

load helpers

# A fresh clone, in which nothing was done but what the first page says. Its name
# is one that folders have.
clone=$shared/"Jane Doe's clone"
needs_fresh_clone() {
    once first_page play_first_page
}
# To build it takes long: but for --long, what is built here already will do.
needs_clone() {
    if [ "$tier" = long ] || [ -n "${SANITIZE:-}" ]; then
        needs_fresh_clone
    else
        clone=$root
    fi
}
play_first_page() (
    mkdir -p "$clone"
    cd "$root" && cp -R common demos docs scripts tests Makefile README.md "$clone"
    if [ -n "${SANITIZE:-}" ]; then
        # What the pages call stands in build/bin.
        mkdir "$clone/build"
        ln -s . "$clone/build/sanitize"
    fi
    unset WB_BUILD
    # A build twice as fast, where the other pages are not played in this clone.
    [ "$tier" = long ] || [ -n "${SANITIZE:-}" ] || export CFLAGS=-O0
    timeout 300 "$clone/tests/tutorial/page" "$clone/docs/tutorial/README.md" \
        >"$shared/first_page" 2>&1 3>&- 4>&- || echo "status $?" >>"$shared/first_page"
)

# plays PAGE: everything in it comes as it stands there. The seed chooses which
# pages are played.
plays() {
    # shellcheck disable=SC2046 # words are wanted
    sample 'pages that are typed' 1 4 $(basename -a "$root"/docs/tutorial/[0-9]*.md) | grep -qxF "$1" ||
        leave_out 'another page was chosen'
    needs_clone
    run timeout 200 "$clone/tests/tutorial/page" "$clone/docs/tutorial/$1" 3>&- 4>&-
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
    only_in plain long
    needs_fresh_clone
    is "$(cat "$shared/first_page")" ''
}

@test "tutorial: do the pages hold at the pace of fingers, where programs overlap?" {
    only_in plain long
    needs_clone
    pages=$(sample 'pages at the pace of fingers' 1 1 01-blocks 05-framing 11-how-long 12-failure 14-everything)
    for page in $pages; do
        launch "$page" "$clone/tests/tutorial/page" --pause 1 "$clone/docs/tutorial/$page.md"
    done
    for page in $pages; do
        finish "$page"
        is "$page $status: $(cat "$T/$page.out" "$T/$page.err")" "$page 0: "
    done
}

@test "tutorial: does no page count on numbers of jobs, which bash uses again?" {
    run grep -rnE '(kill|wait|jobs)[^|;]*%[0-9]' "$root/docs" --include '*.md'
    is "$output" ''
}

# spoiled PAGE PATTERN SED-SCRIPT: the page, changed so, is to be found wrong.
spoiled() {
    local role=page${#pid_of[@]}
    sed "$3" "$root/docs/tutorial/$1" >"$T/$role.md"
    ! cmp -s "$T/$role.md" "$root/docs/tutorial/$1" || flunk "nothing was changed: $3"
    expected[$role]=$2
    launch "$role" timeout 100 "$clone/tests/tutorial/page" "$T/$role.md"
}

@test "tutorial: is a page found out that shows something else?" {
    only_in plain long
    needs_clone
    declare -A expected
    # All at the same time: each of them waits for what does not come.
    while IFS=, read -r page pattern change; do
        spoiled "$page" "$pattern" "$change"
    done < <(sample 'spoiled pages' 1 1 '09-edge.md,expected,s/^received 50000 of 50000 bytes$/received 49999 of 50000 bytes/' \
        '09-edge.md,expected,/^received 50000 of/d' \
        '09-edge.md,not in the file any more,s/turn < 16/turn < 17/' \
        '09-edge.md,nothing to quote,s/^<!-- from demos/<!-- from nowhere/' \
        '01-blocks.md,does not hold,s/<!-- check: .*/<!-- check: first_wait_seconds.1 < 0 -->/' \
        '01-blocks.md,there is no nothing.1,s/<!-- check: .*/<!-- check: nothing.1 < 1 -->/' \
        '09-edge.md,a block without an end,$s/.*/```console/' \
        '10-end.md,still running at its end: build/bin/echo_poll,/^\$ kill/d')
    for role in "${!expected[@]}"; do
        finish "$role"
        is "${expected[$role]}: $status" "${expected[$role]}: 1"
        grep -qF -e "${expected[$role]}" "$T/$role.out" || flunk "$role does not complain of '${expected[$role]}'"
    done
    [ "${#expected[@]}" -gt 0 ]
}

@test "tutorial: is every process of a page ended with it?" {
    needs_int
    needs_clone
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

@test "tutorial: is a process that has ended no longer running, even if nobody asked how?" {
    needs_clone
    printf '```console\n$ (sleep 0.1 & exec true)\n$ sleep 0.3\n```\n' >"$T/page.md"
    run "$clone/tests/tutorial/page" "$T/page.md" 3>&- 4>&-
    is "$status: $output" '0: '
}
