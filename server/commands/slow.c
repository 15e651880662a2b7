/*
 * SLOWLOG and LATENCY: what took long.
 * locks: each of the two records has one of its own, under which no other is taken.
 */
#include "base/mem.h"
#include "server/latency.h"
#include "server/reply.h"
#include "server/slowlog.h"

/* ---- SLOWLOG -------------------------------------------------------------------------------- */

static void reply_slow_entry(struct call *c, const struct slow_entry *e)
{
    reply_array(c, 6);
    reply_int(c, (int64_t)e->id);
    reply_int(c, e->time_s);
    reply_int(c, e->us);
    reply_array(c, e->argc);
    for (int i = 0; i < e->argc; i++)
        reply_bulk(c, e->argv[i]);
    reply_cstr(c, e->peer);
    reply_cstr(c, e->name);
}

/* SLOWLOG GET [count] */
void cmd_slowlog_get(struct call *c)
{
    struct slowlog *log = c->server->slowlog;
    int64_t count = 10, n = 0;
    size_t begin;

    if (c->argc > 3) {
        reply_subcommand_error(c);
        return;
    }
    if (c->argc == 3 && !call_int_between(c, 2, -1, INT64_MAX, &count,
                                          "ERR count should be greater than or equal to -1"))
        return;
    begin = write_begin(&c->out);
    lock_take(&log->lock);
    LIST_EACH (e, &log->entries, struct slow_entry, link) {
        if (count >= 0 && n >= count)
            break;
        reply_slow_entry(c, e);
        n++;
    }
    lock_release(&log->lock);
    write_end_array(&c->out, begin, n);
}

/* SLOWLOG LEN */
void cmd_slowlog_len(struct call *c)
{
    struct slowlog *log = c->server->slowlog;
    int64_t len;

    lock_take(&log->lock);
    len = log->len;
    lock_release(&log->lock);
    reply_int(c, len);
}

/* SLOWLOG RESET */
void cmd_slowlog_reset(struct call *c)
{
    slowlog_reset(c->server->slowlog);
    reply_ok(c);
}

/* SLOWLOG HELP */
void cmd_slowlog_help(struct call *c)
{
    static const char *const lines[] = {
        "GET [<count>]",
        "    The latest entries (10 of them; -1 for all): number, time, microseconds, arguments,",
        "    address and name of the client.",
        "LEN",
        "    How many entries there are.",
        "RESET",
        "    Forget all entries.",
        NULL,
    };

    reply_help(c, lines);
}

/* ---- LATENCY -------------------------------------------------------------------------------- */

/* LATENCY HISTORY event */
void cmd_latency_history(struct call *c)
{
    struct latency *l = c->server->latency;
    size_t begin = write_begin(&c->out);
    const struct latency_event *e;
    int64_t n = 0;

    lock_take(&l->lock);
    e = latency_find_locked(l, call_arg(c, 2));
    for (int i = 0; e && i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *s = latency_sample(e, i);

        if (!s)
            continue;
        reply_array(c, 2);
        reply_int(c, s->time_s);
        reply_int(c, s->ms);
        n++;
    }
    lock_release(&l->lock);
    write_end_array(&c->out, begin, n);
}

/* LATENCY LATEST */
void cmd_latency_latest(struct call *c)
{
    struct latency *l = c->server->latency;

    lock_take(&l->lock);
    reply_array(c, l->events_len);
    for (int i = 0; i < l->events_len; i++) {
        const struct latency_sample *s = latency_sample(l->events[i], LATENCY_SAMPLES - 1);

        reply_array(c, 4);
        reply_cstr(c, l->events[i]->name);
        reply_int(c, s->time_s);
        reply_int(c, s->ms);
        reply_int(c, l->events[i]->max_ms);
    }
    lock_release(&l->lock);
}

/* LATENCY RESET [event ...] */
void cmd_latency_reset(struct call *c)
{
    struct latency *l = c->server->latency;
    int64_t n = 0;

    lock_take(&l->lock);
    for (int i = 2; i < c->argc; i++)
        n += latency_forget_locked(l, call_arg(c, i));
    while (c->argc == 2 && l->events_len) {
        latency_forget_locked(l, slice_str(l->events[0]->name));
        n++;
    }
    lock_release(&l->lock);
    reply_int(c, n);
}

/* The samples as columns of a drawing, the oldest at the left, the highest 4 lines high. */
static void draw(struct buf *out, const struct latency_event *e)
{
    enum { ROWS = 4, COLUMNS = 80 };
    int64_t high = 1;

    for (int i = LATENCY_SAMPLES - COLUMNS; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *s = latency_sample(e, i);

        high = s && s->ms > high ? s->ms : high;
    }
    buf_printf(out, "%s - high %lld ms (all time high %lld ms)\n", e->name, (long long)high,
               (long long)e->max_ms);
    for (int row = ROWS; row > 0; row--) {
        for (int i = LATENCY_SAMPLES - COLUMNS; i < LATENCY_SAMPLES; i++) {
            const struct latency_sample *s = latency_sample(e, i);

            if (s)
                buf_append_char(out, s->ms * ROWS >= high * (row - 1) + 1 ? '#' : '_');
        }
        buf_append_char(out, '\n');
    }
}

