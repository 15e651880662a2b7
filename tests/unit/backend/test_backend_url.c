/* storage/backend/backend_url: what addresses mean, and which are none. */
#include "storage/backend/backend_url.h"

#include <string.h>

#include "tests/lib/tap.h"

static const struct {
    const char *text;
    const char *scheme, *user, *password, *host;
    int port;
    const char *database, *path, *table, *key, *value;
    bool tls;
    const char *ca, *shown;
} good[] = {
    {"sqlite:///abs/path.db", "sqlite", NULL, NULL, NULL, 0, NULL, "/abs/path.db", "KeyVal", "key",
     "val", false, NULL, "sqlite:///abs/path.db"},
    {"sqlite://relative.db", "sqlite", NULL, NULL, NULL, 0, NULL, "relative.db", "KeyVal", "key",
     "val", false, NULL, "sqlite://relative.db"},
    {"rpm+sqlite:////abs/path.db?table=T", "sqlite", NULL, NULL, NULL, 0, NULL, "/abs/path.db", "T",
     "key", "val", false, NULL, "rpm+sqlite:////abs/path.db?table=T"},
    {"sqlite://a%20b%3f.db?colKey=k%22&colVal=v&", "sqlite", NULL, NULL, NULL, 0, NULL, "a b?.db",
     "KeyVal", "k\"", "v", false, NULL, "sqlite://a%20b%3f.db?colKey=k%22&colVal=v&"},
    {"pgsql://me:pa%3Ass@db.example:6432/stuff?tls", "pgsql", "me", "pa:ss", "db.example", 6432,
     "stuff", NULL, "KeyVal", "key", "val", true, NULL, "pgsql://me@db.example:6432/stuff?tls"},
    {"rpm+pgsql://me@h/d?ca=/etc/ca.pem", "pgsql", "me", NULL, "h", 0, "d", NULL, "KeyVal", "key",
     "val", true, "/etc/ca.pem", "rpm+pgsql://me@h/d?ca=/etc/ca.pem"},
    {"rpm+mysql://me:p@ss@[::1]:3307/d?tls=0", "mysql", "me", "p@ss", "::1", 3307, "d", NULL,
     "KeyVal", "name", "val", false, NULL, "rpm+mysql://me@[::1]:3307/d?tls=0"},
    {"pgsql:///d", "pgsql", NULL, NULL, "127.0.0.1", 0, "d", NULL, "KeyVal", "key", "val", false,
     NULL, "pgsql:///d"},
};

static const char *const bad[] = {
    "",
    "sqlite",
    "sqlite:/x",
    "sqlite://",
    "sqlite://?table=x",
    "pgsql://h",
    "pgsql://h/",
    "pgsql://h:0/d",
    "pgsql://h:65536/d",
    "mysql://h:x/d",
    "mysql://u:%zz@h/d",
    "oracle://h/d",
    "rpm+://h/d",
    "sqlite://x?tabel=y",
    "sqlite://x?table=",
    "sqlite://x%2",
    "sqlite://x%zz",
    "sqlite://x%00y",
    "sqlite://x?table=%00",
    "sqlite://x?table=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
};

static void check_good(size_t i)
{
    struct backend_url u;
    const char *error;

    if (!ok(backend_url_parse(good[i].text, &u, &error), "%s is an address", good[i].text)) {
        diag("%s", error);
        return;
    }
    is_str(u.scheme, good[i].scheme, "%s: scheme", good[i].text);
    is_str(u.user, good[i].user, "%s: user", good[i].text);
    is_str(u.password, good[i].password, "%s: password", good[i].text);
    is_str(u.host, good[i].host, "%s: host", good[i].text);
    is_int(u.port, good[i].port, "%s: port", good[i].text);
    is_str(u.database, good[i].database, "%s: database", good[i].text);
    is_str(u.path, good[i].path, "%s: path", good[i].text);
    is_str(u.table, good[i].table, "%s: table", good[i].text);
    is_str(u.key_column, good[i].key, "%s: colKey", good[i].text);
    is_str(u.value_column, good[i].value, "%s: colVal", good[i].text);
    is_int(u.tls, good[i].tls, "%s: tls", good[i].text);
    is_str(u.ca, good[i].ca, "%s: ca", good[i].text);
    is_str(u.shown, good[i].shown, "%s: shown", good[i].text);
    backend_url_release(&u);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        check_good(i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct backend_url u;
        const char *error = NULL;

        ok(!backend_url_parse(bad[i], &u, &error) && error && !u.scheme, "'%s' is none", bad[i]);
    }
    return tap_done();
}
