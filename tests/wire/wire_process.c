/*
 * The process among others: its title, its supervisor, its files; and changes of the configuration
 * that reach beyond the server, or fail there.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define BASE "--port {port} --unixsocket {sock} --dir {dir} "
#define FAILED(name, why) "-ERR CONFIG SET failed (possibly related to argument '" name "') - " why

static char dir[] = "/tmp/latchkey-process-XXXXXX";

static const char *path(const char *name)
{
    static char paths[4][128];
    static int next;
    char *out = paths[next++ % 4];

    snprintf(out, sizeof(paths[0]), "%s/%s", dir, name);
    return out;
}

static void write_file(const char *name, const char *content)
{
    FILE *f = fopen(path(name), "w");

    if (!f || fputs(content, f) < 0 || fclose(f) != 0)
        bail("cannot write %s", name);
}

/* Until the next call; "" if it cannot be read. NULs become blanks, those at the end go. */
static const char *read_path(const char *name)
{
    static char text[8192];
    FILE *f = fopen(name, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f)
        fclose(f);
    while (n && !text[n - 1])
        n--;
    text[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (!text[i])
            text[i] = ' ';
    }
    return text;
}

static const char *proc_file(pid_t pid, const char *name)
{
    char file[64];

    snprintf(file, sizeof(file), "/proc/%d/%s", (int)pid, name);
    return read_path(file);
}

static struct server *starts(const char *args, const char *input)
{
    struct server *s = server_spawn(args, input);

    if (!ok(server_wait_ready(s), "starts: latchkey %s", args))
        bail("%s", server_log(s));
    return s;
}

static void test_redis_conf(void)
{
    char args[512];
    struct server *s;

    write_file("some.conf", "cluster-enabled yes\nloadmodule a.so\nloadmodule b.so\n"
                            "user bob on\nreplica-read-only yes\n");
    snprintf(args, sizeof(args), "%s " BASE, path("some.conf"));
    s = starts(args, NULL);
    ok(server_log_has(s, "Option 'cluster-enabled' is not supported here, ignored"),
       "an option without effect is warned of");
    ok(server_log_has(s, "Option 'loadmodule' is not supported here, ignored"), "another");
    ok(server_log_has(s, "Option 'user' is not supported here, ignored"), "and one more");
    server_stop(s);
    s = starts("conf/latchkey.conf " BASE, NULL);
    ok(server_log_has(s, "Server initialized") && server_log_has(s, "Ready to accept connections"),
       "the words that tools wait for");
    server_stop(s);
}

static void test_rename(void)
{
    struct server *s = starts("- " BASE, "rename-command FLUSHALL ''\nrename-command PING pong\n");
    struct wire *w = wire_open(s, 2);

    is_str(wire_call(w, "PONG"), "+PONG", "a command has another name");
    is_str(wire_call(w, "PING"),
           "-ERR unknown command 'PING', with args beginning with: ", "and not the old one");
    is_str(wire_call(w, "FLUSHALL"),
           "-ERR unknown command 'FLUSHALL', with args beginning with: ", "one is taken away");
    wire_close(w);
    server_stop(s);
}

static void test_title(void)
{
    struct server *s = starts(BASE "--bind 127.0.0.1", NULL);
    char want[256];
    struct wire *w = wire_open(s, 2);

    snprintf(want, sizeof(want), "%s 127.0.0.1:%d", server_under_test(), s->port);
    is_str(proc_file(s->pid, "cmdline"), want, "the title says where the server listens");
    wire_call(w, "CONFIG SET proc-title-template 'lk {port}'");
    snprintf(want, sizeof(want), "lk %d", s->port);
    is_str(proc_file(s->pid, "cmdline"), want, "another template, another title");
    wire_close(w);
    server_stop(s);
    s = starts(BASE "--set-proc-title no", NULL);
    ok(strstr(proc_file(s->pid, "cmdline"), "--set-proc-title no") != NULL, "or none");
    server_stop(s);
}

static void test_systemd(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[256] = "";
    struct server *s;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path("notify"));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bail("no socket for notifications");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    s = server_spawn(BASE "--supervised auto --daemonize yes", NULL);
    if (recv(fd, text, sizeof(text) - 1, 0) < 0)
        text[0] = '\0';
    ok(strstr(text, "READY=1\n") != NULL, "systemd is told when the server is ready");
    ok(server_wait_ready(s), "which is true, and in the foreground");
    server_stop(s);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

