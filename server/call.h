/*
 * A call: one request that is being executed, and everything that its handler may know. Handlers
 * look keys up, read and change values and state what they changed through these functions alone;
 * locks, versions, notifications and statistics follow from that.
 *
 * Entries are borrowed until the handler returns, or changes the same key. Arguments are borrowed
 * until it returns. `i` is always the index of an argument that the command's row declares as a
 * key.
 */
#ifndef LK_SERVER_CALL_H
#define LK_SERVER_CALL_H

#include "resp/writer.h"
#include "server/command.h"
#include "server/conn.h"
#include "server/server.h"
#include "server/worker.h"
#include "storage/entry.h"
#include "storage/keyspace.h"
#include "storage/string.h"

enum key_event {
#define EVENT(id, name, class) EVENT_##id,
#include "server/events.def"
#undef EVENT
    EVENT_COUNT
};

struct call {
    struct worker *worker;
    struct server *server;
    struct conn *conn;
    const struct conf *conf;
    const struct command *cmd;
    const struct slice *argv;
    int argc;
    int db;
    int64_t now_ms;
    struct writer out;
    size_t reply_start;          /* where this call's reply begins in the output */
    uint64_t first_hash;         /* of the argument cmd->first_key */
    const struct parsed *parsed; /* the request in the worker's batch; NULL where there is none */
    uint64_t *hashes;            /* of all keys, by argument; NULL if there is only the first */
    bool holds_shards;           /* others than that of the first key */
    bool world;                  /* the world is stopped: any key may be touched */
    uint32_t gates;              /* the server's and the connection's, as it was let in */
    bool at_once;                /* it cannot wait: a part of a transaction, or of a command */
    bool stopped;                /* it did not run: it waits, and will be run anew */
    int come;                    /* the key for which a command that waited is run again, else 0 */

    /* The last look-up, so that find and change cost one. */
    int found_at; /* argument, 0 for none */
    int found_db;
    struct found found;
};

static inline struct slice call_arg(const struct call *c, int i)
{
    return c->argv[i];
}

static inline bool call_arg_is(const struct call *c, int i, const char *word)
{
    return slice_is(c->argv[i], word);
}

/* ---- arguments; what is wrong is answered, and false returned ------------------------------ */

/* "ERR value is not an integer or out of range" unless it is one. */
bool call_int(struct call *c, int i, int64_t *out);
/* The same between bounds, with this text ("ERR …") where it is not; NULL for the text above. */
bool call_int_between(struct call *c, int i, int64_t min, int64_t max, int64_t *out,
                      const char *error);
/* "ERR value is not a valid float". */
bool call_double(struct call *c, int i, double *out);
/* "ERR syntax error"; always false. */
bool call_syntax_error(struct call *c);
/*
 * "ERR DB index is out of range"; with this text where it is no number, NULL for the customary one.
 */
bool call_db(struct call *c, int i, int *out, const char *not_a_number);

/*
 * "ERR <what> cannot contain spaces, newlines or special characters." if argument i does; for names
 * that CLIENT LIST shows.
 */
bool call_client_text(struct call *c, int i, const char *what);

/* ---- looking up ---------------------------------------------------------------------------- */

/*
 * The entry of the key, NULL if there is none; an expired one is removed first. False, and
 * WRONGTYPE answered, if it is of another type than `type` (TYPE_ANY fits all). call_find is for
 * reading: it counts hits and misses, and marks the key as used.
 */
bool call_find(struct call *c, int i, enum type type, struct entry **out);
/* The same for any type without marking: for EXISTS, TYPE, TTL and kin. */
struct entry *call_look(struct call *c, int i);
/* For changing: counts nothing. */
bool call_find_write(struct call *c, int i, enum type type, struct entry **out);
/* Whether it has an entry, as it is: its time may be over. */
bool call_is_here(struct call *c, int i);
/* Neither counts nor marks. */
struct entry *call_peek(struct call *c, int i);
/*
 * A key that is no argument, as call_find() for any type; only with the world stopped. Other
 * entries are borrowed on, unless their time has come.
 */
struct entry *call_find_named(struct call *c, struct slice key);
/* In another database. Counts and marks nothing. */
struct entry *call_peek_db(struct call *c, int i, int db);

/* The version of the entry that was found at key i, 0 for NULL. */
uint64_t call_version(struct call *c, int i, const struct entry *e);

/* When or how often the entry of key i was used, see access.h. */
uint32_t *call_access(struct call *c, int i, int db, struct entry *e);

/* The bytes of a string entry; `digits` is room for those of a number. */
static inline struct slice call_string(const struct entry *e, char digits[NUM_INT_MAX])
{
    return string_value(e, digits);
}

/* ---- changing; every change is followed by call_changed or call_removed --------------------- */

/*
 * Puts an entry made for this key in the place of whatever is there, in the call's database, and
 * frees that. Takes ownership.
 */
