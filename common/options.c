/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct program *self;
static const struct setting *common_settings;

/* Options get consecutive numbers: first the program's own, then the common
 * ones, then --help. */
enum { MOST_SETTINGS = 48 };

static const struct setting *setting_at(size_t index)
{
    for (const struct setting *s = self->settings; s->name; s++)
        if (index-- == 0)
            return s;
    for (const struct setting *s = common_settings; s->name; s++)
        if (index-- == 0)
            return s;
    return NULL;
}

static const char *usage(void)
{
    static char text[256];

    snprintf(text, sizeof text, "Usage: %s [OPTION]...%s%s\n", program_name(),
             *self->operands ? " " : "", self->operands);
    return text;
}

static const char *default_of(const struct setting *s)
{
    static char text[64];

    text[0] = '\0';
    if (s->text && *s->text)
        snprintf(text, sizeof text, " (%s)", *s->text);
    else if (s->size)
        snprintf(text, sizeof text, " (%zu)", *s->size);
    else if (s->time && *s->time > 0)
        snprintf(text, sizeof text, " (%gs)", seconds(*s->time));
    return text;
}

static NO_RETURN void print_help(void)
{
    const struct setting *s;
    bool sizes = false;

    say("%s%s\n", usage(), self->summary);
    for (size_t i = 0; (s = setting_at(i)); i++) {
        char left[40];

        snprintf(left, sizeof left, "--%s %s", s->name,
                 s->argument ? s->argument : "");
        say("  %-19s %s%s", left, s->help, default_of(s));
        sizes = sizes || s->size;
    }
    say("  %-19s %s", "--help", "print this and exit");
    say("\nTIME is a number with its unit: 500us, 10ms, 1.5s.");
    if (sizes)
        say("BYTES may end in k, M or G, for 1024, 1024^2 or 1024^3.");
    exit(0);
}

void usage_error(const char *format, ...)
{
    char reason[1024], text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    snprintf(text, sizeof text, "%s: %s\n%sTry '%s --help'.\n", program_name(),
             reason, usage(), program_name());
    complain(text, strlen(text));
    exit(2);
}

/* A number and what follows it; NULL if there is no number from 0 to most. */
static const char *read_number(const char *text, double most, double *number)
{
    char *rest;

    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return NULL;
    errno = 0;
    *number = strtod(text, &rest);
    /* Written this way round, the test is false for a NaN as well. */
    return rest != text && errno == 0 && *number <= most ? rest : NULL;
}

static bool read_time(const char *text, duration *time)
{
    static const struct {
        const char *unit;
        duration length;
    } units[] = {
        {"", SECOND}, {"s", SECOND}, {"ms", MILLISECOND}, {"us", MICROSECOND}};
    double number = 0;
    const char *unit = read_number(text, 1e9, &number);

    for (size_t i = 0; unit && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].unit) == 0) {
            double length = number * (double)units[i].length;

            /* 0 often means never: what is shorter than the clock's unit
             * is one unit. */
            *time = length > 0 && length < 1 ? 1 : (duration)length;
            return true;
        }
    return false;
}

static bool read_size(const char *text, size_t *size)
{
    static const char units[] = "kMG";
    char *rest;
    unsigned long long number;
    unsigned shift = 0;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    number = strtoull(text, &rest, 10);
    if (*rest != '\0' && rest[1] == '\0') {
        const char *unit = strchr(units, *rest);

        if (!unit)
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    } else if (*rest != '\0') {
        return false;
    }
    if (errno != 0 || number > (SIZE_MAX >> 1) >> shift)
        return false;
    *size = (size_t)number << shift;
    return true;
}

static void set(const struct setting *s, const char *value)
{
    if (s->flag)
        *s->flag = true;
    if (s->text)
        *s->text = value;
    if (s->time && !read_time(value, s->time))
        usage_error("--%s takes a time such as 500us, 10ms or 1.5s, not '%s'",
                    s->name, value);
    if (s->size && !read_size(value, s->size))
        usage_error("--%s takes a whole number such as 4096, 64k or 10M, "
                    "not '%s'",
                    s->name, value);
}

/* "HOST PORT [LINE]..." asks for two operands at least, and sets no limit. */
static void check_operands(char **operands)
{
    int given = 0, least = 0, most = 0;

    for (const char *p = self->operands; *p; p++) {
        bool word = p == self->operands || p[-1] == ' ';

        most += word;
        least += word && *p != '[';
    }
    while (operands[given])
        given++;
    if (given < least)
        usage_error(given == 0 ? "arguments are missing: give %s"
                               : "not enough arguments: give %s",
                    self->operands);
    if (given > most && !strstr(self->operands, "..."))
        usage_error(operands[most][0] == '-' ? "options come first: move '%s'"
                                             : "'%s' is one argument too many",
                    operands[most]);
}

char **read_command_line(const struct program *program,
                         const struct setting *of_all, int argc, char **argv)
{
    struct option options[MOST_SETTINGS] = {{0}};
    const struct setting *s;
    size_t count = 0;

    self = program;
    common_settings = of_all;
    for (; (s = setting_at(count)); count++)
        options[count] = (struct option){
            s->name, s->argument ? required_argument : no_argument, NULL, 0};
    options[count] = (struct option){"help", no_argument, NULL, 0};

    opterr = 0;
    for (;;) {
        const char *word = argv[optind > 0 ? optind : 1]; /* it looks at */
        int index = 0;
        /* '+': options end at the first operand; ':': tell a missing value
         * from an unknown option. */
        int c = getopt_long(argc, argv, "+:", options, &index);

        if (c == -1)
            break;
        if (c == ':')
            usage_error("%s needs a value", word);
        if (c != 0)
            usage_error("there is no option '%s'", word);
        if ((size_t)index == count)
            print_help();
        set(setting_at((size_t)index), optarg);
    }
    check_operands(argv + optind);
    return argv + optind;
}
