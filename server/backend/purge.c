/* Rows whose time is over, see purge.h. */
#include "server/backend/purge.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/backend/lazy.h"
#include "server/backend/reading.h"
#include "server/effects.h"
#include "server/serving.h"
#include "storage/rows/rows.h"

enum {
    EVERY_MS = 1000,
    ROWS_A_STATEMENT = 500,
    /* What is in memory ends by itself, and is out of the table soon after; that is left to it. */
    LATE_MS = 200,
};

/* Keys, each behind its length. */
struct purged {
    size_t len;
    struct buf keys;
};

/* It may be here after all, and then it is no matter of the table's. */
static void end_key(struct worker *w, struct slice key)
{
    uint64_t hash = hash_bytes(key);
    struct keyspace *ks = &w->server->keyspace;
    struct shard *shard = &ks->shards[shard_of(hash)];

    lock_take(&shard->lock);
    if (!space_find(keyspace_space(ks, 0, shard_of(hash)), hash, key).entry &&
        !dirty_has(shard, key, hash)) {
        w->stats.expired_keys++;
        effect_removed_there(w, shard_of(hash), key, NULL, EVENT_EXPIRED);
    }
    serving_unlock(w, shard_of(hash));
}

static void end_keys(struct worker *w, void *arg)
{
    struct purged *p = arg;
    const char *at = p->keys.ptr;

    for (size_t i = 0; i < p->len; i++) {
        size_t len;

        memcpy(&len, at, sizeof(len));
        at += sizeof(len);
        end_key(w, slice_make(at, len));
        at += len;
    }
    effect_settle(w);
    buf_release(&p->keys);
    mem_free(p);
}

static void on_gone(void *arg, struct slice text)
{
    struct purged *p = arg;
    struct buf key = {0};

    if (row_get_key(text, &key)) {
        buf_append(&p->keys, (const char *)&key.len, sizeof(key.len));
        buf_append_slice(&p->keys, buf_slice(&key));
        p->len++;
    }
    buf_release(&key);
}

void purge_run(struct home *h, struct backend *b)
{
    int64_t now = clock_mono_ms();
    enum backend_status status;
    size_t gone;

    if (now - h->reading->purged_ms < EVERY_MS)
        return;
    h->reading->purged_ms = now;
    do {
        struct purged *p = mem_zalloc(sizeof(*p));

        status = h->driver->purge(b, clock_wall_ms() - LATE_MS, ROWS_A_STATEMENT, on_gone, p);
        gone = p->len;
        reading_count(&h->reading->counts.purged, gone);
        worker_call(&h->server->workers[0], end_keys, p);
    } while (status == BACKEND_OK && gone == ROWS_A_STATEMENT);
}
