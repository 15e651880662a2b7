/*
 * storage/type_hash, with the table of fields and the heap of their times below it: random
 * operations on hashes of either form, with and without times, against a naive copy.
 */
#include "storage/type_hash.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/hash.h"
#include "storage/value_types.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 300, TEXT_MAX = 70000, EXPIRE_MAX = 5 };

/* A field as it should be. */
struct copy {
    bool there;
    char value[400];
    size_t len;
    int64_t time;
    uint64_t order; /* of arrival */
};

struct model {
    struct entry *e;
    struct copy fields[NAMES];
    struct hash_limits limits;
    int names; /* that it draws from */
    uint64_t arrivals;
    int64_t now;
    bool packed, timed;
};

/* Names of all kinds: numbers, such as look like numbers, short and long ones. */
static struct slice name_of(int i)
{
    static char name[1024];
    size_t len;

    if (i == 0)
        return SLICE("");
    if (i % 7 == 1)
        return slice_make(name, (size_t)snprintf(name, sizeof(name), "%d", i * 997));
    if (i % 7 == 2)
        return slice_make(name, (size_t)snprintf(name, sizeof(name), "0%d", i));
    len = (size_t)snprintf(name, sizeof(name), "field:%d", i);
    while (i % 50 == 49 && len < 300)
        name[len++] = 'x';
    return slice_make(name, len);
}

static size_t draw_value(char *out)
{
    size_t len = rng_below(20) ? rng_below(24) : rng_below(400);

    if (rng_below(3) == 0)
        return num_format_int(out, (int64_t)(rng_next() >> rng_below(64)));
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + rng_below(26));
    return len;
}

/* ---- the model ------------------------------------------------------------------------------- */

static size_t count(const struct model *m)
{
    size_t n = 0;

    for (int i = 0; i < NAMES; i++)
        n += m->fields[i].there;
    return n;
}

static int64_t first_time(const struct model *m)
{
    int64_t first = EXPIRY_NONE;

    for (int i = 0; i < NAMES; i++) {
        if (m->fields[i].there && m->fields[i].time < first)
            first = m->fields[i].time;
    }
    return first;
}

/* As the forms are told apart by Redis. */
static void follow_forms(struct model *m, struct slice name, size_t value_len, bool gets_time)
{
    if (name.len > m->limits.value || value_len > m->limits.value || count(m) > m->limits.entries)
        m->packed = false;
    m->timed = m->timed || gets_time;
}

static const char *encoding(const struct model *m)
{
    return !m->packed ? "hashtable" : m->timed ? "listpackex" : "listpack";
}

static const struct model *sorted_of; /* for qsort */

