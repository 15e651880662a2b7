/* Snapshots, see snapshot.h. */
#include "storage/snapshot.h"

#include "base/mem.h"
#include "storage/long_write.h"
#include "storage/policed.h"

#include <errno.h>
#include <time.h>

enum {
    SLOTS = 16,
    SLOT_BYTES = 64 << 10,    /* that a slot has at most, but for the last key */
    PORTION_BYTES = 32 << 10, /* that are saved while a shard is locked, but for the last keys */
    PORTION_INTERVALS = 256,
    PORTION_LONG = 16, /* long values that are begun */
};

/* What of a space is saved. */
struct space_save {
    struct snapshot *snapshot;
    struct space *space;
    int db;
    unsigned shard;
    uint32_t intervals; /* a power of two */
    uint32_t next;      /* the snapshot's thread: where it goes on */
    uint64_t *saved;    /* a bit for each interval: the shard's lock */
};

/* Keys that were saved, of one database. */
struct batch {
    struct batch *next;
    int db;
    struct rdb_keys keys;
};

struct pending {
    struct pending *next;
    struct long_save *save;
};

/* Where writers put what they save; padded, so that they do not get into each other's way. */
struct slot {
    CACHE_ALIGNED struct lock lock;
    int db;
    struct rdb_keys keys;
};

struct snapshot {
    struct slot slots[SLOTS];
    struct keyspace *keyspace;
    struct snapshot_options options;
    uint64_t seq;
    struct keyspace_totals *totals; /* by database, as they were */
    struct space_save *saves;       /* by database and shard */
    size_t saves_len;
    uint64_t *bits; /* of all */

    CACHE_ALIGNED struct lock queue_lock;
    struct batch *first, **last;
    struct pending *pending; /* long values that are to be saved piece by piece */
    _Atomic uint64_t keys, keys_done;
    _Atomic bool cancelled;
};

/* ---- the moment ------------------------------------------------------------------------------ */

/* About one bucket each. */
static uint32_t intervals_of(const struct table *t)
{
    uint32_t n = 1;

    while (n <= t->buckets / 2)
        n *= 2;
    return n;
}

static size_t words_of(uint32_t intervals)
{
    return (intervals + 63) / 64;
}

static size_t count_spaces(const struct keyspace *ks, size_t *words)
{
    size_t n = 0;

    *words = 0;
    for (int db = 0; db < ks->databases; db++) {
        for (unsigned i = 0; keyspace_is_used(ks, db) && i < SHARDS; i++) {
            const struct table *t = &keyspace_space(ks, db, i)->table;

            *words += t->count ? words_of(intervals_of(t)) : 0;
            n += t->count > 0;
        }
    }
    return n;
}

static void mark_spaces(struct snapshot *s)
{
    struct keyspace *ks = s->keyspace;
    uint64_t *bits = s->bits;
    size_t n = 0;

    for (int db = 0; db < ks->databases; db++) {
        for (unsigned i = 0; keyspace_is_used(ks, db) && i < SHARDS; i++) {
            struct space *space = keyspace_space(ks, db, i);
            uint32_t intervals = intervals_of(&space->table);

            if (!space->table.count)
                continue;
            s->saves[n] = (struct space_save){s, space, db, i, intervals, 0, bits};
            atomic_store_explicit(&space->saving, &s->saves[n++], memory_order_relaxed);
            bits += words_of(intervals);
        }
    }
}

/* How much may be kept in memory until it is written, where so much is in use. */
static uint64_t limit_of(size_t used)
{
    enum { PART = 64, LEAST = 2 << 20, MOST = 32 << 20 };
    uint64_t limit = used / PART;

    return limit < LEAST ? LEAST : limit > MOST ? MOST : limit;
}

struct snapshot *snapshot_begin(struct keyspace *ks, const struct snapshot_options *options)
{
    struct snapshot *s = mem_zalloc_lines(sizeof(*s));
    uint64_t began_ns = toll_clock_ns();
    size_t words;

    toll_reset(&ks->toll, limit_of(mem_used()));

