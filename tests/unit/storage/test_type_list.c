/* storage/type_list and storage/long_list: against a plain array of elements. */
#include "storage/type_list.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/list_node.h"
#include "storage/value_types.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODEL_MAX = 4000, STEPS = 16000, SHORT_MAX = 12, HUGE_MAX = 100000 };

struct model {
    struct slice v[MODEL_MAX]; /* owned */
    size_t len;
};

/* What is being tested, and what it should be. */
struct trial {
    struct entry *e;
    struct model m;
    struct list_limits max;
    int64_t size;  /* list-max-listpack-size */
    unsigned huge; /* one value in so many is; 0 for none */
    const char *wrong;
};

static char value_bytes[HUGE_MAX];

static struct slice random_value(const struct trial *t)
{
    size_t len = rng_below(SHORT_MAX);

    if (t->huge && rng_below(t->huge) == 0)
        len = rng_below(HUGE_MAX);
    else if (rng_below(12) == 0)
        len = rng_below(400);
    if (rng_below(4) == 0)
        return slice_make(value_bytes,
                          (size_t)snprintf(value_bytes, 32, "%lld",
                                           (long long)(int64_t)(rng_next() >> rng_below(64))));
    if (rng_below(3) == 0) {
        value_bytes[0] = (char)('a' + rng_below(3));
        return slice_make(value_bytes, 1);
    }
    for (size_t i = 0; i < len; i++)
        value_bytes[i] = (char)(i < 16 ? rng_below(256) : 'x');
    return slice_make(value_bytes, len);
}

/* ---- the model ------------------------------------------------------------------------------ */

static void model_insert(struct model *m, size_t i, struct slice s)
{
    memmove(m->v + i + 1, m->v + i, (m->len - i) * sizeof(*m->v));
    m->len++;
    m->v[i] = slice_make(mem_strndup(s.ptr, s.len), s.len);
}

static void model_take(struct model *m, size_t i)
{
    mem_free((void *)(uintptr_t)m->v[i].ptr);
    m->len--;
    memmove(m->v + i, m->v + i + 1, (m->len - i) * sizeof(*m->v));
}

/* ---- whether it is right -------------------------------------------------------------------- */

