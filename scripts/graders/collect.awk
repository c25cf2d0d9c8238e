# collect.awk - finds out which file is whose solution of which exercise.
#
#   LC_ALL=C EXERCISES='accept again' CLASS=NAME ARGUMENTS=N awk -f collect.awk
#
# Input: lines of tab-separated fields: kind (f: a file, d: a folder, l: a link,
# o: another thing), time of the last change, path within the class, path on this
# machine. In a path, '\\', '\t' and '\n' stand for backslash, tab and newline.
# Output, paths in the same way:
#   student  NUMBER NAME
#   take     NUMBER EXERCISE KIND PATH-ON-THIS-MACHINE
#   say      TEXT for people
#
# CLASS is the name of the folder or zip file if there is one alone; if there are
# more of them, their names are the first part of each path.
#
# A class is a folder of students. A student is a folder, or a prefix of names of
# files, as the learning platforms write them:
#   Moodle       Jane Doe_123_assignsubmission_file_/accept.c
#   Canvas       doejane_123_4567_accept.c, doejane_LATE_123_4567_accept.c
#   Blackboard   Lab 1_jdoe_attempt_2026-11-28-10-30-00_accept.c
#   Brightspace  123-456 - Jane Doe - Nov 28, 2026 1030 AM/accept.c

BEGIN {
    FS = "\t"
    exercises = split(ENVIRON["EXERCISES"], exercise, " ")
    for (i = 1; i <= exercises; i++) {
        plain = exercise[i]
        gsub(/_/, "", plain)
        exercise_of[plain] = exercise[i]
    }
    months = "janfebmaraprmayjunjulaugsepoctnovdec"
}

# Text for a terminal: what was escaped, and control characters, become '?'.
function shown(text) {
    gsub(/\\[nt]/, "?", text)
    gsub(/\\\\/, "\\", text)
    gsub(/[\001-\037\177]/, "?", text)
    return text
}

function say(text) {
    print "say\t" text
}

# Numbers of any length, so that texts compare as the numbers in them do.
function padded(text,    result, number) {
    while (match(text, /[0-9]+/)) {
        number = substr(text, RSTART, RLENGTH)
        sub(/^0+/, "", number)
        result = result substr(text, 1, RSTART - 1) sprintf("%04d", length(number)) number
        text = substr(text, RSTART + RLENGTH)
    }
    return result text
}

# --- Names of students --------------------------------------------------------

# know PREFIX: is this name of a file or folder one that a platform makes? Sets
# who, id, attempt (greater means later), and rest, what stands behind it.
function know(name,    at, part, words, word, month) {
    who = id = attempt = rest = ""
    if (match(name, /_[0-9]+_assignsubmission_(file|onlinetext)_?/)) {
        who = substr(name, 1, RSTART - 1)
        id = substr(name, RSTART + 1, RLENGTH)
        sub(/_.*/, "", id)
        rest = substr(name, RSTART + RLENGTH)
    } else if (match(name, /_attempt_[0-9][-0-9]*/)) {
        id = substr(name, 1, RSTART - 1)
        who = id
        sub(/^.*_/, "", who)
        attempt = substr(name, RSTART + 9, RLENGTH - 9)
        rest = substr(name, RSTART + RLENGTH)
        sub(/^[_.]/, "", rest)
    } else if (match(name, /^[0-9]+-[0-9]+ ?- /)) {
        id = substr(name, 1, RLENGTH - 2)
        part = substr(name, RLENGTH + 1)
        if (!match(part, / ?- [A-Z][a-z]+ [0-9]+, [0-9]+ [0-9:]+ ?[AP]?M?$/))
            return 0
        who = substr(part, 1, RSTART - 1)
        words = split(substr(part, RSTART), word, /[- ,:]+/)
        # word: "", month, day, year, time, AM or PM
        month = (index(months, tolower(substr(word[2], 1, 3))) + 2) / 3
        at = word[5] + (word[words] == "PM" && word[5] < 1200 ? 1200 : 0) - \
            (word[words] == "AM" && word[5] >= 1200 ? 1200 : 0)
        attempt = sprintf("%04d-%02d-%02d-%04d", word[4], month, word[3], at)
    } else if (match(name, /(_LATE)?_[0-9]+_[0-9]+_/) && RSTART > 1) {
        who = substr(name, 1, RSTART - 1)
        part = substr(name, RSTART + 1, RLENGTH - 2)
        sub(/^LATE_/, "", part)
        words = split(part, word, "_")
        id = word[1]
        attempt = word[2]
        rest = substr(name, RSTART + RLENGTH)
    } else {
        return 0
    }
    attempt = padded(attempt)
    return who != ""
}

