/*
 * MySQL and MariaDB, with libmariadb. Many rows are one statement, with a parameter for each value.
 *
 * The lease is a lock of the session (GET_LOCK), which ends with it. Sessions of ours have a
 * variable, which the triggers look at.
 *
 * Tables of others may take different keys for the same one: case, accents, spaces at the end. Then
 * a key is asked for twice, as the table compares and bytewise, and rows that are written are
 * counted bytewise behind it.
 */
#include "storage/backend/mysql_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <pthread.h>
#include <stdio.h>

enum { ROWS_AT_ONCE = 500, KEYS_AT_ONCE = 1000, BYTES_AT_ONCE = 1 << 20, TRIES = 3 };
enum { PURGE_MAX = 10000 };

#define ALIVE "(expiry IS NULL OR expiry > ?)"

/* ---- reading -------------------------------------------------------------------------------- */

struct teller {
    backend_row_fn *row;
    void *arg;
};

static struct slice text_of(struct slice column)
{
    return column.ptr ? column : SLICE("");
}

/* A row in the columns that sql_scan() tells of. */
static void tell_row(void *arg, const struct slice *columns, unsigned n)
{
    const struct teller *t = arg;
    struct backend_row row = {.key = text_of(columns[SCAN_KEY]), .expiry = BACKEND_NO_EXPIRY};
    int64_t number;

    row.type = columns[SCAN_TYPE];
    if (columns[SCAN_EXPIRY].ptr && num_parse_int(columns[SCAN_EXPIRY], &number))
        row.expiry = number;
    if (n > SCAN_VALUE) {
        row.value = text_of(columns[SCAN_VALUE]);
        row.more = columns[SCAN_MORE];
        if (columns[SCAN_VERSION].ptr && num_parse_int(columns[SCAN_VERSION], &number))
            row.version = (uint64_t)number;
    }
    t->row(t->arg, &row);
}

static void put_list(struct buf *sql, const char *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_append_str(sql, i ? "," : "");
        buf_append_str(sql, item);
    }
}

/* `head` with a condition behind it that it is one of these keys. */
static enum backend_status run_for_keys(struct my *m, const char *head, const struct slice *keys,
                                        size_t n, my_row_fn *row, void *arg)
{
    struct buf sql = {0};
    struct my_params ps;
    enum backend_status status;

    my_params_init(&ps, n * 2);
    sql_format(&sql, &m->names, head);
    for (int pass = 0; pass < 1 + m->limits.keys_fold; pass++) {
        sql_format(&sql, &m->names, pass ? ") AND {o} IN (" : " WHERE {k} IN (");
        put_list(&sql, "?", n);
        for (size_t i = 0; i < n; i++)
            my_add_text(&ps, keys[i]);
    }
    buf_append(&sql, ")", 2);
    status = my_run_sql(m, sql.ptr, &ps, row, arg);
    buf_release(&sql);
    return status;
}

static enum backend_status my_fetch(struct backend *b, const struct slice *keys, size_t n,
                                    backend_row_fn *row, void *arg)
{
    struct teller t = {row, arg};
    enum backend_status status = BACKEND_OK;

    for (size_t at = 0; at < n && status == BACKEND_OK; at += KEYS_AT_ONCE)
        status = run_for_keys((struct my *)b, "SELECT " SQL_ALL_COLUMNS " FROM {t}", keys + at,
                              n - at < KEYS_AT_ONCE ? n - at : KEYS_AT_ONCE, tell_row, &t);
    return status;
}

static enum backend_status my_scan(struct backend *b, const struct backend_scan *which,
                                   backend_row_fn *row, void *arg)
{
    struct my *m = (struct my *)b;
    struct sql_query q = {0};
    struct my_params ps;
    struct teller t = {row, arg};
    enum backend_status status;

    sql_scan(&q, &m->names, which);
    my_params_init(&ps, SQL_PARAMS_MAX);
    for (int i = 0; i < q.len; i++) {
        if (q.params[i].text.ptr)
            my_add_text(&ps, q.params[i].text);
        else
            my_add_number(&ps, q.params[i].number);
    }
    buf_append_char(&q.sql, '\0');
    status = my_run_sql(m, q.sql.ptr, &ps, tell_row, &t);
    sql_query_release(&q);
    return status;
}

static enum backend_status my_count(struct backend *b, int64_t now_ms, uint64_t *out)
{
    struct my_params ps;

    *out = 0;
    my_params_init(&ps, 1);
    my_add_number(&ps, now_ms);
    return my_run_with((struct my *)b, "SELECT count(*) FROM {t} WHERE " ALIVE, &ps, my_take_number,
                       out);
}

