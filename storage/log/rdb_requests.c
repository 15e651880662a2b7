/* Keys as requests, see rdb_requests.h. */
#include "storage/log/rdb_requests.h"

#include "base/files.h"
#include "base/mem.h"
#include "storage/log/log_items.h"
#include "storage/rdb/rdb_decode.h"
#include "storage/rdb/rdb_file.h"
#include "storage/rdb/rdb_keys_in.h"
#include "storage/string.h"
#include "storage/type_list.h"
#include "storage/type_set.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ITEMS_A_REQUEST = 64, BYTES_A_RUN = 1 << 20 };

/* A request that is begun when its first item comes, and ended after so many. */
struct making {
    struct records *r;
    const struct entry *e;
    int db;
    struct slice name;
    uint64_t left; /* items that are still to come, at all */
    int in_request;
    int args_an_item;
};

static void next_item(struct making *m)
{
    if (m->in_request == 0) {
        m->in_request = m->left < ITEMS_A_REQUEST ? (int)m->left : ITEMS_A_REQUEST;
        records_begin(m->r, m->db, 2 + m->in_request * m->args_an_item);
        records_arg(m->r, m->name);
        records_arg(m->r, entry_key(m->e));
    }
    m->in_request--;
    m->left--;
}

static void put_string(struct records *r, int db, const struct entry *e)
{
    char digits[NUM_INT_MAX];
    struct slice argv[] = {SLICE("SET"), entry_key(e), string_value(e, digits)};

    records_add(r, db, argv, COUNT_OF(argv));
}

static void put_list(struct records *r, int db, const struct entry *e)
{
    struct making m = {r, e, db, SLICE("RPUSH"), lists_len(e), 0, 1};
    char digits[NUM_INT_MAX];
    struct list_walk w;
    const char *at;

    if (!m.left)
        return;
    lists_walk(&w, e, 0, false);
    while (m.left && (at = lists_walk_next(&w))) {
        next_item(&m);
        records_arg(r, pack_text(at, digits));
    }
}

static void put_set(struct records *r, int db, const struct entry *e)
{
    struct making m = {r, e, db, SLICE("SADD"), set_count(e), 0, 1};
    struct set_walk w = set_walk(e);
    char digits[NUM_INT_MAX];
    struct set_member member;

    while (m.left && set_walk_next(&w, &member)) {
        next_item(&m);
        records_arg(r, member.is_number ? slice_make(digits, num_format_int(digits, member.number))
                                        : member.text);
    }
}

static void put_zset(struct records *r, int db, const struct entry *e)
{
    struct making m = {r, e, db, SLICE("ZADD"), zset_len(e), 0, 2};
    char score[NUM_PLAIN_MAX];
    struct zset_iter it;

    zset_iter_begin(&it, e, 0, false);
    while (m.left && zset_iter_next(&it)) {
        next_item(&m);
        records_arg(r, slice_make(score, num_format_double(score, sizeof(score), it.score)));
        records_arg(r, it.member);
    }
}

static void put_field_time(struct records *r, int db, const struct entry *e, struct slice name,
                           int64_t time)
{
    char digits[NUM_INT_MAX];
    struct slice argv[] = {SLICE("HPEXPIREAT"), entry_key(e), {0},
                           SLICE("FIELDS"),     SLICE("1"),   name};

    argv[2] = slice_make(digits, num_format_int(digits, time));
    records_begin_note(r, db);
    for (size_t i = 0; i < COUNT_OF(argv); i++)
        records_note_arg(r, argv[i]);
    records_end_note(r);
}

static void put_hash(struct records *r, int db, const struct entry *e)
{
    struct making m = {r, e, db, SLICE("HSET"), 0, 0, 2};
    struct hash_walk w = hash_walk(e);
    struct hash_item item;

    while (hash_walk_next(&w, &item))
        m.left++;
    w = hash_walk(e);
    while (m.left && hash_walk_next(&w, &item)) {
        next_item(&m);
        records_arg(r, item.name);
        records_arg(r, item.value);
    }
    w = hash_walk(e);
    while (entry_has_timed_parts(e) && hash_walk_next(&w, &item)) {
        if (item.time != EXPIRY_NONE)
            put_field_time(r, db, e, item.name, item.time);
    }
}

void records_of_entry(struct records *r, int db, const struct entry *e)
{
    static void (*const put[])(struct records *, int, const struct entry *) = {
        [TYPE_STRING] = put_string, [TYPE_LIST] = put_list, [TYPE_SET] = put_set,
        [TYPE_ZSET] = put_zset,     [TYPE_HASH] = put_hash,
    };
    char digits[NUM_INT_MAX];

    put[e->type](r, db, e);
    if (entry_expiry(e) != EXPIRY_NONE) {
        struct slice argv[] = {SLICE("PEXPIREAT"), entry_key(e), {0}};

        argv[2] = slice_make(digits, num_format_int(digits, entry_expiry(e)));
        records_add(r, db, argv, COUNT_OF(argv));
    }
}

/* ---- a file --------------------------------------------------------------------------------- */

