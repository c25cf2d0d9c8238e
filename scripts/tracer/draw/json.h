/* SPDX-License-Identifier: MIT */
/*
 * json.h - what the writers of JSON share. The names in a trace may hold any
 * bytes: the output is valid JSON all the same, and may be part of a <script>
 * in a page.
 */
#ifndef WOULDBLOCK_JSON_H
#define WOULDBLOCK_JSON_H

#include <stdint.h>
#include <stdio.h>

/* Write `before` as it is, then text as a string in quotes. Invalid UTF-8
 * becomes U+FFFD. */
void json_string(FILE *out, const char *before, const char *text);

/* Seconds as whole nanoseconds. */
int64_t nanoseconds(double seconds);

/* Write `before` as it is, then nanoseconds as microseconds with three
 * decimals. */
void json_microseconds(FILE *out, const char *before, int64_t ns);

#endif
