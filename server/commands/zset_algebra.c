/* Sorted sets of sorted sets, and of sets: unions, intersections, differences. */
#include "base/mem.h"
#include "server/reply.h"
#include "server/zset_args.h"
#include "storage/type_set.h"

#include <math.h>
#include <stdlib.h>

/* ---- what a command is given ----------------------------------------------------------------- */

enum operation { UNION, INTERSECTION, DIFFERENCE, CARDINALITY };
enum aggregate { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX };

struct source {
    struct entry *e; /* NULL: the key is not there */
    uint64_t len;
    double weight;
    uint64_t given; /* its number among the sources */
};

struct query {
    enum operation operation;
    int at; /* of the number of keys */
    bool stored;
    struct source *sources;
    uint64_t n;
    enum aggregate aggregate;
    bool with_scores;
    int64_t limit; /* CARDINALITY: no more are counted; 0 for all */
};

static uint64_t source_len(const struct entry *e)
{
    if (!e)
        return 0;
    return e->type == TYPE_SET ? set_count(e) : zset_len(e);
}

static bool read_numkeys(struct call *c, struct query *q)
{
    int64_t n;

    if (!call_int(c, q->at, &n))
        return false;
    if (n < 1) {
        reply_error(c, "ERR at least 1 input key is needed for '%s' command", c->cmd->full_name);
        return false;
    }
    if (n > c->argc - q->at - 1)
        return call_syntax_error(c);
    q->n = (uint64_t)n;
    return true;
}

static bool find_sources(struct call *c, struct query *q)
{
    for (uint64_t i = 0; i < q->n; i++) {
        struct source *s = &q->sources[i];

        *s = (struct source){.weight = 1, .given = i};
        call_find(c, q->at + 1 + (int)i, TYPE_ANY, &s->e);
        if (s->e && s->e->type != TYPE_SET && s->e->type != TYPE_ZSET) {
            reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
            return false;
        }
        s->len = source_len(s->e);
    }
    return true;
}

static bool read_weights(struct call *c, int *i, struct query *q)
{
    for (uint64_t k = 0; k < q->n; k++) {
        if (!num_parse_double(call_arg(c, ++*i), &q->sources[k].weight)) {
            reply_error(c, "ERR weight value is not a float");
            return false;
        }
    }
    return true;
}

static bool read_aggregate(struct call *c, int i, struct query *q)
{
    if (call_arg_is(c, i, "sum"))
        q->aggregate = AGGREGATE_SUM;
    else if (call_arg_is(c, i, "min"))
        q->aggregate = AGGREGATE_MIN;
    else if (call_arg_is(c, i, "max"))
        q->aggregate = AGGREGATE_MAX;
    else
        return call_syntax_error(c);
    return true;
}

/* The option at argument *i, which is left at its last word. */
static bool read_option(struct call *c, int *i, struct query *q)
{
    int behind = c->argc - *i - 1;
    bool combines = q->operation == UNION || q->operation == INTERSECTION;

    if (combines && (uint64_t)behind >= q->n && call_arg_is(c, *i, "weights"))
        return read_weights(c, i, q);
    if (combines && behind && call_arg_is(c, *i, "aggregate"))
        return read_aggregate(c, ++*i, q);
    if (!q->stored && q->operation != CARDINALITY && call_arg_is(c, *i, "withscores"))
        return q->with_scores = true;
    if (q->operation == CARDINALITY && behind && call_arg_is(c, *i, "limit"))
        return call_int_between(c, ++*i, 0, INT64_MAX, &q->limit, "ERR LIMIT can't be negative");
    return call_syntax_error(c);
}

static bool read_options(struct call *c, struct query *q)
{
    for (int i = q->at + 1 + (int)q->n; i < c->argc; i++) {
        if (!read_option(c, &i, q))
            return false;
    }
    return true;
}

static int by_len(const void *a, const void *b)
{
    const struct source *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->given < y->given ? -1 : 1;
}

/* ---- looking into sources -------------------------------------------------------------------- */

/* Over the elements of a source; those of a set have the score 1. */
struct walk {
    const struct entry *e;
    struct slice member;
    double score;
    struct set_walk set;
    struct zset_iter zset;
    char digits[NUM_INT_MAX];
};

static void walk_begin(struct walk *w, const struct entry *e)
{
    w->e = e;
    if (e && e->type == TYPE_SET)
        w->set = set_walk(e);
    else if (e)
        zset_iter_begin(&w->zset, e, 0, false);
}

static bool walk_next(struct walk *w)
{
    struct set_member m;

    if (!w->e)
        return false;
    if (w->e->type == TYPE_SET) {
        if (!set_walk_next(&w->set, &m))
            return false;
        w->member = set_member_text(&m, w->digits);
        w->score = 1;
        return true;
    }
    if (!zset_iter_next(&w->zset))
        return false;
    w->member = w->zset.member;
    w->score = w->zset.score;
    return true;
}

static bool source_score(const struct source *s, struct slice member, double *score)
{
    struct set_member m;

    if (!s->e || s->e->type != TYPE_SET)
        return s->e && zset_score(s->e, member, score);
    m = set_member(member);
    *score = 1;
    return set_has(s->e, &m);
}

/* ---- the operations -------------------------------------------------------------------------- */

/* What is no number counts as 0. */
static double weighted(const struct source *s, double score)
{
    double product = s->weight * score;

    return isnan(product) ? 0 : product;
}

