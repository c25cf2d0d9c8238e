# assemble.awk - makes the program of an exercise from its source and one
# section of its .ex file.
#
#   awk -v section='stub' -f assemble.awk NAME.ex SOURCE
#
# A section has one of two forms. Either it replaces the regions that are cut
# out of the source; lines '---' separate its parts. Or it changes the whole
# source, like a diff: consecutive lines that begin with '-' are searched for,
# and replaced by the lines with '+' that follow them; a line '@@' separates two
# removals. Section 'reference' is the source itself.
#
# 'line', a pattern and a line: in every program of the exercise, that line takes
# the place of the source's line that matches.

function complain(what) {
    print FILENAME ": section '" section "': " what >"/dev/stderr"
    failed = 1
    exit 1
}

# The next line of the source at which all removed lines of this hunk match.
function place(hunk, from,    i) {
    for (; from + lines_out[hunk] - 1 <= count; from++) {
        for (i = 1; i <= lines_out[hunk] && line[from + i - 1] == out[hunk, i]; i++)
            ;
        if (i > lines_out[hunk])
            return from
    }
    complain("not in the source: " out[hunk, 1])
}

function print_changed(    at, next_place, hunk, i) {
    at = 1
    for (hunk = 1; hunk <= hunks; hunk++) {
        next_place = place(hunk, at)
        for (; at < next_place; at++)
            print line[at]
        for (i = 1; i <= lines_in[hunk]; i++)
            print into[hunk, i]
        at += lines_out[hunk]
    }
    for (; at <= count; at++)
        print line[at]
}

function print_replaced(    i, cut, skipping) {
    cut = 1
    for (i = 1; i <= count; i++) {
        if (skipping) {
            if (line[i] ~ last[cut]) {
                skipping = 0
                cut++
            }
        } else if (cut <= cuts && line[i] ~ first[cut]) {
            sub(/\n+$/, "\n", text[cut])
            printf "%s", text[cut]
            skipping = 1
        } else {
            print line[i]
        }
    }
    if (cut != cuts + 1)
        complain("region " cut " is not in the source")
}

FNR != NR {
    line[++count] = $0
    for (i = 1; i <= others; i++)
        if ($0 ~ instead_of[i])
            line[count] = instead[i]
    next
}
/^line\t/ {
    split($0, field, "\t")
    instead_of[++others] = field[2]
    instead[others] = field[3]
}
/^cut\t/ {
    split($0, field, "\t")
    first[++cuts] = field[2]
    last[cuts] = field[3]
}
/^=== / {
    inside = substr($0, 5) == section
    found = found || inside
    part = 1
    was = ""
    next
}
!inside || (/^$/ && changes) { next }
/^@@$/ { was = ""; next }
/^-[^-]/ || (/^-$/ && changes) {
    changes = 1
    if (was != "-")
        hunks++
    out[hunks, ++lines_out[hunks]] = substr($0, 2)
    was = "-"
    next
}
/^\+/ && changes {
    into[hunks, ++lines_in[hunks]] = substr($0, 2)
    was = "+"
    next
}
$0 == "---" { part++; next }
{ text[part] = text[part] $0 "\n" }

END {
    if (failed)
        exit 1
    if (section == "reference")
        for (i = 1; i <= count; i++)
            print line[i]
    else if (!found)
        complain("there is none")
    else if (changes)
        print_changed()
    else
        print_replaced()
}
