#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC1003,SC2013,SC2016 # words are wanted, and backquotes are text
# The exercises, and what stands between a machine and a program that nobody
# trusts.

load helpers

exercise() {
    run --separate-stderr env WB_PRACTICE="$T/practice" "$root/scripts/exercise" "$@"
}

judge() {
    run "$build/judge/judge" "$@"
}

# submit EXERCISE: what stands on standard input is somebody's solution.
submit() {
    mkdir -p "$T/practice"
    cat >"$T/practice/$1.c"
}

# Does any process run this file? Asked in one go: it may not run for long.
is_running() {
    { ls -l /proc/[0-9]*/exe 2>/dev/null || true; } | grep -q -F -e "-> $1"
}

# section EXERCISE SECTION: a program out of the exercise's parts.
section() {
    awk -v section="$2" -f "$root/scripts/exercises/assemble.awk" "$root/scripts/exercises/$1.ex" \
        "$root/$(sed -n 's/^source //p' "$root/scripts/exercises/$1.ex")"
}

# own_checkout FOLDER: a copy of this repository, built, to be spoilt; sets copy
# and its judge. Run it with 'there'.
own_checkout() {
    copy=$1
    mkdir -p "$copy"
    cp -Rp "$root/Makefile" "$root/README.md" "$root/common" "$root/demos" "$root/docs" "$root/scripts" "$root/tests" "$copy"
    cp -Rp "$root/build" "$copy"
    its_judge=$copy/build${build#"$root/build"}/judge/judge
}
there() {
    run --separate-stderr env WB_PRACTICE="$T/practice" "$copy/scripts/exercise" "$@"
}

# supervised EXPECTED SHELL-COMMAND [OPTION]...: sets ended, the supervisor's
# last line.
supervised() {
    supervised_program "$1" "${@:3}" /bin/sh -c "$2"
}
supervised_program() {
    export WB_MARK=$BATS_TEST_NUMBER.$BASHPID
    timeout 20 "$build/judge/supervise" --status 5 "${@:2}" 5>"$T/status" >"$T/words.out" 2>&1 3>&- 4>&- </dev/null || true
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
    only_in plain long
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

@test "supervise: does a program get nothing of our environment but what its checks need?" {
    export WB_SECRET=abracadabra WB_FAULTS=none:EINTR:1
    supervised 'code=0' 'env; pwd; umask'
    is "$(grep -c abracadabra "$T/words.out")" 0
    grep -qx 'WB_FAULTS=none:EINTR:1' "$T/words.out"
    grep -qx "WB_MARK=$WB_MARK" "$T/words.out"
    is "$(tail -n 1 "$T/words.out")" 0022
    is "$(cut -d = -f 1 "$T/words.out" | grep -c -v -x -e PATH -e LC_ALL -e HOME -e TMPDIR -e PWD -e OLDPWD -e SHLVL -e _ -e 'WB_.*' -e '.*SAN_OPTIONS')" 2
}

@test "supervise: is a room the program's own while it runs, and not after that?" {
    mkdir "$T/a room"
    supervised 'code=0' 'pwd; echo hello >here && mkdir there' --room "$T/a room"
    is "$(cat "$T/words.out")" "$(cd "$T/a room" && pwd -P)"
    is "$(cat "$T/a room/here")" hello
    [ -O "$T/a room" ] || flunk "$(ls -ld "$T/a room")"
    supervised '' 'true' --room "$T/no room" || true
    grep -q 'cannot go to .*/no room' "$T/words.out"
}

@test "supervise: when it is asked to stop, does all of it stop?" {
    export WB_MARK=$BATS_TEST_NUMBER.stop
    launch supervisor "$build/judge/supervise" --wall 20s /bin/sh -c 'trap "" TERM; echo on; sleep 20 & sleep 20'
    wait_for supervisor.out on
    stop supervisor
    none_marked "$WB_MARK"
}

# --- What somebody may hand in ---------------------------------------------------

@test "exercise: is the first result one command away?" {
    exercise check accept
    is "$status" 1
    says 'you have not changed' 'ACCEPTED_BLOCKING' 'blocked in recv on client A'
    says 'See it by hand'
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
    says 'accept' 'passed 2' "1 of $(every_exercise | wc -l) passed"
}

@test "exercise --full: does our solution pass the tests of its original?" {
    only_in long
    local parts original name
    # One exercise for each original.
    while IFS=: read -r parts original; do
        name=$(basename "$parts" .ex)
        section "$name" reference | submit "$name"
        exercise check "$name" --full
        [ "$status" -eq 0 ] || flunk "$name: $output$stderr"
        says "the tests of ${original#source }" ', 0 failed'
    done < <(for file in "$root"/scripts/exercises/*.ex; do
        grep -qx '=== base' "$file" || grep -H '^source ' "$file"
    done | LC_ALL=C sort -u -t : -k 2)
}

@test "exercise --full: is a program refused that the checks let pass, and the original's tests do not?" {
    only_in long
    section framing reference | sed 's/guest_called(name) ||//' | submit framing
    exercise check framing --full
    is "$status" 1
    says 'passed, all' 'not ok' ' passed, 1 failed'
}

@test "exercise: is an empty file explained?" {
    : | submit accept
    exercise check accept
    is "$status" 1
    says 'is empty' 'reset accept'
}

@test "exercise: do the compiler's words come first, and kindly?" {
    section accept reference | sed 's/make_nonblocking(listener);/make_nonblocking(listner);/' | submit accept
    exercise check accept
    is "$status" 1
    says 'does not compile yet' 'listner' 'Fix the first error first'
    is "$(grep -c 'error:' <<<"$output")" 1

    section accept reference | sed 's/^    struct clients clients/    int unused;\n&/' | submit accept
    exercise check accept
    is "$status" 0
    says 'the compiler warns you' 'unused'
}

@test "exercise: is a library's part not taken from the library?" {
    # The answers' file, without the answers.
    echo '/* Nothing at all. */' | submit classify
    exercise check classify
    is "$status" 1
    says 'does not compile yet' "undefined reference to"
    exercise reset classify
    exercise check classify
    is "$status" 1
    says 'you have not changed' 'classify: not yet. Check 1 of 5'
}

# hands_in MISTAKE: the solution on standard input is found to make it.
hands_in() {
    submit accept
    exercise check accept
    is "$status" 1
    [[ $output == *" $1: "* ]] || flunk "not $1: $output"
    says 'See it by hand'
}

@test "exercise: is a program that does nothing told that it does not listen?" {
    only_in plain long
    hands_in ENDS_EARLY <<<'int main(void) { return 0; }'
    hands_in NOT_LISTENING <<'END'
#include <unistd.h>
int main(void) { for (;;) pause(); }
END
}

@test "exercise: is an endless loop told from a blocked call?" {
    only_in plain long
    hands_in NOT_LISTENING <<<'int main(void) { for (volatile unsigned i = 0;; i++) ; }'
    says 'spinning'
    hands_in NOT_LISTENING <<'END'
#include <unistd.h>
int main(void) { int p[2]; char c; return pipe(p) || read(p[0], &c, 1) != 1; }
END
    says 'blocked in read'
}

@test "exercise: is a flood, a hoard or a crowd ended, and named?" {
    only_in plain long
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
    only_in plain long
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
    only_in plain long
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
    only_in plain long
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

    char ping[16];
    int first = accept(listener, NULL, NULL);
    ssize_t n = read(first, ping, sizeof ping);
    if (n <= 0 || write(first, ping, (size_t)n) != n)
        return 1;
    while (accept(listener, NULL, NULL) < 1024)
        ;
    usleep(300000);
    abort();
}
EOF
    # shellcheck disable=SC2046 # the flags are words
    ${CC:-cc} $(cat "$build/judge/sanitizer") -o "$T/dies" "$T/dies.c" "$build/obj/scripts/judge/witness.o" -ldl
    judge --only high_descriptors fd_set "$T/dies"
    is "$status" 1
    says ' FD_SETSIZE_OVERRUN: '
}

@test "judge: is a program not blamed for words that its supervisor had no time to hand on?" {
    only_in plain long
    mkdir "$T/busy"
    cp "$build/judge/judge" "$T/busy"
    # It is stopped, as if others had the processor, while the program speaks.
    printf '#!/bin/sh\n(sleep 0.05; kill -STOP $$; sleep 1; kill -CONT $$) >/dev/null 2>&1 3>&- &\nexec "%s" "$@"\n' "$build/judge/supervise" >"$T/busy/supervise"
    chmod +x "$T/busy/supervise"
    section accept reference | sed 's/^.*listen_on.*/    nap(120 * MILLISECOND);\n&/' | submit accept
    exercise check accept
    run timeout 30 "$T/busy/judge" --only alone accept "$T/practice/bin/accept"
    [ "$status" -eq 0 ] || flunk "$output"
}

@test "exercise: does a program that will not end get a verdict, and its end?" {
    only_in plain long
    export WB_MARK=$BATS_TEST_NUMBER.deaf
    section accept reference | sed 's/while (!stopping())/signal(SIGTERM, SIG_IGN);\n    for (;;)/; s/^#include <unistd.h>/&\n#include <signal.h>/' |
        submit accept
    exercise check accept
    none_marked "$WB_MARK"
}

@test "exercise: does Ctrl-C end a check, and all that belongs to it?" {
    only_in plain long
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

# --- What a solution may read ------------------------------------------------------

# finds MISTAKE [TEXT]: in the solution of accept on standard input, without one
# point. What it must not have read is called Sesame.
finds() {
    mkdir -p "$T/handed_in"
    cat >"$T/handed_in/accept.c"
    found "$@"
}
found() {
    exercise check --all --dir "$T/handed_in" --only accept --format records
    is "$(cut -f 5,6 <<<"$output" | sort -u)" "$1"$'\t0'
    says "${2:-}"
    [[ $output$stderr != *Sesame* ]] || flunk "$output$stderr"
    [ ! -f "$T/practice/accept.c" ] || is "$(cat "$T/practice/accept.c")" ''
}

@test "solution: is one that includes another file not accepted, and the file named?" {
    only_in plain long
    original=$root/demos/echo/echo_busypoll.c
    sample 'ways to name a file' 1 3 "\"$original\"" "<$original>" '"../demos/echo/echo_busypoll.c"' '"common/../../demos/echo/echo_busypoll.c"' \
        "\"/proc/self/cwd/../../../../../../../..$original\"" "\"//$original\"" >"$T/names"
    while read -r include; do
        finds INCLUDES_OTHER_FILES echo_busypoll.c <<<"#include $include"
    done <"$T/names"
    finds INCLUDES_OTHER_FILES "accept.c includes $original" <<END
#define HIS "$original"
#include HIS
END
    finds INCLUDES_OTHER_FILES "$original" <<END
# 1 "/usr/include/stdio.h" 1 3 4
#pragma GCC system_header
#include_next "$original"
END
    finds INCLUDES_OTHER_FILES "$original" <<END
#include "wouldblock.h"
#define main other
#include "$original"
#undef main
int main(int argc, char **argv) { return other(argc, argv); }
END
}

@test "solution: is what the assembler is told to read found as well?" {
    only_in plain long
    grep -q MD "$build/judge/assembler" || skip 'this assembler does not tell what it reads'
    export WB_LEVEL=none # in a better room there is no such file
    embed() {
        section accept reference
        printf '__asm__(".pushsection .rodata\\n.%s \\"%s\\"\\n.popsection");\n' "$1" "$root/demos/pairs"
    }
    embed 'inc" "bin' >"$T/with.c"
    finds INCLUDES_OTHER_FILES "$root/demos/pairs" <"$T/with.c"
    # No assembler takes these lines: is none of them quoted?
    embed include >"$T/handed_in/accept.c"
    exercise check --all --dir "$T/handed_in" --only accept --format records
    [[ $output == *DOES_NOT_COMPILE* || $output == *INCLUDES_OTHER_FILES* ]] || flunk "$output"
    [[ $output != *echo_* ]] || flunk "$output"
}

@test "solution: does a check tell in a sentence that it reads another file?" {
    echo '#include "../demos/echo/echo_busypoll.c"' | submit accept
    exercise check accept
    is "$status" 1
    says 'INCLUDES_OTHER_FILES: accept.c includes ../demos/echo/echo_busypoll.c, which is not part of the task'
}

@test "solution: is no line of another file quoted, whatever the compiler says?" {
    only_in plain long
    printf 'int Sesame = ;\n' >"$T/cave.c"
    for trick in '#line 1 "%s"\nint x = ;' '#include "%s"\n#error no' 'int x\n#include "%s"\n#error no' '#include "%s"\n#include "none.h"' \
        '# 1 "%s" 3\n#warning what\nint x = y;' 'int x;\n# 1 "%s"\nchar x;\n# 1 "accept.c"\nfloat x;'; do
        # shellcheck disable=SC2059 # the formats are ours
        printf "$trick\n" "$T/cave.c" | submit accept
        exercise check accept
        is "$status" 1
        [[ $output$stderr != *Sesame* ]] || flunk "$trick: $output$stderr"
    done
}

@test "solution: is a program shown nothing of the grader's environment?" {
    only_in plain long
    export WB_SECRET=Sesame
    finds CRASH <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
int main(void)
{
    for (char **e = environ; *e; e++)
        if (strstr(*e, "WB_SECRET"))
            printf("%s ", *e);
    puts("that was all");
    fflush(stdout);
    abort();
}
END
    says 'that was all'
    finds INCLUDES_OTHER_FILES /proc/self/environ <<<'#include "/proc/self/environ"'
}

@test "solution: is what is no plain file, or too large, left alone?" {
    only_in plain long
    mkdir -p "$T/handed_in"
    echo 'int Sesame = ;' >"$T/cave.c"
    cd "$T/handed_in"
    ln -s "$T/cave.c" accept.c
    found NOT_A_FILE 'accept.c is a link'
    ln -sf nowhere accept.c
    found NOT_A_FILE
    rm accept.c
    mkfifo accept.c
    found NOT_A_FILE
    rm accept.c
    mkdir accept.c
    found NOT_A_FILE
    rmdir accept.c
    ln -s /dev/zero accept.c
    found NOT_A_FILE
    rm accept.c
    truncate -s 5G accept.c
    found TOO_LARGE 'larger than 1 MiB'
    [ "$(du -k "$T" | tail -n 1 | cut -f 1)" -lt 100000 ] || flunk 'it was copied'
    exercise grade "$T" --only accept
    is "$(grep -o '^"handed_in".*TOO_LARGE' <<<"$output")" '"handed_in",0,'"$(worth accept)"',0,TOO_LARGE'
}

# --- Names ----------------------------------------------------------------------------

# Names as people have them, and as those who mean harm give them.
nasty_names=('Jane Doe' 'a;touch x;b' '$(touch y)' '`touch z`' "O'Brien \"the\" Boss" '-x' 'a\tb' '%s%n' 'a&b|c' '*' 'Zoë' $'two\nlines' '=1+1' '$HOME' 'a=b' '#' '~')

# some_nasty_names COUNT COUNT: sets nasty, in the tiers quick and plain to so many.
some_nasty_names() {
    mapfile -t chosen < <(sample 'names of submissions' "$@" "${!nasty_names[@]}")
    nasty=()
    for i in "${chosen[@]}"; do
        nasty+=("${nasty_names[i]}")
    done
}

@test "names: may folders and files that are named have any name?" {
    only_in plain long
    some_nasty_names 2 5
    mkdir "$T/here"
    cd "$T/here"
    for name in "${nasty[@]}"; do
        mkdir -p "./$name"
        section classify 'wrong EALREADY_FATAL under way is a failure' >"./$name/classify.c"
        run --separate-stderr "$root/scripts/exercise" check --all --only classify --dir "$name" --output "./$name/results" --format records
        is "$name $status: $stderr" "$name 1: "
        grep -q EALREADY_FATAL "./$name/results"
    done
    is "$(find . -type f -exec echo \; | wc -l)" $((2 * ${#nasty[@]}))
    mkdir -p ./-x
    run --separate-stderr "$root/scripts/exercise" grade --only back_off -- -x
    is "$status: $output" '0: submission,points,of,back_off,back_off mistakes,seed,containment,judge'
}

@test "names: may one's practice have any name, in every command?" {
    only_in plain long
    mkdir "$T/here"
    cd "$T/here"
    for name in "Jane Doe's \\t; touch x" $'-%s \n`touch y` & "*"'; do
        export WB_PRACTICE=$name
        do_it() {
            run --separate-stderr "$root/scripts/exercise" "$@"
        }
        do_it start accept
        is "$status: $stderr" '0: '
        do_it check accept
        is "$status: $stderr" '1: '
        says ACCEPTED_BLOCKING
        # What it says can be typed, if not here: sh splits it into words.
        by_hand=$(sed -n '/^See it by hand/,/^Next/p' <<<"$output" | sed '1d;$d')
        is "$(sh -c "set -- ${by_hand%% --stop-after*}; printf '%s.' \"\$#\" \"\$1\"")" "1.$T/here/$name/bin/accept."
        section classify reference >"./$name/classify.c"
        do_it check classify
        is "$status: $stderr" '0: '
        sed 's/PENDING/pending/' "./$name/classify.c" >"$T/changed.c"
        cp "$T/changed.c" "./$name/classify.c"
        do_it diff classify
        [[ $output == "--- yours: $T/here/$name/classify.c"$'\n''+++ ours: common/answer.c'* ]] || flunk "$output"
        do_it reset classify
        cmp "$T/changed.c" "./$name/backup/classify.c.1"
        do_it status
        [[ $output == *"0 of $(every_exercise | wc -l) passed" ]] || flunk "$output"
        do_it hint accept
        is "$status: $stderr" '0: '
        launch watch "$root/scripts/exercise" watch accept
        wait_for watch.out ACCEPTED_BLOCKING
        stop watch
    done
    is "$(find . -maxdepth 1 -exec echo \; | wc -l)" 3
}

@test "names: may the checkout and the temporary folder have any name?" {
    only_in long
    own_checkout "$T/Jane Doe's \$(touch x) & \\copy"
    # Some of it has to be built there.
    rm -f "$its_judge" "$copy"/build/judge/assembler "$copy"/build/judge/sanitizer
    mkdir "$T/my tmp's" "$T/here"
    cd "$T/here"
    export TMPDIR="$T/my tmp's"
    section partial_send reference | submit partial_send
    there check partial_send --full
    [ "$status: $stderr" = '0: ' ] || flunk "$output$stderr"
    says 'the tests of demos/send/send_all.c' ', 0 failed'
    there check accept
    is "$status: $stderr" '1: '
    says ACCEPTED_BLOCKING
    mkdir -p "$T/class/Jane Doe"
    section classify reference >"$T/class/Jane Doe/classify.c"
    there grade "$T/class" --only classify
    is "$status: $stderr ${lines[1]%,*,*,*}" '0: Jane Doe: classify.c "Jane Doe",10,10,10,'
    there doctor
    is "$status: $stderr" '0: '
    is "$(find "$T/here" "$TMPDIR" -mindepth 1)" ''
}

# --- For the one who learns -------------------------------------------------------

@test "exercise: are there three hints, each with the former ones?" {
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 1
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 2
    exercise hint epoll
    is "$(grep -c '^[0-9]\. ' <<<"$output")" 3
    says 'That was the last hint'
}

@test "exercise: does a reset keep what there was?" {
    only_in plain long
    echo mine | submit accept
    exercise reset accept
    is "$status" 0
    is "$(cat "$T/practice/backup/accept.c.1")" mine
    grep -q TODO "$T/practice/accept.c"
    echo mine again | submit accept
    exercise reset accept
    is "$(cat "$T/practice/backup/accept.c.2")" 'mine again'
    exercise reset --all
    is "$(basename -s .c "$T"/practice/*.c)" "$(every_exercise)"
    # Each is a program with a hole in it, under its task.
    for file in "$T"/practice/*.c; do
        is "$(basename "$file") $(sed -n 1p "$file")" "$(basename "$file") /* SPDX-License-Identifier: MIT */"
        is "$(basename "$file") $(sed -n 2,30p "$file" | grep -c '^ \*/$')" "$(basename "$file") 1"
        grep -q TODO "$file" || flunk "nothing is to be done in $file"
        [ "$(sed '1,/^ \*\//d' "$file" | grep -c ';')" -gt 15 ] || flunk "$file is no program"
    done
}

@test "exercise: does a comparison leave out the header, and no line of code?" {
    only_in plain long
    exercise start classify
    section classify reference | sed '1d' | tee "$T/without.c" | sed '1i/* SPDX-License-Identifier: MIT */\n/*\n * mine\n */' | submit classify
    exercise check classify
    is "$status" 0
    exercise diff classify
    is "$status: $output" '0: '
    # One without any header at all, and one whose code begins in the same line.
    submit classify <"$T/without.c"
    exercise diff classify
    is "$status: $output" '0: '
    { printf '/* mine\n */ ' && cat "$T/without.c"; } | submit classify
    exercise diff classify
    is "$(grep -c '^[-+] *#include' <<<"$output")" 2
}

@test "exercise: does watch see that a file was saved?" {
    only_in plain long
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
    exercise check classify nothing
    is "$status: $output" '2: '
    exercise check classify "$T/classify.c"
    is "$status: $output" '2: '
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
    says 'All is well.'
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
    only_in plain long
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
        LC_ALL=C awk -v format="$1" -v date=2026-01-01T00:00:00Z -f "$root/scripts/exercises/results.awk" "$T/records" >"$T/$1"
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

# Those that are here, one a line.
awks() {
    for awk in awk mawk gawk 'busybox awk' original-awk; do
        # shellcheck disable=SC2086 # words on purpose
        ! command $awk 'BEGIN { exit }' 2>/dev/null || echo "$awk"
    done
}

# A message with all that may go wrong, and what stands for it: what is not
# UTF-8, not allowed in XML, or a control character becomes a question mark.
nasty_text=$'\\ " \' <&> # \e \x80 \xc3 \xc0\xaf \xed\xa0\x80 \xef\xbf\xbf \xf4\x90\x80\x80 \xf0\x9f \x7f ü \xf0\x9f\x98\x80 %s \\n end\xc3'
good_text=$'? ? ? ?? ??? ??? ???? ?? ? ü \xf0\x9f\x98\x80 %s'

@test "results: are bytes that no format can hold replaced, and are marks escaped, by every awk?" {
    only_in plain long
    printf 'accept\tsilent\tone # two \\ <\tfail\tCRASH\t0\t3\t0.100\t%s\n' "$nasty_text" >"$T/nasty.records"
    while IFS= read -r awk; do
        in_format() {
            # shellcheck disable=SC2086 # words on purpose
            env LC_ALL=C CLASSROOM='a\tb "c"' OWNER=$'Zo\xeb' SUBMISSION_TAG='' "${@:2}" $awk -v format="$1" -v date=today \
                -f "$root/scripts/exercises/results.awk" "$T/nasty.records" >"$T/nasty.$1"
        }
        json='"CRASH: \\ \" '"' <&> # $good_text"' \\n end?"'
        xml='"CRASH: \ &quot; '"' &lt;&amp;&gt; # $good_text"' \n end?"'
        in_format tap
        is "$awk: $(sed -n '3p;5p' "$T/nasty.tap")" "$awk: not ok 1 - accept: one \\# two \\\\ <"$'\n'"  message: $json"
        in_format junit
        is "$awk: $(grep -o 'message=.*"' "$T/nasty.junit")" "$awk: message=$xml"
        in_format gradescope
        is "$awk: $(grep -o '"output": .*, "output_format' "$T/nasty.gradescope")" "$awk: \"output\": $json, \"output_format"
        in_format classroom50
        is "$awk: $(grep -o '"message": .*}' "$T/nasty.classroom50")" "$awk: \"message\": $json}"
        is "$awk: $(sed -n 3p "$T/nasty.classroom50")" "$awk:   \"classroom\": \"a\\\\tb \\\"c\\\"\","
        is "$awk: $(grep -a owner "$T/nasty.classroom50")" "$awk:   \"owner\": \"Zo?\","
        in_format csv STUDENT="$nasty_text"$'\nx' EXERCISES=accept
        is "$awk: $(cat "$T/nasty.csv")" "$awk: \"\\ \"\" ' <&> # $good_text \\n end?"$'\nx",0,3,0,CRASH,,,'
        parses xml "$T/nasty.junit"
        parses json "$T/nasty.gradescope"
        parses json "$T/nasty.classroom50"
    done < <(awks)
}

@test "results: may a program print what it likes?" {
    only_in plain long
    mkdir -p "$T/handed_in"
    printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void)\n{\n    fputs("%s\\n", stdout);\n    fflush(stdout);\n    abort();\n}\n' \
        "$(printf '%s' "$nasty_text" | od -An -v -t o1 | tr -d '\n' | tr ' ' '\\')" >"$T/handed_in/accept.c"
    for format in gradescope classroom50 junit tap; do
        exercise check --all --dir "$T/handed_in" --only accept --format "$format" --output "$T/nasty.$format"
        parses "${format/junit/xml}" "$T/nasty.$format"
        is "$format $(LC_ALL=C grep -c '[^ -~]' "$T/nasty.$format")" "$format $(LC_ALL=C grep -c $'\xf0\x9f\x98\x80' "$T/nasty.$format")"
        LC_ALL=C grep -q '# ? ? ? ?? ??? ' "$T/nasty.$format"
    done
    # A terminal gets no more of it.
    submit accept <"$T/handed_in/accept.c"
    exercise check accept
    is "$(LC_ALL=C grep -c $'\e\|\xc3 \|\x7f' <<<"$output")" 0
    # One long word of characters of two bytes is cut between two of them.
    for before in '' x; do
        printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void)\n{\n    printf("%s");\n    for (int i = 0; i < 900; i++)\n        printf("\\303\\274");\n    fflush(stdout);\n    abort();\n}\n' \
            "$before" >"$T/handed_in/accept.c"
        exercise check --all --dir "$T/handed_in" --only accept --format records
        says "'${before}üüü" "ü'"
    done
}

@test "results: do they go to the end of a log?" {
    mkdir -p "$T/handed_in"
    echo before >"$T/log"
    WB_PRACTICE="$T/practice" "$root/scripts/exercise" check --all --dir "$T/handed_in" --only accept >>"$T/log" || true
    is "$(head -n 1 "$T/log")" before
    is "$(tail -n 1 "$T/log")" "points: 0 of $(worth accept)"
    # With --output they replace what the file had.
    exercise check --all --dir "$T/handed_in" --only accept --output "$T/log"
    is "$(grep -c -e before -e '^points' "$T/log")" 1
}

@test "results: is Gradescope told how long it took, and not the sum of checks made side by side?" {
    printf 'accept\tcheck%d\ttitle\tpass\t-\t1\t1\t99.0\t\t1\tnone\t1.1\n' 1 2 |
        awk -v format=gradescope -v wall=7 -f "$root/scripts/exercises/results.awk" >"$T/result"
    grep -qx '  "execution_time": 7,' "$T/result"
    mkdir -p "$T/handed_in"
    began=$(date +%s)
    exercise check --all --dir "$T/handed_in" --only accept --format gradescope
    [[ $output == *'"execution_time": '* ]]
    took=${output#*'"execution_time": '}
    holds "${took%%,*} >= 0 && ${took%%,*} <= $(($(date +%s) - began))"
}

@test "results: is the exit status what the platform wants?" {
    only_in plain long
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

# --- The exercises prove themselves -------------------------------------------------

# proves NAME: what a student begins with, a comment alone, and some of the right
# and wrong programs get the verdict that they are to get.
proves() {
    [ -z "${SANITIZE:-}" ] || skip 'the programs are under the sanitizers in any case'
    mapfile -t right < <(grep -o '^=== right .*' "$root/scripts/exercises/$1.ex" | cut -c 5-)
    mapfile -t wrong < <(grep -o '^=== wrong .*' "$root/scripts/exercises/$1.ex" | cut -c 5-)
    [ "${#right[@]}" -ge 2 ] || flunk "$1.ex has ${#right[@]} right programs; write at least 2"
    [ "${#wrong[@]}" -ge 6 ] || flunk "$1.ex has ${#wrong[@]} wrong programs; write at least 6"
    mapfile -t tried < <(
        sample "right programs of an exercise" 1 1 reference "${right[@]}"
        printf '%s\n' stub 'a comment alone'
        sample "wrong programs of an exercise" 1 1 "${wrong[@]}"
    )
    exercise prove "${tried[@]/#/$1: }"
    [ "$status" -eq 0 ] || flunk "$stderr$(grep -A 30 '^not ok' <<<"$output")"
    is "$output" "$(printf 'ok %s\n' "${tried[@]/#/$1: }")"
}

# proves_part PART PARTS: every PARTS-th exercise, from PART on, so that the parts
# can run at the same time.
proves_part() {
    local name
    for name in $(every_exercise | awk -v part="$1" -v parts="$2" 'NR % parts == part % parts'); do
        proves "$name"
    done
}

@test "exercises: is every wrong program named, and no right one? Part 1 of 7" { only_in plain long; proves_part 1 7; }
@test "exercises: is every wrong program named, and no right one? Part 2 of 7" { only_in plain long; proves_part 2 7; }
@test "exercises: is every wrong program named, and no right one? Part 3 of 7" { only_in plain long; proves_part 3 7; }
@test "exercises: is every wrong program named, and no right one? Part 4 of 7" { only_in plain long; proves_part 4 7; }
@test "exercises: is every wrong program named, and no right one? Part 5 of 7" { only_in plain long; proves_part 5 7; }
@test "exercises: is every wrong program named, and no right one? Part 6 of 7" { only_in plain long; proves_part 6 7; }
@test "exercises: is every wrong program named, and no right one? Part 7 of 7" { only_in plain long; proves_part 7 7; }

@test "exercises: can single programs be proved, as the output names them?" {
    exercise prove 'classify: right if after if' 'accept: a comment alone' 'classify: a comment alone' 'classify: wrong what there is not'
    is "$status" 1
    is "$(grep -o '^\(not \)\?ok [^:]*: [^:]*' <<<"$output")" 'ok classify: right if after if
ok classify: a comment alone
not ok classify: wrong what there is not
ok accept: a comment alone'
    exercise prove 'nothing: reference'
    is "$status" 2
}

@test "exercises: where the source is no solution, do all programs begin with the section that is one?" {
    local program
    ! grep -q '/msg ' "$root/demos/chat/chat_server.c" || flunk 'the source is a solution now'
    for program in reference stub 'right cuts a copy of the line in two' 'wrong MESSAGE_LOST not to oneself'; do
        section direct_message "$program" >"$T/assembled.c"
        is "$(grep -c 'strncmp(line, "/msg "' "$T/assembled.c")" 1
        is "$(grep -c '^static void message(' "$T/assembled.c")" 1
    done
    section direct_message stub | submit direct_message
    exercise diff direct_message --spoil
    is "${lines[1]}" '+++ ours: scripts/exercises/direct_message.ex'
    exercise prove 'direct_message: reference'
    is "$output" 'ok direct_message: reference'
}

@test "exercises: is one that the judge does not know no proof?" {
    only_in plain long
    own_checkout "$T/copy"
    sed 's/^=== right .*/=== right after all/; /^=== wrong/,$d' "$copy/scripts/exercises/classify.ex" >"$copy/scripts/exercises/unknown.ex"
    sed 's/classify/unknown/' "$copy/docs/exercises/classify.md" >"$copy/docs/exercises/unknown.md"
    there prove unknown
    is "$status" 1
    # All of it was tried.
    is "$(grep -o '^\(not \)\?ok [^:]*: [^:]*' <<<"$output")" "not ok unknown: reference
$(sed -n 's/^=== /not ok unknown: /p' "$copy/scripts/exercises/unknown.ex")
ok unknown: a comment alone"
    grep -q '^not ok unknown: reference: expected none, found exit status 2 of the judge$' <<<"$output" || flunk "$output"
    grep -q '^not ok unknown: stub: ' <<<"$output" || flunk "$output"
}

@test "exercises: is a proof no better than its judge?" {
    only_in plain long
    own_checkout "$T/copy"
    mv "$its_judge" "$its_judge.real"
    printf '#!/bin/sh\n[ "$1" != --list ] || exec "$0.real" "$@"\nwhile [ $# -gt 0 ]; do [ "$1" != --record ] || record=$2; shift; done\npass() { printf "classify\\t$1\\t-\\tpass\\t-\\t1\\t1\\t0\\t\\n" >>"$record"; }\n. "$0.does"\n' >"$its_judge"
    chmod +x "$its_judge"
    all=$("$its_judge.real" --list classify | cut -f 1 | tr '\n' ' ')
    # judged EXPECTED WHAT-IT-DOES: of the reference.
    judged() {
        echo "$2" >"$its_judge.does"
        there prove 'classify: reference'
        is "$status" 1
        grep -q "^not ok classify: reference: expected none, found $1\$" <<<"$output" || flunk "$2: $output"
    }
    judged 'no record of .*' 'exit 0'
    judged "no record of send connect accept counters" 'pass recv'
    judged 'exit status 1 of the judge without a mistake' "for i in $all; do pass \$i; done; exit 1"
    judged 'exit status 3 of the judge' "for i in $all; do pass \$i; done; exit 3"
    judged 'exit status 139 of the judge' 'kill -SEGV $$'
    judged 'an error: cannot' 'printf "classify\trecv\t-\terror\t-\t0\t1\t0\tcannot\n" >>"$record"; exit 1'
    judged 'exit status 0 of the judge in spite of CRASH' 'printf "classify\trecv\t-\tfail\tCRASH\t0\t1\t0\t-\n" >>"$record"; exit 0'
    # A skeleton that passes is none.
    echo "for i in $all; do pass \$i; done; exit 0" >"$its_judge.does"
    there prove 'classify: reference' 'classify: stub'
    is "$status" 1
    grep -q '^ok classify: reference' <<<"$output" || flunk "$output"
    grep -q '^not ok classify: stub: expected a mistake, found none' <<<"$output" || flunk "$output"
}

@test "exercises: do a hundred checks of one program all say the same?" {
    section framing reference | submit framing
    exercise check framing
    mv "$T/practice/bin/framing" "$T/right"
    section framing 'wrong CRASH a line fits, whatever its length' | submit framing
    exercise check framing
    mv "$T/practice/bin/framing" "$T/wrong"
    rounds=$(how_many 'rounds of the same check, twice' 1 5 50)
    for ((i = 0; i < rounds; i++)); do
        "$build/judge/judge" framing "$T/right" >>"$T/right.out" || flunk "round $i: $(cat "$T/right.out")"
        "$build/judge/judge" --record "$T/record" --only endless framing "$T/wrong" >/dev/null && flunk "round $i"
    done
    is "$(cut -f 5 "$T/record" | sort | uniq -c | sed 's/^ *//')" "$rounds CRASH"
}

# of_cohort WORD EXERCISE: the solution, with the words of that cohort.
of_cohort() {
    awk -v section=reference -v cohort="$(printf %s "$1" | cksum | cut -d ' ' -f 1)" \
        -f "$root/scripts/exercises/assemble.awk" "$root/scripts/exercises/$2.ex" \
        "$root/$(sed -n 's/^source //p' "$root/scripts/exercises/$2.ex")"
}

@test "cohorts: does a solution pass in its own, and fail by name in another one and without any?" {
    only_in plain long
    of_cohort spring27 half_close | submit half_close
    exercise check half_close --cohort spring27
    is "$status: $stderr" '0: '
    exercise check half_close --cohort autumn26
    is "$status" 1
    says 'WORD_NOT_KEPT: ' "Instead of '" "was told '"
    exercise check half_close
    is "$status" 1
    says 'WORD_NOT_KEPT: ' "Instead of 'Goodbye.', guest A was told '"
    mkdir -p "$T/class/Jane Doe"
    cp "$T/practice/half_close.c" "$T/class/Jane Doe"
    exercise grade "$T/class" --only half_close --cohort spring27
    says '"Jane Doe",12,12,12,'
}

@test "cohorts: does the file in practice do what the option does, in the task as well?" {
    mkdir -p "$T/practice"
    exercise start in_time --cohort spring27
    mv "$T/practice/in_time.c" "$T/option.c"
    grep -q '"Too late' "$T/option.c" && flunk 'these are the usual words'
    echo spring27 >"$T/practice/.cohort"
    exercise start in_time
    cmp "$T/option.c" "$T/practice/in_time.c"
    words=$(sed -n 's/^static const char farewell.*"\(.*\)\\n";/\1/p' "$T/option.c")
    grep -q "^ \* \"$words\"" "$T/option.c" || flunk "the task does not have the words: $words"
    says "$words"
    rm "$T/practice/.cohort" "$T/practice/in_time.c"
    WB_COHORT=spring27 exercise start in_time
    cmp "$T/option.c" "$T/practice/in_time.c"
    exercise reset in_time
    grep -q '"Too late' "$T/practice/in_time.c"
}

@test "cohorts: do all the usual words of an exercise stand in its program and in its task?" {
    cd "$root"
    grep -l '^vary' scripts/exercises/*.ex >"$T/varied"
    [ "$(wc -l <"$T/varied")" -ge 4 ]
    while read -r parts; do
        name=$(basename "$parts" .ex)
        sed -n 's/^vary\t\([^\t]*\).*/\1/p' "$parts" >"$T/usual"
        section "$name" reference >"$T/program"
        of_cohort any "$name" >"$T/other"
        while IFS= read -r usual; do
            grep -qF -e "$usual" "$T/program" || flunk "$name does not say: $usual"
            grep -qF -e "$usual" "docs/exercises/$name.md" || flunk "the card of $name does not say: $usual"
            ! grep -qF -e "$usual" "$T/other" || flunk "$name says in a cohort: $usual"
        done <"$T/usual"
    done <"$T/varied"
}

@test "exercises: has each its card, with a task and three hints, and its place in the list?" {
    cd "$root"
    list=docs/exercises/README.md
    agree 'the table of '$list "$(sed -n 's/^| \[`\([a-z_]*\)`\](\1\.md) |.*/\1/p' $list)" \
        scripts/exercises "$(every_exercise)" \
        "the table has a line '| [\`NAME\`](NAME.md) | lesson | what it is about |' for each scripts/exercises/NAME.ex"
    for name in $(every_exercise); do
        card=docs/exercises/$name.md
        [ -f "$card" ] || flunk "there is no $card: write it, like the others in that folder"
        is "$(sed -n 's/.*cut from `\(.*\)`$/\1/p' "$card")" "$(sed -n 's/^source //p' "scripts/exercises/$name.ex")" ||
            flunk "What to do: $card and scripts/exercises/$name.ex name the same source"
        is "$(sed -n 's/^Lesson \([0-9]*\).*/\1/p' "$card")" \
            "$(sed -n "s/^| \[\`$name\`\].*| \([0-9]*\) |.*/\1/p" $list)" ||
            flunk "What to do: $card and $list name the same lesson for $name"
        is "$(sed -n '/^## Hints/,/^## /p' "$card" | grep -c '^[0-9]\. ')" 3 || flunk "$card needs three hints"
        grep -q '^## Task$' "$card" || flunk "$card has no heading '## Task'"
        judge --list "$name"
        [ "$status" -eq 0 ] || flunk "the judge has no checks for $name: add them to scripts/judge/checks_*.c"
    done
}

@test "exercises: is the table of mistakes the judge's?" {
    is "$(grep '^| `' "$root/docs/exercises/mistakes.md")" "$("$build/judge/judge" --mistakes)" ||
        flunk "What to do: put what 'build/judge/judge --mistakes' prints into docs/exercises/mistakes.md"
}

@test "exercises: can what is to be seen by hand be typed?" {
    cd "$root"
    # What 'make' builds, and nothing that only the tests build.
    make -n -B all BUILD=build SANITIZE= | grep -oE -e '-o build/[a-z]+/[a-z_]+ ' | cut -d ' ' -f 2 >"$T/built"
    for parts in scripts/exercises/*.ex; do
        "$build/judge/judge" --list "$(basename "$parts" .ex)" | cut -f 4 >"$T/by_hand"
        while read -r command; do
            sh -n -c "$command" || flunk "$parts: sh does not understand this command to be typed: $command"
            # bash uses the numbers of jobs again.
            [[ ! $command =~ %[0-9] ]] || flunk "$parts: this command to be typed names a job by its number: $command"
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
    only_in plain long
    cd "$root"
    exercise check accept
    cp "$T/practice/bin/accept" "$T/accept"
    command=$("$build/judge/judge" --list accept | sed -n 's/^silent\t.*\t//p')
    # With a port of its own, which is free now and very likely in a moment.
    serve other echo_blocking
    stop other
    run timeout 30 bash -c "$(sed "s|PROGRAM|$T/accept|; s|8080|$port|g; s|build/|$build/|g; s|20s|6s|; s|9s|5s|" <<<"$command")" 3>&- 4>&-
    says 'stopped by --stop-after after waiting'
}
