/*
 * TAP lines for the test programs: "ok N - name" and "not ok N - name", no plan, diagnostics with
 * "# ".
 *
 * Every check prints one line and returns whether it passed. The names are printf formats. main()
 * ends with `return tap_done();`. Not for use from several threads at once.
 */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <stdbool.h>
#include <stddef.h>

bool ok(bool passed, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* Exact comparison; a mismatch shows both sides. NULL equals only NULL. */
bool is_str(const char *got, const char *want, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
bool is_int(long long got, long long want, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

/* got matches the POSIX extended regular expression. */
bool is_like(const char *got, const char *regex, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

/* Counts as passed, and says why nothing was tried. */
void skip(const char *reason, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* A diagnostic; every line of the text gets its "# ". */
void diag(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* One failed line, then the program ends: for what makes every further check pointless. */
void bail(const char *why, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The value that main() returns: 0 when something was checked and nothing failed. */
int tap_done(void);

#endif
