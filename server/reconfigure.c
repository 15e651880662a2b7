/* Changes of the configuration while the server runs, see reconfigure.h. */
#include "server/reconfigure.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/crash.h"
#include "server/listener.h"
#include "server/loading.h"
#include "server/logging.h"
#include "server/policer.h"
#include "server/policy_log.h"
#include "server/process.h"
#include "server/slowlog.h"
#include "server/title.h"

#include <errno.h>
#include <unistd.h>

/* ---- what a change does, beside being read the next time ------------------------------------- */

static bool give_reason(struct buf *why, const char *reason)
{
    buf_append_str(why, reason);
    return false;
}

static bool apply_port(struct server *s, const struct conf *to, struct buf *why)
{
    return listener_rebind(s->listener, to) ||
           give_reason(why, "Unable to listen on this port. Check server logs.");
}

static bool apply_bind(struct server *s, const struct conf *to, struct buf *why)
{
    return listener_rebind(s->listener, to) ||
           give_reason(why, "Failed to bind to specified addresses.");
}

static bool apply_maxclients(struct server *s, const struct conf *to, struct buf *why)
{
    int64_t possible = process_reserve_files(to->maxclients);

    (void)s;
    if (possible >= to->maxclients)
        return true;
    buf_printf(why,
               "The operating system is not able to handle the specified number of clients, "
               "try with %lld",
               (long long)possible);
    return false;
}

static bool apply_oom_score(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    return process_set_oom_score(to) == 0 ||
           give_reason(why, "Failed to apply new oom_score_adj configuration, check server logs.");
}

static bool apply_dir(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    return chdir(to->dir) == 0 || give_reason(why, strerror(errno));
}

static bool apply_loglevel(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    (void)why;
    log_set_level((enum log_level)to->loglevel);
    return true;
}

static bool apply_title(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    (void)why;
    if (to->set_proc_title)
        title_set(to);
    return true;
}

static bool apply_crash_log(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    (void)why;
    crash_reports(to);
    return true;
}

static bool apply_maxmemory(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    (void)why;
    if (to->maxmemory && mem_used() > to->maxmemory)
        log_warning("WARNING: the new maxmemory (%llu bytes) is less than what is used (%zu): keys "
                    "will be evicted, or writes refused, as maxmemory-policy says.",
                    (unsigned long long)to->maxmemory, mem_used());
    return true;
}

static bool apply_purging(struct server *s, const struct conf *to, struct buf *why)
{
    (void)s;
    (void)why;
    mem_purge_in_background(to->jemalloc_bg_thread);
    return true;
}

static bool apply_slowlog(struct server *s, const struct conf *to, struct buf *why)
{
    (void)why;
    lock_take(&s->slowlog->lock);
    slowlog_trim_locked(s->slowlog, to->slowlog_max_len);
    lock_release(&s->slowlog->lock);
    return true;
}

static bool apply_policies(struct server *s, const struct conf *to, struct buf *why)
{
    (void)why;
    if (!loading_is_of_log(s->loading)) /* then it is done when that is over */
        policer_apply(s, &to->key_policy);
    return true;
}

static bool apply_log(struct server *s, const struct conf *to, struct buf *why)
{
    return logging_configure(s, to, why);
}

/* In this order; what can fail comes first, and is undone if something behind it fails. */
static const struct applier {
    enum option_id id;
    bool (*apply)(struct server *s, const struct conf *to, struct buf *why);
} appliers[] = {
    {OPT_port, apply_port},
    {OPT_bind, apply_bind},
    {OPT_maxclients, apply_maxclients},
    {OPT_oom_score_adj, apply_oom_score},
    {OPT_oom_score_adj_values, apply_oom_score},
    {OPT_dir, apply_dir},
    {OPT_appendonly, apply_log},
    {OPT_appendfsync, apply_log},
    {OPT_aof_timestamp_enabled, apply_log},
    {OPT_aof_buffer_limit, apply_log},
    {OPT_loglevel, apply_loglevel},
    {OPT_proc_title_template, apply_title},
    {OPT_port, apply_title},
    {OPT_bind, apply_title},
    {OPT_crash_log_enabled, apply_crash_log},
    {OPT_maxmemory, apply_maxmemory},
    {OPT_jemalloc_bg_thread, apply_purging},
    {OPT_slowlog_max_len, apply_slowlog},
    {OPT_key_policy, apply_policies},
};

