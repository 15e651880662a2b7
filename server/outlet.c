/* Notices on their way to connections, see outlet.h. */
#include "server/outlet.h"

#include "base/mem.h"
#include "resp/writer.h"
#include "server/conn.h"
#include "server/tracking.h"
#include "server/worker.h"

enum { CONGESTED_FROM = 8 * 1024 * 1024 }; /* bytes that a worker is still to write */

struct outlet {
    _Atomic uint32_t refs;
    _Atomic bool full; /* `pending` is not empty; changed under the desk's lock */
    struct worker *worker;
    /* The desk's lock: */
    struct conn *conn; /* NULL when it is closed */
    struct list link;  /* desk->full */
    struct buf pending;
};

/* In `pending` before the notice's body. */
struct head {
    enum notice_kind kind;
    bool redirected;
    bool after_reply; /* of its own command, that waited and whose reply is on its way */
    size_t len;
};

static struct outlet_desk *desk_of(const struct worker *w)
{
    return &w->server->tracking->desks[w->index];
}

static void on_wake(struct inbox_message *m, void *owner)
{
    struct outlet_desk *desk = CONTAINER_OF(m, struct outlet_desk, wake);

    (void)owner;
    lock_take(&desk->lock);
    desk->waking = false;
    lock_release(&desk->lock);
}

void outlet_desk_init(struct outlet_desk *desk)
{
    lock_init(&desk->lock, RANK_OUTLETS, 0);
    list_init(&desk->full);
    desk->wake.run = on_wake;
}

struct outlet *outlet_of(struct conn *c)
{
    struct conn_extra *x = conn_extra(c);

    if (x->outlet)
        return x->outlet;
    x->outlet = mem_zalloc(sizeof(*x->outlet));
    x->outlet->refs = 1;
    x->outlet->worker = c->worker;
    x->outlet->conn = c;
    list_init(&x->outlet->link);
    return x->outlet;
}

void outlet_hold(struct outlet *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
}

void outlet_drop(struct outlet *o)
{
    if (atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1)
        mem_free(o);
}

size_t outlet_memory(const struct conn *c)
{
    const struct outlet *o = c->extra ? c->extra->outlet : NULL;

    return o ? mem_size_of(o) : 0;
}

/* ---- in -------------------------------------------------------------------------------------- */

/* As pubsub.c does: who tells faster than others can write is held back. */
static void note_congestion(struct worker *by, struct outlet_desk *desk)
{
    if (LIKELY(atomic_load_explicit(&desk->cost, memory_order_relaxed) < CONGESTED_FROM))
        return;
    by->congested = desk;
    if (by->current)
        by->current->flags |= CONN_HELD;
}

static void append(struct outlet *o, const struct worker *by, const struct notice *n)
{
    struct head head;

    memset(&head, 0, sizeof(head));
    head.kind = n->kind;
    head.redirected = n->redirected;
    head.after_reply = by->serving && by->serving == o->conn->id;
    head.len = n->body.len;
    buf_append(&o->pending, &head, sizeof(head));
    buf_append_slice(&o->pending, n->body);
}

bool outlet_put(struct outlet *o, struct worker *by, const struct notice *n)
{
    struct outlet_desk *desk = desk_of(o->worker);
    bool open, wake = false;

    lock_take(&desk->lock);
    open = o->conn != NULL;
    if (open) {
        append(o, by, n);
        wake = o->worker != by && list_empty(&desk->full) && !desk->waking;
        desk->waking |= wake;
        if (!atomic_load_explicit(&o->full, memory_order_relaxed))
            list_push(&desk->full, &o->link);
        atomic_store_explicit(&o->full, true, memory_order_release);
        atomic_fetch_add_explicit(&desk->cost, sizeof(struct head) + n->body.len,
                                  memory_order_relaxed);
    }
    lock_release(&desk->lock);
    if (wake)
        inbox_post(&o->worker->inbox, &desk->wake);
    note_congestion(by, desk);
    return open;
}

