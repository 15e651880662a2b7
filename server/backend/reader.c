/* The thread that fetches rows, see reader.h. */
#include "server/backend/reader.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/fetching.h"
#include "server/rdb_limits.h"
#include "storage/rows/rows.h"

#include <stdlib.h>

enum {
    KEYS_A_SELECT = 500,
    TRY_AGAIN_MS = 50, /* at first, and no less often than twice a second */
    TRY_AGAIN_MAX_MS = 500,
    IDLE_MS = 1000,
};

struct reader {
    struct reading *reading;
    pthread_t thread;
    pthread_mutex_t lock; /* the queue, and `ending` */
    pthread_cond_t wake;
    struct fetch *first, **last;
    bool ending;

    _Atomic int64_t down_since_ms; /* monotonic; 0: it answers */

    /* The thread's own. */
    struct backend *backend; /* NULL: not connected */
    unsigned next_worker;
    int patience_ms;
    struct rdb_limits limits;
    struct fetch *hand[KEYS_A_SELECT]; /* what it is about to ask for, by key */
    size_t hand_len;
    struct buf texts; /* of their keys */
};

struct fetch *fetch_new(struct slice key, uint64_t hash)
{
    struct fetch *f = mem_zalloc(sizeof(*f) + key.len);

    f->hash = hash;
    f->len = key.len;
    memcpy(f->key, key.ptr, key.len);
    return f;
}

void fetch_free(struct fetch *f)
{
    if (f->entry)
        entry_free(f->entry);
    mem_free(f);
}

void fetch_renew(struct fetch *f, int timeout_ms)
{
    if (f->entry)
        entry_free(f->entry);
    f->entry = NULL;
    f->outcome = FETCH_ABSENT;
    f->until_ms = clock_mono_ms() + timeout_ms;
}

/* ---- the queue ------------------------------------------------------------------------------- */

