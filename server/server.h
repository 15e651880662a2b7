/*
 * The server: what all threads share. Everything is reached through a pointer to it, there are no
 * globals.
 *
 * Written only with the world stopped: conf, the command table, the clients' pause. Written once at
 * the start: the rest that has no lock or atomic of its own.
 */
#ifndef LK_SERVER_SERVER_H
#define LK_SERVER_SERVER_H

#include "base/inbox.h"
#include "conf/conf.h"
#include "server/rates.h"
#include "server/stats.h"
#include "storage/keyspace.h"

#include <pthread.h>

struct worker;
struct command_table;
struct pubsub;
struct tracking;
struct home;
struct locks;
struct latency;
struct journal;
struct policy_log;
struct reaper;
struct slowlog;
struct listener;

enum { RUN_ID_LEN = 40 };

/* Reasons for which commands may have to be looked at more closely before they run. */
enum server_gates {
    GATE_PAUSED = 1 << 0,     /* CLIENT PAUSE */
    GATE_MONITORED = 1 << 1,  /* somebody is in MONITOR */
    GATE_MEMORY = 1 << 2,     /* maxmemory is set */
    GATE_LOGGED = 1 << 3,     /* changes are recorded; refuses nothing */
    GATE_LOADING = 1 << 4,    /* the data is being loaded */
    GATE_UNSAVED = 1 << 5,    /* the last snapshot failed */
    GATE_DURABLE = 1 << 6,    /* and are to be on the disk before they are answered; the same */
    GATE_LOG_BROKEN = 1 << 7, /* the log of changes cannot be written */
    GATE_HOME = 1 << 8,       /* the backend may refuse commands, see backend/home.h */
    GATE_THROUGH = 1 << 9,    /* changes are answered when the backend has them; refuses nothing */
    GATE_LOG_FULL = 1 << 10,  /* more of the log waits for the disk than may */
};

struct error_count {
    char code[32];
    uint64_t count;
};

enum { ERROR_CODES_MAX = 128 };

struct server {
    const struct conf *conf;
    struct command_table *commands;
    struct keyspace keyspace;

    struct worker *workers;
    int workers_len;
    struct worker *loader; /* see server_make_loader(); NULL but while the log is loaded */
    struct listener *listener;
    struct event_base *main_base;
    struct inbox main_inbox;
    struct pubsub *pubsub;
    struct tracking *tracking;
    struct locks *locks;
    struct latency *latency;
    struct slowlog *slowlog;
    struct reaper *reaper;
    struct journal *journal;
    struct policy_log *policy_log;

    _Atomic uint32_t gates;              /* enum server_gates */
    _Atomic uint64_t logged_for_all;     /* the last group of the log that concerns all shards */
    uint64_t *logged_of_keys;            /* see durability.c; NULL until there is a log */
    _Atomic bool broadcasts;             /* there are clients that are told of changes by prefix */
    _Atomic uint32_t keyvalue_listeners; /* subscribers of events that carry the value */
    _Atomic uint64_t next_client_id;
    _Atomic int64_t clients; /* open connections */
    _Atomic uint64_t rejected_connections;
    size_t client_limit; /* see client_limit.h; changed with the world stopped */
    _Atomic bool shutdown_asked;
    int ended_by_signal; /* set by who asked first */

    /* CLIENT PAUSE: until when, on the monotonic clock, and whether only writes wait. */
    int64_t pause_until_ms;
    bool pause_writes_only;

    struct lock stats_lock; /* errors */
    struct error_count errors[ERROR_CODES_MAX];
    int errors_len;

    _Atomic bool active_expire; /* DEBUG SET-ACTIVE-EXPIRE */
    _Atomic bool cron_paused;   /* DEBUG PAUSE-CRON */
    _Atomic size_t peak_memory;
    struct rates rates;
    size_t start_memory;
    char run_id[RUN_ID_LEN + 1], replication_id[RUN_ID_LEN + 1];
    char *executable, *config_file; /* absolute paths; config_file NULL without one */
    int64_t started_s;              /* wall clock */
    int64_t started_mono_ms;

    struct home *home; /* NULL without a backend */
    struct saving *saving;
    _Atomic int migrations; /* threads of MIGRATE */
    struct rewriting *rewriting;
    bool log_ending;                  /* the log is off, but for the base that is being written */
    struct loading_job *loading;      /* NULL: not, or not any more */
    uint64_t load_keys, load_expired; /* what was found then */
    uint64_t changes_loaded;          /* from the log */
    bool load_failed;
    bool loop_left; /* the main thread has come to its end */
};

/*
 * Takes ownership of the configuration. Reports what is wrong to the log; false if it cannot start.
 */
bool server_init(struct server *s, struct conf *conf);
/* Serves until a signal or SHUTDOWN ends it. The exit status. */
int server_run(struct server *s);
void server_release(struct server *s);
/* The backend's table is ours: what it does not have yet is loaded. On the main thread. */
void server_load_log(struct server *s);

/*
 * What stands for a worker where the log of changes is loaded, by a thread that is none: without
 * connections and a loop, its index behind those of all others. Before the workers start. False,
 * and logged, if it cannot be made.
 */
bool server_make_loader(struct server *s);

/*
 * Runs fn(arg) on the main thread and waits for it. The caller is a worker in a round; if it has
 * stopped the world, the world goes on meanwhile, and is stopped again before this returns.
 */
void server_main_call(struct server *s, void (*fn)(void *arg), void *arg);

/* Ends server_run from any thread; `sig` is the signal that asks for it, or 0. */
void server_shutdown(struct server *s, int sig);

/* What is to be done with the data at the end. */
enum server_end { END_BY_RULES = 0, END_SAVE = 1 << 0, END_NO_SAVE = 1 << 1, END_FORCE = 1 << 2 };
/*
 * Saves the data if that is wanted, and lets no client do anything any more; server_shutdown() is
 * to follow. False, and logged, if it cannot be saved, and the server is to go on. On the main
 * thread.
 */
bool server_prepare_end(struct server *s, int how);

static inline bool server_gate(const struct server *s, uint32_t gate)
{
    return atomic_load_explicit(&s->gates, memory_order_relaxed) & gate;
}
void server_set_gate(struct server *s, uint32_t gate, bool on);

/* Whether anybody may want events that carry the value, of whatever key (keyvalue.h). */
static inline bool keyvalue_wanted(const struct server *s)
{
    return atomic_load_explicit(&s->keyvalue_listeners, memory_order_relaxed) |
           (s->conf->notify_keyspace_events & CONF_EVENT_KEYVALUE);
}

/* CLIENT PAUSE: nothing changes meanwhile, so nothing expires or is evicted either. In a round. */
static inline bool server_paused(const struct server *s, int64_t mono_ms)
{
    return server_gate(s, GATE_PAUSED) && mono_ms < s->pause_until_ms;
}

/* One more error reply of this code ("ERR", "WRONGTYPE"). Any thread. */
void server_count_error(struct server *s, struct slice code);

/* So much memory is in use just now. Any thread. */
void server_note_peak(struct server *s, size_t used);

/* The workers' counters added up. The world is stopped, or the caller accepts haste. */
void server_sum_stats(const struct server *s, struct stats *out);

/* CONFIG RESETSTAT. The world is stopped. */
void server_reset_stats(struct server *s);

/* Puts a new snapshot in force, with the world stopped by the caller; the old one is freed. */
void server_publish_conf(struct server *s, struct conf *conf);

#endif
