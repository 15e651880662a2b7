/*
 * Thirty-two clients and more on few keys, and a server of four workers: what must hold whatever
 * the threads do, is looked at while they do it. With SAN=thread it shows data races too.
 *
 *   race [--rounds N] [--seed N]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/lib/client.h"
#include "tests/lib/tap.h"
#include "tests/race/roles.h"

enum {
    WORKERS = 4,
    ROUNDS = 3000,
    SANITIZED_ROUNDS = 1000,
    COUNTERS = 4,
    PRODUCERS = 3,
    KEEPERS = 4
};

static const struct role everything[] = {
    {"five keys set at once", 3, false, NULL, set_five},
    {"five keys read at once", 3, false, NULL, get_five},
    {"a token renamed", 2, false, NULL, rename_token},
    {"a token has one name", 2, false, NULL, watch_token},
    {"a key moved between databases", 2, false, NULL, move_token},
    {"databases swapped", 1, false, NULL, swap_databases},
    {"databases swapped are whole", 2, false, NULL, watch_swapped},
    {"counters", COUNTERS, false, NULL, count_up},
    {"values handed over", 2, false, NULL, hand_over},
    {"mutual exclusion", 3, false, NULL, exclude},
    {"optimistic increments", 3, false, NULL, compare_and_set},
    {"short lives", 2, false, NULL, expire_soon},
    {"keys that come and go", 2, false, NULL, come_and_go},
    {"keys that stay are found", 2, true, NULL, walk_keys},
    {"messages published", 4, false, NULL, publish_numbers},
    {"messages in order", 4, false, subscribe_all, read_messages},
    {"subscriptions changed", 1, true, NULL, change_subscriptions},
    {"long values", 3, false, NULL, long_values},
    {"short visits", 2, false, NULL, visit},
    {"mixed commands", 8, false, NULL, mixed_commands},
    {"administration", 2, true, NULL, administer},
    {"killed connections", 2, true, NULL, be_killed},
    {"commands monitored", 1, true, NULL, watch_commands},
    {NULL, 0, false, NULL, NULL},
};

static const struct role trading[] = {
    {"money moved", 4, false, NULL, move_money},
    {"money moved if nobody else did", 4, false, NULL, move_watched_money},
    {"money sent", 2, false, NULL, send_money},
    {"money carried", 3, true, NULL, carry_money},
    {"a purse renamed", 1, false, NULL, rename_money},
    {"money added up", 2, true, NULL, add_money_up},
    {"weights set at once", 3, false, NULL, weigh},
    {"sorted by weights", 3, false, prepare_weights, sort_by_weights},
    {"mixed commands, beside trading", 4, false, NULL, mixed_commands},
    {"administration, beside trading", 1, true, NULL, administer},
    {"killed connections, beside trading", 1, true, NULL, be_killed},
    {"commands monitored, beside trading", 1, true, NULL, watch_commands},
    {NULL, 0, false, NULL, NULL},
};

static const struct role caching[] = {
    {"cached keys written", 4, false, NULL, write_cached},
    {"keys cached", 10, true, NULL, cache},
    {"keys cached for a moment", 2, true, NULL, cache_briefly},
    {"cached keys limited", 1, true, NULL, limit_tracking},
    {"values written", 3, false, NULL, write_values},
    {"values told in order", 2, false, listen_to_values, hear_values},
    {"listening changed", 2, true, NULL, change_listening},
    {"workers kept busy, beside caching", 4, true, NULL, keep_busy},
    {"mixed commands, beside caching", 2, false, NULL, mixed_commands},
    {"administration, beside caching", 1, true, NULL, administer},
    {"killed connections, beside caching", 1, true, NULL, be_killed},
    {NULL, 0, false, NULL, NULL},
};

static const struct role expiring[] = {
    {"fields that go", 6, false, NULL, expire_fields},
    {"databases of such fields swapped and emptied", 1, true, NULL, swap_fields},
    {"fields that stay beside others", KEEPERS, false, NULL, keep_field},
    {"mixed commands, beside fields that go", 3, false, NULL, mixed_commands},
    {"administration, beside fields that go", 1, true, NULL, administer},
    {"killed connections, beside fields that go", 1, true, NULL, be_killed},
    {NULL, 0, false, NULL, NULL},
};

/* No CLIENT PAUSE: who waits for its end looks like who waits for an element. */
static const struct role queueing[] = {
    {"elements queued", PRODUCERS, false, NULL, produce},
    {"elements queued at once", PRODUCERS, false, NULL, produce_at_once},
    {"elements taken", 8, true, NULL, take_elements},
    {"elements moved on", 3, true, NULL, move_elements},
    {"elements kept", 4, true, NULL, keep_elements},
    {"waiters unblocked and killed", 1, true, NULL, disturb_waiters},
    {"waiters served in turn", 1, false, NULL, wait_in_turn},
    {"nobody served out of turn", 2, true, NULL, jump_the_queue},
    {"mixed commands, beside queues", 4, false, NULL, mixed_commands},
    {"commands monitored, beside queues", 1, true, NULL, watch_commands},
    {NULL, 0, false, NULL, NULL},
};

