# report.awk - a page for one student: points, and the story of each failure.
#
#   LC_ALL=C STUDENT=NAME EXERCISES='accept again' MISTAKES=FILE LISTS=FOLDER \
#       GRADED=PREFIX awk -v format=html -f results.awk -f report.awk RECORDS
#
# It uses the records and the functions of results.awk. MISTAKES is what
# 'judge --mistakes' prints; LISTS/EXERCISE what 'judge --list' prints;
# PREFIX.EXERCISE.story the stories; PREFIX.EXERCISE.svgs/CHECK.svg the timelines.
# Whatever a program printed, and the student's name, goes through xml().

function read_mistakes(file,    line, part, name) {
    while ((getline line <file) > 0) {
        split(line, part, / \| /)
        name = part[1]
        gsub(/[|` ]/, "", name)
        lesson_of[name] = part[2]
        title_of[name] = part[3]
        advice_of[name] = part[4]
        sub(/ \|$/, "", advice_of[name])
    }
    close(file)
    title_of["NOT_HANDED_IN"] = "there is no program"
    advice_of["NOT_HANDED_IN"] = "Hand in a file with the name of the exercise"
    title_of["NOT_A_FILE"] = "a link, a folder or a device, which was not opened"
    advice_of["NOT_A_FILE"] = "Hand in the file itself"
    title_of["TOO_LARGE"] = "larger than a megabyte"
    title_of["EMPTY"] = "the file is empty"
    advice_of["EMPTY"] = "Was the file saved before it was handed in?"
    title_of["NOT_CHANGED"] = "the program that you were given, unchanged"
    advice_of["NOT_CHANGED"] = "Was another file meant to be handed in?"
    title_of["DOES_NOT_COMPILE"] = "the compiler refuses it"
    advice_of["DOES_NOT_COMPILE"] = "Fix the first error first: it often causes the others"
    title_of["INCLUDES_OTHER_FILES"] = "it includes a file that is no part of the task"
    advice_of["INCLUDES_OTHER_FILES"] = "You need only your file, the headers in common/ and those of the system"
    title_of["NOT_MADE"] = "this check could not be made, which is not your fault"
    advice_of["NOT_MADE"] = "Ask your instructor to grade it again"
}

function read_lists(    i, count, name, line, part, file) {
    count = split(ENVIRON["EXERCISES"], name, " ")
    for (i = 1; i <= count; i++) {
        file = ENVIRON["LISTS"] "/" name[i]
        while ((getline line <file) > 0) {
            split(line, part, "\t")
            by_hand[name[i], part[1]] = part[4]
        }
        close(file)
        file = ENVIRON["GRADED"] "." name[i] ".story"
        while ((getline line <file) > 0) {
            split(line, part, "\t")
            at = ++steps[part[1], part[2]]
            step_time[part[1], part[2], at] = part[3]
            step_text[part[1], part[2], at] = part[4]
        }
        close(file)
    }
}

# A picture as part of the page: an image of its own, so that its style stays
# its own.
function picture(file,    line, text) {
    while ((getline line <file) > 0)
        text = text line " "
    close(file)
    gsub(/%/, "%25", text)
    gsub(/#/, "%23", text)
    gsub(/"/, "%22", text)
    gsub(/</, "%3C", text)
    gsub(/>/, "%3E", text)
    gsub(/&/, "%26", text)
    return text
}

function head(student,    i) {
    print "<!DOCTYPE html>"
    print "<html lang=\"en\">"
    print "<head>"
    print "<meta charset=\"utf-8\">"
    print "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    print "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    print "<title>" student ": " score " of " most " points</title>"
    print "<style>"
    print ":root { color-scheme: light dark; --ground: #faf8f4; --panel: #fff; --ink: #1d1c1a; --soft: #5f5b54; --line: #d8d3c8; --good: #1a7f4b; --bad: #b3123c }"
    print "@media (prefers-color-scheme: dark) { :root { --ground: #16181d; --panel: #1e2128; --ink: #e8e6e3; --soft: #a4aeb9; --line: #3a404a; --good: #4cc38a; --bad: #ff6b8b } }"
    print "* { box-sizing: border-box }"
    print "html { font-size: clamp(1rem, 0.75rem + 0.6vw, 1.5rem) }"
    print "body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--ground); color: var(--ink); font-family: system-ui, sans-serif; line-height: 1.5; overflow-wrap: break-word }"
    print "h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0 }"
    print "h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line) }"
    print "h3 { font-size: 1rem; margin: 0 0 0.25rem }"
    print "h4 { font-size: 0.9rem; margin: 1rem 0 0.25rem; color: var(--soft) }"
    print "p { margin: 0.25rem 0 }"
    print ".soft { color: var(--soft) }"
    print ".good { color: var(--good) }"
    print ".bad { color: var(--bad) }"
    print "code, pre { font-family: ui-monospace, monospace; font-size: 0.85rem }"
    print "pre { margin: 0; padding: 0.5rem; background: var(--ground); border: 1px solid var(--line); border-radius: 0.3rem; white-space: pre-wrap; overflow-wrap: anywhere }"
    print "table { border-collapse: collapse; width: 100% }"
    print "th, td { text-align: left; padding: 0.2rem 0.5rem 0.2rem 0; border-bottom: 1px solid var(--line); vertical-align: top }"
    print "td.number, th.number { text-align: right; white-space: nowrap }"
    print "td a { color: inherit }"
    print "ul.checks { list-style: none; padding: 0; margin: 0.5rem 0 }"
    print ".failure { margin: 0.75rem 0; padding: 0.75rem 1rem; background: var(--panel); border: 1px solid var(--line); border-left: 0.3rem solid var(--bad); border-radius: 0.3rem }"
    print "ol.story { margin: 0; padding: 0; list-style: none; font-size: 0.95rem }"
    print "ol.story li { display: grid; grid-template-columns: 5.5rem 1fr }"
    print "ol.story time { color: var(--soft); font-variant-numeric: tabular-nums }"
    print ".timeline { overflow-x: auto }"
    print ".timeline img { display: block; width: 100%; min-width: 34rem; border: 1px solid var(--line); border-radius: 0.3rem }"
    print "@media print { .failure { break-inside: avoid } }"
    print "</style>"
    print "</head>"
    print "<body>"
}

function table_of_points(    i, count, name, sum, whole) {
    count = split(ENVIRON["EXERCISES"], name, " ")
    for (i = 1; i <= n; i++) {
        sum[exercise[i]] += points[i]
        whole[exercise[i]] += of[i]
        if (mistake[i] != "-" && index(" " named[exercise[i]] ",", " " mistake[i] ",") == 0)
            named[exercise[i]] = named[exercise[i]] (named[exercise[i]] == "" ? "" : ", ") mistake[i]
    }
    print "<table>"
    print "<thead><tr><th>exercise</th><th class=\"number\">points</th><th>what was found</th></tr></thead>"
    print "<tbody>"
    for (i = 1; i <= count; i++)
        printf "<tr><td><a href=\"#%s\">%s</a></td><td class=\"number\">%d of %d</td><td>%s</td></tr>\n", \
            xml(name[i]), xml(name[i]), sum[name[i]], whole[name[i]], \
            named[name[i]] == "" ? "<span class=\"good\">all checks passed</span>" : "<span class=\"bad\">" xml(named[name[i]]) "</span>"
    print "</tbody>"
    print "</table>"
}

function advice_for(what) {
    if (advice_of[what] != "")
        printf "<h4>Think</h4>\n<p>%s.</p>\n", xml(advice_of[what])
}

# One mistake that all checks of an exercise share, such as that it does not
# compile.
function failure_of_all(first) {
    print "<div class=\"failure\">"
    printf "<h3 class=\"bad\">%s: %s</h3>\n", xml(mistake[first]), xml(title_of[mistake[first]])
    printf "<p>%s</p>\n", xml(symptom[first])
    advice_for(mistake[first])
    print "</div>"
}

function failure(i, number,    k, key, command, file, drawn) {
    key = exercise[i] SUBSEP check[i]
    print "<div class=\"failure\">"
    printf "<p class=\"soft\">Check %d: %s</p>\n", number, xml(title[i])
    printf "<h3 class=\"bad\">%s: %s", xml(mistake[i]), xml(title_of[mistake[i]])
    if (lesson_of[mistake[i]] != "")
        printf " <span class=\"soft\">(lesson %s)</span>", xml(lesson_of[mistake[i]])
    print "</h3>"
    printf "<p>%s</p>\n", xml(symptom[i])
    if (steps[key] > 0) {
        print "<h4>What happened</h4>\n<ol class=\"story\">"
        for (k = 1; k <= steps[key]; k++)
            printf "<li><time>%s s</time><span>%s</span></li>\n", xml(step_time[key, k]), xml(step_text[key, k])
        print "</ol>"
    }
    file = ENVIRON["GRADED"] "." exercise[i] ".svgs/" check[i] ".svg"
    drawn = picture(file)
    if (drawn != "") {
        print "<h4>The timeline of this run</h4>"
        printf "<div class=\"timeline\"><img alt=\"When the program ran, when it was blocked and in which call, and what its peers did; the steps above say the same in words.\" src=\"data:image/svg+xml,%s\"></div>\n", drawn
    }
    advice_for(mistake[i])
    command = by_hand[key]
    if (command != "") {
        gsub(/PROGRAM/, "build/practice/" exercise[i], command)
        printf "<h4>See it by hand</h4>\n<pre>%s</pre>\n", xml(command)
    }
    print "</div>"
}

function exercise_part(name,    i, count, numbers, one, total) {
    printf "<h2 id=\"%s\">%s</h2>\n", xml(name), xml(name)
    count = 0
    for (i = 1; i <= n; i++)
        if (exercise[i] == name) {
            numbers[++count] = i
            # Did a check run at all?
            if (took[i] + 0 > 0 || result[i] == "pass")
                total++
        }
    if (!total) {
        failure_of_all(numbers[1])
        return
    }
    print "<ul class=\"checks\">"
    for (i = 1; i <= count; i++) {
        one = numbers[i]
        printf "<li><span class=\"%s\">%s</span> %s <span class=\"soft\">%d of %d</span></li>\n", \
            result[one] == "pass" ? "good" : "bad", result[one] == "pass" ? "\342\234\223" : "\342\234\227", xml(title[one]), \
            points[one], of[one]
    }
    print "</ul>"
    for (i = 1; i <= count; i++)
        if (result[numbers[i]] != "pass")
            failure(numbers[i], i)
}

END {
    read_mistakes(ENVIRON["MISTAKES"])
    read_lists()
    student = xml(ENVIRON["STUDENT"])
    head(student)
    print "<h1>" student "</h1>"
    printf "<p><b>%d of %d points</b> <span class=\"soft\">on %s</span></p>\n", score, most, xml(date)
    if (errors > 0)
        printf "<p class=\"bad\">%d checks could not be made. That is not your fault: they have to be made again.</p>\n", errors
    table_of_points()
    count = split(ENVIRON["EXERCISES"], name, " ")
    for (i = 1; i <= count; i++)
        exercise_part(name[i])
    print "<h2>The same verdict again</h2>"
    print "<p>What the checks draw at random depends on the seed alone. With the files of this student in the folder HANDED_IN:</p>"
    printf "<pre>scripts/exercise check --all --seed %s --dir HANDED_IN --only '%s'</pre>\n", xml(all_seeds), xml(ENVIRON["EXERCISES"])
    printf "<p class=\"soft\">Seed %s, judge %s, containment: %s.</p>\n", xml(all_seeds), xml(all_versions), xml(all_levels == "" ? "no program was run" : all_levels)
    print "</body>"
    print "</html>"
}
