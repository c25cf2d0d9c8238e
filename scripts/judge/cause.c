/* SPDX-License-Identifier: MIT */
/*
 * cause - records the steps of a check and finds the mistake, from the
 * program's state and the results of its calls.
 */
#define _GNU_SOURCE
#include "contract.h"
#include "inside.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* --- Steps and verdict ---------------------------------------------------- */

void step(const char *format, ...)
{
    va_list arguments;

    if (verdict->steps == STEPS)
        return;
    verdict->step[verdict->steps].at = seconds(now() - began);
    va_start(arguments, format);
    vsnprintf(verdict->step[verdict->steps].text, sizeof verdict->step[0].text,
              format, arguments);
    va_end(arguments);
    verdict->steps++;
}

/* The length of the UTF-8 character at the start of text (RFC 3629). 0 if the
 * bytes are invalid, or a control character above ASCII. */
static size_t character(const char *text)
{
    const unsigned char *b = (const unsigned char *)text;
    size_t more = b[0] < 0x80   ? 0
                  : b[0] < 0xC2 ? SIZE_MAX
                  : b[0] < 0xE0 ? 1
                  : b[0] < 0xF0 ? 2
                  : b[0] < 0xF5 ? 3
                                : SIZE_MAX;

    if (more == SIZE_MAX || (b[0] == 0xC2 && b[1] < 0xA0) ||
        (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F) ||
        (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F))
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    return more + 1;
}

/* A program may print any bytes, and a full buffer may end within a character.
 * Make it text on one line, without control characters that a terminal would
 * act on. */
static void make_text(char *text, size_t size)
{
    const bool cut = strlen(text) == size - 1;
    char *to = text;

    for (const char *from = text; *from;) {
        size_t length = character(from);

        if (length > 1)
            memmove(to, from, length);
        else if (length == 1)
            *to = *from == '\n' || *from == '\t' ? ' '
                  : *from < ' ' || *from == 127  ? '?'
                                                 : *from;
        else if (cut && strlen(from) < 4)
            break;
        else
            *to = '?';
        length = length > 0 ? length : 1;
        to += length;
        from += length;
    }
    *to = '\0';
}

void give_verdict(enum mistake what)
{
    tell_timeline(what);
    stop_program();
    make_text(verdict->symptom, sizeof verdict->symptom);
    for (size_t i = 0; i < verdict->steps; i++)
        make_text(verdict->step[i].text, sizeof verdict->step[i].text);
    verdict->what = what;
    verdict->seconds = seconds(now() - began);
    verdict->reached = true;
    _exit(0);
}

static void more_symptom(const char *format, ...) LIKE_PRINTF(1, 2);
static void more_symptom(const char *format, ...)
{
    size_t length = strlen(verdict->symptom);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict->symptom + length, sizeof verdict->symptom - length,
              format, arguments);
    va_end(arguments);
}

void check_failed(const char *what)
{
    snprintf(verdict->symptom, sizeof verdict->symptom, "%s: %s", what,
             error_entry(errno)->symbol);
    stop_program();
    _exit(1);
}

/* --- Finding the cause ---------------------------------------------------- */

/* The sanitizer's report in one line, with the line number of the program. */
static bool sanitizer_spoke(char *line, size_t size)
{
    const char *spoken = strstr(its_words(), "ERROR: AddressSanitizer: ");
    char file[64], *address;
    const char *place;

    if (!spoken)
        spoken = strstr(its_words(), "runtime error: ");
    if (!spoken)
        return false;
    snprintf(line, size, "%.*s", (int)strcspn(spoken, "\n"), spoken);
    address = strstr(line, " on ");
    if (address)
        *address = '\0'; /* the address does not help the reader */
    snprintf(file, sizeof file, "%s.c:", exercise->name);
    place = strstr(its_words(), file);
    if (place)
        snprintf(line + strlen(line), size - strlen(line), ", in line %ld",
                 strtol(place + strlen(file), NULL, 10));
    return true;
}

/* The last line of the program's output. After a sanitizer's report, the line
 * that says what happened: the report ends in a map of the memory. */
const char *last_words(void)
{
    static char line[160];
    const char *text = its_words(), *from;
    size_t length = strlen(text);

    if (sanitizer_spoke(line, sizeof line)) {
        make_text(line, sizeof line);
        return line;
    }
    while (length > 0 && text[length - 1] == '\n')
        length--;
    from = text + length;
    while (from > text && from[-1] != '\n')
        from--;
    snprintf(line, sizeof line, "%.*s", (int)(text + length - from), from);
    make_text(line, sizeof line);
    return line;
}

static enum mistake cause_of_error(int call, int error)
{
    switch (error) {
    case EAGAIN:
        return EAGAIN_FATAL;
    case EINTR:
        return EINTR_FATAL;
    case EINPROGRESS:
        return EINPROGRESS_FATAL;
    case EALREADY:
        return EALREADY_FATAL;
    case EMFILE:
    case ENFILE:
        return EMFILE_FATAL;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
        return is_receive(call) || is_send(call) || is_accept(call)
                   ? PEER_KILLS_SERVER
                   : NO_MISTAKE;
    default:
        return NO_MISTAKE;
    }
}

