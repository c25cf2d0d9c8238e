/* SPDX-License-Identifier: MIT */
/*
 * chat_server - sends each line that a guest writes to all the other guests.
 *
 * Shows    everything together in one thread: many clients and poll; lines
 *          that come in pieces, or several at once; a bounded output buffer
 *          for each guest, so that one who does not read costs 16 KiB and
 *          delays nobody, and is disconnected; a half-close, so that the last
 *          line reaches a guest who leaves.
 * Run      chat_server 8080
 *          chat_client 127.0.0.1 8080      in two other terminals; or nc
 * See      echo_poll: its loop; chat_client: its guests
 */
#include "wouldblock.h"

#include <fcntl.h>
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
    "A chat server: sends each line to all other guests.",
    "PORT",
    settings,
};

enum { NAME_MOST = 16, LINE_MOST = 1000, FAREWELL = 100 };

static const duration patience = 5 * SECOND; /* for a guest who is leaving */

struct guest {
    int fd; /* -1: closed, and to be removed */
    char name[NAME_MOST + 1];
    struct buffer input;  /* received; not a whole line yet */
    struct buffer output; /* still to be sent */
    bool skipping;        /* the input is inside a line that is too long */
    bool ended;           /* recv has returned 0: the guest sends no more */
    const char *leaving;  /* the reason why it leaves; NULL: it stays */
    bool announced;       /* the others have been told */
    instant close_by;     /* close then, even if some output is left */
};

static struct guest **guests;
static size_t count;
static size_t too_slow;

/* --- What a guest is told ------------------------------------------------ */

/* Add a line to a guest's output. If there is no room the guest reads too
 * slowly and has to leave: it gets the first line, which may be partly sent,
 * and the reason; the rest is dropped. */
LIKE_PRINTF(2, 3) static void tell(struct guest *g, const char *format, ...)
{
    struct buffer *b = &g->output;
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
        g->close_by = deadline_in(patience);
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
    g->close_by = deadline_in(patience);
}

/* --- What a guest writes ------------------------------------------------- */

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
        tell(g, "* The name %s is taken or reserved.", name);
    } else {
        for (size_t i = 0; i < count; i++)
            tell(guests[i], "* %s is now called %s.", g->name, name);
        memcpy(g->name, name, length + 1);
    }
}

static void handle_line(struct guest *g, const char *line)
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

/* Handle the whole lines of the input. What could change the other guests'
 * terminals, control characters above all, becomes question marks. */
static void handle_lines(struct guest *g)
{
    struct buffer *b = &g->input;
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
            memcpy(line, bytes, length);
            for (size_t i = 0, shown; i < length; i += shown ? shown : 1)
                if ((shown = showable(line + i, length - i)) == 0)
                    line[i] = '?';
            line[length] = '\0';
            handle_line(g, line);
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

/* Set O_NONBLOCK, and leave the other flags as they are. */
static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        die("cannot make descriptor %d non-blocking", fd);
}

static void add_guest(int fd)
{
    struct guest *g = calloc(1, sizeof *g);

    if (!g) {
        warn("cannot take another guest");
        close(fd);
        return;
    }
    make_nonblocking(fd);
    set_nodelay(fd);
    g->fd = fd;
    g->close_by = NEVER;
    snprintf(g->name, sizeof g->name, "guest%llu", counters.accepted);
    guests = enlarged(guests, count + 1, sizeof(struct guest *));
    for (size_t i = 0; i < count; i++)
        tell(guests[i], "* %s has come.", g->name);
    guests[count++] = g;
    tell(g, "* Welcome. You are %s. Others here: %zu.", g->name, count - 1);
    tell(g, "* There are /name NAME, /who and /quit.");
    log_info("%s came from %s", g->name, peer_text(fd));
}

/* Close the connection. remove_dropped() tells the others why. */
static void drop(struct guest *g, const char *how)
{
    if (!g->leaving)
        g->leaving = how;
    log_info("%s %s", g->name, g->leaving);
    close(g->fd);
    g->fd = -1;
    buffer_free(&g->input);
    buffer_free(&g->output);
}

