/* Keys that are not in the table yet, see dirty.h. */
#include "server/backend/dirty.h"

#include "base/mem.h"
#include "server/backend/home.h"
#include "server/backend/lazy.h"
#include "server/backend/reading.h"
#include "server/server.h"
#include "storage/rows/rows.h"

/* ---- items ----------------------------------------------------------------------------------- */

static uint64_t hash_of(const void *item)
{
    return ((const struct dirty_item *)item)->hash;
}

static struct slice key_of(const struct dirty_item *item)
{
    return slice_make(item->key, item->key_len);
}

static bool is_item(const void *item, struct slice key)
{
    return slice_eq(key_of(item), key);
}

static struct dirty_item *find(const struct dirty *d, struct slice key, uint64_t hash)
{
    struct table_place place;

    return table_find(&d->items, hash, key, is_item, &place);
}

static uint64_t size_of(const struct dirty_item *item)
{
    return sizeof(*item) + item->key_len + sizeof(void *) * 2;
}

static struct dirty_item *add(struct dirty *d, struct slice key, uint64_t hash)
{
    struct dirty_item *item = mem_zalloc(sizeof(*item) + key.len);

    item->hash = hash;
    item->key_len = (uint32_t)key.len;
    memcpy(item->key, key.ptr, key.len);
    list_init(&item->link);
    table_insert(&d->items, hash, item, hash_of);
    d->bytes += size_of(item);
    return item;
}

