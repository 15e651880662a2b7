/* Working off requests, see batch.h. */
#include "server/batch.h"

#include "base/mem.h"
#include "resp/writer.h"
#include "server/auth.h"
#include "server/backend/fetching.h"
#include "server/client_limit.h"
#include "server/dispatch.h"
#include "server/gates.h"
#include "server/guarding.h"
#include "server/incoming.h"
#include "server/tracking.h"
#include "server/worker.h"

enum {
    OUTPUT_FLUSH_FROM = 256 * 1024,
    /* What is to be looked at behind a request. */
    /* What holds for one request alone. */
    ONCE = CONN_PASSES | CONN_FETCHED,
    STOPS = CONN_DOOMED | CONN_CLOSE_AFTER_REPLY | CONN_WAITS | ONCE,
};

/*
 * The bytes of one connection, how far they are worked off, and the request begun at their end. Its
 * parsed requests stand in the worker's batch, beside those of other runs.
 */
struct run {
    struct conn *c;
    char *data;
    size_t len, pos;
    size_t start; /* where the first request of the batch begins */
    struct request request;
    enum request_state state;
    int first, n;               /* its requests in the worker's batch */
    size_t args_from, args_len; /* arguments of the request begun, in the worker's args */
};

char *batch_read_space(struct worker *w, size_t *len)
{
    if (w->gathered_len == GATHER_MAX || READ_BUFFER - w->read_used < BATCH_READ_MIN)
        return NULL;
    *len = READ_BUFFER - w->read_used;
    if (*len > BATCH_READ_MAX)
        *len = BATCH_READ_MAX;
    return w->read_buffer + w->read_used;
}

void batch_gather(struct conn *c, size_t n)
{
    struct worker *w = c->worker;

    if (w->gathered_len == 0)
        event_active(&w->gather_event, EV_TIMEOUT, 0);
    if (c->span != w->coalescing.span) {
        c->span = w->coalescing.span;
        w->coalescing.connections++;
    }
    w->gathered[w->gathered_len++] = (struct gathered){c, w->read_buffer + w->read_used, n};
    w->read_used += n;
}

/* ---- preparing a batch ---------------------------------------------------------------------- */

/* Adds the run's next requests to the worker's batch, as long as there is room. */
static void parse_batch(struct run *run)
{
    struct worker *w = run->c->worker;
    bool unauthenticated = run->c->gates & CONN_GATE_AUTH && auth_required(w->server->conf);
    struct request_limits limits = {
        .bulk_max = (int64_t)w->server->conf->proto_max_bulk_len,
        .unauthenticated = unauthenticated,
    };
    /* AUTH changes the limits of what follows it. */
    int max = unauthenticated ? 1 : BATCH_MAX;

    run->first = w->batch_len;
    run->start = run->pos;
    run->state = REQUEST_DONE;
    while (w->batch_len < BATCH_MAX && w->batch_len - run->first < max) {
        run->state = request_parse(&run->request, run->data + run->pos, run->len - run->pos,
                                   &w->args, &limits);
        if (run->state != REQUEST_DONE)
            break;
        run->pos += run->request.pos;
        if (w->args.len > run->request.first) {
            struct parsed *p = &w->batch[w->batch_len++];

            p->first = run->request.first;
            p->argc = (int)(w->args.len - run->request.first);
            p->end = run->pos;
        }
        run->request.pos = 0;
        run->request.multibulk = false;
        run->request.first = w->args.len;
    }
    run->n = w->batch_len - run->first;
    run->args_from = run->request.first;
    run->args_len = w->args.len - run->request.first;
}

/*
 * Requests in a row that do the same to members of one key, as a client that fills a collection
 * sends them: the first is told how many follow.
 */
static void count_alike(struct worker *w)
{
    struct parsed *first = NULL;

    for (int i = 0; i < w->batch_len; i++) {
        struct parsed *p = &w->batch[i];

        p->like = 0;
        if (first && p->cmd == first->cmd && p->hash == first->hash)
            first->like++;
        else
            first = p->cmd && p->cmd->member ? p : NULL;
    }
}

