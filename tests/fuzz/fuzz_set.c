/*
 * A set that grows and shrinks as the input says: in each of its forms it holds what a plain array
 * holds, tells so however it is asked, and has the encoding that it is to have. And any bytes as a
 * set of integers: if they are taken for valid, they can be looked through.
 *
 * The first byte chooses which of the two, and from how many integers on they are a set of integers
 * no more.
 */
#include "storage/type_set.h"

#include "base/mem.h"
#include "base/rng.h"
#include "storage/digest.h"
#include "storage/intset.h"
#include "tests/fuzz/steps.h"

enum { MODEL_MAX = 250, ROOM = 2048, RUN_MAX = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
    struct entry *e;
    struct slice v[MODEL_MAX]; /* owned */
    size_t len, intset_max;
    bool intset;
};

static char room[ROOM];

static size_t find(const struct pair *p, struct slice s)
{
    size_t i = 0;

    while (i < p->len && !slice_eq(p->v[i], s))
        i++;
    return i;
}

/* ---- what is compared ------------------------------------------------------------------------ */

static void expect_walk(const struct pair *p)
{
    struct set_walk w = set_walk(p->e);
    struct set_member m, last = {0};
    bool seen[MODEL_MAX] = {false};
    char digits[NUM_INT_MAX];
    size_t n = 0, at;

    for (; set_walk_next(&w, &m); n++) {
        at = find(p, set_member_text(&m, digits));
        expect(at < p->len && !seen[at]);
        seen[at] = true;
        expect(!p->intset || (m.is_number && (!n || last.number < m.number)));
        last = m;
    }
    expect(n == p->len);
}

static void count_member(const struct set_member *m, void *opaque)
{
    size_t *n = opaque;

    *n += m->is_number || m->text.len < SIZE_MAX;
}

