/* MEMORY: what memory is used for. */
#include "server/memory_usage.h"
#include "server/reply.h"
#include "storage/value_types.h"

#include <stdio.h>

enum { SAMPLES_DEFAULT = 5 };

/* ---- MEMORY USAGE --------------------------------------------------------------------------- */

static bool samples_of(struct call *c, int64_t *samples)
{
    *samples = SAMPLES_DEFAULT;
    for (int i = 3; i < c->argc; i += 2) {
        if (!call_arg_is(c, i, "samples") || i + 1 == c->argc)
            return call_syntax_error(c);
        if (!call_int(c, i + 1, samples))
            return false;
        if (*samples < 0)
            return call_syntax_error(c);
    }
    return true;
}

/* MEMORY USAGE key [SAMPLES count] */
void cmd_memory_usage(struct call *c)
{
    const struct entry *e;
    int64_t samples;

    if (!samples_of(c, &samples))
        return;
    e = call_peek(c, 2);
    if (e)
        reply_int(c, (int64_t)keyspace_footprint(e, (size_t)samples));
    else
        reply_null(c);
}

/* ---- MEMORY STATS --------------------------------------------------------------------------- */

static void pair_int(struct call *c, const char *name, int64_t v, int64_t *pairs)
{
    reply_cstr(c, name);
    reply_int(c, v);
    ++*pairs;
}

static void pair_double(struct call *c, const char *name, double v, int64_t *pairs)
{
    reply_cstr(c, name);
    reply_double(c, v);
    ++*pairs;
}

/* What lies between two sizes, as their ratio and as bytes. */
static void pair_waste(struct call *c, const char *ratio, const char *bytes, size_t whole,
                       size_t part, int64_t *pairs)
{
    pair_double(c, ratio, memory_ratio(whole, part), pairs);
    pair_int(c, bytes, (int64_t)whole - (int64_t)part, pairs);
}

/* A database's tables and expiry indexes. */
static void pair_database(struct call *c, int db, int64_t *pairs)
{
    const struct keyspace *ks = &c->server->keyspace;
    size_t expires = keyspace_expiry_memory(ks, db);
    int64_t inner = 0;
    char name[32];

    if (!keyspace_count(ks, db))
        return;
    snprintf(name, sizeof(name), "db.%d", db);
    reply_cstr(c, name);
    reply_map(c, 3);
    pair_int(c, "overhead.hashtable.main", (int64_t)(keyspace_overhead(ks, db) - expires), &inner);
    pair_int(c, "overhead.hashtable.expires", (int64_t)expires, &inner);
    pair_int(c, "overhead.hashtable.slot-to-keys", 0, &inner);
    ++*pairs;
}

static void stats_of_allocator(struct call *c, const struct memory_usage *u, int64_t *pairs)
{
    const struct mem_allocator_stats *a = &u->allocator;

    pair_int(c, "allocator.allocated", (int64_t)a->allocated, pairs);
    pair_int(c, "allocator.active", (int64_t)a->active, pairs);
    pair_int(c, "allocator.resident", (int64_t)a->resident, pairs);
    pair_waste(c, "allocator-fragmentation.ratio", "allocator-fragmentation.bytes", a->active,
               a->allocated, pairs);
    pair_waste(c, "allocator-rss.ratio", "allocator-rss.bytes", a->resident, a->active, pairs);
    pair_waste(c, "rss-overhead.ratio", "rss-overhead.bytes", u->rss, a->resident, pairs);
    pair_waste(c, "fragmentation", "fragmentation.bytes", u->rss, u->used, pairs);
}

