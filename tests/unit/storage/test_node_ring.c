/* storage/node_ring against a plain array of the same nodes. */
#include "storage/node_ring.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

#include <string.h>

enum { STEPS = 50000, MODEL_MAX = 8 * RING_TIER };

struct item {
    void *node;
    size_t count;
};

struct model {
    struct item v[MODEL_MAX];
    size_t len;
    uint64_t total;
};

static char places[1 << 16]; /* nodes are addresses, and never looked at */

static bool same(const struct node_ring *r, const struct model *m)
{
    bool right = r->len == m->len && (r->tiers || r->len <= r->cap);

    for (size_t i = 0; i < m->len && right; i++)
        right = node_ring_node(r, i) == m->v[i].node && node_ring_count(r, i) == m->v[i].count;
    return right;
}

/* Every element's index leads to its node. */
static bool finds(const struct node_ring *r, const struct model *m)
{
    uint64_t index = m->total ? rng_below(m->total) : 0, left = index;
    size_t within, i = 0;

    if (!m->total)
        return true;
    while (left >= m->v[i].count)
        left -= m->v[i++].count;
    return node_ring_find(r, index, m->total, &within) == i && within == left;
}

static void insert(struct node_ring *r, struct model *m, size_t i)
{
    struct item item = {&places[rng_below(sizeof(places))], 1 + rng_below(5)};

    if (rng_below(50) == 0)
        item.count = RING_COUNT_MAX;
    node_ring_insert(r, i, item.node, item.count);
    memmove(m->v + i + 1, m->v + i, (m->len - i) * sizeof(*m->v));
    m->v[i] = item;
    m->len++;
    m->total += item.count;
}

/* At an end or anywhere, and then perhaps some more in a row. */
static void insert_some(struct node_ring *r, struct model *m)
{
    bool front = rng_below(2);
    size_t n = rng_below(30) ? 1 : rng_below(RING_TIER);

    if (rng_below(3) == 0)
        insert(r, m, rng_below(m->len + 1));
    for (; n && m->len < MODEL_MAX; n--)
        insert(r, m, front ? 0 : m->len);
}

static void take(struct node_ring *r, struct model *m)
{
    size_t most = rng_below(20) ? 1 : rng_below(20) ? RING_TIER / 4 : m->len;
    size_t n = 1 + rng_below(most < m->len ? most : m->len), i = rng_below(m->len - n + 1);

    if (rng_below(2))
        i = rng_below(2) ? 0 : m->len - n;
    for (size_t k = i; k < i + n; k++)
        m->total -= m->v[k].count;
    node_ring_remove(r, i, n);
    m->len -= n;
    memmove(m->v + i, m->v + i + n, (m->len - i) * sizeof(*m->v));
}

/* An element more or less in a node. */
static void recount(struct node_ring *r, struct model *m)
{
    size_t i = rng_below(m->len);
    int64_t more = m->v[i].count > 1 && rng_below(2) ? -1 : m->v[i].count < RING_COUNT_MAX;

    node_ring_add_count(r, i, more);
    m->v[i].count += (size_t)more;
    m->total += (uint64_t)more;
}

int main(void)
{
    struct node_ring r;
    struct model m = {.len = 0};
    bool right = true, found = true;
    size_t most = 0;

    node_ring_init(&r);
    for (int i = 0; i < STEPS && right && found; i++) {
        bool grow = m.len < MODEL_MAX && rng_below(100) < (i / 4000 % 2 ? 30U : 60U);

        most = most < m.len ? m.len : most;
        if (grow)
            insert_some(&r, &m);
        else if (m.len && rng_below(2))
            take(&r, &m);
        else if (m.len)
            recount(&r, &m);
        right = i % 8 || same(&r, &m);
        found = finds(&r, &m);
    }
    ok(right, "random changes leave what a plain array holds, of up to %zu", most);
    ok(found, "elements are found by their index");
    if (m.len)
        node_ring_remove(&r, 0, m.len);
    ok(node_ring_memory(&r) == 0, "an empty ring has no memory of its own");
    node_ring_release(&r);
    return tap_done();
}
