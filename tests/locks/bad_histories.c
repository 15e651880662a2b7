/*
 * The judge of histories is judged: histories made by hand, each with one fault that it must find,
 * and beside most of them the same without the fault, of which it must not complain.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/locks/judge.h"

enum { MS = 1000000 };

/* An act of the link on name 0, with times in milliseconds. */
static struct act *add(struct history *h, enum deed deed, int link, int began, int ended)
{
    struct act *a = history_act(h);

    a->deed = deed;
    a->outcome = DONE;
    a->request = (int)h->n;
    a->link = link;
    a->began = (int64_t)began * MS;
    a->ended = (int64_t)ended * MS;
    return a;
}

static struct act *grant(struct history *h, int link, int64_t token, int began, int ended)
{
    struct act *a = add(h, ACQUIRE, link, began, ended);

    a->token = token;
    return a;
}

static struct act *use(struct history *h, enum deed deed, int link, int64_t token, int began)
{
    struct act *a = add(h, deed, link, began, began + 1);

    a->token = token;
    return a;
}

static void refuse(struct act *a, const char *code)
{
    a->outcome = REFUSED;
    snprintf(a->error, sizeof(a->error), "%s", code);
}

static void stands(struct history *h, int request, int64_t token)
{
    struct written *w = history_written(h);

    w->request = request;
    w->token = token;
}

static void sees(struct history *h, int ended, int first, int second)
{
    struct sighting *s = history_sighting(h);

    s->ended = (int64_t)ended * MS;
    s->requests[s->count++] = first;
    if (second != 0)
        s->requests[s->count++] = second;
}

/* ---- histories without a fault ---- */

static void handed_over(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 2, 2, 12);
    sees(h, 5, 2, 0);
    use(h, RELEASE, 1, 1, 10);
    use(h, RELEASE, 2, 2, 20);
}

static void touching(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    grant(h, 2, 2, 2, 12);
}

static void readers(struct history *h)
{
    grant(h, 1, 1, 0, 1)->mode = SHARED;
    grant(h, 2, 2, 2, 3)->mode = SHARED;
    use(h, RELEASE, 1, 1, 10);
    use(h, RELEASE, 2, 2, 11);
}

static struct act *permits(struct history *h, int link, int64_t token, int n)
{
    struct act *a = grant(h, link, token, (int)token, (int)token + 1);

    a->mode = PERMITS;
    a->permits = n;
    a->max = 3;
    return a;
}

static void three_permits(struct history *h)
{
    permits(h, 1, 1, 2);
    permits(h, 2, 2, 1);
}

static void fenced_in_time(struct history *h)
{
    struct act *a;

    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    grant(h, 2, 2, 5, 13);
    a = use(h, WRITE, 1, 1, 20);
    refuse(a, "FENCED");
    a = use(h, WRITE, 2, 2, 21);
    stands(h, a->request, 2);
}

static void cut_while_waiting(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 0, 2, 12)->outcome = UNKNOWN;
    add(h, CUT, 2, 8, 8);
    use(h, RELEASE, 1, 1, 30);
}

static void killed_holder(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    add(h, CUT, 1, 5, 6);
    grant(h, 2, 2, 2, 7);
}

static void committed(struct history *h)
{
    struct act *a;

    grant(h, 1, 1, 0, 1);
    use(h, COMMIT, 1, 1, 5);
    grant(h, 2, 2, 2, 7);
    a = use(h, READ, 2, 2, 8);
    a->value = 1;
}

/* ---- histories with one fault each ---- */

static void double_grant(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 2, 2, 5);
    use(h, RELEASE, 1, 1, 10);
    use(h, RELEASE, 2, 2, 20);
}

static void double_grant_in_lease(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    grant(h, 2, 2, 2, 8);
}

static void double_grant_renewed(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 5;
    use(h, RENEW, 1, 1, 4)->lease_ms = 20;
    grant(h, 2, 2, 2, 12);
}

/* The lease may have ended, but later the server says that it has not. */
static void double_grant_proven(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 5;
    grant(h, 2, 2, 2, 12)->lease_ms = 100;
    use(h, CHECK, 1, 1, 20);
}

static void reader_beside_writer(struct history *h)
{
    grant(h, 1, 1, 0, 1)->mode = SHARED;
    grant(h, 2, 2, 2, 3);
    use(h, RELEASE, 1, 1, 10);
}

static void four_permits(struct history *h)
{
    permits(h, 1, 1, 2);
    permits(h, 2, 2, 2);
}

static void token_again(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, RELEASE, 1, 1, 2);
    grant(h, 2, 1, 5, 6);
}

static void token_back(struct history *h)
{
    grant(h, 1, 7, 0, 1);
    use(h, RELEASE, 1, 7, 2);
    grant(h, 2, 3, 5, 6);
}

static void token_zero(struct history *h)
{
    grant(h, 1, 0, 0, 1);
}

static void never_served(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 0, 2, 0)->outcome = OPEN;
    use(h, RELEASE, 1, 1, 10);
}

static void late_comer_first(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 3, 2, 20);
    sees(h, 5, 2, 0);
    use(h, RELEASE, 1, 1, 10);
    grant(h, 3, 2, 8, 11);
    use(h, RELEASE, 3, 2, 12);
}

static void ticket_holder_later(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    grant(h, 2, 3, 2, 20)->queued = 4 * MS;
    use(h, RELEASE, 1, 1, 10);
    grant(h, 3, 2, 8, 11);
    use(h, RELEASE, 3, 2, 12);
}

