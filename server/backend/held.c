/*
 * What the backend's state means for commands and their answers: which are refused, and which wait
 * for a commit (home.h).
 */
#include "server/backend/drain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/world.h"
#include "server/backend/narrow.h"
#include "server/durability.h"
#include "server/key_locks.h"
#include "server/reply.h"
#include "server/transaction.h"

/* ---- refusing -------------------------------------------------------------------------------- */

/* What has to do with data, or with tokens. */
static bool concerns_data(const struct call *c, int flags)
{
    return flags & (CMD_WRITE | CMD_READONLY) || strcmp(c->cmd->group, "locks") == 0;
}

static bool refuse(struct call *c)
{
    struct home *h = c->server->home;
    struct backend_error why = home_error(h);

    reply_error(c, "BACKEND %s", why.text[0] ? why.text : "the database is not there yet");
    return false;
}

bool home_admits(struct call *c)
{
    struct home *h = c->server->home;
    int flags = transaction_flags(c);

    if (!h || !concerns_data(c, flags))
        return true;
    switch (home_state(h)) {
    case HOME_STANDBY:
        reply_error(c, "STANDBY another server has the backend's table");
        return false;
    case HOME_LOADING:
        reply_error(c, "LOADING Latchkey is loading the dataset from its backend");
        return false;
    case HOME_CONNECTING:
        return refuse(c);
    case HOME_DOWN:
        if (h->through && flags & CMD_WRITE)
            return refuse(c);
        break;
    case HOME_READY:
        break;
    }
    if (h->is_narrow && c->cmd->flags & CMD_WRITE && c->db == 0 && !narrow_fits(c))
        return false;
    if (!(flags & CMD_WRITE) || !atomic_load(&h->full))
        return true;
    reply_error(c, "BACKEND the queue of changes that are not in the table yet is full");
    return false;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static uint64_t epoch_of(const struct home *h, const struct key_locks *held)
{
    uint64_t epoch = 0;

    for (unsigned word = 0; word < SHARDS / 64; word++) {
        uint64_t bits = held ? held->shards[word] : ~(uint64_t)0;

        for (; bits; bits &= bits - 1) {
            const struct dirty *d = &h->dirty[word * 64 + (unsigned)__builtin_ctzll(bits)];

            if (d->epoch > epoch)
                epoch = d->epoch;
        }
    }
    return epoch;
}

static void depend(struct conn *c, struct home *h, uint64_t epoch)
{
    if (epoch <= atomic_load(&h->committed) || epoch <= c->await_epoch)
        return;
    if (!c->await_epoch)
        c->await_failures = atomic_load(&h->failures);
    c->await_epoch = epoch;
}

void home_depend(struct call *c, const struct key_locks *held)
{
    struct home *h = c->server->home;

    depend(c->conn, h, epoch_of(h, held));
}

void home_depend_one(struct call *c, unsigned shard)
{
    struct home *h = c->server->home;

    depend(c->conn, h, h->dirty[shard].epoch);
}

uint64_t home_epoch(const struct server *s, const struct key_locks *held)
{
    return epoch_of(s->home, held);
}

void home_depend_on(struct conn *c, uint64_t epoch)
{
    depend(c, c->worker->server->home, epoch);
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* How long the value at `s` is, as it is sent; 0 where it is none. */
static size_t value_len(struct slice s, int depth)
{
    const char *end = s.len ? memchr(s.ptr, '\n', s.len) : NULL;
    size_t len = end ? (size_t)(end - s.ptr) + 1 : 0;
    int64_t n;

    if (!len || depth > 32)
        return 0;
    if (!strchr("$=!*~%>|", s.ptr[0]))
        return len;
    if (len < 3 || !num_parse_int(slice_make(s.ptr + 1, len - 3), &n) || n < 0)
        return len;
    if (strchr("$=!", s.ptr[0]))
        return len + (size_t)n + 2 <= s.len ? len + (size_t)n + 2 : 0;
    for (n *= strchr("%|", s.ptr[0]) ? 2 : 1; n; n--) {
        size_t item = value_len(slice_make(s.ptr + len, s.len - len), depth + 1);

        if (!item)
            return 0;
        len += item;
    }
    return len;
}

/* What says nothing of data: pushes, errors, and that something was queued. */
static bool stays(struct slice reply)
{
    static const struct slice queued = {"+QUEUED\r\n", 9};

    return reply.ptr[0] == '>' || reply.ptr[0] == '-' || slice_eq(reply, queued);
}

void home_take_back(struct buf *out, size_t from)
{
    static const char error[] = "-BACKEND the database has not taken the change in time, or not at "
                                "all; whether it did is to be seen there\r\n";
    struct buf fresh = {0};
    size_t at = from, len;

    for (; at < out->len; at += len) {
        struct slice rest = slice_make(out->ptr + at, out->len - at);

        len = value_len(rest, 0);
        if (!len)
            break;
        rest.len = len;
        if (stays(rest))
            buf_append_slice(&fresh, rest);
        else
            buf_append_str(&fresh, error);
    }
    out->len = from;
    buf_append_slice(out, buf_slice(&fresh));
    buf_release(&fresh);
}

/* ---- the end of waiting ---------------------------------------------------------------------- */

bool home_failed(const struct conn *c)
{
    return c->await_epoch && c->await_failures != atomic_load(&c->worker->server->home->failures);
}

bool home_reached(const struct conn *c)
{
    const struct home *h = c->worker->server->home;

    return !c->await_epoch || atomic_load(&h->committed) >= c->await_epoch || home_failed(c);
}

/* Write-through: nobody waits for longer than backend-timeout says. On the main thread. */
void home_look_at_waits(struct home *h)
{
    enum { TICK_MS = 100 };
    int64_t since = home_behind_since_ms(h);
    uint64_t n;

    if (!h->through || !since || clock_mono_ms() - since + TICK_MS < h->options.timeout_ms)
        return;
    world_enter();
    world_stop();
    n = drain_give_up(h);
    if (home_state(h) == HOME_READY)
        home_lock_out(h);
    world_resume();
    world_leave();
    home_say(h, "the database does not answer", "");
    log_warning("The backend did not commit the changes of %llu keys in time: they were taken back",
                (unsigned long long)n);
    durability_reached(h->server);
}
