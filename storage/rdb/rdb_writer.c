/* Snapshots as they are written, see rdb_writer.h. */
#include "storage/rdb/rdb_writer.h"

#include "base/compiler.h"
#include "storage/rdb/crc64.h"
#include "storage/rdb/rdb_out.h"
#include "storage/type_hash.h"

#include <stdio.h>

enum { FLUSH_FROM = 256 << 10 };

void rdb_writer_flush(struct rdb_writer *w)
{
    if (w->status == 0 && w->out.len) {
        if (w->checksum)
            w->crc = crc64(w->crc, w->out.ptr, w->out.len);
        w->status = w->sink(w->arg, w->out.ptr, w->out.len);
        w->written += w->out.len;
    }
    w->out.len = 0;
}

void rdb_writer_bytes(struct rdb_writer *w, struct slice bytes)
{
    buf_append_slice(&w->out, bytes);
    if (w->out.len >= FLUSH_FROM)
        rdb_writer_flush(w);
}

void rdb_writer_squeeze(struct rdb_writer *w, struct slice bytes, const struct buf *later)
{
    rdb_squeeze(&w->out, bytes, later);
    if (w->out.len >= FLUSH_FROM)
        rdb_writer_flush(w);
}

static void put_aux_number(struct buf *out, struct slice name, uint64_t n)
{
    char digits[NUM_INT_MAX];

    rdb_put_aux(out, name, slice_make(digits, num_format_int(digits, (int64_t)n)));
}

/* Up to the end of a line that is not continued in the next one, behind so many bytes. */
static size_t portion_of(struct slice lines)
{
    enum { PORTION = 32 << 10 };
    size_t at = 0;

    while (at < lines.len) {
        const char *line = lines.ptr + at;
        const char *end = memchr(line, '\n', lines.len - at);
        const char *word = end ? memchr(line, ' ', (size_t)(end - line)) : NULL;
        const char *more = end ? memchr(line, '+', (size_t)(end - line)) : NULL;

        at = end ? (size_t)(end + 1 - lines.ptr) : lines.len;
        if (at > PORTION && !(more && (!word || more < word)))
            break;
    }
    return at;
}

static void put_lines(struct rdb_writer *w, struct slice lines)
{
    while (lines.len) {
        size_t n = portion_of(lines);

        rdb_put_aux(&w->out, SLICE(RDB_AUX_LINES), slice_make(lines.ptr, n));
        rdb_writer_bytes(w, SLICE(""));
        lines = slice_make(lines.ptr + n, lines.len - n);
    }
}

void rdb_writer_begin(struct rdb_writer *w, rdb_sink_fn *sink, void *arg,
                      const struct rdb_header *header)
{
    *w = (struct rdb_writer){.sink = sink, .arg = arg, .checksum = header->checksum, .db = -1};
    buf_printf(&w->out, "REDIS%04d", RDB_VERSION);
    rdb_put_aux(&w->out, SLICE("redis-ver"), slice_str(header->redis_version));
    put_aux_number(&w->out, SLICE("redis-bits"), sizeof(void *) * 8);
    put_aux_number(&w->out, SLICE("ctime"), (uint64_t)header->now_s);
    put_aux_number(&w->out, SLICE("used-mem"), header->used_memory);
    put_aux_number(&w->out, SLICE("aof-base"), header->log_base);
    put_aux_number(&w->out, SLICE(RDB_AUX_SEQ), header->seq);
    put_lines(w, buf_slice(&header->lines));
}

void rdb_writer_database(struct rdb_writer *w, int db, uint64_t keys, uint64_t expiring)
{
    if (w->db == db)
        return;
    w->db = db;
    rdb_put_byte(&w->out, RDB_SELECT_DB);
    rdb_put_len(&w->out, (uint64_t)db);
    rdb_put_byte(&w->out, RDB_RESIZE_DB);
    rdb_put_len(&w->out, keys);
    rdb_put_len(&w->out, expiring);
}

