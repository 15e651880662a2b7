/* Doing once more what the log says, see log_apply.h. */
#include "server/log_apply.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/batch.h"
#include "server/dispatch.h"
#include "server/handlers.h"
#include "server/log_lines.h"
#include "server/outlet.h"
#include "server/pubsub.h"
#include "storage/log/log_items.h"
#include "storage/log/records.h"

#include <unistd.h>

enum {
    ITEMS_MAX = 2 * BATCH_MAX, /* requests and notes of a batch */
    LINES_A_FILE = 10,         /* of what was refused, that are shown */
    ROUNDS_A_LOOK = 1024,      /* between two looks at memory that can be freed */
    CONGESTED_FOR_US = 500     /* between two looks at subscribers that are to catch up */
};

/* A request of the worker's batch, or a line with a note. */
struct item {
    size_t at; /* where it begins */
    const struct parsed *request;
    struct slice note;
};

struct log_applier {
    struct loading_job *job;
    struct worker *worker; /* a stand-in, without a loop and connections; as is this one: */
    struct conn conn;
    struct buf reply;
    struct log_notes notes;

    struct item items[ITEMS_MAX];
    int items_len;
    bool in_group; /* between MULTI and EXEC */
    uint64_t records, refused;
    unsigned rounds;
    int64_t delay_us; /* as it was in this round */

    /* The file in hand. */
    const char *name;
    int shown;
};

struct log_applier *log_applier_new(struct loading_job *job)
{
    struct log_applier *a = mem_zalloc(sizeof(*a));

    a->job = job;
    a->worker = loading_worker(job);
    a->conn = (struct conn){.worker = a->worker, .fd = -1};
    return a;
}

void log_applier_free(struct log_applier *a)
{
    if (!a)
        return;
    buf_release(&a->reply);
    log_notes_release(&a->notes);
    mem_free(a);
}

void log_applier_begin(struct log_applier *a, const char *name)
{
    a->name = name;
    a->shown = 0;
    a->in_group = false;
    a->conn.db = 0;
    versions_load_unknown(&a->worker->server->keyspace);
}

void log_applier_select(struct log_applier *a, int db)
{
    a->conn.db = db;
}

int log_applier_db(const struct log_applier *a)
{
    return a->conn.db;
}

uint64_t log_applier_records(const struct log_applier *a)
{
    return a->records;
}

uint64_t log_applier_refused(const struct log_applier *a)
{
    return a->refused;
}

/* ---- a request ------------------------------------------------------------------------------ */

static void show_refused(struct log_applier *a, size_t at, struct slice name)
{
    size_t len = a->reply.len > 3 ? a->reply.len - 3 : 0;

    a->refused++;
    if (a->shown++ < LINES_A_FILE)
        log_warning("%s, offset %zu: %.*s was refused: %.*s", a->name, at, (int)name.len, name.ptr,
                    (int)len, a->reply.ptr + 1);
}

/* Times counted from now on are in no log that is written here, or by a Redis of these days. */
static bool counts_from_now(const struct slice *argv, int argc)
{
    static const char *const names[] = {"expire", "pexpire", "setex", "psetex", "expireat"};

    if (slice_is(argv[0], "set")) {
        for (int i = 3; i + 1 < argc; i++) {
            if (slice_is(argv[i], "ex") || slice_is(argv[i], "px"))
                return true;
        }
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (slice_is(argv[0], names[i]))
            return true;
    }
    return false;
}

static bool refuse_unknown(const struct log_applier *a, size_t at, const struct slice *argv,
                           int argc)
{
    log_warning("%s, offset %zu: there is no command '%.*s' with %d arguments", a->name, at,
                (int)argv[0].len, argv[0].ptr, argc - 1);
    return false;
}

