/*
 * A roll: the keys of one policy in one shard of one database, each as a record of 48 bytes, in the
 * order of their last use and in that of their last change. What is next to go stands at the old
 * end, so that every operation takes constant time, and the order is exact.
 *
 * A key that has a time to live of its own ("timed") is counted and ordered by its use like the
 * others, but in a list apart, since it does not end by its policy.
 *
 * Records are known by their index, which is kept in their entries; a roll does not know those.
 * Times are nanoseconds of the monotonic clock, and never go back.
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

/* No member. */
#define ROLL_NONE UINT32_MAX
/* No time. */
#define ROLL_NEVER UINT64_MAX

enum roll_list {
    ROLL_BY_USE,       /* those that may end by their policy */
    ROLL_BY_USE_TIMED, /* the others */
    ROLL_BY_CHANGE,    /* those that may end by their policy */
    ROLL_FREE,
    ROLL_LISTS,
};

/* In the ends of a list: its newest and its oldest member. */
struct roll_link {
    uint32_t newer, older;
};

struct member {
    uint64_t hash;
    uint64_t used;
    uint64_t changed : 62;
    uint64_t timed : 1;
    uint64_t free : 1;
    struct roll_link use, change; /* ROLL_FREE is linked by `use` */
    uint32_t memory;              /* units of ROLL_MEMORY_UNIT bytes, rounded up */
    uint32_t access;              /* as in other keys' entries */
};
static_assert(sizeof(struct member) == 48, "a member is 48 bytes");

struct roll {
    struct member **chunks;
    uint32_t chunks_len;
    uint32_t first; /* members that the first chunk has room for: fewer while the roll is small */
    uint32_t len;   /* records, free ones too */
    uint32_t count; /* members */
    struct roll_link ends[ROLL_LISTS];
    uint64_t hits; /* uses that were no changes */
};
static_assert(sizeof(struct roll) == CACHE_LINE, "a roll is one cache line");

void roll_init(struct roll *r);
void roll_release(struct roll *r);
uint64_t roll_memory(const struct roll *r);

static inline struct member *roll_at(const struct roll *r, uint32_t i)
{
    return &r->chunks[i >> ROLL_CHUNK_BITS][i & (ROLL_CHUNK - 1)];
}

/* A member more, used and changed now. There are fewer than ROLL_MAX. */
uint32_t roll_add(struct roll *r, uint64_t hash, uint64_t now, bool timed);
/*
 * Members more, used and changed at some time: of each, hash, used, changed, timed, memory and
 * access are given; the array is sorted, and indexes[] says where the n-th of the sorted ones is.
 * Takes time in proportion to the roll.
 */
void roll_merge(struct roll *r, struct member *fresh, uint32_t n, uint32_t *indexes);
void roll_remove(struct roll *r, uint32_t i);

void roll_used(struct roll *r, uint32_t i, uint64_t now);
void roll_changed(struct roll *r, uint32_t i, uint64_t now, bool timed);

static inline uint32_t roll_oldest(const struct roll *r, enum roll_list list)
{
    return r->ends[list].older;
}
/* The member that was not used for longest, ROLL_NONE if there is none. */
uint32_t roll_least_used(const struct roll *r);
/* When that was, or ROLL_NEVER. */
uint64_t roll_least_use(const struct roll *r);

/*
 * Where more than half of the records are free, the last of them should move to a free place: its
 * index, else ROLL_NONE. Free ones at the end are given back on the way.
 */
uint32_t roll_excess(struct roll *r);
/* Moves the last record, whose index that is; returns its new index. */
uint32_t roll_move(struct roll *r, uint32_t last);

#endif
