/* The options: initial values, and what each type takes, shows and refuses. */
#include "base/mem.h"
#include "conf/option.h"
#include "tests/lib/tap.h"
#include "tests/unit/conf/conf_kit.h"

#include <unistd.h>

static void test_initial_values(void)
{
    static const char *const cases[][2] = {
        {"port", "6379"},
        {"bind", "* -::*"},
        {"maxmemory", "0"},
        {"maxmemory-policy", "noeviction"},
        {"client-query-buffer-limit", "1073741824"},
        {"proto-max-bulk-len", "536870912"},
        {"client-output-buffer-limit",
         "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
        {"save", "3600 1 300 100 60 10000"},
        {"notify-keyspace-events", ""},
        {"latency-tracking-info-percentiles", "50 99 99.9"},
        {"oom-score-adj-values", "0 200 800"},
        {"shutdown-on-sigterm", "default"},
        {"unixsocketperm", "0"},
        {"appendonly", "no"},
        {"lua-time-limit", "5000"},
        {"replicaof", ""},
        {"requirepass", ""},
        {"threads", "0"},
    };
    struct conf *c = conf_new();

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_str(kit_get(c, cases[i][0]), cases[i][1], "%s at first", cases[i][0]);
    conf_free(c);
}

/* name, value, and what CONFIG GET shows then, or the reason of a refusal behind a '-'. */
static const char *const set_cases[][3] = {
    {"appendonly", "YES", "yes"},
    {"appendonly", "maybe", "-argument must be 'yes' or 'no'"},
    {"activedefrag", "no", "no"},
    {"activedefrag", "yes", "-Active defragmentation cannot be enabled: this server has none"},
    {"timeout", "1", "1"},
    {"timeout", "01", "-argument couldn't be parsed into an integer"},
    {"timeout", " 1", "-argument couldn't be parsed into an integer"},
    {"timeout", "", "-argument couldn't be parsed into an integer"},
    {"timeout", "-1", "-argument must be between 0 and 2147483647 inclusive"},
    {"maxclients", "4294967296", "-argument must be between 1 and 4294967295 inclusive"},
    {"slowlog-log-slower-than", "-1", "-1"},
    {"list-max-listpack-size", "-5", "-5"},
    {"hz", "1000", "500"},
    {"hz", "0", "1"},
    {"maxmemory", "100mb", "104857600"},
    {"maxmemory", "1K", "1000"},
    {"maxmemory", "5b", "5"},
    {"maxmemory", "", "0"},
    {"maxmemory", "18446744073709551615", "18446744073709551615"},
    {"maxmemory", "99999999999999999999999", "18446744073709551615"},
    {"maxmemory", "-1", "-argument must be a memory value"},
    {"maxmemory", "1.5gb", "-argument must be a memory value"},
    {"maxmemory", "1 gb", "-argument must be a memory value"},
    {"proto-max-bulk-len", "1mb", "1048576"},
    {"proto-max-bulk-len", "1000000",
     "-argument must be between 1048576 and 9223372036854775807 inclusive"},
    {"repl-backlog-size", "1", "16384"},
    {"key-policy", "s: idle 5", "s: idle 5"},
    {"key-policy", "s: MAXKEYS 7 IDLE 5 a: maxmemory 1kb", "a: maxmemory 1024 s: idle 5 maxkeys 7"},
    {"key-policy", " idle 5", "\"\" idle 5"},
    {"key-policy", "\"\" maxage 5 s: idle 1 s: idle 2", "\"\" maxage 5 s: idle 2"},
    {"key-policy", "idle idle 5", "idle idle 5"},
    {"key-policy", "", ""},
    {"key-policy", "s:", "-syntax error"},
    {"key-policy", "s: idle", "-syntax error"},
    {"key-policy", "s: idle 5 idle 6", "-syntax error"},
    {"key-policy", "s: idle 0", "-IDLE must be a number of milliseconds from 1 to 1000000000000"},
    {"key-policy", "s: maxkeys 1kb", "-MAXKEYS must be a number from 1 to 9007199254740992"},
    {"maxmemory-clients", "5%", "5%"},
    {"maxmemory-clients", "1gb", "1073741824"},
    {"maxmemory-clients", "0%", "0"},
    {"maxmemory-clients", "101%", "-percentage argument must be less or equal to 100"},
    {"maxmemory-clients", "-5%", "-argument must be a memory or percent value"},
    {"maxmemory-policy", "ALLKEYS-LRU", "allkeys-lru"},
    {"maxmemory-policy", "lru",
     "-argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, "
     "volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"},
    {"oom-score-adj", "relative", "yes"},
    {"shutdown-on-sigterm", "nosave now", "nosave now"},
    {"shutdown-on-sigterm", "default now", "now"},
    {"shutdown-on-sigterm", "save nosave",
     "-shutdown options SAVE and NOSAVE can't be used simultaneously"},
    {"shutdown-on-sigterm", "",
     "-argument(s) must be one of the following: default, save, nosave, now, force"},
    {"notify-keyspace-events", "KEA", "AKE"},
    {"notify-keyspace-events", "Elg", "glE"},
    {"notify-keyspace-events", "K$lshzxetmdn", "$lshzxetdnKm"},
    {"notify-keyspace-events", "g$lshzxetdK", "AK"},
    {"notify-keyspace-events", "AKEmn", "AKEm"},
    {"notify-keyspace-events", "KEn", "nKE"},
    {"notify-keyspace-events", "", ""},
    {"notify-keyspace-events", "q", "-Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
    {"save", "900 1 300 10", "900 1 300 10"},
    {"save", "900 0", "900 0"},
    {"save", "", ""},
    {"save", "900", "-Invalid save parameters"},
    {"save", "0 5", "-Invalid save parameters"},
    {"save", "900  1", "-Invalid save parameters"},
    {"client-output-buffer-limit", "normal 1mb 2mb 60 pubsub 1 2 3",
     "normal 1048576 2097152 60 slave 268435456 67108864 60 pubsub 1 2 3"},
    {"client-output-buffer-limit", "replica 4 5 6",
     "normal 1048576 2097152 60 slave 4 5 6 pubsub 1 2 3"},
    {"client-output-buffer-limit", "", "normal 1048576 2097152 60 slave 4 5 6 pubsub 1 2 3"},
    {"client-output-buffer-limit", "master 1 1 1",
     "-Invalid client class specified in buffer limit configuration."},
    {"client-output-buffer-limit", "normal 1 1",
     "-Wrong number of arguments in buffer limit configuration."},
    {"client-output-buffer-limit", "normal 1 1 -1",
     "-Error in hard, soft or soft_seconds setting in buffer limit configuration."},
    {"client-output-buffer-limit", "pubsub 7 7 7 normal x 1 1",
     "-Error in hard, soft or soft_seconds setting in buffer limit configuration."},
    {"client-output-buffer-limit", "pubsub 9 9 9",
     "normal 1048576 2097152 60 slave 4 5 6 pubsub 9 9 9"},
    {"oom-score-adj-values", "2 1 -2000", "2 1 -2000"},
    {"oom-score-adj-values", "1 2", "-wrong number of arguments"},
    {"oom-score-adj-values", "0 0 2001",
     "-Invalid oom-score-adj-values, elements must be between -2000 and 2000."},
    {"latency-tracking-info-percentiles", "0 99.99 100", "0 99.99 100"},
    {"latency-tracking-info-percentiles", "50.55555555555", "50.555556"},
    {"latency-tracking-info-percentiles", "", ""},
    {"latency-tracking-info-percentiles", "101",
     "-latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"},
    {"latency-tracking-info-percentiles", "nan",
     "-Invalid latency-tracking-info-percentiles parameters"},
    {"proc-title-template", "{title} {port}", "{title} {port}"},
    {"proc-title-template", "{pid}", "-template format is invalid or contains unknown variables"},
    {"proc-title-template", "", "-template format is invalid or contains unknown variables"},
    {"bind", "127.0.0.1 ::1", "127.0.0.1 ::1"},
    {"bind", "", ""},
    {"bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "-Too many bind addresses specified."},
    {"cluster-announce-hostname", "a_b",
     "-Hostnames may only contain alphanumeric characters, hyphens or dots"},
    {"requirepass", "p \"w", "p \"w"},
    {"SLAVE-PRIORITY", "7", "7"},
};

static void test_set(void)
{
    struct conf *c = conf_new();

    for (size_t i = 0; i < COUNT_OF(set_cases); i++) {
        const char *const *t = set_cases[i];
        const char *error = kit_set(c, t[0], t[1]);
        struct buf want = {0};

        if (t[2][0] == '-' && t[2][1] >= 'A') {
            buf_printf(&want, "CONFIG SET failed (possibly related to argument '%s') - %s", t[0],
                       t[2] + 1);
            buf_append_char(&want, '\0');
            is_str(error, want.ptr, "%s '%s' is refused", t[0], t[1]);
        } else if (is_str(error, "", "%s '%s' is taken", t[0], t[1])) {
            is_str(kit_get(c, t[0]), t[2], "%s '%s' is shown", t[0], t[1]);
        }
        buf_release(&want);
    }
    conf_free(c);
}

/* Every option takes what it shows, and shows it again. */
static void test_round_trip(void)
{
    struct conf *c = conf_new(), *copy = conf_copy(c);
    int bad = 0;

    for (int i = 0; i < OPTION_COUNT; i++) {
        struct buf shown = {0}, err = {0};
        struct slice words;

        conf_format(c, &options[i], &shown);
        words = buf_slice(&shown);
        if (!(options[i].flags & MULTI) &&
            !option_set(copy, &options[i], (struct option_args){&words, 1, false}, &err)) {
            diag("%s: %.*s", options[i].name, (int)err.len, err.ptr);
            bad++;
        }
        bad += conf_differs(c, copy, (enum option_id)i);
        buf_release(&shown);
        buf_release(&err);
    }
    is_int(bad, 0, "options take their own values");
    conf_free(copy);
    conf_free(c);
}

static void test_directory(void)
{
    struct slice pair[2] = {SLICE("dir"), SLICE("/nowhere")};
    struct conf *c = conf_new();
    struct buf err = {0};
    char cwd[4096];

    is_str(kit_get(c, "dir"), getcwd(cwd, sizeof(cwd)), "the first folder is the present one");
    c->enable_protected_configs = CONF_ALLOWED_YES;
    is_str(kit_set(c, "dir", "/nowhere"),
           "CONFIG SET failed (possibly related to argument 'dir') - No such file or directory",
           "a folder must exist");
    is_str(kit_set(c, "dir", "/dev/null"),
           "CONFIG SET failed (possibly related to argument 'dir') - Not a directory",
           "and be a folder");
    is_str(kit_set(c, "dir", "/usr/../usr/."), "", "any spelling will do");
    is_str(c->dir, "/usr", "it is kept absolute");
    ok(!conf_set_pairs(c, pair, 2, true, &err) && is_str(c->dir, "/usr", "still there"),
       "a refused folder changes nothing");
    buf_release(&err);
    conf_free(c);
}

static void test_copies_are_independent(void)
{
    struct conf *a = conf_new(), *b;

    kit_set(a, "requirepass", "one");
    kit_set(a, "bind", "10.0.0.1");
    kit_set(a, "save", "1 2");
    b = conf_copy(a);
    kit_set(b, "requirepass", "two");
    kit_set(b, "bind", "10.0.0.2 10.0.0.3");
    kit_set(b, "save", "");
    is_str(kit_get(a, "requirepass"), "one", "texts of the original stay");
    is_str(kit_get(a, "bind"), "10.0.0.1", "addresses of the original stay");
    is_str(kit_get(a, "save"), "1 2", "lists of the original stay");
    ok(conf_differs(a, b, OPT_requirepass) && conf_differs(a, b, OPT_bind), "they differ there");
    ok(!conf_differs(a, b, OPT_port), "and not elsewhere");
    conf_free(a);
    is_str(kit_get(b, "bind"), "10.0.0.2 10.0.0.3", "the copy outlives the original");
    conf_free(b);
}

int main(void)
{
    test_initial_values();
    test_set();
    test_round_trip();
    test_directory();
    test_copies_are_independent();
    return tap_done();
}
