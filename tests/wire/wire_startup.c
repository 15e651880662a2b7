/*
 * Start and end: the command line, configuration files, addresses, sockets, daemons, refusals.
 *
 * Each test starts a server of its own. "{port}" and the like are replaced by server_spawn().
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define QUIET " --save \"\" --appendonly no --dir {dir} "
#define LOCAL "--port {port} --unixsocket {sock}" QUIET

/* ---- what does not start ---- */

struct refusal {
    const char *args;
    const char *input;
    const char *says[2];
};

static const struct refusal refusals[] = {
    {"--nosuchoption 1",
     NULL,
     {"FATAL CONFIG FILE ERROR", "Bad directive or wrong number of arguments"}},
    {"--nosuchoption 1", NULL, {"at line 2", ">>> 'nosuchoption \"1\"'"}},
    {"--timeout=5", NULL, {">>> 'timeout=5'", "Bad directive or wrong number of arguments"}},
    {"--port abc", NULL, {">>> 'port \"abc\"'", "argument couldn't be parsed into an integer"}},
    {"--port 70000", NULL, {"FATAL CONFIG", "argument must be between 0 and 65535 inclusive"}},
    {"--port", NULL, {">>> 'port'", "wrong number of arguments"}},
    {"--port 1 2", NULL, {">>> 'port \"1\" \"2\"'", "wrong number of arguments"}},
    {"--databases 0", NULL, {">>> 'databases \"0\"'", "argument must be between 1 and"}},
    {"--maxmemory-policy x",
     NULL,
     {"argument(s) must be one of the following: volatile-lru, "
      "volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, "
      "allkeys-lfu, allkeys-random, noeviction"}},
    {"--daemonize maybe", NULL, {"argument must be 'yes' or 'no'"}},
    {"--maxmemory 1xb", NULL, {"argument must be a memory value"}},
    {"--save abc", NULL, {"Invalid save parameters"}},
    {"--unixsocketperm 999", NULL, {"argument couldn't be parsed as an octal number"}},
    {"--notify-keyspace-events Q", NULL, {"Invalid event class character"}},
    {"--client-output-buffer-limit normal 1 2", NULL, {"FATAL CONFIG FILE ERROR"}},
    {"--dir /nonexistent/folder",
     NULL,
     {">>> 'dir \"/nonexistent/folder\"'", "No such file or directory"}},
    {"--port 0 --logfile /nonexistent/log",
     NULL,
     {"Can't open the log file", "No such file or directory"}},
    {"/nonexistent/file.conf",
     NULL,
     {"can't open config file '/nonexistent/file.conf': No such file or directory"}},
    {"--port 0", NULL, {"Configured to not listen anywhere, exiting."}},
    {"--port {port} --bind 192.0.2.1", NULL, {"192.0.2.1:", "Failed listening on port"}},
    {"{conf}", "# fine\nport {port}\n\ntimeout abc\n", {"at line 4", ">>> 'timeout abc'"}},
    {"{conf}", "port {port}\nnosuchoption 1\n", {"at line 2", ">>> 'nosuchoption 1'"}},
    {"{conf}",
     "requirepass \"abc\n",
     {"FATAL CONFIG FILE ERROR", "Unbalanced quotes in configuration line"}},
    {"{conf}",
     "include /nonexistent/more.conf\n",
     {"can't open config file '/nonexistent/more.conf'"}},
    {"-", "port abc\n", {"argument couldn't be parsed into an integer"}},
};

static void try_refusal(const struct refusal *r)
{
    struct server *s = server_spawn(r->args, r->input);
    char *log;

    is_int(server_wait_end(s, 10000), 1, "startup: %s%s%.*s is refused", r->args,
           r->input != NULL ? " with " : "", r->input != NULL ? (int)strcspn(r->input, "\n") : 0,
           r->input != NULL ? r->input : "");
    log = server_log(s);
    for (int i = 0; i < 2 && r->says[i] != NULL; i++) {
        if (!ok(strstr(log, r->says[i]) != NULL, "startup: and says %s", r->says[i]))
            diag("%s", log);
    }
    free(log);
    server_discard(s);
}

static void port_in_use(void)
{
    struct server *first = server_spawn(LOCAL, NULL), *second;
    char args[200];

    server_wait_ready(first);
    snprintf(args, sizeof(args), "--port %d" QUIET, first->port);
    second = server_spawn(args, NULL);
    is_int(server_wait_end(second, 10000), 1, "startup: a port in use");
    ok(server_log_has(second, "Address already in use"), "startup: is called so");
    server_discard(second);
    server_stop(first);
}

