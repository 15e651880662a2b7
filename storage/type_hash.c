/* The hash type, see type_hash.h. */
#include "storage/type_hash.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/hash.h"

/* ---- packed fields -------------------------------------------------------------------------- */

static struct field_table *table_of(const struct entry *e)
{
    return entry_object(e);
}

/* Elements of a field. */
static unsigned stride(const struct entry *e)
{
    return e->raw ? 3 : 2;
}

/* The time element at `at`. */
static int64_t time_at(const char *at)
{
    int64_t time = 0;

    pack_int(at, &time);
    return time ? time : EXPIRY_NONE;
}

static int64_t time_of(const struct entry *e, const char *value)
{
    return e->raw ? time_at(pack_next(value)) : EXPIRY_NONE;
}

static struct pack_value time_element(int64_t time)
{
    return pack_value_int(time == EXPIRY_NONE ? 0 : time);
}

static const char *find(const struct entry *e, struct slice name)
{
    struct pack_value v = pack_value(name);

    return pack_find(entry_bytes(e), &v, stride(e));
}

/* Behind the field at `at`. */
static const char *behind(const struct entry *e, const char *at)
{
    at = pack_next(pack_next(at));
    return e->raw ? pack_next(at) : at;
}

static size_t count_packed(const struct entry *e)
{
    return e->few < FEW_MAX ? e->few : pack_count(entry_bytes(e)) / stride(e);
}

/* There are `by` fields more, or less. */
static void count_changed(struct entry *e, int by)
{
    size_t count = e->few;

    if (count < FEW_MAX)
        count += (size_t)by;
    else if (by < 0)
        count = pack_count(entry_bytes(e)) / stride(e);
    e->few = (uint8_t)(count < FEW_MAX ? count : FEW_MAX);
}

/* ---- looking -------------------------------------------------------------------------------- */

size_t hash_len(const struct entry *e)
{
    return hash_is_packed(e) ? count_packed(e) : field_table_count(table_of(e));
}

bool hash_get(const struct entry *e, struct slice name, char digits[NUM_INT_MAX],
              struct slice *value)
{
    const struct field *f;
    const char *at;

    if (hash_is_packed(e)) {
        at = find(e, name);
        if (at)
            *value = pack_text(pack_next(at), digits);
        return at != NULL;
    }
    f = field_table_find(table_of(e), name);
    if (f)
        *value = field_value(f);
    return f != NULL;
}

bool hash_time(const struct entry *e, struct slice name, int64_t *time)
{
    const struct field *f;
    const char *at;

    if (hash_is_packed(e)) {
        at = find(e, name);
        if (at)
            *time = time_of(e, pack_next(at));
        return at != NULL;
    }
    f = field_table_find(table_of(e), name);
    if (f)
        *time = field_time(f);
    return f != NULL;
}

static void item_of_field(const struct field *f, struct hash_item *item)
{
    item->name = field_name(f);
    item->value = field_value(f);
    item->time = field_time(f);
}

/* Returns what is behind it. */
static const char *item_of_packed(const char *at, bool timed, struct hash_item *item)
{
    item->name = pack_text(at, item->name_digits);
    at = pack_next(at);
    item->value = pack_text(at, item->value_digits);
    at = pack_next(at);
    item->time = EXPIRY_NONE;
    if (LIKELY(!timed))
        return at;
    item->time = time_at(at);
    return pack_next(at);
}

struct hash_walk hash_walk(const struct entry *e)
{
    struct hash_walk w = {.timed = e->raw};

    if (hash_is_packed(e)) {
        w.at = entry_bytes(e).ptr;
        w.end = pack_end(entry_bytes(e));
    } else {
        w.fields = table_of(e);
        w.table = table_walk(&w.fields->table);
    }
    return w;
}

bool hash_walk_next(struct hash_walk *w, struct hash_item *item)
{
    const struct field *f;

    if (w->at < w->end) {
        w->at = item_of_packed(w->at, w->timed, item);
        return true;
    }
    if (!w->fields)
        return false;
    do
        f = table_walk_next(&w->table);
    while (f && field_hidden(w->fields, f));
    if (f)
        item_of_field(f, item);
    return f != NULL;
}

struct scan {
    const struct field_table *fields;
    hash_visit_fn *visit;
    void *opaque;
    size_t seen;
};

static void visit_field(void *field, void *opaque)
{
    struct scan *s = opaque;
    struct hash_item item;

    if (field_hidden(s->fields, field))
        return;
    item_of_field(field, &item);
    s->visit(&item, s->opaque);
    s->seen++;
}

uint64_t hash_scan(const struct entry *e, uint64_t cursor, size_t count, hash_visit_fn *visit,
                   void *opaque)
{
    /* Where hardly any is left in many buckets, these suffice for one call. */
    enum { BUCKETS_A_FIELD = 10 };
    struct hash_walk w = hash_walk(e);
    struct scan s = {w.fields, visit, opaque, 0};
    struct hash_item item;

    if (hash_is_packed(e)) {
        while (hash_walk_next(&w, &item))
            visit(&item, opaque);
        return 0;
    }
    cursor &= ((uint64_t)1 << TABLE_CURSOR_BITS) - 1;
    for (size_t buckets = 0; s.seen < count && buckets / BUCKETS_A_FIELD < count; buckets++) {
        cursor = table_scan(&s.fields->table, cursor, visit_field, &s);
        if (!cursor)
            break;
    }
    return cursor;
}

