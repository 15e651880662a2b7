/*
 * A crowd: many clients, each a thread with a connection of its own, that work at the same time.
 *
 * What a client does is its role. Roles of bounded work end by themselves; the others go on as long
 * as crowd_busy() says that bounded ones are at work. A role may have a part that runs before all
 * others begin (to subscribe, say). Complaints of any thread are kept and told when all have ended.
 */
#ifndef TESTS_RACE_CROWD_H
#define TESTS_RACE_CROWD_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "tests/lib/server.h"

struct client;

struct role {
    const char *name;
    int clients;
    bool endless;                     /* until the bounded ones are done */
    void (*prepare)(struct client *); /* may be NULL */
    void (*run)(struct client *);
};

struct client {
    const struct role *role;
    int number; /* within the role, from 0 */
    int rounds; /* how much a bounded role does */
    redisContext *link;
    struct crowd *crowd;
};

/* Runs the roles (the last has no name) against the server; one TAP line each. */
void crowd_run(struct server *s, const struct role *roles, int rounds, unsigned long seed);

bool crowd_busy(const struct client *c);
/* How many clients the role of that client has. */
int client_peers(const struct client *c);

void complain(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Sends one command and waits for its reply, freed with freeReplyObject(). An error or a lost
 * connection is a complaint, and gives NULL.
 */
redisReply *ask(struct client *c, const char *format, ...);
/* The same; errors are no complaint. */
redisReply *ask_tolerant(struct client *c, const char *format, ...);
/* The same as ask() for an integer, or -1000000. */
long long ask_int(struct client *c, const char *format, ...);
/* The same as ask() for any reply that does not matter. */
void tell(struct client *c, const char *format, ...);

/* Opens the client's connection anew. */
bool client_connect(struct client *c);

/* A number below bound, of the thread's own sequence. */
int pick(int bound);

#endif
