/* What a large sorted set has for a member, and the order of members: by score, then by bytes. */
#ifndef LK_STORAGE_ZSET_ORDER_H
#define LK_STORAGE_ZSET_ORDER_H

#include "base/slice.h"

/* A member with its score, in an allocation of its own. */
struct zset_item {
    double score;
    uint32_t len;
    char bytes[];
};

static inline struct slice zset_item_member(const struct zset_item *item)
{
    return slice_make(item->bytes, item->len);
}

enum zset_order { ZSET_BY_SCORE, ZSET_BY_MEMBER };
enum zset_edge { ZSET_BEFORE_ALL = -1, ZSET_WITHIN, ZSET_BEHIND_ALL };

/* A place between members: before or behind all that are equal to a score, or to a member. */
struct zset_cut {
    enum zset_order by;
    bool behind;
    enum zset_edge edge; /* by member */
    double score;
    struct slice member; /* borrowed */
};

/* Whether this score is before a cut by score. */
static inline bool zset_score_is_before(double score, const struct zset_cut *cut)
{
    return cut->behind ? score <= cut->score : score < cut->score;
}

/* Whether this member is before a cut by member. */
static inline bool zset_member_is_before(struct slice member, const struct zset_cut *cut)
{
    int order;

    if (cut->edge != ZSET_WITHIN)
        return cut->edge == ZSET_BEHIND_ALL;
    order = slice_cmp(member, cut->member);
    return cut->behind ? order <= 0 : order < 0;
}

#endif
