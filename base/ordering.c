/* Sorting, see ordering.h. */
#include "base/ordering.h"

#include "base/mem.h"

#include <string.h>

enum { INSERTION_BELOW = 7, NINE_ABOVE = 40 };

struct order {
    ordering_compare *compare;
    void *arg;
    void **v;           /* all items */
    size_t first, last; /* places that are wanted */
};

static int compare_at(const struct order *o, void **v, size_t a, size_t b)
{
    return o->compare(v[a], v[b], o->arg);
}

static void swap(void **v, size_t a, size_t b)
{
    void *kept = v[a];

    v[a] = v[b];
    v[b] = kept;
}

static void insertion_sort(const struct order *o, void **v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && compare_at(o, v, k - 1, k) > 0; k--)
            swap(v, k, k - 1);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void merge_sort(const struct order *o, void **v, size_t n, void **room)
{
    size_t half = n / 2, left = 0, right = half, out = 0;

    if (n < INSERTION_BELOW) {
        insertion_sort(o, v, n);
        return;
    }
    merge_sort(o, v, half, room);
    merge_sort(o, v + half, n - half, room);
    if (compare_at(o, v, half - 1, half) <= 0)
        return;
    memcpy(room, v, half * sizeof(*v));
    while (left < half) {
        bool from_right = right < n && o->compare(room[left], v[right], o->arg) > 0;

        v[out++] = from_right ? v[right++] : room[left++];
    }
}

static void sort_stably(const struct order *o, void **v, size_t n)
{
    void **room = mem_alloc((n / 2 + 1) * sizeof(*v));

    merge_sort(o, v, n, room);
    mem_free(room);
}

void ordering_sort(void **v, size_t n, ordering_compare *compare, void *arg)
{
    const struct order o = {.compare = compare, .arg = arg};

    sort_stably(&o, v, n);
}

/* ---- a part ---------------------------------------------------------------------------------- */

static size_t middle_of(const struct order *o, void **v, size_t a, size_t b, size_t c)
{
    if (compare_at(o, v, a, b) < 0) {
        if (compare_at(o, v, b, c) < 0)
            return b;
        return compare_at(o, v, a, c) < 0 ? c : a;
    }
    if (compare_at(o, v, b, c) > 0)
        return b;
    return compare_at(o, v, a, c) < 0 ? a : c;
}

/* Of nine, of three, or the one in the middle. */
static size_t choose_pivot(const struct order *o, void **v, size_t n)
{
    size_t low = 0, middle = n / 2, high = n - 1, d = n / 8;

    if (n == INSERTION_BELOW)
        return middle;
    if (n > NINE_ABOVE) {
        low = middle_of(o, v, low, low + d, low + 2 * d);
        middle = middle_of(o, v, middle - d, middle, middle + d);
        high = middle_of(o, v, high - 2 * d, high - d, high);
    }
    return middle_of(o, v, low, middle, high);
}

static void swap_runs(void **v, size_t a, size_t b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        swap(v, a + i, b + i);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Puts what is less than the pivot first, and what is greater last; how many that are. Equal ones
 * are gathered at both ends, and brought to the middle then.
 */
static void partition(const struct order *o, void **v, size_t n, size_t *less, size_t *greater)
{
    size_t a = 1, b = 1, c = n, d = n, run; /* c and d are behind the last of theirs */
    int sign;

    swap(v, 0, choose_pivot(o, v, n));
    for (;;) {
        for (; b < c && (sign = compare_at(o, v, b, 0)) <= 0; b++) {
            if (sign == 0)
                swap(v, a++, b);
        }
        for (; b < c && (sign = compare_at(o, v, c - 1, 0)) >= 0; c--) {
            if (sign == 0)
                swap(v, c - 1, --d);
        }
        if (b >= c)
            break;
        swap(v, b++, --c);
    }
    run = least(a, b - a);
    swap_runs(v, 0, b - run, run);
    run = least(d - c, n - d);
    swap_runs(v, b, n - run, run);
    *less = b - a;
    *greater = d - c;
}

static bool wanted(const struct order *o, void **v, size_t n)
{
    size_t at = (size_t)(v - o->v);

    return n > 1 && o->first < at + n && o->last >= at;
}

/* Input can be made for which quicksort is slow; it is noticed, and sorted otherwise. */
static void sort_part(const struct order *o, void **v, size_t n, int depth_left)
{
    size_t less, greater;

    while (n >= INSERTION_BELOW) {
        if (depth_left-- == 0) {
            sort_stably(o, v, n);
            return;
        }
        partition(o, v, n, &less, &greater);
        if (wanted(o, v, less))
            sort_part(o, v, less, depth_left);
        v += n - greater;
        n = greater;
        if (!wanted(o, v, n))
            return;
    }
    insertion_sort(o, v, n);
}

void ordering_sort_part(void **v, size_t n, size_t first, size_t last, ordering_compare *compare,
                        void *arg)
{
    const struct order o = {compare, arg, v, first, last};
    int depth = 8;

    for (size_t left = n; left; left /= 2)
        depth += 2;
    sort_part(&o, v, n, depth);
}
