/*
 * A worker: a thread with an event loop, an inbox and connections of its own. Everything it runs is
 * inside the world (base/world.h); what others want of it comes as a message.
 */
#ifndef LK_SERVER_WORKER_H
#define LK_SERVER_WORKER_H

#include "base/inbox.h"
#include "base/list.h"
#include "base/ticks.h"
#include "server/coalescing.h"
#include "server/conn.h"
#include "server/recording.h"
#include "server/server.h"
#include "server/stats.h"

#include <event2/event_struct.h>
#include <pthread.h>

enum {
    BATCH_MAX = 64,  /* requests */
    GATHER_MAX = 64, /* connections */
    READ_BUFFER = 256 * 1024,
    WORKER_OUT_KEPT = 1024 * 1024, /* of the buffer for replies, once they are sent */
};

/* A request of the batch in hand. */
struct parsed {
    const struct command *cmd; /* NULL: unknown, or it has no key to look ahead for */
    size_t first;              /* index of its first argument in the worker's `args` */
    int argc;
    size_t end;    /* where the next request begins in the data */
    uint64_t hash; /* of its first key, if cmd->first_key */
    int like;      /* how many behind it do the same to other members of the same key */
};

/* What a connection sent, in the worker's read buffer. */
struct gathered {
    struct conn *c;
    char *data;
    size_t len;
};

struct evictor;
struct policer;
struct outlet_desk;
struct waited;
struct keyvalue_notes;

struct worker {
    struct server *server;
    int index;
    pthread_t thread;
    struct event_base *base;
    struct inbox inbox;
    struct event inbox_event;

    /* What has come in this turn of the loop, and is not worked off yet. */
    char *read_buffer;
    size_t read_used;
    struct gathered gathered[GATHER_MAX];
    int gathered_len;
    struct event gather_event; /* runs behind all reads of the turn */
    struct coalescing coalescing;

    /* The connection in hand. */
    struct conn *current;
    struct args args;
    struct parsed batch[BATCH_MAX];
    int batch_len;
    struct buf out; /* replies to the connection in hand */
    int64_t now_ms; /* wall clock, read once a round, and after waiting for the world */
    int64_t mono_ms;

    struct list conns, flush, doomed, parked, held, syncing;
    int sync_waiters;           /* commands that wait for the disk */
    _Atomic bool syncs_awaited; /* somebody waits for the disk */
    _Atomic bool sync_told;     /* a message is on its way that the disk has more */
    size_t conns_len;
    size_t output_bytes;          /* in the buffers of its connections, but for `out` above */
    _Atomic size_t clients_bytes; /* that its connections take, if there is a limit */
    bool clients_grew;            /* since that was compared with the limit */
    bool
        kill_asked; /* it is told to close those that were killed; changed with the world stopped */
    _Atomic int load;     /* connections, and those on their way here */
    _Atomic int arriving; /* those on their way */

    struct buf notice;             /* scratch: what trackers are told */
    struct buf changed;            /* keys that trackers are to be told of, see broadcast.h */
    size_t changed_len;            /* how many */
    struct outlet_desk *congested; /* where it put more than its owner can keep up with */
    unsigned sweep_shard;          /* where tracked_keys_sweep() goes on */
    uint64_t sweep_cursor;

    struct buf monitor_text; /* scratch of monitor.c: the command in hand as MONITOR shows it */

    /* Timing of commands: quick ones in a row are timed together. */
    const struct command *run_cmd;
    uint64_t run_calls, run_start, run_failed;

    struct stats stats;
    struct command_stats *commands; /* by command id */

    /* Scratch of the dispatcher. */
    uint64_t *hashes; /* of the arguments that are keys */
    size_t hashes_cap;

    /* Keys for which somebody waits and that were changed, in that order; see serving.h. */
    struct waited **ready;
    size_t ready_len, ready_cap;
    bool locks_due;      /* so for locks of clients, see locks/lock_grant.h */
    uint64_t serving;    /* the client whose command is run in its place, 0 for none */
    struct list waiters; /* of its connections */
    struct list served;  /* those of them that it has served itself, in this round */

    /* Values out of their tables whose freeing takes long, see effect_discard(). */
    struct entry **discarded;
    size_t discarded_len, discarded_cap;

    size_t overfull_len; /* policies of which a change has exceeded a limit, see policer.h */
    struct policer *policer;

    /* The expirer: it looks after the shards whose number ends in its index. */
    struct event expire_event;
    _Atomic int64_t expire_at; /* when it will look next, wall clock */
    unsigned expire_cursor;    /* which of its shards is next, where a round was cut short */
    int64_t clock_offset_ms;   /* wall clock minus monotonic, when last looked at */

    struct evictor *evictor;
    struct keyvalue_notes *notes; /* scratch of keyvalue.c; NULL until it is needed */
    struct recording recording;

    struct event tick_event, unpark_event, release_event;
};

bool worker_init(struct worker *w, struct server *s, int index);
bool worker_start(struct worker *w);
void worker_stop(struct worker *w); /* any thread */
/* True once, when its thread has come to its end. */
bool worker_ended(struct worker *w);
void worker_release(struct worker *w);

/*
 * Wraps every callback of the loop: begin reads the clocks and enters the world, end writes out
 * what the round left in buffers, frees what was closed, and leaves.
 */
void worker_round_begin(struct worker *w);
void worker_round_end(struct worker *w);
void worker_read_clocks(struct worker *w);

/* Works off now what connections have sent. Outside of rounds. */
void worker_finish_gathered(struct worker *w);

/* Hands over an accepted socket. Any thread. */
void worker_adopt(struct worker *w, int fd, bool is_unix);

/* Lets a connection wait until clients are no longer paused, or the log has caught up. */
void worker_park(struct worker *w, struct conn *c);
/* Keeps a connection from publishing until others have caught up; see pubsub_congested(). */
void worker_hold(struct worker *w, struct conn *c);
/* Goes on with those that waited. Any thread. */
void worker_unpark(struct worker *w);

/* Closes the connection of this id, or does nothing if it is gone. Any thread. */
void worker_close_client(struct worker *w, uint64_t id);

/* Runs `fn(arg)` on the worker's thread, inside a round. Any thread. */
void worker_call(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg);

#endif
