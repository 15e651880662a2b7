/* DEBUG's subcommands that look at keys and tables, or make many of them. */
#include "server/commands/debug.h"

#include "base/log.h"
#include "server/access.h"
#include "server/effects.h"
#include "server/reply.h"
#include "server/walk.h"
#include "storage/digest.h"
#include "storage/type_list.h"
#include "storage/value_types.h"

/* ---- OBJECT --------------------------------------------------------------------------------- */

/* Bytes that Redis' snapshot format takes for a string, if it does not compress it. */
static size_t stored_len(const struct entry *e)
{
    size_t len = string_len(e);
    int64_t v;

    if (string_int(e, &v) && v >= INT32_MIN && v <= INT32_MAX)
        return v >= INT8_MIN && v <= INT8_MAX ? 2 : v >= INT16_MIN && v <= INT16_MAX ? 3 : 5;
    return len + (len < 1 << 6 ? 1 : len < 1 << 14 ? 2 : 5);
}

/* Bytes of another value: about what a snapshot takes. */
static size_t collection_len(const struct entry *e)
{
    return e->form == FORM_OUTSIDE ? value_memory(e->type, entry_object(e), 1) : entry_bytes(e).len;
}

/* What Redis tells of a list; a short one is a single node. */
static void describe_list(const struct call *c, const struct entry *e, struct buf *out)
{
    size_t nodes = lists_is_long(e) ? lists_long(e)->ring.len : 1;

    buf_printf(out,
               " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:0 "
               "ql_uncompressed_size:%zu",
               nodes, (double)lists_len(e) / (double)nodes, (int)c->conf->list_max_listpack_size,
               collection_len(e));
}

/* DEBUG OBJECT key */
void debug_object(struct call *c)
{
    struct entry *e = call_peek(c, 2);
    struct buf text = {0};
    uint32_t access;

    if (!e) {
        reply_error(c, "ERR no such key");
        return;
    }
    access = *call_access(c, 2, c->db, e);
    buf_printf(&text,
               "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%u "
               "lru_seconds_idle:%llu",
               (const void *)e, value_encoding(e),
               e->type == TYPE_STRING ? stored_len(e) : collection_len(e), access,
               access_is_lfu(c->conf) ? 0ULL
                                      : (unsigned long long)access_idle_s(c->now_ms, access));
    if (e->type == TYPE_LIST)
        describe_list(c, e, &text);
    write_simple(&c->out, buf_slice(&text));
    buf_release(&text);
}

/* The value of argument 2 if that is its encoding; NULL, and answered, if not. */
static const struct entry *examine(struct call *c, const char *encoding)
{
    const struct entry *e = call_peek(c, 2);

    if (!e)
        reply_error(c, "ERR no such key");
    else if (strcmp(value_encoding(e), encoding) != 0)
        reply_error(c, "ERR Not a %s encoded object.", encoding);
    else
        return e;
    return NULL;
}

/* DEBUG LISTPACK key */
void debug_listpack(struct call *c)
{
    const struct entry *e = examine(c, "listpack");

    if (!e)
        return;
    log_notice("DEBUG LISTPACK: %zu bytes, %u elements", collection_len(e), e->few);
    reply_simple(c, "Listpack structure printed on stdout");
}

/* DEBUG QUICKLIST key [0|1] */
void debug_quicklist(struct call *c)
{
    const struct entry *e = examine(c, "quicklist");
    struct buf text = {0};

    if (!e)
        return;
    describe_list(c, e, &text);
    log_notice("DEBUG QUICKLIST:%.*s", (int)text.len, text.ptr);
    buf_release(&text);
    reply_simple(c, "Quicklist structure printed on stdout");
}

/* ---- digests -------------------------------------------------------------------------------- */

static void reply_digest(struct call *c, const struct digest *d)
{
    char hex[DIGEST_HEX + 1];

    digest_hex(d, hex);
    reply_simple(c, hex);
}

static void add_to_digest(struct call *c, const struct entry *e, void *opaque)
{
    digest_key(opaque, c->db, e);
}

static void add_version(struct call *c, const struct entry *e, void *opaque)
{
    unsigned shard = shard_of(hash_bytes(entry_key(e)));
    struct {
        struct digest key;
        uint64_t db, version;
    } parts = {digest_bytes(entry_key(e), 0), (uint64_t)c->db,
               space_version(keyspace_space(&c->server->keyspace, c->db, shard), e)};

    digest_sum(opaque, digest_bytes(slice_make((const char *)&parts, sizeof(parts)), 0));
}

/* DEBUG DIGEST [VERSIONS]: of all databases. */
void debug_digest(struct call *c)
{
    struct digest sum = {0};
    int selected = c->db;
    bool versions = c->argc > 2 && call_arg_is(c, 2, "versions");

    if (c->argc > 2 && !versions) {
        call_syntax_error(c);
        return;
    }
    for (c->db = 0; c->db < c->server->keyspace.databases; c->db++)
        walk_all(c, versions ? add_version : add_to_digest, &sum);
    c->db = selected;
    reply_digest(c, &sum);
}

/* DEBUG DIGEST-VALUE key [key ...] */
void debug_digest_value(struct call *c)
{
    reply_array(c, c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        const struct entry *e = call_peek(c, i);
        struct digest d = {0};

        if (e)
            d = digest_value(e);
        reply_digest(c, &d);
    }
}

/* ---- tables --------------------------------------------------------------------------------- */

enum { CHAIN_MAX = 8 };

