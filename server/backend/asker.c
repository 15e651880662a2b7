/* Questions about all keys, see asker.h. */
#include "server/backend/asker.h"

#include "base/clock.h"
#include "base/glob.h"
#include "base/mem.h"
#include "base/world.h"
#include "server/backend/asker_cursors.h"
#include "server/backend/drain.h"
#include "server/reply.h"
#include "server/waiter.h"
#include "storage/rows/rows.h"
#include "storage/rows/text.h"

#include <ctype.h>

enum { IDLE_MS = 1000 };

/* A command that waits for an answer. Freed by who is done with it last. */
struct question {
    struct question *next;
    struct waiter *waiter; /* NULL: it waits no more. This and `answered`: the asker's lock */
    bool answered;         /* as far as the asker is concerned */

    enum asked_for what;
    struct buf pattern, type; /* of KEYS and SCAN */
    bool all, any_type;
    size_t count;
    uint64_t cursor;
    bool resp3;

    /* The asker's own. */
    struct buf keys; /* as they are sent */
    int64_t shown;
    struct asker_place place;
    size_t seen; /* rows in this statement */
    bool encoded_only, plain_only;
};

struct asker {
    struct reading *reading;
    pthread_t thread;
    pthread_mutex_t lock; /* the queue, `ending` */
    pthread_cond_t wake;
    struct question *first, **last;
    bool ending;

    /* The thread's own. */
    struct backend *backend;
    struct asker_cursors cursors;
};

