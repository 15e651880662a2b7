/* Statements as text, see sql_text.h. */
#include "storage/backend/sql_text.h"

#include "base/mem.h"

/* ---- names ---------------------------------------------------------------------------------- */

void sql_quote(struct buf *out, char quote, struct slice name)
{
    buf_append_char(out, quote);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c == '.') {
            buf_append_char(out, quote);
            buf_append_char(out, c);
        }
        buf_append_char(out, c == '.' ? quote : c);
        if (c == quote)
            buf_append_char(out, c);
    }
    buf_append_char(out, quote);
}

const char *sql_base_name(const char *table)
{
    const char *dot = strrchr(table, '.');

    return dot ? dot + 1 : table;
}

static void put_name(struct buf *out, const struct sql_names *n, const char *name,
                     struct slice suffix)
{
    struct buf whole = {0};

    buf_append_str(&whole, name);
    buf_append_slice(&whole, suffix);
    sql_quote(out, n->dialect->quote, buf_slice(&whole));
    buf_release(&whole);
}

/* A column's name has no schema: its dots are its own. */
static void put_column(struct buf *out, const struct sql_names *n, const char *name)
{
    char quote = n->dialect->quote;

    buf_append_char(out, quote);
    for (; *name; name++) {
        buf_append_char(out, *name);
        if (*name == quote)
            buf_append_char(out, *name);
    }
    buf_append_char(out, quote);
}

/* A name as a text. */
static void put_text(struct buf *out, struct slice name)
{
    buf_append_char(out, '\'');
    for (size_t i = 0; i < name.len; i++) {
        buf_append_char(out, name.ptr[i]);
        if (name.ptr[i] == '\'')
            buf_append_char(out, '\'');
    }
    buf_append_char(out, '\'');
}

/* The table's name as a text: with its quotes, or its own alone. */
static void put_table_text(struct buf *out, const struct sql_names *n, struct slice suffix,
                           bool quoted)
{
    struct buf name = {0};

    if (quoted) {
        put_name(&name, n, n->table, suffix);
    } else {
        buf_append_str(&name, sql_base_name(n->table));
        buf_append_slice(&name, suffix);
    }
    put_text(out, buf_slice(&name));
    buf_release(&name);
}

static void put_word(struct buf *out, const struct sql_names *n, struct slice word)
{
    struct slice suffix = slice_make(word.ptr + 1, word.len - 1);

    switch (word.ptr[0]) {
    case 't':
        put_name(out, n, n->table, suffix);
        break;
    case 'i':
        put_name(out, n, sql_base_name(n->table), suffix);
        break;
    case 'l':
        put_table_text(out, n, suffix, true);
        break;
    case 'b':
        put_table_text(out, n, suffix, false);
        break;
    case 'c':
        put_text(out, slice_str(n->key));
        break;
    case 'k':
        put_column(out, n, n->key);
        break;
    case 'v':
        put_column(out, n, n->value);
        break;
    default:
        sql_format(out, n, n->order);
    }
}

void sql_format(struct buf *out, const struct sql_names *names, const char *template)
{
    while (*template) {
        size_t plain = strcspn(template, "{");
        size_t word;

        buf_append(out, template, plain);
        template += plain;
        if (!*template)
            return;
        word = strcspn(template, "}") - 1;
        put_word(out, names, slice_make(template + 1, word));
        template += word + 2;
    }
}

char *sql_string(const struct sql_names *names, const char *template)
{
    struct buf b = {0};
    char *text;

    sql_format(&b, names, template);
    text = mem_strndup(b.ptr, b.len);
    buf_release(&b);
    return text;
}

/* ---- patterns ------------------------------------------------------------------------------- */

/* How many bytes the character at the beginning of `s` has; 0 if it is none, or NUL. */
static size_t character(struct slice s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;

    if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Forms that are too long, halves of pairs, and what is behind the last character. */
    if ((c == 0xe0 && (unsigned char)s.ptr[1] < 0xa0) ||
        (c == 0xed && (unsigned char)s.ptr[1] > 0x9f) ||
        (c == 0xf0 && (unsigned char)s.ptr[1] < 0x90) ||
        (c == 0xf4 && (unsigned char)s.ptr[1] > 0x8f))
        return 0;
    return len;
}

static void put_literal(struct buf *out, const struct sql_dialect *d, struct slice c)
{
    bool special = c.len == 1 && strchr(d->special, c.ptr[0]);

    if (special)
        buf_append_str(out, d->before);
    buf_append_slice(out, c);
    if (special)
        buf_append_str(out, d->after);
}

/* How long the class is that begins at `[`, as base/glob reads it. */
static size_t class_len(struct slice s)
{
    size_t i = 1;

    i += i < s.len && s.ptr[i] == '^';
    while (i < s.len && s.ptr[i] != ']') {
        if (s.ptr[i] == '\\' && s.len - i >= 2)
            i += 2;
        else
            i += s.len - i >= 3 && s.ptr[i + 1] == '-' ? 3 : 1;
    }
    return i < s.len ? i + 1 : s.len;
}

