/*
 * SQLite: a file that this process opens itself, with libsqlite3. It is also the example of a
 * driver: README.md goes through it from top to bottom.
 *
 * A connection is a `struct lite`, which begins with the `struct backend` that the callers hold.
 * Statements are prepared when they are first used, and kept. WAL lets readers go on while one
 * connection writes; `synchronous=FULL` makes a commit durable before it returns.
 *
 * A transaction of ours is begun with IMMEDIATE: there is no other writer from its beginning to its
 * end. So the note `.writing` in it, which nobody else ever sees, tells the triggers whose changes
 * they are looking at.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "storage/backend/sql_batch.h"
#include "storage/backend/sqlite_inner.h"

/* ---- statements ----------------------------------------------------------------------------- */

#define UPSERT                                                                                     \
    "INSERT INTO {t} ({k}, {v}, type, expiry, version, more) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "     \
    "ON CONFLICT ({k}) DO UPDATE SET {v} = excluded.{v}, type = excluded.type, "                   \
    "expiry = excluded.expiry, version = excluded.version, more = excluded.more "                  \
    "WHERE {t}.{k} = excluded.{k} COLLATE BINARY"
/* The first finds it by the index, the second tells it from one that only folds to the same. */
#define IS_KEY "{k} = ?1 AND {k} = ?1 COLLATE BINARY"
#define ALIVE "(expiry IS NULL OR expiry > ?1)"

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [FETCH] = "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE " IS_KEY,
    [PUT] = UPSERT,
    [REMOVE] = "DELETE FROM {t} WHERE " IS_KEY,
    [CLEAR] = "DELETE FROM {t}",
    [REJECT] =
        "INSERT INTO {t_rejects} (key, value, type, reason, time) VALUES (?1, ?2, ?3, ?4, ?5)",
    [COUNT] = "SELECT count(*) FROM {t} WHERE " ALIVE,
    [PICK] = "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE " ALIVE " LIMIT 1 OFFSET "
             "(SELECT abs(random() % max(count(*), 1)) FROM {t} WHERE " ALIVE ")",
    [PURGE] = "DELETE FROM {t} WHERE {k} IN (SELECT {k} FROM {t} WHERE expiry <= ?1 "
              "ORDER BY expiry LIMIT ?2) RETURNING {k}",
    [NOTE] = "SELECT name, value FROM {t_latchkey} WHERE name = ?1",
    [PUT_NOTE] = "INSERT OR REPLACE INTO {t_latchkey} (name, value) VALUES (?1, ?2)",
    [DROP_NOTE] = "DELETE FROM {t_latchkey} WHERE name = ?1",
    [CHANGED] = "SELECT 1 FROM {t_changes} LIMIT 1",
    [TAKE_CHANGES] = "DELETE FROM {t_changes} RETURNING key",
    [DATA_VERSION] = "PRAGMA data_version",
};

static const struct sql_dialect dialect = {.quote = '"',
                                           .numbered = true,
                                           .like = " GLOB $",
                                           .any = '*',
                                           .special = "*?[",
                                           .before = "[",
                                           .after = "]"};

/* What SQLite says, as the interface has it. The upper bits of a code are details. */
enum backend_status lite_said(struct lite *l, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return BACKEND_OK;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        /* Unless a trigger has rolled everything back, which is no way to treat one row. */
        l->b.refused = !sqlite3_get_autocommit(l->db);
        return backend_fail(&l->b, BACKEND_WRONG, "%s", sqlite3_errmsg(l->db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return backend_fail(&l->b, BACKEND_TIMEOUT, "the file is locked by another program");
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_NOLFS:
    case SQLITE_PROTOCOL:
        return backend_fail(&l->b, BACKEND_DOWN, "%s", sqlite3_errmsg(l->db));
    default:
        return backend_fail(&l->b, BACKEND_WRONG, "%s", sqlite3_errmsg(l->db));
    }
}

/* The statement, ready for its parameters; NULL: *status. */
sqlite3_stmt *lite_statement(struct lite *l, enum statement which, enum backend_status *status)
{
    if (!l->statements[which]) {
        char *sql = sql_string(&l->names, texts[which]);
        int code = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &l->statements[which], NULL);

        mem_free(sql);
        *status = lite_said(l, code);
    }
    return l->statements[which];
}

