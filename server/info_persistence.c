/* INFO: persistence. See info.h. */
#include "server/info.h"
#include "server/loading.h"
#include "server/logging.h"
#include "server/rewriting.h"
#include "server/saving.h"

#include "base/clock.h"

static void snapshots(struct info *i, const struct saving_facts *f)
{
    info_int(i, "rdb_changes_since_last_save", (int64_t)f->changes);
    info_int(i, "rdb_bgsave_in_progress", f->running);
    info_int(i, "rdb_last_save_time", f->last_save_s);
    info_text(i, "rdb_last_bgsave_status", f->ok ? "ok" : "err");
    info_int(i, "rdb_last_bgsave_time_sec", f->last_took_s);
    info_int(i, "rdb_current_bgsave_time_sec", f->running_s);
    info_int(i, "rdb_saves", (int64_t)f->saves);
    info_int(i, "rdb_last_cow_size", 0);
    info_int(i, "rdb_last_load_keys_expired", (int64_t)i->server->load_expired);
    info_int(i, "rdb_last_load_keys_loaded", (int64_t)i->server->load_keys);
}

/* What the snapshot in hand, or the last one, took from others. */
static void toll(struct info *i, struct toll *t)
{
    info_int(i, "snapshot_moment_us", (int64_t)atomic_load(&t->moment_ns) / 1000);
    info_int(i, "snapshot_hold_max_us", (int64_t)atomic_load(&t->hold_ns) / 1000);
    info_int(i, "snapshot_hold_max_bytes", (int64_t)atomic_load(&t->hold_bytes));
    info_int(i, "snapshot_first_max_us", (int64_t)atomic_load(&t->first_ns) / 1000);
    info_int(i, "snapshot_first_max_bytes", (int64_t)atomic_load(&t->first_bytes));
    info_int(i, "snapshot_unwritten_max_bytes", (int64_t)atomic_load(&t->unwritten_most));
}

static void sizes_of_log(struct info *i, const struct rewriting_facts *f)
{
    struct journal_stats stats;

    journal_stats(i->server->journal, &stats);
    info_int(i, "aof_current_size", (int64_t)stats.size);
    info_int(i, "aof_base_size", (int64_t)stats.base_size);
    info_int(i, "aof_pending_rewrite", f->scheduled);
    info_int(i, "aof_buffer_length", (int64_t)stats.buffered);
    info_int(i, "aof_writers_held", (int64_t)i->stats.writers_held);
    info_int(i, "aof_pending_bio_fsync", stats.syncing);
    info_int(i, "aof_delayed_fsync", (int64_t)stats.delayed_syncs);
    info_int(i, "aof_last_seq", (int64_t)journal_seq(i->server->journal));
    info_int(i, "aof_durable_seq", (int64_t)journal_durable(i->server->journal));
}

static void log_of_changes(struct info *i)
{
    struct rewriting_facts f = rewriting_facts(i->server);
    bool on = logging_is_on(i->server);

    info_int(i, "aof_enabled", on);
    info_int(i, "aof_rewrite_in_progress", f.running);
    info_int(i, "aof_rewrite_scheduled", f.scheduled);
    info_int(i, "aof_last_rewrite_time_sec", f.last_took_s);
    info_int(i, "aof_current_rewrite_time_sec", f.running_s);
    info_text(i, "aof_last_bgrewrite_status", f.ok ? "ok" : "err");
    info_int(i, "aof_rewrites", (int64_t)f.done);
    info_int(i, "aof_rewrites_consecutive_failures", (int64_t)f.failures);
    info_text(i, "aof_last_write_status", server_gate(i->server, GATE_LOG_BROKEN) ? "err" : "ok");
    info_int(i, "aof_last_cow_size", 0);
    info_int(i, "module_fork_in_progress", 0);
    info_int(i, "module_fork_last_cow_size", 0);
    if (on || loading_is_of_log(i->server->loading))
        sizes_of_log(i, &f);
}

/* As Redis reckons: a second, as long as none is over. */
static int64_t seconds_left(const struct loading_facts *f)
{
    int64_t passed_s = clock_wall_ms() / 1000 - f->began_s;
    uint64_t left = f->total > f->loaded ? f->total - f->loaded : 0;

    return passed_s > 0 ? (int64_t)((double)passed_s * (double)left / (double)(f->loaded + 1)) : 1;
}

static void loading(struct info *i, const struct loading_facts *f)
{
    double share = f->total ? (double)f->loaded / (double)f->total : 0;

    info_int(i, "loading_start_time", f->began_s);
    info_int(i, "loading_total_bytes", (int64_t)f->total);
    info_int(i, "loading_rdb_used_mem", (int64_t)f->used_memory);
    info_int(i, "loading_loaded_bytes", (int64_t)f->loaded);
    info_ratio(i, "loading_loaded_perc", share * 100);
    info_int(i, "loading_eta_seconds", seconds_left(f));
}

void info_persistence(struct info *i)
{
    struct saving_facts f = saving_facts(i->server, i->stats.dirty);
    const struct loading_job *l = i->server->loading;
    struct loading_facts lf;

    info_int(i, "loading", l != NULL);
    info_int(i, "async_loading", 0);
    info_int(i, "current_cow_peak", 0);
    info_int(i, "current_cow_size", 0);
    info_int(i, "current_cow_size_age", 0);
    info_ratio(i, "current_fork_perc", f.keys ? (double)f.keys_done * 100 / (double)f.keys : 0);
    info_int(i, "current_save_keys_processed", (int64_t)f.keys_done);
    info_int(i, "current_save_keys_total", (int64_t)f.keys);
    snapshots(i, &f);
    toll(i, &i->server->keyspace.toll);
    log_of_changes(i);
    if (l) {
        lf = loading_facts(l);
        loading(i, &lf);
    }
}
