/* Telling of locks, see lock_notice.h. */
#include "server/locks/lock_notice.h"

#include "server/locks/lock_request.h"
#include "server/outlet.h"
#include "server/pubsub.h"

#include <inttypes.h>

static const char *const events[] = {
    [LOCK_ACQUIRED] = "acquired", [LOCK_RELEASED] = "released", [LOCK_EXPIRED] = "expired",
    [LOCK_BROKEN] = "broken",     [LOCK_LOST] = "lost",         [LOCK_EXPIRING] = "expiring",
};

void lock_append_holder(struct buf *out, const struct holder *h)
{
    if (h->owner_len)
        buf_append_slice(out, holder_owner(h));
    else if (h->session && h->session->name_len)
        buf_append_slice(out, lock_session_name(h->session));
    else
        buf_printf(out, "client:%" PRIu64, h->client);
}

/* ---- subscribers ----------------------------------------------------------------------------- */

static void publish(struct worker *w, const struct latch *l, struct buf *text)
{
    struct buf channel = {0};

    buf_append_str(&channel, "__lock__:");
    buf_append_slice(&channel, latch_name(l));
    pubsub_publish(w, buf_slice(&channel), buf_slice(text));
    buf_release(&channel);
    buf_release(text);
}

void lock_publish(struct worker *w, const struct holder *h, enum lock_event event)
{
    struct buf text = {0};

    if (LIKELY(pubsub_idle(w->server)))
        return;
    buf_printf(&text, "%s %" PRIu64 " ", events[event], h->token);
    lock_append_holder(&text, h);
    publish(w, h->latch, &text);
}

/* ---- holders --------------------------------------------------------------------------------- */

static void push(struct worker *w, struct lock_session *s, const struct buf *body)
{
    struct notice n = {.kind = NOTICE_LOCK, .body = buf_slice(body)};

    lock_take(&s->lock);
    if (s->outlet)
        outlet_put(s->outlet, w, &n);
    lock_release(&s->lock);
}

void lock_tell(struct worker *w, const struct holder *h, enum lock_event event)
{
    struct buf body = {0};
    struct writer out = {.buf = &body, .resp3 = true};

    if (!h->session)
        return;
    write_push(&out, 4);
    write_cstr(&out, "lock");
    write_cstr(&out, events[event]);
    write_bulk(&out, latch_name(h->latch));
    write_int(&out, (int64_t)h->token);
    push(w, h->session, &body);
    buf_release(&body);
}

static void push_granted(struct worker *w, const struct lock_request *r)
{
    struct buf body = {0};
    struct writer out = {.buf = &body, .resp3 = true};

    write_push(&out, 3 + 2 * r->places_len);
    write_cstr(&out, "lock");
    write_cstr(&out, "granted");
    for (int i = 0; i < r->places_len; i++)
        write_bulk(&out, latch_name(r->places[i].latch));
    write_int(&out, (int64_t)r->ticket);
    for (int i = 0; i < r->places_len; i++)
        write_int(&out, (int64_t)r->places[i].token);
    push(w, r->session, &body);
    buf_release(&body);
}

void lock_tell_granted(struct worker *w, struct lock_request *r)
{
    push_granted(w, r);
    for (int i = 0; !pubsub_idle(w->server) && i < r->places_len; i++) {
        struct buf text = {0};

        buf_printf(&text, "granted %" PRIu64 " %" PRIu64, r->ticket, r->places[i].token);
        publish(w, r->places[i].latch, &text);
    }
}
