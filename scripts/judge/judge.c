/* SPDX-License-Identifier: MIT */
/*
 * judge - checks a solution of an exercise, and names what is wrong with it.
 *
 *     judge EXERCISE PROGRAM
 *
 * The checks of an exercise run at the same time, each in a process of its own.
 * judge prints their verdicts in order, up to the first mistake; with --all, it
 * prints all of them. The program runs under supervise, from the same folder as
 * judge. Exit status: 0 if no mistake was found, otherwise 1.
 */
#define _GNU_SOURCE
#include "inside.h"
#include "room.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool all_checks, list_wanted, mistakes_wanted;
static const char *only, *record_name, *story_name, *trace_folder, *shown_as;
static size_t at_once = 4, seed;

static const struct setting settings[] = {
    {"all", NULL, "go on after the first mistake", .flag = &all_checks},
    {"only", "CHECK", "make this check alone", .text = &only},
    {"jobs", "N", "make N checks at the same time", .size = &at_once},
    {"seed", "N", "draw the same facts as the run whose records name N",
     .size = &seed},
    {"record", "FILE", "add a line for each check to FILE",
     .text = &record_name},
    {"story", "FILE", "add a line for each step of a failure to FILE",
     .text = &story_name},
    {"trace", "FOLDER", "write the timeline of a failure to FOLDER/CHECK.trace",
     .text = &trace_folder},
    {"as", "PATH", "call the program so in what can be typed",
     .text = &shown_as},
    {"list", NULL, "name the checks and end", .flag = &list_wanted},
    {"mistakes", NULL, "print all mistakes as a table and end",
     .flag = &mistakes_wanted},
    {0},
};
static const struct program program = {
    "Tries a solution of an exercise, and names what is wrong with it.",
    "[EXERCISE] [PROGRAM]",
    settings,
};

/* What the parts of a check share: see inside.h. */
struct verdict *verdict;
const struct exercise *exercise;
instant began;
const char *binary;
char supervisor[4096];

/* --- All checks of an exercise -------------------------------------------- */

static const struct exercise *const tables[] = {
    server_exercises,
    client_exercises,
    chat_exercises,
};

static const struct exercise *exercise_called(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct exercise *e = tables[t]; e->name; e++)
            if (strcmp(e->name, name) == 0)
                return e;
    return NULL;
}

static size_t check_count(const struct exercise *e)
{
    size_t count = 0;

    while (e->checks[count].name)
        count++;
    return count;
}

static bool is_wanted(const struct check *c)
{
    return !only || strcmp(only, c->name) == 0;
}

/* Print a path quoted for a shell. */
static void print_quoted(const char *path)
{
    const char *plain_ones = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%-";

    if (*path && !path[strspn(path, plain_ones)]) {
        printf("%s", path);
        return;
    }
    putchar('\'');
    for (; *path; path++)
        if (*path == '\'')
            printf("'\\''");
        else
            putchar(*path);
    putchar('\'');
}

/* Print a command that a shell can run. */
static void print_command(const char *by_hand)
{
    const char *at;

    while ((at = strstr(by_hand, "PROGRAM"))) {
        printf("%.*s", (int)(at - by_hand), by_hand);
        print_quoted(shown_as ? shown_as : binary);
        by_hand = at + strlen("PROGRAM");
    }
    printf("%s\n", by_hand);
}

/* Print a long sentence in lines that fit. All lines but the first are indented
 * to the column of its text. */
