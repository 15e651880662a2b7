/* Events that carry the value, see keyvalue.h. */
#include "server/keyvalue.h"

#include "base/glob.h"
#include "base/mem.h"
#include "server/named_keys.h"
#include "storage/value_types.h"

#define PREFIX "__keyvalue@"

enum { KEEP_SCRATCH_UP_TO = 64 * 1024 };

/* A key that somebody subscribed to. */
struct heard_key {
    struct named_key key;
    uint32_t subscribers;
};

/* What is said of a change before it is stated. */
struct keyvalue_notes {
    /* Elements touched: of this key, by the command that was the worker's so manieth. */
    struct buf touched_key;
    uint64_t touched_by;
    uint64_t touched;    /* how many */
    struct buf elements; /* those of them that are named, as they stand in the message */
    bool cut;            /* the others are too many */

    /* The entry that was taken out last. */
    struct buf last_key;
    uint64_t last_by;
    enum type last_type;
    uint64_t last_len;
    struct buf last; /* its bytes, if they are not too many */

    struct buf channel; /* scratch */
};

static void forget_touched(struct keyvalue_notes *notes)
{
    notes->touched = 0;
    notes->cut = false;
    notes->elements.len = 0;
    if (notes->elements.cap > KEEP_SCRATCH_UP_TO)
        buf_release(&notes->elements);
}

static struct keyvalue_notes *notes_of(struct worker *w)
{
    if (!w->notes)
        w->notes = mem_zalloc(sizeof(*w->notes));
    return w->notes;
}

void keyvalue_release_notes(struct worker *w)
{
    if (!w->notes)
        return;
    buf_release(&w->notes->touched_key);
    buf_release(&w->notes->elements);
    buf_release(&w->notes->last_key);
    buf_release(&w->notes->last);
    buf_release(&w->notes->channel);
    mem_free(w->notes);
    w->notes = NULL;
}

/* ---- channels -------------------------------------------------------------------------------- */

static bool is_ours(struct slice name)
{
    return name.len >= sizeof(PREFIX) - 1 && memcmp(name.ptr, PREFIX, sizeof(PREFIX) - 1) == 0;
}

/* The database and key of a channel; false if it is none of ours. */
static bool parse_channel(const struct server *s, struct slice channel, int *db, struct slice *key)
{
    const char *number = channel.ptr + sizeof(PREFIX) - 1, *end;
    int64_t n;

    if (!is_ours(channel))
        return false;
    end = memchr(number, '_', channel.len - (sizeof(PREFIX) - 1));
    if (!end || !num_parse_int(slice_make(number, (size_t)(end - number)), &n))
        return false;
    *key = slice_make(end, channel.len - (size_t)(end - channel.ptr));
    if (n < 0 || n >= s->keyspace.databases || key->len < 3 || memcmp(key->ptr, "__:", 3) != 0)
        return false;
    *db = (int)n;
    *key = slice_make(key->ptr + 3, key->len - 3);
    return true;
}

/* For events without a switch: who asked for such events, and not for whatever comes. */
static bool suits_ours(struct slice pattern, struct slice channel)
{
    return is_ours(pattern) && glob_match(pattern, channel, false);
}

static bool suits_any(struct slice pattern, struct slice channel)
{
    return glob_match(pattern, channel, false);
}

/* Who is told of each key that is subscribed has subscribed to it. */
static bool suits_none(struct slice pattern, struct slice channel)
{
    (void)pattern;
    (void)channel;
    return false;
}

/* Whether a pattern is for keys of the database whose channel of no key this is. */
static bool suits_database(struct slice pattern, struct slice channel)
{
    const char *end;

    if (!is_ours(pattern))
        return false;
    end = memmem(pattern.ptr, pattern.len, "__:", 3);
    if (end)
        pattern.len = (size_t)(end + 3 - pattern.ptr);
    return glob_match(pattern, channel, false);
}

static bool suits_database_or_any(struct slice pattern, struct slice channel)
{
    return suits_database(pattern, channel) || suits_any(pattern, channel);
}

