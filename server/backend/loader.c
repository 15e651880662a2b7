/* Loading a table, see loader.h. */
#include "server/backend/loader.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/access.h"
#include "server/backend/dirty.h"
#include "server/backend/home.h"
#include "server/expirer.h"
#include "storage/rows/rows.h"

enum { ROWS_A_SCAN = 2000, WARNINGS_MAX = 10 };

struct loader {
    struct reading *reading;
    struct backend *backend;
    struct rdb_limits limits;
    struct buf after, key;
    size_t seen; /* rows of this scan */
    uint64_t wrong;
    bool full;
};

/* What memory has is right if it is not in the table yet, or has the version of the row. */
static bool is_wanted(struct shard *shard, struct slice key, uint64_t hash, struct found there,
                      uint64_t version)
{
    if (dirty_has(shard, key, hash))
        return false;
    return !there.entry || !version || there.entry->version != version;
}

static void insert(struct server *s, struct entry *e)
{
    uint64_t hash = entry_hash(e);
    struct shard *shard = &s->keyspace.shards[shard_of(hash)];
    struct found there;
    bool wanted;

    world_enter();
    lock_take(&shard->lock);
    there = space_find(keyspace_space(&s->keyspace, 0, shard_of(hash)), hash, entry_key(e));
    wanted = is_wanted(shard, entry_key(e), hash, there, e->version);
    if (wanted) {
        if (there.entry)
            entry_free(keyspace_take(&s->keyspace, 0, hash, there));
        e->version = versions_of_snapshot(&s->keyspace, shard, e->version);
        e->access_or_member = access_first(s->conf, clock_wall_coarse_ms(), NULL);
        keyspace_insert(&s->keyspace, 0, hash, e);
    }
    lock_release(&shard->lock);
    world_leave();
    if (!wanted)
        entry_free(e);
}

static void warn(struct loader *l, const char *why)
{
    if (l->wrong++ < WARNINGS_MAX)
        log_warning("The row of key '%.*s' cannot be read: %s",
                    (int)(l->key.len < 64 ? l->key.len : 64), l->key.ptr, why);
}

static void take_row(void *arg, const struct backend_row *row)
{
    struct loader *l = arg;
    const char *why = "its key is none";
    struct entry *e = NULL;

    l->seen++;
    l->after.len = l->key.len = 0;
    buf_append_slice(&l->after, row->key);
    if (!row_get_key(row->key, &l->key) ||
        !reading_entry(row, buf_slice(&l->key), &l->limits, &e, &why))
        warn(l, why);
    if (e)
        insert(l->reading->server, e);
    reading_count(&l->reading->counts.loaded, e != NULL);
}

static bool is_full(const struct loader *l)
{
    int64_t limit;

    world_enter();
    limit = l->reading->server->conf->maxmemory;
    world_leave();
    return limit && mem_used() > (size_t)limit / 10 * 9;
}

static enum backend_status load(struct loader *l)
{
    const struct backend_driver *driver = l->reading->driver;
    enum backend_status status = BACKEND_OK;
    struct buf after = {0};

    do {
        struct backend_scan which = {
            .limit = ROWS_A_SCAN, .values = true, .now_ms = clock_wall_ms()};

        after.len = 0;
        buf_append_slice(&after, buf_slice(&l->after));
        if (after.len)
            which.after = buf_slice(&after);
        l->seen = 0;
        status = driver->scan(l->backend, &which, take_row, l);
        l->full = is_full(l);
    } while (status == BACKEND_OK && l->seen == ROWS_A_SCAN && !l->full &&
             !atomic_load(&l->reading->server->shutdown_asked));
    buf_release(&after);
    return status;
}

bool loader_run(struct reading *r, bool *complete)
{
    struct loader l = {.reading = r, .limits = reading_limits(r)};
    struct backend_error error = {""};
    enum backend_status status = BACKEND_DOWN;
    int64_t start = clock_mono_ms();
    uint64_t rows = 0;

    l.backend = reading_open(r, &status, &error);
    if (l.backend)
        status = r->driver->count(l.backend, clock_wall_ms(), &rows);
    atomic_store(&r->counts.to_load, rows);
    atomic_store(&r->counts.loaded, 0);
    if (status == BACKEND_OK)
        status = load(&l);
    if (status != BACKEND_OK)
        log_warning("The backend cannot be loaded: %s",
                    l.backend ? r->driver->error(l.backend)->text : error.text);
    else
        log_notice("Backend loaded: %llu rows in %lld ms%s",
                   (unsigned long long)atomic_load(&r->counts.loaded),
                   (long long)(clock_mono_ms() - start), l.full ? ", as many as fit" : "");
    if (l.backend)
        r->driver->close(l.backend);
    buf_release(&l.after);
    buf_release(&l.key);
    *complete = status == BACKEND_OK && !l.full && !l.wrong;
    expirer_wake_all(r->server);
    return status == BACKEND_OK;
}
