/* HyperLogLog, see hll.h. */
#include "storage/hll.h"

#include "base/compiler.h"

#include <assert.h>
#include <math.h>

enum {
    INDEX_BITS = 14,
    HASH_BITS = 64 - INDEX_BITS, /* of which zeros are counted */
    MAGIC_LEN = 4,
    ENCODING_AT = 4,
    CARDINALITY_AT = 8,
    DENSE = 0,
    SPARSE = 1,
    GROUP = 8, /* registers that make whole bytes */
    GROUP_LEN = GROUP * HLL_REGISTER_BITS / 8,
    ZEROS_MAX = 64,
    RUN_VALUE_MAX = 32,
    RUN_LEN_MAX = 4,
    SPLIT_MAX = 5,  /* bytes of a run that was cut into three */
    JOIN_STEPS = 5, /* runs that are looked at for equal neighbours after a change */
    SPARSE_LIMIT = HLL_HEADER + HLL_REGISTERS * 2, /* no run has more bytes for a register */
};

static_assert(1 << INDEX_BITS == HLL_REGISTERS, "an index is a register");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "groups of registers are read as words");

/* ---- elements ------------------------------------------------------------------------------- */

/* Where an element belongs, and the least value that it makes there. */
struct mark {
    unsigned index;
    uint8_t value;
};

/* MurmurHash64A of Austin Appleby, with the seed that Redis has. */
static uint64_t murmur(struct slice s)
{
    const uint64_t by = 0xc6a4a7935bd1e995, seed = 0xadc83b19;
    uint64_t h = seed ^ s.len * by, word;
    size_t left = s.len;

    for (const char *at = s.ptr; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word *= by;
        word ^= word >> 47;
        h = (h ^ word * by) * by;
    }
    if (left) {
        word = 0;
        memcpy(&word, s.ptr + s.len - left, left);
        h = (h ^ word) * by;
    }
    h = (h ^ h >> 47) * by;
    return h ^ h >> 47;
}

static struct mark mark_of(struct slice element)
{
    uint64_t hash = murmur(element), rest = hash >> INDEX_BITS | (uint64_t)1 << HASH_BITS;

    return (struct mark){hash & (HLL_REGISTERS - 1), (uint8_t)(__builtin_ctzll(rest) + 1)};
}

/* ---- the header ----------------------------------------------------------------------------- */

static const char empty[] = "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff";

bool hll_is_valid(struct slice v)
{
    if (v.len < HLL_HEADER || !bytes_eq(v.ptr, empty, MAGIC_LEN))
        return false;
    return v.ptr[ENCODING_AT] == SPARSE || (v.ptr[ENCODING_AT] == DENSE && v.len == HLL_DENSE_LEN);
}

bool hll_is_dense(struct slice v)
{
    return v.ptr[ENCODING_AT] == DENSE;
}

void hll_init(struct buf *v)
{
    buf_append(v, empty, sizeof(empty) - 1);
}

bool hll_remembered(struct slice v, uint64_t *out)
{
    memcpy(out, v.ptr + CARDINALITY_AT, sizeof(*out));
    return !(*out >> 63);
}

void hll_remember(char *v, uint64_t cardinality)
{
    memcpy(v + CARDINALITY_AT, &cardinality, sizeof(cardinality));
}

void hll_forget(char *v)
{
    char *highest = v + CARDINALITY_AT + sizeof(uint64_t) - 1;

    *highest = (char)(*highest | 0x80);
}

/* ---- dense ---------------------------------------------------------------------------------- */

/* Eight registers of six bits, into the eight bytes of a word. */
static uint64_t spread(const char *group)
{
    uint64_t w = 0;

    memcpy(&w, group, GROUP_LEN);
    w = (w & 0xffffff) | (w & 0xffffff000000) << 8;
    w = (w & 0x00000fff00000fff) | (w & 0x00fff00000fff000) << 4;
    return (w & 0x003f003f003f003f) | (w & 0x0fc00fc00fc00fc0) << 2;
}

