#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2013,SC2016 # words are wanted, and backquotes are text
# The exercises, and what stands between a machine and a program that nobody
# trusts.

load helpers

exercise() {
    run --separate-stderr env WB_PRACTICE="$T/practice" "$root/scripts/exercise" "$@"
}

judge() {
    run "$peers/judge" "$@"
}

# submit EXERCISE: what stands on standard input is somebody's solution.
submit() {
    mkdir -p "$T/practice"
    cat >"$T/practice/$1.c"
}

# Does any process run this file?
is_running() {
    local exe
    for exe in /proc/[0-9]*/exe; do
        [ "$(readlink "$exe" 2>/dev/null)" != "$1" ] || return 0
    done
    return 1
}

# section EXERCISE SECTION: a program out of the exercise's parts.
section() {
    awk -v section="$2" -f "$root/tests/exercises/assemble.awk" "$root/tests/exercises/$1.ex" \
        "$root/$(sed -n 's/^source //p' "$root/tests/exercises/$1.ex")"
}

# supervised EXPECTED SHELL-COMMAND [OPTION]...: sets ended, the supervisor's
# last line.
supervised() {
    supervised_program "$1" "${@:3}" /bin/sh -c "$2"
}
supervised_program() {
    export WB_MARK=$BATS_TEST_NUMBER.$BASHPID
    timeout 20 "$peers/supervise" --status 5 "${@:2}" 5>"$T/status" >"$T/words.out" 2>&1 3>&- 4>&- </dev/null || true
    ended=$(sed -n 's/^ended //p' "$T/status")
    [[ " $ended " == *" $1 "* ]] || flunk "'$ended' does not tell $1"
    none_marked "$WB_MARK"
}

# --- Supervision --------------------------------------------------------------

@test "supervise: is the end of a program told as it was?" {
    supervised 'code=3' 'exit 3'
    supervised 'how=signal code=6' 'kill -ABRT $$'
    supervised 'limit=-' 'echo hello'
    is "$(cat "$T/words.out")" hello
}

@test "supervise: is an endless loop ended, whatever it ignores?" {
    supervised 'limit=cpu' 'trap "" TERM INT XCPU; while :; do :; done' --cpu 1s --wall 9s
    supervised 'limit=wall' 'trap "" TERM INT HUP; while :; do sleep 1; done' --wall 300ms
}

@test "supervise: does a flood of output end, and arrive up to its limit?" {
    supervised 'limit=output' 'yes' --output 10k
    is "$(wc -c <"$T/words.out")" 10240
}

@test "supervise: is memory bounded?" {
    # Each turn twice as much text.
    supervised 'limit=memory' 'a=0123456789; while :; do a=$a$a; done' --memory 40M --wall 9s
}

@test "supervise: does a fork bomb that leaves its session leave nothing behind?" {
    cat >"$T/bomb.c" <<'END'
#include <signal.h>
#include <unistd.h>
int main(void)
{
    signal(SIGTERM, SIG_IGN);
    for (;;)
        if (fork() == 0)
            setsid();
}
END
    ${CC:-cc} -o "$T/bomb" "$T/bomb.c" -D_XOPEN_SOURCE=700
    supervised_program 'limit=processes' --processes 20 --wall 5s "$T/bomb"
}

@test "supervise: is a child that outlives its parent found and ended?" {
    supervised 'left=1' 'setsid sleep 30 >/dev/null 2>&1 & sleep 0.1'
}

@test "supervise: when it is asked to stop, does all of it stop?" {
    export WB_MARK=$BATS_TEST_NUMBER.stop
    launch supervisor "$peers/supervise" --wall 20s /bin/sh -c 'trap "" TERM; echo on; sleep 20 & sleep 20'
    wait_for supervisor.out on
    stop supervisor
    none_marked "$WB_MARK"
}

# --- What somebody may hand in ---------------------------------------------------

@test "exercise: is the first result one command away?" {
    exercise check accept
    is "$status" 1
    [[ $output == *'you have not changed'*'ACCEPTED_BLOCKING'*'blocked in recv on client A'* ]] || flunk "$output"
    [[ $output == *'See it by hand'* ]] || flunk "$output"
    [ -f "$T/practice/accept.c" ] || flunk 'nothing to change'
    # The README shows this very verdict.
    sed -n '/^accept: not yet/,/^```/p' "$root/README.md" | grep '[a-z]' >"$T/shown"
    is "$(wc -l <"$T/shown")" 4
    while IFS= read -r line; do
        grep -qxF -e "$line" <<<"$output" || flunk "the README says: $line"
    done <"$T/shown"
}

