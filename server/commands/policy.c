/* POLICY: what becomes of keys by their prefix; see storage/policies.h and server/policer.h. */
#include "base/mem.h"
#include "server/policer.h"
#include "server/reply.h"
#include "storage/policed.h"

/* ---- SET, DEL ------------------------------------------------------------------------------- */

static const struct rule {
    const char *word, *wrong;
    size_t field;
    int64_t max;
} rules[] = {
    {"IDLE", "ERR IDLE must be a number of milliseconds from 1 to 1000000000000",
     offsetof(struct policy_rules, idle_ms), POLICY_TIME_MAX_MS},
    {"MAXAGE", "ERR MAXAGE must be a number of milliseconds from 1 to 1000000000000",
     offsetof(struct policy_rules, max_age_ms), POLICY_TIME_MAX_MS},
    {"MAXKEYS", "ERR MAXKEYS must be a number from 1 to 9007199254740992",
     offsetof(struct policy_rules, max_keys), POLICY_LIMIT_MAX},
    {"MAXMEMORY", "ERR MAXMEMORY must be a number of bytes from 1 to 9007199254740992",
     offsetof(struct policy_rules, max_memory), POLICY_LIMIT_MAX},
};

static int64_t *field_of(struct policy_rules *r, const struct rule *rule)
{
    return (int64_t *)(void *)((char *)r + rule->field);
}

static const struct rule *find_rule(const struct call *c, int i)
{
    for (size_t n = 0; n < COUNT_OF(rules); n++) {
        if (call_arg_is(c, i, rules[n].word))
            return &rules[n];
    }
    return NULL;
}

static bool read_rules(struct call *c, struct policy_rules *r)
{
    *r = (struct policy_rules){0};
    for (int i = 3; i < c->argc; i += 2) {
        const struct rule *rule = find_rule(c, i);
        int64_t *field = rule ? field_of(r, rule) : NULL;

        if (!rule || *field || i + 1 == c->argc)
            return call_syntax_error(c);
        if (!call_int_between(c, i + 1, 1, rule->max, field, rule->wrong))
            return false;
    }
    return true;
}

static bool read_prefix(struct call *c, struct slice *prefix)
{
    *prefix = call_arg(c, 2);
    if (prefix->len <= POLICY_PREFIX_MAX)
        return true;
    reply_error(c, "ERR the prefix of a policy has at most %d bytes", POLICY_PREFIX_MAX);
    return false;
}

/* POLICY SET prefix [IDLE ms] [MAXAGE ms] [MAXKEYS n] [MAXMEMORY bytes], with the world stopped */
void cmd_policy_set(struct call *c)
{
    struct keyspace *ks = &c->server->keyspace;
    struct policy_rules r;
    struct policy *policy;
    struct slice prefix;

    if (!read_prefix(c, &prefix) || !read_rules(c, &r))
        return;
    if (!ks->policies)
        ks->policies = policies_new(ks->databases);
    policies_bury(ks->policies);
    policy = policies_get(ks->policies, prefix);
    if (policy) {
        policy->rules = r;
    } else if (!policies_add(ks->policies, prefix, &r)) {
        reply_error(c, "ERR there are %d policies, which are all that there can be", POLICIES_MAX);
        return;
    }
    policer_reform(c->worker);
    reply_ok(c);
}

/* POLICY DEL prefix, with the world stopped */
void cmd_policy_del(struct call *c)
{
    struct policies *p = c->server->keyspace.policies;
    struct policy *policy = p ? policies_get(p, call_arg(c, 2)) : NULL;

    if (policy) {
        policies_remove(p, policy);
        policer_reform(c->worker);
    }
    reply_int(c, policy != NULL);
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
    int64_t due = e->policed && !e->has_expiry
                      ? policed_due(&c->server->keyspace, c->db, shard_of(call_hash(c, 2)), e)
                      : INT64_MAX;

    if (e->has_expiry)
        return entry_expiry(e) - c->now_ms;
    if (due == INT64_MAX)
        return -1;
    return due > c->worker->mono_ms ? due - c->worker->mono_ms : 0;
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
        "    not changed for MAXAGE; evict the least recently used when there are more than "
        "MAXKEYS",
        "    in a database, or they take more than MAXMEMORY. The longest prefix counts.",
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
