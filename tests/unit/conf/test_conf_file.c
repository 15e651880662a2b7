/* Reading configuration files and command lines. */
#include "conf/conf_file.h"

#include "base/version.h"
#include "conf/option.h"
#include "tests/lib/tap.h"
#include "tests/unit/conf/conf_kit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_arguments(void)
{
    static const struct {
        const char *args[8], *name, *value;
    } cases[] = {
        {{"--port", "7000"}, "port", "7000"},
        {{"--Port", "7000"}, "port", "7000"},
        {{"--port 7000"}, "port", "7000"},
        {{"--port 7000", "--hz", "9"}, "hz", "9"},
        {{"--save", "", "--appendonly", "no"}, "save", ""},
        {{"--save", "--appendonly", "yes"}, "appendonly", "yes"},
        {{"--save", "--appendonly", "yes"}, "save", ""},
        {{"--hz", "3", "--save"}, "save", ""},
        {{"--save", "60", "1", "300", "10"}, "save", "60 1 300 10"},
        {{"--save", "60 1", "--save", "300 10"}, "save", "60 1 300 10"},
        {{"--save", "60 1", "--save", ""}, "save", ""},
        {{"--bind", "127.0.0.1", "::1"}, "bind", "127.0.0.1 ::1"},
        {{"--requirepass", "--foo"}, "requirepass", "--foo"},
        {{"--requirepass", "a b \"c\n"}, "requirepass", "a b \"c\n"},
        {{"--replicaof", "no", "one"}, "replicaof", ""},
        {{"--replicaof", "host", "1"}, "slaveof", "host 1"},
        {{"--hz", "3", "--hz", "4"}, "hz", "4"},
        {{NULL}, "hz", "10"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *c = kit_load(cases[i].args);

        is_str(kit_get(c, cases[i].name), cases[i].value, "command line %zu: %s", i + 1,
               cases[i].name);
        conf_free(c);
    }
}

/* The text of the error for a file of these lines, or what was warned of. */
static const char *load_lines(const char *content)
{
    const char *said;

    kit_write("c.conf", content);
    kit_try(ARGS(kit_path("c.conf")), &said);
    return said;
}

static const char *fatal(int line, const char *text, const char *reason)
{
    static char out[512];

    snprintf(out, sizeof(out),
             "\n*** FATAL CONFIG FILE ERROR (Latchkey %s) ***\n"
             "Reading the configuration file, at line %d\n>>> '%s'\n%s\n",
             LATCHKEY_VERSION, line, text, reason);
    return out;
}

static void test_errors(void)
{
    static const struct {
        const char *content;
        int line;
        const char *text, *reason;
    } cases[] = {
        {"port 0\nhz \"20\"x\n", 2, "hz \"20\"x", "Unbalanced quotes in configuration line"},
        {"\n#c\n  foo bar \t\r\n", 3, "foo bar", "Bad directive or wrong number of arguments"},
        {"hz\n", 1, "hz", "wrong number of arguments"},
        {"hz 1 2", 1, "hz 1 2", "wrong number of arguments"},
        {"LOGLEVEL loud", 1, "LOGLEVEL loud",
         "argument(s) must be one of the following: debug, verbose, notice, warning"},
        {"databases 0", 1, "databases 0", "argument must be between 1 and 2147483647 inclusive"},
        {"dir /nowhere", 1, "dir /nowhere", "No such file or directory"},
        {"unixsocketperm 888", 1, "unixsocketperm 888",
         "argument couldn't be parsed as an octal number"},
        {"unixsocketperm 1000", 1, "unixsocketperm 1000",
         "argument must be between 0 and 777 inclusive"},
        {"user", 1, "user", "Bad directive or wrong number of arguments"},
        {"rename-command a", 1, "rename-command a", "Bad directive or wrong number of arguments"},
        {"client-output-buffer-limit normal 0 0", 1, "client-output-buffer-limit normal 0 0",
         "Wrong number of arguments in buffer limit configuration."},
        {"\"\" hz", 1, "\"\" hz", "Bad directive or wrong number of arguments"},
    };
    const char *said;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_str(load_lines(cases[i].content), fatal(cases[i].line, cases[i].text, cases[i].reason),
               "refused: %s", cases[i].text);
    is_int(kit_try(ARGS("--hz", "1", "--foo", "1"), &said), CONF_BAD, "arguments can be wrong too");
    is_str(said, fatal(3, "foo \"1\"", "Bad directive or wrong number of arguments"),
           "and count as lines");
    is_int(kit_try(ARGS("--port=0"), &said), CONF_BAD, "--port=0 is no option");
    is_int(kit_try(ARGS("-x"), &said), CONF_BAD, "nor is -x");
    is_int(kit_try(ARGS("/nowhere/x.conf"), &said), CONF_UNREADABLE, "a file must be there");
    is_str(said, "Fatal error, can't open config file '/nowhere/x.conf': No such file or directory",
           "else its name is told");
}

static void test_warnings(void)
{
    is_str(load_lines("loadmodule x\nloadmodule y\nuser bob on\nfoo.bar baz\n"
                      "appendonly no\ncluster-enabled yes\n"),
           "Option 'loadmodule' is not supported here, ignored: modules cannot be loaded, their "
           "commands are unknown here\n"
           "Option 'user' is not supported here, ignored: there is one user, 'default', who may do "
           "everything; requirepass is the only password\n"
           "Option 'foo.bar' is not supported here, ignored\n"
           "Option 'cluster-enabled' is not supported here, ignored: this server alone holds all "
           "keys\n",
           "one warning for each option without effect");
    is_like(load_lines("aclfile /a.acl\n"), "^Option 'aclfile' .*: .*file is not read\n$",
            "aclfile");
    is_like(load_lines("tls-port 1\n"), "^Option 'tls-port' .*: .*nothing listens", "tls-port");
    is_like(load_lines("appendonly yes\nappendfsync always\n"), "^$", "a log of changes");
    is_like(load_lines("list-compress-depth 1\n"), "^Option 'list-compress-depth'", "and so on");
    is_str(load_lines("port 1\nhz 11\ncluster-enabled no\n"), "", "none for the others");
}

static void test_files(void)
{
    struct conf *c;

    kit_write("main.conf", "# a comment\n\nhz 20\nsave 900 1\nsave 300 10\nport 1\r\n"
                           "client-output-buffer-limit pubsub 1 2 3\nrename-command GET ''\n"
                           "rename-command SET \"TES\"\nlogfile \"a b\\x41\"\n"
                           "bind 127.0.0.1 -::1");
    c = kit_load(ARGS(kit_path("main.conf"), "--hz", "30", "--save", "5 5"));
    is_str(kit_get(c, "hz"), "30", "an argument beats the file");
    is_str(kit_get(c, "save"), "900 1 300 10 5 5", "lines of save add up");
    is_str(c->logfile, "a bA", "quotes and escapes");
    is_str(kit_get(c, "bind"), "127.0.0.1 -::1", "a last line without its end");
    is_str(kit_get(c, "client-output-buffer-limit"),
           "normal 0 0 0 slave 268435456 67108864 60 pubsub 1 2 3", "one class of three");
    is_str(c->file, kit_path("main.conf"), "the file's name is kept");
    ok(c->renames_len == 2 && is_str(c->renames[0].to, "", "a command is taken away") &&
           is_str(c->renames[1].from, "SET", "and one renamed"),
       "rename-command");
    conf_free(c);
}

static void test_include(void)
{
    char line[512];
    struct conf *c;
    const char *said;

    kit_write("one.part", "hz 21\n");
    kit_write("two.part", "timeout 22\n");
    snprintf(line, sizeof(line), "hz 1\ninclude %s\ninclude %s\nport 23\n", kit_path("*.part"),
             kit_path("none*"));
    kit_write("inc.conf", line);
    c = kit_load(ARGS(kit_path("inc.conf")));
    is_str(kit_get(c, "hz"), "21", "a pattern includes files");
    is_str(kit_get(c, "timeout"), "22", "all of them");
    is_str(kit_get(c, "port"), "23", "and the rest follows");
    conf_free(c);
    snprintf(line, sizeof(line), "hz 1\ninclude %s\n", kit_path("self.conf"));
    kit_write("self.conf", line);
    is_int(kit_try(ARGS(kit_path("self.conf")), &said), CONF_BAD, "a file cannot include itself");
    kit_write("bad.part", "\n\nhz x\n");
    snprintf(line, sizeof(line), "include %s\n", kit_path("bad.part"));
    is_str(load_lines(line), fatal(3, "hz x", "argument couldn't be parsed into an integer"),
           "the line counts in its own file");
    snprintf(line, sizeof(line), "include %s\n", kit_path("missing"));
    load_lines(line);
    is_int(kit_try(ARGS(kit_path("c.conf")), &said), CONF_UNREADABLE, "a plain name must exist");
}

/* Runs with the text as standard input, and shows one option. */
static void with_stdin(const char *const *args, const char *input, const char *name,
                       const char *want)
{
    struct conf *c;

    kit_write("stdin", input);
    if (!freopen(kit_path("stdin"), "r", stdin))
        bail("no standard input");
    lseek(STDIN_FILENO, 0, SEEK_SET);
    c = kit_load(args);
    is_str(kit_get(c, name), want, "from standard input: %s", name);
    conf_free(c);
}

static void test_stdin(void)
{
    kit_write("base.conf", "hz 2\nport 3\ntimeout 4\n");
    with_stdin(ARGS("-"), "hz 33", "hz", "33");
    with_stdin(ARGS(kit_path("base.conf"), "--port", "5", "-"), "hz 34\nport 9\n", "hz", "34");
    with_stdin(ARGS(kit_path("base.conf"), "--port", "5", "-"), "hz 34\nport 9\n", "port", "5");
    with_stdin(ARGS("-", "--timeout", "6"), "timeout 7", "timeout", "6");
    with_stdin(ARGS("--hz", "6"), "hz 7", "hz", "6");
}

/* latchkey.conf with every "#name value" made a directive. */
static void uncomment(struct slice text, struct buf *out)
{
    struct slice line;

    while (conf_next_line(&text, &line)) {
        bool option = line.len > 1 && line.ptr[0] == '#' && islower((unsigned char)line.ptr[1]);

        if (option && !strstr(line.ptr, "include /etc"))
            line = slice_make(line.ptr + 1, line.len - 1);
        else if (line.len && line.ptr[0] != '#')
            continue;
        buf_append_slice(out, line);
        buf_append_char(out, '\n');
    }
    buf_append_char(out, '\0');
}

/* What `make run` starts with: every option that does something, with its initial value. */
static void test_own_file(void)
{
    struct conf *fresh = conf_new(), *c = kit_load(ARGS("conf/latchkey.conf"));
    struct buf text = {0}, plain = {0};
    int missing = 0, changed = 0;

    is_str(kit_get(c, "bind"), "127.0.0.1 -::1", "latchkey.conf listens on this machine alone");
    conf_free(c);
    conf_read_all("conf/latchkey.conf", &text);
    uncomment(buf_slice(&text), &plain);
    kit_write("plain.conf", plain.ptr);
    c = kit_load(ARGS(kit_path("plain.conf")));
    for (int i = 0; i < OPTION_COUNT; i++) {
        bool differs = conf_differs(fresh, c, (enum option_id)i);
        bool absent = !c->given[i] && !(options[i].flags & (INERT | HIDDEN)) && i != OPT_bind;

        if (differs || absent)
            diag("%s %s", options[i].name, differs ? "has another value" : "is missing");
        missing += absent;
        changed += differs;
    }
    is_int(missing, 0, "latchkey.conf names all options");
    is_int(changed, 0, "latchkey.conf says the initial values");
    buf_release(&text);
    buf_release(&plain);
    conf_free(c);
    conf_free(fresh);
}

int main(void)
{
    test_arguments();
    test_errors();
    test_warnings();
    test_files();
    test_include();
    test_stdin();
    test_own_file();
    return tap_done();
}
