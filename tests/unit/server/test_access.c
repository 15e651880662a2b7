/* server/access: ages and frequencies as the policies see them, at the ends of their ranges too. */
#include "server/access.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE };

static const int64_t start = 1700000000000;
static uint32_t used;

static struct conf conf_of(int policy)
{
    return (struct conf){.maxmemory_policy = policy, .lfu_log_factor = 10, .lfu_decay_time = 1};
}

/* Of an entry without an expiry. */
static uint64_t dispensability(const struct conf *conf, int64_t now, uint32_t access)
{
    static const struct entry e;

    return access_dispensability(conf, now, &e, access);
}

/* The seconds that an entry used at `then` is idle at `now`. */
static int64_t idle_s(int64_t then, int64_t now)
{
    struct conf conf = conf_of(CONF_NOEVICTION);

    used = access_first(&conf, then, NULL);
    return (int64_t)access_idle_s(now, used);
}

static void test_idle(void)
{
    static const int64_t days[] = {1, 2, 10, 45, 100, 190};
    int wrong = 0;

    is_int(idle_s(start, start), 0, "not idle at once");
    is_int(idle_s(start, start + 999), 0, "nor within the second");
    is_int(idle_s(start, start + 5 * SECOND + 10), 5, "idle for seconds");
    is_int(idle_s(start + 30, start), 0, "used a little in the future");
    is_int(idle_s(start + 5 * SECOND, start), 0, "used some seconds in the future");
    for (size_t i = 0; i < COUNT_OF(days); i++)
        is_int(idle_s(start, start + days[i] * DAY + 4), days[i] * DAY / SECOND, "idle for %d days",
               (int)days[i]);
    for (int i = 0; i < 100000; i++) {
        int64_t then = start + (int64_t)rng_below(400 * (int64_t)DAY);
        int64_t passed = (int64_t)rng_below(190 * (int64_t)DAY);
        int64_t off = idle_s(then, then + passed) - passed / SECOND;

        wrong += off < -1 || off > 1;
    }
    is_int(wrong, 0, "idle for any time, to a second");
}

static void test_lru_order(void)
{
    struct conf conf = conf_of(CONF_ALLKEYS_LRU);
    uint64_t last = 0;
    int wrong = 0;

    for (int64_t age = 0; age < 190 * (int64_t)DAY; age = age * 5 / 4 + 4) {
        uint64_t now;

        used = access_first(&conf, start, NULL);
        now = dispensability(&conf, start + age, used);
        wrong += age > 0 && now <= last;
        last = now;
    }
    is_int(wrong, 0, "LRU: the older, the more dispensable, from 4 ms on");
}

/* ---- LFU ------------------------------------------------------------------------------------ */

static unsigned frequency_after(const struct conf *conf, int uses, int64_t pause_ms)
{
    used = access_first(conf, start, NULL);
    for (int i = 0; i < uses; i++)
        access_count(conf, start, &used);
    return access_frequency(conf, start + pause_ms, used);
}

static void test_lfu_counter(void)
{
    struct conf conf = conf_of(CONF_ALLKEYS_LFU);
    unsigned few, many;

    is_int(frequency_after(&conf, 0, 0), LFU_INITIAL, "LFU: a new entry has a chance");
    is_int(frequency_after(&conf, 1, 0), LFU_INITIAL + 1, "LFU: the first use counts");
    few = frequency_after(&conf, 100, 0);
    many = frequency_after(&conf, 100000, 0);
    diag("100 uses count %u, 100,000 uses %u", few, many);
    ok(few > LFU_INITIAL + 1 && few < 20, "LFU: a hundred uses count about ten");
    ok(many > 100 && many < 190, "LFU: a hundred thousand about 142");
    conf.lfu_log_factor = 0;
    is_int(frequency_after(&conf, 300, 0), 255, "LFU: the counter ends at 255");
}

static void test_lfu_decay(void)
{
    struct conf conf = conf_of(CONF_ALLKEYS_LFU);
    int64_t minute = start - start % MINUTE;

    conf.lfu_log_factor = 0;
    used = access_first(&conf, minute, NULL);
    for (int i = 0; i < 10; i++)
        access_count(&conf, minute, &used);
    is_int(access_frequency(&conf, minute + MINUTE - 1, used), 15,
           "LFU: nothing decays in a minute");
    is_int(access_frequency(&conf, minute + MINUTE, used), 14, "LFU: one is lost with each");
    is_int(access_frequency(&conf, minute + 10 * MINUTE, used), 5, "LFU: after ten minutes ten");
    is_int(access_frequency(&conf, minute + DAY, used), 0, "LFU: after a day all");
    is_int(access_frequency(&conf, minute - 1, used), 15, "LFU: a use in the future is one of now");
    conf.lfu_decay_time = 3;
    is_int(access_frequency(&conf, minute + 10 * MINUTE, used), 12, "LFU: the time is an option");
    conf.lfu_decay_time = 0;
    is_int(access_frequency(&conf, minute + DAY, used), 15, "LFU: 0 is never");
}

static void test_lfu_order(void)
{
    struct conf conf = conf_of(CONF_VOLATILE_LFU);
    uint32_t often, seldom, before;

    conf.lfu_log_factor = 0;
    before = access_first(&conf, start, NULL);
    seldom = access_first(&conf, start + SECOND, NULL);
    often = access_first(&conf, start, NULL);
    access_count(&conf, start, &often);
    ok(dispensability(&conf, start + 2 * SECOND, seldom) >
           dispensability(&conf, start + 2 * SECOND, often),
       "LFU: what is used less often is more dispensable, whenever that was");
    ok(dispensability(&conf, start + 2 * SECOND, before) >
           dispensability(&conf, start + 2 * SECOND, seldom),
       "LFU: of two used equally often, the one used longer ago");
}

/* A value that replaces another takes its frequency over. */
static void test_replaced(void)
{
    struct conf conf = conf_of(CONF_ALLKEYS_LFU);
    uint32_t fresh;

    conf.lfu_log_factor = 0;
    used = access_first(&conf, start, NULL);
    access_count(&conf, start, &used);
    fresh = access_first(&conf, start, &used);
    is_int(access_frequency(&conf, start, fresh), LFU_INITIAL + 2, "a new value is one more use");
}

static void test_ttl_order(void)
{
    struct conf conf = conf_of(CONF_VOLATILE_TTL);
    struct entry *soon = entry_new_int(SLICE("a"), 1, start + 1);
    struct entry *late = entry_new_int(SLICE("b"), 1, start + 1000 * (int64_t)DAY);

    ok(access_dispensability(&conf, start, soon, 0) > access_dispensability(&conf, start, late, 0),
       "volatile-ttl: what ends sooner is more dispensable");
    entry_free(soon);
    entry_free(late);
}

int main(void)
{
    rng_seed(7);
    test_idle();
    test_lru_order();
    test_lfu_counter();
    test_lfu_decay();
    test_lfu_order();
    test_replaced();
    test_ttl_order();
    return tap_done();
}