    s->keyspace = ks;
    s->options = *options;
    s->last = &s->first;
    lock_init(&s->queue_lock, RANK_SNAPSHOT, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        lock_init(&s->slots[i].lock, RANK_SNAPSHOT, (uint16_t)i);
    for (unsigned i = 0; i < SHARDS; i++)
        s->seq = ks->shards[i].seq > s->seq ? ks->shards[i].seq : s->seq;
    s->totals = mem_zalloc((size_t)ks->databases * sizeof(*s->totals));
    for (int db = 0; db < ks->databases; db++) {
        s->totals[db] = keyspace_totals(ks, db);
        s->keys += s->totals[db].keys;
    }
    s->saves_len = count_spaces(ks, &words);
    s->saves = mem_alloc((s->saves_len + 1) * sizeof(*s->saves));
    s->bits = mem_zalloc((words + 1) * sizeof(*s->bits));
    mark_spaces(s);
    toll_most(&ks->toll.moment_ns, toll_clock_ns() - began_ns);
    return s;
}

/* ---- saving ---------------------------------------------------------------------------------- */

/* One interval on its way into some keys. */
struct visit {
    const struct space_save *save;
    uint32_t interval;
    struct rdb_keys *keys;
    unsigned *begun; /* counts long values */
};

static uint32_t access_of(const struct space *space, const struct entry *e)
{
    return e->policed ? *policed_access(space, e) : e->access_or_member;
}

/* Locked: the shard; perhaps a slot. */
static void begin_long(const struct space_save *save, const struct entry *e, struct rdb_age age)
{
    struct snapshot *s = save->snapshot;
    struct pending *p = mem_alloc(sizeof(*p));
    const struct long_save_key key = {.space = save->space,
                                      .toll = &s->keyspace->toll,
                                      .db = save->db,
                                      .shard = save->shard,
                                      .version = space_version(save->space, e),
                                      .age = age,
                                      .compress = s->options.compress};

    p->save = long_save_begin(e, &key);
    lock_take(&s->queue_lock);
    p->next = s->pending;
    s->pending = p;
    lock_release(&s->queue_lock);
}

static void visit_item(void *item, void *opaque)
{
    const struct visit *v = opaque;
    const struct snapshot *s = v->save->snapshot;
    const struct entry *e = item;
    struct rdb_age age = {-1, -1};

    if ((entry_hash(e) & (v->save->intervals - 1)) != v->interval)
        return;
    if (s->options.age)
        age = s->options.age(s->options.age_arg, access_of(v->save->space, e));
    if (UNLIKELY(long_save_wanted(e))) {
        begin_long(v->save, e, age);
        ++*v->begun;
        return;
    }
    rdb_keys_add(v->keys, e, space_version(v->save->space, e), age, s->options.compress);
}

static bool is_saved(const struct space_save *save, uint32_t interval)
{
    return save->saved[interval / 64] >> (interval % 64) & 1;
}

/* Locked: the shard. Returns how many values are to be saved piece by piece. */
static unsigned save_interval(struct space_save *save, uint32_t interval, struct rdb_keys *keys)
{
    unsigned begun = 0;
    struct visit v = {save, interval, keys, &begun};
    uint64_t before = keys->count;

    table_visit_low(&save->space->table, interval, (unsigned)__builtin_ctz(save->intervals), 0, 0,
                    visit_item, &v);
    save->saved[interval / 64] |= (uint64_t)1 << (interval % 64);
    atomic_fetch_add_explicit(&save->snapshot->keys_done, keys->count - before,
                              memory_order_relaxed);
    return begun;
}

/* What the slot holds goes into the queue. Locked: the slot. */
static void push_slot(struct snapshot *s, struct slot *slot)
{
    struct batch *b = mem_alloc(sizeof(*b));

    *b = (struct batch){.db = slot->db, .keys = slot->keys};
    slot->keys = (struct rdb_keys){0};
    toll_keep(&s->keyspace->toll, b->keys.bytes.len);
    lock_take(&s->queue_lock);
    *s->last = b;
    s->last = &b->next;
    lock_release(&s->queue_lock);
}

/* Returns how many bytes that was. */
static size_t save_in_slot(struct space_save *save, uint32_t interval)
{
    struct snapshot *s = save->snapshot;
    struct slot *slot = &s->slots[save->shard % SLOTS];
    size_t before, after;

    lock_take(&slot->lock);
    if (slot->keys.count && slot->db != save->db)
        push_slot(s, slot);
    slot->db = save->db;
    before = slot->keys.bytes.len;
    save_interval(save, interval, &slot->keys);
    after = slot->keys.bytes.len;
    if (after > SLOT_BYTES)
        push_slot(s, slot);
    lock_release(&slot->lock);
    return after - before;
}

void space_save_first(struct space_save *save, uint64_t hash)
{
    uint32_t interval = (uint32_t)hash & (save->intervals - 1);
    struct toll *toll = &save->snapshot->keyspace->toll;
    uint64_t began_ns;

    if (is_saved(save, interval))
        return;
    began_ns = toll_begin(toll);
    toll_end(toll, began_ns, save_in_slot(save, interval));
}

/* ---- the snapshot's thread ------------------------------------------------------------------- */

static struct batch *take_queue(struct snapshot *s)
{
    struct batch *first;

