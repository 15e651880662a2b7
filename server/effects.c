/* What follows from changes, see effects.h. */
#include "server/effects.h"

#include "base/mem.h"
#include "server/expirer.h"
#include "server/notify.h"
#include "server/reaper.h"
#include "server/serving.h"
#include "server/tracking.h"
#include "server/watch.h"
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
        notify(w, db, key, event);
}

void effect_changed(struct worker *w, int db, unsigned shard, struct entry *e, struct slice key,
                    enum key_event event)
{
    struct shard *home = &w->server->keyspace.shards[shard];

    e->version = shard_next_version(home);
    if (UNLIKELY(tracking_cares(w->server, home)))
        tracking_changed(w, home, key, false);
    w->stats.dirty++;
    if (UNLIKELY(home->waited))
        serving_note(w, db, home, e, key);
    if (UNLIKELY(e->has_expiry))
        expirer_note(w, shard, entry_expiry(e));
    effect_event(w, db, key, event);
}

void effect_removed(struct worker *w, int db, unsigned shard, struct slice key,
                    const struct entry *last, enum key_event event)
{
    struct shard *home = &w->server->keyspace.shards[shard];
    uint64_t version = shard_next_version(home);

    (void)last;
    if (UNLIKELY(home->watched))
        watch_removed(home, db, key, version);
    if (UNLIKELY(tracking_cares(w->server, home)))
        tracking_changed(w, home, key, event == EVENT_EXPIRED || event == EVENT_EVICTED);
    w->stats.dirty++;
    effect_event(w, db, key, event);
}

void effect_drop(struct worker *w, int db, uint64_t hash, struct found f, enum key_event event)
{
    struct entry *e = keyspace_take(&w->server->keyspace, db, hash, f);

    if (event == EVENT_EXPIRED)
        w->stats.expired_keys++;
    else
        w->stats.evicted_keys++;
    effect_removed(w, db, shard_of(hash), entry_key(e), e, event);
    effect_discard(w, e);
}

void effect_emptying(struct worker *w, int db)
{
    watch_databases(&w->server->keyspace, db, -1, w->now_ms);
}

void effect_swapping(struct worker *w, int a, int b)
{
    watch_databases(&w->server->keyspace, a, b, w->now_ms);
}

void effect_swapped(struct worker *w, int a, int b)
{
    if (a != b)
        serving_note_swap(w, a, b);
    effect_database(w, 1);
}

/* All shards, since a version that a client remembers of any key must not come again. */
void effect_database(struct worker *w, uint64_t changes)
{
    for (unsigned i = 0; i < SHARDS; i++)
        shard_next_version(&w->server->keyspace.shards[i]);
    w->stats.dirty += changes;
}

void effect_discard(struct worker *w, struct entry *e)
{
    if (LIKELY(e->form < FORM_BLOB)) {
        entry_free(e);
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
