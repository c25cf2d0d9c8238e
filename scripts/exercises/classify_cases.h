/* SPDX-License-Identifier: MIT */
/*
 * classify_cases.h - results of calls to classify: for the program under test,
 * and for the judge, which asks the library for the right answers.
 */
#ifndef WOULDBLOCK_CLASSIFY_CASES_H
#define WOULDBLOCK_CLASSIFY_CASES_H

#include "wouldblock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct classify_case {
    char call[8];
    int result;
    size_t asked;
    int error; /* errno after the call: after a success, an old one */
};

static const struct classify_case classify_cases[] = {
    {"recv", 5, 10, 0},
    {"recv", 0, 10, 0},
    {"recv", 0, 1, 0},
    {"recv", 0, 0, 0},
    {"recv", -1, 10, EAGAIN},
    {"recv", -1, 10, EINTR},
    {"recv", -1, 10, ECONNRESET},
    {"recv", -1, 10, ETIMEDOUT},
    {"recv", -1, 10, EBADF},
    {"send", 10, 10, 0},
    {"send", 3, 10, 0},
    {"send", 0, 0, 0},
    {"send", -1, 10, EAGAIN},
    {"send", -1, 10, EINTR},
    {"send", -1, 10, EPIPE},
    {"send", -1, 10, ECONNRESET},
    {"connect", 0, 0, 0},
    {"connect", -1, 0, EINPROGRESS},
    {"connect", -1, 0, EALREADY},
    {"connect", -1, 0, EINTR},
    {"connect", -1, 0, EISCONN},
    {"connect", -1, 0, ECONNREFUSED},
    {"connect", -1, 0, ETIMEDOUT},
    {"accept", 7, 0, 0},
    {"accept", 0, 0, 0},
    {"accept", -1, 0, EAGAIN},
    {"accept", -1, 0, EINTR},
    {"accept", -1, 0, ECONNABORTED},
    {"accept", -1, 0, EPROTO},
    {"accept", -1, 0, EMFILE},
    {"accept", -1, 0, ENOBUFS},
};

enum { CLASSIFY_CASES = sizeof classify_cases / sizeof classify_cases[0] };

/* A case as a word, "recv:-1:10:11", and back. Returns what follows the word;
 * NULL if it is none. */
static inline void classify_write(const struct classify_case *c, char *word,
                                  size_t size)
{
    snprintf(word, size, "%s:%d:%zu:%d", c->call, c->result, c->asked,
             c->error);
}

static inline const char *classify_read(const char *word,
                                        struct classify_case *c)
{
    const size_t length = strcspn(word, ":");
    char *rest;

    if (length >= sizeof c->call || word[length] != ':')
        return NULL;
    snprintf(c->call, sizeof c->call, "%.*s", (int)length, word);
    c->result = (int)strtol(word + length + 1, &rest, 10);
    c->asked = *rest == ':' ? strtoul(rest + 1, &rest, 10) : 0;
    c->error = *rest == ':' ? (int)strtol(rest + 1, &rest, 10) : 0;
    return rest + strspn(rest, ",");
}

static inline struct answer classified(const struct classify_case *c)
{
    errno = c->error;
    if (strcmp(c->call, "recv") == 0)
        return recv_answer(c->result, c->asked);
    if (strcmp(c->call, "send") == 0)
        return send_answer(c->result, c->asked);
    if (strcmp(c->call, "connect") == 0)
        return connect_answer(c->result);
    return accept_answer(c->result);
}

/* Write "recv -1 EAGAIN" to left, and the program's classification to right. */
static inline void classify_text(const struct classify_case *c, char *left,
                                 char *right, size_t size)
{
    const struct answer a = classified(c);
    const char *symbol = c->error ? error_entry(c->error)->symbol : "";

    snprintf(left, size, "%.7s %d%s%s%.20s", c->call, c->result,
             *symbol ? " " : "", c->result >= 0 && *symbol ? "old errno " : "",
             symbol);
    snprintf(right, size, "kind=%s count=%zu fd=%d error=%d",
             (unsigned)a.kind <= FAILED ? answer_word(a.kind) : "?", a.count,
             a.fd, a.error);
}

#endif
