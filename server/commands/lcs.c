/*
 * LCS: the longest common subsequence of two strings.
 *
 * The lengths of the subsequences of all prefixes form a matrix whose neighbours differ by 0 or 1.
 * A row is kept as a bit per column, clear where the length grows from the column to its left, and
 * computed from the row above it a word at a time (Crochemore et al., "A fast and practical
 * bit-vector algorithm for the longest common subsequence problem"). The same bit tells the way
 * back through the matrix, so that all of it takes a bit a cell; and where only the length is
 * wanted, one row does.
 *
 * Rows are the first string, columns the second.
 */
#include "base/mem.h"
#include "server/reply.h"

enum { WORD_BITS = 64, BYTES = 256 };

struct lcs_options {
    bool len, idx, with_match_len;
    int64_t min_match_len;
};

struct matrix {
    struct slice a, b;
    size_t words; /* in a row */
    size_t rows;  /* that are kept: all with the one above the first, or one */
    uint64_t *bits;
    uint64_t *places; /* per byte value, in which columns it stands */
};

/* A stretch that both strings have, the way back has found so far; none if len is 0. */
struct match {
    size_t a, b, len;
};

/* ---- the matrix ----------------------------------------------------------------------------- */

static uint64_t *row(const struct matrix *m, size_t i)
{
    return m->bits + (m->rows > 1 ? i : 0) * m->words;
}

/* Whether the length grows at column j (counted from 0) in the row of the first i bytes. */
static bool grows(const struct matrix *m, size_t i, size_t j)
{
    return !(row(m, i)[j / WORD_BITS] >> j % WORD_BITS & 1);
}

static void next_row(const struct matrix *m, size_t i)
{
    const uint64_t *above = row(m, i);
    const uint64_t *places = m->places + (unsigned char)m->a.ptr[i] * m->words;
    uint64_t *out = row(m, i + 1);
    uint64_t carry = 0;

    for (size_t w = 0; w < m->words; w++) {
        uint64_t v = above[w], hit = v & places[w], sum;

        carry = __builtin_add_overflow(v, carry, &sum);
        carry |= __builtin_add_overflow(sum, hit, &sum);
        out[w] = sum | (v & ~hit);
    }
}

static size_t last_row_length(const struct matrix *m)
{
    size_t len = 0;

    for (size_t j = 0; j < m->b.len; j++)
        len += grows(m, m->a.len, j);
    return len;
}

/* Bytes that the matrix and the places need; UINT64_MAX for more than there can be. */
static uint64_t matrix_size(const struct matrix *m)
{
    uint64_t size;

    if (__builtin_mul_overflow((uint64_t)m->rows + BYTES, m->words * sizeof(uint64_t), &size))
        return UINT64_MAX;
    return size;
}

static void matrix_fill(struct matrix *m)
{
    m->bits = mem_alloc(m->rows * m->words * sizeof(uint64_t));
    m->places = mem_zalloc(BYTES * m->words * sizeof(uint64_t));
    for (size_t j = 0; j < m->b.len; j++)
        m->places[(unsigned char)m->b.ptr[j] * m->words + j / WORD_BITS] |= (uint64_t)1
                                                                            << j % WORD_BITS;
    memset(row(m, 0), 0xff, m->words * sizeof(uint64_t));
    for (size_t i = 0; i < m->a.len; i++)
        next_row(m, i);
}

static void matrix_release(struct matrix *m)
{
    mem_free(m->bits);
    mem_free(m->places);
}

/* ---- the way back --------------------------------------------------------------------------- */

/*
 * One step from behind (*i, *j) towards the beginning: true if both strings have the same byte
 * there, which belongs to the subsequence then.
 */
static bool step_back(const struct matrix *m, size_t *i, size_t *j)
{
    DEBUG_ASSERT(*i > 0 && *j > 0);
    if (m->a.ptr[*i - 1] == m->b.ptr[*j - 1]) {
        --*i;
        --*j;
        return true;
    }
    if (grows(m, *i, *j - 1))
        --*i;
    else
        --*j;
    return false;
}

