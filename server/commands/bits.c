/*
 * Strings as rows of bits: single ones, counting, searching, combining. Fields are in bitfield.c.
 */
#include "base/mem.h"
#include "server/bit_args.h"
#include "server/range.h"
#include "server/reply.h"

/* ---- single bits ---------------------------------------------------------------------------- */

/* SETBIT key offset value */
void cmd_setbit(struct call *c)
{
    struct entry *e;
    uint64_t offset;
    int64_t on;
    size_t old, len;
    char *byte;
    unsigned was;

    if (!bit_args_offset(c, 2, 0, &offset) ||
        !call_int_between(c, 3, 0, 1, &on, "ERR bit is not an integer or out of range") ||
        !call_find_write(c, 1, TYPE_STRING, &e))
        return;
    old = len = e ? string_len(e) : 0;
    if (len <= offset / 8)
        len = offset / 8 + 1;
    byte = call_edit_string(c, 1, len, offset / 8, 1) + offset / 8;
    was = (unsigned char)*byte >> bit_shift(offset) & 1;
    if (len != old || was != on) {
        *byte = (char)((unsigned char)*byte ^ (was ^ (unsigned)on) << bit_shift(offset));
        call_changed(c, 1, EVENT_SETBIT);
    }
    reply_int(c, was);
}

/* GETBIT key offset */
void cmd_getbit(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct slice s = SLICE("");
    struct entry *e;
    uint64_t offset;

    if (!bit_args_offset(c, 2, 0, &offset) || !call_find(c, 1, TYPE_STRING, &e))
        return;
    if (e)
        s = call_string(e, digits);
    if (offset / 8 >= s.len)
        reply_int(c, 0);
    else
        reply_int(c, (unsigned char)s.ptr[offset / 8] >> bit_shift(offset) & 1);
}

/* ---- counting and searching ----------------------------------------------------------------- */

/* Which bits of a string are looked at. */
struct bit_range {
    struct range bits;
    bool end_given;
};

/* "BYTE" or "BIT" at argument i, if there is one. */
static bool read_unit(struct call *c, int i, bool *bits)
{
    *bits = i < c->argc && call_arg_is(c, i, "BIT");
    return i >= c->argc || *bits || call_arg_is(c, i, "BYTE") || call_syntax_error(c);
}

/* From positions of bytes or bits to those of bits within `len` bytes; false if there are none. */
static bool clamp_bits(struct range *r, bool bits, size_t len)
{
    if (!range_clamp(r, (int64_t)len * (bits ? 8 : 1)))
        return false;
    if (!bits)
        *r = (struct range){r->start * 8, r->end * 8 + 7};
    return true;
}

static uint64_t load_word(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static uint64_t count_word(uint64_t w)
{
    w -= w >> 1 & 0x5555555555555555;
    w = (w & 0x3333333333333333) + (w >> 2 & 0x3333333333333333);
    w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return w * 0x0101010101010101 >> 56;
}

static int64_t count_bytes(const char *p, size_t len)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t))
        n += count_word(load_word(p + i));
    for (; i < len; i++)
        n += count_word((unsigned char)p[i]);
    return (int64_t)n;
}

/* The bits of the byte at offset/8 that stand before the offset. */
static unsigned bits_before(const char *p, int64_t offset)
{
    return (unsigned char)p[offset / 8] & (0xff00u >> offset % 8) & 0xff;
}

static int64_t count_bits(const char *p, struct range r)
{
    int64_t first = r.start / 8, behind = (r.end + 1) / 8;
    int64_t n = count_bytes(p + first, (size_t)(behind - first));

    n -= (int64_t)count_word(bits_before(p, r.start));
    if ((r.end + 1) % 8)
        n += (int64_t)count_word(bits_before(p, r.end + 1));
    return n;
}

