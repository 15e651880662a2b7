/* What follows from changes, see effects.h. */
#include "server/effects.h"

#include "base/mem.h"
#include "server/backend/dirty.h"
#include "server/backend/lazy.h"
#include "server/expirer.h"
#include "server/keyvalue.h"
#include "server/notify.h"
#include "server/policer.h"
#include "server/reaper.h"
#include "server/serving.h"
#include "server/tracking.h"
#include "server/watch.h"
#include "storage/long_save.h"
#include "storage/value_types.h"

static const struct {
    const char *name;
    int class;
} events[] = {
#define EVENT(id, name, class) [EVENT_##id] = {name, class},
#include "server/events.def"
#undef EVENT
};

const char *event_name(enum key_event event)
{
    return events[event].name;
}

int event_class(enum key_event event)
{
    return events[event].class;
}

void effect_event(struct worker *w, int db, struct slice key, enum key_event event)
{
    if (UNLIKELY(w->server->conf->notify_keyspace_events & events[event].class))
        notify(w, NULL, &(struct news){.db = db, .key = key, .event = event});
}

/* Whether anybody is to be told of this event. */
static inline bool is_news(const struct worker *w, const struct shard *home, enum key_event event)
{
    return home->heard || w->server->conf->notify_keyspace_events & events[event].class;
}

void effect_further(struct worker *w, int db, unsigned shard, const struct entry *e,
                    struct slice key, enum key_event event)
{
    const struct shard *home = &w->server->keyspace.shards[shard];

    if (UNLIKELY(is_news(w, home, event)))
        notify(w, home, &(struct news){db, key, event, e, e->version, false});
}

static void note_end(struct worker *w, int db, unsigned shard, const struct entry *e)
{
    if (e->policed)
        policer_changed(w, db, shard, e);
    if (entry_has_times(e))
        expirer_note(w, shard, entry_times_first(entry_times(e)));
}

/* The key lives in a table of which memory does not have all. */
static void mark_dirty(struct shard *home, struct slice key, bool gone)
{
    dirty_mark(home, key);
    if (UNLIKELY(home->lazy) && gone)
        lazy_note_gone(home, key, hash_bytes(key));
    else if (UNLIKELY(home->lazy))
        lazy_note_changed(home, key, hash_bytes(key));
}

/* Who is told of a change, in this order. */
static void tell_changed(struct worker *w, int db, unsigned shard, struct entry *e,
                         struct slice key, enum key_event event, bool unasked)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    if (tracking_cares(w->server, home))
        tracking_changed(w, home, key, unasked);
    if (home->waited)
        serving_note(w, db, home, e, key);
    if (entry_may_end(e))
        note_end(w, db, shard, e);
    if (is_news(w, home, event))
        notify(w, home, &(struct news){db, key, event, e, e->version, false});
}

static NOINLINE uint64_t draw_logged(struct worker *w, struct shard *home, int db, struct slice key,
                                     uint64_t has)
{
    uint64_t version = keyspace_next_version(&w->server->keyspace, home, has);

    recording_version(w, db, key, version);
    return version;
}

/* The key's next version, which has one, or 0. */
ALWAYS_INLINE uint64_t next_version(struct worker *w, struct shard *home, int db, struct slice key,
                                    uint64_t has)
{
    if (LIKELY(w->server->keyspace.version_source == VERSIONS_OF_SHARDS))
        return keyspace_next_version(&w->server->keyspace, home, has);
    return draw_logged(w, home, db, key, has);
}

/* What may follow from a change besides its version. */
static NOINLINE void follow(struct worker *w, int db, unsigned shard, struct entry *e,
                            struct slice key, enum key_event event)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    if (home->dirty && db == 0)
        mark_dirty(home, key, false);
    tell_changed(w, db, shard, e, key, event, false);
}

/* One look for all of it: nearly always there is nothing. */
void effect_changed(struct worker *w, int db, unsigned shard, struct entry *e, struct slice key,
                    enum key_event event)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    e->version = next_version(w, home, db, key, e->version);
    w->stats.dirty++;
    if (UNLIKELY((uintptr_t)home->waited | (uintptr_t)home->tracked | (uintptr_t)home->dirty ||
                 is_news(w, home, event) || entry_may_end(e) || tracking_cares(w->server, home)))
        follow(w, db, shard, e, key, event);
}

