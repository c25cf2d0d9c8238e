/* SPDX-License-Identifier: MIT */
/*
 * json.h - what the writers of JSON share. Names come from whoever was
 * recorded: what is written here is valid JSON whatever they hold, and may
 * stand in a <script> of a page.
 */
#ifndef WOULDBLOCK_JSON_H
#define WOULDBLOCK_JSON_H

#include <stdint.h>
#include <stdio.h>

/* A string with its quotes, behind what comes before it, which is written as it
 * is. Bytes that are no UTF-8 become U+FFFD. */
void json_string(FILE *out, const char *before, const char *text);

/* Seconds as whole nanoseconds. */
int64_t nanoseconds(double seconds);

/* Nanoseconds as microseconds with three decimals, behind what comes before
 * it. */
void json_microseconds(FILE *out, const char *before, int64_t ns);

#endif
