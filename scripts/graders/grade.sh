# shellcheck shell=sh disable=SC2034,SC2154 # what scripts/exercise sets and uses
# SPDX-License-Identifier: MIT
#
# grade.sh - a part of scripts/exercise: one record for each check of a solution,
# the formats of results, and 'grade', which does it for a class.

# The version that is in every record.
judge_version=$(sed -n 's/^#define JUDGE_VERSION "\(.*\)"$/\1/p' "$root/scripts/judge/inside.h")

# --- One record for each check ----------------------------------------------------

# records NAME FOLDER: print a line for each check of the exercise, in any case; the
# fields are listed in results.awk. The story of each failure goes to
# $scratch/story.NAME, its timeline into the folder $scratch/traces.NAME.
records() {
    words=$scratch/words.$1
    taken=$scratch/taken.$1
    program=$scratch/$1
    got=$scratch/records.$1
    : >"$got"
    : >"$scratch/story.$1"
    mkdir -p "$scratch/traces.$1"
    if ! take "$2/$1.c" "$1"; then
        :
    elif skeleton "$1" | cmp -s - "$taken"; then
        why=NOT_CHANGED says="$1.c has not been changed"
    else
        compile "$taken" "$program" "$1"
        case $? in
        0)
            why=NOT_MADE says='this check could not be run'
            judge "$program" --all --record "$got" --as "$1" ${seed:+--seed "$seed"} \
                --story "$scratch/story.$1" --trace "$scratch/traces.$1" "$1" >"$scratch/verdict.$1" 2>&1
            ;;
        1) why=DOES_NOT_COMPILE says=$(kindly "$1" "$1.c" | sed -n '1s/^ *//p') ;;
        2) why=INCLUDES_OTHER_FILES says=$(intrusion "$1") ;;
        *) why=NOT_MADE says='the compiler could not be run here' ;;
        esac
    fi
    completed "$got" "$1"
}

# Make once $expected, the list of all checks: exercise, check, points, title.
list_expected() {
    expected=$scratch/expected
    (
        for name in $(names); do
            "$judge" --list "$name" | sed "s/^/$name$tab/" || exit
        done
    ) >"$expected" || cannot_write
}

# completed FILE NAME...: print a record for each check of these exercises: that of
# FILE, or one that says $why and $says. A line may be incomplete, or a file missing,
# if the disk was full.
completed() {
    got=$1
    shift
    {
        for name in "$@"; do
            awk -F '\t' -v OFS='\t' -v name="$name" '$1 == name { print $1, $2, $4, $3 }' "$expected"
        done
    } | says=$says got=$got awk -F '\t' -v OFS='\t' -v why="$why" -v seed="${seed:--}" -v version="$judge_version" '
        BEGIN {
            while ((getline line <ENVIRON["got"]) > 0)
                if (split(line, field, "\t") >= 12)
                    made[field[1], field[2]] = line
            says = ENVIRON["says"]
            gsub(/[\t\n]/, " ", says)
        }
        ($1, $2) in made { print made[$1, $2]; next }
        {
            print $1, $2, $3, (why == "NOT_MADE" ? "error" : "fail"), why, 0, $4, "0.000", says, \
                seed, "-", version
        }'
}

# Why a result is missing altogether.
exhausted='there was no disk space, no memory or no process left'

# all_records FOLDER NAME...: the records of these exercises, $jobs at a time.
all_records() {
    folder=$1
    shift
    running=0
    for name in "$@"; do
        records "$name" "$folder" >"$scratch/result.$name" &
        running=$((running + 1))
        if [ "$running" -ge "$jobs" ]; then
            wait
            running=0
        fi
    done
    wait
    why=NOT_MADE says=$exhausted
    for name in "$@"; do
        completed "$scratch/result.$name" "$name"
    done
}

# closing_words: say on stderr what a grader has to know about the records on stdin.
# Status 1: some checks were not made.
closing_words() {
    LC_ALL=C awk -F '\t' '
        $4 == "error" {
            missing++
            words = "  " ($13 == "" ? "" : $13 ": ") $1 ": " $9
            if (!said[words]++ && ++several <= 10)
                list = list words "\n"
        }
        $11 == "none" { open++ }
        END {
            gsub(/[\001-\011\013-\037\177]/, "?", list)
            if (missing)
                print missing " checks could not be made. That is not the fault of those who" \
                    " wrote the programs: see NOT_MADE, and make them again.\n" list >"/dev/stderr"
            if (open)
                print "These results are not fit for a grade: this machine does not let a program" \
                    " be contained (level none), see docs/judge.md." >"/dev/stderr"
            exit missing > 0
        }'
}

