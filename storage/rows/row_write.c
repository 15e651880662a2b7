/* Rows that are written, see rows.h. */
#include "storage/rows/rows.h"

#include "storage/rows/text.h"
#include "storage/string.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- keys ------------------------------------------------------------------------------------ */

static bool has_prefix(struct slice s)
{
    static const size_t len = sizeof(ROW_KEY_PREFIX) - 1;

    return s.len >= len && memcmp(s.ptr, ROW_KEY_PREFIX, len) == 0;
}

bool row_key_is_plain(struct slice key)
{
    return !has_prefix(key) && text_is_valid(key);
}

void row_put_key(struct buf *out, struct slice key)
{
    if (row_key_is_plain(key)) {
        buf_append_slice(out, key);
        return;
    }
    buf_append_str(out, ROW_KEY_PREFIX);
    text_put_base64(out, key);
}

bool row_get_key(struct slice text, struct buf *out)
{
    static const size_t len = sizeof(ROW_KEY_PREFIX) - 1;

    if (has_prefix(text))
        return text_get_base64(slice_make(text.ptr + len, text.len - len), out);
    buf_append_slice(out, text);
    return true;
}

/* ---- what strings are written as ------------------------------------------------------------- */

/* Goes over a value once to find a string that is no text, and once more to write it. */
struct writing {
    struct buf *out;
    bool checks; /* the first time */
    bool encodes;
    bool any;
};

static void put_string(struct writing *w, struct slice s)
{
    if (w->checks) {
        w->encodes = w->encodes || !text_is_valid(s);
        return;
    }
    if (!w->encodes) {
        text_put_json(w->out, s);
        return;
    }
    buf_append_char(w->out, '"');
    text_put_base64(w->out, s);
    buf_append_char(w->out, '"');
}

static void put_sign(const struct writing *w, char sign)
{
    if (!w->checks)
        buf_append_char(w->out, sign);
}

static void next_item(struct writing *w)
{
    if (w->any)
        put_sign(w, ',');
    w->any = true;
}

/* As few digits as tell it from all others. */
static void put_score(const struct writing *w, double score)
{
    char text[32];
    int digits = 15;

    if (w->checks)
        return;
    if (isinf(score)) {
        buf_append_str(w->out, score > 0 ? "\"inf\"" : "\"-inf\"");
        return;
    }
    do
        snprintf(text, sizeof(text), "%.*g", digits, score);
    while (digits++ < 17 && strtod(text, NULL) != score);
    buf_append_str(w->out, text);
}

/* ---- the types ------------------------------------------------------------------------------- */

static void put_hash(struct writing *w, const struct entry *e)
{
    struct hash_walk walk = hash_walk(e);
    struct hash_item item;

    put_sign(w, '{');
    while (hash_walk_next(&walk, &item) && !(w->checks && w->encodes)) {
        next_item(w);
        put_string(w, item.name);
        put_sign(w, ':');
        put_string(w, item.value);
    }
    put_sign(w, '}');
}

static void put_list(struct writing *w, const struct entry *e)
{
    char digits[NUM_INT_MAX];
    struct list_walk walk;
    const char *at;

    put_sign(w, '[');
    lists_walk(&walk, e, 0, false);
    while ((at = lists_walk_next(&walk)) && !(w->checks && w->encodes)) {
        next_item(w);
        put_string(w, pack_text(at, digits));
    }
    put_sign(w, ']');
}

static void put_set(struct writing *w, const struct entry *e)
{
    struct set_walk walk = set_walk(e);
    char digits[NUM_INT_MAX];
    struct set_member m;

    put_sign(w, '[');
    while (set_walk_next(&walk, &m) && !(w->checks && w->encodes)) {
        next_item(w);
        put_string(w, set_member_text(&m, digits));
    }
    put_sign(w, ']');
}

static void put_zset(struct writing *w, const struct entry *e)
{
    struct zset_iter it;

    put_sign(w, '{');
    zset_iter_begin(&it, e, 0, false);
    while (zset_iter_next(&it) && !(w->checks && w->encodes)) {
        next_item(w);
        put_string(w, it.member);
        put_sign(w, ':');
        put_score(w, it.score);
    }
    put_sign(w, '}');
}

static void put_times(struct writing *w, const struct entry *e)
{
    struct hash_walk walk = hash_walk(e);
    struct hash_item item;

    w->any = false;
    while (hash_walk_next(&walk, &item)) {
        if (item.time == EXPIRY_NONE)
            continue;
        put_sign(w, w->any ? ',' : '{');
        w->any = true;
        put_string(w, item.name);
        buf_printf(w->out, ":%lld", (long long)item.time);
    }
    if (w->any)
        put_sign(w, '}');
}

static const struct form_of_type {
    struct slice name, encoded;
    void (*put)(struct writing *w, const struct entry *e);
} forms[] = {
    [TYPE_LIST] = {{"list", 4}, {"list:base64", 11}, put_list},
    [TYPE_SET] = {{"set", 3}, {"set:base64", 10}, put_set},
    [TYPE_ZSET] = {{"zset", 4}, {"zset:base64", 11}, put_zset},
    [TYPE_HASH] = {{"hash", 4}, {"hash:base64", 11}, put_hash},
};

/* ---- entries --------------------------------------------------------------------------------- */

static struct row_text put_plain(struct buf *out, const struct entry *e)
{
    char digits[NUM_INT_MAX];
    struct slice s = string_value(e, digits);
    size_t from = out->len;

    if (text_is_valid(s)) {
        buf_append_slice(out, s);
        return (struct row_text){.value_len = s.len};
    }
    text_put_base64(out, s);
    return (struct row_text){SLICE("string:base64"), out->len - from, 0};
}

struct row_text row_put_entry(struct buf *out, const struct entry *e)
{
    struct writing w = {.out = out, .checks = true};
    const struct form_of_type *form;
    struct row_text text;
    size_t from = out->len;

    if (e->type == TYPE_STRING)
        return put_plain(out, e);
    form = &forms[e->type];
    form->put(&w, e);
    w.checks = w.any = false;
    form->put(&w, e);
    text = (struct row_text){w.encodes ? form->encoded : form->name, out->len - from, 0};
    if (entry_has_timed_parts(e)) {
        from = out->len;
        put_times(&w, e);
        text.more_len = out->len - from;
    }
    return text;
}
