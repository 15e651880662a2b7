/* Saving long values, see long_save.h. */
#include "storage/long_save.h"

#include "base/mem.h"
#include "storage/list_node.h"
#include "storage/rdb/listpack_out.h"
#include "storage/rdb/rdb_out.h"
#include "storage/set_table.h"
#include "storage/string_save.h"
#include "storage/toll.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/zset_large.h"

enum {
    LONG_ELEMENTS = 128, /* more are long */
    LONG_NODES = 16,
    LONG_STRING = 16 << 10,
    PORTION_INTERVALS = 64,
    PORTION_NODES = 4,
    PORTION_BYTES = 32 << 10,
    PIECE_BYTES = 64 << 10, /* of what others save */
    ORPHAN_BYTES = 1 << 20, /* an entry that is kept for the snapshot counts as so many at most */
    ORPHAN_SAMPLES = 5,
};

struct long_save {
    struct rdb_keys head;
    struct slice key; /* owned */
    struct toll *toll;
    struct space *space; /* of the key; NULL for none */
    int db;
    bool compress;
    _Atomic unsigned shard;
    enum type type;
    void *object;         /* NULL: freed, and saved therefore */
    struct entry *orphan; /* out of the keyspace, ours to free; NULL for none */
    uint64_t owed;        /* bytes as which it counts */
    bool ended;
    struct save_piece *side;  /* what others have saved, the last piece first */
    struct save_piece *times; /* of a hash's fields, the last piece first */

    /* Of a table. */
    const struct table *table;
    uint32_t intervals, next;
    uint64_t *saved; /* a bit for each */

    /* Of a list: nodes and how many elements each has, as in its ring. */
    uint64_t *nodes;
    size_t nodes_len, next_node, read_nodes;
    struct listpack_out lp;

    struct string_save string;
};

