/*
 * DEBUG: what the tests of clients and servers need and nobody else should use; enable-debug-
 * command decides who may. One command and no container, as in Redis, with its own words for a
 * subcommand that is none.
 */
#include "server/commands/debug.h"

#include "base/glob.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "server/expirer.h"
#include "server/policer.h"
#include "server/reply.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* ---- time ----------------------------------------------------------------------------------- */

/* DEBUG SLEEP seconds: nobody is served meanwhile. */
static void debug_sleep(struct call *c)
{
    enum { LONGEST_S = 1000 * 1000 };
    double s = 0;
    struct timespec span;

    num_parse_double(call_arg(c, 2), &s);
    s = s > 0 ? s < LONGEST_S ? s : LONGEST_S : 0;
    span.tv_sec = (time_t)s;
    span.tv_nsec = (long)((s - (double)span.tv_sec) * 1e9);
    while (nanosleep(&span, &span) < 0)
        ;
    reply_ok(c);
}

static bool is_on(struct slice arg)
{
    int64_t v;

    return num_parse_int(arg, &v) && v != 0;
}

/* DEBUG SET-ACTIVE-EXPIRE 0|1 */
static void debug_active_expire(struct call *c)
{
    atomic_store(&c->server->active_expire, is_on(call_arg(c, 2)));
    expirer_wake_all(c->server);
    policer_wake_all(c->server);
    reply_ok(c);
}

/* DEBUG PAUSE-CRON 0|1 */
static void debug_pause_cron(struct call *c)
{
    atomic_store(&c->server->cron_paused, is_on(call_arg(c, 2)));
    reply_ok(c);
}

/* ---- words ---------------------------------------------------------------------------------- */

/* DEBUG ERROR text */
static void debug_error(struct call *c)
{
    write_error_slice(&c->out, call_arg(c, 2));
}

/* DEBUG LOG text */
static void debug_log(struct call *c)
{
    log_warning("DEBUG LOG: %.*s", (int)call_arg(c, 2).len, call_arg(c, 2).ptr);
    reply_ok(c);
}

/* DEBUG CHANGE-REPL-ID */
static void debug_change_replication_id(struct call *c)
{
    log_notice("Changing the replication ID, as DEBUG CHANGE-REPL-ID asks");
    rng_hex_id(c->server->replication_id, RUN_ID_LEN);
    reply_ok(c);
}

/* DEBUG STRINGMATCH-LEN length pattern: how long does it take? */
static void debug_match(struct call *c)
{
    int64_t len;
    char *text;

    if (!call_int_between(c, 2, 0, INT32_MAX, &len, NULL))
        return;
    text = mem_alloc((size_t)len + 1);
    memset(text, 'a', (size_t)len);
    reply_int(c, glob_match(call_arg(c, 3), slice_make(text, (size_t)len), false));
    mem_free(text);
}

/* DEBUG STRUCTSIZE */
static void debug_struct_sizes(struct call *c)
{
    struct buf out = {0};

    buf_printf(
        &out, "bits:%zu entry:%zu bucket:%zu blob:%zu shard:%zu space:%zu conn:%zu worker:%zu",
        sizeof(void *) * 8, sizeof(struct entry), sizeof(struct bucket), sizeof(struct blob),
        sizeof(struct shard), sizeof(struct space), sizeof(struct conn), sizeof(struct worker));
    reply_bulk(c, buf_slice(&out));
    buf_release(&out);
}

/* ---- what concerns parts of Redis that are made otherwise here ------------------------------ */

/* DEBUG QUICKLIST-PACKED-THRESHOLD size: no list has such nodes. */
static void debug_packed_threshold(struct call *c)
{
    int64_t size;

    if (num_parse_memory(call_arg(c, 2), &size) && size >= 0 && size <= (int64_t)4 << 30)
        reply_ok(c);
    else
        reply_error(c, "ERR argument must be a memory value bigger than 1 and smaller than 4gb");
}

static void refuse_subcommand(struct call *c)
{
    reply_error(c,
                "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try DEBUG HELP.",
                (int)(call_arg(c, 1).len < 128 ? call_arg(c, 1).len : 128), call_arg(c, 1).ptr);
}

/*
 * DEBUG REPLYBUFFER PEAK-RESET-TIME|RESIZING value: replies are gathered in a buffer of the worker.
 */
static void debug_reply_buffer(struct call *c)
{
    if (call_arg_is(c, 2, "peak-reset-time") || call_arg_is(c, 2, "resizing"))
        reply_ok(c);
    else
        refuse_subcommand(c);
}

/* DEBUG SNAPSHOT-CLOCK 0|1 */
static void debug_snapshot_clock(struct call *c)
{
    int64_t on;

    if (!call_int_between(c, 2, 0, 1, &on, NULL))
        return;
    atomic_store(&c->server->keyspace.toll.clocked, on);
    reply_ok(c);
}

/* DEBUG LOADAOF */
static void debug_load_log(struct call *c)
{
    reply_error(c, "ERR There is no log of changes to load the data from");
}

/* ---- the end -------------------------------------------------------------------------------- */

/* DEBUG SEGFAULT: a page that nobody may touch, so that the fault is a real one. */
static void debug_segfault(struct call *c)
{
    volatile char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)c;
    if (page != MAP_FAILED)
        *page = 0;
    abort();
}

