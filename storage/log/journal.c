/* The log of changes, see journal.h. */
#include "storage/log/journal.h"

#include "base/lock.h"
#include "base/mem.h"

struct journal {
    struct lock lock;
    struct buf pending; /* not written yet */
    int db;             /* of the last record; -1: to be selected */
    uint64_t seq;       /* of the last group */
};

struct journal *journal_new(void)
{
    struct journal *j = mem_zalloc(sizeof(*j));

    lock_init(&j->lock, RANK_LOG, 0);
    j->db = -1;
    return j;
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    buf_release(&j->pending);
    mem_free(j);
}

uint64_t journal_append(struct journal *j, const struct records *r)
{
    uint64_t seq;

    lock_take(&j->lock);
    if (UNLIKELY(j->db != r->first_db))
        records_select(&j->pending, r->first_db);
    j->db = r->db;
    if (UNLIKELY(r->count > 1))
        buf_append_str(&j->pending, "*1\r\n$5\r\nMULTI\r\n");
    buf_append(&j->pending, r->bytes.ptr, r->bytes.len);
    if (UNLIKELY(r->count > 1))
        buf_append_str(&j->pending, "*1\r\n$4\r\nEXEC\r\n");
    seq = ++j->seq;
    lock_release(&j->lock);
    return seq;
}