/* The last recorded call before the program's end, other than close. */
static bool last_one(const struct seen *s, void *context)
{
    const struct seen **last = context;

    if (s->call != CALL_close && (!*last || s->ended >= (*last)->ended))
        *last = s;
    return true;
}

static enum mistake cause_of_end(void)
{
    char line[200];
    const struct seen *last = NULL;

    if (sanitizer_spoke(line, sizeof line)) {
        more_symptom(" %s.", line);
        return CRASH;
    }
    if (strcmp(end.limit, "memory") == 0)
        return TOO_MUCH_MEMORY;
    if (strcmp(end.limit, "output") == 0)
        return TOO_MUCH_OUTPUT;
    if (strcmp(end.limit, "processes") == 0)
        return TOO_MANY_PROCESSES;
    if (strcmp(end.limit, "cpu") == 0)
        return TOO_MUCH_CPU;
    if (strcmp(end.limit, "wall") == 0)
        return ENDLESS;
    if (strcmp(end.how, "signal") == 0) {
        if (end.code == SIGPIPE)
            return SIGPIPE_DEATH;
        more_symptom(" Its last words: '%s'.", last_words());
        return CRASH;
    }
    each_seen(0, last_one, &last);
    /* A program that repeated the call ten times did not stop because of its
     * error. */
    if (last && last->result == -1 && last->times < 10) {
        enum mistake what = cause_of_error(last->call, last->error);

        if (what != NO_MISTAKE) {
            more_symptom(" Its last call: %s, -1 %s.", call_name(last->call),
                         error_entry(last->error)->symbol);
            return what;
        }
    }
    if (last && is_receive(last->call) && last->result == 0)
        return PEER_KILLS_SERVER;
    return NO_MISTAKE;
}

/* What happened repeatedly in the last tenth of a second. */
struct recent {
    instant since;
    bool emfile, end_of_file, send_refused, sent, received, waits, no_time;
    bool select_used;
    unsigned events;
};

static bool note_repeated(const struct seen *s, void *context)
{
    struct recent *r = context;

    if (s->ended < r->since || s->times < 3)
        return true;
    if (is_accept(s->call) && (s->error == EMFILE || s->error == ENFILE))
        r->emfile = true;
    if (is_receive(s->call)) {
        r->received = true;
        r->end_of_file = r->end_of_file || (s->result == 0 && s->asked > 0);
    }
    if (is_send(s->call)) {
        r->sent = true;
        r->send_refused = r->send_refused || s->error == EAGAIN;
    }
    if (is_wait(s->call)) {
        r->waits = true;
        r->events |= s->events;
        r->no_time = r->no_time || (s->asked == 0 && s->result == 0);
        r->select_used = r->select_used || s->call == CALL_select;
    }
    return true;
}

static bool had_time(const struct seen *s, void *context)
{
    if (s->call == CALL_select && s->asked > 0)
        *(bool *)context = true;
    return true;
}

enum mistake cause_of_spin(enum mistake otherwise)
{
    struct recent r = {.since = now()};
    bool once_had_time = false;
    const duration before = used_cpu();

    /* On a busy machine it takes a while to repeat something. */
    for (int i = 0;
         i < 10 && (i == 0 || used_cpu() - before < 10 * MILLISECOND); i++)
        nap(100 * MILLISECOND);
    each_seen(0, note_repeated, &r);
    each_seen(0, had_time, &once_had_time);
    if (r.waits && r.no_time && r.select_used && once_had_time)
        return TIMEVAL_CONSUMED;
    if (r.emfile)
        return ACCEPT_EMFILE_SPIN;
    if (r.end_of_file)
        return EOF_IGNORED;
    if (r.waits && r.no_time)
        return BUSY_SPIN;
    if (r.waits && r.send_refused)
        return POLLOUT_NEVER;
    if (r.waits && (r.events & POLLOUT) && !r.sent)
        return POLLOUT_ALWAYS;
    if (r.waits && (r.events & (POLLHUP | POLLERR)) && !r.received)
        return NOT_CLOSED;
    return r.waits ? otherwise : BUSY_SPIN;
}

static bool napped_long(const struct seen *s, void *context)
{
    if (is_nap(s->call) && s->longest > 300 * MILLISECOND)
        *(bool *)context = true;
    return true;
}

static enum mistake cause_of_sleep(int peer)
{
    const struct standing at = its_call();
    const int fd = peer >= 0 ? its_fd(peer) : -1;
    bool napped = false;

    /* If it has several threads or processes, this one may wait for others that
     * do the work. */
    if (any_program && the_family().threads > 1)
        return NO_MISTAKE;
    each_seen(0, napped_long, &napped);
    if (is_accept(at.call))
        return ACCEPT_BLOCKS;
    if (at.call == CALL_connect)
        return CONNECT_BLOCKS;
    if (peers_connected() > 0 && (is_receive(at.call) || is_send(at.call)))
        return ACCEPTED_BLOCKING;
    if (is_send(at.call))
        return SEND_BLOCKS;
    if (is_nap(at.call) || (napped && is_wait(at.call)))
        return ASLEEP_IN_LOOP; /* now, or before this wait */
    if (!is_wait(at.call) || peer < 0)
        return NO_MISTAKE;