# as_format FORMAT: convert the records on stdin. In the C locale, since a
# submission may contain any bytes.
as_format() {
    if [ "$1" = records ]; then
        cat
    else
        LC_ALL=C awk -v format="$1" -v date="$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
            -v wall=$(($(date +%s) - began)) \
            -f "$root/scripts/exercises/results.awk"
    fi
}

# Sets seed, if --seed did not.
choose_seed() {
    [ -n "$seed" ] || seed=$(awk -v n="$$" 'BEGIN { srand(); print int(srand() % 1000000) * 1000 + n % 1000 + 1 }')
}

# --- What was handed in -------------------------------------------------------------

# A zip file that was named may hold so many files and bytes; one in a folder or in
# another zip file, which a student made, less: it must not take the room of others.
most_files=20000 most_unpacked=268435456
most_files_inside=2000 most_unpacked_inside=16777216
most_inside=10 # zip files in a zip file of a student

# plainly_run COMMAND...: run a tool that unpacks, as an unprivileged user, in the
# folder $into, which is its own.
plainly_run() {
    tool=$(command -v "$1") || return
    shift
    "$supervise" --room "$into" --wall 60s --cpu 60s --memory 1G --processes 16 --output 64k \
        "$tool" "$@" >/dev/null 2>&1 </dev/null
}

# contents_of ZIP: its files, all in one. Used to find out how large they are, since
# the sizes that are stated in a zip may be wrong.
contents_of() {
    case $unpacker in
    unzip) unzip -P '' -p "$1" ;;
    bsdtar) bsdtar -x -O -f "$1" ;;
    busybox) busybox unzip -p "$1" ;;
    esac 2>/dev/null </dev/null
}

# names_in ZIP: the names of its files, a line each, or more.
names_in() {
    case $unpacker in
    unzip) unzip -Z1 "$1" ;;
    bsdtar) bsdtar -t -f "$1" ;;
    busybox) busybox unzip -l "$1" ;;
    esac 2>/dev/null </dev/null
}

# Sets unpacker.
choose_unpacker() {
    for unpacker in unzip bsdtar python3 busybox; do
        case $unpacker in
        busybox) busybox unzip 2>&1 | grep -q Usage ;;
        *) have $unpacker ;;
        esac && return
    done
    unpacker=''
    return 1
}

# unpack ZIP FOLDER NAME: unpack it into a new folder; otherwise set problem. NAME
# is for people.
unpack() {
    into=$2
    mkdir -p "$into" || cannot_write
    choose_unpacker || {
        problem='there is no unzip, bsdtar, python3 or busybox to unpack it'
        return 1
    }
    files=$most_files bytes=$most_unpacked
    if [ "$depth" -gt 0 ] || [ "$class_depth" -eq 0 ]; then
        files=$most_files_inside bytes=$most_unpacked_inside
    fi
    problem="it holds more than $files files or $((bytes / 1048576)) MiB"
    if [ $unpacker = python3 ]; then
        python3 "$root/scripts/graders/unpack.py" "$1" "$into" $files $bytes 2>/dev/null
        case $? in
        0) ;;
        3) return 1 ;;
        *) problem='it is no zip file, or a damaged one' && return 1 ;;
        esac
    else
        [ "$(wc -c <"$1")" -le $bytes ] &&
            [ "$(names_in "$1" | head -n $((files + 10)) | wc -l)" -lt $((files + 10)) ] &&
            [ "$(contents_of "$1" | head -c $((bytes + 1)) | wc -c)" -le $bytes ] || return 1
        cat "$1" >"$into/.zip" || cannot_write
        chmod 644 "$into/.zip"
        case $unpacker in
        unzip) plainly_run unzip -qq -o -P '' .zip ;;
        bsdtar) plainly_run bsdtar -x -f .zip ;;
        busybox) plainly_run busybox unzip -q -o .zip ;;
        esac
        result=$?
        rm -f "$into/.zip"
        # It may say that it left out what leads out of the folder.
        if [ $result -ne 0 ] && [ -z "$(find "$into" -type f | head -n 1)" ]; then
            problem='it is no zip file, or a damaged one'
            return 1
        fi
        # 1 of unzip is a warning, such as for a name that leads out of the folder.
        if [ $result -gt 1 ]; then
            problem='the rest of it is damaged'
            tell_problem "${3:-$1}" 'was unpacked in part'
        fi
    fi
    # Links and the like were not asked for; they might lead anywhere. Of what is no
    # program, only the name is needed.
    find "$into" ! -type f ! -type d -exec rm -f {} +
    chmod -R u+rwX "$into"
    find "$into" -type f ! -name '*.[Cc]' ! -name '*.[Cc].txt' ! -name '*.[Zz][Ii][Pp]' \
        -exec sh -c 'for file; do : >"$file"; done' sh {} +
}

