/*
 * Ten thousand clients that wait for one key: each is served once, none is in the way of another,
 * and a push looks at one of them and not at all. As many that wait for it to change: one change
 * serves them all, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { CLIENTS = 10000, PUSHES = 1000, SPARE = 200 };

#define BLPOP "*3\r\n$5\r\nBLPOP\r\n$1\r\nk\r\n$1\r\n0\r\n"
#define RPUSH "*3\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$1\r\nx\r\n"
#define SERVED "*2\r\n$1\r\nk\r\n$1\r\nx\r\n"

static int fds[CLIENTS];

static long info(struct wire *w, const char *field)
{
    char *text = wire_bulk(w, "INFO clients");
    const char *at = text != NULL ? strstr(text, field) : NULL;
    long n = at != NULL ? strtol(at + strlen(field), NULL, 10) : -1;

    free(text);
    return n;
}

static bool comes_to(struct wire *w, const char *field, long wanted)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (raw_now_ms() < end) {
        if (info(w, field) == wanted)
            return true;
        raw_sleep_ms(2);
    }
    return false;
}

static void open_all(const struct server *s)
{
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = server_connect_unix(s);
        raw_send_str(fds[i], BLPOP);
    }
}

/* So many pushes one by one; how many waiters were looked at for them. */
static void push(struct wire *w, int count, bool latchkey)
{
    static const char *const name = "tried";
    bool all = true;

    is_str(wire_call(w, "CONFIG RESETSTAT"), "+OK", "nothing counted");
    for (int i = 0; i < count; i++)
        raw_send_str(w->fd, RPUSH);
    for (int i = 0; i < count; i++)
        all = strcmp(wire_read(w), ":1") == 0 && all;
    ok(all, "%d elements, one by one, with nothing left of them", count);
    if (latchkey) {
        const char *state = wire_call(w, "DEBUG WAITING");
        const char *at = strstr(state, name);

        is_int(at != NULL ? atoi(strchr(at, ':') + 1) : -1, count, "as many clients were tried");
        diag("%s", state);
    }
}

/* Who is served, in whatever order. */
static int read_served(void)
{
    char bytes[sizeof(SERVED)] = "";
    int n = 0;

    for (int i = 0; i < CLIENTS; i++) {
        if (raw_expect_silence(fds[i], 0))
            continue;
        n += raw_read(fds[i], bytes, sizeof(SERVED) - 1) && strcmp(bytes, SERVED) == 0;
    }
    return n;
}

/* Replies may be on their way for a moment. */
static int count_served(int wanted)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;
    int n = read_served();

    while (n < wanted && raw_now_ms() < end)
        n += read_served();
    return n;
}

/* Each has got this reply and nothing else. */
static int count_told(const char *reply)
{
    char bytes[64] = "";
    size_t len = strlen(reply);
    int n = 0;

    for (int i = 0; i < CLIENTS && len < sizeof(bytes); i++) {
        bool same = raw_read(fds[i], bytes, len) && memcmp(bytes, reply, len) == 0;

        n += same && raw_expect_silence(fds[i], 0);
    }
    return n;
}

/* All begin to wait, the line is sent, and all are told of the version that it has made. */
static void change(struct wire *w, const char *line)
{
    char request[128], since[32], told[64];
    int len = snprintf(since, sizeof(since), "%lld", wire_int(w, "VERSION k"));

    snprintf(request, sizeof(request),
             "*6\r\n$7\r\nVERSION\r\n$1\r\nk\r\n$5\r\nSINCE\r\n$%d\r\n%s\r\n$4\r\nWAIT\r\n"
             "$2\r\n-1\r\n",
             len, since);
    for (int i = 0; i < CLIENTS; i++)
        raw_send_str(fds[i], request);
    ok(comes_to(w, "blocked_clients:", CLIENTS), "%d clients wait for a change", CLIENTS);
    is_str(wire_call(w, "CONFIG RESETSTAT"), "+OK", "nothing counted");
    wire_call(w, line);
    snprintf(told, sizeof(told), ":%lld\r\n", wire_int(w, "VERSION k"));
    is_int(count_told(told), CLIENTS, "%s: each is told of it, once", line);
    is_like(wire_call(w, "DEBUG WAITING"), "'waiters' :0 'keys' :0 'places' :0 'tried' :10000",
            "each was looked at once");
}

static void run_changes(int threads)
{
    struct server *s = server_run_threads(threads, "--maxclients 10500 --enable-debug-command yes");
    struct wire *w = wire_open(s, 2);

    if (wire_is_latchkey(s)) {
        for (int i = 0; i < CLIENTS; i++)
            fds[i] = server_connect_unix(s);
        change(w, "SET k v");
        change(w, "APPEND k v");
        change(w, "DEL k");
        for (int i = 0; i < CLIENTS; i++)
            close(fds[i]);
    }
    wire_close(w);
    server_stop(s);
}

static void close_some(int from, int to)
{
    for (int i = from; i < to; i++)
        close(fds[i]);
}

/* Who has been served may still be on the way to the worker of the connection. */
static bool nothing_is_left(struct wire *w)
{
    long long end = raw_now_ms() + RAW_TIMEOUT_MS;

    while (raw_now_ms() < end) {
        if (strstr(wire_call(w, "DEBUG WAITING"), "'waiters' :0 'keys' :0 'places' :0"))
            return true;
        raw_sleep_ms(2);
    }
    return false;
}

static void run(int threads)
{
    struct server *s = server_run_threads(threads, "--maxclients 10500 --enable-debug-command yes");
    struct wire *w = wire_open(s, 2);
    bool latchkey = wire_is_latchkey(s);

    open_all(s);
    ok(comes_to(w, "blocked_clients:", CLIENTS), "%d clients wait", CLIENTS);
    push(w, PUSHES, latchkey);
    ok(comes_to(w, "blocked_clients:", CLIENTS - PUSHES), "the others still do");
    is_int(count_served(PUSHES), PUSHES, "as many were served");
    close_some(0, CLIENTS / 2);
    ok(comes_to(w, "connected_clients:", CLIENTS / 2 + 1), "half of them are gone");
    push(w, (int)info(w, "blocked_clients:"), latchkey);
    ok(comes_to(w, "blocked_clients:", 0), "nobody waits any more");
    close_some(CLIENTS / 2, CLIENTS);
    if (latchkey)
        ok(nothing_is_left(w), "nothing is left of them");
    wire_close(w);
    server_stop(s);
}

int main(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < CLIENTS + SPARE) {
        skip("too few descriptors", "%d clients that wait", CLIENTS);
        return tap_done();
    }
    run(1);
    run(4);
    run_changes(1);
    run_changes(4);
    return tap_done();
}
