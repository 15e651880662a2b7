/*
 * PostgreSQL, with libpq. Many rows are one statement, whose parameters are arrays.
 *
 * The lease is an advisory lock of the session, which ends with it. Sessions of ours say so by a
 * setting, which the triggers look at.
 */
#include "storage/backend/pgsql_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <poll.h>
#include <stdio.h>

enum { ROWS_AT_ONCE = 2000, BYTES_AT_ONCE = 8 << 20, TRIES = 3 };

/* ---- reading -------------------------------------------------------------------------------- */

/* A row in the columns that sql_scan() tells of. */
static struct backend_row row_of(const PGresult *r, int i)
{
    struct backend_row row = {.key = pg_field(r, i, SCAN_KEY), .expiry = BACKEND_NO_EXPIRY};
    int64_t number;

    if (PQnfields(r) == 1)
        return row;
    row.type = pg_field(r, i, SCAN_TYPE);
    if (num_parse_int(pg_field(r, i, SCAN_EXPIRY), &number))
        row.expiry = number;
    if (PQnfields(r) > SCAN_VALUE) {
        row.value = pg_field(r, i, SCAN_VALUE);
        row.more = pg_field(r, i, SCAN_MORE);
        if (num_parse_int(pg_field(r, i, SCAN_VERSION), &number))
            row.version = (uint64_t)number;
    }
    return row;
}

struct teller {
    backend_row_fn *row;
    void *arg;
};

static void tell_rows(void *arg, const PGresult *r)
{
    const struct teller *t = arg;

    for (int i = 0; i < PQntuples(r); i++) {
        struct backend_row row = row_of(r, i);

        t->row(t->arg, &row);
    }
}

static enum backend_status pg_fetch(struct backend *b, const struct slice *keys, size_t n,
                                    backend_row_fn *row, void *arg)
{
    struct pg *p = (struct pg *)b;
    struct teller t = {row, arg};
    enum backend_status status = BACKEND_OK;

    for (size_t at = 0; at < n && status == BACKEND_OK; at += ROWS_AT_ONCE) {
        struct pg_params ps = {0};

        pg_add_keys(&ps, keys + at, n - at < ROWS_AT_ONCE ? n - at : ROWS_AT_ONCE);
        status = pg_run_with(p, "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE " PG_IS_KEY, &ps,
                             tell_rows, &t);
    }
    return status;
}

/* The time of a statement is the database's to watch, but for one that gives rows all the while. */
static enum backend_status scan_all(struct pg *p, const char *sql, struct pg_params *ps,
                                    struct teller *t)
{
    char limit[64];
    enum backend_status status = pg_run(&p->b, "SET statement_timeout = 0");

    if (status != BACKEND_OK)
        return status;
    p->single = true;
    status = pg_run_sql(p, sql, ps, tell_rows, t);
    p->single = false;
    snprintf(limit, sizeof(limit), "SET statement_timeout = %d", p->b.options.timeout_ms);
    return status == BACKEND_OK ? pg_run(&p->b, limit) : status;
}

static enum backend_status pg_scan(struct backend *b, const struct backend_scan *which,
                                   backend_row_fn *row, void *arg)
{
    struct pg *p = (struct pg *)b;
    struct sql_query q = {0};
    struct pg_params ps = {0};
    struct teller t = {row, arg};
    enum backend_status status;

    sql_scan(&q, &p->names, which);
    for (int i = 0; i < q.len; i++) {
        if (q.params[i].text.ptr)
            pg_add_text(&ps, q.params[i].text);
        else
            pg_add_number(&ps, q.params[i].number);
    }
    buf_append_char(&q.sql, '\0');
    status = which->limit > ROWS_AT_ONCE ? scan_all(p, q.sql.ptr, &ps, &t)
                                         : pg_run_sql(p, q.sql.ptr, &ps, tell_rows, &t);
    sql_query_release(&q);
    return status;
}

static enum backend_status pg_count(struct backend *b, int64_t now_ms, uint64_t *out)
{
    struct pg_params ps = {0};

    *out = 0;
    pg_add_number(&ps, now_ms);
    return pg_run_with((struct pg *)b, "SELECT count(*) FROM {t} WHERE " ALIVE, &ps, pg_take_number,
                       out);
}