# For find -exec sh -c: print a line for each path; see list.awk. The first argument
# is the kind.
# shellcheck disable=SC2016 # the inner shell expands it
list_them='
    KIND=$1
    shift
    TIMES=$(stat -c %Y -- "$@" 2>/dev/null)
    [ "$(printf "%s\n" "$TIMES" | wc -l)" -eq $# ] || TIMES=""
    export KIND TIMES
    LC_ALL=C awk -f "$LIST" "$@"'

# list_name NAME: the same for a folder that is none on this machine.
list_name() {
    KIND=d TIMES='' TOP='' LABEL='' LC_ALL=C awk -f "$LIST" "/$1"
}

cannot_write() {
    fail "cannot write to the temporary folder $scratch"
}

# list_folder FOLDER LABEL: print all that is in it, and in its zip files. LABEL
# stands in front of each path.
list_folder() {
    TOP=$1 LABEL=$2
    export TOP LABEL
    find "$1/" -mindepth 1 -type d -exec sh -c "$list_them" sh d {} +
    find "$1/" -mindepth 1 -type l -exec sh -c "$list_them" sh l {} +
    find "$1/" -mindepth 1 -type f ! -name '*.[Zz][Ii][Pp]' -exec sh -c "$list_them" sh f {} +
    find "$1/" -mindepth 1 ! -type f ! -type l ! -type d -exec sh -c "$list_them" sh o {} +
    find "$1/" -mindepth 1 -type f -name '*.[Zz][Ii][Pp]' -exec sh -c "$list_them" sh z {} + >"$scratch/zips.$depth"
    [ -s "$scratch/zips.$depth" ] || return 0
    inside=0
    while IFS=$tab read -r _ _ shown path; do
        inside=$((inside + 1))
        unescape "$path" && path=$it
        unescape "$shown" && shown=$it
        if [ "$depth" -gt "$class_depth" ] && [ "$inside" -gt $most_inside ]; then
            problem="there are more than $most_inside in one"
            tell_problem "$shown" 'was not unpacked'
            break
        fi
        inside_of_all=$inside
        list_zip "$path" "${shown%.*}"
        inside=$inside_of_all
    done <"$scratch/zips.$depth"
}

# list_zip ZIP NAME: the same for a zip file; in the list it is a folder.
list_zip() {
    packed=$((packed + 1))
    if [ "$depth" -ge 4 ]; then
        problem='zip files in zip files in zip files: that is too deep'
    elif unpack "$1" "$scratch/unpacked/$packed" "${2:-${1##*/}}"; then
        [ -z "$2" ] || list_name "$2"
        depth=$((depth + 1))
        list_folder "$scratch/unpacked/$packed" "${2:+$2/}"
        depth=$((depth - 1))
        return
    fi
    tell_problem "${2:-${1##*/}}" 'was not unpacked'
}

# tell_problem ZIP WHAT: grading goes on, but its exit status is 1.
tell_problem() {
    not_all=yes
    printf '%s %s: %s\n' "$1" "$2" "$problem" | LC_ALL=C tr '\001-\011\013-\037\177' '?' >&2
}

# unescape TEXT: undo 'escaped' above; sets it. The x keeps newlines at the end.
unescape() {
    it=$(printf '%bx' "$1")
    it=${it%x}
}

# collect FOLDER|ZIP...: copy the solutions to $scratch/class/NUMBER/NAME.c, and say on
# stderr which file is whose. $scratch/students has the students, numbered;
# $scratch/programs the solutions, 'NUMBER NAME' a line.
collect() {
    LIST=$root/scripts/graders/list.awk
    export LIST
    depth=0 packed=0 class=''
    mkdir -p "$scratch/unpacked"
    for what in "$@"; do
        absolute "$what"
        # '.' has a name, too.
        [ ! -d "$it" ] || it=$(CDPATH='' cd -- "$it" && pwd)
        label=$(basename -- "$it")
        [ -d "$it" ] || label=${label%.*}
        class=${class:-$label}
        if [ $# -eq 1 ]; then
            label=''
        else
            while [ -e "$scratch/labels/$label" ]; do
                label="$label 2"
            done
            mkdir -p "$scratch/labels/$label"
        fi
        if [ -d "$it" ]; then
            class_depth=0
            [ -z "$label" ] || list_name "$label"
            list_folder "${it%/}" "${label:+$label/}"
        else
            class_depth=1
            list_zip "$it" "$label"
        fi
    done >"$scratch/list" || cannot_write
    {
        CLASS=$class ARGUMENTS=$# EXERCISES=$exercises LC_ALL=C awk -f "$root/scripts/graders/collect.awk" "$scratch/list" >"$scratch/collected" &&
            : >"$scratch/students" && : >"$scratch/programs" && mkdir -p "$scratch/class"
    } || cannot_write
    while IFS=$tab read -r what number name kind path; do
        case $what in
        student)
            mkdir "$scratch/class/$number" || cannot_write
            printf '%s\t%s\n' "$number" "$name" >>"$scratch/students" || cannot_write
            ;;
        take)
            unescape "$path"
            copy=$scratch/class/$number/$name.c
            case $kind in
            f)
                if [ -r "$it" ]; then
                    # A megabyte and a byte are enough to see that it is too large.
                    head -c $((most_bytes + 1)) <"$it" >"$copy"
                else
                    : >"$copy" && chmod 000 "$copy" # it stays unreadable
                fi
                ;;
            # Whatever it is: it is no file.
            *) ln -s nowhere "$copy" ;;
            esac 2>/dev/null || cannot_write
            printf '%s %s\n' "$number" "$name" >>"$scratch/programs" || cannot_write
            ;;
        say) printf '%s\n' "$number" >&2 ;;
        esac
    done <"$scratch/collected"
}

