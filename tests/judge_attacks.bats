#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # other shells expand these
# What a submission may try against the grader, the machine and its neighbours.
# Each test finds out from outside what happened, at each level of containment, and
# compares that with the table in docs/judge.md.

load helpers

# The ordinary user that root also tries everything as.
other=64321

# Everything is in a folder that an ordinary user can reach, copies of the programs
# too: the checkout may lie below a folder that only root can enter.
arena() {
    place=$(mktemp -d /tmp/wouldblock-XXXXXX)
    links=$place # teardown removes it
    chmod 755 "$place"
    mkdir "$place/bin"
    cp "$build/judge/supervise" "$build/tests/attacker" "$place/bin"
    users=self
    # No program in a room may trace another, and the leak checker does.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
    [ "$(id -u)" -ne 0 ] || ! setpriv --reuid $other --regid $other --clear-groups true 2>/dev/null || users='self other'
}

# as_user COMMAND...: run it as $who.
as_user() {
    if [ "$who" = other ]; then
        exec setpriv --reuid $other --regid $other --clear-groups "$@"
    else
        exec "$@"
    fi
}

# give FILE: let $who own it.
give() {
    [ "$who" != other ] || chown -R "$other:$other" "$1"
}

# attack [OPTION]... -- ATTACK [ARGUMENT]...: make it in a room of $level, as $who;
# what it prints is in $here/out, and the supervisor's lines are in $here/status.
attack() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    (cd "$here" && as_user env TMPDIR="$here/temporary" timeout 20 "$place/bin/supervise" --level "$level" --offline --wall 9s \
        --status 5 "${options[@]}" "$place/bin/attacker" "$@") >"$here/out" 2>&1 5>"$here/status" 3>&- 4>&- </dev/null || true
    grep -q "^started .* level=$level" "$here/status" || flunk "it did not even start: $(cat "$here/out")" || return 1
    is "$(ls -A "$here/temporary")" ''
}

# limit NAME: did the supervisor end it for this one?
limit() {
    grep -q " limit=$1 " "$here/status"
}

# in_table ATTACK LEVEL: what docs/judge.md says.
in_table() {
    awk -F ' *[|] *' -v attack="$1" -v level="$2" '
        $2 == "a submission" { for (i = 3; i <= NF; i++) if ($i == level) at = i }
        at && $2 == attack { print $at; found = 1 }
        END { exit !found }' "$root/docs/judge.md" || flunk "docs/judge.md has no row '$1' with a column '$2'"
}

# each_room ATTACK FUNCTION: call the function, which makes the attack and succeeds
# if it was stopped, in each room that this machine has, and compare that with the
# table.
each_room() {
    local said found rooms=0
    arena
    for who in $users; do
        for level in namespaces landlock user none; do
            here=$place/$who.$level
            mkdir -p "$here/temporary"
            give "$here"
            (as_user "$place/bin/supervise" --level $level --offline /bin/true) >/dev/null 2>&1 </dev/null || continue
            rooms=$((rooms + 1))
            said=$(in_table "$1" $level)
            found='not stopped'
            if "$2"; then
                found=stopped
            fi
            case $said:$found in
            'not stopped'*:stopped | [!n]*:'not stopped' | 'not in'*:'not stopped')
                flunk "as $who at level $level: $found, but the table says '$said': $(cat "$here/out" "$here/status")" || return 1
                ;;
            esac
        done
    done
    [ $rooms -gt 1 ] || flunk 'there was hardly any room to try it in'
}

# bystander [NAME=VALUE]... COMMAND...: a process of $who's, which ends with the
# test; sets victim.
bystander() {
    (as_user env "$@") >/dev/null 2>&1 3>&- 4>&- 5>&- </dev/null &
    victim=$!
    pid_of[victim]=$victim
}
end_bystander() {
    kill -KILL "$victim" 2>/dev/null || true
    wait "$victim" 2>/dev/null || true
}

# --- Files ----------------------------------------------------------------------

@test "attack: can a submission read a file of the grader?" {
    secret() {
        echo 'Open Sesame' >"$here/solution.c"
        give "$here/solution.c"
        attack -- read "$here/solution.c" && ! grep -q Sesame "$here/out"
    }
    each_room 'reads a file of the grader' secret
}

@test "attack: can it write to the results?" {
    results() {
        echo '{"score": 0}' >"$here/results.json"
        give "$here/results.json"
        attack -- write "$here/results.json" && [ "$(cat "$here/results.json")" = '{"score": 0}' ]
    }
    each_room 'writes to the results' results
}