/* An empty text is no NULL. */
static void bind(sqlite3_stmt *s, int at, struct slice text)
{
    sqlite3_bind_text64(s, at, text.len ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_or_null(sqlite3_stmt *s, int at, struct slice text)
{
    if (text.len)
        bind(s, at, text);
    else
        sqlite3_bind_null(s, at);
}

static struct slice column(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);

    return slice_make(text ? text : "", text ? (size_t)sqlite3_column_bytes(s, at) : 0);
}

/* A row in the columns that sql_scan() tells of. */
static struct backend_row row_of(sqlite3_stmt *s)
{
    struct backend_row row = {.expiry = BACKEND_NO_EXPIRY};
    bool whole = sqlite3_column_count(s) > SCAN_VALUE;

    row.key = column(s, SCAN_KEY);
    row.type = column(s, SCAN_TYPE);
    if (sqlite3_column_type(s, SCAN_EXPIRY) != SQLITE_NULL)
        row.expiry = sqlite3_column_int64(s, SCAN_EXPIRY);
    if (whole) {
        row.value = column(s, SCAN_VALUE);
        row.more = column(s, SCAN_MORE);
        row.version = (uint64_t)sqlite3_column_int64(s, SCAN_VERSION);
    }
    return row;
}

/* Steps to the end and tells the rows; a statement that is kept is ready for the next time. */
static enum backend_status run(struct lite *l, sqlite3_stmt *s, backend_row_fn *row, void *arg)
{
    enum backend_status status;
    int code;

    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        struct backend_row r = row_of(s);

        if (row)
            row(arg, &r);
    }
    status = lite_said(l, code);
    sqlite3_reset(s);
    return status;
}

/* Runs one with up to two texts. */
static enum backend_status run_texts(struct lite *l, enum statement which, struct slice a,
                                     struct slice b)
{
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, which, &status);

    if (!s)
        return status;
    if (a.ptr)
        bind(s, 1, a);
    if (b.ptr)
        bind(s, 2, b);
    return run(l, s, NULL, NULL);
}

static enum backend_status run_plain(struct lite *l, enum statement which)
{
    return run_texts(l, which, (struct slice){0}, (struct slice){0});
}

static void rollback(struct lite *l)
{
    struct backend_error why = l->b.error;

    if (!sqlite3_get_autocommit(l->db))
        run_plain(l, ROLLBACK);
    l->b.error = why;
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum backend_status lite_fetch(struct backend *b, const struct slice *keys, size_t n,
                                      backend_row_fn *row, void *arg)
{
    struct lite *l = (struct lite *)b;
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, FETCH, &status);

    /* There is no way to the database and back that one statement for all keys would save. */
    for (size_t i = 0; s && status == BACKEND_OK && i < n; i++) {
        bind(s, 1, keys[i]);
        status = run(l, s, row, arg);
    }
    return status;
}

static enum backend_status lite_scan(struct backend *b, const struct backend_scan *which,
                                     backend_row_fn *row, void *arg)
{
    struct lite *l = (struct lite *)b;
    struct sql_query q = {0};
    sqlite3_stmt *s = NULL;
    enum backend_status status;

    sql_scan(&q, &l->names, which);
    status = lite_said(l, sqlite3_prepare_v2(l->db, q.sql.ptr, (int)q.sql.len, &s, NULL));
    if (status == BACKEND_OK) {
        for (int i = 0; i < q.len; i++) {
            if (q.params[i].text.ptr)
                bind(s, i + 1, q.params[i].text);
            else
                sqlite3_bind_int64(s, i + 1, q.params[i].number);
        }
        status = run(l, s, row, arg);
    }
    sqlite3_finalize(s);
    sql_query_release(&q);
    return status;
}

