/* Locking the shards of several keys, see key_locks.h. */
#include "server/key_locks.h"

#include "base/mem.h"

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

static void add_positions(struct key_locks *locks, const struct call *c, uint64_t *hashes,
                          const struct key_position *keys, int n)
{
    for (int i = 0; i < n; i++) {
        if (keys[i].flags & KEY_NOT_KEY)
            continue;
        hashes[keys[i].index] = hash_bytes(c->argv[keys[i].index]);
        key_locks_add(locks, hashes[keys[i].index]);
    }
}

bool key_locks_hold(const struct key_locks *locks, struct keyspace *ks)
{
    uint64_t closer = 0;

    for (int word = 0; locks->any && word < SHARDS / 64; word++) {
        for (uint64_t bits = locks->shards[word]; bits; bits &= bits - 1) {
            struct shard *shard = &ks->shards[word * 64 + __builtin_ctzll(bits)];

            lock_take(&shard->lock);
            closer |= shard->guards | (uintptr_t)shard->lazy;
        }
    }
    return closer;
}

static bool has(const struct key_locks *locks, unsigned shard)
{
    return locks->shards[shard / 64] >> shard % 64 & 1;
}

static bool is_above_all(const struct key_locks *locks, unsigned shard)
{
    for (unsigned word = SHARDS / 64 - 1; word > shard / 64; word--) {
        if (locks->shards[word])
            return false;
    }
    return locks->shards[shard / 64] >> shard % 64 == 0;
}

bool key_locks_extend(struct key_locks *locks, struct keyspace *ks, uint64_t hash)
{
    struct lock *lock = &ks->shards[shard_of(hash)].lock;
    bool kept = true;

    if (has(locks, shard_of(hash)))
        return true;
    if (is_above_all(locks, shard_of(hash))) {
        lock_take(lock);
    } else if (!lock_try(lock)) {
        key_locks_release(locks, ks);
        kept = false;
    }
    key_locks_add(locks, hash);
    if (!kept)
        key_locks_hold(locks, ks);
    return kept;
}

int key_positions(const struct call *c, struct key_position quick[KEY_POSITIONS_QUICK],
                  struct key_position **keys)
{
    int n = command_keys(c->cmd, c->argv, c->argc, quick, KEY_POSITIONS_QUICK);

    *keys = quick;
    if (n > KEY_POSITIONS_QUICK) {
        *keys = mem_alloc((size_t)n * sizeof(**keys));
        command_keys(c->cmd, c->argv, c->argc, *keys, n);
    }
    return n;
}

bool key_locks_add_keys(struct key_locks *locks, const struct call *c, uint64_t *hashes)
{
    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int n = key_positions(c, quick, &keys);

    add_positions(locks, c, hashes, keys, n);
    if (keys != quick)
        mem_free(keys);
    return n > 0;
}

bool key_locks_take(struct key_locks *locks, struct call *c)
{
    bool closer;

    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int n = key_positions(c, quick, &keys);

    locks->any = false;
    if (n <= 0)
        return false;
    memset(locks, 0, sizeof(*locks));
    reserve_hashes(c->worker, (size_t)c->argc);
    c->hashes = c->worker->hashes;
    add_positions(locks, c, c->hashes, keys, n);
    closer = key_locks_hold(locks, &c->server->keyspace);
    if (locks->any && n > 1)
        look_ahead(c, keys, n);
    if (keys != quick)
        mem_free(keys);
    return closer;
}

void key_locks_release(const struct key_locks *locks, struct keyspace *ks)
{
    if (!locks->any)
        return;
    for (int word = 0; word < SHARDS / 64; word++) {
        for (uint64_t bits = locks->shards[word]; bits; bits &= bits - 1)
            lock_release(&ks->shards[word * 64 + __builtin_ctzll(bits)].lock);
    }
}