@test "attack: can it take away a file's rights, or empty it?" {
    rights() {
        echo 'points: 0' >"$here/log"
        give "$here/log"
        before=$(stat -c '%a %s' "$here/log")
        attack -- spoil "$here/log" && [ "$(stat -c '%a %s' "$here/log")" = "$before" ]
    }
    each_room "takes away a file's rights, or empties it" rights
}

@test "attack: can it put another file in the place of one, such as a program that runs next?" {
    exchange() {
        mkdir "$here/shop"
        echo 'int main(void);' >"$here/shop/program"
        give "$here/shop"
        before=$(ls -Ai "$here/shop")
        attack -- replace "$here/shop/program" && [ "$(ls -Ai "$here/shop")" = "$before" ]
    }
    each_room "puts another file in a file's place" exchange
}

# leaves FOLDER: does a file stay there?
leaves() {
    local file=$1/wouldblock-$BATS_TEST_NUMBER.$BASHPID.$who.$level
    attack -- create "$file" || return
    [ -e "$file" ] || return 0
    rm -f "$file"
    return 1
}

@test "attack: does a file stay in /tmp for the next submission?" {
    in_tmp() { leaves /tmp; }
    each_room 'leaves a file in /tmp' in_tmp
}

@test "attack: does a file stay in /dev/shm?" {
    [ -w /dev/shm ] || skip 'there is no /dev/shm here'
    in_shm() { leaves /dev/shm; }
    each_room 'leaves a file in /dev/shm' in_shm
}

@test "attack: is a folder that is filled bounded, and gone afterwards?" {
    fill() {
        attack --disk 4M -- fill . || return
        case $level in
        namespaces) ! grep -q '64 files: done' "$here/out" ;;
        *) limit disk ;;
        esac
    }
    each_room 'fills its folder' fill
}

@test "attack: does a tree of folders stay that is too deep for rm, or closed?" {
    tree() { attack -- tree; } # attack looks whether something stays
    each_room 'leaves a deep or closed tree of folders' tree
}

@test "attack: does a segment of shared memory stay?" {
    [ -r /proc/sysvipc/shm ] || skip 'this kernel has no System V IPC'
    segment() {
        key=$((20000 + RANDOM))
        attack -- segment $key || return
        grep -q "^ *$key " /proc/sysvipc/shm || return 0
        (as_user "$place/bin/attacker" remove-segment $key) >/dev/null
        return 1
    }
    each_room 'leaves a segment of shared memory' segment
}

# --- Processes ------------------------------------------------------------------

@test "attack: can it kill the grader?" {
    murder() {
        bystander sleep 30
        attack -- kill "$victim" || return
        kill -0 "$victim" 2>/dev/null && [[ $(cat /proc/"$victim"/stat) != *') Z '* ]]
        result=$?
        end_bystander
        return $result
    }
    each_room 'kills the grader' murder
}

@test "attack: can it read the grader's environment, or trace it?" {
    trace() {
        bystander TOKEN=Sesame sleep 30
        until grep -q Sesame /proc/"$victim"/environ; do :; done
        attack -- trace "$victim" || return
        ! grep -q -e Sesame -e 'ptrace: done' "$here/out"
        result=$?
        end_bystander
        return $result
    }
    each_room "reads the grader's environment or memory" trace
}

@test "attack: can it read the grader's command line?" {
    spy() {
        bystander sh -c 'sleep 30; :' Sesame
        until grep -q Sesame /proc/"$victim"/cmdline; do :; done
        attack -- spy "$victim" || return
        ! grep -q Sesame "$here/out"
        result=$?
        pkill -KILL -P "$victim"
        end_bystander
        return $result
    }
    each_room 'reads the command line of the grader' spy
}

@test "attack: does it find a secret in its own environment?" {
    environment() {
        TOKEN=Sesame GITHUB_TOKEN=Sesame attack -- environment || return
        grep -q PATH= "$here/out" && ! grep -q Sesame "$here/out"
    }
    each_room 'reads its own environment for secrets' environment
}

@test "attack: does a process of it stay, however it hides?" {
    daemon() {
        export WB_MARK=$BATS_TEST_NUMBER.$BASHPID.$who.$level
        attack -- daemon && none_marked "$WB_MARK"
    }
    each_room 'leaves a process behind' daemon
}

