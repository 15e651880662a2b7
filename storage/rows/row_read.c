/* Rows that are read, see rows.h. Nothing in them is believed. */
#include "storage/rows/rows.h"

#include "storage/rows/text.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"

#include <json-c/json.h>
#include <math.h>

enum { DEPTH_MAX = 8, LIST_CHUNK = 64 };

struct reading {
    const struct row_in *row;
    struct slice key;
    const struct rdb_limits *limits;
    bool encoded;
    struct buf bytes; /* of strings that are decoded */
    struct json_object *json, *more;
    const char *why;
};

static bool wrong(struct reading *r, const char *why)
{
    r->why = why;
    return false;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool only_blanks(struct slice s, size_t from)
{
    while (from < s.len && is_blank(s.ptr[from]))
        from++;
    return from == s.len;
}

static struct json_object *parse(struct slice text)
{
    struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
    struct json_object *o = NULL;

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (text.len <= INT32_MAX)
        o = json_tokener_parse_ex(tok, text.ptr, (int)text.len);
    if (o && !only_blanks(text, json_tokener_get_parse_end(tok))) {
        json_object_put(o);
        o = NULL;
    }
    json_tokener_free(tok);
    return o;
}

static bool parse_as(struct reading *r, enum json_type type, const char *why)
{
    r->json = parse(r->row->value);
    return json_object_is_type(r->json, type) || wrong(r, why);
}

/* What stands for a string; the bytes are decoded to the end of r->bytes. */
static bool decode(struct reading *r, struct slice text, size_t *at, size_t *len)
{
    *at = r->bytes.len;
    if (r->encoded) {
        if (!text_get_base64(text, &r->bytes))
            return wrong(r, "a string in it is no base64");
    } else {
        buf_append_slice(&r->bytes, text);
    }
    *len = r->bytes.len - *at;
    return true;
}

static bool get_string(struct reading *r, struct json_object *o, size_t *at, size_t *len)
{
    switch (json_object_get_type(o)) {
    case json_type_string:
        return decode(r,
                      slice_make(json_object_get_string(o), (size_t)json_object_get_string_len(o)),
                      at, len);
    case json_type_boolean:
    case json_type_int:
    case json_type_double:
        if (r->encoded)
            break;
        return decode(r, slice_str(json_object_get_string(o)), at, len);
    default:
        break;
    }
    return wrong(r, "something in it is no string");
}

static struct slice bytes_at(const struct reading *r, size_t at, size_t len)
{
    return slice_make(r->bytes.ptr ? r->bytes.ptr + at : "", len);
}

/* ---- hashes ---------------------------------------------------------------------------------- */

static int64_t time_of(const struct reading *r, const char *name)
{
    struct json_object *o;

    if (!r->more || !json_object_object_get_ex(r->more, name, &o) ||
        !json_object_is_type(o, json_type_int))
        return EXPIRY_NONE;
    return json_object_get_int64(o);
}

static bool get_hash(struct reading *r, struct entry **out)
{
    if (!parse_as(r, json_type_object, "it is no JSON object"))
        return false;
    r->more = r->row->more.len ? parse(r->row->more) : NULL;
    if (r->more && !json_object_is_type(r->more, json_type_object))
        return wrong(r, "the times of its fields are no JSON object");
    *out = hash_new(r->key);
    json_object_object_foreach(r->json, name, value)
    {
        size_t at[2], len[2];

        r->bytes.len = 0;
        if (!decode(r, slice_str(name), &at[0], &len[0]) || !get_string(r, value, &at[1], &len[1]))
            return false;
        hash_set(out, bytes_at(r, at[0], len[0]), bytes_at(r, at[1], len[1]), time_of(r, name),
                 &r->limits->hash);
    }
    return true;
}

/* ---- lists and sets -------------------------------------------------------------------------- */

static void push(struct reading *r, struct entry **list, size_t *at, size_t *len, size_t n)
{
    struct slice values[LIST_CHUNK];

    for (size_t i = 0; i < n; i++)
        values[i] = bytes_at(r, at[i], len[i]);
    if (!*list && n)
        *list = lists_new(r->key, LIST_TAIL, values, n, r->limits->list);
    else if (n)
        lists_push(list, LIST_TAIL, values, n, r->limits->list);
    r->bytes.len = 0;
}

static bool get_list(struct reading *r, struct entry **out)
{
    size_t at[LIST_CHUNK], len[LIST_CHUNK], n = 0, count;

    if (!parse_as(r, json_type_array, "it is no JSON array"))
        return false;
    count = json_object_array_length(r->json);
    for (size_t i = 0; i < count; i++) {
        if (!get_string(r, json_object_array_get_idx(r->json, i), &at[n], &len[n]))
            return false;
        if (++n < LIST_CHUNK)
            continue;
        push(r, out, at, len, n);
        n = 0;
    }
    push(r, out, at, len, n);
    return true;
}

static bool get_set(struct reading *r, struct entry **out)
{
    size_t at, len, count;

    if (!parse_as(r, json_type_array, "it is no JSON array"))
        return false;
    *out = set_new(r->key, EXPIRY_NONE);
    count = json_object_array_length(r->json);
    for (size_t i = 0; i < count; i++) {
        struct set_member m;

        r->bytes.len = 0;
        if (!get_string(r, json_object_array_get_idx(r->json, i), &at, &len))
            return false;
        m = set_member(bytes_at(r, at, len));
        set_add(out, &m, r->limits->intset);
    }
    return true;
}

/* ---- sorted sets ----------------------------------------------------------------------------- */

static bool get_score(struct reading *r, struct json_object *o, double *out)
{
    if (json_object_is_type(o, json_type_int) || json_object_is_type(o, json_type_double)) {
        if (!num_parse_double(slice_str(json_object_get_string(o)), out))
            *out = json_object_get_double(o);
    } else if (!json_object_is_type(o, json_type_string) ||
               !num_parse_double(slice_str(json_object_get_string(o)), out)) {
        return wrong(r, "a score in it is no number");
    }
    return !isnan(*out) || wrong(r, "a score in it is no number");
}

static bool get_zset(struct reading *r, struct entry **out)
{
    if (!parse_as(r, json_type_object, "it is no JSON object"))
        return false;
    json_object_object_foreach(r->json, name, value)
    {
        size_t at, len;
        double score;

        r->bytes.len = 0;
        if (!decode(r, slice_str(name), &at, &len) || !get_score(r, value, &score))
            return false;
        if (!*out)
            *out = zset_new(r->key, len, &r->limits->zset);
        *out = zset_add(*out, bytes_at(r, at, len), score, &r->limits->zset);
    }
    return true;
}

/* ---- strings --------------------------------------------------------------------------------- */

static bool get_plain(struct reading *r, struct entry **out)
{
    size_t at, len;

    if (!decode(r, r->row->value, &at, &len))
        return wrong(r, "it is no base64");
    *out = entry_new_string(r->key, bytes_at(r, at, len), EXPIRY_NONE, true);
    return true;
}

/* ---- entries --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*get)(struct reading *r, struct entry **out);
} types[] = {
    {"string", get_plain}, {"hash", get_hash}, {"list", get_list},
    {"set", get_set},      {"zset", get_zset},
};

static bool get_value(struct reading *r, struct entry **out)
{
    static const struct slice suffix = {":base64", 7};
    struct slice type = r->row->type;

    if (!type.len)
        return get_plain(r, out);
    if (type.len > suffix.len &&
        memcmp(type.ptr + type.len - suffix.len, suffix.ptr, suffix.len) == 0) {
        type.len -= suffix.len;
        r->encoded = true;
    }
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (slice_is(type, types[i].name))
            return types[i].get(r, out);
    }
    return wrong(r, "there is no such type");
}

static bool is_empty(const struct entry *e)
{
    return (e->type == TYPE_HASH && hash_is_empty(e)) || (e->type == TYPE_SET && !set_count(e));
}

bool row_get_entry(const struct row_in *row, struct slice key, const struct rdb_limits *limits,
                   struct entry **out, const char **why)
{
    struct reading r = {.row = row, .key = key, .limits = limits};
    struct entry *e = NULL;
    bool good = get_value(&r, &e);

    json_object_put(r.json);
    json_object_put(r.more);
    buf_release(&r.bytes);
    if (e && (!good || is_empty(e))) {
        entry_free(e);
        e = NULL;
    }
    if (e && row->expiry != EXPIRY_NONE)
        e = entry_set_expiry(e, row->expiry);
    if (e)
        e->version = row->version & (((uint64_t)1 << 55) - 1);
    *out = e;
    *why = r.why;
    return good;
}