@test "exercise: does the solution pass, and can it be compared then?" {
    section accept reference | submit accept
    exercise diff accept
    is "$status" 1
    exercise check accept
    is "$status: $stderr" '0: '
    exercise diff accept
    is "$status: $output" '0: '
    exercise status
    [[ $output == *'accept'*'passed 2'*'1 of 14 passed'* ]] || flunk "$output"
}

@test "exercise: can a solution be put in the place of the original, for its own tests?" {
    section framing reference | submit framing
    exercise check framing --full
    is "$status" 0
    [[ $output == *'the tests of demos/chat/chat_server.c'*', 0 failed'* ]] || flunk "$output"
    # One that the checks let pass, and the original's tests do not.
    section framing reference | sed 's/guest%llu/GUEST%llu/; s/"guest", 5/"GUEST", 5/' | submit framing
    exercise check framing --full
    is "$status" 1
    [[ $output == *'not ok'* || $output == *'was not welcomed'* || $output == *'did not hear'* ]] || flunk "$output"
}

@test "exercise: is an empty file explained?" {
    : | submit accept
    exercise check accept
    is "$status" 1
    [[ $output == *'is empty'*'reset accept'* ]] || flunk "$output"
}

@test "exercise: do the compiler's words come first, and kindly?" {
    section accept reference | sed 's/set_nonblocking(listener);/set_nonblocking(listner);/' | submit accept
    exercise check accept
    is "$status" 1
    [[ $output == *'does not compile yet'*'listner'*'Mend the first error first'* ]] || flunk "$output"
    is "$(grep -c 'error:' <<<"$output")" 1

    section accept reference | sed 's/^    struct clients clients/    int unused;\n&/' | submit accept
    exercise check accept
    is "$status" 0
    [[ $output == *'the compiler has a doubt'*'unused'* ]] || flunk "$output"
}

# hands_in MISTAKE: the solution on standard input is found to make it.
hands_in() {
    submit accept
    exercise check accept
    is "$status" 1
    [[ $output == *" $1: "* ]] || flunk "not $1: $output"
    [[ $output == *'See it by hand'* ]] || flunk "$output"
}

@test "exercise: is a program that does nothing told that it does not listen?" {
    hands_in ENDS_EARLY <<<'int main(void) { return 0; }'
    hands_in NOT_LISTENING <<'END'
#include <unistd.h>
int main(void) { for (;;) pause(); }
END
}

@test "exercise: is an endless loop told from a blocked call?" {
    hands_in NOT_LISTENING <<<'int main(void) { for (volatile unsigned i = 0;; i++) ; }'
    [[ $output == *'spinning'* ]] || flunk "$output"
    hands_in NOT_LISTENING <<'END'
#include <unistd.h>
int main(void) { int p[2]; char c; return pipe(p) || read(p[0], &c, 1) != 1; }
END
    [[ $output == *'blocked in read'* ]] || flunk "$output"
}

@test "exercise: is a flood, a hoard or a crowd ended, and named?" {
    hands_in TOO_MUCH_OUTPUT <<'END'
#include <stdio.h>
int main(void) { for (;;) puts("again and again"); }
END
    hands_in TOO_MUCH_MEMORY <<'END'
#include <stdlib.h>
#include <string.h>
int main(void) { for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); } }
END
    hands_in TOO_MANY_PROCESSES <<'END'
#include <unistd.h>
int main(void) { for (;;) if (fork() == 0) setsid(); }
END
}

@test "exercise: is a crash named, with the sanitizer's words if there are any?" {
    hands_in CRASH <<'END'
#include <stdlib.h>
int main(void) { abort(); }
END
    hands_in CRASH <<'END'
#include <stdlib.h>
int main(int argc, char **argv)
{
    char *p = malloc(1);
    free(p);
    (void)argv;
    p[argc - 1] = 1;
    if (argc > 1 && p[0])
        abort();
}
END
}

@test "exercise: is a listener on another port, or one that lies, named?" {
    hands_in WRONG_PORT <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("listening on 127.0.0.1 port 1\n"); fflush(stdout); for (;;) pause(); }
END
    hands_in NOT_LISTENING <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("listening on everything\n"); fflush(stdout); for (;;) pause(); }
END
}

