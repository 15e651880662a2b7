/*
 * Any bytes as a value of a snapshot: nothing is read beyond them, what comes of them is a value or
 * an error; what is a value can be written and read again, and is the same then.
 *
 * The first byte is the type. Every value is copied to the byte, so that the address sanitizer sees
 * a read beyond it.
 */
#include "base/mem.h"
#include "storage/rdb/rdb_decode.h"
#include "storage/rdb/rdb_encode.h"
#include "storage/rdb/rdb_out.h"
#include "storage/value_types.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rdb_limits limits = {
    .hash = {16, 64}, .list = {256, 1 << 15}, .zset = {16, 64}, .intset = 16};

static void expect(bool what)
{
    if (!what)
        abort();
}

static void again(const struct entry *e)
{
    struct buf plain = {0}, later = {0}, out = {0};
    const struct rdb_encoding how = {.later = &later, .field_times = true};
    struct digest was = value_digest(e), is;
    struct entry *back;
    struct rdb_in in;

    rdb_put_value(&plain, e, &how);
    rdb_squeeze(&out, buf_slice(&plain), &later);
    in = rdb_in_bytes(buf_slice(&out));
    back = rdb_get_value(&in, rdb_type_of(e, &how), SLICE("key"), EXPIRY_NONE, &limits);
    expect(back != NULL && in.at == in.end);
    is = value_digest(back);
    expect(memcmp(&was, &is, sizeof(is)) == 0);
    entry_free(back);
    rdb_in_release(&in);
    buf_release(&out);
    buf_release(&plain);
    buf_release(&later);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rdb_in in, other;
    struct entry *e;
    char *bytes;

    if (!size)
        return 0;
    bytes = mem_alloc(size);
    memcpy(bytes, data + 1, size - 1);
    in = other = rdb_in_bytes(slice_make(bytes, size - 1));
    e = rdb_get_value(&in, data[0], SLICE("key"), EXPIRY_NONE, &limits);
    expect((e != NULL) == (in.status == RDB_OK));
    if (e) {
        expect(rdb_skip_value(&other, data[0]) && other.at == in.at);
        again(e);
        entry_free(e);
    }
    rdb_in_release(&in);
    mem_free(bytes);
    return 0;
}
