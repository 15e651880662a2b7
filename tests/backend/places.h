/* Each kind of place, for places.c. */
#ifndef TESTS_BACKEND_PLACES_H
#define TESTS_BACKEND_PLACES_H

#include "tests/backend/place.h"

extern const struct place place_sqlite;
void place_sqlite_start(void);
void place_sqlite_stop(void);

extern const struct place place_pgsql;
void place_pgsql_start(void);
void place_pgsql_stop(void);

extern const struct place place_mysql;
void place_mysql_start(void);
void place_mysql_stop(void);

#endif
