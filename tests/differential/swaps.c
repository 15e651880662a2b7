/*
 * Random commands to the server under test and to the oracle, both of which log what they change.
 * Then each is started on the other's log, and both have to hold the same; and so on, so that each
 * writes behind what the other has written.
 *
 *   swaps [--seed N] [--count N] [--threads N] [--family F]
 *
 * Now and then a new base is written for the logs, of either kind.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/rng.h"
#include "tests/differential/contest.h"
#include "tests/differential/options.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum { COMMANDS = 24000, ROUNDS = 6, END_MS = 30000 };

/*
 * SORT makes a small sorted set a large one, which its record, the sorted elements, does not. And
 * sketches that are damaged are changed by commands that fail, which Redis does not log.
 */
static bool is_left_out(const struct drawn *d)
{
    struct slice name = drawn_word(d, 0);

    return slice_is(name, "sort") || (name.len > 2 && strncasecmp(name.ptr, "pf", 2) == 0);
}

static bool any_left_out(const struct drawn *batch, int count)
{
    for (int i = 0; i < count; i++) {
        if (is_left_out(&batch[i]))
            return true;
    }
    return false;
}

static int draw_batch(struct family *family, struct drawn *batch)
{
    int connection = (int)rng_below(TWIN_CLIENTS), count = 0;

    while (count < BATCH_MAX / 2) {
        int more = rules_draw(family, &batch[count]);

        if (any_left_out(&batch[count], more))
            continue;
        for (int i = 0; i < more; i++)
            batch[count + i].connection = connection;
        count += more;
        if (batch[count - 1].rule->how == ITERATION || batch[count - 1].rule->how == ONE_KEY)
            break;
    }
    return count;
}

/* ---- new bases ------------------------------------------------------------------------------ */

static bool is_rewriting(struct twin *t)
{
    struct slice info = twin_say(t, "INFO persistence");

    return memmem(info.ptr, info.len, "rewrite_in_progress:0", 21) == NULL ||
           memmem(info.ptr, info.len, "rewrite_scheduled:0", 19) == NULL;
}

static void rewrite(struct twin *t, const char *kind)
{
    long long end = raw_now_ms() + END_MS;

    twin_say(t, kind);
    twin_say(t, "BGREWRITEAOF");
    while (is_rewriting(t) && raw_now_ms() < end)
        raw_sleep_ms(10);
}

/* Both at the same time: a value that was large once is large as long as its history is there. */
static void rewrite_both(struct contest *c)
{
    static const char *const kinds[] = {"CONFIG SET aof-use-rdb-preamble yes",
                                        "CONFIG SET aof-use-rdb-preamble no"};
    const char *kind = kinds[rng_below(2)];

    for (int i = 0; i < 2; i++)
        rewrite(&c->twins[i], kind);
}

/* ---- the swap ------------------------------------------------------------------------------- */

static void move(const char *from_dir, const char *from, const char *to_dir, const char *to)
{
    char old[512], new[512];

    snprintf(old, sizeof(old), "%s/%s", from_dir, from);
    snprintf(new, sizeof(new), "%s/%s", to_dir, to);
    if (rename(old, new) < 0)
        bail("%s cannot be moved to %s", old, new);
}

static bool swap_logs(struct contest *c)
{
    static const char name[] = "appendonlydir";
    struct server *oracle = c->twins[ORACLE].server, *tested = c->twins[TESTED].server;

    for (int i = 0; i < 2; i++) {
        kill(c->twins[i].server->pid, SIGTERM);
        if (server_wait_end(c->twins[i].server, END_MS) != 0)
            return false;
    }
    move(oracle->dir, name, tested->dir, "other");
    move(tested->dir, name, oracle->dir, name);
    move(tested->dir, "other", tested->dir, name);
    if (!server_restart(oracle, 0) || !server_restart(tested, 0))
        return false;
    twin_connect(&c->twins[ORACLE]);
    twin_connect(&c->twins[TESTED]);
    return true;
}

/* Redis counts keys whose time is over until it comes across them. */
static bool counts_right(struct twin *t, int db)
{
    char select[32];
    long long count;

    snprintf(select, sizeof(select), "SELECT %d", db);
    twin_say(t, select);
    count = strtoll(twin_say(t, "DBSIZE").ptr + 1, NULL, 10);
    return strtoll(twin_say(t, "KEYS *").ptr + 1, NULL, 10) == count;
}

static void wait_for_expiry(struct twin *t)
{
    long long end = raw_now_ms() + END_MS;

    for (int db = 0; db < 16; db++) {
        while (!counts_right(t, db) && raw_now_ms() < end)
            raw_sleep_ms(10);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static void show_log(struct twin *t)
{
    char *log = server_log(t->server);
    size_t len = strlen(log);

    diag("log of %s:\n%s", t->server->binary, log + (len > 3000 ? len - 3000 : 0));
    free(log);
}

static bool stays_alike(struct contest *c, const struct options *o, int round)
{
    static struct drawn batch[BATCH_SPACE];
    unsigned long count = o->count / ROUNDS;

    for (unsigned long sent = 0; sent < count;) {
        int n = draw_batch(o->family, batch);

        contest_exchange(c, batch, n);
        sent += (unsigned long)n;
        if (rng_below(count) < (unsigned)n)
            rewrite_both(c);
    }
    if (!ok(swap_logs(c), "each starts on the log of the other, round %d, %s", round, c->where)) {
        show_log(&c->twins[ORACLE]);
        show_log(&c->twins[TESTED]);
        return false;
    }
    wait_for_expiry(&c->twins[ORACLE]);
    return ok(contest_compare_keyspaces(c), "and holds the same, round %d, %s", round, c->where);
}

static void run(const struct options *o, int threads)
{
    static struct contest c;

    rng_seed(o->seed);
    contest_start_with(&c, threads, "--appendonly yes --slowlog-log-slower-than -1");
    snprintf(c.where, sizeof(c.where), "--seed %lu --count %lu --threads %d", o->seed, o->count,
             threads);
    for (int round = 0; round < ROUNDS; round++) {
        contest_renew(&c);
        if (!stays_alike(&c, o, round))
            break;
    }
    contest_stop(&c);
}

int main(int argc, char **argv)
{
    struct options o = options_parse(argc, argv, COMMANDS);

    options_each(&o, run);
    return tap_done();
}
