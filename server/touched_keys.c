/* Which keys a request touches, see touched_keys.h. */
#include "server/touched_keys.h"

#include "base/mem.h"
#include "server/handlers.h"
#include "server/kept.h"
#include "server/key_locks.h"
#include "server/transaction.h"

/* The database to which MOVE and COPY bring a key; -1 where that makes no sense, or for others. */
static int other_db(const struct call *c)
{
    int64_t db = -1;
    int at;
    const struct command *cmd = command_innermost(c->cmd, c->argv, c->argc, &at);

    if (cmd->run == cmd_move)
        num_parse_int(call_arg(c, at + 2), &db);
    for (int i = at + 3; cmd->run == cmd_copy && i + 1 < c->argc; i++) {
        if (call_arg_is(c, i, "db"))
            num_parse_int(call_arg(c, i + 1), &db);
    }
    return db >= 0 && db < c->server->keyspace.databases ? (int)db : -1;
}

/* DEBUG has no keys by its row, since it runs with the world stopped. */
static void keys_of_debug(struct call *c, touched_fn *visit, void *opaque)
{
    static const char *const words[] = {"object",    "sdslen",      "ziplist",     "listpack",
                                        "quicklist", "htstats-key", "digest-value"};
    bool has_keys = false;

    for (size_t i = 0; i < COUNT_OF(words) && c->argc > 2; i++)
        has_keys = has_keys || call_arg_is(c, 1, words[i]);
    for (int i = 2; has_keys && i < c->argc; i++)
        visit(c, i, c->db, KEY_RO, opaque);
}

void touched_keys(struct call *c, touched_fn *visit, void *opaque)
{
    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int n = key_positions(c, quick, &keys), other = other_db(c);

    for (int i = 0; i < n; i++) {
        if (keys[i].flags & KEY_NOT_KEY)
            continue;
        visit(c, keys[i].index, c->db, keys[i].flags, opaque);
        if (other >= 0 && other != c->db)
            visit(c, keys[i].index, other, keys[i].flags, opaque);
    }
    if (keys != quick)
        mem_free(keys);
    if (UNLIKELY(c->cmd->run == cmd_debug))
        keys_of_debug(c, visit, opaque);
}

/* A queue may go to other databases. */
static int db_behind(const struct call *q)
{
    int64_t db;

    if (q->cmd->run == cmd_select && num_parse_int(call_arg(q, 1), &db) && db >= 0 &&
        db < q->server->keyspace.databases)
        return (int)db;
    return q->db;
}

void touched_keys_exec(const struct call *c, const struct transaction *t, touched_fn *visit,
                       void *opaque)
{
    struct call q = *c;

    for (const struct kept *k = t->first; k; k = k->next) {
        q.cmd = k->cmd;
        q.argv = k->argv;
        q.argc = k->argc;
        q.first_hash = k->first_hash;
        q.hashes = k->hashes;
        touched_keys(&q, visit, opaque);
        q.db = db_behind(&q);
    }
}
