/* Connections that cache, and sets of them; see tracker.h. */
#include "server/tracker.h"

#include "base/mem.h"
#include "base/num.h"
#include "server/conn.h"
#include "server/tracking.h"
#include "server/worker.h"

struct tracker *tracker_find(const struct conn *c)
{
    return c->extra ? c->extra->tracker : NULL;
}

struct tracker *tracker_of(struct conn *c)
{
    struct tracker *t = tracker_find(c);

    if (t)
        return t;
    t = mem_zalloc(sizeof(*t));
    t->refs = 1;
    t->id = c->id;
    t->home = c->worker->server->tracking;
    t->own = outlet_of(c);
    c->gates |= CONN_GATE_TRACKING;
    outlet_hold(t->own);
    c->extra->tracker = t;
    return t;
}

void tracker_hold(struct tracker *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
}

void tracker_drop(struct tracker *t)
{
    if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (tracker_flags(t) & TRACKER_GONE)
        atomic_fetch_sub_explicit(&t->home->gone, 1, memory_order_relaxed);
    outlet_drop(t->own);
    if (t->to)
        outlet_drop(t->to);
    mem_free(t);
}

static void tell_broken(struct tracker *t, struct worker *by)
{
    char text[NUM_INT_MAX + 3];
    size_t len;

    text[0] = ':';
    len = 1 + num_format_int(text + 1, (int64_t)t->to_id);
    text[len++] = '\r';
    text[len++] = '\n';
    atomic_fetch_or_explicit(&t->flags, TRACKER_BROKEN, memory_order_relaxed);
    outlet_put(t->own, by, &(struct notice){NOTICE_BROKEN, false, slice_make(text, len)});
}

void tracker_tell(struct tracker *t, struct worker *by, enum notice_kind kind, struct slice body)
{
    struct notice n = {kind, t->to != NULL, body};

    if (!t->to)
        outlet_put(t->own, by, &n);
    else if (!outlet_put(t->to, by, &n))
        tell_broken(t, by);
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* Where it stands, or would stand. */
static uint32_t position(const struct tracker_set *set, const struct tracker *t)
{
    struct tracker *const *all = tracker_set_all(set);
    uint32_t low = 0, high = set->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (all[middle] < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct tracker_set *set, uint32_t at, const struct tracker *t)
{
    return at < set->len && tracker_set_all(set)[at] == t;
}

static void make_room(struct tracker_set *set)
{
    struct tracker **grown;

    if (set->len < (set->cap ? set->cap : 1))
        return;
    grown = mem_alloc((size_t)set->len * 2 * sizeof(struct tracker *));
    memcpy(grown, tracker_set_all(set), set->len * sizeof(struct tracker *));
    if (set->cap)
        mem_free(set->many);
    set->many = grown;
    set->cap = set->len * 2;
}

bool tracker_set_add(struct tracker_set *set, struct tracker *t)
{
    uint32_t at = position(set, t);
    struct tracker **all;

    if (is_at(set, at, t))
        return false;
    make_room(set);
    all = set->cap ? set->many : &set->one;
    memmove(all + at + 1, all + at, (set->len - at) * sizeof(struct tracker *));
    all[at] = t;
    set->len++;
    tracker_hold(t);
    return true;
}

bool tracker_set_remove(struct tracker_set *set, struct tracker *t)
{
    uint32_t at = position(set, t);
    struct tracker **all = set->cap ? set->many : &set->one;

    if (!is_at(set, at, t))
        return false;
    set->len--;
    memmove(all + at, all + at + 1, (set->len - at) * sizeof(struct tracker *));
    tracker_drop(t);
    return true;
}

void tracker_set_release(struct tracker_set *set)
{
    for (uint32_t i = 0; i < set->len; i++)
        tracker_drop(tracker_set_all(set)[i]);
    if (set->cap)
        mem_free(set->many);
    *set = (struct tracker_set){0};
}
