/* Keyspace notifications: events as messages of pub/sub channels. */
#ifndef LK_SERVER_NOTIFY_H
#define LK_SERVER_NOTIFY_H

#include "server/effects.h"

/* What happened to a key. */
struct news {
    int db;
    struct slice key;
    enum key_event event;
    const struct entry *entry; /* NULL if there is none; what it was last if it is gone, if known */
    uint64_t version;          /* 0 for what is no change */
    bool gone;
};

/*
 * Publishes what anybody may want to know of it: to the key's and the event's channel if the class
 * is enabled, and with the value (keyvalue.h). Locked: the key's shard, which is `home`; it is NULL
 * for what is no change.
 */
void notify(struct worker *w, const struct shard *home, const struct news *news);

#endif