/* The literal character at the beginning of *glob, which may be escaped; 0 if it is none. */
static size_t literal(struct slice *glob)
{
    char c = glob->ptr[0];

    if (c == '*' || c == '?' || c == '[')
        return 0;
    if (c == '\\' && glob->len > 1)
        *glob = slice_make(glob->ptr + 1, glob->len - 1);
    return character(*glob);
}

void sql_pattern(struct buf *out, const struct sql_dialect *d, struct slice glob)
{
    bool open = false; /* the pattern ends with `any` */

    while (glob.len) {
        size_t step = literal(&glob);

        if (step) {
            put_literal(out, d, slice_make(glob.ptr, step));
            open = false;
        } else {
            step = glob.ptr[0] == '[' ? class_len(glob) : 1;
            if (!open)
                buf_append_char(out, d->any);
            open = true;
        }
        glob = slice_make(glob.ptr + step, glob.len - step);
    }
}

void sql_prefix(struct buf *out, const struct sql_dialect *d, struct slice prefix)
{
    for (size_t i = 0; i < prefix.len; i++)
        put_literal(out, d, slice_make(prefix.ptr + i, 1));
    buf_append_char(out, d->any);
}

/* ---- the scan ------------------------------------------------------------------------------- */

static void put_param(struct sql_query *q, const struct sql_names *names, struct sql_param p)
{
    q->params[q->len++] = p;
    if (names->dialect->numbered)
        buf_printf(&q->sql, "$%d", q->len);
    else
        buf_append_char(&q->sql, '?');
}

static void put_number(struct sql_query *q, const struct sql_names *names, int64_t number)
{
    put_param(q, names, (struct sql_param){.number = number});
}

/* `{column} LIKE $`, with a pattern that lies in q->texts from there on. */
static void put_like(struct sql_query *q, const struct sql_names *names, const char *column,
                     size_t from)
{
    const char *mark = strchr(names->dialect->like, '$');

    sql_format(&q->sql, names, column);
    buf_append(&q->sql, names->dialect->like, (size_t)(mark - names->dialect->like));
    put_param(q, names,
              (struct sql_param){slice_make(q->texts.ptr + from, q->texts.len - from), 0});
    buf_append_str(&q->sql, mark + 1);
}

static void put_conditions(struct sql_query *q, const struct sql_names *names,
                           const struct backend_scan *which)
{
    const struct sql_dialect *d = names->dialect;
    size_t from;

    if (which->after.ptr) {
        sql_format(&q->sql, names, " AND {o} > ");
        put_param(q, names, (struct sql_param){which->after, 0});
    }
    if (which->pattern.ptr) {
        from = q->texts.len;
        sql_pattern(&q->texts, d, which->pattern);
        buf_append_str(&q->sql, " AND (");
        put_like(q, names, "{o}", from);
        if (which->or_prefix.ptr) {
            from = q->texts.len;
            sql_prefix(&q->texts, d, which->or_prefix);
            buf_append_str(&q->sql, " OR ");
            put_like(q, names, "{o}", from);
        }
        buf_append_char(&q->sql, ')');
    }
    if (which->type.ptr) {
        from = q->texts.len;
        sql_prefix(&q->texts, d, which->type);
        buf_append_str(&q->sql, " AND (");
        put_like(q, names, "type", from);
        buf_append_str(&q->sql, slice_is(which->type, "string") ? " OR type IS NULL)" : ")");
    }
}

void sql_scan(struct sql_query *q, const struct sql_names *names, const struct backend_scan *which)
{
    /* So that its address stays, which parameters point to. */
    buf_grow(&q->texts, (which->pattern.len + which->or_prefix.len + which->type.len) * 3 + 16);
    sql_format(&q->sql, names,
               which->values
                   ? "SELECT " SQL_ALL_COLUMNS " FROM {t} WHERE (expiry IS NULL OR expiry > "
                   : "SELECT {k}, type, expiry FROM {t} WHERE (expiry IS NULL OR expiry > ");
    put_number(q, names, which->now_ms);
    buf_append_char(&q->sql, ')');
    put_conditions(q, names, which);
    sql_format(&q->sql, names, " ORDER BY {o}");
    if (which->limit < INT64_MAX) {
        buf_append_str(&q->sql, " LIMIT ");
        put_number(q, names, (int64_t)which->limit);
    }
}

void sql_query_release(struct sql_query *q)
{
    buf_release(&q->sql);
    buf_release(&q->texts);
    *q = (struct sql_query){0};
}

/* ---- keys to be told ------------------------------------------------------------------------ */

void sql_keys_add(struct sql_keys *keys, struct slice key)
{
    buf_append(&keys->bytes, &key.len, sizeof(key.len));
    buf_append_slice(&keys->bytes, key);
    keys->len++;
}

struct slice sql_keys_next(const struct sql_keys *keys, size_t *at)
{
    size_t len;

    memcpy(&len, keys->bytes.ptr + *at, sizeof(len));
    *at += sizeof(len) + len;
    return slice_make(keys->bytes.ptr + *at - len, len);
}

void sql_keys_tell(struct sql_keys *keys, backend_key_fn *tell, void *arg)
{
    size_t at = 0;

    for (size_t i = 0; tell && i < keys->len; i++)
        tell(arg, sql_keys_next(keys, &at));
    buf_release(&keys->bytes);
    keys->len = 0;
}
