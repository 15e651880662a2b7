/* See verdict.h. */
#include "tests/differential/verdict.h"

#include <stdlib.h>

#include "tests/differential/reply_tree.h"

/* The servers get the same command some time apart, more on a busy machine. */
enum { APART_S = 20 };

/* ---- multisets ---- */

static void append_sorted(struct buf *out, const struct reply *r);

static int by_content(const void *a, const void *b)
{
    return slice_cmp(buf_slice(a), buf_slice(b));
}

static void append_items(struct buf *out, const struct reply *r)
{
    struct buf *parts = calloc(r->count, sizeof(*parts));

    for (size_t i = 0; i < r->count; i++)
        append_sorted(&parts[i], &r->items[i]);
    qsort(parts, r->count, sizeof(*parts), by_content);
    for (size_t i = 0; i < r->count; i++) {
        buf_append_slice(out, buf_slice(&parts[i]));
        buf_release(&parts[i]);
    }
    free(parts);
}

static void append_sorted(struct buf *out, const struct reply *r)
{
    buf_append_char(out, r->type);
    if (r->count > 0) {
        buf_printf(out, "%zu\r\n", r->count);
        append_items(out, r);
    } else {
        buf_append_slice(out, r->text);
        buf_append_str(out, "\r\n");
    }
}

void reply_append_sorted(struct buf *out, struct slice reply)
{
    struct reply *r = reply_parse(reply);

    append_sorted(out, r);
    reply_free(r);
}

static bool same_sorted(struct slice a, struct slice b)
{
    struct buf left = {0}, right = {0};
    bool same;

    reply_append_sorted(&left, a);
    reply_append_sorted(&right, b);
    same = slice_eq(buf_slice(&left), buf_slice(&right));
    buf_release(&left);
    buf_release(&right);
    return same;
}

static struct buf sorted_pair(const struct reply *r, size_t first)
{
    struct buf out = {0};

    append_sorted(&out, &r->items[first]);
    append_sorted(&out, &r->items[first + 1]);
    return out;
}

static bool same_pairs(struct slice a, struct slice b)
{
    struct reply *left = reply_parse(a), *right = reply_parse(b);
    bool same = left->type == right->type && left->count == right->count && left->count % 2 == 0;
    size_t pairs = left->count / 2;
    struct buf *of_left = calloc(pairs + 1, sizeof(struct buf));
    struct buf *of_right = calloc(pairs + 1, sizeof(struct buf));

    for (size_t i = 0; same && i < pairs; i++) {
        of_left[i] = sorted_pair(left, i * 2);
        of_right[i] = sorted_pair(right, i * 2);
    }
    qsort(of_left, pairs, sizeof(struct buf), by_content);
    qsort(of_right, pairs, sizeof(struct buf), by_content);
    for (size_t i = 0; i < pairs; i++) {
        same = same && slice_eq(buf_slice(&of_left[i]), buf_slice(&of_right[i]));
        buf_release(&of_left[i]);
        buf_release(&of_right[i]);
    }
    free(of_left);
    free(of_right);
    reply_free(left);
    reply_free(right);
    return same;
}

/* ---- times and shapes ---- */

static bool near(struct slice a, struct slice b, long long apart)
{
    long long left, right;

    if (a.ptr[0] != ':' || b.ptr[0] != ':')
        return false;
    left = strtoll(a.ptr + 1, NULL, 10);
    right = strtoll(b.ptr + 1, NULL, 10);
    if (left < 0 || right < 0)
        return left == right;
    return llabs(left - right) <= apart;
}

static bool same_tree_shape(const struct reply *a, const struct reply *b)
{
    if (a->type != b->type || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!same_tree_shape(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static bool same_shape(struct slice a, struct slice b)
{
    struct reply *left = reply_parse(a), *right = reply_parse(b);
    bool same = same_tree_shape(left, right);

    reply_free(left);
    reply_free(right);
    return same;
}

bool replies_alike(enum comparison how, struct slice a, struct slice b)
{
    if (slice_eq(a, b))
        return true;
    if (a.len == 0 || b.len == 0 || reply_is_error(a) || reply_is_error(b))
        return false;
    switch (how) {
    case EXACT:
        return false;
    case ORDERLESS:
        return same_sorted(a, b);
    case PAIRS:
        return same_pairs(a, b);
    case SECONDS:
        return near(a, b, APART_S);
    case MILLIS:
        return near(a, b, APART_S * 1000LL);
    case SHAPE:
        return same_shape(a, b);
    case ONE_KEY:
    case ITERATION:
        return a.ptr[0] == b.ptr[0]; /* followed up where the connections are */
    }
    return false;
}