/* ---- what only prints ---- */

static void prints(const char *option, int code, const char *regex)
{
    struct server *s = server_spawn(option, NULL);
    char *log;

    is_int(server_wait_end(s, 10000), code, "startup: %s", option);
    log = server_log(s);
    is_like(log, regex, "startup: what %s prints", option);
    free(log);
    server_discard(s);
}

/* ---- starts and ends ---- */

static bool ready(struct server *s, const char *name)
{
    char *log;

    if (ok(server_wait_ready(s), "startup: %s", name))
        return true;
    log = server_log(s);
    diag("%s", log);
    free(log);
    return false;
}

/* The reply to one inline command over TCP, as text; static. */
static const char *ask(int port, const char *line)
{
    static struct wire *w;
    int fd = raw_connect_tcp("127.0.0.1", port);

    if (fd < 0)
        return "(no connection)";
    wire_close(w);
    w = wire_attach(fd, 2);
    return wire_call(w, line);
}

static void words_of_the_log(void)
{
    struct server *s = server_spawn(LOCAL, NULL);
    char *log;

    ready(s, "options alone");
    ok(server_log_has(s, "Server initialized"), "startup: Server initialized");
    ok(server_log_has(s, "eady to accept connections"), "startup: Ready to accept connections");
    log = server_log(s);
    is_like(log, "[0-9]+:M [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8}\\.[0-9]{3} [*#] ",
            "startup: lines begin with process, role, time and level");
    free(log);
    kill(s->pid, SIGINT);
    is_int(server_wait_end(s, 10000), 0, "startup: SIGINT ends it in order");
    ok(server_log_has(s, "Received SIGINT scheduling shutdown"), "startup: and is logged");
    ok(server_log_has(s, "ready to exit, bye bye"), "startup: the last words");
    ok(access(s->socket_path, F_OK) != 0, "startup: the unix socket is gone");
    server_discard(s);
}

static void hangup_is_ignored(void)
{
    struct server *s = server_spawn(LOCAL, NULL);

    ready(s, "again");
    kill(s->pid, SIGHUP);
    kill(s->pid, SIGPIPE);
    is_str(ask(s->port, "PING"), "+PONG", "startup: SIGHUP and SIGPIPE end nothing");
    server_stop(s);
}

static void shutdown_command(const char *line)
{
    struct server *s = server_spawn(LOCAL, NULL);

    ready(s, line);
    is_str(ask(s->port, line), "(closed)", "startup: %s has no reply", line);
    is_int(server_wait_end(s, 10000), 0, "startup: %s ends it in order", line);
    server_discard(s);
}

static void configuration_file(void)
{
    struct server *s =
        server_spawn("{conf} --timeout 30", "# a comment\n"
                                            "  port   {port}  \n"
                                            "PORT {port}\n"
                                            "bind 127.0.0.1\n"
                                            "\n"
                                            "dir \"{dir}\"\n"
                                            "save \"\"\n"
                                            "maxmemory 100mb\n"
                                            "maxmemory-policy 'allkeys-lru'\n"
                                            "requirepass \"a b\\x41\"\n"
                                            "timeout 20\n"
                                            "client-output-buffer-limit normal 1mb 0 0\n"
                                            "notify-keyspace-events Ex\n"
                                            "databases 4\n");
    struct wire *w;

    ready(s, "a configuration file");
    w = wire_attach(server_connect(s), 2);
    is_str(wire_call(w, "PING"), "-NOAUTH Authentication required.", "startup: its password");
    is_str(wire_call(w, "AUTH \"a bA\""), "+OK", "startup: with quotes and escapes");
    is_str(wire_call(w, "CONFIG GET maxmemory"), "['maxmemory' '104857600']", "startup: a size");
    is_str(wire_call(w, "CONFIG GET maxmemory-policy"), "['maxmemory-policy' 'allkeys-lru']",
           "startup: a name in quotes");
    is_str(wire_call(w, "CONFIG GET timeout"), "['timeout' '30']",
           "startup: options come after the file");
    is_like(wire_call(w, "CONFIG GET client-output-buffer-limit"), "'normal 1048576 0 0 ",
            "startup: a list");
    is_str(wire_call(w, "CONFIG GET notify-keyspace-events"), "['notify-keyspace-events' 'xE']",
           "startup: flags");
    is_str(wire_call(w, "SELECT 3"), "+OK", "startup: four databases");
    is_str(wire_call(w, "SELECT 4"), "-ERR DB index is out of range", "startup: and no more");
    is_like(wire_call(w, "INFO server"), "config_file:/[^\\]*/test\\.conf", "startup: in INFO");
    wire_close(w);
    server_stop(s);
}

