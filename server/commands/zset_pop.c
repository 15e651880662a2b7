/* Sorted sets: taking elements off either end. */
#include "server/commands/zset_pop.h"

#include "server/reply.h"
#include "server/zset_args.h"

void zset_pop(struct call *c, int i, struct entry *e, enum zset_end end, uint64_t count,
              enum zset_pop_shape shape)
{
    uint64_t len = zset_len(e), left = count;
    struct zset_span gone =
        end == ZSET_MIN ? (struct zset_span){0, count} : (struct zset_span){len - count, len};
    struct zset_iter it;

    zset_iter_begin(&it, e, end == ZSET_MIN ? 0 : len - 1, end == ZSET_MAX);
    while (left-- && zset_iter_next(&it)) {
        if (shape == ZSET_POP_PAIRS)
            reply_array(c, 2);
        reply_bulk(c, it.member);
        reply_double(c, it.score);
        call_touched(c, i, it.member);
    }
    if (count < len)
        call_moved(c, i, zset_remove_span(e, gone));
    call_changed(c, i, end == ZSET_MIN ? EVENT_ZPOPMIN : EVENT_ZPOPMAX);
    if (count == len)
        call_emptied(c, i);
}

/* For commands that say it with other words, or waited. */
static void log_pop(struct call *c, int i, enum zset_end end, uint64_t count)
{
    char digits[NUM_INT_MAX];

    if (UNLIKELY(call_logs(c)))
        CALL_LOG(c, end == ZSET_MIN ? SLICE("ZPOPMIN") : SLICE("ZPOPMAX"), call_arg(c, i),
                 slice_make(digits, num_format_int(digits, (int64_t)count)));
}

void zset_pop_with_key(struct call *c, int i, struct entry *e, enum zset_end end)
{
    reply_array(c, 3);
    reply_bulk(c, call_arg(c, i));
    zset_pop(c, i, e, end, 1, ZSET_POP_FLAT);
    log_pop(c, i, end, 1);
}

void zset_pop_many(struct call *c, int i, struct entry *e, enum zset_end end, uint64_t count)
{
    if (count > zset_len(e))
        count = zset_len(e);
    reply_array(c, 2);
    reply_bulk(c, call_arg(c, i));
    reply_array(c, (int64_t)count);
    zset_pop(c, i, e, end, count, ZSET_POP_PAIRS);
    log_pop(c, i, end, count);
}

/* ---- ZPOPMIN, ZPOPMAX ------------------------------------------------------------------------ */

static bool read_count(struct call *c, int64_t *count)
{
    *count = -1;
    if (c->argc > 3)
        return call_syntax_error(c);
    return c->argc == 2 || call_int_between(c, 2, 0, INT64_MAX, count,
                                            "ERR value is out of range, must be positive");
}

static void pop(struct call *c, enum zset_end end)
{
    struct entry *e;
    int64_t count;
    uint64_t n;

    if (!read_count(c, &count) || !call_find_write(c, 1, TYPE_ZSET, &e))
        return;
    n = !e ? 0 : count < 0 ? 1 : (uint64_t)count;
    if (n && n > zset_len(e))
        n = zset_len(e);
    reply_array(c, (int64_t)(n && (count < 0 || !c->out.resp3) ? n * 2 : n));
    if (n)
        zset_pop(c, 1, e, end, n, count >= 0 && c->out.resp3 ? ZSET_POP_PAIRS : ZSET_POP_FLAT);
}

/* ZPOPMIN key [count] */
void cmd_zpopmin(struct call *c)
{
    pop(c, ZSET_MIN);
}

/* ZPOPMAX key [count] */
void cmd_zpopmax(struct call *c)
{
    pop(c, ZSET_MAX);
}

/* ---- ZMPOP ----------------------------------------------------------------------------------- */

static bool read_mpop_count(struct call *c, int i, struct zset_mpop_args *out)
{
    int64_t count = 1;

    if (i < c->argc) {
        if (!call_arg_is(c, i, "count") || i + 1 == c->argc)
            return call_syntax_error(c);
        if (!call_int_between(c, i + 1, 1, INT64_MAX, &count, "ERR count should be greater than 0"))
            return false;
        if (i + 2 < c->argc)
            return call_syntax_error(c);
    }
    out->count = (uint64_t)count;
    return true;
}

bool zset_mpop_read(struct call *c, int i, struct zset_mpop_args *out)
{
    int64_t keys;
    int where;

    if (!call_int_between(c, i, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0"))
        return false;
    if (keys > c->argc - i - 2)
        return call_syntax_error(c);
    out->first = i + 1;
    out->keys = (int)keys;
    where = out->first + out->keys;
    out->end = call_arg_is(c, where, "max") ? ZSET_MAX : ZSET_MIN;
    if (out->end == ZSET_MIN && !call_arg_is(c, where, "min"))
        return call_syntax_error(c);
    return read_mpop_count(c, where + 1, out);
}

/* ZMPOP numkeys key [key ...] MIN | MAX [COUNT count] */
void cmd_zmpop(struct call *c)
{
    struct zset_mpop_args args = {0};
    struct entry *e;

    if (!zset_mpop_read(c, 1, &args))
        return;
    for (int i = args.first; i < args.first + args.keys; i++) {
        if (!call_find_write(c, i, TYPE_ZSET, &e))
            return;
        if (e) {
            zset_pop_many(c, i, e, args.end, args.count);
            return;
        }
    }
    reply_null_array(c);
}
