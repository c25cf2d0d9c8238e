# results.awk - prints the results of checks in one of several formats.
#
#   scripts/exercise check --all --format FORMAT
#   LC_ALL=C awk -v format=FORMAT -f results.awk
#
# Input: lines of tab-separated fields: exercise, check, title, result (pass,
# fail, error), mistake, points, of, seconds, symptom, and what a replay needs:
# seed, level of containment, version of the judge. Formats:
#   tap          Test Anything Protocol, version 13
#   junit        XML as Ant's JUnit task writes it, which every CI reads
#   gradescope   results.json; gradescope-autograders.readthedocs.io, "Specs"
#   classroom50  result.json; schema classroom50/result/v1
#   csv          one line for a submission; see 'grade'
#   of-student   the same lines, with the student as one more field
#   points       a table for people, with the sum in its last line
#
# A symptom holds the output of a program, which may be any bytes, and names
# from the environment may be any bytes too. So all text goes through clean(),
# which works on bytes: that is why LC_ALL=C is needed.

BEGIN {
    FS = "\t"
    split("", none)
    for (i = 1; i < 256; i++)
        code[sprintf("%c", i)] = i
    # How to write a byte: as it is, unless a format needs an escape.
    json_for["\\"] = "\\\\"
    json_for["\""] = "\\\""
    xml_for["&"] = "&amp;"
    xml_for["<"] = "&lt;"
    xml_for[">"] = "&gt;"
    xml_for["\""] = "&quot;"
    tap_for["\\"] = "\\\\"
    tap_for["#"] = "\\#"
    csv_for["\""] = "\"\""
    csv_for["\n"] = "\n" # allowed within quotes
}

# The length in bytes of the UTF-8 character at this place; 0 if it is invalid,
# or not allowed in XML (U+FFFE and U+FFFF). The ranges are in the Unicode
# Standard, Table 3-7.
function length_of(text, at,    lead, second, more, low, high, i, next_one) {
    lead = code[substr(text, at, 1)]
    if (lead < 128)
        return 1
    more = lead < 194 ? 0 : lead < 224 ? 1 : lead < 240 ? 2 : lead < 245 ? 3 : 0
    low = lead == 224 ? 160 : lead == 240 ? 144 : 128
    high = lead == 237 ? 159 : lead == 244 ? 143 : 191
    if (!more)
        return 0
    for (i = 1; i <= more; i++) {
        next_one = code[substr(text, at + i, 1)] + 0
        if (next_one < low || next_one > high)
            return 0
        low = 128
        high = 191
    }
    second = code[substr(text, at + 1, 1)]
    if (lead == 239 && second == 191 && code[substr(text, at + 2, 1)] >= 190)
        return 0
    return more + 1
}

# Make UTF-8 text on one line: invalid bytes and control characters become '?'.
# Characters that the format escapes are replaced.
function clean(text, stands_for,    i, n, c, length_here, result) {
    n = length(text)
    for (i = 1; i <= n; i += length_here) {
        c = substr(text, i, 1)
        length_here = length_of(text, i)
        if (c in stands_for)
            result = result stands_for[c]
        else if (length_here > 1)
            result = result substr(text, i, length_here)
        else if (c == "\t" || c == "\n" || c == "\r")
            result = result " "
        else if (length_here == 0 || code[c] < 32 || code[c] == 127)
            result = result "?"
        else
            result = result c
        if (length_here == 0)
            length_here = 1
    }
    return result
}

# A list with one more word, if that is new and not '-'.
function with(list, word) {
    return word == "" || word == "-" || index(" " list " ", " " word " ") ? list : list (list == "" ? "" : " ") word
}

# What a replay needs, and how the programs were contained.
function circumstances() {
    return "seed " (all_seeds == "" ? "-" : all_seeds) ", containment " (all_levels == "" ? "-" : all_levels) \
        ", judge " (all_versions == "" ? "-" : all_versions)
}

function json(text) {
    return "\"" clean(text, json_for) "\""
}

function xml(text) {
    return clean(text, xml_for)
}

{
    n++
    exercise[n] = $1; check[n] = $2; title[n] = $3; result[n] = $4
    mistake[n] = $5; points[n] = $6; of[n] = $7; took[n] = $8
    symptom[n] = $9
    seed[n] = $10; level[n] = $11; version[n] = $12
    line[n] = $0
    all_seeds = with(all_seeds, $10)
    all_levels = with(all_levels, $11)
    all_versions = with(all_versions, $12)
    score += $6
    most += $7
    all_took += $8
    failures += $4 == "fail"
    errors += $4 == "error"
    says[n] = $4 == "pass" ? "" : $5 ": " $9
}

function tap(    i) {
    print "TAP version 13"
    print "1.." n
    for (i = 1; i <= n; i++) {
        printf "%s %d - %s: %s\n", (result[i] == "pass" ? "ok" : "not ok"), i, \
            clean(exercise[i], tap_for), clean(title[i], tap_for)
        if (says[i] != "") {
            print "  ---"
            print "  message: " json(says[i])
            print "  severity: " (result[i] == "error" ? "error" : "fail")
            print "  ..."
        }
    }
    if (all_seeds != "")
        print "# " clean(circumstances(), tap_for)
}