static void drop(struct dirty *d, struct dirty_item *item)
{
    struct table_place place;

    list_remove(&item->link);
    d->bytes -= size_of(item);
    table_find(&d->items, item->hash, key_of(item), is_item, &place);
    table_remove(&d->items, place, item->hash, hash_of);
    mem_free(item);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint64_t row_size(const struct dirty_row *row)
{
    return sizeof(*row) + row->key.len + row->value.len + row->more.len;
}

static struct dirty_row *make_row(const struct dirty_item *item, const struct entry *e)
{
    struct row_text text = {0};
    struct buf bytes = {0};
    struct dirty_row *row;

    buf_append_slice(&bytes, key_of(item));
    if (e)
        text = row_put_entry(&bytes, e);
    row = mem_alloc(sizeof(*row) + bytes.len);
    if (bytes.len)
        memcpy(row->bytes, bytes.ptr, bytes.len);
    list_init(&row->link);
    row->hash = item->hash;
    row->key = slice_make(row->bytes, item->key_len);
    row->value = slice_make(row->bytes + item->key_len, text.value_len);
    row->more = slice_make(row->bytes + item->key_len + text.value_len, text.more_len);
    row->type = text.type;
    row->expiry = e ? entry_expiry(e) : EXPIRY_NONE;
    row->version = e ? e->version : 0;
    row->gone = !e;
    buf_release(&bytes);
    return row;
}

/* Of an item that was cut, as the key is by now. */
static void read_item(struct dirty *d, struct dirty_item *item)
{
    struct space *space = keyspace_space(&d->home->server->keyspace, 0, d->shard);
    struct dirty_row *row = make_row(item, space_find(space, item->hash, key_of(item)).entry);

    list_remove(&item->link);
    list_push(&d->read, &row->link);
    item->flying = true;
    d->bytes += row_size(row);
}

/* An item that was cut and is not read. */
static bool is_unread(const struct dirty *d, const struct dirty_item *item)
{
    return !list_empty(&item->link) && item->epoch <= d->home->cut_epoch;
}

struct unread {
    const struct dirty *d;
    uint64_t hash;
};

static bool is_wanted(const void *item, struct slice as_arg)
{
    struct unread u;

    memcpy(&u, as_arg.ptr, sizeof(u));
    return ((const struct dirty_item *)item)->hash == u.hash && is_unread(u.d, item);
}

/* The key of this hash is about to change. */
static void read_first(struct space_cut *hook, uint64_t hash)
{
    struct dirty *d = CONTAINER_OF(hook, struct dirty, hook);
    struct unread u = {d, hash};
    struct table_place place;
    struct dirty_item *item;

    while ((item = table_find(&d->items, hash, slice_make((const char *)&u, sizeof(u)), is_wanted,
                              &place)))
        read_item(d, item);
}

static void set_hook(struct dirty *d, bool on)
{
    struct keyspace *ks = &d->home->server->keyspace;

    if (keyspace_is_used(ks, 0))
        keyspace_space(ks, 0, d->shard)->cut = on ? &d->hook : NULL;
}

static void read_all_cut(struct dirty *d)
{
    while (!list_empty(&d->cut))
        read_item(d, CONTAINER_OF(d->cut.next, struct dirty_item, link));
    set_hook(d, false);
}

/* ---- marking --------------------------------------------------------------------------------- */

void dirty_mark(struct shard *shard, struct slice key)
{
    struct dirty *d = shard->dirty;
    uint64_t hash = hash_bytes(key);
    struct dirty_item *item = find(d, key, hash);

    d->epoch = d->home->epoch;
    if (!item)
        item = add(d, key, hash);
    else if (is_unread(d, item)) /* it went by its time, which is not told before */
        read_item(d, item);
    item->epoch = d->epoch;
    if (!list_empty(&item->link))
        return;
    if (list_empty(&d->fresh))
        home_note_fresh(d->home, d->shard);
    list_push(&d->fresh, &item->link);
}

bool dirty_has(const struct shard *shard, struct slice key, uint64_t hash)
{
    return shard->dirty && find(shard->dirty, key, hash);
}

bool dirty_in_flight(const struct shard *shard, struct slice key, uint64_t hash)
{
    const struct dirty_item *item = shard->dirty ? find(shard->dirty, key, hash) : NULL;

    return item && (item->flying || is_unread(shard->dirty, item));
}

static void mark_item(void *item, void *opaque)
{
    dirty_mark(opaque, entry_key(item));
}

void dirty_mark_all(struct home *h)
{
    struct keyspace *ks = &h->server->keyspace;

    for (unsigned i = 0; keyspace_is_used(ks, 0) && i < SHARDS; i++)
        table_each(&keyspace_space(ks, 0, i)->table, mark_item, &ks->shards[i]);
}

/* What was cut is still to be written, so that the table is whole at each moment. */
void dirty_emptying(struct home *h)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct dirty *d = &h->dirty[i];

        read_all_cut(d);
        while (!list_empty(&d->fresh)) {
            struct dirty_item *item = CONTAINER_OF(d->fresh.next, struct dirty_item, link);

            list_remove(&item->link);
            if (!item->flying)
                drop(d, item);
        }
        if (h->server->keyspace.shards[i].dirty)
            d->epoch = h->epoch;
    }
    if (h->server->keyspace.shards[0].dirty)
        home_note_emptied(h);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void cut_shard(struct dirty *d)
{
    struct list *from = &d->fresh, *to = &d->cut;

    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to->prev->next = to;
    list_init(from);
    set_hook(d, true);
    if (!keyspace_is_used(&d->home->server->keyspace, 0))
        read_all_cut(d); /* there is nowhere to hang the hook, and nothing to read */
}

bool dirty_cut(struct home *h)
{
    bool any = false;

    for (unsigned word = 0; word < SHARDS / 64; word++) {
        uint64_t bits = atomic_exchange(&h->fresh[word], 0);

        h->cut[word] = bits;
        any = any || bits;
        for (; bits; bits &= bits - 1)
            cut_shard(&h->dirty[word * 64 + (unsigned)__builtin_ctzll(bits)]);
    }
    h->cut_epoch = h->epoch++;
    return any;
}

size_t dirty_take(struct dirty *d, struct dirty_row **out, size_t max)
{
    size_t n = 0;

    for (; n < max; n++) {
        if (list_empty(&d->read)) {
            if (list_empty(&d->cut))
                break;
            read_item(d, CONTAINER_OF(d->cut.next, struct dirty_item, link));
        }
        out[n] = CONTAINER_OF(d->read.next, struct dirty_row, link);
        list_remove(&out[n]->link);
    }
    if (n < max)
        set_hook(d, false);
    return n;
}

