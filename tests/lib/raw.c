/* See raw.h. */
#include "tests/lib/raw.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/tap.h"

static int connect_or_close(int fd, const struct sockaddr *address, socklen_t len)
{
    if (fd >= 0 && connect(fd, address, len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int raw_connect_tcp(const char *host, int port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    char service[16];
    int fd;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fd = connect_or_close(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return fd;
}

int raw_connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connect_or_close(fd, (struct sockaddr *)&address, sizeof(address));
}

static bool ready(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;

    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

bool raw_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n;

        if (!ready(fd, POLLOUT, RAW_TIMEOUT_MS))
            return false;
        n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool raw_send_str(int fd, const char *text)
{
    return raw_send(fd, text, strlen(text));
}

long raw_read_some(int fd, void *bytes, size_t size, int timeout_ms)
{
    ssize_t n;

    if (!ready(fd, POLLIN, timeout_ms))
        return -1;
    do
        n = recv(fd, bytes, size, 0);
    while (n < 0 && errno == EINTR);
    /* A peer that closes with our bytes unread resets the connection: that is its end too. */
    if (n < 0 && errno == ECONNRESET)
        return 0;
    return n;
}

static size_t read_up_to(int fd, char *bytes, size_t len)
{
    size_t have = 0;

    while (have < len) {
        long n = raw_read_some(fd, bytes + have, len - have, RAW_TIMEOUT_MS);

        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

bool raw_read(int fd, void *bytes, size_t len)
{
    return read_up_to(fd, bytes, len) == len;
}

bool raw_expect(int fd, const void *bytes, size_t len)
{
    enum { SHOWN_MAX = 500 };
    char *got = malloc(len + 1);
    size_t have = read_up_to(fd, got, len);
    bool same = have == len && memcmp(got, bytes, len) == 0;

    if (!same) {
        diag("  got %zu bytes: %.*s", have, (int)(have < SHOWN_MAX ? have : SHOWN_MAX), got);
        diag(" want %zu bytes: %.*s", len, (int)(len < SHOWN_MAX ? len : SHOWN_MAX),
             (const char *)bytes);
    }
    free(got);
    return same;
}

bool raw_expect_str(int fd, const char *text)
{
    return raw_expect(fd, text, strlen(text));
}

bool raw_expect_close(int fd)
{
    char unread[200];
    long n = raw_read_some(fd, unread, sizeof(unread), RAW_TIMEOUT_MS);

    if (n > 0)
        diag("unread before the end: %.*s", (int)n, unread);
    else if (n < 0)
        diag("the connection stays open");
    return n == 0;
}

bool raw_expect_silence(int fd, int ms)
{
    return !ready(fd, POLLIN, ms);
}

long long raw_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void raw_sleep_ms(int ms)
{
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000L};

    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
        ;
}
