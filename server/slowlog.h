/* The slow log: the last commands that took longer than slowlog-log-slower-than. */
#ifndef LK_SERVER_SLOWLOG_H
#define LK_SERVER_SLOWLOG_H

#include "base/list.h"
#include "server/call.h"

enum { SLOWLOG_ARGS_MAX = 32, SLOWLOG_ARG_MAX = 128 };

struct slow_entry {
    struct list link;
    uint64_t id;
    int64_t time_s, us;
    int argc;
    struct slice argv[SLOWLOG_ARGS_MAX]; /* owned */
    char *peer, *name;
};

struct slowlog {
    struct lock lock;    /* everything below */
    struct list entries; /* the newest first */
    int64_t len;
    uint64_t next_id;
};

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *log);
/* The call took `us` microseconds: it is noted if that is slow. Any thread. */
void slowlog_note(struct call *c, uint64_t us);
void slowlog_reset(struct slowlog *log);
/* The lock is held. */
void slowlog_trim_locked(struct slowlog *log, int64_t max);

#endif
