/* Accepting connections, see listener.h. */
#include "server/listener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/process.h"
#include "server/socket.h"
#include "server/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = CONF_BIND_MAX + 1,
    DESCRIPTION_MAX = 320,
    ACCEPTS_A_TURN = 64,
    ARRIVING_MAX = 64,        /* connections on their way to one worker */
    PAUSE_FULL_MS = 1,        /* workers have as many as they can take in */
    PAUSE_FAILED_MS = 100,    /* the system has nothing left for another one */
    COMPLAIN_EVERY_MS = 1000, /* about that */
};

struct listening {
    struct listener *listener;
    struct event event;
    int fd;
    bool is_unix;
    char description[DESCRIPTION_MAX];
};

struct listener {
    struct server *server;
    struct event_base *base;
    struct listening *sockets[SOCKETS_MAX];
    int len;
    char *unix_path; /* "" without one */
    int next;
    struct event resume_event;
    bool paused; /* the sockets are not watched: clients wait in the kernel's backlog */
    int64_t complained_ms;
};

/* ---- accepting ------------------------------------------------------------------------------ */

static void turn_away(struct server *s, int fd, const char *error)
{
    ssize_t n = send(fd, error, strlen(error), MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)n; /* it is closed in any case */
    close(fd);
    atomic_fetch_add(&s->rejected_connections, 1);
}

static bool protected_from(const struct server *s, int fd, bool is_unix)
{
    const struct conf *conf = s->conf;

    if (!conf->protected_mode || conf->requirepass.len || is_unix)
        return false;
    return !socket_peer_is_local(fd);
}

/* The one with the fewest connections of those that can take one in; NULL if none can. */
static struct worker *least_loaded(struct listener *l)
{
    struct server *s = l->server;
    struct worker *best = NULL;

    for (int i = 0; i < s->workers_len; i++) {
        struct worker *w = &s->workers[(l->next + i) % s->workers_len];

        if (atomic_load_explicit(&w->arriving, memory_order_relaxed) >= ARRIVING_MAX)
            continue;
        if (!best || atomic_load_explicit(&w->load, memory_order_relaxed) <
                         atomic_load_explicit(&best->load, memory_order_relaxed))
            best = w;
    }
    return best;
}

static void admit(struct listener *l, struct worker *w, int fd, bool is_unix)
{
    struct server *s = l->server;

    if (atomic_load(&s->clients) >= s->conf->maxclients) {
        turn_away(s, fd, "-ERR max number of clients reached\r\n");
        return;
    }
    if (protected_from(s, fd, is_unix)) {
        turn_away(
            s, fd,
            "-DENIED Latchkey is running in protected mode, since it is enabled (protected-mode) "
            "and no password is set: only connections from this host are accepted. Set a "
            "password (requirepass), or turn the mode off (protected-mode no) if only those "
            "can reach this port who may.\r\n");
        return;
    }
    if (!is_unix)
        socket_tune(fd, s->conf->tcp_keepalive);
    l->next = w->index + 1;
    atomic_fetch_add(&s->clients, 1);
    atomic_fetch_add(&w->load, 1);
    worker_adopt(w, fd, is_unix);
}

/* Leaves those who want to connect to the kernel for a moment. */
static void pause_accepting(struct listener *l, int ms)
{
    struct timeval moment = {.tv_usec = ms * 1000};

    for (int i = 0; i < l->len; i++)
        event_del(&l->sockets[i]->event);
    l->paused = true;
    event_add(&l->resume_event, &moment);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct listener *l = arg;

    (void)fd;
    (void)what;
    l->paused = false;
    for (int i = 0; i < l->len; i++)
        event_add(&l->sockets[i]->event, NULL);
}

/* What made accept() fail may last, and the socket stay readable: it is not tried all the time. */
static void accept_failed(struct listener *l, int err)
{
    int64_t now = clock_mono_ms();

    if (err == EAGAIN)
        return;
    if (!l->complained_ms || now - l->complained_ms >= COMPLAIN_EVERY_MS) {
        log_warning("Accepting client connection: %s", strerror(err));
        l->complained_ms = now;
    }
    pause_accepting(l, PAUSE_FAILED_MS);
}

