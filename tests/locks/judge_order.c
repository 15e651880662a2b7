/* See judge.h: who came first is served first, and what was written was written in order. */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/locks/judge.h"

/* ---- order of arrival ---- */

/* When each act was certainly in the queue: as it knows itself, or as an onlooker saw; or 0. */
static int64_t *queued_find(const struct history *h)
{
    int64_t *queued = malloc((h->n + 1) * sizeof(*queued));

    if (queued == NULL)
        abort();
    for (size_t i = 0; i < h->n; i++)
        queued[i] = h->acts[i].queued;
    for (size_t s = 0; s < h->sighted; s++) {
        const struct sighting *seen = &h->sightings[s];

        for (size_t i = 0; i < h->n; i++) {
            const struct act *a = &h->acts[i];

            if (a->deed != ACQUIRE || a->name != seen->name ||
                (queued[i] != 0 && queued[i] <= seen->ended))
                continue;
            for (int j = 0; j < seen->count; j++) {
                if (seen->requests[j] == a->request)
                    queued[i] = seen->ended;
            }
        }
    }
    return queued;
}

static void judge_pair(const struct act *first, const struct act *second, struct verdict *v)
{
    v->ordered++;
    if (first->token > second->token)
        object(v,
               "name %d: request %d waited when %d came, which was served before it (tokens "
               "%" PRId64 ", %" PRId64 ")",
               first->name, first->request, second->request, first->token, second->token);
}

static bool granted(const struct act *a)
{
    return a->deed == ACQUIRE && a->outcome == DONE;
}

static void judge_arrivals(const struct history *h, struct verdict *v)
{
    int64_t *queued = queued_find(h);

    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];

        if (!granted(a) || queued[i] == 0)
            continue;
        v->handed_over++;
        for (size_t j = 0; j < h->n; j++) {
            const struct act *b = &h->acts[j];

            if (granted(b) && b->name == a->name && b->began > queued[i])
                judge_pair(a, b, v);
        }
    }
    free(queued);
}

static const struct act *find(const struct history *h, int name, int request)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->acts[i].name == name && h->acts[i].request == request && granted(&h->acts[i]))
            return &h->acts[i];
    }
    return NULL;
}

/* A queue is shown in the order of arrival, and never with holders that exclude each other. */
static void judge_sighting(const struct history *h, const struct sighting *s, struct verdict *v)
{
    const struct act *before = NULL;

    if (s->exclusive_holders > 1 || (s->exclusive_holders > 0 && s->holders > 1))
        object(v, "name %d: %d holders are shown, %d of them exclusive", s->name, s->holders,
               s->exclusive_holders);
    for (int i = 0; i < s->count; i++) {
        const struct act *a = find(h, s->name, s->requests[i]);

        if (a != NULL && before != NULL)
            judge_pair(before, a, v);
        if (a != NULL)
            before = a;
    }
}

void judge_order(const struct history *h, struct verdict *v)
{
    judge_arrivals(h, v);
    for (size_t i = 0; i < h->sighted; i++)
        judge_sighting(h, &h->sightings[i], v);
}

/* ---- writes ---- */

static const struct act *writer(const struct history *h, const struct written *w)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->acts[i].deed == WRITE && h->acts[i].request == w->request)
            return &h->acts[i];
    }
    return NULL;
}

static void judge_line(const struct history *h, size_t i, struct verdict *v)
{
    const struct written *w = &h->written[i];
    const struct act *a = writer(h, w);

    if (i > 0 && w[-1].name == w->name && w[-1].token > w->token)
        object(v, "name %d: a write with token %" PRId64 " stands behind one with %" PRId64,
               w->name, w->token, w[-1].token);
    if (a == NULL)
        object(v, "name %d: a write that nobody made, of request %d", w->name, w->request);
    else if (a->outcome == REFUSED)
        object(v, "name %d: the write of request %d was refused (%s) and made", w->name, w->request,
               a->error);
}

static int times_written(const struct history *h, const struct act *a)
{
    int n = 0;

    for (size_t i = 0; i < h->lines; i++)
        n += h->written[i].request == a->request && h->written[i].name == a->name;
    return n;
}

void judge_writes(const struct history *h, struct verdict *v)
{
    if (h->ended_early)
        return;
    for (size_t i = 0; i < h->lines; i++)
        judge_line(h, i, v);
    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];

        if (a->deed != WRITE || a->outcome != DONE)
            continue;
        v->writes++;
        if (times_written(h, a) != 1)
            object(v, "name %d: the write of request %d was accepted and stands there %d times",
                   a->name, a->request, times_written(h, a));
    }
}

/* ---- commits ---- */

/* May the holder of r's token have found what c committed? */
static bool may_be_found(const struct act *c, const struct act *r)
{
    return c->outcome != REFUSED && c->outcome != NOTHING && c->token == r->value &&
           c->began < r->ended;
}

static void judge_read(const struct history *h, const struct act *r, struct verdict *v)
{
    int64_t least = 0;
    bool found = r->value == 0;

    for (size_t i = 0; i < h->n; i++) {
        const struct act *c = &h->acts[i];

        if (c->deed != COMMIT || c->name != r->name)
            continue;
        if (c->outcome == DONE && c->token < r->token && c->token > least)
            least = c->token;
        found |= may_be_found(c, r);
    }
    if (r->value < least)
        object(v,
               "name %d: request %d with token %" PRId64 " found %" PRId64 ", though %" PRId64
               " had committed",
               r->name, r->request, r->token, r->value, least);
    else if (!found)
        object(v, "name %d: request %d found %" PRId64 ", which nobody committed", r->name,
               r->request, r->value);
}

void judge_commits(const struct history *h, struct verdict *v)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->acts[i].deed == READ && h->acts[i].outcome == DONE)
            judge_read(h, &h->acts[i], v);
    }
}
