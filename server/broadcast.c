/* Telling of all keys with a prefix, see broadcast.h. */
#include "server/broadcast.h"

#include "base/mem.h"
#include "resp/writer.h"
#include "server/tracking.h"
#include "server/worker.h"
#include "storage/hash.h"

#include <stdlib.h>

enum { KEEP_UP_TO = 64 * 1024 };

struct prefix {
    uint64_t hash;
    struct tracker_set who;
    size_t len;
    char name[];
};

struct slice prefix_name(const struct prefix *p)
{
    return slice_make(p->name, p->len);
}

static uint64_t hash_of(const void *item)
{
    return ((const struct prefix *)item)->hash;
}

static bool is_named(const void *item, struct slice name)
{
    return slice_eq(prefix_name(item), name);
}

static struct prefix *find(const struct prefixes *p, struct slice name, struct table_place *place)
{
    return table_find(&p->table, hash_bytes(name), name, is_named, place);
}

/* ---- the prefixes there are ----------------------------------------------------------------- */

void prefixes_init(struct prefixes *p)
{
    lock_init(&p->lock, RANK_PREFIXES, 0);
}

void prefixes_release(struct prefixes *p)
{
    table_release(&p->table);
    mem_free(p->lengths);
}

uint64_t prefixes_count(struct prefixes *p)
{
    uint64_t n;

    lock_take(&p->lock);
    n = p->table.count;
    lock_release(&p->lock);
    return n;
}

/* The place of this length among all, or where it would be. */
static size_t length_at(const struct prefixes *p, size_t len)
{
    size_t i = 0;

    while (i < p->lengths_len && p->lengths[i].len < len)
        i++;
    return i;
}

static void length_added(struct prefixes *p, size_t len)
{
    size_t i = length_at(p, len);

    if (i == p->lengths_len || p->lengths[i].len != len) {
        p->lengths = mem_realloc(p->lengths, (p->lengths_len + 1) * sizeof(*p->lengths));
        memmove(p->lengths + i + 1, p->lengths + i, (p->lengths_len - i) * sizeof(*p->lengths));
        p->lengths[i] = (struct prefix_length){.len = len};
        p->lengths_len++;
    }
    p->lengths[i].prefixes++;
}

static void length_removed(struct prefixes *p, size_t len)
{
    size_t i = length_at(p, len);

    if (--p->lengths[i].prefixes)
        return;
    p->lengths_len--;
    memmove(p->lengths + i, p->lengths + i + 1, (p->lengths_len - i) * sizeof(*p->lengths));
}

static struct prefix *make(struct prefixes *p, struct slice name)
{
    struct table_place place;
    struct prefix *prefix = find(p, name, &place);

    if (prefix)
        return prefix;
    prefix = mem_zalloc(sizeof(*prefix) + name.len);
    prefix->hash = hash_bytes(name);
    prefix->len = name.len;
    memcpy(prefix->name, name.ptr, name.len);
    table_insert(&p->table, prefix->hash, prefix, hash_of);
    length_added(p, name.len);
    return prefix;
}

static void unmake(struct prefixes *p, struct prefix *prefix)
{
    struct table_place place;

    find(p, prefix_name(prefix), &place);
    table_remove(&p->table, place, prefix->hash, hash_of);
    length_removed(p, prefix->len);
    tracker_set_release(&prefix->who);
    mem_free(prefix);
}

/* ---- who stands where ----------------------------------------------------------------------- */

static void insert_by_name(struct tracker *t, struct prefix *prefix)
{
    size_t at = t->prefixes_len++;

    t->prefixes = mem_realloc(t->prefixes, t->prefixes_len * sizeof(struct prefix *));
    for (; at && slice_cmp(prefix_name(t->prefixes[at - 1]), prefix_name(prefix)) > 0; at--)
        t->prefixes[at] = t->prefixes[at - 1];
    t->prefixes[at] = prefix;
}

void broadcast_join(struct server *s, struct tracker *t, struct slice name)
{
    struct prefixes *p = &s->tracking->prefixes;
    struct prefix *prefix;

    lock_take(&p->lock);
    prefix = make(p, name);
    if (tracker_set_add(&prefix->who, t))
        insert_by_name(t, prefix);
    atomic_store_explicit(&s->broadcasts, true, memory_order_relaxed);
    lock_release(&p->lock);
}

void broadcast_leave(struct server *s, struct tracker *t)
{
    struct prefixes *p = &s->tracking->prefixes;

    if (!t->prefixes_len)
        return;
    lock_take(&p->lock);
    for (size_t i = 0; i < t->prefixes_len; i++) {
        tracker_set_remove(&t->prefixes[i]->who, t);
        if (!t->prefixes[i]->who.len)
            unmake(p, t->prefixes[i]);
    }
    atomic_store_explicit(&s->broadcasts, p->table.count > 0, memory_order_relaxed);
    lock_release(&p->lock);
    mem_free(t->prefixes);
    t->prefixes = NULL;
    t->prefixes_len = 0;
}

