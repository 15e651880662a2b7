/* See server.h. Everything here belongs to the test program's one thread. */
#include "tests/lib/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"

enum {
    ARGS_MAX = 120,
    START_TRIES = 5, /* another process may take the port between the choice and the bind */
    READY_MS = 20000,
    STOP_MS = 30000, /* sanitizers are slow to end */
    LOG_SHOWN = 4000,
};

static struct server *running;

const char *server_under_test(void)
{
    const char *binary = getenv("LATCHKEY");

    return binary != NULL && *binary != '\0' ? binary : "build/latchkey";
}

const char *server_oracle(void)
{
    const char *binary = getenv("REDIS_SERVER");

    return binary != NULL && *binary != '\0' ? binary : "redis-server";
}

static char *copy(const char *text)
{
    char *all = strdup(text);

    if (all == NULL)
        abort();
    return all;
}

static char *join(const char *a, const char *b)
{
    char *all;

    if (asprintf(&all, "%s%s", a, b) < 0)
        abort();
    return all;
}

/* ---- the temporary folder and the log ---- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static char *temporary_dir(void)
{
    const char *parent = getenv("TMPDIR");
    char *dir = join(parent != NULL ? parent : "/tmp", "/latchkey-test-XXXXXX");

    if (mkdtemp(dir) == NULL)
        bail("no temporary folder %s: %s", dir, strerror(errno));
    return dir;
}

char *server_log(const struct server *s)
{
    FILE *f = fopen(s->log_path, "r");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL || getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = copy("");
    }
    if (f != NULL)
        fclose(f);
    return text;
}

static void show_log(const struct server *s)
{
    char *text = server_log(s);
    size_t len = strlen(text);

    diag("log of %s:\n%s", s->binary, text + (len > LOG_SHOWN ? len - LOG_SHOWN : 0));
    free(text);
}

bool server_log_has(struct server *s, const char *text)
{
    long long end = raw_now_ms() + 5000;
    bool found;

    do {
        char *log = server_log(s);

        found = strstr(log, text) != NULL;
        free(log);
        if (!found)
            raw_sleep_ms(10);
    } while (!found && raw_now_ms() < end);
    return found;
}

static bool log_has_report(const struct server *s)
{
    static const char *const reports[] = {"Sanitizer", "runtime error:", "Assertion `"};
    char *text = server_log(s);
    bool found = false;

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
        found = found || strstr(text, reports[i]) != NULL;
    free(text);
    return found;
}

/* ---- life ---- */

static void unlist(struct server *s)
{
    struct server **at = &running;

    while (*at != NULL && *at != s)
        at = &(*at)->next;
    if (*at != NULL)
        *at = s->next;
}

static void release(struct server *s)
{
    unlist(s);
    nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (char **arg = s->argv; *arg != NULL; arg++)
        free(*arg);
    free(s->argv);
    free(s->binary);
    free(s->dir);
    free(s->socket_path);
    free(s->log_path);
    free(s);
}

static void end_all(void)
{
    while (running != NULL) {
        if (running->pid > 0)
            kill(running->pid, SIGKILL);
        release(running);
    }
}

static bool is_redis(const char *binary)
{
    const char *slash = strrchr(binary, '/');

    return strcmp(slash != NULL ? slash + 1 : binary, "redis-server") == 0;
}

static struct server *server_new(const char *binary)
{
    static bool cleans_up;
    struct server *s = calloc(1, sizeof(*s));

    if (s == NULL || (s->argv = calloc(ARGS_MAX + 1, sizeof(char *))) == NULL)
        abort();
    if (!cleans_up)
        atexit(end_all);
    cleans_up = true;
    s->binary = copy(binary);
    s->is_redis = is_redis(binary);
    s->dir = temporary_dir();
    s->socket_path = join(s->dir, "/socket");
    s->log_path = join(s->dir, "/output.log");
    s->argv[0] = copy(binary);
    s->next = running;
    running = s;
    return s;
}

static void add_arg(struct server *s, const char *word)
{
    int n = 0;

    while (s->argv[n] != NULL)
        n++;
    if (n == ARGS_MAX)
        bail("too many arguments for a server");
    s->argv[n] = copy(word);
}

static void add_words(struct server *s, const char *text)
{
    char *all = copy(text), *rest = all, *word;

    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != '\0')
            add_arg(s, strcmp(word, "\"\"") == 0 ? "" : word);
    }
    free(all);
}

