/* Batches on their way into the table, see drain.h. */
#include "server/backend/drain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/link.h"
#include "server/backend/reading.h"
#include "server/durability.h"
#include "server/later.h"
#include "server/server.h"
#include "storage/log/journal.h"
#include "storage/rows/rows.h"

#include <stdio.h>

enum { ROWS_A_LOCK = 64, DIGITS = 24 };

struct flush {
    struct list link;
    struct later *later;
    uint64_t epoch;
    int64_t until_ms;
};

/* The batch under way, the home's thread's; it is as it was until it is committed or given up. */
struct drain {
    struct home *home;
    bool underway;
    struct dirty_row **rows;
    size_t len, cap;
    bool empties;
    uint64_t epoch;    /* that it commits */
    uint64_t position; /* in the log */
    uint64_t failures; /* as they were: another count means that it was given up */
    struct buf keys;   /* texts of those that do not stand as they are */

    /* What the driver is given. */
    struct backend_row *puts;
    struct slice *deletes;
    struct list flushes; /* home's lock */
};

struct drain *drain_new(struct home *h)
{
    struct drain *d = mem_zalloc(sizeof(*d));

    d->home = h;
    list_init(&d->flushes);
    return d;
}

static void free_rows(struct drain *d)
{
    for (size_t i = 0; i < d->len; i++)
        mem_free(d->rows[i]);
    d->len = 0;
}

void drain_free(struct drain *d)
{
    while (!list_empty(&d->flushes)) {
        struct flush *f = CONTAINER_OF(d->flushes.next, struct flush, link);

        list_remove(&f->link);
        mem_free(f);
    }
    free_rows(d);
    mem_free(d->rows);
    mem_free(d->puts);
    mem_free(d->deletes);
    buf_release(&d->keys);
    mem_free(d);
}

bool drain_has_work(const struct home *h)
{
    return h->drain->underway || h->emptied || dirty_any(h) || link_ceiling_due(h) ||
           atomic_load(&h->wants_position);
}

/* ---- making a batch -------------------------------------------------------------------------- */

static void take_shard(struct drain *d, unsigned shard)
{
    struct home *h = d->home;
    struct lock *lock = &h->server->keyspace.shards[shard].lock;
    size_t n;

    do {
        if (d->len + ROWS_A_LOCK > d->cap) {
            d->cap = d->cap ? d->cap * 2 : 1024;
            d->rows = mem_realloc(d->rows, d->cap * sizeof(*d->rows));
        }
        lock_take(lock);
        n = dirty_take(&h->dirty[shard], d->rows + d->len, ROWS_A_LOCK);
        lock_release(lock);
        d->len += n;
    } while (n == ROWS_A_LOCK);
}

static void take_all(struct drain *d)
{
    struct home *h = d->home;

    for (unsigned word = 0; word < SHARDS / 64; word++) {
        uint64_t bits = h->cut[word];

        for (; bits; bits &= bits - 1) {
            world_enter();
            take_shard(d, word * 64 + (unsigned)__builtin_ctzll(bits));
            world_leave();
        }
        h->cut[word] = 0;
    }
}

/* One moment of the keyspace, and of the log. */
static bool make_batch(struct drain *d)
{
    struct home *h = d->home;

    world_enter();
    world_stop();
    atomic_store(&h->underway_ms, atomic_exchange(&h->fresh_ms, 0));
    d->empties = h->emptied;
    h->emptied = false;
    d->underway = dirty_cut(h) || d->empties || link_ceiling_due(h);
    d->underway = atomic_exchange(&h->wants_position, false) || d->underway;
    d->epoch = h->cut_epoch;
    d->position = journal_split(h->server->journal);
    d->failures = atomic_load(&h->failures);
    world_resume();
    world_leave();
    take_all(d);
    return d->underway;
}

/* ---- what the driver is given ---------------------------------------------------------------- */

/* Texts are made first, since the buffer moves while it grows. */
static void write_keys(struct drain *d)
{
    d->keys.len = 0;
    for (size_t i = 0; i < d->len; i++) {
        if (!row_key_is_plain(d->rows[i]->key))
            row_put_key(&d->keys, d->rows[i]->key);
    }
}

