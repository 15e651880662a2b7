/* See client.h. */
#include "tests/lib/client.h"

#include <stddef.h>

#include "tests/lib/tap.h"

redisContext *client_open(const struct server *s)
{
    redisContext *c = redisConnectUnix(s->socket_path);

    if (c == NULL || c->err != 0)
        bail("no connection to %s: %s", s->socket_path, c != NULL ? c->errstr : "no memory");
    return c;
}
