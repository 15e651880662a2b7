/*
 * One of the two servers that get the same commands, with its connections.
 *
 * Replies are borrowed until the next twin_read() on the same twin.
 */
#ifndef TESTS_DIFFERENTIAL_TWIN_H
#define TESTS_DIFFERENTIAL_TWIN_H

#include "base/buf.h"
#include "tests/lib/server.h"

enum {
    TWIN_CLIENTS = 4,   /* connections that commands are spread over */
    TWIN_INSPECTOR = 4, /* looks at the whole keyspace */
    TWIN_OBSERVER = 5,  /* subscribed to keyspace notifications */
    TWIN_LINKS = 6,     /* the first of those that only waiters.c uses */
    TWIN_CONNECTIONS = 13,
};

struct twin {
    struct server *server;
    int fds[TWIN_CONNECTIONS];
    struct buf in[TWIN_CONNECTIONS];
    size_t used[TWIN_CONNECTIONS]; /* how much of `in` was handed out */
    bool tells_values;             /* its events come a second time, see observe.c */
    bool classes_vary; /* commands of the batch may have changed which classes are told */
};

void twin_start(struct twin *t, struct server *server);
/* Closes one connection, if it is open, and connects again. */
void twin_reconnect(struct twin *t, int connection);
/* Closes what is open and connects again, without a wait. */
void twin_connect(struct twin *t);
void twin_stop(struct twin *t);

bool twin_send(struct twin *t, int connection, struct slice bytes);

/*
 * Reads that many replies. When they do not come, since the connection closes, breaks the protocol
 * or is silent for too long, the missing ones are empty slices and false is returned.
 */
bool twin_read(struct twin *t, int connection, int count, struct slice *replies);

/* Sends one inline command to the inspector and reads its reply; NUL bytes cannot be in it. */
struct slice twin_say(struct twin *t, const char *command);

#endif
