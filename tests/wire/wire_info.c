/*
 * What the server tells of itself: the sections and fields of INFO, its counts, and MONITOR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* The fields of each section that dashboards and exporters read. */
static const char *const info_fields[][2] = {
    {"server", "redis_version redis_mode os arch_bits multiplexing_api process_id run_id tcp_port "
               "server_time_usec uptime_in_seconds uptime_in_days hz configured_hz lru_clock "
               "executable config_file io_threads_active"},
    {"clients", "connected_clients cluster_connections maxclients "
                "client_recent_max_input_buffer client_recent_max_output_buffer blocked_clients "
                "tracking_clients clients_in_timeout_table"},
    {"memory", "used_memory used_memory_human used_memory_rss used_memory_rss_human "
               "used_memory_peak used_memory_peak_human used_memory_peak_perc "
               "used_memory_overhead used_memory_startup used_memory_dataset "
               "used_memory_dataset_perc allocator_allocated allocator_active "
               "allocator_resident total_system_memory total_system_memory_human "
               "used_memory_lua used_memory_scripts maxmemory maxmemory_human "
               "maxmemory_policy allocator_frag_ratio allocator_frag_bytes allocator_rss_ratio "
               "allocator_rss_bytes rss_overhead_ratio rss_overhead_bytes "
               "mem_fragmentation_ratio mem_fragmentation_bytes mem_not_counted_for_evict "
               "mem_replication_backlog mem_clients_slaves mem_clients_normal mem_aof_buffer "
               "mem_allocator active_defrag_running lazyfree_pending_objects lazyfreed_objects"},
    {"persistence", "loading async_loading current_cow_size rdb_changes_since_last_save "
                    "rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status "
                    "rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves "
                    "rdb_last_cow_size aof_enabled aof_rewrite_in_progress "
                    "aof_rewrite_scheduled aof_last_rewrite_time_sec "
                    "aof_current_rewrite_time_sec aof_last_bgrewrite_status "
                    "aof_last_write_status aof_last_cow_size"},
    {"stats", "total_connections_received total_commands_processed instantaneous_ops_per_sec "
              "total_net_input_bytes total_net_output_bytes instantaneous_input_kbps "
              "instantaneous_output_kbps rejected_connections sync_full sync_partial_ok "
              "sync_partial_err expired_keys expired_stale_perc "
              "expired_time_cap_reached_count expire_cycle_cpu_milliseconds evicted_keys "
              "evicted_clients keyspace_hits keyspace_misses pubsub_channels pubsub_patterns "
              "pubsubshard_channels latest_fork_usec total_forks migrate_cached_sockets "
              "slave_expires_tracked_keys active_defrag_hits active_defrag_misses "
              "active_defrag_key_hits active_defrag_key_misses tracking_total_keys "
              "tracking_total_items tracking_total_prefixes unexpected_error_replies "
              "total_error_replies dump_payload_sanitizations total_reads_processed "
              "total_writes_processed io_threaded_reads_processed "
              "io_threaded_writes_processed"},
    {"replication", "role connected_slaves master_failover_state master_replid master_replid2 "
                    "master_repl_offset second_repl_offset repl_backlog_active "
                    "repl_backlog_size repl_backlog_first_byte_offset repl_backlog_histlen"},
    {"cpu", "used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children "
            "used_cpu_sys_main_thread used_cpu_user_main_thread"},
    {"cluster", "cluster_enabled"},
    {"keyspace", "db0"},
    {"commandstats", "cmdstat_ping"},
    {"errorstats", "errorstat_ERR"},
    {"latencystats", "latency_percentiles_usec_ping"},
};

/* The value of a field of INFO, "" when it is not there; caller frees. */
static char *info_value(const char *info, const char *field)
{
    char *start, *value, key[100];

    snprintf(key, sizeof(key), "\n%s:", field);
    start = strstr(info, key);
    if (start == NULL)
        return strdup("");
    start += strlen(key);
    value = strndup(start, strcspn(start, "\r\n"));
    return value;
}

static void check_section(struct session *t, const char *section, const char *fields)
{
    char line[100], missing[2000] = "", *info, *all = strdup(fields), *rest = all, *field;

    snprintf(line, sizeof(line), "INFO %s", section);
    info = wire_bulk(session_wire(t, 0), line);
    while ((field = strsep(&rest, " ")) != NULL) {
        char key[100];

        snprintf(key, sizeof(key), "\n%s:", field);
        if (strstr(info, key) == NULL)
            snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s", field);
    }
    is_str(missing, "", "admin RESP%d: INFO %s has its fields", t->protocol, section);
    ok(info[0] == '#' && strstr(info, "\r\n") != NULL, "admin RESP%d: INFO %s has a title",
       t->protocol, section);
    free(info);
    free(all);
}

