/* base/ordering: random arrays with many equal items, against qsort(). */
#include "base/ordering.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

#include <stdint.h>
#include <stdlib.h>

enum { ROUNDS = 3000, ITEMS_MAX = 400, HOSTILE = 100000 };

struct item {
    int value, place;
};

static unsigned long comparisons;

static int by_value(const void *a, const void *b, void *arg)
{
    const struct item *x = a, *y = b;

    (void)arg;
    comparisons++;
    return (x->value > y->value) - (x->value < y->value);
}

static int by_value_and_place(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    int sign = (x->value > y->value) - (x->value < y->value);

    return sign ? sign : (x->place > y->place) - (x->place < y->place);
}

static size_t fill(struct item *items, void **v, void **model)
{
    size_t n = rng_below(ITEMS_MAX);
    int kinds = 1 + (int)rng_below(rng_below(2) ? 8 : 1000);

    for (size_t i = 0; i < n; i++) {
        items[i] = (struct item){(int)rng_below((uint64_t)kinds), (int)i};
        v[i] = model[i] = &items[i];
    }
    qsort(model, n, sizeof(*model), by_value_and_place);
    return n;
}

static int value_of(void *item)
{
    return ((struct item *)item)->value;
}

static void test_whole(void)
{
    static struct item items[ITEMS_MAX];
    static void *v[ITEMS_MAX], *model[ITEMS_MAX];
    int wrong = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t n = fill(items, v, model);

        ordering_sort(v, n, by_value, NULL);
        for (size_t i = 0; i < n; i++)
            wrong += v[i] != model[i];
    }
    is_int(wrong, 0, "sorted, and equal items as they were");
}

static void test_part(void)
{
    static struct item items[ITEMS_MAX];
    static void *v[ITEMS_MAX], *model[ITEMS_MAX];
    int wrong = 0, lost = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t n = fill(items, v, model), first = rng_below(n + 1), last = rng_below(n + 1);

        ordering_sort_part(v, n, first, last, by_value, NULL);
        for (size_t i = first; i <= last && i < n; i++)
            wrong += value_of(v[i]) != value_of(model[i]);
        qsort(v, n, sizeof(*v), by_value_and_place);
        for (size_t i = 0; i < n; i++)
            lost += v[i] != model[i];
    }
    is_int(wrong, 0, "the part is as in the whole");
    is_int(lost, 0, "nothing is lost");
}

/* McIlroy's adversary: decides what is less only when it is asked, and against the sorter. */
static int candidate, solid;

static int hostile(const void *a, const void *b, void *arg)
{
    struct item *x = (struct item *)(uintptr_t)a, *y = (struct item *)(uintptr_t)b;

    (void)arg;
    comparisons++;
    if (x->value == INT32_MAX && y->value == INT32_MAX)
        (x->place == candidate ? x : y)->value = solid++;
    if (x->value == INT32_MAX)
        candidate = x->place;
    else if (y->value == INT32_MAX)
        candidate = y->place;
    return (x->value > y->value) - (x->value < y->value);
}

static void test_hostile(void)
{
    struct item *items = malloc(HOSTILE * sizeof(*items));
    void **v = malloc(HOSTILE * sizeof(*v));
    int wrong = 0;

    for (int i = 0; i < HOSTILE; i++) {
        items[i] = (struct item){INT32_MAX, i};
        v[i] = &items[i];
    }
    comparisons = 0;
    ordering_sort_part(v, HOSTILE, 0, HOSTILE - 1, hostile, NULL);
    for (int i = 1; i < HOSTILE; i++)
        wrong += value_of(v[i - 1]) > value_of(v[i]);
    is_int(wrong, 0, "a hostile input is sorted");
    ok(comparisons < 100ul * HOSTILE, "with %lu comparisons", comparisons);
    free(v);
    free(items);
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    test_whole();
    test_part();
    test_hostile();
    return tap_done();
}
