/*
 * server/locks/latch: who may have a latch beside those who have it, which are found by their
 * tokens, and that it goes with the last; against a list of all holders.
 */
#include "server/locks/latch.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

enum { NAMES = 20, HOLDERS = 60, STEPS = 100000, PERMITS = 5 };

/* What the model knows of a holder; permits 0 and not shared: a writer. */
struct known {
    struct holder *holder;
    int name;
    uint32_t permits;
    bool shared;
};

static struct shard shard;
static struct known all[HOLDERS];
static uint64_t last_token;
static int wrong;

static void expect(bool right, const char *what)
{
    if (!right && wrong++ < 5)
        diag("%s", what);
}

static struct slice name_of(int name)
{
    static char text[NAMES][16];

    snprintf(text[name], sizeof(text[name]), "name:%d", name);
    return slice_str(text[name]);
}

static struct latch *find(int name)
{
    return latch_find(shard.locks, name_of(name), hash_bytes(name_of(name)));
}

/* The names from the tenth on are semaphores. */
static bool may_have(int name, const struct lock_terms *terms)
{
    uint32_t taken = 0, others = 0, writers = 0;

    for (int i = 0; i < HOLDERS; i++) {
        if (!all[i].holder || all[i].name != name)
            continue;
        taken += all[i].permits;
        writers += !all[i].permits && !all[i].shared;
        others++;
    }
    if (terms->of)
        return taken + terms->permits <= terms->of;
    return terms->shared ? writers == 0 : others == 0;
}

static void join(struct known *k)
{
    int name = (int)rng_below(NAMES);
    bool semaphore = name >= NAMES / 2;
    struct lock_terms terms = {
        .permits = semaphore ? 1 + (uint32_t)rng_below(PERMITS) : 0,
        .of = semaphore ? PERMITS : 0,
        .shared = !semaphore && rng_below(3),
        .guard = rng_below(4) == 0,
    };
    struct slice owner = rng_below(2) ? SLICE("me") : SLICE("");
    struct latch *l = latch_make(&shard, name_of(name), hash_bytes(name_of(name)));

    expect(latch_fits(l, &terms), "it fits");
    expect(latch_admits(l, &terms) == may_have(name, &terms), "who is admitted");
    if (!latch_admits(l, &terms)) {
        latch_drop_unused(&shard, l);
        return;
    }
    *k = (struct known){holder_new(l, &terms, owner, SLICE("data")), name, terms.permits,
                        terms.shared};
    k->holder->token = ++last_token;
    holder_join(shard.locks, k->holder);
    expect(slice_eq(holder_owner(k->holder), owner), "its owner");
    expect(slice_eq(holder_data(k->holder), SLICE("data")), "its data");
}

static void leave(struct known *k)
{
    struct latch *l = k->holder->latch;
    uint64_t token = k->holder->token;

    expect(l == find(k->name), "the latch is found by its name");
    expect(latch_holder(l, token) == k->holder, "the holder by its token");
    expect(latches_holder(shard.locks, l->hash, token) == k->holder, "and without the name");
    holder_leave(shard.locks, k->holder);
    expect(!latch_holder(l, token), "and no more");
    latch_drop_unused(&shard, l);
    mem_free(k->holder);
    k->holder = NULL;
}

static void run(uint64_t seed)
{
    wrong = 0;
    rng_seed(seed);
    for (int i = 0; i < STEPS; i++) {
        struct known *k = &all[rng_below(HOLDERS)];

        if (k->holder)
            leave(k);
        else
            join(k);
    }
    for (int i = 0; i < HOLDERS; i++) {
        if (all[i].holder)
            leave(&all[i]);
    }
    is_int(wrong, 0, "seed %llu", (unsigned long long)seed);
    is_int((long long)shard.locks->table.count, 0, "no latch is left");
    is_int((long long)shard.locks->holders, 0, "nor a holder");
}

int main(void)
{
    hash_init(1);
    run(1);
    run(rng_entropy() % 1000000);
    latches_free(&shard);
    return tap_done();
}
