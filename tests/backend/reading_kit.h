/* What the suites of a whole server with a backend have in common: a server, and its counts. */
#ifndef TESTS_BACKEND_READING_KIT_H
#define TESTS_BACKEND_READING_KIT_H

#include "tests/backend/place.h"
#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/*
 * A server on a table of this place, with columns k and v, which is made if it is not there; more
 * options behind it. It is ready.
 */
struct server *reading_server(const struct place *p, const char *table, const char *options);
/* A connection to it. */
struct wire *reading_wire(const struct server *s);
/* A field of INFO, as a number; -1 if there is none. */
long long reading_info(struct wire *w, const char *field);
/* Waits until the reply is this one; false if it does not come to that. */
bool reading_comes_to(struct wire *w, const char *line, const char *reply);
bool reading_info_comes_to(struct wire *w, const char *field, long long n);
/* Statements of another program, with a printf format. */
void reading_other(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *reading_ask(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
