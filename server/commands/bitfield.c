/* BITFIELD: strings as rows of integers of any width up to 64 bits. */
#include "server/bit_args.h"
#include "server/reply.h"

enum field_operation { FIELD_GET, FIELD_SET, FIELD_INCRBY };
enum overflow { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL };

/* One operation of the request, and where the next one is looked for. */
struct field {
    int next;
    enum overflow overflow;
    enum field_operation op;
    bool is_signed;
    unsigned bits;
    uint64_t offset;
    int64_t operand; /* FIELD_SET, FIELD_INCRBY */
};

/* What all operations of a request amount to. */
struct plan {
    int operations;
    bool writes;
    uint64_t last_written; /* the furthest bit that is */
};

/* ---- reading the request -------------------------------------------------------------------- */

/* "i" and 1 to 64, or "u" and 1 to 63. */
static bool read_type(struct call *c, int i, struct field *f)
{
    struct slice s = call_arg(c, i);
    int64_t bits;

    f->is_signed = s.len && s.ptr[0] == 'i';
    if (s.len > 1 && (f->is_signed || s.ptr[0] == 'u') &&
        num_parse_int(slice_make(s.ptr + 1, s.len - 1), &bits) && bits >= 1 &&
        bits <= (f->is_signed ? 64 : 63)) {
        f->bits = (unsigned)bits;
        return true;
    }
    reply_error(c, "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not "
                   "supported but i64 is.");
    return false;
}

static bool read_overflow(struct call *c, int i, struct field *f)
{
    static const char *const names[] = {"WRAP", "SAT", "FAIL"};

    for (int n = OVERFLOW_WRAP; n <= OVERFLOW_FAIL; n++) {
        if (call_arg_is(c, i, names[n])) {
            f->overflow = (enum overflow)n;
            return true;
        }
    }
    reply_error(c, "ERR Invalid OVERFLOW type specified");
    return false;
}

/* GET, SET or INCRBY at argument i, with as many arguments behind it as it needs. */
static bool read_operation(struct call *c, int i, struct field *f)
{
    int left = c->argc - i - 1;

    if (left >= 2 && call_arg_is(c, i, "GET"))
        f->op = FIELD_GET;
    else if (left >= 3 && call_arg_is(c, i, "SET"))
        f->op = FIELD_SET;
    else if (left >= 3 && call_arg_is(c, i, "INCRBY"))
        f->op = FIELD_INCRBY;
    else
        return call_syntax_error(c);
    return true;
}

/*
 * The operation that begins at argument f->next, which is there. False, and answered, if it makes
 * no sense; true with *found false if only an OVERFLOW was left.
 */
static bool read_field(struct call *c, struct field *f, bool *found)
{
    int i = f->next;

    *found = false;
    for (; i + 1 < c->argc && call_arg_is(c, i, "OVERFLOW"); i += 2) {
        if (!read_overflow(c, i + 1, f))
            return false;
    }
    f->next = i;
    if (i >= c->argc)
        return true;
    if (!read_operation(c, i, f) || !read_type(c, i + 1, f) ||
        !bit_args_offset(c, i + 2, f->bits, &f->offset) ||
        (f->op != FIELD_GET && !call_int(c, i + 3, &f->operand)))
        return false;
    f->next = i + (f->op == FIELD_GET ? 3 : 4);
    *found = true;
    return true;
}

/* Reads the whole request before anything is done. */
static bool read_plan(struct call *c, struct plan *p)
{
    struct field f = {.next = 2};
    bool found;

    while (f.next < c->argc) {
        if (!read_field(c, &f, &found))
            return false;
        if (!found)
            break;
        p->operations++;
        if (f.op == FIELD_GET)
            continue;
        p->writes = true;
        if (f.offset + f.bits - 1 > p->last_written)
            p->last_written = f.offset + f.bits - 1;
    }
    return true;
}

/* ---- the bits of a field -------------------------------------------------------------------- */

enum { WINDOW = 9 }; /* bytes that a field of 64 bits may touch */

typedef unsigned __int128 window;

/* The bytes from the field's first on, what is behind the string's end being zero. */
static window load_window(const char *p, size_t len, uint64_t offset)
{
    window w = 0;

    for (size_t i = offset / 8; i < offset / 8 + WINDOW; i++)
        w = w << 8 | (i < len ? (unsigned char)p[i] : 0);
    return w;
}

static unsigned window_shift(const struct field *f)
{
    return WINDOW * 8 - (unsigned)(f->offset % 8) - f->bits;
}

static uint64_t mask_of(unsigned bits)
{
    return UINT64_MAX >> (64 - bits);
}

/* The field's value, as 64 bits with its sign spread if it has one. */
static uint64_t load_field(const char *p, size_t len, const struct field *f)
{
    uint64_t v = (uint64_t)(load_window(p, len, f->offset) >> window_shift(f)) & mask_of(f->bits);

    if (f->is_signed && v >> (f->bits - 1))
        v |= ~mask_of(f->bits);
    return v;
}