static void append_channel(struct buf *out, int db, struct slice key)
{
    buf_append_str(out, PREFIX);
    out->len += num_format_int(buf_reserve(out, NUM_INT_MAX), db);
    buf_append_str(out, "__:");
    buf_append_slice(out, key);
}

/* ---- who listens ----------------------------------------------------------------------------- */

static struct heard *heard_of(struct shard *shard)
{
    if (!shard->heard)
        shard->heard = mem_zalloc(sizeof(*shard->heard));
    return shard->heard;
}

static void drop_if_unused(struct shard *shard)
{
    if (shard->heard->keys || shard->heard->patterns)
        return;
    mem_free(shard->heard);
    shard->heard = NULL;
}

static void count_patterns(struct server *s, int by)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &s->keyspace.shards[i];

        lock_take(&shard->lock);
        heard_of(shard)->patterns += (uint32_t)by;
        drop_if_unused(shard);
        lock_release(&shard->lock);
    }
}

static struct heard_key *find_key(const struct shard *shard, int db, struct slice key,
                                  uint64_t hash)
{
    struct named_key *k = named_keys_find(shard->heard->keys, db, key, hash);

    return k ? CONTAINER_OF(k, struct heard_key, key) : NULL;
}

static void add_key(struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct heard *heard = heard_of(shard);
    struct heard_key *k = find_key(shard, db, key, hash);

    if (!k)
        k = CONTAINER_OF(named_keys_add(&heard->keys, sizeof(*k), db, key, hash), struct heard_key,
                         key);
    k->subscribers++;
}

static void remove_key(struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct heard_key *k = find_key(shard, db, key, hash);

    if (--k->subscribers == 0)
        named_keys_drop(&shard->heard->keys, &k->key);
    drop_if_unused(shard);
}

static void count(struct server *s, enum channel_kind kind, struct slice channel, int by)
{
    struct slice key;
    struct shard *shard;
    uint64_t hash;
    int db;

    if (kind == CHANNEL_PATTERN) {
        if (is_ours(channel))
            count_patterns(s, by);
        return;
    }
    if (kind != CHANNEL_PLAIN || !parse_channel(s, channel, &db, &key))
        return;
    hash = hash_bytes(key);
    shard = &s->keyspace.shards[shard_of(hash)];
    lock_take(&shard->lock);
    if (by > 0)
        add_key(shard, db, key, hash);
    else
        remove_key(shard, db, key, hash);
    lock_release(&shard->lock);
}

void keyvalue_listen(struct server *s, enum channel_kind kind, struct slice channel)
{
    if (LIKELY(!is_ours(channel)))
        return;
    atomic_fetch_add(&s->keyvalue_listeners, 1);
    count(s, kind, channel, 1);
}

void keyvalue_unlisten(struct server *s, enum channel_kind kind, struct slice channel)
{
    if (LIKELY(!is_ours(channel)))
        return;
    count(s, kind, channel, -1);
    atomic_fetch_sub(&s->keyvalue_listeners, 1);
}

static void free_key(void *item, void *opaque)
{
    (void)opaque;
    mem_free(item);
}

void keyvalue_release(struct keyspace *ks)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct heard *heard = ks->shards[i].heard;

        if (heard && heard->keys) {
            table_each(heard->keys, free_key, NULL);
            table_release(heard->keys);
            mem_free(heard->keys);
        }
        mem_free(heard);
    }
}

static bool is_heard(const struct shard *home, const struct news *news)
{
    if (!home || !home->heard)
        return false;
    return home->heard->patterns || find_key(home, news->db, news->key, hash_bytes(news->key));
}

/* ---- what is said before a change is stated -------------------------------------------------- */

static bool fits(const struct server *s, uint64_t len)
{
    uint64_t max = (uint64_t)s->conf->keyvalue_max_value_size;

    return !max || len <= max;
}

/* Whether what is said of keys of this shard may be needed. */
static bool cares(const struct worker *w, const struct shard *home)
{
    return home->heard || w->server->conf->notify_keyspace_events & CONF_EVENT_KEYVALUE;
}

static bool has_touched(const struct worker *w, struct slice key)
{
    const struct keyvalue_notes *notes = w->notes;

    return notes && notes->touched && notes->touched_by == w->stats.commands &&
           slice_eq(buf_slice(&notes->touched_key), key);
}

