/* The nodes of a tree of items, see btree_shape.h. */
#include "storage/btree_shape.h"

#include "base/mem.h"

enum {
    /* Two neighbours, one of them too empty, become one if they are no more than these together. */
    LEAF_JOIN_MAX = BTREE_LEAF_CAP * 4 / 5,
    INNER_JOIN_MAX = BTREE_INNER_CAP * 4 / 5,
};
static_assert((LEAF_JOIN_MAX + 1) / 2 >= BTREE_LEAF_MIN, "else both are full enough");
static_assert((INNER_JOIN_MAX + 1) / 2 >= BTREE_INNER_MIN, "else both are full enough");

/* ---- leaves ---------------------------------------------------------------------------------- */

static struct btree_leaf *new_leaf(struct btree *t, struct btree_leaf *prev)
{
    struct btree_leaf *leaf = mem_alloc(sizeof(*leaf));

    leaf->prev = prev;
    leaf->next = prev ? prev->next : NULL;
    leaf->n = 0;
    if (leaf->next)
        leaf->next->prev = leaf;
    if (prev)
        prev->next = leaf;
    t->leaves++;
    return leaf;
}

static void free_leaf(struct btree *t, struct btree_leaf *leaf)
{
    if (leaf->prev)
        leaf->prev->next = leaf->next;
    if (leaf->next)
        leaf->next->prev = leaf->prev;
    t->leaves--;
    mem_free_sized(leaf, sizeof(*leaf));
}

static void leaf_put(struct btree_leaf *leaf, unsigned at, const struct zset_item *item)
{
    uint64_t word = (uint64_t)(uintptr_t)item;

    memcpy(leaf->items[at], &word, 6);
}

void btree_leaf_open(struct btree_leaf *leaf, unsigned at, const struct zset_item *item)
{
    memmove(leaf->items[at + 1], leaf->items[at], (leaf->n - at) * sizeof(leaf->items[0]));
    leaf_put(leaf, at, item);
    leaf->n++;
}

void btree_leaf_close(struct btree_leaf *leaf, unsigned at)
{
    leaf->n--;
    memmove(leaf->items[at], leaf->items[at + 1], (leaf->n - at) * sizeof(leaf->items[0]));
}

/* The items from `from` on go to the beginning of the leaf behind. */
static void leaf_shift_right(struct btree_leaf *a, struct btree_leaf *b, unsigned from)
{
    unsigned moved = a->n - from;

    memmove(b->items[moved], b->items[0], b->n * sizeof(b->items[0]));
    memcpy(b->items[0], a->items[from], moved * sizeof(a->items[0]));
    a->n = (uint16_t)from;
    b->n = (uint16_t)(b->n + moved);
}

/* So many items from the beginning of the leaf behind come to the end of this one. */
static void leaf_shift_left(struct btree_leaf *a, struct btree_leaf *b, unsigned moved)
{
    memcpy(a->items[a->n], b->items[0], moved * sizeof(a->items[0]));
    memmove(b->items[0], b->items[moved], (b->n - moved) * sizeof(b->items[0]));
    a->n = (uint16_t)(a->n + moved);
    b->n = (uint16_t)(b->n - moved);
}

/* ---- inner nodes ----------------------------------------------------------------------------- */

struct branch {
    void *child;
    struct zset_item *first;
    uint64_t count;
};

static struct btree_inner *new_inner(struct btree *t)
{
    struct btree_inner *node = mem_alloc(sizeof(*node));

    node->n = 0;
    t->inners++;
    return node;
}

static void free_inner(struct btree *t, struct btree_inner *node)
{
    t->inners--;
    mem_free_sized(node, sizeof(*node));
}

static void set_first(struct btree_inner *node, unsigned at, struct zset_item *item)
{
    node->score[at] = item->score;
    node->first[at] = item;
}

static void copy_branches(struct btree_inner *to, unsigned to_at, const struct btree_inner *from,
                          unsigned from_at, unsigned n)
{
    memmove(to->score + to_at, from->score + from_at, n * sizeof(to->score[0]));
    memmove(to->first + to_at, from->first + from_at, n * sizeof(to->first[0]));
    memmove(to->child + to_at, from->child + from_at, n * sizeof(to->child[0]));
    memmove(to->count + to_at, from->count + from_at, n * sizeof(to->count[0]));
}

static void inner_open(struct btree_inner *node, unsigned at, const struct branch *b)
{
    copy_branches(node, at + 1, node, at, (unsigned)node->n - at);
    set_first(node, at, b->first);
    node->child[at] = b->child;
    node->count[at] = b->count;
    node->n++;
}

static void inner_close(struct btree_inner *node, unsigned at)
{
    node->n--;
    copy_branches(node, at, node, at + 1, (unsigned)node->n - at);
}

static void inner_shift_right(struct btree_inner *a, struct btree_inner *b, unsigned from)
{
    unsigned moved = (unsigned)a->n - from;

    copy_branches(b, moved, b, 0, (unsigned)b->n);
    copy_branches(b, 0, a, from, moved);
    a->n = from;
    b->n += moved;
}

