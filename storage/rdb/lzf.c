/* LZF, see lzf.h. */
#include "storage/rdb/lzf.h"

#include "base/compiler.h"

enum {
    HASH_BITS = 13,
    HASH_BITS_FEW = 8, /* of few bytes: clearing a table takes longer than they do */
    FEW_BYTES = 256,
    RUN_MAX = 32,
    NEAR = 1 << 13,
    MATCH_MIN = 3,
    MATCH_MAX = 264,
    SHORT_MATCH = 8, /* bytes of the longest match that needs no byte of its own for its length */
};

/* What is being written. */
struct lzf_out {
    unsigned char *at, *end;
    unsigned char *run; /* where the length of the run in hand belongs; NULL for none */
};

static uint32_t triple(const unsigned char *at)
{
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static unsigned slot_of(uint32_t three, unsigned bits)
{
    return three * 2654435761u >> (32 - bits);
}

static bool put_plain(struct lzf_out *o, unsigned char byte)
{
    if (!o->run || *o->run == RUN_MAX - 1) {
        if (o->end - o->at < 2)
            return false;
        o->run = o->at++;
        *o->run = 0;
    } else {
        if (o->at == o->end)
            return false;
        ++*o->run;
    }
    *o->at++ = byte;
    return true;
}

static bool put_match(struct lzf_out *o, size_t back, size_t len)
{
    unsigned high = (unsigned)(back - 1) >> 8;

    if (o->end - o->at < 3)
        return false;
    if (len <= SHORT_MATCH) {
        *o->at++ = (unsigned char)((len - 2) << 5 | high);
    } else {
        *o->at++ = (unsigned char)(7u << 5 | high);
        *o->at++ = (unsigned char)(len - SHORT_MATCH - 1);
    }
    *o->at++ = (unsigned char)(back - 1);
    o->run = NULL;
    return true;
}

static size_t match_len(const unsigned char *a, const unsigned char *b, const unsigned char *end)
{
    size_t most = (size_t)(end - b) < MATCH_MAX ? (size_t)(end - b) : MATCH_MAX, n = MATCH_MIN;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

size_t lzf_compress(struct slice in, char *out, size_t room)
{
    const unsigned char *base = (const unsigned char *)in.ptr, *at = base, *end = base + in.len;
    struct lzf_out o = {(unsigned char *)out, (unsigned char *)out + room, NULL};
    uint32_t places[1 << HASH_BITS]; /* of what was seen last with this hash, plus one */
    unsigned bits = in.len <= FEW_BYTES ? HASH_BITS_FEW : HASH_BITS;

    memset(places, 0, sizeof(*places) << bits);
    while (at < end) {
        const unsigned char *was = NULL;
        size_t len;

        if (end - at >= MATCH_MIN) {
            uint32_t *place = &places[slot_of(triple(at), bits)];

            was = *place ? base + *place - 1 : NULL;
            *place = (uint32_t)(at - base) + 1;
        }
        if (!was || at - was > NEAR || triple(was) != triple(at)) {
            if (!put_plain(&o, *at++))
                return 0;
            continue;
        }
        len = match_len(was, at, end);
        if (!put_match(&o, (size_t)(at - was), len))
            return 0;
        at += len;
    }
    return (size_t)(o.at - (unsigned char *)out);
}

/* Byte by byte where what is copied is still being written. */
static void copy_back(unsigned char *to, size_t back, size_t len)
{
    const unsigned char *from = to - back;

    if (back >= len) {
        memcpy(to, from, len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        to[i] = from[i];
}

bool lzf_decompress(struct slice in, char *out, size_t len)
{
    const unsigned char *at = (const unsigned char *)in.ptr, *end = at + in.len;
    unsigned char *to = (unsigned char *)out, *to_end = to + len;

    while (at < end) {
        size_t head = *at++, n = head >> 5, back;

        if (head < RUN_MAX) {
            n = head + 1;
            if ((size_t)(end - at) < n || (size_t)(to_end - to) < n)
                return false;
            memcpy(to, at, n);
            at += n;
            to += n;
            continue;
        }
        if (end - at < (n == 7 ? 2 : 1))
            return false;
        n += n == 7 ? *at++ + 2u : 2;
        back = ((head & 31) << 8 | *at++) + 1;
        if (back > (size_t)(to - (unsigned char *)out) || (size_t)(to_end - to) < n)
            return false;
        copy_back(to, back, n);
        to += n;
    }
    return to == to_end;
}