static enum backend_status pg_pick(struct backend *b, int64_t now_ms, backend_row_fn *row,
                                   void *arg)
{
    struct pg_params ps = {0};
    struct teller t = {row, arg};

    pg_add_number(&ps, now_ms);
    return pg_run_with((struct pg *)b,
                       "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE " ALIVE " LIMIT 1 OFFSET "
                       "(SELECT floor(random() * count(*))::int8 FROM {t} WHERE " ALIVE ")",
                       &ps, tell_rows, &t);
}

/* A note's value, which is copied, since the result is gone when it is told. */
static void take_value(void *arg, const PGresult *r)
{
    if (PQntuples(r))
        buf_append_slice(arg, pg_field(r, 0, 0));
}

static enum backend_status pg_note(struct backend *b, struct slice name, backend_row_fn *row,
                                   void *arg)
{
    struct pg_params ps = {0};
    struct buf value = {0};
    struct backend_row r = {.key = name, .expiry = BACKEND_NO_EXPIRY};
    enum backend_status status;

    pg_add_text(&ps, name);
    status = pg_run_with((struct pg *)b, "SELECT value FROM {t_latchkey} WHERE name = $1", &ps,
                         take_value, &value);
    r.value = value.len ? buf_slice(&value) : SLICE("");
    if (status == BACKEND_OK)
        row(arg, &r);
    buf_release(&value);
    return status;
}

/* ---- the lease ------------------------------------------------------------------------------ */

static enum backend_status pg_lease(struct backend *b)
{
    int64_t granted = 0;
    enum backend_status status;

    /* The session has it as long as there is a session. */
    status = pg_ask(b, b->leased ? "SELECT 1" : "SELECT pg_try_advisory_lock(" PG_LEASE ")::int",
                    &granted);
    if (status == BACKEND_OK && !granted)
        status = backend_fail(b, BACKEND_NO_LEASE, "another server writes to the table");
    b->leased = status == BACKEND_OK;
    return status;
}

/* ---- writing -------------------------------------------------------------------------------- */

static enum backend_status begin(struct backend *b)
{
    if (!b->leased)
        return backend_fail(b, BACKEND_NO_LEASE, "the lease was not taken");
    /* What is checked at the end of other transactions is checked with each of our rows. */
    return pg_run(b, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE");
}

static enum backend_status commit(struct backend *b)
{
    return pg_run(b, "COMMIT");
}

static void rollback(struct backend *b)
{
    struct pg *p = (struct pg *)b;
    struct backend_error why = b->error;

    if (!p->broken && PQtransactionStatus(p->conn) != PQTRANS_IDLE)
        pg_run(b, "ROLLBACK");
    b->error = why;
}

static enum backend_status mark(struct backend *b)
{
    return pg_run(b, "SAVEPOINT latchkey");
}

static enum backend_status back(struct backend *b)
{
    return pg_run(b, "ROLLBACK TO SAVEPOINT latchkey; RELEASE SAVEPOINT latchkey");
}

static enum backend_status clear(struct backend *b)
{
    return pg_run(b, "DELETE FROM {t}");
}

static void take_changed(void *arg, const PGresult *r)
{
    int64_t n = 0;

    if (num_parse_int(slice_str(PQcmdTuples((PGresult *)r)), &n))
        *(size_t *)arg += (size_t)n;
}

static enum backend_status put(struct backend *b, const struct backend_row *rows, size_t n)
{
    struct pg_params ps = {0};
    size_t changed = 0;
    enum backend_status status;

    pg_add_rows(&ps, rows, n);
    status = pg_run_with((struct pg *)b, PG_UPSERT, &ps, take_changed, &changed);
    if (status == BACKEND_OK && changed < n) {
        b->refused = true;
        status =
            backend_fail(b, BACKEND_WRONG, "the table takes it for another key, or not at all");
    }
    return status;
}

static enum backend_status remove_keys(struct backend *b, const struct slice *keys, size_t n)
{
    struct pg_params ps = {0};

    pg_add_keys(&ps, keys, n);
    return pg_run_with((struct pg *)b, "DELETE FROM {t} WHERE " PG_IS_KEY, &ps, NULL, NULL);
}

static enum backend_status put_note(struct backend *b, const struct backend_note *note)
{
    struct pg_params ps = {0};

