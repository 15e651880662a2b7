/* See twin.h. */
#include "tests/differential/twin.h"

#include <unistd.h>

#include "tests/differential/reply_tree.h"
#include "tests/lib/raw.h"

enum { READ_SIZE = 64 * 1024 };

static void close_one(struct twin *t, int i)
{
    if (t->fds[i] >= 0)
        close(t->fds[i]);
    t->fds[i] = -1;
    t->in[i].len = 0;
    t->used[i] = 0;
}

static void close_all(struct twin *t)
{
    for (int i = 0; i < TWIN_CONNECTIONS; i++)
        close_one(t, i);
}

void twin_reconnect(struct twin *t, int i)
{
    close_one(t, i);
    t->fds[i] = i % 2 == 0 ? server_connect(t->server) : server_connect_unix(t->server);
}

void twin_connect(struct twin *t)
{
    close_all(t);
    for (int i = 0; i < TWIN_CONNECTIONS; i++)
        twin_reconnect(t, i);
}

void twin_start(struct twin *t, struct server *server)
{
    t->server = server;
    for (int i = 0; i < TWIN_CONNECTIONS; i++)
        t->fds[i] = -1;
    twin_connect(t);
}

void twin_stop(struct twin *t)
{
    close_all(t);
    for (int i = 0; i < TWIN_CONNECTIONS; i++)
        buf_release(&t->in[i]);
    server_stop(t->server);
}

bool twin_send(struct twin *t, int connection, struct slice bytes)
{
    return raw_send(t->fds[connection], bytes.ptr, bytes.len);
}

/* The place behind reply `at`, or a negative value if the connection does not give a whole one. */
static long read_one(struct twin *t, int connection, size_t at)
{
    struct buf *in = &t->in[connection];

    for (;;) {
        long len = reply_length(slice_make(in->ptr + at, in->len - at));
        long got;

        if (len != REPLY_PARTIAL)
            return len;
        got = raw_read_some(t->fds[connection], buf_reserve(in, READ_SIZE), READ_SIZE,
                            RAW_TIMEOUT_MS);
        if (got <= 0)
            return REPLY_BROKEN;
        in->len += (size_t)got;
    }
}

bool twin_read(struct twin *t, int connection, int count, struct slice *replies)
{
    struct buf *in = &t->in[connection];
    size_t at = 0;
    long len = 0;
    int n = 0;

    buf_consume(in, t->used[connection]);
    while (n < count && (len = read_one(t, connection, at)) >= 0) {
        replies[n++] = slice_make(NULL, (size_t)len);
        at += (size_t)len;
    }
    t->used[connection] = at;
    at = 0;
    for (int i = 0; i < count; i++) {
        /* Only now: the buffer may have moved while it was filled. */
        replies[i] = i < n ? slice_make(in->ptr + at, replies[i].len) : slice_make("", 0);
        at += replies[i].len;
    }
    return n == count;
}

struct slice twin_say(struct twin *t, const char *command)
{
    struct slice reply = {"", 0};
    struct buf line = {0};

    buf_printf(&line, "%s\r\n", command);
    if (twin_send(t, TWIN_INSPECTOR, buf_slice(&line)))
        twin_read(t, TWIN_INSPECTOR, 1, &reply);
    buf_release(&line);
    return reply;
}
