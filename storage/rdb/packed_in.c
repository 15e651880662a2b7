/* Packed collections, see packed_in.h. */
#include "storage/rdb/packed_in.h"

#include <endian.h>

enum { END = 0xff, LISTPACK_HEADER = 6, ZIPLIST_HEADER = 10, ZIPMAP_HEADER = 1, ZIPMAP_LONG = 254 };

static bool bad(struct packed_in *p)
{
    p->bad = true;
    return false;
}

/* Whether there are so many bytes in front of the mark of the end. */
static bool has(const struct packed_in *p, uint64_t n)
{
    return (uint64_t)(p->end - p->at) >= n;
}

struct packed_in packed_in(enum packed_form form, struct slice bytes)
{
    static const size_t headers[] = {LISTPACK_HEADER, ZIPLIST_HEADER, ZIPMAP_HEADER};
    struct packed_in p = {.form = form};
    uint32_t len = (uint32_t)bytes.len;

    p.bad = bytes.len < headers[form] + 1 || (unsigned char)bytes.ptr[bytes.len - 1] != END;
    if (!p.bad && form != PACKED_ZIPMAP) {
        memcpy(&len, bytes.ptr, sizeof(len));
        p.bad = len != bytes.len;
    }
    if (!p.bad) {
        p.at = (const unsigned char *)bytes.ptr + headers[form];
        p.end = (const unsigned char *)bytes.ptr + bytes.len - 1;
    }
    return p;
}

static bool take_number(struct packed_in *p, struct packed_item *item, size_t bytes)
{
    uint64_t n = 0;
    unsigned unused = 64 - 8 * (unsigned)bytes;

    if (!has(p, bytes))
        return bad(p);
    memcpy(&n, p->at, bytes);
    p->at += bytes;
    item->is_number = true;
    item->number = (int64_t)(n << unused) >> unused;
    return true;
}

static bool take_text(struct packed_in *p, struct packed_item *item, uint64_t len)
{
    if (!has(p, len))
        return bad(p);
    item->text = slice_make((const char *)p->at, len);
    p->at += len;
    return true;
}

/* ---- listpacks ------------------------------------------------------------------------------- */

static bool listpack_long(struct packed_in *p, struct packed_item *item, unsigned head)
{
    static const unsigned char widths[] = {2, 3, 4, 8};
    uint32_t len;

    if (head >= 0xf1 && head <= 0xf4)
        return take_number(p, item, widths[head - 0xf1]);
    if (head != 0xf0 || !has(p, sizeof(len)))
        return bad(p);
    memcpy(&len, p->at, sizeof(len));
    p->at += sizeof(len);
    return take_text(p, item, len);
}

static bool listpack_item(struct packed_in *p, struct packed_item *item)
{
    unsigned head = *p->at++;

    if (head < 0x80) {
        item->is_number = true;
        item->number = head;
        return true;
    }
    if (head < 0xc0)
        return take_text(p, item, head & 0x3f);
    if (head >= 0xf0)
        return listpack_long(p, item, head);
    if (!has(p, 1))
        return bad(p);
    if (head >= 0xe0)
        return take_text(p, item, (head & 0xf) << 8 | *p->at++);
    item->is_number = true;
    item->number = (int64_t)((head & 0x1f) << 8 | *p->at++);
    item->number -= item->number >= 1 << 12 ? 1 << 13 : 0;
    return true;
}

/* Behind an element of `size` bytes stands that size, to be read backwards. */
static bool listpack_back(struct packed_in *p, uint64_t size)
{
    static const uint64_t bounds[] = {127, 16382, 2097150, 268435454};
    size_t n = 1;
    uint64_t is = 0;

    while (n < 5 && size > bounds[n - 1])
        n++;
    if (!has(p, n))
        return bad(p);
    for (size_t i = 0; i < n; i++)
        is = is << 7 | (p->at[i] & 127);
    p->at += n;
    return is == size || bad(p);
}

static bool listpack_next(struct packed_in *p, struct packed_item *item)
{
    const unsigned char *from = p->at;

    return listpack_item(p, item) && listpack_back(p, (uint64_t)(p->at - from));
}

/* ---- ziplists -------------------------------------------------------------------------------- */

static bool ziplist_text(struct packed_in *p, struct packed_item *item, unsigned head)
{
    uint32_t len;

    if (head < 0x40)
        return take_text(p, item, head);
    if (head < 0x80) {
        if (!has(p, 1))
            return bad(p);
        return take_text(p, item, (head & 0x3f) << 8 | *p->at++);
    }
    if (!has(p, sizeof(len)))
        return bad(p);
    memcpy(&len, p->at, sizeof(len));
    p->at += sizeof(len);
    return take_text(p, item, be32toh(len));
}

static bool ziplist_next(struct packed_in *p, struct packed_item *item)
{
    size_t before = *p->at == ZIPMAP_LONG ? 5 : 1; /* the size of the element in front of it */
    unsigned head;

    if (!has(p, before + 1))
        return bad(p);
    p->at += before;
    head = *p->at++;
    if (head < 0xc0)
        return ziplist_text(p, item, head);
    switch (head) {
    case 0xc0:
        return take_number(p, item, 2);
    case 0xd0:
        return take_number(p, item, 4);
    case 0xe0:
        return take_number(p, item, 8);
    case 0xf0:
        return take_number(p, item, 3);
    case 0xfe:
        return take_number(p, item, 1);
    default:
        break;
    }
    if (head < 0xf1 || head > 0xfd)
        return bad(p);
    item->is_number = true;
    item->number = (int64_t)head - 0xf1;
    return true;
}

/* ---- zipmaps --------------------------------------------------------------------------------- */

/* A name, or a value, which has some bytes behind it that are not used. */
static bool zipmap_next(struct packed_in *p, struct packed_item *item)
{
    uint32_t len = *p->at++;
    unsigned unused = 0;

    if (len == END)
        return bad(p);
    if (len == ZIPMAP_LONG) {
        if (!has(p, sizeof(len)))
            return bad(p);
        memcpy(&len, p->at, sizeof(len));
        p->at += sizeof(len);
    }
    if (p->is_value) {
        if (!has(p, 1))
            return bad(p);
        unused = *p->at++;
    }
    if (!take_text(p, item, len) || !has(p, unused))
        return bad(p);
    p->at += unused;
    p->is_value = !p->is_value;
    return true;
}

bool packed_in_next(struct packed_in *p, struct packed_item *item)
{
    *item = (struct packed_item){0};
    if (p->bad || p->at == p->end)
        return false;
    switch (p->form) {
    case PACKED_LISTPACK:
        return listpack_next(p, item);
    case PACKED_ZIPLIST:
        return ziplist_next(p, item);
    default:
        return zipmap_next(p, item);
    }
}