static struct slice next_key(const struct drain *d, const struct dirty_row *row, size_t *used)
{
    struct slice key = row->key;

    if (row_key_is_plain(key))
        return key;
    key = slice_make(d->keys.ptr + *used, sizeof(ROW_KEY_PREFIX) - 1 + (row->key.len + 2) / 3 * 4);
    *used += key.len;
    return key;
}

static void fill(struct drain *d, struct backend_batch *batch)
{
    size_t used = 0;

    write_keys(d);
    d->puts = mem_realloc(d->puts, (d->len + 1) * sizeof(*d->puts));
    d->deletes = mem_realloc(d->deletes, (d->len + 1) * sizeof(*d->deletes));
    for (size_t i = 0; i < d->len; i++) {
        const struct dirty_row *row = d->rows[i];
        struct slice key = next_key(d, row, &used);

        if (row->gone)
            d->deletes[batch->deletes_len++] = key;
        else
            d->puts[batch->puts_len++] = (struct backend_row){
                .key = key,
                .value = row->value,
                .type = row->type,
                .more = row->more,
                .expiry = row->expiry == EXPIRY_NONE ? BACKEND_NO_EXPIRY : row->expiry,
                .version = row->version,
            };
    }
    batch->puts = d->puts;
    batch->deletes = d->deletes;
    batch->clear = d->empties;
}

/* ---- what has become of it ------------------------------------------------------------------- */

static void on_rejected(void *arg, struct slice key, const char *why)
{
    struct home *h = arg;

    atomic_fetch_add(&h->rejected, 1);
    log_warning("The backend would not take the row of key '%.*s': %s",
                (int)(key.len < 256 ? key.len : 256), key.ptr, why);
}

static void land(struct drain *d)
{
    struct keyspace *ks = &d->home->server->keyspace;

    for (size_t i = 0; i < d->len; i++) {
        unsigned shard = shard_of(d->rows[i]->hash);

        world_enter();
        lock_take(&ks->shards[shard].lock);
        dirty_landed(&d->home->dirty[shard], d->rows[i]);
        lock_release(&ks->shards[shard].lock);
        world_leave();
    }
    d->len = 0;
}

/*
 * A batch that was given up, and perhaps is in the table all the same: what was read meanwhile
 * may be of before.
 */
static void withdraw(struct drain *d)
{
    struct keyspace *ks = &d->home->server->keyspace;

    for (size_t i = 0; i < d->len; i++) {
        unsigned shard = shard_of(d->rows[i]->hash);

        world_enter();
        lock_take(&ks->shards[shard].lock);
        if (!dirty_has(&ks->shards[shard], d->rows[i]->key, d->rows[i]->hash))
            dirty_forget(&d->home->dirty[shard], d->rows[i]->key, d->rows[i]->hash);
        lock_release(&ks->shards[shard].lock);
        world_leave();
        mem_free(d->rows[i]);
    }
    d->len = 0;
    d->underway = false;
}

