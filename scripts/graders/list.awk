# list.awk - prints a line for each path that is an argument, for collect.awk.
#
#   KIND=f TIMES=LINES TOP=FOLDER LABEL=TEXT LC_ALL=C awk -f list.awk PATH...
#
# A line has the kind, the time, LABEL with the path below TOP, and the path. In a
# path, '\\', '\t' and '\n' stand for backslash, tab and newline.

function escaped(text) {
    gsub(/\\/, "&&", text)
    gsub(/\t/, "\\t", text)
    gsub(/\n/, "\\n", text)
    return text
}

BEGIN {
    split(ENVIRON["TIMES"], time, "\n")
    for (i = 1; i < ARGC; i++)
        print ENVIRON["KIND"] "\t" (time[i] + 0) "\t" \
            escaped(ENVIRON["LABEL"] substr(ARGV[i], length(ENVIRON["TOP"]) + 2)) "\t" escaped(ARGV[i])
    exit
}
