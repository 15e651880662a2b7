/* The invariants of locks, for tests. */
#ifndef LK_SERVER_LOCKS_LOCK_CHECK_H
#define LK_SERVER_LOCKS_LOCK_CHECK_H

struct server;

/* Fails if anything does not fit together. The world is stopped, and no command is half done. */
void locks_check(const struct server *s);

#endif
