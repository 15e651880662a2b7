/* The connection with the lease, see link.h. */
#include "server/backend/link.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "base/world.h"
#include "server/backend/drain.h"
#include "server/backend/reading.h"
#include "server/reaper.h"
#include "server/server.h"
#include "storage/log/journal.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LEASE_EVERY_MS = 400,
};

/* How far versions are reserved ahead, and with how many left more are. */
static const uint64_t ceiling_step = (uint64_t)1 << 32, ceiling_margin = (uint64_t)1 << 31;

/* ---- versions -------------------------------------------------------------------------------- */

/* The numbers are read without the locks: they only grow. */
__attribute__((no_sanitize("thread"))) static uint64_t highest_version(const struct home *h)
{
    uint64_t highest = 0;

    for (unsigned i = 0; i < SHARDS; i++) {
        if (h->server->keyspace.shards[i].seq > highest)
            highest = h->server->keyspace.shards[i].seq;
    }
    return highest;
}

bool link_ceiling_due(const struct home *h)
{
    return h->ceiling && highest_version(h) + ceiling_margin > h->ceiling;
}

/* No version that is given out from now on was given out by another server. */
static void raise_versions(struct home *h, uint64_t ceiling)
{
    world_enter();
    world_stop();
    versions_raise(&h->server->keyspace, ceiling);
    world_resume();
    world_leave();
}

/* ---- notes ----------------------------------------------------------------------------------- */

static struct backend_note number(const char *name, uint64_t value, char text[LINK_NOTE_LEN])
{
    snprintf(text, LINK_NOTE_LEN, "%" PRIu64, value);
    return (struct backend_note){slice_str(name), slice_str(text)};
}

static uint64_t wanted_ceiling(const struct home *h)
{
    return link_ceiling_due(h) || !h->ceiling ? highest_version(h) + ceiling_step : h->ceiling;
}

size_t link_notes(struct home *h, uint64_t position, struct backend_note *notes,
                  char texts[LINK_NOTES][LINK_NOTE_LEN])
{
    size_t n = 0;

    h->ceiling_wanted = wanted_ceiling(h);
    notes[n] = number("ceiling", h->ceiling_wanted, texts[n]);
    n++;
    notes[n++] = (struct backend_note){SLICE("owner"), slice_str(h->server->run_id)};
    if (h->log_id[0]) {
        notes[n] = number(h->log_note, position, texts[n]);
        n++;
    }
    return n;
}

void link_noted(struct home *h)
{
    h->ceiling = h->ceiling_wanted;
}

struct noted {
    char *text;
    size_t cap;
};

static void take_note(void *arg, const struct backend_row *row)
{
    const struct noted *noted = arg;
    size_t len = row->value.len < noted->cap - 1 ? row->value.len : noted->cap - 1;

    memcpy(noted->text, row->value.ptr, len);
    noted->text[len] = '\0';
}

/* "" where there is none. */
static enum backend_status read_note(struct home *h, const char *name, char *text, size_t cap)
{
    struct noted noted = {text, cap};

    text[0] = '\0';
    return h->driver->note(h->b, slice_str(name), take_note, &noted);
}

/* ---- losing it ------------------------------------------------------------------------------- */

void link_close(struct home *h)
{
    if (h->b)
        h->driver->close(h->b);
    h->b = NULL;
}

static void tell_error(struct home *h, const char *what)
{
    home_say(h, what, h->b ? h->driver->error(h->b)->text : "");
}

/* Another server has the table: what is in memory is no more than what it was. */
static void depose(struct home *h)
{
    uint64_t lost;

    reading_stop(h->reading);
    world_enter();
    world_stop();
    lost = drain_give_up(h);
    dirty_attach(h, false);
    reaper_give(h->server->reaper, keyspace_detach(&h->server->keyspace, 0), 0, NULL, NULL);
    world_resume();
    world_leave();
    atomic_fetch_add(&h->lost, lost);
    h->serves = false;
    if (lost)
        log_warning("Another server has taken over the backend's table. %" PRIu64
                    " keys whose changes were not in the table yet were dropped",
                    lost);
    else
        log_warning("Another server has taken over the backend's table");
    home_set_state(h, HOME_STANDBY);
}

void link_answered(struct home *h, enum backend_status status)
{
    if (status == BACKEND_OK)
        return;
    tell_error(h, "the backend failed");
    if (status == BACKEND_NO_LEASE) {
        depose(h);
        return;
    }
    link_close(h);
    home_set_state(h, h->serves ? HOME_DOWN : HOME_CONNECTING);
}

bool link_keep(struct home *h)
{
    enum backend_status status;

    if (clock_mono_ms() - atomic_load(&h->leased_ms) < LEASE_EVERY_MS)
        return true;
    status = h->driver->lease(h->b);
    atomic_store(&h->leased_ms, clock_mono_ms());
    link_answered(h, status);
    return status == BACKEND_OK;
}

/* ---- getting it ------------------------------------------------------------------------------ */

