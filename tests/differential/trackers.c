/*
 * Clients that cache: random commands on a few connections, one after the other. After each of
 * them it is compared what every connection got, in its order. In a second pass the commands are
 * those of all families, and a connection that is told of all changes shows which keys the servers
 * take for changed.
 *
 *   trackers [--seed N] [--count N] [--threads N]
 *
 * A PING on every connection marks how far it has come.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/options.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/template.h"
#include "tests/differential/verdict.h"
#include "tests/lib/tap.h"

enum {
    STEPS = 10000,
    LINKS = 4,
    LISTENER = LINKS - 1,
    DIFFERENCES_MAX = 10,
    PARTS_MAX = 1000,
    IDS_MAX = 1 << 16
};

/* The numbers of all connections in the order of their beginning, as each server has them. */
static struct {
    char text[24];
} ids[2][IDS_MAX];
static int ids_len[2];
static int id_of[LINKS]; /* which of them a connection has */

static struct contest contest;
static struct buf got[2]; /* what all connections got in this step */
static long told;         /* notices, for the record */

/* Where in that the replies of the connection in hand begin. */
static size_t parts_at[PARTS_MAX];
static int parts_len;

/* ---- connections ---------------------------------------------------------------------------- */

static int connection_of(int link)
{
    return TWIN_LINKS + link;
}

static void learn_id(int side, int link)
{
    struct slice reply = {"", 0};
    struct twin *t = &contest.twins[side];
    int n = ids_len[side]++;

    if (n == IDS_MAX)
        bail("too many connections");
    twin_send(t, connection_of(link), link % 2 ? SLICE("HELLO 3\r\n") : SLICE("PING\r\n"));
    twin_read(t, connection_of(link), 1, &reply);
    twin_send(t, connection_of(link), SLICE("CLIENT ID\r\n"));
    twin_read(t, connection_of(link), 1, &reply);
    snprintf(ids[side][n].text, sizeof(ids[side][n].text), "%.*s", (int)reply.len - 3,
             reply.ptr + 1);
    id_of[link] = n;
}

static void renew(void)
{
    contest_renew(&contest);
    for (int side = 0; side < 2; side++) {
        ids_len[side] = 0;
        for (int link = 0; link < LINKS; link++)
            learn_id(side, link);
    }
}

/* Until the server has seen that the connection is closed. */
static void reconnect(int side, int link)
{
    struct twin *t = &contest.twins[side];
    char name[32];
    bool there = true;

    snprintf(name, sizeof(name), "id=%s ", ids[side][id_of[link]].text);
    while (there) {
        struct buf list = {0};

        buf_append_slice(&list, twin_say(t, "CLIENT LIST"));
        buf_append_char(&list, '\0');
        there = strstr(list.ptr, name) != NULL;
        buf_release(&list);
    }
    twin_reconnect(t, connection_of(link));
}

/* ---- what is sent --------------------------------------------------------------------------- */

/* "id:n" as the number of connection n. */
static struct slice word_for(int side, const struct drawn *d, int i)
{
    struct slice word = drawn_word(d, i);

    if (word.len == 4 && memcmp(word.ptr, "id:", 3) == 0)
        return slice_str(ids[side][id_of[word.ptr[3] - '0']].text);
    return word;
}

static void send_drawn(int side, const struct drawn *d)
{
    struct drawn for_side = {0};
    struct buf out = {0};

    drawn_copy(&for_side, d);
    for (int i = 0; i < d->count; i++)
        drawn_replace(&for_side, i, word_for(side, d, i), WORD_LITERAL);
    drawn_encode(&for_side, &out);
    twin_send(&contest.twins[side], d->connection, buf_slice(&out));
    buf_release(&out);
    drawn_release(&for_side);
}

/* ---- what comes ----------------------------------------------------------------------------- */

static bool is_told(const struct reply *r)
{
    return r->count >= 2 && (slice_eq(r->items[0].text, SLICE("invalidate")) ||
                             slice_eq(r->items[0].text, SLICE("tracking-redir-broken")) ||
                             slice_eq(r->items[0].text, SLICE("message")));
}

static bool begins_with(struct slice text, const char *with)
{
    return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0;
}

/* Appends it with the numbers of connections as those of their beginning. */
static void append_with_ids(int side, struct slice reply)
{
    for (size_t at = 0; at < reply.len; at++) {
        struct slice rest = slice_make(reply.ptr + at, reply.len - at);
        char number[32];
        int n = ids_len[side];

        while (rest.ptr[0] == ':' && n-- > 0) {
            snprintf(number, sizeof(number), ":%s\r", ids[side][n].text);
            if (begins_with(rest, number))
                break;
        }
        if (rest.ptr[0] == ':' && n >= 0) {
            buf_printf(&got[side], "connection %d", n);
            at += strlen(number) - 2;
        } else {
            buf_append_char(&got[side], rest.ptr[0]);
        }
    }
}

