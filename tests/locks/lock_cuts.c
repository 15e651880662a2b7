/*
 * Connections that are cut: at every point of a lock's life, in every way in which a connection can
 * end. Whoever is alive gets the lock then, in turn, and nothing is left behind.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

/* ---- ways to end ---- */

enum way { CLOSED, RESET, HALF_CLOSED, KILLED_BY_SERVER, PROCESS_KILLED, WAYS };

static const char *const ways[] = {"closed", "reset", "half closed", "killed by CLIENT KILL",
                                   "gone with its process"};

/* Who is to be cut: in this process, or in one of its own that speaks through the pipes. */
struct victim {
    enum way way;
    int fd;
    long long id;
    pid_t pid;
};

/* What it does before it is cut. */
struct point {
    const char *name;
    const char *lines[4];
    int replies;      /* that it reads */
    bool waits;       /* then it waits, as INFO says */
    const char *half; /* bytes sent behind all, of a request that is not whole */
};

static const struct point points[] = {
    {"within a request", {NULL}, 0, false, "*2\r\n$12\r\nLOCK.ACQUIRE\r\n$3\r\nc"},
    {"before the reply", {"LOCK.ACQUIRE cut"}, 0, false, NULL},
    {"before the reply, with a lease", {"LOCK.ACQUIRE cut LEASE 60000"}, 0, false, NULL},
    {"behind the grant", {"LOCK.ACQUIRE cut"}, 1, false, NULL},
    {"behind the grant, with a lease", {"LOCK.ACQUIRE cut LEASE 60000"}, 1, false, NULL},
    {"behind a shared grant", {"LOCK.ACQUIRE cut SHARED"}, 1, false, NULL},
    {"behind two names", {"LOCK.ACQUIRE cut also"}, 1, false, NULL},
    {"behind two grants",
     {"LOCK.ACQUIRE cut REENTRANT", "LOCK.ACQUIRE cut REENTRANT"},
     2,
     false,
     NULL},
    {"behind a guarded grant", {"LOCK.ACQUIRE cut GUARD"}, 1, false, NULL},
    {"within the next request", {"LOCK.ACQUIRE cut"}, 1, false, "*3\r\n$12\r\nLOCK.RELEASE\r\n"},
    {"within a transaction", {"MULTI", "LOCK.ACQUIRE cut"}, 2, false, NULL},
    {"behind a transaction", {"MULTI", "LOCK.ACQUIRE cut", "EXEC"}, 3, false, NULL},
    {"before the reply of a transaction", {"MULTI", "LOCK.ACQUIRE cut", "EXEC"}, 0, false, NULL},
    {"in a session without grace",
     {"LOCK.SESSION cutting GRACE 0", "LOCK.ACQUIRE cut"},
     2,
     false,
     NULL},
};

/* What waits behind a holder; all of these leave the queue. */
static const struct point waiting[] = {
    {"waiting", {"LOCK.ACQUIRE cut WAIT -1"}, 0, true, NULL},
    {"waiting to share", {"LOCK.ACQUIRE cut SHARED WAIT -1"}, 0, true, NULL},
    {"waiting for two names", {"LOCK.ACQUIRE also cut WAIT -1"}, 0, true, NULL},
    {"waiting for a time", {"LOCK.ACQUIRE cut WAIT 60000"}, 0, true, NULL},
    {"waiting, with more behind it",
     {"LOCK.ACQUIRE cut WAIT -1", "PING", "LOCK.ACQUIRE also"},
     0,
     true,
     NULL},
    {"waiting with a ticket", {"LOCK.ACQUIRE cut QUEUE"}, 1, false, NULL},
    {"waiting with a ticket for two", {"LOCK.ACQUIRE cut also QUEUE"}, 1, false, NULL},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the victim's life ---- */

static void act(struct wire *w, const struct point *p)
{
    for (int i = 0; i < (int)COUNT(p->lines) && p->lines[i] != NULL; i++)
        wire_send(w, p->lines[i]);
    if (p->half != NULL)
        raw_send_str(w->fd, p->half);
    for (int i = 0; i < p->replies; i++)
        answer_free(wire_next(w, RAW_TIMEOUT_MS));
}

static void live_and_wait(const struct server *s, int protocol, const struct point *p, int tell)
{
    struct wire *w;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    w = wire_attach(server_connect(s), protocol);
    if (protocol == 3)
        wire_call(w, "HELLO 3");
    act(w, p);
    if (write(tell, "!", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void begin_process(struct victim *v, const struct server *s, int protocol,
                          const struct point *p)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0)
        bail("no pipe");
    v->pid = fork();
    if (v->pid < 0)
        bail("no process");
    if (v->pid == 0)
        live_and_wait(s, protocol, p, ends[1]);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        bail("the process has ended");
    close(ends[0]);
}

static struct victim begin(struct session *t, enum way way, const struct point *p)
{
    struct victim v = {.way = way, .fd = -1};
    struct wire *w;

    if (way == PROCESS_KILLED) {
        begin_process(&v, t->server, t->protocol, p);
        return v;
    }
    w = wire_attach(server_connect(t->server), t->protocol);
    if (t->protocol == 3)
        wire_call(w, "HELLO 3");
    v.id = wire_int(w, "CLIENT ID");
    act(w, p);
    v.fd = dup(w->fd);
    wire_close(w);
    return v;
}

static void cut(struct session *t, struct victim *v)
{
    struct linger now = {1, 0};

    if (v->way == RESET)
        setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    if (v->way == HALF_CLOSED)
        shutdown(v->fd, SHUT_WR);
    if (v->way == KILLED_BY_SERVER)
        wire_callf(session_wire(t, 9), "CLIENT KILL ID %lld", v->id);
    if (v->way == PROCESS_KILLED) {
        kill(v->pid, SIGKILL);
        waitpid(v->pid, NULL, 0);
    }
    if (v->way == CLOSED || v->way == RESET)
        close(v->fd);
}

static void forget(struct victim *v)
{
    if (v->fd >= 0 && v->way != CLOSED && v->way != RESET)
        close(v->fd);
}

/* ---- what it must have come to ---- */

static long blocked(struct session *t)
{
    const char *info = wire_call(session_wire(t, 9), "INFO clients");
    const char *at = strstr(info, "blocked_clients:");

    return at != NULL ? atol(at + strlen("blocked_clients:")) : -1;
}

static void await_blocked(struct session *t, long wanted)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (blocked(t) != wanted && raw_now_ms() < end)
        ;
}

/* Closed connections may be seen a moment later. */
static bool nothing_left(struct session *t)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;
    struct wire *w = session_wire(t, 9);

    while (strcmp(wire_call(w, "LOCK.LIST"), "[]") != 0 && raw_now_ms() < end)
        ;
    if (strcmp(w->last, "[]") != 0)
        diag("%s", w->last);
    return strcmp(w->last, "[]") == 0;
}

