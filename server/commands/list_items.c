/* Lists by the index of elements, or what they are; their ends: lists.c. */
#include "server/commands/lists.h"
#include "server/packed_reply.h"
#include "server/reply.h"

/* LLEN key */
void cmd_llen(struct call *c)
{
    struct entry *e;

    if (call_find(c, 1, TYPE_LIST, &e))
        reply_int(c, e ? (int64_t)lists_len(e) : 0);
}

/* ---- by the index --------------------------------------------------------------------------- */

/* Makes a number of an element out of an index, which is negative from the end. */
static bool is_there(const struct entry *e, int64_t *index)
{
    int64_t len = (int64_t)lists_len(e);

    *index += *index < 0 ? len : 0;
    return *index >= 0 && *index < len;
}

/* LINDEX key index */
void cmd_lindex(struct call *c)
{
    struct entry *e;
    int64_t index;

    if (!call_find(c, 1, TYPE_LIST, &e) || (e && !call_int(c, 2, &index)))
        return;
    if (e && is_there(e, &index))
        reply_element(c, lists_run(e, (uint64_t)index).at);
    else
        reply_null(c);
}

/* LSET key index element */
void cmd_lset(struct call *c)
{
    struct entry *e;
    int64_t index;

    if (!call_find_write(c, 1, TYPE_LIST, &e))
        return;
    if (!e) {
        reply_error(c, "ERR no such key");
        return;
    }
    if (!call_int(c, 2, &index) || !list_elements_fit(c, 3))
        return;
    if (!is_there(e, &index)) {
        reply_error(c, "ERR index out of range");
        return;
    }
    lists_set(&e, (uint64_t)index, call_arg(c, 3), list_limits_of(c));
    call_moved(c, 1, e);
    reply_ok(c);
    call_touched_indexes(c, 1, index, 1);
    call_changed(c, 1, EVENT_LSET);
}

/* Numbers of elements of a list of `len`; false if there are none between them. */
static bool clamp(int64_t *start, int64_t *stop, int64_t len)
{
    *start += *start < 0 ? len : 0;
    *stop += *stop < 0 ? len : 0;
    *start = *start < 0 ? 0 : *start;
    *stop = *stop >= len ? len - 1 : *stop;
    return *start <= *stop;
}

/* LRANGE key start stop */
void cmd_lrange(struct call *c)
{
    int64_t start, stop;
    struct entry *e;

    if (!call_int(c, 2, &start) || !call_int(c, 3, &stop) || !call_find(c, 1, TYPE_LIST, &e))
        return;
    if (!e || !clamp(&start, &stop, (int64_t)lists_len(e))) {
        reply_array(c, 0);
        return;
    }
    reply_array(c, stop - start + 1);
    list_reply_range(c, e, (uint64_t)start, (uint64_t)(stop - start + 1));
}

/* Elements `start` to `stop` stay. */
static void trim(struct call *c, struct entry *e, int64_t start, int64_t stop)
{
    uint64_t len = lists_len(e), behind = len - (uint64_t)stop - 1;

    if (behind)
        e = list_take_off(c, 1, e, LIST_TAIL, behind);
    if (start)
        list_take_off(c, 1, e, LIST_HEAD, (uint64_t)start);
    call_touched_indexes(c, 1, 0, start);
    call_touched_indexes(c, 1, stop + 1, (int64_t)behind);
    call_changed(c, 1, EVENT_LTRIM);
    list_count_changes(c, (uint64_t)start + behind);
}

/* LTRIM key start stop */
void cmd_ltrim(struct call *c)
{
    int64_t start, stop;
    struct entry *e;

    if (!call_int(c, 2, &start) || !call_int(c, 3, &stop) || !call_find_write(c, 1, TYPE_LIST, &e))
        return;
    reply_ok(c);
    if (!e)
        return;
    if (clamp(&start, &stop, (int64_t)lists_len(e))) {
        trim(c, e, start, stop);
        return;
    }
    call_touched_indexes(c, 1, 0, (int64_t)lists_len(e));
    call_changed(c, 1, EVENT_LTRIM);
    list_count_changes(c, lists_len(e));
    call_emptied(c, 1);
    list_count_changes(c, 0);
}

/* ---- by what they are ----------------------------------------------------------------------- */

/* The number of the first element that is this one, -1 if none is. */
static int64_t find(const struct entry *e, const struct pack_value *v)
{
    struct list_walk w;
    const char *at;

    lists_walk(&w, e, 0, false);
    for (int64_t i = 0; (at = lists_walk_next(&w)); i++) {
        if (pack_is(at, v))
            return i;
    }
    return -1;
}

/* LINSERT key BEFORE|AFTER pivot element */
void cmd_linsert(struct call *c)
{
    bool after = call_arg_is(c, 2, "after");
    struct pack_value pivot = pack_value(call_arg(c, 3));
    struct entry *e;
    int64_t index;

    if (!after && !call_arg_is(c, 2, "before")) {
        call_syntax_error(c);
        return;
    }
    if (!call_find_write(c, 1, TYPE_LIST, &e) || !list_elements_fit(c, 3))
        return;
    index = e ? find(e, &pivot) : -1;
    if (index < 0) {
        reply_int(c, e ? -1 : 0);
        return;
    }
    lists_insert(&e, (uint64_t)index + after, call_arg(c, 4), list_limits_of(c));
    call_moved(c, 1, e);
    reply_int(c, (int64_t)lists_len(e));
    call_touched_indexes(c, 1, index + after, 1);
    call_changed(c, 1, EVENT_LINSERT);
}