void hash_random(const struct entry *e, struct hash_item *item)
{
    if (hash_is_packed(e))
        item_of_packed(pack_at(entry_bytes(e), rng_below(count_packed(e)) * stride(e)), e->raw,
                       item);
    else
        item_of_field(field_table_random(table_of(e)), item);
}

/* ---- forms ---------------------------------------------------------------------------------- */

struct entry *hash_new(struct slice key)
{
    return entry_new_bytes(key, TYPE_HASH, SLICE(""), EXPIRY_NONE);
}

static void mark_times(struct entry *e)
{
    e->raw = table_of(e)->timed.len > 0;
}

static void to_table(struct entry **e)
{
    struct field_table *t = field_table_new();
    struct hash_walk w = hash_walk(*e);
    struct hash_item item;

    while (hash_walk_next(&w, &item))
        field_table_put(t, item.name, item.value, item.time);
    *e = entry_set_object(*e, t);
    (*e)->few = 0;
    mark_times(*e);
}

/* Each packed field gets a time, none so far. */
static void give_times(struct entry **e)
{
    const struct pack_value none = time_element(EXPIRY_NONE);
    struct slice bytes = entry_bytes(*e);
    char *copy = mem_alloc(bytes.len + count_packed(*e) * pack_value_size(&none)), *to = copy;

    for (const char *at = bytes.ptr, *next; at < pack_end(bytes); at = next) {
        next = behind(*e, at);
        memcpy(to, at, (size_t)(next - at));
        to = pack_write(to + (next - at), &none);
    }
    *e = entry_set_bytes(*e, slice_make(copy, (size_t)(to - copy)));
    (*e)->raw = 1;
    mem_free(copy);
}

/* ---- changing packed ones ------------------------------------------------------------------- */

/* Where a field that goes at this time belongs: behind those that go no later. */
static size_t place_for(const struct entry *e, int64_t time)
{
    struct slice bytes = entry_bytes(e);
    const char *at = bytes.ptr, *end = pack_end(bytes);

    if (LIKELY(time == EXPIRY_NONE))
        return bytes.len;
    while (at < end && time_of(e, pack_next(at)) <= time)
        at = behind(e, at);
    return (size_t)(at - bytes.ptr);
}

static void add_packed(struct entry **e, const struct pack_value *name,
                       const struct pack_value *value, int64_t time)
{
    const struct pack_value when = time_element(time);
    size_t size = pack_value_size(name) + pack_value_size(value), at = place_for(*e, time);
    char *to;

    *e = entry_splice(*e, at, 0, size + ((*e)->raw ? pack_value_size(&when) : 0), &to);
    to = pack_write(pack_write(to + at, name), value);
    if (UNLIKELY((*e)->raw))
        pack_write(to, &when);
    count_changed(*e, 1);
}

/* The element at `at` becomes this one. */
static void replace_element(struct entry **e, const char *at, const struct pack_value *v)
{
    size_t offset = (size_t)(at - entry_bytes(*e).ptr), old = pack_size(at);
    char *to = (char *)(uintptr_t)at - offset;

    if (old != pack_value_size(v))
        *e = entry_splice(*e, offset, old, pack_value_size(v), &to);
    pack_write(to + offset, v);
}

static void remove_packed(struct entry **e, const char *at)
{
    size_t size = (size_t)(behind(*e, at) - at);
    char *value;

    *e = entry_splice(*e, (size_t)(at - entry_bytes(*e).ptr), size, 0, &value);
    count_changed(*e, -1);
}

static bool set_packed(struct entry **e, struct slice name, struct slice value, int64_t time)
{
    struct pack_value n = pack_value(name), v = pack_value(value);
    const char *at = pack_find(entry_bytes(*e), &n, stride(*e));
    int64_t had;

    if (!at) {
        add_packed(e, &n, &v, time == FIELD_TIME_KEEP ? EXPIRY_NONE : time);
        return true;
    }
    had = time_of(*e, pack_next(at));
    if (LIKELY(time == had || time == FIELD_TIME_KEEP)) {
        replace_element(e, pack_next(at), &v);
    } else {
        remove_packed(e, at);
        add_packed(e, &n, &v, time);
    }
    return false;
}

/* The field at `at` is taken out and put in again where it belongs. */
static void retime_packed(struct entry **e, const char *at, int64_t time)
{
    const char *value = pack_next(at), *end = pack_next(value);
    size_t size = (size_t)(end - at), offset;
    const struct pack_value when = time_element(time);
    char *copy = memcpy(mem_alloc(size), at, size), *to;

    remove_packed(e, at);
    offset = place_for(*e, time);
    *e = entry_splice(*e, offset, 0, size + pack_value_size(&when), &to);
    memcpy(to + offset, copy, size);
    pack_write(to + offset + size, &when);
    count_changed(*e, 1);
    mem_free(copy);
}