static void reply_subsequence(struct call *c, const struct matrix *m)
{
    size_t len = last_row_length(m), left = len, i = m->a.len, j = m->b.len;
    char *text = mem_alloc(len + 1);

    while (left) {
        if (step_back(m, &i, &j))
            text[--left] = m->a.ptr[i];
    }
    reply_bulk(c, slice_make(text, len));
    mem_free(text);
}

static void reply_stretch(struct call *c, size_t from, size_t len)
{
    reply_array(c, 2);
    reply_int(c, (int64_t)from);
    reply_int(c, (int64_t)(from + len) - 1);
}

/* Ends a match: it is answered if it is long enough. Returns how many were. */
static int end_match(struct call *c, const struct lcs_options *o, struct match *match)
{
    size_t len = match->len;

    match->len = 0;
    if (len == 0 || (int64_t)len < o->min_match_len)
        return 0;
    reply_array(c, o->with_match_len ? 3 : 2);
    reply_stretch(c, match->a, len);
    reply_stretch(c, match->b, len);
    if (o->with_match_len)
        reply_int(c, (int64_t)len);
    return 1;
}

static void reply_matches(struct call *c, const struct lcs_options *o, const struct matrix *m)
{
    struct match match = {0};
    size_t i = m->a.len, j = m->b.len, begin;
    int n = 0;

    reply_map(c, 2);
    reply_cstr(c, "matches");
    begin = write_begin(&c->out);
    while (i > 0 && j > 0) {
        if (step_back(m, &i, &j))
            match = (struct match){i, j, match.len + 1};
        else
            n += end_match(c, o, &match);
    }
    n += end_match(c, o, &match);
    write_end_array(&c->out, begin, n);
    reply_cstr(c, "len");
    reply_int(c, (int64_t)last_row_length(m));
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool find_strings(struct call *c, struct slice strings[2], char digits[2][NUM_INT_MAX])
{
    for (int i = 0; i < 2; i++) {
        struct entry *e;

        call_find(c, i + 1, TYPE_ANY, &e);
        if (e && e->type != TYPE_STRING) {
            reply_error(c, "ERR The specified keys must contain string values");
            return false;
        }
        strings[i] = e ? call_string(e, digits[i]) : SLICE("");
    }
    return true;
}

static bool read_options(struct call *c, struct lcs_options *o)
{
    for (int i = 3; i < c->argc; i++) {
        if (call_arg_is(c, i, "IDX")) {
            o->idx = true;
        } else if (call_arg_is(c, i, "LEN")) {
            o->len = true;
        } else if (call_arg_is(c, i, "WITHMATCHLEN")) {
            o->with_match_len = true;
        } else if (call_arg_is(c, i, "MINMATCHLEN") && i + 1 < c->argc) {
            if (!call_int(c, ++i, &o->min_match_len))
                return false;
        } else {
            return call_syntax_error(c);
        }
    }
    if (!o->idx || !o->len)
        return true;
    reply_error(c, "ERR If you want both the length and indexes, please just use IDX.");
    return false;
}

/* LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN] */
void cmd_lcs(struct call *c)
{
    struct lcs_options o = {0};
    struct slice strings[2];
    char digits[2][NUM_INT_MAX];
    struct matrix m;

    if (!find_strings(c, strings, digits) || !read_options(c, &o))
        return;
    m = (struct matrix){
        .a = strings[0],
        .b = strings[1],
        .words = (strings[1].len + WORD_BITS - 1) / WORD_BITS,
        .rows = o.len ? 1 : strings[0].len + 1,
    };
    if (matrix_size(&m) > c->conf->proto_max_bulk_len) {
        reply_error(c, "ERR Insufficient memory, transient memory for LCS exceeds "
                       "proto-max-bulk-len");
        return;
    }
    matrix_fill(&m);
    if (o.idx)
        reply_matches(c, &o, &m);
    else if (o.len)
        reply_int(c, (int64_t)last_row_length(&m));
    else
        reply_subsequence(c, &m);
    matrix_release(&m);
}
