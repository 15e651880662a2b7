/*
 * Any bytes as a row: nothing is read beyond them, what comes of them is a value, nothing or an
 * error; what is a value can be written and read again, and is the same then.
 *
 * The first byte is the type, the second how many bytes are those of the times of fields.
 */
#include "base/mem.h"
#include "storage/hash.h"
#include "storage/rows/rows.h"
#include "storage/value_types.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rdb_limits limits = {
    .hash = {16, 64}, .list = {256, 1 << 15}, .zset = {16, 64}, .intset = 16};

static void again(const struct entry *e)
{
    struct buf out = {0};
    struct row_text text = row_put_entry(&out, e);
    struct row_in row = {.value = slice_make(out.ptr ? out.ptr : "", text.value_len),
                         .type = text.type,
                         .more = slice_make(out.ptr ? out.ptr + text.value_len : "", text.more_len),
                         .expiry = EXPIRY_NONE};
    struct digest was = value_digest(e), is;
    struct entry *back;
    const char *why;

    if (!row_get_entry(&row, SLICE("key"), &limits, &back, &why) || !back)
        abort();
    is = value_digest(back);
    if (memcmp(&was, &is, sizeof(is)) != 0)
        abort();
    entry_free(back);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"",     "string:base64", "hash", "hash:base64",
                                        "list", "list:base64",   "set",  "set:base64",
                                        "zset", "zset:base64"};
    static bool begun;
    struct row_in row = {.expiry = EXPIRY_NONE};
    struct entry *e;
    const char *why;
    char *bytes;
    size_t more;

    if (size < 2)
        return 0;
    if (!begun)
        hash_init(1);
    begun = true;
    bytes = mem_alloc(size);
    memcpy(bytes, data + 2, size - 2);
    more = data[1] < size - 2 ? data[1] : size - 2;
    row.type = slice_str(types[data[0] % COUNT_OF(types)]);
    row.more = slice_make(bytes, more);
    row.value = slice_make(bytes + more, size - 2 - more);
    if (row_get_entry(&row, SLICE("key"), &limits, &e, &why) && e) {
        again(e);
        entry_free(e);
    }
    mem_free(bytes);
    return 0;
}
