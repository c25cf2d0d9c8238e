#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # programs of other languages
# The timeline in files: the picture, the page, and what the Perfetto UI opens.

load helpers

setup_file() {
    [ "$(uname -s)" = Linux ] || skip "the tracer needs Linux"
}

timeline() {
    run --separate-stderr timeout 60 "$root/scripts/timeline" "$@"
    is "$status: $stderr" '0: '
}

needs() {
    command -v "$1" >/dev/null || skip "$1 is not installed"
}

# Many connections for a moment: a trace of some ten thousand calls and more, for
# longer where the processor is busy with other things.
many() {
    local time
    for time in 300ms 1s 3s 9s; do
        many_for "$time"
        timeline --list "$T/many.trace"
        [ "$(wc -l <<<"$output")" -le 2000 ] || return 0
    done
}

many_for() {
    cat >"$T/scene" <<SCENE
"$bin/echo_epoll" --log error --stop-after $bound 0 >"$T/server" &
server=\$!
until grep -qs '^listening' "$T/server"; do :; done
"$bin/echo_load" --log error --connections 50 --active 50 --idle 1ms --time $1 \
    127.0.0.1 "\$(sed -n '1s/.* //p' "$T/server")" >"$T/load"
kill \$server
wait
SCENE
    record many bash "$T/scene"
}

hostile=$'<b>&"\'</script>\u2028\001x'

# --- The picture -------------------------------------------------------------

parses_as_xml() {
    needs python3
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1" || flunk "$1 is no XML"
}

@test "svg: does it say in words what is to be seen, and is that so?" {
    record_two_clients echo_blocking
    timeline --title 'Who waits?' --svg "$T/it.svg" "$T/echo_blocking.trace"
    parses_as_xml "$T/it.svg"
    [[ $(sed -n 2p "$T/it.svg") == *'>Who waits?</title>' ]]
    said=$(sed -n 's/.*<desc[^>]*>\(.*\)<\/desc>.*/\1/p' "$T/it.svg")
    [[ $said == 'A timeline of 3 programs, '* ]] || flunk "$said"
    # It is what the table of the same trace has, whoever else used the processor.
    LC_ALL=C timeline "$T/echo_blocking.trace"
    for who in echo_blocking echo_client 'echo_client 2'; do
        awk -v lane="$who: CPU " -v said="$said" '
            function seconds(number, unit) {
                return number * (unit == "us" ? 1e-6 : unit == "ms" ? 1e-3 : 1)
            }
            function percent(of, text) { # behind those words, up to the next lane
                return match(text, of "[0-9]+ %") ? substr(text, RSTART + length(of)) + 0 : 0
            }
            function near(a, b) { return a - b < 3 && b - a < 3 }
            index($0, lane) == 1 {
                on = 1
                match($0, / of [0-9.]+ [mu]*s/)
                split(substr($0, RSTART + 4), life)
                next
            }
            /^$/ { on = 0 }
            on && match($0, /[0-9.]+ [mu]*s/) {
                split(substr($0, RSTART), blocked)
                all[$1 == "nanosleep"] += seconds(blocked[1], blocked[2])
            }
            END {
                name = substr(lane, 1, length(lane) - 6)
                of_it = substr(said, index(said, name " is blocked"))
                sub(/;.*/, "", of_it)
                life_s = seconds(life[1], life[2])
                exit !(near(percent(" is blocked for ", of_it), 100 * all[0] / life_s) &&
                    near(percent("sleeps for ", of_it), 100 * all[1] / life_s) && all[0] + all[1] > 0)
            }' <<<"$output" || flunk "$who: $said; $output"
    done
    # Both the server and the client behind wait, and the first one sleeps.
    grep -q 'echo_client is blocked for [0-9]* % of its time, sleeps' <<<"$said" || flunk "$said"
}

