/*
 * A database for tests, and what another program would do with it: the statements of `other` go
 * over a connection that knows nothing of Latchkey.
 */
#ifndef TESTS_BACKEND_PLACE_H
#define TESTS_BACKEND_PLACE_H

#include "storage/backend/backend.h"

struct place {
    const char *scheme;
    const char *big_text; /* the type of a value's column */
    /* The address of the database, with what goes behind `?`; static. */
    const char *(*url)(const char *query);
    /* Runs statements as another program; ends the test if they fail. */
    void (*other)(const char *sql);
    /* The first column of the first row, "" if there is none; static. */
    const char *(*ask)(const char *sql);
    /* Kills the server with -9, and starts it again; NULL where there is none. */
    void (*kill)(void);
    void (*restart)(void);
    /* The file with the certificate of the server's authority. */
    const char *(*certificate)(void);
    /* The server hangs, or goes on. */
    void (*pause)(bool on);
};

/* Starts what is needed; those that are there, `n` of them. */
const struct place *places_start(size_t *n);
void places_stop(void);

#endif
