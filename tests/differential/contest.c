/* See contest.h. */
#include "tests/differential/contest.h"

#include <stdio.h>

#include "tests/differential/iterate.h"
#include "tests/differential/observe.h"
#include "tests/differential/reply_tree.h"
#include "tests/differential/verdict.h"
#include "tests/lib/tap.h"

/* What the grammar's CONFIG SET rows change. */
static const char *const options[] = {
    "maxmemory 0",
    "maxmemory-policy noeviction",
    "maxmemory-samples 5",
    "timeout 0",
    "notify-keyspace-events \"\"",
    "slowlog-max-len 128",
    "lfu-decay-time 1",
    "hash-max-listpack-entries 128",
    "hash-max-listpack-value 64",
    "appendfsync everysec",
    "lazyfree-lazy-expire no",
    "hz 10",
    "lfu-log-factor 10",
    "set-max-intset-entries 512",
    "list-max-listpack-size -2",
    "tcp-keepalive 300",
    "client-output-buffer-limit \"pubsub 32mb 8mb 60\"",
};

static void configure(struct twin *t)
{
    char command[128];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        snprintf(command, sizeof(command), "CONFIG SET %s", options[i]);
        twin_say(t, command);
    }
    twin_say(t, "FLUSHALL");
}

void contest_renew(struct contest *c)
{
    for (int i = 0; i < 2; i++) {
        twin_connect(&c->twins[i]);
        configure(&c->twins[i]);
        if (c->observing)
            observe_start(&c->twins[i]);
    }
}

void contest_start_with(struct contest *c, int threads, const char *args)
{
    memset(c, 0, sizeof(*c));
    trail_init(&c->trail);
    twin_start(&c->twins[ORACLE], server_run_oracle(args));
    twin_start(&c->twins[TESTED], server_run_threads(threads, args));
}

void contest_start(struct contest *c, int threads)
{
    contest_start_with(c, threads, "--slowlog-log-slower-than -1");
}

void contest_stop(struct contest *c)
{
    twin_stop(&c->twins[ORACLE]);
    twin_stop(&c->twins[TESTED]);
    trail_release(&c->trail);
    buf_release(&c->out);
}

/* ---- an exchange ---- */

static bool marked(const struct contest *c, const struct drawn *d)
{
    return c->observing && d->connection != TWIN_INSPECTOR && !d->chained;
}

static bool names_classes(struct slice commands)
{
    const struct slice name = SLICE("notify-keyspace-events");

    for (size_t i = 0; i + name.len <= commands.len; i++) {
        if (strncasecmp(commands.ptr + i, name.ptr, name.len) == 0)
            return true;
    }
    return false;
}

static void encode(struct contest *c, const struct drawn *batch, int count)
{
    unsigned long mark = c->marks;

    c->out.len = 0;
    for (int i = 0; i < count; i++) {
        drawn_encode(&batch[i], &c->out);
        if (marked(c, &batch[i]))
            observe_encode_mark(&c->out, mark++);
    }
    c->twins[TESTED].classes_vary = c->observing && names_classes(buf_slice(&c->out));
}

/* Takes the replies to marks out of the row; both servers have the same. */
static void drop_marks(struct contest *c, const struct drawn *batch, int count)
{
    int from = 0;

    for (int i = 0; i < count; i++, from++) {
        c->replies[ORACLE][i] = c->replies[ORACLE][from];
        c->replies[TESTED][i] = c->replies[TESTED][from];
        if (marked(c, &batch[i]))
            from++;
    }
}

static bool send_and_read(struct contest *c, const struct drawn *batch, int count)
{
    int connection = batch[0].connection, all = count;
    bool complete = true;

    encode(c, batch, count);
    for (int i = 0; i < count; i++)
        all += marked(c, &batch[i]);
    for (int i = 0; i < 2; i++)
        complete = twin_send(&c->twins[i], connection, buf_slice(&c->out)) && complete;
    for (int i = 0; i < 2; i++)
        complete = twin_read(&c->twins[i], connection, all, c->replies[i]) && complete;
    drop_marks(c, batch, count);
    return complete;
}

static void report(struct contest *c, const char *what, const struct drawn *d, struct slice oracle,
                   struct slice tested)
{
    trail_report(&c->trail, c->where, d, (struct difference){what, oracle, tested});
}

static bool replies_are_alike(struct contest *c, const struct drawn *batch, int count)
{
    for (int i = 0; i < count; i++) {
        struct slice oracle = c->replies[ORACLE][i], tested = c->replies[TESTED][i];

        if (replies_alike(batch[i].exact ? EXACT : batch[i].rule->how, oracle, tested))
            continue;
        report(c, "replies", &batch[i], oracle, tested);
        return false;
    }
    return true;
}

/* Stops at a difference: what is left unread goes with the connections. */
static bool events_are_alike(struct contest *c, const struct drawn *batch, int count)
{
    struct buf events[2] = {{0}, {0}};
    bool alike = true;

    for (int i = 0; i < count && alike; i++) {
        bool complete = true;

        if (!marked(c, &batch[i]))
            continue;
        for (int side = 0; side < 2; side++)
            complete = observe_read(&c->twins[side], c->marks, &events[side]) && complete;
        c->marks++;
        alike = complete && slice_eq(buf_slice(&events[ORACLE]), buf_slice(&events[TESTED]));
        if (!alike)
            report(c, "events", &batch[i], buf_slice(&events[ORACLE]), buf_slice(&events[TESTED]));
    }
    buf_release(&events[ORACLE]);
    buf_release(&events[TESTED]);
    return alike;
}

/* The last command may ask for more than its reply: see iterate.h. */
static bool rest_is_alike(struct contest *c, const struct drawn *last, int place)
{
    struct buf found[2] = {{0}, {0}};
    bool alike;

    if (last->rule->how != ITERATION && last->rule->how != ONE_KEY)
        return true;
    for (int side = 0; side < 2; side++)
        iterate_rest(&c->twins[side], last, c->replies[side][place], &found[side]);
    alike = slice_eq(buf_slice(&found[ORACLE]), buf_slice(&found[TESTED]));
    if (!alike)
        report(c, "what was found", last, buf_slice(&found[ORACLE]), buf_slice(&found[TESTED]));
    buf_release(&found[ORACLE]);
    buf_release(&found[TESTED]);
    return alike;
}

bool contest_exchange(struct contest *c, struct drawn *batch, int count)
{
    bool alike;

    for (int i = 0; i < count; i++) {
        batch[i].index = c->index++;
        trail_add(&c->trail, &batch[i]);
    }
    alike = send_and_read(c, batch, count);
    alike = replies_are_alike(c, batch, count) && alike;
    alike = alike && events_are_alike(c, batch, count);
    alike = alike && rest_is_alike(c, &batch[count - 1], count - 1);
    if (!alike)
        contest_renew(c);
    return alike;
}
