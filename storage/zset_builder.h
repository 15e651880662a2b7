/*
 * Members with scores, gathered in any order, that become a sorted set or are told in order.
 *
 *     struct zset_builder b = {0};
 *
 *     zset_builder_add(&b, member, score);    … any number of them
 *     e = zset_builder_take(&b, key, &limits);
 *
 * Pure: no replies. What is not taken is freed by zset_builder_release().
 */
#ifndef LK_STORAGE_ZSET_BUILDER_H
#define LK_STORAGE_ZSET_BUILDER_H

#include "storage/type_zset.h"

struct zset_builder {
    struct zset_item **items; /* owned */
    uint64_t n, cap;
    uint64_t longest;     /* of the members */
    struct table members; /* to find them by; empty unless zset_builder_find() is used */
};

/* A member that is not there yet. Copied. */
void zset_builder_add(struct zset_builder *b, struct slice member, double score);
/*
 * The score of this member, to be read and changed; a new one has this score, and *fresh says so.
 * Whoever uses it adds all members with it.
 */
double *zset_builder_find(struct zset_builder *b, struct slice member, double score, bool *fresh);

/* Puts the items into the order of a sorted set. */
void zset_builder_sort(struct zset_builder *b);
/*
 * The sorted set, packed if it may be, under this key and without an expiry; NULL if there are no
 * members. The builder is empty afterwards.
 */
struct entry *zset_builder_take(struct zset_builder *b, struct slice key,
                                const struct zset_limits *limits);
void zset_builder_release(struct zset_builder *b);

#endif
