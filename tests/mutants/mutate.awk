# SPDX-License-Identifier: MIT
# mutate.awk - derives wrong programs from the reference of an exercise.
#
#   awk -v folder=DIR [-v regions_alone=1] -f mutate.awk NAME.ex SOURCE
#
# It changes only what the student writes: the regions that NAME.ex cuts out of
# SOURCE, which go to DIR/region; all of it goes to DIR/reference.c. Each program has one change, and goes to
# DIR/NUMBER.c. A line for each
# is printed: its number, a tab, its kind and what was changed. That text is the
# same after other lines of the source have changed, so a table can refer to it.
#
# The source is laid out by clang-format and has neither goto nor labels, so a
# list of tokens with their brackets is enough to find the statements.

function complain(what) {
    print FILENAME ": " what >"/dev/stderr"
    failed = 1
    exit 1
}

# --- The tokens ------------------------------------------------------------

# Where the token at the start of rest ends, and its type: "w" a word, "n" a
# number, "s" a string, "o" an operator, "" white space or a comment.
function token_length(rest,    two, c, i) {
    type = ""
    c = substr(rest, 1, 1)
    two = substr(rest, 1, 2)
    if (match(rest, /^[ \t\n]+/))
        return RLENGTH
    if (two == "/*")
        return index(substr(rest, 3), "*/") + 3
    if (two == "//" || c == "#") {
        i = index(rest, "\n")
        while (substr(rest, i - 1, 1) == "\\")
            i += index(substr(rest, i + 1), "\n")
        return i
    }
    type = "w"
    if (match(rest, /^[A-Za-z_][A-Za-z_0-9]*/))
        return RLENGTH
    type = "n"
    if (match(rest, /^[0-9][A-Za-z_0-9.]*/))
        return RLENGTH
    if (c == "\"" || c == "'") {
        type = "s"
        for (i = 2; substr(rest, i, 1) != c; i++)
            if (substr(rest, i, 1) == "\\")
                i++
        return i
    }
    type = "o"
    if (substr(rest, 1, 3) == "...")
        return 3
    if (index(" -> ++ -- << >> <= >= == != && || += -= *= /= |= &= ", " " two " "))
        return 2
    return 1
}

