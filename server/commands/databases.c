/* Commands on whole databases. */
#include "base/mem.h"
#include "server/backend/asker.h"
#include "server/effects.h"
#include "server/reaper.h"
#include "server/reply.h"
#include "server/tracking.h"

/* SELECT index */
void cmd_select(struct call *c)
{
    int db;

    if (!call_db(c, 1, &db, NULL))
        return;
    c->conn->db = db;
    reply_ok(c);
}

/* SWAPDB index1 index2, with the world stopped */
void cmd_swapdb(struct call *c)
{
    int64_t dbs = c->server->keyspace.databases, a, b;

    if (!call_int_between(c, 1, INT_MIN, INT_MAX, &a, "ERR invalid first DB index") ||
        !call_int_between(c, 2, INT_MIN, INT_MAX, &b, "ERR invalid second DB index"))
        return;
    if (a < 0 || a >= dbs || b < 0 || b >= dbs) {
        reply_error(c, "ERR DB index is out of range");
        return;
    }
    if (c->server->home && (a == 0) != (b == 0)) {
        reply_error(c, "BACKEND database 0 is a table, which cannot be exchanged for another");
        return;
    }
    effect_swapping(c->worker, (int)a, (int)b);
    keyspace_swap(&c->server->keyspace, (int)a, (int)b);
    effect_swapped(c->worker, (int)a, (int)b);
    reply_ok(c);
}

/* DBSIZE */
void cmd_dbsize(struct call *c)
{
    if (asker_takes(c, ASKED_COUNT, NULL, 0))
        return;
    reply_int(c, (int64_t)keyspace_count(&c->server->keyspace, c->db));
}

/* ---- FLUSHDB, FLUSHALL ---------------------------------------------------------------------- */

/* Who waits until the memory is free. */
struct flush_waiter {
    struct worker *worker;
    uint64_t client;
    bool silent; /* CLIENT REPLY keeps the answer from it */
};

static bool flush_mode(struct call *c, bool *wait)
{
    *wait = !c->conf->lazyfree_lazy_user_flush;
    if (c->argc == 1)
        return true;
    *wait = call_arg_is(c, 1, "sync");
    return (c->argc == 2 && (*wait || call_arg_is(c, 1, "async"))) || call_syntax_error(c);
}

static struct conn *find_client(struct worker *w, uint64_t id)
{
    LIST_EACH (conn, &w->conns, struct conn, link) {
        if (conn->id == id)
            return conn;
    }
    return NULL;
}

/* On the worker, if the client still is there. */
static void answer_waiter(struct worker *w, void *arg)
{
    struct flush_waiter *waiter = arg;
    struct conn *conn = find_client(w, waiter->client);

    if (conn) {
        if (!waiter->silent)
            buf_append_str(conn_output(conn), "+OK\r\n");
        tracking_tell_flushed(conn);
        conn_resume(conn);
    }
    mem_free(waiter);
}

/* On the reaper's thread. */
static void all_freed(void *arg)
{
    struct flush_waiter *waiter = arg;

    worker_call(waiter->worker, answer_waiter, waiter);
}

/* The world is stopped. Returns how many keys there were; the reaper frees them. */
static uint64_t empty(struct call *c, int db, void (*done)(void *arg), void *arg)
{
    struct keyspace *ks = &c->server->keyspace;
    uint64_t keys = keyspace_count(ks, db);

    effect_emptying(c->worker, db);
    if (keys || done)
        reaper_give(c->server->reaper, keyspace_detach(ks, db), keys, done, arg);
    return keys;
}

/* The reaper works off one database after the other, so who is to wait waits for the last. */
static void flush(struct call *c, int first, int last, bool wait)
{
    struct flush_waiter *waiter;
    uint64_t keys = 0;

    while (last > first && !keyspace_count(&c->server->keyspace, last))
        last--;
    wait = wait && !c->at_once && keyspace_count(&c->server->keyspace, last);
    for (int db = first; db < last; db++)
        keys += empty(c, db, NULL, NULL);
    if (wait) {
        waiter = mem_alloc(sizeof(*waiter));
        *waiter = (struct flush_waiter){
            .worker = c->worker,
            .client = c->conn->id,
            .silent = c->conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP),
        };
        c->conn->flags |= CONN_BLOCKED;
        keys += empty(c, last, all_freed, waiter);
    } else {
        keys += empty(c, last, NULL, NULL);
        reply_ok(c);
    }
    effect_database(c->worker, keys);
    tracking_flushed(c->worker, wait ? c->conn : NULL);
}

/* FLUSHDB [ASYNC | SYNC] */
void cmd_flushdb(struct call *c)
{
    bool wait;

    if (flush_mode(c, &wait))
        flush(c, c->db, c->db, wait);
}

/* FLUSHALL [ASYNC | SYNC] */
void cmd_flushall(struct call *c)
{
    bool wait;

    if (flush_mode(c, &wait))
        flush(c, 0, c->server->keyspace.databases - 1, wait);
}