    lock_take(&s->queue_lock);
    first = s->first;
    s->first = NULL;
    s->last = &s->first;
    lock_release(&s->queue_lock);
    return first;
}

static void free_batch(struct batch *b)
{
    rdb_keys_release(&b->keys);
    mem_free(b);
}

static void write_keys(const struct snapshot *s, struct rdb_writer *w, int db,
                       const struct rdb_keys *keys)
{
    rdb_writer_database(w, db, s->totals[db].keys, s->totals[db].expiring);
    rdb_writer_keys(w, keys);
}

static void write_queue(struct snapshot *s, struct rdb_writer *w)
{
    struct batch *next;

    for (struct batch *b = take_queue(s); b; b = next) {
        next = b->next;
        write_keys(s, w, b->db, &b->keys);
        toll_drop(&s->keyspace->toll, b->keys.bytes.len);
        free_batch(b);
    }
}

/* What is left in the slots, when nobody puts anything there any more. */
static void write_slots(struct snapshot *s, struct rdb_writer *w)
{
    for (int i = 0; i < SLOTS; i++) {
        lock_take(&s->slots[i].lock);
        if (s->slots[i].keys.count)
            push_slot(s, &s->slots[i]);
        lock_release(&s->slots[i].lock);
    }
    write_queue(s, w);
}

static void lock_save(const struct space_save *save)
{
    snapshot_lock(save->snapshot->keyspace, save->shard);
}

static void unlock_save(const struct space_save *save)
{
    snapshot_unlock(save->snapshot->keyspace, save->shard);
}

/* ---- long values ---- */

static struct long_save *take_pending(struct snapshot *s)
{
    struct long_save *save = NULL;
    struct pending *p;