static void question_free(struct question *q)
{
    buf_release(&q->pattern);
    buf_release(&q->type);
    buf_release(&q->keys);
    buf_release(&q->place.after);
    mem_free(q);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct asker *asker_of(const struct server *s)
{
    return s->home->reading->asker;
}

static int timeout_ms(const struct server *s)
{
    return s->home->reading->options.timeout_ms;
}

static void answer_in_vain(struct call *c)
{
    reading_count(&c->server->home->reading->counts.timeouts, 1);
    reply_error(c, "BACKEND the database has not answered within %d ms", timeout_ms(c->server));
}

static void wait_ended(struct waiter *waiter)
{
    struct question *q = waiter->wait.subject;
    struct asker *a = asker_of(waiter->worker->server);
    bool mine;

    pthread_mutex_lock(&a->lock);
    q->waiter = NULL;
    mine = q->answered;
    pthread_mutex_unlock(&a->lock);
    if (mine)
        question_free(q);
}

static struct question *question_new(const struct call *c, enum asked_for what,
                                     const struct scan_args *args, uint64_t cursor)
{
    struct question *q = mem_zalloc(sizeof(*q));

    q->what = what;
    q->resp3 = c->conn->resp3;
    q->cursor = cursor;
    q->all = q->any_type = true;
    if (!args)
        return q;
    q->all = args->all;
    q->any_type = !args->type;
    q->count = what == ASKED_SCAN ? (size_t)args->count : SIZE_MAX;
    buf_append_slice(&q->pattern, args->pattern);
    for (size_t i = 0; args->type && i < args->type->len; i++)
        buf_append_char(&q->type, (char)tolower((unsigned char)args->type->ptr[i]));
    return q;
}

static void put_in_queue(struct asker *a, struct question *q)
{
    pthread_mutex_lock(&a->lock);
    *a->last = q;
    a->last = &q->next;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

bool asker_takes(struct call *c, enum asked_for what, const struct scan_args *args, uint64_t cursor)
{
    struct wait wait = {.in_vain = answer_in_vain, .ended = wait_ended};
    struct question *q;

    if (LIKELY(!c->server->home) || c->db != 0 || !reading_is_parted(c->server->home->reading))
        return false;
    wait.until_us = wait_until_us(timeout_ms(c->server));
    wait.subject = q = question_new(c, what, args, cursor);
    if (!wait_begin(c, &wait)) {
        question_free(q);
        reply_error(c, "BACKEND not all keys are in memory: this cannot be a part of a "
                       "transaction");
        return true;
    }
    q->waiter = c->conn->waiter;
    put_in_queue(asker_of(c->server), q);
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* A row's type is that of the value, and perhaps how it is written; none is a plain string. */
static bool fits_type(const struct question *q, struct slice type)
{
    const char *colon = type.len ? memchr(type.ptr, ':', type.len) : NULL;
    struct slice name = colon ? slice_make(type.ptr, (size_t)(colon - type.ptr)) : type;

    if (q->any_type)
        return true;
    return slice_eq(name.len ? name : SLICE("string"), buf_slice(&q->type));
}

static void take_row(void *arg, const struct backend_row *row)
{
    struct question *q = arg;
    struct writer out = {.buf = &q->keys, .resp3 = q->resp3};
    bool encoded = row->key.len >= sizeof(ROW_KEY_PREFIX) - 1 &&
                   !memcmp(row->key.ptr, ROW_KEY_PREFIX, sizeof(ROW_KEY_PREFIX) - 1);
    struct buf key = {0};

    q->seen++;
    q->place.after.len = 0;
    buf_append_slice(&q->place.after, row->key);
    if ((q->plain_only && encoded) || (q->encoded_only && !encoded) || !fits_type(q, row->type))
        return;
    if (row_get_key(row->key, &key) &&
        (q->all || glob_match(buf_slice(&q->pattern), buf_slice(&key), false))) {
        write_bulk(&out, buf_slice(&key));
        q->shown++;
    }
    buf_release(&key);
}

/* Of plain strings rows say nothing. */
static struct slice type_to_push(const struct question *q)
{
    struct slice none = {0}, type = buf_slice(&q->type);

    if (q->any_type || slice_eq(type, SLICE("string")) || !text_is_valid(type))
        return none;
    return type;
}

/* Rows behind the question's place. */
static enum backend_status scan(struct asker *a, struct question *q, struct slice pattern)
{
    struct backend_scan which = {
        .pattern = pattern,
        .type = type_to_push(q),
        .limit = q->count,
        .now_ms = clock_wall_ms(),
    };
    struct buf after = {0};
    enum backend_status status;

    if (q->place.after.len) {
        buf_append_slice(&after, buf_slice(&q->place.after));
        which.after = buf_slice(&after);
    }
    q->seen = 0;
    reading_count(&a->reading->counts.scans, 1);
    status = a->reading->driver->scan(a->backend, &which, take_row, q);
    buf_release(&after);
    return status;
}

/*
 * Keys that are no text stand in the table in another form, in which the pattern does not fit them.
 * So with a pattern there are two parts: those that stand there as they are, and those others.
 */
static enum backend_status scan_part(struct asker *a, struct question *q)
{
    struct slice pattern = buf_slice(&q->pattern);
    bool pushes = !q->all && text_is_valid(pattern);

    q->plain_only = pushes && !q->place.encoded;
    q->encoded_only = q->place.encoded;
    if (q->place.encoded)
        pattern = SLICE(ROW_KEY_PREFIX "*");
    else if (!pushes)
        pattern = (struct slice){0};
    return scan(a, q, pattern);
}

/* True if there is more of the iteration. */
static bool next_part(struct question *q)
{
    if (q->seen >= q->count)
        return true;
    if (!q->plain_only)
        return false;
    q->place.encoded = true;
    q->place.after.len = 0;
    return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum backend_status answer_keys(struct asker *a, struct question *q, struct writer *out)
{
    enum backend_status status = BACKEND_OK;

    do
        status = scan_part(a, q);
    while (status == BACKEND_OK && next_part(q));
    write_array(out, q->shown);
    buf_append_slice(out->buf, buf_slice(&q->keys));
    return status;
}

/* An iteration of which the place is not known any more begins anew. */
static enum backend_status answer_scan(struct asker *a, struct question *q, struct writer *out)
{
    const struct asker_place *from = asker_cursors_find(&a->cursors, q->cursor);
    enum backend_status status;
    char digits[NUM_INT_MAX];
    uint64_t cursor = 0;
    bool more;

    if (from) {
        q->place.encoded = from->encoded;
        buf_append_slice(&q->place.after, buf_slice(&from->after));
    }
    status = scan_part(a, q);
    more = status == BACKEND_OK && next_part(q);
    if (more && q->plain_only && q->place.encoded) {
        status = scan_part(a, q);
        more = status == BACKEND_OK && next_part(q);
    }
    if (more)
        cursor = asker_cursors_add(&a->cursors, &q->place);
    write_array(out, 2);
    write_bulk(out, slice_make(digits, num_format_int(digits, (int64_t)cursor)));
    write_array(out, q->shown);
    buf_append_slice(out->buf, buf_slice(&q->keys));
    return status;
}

static enum backend_status answer_count(struct asker *a, struct writer *out)
{
    uint64_t n = 0;
    enum backend_status status;

    reading_count(&a->reading->counts.scans, 1);
    status = a->reading->driver->count(a->backend, clock_wall_ms(), &n);
    write_int(out, (int64_t)n);
    return status;
}

static enum backend_status answer_random(struct asker *a, struct question *q, struct writer *out)
{
    enum backend_status status;

    reading_count(&a->reading->counts.scans, 1);
    status = a->reading->driver->pick(a->backend, clock_wall_ms(), take_row, q);
    if (q->keys.len)
        buf_append_slice(out->buf, buf_slice(&q->keys));
    else
        write_null(out);
    return status;
}

static enum backend_status answer(struct asker *a, struct question *q, struct writer *out)
{
    switch (q->what) {
    case ASKED_KEYS:
        return answer_keys(a, q, out);
    case ASKED_SCAN:
        return answer_scan(a, q, out);
    case ASKED_COUNT:
        return answer_count(a, out);
    default:
        return answer_random(a, q, out);
    }
}

/* Gives the answer to the waiter, if it is still there. */
static void hand_over(struct asker *a, struct question *q, struct buf *reply)
{
    bool mine;

    pthread_mutex_lock(&a->lock);
    if (q->waiter && waiter_claim(q->waiter)) {
        q->waiter->reply = *reply;
        *reply = (struct buf){0};
        q->waiter->answered = true;
        waiter_hand_over(q->waiter, NULL);
    }
    q->answered = true;
    mine = !q->waiter;
    pthread_mutex_unlock(&a->lock);
    if (mine)
        question_free(q);
}

static void begin_anew(struct question *q, struct buf *reply)
{
    reply->len = q->keys.len = q->place.after.len = 0;
    q->shown = 0;
    q->place.encoded = false;
}

static void disconnect(struct asker *a)
{
    if (a->backend)
        a->reading->driver->close(a->backend);
    a->backend = NULL;
}

static enum backend_status ask(struct asker *a, struct question *q, struct writer *out,
                               struct backend_error *error)
{
    enum backend_status status = BACKEND_OK;

    if (!drain_barrier(a->reading->server->home, a->reading->options.timeout_ms)) {
        snprintf(error->text, sizeof(error->text), "what was changed is not in the table yet");
        return BACKEND_DOWN;
    }
    if (!a->backend)
        a->backend = reading_open(a->reading, &status, error);
    if (!a->backend)
        return status;
    status = answer(a, q, out);
    if (status == BACKEND_OK)
        return status;
    *error = *a->reading->driver->error(a->backend);
    disconnect(a);
    return status;
}

/* A connection that broke while nobody used it is no reason to refuse an answer. */
static void answer_one(struct asker *a, struct question *q)
{
    struct buf reply = {0};
    struct writer out = {.buf = &reply, .resp3 = q->resp3};
    struct backend_error error = {""};
    bool had = a->backend != NULL;
    enum backend_status status = ask(a, q, &out, &error);

    if (status == BACKEND_DOWN && had) {
        begin_anew(q, &reply);
        status = ask(a, q, &out, &error);
    }
    if (status != BACKEND_OK) {
        reply.len = 0;
        write_error(&out, "BACKEND %s", error.text);
    }
    hand_over(a, q, &reply);
    buf_release(&reply);
}

static void refuse_one(struct asker *a, struct question *q)
{
    struct buf reply = {0};
    struct writer out = {.buf = &reply};

    write_error(&out, "BACKEND the server ends, or has lost the table");
    hand_over(a, q, &reply);
    buf_release(&reply);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* NULL at the end, when none is left. */
static struct question *take(struct asker *a, bool *ending)
{
    struct question *q;

    pthread_mutex_lock(&a->lock);
    while (!a->first && !a->ending)
        reading_wait(&a->wake, &a->lock, clock_mono_ms() + IDLE_MS);
    q = a->first;
    if (q) {
        a->first = q->next;
        if (!a->first)
            a->last = &a->first;
    }
    *ending = a->ending;
    pthread_mutex_unlock(&a->lock);
    return q;
}

static void *ask_main(void *arg)
{
    struct asker *a = arg;
    struct question *q;
    bool ending;

    pthread_setname_np(pthread_self(), "asker");
    world_join();
    while ((q = take(a, &ending))) {
        if (ending)
            refuse_one(a, q);
        else
            answer_one(a, q);
    }
    disconnect(a);
    mem_flush();
    world_quit();
    return NULL;
}

struct asker *asker_new(struct reading *r)
{
    struct asker *a = mem_zalloc(sizeof(*a));

    a->reading = r;
    a->last = &a->first;
    pthread_mutex_init(&a->lock, NULL);
    reading_cond_init(&a->wake);
    return a;
}

int asker_start(struct asker *a)
{
    a->ending = false;
    return -pthread_create(&a->thread, NULL, ask_main, a);
}

void asker_stop(struct asker *a)
{
    pthread_mutex_lock(&a->lock);
    a->ending = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
}

void asker_free(struct asker *a)
{
    asker_cursors_release(&a->cursors);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    mem_free(a);
}