static void run(struct log_applier *a, size_t at, const struct slice *argv, const struct parsed *p)
{
    struct server *s = a->worker->server;
    struct call c = {
        .worker = a->worker,
        .server = s,
        .conn = &a->conn,
        .conf = s->conf,
        .cmd = p->cmd,
        .argv = argv,
        .argc = p->argc,
        .db = a->conn.db,
        .out = {.buf = &a->reply},
        .first_hash = p->hash,
        .parsed = p,
        .at_once = true,
    };

    if (UNLIKELY(counts_from_now(argv, c.argc)))
        c.now_ms = a->worker->now_ms;
    a->reply.len = 0;
    dispatch_again(&c);
    a->records++;
    if (UNLIKELY(a->reply.len && a->reply.ptr[0] == '-'))
        show_refused(a, at, argv[0]);
}

/* Some that read may change what a key remembers of it: PFCOUNT. */
static inline bool may_change(int flags)
{
    return flags & CMD_WRITE || (flags & CMD_READONLY && flags & CMD_MAY_REPLICATE);
}

/* Nobody asks here for an answer, or for what a log has no business to: to save, to end. */
static void leave_out(struct log_applier *a, size_t at, struct slice name)
{
    a->refused++;
    if (a->shown++ < LINES_A_FILE)
        log_warning("%s, offset %zu: %.*s changes no data, and is left out", a->name, at,
                    (int)name.len, name.ptr);
}

/* What belongs to no group, or is around one. True if it is nothing more. */
static bool is_bracket(struct log_applier *a, const struct command *cmd, struct slice name)
{
    struct keyspace *ks = &a->worker->server->keyspace;

    if (cmd->run == cmd_multi) {
        versions_load_group(ks);
        a->in_group = true;
    } else if (cmd->run == cmd_exec) {
        a->in_group = false;
        versions_load_group_end(ks);
    } else {
        /* What selects in capitals is of a Redis, which knows of no versions. */
        if (name.ptr[0] == 'S')
            versions_load_unknown(ks);
        return false;
    }
    return true;
}

static bool stands_alone(const struct command *cmd)
{
    return cmd->run == cmd_select || cmd->run == cmd_multi || cmd->run == cmd_exec;
}

/* False if there is no such command: this is no log of Redis. A group has versions as one. */
static bool apply(struct log_applier *a, size_t at, const struct slice *argv,
                  const struct parsed *p)
{
    struct keyspace *ks = &a->worker->server->keyspace;
    const struct command *cmd = p->cmd;
    bool alone;

    if (UNLIKELY(!cmd || !cmd->run || !command_arity_fits(cmd, (size_t)p->argc)))
        return refuse_unknown(a, at, argv, p->argc);
    if (UNLIKELY(stands_alone(cmd))) {
        if (!is_bracket(a, cmd, argv[0]))
            run(a, at, argv, p);
        return true;
    }
    alone = !a->in_group;
    if (alone)
        versions_load_group(ks);
    if (LIKELY(may_change(command_flags(cmd, argv, p->argc))))
        run(a, at, argv, p);
    else
        leave_out(a, at, argv[0]);
    if (alone)
        versions_load_group_end(ks);
    return true;
}

/* ---- a note --------------------------------------------------------------------------------- */

static bool apply_command(struct log_applier *a, size_t at, const struct slice *argv, int argc)
{
    struct parsed p = {.argc = argc};

    p.cmd = command_of_request(a->worker->server->commands, argv, argc);
    if (p.cmd && p.cmd->first_key && p.cmd->first_key < argc)
        p.hash = hash_bytes(argv[p.cmd->first_key]);
    return apply(a, at, argv, &p);
}

static bool apply_note(struct log_applier *a, size_t at)
{
    const struct log_notes *n = &a->notes;
    bool change = n->argc > 1 && slice_is(n->argv[0], "cmd");

    if (change && apply_command(a, at, n->argv + 1, n->argc - 1))
        return true;
    if (!change && log_line_needs_world(n->argv[0]) && !world_is_mine())
        world_stop(); /* until the end of the batch */
    if (!change && log_line_apply(a->worker->server, n->argv, n->argc))
        return true;
    log_warning("%s, offset %zu: this line makes no sense", a->name, at);
    return false;
}

