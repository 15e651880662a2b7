/*
 * The reader: a thread with a connection to the database, which fetches the rows of all keys that
 * were asked for while it fetched the ones before, in one statement. While the database cannot be
 * reached it tries again and again, and what is asked for waits until its time is up.
 */
#ifndef LK_SERVER_BACKEND_READER_H
#define LK_SERVER_BACKEND_READER_H

#include "server/backend/reading.h"
#include "storage/entry.h"

enum fetch_outcome {
    FETCH_ABSENT, /* there is no row */
    FETCH_FOUND,
    FETCH_WRONG,  /* what the row holds is no value, as `why` says */
    FETCH_FAILED, /* the database did not answer in time */
};

/* A key that was asked for, and what came of it. */
struct fetch {
    struct fetch *next;
    uint64_t hash;
    int64_t from_ms, until_ms; /* monotonic: not to be asked before, to be given up */
    enum fetch_outcome outcome;
    struct entry *entry; /* FETCH_FOUND: owned, with the row's version, 0 if it has none */
    char why[256];       /* FETCH_WRONG, FETCH_FAILED */
    size_t len;
    char key[];
};

struct fetch *fetch_new(struct slice key, uint64_t hash);
void fetch_free(struct fetch *f);
/* As if nothing had come of it; its time begins anew. */
void fetch_renew(struct fetch *f, int timeout_ms);
static inline struct slice fetch_key(const struct fetch *f)
{
    return slice_make(f->key, f->len);
}

struct reader;

struct reader *reader_new(struct reading *r);
/* Begins, and ends, its thread; what was asked for and has not come by then has failed. */
int reader_start(struct reader *reader);
void reader_stop(struct reader *reader);
void reader_free(struct reader *reader);
/* Any thread. Takes it over; it comes back by fetching_deliver(). `after_ms`: not at once. */
void reader_ask(struct reader *reader, struct fetch *f, int after_ms);
/* The database has not answered for longer than it has time for: who asks is not to wait. */
bool reader_is_down(const struct reader *reader);

#endif