/* The number that a statement gives, with the time as its parameter if it has one. */
enum backend_status lite_number(struct lite *l, enum statement which, int64_t now_ms, int64_t *out)
{
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, which, &status);
    int code;

    if (!s)
        return status;
    if (sqlite3_bind_parameter_count(s))
        sqlite3_bind_int64(s, 1, now_ms);
    code = sqlite3_step(s);
    status = lite_said(l, code);
    *out = code == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return status;
}

static enum backend_status lite_count(struct backend *b, int64_t now_ms, uint64_t *out)
{
    return lite_number((struct lite *)b, COUNT, now_ms, (int64_t *)out);
}

static enum backend_status lite_pick(struct backend *b, int64_t now_ms, backend_row_fn *row,
                                     void *arg)
{
    struct lite *l = (struct lite *)b;
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, PICK, &status);

    if (!s)
        return status;
    sqlite3_bind_int64(s, 1, now_ms);
    return run(l, s, row, arg);
}

static enum backend_status lite_note(struct backend *b, struct slice name, backend_row_fn *row,
                                     void *arg)
{
    struct lite *l = (struct lite *)b;
    struct backend_row r = {.key = name, .value = SLICE(""), .expiry = BACKEND_NO_EXPIRY};
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, NOTE, &status);
    int code;

    if (!s)
        return status;
    bind(s, 1, name);
    code = sqlite3_step(s);
    status = lite_said(l, code);
    if (code == SQLITE_ROW)
        r.value = column(s, 1);
    if (status == BACKEND_OK)
        row(arg, &r);
    sqlite3_reset(s);
    return status;
}

/* ---- the lease ------------------------------------------------------------------------------ */

/* What a note says about us. */
struct claim {
    struct lite *l;
    bool free, mine;
};

static void look_at_lease(void *arg, const struct backend_row *row)
{
    struct claim *c = arg;

    c->mine = lease_note_is_mine(&c->l->me, row->value);
    c->free = lease_note_is_free(&c->l->me, row->value);
}

static enum backend_status write_lease(struct lite *l)
{
    char note[LEASE_NOTE_MAX];
    size_t len = lease_note_format(&l->me, l->b.options.who, note);

    return run_texts(l, PUT_NOTE, SLICE(NOTE_LEASE), slice_make(note, len));
}

static enum backend_status lite_lease(struct backend *b)
{
    struct lite *l = (struct lite *)b;
    struct claim c = {.l = l};
    enum backend_status status = run_plain(l, BEGIN);

    if (status == BACKEND_OK)
        status = lite_note(b, SLICE(NOTE_LEASE), look_at_lease, &c);
    if (status == BACKEND_OK && !c.free)
        status = backend_fail(b, BACKEND_NO_LEASE, "another server writes to the table");
    if (status == BACKEND_OK)
        status = write_lease(l);
    if (status == BACKEND_OK)
        status = run_plain(l, COMMIT);
    if (status != BACKEND_OK)
        rollback(l);
    b->leased = status == BACKEND_OK;
    return status;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* A file that was moved away or deleted takes everything and keeps nothing. */
static enum backend_status is_there(struct lite *l)
{
    int moved = 0;

    sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved ? backend_fail(&l->b, BACKEND_DOWN, "the file was moved or deleted") : BACKEND_OK;
}

/* Nobody can take the lease between this and the end of the transaction. */
static enum backend_status begin_writing(struct backend *b)
{
    struct lite *l = (struct lite *)b;
    struct claim c = {.l = l};
    enum backend_status status = is_there(l);

