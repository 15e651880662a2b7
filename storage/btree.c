/* The tree of a sorted set's items, see btree.h. What changes its shape is in btree_shape.c. */
#include "storage/btree.h"

#include "storage/btree_shape.h"

/* ---- the way down ---------------------------------------------------------------------------- */

/* Whether an item comes behind this score and member. */
static bool is_behind(const struct zset_item *item, double score, struct slice member)
{
    if (item->score != score)
        return item->score > score;
    return slice_cmp(zset_item_member(item), member) > 0;
}

/* How many of the scores, which ascend, are less; or not more, if `behind`. No jumps. */
static unsigned scores_before(const double *scores, unsigned n, double score, bool behind)
{
    const double *base = scores;

    while (n > 1) {
        unsigned half = n / 2;

        base += (behind ? base[half - 1] <= score : base[half - 1] < score) * half;
        n -= half;
    }
    return (unsigned)(base - scores) + (n && (behind ? *base <= score : *base < score));
}

/* The branch to which this score and member belong: the last that does not begin behind them. */
static unsigned branch_of(const struct btree_inner *node, double score, struct slice member)
{
    unsigned n = (unsigned)node->n;
    unsigned low = 1 + scores_before(node->score + 1, n - 1, score, false), high = low;

    while (high < n && node->score[high] == score)
        high++;
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (slice_cmp(zset_item_member(node->first[middle]), member) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low - 1;
}

/* The first place in a leaf whose item comes behind this score and member. */
static unsigned place_in_leaf(const struct btree_leaf *leaf, double score, struct slice member)
{
    unsigned low = 0, high = leaf->n;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (is_behind(btree_leaf_item(leaf, middle), score, member))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void hint_leaf(const struct btree_leaf *leaf)
{
    PREFETCH(leaf);
    PREFETCH((const char *)leaf + sizeof(*leaf) / 2);
}

/* To the leaf to which this score and member belong. */
static void go_down(const struct btree *t, struct btree_path *p, double score, struct slice member)
{
    void *node = t->root;

    for (unsigned level = 0; level < t->levels; level++) {
        p->node[level] = node;
        p->at[level] = branch_of(node, score, member);
        node = p->node[level]->child[p->at[level]];
    }
    p->leaf = node;
    hint_leaf(node);
}

/* The place of an item that is in the leaf. */
static unsigned find_in_leaf(const struct btree_leaf *leaf, const struct zset_item *item)
{
    unsigned at = 0;

    while (btree_leaf_item(leaf, at) != item)
        at++;
    return at;
}

/* To an item that is there. */
static void go_to(const struct btree *t, struct btree_path *p, const struct zset_item *item)
{
    go_down(t, p, item->score, zset_item_member(item));
    p->pos = find_in_leaf(p->leaf, item);
}

/* To a rank that there is. */
static void go_to_rank(const struct btree *t, struct btree_path *p, uint64_t rank)
{
    void *node = t->root;

    for (unsigned level = 0; level < t->levels; level++) {
        struct btree_inner *inner = node;
        unsigned at = 0;

        while (rank >= inner->count[at])
            rank -= inner->count[at++];
        p->node[level] = inner;
        p->at[level] = at;
        node = inner->child[at];
    }
    p->leaf = node;
    p->pos = (unsigned)rank;
}

/* ---- changing -------------------------------------------------------------------------------- */

void btree_insert(struct btree *t, struct zset_item *item)
{
    struct slice member = zset_item_member(item);
    struct btree_path p;

    if (UNLIKELY(!t->root)) {
        btree_fill(t, &item, 1);
        return;
    }
    go_down(t, &p, item->score, member);
    p.pos = place_in_leaf(p.leaf, item->score, member);
    btree_insert_at(t, &p, item);
}

void btree_remove(struct btree *t, struct zset_item *item)
{
    struct btree_path p;

    go_to(t, &p, item);
    btree_remove_at(t, &p);
}

struct zset_item *btree_take(struct btree *t, uint64_t rank)
{
    struct zset_item *item;
    struct btree_path p;

    go_to_rank(t, &p, rank);
    item = btree_leaf_item(p.leaf, p.pos);
    btree_remove_at(t, &p);
    return item;
}

/* Whether the item would stay between its neighbours with this score. */
static bool stays(const struct btree_path *p, const struct zset_item *item, double score)
{
    struct btree_place here = {p->leaf, p->pos};
    const struct zset_item *beside;

    if (score > item->score) {
        beside = btree_item(btree_next(here));
        return !beside || is_behind(beside, score, zset_item_member(item));
    }
    beside = btree_item(btree_prev(here));
    return !beside || !is_behind(beside, score, zset_item_member(item));
}

/* Whether this score belongs to the path's leaf for sure, as far as its node can tell. */
static bool belongs_to_leaf(const struct btree *t, const struct btree_path *p, double score)
{
    const struct btree_inner *node;
    unsigned at;

    if (!t->levels)
        return true;
    node = p->node[t->levels - 1];
    at = p->at[t->levels - 1];
    return score > node->score[at] && at + 1 < node->n && score < node->score[at + 1];
}

static void move_in_leaf(const struct btree *t, struct btree_path *p, struct zset_item *item,
                         double score)
{
    unsigned from = p->pos;

    btree_leaf_close(p->leaf, from);
    item->score = score;
    p->pos = place_in_leaf(p->leaf, score, zset_item_member(item));
    btree_leaf_open(p->leaf, p->pos, item);
    if (!from || !p->pos)
        btree_first_changed(t, p);
}

void btree_rescore(struct btree *t, struct zset_item *item, double score)
{
    struct btree_path p;

    go_to(t, &p, item);
    if (stays(&p, item, score)) {
        item->score = score;
        if (!p.pos)
            btree_first_changed(t, &p);
    } else if (belongs_to_leaf(t, &p, score)) {
        move_in_leaf(t, &p, item, score);
    } else {
        btree_remove_at(t, &p);
        item->score = score;
        btree_insert(t, item);
    }
}

/* ---- ranks ----------------------------------------------------------------------------------- */

static uint64_t count_before(const struct btree_inner *node, unsigned branch)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < branch; i++)
        sum += node->count[i];
    return sum;
}