/* False if there is nothing more to accept for now. */
static bool accept_one(struct listening *socket)
{
    struct worker *w = least_loaded(socket->listener);
    int conn;

    if (!w) {
        pause_accepting(socket->listener, PAUSE_FULL_MS);
        return false;
    }
    conn = accept4(socket->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (conn >= 0)
        admit(socket->listener, w, conn, socket->is_unix);
    else if (errno != EINTR && errno != ECONNABORTED) {
        accept_failed(socket->listener, errno);
        return false;
    }
    return true;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct listening *socket = arg;
    int left = ACCEPTS_A_TURN;

    (void)fd;
    (void)what;
    if (socket->listener->paused)
        return;
    world_enter();
    while (left-- && accept_one(socket))
        ;
    world_leave();
}

/* ---- sockets -------------------------------------------------------------------------------- */

static void add_socket(struct listener *l, int fd, bool is_unix, const char *description)
{
    struct listening *s = l->sockets[l->len++] = mem_zalloc(sizeof(*s));

    s->listener = l;
    s->fd = fd;
    s->is_unix = is_unix;
    snprintf(s->description, sizeof(s->description), "%s", description);
    event_assign(&s->event, l->base, fd, EV_READ | EV_PERSIST, on_acceptable, s);
    if (!l->paused)
        event_add(&s->event, NULL);
}

static bool open_tcp(struct listener *l, const struct conf *conf)
{
    char description[DESCRIPTION_MAX];

    for (size_t i = 0; conf->port && i < conf->bind.len; i++) {
        const char *address = conf->bind.addresses[i];
        bool optional = address[0] == '-';
        int fd = socket_listen_tcp(address + optional, (int)conf->port, (int)conf->tcp_backlog);

        if (fd < 0) {
            log_warning("Warning: Could not create server TCP listening socket %s:%d: %s",
                        address + optional, (int)conf->port, strerror(-fd));
            /* As Redis: an address that is not there may be left out, if it was said so. */
            if (optional && (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT || fd == -EPROTONOSUPPORT))
                continue;
            log_warning("Failed listening on port %d (TCP), aborting.", (int)conf->port);
            return false;
        }
        snprintf(description, sizeof(description), "name=tcp,bind=%s,port=%d", address + optional,
                 (int)conf->port);
        add_socket(l, fd, false, description);
    }
    return true;
}

static bool open_unix(struct listener *l, const struct conf *conf)
{
    char description[DESCRIPTION_MAX];
    int fd;

    if (!conf->unixsocket[0])
        return true;
    fd = socket_listen_unix(conf->unixsocket, (int)conf->unixsocketperm, (int)conf->tcp_backlog);
    if (fd < 0) {
        log_warning("Failed opening Unix socket: bind: %s", strerror(-fd));
        return false;
    }
    l->unix_path = mem_strdup(conf->unixsocket);
    process_keep_file(l->unix_path, "unix socket");
    snprintf(description, sizeof(description), "name=unix,bind=%s", conf->unixsocket);
    add_socket(l, fd, true, description);
    return true;
}

static void close_socket(struct listening *s)
{
    event_del(&s->event);
    close(s->fd);
    mem_free(s);
}

/* Closes all TCP sockets, and moves the other to the front. */
static void close_tcp(struct listener *l)
{
    int kept = 0;

    for (int i = 0; i < l->len; i++) {
        if (l->sockets[i]->is_unix)
            l->sockets[kept++] = l->sockets[i];
        else
            close_socket(l->sockets[i]);
    }
    l->len = kept;
}

struct listener *listener_new(struct server *s, struct event_base *base)
{
    struct listener *l = mem_zalloc(sizeof(*l));

    l->server = s;
    l->base = base;
    event_assign(&l->resume_event, base, -1, 0, on_resume, l);
    if (!open_tcp(l, s->conf) || !open_unix(l, s->conf) || l->len == 0) {
        if (l->len == 0)
            log_warning("Configured to not listen anywhere, exiting.");
        listener_free(l);
        return NULL;
    }
    return l;
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    event_del(&l->resume_event);
    for (int i = 0; i < l->len; i++)
        close_socket(l->sockets[i]);
    if (l->unix_path)
        process_remove_file(l->unix_path);
    mem_free(l->unix_path);
    mem_free(l);
}

const char *listener_describe(const struct listener *l, int i)
{
    return i < l->len ? l->sockets[i]->description : NULL;
}

bool listener_rebind(struct listener *l, const struct conf *conf)
{
    close_tcp(l);
    if (open_tcp(l, conf))
        return true;
    close_tcp(l);
    open_tcp(l, l->server->conf);
    return false;
}
