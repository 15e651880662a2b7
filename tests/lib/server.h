/*
 * Servers for tests: start a binary in a folder of its own on free ports, wait until it answers,
 * stop it in order.
 *
 * The environment decides which server is meant: LATCHKEY (the server under test, default
 * build/latchkey), REDIS_SERVER (the oracle, default redis-server), LATCHKEY_ARGS (more options for
 * the server under test, split at blanks), LATCHKEY_THREADS (its --threads). A binary named
 * redis-server gets no --threads and none of the rest.
 *
 * What the server writes to stdout and stderr is kept in a file, shown when something fails; a
 * sanitizer's report in it is a failure. A test program that ends takes its servers with it,
 * however it ends.
 */
#ifndef TESTS_LIB_SERVER_H
#define TESTS_LIB_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    int port;
    bool is_redis; /* the binary is a redis-server */
    bool defaults; /* started with the options below */
    char *binary;
    char *dir; /* the temporary folder, removed by server_stop() */
    char *socket_path;
    char *log_path; /* stdout and stderr */
    char **argv;
    struct server *next; /* all that run, for the clean-up at exit */
};

/* The binaries that the environment names. */
const char *server_under_test(void);
const char *server_oracle(void);

/*
 * Starts it with --port N --unixsocket PATH --save "" --appendonly no --dir TMP [--threads N], then
 * the arguments (each one word, the last NULL), and waits until it answers. Ends the program with a
 * failed check when it does not. Without arguments: server_start(binary, (const char *[]){NULL}).
 * Freed by server_stop().
 */
struct server *server_start(const char *binary, const char *const *args);

/*
 * The server under test, the arguments as one string, split at blanks. "" stands for an empty
 * argument.
 */
struct server *server_run(const char *args);

/* As server_run(), with that many threads where the server has threads. */
struct server *server_run_threads(int threads, const char *args);
/* The same of the oracle. */
struct server *server_run_oracle(const char *args);

/*
 * For tests of the start itself: exactly these arguments, no waiting. "{port}", "{dir}", "{sock}"
 * and "{conf}" in them are replaced. The input, in which they are replaced too, is the file {conf}
 * where the arguments name that, and sent to the server's stdin otherwise (NULL: none). With
 * "--port 0 " it is looked for at {sock}.
 */
struct server *server_spawn(const char *args, const char *input);

/*
 * Waits for an answer (false: not in time, or it has ended): with the data loaded, or any answer.
 */
bool server_wait_ready(struct server *s);
bool server_wait_port(struct server *s);

/* Waits for the end; the exit status, 128 + signal, or -1 when it does not end in time. */
int server_wait_end(struct server *s, int timeout_ms);

/*
 * Ends it with this signal, if it runs, and starts it again with the same arguments, in the same
 * folder, on another port. False if it does not answer then.
 */
bool server_restart(struct server *s, int signal);
/* The same, for any answer: it may be loading. */
bool server_restart_loading(struct server *s, int signal);

/* The log holds the text (waits a little for it). */
bool server_log_has(struct server *s, const char *text);

/* All of the log as a string; caller frees. */
char *server_log(const struct server *s);

/*
 * SIGTERM; checks (one TAP line) that it ends with status 0 and left no sanitizer report. Frees s.
 */
void server_stop(struct server *s);

/*
 * Frees s; kills what still runs; says nothing about how it ended, but checks for sanitizer
 * reports.
 */
void server_discard(struct server *s);

/* A port that was free a moment ago. */
int server_free_port(void);

/* Blocking sockets, the program ends when there is no connection. */
int server_connect(const struct server *s);
int server_connect_unix(const struct server *s);

#endif
