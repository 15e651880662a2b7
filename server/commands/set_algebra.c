/*
 * Sets of sets: intersections, unions, differences. What is found goes where it is wanted member by
 * member: into the reply, into a new set, or only into a count.
 */
#include "base/mem.h"
#include "server/commands/sets.h"
#include "server/effects.h"

#include <stdlib.h>

/* ---- the sets that a command is given -------------------------------------------------------- */

enum { SOURCES_QUICK = 32 };

struct sources {
    struct entry **sets; /* NULL for a key that is not there */
    struct entry *quick[SOURCES_QUICK];
    size_t count;
    size_t there;
};

static void sources_release(struct sources *s)
{
    if (s->sets != s->quick)
        mem_free(s->sets);
}

/* `count` keys from argument `at` on. False, and answered, if one is no set. */
static bool sources_find(struct call *c, int at, int count, struct sources *s)
{
    s->count = (size_t)count;
    s->there = 0;
    s->sets = s->count > SOURCES_QUICK ? mem_alloc(s->count * sizeof(*s->sets)) : s->quick;
    for (int i = 0; i < count; i++) {
        if (!call_find(c, at + i, TYPE_SET, &s->sets[i])) {
            sources_release(s);
            return false;
        }
        s->there += s->sets[i] != NULL;
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    size_t left = *x ? set_count(*x) : 0, right = *y ? set_count(*y) : 0;

    return (left > right) - (left < right);
}

static int by_size_backwards(const void *a, const void *b)
{
    return by_size(b, a);
}

static bool in_any(struct entry *const *sets, size_t count, const struct set_member *m)
{
    for (size_t i = 0; i < count; i++) {
        if (sets[i] && set_has(sets[i], m))
            return true;
    }
    return false;
}

static bool in_all(struct entry *const *sets, size_t count, const struct set_member *m)
{
    for (size_t i = 0; i < count; i++) {
        if (!set_has(sets[i], m))
            return false;
    }
    return true;
}

/* ---- where the result goes ------------------------------------------------------------------- */

struct result {
    struct call *call;
    struct entry *into; /* a set to store; NULL for the reply */
    bool only_counted;
    size_t count;
    size_t limit; /* no more are wanted */
};

static bool wants_more(const struct result *r)
{
    return r->count < r->limit;
}

static void give(struct result *r, const struct set_member *m)
{
    if (r->into) {
        r->count += set_add(&r->into, m, intset_max(r->call));
        return;
    }
    r->count++;
    if (!r->only_counted)
        reply_member(r->call, m);
}

typedef void operation(struct result *r, struct sources *s);

/* ---- the operations -------------------------------------------------------------------------- */

/* The smallest set is gone over. */
static void intersect(struct result *r, struct sources *s)
{
    struct set_member m;
    struct set_walk w;

    if (s->there < s->count)
        return;
    qsort(s->sets, s->count, sizeof(*s->sets), by_size);
    w = set_walk(s->sets[0]);
    while (wants_more(r) && set_walk_next(&w, &m)) {
        if (in_all(s->sets + 1, s->count - 1, &m))
            give(r, &m);
    }
}

/* Each set but for what was in one before. */
static void unite_by_looking(struct result *r, struct sources *s)
{
    qsort(s->sets, s->count, sizeof(*s->sets), by_size_backwards);
    for (size_t i = 0; i < s->there; i++) {
        struct set_walk w = set_walk(s->sets[i]);
        struct set_member m;

        while (set_walk_next(&w, &m)) {
            if (!in_any(s->sets, i, &m))
                give(r, &m);
        }
    }
}

/* A new set of all members of these; to be freed by discard(). */
static struct entry *gather(const struct call *c, struct entry *const *sets, size_t count)
{
    struct entry *all = set_new(SLICE(""), EXPIRY_NONE);

    for (size_t i = 0; i < count; i++) {
        struct set_walk w = {0};
        struct set_member m;

        if (sets[i])
            w = set_walk(sets[i]);
        while (set_walk_next(&w, &m))
            set_add(&all, &m, intset_max(c));
    }
    return all;
}

static void give_all(struct result *r, const struct entry *e)
{
    struct set_walk w = set_walk(e);
    struct set_member m;

    while (set_walk_next(&w, &m))
        give(r, &m);
}

static bool all_integers(const struct sources *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->sets[i] && !set_is_intset(s->sets[i]))
            return false;
    }
    return true;
}

/*
 * A reply comes from looking into the other sets, while they are few; integers are gathered, since
 * they are expected in order.
 */
static void unite(struct result *r, struct sources *s)
{
    enum { LOOKED_INTO_MAX = 4 };

    if (r->into) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->sets[i])
                give_all(r, s->sets[i]);
        }
    } else if (s->there == 1 || (s->there <= LOOKED_INTO_MAX && !all_integers(s))) {
        unite_by_looking(r, s);
    } else {
        struct entry *all = gather(r->call, s->sets, s->count);

        give_all(r, all);
        effect_discard(r->call->worker, all);
    }
}