    if (status == BACKEND_OK && !b->leased)
        status = backend_fail(b, BACKEND_NO_LEASE, "the lease was not taken");
    if (status == BACKEND_OK)
        status = run_plain(l, BEGIN);
    if (status == BACKEND_OK)
        status = lite_note(b, SLICE(NOTE_LEASE), look_at_lease, &c);
    if (status == BACKEND_OK && !c.mine) {
        b->leased = false;
        status = backend_fail(b, BACKEND_NO_LEASE, "another server has taken the lease");
    }
    if (status == BACKEND_OK)
        status = run_texts(l, PUT_NOTE, SLICE(NOTE_WRITING), SLICE("1"));
    return status;
}

static enum backend_status end_writing(struct backend *b)
{
    struct lite *l = (struct lite *)b;
    enum backend_status status = run_texts(l, DROP_NOTE, SLICE(NOTE_WRITING), (struct slice){0});

    return status == BACKEND_OK ? run_plain(l, COMMIT) : status;
}

static void undo(struct backend *b)
{
    rollback((struct lite *)b);
}

static enum backend_status clear(struct backend *b)
{
    return run_plain((struct lite *)b, CLEAR);
}

static enum backend_status put_one(struct lite *l, sqlite3_stmt *s, const struct backend_row *row)
{
    enum backend_status status;

    bind(s, 1, row->key);
    bind(s, 2, row->value);
    bind_or_null(s, 3, row->type);
    if (row->expiry == BACKEND_NO_EXPIRY)
        sqlite3_bind_null(s, 4);
    else
        sqlite3_bind_int64(s, 4, row->expiry);
    if (row->version)
        sqlite3_bind_int64(s, 5, (int64_t)row->version);
    else
        sqlite3_bind_null(s, 5);
    bind_or_null(s, 6, row->more);
    status = run(l, s, NULL, NULL);
    if (status == BACKEND_OK && sqlite3_changes(l->db) == 0) {
        l->b.refused = true;
        status = backend_fail(&l->b, BACKEND_WRONG, "the table takes it for another key");
    }
    return status;
}

static enum backend_status put(struct backend *b, const struct backend_row *rows, size_t n)
{
    struct lite *l = (struct lite *)b;
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, PUT, &status);

    for (size_t i = 0; s && status == BACKEND_OK && i < n; i++)
        status = put_one(l, s, &rows[i]);
    return status;
}

static enum backend_status remove_keys(struct backend *b, const struct slice *keys, size_t n)
{
    enum backend_status status = BACKEND_OK;

    for (size_t i = 0; status == BACKEND_OK && i < n; i++)
        status = run_texts((struct lite *)b, REMOVE, keys[i], (struct slice){0});
    return status;
}

static enum backend_status put_note(struct backend *b, const struct backend_note *note)
{
    struct slice value = note->value.ptr ? note->value : SLICE("");

    return run_texts((struct lite *)b, PUT_NOTE, note->name, value);
}

static enum backend_status reject(struct backend *b, const struct backend_row *row,
                                  const char *reason)
{
    struct lite *l = (struct lite *)b;
    enum backend_status status = BACKEND_OK;
    sqlite3_stmt *s = lite_statement(l, REJECT, &status);

    if (!s)
        return status;
    bind(s, 1, row->key);
    if (row->value.ptr)
        bind(s, 2, row->value);
    else
        sqlite3_bind_null(s, 2);
    bind_or_null(s, 3, row->type);
    bind(s, 4, slice_str(reason));
    sqlite3_bind_int64(s, 5, clock_wall_ms());
    return run(l, s, NULL, NULL);
}

static enum backend_status lite_apply(struct backend *b, const struct backend_batch *batch,
                                      backend_reject_fn *rejected, void *arg)
{
    /* A statement of one row that fails changes nothing: no point to go back to is needed. */
    static const struct sql_batch_steps steps = {
        .chunk_rows = 1,
        .begin = begin_writing,
        .commit = end_writing,
        .rollback = undo,
        .clear = clear,
        .put = put,
        .remove = remove_keys,
        .note = put_note,
        .reject = reject,
    };

    return sql_batch_apply(b, &steps, batch, rejected, arg);
}

