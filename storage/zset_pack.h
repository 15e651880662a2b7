/*
 * A small sorted set: its members with their scores in order, as the bytes of an entry. For
 * type_zset.c and zset_builder.c alone.
 *
 *     entry->raw   bytes
 *     1            nothing yet
 *     1            L, member, score, member, score …    L bytes of each member, as they are: "even"
 *     0            member, score, member, score …       members are packed elements
 *
 * Scores are packed elements. It is even for as long as all members are equally long, as they often
 * are, and L is no more than PACK_TEXT_MAX.
 */
#ifndef LK_STORAGE_ZSET_PACK_H
#define LK_STORAGE_ZSET_PACK_H

#include "storage/type_zset.h"

static inline struct zset_packed zset_packed(const struct entry *e)
{
    struct slice bytes = entry_bytes(e);
    bool even = e->raw && bytes.len;

    return (struct zset_packed){bytes.ptr + even, pack_end(bytes),
                                even ? (unsigned char)bytes.ptr[0] : 0};
}

/* Of the element at `at`: where its score is, where the next one is, and what it is. */
static inline const char *zset_packed_score_at(const struct zset_packed *p, const char *at)
{
    return p->even ? at + p->even : pack_next(at);
}

static inline const char *zset_packed_next(const struct zset_packed *p, const char *at)
{
    return pack_next(zset_packed_score_at(p, at));
}

static inline double zset_packed_score(const struct zset_packed *p, const char *at)
{
    double score = 0;

    pack_double(zset_packed_score_at(p, at), &score);
    return score;
}

static inline struct slice zset_packed_member(const struct zset_packed *p, const char *at,
                                              char digits[NUM_INT_MAX])
{
    return p->even ? slice_make(at, p->even) : pack_text(at, digits);
}

/* Element number `rank`, which may be the end. */
const char *zset_packed_at(const struct zset_packed *p, uint64_t rank);

struct entry *zset_pack_new(struct slice key);
uint64_t zset_pack_len(const struct entry *e);
void zset_pack_seek(const struct entry *e, struct zset_spot *spot);
uint64_t zset_pack_rank(const struct entry *e, const struct zset_spot *spot);
struct zset_span zset_pack_between(const struct entry *e, const struct zset_cut *min,
                                   const struct zset_cut *max, bool backwards);

/* These take the entry over. */
struct entry *zset_pack_insert(struct entry *e, struct slice member, double score);
/* A member that comes behind all others. */
struct entry *zset_pack_append(struct entry *e, struct slice member, double score);
struct entry *zset_pack_rescore(struct entry *e, const struct zset_spot *spot, double score);
struct entry *zset_pack_remove(struct entry *e, const struct zset_spot *spot);
struct entry *zset_pack_remove_span(struct entry *e, struct zset_span span);

#endif
