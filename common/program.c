/* SPDX-License-Identifier: MIT */
#include "program.h"
#include "answer.h"
#include "work.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static const char *name = "wouldblock";
static const struct program *self;
static instant began;

/* --- Options ------------------------------------------------------------ */

static bool report_wanted;
static duration stop_after;
static const char *log_name = "info";

static const struct setting common_settings[] = {
    {"report", NULL, "end with one line of key=value counters",
     .flag = &report_wanted},
    {"stop-after", "TIME", "end by itself after TIME, as if by SIGTERM",
     .time = &stop_after},
    {"log", "LEVEL", "tell on stderr: error, warn, info or debug",
     .text = &log_name},
    {0},
};

/* Options are numbered through: first the program's own, then the common
 * ones, then --help. */
enum { MOST_SETTINGS = 32 };

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

const char *program_name(void)
{
    return name;
}

static void print_usage(FILE *to)
{
    fprintf(to, "Usage: %s [OPTION]...%s%s\n", name, *self->operands ? " " : "",
            self->operands);
}

static void print_default(const struct setting *s)
{
    if (s->text && *s->text)
        printf(" (%s)", *s->text);
    else if (s->size)
        printf(" (%zu)", *s->size);
    else if (s->time && *s->time > 0)
        printf(" (%gs)", seconds(*s->time));
}

static NO_RETURN void print_help(void)
{
    const struct setting *s;
    bool sizes = false;

    print_usage(stdout);
    printf("%s\n\n", self->summary);
    for (size_t i = 0; (s = setting_at(i)); i++) {
        char left[40];

        snprintf(left, sizeof left, "--%s %s", s->name,
                 s->argument ? s->argument : "");
        printf("  %-19s %s", left, s->help);
        print_default(s);
        printf("\n");
        sizes = sizes || s->size;
    }
    printf("  %-19s %s\n", "--help", "print this and end");
    printf("\nTIME is a number with its unit: 500us, 10ms, 1.5s.\n");
    if (sizes)
        printf("BYTES may end in k, M or G, for 1024, 1024^2 or 1024^3.\n");
    exit(0);
}