static void info_sections(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(w, "SET k v");
    wire_call(w, "PING");
    wire_call(w, "INCR k");
    for (size_t i = 0; i < sizeof(info_fields) / sizeof(info_fields[0]); i++)
        check_section(t, info_fields[i][0], info_fields[i][1]);
}

/* The lines of one INFO that are missing in the other, or stand elsewhere in it. */
static void compare_lines(struct session *t, char *theirs, const char *ours)
{
    char *line;

    while ((line = strsep(&theirs, "\n")) != NULL) {
        char key[200];
        const char *at;

        line[strcspn(line, ":\r")] = '\0';
        if (line[0] == '\0')
            continue;
        snprintf(key, sizeof(key), "\n%s%s", line, line[0] == '#' ? "\r" : ":");
        at = strstr(ours, key);
        if (!ok(at != NULL, "admin RESP%d: '%s' of Redis' INFO", t->protocol, line))
            continue;
        ours = at;
    }
}

/* All that Redis tells is told too, in the same order. */
static void info_of_the_oracle(struct session *t)
{
    static const char question[] =
        "INFO server clients memory persistence stats replication cpu modules cluster";
    struct server *oracle = server_start(server_oracle(), (const char *[]){NULL});
    struct wire *w = wire_open(oracle, 2);
    char *theirs = wire_bulk(w, question), *ours = wire_bulk(session_wire(t, 0), question);
    char *whole = NULL;

    if (asprintf(&whole, "\n%s", ours) < 0)
        bail("no memory");
    compare_lines(t, theirs, whole);
    free(whole);
    free(theirs);
    free(ours);
    wire_close(w);
    server_stop(oracle);
}

static void info_arguments(struct session *t)
{
    CASES(t, "INFO's arguments", {"INFO nosuchsection", "=txt:''"},
          {"INFO cluster", "/# Cluster\\\\r\\\\ncluster_enabled:0\\\\r\\\\n'$"},
          {"INFO CLUSTER cpu", "/# CPU.*# Cluster"},
          {"INFO", "/# Server.*# Clients.*# Memory.*# Persistence.*# Stats.*# Replication.*# CPU"
                   ".*# Modules.*# Errorstats.*# Cluster.*# Keyspace"},
          {"INFO default", "/# Server.*# Keyspace"},
          {"INFO all", "/# Commandstats.*# Latencystats"},
          {"INFO everything", "/# Server.*# Commandstats.*# Keyspace"},
          {"INFO keyspace", "=txt:'# Keyspace\\r\\n'"}, {"SET k v EX 100", "+OK"},
          {"INFO keyspace",
           "/# Keyspace\\\\r\\\\ndb0:keys=1,expires=1,avg_ttl=[0-9]+(,subexpiry=0)?\\\\r"},
          {"SELECT 9", "+OK"}, {"MSET a 1 b 2", "+OK"},
          {"INFO keyspace",
           "/db0:keys=1.*\\\\ndb9:keys=2,expires=0,avg_ttl=0(,subexpiry=0)?\\\\r\\\\n'$"});
}

static void has(struct session *t, const char *section, const char *field, const char *regex)
{
    char line[100], *info, *value;

    snprintf(line, sizeof(line), "INFO %s", section);
    info = wire_bulk(session_wire(t, 0), line);
    value = info_value(info, field);
    is_like(value, regex, "admin RESP%d: %s of INFO %s", t->protocol, field, section);
    free(value);
    free(info);
}

