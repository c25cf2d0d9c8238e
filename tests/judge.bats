#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where the evidence of a verdict comes from: from the judge's peers and from the
# kernel, and not from what runs inside the program that is judged.

load helpers

setup_file() {
    [ "$(uname -s)" = Linux ] || skip "the judge needs Linux"
}

# judged EXERCISE PROGRAM [OPTION]...: sets status and output.
judged() {
    run timeout 60 "$build/judge/judge" "${@:3}" "$1" "$2"
}

# shows TEXT: the output has it, wherever its lines are broken.
shows() {
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"$1"* ]] || flunk "it does not show '$1': $output"
}

# compiled NAME [ARGUMENT]...: a C program from standard input, linked like a submission.
compiled() {
    cat >"$T/$1.c"
    ${CC:-cc} -std=c11 -D_XOPEN_SOURCE=700 -D_GNU_SOURCE -w -I"$root/common" -I"$root" \
        ${SANITIZE:+-fsanitize=address,undefined} -o "$T/$1" "$T/$1.c" \
        "$build/obj/scripts/judge/witness.o" "${@:2}" -ldl
}

@test "judge: is a right program right without a witness in it?" {
    only_in long
    while read -r exercise program; do
        judged "$exercise" "$bin/$program"
        is "$status" 0
        shows "$exercise: passed, all "
    done <<'EOF'
again echo_busypoll
accept echo_busypoll
writable echo_poll
fd_set echo_select
epoll echo_epoll
edge echo_epoll_edge
descriptors echo_select
framing chat_server
half_close chat_server
back_pressure chat_server
connected connect_poll
deadline connect_nonblocking
partial_send send_all
back_off connect_retry
datagrams udp_echo_nonblocking
EOF
}

@test "judge: without a witness, is it told in which call of which client a program is blocked?" {
    judged accept "$bin/echo_blocking"
    is "$status" 1
    shows 'ACCEPTED_BLOCKING: '
    shows 'the program is blocked in recv on client A (descriptor '
}

# A program that gives the witness's memory what a right program would leave there.
@test "judge: does a witness that lies grant no point?" {
    command -v "${CC:-cc}" >/dev/null || skip "there is no compiler"
    compiled liar <<'EOF'
#include "scripts/judge/witness.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Before the witness takes the descriptor: record fourteen growing pauses. */
__attribute__((constructor(101))) static void lie(void)
{
    const char *name = getenv("WB_WITNESS");
    struct witness *w = name ? mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, atoi(name), 0) : MAP_FAILED;
    int64_t at = 1000000000;

    for (int i = 0; w != MAP_FAILED && i < 14; i++) {
        w->seen[w->count++] = (struct seen){
            .began = at, .ended = at + 1000, .times = 1, .call = CALL_connect,
            .fd = 3, .result = -1, .error = 111};
        w->calls[CALL_connect]++;
        at += (i < 5 ? 5000000 << i : 150000000) / 2 + rand() % 40000000;
    }
}

int main(void)
{
    usleep(900000);
    write(2, "liar: gave up after 14 tries: ECONNREFUSED\n", 43);
    return 1;
}
EOF
    judged back_off "$T/liar" --only dead
    is "$status" 1
    shows 'it tried 0 times'
}

@test "judge: is text that was written before the run no answer?" {
    command -v "${CC:-cc}" >/dev/null || skip "there is no compiler"
    compiled printer "$build/libwouldblock.a" <<'EOF'
#include "scripts/exercises/classify_cases.h"
#include <unistd.h>

/* What the driver prints for the well-known cases. */
int main(void)
{
    for (size_t i = 0; i < CLASSIFY_CASES; i++) {
        char left[64], right[64];

        classify_text(&classify_cases[i], left, right, sizeof left);
        printf("%s: %s\n", left, right);
    }
    printf("counters: calls=30 again=3 partial=1\n");
    return 0;
}
EOF
    judged classify "$T/printer" --all
    is "$status" 1
    is "$(grep -c ': not yet\. Check' <<<"$output")" 5
}

@test "judge: does a refused program have to tell the error that was drawn?" {
    command -v "${CC:-cc}" >/dev/null || skip "there is no compiler"
    compiled guesser <<'EOF'
#include <stdio.h>

int main(void)
{
    fputs("guesser: ECONNREFUSED\n", stderr);
    return 1;
}
EOF
    told=0
    for seed in 1 2 3 4 5 6 7 8; do
        judged connected "$T/guesser" --only refused --seed "$seed"
        ((status == 0)) || told=$((told + 1))
    done
    holds "$told > 2"
}

@test "judge: does a seed draw the same again, and another seed something else?" {
    drawn() {
        "$build/judge/judge" --only refused --seed "$1" connected "$bin/echo_client" |
            sed -n 's/.* and the program is told \([A-Z]*\).*/\1/p'
    }
    all=''
    for seed in 11 12 13 14 15 16 17 18; do
        first=$(drawn "$seed")
        [ -n "$first" ] || flunk "nothing was drawn"
        is "$(drawn "$seed")" "$first"
        all="$all $first"
    done
    holds "$(tr ' ' '\n' <<<"$all" | sort -u | grep -c .) > 1"
}

@test "judge: where the kernel reports no calls, is the witness asked?" {
    command -v "${CC:-cc}" >/dev/null || skip "there is no compiler"
    # A listener that is there already refuses a second one (seccomp(2), EBUSY).
    compiled without <<'EOF'
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, all};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* It has to stay open, or it counts no more. */
    fcntl(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                  SECCOMP_FILTER_FLAG_NEW_LISTENER, &program), F_SETFD, 0);
    return execv(argv[1], argv + 1);
}
EOF
    printf '%s\n' '#include "common/wouldblock.h"' | compiled retry \
        -xc "$root/demos/connect/connect_retry.c" -xnone "$build/libwouldblock.a"
    run timeout 60 "$T/without" "$build/judge/judge" --only dead back_off "$T/retry"
    shows 'back_off: passed'
    run timeout 60 "$T/without" "$build/judge/judge" --only dead back_off "$bin/connect_retry"
    is "$status" 1
}
