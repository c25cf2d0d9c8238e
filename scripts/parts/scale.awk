# SPDX-License-Identifier: MIT
#
# scale.awk - draw the numbers measured by scripts/scale: four panels, both axes
# logarithmic. Reads the TSV, writes an SVG.

BEGIN { FS = "\t" }

/^#/ { machine = substr($0, 3) }

/^#/ || $1 == "server" { next }

{
    panel = $3 == $2 && $2 > 1 ? "all" : "few"
    if (panel == "few" && active == "") active = $3
    if (panel == "few" && $3 != active) next
    rows++
    name[rows] = $1; count[rows] = $2; where[rows] = panel
    cpu[rows] = $7; latency[rows] = $5
}

END {
    # Ten of ten is "all"; with one connection the two are the same.
    few = active == 1 ? "one connection active" : active " connections active"
    print "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 960 760' font-family='sans-serif' font-size='15'>"
    print "<style>"
    print "svg { background: #fff } text { fill: #222 } .grid { stroke: #ddd } path { fill: none; stroke-width: 3 }"
    colours("#c0392b #a86a00 #2471a3 #1e8449")
    print "@media (prefers-color-scheme: dark) {"
    print "svg { background: #16181d } text { fill: #e6e6e6 } .grid { stroke: #3a3f4a }"
    colours("#ff7b6b #f5b041 #6db6e8 #58d68d")
    print "}"
    print "</style>"
    text(480, 30, "middle", "What it costs to watch many connections", "font-size='21' font-weight='bold'")
    text(480, 52, "middle", "Echo servers of one thread; " machine, "font-size='13'")
    draw(80, 90, "few", "CPU a round trip, µs: " few, cpu)
    draw(560, 90, "few", "Median latency, µs: " few, latency)
    draw(80, 440, "all", "CPU a round trip, µs: all active", cpu)
    draw(560, 440, "all", "Median latency, µs: all active", latency)
    print "</svg>"
}

# The rules for the four servers, in their order.
function colours(list,    c, k, servers) {
    split(list, c, " ")
    split("busypoll select poll epoll", servers, " ")
    for (k = 1; k <= 4; k++)
        printf "path.%s { stroke: %s } circle.%s, text.%s { fill: %s }\n", servers[k], c[k], servers[k], servers[k], c[k]
}

function text(x, y, anchor, words, more) {
    printf "<text x='%.1f' y='%.1f' text-anchor='%s' %s>%s</text>\n", x, y, anchor, more, words
}

function log10(v) { return log(v) / log(10) }

function with_commas(n) {
    while (match(n, /[0-9][0-9][0-9][0-9]($|,)/))
        n = substr(n, 1, RSTART) "," substr(n, RSTART + 1)
    return n
}

# One panel of 310 by 250 at x, y.
function draw(x, y, panel, title, value,    i, k, low, high, first, last, servers, n, line, px, py, ends, end_y, order, t) {
    first = last = low = high = ""
    for (i = 1; i <= rows; i++) {
        if (where[i] != panel || value[i] == "-" || value[i] <= 0) continue
        if (first == "" || log10(count[i]) < first) first = log10(count[i])
        if (last == "" || log10(count[i]) > last) last = log10(count[i])
        if (low == "" || log10(value[i]) < low) low = log10(value[i])
        if (high == "" || log10(value[i]) > high) high = log10(value[i])
    }
    if (first == "") return
    if (last == first) last = first + 1
    low = int(low - (low < 0)); high = int(high) + 1

    text(x - 40, y - 12, "start", title, "font-weight='bold'")
    for (k = low; k <= high; k++) {
        py = y + 250 * (high - k) / (high - low)
        printf "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>\n", x, x + 290, py, py
        text(x - 8, py + 5, "end", with_commas(10 ^ k), "font-size='13'")
    }
    for (k = int(first + 0.5); k <= last + 0.01; k++) {
        px = x + 290 * (k - first) / (last - first)
        printf "<line class='grid' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/>\n", px, px, y, y + 250
        text(px, y + 270, "middle", with_commas(10 ^ k), "font-size='13'")
    }
    text(x + 145, y + 292, "middle", "connections", "font-size='13'")

    n = split("busypoll select poll epoll", servers, " ")
    for (k = 1; k <= n; k++) {
        line = ""
        for (i = 1; i <= rows; i++) {
            if (where[i] != panel || name[i] != servers[k] || value[i] == "-" || value[i] <= 0) continue
            px = x + 290 * (log10(count[i]) - first) / (last - first)
            py = y + 250 * (high - log10(value[i])) / (high - low)
            line = line sprintf("%s%.1f %.1f", line == "" ? "M" : "L", px, py)
            printf "<circle class='%s' cx='%.1f' cy='%.1f' r='4'/>\n", servers[k], px, py
            ends[k] = px; end_y[k] = py
        }
        if (line != "") printf "<path class='%s' d='%s'/>\n", servers[k], line
    }
    # Each name at the end of its line; moved apart where they would collide.
    for (k = 1; k <= n; k++) order[k] = k
    for (i = 1; i < n; i++)
        for (k = 1; k <= n - i; k++)
            if (end_y[order[k]] > end_y[order[k + 1]]) {
                t = order[k]; order[k] = order[k + 1]; order[k + 1] = t
            }
    for (t = 0; t < 200; t++)
        for (k = 1; k < n; k++)
            if (order[k] in ends && order[k + 1] in ends && end_y[order[k + 1]] - end_y[order[k]] < 16) {
                end_y[order[k]] -= 1; end_y[order[k + 1]] += 1
            }
    for (k = 1; k <= n; k++)
        if (k in ends)
            text(ends[k] + 9, end_y[k] + 5, "start", servers[k], "class='" servers[k] "' font-size='14' font-weight='bold'")
}