bool long_save_wanted(const struct entry *e)
{
    if (e->form == FORM_BLOB)
        return e->type == TYPE_STRING && entry_bytes(e).len > LONG_STRING;
    if (e->form != FORM_OUTSIDE)
        return false;
    if (e->type == TYPE_LIST)
        return lists_long(e)->ring.len > LONG_NODES;
    return value_type(e->type)->table(entry_object(e))->count > LONG_ELEMENTS;
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void begin_list(struct long_save *s)
{
    struct long_list *l = s->object;

    s->nodes_len = l->ring.len;
    s->nodes = mem_alloc(s->nodes_len * sizeof(*s->nodes));
    node_ring_copy(&l->ring, s->nodes);
    l->generation++;
    rdb_put_len(&s->head.bytes, s->nodes_len);
}

static void begin_table(struct long_save *s)
{
    s->table = value_type(s->type)->table(s->object);
    s->intervals = 1;
    while (s->intervals <= s->table->buckets / 2)
        s->intervals *= 2;
    s->saved = mem_zalloc((s->intervals + 63) / 64 * sizeof(*s->saved));
    rdb_put_len(&s->head.bytes, s->table->count);
}

static void begin_parts(struct long_save *s)
{
    if (s->type == TYPE_STRING)
        s->string.len = ((struct blob *)s->object)->len;
    else if (s->type == TYPE_LIST)
        begin_list(s);
    else
        begin_table(s);
}

static enum rdb_type type_of(enum type type)
{
    switch (type) {
    case TYPE_STRING:
        return RDB_STRING;
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
    s->toll = key->toll;
    s->db = key->db;
    s->compress = key->compress;
    s->type = (enum type)e->type;
    s->object = entry_object(e);
    long_save_moved(s, key->shard, key->space);
    rdb_keys_add_version(&s->head, key->version);
    rdb_put_key_head(&s->head.bytes, e, type_of(s->type), key->age);
    begin_parts(s);
    *value_saving(s->type, s->object) = s;
    return s;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* The last one, or another one where that is full. */
static struct save_piece *last_piece(struct save_piece **pieces)
{
    struct save_piece *p = *pieces;

    if (p && p->bytes.len < PIECE_BYTES)
        return p;
    p = mem_zalloc(sizeof(*p));
    p->next = *pieces;
    *pieces = p;
    return p;
}

static uint64_t free_pieces(struct save_piece *p)
{
    struct save_piece *next;
    uint64_t bytes = 0;

    for (; p; p = next) {
        next = p->next;
        bytes += p->bytes.len;
        buf_release(&p->bytes);
        buf_release(&p->later);
        mem_free(p);
    }
    return bytes;
}

void long_save_drop(struct long_save *s, struct save_piece *pieces)
{
    toll_drop(s->toll, free_pieces(pieces));
}

/* ---- elements -------------------------------------------------------------------------------- */

struct visit {
    struct long_save *save;
    uint32_t interval;
    struct buf *out, *later;
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
        rdb_put_bytes(v->out, m.text, v->later);
}

static void note_time(struct long_save *s, const struct field *f)
{
    struct buf *to = &last_piece(&s->times)->bytes;
    struct slice name = field_name(f);

    rdb_put_number(to, name.len);
    buf_append_slice(to, name);
    rdb_put_number(to, (uint64_t)field_time(f));
}

static void visit_field(void *item, void *opaque)
{
    const struct visit *v = opaque;
    const struct field *f = item;

    if (is_other(v, field_hash(f)))
        return;
    rdb_put_string(v->out, field_name(f), v->later);
    rdb_put_string(v->out, field_value(f), v->later);
    if (f->has_time)
        note_time(v->save, f);
}

static void visit_scored(void *item, void *opaque)
{
    const struct visit *v = opaque;
    const struct zset_item *i = item;

    if (is_other(v, zset_item_hash(i)))
        return;
    rdb_put_string(v->out, zset_item_member(i), v->later);
    rdb_put_double(v->out, i->score);
}

static void save_interval(struct long_save *s, uint32_t interval, struct save_piece *to)
{
    struct visit v = {s, interval, &to->bytes, s->compress ? &to->later : NULL};
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

static void save_aside(struct long_save *s, uint32_t interval)
{
    struct save_piece *p = last_piece(&s->side);
    size_t before = p->bytes.len;
    uint64_t began = toll_begin(s->toll);

    save_interval(s, interval, p);
    toll_keep(s->toll, p->bytes.len - before);
    toll_end(s->toll, began, p->bytes.len - before);
}

void long_save_first(struct long_save *s, uint64_t hash)
{
    uint32_t interval = (uint32_t)hash & (s->intervals - 1);

    if (!is_saved(s, interval))
        save_aside(s, interval);
}

static void save_table(struct long_save *s, struct save_piece *own)
{
    for (int n = 0; n < PORTION_INTERVALS && s->next < s->intervals; s->next++) {
        if (own->bytes.len >= PORTION_BYTES)
            break;
        if (is_saved(s, s->next))
            continue;
        save_interval(s, s->next, own);
        n++;
    }
    s->ended = s->next == s->intervals;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct list_node *shared_node(const struct long_save *s, size_t i)
{
    return (void *)(uintptr_t)(s->nodes[i] & (((uint64_t)1 << RING_ADDRESS_BITS) - 1));
}

/* Nobody changes them, or frees them, before they are given back. */
static void read_nodes(struct long_save *s, struct save_piece *own)
{
    for (int n = 0; n < PORTION_NODES && s->read_nodes < s->nodes_len; n++, s->read_nodes++) {
        const struct list_node *node = shared_node(s, s->read_nodes);
        struct list_run run = {.at = node->data + node->begin,
                               .count = s->nodes[s->read_nodes] >> RING_ADDRESS_BITS,
                               .trailed = true};

        rdb_put_list_run(&own->bytes, run, &s->lp, s->compress ? &own->later : NULL);
    }
}

/* The nodes up to this one are the list's alone again, or nobody's. */
static void give_back_nodes(struct long_save *s, size_t end)
{
    const struct long_list *l = s->object;

    for (; s->next_node < end; s->next_node++) {
        struct list_node *n = shared_node(s, s->next_node);
        bool left = n->generation == NODE_LEFT;

        n->generation = l ? l->generation : 0;
        if (left)
            node_free(l, n);
    }
    s->ended = s->next_node == s->nodes_len;
}

/* ---- strings --------------------------------------------------------------------------------- */

void long_save_first_bytes(struct long_save *s, size_t at, size_t len)
{
    uint64_t began = toll_begin(s->toll);
    size_t kept = string_save_first(&s->string, s->object, at, len);

    toll_keep(s->toll, kept);
    toll_end(s->toll, began, kept);
}

void long_save_object_moved(struct long_save *s, void *object)
{
    s->object = object;
}

size_t long_save_string_len(const struct long_save *s)
{
    return s->string.len;
}

static void save_string(struct long_save *s, struct save_piece *own)
{
    toll_drop(s->toll, string_save_take(&s->string, s->object, &own->bytes));
    s->ended = s->string.next == s->string.len;
}

/* ---- portions -------------------------------------------------------------------------------- */

static void forget(struct long_save *s)
{
    if (s->object)
        *value_saving(s->type, s->object) = NULL;
    s->object = NULL;
    long_save_moved(s, long_save_shard(s), NULL);
}

void long_save_prepare(struct long_save *s, struct save_piece *own)
{
    if (s->type == TYPE_LIST)
        read_nodes(s, own);
}

struct save_piece *long_save_portion(struct long_save *s, struct save_piece *own)
{
    struct save_piece *side = s->side;

    if (s->type == TYPE_STRING)
        save_string(s, own);
    else if (s->type == TYPE_LIST)
        give_back_nodes(s, s->read_nodes);
    else
        save_table(s, own);
    s->side = NULL;
    if (s->ended)
        forget(s);
    return side;
}

bool long_save_ended(const struct long_save *s)
{
    return s->ended;
}

void long_save_give_up(struct long_save *s)
{
    if (s->type == TYPE_LIST)
        give_back_nodes(s, s->nodes_len);
    forget(s);
}

void long_save_free(struct long_save *s)
{
    uint64_t kept = free_pieces(s->side) + string_save_release(&s->string);

    if (s->orphan)
        entry_free(s->orphan);
    toll_drop(s->toll, kept + s->owed);
    free_pieces(s->times);
    rdb_keys_release(&s->head);
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

void long_save_behind(const struct long_save *s, struct buf *out)
{
    struct buf told = {0};

    if (!s->times)
        return;
    rdb_put_number(&told, (uint64_t)s->db);
    rdb_put_number(&told, s->key.len);
    buf_append_slice(&told, s->key);
    for (const struct save_piece *p = s->times; p; p = p->next)
        buf_append_slice(&told, buf_slice(&p->bytes));
    rdb_put_byte(out, RDB_AUX);
    rdb_put_string(out, SLICE(RDB_AUX_FIELD_TIMES), NULL);
    rdb_put_bytes(out, buf_slice(&told), NULL);
    buf_release(&told);
}

unsigned long_save_shard(const struct long_save *s)
{
    return atomic_load(&s->shard);
}

/* ---- for whoever has the value --------------------------------------------------------------- */

void long_save_moved(struct long_save *s, unsigned shard, struct space *space)
{
    if (s->space)
        atomic_fetch_sub(&s->space->long_saves, 1);
    s->space = space;
    if (space)
        atomic_fetch_add(&space->long_saves, 1);
    atomic_store(&s->shard, shard);
}

void long_save_adopt(struct long_save *s, struct entry *e)
{
    size_t bytes = entry_memory(e, ORPHAN_SAMPLES);

    long_save_moved(s, long_save_shard(s), NULL);
    s->orphan = e;
    s->owed = bytes < ORPHAN_BYTES ? bytes : ORPHAN_BYTES;
    toll_keep(s->toll, s->owed);
}

static void lend_nodes(struct long_save *s)
{
    for (size_t i = s->next_node; i < s->nodes_len; i++) {
        struct list_node *n = shared_node(s, i);

        if (n->generation != NODE_LEFT)
            n->generation = NODE_LENT;
    }
}

void long_save_lose(struct long_save *s)
{
    if (s->type == TYPE_LIST)
        lend_nodes(s);
    else if (s->type == TYPE_STRING)
        long_save_first_bytes(s, 0, SIZE_MAX / 2);
    for (; s->next < s->intervals; s->next++) {
        if (!is_saved(s, s->next))
            save_aside(s, s->next);
    }
    forget(s);
}
