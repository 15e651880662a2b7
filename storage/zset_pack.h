/*
 * A small sorted set: member, score, member, score … as packed elements, ordered by score and then
 * by the bytes of the member. For type_zset.c alone.
 */
#ifndef LK_STORAGE_ZSET_PACK_H
#define LK_STORAGE_ZSET_PACK_H

#include "storage/type_zset.h"

static inline double zset_pack_score(const char *member)
{
    double score = 0;

    pack_double(pack_next(member), &score);
    return score;
}

/* The pair behind this one. */
static inline const char *zset_pack_next(const char *member)
{
    return pack_next(pack_next(member));
}

uint64_t zset_pack_len(const struct entry *e);
void zset_pack_seek(const struct entry *e, struct zset_spot *spot);
uint64_t zset_pack_rank(const struct entry *e, const struct zset_spot *spot);
struct zset_span zset_pack_between(struct slice bytes, const struct zset_cut *min,
                                   const struct zset_cut *max, bool backwards);

/* These take the entry over. */
/* A member that comes behind all others. */
struct entry *zset_pack_append(struct entry *e, struct slice member, double score);
struct entry *zset_pack_insert(struct entry *e, const struct zset_spot *spot, double score);
struct entry *zset_pack_rescore(struct entry *e, const struct zset_spot *spot, double score);
struct entry *zset_pack_remove(struct entry *e, size_t at);
struct entry *zset_pack_remove_span(struct entry *e, struct zset_span span);

#endif
