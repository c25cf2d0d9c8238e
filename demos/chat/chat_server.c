/* SPDX-License-Identifier: MIT */
/*
 * chat_server - what one says, all the others hear.
 *
 * Shows    everything together in one thread: many clients and poll; lines
 *          that come in pieces, or several at once; a bounded queue of what
 *          each has yet to hear, so that a guest who does not read costs 16 KiB
 *          and nobody's time, and is sent away; a farewell that arrives.
 * Run      chat_server 8080
 *          chat_client 127.0.0.1 8080      in two other terminals; or nc
 * See      echo_poll: its loop; chat_client: its guests
 */
#include "wouldblock.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *address = "127.0.0.1";

static const struct setting settings[] = {
    {"bind", "ADDRESS", "listen on ADDRESS", .text = &address},
    {0},
};
static const struct program program = {
    "A chat server: what one says, all the others hear.",
    "PORT",
    settings,
};

enum { NAME_MOST = 16, LINE_MOST = 1000, FAREWELL = 100 };

static const duration patience = 5 * SECOND; /* with guests who are leaving */

struct guest {
    int fd; /* -1: gone */
    char name[NAME_MOST + 1];
    struct buffer said;    /* received, and not a whole line yet */
    struct buffer to_hear; /* not sent yet */
    bool skipping;         /* inside a line that is too long */
    bool silent;           /* sends no more */
    const char *leaving;   /* what the others hear of it; NULL: stays */
    bool announced;        /* they have heard it */
    instant out_at;        /* closed then, whatever is left to hear */
};

static struct guest **guests;
static size_t count;
static size_t too_slow;

/* --- What a guest hears -------------------------------------------------- */

/* Add a line to it. Who has not heard the former ones, and has no room left,
 * is sent away, and still hears the end of the line begun, and why. */
LIKE_PRINTF(2, 3) static void tell(struct guest *g, const char *format, ...)
{
    struct buffer *b = &g->to_hear;
    char line[NAME_MOST + LINE_MOST + 64];
    va_list arguments;

    if (g->leaving)
        return;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';

    if (buffer_room(b) < (size_t)length + FAREWELL) {
        buffer_cut(b, buffer_line(b));
        length = snprintf(line, sizeof line,
                          "* You read too slowly and missed some: goodbye.\n");
        g->leaving = "reads too slowly and was sent away";
        g->out_at = deadline_in(patience);
        too_slow++;
    }
    memcpy(buffer_back(b), line, (size_t)length);
    buffer_added(b, (size_t)length);
}

static void leave(struct guest *g, const char *how)
{
    if (g->leaving)
        return;
    tell(g, "* Goodbye.");
    g->leaving = how;
    g->out_at = deadline_in(patience);
}

/* --- What a guest says --------------------------------------------------- */

static struct guest *guest_called(const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(guests[i]->name, name) == 0)
            return guests[i];
    return NULL;
}

static void rename_guest(struct guest *g, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    if (length == 0 || length > NAME_MOST || name[length] != '\0') {
        tell(g, "* A name has 1 to %d letters, digits, - or _.", NAME_MOST);
    } else if (guest_called(name) || strncmp(name, "guest", 5) == 0) {
        tell(g, "* The name %s is taken.", name);
    } else {
        for (size_t i = 0; i < count; i++)
            tell(guests[i], "* %s is now called %s.", g->name, name);
        memcpy(g->name, name, length + 1);
    }
}

static void hear(struct guest *g, const char *line)
{
    if (strncmp(line, "/name ", 6) == 0) {
        rename_guest(g, line + 6);
    } else if (strcmp(line, "/who") == 0) {
        for (size_t i = 0; i < count; i++)
            tell(g, "* %s%s", guests[i]->name,
                 guests[i] == g ? " (that is you)" : "");
    } else if (strcmp(line, "/quit") == 0) {
        leave(g, "has left");
    } else if (line[0] == '/') {
        tell(g, "* There are /name NAME, /who and /quit.");
    } else if (line[0] != '\0') {
        for (size_t i = 0; i < count; i++)
            if (guests[i] != g)
                tell(guests[i], "%s: %s", g->name, line);
    }
}

/* Take the whole lines out of what was received. What could play tricks on
 * the others' terminals becomes a question mark. */
static void hear_lines(struct guest *g)
{
    struct buffer *b = &g->said;
    char line[LINE_MOST + 1];
    size_t size;

    while ((size = buffer_line(b)) > 0 && !g->leaving) {
        size_t length = size - 1;
        const char *bytes = buffer_front(b);

        if (length > 0 && bytes[length - 1] == '\r')
            length--;
        if (g->skipping || length > LINE_MOST) {
            tell(g, "* A line has %d bytes at most: yours was dropped.",
                 LINE_MOST);
        } else {
            for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)bytes[i];

                line[i] = bytes[i];
                if ((c < ' ' && c != '\t') || c == 127)
                    line[i] = '?';
            }
            line[length] = '\0';
            hear(g, line);
        }
        g->skipping = false;
        buffer_taken(b, size);
    }
    if (g->leaving || buffer_used(b) > LINE_MOST + 1) {
        g->skipping = true;
        buffer_taken(b, buffer_used(b));
    }
}

