/* Saving long values, see long_save.h. */
#include "storage/long_save.h"

#include "base/mem.h"
#include "storage/list_node.h"
#include "storage/rdb/listpack_out.h"
#include "storage/rdb/rdb_out.h"
#include "storage/set_table.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/value_types.h"
#include "storage/zset_large.h"

#include <stdatomic.h>

enum {
    LONG_ELEMENTS = 512, /* more are long */
    LONG_NODES = 16,
    PORTION_INTERVALS = 64,
    PORTION_NODES = 4,
    PORTION_BYTES = 32 << 10,
};

struct long_save {
    struct rdb_keys head;
    struct slice key; /* owned */
    int db;
    bool compress;
    _Atomic unsigned shard;
    enum type type;
    void *object;         /* NULL: freed, and saved therefore */
    struct entry *orphan; /* out of the keyspace, ours to free; NULL for none */
    struct buf side;      /* what others have saved */
    struct buf times;     /* of a hash's fields */

    /* Of a table. */
    const struct table *table;
    uint32_t intervals, next;
    uint64_t *saved; /* a bit for each */

    /* Of a list: nodes and how many elements each has, as in its ring. */
    uint64_t *nodes;
    size_t nodes_len, next_node;
    struct listpack_out lp;
};

bool long_save_wanted(const struct entry *e)
{
    if (e->form != FORM_OUTSIDE)
        return false;
    if (e->type == TYPE_LIST)
        return lists_long(e)->ring.len > LONG_NODES;
    return value_type(e->type)->table(entry_object(e))->count > LONG_ELEMENTS;
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void share_nodes(struct long_save *s, const struct long_list *l)
{
    s->nodes_len = l->ring.len;
    s->nodes = mem_alloc(s->nodes_len * sizeof(*s->nodes));
    for (size_t i = 0; i < s->nodes_len; i++) {
        s->nodes[i] = node_ring_item(&l->ring, i);
        node_at(l, i)->shared = NODE_SHARED;
    }
}

static void mark_intervals(struct long_save *s)
{
    s->intervals = 1;
    while (s->intervals <= s->table->buckets / 2)
        s->intervals *= 2;
    s->saved = mem_zalloc((s->intervals + 63) / 64 * sizeof(*s->saved));
}

static enum rdb_type type_of(enum type type)
{
    switch (type) {
    case TYPE_LIST:
        return RDB_LIST_QUICKLIST_2;
    case TYPE_SET:
        return RDB_SET;
    case TYPE_HASH:
        return RDB_HASH;
    default:
        return RDB_ZSET_2;
    }
}

struct long_save *long_save_begin(const struct entry *e, const struct long_save_key *key)
{
    struct long_save *s = mem_zalloc(sizeof(*s));
    struct slice name = entry_key(e);

    s->key = slice_make(mem_strndup(name.ptr, name.len), name.len);
    s->db = key->db;
    s->compress = key->compress;
    atomic_init(&s->shard, key->shard);
    s->type = (enum type)e->type;
    s->object = entry_object(e);
    rdb_keys_add_version(&s->head, key->version);
    rdb_put_key_head(&s->head.bytes, e, type_of(s->type), key->age);
    if (s->type == TYPE_LIST) {
        share_nodes(s, s->object);
        rdb_put_len(&s->head.bytes, s->nodes_len);
    } else {
        s->table = value_type(e->type)->table(s->object);
        mark_intervals(s);
        rdb_put_len(&s->head.bytes, s->table->count);
    }
    *value_saving(s->type, s->object) = s;
    return s;
}

/* ---- elements -------------------------------------------------------------------------------- */

struct visit {
    struct long_save *save;
    uint32_t interval;
    struct buf *out;
};

static bool is_other(const struct visit *v, uint64_t hash)
{
    return (hash & (v->save->intervals - 1)) != v->interval;
}

static void visit_member(void *item, void *opaque)
{
    const struct visit *v = opaque;
    struct set_member m = set_table_member(item);

    if (is_other(v, set_table_hash(item)))
        return;
    if (m.is_number)
        rdb_put_int(v->out, m.number);
    else
        rdb_put_bytes(v->out, m.text, v->save->compress);
}

static void visit_field(void *item, void *opaque)
{
    const struct visit *v = opaque;
    const struct field *f = item;
    struct slice name = field_name(f);

    if (is_other(v, field_hash(f)))
        return;
    rdb_put_string(v->out, name, v->save->compress);
    rdb_put_string(v->out, field_value(f), v->save->compress);
    if (f->has_time) {
        rdb_put_number(&v->save->times, name.len);
        buf_append_slice(&v->save->times, name);
        rdb_put_number(&v->save->times, (uint64_t)field_time(f));
    }
}

static void visit_scored(void *item, void *opaque)
{
    const struct visit *v = opaque;
    const struct zset_item *i = item;

    if (is_other(v, zset_item_hash(i)))
        return;
    rdb_put_string(v->out, zset_item_member(i), v->save->compress);
    rdb_put_double(v->out, i->score);
}

static void save_interval(struct long_save *s, uint32_t interval, struct buf *out)
{
    struct visit v = {s, interval, out};
    table_visit_fn *visit = s->type == TYPE_SET    ? visit_member
                            : s->type == TYPE_HASH ? visit_field
                                                   : visit_scored;

    table_visit_low(s->table, interval, (unsigned)__builtin_ctz(s->intervals), 0, 0, visit, &v);
    s->saved[interval / 64] |= (uint64_t)1 << (interval % 64);
}

static bool is_saved(const struct long_save *s, uint32_t interval)
{
    return s->saved[interval / 64] >> (interval % 64) & 1;
}

void long_save_first(struct long_save *s, uint64_t hash)
{
    uint32_t interval = (uint32_t)hash & (s->intervals - 1);

    if (!is_saved(s, interval))
        save_interval(s, interval, &s->side);
}

static void save_table(struct long_save *s, struct buf *out, int most)
{
    size_t from = out->len;

    for (; most && s->next < s->intervals && out->len - from < PORTION_BYTES; s->next++) {
        if (is_saved(s, s->next))
            continue;
        save_interval(s, s->next, out);
        most--;
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct list_node *shared_node(const struct long_save *s, size_t i)
{
    return (void *)(uintptr_t)(s->nodes[i] & (((uint64_t)1 << RING_ADDRESS_BITS) - 1));
}

/* The node is the list's alone again, or nobody's. */
static void let_go(struct list_node *n)
{
    bool left = n->shared == NODE_LEFT;

    n->shared = NODE_OWN;
    if (left)
        node_free(n);
}

static void save_nodes(struct long_save *s, struct buf *out, int most)
{
    for (; most && s->next_node < s->nodes_len; most--, s->next_node++) {
        struct list_node *n = shared_node(s, s->next_node);
        struct list_run run = {.at = n->data + n->begin,
                               .count = s->nodes[s->next_node] >> RING_ADDRESS_BITS,
                               .trailed = true};

        rdb_put_list_run(out, run, &s->lp, s->compress);
        let_go(n);
    }
}

/* ---- portions -------------------------------------------------------------------------------- */

static bool is_done(const struct long_save *s)
{
    return s->type == TYPE_LIST ? s->next_node == s->nodes_len : s->next == s->intervals;
}

static void forget(struct long_save *s)
{
    if (s->object)
        *value_saving(s->type, s->object) = NULL;
    s->object = NULL;
}

bool long_save_portion(struct long_save *s, struct buf *out)
{
    if (s->type == TYPE_LIST)
        save_nodes(s, out, PORTION_NODES);
    else
        save_table(s, out, PORTION_INTERVALS);
    buf_append_slice(out, buf_slice(&s->side));
    s->side.len = 0;
    if (!is_done(s))
        return false;
    forget(s);
    return true;
}

void long_save_give_up(struct long_save *s)
{
    for (; s->type == TYPE_LIST && s->next_node < s->nodes_len; s->next_node++)
        let_go(shared_node(s, s->next_node));
    forget(s);
}

void long_save_free(struct long_save *s)
{
    if (s->orphan)
        entry_free(s->orphan);
    rdb_keys_release(&s->head);
    buf_release(&s->side);
    buf_release(&s->times);
    buf_release(&s->lp.bytes);
    mem_free((void *)(uintptr_t)s->key.ptr);
    mem_free(s->saved);
    mem_free(s->nodes);
    mem_free(s);
}

const struct rdb_keys *long_save_head(const struct long_save *s)
{
    return &s->head;
}

int long_save_db(const struct long_save *s)
{
    return s->db;
}

struct slice long_save_behind(struct long_save *s)
{
    struct buf told = {0};

    if (!s->times.len)
        return SLICE("");
    rdb_put_number(&told, (uint64_t)s->db);
    rdb_put_number(&told, s->key.len);
    buf_append_slice(&told, s->key);
    buf_append_slice(&told, buf_slice(&s->times));
    s->side.len = 0;
    rdb_put_byte(&s->side, RDB_AUX);
    rdb_put_string(&s->side, SLICE(RDB_AUX_FIELD_TIMES), false);
    rdb_put_bytes(&s->side, buf_slice(&told), false);
    buf_release(&told);
    return buf_slice(&s->side);
}

unsigned long_save_shard(const struct long_save *s)
{
    return atomic_load(&s->shard);
}

/* ---- for whoever has the value --------------------------------------------------------------- */

void long_save_moved(struct long_save *s, unsigned shard)
{
    atomic_store(&s->shard, shard);
}

void long_save_adopt(struct long_save *s, struct entry *e)
{
    s->orphan = e;
}

void long_save_lose(struct long_save *s)
{
    if (s->type != TYPE_LIST) {
        for (; s->next < s->intervals; s->next++) {
            if (!is_saved(s, s->next))
                save_interval(s, s->next, &s->side);
        }
    }
    forget(s);
}