void usage_error(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    print_usage(stderr);
    fprintf(stderr, "Try '%s --help'.\n", name);
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
    double number;
    const char *unit = read_number(text, 1e9, &number);

    for (size_t i = 0; unit && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].unit) == 0) {
            double length = number * (double)units[i].length;

            *time = (duration)length;
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

static void set_log_level(void)
{
    static const char *const levels[] = {
        [LEVEL_ERROR] = "error",
        [LEVEL_WARN] = "warn",
        [LEVEL_INFO] = "info",
        [LEVEL_DEBUG] = "debug",
    };

    for (int level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++)
        if (strcmp(log_name, levels[level]) == 0) {
            log_level = (enum log_level)level;
            return;
        }
    usage_error("--log takes error, warn, info or debug, not '%s'", log_name);
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
        usage_error(given == 0 ? "something is missing: say %s"
                               : "not enough arguments: say %s",
                    self->operands);
    if (given > most && !strstr(self->operands, "..."))
        usage_error(operands[most][0] == '-' ? "options come first: move '%s'"
                                             : "'%s' is one argument too many",
                    operands[most]);
}

static char **read_arguments(int argc, char **argv)
{
    struct option options[MOST_SETTINGS] = {{0}};
    const struct setting *s;
    size_t count = 0;

    for (; (s = setting_at(count)); count++)
        options[count] = (struct option){
            s->name, s->argument ? required_argument : no_argument, NULL, 0};
    options[count] = (struct option){"help", no_argument, NULL, 0};

    opterr = 0;
    for (;;) {
        int index = 0;
        /* '+': options end at the first operand; ':': tell a missing value
         * from an unknown option. */
        int c = getopt_long(argc, argv, "+:", options, &index);

        if (c == -1)
            break;
        if (c == ':')
            usage_error("%s needs a value", argv[optind - 1]);
        if (c != 0)
            usage_error("there is no option '%s'", argv[optind - 1]);
        if ((size_t)index == count)
            print_help();
        set(setting_at((size_t)index), optarg);
    }
    return argv + optind;
}

/* --- Stopping ----------------------------------------------------------- */

static volatile sig_atomic_t stop_signal;

static void ask_to_stop(int signal)
{
    if (stop_signal == 0)
        stop_signal = signal;
    /* The signal may arrive just before the program enters a blocking call,
     * which it then cannot interrupt. So it comes again every second until
     * the loop has noticed. alarm is safe in a handler (signal-safety(7)). */
    alarm(1);
}

static void interrupt(int signal)
{
    (void)signal; /* that it came is all there is to it */
}

static void listen_for_signals(void)
{
    struct sigaction act = {.sa_handler = ask_to_stop};
    struct sigaction was;

    /* No SA_RESTART: a blocking call is to return with EINTR. */
    sigemptyset(&act.sa_mask);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGALRM, &act, NULL);
    /* A shell starts background programs with SIGINT ignored; so be it. */
    if (sigaction(SIGINT, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
        sigaction(SIGINT, &act, NULL);
    signal(SIGPIPE, SIG_IGN);

    act.sa_handler = interrupt;
    sigaction(SIGUSR1, &act, NULL);

    if (stop_after > 0) {
        struct itimerval timer = {
            .it_value = {.tv_sec = (time_t)(stop_after / SECOND),
                         .tv_usec =
                             (suseconds_t)(stop_after % SECOND / MICROSECOND)}};

        setitimer(ITIMER_REAL, &timer, NULL);
    }
}

static bool button_gone;

/* A background job that reads from its terminal is stopped: it does not. */
int stop_button(void)
{
    if (button_gone ||
        (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp()))
        return -1;
    return STDIN_FILENO;
}

/* Standard input is shared with whoever started us, so it keeps its flags:
 * poll with no time to wait tells whether a read would block. */
static bool enter_pressed(void)
{
    struct pollfd in = {.fd = stop_button(), .events = POLLIN};
    char line[256];

    if (poll(&in, 1, 0) <= 0)
        return false;

    ssize_t n = read(STDIN_FILENO, line, sizeof line);

    button_gone = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    return n > 0 && memchr(line, '\n', (size_t)n);
}

static const char *own_reason;

bool stop_due(instant deadline)
{
    static instant next_look;

    if (stopping())
        return true;
    if (passed(deadline)) {
        own_reason = "the deadline";
    } else if (passed(next_look)) {
        next_look = deadline_in(SECOND / 100);
        if (enter_pressed())
            own_reason = "Enter";
    }
    return stopping();
}

bool stopping(void)
{
    return stop_signal != 0 || own_reason != NULL;
}

const char *stop_reason(void)
{
    if (own_reason)
        return own_reason;
    switch (stop_signal) {
    case 0:
        return "";
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    default:
        return "--stop-after";
    }
}

/* --- Memory -------------------------------------------------------------- */

void *enlarged(void *block, size_t count, size_t size)
{
    void *larger =
        count <= SIZE_MAX / size ? realloc(block, count * size) : NULL;

    if (!larger)
        die("cannot get memory for %zu times %zu bytes", count, size);
    return larger;
}

/* --- Telling ------------------------------------------------------------ */

void say(const char *format, ...)
{
    va_list arguments;

    status_clear();
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

const char *grouped(unsigned long long number)
{
    static char texts[8][32];
    static unsigned turn;
    char *text = texts[turn++ % 8];
    char *p = text + sizeof texts[0];
    int digits = 0;

    *--p = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--p = ',';
        *--p = (char)('0' + number % 10);
        number /= 10;
        digits++;
    } while (number > 0);
    return p;
}

/* --- The closing report -------------------------------------------------- */

enum { MOST_KEYS = 16 };

static struct {
    const char *key;
    char value[32];
} values[MOST_KEYS];

void report(const char *key, const char *format, ...)
{
    va_list arguments;
    int i = 0;

    while (values[i].key && strcmp(values[i].key, key) != 0)
        if (++i == MOST_KEYS)
            return;
    values[i].key = key;
    va_start(arguments, format);
    vsnprintf(values[i].value, sizeof values[i].value, format, arguments);
    va_end(arguments);
}

static void print_report(void)
{
    const struct counters *c = &counters;
    struct rusage used = {0};
    double cpu;

    getrusage(RUSAGE_SELF, &used);
    cpu = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
          (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("report: program=%s calls=%llu done=%llu again=%llu "
           "interrupted=%llu pending=%llu closed=%llu failed=%llu "
           "partial=%llu accepted=%llu bytes_received=%llu bytes_sent=%llu",
           name, c->calls, c->done, c->again, c->interrupted, c->pending,
           c->closed, c->failed, c->partial, c->accepted, c->bytes_received,
           c->bytes_sent);
    for (int i = 0; i < MOST_KEYS && values[i].key; i++)
        printf(" %s=%s", values[i].key, values[i].value);
    printf(" work=%llu cpu_seconds=%.6f wall_seconds=%.6f\n", work_found(), cpu,
           seconds(now() - began));
}

static bool output_closed;

/* Runs at every exit, so that a program that dies reports as well. */
static void close_program(void)
{
    status_clear();
    if (report_wanted)
        print_report();
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    if (output_closed)
        warn_because(0, "standard output is closed: what was meant for it is "
                        "lost");
    else
        warn("cannot write to standard output");
    _exit(1);
}

/*
 * A program may be started with standard input, output or error closed. Its
 * first socket would then be descriptor 0, 1 or 2, and what is meant for the
 * user would go into a connection. So these numbers are taken first, each in
 * the wrong direction: reading or writing there fails, as if it were closed.
 */
static void take_standard_descriptors(void)
{
    output_closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            die("cannot open /dev/null in place of descriptor %d", fd);
}

char **begin(const struct program *program, int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    char **operands;

    if (argc > 0)
        name = slash ? slash + 1 : argv[0];
    take_standard_descriptors();
    self = program;
    began = now();
    operands = read_arguments(argc, argv);
    set_log_level();
    check_operands(operands);
    atexit(close_program);
    listen_for_signals();
    return operands;
}
