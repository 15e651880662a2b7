/* Where versions come from, see version_source.h. */
#include "storage/version_source.h"

#include "base/mem.h"
#include "storage/keyspace.h"

#include <stdatomic.h>

enum { BELOW_ALL = 1 }; /* the version of what has none */

enum told { TOLD_NOTHING, TOLD_SAME, TOLD_IN_TURN, TOLD_HELD, TOLD_AS_IT_IS };

struct versions {
    CACHE_ALIGNED _Atomic uint64_t last; /* VERSIONS_OF_LOG: given last */
    CACHE_ALIGNED _Atomic uint64_t max;  /* VERSIONS_LOADED: the largest that came */
    _Atomic bool unknown;                /* there was something without */
    /* The loader's: */
    enum told told;
    uint64_t behind; /* the last of the group before */
    uint64_t given;  /* the last of the group in hand */
    int64_t off;     /* of the next group */
    uint32_t in_turn;
};

struct versions *versions_new(void)
{
    return mem_zalloc_lines(sizeof(struct versions));
}

void versions_free(struct versions *v)
{
    mem_free(v);
}

/* ---- giving ---------------------------------------------------------------------------------- */

static uint64_t draw_loaded(struct versions *v, uint64_t has)
{
    switch (v->told) {
    case TOLD_IN_TURN:
        v->given++;
        break;
    case TOLD_AS_IT_IS:
        return has;
    case TOLD_NOTHING:
        atomic_store_explicit(&v->unknown, true, memory_order_relaxed);
        return BELOW_ALL;
    default:
        break;
    }
    return v->given;
}

uint64_t versions_draw(struct keyspace *ks, struct shard *shard, uint64_t has)
{
    struct versions *v = ks->versions;

    if (ks->version_source == VERSIONS_LOADED)
        return draw_loaded(v, has);
    return shard->seq = atomic_fetch_add_explicit(&v->last, 1, memory_order_relaxed) + 1;
}

static uint64_t last_of_shards(const struct keyspace *ks)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < SHARDS; i++)
        last = ks->shards[i].seq > last ? ks->shards[i].seq : last;
    return last;
}

void versions_log(struct keyspace *ks, bool logged)
{
    if (logged && ks->version_source == VERSIONS_OF_SHARDS)
        atomic_store(&ks->versions->last, last_of_shards(ks));
    ks->version_source = logged ? VERSIONS_OF_LOG : VERSIONS_OF_SHARDS;
}

void versions_raise(struct keyspace *ks, uint64_t above)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        if (ks->shards[i].seq < above)
            ks->shards[i].seq = above;
    }
    if (ks->version_source == VERSIONS_OF_LOG && atomic_load(&ks->versions->last) < above)
        atomic_store(&ks->versions->last, above);
}

static void give_floor(void *item, void *floor)
{
    struct entry *e = item;

    if (e->version == BELOW_ALL)
        e->version = *(const uint64_t *)floor;
}

void versions_floor(struct keyspace *ks, uint64_t floor, bool all)
{
    for (int db = 0; db < ks->databases; db++) {
        for (unsigned i = 0; keyspace_is_used(ks, db) && i < SHARDS; i++) {
            if (!all)
                table_each(&keyspace_space(ks, db, i)->table, give_floor, &floor);
        }
        if (all)
            keyspace_renew(ks, db, floor);
    }
}

/* ---- loading --------------------------------------------------------------------------------- */

static void note_max(struct versions *v, uint64_t version)
{
    uint64_t max = atomic_load_explicit(&v->max, memory_order_relaxed);

    while (version > max && !atomic_compare_exchange_weak(&v->max, &max, version))
        ;
}

void versions_load_begin(struct keyspace *ks)
{
    struct versions *v = ks->versions;

    ks->version_source = VERSIONS_LOADED;
    atomic_store(&v->max, 0);
    atomic_store(&v->unknown, false);
    v->told = TOLD_NOTHING;
    v->behind = v->off = 0;
}

bool versions_load_end(struct keyspace *ks)
{
    struct versions *v = ks->versions;
    uint64_t max = atomic_load(&v->max);

    ks->version_source = VERSIONS_OF_SHARDS;
    if (max)
        versions_raise(ks, max + VERSIONS_AHEAD);
    return atomic_load(&v->unknown);
}

void versions_load_unknown(struct keyspace *ks)
{
    ks->versions->told = TOLD_NOTHING;
}

void versions_load_at(struct keyspace *ks, uint64_t last)
{
    struct versions *v = ks->versions;

    v->behind = last < VERSION_MAX ? last : 0;
    v->off = 0;
    v->in_turn = 0;
    v->told = TOLD_SAME;
    note_max(v, v->behind);
}

void versions_load_off(struct keyspace *ks, int64_t off, uint32_t in_turn)
{
    struct versions *v = ks->versions;

    if (v->told == TOLD_NOTHING)
        return;
    v->off = off;
    v->in_turn = in_turn;
}

void versions_load_hold(struct keyspace *ks, int64_t off, bool as_it_is)
{
    struct versions *v = ks->versions;
    uint64_t version = v->behind + (uint64_t)off;

    if (v->told == TOLD_NOTHING || version > VERSION_MAX)
        return;
    v->told = as_it_is ? TOLD_AS_IT_IS : TOLD_HELD;
    v->given = v->behind = version;
    note_max(v, version);
}

void versions_load_floor(struct keyspace *ks, uint64_t floor, bool all)
{
    if (floor > VERSION_MAX)
        return;
    versions_floor(ks, floor, all);
    note_max(ks->versions, floor);
    atomic_store(&ks->versions->unknown, false);
}

void versions_load_group(struct keyspace *ks)
{
    struct versions *v = ks->versions;

    if (v->told != TOLD_SAME)
        return;
    v->given = v->behind + (uint64_t)v->off;
    if (v->in_turn > 1)
        v->told = TOLD_IN_TURN;
    else
        v->given++;
}

/* The log says how many it gave, not how many it takes to do the same again. */
void versions_load_group_end(struct keyspace *ks)
{
    struct versions *v = ks->versions;

    if (v->told != TOLD_SAME && v->told != TOLD_IN_TURN)
        return;
    v->behind += (uint64_t)v->off + (v->told == TOLD_IN_TURN ? v->in_turn : 1);
    v->told = TOLD_SAME;
    v->off = 0;
    v->in_turn = 0;
    note_max(v, v->behind);
}

uint64_t versions_loaded(struct keyspace *ks, uint64_t version)
{
    if (!version || version > VERSION_MAX) {
        atomic_store_explicit(&ks->versions->unknown, true, memory_order_relaxed);
        return BELOW_ALL;
    }
    note_max(ks->versions, version);
    return version;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

uint64_t versions_of_snapshot(struct keyspace *ks, struct shard *shard, uint64_t told)
{
    if (ks->version_source == VERSIONS_LOADED)
        return versions_loaded(ks, told);
    if (!told || told > VERSION_MAX)
        return keyspace_next_version(ks, shard, 0);
    if (told > shard->seq)
        shard->seq = told;
    return told;
}

void versions_above_snapshot(struct keyspace *ks, uint64_t seq, uint64_t ahead)
{
    if (!seq || seq > VERSION_MAX)
        return;
    if (ks->version_source == VERSIONS_LOADED) {
        versions_loaded(ks, seq);
        return;
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        lock_take(&ks->shards[i].lock);
        if (ks->shards[i].seq < seq + ahead)
            ks->shards[i].seq = seq + ahead;
        lock_release(&ks->shards[i].lock);
    }
}
