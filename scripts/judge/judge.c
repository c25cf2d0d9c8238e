/* SPDX-License-Identifier: MIT */
/*
 * judge - checks a solution of an exercise, and names what is wrong with it.
 *
 *     judge EXERCISE PROGRAM
 *     judge --contract NAME [OPTION]... COMMAND [ARGUMENT]...
 *
 * The checks of an exercise run at the same time, each in a process of its own.
 * judge prints their verdicts in order, up to the first mistake; with --all, it
 * prints all of them. The program runs under supervise, from the same folder as
 * judge. Exit status: 0 if no mistake was found, otherwise 1.
 */
#define _GNU_SOURCE
#include "contract.h"
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
static bool contracts_wanted;
static const char *contract_name, *record_name, *story_name, *trace_folder;
static const char *shown_as, *cohort;
static size_t at_once = 4, seed;

static const struct setting settings[] = {
    {"all", NULL, "go on after the first mistake", .flag = &all_checks},
    {"only", "CHECKS", "make these checks alone", .text = &strictness.only},
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
    {"cohort", "LIST",
     "expect other words: a line for each, with the usual ones, those of this "
     "cohort and those of others, and tabs between",
     .text = &cohort},
    {"list", NULL, "name the checks and end", .flag = &list_wanted},
    {"mistakes", NULL, "print all mistakes as a table and end",
     .flag = &mistakes_wanted},
    {"contract", "NAME", "check a command against this contract",
     .text = &contract_name},
    {"contracts", NULL, "name the contracts and end",
     .flag = &contracts_wanted},
    {"clients", "N", "so many clients at the same time",
     .size = &strictness.clients},
    {"one-at-a-time", NULL, "one client after the other",
     .flag = &strictness.one_at_a_time},
    {"idle", NULL, "at rest it may use no CPU time", .flag = &strictness.idle},
    {"resets", NULL, "clients reset their connections",
     .flag = &strictness.resets},
    {"slow-readers", NULL, "one client does not read",
     .flag = &strictness.slow_readers},
    {"memory", "BYTES", "its memory may grow by BYTES",
     .size = &strictness.memory},
    {"descriptors", "N", "it may have N descriptors more than at the start",
     .size = &strictness.descriptors},
    {"deadline", "TIME", "silent clients have to leave after TIME",
     .time = &strictness.deadline},
    {"faults", "LIST", "inject these faults", .text = &strictness.faults},
    {"size", "BYTES", "so much is sent, or is the largest datagram",
     .size = &strictness.size},
    {"names", NULL, "a guest's first line is its name",
     .flag = &strictness.names},
    {"strict", NULL, "all demands that need no value",
     .flag = &strictness.strict},
    {"without", "CHECKS", "leave these checks out",
     .text = &strictness.without},
    {"port", "N", "the command always listens on port N",
     .size = &strictness.port},
    {"keep-user", NULL, "let root's program be root's",
     .flag = &strictness.keep_user},
    {"tools", "FOLDER", "find our programs there, in what can be typed",
     .text = &strictness.tools},
    {0},
};
static const struct program program = {
    "Tries a solution of an exercise, and names what is wrong with it.",
    "[EXERCISE] [PROGRAM]...",
    settings,
};

/* What the parts of a check share: see inside.h. */
struct verdict *verdict;
const struct exercise *exercise;
instant began;
const char *binary;
char supervisor[4096];
bool any_program;

/* --- All checks of an exercise -------------------------------------------- */

static const struct exercise *const tables[] = {
    server_exercises,   client_exercises, chat_exercises,
    datagram_exercises, first_exercises,
};

static const struct exercise *exercise_called(const char *name)
{
    if (!name)
        usage_error("name an exercise");
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct exercise *e = tables[t]; e->name; e++)
            if (strcmp(e->name, name) == 0)
                return e;
    usage_error("there is no exercise '%s'", name);
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
    return any_program || !strictness.only ||
           strcmp(strictness.only, c->name) == 0;
}

char *quoted_for_shell(const char *word)
{
    const char *plain_ones = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%-=";
    char *quoted = enlarged(NULL, 4 * strlen(word) + 3, 1), *to = quoted;

    if (*word && !word[strspn(word, plain_ones)]) {
        memcpy(quoted, word, strlen(word) + 1);
        return quoted;
    }
    *to++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') { /* end the quotation, \', begin it again */
            *to++ = '\'';
            *to++ = '\\';
            *to++ = '\'';
        }
        *to++ = *word;
    }
    *to++ = '\'';
    *to = '\0';
    return quoted;
}

