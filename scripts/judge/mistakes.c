/* SPDX-License-Identifier: MIT */
#include "mistakes.h"

#include <stdio.h>

static const struct mistake_entry entries[] = {{"NO_MISTAKE", 0, "none", ""},
#define M(name, lesson, title, advice) {#name, lesson, title, advice},
                                               EACH_MISTAKE(M)
#undef M
};

const struct mistake_entry *mistake_entry(enum mistake what)
{
    return &entries[what];
}

void print_mistakes(void)
{
    for (size_t i = 1; i < sizeof entries / sizeof entries[0]; i++) {
        char lesson[16] = "";

        if (entries[i].lesson > 0)
            snprintf(lesson, sizeof lesson, "%d", entries[i].lesson);
        printf("| `%s` | %s | %s | %s |\n", entries[i].name, lesson,
               entries[i].title, entries[i].advice);
    }
}
