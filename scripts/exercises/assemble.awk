# assemble.awk - makes the program of an exercise from its source and one
# section of its .ex file.
#
#   awk -v section='stub' -f assemble.awk NAME.ex SOURCE
#
# A section has one of two forms. Either it replaces the regions that are cut
# out of the source; lines '---' separate its parts. Or it changes the whole
# source, like a diff: consecutive lines that begin with '-' are searched for,
# and replaced by the lines with '+' that follow them; a line '@@' separates two
# removals. Section 'reference' is the source itself, unless the file has a
# section of this name: then it changes the source, and the other sections begin
# with its result.
#
# 'line', a pattern and a line: in every program of the exercise, that line takes
# the place of the source's line that matches.

function complain(what) {
    print FILENAME ": section '" section "': " what >"/dev/stderr"
    failed = 1
    exit 1
}

# The next line of the source at which all removed lines of this hunk match.
function place(s, hunk, from,    i) {
    for (; from + lines_out[s, hunk] - 1 <= count; from++) {
        for (i = 1; i <= lines_out[s, hunk] && line[from + i - 1] == out[s, hunk, i]; i++)
            ;
        if (i > lines_out[s, hunk])
            return from
    }
    complain("not in the source: " out[s, hunk, 1])
}

# Change the source as section s says.
function change(s,    at, next_place, hunk, i, made, new) {
    at = 1
    for (hunk = 1; hunk <= hunks[s]; hunk++) {
        next_place = place(s, hunk, at)
        for (; at < next_place; at++)
            new[++made] = line[at]
        for (i = 1; i <= lines_in[s, hunk]; i++)
            new[++made] = into[s, hunk, i]
        at += lines_out[s, hunk]
    }
    for (; at <= count; at++)
        new[++made] = line[at]
    for (count = 0; count < made;) {
        count++
        line[count] = new[count]
    }
}

function print_source(    i) {
    for (i = 1; i <= count; i++)
        print line[i]
}

function print_replaced(s,    i, cut, skipping) {
    cut = 1
    for (i = 1; i <= count; i++) {
        if (skipping) {
            if (line[i] ~ last[cut]) {
                skipping = 0
                cut++
            }
        } else if (cut <= cuts && line[i] ~ first[cut]) {
            sub(/\n+$/, "\n", text[s, cut])
            printf "%s", text[s, cut]
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
    inside = substr($0, 5)
    if (inside != section && inside != "reference")
        inside = ""
    found[inside] = 1
    part = 1
    was = ""
    next
}
inside == "" || (/^$/ && changes[inside]) { next }
/^@@$/ { was = ""; next }
/^-[^-]/ || (/^-$/ && changes[inside]) {
    changes[inside] = 1
    if (was != "-")
        hunks[inside]++
    out[inside, hunks[inside], ++lines_out[inside, hunks[inside]]] = substr($0, 2)
    was = "-"
    next
}
/^\+/ && changes[inside] {
    into[inside, hunks[inside], ++lines_in[inside, hunks[inside]]] = substr($0, 2)
    was = "+"
    next
}
$0 == "---" { part++; next }
{ text[inside, part] = text[inside, part] $0 "\n" }

END {
    if (failed)
        exit 1
    if (found["reference"])
        change("reference")
    if (section != "reference" && !found[section])
        complain("there is none")
    if (section != "reference" && !changes[section])
        print_replaced(section)
    else {
        if (section != "reference")
            change(section)
        print_source()
    }
}
