/*
 * storage/type_set: random operations against a plain array of members, in all forms; draws at
 * random by counting them.
 */
#include "storage/type_set.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/digest.h"
#include "storage/intset.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL_MAX = 3000, TEXT_MAX = 200, DRAWS = 200000 };

struct model {
    struct slice v[MODEL_MAX]; /* owned */
    size_t len;
    bool intset;
};

static size_t model_find(const struct model *m, struct slice s)
{
    size_t i = 0;

    while (i < m->len && !slice_eq(m->v[i], s))
        i++;
    return i;
}

static bool model_add(struct model *m, struct slice s, size_t intset_max)
{
    int64_t n;

    if (model_find(m, s) < m->len)
        return false;
    m->v[m->len++] = slice_make(mem_strndup(s.ptr, s.len), s.len);
    m->intset = m->intset && num_parse_int(s, &n) && m->len <= intset_max;
    return true;
}

static bool model_remove(struct model *m, struct slice s)
{
    size_t i = model_find(m, s);

    if (i == m->len)
        return false;
    mem_free((void *)(uintptr_t)m->v[i].ptr);
    m->v[i] = m->v[--m->len];
    return true;
}

static void model_clear(struct model *m)
{
    while (m->len)
        model_remove(m, m->v[0]);
    m->intset = true;
}

/* ---- what is compared ------------------------------------------------------------------------ */

/* Integers come in order. */
static bool ascends(const struct entry *e)
{
    struct set_walk w = set_walk(e);
    struct set_member m, last = {0};
    bool first = true, right = true;

    while (set_walk_next(&w, &m)) {
        right = right && m.is_number && (first || last.number < m.number);
        last = m;
        first = false;
    }
    return right;
}

static const char *difference(const struct entry *e, const struct model *model)
{
    struct set_walk w = set_walk(e);
    char digits[NUM_INT_MAX];
    struct set_member m;
    size_t walked = 0;

    if (set_count(e) != model->len)
        return "the number of members";
    if (set_is_intset(e) != model->intset ||
        strcmp(set_encoding(e), model->intset ? "intset" : "hashtable") != 0)
        return "the encoding";
    if (e->form != FORM_OUTSIDE && e->few != (model->len < FEW_MAX ? model->len : FEW_MAX))
        return "the number in the entry's header";
    for (size_t i = 0; i < model->len; i++) {
        m = set_member(model->v[i]);
        if (!set_has(e, &m))
            return "a member";
    }
    for (; set_walk_next(&w, &m); walked++) {
        if (model_find(model, set_member_text(&m, digits)) == model->len)
            return "what the walk shows";
    }
    if (walked != model->len)
        return "the length of the walk";
    if (model->intset && (!ascends(e) || !intset_valid(entry_bytes(e))))
        return "the order of integers";
    if (e->form != FORM_OUTSIDE && !e->raw && !pack_valid(entry_bytes(e)))
        return "packed elements";
    return NULL;
}

/* ---- random operations ----------------------------------------------------------------------- */

static const int64_t edges[] = {
    0,         1,         -1,        INT16_MAX,        INT16_MIN,          INT32_MAX,
    INT32_MIN, INT64_MAX, INT64_MIN, (int64_t)1 << 46, -((int64_t)1 << 46)};

/* What is drawn depends on the phase: narrow numbers, wide ones, texts, all. */
static struct slice random_member(char *to, unsigned phase)
{
    static const int64_t spans[] = {50, 1000, 100000, (int64_t)1 << 40, INT64_MAX};
    unsigned what = phase % 8;
    size_t len;

    if (what >= 5 ? rng_below(3) != 0 : rng_below(2000) == 0) {
        len = rng_below(20) ? rng_below(12) : rng_below(TEXT_MAX);
        for (size_t i = 0; i < len; i++)
            to[i] = "abc\0\xff 019-"[rng_below(10)];
        return slice_make(to, len);
    }
    if (rng_below(30) == 0 && what > 2) {
        int64_t edge = edges[rng_below(COUNT_OF(edges))];

        return slice_make(to, num_format_int(to, (int64_t)((uint64_t)edge + rng_below(3) - 1)));
    }
    len =
        num_format_int(to, (int64_t)rng_below((uint64_t)spans[what % 5]) * (rng_below(2) ? 1 : -1));
    return slice_make(to, len);
}

