/*
 * Sockets: opening for listening, options, names. Functions that return int give a descriptor or
 * -errno.
 */
#ifndef LK_SERVER_SOCKET_H
#define LK_SERVER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

enum { SOCKET_NAME_MAX = 128 };

/* `address` is numeric, or "*" for all of IPv4, "::*" for all of IPv6. Non-blocking. */
int socket_listen_tcp(const char *address, int port, int backlog);
/* Replaces a socket that is there; `perm` 0 leaves the mode to the umask. */
int socket_listen_unix(const char *path, int perm, int backlog);

/* No delay, and keep-alive probes after `keepalive_s` seconds of silence (0: none). */
void socket_tune(int fd, long keepalive_s);

/* Whether the other end is on this host. */
bool socket_peer_is_local(int fd);

/* "1.2.3.4:567" or "[::1]:567"; "?:0" where it cannot be told. SOCKET_NAME_MAX bytes. */
void socket_peer_name(int fd, char *out);
void socket_local_name(int fd, char *out);

#endif
