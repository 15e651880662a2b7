/*
 * Players: clients that use locks at random, each a thread with a connection of its own, and write
 * down what they did (acts.h). Beside them an onlooker asks who waits, and a killer ends
 * connections and breaks locks.
 */
#ifndef TESTS_LOCKS_PLAYER_H
#define TESTS_LOCKS_PLAYER_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/lib/server.h"
#include "tests/lib/wire.h"
#include "tests/locks/acts.h"

enum { PLAYERS = 16 };

/* What the names 0 and so on are used for; a letter each: x exclusive, r readers, p permits. */
extern const char name_kinds[];
enum { NAMES = 6, PERMITS_MAX = 3 };

struct game {
    struct server *server;
    unsigned long seed;
    int rounds;
    bool kills; /* connections are killed and locks broken */
    bool haste; /* pauses and leases are as short as can be */
    atomic_int requests, links, busy;
    pthread_mutex_t lock; /* of what follows */
    struct {
        int link;
        long long id; /* CLIENT ID */
    } present[PLAYERS];
};

struct player {
    struct game *game;
    int number;
    struct wire *wire;
    int link;
    bool gone;              /* the server has closed the connection */
    struct answer *granted; /* a push that came beside a reply, or NULL */
    struct history mine;
};

/* ---- talking (player.c) ---- */

int64_t now_ns(void);
int pick_of(int bound);

void player_connect(struct player *p);

enum ending { BY_CLOSE, BY_RESET, BY_SHUTDOWN, ENDINGS };
/* Writes down that it is cut, and connects anew. */
void player_cut(struct player *p, enum ending how);

/*
 * A command; NULL when the connection has ended (p->gone) or nothing comes in time. Pushes are
 * skipped, except for one that grants, which is kept in p->granted.
 */
struct answer *player_ask(struct player *p, int timeout_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct answer *player_next(struct player *p, int timeout_ms);
/* The push of a grant, if it comes in that time. */
struct answer *player_grant(struct player *p, int timeout_ms);

/* Long enough for any reply that comes at all. */
enum { ANSWER_MS = 60000 };

/* ---- acts (player.c) ---- */

/* One that begins now; its index, since acts move. */
size_t act_begin(struct player *p, enum deed deed, int name, int request);
/* It ends now, with that reply, or without one. */
void act_end(struct player *p, size_t i, const struct answer *a);

/* ---- whole lives of threads ---- */

void *play(void *player);    /* plays.c */
void *look_on(void *player); /* onlooker.c */
void *kill_some(void *player);

/*
 * One run against the server, in a way that the seed tells; the caller releases the history. NULL,
 * or what kept it from a good end.
 */
const char *game_run(struct server *s, unsigned long seed, int rounds, struct history *out);

#endif
