#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # code for the stubs, expanded when they run
# The other scripts: the pairs, the tests' own command, and how a machine that
# lacks the tools gets them.

load helpers

@test "pairs: does each differ by no more than its idea?" {
    run "$root/scripts/pair" --check
    is "$status: $output" '0: ' ||
        flunk 'What to do: make the two programs more alike, or, if the idea needs it, raise the limits in demos/pairs'
}

# A tree of one's own, to spoil it.
copy_tree() {
    mkdir "$T/tree"
    cp -R "$root/demos" "$root/scripts" "$T/tree"
    mkdir "$T/tree/tests"
    # Written this way round, it is no test of this file.
    printf '@%s\n' 'test "one" { true; }' >"$T/tree/tests/one.bats"
}

@test "pairs: is one that breaks its limits named?" {
    copy_tree
    sed -i 's/instant began = now/instant  began = now/' "$T/tree/demos/connect/connect_blocking.c"
    run "$T/tree/scripts/pair" --check
    is "$status" 1
    [[ ${#lines[@]} -eq 1 && $output == 'connect_blocking -> connect_nonblocking: 3 removed (at most 2)'* ]] || flunk "$output"
}

@test "pairs: is what differs shown, and nothing else?" {
    run --separate-stderr "$root/scripts/pair" send_blocking send_once
    is "$status: $stderr" '0: '
    is "${lines[0]}${lines[1]}${lines[2]}" '--- send_blocking+++ send_once+/* Set O_NONBLOCK, and leave the other flags as they are. */'
    [[ $output != *'Shows'* && $output != *'#include'* && $output != *$'\033'* ]]
    run --separate-stderr "$root/scripts/pair" send_blocking no_such_program
    is "$status: $stderr" "1: pair: there is no program 'no_such_program' in demos/"
    run --separate-stderr "$root/scripts/pair" send_blocking
    is "$status" 2
}

# --- What they say about themselves --------------------------------------------

every_script() {
    find "$root/scripts" -maxdepth 1 -type f -perm -100 -exec basename {} \; | sort
}

@test "help: has that of every script the same sections, in order and in 80 columns?" {
    cd "$root"
    for name in $(every_script); do
        script=scripts/$name
        run --separate-stderr "$script" --help
        is "$name $status: $stderr" "$name 0: "
        [[ ${lines[0]} =~ ^$name\ -\ .*[.?]$ ]] || flunk "${lines[0]}"
        [[ ${lines[1]} == "Usage: $script"* ]] || flunk "${lines[1]}"
        is "$name: $(grep -oE '^[A-Z][a-z ]+:' <<<"$output" | grep -v -e Environment -e Files | tr '\n' ' ')" \
            "$name: Usage: Options: Output: Exit status: Examples: See also: "
        grep -q -e '^Environment:' -e '^Files:' <<<"$output" || flunk "$name --help has neither a section Environment nor a section Files"
        is "$name: $(awk 'length > 80' <<<"$output")" "$name: "
        for code in 0 1 2; do
            grep -q "^  $code   [a-z]" <<<"$output" || flunk "$name does not tell about status $code"
        done
    done
}

# options_of NAME: what scripts/NAME, or the program that it hands them to, takes.
options_of() {
    if [ "$1" = timeline ]; then
        sed -n 's/^    {"\([a-z-]*\)", .*/--\1/p' scripts/tracer/draw/timeline.c | grep -v -x -e --page -e --colour -e --latest
        echo --help
    else
        sed -n 's/^ *\(--[a-z][-a-z |]*\)).*/\1/p' "scripts/$1" | tr -s ' |' '\n' | grep -e '^--'
    fi
}

@test "help: does it name all options and no others, examples that are there, and status 2?" {
    cd "$root"
    for name in $(every_script); do
        run --separate-stderr "scripts/$name" --help
        # Those that the script looks out for, or the program behind it; --side is
        # between demo and its panes.
        agree "scripts/$name --help" "$(grep -o '^  --[a-z-]*' <<<"$output" | tr -d ' ' | sort -u)" \
            "the 'case' of scripts/$name" "$(options_of "$name" | grep -v -x -e --side | sort -u)" \
            "the header comment of scripts/$name, which is its help, names every option that it takes"
        sed -n '/^Examples:/,/^$/p' <<<"$output" | grep -o 'scripts/[a-z]* ' | tr -d ' ' | sort -u >"$T/named"
        sed -n '/^See also:/,$p' <<<"$output" | grep -oE '[A-Za-z./]+/[A-Za-z./]+|README.md' >>"$T/named"
        while read -r file; do
            [ -e "$file" ] || flunk "scripts/$name --help names $file, which is not there"
        done <"$T/named"
        run --separate-stderr "scripts/$name" --nonsense
        is "$name $status: $output" "$name 2: "
        # timeline leaves its options to a program, which has its own name.
        [[ $stderr == "$name: "*"Try '"*"$name --help'." ]] || flunk "$stderr"
    done
}

# --- scripts/scale -----------------------------------------------------------

@test "scale: does it call a tie a tie?" {
    {
        printf '# a machine\nserver\n'
        for row in '10 51 53' '20 53 51' '100 30 60' '1000 90 30'; do
            read -r count busy epoll <<<"$row"
            printf 'busypoll\t%d\t1\t9\t%d\t9\t1.0\t0.1\t1.0\n' "$count" "$busy"
            printf 'epoll\t%d\t1\t9\t%d\t9\t1.0\t0.1\t1.0\n' "$count" "$epoll"
        done
    } >"$T/numbers.tsv"
    run "$root/scripts/scale" --from "$T/numbers.tsv" --svg "$T/it.svg"
    is "$status" 0
    is "$(sed -n 's/^With \([0-9]*\) .* epoll: /\1 /p' <<<"$output")" \
        $'10 that is a tie.\n20 that is a tie.\n100 it wins.\n1000 it loses.'
}

@test "scale: are all servers measured, shown, written and drawn, from one run?" {
    only_in plain long
    run --separate-stderr timeout 60 "$root/scripts/scale" --connections '4 20' --time 200ms \
        --tsv "$T/out.tsv" --svg "$T/out.svg"
    is "$status: $stderr" '0: '
    # Four servers, at two numbers of connections, with one and with all active.
    is "$(tail -n +3 "$T/out.tsv" | wc -l)" 16
    is "$(awk -F '\t' 'NR > 1 && NF != 9' "$T/out.tsv")" ''
    tail -n +3 "$T/out.tsv" | while IFS=$'\t' read -r name count active trips p50 _; do
        # What is in the file stands in the table.
        grep -q "^$name  *$count  *$active  *$trips  *$p50 " <<<"$output" || flunk "the table lacks this line of out.tsv: $name $count $active $trips $p50"
        [ "$trips" -gt 0 ]
    done
    is "$(grep -c '^20 connections: busypoll .* times that of 4\.$' <<<"$output")" 1
    is "$(grep -c 'spinning takes .* times as long as epoll: \(it\|that\) ' <<<"$output")" 2
    is "$(awk 'length > 80' <<<"$output")" ''
    for name in busypoll select poll epoll; do
        # A line in each of the four panels.
        is "$name $(grep -c "<path class='$name'" "$T/out.svg")" "$name 4"
    done
    is "$(head -c 4 "$T/out.svg")$(tail -n 1 "$T/out.svg")" '<svg</svg>'
    ! grep -qi -e nan -e inf "$T/out.svg" || flunk "out.svg has a number that is none: $(grep -i -m 1 -e nan -e inf "$T/out.svg")"
}

@test "scale: are what select cannot do and bad usage told?" {
    only_in plain long
    may_open=$(ulimit -H -n)
    [ "$may_open" = unlimited ] || [ "$may_open" -gt 1200 ] || skip "this machine allows $may_open descriptors only"
    run --separate-stderr timeout 60 "$root/scripts/scale" --connections 1100 --active 1 --time 10ms \
        --tsv "$T/out.tsv" --svg "$T/out.svg"
    is "$status: $stderr" '0: '
    grep -q '^select  *1100 .* skipped: not enough descriptors below 1,024$' <<<"$output"
    run --separate-stderr timeout 60 bash -c "ulimit -n 100; '$root/scripts/scale' --connections '5 500' --active 1 --time 10ms --tsv '$T/out.tsv' --svg '$T/out.svg'"
    is "$status" 0
    grep -q '^500 connections: skipped, this machine allows 100 descriptors' <<<"$output"
    for arguments in --nonsense '--connections many' '--active 0' '--time'; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr "$root/scripts/scale" $arguments
        is "$arguments $status" "$arguments 2"
    done
}

# --- scripts/test ------------------------------------------------------------

# test_command [ARGUMENT]...: sets status, output, stderr.
test_command() {
    run --separate-stderr env -i PATH="$(outer_path)" ${SANITIZE:+SANITIZE=1} "$root/scripts/test" "$@"
}

@test "test: does the last line count, and the status tell?" {
    # Written this way round, they are not tests of this file.
    printf '@%s { %s; }\n' 'test "good"' true 'test "bad"' false 'test "left out"' skip >"$T/some.bats"
    test_command "$T/some.bats"
    is "$status: ${lines[-1]}" '1: 1 passed, 1 failed, 1 skipped'
    sed -i '/bad/d' "$T/some.bats"
    test_command "$T/some.bats"
    is "$status: ${lines[-1]}" '0: 1 passed, 0 failed, 1 skipped'
}

@test "test: can a part be chosen, by name and by what tests are called?" {
    only_in plain long
    for file in 1 2; do
        printf '@%s { true; }\n' 'test "apples"' 'test "pears (2+2?)"' >"$T/$file.bats"
    done
    test_command "$T/1.bats" "$T/2.bats"
    is "$status: ${lines[-1]}" '0: 4 passed, 0 failed'
    test_command --filter '^pears' "$T/1.bats" "$T/2.bats"
    is "$status: ${lines[-1]}" '0: 2 passed, 0 failed'
    test_command --filter 'plums' "$T/1.bats"
    is "$status: $output" '1: '
    test_command plums
    is "$status: $output" '2: '
    test_command --jobs none "$T/1.bats"
    is "$status: $output" '2: '
}

@test "test: is every test of a long file run, once, in whichever part?" {
    for ((i = 0; i < 30; i++)); do
        printf '@%s { echo "$BATS_TEST_DESCRIPTION" >>%q; }\n' "test \"(number) $i? [it's]\"" "$T/ran"
    done >"$T/long.bats"
    test_command "$T/long.bats"
    is "$status: ${lines[-1]}" '0: 30 passed, 0 failed'
    is "${lines[-2]}" 'tier plain: 30 of 30 tests'
    is "${#lines[@]} $(grep -o 'long [123]/3' <<<"$output" | sort | tr '\n' ' ')" '5 long 1/3 long 2/3 long 3/3 '
    is "$(sort "$T/ran" | uniq -c | grep -c '^ *1 (number)')" 30
}

# tiered_file: five tests, of which the tiers leave out some; the last one decides
# after it has begun.
tiered_file() {
    printf 'load %q\n' "$root/tests/helpers"
    printf '@%s {\n    %s\n    echo "$BATS_TEST_DESCRIPTION" >>%q\n}\n' \
        'test "essential"' true "$T/ran" 'test "large (really)"' 'only_in plain long' "$T/ran" \
        'test "huge"' 'only_in long' "$T/ran" 'test "sampled"' "sample letters 1 3 {a..j} >>'$T/sampled'" "$T/ran" \
        'test "late"' 'true; only_in long' "$T/ran"
}

@test "test: does each tier run its tests alone, and say what it leaves out?" {
    tiered_file >"$T/tiers.bats"
    for tier in 'quick:2 of 5 tests; 3 left out, which --long runs:essential sampled ' \
        'plain:3 of 5 tests; 2 left out, which --long runs:essential large (really) sampled ' \
        'long:5 of 5 tests:essential huge large (really) late sampled '; do
        IFS=: read -r name said ran <<<"$tier"
        rm -f "$T/ran"
        option=--$name
        [ "$name" != plain ] || option=''
        test_command ${option:+"$option"} "$T/tiers.bats"
        is "$status: ${lines[-1]}" "0: $(wc -l <"$T/ran") passed, 0 failed" # none is skipped
        is "$(grep '^tier ' <<<"$output")" "tier $name: $said"
        is "$(sort "$T/ran" | tr '\n' ' ')" "$ran"
    done
    # None of them is begun, not even to be left out.
    test_command --quick --filter huge "$T/tiers.bats"
    is "$status: $output" '1: '
    is "$stderr" "test: no test was run: the tier 'quick' leaves out the 1 that match; try --long"
    test_command --seed x "$T/tiers.bats"
    is "$status: $output" '2: '
}

@test "test: is what bats alone runs the plain tier, and what it leaves out no failure?" {
    tiered_file >"$T/tiers.bats"
    run env -i PATH="$(outer_path)" bats --tap "$T/tiers.bats"
    is "$status $(grep -c '^ok ' <<<"$output")" '0 5'
    is "$(grep ' # skip' <<<"$output")" $'ok 3 huge # skip left out: it is for long\nok 5 late # skip left out: it is for long'
    is "$(wc -l <"$T/sampled")" 3
}

@test "test: does a seed choose the same sample twice, and is that printed?" {
    only_in plain long
    tiered_file >"$T/tiers.bats"
    for seed in 7 7 ''; do
        # Without a seed of ours: that which the run before has printed.
        [ -n "$seed" ] || seed=$(sed -n 's/^sampled (--seed \([0-9]*\) .*/\1/p' <<<"$output")
        [ "$seed" != '' ] || flunk "no seed is printed: $output"
        test_command --seed "$seed" "$T/tiers.bats"
        is "$(grep -A 1 '^sampled' <<<"$output")" "sampled (--seed $seed repeats this sample):"$'\n''    tiers: 3 of 10 letters'
    done
    is "$(wc -l <"$T/sampled") $(sort -u "$T/sampled" | wc -l)" '9 3'
    test_command "$T/tiers.bats"
    [[ $output == *'--seed '[0-9]*' repeats this sample'* ]] || flunk "$output"
}

@test "test: does --long leave out nothing of ours?" {
    cd "$root/tests"
    holds "$(grep -c 'only_in [a-z ]*\blong\b' exercises.bats) > 10"
    is "$(grep -nE '(^ *|\{ )only_in ' ./*.bats | grep -v '\blong\b')" ''
    # Where it is the first command, what is left out is not even begun.
    is "$(grep -B 1 '^ *only_in ' [a-z]*.bats | grep -v -e '^--$' -e '^[a-z_.]*: *only_in ' -e '-@test "')" ''
}

@test "sample: is it never empty, always in order, and another one for another seed?" {
    unset WB_SAMPLED # nothing of it is a sample of this run
    for seed in 0 1 2 3 4 5 6 1000000007 1790000000 1790000001 4294967296; do
        for count in 1 10 11; do
            tier=plain WB_SEED=$seed sample letters 1 "$count" {a..j} >"$T/chosen"
            is "seed $seed: $(wc -l <"$T/chosen")" "seed $seed: $((count < 10 ? count : 10))"
            sort -c -u "$T/chosen"
        done
        tier=plain WB_SEED=$seed sample letters 1 3 {a..j} | paste -s -d ' '
    done >"$T/samples"
    holds "$(sort -u "$T/samples" | wc -l) > 5"
    is "$(grep -vc '^[a-j] [a-j] [a-j]$' "$T/samples" || true)" 0
    is "$(grep -o '[a-j]' "$T/samples" | sort -u | tr -d '\n')" abcdefghij # each has its turn
    is "$(tier=long sample letters 1 3 {a..j} | tr -d '\n')" abcdefghij
    is "$(tier=quick sample letters 1 3 {a..j} | wc -l)" 1
    is "$(tier=quick sample 'one word' 1 3 'a b' | wc -l)" 1
    is "$(tier=quick how_many rounds 1 2 3) $(tier=plain how_many rounds 1 2 3) $(tier=long how_many rounds 1 2 3)" '1 2 3'
}

@test "test: does a signal end it, and all the tests that are running?" {
    export WB_MARK=$BATS_TEST_NUMBER.test
    printf '@%s { touch %q; sleep 30; }\n' 'test "long"' "$T/begun" >"$T/long.bats"
    launch run -i PATH="$(outer_path)" WB_MARK="$WB_MARK" ${SANITIZE:+SANITIZE=1} "$root/scripts/test" "$T/long.bats"
    local end=$((SECONDS + patience))
    until [ -e "$T/begun" ]; do
        [ "$SECONDS" -lt "$end" ] || flunk 'the test does not begin'
        sleep 0.02
    done
    stop run
    is "$status" 143
    none_marked "$WB_MARK"
}

@test "test: is a file that does not even start a failure?" {
    printf '@%s {\n' 'test "never ends"' >"$T/broken.bats"
    test_command "$T/broken.bats"
    [ "$status" -ne 0 ]
}

# --- Machines that lack the tools ----------------------------------------------

# A machine with a small path: $1 lists which of cc, make and bats it has, $2
# the package manager. Whatever is called there is written to $T/calls. What
# the manager installs appears.
bare_machine() {
    copy_tree
    rm -rf "$T/path" "$T/calls"
    mkdir "$T/path"
    for tool in sh sed awk grep diff tr cat rm mkdir mkfifo mktemp dirname basename ln chmod date sort; do
        ln -s "$(command -v "$tool")" "$T/path/$tool"
    done
    for tool in $1; do
        appear "$tool"
    done
    stub id 'echo "${WB_UID:-0}"'
    [ -z "$2" ] || stub "$2" 'for package; do
        case $package in
        gcc) ln -sf "$T/stubs/cc" "$T/path/cc" ;;
        make | npm) ln -sf "$T/stubs/$package" "$T/path/$package" ;;
        bats | bats-core)
            [ -z "${WB_NO_BATS:-}" ] || exit 1
            ln -sf "$T/stubs/bats" "$T/path/bats" ;;
        esac
    done'
}

