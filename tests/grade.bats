#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2001,SC2016 # words are wanted, and backquotes are text
# For those who grade: what is handed in, grades, reports, and the graders of the
# learning platforms.

load helpers

exercise() {
    run --separate-stderr env WB_PRACTICE="$T/practice" "$root/scripts/exercise" "$@"
}

# section EXERCISE SECTION: a program out of the exercise's parts.
section() {
    awk -v section="$2" -f "$root/scripts/exercises/assemble.awk" "$root/scripts/exercises/$1.ex" \
        "$root/$(sed -n 's/^source //p' "$root/scripts/exercises/$1.ex")"
}

# own_checkout FOLDER: a copy of this repository, built, to be spoilt; sets copy.
own_checkout() {
    copy=$1
    mkdir -p "$copy"
    cp -Rp "$root/Makefile" "$root/README.md" "$root/common" "$root/demos" "$root/docs" "$root/scripts" "$root/tests" "$copy"
    cp -Rp "$root/build" "$copy"
}

# parses FORMAT FILE: as JSON, with whatever is here to tell.
parses() {
    if command -v python3 >/dev/null; then
        python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$2"
    elif command -v node >/dev/null; then
        node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$2"
    fi
}

# hand_in PATH...: empty files in the folder class. They need no compiler: what is
# taken is EMPTY.
hand_in() {
    local path
    for path in "$@"; do
        mkdir -p "$T/class/$(dirname -- "$path")"
        : >"$T/class/$path"
    done
}

# grades_of FOLDER|ZIP... [OPTION]...: sets output to the table without the last
# three columns, which differ from run to run.
grades_of() {
    exercise grade "$@"
    output=$(sed 's/,[^,]*,[^,]*,[^,]*$//' <<<"$output")
}

# said TEXT: is this line on stderr?
said() {
    grep -q -x -F -e "$1" <<<"$stderr" || flunk "'$1' was not said, but: $stderr"
}

empty="0,$(worth accept),0,EMPTY"

# --- What is handed in ----------------------------------------------------------------

@test "grade: is what each platform hands out taken for the right student?" {
    hand_in 'Ann Lee_123_assignsubmission_file_/accept.c' 'Bo Xi_124_assignsubmission_file_accept.c' \
        'codie_125_9001_accept.c' 'deefay_LATE_126_9002_Accept.c' 'Lab 1_eve_attempt_2026-11-28-10-30-00_accept.c' \
        '127-128 - Finn Ó - Nov 28, 2026 1030 AM/accept.c' 'gil/src/my work/accept.c' 'hal-accept.c' 'index.html' \
        'Lab 1_eve_attempt_2026-11-28-10-30-00.txt'
    grades_of "$T/class" --only accept
    is "$status: $output" "0: submission,points,of,accept,accept mistakes
\"Ann Lee\",$empty
\"Bo Xi\",$empty
\"codie\",$empty
\"deefay\",$empty
\"eve\",$empty
\"Finn Ó\",$empty
\"gil\",$empty
\"hal\",$empty"
    said 'Ann Lee: accept.c'
    said "deefay: accept.c is 'Accept.c'"
    said "gil: accept.c is 'src/my work/accept.c'"
    said 'eve: not used: txt'
    said "in no student's folder, not used: index.html"
}

@test "grade: are names of files understood as people and browsers change them?" {
    local name
    for name in Accept.c 'accept (1).c' accept-2.c 'accept_3.c' 'accept - Copy.c' 'accept - Copy (2).c' ACCEPT.C accept.c.txt accept2.c my_accept.c; do
        hand_in "$name of/$name"
    done
    hand_in 'some/Half-Close.c' 'some/fdset.c' 'some/Back Off (1).c' 'none/accepted.c' 'none/accept.cpp' 'none/accept.o' 'none/recv_accept_all.c'
    exercise grade "$T/class" --only 'accept half_close fd_set back_off'
    is "$(grep -c '^".* of",.*,0,EMPTY,0,NOT_HANDED_IN,' <<<"$output") $(grep -c '^"some",.*,0,NOT_HANDED_IN,0,EMPTY,0,EMPTY,0,EMPTY,' <<<"$output")" '10 1'
    says '"none",0,'
    said "accept - Copy (2).c of: accept.c is 'accept - Copy (2).c'"
    said 'none: nothing for an exercise'
}

