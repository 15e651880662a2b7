/* Columns that do not hold everything, see narrow.h. */
#include "server/backend/narrow.h"

#include "base/mem.h"
#include "base/num.h"
#include "server/backend/home.h"
#include "server/handlers.h"
#include "server/key_locks.h"
#include "server/reply.h"
#include "storage/rows/rows.h"
#include "storage/rows/text.h"

enum {
    AROUND = 5
}; /* quotes, a colon, a comma, and a brace to begin with: of each string in JSON */

/* What stands in a column. */
struct extent {
    size_t bytes, chars;
    bool is_text; /* else it is in base64 */
};

static size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

static struct extent extent_of(struct slice s)
{
    struct extent e = {.bytes = s.len, .is_text = text_is_valid(s)};

    for (size_t i = 0; e.is_text && i < s.len; i++)
        e.chars += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
    if (!e.is_text)
        e.bytes = e.chars = base64_len(s.len);
    return e;
}

static bool key_fits(struct call *c, struct slice key)
{
    const struct backend_limits *l = &c->server->home->limits;
    size_t more = row_key_is_plain(key) ? 0 : sizeof(ROW_KEY_PREFIX) - 1;
    struct extent e;

    if (key.len + more <= l->key_chars / 2 && key.len + more <= l->key_bytes / 2)
        return true;
    e = extent_of(key);
    if (e.chars + more <= l->key_chars && e.bytes + more <= l->key_bytes)
        return true;
    reply_error(c, "BACKEND key '%.*s' is longer than the table's column holds",
                (int)(key.len < 256 ? key.len : 256), key.ptr);
    return false;
}

static bool value_fits(const struct call *c, size_t bytes, size_t chars)
{
    const struct backend_limits *l = &c->server->home->limits;

    return chars <= l->value_chars && bytes <= l->value_bytes;
}

static bool argument_fits(const struct call *c, struct slice value)
{
    struct extent e;

    if (value_fits(c, value.len * 2, value.len * 2))
        return true;
    e = extent_of(value);
    return value_fits(c, e.bytes, e.chars);
}

/* ---- what is there, and grows ---------------------------------------------------------------- */

static struct extent extent_of_row(struct call *c, int i, bool *is_string)
{
    uint64_t hash = call_hash(c, i);
    struct shard *shard = &c->server->keyspace.shards[shard_of(hash)];
    struct extent e = {.is_text = true};
    const struct entry *entry;
    struct buf text = {0};
    struct row_text row;

    lock_take(&shard->lock);
    entry =
        space_find(keyspace_space(&c->server->keyspace, 0, shard_of(hash)), hash, call_arg(c, i))
            .entry;
    if (entry) {
        row = row_put_entry(&text, entry);
        e = extent_of(slice_make(text.ptr, row.value_len));
        e.is_text = !row.type.ptr || !memchr(row.type.ptr, ':', row.type.len);
        *is_string = entry->type == TYPE_STRING;
    }
    lock_release(&shard->lock);
    buf_release(&text);
    return e;
}

/* In JSON control characters take six, quotes and backslashes two. */
static struct extent extent_in_json(struct slice s)
{
    struct extent e = extent_of(s);

    for (size_t i = 0; e.is_text && i < s.len; i++) {
        size_t more = (uint8_t)s.ptr[i] < ' ' ? 5 : s.ptr[i] == '"' || s.ptr[i] == '\\';

        e.bytes += more;
        e.chars += more;
    }
    return e;
}

/* How many bytes SETRANGE and SETBIT need; 0 for others, and for arguments that are wrong. */
static size_t reach(const struct call *c)
{
    int64_t at = 0;

    if (c->argc != 4 || !num_parse_int(call_arg(c, 2), &at) || at < 0)
        return 0;
    if (c->cmd->run == cmd_setrange)
        return call_arg(c, 3).len ? (size_t)at + call_arg(c, 3).len : 0;
    return c->cmd->run == cmd_setbit ? (size_t)at / 8 + 1 : 0;
}

/* SETRANGE: no character is cut, nor does anything but characters come between. */
static bool stays_text(const struct call *c, struct extent e, struct slice more)
{
    return e.is_text && e.bytes == e.chars && reach(c) - more.len <= e.bytes && text_is_valid(more);
}

static bool string_fits(struct call *c, struct extent e)
{
    struct slice more = call_arg(c, c->argc - 1);
    size_t len = reach(c);

    if (c->cmd->run == cmd_append && e.is_text && text_is_valid(more)) {
        struct extent added = extent_of(more);

        return value_fits(c, e.bytes + added.bytes, e.chars + added.chars);
    }
    if (c->cmd->run == cmd_setrange && stays_text(c, e, more))
        return value_fits(c, len, len) || len <= e.bytes;
    if (c->cmd->run == cmd_append)
        len = (e.is_text ? e.bytes : e.bytes / 4 * 3) + more.len;
    /* It may be no text by then, even if only bytes in its midst are other ones. */
    len = base64_len(len > e.bytes || !e.is_text ? len : e.bytes);
    return value_fits(c, len, len);
}

/* With all that the request brings, as if nothing of it were there. */
static bool collection_fits(struct call *c, struct extent e)
{
    for (int i = 2; i < c->argc; i++) {
        struct extent more = extent_in_json(call_arg(c, i));

        e.bytes += more.bytes + AROUND;
        e.chars += more.chars + AROUND;
        if (e.is_text && !more.is_text) {
            e.bytes = e.chars = base64_len(e.bytes);
            e.is_text = false;
        }
    }
    return value_fits(c, e.bytes, e.chars);
}

static bool is_collections(const struct call *c)
{
    static const char *const groups[] = {"hash", "list", "set", "sorted-set", "geo"};

    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (strcmp(c->cmd->group, groups[i]) == 0)
            return true;
    }
    return false;
}

static bool grown_fits(struct call *c, int i)
{
    bool is_string = !is_collections(c);
    struct extent e;

    if (is_string && c->cmd->run != cmd_append && !reach(c))
        return true;
    e = extent_of_row(c, i, &is_string);
    if (is_string == is_collections(c))
        return true; /* it is of another type, which is answered */
    return is_string ? string_fits(c, e) : collection_fits(c, e);
}

/* ---- all of a request ------------------------------------------------------------------------ */

static bool values_fit(struct call *c, const struct key_position *keys, int n)
{
    bool good = true;

    for (int i = 2; good && i < c->argc; i++)
        good = argument_fits(c, c->argv[i]);
    for (int i = 0; good && i < n; i++) {
        if (keys[i].flags & KEY_RW)
            good = grown_fits(c, keys[i].index);
    }
    if (!good)
        reply_error(c, "BACKEND a value is longer than the table's column holds");
    return good;
}

bool narrow_fits(struct call *c)
{
    struct key_position quick[KEY_POSITIONS_QUICK], *keys;
    int n = key_positions(c, quick, &keys);
    bool good = true;

    for (int i = 0; good && i < n; i++) {
        if (keys[i].flags & (KEY_RW | KEY_OW))
            good = key_fits(c, c->argv[keys[i].index]);
    }
    if (good && c->cmd->flags & CMD_DENYOOM)
        good = values_fit(c, keys, n);
    if (n >= 0 && keys != quick)
        mem_free(keys);
    return good;
}
