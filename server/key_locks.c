/* Locking the shards of several keys, see key_locks.h. */
#include "server/key_locks.h"

#include "base/mem.h"

enum { POSITIONS_QUICK = 64 };

static void reserve_hashes(struct worker *w, size_t n)
{
    if (w->hashes_cap >= n)
        return;
    w->hashes_cap = n * 2;
    mem_free(w->hashes);
    w->hashes = mem_alloc(w->hashes_cap * sizeof(*w->hashes));
}

/* All keys' buckets, and then their entries, are on their way before the first is needed. */
static void look_ahead(const struct call *c, const struct key_position *keys, int n)
{
    const struct keyspace *ks = &c->server->keyspace;

    for (int i = 0; i < n; i++) {
        uint64_t hash = c->hashes[keys[i].index];

        table_hint_bucket(&keyspace_space(ks, c->db, shard_of(hash))->table, hash);
    }
    for (int i = 0; i < n; i++) {
        uint64_t hash = c->hashes[keys[i].index];

        table_hint_item(&keyspace_space(ks, c->db, shard_of(hash))->table, hash);
    }
}

static void lock_positions(struct key_locks *locks, struct call *c, const struct key_position *keys,
                           int n)
{
    reserve_hashes(c->worker, (size_t)c->argc);
    c->hashes = c->worker->hashes;
    memset(locks, 0, sizeof(*locks));
    for (int i = 0; i < n; i++) {
        uint64_t hash;

        if (keys[i].flags & KEY_NOT_KEY)
            continue;
        hash = c->hashes[keys[i].index] = hash_bytes(c->argv[keys[i].index]);
        locks->shards[shard_of(hash) / 64] |= (uint64_t)1 << shard_of(hash) % 64;
        locks->any = true;
    }
    for (int word = 0; word < SHARDS / 64; word++) {
        for (uint64_t bits = locks->shards[word]; bits; bits &= bits - 1)
            lock_take(&c->server->keyspace.shards[word * 64 + __builtin_ctzll(bits)].lock);
    }
    if (locks->any && n > 1)
        look_ahead(c, keys, n);
}

void key_locks_take(struct key_locks *locks, struct call *c)
{
    struct key_position quick[POSITIONS_QUICK], *keys = quick;
    int n = command_keys(c->cmd, c->argv, c->argc, quick, POSITIONS_QUICK);

    locks->any = false;
    if (n <= 0)
        return;
    if (n > POSITIONS_QUICK) {
        keys = mem_alloc((size_t)n * sizeof(*keys));
        command_keys(c->cmd, c->argv, c->argc, keys, n);
    }
    lock_positions(locks, c, keys, n);
    if (keys != quick)
        mem_free(keys);
}

void key_locks_release(struct key_locks *locks, struct keyspace *ks)
{
    if (!locks->any)
        return;
    for (int word = 0; word < SHARDS / 64; word++) {
        for (uint64_t bits = locks->shards[word]; bits; bits &= bits - 1)
            lock_release(&ks->shards[word * 64 + __builtin_ctzll(bits)].lock);
    }
}
