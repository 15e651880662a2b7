/*
 * Publish and subscribe across workers.
 *
 * The registry knows for each channel and pattern which workers have subscribers, and how many; a
 * worker alone knows which of its connections they are. A message is posted, once per worker that has
 * somebody for it, while the channel's part of the registry is locked: so all subscribers of a channel
 * see its messages in one order, and what one connection publishes arrives in its order.
 */
#ifndef LK_SERVER_PUBSUB_H
#define LK_SERVER_PUBSUB_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;
struct server;
struct conn;

enum channel_kind { CHANNEL_PLAIN, CHANNEL_PATTERN, CHANNEL_SHARD };

struct pubsub *pubsub_new(int workers);
void pubsub_free(struct pubsub *p);

/* True if it was not subscribed before. The connection's own worker calls it. */
bool pubsub_subscribe(struct conn *c, enum channel_kind kind, struct slice channel);
bool pubsub_unsubscribe(struct conn *c, enum channel_kind kind, struct slice channel);
/* Ends all subscriptions of a connection, without messages: it is being closed or reset. */
void pubsub_drop(struct conn *c);

/*
 * Sends to everyone who is subscribed to the channel, or to a pattern that it matches; returns to how
 * many. What is for connections of the calling worker is in their output when it returns, unless
 * locks of shards are held: then it is when they are released (pubsub_deliver).
 */
uint64_t pubsub_publish(struct worker *w, struct slice channel, struct slice message);
/* To subscribers of the shard channel only. */
uint64_t pubsub_publish_shard(struct worker *w, struct slice channel, struct slice message);
/* Gives the calling worker's connections what has come for them. */
void pubsub_deliver(struct worker *w);
/* Whether anybody at all is subscribed to anything: publishing is free if not. */
bool pubsub_idle(const struct server *s);

#endif