static enum backend_status my_pick(struct backend *b, int64_t now_ms, backend_row_fn *row,
                                   void *arg)
{
    struct teller t = {row, arg};
    struct my_params ps;
    uint64_t n;
    enum backend_status status = my_count(b, now_ms, &n);

    if (status != BACKEND_OK || n == 0)
        return status;
    my_params_init(&ps, 2);
    my_add_number(&ps, now_ms);
    my_add_number(&ps, (int64_t)rng_below(n));
    return my_run_with((struct my *)b,
                       "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE " ALIVE " LIMIT 1 OFFSET ?", &ps,
                       tell_row, &t);
}

static void take_value(void *arg, const struct slice *columns, unsigned n)
{
    if (n)
        buf_append_slice(arg, text_of(columns[0]));
}

static enum backend_status my_note(struct backend *b, struct slice name, backend_row_fn *row,
                                   void *arg)
{
    struct my_params ps;
    struct buf value = {0};
    struct backend_row r = {.key = name, .expiry = BACKEND_NO_EXPIRY};
    enum backend_status status;

    my_params_init(&ps, 1);
    my_add_text(&ps, name);
    status = my_run_with((struct my *)b, "SELECT value FROM {t_latchkey} WHERE name = ?", &ps,
                         take_value, &value);
    r.value = text_of(buf_slice(&value));
    if (status == BACKEND_OK)
        row(arg, &r);
    buf_release(&value);
    return status;
}

/* ---- the lease ------------------------------------------------------------------------------ */

static enum backend_status my_lease(struct backend *b)
{
    int64_t granted = 0;
    enum backend_status status =
        my_ask(b,
               b->leased ? "SELECT IS_USED_LOCK(" MY_LEASE ") = CONNECTION_ID()"
                         : "SELECT GET_LOCK(" MY_LEASE ", 0)",
               &granted);

    if (status == BACKEND_OK && !granted)
        status = backend_fail(b, BACKEND_NO_LEASE, "another server writes to the table");
    /* If this server is gone without a word, another one can have the lease soon. */
    if (status == BACKEND_OK && !b->leased)
        status = my_run(b, "SET SESSION wait_timeout = 30");
    b->leased = status == BACKEND_OK;
    return status;
}

/* ---- writing -------------------------------------------------------------------------------- */

static enum backend_status begin(struct backend *b)
{
    if (!b->leased)
        return backend_fail(b, BACKEND_NO_LEASE, "the lease was not taken");
    return my_run(b, "START TRANSACTION");
}

static enum backend_status commit(struct backend *b)
{
    return my_run(b, "COMMIT");
}

static void rollback(struct backend *b)
{
    struct backend_error why = b->error;

    if (!((struct my *)b)->broken)
        my_run(b, "ROLLBACK");
    b->error = why;
}

static enum backend_status mark(struct backend *b)
{
    return my_run(b, "SAVEPOINT latchkey");
}

static enum backend_status back(struct backend *b)
{
    return my_run(b, "ROLLBACK TO SAVEPOINT latchkey");
}

static enum backend_status clear(struct backend *b)
{
    return my_run(b, "DELETE FROM {t}");
}

static void add_text_or_null(struct my_params *ps, struct slice text)
{
    if (text.len)
        my_add_text(ps, text);
    else
        my_add_null(ps);
}

static void add_row(struct my_params *ps, const struct backend_row *row)
{
    my_add_text(ps, row->key);
    my_add_text(ps, row->value);
    add_text_or_null(ps, row->type);
    add_text_or_null(ps, row->more);
    if (row->expiry == BACKEND_NO_EXPIRY)
        my_add_null(ps);
    else
        my_add_number(ps, row->expiry);
    if (row->version)
        my_add_number(ps, (int64_t)row->version);
    else
        my_add_null(ps);
}

/* Whether the table has them all as they were written, and took none for another one. */
static enum backend_status check_put(struct my *m, const struct backend_row *rows, size_t n)
{
    struct slice *keys = mem_alloc(n * sizeof(*keys));
    int64_t found = 0;
    enum backend_status status;

    for (size_t i = 0; i < n; i++)
        keys[i] = rows[i].key;
    status = run_for_keys(m, "SELECT count(*) FROM {t}", keys, n, my_take_number, &found);
    mem_free(keys);
    if (status == BACKEND_OK && (size_t)found != n) {
        m->b.refused = true;
        status = backend_fail(&m->b, BACKEND_WRONG, "the table takes it for another key");
    }
    return status;
}

static enum backend_status put(struct backend *b, const struct backend_row *rows, size_t n)
{
    struct my *m = (struct my *)b;
    struct buf sql = {0};
    struct my_params ps;
    enum backend_status status;

