/*
 * storage/expiry: random times to live against a naive copy; after each step the promise holds that
 * for every entry with an expiry, or with a part that has one, there is an item not later than it.
 */
#include "storage/expiry.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "storage/hash.h"
#include "storage/type_hash.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 2000, TAKE_MAX = 16, HORIZON = 100000, ITEM_LOW_BITS = 11, ITEM_TAG_MASK = 31 };

/* All changes of a table with an index are made as the keyspace makes them. */
static struct table table;
static struct expiry expiry;
static struct entry *entries[KEYS]; /* NULL: not there */
static int64_t now;                 /* ahead of the wall clock, which the index looks at too */

static struct slice key_of(int i)
{
    static char key[1024]; /* larger than needed: the compiler follows the hash beyond short keys */

    return slice_make(key, (size_t)snprintf(key, sizeof(key), "key:%d", i));
}

static struct table_place place_of(int i)
{
    struct table_place place;

    if (table_find(&table, hash_bytes(key_of(i)), key_of(i), entry_is, &place) != entries[i])
        bail("the table lost an entry");
    return place;
}

/* ---- operations ----------------------------------------------------------------------------- */

static void add_entry(int i, struct entry *e)
{
    uint64_t hash = hash_bytes(key_of(i));

    entries[i] = e;
    table_insert(&table, hash, e, entry_hash);
    expiry_changed(&expiry, &table, hash, ENTRY_TIMES_NONE, entry_times(e));
}

static void add(int i, int64_t at)
{
    add_entry(i, entry_new_int(key_of(i), i, at));
}

/* A hash of which one field goes then. */
static void add_hash(int i, int64_t at)
{
    static const struct hash_limits limits = {100, 100};
    struct entry *e = hash_new(key_of(i));

    hash_set(&e, SLICE("goes"), SLICE("1"), at, &limits);
    hash_set(&e, SLICE("stays"), SLICE("2"), EXPIRY_NONE, &limits);
    add_entry(i, e);
}

static void drop(int i)
{
    struct table_place place = place_of(i);
    uint64_t hash = hash_bytes(key_of(i));

    expiry_changed(&expiry, &table, hash, entry_times(entries[i]), ENTRY_TIMES_NONE);
    table_remove(&table, place, hash, entry_hash);
    entry_free(entries[i]);
    entries[i] = NULL;
}

/* What stands for the entry at `place` by now is in its place, and may have other times. */
static void changed(int i, struct table_place place, struct entry_times was)
{
    table_replace(place, entries[i]);
    expiry_changed(&expiry, &table, hash_bytes(key_of(i)), was, entry_times(entries[i]));
}

static void move(int i, int64_t to)
{
    struct entry_times was = entry_times(entries[i]);
    struct table_place place = place_of(i);

    entries[i] = entry_set_expiry(entries[i], to);
    changed(i, place, was);
}

static void move_field(int i, int64_t to)
{
    struct entry_times was = entry_times(entries[i]);
    struct table_place place = place_of(i);
    int64_t has;

    if (!hash_time(entries[i], SLICE("goes"), &has))
        return;
    hash_set_time(&entries[i], SLICE("goes"), to);
    changed(i, place, was);
}

static int64_t draw_time(void)
{
    return now + 1 + (int64_t)rng_below(HORIZON);
}

static void step(void)
{
    int i = (int)rng_below(KEYS);
    unsigned what = (unsigned)rng_below(10);

    if (!entries[i] && i % 3 == 0)
        add_hash(i, what < 3 ? EXPIRY_NONE : draw_time());
    else if (!entries[i])
        add(i, what < 3 ? EXPIRY_NONE : draw_time());
    else if (what < 2)
        drop(i);
    else if (i % 3 == 0 && what < 6)
        move_field(i, what < 3 ? EXPIRY_NONE : draw_time());
    else if (what < 4)
        move(i, EXPIRY_NONE);
    else
        move(i, draw_time());
}

/* ---- invariants ----------------------------------------------------------------------------- */

/* An item is the low bits of a time, and what is kept of a hash. */
static int64_t item_time(const struct expiry_heap *h, uint32_t i)
{
    uint32_t time;

    memcpy(&time, h->chunks[i / EXPIRY_CHUNK][i % EXPIRY_CHUNK].bytes, sizeof(time));
    return now + (int32_t)(time - (uint32_t)now);
}

