/* server/when_args and command.c: what a request that carries another needs for it. */
#include "server/when_args.h"

#include "tests/lib/tap.h"

#include <stdio.h>
#include <string.h>

enum { WORDS = 64, TEXT = 256, KEYS = 8 };

/* Words that are separated by single blanks. */
static int split(const char *text, struct slice *argv)
{
    int argc = 0;

    while (*text && argc < WORDS) {
        size_t len = strcspn(text, " ");

        argv[argc++] = slice_make(text, len);
        text += len + (text[len] == ' ');
    }
    return argc;
}

static const struct {
    const char *request;
    const char *keys; /* those of the conditions and those of the command, in order */
    int inner;        /* the argument that is its name */
    bool world, write, denyoom;
} cases[] = {
    {"when exists a do get b", "a b", 4, false, false, false},
    {"WHEN EXISTS a DO SET b 1", "a b", 4, false, true, true},
    {"when absent a do del a b c", "a a b c", 4, false, true, false},
    {"when eq a b held c 5 version d 7 absent e do incr f", "a c d e f", 13, false, true, true},
    {"when exists do do get do", "do do", 4, false, false, false},
    {"when eq eq eq do mset a 1 b 2", "eq a b", 5, false, true, true},
    {"when exists a do zunionstore d 2 x y", "a d x y", 4, false, true, true},
    {"when exists a do zunionstore d 9 x y", "a", 4, false, true, true},
    {"when exists a do zunionstore d x", "a", 4, false, true, true},
    {"when exists a do sort l by w_* store d", "a l d", 4, true, true, true},
    {"when exists a do sort l store d", "a l d", 4, false, true, true},
    {"when exists a do flushall", "a", 4, true, true, false},
    {"when exists a do keys *", "a", 4, true, false, false},
    {"when exists a do scan 0", "a", 4, true, false, false},
    {"when exists a do object encoding b", "a b", 4, false, false, false},
    {"when exists a do object nope b", "a", 4, false, false, false},
    {"when exists a do nope b", "a", 4, false, false, false},
    {"when exists a do publish c m", "a", 4, false, false, false},
    {"when exists a do get", "a", 4, false, false, false},
    {"when exists a absent b do when eq c d do set e f", "a b", 6, false, false, false},
    {"durable no when exists a do set e f", "a e", 0, false, true, true},
    {"durable no when exists a do keys *", "a", 0, true, false, false},
    {"durable no durable no when exists a do set e f", "", 0, false, false, false},
    {"when exists a do durable no set e f", "a", 4, false, false, false},
    {"when exists a do", "a", 0, false, false, false},
    {"when exists a", "a", 0, false, false, false},
    {"when exists", "", 0, false, false, false},
    {"when do get a", "", 0, false, false, false},
    {"when exists a get b", "a", 0, false, false, false},
    {"when exists a like b do get c", "a", 0, false, false, false},
    {"when held a do get", "a", 0, false, false, false},
    {"when eq a", "", 0, false, false, false},
};

static const char *keys_of(const struct command *cmd, const struct slice *argv, int argc)
{
    static char text[TEXT];
    struct key_position keys[KEYS];
    int n = command_keys(cmd, argv, argc, keys, KEYS);
    size_t at = 0;

    text[0] = '\0';
    for (int i = 0; i < n && i < KEYS && at < sizeof(text); i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", i ? " " : "",
                               (int)argv[keys[i].index].len, argv[keys[i].index].ptr);
    return text;
}

/* However little room there is for them, their number is told, and nothing is written behind. */
static bool counts_without_room(const struct command *cmd, const struct slice *argv, int argc)
{
    struct key_position keys[KEYS + 1];
    int n = command_keys(cmd, argv, argc, keys, KEYS);

    for (int room = 0; room <= n; room++) {
        keys[room].index = -1;
        if (command_keys(cmd, argv, argc, keys, room) != n || keys[room].index != -1)
            return false;
    }
    return true;
}

static void try_all(const struct command_table *t)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *request = cases[i].request;
        struct slice argv[WORDS];
        const struct command *cmd;
        int argc, flags;

        argc = split(request, argv);
        cmd = command_of_request(t, argv, argc);
        flags = command_flags(cmd, argv, argc);
        is_int(when_inner(argv, argc), cases[i].inner, "%s: where the command is", request);
        is_str(keys_of(cmd, argv, argc), cases[i].keys, "%s: keys", request);
        ok(counts_without_room(cmd, argv, argc), "%s: their number", request);
        ok(command_needs_world(cmd, argv, argc) == cases[i].world, "%s: the world", request);
        ok(!!(flags & CMD_WRITE) == cases[i].write && !!(flags & CMD_DENYOOM) == cases[i].denyoom,
           "%s: flags", request);
    }
}

int main(void)
{
    struct command_table *t = command_table_new();

    try_all(t);
    command_table_free(t);
    return tap_done();
}