static bool shows_ids(const struct drawn *d, const struct reply *r)
{
    return (r->count > 0 && slice_eq(r->items[0].text, SLICE("tracking-redir-broken"))) ||
           (d->count == 2 &&
            (slice_is(drawn_word(d, 1), "trackinginfo") || slice_is(drawn_word(d, 1), "getredir")));
}

/*
 * The null of a FLUSHALL is that of the protocol of who is told; Redis has that of the connection
 * on whose behalf it is.
 */
static void append_told(int side, const struct reply *r)
{
    const struct reply *last = &r->items[r->count - 1];

    told++;
    buf_append_slice(&got[side],
                     slice_make(r->whole.ptr, (size_t)(last->whole.ptr - r->whole.ptr)));
    if (last->type == '_')
        buf_append_str(&got[side], "(all)\r\n");
    else
        buf_append_slice(&got[side], last->whole);
}

/*
 * Twice the same in a row counts once: a key that is set with a time that is over goes at once
 * here, and what a connection did at once is told once; with Redis it goes when it is looked for.
 */
static void merge_repeated(int side)
{
    size_t last = parts_at[parts_len - 1], before;

    if (parts_len < 2)
        return;
    before = parts_at[parts_len - 2];
    if (got[side].len - last == last - before &&
        memcmp(got[side].ptr + last, got[side].ptr + before, last - before) == 0) {
        got[side].len = last;
        parts_len--;
    }
}

static void append(int side, int link, const struct drawn *d, struct slice whole)
{
    struct reply *r = reply_parse(whole);
    bool unasked = is_told(r);

    if (parts_len == PARTS_MAX)
        bail("too much is told at once");
    parts_at[parts_len++] = got[side].len;
    buf_printf(&got[side], "%d: ", link);
    if (r->count > 0 && slice_eq(r->items[0].text, SLICE("server")))
        buf_append_char(&got[side], r->type);
    else if (shows_ids(d, r))
        append_with_ids(side, whole);
    else if (unasked)
        append_told(side, r);
    else if (d->rule->how == ORDERLESS && !reply_is_error(whole))
        reply_append_sorted(&got[side], whole);
    else
        buf_append_slice(&got[side], whole);
    if (unasked)
        merge_repeated(side);
    reply_free(r);
}