static long long token_of(const char *reply)
{
    return *reply == ':' ? strtoll(reply + 1, NULL, 10) : -1;
}

/* Acquires and releases, as whoever comes next. */
static bool served(struct wire *w)
{
    long long token = token_of(wire_read(w));

    return token > 0 && strcmp(wire_callf(w, "LOCK.RELEASE cut %lld", token), ":1") == 0;
}

static void cut_at(struct session *t, enum way way, const struct point *p)
{
    struct victim v = begin(t, way, p);
    struct wire *next = session_wire(t, 1);
    bool good;

    cut(t, &v);
    wire_send(next, "LOCK.ACQUIRE cut WAIT -1");
    good = served(next);
    forget(&v);
    ok(good && nothing_left(t), "RESP%d, threads %d: %s, %s", t->protocol, t->threads, p->name,
       ways[way]);
}

/* The victim before, between, or behind two who stay. */
static void cut_in_queue(struct session *t, enum way way, const struct point *p, int place)
{
    static const char *const places[] = {"head", "middle", "tail"};
    struct wire *holder = session_wire(t, 0), *alive[2] = {session_wire(t, 1), session_wire(t, 2)};
    long long token = wire_int(holder, "LOCK.ACQUIRE cut");
    struct victim v = {0};
    bool good;

    for (int i = 0, n = 0; i < 3; i++) {
        if (i == place)
            v = begin(t, way, p);
        else
            wire_send(alive[n++], "LOCK.ACQUIRE cut WAIT -1");
        await_blocked(t, i + 1 - (i >= place && !p->waits));
    }
    cut(t, &v);
    good = strcmp(wire_callf(holder, "LOCK.RELEASE cut %lld", token), ":1") == 0;
    good = served(alive[0]) && good;
    good = served(alive[1]) && good;
    forget(&v);
    ok(good && nothing_left(t), "RESP%d, threads %d: %s at the %s, %s", t->protocol, t->threads,
       p->name, places[place], ways[way]);
}

static void ends_everywhere(struct session *t)
{
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < COUNT(points); i++)
            cut_at(t, way, &points[i]);
    }
}

static void ends_in_queues(struct session *t)
{
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < COUNT(waiting); i++) {
            for (int place = 0; place < 3; place++)
                cut_in_queue(t, way, &waiting[i], place);
        }
    }
}

/* Cut in the very moment in which it is served. */
static void ends_in_the_handover(struct session *t)
{
    enum { TIMES = 100 };
    struct wire *holder = session_wire(t, 0), *next = session_wire(t, 1);
    int lost = 0;

    for (int i = 0; i < TIMES; i++) {
        long long token = wire_int(holder, "LOCK.ACQUIRE cut WAIT -1");
        struct victim v = begin(t, i % 2 == 0 ? CLOSED : RESET, &waiting[i % 4]);
        char line[60];

        await_blocked(t, 1);
        wire_send(next, "LOCK.ACQUIRE cut WAIT -1");
        await_blocked(t, 2);
        snprintf(line, sizeof(line), "LOCK.RELEASE cut %lld", token);
        wire_send(holder, line);
        cut(t, &v);
        lost += !served(next);
        wire_read(holder);
    }
    is_int(lost, 0, "RESP%d, threads %d: cut when served: the next is, %d times", t->protocol,
           t->threads, TIMES);
    ok(nothing_left(t), "and nothing is left");
}

static const struct group groups[] = {
    NEW_TEST(ends_everywhere),
    NEW_TEST(ends_in_queues),
    NEW_TEST(ends_in_the_handover),
    {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock cuts", "", threads, groups);
}