    my_params_init(&ps, n * 6);
    for (size_t i = 0; i < n; i++)
        add_row(&ps, &rows[i]);
    sql_format(&sql, &m->names, "INSERT INTO {t} ({k}, {v}, type, more, expiry, version) VALUES ");
    put_list(&sql, "(?,?,?,?,?,?)", n);
    sql_format(&sql, &m->names,
               " ON DUPLICATE KEY UPDATE {v} = VALUES({v}), type = VALUES(type), "
               "more = VALUES(more), expiry = VALUES(expiry), version = VALUES(version)");
    buf_append_char(&sql, '\0');
    status = my_run_sql(m, sql.ptr, &ps, NULL, NULL);
    buf_release(&sql);
    return status == BACKEND_OK && m->limits.keys_fold ? check_put(m, rows, n) : status;
}

static enum backend_status remove_keys(struct backend *b, const struct slice *keys, size_t n)
{
    return run_for_keys((struct my *)b, "DELETE FROM {t}", keys, n, NULL, NULL);
}

static enum backend_status put_note(struct backend *b, const struct backend_note *note)
{
    struct my_params ps;

    my_params_init(&ps, 2);
    my_add_text(&ps, note->name);
    my_add_text(&ps, note->value);
    return my_run_with((struct my *)b, "REPLACE INTO {t_latchkey} (name, value) VALUES (?, ?)", &ps,
                       NULL, NULL);
}

static enum backend_status reject(struct backend *b, const struct backend_row *row,
                                  const char *reason)
{
    struct my_params ps;

    my_params_init(&ps, 5);
    my_add_text(&ps, row->key);
    if (row->value.ptr)
        my_add_text(&ps, row->value);
    else
        my_add_null(&ps);
    add_text_or_null(&ps, row->type);
    my_add_text(&ps, slice_str(reason));
    my_add_number(&ps, clock_wall_ms());
    return my_run_with((struct my *)b,
                       "INSERT INTO {t_rejects} (`key`, value, type, reason, time) "
                       "VALUES (?, ?, ?, ?, ?)",
                       &ps, NULL, NULL);
}

static enum backend_status my_apply(struct backend *b, const struct backend_batch *batch,
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
    struct my *m = (struct my *)b;
    enum backend_status status = BACKEND_OK;
    int tries = 0;

    /* A transaction that clashed with another one, such as in a deadlock, is run again. */
    do {
        m->clashed = false;
        status = sql_batch_apply(b, &steps, batch, rejected, arg);
    } while (status != BACKEND_OK && m->clashed && ++tries < TRIES);
    return status;
}

/* Deletes these keys, in as many statements as it takes. */
static enum backend_status remove_all(struct my *m, const char *head, const struct sql_keys *keys)
{
    struct slice some[KEYS_AT_ONCE];
    enum backend_status status = BACKEND_OK;
    size_t at = 0, n = 0;

    for (size_t i = 0; status == BACKEND_OK && i < keys->len; i++) {
        some[n++] = sql_keys_next(keys, &at);
        if (n == KEYS_AT_ONCE || i + 1 == keys->len) {
            status = run_for_keys(m, head, some, n, NULL, NULL);
            n = 0;
        }
    }
    return status;
}

static enum backend_status my_purge(struct backend *b, int64_t now_ms, size_t limit,
                                    backend_key_fn *gone, void *arg)
{
    struct my *m = (struct my *)b;
    struct my_params ps;
    struct sql_keys keys = {0};
    enum backend_status status = begin(b);

    if (status != BACKEND_OK)
        return status;
    my_params_init(&ps, 2);
    my_add_number(&ps, now_ms);
    my_add_number(&ps, limit < PURGE_MAX ? (int64_t)limit : PURGE_MAX);
    status =
        my_run_with(m, "SELECT {k} FROM {t} WHERE expiry <= ? ORDER BY expiry LIMIT ? FOR UPDATE",
                    &ps, my_take_keys, &keys);
    if (status == BACKEND_OK)
        status = remove_all(m, "DELETE FROM {t}", &keys);
    if (status == BACKEND_OK)
        status = commit(b);
    if (status != BACKEND_OK)
        rollback(b);
    sql_keys_tell(&keys, status == BACKEND_OK ? gone : NULL, arg);
    return status;
}

/* ---- watching ------------------------------------------------------------------------------- */

struct changes {
    struct sql_keys keys;
    struct buf ids; /* a list */
};

static void take_change(void *arg, const struct slice *columns, unsigned n)
{
    struct changes *c = arg;

    if (n != 2)
        return;
    buf_append_str(&c->ids, c->ids.len ? "," : "");
    buf_append_slice(&c->ids, columns[0]);
    sql_keys_add(&c->keys, text_of(columns[1]));
}

/* Those that are read are deleted, by their numbers: others may come that have lower ones. */
static enum backend_status take_changes(struct my *m, struct changes *c)
{
    struct buf sql = {0};
    enum backend_status status =
        my_run_with(m, "SELECT id, `key` FROM {t_changes} LIMIT 1000", NULL, take_change, c);

