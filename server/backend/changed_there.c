/* Rows that others change, see changed_there.h. */
#include "server/backend/changed_there.h"

#include "base/mem.h"
#include "server/access.h"
#include "server/backend/fetching.h"
#include "server/backend/home.h"
#include "server/backend/reading.h"
#include "server/effects.h"
#include "server/serving.h"
#include "server/tracking.h"
#include "storage/policed.h"
#include "storage/value_types.h"

/* ---- hearing of it --------------------------------------------------------------------------- */

/* Somebody is to be told of it though the key may not be in memory. */
static bool anybody_cares(const struct server *s, const struct shard *shard)
{
    return shard->waited || shard->watched || shard->tracked || shard->heard ||
           tracking_cares(s, shard) || s->conf->notify_keyspace_events;
}

/* What is not here and concerns nobody is looked for when somebody asks. */
static void note_locked(struct server *s, struct shard *shard, struct slice key, uint64_t hash)
{
    struct sought *sought = lazy_find(shard, key, hash);
    bool here = space_find(keyspace_space(&s->keyspace, 0, shard_of(hash)), hash, key).entry;

    if (s->home->emptied || (dirty_has(shard, key, hash) && !dirty_in_flight(shard, key, hash)))
        return; /* what is still to be written comes later */
    if (here || lazy_is_whole(shard) || anybody_cares(s, shard) || (sought && sought->pins)) {
        fetching_ask_again(s, shard, key, hash);
    } else if (sought) {
        sought->stale = sought->asked;
        lazy_unmark_absent(shard, sought);
        lazy_settle(shard, sought);
    }
}

void changed_there(struct worker *w, struct slice key)
{
    uint64_t hash = hash_bytes(key);
    struct shard *shard = &w->server->keyspace.shards[shard_of(hash)];

    lock_take(&shard->lock);
    note_locked(w->server, shard, key, hash);
    lock_release(&shard->lock);
}

/* ---- anything -------------------------------------------------------------------------------- */

struct all {
    struct server *server;
    struct shard *shard;
};

static void ask_for_entry(void *item, void *opaque)
{
    const struct all *all = opaque;
    const struct entry *e = item;

    fetching_ask_again(all->server, all->shard, entry_key(e), entry_hash(e));
}

/* Absent keys are not known to be that any more, and whatever is in memory is looked at. */
void changed_there_anything(struct worker *w)
{
    struct keyspace *ks = &w->server->keyspace;

    for (unsigned i = 0; i < SHARDS; i++) {
        struct all all = {w->server, &ks->shards[i]};

        lock_take(&all.shard->lock);
        reading_part(w->server->home->reading, all.shard);
        lazy_forget_absents(all.shard);
        table_each(&keyspace_space(ks, 0, i)->table, ask_for_entry, &all);
        lock_release(&all.shard->lock);
    }
}

/* ---- settling it ----------------------------------------------------------------------------- */

static bool is_same(const struct entry *a, const struct entry *b)
{
    struct digest x = value_digest(a), y = value_digest(b);
    struct entry_times s = entry_times(a), t = entry_times(b);

    return a->type == b->type && !memcmp(&x, &y, sizeof(x)) && s.key == t.key && s.part == t.part;
}

/* It is gone there, so it is gone here. */
static void remove_here(struct worker *w, struct shard *shard, struct sought *s, struct found there)
{
    uint64_t hash = s->key.hash;
    struct entry *last = there.entry ? keyspace_take(&w->server->keyspace, 0, hash, there) : NULL;

    effect_removed_there(w, shard_of(hash), named_key_name(&s->key), last, EVENT_DEL);
    if (last)
        effect_discard(w, last);
    lazy_mark_absent(shard, s);
}

static void replace_here(struct worker *w, struct found there, struct entry *e, uint64_t hash)
{
    struct keyspace *ks = &w->server->keyspace;
    struct entry *old = there.entry;

    e->access_or_member =
        access_first(w->server->conf, w->now_ms, keyspace_access(ks, 0, hash, old));
    e->version = old->version;
    if (UNLIKELY(old->policed))
        policed_succeed(ks, 0, hash, old, e);
    space_will_change(keyspace_space(ks, 0, shard_of(hash)), hash);
    keyspace_replace(ks, 0, hash, there.place, entry_times(old), e);
    effect_discard(w, old);
}

/* The version grows even if the row has one that others have left as it was. */
static void set_here(struct worker *w, struct shard *shard, struct sought *s, struct found there,
                     struct entry *e)
{
    uint64_t hash = s->key.hash;

    lazy_unmark_absent(shard, s);
    if (there.entry) {
        replace_here(w, there, e, hash);
    } else {
        fetching_put(w, shard, e, hash);
        effect_event(w, 0, entry_key(e), EVENT_NEW);
    }
    effect_changed_there(w, shard_of(hash), e, entry_key(e));
}

void changed_there_settle(struct worker *w, struct shard *shard, struct sought *s,
                          struct found there, struct entry *e)
{
    bool same = there.entry && e && is_same(there.entry, e);

    if (same || (!there.entry && !e && s->absent)) {
        if (e)
            entry_free(e);
        return;
    }
    reading_count(&w->server->home->reading->counts.changed_there, 1);
    if (e)
        set_here(w, shard, s, there, e);
    else
        remove_here(w, shard, s, there);
}