struct converting {
    struct records records;
    struct rdb_file file;
    uint64_t written;
    bool selected;
    int db, status;
    uint64_t seq;     /* no version is above */
    uint64_t version; /* that was told last; 0: none was */
};

static void write_run(struct converting *c)
{
    struct log_seal seal = {.synced = c->written, .db = c->db < 0 ? 0 : c->db};
    struct buf *run = &c->records.bytes;

    if (!run->len || c->status)
        return;
    log_seal_put(run, &seal, buf_slice(run));
    c->status = rdb_file_sink(&c->file, run->ptr, run->len);
    c->written += run->len;
    c->db = c->records.db;
    records_clear(&c->records);
}

/* Whatever follows is not a change, but makes the key that has this version. */
static void tell_version(struct converting *c, uint64_t version)
{
    struct buf *out = &c->records.bytes;

    if (!version)
        return;
    if (!c->version)
        buf_printf(out, "#LK:at %llu\r\n", (unsigned long long)version);
    buf_printf(out, "#LK:is %lld\r\n", c->version ? (long long)(version - c->version) : 0LL);
    c->version = version;
}

static void add_key(struct converting *c, int db, const struct entry *e, uint64_t version)
{
    tell_version(c, version);
    if (!c->selected || (!c->records.count && db != c->db))
        records_select(&c->records.bytes, db);
    c->selected = true;
    records_of_entry(&c->records, db, e);
    if (c->records.bytes.len > BYTES_A_RUN)
        write_run(c);
}

/* Database, length and name of the key, then of each field length, name and time. */
static void add_note(void *arg, struct slice name, struct slice from)
{
    struct converting *c = arg;
    uint64_t db, len, time;
    struct entry *e;
    int64_t seq;

    if (slice_eq(name, SLICE(RDB_AUX_SEQ)) && num_parse_int(from, &seq))
        c->seq = (uint64_t)seq;
    else if (slice_eq(name, SLICE(RDB_AUX_LINES)))
        buf_append_slice(&c->records.bytes, from);
    if (!slice_eq(name, SLICE(RDB_AUX_FIELD_TIMES)) || !rdb_take_number(&from, &db) ||
        !rdb_take_number(&from, &len) || len > from.len)
        return;
    if (c->version)
        buf_append_str(&c->records.bytes, "#LK:is same\r\n");
    e = entry_new_string(slice_make(from.ptr, len), SLICE(""), EXPIRY_NONE, false);
    from = slice_make(from.ptr + len, from.len - len);
    while (rdb_take_number(&from, &len) && len <= from.len) {
        struct slice field = slice_make(from.ptr, len);

        from = slice_make(from.ptr + len, from.len - len);
        if (!rdb_take_number(&from, &time))
            break;
        if (time)
            put_field_time(&c->records, (int)db, e, field, (int64_t)time);
    }
    entry_free(e);
}

/* Nothing is packed that is not to be looked at twice. */
static const struct rdb_limits no_limits = {0};

static int convert_keys(struct converting *c, struct rdb_in *in)
{
    const struct rdb_notes notes = {.arg = c, .aux = add_note};
    struct rdb_state state = {0};
    struct rdb_key key;
    enum rdb_next next;
    struct buf name = {0};

    while ((next = rdb_next(in, &state, &notes, &key)) == RDB_NEXT_KEY && !c->status) {
        struct entry *e;

        name.len = 0;
        buf_append_slice(&name, key.key);
        in->times = buf_slice(&state.times);
        e = rdb_get_value(in, key.type, buf_slice(&name), key.expiry, &no_limits);
        in->times = SLICE("");
        if (!e)
            break;
        add_key(c, state.db, e, key.version);
        entry_free(e);
    }
    if (c->seq)
        buf_printf(&c->records.bytes, "#LK:at %llu\r\n", (unsigned long long)c->seq);
    write_run(c);
    buf_release(&name);
    rdb_state_release(&state);
    if (!c->status && next != RDB_NEXT_END)
        c->status = -EIO;
    return c->status;
}

static int convert(struct slice snapshot, const char *path, bool step_by_step)
{
    struct converting c = {.db = -1};
    struct rdb_in in = rdb_in_bytes(snapshot);
    const char *magic;

    c.status = rdb_file_create(&c.file, path, step_by_step);
    if (c.status < 0)
        return c.status;
    if (!rdb_get_bytes(&in, RDB_MAGIC_LEN, &magic))
        c.status = -EIO;
    else
        convert_keys(&c, &in);
    records_release(&c.records);
    rdb_in_release(&in);
    return rdb_file_finish(&c.file, c.status);
}

int rdb_requests_convert(const char *path, bool step_by_step)
{
    int fd = file_ops->open(path, O_RDONLY, 0), status;
    int64_t size = fd < 0 ? fd : file_size(fd);
    void *at;

    if (size <= 0) {
        if (fd >= 0)
            file_ops->close(fd);
        return size ? (int)size : -EIO;
    }
    at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    status = at == MAP_FAILED ? -errno : convert(slice_make(at, (size_t)size), path, step_by_step);
    if (at != MAP_FAILED)
        munmap(at, (size_t)size);
    file_ops->close(fd);
    return status;
}
