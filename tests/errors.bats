#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson errors: what they mean, and how they come about.

load helpers

@test "explain: are symbol, number, kind, calls and advice told, by symbol and by number?" {
    client errno_explain ECONNREFUSED
    is "$status" 0
    by_symbol=$output
    [[ ${lines[0]} == 'ECONNREFUSED ('*'): Connection refused' ]]
    [[ ${lines[1]} == '    kind        connection' ]]
    [[ ${lines[2]} == '    given by    connect'* ]]
    [[ ${lines[3]} == '    what to do  '* ]]
    number=${lines[0]#*(}
    client errno_explain "${number%%)*}"
    is "$output" "$by_symbol"
}

@test "explain: do --all and the card of all errors have the same?" {
    client errno_explain --all
    is "$status" 0
    is "$(grep -o '^E[A-Z]*' <<<"$output" | sort)" \
        "$(grep -o '^| `E[A-Z]*' "$root/docs/errors.md" | tr -d '|` ' | sort)"
    is "$(awk 'length > 80' <<<"$output")" ''
}

@test "explain: are both names of one number known, and other words an error?" {
    client errno_explain EWOULDBLOCK
    [[ $output == 'EAGAIN ('* || $output == 'EWOULDBLOCK ('* ]]
    for word in ENONSENSE eagain -- 0 12x ''; do
        client errno_explain -- "$word"
        is "'$word' $status" "'$word' 1"
        [[ $stderr == "errno_explain: '$word' is not in the table of socket errors: see --all" ]] || flunk "$stderr"
    done
    # A number that no socket call gives is explained as far as may be.
    client errno_explain 2
    is "$status: ${lines[0]}" '0: errno 2 (2): No such file or directory'
    client errno_explain
    is "$status" 2
}

@test "provoke: does every error come about as it is said to?" {
    client errno_provoke
    is "$status: $stderr" '0: '
    is "$(awk '{ print $1 }' <<<"$output" | tr '\n' ' ')" \
        'EAGAIN EINTR EINPROGRESS EALREADY EISCONN ENOTCONN ECONNREFUSED ETIMEDOUT ECONNRESET EPIPE EADDRINUSE EMSGSIZE EMFILE '
    client errno_provoke ENONSENSE
    is "$status: $stderr" "1: errno_provoke: cannot provoke 'ENONSENSE'"
}

@test "provoke: is ENETUNREACH to be had in a network of one's own?" {
    unshare -rn true 2>/dev/null || skip "this machine lets us have no network of our own"
    run unshare -rn "$bin/errno_provoke" ENETUNREACH
    is "$status: ${output%% *}" '0: ENETUNREACH'
}

@test "provoke: does SIGPIPE end a program that does not ignore it, without a word?" {
    client errno_provoke --deadly-sigpipe EPIPE
    is "$status: $output$stderr" '141: '
}

@test "gallery: is everything shown and explained, in 80 columns?" {
    run --separate-stderr "$root/scripts/gallery"
    is "$status: $stderr" '0: '
    for error in EAGAIN EINTR EINPROGRESS EALREADY EISCONN ENOTCONN ECONNREFUSED ETIMEDOUT \
        ECONNRESET EPIPE EADDRINUSE EMSGSIZE EMFILE; do
        is "$(grep -c "^    $error (" <<<"$output")" 1
    done
    grep -q -e '^    ENETUNREACH (' -e '^ENETUNREACH is skipped' <<<"$output"
    grep -q 'SIGPIPE would kill the program without a message: status 141$' <<<"$output"
    grep -q 'EAI_' <<<"$output"
    is "$(awk 'length > 80' <<<"$output")" ''
    run --separate-stderr "$root/scripts/gallery" ENONSENSE
    is "$status" 1
    run --separate-stderr "$root/scripts/gallery" --nonsense
    is "$status" 2
}

@test "select: is the third set about urgent data, and errors readable and writable?" {
    client select_except
    is "$status" 0
    is "$(sed 's/  */ /g; s/ $//' <<<"$output")" 'a byte has come readable writable -
an urgent byte has come - writable exceptional
the peer has closed readable writable -
the peer has reset readable writable -
... and recv tells why: ECONNRESET'
}
