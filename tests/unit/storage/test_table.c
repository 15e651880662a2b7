/*
 * storage/table: random operations against a naive copy, with a walk over the structure's
 * invariants; scans while the table grows and shrinks; draws.
 */
#include "storage/table.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/tap.h"

enum { ITEMS = 20000, CHECK_EVERY = 997 };

struct item {
    uint64_t hash;
    bool there;
    int visits;
};

static struct item items[ITEMS];
static struct table table;
static uint64_t count;

static uint64_t hash_of(const void *item)
{
    return ((const struct item *)item)->hash;
}

/* Items are told apart by their place in the array; the key is that place. */
static bool is_item(const void *item, struct slice key)
{
    return (const char *)item == key.ptr;
}

static struct slice key_of(const struct item *item)
{
    return slice_make((const char *)item, 0);
}

static struct item *find(const struct item *item, struct table_place *place)
{
    return table_find(&table, item->hash, key_of(item), is_item, place);
}

static void put(struct item *item)
{
    table_insert(&table, item->hash, item, hash_of);
    item->there = true;
    count++;
}

static void take(struct item *item)
{
    struct table_place place;

    if (find(item, &place) != item)
        bail("an item that is there is not found");
    table_remove(&table, place, item->hash, hash_of);
    item->there = false;
    count--;
}

/* `hash_mask` leaves few different hashes, which makes for long chains. */
static void set_up(uint64_t hash_mask)
{
    for (int i = 0; i < ITEMS; i++)
        items[i] = (struct item){.hash = rng_next() & hash_mask};
    count = 0;
}

static void take_all(void)
{
    for (int i = 0; i < ITEMS; i++) {
        if (items[i].there)
            take(&items[i]);
    }
}

/* ---- invariants ----------------------------------------------------------------------------- */

/* An item is in the bucket that its hash belongs to, under its tag. */
static const char *wrong_slot(const struct bucket *b, unsigned slot, uint32_t index)
{
    const struct item *item = bucket_get(b, slot);

    if (item < items || item >= items + ITEMS)
        return "a slot leads nowhere";
    if (!item->there)
        return "an item that was removed is in a slot";
    if (b->tags[slot] != table_tag(item->hash))
        return "a tag is not that of its item";
    return table_index(table.buckets, table.mask, item->hash) == index ? NULL
                                                                       : "an item is elsewhere";
}

static const char *wrong_chain(uint32_t index, uint64_t *found, uint32_t *further)
{
    const char *wrong = NULL;

    for (const struct bucket *b = table_at(&table, index); b && !wrong; b = bucket_next(b)) {
        if (b->meta & BUCKET_CHAINED && b->tags[BUCKET_SLOTS - 1])
            wrong = "a chained bucket's last slot has a tag";
        *further += bucket_next(b) != NULL;
        for (unsigned used = bucket_used(b); used && !wrong; used &= used - 1, ++*found)
            wrong = wrong_slot(b, (unsigned)__builtin_ctz(used), index);
    }
    return wrong;
}

static const char *wrong_shape(void)
{
    uint32_t n = table.buckets, chunks = (n + CHUNK_BUCKETS - 1) >> CHUNK_BITS;

    if (table.count != count)
        return "the count is not that of the copy";
    if (!table.dir)
        return count || n ? "buckets without a directory" : NULL;
    if ((table.mask & (table.mask + 1)) || n > table.mask + 1 || n < (table.mask >> 1))
        return "mask and number of buckets do not fit";
    if (chunks > table.dir->cap || (n <= CHUNK_BUCKETS && n > table.dir->first))
        return "there is no room for the buckets";
    for (uint32_t i = 0; i < table.dir->cap; i++) {
        if ((i < chunks) != (table.dir->chunks[i] != NULL))
            return "chunks and number of buckets do not fit";
    }
    return NULL;
}

static const char *wrong_table(void)
{
    const char *wrong = wrong_shape();
    uint64_t found = 0;
    uint32_t further = 0;

    for (uint32_t i = 0; i < table.buckets && !wrong; i++)
        wrong = wrong_chain(i, &found, &further);
    if (!wrong && further != table.further)
        wrong = "the buckets in chains are not as many as were counted";
    if (!wrong && found != count)
        wrong = "the items in buckets are not as many as were counted";
    return wrong ? wrong : "";
}

