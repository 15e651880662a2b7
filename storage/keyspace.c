/* Databases and shards, see keyspace.h. */
#include "storage/keyspace.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include "storage/long_save.h"
#include "storage/policed.h"
#include "storage/value_types.h"
#include <time.h>

static struct space *new_spaces(void)
{
    return mem_zalloc(SHARDS * sizeof(struct space));
}

void keyspace_init(struct keyspace *ks, int databases)
{
    uint64_t seq;

    ks->shards = mem_zalloc_lines(SHARDS * sizeof(struct shard));
    ks->spaces = mem_zalloc((size_t)databases * sizeof(*ks->spaces));
    ks->unused = mem_zeros(SHARDS * sizeof(struct space));
    ks->due = mem_zalloc_lines(SHARDS * sizeof(*ks->due));
    ks->databases = databases;
    ks->versions = versions_new();
    /*
     * Versions begin at the time, in microseconds: a shard does not write so often that they would
     * overtake it, so a server that is started again goes on above those that it gave before. What
     * is loaded then may raise them.
     */
    seq = (uint64_t)clock_wall_us();
    for (int db = 0; db < databases; db++)
        atomic_init(&ks->spaces[db], ks->unused);
    for (unsigned i = 0; i < SHARDS; i++) {
        lock_init(&ks->shards[i].lock, RANK_SHARD, (uint16_t)i);
        ks->shards[i].seq = seq;
        atomic_init(&ks->due[i], EXPIRY_NONE);
    }
}

void keyspace_release(struct keyspace *ks)
{
    for (int db = 0; db < ks->databases; db++)
        keyspace_free_spaces(keyspace_detach(ks, db));
    mem_zeros_free(ks->unused, SHARDS * sizeof(struct space));
    mem_free((void *)ks->spaces);
    policies_free(ks->policies);
    mem_free(ks->shards);
    versions_free(ks->versions);
    mem_free(ks->due);
}

/* The hash stands where table_find() hands a key on. */
static bool has_hash(const void *item, struct slice hash)
{
    uint64_t is = entry_hash(item);

    return memcmp(&is, hash.ptr, sizeof(is)) == 0;
}

struct found space_find_hash(const struct space *s, uint64_t hash)
{
    struct slice as_key = slice_make((const char *)&hash, sizeof(hash));
    struct found f;

    f.entry = table_find(&s->table, hash, as_key, has_hash, &f.place);
    return f;
}

void space_change_first(struct space *s, uint64_t hash)
{
    struct space_save *saving = atomic_load_explicit(&s->saving, memory_order_relaxed);

    if (saving)
        space_save_first(saving, hash);
    if (s->cut)
        s->cut->first(s->cut, hash);
}

static void note_due(struct keyspace *ks, unsigned shard, int64_t at)
{
    if (at < atomic_load_explicit(&ks->due[shard], memory_order_relaxed))
        atomic_store_explicit(&ks->due[shard], at, memory_order_relaxed);
}

void keyspace_retimed(struct keyspace *ks, int db, uint64_t hash, struct entry_times old,
                      const struct entry *e)
{
    struct space *s = keyspace_space(ks, db, shard_of(hash));
    struct entry_times fresh = entry_times(e);

    if (LIKELY(fresh.key == old.key && fresh.part == old.part))
        return;
    expiry_changed(&s->expiry, &s->table, hash, old, fresh);
    note_due(ks, shard_of(hash), entry_times_first(fresh));
}

/*
 * Who has another shard's lock may be doing the same. What is found in the place of `unused` is as
 * empty as that where the caller has the lock.
 */
static void make_spaces(struct keyspace *ks, int db)
{
    struct space *fresh = new_spaces(), *before = ks->unused;

    if (!atomic_compare_exchange_strong(&ks->spaces[db], &before, fresh))
        mem_free(fresh);
}

