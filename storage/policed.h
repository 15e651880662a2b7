/*
 * Keys under policies. The entry of such a key says so (`policed`), and instead of when it was used
 * it holds which member of which policy's roll it is: that has the time to the nanosecond, and what
 * else is known of its use.
 *
 * A space has a roll for each policy that any of its keys is under. Keys come under the policy of
 * the longest prefix when they are inserted. When the set of policies changes, a survey goes over
 * the keys that are there already, some hundreds at a time.
 *
 * All functions are locked: the caller has the key's shard, or has stopped the world. Times are of
 * the monotonic clock.
 */
#ifndef LK_STORAGE_POLICED_H
#define LK_STORAGE_POLICED_H

#include "storage/keyspace.h"

struct policed {
    struct roll **rolls; /* by the policy's slot */
    unsigned rolls_len;
    uint32_t generation; /* of the policies that its keys are under */
    uint32_t surveying;  /* of those that the survey is about */
    uint64_t cursor;     /* where that goes on */
};

void policed_free(struct policed *p);
size_t policed_memory(const struct policed *p);

/* An entry was put into its table: it comes under a policy, if there is one for it. */
void policed_enter(struct keyspace *ks, int db, uint64_t hash, struct entry *e);
/* An entry will be taken out of its table. */
void policed_leave(struct keyspace *ks, int db, uint64_t hash, struct entry *e);
/* A new entry of the same key, with an access of its own, takes the place of one under a policy. */
void policed_succeed(struct keyspace *ks, int db, uint64_t hash, const struct entry *old,
                     struct entry *fresh);

uint32_t *policed_access(const struct space *s, const struct entry *e);

/* The key was used, though not changed. */
void policed_used(struct keyspace *ks, int db, unsigned shard, const struct entry *e);

struct policed_change {
    int64_t due;           /* ms, if that is sooner than what the shard knew of; else INT64_MAX */
    struct policy *policy; /* if its limit is exceeded; else NULL */
};
/* The key was changed, or has just been inserted. */
struct policed_change policed_changed(struct keyspace *ks, int db, unsigned shard,
                                      const struct entry *e);

struct policy *policed_policy(const struct keyspace *ks, const struct entry *e);
/* When the key ends by its policy, in ms; INT64_MAX for never. */
int64_t policed_due(const struct keyspace *ks, int db, unsigned shard, const struct entry *e);

/* In how many ms that is, as far as they are full; INT64_MAX for never. */
int64_t policed_left(const struct keyspace *ks, int db, unsigned shard, const struct entry *e);

/*
 * A key that has ended by its policy, beginning with the policy of *slot, which goes on. False, if
 * there is none; *next then is not later than the time when the next one ends.
 */
bool policed_ended(struct keyspace *ks, int db, unsigned shard, int64_t now_ms, unsigned *slot,
                   int64_t *next, struct found *f, uint64_t *hash);
/*
 * The least recently used key of a policy in this shard, if that was not later than `before`. False
 * if it was, or if it cannot be told yet, or if there is none; herd.least_use[] is nearer to the
 * truth then.
 */
bool policed_least_used(struct keyspace *ks, int db, unsigned shard, const struct policy *policy,
                        uint64_t before, struct found *f, uint64_t *hash);

/* When a key that has come under no policy so far was used last, in nanoseconds. */
typedef uint64_t policed_used_fn(const struct entry *e, void *opaque);
/*
 * Goes over some of the keys, and puts them under the policies as they are by now. True when that
 * is done for all of the space.
 */
bool policed_survey(struct keyspace *ks, int db, unsigned shard, policed_used_fn *used,
                    void *opaque);

#endif
