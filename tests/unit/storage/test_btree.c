/* storage/btree: against a plain sorted array, and a walk over all that must hold within a tree. */
#include "storage/btree.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/zset_large.h"
#include "tests/lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL_MAX = 20000, MANY = 400000 };

struct model {
    struct zset_item **v;
    uint64_t n;
};

static int compare(const struct zset_item *a, const struct zset_item *b)
{
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return slice_cmp(zset_item_member(a), zset_item_member(b));
}

/* ---- what must hold -------------------------------------------------------------------------- */

struct walk {
    const struct btree *t;
    const struct btree_leaf *last; /* the leaf that was walked over last */
    const struct zset_item *item;  /* the last item */
    size_t leaves, inners;
    const char *fault;
};

static void walk_leaf(struct walk *w, const struct btree_leaf *leaf, bool edge)
{
    if (leaf->prev != w->last || (w->last && w->last->next != leaf))
        w->fault = "leaves are chained in order";
    if (leaf->n > BTREE_LEAF_CAP || leaf->n < (edge ? 1 : BTREE_LEAF_MIN))
        w->fault = "leaves are filled";
    for (unsigned i = 0; i < leaf->n; i++) {
        const struct zset_item *item = btree_leaf_item(leaf, i);

        if (w->item && compare(w->item, item) >= 0)
            w->fault = "items are in order";
        w->item = item;
    }
    w->last = leaf;
    w->leaves++;
}

static const struct zset_item *first_of(const void *node, unsigned levels)
{
    return levels ? first_of(((const struct btree_inner *)node)->child[0], levels - 1)
                  : btree_leaf_item((const struct btree_leaf *)node, 0);
}

static uint64_t walk_node(struct walk *w, const void *node, unsigned levels, bool edge)
{
    const struct btree_inner *inner = node;
    uint64_t sum = 0;

    if (!levels) {
        walk_leaf(w, node, edge);
        return ((const struct btree_leaf *)node)->n;
    }
    if (inner->n > BTREE_INNER_CAP || inner->n < (edge ? 2 : BTREE_INNER_MIN))
        w->fault = "inner nodes are filled";
    for (unsigned i = 0; i < inner->n; i++) {
        uint64_t below = walk_node(w, inner->child[i], levels - 1, edge && i + 1 == inner->n);

        if (w->fault)
            break;
        if (below != inner->count[i])
            w->fault = "counts are right";
        if (inner->first[i] != first_of(inner->child[i], levels - 1) ||
            inner->score[i] != inner->first[i]->score)
            w->fault = "first items are known";
        sum += below;
    }
    w->inners++;
    return sum;
}

/* What does not hold, NULL if all does. */
static const char *fault_of(const struct btree *t)
{
    struct walk w = {.t = t};
    uint64_t n = t->root ? walk_node(&w, t->root, t->levels, true) : 0;

    if (!w.fault && (n != t->count || w.leaves != t->leaves || w.inners != t->inners))
        w.fault = "sums are right";
    return w.fault;
}

/* ---- the model ------------------------------------------------------------------------------- */

static uint64_t place_of(const struct model *m, const struct zset_item *item)
{
    uint64_t low = 0, high = m->n;

    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (compare(m->v[middle], item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void model_add(struct model *m, struct zset_item *item)
{
    uint64_t at = place_of(m, item);

    memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(*m->v));
    m->v[at] = item;
    m->n++;
}

static struct zset_item *model_take(struct model *m, uint64_t at)
{
    struct zset_item *item = m->v[at];

    m->n--;
    memmove(m->v + at, m->v + at + 1, (m->n - at) * sizeof(*m->v));
    return item;
}

/* The k-th item of a row that never repeats, with that score. */
static struct zset_item *new_item(uint64_t k, double score)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "m%llx", (unsigned long long)(k * 0x9e3779b97f4a7c15));

    return zset_item_new(slice_make(text, (size_t)len), score);
}

enum scores { FEW_SCORES, MANY_SCORES, ONE_SCORE, RISING, FALLING };