static int by_place(const void *a, const void *b)
{
    const struct copy *x = &sorted_of->fields[*(const int *)a];
    const struct copy *y = &sorted_of->fields[*(const int *)b];

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* ---- operations ------------------------------------------------------------------------------ */

static bool set(struct model *m, int i)
{
    struct copy *f = &m->fields[i];
    bool keep = rng_below(4) == 0, was = f->there, added;
    int64_t time = rng_below(5) ? EXPIRY_NONE : m->now + 1 + (int64_t)rng_below(1000);
    int64_t had = was ? f->time : EXPIRY_NONE;

    f->len = draw_value(f->value);
    added = hash_set(&m->e, name_of(i), slice_make(f->value, f->len), keep ? FIELD_TIME_KEEP : time,
                     &m->limits);
    f->there = true;
    f->time = keep ? had : time;
    if (!was || f->time != had)
        f->order = ++m->arrivals;
    follow_forms(m, name_of(i), f->len, !keep && time != EXPIRY_NONE);
    return added == !was;
}

static bool drop(struct model *m, int i)
{
    bool was = m->fields[i].there;

    m->fields[i].there = false;
    return hash_remove(&m->e, name_of(i)) == was;
}

static void retime(struct model *m, int i)
{
    struct copy *f = &m->fields[i];
    int64_t time = rng_below(3) ? m->now + 1 + (int64_t)rng_below(1000) : EXPIRY_NONE;

    if (!f->there)
        return;
    hash_set_time(&m->e, name_of(i), time);
    if (m->timed || time != EXPIRY_NONE)
        f->order = ++m->arrivals;
    f->time = time;
    m->timed = m->timed || time != EXPIRY_NONE;
}

/* A field that goes is one whose time has come. */
struct told {
    const struct model *model;
    size_t due;
};

static void tell(struct slice name, void *opaque)
{
    struct told *told = opaque;

    for (int i = 0; i < NAMES; i++)
        told->due += slice_eq(name, name_of(i)) && told->model->fields[i].time <= told->model->now;
}

static const char *expire(struct model *m)
{
    struct told told = {.model = m};
    const struct part_visitor who = {tell, &told};
    bool gone = false;
    size_t n;

    for (int i = 0; i < NAMES; i++) {
        if (m->fields[i].time <= m->now)
            m->fields[i].there = false;
    }
    if (!entry_is_due(m->e, m->now))
        return NULL;
    if (hash_is_gone(m->e, m->now) != (count(m) == 0))
        return "whether all are gone is not known";
    n = hash_expire(&m->e, m->now, EXPIRE_MAX, &gone, &who);
    if (!n || gone != (count(m) == 0))
        return "what is due did not go";
    if (told.due != n)
        return "it is not told what went";
    if (gone) { /* as its owner does */
        entry_free(m->e);
        m->e = hash_new(SLICE("key"));
        m->packed = true;
        m->timed = false;
    }
    return NULL;
}

/* ---- looking --------------------------------------------------------------------------------- */

static bool is_copy(const struct hash_item *item, int i, const struct copy *f)
{
    return f->there && slice_eq(item->name, name_of(i)) &&
           slice_eq(item->value, slice_make(f->value, f->len)) && item->time == f->time;
}

static int number_of(struct slice name)
{
    for (int i = 0; i < NAMES; i++) {
        if (slice_eq(name, name_of(i)))
            return i;
    }
    return 0;
}

static const char *wrong_fields(const struct model *m)
{
    char digits[NUM_INT_MAX];
    struct slice value;
    int64_t time;

    for (int i = 0; i < m->names; i++) {
        const struct copy *f = &m->fields[i];

        if (hash_get(m->e, name_of(i), digits, &value) != f->there ||
            (f->there && !slice_eq(value, slice_make(f->value, f->len))))
            return "a field has another value";
        if (hash_time(m->e, name_of(i), &time) != f->there || (f->there && time != f->time))
            return "a field has another time";
    }
    return NULL;
}

static const char *wrong_walk(const struct model *m)
{
    struct hash_walk w = hash_walk(m->e);
    struct hash_item item;
    int order[NAMES] = {0};
    size_t there = 0, n = 0;

    for (int i = 0; i < NAMES; i++) {
        if (m->fields[i].there)
            order[there++] = i;
    }
    sorted_of = m;
    qsort(order, there, sizeof(int), by_place);
    for (; hash_walk_next(&w, &item); n++) {
        int i = m->packed && n < there ? order[n] : number_of(item.name);

        if (n == there || !is_copy(&item, i, &m->fields[i]))
            return "a walk shows something else";
    }
    return n == there ? NULL : "a walk misses something";
}

struct seen {
    bool names[NAMES];
    size_t n;
};

static void see(const struct hash_item *item, void *opaque)
{
    struct seen *seen = opaque;

    seen->names[number_of(item->name)] = true;
    seen->n++;
}

static const char *wrong_scan(const struct model *m)
{
    struct seen seen = {0};
    uint64_t cursor = 0;

    do
        cursor = hash_scan(m->e, cursor, 1 + rng_below(20), see, &seen);
    while (cursor);
    for (int i = 0; i < NAMES; i++) {
        if (seen.names[i] != m->fields[i].there)
            return "a scan shows something else";
    }
    return seen.n == count(m) ? NULL : "a scan of a hash at rest shows something twice";
}

static const char *wrong_copy(const struct model *m)
{
    const struct hash_limits tables = {0, 0};
    struct entry *copy = entry_copy(m->e, SLICE("other"), EXPIRY_NONE);
    struct entry *table = hash_new(SLICE("other"));
    struct hash_walk w = hash_walk(m->e);
    struct hash_item item;
    struct digest a = value_digest(m->e), b = value_digest(copy), c;
    const char *wrong = NULL;

    while (hash_walk_next(&w, &item))
        hash_set(&table, item.name, item.value, item.time, &tables);
    c = value_digest(table);
    if (hash_len(copy) != count(m) || strcmp(hash_encoding(copy), encoding(m)) != 0 ||
        memcmp(&a, &b, sizeof(a)) != 0)
        wrong = "a copy is another";
    if (memcmp(&a, &c, sizeof(a)) != 0)
        wrong = "the digest depends on the encoding";
    if (entry_memory(copy, 0) > entry_memory(m->e, 0) + 1000 || entry_memory(m->e, 5) < 16)
        wrong = "the memory is not known";
    entry_free(copy);
    entry_free(table);
    return wrong;
}

static const char *wrong_random(const struct model *m)
{
    struct hash_item item;
    int i;

    if (!count(m))
        return NULL;
    hash_random(m->e, &item);
    i = number_of(item.name);
    return is_copy(&item, i, &m->fields[i]) ? NULL : "what is drawn is not there";
}

static const char *wrong_hash(const struct model *m)
{
    const char *(*const checks[])(const struct model *) = {wrong_fields, wrong_walk, wrong_scan,
                                                           wrong_copy, wrong_random};

    if (hash_len(m->e) != count(m) || hash_is_empty(m->e) != (count(m) == 0))
        return "the number of fields is another";
    if (strcmp(hash_encoding(m->e), encoding(m)) != 0)
        return "the encoding is another";
    if (hash_due(m->e) > first_time(m))
        return "a field goes unnoticed";
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        const char *wrong = checks[i](m);

        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *step(struct model *m, bool times)
{
    int i = (int)rng_below((uint64_t)m->names);
    unsigned what = (unsigned)rng_below(times ? 12 : 8);

    if (what < 5)
        return set(m, i) ? NULL : "what is set is miscounted";
    if (what < 8)
        return drop(m, i) ? NULL : "what is removed is miscounted";
    if (what < 11) {
        retime(m, i);
        return NULL;
    }
    m->now += (int64_t)rng_below(rng_below(10) ? 20 : 600);
    return expire(m);
}

static const char *run(struct hash_limits limits, int names, bool times, int steps)
{
    static struct model m;
    const char *wrong = NULL;

    m = (struct model){.limits = limits, .names = names, .now = 1000, .packed = true};
    m.e = hash_new(SLICE("key"));
    for (int i = 0; i < steps && !wrong; i++) {
        wrong = step(&m, times);
        if (!wrong && rng_below(10) == 0)
            wrong = wrong_hash(&m);
    }
    entry_free(m.e);
    return wrong ? wrong : "";
}

static void test_model(bool times)
{
    static const struct {
        struct hash_limits limits;
        int names;
        const char *what;
    } kinds[] = {
        {{1000, 1000}, 12, "few packed fields"},
        {{1000, 1000}, NAMES, "many packed fields"},
        {{20, 64}, 40, "fields around the thresholds"},
        {{0, 0}, 5, "a small table"},
        {{0, 0}, NAMES, "a large table"},
    };

    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        const char *wrong = "";

        for (int round = 0; round < 3 && !*wrong; round++)
            wrong = run(kinds[k].limits, kinds[k].names, times, 1500);
        is_str(wrong, "", "%s%s", kinds[k].what, times ? ", with times" : "");
    }
}

/* ---- what a model does not show -------------------------------------------------------------- */

/* Fields of which a thousand are due at once go in small steps, and are not seen meanwhile. */
static void test_hidden(void)
{
    const struct hash_limits limits = {0, 0};
    struct entry *e = hash_new(SLICE("key"));
    struct hash_item item;
    size_t steps = 0;
    bool gone = false;
    char name[32];

    hash_set(&e, SLICE("stays"), SLICE("1"), 5000, &limits);
    for (int i = 0; i < 1000; i++)
        hash_set(&e, slice_make(name, (size_t)snprintf(name, sizeof(name), "f%d", i)), SLICE("v"),
                 2000, &limits);
    is_int((long long)hash_len(e), 1001, "all are there");
    for (; hash_due(e) <= 2000; steps++) {
        size_t n = hash_expire(&e, 2000, 64, &gone, NULL);

        if (gone || n > 64 || hash_len(e) != 1)
            break;
        hash_random(e, &item);
        if (!slice_eq(item.name, SLICE("stays")))
            break;
        if (steps == 3)
            hash_set(&e, SLICE("f999"), SLICE("again"), EXPIRY_NONE, &limits);
        if (steps == 3 && (hash_len(e) != 2 || !hash_remove(&e, SLICE("f999"))))
            break;
    }
    is_int((long long)steps, 16, "what is due goes in steps");
    is_int((long long)hash_due(e), 5000, "and what stays is left");
    ok(!hash_is_gone(e, 4999) && hash_is_gone(e, 5000), "until it goes as well");
    is_int((long long)hash_expire(&e, 5000, 0, &gone, NULL), 1, "all that is left is counted");
    ok(gone, "and gone");
    entry_free(e);
}

/* Values of all lengths, in place and not. */
static void test_long_values(void)
{
    static char bytes[TEXT_MAX];
    static const size_t lens[] = {0, 1, 3, 20, 255, 256, 65535, 65536, TEXT_MAX, 65535, 300, 2, 0};
    const struct hash_limits limits = {0, 0};
    struct entry *e = hash_new(SLICE("key"));
    struct slice long_name = slice_make(bytes, 1000), value;
    int right = 0;

    memset(bytes, 'z', sizeof(bytes));
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        int64_t time = i % 3 ? 10 + (int64_t)i : EXPIRY_NONE, has;

        hash_set(&e, long_name, slice_make(bytes, lens[i]), time, &limits);
        right += hash_get(e, long_name, NULL, &value) &&
                 slice_eq(value, slice_make(bytes, lens[i])) && hash_time(e, long_name, &has) &&
                 has == time && hash_due(e) == time && hash_len(e) == 1;
    }
    is_int(right, COUNT_OF(lens), "a long name with values of all lengths");
    entry_free(e);
}