static bool apply_line(struct log_applier *a, size_t at, struct slice line)
{
    switch (log_notes_add(&a->notes, line)) {
    case LOG_NOTE_WHOLE:
        return apply_note(a, at);
    case LOG_NOTE_WRONG:
        log_warning("%s, offset %zu: this is no line of a log", a->name, at);
        return false;
    default:
        return true;
    }
}

/* Not a comment, and not a seal, which has done its work. */
static bool is_note(struct slice line)
{
    static const char head[] = "#LK:", seal[] = "#LK:sum ";

    return line.len >= sizeof(head) && memcmp(line.ptr, head, sizeof(head) - 1) == 0 &&
           !(line.len >= sizeof(seal) && memcmp(line.ptr, seal, sizeof(seal) - 1) == 0);
}

/* ---- batches -------------------------------------------------------------------------------- */

static const struct parsed *add_request(struct worker *w, const struct log_cursor *c)
{
    struct parsed *p = &w->batch[w->batch_len++];

    p->first = w->args.len;
    p->argc = c->argc;
    for (int i = 0; i < c->argc; i++)
        args_push(&w->args, c->argv[i]);
    return p;
}

/* As much as a batch takes of what follows. False at the end. */
static bool gather(struct log_applier *a, struct log_cursor *c, int max)
{
    struct worker *w = a->worker;

    a->items_len = w->batch_len = 0;
    w->args.len = 0;
    while (w->batch_len < max && a->items_len < ITEMS_MAX) {
        enum log_item what = log_next(c);
        struct item *item = &a->items[a->items_len];

        if (what == LOG_REQUEST)
            *item = (struct item){.at = c->start, .request = add_request(w, c)};
        else if (what != LOG_LINE)
            return false;
        else if (is_note(c->line))
            *item = (struct item){.at = c->start, .note = c->line};
        else
            continue;
        a->items_len++;
    }
    return true;
}

static bool apply_item(struct log_applier *a, const struct item *item)
{
    if (UNLIKELY(!item->request))
        return apply_line(a, item->at, item->note);
    return apply(a, item->at, &a->worker->args.v[item->request->first], item->request);
}

/* False at the end, too. */
static bool apply_batch(struct log_applier *a, struct log_cursor *c, bool *ok)
{
    bool more;

    a->delay_us = loading_delay_us(a->job);
    more = gather(a, c, UNLIKELY(a->delay_us) ? 1 : BATCH_MAX);
    batch_prepare(a->worker, &a->conn);
    for (int i = 0; *ok && i < a->items_len; i++)
        *ok = apply_item(a, &a->items[i]);
    if (UNLIKELY(world_is_mine()))
        world_resume();
    return *ok && more;
}

/* With nothing locked, and outside of the world. */
static void between_rounds(struct log_applier *a, size_t pos)
{
    struct worker *w = a->worker;

    loading_passed(a->job, pos, a->records);
    if (UNLIKELY(a->delay_us))
        loading_delay(a->job, a->delay_us, w->batch_len);
    while (UNLIKELY(pubsub_congested(w) || outlets_congested(w)) && !loading_is_cancelled(a->job))
        usleep(CONGESTED_FOR_US);
}

bool log_apply(struct log_applier *a, struct slice bytes, size_t from, size_t to)
{
    struct log_cursor c = {.bytes = slice_make(bytes.ptr, to), .pos = from};
    bool more = true, ok = true;

    while (more && !loading_is_cancelled(a->job)) {
        worker_round_begin(a->worker);
        more = apply_batch(a, &c, &ok);
        if (a->rounds++ % ROUNDS_A_LOOK == 0) {
            mem_flush();
            world_reclaim();
        }
        worker_round_end(a->worker);
        between_rounds(a, c.pos);
    }
    log_cursor_release(&c);
    return ok && !more;
}
