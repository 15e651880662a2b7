/* See rules.h. */
#include "tests/differential/rules.h"

#include "base/compiler.h"
#include "base/glob.h"
#include "base/rng.h"
#include "tests/differential/mistakes.h"
#include "tests/differential/template.h"

#define RULE(weight, how, text) {weight, how, true, text, NULL},
/*
 * Words of these are never replaced: a random value would be legal and change how the server
 * works.
 */
#define FIXED(weight, how, text) {weight, how, false, text, NULL},

static struct rule strings[] = {
#include "tests/differential/strings.def"
};
static struct rule bits[] = {
#include "tests/differential/bits.def"
};
static struct rule sort[] = {
#include "tests/differential/sort.def"
};
static struct rule mixed[] = {
#include "tests/differential/mixed.def"
};
static struct rule geo[] = {
#include "tests/differential/geo.def"
};
static struct rule hyperloglog[] = {
#include "tests/differential/hyperloglog.def"
};
static struct rule hashes[] = {
#include "tests/differential/hashes.def"
};
static struct rule lists[] = {
#include "tests/differential/lists.def"
};
static struct rule sets[] = {
#include "tests/differential/sets.def"
};
static struct rule blocking[] = {
#include "tests/differential/blocking.def"
};
static struct rule keys[] = {
#include "tests/differential/keys.def"
};
static struct rule expiry[] = {
#include "tests/differential/expiry.def"
};
static struct rule transactions[] = {
#include "tests/differential/transactions.def"
};
static struct rule admin[] = {
#include "tests/differential/admin.def"
};
static struct rule zsets[] = {
#include "tests/differential/zsets.def"
};

static struct rule pubsub[] = {
#include "tests/differential/pubsub.def"
};

static struct rule waiting[] = {
#include "tests/differential/waiting.def"
};

static struct rule tracking[] = {
#include "tests/differential/tracking.def"
};

#undef RULE
#undef FIXED

#define FAMILY(name)                                                                               \
    {                                                                                              \
#name, name, COUNT_OF(name)                                                                \
    }
static struct family families[] = {
    FAMILY(strings), FAMILY(bits), FAMILY(hyperloglog), FAMILY(keys),         FAMILY(expiry),
    FAMILY(lists),   FAMILY(sets), FAMILY(admin),       FAMILY(transactions), FAMILY(geo),
    FAMILY(mixed),   FAMILY(sort), FAMILY(zsets),       FAMILY(hashes),       FAMILY(blocking),
};
#undef FAMILY

/* Apart, since their replies cannot be counted in advance. */
static struct family publishing = {"pubsub", pubsub, COUNT_OF(pubsub)};

struct family *family_pubsub(void)
{
    return &publishing;
}

static struct family waiters = {"waiting", waiting, COUNT_OF(waiting)};

struct family *family_waiting(void)
{
    return &waiters;
}

static struct family trackers = {"tracking", tracking, COUNT_OF(tracking)};

struct family *family_tracking(void)
{
    return &trackers;
}

#define EXCLUDED(pattern, reason) pattern,
static const char *const excluded[] = {
#include "tests/differential/excluded.def"
};
#undef EXCLUDED

struct family *family_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    }
    return NULL;
}

void families_append_names(struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        buf_printf(out, "%s%s", i > 0 ? " " : "", families[i].name);
}

static int weight_of(const struct family *f)
{
    int sum = 0;

    for (size_t i = 0; i < f->count; i++)
        sum += f->rules[i].weight;
    return sum;
}

static struct rule *draw_rule(struct family *f)
{
    int left = (int)rng_below((uint64_t)weight_of(f));
    struct rule *r = f->rules;

    while (left >= r->weight)
        left -= (r++)->weight;
    return r;
}

static bool is_excluded(const struct drawn *d)
{
    struct buf line = {0};
    bool found = false;

    for (int i = 0; i < d->count; i++) {
        buf_append_str(&line, i > 0 ? " " : "");
        buf_append_slice(&line, drawn_word(d, i));
    }
    for (size_t i = 0; i < COUNT_OF(excluded) && !found; i++)
        found = glob_match(slice_str(excluded[i]), buf_slice(&line), true);
    buf_release(&line);
    return found;
}

static bool any_excluded(const struct drawn *all, int count)
{
    for (int i = 0; i < count; i++) {
        if (is_excluded(&all[i]))
            return true;
    }
    return false;
}

int rules_draw(struct family *only, struct drawn *out)
{
    for (;;) {
        struct family *f = only != NULL ? only : &families[rng_below(COUNT_OF(families))];
        struct rule *r = draw_rule(f);
        int count;

        if (r->root == NULL)
            r->root = template_parse(r->text);
        count = template_draw(r->root, r, out);
        if (r->mistakes)
            mistakes_make(&out[rng_below((uint64_t)count)]);
        if (!any_excluded(out, count))
            return count;
    }
}