# stub NAME BODY: a command on that machine that notes how it was called.
stub() {
    printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\nT=%s\n%s\n' "$1" "$T" "$T" "$2" >"$T/path/$1"
    chmod +x "$T/path/$1"
}

appear() {
    ln -sf "$T/stubs/$1" "$T/path/$1"
}

# What the tools do once they are there: just enough.
make_stubs() {
    mkdir "$T/stubs"
    printf '#!/bin/sh\nexit 0\n' >"$T/stubs/cc"
    printf '#!/bin/sh\necho "make $*" >>"%s/calls"\n' "$T" >"$T/stubs/make"
    cat >"$T/stubs/bats" <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo "Bats ${WB_BATS_VERSION:-1.8.2}"; exit; }
printf '1..1\nok 1 one\n'
END
    cat >"$T/stubs/npm" <<END
#!/bin/sh
echo "npm \$*" >>"$T/calls"
mkdir -p "$T/tree/build/npm/node_modules/.bin"
sed 's/WB_BATS_VERSION/WB_NPM_BATS_VERSION/' "$T/stubs/bats" >"$T/tree/build/npm/node_modules/.bin/bats"
chmod +x "$T/tree/build/npm/node_modules/.bin/bats"
END
    chmod +x "$T"/stubs/*
}

# there SCRIPT [ARGUMENT]...: run a script on that machine.
there() {
    run --separate-stderr env -u CC PATH="$T/path" sh "$T/tree/scripts/$1" "${@:2}"
}

managers='apt-get:apt-get install -y --no-install-recommends gcc libc6-dev make
dnf:dnf install -y gcc glibc-devel libasan libubsan make
apk:apk add gcc musl-dev make
pacman:pacman -Sy --noconfirm --needed gcc make
zypper:zypper --non-interactive install gcc glibc-devel make
brew:brew install gcc make'

@test "bare machine: does root's package manager get compiler, make and bats, whichever it is?" {
    only_in plain long
    make_stubs
    while IFS=: read -r manager command; do
        bare_machine '' "$manager"
        there test
        is "$manager $status ${lines[-1]}" "$manager 0 1 passed, 0 failed"
        [[ $stderr == 'test: these tools are missing: compiler make bats '*"installing: "*"$command"* ]] || flunk "$stderr"
        is "$(grep -v update "$T/calls" | grep "^$manager" | head -n 1)" "$command"
        # It comes by itself: an old system may lack it.
        is "$(grep -c "^$manager .* bats" "$T/calls")" 1
        rm -rf "$T/tree"
    done <<<"$managers"
}

@test "bare machine: does the image of a grader get compiler and make, and is all of it built?" {
    make_stubs
    # A make that leaves what 'doctor' looks for.
    cat >>"$T/stubs/make" <<END
mkdir -p "$T/tree/build/bin" "$T/tree/build/judge"
echo -fsanitize >"$T/tree/build/judge/sanitizer"
cp "$T/stubs/cc" "$T/tree/build/bin/echo_blocking"
cp "$T/stubs/cc" "$T/tree/build/judge/judge"
END
    bare_machine '' apt-get
    ln -s "$(command -v cp)" "$T/path/cp"
    mkdir -p "$T/grader/source"
    ln -s "$T/tree" "$T/grader/source/wouldblock"
    run --separate-stderr env -u CC -u SANITIZE AUTOGRADER="$T/grader" PATH="$T/path" sh "$T/tree/scripts/graders/setup.sh"
    # This make leaves no judge: so the image is refused when it is tried.
    is "$status $(grep -c '^All is well\.$' <<<"$output")" '1 1'
    [[ $stderr == *'exercise: '* ]] || flunk "$stderr"
    is "$(grep '^apt-get' "$T/calls")" $'apt-get update -q\napt-get install -y --no-install-recommends gcc libc6-dev make'
    grep -q '^make .* all checker$' "$T/calls"
    # Without an installer there is no image.
    rm "$T/path/cc" "$T/path/make" "$T/path/apt-get"
    run --separate-stderr env -u CC -u SANITIZE AUTOGRADER="$T/grader" PATH="$T/path" sh "$T/tree/scripts/graders/setup.sh"
    is "$status" 1
}

@test "bare machine: is nothing installed where nothing is missing?" {
    make_stubs
    bare_machine 'cc make bats' apt-get
    there test
    is "$status: ${lines[-1]}" '0: 1 passed, 0 failed'
    is "$(grep -v -e ^make "$T/calls" || true)" ''
}

@test "bare machine: who is neither root nor has sudo, gets the exact command and status 1" {
    only_in plain long
    make_stubs
    while IFS=: read -r manager command; do
        [ "$manager" != brew ] || continue # which wants no root
        bare_machine '' "$manager"
        for script in demo test; do
            WB_UID=1000 there "$script"
            is "$status: $output" '1: '
            [[ ${stderr_lines[-1]} == "$script: cannot install them without root or sudo; as root, run: "*"$command"* ]] || flunk "$stderr"
        done
        [[ ${stderr_lines[-1]} == *' bats' ]]
        is "$(grep "^$manager" "$T/calls" || true)" '' # and nothing was tried
        rm -rf "$T/tree"
    done <<<"$managers"
}

@test "bare machine: is sudo used by who has it?" {
    make_stubs
    bare_machine 'make bats' apk
    stub sudo '"$@"'
    WB_UID=1000 there test
    is "$status: ${lines[-1]}" '0: 1 passed, 0 failed'
    is "$(grep -v -e ^id -e ^make "$T/calls")" $'sudo apk add gcc musl-dev\napk add gcc musl-dev'
}

@test "bare machine: does bats come from npm where the system has none, or an old one?" {
    make_stubs
    bare_machine 'cc make npm' apt-get
    WB_NO_BATS=1 there test
    is "$status: ${lines[-1]}" '0: 1 passed, 0 failed'
    grep -q '^npm install .*bats@' "$T/calls"
    rm -rf "$T/tree"

    bare_machine 'cc make bats' dnf
    WB_BATS_VERSION=1.2.1 there test
    is "$status: ${lines[-1]}" '0: 1 passed, 0 failed'
    grep -q '^dnf install -y npm$' "$T/calls"
}

@test "bare machine: is the lack of a package manager, or its failure, told with status 1?" {
    make_stubs
    bare_machine 'bats' ''
    there test
    is "$status" 1
    [[ ${stderr_lines[-1]} == 'test: no package manager found ('*'): install these by hand: compiler make'* ]] || flunk "$stderr"
    rm -rf "$T/tree"

    bare_machine 'bats' apk
    stub apk 'exit 3'
    there test
    is "$status" 1
    is "${stderr_lines[-1]}" 'test: still missing after installing: compiler make'
}

@test "test: are tests that were planned and never ran counted as failed?" {
    make_stubs
    bare_machine 'cc make bats' ''
    sed -i 's/1\.\.1/1..3/' "$T/stubs/bats"
    there test
    is "$status: ${lines[-1]}" '1: 1 passed, 2 failed'
}

@test "bare machine: is a build that fails shown?" {
    make_stubs
    bare_machine 'cc bats' ''
    stub make 'echo "the compiler is unhappy"; exit 2'
    there test
    is "$status: $output" '1: '
    [[ $stderr == *'the compiler is unhappy'*'test: the build failed; '* ]] || flunk "$stderr"
}

# --- make --------------------------------------------------------------------

@test "make: are other flags noticed, the sanitizers kept, LDLIBS used, and no foreign folder removed?" {
    unset SANITIZE
    cd "$root"
    library() { make -s -j 2 BUILD="$T/b" "$@" "$T/b/libwouldblock.a" && stat -c %y "$T/b/libwouldblock.a"; }
    first=$(library CFLAGS=-O0)
    is "$(library CFLAGS=-O0)" "$first"
    second=$(library CFLAGS='-O0 -DNOTHING')
    [ "$second" != "$first" ] || flunk 'other CFLAGS, and nothing was built again'
    is "$(library CFLAGS='-O0 -DNOTHING' LDLIBS=)" "$second"

    run make -n SANITIZE=1 CFLAGS=-O0 LDLIBS=-lm BUILD="$T/b" "$T/b/sanitize/bin/sink"
    is "$status" 0
    compiled=$(grep -e ' -c -o ' <<<"$output")
    is "$(grep -v -e '-O0 -fsanitize=address,undefined' <<<"$compiled" || true)" ''
    says "-o $T/b/sanitize/bin/sink" '.a -lm'

    mkdir "$T/mine"
    run make clean BUILD="$T/mine"
    [ "$status" -ne 0 ] && [ -d "$T/mine" ] || flunk 'make clean removed a folder that it had not built'
    says 'was not built by this Makefile: nothing is removed'
    make -s clean BUILD="$T/b"
    [ ! -e "$T/b" ] || flunk 'make clean BUILD=... left it there'
    run make BUILD='a b'
    is "$status" 2
    says "BUILD is 'a b': make cannot build into a folder with a space in its name"
}