static double draw_score(enum scores scores, uint64_t k)
{
    switch (scores) {
    case FEW_SCORES:
        return (double)rng_below(20) - 10;
    case MANY_SCORES:
        return rng_below(100) ? (double)rng_below(1u << 30) / 7 : INFINITY;
    case RISING:
        return (double)k;
    case FALLING:
        return -(double)k;
    case ONE_SCORE:
        break;
    }
    return 0;
}

static void rescore_one(struct btree *t, struct model *m, enum scores scores, uint64_t k)
{
    struct zset_item *item = m->v[rng_below(m->n)];
    double old = item->score, score;

    score = rng_below(2) ? draw_score(scores, k) : old + (double)rng_below(5) - 2;
    if (score == old)
        return;
    model_take(m, place_of(m, item));
    btree_rescore(t, item, score);
    model_add(m, item);
}

static void remove_one(struct btree *t, struct model *m)
{
    uint64_t at = rng_below(m->n);
    struct zset_item *item = model_take(m, at);

    if (rng_below(2))
        btree_remove(t, item);
    else if (btree_take(t, at) != item)
        bail("the item of rank %llu is another", (unsigned long long)at);
    zset_item_free(item);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool same_order(const struct btree *t, const struct model *m)
{
    struct btree_place p = btree_at(t, 0), last = btree_at(t, m->n ? m->n - 1 : 0);
    uint64_t i;

    for (i = 0; i < m->n && btree_item(p) == m->v[i]; i++)
        p = btree_next(p);
    if (i < m->n || btree_item(p))
        return false;
    for (i = m->n; i > 0 && btree_item(last) == m->v[i - 1]; i--)
        last = btree_prev(last);
    return i == 0 && !btree_item(last) && t->count == m->n;
}

static bool same_rank(const struct btree *t, const struct model *m)
{
    uint64_t at;

    if (!m->n)
        return !btree_at(t, 0).leaf;
    at = rng_below(m->n);
    return btree_rank(t, m->v[at]) == at && btree_item(btree_at(t, at)) == m->v[at] &&
           !btree_at(t, m->n).leaf;
}

static bool is_before(const struct zset_item *item, const struct zset_cut *cut)
{
    return cut->by == ZSET_BY_SCORE ? zset_score_is_before(item->score, cut)
                                    : zset_member_is_before(zset_item_member(item), cut);
}

static bool same_cut(const struct btree *t, const struct model *m, bool by_member)
{
    struct zset_item *some = m->n ? m->v[rng_below(m->n)] : NULL;
    struct zset_cut cut = {.by = by_member ? ZSET_BY_MEMBER : ZSET_BY_SCORE,
                           .behind = rng_below(2),
                           .edge = (enum zset_edge)(rng_below(12) ? 0 : (int)rng_below(3) - 1),
                           .score = some && rng_below(3) ? some->score
                                                         : (double)rng_below(1u << 30) / 7 - 10,
                           .member = some ? zset_item_member(some) : SLICE("m7")};
    uint64_t low = 0, high = m->n;

    if (rng_below(3) == 0 && cut.member.len)
        cut.member.len--;
    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (is_before(m->v[middle], &cut))
            low = middle + 1;
        else
            high = middle;
    }
    return btree_rank_of_cut(t, &cut) == low;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Growing to `size` and shrinking again to nothing, with everything else in between. */
static const char *stir(struct btree *t, struct model *m, enum scores scores, uint64_t size)
{
    const char *fault = NULL;
    bool growing = true, turned = false;

    for (uint64_t k = 0; (m->n || !turned) && !fault; k++) {
        uint64_t way = rng_below(100);

        if (way < (growing ? 60U : 10U)) {
            struct zset_item *item = new_item(k, draw_score(scores, k));

            btree_insert(t, item);
            model_add(m, item);
        } else if (way < 65 && m->n && scores != ONE_SCORE) {
            rescore_one(t, m, scores, k);
        } else if (m->n) {
            remove_one(t, m);
        }
        if (m->n >= size)
            growing = false;
        turned = !growing;
        if (!same_rank(t, m))
            fault = "an item has its rank";
        else if (!same_cut(t, m, scores == ONE_SCORE && rng_below(2)))
            fault = "a cut is where it is";
        else if (k % 997 == 0)
            fault = fault_of(t) ? fault_of(t) : same_order(t, m) ? NULL : "items are the same";
    }
    return fault ? fault : fault_of(t);
}

static void test_against_model(void)
{
    static const struct {
        const char *name;
        enum scores scores;
        uint64_t size;
    } runs[] = {
        {"few scores", FEW_SCORES, MODEL_MAX},   {"many scores", MANY_SCORES, MODEL_MAX},
        {"one score", ONE_SCORE, MODEL_MAX / 2}, {"rising scores", RISING, MODEL_MAX / 2},
        {"falling scores", FALLING, 3000},       {"a few items", FEW_SCORES, 200},
    };
    struct model m = {mem_alloc((MODEL_MAX + 1) * sizeof(*m.v)), 0};

    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        struct btree t = {0};
        const char *fault = stir(&t, &m, runs[i].scores, runs[i].size);

        ok(!fault, "%s: as a sorted array%s%s", runs[i].name, fault ? ", but not that " : "",
           fault ? fault : "");
        ok(!t.root && !t.leaves && !t.inners, "%s: nothing is left of it", runs[i].name);
        btree_release(&t);
    }
    mem_free(m.v);
}