static void combine(enum aggregate how, double *score, double more)
{
    if (how == AGGREGATE_SUM)
        *score = isnan(*score + more) ? 0 : *score + more;
    else if (how == AGGREGATE_MIN ? more < *score : more > *score)
        *score = more;
}

static void unite(const struct query *q, struct zset_builder *out)
{
    struct walk w;
    bool fresh;

    for (uint64_t i = 0; i < q->n; i++) {
        walk_begin(&w, q->sources[i].e);
        while (walk_next(&w)) {
            double more = weighted(&q->sources[i], w.score);
            double *score = zset_builder_find(out, w.member, more, &fresh);

            if (!fresh)
                combine(q->aggregate, score, more);
        }
    }
}

/* Whether the member is in all but the first source; its score then is that of all. */
static bool in_others(const struct query *q, struct slice member, double *score)
{
    double other;

    for (uint64_t i = 1; i < q->n; i++) {
        if (!source_score(&q->sources[i], member, &other))
            return false;
        combine(q->aggregate, score, other * q->sources[i].weight);
    }
    return true;
}

static bool in_none(const struct query *q, struct slice member)
{
    double score;

    for (uint64_t i = 1; i < q->n; i++) {
        if (source_score(&q->sources[i], member, &score))
            return false;
    }
    return true;
}

/* Of each element of the first source: with `out` NULL they are only counted. */
static uint64_t intersect(const struct query *q, struct zset_builder *out)
{
    uint64_t count = 0, limit = q->limit ? (uint64_t)q->limit : UINT64_MAX;
    struct walk w;

    walk_begin(&w, q->sources[0].e);
    while (count < limit && walk_next(&w)) {
        double score = weighted(&q->sources[0], w.score);

        if (!in_others(q, w.member, &score))
            continue;
        count++;
        if (out)
            zset_builder_add(out, w.member, score);
    }
    return count;
}

static void subtract(const struct query *q, struct zset_builder *out)
{
    struct walk w;

    walk_begin(&w, q->sources[0].e);
    while (walk_next(&w)) {
        if (in_none(q, w.member))
            zset_builder_add(out, w.member, w.score);
    }
}

/* ---- the commands ---------------------------------------------------------------------------- */

static void reply_built(struct call *c, struct zset_builder *b, bool with_scores)
{
    zset_builder_sort(b);
    reply_array(c, (int64_t)(with_scores && !c->out.resp3 ? b->n * 2 : b->n));
    for (uint64_t i = 0; i < b->n; i++) {
        if (with_scores && c->out.resp3)
            reply_array(c, 2);
        reply_bulk(c, zset_item_member(b->items[i]));
        if (with_scores)
            reply_double(c, b->items[i]->score);
    }
    zset_builder_release(b);
}

static void build(const struct query *q, struct zset_builder *b)
{
    if (q->operation == UNION)
        unite(q, b);
    else if (q->operation == DIFFERENCE)
        subtract(q, b);
    else
        intersect(q, b);
}

static void answer(struct call *c, struct query *q, enum key_event event)
{
    struct zset_builder b = {0};

    if (q->operation != DIFFERENCE)
        qsort(q->sources, q->n, sizeof(*q->sources), by_len);
    if (q->operation == CARDINALITY) {
        reply_int(c, (int64_t)intersect(q, NULL));
        return;
    }
    build(q, &b);
    if (q->stored)
        zset_store(c, 1, &b, event);
    else
        reply_built(c, &b, q->with_scores);
}

static void run(struct call *c, struct query q, enum key_event event)
{
    enum { QUICK = 16 };
    struct source quick[QUICK];

    if (!read_numkeys(c, &q))
        return;
    q.sources = q.n <= QUICK ? quick : mem_alloc(q.n * sizeof(*q.sources));
    if (find_sources(c, &q) && read_options(c, &q))
        answer(c, &q, event);
    if (q.sources != quick)
        mem_free(q.sources);
}

static void reply_operation(struct call *c, enum operation operation)
{
    run(c, (struct query){.operation = operation, .at = 1}, EVENT_COUNT);
}

static void store_operation(struct call *c, enum operation operation, enum key_event event)
{
    run(c, (struct query){.operation = operation, .at = 2, .stored = true}, event);
}

/* ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
void cmd_zunion(struct call *c)
{
    reply_operation(c, UNION);
}

/* ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
void cmd_zinter(struct call *c)
{
    reply_operation(c, INTERSECTION);
}

/* ZDIFF numkeys key [key ...] [WITHSCORES] */
void cmd_zdiff(struct call *c)
{
    reply_operation(c, DIFFERENCE);
}

/* ZINTERCARD numkeys key [key ...] [LIMIT limit] */
void cmd_zintercard(struct call *c)
{
    reply_operation(c, CARDINALITY);
}

/* ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE …] */
void cmd_zunionstore(struct call *c)
{
    store_operation(c, UNION, EVENT_ZUNIONSTORE);
}

/* ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE …] */
void cmd_zinterstore(struct call *c)
{
    store_operation(c, INTERSECTION, EVENT_ZINTERSTORE);
}

/* ZDIFFSTORE destination numkeys key [key ...] */
void cmd_zdiffstore(struct call *c)
{
    store_operation(c, DIFFERENCE, EVENT_ZDIFFSTORE);
}
