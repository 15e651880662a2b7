/* storage/roll: random operations against a naive copy, and the links of all lists. */
#include "storage/roll.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

#include <stdio.h>

enum { KEYS = 1500, STEPS = 60000, MERGED_MAX = 200 };

/* A key by its number, which is its hash. */
struct known {
    bool there, timed;
    uint32_t index;
    uint64_t used, changed;
};

static struct roll roll;
static struct known keys[KEYS];
static uint64_t now = 1000;
static unsigned count;

/* ---- what must hold ------------------------------------------------------------------------- */

static bool in_list(const struct known *k, enum roll_list list)
{
    return k->there && k->timed == (list == ROLL_BY_USE_TIMED);
}

static uint64_t time_in(const struct member *m, enum roll_list list)
{
    return list == ROLL_BY_CHANGE ? m->changed : m->used;
}

static const struct roll_link *link_in(const struct member *m, enum roll_list list)
{
    return list == ROLL_BY_CHANGE ? &m->change : &m->use;
}

/* From old to new, both ways, with all that belong there. */
static const char *wrong_list(enum roll_list list)
{
    uint32_t before = ROLL_NONE, n = 0, expected = 0;
    uint64_t last = 0;

    for (int i = 0; i < KEYS; i++)
        expected += in_list(&keys[i], list);
    for (uint32_t i = roll_oldest(&roll, list); i != ROLL_NONE; n++) {
        const struct member *m = roll_at(&roll, i);
        const struct known *k = &keys[m->hash];

        if (n > expected || !in_list(k, list) || k->index != i || m->free)
            return "a member that does not belong there";
        if (m->used != k->used || m->changed != k->changed || m->timed != k->timed ||
            m->access != (uint32_t)m->hash * 3)
            return "something else is known of it";
        if (time_in(m, list) < last)
            return "not in order";
        if (link_in(m, list)->older != before)
            return "links that do not agree";
        last = time_in(m, list);
        before = i;
        i = link_in(m, list)->newer;
    }
    if (roll.ends[list].newer != before)
        return "the newest";
    return n == expected ? "" : "some are missing";
}

static const char *wrong_roll(void)
{
    static const enum roll_list lists[] = {ROLL_BY_USE, ROLL_BY_USE_TIMED, ROLL_BY_CHANGE};
    const char *wrong = "";
    uint64_t least = ROLL_NEVER;

    for (size_t i = 0; i < COUNT_OF(lists) && !*wrong; i++)
        wrong = wrong_list(lists[i]);
    for (int i = 0; i < KEYS; i++) {
        if (keys[i].there && keys[i].used < least)
            least = keys[i].used;
    }
    if (!*wrong && roll.count != count)
        return "the count";
    if (!*wrong && roll_least_use(&roll) != least)
        return "the least recent use";
    if (!*wrong && roll.len > 2 * roll.count + 2 * ROLL_CHUNK)
        return "more room than needed";
    return wrong;
}

/* ---- operations ----------------------------------------------------------------------------- */

static void set(struct known *k, uint32_t index, uint64_t used, uint64_t changed, bool timed)
{
    *k = (struct known){.there = true, .timed = timed, .index = index};
    k->used = used;
    k->changed = changed;
}

static void add(unsigned i)
{
    bool timed = rng_below(4) == 0;
    uint32_t index = roll_add(&roll, i, ++now, timed);

    roll_at(&roll, index)->access = i * 3;
    set(&keys[i], index, now, now, timed);
    count++;
}

static void take(unsigned i)
{
    uint32_t last;

    keys[i].there = false;
    count--;
    roll_remove(&roll, keys[i].index);
    last = roll_excess(&roll);
    if (last != ROLL_NONE) {
        uint64_t moved = roll_at(&roll, last)->hash;

        keys[moved].index = roll_move(&roll, last);
    }
}

static void use(unsigned i)
{
    keys[i].used = ++now;
    roll_used(&roll, keys[i].index, now);
}

static void alter(unsigned i)
{
    keys[i].timed = rng_below(4) == 0;
    keys[i].used = keys[i].changed = ++now;
    roll_changed(&roll, keys[i].index, now, keys[i].timed);
}

/* Some of those that are not there, used and changed at any time. */
static void merge(void)
{
    static struct member fresh[MERGED_MAX];
    static uint32_t indexes[MERGED_MAX];
    uint32_t n = 0, max = (uint32_t)rng_below(MERGED_MAX + 1);

    for (unsigned i = (unsigned)rng_below(KEYS); i < KEYS && n < max; i++) {
        if (keys[i].there)
            continue;
        fresh[n] = (struct member){.hash = i, .access = i * 3, .timed = rng_below(4) == 0};
        fresh[n].used = rng_below(now);
        fresh[n++].changed = rng_below(now) & ((UINT64_C(1) << 62) - 1);
    }
    roll_merge(&roll, fresh, n, indexes);
    for (uint32_t k = 0; k < n; k++)
        set(&keys[fresh[k].hash], indexes[k], fresh[k].used, fresh[k].changed, fresh[k].timed);
    count += n;
}

/* For some time many come, then many go. */
static void step(int n)
{
    unsigned i = (unsigned)rng_below(KEYS);
    bool growing = n / 4000 % 2 == 0;

    if (!keys[i].there) {
        if (growing || rng_below(10) == 0)
            add(i);
    } else if (rng_below(10) < (growing ? 1 : 5)) {
        take(i);
    } else if (rng_below(3)) {
        use(i);
    } else {
        alter(i);
    }
    if (growing && rng_below(3000) == 0)
        merge();
}

int main(void)
{
    uint64_t seed = rng_entropy();
    const char *wrong = "";
    size_t before = mem_used();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    roll_init(&roll);
    for (int n = 0; n < STEPS && !*wrong; n++) {
        step(n);
        if (n % 50 == 0 || n % 4000 < 20)
            wrong = wrong_roll();
    }
    is_str(wrong, "", "a roll is like its copy");
    for (unsigned i = 0; i < KEYS; i++) {
        if (keys[i].there)
            take(i);
    }
    is_str(wrong_roll(), "", "empty");
    mem_flush();
    is_int((long long)(mem_used() - before), 0, "an empty one has given everything back");
    roll_release(&roll);
    return tap_done();
}