/* Draws are even, of either form. */
static void test_even(struct hash_limits limits, const char *what)
{
    enum { FIELDS = 50, DRAWS = 50000 };
    struct entry *e = hash_new(SLICE("key"));
    int drawn[FIELDS] = {0}, least = DRAWS, most = 0;
    struct hash_item item;
    char name[32];

    for (int i = 0; i < FIELDS; i++)
        hash_set(&e, slice_make(name, (size_t)snprintf(name, sizeof(name), "%d", i)), SLICE(""),
                 EXPIRY_NONE, &limits);
    for (int i = 0; i < DRAWS; i++) {
        hash_random(e, &item);
        memcpy(name, item.name.ptr, item.name.len);
        name[item.name.len] = '\0';
        drawn[atoi(name)]++;
    }
    for (int i = 0; i < FIELDS; i++) {
        least = drawn[i] < least ? drawn[i] : least;
        most = drawn[i] > most ? drawn[i] : most;
    }
    ok(least > DRAWS / FIELDS * 3 / 4 && most < DRAWS / FIELDS * 5 / 4, "%s: %d to %d times each",
       what, least, most);
    entry_free(e);
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    hash_init(seed);
    test_model(false);
    test_model(true);
    test_hidden();
    test_long_values();
    test_even((struct hash_limits){100, 100}, "packed");
    test_even((struct hash_limits){0, 0}, "table");
    ok(mem_used() == 0, "all memory is given back");
    return tap_done();
}