@test "attack: does a fork bomb end, and leave nothing?" {
    bomb() {
        # No bound holds for root at level none: do not even try.
        [ "$level" != none ] || [ "$who" = other ] || [ "$(id -u)" -ne 0 ] || return 0
        export WB_MARK=$BATS_TEST_NUMBER.$BASHPID.$who.$level
        attack --processes 20 -- bomb && limit processes && none_marked "$WB_MARK"
    }
    each_room 'starts ever more processes' bomb
}

@test "supervise: are 900 children all found, and nobody else?" {
    arena
    who=self here=$place/here
    mkdir -p "$here/temporary"
    for level in $(rooms_of_self); do
        bystander sleep 30
        export WB_MARK=$BATS_TEST_NUMBER.$BASHPID.$level
        attack --processes 2000 --memory 4G -- children 900
        is "$level: $(cat "$here/out") $(grep -o 'left=.*' "$here/status")" "$level: 900 children left=900"
        none_marked "$WB_MARK"
        kill -0 "$victim"
        end_bystander
        unset WB_MARK
    done
}

# The best room of this machine; all of them in the long tier.
rooms_of_self() {
    for level in namespaces landlock user none; do
        ! "$place/bin/supervise" --level $level --offline /bin/true >/dev/null 2>&1 </dev/null || echo $level
    done | if [ "$tier" = long ]; then cat; else sed -n 1p; fi
}

# --- What is bounded ------------------------------------------------------------

@test "attack: is memory bounded that a program shares with itself, and has unmapped?" {
    hoard() { attack --memory 48M -- hoard && limit memory; }
    each_room 'hoards memory that it shares with itself' hoard
}

@test "attack: does a flood of output end?" {
    flood() { attack --output 10k -- flood && limit output && [ "$(wc -c <"$here/out")" -eq 10240 ]; }
    each_room 'floods the output' flood
}

# --- Kernel and network ---------------------------------------------------------

@test "attack: may it ask the kernel for more rights?" {
    kernel() { attack -- kernel && grep -q 'mount: Operation not permitted' "$here/out"; }
    each_room 'asks the kernel for more rights' kernel
}

@test "attack: can it connect to another program of this machine?" {
    serve server echo_blocking
    call_server() {
        attack -- connect "$port" || return
        [ "$(grep -c connected "$T/server.err")" -eq "${calls:=0}" ] && return
        calls=$((calls + 1))
        return 1
    }
    each_room 'connects to another program' call_server
}

@test "attack: can it ask a service of this machine to work for it, over a UNIX socket?" {
    call_service() {
        # Short: the address of a UNIX socket has 108 bytes.
        local socket=$place/s.$who.$level
        launch service "$place/bin/attacker" --stop-after "$bound" host-service "$socket"
        wait_for service.out listening
        attack -- service "$socket" || return
        stop service
        ! grep -q client "$T/service.out"
    }
    each_room 'asks a service over a UNIX socket' call_service
}

@test "judge: does each check have a network of its own, and does the record say so?" {
    # It passes if nothing else listens there: in the network of the machine, the
    # port is taken.
    arena
    serve server echo_blocking
    mkdir "$T/handed_in"
    cat >"$T/handed_in/accept.c" <<END
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
int main(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons($port)};
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&there, sizeof there) == 0;
}
END
    "$root/scripts/exercise" check --all --dir "$T/handed_in" --only accept --format records >"$T/records" 2>"$T/words" || true
    level=$(cut -f 11 "$T/records" | sort -u)
    is "$(wc -l <"$T/records")" "$("$build/judge/judge" --list accept | wc -l)"
    is "$level" "$("$place/bin/supervise" --offline --status 1 /bin/true </dev/null | sed -n 's/^started .*level=//p')"
    [ "$level" != namespaces ] || is "$(grep -c connected "$T/server.err")" 0
    [ "$level" != none ] || grep -q 'not fit for a grade' "$T/words"
}

# --- A machine that refuses ------------------------------------------------------