    if (status != BACKEND_OK || !c->ids.len)
        return status;
    buf_append_str(&sql, "DELETE FROM {t_changes} WHERE id IN (");
    buf_append_slice(&sql, buf_slice(&c->ids));
    buf_append(&sql, ")", 2);
    status = my_run(&m->b, sql.ptr);
    buf_release(&sql);
    return status;
}

static void nap(int64_t ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&span, NULL);
}

static enum backend_status my_watch(struct backend *b, int wait_ms, backend_key_fn *changed,
                                    void *arg)
{
    struct my *m = (struct my *)b;
    struct changes c = {0};
    enum backend_status status;

    if (!m->watching) {
        status = my_run(b, "DELETE FROM {t_changes}");
        m->watching = status == BACKEND_OK;
        return status;
    }
    for (int64_t end_ms = clock_mono_ms() + wait_ms;;) {
        int64_t left_ms = end_ms - clock_mono_ms();

        status = take_changes(m, &c);
        if (status != BACKEND_OK || c.keys.len || left_ms <= 0)
            break;
        nap(left_ms < b->options.poll_ms ? left_ms : b->options.poll_ms);
    }
    sql_keys_tell(&c.keys, status == BACKEND_OK ? changed : NULL, arg);
    buf_release(&c.ids);
    return status;
}

/* ---- the connection ------------------------------------------------------------------------- */

static void begin_library(void)
{
    mysql_library_init(0, NULL, NULL);
}

static void set_options(struct my *m, const struct backend_url *url)
{
    unsigned seconds = (unsigned)(m->b.options.timeout_ms + 999) / 1000;
    unsigned protocol = url->host[0] == '/' ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    my_bool enforce = url->tls, verify = url->ca != NULL;

    mysql_options(m->conn, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(m->conn, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(m->conn, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_options(m->conn, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(m->conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!url->tls)
        return;
    mysql_ssl_set(m->conn, url->key, url->crt, url->ca, NULL, NULL);
    mysql_options(m->conn, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(m->conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

static enum backend_status connect_to(struct my *m, const struct backend_url *url)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool is_socket = url->host[0] == '/';

    pthread_once(&once, begin_library);
    m->conn = mysql_init(NULL);
    set_options(m, url);
    m->began_ms = clock_mono_ms();
    if (mysql_real_connect(m->conn, is_socket ? NULL : url->host, url->user, url->password,
                           url->database, (unsigned)url->port, is_socket ? url->host : NULL, 0))
        return BACKEND_OK;
    return my_failed(m, mysql_errno(m->conn), mysql_sqlstate(m->conn), mysql_error(m->conn));
}

/* Nothing is cut short silently, and a backslash in a literal is one. */
static enum backend_status introduce(struct my *m)
{
    char sql[256];

    snprintf(sql, sizeof(sql),
             "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES', "
             "@latchkey_server = 'yes', SESSION innodb_lock_wait_timeout = %d, autocommit = 1",
             (m->b.options.timeout_ms + 999) / 1000);
    return my_run(&m->b, sql);
}

static void my_close(struct backend *b)
{
    struct my *m = (struct my *)b;
    int64_t released;

    /* The session ends some time after it was told to. */
    if (b->leased)
        my_ask(b, "SELECT RELEASE_LOCK(" MY_LEASE ")", &released);
    my_forget_statements(m);
    if (m->conn)
        mysql_close(m->conn);
    mem_free(m->table);
    mem_free(m->key);
    mem_free(m->value);
    backend_release(b);
    mem_free(m);
}

static struct backend *my_open(const struct backend_url *url, const struct backend_options *options,
                               enum backend_status *status, struct backend_error *error)
{
    struct my *m = mem_zalloc(sizeof(*m));

    backend_init(&m->b, options);
    m->table = mem_strdup(url->table);
    m->key = mem_strdup(url->key_column);
    m->value = mem_strdup(url->value_column);
    m->names = (struct sql_names){&my_dialect, m->table, m->key, m->value, "{k}"};
    *status = connect_to(m, url);
    if (*status == BACKEND_OK)
        *status = introduce(m);
    if (*status == BACKEND_OK)
        *status = my_make_ready(m);
    if (*status == BACKEND_OK)
        return &m->b;
    *error = m->b.error;
    my_close(&m->b);
    return NULL;
}

static void my_limits(struct backend *b, struct backend_limits *out)
{
    *out = ((struct my *)b)->limits;
}

const struct backend_driver backend_mysql = {
    .scheme = "mysql",
    .polls = true,
    .open = my_open,
    .close = my_close,
    .limits = my_limits,
    .error = backend_error_of,
    .lease = my_lease,
    .fetch = my_fetch,
    .scan = my_scan,
    .count = my_count,
    .pick = my_pick,
    .apply = my_apply,
    .purge = my_purge,
    .note = my_note,
    .watch = my_watch,
};