/* The command of each request, mostly the same as that of the one before. */
static void look_up_commands(struct worker *w)
{
    struct slice last = {0};
    const struct command *cmd = NULL;

    for (int i = 0; i < w->batch_len; i++) {
        struct parsed *p = &w->batch[i];
        const struct slice *argv = &w->args.v[p->first];

        if (!last.ptr || !slice_eq(last, argv[0]) ||
            (cmd && (cmd->container || cmd->subcommands))) {
            cmd = command_of_request(w->server->commands, argv, p->argc);
            last = argv[0];
        }
        p->cmd = cmd;
        if (cmd && cmd->first_key && cmd->first_key < p->argc)
            p->hash = hash_bytes(argv[cmd->first_key]);
    }
}

/* Has what a run's requests need on its way into the cache: first the buckets, then the entries. */
static void look_ahead(const struct run *run, void (*hint)(const struct table *t, uint64_t hash))
{
    const struct worker *w = run->c->worker;

    for (int i = run->first; i < run->first + run->n; i++) {
        const struct parsed *p = &w->batch[i];

        if (p->cmd && p->cmd->first_key)
            hint(&keyspace_space(&w->server->keyspace, run->c->db, shard_of(p->hash))->table,
                 p->hash);
    }
}

static void prepare(struct worker *w, const struct run *runs, int n)
{
    look_up_commands(w);
    count_alike(w);
    if (w->batch_len < 2)
        return;
    for (int i = 0; i < n; i++)
        look_ahead(&runs[i], table_hint_bucket);
    for (int i = 0; i < n; i++)
        look_ahead(&runs[i], table_hint_item);
}

void batch_prepare(struct worker *w, struct conn *c)
{
    struct run run = {.c = c, .n = w->batch_len};

    prepare(w, &run, 1);
}

/* ---- executing ------------------------------------------------------------------------------- */

/* What lies behind the requests done must wait: parsing starts there anew when it goes on. */
static void stop_behind(struct run *run, int done)
{
    run->pos = run->c->worker->batch[done].end;
    run->request = (struct request){0};
    run->state = REQUEST_MORE;
    run->args_len = 0;
}

/* The request itself must wait: it is kept as it was parsed. */
static void stop_at(struct run *run, int at, size_t start)
{
    const struct parsed *p = &run->c->worker->batch[at];

    incoming_of(run->c)->complete = true;
    run->pos = start;
    run->request = (struct request){.pos = p->end - start};
    run->state = REQUEST_MORE;
    run->args_from = p->first;
    run->args_len = (size_t)p->argc;
}

static void request_over(struct conn *c)
{
    if (c->flags & CONN_PASSES)
        guarding_over(c);
    if (c->flags & CONN_FETCHED)
        fetching_over(c);
}

/* False when the connection waits or ends, and the rest of the run is not to be worked off. */
static bool execute(struct run *run)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;
    size_t start = run->start;

    for (int i = run->first; i < run->first + run->n; i++) {
        if (!dispatch(w, c, &w->batch[i])) {
            request_over(c);
            stop_at(run, i, start);
            return false;
        }
        start = w->batch[i].end;
        if (UNLIKELY(c->in && c->in->blobs_len))
            incoming_free_blobs(c->in);
        if (LIKELY(!(c->flags & STOPS)))
            continue;
        request_over(c);
        if (c->flags & (STOPS & ~ONCE)) {
            stop_behind(run, i);
            return false;
        }
    }
    return true;
}

static void refuse(struct run *run)
{
    struct conn *c = run->c;
    struct writer out = {.buf = &c->worker->out, .resp3 = c->resp3};

    if (!(c->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP)))
        write_error(&out, "ERR %s", run->request.error);
    server_count_error(c->worker->server, SLICE("ERR"));
    c->worker->stats.error_replies++;
    c->flags |= CONN_CLOSE_AFTER_REPLY;
}