# draw_timeline NAME: what the judge has left in $traces, of the mistake that it
# reported last.
draw_timeline() {
    build_programs tracer
    trace=$traces/$(awk -F '\t' '{ last = $2 } END { print last }' "$scratch/record.$1").trace
    [ -s "$trace" ] || return 0
    "$build/trace/timeline" --width "$(terminal_width)" ${bold:+--colour} --no-table "$trace" \
        >"$scratch/timeline" 2>/dev/null || return 0
    printf '\n%sThe timeline of this run%s\n' "$bold" "$plain"
    cat "$scratch/timeline"
}

# --- A class ------------------------------------------------------------------------------

# A length of time for people.
in_words() {
    if [ "$1" -ge 90 ]; then
        echo "$((($1 + 30) / 60)) minutes"
    else
        echo "$1 seconds"
    fi
}

# The line on the terminal: how much is done, and the time left.
show_progress() {
    [ -t 2 ] || return 0
    set -- "$scratch"/graded/*.done
    [ -e "$1" ] || return 0
    seconds=$(($(date +%s) - grading_since))
    printf '\r\033[K%d of %d programs checked, about %s left' "$#" "$to_check" \
        "$(in_words $((seconds * (to_check - $#) / $#)))" >&2
}

# grade_some: a worker. It takes one program after the other until none is left.
grade_some() {
    while read -r number name; do
        [ ! -e "$scratch/stop" ] || return
        mkdir "$scratch/claimed/$number.$name" 2>/dev/null || continue
        grade_one "$scratch/class/$number" "$name" "$scratch/graded/$number.$name" &
        wait
        show_progress
    done <"$scratch/programs"
}

# grade_one FOLDER NAME FILE: write the records to FILE, and what belongs to them.
# It runs in a process of its own, with a scratch folder of its own.
grade_one() {
    scratch_of_all=$scratch
    scratch=$scratch/work.${3##*/}
    outcome=$3
    mkdir -m 711 "$scratch" || return
    records "$2" "$1" >"$outcome.new"
    cat "$scratch/story.$2" >"$outcome.story"
    [ -z "$report" ] || draw_traces "$2" "$outcome.svgs"
    rm -rf "$scratch"
    mv "$outcome.new" "$outcome"
    : >"$outcome.done"
}

