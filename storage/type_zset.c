/* The sorted set type, see type_zset.h. */
#include "storage/type_zset.h"

#include "base/mem.h"
#include "storage/hash.h"
#include "storage/zset_large.h"
#include "storage/zset_pack.h"

static bool is_large(const struct entry *e)
{
    return e->form == FORM_OUTSIDE;
}

static struct zset_large *large(const struct entry *e)
{
    return entry_object(e);
}

/* ---- members --------------------------------------------------------------------------------- */

struct entry *zset_new(struct slice key, size_t first_len, const struct zset_limits *limits)
{
    if (limits->members == 0 || (uint64_t)limits->member_len < first_len)
        return entry_new_outside(key, TYPE_ZSET, zset_large_new(), EXPIRY_NONE);
    return zset_pack_new(key);
}

uint64_t zset_len(const struct entry *e)
{
    return is_large(e) ? large(e)->order.count : zset_pack_len(e);
}

static void seek_large(const struct zset_large *z, struct zset_spot *spot)
{
    spot->hash = hash_bytes(spot->member);
    spot->item = zset_large_find(z, spot->member, spot->hash, &spot->place);
    spot->found = spot->item;
    if (spot->found)
        spot->score = spot->item->score;
}

void zset_seek(const struct entry *e, struct slice member, struct zset_spot *spot)
{
    spot->member = member;
    if (is_large(e))
        seek_large(large(e), spot);
    else
        zset_pack_seek(e, spot);
}

bool zset_score(const struct entry *e, struct slice member, double *score)
{
    struct zset_spot spot;

    zset_seek(e, member, &spot);
    if (spot.found)
        *score = spot.score;
    return spot.found;
}

/* Everything packed becomes an item. */
static struct entry *make_large(struct entry *e)
{
    struct zset_large *z = zset_large_new();
    uint64_t n = 0, len = zset_len(e);
    struct zset_item **items = mem_alloc((len + 1) * sizeof(*items));
    struct zset_iter it;

    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it))
        items[n++] = zset_item_new(it.member, it.score);
    zset_large_fill(z, NULL, items, n);
    mem_free(items);
    return entry_set_object(e, z);
}

static struct entry *put_packed(struct entry *e, const struct zset_spot *spot, double score,
                                const struct zset_limits *limits)
{
    if (spot->found)
        return zset_pack_rescore(e, spot, score);
    if (zset_pack_len(e) < (uint64_t)limits->members &&
        spot->member.len <= (uint64_t)limits->member_len)
        return zset_pack_insert(e, spot->member, score);
    e = make_large(e);
    zset_large_add(large(e), spot->member, hash_bytes(spot->member), score);
    return e;
}

struct entry *zset_enlarge(struct entry *e)
{
    return is_large(e) ? e : make_large(e);
}

struct entry *zset_put(struct entry *e, const struct zset_spot *spot, double score,
                       const struct zset_limits *limits)
{
    if (!is_large(e))
        return put_packed(e, spot, score, limits);
    if (spot->found) {
        zset_large_will_change(large(e), spot->hash);
        btree_rescore(&large(e)->order, spot->item, score);
    } else {
        zset_large_add(large(e), spot->member, spot->hash, score);
    }
    return e;
}

struct entry *zset_add(struct entry *e, struct slice member, double score,
                       const struct zset_limits *limits)
{
    struct zset_spot spot;

    zset_seek(e, member, &spot);
    return zset_put(e, &spot, score, limits);
}

struct entry *zset_remove(struct entry *e, const struct zset_spot *spot)
{
    if (!is_large(e))
        return zset_pack_remove(e, spot);
    zset_large_remove(large(e), spot->item, spot->hash, spot->place);
    return e;
}