uint64_t btree_rank(const struct btree *t, const struct zset_item *item)
{
    struct btree_path p;
    uint64_t rank;

    go_to(t, &p, item);
    rank = p.pos;
    for (unsigned level = 0; level < t->levels; level++)
        rank += count_before(p.node[level], p.at[level]);
    return rank;
}

static bool is_before(const struct zset_item *item, const struct zset_cut *cut)
{
    return cut->by == ZSET_BY_SCORE ? zset_score_is_before(item->score, cut)
                                    : zset_member_is_before(zset_item_member(item), cut);
}

/* The last branch that begins before the cut, or the first of all. */
static unsigned branch_at_cut(const struct btree_inner *node, const struct zset_cut *cut)
{
    unsigned low = 1, high = (unsigned)node->n;

    if (cut->by == ZSET_BY_SCORE)
        return scores_before(node->score + 1, high - 1, cut->score, cut->behind);
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (is_before(node->first[middle], cut))
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static unsigned place_at_cut(const struct btree_leaf *leaf, const struct zset_cut *cut)
{
    unsigned low = 0, high = leaf->n;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (is_before(btree_leaf_item(leaf, middle), cut))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t btree_rank_of_cut(const struct btree *t, const struct zset_cut *cut)
{
    const void *node = t->root;
    uint64_t rank = 0;

    if (!node)
        return 0;
    for (unsigned level = 0; level < t->levels; level++) {
        const struct btree_inner *inner = node;
        unsigned branch = branch_at_cut(inner, cut);

        rank += count_before(inner, branch);
        node = inner->child[branch];
    }
    return rank + place_at_cut(node, cut);
}

struct btree_place btree_at(const struct btree *t, uint64_t rank)
{
    struct btree_path p;

    if (rank >= t->count)
        return (struct btree_place){0};
    go_to_rank(t, &p, rank);
    return (struct btree_place){p.leaf, p.pos};
}