struct tables {
    uint64_t keys, buckets, expiring, promises;
    uint64_t chains[CHAIN_MAX + 1]; /* buckets by the number of lines they take */
};

static void measure_table(const struct table *table, struct tables *t)
{
    t->keys += table->count;
    for (uint32_t i = 0; table->dir && i < table->buckets; i++) {
        int lines = 0;

        for (const struct bucket *b = table_at(table, i); b; b = bucket_next(b))
            lines++;
        t->chains[lines < CHAIN_MAX ? lines : CHAIN_MAX]++;
        t->buckets++;
    }
}

static void measure_tables(const struct keyspace *ks, int db, struct tables *t)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct space *s = keyspace_space(ks, db, shard);

        t->expiring += s->expiry.entries;
        t->promises += expiry_items(&s->expiry);
        measure_table(&s->table, t);
    }
}

static void describe_buckets(const struct tables *t, struct buf *out)
{
    buf_printf(out, " number of elements: %llu\n", (unsigned long long)t->keys);
    buf_printf(out, " buckets: %llu of %d slots, %.2f elements each\n",
               (unsigned long long)t->buckets, BUCKET_SLOTS,
               t->buckets ? (double)t->keys / (double)t->buckets : 0);
    buf_append_str(out, " Chain length distribution, in cache lines:\n");
    for (int i = 1; i <= CHAIN_MAX; i++) {
        if (t->chains[i])
            buf_printf(out, "   %d%s: %llu (%.2f%%)\n", i, i == CHAIN_MAX ? " or more" : "",
                       (unsigned long long)t->chains[i],
                       (double)t->chains[i] * 100 / (double)t->buckets);
    }
}

static void describe_tables(const struct tables *t, struct buf *out)
{
    buf_printf(out, "[Dictionary HT]\n shards: %d\n", SHARDS);
    describe_buckets(t, out);
    buf_printf(out, "[Expires HT]\n number of elements: %llu\n index items: %llu\n",
               (unsigned long long)t->expiring, (unsigned long long)t->promises);
}

/* DEBUG HTSTATS db */
void debug_htstats(struct call *c)
{
    struct tables t = {0};
    struct buf out = {0};
    int64_t db;

    if (!call_int(c, 2, &db))
        return;
    if (db < 0 || db >= c->server->keyspace.databases) {
        reply_error(c, "ERR Out of range database");
        return;
    }
    measure_tables(&c->server->keyspace, (int)db, &t);
    describe_tables(&t, &out);
    reply_verbatim(c, "txt", buf_slice(&out));
    buf_release(&out);
}

/* DEBUG HTSTATS-KEY key: a value that is bytes has no table. */
void debug_htstats_key(struct call *c)
{
    const struct entry *e = call_peek(c, 2);
    const struct value_type *type = e && e->form == FORM_OUTSIDE ? value_type(e->type) : NULL;
    struct tables t = {0};
    struct buf out = {0};

    if (!e) {
        reply_error(c, "ERR no such key");
    } else if (type && type->table) {
        buf_append_str(&out, "Hash table 0 stats (main hash table):\n");
        measure_table(type->table(entry_object(e)), &t);
        describe_buckets(&t, &out);
        reply_verbatim(c, "txt", buf_slice(&out));
    } else {
        reply_error(c, "ERR The value stored at the specified key is not represented using an hash "
                       "table");
    }
    buf_release(&out);
}

/* ---- POPULATE ------------------------------------------------------------------------------- */

/* Keys that are there already stay as they are. */
static void make_key(struct call *c, struct slice key, struct slice value)
{
    struct keyspace *ks = &c->server->keyspace;
    uint64_t hash = hash_bytes(key);
    struct entry *e;

    if (space_find(keyspace_space(ks, c->db, shard_of(hash)), hash, key).entry)
        return;
    e = entry_new_string(key, value, EXPIRY_NONE, false);
    e->access_or_member = access_first(c->conf, c->now_ms, NULL);
    keyspace_insert(ks, c->db, hash, e);
    effect_changed(c->worker, c->db, shard_of(hash), e, key, EVENT_NEW);
    CALL_LOG(c, SLICE("SET"), key, value);
}

/* "value:7", cut or filled up with NUL bytes where a size is asked for. */
static void populate(struct call *c, int64_t count, struct slice prefix, int64_t size)
{
    struct buf key = {0}, value = {0};

    for (int64_t i = 0; i < count; i++) {
        key.len = value.len = 0;
        buf_append_slice(&key, prefix);
        buf_printf(&key, ":%lld", (long long)i);
        buf_printf(&value, "value:%lld", (long long)i);
        if (size && (size_t)size > value.len)
            memset(buf_reserve(&value, (size_t)size - value.len), 0, (size_t)size - value.len);
        value.len = size ? (size_t)size : value.len;
        make_key(c, buf_slice(&key), buf_slice(&value));
    }
    buf_release(&key);
    buf_release(&value);
}

/* DEBUG POPULATE count [prefix] [size] */
void debug_populate(struct call *c)
{
    static const char negative[] = "ERR value is out of range, must be positive";
    int64_t count, size = 0;

    if (!call_int_between(c, 2, 0, INT64_MAX, &count, negative) ||
        (c->argc == 5 && !call_int_between(c, 4, 0, INT32_MAX, &size, negative)))
        return;
    populate(c, count, c->argc > 3 ? call_arg(c, 3) : SLICE("key"), size);
    reply_ok(c);
}