/*
 * Whether it is cheaper to gather the others once than to look into each of them for every member
 * of the first, which mostly ends early. Redis asks the same, and the encoding that it stores
 * depends on the answer.
 */
static bool gathers_others(const struct sources *s)
{
    size_t looking = s->there * set_count(s->sets[0]) / 2, gathering = 0;

    for (size_t i = 0; i < s->count; i++)
        gathering += s->sets[i] ? set_count(s->sets[i]) : 0;
    return looking > gathering;
}

static void subtract_each(struct result *r, struct sources *s)
{
    struct set_walk w = set_walk(s->sets[0]);
    struct set_member m;

    qsort(s->sets + 1, s->count - 1, sizeof(*s->sets), by_size_backwards);
    while (set_walk_next(&w, &m)) {
        if (!in_any(s->sets + 1, s->there - 1, &m))
            give(r, &m);
    }
}

/* As if the first set had been copied to be stored, and the others taken out of that. */
static void subtract_gathered(struct result *r, struct sources *s)
{
    struct entry *others = gather(r->call, s->sets + 1, s->count - 1);
    struct set_walk w = set_walk(s->sets[0]);
    bool integers = set_count(s->sets[0]) <= intset_max(r->call);
    struct set_member m;

    while (set_walk_next(&w, &m)) {
        integers = integers && m.is_number;
        if (!set_has(others, &m))
            give(r, &m);
    }
    if (r->into && !integers)
        set_leave_integers(&r->into);
    effect_discard(r->call->worker, others);
}

static void subtract(struct result *r, struct sources *s)
{
    if (!s->sets[0])
        return;
    for (size_t i = 1; i < s->count; i++) {
        if (s->sets[i] == s->sets[0])
            return;
    }
    if (gathers_others(s))
        subtract_gathered(r, s);
    else
        subtract_each(r, s);
}

/* ---- the commands ---------------------------------------------------------------------------- */

static void reply_result(struct call *c, operation *find)
{
    struct result r = {.call = c, .limit = SIZE_MAX};
    size_t begin = write_begin(&c->out);
    struct sources s;

    if (!sources_find(c, 1, c->argc - 1, &s))
        return;
    find(&r, &s);
    write_end_set(&c->out, begin, (int64_t)r.count);
    sources_release(&s);
}

/* SINTER key [key ...] */
void cmd_sinter(struct call *c)
{
    reply_result(c, intersect);
}

/* SUNION key [key ...] */
void cmd_sunion(struct call *c)
{
    reply_result(c, unite);
}

/* SDIFF key [key ...] */
void cmd_sdiff(struct call *c)
{
    reply_result(c, subtract);
}

/* The destination, of whatever type, is one of the sources maybe: it is replaced at the end. */
static void store_result(struct call *c, operation *find, enum key_event event)
{
    struct result r = {.call = c, .limit = SIZE_MAX};
    struct sources s;

    if (!sources_find(c, 2, c->argc - 2, &s))
        return;
    r.into = set_new(call_arg(c, 1), EXPIRY_NONE);
    find(&r, &s);
    sources_release(&s);
    reply_int(c, (int64_t)r.count);
    if (r.count) {
        call_put(c, 1, r.into);
        call_changed(c, 1, event);
    } else {
        entry_free(r.into);
        call_emptied(c, 1);
    }
}

/* SINTERSTORE destination key [key ...] */
void cmd_sinterstore(struct call *c)
{
    store_result(c, intersect, EVENT_SINTERSTORE);
}

/* SUNIONSTORE destination key [key ...] */
void cmd_sunionstore(struct call *c)
{
    store_result(c, unite, EVENT_SUNIONSTORE);
}

/* SDIFFSTORE destination key [key ...] */
void cmd_sdiffstore(struct call *c)
{
    store_result(c, subtract, EVENT_SDIFFSTORE);
}

/* The options behind the keys of SINTERCARD. */
static bool limit_of(struct call *c, int at, size_t *limit)
{
    int64_t n;

    *limit = SIZE_MAX;
    for (; at < c->argc; at += 2) {
        if (!call_arg_is(c, at, "limit") || at + 1 == c->argc)
            return call_syntax_error(c);
        if (!call_int_between(c, at + 1, 0, INT64_MAX, &n, "ERR LIMIT can't be negative"))
            return false;
        *limit = n ? (size_t)n : SIZE_MAX;
    }
    return true;
}

/* SINTERCARD numkeys key [key ...] [LIMIT limit] */
void cmd_sintercard(struct call *c)
{
    struct result r = {.call = c, .only_counted = true};
    struct sources s;
    int64_t keys;

    if (!call_int_between(c, 1, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0"))
        return;
    if (keys > c->argc - 2) {
        reply_error(c, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (!limit_of(c, 2 + (int)keys, &r.limit) || !sources_find(c, 2, (int)keys, &s))
        return;
    intersect(&r, &s);
    reply_int(c, (int64_t)r.count);
    sources_release(&s);
}