/* And back. */
static void gather(char *group, uint64_t w)
{
    w = (w & 0x003f003f003f003f) | (w & 0x3f003f003f003f00) >> 2;
    w = (w & 0x00000fff00000fff) | (w & 0x0fff00000fff0000) >> 4;
    w = (w & 0xffffff) | (w & 0xffffff00000000) >> 8;
    memcpy(group, &w, GROUP_LEN);
}

static void pack(char *dense, const struct hll_registers *r)
{
    uint64_t w;

    for (size_t i = 0; i < HLL_REGISTERS; i += GROUP) {
        memcpy(&w, r->value + i, sizeof(w));
        gather(dense + HLL_HEADER + i / GROUP * GROUP_LEN, w);
    }
}

static void raise_dense(struct hll_registers *r, const char *dense)
{
    struct hll_registers all;
    uint64_t w;

    for (size_t i = 0; i < HLL_REGISTERS; i += GROUP) {
        w = spread(dense + HLL_HEADER + i / GROUP * GROUP_LEN);
        memcpy(all.value + i, &w, sizeof(w));
    }
    for (size_t i = 0; i < HLL_REGISTERS; i++)
        r->value[i] = r->value[i] > all.value[i] ? r->value[i] : all.value[i];
}

static bool set_dense(char *dense, struct mark m)
{
    char *group = dense + HLL_HEADER + m.index / GROUP * GROUP_LEN;
    unsigned shift = m.index % GROUP * HLL_REGISTER_BITS;
    uint64_t w = 0, old;

    memcpy(&w, group, GROUP_LEN);
    old = w >> shift & 63;
    if (old >= m.value)
        return false;
    w ^= (old ^ m.value) << shift;
    memcpy(group, &w, GROUP_LEN);
    hll_forget(dense);
    return true;
}

bool hll_add_dense(char *v, struct slice element)
{
    return set_dense(v, mark_of(element));
}

/* ---- sparse: runs --------------------------------------------------------------------------- */

struct run {
    size_t at;      /* its place in the value */
    size_t size;    /* bytes that it takes there */
    unsigned first; /* register */
    unsigned len;   /* registers */
    uint8_t value;
};

static bool is_long(uint8_t head)
{
    return (head & 0xc0) == 0x40;
}

/*
 * How many registers there are in the run that begins at `at`. Where the second byte of one is
 * missing, it counts as 0, as in Redis, which reads the NUL behind a string.
 */
ALWAYS_INLINE unsigned run_len(const uint8_t *at, const uint8_t *end)
{
    if (*at & 0x80)
        return (*at & 3u) + 1;
    if (*at & 0x40)
        return ((*at & 63u) << 8 | (at + 1 < end ? at[1] : 0)) + 1;
    return *at + 1u;
}

/* The run that begins at `at`, within the value, with register `first`. */
static struct run run_at(struct slice v, size_t at, unsigned first)
{
    const uint8_t *p = (const uint8_t *)v.ptr + at;

    return (struct run){
        .at = at,
        .size = is_long(*p) ? 2 : 1,
        .first = first,
        .len = run_len(p, (const uint8_t *)v.ptr + v.len),
        .value = *p & 0x80 ? (uint8_t)((*p >> 2 & 31) + 1) : 0,
    };
}

/*
 * The next run; false behind the last. Begun with all zero. It is never asked for more than there
 * are registers, so that the time that a value costs is bounded, whatever its length.
 */
static bool next_run(struct slice v, struct run *r)
{
    size_t at = r->size ? r->at + r->size : HLL_HEADER;

    if (at >= v.len)
        return false;
    *r = run_at(v, at, r->first + r->len);
    return true;
}

static size_t put_run(char *out, unsigned len, uint8_t value)
{
    unsigned n = len - 1;

    if (value) {
        *out = (char)(0x80 | (value - 1u) << 2 | n);
        return 1;
    }
    if (len <= ZEROS_MAX) {
        *out = (char)n;
        return 1;
    }
    out[0] = (char)(0x40 | n >> 8);
    out[1] = (char)(n & 0xff);
    return 2;
}

