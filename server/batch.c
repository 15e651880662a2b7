/* Working off requests, see batch.h. */
#include "server/batch.h"

#include "base/mem.h"
#include "resp/writer.h"
#include "server/dispatch.h"
#include "server/worker.h"

enum { OUTPUT_FLUSH_FROM = 256 * 1024 };

/* What lies before us: a run of bytes, how far it is worked off, and the request begun at its end. */
struct run {
    struct conn *c;
    char *data;
    size_t len, pos;
    struct request request;
    enum request_state state;
    int n; /* requests in the worker's batch */
};

struct incoming *batch_incoming(struct conn *c)
{
    if (!c->in)
        c->in = mem_zalloc(sizeof(*c->in));
    return c->in;
}

static void free_blobs(struct incoming *in)
{
    for (size_t i = 0; i < in->blobs_len; i++)
        blob_free(in->blobs[i]);
    mem_free(in->blobs);
    in->blobs = NULL;
    in->blobs_len = 0;
}

void batch_release_incoming(struct conn *c)
{
    struct incoming *in = c->in;

    if (!in)
        return;
    free_blobs(in);
    blob_free(in->filling);
    buf_release(&in->buf);
    args_release(&in->args);
    mem_free(in);
    c->in = NULL;
}

struct blob *batch_take_blob(struct conn *c, struct slice arg)
{
    struct incoming *in = c->in;

    for (size_t i = 0; in && i < in->blobs_len; i++) {
        struct blob *b = in->blobs[i];

        if (b->data == arg.ptr && b->len == arg.len) {
            in->blobs[i] = in->blobs[--in->blobs_len];
            return b;
        }
    }
    return NULL;
}

/* ---- a batch ------------------------------------------------------------------------------- */

static void parse_batch(struct run *run)
{
    struct worker *w = run->c->worker;
    bool unauthenticated = run->c->gates & CONN_GATE_AUTH;
    struct request_limits limits = {
        .bulk_max = (int64_t)w->server->conf->proto_max_bulk_len,
        .unauthenticated = unauthenticated,
    };
    /* AUTH changes the limits of what follows it. */
    int max = unauthenticated ? 1 : BATCH_MAX;

    run->n = 0;
    while (run->n < max) {
        run->state = request_parse(&run->request, run->data + run->pos, run->len - run->pos,
                                   &w->args, &limits);
        if (run->state != REQUEST_DONE)
            return;
        run->pos += run->request.pos;
        if (w->args.len > run->request.first) {
            struct parsed *p = &w->batch[run->n++];

            p->first = run->request.first;
            p->argc = (int)(w->args.len - run->request.first);
            p->end = run->pos;
        }
        run->request.pos = 0;
        run->request.multibulk = false;
        run->request.first = w->args.len;
    }
}

/* The command of each request, mostly the same as that of the one before. */
static void look_up_commands(struct worker *w, int n)
{
    struct slice last = {0};
    const struct command *cmd = NULL;

    for (int i = 0; i < n; i++) {
        struct parsed *p = &w->batch[i];
        const struct slice *argv = &w->args.v[p->first];

        if (!last.ptr || !slice_eq(last, argv[0]) || (cmd && cmd->container)) {
            cmd = dispatch_find_command(w->server, argv, p->argc);
            last = argv[0];
        }
        p->cmd = cmd;
        if (cmd && cmd->first_key && cmd->first_key < p->argc)
            p->hash = hash_bytes(argv[cmd->first_key]);
    }
}

/* Has what the requests need on its way into the cache, in two steps: the buckets, then the entries. */
static void look_ahead(struct worker *w, int n, int db)
{
    struct keyspace *ks = &w->server->keyspace;

    for (int step = 0; step < 2; step++) {
        for (int i = 0; i < n; i++) {
            const struct parsed *p = &w->batch[i];
            const struct space *space;

            if (!p->cmd || !p->cmd->first_key)
                continue;
            space = keyspace_space(ks, db, shard_of(p->hash));
            if (step == 0)
                table_hint_bucket(&space->table, p->hash);
            else
                table_hint_item(&space->table, p->hash);
        }
    }
}

/* What lies behind the requests done must wait: parsing starts there anew when it goes on. */
static void stop_behind(struct run *run, int done)
{
    struct worker *w = run->c->worker;

    run->pos = w->batch[done].end;
    run->request = (struct request){0};
    run->state = REQUEST_MORE;
    w->args.len = 0;
}

/* The request itself must wait: it is kept as it was parsed. */
static void stop_at(struct run *run, int at, size_t start)
{
    struct worker *w = run->c->worker;
    const struct parsed *p = &w->batch[at];

    batch_incoming(run->c)->complete = true;
    run->pos = start;
    run->request = (struct request){.pos = p->end - start};
    run->state = REQUEST_MORE;
    memmove(w->args.v, w->args.v + p->first, (size_t)p->argc * sizeof(*w->args.v));
    w->args.len = (size_t)p->argc;
}

