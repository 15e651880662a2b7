/*
 * Any bytes as requests: read whole, or in pieces of any size into buffers that move, they give the
 * same requests and the same error.
 *
 * Every buffer is allocated to the byte, so that the address sanitizer sees a read beyond it. The
 * first byte chooses the limits, the second the pieces.
 */
#include "resp/request.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"

enum { INPUT_MAX = REQUEST_INLINE_MAX - 1 }; /* an inline request may be too long in pieces only */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    const char *from; /* what has not come yet */
    size_t left;
    char *data; /* what has come since the last whole request */
    size_t len;
    char *long_arg; /* of this request: the last argument that did not go through the buffer */
    struct request request;
    struct args args;
    struct request_limits limits;
    struct buf told; /* the requests, in a form to compare */
};

/* A new buffer with `keep` bytes of the old one, from `at`, and `more` that come. */
static void feed(struct reading *r, size_t at, size_t keep, size_t more)
{
    char *fresh = malloc(keep + more);

    if (fresh == NULL)
        abort();
    if (keep > 0)
        memcpy(fresh, r->data + at, keep);
    if (more > 0)
        memcpy(fresh + keep, r->from, more);
    request_moved(&r->args, 0, r->data, r->len, fresh);
    free(r->data);
    r->data = fresh;
    r->len = keep + more;
    r->from += more;
    r->left -= more;
}

static void tell_request(struct reading *r)
{
    buf_printf(&r->told, "request of %zu:", r->args.len);
    for (size_t i = 0; i < r->args.len; i++) {
        buf_printf(&r->told, " %zu=", r->args.v[i].len);
        buf_append_slice(&r->told, r->args.v[i]);
    }
    buf_append_char(&r->told, '\n');
}

static void next_request(struct reading *r)
{
    size_t pos = r->request.pos;

    if (pos == 0 || pos > r->len)
        abort();
    tell_request(r);
    r->args.len = 0;
    r->request = (struct request){0};
    feed(r, pos, r->len - pos, 0);
    free(r->long_arg);
    r->long_arg = NULL;
}

/*
 * Takes the announced argument apart from the buffer, as connections do: what of it has come, and
 * the rest from the source. False if there is less. Only one such argument a request is kept, so
 * further ones are refused.
 */
static bool take_long(struct reading *r)
{
    size_t len = (size_t)r->request.bulk_len, have = r->len - r->request.pos;
    size_t in_buffer = have < len ? have : len, missing = len + 2 - have;

    if (missing > r->left || r->long_arg != NULL)
        return false;
    r->long_arg = malloc(len);
    if (r->long_arg == NULL)
        abort();
    memcpy(r->long_arg, r->data + r->request.pos, in_buffer);
    memcpy(r->long_arg + in_buffer, r->from, len - in_buffer);
    r->from += missing;
    r->left -= missing;
    feed(r, 0, r->request.pos, 0);
    request_long_done(&r->request, &r->args, slice_make(r->long_arg, len));
    return true;
}

static size_t piece(const struct reading *r, bool whole)
{
    size_t most = rng_below(4) == 0 ? 3 : rng_below(2) == 0 ? 40 : 40000;

    if (whole || r->left == 0)
        return r->left;
    return 1 + rng_below(r->left < most ? r->left : most);
}

/* Reads all there is. True unless the input has what this test does not compare. */
static bool read_all(struct reading *r, bool whole)
{
    feed(r, 0, 0, piece(r, whole));
    for (;;) {
        switch (request_parse(&r->request, r->data, r->len, &r->args, &r->limits)) {
        case REQUEST_DONE:
            next_request(r);
            break;
        case REQUEST_LONG:
            if (r->long_arg != NULL)
                return false;
            if (!take_long(r))
                return true;
            break;
        case REQUEST_MORE:
            if (r->left == 0)
                return true;
            feed(r, 0, r->len, piece(r, whole));
            break;
        case REQUEST_ERROR:
            buf_printf(&r->told, "error: %s\n", r->request.error);
            return true;
        }
    }
}

static void release(struct reading *r)
{
    free(r->data);
    free(r->long_arg);
    args_release(&r->args);
    buf_release(&r->told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading whole = {0}, split;
    bool comparable;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    whole.from = (const char *)data + 2;
    whole.left = size - 2;
    whole.limits.bulk_max = data[0] & 1 ? 512 * 1024 * 1024 : 50;
    whole.limits.unauthenticated = data[0] & 2;
    split = whole;
    rng_seed(data[1]);
    comparable = read_all(&whole, true);
    comparable = read_all(&split, false) && comparable;
    if (comparable && !slice_eq(buf_slice(&whole.told), buf_slice(&split.told)))
        abort();
    release(&whole);
    release(&split);
    return 0;
}
