/*
 * Commands on keys of any type: whether they are there, what they are, taking them away, renaming.
 */
#include "server/effects.h"
#include "server/reply.h"
#include "storage/value_types.h"

/*
 * DEL key [key ...], and UNLINK: a value that takes long to free is freed behind the locks anyway.
 */
void cmd_del(struct call *c)
{
    int64_t gone = 0;

    for (int i = 1; i < c->argc; i++) {
        if (!call_delete(c, i))
            continue;
        call_removed(c, i, EVENT_DEL);
        gone++;
    }
    reply_int(c, gone);
}

/* EXISTS key [key ...] */
void cmd_exists(struct call *c)
{
    int64_t there = 0;

    for (int i = 1; i < c->argc; i++)
        there += call_look(c, i) != NULL;
    reply_int(c, there);
}

/* TOUCH key [key ...] */
void cmd_touch(struct call *c)
{
    struct entry *e;
    int64_t there = 0;

    for (int i = 1; i < c->argc; i++) {
        call_find(c, i, TYPE_ANY, &e);
        there += e != NULL;
    }
    reply_int(c, there);
}

/* TYPE key */
void cmd_type(struct call *c)
{
    struct entry *e = call_look(c, 1);

    reply_simple(c, e ? value_type_name(e->type) : "none");
}

/* ---- to another name or database ------------------------------------------------------------ */

/* The entry, out of its table, becomes the value of the key at i, which is free; its age stays. */
static void settle(struct call *c, int i, int db, struct entry *e)
{
    uint32_t access = e->access_or_member;

    call_put_db(c, i, db, e);
    *call_access(c, i, db, e) = access;
}

/* One change of the data, though two keys are concerned. */
static void count_once(struct call *c)
{
    c->worker->stats.dirty--;
}

/* False, and answered, if there is nothing to rename, or the new name is taken. */
static bool may_rename(struct call *c, bool only_free)
{
    struct entry *e, *there;

    call_find_write(c, 1, TYPE_ANY, &e);
    if (!e) {
        reply_error(c, "ERR no such key");
        return false;
    }
    if (slice_eq(call_arg(c, 1), call_arg(c, 2))) {
        if (only_free)
            reply_int(c, 0);
        else
            reply_ok(c);
        return false;
    }
    call_find_write(c, 2, TYPE_ANY, &there);
    if (there && only_free)
        reply_int(c, 0);
    return !there || !only_free;
}

static void rename_key(struct call *c)
{
    struct entry *e;

    call_delete(c, 2);
    e = call_take(c, 1);
    settle(c, 2, c->db, entry_rename(e, call_arg(c, 2)));
    call_removed(c, 1, EVENT_RENAME_FROM);
    call_changed(c, 2, EVENT_RENAME_TO);
    count_once(c);
}

/* RENAME key newkey */
void cmd_rename(struct call *c)
{
    if (!may_rename(c, false))
        return;
    rename_key(c);
    reply_ok(c);
}

/* RENAMENX key newkey */
void cmd_renamenx(struct call *c)
{
    if (!may_rename(c, true))
        return;
    rename_key(c);
    reply_int(c, 1);
}

static void refuse_same(struct call *c)
{
    reply_error(c, "ERR source and destination objects are the same");
}

/*
 * MOVE key db. Its place in the other database is in the same shard, since that follows from the
 * key.
 */
void cmd_move(struct call *c)
{
    struct entry *e;
    int db;

    if (!call_db(c, 2, &db, NULL))
        return;
    if (db == c->db) {
        refuse_same(c);
        return;
    }
    call_find_write(c, 1, TYPE_ANY, &e);
    if (!e || call_peek_db(c, 1, db)) {
        reply_int(c, 0);
        return;
    }
    settle(c, 1, db, call_take(c, 1));
    call_removed(c, 1, EVENT_MOVE_FROM);
    call_changed_db(c, 1, db, EVENT_MOVE_TO);
    count_once(c);
    reply_int(c, 1);
}

struct copy_options {
    int db;
    bool replace;
};

static bool copy_options(struct call *c, struct copy_options *o)
{
    *o = (struct copy_options){.db = c->db};
    for (int i = 3; i < c->argc; i++) {
        if (call_arg_is(c, i, "replace"))
            o->replace = true;
        else if (!call_arg_is(c, i, "db") || i + 1 == c->argc)
            return call_syntax_error(c);
        else if (!call_db(c, ++i, &o->db, NULL))
            return false;
    }
    return true;
}

/* COPY source destination [DB destination-db] [REPLACE] */
void cmd_copy(struct call *c)
{
    struct copy_options o;
    struct entry *e, *there;

    if (!copy_options(c, &o))
        return;
    if (o.db == c->db && slice_eq(call_arg(c, 1), call_arg(c, 2))) {
        refuse_same(c);
        return;
    }
    call_find(c, 1, TYPE_ANY, &e);
    there = e ? call_peek_db(c, 2, o.db) : NULL;
    if (!e || (there && !o.replace)) {
        reply_int(c, 0);
        return;
    }
    call_put_db(c, 2, o.db, entry_copy(e, call_arg(c, 2), entry_expiry(e)));
    if (there)
        effect_event(c->worker, o.db, call_arg(c, 2), EVENT_NEW);
    call_changed_db(c, 2, o.db, EVENT_COPY_TO);
    reply_int(c, 1);
}