# --- Names of files -------------------------------------------------------------

# Which exercise is a file with this name? Sets number, if it is a copy with a
# number, and before, what stands in front of the exercise's name; or returns "".
function which(name,    changed, i, plain, size, start) {
    number = 0
    before = ""
    name = tolower(name)
    if (!sub(/\.c(\.txt)?$/, "", name))
        return ""
    # 'accept (1)', 'accept-2', 'accept - Copy (2)', 'accept v3'
    do {
        changed = 0
        if (match(name, / ?\([0-9]+\)$/) || match(name, /([-_ ]v?)?[0-9]+$/)) {
            size = substr(name, RSTART)
            gsub(/[^0-9]/, "", size)
            number = number * 1000 + size
            changed = 1
        } else if (match(name, /[-_ ]+copy$/)) {
            number += 1
            changed = 1
        }
        if (changed)
            name = substr(name, 1, RSTART - 1)
    } while (changed)
    # The name is at the end: 'fd-set', 'jane_fd_set', 'jane-FdSet'.
    for (i = 1; i <= length(name); i++) {
        start = i == 1 || index("-_ .", substr(name, i - 1, 1))
        plain = substr(name, i)
        gsub(/[-_ ]/, "", plain)
        if (start && substr(name, i, 1) ~ /[a-z]/ && plain in exercise_of) {
            before = substr(name, 1, i - 1)
            sub(/[-_ .]+$/, "", before)
            return exercise_of[plain]
        }
    }
    return ""
}

# The name of a file without what a platform put in front of it.
function own_name(name) {
    return know(name) && rest != "" ? rest : name
}

