/*
 * A blocking client in a few lines, for the load generators of this folder: one socket, one
 * buffer, replies read by type. It knows only what these programs ask for, and any surprise ends
 * the program: a figure measured over errors is worth nothing.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct wire {
    int fd;
    size_t at, len;
    char buf[1 << 16];
};

__attribute__((noreturn)) static inline void wire_die(const char *what)
{
    perror(what);
    exit(1);
}

static inline void *wire_alloc(size_t size)
{
    void *at = malloc(size);

    if (at == NULL)
        wire_die("malloc");
    return at;
}

static inline void wire_open(struct wire *w, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->at = w->len = 0;
    w->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        wire_die("connect");
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static inline void wire_send(struct wire *w, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(w->fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            wire_die("send");
        data += n;
        len -= (size_t)n;
    }
}

static inline char wire_byte(struct wire *w)
{
    if (w->at == w->len) {
        ssize_t n = recv(w->fd, w->buf, sizeof(w->buf), 0);

        if (n <= 0)
            wire_die("recv");
        w->at = 0;
        w->len = (size_t)n;
    }
    return w->buf[w->at++];
}

/* Writes at `at`, never up to `end`, and returns where it ended. */
__attribute__((format(printf, 3, 4))) static inline char *put(char *at, const char *end,
                                                              const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(at, (size_t)(end - at), format, args);
    va_end(args);
    if (len < 0 || len >= end - at) {
        fprintf(stderr, "a request longer than its buffer\n");
        exit(1);
    }
    return at + len;
}

/* The line after the type byte, without its end. */
static inline void wire_line(struct wire *w, char *line, size_t size)
{
    size_t n = 0;
    char c;

    while ((c = wire_byte(w)) != '\n') {
        if (c != '\r' && n + 1 < size)
            line[n++] = c;
    }
    line[n] = '\0';
}

/* Reads one reply. True when it is a value, false when it is a null. */
static inline bool wire_reply(struct wire *w)
{
    char type = wire_byte(w), line[256];
    long left;

    wire_line(w, line, sizeof(line));
    if (type == '-') {
        fprintf(stderr, "error reply: %s\n", line);
        exit(1);
    }
    if (type != '$')
        return type != '_';
    left = strtol(line, NULL, 10);
    if (left < 0)
        return false;
    for (left += 2; left > 0; left--)
        wire_byte(w);
    return true;
}

static inline uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64*: the same numbers for both servers. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

#endif
