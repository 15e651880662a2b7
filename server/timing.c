/* How long commands take, see timing.h. */
#include "server/timing.h"

#include "base/mem.h"
#include "server/latency.h"
#include "server/slowlog.h"
#include "server/waiting.h"

static void add_to_histogram(struct worker *w, struct command_stats *stats, uint64_t ns,
                             uint64_t calls)
{
    if (!w->server->conf->latency_tracking)
        return;
    if (!stats->latency)
        stats->latency = mem_zalloc(sizeof(*stats->latency));
    histogram_add(stats->latency, ns / calls, calls);
}

/* How long a call took that waits is known only when it is served. */
static void account(struct worker *w, uint64_t ns, bool waits)
{
    struct command_stats *stats = &w->commands[w->run_cmd->id];

    stats->calls += w->run_calls;
    stats->ns += ns;
    stats->failed += w->run_failed;
    if (LIKELY(!waits))
        add_to_histogram(w, stats, ns, w->run_calls);
}

static uint64_t end_run(struct worker *w, uint64_t now, bool waits)
{
    uint64_t ns = ticks_to_ns(now - w->run_start);

    if (w->run_calls)
        account(w, ns, waits);
    w->run_calls = 0;
    w->run_failed = 0;
    w->run_cmd = NULL;
    return ns;
}

void timing_close(struct worker *w)
{
    if (w->run_cmd)
        end_run(w, ticks_now(), false);
}

void timing_switch(struct worker *w, const struct command *cmd)
{
    uint64_t now = ticks_now();

    if (w->run_cmd)
        end_run(w, now, false);
    w->run_cmd = cmd;
    w->run_start = now;
}

void timing_withdraw(struct worker *w)
{
    if (--w->run_calls == 0)
        w->run_cmd = NULL;
}

void timing_nest(struct worker *w, struct timing *outer)
{
    *outer = (struct timing){w->run_cmd, w->run_calls, w->run_start, w->run_failed};
    w->run_cmd = NULL;
    w->run_calls = 0;
    w->run_failed = 0;
}

void timing_unnest(struct worker *w, const struct timing *outer)
{
    timing_close(w);
    w->run_cmd = outer->cmd;
    w->run_calls = outer->calls;
    w->run_start = outer->start;
    w->run_failed = outer->failed;
}

void timing_alone(struct call *c)
{
    struct worker *w = c->worker;
    bool waits = c->conn->waiter;
    uint64_t ns = end_run(w, ticks_now(), waits);

    if (UNLIKELY(waits)) {
        waiting_ran(c->conn, ns);
        return;
    }
    slowlog_note(c, ns / 1000);
    latency_note(c->server->latency, c->cmd->flags & CMD_FAST ? "fast-command" : "command",
                 (int64_t)(ns / 1000000), c->conf);
}

void timing_served(struct call *c, uint64_t ran_ns, uint64_t ns, bool failed)
{
    struct command_stats *stats = &c->worker->commands[c->cmd->id];

    stats->ns += ran_ns + ns;
    stats->failed += failed;
    add_to_histogram(c->worker, stats, ran_ns + ns, 1);
    slowlog_note(c, (ran_ns + ns) / 1000);
    latency_note(c->server->latency, "command-unblocking", (int64_t)(ns / 1000000), c->conf);
}
