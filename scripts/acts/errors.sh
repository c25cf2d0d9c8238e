# shellcheck shell=sh disable=SC2154 # from lib.sh and stage.sh
# SPDX-License-Identifier: MIT
# Title: What errors mean

play() {
    question 'A call returns -1 and sets errno. What causes each of these errors,' \
        'and which of them are errors at all?'
    beat 3 || return

    scene 'One program provokes the common errors (scripts/gallery explains each of them).'
    predict 'which errors can you name, and which of them mean "wait"?' || return
    launch program '' errno_provoke
    succeed program
    show_timeline
    number 'errors provoked' "$(value program provoked)"
    claim "$(value program provoked) > 10" 'a program can provoke more than ten errors'
    beat 4 || return

    scene 'Three of them mean "not yet".'
    predict 'what should a program do about each of the three?' || return
    launch program '' errno_explain EAGAIN EINPROGRESS EALREADY
    succeed program
    beat 4 || return

    scene 'Many tutorials say that the third set of select is for errors. Is it?'
    predict 'after a reset, is a socket readable, writable, exceptional?' || return
    launch program '' select_except
    succeed program
    beat 4 || return

    answer 'Some are just answers: try later, or it is under way. The others say' \
        'what has ended and what to do. An error makes a socket readable and' \
        'writable; the third set of select is for urgent data.'
    beat 3
}