static uint16_t item_who(const struct expiry_heap *h, uint32_t i)
{
    uint16_t who;

    memcpy(&who, h->chunks[i / EXPIRY_CHUNK][i % EXPIRY_CHUNK].bytes + 4, sizeof(who));
    return who;
}

static const char *wrong_heap(const struct expiry_heap *h)
{
    for (uint32_t i = 1; i < h->len; i++) {
        if (item_time(h, (i - 1) / 4) > item_time(h, i))
            return "a heap is out of order";
    }
    return h->len <= h->chunks_len * EXPIRY_CHUNK ? NULL : "a heap is larger than its room";
}

static bool promises(const struct expiry_heap *h, uint64_t hash, int64_t at)
{
    uint32_t who = (uint32_t)(hash & ((1u << ITEM_LOW_BITS) - 1)) |
                   (uint32_t)(table_tag(hash) & ITEM_TAG_MASK) << ITEM_LOW_BITS;

    for (uint32_t i = 0; i < h->len; i++) {
        if (item_who(h, i) == who && item_time(h, i) <= at)
            return true;
    }
    return false;
}

static const char *wrong_index(void)
{
    const char *wrong = wrong_heap(&expiry.heap);
    uint64_t n = 0, parted = 0;

    wrong = wrong ? wrong : wrong_heap(&expiry.fresh);
    for (int i = 0; i < KEYS && !wrong; i++) {
        struct entry_times t = entries[i] ? entry_times(entries[i]) : ENTRY_TIMES_NONE;

        n += t.key != EXPIRY_NONE;
        parted += t.part != EXPIRY_NONE;
        if (entry_times_first(t) == EXPIRY_NONE)
            continue;
        if (entry_times_first(t) < expiry_next(&expiry, now))
            wrong = "an entry is due before the index says";
        else if (!promises(&expiry.heap, entry_hash(entries[i]), entry_times_first(t)) &&
                 !promises(&expiry.fresh, entry_hash(entries[i]), entry_times_first(t)))
            wrong = "there is no item for an entry";
    }
    if (!wrong && (n != expiry.entries || parted != expiry.parted))
        wrong = "the entries with an expiry are miscounted";
    n += parted;
    /* Two entries' items each, and what came while the second heap was filled. */
    if (!wrong && (uint64_t)expiry.heap.len + expiry.fresh.len > 1000 + 6 * n)
        wrong = "too many leftovers are kept";
    return wrong ? wrong : "";
}

/* ---- taking --------------------------------------------------------------------------------- */

static int number_of(const struct entry *e)
{
    struct slice key = entry_key(e);
    char text[32] = "";

    memcpy(text, key.ptr, key.len < sizeof(text) - 1 ? key.len : sizeof(text) - 1);
    return (int)strtol(text + sizeof("key:") - 1, NULL, 10);
}

/* The field goes, and the entry may stay. */
static const char *take_field(int i)
{
    struct entry_times was = entry_times(entries[i]);
    struct table_place place = place_of(i);
    bool gone;

    if (hash_expire(&entries[i], now, 1, &gone, NULL) != 1 || gone)
        return "another field than the one that was due has gone";
    changed(i, place, was);
    expiry_again(&expiry, &table, hash_bytes(key_of(i)),
                 entry_times_first(entry_times(entries[i])));
    return NULL;
}

static const char *take(int i)
{
    if (!entry_is_due(entries[i], now))
        return "an entry was taken before its time";
    if (!entry_expired(entries[i], now))
        return take_field(i);
    drop(i);
    return NULL;
}

static const char *take_due(void)
{
    struct entry *due[TAKE_MAX];
    size_t n;

    while (expiry_take(&expiry, &table, now, due, TAKE_MAX, &n)) {
        for (size_t d = 0; d < n; d++) {
            const char *wrong = take(number_of(due[d]));

            if (wrong)
                return wrong;
        }
    }
    for (int i = 0; i < KEYS; i++) {
        if (entries[i] && entry_is_due(entries[i], now))
            return "an entry outlived its time";
    }
    return expiry_next(&expiry, now) > now ? "" : "something still is due";
}

static void test_model(void)
{
    const char *wrong = "";
    int rounds = 0;

    for (; rounds < 300 && !*wrong; rounds++) {
        for (int i = 0; i < 500; i++)
            step();
        wrong = wrong_index();
        now += (int64_t)rng_below(HORIZON / 20);
        wrong = *wrong ? wrong : take_due();
    }
    is_str(wrong, "", "times set, moved, taken away and reached");
    now += 2 * HORIZON;
    is_str(take_due(), "", "everything has its end");
    is_int((long long)(expiry.entries + expiry.parted), 0, "nothing is left");
    is_str(wrong_index(), "", "but an empty index");
}