void dirty_landed(struct dirty *d, struct dirty_row *row)
{
    struct dirty_item *item = find(d, row->key, row->hash);
    struct shard *shard = &d->home->server->keyspace.shards[d->shard];

    d->bytes -= row_size(row);
    if (UNLIKELY(shard->lazy))
        lazy_note_committed(shard, row->key, row->hash);
    if (item) {
        item->flying = false;
        if (list_empty(&item->link))
            drop(d, item);
    }
    mem_free(row);
}

/* ---- when the table is right ----------------------------------------------------------------- */

struct forgetting {
    struct dirty *d;
    struct dirty_item **items;
    size_t n;
};

static void gather(void *item, void *opaque)
{
    struct forgetting *f = opaque;

    f->items[f->n++] = item;
}

void dirty_forget(struct dirty *d, struct slice key, uint64_t hash)
{
    struct keyspace *ks = &d->home->server->keyspace;
    struct found found = space_find(keyspace_space(ks, 0, d->shard), hash, key);

    if (found.entry)
        home_discard(d->home, keyspace_take(ks, 0, hash, found));
    reading_part(d->home->reading, &ks->shards[d->shard]);
    lazy_forget_absents(&ks->shards[d->shard]);
}

static uint64_t forget_shard(struct dirty *d)
{
    struct keyspace *ks = &d->home->server->keyspace;
    struct forgetting f = {.d = d, .items = mem_alloc((d->items.count + 1) * sizeof(*f.items))};

    while (!list_empty(&d->read)) {
        struct dirty_row *row = CONTAINER_OF(d->read.next, struct dirty_row, link);

        list_remove(&row->link);
        d->bytes -= row_size(row);
        mem_free(row);
    }
    set_hook(d, false);
    table_each(&d->items, gather, &f);
    for (size_t i = 0; i < f.n; i++) {
        dirty_forget(d, key_of(f.items[i]), f.items[i]->hash);
        drop(d, f.items[i]);
    }
    d->bytes = 0; /* rows that were taken are no matter of the shard any more */
    keyspace_next_version(ks, &ks->shards[d->shard], 0);
    mem_free(f.items);
    return f.n;
}

uint64_t dirty_forget_all(struct home *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < SHARDS; i++) {
        if (h->dirty[i].items.count)
            n += forget_shard(&h->dirty[i]);
    }
    for (unsigned word = 0; word < SHARDS / 64; word++) {
        atomic_store(&h->fresh[word], 0);
        h->cut[word] = 0;
    }
    h->cut_epoch = h->epoch++;
    return n;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct dirty *dirty_new(struct home *h)
{
    struct dirty *all = mem_zalloc(SHARDS * sizeof(*all));

    for (unsigned i = 0; i < SHARDS; i++) {
        all[i].hook.first = read_first;
        all[i].home = h;
        all[i].shard = i;
        list_init(&all[i].fresh);
        list_init(&all[i].cut);
        list_init(&all[i].read);
    }
    return all;
}

static void free_item(void *item, void *opaque)
{
    (void)opaque;
    mem_free(item);
}

void dirty_free(struct dirty *all)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        while (!list_empty(&all[i].read)) {
            struct list *link = all[i].read.next;

            list_remove(link);
            mem_free(CONTAINER_OF(link, struct dirty_row, link));
        }
        table_each(&all[i].items, free_item, NULL);
        table_release(&all[i].items);
    }
    mem_free(all);
}

void dirty_attach(struct home *h, bool on)
{
    for (unsigned i = 0; i < SHARDS; i++)
        h->server->keyspace.shards[i].dirty = on ? &h->dirty[i] : NULL;
}

/* The numbers are read without the locks. */
__attribute__((no_sanitize("thread"))) struct dirty_totals dirty_totals(const struct home *h)
{
    struct dirty_totals t = {0};

    for (unsigned i = 0; i < SHARDS; i++) {
        t.keys += h->dirty[i].items.count;
        t.bytes += h->dirty[i].bytes;
    }
    return t;
}

bool dirty_any(const struct home *h)
{
    for (unsigned word = 0; word < SHARDS / 64; word++) {
        if (atomic_load_explicit(&h->fresh[word], memory_order_relaxed))
            return true;
    }
    return false;
}