static const char *wrong_finds(void)
{
    struct table_place place;

    for (int i = 0; i < ITEMS; i++) {
        const struct item *found = find(&items[i], &place);

        if (items[i].there && found != &items[i])
            return "an item is not found";
        if (!items[i].there && found)
            return "an item that was removed is found";
    }
    return "";
}

/* ---- the model ------------------------------------------------------------------------------ */

/* `growth` percent of the steps add. */
static const char *work(int steps, unsigned growth)
{
    const char *wrong = "";

    for (int i = 0; i < steps && !*wrong; i++) {
        struct item *item = &items[rng_below(ITEMS)];

        if (rng_below(100) < growth && !item->there)
            put(item);
        else if (rng_below(100) >= growth && item->there)
            take(item);
        if (i % CHECK_EVERY == 0)
            wrong = wrong_table();
    }
    return *wrong ? wrong : wrong_finds();
}

static void test_model(uint64_t hash_mask, const char *hashes)
{
    size_t before = mem_used();

    set_up(hash_mask);
    is_str(work(ITEMS, 50), "", "%s: small", hashes);
    is_str(work(ITEMS * 6, 90), "", "%s: growing", hashes);
    is_str(work(ITEMS * 3, 50), "", "%s: full", hashes);
    is_str(work(ITEMS * 6, 10), "", "%s: shrinking", hashes);
    is_str(work(ITEMS * 3, 80), "", "%s: growing again", hashes);
    take_all();
    is_str(wrong_table(), "", "%s: emptied", hashes);
    ok(!table.dir && !table.buckets, "%s: an empty table has no buckets", hashes);
    table_release(&table);
    ok(mem_used() == before, "%s: all memory is given back", hashes);
}

static void test_replace(void)
{
    static struct item twin;
    struct table_place place;
    uint64_t n = 0;

    set_up(UINT64_MAX);
    for (int i = 0; i < 1000; i++)
        put(&items[i]);
    twin = (struct item){.hash = items[500].hash, .there = true};
    find(&items[500], &place);
    table_replace(place, &twin);
    ok(!find(&items[500], &place), "what was replaced is gone");
    ok(find(&twin, &place) == &twin, "what replaces it is there");
    table_remove(&table, place, twin.hash, hash_of);
    items[500].there = false;
    count--;
    for (int i = 0; i < 1000; i++)
        n += items[i].there;
    ok(n == count && n == table.count, "nothing else changed");
    take_all();
    table_release(&table);
}

/* ---- visits --------------------------------------------------------------------------------- */

static void visit(void *item, void *opaque)
{
    ((struct item *)item)->visits++;
    ++*(long *)opaque;
}

static void forget_visits(void)
{
    for (int i = 0; i < ITEMS; i++)
        items[i].visits = 0;
}

/* Those before `stable` are never removed; the others come and go. */
static void disturb(int stable, int steps, unsigned growth)
{
    for (int i = 0; i < steps; i++) {
        struct item *item = &items[stable + (int)rng_below((uint64_t)(ITEMS - stable))];

        if (rng_below(100) < growth && !item->there)
            put(item);
        else if (rng_below(100) >= growth && item->there)
            take(item);
    }
}

static void scan_disturbed(const char *name, int stable, unsigned before, unsigned meanwhile)
{
    uint64_t cursor = 0;
    long visits = 0;
    int missed = 0, calls = 0;

    set_up(UINT64_MAX);
    for (int i = 0; i < stable; i++)
        put(&items[i]);
    disturb(stable, ITEMS * 2, before);
    forget_visits();
    do {
        cursor = table_scan(&table, cursor, visit, &visits);
        disturb(stable, 20, meanwhile);
    } while (cursor && ++calls < ITEMS * 10);
    for (int i = 0; i < stable; i++)
        missed += items[i].visits == 0;
    is_int(missed, 0, "scan while %s: everything that stays is visited", name);
    ok(!cursor, "scan while %s: it comes to an end", name);
    ok(visits < ITEMS * 3, "scan while %s: not much more often than once", name);
    take_all();
    table_release(&table);
}

