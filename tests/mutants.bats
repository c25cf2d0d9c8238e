#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Wrong programs that are derived from the references: does the judge refuse them?
# tests/mutants/mutants --help tells how to try one exercise, or all.

load helpers

mutants() {
    run env WB_BUILD="$build" nice "$root/tests/mutants/mutants" "$@"
}

@test "mutants: are wrong programs refused, and right ones not?" {
    only_in plain long
    mutants --list
    [ "$status" -eq 0 ] || flunk "$output"
    mapfile -t all <<<"$output"
    sample 'mutants of the exercises' 0 15 "${all[@]}" >"$T/chosen"
    mutants --from "$T/chosen"
    [ "$status" -eq 0 ] || flunk "What to do: a check in scripts/judge/checks_*.c has to refuse what passed; if it is a right program, give it a row in tests/mutants/equivalents. $output"
}

@test "mutants: does the table of right ones belong to these references?" {
    mutants --sums
    is "$(cut -f 2,3 <<<"$output")" "$(sed -n 's/^source\t//p' "$root/tests/mutants/equivalents")" ||
        flunk "What to do: a reference has changed. Run tests/mutants/mutants with its name, read its rows in tests/mutants/equivalents, and put there what tests/mutants/mutants --sums prints"
    mutants --list
    comm -13 <(sort <<<"$output") <(grep -v -e '^#' -e '^$' -e '^source' "$root/tests/mutants/equivalents" | cut -f 1 | sort) >"$T/gone"
    [ ! -s "$T/gone" ] || flunk "no such mutant any more, remove its row: $(cat "$T/gone")"
}

@test "mutants: is each kind of mistake derived, and nothing outside the part to write?" {
    printf 'cut\tBEGIN\tEND\n' >"$T/tiny.ex"
    cat >"$T/tiny.c" <<'C'
int before(int a)
{
    if (a > 1)
        return 1;
    return 0;
}

int BEGIN(int n)
{
    int sum = 0;

    while (n > 0) {
        if (n == 3 && sum < 10)
            sum += buffer_used(n);
        else
            skip(n);
        n--;
    }
    errno = EAGAIN;
    return sum ? sum : -1;
} /* END */
C
    mkdir "$T/tiny"
    awk -v folder="$T/tiny" -f "$root/tests/mutants/mutate.awk" "$T/tiny.ex" "$T/tiny.c" >"$T/list"
    for kind in negated boundary removed doubled 'moved out' 'moved in' exchanged constant swapped operator once always; do
        grep -q "	$kind: " "$T/list" || flunk "no mutant is of the kind '$kind': $(cat "$T/list")"
    done
    for program in "$T"/tiny/[0-9]*.c; do
        is "$(head -n 6 "$program")" "$(head -n 6 "$T/tiny.c")"
        ! cmp -s "$program" "$T/tiny.c" || flunk "$program is no mutant"
    done
    is "$(wc -l <"$T/list")" "$(find "$T/tiny" -name '[0-9]*.c' | wc -l)"
}
