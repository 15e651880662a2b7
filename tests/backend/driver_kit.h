/* What the suites of drivers have in common: connections, and rows told as text. */
#ifndef TESTS_BACKEND_DRIVER_KIT_H
#define TESTS_BACKEND_DRIVER_KIT_H

#include "base/buf.h"
#include "tests/backend/place.h"
#include "tests/lib/tap.h"

enum { TIMEOUT_MS = 10000 };

/* The database under test, and its driver. */
extern const struct place *place;
extern const struct backend_driver *driver;
extern const struct backend_options usual;

/* To that table, with columns k and v. */
struct backend *open_with(const char *table, const struct backend_options *options,
                          enum backend_status *status, struct backend_error *error);
struct backend *opened_with(const char *table, const struct backend_options *options);
struct backend *opened(const char *table);
/* One with the lease. */
struct backend *writer(const char *table);
void is_status(struct backend *b, enum backend_status got, enum backend_status want,
               const char *what);

/* What the callbacks have told since the last time; static. */
extern struct buf told;
const char *told_text(void);
/* key=value, and what else there is in brackets, each row with a comma behind it. */
void tell_row(void *arg, const struct backend_row *row);
void tell_key(void *arg, const struct backend_row *row);
void tell_value(void *arg, const struct backend_row *row);
void tell_name(void *arg, struct slice key);
void tell_reject(void *arg, struct slice key, const char *why);

/* Rows, told as text. */
const char *fetched(struct backend *b, const char *key);
const char *scanned(struct backend *b, struct backend_scan which);

struct backend_row row(const char *key, const char *value);
enum backend_status put_row(struct backend *b, struct backend_row r);
void put(struct backend *b, const char *key, const char *value);

/* Lists of tests; NULL ends. */
typedef void test_fn(void);
extern test_fn *const tests_rows[], *const tests_shared[], *const tests_failing[];

#endif