@test "svg: is the number of times it was told 'not yet' that of the report?" {
    record_two_clients echo_busypoll
    timeline --svg "$T/it.svg" "$T/echo_busypoll.trace"
    again=$(tr ' ' '\n' <"$T/server" | sed -n 's/^again=//p')
    told=$(sed -n 's/.*<desc[^>]*>//p' "$T/it.svg" | grep -oE 'echo_busypoll .* times; ' | grep -oE '[0-9,]+ times' | tr -dc '0-9')
    is "$told" "$again"
}

@test "svg: has each of those who play a lane, and do arrows go to and fro?" {
    record_two_clients echo_blocking
    timeline --no-table --svg "$T/it.svg" "$T/echo_blocking.trace"
    for name in echo_blocking echo_client 'echo_client 2'; do
        is "$(grep -c ">$name</text>" "$T/it.svg")" 1
    done
    # Two lines there, and two echoes back.
    is "$(sed -n "/<g class='arrow'/,/<\/g>/p" "$T/it.svg" | grep -c '<path')" 4
}

@test "svg: is it read by a browser alone: light and dark, nothing from elsewhere?" {
    record_two_clients echo_busypoll
    timeline --svg "$T/it.svg" "$T/echo_busypoll.trace"
    grep -q 'prefers-color-scheme: dark' "$T/it.svg"
    is "$(grep -c -e '<script' -e 'href=.http' -e '@import' -e 'url(.*http' "$T/it.svg" || :)" 0
    timeline --svg "$T/again.svg" "$T/echo_busypoll.trace"
    cmp "$T/it.svg" "$T/again.svg"
}

@test "svg: does it stay small, however many calls there were?" {
    only_in plain long
    many
    timeline --svg "$T/it.svg" "$T/many.trace"
    parses_as_xml "$T/it.svg"
    timeline --list "$T/many.trace"
    holds "$(wc -l <<<"$output") > 2000"
    holds "$(wc -c <"$T/it.svg") < 300000"
    timeline --connections --svg "$T/it.svg" "$T/many.trace"
    parses_as_xml "$T/it.svg"
    holds "$(wc -c <"$T/it.svg") < 300000"
}

@test "svg: is a name from elsewhere a name, and nothing else?" {
    record it --name "$hostile" "$bin/errno_provoke" >"$T/said"
    timeline --title "$hostile" --svg "$T/it.svg" "$T/it.trace"
    parses_as_xml "$T/it.svg"
    is "$(grep -c -e '<b>' -e '</script>' "$T/it.svg" || :)" 0
}

# A program that asks, waits, is answered, computes and asks again (tests/calls).
turns() {
    record turns "$build/tests/calls" turns x >"$T/said"
}

@test "svg: is no tick drawn where the program waited, and one where it asked?" {
    turns
    timeline --list "$T/turns.trace"
    read -r from to < <(awk '/ poll\(.* 80.0 ms\)/ { print $1 + 0.02, $1 + $2 - 0.02 }' <<<"$output")
    timeline --no-legend --no-table --from "$from" --to "$to" --svg "$T/it.svg" "$T/turns.trace"
    grep -q "class='blocked'.*poll(" "$T/it.svg"
    is "$(grep -c -e "class='asked'" -e "class='would" -e 'not yet' "$T/it.svg" || :)" 0
    LC_ALL=C timeline --no-legend --no-table --from "$from" --to "$to" --width 80 "$T/turns.trace"
    is "$(sed -n 's/^calls *//p' <<<"$output" | tr -d 'pol -')" ''
    timeline --no-legend --no-table --svg "$T/it.svg" "$T/turns.trace"
    grep -q -e "class='asked'" -e "class='would" "$T/it.svg"
}

# --- The page ----------------------------------------------------------------

browser() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

