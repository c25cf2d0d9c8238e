/* SPDX-License-Identifier: MIT */
/*
 * mistakes.h - the classic mistakes by name: what a verdict calls them, where
 * they are taught, and what to think about.
 */
#ifndef WOULDBLOCK_MISTAKES_H
#define WOULDBLOCK_MISTAKES_H

#define EACH_MISTAKE(M)                                                        \
    M(ACCEPT_BLOCKS, 3, "accept waits, and everybody waits with it",           \
      "The listener needs O_NONBLOCK as much as the clients' sockets do")      \
    M(ACCEPTED_BLOCKING, 7, "an accepted socket was left blocking",            \
      "On Linux a new socket starts blocking, whatever its listener was: "     \
      "each "                                                                  \
      "accept wants a set_nonblocking of its own")                             \
    M(ACCEPT_EMFILE_SPIN, 8, "out of descriptors, and accept tried for ever",  \
      "The connection stays in the queue, so the listener stays readable: do " \
      "not watch it until a descriptor is free again")                         \
    M(ASLEEP_IN_LOOP, 7, "the one thread sleeps while others wait for it",     \
      "A pause is a deadline to be kept by the wait, not a nap of the "        \
      "program")                                                               \
    M(BUSY_SPIN, 3, "it asks again and again instead of waiting",              \
      "Non-blocking without a wait is a spin: let poll, select or epoll_wait " \
      "sleep until there is something to do")                                  \
    M(CLIENT_UNWATCHED, 8, "a client is not in the list that is waited for",   \
      "Every client has to be in the list, each time, as long as it is there") \
    M(CLOSED_KEPT, 2, "closed, but still in the list",                         \
      "Close and remove go together: the number of a closed descriptor is "    \
      "soon somebody else's")                                                  \
    M(CLOSE_BEFORE_FLUSH, 10, "closed with bytes still to be sent",            \
      "Done means: input ended and output empty. What the kernel holds is "    \
      "still delivered after close, what you hold is not")                     \
    M(CLOSE_UNREAD_RST, 10, "closed with bytes not received: a reset",         \
      "shutdown(SHUT_WR), receive until 0, then close: unread bytes turn "     \
      "close into a reset, which destroys what is on the way")                 \
    M(CONNECT_BLOCKS, 6, "connect waits: the flag came too late",              \
      "O_NONBLOCK has to be set before connect; afterwards is too late")       \
    M(COUNTS_EAGAIN, 4, "the -1 of a refused call was taken for a count",      \
      "-1 is no number of bytes: look at the answer first, add then")          \
    M(CRASH, 0, "the program crashed, or a sanitizer stopped it",              \
      "Read the report by running it by hand: it names the line. Often it is " \
      "a count that was not checked")                                          \
    M(DEADLINE_MOVED, 11, "each byte moves the deadline",                      \
      "The deadline belongs to the whole line: set it once, when the line "    \
      "begins")                                                                \
    M(DEADLINE_NOT_RENEWED, 11, "who was in time is sent away",                \
      "The next line, or request, has a deadline of its own")                  \
    M(DEADLINE_SHARED, 11, "one deadline for all clients",                     \
      "Each client has its own deadline; the wait ends at the earliest")       \
    M(DEADLINE_UNWATCHED, 11, "a deadline passes while the program sleeps",    \
      "The time-out of the wait is what is left until the earliest of all "    \
      "deadlines; -1 only if there is none")                                   \
    M(DROPS_A_CLIENT, 8, "a client is sent away for want of a descriptor",     \
      "Who is connected stays; who comes has to wait")                         \
    M(EAGAIN_FATAL, 2, "'nothing yet' was taken for the end",                  \
      "-1 is three answers: would block (ask later), interrupted (ask "        \
      "again), "                                                               \
      "broken. Only 0 means that the peer has finished")                       \
    M(EALREADY_FATAL, 6, "'still under way' was taken for a failure",          \
      "Asked again, connect says EALREADY until it knows: that is no error")   \
    M(EINPROGRESS_FATAL, 6, "'begun' was taken for a failure",                 \
      "EINPROGRESS is what a non-blocking connect normally answers: wait "     \
      "until the socket is writable, then ask SO_ERROR")                       \
    M(EINTR_FATAL, 2, "a signal ended what it only interrupted",               \
      "EINTR means that a signal came and nothing else happened: ask again")   \
    M(EMFILE_FATAL, 8, "out of descriptors ended the server",                  \
      "Somebody will leave, and then there is a descriptor again: keep "       \
      "serving those who are here")                                            \
    M(ENDS_EARLY, 0, "the program ended before its work was done",             \
      "Look at the last calls before its end: which answer did it misread?")   \
    M(ENDLESS, 0, "the program does not come to an end",                       \
      "Which condition should end the loop, and can it ever become true?")     \
    M(EOF_IGNORED, 2, "the end of a connection is not noticed",                \
      "0 from recv is the end: it comes again and again until you close")      \
    M(ERRNO_CLOBBERED, 2, "errno was read after another call",                 \
      "The first line after the call: int error = errno. Any other call, "     \
      "printf too, may change it")                                             \
    M(ERRNO_STALE, 2, "errno was read although the call had succeeded",        \
      "Look at the result first: a call that succeeds leaves in errno what "   \
      "an earlier one put there")                                              \
    M(ERROR_NOT_NAMED, 6, "it failed, but did not say why",                    \
      "SO_ERROR holds the errno of the attempt: hand it on")                   \
    M(ET_NOT_DRAINED, 9, "edge-triggered, but not used up",                    \
      "A change is reported once: call until the answer is would block")       \
    M(EVERYBODY_HEARS, 14, "what was for one was told to others too",          \
      "Find the one guest, and add the line to that one's output")             \
    M(EXISTING_CONNECTION_LOST, 2, "a working connection was dropped",         \
      "Which answer made the program close it?")                               \
    M(FAILURE_IS_SUCCESS, 12,                                                  \
      "all tries failed, and it says that all is well",                        \
      "The exit status is what scripts and people go by: 1 if it failed")      \
    M(FDSET_STALE, 8, "select's sets were not built anew",                     \
      "select overwrites its sets with the answer: fill them before each "     \
      "call")                                                                  \
    M(FD_SETSIZE_OVERRUN, 8, "a descriptor too high for an fd_set",            \
      "FD_SET of a number from FD_SETSIZE on writes past the set: refuse "     \
      "that "                                                                  \
      "client, or use poll")                                                   \
    M(FIN_NOT_SENT, 10, "both sides wait for the other one to end",            \
      "shutdown(SHUT_WR) tells the peer that no more will come, and leaves "   \
      "the other direction open")                                              \
    M(FLAG_ELSEWHERE, 1, "the flag is set on another descriptor",              \
      "The flag belongs to one descriptor: set it on the one that recv gets")  \
    M(FLAG_NOT_SET, 1, "the descriptor itself still blocks",                   \
      "A flag of one call, such as MSG_DONTWAIT, ends with that call; "        \
      "O_NONBLOCK stays")                                                      \
    M(FLAGS_LOST, 1, "the other flags of the descriptor are lost",             \
      "F_SETFL sets all flags: read them with F_GETFL, and add yours with |")  \
    M(FRAMING_ONE_RECV, 5, "one recv was taken for one message",               \
      "TCP is a stream of bytes: a recv brings a part of a line, or several")  \
    M(GIVES_UP_EARLY, 6, "gave up although there was time left",               \
      "Would block and under way mean wait: only the deadline ends that")      \
    M(GREEDY_CLIENT, 9, "one busy client keeps all the others waiting",        \
      "Bound what one client gets before the others have their turn; then "    \
      "come back to it, since no new report will come")                        \
    M(HALF_CLOSE, 10, "the peer's end of sending was taken for its leaving",   \
      "0 from recv: the peer sends no more. It may still be listening, so "    \
      "finish what you have to say")                                           \
    M(HOPELESS_RETRY, 12, "tried again what can never succeed",                \
      "A permission or an address that is wrong stays wrong: ask the errno")   \
    M(IDLE_WAKEUPS, 3, "woken up again and again with nothing to do",          \
      "A wait without a deadline takes -1 (or NULL): it sleeps until "         \
      "something happens")                                                     \
    M(LEVEL_TRIGGERED, 9, "the kernel reports states, not changes",            \
      "EPOLLET is a part of the events of each client's entry; EPOLL_CTL_MOD " \
      "replaces all of them")                                                  \
    M(LINE_TORN, 7, "a line was cut in its middle",                            \
      "What has been begun has to be finished: cut at a line's end")           \
    M(LINE_TOO_LONG, 5, "a line without an end is not dealt with",             \
      "Bound what you keep: a line longer than allowed is told so and "        \
      "dropped")                                                               \
    M(LINES_LEFT_OVER, 5, "whole lines were left lying in the buffer",         \
      "poll knows nothing of your own buffer: handle all the lines that are "  \
      "there before you wait again")                                           \
    M(LISTENER_UNWATCHED, 8, "nobody waits for new clients any more",          \
      "The listener has to be in the list too, and come back into it")         \
    M(MESSAGE_LOST, 7, "lines disappeared without a word",                     \
      "Who is too slow may be sent away, but not be left with a gap")          \
    M(MISCLASSIFIED, 2, "an answer was given the wrong name",                  \
      "See the manual page of the call, section ERRORS")                       \
    M(NFDS_TOO_LOW, 8, "select was given too small a number",                  \
      "The first argument is the highest descriptor plus one, for each call")  \
    M(NOT_LISTENING, 0, "it does not say that it listens",                     \
      "A server prints 'listening on ADDRESS port N' once it does; "           \
      "listen_on() does that for you")                                         \
    M(NO_BACKPRESSURE, 7, "memory grows with what a slow reader leaves",       \
      "Bound the queue: stop receiving, or send the slow one away")            \
    M(NO_CAP, 12, "the pauses grow without end",                               \
      "The smaller one of cap and base * 2^n, and never a shift past the "     \
      "type")                                                                  \
    M(NO_DEADLINE, 11, "goes on past its deadline",                            \
      "One absolute deadline, taken before the loop, and asked in every turn") \
    M(NO_GROWTH, 12, "the pauses do not grow",                                 \
      "Each pause at most twice the one before: who is in trouble gets time")  \
    M(NO_JITTER, 12, "the pauses are the same for everybody",                  \
      "Draw the pause at random below its bound, or all come back together")   \
    M(NO_WORK_DONE, 1, "it does not wait, but does nothing else either",       \
      "When there is nothing to receive yet, do a step of the other work")     \
    M(NOT_CLOSED, 10, "a connection that is over is never closed",             \
      "Each descriptor that accept gave has to be closed once, also on "       \
      "errors")                                                                \
    M(NOBODY_TOLD, 14, "the sender does not learn what became of its line",    \
      "Every request has an answer, also when it cannot be done")              \
    M(NOT_AN_ECHO, 13, "the answer is not the datagram that came",             \
      "One datagram, one answer: as many bytes as recv counted, zero bytes "   \
      "too")                                                                   \
    M(NOTHING_SENT, 0, "nothing comes from it",                                \
      "Follow one byte by hand: recv, then send, and in which turn?")          \
    M(ONE_AT_A_TIME, 3, "only one client is served at a time",                 \
      "Ask every client in each round, not just one of them")                  \
    M(PEER_KILLS_SERVER, 7, "what happened to one client ended the server",    \
      "Fatal for whom? Close that one connection, and serve the others")       \
    M(PENDING_IS_CONNECTED, 6, "an attempt under way was taken for a success", \
      "Only 0, EISCONN, or SO_ERROR 0 on a writable socket mean connected")    \
    M(POLLIN_ALWAYS, 4, "waits for input that it has no room for",             \
      "While bytes are left to send, do not wait for more of them: poll "      \
      "comes back at once for what you leave lying")                           \
    M(POLLOUT_ALWAYS, 4, "waits for room with nothing to send",                \
      "A socket is nearly always writable: ask for that only while you have "  \
      "something to send")                                                     \
    M(POLLOUT_NEVER, 4, "never waits for room",                                \
      "While there are bytes left to send it is POLLOUT that you wait for")    \
    M(RECEIVE_BLOCKS, 2, "held inside recv",                                   \
      "With O_NONBLOCK recv answers EAGAIN at once: is it set on this "        \
      "socket?")                                                               \
    M(RECONNECT_STORM, 6, "a new socket for every question",                   \
      "One socket, one attempt: ask that one how it goes")                     \
    M(RECV_BLOCKS, 1, "recv waits, and the whole program waits with it",       \
      "Set O_NONBLOCK with fcntl, before the first recv: then it returns -1 "  \
      "with errno EAGAIN instead of waiting")                                  \
    M(RESET_IS_END, 10, "a reset was taken for an orderly end",                \
      "ECONNRESET is a failure: what was on the way may be lost, and the "     \
      "program should know")                                                   \
    M(RESENT_FROM_START, 4, "sent again what the kernel already had",          \
      "Bytes accepted are gone: start + count, length - count")                \
    M(RETRY_STORM, 12, "tries again at once, without a pause",                 \
      "Who does not answer is not helped by being asked more often")           \
    M(SEND_BLOCKS, 4, "held inside send",                                      \
      "With O_NONBLOCK send takes what fits and returns: is it still set?")    \
    M(SENDER_UNKNOWN, 14, "the line does not say who wrote it",                \
      "The server knows who wrote it: put that name in front, as it is now")   \
    M(SEND_UNCHECKED, 13, "an answer was not sent, and it does not know",      \
      "sendto fails as well: look at its result, and count what is not sent")  \
    M(SHORT_SEND, 4, "the count that send returned was not heeded",            \
      "send tells how many bytes the kernel took: the rest is still yours")    \
    M(SIGPIPE_DEATH, 10, "killed by SIGPIPE",                                  \
      "Sending to a peer that is gone: MSG_NOSIGNAL, or ignore SIGPIPE, and "  \
      "EPIPE is just one more 'this connection is over'")                      \
    M(SLEEPS_AFTER_LAST, 12, "pauses after the last try",                      \
      "A pause is for the sake of the next try: there is none")                \
    M(SO_ERROR_EARLY, 6, "SO_ERROR was asked before there was an answer",      \
      "It is 0 as well while the attempt is under way: ask once it is "        \
      "writable")                                                              \
    M(SO_ERROR_TWICE, 6, "SO_ERROR was asked twice",                           \
      "Reading it clears it: ask once, and keep the answer")                   \
    M(SPINS_AT_DEADLINE, 11, "spins in the last millisecond",                  \
      "Round the time-out up: 0.9 ms rounded down is 0, which does not wait")  \
    M(STOP_IGNORED, 6, "cannot be stopped while it waits",                     \
      "stopping() and stop_due() tell that somebody wants it to end")          \
    M(TEXT_CUT, 14, "a part of the text is missing",                           \
      "Only the first space separates: all that comes after it is the text")   \
    M(TIMEVAL_CONSUMED, 8, "select's time-out was used up",                    \
      "Linux leaves in it what was left: fill it anew before each call")       \
    M(TOO_MANY_PROCESSES, 0, "it starts processes without end",                \
      "One thread that asks: no fork in here")                                 \
    M(TOO_MUCH_CPU, 0, "it used more CPU time than there is",                  \
      "Which loop has no end, and no wait in it?")                             \
    M(TOO_MUCH_MEMORY, 0, "it took more memory than there is",                 \
      "Which list grows, and who makes it shrink again?")                      \
    M(TOO_MUCH_OUTPUT, 0, "it wrote without end",                              \
      "A message in a loop that does not wait is a flood: say it once")        \
    M(TRUNCATED_SILENTLY, 13, "it does not know which datagrams were cut off", \
      "Only MSG_TRUNC in msg_flags tells: a datagram that just fits is whole") \
    M(UNSAFE_BYTES, 5, "bytes that can change a terminal were passed on",      \
      "What one guest types appears on the terminals of all others: let text " \
      "through, and nothing else")                                             \
    M(WAIT_RESTARTED, 11, "the time-out of one wait was taken for a deadline", \
      "A deadline is a point in time: calculate each time-out from it anew")   \
    M(WORD_NOT_KEPT, 0, "it does not do what it was asked for",                \
      "Read the task once more, and follow the steps above by hand")           \
    M(WRITABLE_IS_CONNECTED, 6, "writable was taken for connected",            \
      "Writable means ended, not succeeded: one getsockopt(SO_ERROR), kept "   \
      "in "                                                                    \
      "a variable, decides")                                                   \
    M(WRONG_GUEST, 14, "somebody of another name has heard it",                \
      "Two names are equal if their lengths are, too")                         \
    M(WRONG_PEER, 13, "the answer went to somebody else",                      \
      "recvmsg and recvfrom tell the sender of each datagram: keep it with "   \
      "the bytes")                                                             \
    M(WRONG_PORT, 0, "it listens, but not where it was told to",               \
      "The port is the operand: operands[0]; 0 lets the kernel choose one")    \
    M(ZERO_IS_END, 13, "an empty datagram was taken for the end, or for none", \
      "A datagram may have no bytes: 0 is its length, and UDP has no end")     \
    M(ZERO_MISREAD, 2, "0 was misread",                                        \
      "0 is the end only if at least one byte was asked for")

enum mistake {
    NO_MISTAKE,
#define M(name, lesson, title, advice) name,
    EACH_MISTAKE(M)
#undef M
};

struct mistake_entry {
    const char *name;
    int lesson; /* 0: no lesson */
    const char *title;
    const char *advice; /* one sentence without its full stop */
};

const struct mistake_entry *mistake_entry(enum mistake what);

/* Print all mistakes as rows of a Markdown table. */
void print_mistakes(void);

#endif