void call_put(struct call *c, int i, struct entry *fresh);
void call_put_db(struct call *c, int i, int db, struct entry *fresh);

/*
 * Sets a string value as SET does: numbers become integers, a long argument is taken over uncopied.
 */
void call_set_string(struct call *c, int i, int value_arg, int64_t expiry);
/* The same with bytes of the handler's own. */
void call_set_bytes(struct call *c, int i, struct slice value, int64_t expiry);
/* The value becomes this number, keeping the expiry if the key is there. */
void call_set_int(struct call *c, int i, int64_t value);

/*
 * Makes the string at key i, which may be missing, `len` bytes long and editable in place. Of the
 * bytes that it had, the caller will change no others than `n` from `at` on.
 */
char *call_edit_string(struct call *c, int i, size_t len, size_t at, size_t n);

/*
 * After one of the functions that take an entry over: `e` stands for the entry that was found at
 * key i. With call_put() for a new one, all that a collection's handler needs.
 */
void call_moved(struct call *c, int i, struct entry *e);
/* The same where its times may have changed, which were `was`. */
void call_retimed(struct call *c, int i, struct entry_times was, struct entry *e);
/* The collection at key i lost its last element: the key is gone, and "del" says so. */
void call_emptied(struct call *c, int i);

/* The key's time to live; EXPIRY_NONE takes it away. The key must be there. */
void call_set_expiry(struct call *c, int i, int64_t expiry);

/* Takes the key out and frees it; false if it was not there. call_removed() is to follow. */
bool call_delete(struct call *c, int i);
/* Takes the entry out without freeing it; NULL if it was not there. */
struct entry *call_take(struct call *c, int i);

/* "The key, which is there, was changed": its version, events, statistics follow. */
void call_changed(struct call *c, int i, enum key_event event);
void call_changed_db(struct call *c, int i, int db, enum key_event event);
/* "The key was there, and is gone." */
void call_removed(struct call *c, int i, enum key_event event);
void call_note_touched(struct call *c, int i, struct slice element);
void call_note_touched_indexes(struct call *c, int i, int64_t first, int64_t n);
/*
 * What of a collection the next statement about it concerns: a field, a member, or `n` indexes from
 * the first on, as often as there are any. Those that are there by then are named as they are,
 * those that are gone as they were. Nothing but a look at two words if nobody wants to know it.
 */
static inline void call_touched(struct call *c, int i, struct slice element)
{
    if (UNLIKELY(keyvalue_wanted(c->server)))
        call_note_touched(c, i, element);
}
static inline void call_touched_indexes(struct call *c, int i, int64_t first, int64_t n)
{
    if (UNLIKELY(keyvalue_wanted(c->server)))
        call_note_touched_indexes(c, i, first, n);
}

/* What was stated last counts as `n` changes since the last snapshot. */
void call_counts_as(struct call *c, int64_t n);
/*
 * A further event of a key that is not a change of its own (the "expire" of SET key value EX 10).
 */
void call_event(struct call *c, int i, enum key_event event);

/* ---- the log -------------------------------------------------------------------------------- */

/*
 * A command that changed something is recorded as it came. One that would not do the same again,
 * because it draws at random, counts a time from now on, waited for its keys, or is none of Redis
 * 7.0's, states what does: the requests to record instead of it, in any number, which are one step.
 */

/* Whether anything is recorded at all. */
static inline bool call_logs(const struct call *c)
{
    return c->worker->recording.depth > 0;
}
void call_log(struct call *c, const struct slice *argv, int argc);
#define CALL_LOG(c, ...)                                                                           \
    call_log((c), (const struct slice[]){__VA_ARGS__}, COUNT_OF(((struct slice[]){__VA_ARGS__})))
/* The key at i has been given this time to live. */
void call_log_expiry(struct call *c, int i, int64_t expiry);
/* A request of which the `argc` - 1 arguments behind the name come one by one. */
void call_log_begin(struct call *c, struct slice name, int argc);
void call_log_arg(struct call *c, struct slice arg);
/* Those that make the entry, which is its key's, where there is none. */
void call_log_entry(struct call *c, const struct entry *e);
/* One that Redis 7.0 does not know, and skips. */
void call_log_note(struct call *c, const struct slice *argv, int argc);
#define CALL_LOG_NOTE(c, ...)                                                                      \
    call_log_note((c), (const struct slice[]){__VA_ARGS__},                                        \
                  COUNT_OF(((struct slice[]){__VA_ARGS__})))
/* What was changed is no matter of the log. */
void call_log_nothing(struct call *c);

/* ---- the length of strings ------------------------------------------------------------------ */

/* False, and answered, if a string of len + more bytes would exceed proto-max-bulk-len. */
bool call_fits(struct call *c, uint64_t len, uint64_t more);

/* ---- the connection -------------------------------------------------------------------------- */

void call_close_after_reply(struct call *c);
uint64_t call_hash(struct call *c, int i);

#endif