static bool node_is_right(const struct list_node *n, size_t count, struct list_limits max)
{
    const char *at = n->data + n->begin, *end = n->data + n->end;

    if (!count || n->begin > n->end || n->end > n->cap ||
        (count > 1 && (count > max.count || node_used(n) > max.bytes)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *next = trail_next(at);

        if (next > end || trail_prev(next) != at)
            return false;
        at = next;
    }
    return at == end;
}

static const char *invariants(const struct entry *e, struct list_limits max)
{
    const struct long_list *l;
    uint64_t sum = 0;

    if (!lists_is_long(e))
        return pack_count(entry_bytes(e)) == e->few && e->few <= LIST_PACKED_MAX &&
                       entry_bytes(e).len <= LIST_PACKED_BYTES
                   ? NULL
                   : "a packed list";
    l = lists_long(e);
    for (size_t i = 0; i < l->ring.len; i++) {
        if (!node_is_right(node_at(l, i), node_ring_count(&l->ring, i), max))
            return "a node";
        sum += node_ring_count(&l->ring, i);
    }
    return sum == l->count ? NULL : "the number of elements";
}

static bool walk_is_right(const struct entry *e, const struct model *m, size_t from, bool back)
{
    struct list_walk w;
    const char *at;
    char digits[NUM_INT_MAX];

    lists_walk(&w, e, from, back);
    for (size_t i = from; i < m->len; i += back ? -(size_t)1 : 1) {
        at = lists_walk_next(&w);
        if (!at || !slice_eq(pack_text(at, digits), m->v[i]))
            return false;
    }
    return !lists_walk_next(&w);
}

static const char *difference(const struct entry *e, const struct model *m)
{
    char digits[NUM_INT_MAX];
    size_t i;

    if (lists_len(e) != m->len)
        return "the length";
    if (!m->len)
        return NULL;
    i = rng_below(m->len);
    if (!slice_eq(pack_text(lists_run(e, i).at, digits), m->v[i]))
        return "an element by its index";
    if (!slice_eq(pack_text(lists_end(e, LIST_HEAD), digits), m->v[0]) ||
        !slice_eq(pack_text(lists_end(e, LIST_TAIL), digits), m->v[m->len - 1]))
        return "an end";
    if (!walk_is_right(e, m, 0, false) || !walk_is_right(e, m, i, false))
        return "a walk";
    return walk_is_right(e, m, m->len - 1, true) && walk_is_right(e, m, i, true) ? NULL
                                                                                 : "a walk back";
}

/* ---- changes -------------------------------------------------------------------------------- */

static void push(struct trial *t)
{
    enum { AT_ONCE = 5 };
    enum list_end end = rng_below(2) ? LIST_HEAD : LIST_TAIL;
    struct slice values[AT_ONCE];
    size_t n = 1 + rng_below(AT_ONCE);

    for (size_t i = 0; i < n; i++) {
        struct slice s = random_value(t);

        model_insert(&t->m, end == LIST_HEAD ? 0 : t->m.len, s);
        values[i] = t->m.v[end == LIST_HEAD ? 0 : t->m.len - 1];
    }
    if (t->m.len == n) {
        entry_free(t->e);
        t->e = lists_new(SLICE("key"), end, values, n, t->max);
        t->e->version = 77;
    } else {
        lists_push(&t->e, end, values, n, t->max);
    }
}

static void drop(struct trial *t)
{
    enum list_end end = rng_below(2) ? LIST_HEAD : LIST_TAIL;
    size_t n = t->m.len < 2 ? 0 : rng_below(30) ? 1 : 1 + rng_below(t->m.len - 1);
    void *rest;

    if (!n)
        return;
    if (n == 1 && rng_below(2)) {
        lists_drop_end(&t->e, end, lists_end(t->e, end), t->max);
    } else {
        rest = lists_drop(&t->e, end, n, t->max);
        if (rest)
            long_list_free(rest);
    }
    while (n--)
        model_take(&t->m, end == LIST_HEAD ? 0 : t->m.len - 1);
}

static void set(struct trial *t)
{
    struct slice s = random_value(t);
    size_t i = rng_below(t->m.len);

    lists_set(&t->e, i, s, t->max);
    model_take(&t->m, i);
    model_insert(&t->m, i, s);
}

static void insert(struct trial *t)
{
    struct slice s = random_value(t);
    size_t i = rng_below(t->m.len + 1);

    lists_insert(&t->e, i, s, t->max);
    model_insert(&t->m, i, s);
}

static void take_equal(struct trial *t)
{
    struct slice s = rng_below(2) ? random_value(t) : t->m.v[rng_below(t->m.len)];
    size_t from = rng_below(2) ? 0 : rng_below(t->m.len), removed = 0;
    uint64_t most = rng_below(2) ? UINT64_MAX : rng_below(4);
    char *copy = mem_strndup(s.ptr, s.len);
    struct pack_value v = pack_value(slice_make(copy, s.len));

    for (size_t i = from; i < t->m.len && removed < most;) {
        if (slice_eq(t->m.v[i], slice_make(copy, s.len))) {
            model_take(&t->m, i);
            removed++;
        } else {
            i++;
        }
    }
    if (lists_remove(&t->e, &v, from, most, t->max) != removed)
        t->wrong = "how many were removed";
    mem_free(copy);
}

static void change(struct trial *t, bool growing)
{
    unsigned what = (unsigned)rng_below(10);

    if (!t->m.len || (t->m.len < MODEL_MAX - 10 && (growing ? what < 6 : what < 3)))
        push(t);
    else if (what < 7)
        drop(t);
    else if (what == 7)
        set(t);
    else if (what == 8 && t->m.len < MODEL_MAX - 10)
        insert(t);
    else
        take_equal(t);
}

/* The same elements in the other form, or pushed anew, have the same digest. */
static bool digest_is_right(const struct trial *t)
{
    struct list_limits one = list_limits(1);
    struct entry *again = lists_new(SLICE("k"), LIST_TAIL, t->m.v, t->m.len, one);
    struct digest a = value_digest(t->e), b = value_digest(again);

    entry_free(again);
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool copy_is_right(const struct trial *t)
{
    struct entry *copy = entry_copy(t->e, SLICE("another key"), EXPIRY_NONE);
    bool right = !difference(copy, &t->m) && !invariants(copy, t->max);

    entry_free(copy);
    return right;
}

static void test_changes(int64_t size, unsigned huge)
{
    struct trial *t = mem_zalloc(sizeof(*t));
    size_t most = 0;

    t->size = size;
    t->max = list_limits(size);
    t->huge = huge;
    t->e = entry_new_bytes(SLICE("key"), TYPE_LIST, SLICE(""), EXPIRY_NONE);
    for (int i = 0; i < STEPS && !t->wrong; i++) {
        change(t, i / 4000 % 2 == 0);
        most = most < t->m.len ? t->m.len : most;
        if (!t->wrong && i % 4 == 0)
            t->wrong = invariants(t->e, t->max);
        if (!t->wrong && i % 32 == 0)
            t->wrong = difference(t->e, &t->m);
        if (!t->wrong && i % 1000 == 0 && t->m.len && !(digest_is_right(t) && copy_is_right(t)))
            t->wrong = "a copy, or its digest";
    }
    ok(!t->wrong, "size %lld%s: as a plain array, of up to %zu elements%s%s", (long long)size,
       huge ? ", some of them huge" : "", most, t->wrong ? "; but not " : "",
       t->wrong ? t->wrong : "");
    ok(slice_eq(entry_key(t->e), SLICE("key")) && t->e->version == 77, "the entry's head stays");
    while (t->m.len)
        model_take(&t->m, t->m.len - 1);
    entry_free(t->e);
    mem_free(t);
}

/* ---- memory --------------------------------------------------------------------------------- */

static struct entry *numbered(size_t n, struct list_limits max)
{
    struct entry *e = entry_new_bytes(SLICE("key"), TYPE_LIST, SLICE(""), EXPIRY_NONE);

    for (size_t i = 0; i < n; i++) {
        char text[32];
        struct slice s = slice_make(text, (size_t)snprintf(text, sizeof(text), "item:%06zu", i));

        lists_push(&e, LIST_TAIL, &s, 1, max);
    }
    return e;
}

static void test_memory(void)
{
    enum { MANY = 100000, LEN = 11 };
    struct list_limits max = list_limits(-2);
    struct entry *e = numbered(MANY, max);
    struct pack_value v;
    void *rest;

    ok(entry_memory(e, 0) < (size_t)MANY * (LEN + 3), "%zu bytes for %d elements of %d",
       entry_memory(e, 0), MANY, LEN);
    for (size_t i = 0; i < MANY; i++) {
        if (i % 20)
            lists_set(&e, i, SLICE("x"), max);
    }
    v = pack_value(SLICE("x"));
    lists_remove(&e, &v, 0, UINT64_MAX, max);
    ok(lists_len(e) == MANY / 20 && entry_memory(e, 0) < (size_t)MANY / 20 * (LEN + 2) * 3,
       "%zu bytes when one in twenty is left", entry_memory(e, 0));
    rest = lists_drop(&e, LIST_HEAD, MANY / 20 - 3, max);
    if (rest)
        long_list_free(rest);
    ok(!lists_is_long(e) && lists_len(e) == 3, "the last of them are packed");
    entry_free(e);
}

/* A queue of a few elements, on and on: its memory does not grow, and it stays one node. */
static void test_queue(void)
{
    struct list_limits max = list_limits(-2);
    struct entry *e = numbered(300, max);
    size_t most = 0;

    for (size_t i = 0; i < 100000; i++) {
        struct slice s = SLICE("an element of a queue");

        lists_push(&e, LIST_TAIL, &s, 1, max);
        lists_drop(&e, LIST_HEAD, 1, max);
        most = most < entry_memory(e, 0) ? entry_memory(e, 0) : most;
    }
    ok(lists_len(e) == 300 && most < 40000, "a queue of 300 takes %zu bytes at most", most);
    entry_free(e);
}

/* Cutting off the many nodes of a long list is quick; they are given to who frees them. */
static void test_cut(void)
{
    struct list_limits max = list_limits(-2);
    struct entry *e = numbered(200000, max);
    char digits[NUM_INT_MAX];
    struct long_list *rest = lists_drop(&e, LIST_TAIL, 150000, max);

    ok(rest && rest->count > 149000 && lists_len(e) == 50000, "the end of a list, cut off");
    ok(slice_eq(pack_text(lists_end(e, LIST_TAIL), digits), SLICE("item:049999")), "its last now");
    long_list_free(rest);
    rest = lists_drop(&e, LIST_HEAD, 49000, max);
    ok(rest && lists_len(e) == 1000 &&
           slice_eq(pack_text(lists_end(e, LIST_HEAD), digits), SLICE("item:049000")),
       "and its beginning");
    long_list_free(rest);
    entry_free(e);
}

static void test_limits(void)
{
    static const int64_t sizes[] = {-1, -2, -5, -6, 0, 1, 100, 1 << 20};
    static const size_t bytes[] = {4096, 8192, 65536, 65536, 8192, 8192, 8192, 8192};
    static const size_t counts[] = {65535, 65535, 65535, 65535, 1, 1, 100, 32767};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct list_limits max = list_limits(sizes[i]);

        ok(max.bytes + sizeof(struct list_node) == bytes[i] && max.count == counts[i],
           "list-max-listpack-size %lld", (long long)sizes[i]);
    }
}

int main(void)
{
    static const int64_t sizes[] = {-2, -1, 1, 2, 3, 30, -5};

    test_limits();
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        test_changes(sizes[i], 0);
        test_changes(sizes[i], 100);
    }
    test_memory();
    test_queue();
    test_cut();
    return tap_done();
}
