/*
 * Waiting: random commands on a few connections, one after the other, many of which wait. After
 * each of them the two servers are compared: what every connection got, who waits, and the events
 * in their order.
 *
 *   waiters [--seed N] [--count N] [--threads N]
 *
 * A connection that waits is sent nothing more; CLIENT LIST says who does. Which numbers the
 * servers have given to their connections differs, so that CLIENT UNBLOCK and KILL are made here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/observe.h"
#include "tests/differential/options.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/template.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum {
    STEPS = 20000,
    LINKS = TWIN_CONNECTIONS - TWIN_LINKS,
    DIFFERENCES_MAX = 10,
    INSPECTION_EVERY = 2000,
};

struct link {
    char ids[2][24]; /* at each server */
    bool waits;
};

static struct contest contest;
static struct link links[LINKS];
static struct buf got[2];  /* what all connections got in this step */
static int waited, served; /* how often, for the record */

/* ---- connections ---- */

static void note_id(int side, int i)
{
    struct slice reply = {"", 0};
    struct twin *t = &contest.twins[side];

    twin_send(t, TWIN_LINKS + i, i % 2 ? SLICE("HELLO 3\r\n") : SLICE("PING\r\n"));
    twin_read(t, TWIN_LINKS + i, 1, &reply);
    twin_send(t, TWIN_LINKS + i, SLICE("CLIENT ID\r\n"));
    twin_read(t, TWIN_LINKS + i, 1, &reply);
    if (reply.len < 4 || reply.ptr[0] != ':')
        bail("CLIENT ID is answered by something else");
    snprintf(links[i].ids[side], sizeof(links[i].ids[side]), "%.*s", (int)reply.len - 3,
             reply.ptr + 1);
}

static void note_link(int i)
{
    links[i].waits = false;
    note_id(ORACLE, i);
    note_id(TESTED, i);
}

static void renew(void)
{
    contest_renew(&contest);
    for (int i = 0; i < LINKS; i++)
        note_link(i);
}

/* ---- who waits ---- */

enum state { GONE, FREE, WAITS };

/* The state of a link in what CLIENT LIST says. */
static enum state state_in(const char *list, const char *id)
{
    char name[32];
    const char *line, *flags;

    snprintf(name, sizeof(name), "id=%s ", id);
    line = strstr(list, name);
    if (line == NULL)
        return GONE;
    flags = strstr(line, " flags=") + strlen(" flags=");
    return memchr(flags, 'b', strcspn(flags, " ")) != NULL ? WAITS : FREE;
}

/* The states of all links; CLIENT LIST shows one moment. */
static void ask_states(int side, enum state states[LINKS])
{
    struct buf list = {0};

    buf_append_slice(&list, twin_say(&contest.twins[side], "CLIENT LIST"));
    buf_append_char(&list, '\0');
    for (int i = 0; i < LINKS; i++)
        states[i] = state_in(list.ptr, links[i].ids[side]);
    buf_release(&list);
}

static void await_gone(int side, int i)
{
    enum state states[LINKS];

    do
        ask_states(side, states);
    while (states[i] != GONE);
}

/* ---- a step ---- */

static void note_reply(int side, int i)
{
    struct slice reply = {"", 0};

    if (!twin_read(&contest.twins[side], TWIN_LINKS + i, 1, &reply))
        reply = SLICE("(nothing)\r\n");
    buf_printf(&got[side], "%d: ", i);
    buf_append_slice(&got[side], reply);
}