static void test_ports(void)
{
    struct server *s = starts(BASE "--bind 127.0.0.1", NULL);
    int old = s->port, other = server_free_port(), fd;
    struct wire *w = wire_open(s, 2);

    is_str(wire_callf(w, "CONFIG SET port %d", other), "+OK", "another port");
    fd = raw_connect_tcp("127.0.0.1", other);
    ok(fd >= 0, "is open");
    close(fd);
    ok(raw_connect_tcp("127.0.0.1", old) < 0, "the old one is not");
    is_str(wire_call(w, "CONFIG SET bind 192.0.2.1"),
           FAILED("bind", "Failed to bind to specified addresses."), "an address of nobody");
    fd = raw_connect_tcp("127.0.0.1", other);
    ok(fd >= 0, "leaves all as it was");
    close(fd);
    is_str(wire_call(w, "CONFIG GET bind"), "['bind' '127.0.0.1']", "for CONFIG GET too");
    is_str(wire_callf(w, "CONFIG SET hz 77 bind 192.0.2.1 port %d", old),
           FAILED("port", "Unable to listen on this port. Check server logs."),
           "several options, of which one fails");
    is_str(wire_call(w, "CONFIG GET hz"), "['hz' '10']", "change nothing");
    is_str(wire_call(w, "CONFIG SET port 0"), "+OK", "no port at all");
    ok(raw_connect_tcp("127.0.0.1", other) < 0, "closes it");
    wire_close(w);
    server_stop(s);
}

static void test_protected_options(void)
{
    struct server *s = starts(BASE "--enable-protected-configs local", NULL);
    struct wire *w = wire_open(s, 2);
    char cwd[64], want[64];
    ssize_t n;

    is_str(wire_callf(w, "CONFIG SET dir %s dbfilename x.rdb", dir), "+OK", "local clients may");
    snprintf(cwd, sizeof(cwd), "/proc/%d/cwd", (int)s->pid);
    n = readlink(cwd, want, sizeof(want) - 1);
    want[n > 0 ? n : 0] = '\0';
    is_str(want, dir, "the server goes to its folder");
    is_str(wire_call(w, "CONFIG SET dir /nowhere"), FAILED("dir", "No such file or directory"),
           "which must exist");
    wire_close(w);
    server_stop(s);
    s = starts(BASE, NULL);
    w = wire_open(s, 2);
    is_str(wire_call(w, "CONFIG SET dbfilename x"),
           FAILED("dbfilename", "can't set protected config"), "nobody may unless it is said");
    wire_close(w);
    server_stop(s);
}

static void test_oom_score(void)
{
    struct server *s = starts(BASE, NULL);
    struct wire *w = wire_open(s, 2);
    long before = strtol(proc_file(s->pid, "oom_score_adj"), NULL, 10);

    is_str(wire_call(w, "CONFIG SET oom-score-adj-values '7 8 9' oom-score-adj relative"), "+OK",
           "oom-score-adj");
    is_int(strtol(proc_file(s->pid, "oom_score_adj"), NULL, 10), before + 7, "reaches the kernel");
    is_str(wire_call(w, "CONFIG SET oom-score-adj no"), "+OK", "taken back");
    is_int(strtol(proc_file(s->pid, "oom_score_adj"), NULL, 10), before, "as it was");
    wire_close(w);
    server_stop(s);
}

/* Sanitizers have a report of their own. */
static void test_crash_report(void)
{
    const char *sanitizer = getenv("SAN");
    struct server *s;

    if (sanitizer && sanitizer[0]) {
        skip("a sanitizer reports crashes", "crash report");
        return;
    }
    s = starts(BASE, NULL);
    kill(s->pid, SIGSEGV);
    is_int(server_wait_end(s, 20000), 128 + SIGSEGV, "a crash is the end");
    ok(server_log_has(s, "crashed by signal: 11"), "it is in the log");
    ok(server_log_has(s, "STACK TRACE"), "with its place");
    server_discard(s);
    s = starts(BASE "--crash-log-enabled no", NULL);
    kill(s->pid, SIGSEGV);
    is_int(server_wait_end(s, 20000), 128 + SIGSEGV, "a crash without a report");
    ok(strstr(server_log(s), "STACK TRACE") == NULL, "leaves none");
    server_discard(s);
}