static bool raise_sparse(struct hll_registers *r, struct slice v)
{
    struct run run = {0};

    while (next_run(v, &run)) {
        if (run.first + run.len > HLL_REGISTERS)
            return false;
        for (unsigned i = run.first; run.value && i < run.first + run.len; i++)
            r->value[i] = r->value[i] > run.value ? r->value[i] : run.value;
    }
    return run.first + run.len == HLL_REGISTERS;
}

bool hll_raise(struct hll_registers *r, struct slice v)
{
    if (!hll_is_dense(v))
        return raise_sparse(r, v);
    raise_dense(r, v.ptr);
    return true;
}

bool hll_describe(struct slice v, struct buf *out)
{
    struct run run = {0};

    if (v.len > SPARSE_LIMIT)
        return false;
    while (next_run(v, &run)) {
        buf_append_str(out, out->len ? " " : "");
        if (run.value)
            buf_printf(out, "v:%u,%u", run.value, run.len);
        else
            buf_printf(out, "%c:%u", run.size == 2 ? 'Z' : 'z', run.len);
    }
    return true;
}

/* ---- sparse: changing ----------------------------------------------------------------------- */

/*
 * Where the search for a register begins: at a run that is not behind it. So registers in ascending
 * order are found without beginning anew for each.
 */
struct cursor {
    size_t at; /* 0: at the first run */
    unsigned first;
};

struct place {
    struct run run;
    struct cursor before; /* the run before it; at 0 if there is none */
};

/*
 * False if the register is not there, or not wholly. This is where the time of PFADD goes: there
 * can be thousands of runs, so little is carried along from one to the next.
 */
static bool find_run(struct slice v, unsigned index, struct cursor from, struct place *p)
{
    const uint8_t *begin = (const uint8_t *)v.ptr, *end = begin + v.len;
    const uint8_t *at = begin + (from.at ? from.at : HLL_HEADER), *before = NULL, *next;
    unsigned first = from.first, len;

    for (; at < end; before = at, at = next, first += len) {
        next = at + 1;
        if (*at & 0x80) {
            len = (*at & 3u) + 1;
        } else if (*at & 0x40) {
            len = run_len(at, end);
            next++;
        } else {
            len = *at + 1u;
        }
        if (index < first + len)
            break;
    }
    if (at >= end)
        return false;
    p->run = run_at(v, (size_t)(at - begin), first);
    p->before = (struct cursor){0};
    if (before)
        p->before = (struct cursor){(size_t)(before - begin), first - run_len(before, end)};
    return p->run.at + p->run.size <= v.len;
}

/* What run `r` is, once one of its registers has another value; returns the length. */
static size_t split_run(const struct run *r, struct mark m, char out[SPLIT_MAX])
{
    unsigned left = m.index - r->first, right = r->len - left - 1;
    size_t n = left ? put_run(out, left, r->value) : 0;

    n += put_run(out + n, 1, m.value);
    return right ? n + put_run(out + n, right, r->value) : n;
}

/* `size` bytes at `at` become `len` others. */
static void splice(struct buf *v, size_t at, size_t size, const char *bytes, size_t len)
{
    char *here = buf_reserve(v, len) - v->len + at;

    memmove(here + len, here + size, v->len - at - size);
    memcpy(here, bytes, len);
    v->len = v->len + len - size;
}

/* Neighbours of the same value become one run, as far as Redis looks. */
static void join_runs(struct buf *v, size_t at)
{
    for (int steps = JOIN_STEPS; at < v->len && steps > 0; steps--) {
        struct run a = run_at(buf_slice(v), at, 0), b = {0};
        char joined;

        if (at + 1 < v->len)
            b = run_at(buf_slice(v), at + 1, 0);
        if (a.value && a.value == b.value && a.len + b.len <= RUN_LEN_MAX) {
            put_run(&joined, a.len + b.len, a.value);
            splice(v, at, 2, &joined, 1);
        } else {
            at += a.size;
        }
    }
}

