/* INFO: server, cpu, and what concerns features of Redis that have no figures here. See info.h. */
#include "server/info.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/version.h"
#include "server/process.h"

#include <event2/event.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { SECONDS_A_DAY = 24 * 60 * 60, LRU_CLOCK_MASK = (1 << 24) - 1 };

/* ---- server --------------------------------------------------------------------------------- */

static const char *supervisor_name(const struct conf *conf)
{
    switch (process_supervisor(conf)) {
    case CONF_SUPERVISED_SYSTEMD:
        return "systemd";
    case CONF_SUPERVISED_UPSTART:
        return "upstart";
    default:
        return "no";
    }
}

/* What was built, and for what. */
static void program(struct info *i)
{
    struct utsname os;

    uname(&os);
    info_text(i, "redis_version", REDIS_VERSION);
    info_text(i, "redis_git_sha1", "00000000");
    info_text(i, "redis_git_dirty", "0");
    info_text(i, "redis_build_id", "0000000000000000");
    info_text(i, "latchkey_version", LATCHKEY_VERSION);
    info_text(i, "redis_mode", "standalone");
    buf_printf(&i->out, "os:%s %s %s\r\n", os.sysname, os.release, os.machine);
    info_int(i, "arch_bits", (int64_t)sizeof(void *) * 8);
    info_text(i, "monotonic_clock", "POSIX clock_gettime");
    info_text(i, "multiplexing_api", event_base_get_method(i->server->main_base));
    info_text(i, "atomicvar_api", "c11-builtin");
    info_text(i, "gcc_version", __VERSION__);
}

void info_server(struct info *i)
{
    const struct server *s = i->server;
    int64_t up_s = (clock_mono_ms() - s->started_mono_ms) / 1000;

    program(i);
    info_int(i, "process_id", getpid());
    info_text(i, "process_supervised", supervisor_name(i->conf));
    info_text(i, "run_id", s->run_id);
    info_int(i, "tcp_port", i->conf->port);
    info_int(i, "server_time_usec", clock_wall_us());
    info_int(i, "uptime_in_seconds", up_s);
    info_int(i, "uptime_in_days", up_s / SECONDS_A_DAY);
    info_int(i, "hz", i->conf->hz);
    info_int(i, "configured_hz", i->conf->hz);
    info_int(i, "lru_clock", i->now_ms / 1000 & LRU_CLOCK_MASK);
    info_text(i, "executable", s->executable);
    info_text(i, "config_file", s->config_file ? s->config_file : "");
    info_int(i, "io_threads_active", s->workers_len > 1);
    info_int(i, "worker_threads", s->workers_len);
}

/* ---- cpu ------------------------------------------------------------------------------------ */

static void seconds(struct info *i, const char *field, struct timeval tv)
{
    buf_printf(&i->out, "%s:%ld.%06ld\r\n", field, (long)tv.tv_sec, (long)tv.tv_usec);
}

/* The thread that is meant by "main" is that which answers: threads here are alike. */
void info_cpu(struct info *i)
{
    struct rusage self, children, thread;

    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    getrusage(RUSAGE_THREAD, &thread);
    seconds(i, "used_cpu_sys", self.ru_stime);
    seconds(i, "used_cpu_user", self.ru_utime);
    seconds(i, "used_cpu_sys_children", children.ru_stime);
    seconds(i, "used_cpu_user_children", children.ru_utime);
    seconds(i, "used_cpu_sys_main_thread", thread.ru_stime);
    seconds(i, "used_cpu_user_main_thread", thread.ru_utime);
}

/* ---- the rest ------------------------------------------------------------------------------- */

/* Nothing is written to disk: what a Redis says that was never told to. */
void info_persistence(struct info *i)
{
    static const char before[] = "loading:0\r\n"
                                 "async_loading:0\r\n"
                                 "current_cow_peak:0\r\n"
                                 "current_cow_size:0\r\n"
                                 "current_cow_size_age:0\r\n"
                                 "current_fork_perc:0.00\r\n"
                                 "current_save_keys_processed:0\r\n"
                                 "current_save_keys_total:0\r\n";
    static const char behind[] = "rdb_last_bgsave_status:ok\r\n"
                                 "rdb_last_bgsave_time_sec:-1\r\n"
                                 "rdb_current_bgsave_time_sec:-1\r\n"
                                 "rdb_saves:0\r\n"
                                 "rdb_last_cow_size:0\r\n"
                                 "rdb_last_load_keys_expired:0\r\n"
                                 "rdb_last_load_keys_loaded:0\r\n"
                                 "aof_enabled:0\r\n"
                                 "aof_rewrite_in_progress:0\r\n"
                                 "aof_rewrite_scheduled:0\r\n"
                                 "aof_last_rewrite_time_sec:-1\r\n"
                                 "aof_current_rewrite_time_sec:-1\r\n"
                                 "aof_last_bgrewrite_status:ok\r\n"
                                 "aof_rewrites:0\r\n"
                                 "aof_rewrites_consecutive_failures:0\r\n"
                                 "aof_last_write_status:ok\r\n"
                                 "aof_last_cow_size:0\r\n"
                                 "module_fork_in_progress:0\r\n"
                                 "module_fork_last_cow_size:0\r\n";

    buf_append_str(&i->out, before);
    info_int(i, "rdb_changes_since_last_save",
             (int64_t)(i->stats.dirty - i->server->dirty_at_save));
    info_int(i, "rdb_bgsave_in_progress", 0);
    info_int(i, "rdb_last_save_time", i->server->started_s);
    buf_append_str(&i->out, behind);
}

void info_replication(struct info *i)
{
    info_text(i, "role", "master");
    info_int(i, "connected_slaves", 0);
    info_text(i, "master_failover_state", "no-failover");
    info_text(i, "master_replid", i->server->replication_id);
    info_text(i, "master_replid2", "0000000000000000000000000000000000000000");
    info_int(i, "master_repl_offset", 0);
    info_int(i, "second_repl_offset", -1);
    info_int(i, "repl_backlog_active", 0);
    info_int(i, "repl_backlog_size", (int64_t)i->conf->repl_backlog_size);
    info_int(i, "repl_backlog_first_byte_offset", 0);
    info_int(i, "repl_backlog_histlen", 0);
}

void info_modules(struct info *i)
{
    (void)i;
}

void info_cluster(struct info *i)
{
    info_int(i, "cluster_enabled", 0);
}
