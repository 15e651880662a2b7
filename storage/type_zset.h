/*
 * The sorted set type: members, each with a score, ordered by score and then by member.
 *
 * A small one is packed: member, score, member, score … in that order (pack.h). A large one is an
 * object of its own (zset_large.h). Which is which nobody needs to know who uses the functions
 * here. Pure: no replies. Functions that take an entry over return what stands for it from then on.
 */
#ifndef LK_STORAGE_TYPE_ZSET_H
#define LK_STORAGE_TYPE_ZSET_H

#include "storage/btree.h"
#include "storage/digest.h"
#include "storage/entry.h"
#include "storage/pack.h"
#include "storage/table.h"

/* What may be packed: so many members, none of them longer. */
struct zset_limits {
    int64_t members, member_len;
};

/* Where a member is, or that it is not there; valid until the sorted set changes. */
struct zset_spot {
    struct slice member;
    bool found;
    double score; /* if found */

    size_t at;     /* packed: where it stands */
    uint64_t hash; /* large */
    struct zset_item *item;
    struct table_place place;
};

/* ---- members --------------------------------------------------------------------------------- */

/*
 * An empty one, to be filled before it is put anywhere; large from the beginning if its first
 * member, of this length, would make it so.
 */
struct entry *zset_new(struct slice key, size_t first_len, const struct zset_limits *limits);

uint64_t zset_len(const struct entry *e);
bool zset_score(const struct entry *e, struct slice member, double *score);

void zset_seek(const struct entry *e, struct slice member, struct zset_spot *spot);
/* Gives the member this score; it joins the others if it was not there. Takes the entry over. */
struct entry *zset_put(struct entry *e, const struct zset_spot *spot, double score,
                       const struct zset_limits *limits);
/* The same with the search. Takes the entry over. */
struct entry *zset_add(struct entry *e, struct slice member, double score,
                       const struct zset_limits *limits);
/* Of a member that was found. Takes the entry over; it may be empty afterwards. */
struct entry *zset_remove(struct entry *e, const struct zset_spot *spot);
/* Makes it large, whatever its size. Takes the entry over. */
struct entry *zset_enlarge(struct entry *e);
/* How many are before it; of a member that was found. */
uint64_t zset_rank(const struct entry *e, const struct zset_spot *spot);

/* ---- ranges ---------------------------------------------------------------------------------- */

/* Ranks from 0: from the first to the one before `to`. */
struct zset_span {
    uint64_t from, to;
};

/*
 * The elements between two cuts; none where from >= to. By member it is for elements of one score;
 * where there are several, `backwards` tells from which side they are looked at.
 */
struct zset_span zset_between(const struct entry *e, const struct zset_cut *min,
                              const struct zset_cut *max, bool backwards);
/* Takes the entry over; it may be empty afterwards. */
struct entry *zset_remove_span(struct entry *e, struct zset_span span);

/* ---- iteration ------------------------------------------------------------------------------- */

/* What is packed, as it is to be read; see zset_pack.h. */
struct zset_packed {
    const char *first, *end;
    unsigned even; /* bytes of each member, 0 if each tells its own */
};

enum { ZSET_ITER_WINDOW = 64 };

/* What it is at is borrowed until the next step; the sorted set must not change meanwhile. */
struct zset_iter {
    struct slice member;
    double score;

    bool backwards;
    uint64_t left;            /* elements in its direction */
    struct btree_place place; /* large: the next one */
    struct zset_packed packed;
    const char *at;                       /* packed, forwards: the next one */
    const char *window[ZSET_ITER_WINDOW]; /* packed, backwards: where elements stand, … */
    uint64_t window_from;                 /* … from this rank on */
    char digits[NUM_INT_MAX];
};

/*
 * The first zset_iter_next() gives the element of this rank, and the others follow in the order of
 * ranks, or backwards, until it is false. A rank that there is not gives none.
 */
void zset_iter_begin(struct zset_iter *it, const struct entry *e, uint64_t rank, bool backwards);
bool zset_iter_next(struct zset_iter *it);

/*
 * Shows some members, `count` or a few more, and returns the cursor to go on with, 0 behind the
 * last; one that is packed is shown at once. With the guarantees of SCAN.
 */
typedef void zset_visit_fn(struct slice member, double score, void *opaque);
uint64_t zset_scan(const struct entry *e, uint64_t cursor, uint64_t count, zset_visit_fn *visit,
                   void *opaque);

/* ---- the row in value_types.c ---------------------------------------------------------------- */

const char *zset_encoding(const struct entry *e);
struct digest zset_digest(const struct entry *e);

#endif
