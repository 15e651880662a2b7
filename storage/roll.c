/* Keys of a policy in the order of their use, see roll.h. */
#include "storage/roll.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FIRST_ROOM = 2, FREE_KEPT = ROLL_CHUNK };

void roll_init(struct roll *r)
{
    *r = (struct roll){0};
    for (int list = 0; list < ROLL_LISTS; list++)
        r->ends[list] = (struct roll_link){ROLL_NONE, ROLL_NONE};
}

void roll_release(struct roll *r)
{
    for (uint32_t i = 0; i < r->chunks_len; i++)
        mem_free(r->chunks[i]);
    mem_free(r->chunks);
    roll_init(r);
}

static uint32_t room(const struct roll *r)
{
    return r->first < ROLL_CHUNK ? r->first : r->chunks_len << ROLL_CHUNK_BITS;
}

uint64_t roll_memory(const struct roll *r)
{
    return sizeof(*r) + room(r) * sizeof(struct member) + r->chunks_len * sizeof(*r->chunks);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static struct roll_link *link_of(struct member *m, enum roll_list list)
{
    return list == ROLL_BY_CHANGE ? &m->change : &m->use;
}

/* What the neighbour on either side knows of this place: its link, or the end of the list. */
static uint32_t *newer_side(struct roll *r, enum roll_list list, uint32_t newer)
{
    return newer == ROLL_NONE ? &r->ends[list].newer : &link_of(roll_at(r, newer), list)->older;
}

static uint32_t *older_side(struct roll *r, enum roll_list list, uint32_t older)
{
    return older == ROLL_NONE ? &r->ends[list].older : &link_of(roll_at(r, older), list)->newer;
}

/* As the next newer one of `older`, ROLL_NONE for the oldest of all. */
static void link_behind(struct roll *r, enum roll_list list, uint32_t i, uint32_t older)
{
    uint32_t *from_older = older_side(r, list, older), newer = *from_older;

    *link_of(roll_at(r, i), list) = (struct roll_link){newer, older};
    *newer_side(r, list, newer) = i;
    *from_older = i;
}

static void link_newest(struct roll *r, enum roll_list list, uint32_t i)
{
    link_behind(r, list, i, r->ends[list].newer);
}

static void unlink_from(struct roll *r, enum roll_list list, uint32_t i)
{
    struct roll_link l = *link_of(roll_at(r, i), list);

    *newer_side(r, list, l.newer) = l.older;
    *older_side(r, list, l.older) = l.newer;
}

static enum roll_list use_list(const struct member *m)
{
    return m->timed ? ROLL_BY_USE_TIMED : ROLL_BY_USE;
}

static void unlink_member(struct roll *r, uint32_t i)
{
    const struct member *m = roll_at(r, i);

    unlink_from(r, use_list(m), i);
    if (!m->timed)
        unlink_from(r, ROLL_BY_CHANGE, i);
}

/* ---- records -------------------------------------------------------------------------------- */

/* The first chunk begins small and doubles, the others have their full size. */
static void grow(struct roll *r)
{
    if (r->first < ROLL_CHUNK) {
        if (!r->chunks_len) {
            r->chunks = mem_zalloc(sizeof(*r->chunks));
            r->chunks_len = 1;
        }
        r->first = r->first ? r->first * 2 : FIRST_ROOM;
        r->chunks[0] = mem_realloc(r->chunks[0], r->first * sizeof(struct member));
        return;
    }
    r->chunks = mem_realloc(r->chunks, (r->chunks_len + 1) * sizeof(*r->chunks));
    r->chunks[r->chunks_len++] = mem_alloc(ROLL_CHUNK * sizeof(struct member));
}

static uint32_t take_record(struct roll *r)
{
    uint32_t i = r->ends[ROLL_FREE].newer;

    r->count++;
    if (i != ROLL_NONE) {
        unlink_from(r, ROLL_FREE, i);
        return i;
    }
    if (r->len == room(r))
        grow(r);
    return r->len++;
}

uint32_t roll_add(struct roll *r, uint64_t hash, uint64_t now, bool timed)
{
    uint32_t i = take_record(r);
    struct member *m = roll_at(r, i);

    *m = (struct member){.hash = hash, .used = now, .changed = now, .timed = timed};
    link_newest(r, use_list(m), i);
    if (!timed)
        link_newest(r, ROLL_BY_CHANGE, i);
    return i;
}

void roll_remove(struct roll *r, uint32_t i)
{
    unlink_member(r, i);
    if (--r->count == 0) {
        uint64_t hits = r->hits;

        roll_release(r);
        r->hits = hits;
        return;
    }
    roll_at(r, i)->free = 1;
    link_newest(r, ROLL_FREE, i);
}

void roll_used(struct roll *r, uint32_t i, uint64_t now)
{
    struct member *m = roll_at(r, i);
    enum roll_list list = use_list(m);

    m->used = now;
    if (r->ends[list].newer == i)
        return;
    unlink_from(r, list, i);
    link_newest(r, list, i);
}

void roll_changed(struct roll *r, uint32_t i, uint64_t now, bool timed)
{
    struct member *m = roll_at(r, i);

    unlink_member(r, i);
    m->used = m->changed = now;
    m->timed = timed;
    link_newest(r, use_list(m), i);
    if (!timed)
        link_newest(r, ROLL_BY_CHANGE, i);
}

uint32_t roll_least_used(const struct roll *r)
{
    uint32_t a = roll_oldest(r, ROLL_BY_USE), b = roll_oldest(r, ROLL_BY_USE_TIMED);

    if (a == ROLL_NONE || b == ROLL_NONE)
        return a == ROLL_NONE ? b : a;
    return roll_at(r, a)->used <= roll_at(r, b)->used ? a : b;
}

uint64_t roll_least_use(const struct roll *r)
{
    uint32_t i = roll_least_used(r);

    return i == ROLL_NONE ? ROLL_NEVER : roll_at(r, i)->used;
}

/* ---- merging -------------------------------------------------------------------------------- */

static int by_use(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return (x->used > y->used) - (x->used < y->used);
}

struct change {
    uint64_t at;
    uint32_t index;
};

static int by_change(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static uint64_t time_in(const struct roll *r, enum roll_list list, uint32_t i)
{
    const struct member *m = roll_at(r, i);

    return list == ROLL_BY_CHANGE ? m->changed : m->used;
}

/* Links it behind those that are not newer; *at is one of them, and goes on to `i`. */
static void link_in_order(struct roll *r, enum roll_list list, uint32_t i, uint32_t *at)
{
    uint64_t time = time_in(r, list, i);
    uint32_t next;

    while ((next = *older_side(r, list, *at)) != ROLL_NONE && time_in(r, list, next) <= time)
        *at = next;
    link_behind(r, list, i, *at);
    *at = i;
}

static void merge_changes(struct roll *r, const uint32_t *indexes, uint32_t n)
{
    struct change *changes = mem_alloc(n * sizeof(*changes));
    uint32_t at = ROLL_NONE, len = 0;

    for (uint32_t k = 0; k < n; k++) {
        const struct member *m = roll_at(r, indexes[k]);

        if (!m->timed)
            changes[len++] = (struct change){m->changed, indexes[k]};
    }
    qsort(changes, len, sizeof(*changes), by_change);
    for (uint32_t k = 0; k < len; k++)
        link_in_order(r, ROLL_BY_CHANGE, changes[k].index, &at);
    mem_free(changes);
}

void roll_merge(struct roll *r, struct member *fresh, uint32_t n, uint32_t *indexes)
{
    uint32_t at[] = {[ROLL_BY_USE] = ROLL_NONE, [ROLL_BY_USE_TIMED] = ROLL_NONE};

    if (!n)
        return;
    qsort(fresh, n, sizeof(*fresh), by_use);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = indexes[k] = take_record(r);
        struct member *m = roll_at(r, i);

        *m = fresh[k];
        m->free = 0;
        link_in_order(r, use_list(m), i, &at[use_list(m)]);
    }
    merge_changes(r, indexes, n);
}

/* ---- giving room back ----------------------------------------------------------------------- */

static void drop_last(struct roll *r)
{
    r->len--;
    /* One chunk stays empty behind the last, lest an addition and a removal allocate in turn. */
    if (r->len + 2 * ROLL_CHUNK <= r->chunks_len << ROLL_CHUNK_BITS)
        mem_free(r->chunks[--r->chunks_len]);
}

uint32_t roll_excess(struct roll *r)
{
    uint32_t spare = r->len - r->count;

    if (LIKELY(spare <= r->count + FREE_KEPT))
        return ROLL_NONE;
    while (r->len > r->count && roll_at(r, r->len - 1)->free) {
        unlink_from(r, ROLL_FREE, r->len - 1);
        drop_last(r);
    }
    return r->len > r->count ? r->len - 1 : ROLL_NONE;
}

uint32_t roll_move(struct roll *r, uint32_t last)
{
    uint32_t to = r->ends[ROLL_FREE].newer;
    struct member *m = roll_at(r, to);
    enum roll_list list;

    unlink_from(r, ROLL_FREE, to);
    *m = *roll_at(r, last);
    list = use_list(m);
    *newer_side(r, list, m->use.newer) = to;
    *older_side(r, list, m->use.older) = to;
    if (!m->timed) {
        *newer_side(r, ROLL_BY_CHANGE, m->change.newer) = to;
        *older_side(r, ROLL_BY_CHANGE, m->change.older) = to;
    }
    drop_last(r);
    return to;
}