/* BITCOUNT key [start end [BYTE | BIT]] */
void cmd_bitcount(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct range r = {0, -1};
    struct entry *e;
    struct slice s;
    bool bits;

    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    if (!e) {
        reply_int(c, 0);
        return;
    }
    if (c->argc == 3 || c->argc > 5) {
        call_syntax_error(c);
        return;
    }
    if (c->argc > 3 && (!call_int(c, 2, &r.start) || !call_int(c, 3, &r.end)))
        return;
    if (range_is_backwards(r)) {
        reply_int(c, 0);
        return;
    }
    if (!read_unit(c, 4, &bits))
        return;
    s = call_string(e, digits);
    reply_int(c, clamp_bits(&r, bits, s.len) ? count_bits(s.ptr, r) : 0);
}

/* The first bit of the range that is `bit`; behind its end if there is none. */
static int64_t find_bit(const char *p, struct range r, bool bit)
{
    uint64_t dull = bit ? 0 : UINT64_MAX;
    int64_t at = r.start;

    while (at <= r.end) {
        if (at % 8 == 0 && r.end - at >= 63 && load_word(p + at / 8) == dull)
            at += 64;
        else if (at % 8 == 0 && r.end - at >= 7 && (unsigned char)p[at / 8] == (dull & 0xff))
            at += 8;
        else if (((unsigned char)p[at / 8] >> bit_shift((uint64_t)at) & 1) == bit)
            break;
        else
            at++;
    }
    return at;
}

/* Options of BITPOS; ends that are not given stay as they are. */
static bool read_bitpos_range(struct call *c, struct range *r, bool *bits)
{
    if (c->argc > 6)
        return call_syntax_error(c);
    return (c->argc < 4 || call_int(c, 3, &r->start)) && read_unit(c, 5, bits) &&
           (c->argc < 5 || call_int(c, 4, &r->end));
}

/*
 * BITPOS key bit [start [end [BYTE | BIT]]]: where no end is given, the string counts as followed
 * by clear bits.
 */