    pg_add_text(&ps, note->name);
    pg_add_text(&ps, note->value);
    return pg_run_with((struct pg *)b,
                       "INSERT INTO {t_latchkey} (name, value) VALUES ($1, $2) "
                       "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                       &ps, NULL, NULL);
}

static enum backend_status reject(struct backend *b, const struct backend_row *row,
                                  const char *reason)
{
    struct pg_params ps = {0};

    pg_add_text(&ps, row->key);
    pg_add_text_or_null(&ps, row->value);
    pg_add_text(&ps, row->type);
    pg_add_text(&ps, slice_str(reason));
    pg_add_number(&ps, clock_wall_ms());
    return pg_run_with((struct pg *)b,
                       "INSERT INTO {t_rejects} (key, value, type, reason, time) "
                       "VALUES ($1, $2, nullif($3, ''), $4, $5)",
                       &ps, NULL, NULL);
}

static enum backend_status pg_apply(struct backend *b, const struct backend_batch *batch,
                                    backend_reject_fn *rejected, void *arg)
{
    static const struct sql_batch_steps steps = {
        .chunk_rows = ROWS_AT_ONCE,
        .chunk_bytes = BYTES_AT_ONCE,
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .mark = mark,
        .back = back,
        .clear = clear,
        .put = put,
        .remove = remove_keys,
        .note = put_note,
        .reject = reject,
    };
    struct pg *p = (struct pg *)b;
    enum backend_status status = BACKEND_OK;
    int tries = 0;

    /* A transaction that clashed with another one, such as in a deadlock, is run again. */
    do {
        p->clashed = false;
        status = sql_batch_apply(b, &steps, batch, rejected, arg);
    } while (status != BACKEND_OK && p->clashed && ++tries < TRIES);
    return status;
}

static void take_keys(void *arg, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++)
        sql_keys_add(arg, pg_field(r, i, 0));
}

static enum backend_status pg_purge(struct backend *b, int64_t now_ms, size_t limit,
                                    backend_key_fn *gone, void *arg)
{
    struct pg_params ps = {0};
    struct sql_keys keys = {0};
    enum backend_status status;

    if (!b->leased)
        return backend_fail(b, BACKEND_NO_LEASE, "the lease was not taken");
    pg_add_number(&ps, now_ms);
    pg_add_number(&ps, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
    status = pg_run_with(
        (struct pg *)b,
        "DELETE FROM {t} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {t} WHERE expiry <= $1 "
        "ORDER BY expiry LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING {k}",
        &ps, take_keys, &keys);
    sql_keys_tell(&keys, status == BACKEND_OK ? gone : NULL, arg);
    return status;
}

/* ---- watching ------------------------------------------------------------------------------- */

/* What has come; a notice has the key behind a `k`, or no key if that was too long for it. */
static size_t take_notices(struct pg *p, struct sql_keys *keys, bool *any)
{
    PGnotify *n;

    while ((n = PQnotifies(p->conn)) != NULL) {
        if (n->extra[0] == 'k')
            sql_keys_add(keys, slice_str(n->extra + 1));
        else
            *any = true;
        PQfreemem(n);
    }
    return keys->len + *any;
}

static enum backend_status pg_watch(struct backend *b, int wait_ms, backend_key_fn *changed,
                                    void *arg)
{
    struct pg *p = (struct pg *)b;
    struct sql_keys keys = {0};
    bool any = false;

    if (!p->listening) {
        char sql[64];
        int64_t table = 0;
        enum backend_status status = pg_ask(b, "SELECT {l}::regclass::oid::int8", &table);

        snprintf(sql, sizeof(sql), "LISTEN latchkey_%lld", (long long)table);
        if (status == BACKEND_OK)
            status = pg_run(b, sql);
        p->listening = status == BACKEND_OK;
        return status;
    }
    for (int64_t end_ms = clock_mono_ms() + wait_ms;;) {
        struct pollfd fd = {.fd = p->broken ? -1 : PQsocket(p->conn), .events = POLLIN};
        int64_t left_ms = end_ms - clock_mono_ms();

        if (p->broken || !PQconsumeInput(p->conn)) {
            sql_keys_tell(&keys, NULL, NULL);
            return pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn));
        }
        if (take_notices(p, &keys, &any) || left_ms <= 0)
            break;
        poll(&fd, 1, (int)left_ms);
    }
    sql_keys_tell(&keys, changed, arg);
    if (any)
        changed(arg, (struct slice){0});
    return BACKEND_OK;
}

