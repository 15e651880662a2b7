/*
 * The tables when a connection is opened: made if they are missing, taken as they are if somebody
 * else has made them, with the columns added that we need.
 */
#ifndef LK_STORAGE_BACKEND_SQL_TABLE_H
#define LK_STORAGE_BACKEND_SQL_TABLE_H

#include "storage/backend/backend.h"

/* Lists of templates end with NULL; each can be run again and then does nothing. */
struct sql_table_steps {
    const char *const *tables;
    const char *const *indexes;     /* and whatever else is made once */
    const char *const *triggers;    /* with `watch` */
    const char *const *no_triggers; /* without */
    const char *text, *number;      /* types of columns */
    /* Runs a statement, given as a template of sql_text.h. */
    enum backend_status (*run)(struct backend *b, const char *template);
    /* The number in the first column of the first row, 0 if there is none. */
    enum backend_status (*ask)(struct backend *b, const char *template, int64_t *out);
    /* Whether the table has a column of that name. */
    enum backend_status (*has_column)(struct backend *b, const char *name, bool *out);
    /* Looks at the columns of key and value: limits, types that will do; widens them. */
    enum backend_status (*check)(struct backend *b);
};

/* All of it. */
enum backend_status sql_table_ready(struct backend *b, const struct sql_table_steps *steps);

#endif
