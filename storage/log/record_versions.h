/*
 * The versions that a group of records has given to keys, and how the log says them. A loader gives
 * to a group what follows (storage/version_source.h), so mostly nothing has to be said:
 *
 *     #LK:at LAST         the last version that was given before
 *     #LK:v OFF           the next group gives the one OFF further on than that which follows
 *     #LK:v OFF N         and N different ones, in the order of its changes
 *     #LK:is OFF          all that follows has this one, OFF from the one before; "same" instead of
 *                         a number: the one that the key has
 *     #LK:ver DB N KEY    the key has version N: where doing a group again gives them in another
 *                         order
 *     #LK:floor N [all]   keys that were loaded without a version have this one; or really all
 */
#ifndef LK_STORAGE_LOG_RECORD_VERSIONS_H
#define LK_STORAGE_LOG_RECORD_VERSIONS_H

#include "base/buf.h"

struct record_versions {
    uint64_t first, last;
    uint32_t count;  /* 0: none was given */
    bool several;    /* of more than one key */
    bool all_same;   /* whatever was given, the loader is to give the last */
    struct buf keys; /* of each: a struct given_version, and the name */
};

/* The key has got this version. */
void record_versions_add(struct record_versions *v, int db, struct slice key, uint64_t version);
/* Each follows the one before. */
static inline bool record_versions_in_turn(const struct record_versions *v)
{
    return v->last - v->first + 1 == v->count;
}
/* The loader is to give the last to all of the group. */
static inline void record_versions_same(struct record_versions *v)
{
    v->all_same = true;
}
/* The same, and this says what each key has that has another one. */
void record_versions_each(struct record_versions *v,
                          void (*put)(void *arg, int db, struct slice key, uint64_t version),
                          void *arg);
static inline void record_versions_clear(struct record_versions *v)
{
    v->count = 0;
    v->several = v->all_same = false;
    v->keys.len = 0;
}

/* ---- in a file ------------------------------------------------------------------------------- */

/* Where the loader is, as the writer knows. */
struct version_line {
    uint64_t last; /* that the loader has given */
    size_t since;  /* bytes since it was told */
    bool known;    /* it was told in this file */
};

enum { VERSION_TOLD_EVERY = 4096 }; /* bytes, so that little is lost with a part of the file */

void version_line_write(struct version_line *line, struct buf *out,
                        const struct record_versions *v);
/* What is to stand before a group of this size that changes keys: mostly nothing. */
static inline void version_line_put(struct version_line *line, struct buf *out,
                                    const struct record_versions *v, size_t len)
{
    line->since += len;
    if (LIKELY(v->count == 1 && v->first == line->last + 1 && line->known &&
               line->since <= VERSION_TOLD_EVERY))
        line->last++;
    else
        version_line_write(line, out, v);
}

#endif
