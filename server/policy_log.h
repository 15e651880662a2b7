/*
 * Policies in the log: what is set while the server runs, by POLICY or CONFIG SET, comes back after
 * a restart, on top of what the configuration says. Lines of the log (log_lines.h), and of
 * snapshots:
 *
 *     policy PREFIX IDLE MAXAGE MAXKEYS MAXMEMORY     its rules, 0 for none
 *     nopolicy PREFIX                                 it has none
 *     rewritten                                       CONFIG REWRITE: the configuration says it all
 *
 * A snapshot has what is other than the configuration says. The world is stopped, for all of it.
 */
#ifndef LK_SERVER_POLICY_LOG_H
#define LK_SERVER_POLICY_LOG_H

#include "server/server.h"
#include "storage/log/records.h"

struct policy_log;

/* What the configuration says at the start. */
struct policy_log *policy_log_new(const struct conf *conf);
void policy_log_free(struct policy_log *p);

/* The configuration is about to become `to`; or was written to its file. */
void policy_log_changed(struct server *s, const struct conf *to);
void policy_log_rewritten(struct server *s);
/* The number of the last group that told of policies, 0 for none. Any thread. */
uint64_t policy_log_seq(const struct server *s);
void policy_log_all(struct server *s, struct records *out);

/* A line; false if it is none of policies, or makes no sense. And when all have come: it is so. */
bool policy_restores(struct slice word);
bool policy_restore(struct server *s, const struct slice *argv, int argc);
void policy_restored(struct server *s);

#endif