static int by_content(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/*
 * What is told on behalf of several connections is in no order among them: Redis tells of what the
 * acting one has read at the end.
 */
static void sort_parts(struct buf *text, size_t from)
{
    static struct slice parts[PARTS_MAX];
    struct buf sorted = {0};

    for (int i = 0; i < parts_len; i++) {
        size_t end = i + 1 < parts_len ? parts_at[i + 1] : text->len;

        parts[i] = slice_make(text->ptr + parts_at[i], end - parts_at[i]);
    }
    qsort(parts, (size_t)parts_len, sizeof(parts[0]), by_content);
    for (int i = 0; i < parts_len; i++)
        buf_append_slice(&sorted, parts[i]);
    text->len = from;
    buf_append_slice(text, buf_slice(&sorted));
    buf_release(&sorted);
}

/* Reads up to the next reply that nobody was told unasked; false if none comes. */
static bool read_reply(int side, int link, const struct drawn *d, struct slice *reply, bool quiet)
{
    for (;;) {
        struct reply *r;
        bool unasked;

        if (!twin_read(&contest.twins[side], connection_of(link), 1, reply)) {
            buf_printf(&got[side], "%d: (nothing)\r\n", link);
            return false;
        }
        r = reply_parse(*reply);
        unasked = is_told(r);
        reply_free(r);
        if (unasked || !quiet)
            append(side, link, d, *reply);
        if (!unasked)
            return true;
    }
}

static void read_to_mark(int side, int link, const struct drawn *d)
{
    struct slice reply;
    size_t from = got[side].len;

    parts_len = 0;
    twin_send(&contest.twins[side], connection_of(link), SLICE("PING mark\r\n"));
    read_reply(side, link, d, &reply, true);
    if (link == LISTENER)
        sort_parts(&got[side], from);
}

/* ---- a step --------------------------------------------------------------------------------- */

static bool compare(const struct drawn *d)
{
    bool alike = slice_eq(buf_slice(&got[ORACLE]), buf_slice(&got[TESTED]));

    if (!alike)
        trail_report(&contest.trail, contest.where, d,
                     (struct difference){"what connections got", buf_slice(&got[ORACLE]),
                                         buf_slice(&got[TESTED])});
    got[ORACLE].len = got[TESTED].len = 0;
    return alike;
}

static bool run_sequence(struct drawn *all, int count, int link, bool quiet)
{
    bool quits = slice_is(drawn_word(&all[0], 0), "quit");

    for (int n = 0; n < count; n++) {
        all[n].index = contest.index++;
        all[n].connection = connection_of(link);
        trail_add(&contest.trail, &all[n]);
    }
    for (int side = 0; side < 2; side++) {
        parts_len = 0;
        for (int n = 0; n < count; n++) {
            struct slice reply;

            send_drawn(side, &all[n]);
            read_reply(side, link, &all[n], &reply, quiet);
        }
        if (quits)
            reconnect(side, link);
        for (int i = 0; i < LINKS; i++) {
            if (i != link || !quits)
                read_to_mark(side, i, &all[count - 1]);
        }
    }
    if (quits) {
        learn_id(ORACLE, link);
        learn_id(TESTED, link);
    }
    return compare(&all[count - 1]);
}

/* ---- runs ----------------------------------------------------------------------------------- */

/*
 * Who is told on behalf of others changes nothing itself: Redis writes such a notice into the
 * middle of a transaction's reply.
 */
static void draw_listening(struct drawn *d)
{
    static struct rule rule = {.how = EXACT};
    static const char *const lines[][2] = {{"HELLO", "2"},
                                           {"HELLO", "3"},
                                           {"QUIT", NULL},
                                           {"RESET", NULL},
                                           {"SUBSCRIBE", "__redis__:invalidate"},
                                           {"SUBSCRIBE", "__redis__:invalidate"},
                                           {"UNSUBSCRIBE", "__redis__:invalidate"}};
    const char *const *line = lines[rng_below(COUNT_OF(lines))];

    drawn_clear(d);
    d->rule = &rule;
    for (int i = 0; i < 2 && line[i] != NULL; i++)
        drawn_add(d, slice_str(line[i]), WORD_LITERAL);
}

static bool step_of_trackers(struct drawn drawn[SEQUENCE_MAX])
{
    int link = (int)rng_below(8), count = 1;

    if (link == 7)
        draw_listening(drawn);
    else
        count = rules_draw(family_tracking(), drawn);
    return run_sequence(drawn, count, link == 7 ? LISTENER : link % LISTENER, false);
}

/* Redis does not tell of a string that has grown for a number that does not fit. */
static bool is_untold(const struct drawn *d)
{
    if (!slice_is(drawn_word(d, 0), "bitfield"))
        return false;
    for (int i = 1; i < d->count; i++) {
        if (slice_is(drawn_word(d, i), "fail"))
            return true;
    }
    return false;
}

/*
 * Any change that a family knows; who is told has asked for it in renew_told(). Not of hyperloglog:
 * Redis does not tell of what PFDEBUG changes, and of what PFADD does before it finds corruption.
 */
static bool step_of_changes(struct drawn drawn[SEQUENCE_MAX])
{
    static const char *const names[] = {"strings", "bits", "keys", "expiry", "lists",
                                        "sets",    "geo",  "sort", "hashes", "zsets"};
    int count;

    do
        count = rules_draw(family_find(names[rng_below(COUNT_OF(names))]), drawn);
    while (is_untold(&drawn[0]));
    return run_sequence(drawn, count, 0, true);
}

static void renew_told(void)
{
    renew();
    for (int side = 0; side < 2; side++) {
        struct slice reply;

        twin_send(&contest.twins[side], connection_of(1), SLICE("CLIENT TRACKING ON BCAST\r\n"));
        twin_read(&contest.twins[side], connection_of(1), 1, &reply);
    }
}

static void run_steps(const struct options *o, int threads, const char *what,
                      bool (*step)(struct drawn drawn[SEQUENCE_MAX]), void (*begin)(void))
{
    static struct drawn drawn[SEQUENCE_MAX];

    contest_start(&contest, threads);
    rng_seed(o->seed);
    snprintf(contest.where, sizeof(contest.where), "--seed %lu --count %lu --threads %d", o->seed,
             o->count, threads);
    begin();
    told = 0;
    contest.index = 0;
    while (contest.index < o->count && contest.trail.differences < DIFFERENCES_MAX) {
        if (!step(drawn))
            begin();
    }
    ok(contest.trail.differences == 0, "%s: %lu commands, threads %d, seed %lu", what, o->count,
       threads, o->seed);
    diag("%ld times told", told);
    contest_stop(&contest);
}

static void run(const struct options *o, int threads)
{
    run_steps(o, threads, "clients that cache", step_of_trackers, renew);
    run_steps(o, threads, "keys that change", step_of_changes, renew_told);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, STEPS);

    options_each(&o, run);
    buf_release(&got[ORACLE]);
    buf_release(&got[TESTED]);
    return tap_done();
}