void keyspace_insert(struct keyspace *ks, int db, uint64_t hash, struct entry *e)
{
    if (UNLIKELY(!keyspace_is_used(ks, db)))
        make_spaces(ks, db);
    space_will_change(keyspace_space(ks, db, shard_of(hash)), hash);
    if (UNLIKELY(long_save_of(e) != NULL))
        long_save_moved(long_save_of(e), shard_of(hash), keyspace_space(ks, db, shard_of(hash)));
    table_insert(&keyspace_space(ks, db, shard_of(hash))->table, hash, e, entry_hash);
    if (UNLIKELY(ks->policies))
        policed_enter(ks, db, hash, e);
    if (UNLIKELY(entry_has_times(e)))
        keyspace_retimed(ks, db, hash, ENTRY_TIMES_NONE, e);
}

void keyspace_replace(struct keyspace *ks, int db, uint64_t hash, struct table_place place,
                      struct entry_times old, struct entry *e)
{
    table_replace(place, e);
    keyspace_retimed(ks, db, hash, old, e);
}

struct entry *keyspace_take(struct keyspace *ks, int db, uint64_t hash, struct found f)
{
    struct space *s = keyspace_space(ks, db, shard_of(hash));

    space_will_change(s, hash);
    if (UNLIKELY(entry_may_end(f.entry))) {
        expiry_changed(&s->expiry, &s->table, hash, entry_times(f.entry), ENTRY_TIMES_NONE);
        if (f.entry->policed)
            policed_leave(ks, db, hash, f.entry);
    }
    table_remove(&s->table, f.place, hash, entry_hash);
    return f.entry;
}

void keyspace_swap(struct keyspace *ks, int a, int b)
{
    struct space *was = atomic_load(&ks->spaces[a]);

    atomic_store(&ks->spaces[a], atomic_load(&ks->spaces[b]));
    atomic_store(&ks->spaces[b], was);
    if (ks->policies)
        policies_swap(ks->policies, a, b);
}

void keyspace_renew(struct keyspace *ks, int db, uint64_t version)
{
    struct space *spaces = keyspace_space(ks, db, 0);

    for (unsigned i = 0; keyspace_is_used(ks, db) && i < SHARDS; i++)
        spaces[i].floor = version ? version : ks->shards[i].seq;
}

struct space *keyspace_detach(struct keyspace *ks, int db)
{
    struct space *old = atomic_exchange(&ks->spaces[db], ks->unused);

    if (ks->policies)
        policies_emptied(ks->policies, db);
    return old == ks->unused ? NULL : old;
}

static void free_item(void *item, void *opaque)
{
    (void)opaque;
    entry_free(item);
}

static void await_snapshot(const struct space *s)
{
    const struct timespec moment = {.tv_nsec = 1000 * 1000};

    while (atomic_load(&s->saving) || atomic_load(&s->long_saves))
        nanosleep(&moment, NULL);
}

void keyspace_free_spaces(struct space *spaces)
{
    for (unsigned i = 0; spaces && i < SHARDS; i++) {
        await_snapshot(&spaces[i]);
        table_each(&spaces[i].table, free_item, NULL);
        table_release(&spaces[i].table);
        expiry_release(&spaces[i].expiry);
        policed_free(spaces[i].policed);
    }
    mem_free(spaces);
}

/* The counts are read without the locks: whole words, each right at some moment. */
__attribute__((no_sanitize("thread"))) struct keyspace_totals
keyspace_totals(const struct keyspace *ks, int db)
{
    struct keyspace_totals n = {0};
    const struct space *spaces = keyspace_space(ks, db, 0);

    for (unsigned i = 0; keyspace_is_used(ks, db) && i < SHARDS; i++) {
        n.keys += spaces[i].table.count;
        n.expiring += spaces[i].expiry.entries;
        n.parted += spaces[i].expiry.parted;
    }
    return n;
}

uint64_t keyspace_count(const struct keyspace *ks, int db)
{
    return keyspace_totals(ks, db).keys;
}

uint64_t keyspace_expiring(const struct keyspace *ks, int db)
{
    return keyspace_totals(ks, db).expiring;
}

struct ttl_sample {
    double sum; /* far times would overflow an integer */
    int64_t n, now_ms;
};

