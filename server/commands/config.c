/* CONFIG: asking for options, changing them, and writing them to the configuration file. */
#include "base/mem.h"
#include "server/reconfigure.h"
#include "server/reply.h"

/* CONFIG GET pattern [pattern ...] */
void cmd_config_get(struct call *c)
{
    struct conf_match *found;
    size_t n = conf_match(c->argv + 2, (size_t)c->argc - 2, &found);
    struct buf value = {0};

    reply_map(c, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        value.len = 0;
        conf_format(c->conf, found[i].option, &value);
        reply_bulk(c, found[i].name);
        reply_bulk(c, value.len ? buf_slice(&value) : SLICE(""));
    }
    buf_release(&value);
    mem_free(found);
}

/* CONFIG SET name value [name value ...] */
void cmd_config_set(struct call *c)
{
    struct buf err = {0};
    bool done;

    if (c->argc % 2) {
        call_syntax_error(c);
        return;
    }
    if (server_gate(c->server, GATE_LOADING) &&
        conf_pairs_wait_for_data(c->argv + 2, (size_t)c->argc - 2)) {
        reply_error(c, "LOADING Redis is loading the dataset in memory");
        return;
    }
    done = reconfigure(c->server, c->argv + 2, (size_t)c->argc - 2, conn_is_local(c->conn), &err);
    c->conf = c->server->conf;
    if (done)
        reply_ok(c);
    else
        reply_error(c, "ERR %.*s", (int)err.len, err.ptr);
    buf_release(&err);
}

/* CONFIG REWRITE */
void cmd_config_rewrite(struct call *c)
{
    int status;

    if (!c->conf->file) {
        reply_error(c, "ERR The server is running without a config file");
        return;
    }
    status = reconfigure_rewrite(c->server);
    c->conf = c->server->conf;
    if (status < 0)
        reply_error(c, "ERR Rewriting config file: %s", strerror(-status));
    else
        reply_ok(c);
}

/* CONFIG RESETSTAT */
void cmd_config_resetstat(struct call *c)
{
    server_reset_stats(c->server);
    reply_ok(c);
}

/* CONFIG HELP */
void cmd_config_help(struct call *c)
{
    static const char *const lines[] = {
        "GET <pattern> [<pattern> ...]",
        "    Answers the options whose names match a pattern, and their values.",
        "SET <name> <value> [<name> <value> ...]",
        "    Changes options, all of those named or none.",
        "RESETSTAT",
        "    Sets the statistics that INFO shows back to zero.",
        "REWRITE",
        "    Brings the configuration file up to date.",
        NULL,
    };

    reply_help(c, lines);
}