@test "grade: is the latest of several attempts taken?" {
    hand_in 'ann/accept.c' 'ann/accept (2).c' 'ann/accept (10).c' 'bo/attempt 2/accept.c' 'bo/attempt 10/accept.c' \
        'cid_1_99_accept.c' 'cid_1_100_accept-1.c' 'Lab_dee_attempt_2026-02-28-10-30-00_accept.c' 'Lab_dee_attempt_2026-11-02-10-30-00_accept.c' \
        '7-8 - Eve - Nov 2, 2026 1130 AM/accept.c' '7-8 - Eve - Nov 2, 2026 1230 PM/accept.c' 'fay/old/accept.c' 'fay/new/accept.c' \
        'gil/accept.c' 'gil/backup/accept.c' 'gil/copy/accept.c'
    touch -d '2020-01-01' "$T/class/fay/old/accept.c"
    # Only the right one is not empty.
    for right in 'ann/accept (10).c' 'bo/attempt 10/accept.c' 'cid_1_100_accept-1.c' 'Lab_dee_attempt_2026-11-02-10-30-00_accept.c' \
        '7-8 - Eve - Nov 2, 2026 1230 PM/accept.c' 'fay/new/accept.c' 'gil/accept.c'; do
        head -c 1048577 /dev/zero >"$T/class/$right"
    done
    grades_of "$T/class" --only accept
    is "$(grep -c ",0,$(worth accept),0,TOO_LARGE\$" <<<"$output") of $(grep -c '^"' <<<"$output")" '7 of 7'
    said "ann: accept.c is 'accept (10).c', one of 3"
    said "gil: accept.c is 'accept.c', one of 2"
}

@test "grade: are folders in folders a class where they are one, and a student where not?" {
    hand_in 'all of them/group 1/ann/accept.c' 'all of them/group 1/bo/accept.c' 'all of them/group 2/ann/accept.c' 'all of them/group 2/cid/accept.c'
    grades_of "$T/class" --only accept
    is "$(cut -d , -f 1 <<<"$output" | paste -s -d ' ')" 'submission "all of them/group 1/ann" "all of them/group 2/ann" "bo" "cid"'
    rm -r "$T/class"
    hand_in 'ann/week 1/accept.c' 'ann/week 2/again.c' 'bo/accept.c'
    grades_of "$T/class" --only 'accept again'
    is "$(cut -d , -f 1 <<<"$output" | paste -s -d ' ')" 'submission "ann" "bo"'
    says '"ann",0,' ',0,EMPTY,0,EMPTY'
    # One student alone.
    grades_of "$T/class/bo" --only accept
    is "${output#*$'\n'}" "\"bo\",$empty"
    grades_of "$T/class/ann" "$T/class/bo" --only accept
    is "${output#*$'\n'}" "\"ann\",$empty"$'\n'"\"bo\",$empty"
}

# --- Zip files ----------------------------------------------------------------------------