static enum hll_result set_promoted(struct buf *v, struct mark m)
{
    if (!hll_to_dense(v))
        return HLL_CORRUPT;
    set_dense(v->ptr, m);
    return HLL_CHANGED;
}

/* `from` is moved to where a search for a later register may begin. */
static enum hll_result set_sparse(struct buf *v, struct mark m, size_t sparse_max,
                                  struct cursor *from)
{
    char bytes[SPLIT_MAX];
    struct place p;
    size_t len;

    if (m.value > RUN_VALUE_MAX)
        return set_promoted(v, m);
    if (v->len > SPARSE_LIMIT || !find_run(buf_slice(v), m.index, *from, &p))
        return HLL_CORRUPT;
    /* The run where the search began: which one is before it has to be found. */
    if (from->at && !p.before.at)
        find_run(buf_slice(v), m.index, (struct cursor){0}, &p);
    *from = p.before;
    if (p.run.value >= m.value)
        return HLL_SAME;
    len = split_run(&p.run, m, bytes);
    if (len > p.run.size && v->len + len - p.run.size > sparse_max)
        return set_promoted(v, m);
    splice(v, p.run.at, p.run.size, bytes, len);
    join_runs(v, p.before.at ? p.before.at : HLL_HEADER);
    hll_forget(v->ptr);
    return HLL_CHANGED;
}

enum hll_result hll_add(struct buf *v, struct slice element, size_t sparse_max)
{
    struct mark m = mark_of(element);
    struct cursor from = {0};

    if (hll_is_dense(buf_slice(v)))
        return set_dense(v->ptr, m) ? HLL_CHANGED : HLL_SAME;
    return set_sparse(v, m, sparse_max, &from);
}

bool hll_to_dense(struct buf *v)
{
    struct hll_registers r = {{0}};

    if (hll_is_dense(buf_slice(v)))
        return true;
    if (!raise_sparse(&r, buf_slice(v)))
        return false;
    v->len = HLL_HEADER;
    buf_reserve(v, HLL_DENSE_LEN);
    v->len = HLL_DENSE_LEN;
    v->ptr[ENCODING_AT] = DENSE;
    pack(v->ptr, &r);
    return true;
}

void hll_set(struct buf *v, const struct hll_registers *r, size_t sparse_max)
{
    struct cursor from = {0};

    for (unsigned i = 0; i < HLL_REGISTERS && !hll_is_dense(buf_slice(v)); i++) {
        if (r->value[i])
            set_sparse(v, (struct mark){i, r->value[i]}, sparse_max, &from);
    }
    if (hll_is_dense(buf_slice(v)))
        pack(v->ptr, r);
    hll_forget(v->ptr);
}

/* ---- cardinality ---------------------------------------------------------------------------- */

enum { VALUES = 1 << HLL_REGISTER_BITS };

/* How many registers have each value; in parts, so that no count waits for the one before it. */
struct histogram {
    int part[4][VALUES];
};

static void count_word(struct histogram *h, uint64_t w)
{
    for (int i = 0; i < GROUP; i++, w >>= 8)
        h->part[i % 4][w & (VALUES - 1)]++;
}

static void sum_parts(struct histogram *h)
{
    for (int i = 0; i < VALUES; i++)
        h->part[0][i] += h->part[1][i] + h->part[2][i] + h->part[3][i];
}

static void count_dense(struct histogram *h, const char *dense)
{
    for (size_t i = 0; i < HLL_REGISTERS / GROUP; i++)
        count_word(h, spread(dense + HLL_HEADER + i * GROUP_LEN));
}

