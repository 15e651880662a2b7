/*
 * Statements on a connection to MySQL or MariaDB: always prepared, and the last few kept. Times are
 * the client library's to watch, in whole seconds, and apply to each part of an answer.
 */
#include "storage/backend/mysql_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

/* Errors of the server; of the client's own there is a range. */
enum {
    ER_CON_COUNT = 1040,
    ER_SHUTDOWN = 1053,
    ER_FULL = 1021,
    ER_TABLE_FULL = 1114,
    ER_TOO_MANY = 1203,
    ER_LOCK_WAIT = 1205,
    ER_CLASH = 1213,
    ER_OPTION_READ_ONLY = 1290,
    ER_INTERRUPTED = 1317,
    ER_BAD_CHARACTERS = 1366,
    ER_NO_DEFAULT = 1364,
    ER_READ_ONLY = 1836,
    ER_KILLED = 1927,
    ER_TOO_LONG = 1969,
    ER_TOO_LONG_MYSQL = 3024,
    ER_CHECK = 3819,
    CLIENT_FIRST = 2000,
    CLIENT_LAST = 2999,
};

static enum backend_status broken(struct my *m, enum backend_status status, const char *text)
{
    m->broken = true;
    m->b.leased = false;
    return backend_fail(&m->b, status, "%s", text);
}

static bool in_time(const struct my *m)
{
    return clock_mono_ms() - m->began_ms < m->b.options.timeout_ms;
}

static bool is_of_data(unsigned code, const char *state)
{
    return code == ER_BAD_CHARACTERS || code == ER_NO_DEFAULT || code == ER_CHECK ||
           strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
           strncmp(state, "44", 2) == 0 || strncmp(state, "45", 2) == 0;
}

enum backend_status my_failed(struct my *m, unsigned code, const char *state, const char *text)
{
    if (code >= CLIENT_FIRST && code <= CLIENT_LAST)
        return in_time(m) ? broken(m, BACKEND_DOWN, text)
                          : broken(m, BACKEND_TIMEOUT, "the database does not answer in time");
    switch (code) {
    case ER_CON_COUNT:
    case ER_SHUTDOWN:
    case ER_FULL:
    case ER_TABLE_FULL:
    case ER_TOO_MANY:
    case ER_OPTION_READ_ONLY:
    case ER_INTERRUPTED:
    case ER_READ_ONLY:
    case ER_KILLED:
        return broken(m, BACKEND_DOWN, text);
    case ER_LOCK_WAIT:
    case ER_TOO_LONG:
    case ER_TOO_LONG_MYSQL:
        return broken(m, BACKEND_TIMEOUT, text);
    case ER_CLASH:
        m->clashed = true;
        return backend_fail(&m->b, BACKEND_DOWN, "%s", text);
    default:
        m->b.refused = is_of_data(code, state);
        return backend_fail(&m->b, BACKEND_WRONG, "%s", text);
    }
}

static enum backend_status statement_failed(struct my *m, MYSQL_STMT *s)
{
    return my_failed(m, mysql_stmt_errno(s), mysql_stmt_sqlstate(s), mysql_stmt_error(s));
}

/* ---- parameters ----------------------------------------------------------------------------- */

void my_params_init(struct my_params *ps, size_t cap)
{
    ps->len = 0;
    ps->cap = cap;
    ps->binds = mem_zalloc(cap * sizeof(*ps->binds));
    ps->numbers = mem_alloc(cap * sizeof(*ps->numbers));
}

static MYSQL_BIND *next_bind(struct my_params *ps)
{
    INVARIANT(ps->len < ps->cap);
    return &ps->binds[ps->len++];
}

void my_add_text(struct my_params *ps, struct slice text)
{
    MYSQL_BIND *bind = next_bind(ps);

    bind->buffer_type = MYSQL_TYPE_STRING;
    bind->buffer = (void *)(text.len ? text.ptr : "");
    bind->buffer_length = (unsigned long)text.len;
}

void my_add_null(struct my_params *ps)
{
    next_bind(ps)->buffer_type = MYSQL_TYPE_NULL;
}

void my_add_number(struct my_params *ps, int64_t number)
{
    int64_t *place = &ps->numbers[ps->len];
    MYSQL_BIND *bind = next_bind(ps);

    *place = number;
    bind->buffer_type = MYSQL_TYPE_LONGLONG;
    bind->buffer = place;
}

static void release(struct my_params *ps)
{
    mem_free(ps->binds);
    mem_free(ps->numbers);
    *ps = (struct my_params){0};
}

/* ---- statements ----------------------------------------------------------------------------- */

void my_forget_statements(struct my *m)
{
    for (size_t i = 0; i < MY_KEPT; i++) {
        if (m->kept[i].stmt)
            mysql_stmt_close(m->kept[i].stmt);
        mem_free(m->kept[i].sql);
        m->kept[i] = (struct my_statement){0};
    }
}

/* The statement, prepared now or earlier; NULL: *status. */
static MYSQL_STMT *prepared(struct my *m, const char *sql, enum backend_status *status)
{
    struct my_statement *place;
    MYSQL_STMT *s;

    for (size_t i = 0; i < MY_KEPT; i++) {
        if (m->kept[i].sql && strcmp(m->kept[i].sql, sql) == 0)
            return m->kept[i].stmt;
    }
    s = mysql_stmt_init(m->conn);
    if (mysql_stmt_prepare(s, sql, strlen(sql))) {
        *status = statement_failed(m, s);
        mysql_stmt_close(s);
        return NULL;
    }
    place = &m->kept[m->next_kept++ % MY_KEPT];
    if (place->stmt)
        mysql_stmt_close(place->stmt);
    mem_free(place->sql);
    *place = (struct my_statement){mem_strdup(sql), s};
    return s;
}

