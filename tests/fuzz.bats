#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What reads bytes that somebody else has written is fuzzed, where clang and libFuzzer
# are installed: options, addresses, chat lines, traces. A corpus is kept beside each
# target. And what reads the records of verdicts: results.awk.

load helpers

# fuzzes TARGET RUNS [SOURCE...]: with so many inputs, which the seed chooses.
fuzzes() {
    local target=$1 runs=$2 corpora=("$T/corpus" "$root/tests/fuzz/corpus/$1")
    [ -d "${corpora[1]}" ] || unset 'corpora[1]'
    [ -z "${SANITIZE:-}" ] || skip 'the targets have their own sanitizers'
    printf '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const unsigned char *b, size_t n);\nint LLVMFuzzerTestOneInput(const unsigned char *b, size_t n) { return (b && n) * 0; }\n' >"$T/can.c"
    clang -fsanitize=fuzzer,address "$T/can.c" -o "$T/can" 2>/dev/null || skip 'clang with libFuzzer is not installed'
    clang -std=c11 -D_XOPEN_SOURCE=700 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -I"$root/common" -Wl,--wrap=exit -o "$T/$target" "$root/tests/fuzz/$target.c" "${@:3}" \
        "$root"/common/*.c -lm 2>"$T/build.err" 3>&- 4>&- || flunk "$(cat "$T/build.err")"
    mkdir -p "$T/corpus"
    # What it prints itself is of no interest (and 3 is stdout and stderr of the target).
    launch fuzzer ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 timeout 500 "$T/$target" -runs="$runs" -seed="$((${WB_SEED:-1} % 2147483646 + 1))" \
        -max_len=1000000 -timeout=30 -rss_limit_mb=1500 -detect_leaks=0 -reduce_inputs=0 -close_fd_mask=3 \
        -artifact_prefix="$T/" "${corpora[@]}"
    finish fuzzer
    [ "$status" -eq 0 ] || {
        cat "$T/fuzzer.err"
        base64 "$T"/crash-* "$T"/timeout-* "$T"/oom-* 2>/dev/null | head -c 4000
        flunk "$target: an input ends it; it stands here in base64"
    }
    # It has tried them all.
    grep -q "^Done $runs runs" "$T/fuzzer.err" || flunk "$(tail -n 3 "$T/fuzzer.err")"
}

@test "fuzz: are command lines read or refused?" {
    only_in long
    fuzzes options 1000000
}

@test "fuzz: are ports and addresses read or refused?" {
    only_in long
    fuzzes address 500000
}

@test "fuzz: is what others hear in the chat always whole lines without control characters?" {
    only_in long
    fuzzes chat 200000
}

@test "fuzz: is every trace drawn or refused?" {
    only_in long
    # The recorder's format is the machine's: so the traces are made here.
    for what in 'echo_busypoll --stop-after 50ms 0' 'errno_provoke' 'nagle_stall --exchanges 3'; do
        rm -rf "$T/corpus"
        mkdir "$T/corpus"
        # shellcheck disable=SC2086 # words are wanted
        record "${what%% *}" "$bin"/$what >/dev/null
        cp "$T/${what%% *}.trace" "$T/corpus"
        # shellcheck disable=SC2046 # one word each
        fuzzes trace 500 $(find "$root/scripts/tracer/draw" -name '*.c' ! -name timeline.c)
    done
}

@test "fuzz: has each target a corpus and a test?" {
    only_in long
    for target in "$root"/tests/fuzz/*.c; do
        name=$(basename -s .c "$target")
        [ "$name" = trace ] || [ -n "$(ls "$root/tests/fuzz/corpus/$name")" ] || flunk "there is no corpus for $name"
        grep -q "^ *fuzzes $name " "$BATS_TEST_FILENAME" || flunk "$name is not run"
    done
}

@test "fuzz: are all records of verdicts, whatever is in them, valid in each format?" {
    only_in long
    command -v python3 >/dev/null || skip 'python3 is not installed'
    python3 - "$root/scripts/exercises/results.awk" "${WB_SEED:-1}" <<'END'
import json, os, random, subprocess, sys, xml.dom.minidom
script, seed = sys.argv[1:]
draw = random.Random(int(seed))
nasty = [b'\\', b'"', b'<', b'&', b"'", b'#', b'%s', b'\r', b'\x00', b'\x1b', b'\x7f', b'\x80', b'\xc3\xa9',
         b'\xe2\x82\xac', b'\xf0\x9f\x98\x80', b'\xed\xa0\x80', b'\xef\xbf\xbf', b'\\n', b']]>', b' ', b'a', b'=']
def field():
    return b''.join(draw.choice(nasty) if draw.random() < 0.7 else bytes([draw.randrange(256)])
                    for _ in range(draw.randrange(20))).translate(None, b'\t\n')
for round in range(300):
    lines = []
    for check in range(draw.randrange(1, 8)):
        result = draw.choice([b'pass', b'fail', b'error'])
        lines.append(b'\t'.join([draw.choice([b'accept', b'framing']), b'check%d' % check, b'one # two \\ <', result,
                                 b'CRASH', b'%d' % draw.randrange(3), b'3', b'0.100', field()]))
    records = b'\n'.join(lines) + b'\n'
    for form in ['tap', 'junit', 'gradescope', 'classroom50', 'points']:
        done = subprocess.run(['awk', '-v', 'format=' + form, '-v', 'date=2026-01-01T00:00:00Z', '-f', script],
                              input=records, capture_output=True, env=dict(os.environ, LC_ALL='C'))
        try:
            assert done.returncode == 0 and not done.stderr, done.stderr
            text = done.stdout.decode('utf-8')
            if form == 'junit':
                cases = xml.dom.minidom.parseString(text).getElementsByTagName('testcase')
                assert len(cases) == len(lines), 'testcases'
            elif form in ('gradescope', 'classroom50'):
                json.loads(text)
            elif form == 'tap':
                said = [line for line in text.split('\n') if line.startswith(('ok ', 'not ok '))]
                assert len(said) == len(lines), 'lines'
        except Exception as wrong:
            sys.exit('round %d, %s: %r of %r' % (round, form, wrong, records))
END
}
