/* Keys on their way to another server, see migration.h. */
#include "server/migration.h"
#include "server/backend/lazy.h"

#include "base/clock.h"
#include "base/mem.h"
#include "server/crash.h"
#include "server/effects.h"
#include "server/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 50, LINE_MAX_LEN = 1024 };

struct migration *migration_new(size_t most_keys)
{
    struct migration *m = mem_zalloc(sizeof(*m));

    m->keys = mem_zalloc((most_keys + 1) * sizeof(*m->keys));
    return m;
}

void migration_free(struct migration *m)
{
    for (size_t i = 0; i < m->keys_len; i++) {
        mem_free((void *)(uintptr_t)m->keys[i].key.ptr);
        buf_release(&m->keys[i].dump);
    }
    mem_free(m->keys);
    mem_free(m->host);
    mem_free(m->port);
    mem_free(m->user);
    mem_free(m->password);
    buf_release(&m->reply);
    mem_free(m);
}

/* ---- the socket, on the thread --------------------------------------------------------------- */

struct target {
    const struct migration *m;
    int fd;
    char bytes[LINE_MAX_LEN]; /* that were read, from `at` to `len` */
    size_t at, len;
    bool refused; /* it could be reached, and did not want to be */
};

/* False when it is not ready in time, or the server is ending. */
static bool await(const struct target *t, short events)
{
    int64_t until = clock_mono_ms() + t->m->timeout_ms;
    struct pollfd p = {.fd = t->fd, .events = events};

    for (;;) {
        int64_t left = until - clock_mono_ms();
        int n;

        if (left <= 0 || atomic_load(&t->m->worker->server->shutdown_asked))
            return false;
        n = poll(&p, 1, (int)(left < LOOK_EVERY_MS ? left : LOOK_EVERY_MS));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

static bool connect_to(struct target *t, const struct addrinfo *to)
{
    socklen_t len = sizeof(int);
    int err = 0;

    t->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return false;
    if (connect(t->fd, to->ai_addr, to->ai_addrlen) == 0 ||
        (errno == EINPROGRESS && await(t, POLLOUT) &&
         getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0))
        return true;
    t->refused = t->refused || err;
    close(t->fd);
    t->fd = -1;
    return false;
}

static bool open_target(struct target *t)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    t->fd = -1;
    if (getaddrinfo(t->m->host, t->m->port, &wanted, &found) != 0)
        return false;
    for (const struct addrinfo *a = found; a && t->fd < 0; a = a->ai_next)
        connect_to(t, a);
    freeaddrinfo(found);
    return t->fd >= 0;
}

static bool send_all(const struct target *t, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = send(t->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n > 0) {
            bytes = slice_make(bytes.ptr + n, bytes.len - (size_t)n);
        } else if ((n < 0 && errno != EAGAIN && errno != EINTR) || !await(t, POLLOUT)) {
            return false;
        }
    }
    return true;
}

static bool read_more(struct target *t)
{
    for (;;) {
        ssize_t n = recv(t->fd, t->bytes, sizeof(t->bytes), 0);

        if (n > 0) {
            t->at = 0;
            t->len = (size_t)n;
            return true;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR) || !await(t, POLLIN))
            return false;
    }
}

/* The next reply, which is a line; without its end. */
static bool read_line(struct target *t, struct buf *line)
{
    line->len = 0;
    for (;;) {
        char c;

        if (t->at == t->len && !read_more(t))
            return false;
        c = t->bytes[t->at++];
        if (c == '\n')
            return true;
        if (c != '\r' && line->len < LINE_MAX_LEN)
            buf_append_char(line, c);
    }
}

/* ---- the conversation, on the thread --------------------------------------------------------- */

static void put(struct buf *out, struct slice arg)
{
    buf_printf(out, "$%zu\r\n", arg.len);
    buf_append_slice(out, arg);
    buf_append(out, "\r\n", 2);
}

static void put_number(struct buf *out, int64_t n)
{
    char digits[NUM_INT_MAX];

    put(out, slice_make(digits, num_format_int(digits, n)));
}

static void put_head(struct buf *out, const struct migration *m)
{
    if (m->password) {
        buf_printf(out, "*%d\r\n", m->user ? 3 : 2);
        put(out, SLICE("AUTH"));
        if (m->user)
            put(out, slice_str(m->user));
        put(out, slice_str(m->password));
    }
    buf_printf(out, "*2\r\n");
    put(out, SLICE("SELECT"));
    put_number(out, m->db);
}

static void put_restore(struct buf *out, const struct migration *m, const struct migrating_key *k)
{
    buf_printf(out, "*%d\r\n", m->replace ? 5 : 4);
    put(out, SLICE("RESTORE"));
    put(out, k->key);
    put_number(out, k->ttl_ms);
    put(out, buf_slice(&k->dump));
    if (m->replace)
        put(out, SLICE("REPLACE"));
}

static void fail(struct migration *m, const char *what)
{
    if (!m->reply.len)
        buf_printf(&m->reply, "-IOERR error or timeout %s\r\n", what);
}