static void tell_removed(struct worker *w, int db, unsigned shard, struct slice key,
                         const struct entry *last, enum key_event event, uint64_t version)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    if (UNLIKELY(home->watched))
        watch_removed(home, db, key, version);
    if (UNLIKELY(home->waited))
        serving_note(w, db, home, NULL, key);
    if (UNLIKELY(tracking_cares(w->server, home)))
        tracking_changed(w, home, key, event == EVENT_EXPIRED || event == EVENT_EVICTED);
    if (UNLIKELY(is_news(w, home, event)))
        notify(w, home, &(struct news){db, key, event, last, version, true});
}

void effect_removed_aside(struct worker *w, int db, unsigned shard, struct slice key,
                          const struct entry *last, enum key_event event)
{
    bool logged = server_gate(w->server, GATE_LOGGED);

    if (UNLIKELY(logged)) {
        recording_begin(w);
        recording_drop(w, db, key);
    }
    effect_removed(w, db, shard, key, last, event);
    if (UNLIKELY(logged))
        recording_end_in(w, shard);
}

void effect_removed(struct worker *w, int db, unsigned shard, struct slice key,
                    const struct entry *last, enum key_event event)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    if (UNLIKELY(home->dirty) && db == 0)
        mark_dirty(home, key, true);
    w->stats.dirty++;
    tell_removed(w, db, shard, key, last, event, next_version(w, home, db, key, 0));
}

void effect_changed_there(struct worker *w, unsigned shard, struct entry *e, struct slice key)
{
    struct keyspace *ks = &w->server->keyspace;

    e->version = keyspace_next_version(ks, &ks->shards[shard], e->version);
    tell_changed(w, 0, shard, e, key, EVENT_SET, true);
}

void effect_removed_there(struct worker *w, unsigned shard, struct slice key,
                          const struct entry *last, enum key_event event)
{
    struct keyspace *ks = &w->server->keyspace;

    tell_removed(w, 0, shard, key, last, event, keyspace_next_version(ks, &ks->shards[shard], 0));
}

void effect_arrived(struct worker *w, int db, unsigned shard, const struct entry *e)
{
    if (entry_may_end(e))
        note_end(w, db, shard, e);
}

void effect_drop(struct worker *w, int db, uint64_t hash, struct found f, enum key_event event)
{
    struct entry *e = keyspace_take(&w->server->keyspace, db, hash, f);

    if (event == EVENT_EXPIRED)
        w->stats.expired_keys++;
    else
        w->stats.evicted_keys++;
    effect_removed_aside(w, db, shard_of(hash), entry_key(e), e, event);
    effect_discard(w, e);
}

static void drop_empty(struct worker *w, int db, uint64_t hash, struct found f)
{
    struct entry *e = keyspace_take(&w->server->keyspace, db, hash, f);
    unsigned shard = shard_of(hash);

    e->version = keyspace_next_version(&w->server->keyspace, &w->server->keyspace.shards[shard], 0);
    effect_further(w, db, shard, e, entry_key(e), EVENT_HEXPIRED);
    effect_removed(w, db, shard, entry_key(e), e, EVENT_DEL);
    effect_discard(w, e);
}

/* Who is told of parts that go. */
struct parting {
    struct worker *worker;
    const struct shard *home;
    struct slice key; /* borrowed from the entry as it was */
    int db;
};

static void part_gone(struct slice name, void *opaque)
{
    const struct parting *p = opaque;

    if (keyvalue_wanted(p->worker->server))
        keyvalue_touch(p->worker, p->home, p->key, name);
    if (server_gate(p->worker->server, GATE_LOGGED))
        recording_drop_field(p->worker, p->db, p->key, name);
}

