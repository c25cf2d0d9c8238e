/* SPDX-License-Identifier: MIT */
/*
 * contract - the contracts, the options that decide how strict they are, and
 * the command that starts the program.
 */
#include "contract.h"
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct strictness strictness = {.clients = 10};

/* --- Which demands are made ----------------------------------------------- */

bool many_clients(void)
{
    return strictness.clients > 1;
}

bool one_client(void)
{
    return strictness.clients == 1;
}

bool idle_wanted(void)
{
    return strictness.idle;
}

bool resets_wanted(void)
{
    return strictness.resets;
}

bool slow_readers_wanted(void)
{
    return strictness.slow_readers;
}

bool memory_wanted(void)
{
    return strictness.memory > 0;
}

bool descriptors_wanted(void)
{
    return strictness.descriptors > 0 && many_clients();
}

bool deadline_wanted(void)
{
    return strictness.deadline > 0;
}

bool faults_wanted(void)
{
    return strictness.faults != NULL;
}

/* --- All contracts -------------------------------------------------------- */

static const struct contract *const tables[] = {
    echo_contracts,
    client_contracts,
    chat_contracts,
    datagram_contracts,
};

const struct contract *contract_called(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct contract *c = tables[t]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

void list_contracts(void)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct contract *c = tables[t]; c->name; c++)
            printf("%s\t%s\n", c->name, c->title);
}

/* Is this word in the list, whose words are separated by spaces or commas? */
static bool is_in(const char *list, const char *word)
{
    const char *between = " ,";

    for (list += strspn(list, between); *list; list += strspn(list, between)) {
        const size_t length = strcspn(list, between);

        if (length == strlen(word) && strncmp(list, word, length) == 0)
            return true;
        list += length;
    }
    return false;
}

static bool is_due(const struct demand *d)
{
    return (!d->is_made || d->is_made()) &&
           (!strictness.only || is_in(strictness.only, d->check.name)) &&
           (!strictness.without || !is_in(strictness.without, d->check.name));
}

static bool has_demand(const struct contract *contract, const char *name)
{
    for (const struct demand *d = contract->demands; d->check.name; d++)
        if (strcmp(d->check.name, name) == 0)
            return true;
    return false;
}

/* Every name in the list must be that of a check. */
static void must_name_checks(const struct contract *contract, const char *list)
{
    char name[32];

    for (; list && *list; list += strcspn(list, " ,")) {
        list += strspn(list, " ,");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(list, " ,"), list);
        if (*name && !has_demand(contract, name))
            usage_error("'%s' has no check '%s'", contract->name, name);
    }
}

static void apply_strictness(const struct contract *contract)
{
    struct strictness *s = &strictness;

    if (s->one_at_a_time)
        s->clients = 1;
    if (s->clients == 0)
        usage_error("--clients needs a number above 0");
    if (s->size == 0)
        s->size = contract->size;
    if (!s->strict)
        return;
    s->idle = s->resets = s->slow_readers = true;
    s->memory = s->memory > 0 ? s->memory : contract->memory;
    s->descriptors = s->descriptors > 0 ? s->descriptors : 8;
}

const struct exercise *exercise_of(const struct contract *contract)
{
    enum { MOST = 32 };
    static struct check checks[MOST + 1];
    static struct exercise made;
    size_t count = 0;

    apply_strictness(contract);
    must_name_checks(contract, strictness.only);
    must_name_checks(contract, strictness.without);
    for (const struct demand *d = contract->demands;
         d->check.name && count < MOST; d++)
        if (is_due(d))
            checks[count++] = d->check;
    if (count == 0)
        usage_error("with these options '%s' has no check", contract->name);
    made.name = contract->name;
    made.checks = checks;
    made.may_spin = !strictness.idle;
    return &made;
}

/* --- The command ---------------------------------------------------------- */

static char *const *words;

/* Programs are looked for where the supervised program will look for others,
 * and after that where the user's shell looks. */
static const char *path_of(const char *name)
{
    static char found[4096];
    const char *places[] = {"/usr/local/bin:/usr/bin:/bin", getenv("PATH")};

    if (!name || strchr(name, '/'))
        return name;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (const char *p = places[i]; p && *p;) {
            const int length = (int)strcspn(p, ":");

            snprintf(found, sizeof found, "%.*s/%s", length, p, name);
            if (length > 0 && access(found, X_OK) == 0)
                return found;
            p += length + (p[length] == ':');
        }
    die_because(0, "there is no command '%s'", name);
}

void take_command(char *const *command)
{
    size_t count = 0;

    while (command[count])
        count++;
    if (count > MOST_WORDS)
        usage_error("the command has more than %d words", (int)MOST_WORDS);
    words = command;
    any_program = true;
    binary = path_of(command[0]);
}

/* Without a command, all is possible: every check is listed. */
bool command_has(const char *word)
{
    if (!words)
        return true;
    for (size_t i = 0; words[i]; i++)
        if (strstr(words[i], word))
            return true;
    return false;
}

/* What stands for these words in the command. */
struct meaning {
    const char *word;
    char value[24];
};

static void set_meanings(struct meaning meanings[5], int port,
                         duration deadline)
{
    const struct strictness *s = &strictness;

    meanings[0] = (struct meaning){.word = "{host}", .value = "127.0.0.1"};
    meanings[1].word = "{port}";
    snprintf(meanings[1].value, sizeof meanings[1].value, "%d", port);
    meanings[2].word = "{size}";
    snprintf(meanings[2].value, sizeof meanings[2].value, "%zu", s->size);
    meanings[3].word = "{deadline}";
    snprintf(meanings[3].value, sizeof meanings[3].value, "%g",
             seconds(deadline));
    meanings[4] = (struct meaning){0};
}

/* Replace the words in braces. The caller frees the result. */
static char *meant(const char *word, const struct meaning *meanings)
{
    size_t room = 24 * strlen(word) + 1, length = 0;
    char *result = enlarged(NULL, room, 1);

    while (*word) {
        const struct meaning *m = meanings;

        while (m->word && strncmp(word, m->word, strlen(m->word)) != 0)
            m++;
        if (m->word) {
            length += (size_t)snprintf(result + length, room - length, "%s",
                                       m->value);
            word += strlen(m->word);
        } else {
            result[length++] = *word++;
        }
    }
    result[length] = '\0';
    return result;
}

static duration usual_deadline(void)
{
    return strictness.deadline > 0 ? strictness.deadline : SECOND;
}

char *const *command_for(int port)
{
    static char *made[MOST_WORDS + 1];
    struct meaning meanings[5];

    set_meanings(meanings, port, usual_deadline());
    for (size_t i = 0; words[i]; i++)
        made[i] = meant(words[i], meanings);
    return made;
}

const char *command_by_hand(bool patient)
{
    static char text[8192];
    struct meaning meanings[5];
    size_t length = 0;

    set_meanings(meanings, strictness.port ? (int)strictness.port : 8080,
                 patient ? 6 * SECOND : usual_deadline());
    for (size_t i = 0; words[i] && length < sizeof text; i++) {
        char *word = meant(words[i], meanings);
        char *quoted = quoted_for_shell(word);

        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                   i > 0 ? " " : "", quoted);
        free(word);
        free(quoted);
    }
    return text;
}
