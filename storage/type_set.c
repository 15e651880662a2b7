/* The set type, see type_set.h. */
#include "storage/type_set.h"

#include "base/rng.h"
#include "storage/digest.h"
#include "storage/intset.h"

/* As Redis has it, whatever the option says. */
enum { INTSET_LIMIT = 1 << 30 };

static struct set_table *table_of(const struct entry *e)
{
    return entry_object(e);
}

static bool is_table(const struct entry *e)
{
    return e->form == FORM_OUTSIDE;
}

/* One with nothing in it has become neither yet. */
bool set_is_intset(const struct entry *e)
{
    return !is_table(e) && e->raw;
}

size_t set_count(const struct entry *e)
{
    if (is_table(e))
        return table_of(e)->table.count;
    return e->raw ? intset_count(entry_bytes(e)) : e->few;
}

static const char *find_packed(const struct entry *e, const struct set_member *m)
{
    struct pack_value v = set_member_value(m);

    return pack_find(entry_bytes(e), &v, 1);
}

bool set_has(const struct entry *e, const struct set_member *m)
{
    size_t index;

    if (is_table(e))
        return set_table_has(table_of(e), m);
    if (e->raw)
        return m->is_number && intset_find(entry_bytes(e), m->number, &index);
    return find_packed(e, m) != NULL;
}

/* ---- forms ---------------------------------------------------------------------------------- */

static void count_integers(struct entry *e)
{
    size_t count = intset_count(entry_bytes(e));

    e->few = (uint8_t)(count < FEW_MAX ? count : FEW_MAX);
}

/* Whether a further member, which is none of them, leaves packed elements small enough. */
static bool fits_packed(size_t count, size_t bytes, const struct set_member *m)
{
    return count < SET_PACKED_MAX && (m->is_number || m->text.len <= SET_PACKED_MEMBER_MAX) &&
           bytes + 1 + (m->is_number ? PACK_NUMBER_MAX : m->text.len) <= SET_PACKED_BYTES_MAX;
}

static struct entry *append(struct entry *e, const struct set_member *m)
{
    struct pack_value v = set_member_value(m);
    size_t len = entry_bytes(e).len;
    char *value;

    e = entry_splice(e, len, 0, pack_value_size(&v), &value);
    pack_write(value + len, &v);
    e->few++;
    return e;
}

static struct entry *to_table(struct entry *e)
{
    struct set_table *s = set_table_new();
    struct set_walk w = set_walk(e);
    struct set_member m;

    while (set_walk_next(&w, &m))
        set_table_put(s, &m);
    e = entry_set_object(e, s);
    e->raw = 0;
    e->few = 0;
    return e;
}

/* Integers become packed elements: of those that there may be, the bytes fit in here. */
static struct entry *to_packed(struct entry *e)
{
    char bytes[SET_PACKED_MAX * PACK_NUMBER_MAX], *end = bytes;
    struct set_walk w = set_walk(e);
    struct set_member m;

    while (set_walk_next(&w, &m)) {
        struct pack_value v = set_member_value(&m);

        end = pack_write(end, &v);
    }
    e = entry_set_bytes(e, slice_make(bytes, (size_t)(end - bytes)));
    e->raw = 0;
    return e;
}

/* The set of integers is to be none any more, and to have room for this member, if any. */
static struct entry *leave_integers(struct entry *e, const struct set_member *more)
{
    size_t count = set_count(e);

    if (!more && count <= SET_PACKED_MAX)
        return to_packed(e);
    if (more && fits_packed(count, count * PACK_NUMBER_MAX, more))
        return to_packed(e);
    return to_table(e);
}

/* ---- changing -------------------------------------------------------------------------------- */

struct entry *set_new(struct slice key, int64_t expiry)
{
    struct entry *e = entry_new_bytes(key, TYPE_SET, SLICE(""), expiry);

    e->raw = 1;
    return e;
}

static bool add_integer(struct entry **e, int64_t n, size_t intset_max)
{
    size_t index;

    if (intset_find(entry_bytes(*e), n, &index))
        return false;
    *e = intset_insert(*e, index, n);
    count_integers(*e);
    if (set_count(*e) > (intset_max < INTSET_LIMIT ? intset_max : INTSET_LIMIT))
        *e = leave_integers(*e, NULL);
    return true;
}

static bool add_packed(struct entry **e, const struct set_member *m)
{
    if (find_packed(*e, m))
        return false;
    if (fits_packed((*e)->few, entry_bytes(*e).len, m)) {
        *e = append(*e, m);
    } else {
        *e = to_table(*e);
        set_table_put(table_of(*e), m);
    }
    return true;
}