/* The key was taken out by the command in hand. */
static bool has_last(const struct worker *w, struct slice key)
{
    const struct keyvalue_notes *notes = w->notes;

    return notes && notes->last_by == w->stats.commands &&
           slice_eq(buf_slice(&notes->last_key), key);
}

static void keep_name(struct buf *name, struct slice key)
{
    name->len = 0;
    buf_append_slice(name, key);
}

void keyvalue_touch(struct worker *w, const struct shard *home, struct slice key,
                    struct slice element)
{
    struct keyvalue_notes *notes;
    struct buf *text;

    if (!cares(w, home))
        return;
    notes = notes_of(w);
    text = &notes->elements;
    if (!has_touched(w, key)) {
        forget_touched(notes);
        keep_name(&notes->touched_key, key);
        notes->touched_by = w->stats.commands;
    }
    notes->touched++;
    if (notes->cut || !fits(w->server, text->len + element.len)) {
        notes->cut = true;
        return;
    }
    text->len += num_format_int(buf_reserve(text, NUM_INT_MAX), (int64_t)element.len);
    buf_append_char(text, ':');
    buf_append_slice(text, element);
    buf_append_char(text, ',');
}

void keyvalue_keep_last(struct worker *w, const struct shard *home, struct slice key,
                        const struct entry *e)
{
    struct keyvalue_notes *notes;
    char digits[NUM_INT_MAX];
    struct slice value = SLICE("");

    if (!cares(w, home))
        return;
    notes = notes_of(w);
    if (e->type == TYPE_STRING)
        value = string_value(e, digits);
    keep_name(&notes->last_key, key);
    notes->last_by = w->stats.commands;
    notes->last_type = e->type;
    notes->last_len = value.len;
    notes->last.len = 0;
    if (fits(w->server, value.len))
        buf_append_slice(&notes->last, value);
}

/* ---- messages -------------------------------------------------------------------------------- */

struct message_source {
    struct worker *worker;
    const struct news *news;
};

static void head(struct buf *out, const struct news *news, const char *type, uint64_t size)
{
    buf_printf(out, "%s %llu %s %s %llu\n", event_name(news->event),
               (unsigned long long)news->version, news->gone ? "gone" : "now", type,
               (unsigned long long)size);
}

static void make_string(struct buf *out, const struct message_source *m)
{
    char digits[NUM_INT_MAX];
    struct slice value = string_value(m->news->entry, digits);

    head(out, m->news, value_type_name(TYPE_STRING), value.len);
    if (fits(m->worker->server, value.len))
        buf_append_slice(out, value);
}

static void make_touched(struct buf *out, const struct message_source *m)
{
    const struct keyvalue_notes *notes = m->worker->notes;
    const struct news *news = m->news;
    bool touched = !news->gone && has_touched(m->worker, news->key);

    head(out, news, value_type_name(news->entry->type), touched ? notes->touched : 0);
    if (touched)
        buf_append_slice(out, buf_slice(&notes->elements));
}

static void make_last(struct buf *out, const struct message_source *m)
{
    const struct keyvalue_notes *notes = m->worker->notes;

    head(out, m->news, value_type_name(notes->last_type), notes->last_len);
    buf_append_slice(out, buf_slice(&notes->last));
}

static void make(struct buf *out, const void *opaque)
{
    const struct message_source *m = opaque;
    const struct entry *e = m->news->entry;

    if (e && e->type == TYPE_STRING)
        make_string(out, m);
    else if (e)
        make_touched(out, m);
    else if (m->news->gone && has_last(m->worker, m->news->key))
        make_last(out, m);
    else
        head(out, m->news, "none", 0);
}

static void publish_to(struct worker *w, const struct news *news,
                       bool (*suits)(struct slice pattern, struct slice channel))
{
    struct message_source source = {w, news};
    struct buf *channel = &notes_of(w)->channel;

    channel->len = 0;
    append_channel(channel, news->db, news->key);
    pubsub_publish_suiting(
        w, &(struct publication){
               .channel = buf_slice(channel), .make = make, .opaque = &source, .suits = suits});
    if (channel->cap > KEEP_SCRATCH_UP_TO)
        buf_release(channel);
}

