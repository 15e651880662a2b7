/* storage/type_zset and zset_builder: against a plain sorted array, packed, large, and both. */
#include "storage/type_zset.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/value_types.h"
#include "storage/zset_builder.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL_MAX = 700, MEMBER_MAX = 100, STEPS = 40000 };

struct element {
    char text[MEMBER_MAX];
    size_t len;
    double score;
};

struct model {
    struct element v[MODEL_MAX];
    uint64_t n;
};

static struct slice member_of(const struct element *el)
{
    return slice_make(el->text, el->len);
}

static int compare(const struct element *a, double score, struct slice member)
{
    if (a->score != score)
        return a->score < score ? -1 : 1;
    return slice_cmp(member_of(a), member);
}

static uint64_t find(const struct model *m, struct slice member)
{
    uint64_t i = 0;

    while (i < m->n && !slice_eq(member_of(&m->v[i]), member))
        i++;
    return i;
}

static void model_remove(struct model *m, uint64_t from, uint64_t to)
{
    memmove(m->v + from, m->v + to, (m->n - to) * sizeof(m->v[0]));
    m->n -= to - from;
}

static void model_put(struct model *m, struct slice member, double score)
{
    uint64_t at = find(m, member);

    if (at < m->n)
        model_remove(m, at, at + 1);
    for (at = 0; at < m->n && compare(&m->v[at], score, member) < 0;)
        at++;
    memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(m->v[0]));
    m->v[at].len = member.len;
    m->v[at].score = score;
    memcpy(m->v[at].text, member.ptr, member.len);
    m->n++;
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Members are equally long, but for one in so many; 0: of any length. */
static uint64_t odd_one_in;

static struct slice draw_member(char text[MEMBER_MAX])
{
    size_t len = rng_below(30) ? rng_below(4) : rng_below(MEMBER_MAX);

    if (odd_one_in && rng_below(odd_one_in))
        len = 3;
    else if (rng_below(3) == 0)
        return slice_make(
            text, (size_t)snprintf(text, MEMBER_MAX, "%lld", (long long)rng_below(2000) - 1000));
    for (size_t i = 0; i < len; i++)
        text[i] = (char)((odd_one_in && rng_below(4) ? '0' : 'a') + rng_below(8));
    return slice_make(text, len);
}

static double draw_score(void)
{
    switch (rng_below(8)) {
    case 0:
        return (double)rng_below(1u << 30) / 7;
    case 1:
        return rng_below(2) ? INFINITY : -INFINITY;
    default:
        return (double)rng_below(30) - 15;
    }
}

static struct zset_cut draw_cut(const struct model *m, bool is_max)
{
    return (struct zset_cut){.by = ZSET_BY_SCORE,
                             .behind = rng_below(3) ? is_max : rng_below(2),
                             .score =
                                 m->n && rng_below(2) ? m->v[rng_below(m->n)].score : draw_score()};
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool same_from(const struct entry *e, const struct model *m, uint64_t rank, bool backwards)
{
    uint64_t want = rank >= m->n ? 0 : backwards ? rank + 1 : m->n - rank, got = 0;
    struct zset_iter it;

    zset_iter_begin(&it, e, rank, backwards);
    while (zset_iter_next(&it)) {
        const struct element *el = &m->v[backwards ? rank - got : rank + got];

        if (got++ == want || it.score != el->score || !slice_eq(it.member, member_of(el)))
            return false;
    }
    return got == want;
}

static bool same_member(const struct entry *e, const struct model *m, struct slice member)
{
    uint64_t at = find(m, member);
    struct zset_spot spot;

    zset_seek(e, member, &spot);
    if (at == m->n)
        return !spot.found;
    return spot.found && spot.score == m->v[at].score && zset_rank(e, &spot) == at;
}

static bool same_between(const struct entry *e, const struct model *m)
{
    struct zset_cut min = draw_cut(m, false), max = draw_cut(m, true);
    struct zset_span span = zset_between(e, &min, &max, rng_below(2)), want = {0};

    while (want.from < m->n && zset_score_is_before(m->v[want.from].score, &min))
        want.from++;
    while (want.to < m->n && zset_score_is_before(m->v[want.to].score, &max))
        want.to++;
    if (want.from >= want.to)
        return span.from >= span.to;
    return span.from == want.from && span.to == want.to;
}

static const char *difference(const struct entry *e, const struct model *m)
{
    char text[MEMBER_MAX];
    uint64_t rank = rng_below(m->n + 2);

    if (zset_len(e) != m->n)
        return "the number of members";
    if (!same_from(e, m, 0, false) || (m->n && !same_from(e, m, m->n - 1, true)))
        return "the members in order";
    if (!same_from(e, m, rank, false) || !same_from(e, m, rank, true))
        return "the members from a rank on";
    if (!same_member(e, m, draw_member(text)) ||
        (m->n && !same_member(e, m, member_of(&m->v[rng_below(m->n)]))))
        return "what is known of a member";
    return same_between(e, m) ? NULL : "a range of scores";
}

/* ---- random operations ----------------------------------------------------------------------- */

static struct entry *remove_some(struct entry *e, struct model *m)
{
    uint64_t from = rng_below(m->n), n = 1 + (rng_below(10) ? 0 : rng_below(m->n - from));
    struct zset_spot spot;

