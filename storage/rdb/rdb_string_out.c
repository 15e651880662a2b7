/* Long strings as they are written, see rdb_string_out.h. */
#include "storage/rdb/rdb_string_out.h"

#include "base/mem.h"
#include "storage/rdb/lzf.h"
#include "storage/rdb/rdb_out.h"

#include <errno.h>

enum {
    PACKED_MAX = 8 << 20, /* bytes of the result that are kept in memory */
    TRIED = 4,            /* pieces that show whether it is worth it */
};

struct sizes {
    uint32_t plain, packed;
};

/* It goes as it is from now on. */
static void write_plain(struct rdb_string_out *o)
{
    struct buf head = {0};
    char *bytes = NULL;
    size_t at = 0;

    o->plain = true;
    rdb_put_len(&head, o->len);
    rdb_writer_bytes(o->writer, buf_slice(&head));
    buf_release(&head);
    for (size_t i = 0; i < o->sizes.len / sizeof(struct sizes); i++) {
        struct sizes n;

        memcpy(&n, o->sizes.ptr + i * sizeof(n), sizeof(n));
        bytes = bytes ? bytes : mem_alloc(n.plain);
        if (!lzf_decompress(slice_make(o->packed.ptr + at, n.packed), bytes, n.plain))
            o->writer->status = -EIO;
        rdb_writer_bytes(o->writer, slice_make(bytes, n.plain));
        at += n.packed;
    }
    mem_free(bytes);
    buf_release(&o->packed);
    buf_release(&o->sizes);
}

void rdb_string_begin(struct rdb_string_out *o, struct rdb_writer *w, size_t len, bool compress)
{
    *o = (struct rdb_string_out){.writer = w, .len = len};
    if (!compress || len > UINT32_MAX / 2)
        write_plain(o);
}

/* It does not become much smaller, or is too much. */
static bool in_vain(const struct rdb_string_out *o)
{
    return o->packed.len > PACKED_MAX ||
           (o->sizes.len == TRIED * sizeof(struct sizes) && o->packed.len > o->taken / 16 * 15);
}

void rdb_string_put(struct rdb_string_out *o, struct slice piece)
{
    size_t room = lzf_room(piece.len);
    struct sizes n = {(uint32_t)piece.len, 0};

    o->taken += piece.len;
    if (o->plain) {
        rdb_writer_bytes(o->writer, piece);
        return;
    }
    n.packed = (uint32_t)lzf_compress(piece, buf_reserve(&o->packed, room), room);
    o->packed.len += n.packed;
    buf_append(&o->sizes, &n, sizeof(n));
    if (in_vain(o))
        write_plain(o);
}

void rdb_string_end(struct rdb_string_out *o)
{
    struct buf head = {0};

    if (!o->plain && o->taken == o->len && o->packed.len >= o->len) {
        write_plain(o);
    } else if (!o->plain && o->taken == o->len) {
        rdb_put_packed_head(&head, o->packed.len, o->len);
        rdb_writer_bytes(o->writer, buf_slice(&head));
        rdb_writer_bytes(o->writer, buf_slice(&o->packed));
        buf_release(&head);
    }
    buf_release(&o->packed);
    buf_release(&o->sizes);
}
