/* Leaving memory, see leaving.h. */
#include "server/backend/leaving.h"

#include "server/backend/drain.h"
#include "server/backend/lazy.h"
#include "server/backend/reading.h"
#include "server/effects.h"

bool leaving_may(const struct server *s, const struct entry *e, uint64_t hash)
{
    const struct shard *shard = &s->keyspace.shards[shard_of(hash)];
    struct slice key = entry_key(e);

    return !dirty_has(shard, key, hash) && !lazy_is_pinned(shard, key, hash) &&
           !named_keys_find(shard->watched, 0, key, hash) &&
           !named_keys_find(shard->waited, 0, key, hash) && home_state(s->home) >= HOME_READY;
}

void leaving_drop(struct worker *w, uint64_t hash, struct found f)
{
    struct server *s = w->server;

    reading_part(s->home->reading, &s->keyspace.shards[shard_of(hash)]);
    reading_count(&s->home->reading->counts.left, 1);
    effect_discard(w, keyspace_take(&s->keyspace, 0, hash, f));
}

bool leaving_is_behind(const struct server *s)
{
    enum { PART_OF_MEMORY = 16 };

    return dirty_totals(s->home).bytes > (uint64_t)s->conf->maxmemory / PART_OF_MEMORY;
}

bool leaving_will_go_on(const struct server *s)
{
    if (!s->home || home_state(s->home) != HOME_READY || !dirty_totals(s->home).keys)
        return false;
    drain_ask(s->home);
    return true;
}
