/*
 * The keys of requests that specifications cannot describe; for the rows of their commands, see
 * struct command. These look at the arguments as little as it takes to be sure: a request that
 * turns out to make no sense is the handler's.
 */
#ifndef LK_SERVER_REQUEST_KEYS_H
#define LK_SERVER_REQUEST_KEYS_H

#include "server/command.h"

/* SORT: where its result goes; and whether it reads keys that are named by elements. */
bool sort_find_key(const struct slice *argv, int argc, struct key_position *out);
bool sort_needs_world(const struct slice *argv, int argc);

/* LOCK.ACQUIRE: names, the first of which may be anything, up to the first option. */
int lock_find_names(const struct slice *argv, int argc, struct key_position *out, int max);

/* LOCK.RENEW * LEASE ms: the locks of the session, in whatever shards they are. */
bool lock_renews_all(const struct slice *argv, int argc);

/*
 * GEORADIUS and GEORADIUSBYMEMBER: the last STORE or STOREDIST counts, and specifications find the
 * first.
 */
bool georadius_needs_world(const struct slice *argv, int argc);

#endif
