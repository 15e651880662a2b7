/* Input that waits, see incoming.h. */
#include "server/incoming.h"

#include "base/mem.h"

enum { SWAP_ARGS_FROM = 256 };

struct incoming *incoming_of(struct conn *c)
{
    if (!c->in)
        c->in = mem_zalloc(sizeof(*c->in));
    return c->in;
}

void incoming_free_blobs(struct incoming *in)
{
    for (size_t i = 0; i < in->blobs_len; i++)
        blob_free(in->blobs[i]);
    mem_free(in->blobs);
    in->blobs = NULL;
    in->blobs_len = 0;
}

void incoming_release(struct conn *c)
{
    struct incoming *in = c->in;

    if (!in)
        return;
    incoming_free_blobs(in);
    blob_free(in->filling);
    buf_release(&in->buf);
    args_release(&in->args);
    mem_free(in);
    c->in = NULL;
}

struct blob *incoming_take_blob(struct conn *c, struct slice arg)
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

/*
 * Many arguments change hands with their array, or each piece of a long request would copy them
 * all.
 */
static void keep_args(struct incoming *in, struct args *args, size_t from, size_t n)
{
    args_release(&in->args);
    if (from == 0 && n == args->len && n >= SWAP_ARGS_FROM) {
        in->args = *args;
        *args = (struct args){0};
        return;
    }
    for (size_t i = 0; i < n; i++)
        args_push(&in->args, args->v[from + i]);
}

void incoming_keep(struct conn *c, char *data, size_t len, const struct request *parser,
                   struct args *args, size_t from, size_t n)
{
    struct incoming *in = incoming_of(c);
    char *own = in->buf.ptr;

    if (own && data >= own && data <= own + in->buf.len)
        buf_consume(&in->buf, (size_t)(data - own));
    else
        buf_append(&in->buf, data, len);
    keep_args(in, args, from, n);
    request_moved(&in->args, 0, data, len, in->buf.ptr);
    in->parser = *parser;
    in->parser.first = 0;
}

/* The buffer may move when it grows, and the arguments in it with it. */
void incoming_append(struct incoming *in, const char *ptr, size_t len)
{
    size_t skip = in->skip < len ? in->skip : len, had = in->buf.len;
    const char *was = in->buf.ptr;

    in->skip -= (unsigned)skip;
    buf_append(&in->buf, ptr + skip, len - skip);
    if (in->buf.ptr != was)
        request_moved(&in->args, 0, was, had, in->buf.ptr);
}

void incoming_begin_long(struct incoming *in)
{
    size_t have = in->buf.len - in->parser.pos;
    struct blob *b = blob_new((size_t)in->parser.bulk_len, (size_t)in->parser.bulk_len);

    in->skip = 2;
    if (have > b->len) { /* the CRLF has begun */
        in->skip = 2 - (unsigned)(have - b->len);
        have = b->len;
    }
    memcpy(b->data, in->buf.ptr + in->parser.pos, have);
    in->buf.len = in->parser.pos;
    in->filling = b;
    in->filled = have;
    if (have == b->len)
        incoming_end_long(in);
}

static void add_blobs(struct incoming *in, struct blob **blobs, size_t n)
{
    in->blobs = mem_realloc(in->blobs, (in->blobs_len + n) * sizeof(*blobs));
    memcpy(in->blobs + in->blobs_len, blobs, n * sizeof(*blobs));
    in->blobs_len += n;
}

void incoming_lend_blobs(struct conn *c, struct blob **blobs, size_t n)
{
    add_blobs(incoming_of(c), blobs, n);
}

void incoming_end_long(struct incoming *in)
{
    struct blob *b = in->filling;

    in->filling = NULL;
    in->filled = 0;
    add_blobs(in, &b, 1);
    request_long_done(&in->parser, &in->args, slice_make(b->data, b->len));
}