# draw_traces NAME FOLDER: a picture of each failure.
draw_traces() {
    mkdir -p "$2"
    while IFS=$tab read -r check _ title _; do
        trace=$scratch/traces.$1/$check.trace
        [ -s "$trace" ] || continue
        "$build/trace/timeline" --no-table --title "$1: $title" --svg "$2/$check.svg" "$trace" >/dev/null 2>&1 ||
            rm -f "$2/$check.svg"
    done <"$scratch_of_all/lists/$1"
}

# stop_grading: after Ctrl-C. The workers do not get that signal; they finish what
# they have begun, since a check must clean up after itself.
stop_grading() {
    : >"$scratch/stop"
    [ ! -t 2 ] || printf '\r\033[K' >&2
    printf '%s: stopping, as soon as the present checks have ended\n' "$me" >&2
    wait
    exit "$1"
}

# grade FOLDER|ZIP...: check the programs of a class, and print a line for each
# student. Names of students may be anything, so our own files have numbers.
grade() {
    choose_seed
    collect "$@"
    mkdir "$scratch/graded" "$scratch/claimed" "$scratch/pages" "$scratch/lists" || cannot_write
    [ -z "$report" ] || mkdir -p "$report" || fail "cannot make the folder $report"
    "$judge" --mistakes >"$scratch/mistakes"
    for name in $exercises; do
        "$judge" --list "$name" >"$scratch/lists/$name"
    done
    to_check=$(($(wc -l <"$scratch/programs")))
    grading_since=$(date +%s)
    trap 'stop_grading 130' INT
    trap 'stop_grading 143' TERM HUP
    worker=0
    while [ $worker -lt "$jobs" ]; do
        grade_some &
        worker=$((worker + 1))
    done
    wait
    [ ! -t 2 ] || printf '\r\033[K' >&2
    end_on_signals

    printf 'submission,points,of' >"$scratch/csv"
    for name in $exercises; do
        printf ',%s,%s mistakes' "$name" "$name"
    done >>"$scratch/csv"
    printf ',seed,containment,judge\n' >>"$scratch/csv" || cannot_write
    : >"$scratch/all"
    while IFS=$tab read -r number name; do
        unescape "$name"
        STUDENT=$it EXERCISES=$exercises
        export STUDENT EXERCISES
        {
            graded "$number" >"$scratch/one" &&
                as_format csv <"$scratch/one" >>"$scratch/csv" &&
                as_format of-student <"$scratch/one" >>"$scratch/all"
        } || cannot_write
        [ -z "$report" ] || write_report "$number"
    done <"$scratch/students"
    [ -z "$keep" ] || cat "$scratch/all" >"$keep" || fail "cannot write $keep"
    if [ -n "$output" ]; then
        cat "$scratch/csv" >"$output" || fail "cannot write $output"
    else
        cat "$scratch/csv" || fail "cannot write to standard output"
    fi
    closing_words <"$scratch/all" && [ -z "${not_all:-}" ]
}

# graded NUMBER: print the records of this student.
graded() {
    for name in $exercises; do
        if grep -q -x -F -e "$1 $name" "$scratch/programs"; then
            why=NOT_MADE says=$exhausted
            completed "$scratch/graded/$1.$name" "$name"
        else
            why=NOT_HANDED_IN says="there is no $name.c"
            completed /dev/null "$name"
        fi
    done
}

# write_report NUMBER: the page of the student $STUDENT.
write_report() {
    file=$(LC_ALL=C awk 'BEGIN {
        name = ENVIRON["STUDENT"]
        gsub(/[^A-Za-z0-9._-]+/, "_", name)
        sub(/^[-._]+/, "", name)
        print substr(name, 1, 100)
    }')
    file=${file:-student}
    while [ -e "$scratch/pages/$file" ]; do
        file=$file-$1
    done
    : >"$scratch/pages/$file"
    MISTAKES=$scratch/mistakes LISTS=$scratch/lists GRADED=$scratch/graded/$1 \
        LC_ALL=C awk -v format=html -v date="$(date +%Y-%m-%d)" -f "$root/scripts/exercises/results.awk" \
        -f "$root/scripts/graders/report.awk" "$scratch/one" >"$report/$file.html" ||
        fail "cannot write $report/$file.html"
}
