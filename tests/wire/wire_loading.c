/*
 * What clients see while the data is loaded, the log of changes or a snapshot. `key-load-delay` has
 * it take so long that the tests decide when it is over. (Redis looks at its clients once in 1024
 * keys, so these tests are none for it.)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define LOADING "-LOADING Redis is loading the dataset in memory"
/* A fifth of a second for each key. */
#define SLOWLY "--key-load-delay 200000 --enable-protected-configs yes "

enum { KEYS = 500 };

static const struct wire_case meanwhile[] = {
    {"PING", LOADING},
    {"GET k1", LOADING},
    {"SET k1 x", LOADING},
    {"DBSIZE", LOADING},
    {"FLUSHALL", LOADING},
    {"SAVE", LOADING},
    {"BGSAVE", LOADING},
    {"BGREWRITEAOF", LOADING},
    {"GET", "-ERR wrong number of arguments for 'get' command"},
    {"NOPE", "/^-ERR unknown command 'NOPE'"},
    {"SELECT 1", "+OK"},
    {"SELECT 0", "+OK"},
    {"ECHO x", "'x'"},
    {"LASTSAVE", ":$?"},
    {"WATCH k1", "+OK"},
    {"MULTI", "+OK"},
    {"ECHO x", "+QUEUED"},
    {"EXEC", "['x']"},
    {"MULTI", "+OK"},
    {"GET k1", LOADING},
    {"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
    {"CONFIG GET appendfsync", "{'appendfsync' 'everysec'}"},
    {"CONFIG SET appendonly no", LOADING},
    {"CONFIG SET maxmemory 0 dir /tmp", LOADING},
    {"CONFIG SET appendfsync everysec maxmemory 0", "+OK"},
    {"CONFIG SET nosuch x", "/^-ERR Unknown option"},
    {"SHUTDOWN ABORT", "-ERR No shutdown in progress."},
};

static void has_fields(struct wire *w, const char *const *fields, size_t n)
{
    char *info = wire_bulk(w, "INFO persistence");

    for (size_t i = 0; i < n; i++)
        ok(strstr(info, fields[i]) != NULL, "loading: INFO has %s", fields[i]);
    free(info);
}

static void shows_loading(struct server *s, bool log)
{
    static const char *const fields[] = {
        "\r\nloading:1\r\n",        "\r\nasync_loading:0\r\n",   "\r\nloading_start_time:",
        "loading_total_bytes:",     "\r\nloading_rdb_used_mem:", "\r\nloading_loaded_bytes:",
        "\r\nloading_loaded_perc:", "\r\nloading_eta_seconds:",  "\r\naof_enabled:0\r\n",
    };
    static const char *const more[] = {"\r\naof_current_size:", "\r\naof_buffer_length:0\r\n"};
    struct wire *w = wire_open(s, 2);

    has_fields(w, fields, sizeof(fields) / sizeof(fields[0]));
    if (log)
        has_fields(w, more, sizeof(more) / sizeof(more[0]));
    wire_close(w);
}

static void talk(struct server *s)
{
    struct session t = {.server = s, .family = "loading"};

    for (t.protocol = 2; t.protocol <= 3; t.protocol++)
        session_cases_as_it_is(&t, meanwhile, sizeof(meanwhile) / sizeof(meanwhile[0]));
}

/* Nothing is slow any more, and it is over soon. */
static void let_it_load(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "CONFIG SET key-load-delay 0"), "+OK", "loading: it is not slow any more");
    for (int i = 0; i < 2000 && strncmp(wire_call(w, "PING"), "-LOADING", 8) == 0; i++)
        raw_sleep_ms(5);
    is_like(wire_call(w, "INFO persistence"), "loading:0", "loading: and comes to its end");
    wire_close(w);
}

static void fill(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    wire_call(w, "SELECT 3");
    for (int i = 0; i < KEYS; i++)
        wire_callf(w, "SET k%d v%d", i, i);
    wire_call(w, "RPUSH l a b c");
    wire_call(w, "SET t v PX 3600000");
    wire_close(w);
}

static void is_filled(struct server *s)
{
    struct wire *w = wire_open(s, 2);
    int good = 0;

    wire_call(w, "SELECT 3");
    for (int i = 0; i < KEYS; i++) {
        char value[32];

        snprintf(value, sizeof(value), "'v%d'", i);
        good += strcmp(wire_callf(w, "GET k%d", i), value) == 0;
    }
    is_int(good, KEYS, "loading: all is there");
    is_int((int)wire_int(w, "DBSIZE"), KEYS + 2, "loading: and no more");
    is_str(wire_call(w, "LRANGE l 0 -1"), "['a' 'b' 'c']", "loading: in its order");
    wire_close(w);
}

