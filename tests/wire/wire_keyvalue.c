/*
 * Events that carry the value: what is told of each change, to whom. Tables are run for who
 * subscribes to a pattern of such channels, to the channel of each key, and to everything with the
 * letter W in notify-keyspace-events: all are told the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

enum { TOLD_MAX = 6, TEXT_MAX = 512 };

/*
 * A command, its reply (NULL: whatever it is), and what is told of it: "db:key event state type
 * size body". The version is left out; that it grows is checked throughout.
 */
struct step {
    const char *line;
    const char *reply;
    const char *told[TOLD_MAX];
};

/* ---- reading what is told -------------------------------------------------------------------- */

/* By database and key, the last version that was told. */
static struct {
    char key[64];
    unsigned long long version;
} seen[256];
static size_t seen_len;

/* Further events of a change have its version; else it is greater than those before. */
static bool grows(const char *key, const char *event, unsigned long long version)
{
    static const char *const further[] = {"expire", "persist", "hexpire", "hdel"};
    size_t i = 0;
    bool may_be_same = false, right;

    for (size_t k = 0; k < sizeof(further) / sizeof(further[0]); k++)
        may_be_same |= strcmp(event, further[k]) == 0;
    while (i < seen_len && strcmp(seen[i].key, key) != 0)
        i++;
    if (i == seen_len) {
        snprintf(seen[i].key, sizeof(seen[i].key), "%s", key);
        seen[seen_len++].version = 0;
    }
    right = version > seen[i].version || (may_be_same && version == seen[i].version);
    seen[i].version = version;
    return right;
}

/* "db:key event state type size body" of a message, or what is wrong with it. */
static void describe(const struct answer *channel, const struct answer *message,
                     char text[TEXT_MAX])
{
    static const char prefix[] = "__keyvalue@";
    const char *key = strstr(channel->text, "__:"),
               *body = memchr(message->text, '\n', message->len);
    char event[32], state[16], type[16], name[64];
    unsigned long long version, size;

    if (strncmp(channel->text, prefix, sizeof(prefix) - 1) != 0 || !key || !body ||
        sscanf(message->text, "%31s %llu %15s %15s %llu", event, &version, state, type, &size) !=
            5) {
        snprintf(text, TEXT_MAX, "strange: %s %s", channel->text, message->text);
        return;
    }
    snprintf(name, sizeof(name), "%d:%s", atoi(channel->text + sizeof(prefix) - 1), key + 3);
    snprintf(text, TEXT_MAX, "%s %s %s %s %llu%s%.*s%s", name, event, state, type, size,
             body[1] ? " " : "", (int)(message->len - (size_t)(body + 1 - message->text)), body + 1,
             grows(name, event, version) ? "" : " (version does not grow)");
}

/* The next message of a connection, "silence" if there is none. */
static void next_told(struct wire *w, int timeout_ms, char text[TEXT_MAX])
{
    struct answer *a = wire_next(w, timeout_ms);

    if (!a)
        snprintf(text, TEXT_MAX, "silence");
    else if (a->count < 3)
        snprintf(text, TEXT_MAX, "no message");
    else
        describe(a->items[a->count - 2], a->items[a->count - 1], text);
    answer_free(a);
}

static void run_step(struct session *t, const char *group, const struct step *s)
{
    const char *reply = wire_call(session_wire(t, 0), s->line);
    char told[TEXT_MAX];

    if (s->reply)
        is_str(reply, s->reply, "%s: %s", group, s->line);
    for (int i = 0; i < TOLD_MAX && s->told[i]; i++) {
        next_told(session_wire(t, 1), RAW_TIMEOUT_MS, told);
        is_str(told, s->told[i], "%s: told of %s, %d", group, s->line, i);
    }
}

static void is_silent(struct session *t, const char *group)
{
    char told[TEXT_MAX];

    wire_call(session_wire(t, 0),
              "PUBLISH __keyvalue@9__:end \"end 99999999999999999 now none 0\n\"");
    next_told(session_wire(t, 1), 200, told);
    if (strcmp(told, "9:end end now none 0") != 0)
        is_str(told, "silence", "%s: nothing else is told", group);
}

static void subscribe_keys(struct wire *w)
{
    for (int db = 0; db < 4; db++) {
        for (const char *key = "abcde"; *key; key++)
            wire_callf(w, "SUBSCRIBE __keyvalue@%d__:%c", db, *key);
    }
}

static void subscribe(struct session *t, int way)
{
    struct wire *w = session_wire(t, 1);

    wire_callf(session_wire(t, 0), "CONFIG SET notify-keyspace-events %s",
               way == 2 ? "AW" : "\"\"");
    if (way == 0)
        wire_call(w, "PSUBSCRIBE __keyvalue@*");
    else if (way == 1)
        subscribe_keys(w);
    else
        wire_call(w, "PSUBSCRIBE *");
}

/* Keys a to e of databases 0 to 3. */
static void run_steps(struct session *t, const char *group, const struct step *steps, size_t n)
{
    static const char *const ways[] = {"by pattern", "by key", "by letter"};

    for (int way = 0; way < 3; way++) {
        char name[64];

        session_reset(t);
        seen_len = 0;
        snprintf(name, sizeof(name), "%s %s", group, ways[way]);
        subscribe(t, way);
        for (size_t i = 0; i < n; i++)
            run_step(t, name, &steps[i]);
        is_silent(t, name);
    }
    wire_call(session_wire(t, 0), "CONFIG SET notify-keyspace-events \"\"");
}

