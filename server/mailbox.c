/* Messages on their way to a worker's subscribers, see mailbox.h. */
#include "server/mailbox.h"

#include "base/mem.h"
#include "server/worker.h"

struct message *message_new(struct slice channel, struct slice payload)
{
    struct message *m = mem_alloc(sizeof(*m) + channel.len + payload.len);

    atomic_init(&m->refs, 1);
    memcpy(m->bytes, channel.ptr, channel.len);
    memcpy(m->bytes + channel.len, payload.ptr, payload.len);
    m->channel = slice_make(m->bytes, channel.len);
    m->payload = slice_make(m->bytes + channel.len, payload.len);
    return m;
}

void message_hold(struct message *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void message_drop(struct message *m)
{
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
        mem_free(m);
}

void delivery_free(struct delivery *d)
{
    message_drop(d->message);
    mem_free(d);
}

static void on_wake(struct inbox_message *m, void *owner)
{
    struct mailbox *box = CONTAINER_OF(m, struct mailbox, wake);

    (void)owner;
    lock_take(&box->lock);
    box->waking = false;
    lock_release(&box->lock);
}

void mailbox_init(struct mailbox *box)
{
    lock_init(&box->lock, RANK_MAILBOX, 0);
    box->tail = &box->head;
    box->wake.run = on_wake;
}

void mailbox_put(struct mailbox *box, struct delivery *d, struct worker *to,
                 const struct worker *by)
{
    bool wake;

    d->next = NULL;
    atomic_fetch_add_explicit(&box->cost, d->cost, memory_order_relaxed);
    lock_take(&box->lock);
    wake = to != by && !box->head && !box->waking;
    box->waking |= wake;
    *box->tail = d;
    box->tail = &d->next;
    lock_release(&box->lock);
    if (wake)
        inbox_post(&to->inbox, &box->wake);
}

struct delivery *mailbox_take(struct mailbox *box)
{
    struct delivery *all;
    size_t cost = 0;

    lock_take(&box->lock);
    all = box->head;
    box->head = NULL;
    box->tail = &box->head;
    lock_release(&box->lock);
    for (const struct delivery *d = all; d; d = d->next)
        cost += d->cost;
    atomic_fetch_sub_explicit(&box->cost, cost, memory_order_relaxed);
    return all;
}

void mailbox_release(struct mailbox *box)
{
    struct delivery *next;

    for (struct delivery *d = mailbox_take(box); d; d = next) {
        next = d->next;
        delivery_free(d);
    }
}