    const struct interest in = interest_in(fd);
    const bool set_used = at.call == CALL_select || at.call == CALL_pselect;

    if (fd < 0 && listener_interest().events & EPOLLET)
        return ET_NOT_DRAINED;
    if (fd < 0)
        return !set_used                    ? LISTENER_UNWATCHED
               : listener_interest().beyond ? NFDS_TOO_LOW
                                            : FDSET_STALE;
    if (in.known && in.beyond)
        return NFDS_TOO_LOW;
    if (in.known && !in.watched)
        return set_used ? FDSET_STALE : CLIENT_UNWATCHED;

    const struct seen *put = last_send(fd);

    if (in.events & EPOLLET &&
        (in.events & EPOLLOUT || !put || put->result == put->asked))
        return ET_NOT_DRAINED;
    return put && put->result < put->asked ? POLLOUT_NEVER : NO_MISTAKE;
}

/* The program closed the connection: after which result? */
static enum mistake cause_of_close(int peer)
{
    int fd = its_fd(peer);
    const struct seen *got = last_receive(fd), *put = last_send(fd);
    const struct seen *last = got;

    if (!got || (put && put->ended > got->ended))
        last = put;
    if (!last)
        return NO_MISTAKE;
    if (last->result == -1)
        return cause_of_error(last->call, last->error);
    return NO_MISTAKE;
}

void diagnosed(int peer, enum mistake otherwise, const char *format, ...)
{
    enum mistake what = NO_MISTAKE;
    const char *now_doing;
    char text[400], spoken[200];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* A program that a sanitizer stops is busy for a moment with its report. */
    if (sanitizer_spoke(spoken, sizeof spoken))
        ends_within(3 * SECOND);
    now_doing = doing();
    if (strcmp(now_doing, "is running") == 0 && ends_within(SECOND / 5))
        now_doing = doing();
    step("%s; the program %s", text, now_doing);
    snprintf(verdict->symptom, sizeof verdict->symptom, "%c%s: the program %s.",
             text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0],
             text + 1, now_doing);
    look_at_peers();
    /* The connection is closed: the whole program may just be ending. */
    if (ending != STILL_THERE && peer >= 0)
        ends_within(SECOND / 2);
    if (has_ended())
        what = cause_of_end();
    else if (ending != STILL_THERE && peer >= 0)
        what = cause_of_close(peer);
    else if (strstr(now_doing, "spinning"))
        what = may_spin() ? NO_MISTAKE : cause_of_spin(NO_MISTAKE);
    else
        what = cause_of_sleep(peer);
    /* To sleep is no mistake where nobody else waits for the program. */
    if (what == ASLEEP_IN_LOOP && peers_connected() == 0 &&
        otherwise != ENDLESS)
        what = otherwise;
    if (what == NO_MISTAKE && has_ended() && peers_connected() > 0 &&
        exit_status() > 0)
        what = PEER_KILLS_SERVER;
    if (what == NO_MISTAKE && has_ended() && otherwise == NOT_LISTENING)
        what = ENDS_EARLY;
    if (what == NO_MISTAKE)
        what = otherwise;
    give_verdict(what);
}

void mistake(enum mistake what, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict->symptom, sizeof verdict->symptom, format, arguments);
    va_end(arguments);
    if (verdict->symptom[0] >= 'a' && verdict->symptom[0] <= 'z')
        verdict->symptom[0] = (char)(verdict->symptom[0] - 32);
    give_verdict(what);
}

void must_be_idle_or(const char *while_what, enum mistake with_room)
{
    const duration length = 350 * MILLISECOND;

    /* Let it finish what it was doing, which may take time on a busy
     * machine. */
    for (int i = 0; i < 6 && cpu_demand(50 * MILLISECOND) > 0.2; i++)
        ;

    const long long before = times_run();
    const double share = cpu_demand(length);
    const long long wakeups = times_run() - before;

    if (has_ended())
        diagnosed(-1, ENDS_EARLY, "%s", while_what);
    if (share > 0.4) {
        enum mistake what = cause_of_spin(BUSY_SPIN);

        if (what == POLLOUT_NEVER)
            what = with_room;
        step("%s the program is spinning", while_what);
        mistake(what,
                "%s it should sleep, but it used %.0f %% of a core in %.2f s.",
                while_what, 100 * share, seconds(length));
    }
    /* A look around every half second is no harm. */
    if (wakeups > 2)
        mistake(IDLE_WAKEUPS,
                "%s it should sleep, but it woke up %s times in %.2f s, for "
                "nothing.",
                while_what, grouped((unsigned long long)wakeups),
                seconds(length));
    step("%s it sleeps", while_what);
}

void must_be_idle(const char *while_what)
{
    must_be_idle_or(while_what, POLLOUT_NEVER);
}