static void test_scan_undisturbed(void)
{
    uint64_t cursor = 0;
    long visits = 0;
    int wrong = 0;

    set_up(UINT64_MAX);
    ok(table_scan(&table, 0, visit, &visits) == 0 && !visits, "a scan of nothing is over at once");
    disturb(0, ITEMS * 2, 70);
    forget_visits();
    do {
        cursor = table_scan(&table, cursor, visit, &visits);
    } while (cursor);
    for (int i = 0; i < ITEMS; i++)
        wrong += items[i].visits != items[i].there;
    is_int(wrong, 0, "an undisturbed scan visits each item once");
    forget_visits();
    table_each(&table, visit, &visits);
    for (int i = 0; i < ITEMS; i++)
        wrong += items[i].visits != items[i].there;
    is_int(wrong, 0, "so does table_each");
    take_all();
    table_release(&table);
}

/* What an index keeps of a hash leads to the item in tables of any size. */
static void test_visit_low(void)
{
    enum { BITS = 6 };
    int missed = 0;
    long visits = 0;

    set_up(UINT64_MAX);
    for (int n = 0; n < 2000; n++) {
        struct item *item = &items[n];

        put(item);
        item->visits = 0;
        table_visit_low(&table, (uint32_t)item->hash, BITS, table_tag(item->hash), 0xff, visit,
                        &visits);
        missed += item->visits != 1;
        item = &items[rng_below((uint64_t)n + 1)];
        item->visits = 0;
        table_visit_low(&table, (uint32_t)item->hash & ((1 << BITS) - 1), BITS,
                        table_tag(item->hash) & 7, 7, visit, &visits);
        missed += item->visits != 1;
    }
    is_int(missed, 0, "low bits and tag lead to the item, once");
    take_all();
    table_release(&table);
}

/* Each of some hundred items is drawn about as often; chains long and short. */
static void test_random(uint64_t hash_mask, const char *hashes)
{
    enum { FEW = 300, DRAWS = FEW * 400 };
    int least = DRAWS, most = 0;

    set_up(hash_mask);
    ok(!table_random(&table), "%s: nothing is drawn from nothing", hashes);
    for (int i = 0; i < FEW; i++)
        put(&items[i]);
    for (int i = 0; i < DRAWS; i++)
        ((struct item *)table_random(&table))->visits++;
    for (int i = 0; i < FEW; i++) {
        least = items[i].visits < least ? items[i].visits : least;
        most = items[i].visits > most ? items[i].visits : most;
    }
    diag("%s: drawn %d to %d times, 400 on average", hashes, least, most);
    ok(least > 200 && most < 600, "%s: all are drawn about equally often", hashes);
    take_all();
    table_release(&table);
}

static void test_memory(void)
{
    size_t before = mem_used(), used;

    set_up(UINT64_MAX);
    for (int i = 0; i < ITEMS; i++)
        put(&items[i]);
    used = mem_used() - before;
    diag("%zu bytes for %d items, %zu by its own account", used, ITEMS, table_memory(&table));
    ok(used < (size_t)ITEMS * 12, "a table takes less than 12 bytes an item");
    ok(table_memory(&table) > used * 97 / 100 && table_memory(&table) <= used,
       "and knows how much that is");
    take_all();
    table_release(&table);
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    test_model(UINT64_MAX, "random hashes");
    test_model(0x3ff00000003ff, "few hashes");
    test_model(0x1ff000000000000f, "hardly any hashes");
    test_replace();
    test_scan_undisturbed();
    scan_disturbed("growing", 3000, 20, 95);
    scan_disturbed("shrinking", 3000, 90, 5);
    scan_disturbed("both", 1000, 50, 50);
    test_visit_low();
    test_random(UINT64_MAX, "random hashes");
    test_random(0xffff00000000001f, "long chains");
    test_memory();
    return tap_done();
}
