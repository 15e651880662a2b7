/* What all drivers have in common. For drivers alone. */
#ifndef LK_STORAGE_BACKEND_BACKEND_INNER_H
#define LK_STORAGE_BACKEND_BACKEND_INNER_H

#include "base/compiler.h"
#include "storage/backend/backend.h"

/* The first member of each driver's connection. */
struct backend {
    struct backend_error error;
    struct backend_options options; /* `who` is owned */
    /*
     * The database took the last statement for wrong because of the data in it: BACKEND_WRONG of a
     * row, where otherwise it is of the table.
     */
    bool refused;
    bool leased;
};

void backend_init(struct backend *b, const struct backend_options *options);
void backend_release(struct backend *b);

const struct backend_error *backend_error_of(const struct backend *b);

/* Says it in *error, in one line, and returns `status`. */
enum backend_status backend_say(struct backend_error *error, enum backend_status status,
                                const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same, in the connection's own. */
#define backend_fail(b, status, ...) backend_say(&(b)->error, status, __VA_ARGS__)

/* Notes of the drivers; those of others do not begin with a dot. */
#define NOTE_COLUMNS ".columns" /* the table's additional columns are ours */
#define NOTE_LEASE ".lease"
#define NOTE_WRITING ".writing" /* only within a transaction of ours */

#endif