static void info_counts(struct session *t)
{
    struct wire *w = session_wire(t, 0), *sub;

    wire_wait_alone(w);
    sub = session_wire(t, 1);
    wire_call(w, "CONFIG RESETSTAT");
    wire_call(w, "SET k v");
    wire_call(w, "GET k");
    wire_call(w, "MGET k none none");
    wire_call(w, "GET");
    wire_call(w, "INCR k");
    wire_call(w, "NOSUCH");
    wire_call(w, "CONFIG GET port");
    wire_call(w, "SET gone v PX 1");
    raw_sleep_ms(20);
    wire_call(w, "EXISTS gone");
    wire_call(sub, "SUBSCRIBE a b");
    wire_read(sub);
    wire_call(sub, "PSUBSCRIBE p*");
    has(t, "stats", "keyspace_hits", "^2$");
    has(t, "stats", "keyspace_misses", "^3$");
    has(t, "stats", "expired_keys", "^1$");
    has(t, "stats", "pubsub_channels", "^2$");
    has(t, "stats", "pubsub_patterns", "^1$");
    has(t, "stats", "total_error_replies", "^3$");
    has(t, "stats", "total_commands_processed", "^[1-9][0-9]$");
    has(t, "clients", "connected_clients", "^2$");
    has(t, "errorstats", "errorstat_ERR", "^count=3$");
    has(t, "commandstats", "cmdstat_get",
        "^calls=1,usec=[0-9]+,usec_per_call=[0-9]+\\.[0-9]{2},rejected_calls=1,failed_calls=0$");
    has(t, "commandstats", "cmdstat_incr", "^calls=1,.*rejected_calls=0,failed_calls=1$");
    has(t, "commandstats", "cmdstat_config|get", "^calls=1,");
    has(t, "latencystats", "latency_percentiles_usec_get",
        "^p50=[0-9.]+,p99=[0-9.]+,p99\\.9=[0-9.]+$");
    wire_call(w, "CONFIG RESETSTAT");
    has(t, "stats", "keyspace_hits", "^0$");
    has(t, "stats", "expired_keys", "^0$");
    has(t, "commandstats", "cmdstat_get", "^$");
    has(t, "errorstats", "errorstat_ERR", "^$");
}

/* What others do, as it was sent; nothing of administrators, no passwords. */
static void monitor(struct session *t)
{
    CASES(t, "MONITOR", {"PING", "+PONG"}, {"@1 MONITOR", "+OK"},
          {"SET k \"v\\x00\\\"\\n\\xff\"", "+OK"},
          {"@1", "/^\\+[0-9]{10}\\.[0-9]{6} \\[0 unix:[^]]+\\] \"SET\" \"k\" "
                 "\"v\\\\x00\\\\\"\\\\n\\\\xff\"$"},
          {"SELECT 3", "+OK"}, {"@1", "/ \\[3 unix:[^]]*\\] \"SELECT\" \"3\"$"}, {"get k", "nil"},
          {"@1", "/ \\[3 unix:[^]]*\\] \"get\" \"k\"$"}, {"AUTH default secret", "+OK"},
          {"@1", "/ \"AUTH\" \"\\(redacted\\)\""}, {"HELLO 2 SETNAME auth AUTH default secret", ""},
          {"", "/'server'"},
          {"@1", "/ \"2\" \"SETNAME\" \"auth\" \"AUTH\" \"\\(redacted\\)\" \"\\(redacted\\)\"$"},
          {"@1 GET k", "-ERR Replica can't interact with the keyspace"}, {"CONFIG GET port", ""},
          {"", "/'port'"}, {"NOSUCH x", "/^-ERR unknown"}, {"GET", "/^-ERR wrong"},
          {"CLIENT ID", "/^:"}, {"@1", "/ \\[3 unix:[^]]*\\] \"CLIENT\" \"ID\"$"},
          {"@1 RESET", "+RESET"}, {"SET k v", "+OK"}, {"@1 PING", "+PONG"}, {"@1", "(silence)"},
          {"MONITOR x", "-ERR wrong number of arguments for 'monitor' command"});
}

/* Several clients in turn: the monitor sees all, those of one client in its order. */
static void monitor_order(struct session *t)
{
    struct wire *m = session_wire(t, 1);
    int next[4] = {0}, wrong = 0;

    for (int i = 0; i < 4; i++)
        session_wire(t, 2 + i);
    wire_call(m, "MONITOR");
    for (int i = 0; i < 400; i++)
        wire_send(session_wire(t, 2 + i % 4), "ECHO x");
    for (int i = 0; i < 4; i++)
        wire_send(session_wire(t, 2 + i), "ECHO end");
    for (int i = 0, ends = 0; ends < 4 && i < 404; i++) {
        const char *line = wire_read(m);

        if (strstr(line, "\"ECHO\" \"end\"") != NULL)
            ends++;
        else if (strstr(line, "\"ECHO\" \"x\"") != NULL)
            next[0]++;
        else
            wrong++;
    }
    is_int(next[0], 400, "admin RESP%d: MONITOR sees every command", t->protocol);
    is_int(wrong, 0, "admin RESP%d: and nothing else", t->protocol);
}

static const struct group groups[] = {
    TEST(info_sections),
    NEW_TEST(info_of_the_oracle),
    TEST(info_arguments),
    TEST(info_counts),
    TEST(monitor),
    TEST(monitor_order),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("info", "", threads, groups);
}
