/*
 * A bare socket for tests that speak in bytes: send these, expect exactly those.
 *
 * All functions have a time-out, so that a server that does not answer fails a test and does not
 * hang it.
 */
#ifndef TESTS_LIB_RAW_H
#define TESTS_LIB_RAW_H

#include <stdbool.h>
#include <stddef.h>

enum { RAW_TIMEOUT_MS = 20000 };

/* Blocking sockets; -1 when there is nobody. host is a numeric address, IPv4 or IPv6. */
int raw_connect_tcp(const char *host, int port);
int raw_connect_unix(const char *path);

/* Sends all of it; false when the peer has closed or does not read. */
bool raw_send(int fd, const void *bytes, size_t len);
bool raw_send_str(int fd, const char *text);

/*
 * As many bytes as have come when something has: > 0, 0 for the end, -1 for an error or nothing in
 * time.
 */
long raw_read_some(int fd, void *bytes, size_t size, int timeout_ms);

/* Reads exactly len bytes; false when they do not come. */
bool raw_read(int fd, void *bytes, size_t len);

/* The next bytes are exactly these; on a mismatch both are shown as diagnostics. */
bool raw_expect(int fd, const void *bytes, size_t len);
bool raw_expect_str(int fd, const char *text);

/* The peer has closed, or closes within the time-out, and nothing unread is before that. */
bool raw_expect_close(int fd);

/* Nothing comes within the time. */
bool raw_expect_silence(int fd, int ms);

/* Milliseconds of a clock that only goes forward, and a pause. */
long long raw_now_ms(void);
void raw_sleep_ms(int ms);

#endif
