/* What handlers see of the keyspace and of their request, see call.h. */
#include "server/call.h"

#include "server/access.h"
#include "server/effects.h"
#include "server/incoming.h"
#include "server/keyvalue.h"
#include "server/policer.h"
#include "server/reply.h"
#include "server/server.h"
#include "storage/policed.h"

/* ---- arguments ------------------------------------------------------------------------------ */

bool call_int(struct call *c, int i, int64_t *out)
{
    if (num_parse_int(call_arg(c, i), out))
        return true;
    reply_error(c, "ERR value is not an integer or out of range");
    return false;
}

bool call_int_between(struct call *c, int i, int64_t min, int64_t max, int64_t *out,
                      const char *error)
{
    if (num_parse_int(call_arg(c, i), out) && *out >= min && *out <= max)
        return true;
    reply_error(c, "%s", error ? error : "ERR value is not an integer or out of range");
    return false;
}

bool call_double(struct call *c, int i, double *out)
{
    if (num_parse_double(call_arg(c, i), out))
        return true;
    reply_error(c, "ERR value is not a valid float");
    return false;
}

bool call_syntax_error(struct call *c)
{
    reply_error(c, "ERR syntax error");
    return false;
}

bool call_db(struct call *c, int i, int *out, const char *not_a_number)
{
    int64_t db;

    if (!call_int_between(c, i, INT64_MIN, INT64_MAX, &db, not_a_number))
        return false;
    if (db < INT_MIN || db > INT_MAX) {
        reply_error(c, "%s",
                    not_a_number ? not_a_number
                                 : "ERR value is out of range, value must between "
                                   "-2147483648 and 2147483647");
        return false;
    }
    if (db < 0 || db >= c->server->keyspace.databases) {
        reply_error(c, "ERR DB index is out of range");
        return false;
    }
    *out = (int)db;
    return true;
}