static const char *one_life(unsigned seed)
{
    static struct model model;
    struct entry *e = set_new(SLICE("key"), 17);
    size_t intset_max = (size_t[]){512, 512, 3, 0, 2000}[rng_below(5)];
    unsigned phase = (unsigned)rng_below(8), steps = (unsigned)rng_below(seed % 4 ? 300 : 4000);
    const char *wrong = NULL;
    char text[TEXT_MAX];

    model_clear(&model);
    for (unsigned i = 0; i < steps && !wrong; i++) {
        struct slice s =
            rng_below(3) || !model.len ? random_member(text, phase) : model.v[rng_below(model.len)];
        struct set_member m = set_member(s);
        bool there = model_find(&model, s) < model.len;

        if (set_has(e, &m) != there)
            wrong = "whether it is there";
        else if (rng_below(100) < (i / 500 % 3 == 2 ? 25U : 70U))
            wrong = set_add(&e, &m, intset_max) == model_add(&model, s, intset_max)
                        ? NULL
                        : "what adding says";
        else
            wrong = set_remove(&e, &m) == model_remove(&model, s) ? NULL : "what removing says";
        if (!wrong && (i % 64 == 0 || i + 1 == steps))
            wrong = difference(e, &model);
    }
    if (!slice_eq(entry_key(e), SLICE("key")) || entry_expiry(e) != 17)
        wrong = "key and expiry";
    entry_free(e);
    model_clear(&model);
    return wrong;
}

static void test_operations(void)
{
    const char *wrong = NULL;
    unsigned i;

    for (i = 0; i < 600 && !wrong; i++)
        wrong = one_life(i);
    ok(!wrong, "random operations leave what a plain array holds%s%s", wrong ? ", but not " : "",
       wrong ? wrong : "");
}

/* ---- all forms alike ------------------------------------------------------------------------- */

static void add_number(struct entry **e, int64_t n, size_t intset_max)
{
    struct set_member m = set_member_int(n);

    set_add(e, &m, intset_max);
}

static struct entry *numbers(int count, size_t intset_max, bool downwards)
{
    struct entry *e = set_new(SLICE("k"), EXPIRY_NONE);

    for (int i = 0; i < count; i++)
        add_number(&e, (downwards ? count - 1 - i : i) * 1000, intset_max);
    return e;
}

