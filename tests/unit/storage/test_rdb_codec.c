/*
 * storage/rdb: checksums and compression by what is known of them; values of all types as bytes and
 * back; the encodings of earlier versions; and bytes that are none, of which nothing is believed.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "storage/rdb/crc64.h"
#include "storage/rdb/lzf.h"
#include "storage/rdb/rdb_decode.h"
#include "storage/rdb/rdb_encode.h"
#include "storage/rdb/rdb_out.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/value_types.h"
#include "storage/zset_builder.h"
#include "tests/lib/tap.h"

#include <stdio.h>

static const struct rdb_limits limits = {
    .hash = {128, 64}, .list = {8 << 10, 1 << 15}, .zset = {128, 64}, .intset = 512};

static void test_crc(void)
{
    uint64_t parts = crc64(crc64(0, "1234", 4), "56789", 5);

    ok(crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9ca, "the checksum of the customary digits");
    ok(parts == 0xe9c6d914c4b8d9ca, "the same in two parts");
}

/* ---- compression ----------------------------------------------------------------------------- */

static bool survives(const char *bytes, size_t len)
{
    static char packed[70000], back[65536];
    size_t n = lzf_compress(slice_make(bytes, len), packed, sizeof(packed));

    return n && lzf_decompress(slice_make(packed, n), back, len) && memcmp(back, bytes, len) == 0 &&
           !lzf_decompress(slice_make(packed, n), back, len - 1) && len <= lzf_most(n);
}

static void test_lzf(void)
{
    static const unsigned char redis[] = {0x01, 'x', 'x', 0xe0, 0x1b, 0, 0x01, 'x', 'x'};
    static char bytes[40000], back[64];
    int lost = 0;

    for (int i = 0; i < 300; i++) {
        size_t len = 1 + rng_below(i % 3 ? 300 : sizeof(bytes) - 1), few = 1 + rng_below(255);

        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)(rng_below(8) && k > few ? bytes[k - few] : (char)rng_below(few + 1));
        lost += !survives(bytes, len);
    }
    is_int(lost, 0, "what is compressed comes back");
    ok(lzf_decompress(slice_make((const char *)redis, sizeof(redis)), back, 40) &&
           memcmp(back, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 40) == 0,
       "what Redis compressed is understood");
    for (int i = 0; i < 3000; i++) {
        size_t len = rng_below(40);

        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)rng_below(256);
        lzf_decompress(slice_make(bytes, len), back, rng_below(sizeof(back)));
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct slice random_text(char *room)
{
    static const char letters[] = "abcdefgh";
    size_t len = rng_below(4) ? rng_below(12) : rng_below(64);

    if (rng_below(2))
        return slice_make(room,
                          num_format_int(room, (int64_t)rng_below(1000) - (int64_t)rng_below(9)));
    for (size_t i = 0; i < len; i++)
        room[i] = letters[rng_below(8)];
    return slice_make(room, len);
}

static struct entry *random_zset(size_t n)
{
    struct zset_builder b = {0};
    char room[100];
    bool fresh;

    while (n--)
        zset_builder_find(&b, random_text(room), (double)rng_below(100) / 4, &fresh);
    return zset_builder_take(&b, SLICE("key"), &limits.zset);
}

static struct entry *random_hash(size_t n)
{
    struct entry *e = hash_new(SLICE("key"));
    char room[100], other[100];
    bool timed = rng_below(2);

    while (n--) {
        int64_t time = timed && rng_below(3) ? 4000000000000 + (int64_t)rng_below(99) : EXPIRY_NONE;

        hash_set(&e, random_text(room), random_text(other), time, &limits.hash);
    }
    return e;
}

static struct entry *random_value(size_t n)
{
    struct entry *e = NULL;
    struct slice text;
    char room[100];

    switch (rng_below(5)) {
    case 0:
        return entry_new_string(SLICE("key"), random_text(room), EXPIRY_NONE, true);
    case 1:
        for (; n; n--) {
            text = random_text(room);
            if (e)
                lists_push(&e, LIST_TAIL, &text, 1, limits.list);
            else
                e = lists_new(SLICE("key"), LIST_TAIL, &text, 1, limits.list);
        }
        return e;
    case 2:
        e = set_new(SLICE("key"), EXPIRY_NONE);
        for (; n; n--) {
            struct set_member m = set_member(random_text(room));

            set_add(&e, &m, limits.intset);
        }
        return e;
    case 3:
        return random_hash(n);
    default:
        return random_zset(n);
    }
}

static struct entry *restore(struct slice dump, enum rdb_status *status)
{
    struct entry *e = NULL;
    struct slice payload;
    struct rdb_in in;
    unsigned type;

    if (!rdb_check_dump(dump, &payload))
        return NULL;
    in = rdb_in_bytes(payload);
    if (rdb_get_byte(&in, &type))
        e = rdb_get_value(&in, type, SLICE("key"), EXPIRY_NONE, &limits);
    *status = in.status;
    rdb_in_release(&in);
    return e;
}

static bool comes_back(const struct entry *e)
{
    struct buf dump = {0};
    enum rdb_status status;
    struct digest is, was = value_digest(e);
    struct entry *back;
    bool same;

    rdb_put_dump(&dump, e, rng_below(2));
    back = restore(buf_slice(&dump), &status);
    buf_release(&dump);
    if (!back)
        return false;
    is = value_digest(back);
    same = memcmp(&is, &was, sizeof(is)) == 0 && back->type == e->type &&
           strcmp(value_encoding(back), value_encoding(e)) == 0 &&
           (!entry_has_timed_parts(e) || entry_part_time(back) == entry_part_time(e));
    if (!same)
        diag("%s, %s, %s", value_type_name(e->type), value_encoding(e), value_encoding(back));
    entry_free(back);
    return same;
}

