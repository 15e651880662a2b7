/* The log of changes where there is a backend, see log_tail.h. */
#include "server/backend/log_tail.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/world.h"
#include "server/backend/home.h"
#include "server/call.h"
#include "server/handlers.h"
#include "server/key_locks.h"
#include "server/log_lines.h"
#include "server/rdb_limits.h"
#include "server/reaper.h"
#include "storage/log/log_items.h"
#include "storage/rows/rows.h"

enum { KEYS_A_FETCH = 500 };

struct log_tail {
    struct home *home;
    struct backend *b; /* a connection of its own */
    bool begun;

    /* Keys that are to be fetched: texts of them, and where each begins. */
    struct buf keys;
    size_t *ends, len, cap;
    int db; /* selected in what is looked through */
    struct log_notes notes;
    uint64_t fetched;
};

struct log_tail *log_tail_new(struct server *s)
{
    struct log_tail *t;

    if (!s->home)
        return NULL;
    t = mem_zalloc(sizeof(*t));
    t->home = s->home;
    return t;
}

void log_tail_free(struct log_tail *t)
{
    if (!t)
        return;
    if (t->b)
        t->home->driver->close(t->b);
    log_notes_release(&t->notes);
    buf_release(&t->keys);
    mem_free(t->ends);
    mem_free(t);
}

size_t log_tail_from(const struct log_tail *t, struct slice bytes, size_t from, size_t to)
{
    if (!t || !t->home->log_known)
        return to;
    if (t->begun)
        return from;
    return log_position(slice_make(bytes.ptr, to), from, t->home->log_position);
}

/* What was loaded until now the table has as well, or has better. */
static void begin(struct log_tail *t)
{
    struct server *s = t->home->server;
    struct space *old;

    t->begun = true;
    world_enter();
    world_stop();
    old = keyspace_detach(&s->keyspace, 0);
    if (old)
        reaper_give(s->reaper, old, 0, NULL, NULL);
    dirty_attach(t->home, true);
    world_resume();
    world_leave();
}

/* ---- which keys ------------------------------------------------------------------------------ */

static void add_key(struct log_tail *t, struct slice key)
{
    row_put_key(&t->keys, key);
    if (t->len == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1024;
        t->ends = mem_realloc(t->ends, t->cap * sizeof(*t->ends));
    }
    t->ends[t->len++] = t->keys.len;
}

/* Also those of another database that go to this one, or come from it. */
static bool concerns_table(const struct log_tail *t, const struct command *cmd)
{
    return t->db == 0 || cmd->run == cmd_move || cmd->run == cmd_copy;
}

static void add_keys(struct log_tail *t, const struct slice *argv, int argc)
{
    struct server *s = t->home->server;
    struct call c = {.server = s,
                     .argv = argv,
                     .argc = argc,
                     .cmd = command_of_request(s->commands, argv, argc)};
    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int64_t db;
    int n;

    if (!c.cmd || !c.cmd->run || !command_arity_fits(c.cmd, (size_t)argc))
        return; /* as will be said when it is run */
    if (c.cmd->run == cmd_select && num_parse_int(argv[1], &db))
        t->db = (int)db;
    if (!concerns_table(t, c.cmd))
        return;
    n = key_positions(&c, quick, &keys);
    for (int i = 0; i < n; i++) {
        if (!(keys[i].flags & KEY_NOT_KEY))
            add_key(t, argv[keys[i].index]);
    }
    if (n >= 0 && keys != quick)
        mem_free(keys);
}

static void add_keys_of_line(struct log_tail *t, struct slice line)
{
    if (line.len < 8 || memcmp(line.ptr, "#LK:cmd", 7) != 0)
        return;
    if (log_notes_add(&t->notes, line) == LOG_NOTE_WHOLE && t->notes.argc > 1)
        add_keys(t, t->notes.argv + 1, t->notes.argc - 1);
}

/* ---- fetching -------------------------------------------------------------------------------- */

