/* See judge.h: how long each token was certainly held. */
#include <stdlib.h>

#include "tests/locks/judge.h"

static const int64_t NS_A_MS = 1000000;

static int by_token(const void *x, const void *y)
{
    const struct act *a = ((const struct hold *)x)->grant, *b = ((const struct hold *)y)->grant;

    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return (a->began > b->began) - (a->began < b->began);
}

static int by_use(const void *x, const void *y)
{
    const struct act *a = *(const struct act *const *)x, *b = *(const struct act *const *)y;

    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return (a->began > b->began) - (a->began < b->began);
}

/* What is known of a hold while the acts on its token are gone through in their order. */
struct life {
    int64_t lease_from; /* the lease does not end before this */
    int64_t lease_to;   /* and not after this */
    int64_t proven;     /* the server accepted the token from an act that began then */
};

static int64_t lease_end(int64_t time, long lease_ms)
{
    return lease_ms == NO_LEASE ? INT64_MAX : time + lease_ms * NS_A_MS;
}

static void use_renewal(struct life *l, const struct act *a)
{
    if (a->outcome == DONE) {
        l->lease_from = lease_end(a->began, a->lease_ms);
        l->lease_to = lease_end(a->ended, a->lease_ms);
    } else if (a->outcome == UNKNOWN || a->outcome == OPEN) {
        int64_t from = lease_end(a->began, a->lease_ms);

        l->lease_from = from < l->lease_from ? from : l->lease_from;
        l->lease_to = INT64_MAX;
    }
}

static void use_release(struct hold *h, const struct act *a)
{
    if (a->outcome == REFUSED || a->outcome == NOTHING || h->release_began != INT64_MAX)
        return;
    h->release_began = a->began;
    if (a->outcome == DONE)
        h->lost = a->ended;
}

static void use_act(struct hold *h, struct life *l, const struct act *a)
{
    if (a->deed == RENEW)
        use_renewal(l, a);
    if (a->deed == RELEASE || a->deed == COMMIT)
        use_release(h, a);
    if (a->outcome == DONE && a->began <= h->release_began)
        l->proven = a->began;
}

/* Where a link or all of a name is cut, whatever is held there may end. */
static int64_t first_cut(const struct history *h, const struct act *grant)
{
    int64_t cut = INT64_MAX;

    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];
        bool of_link = a->link == grant->link && !grant->detached;
        bool of_name = a->link == 0 && a->name == grant->name && a->ended >= grant->began;

        if (a->deed == CUT && (of_link || of_name) && a->began < cut)
            cut = a->began;
    }
    return cut;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The uses of the token, in order of their beginning; not_before: the grant was no sooner. */
static void live(struct hold *h, const struct act *const *uses, size_t n, int64_t not_before)
{
    const struct act *grant = h->grant;
    struct life l = {lease_end(not_before, grant->lease_ms),
                     lease_end(grant->ended, grant->lease_ms), 0};

    for (size_t i = 0; i < n; i++)
        use_act(h, &l, uses[i]);
    h->from = grant->ended;
    h->until = least(least(l.lease_from, h->cut), h->release_began);
    if (l.proven > h->until)
        h->until = l.proven;
    h->lost = least(h->lost, l.lease_to);
}

static bool uses_token(const struct act *a)
{
    return a->deed != ACQUIRE && a->deed != CUT && a->deed != READ && a->token > 0;
}

static const struct act **uses_find(const struct history *h, size_t *n)
{
    const struct act **uses = malloc((h->n + 1) * sizeof(*uses));

    if (uses == NULL)
        abort();
    *n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (uses_token(&h->acts[i]))
            uses[(*n)++] = &h->acts[i];
    }
    qsort(uses, *n, sizeof(*uses), by_use);
    return uses;
}

/* < 0: the use is of a token before the hold's in the common order. */
static int compare(const struct act *use, const struct act *grant)
{
    if (use->name != grant->name)
        return use->name < grant->name ? -1 : 1;
    return (use->token > grant->token) - (use->token < grant->token);
}

static void live_all(const struct history *h, struct hold *holds, size_t n)
{
    size_t count, at = 0;
    const struct act **uses = uses_find(h, &count);
    int64_t not_before = 0;

    for (size_t i = 0; i < n; i++) {
        const struct act *grant = holds[i].grant;
        size_t end;

        /* Tokens grow: a grant was no sooner than what smaller tokens were asked for. */
        if (i == 0 || holds[i - 1].grant->name != grant->name || grant->began > not_before)
            not_before = grant->began;
        while (at < count && compare(uses[at], grant) < 0)
            at++;
        for (end = at; end < count && compare(uses[end], grant) == 0;)
            end++;
        holds[i].cut = first_cut(h, grant);
        live(&holds[i], uses + at, end - at, not_before);
    }
    free(uses);
}

struct hold *holds_find(const struct history *h, size_t *n)
{
    struct hold *holds = malloc((h->n + 1) * sizeof(*holds));

    if (holds == NULL)
        abort();
    *n = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];

        if (a->deed == ACQUIRE && a->outcome == DONE)
            holds[(*n)++] = (struct hold){a, 0, 0, INT64_MAX, INT64_MAX, INT64_MAX};
    }
    qsort(holds, *n, sizeof(*holds), by_token);
    live_all(h, holds, *n);
    return holds;
}
