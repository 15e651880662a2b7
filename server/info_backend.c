/* INFO: the backend. See info.h. */
#include "base/clock.h"
#include "server/backend/home.h"
#include "server/backend/reading.h"
#include "server/info.h"

static void work(struct info *i, struct home *h)
{
    info_int(i, "backend_rows_written", (int64_t)atomic_load(&h->rows_written));
    info_int(i, "backend_rows_deleted", (int64_t)atomic_load(&h->rows_deleted));
    info_int(i, "backend_batches", (int64_t)atomic_load(&h->batches));
    info_int(i, "backend_last_batch_usec", atomic_load(&h->last_batch_us));
    info_int(i, "backend_rejected", (int64_t)atomic_load(&h->rejected));
    info_int(i, "backend_reconnects", (int64_t)atomic_load(&h->reconnects));
    info_int(i, "backend_given_up", (int64_t)atomic_load(&h->given_up));
    info_int(i, "backend_lost", (int64_t)atomic_load(&h->lost));
}

void info_backend(struct info *i)
{
    struct home *h = i->server->home;
    struct backend_error error;
    struct dirty_totals dirty;
    int64_t since;

    info_int(i, "backend_enabled", h != NULL);
    if (!h)
        return;
    dirty = dirty_totals(h);
    since = home_behind_since_ms(h);
    info_text(i, "backend_url", h->url.shown);
    info_text(i, "backend_state", home_state_name(home_state(h)));
    info_text(i, "backend_mode", h->through ? "write-through" : "write-behind");
    error = home_error(h);
    info_text(i, "backend_last_error", error.text);
    info_int(i, "backend_lag_records", (int64_t)dirty.keys);
    info_int(i, "backend_lag_ms", dirty.keys && since ? clock_mono_ms() - since : 0);
    info_int(i, "backend_queue_bytes", (int64_t)dirty.bytes);
    info_int(i, "backend_queue_limit", (int64_t)i->conf->backend_queue_limit);
    info_int(i, "backend_queue_full", atomic_load(&h->full));
    work(i, h);
    reading_info(h->reading, i);
}