static void inner_shift_left(struct btree_inner *a, struct btree_inner *b, unsigned moved)
{
    copy_branches(a, (unsigned)a->n, b, 0, moved);
    copy_branches(b, 0, b, moved, (unsigned)b->n - moved);
    a->n += moved;
    b->n -= moved;
}

static uint64_t inner_count(const struct btree_inner *node)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < node->n; i++)
        sum += node->count[i];
    return sum;
}

/* ---- the path -------------------------------------------------------------------------------- */

static void put_first(const struct btree *t, const struct btree_path *p, struct zset_item *item)
{
    for (unsigned level = t->levels; level-- > 0;) {
        set_first(p->node[level], p->at[level], item);
        if (p->at[level])
            break;
    }
}

void btree_first_changed(const struct btree *t, const struct btree_path *p)
{
    put_first(t, p, btree_leaf_item(p->leaf, 0));
}

static void add_to_counts(struct btree *t, const struct btree_path *p, int64_t more)
{
    t->count += (uint64_t)more;
    for (unsigned level = 0; level < t->levels; level++)
        p->node[level]->count[p->at[level]] += (uint64_t)more;
}

/* Whether everything on this level of the path is the last of its level. */
static bool at_right_edge(const struct btree_path *p, int level)
{
    for (; level >= 0; level--) {
        if (p->at[level] + 1 != p->node[level]->n)
            return false;
    }
    return true;
}

/* ---- growing --------------------------------------------------------------------------------- */

static struct zset_item *first_below(const void *node, unsigned levels)
{
    return levels ? ((const struct btree_inner *)node)->first[0]
                  : btree_leaf_item((const struct btree_leaf *)node, 0);
}

/* The root was divided. */
static void add_level(struct btree *t, const struct branch *right)
{
    struct btree_inner *root = new_inner(t);
    struct branch left = {t->root, first_below(t->root, t->levels), t->count - right->count};

    INVARIANT(t->levels < BTREE_LEVELS_MAX);
    inner_open(root, 0, &left);
    inner_open(root, 1, right);
    t->root = root;
    t->levels++;
}

/* Divides a full node, adds the branch to one of the halves, and returns the right one. */
static struct branch divide_inner(struct btree *t, struct btree_inner *node, unsigned at,
                                  const struct branch *b, bool edge)
{
    unsigned n = (unsigned)node->n, kept = edge && at == n ? n - 1 : n / 2;
    struct btree_inner *right = new_inner(t);

    inner_shift_right(node, right, kept);
    if (at > kept)
        inner_open(right, at - kept, b);
    else
        inner_open(node, at, b);
    return (struct branch){right, right->first[0], inner_count(right)};
}

/* Adds a branch behind that of the path; what is below it was counted there. */
static void add_branch(struct btree *t, struct btree_path *p, int level, struct branch b)
{
    for (; level >= 0; level--) {
        struct btree_inner *node = p->node[level];
        unsigned at = p->at[level] + 1;

        node->count[at - 1] -= b.count;
        if (node->n < BTREE_INNER_CAP) {
            inner_open(node, at, &b);
            return;
        }
        b = divide_inner(t, node, at, &b, at_right_edge(p, level - 1));
    }
    add_level(t, &b);
}

/* The same for a leaf. */
static struct branch divide_leaf(struct btree *t, struct btree_leaf *leaf, unsigned at,
                                 const struct zset_item *item)
{
    bool edge = !leaf->next && at == leaf->n;
    unsigned kept = leaf->n / 2U;
    struct btree_leaf *right = new_leaf(t, leaf);

    if (!edge)
        leaf_shift_right(leaf, right, kept);
    if (edge)
        btree_leaf_open(right, 0, item);
    else if (at > kept)
        btree_leaf_open(right, at - kept, item);
    else
        btree_leaf_open(leaf, at, item);
    return (struct branch){right, btree_leaf_item(right, 0), right->n};
}

void btree_insert_at(struct btree *t, struct btree_path *p, struct zset_item *item)
{
    add_to_counts(t, p, 1);
    if (!p->pos)
        put_first(t, p, item);
    if (LIKELY(p->leaf->n < BTREE_LEAF_CAP))
        btree_leaf_open(p->leaf, p->pos, item);
    else
        add_branch(t, p, (int)t->levels - 1, divide_leaf(t, p->leaf, p->pos, item));
}

/* ---- shrinking ------------------------------------------------------------------------------- */

static void remove_root(struct btree *t)
{
    struct btree_inner *root = t->root;

    t->root = root->child[0];
    t->levels--;
    free_inner(t, root);
}

/*
 * Two neighbours below a node, of branches i and i + 1: joined if `joined`, or else with as much in
 * the one as in the other.
 */
static void balance_leaves(struct btree *t, struct btree_inner *node, unsigned i, bool joined)
{
    struct btree_leaf *a = node->child[i], *b = node->child[i + 1];
    unsigned total = (unsigned)a->n + b->n, left = joined ? total : total / 2;

    if (a->n > left)
        leaf_shift_right(a, b, left);
    else
        leaf_shift_left(a, b, left - a->n);
    node->count[i] = a->n;
    node->count[i + 1] = b->n;
    if (joined)
        free_leaf(t, b);
    else
        set_first(node, i + 1, btree_leaf_item(b, 0));
}