static const struct role guarding[] = {
    {"keys guarded", 4, false, NULL, guard_one},
    {"keys guarded, two at once", 2, false, NULL, guard_two},
    {"guarded keys touched", 10, false, NULL, touch_guarded},
    {"guarded keys left", 3, true, NULL, leave_guarded},
    {"who waits for guarded keys disturbed", 1, true, NULL, disturb_guarded},
    {"mixed commands, beside guards", 2, false, NULL, mixed_commands},
    {NULL, 0, false, NULL, NULL},
};

/* No administration, which would have the locks' clients wait for the end of a pause. */
static const struct role locking[] = {
    {"locks held", 6, false, NULL, hold_latch},
    {"locks held, three at once", 4, false, NULL, hold_latches},
    {"seats taken", 5, false, NULL, sit_down},
    {"leases outlived", 4, false, NULL, outlive_lease},
    {"locks left behind", 3, true, NULL, leave_latches},
    {"locks waited for in vain", 3, true, NULL, wait_in_vain},
    {"waiters for locks disturbed", 1, true, NULL, disturb_latches},
    {"mixed commands, beside locks", 2, false, NULL, mixed_commands},
    {"subscriptions changed, beside locks", 1, true, NULL, change_subscriptions},
    {NULL, 0, false, NULL, NULL},
};

static const struct role versioning[] = {
    {"increments on a version", 5, false, NULL, add_by_version},
    {"a number followed", 3, true, NULL, follow_number},
    {"two keys in step", 3, false, NULL, step_both},
    {"a key that is there briefly", 2, false, NULL, make_brief},
    {"that key followed", 3, true, NULL, follow_brief},
    {"databases that change places", 2, false, NULL, write_swapped},
    {"a key in them followed", 4, true, NULL, follow_swapped},
    {"writes with a token", 5, false, NULL, write_with_token},
    {"mixed commands, beside versions", 2, false, NULL, mixed_commands},
    {"killed connections, beside versions", 1, true, NULL, be_killed},
    {NULL, 0, false, NULL, NULL},
};

static const struct role herding[] = {
    {"keys under policies", 8, false, NULL, fill_herds},
    {"sessions kept", 4, false, NULL, keep_session},
    {"policies changed", 1, true, NULL, change_policies},
    {"databases of such keys swapped and emptied", 1, true, NULL, shuffle_herds},
    {"mixed commands, beside policies", 2, false, NULL, mixed_commands},
    {"administration, beside policies", 1, true, NULL, administer},
    {NULL, 0, false, NULL, NULL},
};