static void tell(struct home *h)
{
    if (h->through)
        durability_reached(h->server);
    pthread_mutex_lock(&h->lock);
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* It may have been given up while it was under way, and be in the table all the same. */
static bool was_given_up(const struct drain *d)
{
    return atomic_load(&d->home->failures) != d->failures;
}

static void commit(struct drain *d, const struct backend_batch *batch, uint64_t rejected)
{
    struct home *h = d->home;

    atomic_fetch_add(&h->rows_written, batch->puts_len);
    atomic_fetch_add(&h->rows_deleted, batch->deletes_len);
    atomic_fetch_add(&h->batches, 1);
    atomic_store(&h->log_position, d->position);
    d->underway = false;
    atomic_store(&h->underway_ms, 0);
    if (h->through && atomic_load(&h->rejected) != rejected) {
        world_enter();
        world_stop();
        drain_give_up(h);
        world_resume();
        world_leave();
    }
    if (was_given_up(d)) {
        withdraw(d);
    } else {
        atomic_store(&h->committed, d->epoch);
        land(d);
    }
    tell(h);
}

static enum backend_status apply(struct drain *d)
{
    struct home *h = d->home;
    struct backend_batch batch = {0};
    struct backend_note notes[LINK_NOTES];
    char texts[LINK_NOTES][LINK_NOTE_LEN];
    uint64_t rejected = atomic_load(&h->rejected);
    int64_t start = clock_mono_us();
    enum backend_status status;

    fill(d, &batch);
    batch.notes = notes;
    batch.notes_len = link_notes(h, d->position, notes, texts);
    status = h->driver->apply(h->b, &batch, on_rejected, h);
    if (status == BACKEND_OK) {
        link_noted(h);
        atomic_store(&h->last_batch_us, clock_mono_us() - start);
        commit(d, &batch, rejected);
        if (batch.clear)
            reading_table_emptied(h->reading);
    }
    return status;
}

enum backend_status drain_run(struct home *h)
{
    struct drain *d = h->drain;

    if (d->underway && was_given_up(d))
        withdraw(d);
    if (!d->underway && !make_batch(d))
        return BACKEND_OK;
    return apply(d);
}

uint64_t drain_give_up(struct home *h)
{
    uint64_t n = dirty_forget_all(h);

    if (home_is_emptying(h))
        reading_part_all(h->reading); /* the table is not emptied after all */
    h->emptied = false;
    atomic_store(&h->fresh_ms, 0);
    atomic_store(&h->underway_ms, 0);
    atomic_fetch_add(&h->given_up, n);
    atomic_fetch_add(&h->failures, 1);
    atomic_store(&h->committed, h->cut_epoch);
    atomic_store(&h->wants_position, true); /* the log is not to do it once more */
    return n;
}

/* ---- waiting for it -------------------------------------------------------------------------- */

void drain_ask(struct home *h)
{
    home_wake(h);
}

/* The epoch with which all that is dirty by now is in the table. */
static uint64_t epoch_by_now(struct home *h)
{
    uint64_t epoch;

    world_enter();
    world_stop();
    epoch = dirty_any(h) || h->emptied ? h->epoch : h->cut_epoch;
    world_resume();
    world_leave();
    return epoch;
}

bool drain_barrier(struct home *h, int64_t timeout_ms)
{
    uint64_t epoch = epoch_by_now(h), failures = atomic_load(&h->failures);
    int64_t until = clock_mono_ms() + timeout_ms;
    bool good;

    pthread_mutex_lock(&h->lock);
    while (atomic_load(&h->committed) < epoch && clock_mono_ms() < until &&
           atomic_load(&h->failures) == failures && !atomic_load(&h->ending)) {
        struct timespec ts;

        home_wake_locked(h);
        clock_gettime(CLOCK_MONOTONIC, &ts);
        ts.tv_nsec += 20 * 1000 * 1000;
        if (ts.tv_nsec >= 1000000000) {
            ts.tv_nsec -= 1000000000;
            ts.tv_sec++;
        }
        pthread_cond_timedwait(&h->changed, &h->lock, &ts);
    }
    good = atomic_load(&h->committed) >= epoch && atomic_load(&h->failures) == failures;
    pthread_mutex_unlock(&h->lock);
    return good;
}

void drain_flush(struct home *h, struct later *later)
{
    struct flush *f = mem_zalloc(sizeof(*f));

    f->later = later;
    f->epoch = dirty_any(h) || h->emptied ? h->epoch : h->cut_epoch;
    f->until_ms = clock_mono_ms() + h->options.timeout_ms;
    pthread_mutex_lock(&h->lock);
    list_push(&h->drain->flushes, &f->link);
    pthread_mutex_unlock(&h->lock);
    home_wake(h);
}

static struct flush *take_due(struct home *h, bool *good)
{
    struct flush *found = NULL;

    pthread_mutex_lock(&h->lock);
    LIST_EACH (f, &h->drain->flushes, struct flush, link) {
        *good = atomic_load(&h->committed) >= f->epoch;
        if (*good || clock_mono_ms() >= f->until_ms) {
            found = f;
            break;
        }
    }
    if (found)
        list_remove(&found->link);
    pthread_mutex_unlock(&h->lock);
    return found;
}

void drain_answer(struct home *h)
{
    struct flush *f;
    bool good;

    while ((f = take_due(h, &good))) {
        later_answer(f->later,
                     good ? "+OK\r\n" : "-BACKEND what has changed is not in the table yet\r\n");
        mem_free(f);
    }
}
