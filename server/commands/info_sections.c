/* INFO, see info.h. */
#include "server/info.h"

#include "server/reply.h"

enum section_flags {
    SECTION_DEFAULT = 1 << 0, /* shown without arguments */
};

static const struct section {
    const char *name, *alias, *title;
    void (*write)(struct info *i);
    int flags;
} sections[] = {
    {"server", NULL, "Server", info_server, SECTION_DEFAULT},
    {"clients", NULL, "Clients", info_clients, SECTION_DEFAULT},
    {"memory", NULL, "Memory", info_memory, SECTION_DEFAULT},
    {"persistence", NULL, "Persistence", info_persistence, SECTION_DEFAULT},
    {"stats", NULL, "Stats", info_stats, SECTION_DEFAULT},
    {"replication", NULL, "Replication", info_replication, SECTION_DEFAULT},
    {"cpu", NULL, "CPU", info_cpu, SECTION_DEFAULT},
    {"modules", "module_list", "Modules", info_modules, SECTION_DEFAULT},
    {"commandstats", NULL, "Commandstats", info_commandstats, 0},
    {"errorstats", NULL, "Errorstats", info_errorstats, SECTION_DEFAULT},
    {"latencystats", NULL, "Latencystats", info_latencystats, 0},
    {"cluster", NULL, "Cluster", info_cluster, SECTION_DEFAULT},
    {"locks", NULL, "Locks", info_locks, SECTION_DEFAULT},
    {"backend", NULL, "Backend", info_backend, SECTION_DEFAULT},
    {"keyspace", NULL, "Keyspace", info_keyspace, SECTION_DEFAULT},
};

/* A bit for each section that an argument asks for. */
static unsigned asked_by(struct slice arg)
{
    bool all = slice_is(arg, "all") || slice_is(arg, "everything");
    bool initial = slice_is(arg, "default");
    unsigned wanted = 0;

    for (size_t n = 0; n < COUNT_OF(sections); n++) {
        const struct section *s = &sections[n];

        if (all || (initial && s->flags & SECTION_DEFAULT) || slice_is(arg, s->name) ||
            (s->alias && slice_is(arg, s->alias)))
            wanted |= 1u << n;
    }
    return wanted;
}

static void write_sections(struct info *i, unsigned wanted)
{
    for (size_t n = 0; n < COUNT_OF(sections); n++) {
        if (!(wanted & 1u << n))
            continue;
        buf_printf(&i->out, "%s# %s\r\n", i->out.len ? "\r\n" : "", sections[n].title);
        sections[n].write(i);
    }
}

/* INFO [section ...] */
void cmd_info(struct call *c)
{
    struct info i = {
        .server = c->server, .conf = c->conf, .worker = c->worker, .now_ms = c->now_ms};
    unsigned wanted = c->argc == 1 ? asked_by(SLICE("default")) : 0;

    for (int n = 1; n < c->argc; n++)
        wanted |= asked_by(call_arg(c, n));
    server_sum_stats(c->server, &i.stats);
    write_sections(&i, wanted);
    reply_verbatim(c, "txt", i.out.len ? buf_slice(&i.out) : SLICE(""));
    buf_release(&i.out);
}