static void balance_inners(struct btree *t, struct btree_inner *node, unsigned i, bool joined)
{
    struct btree_inner *a = node->child[i], *b = node->child[i + 1];
    unsigned total = (unsigned)(a->n + b->n), left = joined ? total : total / 2;

    if (a->n > left)
        inner_shift_right(a, b, left);
    else
        inner_shift_left(a, b, left - (unsigned)a->n);
    node->count[i] = inner_count(a);
    node->count[i + 1] = inner_count(b);
    if (joined)
        free_inner(t, b);
    else
        set_first(node, i + 1, b->first[0]);
}

/* The branch of this level of the path lost a node, and has perhaps too few. */
static void mend_inners(struct btree *t, struct btree_path *p)
{
    for (unsigned level = t->levels - 1; level > 0; level--) {
        struct btree_inner *parent = p->node[level - 1], *a, *b;
        unsigned at = p->at[level - 1], i = at ? at - 1 : 0;
        bool joined;

        if (p->node[level]->n >= BTREE_INNER_MIN)
            return;
        a = parent->child[i];
        b = parent->child[i + 1];
        joined = a->n + b->n <= INNER_JOIN_MAX;
        balance_inners(t, parent, i, joined);
        if (!joined)
            return;
        inner_close(parent, i + 1);
    }
    if (p->node[0]->n == 1)
        remove_root(t);
}

static void mend_leaf(struct btree *t, struct btree_path *p)
{
    struct btree_inner *parent = p->node[t->levels - 1];
    unsigned at = p->at[t->levels - 1], i = at ? at - 1 : 0;
    const struct btree_leaf *a = parent->child[i], *b = parent->child[i + 1];
    bool joined = a->n + b->n <= LEAF_JOIN_MAX;

    balance_leaves(t, parent, i, joined);
    if (!joined)
        return;
    inner_close(parent, i + 1);
    mend_inners(t, p);
}

void btree_remove_at(struct btree *t, struct btree_path *p)
{
    struct btree_leaf *leaf = p->leaf;

    add_to_counts(t, p, -1);
    btree_leaf_close(leaf, p->pos);
    if (!p->pos && leaf->n)
        btree_first_changed(t, p);
    if (LIKELY(leaf->n >= BTREE_LEAF_MIN))
        return;
    if (t->levels) {
        mend_leaf(t, p);
    } else if (!leaf->n) {
        free_leaf(t, leaf);
        t->root = NULL;
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Fills leaves, and notes them as the branches of a level above; returns how many. */
static uint64_t fill_leaves(struct btree *t, struct zset_item *const *items, uint64_t n,
                            struct branch *out)
{
    struct btree_leaf *leaf = NULL;
    uint64_t len = 0;

    for (uint64_t i = 0; i < n; i++) {
        if (!leaf || leaf->n == BTREE_LEAF_CAP) {
            leaf = new_leaf(t, leaf);
            out[len++] = (struct branch){leaf, items[i], 0};
        }
        leaf_put(leaf, leaf->n++, items[i]);
        out[len - 1].count++;
    }
    return len;
}

/* Puts a level of inner nodes above these branches, which become those of that level. */
static uint64_t fill_level(struct btree *t, struct branch *all, uint64_t n)
{
    uint64_t len = 0, taken;

    for (uint64_t i = 0; i < n; i += taken) {
        struct btree_inner *node = new_inner(t);

        taken = n - i < BTREE_INNER_CAP ? n - i : BTREE_INNER_CAP;
        taken -= n - i - taken == 1; /* no node is to have one branch alone */
        for (uint64_t k = 0; k < taken; k++)
            inner_open(node, (unsigned)k, &all[i + k]);
        all[len++] = (struct branch){node, node->first[0], inner_count(node)};
    }
    return len;
}

void btree_fill(struct btree *t, struct zset_item *const *items, uint64_t n)
{
    struct branch *all = mem_alloc((n / BTREE_LEAF_CAP + 1) * sizeof(*all));
    uint64_t len = fill_leaves(t, items, n, all);

    t->count = n;
    for (t->levels = 0; len > 1; t->levels++)
        len = fill_level(t, all, len);
    t->root = len ? all[0].child : NULL;
    mem_free(all);
}

static void release_below(struct btree *t, void *node, unsigned levels)
{
    struct btree_inner *inner = node;

    if (!levels) {
        mem_free_sized(node, sizeof(struct btree_leaf));
        return;
    }
    for (unsigned i = 0; i < inner->n; i++)
        release_below(t, inner->child[i], levels - 1);
    mem_free_sized(inner, sizeof(*inner));
}

void btree_release(struct btree *t)
{
    if (t->root)
        release_below(t, t->root, t->levels);
    *t = (struct btree){0};
}

size_t btree_memory(const struct btree *t)
{
    return t->leaves * mem_good_size(sizeof(struct btree_leaf)) +
           t->inners * mem_good_size(sizeof(struct btree_inner));
}
