/*
 * A latch is what clients call a lock (a `struct lock` is one of the server's own): a name, who
 * holds it, and who waits for it in order of arrival. It is there as long as somebody holds it or
 * waits for it, or while it is kept closed behind LOCK.BREAK.
 *
 * The latches of a shard hang from the shard: what concerns one is locked by the shard of its name.
 * While anybody waits for a latch it is contended; then its holders and its queue change under the
 * lock LOCK_WAITS too, so that who looks for a cycle (deadlock.h) may read them in any shard.
 *
 * The functions of this file change one latch and know of no session, no timer and no client.
 */
#ifndef LK_SERVER_LOCKS_LATCH_H
#define LK_SERVER_LOCKS_LATCH_H

#include "base/list.h"
#include "server/locks/deadlines.h"
#include "storage/keyspace.h"

struct lock_session;
struct lock_request;

/* What the deadlines of a shard lie in. */
enum deadline_kind { DEADLINE_LEASE, DEADLINE_REOPENS };

/* All latches of a shard. */
struct latches {
    struct table table;
    struct deadlines deadlines;
    uint64_t holders, waiters;
};

struct latch {
    uint64_t hash;
    struct list holders;     /* of struct holder, the oldest first */
    struct list queue;       /* of struct lock_place, the oldest first */
    struct deadline reopens; /* when it may be taken again; in no heap: it is open */
    uint32_t permits, taken; /* permits 0: for writers and readers */
    uint32_t guards;         /* holders that guard the key of that name */
    uint32_t passing;        /* those for whose commands it is, and of these those that write */
    uint32_t passing_writers;
    uint32_t pins; /* places that refer to it beside the table */
    uint32_t len;
    char name[];
};

/* What somebody wants of all latches that it names, or has of one. */
struct lock_terms {
    uint32_t permits, of; /* of 0: for writers and readers */
    bool shared;
    bool detached;  /* bound to no session */
    bool reentrant; /* who has it already gets it again */
    bool guard;
    bool passing;      /* for a command on a guarded key: as long as it takes to run that */
    uint16_t guard_db; /* in which the key is */
    int64_t lease_us;  /* 0: none */
};

struct holder {
    struct list in_latch;
    struct list in_session;       /* the session's lock */
    struct lock_session *session; /* NULL: detached */
    struct latch *latch;
    uint64_t token;
    uint64_t client;       /* who acquired it */
    int64_t since_ms;      /* wall clock */
    int64_t until_us;      /* monotonic; DEADLINE_NEVER without a lease */
    int64_t lease_us;      /* how long that was when it began */
    struct deadline lease; /* when it ends, or is about to */
    uint32_t count;        /* how often it was acquired */
    uint32_t permits;      /* 0: none, it is a writer or a reader */
    bool shared, guard, passing;
    uint16_t guard_db;
    uint32_t owner_len, data_len;
    char text[]; /* owner, then data */
};

static inline struct slice latch_name(const struct latch *l)
{
    return slice_make(l->name, l->len);
}
static inline struct slice holder_owner(const struct holder *h)
{
    return slice_make(h->text, h->owner_len);
}
static inline struct slice holder_data(const struct holder *h)
{
    return slice_make(h->text + h->owner_len, h->data_len);
}
static inline bool latch_contended(const struct latch *l)
{
    return !list_empty(&l->queue);
}
/* Somebody holds it or waits for it, so that its kind is settled. */
static inline bool latch_in_use(const struct latch *l)
{
    return !list_empty(&l->holders) || latch_contended(l);
}

/* NULL if there is none of the name; `t` may be NULL. */
struct latch *latch_find(const struct latches *t, struct slice name, uint64_t hash);
/* The same, but makes it. */
struct latch *latch_make(struct shard *shard, struct slice name, uint64_t hash);
/* Forgets it if nobody has to do with it any more. */
void latch_drop_unused(struct shard *shard, struct latch *l);

/* Whether permits (or writers and readers) are what is wanted, as far as it is in use. */
bool latch_fits(const struct latch *l, const struct lock_terms *terms);
/* Whether those who hold it leave room for one more. It fits. */
bool latch_has_room(const struct latch *l, const struct lock_terms *terms);
/* The same, and it is open; whoever waits. */
bool latch_admits(const struct latch *l, const struct lock_terms *terms);

/* A holder of the latch, of these terms; neither in a session nor with a deadline yet. */
struct holder *holder_new(struct latch *l, const struct lock_terms *terms, struct slice owner,
                          struct slice data);
void holder_join(struct latches *t, struct holder *h);
void holder_leave(struct latches *t, struct holder *h);
/* The holder with this token, NULL if there is none. `l` may be NULL. */
struct holder *latch_holder(const struct latch *l, uint64_t token);
/* Whether the lock is held with the token, whose lease is not over. Locked: the shard. */
bool latch_is_held(const struct keyspace *ks, struct slice name, uint64_t hash, uint64_t token,
                   int64_t now_us);
/* The holder where the name is not at hand. */
struct holder *latches_holder(const struct latches *t, uint64_t hash, uint64_t token);

/* The workers have ended. */
void latches_free(struct shard *shard);

#endif
