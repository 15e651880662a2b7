/*
 * The program: reads the configuration, puts the process in order, and runs the server. Everything
 * that happens between the first line and the first connection is here, in order.
 */
#include "base/files.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "server/crash.h"
#include "server/process.h"
#include "server/server.h"
#include "server/title.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what needs no server ------------------------------------------------------------------- */

static void print_version(void)
{
    printf("Latchkey server v=%s redis=%s malloc=%s bits=%d\n", LATCHKEY_VERSION, REDIS_VERSION,
           mem_allocator_name(), (int)sizeof(long) * 8);
}

static void print_help(FILE *out)
{
    fputs("Usage: latchkey [FILE] [--name value ...] [-]\n"
          "       latchkey -v | --version\n"
          "       latchkey -h | --help\n"
          "\n"
          "FILE is a configuration file, of Latchkey or of Redis 7; - reads one from standard\n"
          "input. Options behind it override what it says; a name with several values takes\n"
          "them as further arguments. Without any of these the server listens on port 6379.\n"
          "\n"
          "Examples:\n"
          "       latchkey                                  as it comes\n"
          "       latchkey /etc/latchkey/latchkey.conf      as a file says\n"
          "       latchkey --port 7777                      on another port\n"
          "       latchkey latchkey.conf --save \"\" --maxmemory 2gb --threads 4\n"
          "       echo 'maxmemory 128mb' | latchkey -\n",
          out);
}

/* True if the arguments only ask for a text, which is printed. */
static bool answered(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (strcmp(word, "-v") == 0 || strcmp(word, "--version") == 0)
        print_version();
    else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        print_help(stdout);
    else
        return false;
    return true;
}

/* ---- configuration -------------------------------------------------------------------------- */

static void log_lines(struct slice text)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        log_warning("%.*s", (int)len, text.ptr);
        text.ptr += end ? len + 1 : len;
        text.len -= end ? len + 1 : len;
    }
}

/* NULL when it cannot be used, which is then explained. */
static struct conf *load(int argc, char **argv, struct conf_notes *notes)
{
    struct conf *conf = conf_new();
    enum conf_result result = conf_load(conf, argc - 1, argv + 1, notes);

    if (result == CONF_OK)
        return conf;
    if (result == CONF_BAD)
        fprintf(stderr, "%.*s", (int)notes->error.len, notes->error.ptr);
    else
        log_lines(buf_slice(&notes->error));
    conf_notes_release(notes);
    conf_free(conf);
    return NULL;
}

static bool refuse(const char *why, int status)
{
    fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Latchkey %s) ***\n%s: %s\n", LATCHKEY_VERSION,
            why, strerror(-status));
    return false;
}

/* From here on messages go where the configuration wants them. */
static bool open_log(const struct conf *conf)
{
    int status;

    if (chdir(conf->dir) != 0)
        return refuse("Can't change to the folder dir", -errno);
    status = log_to_file(conf->logfile);
    if (status < 0)
        return refuse("Can't open the log file", status);
    log_set_level((enum log_level)conf->loglevel);
    if (conf->syslog_enabled)
        log_to_syslog(conf->syslog_ident, conf->syslog_facility);
    return true;
}

/* ---- the start ------------------------------------------------------------------------------ */

static bool in_background(const struct conf *conf)
{
    return conf->daemonize && process_supervisor(conf) == CONF_SUPERVISED_NO;
}

static bool detach(const struct conf *conf)
{
    int status = in_background(conf) ? process_daemonize() : 0;

    if (status < 0)
        log_warning("Can't go into the background: %s", strerror(-status));
    return status >= 0;
}

static const char *pid_path(const struct conf *conf)
{
    if (conf->pidfile[0])
        return conf->pidfile;
    return in_background(conf) ? "/var/run/latchkey.pid" : NULL;
}

