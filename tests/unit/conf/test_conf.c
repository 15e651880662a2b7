/* CONFIG SET of several options, CONFIG GET with patterns, and who may set what. */
#include "conf/conf.h"

#include "base/mem.h"
#include "tests/lib/tap.h"
#include "tests/unit/conf/conf_kit.h"

enum { PAIRS_MAX = 8 };

static const char *set_all(struct conf *c, bool local, const char *const *words)
{
    static struct buf err;
    struct slice pairs[PAIRS_MAX];
    size_t n = 0;

    while (words[n]) {
        pairs[n] = slice_str(words[n]);
        n++;
    }
    err.len = 0;
    conf_set_pairs(c, pairs, n, local, &err);
    buf_append_char(&err, '\0');
    return err.ptr;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FAILED(name, why) "CONFIG SET failed (possibly related to argument '" name "') - " why

static void test_names(void)
{
    static const struct {
        const char *words[PAIRS_MAX], *error;
    } cases[] = {
        {{"hz", "20", "timeout", "7"}, ""},
        {{"nope", "1"}, "Unknown option or number of arguments for CONFIG SET - 'nope'"},
        {{"NOPE", "1", "nope2", "1"},
         "Unknown option or number of arguments for CONFIG SET - 'NOPE'"},
        {{"hz", "x", "nope", "1"}, "Unknown option or number of arguments for CONFIG SET - 'nope'"},
        {{"daemonize", "no", "nope", "1"}, FAILED("daemonize", "can't set immutable config")},
        {{"nope", "1", "daemonize", "no"},
         "Unknown option or number of arguments for CONFIG SET - 'nope'"},
        {{"port", "x", "daemonize", "no"}, FAILED("daemonize", "can't set immutable config")},
        {{"hz", "1", "HZ", "1"}, FAILED("HZ", "duplicate parameter")},
        {{"replica-priority", "1", "slave-priority", "2"}, ""},
        {{"HZ", "x"}, FAILED("hz", "argument couldn't be parsed into an integer")},
        {{"Slave-Priority", "x"},
         FAILED("slave-priority", "argument couldn't be parsed into an integer")},
        {{"dbfilename", "x"}, FAILED("dbfilename", "can't set protected config")},
        {{"threads", "4"}, FAILED("threads", "can't set immutable config")},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *c = conf_new();

        is_str(set_all(c, true, cases[i].words), cases[i].error, "set %s ...", cases[i].words[0]);
        conf_free(c);
    }
}

static void test_protected(void)
{
    struct conf *c = conf_new();

    c->enable_protected_configs = CONF_ALLOWED_LOCAL;
    is_str(set_all(c, false, WORDS("dbfilename", "x")),
           FAILED("dbfilename", "can't set protected config"), "local: not from elsewhere");
    is_str(set_all(c, true, WORDS("dbfilename", "x")), "", "local: from here");
    c->enable_protected_configs = CONF_ALLOWED_YES;
    is_str(set_all(c, false, WORDS("dbfilename", "y")), "", "yes: from anywhere");
    is_str(set_all(c, false, WORDS("dbfilename", "a/b")),
           FAILED("dbfilename", "dbfilename can't be a path, just a filename"), "no paths");
    is_str(set_all(c, false, WORDS("dbfilename", "a\\b")),
           FAILED("dbfilename", "dbfilename can't be a path, just a filename"), "of any system");
    conf_free(c);
}

/* The names that match, each followed by a blank. */
static const char *names(const char *const *patterns)
{
    static struct buf out;
    struct slice slices[PAIRS_MAX];
    struct conf_match *found;
    size_t n = 0, len;

    while (patterns[n]) {
        slices[n] = slice_str(patterns[n]);
        n++;
    }
    len = conf_match(slices, n, &found);
    out.len = 0;
    for (size_t i = 0; i < len; i++)
        buf_printf(&out, "%.*s ", (int)found[i].name.len, found[i].name.ptr);
    buf_append_char(&out, '\0');
    mem_free(found);
    return out.ptr;
}

static void test_match(void)
{
    is_str(names(WORDS("MAXMEMORY")), "MAXMEMORY ", "a plain name is answered as asked");
    is_str(names(WORDS("maxmemory", "MAXMEMORY")), "maxmemory ", "and once");
    is_str(names(WORDS("MaxMemory-S*")), "maxmemory-samples ", "patterns take any case");
    is_str(names(WORDS("maxmemory-[ps]*", "maxmemory-samples")),
           "maxmemory-policy maxmemory-samples ", "each name comes once");
    is_str(names(WORDS("slave-priority", "replica-priority")), "slave-priority replica-priority ",
           "an alias is a name of its own");
    is_str(names(WORDS("*-priority")), "replica-priority slave-priority ", "for patterns too");
    is_str(names(WORDS("nope", "no*pe")), "", "nothing matches nothing");
    is_str(names(WORDS("key-load-*")), "", "patterns do not find hidden options");
    is_str(names(WORDS("key-load-delay")), "key-load-delay ", "their names do");
    is_str(names(WORDS("maxmemor\\y")), "", "a backslash alone makes no pattern");
}

static void test_workers(void)
{
    struct conf *c = kit_load(WORDS("--threads", "3", "--io-threads", "5"));

    is_int(conf_workers(c), 3, "threads decides");
    conf_free(c);
    c = kit_load(WORDS("--io-threads", "5"));
    is_int(conf_workers(c), 5, "io-threads is the same wish");
    conf_free(c);
    c = kit_load(WORDS("--io-threads", "1"));
    is_int(conf_workers(c), 1, "even where it is the initial value");
    conf_free(c);
    c = conf_new();
    ok(conf_workers(c) >= 1 && conf_workers(c) <= 16, "else the machine");
    conf_free(c);
}

int main(void)
{
    test_names();
    test_protected();
    test_match();
    test_workers();
    return tap_done();
}