@test "exercise: fd_set: is a death by the first high descriptor named while others still knock?" {
    # Its short queue makes the judge's later clients wait until it is dead.
    cat >"$T/dies.c" <<'EOF'
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&own, length) || listen(listener, 0) ||
        getsockname(listener, (struct sockaddr *)&own, &length))
        return 1;
    printf("listening on 127.0.0.1 port %d\n", ntohs(own.sin_port));
    fflush(stdout);
    while (accept(listener, NULL, NULL) < 1024)
        ;
    usleep(300000);
    abort();
}
EOF
    # shellcheck disable=SC2046 # the flags are words
    ${CC:-cc} $(cat "$peers/sanitizer") -o "$T/dies" "$T/dies.c" "$build/obj/tests/exercises/witness.o" -ldl
    judge --only high_descriptors fd_set "$T/dies"
    is "$status" 1
    [[ $output == *' FD_SETSIZE_OVERRUN: '* ]] || flunk "$output"
}

@test "exercise: does a program that will not end get a verdict, and its end?" {
    export WB_MARK=$BATS_TEST_NUMBER.deaf
    section accept reference | sed 's/while (!stopping())/signal(SIGTERM, SIG_IGN);\n    for (;;)/; s/^#include <unistd.h>/&\n#include <signal.h>/' |
        submit accept
    exercise check accept
    none_marked "$WB_MARK"
}

@test "exercise: does Ctrl-C end a check, and all that belongs to it?" {
    needs_int
    export WB_MARK=$BATS_TEST_NUMBER.int
    section deadline 'wrong NO_DEADLINE asks until it knows' | submit deadline
    launch check WB_PRACTICE="$T/practice" setsid "$root/scripts/exercise" check deadline
    local end=$((SECONDS + patience))
    until is_running "$T/practice/bin/deadline"; do
        [ "$SECONDS" -lt "$end" ] || flunk 'the check does not begin'
        sleep 0.02
    done
    kill -INT -- "-${pid_of[check]}"
    finish check
    none_marked "$WB_MARK"
}

# --- For the one who learns -------------------------------------------------------

@test "exercise: are there three hints, each with the former ones?" {
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 1
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 2
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 3
    [[ $output == *'That was the last one'* ]] || flunk "$output"
}

@test "exercise: does a reset keep what there was?" {
    echo mine | submit accept
    exercise reset accept
    is "$status" 0
    is "$(cat "$T/practice/backup/accept.c.1")" mine
    grep -q TODO "$T/practice/accept.c"
    echo mine again | submit accept
    exercise reset accept
    is "$(cat "$T/practice/backup/accept.c.2")" 'mine again'
    exercise reset --all
    is "$(find "$T/practice" -maxdepth 1 -name '*.c' | wc -l)" 14
}

@test "exercise: does watch see that a file was saved?" {
    section framing 'wrong LINES_LEFT_OVER the first line of what a recv brings, and no more' | submit framing
    launch watch WB_PRACTICE="$T/practice" "$root/scripts/exercise" watch framing
    wait_for watch.out LINES_LEFT_OVER
    section framing reference >"$T/new.c"
    mv "$T/new.c" "$T/practice/framing.c"
    wait_for watch.out 'passed, all'
    stop watch
}

@test "exercise: does it complain of what there is not?" {
    exercise check nothing
    is "$status" 2
    exercise nothing
    is "$status" 2
    exercise
    is "$status" 2
    exercise check accept --format nothing --all
    is "$status" 2
    exercise --help
    is "$status" 0
}

@test "exercise: does the doctor find this machine well?" {
    exercise doctor
    is "$status" 0
    [[ $output == *'All is well.'* ]] || flunk "$output"
}

# --- For those who teach -----------------------------------------------------------

# A folder with one that is right, one that is wrong, one that does not compile
# and one that was not handed in.
submissions() {
    mkdir -p "$T/handed_in"
    section framing reference >"$T/handed_in/framing.c"
    section classify 'wrong EALREADY_FATAL under way is a failure' >"$T/handed_in/classify.c"
    echo 'int main(void) { "quotes" & <angles>' >"$T/handed_in/back_off.c"
    some='framing classify back_off epoll'
}

# parses FORMAT FILE: as JSON or XML, with whatever is here to tell.
parses() {
    if [ "$1" = json ] && command -v python3 >/dev/null; then
        python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$2"
    elif [ "$1" = json ] && command -v node >/dev/null; then
        node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$2"
    elif [ "$1" = xml ] && command -v python3 >/dev/null; then
        python3 -c 'import xml.dom.minidom,sys; xml.dom.minidom.parse(sys.argv[1])' "$2"
    fi
}