/* The keys of the first column, to be told when they are committed. */
enum backend_status lite_gather(struct lite *l, sqlite3_stmt *s, struct sql_keys *keys)
{
    int code;

    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        sql_keys_add(keys, column(s, 0));
    sqlite3_reset(s);
    return lite_said(l, code);
}

static enum backend_status lite_purge(struct backend *b, int64_t now_ms, size_t limit,
                                      backend_key_fn *gone, void *arg)
{
    struct lite *l = (struct lite *)b;
    struct sql_keys keys = {0};
    enum backend_status status = begin_writing(b);
    sqlite3_stmt *s = status == BACKEND_OK ? lite_statement(l, PURGE, &status) : NULL;

    if (s) {
        sqlite3_bind_int64(s, 1, now_ms);
        sqlite3_bind_int64(s, 2, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
        status = lite_gather(l, s, &keys);
    }
    if (status == BACKEND_OK)
        status = end_writing(b);
    if (status != BACKEND_OK)
        rollback(l);
    sql_keys_tell(&keys, status == BACKEND_OK ? gone : NULL, arg);
    return status;
}

/* ---- the connection ------------------------------------------------------------------------- */

static enum backend_status make_ready(struct lite *l)
{
    enum backend_status status;

    sqlite3_busy_timeout(l->db, l->b.options.timeout_ms);
    status = lite_run(&l->b, "PRAGMA journal_mode = WAL");
    if (status == BACKEND_OK)
        status = lite_run(&l->b, "PRAGMA synchronous = FULL");
    if (status == BACKEND_OK)
        status = run_plain(l, BEGIN);
    if (status == BACKEND_OK)
        status = sql_table_ready(&l->b, &lite_table);
    if (status == BACKEND_OK)
        status = run_plain(l, COMMIT);
    return status;
}

static void lite_close(struct backend *b)
{
    struct lite *l = (struct lite *)b;

    if (b->leased && begin_writing(b) == BACKEND_OK) {
        run_texts(l, DROP_NOTE, SLICE(NOTE_LEASE), (struct slice){0});
        end_writing(b);
    }
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(l->statements[i]);
    sqlite3_close(l->db);
    mem_free(l->table);
    mem_free(l->key);
    mem_free(l->value);
    backend_release(b);
    mem_free(l);
}

static struct backend *lite_open(const struct backend_url *url,
                                 const struct backend_options *options, enum backend_status *status,
                                 struct backend_error *error)
{
    struct lite *l = mem_zalloc(sizeof(*l));
    int code;

    backend_init(&l->b, options);
    lease_note_init(&l->me);
    l->table = mem_strdup(url->table);
    l->key = mem_strdup(url->key_column);
    l->value = mem_strdup(url->value_column);
    l->names = (struct sql_names){&dialect, l->table, l->key, l->value, "{k} COLLATE BINARY"};
    code = sqlite3_open_v2(url->path, &l->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    *status = lite_said(l, code);
    if (*status == BACKEND_OK)
        *status = make_ready(l);
    if (*status == BACKEND_OK)
        return &l->b;
    *error = l->b.error;
    lite_close(&l->b);
    return NULL;
}

static void lite_limits(struct backend *b, struct backend_limits *out)
{
    struct lite *l = (struct lite *)b;
    size_t row = (size_t)sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, -1);

    *out = (struct backend_limits){SIZE_MAX, row / 4, SIZE_MAX, row / 4 * 2, l->keys_fold, false};
}

const struct backend_driver backend_sqlite = {
    .scheme = "sqlite",
    .polls = true,
    .open = lite_open,
    .close = lite_close,
    .limits = lite_limits,
    .error = backend_error_of,
    .lease = lite_lease,
    .fetch = lite_fetch,
    .scan = lite_scan,
    .count = lite_count,
    .pick = lite_pick,
    .apply = lite_apply,
    .purge = lite_purge,
    .note = lite_note,
    .watch = lite_watch,
};
