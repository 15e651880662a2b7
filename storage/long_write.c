/* Writing long values, see long_write.h. */
#include "storage/long_write.h"

#include "storage/rdb/rdb_string_out.h"

#include <errno.h>
#include <time.h>

/* Locks the shard of the key that has the value by now, and tells which that is. */
static unsigned lock_long(const struct keyspace *ks, const struct long_save *save)
{
    for (;;) {
        unsigned shard = long_save_shard(save);

        snapshot_lock(ks, shard);
        if (long_save_shard(save) == shard)
            return shard;
        snapshot_unlock(ks, shard);
    }
}

static void give_up(const struct keyspace *ks, struct long_save *save)
{
    unsigned shard = lock_long(ks, save);

    long_save_give_up(save);
    snapshot_unlock(ks, shard);
}

void long_write_give_up(struct keyspace *ks, struct long_save *save)
{
    give_up(ks, save);
    long_save_free(save);
}

void long_write_delay(int64_t us)
{
    struct timespec span = {us / 1000000, (us % 1000000) * 1000};

    if (us > 0)
        nanosleep(&span, NULL);
}

/* The next part, and what others have saved meanwhile. */
static struct save_piece *take_part(const struct long_write *to, struct long_save *save,
                                    struct save_piece *own)
{
    struct toll *toll = &to->keyspace->toll;
    struct save_piece *side;
    uint64_t began_ns;
    unsigned shard;

    own->bytes.len = own->later.len = 0;
    long_save_prepare(save, own);
    shard = lock_long(to->keyspace, save);
    began_ns = toll_clock_ns();
    side = long_save_portion(save, own);
    toll_most(&toll->hold_ns, toll_clock_ns() - began_ns);
    toll_most(&toll->hold_bytes, own->bytes.len);
    snapshot_unlock(to->keyspace, shard);
    return side;
}

static bool may_go_on(const struct long_write *to, const struct long_save *save)
{
    if (atomic_load_explicit(to->cancelled, memory_order_relaxed))
        to->writer->status = -ECANCELED;
    return !long_save_ended(save) && to->writer->status == 0;
}

static void write_string(const struct long_write *to, struct long_save *save)
{
    struct rdb_string_out out;
    struct save_piece own = {0};

    rdb_string_begin(&out, to->writer, long_save_string_len(save), to->compress);
    while (may_go_on(to, save)) {
        take_part(to, save, &own);
        rdb_string_put(&out, buf_slice(&own.bytes));
        long_write_delay(to->delay_us);
    }
    rdb_string_end(&out);
    buf_release(&own.bytes);
}

static void write_elements(const struct long_write *to, struct long_save *save)
{
    struct save_piece own = {0}, *side;

    while (may_go_on(to, save)) {
        side = take_part(to, save, &own);
        rdb_writer_squeeze(to->writer, buf_slice(&own.bytes), &own.later);
        for (const struct save_piece *p = side; p; p = p->next)
            rdb_writer_squeeze(to->writer, buf_slice(&p->bytes), &p->later);
        long_save_drop(save, side);
        long_write_delay(to->delay_us);
    }
    buf_release(&own.bytes);
    buf_release(&own.later);
}

static void write_behind(const struct long_write *to, const struct long_save *save)
{
    struct buf out = {0};

    long_save_behind(save, &out);
    rdb_writer_bytes(to->writer, buf_slice(&out));
    buf_release(&out);
}

void long_write(const struct long_write *to, struct long_save *save)
{
    if (long_save_string_len(save))
        write_string(to, save);
    else
        write_elements(to, save);
    if (long_save_ended(save))
        write_behind(to, save);
    else
        give_up(to->keyspace, save);
    long_save_free(save);
}
