/* HyperLogLogs: the PF commands. What the strings hold is in storage/hll.h. */
#include "storage/hll.h"

#include "server/reply.h"

static void reply_corrupt(struct call *c)
{
    reply_error(c, "INVALIDOBJ Corrupted HLL object detected");
}

/* What was found, if anything, is a HyperLogLog; else it is answered. */
static bool check(struct call *c, const struct entry *e, struct slice *v)
{
    if (!e)
        return true;
    if (e->form != FORM_INT) {
        *v = entry_bytes(e);
        if (hll_is_valid(*v))
            return true;
    }
    reply_error(c, "WRONGTYPE Key is not a valid HyperLogLog string value.");
    return false;
}

/*
 * The value becomes `v`, which lies elsewhere. A dense one gets no more room than it needs, since
 * it will not grow.
 */
static void store(struct call *c, int i, const struct entry *old, struct slice v)
{
    struct entry *e;

    DEBUG_ASSERT(v.ptr);
    if (old && (!hll_is_dense(v) || string_len(old) == v.len)) {
        memcpy(call_edit_string(c, i, v.len, 0, v.len), v.ptr, v.len);
        return;
    }
    e = entry_new_bytes(call_arg(c, i), TYPE_STRING, v, old ? entry_expiry(old) : EXPIRY_NONE);
    e->raw = 1;
    call_put(c, i, e);
}

/* What `v` is to begin with: a copy, or a new one. */
static void copy_or_init(struct buf *v, const struct entry *e, struct slice old)
{
    if (e)
        buf_append_slice(v, old);
    else
        hll_init(v);
}

/* ---- PFADD ---------------------------------------------------------------------------------- */

static int add_in_place(struct call *c, size_t len)
{
    char *bytes = call_edit_string(c, 1, len, 0, len);
    int changes = 0;

    for (int i = 2; i < c->argc; i++)
        changes += hll_add_dense(bytes, call_arg(c, i));
    return changes;
}

/* False if the value turned out to be corrupt. */
static bool add_all(struct call *c, struct buf *v, int *changes)
{
    for (int i = 2; i < c->argc; i++) {
        enum hll_result result = hll_add(v, call_arg(c, i), c->conf->hll_sparse_max_bytes);

        if (result == HLL_CORRUPT)
            return false;
        *changes += result == HLL_CHANGED;
    }
    return true;
}

/*
 * A sparse value, or none, is changed beside its entry. As in Redis, what was added before the
 * value turned out to be corrupt stays.
 */
static bool add_beside(struct call *c, const struct entry *e, struct slice old, int *changes)
{
    struct buf v = {0};
    bool sound;

    *changes = e == NULL;
    copy_or_init(&v, e, old);
    sound = add_all(c, &v, changes);
    if (*changes)
        hll_forget(v.ptr);
    if (*changes || !e->raw)
        store(c, 1, e, buf_slice(&v));
    buf_release(&v);
    if (sound)
        return true;
    reply_corrupt(c);
    if (*changes)
        call_changed(c, 1, EVENT_REWRITTEN);
    return false;
}

/* PFADD key [element ...] */
void cmd_pfadd(struct call *c)
{
    struct slice v;
    struct entry *e;
    int changes;

    if (!call_find_write(c, 1, TYPE_STRING, &e) || !check(c, e, &v))
        return;
    if (e && hll_is_dense(v))
        changes = add_in_place(c, v.len);
    else if (!add_beside(c, e, v, &changes))
        return;
    if (changes) {
        call_changed(c, 1, EVENT_PFADD);
        call_counts_as(c, changes);
    }
    reply_int(c, changes > 0);
}

/* ---- PFCOUNT, PFMERGE ----------------------------------------------------------------------- */

/* Where the key says how many there are, or else is told. */
static void count_one(struct call *c)
{
    struct entry *e;
    struct slice v;
    uint64_t n = 0;
    char *bytes;

    if (!call_find(c, 1, TYPE_STRING, &e) || !check(c, e, &v))
        return;
    if (e) {
        bytes = call_edit_string(c, 1, v.len, 0, v.len);
        v.ptr = bytes;
        if (!hll_remembered(v, &n)) {
            if (!hll_count(v, &n)) {
                reply_corrupt(c);
                return;
            }
            hll_remember(bytes, n);
            call_changed(c, 1, EVENT_REWRITTEN);
        }
    }
    reply_int(c, (int64_t)n);
}