/* DEBUG PANIC, ASSERT */
static void debug_panic(struct call *c)
{
    log_warning("DEBUG %.*s: the process ends here", (int)call_arg(c, 1).len, call_arg(c, 1).ptr);
    abort();
}

/* DEBUG OOM */
static void debug_out_of_memory(struct call *c)
{
    (void)c;
    mem_free(mem_alloc(PTRDIFF_MAX / 2));
}

/* ---- DEBUG ---------------------------------------------------------------------------------- */

static const char *const help_lines[] = {
    "ASSERT",
    "    Ends the process as a failed assertion does.",
    "CHANGE-REPL-ID",
    "    Makes a new replication ID.",
    "DIGEST [VERSIONS]",
    "    A digest of all keys of all databases, or of their versions.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    A digest of each key's value.",
    "ERROR <string>",
    "    Answers with this error.",
    "HTSTATS <dbid>",
    "    How full a database's tables are.",
    "HTSTATS-KEY <key>",
    "    The same for the table that a key's value is.",
    "LISTPACK <key>",
    "    Accepted for a key whose value is packed, which the server's log says more of.",
    "LOADAOF",
    "    Reads the log again.",
    "LOCKS",
    "    Checks the locks of clients, and counts them.",
    "LOG <message>",
    "    Writes to the server's log.",
    "OBJECT <key>",
    "    What a key's value looks like from inside.",
    "OOM",
    "    Ends the process as it does when there is no memory.",
    "PANIC",
    "    Ends the process with a report.",
    "PAUSE-CRON <0|1>",
    "    Stops what is done at regular intervals, or goes on with it.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Makes keys 'key:<number>' of values 'value:<number>', of this size if one is given.",
    "PROTOCOL <type>",
    "    A reply of this type: string, integer, double, bignum, null, array, set, map, attrib,",
    "    push, verbatim, true, false.",
    "QUICKLIST <key> [<0|1>]",
    "    Writes to the server's log how a list is kept.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Accepted, without effect.",
    "RELOAD [option ...]",
    "    Saves the data and loads it again.",
    "REPLYBUFFER PEAK-RESET-TIME|RESIZING <value>",
    "    Accepted, without effect.",
    "SEGFAULT",
    "    Ends the process as an access to memory that is not there does.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys go at their time, or only when somebody asks for them.",
    "SLEEP <seconds>",
    "    Serves nobody for this time.",
    "SNAPSHOT-CLOCK <0|1>",
    "    Whether INFO tells how long writers saved something for a snapshot.",
    "STRINGMATCH-LEN <length> <pattern>",
    "    Matches as many letters a with a pattern.",
    "STRUCTSIZE",
    "    Sizes of structures.",
    "WAITING",
    "    Checks the queues of clients that wait for keys; how many there are, and how",
    "    many were looked at to serve one since the statistics were reset.",
    NULL,
};

static void debug_help(struct call *c)
{
    reply_help(c, help_lines);
}

/* By the number of arguments behind the name; -1: any. */
static const struct debug_row {
    const char *name;
    int min, max;
    void (*run)(struct call *c);
} rows[] = {
    {"assert", 0, 0, debug_panic},
    {"change-repl-id", 0, 0, debug_change_replication_id},
    {"digest", 0, 1, debug_digest},
    {"digest-value", 0, -1, debug_digest_value},
    {"error", 1, 1, debug_error},
    {"help", 0, 0, debug_help},
    {"htstats", 1, 1, debug_htstats},
    {"htstats-key", 1, 1, debug_htstats_key},
    {"listpack", 1, 1, debug_listpack},
    {"loadaof", 0, 0, debug_load_log},
    {"locks", 0, 0, debug_locks},
    {"log", 1, 1, debug_log},
    {"object", 1, 1, debug_object},
    {"oom", 0, 0, debug_out_of_memory},
    {"panic", 0, 0, debug_panic},
    {"pause-cron", 1, 1, debug_pause_cron},
    {"populate", 1, 3, debug_populate},
    {"protocol", 1, 1, debug_protocol},
    {"quicklist", 1, 2, debug_quicklist},
    {"quicklist-packed-threshold", 1, 1, debug_packed_threshold},
    {"reload", 0, -1, debug_reload},
    {"replybuffer", 2, 2, debug_reply_buffer},
    {"segfault", 0, 0, debug_segfault},
    {"set-active-expire", 1, 1, debug_active_expire},
    {"sleep", 1, 1, debug_sleep},
    {"snapshot-clock", 1, 1, debug_snapshot_clock},
    {"stringmatch-len", 2, 2, debug_match},
    {"structsize", 0, 0, debug_struct_sizes},
    {"waiting", 0, 0, debug_waiting},
};

static bool allowed(const struct call *c)
{
    int who = c->conf->enable_debug_command;

    return who == CONF_ALLOWED_YES || (who == CONF_ALLOWED_LOCAL && conn_is_local(c->conn));
}

/* DEBUG subcommand [argument ...] */
void cmd_debug(struct call *c)
{
    int args = c->argc - 2;

    if (!allowed(c)) {
        reply_error(c, "ERR DEBUG command not allowed. If the enable-debug-command option is set "
                       "to \"local\", you can run it from a local connection, otherwise you need "
                       "to set this option in the configuration file, and then restart the "
                       "server.");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct debug_row *row = &rows[i];

        if (!call_arg_is(c, 1, row->name))
            continue;
        if (args < row->min || (row->max >= 0 && args > row->max))
            break;
        row->run(c);
        return;
    }
    refuse_subcommand(c);
}
