/* The sorted set type, see type_zset.h. */
#include "storage/type_zset.h"

#include "storage/zset_pack.h"

/* ---- members --------------------------------------------------------------------------------- */

struct entry *zset_new(struct slice key, size_t first_len, const struct zset_limits *limits)
{
    (void)first_len;
    (void)limits;
    return entry_new_bytes(key, TYPE_ZSET, SLICE(""), EXPIRY_NONE);
}

uint64_t zset_len(const struct entry *e)
{
    return zset_pack_len(e);
}

void zset_seek(const struct entry *e, struct slice member, struct zset_spot *spot)
{
    spot->member = member;
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

struct entry *zset_put(struct entry *e, const struct zset_spot *spot, double score,
                       const struct zset_limits *limits)
{
    (void)limits;
    return spot->found ? zset_pack_rescore(e, spot, score) : zset_pack_insert(e, spot, score);
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
    return zset_pack_remove(e, spot->at);
}

uint64_t zset_rank(const struct entry *e, const struct zset_spot *spot)
{
    return zset_pack_rank(e, spot);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

bool zset_is_before(const struct zset_cut *cut, double score, struct slice member)
{
    int order;

    if (cut->by == ZSET_BY_SCORE)
        return cut->behind ? score <= cut->score : score < cut->score;
    if (cut->edge != ZSET_WITHIN)
        return cut->edge == ZSET_BEHIND_ALL;
    order = slice_cmp(member, cut->member);
    return cut->behind ? order <= 0 : order < 0;
}

struct zset_span zset_between(const struct entry *e, const struct zset_cut *min,
                              const struct zset_cut *max, bool backwards)
{
    return zset_pack_between(entry_bytes(e), min, max, backwards);
}

struct entry *zset_remove_span(struct entry *e, struct zset_span span)
{
    return zset_pack_remove_span(e, span);
}

/* ---- iteration ------------------------------------------------------------------------------- */

void zset_iter_begin(struct zset_iter *it, const struct entry *e, uint64_t rank, bool backwards)
{
    uint64_t len = zset_len(e);

    it->backwards = backwards;
    it->left = rank >= len ? 0 : backwards ? rank + 1 : len - rank;
    if (!it->left)
        return;
    it->bytes = entry_bytes(e);
    it->window_from = UINT64_MAX;
    if (!backwards)
        it->at = pack_at(it->bytes, rank * 2);
}

/* Notes where the elements up to this rank stand, as many as there is room for. */
static void fill_window(struct zset_iter *it, uint64_t rank)
{
    const char *at;

    it->window_from = rank < ZSET_ITER_WINDOW ? 0 : rank - (ZSET_ITER_WINDOW - 1);
    at = pack_at(it->bytes, it->window_from * 2);
    for (uint64_t i = it->window_from; i <= rank; i++, at = zset_pack_next(at))
        it->window[i - it->window_from] = (size_t)(at - it->bytes.ptr);
}

bool zset_iter_next(struct zset_iter *it)
{
    const char *score;

    if (!it->left)
        return false;
    it->left--;
    if (it->backwards) {
        if (it->left < it->window_from)
            fill_window(it, it->left);
        it->at = it->bytes.ptr + it->window[it->left - it->window_from];
    }
    it->member = pack_text(it->at, it->digits);
    score = pack_next(it->at);
    pack_double(score, &it->score);
    it->at = pack_next(score);
    return true;
}

/* ---- the row in value_types.c ---------------------------------------------------------------- */

const char *zset_encoding(const struct entry *e)
{
    (void)e;
    return "listpack";
}

struct digest zset_digest(const struct entry *e)
{
    struct digest sum = {{0}};
    struct zset_iter it;
    uint64_t salt;

    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it)) {
        memcpy(&salt, &it.score, sizeof(salt));
        digest_sum(&sum, digest_bytes(it.member, salt));
    }
    return sum;
}
