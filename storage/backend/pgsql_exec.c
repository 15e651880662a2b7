/*
 * Statements on a connection to PostgreSQL. It never blocks: what is sent and what comes back is
 * waited for with poll() until the time of the function is over. All parameters are binary, so that
 * nothing of them is ever quoted.
 */
#include "storage/backend/pgsql_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>

/* Of types, as the catalogue has them. */
enum { OID_INT8 = 20, OID_TEXT = 25, OID_TEXT_ARRAY = 1009, OID_INT8_ARRAY = 1016 };

/* ---- the connection as bytes ---------------------------------------------------------------- */

enum backend_status pg_broken(struct pg *p, enum backend_status status, const char *why)
{
    p->broken = true;
    p->b.leased = false;
    return backend_fail(&p->b, status, "%s", *why ? why : "the connection is broken");
}

/* Waits until the socket can be read (or written, if `out`); in time. */
enum backend_status pg_await(struct pg *p, bool out)
{
    struct pollfd fd = {.fd = PQsocket(p->conn), .events = out ? POLLIN | POLLOUT : POLLIN};
    int64_t left_ms = p->deadline_ms - clock_mono_ms();
    int n = left_ms > 0 ? poll(&fd, 1, (int)left_ms) : 0;

    if (n > 0 || (n < 0 && errno == EINTR))
        return BACKEND_OK;
    return pg_broken(p, n ? BACKEND_DOWN : BACKEND_TIMEOUT,
                     n ? "poll failed" : "the database does not answer in time");
}

static enum backend_status flush(struct pg *p)
{
    enum backend_status status = BACKEND_OK;
    int left;

    while ((left = PQflush(p->conn)) == 1 && status == BACKEND_OK) {
        status = pg_await(p, true);
        if (status == BACKEND_OK && !PQconsumeInput(p->conn))
            return pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn));
    }
    return left < 0 ? pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn)) : status;
}

/* The next result; *out is NULL behind the last. */
static enum backend_status next_result(struct pg *p, PGresult **out)
{
    enum backend_status status = BACKEND_OK;

    *out = NULL;
    while (PQisBusy(p->conn) && status == BACKEND_OK) {
        status = pg_await(p, false);
        if (status == BACKEND_OK && !PQconsumeInput(p->conn))
            return pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn));
    }
    if (status == BACKEND_OK)
        *out = PQgetResult(p->conn);
    return status;
}

/* What an error means. Its classes are those of the standard. */
static enum backend_status failed(struct pg *p, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    if (!text)
        text = PQerrorMessage(p->conn);
    if (!state || PQstatus(p->conn) == CONNECTION_BAD || strncmp(state, "08", 2) == 0 ||
        strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0 || strcmp(state, "25006") == 0)
        return pg_broken(p, BACKEND_DOWN, text);
    if (strcmp(state, "57014") == 0 || strcmp(state, "55P03") == 0)
        return pg_broken(p, BACKEND_TIMEOUT, text);
    if (strncmp(state, "57", 2) == 0)
        return pg_broken(p, BACKEND_DOWN, text);
    p->clashed = strncmp(state, "40", 2) == 0;
    /* Data, constraints, folded keys twice, keys beyond an index, and what triggers raise. */
    p->b.refused = strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
                   strncmp(state, "21", 2) == 0 || strncmp(state, "44", 2) == 0 ||
                   strncmp(state, "54", 2) == 0 || strncmp(state, "P0", 2) == 0;
    return backend_fail(&p->b, p->clashed ? BACKEND_DOWN : BACKEND_WRONG, "%s", text);
}

/* ---- statements ----------------------------------------------------------------------------- */

static void add(struct pg_params *ps, Oid type, const char *ptr, size_t len)
{
    ps->types[ps->len] = type;
    ps->values[ps->len] = ptr;
    ps->lens[ps->len] = (int)len;
    ps->formats[ps->len] = 1;
    ps->len++;
}

void pg_add_text(struct pg_params *ps, struct slice text)
{
    add(ps, OID_TEXT, text.len ? text.ptr : "", text.len);
}

void pg_add_text_or_null(struct pg_params *ps, struct slice text)
{
    add(ps, OID_TEXT, text.ptr, text.len);
}

void pg_add_number(struct pg_params *ps, int64_t number)
{
    char *out = ps->numbers[ps->len];
    uint64_t big = htobe64((uint64_t)number);

    memcpy(out, &big, sizeof(big));
    add(ps, OID_INT8, out, sizeof(big));
}

static void put_int(struct buf *b, uint32_t n)
{
    n = htobe32(n);
    buf_append(b, &n, sizeof(n));
}

/* The head of an array of `n` elements: one dimension, with NULLs, from 1 on. */
static struct buf *begin_array(struct pg_params *ps, Oid element, size_t n)
{
    struct buf *b = &ps->arrays[ps->len];

    put_int(b, n ? 1 : 0);
    put_int(b, 1);
    put_int(b, element);
    if (n) {
        put_int(b, (uint32_t)n);
        put_int(b, 1);
    }
    return b;
}

