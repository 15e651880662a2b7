/* storage/keyspace: random operations in databases against a naive copy; counts, draws, swaps,
 * and versions, which only grow. */
#include "storage/keyspace.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/world.h"
#include "tests/lib/tap.h"

#include <stdio.h>

enum { DATABASES = 3, KEYS = 5000 };

struct copy {
    int64_t value, expiry;
    uint64_t version;
    bool there;
};

static struct keyspace ks;
static struct copy copies[DATABASES][KEYS];
static uint64_t high[DATABASES][KEYS]; /* the last version that a key had under its name */
static int64_t now = 1700000000000;

static struct slice key_of(int i)
{
    static char key[1024]; /* larger than needed: the compiler follows the hash beyond short keys */

    return slice_make(key, (size_t)snprintf(key, sizeof(key), "key:%d", i));
}

static struct found find(int db, int i)
{
    uint64_t hash = hash_bytes(key_of(i));

    return space_find(keyspace_space(&ks, db, shard_of(hash)), hash, key_of(i));
}

/* ---- operations ----------------------------------------------------------------------------- */

/* The last that was given in the key's shard is its version from now on. */
static void renewed(int db, int i)
{
    uint64_t version = ks.shards[shard_of(hash_bytes(key_of(i)))].seq;

    if (version <= high[db][i])
        bail("a version that came before");
    copies[db][i].version = high[db][i] = version;
}

static void put(int db, int i)
{
    struct copy *c = &copies[db][i];
    uint64_t hash = hash_bytes(key_of(i));
    struct found f = find(db, i);
    struct entry *e;

    c->value = (int64_t)rng_next();
    c->expiry = rng_below(2) ? EXPIRY_NONE : now + (int64_t)rng_below(100000);
    e = entry_new_int(key_of(i), c->value, c->expiry);
    e->version = keyspace_next_version(&ks, &ks.shards[shard_of(hash)], 0);
    renewed(db, i);
    if (c->there) {
        keyspace_replace(&ks, db, hash, f.place, entry_times(f.entry), e);
        entry_free(f.entry);
    } else {
        keyspace_insert(&ks, db, hash, e);
    }
    c->there = true;
}

static void take(int db, int i)
{
    struct found f = find(db, i);

    copies[db][i].there = false;
    if (f.entry)
        entry_free(keyspace_take(&ks, db, hash_bytes(key_of(i)), f));
}

static void swap(int a, int b)
{
    static struct copy other[KEYS];

    keyspace_swap(&ks, a, b);
    memcpy(other, copies[a], sizeof(other));
    memmove(copies[a], copies[b], sizeof(other));
    memcpy(copies[b], other, sizeof(other));
    for (unsigned i = 0; i < SHARDS; i++)
        keyspace_next_version(&ks, &ks.shards[i], 0);
    keyspace_renew(&ks, a, 0);
    keyspace_renew(&ks, b, 0);
    for (int i = 0; i < KEYS; i++) {
        if (copies[a][i].there)
            renewed(a, i);
        if (a != b && copies[b][i].there)
            renewed(b, i);
    }
}

static void empty(int db)
{
    keyspace_free_spaces(keyspace_detach(&ks, db));
    if (keyspace_is_used(&ks, db) || keyspace_detach(&ks, db))
        bail("a database that was emptied is used");
    memset(copies[db], 0, sizeof(copies[db]));
}