/* False when the connection waits or ends, and the rest of the run is not to be worked off. */
static bool execute(struct run *run, size_t start)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;

    for (int i = 0; i < run->n; i++) {
        bool done = dispatch(w, c, &w->batch[i]);

        if (!done) {
            stop_at(run, i, start);
            return false;
        }
        start = w->batch[i].end;
        if (UNLIKELY(c->in && c->in->blobs_len))
            free_blobs(c->in);
        if (UNLIKELY(c->flags & (CONN_DOOMED | CONN_CLOSE_AFTER_REPLY | CONN_BLOCKED))) {
            stop_behind(run, i);
            return false;
        }
    }
    return true;
}

/* Arguments of requests that are done are dropped; those of the one begun move to the front. */
static void drop_done_args(struct run *run)
{
    struct args *args = &run->c->worker->args;
    size_t first = run->request.first;

    args->len -= first;
    if (first && args->len)
        memmove(args->v, args->v + first, args->len * sizeof(*args->v));
    run->request.first = 0;
}

static void work_off(struct run *run)
{
    struct conn *c = run->c;
    struct worker *w = c->worker;
    size_t start;

    do {
        start = run->pos;
        if (UNLIKELY(c->in && c->in->complete)) {
            w->batch[0] = (struct parsed){.argc = (int)w->args.len, .end = run->request.pos};
            run->n = 1;
            run->pos = run->request.pos;
            run->request = (struct request){.first = w->args.len};
            run->state = REQUEST_DONE;
            c->in->complete = false;
        } else {
            parse_batch(run);
        }
        look_up_commands(w, run->n);
        if (run->n > 1)
            look_ahead(w, run->n, c->db);
        if (!execute(run, start))
            return;
        drop_done_args(run);
        if (UNLIKELY(w->out.len > OUTPUT_FLUSH_FROM))
            conn_send_replies(c);
    } while (run->state == REQUEST_DONE && !(c->flags & CONN_DOOMED));
}

/* ---- what is left -------------------------------------------------------------------------- */

static void refuse(struct run *run)
{
    struct conn *c = run->c;
    struct writer out = {.buf = &c->worker->out, .resp3 = c->resp3};

    write_error(&out, "ERR %s", run->request.error);
    server_count_error(c->worker->server, SLICE("ERR"));
    c->worker->stats.error_replies++;
    c->flags |= CONN_CLOSE_AFTER_REPLY;
}

/* The bytes not worked off go to the front of the connection's own buffer, the arguments with them. */
static void keep_rest(struct run *run)
{
    struct worker *w = run->c->worker;
    struct incoming *in = batch_incoming(run->c);
    size_t rest = run->len - run->pos;
    const char *was = run->data + run->pos;

    if (run->data == in->buf.ptr)
        buf_consume(&in->buf, run->pos);
    else
        buf_append(&in->buf, was, rest);
    request_moved(&w->args, 0, was, rest, in->buf.ptr);
    in->parser = run->request;
    in->args = w->args;
    w->args = (struct args){0};
}

/* The next argument is long: what is there of it moves to an allocation that will hold it all. */
static void begin_long(struct conn *c)
{
    struct incoming *in = c->in;
    size_t have = in->buf.len - in->parser.pos;
    struct blob *b = blob_new((size_t)in->parser.bulk_len, (size_t)in->parser.bulk_len);

    if (have > b->len) { /* the CRLF has begun */
        in->skip = 2 - (unsigned)(have - b->len);
        have = b->len;
    } else {
        in->skip = 2;
    }
    memcpy(b->data, in->buf.ptr + in->parser.pos, have);
    in->buf.len = in->parser.pos;
    in->filling = b;
    in->filled = have;
    if (have == b->len)
        conn_long_filled(c);
}

static void finish(struct run *run)
{
    struct conn *c = run->c;

    if (run->state == REQUEST_ERROR)
        refuse(run);
    if (c->flags & (CONN_DOOMED | CONN_CLOSE_AFTER_REPLY)) {
        c->worker->args.len = 0;
        batch_release_incoming(c);
        return;
    }
    if (run->pos == run->len && !(c->flags & (CONN_PARKED | CONN_BLOCKED))) {
        c->worker->args.len = 0;
        batch_release_incoming(c);
        return;
    }
    if (run->pos == run->len && !c->in)
        return;
    keep_rest(run);
    if (run->state == REQUEST_LONG)
        begin_long(c);
}

void batch_run(struct conn *c, char *data, size_t len)
{
    struct run run = {.c = c, .data = data, .len = len};

    work_off(&run);
    finish(&run);
}

void batch_run_incoming(struct conn *c)
{
    struct incoming *in = c->in;
    struct run run = {.c = c, .data = in->buf.ptr, .len = in->buf.len, .request = in->parser};

    mem_free(c->worker->args.v);
    c->worker->args = in->args;
    in->args = (struct args){0};
    work_off(&run);
    finish(&run);
}
