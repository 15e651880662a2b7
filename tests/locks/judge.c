/* See judge.h: tokens, exclusion, answers. */
#include "tests/locks/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server's clock is read when a round begins and counts milliseconds of leases. */
static const int64_t CLOCK_SLACK_NS = 5000000;

void object(struct verdict *v, const char *format, ...)
{
    char *text;
    va_list ap;

    v->count++;
    if (v->kept == COMPLAINTS_KEPT)
        return;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort();
    va_end(ap);
    v->texts[v->kept++] = text;
}

void verdict_release(struct verdict *v)
{
    for (int i = 0; i < (int)v->kept; i++)
        free(v->texts[i]);
    memset(v, 0, sizeof(*v));
}

/* ---- tokens ---- */

/* The holds are in the order of their tokens, which must be that of their times too. */
void judge_tokens(const struct hold *holds, size_t n, struct verdict *v)
{
    int64_t latest_began = 0;

    for (size_t i = 0; i < n; i++) {
        const struct act *a = holds[i].grant;

        v->grants++;
        if (i == 0 || holds[i - 1].grant->name != a->name)
            latest_began = 0;
        else if (holds[i - 1].grant->token == a->token)
            object(v, "name %d: token %" PRId64 " is granted to requests %d and %d", a->name,
                   a->token, holds[i - 1].grant->request, a->request);
        if (a->token <= 0)
            object(v, "name %d: request %d got %" PRId64 " for a token", a->name, a->request,
                   a->token);
        if (a->ended < latest_began)
            object(v,
                   "name %d: token %" PRId64 " of request %d does not grow: a smaller one was "
                   "asked for behind it",
                   a->name, a->token, a->request);
        if (a->began > latest_began)
            latest_began = a->began;
    }
}

/* ---- exclusion ---- */

static bool conflict(const struct act *a, const struct act *b)
{
    return a->mode == EXCLUSIVE || b->mode == EXCLUSIVE;
}

static void judge_moment(const struct hold *holds, size_t n, const struct hold *new,
                         struct verdict *v)
{
    int permits = new->grant->permits;

    for (size_t i = 0; i < n; i++) {
        const struct hold *h = &holds[i];

        if (h == new || h->from > new->from || h->until <= new->from)
            continue;
        if (conflict(h->grant, new->grant))
            object(v,
                   "name %d: tokens %" PRId64 " and %" PRId64 " of requests %d and %d are "
                   "held at once",
                   h->grant->name, h->grant->token, new->grant->token, h->grant->request,
                   new->grant->request);
        permits += h->grant->permits;
    }
    if (new->grant->mode == PERMITS && permits > new->grant->max)
        object(v, "name %d: %d permits of %d are held at once, with request %d", new->grant->name,
               permits, new->grant->max, new->grant->request);
}

static size_t same_name(const struct hold *holds, size_t n)
{
    size_t i = 1;

    while (i < n && holds[i].grant->name == holds[0].grant->name)
        i++;
    return i;
}

void judge_exclusion(const struct hold *holds, size_t n, struct verdict *v)
{
    while (n > 0) {
        size_t count = same_name(holds, n);

        for (size_t i = 0; i < count; i++) {
            if (holds[i].until <= holds[i].from)
                continue;
            v->proven++;
            judge_moment(holds, count, &holds[i], v);
        }
        holds += count;
        n -= count;
    }
}

/* ---- answers ---- */

static int by_name_and_token(const void *key, const void *item)
{
    const struct act *a = key;
    const struct act *b = ((const struct hold *)item)->grant;

    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    return (a->token > b->token) - (a->token < b->token);
}

/* A later holder that had its token before the act began, and could not with the act's. */
static const struct act *successor(const struct hold *h, const struct hold *end,
                                   const struct act *a)
{
    for (const struct hold *s = h + 1; s < end && s->grant->name == a->name; s++) {
        if (s->grant->ended < a->began && conflict(h->grant, s->grant))
            return s->grant;
    }
    return NULL;
}

static void judge_accepted(const struct act *a, const struct hold *h, const struct hold *end,
                           struct verdict *v)
{
    const struct act *later = successor(h, end, a);

    if (later != NULL)
        object(v,
               "name %d: stale token %" PRId64 " accepted from request %d, when %" PRId64
               " was granted",
               a->name, a->token, a->request, later->token);
    else if (h->lost != INT64_MAX && a->began > h->lost + CLOCK_SLACK_NS)
        object(v,
               "name %d: token %" PRId64 " accepted from request %d, %" PRId64 " us after it "
               "was lost",
               a->name, a->token, a->request, (a->began - h->lost) / 1000);
}

static void judge_answer(const struct act *a, const struct hold *h, const struct hold *end,
                         struct verdict *v)
{
    if (a->outcome == DONE && h == NULL)
        object(v, "name %d: request %d was accepted with token %" PRId64 ", which nobody got",
               a->name, a->request, a->token);
    else if (a->outcome == DONE)
        judge_accepted(a, h, end, v);
    else if (h != NULL && (a->outcome == REFUSED || a->outcome == NOTHING)) {
        v->refused++;
        if (a->began >= h->from && a->ended <= h->until)
            object(v, "name %d: request %d was refused (%s) though it held token %" PRId64, a->name,
                   a->request, a->error, a->token);
    }
}

static bool was_cut(const struct history *h, int link)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->acts[i].deed == CUT && h->acts[i].link == link)
            return true;
    }
    return false;
}

/* Who is never answered, and whose link nobody has closed, has been forgotten. */
static void judge_silence(const struct history *h, const struct act *a, struct verdict *v)
{
    if (a->outcome == OPEN && a->deed != CUT)
        object(v, "name %d: request %d was never answered: a lost wake-up", a->name, a->request);
    if (a->outcome == UNKNOWN && !was_cut(h, a->link))
        object(v, "link %d ended with request %d, and nobody had cut it", a->link, a->request);
}

static void judge_code(const struct act *a, struct verdict *v)
{
    static const char *const codes[] = {"NOTHELD", "FENCED", "LOCKLOST", "DEADLOCK"};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(a->error, codes[i]) == 0)
            return;
    }
    object(v, "name %d: request %d is answered by the error %s", a->name, a->request, a->error);
}

void judge_answers(const struct history *h, const struct hold *holds, size_t n, struct verdict *v)
{
    for (size_t i = 0; i < h->n; i++) {
        const struct act *a = &h->acts[i];

        judge_silence(h, a, v);
        if (a->outcome == REFUSED)
            judge_code(a, v);
        if (a->deed != ACQUIRE && a->deed != CUT && a->deed != READ && n > 0)
            judge_answer(a, bsearch(a, holds, n, sizeof(*holds), by_name_and_token), holds + n, v);
    }
}

/* ---- all of it ---- */

struct verdict judge(const struct history *h)
{
    struct verdict v = {0};
    size_t n;
    struct hold *holds = holds_find(h, &n);

    judge_tokens(holds, n, &v);
    judge_exclusion(holds, n, &v);
    judge_answers(h, holds, n, &v);
    judge_order(h, &v);
    judge_writes(h, &v);
    judge_commits(h, &v);
    free(holds);
    return v;
}