static void standard_input(void)
{
    struct server *s = server_spawn("-" QUIET, "port {port}\nmaxmemory 5mb\n");

    ready(s, "standard input");
    is_str(ask(s->port, "CONFIG GET maxmemory"), "['maxmemory' '5242880']", "startup: is read");
    server_stop(s);
}

static void several_values(void)
{
    struct server *s = server_spawn("--port 1 --port {port} --dir {dir} --save 900 1 --save 300 10 "
                                    "--oom-score-adj-values 1 2 3 --appendonly no",
                                    NULL);

    ready(s, "options given twice");
    is_str(ask(s->port, "CONFIG GET save"), "['save' '900 1 300 10']", "startup: save adds up");
    is_str(ask(s->port, "CONFIG GET oom-score-adj-values"), "['oom-score-adj-values' '1 2 3']",
           "startup: options of several values");
    is_str(ask(s->port, "SHUTDOWN NOSAVE"), "(closed)", "startup: SHUTDOWN NOSAVE");
    is_int(server_wait_end(s, 10000), 0, "startup: whatever the points of saving");
    server_discard(s);
}

/* The configuration that Debian installs with its redis-server, but for the places in it. */
static void debian_configuration(void)
{
    struct server *s;
    char *log;

    if (access("/etc/redis/redis.conf", R_OK) != 0) {
        skip("no /etc/redis/redis.conf here", "startup: Debian's configuration");
        return;
    }
    s = server_spawn(
        "/etc/redis/redis.conf " LOCAL "--daemonize no --logfile \"\" --pidfile {dir}/pid", NULL);
    ready(s, "Debian's configuration of Redis");
    is_str(ask(s->port, "CONFIG GET hz"), "['hz' '10']", "startup: is read");
    log = server_log(s);
    ok(strstr(log, "FATAL") == NULL, "startup: without an error");
    free(log);
    server_stop(s);
}

/* ---- REWRITE ---- */

static char *file_text(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL || getdelim(&text, &size, '\0', f) < 0)
        bail("cannot read %s", path);
    fclose(f);
    return text;
}

static void rewrite(void)
{
    struct server *s = server_spawn("{conf} --save \"\" --maxmemory 7mb", "# first comment\n"
                                                                          "port {port}\n"
                                                                          "dir {dir}\n"
                                                                          "\n"
                                                                          "# about the time-out\n"
                                                                          "timeout 10\n"
                                                                          "tcp-keepalive 60\n"
                                                                          "# last comment\n");
    struct wire *w;
    char *text;

    ready(s, "a file to rewrite");
    is_str(ask(s->port, "CONFIG SET timeout 20 hz 50 requirepass \"a \\\"b\""), "+OK",
           "startup: changes");
    is_str(ask(s->port, "AUTH \"a \\\"b\""), "+OK", "startup: take effect");
    is_str(ask(s->port, "CONFIG REWRITE"), "-NOAUTH Authentication required.", "startup: at once");
    w = wire_attach(server_connect(s), 2);
    wire_call(w, "AUTH \"a \\\"b\"");
    is_str(wire_call(w, "CONFIG REWRITE"), "+OK", "startup: CONFIG REWRITE");
    text = file_text(s->argv[1]);
    wire_close(w);
    is_like(text,
            "^# first comment\nport [0-9]+\ndir [^\n]*\n\n# about the time-out\ntimeout 20\n"
            "tcp-keepalive 60\n# last comment\n",
            "startup: it keeps comments and order");
    is_like(text, "\nhz 50\n", "startup: adds what has changed");
    is_like(text, "\nmaxmemory 7mb\n", "startup: also by options");
    is_like(text, "\nrequirepass \"a \\\\\"b\"\n", "startup: in quotes where needed");
    ok(strstr(text, "maxclients") == NULL, "startup: and nothing that has not");
    free(text);
    server_stop(s);
}

/* ---- addresses ---- */

static bool served(const char *host, int port)
{
    int fd = raw_connect_tcp(host, port);
    bool good = fd >= 0 && raw_send_str(fd, "PING\r\n") && raw_expect_str(fd, "+PONG\r\n");

    if (fd >= 0)
        close(fd);
    return good;
}

static void several_addresses(void)
{
    struct server *s = server_spawn(LOCAL "--bind 127.0.0.1 127.0.0.2 ::1 -192.0.2.1", NULL);

    ready(s, "several addresses");
    ok(served("127.0.0.1", s->port), "startup: the first");
    ok(served("127.0.0.2", s->port), "startup: the second");
    ok(served("::1", s->port), "startup: IPv6");
    ok(!served("127.0.0.3", s->port), "startup: and no other");
    is_str(ask(s->port, "CONFIG GET bind"), "['bind' '127.0.0.1 127.0.0.2 ::1 -192.0.2.1']",
           "startup: an address with a dash may be missing");
    server_stop(s);
}

