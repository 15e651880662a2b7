/* The log of changes as the backend's queue: its id, loading it, waiting for the table. */
#include "server/backend/home.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rng.h"
#include "server/backend/link.h"
#include "server/server.h"
#include "storage/log/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- the id ---------------------------------------------------------------------------------- */

/* What stands in the file of the id; false if there is none. */
static bool read_id(const char *path, char id[HOME_LOG_ID_LEN + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, id, HOME_LOG_ID_LEN);

    if (fd >= 0)
        close(fd);
    id[n > 0 ? n : 0] = '\0';
    return n == HOME_LOG_ID_LEN && strspn(id, "0123456789abcdef") == HOME_LOG_ID_LEN;
}

static int write_id(const char *folder, const char *path, const char *id)
{
    int fd, status = mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;

    if (status)
        return status;
    fd = file_ops->open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return fd;
    status = file_write_all(fd, id, HOME_LOG_ID_LEN);
    if (!status)
        status = file_ops->sync(fd);
    file_ops->close(fd);
    return status ? status : file_sync_folder_of(path);
}

void home_name_log(struct home *h)
{
    const struct conf *conf = h->server->conf;
    char path[1024], id[HOME_LOG_ID_LEN + 1];
    int status = 0;

    snprintf(path, sizeof(path), "%s/latchkey.id", conf->appenddirname);
    if (!read_id(path, id)) {
        rng_hex_id(id, HOME_LOG_ID_LEN);
        status = write_id(conf->appenddirname, path, id);
    }
    if (status) {
        log_warning("%s cannot be written: %s", path, strerror(-status));
        return;
    }
    memcpy(h->log_id, id, sizeof(id));
    snprintf(h->log_note, sizeof(h->log_note), "log:%s", id);
}

/* ---- loading --------------------------------------------------------------------------------- */

static void on_load(struct inbox_message *m, void *owner)
{
    (void)m;
    server_load_log(owner);
}

void home_log_loaded(struct home *h)
{
    pthread_mutex_lock(&h->lock);
    h->log_loaded = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* As long as the log is being loaded. */
static bool is_loading(struct home *h)
{
    struct timespec ts;
    bool loading;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += (ts.tv_nsec + 100000000) / 1000000000;
    ts.tv_nsec = (ts.tv_nsec + 100000000) % 1000000000;
    pthread_mutex_lock(&h->lock);
    if (!h->log_loaded)
        pthread_cond_timedwait(&h->changed, &h->lock, &ts);
    loading = !h->log_loaded && !atomic_load(&h->ending);
    pthread_mutex_unlock(&h->lock);
    return loading;
}

/* The lease is kept up meanwhile. */
enum backend_status link_load_log(struct home *h)
{
    enum backend_status status = BACKEND_OK;

    if (!h->log_loads || h->log_loaded)
        return BACKEND_OK;
    if (!h->load_log.run) {
        h->load_log.run = on_load;
        inbox_post(&h->server->main_inbox, &h->load_log);
    }
    while (is_loading(h)) {
        if (status == BACKEND_OK)
            status = h->driver->lease(h->b);
    }
    return status;
}

/* ---- new bases ------------------------------------------------------------------------------- */

bool home_await_position(struct home *h, uint64_t seq)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};

    while (atomic_load(&h->log_position) < seq && !atomic_load(&h->ends_rebase) &&
           !atomic_load(&h->ending)) {
        atomic_store(&h->wants_position, true);
        home_wake(h);
        nanosleep(&moment, NULL);
    }
    return atomic_load(&h->log_position) >= seq;
}
