/* The server's own version, and the version of Redis that it behaves like. */
#ifndef LK_BASE_VERSION_H
#define LK_BASE_VERSION_H

#define LATCHKEY_VERSION "0.1.0"
#define REDIS_VERSION "7.0.15"

#endif
