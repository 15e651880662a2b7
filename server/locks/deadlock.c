/* Who waits for whom, see deadlock.h. */
#include "server/locks/deadlock.h"

#include "server/locks/lock_desk.h"

/* What is still to be looked at: everything that the request waits for, at one remove or more. */
struct walk {
    const struct lock_request *from;
    struct lock_request *next; /* to be looked at */
    uint64_t number;
    bool cycle;
};

/* The request `r` is waited for. */
static void reach(struct walk *walk, struct lock_request *r)
{
    if (r == walk->from)
        walk->cycle = true;
    if (r->walk == walk->number)
        return;
    r->walk = walk->number;
    r->next = walk->next;
    walk->next = r;
}

/* Whether the holder gives nothing back before the request is granted. */
static bool keeps(const struct lock_request *r, const struct holder *h)
{
    if (!r->ticket)
        return true;
    return r->owner_len && slice_eq(lock_request_owner(r), holder_owner(h));
}

static void reach_holder(struct walk *walk, const struct holder *h)
{
    if (!h->session)
        return;
    LIST_EACH (r, &h->session->requests, struct lock_request, in_session) {
        if (keeps(r, h))
            reach(walk, r);
    }
}

static void look_at(struct walk *walk, const struct lock_request *r)
{
    for (int i = 0; i < r->places_len; i++) {
        const struct lock_place *p = &r->places[i];

        if (p->own)
            continue;
        if (p->link.prev != &p->latch->queue)
            reach(walk, CONTAINER_OF(p->link.prev, struct lock_place, link)->request);
        if (latch_has_room(p->latch, &r->terms))
            continue;
        LIST_EACH (h, &p->latch->holders, struct holder, in_latch)
            reach_holder(walk, h);
    }
}

bool deadlock_closes(struct locks *locks, struct lock_request *r)
{
    struct walk walk = {.from = r, .number = ++locks->walks};

    look_at(&walk, r);
    while (walk.next && !walk.cycle) {
        struct lock_request *next = walk.next;

        walk.next = next->next;
        look_at(&walk, next);
    }
    return walk.cycle;
}
