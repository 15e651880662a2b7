/*
 * Snapshots in files: saved on command, by rules and at the end, loaded at the start, while others
 * write, and when that fails.
 */
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct wire_case replies[] = {
    {"SAVE", "+OK"},
    {"SAVE x", "-ERR wrong number of arguments for 'save' command"},
    {"BGSAVE x", "-ERR syntax error"},
    {"BGSAVE SCHEDULE x", "-ERR syntax error"},
    {"LASTSAVE x", "-ERR wrong number of arguments for 'lastsave' command"},
    {"LASTSAVE", "/^:1[0-9]{9}$"},
    {"DEBUG RELOAD NOPE", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."},
    {"SET k v", "+OK"},
    {"DEBUG RELOAD", "+OK"},
    {"GET k", "'v'"},
    {"SET k w", "+OK"},
    {"DEBUG RELOAD NOSAVE", "+OK"},
    {"GET k", "'v'"},
    {"SET k w", "+OK"},
    {"SET l 1", "+OK"},
    {"DEBUG RELOAD NOSAVE NOFLUSH MERGE", "+OK"},
    {"GET k", "'v'"},
    {"GET l", "'1'"},
    {"MULTI", "+OK"},
    {"SAVE", "-ERR Command not allowed inside a transaction"},
    {"DISCARD", "+OK"},
    {"MULTI", "+OK"},
    {"BGSAVE", "+QUEUED"},
    {"EXEC", "[+Background saving scheduled]"},
    {"~300", ""},
};

static struct group groups[] = {TABLE(replies), {NULL}};

/* The server on the files of another one, whose folder it takes over. */
static struct server *again(struct server *s, const char *args)
{
    struct server *next;
    char copy[300];

    snprintf(copy, sizeof(copy), "cp %s/dump.rdb /tmp/lk-saving-%d.rdb", s->dir, (int)getpid());
    ok(system(copy) == 0, "saving: there is a file");
    server_discard(s);
    next = server_run_threads(2, args);
    snprintf(copy, sizeof(copy), "mv /tmp/lk-saving-%d.rdb %s/dump.rdb", (int)getpid(), next->dir);
    ok(system(copy) == 0, "saving: it is moved");
    return next;
}

/* Loads the file that is in its folder. */
static void reload(struct server *s)
{
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "DEBUG RELOAD NOSAVE"), "+OK", "saving: it is loaded");
    wire_close(w);
}

static const char *const debug = "--enable-debug-command yes";

/* What is written is as it was, whatever is done to it meanwhile. */
static void one_moment(void)
{
    enum { KEYS = 20000 };
    struct server *s = server_run_threads(2, debug);
    struct wire *w = wire_open(s, 2);
    long long sum;

    for (int i = 0; i < KEYS; i++) {
        char line[64];

        snprintf(line, sizeof(line), "SET key:%d %d", i, i);
        wire_send(w, line);
    }
    for (int i = 0; i < KEYS; i++)
        wire_read(w);
    is_str(wire_call(w, "BGSAVE"), "+Background saving started", "saving: it begins");
    for (int i = 0; i < KEYS; i++) {
        char line[64];

        snprintf(line, sizeof(line), i % 3 ? "INCRBY key:%d 1000000" : "DEL key:%d", i);
        wire_send(w, line);
        snprintf(line, sizeof(line), "SET new:%d 1", i);
        wire_send(w, line);
    }
    for (int i = 0; i < 2 * KEYS; i++)
        wire_read(w);
    for (int i = 0; i < 500 && strstr(wire_call(w, "INFO persistence"), "bgsave_in_progress:1");
         i++)
        usleep(10000);
    wire_close(w);
    s = again(s, debug);
    reload(s);
    w = wire_open(s, 2);
    is_int((int)wire_int(w, "DBSIZE"), KEYS, "saving: as many keys as there were");
    sum = 0;
    for (int i = 0; i < KEYS; i++) {
        char line[64];

        snprintf(line, sizeof(line), "GET key:%d", i);
        wire_send(w, line);
    }
    for (int i = 0; i < KEYS; i++) {
        char want[32];

        snprintf(want, sizeof(want), "'%d'", i);
        sum += strcmp(wire_read(w), want) != 0;
    }
    is_int((int)sum, 0, "saving: and the values that they had");
    wire_close(w);
    server_stop(s);
}