void cmd_bitpos(struct call *c)
{
    char digits[NUM_INT_MAX];
    struct range r = {0, -1};
    struct entry *e;
    struct slice s;
    int64_t bit, at;
    bool bits;

    if (!call_int(c, 2, &bit))
        return;
    if (bit != 0 && bit != 1) {
        reply_error(c, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    if (!e) {
        reply_int(c, bit ? -1 : 0);
        return;
    }
    if (!read_bitpos_range(c, &r, &bits))
        return;
    s = call_string(e, digits);
    at = clamp_bits(&r, bits, s.len) ? find_bit(s.ptr, r, bit) : -1;
    reply_int(c, at > r.end && (bit || c->argc > 4) ? -1 : at);
}

/* ---- combining ------------------------------------------------------------------------------ */

enum bit_operation { OP_AND, OP_OR, OP_XOR, OP_NOT, OP_DIFF, OP_DIFF1, OP_ANDOR, OP_ONE };

static const struct {
    const char *name;
    int sources_min;
} operations[] = {
    [OP_AND] = {"AND", 1},     [OP_OR] = {"OR", 1},     [OP_XOR] = {"XOR", 1},
    [OP_NOT] = {"NOT", 1},     [OP_DIFF] = {"DIFF", 2}, [OP_DIFF1] = {"DIFF1", 2},
    [OP_ANDOR] = {"ANDOR", 2}, [OP_ONE] = {"ONE", 1},
};

struct source {
    struct slice value;
    char digits[NUM_INT_MAX];
};

struct sources {
    struct source *v;
    int n;
    size_t longest;
};

static bool read_operation(struct call *c, enum bit_operation *op)
{
    int n = c->argc - 3;

    for (int i = OP_AND; i <= OP_ONE; i++) {
        if (!call_arg_is(c, 1, operations[i].name))
            continue;
        *op = (enum bit_operation)i;
        if (i == OP_NOT && n != 1)
            reply_error(c, "ERR BITOP NOT must be called with a single source key.");
        else if (n < operations[i].sources_min)
            reply_error(c, "ERR BITOP %s must be called with at least two source keys.",
                        operations[i].name);
        else
            return true;
        return false;
    }
    return call_syntax_error(c);
}

static bool read_sources(struct call *c, struct sources *from)
{
    for (int i = 0; i < from->n; i++) {
        struct source *s = &from->v[i];
        struct entry *e;

        if (!call_find(c, i + 3, TYPE_STRING, &e))
            return false;
        s->value = e ? call_string(e, s->digits) : SLICE("");
        if (s->value.len > from->longest)
            from->longest = s->value.len;
    }
    return true;
}

/* These change `out`, which is `len` bytes and at least as long as `s`. */

static void fold_and(char *out, size_t len, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        out[i] = (char)(out[i] & s.ptr[i]);
    memset(out + s.len, 0, len - s.len);
}

static void fold_or(char *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        out[i] = (char)(out[i] | s.ptr[i]);
}

static void fold_xor(char *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        out[i] = (char)(out[i] ^ s.ptr[i]);
}

static void invert(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)~out[i];
}

static void or_all(char *out, const struct sources *from, int first)
{
    for (int i = first; i < from->n; i++)
        fold_or(out, from->v[i].value);
}

/* Bits that exactly one source has: all that were met, without those that were met again. */
static void exactly_one(char *out, size_t len, const struct sources *from)
{
    char *again = mem_zalloc(len);

    for (int k = 0; k < from->n; k++) {
        struct slice s = from->v[k].value;

        for (size_t i = 0; i < s.len; i++) {
            again[i] = (char)(again[i] | (out[i] & s.ptr[i]));
            out[i] = (char)(out[i] | s.ptr[i]);
        }
    }
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(out[i] & ~again[i]);
    mem_free(again);
}

/* The first source against all others: DIFF, DIFF1, ANDOR. `out` is zero. */
static void first_against_rest(enum bit_operation op, char *out, size_t len,
                               const struct sources *from)
{
    struct slice first = from->v[0].value;

    or_all(out, from, 1);
    if (op == OP_DIFF)
        invert(out, len);
    if (op != OP_DIFF1) {
        fold_and(out, len, first);
        return;
    }
    for (size_t i = 0; i < first.len; i++)
        out[i] = (char)(out[i] & ~first.ptr[i]);
}

static void fold_all(enum bit_operation op, char *out, size_t len, const struct sources *from)
{
    fold_or(out, from->v[0].value);
    for (int i = 1; i < from->n; i++) {
        if (op == OP_AND)
            fold_and(out, len, from->v[i].value);
        else if (op == OP_OR)
            fold_or(out, from->v[i].value);
        else
            fold_xor(out, from->v[i].value);
    }
    if (op == OP_NOT)
        invert(out, len);
}

static void combine(enum bit_operation op, char *out, const struct sources *from)
{
    size_t len = from->longest;

    memset(out, 0, len);
    if (op == OP_ONE)
        exactly_one(out, len, from);
    else if (op == OP_DIFF || op == OP_DIFF1 || op == OP_ANDOR)
        first_against_rest(op, out, len, from);
    else
        fold_all(op, out, len, from);
}

/* The result counts as a string edited in place, as Redis has it. Takes ownership of the blob. */
static void put_result(struct call *c, struct blob *b)
{
    struct slice key = call_arg(c, 2);
    struct entry *e;

    if (b->len > INLINE_ENTRY_MAX) {
        e = entry_new_blob(key, b, EXPIRY_NONE);
    } else {
        e = entry_new_string(key, slice_make(b->data, b->len), EXPIRY_NONE, false);
        blob_free(b);
    }
    e->raw = 1;
    call_put(c, 2, e);
    call_changed(c, 2, EVENT_SET);
}

/* BITOP operation destkey key [key ...] */
void cmd_bitop(struct call *c)
{
    struct sources from = {.n = c->argc - 3};
    enum bit_operation op = OP_AND;
    struct blob *b;

    if (!read_operation(c, &op))
        return;
    from.v = mem_alloc((size_t)from.n * sizeof(*from.v));
    if (read_sources(c, &from)) {
        if (from.longest) {
            b = blob_new(from.longest, from.longest);
            combine(op, b->data, &from);
            put_result(c, b);
        } else if (call_delete(c, 2)) {
            call_removed(c, 2, EVENT_DEL);
        }
        reply_int(c, (int64_t)from.longest);
    }
    mem_free(from.v);
}
