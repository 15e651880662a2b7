/* The log of changes in the life of the server, see logging.h. */
#include "server/logging.h"

#include "base/log.h"
#include "base/mem.h"
#include "server/backend/home.h"
#include "server/durability.h"
#include "server/log_load.h"
#include "server/rewriting.h"
#include "server/worker.h"

#include <errno.h>
#include <string.h>

static enum journal_sync sync_of(const struct conf *conf)
{
    switch (conf->appendfsync) {
    case CONF_FSYNC_ALWAYS:
        return JOURNAL_SYNC_ALWAYS;
    case CONF_FSYNC_NO:
        return JOURNAL_SYNC_NO;
    default:
        return JOURNAL_SYNC_EVERYSEC;
    }
}

static void configure_journal(struct server *s, const struct conf *conf)
{
    journal_set_sync(s->journal, sync_of(conf), conf->aof_timestamp_enabled);
    journal_set_limit(s->journal, conf->aof_buffer_limit);
}

/* ---- what the log tells --------------------------------------------------------------------- */

static void on_durable(void *arg, uint64_t seq)
{
    (void)seq;
    durability_reached(arg);
}

static void on_failed(void *arg, int error)
{
    (void)error;
    server_set_gate(arg, GATE_LOG_BROKEN, true);
}

/* Who writes waits from now on, or goes on. */
static void on_full(void *arg, bool full)
{
    struct server *s = arg;

    server_set_gate(s, GATE_LOG_FULL, full);
    for (int i = 0; !full && i < s->workers_len; i++)
        worker_unpark(&s->workers[i]);
}

struct journal *logging_new(struct server *s)
{
    struct journal_events events = {on_durable, on_failed, s, on_full};

    return journal_new(&events);
}

/* What is to be durable, as far as there is something that it could be made durable in. */
static void set_gates(struct server *s, const struct conf *conf)
{
    bool writing = journal_state(s->journal) == JOURNAL_WRITING;

    if (logging_is_on(s))
        durability_begin(s);
    server_set_gate(s, GATE_LOGGED, logging_is_on(s));
    versions_log(&s->keyspace, logging_is_on(s));
    if (writing || !logging_is_on(s))
        server_set_gate(s, GATE_DURABLE, writing && conf->appendfsync == CONF_FSYNC_ALWAYS);
}

bool logging_is_on(const struct server *s)
{
    return journal_state(s->journal) != JOURNAL_OFF && !s->log_ending;
}

/* ---- the start ------------------------------------------------------------------------------ */

/* A log of one file, as Redis had it before 7, becomes the base of one in a folder. */
static bool upgrade(struct log_dir *dir)
{
    int status;

    if (!log_dir_is_old(dir, dir->filename))
        return true;
    log_notice("%s is a log of one file; it is moved into %s", dir->filename, dir->path);
    status = log_dir_upgrade(dir, dir->filename);
    if (status)
        log_warning("%s cannot be moved into %s: %s", dir->filename, dir->path, strerror(-status));
    return !status;
}

bool logging_open(const struct conf *conf, struct log_dir *dir)
{
    struct buf why = {0};
    int status;

    log_dir_init(dir, conf->appenddirname, conf->appendfilename);
    status = log_dir_read(dir, &why);
    if (status && !why.len)
        buf_append_str(&why, strerror(-status));
    if (status)
        log_warning("The manifest of the log in %s cannot be read: %.*s", dir->path, (int)why.len,
                    why.ptr);
    buf_release(&why);
    return !status && upgrade(dir);
}

bool logging_begin(struct server *s, struct log_dir *dir, const struct log_loaded *loaded)
{
    struct journal_place at = {.append = loaded->append, .db = loaded->db, .seq = loaded->seq};
    int status;

    if (loaded->unversioned || loaded->repaired) {
        at.floor = s->keyspace.shards[0].seq;
        at.floor_of_all = loaded->repaired;
        versions_floor(&s->keyspace, at.floor, at.floor_of_all);
    }

    log_dir_clean(dir);
    configure_journal(s, s->conf);
    status = journal_start(s->journal, dir, &at);
    if (status) {
        log_warning("The log of changes cannot be opened in %s: %s", s->conf->appenddirname,
                    strerror(-status));
        return false;
    }
    set_gates(s, s->conf);
    rewriting_measure(s);
    return true;
}

void logging_end(struct server *s)
{
    server_set_gate(s, GATE_LOGGED | GATE_DURABLE, false);
    versions_log(&s->keyspace, false);
    journal_stop(s->journal);
}

/* ---- while it runs -------------------------------------------------------------------------- */

/* Who waits for the disk goes on without it. */
static void turn_off(struct server *s)
{
    s->log_ending = rewriting_runs(s);
    if (s->log_ending)
        rewriting_cancel(s);
    else
        journal_stop(s->journal);
    server_set_gate(s, GATE_LOG_BROKEN, false);
    durability_reached(s);
}

static bool turn_on(struct server *s, const struct conf *conf, struct buf *why)
{
    struct log_dir dir;
    int status;

    if (s->log_ending) {
        buf_append_str(why, "The log of changes is still being ended. Try again.");
        return false;
    }
    if (!logging_open(conf, &dir)) {
        log_dir_release(&dir);
        buf_append_str(why, "Unable to turn on AOF. Check server logs.");
        return false;
    }
    if (s->home)
        home_name_log(s->home);
    status = journal_start_anew(s->journal, &dir);
    log_dir_release(&dir);
    if (status)
        buf_printf(why, "Unable to turn on AOF: %s", strerror(-status));
    else
        rewriting_begin(s);
    return !status;
}

bool logging_configure(struct server *s, const struct conf *to, struct buf *why)
{
    if (s->loading)
        return true; /* it is looked at when the log begins */
    configure_journal(s, to);
    if (!to->appendonly && logging_is_on(s))
        turn_off(s);
    else if (to->appendonly && !logging_is_on(s) && !turn_on(s, to, why))
        return false;
    set_gates(s, to);
    return true;
}

/* It may be found broken again at the same moment, by the log's thread. */
static bool note_whole(struct server *s)
{
    bool whole;

    server_set_gate(s, GATE_LOG_BROKEN, false);
    whole = journal_state(s->journal) == JOURNAL_WRITING;
    if (!whole)
        server_set_gate(s, GATE_LOG_BROKEN, true);
    return whole;
}

bool logging_rebased(struct server *s, bool ok)
{
    bool whole = false;

    if (s->log_ending) {
        s->log_ending = false;
        journal_stop(s->journal);
        server_set_gate(s, GATE_LOG_BROKEN, false);
        durability_reached(s);
    } else if (ok) {
        whole = note_whole(s);
    }
    set_gates(s, s->conf);
    return whole;
}