static const struct role wiping[] = {
    {"five keys set at once, databases wiped", 6, false, NULL, set_five},
    {"five keys read at once, databases wiped", 6, false, NULL, get_five},
    {"databases wiped and swapped", 2, false, NULL, wipe},
    {"short lives, databases wiped", 4, false, NULL, expire_soon},
    {"mixed commands, databases wiped", 12, false, NULL, mixed_commands},
    {"administration, databases wiped", 2, true, NULL, administer},
    {"killed connections, databases wiped", 2, true, NULL, be_killed},
    {NULL, 0, false, NULL, NULL},
};

static const struct role squeezing[] = {
    {"memory filled", 6, false, NULL, fill_memory},
    {"memory limited", 1, true, NULL, limit_memory},
    {"mixed commands, memory limited", 8, false, NULL, mixed_commands},
    {"databases wiped, memory limited", 1, false, NULL, wipe},
    {NULL, 0, false, NULL, NULL},
};

struct options {
    int rounds;
    unsigned long seed;
};

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    const char *sanitizer = getenv("SAN");
    bool slow = sanitizer != NULL && *sanitizer != '\0';
    struct options o = {slow ? SANITIZED_ROUNDS : ROUNDS, rng_entropy() % 1000000};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (c == 'r') {
            o.rounds = atoi(optarg);
        } else if (c == 's') {
            o.seed = strtoul(optarg, NULL, 10);
        } else {
            fprintf(stderr, "usage: race [--rounds N] [--seed N]\n");
            exit(2);
        }
    }
    return o;
}

/* Nothing further can be checked on a server that has ended; what it said last is shown. */
static void expect_alive(struct server *s)
{
    enum { SHOWN = 12000 };
    int code = server_wait_end(s, 0);
    char *log;

    if (code < 0)
        return;
    log = server_log(s);
    diag("%s", log + (strlen(log) > SHOWN ? strlen(log) - SHOWN : 0));
    free(log);
    bail("the server has ended with status %d", code);
}

static void expect_empty(struct server *s)
{
    redisContext *link = client_open(s);
    redisReply *r;

    freeReplyObject(redisCommand(link, "FLUSHALL"));
    r = redisCommand(link, "INFO keyspace");
    ok(r->type == REDIS_REPLY_STRING && strstr(r->str, "db") == NULL,
       "nothing is left behind FLUSHALL");
    freeReplyObject(r);
    redisFree(link);
}

int main(int argc, char **argv)
{
    struct options o = parse_options(argc, argv);
    struct server *s = server_run_threads(WORKERS, "--enable-debug-command yes --databases 24");

    diag("--rounds %d --seed %lu", o.rounds, o.seed);
    several_keys_begin(s);
    keyspace_walks_begin(s);
    crowd_run(s, everything, o.rounds, o.seed);
    expect_alive(s);
    several_keys_end(s);
    one_key_end(s, COUNTERS, o.rounds);
    money_begin(s);
    crowd_run(s, trading, o.rounds / 2, o.seed + 2);
    money_end(s);
    crowd_run(s, caching, o.rounds * 2, o.seed + 3);
    expect_alive(s);
    crowd_run(s, expiring, o.rounds, o.seed + 5);
    expect_alive(s);
    short_fields_end(s, KEEPERS);
    queues_begin(o.rounds);
    crowd_run(s, queueing, o.rounds, o.seed + 4);
    expect_alive(s);
    queues_end(s, PRODUCERS, o.rounds);
    crowd_run(s, locking, o.rounds / 5, o.seed + 6);
    expect_alive(s);
    latches_end(s);
    guards_begin(s);
    crowd_run(s, guarding, o.rounds / 6, o.seed + 9);
    expect_alive(s);
    guards_end(s);
    versions_begin(s);
    crowd_run(s, versioning, o.rounds / 2, o.seed + 7);
    expect_alive(s);
    versions_end(s);
    herds_begin(s);
    crowd_run(s, herding, o.rounds, o.seed + 8);
    expect_alive(s);
    herds_end(s);
    crowd_run(s, wiping, o.rounds, o.seed + 1);
    expect_alive(s);
    crowd_run(s, squeezing, o.rounds, o.seed + 2);
    expect_alive(s);
    expect_empty(s);
    server_stop(s);
    return tap_done();
}
