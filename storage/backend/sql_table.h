/*
 * The tables when a connection is opened: made if they are missing, taken as they are if somebody
 * else has made them, with the columns added that we need.
 */
#ifndef LK_STORAGE_BACKEND_SQL_TABLE_H
#define LK_STORAGE_BACKEND_SQL_TABLE_H

#include "storage/backend/backend.h"

/*
 * A statement, and a question whose answer is a number other than 0 if it need not be run (NULL: it
 * can always be run). Both are templates of sql_text.h.
 */
struct sql_table_step {
    const char *unless, *run;
};

/* Lists end with a statement that is NULL. */
struct sql_table_steps {
    const struct sql_table_step *tables;
    const struct sql_table_step *indexes;     /* and whatever else is made once */
    const struct sql_table_step *triggers;    /* with `watch` */
    const struct sql_table_step *no_triggers; /* without */
    const char *text, *number;                /* types of columns */
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
