/*
 * The expirer: removes keys, and parts of values such as fields of hashes, when their time has
 * come, whether anybody looks at them or not. Each
 * worker looks after its part of the shards (shard number modulo the number of workers): it sleeps
 * until the earliest of their keys is due. Who gives a key an earlier time than that wakes it.
 */
#ifndef LK_SERVER_EXPIRER_H
#define LK_SERVER_EXPIRER_H

#include "server/worker.h"

void expirer_init(struct worker *w);
/*
 * A key of this shard got this time to live: sees to it that its worker wakes up for it. Any
 * worker.
 */
void expirer_note(struct worker *w, unsigned shard, int64_t at);
/* Looks anew if the wall clock was set since the last call. In the worker's round. */
void expirer_check_clock(struct worker *w);
/* DEBUG SET-ACTIVE-EXPIRE 1: looks anew. */
void expirer_wake_all(struct server *s);

#endif