bool call_fits(struct call *c, uint64_t len, uint64_t more)
{
    uint64_t sum;

    if (!__builtin_add_overflow(len, more, &sum) && sum <= c->conf->proto_max_bulk_len)
        return true;
    reply_error(c, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return false;
}

bool call_client_text(struct call *c, int i, const char *what)
{
    struct slice text = call_arg(c, i);

    for (size_t k = 0; k < text.len; k++) {
        if (text.ptr[k] < '!' || text.ptr[k] > '~') {
            reply_error(c, "ERR %s cannot contain spaces, newlines or special characters.", what);
            return false;
        }
    }
    return true;
}

/* ---- looking up ----------------------------------------------------------------------------- */

uint64_t call_hash(struct call *c, int i)
{
    if (LIKELY(!c->hashes && i == c->cmd->first_key))
        return c->first_hash;
    return c->hashes ? c->hashes[i] : hash_bytes(call_arg(c, i));
}

static const struct shard *home_of(struct call *c, int i)
{
    return &c->server->keyspace.shards[shard_of(call_hash(c, i))];
}

static void find_anew(struct call *c, int i, int db)
{
    uint64_t hash = call_hash(c, i);
    struct space *space = keyspace_space(&c->server->keyspace, db, shard_of(hash));

    if (c->cmd->flags & CMD_WRITE)
        space_will_change(space, hash);
    c->found = space_find(space, hash, call_arg(c, i));
    c->found_at = i;
    c->found_db = db;
}

/* Finds the key and remembers where, whether it has reached its time or not. */
ALWAYS_INLINE struct entry *find_as_it_is(struct call *c, int i, int db)
{
    if (c->found_at != i || c->found_db != db)
        find_anew(c, i, db);
    return c->found.entry;
}

/*
 * What has reached its time, the key or parts of its value, is dropped. While clients are paused
 * readers leave such a key where it is, and do not see it.
 */
static NOINLINE struct entry *end_if_due(struct call *c, int i, int db)
{
    struct entry *e = c->found.entry;

    if (e->policed && policer_drop_ended(c->worker, db, call_hash(c, i), c->found)) {
        c->found.entry = NULL;
    } else if (entry_is_due(e, c->now_ms)) {
        if (server_paused(c->server, c->worker->mono_ms) && entry_expired(e, c->now_ms) &&
            !(c->cmd->flags & CMD_WRITE))
            return NULL;
        effect_expire(c->worker, db, call_hash(c, i), &c->found, c->now_ms);
    }
    return c->found.entry;
}

static struct entry *look_up(struct call *c, int i, int db)
{
    struct entry *e = find_as_it_is(c, i, db);

    if (UNLIKELY(e && entry_may_end(e)))
        e = end_if_due(c, i, db);
    return e;
}

/* What is known of it is written without a look at it, for which it would have to be fetched. */
static NOINLINE void use_policed(struct call *c, uint64_t hash, struct entry *e)
{
    struct keyspace *ks = &c->server->keyspace;
    uint32_t *access = keyspace_access(ks, c->db, hash, e);

    if (access_is_lfu(c->conf))
        access_count(c->conf, c->worker->now_ms, access);
    else
        *access = access_ticks(c->worker->now_ms);
    policed_used(ks, c->db, shard_of(hash), e);
}

/* The key of this hash, in the call's database, is used. */
ALWAYS_INLINE void use(struct call *c, uint64_t hash, struct entry *e)
{
    if (UNLIKELY(c->conn->flags & CONN_NO_TOUCH))
        return;
    if (UNLIKELY(e->policed))
        use_policed(c, hash, e);
    else
        access_touch(c, &e->access_or_member);
}

static bool fits_type(struct call *c, const struct entry *e, enum type type)
{
    if (LIKELY(!e || type == TYPE_ANY || e->type == type))
        return true;
    reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
    return false;
}

ALWAYS_INLINE struct entry *look_up_counted(struct call *c, int i)
{
    struct entry *e = look_up(c, i, c->db);

    if (e) {
        c->worker->stats.keyspace_hits++;
    } else {
        c->worker->stats.keyspace_misses++;
        effect_event(c->worker, c->db, call_arg(c, i), EVENT_KEYMISS);
    }
    return e;
}

bool call_find(struct call *c, int i, enum type type, struct entry **out)
{
    struct entry *e = *out = look_up_counted(c, i);

    if (e)
        use(c, call_hash(c, i), e);
    return fits_type(c, e, type);
}

struct entry *call_look(struct call *c, int i)
{
    return look_up_counted(c, i);
}

bool call_find_write(struct call *c, int i, enum type type, struct entry **out)
{
    struct entry *e = *out = look_up(c, i, c->db);

    if (e)
        use(c, call_hash(c, i), e);
    return fits_type(c, e, type);
}

bool call_is_here(struct call *c, int i)
{
    return find_as_it_is(c, i, c->db) != NULL;
}

struct entry *call_peek(struct call *c, int i)
{
    return look_up(c, i, c->db);
}

uint64_t call_version(struct call *c, int i, const struct entry *e)
{
    return space_version(keyspace_space(&c->server->keyspace, c->db, shard_of(call_hash(c, i))), e);
}

struct entry *call_peek_db(struct call *c, int i, int db)
{
    return look_up(c, i, db);
}

struct entry *call_find_named(struct call *c, struct slice key)
{
    uint64_t hash = hash_bytes(key);
    struct found f =
        space_find(keyspace_space(&c->server->keyspace, c->db, shard_of(hash)), hash, key);

    DEBUG_ASSERT(c->world);
    if (f.entry && entry_expired(f.entry, c->now_ms)) {
        effect_drop(c->worker, c->db, hash, f, EVENT_EXPIRED);
        c->found_at = 0;
        f.entry = NULL;
    } else if (f.entry && f.entry->policed && policer_drop_ended(c->worker, c->db, hash, f)) {
        c->found_at = 0;
        f.entry = NULL;
    }
    if (!f.entry) {
        c->worker->stats.keyspace_misses++;
        effect_event(c->worker, c->db, key, EVENT_KEYMISS);
        return NULL;
    }
    c->worker->stats.keyspace_hits++;
    use(c, hash, f.entry);
    return f.entry;
}

/* ---- changing -------------------------------------------------------------------------------- */

void call_put_db(struct call *c, int i, int db, struct entry *fresh)
{
    uint64_t hash = call_hash(c, i);
    struct keyspace *ks = &c->server->keyspace;
    struct entry *old = look_up(c, i, db);

    fresh->access_or_member =
        access_first(c->conf, c->worker->now_ms, old ? keyspace_access(ks, db, hash, old) : NULL);
    if (old) {
        fresh->version = old->version;
        if (UNLIKELY(old->policed))
            policed_succeed(ks, db, hash, old, fresh);
        keyspace_replace(ks, db, hash, c->found.place, entry_times(old), fresh);
        effect_discard(c->worker, old);
        c->found.entry = fresh;
    } else {
        keyspace_insert(ks, db, hash, fresh);
        c->found_at = 0;
        effect_event(c->worker, db, call_arg(c, i), EVENT_NEW);
    }
}

void call_put(struct call *c, int i, struct entry *fresh)
{
    call_put_db(c, i, c->db, fresh);
}

void call_set_bytes(struct call *c, int i, struct slice value, int64_t expiry)
{
    struct entry *e = look_up(c, i, c->db);

    if (e && e->type == TYPE_STRING && entry_expiry(e) == expiry &&
        string_overwrite(e, value, true)) {
        use(c, call_hash(c, i), e);
        return;
    }
    call_put(c, i, entry_new_string(call_arg(c, i), value, expiry, true));
}

void call_set_string(struct call *c, int i, int value_arg, int64_t expiry)
{
    struct slice value = call_arg(c, value_arg);
    struct blob *b = value.len >= REQUEST_LONG_FROM ? incoming_take_blob(c->conn, value) : NULL;

    if (b)
        call_put(c, i, entry_new_blob(call_arg(c, i), b, expiry));
    else
        call_set_bytes(c, i, value, expiry);
}

void call_set_int(struct call *c, int i, int64_t value)
{
    struct entry *e = look_up(c, i, c->db);

    if (e && e->type == TYPE_STRING && e->form == FORM_INT)
        string_overwrite_int(e, value);
    else
        call_put(c, i, entry_new_int(call_arg(c, i), value, e ? entry_expiry(e) : EXPIRY_NONE));
}

void call_moved(struct call *c, int i, struct entry *e)
{
    (void)i;
    DEBUG_ASSERT(c->found_at == i && c->found.entry);
    if (c->found.entry != e) {
        table_replace(c->found.place, e);
        c->found.entry = e;
    }
}

void call_retimed(struct call *c, int i, struct entry_times was, struct entry *e)
{
    DEBUG_ASSERT(c->found_at == i && c->found.entry);
    keyspace_replace(&c->server->keyspace, c->found_db, call_hash(c, i), c->found.place, was, e);
    c->found.entry = e;
}

void call_emptied(struct call *c, int i)
{
    if (call_delete(c, i))
        call_removed(c, i, EVENT_DEL);
}

char *call_edit_string(struct call *c, int i, size_t len, size_t at, size_t n)
{
    struct entry *e = look_up(c, i, c->db);
    char *bytes;

    if (!e) {
        call_put(c, i, entry_new_string(call_arg(c, i), SLICE(""), EXPIRY_NONE, false));
        e = look_up(c, i, c->db);
    }
    INVARIANT(e != NULL);
    space_will_change(keyspace_space(&c->server->keyspace, c->db, shard_of(call_hash(c, i))),
                      call_hash(c, i)); /* readers edit too: PFCOUNT */
    string_will_change(e, len, at, n);
    e = string_edit(e, len, &bytes);
    call_moved(c, i, e);
    return bytes;
}

void call_set_expiry(struct call *c, int i, int64_t expiry)
{
    struct entry *e = look_up(c, i, c->db);
    struct entry_times was = entry_times(e);

    call_retimed(c, i, was, entry_set_expiry(e, expiry));
}

struct entry *call_take(struct call *c, int i)
{
    struct entry *e = look_up(c, i, c->db);

    if (!e)
        return NULL;
    if (UNLIKELY(keyvalue_wanted(c->server)))
        keyvalue_keep_last(c->worker, home_of(c, i), call_arg(c, i), e);
    c->found_at = 0;
    return keyspace_take(&c->server->keyspace, c->db, call_hash(c, i), c->found);
}

bool call_delete(struct call *c, int i)
{
    struct entry *e = call_take(c, i);

    if (e)
        effect_discard(c->worker, e);
    return e != NULL;
}

uint32_t *call_access(struct call *c, int i, int db, struct entry *e)
{
    return keyspace_access(&c->server->keyspace, db, call_hash(c, i), e);
}

void call_changed_db(struct call *c, int i, int db, enum key_event event)
{
    struct entry *e = find_as_it_is(c, i, db);

    effect_changed(c->worker, db, shard_of(call_hash(c, i)), e, call_arg(c, i), event);
}

void call_changed(struct call *c, int i, enum key_event event)
{
    call_changed_db(c, i, c->db, event);
}

void call_removed(struct call *c, int i, enum key_event event)
{
    effect_removed(c->worker, c->db, shard_of(call_hash(c, i)), call_arg(c, i), NULL, event);
}

void call_note_touched(struct call *c, int i, struct slice element)
{
    keyvalue_touch(c->worker, home_of(c, i), call_arg(c, i), element);
}

void call_note_touched_indexes(struct call *c, int i, int64_t first, int64_t n)
{
    for (; n > 0; n--, first++) {
        char digits[NUM_INT_MAX];

        call_note_touched(c, i, slice_make(digits, num_format_int(digits, first)));
    }
}

void call_counts_as(struct call *c, int64_t n)
{
    c->worker->stats.dirty += (uint64_t)n - 1;
}

void call_event(struct call *c, int i, enum key_event event)
{
    const struct entry *e = find_as_it_is(c, i, c->db);

    effect_further(c->worker, c->db, shard_of(call_hash(c, i)), e, call_arg(c, i), event);
}

void call_close_after_reply(struct call *c)
{
    c->conn->flags |= CONN_CLOSE_AFTER_REPLY;
}
