/* Answers from other threads, see later.h. */
#include "server/later.h"

#include "base/mem.h"

struct later {
    struct worker *worker;
    uint64_t client;
    bool silent; /* CLIENT REPLY keeps the answer from it */
    const char *reply;
};

struct later *later_begin(struct call *c)
{
    struct later *l = mem_alloc(sizeof(*l));

    *l = (struct later){.worker = c->worker,
                        .client = c->conn->id,
                        .silent = c->conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP)};
    c->conn->flags |= CONN_BLOCKED;
    return l;
}

/* On the worker, if the client still is there. */
static void answer(struct worker *w, void *arg)
{
    struct later *l = arg;

    LIST_EACH_SAFE (conn, &w->conns, struct conn, link) {
        if (conn->id != l->client)
            continue;
        if (!l->silent)
            buf_append_str(conn_output(conn), l->reply);
        conn_resume(conn);
        break;
    }
    mem_free((void *)(uintptr_t)l->reply);
    mem_free(l);
}

void later_answer(struct later *l, const char *reply)
{
    l->reply = mem_strdup(reply);
    worker_call(l->worker, answer, l);
}
