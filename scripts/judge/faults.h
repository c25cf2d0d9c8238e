/* SPDX-License-Identifier: MIT */
/*
 * faults.h - faults to inject, as a text: "accept:ECONNABORTED:1,recv:EINTR:3+"
 * lets the first accept fail with ECONNABORTED and every third recv with EINTR;
 * with "send:short:2+" every second send takes one byte only.
 */
#ifndef WOULDBLOCK_FAULTS_H
#define WOULDBLOCK_FAULTS_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { NO_FAULT = 0, SHORT = -1 };

/* The fault for call number n of this kind: an errno, SHORT or NO_FAULT. */
static inline int fault_for(const char *faults, const char *call,
                            unsigned long n)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
        {"EACCES", EACCES},
        {"EAGAIN", EAGAIN},
        {"ECONNABORTED", ECONNABORTED},
        {"ECONNREFUSED", ECONNREFUSED},
        {"ECONNRESET", ECONNRESET},
        {"EINTR", EINTR},
        {"EMFILE", EMFILE},
        {"EMSGSIZE", EMSGSIZE},
        {"ENOBUFS", ENOBUFS},
        {"EPIPE", EPIPE},
        {"short", SHORT},
    };
    const size_t length = strlen(call);

    for (const char *p = faults; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, call, length) != 0 || p[length] != ':')
            continue;

        const char *error = p + length + 1;
        const char *colon = strchr(error, ':');
        char *rest = NULL;
        const unsigned long at = colon ? strtoul(colon + 1, &rest, 10) : 0;

        if (at == 0 || (*rest == '+' ? n % at != 0 : n != at))
            continue;
        for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
            if (strncmp(error, errors[i].name, (size_t)(colon - error)) == 0)
                return errors[i].number;
    }
    return NO_FAULT;
}

#endif
