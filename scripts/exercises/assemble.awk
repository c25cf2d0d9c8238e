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
#
# Section 'base' is a change of the source that comes before all others: then the
# result is cut, changed, and the reference.
#
# Lines 'vary' of the .ex file name words, and others that take their place in the
# program of a cohort, with tabs between: vary WORDS OTHERS OTHERS... With -v
# cohort=NUMBER, that number chooses the others, and also the number that takes the
# place of '#' in them. Section 'text' is SOURCE with these words, which may be any
# text; section 'words' is the list that the judge is given: a line for each 'vary',
# with the usual words, those of this cohort, and then all others.

function complain(what) {
    print FILENAME ": section '" section "': " what >"/dev/stderr"
    failed = 1
    exit 1
}

# Choose the words of this cohort.
function choose(n, field,    i, ours) {
    if (!cohort)
        ours = field[2]
    else
        ours = field[3 + int(cohort / (1 + varied)) % (n - 2)]
    sub(/#/, 100 + int(cohort / (31 + varied)) % 900, ours)
    usual[++varied] = field[2]
    words[varied] = ours
    others[varied] = field[2]
    for (i = 3; i <= n; i++)
        others[varied] = others[varied] "\t" field[i]
}

# One or more lines, with the words of this cohort.
function put(text,    i, at, done) {
    for (i = 1; i <= varied; i++) {
        done = ""
        while (words[i] != usual[i] && (at = index(text, usual[i]))) {
            done = done substr(text, 1, at - 1) words[i]
            text = substr(text, at + length(usual[i]))
        }
        text = done text
    }
    printf "%s", text
}

# The next line of the source at which all removed lines of this hunk match.
function place(which, hunk, from,    i, n) {
    n = lines_out[which, hunk]
    for (; from + n - 1 <= count; from++) {
        for (i = 1; i <= n && line[from + i - 1] == out[which, hunk, i]; i++)
            ;
        if (i > n)
            return from
    }
    complain("not in the source: " out[which, hunk, 1])
}

# Make the changes of this section in line[].
function change(which,    at, next_place, hunk, i, n, changed) {
    at = 1
    for (hunk = 1; hunk <= hunks[which]; hunk++) {
        next_place = place(which, hunk, at)
        for (; at < next_place; at++)
            changed[++n] = line[at]
        for (i = 1; i <= lines_in[which, hunk]; i++)
            changed[++n] = into[which, hunk, i]
        at += lines_out[which, hunk]
    }
    for (; at <= count; at++)
        changed[++n] = line[at]
    count = n
    for (i = 1; i <= n; i++)
        line[i] = changed[i]
}

function print_all(    i) {
    for (i = 1; i <= count; i++)
        put(line[i] "\n")
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
            put(text[cut])
            skipping = 1
        } else {
            put(line[i] "\n")
        }
    }
    if (cut != cuts + 1)
        complain("region " cut " is not in the source")
}

FNR != NR {
    line[++count] = $0
    for (i = 1; i <= exchanged; i++)
        if ($0 ~ instead_of[i])
            line[count] = instead[i]
    next
}
/^line\t/ {
    split($0, field, "\t")
    instead_of[++exchanged] = field[2]
    instead[exchanged] = field[3]
}
/^cut\t/ {
    split($0, field, "\t")
    first[++cuts] = field[2]
    last[cuts] = field[3]
}
/^vary\t/ {
    n = split($0, field, "\t")
    choose(n, field)
}
/^=== / {
    inside = substr($0, 5)
    if (inside != section && inside != "base")
        inside = ""
    found = found || inside == section
    part = 1
    was = ""
    next
}
!inside || (/^$/ && changes[inside]) { next }
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
{ text[part] = text[part] $0 "\n" }

END {
    if (failed)
        exit 1
    if (section == "words") {
        for (i = 1; i <= varied; i++)
            print usual[i] "\t" words[i] "\t" others[i]
        exit
    }
    if (section == "text") {
        print_all()
        exit
    }
    change("base")
    if (section == "reference") {
        print_all()
    } else if (!found) {
        complain("there is none")
    } else if (changes[section]) {
        change(section)
        if (!failed)
            print_all()
    } else {
        print_replaced()
    }
}
