/* OBJECT: what a value looks like from inside. */
#include "server/access.h"
#include "server/reply.h"
#include "storage/value_types.h"

enum { SHARED_INTEGERS = 10000 };

/* Counts the look-up, but tells nobody of a miss, which is answered. */
static struct entry *examine(struct call *c)
{
    struct entry *e = call_peek(c, 2);

    if (e) {
        c->worker->stats.keyspace_hits++;
    } else {
        c->worker->stats.keyspace_misses++;
        reply_null(c);
    }
    return e;
}

/* OBJECT ENCODING key */
void cmd_object_encoding(struct call *c)
{
    const struct entry *e = examine(c);

    if (e)
        reply_cstr(c, value_encoding(e));
}

/* What Redis shares among all keys: small numbers, unless each value needs an age of its own. */
static bool is_shared(const struct conf *conf, const struct entry *e)
{
    int policy = conf->maxmemory_policy;
    bool lru = policy == CONF_ALLKEYS_LRU || policy == CONF_VOLATILE_LRU;

    return e->type == TYPE_STRING && e->form == FORM_INT && !e->raw && entry_int(e) >= 0 &&
           entry_int(e) < SHARED_INTEGERS && !(conf->maxmemory && (lru || access_is_lfu(conf)));
}

/* OBJECT REFCOUNT key */
void cmd_object_refcount(struct call *c)
{
    const struct entry *e = examine(c);

    if (e)
        reply_int(c, is_shared(c->conf, e) ? INT_MAX : 1);
}

/* OBJECT IDLETIME key */
void cmd_object_idletime(struct call *c)
{
    struct entry *e = examine(c);

    if (e && access_is_lfu(c->conf))
        reply_error(c,
                    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note "
                    "that when switching between policies at runtime LRU and LFU data will take "
                    "some time to adjust.");
    else if (e)
        reply_int(c, (int64_t)access_idle_s(c->now_ms, *call_access(c, 2, c->db, e)));
}

/* OBJECT FREQ key */
void cmd_object_freq(struct call *c)
{
    struct entry *e = examine(c);

    if (e && !access_is_lfu(c->conf))
        reply_error(c, "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                       "Please note that when switching between policies at runtime LRU and LFU "
                       "data will take some time to adjust.");
    else if (e)
        reply_int(c, access_frequency(c->conf, c->now_ms, *call_access(c, 2, c->db, e)));
}

/* OBJECT HELP */
void cmd_object_help(struct call *c)
{
    static const char *const lines[] = {
        "ENCODING <key>",
        "    Name the form in which the value of <key> is kept.",
        "FREQ <key>",
        "    Tell how often <key> is used, on the logarithmic scale of the LFU policies.",
        "IDLETIME <key>",
        "    Tell how many seconds ago <key> was last used.",
        "REFCOUNT <key>",
        "    Tell how many references there are to the value of <key>.",
        NULL,
    };

    reply_help(c, lines);
}
