/* Lists at their ends: pushing, popping, moving; see lists.h. Elements within: list_items.c. */
#include "server/commands/lists.h"

#include "server/effects.h"
#include "server/packed_reply.h"
#include "server/reply.h"

/* ---- pushing -------------------------------------------------------------------------------- */

static enum key_event push_event(enum list_end end)
{
    return end == LIST_HEAD ? EVENT_LPUSH : EVENT_RPUSH;
}

/* To the list that was found at key i, or a new one; returns what stands there then. */
static struct entry *push(struct call *c, int i, struct entry *e, enum list_end end,
                          const struct slice *values, size_t n)
{
    if (e) {
        lists_push(&e, end, values, n, list_limits_of(c));
        call_moved(c, i, e);
    } else {
        e = lists_new(call_arg(c, i), end, values, n, list_limits_of(c));
        call_put(c, i, e);
    }
    return e;
}

bool list_elements_fit(struct call *c, int from)
{
    if (LIKELY((uint64_t)c->conf->proto_max_bulk_len <= LIST_ELEMENT_MAX))
        return true;
    for (int i = from; i < c->argc; i++) {
        if (call_arg(c, i).len > LIST_ELEMENT_MAX) {
            reply_error(c, "ERR Element too large");
            return false;
        }
    }
    return true;
}

/* They stand at this end of the list at key i. */
static void state_push(struct call *c, int i, const struct entry *e, enum list_end end, size_t n)
{
    uint64_t first = end == LIST_HEAD ? 0 : lists_len(e) - n;

    call_touched_indexes(c, i, (int64_t)first, (int64_t)n);
    call_changed(c, i, push_event(end));
}

static void push_command(struct call *c, enum list_end end, bool make)
{
    size_t n = (size_t)c->argc - 2;
    struct entry *e;

    if (!call_find_write(c, 1, TYPE_LIST, &e) || !list_elements_fit(c, 2))
        return;
    if (!e && !make) {
        reply_int(c, 0);
        return;
    }
    e = push(c, 1, e, end, c->argv + 2, n);
    reply_int(c, (int64_t)lists_len(e));
    state_push(c, 1, e, end, n);
    list_count_changes(c, n);
}

/* LPUSH key element [element ...] */
void cmd_lpush(struct call *c)
{
    push_command(c, LIST_HEAD, true);
}

/* RPUSH key element [element ...] */
void cmd_rpush(struct call *c)
{
    push_command(c, LIST_TAIL, true);
}

/* LPUSHX key element [element ...] */
void cmd_lpushx(struct call *c)
{
    push_command(c, LIST_HEAD, false);
}

/* RPUSHX key element [element ...] */
void cmd_rpushx(struct call *c)
{
    push_command(c, LIST_TAIL, false);
}

/* ---- popping -------------------------------------------------------------------------------- */

struct entry *list_take_off(struct call *c, int i, struct entry *e, enum list_end from, uint64_t n)
{
    void *rest = lists_drop(&e, from, n, list_limits_of(c));

    call_moved(c, i, e);
    if (UNLIKELY(rest != NULL))
        effect_discard(c->worker, entry_new_outside(SLICE(""), TYPE_LIST, rest, EXPIRY_NONE));
    return e;
}

/* `n` elements of `len` went off the end, or are to go with the whole list, if they are all. */
static void state_pop(struct call *c, int i, enum list_end from, uint64_t n, uint64_t len)
{
    call_touched_indexes(c, i, from == LIST_HEAD ? 0 : (int64_t)(len - n), (int64_t)n);
    call_changed(c, i, from == LIST_HEAD ? EVENT_LPOP : EVENT_RPOP);
    list_count_changes(c, n);
    if (n == len) {
        call_emptied(c, i);
        list_count_changes(c, 0);
    }
}

/* The element at `at`, which is at this end. */
static void take_off_end(struct call *c, int i, struct entry *e, enum list_end from, const char *at)
{
    uint64_t len = lists_len(e);

    if (len > 1) {
        lists_drop_end(&e, from, at, list_limits_of(c));
        call_moved(c, i, e);
    }
    state_pop(c, i, from, 1, len);
}

void list_pop_one(struct call *c, int i, struct entry *e, enum list_end from)
{
    const char *at = lists_end(e, from);

    reply_element(c, at);
    take_off_end(c, i, e, from, at);
}

void list_reply_range(struct call *c, const struct entry *e, uint64_t first, uint64_t n)
{
    for (struct list_run run = lists_run(e, first); n; list_run_next(&run)) {
        size_t some = run.count < n ? run.count : n;

        reply_elements(c, run.at, some, run.trailed);
        n -= some;
    }
}

static void reply_from_tail(struct call *c, const struct entry *e, uint64_t n)
{
    struct list_walk w;

    lists_walk(&w, e, lists_len(e) - 1, true);
    while (n--)
        reply_element(c, lists_walk_next(&w));
}

void list_pop_some(struct call *c, int i, struct entry *e, enum list_end from, uint64_t count)
{
    uint64_t len = lists_len(e), n = count < len ? count : len;

    reply_array(c, (int64_t)n);
    if (from == LIST_HEAD)
        list_reply_range(c, e, 0, n);
    else
        reply_from_tail(c, e, n);
    if (n < len)
        list_take_off(c, i, e, from, n);
    state_pop(c, i, from, n, len);
}

