/* MIGRATE: keys to another server. */
#include "base/mem.h"
#include "server/migration.h"
#include "server/reply.h"
#include "storage/rdb/rdb_encode.h"

struct migrate_options {
    bool copy, replace;
    int user, password; /* arguments, 0 for none */
    int first, count;   /* those that are keys */
};

static bool keys_behind(struct call *c, int i, struct migrate_options *o)
{
    if (call_arg(c, 3).len) {
        reply_error(c, "ERR When using MIGRATE KEYS option, the key argument must be set to the "
                       "empty string");
        return false;
    }
    o->first = i + 1;
    o->count = c->argc - o->first;
    return true;
}

static bool migrate_options(struct call *c, struct migrate_options *o)
{
    *o = (struct migrate_options){.first = 3, .count = 1};
    for (int i = 6; i < c->argc; i++) {
        int more = c->argc - 1 - i;

        if (call_arg_is(c, i, "copy"))
            o->copy = true;
        else if (call_arg_is(c, i, "replace"))
            o->replace = true;
        else if (call_arg_is(c, i, "auth") && more >= 1)
            o->password = ++i;
        else if (call_arg_is(c, i, "auth2") && more >= 2) {
            o->user = ++i;
            o->password = ++i;
        } else if (call_arg_is(c, i, "keys")) {
            return keys_behind(c, i, o);
        } else {
            return call_syntax_error(c);
        }
    }
    return true;
}

static char *text_of(const struct call *c, int i)
{
    return i ? mem_strndup(call_arg(c, i).ptr, call_arg(c, i).len) : NULL;
}

/* The key, if it is there, joins those that are to be sent. */
static void add_key(struct call *c, int i, struct migration *m)
{
    uint64_t hash = call_hash(c, i);
    struct migrating_key *k = &m->keys[m->keys_len];
    struct slice key = call_arg(c, i);
    struct entry *e;

    call_find(c, i, TYPE_ANY, &e);
    if (!e)
        return;
    k->key = slice_make(mem_strndup(key.ptr, key.len), key.len);
    k->version = space_version(keyspace_space(&c->server->keyspace, c->db, shard_of(hash)), e);
    k->ttl_ms = e->has_expiry ? entry_expiry(e) - c->now_ms : 0;
    rdb_put_dump(&k->dump, e, c->conf->rdbcompression);
    m->keys_len++;
}

/*
 * MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username
 * password] [KEYS key [key ...]]
 */
void cmd_migrate(struct call *c)
{
    struct migrate_options o;
    struct migration *m;
    int64_t timeout_ms, db;

    if (!migrate_options(c, &o) || !call_int(c, 5, &timeout_ms) || !call_int(c, 4, &db))
        return;
    m = migration_new((size_t)o.count);
    for (int i = o.first; i < o.first + o.count; i++)
        add_key(c, i, m);
    if (!m->keys_len || c->conn->flags & CONN_MULTI) {
        if (m->keys_len)
            reply_error(c, "ERR MIGRATE waits for another server, which a transaction cannot");
        else
            reply_simple(c, "NOKEY");
        migration_free(m);
        return;
    }
    m->host = text_of(c, 1);
    m->port = text_of(c, 2);
    m->user = text_of(c, o.user);
    m->password = text_of(c, o.password);
    m->db = db;
    m->timeout_ms = timeout_ms > 0 ? timeout_ms : 1000;
    m->copy = o.copy;
    m->replace = o.replace;
    migration_begin(c, m);
}
