/* The process among others, see process.h. */
#include "server/process.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Open files beside those of clients. */
enum { RESERVED_FILES = 64 };

static const char oom_file[] = "/proc/self/oom_score_adj";

enum conf_supervised process_supervisor(const struct conf *conf)
{
    if (conf->supervised != CONF_SUPERVISED_AUTO)
        return (enum conf_supervised)conf->supervised;
    if (getenv("UPSTART_JOB"))
        return CONF_SUPERVISED_UPSTART;
    return getenv("NOTIFY_SOCKET") ? CONF_SUPERVISED_SYSTEMD : CONF_SUPERVISED_NO;
}

int process_daemonize(void)
{
    pid_t pid = fork();
    int fd;

    if (pid < 0)
        return -errno;
    if (pid > 0)
        _exit(0);
    setsid();
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (int standard = 0; standard <= 2; standard++)
        dup2(fd, standard);
    if (fd > 2)
        close(fd);
    return 0;
}

/* 0 or -errno. */
static int write_file(const char *path, int flags, const char *text)
{
    int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644), status = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        status = -errno;
    close(fd);
    return status;
}

/* "" if it cannot be read. */
static void read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

    out[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
}

void process_write_pid(const char *path)
{
    char text[24];
    int status;

    snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    status = write_file(path, O_CREAT | O_TRUNC, text);
    if (status < 0)
        log_warning("Failed to write PID file %s: %s", path, strerror(-status));
}

/* ---- files that go with the process --------------------------------------------------------- */

static struct {
    char path[PATH_MAX]; /* "" for none */
    const char *what;
} kept[2];
static pthread_mutex_t kept_guard = PTHREAD_MUTEX_INITIALIZER;

void process_keep_file(const char *path, const char *what)
{
    pthread_mutex_lock(&kept_guard);
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        if (kept[i].path[0])
            continue;
        snprintf(kept[i].path, sizeof(kept[i].path), "%s", path);
        kept[i].what = what;
        break;
    }
    pthread_mutex_unlock(&kept_guard);
}

/* The one of this path; all where that is NULL. */
static void remove_kept(const char *path)
{
    pthread_mutex_lock(&kept_guard);
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        if (!kept[i].path[0] || (path && strcmp(path, kept[i].path) != 0))
            continue;
        log_notice("Removing the %s file.", kept[i].what);
        unlink(kept[i].path);
        kept[i].path[0] = '\0';
    }
    pthread_mutex_unlock(&kept_guard);
}

void process_remove_file(const char *path)
{
    remove_kept(path);
}

void process_remove_files(void)
{
    remove_kept(NULL);
}

/* ---- supervisors ---------------------------------------------------------------------------- */

void process_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    socklen_t len;
    int fd;

    if (!path || !path[0] || strlen(path) >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* a name outside the file system */
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
        log_warning("Failed to tell systemd: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

void process_ready(const struct conf *conf)
{
    enum conf_supervised supervisor = process_supervisor(conf);

    if (supervisor == CONF_SUPERVISED_SYSTEMD)
        process_notify("STATUS=Ready to accept connections\nREADY=1\n");
    if (supervisor == CONF_SUPERVISED_UPSTART) {
        unsetenv("UPSTART_JOB");
        raise(SIGSTOP); /* which upstart is waiting for */
    }
}

int64_t process_reserve_files(int64_t clients)
{
    rlim_t want = (rlim_t)clients + RESERVED_FILES;
    struct rlimit limit, more = {.rlim_cur = want, .rlim_max = want};

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return clients;
    if (limit.rlim_max >= want)
        more.rlim_max = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return clients;
    /* Only root may raise the hard limit, and not over the system's. */
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    log_warning("maxclients %lld needs %llu open files, of which the system allows %llu; "
                "there can be %lld clients (see ulimit -n).",
                (long long)clients, (unsigned long long)want, (unsigned long long)limit.rlim_cur,
                (long long)limit.rlim_cur - RESERVED_FILES);
    return (int64_t)limit.rlim_cur - RESERVED_FILES;
}

static int clamp_score(int64_t score)
{
    if (score < -1000)
        return -1000;
    return score > 1000 ? 1000 : (int)score;
}

/* What the kernel, or whoever started the process, had set. */
static int first_oom_score(void)
{
    static int score;
    static bool known;
    char text[24];

    if (!known) {
        read_file(oom_file, text, sizeof(text));
        score = (int)strtol(text, NULL, 10);
        known = true;
    }
    return score;
}

int process_set_oom_score(const struct conf *conf)
{
    int64_t score = first_oom_score();
    char text[24];
    int status;

    if (conf->oom_score_adj == CONF_OOM_RELATIVE)
        score += conf->oom_score_adj_values.score[0];
    else if (conf->oom_score_adj == CONF_OOM_ABSOLUTE)
        score = conf->oom_score_adj_values.score[0];
    snprintf(text, sizeof(text), "%d\n", clamp_score(score));
    status = write_file(oom_file, 0, text);
    if (status < 0)
        log_warning("Unable to write %s: %s", oom_file, strerror(-status));
    return status;
}

void process_limit_huge_pages(const struct conf *conf)
{
    char mode[64];

    if (!conf->disable_thp)
        return;
    read_file("/sys/kernel/mm/transparent_hugepage/enabled", mode, sizeof(mode));
    if (strstr(mode, "[always]") && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
        log_warning("Unable to disable transparent huge pages: %s", strerror(errno));
}