# The page after it has run, in a window: sets dom.
load_page() {
    dom=$(timeout 60 "$(browser)" --headless --no-sandbox --disable-gpu --user-data-dir="$T/browser" \
        --window-size="${2:-1280,900}" --virtual-time-budget=6000 --force-prefers-reduced-motion --dump-dom "file://$T/$1" 2>"$T/browser.err" 3>&- 4>&-) ||
        flunk "the browser ended with $?"
    [[ $dom == *'</html>'* ]] || flunk "no page came out of the browser"
}

@test "html: is it one file, and are its data safe in it, whatever the names?" {
    record it --name "$hostile" "$bin/errno_provoke" >"$T/said"
    timeline --title "$hostile" --html "$T/it.html" "$T/it.trace"
    is "$(grep -c -i -e 'src=' -e '<link' -e 'https*://' -e '@import' "$T/it.html" || :)" 0
    is "$(grep -o '</script>' "$T/it.html" | wc -l)" 2 # that of the data, and that of the page
    is "$(grep -c '<b>' "$T/it.html" || :)" 0
    needs python3
    python3 -c '
import json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
data = re.search(r"<script type=\"application/json\" id=\"trace\">(.*?)</script>", page, re.S).group(1)
assert "</script>\u2028" in json.dumps(json.loads(data), ensure_ascii=False), "the name is not in it"
' "$T/it.html"
}

@test "html: does the page show the lanes and the counts of the trace?" {
    only_in plain long
    browser >/dev/null || skip "no browser is installed"
    record_two_clients echo_busypoll
    timeline --html "$T/it.html" "$T/echo_busypoll.trace"
    load_page it.html
    grep -q 'id="trouble"[^>]*hidden' <<<"$dom" || flunk "$(grep -o 'id="trouble".*' <<<"$dom" | head -n 3)"
    for name in echo_busypoll echo_client 'echo_client 2'; do
        grep -q ">$name<" <<<"$dom" || flunk "no $name"
    done
    # The table has the same counts as the table in the terminal.
    LC_ALL=C timeline "$T/echo_busypoll.trace"
    called=$(awk '/^echo_busypoll/ { on = 1 } on && $1 == "accept" { print $2; exit }' <<<"$output")
    grep -q ">$called<" <<<"$dom" || flunk "not on the page: $called times accept"
}

@test "html: does the address tell which moment it shows?" {
    only_in plain long
    browser >/dev/null || skip "no browser is installed"
    record_two_clients echo_blocking
    timeline --html "$T/it.html" "$T/echo_blocking.trace"
    load_page 'it.html#from=0.1&to=0.2'
    grep -q '0.1 s to 0.2 s' <<<"$dom" || flunk "$(grep -o '[0-9.]* s to [0-9.]* s[^<]*' <<<"$dom")"
    load_page 'it.html#by=connection' 420,800
    grep -q 'id="trouble"[^>]*hidden' <<<"$dom"
    grep -q 'echo_blocking \[4\]' <<<"$dom" || flunk 'no lane for a connection'
}

