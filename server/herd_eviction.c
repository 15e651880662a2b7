/* Evicting the least recently used keys of a policy, see herd_eviction.h. */
#include "server/herd_eviction.h"

#include "server/locks/lock_guard.h"
#include "server/policer.h"
#include "server/serving.h"
#include "storage/policed.h"

enum { FRONT_MAX = 32 }; /* shards that are looked at in turn, for one look at all */

/*
 * The shards whose least recent uses seem to be the oldest, in that order, and what is older than
 * none of the others. A shard's time is never later than it is said to be, and only grows while
 * nobody else evicts, so that one look at all serves for some evictions.
 */
struct front {
    struct {
        uint64_t use;
        unsigned shard;
    } v[FRONT_MAX];
    unsigned len;
    uint64_t beyond;
};

static void place(struct front *f, uint64_t use, unsigned shard)
{
    unsigned i = f->len;

    if (f->len == FRONT_MAX) {
        f->beyond = f->v[--i].use;
    } else {
        f->len++;
    }
    for (; i > 0 && f->v[i - 1].use > use; i--)
        f->v[i] = f->v[i - 1];
    f->v[i].use = use;
    f->v[i].shard = shard;
}

/* A key that a lock guards stays, and counts as used. */
static bool spare(struct worker *w, int db, unsigned shard, uint64_t hash, const struct entry *e)
{
    struct keyspace *ks = &w->server->keyspace;

    if (LIKELY(!lock_guarded(&ks->shards[shard], db, entry_key(e), hash)))
        return false;
    policed_used(ks, db, shard, e);
    return true;
}

static void look_over(struct front *f, const struct herd *h)
{
    f->len = 0;
    f->beyond = ROLL_NEVER;
    for (unsigned i = 0; i < SHARDS; i++) {
        uint64_t use = atomic_load_explicit(&h->least_use[i], memory_order_relaxed);

        if (LIKELY(use >= f->beyond))
            continue;
        if (f->len < FRONT_MAX || use < f->v[FRONT_MAX - 1].use)
            place(f, use, i);
        else
            f->beyond = use;
    }
}

/* The first shard of the front has another time now. */
static void move_back(struct front *f, uint64_t use)
{
    unsigned i = 0, shard = f->v[0].shard;

    for (; i + 1 < f->len && f->v[i + 1].use < use; i++)
        f->v[i] = f->v[i + 1];
    f->v[i].use = use;
    f->v[i].shard = shard;
}

enum outcome { EVICTED, USED_MEANWHILE, SPARED };

/* Of the shard at the front, which moves back to where it belongs by now. */
static enum outcome evict_first(struct worker *w, const struct policy *policy, struct herd *h,
                                int db, struct front *f)
{
    struct keyspace *ks = &w->server->keyspace;
    uint64_t limit = f->len > 1 && f->v[1].use < f->beyond ? f->v[1].use : f->beyond, hash;
    unsigned shard = f->v[0].shard;
    struct found found;
    enum outcome outcome = USED_MEANWHILE;

    lock_take(&ks->shards[shard].lock);
    if (policed_least_used(ks, db, shard, policy, limit, &found, &hash))
        outcome = spare(w, db, shard, hash, found.entry) ? SPARED : EVICTED;
    if (outcome == EVICTED)
        policer_drop(w, db, hash, found, EVENT_EVICTED);
    serving_unlock(w, shard);
    move_back(f, atomic_load_explicit(&h->least_use[shard], memory_order_relaxed));
    return outcome;
}

bool herd_evict(struct worker *w, const struct policy *policy, struct herd *h, int db, int max)
{
    enum { SPARED_MAX = 16 };
    struct front front = {.len = 0};
    enum outcome outcome;
    int spared = 0;

    while (herd_overfull(policy, h)) {
        if (max == 0)
            return false;
        if (!front.len || front.v[0].use > front.beyond || front.v[0].use == ROLL_NEVER) {
            look_over(&front, h);
            if (!front.len)
                return true;
        }
        outcome = evict_first(w, policy, h, db, &front);
        max -= outcome == EVICTED;
        spared += outcome == SPARED;
        if (spared == SPARED_MAX)
            return true;
    }
    return true;
}