static double bytes_each(const struct btree *t)
{
    return (double)btree_memory(t) / (double)t->count;
}

static int by_order(const void *a, const void *b)
{
    return compare(*(struct zset_item *const *)a, *(struct zset_item *const *)b);
}

static void fill_items(struct zset_item **items, enum scores scores)
{
    for (uint64_t k = 0; k < MANY; k++)
        items[k] = new_item(k, draw_score(scores, k));
}

static void free_items(struct zset_item **items)
{
    for (uint64_t k = 0; k < MANY; k++)
        zset_item_free(items[k]);
}

/* Three levels of inner nodes; and how full they are. */
static void test_many(enum scores scores, const char *name, double bytes_max)
{
    struct zset_item **items = mem_alloc(MANY * sizeof(struct zset_item *));
    struct btree t = {0};
    bool right = true;

    fill_items(items, scores);
    for (uint64_t k = 0; k < MANY; k++)
        btree_insert(&t, items[k]);
    ok(!fault_of(&t) && bytes_each(&t) <= bytes_max, "%s: %.2f bytes an item, at most %g", name,
       bytes_each(&t), bytes_max);
    qsort(items, MANY, sizeof(*items), by_order);
    for (uint64_t k = 0; k < MANY; k += 17)
        right = right && btree_rank(&t, items[k]) == k;
    ok(right, "%s: ranks", name);
    for (uint64_t k = 0; k < MANY; k++) {
        if (k % 16)
            btree_remove(&t, items[k]);
    }
    ok(!fault_of(&t) && bytes_each(&t) <= 25, "%s: %.2f bytes an item when few are left", name,
       bytes_each(&t));
    btree_release(&t);
    free_items(items);
    mem_free(items);
}

static void test_fill(void)
{
    static const uint64_t sizes[] = {0, 1, 82, 83, 164, 165, 82 * 63, 82 * 63 + 1, 82 * 64, MANY};
    struct zset_item **items = mem_alloc(MANY * sizeof(struct zset_item *));

    fill_items(items, RISING);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct btree t = {0};
        const char *fault;

        btree_fill(&t, items, sizes[i]);
        fault = fault_of(&t);
        ok(!fault && t.count == sizes[i], "%llu items in one go%s%s", (unsigned long long)sizes[i],
           fault ? ", but not that " : "", fault ? fault : "");
        btree_release(&t);
    }
    free_items(items);
    mem_free(items);
}

int main(void)
{
    rng_seed(20240607);
    test_against_model();
    test_many(MANY_SCORES, "random order", 10.5);
    test_many(RISING, "rising order", 7.2);
    test_fill();
    return tap_done();
}
