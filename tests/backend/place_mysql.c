/* A server of MariaDB for tests, see place.h. */
#include "tests/backend/places.h"

#include <mysql.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/database.h"
#include "tests/lib/tap.h"

static MYSQL *conn;
static char answer[65536];

static const char *url(const char *query)
{
    static char text[1024];

    snprintf(text, sizeof(text), "%s?%s", databases_address("mysql"), query);
    return text;
}

static void other(const char *sql)
{
    if (mysql_query(conn, sql))
        bail("%s: %s", sql, mysql_error(conn));
}

static const char *ask(const char *sql)
{
    MYSQL_RES *r;
    MYSQL_ROW row;

    other(sql);
    r = mysql_store_result(conn);
    row = mysql_fetch_row(r);
    snprintf(answer, sizeof(answer), "%s", row && row[0] ? row[0] : "");
    mysql_free_result(r);
    return answer;
}

static void begin(void)
{
    struct backend_url u;
    const char *why;

    if (!backend_url_parse(databases_address("mysql"), &u, &why))
        bail("%s", why);
    conn = mysql_init(NULL);
    mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(conn, u.host, u.user, u.password, u.database, (unsigned)u.port, NULL,
                            0))
        bail("%s", mysql_error(conn));
    backend_url_release(&u);
}

static void kill_server(void)
{
    databases_tell("kill", "mysql");
    mysql_close(conn);
}

static void restart(void)
{
    databases_tell("start", "mysql");
    begin();
}

static void pause_server(bool on)
{
    databases_tell(on ? "stop" : "cont", "mysql");
}

static const char *certificate(void)
{
    return databases_certificate("mysql");
}

const struct place place_mysql = {
    .scheme = "mysql",
    .big_text = "LONGTEXT",
    .url = url,
    .other = other,
    .ask = ask,
    .kill = kill_server,
    .restart = restart,
    .certificate = certificate,
    .pause = pause_server,
};

void place_mysql_start(void)
{
    begin();
}

void place_mysql_stop(void)
{
    mysql_close(conn);
    mysql_library_end();
}