@test "results: does every format say the same, and is it well formed?" {
    submissions
    exercise check --all --dir "$T/handed_in" --only "$some" --format records
    is "$status" 1
    printf '%s\n' "$output" >"$T/records"
    checks=$(wc -l <"$T/records")
    passed=$(awk -F '\t' '$4 == "pass"' "$T/records" | wc -l)
    points=$(awk -F '\t' '{ n += $6 } END { print n }' "$T/records")
    most=$(awk -F '\t' '{ n += $7 } END { print n }' "$T/records")
    is "$(awk -F '\t' '$1 == "framing" && $4 != "pass"' "$T/records")" ''
    is "$(awk -F '\t' '$1 == "classify" && $4 == "fail" { print $5 }' "$T/records" | sort -u)" EALREADY_FATAL
    is "$(awk -F '\t' '$1 == "back_off" { print $5 }' "$T/records" | sort -u)" DOES_NOT_COMPILE
    is "$(awk -F '\t' '$1 == "epoll" { print $5 }' "$T/records" | sort -u)" NOT_HANDED_IN

    as_format() {
        awk -v format="$1" -v date=2026-01-01T00:00:00Z -f "$root/scripts/results.awk" "$T/records" >"$T/$1"
    }
    as_format tap
    is "$(sed -n 2p "$T/tap")" "1..$checks"
    is "$(grep -c '^ok ' "$T/tap") of $(grep -c '^\(not \)\?ok ' "$T/tap")" "$passed of $checks"
    as_format junit
    parses xml "$T/junit"
    is "$(grep -c '<testcase ' "$T/junit") $(grep -c '<failure ' "$T/junit")" "$checks $((checks - passed))"
    as_format gradescope
    parses json "$T/gradescope"
    grep -q "^  \"score\": $points,\$" "$T/gradescope"
    is "$(grep -c '"status": "passed"' "$T/gradescope")" "$passed"
    as_format classroom50
    parses json "$T/classroom50"
    grep -q '"schema": "classroom50/result/v1"' "$T/classroom50"
    grep -q "\"score\": $points," "$T/classroom50"
    grep -q "\"max-score\": $most," "$T/classroom50"
    as_format points
    is "$(tail -n 1 "$T/points")" "points: $points of $most"
}

@test "results: is the exit status what the platform wants?" {
    submissions
    for format in tap junit points; do
        exercise check --all --dir "$T/handed_in" --only framing --format "$format"
        is "$format $status" "$format 0"
        exercise check --all --dir "$T/handed_in" --only epoll --format "$format"
        is "$format $status" "$format 1"
    done
    for format in gradescope classroom50; do
        exercise check --all --dir "$T/handed_in" --only epoll --format "$format" --output "$T/file.json"
        is "$format $status" "$format 0"
        parses json "$T/file.json"
    done
}

@test "grade: does every submission get its line, whatever it is?" {
    submissions
    mkdir -p "$T/class/ada" "$T/class/bob" "$T/class/eve, the third"
    cp "$T"/handed_in/*.c "$T/class/ada"
    echo 'int main(void) { for (;;) ; }' >"$T/class/bob/framing.c"
    exercise grade "$T/class" --only 'framing classify'
    is "$status: $stderr" '0: '
    is "${lines[0]}" 'submission,points,of,framing,framing mistakes,classify,classify mistakes'
    is "${#lines[@]}" 4
    [[ ${lines[1]} == '"ada",'*,EALREADY_FATAL ]] || flunk "$output"
    [[ ${lines[2]} == '"bob",0,'*BUSY_SPIN*NOT_HANDED_IN ]] || flunk "$output"
    [[ ${lines[3]} == '"eve, the third",0,'* ]] || flunk "$output"
}

# --- The exercises prove themselves -------------------------------------------------

proves() {
    [ -z "${SANITIZE:-}" ] || skip 'the programs are under the sanitizers in any case'
    exercise prove "$@"
    [ "$status" -eq 0 ] || flunk "$stderr$(grep -A 30 '^not ok' <<<"$output")"
    for name in "$@"; do
        [ "$(grep -c "^ok $name: wrong" <<<"$output")" -ge 6 ] || flunk "too few wrong ones for $name"
        [ "$(grep -c "^ok $name: right" <<<"$output")" -ge 2 ] || flunk "too few right ones for $name"
    done
}

@test "exercises: accept, again, partial_send, writable: is every wrong program named, and no right one?" {
    proves accept again partial_send writable
}

@test "exercises: fd_set, epoll, descriptors: is every wrong program named, and no right one?" {
    proves fd_set epoll descriptors
}

@test "exercises: connected, deadline, back_off, classify: is every wrong program named, and no right one?" {
    proves connected deadline back_off classify
}

@test "exercises: framing, back_pressure, half_close: is every wrong program named, and no right one?" {
    proves framing back_pressure half_close
}

@test "exercises: do a hundred checks of one program all say the same?" {
    section framing reference >"$T/right.c"
    section framing 'wrong CRASH a line fits, whatever its length' >"$T/wrong.c"
    make -s -C "$root" submission BUILD="$build" SOURCE="$T/right.c" PROGRAM="$T/right"
    make -s -C "$root" submission BUILD="$build" SOURCE="$T/wrong.c" PROGRAM="$T/wrong"
    for ((i = 0; i < 50; i++)); do
        "$peers/judge" framing "$T/right" >>"$T/right.out" || flunk "round $i: $(cat "$T/right.out")"
        "$peers/judge" --record "$T/record" --only endless framing "$T/wrong" >/dev/null && flunk "round $i"
    done
    is "$(cut -f 5 "$T/record" | sort | uniq -c | sed 's/^ *//')" '50 CRASH'
}

