/* The slow log, see slowlog.h. */
#include "server/slowlog.h"

#include "base/mem.h"
#include "server/auth.h"
#include "server/socket.h"

#include <stdio.h>

struct slowlog *slowlog_new(void)
{
    struct slowlog *log = mem_zalloc(sizeof(*log));

    lock_init(&log->lock, RANK_STATS, 1);
    list_init(&log->entries);
    return log;
}

static void free_entry(struct slow_entry *e)
{
    for (int i = 0; i < e->argc; i++)
        mem_free((void *)(uintptr_t)e->argv[i].ptr);
    mem_free(e->peer);
    mem_free(e->name);
    mem_free(e);
}

void slowlog_trim_locked(struct slowlog *log, int64_t max)
{
    while (log->len > max) {
        struct slow_entry *last = CONTAINER_OF(log->entries.prev, struct slow_entry, link);

        list_remove(&last->link);
        log->len--;
        free_entry(last);
    }
}

void slowlog_reset(struct slowlog *log)
{
    lock_take(&log->lock);
    slowlog_trim_locked(log, 0);
    lock_release(&log->lock);
}

void slowlog_free(struct slowlog *log)
{
    if (!log)
        return;
    slowlog_reset(log);
    mem_free(log);
}

/* A copy of an argument, shortened where it is long. */
static struct slice keep_arg(struct slice arg)
{
    struct buf b = {0};

    if (arg.len <= SLOWLOG_ARG_MAX) {
        buf_append_slice(&b, arg);
        buf_reserve(&b, 1);
    } else {
        buf_append(&b, arg.ptr, SLOWLOG_ARG_MAX);
        buf_printf(&b, "... (%zu more bytes)", arg.len - SLOWLOG_ARG_MAX);
    }
    return buf_slice(&b);
}

static void keep_args(struct slow_entry *e, const struct call *c)
{
    char more[64];

    e->argc = c->argc < SLOWLOG_ARGS_MAX ? c->argc : SLOWLOG_ARGS_MAX;
    for (int i = 0; i < e->argc; i++) {
        struct slice arg = call_arg(c, i);

        if (c->argc > SLOWLOG_ARGS_MAX && i == SLOWLOG_ARGS_MAX - 1)
            arg = slice_make(more, (size_t)snprintf(more, sizeof(more), "... (%d more arguments)",
                                                    c->argc - SLOWLOG_ARGS_MAX + 1));
        else if (auth_is_secret(c, i))
            arg = SLICE("(redacted)");
        e->argv[i] = keep_arg(arg);
    }
}

void slowlog_note(struct call *c, uint64_t us)
{
    struct slowlog *log = c->server->slowlog;
    const struct conf *conf = c->conf;
    struct slow_entry *e;
    char peer[SOCKET_NAME_MAX];
    struct slice name = c->conn->extra ? c->conn->extra->name : SLICE("");

    if (conf->slowlog_log_slower_than < 0 || us < (uint64_t)conf->slowlog_log_slower_than ||
        conf->slowlog_max_len == 0 || c->cmd->flags & CMD_SKIP_SLOWLOG)
        return;
    e = mem_zalloc(sizeof(*e));
    e->time_s = c->now_ms / 1000;
    e->us = (int64_t)us;
    keep_args(e, c);
    conn_peer_name(c->conn, peer);
    e->peer = mem_strdup(peer);
    e->name = mem_strndup(name.ptr ? name.ptr : "", name.len);
    lock_take(&log->lock);
    e->id = log->next_id++;
    e->link.prev = &log->entries;
    e->link.next = log->entries.next;
    log->entries.next->prev = &e->link;
    log->entries.next = &e->link;
    log->len++;
    slowlog_trim_locked(log, conf->slowlog_max_len);
    lock_release(&log->lock);
}