# make_zip FILE NAME=TEXT...: NAME@ makes a link that leads to TEXT.
make_zip() {
    command -v python3 >/dev/null || skip 'python3 is needed to make zip files'
    python3 - "$@" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as file:
    for entry in sys.argv[2:]:
        name, _, text = entry.partition("=")
        info = zipfile.ZipInfo(name.rstrip("@"), (2026, 11, 28, 10, 30, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = (0o120777 if name.endswith("@") else 0o100644) << 16
        size = text[1:] if text.startswith("*") else ""
        file.writestr(info, open(text[1:], "rb").read() if text.startswith("<") else b"0" * int(size) if size else text)
END
}

# with_tool TOOL: a PATH with no other tool that unpacks.
with_tool() {
    local folder
    if [ ! -d "$T/tools" ]; then
        mkdir "$T/tools"
        for folder in /usr/sbin /usr/bin /sbin /bin; do
            ln -sf "$folder"/* "$T/tools" 2>/dev/null
        done
    fi
    rm -f "$T"/tools/{unzip,bsdtar,busybox,python3}
    ln -s "$(command -v "$1")" "$T/tools/$1"
}

# unpackers PLAIN: some that are here, one a line.
unpackers() {
    local tool here=()
    for tool in unzip bsdtar python3 busybox; do
        ! command -v "$tool" >/dev/null || here+=("$tool")
    done
    sample 'tools that unpack' 1 "$1" "${here[@]}"
}

@test "grade: are zip files unpacked, in folders and in other zip files, with every tool that is here?" {
    only_in plain long
    local tool
    make_zip "$T/inner.zip" 'lab/Zoë (1).txt=x' 'lab/accept.c='
    mkdir -p "$T/class/bo"
    make_zip "$T/class.zip" 'ann/accept.c=' "cid_1_2_work.zip=<$T/inner.zip" '__MACOSX/ann/._accept.c=x' "two words/work.zip=<$T/inner.zip"
    cp "$T/inner.zip" "$T/class/bo"
    for tool in $(unpackers 1); do
        with_tool "$tool"
        PATH=$T/tools grades_of "$T/class.zip" --only accept
        is "$tool: $(tail -n +2 <<<"$output")" "$tool: \"ann\",$empty
\"cid\",$empty
\"two words\",$empty"
    done
    hand_in fay/accept.c
    grades_of "$T/class" "$T/class.zip" --only accept
    said "bo: accept.c is 'inner/lab/accept.c'"
    is "$(grep -c EMPTY <<<"$output")" 5
}

@test "grade: does a zip file stay within its folder and its bounds?" {
    only_in plain long
    local tool
    make_zip "$T/evil.zip" '../../../../../../../../../../tmp/wouldblock-escaped=x' "/$T/escaped=x" '../escaped=x' \
        'ann/accept.c@=/etc/passwd' 'out@=/tmp' 'out/wouldblock-escaped=x' 'bo/accept.c='
    printf 'PK\3\4 this is none' >"$T/broken.zip"
    for tool in $(unpackers 1); do
        with_tool "$tool"
        PATH=$T/tools grades_of "$T/evil.zip" --only accept
        # busybox refuses all of such a zip.
        [ "$tool" = busybox ] || is "$tool: $(grep '^"bo"' <<<"$output")" "$tool: \"bo\",$empty"
        [[ $output != *root:* ]] || flunk "$output"
        is "$tool: $(find /tmp "$T" -maxdepth 1 \( -name wouldblock-escaped -o -name escaped \) 2>/dev/null)" "$tool: "
        PATH=$T/tools exercise grade "$T/broken.zip" --only accept
        is "$tool $status: ${#lines[@]}" "$tool 1: 1"
        said 'broken.zip was not unpacked: it is no zip file, or a damaged one'
    done
    [ "$tier" = long ] || return 0
    make_zip "$T/bomb.zip" 'ann/accept.c=' 'ann/more=*300000000'
    for tool in $(unpackers 1); do
        with_tool "$tool"
        PATH=$T/tools exercise grade "$T/bomb.zip" --only accept
        is "$tool $status: ${#lines[@]}" "$tool 1: 1"
        said 'bomb.zip was not unpacked: it holds more than 20000 files or 256 MiB'
    done
}

@test "grade: does a student's zip file not take the room of others?" {
    only_in plain long
    mkdir "$T/class"
    make_zip "$T/class/ann.zip" 'accept.c=' 'large=*17000000'
    make_zip "$T/class/bo.zip" 'accept.c=' 'large=*16000000'
    make_zip "$T/small.zip" 'x='
    inside=()
    for n in {1..12}; do
        inside+=("$n.zip=<$T/small.zip")
    done
    make_zip "$T/class/cid.zip" 'accept.c=' "${inside[@]}"
    mapfile -t many < <(printf '%s=\n' {1..2100})
    make_zip "$T/class/dee.zip" 'accept.c=' "${many[@]}"
    for tool in $(unpackers 1); do
        with_tool "$tool"
        PATH=$T/tools grades_of "$T/class" --only accept
        is "$tool $status: ${output#*$'\n'}" "$tool 1: \"bo\",$empty"$'\n'"\"cid\",$empty"
        said 'ann was not unpacked: it holds more than 2000 files or 16 MiB'
        said 'dee was not unpacked: it holds more than 2000 files or 16 MiB'
        [[ $stderr == *'was not unpacked: there are more than 10 in one'* ]] || flunk "$stderr"
    done
}

# --- Grades -------------------------------------------------------------------------------

# Names as people have them, and as those who mean harm give them.
nasty_names=('Jane Doe' 'a;touch x;b' '$(touch y)' '`touch z`' "O'Brien \"the\" Boss" '-x' 'a\tb' '%s%n' 'a&b|c' '*' 'Zoë' $'two\nlines' $'end\n' '=1+1' '+1' '@x' '$HOME' 'a=b' '#' '~' '<b>&amp;')

@test "names: is every submission's name mere text?" {
    class=$T/"the class; touch \$(touch y)' of 1999"
    for name in "${nasty_names[@]}"; do
        mkdir -p "$class/$name"
        : >"$class/$name/classify.c"
    done
    mkdir "$T/here"
    cd "$T/here"
    all_files() {
        find "$T" "$root" \( -path "$root/build" -o -path "$root/.git" -o -path "$T/pages" \) -prune -o -print | grep -v -e /before.list -e /grades.csv | sort
    }
    all_files >"$T/before.list"
    "$root/scripts/exercise" grade "$class" --only classify --report "$T/pages" 2>"$T/said" >"$T/grades.csv"
    is "$(all_files | grep -v -e '/said$' | diff "$T/before.list" -)" ''
    is "$(find "$T/pages" -name '*.html' | wc -l)" "${#nasty_names[@]}"
    [[ $(find "$T/pages" -exec basename {} \;) != *[!A-Za-z0-9._$'\n'-]* ]] || flunk "$(ls "$T/pages")"
    is "$(grep -c '[<]b>&amp;' "$T"/pages/*.html | grep -v ':0$')" ''
    is "$(LC_ALL=C tr -d '\n -~\200-\377' <"$T/said" | wc -c)" 0
    grades=$(cat "$T/grades.csv")
    for name in "${nasty_names[@]}"; do
        # A spreadsheet takes what begins with such a character for a formula.
        case $name in
        [=+@-]*) name="'$name" ;;
        esac
        [[ $grades == *$'\n"'"${name//\"/\"\"}"'",0,10,0,EMPTY,'* ]] || flunk "$name: $grades"
    done
    is "$(grep -c '",0,10,0,EMPTY,' "$T/grades.csv")" "${#nasty_names[@]}"
    if command -v python3 >/dev/null; then
        printf '%s\0' "${nasty_names[@]}" | sed -z 's/^[-=+@]/'"'"'&/' | sort -z >"$T/expected"
        python3 -c 'import csv, sys
for row in list(csv.reader(open(sys.argv[1], newline="")))[1:]: sys.stdout.write(row[0] + "\0")' "$T/grades.csv" | sort -z >"$T/found"
        cmp "$T/expected" "$T/found"
    fi
}

# A class with one program that is right and one that is not.
a_class() {
    mkdir -p "$T/class/ann" "$T/class/bo <b>"
    section classify reference >"$T/class/ann/classify.c"
    section accept 'wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag' >"$T/class/bo <b>/accept.c"
    echo 'int main(void) { return 1 }' >"$T/class/bo <b>/classify.c"
}

@test "grade: are points, records, a replay and a report of one run the same verdict?" {
    only_in plain long
    a_class
    exercise grade "$T/class" --only 'classify accept' --output "$T/grades.csv" --records "$T/records" --report "$T/pages" --seed 4711
    is "$status: $output" '0: '
    version=$(sed -n 's/^#define JUDGE_VERSION "\(.*\)"$/\1/p' "$root/scripts/judge/inside.h")
    is "$(head -n 1 "$T/grades.csv")" 'submission,points,of,classify,classify mistakes,accept,accept mistakes,seed,containment,judge'
    grep -q "^\"ann\",10,$(worth classify accept),10,,0,NOT_HANDED_IN,4711,.*,$version\$" "$T/grades.csv" || flunk "$(cat "$T/grades.csv")"
    grep -q '^"bo <b>",[0-9]*,'"$(worth classify accept)"',0,DOES_NOT_COMPILE,[0-9]*,ACCEPTED_BLOCKING,4711,' "$T/grades.csv" || flunk "$(cat "$T/grades.csv")"
    is "$(cut -f 10,12 "$T/records" | sort -u)" "4711"$'\t'"$version"
    is "$(cut -f 13 "$T/records" | sort -u)" $'ann\nbo <b>'

    # The command of the report, with the folder in it.
    page=$(cat "$T/pages/bo_b_.html")
    replay=$(sed -n 's|^<pre>scripts/exercise \(check --all --seed .*\)</pre>|\1|p' <<<"$page")
    is "$replay" "check --all --seed 4711 --dir HANDED_IN --only 'classify accept'"
    exercise check --all --seed 4711 --dir "$T/class/bo <b>" --only 'classify accept' --format records
    is "$(cut -f 1-7,10-12 <<<"$output")" "$(awk -F '\t' '$13 == "bo <b>"' "$T/records" | cut -f 1-7,10-12)"

    # The report tells it all, and needs nothing else.
    output=$page
    says '<title>bo &lt;b&gt;: ' '<h1>bo &lt;b&gt;</h1>' 'DOES_NOT_COMPILE: the compiler refuses it' 'expected' \
        'ACCEPTED_BLOCKING: an accepted socket was left blocking <span class="soft">(lesson 7)</span></h3>' 'blocked in recv on client A' \
        '<h4>What happened</h4>' 's</time><span>client A connected</span></li>' '<img alt="When the program ran' 'data:image/svg+xml,' 'client A' \
        '<h4>Think</h4>' 'On Linux a new socket' '<pre>build/practice/accept --stop-after 20s 8080 &amp; sleep' 'Seed 4711, judge'
    [[ $page != *'<b>:'* && $page != *'<script'* && $page != *'src="http'* && $page != *'href="http'* ]] || flunk "$page"
    if command -v python3 >/dev/null; then
        # The picture within it is well formed, and so is the nesting of the page.
        python3 - "$T/pages/bo_b_.html" <<'END'
import re, sys, urllib.parse, xml.dom.minidom
from html.parser import HTMLParser
page = open(sys.argv[1], encoding="utf-8").read()
pictures = re.findall(r'src="data:image/svg\+xml,([^"]*)"', page)
assert pictures
for picture in pictures:
    xml.dom.minidom.parseString(urllib.parse.unquote(picture))
class Nesting(HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
nesting = Nesting()
nesting.feed(page)
assert not nesting.open
END
    fi
}

@test "check --seed: is the same drawn again, and something else with another seed?" {
    only_in plain long
    mkdir "$T/handed_in"
    section classify 'wrong EAGAIN_FATAL would block is a failure' >"$T/handed_in/classify.c"
    drawn() { # what was seen, without the time that it took
        exercise check --all --seed "$1" --dir "$T/handed_in" --only classify --format records
        cut -f 1-7,9-12 <<<"$output"
    }
    first=$(drawn 7)
    [[ $first == *EAGAIN_FATAL* ]] || flunk "$first"
    is "$(drawn 7)" "$first"
    [ "$(drawn 8 | cut -f 8)" != "$(cut -f 8 <<<"$first")" ] || flunk "seed 8 draws what seed 7 does: $first"
}

@test "grade: is what a program prints mere text in the report?" {
    only_in plain long
    mkdir -p "$T/class/ann"
    printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void)\n{\n    fputs("<script>alert(1)</script> \\" \\33[2J \\200 &amp; %%3C\\n", stdout);\n    fflush(stdout);\n    abort();\n}\n' >"$T/class/ann/accept.c"
    exercise grade "$T/class" --only accept --report "$T/pages"
    is "$status" 0
    output=$(cat "$T/pages/ann.html")
    says '&lt;script&gt;alert(1)&lt;/script&gt; &quot; ?[2J ? &amp;amp; %3C'
    [[ $output != *'<script'* ]] || flunk "$output"
    is "$(LC_ALL=C grep -c '[^ -~]' "$T/pages/ann.html")" "$(grep -c '[✓✗]' "$T/pages/ann.html")"
}

@test "exercise --timeline: does a student see the timeline of the failure?" {
    only_in plain long
    mkdir "$T/practice"
    section accept 'wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag' >"$T/practice/accept.c"
    exercise check accept --timeline
    is "$status" 1
    says 'ACCEPTED_BLOCKING: ' 'See it by hand' 'The timeline of this run' 's  0  ' 'accept ' ' recv ' 'client A ' 'client B ' 'blocked in a call' 'Next'
}

@test "judge: does a story have a line for each step, and only of failures?" {
    only_in plain long
    mkdir "$T/practice"
    section accept 'wrong ACCEPTED_BLOCKING the new socket is believed to inherit the flag' >"$T/practice/accept.c"
    exercise check accept
    run "$build/judge/judge" --all --seed 3 --story "$T/story" --record "$T/records" --trace "$T" accept "$T/practice/bin/accept"
    is "$(cut -f 1,2 "$T/story" | uniq)" "$(awk -F '\t' -v OFS='\t' '$4 == "fail" { print $1, $2 }' "$T/records")"
    is "$(awk -F '\t' 'NF != 4 || $3 !~ /^[0-9]+\.[0-9][0-9][0-9]$/' "$T/story")" ''
    is "$(basename -s .trace "$T"/*.trace | sort)" "$(cut -f 2 "$T/story" | sort -u)"
    "$build/trace/timeline" --list "$T/silent.trace" >"$T/list"
    # The clock of the timeline is that of the steps.
    at_step=$(awk -F '\t' '$2 == "silent" && $4 == "client A connected" { print $3 }' "$T/story")
    at_trace=$(awk '/client A/ && /connect/ { print $1; exit }' "$T/list")
    holds "$at_trace < $at_step + 0.002 && $at_trace > $at_step - 0.5"
}

@test "grade: is there a status line on a terminal, with the time left, and none in a pipe?" {
    only_in plain long
    a_class
    exercise grade "$T/class" --only classify
    is "$stderr" $'ann: classify.c\nbo <b>: classify.c\nbo <b>: not used: accept.c'
    mkfifo "$T/keys"
    exec 7<>"$T/keys"
    env TERM=xterm "$build/tests/typist" "$root/scripts/exercise" grade "$T/class" --only classify --output "$T/grades.csv" <&7 >"$T/seen" 7>&- 3>&-
    exec 7>&-
    grep -q '[12] of 2 programs checked, about [0-9]* seconds left' "$T/seen" || flunk "$(cat "$T/seen")"
    grep -q '^"ann",10,10' "$T/grades.csv"
}

@test "grade: is it said which checks could not be made, and that it is not the students' fault?" {
    only_in long
    a_class
    own_checkout "$T/copy"
    # A judge that makes no check.
    its_judge=$copy/build${build#"$root/build"}/judge/judge
    mv "$its_judge" "$T/judge"
    printf '#!/bin/sh\ncase $1 in --list | --mistakes) exec "%s" "$@" ;; esac\nexit 1\n' "$T/judge" >"$its_judge"
    chmod +x "$its_judge"
    run --separate-stderr "$copy/scripts/exercise" grade "$T/class" --only classify
    is "$status" 1
    says '"ann",0,10,0,NOT_MADE,' '"bo <b>",0,10,0,DOES_NOT_COMPILE,'
    output=$stderr
    says 'checks could not be made. That is not the fault of those who wrote the programs' '  ann: classify: this check could not be run'
}

@test "grade: does Ctrl-C end it, and all that belongs to it?" {
    only_in plain long
    needs_int
    a_class
    export TMPDIR=$T/tmp
    mkdir "$TMPDIR"
    launch grade "$root/scripts/exercise" grade "$T/class" --only accept
    local end=$((SECONDS + patience))
    until ls "$TMPDIR"/*/work.* >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || flunk 'nothing begins'
        sleep 0.02
    done
    stop grade INT
    is "$status: $(find "$TMPDIR" -mindepth 1 | wc -l)" '130: 0'
    is "$(cat "$T/grade.out")" ''
}

@test "exercise: are right and wrong told apart with musl as the C library?" {
    only_in long
    command -v musl-gcc >/dev/null || skip 'there is no musl-gcc'
    run --separate-stderr env CC=musl-gcc BUILD="$T/musl" nice "$root/scripts/exercise" prove 'accept: reference' \
        'accept: wrong EOF_IGNORED who has left is kept' 'connected: reference' 'classify: reference' 'back_pressure: reference'
    [ "$status" -eq 0 ] || flunk "$output$stderr"
    file=$T/musl/judge/judge
    LC_ALL=C grep -q ld-musl "$file" || flunk "$file is not linked with musl"
}

@test "grade: is wrong usage told?" {
    exercise grade
    is "$status" 2
    exercise grade "$T/nowhere"
    is "$status" 2
    [[ $stderr == *"there is no folder or zip file '$T/nowhere'"* ]] || flunk "$stderr"
    exercise grade "$T" --seed 0
    is "$status" 2
}

# --- The graders of the platforms -------------------------------------------------------------

@test "graders: are submissions checked without a network, and the result where it belongs?" {
    only_in plain long
    own_checkout "$T/grader/source/wouldblock"
    sed -i "s/^WB_EXERCISES=.*/WB_EXERCISES='classify accept'/" "$copy/scripts/graders/run_autograder"
    mkdir -p "$T/offline" "$T/grader/submission"
    for manager in apt-get dnf apk pacman zypper brew npm; do
        printf '#!/bin/sh\necho "$0" >>"%s/called"\nexit 1\n' "$T" >"$T/offline/$manager"
        chmod +x "$T/offline/$manager"
    done
    section classify reference >"$T/grader/submission/classify.c"
    for step in setup.sh run_autograder; do
        run --separate-stderr env AUTOGRADER="$T/grader" PATH="$T/offline:$PATH" "$copy/scripts/graders/$step"
        is "$step $status: $stderr" "$step 0: "
    done
    [ ! -e "$T/called" ] || flunk "these tried to install something: $(cat "$T/called")"
    is "$(stat -c %a "$copy")" 700
    parses json "$T/grader/results/results.json"
    grep -q '^  "score": 10,$' "$T/grader/results/results.json"

    # Classroom 50: the same copy, in a student's checkout.
    command -v python3 >/dev/null || return 0
    cp "$copy/scripts/graders/autograder.py" "$T/grader/source"
    mkdir -p "$T/checkout/practice"
    section classify reference >"$T/checkout/practice/classify.c"
    cd "$T/checkout"
    run --separate-stderr env PATH="$T/offline:$PATH" WB_EXERCISES=classify python3 "$T/grader/source/autograder.py"
    is "$status: $stderr" '0: '
    [ ! -e "$T/called" ] || flunk "these tried to install something: $(cat "$T/called")"
    parses json result.json
    grep -q '^  "score": 10,$' result.json || flunk "$(cat result.json)"
}
