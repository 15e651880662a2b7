/*
 * All connections of all workers: finding, describing and closing them. Connections belong to their
 * workers, so all of this is for commands that run with the world stopped (CMD_WORLD), but for
 * describing one's own.
 */
#ifndef LK_SERVER_CLIENTS_H
#define LK_SERVER_CLIENTS_H

#include "server/call.h"

enum client_type { CLIENT_NORMAL, CLIENT_MASTER, CLIENT_REPLICA, CLIENT_PUBSUB };

/* The type that argument i names; "ERR Unknown client type" and false if there is none. */
bool call_client_type(struct call *c, int i, enum client_type *out);
enum client_type client_type(const struct conn *c);

/* All that are not being closed, oldest first; mem_free() frees the array. */
struct conn **clients_all(struct server *s, size_t *len);
/* NULL if there is none, or it is being closed. */
struct conn *clients_find(struct server *s, uint64_t id);

/* Whether it waits: for what it asked for, or until clients are no longer paused. */
bool client_is_blocked(const struct conn *c);

/* Appends its line of CLIENT LIST, with the line's end. */
void client_describe(const struct conn *c, struct buf *out);

/* Closes a connection that is not the calling one; it runs no further command. */
void client_kill(struct conn *c, const struct worker *by);

#endif