static void insert(struct home *h, struct slice key, struct entry *e)
{
    struct keyspace *ks = &h->server->keyspace;
    uint64_t hash = hash_bytes(key);
    struct shard *shard = &ks->shards[shard_of(hash)];

    world_enter();
    lock_take(&shard->lock);
    if (dirty_has(shard, key, hash) ||
        space_find(keyspace_space(ks, 0, shard_of(hash)), hash, key).entry) {
        entry_free(e);
    } else {
        if (!e->version)
            e->version = 1;
        keyspace_insert(ks, 0, hash, e);
    }
    lock_release(&shard->lock);
    world_leave();
}

static void take_row(void *arg, const struct backend_row *row)
{
    struct log_tail *t = arg;
    struct rdb_limits limits = rdb_limits_of(t->home->server->conf);
    struct row_in in = {
        .value = row->value,
        .type = row->type,
        .more = row->more,
        .expiry = row->expiry == BACKEND_NO_EXPIRY ? EXPIRY_NONE : row->expiry,
        .version = row->version,
    };
    struct buf key = {0};
    struct entry *e = NULL;
    const char *why = NULL;

    if (!row_get_key(row->key, &key))
        why = "its key is none";
    else
        row_get_entry(&in, buf_slice(&key), &limits, &e, &why);
    if (why)
        log_warning("The row of key '%.*s' makes no sense: %s",
                    (int)(row->key.len < 256 ? row->key.len : 256), row->key.ptr, why);
    if (e)
        insert(t->home, buf_slice(&key), e);
    t->fetched += e != NULL;
    buf_release(&key);
}

static bool open_connection(struct log_tail *t)
{
    struct backend_error error = {.text = ""};
    enum backend_status status;

    if (!t->b)
        t->b = t->home->driver->open(&t->home->url, &t->home->options, &status, &error);
    if (!t->b)
        log_warning("The backend cannot be reached to load the log: %s", error.text);
    return t->b != NULL;
}

static bool fetch_some(struct log_tail *t, size_t first, size_t n)
{
    struct slice keys[KEYS_A_FETCH];
    enum backend_status status;

    for (size_t i = 0; i < n; i++) {
        size_t from = first + i ? t->ends[first + i - 1] : 0;

        keys[i] = slice_make(t->keys.ptr + from, t->ends[first + i] - from);
    }
    status = t->home->driver->fetch(t->b, keys, n, take_row, t);
    if (status != BACKEND_OK)
        log_warning("What the log changes cannot be fetched from the backend: %s",
                    t->home->driver->error(t->b)->text);
    return status == BACKEND_OK;
}

static bool fetch(struct log_tail *t)
{
    for (size_t i = 0; i < t->len; i += KEYS_A_FETCH) {
        if (!fetch_some(t, i, t->len - i < KEYS_A_FETCH ? t->len - i : KEYS_A_FETCH))
            return false;
    }
    return true;
}

bool log_tail_prepare(struct log_tail *t, struct slice bytes, size_t from, size_t to, int db)
{
    struct log_cursor c = {.bytes = slice_make(bytes.ptr, to), .pos = from};
    enum log_item what;

    if (!t->begun)
        begin(t);
    t->db = db;
    t->len = t->keys.len = 0;
    while ((what = log_next(&c)) == LOG_REQUEST || what == LOG_LINE) {
        if (what == LOG_REQUEST)
            add_keys(t, c.argv, c.argc);
        else
            add_keys_of_line(t, c.line);
    }
    log_cursor_release(&c);
    return !t->len || (open_connection(t) && fetch(t));
}

/* ---- the end --------------------------------------------------------------------------------- */

static void mark_all(struct home *h)
{
    world_enter();
    world_stop();
    dirty_attach(h, true);
    dirty_mark_all(h);
    world_resume();
    world_leave();
}

uint64_t log_tail_end(struct log_tail *t, uint64_t seq)
{
    struct home *h;

    if (!t)
        return seq;
    h = t->home;
    if (!h->log_known)
        mark_all(h);
    else if (!t->begun)
        begin(t);
    if (t->fetched)
        log_notice("%llu keys that the log changes were fetched from the backend",
                   (unsigned long long)t->fetched);
    return h->log_known && h->log_position > seq ? h->log_position : seq;
}
