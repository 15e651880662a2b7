/* The address of a backend, see backend_url.h. */
#include "storage/backend/backend_url.h"

#include "base/buf.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/backend/backend.h"

/* Names of what belongs to a table are longer by this, and a database knows 63 bytes of a name. */
enum { NAME_MAX_BYTES = 63 - 17 };

/* Parts of the address, still encoded; ptr NULL: it is not in there. */
struct parts {
    struct slice scheme, user, password, host, port, path, query;
};

static struct slice behind(struct slice s, size_t n)
{
    return slice_make(s.ptr + n, s.len - n);
}

/* Cuts *s at the first `c`; what is behind it is *rest, if it is there at all. */
static bool cut(struct slice *s, char c, struct slice *rest)
{
    const char *at = s->len ? memchr(s->ptr, c, s->len) : NULL;

    if (!at)
        return false;
    *rest = behind(*s, (size_t)(at - s->ptr) + 1);
    s->len = (size_t)(at - s->ptr);
    return true;
}

/* Splits `user:password@host:port`; a password may have an @ that is not encoded. */
static void split_authority(struct slice all, struct parts *p)
{
    const char *at = all.len ? memrchr(all.ptr, '@', all.len) : NULL;
    struct slice host;

    if (at) {
        p->user = slice_make(all.ptr, (size_t)(at - all.ptr));
        cut(&p->user, ':', &p->password);
        all = behind(all, p->user.len + p->password.len + (p->password.ptr != NULL) + 1);
    }
    p->host = all;
    if (all.len && all.ptr[0] == '[' && cut(&all, ']', &host)) {
        p->host = behind(all, 1);
        cut(&host, ':', &p->port);
    } else {
        cut(&p->host, ':', &p->port);
    }
}

static bool split(struct slice text, struct parts *p)
{
    const char *mark = memmem(text.ptr, text.len, "://", 3);

    *p = (struct parts){0};
    if (!mark)
        return false;
    p->scheme = slice_make(text.ptr, (size_t)(mark - text.ptr));
    if (p->scheme.len > 4 && memcmp(p->scheme.ptr, "rpm+", 4) == 0)
        p->scheme = behind(p->scheme, 4);
    p->path = behind(text, (size_t)(mark - text.ptr) + 3);
    cut(&p->path, '?', &p->query);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy with its %XX decoded; NULL if they are wrong, or a NUL. */
static char *decoded(struct slice s)
{
    char *out = mem_alloc(s.len + 1), *to = out;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;

            c = high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
            i += 2;
        }
        if (!c) {
            mem_free(out);
            return NULL;
        }
        *to++ = c;
    }
    *to = '\0';
    return out;
}

/* Decodes into *to, which it replaces. True also if there is nothing to decode. */
static bool decode(struct slice s, char **to)
{
    char *text;

    if (!s.ptr)
        return true;
    text = decoded(s);
    if (!text)
        return false;
    mem_free(*to);
    *to = text;
    return true;
}

/* ---- ?table=… ------------------------------------------------------------------------------- */

static bool switched_on(struct slice value)
{
    return !slice_is(value, "0") && !slice_is(value, "no") && !slice_is(value, "false");
}

static bool take_parameter(struct backend_url *u, struct slice name, struct slice value)
{
    const struct {
        const char *name;
        char **to;
        bool tls;
    } known[] = {
        {"table", &u->table, false},
        {"colKey", &u->key_column, false},
        {"colVal", &u->value_column, false},
        {"ca", &u->ca, true},
        {"key", &u->key, true},
        {"crt", &u->crt, true},
    };

    if (slice_eq(name, SLICE("tls"))) {
        u->tls = switched_on(value);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (slice_eq(name, slice_str(known[i].name)) && value.len) {
            u->tls = u->tls || known[i].tls;
            return decode(value, known[i].to);
        }
    }
    return false;
}

static bool take_query(struct backend_url *u, struct slice query)
{
    while (query.len) {
        struct slice name = query, value = SLICE("");

        query = SLICE("");
        cut(&name, '&', &query);
        cut(&name, '=', &value);
        if (name.len && !take_parameter(u, name, value))
            return false;
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool take_file(struct backend_url *u, struct slice path)
{
    /* As ipc-keyval has it, an absolute path begins behind the slash that ends the host. */
    if (path.len > 1 && path.ptr[0] == '/' && path.ptr[1] == '/')
        path = behind(path, 1);
    return path.len && decode(path, &u->path);
}

static bool take_port(struct backend_url *u, struct slice port)
{
    uint64_t n = 0;

    if (port.len && (!num_parse_uint(port, &n) || n == 0 || n > 65535))
        return false;
    u->port = (int)n;
    return true;
}

static bool take_server(struct backend_url *u, struct parts *p)
{
    struct slice authority = p->path;

    if (!cut(&authority, '/', &p->path))
        return false;
    split_authority(authority, p);
    if (!p->host.len)
        p->host = SLICE("127.0.0.1");
    return p->path.len && decode(p->path, &u->database) && decode(p->host, &u->host) &&
           (!p->user.len || decode(p->user, &u->user)) && decode(p->password, &u->password) &&
           take_port(u, p->port);
}

static char *without_password(struct slice text, struct slice password)
{
    struct buf b = {0};
    char *shown;

    if (password.ptr) {
        buf_append(&b, text.ptr, (size_t)(password.ptr - text.ptr) - 1);
        buf_append(&b, password.ptr + password.len,
                   (size_t)(text.ptr + text.len - password.ptr) - password.len);
    } else {
        buf_append_slice(&b, text);
    }
    shown = mem_strndup(b.ptr, b.len);
    buf_release(&b);
    return shown;
}

static void take_defaults(struct backend_url *u)
{
    /* `key` is a word of MySQL's own, so that ipc-keyval does without it there. */
    const char *key = strcmp(u->scheme, "mysql") == 0 ? "name" : "key";

    if (!u->table)
        u->table = mem_strdup("KeyVal");
    if (!u->key_column)
        u->key_column = mem_strdup(key);
    if (!u->value_column)
        u->value_column = mem_strdup("val");
}

static const char *complaint(struct backend_url *u, struct slice text)
{
    struct parts p;

    if (!split(text, &p))
        return "it has no scheme, such as sqlite://";
    if (!backend_driver(p.scheme))
        return "its scheme is none of those that are known";
    u->scheme = mem_strndup(p.scheme.ptr, p.scheme.len);
    if (strcmp(u->scheme, "sqlite") == 0) {
        if (!take_file(u, p.path))
            return "it names no file";
    } else if (!take_server(u, &p)) {
        return "it is to be user:password@host:port/database";
    }
    u->shown = without_password(text, p.password);
    if (p.query.len && !take_query(u, p.query))
        return "behind ? there may be table, colKey, colVal, tls, ca, key and crt";
    take_defaults(u);
    if (strlen(u->table) > NAME_MAX_BYTES)
        return "the name of the table is too long";
    return NULL;
}

bool backend_url_parse(const char *text, struct backend_url *out, const char **error)
{
    *out = (struct backend_url){0};
    *error = complaint(out, slice_str(text));
    if (*error)
        backend_url_release(out);
    return !*error;
}

void backend_url_release(struct backend_url *u)
{
    char *const all[] = {u->scheme, u->user,  u->password,   u->host,         u->database,
                         u->path,   u->table, u->key_column, u->value_column, u->ca,
                         u->key,    u->crt,   u->shown};

    for (size_t i = 0; i < COUNT_OF(all); i++)
        mem_free(all[i]);
    *u = (struct backend_url){0};
}