static void print_folded(const char *text, const char *head, int indent)
{
    printf("%-*s", indent, head);
    for (;;) {
        size_t length = strlen(text), most = 78 - (size_t)indent;

        if (length > most) {
            length = most;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = strcspn(text, " ");
        }
        printf("%.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        printf("%*s", indent, "");
    }
}

/* Colours are for terminals, and NO_COLOR turns them off (no-color.org). */
static const char *in_colour(const char *code)
{
    const char *wish = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(wish && *wish) ? code : "";
}

static const char *const red = "\033[1;31m", *const green = "\033[1;32m",
                         *const bold = "\033[1m", *const plain = "\033[0m";

static void print_heading(const char *text)
{
    printf("\n%s%s%s\n", in_colour(bold), text, in_colour(plain));
}

static void print_verdict(const struct exercise *e, const struct check *c,
                          const struct verdict *v, size_t number, size_t count)
{
    const struct mistake_entry *m = mistake_entry(v->what);

    if (!v->reached) {
        printf("%s: check %zu of %zu could not be made (%s). That is not your "
               "fault: try again.\n",
               e->name, number, count,
               *v->symptom ? v->symptom : "it broke down");
        return;
    }
    printf("\n%s: not yet. Check %zu of %zu: %s.\n\n", e->name, number, count,
           c->title);
    printf("  %s%s: %s%s", in_colour(red), m->name, m->title, in_colour(plain));
    if (m->lesson > 0)
        printf(" (lesson %d)", m->lesson);
    printf("\n");
    print_folded(v->symptom, "", 2);
    if (v->steps > 0)
        print_heading("What happened");
    for (size_t i = 0; i < v->steps; i++) {
        char at[32];

        snprintf(at, sizeof at, "%9.3f s", v->step[i].at);
        print_folded(v->step[i].text, at, 13);
    }
    print_heading("Think");
    print_folded(m->advice, "", 2);
    print_heading("See it by hand");
    printf("  ");
    print_command(c->by_hand);
}

static void write_record(FILE *record, const struct exercise *e,
                         const struct check *c, const struct verdict *v)
{
    const char *result = !v->reached             ? "error"
                         : v->what == NO_MISTAKE ? "pass"
                                                 : "fail";
    char symptom[sizeof v->symptom];

    snprintf(symptom, sizeof symptom, "%s",
             v->what == NO_MISTAKE && v->reached ? "" : v->symptom);
    for (char *p = symptom; *p; p++)
        if (*p == '\t' || *p == '\n')
            *p = ' ';
    fprintf(record,
            "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%.3f\t%s\t%zu\t%s\t" JUDGE_VERSION
            "\n",
            e->name, c->name, c->title, result,
            !v->reached             ? "NOT_MADE"
            : v->what != NO_MISTAKE ? mistake_entry(v->what)->name
                                    : "-",
            v->reached && v->what == NO_MISTAKE ? c->points : 0, c->points,
            v->seconds, symptom, seed, *v->level ? v->level : "-");
}

/* What led to the verdict, a step a line. */
static void write_story(FILE *story, const struct exercise *e,
                        const struct check *c, const struct verdict *v)
{
    for (size_t i = 0; i < v->steps; i++)
        fprintf(story, "%s\t%s\t%.3f\t%s\n", e->name, c->name, v->step[i].at,
                v->step[i].text);
}

/* --- Facts drawn at random ------------------------------------------------ */

/* One generator for each check: what a check draws depends on the seed and on
 * its own name, but not on the other checks. */
static uint64_t random_state;

static void begin_to_draw(const char *name)
{
    random_state = (uint64_t)seed + 0x9e3779b97f4a7c15;
    for (; *name; name++)
        random_state = (random_state ^ (unsigned char)*name) * 0x100000001b3;
}

unsigned draw(unsigned below)
{
    /* Steele, Lea, Flood: Fast splittable pseudorandom number generators
     * (2014), splitmix64. */
    uint64_t x = random_state += 0x9e3779b97f4a7c15;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (unsigned)((x ^ (x >> 31)) % below);
}

static const char *check_name; /* of this process */

void tell_timeline(enum mistake what)
{
    if (trace_folder && what != NO_MISTAKE)
        write_timeline(trace_folder, check_name);
}

/* Start one check, in a process of its own. */
static pid_t begin_check(const struct check *c, struct verdict *v)
{
    pid_t child = fork();

    if (child < 0)
        die("cannot start a process");
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    enter_own_network();
    verdict = v;
    began = now();
    check_name = c->name;
    begin_to_draw(c->name);
    c->run();
    if (has_ended() && exit_status() < 0 && strcmp(end.limit, "-") != 0)
        diagnosed(-1, ENDLESS, "all went well, but at the end");
    give_verdict(NO_MISTAKE);
}

static int judge(const struct exercise *e, FILE *record, FILE *story)
{
    const size_t count = check_count(e);
    struct verdict *verdicts =
        mmap(NULL, count * sizeof *verdicts, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[32] = {0};
    size_t begun = 0, running = 0, made = 0, failures = 0;

    if (verdicts == MAP_FAILED)
        die("cannot share memory");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    exercise = e;
    for (size_t i = 0; i < count; i++) {
        for (; begun < count && running < at_once; begun++)
            if (is_wanted(&e->checks[begun])) {
                children[begun] =
                    begin_check(&e->checks[begun], &verdicts[begun]);
                running++;
            }
        if (children[i] == 0)
            continue;
        while (waitpid(children[i], NULL, 0) < 0 && !stopping())
            ;
        if (stopping())
            break;
        running--;
        made++;

        const struct verdict *v = &verdicts[i];

        if (record)
            write_record(record, e, &e->checks[i], v);
        if (v->reached && v->what == NO_MISTAKE)
            continue;
        if (story)
            write_story(story, e, &e->checks[i], v);
        failures++;
        print_verdict(e, &e->checks[i], v, i + 1, count);
        if (!all_checks)
            break;
    }
    for (size_t i = 0; i < begun; i++)
        if (children[i] > 0)
            kill(children[i], SIGKILL);
    /* The supervisors of the killed checks notice, clean up and end. They are
     * our children now: wait for all of them. */
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    if (stopping())
        die_because(0, "stopped by %s", stop_reason());
    if (made == 0)
        usage_error("'%s' has no check '%s'", e->name, only);
    if (failures == 0)
        printf("%s: %spassed%s, all %zu checks\n", e->name, in_colour(green),
               in_colour(plain), made);
    munmap(verdicts, count * sizeof *verdicts);
    return failures > 0;
}

int main(int argc, char **argv)
{
    char **operands = begin(&program, argc, argv);
    const struct exercise *e;
    FILE *record = NULL, *story = NULL;
    ssize_t n = readlink("/proc/self/exe", supervisor, sizeof supervisor - 16);

    if (mistakes_wanted) {
        print_mistakes();
        return 0;
    }
    if (!operands[0])
        usage_error("name an exercise");
    e = exercise_called(operands[0]);
    if (!e)
        usage_error("there is no exercise '%s'", operands[0]);
    if (list_wanted) {
        for (const struct check *c = e->checks; c->name; c++)
            printf("%s\t%d\t%s\t%s\n", c->name, c->points, c->title,
                   c->by_hand);
        return 0;
    }
    if (!operands[1])
        usage_error("name a program");
    binary = operands[1];
    if (access(binary, X_OK) < 0)
        die("cannot run %s", binary);
    if (n < 0)
        die("cannot find the supervisor");
    snprintf(strrchr(supervisor, '/'), sizeof "/supervise", "/supervise");
    if (seed == 0)
        seed = (size_t)(time(NULL) % 1000000 * 1000 + getpid() % 1000 + 1);
    if (record_name && !(record = fopen(record_name, "a")))
        die("cannot write to %s", record_name);
    if (story_name && !(story = fopen(story_name, "a")))
        die("cannot write to %s", story_name);

    int status = judge(e, record, story);

    if (story && fclose(story) != 0)
        die("cannot write to %s", story_name);
    if (record && fclose(record) != 0)
        die("cannot write to %s", record_name);
    return status;
}
