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