static void test_values(void)
{
    static const size_t sizes[] = {1, 5, 60, 130, 600, 3000};
    int lost = 0;

    for (int i = 0; i < 600; i++) {
        struct entry *e = random_value(sizes[rng_below(COUNT_OF(sizes))]);

        lost += !comes_back(e);
        entry_free(e);
    }
    is_int(lost, 0, "values of all types come back from their dumps");
}

/* Bytes changed, and passed over or read: what comes of it is a value or an error. */
static void test_damage(void)
{
    int odd = 0;

    for (int i = 0; i < 3000; i++) {
        struct entry *e = random_value(1 + rng_below(40)), *back;
        struct buf plain = {0}, later = {0}, bytes = {0};
        const struct rdb_encoding how = {.later = rng_below(2) ? &later : NULL,
                                         .field_times = true};
        struct rdb_in in, other;

        rdb_put_value(&plain, e, &how);
        rdb_squeeze(&bytes, buf_slice(&plain), &later);
        for (uint64_t n = rng_below(4); n; n--)
            bytes.ptr[rng_below(bytes.len)] = (char)rng_below(256);
        bytes.len -= rng_below(2) ? rng_below(bytes.len) : 0;
        in = rdb_in_bytes(buf_slice(&bytes));
        other = in;
        back = rdb_get_value(&in, rdb_type_of(e, &how), SLICE("key"), EXPIRY_NONE, &limits);
        odd += (back != NULL) != (in.status == RDB_OK);
        if (rdb_skip_value(&other, rdb_type_of(e, &how)) && back)
            odd += in.at != other.at;
        if (back)
            entry_free(back);
        rdb_in_release(&in);
        entry_free(e);
        buf_release(&bytes);
        buf_release(&plain);
        buf_release(&later);
    }
    is_int(odd, 0, "damaged values are values or errors, and end where they end");
}

/* ---- encodings of earlier versions ----------------------------------------------------------- */

struct old {
    const char *what;
    unsigned type;
    const char *bytes;
    size_t len;
    const char *digest_of; /* a value of the same type as it is written now */
    size_t digest_len;
};

#define OLD(what, type, bytes, now)                                                                \
    {                                                                                              \
        what, type, bytes, sizeof(bytes) - 1, now, sizeof(now) - 1                                 \
    }

/* Each beside what means the same: a list, set, hash or sorted set of strings. */
static const struct old olds[] = {
    OLD("a list as a ziplist", RDB_LIST_ZIPLIST,
        "\x12\x12\0\0\0\x0d\0\0\0\x02\0\0\xfe\x7f\x03\x02xy\xff",
        "\x02\x03"
        "127\x02"
        "xy"),
    OLD("a list of ziplists", RDB_LIST_QUICKLIST,
        "\x01\x12\x12\0\0\0\x0d\0\0\0\x02\0\0\xfe\x7f\x03\x02xy\xff",
        "\x02\x03"
        "127\x02"
        "xy"),
    OLD("a hash as a ziplist", RDB_HASH_ZIPLIST,
        "\x11\x11\0\0\0\x0d\0\0\0\x02\0\0\x01"
        "f\x03\x01"
        "v\xff",
        "\x01\x01"
        "f\x01"
        "v"),
    OLD("a hash as a zipmap", RDB_HASH_ZIPMAP,
        "\x08\x01\x01"
        "f\x01\x01v_\xff",
        "\x01\x01"
        "f\x01"
        "v"),
    OLD("a set as a listpack", RDB_SET_LISTPACK,
        "\x0c\x0c\0\0\0\x02\0\x81"
        "a\x02\x05\x01\xff",
        "\x02\x01"
        "a\x01"
        "5"),
    OLD("a sorted set with scores as texts", RDB_ZSET,
        "\x01\x01m\x03"
        "1.5",
        "\x01\x01m\0\0\0\0\0\0\xf8\x3f"),
    OLD("a sorted set as a ziplist", RDB_ZSET_ZIPLIST,
        "\x13\x13\0\0\0\x0d\0\0\0\x02\0\0\x01m\x03\x03"
        "1.5\xff",
        "\x01\x01m\0\0\0\0\0\0\xf8\x3f"),
};

static struct entry *value_of(unsigned type, const char *bytes, size_t len)
{
    struct rdb_in in = rdb_in_bytes(slice_make(bytes, len)), other = in;
    struct entry *e = rdb_get_value(&in, type, SLICE("key"), EXPIRY_NONE, &limits);

    if (e && (in.at != in.end || !rdb_skip_value(&other, type) || other.at != other.end)) {
        entry_free(e);
        e = NULL;
    }
    if (!e)
        diag("%s", in.what ? in.what : "not all of it is read");
    rdb_in_release(&in);
    return e;
}

static unsigned plain_type(enum type type)
{
    return type == TYPE_LIST   ? RDB_LIST
           : type == TYPE_SET  ? RDB_SET
           : type == TYPE_HASH ? RDB_HASH
                               : RDB_ZSET_2;
}

static void test_olds(void)
{
    for (size_t i = 0; i < COUNT_OF(olds); i++) {
        const struct old *o = &olds[i];
        struct entry *e = value_of(o->type, o->bytes, o->len);
        struct entry *now = e ? value_of(plain_type(e->type), o->digest_of, o->digest_len) : NULL;
        struct digest a = {{0}}, b = {{0}};

        if (e && now) {
            a = value_digest(e);
            b = value_digest(now);
        }
        ok(e && now && memcmp(&a, &b, sizeof(a)) == 0, "%s", o->what);
        if (now)
            entry_free(now);
        if (e)
            entry_free(e);
    }
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    test_crc();
    test_lzf();
    test_values();
    test_damage();
    test_olds();
    return tap_done();
}