static void pop_command(struct call *c, enum list_end from)
{
    int64_t count = 0;
    struct entry *e;

    if (c->argc > 3) {
        reply_error(c, "ERR wrong number of arguments for '%s' command", c->cmd->name);
        return;
    }
    if (c->argc == 3 && !call_int_between(c, 2, 0, INT64_MAX, &count,
                                          "ERR value is out of range, must be positive"))
        return;
    if (!call_find_write(c, 1, TYPE_LIST, &e))
        return;
    if (!e)
        c->argc == 3 ? reply_null_array(c) : reply_null(c);
    else if (c->argc < 3)
        list_pop_one(c, 1, e, from);
    else if (count)
        list_pop_some(c, 1, e, from, (uint64_t)count);
    else
        reply_array(c, 0);
}

/* LPOP key [count] */
void cmd_lpop(struct call *c)
{
    pop_command(c, LIST_HEAD);
}

/* RPOP key [count] */
void cmd_rpop(struct call *c)
{
    pop_command(c, LIST_TAIL);
}

bool list_end_arg(struct call *c, int i, enum list_end *out)
{
    *out = call_arg_is(c, i, "left") ? LIST_HEAD : LIST_TAIL;
    return *out == LIST_HEAD || call_arg_is(c, i, "right") || call_syntax_error(c);
}

bool list_mpop_args(struct call *c, int at, struct list_mpop *out)
{
    int64_t keys;
    int where;

    *out = (struct list_mpop){.first = at + 1};
    if (!call_int_between(c, at, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0"))
        return false;
    if (keys >= c->argc - at - 1)
        return call_syntax_error(c);
    out->keys = (int)keys;
    where = at + 1 + out->keys;
    if (!list_end_arg(c, where, &out->from))
        return false;
    for (int i = where + 1; i < c->argc; i += 2) {
        if (out->count || !call_arg_is(c, i, "count") || i + 1 == c->argc)
            return call_syntax_error(c);
        if (!call_int_between(c, i + 1, 1, INT64_MAX, &out->count,
                              "ERR count should be greater than 0"))
            return false;
    }
    out->count += !out->count;
    return true;
}

void list_mpop_reply(struct call *c, int i, struct entry *e, const struct list_mpop *m)
{
    char digits[NUM_INT_MAX];

    reply_array(c, 2);
    reply_bulk(c, call_arg(c, i));
    list_pop_some(c, i, e, m->from, (uint64_t)m->count);
    if (UNLIKELY(call_logs(c)))
        CALL_LOG(c, m->from == LIST_HEAD ? SLICE("LPOP") : SLICE("RPOP"), call_arg(c, i),
                 slice_make(digits, num_format_int(digits, m->count)));
}

/* LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count] */
void cmd_lmpop(struct call *c)
{
    struct list_mpop m;
    struct entry *e = NULL;

    if (!list_mpop_args(c, 1, &m))
        return;
    for (int i = m.first; i < m.first + m.keys; i++) {
        if (!call_find_write(c, i, TYPE_LIST, &e))
            return;
        if (e) {
            list_mpop_reply(c, i, e, &m);
            return;
        }
    }
    reply_null_array(c);
}

/* ---- moving --------------------------------------------------------------------------------- */

/* Pushes the value to key j, and says so. */
static struct entry *push_moved(struct call *c, int j, struct entry *e, enum list_end to,
                                struct slice value)
{
    e = push(c, j, e, to, &value, 1);
    state_push(c, j, e, to, 1);
    return e;
}

/*
 * Within one list. What is pushed first is there twice for a moment: even of one element, the list
 * is never empty.
 */
static struct entry *push_rotated(struct call *c, int j, struct entry *e, enum list_end to,
                                  struct slice value)
{
    struct buf copy = {0};

    buf_append_slice(&copy, value);
    e = push_moved(c, j, e, to, buf_slice(&copy));
    buf_release(&copy);
    return e;
}

/* Both ends are concerned, and it is one change of the data. */
void list_move(struct call *c, int i, struct entry *e, enum list_end from, int j, enum list_end to)
{
    char digits[NUM_INT_MAX];
    struct slice value;
    struct entry *there;

    if (!call_find_write(c, j, TYPE_LIST, &there))
        return;
    value = pack_text(lists_end(e, from), digits);
    reply_bulk(c, value);
    if (there == e)
        e = push_rotated(c, j, e, to, value);
    else
        push_moved(c, j, there, to, value);
    call_peek(c, i);
    take_off_end(c, i, e, from, lists_end(e, from));
    list_count_changes(c, 0);
}

static void move_command(struct call *c, enum list_end from, enum list_end to)
{
    struct entry *e;

    if (!call_find_write(c, 1, TYPE_LIST, &e))
        return;
    if (e)
        list_move(c, 1, e, from, 2, to);
    else
        reply_null(c);
}

/* LMOVE source destination LEFT|RIGHT LEFT|RIGHT */
void cmd_lmove(struct call *c)
{
    enum list_end from, to;

    if (list_end_arg(c, 3, &from) && list_end_arg(c, 4, &to))
        move_command(c, from, to);
}

/* RPOPLPUSH source destination */
void cmd_rpoplpush(struct call *c)
{
    move_command(c, LIST_TAIL, LIST_HEAD);
}
