# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: What errors say

play() {
    question 'Minus one, and a number in errno. How do they come about, and which' \
        'of them are errors at all?'
    beat 3 || return

    scene 'Provoked, one after the other (scripts/gallery explains each of them).'
    predict 'which errors can you name, and which of them mean: wait?' || return
    launch program '' errno_provoke
    succeed program
    show_timeline
    number 'errors made to happen' "$(value program provoked)"
    claim "$(value program provoked) > 10" 'errors can be made to happen'
    beat 4 || return

    scene 'Three that mean: not yet.'
    predict 'and what is one to do about each of the three?' || return
    launch program '' errno_explain EAGAIN EINPROGRESS EALREADY
    succeed program
    beat 4 || return

    scene "And the third set of select, which tutorials call 'for errors'?"
    predict 'when the peer resets: readable, writable, exceptional?' || return
    launch program '' select_except
    succeed program
    beat 4 || return

    answer 'Most of them are answers: ask later, or it is under way. The rest tell' \
        'what has ended, and what to do. And an error makes a socket readable' \
        'and writable: the third set is for urgent data.'
    beat 3
}
