/* Arguments that the commands on sorted sets share. */
#ifndef LK_SERVER_ZSET_ARGS_H
#define LK_SERVER_ZSET_ARGS_H

#include "server/call.h"
#include "storage/type_zset.h"
#include "storage/zset_builder.h"

static inline struct zset_limits zset_limits_of(const struct conf *conf)
{
    return (struct zset_limits){conf->zset_max_listpack_entries, conf->zset_max_listpack_value};
}

/* How a range is meant. */
enum zset_range_by { ZSET_RANGE_RANK, ZSET_RANGE_SCORE, ZSET_RANGE_MEMBER };

struct zset_range {
    enum zset_range_by by;
    int64_t first, last;      /* by rank; negative ones count from the end */
    struct zset_cut min, max; /* otherwise */
};

/* The ends of a range at arguments `min` and `max`; what is wrong is answered. */
bool zset_range_read(struct call *c, enum zset_range_by by, int min, int max,
                     struct zset_range *out);
/* The elements of it, of `len` in all; the ranks are from the end where it is `backwards`. */
struct zset_span zset_range_find(const struct entry *e, const struct zset_range *r, bool backwards);

/*
 * Puts the sorted set that was built in the place of whatever is at key i, or removes that if
 * nothing was; replies with the number of members. Takes what was built over.
 */
void zset_store(struct call *c, int i, struct zset_builder *b, enum key_event event);

#endif
