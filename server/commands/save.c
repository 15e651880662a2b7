/* SAVE, BGSAVE, LASTSAVE, and DEBUG RELOAD: snapshots when somebody asks for them. */
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/commands/debug.h"
#include "server/loading.h"
#include "server/reaper.h"
#include "server/reply.h"
#include "server/rewriting.h"
#include "server/saving.h"

static void refuse_busy(struct call *c)
{
    reply_error(c, "ERR Background save already in progress");
}

static void refuse_rewriting(struct call *c)
{
    reply_error(c, "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE "
                   "SCHEDULE in order to schedule a BGSAVE whenever possible.");
}

/* SAVE: others are served meanwhile. With the world stopped. */
void cmd_save(struct call *c)
{
    struct later *later;

    if (saving_facts(c->server, 0).running) {
        refuse_busy(c);
        return;
    }
    if (rewriting_runs(c->server)) {
        refuse_rewriting(c);
        return;
    }
    later = later_begin(c);
    if (saving_begin(c->server, later) == SAVING_FAILED)
        later_answer(later, "-ERR\r\n");
}

/* BGSAVE [SCHEDULE], with the world stopped */
void cmd_bgsave(struct call *c)
{
    if (c->argc > 2 || (c->argc == 2 && !call_arg_is(c, 1, "schedule"))) {
        call_syntax_error(c);
        return;
    }
    if (saving_facts(c->server, 0).running) {
        refuse_busy(c);
        return;
    }
    if (rewriting_runs(c->server) && c->argc == 1) {
        refuse_rewriting(c);
        return;
    }
    if (c->conn->flags & CONN_MULTI || rewriting_runs(c->server)) {
        saving_schedule(c->server);
        reply_simple(c, "Background saving scheduled");
        return;
    }
    if (saving_begin(c->server, NULL) == SAVING_BEGUN)
        reply_simple(c, "Background saving started");
    else
        reply_error(c, "ERR");
}

/* BGREWRITEAOF, with the world stopped */
void cmd_bgrewriteaof(struct call *c)
{
    switch (rewriting_begin(c->server)) {
    case REWRITING_BEGUN:
        reply_simple(c, "Background append only file rewriting started");
        break;
    case REWRITING_SCHEDULED:
        reply_simple(c, "Background append only file rewriting scheduled");
        break;
    case REWRITING_BUSY:
        reply_error(c, "ERR Background append only file rewriting already in progress");
        break;
    case REWRITING_FAILED:
        reply_error(c, "ERR Can't execute an AOF background rewriting. Please check the server "
                       "logs for more information.");
        break;
    }
}

/* LASTSAVE */
void cmd_lastsave(struct call *c)
{
    reply_int(c, saving_last_s(c->server));
}

/* ---- DEBUG RELOAD ---------------------------------------------------------------------------- */

struct reload {
    struct server *server;
    bool save, flush, merge;
    const char *error; /* NULL: it is done */
};

static void empty_all(struct server *s)
{
    struct keyspace *ks = &s->keyspace;

    for (int db = 0; db < ks->databases; db++) {
        uint64_t keys = keyspace_count(ks, db);

        if (keyspace_is_used(ks, db))
            reaper_give(s->reaper, keyspace_detach(ks, db), keys, NULL, NULL);
    }
}

static void reload_stopped(struct reload *r)
{
    if (r->save && saving_now(r->server) < 0) {
        r->error = "ERR";
        return;
    }
    if (r->flush)
        empty_all(r->server);
    if (!loading_now(r->server, r->merge))
        r->error = "ERR Error trying to load the RDB dump, check server logs.";
    else
        log_warning("DB reloaded by DEBUG RELOAD");
}

static void reload_on_main(void *arg)
{
    struct reload *r = arg;

    rewriting_stop(r->server);
    saving_stop(r->server);
    world_enter();
    world_stop();
    reload_stopped(r);
    world_resume();
    world_leave();
}

/* DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE] */
void debug_reload(struct call *c)
{
    struct reload r = {.server = c->server, .save = true, .flush = true};

    for (int i = 2; i < c->argc; i++) {
        if (call_arg_is(c, i, "merge")) {
            r.merge = true;
        } else if (call_arg_is(c, i, "noflush")) {
            r.flush = false;
        } else if (call_arg_is(c, i, "nosave")) {
            r.save = false;
        } else {
            reply_error(c, "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
            return;
        }
    }
    server_main_call(c->server, reload_on_main, &r);
    c->conf = c->server->conf;
    c->found_at = 0;
    if (r.error)
        reply_error(c, "%s", r.error);
    else
        reply_ok(c);
}