/* How many files the process has open. */
static int open_files(pid_t pid)
{
    char name[64];
    DIR *d;
    int n = -2; /* . and .. */

    snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
    d = opendir(name);
    if (!d)
        bail("no %s", name);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Processor time that the process has used, in milliseconds. */
static long used_ms(pid_t pid)
{
    unsigned long user = 0, system = 0;
    const char *at = strrchr(proc_file(pid, "stat"), ')');

    if (!at ||
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        bail("cannot read the process' times");
    return (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

static int count_lines(struct server *s, const char *text)
{
    char *log = server_log(s);
    int n = 0;

    for (const char *at = strstr(log, text); at; at = strstr(at + 1, text))
        n++;
    free(log);
    return n;
}

/* The first so many of these connections are answered. */
static bool answered(const int *fds, int n)
{
    for (int i = 0; i < n; i++) {
        if (!raw_send_str(fds[i], "PING\r\n") || !raw_expect_str(fds[i], "+PONG\r\n"))
            return false;
    }
    return true;
}

/* More clients than the system has files for: they wait, and the server does not run in circles. */
static void test_no_files(void)
{
    enum { CLIENTS = 30, ROOM = 10 };
    const char *refused = "Accepting client connection: Too many open files";
    struct server *s = starts(BASE, NULL);
    struct rlimit few;
    int fds[CLIENTS];
    long before;

    few.rlim_cur = few.rlim_max = (rlim_t)open_files(s->pid) + ROOM;
    if (prlimit(s->pid, RLIMIT_NOFILE, &few, NULL) != 0)
        bail("prlimit fails");
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = raw_connect_tcp("127.0.0.1", s->port);
    ok(answered(fds, ROOM), "as many as there are files for are served");
    ok(server_log_has(s, refused), "the log says what it is");
    before = used_ms(s->pid);
    raw_sleep_ms(1000);
    ok(used_ms(s->pid) - before < 500, "trying again costs little");
    ok(count_lines(s, refused) <= 4, "and is not logged each time");
    ok(answered(fds, ROOM), "those who are in are served");
    for (int i = 0; i < ROOM; i++)
        close(fds[i]);
    ok(answered(fds + ROOM, ROOM), "when these go the next ones are");
    for (int i = ROOM; i < CLIENTS; i++)
        close(fds[i]);
    server_stop(s);
}

/* More clients at once than are accepted in one go. */
static void test_many_at_once(void)
{
    enum { CLIENTS = 3000 };
    struct server *s = starts(BASE "--threads 2", NULL);
    static int fds[CLIENTS];
    int i = 0;

    while (i < CLIENTS && (fds[i] = raw_connect_tcp("127.0.0.1", s->port)) >= 0)
        i++;
    ok(i > 500 && answered(fds, i), "%d clients at once", i);
    while (i > 0)
        close(fds[--i]);
    server_stop(s);
}

/* Signals while the server is ending, which takes as long as the command that runs. */
static void test_insistence(void)
{
    struct server *s = starts(BASE "--enable-debug-command yes --pidfile {dir}/pid", NULL);
    struct wire *w = wire_open(s, 2);
    char pid_file[300];

    snprintf(pid_file, sizeof(pid_file), "%s/pid", s->dir);
    ok(access(pid_file, F_OK) == 0, "a pid file");
    wire_send(w, "DEBUG SLEEP 20");
    raw_sleep_ms(100);
    kill(s->pid, SIGTERM);
    ok(server_log_has(s, "Received SIGTERM scheduling shutdown..."), "SIGTERM is heard at once");
    kill(s->pid, SIGTERM);
    is_int(server_wait_end(s, 300), -1, "another one changes nothing");
    kill(s->pid, SIGINT);
    is_int(server_wait_end(s, 5000), 1, "SIGINT ends the server without more ado");
    ok(server_log_has(s, "You insist... exiting now."), "and says why");
    ok(access(pid_file, F_OK) != 0, "the pid file is gone");
    ok(access(s->socket_path, F_OK) != 0, "so is the unix socket");
    wire_close(w);
    server_discard(s);
}

int main(void)
{
    char command[64];

    if (!mkdtemp(dir))
        bail("no temporary folder");
    test_redis_conf();
    test_rename();
    test_title();
    test_systemd();
    test_ports();
    test_protected_options();
    test_oom_score();
    test_crash_report();
    test_insistence();
    test_no_files();
    test_many_at_once();
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        diag("%s is left behind", dir);
    return tap_done();
}
