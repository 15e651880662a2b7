/*
 * A connection, and the way of bytes in and out. It belongs to one worker: only that thread touches
 * it, others while the world is stopped.
 *
 * An idle connection owns no buffers. What was read lies in the worker's buffer and is worked off
 * there; only what cannot be worked off yet moves to a `struct incoming` of the connection's own:
 * an unfinished request, or everything behind a request that has to wait.
 */
#ifndef LK_SERVER_CONN_H
#define LK_SERVER_CONN_H

#include "base/buf.h"
#include "base/list.h"
#include "resp/request.h"
#include "storage/string.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct worker;
struct command;
struct subscription;
struct subscriptions;
struct transaction;
struct waiter;
struct tracker;
struct outlet;
struct lock_request;
struct lock_session;
struct seeker;

enum conn_flags {
    CONN_CLOSE_AFTER_REPLY = 1 << 0, /* no more requests; closed when everything is written */
    CONN_DOOMED = 1 << 1,            /* closed as soon as nothing uses it */
    CONN_UNIX = 1 << 2,
    CONN_MONITOR = 1 << 3,
    CONN_NO_EVICT = 1 << 4,
    CONN_NO_TOUCH = 1 << 5,
    CONN_REPLY_OFF = 1 << 6,
    CONN_REPLY_SKIP_NEXT = 1 << 7,
    CONN_REPLY_SKIP = 1 << 8,
    CONN_FLUSH_QUEUED = 1 << 9, /* in the worker's list of connections with output */
    CONN_WANTS_WRITE = 1 << 10, /* waits for the socket to take more */
    CONN_PARKED = 1 << 11,      /* its next request waits, see conn_park() */
    CONN_BLOCKED = 1 << 12,     /* a command waits for something; later requests wait behind it */
    CONN_MULTI = 1 << 13,
    CONN_SKIP_OUTPUT_LIMIT = 1 << 14,
    CONN_HELD = 1 << 15,    /* publishes faster than others deliver; not read from for a moment */
    CONN_SYNCING = 1 << 16, /* what it is answered is held until the disk has it */
    CONN_PASSES = 1 << 17,  /* its next request has its turn on guarded keys, see guarding.h */
    CONN_FETCHED = 1 << 18, /* the keys of its next request are kept in memory for it */
    CONN_UNREAD = 1 << 19,  /* parked until the log has caught up: not read from */
    CONN_WAITS = CONN_PARKED | CONN_BLOCKED | CONN_HELD | CONN_SYNCING,
};

/* Reasons why this connection's commands need a closer look; beside the server's gates. */
enum conn_gates {
    CONN_GATE_AUTH = 1 << 16,       /* not authenticated */
    CONN_GATE_SUBSCRIBER = 1 << 17, /* RESP2 and subscribed */
    CONN_GATE_REPLY = 1 << 18,      /* CLIENT REPLY is not simply on */
    CONN_GATE_MULTI = 1 << 19,
    CONN_GATE_MONITOR = 1 << 20,
    CONN_GATE_DURABILITY = 1 << 22, /* it has said itself what is to be on the disk; the same */
    CONN_GATE_TRACKING = 1 << 21,   /* see outlet_of(); refuses nothing */
};

/* What a connection keeps of input that is not worked off. */
struct incoming {
    struct buf buf;        /* begins with the first byte of a request */
    struct request parser; /* of that request */
    struct args args;      /* what is parsed of it, in buf or in blobs */
    struct blob *filling;  /* a long argument that is being read */
    size_t filled;
    unsigned skip;       /* bytes of a CRLF behind a long argument still to come */
    struct blob **blobs; /* the long arguments of the request */
    size_t blobs_len;
    bool complete; /* a whole request that was parked before it ran */
    bool answered; /* it has been answered meanwhile, and will not run */
};

/* What few connections need. */
struct conn_extra {
    struct slice name, lib_name, lib_ver; /* owned, "" when not set */
    struct subscription *watch;           /* MONITOR */
    struct tracker *tracker;              /* of CLIENT TRACKING */
    struct outlet *outlet;                /* where it is told of keys that changed */
    struct lock_session *lock_session;    /* who holds its locks */
    struct lock_request *pass;            /* CONN_PASSES */
    struct seeker *fetched;               /* CONN_FETCHED */
    int64_t lock_timeout_ms;              /* if it has one of its own */
    bool has_lock_timeout;
    int64_t room_until_ms; /* so long its request waits for memory, monotonic; 0: it does not */
};