static void work(int steps)
{
    for (int n = 0; n < steps; n++) {
        int db = (int)rng_below(DATABASES), i = (int)rng_below(KEYS);

        if (rng_below(3))
            put(db, i);
        else
            take(db, i);
        if (rng_below((uint64_t)steps) < 3)
            swap(db, (int)rng_below(DATABASES));
        if (rng_below((uint64_t)steps) == 0)
            empty(db);
    }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static const char *wrong_key(int db, int i, uint64_t *keys, uint64_t *expiring)
{
    const struct copy *c = &copies[db][i];
    uint64_t hash = hash_bytes(key_of(i));
    struct found f = find(db, i);

    if (space_find_hash(keyspace_space(&ks, db, shard_of(hash)), hash).entry != f.entry)
        return "the hash leads elsewhere than the key";
    if ((f.entry != NULL) != c->there)
        return "a key is there that should not be, or the other way round";
    if (!c->there && space_version(keyspace_space(&ks, db, shard_of(hash)), NULL) != 0)
        return "a version of what is not there";
    if (!c->there)
        return NULL;
    ++*keys;
    *expiring += c->expiry != EXPIRY_NONE;
    if (entry_int(f.entry) != c->value || entry_expiry(f.entry) != c->expiry)
        return "a value or an expiry";
    if (space_version(keyspace_space(&ks, db, shard_of(hash)), f.entry) != c->version)
        return "a version";
    return c->expiry < atomic_load(&ks.due[shard_of(hash)]) ? "a key is due before its shard"
                                                            : NULL;
}

static const char *wrong_database(int db)
{
    const char *wrong = NULL;
    uint64_t keys = 0, expiring = 0;

    for (int i = 0; i < KEYS && !wrong; i++)
        wrong = wrong_key(db, i, &keys, &expiring);
    if (!wrong && keys != keyspace_count(&ks, db))
        wrong = "the number of keys";
    if (!wrong && expiring != keyspace_expiring(&ks, db))
        wrong = "the number of keys with an expiry";
    return wrong;
}

static const char *wrong_anywhere(void)
{
    const char *wrong = NULL;

    for (int db = 0; db < DATABASES && !wrong; db++)
        wrong = wrong_database(db);
    return wrong ? wrong : "";
}

/* ---- draws ---------------------------------------------------------------------------------- */

/* Two keys in shards with hardly any neighbours are drawn as often as each other. */
static void test_random(void)
{
    int drawn[2] = {0, 0};
    unsigned shard;

    for (int db = 0; db < DATABASES; db++)
        empty(db);
    ok(!keyspace_random_locked(&ks, 0, &shard), "nothing is drawn from nothing");
    put(0, 1);
    put(0, 2);
    for (int i = 0; i < 10000; i++) {
        struct entry *e = keyspace_random_locked(&ks, 0, &shard);

        drawn[entry_is(e, key_of(1))]++;
        if (shard != shard_of(entry_hash(e)))
            bail("the shard is not that of the key");
        lock_release(&ks.shards[shard].lock);
    }
    diag("drawn %d and %d times", drawn[0], drawn[1]);
    ok(drawn[0] > 4500 && drawn[1] > 4500, "both keys are drawn about equally often");
}

/* Databases take memory from their first key on, and until they are emptied. */
static void test_unused(void)
{
    size_t before;

    empty(2);
    before = mem_used();
    ok(keyspace_count(&ks, 2) == 0 && keyspace_overhead(&ks, 2) == 0, "an unused database");
    take(2, 1);
    ok(!keyspace_is_used(&ks, 2) && mem_used() == before, "takes no memory");
    put(2, 1);
    ok(keyspace_is_used(&ks, 2) && keyspace_count(&ks, 2) == 1, "one with a key is used");
    ok(mem_used() - before >= keyspace_overhead(&ks, 2), "and takes some");
    empty(2);
    ok(mem_used() < before + SHARDS, "until it is emptied");
}

static void test_mean_ttl(void)
{
    for (int i = 0; i < KEYS; i++) {
        uint64_t hash = hash_bytes(key_of(i));

        take(1, i);
        keyspace_insert(&ks, 1, hash, entry_new_int(key_of(i), i, now + 50000 + i % 2 * 20000));
        copies[1][i] = (struct copy){.value = i, .there = true};
    }
    ok(keyspace_mean_ttl(&ks, 0, now) >= 0, "no mean time of a database without any");
    ok(keyspace_mean_ttl(&ks, 1, now) > 52000 && keyspace_mean_ttl(&ks, 1, now) < 68000,
       "the mean time to live is about right");
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    hash_init(seed);
    world_init();
    world_join();
    keyspace_init(&ks, DATABASES);
    for (int round = 0; round < 20; round++) {
        work(20000);
        is_str(wrong_anywhere(), "", "after %d operations", (round + 1) * 20000);
    }
    test_random();
    test_unused();
    test_mean_ttl();
    keyspace_release(&ks);
    world_quit();
    ok(mem_used() == 0, "all memory is given back");
    return tap_done();
}
