/*
 * Telling of locks. Whoever is subscribed to `__lock__:<name>` gets "<event> <token> <owner>" for
 * everything that happens to the lock of that name; the holder itself is told by a push in RESP3
 * what it would not know otherwise: ["lock", event, name, token].
 */
#ifndef LK_SERVER_LOCKS_LOCK_NOTICE_H
#define LK_SERVER_LOCKS_LOCK_NOTICE_H

#include "server/locks/lock_grant.h"

struct lock_request;

/* To subscribers; costs nothing while nobody subscribes to anything. Locks may be held. */
void lock_publish(struct worker *w, const struct holder *h, enum lock_event event);
/* To the holder, by its session's connection. */
void lock_tell(struct worker *w, const struct holder *h, enum lock_event event);
/* A ticket has got its locks: both. */
void lock_tell_granted(struct worker *w, struct lock_request *r);

/* Who it is, in a word: the owner that was given, the session, or "client:<id>". */
void lock_append_holder(struct buf *out, const struct holder *h);

#endif
