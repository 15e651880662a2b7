/* Sockets, see socket.h. */
#include "server/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int bind_and_listen(int fd, const struct sockaddr *addr, socklen_t len, int backlog)
{
    int err;

    if (bind(fd, addr, len) == 0 && listen(fd, backlog) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static int listen_on(const struct addrinfo *ai, int backlog)
{
    int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return bind_and_listen(fd, ai->ai_addr, ai->ai_addrlen, backlog);
}

int socket_listen_tcp(const char *address, int port, int backlog)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    char service[16];
    int fd;

    if (strcmp(address, "*") == 0)
        address = "0.0.0.0";
    else if (strcmp(address, "::*") == 0)
        address = "::";
    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(address, service, &hints, &found))
        return -EADDRNOTAVAIL;
    fd = listen_on(found, backlog);
    freeaddrinfo(found);
    return fd;
}

int socket_listen_unix(const char *path, int perm, int backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path))
        return -ENAMETOOLONG;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    unlink(path);
    fd = bind_and_listen(fd, (const struct sockaddr *)&addr, sizeof(addr), backlog);
    if (fd >= 0 && perm && chmod(path, (mode_t)perm) < 0) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

void socket_tune(int fd, long keepalive_s)
{
    int on = 1, idle = (int)keepalive_s, interval = idle / 3 ? idle / 3 : 1, count = 3;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!keepalive_s)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

bool socket_peer_is_local(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0)
        return false;
    if (ss.ss_family == AF_INET)
        return ntohl(((struct sockaddr_in *)&ss)->sin_addr.s_addr) >> 24 == 127;
    return ss.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&ss)->sin6_addr);
}

static void name(const struct sockaddr_storage *ss, char *out)
{
    char ip[INET6_ADDRSTRLEN];

    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
        snprintf(out, SOCKET_NAME_MAX, "%s:%d", ip, ntohs(in->sin_port));
    } else if (ss->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)ss;

        inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof(ip));
        snprintf(out, SOCKET_NAME_MAX, "[%s]:%d", ip, ntohs(in->sin6_port));
    } else {
        snprintf(out, SOCKET_NAME_MAX, "?:0");
    }
}

void socket_peer_name(int fd, char *out)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0)
        ss.ss_family = AF_UNSPEC;
    name(&ss, out);
}

void socket_local_name(int fd, char *out)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        ss.ss_family = AF_UNSPEC;
    name(&ss, out);
}
