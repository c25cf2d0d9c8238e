# results.awk - results of checks, in the form that somebody wants to have.
#
#   scripts/exercise check --all --format FORMAT
#
# Lines of tab-separated fields come in: exercise, check, title, result (pass,
# fail, error), mistake, points, of, seconds, symptom. Formats:
#   tap          Test Anything Protocol, version 13
#   junit        XML as Ant's JUnit task writes it, which every CI reads
#   gradescope   results.json; gradescope-autograders.readthedocs.io, "Specs"
#   classroom50  result.json; schema classroom50/result/v1
#   points       a table for people, with the sum in its last line

BEGIN { FS = "\t" }

function json(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    gsub(/[\001-\037\177]/, " ", text)
    return "\"" text "\""
}

function xml(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/"/, "\\&quot;", text)
    gsub(/[\001-\037\177]/, " ", text)
    return text
}

{
    n++
    exercise[n] = $1; check[n] = $2; title[n] = $3; result[n] = $4
    mistake[n] = $5; points[n] = $6; of[n] = $7; took[n] = $8
    symptom[n] = $9
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
        printf "%s %d - %s: %s\n", result[i] == "pass" ? "ok" : "not ok", i, exercise[i], title[i]
        if (says[i] != "") {
            print "  ---"
            print "  message: " json(says[i])
            print "  severity: " (result[i] == "error" ? "error" : "fail")
            print "  ..."
        }
    }
}

function junit(    i) {
    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    printf "<testsuites tests=\"%d\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n", n, failures, errors, all_took
    printf "  <testsuite name=\"wouldblock\" tests=\"%d\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n", n, failures, errors, all_took
    for (i = 1; i <= n; i++) {
        printf "    <testcase classname=\"%s\" name=\"%s\" time=\"%s\"", xml(exercise[i]), xml(title[i]), took[i]
        if (result[i] == "pass")
            print "/>"
        else
            printf ">\n      <%s type=\"%s\" message=\"%s\"/>\n    </testcase>\n", \
                result[i] == "error" ? "error" : "failure", xml(mistake[i]), xml(says[i])
    }
    print "  </testsuite>"
    print "</testsuites>"
}

function gradescope(    i) {
    printf "{\n  \"score\": %d,\n  \"execution_time\": %d,\n", score, all_took + 0.5
    print "  \"visibility\": \"visible\",\n  \"stdout_visibility\": \"hidden\",\n  \"tests\": ["
    for (i = 1; i <= n; i++)
        printf "    {\"score\": %d, \"max_score\": %d, \"status\": \"%s\", \"name\": %s, \"output\": %s, \"output_format\": \"text\", \"visibility\": \"visible\"}%s\n", \
            points[i], of[i], result[i] == "pass" ? "passed" : "failed", json(exercise[i] ": " title[i]), \
            json(says[i]), i < n ? "," : ""
    print "  ]\n}"
}

function classroom50(    i) {
    print "{\n  \"schema\": \"classroom50/result/v1\","
    printf "  \"classroom\": %s,\n  \"assignment\": %s,\n", json(classroom), json(assignment)
    if (owner != "")
        printf "  \"owner\": %s,\n", json(owner)
    printf "  \"submission\": %s,\n  \"commit\": %s,\n", json(submission), json(commit)
    printf "  \"release\": %s,\n  \"review\": %s,\n", json(release), json(review)
    printf "  \"datetime\": %s,\n  \"score\": %d,\n  \"max-score\": %d,\n  \"tests\": [\n", json(date), score, most
    for (i = 1; i <= n; i++)
        printf "    {\"test-name\": %s, \"passed\": %s, \"score\": %d, \"max-score\": %d, \"message\": %s}%s\n", \
            json(exercise[i] ": " title[i]), result[i] == "pass" ? "true" : "false", points[i], of[i], \
            json(says[i]), i < n ? "," : ""
    print "  ]\n}"
}

function table(    i) {
    for (i = 1; i <= n; i++)
        printf "%-14s %2d of %2d  %-44s %s\n", exercise[i], points[i], of[i], title[i], \
            result[i] == "pass" ? "" : mistake[i]
    printf "points: %d of %d\n", score, most
}

END {
    if (format == "tap") tap()
    else if (format == "junit") junit()
    else if (format == "gradescope") gradescope()
    else if (format == "classroom50") classroom50()
    else table()
}
