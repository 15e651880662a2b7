/*
 * The read side of a backend as a whole: what is shared by those who fetch rows (reader.h), look
 * for keys in the whole table (asker.h), and hear of what others change (watcher.h).
 */
#ifndef LK_SERVER_BACKEND_READING_H
#define LK_SERVER_BACKEND_READING_H

#include "storage/backend/backend.h"
#include "storage/rdb/rdb_decode.h"

#include <pthread.h>
#include <stdatomic.h>

struct info;
struct server;
struct shard;
struct reader;
struct asker;
struct watcher;

/* What INFO tells; any thread counts. */
struct reading_counts {
    _Atomic uint64_t selects;       /* statements that fetched rows */
    _Atomic uint64_t asked;         /* keys in them */
    _Atomic uint64_t fetched;       /* rows that came */
    _Atomic uint64_t absent;        /* keys without a row */
    _Atomic uint64_t waits;         /* requests that waited for rows */
    _Atomic uint64_t timeouts;      /* and were answered that none came */
    _Atomic uint64_t scans;         /* statements on the whole table */
    _Atomic uint64_t left;          /* keys that left memory */
    _Atomic uint64_t changed_there; /* keys that others have changed */
    _Atomic uint64_t purged;        /* rows whose time was over */
    _Atomic uint64_t reconnects;
    _Atomic uint64_t to_load, loaded; /* rows, when the server starts with all of them */
};

static inline void reading_count(_Atomic uint64_t *count, uint64_t n)
{
    atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

struct reading {
    struct server *server;
    const struct backend_driver *driver;
    const struct backend_url *url;
    struct backend_options options;
    struct reading_counts counts;
    _Atomic unsigned parted; /* shards of which not all keys are in memory */
    struct reader *reader;
    struct asker *asker;
    bool reads, asks, watches; /* these threads run */
    int64_t purged_ms;         /* the thread's that has the lease */
    struct watcher *watcher;   /* NULL: what others change is not looked for */
};

/* Made before the first thread runs; `options` is copied, the others borrowed until the end. */
struct reading *reading_new(struct server *s, const struct backend_driver *driver,
                            const struct backend_url *url, const struct backend_options *options);
void reading_free(struct reading *r);

/*
 * The table is this server's, and memory has of database 0 what is not in the table yet, and
 * nothing else. With `all`, this loads the whole table. False, and logged, if that fails. On a
 * thread that is not inside the world.
 */
bool reading_start(struct reading *r, bool all);
void reading_stop(struct reading *r);

/* Changes of others cannot be watched, whatever the options said. Before reading_start(). */
void reading_unwatched(struct reading *r);
/* Database 0 was emptied: memory is the whole truth. The world is stopped. */
void reading_emptied(struct reading *r);
/* So was the table: others may put rows into it from now on. On a thread outside of the world. */
void reading_table_emptied(struct reading *r);

/* Whether there are keys that are not in memory. */
static inline bool reading_is_parted(const struct reading *r)
{
    return atomic_load_explicit(&r->parted, memory_order_relaxed) > 0;
}
/* From now on there are keys of this shard that are not; of any. Locked; the world is stopped. */
void reading_part(struct reading *r, struct shard *shard);
void reading_part_all(struct reading *r);

/* Its lines of INFO's section. */
void reading_info(const struct reading *r, struct info *i);

/* ---- for its threads ------------------------------------------------------------------------- */

struct backend *reading_open(const struct reading *r, enum backend_status *status,
                             struct backend_error *error);
/* What the configuration says of encodings. The thread has a slot in the world, and is outside. */
struct rdb_limits reading_limits(const struct reading *r);
/* As row_get_entry(). */
bool reading_entry(const struct backend_row *row, struct slice key, const struct rdb_limits *limits,
                   struct entry **out, const char **why);
/* For waiting until a time of the monotonic clock. */
void reading_cond_init(pthread_cond_t *cond);
void reading_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

#endif
