/* The thread that hears what others change, see watcher.h. */
#include "server/backend/watcher.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/changed_there.h"
#include "storage/rows/rows.h"

#include <errno.h>

enum {
    WAIT_MS = 200, /* so long does its end take at most */
    TRY_AGAIN_MS = 200,
    HEARD_MAX = 1000, /* keys that are told in one message */
};

/* Keys that changed, one behind the other, each behind its length. */
struct heard_there {
    size_t len;
    bool anything;
    struct buf keys;
};

struct watcher {
    struct reading *reading;
    pthread_t thread;
    pthread_mutex_t lock; /* `ending` */
    pthread_cond_t wake;
    bool ending;

    /* The thread's own. */
    struct backend *backend;
    bool was_away;
    struct heard_there *heard;
    unsigned next_worker;
};

/* ---- telling --------------------------------------------------------------------------------- */

static void take_up(struct worker *w, void *arg)
{
    struct heard_there *h = arg;
    const char *at = h->keys.ptr;

    if (h->anything)
        changed_there_anything(w);
    for (size_t i = 0; !h->anything && i < h->len; i++) {
        size_t len;

        memcpy(&len, at, sizeof(len));
        at += sizeof(len);
        changed_there(w, slice_make(at, len));
        at += len;
    }
    buf_release(&h->keys);
    mem_free(h);
}

static struct heard_there *heard(struct watcher *w)
{
    if (!w->heard)
        w->heard = mem_zalloc(sizeof(*w->heard));
    return w->heard;
}

static void tell(struct watcher *w)
{
    struct server *s = w->reading->server;

    if (w->heard)
        worker_call(&s->workers[w->next_worker++ % (unsigned)s->workers_len], take_up, w->heard);
    w->heard = NULL;
}

static void on_changed(void *arg, struct slice text)
{
    struct watcher *w = arg;
    struct heard_there *h = heard(w);
    struct buf key = {0};

    if (!text.ptr) {
        h->anything = true;
    } else if (row_get_key(text, &key)) {
        buf_append(&h->keys, (const char *)&key.len, sizeof(key.len));
        buf_append_slice(&h->keys, buf_slice(&key));
        h->len++;
    }
    buf_release(&key);
    if (h->len >= HEARD_MAX)
        tell(w);
}

/* ---- listening ------------------------------------------------------------------------------- */

static bool is_ending(struct watcher *w)
{
    bool ending;

    pthread_mutex_lock(&w->lock);
    ending = w->ending;
    pthread_mutex_unlock(&w->lock);
    return ending;
}

/* Connects, and begins to watch: from then on changes are told. */
static bool begin(struct watcher *w, struct backend_error *error)
{
    const struct backend_driver *driver = w->reading->driver;
    enum backend_status status;

    w->backend = reading_open(w->reading, &status, error);
    if (!w->backend)
        return false;
    status = driver->watch(w->backend, 0, on_changed, w);
    if (status == BACKEND_OK)
        return true;
    *error = *driver->error(w->backend);
    driver->close(w->backend);
    w->backend = NULL;
    return false;
}

static void listen_once(struct watcher *w)
{
    struct backend_error error = {""};

    if (!w->backend && !begin(w, &error)) {
        pthread_mutex_lock(&w->lock);
        if (!w->ending)
            reading_wait(&w->wake, &w->lock, clock_mono_ms() + TRY_AGAIN_MS);
        pthread_mutex_unlock(&w->lock);
        return;
    }
    if (w->was_away)
        heard(w)->anything = true;
    w->was_away = false;
    tell(w);
    if (w->reading->driver->watch(w->backend, WAIT_MS, on_changed, w) != BACKEND_OK) {
        log_warning("The backend does not tell any more what others change: %s",
                    w->reading->driver->error(w->backend)->text);
        w->reading->driver->close(w->backend);
        w->backend = NULL;
        w->was_away = true;
    }
    tell(w);
}

static void *watch_main(void *arg)
{
    struct watcher *w = arg;

    pthread_setname_np(pthread_self(), "watcher");
    world_join();
    while (!is_ending(w))
        listen_once(w);
    if (w->backend)
        w->reading->driver->close(w->backend);
    w->backend = NULL;
    mem_flush();
    world_quit();
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct watcher *watcher_new(struct reading *r)
{
    struct watcher *w = mem_zalloc(sizeof(*w));

    w->reading = r;
    pthread_mutex_init(&w->lock, NULL);
    reading_cond_init(&w->wake);
    return w;
}

int watcher_start(struct watcher *w)
{
    struct backend_error error = {""};

    w->ending = w->was_away = false;
    if (!begin(w, &error)) {
        log_warning("The backend cannot be watched: %s", error.text);
        return -EIO;
    }
    return -pthread_create(&w->thread, NULL, watch_main, w);
}

void watcher_stop(struct watcher *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

void watcher_free(struct watcher *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    mem_free(w->heard);
    mem_free(w);
}