/* False if nothing more comes. An error is the answer, unless there was one before. */
static bool take_reply(struct target *t, struct migration *m, bool *good)
{
    struct buf line = {0};
    bool came = read_line(t, &line);

    *good = came && line.len && line.ptr[0] != '-';
    if (came && !*good && !m->reply.len)
        buf_printf(&m->reply, "-ERR Target instance replied with error: %.*s\r\n",
                   line.len ? (int)line.len - 1 : 0, line.len ? line.ptr + 1 : "");
    buf_release(&line);
    if (!came)
        fail(m, "reading to target instance");
    return came;
}

static void take_replies(struct target *t, struct migration *m)
{
    bool good, let_in;

    for (int i = m->password ? 0 : 1; i < 2; i++) {
        if (!take_reply(t, m, &good))
            return;
    }
    let_in = !m->reply.len; /* else what it took went elsewhere, if it took anything */
    for (size_t i = 0; i < m->keys_len; i++) {
        if (!take_reply(t, m, &good))
            return;
        m->keys[i].arrived = good && let_in;
    }
}

static void talk(struct target *t, struct migration *m)
{
    struct buf out = {0};
    bool sent = true;

    put_head(&out, m);
    for (size_t i = 0; sent && i < m->keys_len; i++) {
        put_restore(&out, m, &m->keys[i]);
        sent = send_all(t, buf_slice(&out));
        out.len = 0;
    }
    buf_release(&out);
    if (sent)
        take_replies(t, m);
    else
        fail(m, "writing to target instance");
}

/* ---- the end, on the worker ------------------------------------------------------------------ */

/* False if it was changed since. */
static bool take_away(struct worker *w, int db, const struct migrating_key *k)
{
    struct keyspace *ks = &w->server->keyspace;
    uint64_t hash = hash_bytes(k->key);
    unsigned shard = shard_of(hash);
    struct space *space;
    struct found f;
    bool same;

    lock_take(&ks->shards[shard].lock);
    space = keyspace_space(ks, db, shard);
    f = space_find(space, hash, k->key);
    same = f.entry && space_version(space, f.entry) == k->version;
    if (same) {
        struct entry *e = keyspace_take(ks, db, hash, f);

        effect_removed_aside(w, db, shard, k->key, e, EVENT_DEL);
        effect_discard(w, e);
    }
    lock_release(&ks->shards[shard].lock);
    effect_settle(w);
    return same || !f.entry;
}

/* A key that is to go when it has arrived there stays in memory meanwhile. */
static void pin_keys(const struct migration *m, struct server *s, bool pin)
{
    for (size_t i = 0; s->home && m->from_db == 0 && i < m->keys_len; i++) {
        struct slice key = m->keys[i].key;
        uint64_t hash = hash_bytes(key);
        struct shard *shard = &s->keyspace.shards[shard_of(hash)];

        if (pin) {
            lazy_pin(shard, key, hash);
        } else {
            lock_take(&shard->lock);
            lazy_unpin(shard, key, hash);
            lock_release(&shard->lock);
        }
    }
}

static void answer(struct worker *w, const struct migration *m)
{
    LIST_EACH_SAFE (conn, &w->conns, struct conn, link) {
        if (conn->id != m->client)
            continue;
        if (!m->silent)
            buf_append_slice(conn_output(conn), buf_slice(&m->reply));
        conn_resume(conn);
        return;
    }
}

static void finish(struct worker *w, void *arg)
{
    struct migration *m = arg;

    for (size_t i = 0; i < m->keys_len; i++) {
        if (m->copy || !m->keys[i].arrived || take_away(w, m->from_db, &m->keys[i]))
            continue;
        if (!m->reply.len)
            buf_append_str(&m->reply, "-ERR A key was changed on its way: it stays here, and the "
                                      "target instance has what it was\r\n");
    }
    pin_keys(m, w->server, false);
    if (!m->reply.len)
        buf_append_str(&m->reply, "+OK\r\n");
    answer(w, m);
    migration_free(m);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void *migrate(void *arg)
{
    struct migration *m = arg;
    struct server *s = m->worker->server;
    struct target t = {.m = m};

    if (open_target(&t)) {
        talk(&t, m);
        close(t.fd);
    } else {
        fail(m, t.refused ? "writing to target instance" : "connecting to the client");
    }
    mem_flush();
    worker_call(m->worker, finish, m);
    atomic_fetch_sub(&s->migrations, 1);
    return NULL;
}

void migration_begin(struct call *c, struct migration *m)
{
    pthread_t thread;
    sigset_t old;
    int err;

    m->worker = c->worker;
    m->client = c->conn->id;
    m->from_db = c->db;
    m->silent = c->conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP);
    pin_keys(m, c->server, true);
    c->conn->flags |= CONN_BLOCKED;
    atomic_fetch_add(&c->server->migrations, 1);
    crash_block_signals(&old);
    err = pthread_create(&thread, NULL, migrate, m);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!err) {
        pthread_detach(thread);
        return;
    }
    atomic_fetch_sub(&c->server->migrations, 1);
    fail(m, "connecting to the client");
    worker_call(m->worker, finish, m);
}

void migrations_await(struct server *s)
{
    const struct timespec moment = {.tv_nsec = 1000 * 1000};

    while (atomic_load(&s->migrations))
        nanosleep(&moment, NULL);
}