static void queue_turned(struct history *h)
{
    grant(h, 1, 3, 0, 20);
    grant(h, 2, 2, 0, 10);
    sees(h, 5, 1, 2);
    use(h, RELEASE, 2, 2, 15);
}

static void two_holders_shown(struct history *h)
{
    struct sighting *s = history_sighting(h);

    s->ended = 5 * MS;
    s->holders = s->exclusive_holders = 2;
}

static void stale_write(struct history *h)
{
    struct act *a;

    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    grant(h, 2, 2, 5, 13);
    a = use(h, WRITE, 1, 1, 20);
    stands(h, a->request, 1);
}

static void stale_line(struct history *h)
{
    int first, second;

    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    first = use(h, WRITE, 1, 1, 5)->request;
    grant(h, 2, 2, 5, 13);
    second = use(h, WRITE, 2, 2, 14)->request;
    stands(h, second, 2);
    stands(h, first, 1);
}

static void write_after_lease(struct history *h)
{
    struct act *a;

    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    a = use(h, WRITE, 1, 1, 20);
    stands(h, a->request, 1);
}

static void refused_write_made(struct history *h)
{
    struct act *a;

    grant(h, 1, 1, 0, 1)->lease_ms = 10;
    a = use(h, WRITE, 1, 1, 20);
    refuse(a, "FENCED");
    stands(h, a->request, 1);
}

static void accepted_write_lost(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, WRITE, 1, 1, 5);
}

static void renewed_after_release(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, RELEASE, 1, 1, 5);
    use(h, RENEW, 1, 1, 20)->lease_ms = 10;
}

static void released_twice(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, RELEASE, 1, 1, 5);
    use(h, RELEASE, 1, 1, 20);
}

static void refused_holder(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 100;
    refuse(use(h, WRITE, 1, 1, 5), "FENCED");
}

static void foreign_token(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, RELEASE, 1, 5, 5);
}

static void strange_error(struct history *h)
{
    refuse(grant(h, 1, 0, 0, 1), "ERR");
}

static void link_lost(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, WRITE, 1, 1, 5)->outcome = UNKNOWN;
}

static void commit_not_found(struct history *h)
{
    grant(h, 1, 1, 0, 1);
    use(h, COMMIT, 1, 1, 5);
    grant(h, 2, 2, 2, 7);
    use(h, READ, 2, 2, 8);
}

static void refused_commit_found(struct history *h)
{
    grant(h, 1, 1, 0, 1)->lease_ms = 3;
    refuse(use(h, COMMIT, 1, 1, 5), "NOTHELD");
    grant(h, 2, 2, 2, 7);
    use(h, READ, 2, 2, 8)->value = 1;
}

static const struct {
    const char *name;
    void (*make)(struct history *h);
    const char *fault; /* of a complaint; NULL: there is none */
} cases[] = {
    {"a lock handed over", handed_over, NULL},
    {"a grant at the end of a lease", touching, NULL},
    {"two readers", readers, NULL},
    {"three permits of three", three_permits, NULL},
    {"a late write that is refused", fenced_in_time, NULL},
    {"a waiter that leaves", cut_while_waiting, NULL},
    {"a holder that is killed", killed_holder, NULL},
    {"a commit that is found", committed, NULL},
    {"two holders", double_grant, "held at once"},
    {"two holders, within the lease of one", double_grant_in_lease, "held at once"},
    {"two holders, after a renewal", double_grant_renewed, "held at once"},
    {"two holders, as a check says later", double_grant_proven, "held at once"},
    {"a reader beside a writer", reader_beside_writer, "held at once"},
    {"four permits of three", four_permits, "4 permits of 3"},
    {"a token twice", token_again, "is granted to"},
    {"a token that goes back", token_back, "does not grow"},
    {"no token", token_zero, "for a token"},
    {"a waiter that is forgotten", never_served, "lost wake-up"},
    {"a late-comer before who was seen waiting", late_comer_first, "served before"},
    {"a late-comer before who has a ticket", ticket_holder_later, "served before"},
    {"a queue out of order", queue_turned, "served before"},
    {"two holders at a glance", two_holders_shown, "are shown"},
    {"a write with an old token", stale_write, "stale token"},
    {"writes out of order", stale_line, "stands behind"},
    {"a write after the lease", write_after_lease, "after it was lost"},
    {"a refused write that was made", refused_write_made, "and made"},
    {"an accepted write that is not there", accepted_write_lost, "0 times"},
    {"a renewal after the release", renewed_after_release, "after it was lost"},
    {"a second release", released_twice, "after it was lost"},
    {"a refused holder", refused_holder, "though it held"},
    {"a token of nobody", foreign_token, "nobody got"},
    {"an error that is none of locks", strange_error, "by the error"},
    {"a link that nobody has cut", link_lost, "nobody had cut"},
    {"a commit that is not found", commit_not_found, "had committed"},
    {"a refused commit that is found", refused_commit_found, "nobody committed"},
};

static bool as_wanted(const struct verdict *v, const char *fault)
{
    bool found = fault == NULL && v->count == 0;

    for (int i = 0; fault != NULL && i < (int)v->kept; i++)
        found |= strstr(v->texts[i], fault) != NULL;
    return found;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct history h = {0};
        struct verdict v;

        cases[i].make(&h);
        v = judge(&h);
        if (!ok(as_wanted(&v, cases[i].fault), "%s: %s", cases[i].name,
                cases[i].fault != NULL ? "found" : "no complaint"))
            diag("%d complaints: %s", v.count, v.count > 0 ? v.texts[0] : "");
        verdict_release(&v);
        history_release(&h);
    }
    return tap_done();
}
