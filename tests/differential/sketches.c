/*
 * See sketches.h. Not drawn: a sparse value that ends within a run. Redis goes beyond its end when
 * it changes one, and Latchkey calls it corrupt.
 */
#include "tests/differential/sketches.h"

#include "base/rng.h"
#include "storage/hll.h"

static struct buf made;

static void put_header(char encoding)
{
    static const char tail[3] = {0};
    uint64_t cardinality = rng_below(3) == 0 ? rng_next() : rng_below(1000);

    buf_append_str(&made, "HYLL");
    buf_append_char(&made, encoding);
    buf_append(&made, rng_below(4) == 0 ? "abc" : tail, sizeof(tail));
    if (rng_below(2) == 0)
        cardinality |= (uint64_t)1 << 63;
    buf_append(&made, &cardinality, sizeof(cardinality));
}

static void draw_dense(void)
{
    /* Values as they come about, or any. */
    uint64_t mask = rng_below(2) == 0 ? UINT64_MAX : 0x104104104104;

    for (size_t i = HLL_HEADER; i < HLL_DENSE_LEN; i += 6) {
        uint64_t word = rng_next() & rng_next() & mask;

        buf_append(&made, &word, 6);
    }
}

/* One run of at most `most` registers; returns their number. */
static unsigned draw_run(unsigned most, unsigned kind)
{
    unsigned limit = kind == 0 ? 16384 : kind == 1 ? 64 : 4, len, value;

    len = 1 + (unsigned)rng_below(limit < most ? limit : most);
    if (kind == 0) {
        len = rng_below(3) != 0 && len > 200 ? 200 : len;
        buf_append_char(&made, (char)(0x40 | (len - 1) >> 8));
        buf_append_char(&made, (char)((len - 1) & 0xff));
    } else if (kind == 1) {
        buf_append_char(&made, (char)(len - 1));
    } else {
        value = (unsigned)rng_below(rng_below(3) == 0 ? 32 : 4);
        buf_append_char(&made, (char)(0x80 | value << 2 | (len - 1)));
    }
    return len;
}

static void draw_sparse(void)
{
    unsigned left = HLL_REGISTERS, kinds = rng_below(2) == 0 ? 3 : 6;
    bool broken = rng_below(8) == 0;

    while (left > 0) {
        left -= draw_run(left, (unsigned)rng_below(kinds));
        if (broken && rng_below(40) == 0)
            break;
    }
    if (broken && left == 0)
        draw_run(4, 1 + (unsigned)rng_below(2));
}

struct slice sketch_draw(void)
{
    uint64_t way = rng_below(20);

    made.len = 0;
    put_header(way < 4 ? 0 : way == 4 ? 2 : 1);
    if (way < 4)
        draw_dense();
    else
        draw_sparse();
    if (way == 0)
        made.len -= 1 + rng_below(30);
    else if (way == 5)
        made.len = 10 + rng_below(7);
    else if (way == 6)
        made.ptr[rng_below(4)] = 'x';
    return buf_slice(&made);
}