/* With the letter W the class must be enabled. */
static bool goes_to_all(const struct server *s, enum key_event event)
{
    int classes = s->conf->notify_keyspace_events;

    return classes & CONF_EVENT_KEYVALUE && classes & event_class(event);
}

void keyvalue_publish(struct worker *w, const struct shard *home, const struct news *news)
{
    if (goes_to_all(w->server, news->event))
        publish_to(w, news, suits_any);
    else if (is_heard(home, news))
        publish_to(w, news, suits_ours);
    if (w->notes)
        forget_touched(w->notes);
}

/* ---- whole databases ------------------------------------------------------------------------- */

struct sweep {
    struct worker *worker;
    struct shard *shard;
    int db, from; /* their values come from this database: -1 for none */
    enum key_event event;
};

static const struct entry *entry_in(const struct sweep *sweep, int db, const struct named_key *k)
{
    struct space *space = keyspace_space(&sweep->worker->server->keyspace, db, shard_of(k->hash));
    const struct entry *e = space_find(space, k->hash, named_key_name(k)).entry;

    return e && !entry_is_gone(e, sweep->worker->now_ms) ? e : NULL;
}

/* A key that is subscribed: before a database is emptied. */
static void tell_flushed(void *item, void *opaque)
{
    const struct named_key *k = item;
    const struct sweep *sweep = opaque;
    const struct entry *e = k->db == sweep->db ? entry_in(sweep, k->db, k) : NULL;

    if (e)
        publish_to(
            sweep->worker,
            &(struct news){k->db, named_key_name(k), EVENT_FLUSHED, e,
                           keyspace_next_version(&sweep->worker->server->keyspace, sweep->shard, 0),
                           true},
            suits_none);
}

/* The same after two databases have changed places. */
static void tell_swapped(void *item, void *opaque)
{
    const struct named_key *k = item;
    const struct sweep *sweep = opaque;
    const struct entry *now = k->db == sweep->db ? entry_in(sweep, k->db, k) : NULL;
    const struct entry *was = k->db == sweep->db ? entry_in(sweep, sweep->from, k) : NULL;
    const struct space *space =
        keyspace_space(&sweep->worker->server->keyspace, k->db, shard_of(k->hash));
    uint64_t version =
        now ? space_version(space, now)
            : keyspace_next_version(&sweep->worker->server->keyspace, sweep->shard, 0);

    if (now || was)
        publish_to(
            sweep->worker,
            &(struct news){k->db, named_key_name(k), EVENT_SWAPPED, now ? now : was, version, !now},
            suits_none);
}

static void sweep_keys(struct sweep *sweep, void (*tell)(void *item, void *opaque))
{
    for (unsigned i = 0; i < SHARDS; i++) {
        sweep->shard = &sweep->worker->server->keyspace.shards[i];
        if (sweep->shard->heard && sweep->shard->heard->keys)
            table_each(sweep->shard->heard->keys, tell, sweep);
    }
}

/* Patterns are told once, of the database: in the channel of no key. */
static void tell_patterns(struct worker *w, int db, enum key_event event)
{
    struct news news = {db, SLICE(""), event, NULL, 0, event == EVENT_FLUSHED};

    publish_to(w, &news, goes_to_all(w->server, event) ? suits_database_or_any : suits_database);
}

void keyvalue_flushed(struct worker *w, int db)
{
    struct sweep sweep = {.worker = w, .db = db, .from = -1};

    if (!keyvalue_wanted(w->server) || !keyspace_is_used(&w->server->keyspace, db))
        return;
    sweep_keys(&sweep, tell_flushed);
    tell_patterns(w, db, EVENT_FLUSHED);
}

void keyvalue_swapped(struct worker *w, int a, int b)
{
    if (!keyvalue_wanted(w->server))
        return;
    for (int side = 0; side < 2; side++) {
        struct sweep sweep = {.worker = w, .db = side ? b : a, .from = side ? a : b};

        sweep_keys(&sweep, tell_swapped);
        tell_patterns(w, sweep.db, EVENT_SWAPPED);
    }
}
