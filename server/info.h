/*
 * INFO: what the server tells of itself, as lines of text in sections. The fields and their order
 * are those of Redis 7, since dashboards and exporters look for them; what Redis does not have
 * stands beside its next of kin.
 *
 *     info_sections.c      which sections, in which order
 *     info_server.c        server, cpu, replication, and what this server has no feature for
 *     info_clients.c       clients
 *     info_memory.c        memory
 *     info_persistence.c   persistence
 *     info_stats.c         stats, errorstats, keyspace
 *     info_locks.c         locks
 *     info_backend.c       backend
 *     info_commands.c      commandstats, latencystats
 *
 * All of it runs with the world stopped, so that sums over workers are exact.
 */
#ifndef LK_SERVER_INFO_H
#define LK_SERVER_INFO_H

#include "base/buf.h"
#include "server/call.h"

#include <inttypes.h>

struct info {
    struct buf out;
    struct server *server;
    const struct conf *conf;
    const struct worker *worker; /* that which answers */
    struct stats stats;          /* of all workers */
    int64_t now_ms;
};

/* One line each. */
static inline void info_int(struct info *i, const char *field, int64_t v)
{
    buf_printf(&i->out, "%s:%" PRId64 "\r\n", field, v);
}
static inline void info_text(struct info *i, const char *field, const char *text)
{
    buf_printf(&i->out, "%s:%s\r\n", field, text);
}
static inline void info_ratio(struct info *i, const char *field, double v)
{
    buf_printf(&i->out, "%s:%.2f\r\n", field, v);
}
/* The beginning of a line; signs that would end a name are replaced. */
void info_name(struct info *i, const char *prefix, const char *name);
/* Two lines: in bytes, and for people. */
void info_size(struct info *i, const char *field, uint64_t bytes);

void info_server(struct info *i);
void info_clients(struct info *i);
void info_memory(struct info *i);
void info_persistence(struct info *i);
void info_stats(struct info *i);
void info_replication(struct info *i);
void info_cpu(struct info *i);
void info_modules(struct info *i);
void info_commandstats(struct info *i);
void info_errorstats(struct info *i);
void info_latencystats(struct info *i);
void info_cluster(struct info *i);
void info_locks(struct info *i);
void info_backend(struct info *i);
void info_keyspace(struct info *i);

#endif
