/* A batch as one transaction, see sql_batch.h. */
#include "storage/backend/sql_batch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "storage/backend/backend_inner.h"

/* What was refused; told when it is committed. */
struct refusal {
    struct slice key; /* the batch's */
    char *why;
};

struct run {
    struct backend *b;
    const struct sql_batch_steps *steps;
    const struct backend_batch *batch;
    struct refusal *refusals;
    size_t refusals_len, refusals_cap;
};

/* Puts or removals. */
struct change {
    enum backend_status (*run)(struct run *r, size_t from, size_t n);
    size_t (*bytes)(const struct run *r, size_t i);
    struct backend_row (*row)(const struct run *r, size_t i); /* for the rejects */
};

static enum backend_status set_aside(struct run *r, const struct backend_row *row)
{
    struct refusal f = {row->key, mem_strdup(r->b->error.text)};

    if (r->refusals_len == r->refusals_cap) {
        r->refusals_cap = r->refusals_cap ? r->refusals_cap * 2 : 8;
        r->refusals = mem_realloc(r->refusals, r->refusals_cap * sizeof(*r->refusals));
    }
    r->refusals[r->refusals_len++] = f;
    return r->steps->reject(r->b, row, f.why);
}

static enum backend_status put_rows(struct run *r, size_t from, size_t n)
{
    return r->steps->put(r->b, r->batch->puts + from, n);
}

static size_t put_bytes(const struct run *r, size_t i)
{
    const struct backend_row *row = &r->batch->puts[i];

    return row->key.len + row->value.len + row->more.len;
}

static struct backend_row put_row(const struct run *r, size_t i)
{
    return r->batch->puts[i];
}

static enum backend_status remove_rows(struct run *r, size_t from, size_t n)
{
    return r->steps->remove(r->b, r->batch->deletes + from, n);
}

static size_t remove_bytes(const struct run *r, size_t i)
{
    return r->batch->deletes[i].len;
}

static struct backend_row remove_row(const struct run *r, size_t i)
{
    return (struct backend_row){.key = r->batch->deletes[i], .expiry = BACKEND_NO_EXPIRY};
}

static const struct change putting = {put_rows, put_bytes, put_row};
static const struct change removing = {remove_rows, remove_bytes, remove_row};

/* Those of a range that are good, by halving it where it is refused. */
static enum backend_status good_ones(struct run *r, const struct change *c, size_t from, size_t n)
{
    const struct sql_batch_steps *steps = r->steps;
    enum backend_status status = steps->mark ? steps->mark(r->b) : BACKEND_OK;

    if (status != BACKEND_OK)
        return status;
    r->b->refused = false;
    status = c->run(r, from, n);
    if (status == BACKEND_OK || !r->b->refused)
        return status;
    if (steps->back) {
        struct backend_error why = r->b->error;

        status = steps->back(r->b);
        if (status != BACKEND_OK)
            return status;
        r->b->error = why;
    }
    r->b->refused = false;
    if (n == 1) {
        struct backend_row row = c->row(r, from);

        return set_aside(r, &row);
    }
    status = good_ones(r, c, from, n / 2);
    return status == BACKEND_OK ? good_ones(r, c, from + n / 2, n - n / 2) : status;
}

static enum backend_status in_chunks(struct run *r, const struct change *c, size_t len)
{
    enum backend_status status = BACKEND_OK;

    for (size_t from = 0, n; from < len && status == BACKEND_OK; from += n) {
        size_t bytes = c->bytes(r, from);

        for (n = 1; n < r->steps->chunk_rows && from + n < len; n++) {
            bytes += c->bytes(r, from + n);
            if (bytes > r->steps->chunk_bytes)
                break;
        }
        status = good_ones(r, c, from, n);
    }
    return status;
}

static enum backend_status run_all(struct run *r)
{
    enum backend_status status = r->steps->begin(r->b);

    if (status == BACKEND_OK && r->batch->clear)
        status = r->steps->clear(r->b);
    if (status == BACKEND_OK)
        status = in_chunks(r, &removing, r->batch->deletes_len);
    if (status == BACKEND_OK)
        status = in_chunks(r, &putting, r->batch->puts_len);
    for (size_t i = 0; status == BACKEND_OK && i < r->batch->notes_len; i++)
        status = r->steps->note(r->b, &r->batch->notes[i]);
    return status == BACKEND_OK ? r->steps->commit(r->b) : status;
}

enum backend_status sql_batch_apply(struct backend *b, const struct sql_batch_steps *steps,
                                    const struct backend_batch *batch, backend_reject_fn *rejected,
                                    void *arg)
{
    struct run r = {.b = b, .steps = steps, .batch = batch};
    enum backend_status status = run_all(&r);

    if (status != BACKEND_OK)
        steps->rollback(b);
    for (size_t i = 0; i < r.refusals_len; i++) {
        if (status == BACKEND_OK && rejected)
            rejected(arg, r.refusals[i].key, r.refusals[i].why);
        mem_free(r.refusals[i].why);
    }
    mem_free(r.refusals);
    return status;
}