uint64_t zset_rank(const struct entry *e, const struct zset_spot *spot)
{
    return is_large(e) ? btree_rank(&large(e)->order, spot->item) : zset_pack_rank(e, spot);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

struct zset_span zset_between(const struct entry *e, const struct zset_cut *min,
                              const struct zset_cut *max, bool backwards)
{
    if (!is_large(e))
        return zset_pack_between(e, min, max, backwards);
    return (struct zset_span){btree_rank_of_cut(&large(e)->order, min),
                              btree_rank_of_cut(&large(e)->order, max)};
}

struct entry *zset_remove_span(struct entry *e, struct zset_span span)
{
    if (!is_large(e))
        return zset_pack_remove_span(e, span);
    for (uint64_t left = span.to - span.from; left; left--)
        zset_large_remove_rank(large(e), span.from);
    return e;
}

/* ---- iteration ------------------------------------------------------------------------------- */

void zset_iter_begin(struct zset_iter *it, const struct entry *e, uint64_t rank, bool backwards)
{
    uint64_t len = zset_len(e);

    it->backwards = backwards;
    it->left = rank >= len ? 0 : backwards ? rank + 1 : len - rank;
    it->place.leaf = NULL;
    if (!it->left)
        return;
    if (is_large(e)) {
        it->place = btree_at(&large(e)->order, rank);
        return;
    }
    it->packed = zset_packed(e);
    it->window_from = UINT64_MAX;
    if (!backwards)
        it->at = zset_packed_at(&it->packed, rank);
}

/* Notes where the elements up to this rank stand, as many as there is room for. */
static void fill_window(struct zset_iter *it, uint64_t rank)
{
    const char *at;

    it->window_from = rank < ZSET_ITER_WINDOW ? 0 : rank - (ZSET_ITER_WINDOW - 1);
    at = zset_packed_at(&it->packed, it->window_from);
    for (uint64_t i = it->window_from; i <= rank; i++, at = zset_packed_next(&it->packed, at))
        it->window[i - it->window_from] = at;
}

static void take_packed(struct zset_iter *it)
{
    const char *score;

    if (it->backwards) {
        if (it->left < it->window_from)
            fill_window(it, it->left);
        it->at = it->window[it->left - it->window_from];
    }
    it->member = zset_packed_member(&it->packed, it->at, it->digits);
    score = zset_packed_score_at(&it->packed, it->at);
    pack_double(score, &it->score);
    it->at = pack_next(score);
}

/* An item that will be taken soon is on its way into the cache. */
static void hint_items(struct btree_place p, bool backwards)
{
    enum { AHEAD = 4 };

    if (backwards ? p.at >= AHEAD : p.at + AHEAD < p.leaf->n)
        PREFETCH(btree_leaf_item(p.leaf, backwards ? p.at - AHEAD : p.at + AHEAD));
}

static void take_item(struct zset_iter *it)
{
    const struct zset_item *item = btree_item(it->place);

    hint_items(it->place, it->backwards);
    it->member = zset_item_member(item);
    it->score = item->score;
    it->place = it->backwards ? btree_prev(it->place) : btree_next(it->place);
}

bool zset_iter_next(struct zset_iter *it)
{
    if (!it->left)
        return false;
    it->left--;
    if (it->place.leaf)
        take_item(it);
    else
        take_packed(it);
    return true;
}

struct scan {
    zset_visit_fn *visit;
    void *opaque;
    uint64_t shown;
};

static void scan_item(void *found, void *opaque)
{
    const struct zset_item *item = found;
    struct scan *s = opaque;

    s->visit(zset_item_member(item), item->score, s->opaque);
    s->shown++;
}

uint64_t zset_scan(const struct entry *e, uint64_t cursor, uint64_t count, zset_visit_fn *visit,
                   void *opaque)
{
    struct scan s = {visit, opaque, 0};
    struct zset_iter it;

    if (is_large(e)) {
        do
            cursor = table_scan(&large(e)->members, cursor, scan_item, &s);
        while (cursor && s.shown < count);
        return cursor;
    }
    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it))
        visit(it.member, it.score, opaque);
    return 0;
}

/* ---- the row in value_types.c ---------------------------------------------------------------- */

const char *zset_encoding(const struct entry *e)
{
    return is_large(e) ? "skiplist" : "listpack";
}

struct digest zset_digest(const struct entry *e)
{
    struct digest sum = {{0}};
    struct zset_iter it;
    uint64_t salt;

    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it)) {
        it.score = it.score == 0 ? 0 : it.score; /* a packed zero has no sign */
        memcpy(&salt, &it.score, sizeof(salt));
        digest_sum(&sum, digest_bytes(it.member, salt));
    }
    return sum;
}
