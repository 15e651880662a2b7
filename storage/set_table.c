/* Large sets, see set_table.h. */
#include "storage/set_table.h"

#include "base/mem.h"
#include "storage/hash.h"
#include "storage/long_save.h"

enum { NUMBER_BITS = 47 };
#define NUMBER_MARK ((uint64_t)1 << NUMBER_BITS)

/* ---- items ---------------------------------------------------------------------------------- */

static bool is_in_place(const void *item)
{
    return (uintptr_t)item & NUMBER_MARK;
}

static bool fits_in_place(int64_t n)
{
    return n >= -(int64_t)(NUMBER_MARK >> 1) && n < (int64_t)(NUMBER_MARK >> 1);
}

static void *item_of_number(int64_t n)
{
    return (void *)(uintptr_t)(((uint64_t)n & (NUMBER_MARK - 1)) | NUMBER_MARK);
}

static int64_t number_of_item(const void *item)
{
    return (int64_t)((uint64_t)(uintptr_t)item << (64 - NUMBER_BITS)) >> (64 - NUMBER_BITS);
}

struct set_member set_table_member(const void *item)
{
    return is_in_place(item) ? set_member_int(number_of_item(item)) : set_member_packed(item);
}

static void *new_item(const struct set_member *m)
{
    struct pack_value v;
    char *item;

    if (m->is_number && fits_in_place(m->number))
        return item_of_number(m->number);
    v = set_member_value(m);
    item = mem_alloc(pack_value_size(&v));
    pack_write(item, &v);
    return item;
}

static void free_item(void *item, void *opaque)
{
    (void)opaque;
    if (!is_in_place(item))
        mem_free_sized(item, pack_size(item));
}

static uint64_t hash_number(int64_t n)
{
    return hash_bytes(slice_make((const char *)&n, sizeof(n)));
}

static uint64_t hash_member(const struct set_member *m)
{
    return m->is_number ? hash_number(m->number) : hash_bytes(m->text);
}

uint64_t set_table_hash(const void *item)
{
    struct set_member m = set_table_member(item);

    return hash_member(&m);
}

/* For table_find(): the "key" of a number in place is the item, that of others a pack_value. */
static inline bool is_this_item(const void *item, struct slice key)
{
    return item == key.ptr;
}

static inline bool is_this_element(const void *item, struct slice key)
{
    return !is_in_place(item) && pack_is(item, (const struct pack_value *)(const void *)key.ptr);
}

static void *find(const struct set_table *s, const struct set_member *m, uint64_t hash,
                  struct table_place *place)
{
    struct pack_value v;

    if (m->is_number && fits_in_place(m->number))
        return table_find(&s->table, hash, slice_make(item_of_number(m->number), 0), is_this_item,
                          place);
    v = set_member_value(m);
    return table_find(&s->table, hash, slice_make((const char *)&v, 0), is_this_element, place);
}

/* A snapshot that is being made saves the members of this hash first. */
static inline void will_change(struct set_table *s, uint64_t hash)
{
    if (UNLIKELY(s->saving != NULL))
        long_save_first(s->saving, hash);
}

/* ---- the set -------------------------------------------------------------------------------- */

struct set_table *set_table_new(void)
{
    return mem_zalloc(sizeof(struct set_table));
}

void set_table_free(struct set_table *s)
{
    table_each(&s->table, free_item, NULL);
    table_release(&s->table);
    mem_free(s);
}

struct set_table *set_table_copy(const struct set_table *s)
{
    struct set_table *copy = set_table_new();
    struct table_walk w = table_walk(&s->table);
    const void *item;

    while ((item = table_walk_next(&w))) {
        struct set_member m = set_table_member(item);

        set_table_put(copy, &m);
    }
    return copy;
}

bool set_table_has(const struct set_table *s, const struct set_member *m)
{
    struct table_place place;

    return find(s, m, hash_member(m), &place) != NULL;
}

void set_table_put(struct set_table *s, const struct set_member *m)
{
    uint64_t hash = hash_member(m);

    will_change(s, hash);
    table_insert(&s->table, hash, new_item(m), set_table_hash);
}

bool set_table_add(struct set_table *s, const struct set_member *m)
{
    uint64_t hash = hash_member(m);
    struct table_place place;

    if (find(s, m, hash, &place))
        return false;
    will_change(s, hash);
    table_insert(&s->table, hash, new_item(m), set_table_hash);
    return true;
}

bool set_table_remove(struct set_table *s, const struct set_member *m)
{
    uint64_t hash = hash_member(m);
    struct table_place place;
    void *item = find(s, m, hash, &place);

    if (!item)
        return false;
    will_change(s, hash);
    table_remove(&s->table, place, hash, set_table_hash);
    free_item(item, NULL);
    return true;
}

size_t set_table_memory(const struct set_table *s, size_t samples)
{
    struct table_walk w = table_walk(&s->table);
    size_t seen = 0, bytes = 0;
    const void *item;

    while ((!samples || seen < samples) && (item = table_walk_next(&w))) {
        bytes += is_in_place(item) ? 0 : mem_size_of(item);
        seen++;
    }
    if (seen)
        bytes = (size_t)((double)bytes / (double)seen * (double)s->table.count);
    return mem_size_of(s) + table_memory(&s->table) + bytes;
}

void set_table_hint(const struct set_table *s, const struct set_member *m, bool deep)
{
    if (deep)
        table_hint_item(&s->table, hash_member(m));
    else
        table_hint_bucket(&s->table, hash_member(m));
}
