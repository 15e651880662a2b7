/*
 * Taking elements off either end of a sorted set, for commands that find one at once and for those
 * that wait for one.
 */
#ifndef LK_SERVER_COMMANDS_ZSET_POP_H
#define LK_SERVER_COMMANDS_ZSET_POP_H

#include "server/call.h"

enum zset_end { ZSET_MIN, ZSET_MAX };
enum zset_pop_shape { ZSET_POP_FLAT, ZSET_POP_PAIRS };

/*
 * Takes `count` elements (more than 0, and no more than there are) off the sorted set `e` at key i,
 * with all that follows from it; replies with each, as a pair or as two words. The header around
 * them is the caller's.
 */
void zset_pop(struct call *c, int i, struct entry *e, enum zset_end end, uint64_t count,
              enum zset_pop_shape shape);
/* The reply of BZPOPMIN: key, member, score. `e` is not empty. */
void zset_pop_with_key(struct call *c, int i, struct entry *e, enum zset_end end);
/* The reply of ZMPOP: the key, and up to `count` pairs. */
void zset_pop_many(struct call *c, int i, struct entry *e, enum zset_end end, uint64_t count);

/* The arguments of ZMPOP and BZMPOP: numkeys key [key ...] MIN | MAX [COUNT count]. */
struct zset_mpop_args {
    int first, keys; /* where the keys are, and how many */
    enum zset_end end;
    uint64_t count;
};

/* From argument `i` on; what is wrong is answered. */
bool zset_mpop_read(struct call *c, int i, struct zset_mpop_args *out);

#endif