void reader_ask(struct reader *r, struct fetch *f, int after_ms)
{
    bool first;

    f->next = NULL;
    f->from_ms = after_ms ? clock_mono_ms() + after_ms : 0;
    pthread_mutex_lock(&r->lock);
    first = !r->first;
    *r->last = f;
    r->last = &f->next;
    if (first || after_ms)
        pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

bool reader_is_down(const struct reader *r)
{
    int64_t since = atomic_load_explicit(&r->down_since_ms, memory_order_relaxed);

    return since && clock_mono_ms() - since > r->reading->options.timeout_ms;
}

/* Takes what is to be asked for by now; when the first of the others is, or much later. */
static int64_t take_due_locked(struct reader *r)
{
    int64_t now = clock_mono_ms(), next = now + IDLE_MS;
    struct fetch **at = &r->first;

    while (*at && r->hand_len < KEYS_A_SELECT) {
        struct fetch *f = *at;

        if (f->from_ms > now) {
            next = f->from_ms < next ? f->from_ms : next;
            at = &f->next;
            continue;
        }
        *at = f->next;
        r->hand[r->hand_len++] = f;
    }
    r->last = at;
    while (*r->last)
        r->last = &(*r->last)->next;
    return next;
}

/* False at the end. */
static bool take(struct reader *r)
{
    int64_t next;

    pthread_mutex_lock(&r->lock);
    while (!r->ending && !r->hand_len) {
        next = take_due_locked(r);
        if (!r->hand_len)
            reading_wait(&r->wake, &r->lock, next);
    }
    pthread_mutex_unlock(&r->lock);
    return !r->ending;
}

/* ---- handing over ---------------------------------------------------------------------------- */

static void deliver(struct worker *w, void *arg)
{
    fetching_deliver(w, arg);
}

static void hand_over(struct reader *r, struct fetch *chain)
{
    struct server *s = r->reading->server;

    if (chain)
        worker_call(&s->workers[r->next_worker++ % (unsigned)s->workers_len], deliver, chain);
}

/* All of it if `why` is none of the database's being away; else those whose time is up. */
static void fail(struct reader *r, const char *why, bool all)
{
    struct fetch *late = NULL;
    int64_t now = clock_mono_ms();
    size_t kept = 0;

    for (size_t i = 0; i < r->hand_len; i++) {
        struct fetch *f = r->hand[i];

        if (!all && f->until_ms > now) {
            r->hand[kept++] = f;
            continue;
        }
        f->outcome = FETCH_FAILED;
        snprintf(f->why, sizeof(f->why), "%s", why);
        f->next = late;
        late = f;
    }
    r->hand_len = kept;
    hand_over(r, late);
}

/* ---- fetching -------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct fetch *const *x = a, *const *y = b;

    return slice_cmp(fetch_key(*x), fetch_key(*y));
}

static struct fetch *find(const struct reader *r, struct slice key)
{
    size_t low = 0, high = r->hand_len;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_cmp(key, fetch_key(r->hand[middle]));

        if (!order)
            return r->hand[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void take_row(void *arg, const struct backend_row *row)
{
    struct reader *r = arg;
    struct buf key = {0};
    struct fetch *f = row_get_key(row->key, &key) ? find(r, buf_slice(&key)) : NULL;
    const char *why = NULL;

    buf_release(&key);
    if (!f || f->entry)
        return;
    if (!reading_entry(row, fetch_key(f), &r->limits, &f->entry, &why)) {
        f->outcome = FETCH_WRONG;
        snprintf(f->why, sizeof(f->why), "the row of key '%.*s' cannot be read: %s",
                 (int)(f->len < 64 ? f->len : 64), f->key, why);
    } else {
        f->outcome = f->entry ? FETCH_FOUND : FETCH_ABSENT;
    }
}

static void forget_rows(struct reader *r)
{
    for (size_t i = 0; i < r->hand_len; i++)
        fetch_renew(r->hand[i], (int)(r->hand[i]->until_ms - clock_mono_ms()));
}

static enum backend_status select_rows(struct reader *r)
{
    struct slice keys[KEYS_A_SELECT];
    size_t ends[KEYS_A_SELECT];

    qsort(r->hand, r->hand_len, sizeof(r->hand[0]), by_key);
    r->texts.len = 0;
    for (size_t i = 0; i < r->hand_len; i++) {
        row_put_key(&r->texts, fetch_key(r->hand[i]));
        ends[i] = r->texts.len;
    }
    for (size_t i = 0; i < r->hand_len; i++) {
        size_t from = i ? ends[i - 1] : 0;

        keys[i] = slice_make(r->texts.ptr + from, ends[i] - from);
    }
    reading_count(&r->reading->counts.selects, 1);
    reading_count(&r->reading->counts.asked, r->hand_len);
    return r->reading->driver->fetch(r->backend, keys, r->hand_len, take_row, r);
}

static void hand_over_rows(struct reader *r)
{
    struct fetch *chain = NULL;
    uint64_t rows = 0;

    for (size_t i = 0; i < r->hand_len; i++) {
        rows += r->hand[i]->outcome != FETCH_ABSENT;
        r->hand[i]->next = chain;
        chain = r->hand[i];
    }
    reading_count(&r->reading->counts.fetched, rows);
    reading_count(&r->reading->counts.absent, r->hand_len - rows);
    r->hand_len = 0;
    hand_over(r, chain);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void note_down(struct reader *r, const struct backend_error *error)
{
    if (!r->down_since_ms) {
        log_warning("The backend does not answer: %s", error->text);
        atomic_store(&r->down_since_ms, clock_mono_ms());
        r->patience_ms = TRY_AGAIN_MS;
    }
}

static void note_up(struct reader *r)
{
    if (r->down_since_ms)
        log_notice("The backend answers again");
    atomic_store(&r->down_since_ms, 0);
}

static void disconnect(struct reader *r)
{
    if (r->backend)
        r->reading->driver->close(r->backend);
    r->backend = NULL;
}

/* True if it is connected. */
static bool connect_again(struct reader *r)
{
    struct backend_error error = {""};
    enum backend_status status;

    if (r->backend)
        return true;
    r->backend = reading_open(r->reading, &status, &error);
    if (r->backend)
        return true;
    note_down(r, &error);
    return false;
}

/* While it is away, what is asked for comes to its end in time. */
static void be_patient(struct reader *r)
{
    fail(r, "the database cannot be reached", false);
    pthread_mutex_lock(&r->lock);
    if (!r->ending)
        reading_wait(&r->wake, &r->lock, clock_mono_ms() + r->patience_ms);
    pthread_mutex_unlock(&r->lock);
    r->patience_ms = r->patience_ms * 2 < TRY_AGAIN_MAX_MS ? r->patience_ms * 2 : TRY_AGAIN_MAX_MS;
}

static void fetch_hand(struct reader *r)
{
    enum backend_status status;

    if (!connect_again(r)) {
        be_patient(r);
        return;
    }
    r->limits = reading_limits(r->reading);
    status = select_rows(r);
    if (status == BACKEND_OK) {
        note_up(r);
        hand_over_rows(r);
        return;
    }
    forget_rows(r);
    if (status == BACKEND_WRONG) {
        fail(r, r->reading->driver->error(r->backend)->text, true);
        return;
    }
    note_down(r, r->reading->driver->error(r->backend));
    disconnect(r);
    reading_count(&r->reading->counts.reconnects, 1);
}

/* More than fits into one statement waits, and its time may be up as well. */
static void *read_main(void *arg)
{
    struct reader *r = arg;

    pthread_setname_np(pthread_self(), "reader");
    world_join();
    while (take(r))
        fetch_hand(r);
    fail(r, "the server ends, or has lost the table", true);
    pthread_mutex_lock(&r->lock);
    while (r->first) {
        struct fetch *f = r->first;

        r->first = f->next;
        r->hand[0] = f;
        r->hand_len = 1;
        fail(r, "the server ends, or has lost the table", true);
    }
    r->last = &r->first;
    pthread_mutex_unlock(&r->lock);
    disconnect(r);
    buf_release(&r->texts);
    mem_flush();
    world_quit();
    return NULL;
}

struct reader *reader_new(struct reading *reading)
{
    struct reader *r = mem_zalloc(sizeof(*r));

    r->reading = reading;
    r->last = &r->first;
    pthread_mutex_init(&r->lock, NULL);
    reading_cond_init(&r->wake);
    return r;
}

int reader_start(struct reader *r)
{
    r->ending = false;
    return -pthread_create(&r->thread, NULL, read_main, r);
}

void reader_stop(struct reader *r)
{
    pthread_mutex_lock(&r->lock);
    r->ending = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
}

void reader_free(struct reader *r)
{
    while (r->first) {
        struct fetch *f = r->first;

        r->first = f->next;
        fetch_free(f);
    }
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->wake);
    mem_free(r);
}
