/* Versions in the log, see record_versions.h. */
#include "storage/log/record_versions.h"

#include "base/compiler.h"

enum { OFF_MAX = 100000 }; /* what is further on is told as it is */

struct given_version {
    uint64_t version;
    uint32_t db, len;
};

static struct slice key_at(const struct record_versions *v, size_t at, struct given_version *head)
{
    memcpy(head, v->keys.ptr + at, sizeof(*head));
    return slice_make(v->keys.ptr + at + sizeof(*head), head->len);
}

static void keep(struct record_versions *v, int db, struct slice key, uint64_t version)
{
    struct given_version head = {version, (uint32_t)db, (uint32_t)key.len};

    char *to = buf_reserve(&v->keys, sizeof(head) + key.len);

    memcpy(to, &head, sizeof(head));
    bytes_copy(to + sizeof(head), key.ptr, key.len);
    v->keys.len += sizeof(head) + key.len;
}

void record_versions_add(struct record_versions *v, int db, struct slice key, uint64_t version)
{
    struct given_version first;

    if (LIKELY(!v->count++)) {
        v->first = v->last = version;
        keep(v, db, key, version);
        return;
    }
    if (!v->several)
        v->several = !slice_eq(key_at(v, 0, &first), key) || first.db != (uint32_t)db;
    v->last = version;
    keep(v, db, key, version);
}

/* One that is named later has the later version. */
void record_versions_each(struct record_versions *v,
                          void (*put)(void *arg, int db, struct slice key, uint64_t version),
                          void *arg)
{
    struct given_version head;

    v->all_same = true;
    for (size_t at = 0; at < v->keys.len; at += sizeof(head) + head.len) {
        struct slice key = key_at(v, at, &head);

        put(arg, (int)head.db, key, head.version);
    }
}

void version_line_write(struct version_line *line, struct buf *out, const struct record_versions *v)
{
    uint32_t n = v->count && !v->all_same ? v->count : 1;
    uint64_t before = v->count ? v->all_same ? v->last - 1 : v->first - 1 : line->last;
    int64_t off = (int64_t)(before - line->last);

    if (!line->known || line->since > VERSION_TOLD_EVERY || off > OFF_MAX || off < -OFF_MAX) {
        buf_printf(out, "#LK:at %llu\r\n", (unsigned long long)before);
        line->known = true;
        line->since = 0;
        off = 0;
    }
    if (n > 1)
        buf_printf(out, "#LK:v %lld %u\r\n", (long long)off, n);
    else if (off)
        buf_printf(out, "#LK:v %lld\r\n", (long long)off);
    line->last = before + n;
}