@test "levels: does a kernel that refuses the best room get the next one, and is it named?" {
    arena
    refused() { (as_user "$place/bin/attacker" without "$1" "$place/bin/supervise" --offline --status 1 /bin/true) </dev/null | sed -n 's/^started .*level=//p'; }
    who=self
    best=$("$place/bin/supervise" --offline --status 1 /bin/true </dev/null | sed -n 's/^started .*level=//p')
    [ "$best" = namespaces ] || skip "this machine has no better room than $best"
    for who in $users; do
        next=landlock last=none
        (as_user "$place/bin/supervise" --level landlock /bin/true) >/dev/null 2>&1 </dev/null || next=$last
        [ "$(id -u):$who" != 0:self ] || last=user
        is "$who: $(refused unshare)" "$who: $next"
        is "$who: $(refused mount)" "$who: $next"
        is "$who: $(refused unshare,landlock)" "$who: $last"
        is "$who: $(refused unshare,landlock,setresuid)" "$who: none"
        # A room that is demanded and not possible is no room at all.
        run "$place/bin/attacker" without unshare "$place/bin/supervise" --level namespaces --status 1 /bin/true </dev/null
        is "$status" 1
        [[ $output != *started* && $output == *'no room of level namespaces'* ]] || flunk "$output"
    done
    run "$place/bin/supervise" --level best /bin/true </dev/null
    is "$status" 2
}

@test "levels: are name spaces without a network of one's own called by another name?" {
    arena
    run "$place/bin/supervise" --offline --status 1 /bin/true </dev/null
    [[ $output == *level=namespaces* ]] || skip 'this machine has no name spaces'
    run "$place/bin/supervise" --status 1 /bin/true </dev/null
    [[ $status == 0 && $output == *level=* && $output != *level=namespaces* ]] || flunk "$output"
    run "$place/bin/supervise" --level namespaces --status 1 /bin/true </dev/null
    [[ $status == 1 && $output != *started* && $output == *'no room of level namespaces'* ]] || flunk "$output"
}

@test "levels: is a level that does not exist, or is not possible, told before any check?" {
    only_in plain long
    run --separate-stderr env WB_LEVEL=best "$root/scripts/exercise" check --all --only accept
    is "$status $output" '2 '
    [[ $stderr == *"WB_LEVEL is 'best'"* ]] || flunk "$stderr"
    run --separate-stderr env WB_LEVEL=namespaces "$build/tests/attacker" without unshare "$root/scripts/exercise" check --all --only accept
    is "$status $output" '1 '
    [[ $stderr == *'no room of level namespaces'* ]] || flunk "$stderr"
}

@test "levels: are checks without a room not made, and told at once?" {
    run env WB_LEVEL=namespaces timeout 10 "$build/tests/attacker" without unshare \
        "$build/judge/judge" --all --record "$T/records" accept "$build/tests/attacker"
    is "$status $(cut -f 4,5 "$T/records" | sort | uniq -c | xargs)" "1 $("$build/judge/judge" --list accept | wc -l) error NOT_MADE"
}

@test "levels: is a result at level none said not to be fit for a grade?" {
    only_in plain long
    echo 'int main(void) { return 1; }' | hand_in ada
    grade none
    is "$status" 0
    [[ $stderr == *'not fit for a grade'*'level none'* ]] || flunk "$stderr"
}

# --- Compiling ------------------------------------------------------------------

# hand_in NAME: what stands on standard input is the solution of accept by NAME.
hand_in() {
    mkdir -p "$T/class/$1"
    cat >"$T/class/$1/accept.c"
}
reference() {
    awk -v section=reference -f "$root/scripts/exercises/assemble.awk" "$root/scripts/exercises/accept.ex" \
        "$root/$(sed -n 's/^source //p' "$root/scripts/exercises/accept.ex")"
}
# grade LEVEL|best [OPTION]...: sets output to a line for each, without the last
# three columns, and stderr without what was taken for what.
grade() {
    run --separate-stderr env WB_LEVEL="${1#best}" "$root/scripts/exercise" grade "$T/class" --only accept "${@:2}"
    [ "${#lines[@]}" -gt 1 ] || flunk "$stderr"
    mapfile -t lines < <(printf '%s\n' "${lines[@]}" | sed 's/,[^,]*,[^,]*,[^,]*$//')
    output=$(printf '%s\n' "${lines[@]}")
    stderr=$(grep -v ': accept\.c$' <<<"$stderr" || true)
}

@test "compile: does no file of another come into a program, or out by a message?" {
    only_in plain long
    # The table's row is of this one.
    in_table 'reads another file when it is compiled' namespaces >/dev/null
    echo 'int Sesame = ;' >"$T/secret.h"
    reference >"$T/right.c"
    { printf '#include "%s"\n' "$T/secret.h" && cat "$T/right.c"; } | hand_in include
    { cat "$T/right.c" && printf '__asm__(".pushsection .rodata\\n.inc" "bin \\"%s\\"\\n.popsection");\n' "$T/secret.h"; } | hand_in incbin
    { cat "$T/right.c" && printf 'static const char secret[] = {\n#embed "%s"\n};\n' "$T/secret.h"; } | hand_in embed
    for level in $(sample 'levels to compile at' 1 2 best landlock none); do
        grade "$level"
        for line in "${lines[@]:1}"; do
            [[ $line == *,0,*,0,INCLUDES_OTHER_FILES || $line == *,0,*,0,DOES_NOT_COMPILE ]] || flunk "level '$level': $line"
        done
        is "$level: ${#lines[@]}" "$level: 4"
        [[ $output$stderr != *Sesame* ]] || flunk "$output$stderr"
    done
}