function junit(    i) {
    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    printf "<testsuites tests=\"%d\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n", n, failures, errors, all_took
    printf "  <testsuite name=\"wouldblock\" tests=\"%d\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n", n, failures, errors, all_took
    print "    <properties>"
    print "      <property name=\"seed\" value=\"" xml(all_seeds) "\"/>"
    print "      <property name=\"containment\" value=\"" xml(all_levels) "\"/>"
    print "      <property name=\"judge\" value=\"" xml(all_versions) "\"/>"
    print "    </properties>"
    for (i = 1; i <= n; i++) {
        printf "    <testcase classname=\"%s\" name=\"%s\" time=\"%s\"", xml(exercise[i]), xml(title[i]), took[i]
        if (result[i] == "pass")
            print "/>"
        else
            printf ">\n      <%s type=\"%s\" message=\"%s\"/>\n    </testcase>\n", \
                (result[i] == "error" ? "error" : "failure"), xml(mistake[i]), xml(says[i])
    }
    print "  </testsuite>"
    print "</testsuites>"
}

function gradescope(    i) {
    printf "{\n  \"score\": %d,\n  \"execution_time\": %d,\n", score, wall
    printf "  \"output\": %s,\n", json(circumstances())
    printf "  \"extra_data\": {\"seed\": %s, \"containment\": %s, \"judge\": %s},\n", json(all_seeds), json(all_levels), json(all_versions)
    print "  \"visibility\": \"visible\",\n  \"stdout_visibility\": \"hidden\",\n  \"tests\": ["
    for (i = 1; i <= n; i++)
        printf "    {\"score\": %d, \"max_score\": %d, \"status\": \"%s\", \"name\": %s, \"output\": %s, \"output_format\": \"text\", \"visibility\": \"visible\"}%s\n", \
            points[i], of[i], (result[i] == "pass" ? "passed" : "failed"), json(exercise[i] ": " title[i]), \
            json(says[i]), (i < n ? "," : "")
    print "  ]\n}"
}

# The value of the first of these variables that is set.
function environment(first, second) {
    return ENVIRON[first] != "" ? ENVIRON[first] : ENVIRON[second]
}

function classroom50(    i, owner) {
    owner = environment("OWNER", "USERNAME")
    print "{\n  \"schema\": \"classroom50/result/v1\","
    printf "  \"classroom\": %s,\n  \"assignment\": %s,\n", json(ENVIRON["CLASSROOM"]), json(ENVIRON["ASSIGNMENT"])
    if (owner != "")
        printf "  \"owner\": %s,\n", json(owner)
    printf "  \"submission\": %s,\n  \"commit\": %s,\n", json(ENVIRON["SUBMISSION_TAG"]), json(ENVIRON["COMMIT_URL"])
    printf "  \"release\": %s,\n  \"review\": %s,\n", json(ENVIRON["RELEASE_URL"]), json(environment("REVIEW_URL", "COMMIT_URL"))
    printf "  \"datetime\": %s,\n  \"score\": %d,\n  \"max-score\": %d,\n  \"tests\": [\n", json(date), score, most
    for (i = 1; i <= n; i++)
        printf "    {\"test-name\": %s, \"passed\": %s, \"score\": %d, \"max-score\": %d, \"message\": %s}%s\n", \
            json(exercise[i] ": " title[i]), (result[i] == "pass" ? "true" : "false"), points[i], of[i], \
            json(says[i] (says[i] != "" && all_seeds != "" ? " (" circumstances() ")" : "")), (i < n ? "," : "")
    print "  ]\n}"
}

# A cell of a table that a spreadsheet will open. It would take a text that begins
# with one of these characters for a formula; an apostrophe makes it text.
function cell(text) {
    return "\"" (text ~ /^[-=+@\t\r]/ ? "'" : "") clean(text, csv_for) "\""
}

# One line for $STUDENT: for each of $EXERCISES, the points and the mistakes.
function csv(    i, names, name, sum, found) {
    for (i = 1; i <= n; i++) {
        sum[exercise[i]] += points[i]
        if (result[i] != "pass" && index(found[exercise[i]] " ", " " mistake[i] " ") == 0)
            found[exercise[i]] = found[exercise[i]] " " mistake[i]
    }
    printf "%s,%d,%d", cell(ENVIRON["STUDENT"]), score, most
    names = split(ENVIRON["EXERCISES"], name, " ")
    for (i = 1; i <= names; i++)
        printf ",%d,%s", sum[name[i]], substr(found[name[i]], 2)
    printf ",%s,%s,%s\n", all_seeds, all_levels, all_versions
}

function of_student(    i) {
    for (i = 1; i <= n; i++)
        print line[i] "\t" clean(ENVIRON["STUDENT"], none)
}

function table(    i) {
    for (i = 1; i <= n; i++)
        printf "%-14s %2d of %2d  %-44s %s\n", exercise[i], points[i], of[i], title[i], \
            (result[i] == "pass" ? "" : mistake[i])
    printf "points: %d of %d\n", score, most
}

END {
    if (format == "tap") tap()
    else if (format == "junit") junit()
    else if (format == "gradescope") gradescope()
    else if (format == "classroom50") classroom50()
    else if (format == "csv") csv()
    else if (format == "of-student") of_student()
    else if (format != "html") table()
}