@test "html: do keys, the wheel and a click do what the page says?" {
    only_in plain long
    browser >/dev/null || skip "no browser is installed"
    record_two_clients echo_blocking
    timeline --html "$T/it.html" "$T/echo_blocking.trace"
    # Somebody who plays with the page, and writes down what it says each time.
    cat >"$T/player" <<'PLAYER'
<script>
addEventListener("load", () => {
    const heard = [];
    const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
    const length = () => view.to - view.from; // what the page is about to draw
    const all = length();
    const steps = [
        ["all", () => {}],
        ["plus", () => key("+")],
        ["home", () => key("0")],
        ["wheel", () => {
            const sheet = document.getElementById("lanes"), box = sheet.getBoundingClientRect();
            sheet.dispatchEvent(new WheelEvent("wheel", { deltaY: -300, bubbles: true, cancelable: true,
                clientX: box.left + box.width / 2, clientY: box.top + 60 }));
        }],
        ["zero", () => key("0")],
        ["next", () => key("n")],
    ];
    const play = (i) => {
        if (i === steps.length) {
            heard.push("facts=" + document.getElementById("facts").textContent.length);
            const told = document.createElement("pre");
            told.textContent = "heard " + heard.join(" ") + ".";
            document.body.append(told);
            return;
        }
        steps[i][1]();
        setTimeout(() => { heard.push(steps[i][0] + "=" + (length() / all).toFixed(3)); play(i + 1); }, 500);
    };
    play(0);
});
</script>
PLAYER
    sed "/^<\/body>/{
        r $T/player
        N
    }" "$T/it.html" >"$T/played.html"
    load_page played.html
    heard=$(grep -o 'heard [^.].*\.' <<<"$dom" | tail -n 1 | tr ' ' '\n')
    said() { sed -n "s/^$1=//p" <<<"$heard" | sed 's/[.]$//'; }
    is "$(said all) $(said home) $(said zero)" '1.000 1.000 1.000' # all of it
    holds "$(said plus) < 0.9 && $(said plus) > 0.1" || flunk "$heard"
    holds "$(said wheel) < 0.9 && $(said wheel) > 0.01" || flunk "$heard"
    holds "$(said facts) > 20" || flunk "$heard" # n went to a call, and tells of it
}

@test "html: does what is hidden leave the rest with its own names?" {
    only_in plain long
    browser >/dev/null || skip "no browser is installed"
    record_two_clients echo_blocking
    timeline --hide echo_blocking --html "$T/it.html" "$T/echo_blocking.trace"
    load_page 'it.html#by=connection'
    grep -q 'id="trouble"[^>]*hidden' <<<"$dom" || flunk "$(grep -A 2 'id="trouble"' <<<"$dom")"
    grep -q 'echo_client \[3\]' <<<"$dom" || flunk 'no connection of the client'
    is "$(grep -c 'echo_blocking \[' <<<"$dom" || :)" 0
}

# --- What the Perfetto UI opens ----------------------------------------------

@test "perfetto: does it parse, do its spans nest, and do its arrows begin and end in some?" {
    only_in plain long
    needs python3
    local traces=echo_busypoll
    record_two_clients echo_busypoll
    [ "$tier" != long ] || { many && traces+=' many'; }
    for trace in $traces; do
        timeline --perfetto "$T/it.json" "$T/$trace.trace"
        python3 -c '
import bisect, collections, json, sys
events = json.load(open(sys.argv[1]))["traceEvents"]
tracks, flows = collections.defaultdict(list), collections.defaultdict(list)
for e in events:
    if e["ph"] == "X":
        assert e["dur"] >= 0 and e["ts"] >= 0
        tracks[e["pid"], e["tid"]].append((e["ts"], -e["dur"]))
    elif e["ph"] in "sf":
        flows[e["id"]].append(e)
slack = 0.002 # us: times are rounded
for track, spans in tracks.items():
    spans.sort()
    open_until = []
    for ts, dur in spans:
        while open_until and open_until[-1] <= ts + slack:
            open_until.pop()
        assert not open_until or ts - dur <= open_until[-1] + slack, (track, ts)
        open_until.append(ts - dur)
assert flows
for ends in flows.values():
    assert sorted(e["ph"] for e in ends) == ["f", "s"], ends
    for e in ends: # in the last span that began before it, or the one around that
        spans = tracks[e["pid"], e["tid"]]
        last = bisect.bisect(spans, (e["ts"] + slack, 0))
        assert any(e["ts"] <= ts - dur + slack for ts, dur in spans[max(0, last - 5):last]), e
' "$T/it.json" || flunk "$trace"
    done
}

@test "perfetto: does no run of questions reach over another call, or over time without any?" {
    needs python3
    turns
    timeline --perfetto "$T/it.json" "$T/turns.trace"
    python3 -c '
import json, sys
spans = [e for e in json.load(open(sys.argv[1]))["traceEvents"] if e["ph"] == "X"]
asked = [e for e in spans if e["args"].get("state") == "would block"]
assert len(asked) > 15, len(asked)
slack = 0.002 # us: times are rounded
for a in asked:
    for e in spans:
        assert e in asked or e["ts"] >= a["ts"] + a["dur"] - slack or \
            e["ts"] + e["dur"] <= a["ts"] + slack, (a, e)
' "$T/it.json"
}

