/*
 * The registry of channels and patterns, in parts with a lock each.
 *
 * A channel is there as long as anybody is subscribed. Its audience at each worker is a count,
 * guarded by the part's lock, and a list of members, which that worker alone touches. While the
 * count is above zero, or was when a delivery was put into the worker's mailbox, the channel's
 * memory stays: who takes the count down empties the mailbox under the same lock first.
 */
#ifndef LK_SERVER_PUBSUB_REGISTRY_H
#define LK_SERVER_PUBSUB_REGISTRY_H

#include "base/list.h"
#include "base/lock.h"
#include "server/mailbox.h"
#include "server/pubsub.h"
#include "storage/table.h"

enum { CHANNEL_PARTS_BITS = 6, CHANNEL_PARTS = 1 << CHANNEL_PARTS_BITS };

struct audience {
    struct list members; /* of struct subscription; the worker's own */
    uint32_t count;      /* the part's lock */
};

struct channel {
    uint64_t hash;          /* of the name */
    enum channel_kind kind; /* CHANNEL_KINDS for `monitors` */
    uint32_t total;         /* subscribers at all workers; the part's lock */
    struct list link;       /* among the patterns; the part's lock */
    struct slice name;      /* behind the audiences */
    struct audience at[];
};

struct channel_part {
    CACHE_ALIGNED struct lock lock;
    struct table tables[CHANNEL_KINDS];
};

struct registry {
    int workers;
    struct channel_part parts[CHANNEL_PARTS];
    struct channel_part patterns; /* all patterns are in this one */
    struct list pattern_list;     /* its lock */
    struct lock monitors_lock;
    struct channel *monitors; /* everybody in MONITOR; in no table */
    _Atomic uint64_t counts[CHANNEL_KINDS];
};

void registry_init(struct registry *r, int workers);
void registry_release(struct registry *r);

struct channel_part *registry_part(struct registry *r, enum channel_kind kind, uint64_t hash);

/* The part is locked by the caller. */
struct channel *registry_find_locked(struct channel_part *part, enum channel_kind kind,
                                     struct slice name, uint64_t hash);
/* The same, but makes it if it is missing; the caller counts itself in. */
struct channel *registry_make_locked(struct registry *r, enum channel_kind kind, struct slice name,
                                     uint64_t hash);
/* Takes a channel out that has no subscribers any more. The caller retires its memory. */
void registry_remove_locked(struct registry *r, struct channel *ch);

#endif
