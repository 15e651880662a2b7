/*
 * A roll: the keys of one policy in one shard of one database, each as a record of 40 bytes, with
 * heaps by which the one that was not used for longest is found, and the one not changed for
 * longest.
 *
 * A heap's item is a promise: a record and a time not after that of its last use (or change), which
 * is when the item was made. So a use only writes its time into the record. When an item comes up
 * whose record was used since, it gets that time and sinks; one whose record is gone, or has
 * another item, is dropped: a record knows which item is its own by the time's low bits.
 *
 * A key that has a time to live of its own ("timed") is counted and ordered by its use like the
 * others, but in a heap apart, since it does not end by its policy.
 *
 * Records are known by their index, which is kept in their entries; a roll does not know those.
 * Times are nanoseconds of the monotonic clock.
 */
#ifndef LK_STORAGE_ROLL_H
#define LK_STORAGE_ROLL_H

#include "base/compiler.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ROLL_CHUNK_BITS = 6,
    ROLL_CHUNK = 1 << ROLL_CHUNK_BITS,
    ROLL_INDEX_BITS = 22,
    ROLL_MAX = (1 << ROLL_INDEX_BITS) - 1, /* members */
    ROLL_MEMORY_UNIT = 16,
};

#define MEMBER_CHANGED_MAX ((UINT64_C(1) << 62) - 1)

/* No member. */
#define ROLL_NONE UINT32_MAX
/* No time. */
#define ROLL_NEVER UINT64_MAX

enum roll_order {
    ROLL_BY_USE,       /* those that may end by their policy */
    ROLL_BY_USE_TIMED, /* the others */
    ROLL_BY_CHANGE, /* those that may end by their policy, once roll_order_by_change() was called */
    ROLL_ORDERS,
};

struct member {
    uint64_t hash; /* of a free record: the next one */
    uint64_t used;
    uint64_t changed : 62;
    uint64_t timed : 1;
    uint64_t free : 1;
    uint32_t memory;                /* units of ROLL_MEMORY_UNIT bytes, rounded up */
    uint32_t access;                /* as in other keys' entries */
    uint32_t use_item, change_item; /* low bits of the times of its items */
};
static_assert(sizeof(struct member) == 40, "a member is 40 bytes");

/* In three words, since the whole time would have the item padded to four. */
struct roll_item {
    uint32_t low, high, index;
};

struct roll_heap {
    struct roll_item *v;
    uint32_t len, cap;
};

struct roll {
    CACHE_ALIGNED struct member **chunks;
    uint32_t chunks_len;
    uint32_t first; /* members that the first chunk has room for: fewer while the roll is small */
    uint32_t len;   /* records, free ones too */
    uint32_t count; /* members */
    uint32_t free;  /* the first free record */
    bool by_change; /* that order is kept */
    struct roll_heap heaps[ROLL_ORDERS];
};

void roll_init(struct roll *r);
void roll_release(struct roll *r);
uint64_t roll_memory(const struct roll *r);

static inline struct member *roll_at(const struct roll *r, uint32_t i)
{
    return &r->chunks[i >> ROLL_CHUNK_BITS][i & (ROLL_CHUNK - 1)];
}

/*
 * A member more: of `m` its hash, when it was used and changed, timed and access count. There are
 * fewer than ROLL_MAX.
 */
uint32_t roll_add(struct roll *r, struct member m);
void roll_remove(struct roll *r, uint32_t i);

static inline void roll_used(struct roll *r, uint32_t i, uint64_t now)
{
    roll_at(r, i)->used = now;
}
void roll_changed(struct roll *r, uint32_t i, uint64_t now, bool timed);

/* From now on ROLL_BY_CHANGE is kept. Takes time in proportion to the roll, the first time. */
void roll_order_by_change(struct roll *r);

/*
 * The oldest member in an order, if bounded effort finds it: true. *at is its time, ROLL_NEVER if
 * there is none (and *i ROLL_NONE). False: the oldest is not older than *at.
 */
bool roll_oldest(struct roll *r, enum roll_order order, uint32_t *i, uint64_t *at);
/* The same for the member that was not used for longest, timed or not. */
bool roll_least_used(struct roll *r, uint32_t *i, uint64_t *at);
/* No member was last used before this; ROLL_NEVER if there is none. */
uint64_t roll_least_use(const struct roll *r);

/*
 * Where more than half of the records are free, the last of them should move to a free place: its
 * index, else ROLL_NONE. Free ones at the end are given back on the way.
 */
uint32_t roll_excess(struct roll *r);
/* Moves the last record, whose index that is; returns its new index. */
uint32_t roll_move(struct roll *r, uint32_t last);

#endif
