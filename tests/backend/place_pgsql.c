/* A server of PostgreSQL for tests, see place.h. */
#include "tests/backend/places.h"

#include <libpq-fe.h>
#include <stdio.h>

#include "tests/lib/database.h"
#include "tests/lib/tap.h"

static PGconn *conn;
static char answer[65536];

static const char *url(const char *query)
{
    static char text[1024];

    snprintf(text, sizeof(text), "%s?%s", databases_address("pgsql"), query);
    return text;
}

static PGresult *run(const char *sql)
{
    PGresult *r = PQexec(conn, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        bail("%s: %s", sql, PQerrorMessage(conn));
    return r;
}

static void other(const char *sql)
{
    PQclear(run(sql));
}

static const char *ask(const char *sql)
{
    PGresult *r = run(sql);

    snprintf(answer, sizeof(answer), "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return answer;
}

static void begin(void)
{
    char address[512];

    /* libpq has another name for it. */
    snprintf(address, sizeof(address), "postgresql%s",
             databases_address("pgsql") + sizeof("pgsql") - 1);
    conn = PQconnectdb(address);
    if (PQstatus(conn) != CONNECTION_OK)
        bail("%s", PQerrorMessage(conn));
}

static void kill_server(void)
{
    databases_tell("kill", "pgsql");
    PQfinish(conn);
}

static void restart(void)
{
    databases_tell("start", "pgsql");
    begin();
}

static void pause_server(bool on)
{
    databases_tell(on ? "stop" : "cont", "pgsql");
}

static const char *certificate(void)
{
    return databases_certificate("pgsql");
}

const struct place place_pgsql = {
    .scheme = "pgsql",
    .big_text = "TEXT",
    .url = url,
    .other = other,
    .ask = ask,
    .kill = kill_server,
    .restart = restart,
    .certificate = certificate,
    .pause = pause_server,
};

void place_pgsql_start(void)
{
    begin();
}

void place_pgsql_stop(void)
{
    PQfinish(conn);
}
