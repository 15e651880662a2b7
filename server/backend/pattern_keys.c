/* Keys that the patterns of SORT name, see pattern_keys.h. */
#include "server/backend/pattern_keys.h"

#include "server/commands/lists.h"
#include "server/handlers.h"
#include "server/sort_pattern.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"

struct naming {
    struct call *call;
    struct sort_pattern pattern;
    pattern_key_fn *visit;
    void *opaque;
    struct buf name;
};

static void name_key(struct naming *n, struct slice element)
{
    n->name.len = 0;
    buf_append_slice(&n->name, n->pattern.before);
    buf_append_slice(&n->name, element);
    buf_append_slice(&n->name, n->pattern.behind);
    n->visit(n->call, buf_slice(&n->name), n->opaque);
}

static void each_of_list(struct naming *n, const struct entry *e)
{
    char digits[NUM_INT_MAX];
    struct list_walk w;

    lists_walk(&w, e, 0, false);
    for (uint64_t i = lists_len(e); i; i--)
        name_key(n, pack_text(lists_walk_next(&w), digits));
}

static void each_of_set(struct naming *n, const struct entry *e)
{
    struct set_walk w = set_walk(e);
    char digits[NUM_INT_MAX];
    struct set_member m;

    while (set_walk_next(&w, &m))
        name_key(n, set_member_text(&m, digits));
}

static void each_of_zset(struct naming *n, const struct entry *e)
{
    struct zset_iter it;

    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it))
        name_key(n, it.member);
}

static void each_element(struct naming *n, const struct entry *e)
{
    if (e->type == TYPE_LIST)
        each_of_list(n, e);
    else if (e->type == TYPE_SET)
        each_of_set(n, e);
    else if (e->type == TYPE_ZSET)
        each_of_zset(n, e);
}

void pattern_keys(struct call *c, pattern_key_fn *visit, void *opaque)
{
    struct naming n = {.call = c, .visit = visit, .opaque = opaque};
    const struct entry *e;
    struct slice key;
    int at;
    const struct command *cmd = command_innermost(c->cmd, c->argv, c->argc, &at);
    uint64_t hash;

    if ((cmd->run != cmd_sort && cmd->run != cmd_sort_ro) || at + 1 >= c->argc)
        return;
    key = call_arg(c, at + 1);
    hash = hash_bytes(key);
    e = space_find(keyspace_space(&c->server->keyspace, c->db, shard_of(hash)), hash, key).entry;
    for (int i = at + 2; e && i + 1 < c->argc; i++) {
        if (!call_arg_is(c, i, "by") && !call_arg_is(c, i, "get"))
            continue;
        n.pattern = sort_pattern(call_arg(c, ++i));
        if (!n.pattern.is_element && !n.pattern.is_nothing)
            each_element(&n, e);
    }
    buf_release(&n.name);
}
