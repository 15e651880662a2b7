/*
 * MIGRATE's way to another server: a thread for each sends the values, and takes the answers. No
 * key is locked meanwhile. What has arrived there is taken away here when the thread is done,
 * unless it was changed since: then it stays, and the answer says so.
 */
#ifndef LK_SERVER_MIGRATION_H
#define LK_SERVER_MIGRATION_H

#include "server/call.h"

struct migrating_key {
    struct slice key; /* owned */
    uint64_t version; /* that is sent */
    int64_t ttl_ms;   /* 0: for ever */
    struct buf dump;
    bool arrived;
};

struct migration {
    char *host, *port, *user, *password; /* owned; the last two may be NULL */
    int64_t db, timeout_ms;              /* for each step on the way */
    bool copy, replace;
    struct migrating_key *keys; /* owned */
    size_t keys_len;

    /* The rest is migration_begin()'s. */
    struct worker *worker;
    uint64_t client;
    int from_db;
    bool silent;
    struct buf reply;
};

struct migration *migration_new(size_t most_keys);
/* Takes it over. The call is answered when it is over. */
void migration_begin(struct call *c, struct migration *m);
void migration_free(struct migration *m);

/* No other one comes: waits for those that are on their way, which give up. On the main thread. */
void migrations_await(struct server *s);

#endif
