/* Lists in either form, see type_list.h. */
#include "storage/type_list.h"

#include "base/mem.h"

/* ---- from one form to the other ------------------------------------------------------------- */

static void copy_run(struct long_list *l, struct list_run run, struct list_limits max)
{
    while (run.count) {
        const char *at = list_run_take(&run);
        size_t size = pack_size(at);

        memcpy(long_list_push(l, LIST_TAIL, size, max), at, size);
    }
}

static void make_long(struct entry **e, struct list_limits max)
{
    struct long_list *l = long_list_new();

    if ((*e)->few)
        copy_run(l, lists_run(*e, 0), max);
    *e = entry_set_object(*e, l);
    (*e)->few = 0;
}

/* A long list of which little is left is packed. */
static void pack_again(struct entry **e, struct list_limits max)
{
    const struct long_list *l = lists_long(*e);
    uint64_t count = l->count;
    char bytes[LIST_AGAIN_BYTES], *to = bytes;
    struct list_run run;

    if (count > LIST_AGAIN_MAX || count > max.count || long_list_bytes(l) > LIST_AGAIN_BYTES)
        return;
    for (run = lists_run(*e, 0); run.count;) {
        const char *at = list_run_take(&run);
        size_t size = pack_size(at);

        memcpy(to, at, size);
        to += size;
    }
    *e = entry_set_bytes(*e, slice_make(bytes, (size_t)(to - bytes)));
    (*e)->few = (uint8_t)count;
}

/* ---- pushing -------------------------------------------------------------------------------- */

/* Elements as a short list has them. */
struct packed {
    char bytes[LIST_PACKED_BYTES];
    struct slice all; /* within `bytes` */
};

/* The values as they will be there; false if they are too many for a short list. */
static bool pack_values(struct packed *p, enum list_end end, const struct slice *values, size_t n,
                        size_t room)
{
    char *from = end == LIST_HEAD ? p->bytes + sizeof(p->bytes) : p->bytes, *to = from;

    for (size_t i = 0; i < n; i++) {
        struct pack_value v = pack_value(values[i]);
        size_t size = pack_value_size(&v);

        if (size > room)
            return false;
        room -= size;
        if (end == LIST_HEAD)
            pack_write(from -= size, &v);
        else
            to = pack_write(to, &v);
    }
    p->all = slice_make(from, (size_t)(to - from));
    return true;
}

static bool pack_all(struct packed *p, enum list_end end, const struct slice *values, size_t n,
                     size_t count, size_t len, struct list_limits max)
{
    size_t most = max.count < LIST_PACKED_MAX ? max.count : LIST_PACKED_MAX;

    return n <= most && count <= most - n && len < LIST_PACKED_BYTES &&
           pack_values(p, end, values, n, LIST_PACKED_BYTES - len);
}

static void push_long(struct long_list *l, enum list_end end, const struct slice *values, size_t n,
                      struct list_limits max)
{
    for (size_t i = 0; i < n; i++) {
        struct pack_value v = pack_value(values[i]);

        pack_write(long_list_push(l, end, pack_value_size(&v), max), &v);
    }
}

struct entry *lists_new(struct slice key, enum list_end end, const struct slice *values, size_t n,
                        struct list_limits max)
{
    struct packed p;
    struct long_list *l;
    struct entry *e;

    if (pack_all(&p, end, values, n, 0, 0, max)) {
        e = entry_new_bytes(key, TYPE_LIST, p.all, EXPIRY_NONE);
        e->few = (uint8_t)n;
        return e;
    }
    l = long_list_new();
    push_long(l, end, values, n, max);
    return entry_new_outside(key, TYPE_LIST, l, EXPIRY_NONE);
}

static void push_packed(struct entry **e, enum list_end end, struct slice all, size_t n)
{
    size_t at = end == LIST_HEAD ? 0 : entry_bytes(*e).len;
    char *value;

    *e = entry_splice(*e, at, 0, all.len, &value);
    memcpy(value + at, all.ptr, all.len);
    (*e)->few = (uint8_t)((*e)->few + n);
}

void lists_push(struct entry **e, enum list_end end, const struct slice *values, size_t n,
                struct list_limits max)
{
    struct packed p;