static bool has_come(const struct twin *t, int connection)
{
    char byte;

    return t->in[connection].len > t->used[connection] ||
           recv(t->fds[connection], &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Sends it, and returns when it is answered or waits. */
static void say(int side, const struct drawn *d)
{
    struct twin *t = &contest.twins[side];
    int i = d->connection - TWIN_LINKS;
    enum state states[LINKS];
    struct buf out = {0};

    drawn_encode(d, &out);
    twin_send(t, d->connection, buf_slice(&out));
    buf_release(&out);
    do {
        if (has_come(t, d->connection)) {
            note_reply(side, i);
            return;
        }
        ask_states(side, states);
    } while (states[i] != WAITS || d->exact);
    buf_printf(&got[side], "%d: (waits)\r\n", i);
}

/* What those got that waited; and who does now. */
static void gather(int side, bool waits[LINKS])
{
    enum state states[LINKS];

    ask_states(side, states);
    for (int i = 0; i < LINKS; i++) {
        waits[i] = states[i] == WAITS;
        if (links[i].waits && !waits[i]) {
            note_reply(side, i);
            served += side == ORACLE;
        }
        buf_printf(&got[side], waits[i] ? "%d waits\r\n" : "", i);
    }
}

static void note_events(int side)
{
    char line[64];
    struct buf mark = {0}, events = {0};

    observe_encode_mark(&mark, contest.marks);
    twin_send(&contest.twins[side], TWIN_INSPECTOR, buf_slice(&mark));
    twin_read(&contest.twins[side], TWIN_INSPECTOR, 1, &(struct slice){0});
    snprintf(line, sizeof(line), "events: ");
    buf_append_str(&got[side], line);
    if (observe_read_in_order(&contest.twins[side], contest.marks, &events))
        buf_append_slice(&got[side], buf_slice(&events));
    buf_release(&mark);
    buf_release(&events);
}

/* True if both servers are alike behind this step. */
static bool compare(const struct drawn *d)
{
    bool waits[2][LINKS], alike;

    for (int side = 0; side < 2; side++) {
        gather(side, waits[side]);
        note_events(side);
    }
    contest.marks++;
    for (int i = 0; i < LINKS; i++) {
        waited += waits[ORACLE][i] && !links[i].waits;
        links[i].waits = waits[ORACLE][i];
    }
    alike = slice_eq(buf_slice(&got[ORACLE]), buf_slice(&got[TESTED]));
    if (!alike)
        trail_report(&contest.trail, contest.where, d,
                     (struct difference){"what connections got", buf_slice(&got[ORACLE]),
                                         buf_slice(&got[TESTED])});
    got[ORACLE].len = got[TESTED].len = 0;
    return alike;
}

static bool run_sequence(struct drawn *all, int count)
{
    for (int n = 0; n < count; n++) {
        trail_add(&contest.trail, &all[n]);
        say(ORACLE, &all[n]);
        say(TESTED, &all[n]);
    }
    return compare(&all[count - 1]);
}

/* ---- ends of waiting that are no commands of the grammar ---- */

static void note_words(struct drawn *d, const char *first, const char *second, int i)
{
    static struct rule rule = {.how = EXACT};
    char number[16];

    drawn_clear(d);
    d->rule = &rule;
    snprintf(number, sizeof(number), "#%d", i);
    drawn_add(d, slice_str(first), WORD_LITERAL);
    drawn_add(d, slice_str(second), WORD_LITERAL);
    drawn_add(d, slice_str(number), WORD_VALUE);
    trail_add(&contest.trail, d);
}

static bool unblock(struct drawn *d, int i)
{
    const char *how = rng_below(2) == 0 ? "ERROR" : "TIMEOUT";
    char line[64];

    note_words(d, "client", rng_below(2) == 0 ? "unblock" : "unblock with an error", i);
    for (int side = 0; side < 2; side++) {
        snprintf(line, sizeof(line), "CLIENT UNBLOCK %s %s", links[i].ids[side], how);
        buf_append_slice(&got[side], twin_say(&contest.twins[side], line));
    }
    return compare(d);
}

/* By the server, or by the client in either way. */
static bool close_link(struct drawn *d, int i)
{
    enum { KILL, CLOSE, HALF_CLOSE, WAYS };
    int how = (int)rng_below(WAYS);
    char line[64];

    note_words(d, "(close)", how == KILL ? "kill" : "by itself", i);
    links[i].waits = false;
    for (int side = 0; side < 2; side++) {
        struct twin *t = &contest.twins[side];

        snprintf(line, sizeof(line), "CLIENT KILL ID %s", links[i].ids[side]);
        if (how == KILL)
            twin_say(t, line);
        else
            shutdown(t->fds[TWIN_LINKS + i], how == CLOSE ? SHUT_RDWR : SHUT_WR);
        await_gone(side, i);
        twin_reconnect(t, TWIN_LINKS + i);
    }
    note_link(i);
    return compare(d);
}

/* ---- a run ---- */

static int pick_link(bool waits)
{
    int fitting[LINKS] = {0}, n = 0;

    for (int i = 0; i < LINKS; i++) {
        if (links[i].waits == waits)
            fitting[n++] = i;
    }
    return n ? fitting[rng_below((uint64_t)n)] : -1;
}

/* One of them stays free to change something. */
static bool enough_wait(void)
{
    int n = 0;

    for (int i = 0; i < LINKS; i++)
        n += links[i].waits;
    return n >= LINKS - 1;
}

static bool ends_in_time(const struct drawn *d)
{
    for (int i = 0; i < d->count; i++) {
        if (slice_eq(drawn_word(d, i), SLICE("0.001")))
            return true;
    }
    return false;
}

static bool step(struct drawn drawn[SEQUENCE_MAX])
{
    int waiting = pick_link(true), count;

    if (waiting >= 0 && (enough_wait() || rng_below(25) == 0))
        return rng_below(2) == 0 ? unblock(drawn, waiting) : close_link(drawn, waiting);
    count = rules_draw(family_waiting(), drawn);
    for (int i = 0, by = pick_link(false); i < count; i++) {
        drawn[i].index = contest.index++;
        drawn[i].connection = TWIN_LINKS + by;
        drawn[i].exact = ends_in_time(&drawn[i]);
    }
    return run_sequence(drawn, count);
}

static void run(const struct options *o, int threads)
{
    static struct drawn drawn[SEQUENCE_MAX];
    unsigned long inspected = 0;

    contest_start(&contest, threads);
    contest.observing = true;
    rng_seed(o->seed);
    snprintf(contest.where, sizeof(contest.where), "--seed %lu --count %lu --threads %d", o->seed,
             o->count, threads);
    renew();
    waited = served = 0;
    while (contest.index < o->count && contest.trail.differences < DIFFERENCES_MAX) {
        bool alike = step(drawn);

        if (alike && contest.index >= inspected + INSPECTION_EVERY) {
            alike = contest_compare_keyspaces(&contest);
            inspected = contest.index;
        }
        if (!alike)
            renew();
    }
    ok(contest.trail.differences == 0,
       "%lu commands of connections that wait, threads %d, seed %lu", o->count, threads, o->seed);
    diag("%d waited, %d got something", waited, served);
    contest_stop(&contest);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, STEPS);

    options_each(&o, run);
    buf_release(&got[ORACLE]);
    buf_release(&got[TESTED]);
    return tap_done();
}