@test "exercises: has each its card, with a task and three hints, and its place in the list?" {
    cd "$root"
    for parts in tests/exercises/*.ex; do
        name=$(basename "$parts" .ex)
        card=docs/exercises/$name.md
        grep -q "^| \[\`$name\`\]($name.md) |" docs/exercises/README.md || flunk "$name is not in the list"
        is "$(sed -n 's/.*cut from `\(.*\)`$/\1/p' "$card")" "$(sed -n 's/^source //p' "$parts")"
        is "$name $(sed -n 's/^Lesson \([0-9]*\).*/\1/p' "$card")" \
            "$name $(sed -n "s/^| \[\`$name\`\].*| \([0-9]*\) |.*/\1/p" docs/exercises/README.md)"
        is "$name $(sed -n '/^## Hints/,/^## /p' "$card" | grep -c '^[0-9]\. ')" "$name 3"
        grep -q '^## Task$' "$card"
        judge --list "$name"
        is "$status" 0
    done
    is "$(grep -c '^| \[`' docs/exercises/README.md)" "$(find tests/exercises -name '*.ex' | wc -l)"
}

@test "exercises: is the table of mistakes the judge's?" {
    is "$(grep '^| `' "$root/docs/exercises/mistakes.md")" "$("$peers/judge" --mistakes)"
}

@test "exercises: can what is to be seen by hand be typed?" {
    cd "$root"
    # What 'make' builds, and nothing that only the tests build.
    make -n -B all BUILD=build SANITIZE= | grep -oE -e '-o build/[a-z]+/[a-z_]+ ' | cut -d ' ' -f 2 >"$T/built"
    for parts in tests/exercises/*.ex; do
        "$peers/judge" --list "$(basename "$parts" .ex)" | cut -f 4 >"$T/by_hand"
        while read -r command; do
            sh -n -c "$command" || flunk "$command"
            for program in $(grep -o 'build/[a-z]*/[a-z_]*' <<<"$command"); do
                grep -qx "$program" "$T/built" || flunk "'make' does not build $program: $command"
            done
            for behaviour in $(grep -o 'peer [^|;&]*' <<<"$command" | grep -oE ' [a-z-]+ 127' | cut -d ' ' -f 2); do
                grep -q "{\"$behaviour\"," demos/partners/bad_peer.c || flunk "no peer plays $behaviour"
            done
        done <"$T/by_hand"
    done
}

@test "exercises: does what is to be seen by hand show it?" {
    cd "$root"
    section accept stub >"$T/accept.c"
    make -s submission BUILD="$build" SOURCE="$T/accept.c" PROGRAM="$T/accept"
    command=$("$peers/judge" --list accept | sed -n 's/^silent\t.*\t//p')
    # With a port of its own, which is free now and very likely in a moment.
    serve other echo_blocking
    stop other
    run timeout 30 bash -c "$(sed "s|PROGRAM|$T/accept|; s|8080|$port|g; s|build/|$build/|g; s|20s|6s|; s|9s|5s|" <<<"$command")" 3>&- 4>&-
    [[ $output == *'stopped by --stop-after after waiting'* ]] || flunk "$output"
}