static void expect_alike(const struct pair *p)
{
    uint64_t cursor = 0;
    size_t scanned = 0;

    expect(set_count(p->e) == p->len && set_is_intset(p->e) == p->intset);
    if (p->e->form != FORM_OUTSIDE) {
        expect(p->e->few == p->len);
        expect(p->intset ? intset_valid(entry_bytes(p->e)) : pack_valid(entry_bytes(p->e)));
    }
    for (size_t i = 0; i < p->len; i++) {
        struct set_member m = set_member(p->v[i]);

        expect(set_has(p->e, &m));
    }
    expect_walk(p);
    do {
        cursor = set_scan(p->e, cursor, 3, count_member, &scanned);
    } while (cursor);
    expect(scanned == p->len);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void add(struct pair *p, struct slice s)
{
    struct set_member m = set_member(s);
    bool there = find(p, s) < p->len;

    expect(set_has(p->e, &m) == there);
    if (!there && p->len == MODEL_MAX)
        return;
    expect(set_add(&p->e, &m, p->intset_max) == !there);
    if (!there) {
        p->v[p->len++] = slice_make(mem_strndup(s.ptr, s.len), s.len);
        p->intset = p->intset && m.is_number && p->len <= p->intset_max;
    }
}

static void remove_at(struct pair *p, size_t at)
{
    struct set_member m = set_member(p->v[at]);

    expect(set_remove(&p->e, &m) && !set_has(p->e, &m) && !set_remove(&p->e, &m));
    mem_free((void *)(uintptr_t)p->v[at].ptr);
    p->v[at] = p->v[--p->len];
}

static void remove_one(struct pair *p, struct slice s)
{
    struct set_member m = set_member(s);
    size_t at = find(p, s);

    if (at < p->len)
        remove_at(p, at);
    else
        expect(!set_remove(&p->e, &m));
}

static void draw(struct pair *p, bool remove)
{
    char digits[NUM_INT_MAX];
    struct set_member m;
    size_t at;

    if (!p->len)
        return;
    m = set_random(p->e);
    at = find(p, set_member_text(&m, digits));
    expect(at < p->len);
    if (remove)
        remove_at(p, at);
}

/* As many as are wanted, or all. */
static void choose(const struct pair *p, size_t wanted)
{
    struct set_choice c = set_choice(p->e, wanted < p->len ? wanted : p->len);
    struct set_member m;
    size_t n = 0;
    bool chosen;

    while (set_choice_next(&c, &m, &chosen))
        n += chosen;
    expect(n == (wanted < p->len ? wanted : p->len) && !c.left);
}

static bool same_digest(const struct entry *a, const struct entry *b)
{
    struct digest x = set_digest(a), y = set_digest(b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

/* The copy takes the place of what it was copied from; another in packed form is equal to it. */
static void copy(struct pair *p)
{
    struct entry *e = entry_copy(p->e, SLICE("another key"), EXPIRY_NONE), *other;

    other = set_new(SLICE(""), EXPIRY_NONE);
    for (size_t i = p->len; i-- > 0;) {
        struct set_member m = set_member(p->v[i]);

        set_add(&other, &m, 0);
    }
    expect(same_digest(e, p->e) && same_digest(e, other));
    entry_free(other);
    entry_free(p->e);
    p->e = e;
}

/* Several that follow each other, so that short input reaches the bounds of the forms. */
static void add_run(struct pair *p, struct steps *s, bool integers)
{
    int64_t from = take_number(s);
    unsigned count = take_byte(s) % RUN_MAX;
    char text[NUM_INT_MAX + 1] = "m";

    for (unsigned i = 0; i < count; i++) {
        int64_t n = (int64_t)((uint64_t)from + i);
        size_t len = num_format_int(text + 1, n);

        add(p, integers ? slice_make(text + 1, len) : slice_make(text, len + 1));
    }
}

static void step(struct pair *p, struct steps *s)
{
    unsigned what = take_byte(s);
    char digits[NUM_INT_MAX];

    switch (what % 16) {
    case 0:
    case 1:
        add(p, take_text(s, room, ROOM));
        break;
    case 2:
    case 3:
    case 4:
        add(p, slice_make(digits, num_format_int(digits, take_number(s))));
        break;
    case 5:
        remove_one(p, take_text(s, room, ROOM));
        break;
    case 6:
        remove_one(p, slice_make(digits, num_format_int(digits, take_number(s))));
        break;
    case 7:
    case 8:
        if (p->len)
            remove_at(p, take_byte(s) % p->len);
        break;
    case 9:
    case 10:
        draw(p, what & 16);
        break;
    case 11:
        choose(p, take_byte(s));
        break;
    case 12:
        copy(p);
        break;
    case 13:
        set_leave_integers(&p->e);
        p->intset = false;
        break;
    default:
        add_run(p, s, what & 1);
    }
}

static void run_steps(struct steps *s, size_t intset_max)
{
    struct pair p = {
        .e = set_new(SLICE("key"), EXPIRY_NONE), .intset_max = intset_max, .intset = true};

    while (steps_left(s)) {
        step(&p, s);
        if (steps_compare(s, p.len * 4))
            expect_alike(&p);
    }
    entry_free(p.e);
    while (p.len)
        mem_free((void *)(uintptr_t)p.v[--p.len].ptr);
}

/* ---- any bytes ------------------------------------------------------------------------------- */

static void run_bytes(struct steps *s)
{
    size_t len = (size_t)(s->end - s->at), index;
    char *copied = mem_alloc(len ? len : 1);
    struct slice bytes = slice_make(copied, len);

    if (len)
        memcpy(copied, s->at, len);
    if (intset_valid(bytes)) {
        for (size_t i = 0; i < intset_count(bytes); i++)
            expect(intset_find(bytes, intset_at(bytes, i), &index) && index == i);
    }
    mem_free(copied);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t bounds[] = {512, 512, 0, 3, 64, 65, 200, SIZE_MAX};
    struct steps s = {.at = data, .end = data + size};
    unsigned first = take_byte(&s);

    rng_seed(first);
    if (first % 16 == 15)
        run_bytes(&s);
    else
        run_steps(&s, bounds[first % 8]);
    return 0;
}