bool set_add(struct entry **e, const struct set_member *m, size_t intset_max)
{
    if (is_table(*e))
        return set_table_add(table_of(*e), m);
    if (!(*e)->raw)
        return add_packed(e, m);
    if (m->is_number)
        return add_integer(e, m->number, intset_max);
    *e = leave_integers(*e, m);
    return set_add(e, m, intset_max);
}

static bool remove_packed(struct entry **e, const struct set_member *m)
{
    const char *at = find_packed(*e, m);
    char *value;

    if (!at)
        return false;
    *e = entry_splice(*e, (size_t)(at - entry_bytes(*e).ptr), pack_size(at), 0, &value);
    (*e)->few--;
    return true;
}

bool set_remove(struct entry **e, const struct set_member *m)
{
    size_t index;

    if (is_table(*e))
        return set_table_remove(table_of(*e), m);
    if (!(*e)->raw)
        return remove_packed(e, m);
    if (!m->is_number || !intset_find(entry_bytes(*e), m->number, &index))
        return false;
    *e = intset_remove(*e, index);
    count_integers(*e);
    return true;
}

void set_leave_integers(struct entry **e)
{
    if (set_is_intset(*e))
        *e = leave_integers(*e, NULL);
}

/* ---- looking -------------------------------------------------------------------------------- */

struct set_member set_random(const struct entry *e)
{
    size_t index;

    if (is_table(e))
        return set_table_member(table_random(&table_of(e)->table));
    index = rng_below(set_count(e));
    if (e->raw)
        return set_member_int(intset_at(entry_bytes(e), index));
    return set_member_packed(pack_at(entry_bytes(e), index));
}

struct set_walk set_walk(const struct entry *e)
{
    struct set_walk w = {.set = e};

    if (is_table(e)) {
        w.table = table_walk(&table_of(e)->table);
    } else if (e->raw) {
        w.count = intset_count(entry_bytes(e));
    } else {
        w.at = entry_bytes(e).ptr;
        w.end = pack_end(entry_bytes(e));
    }
    return w;
}

bool set_walk_next(struct set_walk *w, struct set_member *m)
{
    const void *item;

    if (w->at < w->end) {
        *m = set_member_packed(w->at);
        w->at = pack_next(w->at);
        return true;
    }
    if (w->index < w->count) {
        *m = set_member_int(intset_at(entry_bytes(w->set), w->index++));
        return true;
    }
    item = w->table.table ? table_walk_next(&w->table) : NULL;
    if (!item)
        return false;
    *m = set_table_member(item);
    return true;
}

struct set_choice set_choice(const struct entry *e, size_t wanted)
{
    return (struct set_choice){.walk = set_walk(e), .wanted = wanted, .left = set_count(e)};
}

/* As likely as its share of what is to come, which makes all choices equally likely. */
bool set_choice_next(struct set_choice *c, struct set_member *m, bool *chosen)
{
    if (!set_walk_next(&c->walk, m))
        return false;
    *chosen = rng_below(c->left--) < c->wanted;
    c->wanted -= *chosen;
    return true;
}

struct scan {
    set_visit_fn *visit;
    void *opaque;
    uint64_t visited;
};

static void visit_item(void *item, void *opaque)
{
    struct set_member m = set_table_member(item);
    struct scan *scan = opaque;

    scan->visit(&m, scan->opaque);
    scan->visited++;
}

uint64_t set_scan(const struct entry *e, uint64_t cursor, uint64_t count, set_visit_fn *visit,
                  void *opaque)
{
    struct scan scan = {.visit = visit, .opaque = opaque};
    struct set_walk w = set_walk(e);
    struct set_member m;

    if (is_table(e)) {
        do {
            cursor = table_scan(&table_of(e)->table, cursor, visit_item, &scan);
        } while (cursor && scan.visited < count);
        return cursor;
    }
    while (set_walk_next(&w, &m))
        visit(&m, opaque);
    return 0;
}

/* ---- the row of the type --------------------------------------------------------------------- */

void set_free(void *object)
{
    set_table_free(object);
}

size_t set_effort(const void *object)
{
    return ((const struct set_table *)object)->table.count;
}

void *set_copy(const void *object)
{
    return set_table_copy(object);
}

size_t set_memory(const void *object, size_t samples)
{
    return set_table_memory(object, samples);
}

const char *set_encoding(const struct entry *e)
{
    return set_is_intset(e) ? "intset" : "hashtable";
}

struct digest set_digest(const struct entry *e)
{
    struct set_walk w = set_walk(e);
    char digits[NUM_INT_MAX];
    struct digest sum = {0};
    struct set_member m;

    while (set_walk_next(&w, &m))
        digest_sum(&sum, digest_bytes(set_member_text(&m, digits), 0));
    return sum;
}

void set_hint(const void *object, struct slice member, bool deep)
{
    struct set_member m = set_member(member);

    set_table_hint(object, &m, deep);
}