static bool same_digest(const struct entry *a, const struct entry *b)
{
    struct digest x = set_digest(a), y = set_digest(b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

static void test_digest(void)
{
    struct entry *sorted = numbers(60, 512, true), *packed = numbers(60, 10, false);
    struct entry *table = numbers(70, 10, false), *copy;

    for (int i = 60; i < 70; i++) {
        struct set_member m = set_member_int(i * 1000);

        set_remove(&table, &m);
    }
    ok(set_is_intset(sorted) && !packed->raw && packed->form == FORM_INLINE &&
           table->form == FORM_OUTSIDE,
       "a set in each of the three forms");
    ok(same_digest(sorted, packed) && same_digest(packed, table), "has one digest");
    copy = entry_copy(table, SLICE("c"), EXPIRY_NONE);
    ok(same_digest(copy, table) && set_count(copy) == 60, "a copy of a table is alike");
    add_number(&copy, 5, 0);
    ok(!same_digest(copy, table) && set_count(table) == 60, "and on its own");
    entry_free(copy);
    copy = entry_copy(sorted, SLICE("c"), EXPIRY_NONE);
    ok(same_digest(copy, sorted) && set_is_intset(copy) && set_count(copy) == 60,
       "a copy of integers is a set of integers");
    entry_free(copy);
    entry_free(sorted);
    entry_free(packed);
    entry_free(table);
}

/* ---- draws ---------------------------------------------------------------------------------- */

/* Of evenly drawn members, chi-squared is about `count` - 1; five deviations are a mistake. */
static void test_random(int count, size_t intset_max, const char *form)
{
    struct entry *e = numbers(count, intset_max, false);
    double expected = (double)DRAWS / count, chi = 0, limit = count - 1 + 5 * sqrt(2.0 * count);
    int *seen = mem_zalloc((size_t)count * sizeof(*seen));

    for (int i = 0; i < DRAWS; i++)
        seen[set_random(e).number / 1000]++;
    for (int i = 0; i < count; i++)
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    ok(chi < limit, "draws from %d %s are even: %.1f of %.1f", count, form, chi, limit);
    mem_free(seen);
    entry_free(e);
}

enum { POP_OF = 12, POPPED = 4, CHOICES = 495 /* 4 of 12 */, ROUNDS = 50000 };

/* The number of a choice of numbers, as a bit each, among those with as many bits. */
static int number_of(unsigned bits)
{
    static const int binomial[POP_OF + 1][POPPED + 1] = {
        {1},
        {1, 1},
        {1, 2, 1},
        {1, 3, 3, 1},
        {1, 4, 6, 4, 1},
        {1, 5, 10, 10, 5},
        {1, 6, 15, 20, 15},
        {1, 7, 21, 35, 35},
        {1, 8, 28, 56, 70},
        {1, 9, 36, 84, 126},
        {1, 10, 45, 120, 210},
        {1, 11, 55, 165, 330},
    };
    int n = 0;

    for (int at = 0, k = 1; at < POP_OF; at++) {
        if (bits & 1u << at)
            n += binomial[at][k++];
    }
    return n;
}

static unsigned pop_one_by_one(struct entry **e)
{
    unsigned bits = 0;

    for (int i = 0; i < POPPED; i++) {
        struct set_member m = set_random(*e);

        bits |= 1u << (m.number / 1000);
        set_remove(e, &m);
    }
    for (int i = 0; i < POP_OF; i++)
        add_number(e, i * 1000, 512);
    return bits;
}

static unsigned choose(struct entry **e)
{
    struct set_choice c = set_choice(*e, POPPED);
    struct set_member m;
    unsigned bits = 0;
    bool chosen;

    while (set_choice_next(&c, &m, &chosen))
        bits |= (unsigned)chosen << (m.number / 1000);
    return bits;
}

/* Every choice of some members is equally likely, however they are chosen. */
static void test_choices(unsigned (*take)(struct entry **e), size_t intset_max, bool table,
                         const char *what)
{
    struct entry *e = numbers(POP_OF, intset_max, false);
    double expected = (double)ROUNDS / CHOICES, chi = 0;
    double limit = CHOICES - 1 + 5 * sqrt(2.0 * CHOICES);
    int seen[CHOICES] = {0}, wrong = 0;

    for (int i = POP_OF; table && i < 100; i++)
        add_number(&e, i * 1000, 0);
    for (int i = POP_OF; table && i < 100; i++) {
        struct set_member m = set_member_int(i * 1000);

        set_remove(&e, &m);
    }
    for (int i = 0; i < ROUNDS; i++) {
        unsigned bits = take(&e);

        if (__builtin_popcount(bits) == POPPED)
            seen[number_of(bits)]++;
        else
            wrong++;
    }
    for (int i = 0; i < CHOICES; i++)
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    ok(chi < limit && !wrong, "%d of %d members %s, evenly: %.1f of %.1f", POPPED, POP_OF, what,
       chi, limit);
    entry_free(e);
}

int main(void)
{
    uint64_t seed = rng_entropy() % 1000000000;

    printf("# seed %llu\n", (unsigned long long)seed);
    rng_seed(seed);
    test_operations();
    test_digest();
    test_random(50, 512, "integers");
    test_random(50, 0, "packed elements");
    test_random(50 + SET_PACKED_MAX, 0, "members of a table");
    test_random(2000, 0, "members of a table");
    test_choices(pop_one_by_one, 512, false, "popped from integers");
    test_choices(pop_one_by_one, 0, false, "popped from packed elements");
    test_choices(pop_one_by_one, 0, true, "popped from a table");
    test_choices(choose, 512, false, "chosen among integers");
    test_choices(choose, 0, false, "chosen among packed elements");
    test_choices(choose, 0, true, "chosen among a table's");
    return tap_done();
}