@test "compile: is what this machine lacks never the student's fault?" {
    only_in plain long
    mkdir "$T/tools"
    reference | hand_in ada
    tool() { printf '#!/bin/sh\ncase "$*" in\n*witness.o*) %s ;;\nesac\nexec %s "$@"\n' "$1" "$(command -v cc)" >"$T/tools/cc" && chmod 755 "$T/tools/cc"; }
    [ -z "${CC:-}" ] || skip 'the compiler is named by CC'
    for lack in 'exec /no/such/compiler' \
        'echo "cc: fatal error: cannot execute cc1: vfork: Resource temporarily unavailable"; exit 1' \
        'echo "/usr/bin/ld: final link failed: No space left on device"; exit 1'; do
        tool "$lack"
        PATH=$T/tools:$PATH grade best
        is "$lack: ${lines[1]}" "$lack: \"ada\",0,$(worth accept),0,NOT_MADE"
        is "$status" 1
        [[ $stderr == "$("$build/judge/judge" --list accept | wc -l) checks could not be made. That is not the fault"* ]] || flunk "$stderr"
    done
    # A solution that claims to lack something is wrong all the same.
    { echo '#error x: No space left on device' && echo 'int x = y; // No space left on device'; } | hand_in ada
    grade best
    is "${lines[1]}" '"ada",0,'"$(worth accept)"',0,DOES_NOT_COMPILE'
    is "$status: $stderr" '0: '
}

@test "compile: does a disk that is full, or nearly, never make a right program wrong?" {
    only_in plain long
    [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || skip 'only root can mount a small disk here'
    reference | hand_in ada
    mkdir "$T/small"
    cat >"$T/try" <<'END'
mount -t tmpfs -o size=8m small "$1" || exit 9
head -c $(((8192 - $3) * 1024)) /dev/zero >"$1/fill"
TMPDIR=$1 "$4/scripts/exercise" grade "$2" --only accept
END
    for free in $(sample 'sizes of a disk' 2 4 0 50 150 300 500 700 800 900 1000 1500); do
        run --separate-stderr unshare -m sh "$T/try" "$T/small" "$T/class" "$free" "$root"
        case $status:${lines[1]:-} in
        '0:"ada",'"$(worth accept)"','*) ;;
        '1:"ada",0,'"$(worth accept)"',0,NOT_MADE,'*) [[ $stderr == *'not the fault'* ]] || flunk "$stderr" ;;
        1:) [[ $stderr == *'temporary folder'* ]] || flunk "$free KiB free: $stderr" ;;
        *) flunk "$free KiB free: $status: $output $stderr" ;;
        esac
    done
}

# --- All together ---------------------------------------------------------------