/* Print a command that a shell can run, with what these words stand for. */
static void print_command(const char *by_hand)
{
    static const char *const stands[] = {"PROGRAM",  "PATIENT", "SIZE",
                                         "INJECTED", "INPUT ",  "build/bin"};
    enum { WORDS_THAT_STAND = sizeof stands / sizeof stands[0] };
    char *quoted = quoted_for_shell(shown_as ? shown_as : binary);
    char *faults = quoted_for_shell(strictness.faults ? strictness.faults : "");
    char size[24], input[64] = "";
    const char *meaning[WORDS_THAT_STAND] = {
        any_program ? command_by_hand(false) : quoted,
        NULL, /* below */
        size,
        faults,
        input,
        strictness.tools ? strictness.tools : "build/bin",
    };

    snprintf(size, sizeof size, "%zu", strictness.size);
    if (any_program && !command_has("{size}"))
        snprintf(input, sizeof input, "yes 'Hello Python' | head -c %s | ",
                 size);
    while (*by_hand) {
        size_t i = 0;

        while (i < WORDS_THAT_STAND &&
               strncmp(by_hand, stands[i], strlen(stands[i])) != 0)
            i++;
        if (any_program && i == 1)
            meaning[i] = command_by_hand(true);
        if (i == WORDS_THAT_STAND || (i > 0 && !any_program)) {
            putchar(*by_hand++);
        } else {
            printf("%s", meaning[i]);
            by_hand += strlen(stands[i]);
        }
    }
    putchar('\n');
    free(faults);
    free(quoted);
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

/* --- What differs from cohort to cohort ----------------------------------- */

/* The line of the list that begins with these words; NULL if there is none. */
static const char *line_of(const char *text)
{
    const size_t length = strlen(text);

    for (const char *line = cohort; line && *line;) {
        if (strncmp(line, text, length) == 0 && line[length] == '\t')
            return line;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return NULL;
}

/* The result stays valid during the next three calls. */
const char *varied(const char *text)
{
    static char kept[4][120];
    static size_t next;
    const char *line = line_of(text);
    char *words = kept[next++ % 4];

    if (!line)
        return text;
    line += strlen(text) + 1;
    snprintf(words, sizeof kept[0], "%.*s", (int)strcspn(line, "\t\n"), line);
    return words;
}

const char *words_of_others(const char *heard, const char *text)
{
    static char found[100];
    const char *line = line_of(text), *ours = varied(text);

    while (line && *line && *line != '\n') {
        const size_t length = strcspn(line, "\t\n");
        const size_t plain_ones = strcspn(line, "#\t\n");
        const char *at;

        /* The number in place of # may be any. */
        snprintf(found, sizeof found, "%.*s", (int)plain_ones, line);
        at = plain_ones > 0 ? strstr(heard, found) : NULL;
        if (at && strncmp(at, ours, strlen(ours)) != 0) {
            snprintf(found, sizeof found, "%.*s", (int)strcspn(at, "\n"), at);
            return found;
        }
        line += length;
        line += *line == '\t';
    }
    return NULL;
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

/* Can each check have a network of its own? */
static bool networks_allowed(void)
{
    pid_t child = fork();
    int how = 1;

    if (child == 0)
        _exit(enter_own_network() ? 0 : 1);
    return child > 0 && waitpid(child, &how, 0) == child && how == 0;
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
        usage_error("'%s' has no check '%s'", e->name, strictness.only);
    if (failures == 0)
        printf("%s: %spassed%s, all %zu checks\n", e->name, in_colour(green),
               in_colour(plain), made);
    munmap(verdicts, count * sizeof *verdicts);
    return failures > 0;
}

static const struct exercise *strict_contract(char *const *command)
{
    const struct contract *contract = contract_called(contract_name);

    if (!contract)
        usage_error("there is no contract '%s'", contract_name);
    if (command[0])
        take_command(command);
    else if (!list_wanted)
        usage_error("name a command");
    return exercise_of(contract);
}

static void list_checks(const struct exercise *e)
{
    for (const struct check *c = e->checks; c->name; c++)
        printf("%s\t%d\t%s\t%s\n", c->name, c->points, c->title, c->by_hand);
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
    if (contracts_wanted) {
        list_contracts();
        return 0;
    }
    e = contract_name ? strict_contract(operands)
                      : exercise_called(operands[0]);
    operands += !contract_name;
    if (list_wanted) {
        list_checks(e);
        return 0;
    }
    if (!any_program) {
        if (!operands[0])
            usage_error("name a program");
        if (operands[1])
            usage_error("'%s' is one argument too many", operands[1]);
        binary = operands[0];
    }
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

    if (strictness.port > 0 && !networks_allowed())
        at_once = 1; /* all of them use one port */

    int status = judge(e, record, story);

    if (story && fclose(story) != 0)
        die("cannot write to %s", story_name);
    if (record && fclose(record) != 0)
        die("cannot write to %s", record_name);
    return status;
}