/* The union of all keys; false, and answered, if one of them is no HyperLogLog. */
static bool unite(struct call *c, struct hll_registers *r, bool *any_dense)
{
    for (int i = 1; i < c->argc; i++) {
        struct entry *e;
        struct slice v;

        if (!call_find(c, i, TYPE_STRING, &e) || !check(c, e, &v))
            return false;
        if (!e)
            continue;
        *any_dense = *any_dense || hll_is_dense(v);
        if (!hll_raise(r, v)) {
            reply_corrupt(c);
            return false;
        }
    }
    return true;
}

static void count_union(struct call *c)
{
    struct hll_registers r = {{0}};
    bool any_dense = false;

    if (unite(c, &r, &any_dense))
        reply_int(c, (int64_t)hll_cardinality(&r));
}

/* PFCOUNT key [key ...] */
void cmd_pfcount(struct call *c)
{
    if (c->argc == 2)
        count_one(c);
    else
        count_union(c);
}

/* PFMERGE destkey [sourcekey ...] */
void cmd_pfmerge(struct call *c)
{
    struct hll_registers r = {{0}};
    bool any_dense = false;
    struct buf v = {0};
    struct entry *e;

    if (!unite(c, &r, &any_dense))
        return;
    e = call_peek(c, 1);
    copy_or_init(&v, e, e ? entry_bytes(e) : SLICE(""));
    if (any_dense)
        hll_to_dense(&v);
    hll_set(&v, &r, c->conf->hll_sparse_max_bytes);
    store(c, 1, e, buf_slice(&v));
    buf_release(&v);
    call_changed(c, 1, EVENT_PFADD);
    reply_ok(c);
}

/* ---- PFDEBUG, PFSELFTEST -------------------------------------------------------------------- */

/* The value of key 2 becomes dense; false, and answered, if it is corrupt. */
static bool make_dense(struct call *c, const struct entry *e)
{
    struct buf v = {0};
    bool sound;

    buf_append_slice(&v, entry_bytes(e));
    sound = hll_to_dense(&v);
    if (sound) {
        store(c, 2, e, buf_slice(&v));
        call_changed(c, 2, EVENT_REWRITTEN);
    } else {
        reply_corrupt(c);
    }
    buf_release(&v);
    return sound;
}

static void debug_getreg(struct call *c, const struct entry *e, struct slice v)
{
    struct hll_registers r = {{0}};

    if (!hll_is_dense(v) && !make_dense(c, e))
        return;
    hll_raise(&r, entry_bytes(call_peek(c, 2)));
    reply_array(c, HLL_REGISTERS);
    for (int i = 0; i < HLL_REGISTERS; i++)
        reply_int(c, r.value[i]);
}

static void debug_decode(struct call *c, const struct entry *e, struct slice v)
{
    struct buf text = {0};

    (void)e;
    if (hll_is_dense(v))
        reply_error(c, "ERR HLL encoding is not sparse");
    else if (hll_describe(v, &text))
        reply_bulk(c, buf_slice(&text));
    else
        reply_corrupt(c);
    buf_release(&text);
}

static void debug_encoding(struct call *c, const struct entry *e, struct slice v)
{
    (void)e;
    reply_simple(c, hll_is_dense(v) ? "dense" : "sparse");
}

static void debug_todense(struct call *c, const struct entry *e, struct slice v)
{
    if (hll_is_dense(v))
        reply_int(c, 0);
    else if (make_dense(c, e))
        reply_int(c, 1);
}

static const struct {
    const char *name;
    void (*run)(struct call *c, const struct entry *e, struct slice v);
} debug_commands[] = {
    {"GETREG", debug_getreg},
    {"DECODE", debug_decode},
    {"ENCODING", debug_encoding},
    {"TODENSE", debug_todense},
};

/* PFDEBUG subcommand key */
void cmd_pfdebug(struct call *c)
{
    struct slice word = call_arg(c, 1), v;
    struct entry *e;

    if (!call_find_write(c, 2, TYPE_ANY, &e))
        return;
    if (!e) {
        reply_error(c, "ERR The specified key does not exist");
        return;
    }
    if (!call_find_write(c, 2, TYPE_STRING, &e) || !check(c, e, &v))
        return;
    v.ptr = call_edit_string(c, 2, v.len, 0, v.len);
    e = call_peek(c, 2);
    for (size_t i = 0; i < COUNT_OF(debug_commands); i++) {
        if (slice_is(word, debug_commands[i].name)) {
            debug_commands[i].run(c, e, v);
            return;
        }
    }
    reply_error(c, "ERR Unknown PFDEBUG subcommand '%.*s'", (int)word.len, word.ptr);
}

/* PFSELFTEST */
void cmd_pfselftest(struct call *c)
{
    const char *wrong = hll_self_test();

    if (wrong)
        reply_error(c, "ERR TESTFAILED %s", wrong);
    else
        reply_ok(c);
}