bool outlets_congested(struct worker *w)
{
    if (LIKELY(!w->congested))
        return false;
    if (atomic_load_explicit(&w->congested->cost, memory_order_relaxed) < CONGESTED_FROM / 2)
        w->congested = NULL;
    return w->congested != NULL;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* What is in the outlet; the caller releases it. Its desk is locked. */
static struct buf take_locked(struct outlet_desk *desk, struct outlet *o)
{
    struct buf all = o->pending;

    o->pending = (struct buf){0};
    list_remove(&o->link);
    atomic_store_explicit(&o->full, false, memory_order_relaxed);
    atomic_fetch_sub_explicit(&desk->cost, all.len, memory_order_relaxed);
    return all;
}

/*
 * The same without what belongs behind a reply that has not come yet: that stays, and the round in
 * which the reply comes takes it out.
 */
static struct buf take_due_locked(struct outlet_desk *desk, struct outlet *o)
{
    struct buf all = take_locked(desk, o), due = {0};

    if (LIKELY(!o->conn->waiter))
        return all;
    for (size_t at = 0, len; at < all.len; at += len) {
        struct head head;

        memcpy(&head, all.ptr + at, sizeof(head));
        len = sizeof(head) + head.len;
        buf_append(head.after_reply ? &o->pending : &due, all.ptr + at, len);
    }
    buf_release(&all);
    if (o->pending.len) {
        list_push(&desk->full, &o->link);
        atomic_store_explicit(&o->full, true, memory_order_release);
        atomic_fetch_add_explicit(&desk->cost, o->pending.len, memory_order_relaxed);
    }
    return due;
}

void outlet_close(struct conn *c)
{
    struct outlet *o = c->extra ? c->extra->outlet : NULL;
    struct outlet_desk *desk = desk_of(c->worker);
    struct buf left;

    if (!o)
        return;
    lock_take(&desk->lock);
    o->conn = NULL;
    left = take_locked(desk, o);
    lock_release(&desk->lock);
    buf_release(&left);
}

/*
 * A client that speaks RESP2 can be told only on behalf of another connection, and only while it
 * expects messages: as if they came from a channel.
 */
static void encode(const struct conn *c, const struct head *head, struct slice body,
                   struct writer *w)
{
    if (head->kind == NOTICE_LOCK) {
        if (c->resp3)
            write_raw(w, body);
        return;
    }
    if (!c->resp3 && (head->kind == NOTICE_BROKEN || !head->redirected || !c->subs))
        return;
    write_push(w, c->resp3 ? 2 : 3);
    if (!c->resp3) {
        write_cstr(w, "message");
        write_cstr(w, "__redis__:invalidate");
    } else {
        write_cstr(w, head->kind == NOTICE_BROKEN ? "tracking-redir-broken" : "invalidate");
    }
    if (head->kind == NOTICE_ALL)
        write_null(w);
    else
        write_raw(w, body);
}

/* Encodes the notice at `at`, and returns how long it is. */
static size_t encode_next(const struct conn *c, const char *at, struct buf *out)
{
    struct writer w = {.buf = out, .resp3 = c->resp3};
    struct head head;

    memcpy(&head, at, sizeof(head));
    encode(c, &head, slice_make(at + sizeof(head), head.len), &w);
    return sizeof(head) + head.len;
}

/* What has come for the connection; the caller releases it. */
static struct buf take(struct conn *c)
{
    struct outlet_desk *desk = desk_of(c->worker);
    struct buf all = {0};

    if (LIKELY(!atomic_load_explicit(&c->extra->outlet->full, memory_order_acquire)))
        return all;
    lock_take(&desk->lock);
    all = take_due_locked(desk, c->extra->outlet);
    lock_release(&desk->lock);
    return all;
}

void outlet_catch_up(struct conn *c)
{
    struct buf all = take(c);

    for (size_t at = 0; at < all.len;)
        at += encode_next(c, all.ptr + at, &c->worker->out);
    buf_release(&all);
}

static void deliver(struct conn *c, struct buf *all)
{
    struct buf encoded = {0};

    for (size_t at = 0; at < all->len;) {
        encoded.len = 0;
        at += encode_next(c, all->ptr + at, &encoded);
        conn_push(c, buf_slice(&encoded));
    }
    buf_release(all);
    buf_release(&encoded);
}

void outlet_deliver(struct conn *c)
{
    struct buf all = take(c);

    deliver(c, &all);
}

/* What is put in meanwhile is delivered too; what stays in is not looked at twice. */
void outlets_deliver(struct worker *w)
{
    struct outlet_desk *desk = desk_of(w);
    struct list stay;

    if (LIKELY(atomic_load_explicit(&desk->cost, memory_order_relaxed) == 0))
        return;
    list_init(&stay);
    lock_take(&desk->lock);
    while (!list_empty(&desk->full)) {
        struct outlet *o = CONTAINER_OF(desk->full.next, struct outlet, link);
        struct conn *c = o->conn;
        struct buf all = take_due_locked(desk, o);

        if (atomic_load_explicit(&o->full, memory_order_relaxed)) {
            list_remove(&o->link);
            list_push(&stay, &o->link);
        }
        lock_release(&desk->lock);
        deliver(c, &all);
        lock_take(&desk->lock);
    }
    while (!list_empty(&stay)) {
        struct list *link = stay.next;

        list_remove(link);
        list_push(&desk->full, link);
    }
    lock_release(&desk->lock);
}
