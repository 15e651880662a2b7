/*
 * Compares all that both servers hold: the names in each database, and of each key its type,
 * encoding, time to live and value. The inspector's connection asks; the keys are those of the
 * oracle, once both have the same names.
 */
#include <stdio.h>

#include "base/compiler.h"
#include "tests/differential/contest.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/rules.h"

enum { DATABASES = 16 };

static struct rule exact = {.how = EXACT}, orderless = {.how = ORDERLESS}, pairs = {.how = PAIRS},
                   millis = {.how = MILLIS};

/* How a type's whole value is read. */
static const struct {
    const char *type;
    struct rule *rule;
    const char *before, *behind; /* words around the key */
} readers[] = {
    {"string", &exact, "GET", NULL},       {"list", &exact, "LRANGE", "0 -1"},
    {"set", &orderless, "SMEMBERS", NULL}, {"zset", &exact, "ZRANGE", "0 -1 WITHSCORES"},
    {"hash", &pairs, "HGETALL", NULL},
};

struct inspection {
    struct contest *contest;
    struct drawn batch[BATCH_SPACE];
    int count;
};

static struct drawn *begin(struct inspection *in, const struct rule *rule)
{
    struct drawn *d = &in->batch[in->count++];

    drawn_clear(d);
    d->rule = rule;
    d->connection = TWIN_INSPECTOR;
    return d;
}

static void add_words(struct drawn *d, const char *words)
{
    while (words != NULL && *words != '\0') {
        size_t len = strcspn(words, " ");

        drawn_add(d, slice_make(words, len), WORD_LITERAL);
        words += len + strspn(words + len, " ");
    }
}

static void say(struct inspection *in, const struct rule *rule, const char *before,
                struct slice key, const char *behind)
{
    struct drawn *d = begin(in, rule);

    add_words(d, before);
    drawn_add(d, key, WORD_KEY);
    add_words(d, behind);
}

static bool exchange(struct inspection *in)
{
    int count = in->count;

    in->count = 0;
    return contest_exchange(in->contest, in->batch, count);
}

static bool compare_key(struct inspection *in, struct slice key)
{
    struct slice type;

    say(in, &exact, "TYPE", key, NULL);
    say(in, &exact, "OBJECT ENCODING", key, NULL);
    say(in, &millis, "PTTL", key, NULL);
    if (!exchange(in))
        return false;
    type = in->contest->replies[ORACLE][0];
    for (size_t i = 0; i < COUNT_OF(readers); i++) {
        if (slice_eq(slice_make(type.ptr + 1, type.len - 3), slice_str(readers[i].type)))
            say(in, readers[i].rule, readers[i].before, key, readers[i].behind);
    }
    return in->count == 0 || exchange(in);
}

static bool compare_database(struct inspection *in, int db)
{
    struct buf names = {0};
    struct reply *keys;
    char number[16];
    bool alike = false;

    snprintf(number, sizeof(number), "%d", db);
    add_words(begin(in, &exact), "SELECT");
    drawn_add(&in->batch[0], slice_str(number), WORD_VALUE);
    add_words(begin(in, &exact), "DBSIZE");
    add_words(begin(in, &orderless), "KEYS *");
    if (exchange(in)) {
        buf_append_slice(&names, in->contest->replies[ORACLE][2]);
        keys = reply_parse(buf_slice(&names));
        alike = true;
        for (size_t i = 0; i < keys->count && alike; i++)
            alike = compare_key(in, keys->items[i].text);
        reply_free(keys);
    }
    buf_release(&names);
    return alike;
}

bool contest_compare_keyspaces(struct contest *c)
{
    struct inspection in = {.contest = c};
    bool alike = true;

    for (int db = 0; db < DATABASES && alike; db++)
        alike = compare_database(&in, db);
    for (int i = 0; i < BATCH_SPACE; i++)
        drawn_release(&in.batch[i]);
    return alike;
}