/* MEMORY STATS, with the world stopped */
void cmd_memory_stats(struct call *c)
{
    size_t begin = write_begin(&c->out);
    struct memory_usage u;
    int64_t pairs = 0;

    memory_usage_measure(c->server, &u);
    pair_int(c, "peak.allocated", (int64_t)u.peak, &pairs);
    pair_int(c, "total.allocated", (int64_t)u.used, &pairs);
    pair_int(c, "startup.allocated", (int64_t)u.startup, &pairs);
    pair_int(c, "replication.backlog", 0, &pairs);
    pair_int(c, "clients.slaves", 0, &pairs);
    pair_int(c, "clients.normal", (int64_t)u.clients, &pairs);
    pair_int(c, "cluster.links", 0, &pairs);
    pair_int(c, "aof.buffer", 0, &pairs);
    pair_int(c, "lua.caches", 0, &pairs);
    pair_int(c, "functions.caches", 0, &pairs);
    for (int db = 0; db < c->server->keyspace.databases; db++)
        pair_database(c, db, &pairs);
    pair_int(c, "overhead.total", (int64_t)u.overhead, &pairs);
    pair_int(c, "keys.count", (int64_t)u.keys, &pairs);
    pair_int(c, "keys.bytes-per-key", (int64_t)memory_usage_per_key(&u), &pairs);
    pair_int(c, "dataset.bytes", (int64_t)u.dataset, &pairs);
    pair_double(c, "dataset.percentage", memory_usage_dataset_percent(&u), &pairs);
    pair_double(c, "peak.percentage", 100 * memory_ratio(u.used, u.peak), &pairs);
    stats_of_allocator(c, &u, &pairs);
    write_end_map(&c->out, begin, pairs);
}

/* ---- MEMORY DOCTOR -------------------------------------------------------------------------- */

enum { WORTH_A_LOOK = 5 << 20, WASTE_TO_MENTION = 10 << 20, CLIENT_TO_MENTION = 200 << 10 };

/* `whole` is so much more than `part` that something may be done about it. */
static bool wasteful(size_t whole, size_t part, double ratio)
{
    return memory_ratio(whole, part) > ratio && whole - part > WASTE_TO_MENTION;
}

static void find_issues(const struct memory_usage *u, int64_t clients, struct buf *out)
{
    const struct mem_allocator_stats *a = &u->allocator;

    if (memory_ratio(u->peak, u->used) > 1.5)
        buf_append_str(out,
                       "- The peak was more than half as much again as what is used now. Pages "
                       "that were used then may still be held: MEMORY PURGE gives them back.\n");
    if (wasteful(u->rss, u->used, 1.4))
        buf_append_str(out, "- The process holds at least 1.4 times the memory that it uses.\n");
    if (wasteful(a->active, a->allocated, 1.1))
        buf_append_str(out, "- The allocator's pages are fragmented: more than a tenth of them is "
                            "unused. Values of quite different sizes than before do that.\n");
    if (wasteful(a->resident, a->active, 1.1))
        buf_append_str(out, "- The allocator keeps many pages that nothing is in: MEMORY PURGE "
                            "gives them back.\n");
    if (wasteful(u->rss, a->resident, 1.1))
        buf_append_str(out, "- Much memory of the process is none of the allocator's.\n");
    if (clients && u->clients / (size_t)clients > CLIENT_TO_MENTION)
        buf_append_str(out,
                       "- The buffers of connections are large on average. Some client may not "
                       "read its replies: see CLIENT LIST.\n");
}

/* MEMORY DOCTOR, with the world stopped */
void cmd_memory_doctor(struct call *c)
{
    struct memory_usage u;
    struct buf issues = {0};

    memory_usage_measure(c->server, &u);
    if (u.used < u.startup + WORTH_A_LOOK)
        buf_append_str(&issues, "So little memory is used that there is nothing to examine.\n");
    else
        find_issues(&u, atomic_load(&c->server->clients), &issues);
    if (!issues.len)
        buf_append_str(&issues, "No problems with memory were found.\n");
    reply_verbatim(c, "txt", buf_slice(&issues));
    buf_release(&issues);
}

/* ---- the allocator -------------------------------------------------------------------------- */

/* MEMORY PURGE */
void cmd_memory_purge(struct call *c)
{
    mem_purge();
    reply_ok(c);
}

/* MEMORY MALLOC-STATS */
void cmd_memory_malloc_stats(struct call *c)
{
    char *report = mem_allocator_report();

    reply_verbatim(c, "txt", slice_str(report));
    mem_free(report);
}

/* MEMORY HELP */
void cmd_memory_help(struct call *c)
{
    static const char *const lines[] = {
        "DOCTOR",
        "    Look for problems with memory.",
        "MALLOC-STATS",
        "    Let the allocator tell about itself.",
        "PURGE",
        "    Give memory that the allocator holds unused back to the system.",
        "STATS",
        "    Tell what memory is used for.",
        "USAGE <key> [SAMPLES <count>]",
        "    Tell how many bytes <key> with its value takes. Of a collection <count>",
        "    elements are measured, 5 if not told otherwise, all with 0.",
        NULL,
    };

    reply_help(c, lines);
}