/* ---- changes -------------------------------------------------------------------------------- */

/* Before a key in w->changed. */
struct noted {
    size_t len;
    bool own;
};

struct changed {
    struct slice key;
    size_t nth;
    bool own;
};

void broadcast_note(struct worker *w, struct slice key, bool own)
{
    struct noted head;

    memset(&head, 0, sizeof(head));
    head.len = key.len;
    head.own = own;
    buf_append(&w->changed, &head, sizeof(head));
    buf_append_slice(&w->changed, key);
    w->changed_len++;
}

/* The last change of a key stands before the others. */
static int by_name(const void *a, const void *b)
{
    const struct changed *x = a, *y = b;
    int c = slice_cmp(x->key, y->key);

    return c ? c : (x->nth < y->nth) - (x->nth > y->nth);
}

/* What was noted, each key once. The caller frees it. */
static struct changed *sorted(const struct worker *w, size_t *len)
{
    struct changed *all = mem_alloc(w->changed_len * sizeof(*all));
    const char *at = w->changed.ptr;
    size_t n = 0;

    for (size_t i = 0; i < w->changed_len; i++) {
        struct noted head;

        memcpy(&head, at, sizeof(head));
        at += sizeof(head);
        all[i] = (struct changed){slice_make(at, head.len), i, head.own};
        at += head.len;
    }
    qsort(all, w->changed_len, sizeof(*all), by_name);
    for (size_t i = 0; i < w->changed_len; i++) {
        if (!n || !slice_eq(all[n - 1].key, all[i].key))
            all[n++] = all[i];
    }
    *len = n;
    return all;
}

/* All the keys, or those that another connection changed; false if there are none. */
static bool encode(struct worker *w, const struct changed *all, size_t n, bool without_own)
{
    struct writer writer = {.buf = &w->notice};
    size_t len = n;

    for (size_t i = 0; without_own && i < n; i++)
        len -= all[i].own;
    w->notice.len = 0;
    write_array(&writer, (int64_t)len);
    for (size_t i = 0; i < n; i++) {
        if (!without_own || !all[i].own)
            write_bulk(&writer, all[i].key);
    }
    return len > 0;
}

/*
 * Tells all of a prefix. Who changed keys itself, and does not want to hear so, is left out and
 * returned.
 */
static struct tracker *tell(struct worker *w, const struct prefix *prefix, uint64_t by)
{
    struct tracker *left_out = NULL;

    for (uint32_t i = 0; i < prefix->who.len; i++) {
        struct tracker *t = tracker_set_all(&prefix->who)[i];

        if (UNLIKELY(t->id == by && tracker_flags(t) & TRACKER_NOLOOP))
            left_out = t;
        else
            tracker_tell(t, w, NOTICE_KEYS, buf_slice(&w->notice));
    }
    return left_out;
}

static void tell_prefix(struct worker *w, const struct prefix *prefix, const struct changed *all,
                        size_t n, uint64_t by)
{
    struct tracker *left_out;

    encode(w, all, n, false);
    left_out = tell(w, prefix, by);
    if (left_out && encode(w, all, n, true))
        tracker_tell(left_out, w, NOTICE_KEYS, buf_slice(&w->notice));
}

static bool begins_with(struct slice key, struct slice prefix)
{
    return key.len >= prefix.len && memcmp(key.ptr, prefix.ptr, prefix.len) == 0;
}

/* Keys with the same prefix stand one behind the other: it is looked up for the first of them. */
static void tell_of(struct worker *w, const struct changed *all, size_t at, size_t len, uint64_t by)
{
    const struct prefixes *p = &w->server->tracking->prefixes;
    struct slice key = all[at].key;

    for (size_t i = 0; i < p->lengths_len && p->lengths[i].len <= key.len; i++) {
        struct slice name = slice_make(key.ptr, p->lengths[i].len);
        struct table_place place;
        const struct prefix *prefix;
        size_t n = 1;

        if (at && begins_with(all[at - 1].key, name))
            continue;
        prefix = find(p, name, &place);
        while (prefix && at + n < len && begins_with(all[at + n].key, name))
            n++;
        if (prefix)
            tell_prefix(w, prefix, all + at, n, by);
    }
}

void broadcast_send(struct worker *w, uint64_t by)
{
    struct prefixes *p = &w->server->tracking->prefixes;
    size_t len;
    struct changed *all = sorted(w, &len);

    lock_take(&p->lock);
    for (size_t i = 0; i < len; i++)
        tell_of(w, all, i, len, by);
    lock_release(&p->lock);
    mem_free(all);
    w->changed.len = w->changed_len = 0;
    if (w->changed.cap > KEEP_UP_TO)
        buf_release(&w->changed);
}
