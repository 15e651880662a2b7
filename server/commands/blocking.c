/*
 * Commands that take elements of lists and sorted sets, and wait where there are none. What they do
 * when there are is in lists.h and zset_pop.h.
 */
#include "server/commands/lists.h"
#include "server/commands/zset_pop.h"
#include "server/reply.h"
#include "server/waiting.h"

/* What to take, and from which end. */
struct taking {
    enum type type;
    struct wait wait;
    enum list_end list_end;
    enum zset_end zset_end;
    struct list_mpop lists;
    struct zset_mpop_args zsets;
};

typedef void take_fn(struct call *c, int i, struct entry *e, const struct taking *t);

/*
 * Takes from the first of the keys that is there, or waits for one. The time is argument
 * `timeout`, which is the last to be looked at.
 */
static void take_or_wait(struct call *c, struct taking *t, int timeout, take_fn *take)
{
    struct wait *wait = &t->wait;
    struct entry *e;

    wait->what = t->type == TYPE_LIST ? WAIT_FOR_LIST : WAIT_FOR_ZSET;
    if (!wait_read_timeout(c, timeout, &wait->until_us))
        return;
    for (int i = wait->first; i < wait->first + wait->count; i++) {
        if (wait_skips(c, i))
            continue;
        if (!call_find_write(c, i, t->type, &e))
            return;
        if (e) {
            take(c, i, e, t);
            return;
        }
    }
    if (!wait_begin(c, wait))
        reply_null_array(c);
}

/* ---- one element ----------------------------------------------------------------------------- */

/* All arguments but the first and the last are keys. */
static struct taking taking_one(const struct call *c, enum type type)
{
    return (struct taking){.type = type, .wait = {.first = 1, .count = c->argc - 2}};
}

static void take_from_list(struct call *c, int i, struct entry *e, const struct taking *t)
{
    reply_array(c, 2);
    reply_bulk(c, call_arg(c, i));
    list_pop_one(c, i, e, t->list_end);
    CALL_LOG(c, t->list_end == LIST_HEAD ? SLICE("LPOP") : SLICE("RPOP"), call_arg(c, i));
}

static void pop_list(struct call *c, enum list_end end)
{
    struct taking t = taking_one(c, TYPE_LIST);

    t.list_end = end;
    take_or_wait(c, &t, c->argc - 1, take_from_list);
}

/* BLPOP key [key ...] timeout */
void cmd_blpop(struct call *c)
{
    pop_list(c, LIST_HEAD);
}

/* BRPOP key [key ...] timeout */
void cmd_brpop(struct call *c)
{
    pop_list(c, LIST_TAIL);
}

static void take_from_zset(struct call *c, int i, struct entry *e, const struct taking *t)
{
    zset_pop_with_key(c, i, e, t->zset_end);
}

static void pop_zset(struct call *c, enum zset_end end)
{
    struct taking t = taking_one(c, TYPE_ZSET);

    t.zset_end = end;
    take_or_wait(c, &t, c->argc - 1, take_from_zset);
}

/* BZPOPMIN key [key ...] timeout */
void cmd_bzpopmin(struct call *c)
{
    pop_zset(c, ZSET_MIN);
}

/* BZPOPMAX key [key ...] timeout */
void cmd_bzpopmax(struct call *c)
{
    pop_zset(c, ZSET_MAX);
}

/* ---- several elements ------------------------------------------------------------------------ */

static void take_some_of_list(struct call *c, int i, struct entry *e, const struct taking *t)
{
    list_mpop_reply(c, i, e, &t->lists);
}

/* BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count] */
void cmd_blmpop(struct call *c)
{
    struct taking t = {.type = TYPE_LIST};

    if (!list_mpop_args(c, 2, &t.lists))
        return;
    t.wait.first = t.lists.first;
    t.wait.count = t.lists.keys;
    take_or_wait(c, &t, 1, take_some_of_list);
}

static void take_some_of_zset(struct call *c, int i, struct entry *e, const struct taking *t)
{
    zset_pop_many(c, i, e, t->zsets.end, t->zsets.count);
}

/* BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
void cmd_bzmpop(struct call *c)
{
    struct taking t = {.type = TYPE_ZSET};

    if (!zset_mpop_read(c, 2, &t.zsets))
        return;
    t.wait.first = t.zsets.first;
    t.wait.count = t.zsets.keys;
    take_or_wait(c, &t, 1, take_some_of_zset);
}

/* ---- from one list to another ---------------------------------------------------------------- */

static struct slice end_word(enum list_end end)
{
    return end == LIST_HEAD ? SLICE("LEFT") : SLICE("RIGHT");
}

static void move_now(struct call *c, struct entry *e, enum list_end from, enum list_end to)
{
    uint64_t before = c->worker->stats.dirty;

    list_move(c, 1, e, from, 2, to);
    if (c->worker->stats.dirty != before)
        CALL_LOG(c, SLICE("LMOVE"), call_arg(c, 1), call_arg(c, 2), end_word(from), end_word(to));
}

/* Within a transaction the reply is that of LMOVE, unlike that of one whose time is up. */
static void move(struct call *c, enum list_end from, enum list_end to)
{
    struct wait wait = {.what = WAIT_FOR_LIST, .first = 1, .count = 1, .beside = 2};
    struct entry *e;

    if (!wait_read_timeout(c, c->argc - 1, &wait.until_us) || !call_find_write(c, 1, TYPE_LIST, &e))
        return;
    if (e)
        move_now(c, e, from, to);
    else if (!wait_begin(c, &wait))
        reply_null(c);
}

/* BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout */
void cmd_blmove(struct call *c)
{
    enum list_end from, to;

    if (list_end_arg(c, 3, &from) && list_end_arg(c, 4, &to))
        move(c, from, to);
}

/* BRPOPLPUSH source destination timeout */
void cmd_brpoplpush(struct call *c)
{
    move(c, LIST_TAIL, LIST_HEAD);
}