static size_t expire_parts(struct worker *w, int db, uint64_t hash, struct found *f, int64_t now_ms)
{
    enum { PARTS_MAX = 64 };
    struct parting parting = {w, &w->server->keyspace.shards[shard_of(hash)], entry_key(f->entry),
                              db};
    struct part_visitor who = {part_gone, &parting};
    struct entry_times was = entry_times(f->entry);
    bool gone, logged = server_gate(w->server, GATE_LOGGED);
    size_t n;

    if (UNLIKELY(logged))
        recording_begin(w);
    space_will_change(keyspace_space(&w->server->keyspace, db, shard_of(hash)), hash);
    n = value_expire_parts(&f->entry, now_ms, PARTS_MAX, &gone,
                           keyvalue_wanted(w->server) || logged ? &who : NULL);

    w->stats.expired_subkeys += n;
    keyspace_replace(&w->server->keyspace, db, hash, f->place, was, f->entry);
    if (UNLIKELY(logged))
        recording_dropped_fields(w, db, entry_key(f->entry), gone);
    if (gone) {
        drop_empty(w, db, hash, *f);
        f->entry = NULL;
    } else {
        effect_changed(w, db, shard_of(hash), f->entry, entry_key(f->entry), EVENT_HEXPIRED);
    }
    if (UNLIKELY(logged))
        recording_end_in(w, shard_of(hash));
    return n < PARTS_MAX ? n : PARTS_MAX;
}

size_t effect_expire(struct worker *w, int db, uint64_t hash, struct found *f, int64_t now_ms)
{
    if (LIKELY(!entry_expired(f->entry, now_ms)))
        return expire_parts(w, db, hash, f, now_ms);
    effect_drop(w, db, hash, *f, EVENT_EXPIRED);
    f->entry = NULL;
    return 1;
}

void effect_emptying(struct worker *w, int db)
{
    watch_databases(&w->server->keyspace, db, -1, w->now_ms);
    if (db == 0 && w->server->home)
        dirty_emptying(w->server->home);
    keyvalue_flushed(w, db);
    serving_note_emptied(w, db);
}

void effect_swapping(struct worker *w, int a, int b)
{
    watch_databases(&w->server->keyspace, a, b, w->now_ms);
}

void effect_swapped(struct worker *w, int a, int b)
{
    uint64_t version;

    version = effect_database(w, 1);
    if (a == b)
        return;
    keyspace_renew(&w->server->keyspace, a, version);
    keyspace_renew(&w->server->keyspace, b, version);
    serving_note_swap(w, a, b);
    keyvalue_swapped(w, a, b);
}

/*
 * All shards, since a version that a client remembers of any key must not come again. A logged one
 * is the same for all.
 */
uint64_t effect_database(struct worker *w, uint64_t changes)
{
    struct keyspace *ks = &w->server->keyspace;
    uint64_t version = 0;

    w->stats.dirty += changes;
    if (ks->version_source != VERSIONS_OF_SHARDS)
        version = draw_logged(w, &ks->shards[0], -1, SLICE(""), 0);
    if (version)
        versions_raise(ks, version);
    for (unsigned i = 0; !version && i < SHARDS; i++)
        keyspace_next_version(ks, &ks->shards[i], 0);
    return version;
}

void effect_discard(struct worker *w, struct entry *e)
{
    if (LIKELY(e->form < FORM_BLOB)) {
        entry_free(e);
        return;
    }
    if (UNLIKELY(long_save_of(e) != NULL)) {
        long_save_adopt(long_save_of(e), e);
        return;
    }
    if (w->discarded_len == w->discarded_cap) {
        w->discarded_cap = w->discarded_cap ? w->discarded_cap * 2 : 16;
        w->discarded = mem_realloc(w->discarded, w->discarded_cap * sizeof(e));
    }
    w->discarded[w->discarded_len++] = e;
}

/* What takes long is the reaper's. */
static void free_discarded(struct worker *w, struct entry *e)
{
    enum { EFFORT_MAX = 64 };

    if (e->form == FORM_OUTSIDE && value_effort(e->type, entry_object(e)) > EFFORT_MAX)
        reaper_give_entry(w->server->reaper, e);
    else
        entry_free(e);
}

void effect_settle(struct worker *w)
{
    while (w->discarded_len)
        free_discarded(w, w->discarded[--w->discarded_len]);
}
