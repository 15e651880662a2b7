/*
 * The address of a backend:
 *
 *     sqlite:///abs/path.db   sqlite://relative.db
 *     pgsql://user:password@host:port/database      mysql://user:password@host:port/database
 *
 * each also as npm's ipc-keyval spells it (`rpm+sqlite://…`), with
 * `?table=&colKey=&colVal=&tls=&ca=&key=&crt=`; names and passwords are percent-decoded.
 */
#ifndef LK_STORAGE_BACKEND_BACKEND_URL_H
#define LK_STORAGE_BACKEND_BACKEND_URL_H

#include <stdbool.h>

/* All strings are owned; NULL where the URL says nothing and there is no default. */
struct backend_url {
    char *scheme; /* without `rpm+` */
    char *user, *password, *host, *database;
    char *path; /* of a file */
    int port;   /* 0: the database's own */
    char *table, *key_column, *value_column;
    bool tls;
    char *ca, *key, *crt; /* paths */
    char *shown;          /* for logs and INFO: the URL without its password */
};

/* False, and why in *error (static), if it is no such address. */
bool backend_url_parse(const char *text, struct backend_url *out, const char **error);
void backend_url_release(struct backend_url *u);

#endif