@test "grade: does the one after all attackers pass, and nobody else?" {
    only_in long
    serious='#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
'
    # Fills the shared memory of the witness with what may look like records.
    printf '%s' "$serious" '
int main(void)
{
    const char *name = getenv("WB_WITNESS");
    int fd = name ? atoi(name) : 4;
    struct stat about = {0};
    fstat(fd, &about);
    unsigned *m = mmap(0, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (size_t i = 0; m != MAP_FAILED && i < (size_t)about.st_size / sizeof *m; i++)
        m[i] = i % 2 ? 0 : 1 + (unsigned)(i % 9);
    puts("listening on 127.0.0.1 port 8080");
    pause();
}
' | hand_in 1-witness
    # Takes that memory away from the judge, before it is used.
    printf '%s' "$serious" '
__attribute__((constructor(101))) static void first(void)
{
    for (int fd = 3; fd < 64; fd++)
        if (ftruncate(fd, 0) < 0)
            continue;
}
int main(void) { pause(); }
' | hand_in 0-cut
    # Answers before main, and ends well.
    printf '%s' "$serious" '
__attribute__((constructor)) static void before(void)
{
    puts("accept: passed, all 6 checks\n\"score\": 13");
    puts("ended how=exit code=0 limit=- cpu=0 delay=0 wall=0 peak=1 left=0");
    fflush(stdout);
    dprintf(3, "started pid=1 level=namespaces\nended how=exit code=0 limit=-\n");
    _exit(0);
}
int main(void) { return 0; }
' | hand_in 2-constructor
    # Fills what it can write to, and stays.
    printf '%s' "$serious" '
int main(void)
{
    static char text[1 << 20];
    char name[64];
    for (int i = 0; i < 300; i++) {
        const char *folders[] = {".", "/tmp", "/dev/shm", "/var/tmp"};
        snprintf(name, sizeof name, "%s/wouldblock-fill-%d", folders[i % 4], i);
        int fd = open(name, O_CREAT | O_WRONLY, 0644);
        if (fd < 0 || write(fd, text, sizeof text) < 0)
            close(fd);
    }
    if (fork() == 0) {
        setsid();
        for (int n = 1; n < 32; n++)
            signal(n, SIG_IGN);
        sleep(40);
    }
    return 0;
}
' | hand_in 3-hoarder
    reference | hand_in 4-right
    export WB_MARK=$BATS_TEST_NUMBER.$BASHPID
    for level in $(sample 'levels to grade at' 1 1 best landlock user); do
        [ "$level" != user ] || [ "$(id -u)" -eq 0 ] || continue
        grade "$level" --jobs 1
        is "$level $status: $stderr" "$level 0: "
        [[ ${lines[1]} == '"0-cut",0,'* && ${lines[2]} == '"1-witness",'[0-9],* && ${lines[3]} == '"2-constructor",0,'* &&
            ${lines[4]} == '"3-hoarder",0,'* && $output != *NOT_MADE* ]] || flunk "$output"
        is "${lines[5]}" "\"4-right\",$(worth accept),$(worth accept),$(worth accept),"
        none_marked "$WB_MARK"
        is "$(find /tmp /var/tmp /dev/shm -maxdepth 1 -name 'wouldblock-fill-*')" ''
    done
}

@test "check: does a right program pass for an ordinary user, and for root in a folder of root's alone?" {
    only_in plain long
    [ "$(id -u)" -eq 0 ] || skip 'only root can be another user'
    arena
    [ "$users" = 'self other' ] || skip 'there is no setpriv here'
    checkout() {
        mkdir -p "$1/practice"
        cp -Rp "$root/Makefile" "$root/common" "$root/demos" "$root/docs" "$root/scripts" "$root/tests" "$root/build" "$1"
        reference >"$1/practice/accept.c"
    }
    checkout "$place/theirs"
    who=other
    give "$place/theirs"
    best=$( (as_user "$place/bin/supervise" --offline --status 1 /bin/true) </dev/null | sed -n 's/^started .*level=//p')
    (cd / && as_user env -u WB_BUILD -u WB_PRACTICE TMPDIR=/tmp HOME=/tmp "$place/theirs/scripts/exercise" check --all --only accept --format records) >"$T/records" 2>"$T/words" </dev/null ||
        flunk "$(cat "$T/records" "$T/words")"
    is "$(cut -f 4,11 "$T/records" | sort -u)" "pass	$best"

    mkdir -m 700 "$place/ours"
    mv "$place/theirs" "$place/ours/checkout"
    chown -R 0:0 "$place/ours"
    chmod 700 "$place/ours"
    for level in namespaces landlock user; do
        "$place/bin/supervise" --level $level --offline /bin/true >/dev/null 2>&1 </dev/null || continue
        env -u WB_BUILD -u WB_PRACTICE WB_LEVEL=$level "$place/ours/checkout/scripts/exercise" check --all --only accept --format records >"$T/records" 2>"$T/words" </dev/null ||
            flunk "$(cat "$T/records" "$T/words")"
        is "$(cut -f 4,11 "$T/records" | sort -u)" "pass	$level"
    done
}

# --- The table -------------------------------------------------------------------

@test "attacks: is each row of the table tried, and each test's row there?" {
    agree docs/judge.md "$(sed -n '/^| a submission/,/^$/s/^| \([^|]*[^ |]\) *|.*/\1/p' "$root/docs/judge.md" | sed 1d)" \
        tests/judge_attacks.bats "$(sed -n "s/^    each_room [\"']\(.*\)[\"'] [a-z_]*\$/\1/p; s/^    in_table '\(.*\)' namespaces .*/\1/p" "$BATS_TEST_FILENAME")" \
        'add a row to the table, or a test that calls each_room with the row'
}
