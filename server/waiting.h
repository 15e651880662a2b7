/*
 * Waiting: commands that cannot be answered yet. This is the one mechanism for it.
 *
 * A handler that finds nothing says what it waits for: wait_begin(). What it leaves behind is a
 * `struct waiter`, which has the command with its arguments, hangs in the shards of the keys
 * (waited.h), and has a time. The connection goes on with nothing else meanwhile. Whoever changes
 * one of the keys runs the command again in the waiter's place, before anybody else can touch the
 * key (serving.h), and gives the reply to the worker of the connection, which ends the wait.
 *
 * There is one moment at which a wait is decided: waiter_claim(). Who serves it, its time, CLIENT
 * UNBLOCK and the end of the connection may come at once from several threads; one of them gets
 * true.
 */
#ifndef LK_SERVER_WAITING_H
#define LK_SERVER_WAITING_H

#include "server/call.h"

/* What the keys are waited for to have; or to have another version than is known. */
enum wait_for { WAIT_FOR_LIST, WAIT_FOR_ZSET, WAIT_FOR_CHANGE, WAIT_KINDS };

struct wait {
    enum wait_for what;
    int first, count; /* the arguments that are the keys; none: only for its time */
    int beside;       /* a key that the command touches besides the one that came; 0: none */
    int64_t until_us; /* monotonic; 0: for ever */
    uint64_t since;   /* WAIT_FOR_CHANGE: the version that is known, 0 for no key */
    bool again;       /* the request stays with the connection, and is run anew when it goes on */
    void (*in_vain)(struct call *c); /* answers when the time is up; NULL: the null array */
    /* Asked when the disk has more of the log: whether to answer as if time were up. Or NULL. */
    bool (*ready)(const struct call *c, uint64_t since);
    /*
     * Is told when the wait is over, one way or another, and the connection (NULL if it is closed)
     * about to go on; by its worker, with no shard locked. For who keeps queues of its own, in
     * which `subject` stands. NULL for none.
     */
    void (*ended)(struct waiter *waiter);
    void *subject;
};

/* ---- for handlers ---------------------------------------------------------------------------- */

/*
 * Reads a time to wait, in seconds and parts of them, as the time when it ends. False, and
 * answered, if it is none.
 */
bool wait_read_timeout(struct call *c, int i, int64_t *until_us);
/* When so many milliseconds are over, which are not negative; 0, for ever, for 0. */
int64_t wait_until_us(int64_t ms);
/*
 * The call will be answered later; the keys are locked. False if it cannot wait, since it is a part
 * of something larger: it is to answer as if the time were up.
 */
bool wait_begin(struct call *c, const struct wait *wait);
/*
 * A command that waited is run again when one of its keys has come. It serves itself from that one:
 * true for the others.
 */
static inline bool wait_skips(const struct call *c, int i)
{
    return c->come && c->come != i;
}

/* ---- for connections ------------------------------------------------------------------------- */

/* Whether it still waits; false also when the reply is on its way. In its worker, or stopped. */
bool waiting(const struct conn *c);
/* When its time is up, 0 for never. It waits. */
int64_t waiting_until_us(const struct conn *c);
/* What its `since` is; it waits, or has just been asked whether it does. */
uint64_t waiting_since(const struct conn *c);
size_t waiting_memory(const struct conn *c);
/* It has run for so long before it began to wait. */
void waiting_ran(const struct conn *c, uint64_t ns);
/* As if its time were up, or with an error. False if it does not wait. The world is stopped. */
bool waiting_unblock(struct conn *c, struct worker *by, bool error);
/* Will be closed: from now on it is served nothing. In its worker, or with the world stopped. */
void waiting_give_up(struct conn *c);
/* Is closed, and has been given up. */
void waiting_end(struct conn *c);

/* ---- for workers ----------------------------------------------------------------------------- */

/* Asks those that wait for the disk. */
void waiting_look_again(struct worker *w);
/* Goes on with the connections that this worker has itself served in this round. */
void waiting_finish_served(struct worker *w);
/* The connections are closed, and no thread runs any more. */
void waiting_release(struct worker *w);

#endif
