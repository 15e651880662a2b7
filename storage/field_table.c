/* Large hashes, see field_table.h. */
#include "storage/field_table.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/hash.h"
#include "storage/long_save.h"

struct field_table *field_table_new(void)
{
    struct field_table *t = mem_zalloc(sizeof(*t));

    t->now_ms = INT64_MIN;
    return t;
}

static void free_item(void *item, void *opaque)
{
    (void)opaque;
    field_free(item);
}

void field_table_free(struct field_table *t)
{
    table_each(&t->table, free_item, NULL);
    table_release(&t->table);
    field_heap_release(&t->timed);
    mem_free(t);
}

struct field_table *field_table_copy(const struct field_table *t)
{
    struct field_table *copy = field_table_new();
    struct table_walk w = table_walk(&t->table);
    const struct field *f;

    while ((f = table_walk_next(&w)))
        field_table_put(copy, field_name(f), field_value(f), field_time(f));
    copy->now_ms = t->now_ms;
    return copy;
}

/* ---- looking -------------------------------------------------------------------------------- */

/* Hidden or not. */
static struct field *find(const struct field_table *t, struct slice name, uint64_t hash,
                          struct table_place *place)
{
    return table_find(&t->table, hash, name, field_is, place);
}

size_t field_table_count(const struct field_table *t)
{
    size_t count = t->table.count;

    if (UNLIKELY(field_heap_due(&t->timed) <= t->now_ms))
        count -= field_heap_count(&t->timed, t->now_ms);
    return count;
}

const struct field *field_table_find(const struct field_table *t, struct slice name)
{
    struct table_place place;
    const struct field *f = find(t, name, hash_bytes(name), &place);

    return f && !field_hidden(t, f) ? f : NULL;
}

/* Number `nth` of those that are not hidden. */
static const struct field *nth_shown(const struct field_table *t, size_t nth)
{
    struct table_walk w = table_walk(&t->table);
    const struct field *f;

    while ((f = table_walk_next(&w))) {
        if (!field_hidden(t, f) && nth-- == 0)
            break;
    }
    return f;
}

const struct field *field_table_random(const struct field_table *t)
{
    enum { ATTEMPTS = 100 };

    for (int i = 0; i < ATTEMPTS; i++) {
        const struct field *f = table_random(&t->table);

        if (LIKELY(!field_hidden(t, f)))
            return f;
    }
    return nth_shown(t, rng_below(field_table_count(t)));
}

/* ---- changing -------------------------------------------------------------------------------- */

/* A snapshot that is being made saves the fields of this hash first. */
static inline void will_change(struct field_table *t, uint64_t hash)
{
    if (UNLIKELY(t->saving != NULL))
        long_save_first(t->saving, hash);
}

static void insert(struct field_table *t, uint64_t hash, struct field *f)
{
    will_change(t, hash);
    table_insert(&t->table, hash, f, field_hash);
    if (UNLIKELY(f->has_time))
        field_heap_add(&t->timed, f);
}

void field_table_put(struct field_table *t, struct slice name, struct slice value, int64_t time)
{
    insert(t, hash_bytes(name), field_new(name, value, time));
}

static void leave_heap(struct field_table *t, const struct field *f)
{
    if (LIKELY(!f->has_time))
        return;
    field_heap_remove(&t->timed, f);
    if (t->lasting == f)
        t->lasting = NULL;
}

/* A field with this value and time takes the place of `f`, which has the same name. */
static void replace(struct field_table *t, struct table_place place, struct field *f,
                    struct slice value, int64_t time)
{
    struct field *fresh = field_new(field_name(f), value, time);

    leave_heap(t, f);
    if (UNLIKELY(fresh->has_time))
        field_heap_add(&t->timed, fresh);
    table_replace(place, fresh);
    field_free(f);
}

bool field_table_set(struct field_table *t, struct slice name, struct slice value, int64_t time)
{
    uint64_t hash = hash_bytes(name);
    struct table_place place;
    struct field *f = find(t, name, hash, &place);
    bool hidden;

    if (!f) {
        insert(t, hash, field_new(name, value, time == FIELD_TIME_KEEP ? EXPIRY_NONE : time));
        return true;
    }
    will_change(t, hash);
    hidden = field_hidden(t, f);
    if (time == FIELD_TIME_KEEP)
        time = hidden ? EXPIRY_NONE : field_time(f);
    if (field_time(f) != time || !field_overwrite(f, value))
        replace(t, place, f, value, time);
    return hidden;
}

static void take_out(struct field_table *t, struct table_place place, uint64_t hash,
                     struct field *f)
{
    will_change(t, hash);
    leave_heap(t, f);
    table_remove(&t->table, place, hash, field_hash);
    field_free(f);
}

bool field_table_remove(struct field_table *t, struct slice name)
{
    uint64_t hash = hash_bytes(name);
    struct table_place place;
    struct field *f = find(t, name, hash, &place);

    if (!f || field_hidden(t, f))
        return false;
    take_out(t, place, hash, f);
    return true;
}

void field_table_set_time(struct field_table *t, struct slice name, int64_t time)
{
    uint64_t hash = hash_bytes(name);
    struct table_place place;
    struct field *f = find(t, name, hash, &place);

    will_change(t, hash);
    if (f->has_time && time != EXPIRY_NONE) {
        field_set_time(f, time);
        field_heap_moved(&t->timed, f);
    } else if (f->has_time || time != EXPIRY_NONE) {
        replace(t, place, f, field_value(f), time);
    }
}

size_t field_table_expire(struct field_table *t, size_t max, const struct part_visitor *who)
{
    size_t n = 0;

    for (; n < max && field_heap_due(&t->timed) <= t->now_ms; n++) {
        struct field *f = field_heap_first(&t->timed);
        uint64_t hash = field_hash(f);
        struct table_place place;

        if (who)
            who->visit(field_name(f), who->opaque);
        find(t, field_name(f), hash, &place);
        take_out(t, place, hash, f);
    }
    return n;
}

/* As long as the one that was found stays, nobody has to look among all again. */
bool field_table_is_gone(struct field_table *t, int64_t now_ms)
{
    if (t->timed.len < t->table.count)
        return false;
    if (!t->lasting || field_time(t->lasting) <= now_ms)
        t->lasting = field_heap_later(&t->timed, now_ms);
    return !t->lasting;
}

size_t field_table_memory(const struct field_table *t, size_t samples)
{
    struct table_walk w = table_walk(&t->table);
    size_t seen = 0, bytes = 0;
    const struct field *f;

    while ((!samples || seen < samples) && (f = table_walk_next(&w))) {
        bytes += mem_good_size(field_size(f));
        seen++;
    }
    if (seen)
        bytes = (size_t)((double)bytes / (double)seen * (double)t->table.count);
    return mem_size_of(t) + table_memory(&t->table) + field_heap_memory(&t->timed) + bytes;
}
