/* Commands kept for later, see kept.h. */
#include "server/kept.h"

#include "base/mem.h"
#include "server/incoming.h"

/* What an argument needs within the allocation; a long one is handed over. */
static size_t bytes_within(struct slice arg)
{
    return arg.len >= REQUEST_LONG_FROM ? 0 : arg.len;
}

static struct kept *allocate(const struct call *c)
{
    size_t argc = (size_t)c->argc;
    size_t head = sizeof(struct kept) + argc * sizeof(struct slice);
    size_t hashes = c->cmd->one_key ? 0 : argc * sizeof(uint64_t);
    size_t size = head + hashes;
    struct kept *k;

    for (int i = 0; i < c->argc; i++)
        size += bytes_within(call_arg(c, i));
    k = mem_alloc(size);
    *k = (struct kept){.cmd = c->cmd, .first_hash = c->first_hash, .memory = size, .argc = c->argc};
    if (hashes)
        k->hashes = (uint64_t *)(void *)((char *)k + head);
    if (hashes && c->hashes)
        memcpy(k->hashes, c->hashes, hashes);
    return k;
}

/* An argument as an allocation of its own, which the command owns from now on. */
static struct slice keep_long(struct kept *k, struct call *c, struct slice arg)
{
    struct blob *b = incoming_take_blob(c->conn, arg);

    if (!b) {
        b = blob_new(arg.len, arg.len);
        memcpy(b->data, arg.ptr, arg.len);
    }
    k->blobs = mem_realloc(k->blobs, (k->blobs_len + 1) * sizeof(b));
    k->blobs[k->blobs_len++] = b;
    k->memory += b->cap;
    return slice_make(b->data, b->len);
}

struct kept *kept_new(struct call *c)
{
    struct kept *k = allocate(c);
    char *at = (char *)k + k->memory;

    for (int i = 0; i < c->argc; i++) {
        struct slice arg = call_arg(c, i);

        if (arg.len >= REQUEST_LONG_FROM) {
            k->argv[i] = keep_long(k, c, arg);
            continue;
        }
        at -= arg.len;
        memcpy(at, arg.ptr, arg.len);
        k->argv[i] = slice_make(at, arg.len);
    }
    return k;
}

struct kept *kept_name(const struct call *c)
{
    struct kept *k = mem_alloc(sizeof(*k));

    *k = (struct kept){.cmd = c->cmd, .memory = sizeof(*k)};
    return k;
}

void kept_free(struct kept *k)
{
    for (size_t i = 0; i < k->blobs_len; i++)
        blob_free(k->blobs[i]);
    mem_free(k->blobs);
    mem_free(k);
}