static void new_port_and_addresses(void)
{
    struct server *s = server_spawn(LOCAL "--bind 127.0.0.1", NULL);
    int port = server_free_port();
    char line[100];

    ready(s, "one address");
    snprintf(line, sizeof(line), "CONFIG SET port %d", port);
    is_str(ask(s->port, line), "+OK", "startup: CONFIG SET port");
    ok(served("127.0.0.1", port), "startup: the new port");
    ok(!served("127.0.0.1", s->port), "startup: the old one is closed");
    is_str(ask(port, "CONFIG SET bind \"127.0.0.1 127.0.0.2\""), "+OK", "startup: CONFIG SET bind");
    ok(served("127.0.0.2", port), "startup: the new address");
    is_like(ask(port, "CONFIG SET bind 192.0.2.1"), "^-ERR CONFIG SET failed",
            "startup: an address that is not here");
    ok(served("127.0.0.2", port), "startup: changes nothing");
    server_stop(s);
}

static void unix_socket_alone(void)
{
    struct server *s =
        server_spawn("--port 0 --unixsocket {sock} --unixsocketperm 740" QUIET, NULL);
    struct stat st;
    int fd = -1;

    for (int i = 0; i < 2000 && fd < 0; i++) {
        raw_sleep_ms(5);
        fd = raw_connect_unix(s->socket_path);
    }
    ok(fd >= 0 && raw_send_str(fd, "PING\r\n") && raw_expect_str(fd, "+PONG\r\n"),
       "startup: a unix socket alone");
    ok(stat(s->socket_path, &st) == 0 && (st.st_mode & 0777) == 0740, "startup: unixsocketperm");
    close(fd);
    server_stop(s);
}

/* A socket that a killed server has left does not hinder the next. */
static void stale_socket(void)
{
    struct server *first = server_spawn(LOCAL, NULL), *second;
    char args[300];
    int fd;

    server_wait_ready(first);
    kill(first->pid, SIGKILL);
    server_wait_end(first, 10000);
    ok(access(first->socket_path, F_OK) == 0, "startup: a killed server leaves its socket");
    snprintf(args, sizeof(args), "--port {port} --unixsocket %s" QUIET, first->socket_path);
    second = server_spawn(args, NULL);
    ready(second, "the next one takes it");
    fd = raw_connect_unix(first->socket_path);
    ok(fd >= 0 && raw_send_str(fd, "PING\r\n") && raw_expect_str(fd, "+PONG\r\n"),
       "startup: and serves it");
    close(fd);
    server_stop(second);
    server_discard(first);
}

/* An address of this machine that is not its loopback; static, NULL when it has none. */
static const char *outer_address(void)
{
    static char text[INET_ADDRSTRLEN];
    struct ifaddrs *all = NULL;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return NULL;
    for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        found = inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, text,
                          sizeof(text)) != NULL;
    }
    freeifaddrs(all);
    return found ? text : NULL;
}

static void protected_mode(void)
{
    const char *outer = outer_address();
    struct server *s;
    struct wire *w;

    if (outer == NULL) {
        skip("this machine has no address but its loopback", "startup: protected mode");
        return;
    }
    s = server_spawn(LOCAL "--bind *", NULL);
    ready(s, "all addresses, no password");
    w = wire_attach(raw_connect_tcp(outer, s->port), 2);
    is_like(wire_read(w), "^-DENIED .*protected mode", "startup: protected mode refuses others");
    is_str(wire_read(w), "(closed)", "startup: and closes");
    wire_close(w);
    ok(served("127.0.0.1", s->port), "startup: not its own machine");
    ask(s->port, "CONFIG SET protected-mode no");
    ok(served(outer, s->port), "startup: without it all are served");
    ask(s->port, "CONFIG SET protected-mode yes requirepass secret");
    w = wire_attach(raw_connect_tcp(outer, s->port), 2);
    is_str(wire_call(w, "AUTH secret"), "+OK", "startup: and with a password");
    wire_close(w);
    server_stop(s);
}

/* ---- guarded commands ---- */

