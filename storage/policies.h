/*
 * Policies: what is to become of keys whose names begin with a prefix. The longest prefix that a
 * key begins with is the one whose policy it is under.
 *
 * The set of policies and their rules change only with the world stopped, so that everybody else
 * reads them without a lock. How many keys there are and which was not used for longest is known
 * for each database apart (a herd), and kept up by whoever changes keys under the lock of their
 * shard (policed.h).
 *
 * A policy that is taken away is dead: it has no rules and no key finds it, but it stays until no
 * key is under it any more.
 */
#ifndef LK_STORAGE_POLICIES_H
#define LK_STORAGE_POLICIES_H

#include "base/lock.h"
#include "base/slice.h"
#include "storage/hash.h"
#include "storage/roll.h"

enum {
    POLICY_SLOT_BITS = 32 - ROLL_INDEX_BITS,
    POLICIES_MAX = 1 << POLICY_SLOT_BITS, /* those that are dead and have keys too */
};

/* 0: no such rule. */
struct policy_rules {
    int64_t idle_ms;    /* a key goes when it was neither read nor changed for so long */
    int64_t max_age_ms; /* or not changed for so long */
    int64_t max_keys;   /* in each database; the key that was not used for longest goes */
    int64_t max_memory; /* bytes, the same */
};

/* The keys of a policy in one database. */
struct herd {
    _Atomic int64_t keys;
    _Atomic int64_t memory; /* units of ROLL_MEMORY_UNIT */
    struct lock lock;       /* held by who evicts from it */
    /* Per shard, no key of it was last used before this; ROLL_NEVER where there is none. */
    CACHE_ALIGNED _Atomic uint64_t least_use[SHARDS];
};

struct policy {
    struct slice prefix;
    struct policy *parent; /* of the longest other prefix that this one begins with; may be NULL */
    struct policy_rules rules;
    unsigned slot;
    bool dead;
    bool gaining;                /* keys are on their way from other policies, or from none */
    struct herd *_Atomic *herds; /* per database; NULL until there is a key */
    _Atomic uint64_t expired, evicted;
};

struct policies {
    struct policy *slots[POLICIES_MAX]; /* NULL where there is none */
    struct policy **sorted;             /* by prefix, without dead ones */
    int len;
    int databases;
    uint32_t generation; /* of the set of prefixes */
    /* Threads that have not yet looked at all keys since that changed. */
    _Atomic int surveying;
    /* Per shard, monotonic ms, not after the time when the next of its keys ends by its policy. */
    _Atomic int64_t due[SHARDS];
};

struct policies *policies_new(int databases);
void policies_free(struct policies *p);

/* The policy that a key of this name is under; NULL for none. */
struct policy *policies_find(const struct policies *p, struct slice key);
/* The policy of exactly this prefix, or NULL. */
struct policy *policies_get(const struct policies *p, struct slice prefix);

/* What follows changes the set, with the world stopped. */

/* A new policy, of a prefix that has none; NULL if there are too many. Copies the prefix. */
struct policy *policies_add(struct policies *p, struct slice prefix,
                            const struct policy_rules *rules);
void policies_remove(struct policies *p, struct policy *policy);
/* Frees the dead that no key is under. */
void policies_bury(struct policies *p);

void policies_swap(struct policies *p, int a, int b);
/* All keys of the database are gone. */
void policies_emptied(struct policies *p, int db);

static inline struct herd *policy_herd(const struct policy *policy, int db)
{
    return atomic_load_explicit(&policy->herds[db], memory_order_acquire);
}
/* The same, made if there is none. Any thread. */
struct herd *policy_need_herd(const struct policy *policy, int db);

/* Over all databases. */
int64_t policy_keys(const struct policies *p, const struct policy *policy);
int64_t policy_memory(const struct policies *p, const struct policy *policy);

/* Whether a limit of the policy is exceeded in the herd. */
static inline bool herd_overfull(const struct policy *policy, const struct herd *h)
{
    const struct policy_rules *rules = &policy->rules;

    return (rules->max_keys &&
            atomic_load_explicit(&h->keys, memory_order_relaxed) > rules->max_keys) ||
           (rules->max_memory &&
            atomic_load_explicit(&h->memory, memory_order_relaxed) * ROLL_MEMORY_UNIT >
                rules->max_memory);
}

#endif