    lock_take(&s->queue_lock);
    p = s->pending;
    if (p) {
        save = p->save;
        s->pending = p->next;
        mem_free(p);
    }
    lock_release(&s->queue_lock);
    return save;
}

static void delay(const struct snapshot *s, uint64_t keys)
{
    long_write_delay((int64_t)keys * s->options.delay_us);
}

static struct long_write to_long_write(struct snapshot *s, struct rdb_writer *w)
{
    return (struct long_write){.keyspace = s->keyspace,
                               .writer = w,
                               .cancelled = &s->cancelled,
                               .compress = s->options.compress,
                               .delay_us = s->options.delay_us};
}

static void write_long(struct snapshot *s, struct rdb_writer *w, struct long_save *save)
{
    struct long_write to = to_long_write(s, w);

    write_keys(s, w, long_save_db(save), long_save_head(save));
    long_write(&to, save);
    atomic_fetch_add_explicit(&s->keys_done, 1, memory_order_relaxed);
}

static void write_pending(struct snapshot *s, struct rdb_writer *w)
{
    struct long_save *save;

    while (w->status == 0 && (save = take_pending(s)))
        write_long(s, w, save);
}

/* ---- spaces ---- */

/* The intervals that follow, some of them. Locked: the shard. */
static void save_intervals(struct space_save *save, struct rdb_keys *keys)
{
    unsigned begun = 0;

    for (int n = 0; n < PORTION_INTERVALS && save->next < save->intervals; n++, save->next++) {
        if (keys->bytes.len >= PORTION_BYTES || begun >= PORTION_LONG)
            break;
        if (!is_saved(save, save->next))
            begun += save_interval(save, save->next, keys);
    }
}

/* True at the end of the space. */
static bool save_portion(struct space_save *save, struct rdb_keys *keys)
{
    struct toll *toll = &save->snapshot->keyspace->toll;
    uint64_t began_ns;
    bool ended;

    lock_save(save);
    began_ns = toll_clock_ns();
    save_intervals(save, keys);
    ended = save->next == save->intervals;
    toll_most(&toll->hold_ns, toll_clock_ns() - began_ns);
    toll_most(&toll->hold_bytes, keys->bytes.len);
    unlock_save(save);
    return ended;
}

/* Nobody has to save anything of it any more. It may be freed then. */
static void let_go(struct space_save *save)
{
    lock_save(save);
    atomic_store(&save->space->saving, NULL);
    save->space = NULL;
    unlock_save(save);
}

int snapshot_write(struct snapshot *s, struct rdb_writer *w)
{
    struct rdb_keys keys = {0};
    bool ended;

    for (size_t i = 0; i < s->saves_len && w->status == 0;) {
        struct space_save *save = &s->saves[i];

        if (atomic_load_explicit(&s->cancelled, memory_order_relaxed))
            w->status = -ECANCELED;
        write_queue(s, w);
        write_pending(s, w);
        if (w->status)
            break;
        ended = save_portion(save, &keys);
        write_keys(s, w, save->db, &keys);
        delay(s, keys.count);
        rdb_keys_clear(&keys);
        if (ended) {
            write_pending(s, w);
            let_go(save);
            i++;
        }
    }
    write_slots(s, w);
    rdb_keys_release(&keys);
    return w->status;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Nobody saves anything of it any more; it may not be freed yet. */
static void close_space(struct space_save *save)
{
    lock_save(save);
    memset(save->saved, 0xff, words_of(save->intervals) * sizeof(*save->saved));
    unlock_save(save);
}

/* What a snapshot that was not written to its end has begun. */
static void give_up(struct snapshot *s)
{
    struct long_save *long_one;

    for (size_t i = 0; i < s->saves_len; i++) {
        if (s->saves[i].space)
            close_space(&s->saves[i]);
    }
    while ((long_one = take_pending(s)))
        long_write_give_up(s->keyspace, long_one);
    for (size_t i = 0; i < s->saves_len; i++) {
        if (s->saves[i].space)
            let_go(&s->saves[i]);
    }
}

void snapshot_end(struct snapshot *s)
{
    struct batch *next;

    give_up(s);
    for (struct batch *b = take_queue(s); b; b = next) {
        next = b->next;
        toll_drop(&s->keyspace->toll, b->keys.bytes.len);
        free_batch(b);
    }
    for (int i = 0; i < SLOTS; i++)
        rdb_keys_release(&s->slots[i].keys);
    mem_free(s->totals);
    mem_free(s->saves);
    mem_free(s->bits);
    mem_free(s);
}

void snapshot_cancel(struct snapshot *s)
{
    atomic_store(&s->cancelled, true);
}

uint64_t snapshot_seq(const struct snapshot *s)
{
    return s->seq;
}

uint64_t snapshot_keys(const struct snapshot *s)
{
    return s->keys;
}

uint64_t snapshot_keys_done(const struct snapshot *s)
{
    return atomic_load_explicit(&s->keys_done, memory_order_relaxed);
}
