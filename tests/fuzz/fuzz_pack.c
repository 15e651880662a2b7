/*
 * Packed elements within an entry, edited as the input says: what they hold is what a plain array
 * holds, in whatever form the entry is, and key and expiry stay what they were set to. And any
 * bytes as packed elements: if they are taken for valid, they are read to the end and no further.
 *
 * The first byte chooses which of the two. Everything is allocated to the byte, so that the address
 * sanitizer sees an access beyond it.
 */
#include "storage/pack.h"

#include "base/mem.h"
#include "storage/entry.h"
#include "tests/fuzz/steps.h"

#include <math.h>

enum { MODEL_MAX = 120, ROOM = 65536, RANGE_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct element {
    struct slice text; /* owned; unless it is a double */
    double real;
    bool is_double;
};

struct pair {
    struct entry *e;
    struct element v[MODEL_MAX];
    size_t len;
    struct slice key; /* owned */
    int64_t expiry;
};

static char room[ROOM];

static struct slice copy_of(struct slice s)
{
    char *p = mem_alloc(s.len ? s.len : 1);

    if (s.len)
        memcpy(p, s.ptr, s.len);
    return slice_make(p, s.len);
}

static void forget(struct slice s)
{
    mem_free((void *)(uintptr_t)s.ptr);
}

/* ---- elements -------------------------------------------------------------------------------- */

static struct element take_element(struct steps *s)
{
    struct element v = {0};
    char digits[NUM_INT_MAX];
    unsigned kind = take_byte(s) % 4;
    uint64_t bits;

