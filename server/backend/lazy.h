/*
 * Keys of database 0 that are not in memory, while its data lives in a SQL table: what a shard
 * knows of them. A key is in one of these states:
 *
 *     in memory     it has an entry, or was changed here and the table does not have that yet; what
 *                   memory says counts, also that it is gone
 *     absent        it is neither here nor in the table, as far as was looked
 *     asked for     its row is on its way, and requests may wait for that (fetching.h)
 *     unknown       nothing is kept of it
 *
 * A shard has none of it while all of its keys are in memory. The number of absent keys that are
 * remembered is bounded. Locked throughout: the key's shard.
 */
#ifndef LK_SERVER_BACKEND_LAZY_H
#define LK_SERVER_BACKEND_LAZY_H

#include "base/list.h"
#include "server/named_keys.h"

struct server;

/* One key; forgotten when it is neither absent nor asked for, and has no pins. */
struct sought {
    struct named_key key;
    struct list absent_link; /* among the shard's absent keys, the oldest first */
    struct list seekers;     /* requests that wait for the row, see fetching.c */
    uint32_t pins;           /* it stays known, see lazy_pin() */
    bool absent;
    bool asked;   /* for its row; it does not leave memory meanwhile */
    bool stale;   /* changed since it was asked for: what comes may be older than that */
    bool refresh; /* it may be in memory, and differ from the table: others have changed the row */
};

struct lazy {
    struct table *sought; /* NULL: none */
    struct list absents;
    size_t absents_len;
    bool whole; /* all keys of the table that belong into this shard are in memory */
};

/* The shard has keys that are not in memory; it had none until now. */
void lazy_begin(struct shard *shard);
/* Again, or for the first time, it has all. What is asked for is stale. */
void lazy_become_whole(struct shard *shard);

static inline bool lazy_is_whole(const struct shard *shard)
{
    return !shard->lazy || shard->lazy->whole;
}

/* NULL if nothing is kept of the key. */
struct sought *lazy_find(const struct shard *shard, struct slice key, uint64_t hash);
/* The same, but it is kept from now on, by a state that the caller gives it. */
struct sought *lazy_take(struct shard *shard, struct slice key, uint64_t hash);
/* Forgets it, if it has no state any more. */
void lazy_settle(struct shard *shard, struct sought *s);

/* What was absent may be there by now, and what is on its way be older than that. */
void lazy_forget_absents(struct shard *shard);
void lazy_mark_absent(struct shard *shard, struct sought *s);
void lazy_unmark_absent(struct shard *shard, struct sought *s);

/*
 * What happens here to a key, of which the shard may know that it is absent, or have asked for it:
 * it is there, and was changed; it is gone; what was changed is in the table by now. What was asked
 * for before may be older than that.
 */
void lazy_note_changed(struct shard *shard, struct slice key, uint64_t hash);
void lazy_note_gone(struct shard *shard, struct slice key, uint64_t hash);
void lazy_note_committed(struct shard *shard, struct slice key, uint64_t hash);

/*
 * Somebody relies on knowing the key without asking: a command that waits, and will be served with
 * it. While it has pins it does not leave memory, and stays absent until it is not.
 */
void lazy_pin(struct shard *shard, struct slice key, uint64_t hash);
void lazy_unpin(struct shard *shard, struct slice key, uint64_t hash);
bool lazy_is_pinned(const struct shard *shard, struct slice key, uint64_t hash);

/* Nobody waits any more, and nothing is on its way. */
void lazy_release(struct keyspace *ks);

#endif