/*
 * Where the last `count` elements that are this one begin, all if there are not as many; false if
 * none is.
 */
static bool find_last(const struct entry *e, const struct pack_value *v, uint64_t count,
                      uint64_t *from)
{
    uint64_t i = lists_len(e);
    struct list_walk w;
    const char *at;
    bool found = false;

    lists_walk(&w, e, i - 1, true);
    while (count && (at = lists_walk_next(&w))) {
        i--;
        if (pack_is(at, v)) {
            *from = i;
            found = true;
            count--;
        }
    }
    return found;
}

/* The first `most` elements from there on that are this one. */
static void touch_equal(struct call *c, const struct entry *e, const struct pack_value *v,
                        uint64_t from, uint64_t most)
{
    struct list_walk w;
    const char *at;

    if (LIKELY(!keyvalue_wanted(c->server)))
        return;
    lists_walk(&w, e, from, false);
    for (; most && (at = lists_walk_next(&w)); from++) {
        if (pack_is(at, v)) {
            call_touched_indexes(c, 1, (int64_t)from, 1);
            most--;
        }
    }
}

/* Takes out what is asked for, and returns how many elements that is. */
static uint64_t remove_equal(struct call *c, struct entry **e, int64_t count)
{
    struct pack_value v = pack_value(call_arg(c, 3));
    uint64_t from = 0, most = count < 0 ? 0 - (uint64_t)count
                              : count   ? (uint64_t)count
                                        : UINT64_MAX;
    uint64_t removed;

    if (count < 0 && !find_last(*e, &v, most, &from))
        return 0;
    touch_equal(c, *e, &v, from, most);
    removed = lists_remove(e, &v, from, most, list_limits_of(c));
    call_moved(c, 1, *e);
    return removed;
}

/* LREM key count element */
void cmd_lrem(struct call *c)
{
    uint64_t removed;
    struct entry *e;
    int64_t count;

    if (!call_int(c, 2, &count) || !call_find_write(c, 1, TYPE_LIST, &e))
        return;
    removed = e ? remove_equal(c, &e, count) : 0;
    reply_int(c, (int64_t)removed);
    if (!removed)
        return;
    call_changed(c, 1, EVENT_LREM);
    list_count_changes(c, removed);
    if (!lists_len(e)) {
        call_emptied(c, 1);
        list_count_changes(c, 0);
    }
}

/* ---- LPOS ----------------------------------------------------------------------------------- */

struct pos_options {
    int64_t rank;   /* the first match that counts; negative from the end */
    int64_t count;  /* matches to be told, 0 for all */
    int64_t maxlen; /* elements to be looked at, 0 for all */
    bool many;      /* as an array, since there was COUNT */
};

static bool pos_rank(struct call *c, int i, int64_t *rank)
{
    if (!call_int(c, i, rank))
        return false;
    if (*rank == INT64_MIN) {
        reply_error(c, "ERR value is out of range, value must between %lld and %lld",
                    (long long)-INT64_MAX, (long long)INT64_MAX);
        return false;
    }
    if (*rank)
        return true;
    reply_error(c, "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second "
                   "... or use negative to start from the end of the list");
    return false;
}

static bool pos_option(struct call *c, int i, struct pos_options *o)
{
    if (call_arg_is(c, i, "rank"))
        return pos_rank(c, i + 1, &o->rank);
    if (call_arg_is(c, i, "maxlen"))
        return call_int_between(c, i + 1, 0, INT64_MAX, &o->maxlen, "ERR MAXLEN can't be negative");
    if (!call_arg_is(c, i, "count"))
        return call_syntax_error(c);
    o->many = true;
    return call_int_between(c, i + 1, 0, INT64_MAX, &o->count, "ERR COUNT can't be negative");
}

static bool pos_options(struct call *c, struct pos_options *o)
{
    *o = (struct pos_options){.rank = 1, .count = 1};
    for (int i = 3; i < c->argc; i += 2) {
        if (i + 1 == c->argc)
            return call_syntax_error(c);
        if (!pos_option(c, i, o))
            return false;
    }
    return true;
}

/* Replies the numbers of matching elements, and returns how many they are. */
static int64_t reply_matches(struct call *c, const struct entry *e, const struct pos_options *o)
{
    struct pack_value v = pack_value(call_arg(c, 2));
    bool back = o->rank < 0;
    int64_t skip = (back ? -o->rank : o->rank) - 1, found = 0, last = (int64_t)lists_len(e) - 1;
    struct list_walk w;
    const char *at;

    lists_walk(&w, e, back ? (uint64_t)last : 0, back);
    for (int64_t i = 0; (!o->maxlen || i < o->maxlen) && (at = lists_walk_next(&w)); i++) {
        if (!pack_is(at, &v) || skip-- > 0)
            continue;
        reply_int(c, back ? last - i : i);
        if (++found == o->count)
            break;
    }
    return found;
}

/* LPOS key element [RANK rank] [COUNT count] [MAXLEN len] */
void cmd_lpos(struct call *c)
{
    struct pos_options o;
    struct entry *e;
    size_t begin;
    int64_t found;

    if (!pos_options(c, &o) || !call_find(c, 1, TYPE_LIST, &e))
        return;
    begin = write_begin(&c->out);
    found = e ? reply_matches(c, e, &o) : 0;
    if (o.many)
        write_end_array(&c->out, begin, found);
    else if (!found)
        reply_null(c);
}