    if (kind == 0) {
        v.text = copy_of(slice_make(digits, num_format_int(digits, take_number(s))));
    } else if (kind == 1) {
        bits = (uint64_t)take_number(s);
        memcpy(&v.real, &bits, sizeof(bits));
        if (isnan(v.real))
            v.real = (double)take_number(s) / 8;
        v.is_double = true;
    } else {
        v.text = copy_of(take_text(s, room, ROOM));
    }
    return v;
}

static struct pack_value value_of(const struct element *v)
{
    return v->is_double ? pack_value_double(v->real) : pack_value(v->text);
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static void expect_element(const char *at, const struct element *v)
{
    struct pack_value wanted = value_of(v);
    char digits[NUM_INT_MAX];
    int64_t n, m;
    double d;

    expect(pack_is(at, &wanted) && pack_size(at) == pack_value_size(&wanted));
    if (v->is_double) {
        expect(pack_double(at, &d) && same_double(d, v->real) && !pack_is_text(at));
        return;
    }
    expect(slice_eq(pack_text(at, digits), v->text));
    expect(pack_int(at, &n) == num_parse_int(v->text, &m));
    expect(pack_is_text(at) || n == m);
}

static void expect_alike(const struct pair *p)
{
    struct slice bytes = entry_bytes(p->e);
    const char *at = bytes.ptr;

    expect(slice_eq(entry_key(p->e), p->key) && entry_expiry(p->e) == p->expiry);
    expect(p->e->form == FORM_INLINE || p->e->form == FORM_BLOB);
    expect(p->e->form == FORM_BLOB || entry_size(p->e) <= INLINE_ENTRY_MAX);
    expect(pack_valid(bytes) && pack_count(bytes) == p->len);
    for (size_t i = 0; i < p->len; i++, at = pack_next(at)) {
        expect(i % 16 || at == pack_at(bytes, i));
        expect_element(at, &p->v[i]);
    }
    expect(at == pack_end(bytes));
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Instead of `old` elements from `index` on there are `fresh` others. */
static void replace(struct pair *p, struct steps *s, size_t index, size_t old, size_t fresh)
{
    struct slice bytes = entry_bytes(p->e);
    const char *from = pack_at(bytes, index), *to = from;
    size_t at = (size_t)(from - bytes.ptr), room_needed = 0;
    struct element v[RANGE_MAX] = {{{0}, 0, false}};
    char *value, *out;

    for (size_t i = 0; i < old; i++, to = pack_next(to))
        forget(p->v[index + i].text);
    for (size_t i = 0; i < fresh; i++) {
        struct pack_value packed;

        v[i] = take_element(s);
        packed = value_of(&v[i]);
        room_needed += pack_value_size(&packed);
    }
    p->e = entry_splice(p->e, at, (size_t)(to - from), room_needed, &value);
    out = value + at;
    for (size_t i = 0; i < fresh; i++) {
        struct pack_value packed = value_of(&v[i]);

        out = pack_write(out, &packed);
    }
    memmove(p->v + index + fresh, p->v + index + old, (p->len - index - old) * sizeof(*p->v));
    memcpy(p->v + index, v, fresh * sizeof(*v));
    p->len += fresh - old;
}

static void edit(struct pair *p, struct steps *s, unsigned what)
{
    size_t index = take_byte(s) % (p->len + 1), old = what % RANGE_MAX,
           fresh = what / 4 % RANGE_MAX;

    if (old > p->len - index)
        old = p->len - index;
    if (p->len - old + fresh <= MODEL_MAX)
        replace(p, s, index, old, fresh);
}

/* An element of every second, or of all: the first that is alike, if one is. */
static void look(const struct pair *p, struct steps *s)
{
    struct element v = take_element(s);
    const struct element *wanted = p->len ? &p->v[take_byte(s) % p->len] : &v;
    unsigned every = 1 + take_byte(s) % 2;
    struct slice bytes = entry_bytes(p->e);
    struct pack_value packed;
    const char *found;
    size_t i = 0;

    if (take_byte(s) % 2)
        wanted = &v;
    packed = value_of(wanted);
    if (p->len % every == 0) {
        found = pack_find(bytes, &packed, every);
        while (i < p->len && !pack_is(pack_at(bytes, i), &packed))
            i += every;
        expect(i < p->len ? found == pack_at(bytes, i) : !found);
    }
    forget(v.text);
}

static void rename_key(struct pair *p, struct steps *s)
{
    forget(p->key);
    p->key = copy_of(take_text(s, room, 1024));
    p->e = entry_rename(p->e, p->key);
}

static void set_expiry(struct pair *p, struct steps *s)
{
    p->expiry = take_byte(s) % 2 ? take_number(s) : EXPIRY_NONE;
    p->e = entry_set_expiry(p->e, p->expiry);
}

/* The copy takes the place of what it was copied from. */
static void copy_entry(struct pair *p)
{
    struct entry *copy = entry_copy(p->e, p->key, p->expiry);

    entry_free(p->e);
    p->e = copy;
}

static void step(struct pair *p, struct steps *s)
{
    unsigned what = take_byte(s);

    switch (what >> 5) {
    case 5:
        look(p, s);
        break;
    case 6:
        rename_key(p, s);
        break;
    case 7:
        if (what & 1)
            copy_entry(p);
        else
            set_expiry(p, s);
        break;
    default:
        edit(p, s, what);
    }
}

static void run_steps(struct steps *s)
{
    struct pair p = {.key = copy_of(take_text(s, room, 1024)), .expiry = EXPIRY_NONE};

    p.e = entry_new_bytes(p.key, TYPE_LIST, SLICE(""), p.expiry);
    while (steps_left(s)) {
        step(&p, s);
        if (steps_compare(s, p.len + entry_bytes(p.e).len / 256))
            expect_alike(&p);
    }
    entry_free(p.e);
    while (p.len)
        forget(p.v[--p.len].text);
    forget(p.key);
}

/* ---- any bytes ------------------------------------------------------------------------------- */

static void run_bytes(struct steps *s)
{
    struct slice bytes = copy_of(slice_make((const char *)s->at, (size_t)(s->end - s->at)));
    const char *end = pack_end(bytes);
    char digits[NUM_INT_MAX];
    int64_t whole;
    size_t n = 0;
    double d;

    if (pack_valid(bytes)) {
        for (const char *at = bytes.ptr; at < end; at = pack_next(at), n++) {
            struct pack_value v;

            if (pack_is_text(at) || pack_int(at, &whole))
                v = pack_value(pack_text(at, digits));
            else
                v = pack_value_double(pack_double(at, &d) ? d : 0);
            expect(pack_is(at, &v) && pack_next(at) <= end);
        }
        expect(pack_count(bytes) == n && pack_at(bytes, n) == end);
    }
    forget(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steps s = {.at = data, .end = data + size};

    if (take_byte(&s) % 8 == 0)
        run_bytes(&s);
    else
        run_steps(&s);
    return 0;
}