static void say_start(const struct conf *conf, const struct conf_notes *notes)
{
    log_warning("oO0OoO0OoO0Oo Latchkey is starting oO0OoO0OoO0Oo");
    log_warning("Latchkey version=%s, redis=%s, bits=%d, pid=%d, just started", LATCHKEY_VERSION,
                REDIS_VERSION, (int)sizeof(long) * 8, (int)getpid());
    if (notes->read_stdin)
        log_warning("Reading config from stdin");
    if (conf->file || notes->read_stdin)
        log_warning("Configuration loaded");
    else
        log_warning(
            "No config file given, using the initial values and what the command line says");
    log_lines(buf_slice(&notes->warnings));
}

static void show_logo(const struct conf *conf)
{
    bool to_terminal = isatty(STDOUT_FILENO) && !conf->logfile[0] && !conf->syslog_enabled;

    log_notice("Running mode=standalone, port=%d.", (int)conf->port);
    if (!conf->always_show_logo && !to_terminal)
        return;
    log_notice("   ____");
    log_notice("  /    \\________________");
    log_notice(" |  ()  _______________/   Latchkey %s", LATCHKEY_VERSION);
    log_notice("  \\____/      |_| |__|     Port: %d, PID: %d", (int)conf->port, (int)getpid());
}

/* The kernel cuts the backlog to its own limit without a word. */
static void check_backlog(const struct conf *conf)
{
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
    char text[24] = "";

    if (!f)
        return;
    if (fgets(text, sizeof(text), f) && conf->port && strtol(text, NULL, 10) < conf->tcp_backlog)
        log_warning("WARNING: The TCP backlog setting of %d cannot be enforced because "
                    "/proc/sys/net/core/somaxconn is set to the lower value of %ld.",
                    (int)conf->tcp_backlog, strtol(text, NULL, 10));
    fclose(f);
}

static void tune_process(const struct conf *conf)
{
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    crash_reports(conf);
    process_limit_huge_pages(conf);
    if (conf->oom_score_adj != CONF_OOM_NO)
        process_set_oom_score(conf);
    if (conf->set_proc_title)
        title_set(conf);
}

/* For tests alone: a call on a file of data goes wrong on purpose, see file_faults(). */
static bool spoil_files(const char *faults)
{
    if (!file_faults_parse(faults)) {
        log_warning("LATCHKEY_TEST_FILE_FAULTS is to be \"N HOW [SEED]\"");
        return false;
    }
    log_warning("FOR TESTS ONLY: calls on files of data go wrong: LATCHKEY_TEST_FILE_FAULTS=%s",
                faults);
    return true;
}

/* The exit status of the server's whole life. */
static int serve(struct conf *conf, const char *faults)
{
    struct server *server = mem_zalloc_lines(sizeof(*server));
    char path[PATH_MAX];
    int status = 1;

    server->executable = mem_strdup(realpath("/proc/self/exe", path) ? path : "latchkey");
    server->config_file = conf->file ? mem_strdup(conf->file) : NULL;
    show_logo(conf);
    if (server_init(server, conf)) {
        check_backlog(conf);
        status = server_run(server);
    }
    server_release(server);
    if (faults)
        log_notice("There were %llu calls on files of data", (unsigned long long)file_calls());
    mem_free(server);
    return status;
}

int main(int argc, char **argv)
{
    struct conf_notes notes = {0};
    const char *spoiled = getenv("LATCHKEY_TEST_FILE_FAULTS");
    char *pid, *faults = spoiled ? mem_strdup(spoiled) : NULL;
    struct conf *conf;
    int status = 1;

    if (answered(argc, argv))
        return 0;
    title_init(argc, argv);
    setlocale(LC_COLLATE, ""); /* for SORT ALPHA */
    conf = load(argc, argv, &notes);
    if (!conf)
        return 1;
    if (!open_log(conf) || !detach(conf)) {
        conf_notes_release(&notes);
        conf_free(conf);
        return 1;
    }
    say_start(conf, &notes);
    conf_notes_release(&notes);
    pid = pid_path(conf) ? mem_strdup(pid_path(conf)) : NULL;
    if (pid) {
        process_write_pid(pid);
        process_keep_file(pid, "pid");
    }
    tune_process(conf);
    if (!faults || spoil_files(faults))
        status = serve(conf, faults);
    else
        conf_free(conf);
    if (pid)
        process_remove_file(pid);
    mem_free(pid);
    mem_free(faults);
    return status;
}