function tokenise(    at, length_here, rest, c) {
    for (at = 1; at <= length(source); at += length_here) {
        # A short piece is enough for all but comments and strings.
        rest = substr(source, at, 2)
        rest = substr(source, at, rest == "/*" || rest ~ /^["#\/]/ ? 4000 : 200)
        length_here = token_length(rest)
        if (type == "")
            continue
        text[++count] = substr(rest, 1, length_here)
        kind_of[count] = type
        from[count] = at
        to[count] = at + length_here - 1
        c = text[count]
        if (type == "o" && index("([{", c)) {
            open_now[++depth] = count
        } else if (type == "o" && index(")]}", c)) {
            mate[count] = open_now[depth]
            mate[open_now[depth--]] = count
        }
    }
}

# Is the whole of these tokens inside a region?
function is_inside(first, last,    r) {
    for (r = 1; r <= cuts; r++)
        if (from[first] >= region_from[r] && to[last] <= region_to[r])
            return 1
    return 0
}

# --- The statements -----------------------------------------------------------

# The statement at token i: stores it in a list, and returns its last token.
# block: the number of the list of its neighbours; "" for the body of an if.
function statement(i, block,    me, word, last, other) {
    me = ++statements
    start_of[me] = i
    word = text[i]
    if (block != "")
        member[block, ++members[block]] = me
    if (word == "{") {
        form[me] = "block"
        last = mate[i]
        list_of(i)
    } else if (word == "if" || word == "while" || word == "for" || word == "switch") {
        form[me] = word
        condition[me] = i + 1
        body[me] = mate[i + 1] + 1
        last = statement(body[me], "")
        if (word == "if" && text[last + 1] == "else") {
            else_at[me] = last + 1
            last = statement(last + 2, "")
        }
    } else if (word == "do") {
        form[me] = word
        last = statement(i + 1, "") + 2
        last = mate[last] + 1
    } else if (word == "case" || word == "default") {
        form[me] = "label"
        for (last = i; text[last] != ":"; last++)
            ;
    } else {
        form[me] = "simple"
        if (word ~ /^(struct|const|int|bool|char|static|unsigned|double|long|short|enum|void|instant|duration|fd_set|va_list)$/ || word ~ /_t$/)
            form[me] = "declaration"
        else if (word == "return" || word == "break" || word == "continue")
            form[me] = "jump"
        for (last = i; text[last] != ";"; last++)
            if (mate[last] > last)
                last = mate[last]
    }
    end_of[me] = last
    return last
}

# The statements between the bracket at token i and its mate.
function list_of(i,    at, block) {
    block = ++blocks
    block_at[i] = block
    for (at = i + 1; at < mate[i]; at = statement(at, block) + 1)
        ;
}

# --- Changes ------------------------------------------------------------------

function squeezed(s) {
    gsub(/\/\*[^*]*\*\//, "", s)
    gsub(/[ \t\n]+/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    if (length(s) > 110)
        s = substr(s, 1, 107) "..."
    return s
}

function words_of(first, last) {
    return substr(source, from[first], to[last] - from[first] + 1)
}

# Store a program. what: what was changed, in words.
function store(kind, what, changed,    name) {
    name = kind ": " squeezed(what)
    if (changed == source || changed in known)
        return
    known[changed] = 1
    if (times[name]++)
        name = name " #" times[name]
    number++
    printf "%s", changed >(folder "/" number ".c")
    close(folder "/" number ".c")
    print number "\t" name
}

# Put other text in the place of the tokens from first to last. Name the change
# by the line as it is then, or by what.
function change(kind, first, last, by, what,    changed, line_from, tail) {
    if (!is_inside(first, last))
        return
    changed = substr(source, 1, from[first] - 1) by substr(source, to[last] + 1)
    if (what == "") {
        for (line_from = from[first]; substr(source, line_from - 1, 1) != "\n"; line_from--)
            ;
        tail = substr(changed, from[first])
        what = substr(changed, line_from, from[first] - line_from) \
            substr(tail, 1, index(substr(tail, length(by) + 1), "\n") + length(by))
    }
    store(kind, what, changed)
}

# Put the statement a in front of token at, or behind it, and remove it where it
# was.
function move(kind, a, at, behind,    piece, without, place) {
    if (!is_inside(start_of[a], end_of[a]) || !is_inside(at, at) || is_message(start_of[a]))
        return
    piece = words_of(start_of[a], end_of[a])
    place = behind ? to[at] + 1 : from[at]
    if (place > from[start_of[a]])
        without = substr(source, 1, from[start_of[a]] - 1) \
            substr(source, to[end_of[a]] + 1, place - to[end_of[a]] - 1) \
            "\n" piece "\n" substr(source, place)
    else
        without = substr(source, 1, place - 1) "\n" piece "\n" \
            substr(source, place, from[start_of[a]] - place) \
            substr(source, to[end_of[a]] + 1)
    store(kind, piece, without)
}

# What the program says is not what it does: no changes there.
function is_message(i) {
    return text[i] ~ /^(say|warn|warn_because|die|die_because|log_info|accept_failed|status_progress|report)$/ && text[i + 1] == "("
}

# Does it matter how often the statement is carried out? Of most calls it does.
function counts(first, last) {
    if (words_of(first, last) ~ /\+\+|--|[-+*]=/)
        return 1
    return text[first + 1] == "(" && text[first] !~ /^(make_nonblocking|memcpy|shutdown|FD_ZERO|FD_SET|FD_CLR|nap_until)$/
}

function has_call(first, last,    i) {
    for (i = first; i < last; i++)
        if (kind_of[i] == "w" && text[i + 1] == "(" && text[i] !~ /^(if|while|for|switch|sizeof|return)$/)
            return 1
    return 0
}

function change_statement(me,    first, last, c, inner, cond, whole, body_end, i) {
    first = start_of[me]
    last = end_of[me]
    if (is_message(first))
        return
    if (form[me] == "simple") {
        whole = words_of(first, last)
        change("removed", first, last, ";", whole)
        if (counts(first, last))
            change("doubled", first, last, whole " " whole, whole)
        for (i = first; i < last; i++) {
            if (mate[i] > i)
                i = mate[i]
            else if (text[i] == "=" && has_call(i, last))
                change("ignored", first, i, "(void)!", whole)
        }
    } else if (form[me] == "jump") {
        whole = words_of(first, last)
        change("removed", first, last, ";", whole)
        if (text[first] == "break")
            change("jump", first, first, "continue")
        else if (text[first] == "continue")
            change("jump", first, first, "break")
    } else if (form[me] == "if" || form[me] == "while") {
        c = condition[me]
        inner = substr(source, to[c] + 1, from[mate[c]] - to[c] - 1)
        whole = text[first] " (" inner ")"
        change("negated", c, mate[c], "(!(" inner "))")
        if (form[me] == "while") {
            change("once", first, first, "if")
        } else {
            change("always", c, mate[c], "((" inner ") || true)", whole)
            change(has_call(c, mate[c]) ? "ignored" : "never", c, mate[c],
                   "((" inner ") && false)", whole)
        }
    }
}

# The neighbours in a list of statements.
function change_list(block,    i, a, b, kind, whole, inner) {
    for (i = 1; i < members[block]; i++) {
        a = member[block, i]
        b = member[block, i + 1]
        if (form[a] == "label" || form[b] == "label" || is_message(start_of[a]) || is_message(start_of[b]))
            continue
        if (form[a] == "jump" && form[b] != "jump")
            continue
        whole = words_of(start_of[b], end_of[b]) "\n" words_of(start_of[a], end_of[a])
        change("swapped", start_of[a], end_of[b], whole,
               squeezed(words_of(start_of[a], end_of[a])) " <> " words_of(start_of[b], end_of[b]))
    }
    for (i = 1; i <= members[block]; i++) {
        a = member[block, i]
        if (form[a] != "while" && form[a] != "for" || text[body[a]] != "{")
            continue
        if (!(body[a] in block_at) || members[block_at[body[a]]] == 0)
            continue
        inner = block_at[body[a]]
        move("moved out", member[inner, 1], start_of[a], 0)
        if (members[inner] > 1)
            move("moved out", member[inner, members[inner]], end_of[a], 1)
        if (i > 1)
            move("moved in", member[block, i - 1], body[a], 1)
        if (i < members[block])
            move("moved in", member[block, i + 1], mate[body[a]], 0)
    }
}

# The two branches of a question mark at token q.
function change_branches(q,    c, e, nested) {
    for (c = q + 1; text[c] != ":" || nested > 0; c++) {
        if (mate[c] > c)
            c = mate[c]
        else if (text[c] == "?")
            nested++
        else if (text[c] == ":")
            nested--
    }
    for (e = c + 1; !index(",;)]}:", text[e]) || kind_of[e] != "o"; e++)
        if (mate[e] > e)
            e = mate[e]
    change("negated", q + 1, e - 1, words_of(c + 1, e - 1) " : " words_of(q + 1, c - 1))
}

function change_token(i,    t, n, others) {
    t = text[i]
    if (kind_of[i] == "o") {
        if (t == "?")
            change_branches(i)
        else if (t == "!")
            change("negated", i, i, "")
        else if (t in boundary)
            change("boundary", i, i, boundary[t])
        else if (t in operator)
            if (kind_of[i - 1] != "o" || index(")]", text[i - 1]))
                change("operator", i, i, operator[t])
    } else if (kind_of[i] == "n" && text[i - 1] != "[" && t !~ /\./) {
        change("constant", i, i, t == "0" ? 1 : 0)
        if (t != "0")
            change("constant", i, i, t == "1" ? 2 : 1)
    } else if (kind_of[i] == "w") {
        if (t in exchange) {
            n = split(exchange[t], others, "/")
            for (; n > 0; n--)
                change("exchanged", i, i, others[n])
        } else if (t ~ /^E[A-Z]+$/) {
            change("exchanged", i, i, t == "EIO" ? "EAGAIN" : "EIO")
        } else if (t ~ /^[A-Z]+_[A-Z]+$|^FAREWELL$/ && t !~ /^(F_|SOL_|AF_|O_|FD_|CLOCK_|EPOLL)/ || t == "FD_SETSIZE") {
            change("boundary", i, i, "(" t " + 1)")
            change("boundary", i, i, "(" t " - 1)")
        } else if (t ~ /^(serve|accept_clients|set_interest|watch_client|passed|worth_another|stopping|stop_due)$/ && text[i + 1] == "(" && text[i - 1] != "bool" && text[i - 1] != "int") {
            change("not asked", i, mate[i + 1], "true")
            change("not asked", i, mate[i + 1], "false")
        }
    }
}

BEGIN {
    boundary["<"] = "<="; boundary["<="] = "<"
    boundary[">"] = ">="; boundary[">="] = ">"
    boundary["=="] = ">="; boundary["!="] = "<"
    operator["&&"] = "||"; operator["||"] = "&&"
    operator["+"] = "-"; operator["-"] = "+"
    operator["*"] = "+"; operator["/"] = "*"
    operator["+="] = "="; operator["-="] = "+="
    operator["*="] = "+="; operator["|="] = "="; operator["|"] = "&"
    exchange["EAGAIN"] = "EINTR"; exchange["EWOULDBLOCK"] = "EINTR"
    exchange["EINTR"] = "EAGAIN"; exchange["EINPROGRESS"] = "EAGAIN/EINTR"
    exchange["AGAIN"] = "CLOSED/FAILED"; exchange["CLOSED"] = "AGAIN/FAILED"
    exchange["FAILED"] = "CLOSED/AGAIN"; exchange["DONE"] = "AGAIN/FAILED"
    exchange["PENDING"] = "AGAIN/DONE"
    exchange["POLLIN"] = "POLLOUT"; exchange["POLLOUT"] = "POLLIN"
    exchange["EPOLLIN"] = "EPOLLOUT"; exchange["EPOLLOUT"] = "EPOLLIN"
    exchange["EPOLL_CTL_ADD"] = "EPOLL_CTL_MOD"
    exchange["EPOLL_CTL_MOD"] = "EPOLL_CTL_ADD"
    exchange["SHUT_WR"] = "SHUT_RD/SHUT_RDWR"
    exchange["SO_ERROR"] = "SO_TYPE"
    exchange["readable"] = "writable"; exchange["writable"] = "readable"
    exchange["true"] = "false"; exchange["false"] = "true"
    exchange["NEVER"] = "0"
    exchange["buffer_used"] = "buffer_room"
    exchange["buffer_room"] = "buffer_used"
    exchange["buffer_cut"] = "buffer_taken"
    exchange["buffer_line"] = "buffer_used"
    exchange["FD_SET"] = "FD_CLR"; exchange["FD_CLR"] = "FD_SET"
    exchange["input"] = "output"; exchange["output"] = "input"
}

FNR != NR {
    for (i = 1; i <= lines; i++)
        if ($0 ~ instead_of[i])
            $0 = instead[i]
    position = length(source) + 1
    source = source $0 "\n"
    if (!inside && cut < cuts && $0 ~ first_line[cut + 1]) {
        inside = 1
        region_from[++cut] = position
    } else if (inside && $0 ~ last_line[cut]) {
        inside = 0
        region_to[cut] = length(source)
    }
    next
}
/^line\t/ {
    split($0, field, "\t")
    instead_of[++lines] = field[2]
    instead[lines] = field[3]
}
/^cut\t/ {
    split($0, field, "\t")
    first_line[++cuts] = field[2]
    last_line[cuts] = field[3]
}

END {
    if (failed)
        exit 1
    if (cut < cuts || inside)
        complain("region " cut + inside " is not in the source")
    printf "%s", source >(folder "/reference.c")
    for (i = 1; i <= cuts; i++)
        printf "%s", substr(source, region_from[i], region_to[i] - region_from[i] + 1) >(folder "/region")
    if (regions_alone)
        exit
    tokenise()
    for (i = 1; i <= count; i++)
        if (text[i] == "{" && text[i - 1] == ")") {
            list_of(i)
            i = mate[i]
        }
    for (i = 1; i <= statements; i++)
        if (is_inside(start_of[i], start_of[i]))
            change_statement(i)
    for (i = 1; i <= blocks; i++)
        change_list(i)
    for (i = 1; i <= count; i++)
        if (is_message(i))
            i = mate[i + 1]
        else if (is_inside(i, i))
            change_token(i)
}
