/*
 * Publish and subscribe: random commands on a few connections, one after the other, and what each
 * connection gets is compared after every one of them.
 *
 *   subscribers [--seed N] [--count N] [--threads N]
 *
 * A PING on every connection marks how far the oracle has come. The server under test may deliver
 * messages behind its mark, so that as many are read from it as the oracle has sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/options.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/template.h"
#include "tests/differential/verdict.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum { STEPS = 20000, LINKS = 3, DIFFERENCES_MAX = 20, GOT_MAX = 4096, LATE_MS = 3000 };

/* What one connection got since the last step, without the marks. */
struct got {
    struct buf replies[GOT_MAX];
    int count;
    bool marked; /* the mark has come */
};

static struct contest contest;
static struct got got[2];

static bool is_unsubscribed(const struct reply *r)
{
    static const struct slice kinds[] = {SLICE("unsubscribe"), SLICE("punsubscribe"),
                                         SLICE("sunsubscribe")};

    for (size_t i = 0; r->count == 3 && i < COUNT_OF(kinds); i++) {
        if (slice_eq(r->items[0].text, kinds[i]))
            return true;
    }
    return false;
}

/*
 * The order in which subscriptions are ended is the server's own, so the counts that go down with
 * it are kept apart from the names. What tells of the server itself is left out.
 */
static void append_canonical(struct buf *out, struct slice reply, bool orderless)
{
    struct reply *r = reply_parse(reply);

    if (is_unsubscribed(r))
        buf_append_slice(out, slice_make(reply.ptr, reply.len - r->items[2].whole.len));
    else if (r->count > 0 && slice_eq(r->items[0].text, SLICE("server")))
        buf_append_char(out, r->type);
    else if (orderless && !reply_is_error(reply))
        reply_append_sorted(out, reply);
    else
        buf_append_slice(out, reply);
    reply_free(r);
}

static bool is_mark(struct slice reply, struct slice mark)
{
    struct reply *r = reply_parse(reply);
    bool found = slice_eq(r->text, mark) || (r->count == 2 && slice_eq(r->items[1].text, mark));

    reply_free(r);
    return found;
}

static void forget(struct got *g)
{
    for (int i = 0; i < g->count; i++)
        buf_release(&g->replies[i]);
    g->count = 0;
    g->marked = false;
}

/* Reads one reply; false when nothing comes any more. */
static bool take_one(struct twin *t, int link, struct got *g, struct slice mark, bool orderless)
{
    struct slice reply;

    if (g->count == GOT_MAX || !twin_read(t, link, 1, &reply))
        return false;
    if (is_mark(reply, mark)) {
        g->marked = true;
    } else {
        g->replies[g->count] = (struct buf){0};
        append_canonical(&g->replies[g->count++], reply, orderless);
    }
    return true;
}

static int by_content(const void *a, const void *b)
{
    return slice_cmp(buf_slice(a), buf_slice(b));
}

static void join(struct got *g, struct buf *out)
{
    out->len = 0;
    qsort(g->replies, (size_t)g->count, sizeof(g->replies[0]), by_content);
    for (int i = 0; i < g->count; i++)
        buf_append_slice(out, buf_slice(&g->replies[i]));
}

/* Whether something can be read from the socket, or has been. */
static bool more_comes(const struct twin *t, int link)
{
    char byte;
    long long end = raw_now_ms() + LATE_MS;

    if (t->in[link].len > t->used[link])
        return true;
    while (raw_now_ms() < end) {
        if (!raw_expect_silence(t->fds[link], 50))
            return recv(t->fds[link], &byte, 1, MSG_PEEK) == 1;
    }
    return false;
}

/* What both servers gave to that connection; true if alike. */
static bool compare_link(int link, struct slice mark, const struct drawn *d)
{
    bool orderless = d->rule->how == ORDERLESS, alike;
    struct buf all[2] = {{0}, {0}};

    for (int side = 0; side < 2; side++) {
        struct twin *t = &contest.twins[side];

        forget(&got[side]);
        while (!got[side].marked && take_one(t, link, &got[side], mark, orderless))
            ;
        while (side == TESTED && got[TESTED].marked && got[TESTED].count < got[ORACLE].count &&
               more_comes(t, link) && take_one(t, link, &got[TESTED], mark, orderless))
            ;
        join(&got[side], &all[side]);
    }
    alike = slice_eq(buf_slice(&all[ORACLE]), buf_slice(&all[TESTED])) && got[ORACLE].marked &&
            got[TESTED].marked;
    if (!alike) {
        char what[64];

        snprintf(what, sizeof(what), "what connection %d got", link);
        trail_report(&contest.trail, contest.where, d,
                     (struct difference){what, buf_slice(&all[ORACLE]), buf_slice(&all[TESTED])});
    }
    buf_release(&all[ORACLE]);
    buf_release(&all[TESTED]);
    return alike;
}

static void send_mark(int link, const char *mark)
{
    char ping[64];
    int len = snprintf(ping, sizeof(ping), "PING %s\r\n", mark);

    for (int side = 0; side < 2; side++)
        twin_send(&contest.twins[side], link, slice_make(ping, (size_t)len));
}

/* The acting connection is marked and read first: when its mark comes, the command has been run. */
static bool step(struct drawn *d)
{
    struct buf out = {0};
    char mark[32];
    bool alike;

    snprintf(mark, sizeof(mark), "mark-%lu", d->index);
    drawn_encode(d, &out);
    for (int side = 0; side < 2; side++)
        twin_send(&contest.twins[side], d->connection, buf_slice(&out));
    buf_release(&out);
    send_mark(d->connection, mark);
    alike = compare_link(d->connection, slice_str(mark), d);
    for (int link = 0; link < LINKS && alike; link++) {
        if (link == d->connection)
            continue;
        send_mark(link, mark);
        alike = compare_link(link, slice_str(mark), d);
    }
    return alike;
}

static void run(const struct options *o, int threads)
{
    static struct drawn drawn[SEQUENCE_MAX];

    contest_start(&contest, threads);
    rng_seed(o->seed);
    snprintf(contest.where, sizeof(contest.where), "--seed %lu --count %lu --threads %d", o->seed,
             o->count, threads);
    contest_renew(&contest);
    for (unsigned long i = 0; i < o->count && contest.trail.differences < DIFFERENCES_MAX; i++) {
        rules_draw(family_pubsub(), drawn);
        drawn->index = i;
        drawn->connection = (int)rng_below(LINKS);
        trail_add(&contest.trail, drawn);
        if (!step(drawn))
            contest_renew(&contest);
    }
    ok(contest.trail.differences == 0, "%lu commands of subscribers, threads %d, seed %lu",
       o->count, threads, o->seed);
    forget(&got[ORACLE]);
    forget(&got[TESTED]);
    contest_stop(&contest);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, STEPS);

    options_each(&o, run);
    return tap_done();
}