    if (!lists_is_long(*e)) {
        if (pack_all(&p, end, values, n, (*e)->few, entry_bytes(*e).len, max)) {
            push_packed(e, end, p.all, n);
            return;
        }
        make_long(e, max);
    }
    push_long(lists_long(*e), end, values, n, max);
}

/* ---- dropping ------------------------------------------------------------------------------- */

static void drop_packed(struct entry **e, enum list_end end, uint64_t n)
{
    struct slice bytes = entry_bytes(*e);
    uint64_t stay = (*e)->few - n;
    const char *cut = pack_at(bytes, end == LIST_HEAD ? n : stay);
    size_t at = end == LIST_HEAD ? 0 : (size_t)(cut - bytes.ptr);
    size_t old = end == LIST_HEAD ? (size_t)(cut - bytes.ptr) : bytes.len - at;
    char *value;

    *e = entry_splice(*e, at, old, 0, &value);
    (*e)->few = (uint8_t)stay;
}

void *lists_drop(struct entry **e, enum list_end end, uint64_t n, struct list_limits max)
{
    struct long_list *l, *cut;

    if (!lists_is_long(*e)) {
        drop_packed(e, end, n);
        return NULL;
    }
    l = lists_long(*e);
    cut = n > LIST_PACKED_MAX ? long_list_cut(l, end, n) : NULL;
    n -= cut ? cut->count : 0;
    if (n)
        long_list_drop(l, end, n, max);
    pack_again(e, max);
    return cut;
}

void lists_drop_end(struct entry **e, enum list_end end, const char *at, struct list_limits max)
{
    char *value;

    if (lists_is_long(*e)) {
        long_list_drop(lists_long(*e), end, 1, max);
        pack_again(e, max);
        return;
    }
    *e = entry_splice(*e, (size_t)(at - entry_bytes(*e).ptr), pack_size(at), 0, &value);
    (*e)->few--;
}

/* ---- in the middle -------------------------------------------------------------------------- */

/* Whether a packed list may become one of so many elements and bytes. */
static bool stays_packed(size_t count, size_t bytes, struct list_limits max)
{
    return count <= LIST_PACKED_MAX && count <= max.count && bytes <= LIST_PACKED_BYTES;
}

/* Writes the element where `old` bytes were. */
static void splice(struct entry **e, size_t at, size_t old, const struct pack_value *v)
{
    char *value;

    *e = entry_splice(*e, at, old, pack_value_size(v), &value);
    pack_write(value + at, v);
}

void lists_set(struct entry **e, uint64_t index, struct slice value, struct list_limits max)
{
    struct pack_value v = pack_value(value);
    struct slice bytes;
    const char *at;
    size_t old;

    if (!lists_is_long(*e)) {
        bytes = entry_bytes(*e);
        at = pack_at(bytes, index);
        old = pack_size(at);
        if (stays_packed((*e)->few, bytes.len - old + pack_value_size(&v), max)) {
            splice(e, (size_t)(at - bytes.ptr), old, &v);
            return;
        }
        make_long(e, max);
    }
    long_list_set(lists_long(*e), index, &v, max);
}

void lists_insert(struct entry **e, uint64_t index, struct slice value, struct list_limits max)
{
    struct pack_value v = pack_value(value);
    size_t size = pack_value_size(&v);
    struct slice bytes;

    if (!lists_is_long(*e)) {
        bytes = entry_bytes(*e);
        if (stays_packed((*e)->few + 1U, bytes.len + size, max)) {
            splice(e, (size_t)(pack_at(bytes, index) - bytes.ptr), 0, &v);
            (*e)->few++;
            return;
        }
        make_long(e, max);
    }
    pack_write(long_list_insert(lists_long(*e), index, size, max), &v);
}

static uint64_t remove_packed(struct entry **e, const struct pack_value *v, uint64_t from,
                              uint64_t most)
{
    struct slice bytes = entry_bytes(*e);
    const char *at = pack_at(bytes, from), *end = pack_end(bytes);
    char *to = (char *)(uintptr_t)at, *value;
    uint64_t removed = 0;

    while (at < end) {
        size_t size = pack_size(at);

        if (removed < most && pack_is(at, v)) {
            removed++;
        } else {
            memmove(to, at, size);
            to += size;
        }
        at += size;
    }
    *e = entry_splice(*e, (size_t)(to - bytes.ptr), (size_t)(end - to), 0, &value);
    (*e)->few = (uint8_t)((*e)->few - removed);
    return removed;
}