/* Keeps what is left of a run that cannot go on. */
static void finish(struct run *run)
{
    struct conn *c = run->c;
    bool waits;

    if (run->state == REQUEST_ERROR)
        refuse(run);
    if (UNLIKELY((c->flags & (CONN_HELD | CONN_DOOMED | CONN_CLOSE_AFTER_REPLY)) == CONN_HELD))
        worker_hold(c->worker, c);
    waits = c->flags & CONN_WAITS;
    if (c->flags & (CONN_DOOMED | CONN_CLOSE_AFTER_REPLY) || (run->pos == run->len && !waits)) {
        incoming_release(c);
        return;
    }
    if (run->pos == run->len && !c->in)
        return;
    incoming_keep(c, run->data + run->pos, run->len - run->pos, &run->request, &c->worker->args,
                  run->args_from, run->args_len);
    if (run->state == REQUEST_LONG)
        incoming_begin_long(c->in);
}

/* Arguments of requests that are done are dropped; those of the one begun move to the front. */
static void start_batch(struct worker *w, struct run *run)
{
    struct args *args = &w->args;

    w->batch_len = 0;
    args->len = run->args_len;
    if (run->args_from && args->len)
        memmove(args->v, args->v + run->args_from, args->len * sizeof(*args->v));
    run->request.first = run->args_from = 0;
}

/* Executes a run's part of the batch; the last of the runs may go on with batches of its own. */
static void work_off(struct run *run)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;

    w->current = c;
    while (execute(run) && run->state == REQUEST_DONE) {
        if (UNLIKELY(w->out.len > OUTPUT_FLUSH_FROM))
            conn_send_replies(c);
        if (c->flags & CONN_DOOMED)
            break;
        start_batch(w, run);
        parse_batch(run);
        prepare(w, run, 1);
    }
    tracking_before_replies(w, c); /* which may have the connection wait */
    finish(run);
    conn_send_replies(c);
    client_limit_note(c);
    w->current = NULL;
}

void batch_finish(struct worker *w)
{
    struct run runs[GATHER_MAX];
    int next = 0, n;

    while (next < w->gathered_len) {
        w->batch_len = 0;
        w->args.len = 0;
        for (n = 0; next < w->gathered_len && w->batch_len < BATCH_MAX; n++) {
            const struct gathered *g = &w->gathered[next++];

            conn_received(g->c, g->len);
            runs[n] = (struct run){.c = g->c, .data = g->data, .len = g->len};
            runs[n].request.first = w->args.len;
            parse_batch(&runs[n]);
            if (runs[n].state == REQUEST_DONE && ++n)
                break;
        }
        prepare(w, runs, n);
        for (int i = 0; i < n; i++) {
            if (!(runs[i].c->flags & CONN_DOOMED) && !runs[i].c->killed)
                work_off(&runs[i]);
        }
    }
    w->gathered_len = 0;
    w->read_used = 0;
}

/* A request that was parsed before it had to wait is the first of the batch, and alone in it. */
static void take_complete(struct run *run)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;

    w->batch[0] = (struct parsed){.argc = (int)w->args.len, .end = run->request.pos};
    w->batch_len = run->n = 1;
    run->pos = run->request.pos;
    run->request = (struct request){.first = w->args.len};
    run->args_from = w->args.len;
    run->state = REQUEST_DONE;
    c->in->complete = false;
}

/* The same if it was answered while it waited. */
static void skip_answered(struct run *run)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;

    w->args.len = 0;
    run->pos = run->request.pos;
    run->request = (struct request){0};
    c->in->complete = c->in->answered = false;
    if (c->gates & CONN_GATE_REPLY)
        gates_after_reply(
            &(struct call){.conn = c, .out = {.buf = &w->out}, .reply_start = w->out.len});
    incoming_free_blobs(c->in);
    parse_batch(run);
}

void batch_run_incoming(struct conn *c)
{
    struct worker *w = c->worker;
    struct incoming *in = c->in;
    struct run run = {.c = c, .data = in->buf.ptr, .len = in->buf.len, .request = in->parser};

    args_release(&w->args);
    w->args = in->args;
    in->args = (struct args){0};
    w->batch_len = 0;
    if (in->answered)
        skip_answered(&run);
    else if (in->complete)
        take_complete(&run);
    else
        parse_batch(&run);
    prepare(w, &run, 1);
    work_off(&run);
}