/* Whoever was promised a file gets it, and no other. */
static void killed(void)
{
    struct server *s = server_run_threads(2, debug);
    struct wire *w = wire_open(s, 2);

    wire_call(w, "SET a 1");
    is_str(wire_call(w, "SAVE"), "+OK", "saving: SAVE");
    wire_call(w, "DEBUG POPULATE 200000");
    wire_call(w, "BGSAVE");
    kill(s->pid, SIGKILL);
    server_wait_end(s, 10000);
    wire_close(w);
    s = again(s, debug);
    reload(s);
    w = wire_open(s, 2);
    is_str(wire_call(w, "GET a"), "'1'", "saving: after a kill the last file is there, and whole");
    wire_close(w);
    server_stop(s);
}

/* A folder into which nothing can be written. */
static void failing(void)
{
    struct server *s = server_run_threads(1, "--save 3600 100000 --enable-protected-configs yes");
    struct wire *w = wire_open(s, 2);
    char line[400], blocked[300];

    snprintf(blocked, sizeof(blocked), "%s/none", s->dir);
    mkdir(blocked, 0700);
    snprintf(line, sizeof(line), "CONFIG SET dir %s", blocked);
    is_str(wire_call(w, line), "+OK", "saving: another folder");
    rmdir(blocked);
    wire_call(w, "SET a 1");
    is_str(wire_call(w, "SAVE"), "-ERR", "saving: it fails");
    is_str(wire_call(w, "SET a 1"), "+OK", "saving: as who asked for it knows");
    is_str(wire_call(w, "BGSAVE"), "+Background saving started", "saving: in the background");
    for (int i = 0; i < 500 && !strstr(wire_call(w, "INFO persistence"), "status:err"); i++)
        usleep(10000);
    is_like(wire_call(w, "SET a 2"), "^-MISCONF Redis is configured to save RDB snapshots, but",
            "saving: writes are refused then");
    is_like(wire_call(w, "PING"), "^-MISCONF", "saving: PING tells of it");
    is_str(wire_call(w, "GET a"), "'1'", "saving: reads are not");
    is_like(wire_call(w, "INFO persistence"), "rdb_last_bgsave_status:err", "saving: INFO");
    is_str(wire_call(w, "SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.",
           "saving: it does not end then");
    wire_call(w, "CONFIG SET stop-writes-on-bgsave-error no");
    is_str(wire_call(w, "SET a 2"), "+OK", "saving: unless it is told to");
    wire_call(w, "CONFIG SET stop-writes-on-bgsave-error yes");
    snprintf(line, sizeof(line), "CONFIG SET dir %s", s->dir);
    is_str(wire_call(w, line), "+OK", "saving: the old folder");
    is_str(wire_call(w, "SAVE"), "+OK", "saving: it can be saved again");
    is_str(wire_call(w, "SET a 3"), "+OK", "saving: and changed");
    is_str(wire_call(w, "SHUTDOWN"), "(closed)", "saving: and ended");
    is_int(server_wait_end(s, 10000), 0, "saving: in order");
    wire_close(w);
    server_discard(s);
}

/* By a rule; and that a file is there at the next start. */
static void rules(void)
{
    struct server *s = server_run_threads(1, "--enable-debug-command yes --save 1 5");
    struct wire *w = wire_open(s, 2);
    int waited = 0;

    for (int i = 0; i < 5; i++)
        wire_call(w, "INCR n");
    for (; waited < 600 && !strstr(wire_call(w, "INFO persistence"), "last_save:0"); waited++)
        usleep(10000);
    ok(waited < 600, "saving: by a rule");
    usleep(200000);
    wire_close(w);
    s = again(s, debug);
    reload(s);
    w = wire_open(s, 2);
    is_str(wire_call(w, "GET n"), "'5'", "saving: what was saved by a rule");
    wire_close(w);
    server_stop(s);
}

int main(void)
{
    session_family("saving", debug, NULL, groups);
    one_moment();
    killed();
    failing();
    rules();
    return tap_done();
}