static void put_text(struct buf *b, struct slice text, bool null)
{
    put_int(b, null ? UINT32_MAX : (uint32_t)text.len);
    if (!null)
        buf_append_slice(b, text);
}

static void put_number(struct buf *b, int64_t number, bool null)
{
    uint64_t big = htobe64((uint64_t)number);

    put_int(b, null ? UINT32_MAX : sizeof(big));
    if (!null)
        buf_append(b, &big, sizeof(big));
}

static void end_array(struct pg_params *ps, const struct buf *b, Oid type)
{
    add(ps, type, b->ptr, b->len);
}

void pg_add_keys(struct pg_params *ps, const struct slice *keys, size_t n)
{
    struct buf *b = begin_array(ps, OID_TEXT, n);

    for (size_t i = 0; i < n; i++)
        put_text(b, keys[i], false);
    end_array(ps, b, OID_TEXT_ARRAY);
}

/* The columns of rows, each an array. */
void pg_add_rows(struct pg_params *ps, const struct backend_row *rows, size_t n)
{
    static const size_t texts[] = {
        offsetof(struct backend_row, key), offsetof(struct backend_row, value),
        offsetof(struct backend_row, type), offsetof(struct backend_row, more)};
    struct buf *b;

    for (size_t column = 0; column < COUNT_OF(texts); column++) {
        b = begin_array(ps, OID_TEXT, n);
        for (size_t i = 0; i < n; i++) {
            struct slice text;

            memcpy(&text, (const char *)&rows[i] + texts[column], sizeof(text));
            put_text(b, text, column >= 2 && !text.len);
        }
        end_array(ps, b, OID_TEXT_ARRAY);
    }
    b = begin_array(ps, OID_INT8, n);
    for (size_t i = 0; i < n; i++)
        put_number(b, rows[i].expiry, rows[i].expiry == BACKEND_NO_EXPIRY);
    end_array(ps, b, OID_INT8_ARRAY);
    b = begin_array(ps, OID_INT8, n);
    for (size_t i = 0; i < n; i++)
        put_number(b, (int64_t)rows[i].version, !rows[i].version);
    end_array(ps, b, OID_INT8_ARRAY);
}

static void release(struct pg_params *ps)
{
    for (int i = 0; i < ps->len; i++)
        buf_release(&ps->arrays[i]);
}

static enum backend_status send_statement(struct pg *p, const char *sql, const struct pg_params *ps)
{
    int sent;

    p->deadline_ms = clock_mono_ms() + p->b.options.timeout_ms;
    if (p->broken)
        return backend_fail(&p->b, BACKEND_DOWN, "the connection is broken");
    sent = ps ? PQsendQueryParams(p->conn, sql, ps->len, ps->types, ps->values, ps->lens,
                                  ps->formats, 0)
              : PQsendQuery(p->conn, sql);
    return sent ? BACKEND_OK : pg_broken(p, BACKEND_DOWN, PQerrorMessage(p->conn));
}

struct slice pg_field(const PGresult *r, int row, int column)
{
    return slice_make(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

/* Runs a statement to its end; rows come as they arrive if `single`. */
enum backend_status pg_run_sql(struct pg *p, const char *sql, struct pg_params *ps,
                               pg_rows_fn *rows, void *arg)
{
    enum backend_status status = send_statement(p, sql, ps), outcome = BACKEND_OK;
    PGresult *r = NULL;

    if (status == BACKEND_OK && p->single)
        PQsetSingleRowMode(p->conn);
    if (status == BACKEND_OK)
        status = flush(p);
    while (status == BACKEND_OK && (status = next_result(p, &r)) == BACKEND_OK && r) {
        ExecStatusType kind = PQresultStatus(r);

        if (kind == PGRES_FATAL_ERROR || kind == PGRES_BAD_RESPONSE)
            outcome = failed(p, r);
        else if (rows)
            rows(arg, r);
        PQclear(r);
        if (p->single)
            p->deadline_ms = clock_mono_ms() + p->b.options.timeout_ms;
    }
    if (ps)
        release(ps);
    return status == BACKEND_OK ? outcome : status;
}

enum backend_status pg_run_with(struct pg *p, const char *template, struct pg_params *ps,
                                pg_rows_fn *rows, void *arg)
{
    char *sql = sql_string(&p->names, template);
    enum backend_status status = pg_run_sql(p, sql, ps, rows, arg);

    mem_free(sql);
    return status;
}

enum backend_status pg_run(struct backend *b, const char *template)
{
    return pg_run_with((struct pg *)b, template, NULL, NULL, NULL);
}

void pg_take_number(void *arg, const PGresult *r)
{
    if (PQntuples(r))
        num_parse_int(pg_field(r, 0, 0), arg);
}

enum backend_status pg_ask(struct backend *b, const char *template, int64_t *out)
{
    *out = 0;
    return pg_run_with((struct pg *)b, template, NULL, pg_take_number, out);
}

enum backend_status pg_ask_of(struct pg *p, const char *template, const char *text, int64_t *out)
{
    struct pg_params ps = {0};

    *out = 0;
    pg_add_text(&ps, slice_str(text));
    return pg_run_with(p, template, &ps, pg_take_number, out);
}