static void undo(struct server *s, const struct conf *tried, size_t applied)
{
    struct buf ignored = {0};

    while (applied-- > 0) {
        if (conf_differs(s->conf, tried, appliers[applied].id))
            appliers[applied].apply(s, s->conf, &ignored);
    }
    buf_release(&ignored);
}

static bool apply_all(struct server *s, const struct conf *fresh, struct buf *err)
{
    struct buf why = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < COUNT_OF(appliers); i++) {
        const struct applier *a = &appliers[i];

        if (!conf_differs(s->conf, fresh, a->id) || a->apply(s, fresh, &why))
            continue;
        ok = false;
        log_warning("Failed applying new configuration. Possibly related to new %s setting. "
                    "Restoring previous settings.",
                    option_name(a->id));
        buf_printf(err, "CONFIG SET failed (possibly related to argument '%s') - %.*s",
                   option_name(a->id), (int)why.len, why.ptr);
        undo(s, fresh, i);
    }
    buf_release(&why);
    return ok;
}

/* Of options that are kept without effect, so that nobody believes in them. */
static void warn_of_inert(const struct conf *old, const struct conf *fresh)
{
    struct buf text = {0};

    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!option_is_inert((enum option_id)id) || !conf_differs(old, fresh, (enum option_id)id))
            continue;
        text.len = 0;
        conf_say_unsupported(slice_str(option_name((enum option_id)id)), &text);
        log_warning("%.*s", (int)text.len, text.ptr);
    }
    buf_release(&text);
}

/* ---- on the main thread ---------------------------------------------------------------------- */

struct change {
    struct server *server;
    conf_edit_fn *edit;
    void *opaque;
    bool done;
    struct buf *err;
};

static void change_on_main(void *arg)
{
    struct change *change = arg;
    struct server *s = change->server;
    struct conf *fresh;

    world_enter();
    world_stop();
    fresh = conf_copy(s->conf);
    change->done =
        change->edit(fresh, change->opaque, change->err) && apply_all(s, fresh, change->err);
    if (change->done) {
        warn_of_inert(s->conf, fresh);
        policy_log_changed(s, fresh);
        server_publish_conf(s, fresh);
    } else {
        conf_free(fresh);
    }
    world_resume();
    world_leave();
}

bool reconfigure_edit(struct server *s, conf_edit_fn *edit, void *opaque, struct buf *err)
{
    struct change change = {.server = s, .edit = edit, .opaque = opaque, .err = err};

    server_main_call(s, change_on_main, &change);
    return change.done;
}

struct pairs {
    const struct slice *v;
    size_t len;
    bool local_client;
};

static bool set_pairs(struct conf *fresh, void *opaque, struct buf *err)
{
    const struct pairs *p = opaque;

    return conf_set_pairs(fresh, p->v, p->len, p->local_client, err);
}

bool reconfigure(struct server *s, const struct slice *pairs, size_t pairs_len, bool local_client,
                 struct buf *err)
{
    struct pairs p = {pairs, pairs_len, local_client};

    return reconfigure_edit(s, set_pairs, &p, err);
}

struct rewriting {
    struct server *server;
    int status;
};

/* Only this thread publishes snapshots, so that this one stays while it is written. */
static void rewrite_on_main(void *arg)
{
    struct rewriting *r = arg;

    r->status = conf_rewrite(r->server->conf);
    if (r->status < 0) {
        log_warning("CONFIG REWRITE failed: %s", strerror(-r->status));
        return;
    }
    log_warning("CONFIG REWRITE executed with success.");
    world_enter();
    world_stop();
    policy_log_rewritten(r->server);
    world_resume();
    world_leave();
}

int reconfigure_rewrite(struct server *s)
{
    struct rewriting r = {.server = s};

    server_main_call(s, rewrite_on_main, &r);
    return r.status;
}
