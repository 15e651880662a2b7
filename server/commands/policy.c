/* POLICY: what becomes of keys by their prefix; see storage/policies.h and server/policer.h. */
#include "server/durability.h"
#include "server/policer.h"
#include "server/policy_log.h"
#include "server/reconfigure.h"
#include "server/reply.h"
#include "storage/policed.h"

/* ---- SET, DEL ------------------------------------------------------------------------------- */

/* What is to become of a prefix: NULL rules, none. */
struct edit {
    struct slice prefix;
    const int64_t *rules;
    bool changed;
};

/* On the main thread: policies are a part of the configuration. */
static bool edit_policies(struct conf *fresh, void *opaque, struct buf *err)
{
    struct edit *edit = opaque;
    const char *wrong = NULL;

    if (edit->rules)
        wrong = conf_put_policy(&fresh->key_policy, edit->prefix, edit->rules);
    else
        edit->changed = conf_drop_policy(&fresh->key_policy, edit->prefix);
    fresh->given[OPT_key_policy] = true;
    buf_append_str(err, wrong ? wrong : "");
    return !wrong;
}

/* False, and answered, if it cannot be. */
static bool change_policies(struct call *c, struct edit *edit)
{
    struct buf err = {0};
    bool done = reconfigure_edit(c->server, edit_policies, edit, &err);

    c->conf = c->server->conf;
    durability_depend(c, policy_log_seq(c->server));
    if (done)
        policer_enforce_soon(c->worker);
    else
        reply_error(c, "ERR %.*s", (int)err.len, err.ptr);
    buf_release(&err);
    return done;
}

/* POLICY SET prefix [IDLE ms] [MAXAGE ms] [MAXKEYS n] [MAXMEMORY bytes] */
void cmd_policy_set(struct call *c)
{
    int64_t rules[CONF_RULES];
    struct edit edit = {.prefix = call_arg(c, 2), .rules = rules};
    const char *wrong = conf_read_rules(c->argv + 3, (size_t)c->argc - 3, rules);

    if (wrong)
        reply_error(c, "ERR %s", wrong);
    else if (change_policies(c, &edit))
        reply_ok(c);
}

/* POLICY DEL prefix */
void cmd_policy_del(struct call *c)
{
    struct edit edit = {.prefix = call_arg(c, 2)};

    if (change_policies(c, &edit))
        reply_int(c, edit.changed);
}

/* ---- GET, LIST ------------------------------------------------------------------------------ */

static void reply_field(struct call *c, const char *name, int64_t v)
{
    reply_cstr(c, name);
    reply_int(c, v);
}

static void reply_policy(struct call *c, const struct policy *policy)
{
    reply_map(c, 5);
    reply_cstr(c, "prefix");
    reply_bulk(c, policy->prefix);
    reply_field(c, "idle", policy->rules.idle_ms);
    reply_field(c, "maxage", policy->rules.max_age_ms);
    reply_field(c, "maxkeys", policy->rules.max_keys);
    reply_field(c, "maxmemory", policy->rules.max_memory);
}

static void reply_one(struct call *c, void (*reply)(struct call *c, const struct policy *policy))
{
    const struct policies *p = c->server->keyspace.policies;
    const struct policy *policy = p ? policies_get(p, call_arg(c, 2)) : NULL;

    if (policy)
        reply(c, policy);
    else
        reply_null(c);
}

static void reply_each(struct call *c, void (*reply)(struct call *c, const struct policy *policy))
{
    const struct policies *p = c->server->keyspace.policies;

    reply_array(c, p ? p->len : 0);
    for (int i = 0; p && i < p->len; i++)
        reply(c, p->sorted[i]);
}

/* POLICY GET prefix */
void cmd_policy_get(struct call *c)
{
    reply_one(c, reply_policy);
}

/* POLICY LIST */
void cmd_policy_list(struct call *c)
{
    reply_each(c, reply_policy);
}

/* ---- STATS ---------------------------------------------------------------------------------- */

static void reply_stats(struct call *c, const struct policy *policy)
{
    const struct policies *p = c->server->keyspace.policies;

    reply_map(c, 6);
    reply_cstr(c, "prefix");
    reply_bulk(c, policy->prefix);
    reply_field(c, "keys", policy_keys(p, policy));
    reply_field(c, "memory", policy_memory(p, policy));
    reply_field(c, "expired", (int64_t)atomic_load(&policy->expired));
    reply_field(c, "evicted", (int64_t)atomic_load(&policy->evicted));
    reply_field(c, "surveying", policy->gaining && atomic_load(&p->surveying));
}

/* POLICY STATS [prefix] */
void cmd_policy_stats(struct call *c)
{
    if (c->argc > 3)
        reply_subcommand_error(c);
    else if (c->argc == 3)
        reply_one(c, reply_stats);
    else
        reply_each(c, reply_stats);
}

/* ---- of one key ----------------------------------------------------------------------------- */

/* POLICY OF key */
void cmd_policy_of(struct call *c)
{
    const struct entry *e = call_look(c, 2);

    if (e && e->policed)
        reply_bulk(c, policed_policy(&c->server->keyspace, e)->prefix);
    else
        reply_null(c);
}

/* What PTTL says of a key that has a time of its own. */
static int64_t ends_in(struct call *c, const struct entry *e)
{
    int64_t left = INT64_MAX;

    if (e->has_expiry)
        return entry_expiry(e) - c->now_ms;
    if (e->policed)
        left = policed_left(&c->server->keyspace, c->db, shard_of(call_hash(c, 2)), e);
    return left == INT64_MAX ? -1 : left;
}

/* POLICY TTL key */
void cmd_policy_ttl(struct call *c)
{
    const struct entry *e = call_look(c, 2);

    reply_int(c, e ? ends_in(c, e) : -2);
}

/* POLICY HELP */
void cmd_policy_help(struct call *c)
{
    static const char *const lines[] = {
        "SET <prefix> [IDLE <ms>] [MAXAGE <ms>] [MAXKEYS <n>] [MAXMEMORY <bytes>]",
        "    Let keys that begin with <prefix> expire when neither read nor changed for IDLE, or",
        "    not changed for MAXAGE; evict the least recently used when there are more than",
        "    MAXKEYS in a database, or they take more than MAXMEMORY. The longest prefix counts.",
        "GET <prefix>",
        "    Tell the policy of <prefix>.",
        "LIST",
        "    Tell all policies.",
        "DEL <prefix>",
        "    Take the policy of <prefix> away.",
        "STATS [<prefix>]",
        "    Tell how many keys are under the policy, what they take, how many have gone.",
        "OF <key>",
        "    Tell the prefix whose policy <key> is under.",
        "TTL <key>",
        "    Tell in how many milliseconds <key> ends, by its own time to live or by its policy.",
        NULL,
    };

    reply_help(c, lines);
}