/* LATENCY GRAPH event */
void cmd_latency_graph(struct call *c)
{
    struct latency *l = c->server->latency;
    const struct latency_event *e;
    struct buf out = {0};

    lock_take(&l->lock);
    e = latency_find_locked(l, call_arg(c, 2));
    if (e)
        draw(&out, e);
    lock_release(&l->lock);
    if (e)
        reply_verbatim(c, "txt", buf_slice(&out));
    else
        reply_error(c, "ERR No samples available for event '%.*s'", (int)call_arg(c, 2).len,
                    call_arg(c, 2).ptr);
    buf_release(&out);
}

static void diagnose(struct buf *out, const struct latency_event *e, int number)
{
    int64_t sum = 0, n = 0, first = 0, last = 0;

    for (int i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *s = latency_sample(e, i);

        if (!s)
            continue;
        first = first ? first : s->time_s;
        last = s->time_s;
        sum += s->ms;
        n++;
    }
    buf_printf(out,
               "%d. %s: %lld latency spikes (average %lldms, worst %lldms, %lld s between them).\n",
               number, e->name, (long long)n, (long long)(n ? sum / n : 0), (long long)e->max_ms,
               (long long)(n > 1 ? (last - first) / (n - 1) : 0));
}

/* LATENCY DOCTOR */
void cmd_latency_doctor(struct call *c)
{
    struct latency *l = c->server->latency;
    struct buf out = {0};

    if (!c->conf->latency_monitor_threshold) {
        buf_append_str(&out, "Latency monitoring is disabled. CONFIG SET latency-monitor-threshold "
                             "<milliseconds> enables it.\n");
    } else {
        lock_take(&l->lock);
        for (int i = 0; i < l->events_len; i++)
            diagnose(&out, l->events[i], i + 1);
        lock_release(&l->lock);
        if (!out.len)
            buf_append_str(&out, "No latency spike was observed. Nothing to advise.\n");
        else
            buf_append_str(&out, "\nSLOWLOG GET shows which commands took long; a whole-keyspace "
                                 "command (KEYS, FLUSHALL) or very large values are the usual "
                                 "reasons.\n");
    }
    reply_verbatim(c, "txt", buf_slice(&out));
    buf_release(&out);
}

/* The histogram's counts at powers of two of microseconds, as far as there are any. */
static void reply_histogram(struct call *c, const struct histogram *h)
{
    size_t begin = write_begin(&c->out);
    int64_t n = 0;
    uint64_t seen = 0, bound = 1024;

    for (int bin = 0; bin < HISTOGRAM_BINS && seen < h->count; bin++) {
        while (histogram_bin_top(bin) >= bound && bound < (uint64_t)1 << 62) {
            if (seen) {
                reply_int(c, (int64_t)(bound / 1024));
                reply_int(c, (int64_t)seen);
                n++;
            }
            bound *= 2;
        }
        seen += h->bins[bin];
    }
    reply_int(c, (int64_t)(bound / 1024));
    reply_int(c, (int64_t)seen);
    write_end_map(&c->out, begin, n + 1);
}

/* What all workers know of a command. False if nothing. */
static bool reply_command_histogram(struct call *c, const struct command *cmd)
{
    struct histogram *sum = mem_zalloc(sizeof(*sum));
    uint64_t calls = 0;
    bool had;

    for (int i = 0; i < c->server->workers_len; i++) {
        const struct command_stats *stats = &c->server->workers[i].commands[cmd->id];

        calls += stats->calls;
        if (stats->latency)
            histogram_merge(sum, stats->latency);
    }
    had = sum->count > 0;
    if (had) {
        reply_cstr(c, cmd->full_name);
        reply_map(c, 2);
        reply_cstr(c, "calls");
        reply_int(c, (int64_t)calls);
        reply_cstr(c, "histogram_usec");
        reply_histogram(c, sum);
    }
    mem_free(sum);
    return had;
}

static int64_t reply_with_subcommands(struct call *c, const struct command *cmd)
{
    int64_t n = reply_command_histogram(c, cmd);

    for (const struct command **s = cmd->subcommands; s && *s; s++)
        n += reply_command_histogram(c, *s);
    return n;
}

/* LATENCY HISTOGRAM [command ...] */
void cmd_latency_histogram(struct call *c)
{
    const struct command_table *t = c->server->commands;
    size_t begin = write_begin(&c->out);
    int64_t n = 0;

    for (int id = 0; c->argc == 2 && id < command_count(t); id++)
        n += reply_command_histogram(c, command_at(t, id));
    for (int i = 2; i < c->argc; i++) {
        const struct command *cmd = command_find_full(t, call_arg(c, i));

        if (cmd)
            n += reply_with_subcommands(c, cmd);
    }
    write_end_map(&c->out, begin, n);
}

/* LATENCY HELP */
void cmd_latency_help(struct call *c)
{
    static const char *const lines[] = {
        "DOCTOR",
        "    Explain the spikes, for people.",
        "GRAPH <event>",
        "    Draw the latest spikes of an event.",
        "HISTOGRAM [<command> ...]",
        "    How the durations of commands are distributed.",
        "HISTORY <event>",
        "    The latest spikes of an event.",
        "LATEST",
        "    The last spike of each event.",
        "RESET [<event> ...]",
        "    Forget the spikes of the events, or of all.",
        NULL,
    };

    reply_help(c, lines);
}