static void receive(struct guest *g)
{
    struct buffer *b = &g->input;
    size_t room = buffer_room(b);
    struct answer got = recv_answer(recv(g->fd, buffer_back(b), room, 0), room);

    if (got.kind == FAILED) {
        warn_because(got.error, "cannot receive from %s", g->name);
        drop(g, "has lost the connection");
    }
    if (got.kind == CLOSED) {
        g->ended = true;
        leave(g, "has left");
    }
    if (got.kind == DONE) {
        buffer_added(b, got.count);
        handle_lines(g);
    }
}

static void send_on(struct guest *g)
{
    struct buffer *b = &g->output;
    size_t size = buffer_used(b);
    struct answer put =
        send_answer(send(g->fd, buffer_front(b), size, 0), size);

    if (put.kind == FAILED) {
        warn_because(put.error, "cannot send to %s", g->name);
        drop(g, "has lost the connection");
    } else {
        buffer_taken(b, put.count);
    }
}

/*
 * A guest who leaves gets all its output, then the end (FIN). Then the server
 * waits for the end from the guest; all this takes 5 s at most. close with
 * unread input would reset the connection, and the guest could lose the
 * farewell (RFC 1122, 4.2.2.13).
 */
static void finish_leaving(struct guest *g)
{
    if (!g->leaving || g->fd < 0)
        return;
    if (buffer_used(&g->output) == 0) {
        shutdown(g->fd, SHUT_WR);
        if (g->ended)
            drop(g, "");
    }
    if (g->fd >= 0 && passed(g->close_by))
        drop(g, "");
}

static void serve(struct guest *g, short events)
{
    if (events != 0 && !g->ended)
        receive(g);
    if (g->fd >= 0 && buffer_used(&g->output) > 0)
        send_on(g);
    finish_leaving(g);
}

/* Tell the others who is leaving, and remove those whose socket is closed. */
static void remove_dropped(void)
{
    for (size_t i = 0; i < count; i++) {
        struct guest *g = guests[i];

        if (!g->leaving || g->announced)
            continue;
        g->announced = true;
        for (size_t other = 0; other < count; other++)
            tell(guests[other], "* %s %s.", g->name, g->leaving);
        i = (size_t)-1; /* start again: somebody may have no room for this */
    }
    for (size_t i = count; i-- > 0;)
        if (guests[i]->fd < 0) {
            free(guests[i]);
            guests[i] = guests[--count];
        }
}

/* Accept all guests that are waiting, but at most 64 before the others have
 * their turn. False when the program is out of descriptors or memory. */
static bool accept_guests(int listener)
{
    for (int i = 0; i < 64; i++) {
        struct answer came = accept_answer(accept(listener, NULL, NULL));

        if (came.error == EAGAIN || came.error == EWOULDBLOCK)
            break; /* nobody else is waiting */
        if (came.kind == FAILED) {
            accept_failed(came.error);
            return false;
        }
        if (came.kind == DONE)
            add_guest(came.fd);
    }
    return true;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    int listener = listen_on(address, operands[0]);
    struct pollfd *list = NULL;
    bool full = false; /* out of descriptors: pause accept, 100 ms at most */

    make_nonblocking(listener);
    while (!stopping()) {
        const size_t asked = count;
        instant until = full ? deadline_in(SECOND / 10) : NEVER;

        list = enlarged(list, asked + 1, sizeof *list);
        list[asked].fd = full ? -1 : listener;
        list[asked].events = POLLIN;
        for (size_t i = 0; i < asked; i++) {
            struct guest *g = guests[i];

            list[i].fd = g->fd;
            list[i].events = g->ended ? 0 : POLLIN;
            if (buffer_used(&g->output) > 0)
                list[i].events |= POLLOUT;
            until = sooner(until, g->close_by);
        }
        if (poll(list, asked + 1, poll_time(until)) < 0) {
            if (errno != EINTR)
                die("cannot wait for guests");
            continue; /* a signal came: is it time to stop? */
        }

        for (size_t i = 0; i < asked; i++)
            serve(guests[i], list[i].revents);
        full = list[asked].revents && !accept_guests(listener);
        remove_dropped();
    }
    report("too_slow", "%zu", too_slow);
    for (size_t i = 0; i < count; i++) {
        drop(guests[i], "leaves: the server ends");
        free(guests[i]);
    }
    free(guests);
    free(list);
    close(listener);
    return 0;
}