    if (n == 1) {
        zset_seek(e, member_of(&m->v[from]), &spot);
        e = zset_remove(e, &spot);
    } else {
        e = zset_remove_span(e, (struct zset_span){from, from + n});
    }
    model_remove(m, from, from + n);
    return e;
}

static struct entry *step(struct entry *e, struct model *m, const struct zset_limits *limits,
                          bool grow)
{
    char text[MEMBER_MAX];
    struct slice member = draw_member(text);
    double score = draw_score();

    if (m->n == MODEL_MAX - 1 || (m->n && rng_below(100) < (grow ? 30U : 60U)))
        return remove_some(e, m);
    if (m->n && rng_below(3) == 0) {
        const struct element *el = &m->v[rng_below(m->n)];

        memcpy(text, el->text, el->len);
        member = slice_make(text, el->len);
        score = el->score + (double)rng_below(3) - 1;
    }
    model_put(m, member, score);
    return zset_add(e, member, score, limits);
}

/* What Redis would call it: large from the first member on that is too many or too long. */
static bool large_by_rule(bool large, const struct model *m, const struct zset_limits *limits)
{
    if (m->n > (uint64_t)limits->members)
        return true;
    for (uint64_t i = 0; i < m->n && !large; i++)
        large = m->v[i].len > (size_t)limits->member_len;
    return large;
}

static void test_random(const char *name, int64_t members, int64_t member_len)
{
    struct zset_limits limits = {members, member_len};
    struct entry *e = zset_new(SLICE("key"), 0, &limits);
    static struct model m;
    const char *wrong = NULL;
    bool large = members == 0;

    m.n = 0;
    for (int i = 0; i < STEPS && !wrong; i++) {
        e = step(e, &m, &limits, i / 5000 % 2 == 0);
        large = large_by_rule(large, &m, &limits);
        if (i % 8 == 0)
            wrong = difference(e, &m);
        if (strcmp(zset_encoding(e), large ? "skiplist" : "listpack") != 0)
            wrong = "the encoding";
    }
    ok(!wrong, "%s: as a sorted array%s%s", name, wrong ? ", but not " : "", wrong ? wrong : "");
    ok(slice_eq(entry_key(e), SLICE("key")), "%s: and the key", name);
    entry_free(e);
}

/* ---- other forms of the same ----------------------------------------------------------------- */

static struct entry *filled(const struct model *m, const struct zset_limits *limits)
{
    struct entry *e = zset_new(SLICE("key"), 0, limits);