static void ttl_visit(void *item, void *opaque)
{
    const struct entry *e = item;
    struct ttl_sample *sample = opaque;

    if (!e->has_expiry || entry_expired(e, sample->now_ms))
        return;
    sample->sum += (double)(entry_expiry(e) - sample->now_ms);
    sample->n++;
}

/* All of a small index, since a few draws could miss what there is. */
static void sample_ttls(const struct space *s, struct ttl_sample *sample)
{
    enum { FEW = 16, DRAWS = 4 };
    uint32_t items = expiry_items(&s->expiry);
    bool all = items <= FEW;

    if (!s->expiry.entries || !items)
        return;
    for (uint32_t i = 0; i < (all ? items : DRAWS); i++)
        expiry_visit(&s->expiry, &s->table, all ? i : (uint32_t)rng_below(items), ttl_visit,
                     sample);
}

int64_t keyspace_mean_ttl(struct keyspace *ks, int db, int64_t now_ms)
{
    enum { ENOUGH = 64 };
    struct ttl_sample sample = {.now_ms = now_ms};
    unsigned start = (unsigned)rng_below(SHARDS);

    for (unsigned i = 0; i < SHARDS && sample.n < ENOUGH; i++) {
        unsigned shard = (start + i) % SHARDS;

        lock_take(&ks->shards[shard].lock);
        sample_ttls(keyspace_space(ks, db, shard), &sample);
        lock_release(&ks->shards[shard].lock);
    }
    return sample.n ? (int64_t)(sample.sum / (double)sample.n) : 0;
}

uint32_t *keyspace_access(const struct keyspace *ks, int db, uint64_t hash, struct entry *e)
{
    if (LIKELY(!e->policed))
        return &e->access_or_member;
    return policed_access(keyspace_space(ks, db, shard_of(hash)), e);
}

/* A bucket as full as they mostly are, the expiry index, what is kept for the policy. */
size_t keyspace_footprint(const struct entry *e, size_t samples)
{
    enum { KEYS_A_BUCKET = 6 };

    return entry_memory(e, samples) + sizeof(struct bucket) / KEYS_A_BUCKET +
           (entry_has_times(e) ? sizeof(uint64_t) : 0) + (e->policed ? sizeof(struct member) : 0);
}

size_t keyspace_overhead(const struct keyspace *ks, int db)
{
    size_t bytes = SHARDS * sizeof(struct space) + keyspace_expiry_memory(ks, db);

    if (!keyspace_is_used(ks, db))
        return 0;
    for (unsigned i = 0; i < SHARDS; i++)
        bytes += table_memory(&keyspace_space(ks, db, i)->table) +
                 policed_memory(keyspace_space(ks, db, i)->policed);
    return bytes;
}

size_t keyspace_expiry_memory(const struct keyspace *ks, int db)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < SHARDS; i++)
        bytes += expiry_memory(&keyspace_space(ks, db, i)->expiry);
    return bytes;
}

/* A shard drawn by its share of the keys, as far as can be told without the locks. */
__attribute__((no_sanitize("thread"))) static unsigned weighted_shard(const struct keyspace *ks,
                                                                      int db)
{
    uint64_t total = keyspace_count(ks, db), at = total ? rng_below(total) : 0;

    for (unsigned i = 0; i < SHARDS; i++) {
        uint64_t here = keyspace_space(ks, db, i)->table.count;

        if (at < here)
            return i;
        at -= here;
    }
    return (unsigned)rng_below(SHARDS);
}

struct entry *keyspace_random_locked(struct keyspace *ks, int db, unsigned *shard)
{
    unsigned start = weighted_shard(ks, db);
    bool used = keyspace_is_used(ks, db);
    struct entry *e;

    for (unsigned i = 0; used && i < SHARDS; i++) {
        *shard = (start + i) % SHARDS;
        lock_take(&ks->shards[*shard].lock);
        e = table_random(&keyspace_space(ks, db, *shard)->table);
        if (e)
            return e;
        lock_release(&ks->shards[*shard].lock);
    }
    return NULL;
}
