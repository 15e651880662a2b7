/* Keyspace notifications: events as messages of pub/sub channels. */
#ifndef LK_SERVER_NOTIFY_H
#define LK_SERVER_NOTIFY_H

#include "server/effects.h"

/* Publishes the event, whose class is enabled, to the key's and the event's channel. */
void notify(struct worker *w, int db, struct slice key, enum key_event event);

#endif
