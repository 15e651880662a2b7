/* storage/roll: random operations against a naive copy. */
#include "storage/roll.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

#include <stdio.h>

enum { KEYS = 1500, STEPS = 60000 };

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
static bool by_change; /* that order is kept too */

/* ---- what must hold ------------------------------------------------------------------------- */

static bool in_order(const struct known *k, enum roll_order order)
{
    return k->there && k->timed == (order == ROLL_BY_USE_TIMED);
}

static uint64_t time_of(const struct known *k, enum roll_order order)
{
    return order == ROLL_BY_CHANGE ? k->changed : k->used;
}

/* The oldest, which may take several looks, each of which comes nearer. */
static const char *wrong_oldest(enum roll_order order)
{
    uint64_t least = ROLL_NEVER, at, before = 0;
    uint32_t i;
    bool sure;

    for (int k = 0; k < KEYS; k++) {
        if (in_order(&keys[k], order) && time_of(&keys[k], order) < least)
            least = time_of(&keys[k], order);
    }
    do {
        sure = roll_oldest(&roll, order, &i, &at);
        if (at > least)
            return "a time later than that of the oldest";
        if (at < before)
            return "a look back";
        before = at;
    } while (!sure);
    if (at != least || (i == ROLL_NONE) != (least == ROLL_NEVER))
        return "not the oldest";
    if (i != ROLL_NONE && time_of(&keys[roll_at(&roll, i)->hash], order) != least)
        return "another member";
    return "";
}

static const char *wrong_member(unsigned k)
{
    const struct member *m;

    if (!keys[k].there)
        return "";
    m = roll_at(&roll, keys[k].index);
    if (m->hash != k || m->used != keys[k].used || m->changed != keys[k].changed ||
        m->timed != keys[k].timed || m->free || m->access != k * 3)
        return "a member that is not as it should be";
    return "";
}

static const char *wrong_roll(void)
{
    const char *wrong = "";
    uint64_t least = ROLL_NEVER;

    for (unsigned k = 0; k < KEYS && !*wrong; k++)
        wrong = wrong_member(k);
    for (int i = 0; i < KEYS; i++) {
        if (keys[i].there && keys[i].used < least)
            least = keys[i].used;
    }
    if (roll_least_use(&roll) > least)
        return "a least use that is none";
    for (int order = 0; order < (by_change ? ROLL_ORDERS : ROLL_BY_CHANGE) && !*wrong; order++)
        wrong = wrong_oldest((enum roll_order)order);
    if (!*wrong && roll_least_use(&roll) != least)
        return "the least recent use";
    if (!*wrong && roll.count != count)
        return "the count";
    if (!*wrong && roll.len > 2 * roll.count + 2 * ROLL_CHUNK)
        return "more room than needed";
    return wrong;
}

/* ---- operations ----------------------------------------------------------------------------- */

/* Used and changed then. */
static void add(unsigned i, uint64_t used, uint64_t changed)
{
    bool timed = rng_below(4) == 0;
    uint32_t index = roll_add(&roll, (struct member){.hash = i,
                                                     .used = used,
                                                     .changed = changed & MEMBER_CHANGED_MAX,
                                                     .timed = timed,
                                                     .access = i * 3});

    keys[i] = (struct known){.there = true, .timed = timed, .index = index};
    keys[i].used = used;
    keys[i].changed = changed;
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

/* For some time many come, then many go. */
static void step(int n)
{
    unsigned i = (unsigned)rng_below(KEYS);
    bool growing = n / 4000 % 2 == 0;

    if (!keys[i].there) {
        now++;
        if (rng_below(20) == 0)
            add(i, rng_below(now), rng_below(now));
        else if (growing || rng_below(10) == 0)
            add(i, now, now);
    } else if (rng_below(10) < (growing ? 1 : 5)) {
        take(i);
    } else if (rng_below(3)) {
        use(i);
    } else {
        alter(i);
    }
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
        if (n == STEPS / 3) {
            by_change = true;
            roll_order_by_change(&roll);
        }
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