static void add_defaults(struct server *s, int threads)
{
    const char *more = getenv("LATCHKEY_ARGS");
    char port[16], n[16];

    snprintf(port, sizeof(port), "%d", s->port);
    snprintf(n, sizeof(n), "%d", threads);
    add_words(s, "--port");
    add_arg(s, port);
    add_arg(s, "--unixsocket");
    add_arg(s, s->socket_path);
    add_words(s, "--save \"\" --appendonly no --dir");
    add_arg(s, s->dir);
    if (!s->is_redis && threads > 0) {
        add_arg(s, "--threads");
        add_arg(s, n);
    }
    if (!s->is_redis && more != NULL)
        add_words(s, more);
}

static void child(const struct server *s, int input, int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    /* Crashes on purpose are the server's own to report, whatever it is built with. */
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_abort=0", 0);
    setenv("TSAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_abort=0", 0);
    execvp(s->argv[0], s->argv);
    fprintf(stderr, "cannot run %s: %s\n", s->argv[0], strerror(errno));
    _exit(127);
}

static void launch(struct server *s, int input)
{
    int output = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (output < 0)
        bail("no log file %s: %s", s->log_path, strerror(errno));
    s->pid = fork();
    if (s->pid < 0)
        bail("fork: %s", strerror(errno));
    if (s->pid == 0)
        child(s, input, output);
    close(output);
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int server_wait_end(struct server *s, int timeout_ms)
{
    long long end = raw_now_ms() + timeout_ms;
    int status;

    if (s->pid <= 0)
        return -1;
    while (waitpid(s->pid, &status, WNOHANG) == 0) {
        if (raw_now_ms() > end)
            return -1;
        raw_sleep_ms(5);
    }
    s->pid = 0;
    return exit_code(status);
}

/* Any answer will do: +PONG, or -NOAUTH, or whatever else proves that requests are read. */
enum answer { ANSWER_NONE, ANSWER_LOADING, ANSWER_READY };

static enum answer ask(const struct server *s)
{
    char reply[64] = "";
    int fd = s->port ? raw_connect_tcp("127.0.0.1", s->port) : raw_connect_unix(s->socket_path);
    bool answered = fd >= 0 && raw_send_str(fd, "PING\r\n") &&
                    raw_read_some(fd, reply, sizeof(reply), READY_MS) > 0;

    if (fd >= 0)
        close(fd);
    if (!answered)
        return ANSWER_NONE;
    return strncmp(reply, "-LOADING", 8) == 0 ? ANSWER_LOADING : ANSWER_READY;
}

static bool wait_for(struct server *s, enum answer least)
{
    long long end = raw_now_ms() + READY_MS;

    while (raw_now_ms() < end) {
        if (ask(s) >= least)
            return true;
        if (server_wait_end(s, 0) >= 0)
            return false;
        raw_sleep_ms(2);
    }
    return false;
}

bool server_wait_ready(struct server *s)
{
    return wait_for(s, ANSWER_READY);
}

bool server_wait_port(struct server *s)
{
    return wait_for(s, ANSWER_LOADING);
}

/* The port may have been taken by somebody else meanwhile. */
static void renew_port(struct server *s)
{
    char port[16];

    if (!s->port)
        return;
    s->port = server_free_port();
    snprintf(port, sizeof(port), "%d", s->port);
    for (int i = 0; s->argv[i] != NULL; i++) {
        if (strcmp(s->argv[i], "--port") == 0) {
            free(s->argv[i + 1]);
            s->argv[i + 1] = copy(port);
        }
    }
}

static bool restart(struct server *s, int signal, enum answer least)
{
    enum { ATTEMPTS = 3 };
    bool ready = false;

    if (s->pid > 0 && (kill(s->pid, signal) < 0 || server_wait_end(s, READY_MS) < 0))
        return false;
    for (int i = 0; i < ATTEMPTS && !ready; i++) {
        int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

        renew_port(s);
        launch(s, input);
        close(input);
        ready = wait_for(s, least);
    }
    return ready;
}

bool server_restart(struct server *s, int signal)
{
    return restart(s, signal, ANSWER_READY);
}

bool server_restart_loading(struct server *s, int signal)
{
    return restart(s, signal, ANSWER_LOADING);
}

static struct server *start_once(const char *binary, int threads, const char *const *args)
{
    struct server *s = server_new(binary);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

    s->defaults = true;
    s->port = server_free_port();
    add_defaults(s, threads);
    for (; *args != NULL; args++)
        add_arg(s, *args);
    launch(s, input);
    close(input);
    return s;
}

static struct server *start(const char *binary, int threads, const char *const *args)
{
    for (int tries = 1;; tries++) {
        struct server *s = start_once(binary, threads, args);
        char *log;
        bool in_use;

        if (server_wait_ready(s))
            return s;
        log = server_log(s);
        in_use = strstr(log, "in use") != NULL;
        free(log);
        if (!in_use || tries == START_TRIES) {
            show_log(s);
            bail("%s does not start", binary);
        }
        release(s);
    }
}

static int default_threads(void)
{
    const char *threads = getenv("LATCHKEY_THREADS");

    return threads != NULL ? atoi(threads) : 0;
}

struct server *server_start(const char *binary, const char *const *args)
{
    return start(binary, default_threads(), args);
}

static struct server *run_binary(const char *binary, int threads, const char *args)
{
    const char *words[ARGS_MAX];
    char *all = copy(args), *rest = all, *word;
    struct server *s;
    int n = 0;

    while ((word = strsep(&rest, " ")) != NULL && n < ARGS_MAX - 1) {
        if (*word != '\0')
            words[n++] = strcmp(word, "\"\"") == 0 ? "" : word;
    }
    words[n] = NULL;
    s = start(binary, threads, words);
    free(all);
    return s;
}

struct server *server_run_threads(int threads, const char *args)
{
    return run_binary(server_under_test(), threads, args);
}

struct server *server_run_oracle(const char *args)
{
    return run_binary(server_oracle(), 0, args);
}

struct server *server_run(const char *args)
{
    return server_run_threads(default_threads(), args);
}

/* ---- starts under the test's own control ---- */

/* Every occurrence of the name replaced; takes ownership of text, caller frees the result. */
static char *replaced(char *text, const char *name, const char *value)
{
    char *at;

    while ((at = strstr(text, name)) != NULL) {
        char *all;

        if (asprintf(&all, "%.*s%s%s", (int)(at - text), text, value, at + strlen(name)) < 0)
            abort();
        free(text);
        text = all;
    }
    return text;
}

static char *expanded(const struct server *s, const char *args)
{
    char port[16];
    char *text = replaced(copy(args), "{conf}", "{dir}/test.conf");

    snprintf(port, sizeof(port), "%d", s->port);
    text = replaced(replaced(text, "{dir}", s->dir), "{port}", port);
    return replaced(text, "{sock}", s->socket_path);
}

/* A file with the text, at its beginning: the configuration, or one that has no name. */
static int input_file(const struct server *s, const char *args, const char *text)
{
    char *path = join(s->dir, "/test.conf");
    FILE *f = strstr(args, path) != NULL ? fopen(path, "w+") : tmpfile();

    if (f == NULL)
        bail("no temporary file: %s", strerror(errno));
    fputs(text, f);
    fflush(f);
    lseek(fileno(f), 0, SEEK_SET);
    free(path);
    return fileno(f);
}

struct server *server_spawn(const char *args, const char *input)
{
    struct server *s = server_new(server_under_test());
    char *words, *text;
    int fd;

    s->port = strstr(args, "--port 0 ") ? 0 : server_free_port();
    words = expanded(s, args);
    text = expanded(s, input != NULL ? input : "");
    add_words(s, words);
    fd = input_file(s, words, text);
    launch(s, fd);
    close(fd);
    free(text);
    free(words);
    return s;
}

/* ---- the end ---- */

static void kill_and_release(struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        server_wait_end(s, STOP_MS);
    }
    release(s);
}

void server_stop(struct server *s)
{
    int code = -1;
    bool clean;

    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        code = server_wait_end(s, STOP_MS);
    }
    clean = !log_has_report(s);
    if (!ok(code == 0 && clean, "the server ends in order")) {
        diag("exit status %d%s", code, clean ? "" : ", a report in its output");
        show_log(s);
    }
    kill_and_release(s);
}

void server_discard(struct server *s)
{
    if (log_has_report(s)) {
        ok(false, "the server's output has no report");
        show_log(s);
    }
    kill_and_release(s);
}

/* ---- connections ---- */

int server_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        bail("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(address.sin_port);
}

int server_connect(const struct server *s)
{
    int fd = raw_connect_tcp("127.0.0.1", s->port);

    if (fd < 0)
        bail("no connection to port %d: %s", s->port, strerror(errno));
    return fd;
}

int server_connect_unix(const struct server *s)
{
    int fd = raw_connect_unix(s->socket_path);

    if (fd < 0)
        bail("no connection to %s: %s", s->socket_path, strerror(errno));
    return fd;
}