function last_part(path) {
    sub(/^.*\//, "", path)
    return path
}

function parent_of(path) {
    return sub(/\/[^\/]*$/, "", path) ? path : ""
}

# --- All that is there ------------------------------------------------------------

$3 ~ /(^|\/)(__MACOSX|\.git|\.progress|\.DS_Store|\._[^\/]*|Thumbs\.db)(\/|$)/ { next }
{
    kind = $1
    path = $3
    up = parent_of(path)
    if (kind == "d") {
        folder[path] = 1
        inside[up] = inside[up] "\n" path
        if (which(own_name(last_part(path))) == "" || tolower(path) !~ /\.c$/)
            next
    }
    n++
    kind_of[n] = kind
    changed_at[n] = $2
    path_of[n] = path
    real[n] = $4
    in_folder[up] = in_folder[up] " " n
    found = which(own_name(last_part(path)))
    prefix[n] = before
    # Which exercises are below each folder?
    for (; found != ""; up = parent_of(up)) {
        if (index(below[up] " ", " " found " ") == 0)
            below[up] = below[up] " " found
        if (up == "")
            break
    }
}

# --- Folders of students -----------------------------------------------------------

# Is one exercise in two of its folders or more, or has one of them a platform's
# name? Folders that are named as attempts are not students.
function is_class(path,    i, j, count, list, many, name, seen, found_in) {
    count = split(inside[path], list, "\n")
    for (i = 2; i <= count; i++) {
        name = last_part(list[i])
        if (know(name))
            return 1
        if (tolower(name) ~ /^(attempt|try|version|week|lab|day|backup|old|new|final)?[-_ ]?[0-9]*$/)
            continue
        many = split(below[list[i]], found_in, " ")
        for (j = 1; j <= many; j++)
            if (seen[found_in[j]]++)
                return 1
    }
    return is_flat(path)
}

# Are there files of several students in it, told apart by their names?
function is_flat(path,    i, count, list, name, seen, students) {
    count = split(in_folder[path], list, " ")
    for (i = 1; i <= count; i++) {
        name = last_part(path_of[list[i]])
        if (know(name) && rest != "")
            return 1
        if (which(name) != "" && before != "" && !seen[before]++ && ++students > 1)
            return 1
    }
    return 0
}

function has_own_file(path,    i, count, list) {
    count = split(in_folder[path], list, " ")
    for (i = 1; i <= count; i++)
        if (which(last_part(path_of[list[i]])) != "" && before == "")
            return 1
    return 0
}

# Folders of a class are classes in their turn if each one that holds solutions is
# one: a wrapper around all, or the groups of a course.
function are_classes(path,    i, count, list, classes) {
    count = split(inside[path], list, "\n")
    for (i = 2; i <= count; i++) {
        if (know(last_part(list[i])) || (below[list[i]] != "" && !is_class(list[i])))
            return 0
        classes += below[list[i]] != ""
    }
    return classes > 0
}

# The number of a student with this key.
function student(key, name) {
    if (!(key in number_of)) {
        number_of[key] = ++students
        name_of_student[students] = name
        key_of[students] = key
        known_as[name]++
    }
    return number_of[key]
}

# All files below a folder, and the folder itself if it has an exercise's name.
function hand_in_all(s, path, top, attempt,    i, count, list) {
    count = split(in_folder[path], list, " ")
    for (i = 1; i <= count; i++)
        hand_in(s, list[i], top == "" ? path_of[list[i]] : substr(path_of[list[i]], length(top) + 2), attempt)
    count = split(inside[path], list, "\n")
    for (i = 2; i <= count; i++)
        hand_in_all(s, list[i], top, attempt)
}

function is_taken_from_class(path,    i, count, list, name, here) {
    count = split(in_folder[path], list, " ")
    for (i = 1; i <= count; i++) {
        name = last_part(path_of[list[i]])
        if (know(name) && rest != "") {
            here = student(path "/" who "/" id, who)
            hand_in(here, list[i], rest, attempt)
        } else if (which(name) != "" && before != "") {
            here = substr(name, 1, length(before))
            here = student(path "/" tolower(here), here)
            hand_in(here, list[i], substr(name, length(before) + 2), "")
        } else if (kind_of[list[i]] != "d") {
            stray[++strays] = name
        }
    }
}

function walk(path,    i, count, list, name, deeper) {
    is_taken_from_class(path)
    deeper = are_classes(path)
    count = split(inside[path], list, "\n")
    for (i = 2; i <= count; i++) {
        name = last_part(list[i])
        if (know(name))
            hand_in_all(student(path "/" who "/" id, who), list[i], list[i], attempt)
        else if (deeper && below[list[i]] != "")
            walk(list[i])
        else
            hand_in_all(student(list[i], name), list[i], list[i], "")
    }
}

# --- Which file of several? ----------------------------------------------------------

# File f is one of student s, who calls it so.
function hand_in(s, f, name, attempt,    e, depth, digits, old) {
    digits = last_part(name)
    e = name ~ /(^|\/)backup\// ? "" : which(own_name(digits))
    if (e == "") {
        if (kind_of[f] != "d")
            others[s] = others[s] "\n" name
        return
    }
    depth = gsub(/\//, "/", name)
    candidates[s, e]++
    # Compare in this order: attempt, not prefixed, number of the copy, not deep
    # inside, numbers in the names of folders, time.
    old = (s, e) in best
    if (!old || is_better(attempt, before == "", number, depth, padded(name), changed_at[f], s SUBSEP e)) {
        best[s, e] = f
        best_name[s, e] = name
        best_attempt[s, e] = attempt
        best_plain[s, e] = before == ""
        best_number[s, e] = number
        best_depth[s, e] = depth
        best_path[s, e] = padded(name)
        best_time[s, e] = changed_at[f]
    }
}

function is_better(attempt, plain, number, depth, path, time, than,    a, b) {
    if ((attempt "") != (best_attempt[than] ""))
        return (attempt "") > (best_attempt[than] "")
    if (plain != best_plain[than])
        return plain
    if (number != best_number[than])
        return number > best_number[than]
    if (depth != best_depth[than])
        return depth < best_depth[than]
    a = path
    b = best_path[than]
    gsub(/[0-9]/, "", a)
    gsub(/[0-9]/, "", b)
    if (a == b && path != best_path[than])
        return path "" > best_path[than] ""
    if (time != best_time[than])
        return time + 0 > best_time[than] + 0
    return path "" < best_path[than] ""
}

# Print 'a, b, c and 4 more'.
function some_of(list, count,    i, text) {
    for (i = 1; i <= count && i <= 5; i++)
        text = text (i > 1 ? ", " : "") shown(list[i])
    return text (count > 5 ? " and " count - 5 " more" : "")
}

function tell(s, name,    i, e, usual, list, count) {
    for (i = 1; i <= exercises; i++) {
        e = exercise[i]
        if (!((s, e) in best))
            continue
        print "take\t" s "\t" e "\t" kind_of[best[s, e]] "\t" real[best[s, e]]
        if (best_name[s, e] == e ".c" && candidates[s, e] == 1)
            usual = usual (usual == "" ? "" : ", ") e ".c"
    }
    if (usual != "")
        say(name ": " usual)
    for (i = 1; i <= exercises; i++) {
        e = exercise[i]
        if ((s, e) in best && (best_name[s, e] != e ".c" || candidates[s, e] > 1))
            say(name ": " e ".c is '" shown(best_name[s, e]) "'" \
                (candidates[s, e] > 1 ? ", one of " candidates[s, e] : ""))
    }
    count = split(others[s], list, "\n")
    for (i = 1; i < count; i++)
        list[i] = list[i + 1]
    if (count > 1)
        say(name ": not used: " some_of(list, count - 1))
    if (usual == "" && !said_any(s))
        say(name ": nothing for an exercise")
}

function said_any(s,    i) {
    for (i = 1; i <= exercises; i++)
        if ((s, exercise[i]) in best)
            return 1
    return 0
}

END {
    # One folder may be a single student's.
    if (ENVIRON["ARGUMENTS"] > 1) {
        # Each argument is a student, or looks like a class.
        count = split(inside[""], list, "\n")
        for (a = 2; a <= count; a++) {
            name = last_part(list[a])
            if (know(name))
                hand_in_all(student("/" who "/" id, who), list[a], list[a], attempt)
            else if (is_class(list[a]) || are_classes(list[a]))
                walk(list[a])
            else
                hand_in_all(student(list[a], name), list[a], list[a], "")
        }
    } else if (has_own_file("") && !is_class("")) {
        hand_in_all(student("", ENVIRON["CLASS"]), "", "", "")
    } else {
        walk("")
    }
    for (s = 1; s <= students; s++)
        if (known_as[name_of_student[s]] > 1) {
            # Two of the same name: the key tells them apart.
            full[s] = key_of[s]
            sub(/^\//, "", full[s])
        } else {
            full[s] = name_of_student[s]
        }
    # In the order of their names.
    for (s = 1; s <= students; s++) {
        for (i = s - 1; i > 0 && tolower(full[order[i]]) > tolower(full[s]); i--)
            order[i + 1] = order[i]
        order[i + 1] = s
    }
    for (place = 1; place <= students; place++) {
        s = order[place]
        name = full[s]
        print "student\t" s "\t" name
        tell(s, shown(name))
    }
    if (strays)
        say("in no student's folder, not used: " some_of(stray, strays))
}
