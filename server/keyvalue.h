/*
 * Events that carry the value: what happened to a key, its version, and the value or the elements
 * that were touched, as a message of the channel "__keyvalue@<db>__:<key>" (docs/events.md).
 *
 * Who subscribes to such a channel, or to a pattern that begins like one, gets them whatever
 * notify-keyspace-events says. For that a shard knows which of its keys are subscribed, and how
 * many patterns there are; as long as there is nothing, whoever changes a key looks at one pointer.
 * With the letter W they are published to everybody, as other keyspace events are, for the classes
 * that are enabled.
 *
 * A message is made only if it has a receiver, under the lock of the key's shard, so that those of
 * a key come in the order of its versions.
 */
#ifndef LK_SERVER_KEYVALUE_H
#define LK_SERVER_KEYVALUE_H

#include "server/notify.h"
#include "server/pubsub.h"

/* What hangs from a shard. */
struct heard {
    struct table *keys; /* those that are subscribed; NULL for none */
    uint32_t patterns;  /* subscriptions, the same in all shards */
};

/* ---- subscribing ----------------------------------------------------------------------------- */

/*
 * Somebody subscribes to this channel or pattern, or did until now; nothing happens if its events
 * are others. Locks shards: none is locked, or the world is stopped.
 */
void keyvalue_listen(struct server *s, enum channel_kind kind, struct slice channel);
void keyvalue_unlisten(struct server *s, enum channel_kind kind, struct slice channel);
/* The end: of all, and of what a worker keeps. */
void keyvalue_release(struct keyspace *ks);
void keyvalue_release_notes(struct worker *w);

/* ---- for what makes the messages ------------------------------------------------------------- */

/* Publishes it. Locked: the key's shard, which is `home`; NULL for events that change nothing. */
void keyvalue_publish(struct worker *w, const struct shard *home, const struct news *news);

/*
 * The entry is taken out of its table and will be freed before its removal is stated: keeps what
 * can be told of it. Locked: its shard.
 */
void keyvalue_keep_last(struct worker *w, const struct shard *home, struct slice key,
                        const struct entry *e);

/*
 * Elements of the key's collection that the change to be stated next touches, as often as there
 * are any: copied.
 */
void keyvalue_touch(struct worker *w, const struct shard *home, struct slice key,
                    struct slice element);

/* A database will be emptied; two have changed places. The world is stopped. */
void keyvalue_flushed(struct worker *w, int db);
void keyvalue_swapped(struct worker *w, int a, int b);

#endif