/* Where a row's columns lie while it is told. */
struct cells {
    MYSQL_BIND binds[MY_COLUMNS_MAX];
    unsigned long lens[MY_COLUMNS_MAX];
    my_bool nulls[MY_COLUMNS_MAX];
    struct buf texts[MY_COLUMNS_MAX];
    struct slice columns[MY_COLUMNS_MAX];
    unsigned n;
};

/* The lengths come with the row, then the texts are asked for with as much room. */
static void bind_cells(struct cells *c, MYSQL_STMT *s)
{
    *c = (struct cells){.n = mysql_stmt_field_count(s)};
    INVARIANT(c->n <= MY_COLUMNS_MAX);
    for (unsigned i = 0; i < c->n; i++) {
        c->binds[i].buffer_type = MYSQL_TYPE_STRING;
        c->binds[i].length = &c->lens[i];
        c->binds[i].is_null = &c->nulls[i];
    }
    mysql_stmt_bind_result(s, c->binds);
}

static void fill_cells(struct cells *c, MYSQL_STMT *s)
{
    for (unsigned i = 0; i < c->n; i++) {
        MYSQL_BIND bind = c->binds[i];

        c->columns[i] = (struct slice){0};
        if (c->nulls[i])
            continue;
        c->texts[i].len = 0;
        bind.buffer = buf_reserve(&c->texts[i], c->lens[i] + 1);
        bind.buffer_length = c->lens[i] + 1;
        mysql_stmt_fetch_column(s, &bind, i, 0);
        c->columns[i] = slice_make(c->texts[i].ptr, c->lens[i]);
    }
}

static enum backend_status take_rows(struct my *m, MYSQL_STMT *s, my_row_fn *row, void *arg)
{
    struct cells c;
    int code;

    bind_cells(&c, s);
    while ((code = mysql_stmt_fetch(s)) == 0 || code == MYSQL_DATA_TRUNCATED) {
        fill_cells(&c, s);
        if (row)
            row(arg, c.columns, c.n);
        m->began_ms = clock_mono_ms();
    }
    for (unsigned i = 0; i < c.n; i++)
        buf_release(&c.texts[i]);
    return code == MYSQL_NO_DATA ? BACKEND_OK : statement_failed(m, s);
}

static enum backend_status execute(struct my *m, const char *sql, struct my_params *ps,
                                   my_row_fn *row, void *arg)
{
    enum backend_status status = BACKEND_OK;
    MYSQL_STMT *s;

    m->began_ms = clock_mono_ms();
    if (m->broken)
        return backend_fail(&m->b, BACKEND_DOWN, "the connection is broken");
    s = prepared(m, sql, &status);
    if (!s)
        return status;
    if ((ps && mysql_stmt_bind_param(s, ps->binds)) || mysql_stmt_execute(s))
        return statement_failed(m, s);
    if (mysql_stmt_field_count(s))
        status = take_rows(m, s, row, arg);
    mysql_stmt_free_result(s);
    return status;
}

enum backend_status my_run_sql(struct my *m, const char *sql, struct my_params *ps, my_row_fn *row,
                               void *arg)
{
    enum backend_status status = execute(m, sql, ps, row, arg);

    if (ps)
        release(ps);
    return status;
}

enum backend_status my_run_with(struct my *m, const char *template, struct my_params *ps,
                                my_row_fn *row, void *arg)
{
    char *sql = sql_string(&m->names, template);
    enum backend_status status = my_run_sql(m, sql, ps, row, arg);

    mem_free(sql);
    return status;
}

/* Not everything can be prepared; what has neither parameters nor rows need not be. */
enum backend_status my_run(struct backend *b, const char *template)
{
    struct my *m = (struct my *)b;
    char *sql;
    int code;

    m->began_ms = clock_mono_ms();
    if (m->broken)
        return backend_fail(b, BACKEND_DOWN, "the connection is broken");
    sql = sql_string(&m->names, template);
    code = mysql_real_query(m->conn, sql, strlen(sql));
    mem_free(sql);
    return code ? my_failed(m, mysql_errno(m->conn), mysql_sqlstate(m->conn), mysql_error(m->conn))
                : BACKEND_OK;
}

void my_take_number(void *arg, const struct slice *columns, unsigned n)
{
    if (n && columns[0].ptr)
        num_parse_int(columns[0], arg);
}

void my_take_keys(void *arg, const struct slice *columns, unsigned n)
{
    if (n && columns[0].ptr)
        sql_keys_add(arg, columns[0]);
}

enum backend_status my_ask(struct backend *b, const char *template, int64_t *out)
{
    *out = 0;
    return my_run_with((struct my *)b, template, NULL, my_take_number, out);
}

enum backend_status my_ask_of(struct my *m, const char *template, const char *text, int64_t *out)
{
    struct my_params ps;

    *out = 0;
    my_params_init(&ps, 1);
    my_add_text(&ps, slice_str(text));
    return my_run_with(m, template, &ps, my_take_number, out);
}
