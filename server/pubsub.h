/*
 * Publish and subscribe across workers.
 *
 * The registry knows for each channel and pattern how many subscribers each worker has; a worker
 * alone knows which of its connections they are. A message is put into the mailboxes of the workers
 * that have somebody for it while the channel's part of the registry is locked: so all subscribers
 * of a channel see its messages in one order, and what one connection publishes arrives in its
 * order.
 *
 *     pubsub.c           this interface
 *     pubsub_registry.h  channels, patterns, and who listens
 *     mailbox.h          what is on its way to a worker
 */
#ifndef LK_SERVER_PUBSUB_H
#define LK_SERVER_PUBSUB_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;
struct server;
struct conn;
struct buf;

enum channel_kind { CHANNEL_PLAIN, CHANNEL_PATTERN, CHANNEL_SHARD, CHANNEL_KINDS };

struct pubsub *pubsub_new(int workers);
void pubsub_free(struct pubsub *p);

/*
 * True if it was not subscribed before. The connection's own worker calls it. Messages published
 * before reach those who were subscribed before, and only them, however far they have come.
 */
bool pubsub_subscribe(struct conn *c, enum channel_kind kind, struct slice channel);
/* True if it was subscribed. What was published before is in its output when this returns. */
bool pubsub_unsubscribe(struct conn *c, enum channel_kind kind, struct slice channel);
/* Ends all subscriptions of a connection, without messages: it is being closed or reset. */
void pubsub_drop(struct conn *c);

/* How many subscriptions of this kind a connection has. */
uint32_t pubsub_count(const struct conn *c, enum channel_kind kind);
/* The name of one of them, copied into `out`; false if there is none. */
bool pubsub_first(const struct conn *c, enum channel_kind kind, struct buf *out);
/* Bytes that a connection's subscriptions take. */
size_t pubsub_memory(const struct conn *c);

/*
 * Sends to everyone who is subscribed to the channel, or to a pattern that it matches; returns to
 * how many. Connections of the calling worker get it with its next pubsub_deliver().
 */
uint64_t pubsub_publish(struct worker *w, struct slice channel, struct slice message);
/*
 * The same, but patterns get it for which `suits` says so, rather than those that the channel
 * matches; and the message may be made when it is known that it has a receiver.
 */
struct publication {
    struct slice channel, message;
    void (*make)(struct buf *message, const void *opaque); /* NULL: `message` is it */
    const void *opaque;
    bool (*suits)(struct slice pattern, struct slice channel);
};
uint64_t pubsub_publish_suiting(struct worker *w, const struct publication *p);
/* To subscribers of the shard channel only. */
uint64_t pubsub_publish_shard(struct worker *w, struct slice channel, struct slice message);
/*
 * Gives the calling worker's connections what has come for them; every round ends with it. Not
 * while locks of shards are held, since it may write to sockets.
 */
void pubsub_deliver(struct worker *w);
/* Whether nobody at all is subscribed to a channel or pattern: publishing is free then. */
bool pubsub_idle(const struct server *s);
/*
 * Whether a worker that this one has published to is far behind; true until it has caught up.
 * Connections that publish meanwhile are held (CONN_HELD), so that what is on its way stays
 * bounded.
 */
bool pubsub_congested(struct worker *w);

/* MONITOR: from here on, or no longer, the connection is sent the lines that are shown. */
void pubsub_watch(struct conn *c);
void pubsub_unwatch(struct conn *c);
/* Sends the line, as it is, to all who watch. No locks are held. */
void pubsub_show(struct worker *w, struct slice line);

/* How many channels or patterns there are. */
uint64_t pubsub_channels(const struct server *s, enum channel_kind kind);
/* How many connections are subscribed to this one. */
uint64_t pubsub_subscribers(struct server *s, enum channel_kind kind, struct slice channel);
/* Calls `visit` for each channel of a kind; it must not publish or subscribe. */
void pubsub_each(struct server *s, enum channel_kind kind,
                 void (*visit)(struct slice channel, void *opaque), void *opaque);

#endif
