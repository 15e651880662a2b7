/*
 * The home of the data: a table of a SQL database (storage/backend/) in which database 0 lives, and
 * of which memory holds what is in use. Here is the server's side of it as a whole; README.md tells
 * of the parts.
 *
 *     connecting --the connection is made--> standby --the lease is ours--> loading --> ready
 *          ^                                    |                              |         |  ^
 *          '------- the connection breaks ------'------------------------------'         v  |
 *                                               ^--- somebody else has the lease ----- down -'
 *
 * Only "ready" and "down" serve data: "down" what is in memory. One thread, which has the
 * connection with the lease, goes through these states (link.h) and writes (drain.h); others read.
 */
#ifndef LK_SERVER_BACKEND_HOME_H
#define LK_SERVER_BACKEND_HOME_H

#include "base/buf.h"
#include "base/inbox.h"
#include "server/backend/dirty.h"
#include "storage/backend/backend.h"

#include <pthread.h>

struct call;
struct conn;
struct drain;
struct key_locks;
struct later;
struct reading;

enum home_state { HOME_CONNECTING, HOME_STANDBY, HOME_LOADING, HOME_READY, HOME_DOWN };

enum { HOME_LOG_ID_LEN = 40 };

struct home {
    struct server *server;
    const struct backend_driver *driver;
    struct backend_url url;
    struct backend_options options;
    bool through;        /* write-through */
    bool all;            /* backend-load all */
    bool watch_may_fail; /* without it, if triggers cannot be installed */

    _Atomic int state; /* enum home_state; changed by the thread, with the world stopped */
    _Atomic bool full; /* the queue is */

    /* What is dirty. Changed with the world stopped, but for `fresh`. */
    struct dirty *dirty;                 /* SHARDS of them */
    uint64_t epoch;                      /* in hand */
    uint64_t cut_epoch;                  /* of the batch under way */
    bool emptied;                        /* database 0 was, in the epoch in hand */
    uint64_t emptied_epoch;              /* the last in which it was; 0: never */
    uint64_t cut[SHARDS / 64];           /* shards of which something was cut */
    _Atomic uint64_t fresh[SHARDS / 64]; /* those that have something new */
    _Atomic uint64_t committed;          /* epochs up to this one are in the table … */
    _Atomic uint64_t failures;           /* … but for what was given up so often */
    _Atomic int64_t fresh_ms;            /* since when something is new; 0: nothing is */
    _Atomic int64_t underway_ms;         /* the same of the batch under way */

    /* The thread. */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of `wake`, of the error, and of who waits for what is dirty */
    pthread_cond_t wake, changed;
    _Atomic bool asked, sleeping, ending, retry;
    struct backend *b; /* its connection; NULL for none */
    struct drain *drain;
    struct reading *reading; /* the read side's */
    struct backend_error error;
    struct backend_limits limits;
    bool is_narrow;                /* and they are worth a look at each write */
    bool connected;                /* it was, once */
    bool serves;                   /* memory has what is to be served */
    uint64_t ceiling;              /* no version reaches it before a higher one is in the table */
    uint64_t ceiling_wanted;       /* that of the batch under way */
    _Atomic uint64_t log_position; /* that the table has of this log */
    bool log_known;                /* there was one */
    bool log_loads;                /* appendonly: it is loaded when the table is ours, … */
    bool log_loaded;               /* … and was; `lock` */
    struct inbox_message load_log;
    _Atomic bool wants_position;      /* a batch is to be written, be it empty, for the position */
    _Atomic bool ends_rebase;         /* nobody waits for the table any more */
    char log_id[HOME_LOG_ID_LEN + 1]; /* "" without a log */
    char log_note[HOME_LOG_ID_LEN + 4 + 1]; /* the name of its note: "log:" and the id */
    _Atomic int64_t leased_ms;

    /* Counts, for INFO. */
    _Atomic uint64_t rows_written, rows_deleted, batches, rejected, reconnects, lost, given_up;
    _Atomic int64_t last_batch_us;
};

/* *out is NULL without one; false, and said to the log, if it cannot be as it is configured. */
bool home_new(struct server *s, struct home **out);
void home_free(struct home *h);
/* Begins to connect. False, and said, if that cannot be. */
bool home_start(struct home *h);
/*
 * Has what is dirty written, for as long as backend-timeout allows: false if it was not all. On the
 * main thread, outside of the world.
 */
bool home_settle(struct home *h);
/* Ends the thread. */
void home_stop(struct home *h);
/* On the main thread at regular intervals: the bound of the queue, and of how long replies wait. */
void home_tick(struct home *h);

/* The log is loaded. On the main thread. */
void home_log_loaded(struct home *h);
/* There is a log from now on: it has an id. The world is stopped, or nothing runs yet. */
void home_name_log(struct home *h);
/* Waits until the table has what came before this number of the log. False if that is in vain. */
bool home_await_position(struct home *h, uint64_t seq);

static inline enum home_state home_state(const struct home *h)
{
    return (enum home_state)atomic_load_explicit(&h->state, memory_order_relaxed);
}
const char *home_state_name(enum home_state state);

/* Database 0 was emptied, and the table is not yet: what stands there counts for nothing. */
static inline bool home_is_emptying(const struct home *h)
{
    return UNLIKELY(h->emptied_epoch > atomic_load_explicit(&h->committed, memory_order_relaxed));
}

/* By the thread, outside of the world. */
void home_set_state(struct home *h, enum home_state state);
/* What went wrong, for people; logged if it is not what was said last. */
void home_say(struct home *h, const char *what, const char *why);
struct backend_error home_error(struct home *h);

/* Has the thread look for work at once. Any thread. */
void home_wake(struct home *h);
/* The same by who has h->lock. */
void home_wake_locked(struct home *h);
/* It is down, as far as commands are concerned. The world is stopped. */
void home_lock_out(struct home *h);
/* There is something new in this shard, or all of the database is gone. Locked, or all stopped. */
void home_note_fresh(struct home *h, unsigned shard);
void home_note_emptied(struct home *h);
/* Frees an entry that is out of its table. Any thread. */
void home_discard(struct home *h, struct entry *e);

/* Whether the call may run just now; false, and answered, if not. */
bool home_admits(struct call *c);

/*
 * Write-through: what is in a shard is in the table when an epoch is. What the connection is
 * answered depends on what is in these shards, all of them if NULL. Locked.
 */
void home_depend(struct call *c, const struct key_locks *held);
void home_depend_one(struct call *c, unsigned shard);
void home_depend_on(struct conn *c, uint64_t epoch);
uint64_t home_epoch(const struct server *s, const struct key_locks *held);
/* Whether so much is in the table, or was given up; and whether it was given up. */
bool home_reached(const struct conn *c);
bool home_failed(const struct conn *c);
/* Replies, as they would be sent, become errors; what was not asked for stays. */
void home_take_back(struct buf *out, size_t from);
/* Gives up what has waited for too long. On the main thread, outside of the world. */
void home_look_at_waits(struct home *h);

/* Since when changes wait that are not in the table; 0: there are none. */
static inline int64_t home_behind_since_ms(const struct home *h)
{
    int64_t underway = atomic_load_explicit(&h->underway_ms, memory_order_relaxed);

    return underway ? underway : atomic_load_explicit(&h->fresh_ms, memory_order_relaxed);
}

#endif
