/* INFO memory, see info.h. */
#include "server/info.h"

#include "server/eviction.h"
#include "server/memory_usage.h"
#include "server/reaper.h"

#include <unistd.h>

/* ---- sizes ---------------------------------------------------------------------------------- */

static void human_size(struct buf *out, uint64_t bytes)
{
    static const char units[] = "BKMGTP";
    double n = (double)bytes;
    size_t unit = 0;

    while (n >= 1024 && unit < sizeof(units) - 2) {
        n /= 1024;
        unit++;
    }
    if (unit == 0)
        buf_printf(out, "%" PRIu64 "B", bytes);
    else
        buf_printf(out, "%.2f%c", n, units[unit]);
}

void info_size(struct info *i, const char *field, uint64_t bytes)
{
    buf_printf(&i->out, "%s:%" PRIu64 "\r\n%s_human:", field, bytes, field);
    human_size(&i->out, bytes);
    buf_append_str(&i->out, "\r\n");
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void percent(struct info *i, const char *field, double v)
{
    buf_printf(&i->out, "%s:%.2f%%\r\n", field, v);
}

static void used(struct info *i, const struct memory_usage *u)
{
    info_size(i, "used_memory", u->used);
    info_size(i, "used_memory_rss", u->rss);
    info_size(i, "used_memory_peak", u->peak);
    percent(i, "used_memory_peak_perc", 100 * memory_ratio(u->used, u->peak));
    info_int(i, "used_memory_overhead", (int64_t)u->overhead);
    info_int(i, "used_memory_startup", (int64_t)u->startup);
    info_int(i, "used_memory_dataset", (int64_t)u->dataset);
    percent(i, "used_memory_dataset_perc", memory_usage_dataset_percent(u));
    info_int(i, "allocator_allocated", (int64_t)u->allocator.allocated);
    info_int(i, "allocator_active", (int64_t)u->allocator.active);
    info_int(i, "allocator_resident", (int64_t)u->allocator.resident);
    info_size(i, "total_system_memory",
              (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
}

/* There are no scripts and no functions. */
static void scripts(struct info *i)
{
    info_int(i, "used_memory_lua", 0);
    info_int(i, "used_memory_vm_eval", 0);
    info_text(i, "used_memory_lua_human", "0B");
    info_int(i, "used_memory_scripts_eval", 0);
    info_int(i, "number_of_cached_scripts", 0);
    info_int(i, "number_of_functions", 0);
    info_int(i, "number_of_libraries", 0);
    info_int(i, "used_memory_vm_functions", 0);
    info_size(i, "used_memory_vm_total", 0);
    info_int(i, "used_memory_functions", 0);
    info_size(i, "used_memory_scripts", 0);
}

/* How much of `whole` there is to each byte of `part`, and what lies between them. */
static void waste(struct info *i, const char *field, const char *ratio_field, size_t whole,
                  size_t part)
{
    info_ratio(i, ratio_field, memory_ratio(whole, part));
    buf_printf(&i->out, "%s:%" PRId64 "\r\n", field, (int64_t)whole - (int64_t)part);
}

static void fragmentation(struct info *i, const struct memory_usage *u)
{
    const struct mem_allocator_stats *a = &u->allocator;

    waste(i, "allocator_frag_bytes", "allocator_frag_ratio", a->active, a->allocated);
    waste(i, "allocator_rss_bytes", "allocator_rss_ratio", a->resident, a->active);
    waste(i, "rss_overhead_bytes", "rss_overhead_ratio", u->rss, a->resident);
    waste(i, "mem_fragmentation_bytes", "mem_fragmentation_ratio", u->rss, u->used);
}

static void policy(struct info *i)
{
    buf_append_str(&i->out, "maxmemory_policy:");
    conf_format(i->conf, conf_find(SLICE("maxmemory-policy")), &i->out);
    buf_append_str(&i->out, "\r\n");
}

void info_memory(struct info *i)
{
    struct memory_usage u;

    memory_usage_measure(i->server, &u);
    used(i, &u);
    scripts(i);
    info_size(i, "maxmemory", i->conf->maxmemory);
    policy(i);
    fragmentation(i, &u);
    info_int(i, "mem_not_counted_for_evict", (int64_t)eviction_not_counted(i->server));
    info_int(i, "mem_replication_backlog", 0);
    info_int(i, "mem_total_replication_buffers", 0);
    info_int(i, "mem_clients_slaves", 0);
    info_int(i, "mem_clients_normal", (int64_t)u.clients);
    info_int(i, "mem_cluster_links", 0);
    info_int(i, "mem_aof_buffer", 0);
    info_text(i, "mem_allocator", mem_allocator_name());
    info_int(i, "active_defrag_running", 0);
    info_int(i, "lazyfree_pending_objects", (int64_t)reaper_pending(i->server->reaper));
    info_int(i, "lazyfreed_objects", (int64_t)reaper_freed(i->server->reaper));
}