/* Times farther away than an item can say. */
static void test_far_times(void)
{
    static const int64_t day = 24 * 3600 * 1000;
    int64_t next;

    for (int i = 0; i < KEYS; i++) {
        if (!entries[i])
            add(i, EXPIRY_NONE);
        move(i, i % 2 ? EXPIRY_NONE - 1 - i : now + day * (10 + i % 90));
    }
    next = expiry_next(&expiry, now);
    ok(next > now && next <= now + 11 * day, "far times are looked at in good time");
    is_str(wrong_index(), "", "and lead to their entries");
    now += 12 * day;
    is_str(take_due(), "", "what is due between far times is taken");
    now -= 12 * day;
    expiry_refill(&expiry, &table);
    is_str(wrong_index(), "", "an index made anew has everything");
}

/* A time moved on again and again, as sessions do it, must not make the index grow. */
static void test_moved_later(void)
{
    size_t most = 0;

    for (int i = 0; i < KEYS; i++) {
        if (!entries[i])
            add(i, EXPIRY_NONE);
        move(i, now + 1000);
    }
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < KEYS; i++)
            move(i, now + 1000 + round);
        now += 1;
        take_due();
        most = expiry_memory(&expiry) > most ? expiry_memory(&expiry) : most;
    }
    diag("at most %zu bytes for %d entries", most, KEYS);
    ok(most < (size_t)KEYS * 3 * sizeof(uint64_t), "times moved later take no memory");
    is_str(wrong_index(), "", "and lose nobody");
}

/* ---- samples -------------------------------------------------------------------------------- */

struct seen {
    int n, enough, wrong;
    bool keys[KEYS];
};

static bool see(struct entry *e, void *opaque)
{
    struct seen *seen = opaque;

    seen->wrong += !e->has_expiry;
    seen->keys[number_of(e)] = true;
    return ++seen->n < seen->enough;
}

static void test_sample(void)
{
    static struct seen seen;
    int found = 0, all = 0;

    for (int i = 0; i < KEYS; i++) {
        if (!entries[i])
            add(i, EXPIRY_NONE);
        move(i, i % 10 ? EXPIRY_NONE : now + 5000 + i);
    }
    for (int i = 0; i < KEYS; i++) {
        seen.n = 0;
        seen.enough = 5;
        expiry_sample(&expiry, &table, false, see, &seen);
        found += seen.n;
    }
    for (int i = 0; i < KEYS; i++)
        all += seen.keys[i];
    is_int(seen.wrong, 0, "only entries with an expiry are sampled");
    ok(found >= KEYS * 5, "as many as were wanted");
    is_int(all, KEYS / 10, "and in the long run all of them");
    seen = (struct seen){.enough = 1};
    now += 1;
    take_due();
    move(77, now + 1);
    expiry_sample(&expiry, &table, true, see, &seen);
    ok(seen.keys[77], "the next to go is found");
}

/* One entry among many leftovers, which cannot be told from it beforehand. */
static void test_sample_leftovers(void)
{
    static struct seen seen;

    for (int i = 0; i < KEYS; i++) {
        if (entries[i])
            move(i, now + 9000 + i);
    }
    for (int i = 0; i < KEYS; i++) {
        if (entries[i] && i != 1234)
            move(i, EXPIRY_NONE);
    }
    for (int i = 0; i < 200; i++) { /* lets the second heap be filled */
        move(1234, now + 20000 - i);
        seen = (struct seen){.enough = 1};
        expiry_sample(&expiry, &table, false, see, &seen);
    }
    ok(seen.n == 1 && seen.keys[1234], "a single entry is found among leftovers");
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    hash_init(seed);
    now = clock_wall_ms() + HORIZON;
    ok(expiry_next(&expiry, now) == EXPIRY_NONE, "nothing is due in an empty index");
    test_model();
    test_moved_later();
    test_far_times();
    test_sample();
    test_sample_leftovers();
    for (int i = 0; i < KEYS; i++) {
        if (entries[i])
            drop(i);
    }
    table_release(&table);
    expiry_release(&expiry);
    ok(mem_used() == 0, "all memory is given back");
    return tap_done();
}