int rdb_writer_end(struct rdb_writer *w)
{
    int status;

    rdb_put_byte(&w->out, RDB_EOF);
    rdb_writer_flush(w);
    buf_append(&w->out, &w->crc, sizeof(w->crc));
    rdb_writer_flush(w);
    status = w->status;
    rdb_writer_release(w);
    return status;
}

void rdb_writer_release(struct rdb_writer *w)
{
    buf_release(&w->out);
}

/* ---- numbers --------------------------------------------------------------------------------- */

void rdb_put_number(struct buf *out, uint64_t n)
{
    for (; n > 127; n >>= 7)
        buf_append_char(out, (char)(n | 128));
    buf_append_char(out, (char)n);
}

bool rdb_take_number(struct slice *from, uint64_t *n)
{
    *n = 0;
    for (unsigned shift = 0; from->len && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*from->ptr++;

        from->len--;
        *n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    *n = 0;
    return false;
}

/* ---- keys ------------------------------------------------------------------------------------ */

void rdb_put_key_head(struct buf *out, const struct entry *e, enum rdb_type type,
                      struct rdb_age age)
{
    if (e->has_expiry) {
        rdb_put_byte(out, RDB_EXPIRY_MS);
        rdb_put_int64(out, entry_expiry(e));
    }
    if (age.idle_s >= 0) {
        rdb_put_byte(out, RDB_IDLE);
        rdb_put_len(out, (uint64_t)age.idle_s);
    }
    if (age.frequency >= 0) {
        rdb_put_byte(out, RDB_FREQ);
        rdb_put_byte(out, (unsigned)age.frequency);
    }
    rdb_put_byte(out, type);
    rdb_put_string(out, entry_key(e), NULL);
}

void rdb_keys_add_version(struct rdb_keys *keys, uint64_t version)
{
    uint64_t more = version - keys->last_version, less = keys->last_version - version;

    rdb_put_number(&keys->versions, version < keys->last_version ? less << 1 | 1 : more << 1);
    keys->last_version = version;
    keys->count++;
}

static void put_times(struct buf *out, const struct entry *e)
{
    struct hash_walk w = hash_walk(e);
    struct hash_item item;
    struct buf times = {0};

    while (hash_walk_next(&w, &item))
        rdb_put_number(&times, item.time == EXPIRY_NONE ? 0 : (uint64_t)item.time);
    rdb_put_byte(out, RDB_AUX);
    rdb_put_string(out, SLICE(RDB_AUX_TIMES), NULL);
    rdb_put_bytes(out, buf_slice(&times), NULL);
    buf_release(&times);
}

void rdb_keys_add(struct rdb_keys *keys, const struct entry *e, uint64_t version,
                  struct rdb_age age, bool compress)
{
    const struct rdb_encoding how = {.later = compress ? &keys->later : NULL};

    rdb_keys_add_version(keys, version);
    if (UNLIKELY(entry_has_timed_parts(e)))
        put_times(&keys->bytes, e);
    rdb_put_key_head(&keys->bytes, e, rdb_type_of(e, &how), age);
    rdb_put_value(&keys->bytes, e, &how);
}

void rdb_writer_keys(struct rdb_writer *w, const struct rdb_keys *keys)
{
    if (!keys->count)
        return;
    rdb_put_byte(&w->out, RDB_AUX);
    rdb_put_string(&w->out, SLICE(RDB_AUX_VERSIONS), NULL);
    rdb_put_bytes(&w->out, buf_slice(&keys->versions), NULL);
    rdb_writer_squeeze(w, buf_slice(&keys->bytes), &keys->later);
}

void rdb_keys_clear(struct rdb_keys *keys)
{
    keys->bytes.len = keys->versions.len = keys->later.len = 0;
    keys->last_version = keys->count = 0;
}

void rdb_keys_release(struct rdb_keys *keys)
{
    buf_release(&keys->bytes);
    buf_release(&keys->versions);
    buf_release(&keys->later);
    *keys = (struct rdb_keys){0};
}
