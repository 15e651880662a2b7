/* What memory is used for, see memory_usage.h. */
#include "server/memory_usage.h"

#include "server/conn.h"
#include "server/worker.h"

static size_t clients_memory(const struct server *s)
{
    size_t bytes = 0;

    for (int i = 0; i < s->workers_len; i++) {
        LIST_EACH (c, &s->workers[i].conns, struct conn, link)
            bytes += conn_memory(c);
    }
    return bytes;
}

static void measure_tables(const struct server *s, struct memory_usage *u)
{
    const struct keyspace *ks = &s->keyspace;

    for (int db = 0; db < ks->databases; db++) {
        u->tables += keyspace_overhead(ks, db);
        u->keys += keyspace_count(ks, db);
    }
}

void memory_usage_measure(struct server *s, struct memory_usage *u)
{
    *u = (struct memory_usage){
        .used = mem_used(),
        .rss = mem_rss(),
        .startup = s->start_memory,
        .clients = clients_memory(s),
    };
    measure_tables(s, u);
    u->overhead = u->startup + u->clients + u->tables;
    u->dataset = u->used > u->overhead ? u->used - u->overhead : 0;
    server_note_peak(s, u->used);
    u->peak = atomic_load(&s->peak_memory);
    mem_allocator_stats(&u->allocator);
    if (u->allocator.allocated)
        return;
    u->allocator.allocated = u->used;
    u->allocator.active = u->allocator.resident = u->rss;
}

size_t memory_usage_per_key(const struct memory_usage *u)
{
    return u->keys && u->used > u->startup ? (u->used - u->startup) / u->keys : 0;
}

double memory_usage_dataset_percent(const struct memory_usage *u)
{
    return u->used > u->startup ? 100 * memory_ratio(u->dataset, u->used - u->startup) : 0;
}