/* What is written when the log is loaded is logged. */
static void goes_on(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "SET after 1"), "+OK", "loading: then it is written to");
    wire_close(w);
    ok(server_restart_loading(s, SIGTERM), "loading: it starts once more");
    let_it_load(s);
    w = wire_open(s, 2);
    is_str(wire_call(w, "GET after"), "'1'", "loading: and what was written is there");
    wire_close(w);
}

static void the_log(void)
{
    struct server *s = server_run("--appendonly yes " SLOWLY);

    fill(s);
    ok(server_restart_loading(s, SIGTERM), "loading: it answers while it loads");
    talk(s);
    shows_loading(s, true);
    let_it_load(s);
    is_filled(s);
    goes_on(s);
    server_stop(s);
}

static void await_base(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    wire_call(w, "BGREWRITEAOF");
    for (int i = 0; i < 2000; i++) {
        char *info = wire_bulk(w, "INFO persistence");
        bool running =
            strstr(info, "aof_rewrite_in_progress:1") || strstr(info, "aof_rewrite_scheduled:1");

        free(info);
        if (!running)
            break;
        raw_sleep_ms(5);
    }
    is_str(wire_call(w, "SET behind 1"), "+OK", "loading: something is behind the base");
    wire_close(w);
}

/* With a base that is a snapshot, which others load. */
static void a_base(void)
{
    struct server *s = server_run("--appendonly yes " SLOWLY);
    struct wire *w;

    fill(s);
    await_base(s);
    ok(server_restart_loading(s, SIGTERM), "loading: it answers while it loads a base");
    shows_loading(s, true);
    let_it_load(s);
    is_filled(s);
    w = wire_open(s, 2);
    is_str(wire_call(w, "GET behind"), "'1'", "loading: what is behind the base is there");
    wire_close(w);
    server_stop(s);
}

static void a_snapshot(void)
{
    struct server *s = server_run(SLOWLY);
    struct wire *w;

    fill(s);
    w = wire_open(s, 2);
    is_str(wire_call(w, "SAVE"), "+OK", "loading: a snapshot");
    wire_close(w);
    ok(server_restart_loading(s, SIGKILL), "loading: it answers while it loads a snapshot");
    talk(s);
    shows_loading(s, false);
    let_it_load(s);
    is_filled(s);
    server_stop(s);
}

static long long size_of_log(const struct server *s)
{
    struct stat st = {0};
    char path[512];

    snprintf(path, sizeof(path), "%s/appendonlydir/appendonly.aof.1.incr.aof", s->dir);
    return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

/* It can be ended while it loads, and that changes nothing. */
static void the_end(void)
{
    struct server *s = server_run("--appendonly yes " SLOWLY);
    struct wire *w;
    long long size;

    fill(s);
    ok(server_restart_loading(s, SIGTERM), "loading: it loads");
    size = size_of_log(s);
    kill(s->pid, SIGTERM);
    is_int(server_wait_end(s, 10000), 0, "loading: SIGTERM ends it");
    is_int((int)size_of_log(s), (int)size, "loading: the log is as it was");
    ok(server_restart_loading(s, SIGTERM), "loading: it loads once more");
    w = wire_open(s, 2);
    wire_send(w, "SHUTDOWN");
    is_int(server_wait_end(s, 10000), 0, "loading: SHUTDOWN ends it");
    wire_close(w);
    is_int((int)size_of_log(s), (int)size, "loading: the log is still as it was");
    ok(server_restart_loading(s, SIGTERM), "loading: it loads again");
    let_it_load(s);
    is_filled(s);
    server_stop(s);
}

/* Whoever has subscribed is told of the keys as they come. */
static void events(void)
{
    struct server *s = server_run("--appendonly yes --notify-keyspace-events KEA " SLOWLY);
    struct wire *w;

    fill(s);
    ok(server_restart_loading(s, SIGTERM), "loading: it loads, with events");
    w = wire_open(s, 2);
    wire_call(w, "PSUBSCRIBE __keyevent@3__:*");
    let_it_load(s);
    is_like(wire_read(w), "pmessage.*__keyevent@3__:set", "loading: the events of the log");
    wire_close(w);
    is_filled(s);
    server_stop(s);
}

int main(void)
{
    const char *name = strrchr(server_under_test(), '/');

    if (strcmp(name ? name + 1 : server_under_test(), "redis-server") == 0) {
        skip("it does not answer so often", "loading");
        return tap_done();
    }
    the_log();
    a_base();
    a_snapshot();
    the_end();
    events();
    return tap_done();
}
