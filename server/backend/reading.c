/* The read side of a backend as a whole, see reading.h. */
#include "server/backend/reading.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/asker.h"
#include "server/backend/home.h"
#include "server/backend/lazy.h"
#include "server/backend/loader.h"
#include "server/backend/reader.h"
#include "server/backend/watcher.h"
#include "server/info.h"
#include "server/rdb_limits.h"
#include "storage/rows/rows.h"

#include <time.h>

/* ---- for its threads ------------------------------------------------------------------------- */

struct backend *reading_open(const struct reading *r, enum backend_status *status,
                             struct backend_error *error)
{
    return r->driver->open(r->url, &r->options, status, error);
}

struct rdb_limits reading_limits(const struct reading *r)
{
    struct rdb_limits limits;

    world_enter();
    limits = rdb_limits_of(r->server->conf);
    world_leave();
    return limits;
}

bool reading_entry(const struct backend_row *row, struct slice key, const struct rdb_limits *limits,
                   struct entry **out, const char **why)
{
    struct row_in in = {
        .value = row->value,
        .type = row->type,
        .more = row->more,
        .expiry = row->expiry == BACKEND_NO_EXPIRY ? EXPIRY_NONE : row->expiry,
        .version = row->version,
    };

    if (!row_get_entry(&in, key, limits, out, why))
        return false;
    if (*out)
        (*out)->version = row->version;
    return true;
}

void reading_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void reading_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    pthread_cond_timedwait(cond, lock, &until);
}

/* ---- what is in memory ----------------------------------------------------------------------- */

void reading_part(struct reading *r, struct shard *shard)
{
    if (!lazy_is_whole(shard))
        return;
    lazy_begin(shard);
    atomic_fetch_add(&r->parted, 1);
}

void reading_part_all(struct reading *r)
{
    for (unsigned i = 0; i < SHARDS; i++)
        reading_part(r, &r->server->keyspace.shards[i]);
}

/* Not if database 0 was emptied and the table was not yet. */
static void part_all(struct reading *r, const struct home *h)
{
    world_enter();
    for (unsigned i = 0; i < SHARDS && !h->emptied; i++) {
        struct shard *shard = &r->server->keyspace.shards[i];

        lock_take(&shard->lock);
        reading_part(r, shard);
        lock_release(&shard->lock);
    }
    world_leave();
}

static void become_whole(struct reading *r, struct shard *shard)
{
    if (!lazy_is_whole(shard))
        atomic_fetch_sub(&r->parted, 1);
    lazy_become_whole(shard);
}

void reading_unwatched(struct reading *r)
{
    r->options.watch = false;
}

void reading_emptied(struct reading *r)
{
    for (unsigned i = 0; i < SHARDS; i++)
        become_whole(r, &r->server->keyspace.shards[i]);
}

void reading_table_emptied(struct reading *r)
{
    const struct home *h = r->server->home;

    if (!r->watches && !h->all)
        part_all(r, h);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Whether the table has any rows; -1, and logged, if that cannot be known. */
static int has_rows(const struct reading *r)
{
    struct backend_error error = {""};
    enum backend_status status;
    struct backend *b = reading_open(r, &status, &error);
    uint64_t n = 0;

    if (b)
        status = r->driver->count(b, 0, &n);
    if (!b || status != BACKEND_OK) {
        log_warning("The backend cannot be read: %s", b ? r->driver->error(b)->text : error.text);
        n = UINT64_MAX;
    }
    if (b)
        r->driver->close(b);
    return n == UINT64_MAX ? -1 : n > 0;
}

/* Nothing is known yet of what is not in memory: another server may have had the table. */
static void forget_absents(struct reading *r)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &r->server->keyspace.shards[i];

        lock_take(&shard->lock);
        lazy_forget_absents(shard);
        lock_release(&shard->lock);
    }
}

static bool begin(struct reading *r, bool all)
{
    int rows;
    bool complete = true;

    if (r->options.watch)
        r->watches = !watcher_start(r->watcher);
    rows = has_rows(r);
    if (rows < 0 || r->watches != r->options.watch)
        return false;
    world_enter();
    forget_absents(r);
    world_leave();
    /* As long as all keys are said to be here, what others change meanwhile is looked at. */
    if (rows && all && !loader_run(r, &complete))
        return false;
    /* A table that is empty now stays so only if nobody else is heard to write to it. */
    if (all ? !complete : rows || !r->watches)
        part_all(r, r->server->home);
    r->reads = !reader_start(r->reader);
    r->asks = !asker_start(r->asker);
    return r->reads && r->asks;
}

bool reading_start(struct reading *r, bool all)
{
    bool good = begin(r, all);

    if (!good)
        reading_stop(r);
    return good;
}

void reading_stop(struct reading *r)
{
    if (r->watches)
        watcher_stop(r->watcher);
    if (r->reads)
        reader_stop(r->reader);
    if (r->asks)
        asker_stop(r->asker);
    r->watches = r->reads = r->asks = false;
}

struct reading *reading_new(struct server *s, const struct backend_driver *driver,
                            const struct backend_url *url, const struct backend_options *options)
{
    struct reading *r = mem_zalloc(sizeof(*r));

    r->server = s;
    r->driver = driver;
    r->url = url;
    r->options = *options;
    r->reader = reader_new(r);
    r->asker = asker_new(r);
    r->watcher = watcher_new(r);
    return r;
}

void reading_free(struct reading *r)
{
    if (!r)
        return;
    reader_free(r->reader);
    asker_free(r->asker);
    watcher_free(r->watcher);
    lazy_release(&r->server->keyspace);
    mem_free(r);
}

/* ---- INFO ------------------------------------------------------------------------------------ */

static void info_count(struct info *i, const char *field, const _Atomic uint64_t *count)
{
    info_int(i, field, (int64_t)atomic_load_explicit(count, memory_order_relaxed));
}

void reading_info(const struct reading *r, struct info *i)
{
    const struct reading_counts *n = &r->counts;

    info_int(i, "backend_all_in_memory", !reading_is_parted(r));
    info_count(i, "backend_selects", &n->selects);
    info_count(i, "backend_keys_asked", &n->asked);
    info_count(i, "backend_rows_fetched", &n->fetched);
    info_count(i, "backend_keys_absent", &n->absent);
    info_count(i, "backend_requests_waited", &n->waits);
    info_count(i, "backend_requests_timed_out", &n->timeouts);
    info_count(i, "backend_table_scans", &n->scans);
    info_count(i, "backend_keys_left", &n->left);
    info_count(i, "backend_rows_changed_there", &n->changed_there);
    info_count(i, "backend_rows_purged", &n->purged);
    info_count(i, "backend_rows_loaded", &n->loaded);
    info_count(i, "backend_rows_to_load", &n->to_load);
    info_count(i, "backend_read_reconnects", &n->reconnects);
}