static void guarded(void)
{
    struct server *s = server_spawn(LOCAL, NULL);

    ready(s, "no special rights");
    is_like(ask(s->port, "DEBUG SLEEP 0"),
            "^-ERR DEBUG command not allowed\\. .*enable-debug-command",
            "startup: DEBUG is refused");
    is_like(ask(s->port, "CONFIG SET dir /tmp"), "can't set protected config",
            "startup: so is a protected option");
    is_like(ask(s->port, "CONFIG SET enable-debug-command yes"), "can't set immutable config",
            "startup: and the right to both");
    server_stop(s);
    s = server_spawn(LOCAL "--enable-debug-command local --enable-protected-configs yes", NULL);
    ready(s, "with these rights");
    is_str(ask(s->port, "DEBUG SLEEP 0"), "+OK", "startup: DEBUG for the same machine");
    is_str(ask(s->port, "CONFIG SET dir /tmp"), "+OK", "startup: a protected option");
    server_stop(s);
}

/* ---- daemons ---- */

static pid_t pid_in(const char *path)
{
    FILE *f = fopen(path, "r");
    int pid = 0;

    if (f != NULL && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f != NULL)
        fclose(f);
    return pid;
}

static bool gone_soon(const char *path)
{
    for (int i = 0; i < 2000 && access(path, F_OK) == 0; i++)
        raw_sleep_ms(5);
    return access(path, F_OK) != 0;
}

static void daemon_with_files(void)
{
    struct server *s = server_spawn(LOCAL "--daemonize yes --pidfile {dir}/the.pid --logfile "
                                          "{dir}/the.log",
                                    NULL);
    char path[300];
    char *log;
    pid_t pid;

    is_int(server_wait_end(s, 10000), 0, "startup: daemonize leaves the terminal");
    for (int i = 0; i < 2000 && !served("127.0.0.1", s->port); i++)
        raw_sleep_ms(5);
    is_like(ask(s->port, "INFO server"), "\\\\nprocess_id:[0-9]+", "startup: and serves");
    snprintf(path, sizeof(path), "%s/the.pid", s->dir);
    pid = pid_in(path);
    ok(pid > 1 && kill(pid, 0) == 0, "startup: pidfile");
    snprintf(path, sizeof(path), "%s/the.log", s->dir);
    log = file_text(path);
    ok(strstr(log, "eady to accept connections") != NULL, "startup: logfile");
    free(log);
    if (pid > 1)
        kill(pid, SIGTERM);
    snprintf(path, sizeof(path), "%s/the.pid", s->dir);
    ok(gone_soon(path), "startup: pidfile goes with the process");
    server_discard(s);
}

/* ---- threads ---- */

static void threads(void)
{
    struct server *s = server_spawn(LOCAL "--threads 3", NULL);

    ready(s, "three threads");
    is_str(ask(s->port, "CONFIG GET threads"), "['threads' '3']", "startup: threads");
    server_stop(s);
    s = server_spawn(LOCAL "--io-threads 2", NULL);
    ready(s, "io-threads");
    is_str(ask(s->port, "CONFIG GET io-threads"), "['io-threads' '2']", "startup: the same wish");
    server_stop(s);
}

/* A directive of Redis for what Latchkey does not have is said once and hinders nothing. */
static void unsupported_directives(void)
{
    struct server *s = server_spawn("{conf}", "port {port}\ndir {dir}\nsave \"\"\n"
                                              "cluster-announce-ip 10.0.0.1\n"
                                              "replica-announce-port 10\n");
    char *log;

    ready(s, "directives for what is not there");
    log = server_log(s);
    is_like(log, "# [^\n]*cluster-announce-ip", "startup: each has a warning");
    is_like(log, "# [^\n]*replica-announce-port", "startup: of its own");
    free(log);
    server_stop(s);
}

static bool is_ours(void)
{
    struct server *s = server_run("");
    bool ours = wire_is_latchkey(s);

    server_stop(s);
    return ours;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        try_refusal(&refusals[i]);
    port_in_use();
    prints("--version", 0, "v=[0-9]+\\.[0-9]+");
    prints("-v", 0, "v=[0-9]+\\.[0-9]+");
    words_of_the_log();
    hangup_is_ignored();
    shutdown_command("SHUTDOWN NOSAVE");
    shutdown_command("SHUTDOWN");
    shutdown_command("SHUTDOWN NOW FORCE");
    configuration_file();
    standard_input();
    several_values();
    debian_configuration();
    rewrite();
    several_addresses();
    new_port_and_addresses();
    unix_socket_alone();
    stale_socket();
    protected_mode();
    guarded();
    daemon_with_files();
    if (is_ours()) {
        prints("--help", 0, "[Uu]sage");
        threads();
        unsupported_directives();
    } else {
        skip("the server does not have it", "startup: threads");
    }
    return tap_done();
}