/* ---- changing ------------------------------------------------------------------------------- */

bool hash_set(struct entry **e, struct slice name, struct slice value, int64_t time,
              const struct hash_limits *limits)
{
    bool added;

    if (hash_is_packed(*e) && UNLIKELY(name.len > limits->value || value.len > limits->value))
        to_table(e);
    if (!hash_is_packed(*e)) {
        added = field_table_set(table_of(*e), name, value, time);
        mark_times(*e);
        return added;
    }
    if (UNLIKELY(time != EXPIRY_NONE && time != FIELD_TIME_KEEP && !(*e)->raw))
        give_times(e);
    added = set_packed(e, name, value, time);
    if (count_packed(*e) > limits->entries)
        to_table(e);
    return added;
}

bool hash_remove(struct entry **e, struct slice name)
{
    const char *at;

    if (!hash_is_packed(*e)) {
        bool gone = field_table_remove(table_of(*e), name);

        mark_times(*e);
        return gone;
    }
    at = find(*e, name);
    if (at)
        remove_packed(e, at);
    return at != NULL;
}

void hash_set_time(struct entry **e, struct slice name, int64_t time)
{
    if (!hash_is_packed(*e)) {
        field_table_set_time(table_of(*e), name, time);
        mark_times(*e);
        return;
    }
    if (!(*e)->raw && time == EXPIRY_NONE)
        return;
    if (!(*e)->raw)
        give_times(e);
    retime_packed(e, find(*e, name), time);
}

/* ---- the row of the type -------------------------------------------------------------------- */

void hash_free(void *object)
{
    field_table_free(object);
}

size_t hash_effort(const void *object)
{
    return ((const struct field_table *)object)->table.count;
}

void *hash_copy(const void *object)
{
    return field_table_copy(object);
}

size_t hash_memory(const void *object, size_t samples)
{
    return field_table_memory(object, samples);
}

const char *hash_encoding(const struct entry *e)
{
    return !hash_is_packed(e) ? "hashtable" : e->raw ? "listpackex" : "listpack";
}

static struct digest item_digest(const struct hash_item *item)
{
    struct {
        struct digest name, value;
        uint64_t timed;
    } parts = {digest_bytes(item->name, 0), digest_bytes(item->value, 0),
               item->time != EXPIRY_NONE};

    return digest_bytes(slice_make((const char *)&parts, sizeof(parts)), 0);
}

struct digest hash_digest(const struct entry *e)
{
    struct hash_walk w = hash_walk(e);
    struct digest sum = {0};
    struct hash_item item;

    while (hash_walk_next(&w, &item))
        digest_sum(&sum, item_digest(&item));
    return sum;
}

/* ---- fields that go by themselves ----------------------------------------------------------- */

int64_t hash_due(const struct entry *e)
{
    struct slice bytes;

    if (!hash_is_packed(e))
        return field_heap_due(&table_of(e)->timed);
    bytes = entry_bytes(e);
    return e->raw && bytes.len ? time_of(e, pack_next(bytes.ptr)) : EXPIRY_NONE;
}

/* Those that are due stand first; they go all at once. */
static size_t expire_packed(struct entry **e, int64_t now_ms, const struct part_visitor *who)
{
    struct slice bytes = entry_bytes(*e);
    size_t n = 0, len = place_for(*e, now_ms);
    char *value;

    for (const char *at = bytes.ptr; at < bytes.ptr + len; at = behind(*e, at)) {
        char digits[NUM_INT_MAX];

        if (who)
            who->visit(pack_text(at, digits), who->opaque);
        n++;
    }
    *e = entry_splice(*e, 0, len, 0, &value);
    count_changed(*e, -(int)n);
    return n;
}

/* What is left goes as a whole. */
static void visit_all(const struct field_table *t, const struct part_visitor *who)
{
    struct table_walk w = table_walk(&t->table);
    const struct field *f;

    while (who && (f = table_walk_next(&w)))
        who->visit(field_name(f), who->opaque);
}

size_t hash_expire(struct entry **e, int64_t now_ms, size_t max, bool *gone,
                   const struct part_visitor *who)
{
    struct field_table *t;
    size_t n;

    if (hash_is_packed(*e)) {
        n = expire_packed(e, now_ms, who);
        *gone = !entry_bytes(*e).len;
        return n;
    }
    t = table_of(*e);
    field_table_set_now(t, now_ms);
    n = field_table_expire(t, max, who);
    mark_times(*e);
    *gone = field_table_is_gone(t, now_ms);
    if (!*gone)
        return n;
    visit_all(t, who);
    return n + t->table.count;
}

bool hash_is_gone(const struct entry *e, int64_t now_ms)
{
    if (hash_is_packed(e))
        return place_for(e, now_ms) == entry_bytes(e).len;
    return field_table_is_gone(table_of(e), now_ms);
}

void hash_hint(const void *object, struct slice name, bool deep)
{
    const struct field_table *t = object;

    if (deep)
        table_hint_item(&t->table, hash_bytes(name));
    else
        table_hint_bucket(&t->table, hash_bytes(name));
}
