/* INFO commandstats and latencystats: what the workers know of each command. See info.h. */
#include "server/info.h"

#include "base/mem.h"

/* Of all workers. The histogram is the caller's, and added to only if there is one. */
static struct command_stats sum_of(const struct server *s, int id, struct histogram *latency)
{
    struct command_stats sum = {0};

    for (int n = 0; n < s->workers_len; n++) {
        const struct command_stats *from = &s->workers[n].commands[id];

        sum.calls += from->calls;
        sum.ns += from->ns;
        sum.rejected += from->rejected;
        sum.failed += from->failed;
        if (latency && from->latency)
            histogram_merge(latency, from->latency);
    }
    return sum;
}

void info_commandstats(struct info *i)
{
    const struct command_table *t = i->server->commands;

    for (int id = 0; id < command_count(t); id++) {
        struct command_stats sum = sum_of(i->server, id, NULL);
        double us = (double)sum.ns / 1000;

        if (!sum.calls && !sum.failed && !sum.rejected)
            continue;
        info_name(i, "cmdstat_", command_at(t, id)->full_name);
        buf_printf(&i->out,
                   ":calls=%" PRIu64 ",usec=%" PRIu64 ",usec_per_call=%.2f,rejected_calls=%" PRIu64
                   ",failed_calls=%" PRIu64 "\r\n",
                   sum.calls, sum.ns / 1000, sum.calls ? us / (double)sum.calls : 0, sum.rejected,
                   sum.failed);
    }
}

static void percentiles(struct info *i, const char *name, const struct histogram *h)
{
    const struct conf_percentiles *wanted = &i->conf->latency_tracking_info_percentiles;

    info_name(i, "latency_percentiles_usec_", name);
    buf_append_char(&i->out, ':');
    for (size_t n = 0; n < wanted->len; n++)
        buf_printf(&i->out, "%sp%.12g=%.3f", n ? "," : "", wanted->values[n],
                   (double)histogram_percentile(h, wanted->values[n]) / 1000);
    buf_append_str(&i->out, "\r\n");
}

void info_latencystats(struct info *i)
{
    const struct command_table *t = i->server->commands;
    struct histogram *sum = mem_alloc(sizeof(*sum));

    for (int id = 0; i->conf->latency_tracking && id < command_count(t); id++) {
        memset(sum, 0, sizeof(*sum));
        sum_of(i->server, id, sum);
        if (sum->count)
            percentiles(i, command_at(t, id)->full_name, sum);
    }
    mem_free(sum);
}