struct conn {
    struct event event;
    struct worker *worker;
    struct list link;       /* among the worker's connections */
    struct list flush_link; /* CONN_FLUSH_QUEUED */
    struct list wait_link;  /* CONN_PARKED or CONN_BLOCKED: where the reason says */
    struct list hold_link;  /* CONN_HELD */
    struct list sync_link;  /* CONN_SYNCING */
    int fd;
    uint32_t flags, gates;
    uint64_t id;
    int db;
    uint32_t span; /* the last in which it sent something, see coalescing.h */
    bool resp3;
    bool killed; /* and to be closed by its own worker; changed with the world stopped */
    struct incoming *in;
    struct buf out;
    size_t out_counted; /* of its capacity, in the worker's output_bytes */
    size_t out_sent;    /* bytes of `out` that the socket took already */
    size_t out_free;    /* CONN_SYNCING: so many of them may be sent */
    uint64_t await_seq; /* what it is answered waits for this group of the log; 0 for none */
    /* The same for an epoch of the backend, and how often that had failed (backend/home.h). */
    uint64_t await_epoch, await_failures;
    uint8_t durability, durable_once; /* enum durability; the second for one command */
    size_t counted;                   /* of its memory, in the worker's clients_bytes */
    struct conn_extra *extra;
    struct subscriptions *subs;      /* channels and patterns, NULL for none */
    struct transaction *transaction; /* of MULTI and WATCH, NULL without either */
    const struct command *last_command;
    int64_t created_ms, active_ms; /* monotonic */
    int64_t soft_since_ms;         /* over the soft output limit since; 0: not */
    uint64_t net_in, net_out;
    struct waiter *waiter; /* what it waits for, see waiting.h; NULL for nothing */
};

/* Takes over the descriptor; the world is entered by the caller, the worker's thread. */
struct conn *conn_open(struct worker *w, int fd, bool is_unix);
/*
 * Marks it for closing; freed at the end of the worker's round, when nothing points at it any more.
 * What was not written is lost.
 */
void conn_doom(struct conn *c);
/* Frees the doomed connections of a worker. */
void conn_bury_doomed(struct worker *w);

/* The event's callback: reads, works off, writes. */
void conn_ready(evutil_socket_t fd, short what, void *arg);

/* Accounts for bytes that came. */
void conn_received(struct conn *c, size_t n);

/* A buffer to append output to, for a connection that is not the one being served just now. */
struct buf *conn_output(struct conn *c);
/*
 * Appends a whole message that is no reply: also to a connection that reads slower than such
 * messages come, so its output limit is looked at as it grows. Nothing for one that is being
 * closed.
 */
void conn_push(struct conn *c, struct slice bytes);
/* Writes what the socket takes; called by the worker for its list. May doom the connection. */
void conn_flush(struct conn *c);
/* Writes the replies that the worker has gathered for the connection in hand. */
void conn_send_replies(struct conn *c);
/* Bytes that wait to be written. */
static inline size_t conn_pending(const struct conn *c)
{
    return c->out.len - c->out_sent;
}

/* The socket is not read from until conn_resume(). */
void conn_leave_unread(struct conn *c);
/* Goes on with a connection whose reason to wait is over. */
void conn_resume(struct conn *c);
/* Begins and ends CONN_HELD: the socket is not read from. */
void conn_hold(struct conn *c);
void conn_release(struct conn *c);

/* Whether the client is on this host. */
bool conn_is_local(const struct conn *c);
struct conn_extra *conn_extra(struct conn *c);

/* What a client says of itself. */
enum conn_text { CONN_NAME, CONN_LIB_NAME, CONN_LIB_VER };
/* Copies the text; an empty one takes it away. */
void conn_set_text(struct conn *c, enum conn_text which, struct slice text);
/* Bytes of memory that it takes. */
size_t conn_memory(const struct conn *c);
/* "127.0.0.1:6379", "[::1]:6379" or "/path:0"; `out` has room for SOCKET_NAME_MAX bytes. */
void conn_peer_name(const struct conn *c, char *out);
void conn_local_name(const struct conn *c, char *out);

#endif
