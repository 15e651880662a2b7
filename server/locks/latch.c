/* Latches, see latch.h. */
#include "server/locks/latch.h"

#include "base/mem.h"

static uint64_t hash_of(const void *item)
{
    return ((const struct latch *)item)->hash;
}

static bool is_named(const void *item, struct slice name)
{
    return slice_eq(latch_name(item), name);
}

struct latch *latch_find(const struct latches *t, struct slice name, uint64_t hash)
{
    struct table_place place;

    return t ? table_find(&t->table, hash, name, is_named, &place) : NULL;
}

static struct latch *add(struct latches *t, struct slice name, uint64_t hash)
{
    struct latch *l = mem_alloc(sizeof(*l) + name.len);

    *l = (struct latch){.hash = hash, .len = (uint32_t)name.len};
    l->reopens.kind = DEADLINE_REOPENS;
    list_init(&l->holders);
    list_init(&l->queue);
    bytes_copy(l->name, name.ptr, name.len);
    table_insert(&t->table, hash, l, hash_of);
    return l;
}

/* The table stays when it becomes empty: most shards that had locks will have more. */
struct latch *latch_make(struct shard *shard, struct slice name, uint64_t hash)
{
    struct latch *l = latch_find(shard->locks, name, hash);

    if (UNLIKELY(!shard->locks))
        shard->locks = mem_zalloc(sizeof(*shard->locks));
    return l ? l : add(shard->locks, name, hash);
}

void latch_drop_unused(struct shard *shard, struct latch *l)
{
    struct table *t = &shard->locks->table;
    struct table_place place;

    if (latch_in_use(l) || l->pins || l->reopens.place)
        return;
    table_find(t, l->hash, latch_name(l), is_named, &place);
    table_remove(t, place, l->hash, hash_of);
    mem_free(l);
}

bool latch_fits(const struct latch *l, const struct lock_terms *terms)
{
    return terms->passing || !latch_in_use(l) || l->permits == terms->of;
}

bool latch_has_room(const struct latch *l, const struct lock_terms *terms)
{
    if (terms->passing)
        return l->guards == 0 && !(terms->shared ? l->passing_writers : l->passing);
    if (terms->guard && l->passing)
        return false;
    if (list_empty(&l->holders))
        return true;
    if (terms->of)
        return l->taken + terms->permits <= terms->of;
    return terms->shared && CONTAINER_OF(l->holders.next, struct holder, in_latch)->shared;
}

bool latch_admits(const struct latch *l, const struct lock_terms *terms)
{
    return !l->reopens.place && latch_has_room(l, terms);
}

struct holder *holder_new(struct latch *l, const struct lock_terms *terms, struct slice owner,
                          struct slice data)
{
    struct holder *h = mem_alloc(sizeof(*h) + owner.len + data.len);

    *h = (struct holder){
        .latch = l,
        .until_us = DEADLINE_NEVER,
        .count = 1,
        .permits = terms->permits,
        .shared = terms->shared,
        .guard = terms->guard,
        .guard_db = terms->guard_db,
        .passing = terms->passing,
        .owner_len = (uint32_t)owner.len,
        .data_len = (uint32_t)data.len,
    };
    list_init(&h->in_session);
    bytes_copy(h->text, owner.ptr, owner.len);
    bytes_copy(h->text + owner.len, data.ptr, data.len);
    if (!terms->passing)
        l->permits = terms->of;
    return h;
}

void holder_join(struct latches *t, struct holder *h)
{
    struct latch *l = h->latch;

    list_push(&l->holders, &h->in_latch);
    l->taken += h->permits;
    l->guards += h->guard;
    l->passing += h->passing;
    l->passing_writers += h->passing && !h->shared;
    t->holders++;
}

void holder_leave(struct latches *t, struct holder *h)
{
    struct latch *l = h->latch;

    list_remove(&h->in_latch);
    l->taken -= h->permits;
    l->guards -= h->guard;
    l->passing -= h->passing;
    l->passing_writers -= h->passing && !h->shared;
    t->holders--;
}

struct holder *latch_holder(const struct latch *l, uint64_t token)
{
    if (!l)
        return NULL;
    LIST_EACH (h, &l->holders, struct holder, in_latch) {
        if (h->token == token)
            return h;
    }
    return NULL;
}

bool latch_is_held(const struct keyspace *ks, struct slice name, uint64_t hash, uint64_t token,
                   int64_t now_us)
{
    const struct holder *h =
        latch_holder(latch_find(ks->shards[shard_of(hash)].locks, name, hash), token);

    return h && h->until_us > now_us;
}

static bool has_token(const void *item, struct slice as_name)
{
    uint64_t token;

    memcpy(&token, as_name.ptr, sizeof(token));
    return latch_holder(item, token) != NULL;
}

struct holder *latches_holder(const struct latches *t, uint64_t hash, uint64_t token)
{
    struct slice wanted = slice_make((const char *)&token, sizeof(token));
    struct table_place place;
    struct latch *l = t ? table_find(&t->table, hash, wanted, has_token, &place) : NULL;

    return latch_holder(l, token);
}

static void free_latch(void *item, void *opaque)
{
    struct latch *l = item;

    (void)opaque;
    LIST_EACH_SAFE (h, &l->holders, struct holder, in_latch)
        mem_free(h);
    mem_free(l);
}

void latches_free(struct shard *shard)
{
    if (!shard->locks)
        return;
    table_each(&shard->locks->table, free_latch, NULL);
    table_release(&shard->locks->table);
    deadlines_release(&shard->locks->deadlines);
    mem_free(shard->locks);
    shard->locks = NULL;
}