/* ---- the connection ------------------------------------------------------------------------- */

static enum backend_status shake_hands(struct pg *p)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    enum backend_status status = BACKEND_OK;

    while (state != PGRES_POLLING_OK && status == BACKEND_OK) {
        status = pg_await(p, state == PGRES_POLLING_WRITING);
        if (status == BACKEND_OK)
            state = PQconnectPoll(p->conn);
        if (status == BACKEND_OK && state == PGRES_POLLING_FAILED)
            return pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn));
    }
    return status;
}

static enum backend_status connect_to(struct pg *p, const struct backend_url *url)
{
    const char *sslmode = url->ca ? "verify-full" : url->tls ? "require" : "prefer";
    char port[8];
    const char *const names[] = {"host",
                                 "port",
                                 "dbname",
                                 "user",
                                 "password",
                                 "sslmode",
                                 "sslrootcert",
                                 "sslkey",
                                 "sslcert",
                                 "application_name",
                                 "client_encoding",
                                 NULL};
    const char *const values[] = {url->host,     url->port ? port : NULL,
                                  url->database, url->user,
                                  url->password, sslmode,
                                  url->ca,       url->key,
                                  url->crt,      "latchkey",
                                  "UTF8",        NULL};

    snprintf(port, sizeof(port), "%d", url->port);
    p->deadline_ms = clock_mono_ms() + p->b.options.timeout_ms;
    p->conn = PQconnectStartParams(names, values, 0);
    if (!p->conn || PQstatus(p->conn) == CONNECTION_BAD)
        return pg_broken(p, BACKEND_DOWN, p->conn ? PQerrorMessage(p->conn) : "no memory");
    PQsetnonblocking(p->conn, 1);
    return shake_hands(p);
}

/*
 * A server that is gone without a word is noticed by the database in half a minute, so that
 * another one can have the lease.
 */
static enum backend_status introduce(struct pg *p)
{
    char sql[512];

    snprintf(sql, sizeof(sql),
             "SET latchkey.server = 'yes'; SET client_min_messages = error; "
             "SET standard_conforming_strings = on; SET statement_timeout = %d; "
             "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; "
             "SET tcp_keepalives_count = 3",
             p->b.options.timeout_ms);
    return pg_run(&p->b, sql);
}

static void pg_close(struct backend *b)
{
    struct pg *p = (struct pg *)b;

    /* The session ends some time after it was told to. */
    if (b->leased)
        pg_run(b, "SELECT pg_advisory_unlock(" PG_LEASE ")");
    PQfinish(p->conn);
    mem_free(p->table);
    mem_free(p->key);
    mem_free(p->value);
    backend_release(b);
    mem_free(p);
}

static struct backend *pg_open(const struct backend_url *url, const struct backend_options *options,
                               enum backend_status *status, struct backend_error *error)
{
    struct pg *p = mem_zalloc(sizeof(*p));

    backend_init(&p->b, options);
    p->table = mem_strdup(url->table);
    p->key = mem_strdup(url->key_column);
    p->value = mem_strdup(url->value_column);
    p->names = (struct sql_names){&pg_dialect, p->table, p->key, p->value, "{k} COLLATE \"C\""};
    *status = connect_to(p, url);
    if (*status == BACKEND_OK)
        *status = introduce(p);
    if (*status == BACKEND_OK)
        *status = pg_make_ready(p);
    if (*status == BACKEND_OK)
        return &p->b;
    *error = p->b.error;
    pg_close(&p->b);
    return NULL;
}

static void pg_limits(struct backend *b, struct backend_limits *out)
{
    *out = ((struct pg *)b)->limits;
}

const struct backend_driver backend_pgsql = {
    .scheme = "pgsql",
    .open = pg_open,
    .close = pg_close,
    .limits = pg_limits,
    .error = backend_error_of,
    .lease = pg_lease,
    .fetch = pg_fetch,
    .scan = pg_scan,
    .count = pg_count,
    .pick = pg_pick,
    .apply = pg_apply,
    .purge = pg_purge,
    .note = pg_note,
    .watch = pg_watch,
};
