/* INFO stats, errorstats and keyspace, see info.h. */
#include "server/info.h"

#include "base/mem.h"
#include "server/eviction.h"
#include "server/pubsub.h"
#include "server/tracking.h"

enum { NS_A_MS = 1000 * 1000 };

/* ---- stats ---------------------------------------------------------------------------------- */

static double kilobytes(const struct info *i, enum rate which)
{
    return (double)rates_get(&i->server->rates, which) / 1024;
}

static void traffic(struct info *i)
{
    const struct stats *st = &i->stats;

    info_int(i, "total_connections_received", (int64_t)st->connections);
    info_int(i, "total_commands_processed", (int64_t)st->commands);
    info_int(i, "instantaneous_ops_per_sec", (int64_t)rates_get(&i->server->rates, RATE_COMMANDS));
    info_int(i, "total_net_input_bytes", (int64_t)st->net_input);
    info_int(i, "total_net_output_bytes", (int64_t)st->net_output);
    info_int(i, "total_net_repl_input_bytes", 0);
    info_int(i, "total_net_repl_output_bytes", 0);
    info_ratio(i, "instantaneous_input_kbps", kilobytes(i, RATE_INPUT));
    info_ratio(i, "instantaneous_output_kbps", kilobytes(i, RATE_OUTPUT));
    info_ratio(i, "instantaneous_input_repl_kbps", 0);
    info_ratio(i, "instantaneous_output_repl_kbps", 0);
    info_int(i, "rejected_connections", (int64_t)atomic_load(&i->server->rejected_connections));
    info_int(i, "sync_full", 0);
    info_int(i, "sync_partial_ok", 0);
    info_int(i, "sync_partial_err", 0);
}

/* Keys leave at their time, so that none is ever stale. */
static void keys_gone(struct info *i)
{
    const struct stats *st = &i->stats;
    int64_t exceeded_ms = eviction_exceeded_ms(i->server);

    info_int(i, "expired_keys", (int64_t)st->expired_keys);
    info_int(i, "expired_subkeys", (int64_t)st->expired_subkeys);
    info_ratio(i, "expired_stale_perc", 0);
    info_int(i, "expired_time_cap_reached_count", (int64_t)st->expire_capped);
    info_int(i, "expire_cycle_cpu_milliseconds", (int64_t)st->expire_ns / NS_A_MS);
    info_int(i, "evicted_keys", (int64_t)st->evicted_keys);
    info_int(i, "evicted_clients", (int64_t)st->evicted_clients);
    info_int(i, "total_eviction_exceeded_time",
             (int64_t)st->eviction_exceeded_ns / NS_A_MS + exceeded_ms);
    info_int(i, "current_eviction_exceeded_time", exceeded_ms);
    info_int(i, "keyspace_hits", (int64_t)st->keyspace_hits);
    info_int(i, "keyspace_misses", (int64_t)st->keyspace_misses);
}

/* Of keys under policies. */
static void policed(struct info *i)
{
    const struct policies *p = i->server->keyspace.policies;
    int64_t keys = 0, memory = 0, expired = 0, evicted = 0;

    for (unsigned slot = 0; p && slot < POLICIES_MAX; slot++) {
        const struct policy *policy = p->slots[slot];

        if (!policy)
            continue;
        keys += policy_keys(p, policy);
        memory += policy_memory(p, policy);
        expired += (int64_t)atomic_load(&policy->expired);
        evicted += (int64_t)atomic_load(&policy->evicted);
    }
    info_int(i, "policies", p ? p->len : 0);
    info_int(i, "policy_keys", keys);
    info_int(i, "policy_memory", memory);
    info_int(i, "policy_expired_keys", expired);
    info_int(i, "policy_evicted_keys", evicted);
}

static void channels(struct info *i)
{
    info_int(i, "pubsub_channels", (int64_t)pubsub_channels(i->server, CHANNEL_PLAIN));
    info_int(i, "pubsub_patterns", (int64_t)pubsub_channels(i->server, CHANNEL_PATTERN));
    info_int(i, "pubsubshard_channels", (int64_t)pubsub_channels(i->server, CHANNEL_SHARD));
}

static void tracked(struct info *i)
{
    struct tracking *t = i->server->tracking;

    info_int(i, "tracking_total_keys", atomic_load(&t->keys));
    info_int(i, "tracking_total_items", atomic_load(&t->items));
    info_int(i, "tracking_total_prefixes", (int64_t)prefixes_count(&t->prefixes));
}

void info_stats(struct info *i)
{
    static const char absent[] = "latest_fork_usec:0\r\n"
                                 "total_forks:0\r\n"
                                 "migrate_cached_sockets:0\r\n"
                                 "slave_expires_tracked_keys:0\r\n"
                                 "active_defrag_hits:0\r\n"
                                 "active_defrag_misses:0\r\n"
                                 "active_defrag_key_hits:0\r\n"
                                 "active_defrag_key_misses:0\r\n"
                                 "total_active_defrag_time:0\r\n"
                                 "current_active_defrag_time:0\r\n";
    bool threaded = i->server->workers_len > 1;

    traffic(i);
    keys_gone(i);
    policed(i);
    channels(i);
    buf_append_str(&i->out, absent);
    tracked(i);
    info_int(i, "unexpected_error_replies", 0);
    info_int(i, "total_error_replies", (int64_t)i->stats.error_replies);
    info_int(i, "dump_payload_sanitizations", 0);
    info_int(i, "total_reads_processed", (int64_t)i->stats.reads);
    info_int(i, "total_writes_processed", (int64_t)i->stats.writes);
    info_int(i, "io_threaded_reads_processed", threaded ? (int64_t)i->stats.reads : 0);
    info_int(i, "io_threaded_writes_processed", threaded ? (int64_t)i->stats.writes : 0);
    info_int(i, "reply_buffer_shrinks", 0);
    info_int(i, "reply_buffer_expands", 0);
    info_int(i, "client_query_buffer_limit_disconnections",
             (int64_t)i->stats.query_limit_disconnections);
    info_int(i, "client_output_buffer_limit_disconnections",
             (int64_t)i->stats.output_limit_disconnections);
}

/* ---- errorstats ----------------------------------------------------------------------------- */

/* A code is what a client may have chosen (DEBUG ERROR): it must not look like further lines. */
void info_name(struct info *i, const char *prefix, const char *name)
{
    buf_append_str(&i->out, prefix);
    for (; *name; name++)
        buf_append_char(&i->out, strchr("#:\r\n", *name) ? '_' : *name);
}

void info_errorstats(struct info *i)
{
    struct server *s = i->server;

    lock_take(&s->stats_lock);
    for (int n = 0; n < s->errors_len; n++) {
        info_name(i, "errorstat_", s->errors[n].code);
        buf_printf(&i->out, ":count=%" PRIu64 "\r\n", s->errors[n].count);
    }
    lock_release(&s->stats_lock);
}

/* ---- keyspace ------------------------------------------------------------------------------- */

void info_keyspace(struct info *i)
{
    struct keyspace *ks = &i->server->keyspace;

    for (int db = 0; db < ks->databases; db++) {
        struct keyspace_totals n = keyspace_totals(ks, db);

        if (!n.keys)
            continue;
        buf_printf(&i->out,
                   "db%d:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=%" PRId64
                   ",subexpiry=%" PRIu64 "\r\n",
                   db, n.keys, n.expiring, n.expiring ? keyspace_mean_ttl(ks, db, i->now_ms) : 0,
                   n.parted);
    }
}