uint64_t lists_remove(struct entry **e, const struct pack_value *v, uint64_t from, uint64_t most,
                      struct list_limits max)
{
    uint64_t removed;

    if (!lists_is_long(*e))
        return remove_packed(e, v, from, most);
    removed = long_list_remove(lists_long(*e), v, from, most, max);
    pack_again(e, max);
    return removed;
}

/* ---- looking -------------------------------------------------------------------------------- */

const char *lists_end(const struct entry *e, enum list_end end)
{
    if (lists_is_long(e))
        return long_list_end(lists_long(e), end);
    return pack_at(entry_bytes(e), end == LIST_HEAD ? 0 : e->few - 1U);
}

struct list_run lists_run(const struct entry *e, uint64_t index)
{
    struct list_run run = {.count = e->few - index};
    struct list_place p;

    if (!lists_is_long(e)) {
        run.at = pack_at(entry_bytes(e), index);
        return run;
    }
    run.l = lists_long(e);
    p = long_list_find(run.l, index);
    run.trailed = true;
    run.at = p.at;
    run.node = p.node;
    run.count = node_ring_count(&run.l->ring, p.node) - p.within;
    return run;
}

void list_run_next(struct list_run *run)
{
    const struct list_node *n;

    if (!run->l || ++run->node >= run->l->ring.len) {
        run->count = 0;
        return;
    }
    n = node_ring_node(&run->l->ring, run->node);
    run->at = n->data + n->begin;
    run->count = node_ring_count(&run->l->ring, run->node);
}

/* A packed list can be walked forwards alone: where its elements begin is noted on the way. */
static void note_offsets(struct list_walk *w, struct slice bytes)
{
    const char *at = bytes.ptr;

    w->bytes = bytes.ptr;
    for (size_t i = 0; i < w->left; i++) {
        w->offsets[i] = (uint16_t)(at - bytes.ptr);
        at = pack_next(at);
    }
}

void lists_walk(struct list_walk *w, const struct entry *e, uint64_t from, bool back)
{
    struct list_place p;

    w->back = back;
    w->left = from + 1;
    w->run.l = NULL;
    if (!back) {
        w->run = lists_run(e, from);
        return;
    }
    if (!lists_is_long(e)) {
        note_offsets(w, entry_bytes(e));
        return;
    }
    w->run.l = lists_long(e);
    p = long_list_find(w->run.l, from);
    w->run.node = p.node;
    w->in_node = p.within + 1;
    w->behind = trail_next(p.at);
}

static const char *walk_back(struct list_walk *w)
{
    const struct list_node *n;

    if (!w->left)
        return NULL;
    w->left--;
    if (!w->run.l)
        return w->bytes + w->offsets[w->left];
    if (!w->in_node) {
        w->run.node--;
        n = node_ring_node(&w->run.l->ring, w->run.node);
        w->in_node = node_ring_count(&w->run.l->ring, w->run.node);
        w->behind = n->data + n->end;
    }
    w->in_node--;
    return w->behind = trail_prev(w->behind);
}

const char *lists_walk_next(struct list_walk *w)
{
    if (w->back)
        return walk_back(w);
    if (!w->run.count) {
        list_run_next(&w->run);
        if (!w->run.count)
            return NULL;
    }
    return list_run_take(&w->run);
}

/* ---- the type's row ------------------------------------------------------------------------- */

const char *lists_encoding(const struct entry *e)
{
    (void)e;
    return "quicklist";
}

struct digest lists_digest(const struct entry *e)
{
    struct digest chain[2] = {{{0}}};
    char digits[NUM_INT_MAX];

    for (struct list_run run = lists_run(e, 0); run.count; list_run_next(&run)) {
        while (run.count) {
            chain[1] = digest_bytes(pack_text(list_run_take(&run), digits), 0);
            chain[0] = digest_bytes(slice_make((const char *)chain, sizeof(chain)), 0);
        }
    }
    return chain[0];
}