/* Without triggers, if they cannot be had and nobody has asked for them. */
static void open_unwatched(struct home *h, const struct backend_error *why)
{
    struct backend_options options = h->options;
    struct backend_error error = {.text = ""};
    enum backend_status status;

    options.watch = false;
    h->b = h->driver->open(&h->url, &options, &status, &error);
    if (!h->b)
        return;
    log_warning("What others change in the backend will not be known: %s", why->text);
    h->options.watch = false;
    reading_unwatched(h->reading);
}

/* What is larger than that is refused by the database, and rejected. */
static bool is_narrow(const struct backend_limits *l)
{
    static const size_t wide = (size_t)100 << 20;

    return l->key_chars < wide || l->key_bytes < wide || l->value_chars < wide ||
           l->value_bytes < wide;
}

static bool connect_to(struct home *h)
{
    struct backend_error error = {.text = ""};
    enum backend_status status;

    h->b = h->driver->open(&h->url, &h->options, &status, &error);
    if (!h->b && status == BACKEND_WRONG && h->options.watch && h->watch_may_fail)
        open_unwatched(h, &error);
    if (!h->b) {
        home_say(h, "the backend cannot be reached", error.text);
        return false;
    }
    if (h->connected) {
        atomic_fetch_add(&h->reconnects, 1);
    } else {
        h->driver->limits(h->b, &h->limits);
        h->is_narrow = is_narrow(&h->limits);
    }
    h->connected = true;
    return true;
}

/* True if it is ours. */
static bool get_lease(struct home *h)
{
    enum backend_status status = h->driver->lease(h->b);

    if (status == BACKEND_OK) {
        atomic_store(&h->leased_ms, clock_mono_ms());
        return true;
    }
    if (status == BACKEND_NO_LEASE && !h->serves) {
        home_say(h, "another server has the backend's table, this one stands by", "");
        if (home_state(h) != HOME_STANDBY)
            home_set_state(h, HOME_STANDBY);
        return false;
    }
    link_answered(h, status);
    return false;
}

/*
 * Writes that the table is ours, and reserves versions. Of a log that the table does not know, it
 * is told with the rows.
 */
static enum backend_status sign(struct home *h)
{
    struct backend_note notes[LINK_NOTES];
    char texts[LINK_NOTES][LINK_NOTE_LEN];
    struct backend_batch batch = {.notes = notes};
    enum backend_status status;

    batch.notes_len = link_notes(h, atomic_load(&h->log_position), notes, texts);
    if (h->log_id[0] && !h->log_known)
        batch.notes_len--;
    status = h->driver->apply(h->b, &batch, NULL, NULL);
    if (status == BACKEND_OK)
        link_noted(h);
    return status;
}

/* What other servers, and earlier runs, have left. */
static enum backend_status read_notes(struct home *h)
{
    char text[LINK_NOTE_LEN];
    uint64_t ceiling = 0, position = 0;
    enum backend_status status = read_note(h, "ceiling", text, sizeof(text));

    if (status != BACKEND_OK)
        return status;
    if (num_parse_uint(slice_str(text), &ceiling))
        raise_versions(h, ceiling);
    if (!h->log_id[0])
        return BACKEND_OK;
    if (h->log_loaded) {
        atomic_store(&h->log_position, journal_seq(h->server->journal));
        return BACKEND_OK;
    }
    status = read_note(h, h->log_note, text, sizeof(text));
    h->log_known = num_parse_uint(slice_str(text), &position);
    atomic_store(&h->log_position, position);
    return status;
}

/* The table is ours for the first time, or again after another server had it. */
static void take_over(struct home *h)
{
    enum backend_status status;

    home_set_state(h, HOME_LOADING);
    status = read_notes(h);
    if (status == BACKEND_OK)
        status = link_load_log(h);
    if (status == BACKEND_OK)
        status = sign(h);
    if (status != BACKEND_OK) {
        link_answered(h, status);
        return;
    }
    world_enter();
    world_stop();
    dirty_attach(h, true);
    world_resume();
    world_leave();
    if (!reading_start(h->reading, h->all)) {
        link_close(h);
        home_set_state(h, HOME_CONNECTING);
        return;
    }
    h->serves = true;
    home_set_state(h, HOME_READY);
    home_say(h, "", "");
    log_notice("The backend is ready: %s", h->url.shown);
}

/* After a connection that broke: the same server as before, unless another was there meanwhile. */
static void come_back(struct home *h)
{
    char owner[LINK_NOTE_LEN];
    enum backend_status status = read_note(h, "owner", owner, sizeof(owner));

    if (status == BACKEND_OK && strcmp(owner, h->server->run_id) != 0)
        depose(h);
    else if (status != BACKEND_OK)
        link_answered(h, status);
    else
        home_set_state(h, HOME_READY);
    if (home_state(h) == HOME_READY) {
        home_say(h, "", "");
        log_notice("The backend is back: %s", h->url.shown);
    }
}

void link_advance(struct home *h)
{
    if (!h->b && !connect_to(h))
        return;
    if (!get_lease(h))
        return;
    if (h->serves)
        come_back(h);
    else
        take_over(h);
}