static bool count_sparse(struct histogram *h, struct slice v)
{
    struct run run = {0};

    while (next_run(v, &run)) {
        if (run.first + run.len > HLL_REGISTERS)
            return false;
        h->part[0][run.value] += (int)run.len;
    }
    return run.first + run.len == HLL_REGISTERS;
}

/*
 * Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches": an estimator that
 * needs no tables and no exceptions for few or many elements. The sums end where further terms no
 * longer count.
 */

/* x + x^2 + 2 x^4 + 4 x^8 + … */
static double ertl_sigma(double x)
{
    double sum = x, before, factor = 1;

    if (x == 1)
        return INFINITY;
    do {
        before = sum;
        x *= x;
        sum += x * factor;
        factor += factor;
    } while (sum != before);
    return sum;
}

static double ertl_tau(double x)
{
    double sum = 1 - x, before, factor = 1;

    if (x == 0 || x == 1)
        return 0;
    do {
        before = sum;
        x = sqrt(x);
        factor *= 0.5;
        sum -= (1 - x) * (1 - x) * factor;
    } while (sum != before);
    return sum / 3;
}

static uint64_t estimate(const struct histogram *h)
{
    const double alpha = 0.721347520444481703680, m = HLL_REGISTERS; /* 1 / (2 ln 2) */
    const int *count = h->part[0];
    double z = m * ertl_tau((m - count[HASH_BITS + 1]) / m), n;

    for (int value = HASH_BITS; value >= 1; value--)
        z = (z + count[value]) * 0.5;
    z += m * ertl_sigma(count[0] / m);
    n = alpha * m * m / z;
    return n < 0x1p63 ? (uint64_t)llround(n) : (uint64_t)1 << 63;
}

bool hll_count(struct slice v, uint64_t *out)
{
    struct histogram h = {{{0}}};

    if (hll_is_dense(v))
        count_dense(&h, v.ptr);
    else if (!count_sparse(&h, v))
        return false;
    sum_parts(&h);
    *out = estimate(&h);
    return true;
}

uint64_t hll_cardinality(const struct hll_registers *r)
{
    struct histogram h = {{{0}}};
    uint64_t w;

    for (size_t i = 0; i < HLL_REGISTERS; i += GROUP) {
        memcpy(&w, r->value + i, sizeof(w));
        count_word(&h, w);
    }
    sum_parts(&h);
    return estimate(&h);
}

/* ---- self-test ------------------------------------------------------------------------------ */

enum { TEST_ELEMENTS = 100000, TEST_SPARSE_MAX = 3000 };

/* The registers of both are the same, and the count is not off by more than it may be. */
static const char *examine(struct slice small, struct slice dense, unsigned elements)
{
    struct hll_registers a = {{0}}, b = {{0}};
    double bound = ceil(elements * 6 * 1.04 / sqrt(HLL_REGISTERS));
    uint64_t n, same;

    if (!hll_raise(&a, small) || !hll_raise(&b, dense))
        return "a value is corrupt";
    if (!bytes_eq((const char *)&a, (const char *)&b, sizeof(a)))
        return "sparse and dense have other registers";
    if (!hll_count(small, &n) || !hll_count(dense, &same) || n != same || n != hll_cardinality(&a))
        return "equal registers are counted differently";
    return fabs((double)n - elements) > bound ? "the count is wrong" : NULL;
}

const char *hll_self_test(void)
{
    struct buf small = {0}, dense = {0};
    const char *wrong = NULL;
    unsigned next = 1;

    hll_init(&small);
    hll_init(&dense);
    hll_to_dense(&dense);
    for (unsigned i = 1; i <= TEST_ELEMENTS && !wrong; i++) {
        struct slice element = slice_make((const char *)&i, sizeof(i));

        hll_add_dense(dense.ptr, element);
        hll_add(&small, element, TEST_SPARSE_MAX);
        if (i == next) {
            wrong = examine(buf_slice(&small), buf_slice(&dense), i);
            next = i + i / 4 + 1;
        }
    }
    buf_release(&small);
    buf_release(&dense);
    return wrong;
}
