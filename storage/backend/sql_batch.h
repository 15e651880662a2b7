/*
 * A batch as one transaction: rows in chunks, and what the database does not take put aside into
 * `<table>_rejects`, so that one bad row does not stop the others.
 */
#ifndef LK_STORAGE_BACKEND_SQL_BATCH_H
#define LK_STORAGE_BACKEND_SQL_BATCH_H

#include "storage/backend/backend.h"

/*
 * What a driver does of it. All may fail with BACKEND_WRONG and `refused` set, which is of the
 * data; after any other failure the transaction is rolled back.
 */
struct sql_batch_steps {
    size_t chunk_rows, chunk_bytes; /* that go into one statement */
    /* Begins; BACKEND_NO_LEASE unless the lease is held. */
    enum backend_status (*begin)(struct backend *b);
    enum backend_status (*commit)(struct backend *b);
    void (*rollback)(struct backend *b);
    /* A point to go back to behind a refused statement; NULL: a statement leaves nothing behind. */
    enum backend_status (*mark)(struct backend *b);
    enum backend_status (*back)(struct backend *b);
    enum backend_status (*clear)(struct backend *b);
    enum backend_status (*put)(struct backend *b, const struct backend_row *rows, size_t n);
    enum backend_status (*remove)(struct backend *b, const struct slice *keys, size_t n);
    enum backend_status (*note)(struct backend *b, const struct backend_note *note);
    /* `row` has a key alone where a removal was refused. */
    enum backend_status (*reject)(struct backend *b, const struct backend_row *row,
                                  const char *reason);
};

/* As apply() of a driver. */
enum backend_status sql_batch_apply(struct backend *b, const struct sql_batch_steps *steps,
                                    const struct backend_batch *batch, backend_reject_fn *rejected,
                                    void *arg);

#endif
