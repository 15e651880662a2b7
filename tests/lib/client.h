/*
 * A hiredis connection (RESP2) to a test server; the program ends with a failed check when there is
 * none.
 */
#ifndef TESTS_LIB_CLIENT_H
#define TESTS_LIB_CLIENT_H

#include <hiredis/hiredis.h>

#include "tests/lib/server.h"

redisContext *client_open(const struct server *s);

#endif