static void store_field(char *p, size_t len, const struct field *f, uint64_t v)
{
    window mask = (window)mask_of(f->bits) << window_shift(f);
    window w = (load_window(p, len, f->offset) & ~mask) | ((window)v << window_shift(f) & mask);

    for (size_t i = WINDOW; i-- > 0; w >>= 8) {
        if (f->offset / 8 + i < len)
            p[f->offset / 8 + i] = (char)(w & 0xff);
    }
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

/*
 * Redis takes what is set for too large where it is so small that 64 bits do not hold the distance.
 */
static bool seems_above(const struct field *f, __int128 v, __int128 max)
{
    return f->op == FIELD_SET && max - v > INT64_MAX;
}

/* What becomes of a field with the value `old`; false if it overflows and that is to fail. */
static bool new_value(const struct field *f, uint64_t old, uint64_t *out)
{
    __int128 min = f->is_signed ? -((__int128)1 << (f->bits - 1)) : 0;
    __int128 max = f->is_signed ? -min - 1 : (__int128)mask_of(f->bits);
    __int128 v = f->is_signed ? (__int128)(int64_t)old : (__int128)old;

    if (f->op == FIELD_INCRBY)
        v += f->operand;
    else
        v = f->is_signed ? (__int128)f->operand : (__int128)(uint64_t)f->operand;
    *out = (uint64_t)v;
    if (v >= min && v <= max)
        return true;
    if (f->overflow == OVERFLOW_SAT)
        *out = (uint64_t)(v < min && !seems_above(f, v, max) ? min : max);
    else
        *out &= mask_of(f->bits);
    if (f->is_signed && *out >> (f->bits - 1) & 1)
        *out |= ~mask_of(f->bits);
    return f->overflow != OVERFLOW_FAIL;
}

/* ---- the commands --------------------------------------------------------------------------- */

enum outcome { WRITTEN_NOTHING, WRITTEN_SAME, WRITTEN_NEW };

static enum outcome write_field(struct call *c, const struct field *f, char *bytes, size_t len)
{
    uint64_t old = load_field(bytes, len, f), fresh;

    if (!new_value(f, old, &fresh)) {
        reply_null(c);
        return WRITTEN_NOTHING;
    }
    store_field(bytes, len, f, fresh);
    reply_int(c, (int64_t)(f->op == FIELD_SET ? old : fresh));
    return old == fresh ? WRITTEN_SAME : WRITTEN_NEW;
}

static void read_fields(struct call *c, struct slice s)
{
    struct field f = {.next = 2};
    bool found = true;

    while (f.next < c->argc && read_field(c, &f, &found) && found)
        reply_int(c, (int64_t)load_field(s.ptr, s.len, &f));
}

/* The utmost of all operations' outcomes. */
static enum outcome write_fields(struct call *c, char *bytes, size_t len)
{
    struct field f = {.next = 2};
    enum outcome utmost = WRITTEN_NOTHING, outcome;
    bool found = true;

    while (f.next < c->argc && read_field(c, &f, &found) && found) {
        if (f.op == FIELD_GET) {
            reply_int(c, (int64_t)load_field(bytes, len, &f));
            continue;
        }
        string_will_change(call_peek(c, 1), len, f.offset / 8, WINDOW);
        outcome = write_field(c, &f, bytes, len);
        utmost = outcome > utmost ? outcome : utmost;
    }
    return utmost;
}

static void run_reading(struct call *c, const struct plan *p)
{
    char digits[NUM_INT_MAX];
    struct entry *e;

    if (!call_find(c, 1, TYPE_STRING, &e))
        return;
    reply_array(c, p->operations);
    read_fields(c, e ? call_string(e, digits) : SLICE(""));
}

static void run_writing(struct call *c, const struct plan *p)
{
    struct entry *e;
    size_t old, len;
    enum outcome outcome;
    char *bytes;

    if (!call_find_write(c, 1, TYPE_STRING, &e))
        return;
    old = len = e ? string_len(e) : 0;
    if (len <= p->last_written / 8)
        len = p->last_written / 8 + 1;
    bytes = call_edit_string(c, 1, len, 0, 0);
    reply_array(c, p->operations);
    outcome = write_fields(c, bytes, len);
    if (outcome == WRITTEN_NOTHING && len != old)
        call_changed(c, 1, EVENT_GROWN);
    else if (outcome == WRITTEN_NEW || len != old)
        call_changed(c, 1, EVENT_SETBIT);
}

/*
 * BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET | INCRBY type offset value ...]
 */
void cmd_bitfield(struct call *c)
{
    struct plan p = {0};

    if (!read_plan(c, &p))
        return;
    if (p.writes)
        run_writing(c, &p);
    else
        run_reading(c, &p);
}

/* BITFIELD_RO key [GET type offset ...] */
void cmd_bitfield_ro(struct call *c)
{
    struct plan p = {0};

    if (!read_plan(c, &p))
        return;
    if (p.writes)
        reply_error(c, "ERR BITFIELD_RO only supports the GET subcommand");
    else
        run_reading(c, &p);
}