#define STEPS(t, group, ...)                                                                       \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        run_steps(t, group, steps_, sizeof(steps_) / sizeof(steps_[0]));                           \
    } while (0)

/* ---- what is told ---------------------------------------------------------------------------- */

static void strings(struct session *t)
{
    STEPS(t, "strings",                                                                       /**/
          {"SET a v", "+OK", {"0:a set now string 1 v"}},                                     /**/
          {"SET a \"x\\ny\"", "+OK", {"0:a set now string 3 x\ny"}},                          /**/
          {"SET a \"\"", "+OK", {"0:a set now string 0"}},                                    /**/
          {"SET a 12", "+OK", {"0:a set now string 2 12"}},                                   /**/
          {"INCR a", ":13", {"0:a incrby now string 2 13"}},                                  /**/
          {"INCRBYFLOAT a 0.5", "'13.5'", {"0:a incrbyfloat now string 4 13.5"}},             /**/
          {"APPEND a x", ":5", {"0:a append now string 5 13.5x"}},                            /**/
          {"SETRANGE a 0 99", ":5", {"0:a setrange now string 5 99.5x"}},                     /**/
          {"SETBIT a 7 0", NULL, {"0:a setbit now string 5 89.5x"}},                          /**/
          {"SET a w EX 100", "+OK", {"0:a set now string 1 w", "0:a expire now string 1 w"}}, /**/
          {"PERSIST a", ":1", {"0:a persist now string 1 w"}},                                /**/
          {"EXPIRE a 100", ":1", {"0:a expire now string 1 w"}},                              /**/
          {"GETEX a PERSIST", "'w'", {"0:a persist now string 1 w"}},                         /**/
          {"GETSET a u", "'w'", {"0:a set now string 1 u"}},                                  /**/
          {"SETNX a n", ":0"},                                                                /**/
          {"SET a n NX", "nil"},                                                              /**/
          {"SETNX b n", ":1", {"0:b set now string 1 n"}},                                    /**/
          {"MSET a 1 c 2 a 3",
           "+OK",
           {"0:a set now string 1 1", "0:c set now string 1 2", "0:a set now string 1 3"}}, /**/
          {"GETDEL a", "'3'", {"0:a del gone string 1 3"}},                                 /**/
          {"DEL a b c", ":2", {"0:b del gone string 1 n", "0:c del gone string 1 2"}},      /**/
          {"SET a v", "+OK", {"0:a set now string 1 v"}},                                   /**/
          {"EXPIRE a -1", ":1", {"0:a del gone string 1 v"}},                               /**/
          {"SET a v PXAT 1",
           "+OK",
           {"0:a set now string 1 v", "0:a expire now string 1 v",
            "0:a expired gone string 1 v"}},                  /**/
          {"GET a", "nil"},                                   /**/
          {"BITOP OR d a", ":0"},                             /**/
          {"SET e x", "+OK", {"0:e set now string 1 x"}},     /**/
          {"BITOP OR d e", ":1", {"0:d set now string 1 x"}}, /**/
          {"BITOP OR d a", ":0", {"0:d del gone string 1 x"}});
}

static void keys(struct session *t)
{
    STEPS(t, "keys",                                      /**/
          {"SET a v", "+OK", {"0:a set now string 1 v"}}, /**/
          {"RENAME a b",
           "+OK",
           {"0:a rename_from gone string 1 v", "0:b rename_to now string 1 v"}},               /**/
          {"COPY b c", ":1", {"0:c copy_to now string 1 v"}},                                  /**/
          {"COPY b c DB 2", ":1", {"2:c copy_to now string 1 v"}},                             /**/
          {"MOVE b 1", ":1", {"0:b move_from gone string 1 v", "1:b move_to now string 1 v"}}, /**/
          {"SET e w", "+OK", {"0:e set now string 1 w"}},                                      /**/
          {"RENAME c e",
           "+OK",
           {"0:c rename_from gone string 1 v", "0:e rename_to now string 1 v"}}, /**/
          {"UNLINK e", ":1", {"0:e del gone string 1 v"}},                       /**/
          {"SELECT 2", "+OK"},                                                   /**/
          {"DEL c", ":1", {"2:c del gone string 1 v"}},                          /**/
          {"SET c v PX 10",
           "+OK",
           {"2:c set now string 1 v", "2:c expire now string 1 v",
            "2:c expired gone string 1 v"}}, /**/
          {"MULTI", "+OK"},                  /**/
          {"SET a 1", "+QUEUED"},            /**/
          {"INCR a", "+QUEUED"},             /**/
          {"DEL a", "+QUEUED"},              /**/
          {"SET a 2", "+QUEUED"},            /**/
          {"EXEC",
           "[+OK :2 :1 +OK]",
           {"2:a set now string 1 1", "2:a incrby now string 1 2", "2:a del gone string 1 2",
            "2:a set now string 1 2"}}, /**/
          {"SELECT 0", "+OK"});
}

static const struct group groups[] = {
    NEW_TEST(strings),
    NEW_TEST(keys),
    {0},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("keyvalue", "", threads, groups);
}