/* --- Guests come and go -------------------------------------------------- */

static void welcome(int fd)
{
    struct guest *g = calloc(1, sizeof *g);

    if (!g) {
        warn("cannot take another guest");
        close(fd);
        return;
    }
    set_nonblocking(fd);
    send_at_once(fd);
    g->fd = fd;
    g->out_at = NEVER;
    snprintf(g->name, sizeof g->name, "guest%llu", counters.accepted);
    guests = enlarged(guests, count + 1, sizeof(struct guest *));
    for (size_t i = 0; i < count; i++)
        tell(guests[i], "* %s has come.", g->name);
    guests[count++] = g;
    tell(g, "* Welcome. You are %s, with %zu others here.", g->name, count - 1);
    tell(g, "* There are /name NAME, /who and /quit.");
    log_info("%s came from %s", g->name, peer_text(fd));
}

/* The connection is over, for whatever reason. */
static void gone(struct guest *g, const char *how)
{
    if (!g->leaving)
        g->leaving = how;
    log_info("%s %s", g->name, g->leaving);
    close(g->fd);
    g->fd = -1;
    buffer_free(&g->said);
    buffer_free(&g->to_hear);
}

static void receive(struct guest *g)
{
    struct buffer *b = &g->said;
    size_t room = buffer_room(b);
    struct answer got = recv_answer(recv(g->fd, buffer_back(b), room, 0), room);

    if (got.kind == FAILED)
        gone(g, "has lost the connection");
    if (got.kind == CLOSED) {
        g->silent = true;
        leave(g, "has left");
    }
    if (got.kind == DONE) {
        buffer_added(b, got.count);
        hear_lines(g);
    }
}

static void send_on(struct guest *g)
{
    struct buffer *b = &g->to_hear;
    size_t size = buffer_used(b);
    struct answer put =
        send_answer(send(g->fd, buffer_front(b), size, 0), size);

    if (put.kind == FAILED)
        gone(g, "has lost the connection");
    else
        buffer_taken(b, put.count);
}

/*
 * Who leaves first hears everything, then the end; but is closed only once it
 * has sent its own: closing with bytes not received would reset the
 * connection, and the peer might lose the farewell (RFC 1122, 4.2.2.13).
 */
static void see_off(struct guest *g)
{
    if (!g->leaving || g->fd < 0)
        return;
    if (buffer_used(&g->to_hear) == 0) {
        shutdown(g->fd, SHUT_WR);
        if (g->silent)
            gone(g, "");
    }
    if (g->fd >= 0 && passed(g->out_at))
        gone(g, "");
}

static void serve(struct guest *g, short events)
{
    if (events != 0 && !g->silent)
        receive(g);
    if (g->fd >= 0 && buffer_used(&g->to_hear) > 0)
        send_on(g);
    see_off(g);
}

/* Tell the others who is leaving, and forget those who are gone. */
static void sweep(void)
{
    for (size_t i = 0; i < count; i++) {
        struct guest *g = guests[i];

        if (!g->leaving || g->announced)
            continue;
        g->announced = true;
        for (size_t other = 0; other < count; other++)
            tell(guests[other], "* %s %s.", g->name, g->leaving);
        i = (size_t)-1; /* which may have been too much for somebody else */
    }
    for (size_t i = count; i-- > 0;)
        if (guests[i]->fd < 0) {
            free(guests[i]);
            guests[i] = guests[--count];
        }
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct pollfd *list = NULL;
    bool full = false; /* out of descriptors: let the listener rest a while */

    set_nonblocking(listener);
    while (!stopping()) {
        const size_t asked = count;
        instant until = full ? deadline_in(SECOND / 10) : NEVER;

        list = enlarged(list, asked + 1, sizeof *list);
        list[asked].fd = full ? -1 : listener;
        list[asked].events = POLLIN;
        for (size_t i = 0; i < asked; i++) {
            struct guest *g = guests[i];

            list[i].fd = g->fd;
            list[i].events = g->silent ? 0 : POLLIN;
            if (buffer_used(&g->to_hear) > 0)
                list[i].events |= POLLOUT;
            until = sooner(until, g->out_at);
        }
        if (poll(list, asked + 1, poll_time(until)) < 0)
            continue; /* a signal: see whether to stop */
        full = false;

        for (size_t i = 0; i < asked; i++)
            serve(guests[i], list[i].revents);
        if (list[asked].revents) {
            struct answer came = accept_answer(accept(listener, NULL, NULL));

            if (came.kind == DONE)
                welcome(came.fd);
            else if (came.kind == FAILED) {
                accept_failed(came.error);
                full = true;
            }
        }
        sweep();
    }
    report("too_slow", "%zu", too_slow);
    for (size_t i = 0; i < count; i++) {
        gone(guests[i], "goes, for the server ends");
        free(guests[i]);
    }
    free(guests);
    free(list);
    close(listener);
    return 0;
}
