/* What is known of keys that are not in memory, see lazy.h. */
#include "server/backend/lazy.h"

#include "base/mem.h"

enum { ABSENTS_MAX = 128 }; /* a shard */

static struct lazy *lazy_of(struct shard *shard)
{
    if (!shard->lazy) {
        shard->lazy = mem_zalloc(sizeof(*shard->lazy));
        shard->lazy->whole = true;
        list_init(&shard->lazy->absents);
    }
    return shard->lazy;
}

void lazy_begin(struct shard *shard)
{
    lazy_of(shard)->whole = false;
}

/* What is asked for stays until its answer comes, which is then of no use. */
static void make_stale(void *item, void *opaque)
{
    struct sought *s = item;

    (void)opaque;
    s->stale = s->asked;
}

void lazy_forget_absents(struct shard *shard)
{
    struct lazy *lazy = shard->lazy;

    if (!lazy)
        return;
    while (!list_empty(&lazy->absents)) {
        struct sought *s = CONTAINER_OF(lazy->absents.next, struct sought, absent_link);

        lazy_unmark_absent(shard, s);
        lazy_settle(shard, s);
    }
    if (lazy->sought)
        table_each(lazy->sought, make_stale, NULL);
}

static void forget_refresh(void *item, void *opaque)
{
    struct sought *s = item;

    (void)opaque;
    s->refresh = false;
}

/* What others did before has gone with all the rest. */
void lazy_become_whole(struct shard *shard)
{
    lazy_forget_absents(shard);
    if (!shard->lazy)
        return;
    if (shard->lazy->sought)
        table_each(shard->lazy->sought, forget_refresh, NULL);
    shard->lazy->whole = true;
}

struct sought *lazy_find(const struct shard *shard, struct slice key, uint64_t hash)
{
    struct named_key *k = shard->lazy ? named_keys_find(shard->lazy->sought, 0, key, hash) : NULL;

    return k ? CONTAINER_OF(k, struct sought, key) : NULL;
}

struct sought *lazy_take(struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *s = lazy_find(shard, key, hash);
    struct named_key *k;

    if (s)
        return s;
    k = named_keys_add(&lazy_of(shard)->sought, sizeof(struct sought), 0, key, hash);
    s = CONTAINER_OF(k, struct sought, key);
    list_init(&s->absent_link);
    list_init(&s->seekers);
    return s;
}

void lazy_settle(struct shard *shard, struct sought *s)
{
    if (!s->absent && !s->asked && !s->pins)
        named_keys_drop(&shard->lazy->sought, &s->key);
}

void lazy_unmark_absent(struct shard *shard, struct sought *s)
{
    if (!s->absent)
        return;
    s->absent = false;
    list_remove(&s->absent_link);
    shard->lazy->absents_len--;
}

static void forget_oldest(struct shard *shard)
{
    LIST_EACH (s, &shard->lazy->absents, struct sought, absent_link) {
        if (s->pins || s->asked)
            continue;
        lazy_unmark_absent(shard, s);
        lazy_settle(shard, s);
        return;
    }
}

void lazy_mark_absent(struct shard *shard, struct sought *s)
{
    struct lazy *lazy = shard->lazy;

    if (s->absent || (lazy->whole && !s->pins))
        return;
    if (lazy->absents_len >= ABSENTS_MAX)
        forget_oldest(shard);
    s->absent = true;
    list_push(&lazy->absents, &s->absent_link);
    lazy->absents_len++;
}

void lazy_note_changed(struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *s = lazy_find(shard, key, hash);

    if (!s)
        return;
    s->stale = s->asked;
    lazy_unmark_absent(shard, s);
    lazy_settle(shard, s);
}

void lazy_note_gone(struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *s;

    if (!shard->lazy || (shard->lazy->whole && !shard->lazy->sought))
        return;
    s = lazy_take(shard, key, hash);
    s->stale = s->asked;
    lazy_mark_absent(shard, s);
    lazy_settle(shard, s);
}

void lazy_note_committed(struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *s = lazy_find(shard, key, hash);

    if (s)
        s->stale = s->asked;
}

void lazy_pin(struct shard *shard, struct slice key, uint64_t hash)
{
    lazy_take(shard, key, hash)->pins++;
}

void lazy_unpin(struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *s = lazy_find(shard, key, hash);

    s->pins--;
    lazy_settle(shard, s);
}

bool lazy_is_pinned(const struct shard *shard, struct slice key, uint64_t hash)
{
    const struct sought *s = lazy_find(shard, key, hash);

    return s && (s->pins || s->asked);
}

static void free_item(void *item, void *opaque)
{
    (void)opaque;
    mem_free(item);
}

void lazy_release(struct keyspace *ks)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct lazy *lazy = ks->shards[i].lazy;

        if (lazy && lazy->sought) {
            table_each(lazy->sought, free_item, NULL);
            table_release(lazy->sought);
            mem_free(lazy->sought);
        }
        mem_free(lazy);
        ks->shards[i].lazy = NULL;
    }
}