@test "perfetto: are all calls in it, as often as in the list, and names as they are?" {
    only_in plain long
    needs python3
    record_two_clients echo_busypoll
    "$root/scripts/timeline" --list "$T/echo_busypoll.trace" | awk 'NR > 1 {
        match($0, /[a-z_0-9]+\(/)
        name = substr($0, RSTART, RLENGTH - 1)
        times = 1
        for (i = 1; i < NF; i++)
            if ($i ~ /^x[0-9,]+$/ && $(i + 1) == "in") { times = substr($i, 2); gsub(",", "", times) }
        count[name] += times
    } END { for (name in count) print name, count[name] }' | sort >"$T/list"
    timeline --perfetto "$T/it.json" "$T/echo_busypoll.trace"
    python3 -c '
import collections, json, sys
count = collections.Counter()
for e in json.load(open(sys.argv[1]))["traceEvents"]:
    if e["ph"] == "X" and e["name"] != "elsewhere":
        count[e["name"]] += e["args"]["times"]
for name in sorted(count):
    print(name, count[name])
' "$T/it.json" | sort >"$T/json"
    diff "$T/list" "$T/json"
    record it --name "$hostile" "$bin/errno_provoke" >"$T/said"
    timeline --perfetto "$T/it.json" "$T/it.trace"
    python3 -c 'import json, sys; assert "</script>\u2028" in json.dumps(json.load(open(sys.argv[1])), ensure_ascii=False)' "$T/it.json"
}

# arrows FILE: how many begin and end in each pair of lanes, from Perfetto's file.
arrows() {
    timeline --perfetto "$T/it.json" "$1"
    python3 -c '
import collections, json, sys
events = json.load(open(sys.argv[1]))["traceEvents"]
name = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
begins = {e["id"]: name[e["pid"]] for e in events if e["ph"] == "s"}
count = collections.Counter((begins[e["id"]], name[e["pid"]]) for e in events if e["ph"] == "f")
for pair in sorted(count):
    print(*pair, count[pair])
' "$T/it.json"
}

@test "arrows: do they lead to the child that serves, and not to its parent?" {
    needs python3
    cat >"$T/fork.py" <<'SERVER'
import os, socket
server = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    client = socket.create_connection(server.getsockname())
    client.sendall(b"hello")
    client.recv(5)
    os._exit(0)
peer, _ = server.accept()
if os.fork() == 0: # the classic: a child for each client
    peer.sendall(peer.recv(5))
    os._exit(0)
peer.close()
os.wait()
os.wait()
SERVER
    record fork python3 "$T/fork.py"
    told=$(arrows "$T/fork.trace")
    is "$(wc -l <<<"$told") $(awk '{ n += $NF } END { print n }' <<<"$told")" '2 2' # there, and back
}

@test "arrows: does a datagram that was cut off or lost cost no other one its arrow?" {
    needs python3
    cat >"$T/udp.py" <<'UDP'
import socket
receiver, sender = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
receiver.bind(("127.0.0.1", 0))
for size in (10, 11, 12, 13, 14, 15):
    sender.sendto(b"x" * size, receiver.getsockname())
receiver.recvfrom(3) # the first is cut off
for size in (11, 12, 13, 14, 15):
    receiver.recvfrom(100)
for _ in range(6): # of one size: one run
    sender.sendto(b"x" * 20, receiver.getsockname())
for _ in range(6):
    receiver.recvfrom(100 + _) # but six calls
UDP
    record udp python3 "$T/udp.py"
    is "$(arrows "$T/udp.trace" | awk '{ print $NF }')" 11
}
