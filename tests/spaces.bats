#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A checkout, and a folder for temporary files, with spaces and a quote in their
# names: what records, draws and plays works there as anywhere.

load helpers

setup_file() {
    [ "$(uname -s)" = Linux ] || skip "the recorder needs Linux"
    export copy="$BATS_FILE_TMPDIR/Jane Doe's copy"
    # It is about names, not about how things are built.
    unset SANITIZE WB_BUILD
    root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    mkdir "$copy"
    (cd "$root" && cp -Rp Makefile common demos docs scripts tests "$copy")
    # But for --long, what is built already need not be built again.
    [ "$tier" = long ] || [ ! -d "$root/build/bin" ] || cp -Rp "$root/build" "$copy"
    make -s -j 2 -C "$copy" all test-programs >"$BATS_FILE_TMPDIR/make.log" 2>&1 3>&- 4>&- || {
        cat "$BATS_FILE_TMPDIR/make.log" >&2
        return 1
    }
}

# there COMMAND...: in the copy, with a TMPDIR that has a space.
there() {
    unset SANITIZE WB_BUILD
    mkdir -p "$T/a b"
    cd "$copy" || return 1
    TMPDIR="$T/a b" LC_ALL=C run --separate-stderr timeout 60 "$@" 3>&- 4>&-
}

# Nothing stays, neither there nor where the recorder got another name.
nothing_stays() {
    is "$(ls "$T/a b")" "${1:-}"
    is "$(find /tmp /var/tmp /dev/shm -maxdepth 2 -name recorder.so -lname "$copy/*" 2>/dev/null)" ''
}

@test "spaces: does trace record a program and its children, and leave nothing behind?" {
    # shellcheck disable=SC2016 # for that shell
    there scripts/trace --output "$T/a b/it.trace" sh -c '
        echo "$LD_PRELOAD"
        stat -c %a "$LD_PRELOAD" "${LD_PRELOAD%/*}"
        build/bin/errno_provoke ECONNREFUSED >/dev/null
        build/bin/errno_provoke EAGAIN >/dev/null'
    is "$status: $stderr" '0: '
    # It may be read by a program that becomes another user.
    is "${lines[1]} ${lines[2]}" '755 755'
    [ ! -e "${lines[0]%/*}" ]
    nothing_stays it.trace
    there scripts/timeline --list "$T/a b/it.trace"
    is "$status: $stderr" '0: '
    says 'ECONNREFUSED' 'EAGAIN'
    there scripts/trace build/bin/errno_provoke EAGAIN
    is "$status: $stderr" '0: trace: recorded; scripts/timeline draws it'
}

@test "spaces: does timeline draw, into files as well?" {
    there scripts/trace --output "$T/a b/it.trace" --draw build/bin/errno_provoke EAGAIN
    is "$status" 0
    [[ $stderr == *errno_provoke*recv* ]] || flunk "$stderr"
    there scripts/timeline --svg "$T/a b/it.svg" --html "$T/a b/it.html" "$T/a b/it.trace"
    is "$status: $output$stderr" '0: '
    grep -q '>errno_provoke</text>' "$T/a b/it.svg"
    grep -q 'errno_provoke' "$T/a b/it.html"
    nothing_stays $'it.html\nit.svg\nit.trace'
}

@test "spaces: does compare run a pair and draw both?" {
    there scripts/compare --quick --svg "$T/a b/svg" echo_blocking echo_busypoll
    is "$status: $stderr" '0: '
    is "$(grep -c '^client 2 ' <<<"$output")" 2
    says 'make_nonblocking(listener);'
    is "$(ls "$T/a b/svg")" $'echo_blocking.svg\necho_busypoll.svg'
    nothing_stays svg
}

@test "spaces: are pictures made, and acts played with their timelines?" {
    only_in plain long
    there scripts/pictures --into "$T/a b/pictures" 09-edge
    is "$status: $stderr" '0: '
    grep -q '>server</text>' "$T/a b/pictures/09-edge.svg"
    there scripts/demo --quick echo
    is "$status: $stderr" '0: '
    is "$(grep -c 'is told "not yet"' <<<"$output")" 1 # its legend
    there scripts/demo --quick --split echo
    is "$status" 0
    nothing_stays pictures
}

@test "spaces: do the others work?" {
    only_in plain long
    there scripts/pair echo_blocking echo_busypoll
    is "$status: $stderr" '0: '
    there scripts/gallery
    is "$status: $stderr" '0: '
    there scripts/scale --connections 10 --active 1 --time 20ms --tsv "$T/a b/it.tsv" --svg "$T/a b/it.svg"
    is "$status: $stderr" '0: '
    # What it measures is another matter, on a busy machine.
    there scripts/benchmark trace 1
    [ -z "$stderr" ] || flunk "$stderr"
    grep -q 'a recv that would block, recorded' <<<"$output"
    nothing_stays $'it.svg\nit.tsv'
}

@test "spaces: where no folder can be made for the recorder, is that said in a sentence?" {
    unshare -m true 2>/dev/null || skip "only root can make folders read-only for one command"
    # shellcheck disable=SC2016 # for that shell
    run --separate-stderr timeout 30 unshare -m sh -c '
        mount -t tmpfs none /mnt
        for folder in /tmp /var/tmp /dev/shm; do
            mount --bind "$folder" "$folder" && mount -o remount,bind,ro "$folder"
        done 2>/dev/null
        exec "$1/build/trace/record" "$1/build/trace/recorder.so" /mnt/it.trace "" "" new quiet echo it runs' x "$copy" 3>&- 4>&-
    is "$status: $output" '1: '
    [[ ${#stderr_lines[@]} -eq 1 && $stderr == "trace: cannot preload $copy/build/trace/recorder.so: there is a space"* ]] ||
        flunk "$stderr"
}