    for (uint64_t i = m->n; i-- > 0;)
        e = zset_add(e, member_of(&m->v[i]), m->v[i].score, limits);
    return e;
}

static void test_forms(void)
{
    static const struct zset_limits packed = {MODEL_MAX, MEMBER_MAX}, large = {0, 0};
    static struct model m;
    char text[MEMBER_MAX];
    struct entry *a, *b, *c;
    struct digest x, y;

    m.n = 0;
    for (int i = 0; i < 300; i++)
        model_put(&m, draw_member(text), draw_score());
    a = filled(&m, &packed);
    b = filled(&m, &large);
    c = entry_copy(b, SLICE("other"), EXPIRY_NONE);
    x = value_digest(a);
    y = value_digest(b);
    ok(memcmp(&x, &y, sizeof(x)) == 0, "the digest is the same for both forms");
    ok(!difference(c, &m) && c != b, "a copy of a large one is the same");
    ok(entry_memory(c, 5) <= entry_memory(b, 0), "and takes no more");
    ok(entry_memory(b, 0) > m.n * 30 && entry_memory(a, 0) < m.n * 20, "memory of both forms");
    entry_free(a);
    entry_free(b);
    entry_free(c);
}

static bool builds(const struct model *m, const struct zset_limits *limits, bool with_find)
{
    struct zset_builder b = {0};
    struct entry *e;
    bool same, fresh;

    for (uint64_t i = 0; i < m->n; i++) {
        const struct element *el = &m->v[(i * 7919) % m->n];

        if (!with_find) {
            zset_builder_add(&b, member_of(el), el->score);
            continue;
        }
        *zset_builder_find(&b, member_of(el), 5, &fresh) = 6;
        *zset_builder_find(&b, member_of(el), 5, &fresh) = el->score;
    }
    e = zset_builder_take(&b, SLICE("key"), limits);
    if (!e)
        return m->n == 0;
    same = !difference(e, m);
    if (m->n && same) {
        e = zset_remove_span(e, (struct zset_span){0, 1});
        same = zset_len(e) == m->n - 1 && !same_member(e, m, member_of(&m->v[0]));
    }
    entry_free(e);
    return same;
}

static void test_builder(void)
{
    static const struct zset_limits packed = {MODEL_MAX, MEMBER_MAX}, large = {3, 64};
    static const uint64_t sizes[] = {0, 1, 2, 100, 500};
    static struct model m;
    char text[MEMBER_MAX];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        m.n = 0;
        while (m.n < sizes[i])
            model_put(&m, draw_member(text), draw_score());
        ok(builds(&m, &packed, false) && builds(&m, &large, false) && builds(&m, &packed, true) &&
               builds(&m, &large, true),
           "%llu members in any order", (unsigned long long)sizes[i]);
    }
}

static void count_visit(struct slice member, double score, void *opaque)
{
    struct model *m = opaque;
    uint64_t at = find(m, member);

    if (at < m->n && m->v[at].score == score)
        model_remove(m, at, at + 1);
}

static void test_scan(void)
{
    static const struct zset_limits limits = {10, 64};
    static struct model m;
    char text[MEMBER_MAX];
    uint64_t cursor = 0, rounds = 0;
    struct entry *e;

    m.n = 0;
    while (m.n < 500)
        model_put(&m, draw_member(text), draw_score());
    e = filled(&m, &limits);
    do {
        cursor = zset_scan(e, cursor, 20, count_visit, &m);
        rounds++;
    } while (cursor);
    ok(m.n == 0, "scanning shows all");
    ok(rounds > 5 && rounds <= 26, "in about as many rounds as are to be expected");
    entry_free(e);
}

int main(void)
{
    rng_seed(7);
    test_random("packed", MODEL_MAX, MEMBER_MAX);
    test_random("large", 0, 0);
    test_random("both, by their number", 60, MEMBER_MAX);
    test_random("both, by a long member", MODEL_MAX, 64);
    odd_one_in = UINT64_MAX;
    test_random("packed, equally long members", MODEL_MAX, MEMBER_MAX);
    test_random("both, equally long members", 100, MEMBER_MAX);
    odd_one_in = 5000;
    test_random("packed, mostly of one length", MODEL_MAX, MEMBER_MAX);
    odd_one_in = 0;
    test_forms();
    test_builder();
    test_scan();
    return tap_done();
}
